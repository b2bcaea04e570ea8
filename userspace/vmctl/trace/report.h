/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verbs that look at a trace share: their options, and all that is in it. */
#ifndef VMCTL_TRACE_REPORT_H
#define VMCTL_TRACE_REPORT_H

#include "analysis.h"

/**
 * struct report_input - what to look at, and how
 * @file:	the trace
 * @system_map:	file with the guest's symbols, or NULL
 * @interval:	ms; 0: a twentieth of the trace
 */
struct report_input {
	const char *file, *system_map;
	double interval;
};

enum { OPT_SYSTEM_MAP = 256, OPT_INTERVAL };

#define REPORT_OPTIONS							\
	{ "system-map", required_argument, NULL, OPT_SYSTEM_MAP },	\
	{ "interval", required_argument, NULL, OPT_INTERVAL }

#define REPORT_OPTIONS_HELP						\
	"  --system-map FILE    name the guest's functions by its kernel's System.map, or its\n" \
	"                       /proc/kallsyms\n"			\
	"  --interval MS        length of the intervals (default a twentieth of the trace)\n"

/**
 * struct report - a trace, read and analysed
 * @story: @symbols: @analysis: @tables:	see there
 */
struct report {
	struct story story;
	struct symbols symbols;
	struct analysis analysis;
	struct tables tables;
};

int report_input_option(struct report_input *in, int c, const char *verb);
int report_input_file(struct report_input *in, int argc, char **argv);
int report_make(struct report *report, const struct report_input *in);
void report_free(struct report *report);

#endif
