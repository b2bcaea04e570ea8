// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace plot: pictures of a trace as files.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../msg.h"
#include "../power.h"
#include "plot.h"
#include "report.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl trace plot [-o DIR] [--format svg|png] FILE\n"
	"\n"
	"Draws a trace with gnuplot: latency (how long device memory accesses take, by route),\n"
	"faults (over time, by verdict) and addresses (of faults, over time).\n"
	"\n"
	"  -o, --output DIR     where the files go (default: the current folder)\n"
	"  --format FORMAT      svg or png (default: both)\n"
	"\n"
	"exit status: 0 done, 1 it could not be done, 2 usage\n";

struct picture_options {
	struct report_input in;
	const char *dir;
	bool want[PLOT_FORMATS];
};

static int picture_format(struct picture_options *opt, const char *text)
{
	unsigned int i;

	opt->want[PLOT_SVG] = false;
	opt->want[PLOT_PNG] = false;
	for (i = 0; i < PLOT_FORMATS; i++)
		if (!strcmp(plot_endings[i], text))
			opt->want[i] = true;
	return opt->want[PLOT_SVG] || opt->want[PLOT_PNG] ? 0 :
	       fail("--format %s: it is svg or png", text);
}

static int picture_parse(struct picture_options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			opt->dir = optarg;
			break;
		case 'f':
			if (picture_format(opt, optarg))
				return -1;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(STATUS_OK);
		default:
			return fail("see 'vmctl trace plot --help'");
		}
	}
	return report_input_file(&opt->in, argc - optind, argv + optind);
}

static int picture_draw(const struct picture_options *opt, const struct story *story,
			enum plot plot, enum plot_format format)
{
	char file[PATH_MAX];

	if (snprintf(file, sizeof(file), "%s/%s.%s", opt->dir, plot_names[plot],
		     plot_endings[format]) >= (int)sizeof(file))
		return fail("%s: the name is too long", opt->dir);
	if (plot_draw(story, plot, format, file))
		return -1;
	puts(file);
	return 0;
}

static int picture_draw_all(const struct picture_options *opt, const struct story *story)
{
	unsigned int plot, format;

	if (mkdir(opt->dir, 0777) && errno != EEXIST)
		return fail("%s: %s", opt->dir, strerror(errno));
	for (plot = 0; plot < PLOT_COUNT; plot++)
		for (format = 0; format < PLOT_FORMATS; format++)
			if (opt->want[format] && picture_draw(opt, story, plot, format))
				return -1;
	return 0;
}

/**
 * trace_plot - vmctl trace plot
 * @argc:	words
 * @argv:	words, the first is "plot"
 *
 * Return: exit status.
 */
int trace_plot(int argc, char **argv)
{
	struct picture_options opt = { .dir = ".", .want = { true, true } };
	struct story story;
	int err;

	if (picture_parse(&opt, argc, argv))
		return STATUS_USAGE;
	err = story_read(&story, opt.in.file);
	if (!err)
		err = picture_draw_all(&opt, &story);
	story_free(&story);
	return err ? STATUS_FAILED : STATUS_OK;
}
