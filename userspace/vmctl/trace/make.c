// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../msg.h"
#include "report.h"

/**
 * report_input_option - take an option that the verbs share
 * @in:		what to look at
 * @c:		from getopt_long()
 * @verb:	for the message
 *
 * Return: 0, or -1 with a message.
 */
int report_input_option(struct report_input *in, int c, const char *verb)
{
	char *end;

	switch (c) {
	case OPT_SYSTEM_MAP:
		in->system_map = optarg;
		return 0;
	case OPT_INTERVAL:
		in->interval = strtod(optarg, &end);
		if (!*optarg || *end || !(in->interval > 0 && in->interval < 1e9))
			return fail("--interval %s: it is a number of milliseconds", optarg);
		return 0;
	}
	return fail("see 'vmctl trace %s --help'", verb);
}

/**
 * report_input_file - take the trace's name, the only argument
 * @in:		what to look at
 * @argc: @argv:	what is left
 *
 * Return: 0, or -1 with a message.
 */
int report_input_file(struct report_input *in, int argc, char **argv)
{
	if (argc < 1)
		return fail("no trace given: name a FILE");
	if (argc > 1)
		return fail("'%s': one FILE is enough", argv[1]);
	in->file = argv[0];
	return 0;
}

/* Linux halts in functions that are called so */
static bool report_is_idle(const char *function)
{
	return strstr(function, "idle") || strstr(function, "halt");
}

/* another build of the same kernel has code nearly everywhere, too, but not to halt in */
static int report_check_halts(const struct report *report)
{
	u64 halts = 0, idle = 0;
	char text[SYMBOL_TEXT], last[SYMBOL_TEXT] = "";

	if (!symbols_have(&report->symbols, "default_idle"))
		return 0;
	vec_each(struct story_exit, e, &report->story.exits) {
		if (!analysis_is_halt(&report->story, e) ||
		    symbols_name(&report->symbols, e->rip, text) == SYMBOL_USER)
			continue;
		halts++;
		if (report_is_idle(text))
			idle++;
		else
			memcpy(last, text, sizeof(last));
	}
	if (2 * idle >= halts)
		return 0;
	return fail("--system-map %s: by it the guest halts in %s: it is another kernel's",
		    report->symbols.file, *last ? last : "no function");
}

/* a System.map of another kernel would name everything wrongly */
static int report_check_symbols(const struct report *report)
{
	u64 kernel = 0, code = 0;
	char text[SYMBOL_TEXT];

	vec_each(struct story_exit, e, &report->story.exits) {
		enum symbol_kind kind = symbols_name(&report->symbols, e->rip, text);

		kernel += kind != SYMBOL_USER;
		code += kind == SYMBOL_CODE;
	}
	if (!kernel || 2 * code > kernel)
		return report_check_halts(report);
	return fail("--system-map %s: %llu of %llu exits are in no function of it: %s",
		    report->symbols.file, kernel - code, kernel,
		    "it is another kernel's, or the guest was booted without nokaslr");
}

static u64 report_interval(const struct story *story, double ms)
{
	u64 length = ms > 0 ? ms * story_rate(story) / 1e3 : (story->last - story->first) / 20 + 1;

	return length ? length : 1;
}

/**
 * report_make - read a trace and make its tables
 * @report:	out; report_free() it, also after an error
 * @in:		what to look at
 *
 * Return: 0, or -1 with a message.
 */
int report_make(struct report *report, const struct report_input *in)
{
	memset(report, 0, sizeof(*report));
	if (in->system_map && symbols_read(&report->symbols, in->system_map))
		return -1;
	if (story_read(&report->story, in->file))
		return -1;
	if (in->system_map && report_check_symbols(report))
		return -1;
	report->analysis = (struct analysis){
		.story = &report->story, .symbols = &report->symbols,
		.interval = report_interval(&report->story, in->interval),
	};
	analysis_tables(&report->analysis, &report->tables);
	return 0;
}

/**
 * report_free - forget it
 * @report:	from report_make()
 */
void report_free(struct report *report)
{
	tables_free(&report->tables);
	symbols_free(&report->symbols);
	story_free(&report->story);
}
