// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three pictures: how long device accesses take, by route; the faults over time, by
 * verdict; and their addresses over time.
 *
 * gnuplot gets its data with its commands.  What would not be seen is not drawn twice: of
 * points that fall on one spot of a fine grid one is enough.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../msg.h"
#include "plot.h"

const char *const plot_names[PLOT_COUNT] = {
	[PLOT_LATENCY]		= "latency",
	[PLOT_FAULTS]		= "faults",
	[PLOT_ADDRESSES]	= "addresses",
};

const char *const plot_titles[PLOT_COUNT] = {
	[PLOT_LATENCY]		= "Time of device memory accesses by route",
	[PLOT_FAULTS]		= "Page faults over time by verdict",
	[PLOT_ADDRESSES]	= "Addresses of faults over time",
};

const char *const plot_endings[PLOT_FORMATS] = { [PLOT_SVG] = "svg", [PLOT_PNG] = "png" };

/*
 * Told apart by those who see colours otherwise, too (after Okabe and Ito); of a verdict's
 * number: devices strong, memory pale.
 */
static const char *const colours[] = {
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#9a9a9a", "#8b6914", "#000000",
	"#56b4e9", "#b2182b",
};

static const char *colour(size_t i)
{
	return colours[i % ARRAY_SIZE(colours)];
}

static double plot_seconds(const struct story *story, u64 ts)
{
	return (ts - story->first) / story_rate(story);
}

/* a picture without data says so */
static void plot_nothing(FILE *gp, const char *what)
{
	fprintf(gp, "unset key\nunset tics\nunset border\nunset xlabel\nunset ylabel\n");
	fprintf(gp, "set label 1 'no %s in this trace' at graph 0.5,0.5 center\n", what);
	fprintf(gp, "plot [0:1] [0:1] 2 notitle\n");
}

/* ---- latency ---------------------------------------------------------------- */

#define BINS_PER_OCTAVE	4
#define LATENCY_BINS	(64 * BINS_PER_OCTAVE)
#define NO_HEIGHT	0.7	/* on a logarithmic scale */

/* extra[] is too small for a histogram: the samples are counted when they are drawn */
static void latency_collect(const struct story *story, struct groups *routes)
{
	vec_each(struct story_access, x, &story->accesses) {
		struct group *g;

		if (!x->mmio || !x->timed)
			continue;
		g = groups_get(routes, story_route(story, x->route));
		g->count++;
		samples_add(&g->a, x->module + x->device);
	}
}

static unsigned int latency_bin(u64 time)
{
	return time ? log2(time) * BINS_PER_OCTAVE : 0;
}

static void latency_data(FILE *gp, const struct group *g, unsigned int number)
{
	u64 count[LATENCY_BINS] = { };
	unsigned int i, first = LATENCY_BINS, last = 0;

	vec_each(u64, time, &g->a) {
		i = latency_bin(*time);
		count[i]++;
		first = min_u64(first, i);
		last = max_u64(last, i);
	}
	fprintf(gp, "$route%u << END\n", number);
	/* a step each, down to nothing at both ends */
	fprintf(gp, "%.1f 0.7\n", exp2((double)first / BINS_PER_OCTAVE));
	for (i = first; i <= last; i++) {
		double height = count[i] ? count[i] : NO_HEIGHT;

		fprintf(gp, "%.1f %.1f\n", exp2((double)i / BINS_PER_OCTAVE), height);
		fprintf(gp, "%.1f %.1f\n", exp2((i + 1.0) / BINS_PER_OCTAVE), height);
	}
	fprintf(gp, "%.1f 0.7\nEND\n", exp2((last + 1.0) / BINS_PER_OCTAVE));
}

static void plot_latency(FILE *gp, const struct story *story)
{
	struct groups routes = { };
	unsigned int i = 0;

	latency_collect(story, &routes);
	if (!routes.list.nr) {
		plot_nothing(gp, "access to device memory");
		return;
	}
	fprintf(gp, "set xlabel 'from leaving the guest to entering it again (%s)'\n",
		story_unit(story));
	fprintf(gp, "set ylabel 'accesses'\nset logscale xy\nset format x '%%.0f'\n");
	/* one access is seen, too */
	fprintf(gp, "set offsets graph 0.05, graph 0.05, 0, 0\nset yrange [0.7:]\n");
	fprintf(gp, "set xtics add autofreq\nset style fill transparent solid 0.3\n");
	groups_each(g, &routes)
		latency_data(gp, *g, i++);
	fprintf(gp, "plot ");
	i = 0;
	groups_each(g, &routes) {
		fprintf(gp, "%s$route%u with filledcurves y1=%.1f linewidth 2 linecolor '%s'",
			i ? ", " : "", i, NO_HEIGHT, colour(i));
		fprintf(gp, " title '%s (%llu)'", (*g)->key, (*g)->count);
		i++;
	}
	fputc('\n', gp);
	groups_free(&routes);
}

/* ---- faults over time ------------------------------------------------------- */

#define TIME_BINS	120

/* verdicts in the order of their number, so that colours are the same in all traces */
#define VERDICTS	16

struct verdicts {
	u64 count[VERDICTS], bin[VERDICTS][TIME_BINS];
	u32 used[VERDICTS];
	unsigned int nr;
};

static void verdicts_collect(const struct story *story, struct verdicts *v)
{
	u64 span = story->last - story->first + 1;
	unsigned int i;

	memset(v, 0, sizeof(*v));
	vec_each(struct story_fault, f, &story->faults) {
		u32 verdict = f->verdict % VERDICTS;
		unsigned int bin = (double)(f->ts - story->first) / span * TIME_BINS;

		v->count[verdict]++;
		v->bin[verdict][bin]++;
	}
	for (i = 0; i < VERDICTS; i++)
		if (v->count[i])
			v->used[v->nr++] = i;
}

/* one column for each verdict: the sum up to it, so that boxes stand on each other */
static void verdicts_data(FILE *gp, const struct story *story, const struct verdicts *v)
{
	double width = (story->last - story->first + 1) / story_rate(story) / TIME_BINS;
	unsigned int bin, i;
	u64 sum;

	fprintf(gp, "$faults << END\n");
	for (bin = 0; bin < TIME_BINS; bin++) {
		fprintf(gp, "%.9f", (bin + 0.5) * width);
		for (sum = 0, i = 0; i < v->nr; i++) {
			sum += v->bin[v->used[i]][bin];
			fprintf(gp, " %llu", sum);
		}
		fputc('\n', gp);
	}
	fprintf(gp, "END\nset boxwidth %.9f\n", width);
	fprintf(gp, "set ylabel 'page faults in %.3g ms'\n", width * 1e3);
}

static void plot_faults(FILE *gp, const struct story *story)
{
	struct verdicts v;
	unsigned int i;

	verdicts_collect(story, &v);
	if (!v.nr) {
		plot_nothing(gp, "page fault");
		return;
	}
	verdicts_data(gp, story, &v);
	fprintf(gp, "set xlabel 'time (s)'\nset yrange [0:]\nset style fill solid 1 noborder\n");
	fprintf(gp, "set xrange [0:%.9f]\nplot ", plot_seconds(story, story->last));
	for (i = v.nr; i--;)
		fprintf(gp, "$faults using 1:%u with boxes linecolor '%s' title '%s (%llu)'%s",
			i + 2, colour(v.used[i]), story_verdict(story, v.used[i]),
			v.count[v.used[i]], i ? ", " : "\n");
}

/* ---- addresses over time ---------------------------------------------------- */

#define GRID_X	1600
#define GRID_Y	500

/* the faults of one panel: guest memory, or device memory */
struct panel {
	const struct story *story;
	bool device;
	u64 low, high, nr;
	u64 count[VERDICTS];
};

static bool panel_has(const struct panel *panel, const struct story_fault *f)
{
	static const char *const device[] = { "vcpu_cache", "spte", "slow", "stale" };
	const char *verdict = story_verdict(panel->story, f->verdict);
	bool is_device = false;
	unsigned int i;

	if (!strcmp(verdict, "guest"))
		return false;
	for (i = 0; i < ARRAY_SIZE(device); i++)
		is_device |= !strcmp(device[i], verdict);
	return is_device == panel->device;
}

static void panel_collect(struct panel *panel)
{
	panel->low = UINT64_MAX;
	vec_each(struct story_fault, f, &panel->story->faults) {
		if (!panel_has(panel, f))
			continue;
		panel->low = min_u64(panel->low, f->gpa);
		panel->high = max_u64(panel->high, f->gpa);
		panel->count[f->verdict % VERDICTS]++;
		panel->nr++;
	}
}

static void panel_point(FILE *gp, const struct panel *panel, const struct story_fault *f,
			u8 *grid)
{
	const struct story *story = panel->story;
	double x = (double)(f->ts - story->first) / (story->last - story->first + 1);
	double y = (f->gpa - panel->low) / (panel->high - panel->low + 1.0);
	u8 *spot = &grid[(size_t)(y * GRID_Y) * GRID_X + (size_t)(x * GRID_X)];

	if (*spot)
		return;
	*spot = 1;
	fprintf(gp, "%.9f %llu\n", plot_seconds(story, f->ts), f->gpa);
}

static void panel_data(FILE *gp, const struct panel *panel, u32 verdict)
{
	u8 *grid = calloc(GRID_Y, GRID_X);

	fprintf(gp, "$points%u << END\n", verdict);
	vec_each(struct story_fault, f, &panel->story->faults)
		if (grid && f->verdict % VERDICTS == verdict && panel_has(panel, f))
			panel_point(gp, panel, f, grid);
	fprintf(gp, "END\n");
	free(grid);
}

/* few addresses close together deserve room at their edges */
static void panel_range(FILE *gp, const struct panel *panel)
{
	double edge = max_u64((panel->high - panel->low) / 20, 8), low, step;

	low = panel->low > edge ? panel->low - edge : 0;
	step = exp2(ceil(log2((panel->high + edge - low) / 6)));
	fprintf(gp, "set yrange [%.0f:%.0f]\nset ytics %.0f\n", low, panel->high + edge, step);
}

static void panel_draw(FILE *gp, const struct panel *panel)
{
	const char *between = "plot ";
	u32 i;

	fprintf(gp, "set ylabel '%s (gpa)'\n", panel->device ? "device memory" : "memory");
	if (!panel->nr) {
		fprintf(gp, "set yrange [0:1]\nunset ytics\n");
		fprintf(gp, "plot 2 title 'no faults'\nset ytics\n");
		return;
	}
	panel_range(gp, panel);
	for (i = 0; i < VERDICTS; i++)
		if (panel->count[i])
			panel_data(gp, panel, i);
	for (i = 0; i < VERDICTS; i++) {
		if (!panel->count[i])
			continue;
		fprintf(gp, "%s$points%u with points pointtype 7 pointsize 0.35", between, i);
		fprintf(gp, " linecolor '%s' title '%s (%llu)'", colour(i),
			story_verdict(panel->story, i), panel->count[i]);
		between = ", ";
	}
	fputc('\n', gp);
}

static void plot_addresses(FILE *gp, const struct story *story)
{
	struct panel device = { .story = story, .device = true };
	struct panel memory = { .story = story };

	panel_collect(&device);
	panel_collect(&memory);
	if (!device.nr && !memory.nr) {
		plot_nothing(gp, "page fault with an address");
		return;
	}
	fprintf(gp, "set format y '0x%%x'\nset xrange [0:%.9f]\n",
		plot_seconds(story, story->last));
	fprintf(gp, "set lmargin 16\nset rmargin 24\nunset title\n");
	fprintf(gp, "set multiplot layout 2,1 title '%s'\n", plot_titles[PLOT_ADDRESSES]);
	panel_draw(gp, &device);
	fprintf(gp, "set xlabel 'time (s)'\n");
	panel_draw(gp, &memory);
	fprintf(gp, "unset multiplot\n");
}

/* ---- gnuplot ---------------------------------------------------------------- */

static void plot_begin(FILE *gp, enum plot plot, enum plot_format format, const char *file)
{
	unsigned int height = plot == PLOT_ADDRESSES ? 640 : 400;

	if (format == PLOT_SVG)
		fprintf(gp, "set terminal svg name '%s' font 'sans-serif,13'", plot_names[plot]);
	else
		fprintf(gp, "set terminal pngcairo font 'sans,10'");
	fprintf(gp, " noenhanced size 1000,%u background '#ffffff'\n", height);
	fprintf(gp, "set output '");
	for (; *file; file++)
		fprintf(gp, *file == '\'' ? "''" : "%c", *file);
	fprintf(gp, "'\nset title '%s'\nset encoding utf8\n", plot_titles[plot]);
	fprintf(gp, "set key outside right top vertical Left reverse samplen 1\n");
	fprintf(gp, "set grid linecolor '#dddddd'\nset border 3\nset tics nomirror\n");
}

/**
 * plot_draw - draw a picture
 * @story:	what happened
 * @plot:	which picture
 * @format:	format
 * @file:	where to
 *
 * Return: 0, or -1 with a message; then there is no file.
 */
int plot_draw(const struct story *story, enum plot plot, enum plot_format format,
	      const char *file)
{
	static void (*const draw[PLOT_COUNT])(FILE *gp, const struct story *story) = {
		[PLOT_LATENCY]		= plot_latency,
		[PLOT_FAULTS]		= plot_faults,
		[PLOT_ADDRESSES]	= plot_addresses,
	};
	FILE *gp;
	int status;

	signal(SIGPIPE, SIG_IGN);	/* its exit status says more */
	gp = popen("gnuplot", "w");
	if (!gp)
		return fail("cannot start gnuplot: %s", strerror(errno));
	plot_begin(gp, plot, format, file);
	draw[plot](gp, story);
	status = pclose(gp);
	if (!status && !access(file, R_OK))
		return 0;
	unlink(file);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return fail("gnuplot is not here: install the package gnuplot-nox");
	return fail("%s: gnuplot could not draw it", file);
}
