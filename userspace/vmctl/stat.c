// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl stat: a running guest's counters, once or time and again.
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "msg.h"
#include "power.h"
#include "stats.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl stat --name NAME [OPTION...]\n"
	"\n"
	"  --name NAME            the guest, as vmctl run --name has it\n"
	"  -i, --interval SECONDS show what was added, every so often, until the guest ends\n"
	"  --json                 totals as one JSON object a line\n"
	"  --csv                  totals as comma-separated values, after a line of names\n"
	"\n"
	"exit status: 0 shown, 1 no such guest, or vmctl failed, 2 usage\n";

enum stat_format { STAT_TEXT, STAT_JSON, STAT_CSV };

/**
 * struct stat_options - `vmctl stat`, as the user wants it
 * @name:	of the guest
 * @interval:	ms; 0 once
 * @format:	of the output
 * @help:	the user asked for help
 */
struct stat_options {
	const char *name;
	int interval;
	enum stat_format format;
	bool help;
};

/* counters at one time */
struct sample {
	struct stats stats;
	double seconds;
};

enum { OPT_NAME = 256, OPT_JSON, OPT_CSV };

static const struct option long_options[] = {
	{ "name",	required_argument,	NULL,	OPT_NAME },
	{ "interval",	required_argument,	NULL,	'i' },
	{ "json",	no_argument,		NULL,	OPT_JSON },
	{ "csv",	no_argument,		NULL,	OPT_CSV },
	{ "help",	no_argument,		NULL,	'h' },
	{ }
};

/* ---- what the guest says ----------------------------------------------------- */

/* lines of a name and a number; the first one has the seconds */
static void sample_parse(struct sample *sample, char *text)
{
	struct stats *stats = &sample->stats;
	char *line;

	stats->nr = 0;
	sample->seconds = 0;
	while ((line = strsep(&text, "\n"))) {
		struct accel_counter *counter = &stats->counter[stats->nr];

		if (sscanf(line, "seconds %lf", &sample->seconds) == 1)
			continue;
		if (stats->nr < COUNTERS_MAX &&
		    sscanf(line, "%55s %llu", counter->name, &counter->value) == 2)
			stats->nr++;
	}
}

static int sample_get(struct sample *sample, const char *name)
{
	char *text;

	if (control_ask(name, "stats", &text))
		return -1;
	sample_parse(sample, text);
	free(text);
	return 0;
}

/* ---- output ------------------------------------------------------------------- */

static void show_text(const struct stat_options *opt, const struct sample *now,
		      const struct sample *last)
{
	static struct stats shown;
	unsigned int i;

	shown = now->stats;
	for (i = 0; last && i < shown.nr && i < last->stats.nr; i++)
		shown.counter[i].value -= last->stats.counter[i].value;
	stats_sort(&shown);
	printf("%s: %.3f s", opt->name, now->seconds);
	if (last)
		printf(", the last %.3f s", now->seconds - last->seconds);
	printf("\n\n");
	stats_text(&shown);
	if (opt->interval)
		putchar('\n');
}

static void show_json(const struct stat_options *opt, const struct sample *now)
{
	static struct stats sorted;
	struct json json = { .out = stdout };

	sorted = now->stats;
	stats_sort(&sorted);
	json_open(&json, NULL, '{');
	json_string(&json, "name", opt->name);
	json_fixed(&json, "seconds", now->seconds, 3);
	stats_json(&sorted, &json);
	json_close(&json, '}');
	putchar('\n');
}

static void show_csv(const struct sample *now, bool first)
{
	const struct stats *stats = &now->stats;
	unsigned int i;

	if (first) {
		printf("seconds");
		for (i = 0; i < stats->nr; i++)
			printf(",%s", stats->counter[i].name);
		putchar('\n');
	}
	printf("%.3f", now->seconds);
	for (i = 0; i < stats->nr; i++)
		printf(",%llu", stats->counter[i].value);
	putchar('\n');
}

static void show(const struct stat_options *opt, const struct sample *now,
		 const struct sample *last)
{
	if (opt->format == STAT_JSON)
		show_json(opt, now);
	else if (opt->format == STAT_CSV)
		show_csv(now, !last);
	else
		show_text(opt, now, last);
	fflush(stdout);
}

/* false: the guest has ended meanwhile, which hangs up @fd */
static bool stat_wait(const struct stat_options *opt, int fd)
{
	struct pollfd guest = { .fd = fd, .events = POLLIN };

	return !poll(&guest, 1, opt->interval);
}

static int stat_watch(const struct stat_options *opt, int fd)
{
	static struct sample sample[2];
	struct sample *now = sample, *last = NULL, *next = sample + 1;

	do {
		if (sample_get(now, opt->name))
			return -1;
		show(opt, now, last);
		last = now;
		now = next;
		next = last;
	} while (!ferror(stdout) && opt->interval && stat_wait(opt, fd));
	return ferror(stdout) ? fail("cannot write to standard output") : 0;
}

/* ---- command line -------------------------------------------------------------- */

static int parse_interval(struct stat_options *opt, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.001 && seconds <= 86400))
		return fail("-i %s: not a number of seconds from 0.001 to 86400", text);
	opt->interval = seconds * 1000;
	return 0;
}

static int stat_parse_one(struct stat_options *opt, int which, char **argv)
{
	switch (which) {
	case OPT_NAME:
		opt->name = optarg;
		return 0;
	case 'i':
		return parse_interval(opt, optarg);
	case OPT_JSON:
		opt->format = STAT_JSON;
		return 0;
	case OPT_CSV:
		opt->format = STAT_CSV;
		return 0;
	case 'h':
		opt->help = true;
		return 0;
	default:
		return fail("option '%s' is not known, or needs a value: see 'vmctl stat --help'",
			    argv[optind - 1]);
	}
}

static int stat_parse(struct stat_options *opt, int argc, char **argv)
{
	int which;

	optind = 0;
	while ((which = getopt_long(argc, argv, "+:i:h", long_options, NULL)) != -1)
		if (stat_parse_one(opt, which, argv))
			return -1;
	if (opt->help)
		return 0;
	if (optind < argc)
		return fail("'%s': not an option: see 'vmctl stat --help'", argv[optind]);
	if (!opt->name)
		return fail("--name is missing: give the name of a guest, as vmctl run has it");
	return 0;
}

/**
 * verb_stat - vmctl stat
 * @argc:	words
 * @argv:	words, the first is "stat"
 *
 * Return: exit status.
 */
int verb_stat(int argc, char **argv)
{
	struct stat_options opt = { 0 };
	int fd, status;

	if (stat_parse(&opt, argc, argv))
		return STATUS_USAGE;
	if (opt.help) {
		fputs(usage, stdout);
		return STATUS_OK;
	}
	fd = control_connect(opt.name);
	if (fd < 0)
		return STATUS_FAILED;
	status = stat_watch(&opt, fd) ? STATUS_FAILED : STATUS_OK;
	close(fd);
	return status;
}
