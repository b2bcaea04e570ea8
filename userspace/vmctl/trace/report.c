// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace report: what happened in a trace, as tables.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../msg.h"
#include "../power.h"
#include "report.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl trace report [OPTION...] FILE\n"
	"\n"
	"Says what happened in a trace that 'vmctl trace record' or 'trace-cmd record -e mhv'\n"
	"made.\n"
	"\n"
	"  --json               print it as one JSON object\n"
	"  --csv                print it as CSV; a line's first field names its table\n"
	REPORT_OPTIONS_HELP
	"  --top N              rows of a table at most (default 20; 0: all)\n"
	"  --check              fail unless each total equals the module's counters\n"
	"\n"
	"exit status: 0 done, 1 it could not be done, 2 usage, 3 with --check: they differ,\n"
	"or the trace has no counters\n";

#define STATUS_DIFFERS	3

enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct report_options {
	struct report_input in;
	enum report_format format;
	size_t top;
	bool check;
};

enum { OPT_JSON = 512, OPT_CSV, OPT_TOP, OPT_CHECK };

static int report_top(struct report_options *opt, const char *text)
{
	char *end;
	unsigned long top = strtoul(text, &end, 10);

	if (!*text || *end || *text == '-')
		return fail("--top %s: it is a number of rows", text);
	opt->top = top ? top : SIZE_MAX;
	return 0;
}

static int report_option(struct report_options *opt, int c)
{
	switch (c) {
	case OPT_JSON:
		opt->format = FORMAT_JSON;
		return 0;
	case OPT_CSV:
		opt->format = FORMAT_CSV;
		return 0;
	case OPT_TOP:
		return report_top(opt, optarg);
	case OPT_CHECK:
		opt->check = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		exit(STATUS_OK);
	}
	return report_input_option(&opt->in, c, "report");
}

static int report_parse(struct report_options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "csv", no_argument, NULL, OPT_CSV },
		{ "top", required_argument, NULL, OPT_TOP },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "help", no_argument, NULL, 'h' },
		REPORT_OPTIONS,
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		if (report_option(opt, c))
			return -1;
	return report_input_file(&opt->in, argc - optind, argv + optind);
}

static void report_print(const struct report_options *opt, const struct report *report)
{
	if (opt->format == FORMAT_JSON)
		tables_json(&report->tables, stdout);
	else if (opt->format == FORMAT_CSV)
		tables_csv(&report->tables, stdout);
	else
		tables_text(&report->tables, stdout, opt->top);
}

/**
 * trace_report - vmctl trace report
 * @argc:	words
 * @argv:	words, the first is "report"
 *
 * Return: exit status.
 */
int trace_report(int argc, char **argv)
{
	struct report_options opt = { .top = 20 };
	int status = STATUS_FAILED;
	struct report report;

	if (report_parse(&opt, argc, argv))
		return STATUS_USAGE;
	if (!report_make(&report, &opt.in)) {
		report_print(&opt, &report);
		status = opt.check && !report.analysis.equal ? STATUS_DIFFERS : STATUS_OK;
	}
	report_free(&report);
	if (fflush(stdout) || ferror(stdout)) {
		fail("cannot write to standard output");
		return STATUS_FAILED;
	}
	return status;
}
