// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl - the controller of mhv: runs guests and emulates their devices.
 */
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "power.h"
#include "types.h"
#include "verbs.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "bench", verb_bench, "measure what an access to a device costs a guest" },
	{ "check", verb_check, "say what this host offers" },
	{ "debug", verb_debug, "look at the page tables of a guest that runs" },
	{ "run", verb_run, "boot a guest and stay until it ends" },
	{ "stat", verb_stat, "show the counters of a running guest" },
	{ "trace", verb_trace, "record what the module does, and say what it did" },
};

static int print_usage(void)
{
	unsigned int i;

	puts("usage: vmctl VERB [OPTION...]\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s %s\n", verbs[i].name, verbs[i].help);
	puts("\n'vmctl VERB --help' lists the options of a verb.");
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc < 2) {
		fail("a verb is missing: see 'vmctl --help'");
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_usage();
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	fail("'%s' is not a verb: see 'vmctl --help'", argv[1]);
	return STATUS_USAGE;
}
