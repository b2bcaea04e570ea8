// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl-trace: the verbs of `vmctl trace`, in a program of their own for the libraries
 * that they need and vmctl does not.
 */
#include <stdio.h>
#include <string.h>

#include "../msg.h"
#include "../power.h"
#include "verbs.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "record", trace_record, "run a command and record the module's events" },
	{ "report", trace_report, "say what happened in a trace" },
	{ "plot", trace_plot, "draw it" },
	{ "html", trace_html, "write report and pictures as one page" },
};

static int print_usage(void)
{
	unsigned int i;

	puts("usage: vmctl trace VERB [OPTION...]\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s %s\n", verbs[i].name, verbs[i].help);
	puts("\n'vmctl trace VERB --help' lists the options of a verb.");
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	unsigned int i;

	msg_set_name("trace");
	if (argc < 2) {
		fail("a verb is missing: see 'vmctl trace --help'");
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_usage();
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	fail("'%s' is not a verb: see 'vmctl trace --help'", argv[1]);
	return STATUS_USAGE;
}
