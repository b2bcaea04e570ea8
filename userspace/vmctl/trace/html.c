// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace html: the report as one page that needs nothing else.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../msg.h"
#include "../power.h"
#include "plot.h"
#include "report.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl trace html [-o PAGE] [OPTION...] FILE\n"
	"\n"
	"Writes the report of a trace, with pictures, as one HTML page that needs nothing else.\n"
	"\n"
	"  -o, --output PAGE    the page (default report.html)\n"
	"  --title TEXT         its title\n"
	REPORT_OPTIONS_HELP
	"\n"
	"exit status: 0 done, 1 it could not be done, 2 usage\n";

struct html_options {
	struct report_input in;
	const char *page, *title;
};

enum { OPT_TITLE = 512 };

static int html_parse(struct html_options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "title", required_argument, NULL, OPT_TITLE },
		{ "help", no_argument, NULL, 'h' },
		REPORT_OPTIONS,
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			opt->page = optarg;
			break;
		case OPT_TITLE:
			opt->title = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(STATUS_OK);
		default:
			if (report_input_option(&opt->in, c, "html"))
				return -1;
		}
	}
	return report_input_file(&opt->in, argc - optind, argv + optind);
}

/* ---- the page --------------------------------------------------------------- */

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;"
	"max-width:1180px;margin:0 auto;padding:1.5rem}\n"
	"h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}\n"
	"nav{margin:.5rem 0 1rem}nav a{margin-right:1em;white-space:nowrap}a{color:#0059a3}\n"
	"p.note{margin:.2rem 0 .6rem;color:#444;max-width:60rem}\n"
	"div.wide{overflow-x:auto;max-height:34rem;overflow-y:auto;"
	"border:1px solid #ddd;width:fit-content;max-width:100%}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15rem .7rem;text-align:left;white-space:nowrap}\n"
	"th{position:sticky;top:0;background:#eef1f4}\n"
	"td.n,th.n{text-align:right}tr:nth-child(even) td{background:#f8f9fa}\n"
	"td.long{max-width:36rem;overflow:hidden;text-overflow:ellipsis}\n"
	"svg{max-width:100%;height:auto;display:block}figure{margin:1rem 0}\n"
	"@media print{div.wide{max-height:none;overflow:visible}}\n";

static void html_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void html_cell(FILE *out, const char *tag, bool number, const char *text)
{
	bool wide = strlen(text) > 80;

	fprintf(out, "<%s%s", tag, number ? " class=n" : wide ? " class=long" : "");
	if (wide) {
		fputs(" title=\"", out);
		html_text(out, text);
		fputc('"', out);
	}
	fputc('>', out);
	html_text(out, text);
	fprintf(out, "</%s>", tag);
}

static void html_rows(FILE *out, const struct table *t)
{
	unsigned int c;
	size_t row;

	fputs("<div class=wide><table>\n<tr>", out);
	for (c = 0; c < t->nr_columns; c++)
		html_cell(out, "th", t->column[c].number, t->column[c].title);
	fputs("</tr>\n", out);
	for (row = 0; row < table_rows(t); row++) {
		fputs("<tr>", out);
		for (c = 0; c < t->nr_columns; c++)
			html_cell(out, "td", t->column[c].number, table_cell(t, row, c));
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void html_table(FILE *out, const struct table *t)
{
	fprintf(out, "<section id=%s><h2>", t->id);
	html_text(out, t->title);
	fputs("</h2>\n", out);
	if (t->note) {
		fputs("<p class=note>", out);
		html_text(out, t->note);
		fputs("</p>\n", out);
	}
	if (table_rows(t))
		html_rows(out, t);
	fputs("</section>\n", out);
}

/* an SVG file without what comes before its element */
static int html_svg(FILE *out, const char *file)
{
	FILE *in = fopen(file, "re");
	char line[65536];
	bool on = false;

	if (!in)
		return fail("%s: %s", file, strerror(errno));
	while (fgets(line, sizeof(line), in)) {
		on = on || !strncmp(line, "<svg", 4);
		if (on)
			fputs(line, out);
	}
	fclose(in);
	return 0;
}

static int html_plot(FILE *out, const struct story *story, enum plot plot)
{
	char file[] = "/tmp/vmctl-trace.XXXXXX";
	int err, fd = mkstemp(file);

	if (fd < 0)
		return fail("%s: %s", file, strerror(errno));
	close(fd);
	err = plot_draw(story, plot, PLOT_SVG, file);
	if (!err) {
		fprintf(out, "<figure id=plot-%s>", plot_names[plot]);
		err = html_svg(out, file);
		fputs("</figure>\n", out);
	}
	unlink(file);
	return err;
}

static void html_head(FILE *out, const struct html_options *opt, const struct report *report)
{
	unsigned int i;

	fputs("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n<title>", out);
	html_text(out, opt->title);
	fprintf(out, "</title>\n<style>\n%s</style></head>\n<body>\n<h1>", style);
	html_text(out, opt->title);
	fputs("</h1>\n<nav>", out);
	for (i = 0; i < PLOT_COUNT; i++)
		fprintf(out, "<a href=#plot-%s>%s</a> ", plot_names[i], plot_titles[i]);
	vec_each(struct table, t, &report->tables.list) {
		fprintf(out, "<a href=#%s>", t->id);
		html_text(out, t->title);
		fputs("</a> ", out);
	}
	fputs("</nav>\n", out);
}

static int html_body(FILE *out, const struct html_options *opt, const struct report *report)
{
	const struct table *first = report->tables.list.at;
	unsigned int i;

	html_head(out, opt, report);
	html_table(out, first);
	for (i = 0; i < PLOT_COUNT; i++)
		if (html_plot(out, &report->story, i))
			return -1;
	vec_each(struct table, t, &report->tables.list)
		if (t != first)
			html_table(out, t);
	fputs("</body></html>\n", out);
	return 0;
}

static int html_write(const struct html_options *opt, const struct report *report)
{
	FILE *out = fopen(opt->page, "we");
	bool bad;
	int err;

	if (!out)
		return fail("%s: %s", opt->page, strerror(errno));
	err = html_body(out, opt, report);
	bad = ferror(out);
	if (fclose(out) || bad)
		err = fail("%s: cannot be written: %s", opt->page, strerror(errno));
	if (err)
		unlink(opt->page);
	return err;
}

/**
 * trace_html - vmctl trace html
 * @argc:	words
 * @argv:	words, the first is "html"
 *
 * Return: exit status.
 */
int trace_html(int argc, char **argv)
{
	struct html_options opt = { .page = "report.html", .title = "mhv: what the guest cost" };
	struct report report;
	int err;

	if (html_parse(&opt, argc, argv))
		return STATUS_USAGE;
	err = report_make(&report, &opt.in);
	if (!err)
		err = html_write(&opt, &report);
	report_free(&report);
	return err ? STATUS_FAILED : STATUS_OK;
}
