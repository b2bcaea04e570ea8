// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of `vmctl run`: only text is looked at here, no file and no device.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "msg.h"
#include "options.h"
#include "size.h"
#include "without.h"

#define MEM_DEFAULT	(256 * MIB)
#define TIMEOUT_MAX	1000000u

enum { OPT_NAME = 1, OPT_KERNEL, OPT_INITRD, OPT_APPEND, OPT_MEM, OPT_PAGING, OPT_TIMEOUT,
	OPT_STATS, OPT_JSON, OPT_DEBUG_EXIT, OPT_CONSOLE, OPT_DEVICE, OPT_NET, OPT_WITHOUT,
	OPT_ACCEL, OPT_PHASES, OPT_MEASURE, OPT_HELP };

static const struct option long_options[] = {
	{ "name",	required_argument,	NULL, OPT_NAME },
	{ "kernel",	required_argument,	NULL, OPT_KERNEL },
	{ "initrd",	required_argument,	NULL, OPT_INITRD },
	{ "append",	required_argument,	NULL, OPT_APPEND },
	{ "mem",	required_argument,	NULL, OPT_MEM },
	{ "paging",	required_argument,	NULL, OPT_PAGING },
	{ "timeout",	required_argument,	NULL, OPT_TIMEOUT },
	{ "stats",	no_argument,		NULL, OPT_STATS },
	{ "json",	no_argument,		NULL, OPT_JSON },
	{ "debug-exit",	no_argument,		NULL, OPT_DEBUG_EXIT },
	{ "console",	required_argument,	NULL, OPT_CONSOLE },
	{ "device",	required_argument,	NULL, OPT_DEVICE },
	{ "net",	required_argument,	NULL, OPT_NET },
	{ "without",	required_argument,	NULL, OPT_WITHOUT },
	{ "accel",	required_argument,	NULL, OPT_ACCEL },
	{ "phases",	no_argument,		NULL, OPT_PHASES },
	{ "measure",	no_argument,		NULL, OPT_MEASURE },
	{ "help",	no_argument,		NULL, OPT_HELP },
	{ }
};

/* @text is one file, or several with commas between them */
static int parse_initrd(struct run_options *opt, const char *text)
{
	char *copy = strdup(text), *rest = copy, *path;

	if (!copy)
		return fail("out of memory");
	if (opt->nr_module_text == MODULES_MAX) {
		free(copy);
		return fail("--initrd: more than %u files", MODULES_MAX);
	}
	opt->module_text[opt->nr_module_text++] = copy;
	while ((path = strsep(&rest, ","))) {
		if (!*path)
			return fail("--initrd %s: a file name is empty: write FILE or FILE,FILE",
				    text);
		if (opt->nr_modules == MODULES_MAX)
			return fail("--initrd: more than %u files", MODULES_MAX);
		opt->modules[opt->nr_modules++] = path;
	}
	return 0;
}

static int parse_mem(struct run_options *opt, const char *text)
{
	char least[SIZE_TEXT];

	if (size_parse(text, &opt->mem))
		return fail("--mem %s: not a size: write for example 512M or 2G", text);
	if (opt->mem < MEM_MIN)
		return fail("--mem %s: less than %s: write for example %s%s", text,
			    size_text(MEM_MIN, least),
			    opt->mem && isdigit((unsigned char)text[strlen(text) - 1]) ?
			    text : "512", "M");
	if (opt->mem % GUEST_PAGE)
		return fail("--mem %s: not a multiple of 4K", text);
	return 0;
}

static const char *const paging_names[] = {
	[PAGING_AUTO]	= "auto",
	[PAGING_TDP]	= "ept",
	[PAGING_SHADOW]	= "shadow",
	[PAGING_SHADOW_GNP] = "shadow,gnp",
};

/**
 * paging_name - what users call a way of paging
 * @paging:	it
 *
 * Return: a constant string.
 */
const char *paging_name(enum accel_paging paging)
{
	return paging_names[paging];
}

/**
 * paging_parse - read the value of --paging
 * @text:	what the user wrote
 * @paging:	out
 *
 * Return: 0, or -1 with a message.
 */
int paging_parse(const char *text, enum accel_paging *paging)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paging_names); i++) {
		if (strcmp(text, paging_names[i]))
			continue;
		*paging = i;
		return 0;
	}
	return fail("--paging %s: not known: use ept, shadow, shadow,gnp or auto", text);
}

/**
 * accel_find - a hypervisor by name
 * @name:	what the user wrote
 *
 * Return: the backend, or NULL with a message.
 */
const struct accel_ops *accel_find(const char *name)
{
	static const struct accel_ops *const all[ACCELS_MAX] = { &mhv_accel, &kvm_accel };
	unsigned int i;

	for (i = 0; i < ACCELS_MAX; i++)
		if (!strcmp(name, all[i]->name))
			return all[i];
	fail("--accel %s: not known: use mhv or kvm", name);
	return NULL;
}

static int parse_timeout(struct run_options *opt, const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !seconds || seconds > TIMEOUT_MAX)
		return fail("--timeout %s: not a number of seconds from 1 to %u", text,
			    TIMEOUT_MAX);
	opt->timeout = seconds;
	return 0;
}

static int parse_console(struct run_options *opt, const char *text)
{
	bool file = !strncmp(text, "file:", 5) && text[5];

	if (!file && strcmp(text, "stdio") && strcmp(text, "none"))
		return fail("--console %s: not known: use stdio, none or file:PATH", text);
	opt->console = text;
	return 0;
}

static int parse_name(struct run_options *opt, const char *text)
{
	if (!control_name_valid(text))
		return fail("--name %s: not a name: use up to %u letters, digits, '.', '_' and '-'",
			    text, CONTROL_NAME);
	opt->name = text;
	return 0;
}

static int parse_device(struct run_options *opt, const char *text)
{
	if (opt->nr_devices == DEVICES_MAX)
		return fail("--device: more than %u devices", DEVICES_MAX);
	return device_parse(text, &opt->devices[opt->nr_devices++]);
}

static int parse_net(struct run_options *opt, const char *text)
{
	struct net_option *net = &opt->nets[opt->nr_nets];

	if (opt->nr_nets == NETS_MAX)
		return fail("--net: more than %u devices", NETS_MAX);
	opt->nr_nets++;
	if (net_option_parse(text, net))
		return -1;
	if (!net->mac_given)
		net->mac[5] += opt->nr_nets - 1;
	if (net->kind == NET_NONE)
		net_option_free(&opt->nets[--opt->nr_nets]);
	return 0;
}

static int parse_one(struct run_options *opt, int which, const char *text)
{
	switch (which) {
	case OPT_NAME:
		return parse_name(opt, text);
	case OPT_KERNEL:
		opt->kernel = text;
		return 0;
	case OPT_INITRD:
		return parse_initrd(opt, text);
	case OPT_APPEND:
		opt->cmdline = text;
		return 0;
	case OPT_MEM:
		return parse_mem(opt, text);
	case OPT_PAGING:
		return paging_parse(text, &opt->paging);
	case OPT_TIMEOUT:
		return parse_timeout(opt, text);
	case OPT_STATS:
		opt->stats = true;
		return 0;
	case OPT_JSON:
		opt->json = true;
		return 0;
	case OPT_DEBUG_EXIT:
		opt->debug_exit = true;
		return 0;
	case OPT_PHASES:
		opt->phases = true;
		return 0;
	case OPT_MEASURE:
		opt->measure = true;
		return 0;
	case OPT_CONSOLE:
		return parse_console(opt, text);
	case OPT_DEVICE:
		return parse_device(opt, text);
	case OPT_NET:
		return parse_net(opt, text);
	case OPT_WITHOUT:
		return without_parse(text, &opt->without);
	case OPT_ACCEL:
		opt->ops = accel_find(text);
		return opt->ops ? 0 : -1;
	case OPT_HELP:
		opt->help = true;
		return 0;
	default:
		return -1;
	}
}

static int parse_bad(char **argv, int which)
{
	const char *what = argv[optind - 1];

	if (which == ':')
		return fail("option '%s' needs a value: see 'vmctl run --help'", what);
	return fail("option '%s' is not known or takes no value: see 'vmctl run --help'",
		    what);
}

static int parse_complete(const struct run_options *opt, int argc, char **argv)
{
	if (opt->help)
		return 0;
	if (optind < argc)
		return fail("'%s': not an option: see 'vmctl run --help'", argv[optind]);
	if (opt->without && !opt->ops->optional)
		return fail("--without is for --accel mhv: %s has none of these", opt->ops->name);
	if (opt->measure && !opt->ops->optional)
		return fail("--measure is for --accel mhv: %s does not measure", opt->ops->name);
	if (opt->phases && !opt->json)
		return fail("--phases needs --json, which tells them");
	if (!opt->kernel)
		return fail("--kernel is missing: give a vmlinuz, a vmlinux or a multiboot kernel");
	return 0;
}

/**
 * run_options_parse - read the command line
 * @opt:	out; run_options_free() it, also after an error
 * @argc:	words of the command line
 * @argv:	words, the first one being the verb
 *
 * Return: 0, or -1 with a message.
 */
int run_options_parse(struct run_options *opt, int argc, char **argv)
{
	int which;

	memset(opt, 0, sizeof(*opt));
	opt->cmdline = "";
	opt->console = "stdio";
	opt->mem = MEM_DEFAULT;
	opt->ops = &mhv_accel;
	optind = 0;	/* a new command line; this also resets getopt's state */
	while ((which = getopt_long(argc, argv, "+:h", long_options, NULL)) != -1) {
		if (which == '?' || which == ':')
			return parse_bad(argv, which);
		if (parse_one(opt, which == 'h' ? OPT_HELP : which, optarg))
			return -1;
	}
	return parse_complete(opt, argc, argv);
}

/**
 * run_options_free - forget the options
 * @opt:	from run_options_parse()
 */
void run_options_free(struct run_options *opt)
{
	while (opt->nr_module_text)
		free(opt->module_text[--opt->nr_module_text]);
	while (opt->nr_nets)
		net_option_free(&opt->nets[--opt->nr_nets]);
}
