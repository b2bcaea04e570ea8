// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench: what things cost a guest.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "json.h"
#include "msg.h"
#include "options.h"
#include "power.h"
#include "verbs.h"
#include "without.h"

static const char usage[] =
	"usage: vmctl bench mmio [OPTION...]\n"
	"\n"
	"Measures single accesses to device memory: a 4-byte MOV to a device, by each route,\n"
	"with all optimisations on and with each that matters off in turn.\n"
	"\n"
	"  --iterations N         samples of each row (default 1000)\n"
	"  --without NAME[,NAME]  only these off in turn: vcpu-cache, mmio-spte,\n"
	"                         decode-cache, regfile, posted, eventfd\n"
	"  --paging MODE          ept, shadow, shadow,gnp or auto (default auto)\n"
	"  --json                 print the rows as JSON\n"
	"\n"
	"exit status: 0 measured, 1 failed, 2 usage\n";

static int parse_iterations(const char *text, u32 *iterations)
{
	char *end;
	unsigned long nr = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !nr || nr > BENCH_MAX)
		return fail("--iterations %s: not a number from 1 to %u", text, BENCH_MAX);
	*iterations = nr;
	return 0;
}

static int parse_one(struct bench_options *opt, int which, char **argv)
{
	switch (which) {
	case 'j':
		opt->json = true;
		return 0;
	case 'h':
		opt->help = true;
		return 0;
	case 'n':
		return parse_iterations(optarg, &opt->iterations);
	case 'w':
		return without_parse(optarg, &opt->without);
	case 'p':
		return paging_parse(optarg, &opt->paging);
	case ':':
		return fail("option '%s' needs a value: see 'vmctl bench --help'",
			    argv[optind - 1]);
	default:
		return fail("option '%s' is not known: see 'vmctl bench --help'",
			    argv[optind - 1]);
	}
}

/**
 * bench_options_parse - read the command line
 * @opt:	out
 * @argc:	words
 * @argv:	words, the first is "bench"
 *
 * Return: 0, or -1 with a message.
 */
int bench_options_parse(struct bench_options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "without", required_argument, NULL, 'w' },
		{ "paging", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int which;

	*opt = (struct bench_options){ .iterations = BENCH_SAMPLES };
	optind = 0;
	while ((which = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		if (parse_one(opt, which, argv))
			return -1;
	if (opt->help)
		return 0;
	if (optind == argc)
		return fail("say what to measure: 'vmctl bench mmio'");
	if (strcmp(argv[optind], "mmio"))
		return fail("'%s' cannot be measured: use 'vmctl bench mmio'", argv[optind]);
	if (optind + 1 < argc)
		return fail("'%s': not an option: see 'vmctl bench --help'", argv[optind + 1]);
	return 0;
}

static void bench_json(FILE *out, const struct bench_row *row, unsigned int nr)
{
	struct json json = { .out = out };
	const struct bench_row *end = row + nr;

	json_open(&json, NULL, '{');
	json_open(&json, "rows", '[');
	for (; row < end; row++) {
		json_open(&json, NULL, '{');
		json_string(&json, "op", row->op);
		if (row->without)
			json_string(&json, "without", row->without);
		else
			json_null(&json, "without");
		json_u64(&json, "guest_min", row->guest_min);
		json_u64(&json, "guest_median", row->guest_median);
		if (row->has_kmod)
			json_u64(&json, "kmod_median", row->kmod_median);
		else
			json_null(&json, "kmod_median");
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	fputc('\n', out);
}

static void bench_text(FILE *out, const struct bench_options *opt,
		       const struct bench_row *row, unsigned int nr, u64 empty)
{
	const struct bench_row *end = row + nr;

	fprintf(out, "one 4-byte MOV to device memory, %u samples a row, in ticks of the TSC\n",
		opt->iterations);
	fprintf(out, "(emulated host: a tick is an instruction; silicon: a cycle at TSC rate);\n");
	fprintf(out, "guest: between two RDTSC, the %llu ticks without the MOV taken off;\n",
		empty);
	fprintf(out, "module: from leaving the guest to entering it again\n\n");
	fprintf(out, "%-14s %-13s %10s %13s %14s\n", "op", "without", "guest min",
		"guest median", "module median");
	for (; row < end; row++) {
		fprintf(out, "%-14s %-13s %10llu %13llu ", row->op,
			row->without ? row->without : "-", row->guest_min,
			row->guest_median);
		if (row->has_kmod)
			fprintf(out, "%14llu\n", row->kmod_median);
		else
			fprintf(out, "%14s\n", "-");
	}
}

/**
 * bench_print - print the result
 * @out:	where to
 * @opt:	what the user wanted
 * @row: @nr:	rows
 * @empty:	ticks of a measurement of nothing
 */
void bench_print(FILE *out, const struct bench_options *opt, const struct bench_row *row,
		 unsigned int nr, u64 empty)
{
	if (opt->json)
		bench_json(out, row, nr);
	else
		bench_text(out, opt, row, nr, empty);
}

/**
 * verb_bench - vmctl bench
 * @argc:	words
 * @argv:	words, the first is "bench"
 *
 * Return: exit status.
 */
int verb_bench(int argc, char **argv)
{
	struct bench_options opt;

	if (bench_options_parse(&opt, argc, argv))
		return STATUS_USAGE;
	if (opt.help) {
		fputs(usage, stdout);
		return STATUS_OK;
	}
	if (bench_mmio(&opt, &mhv_accel))
		return STATUS_FAILED;
	if (fflush(stdout) || ferror(stdout)) {
		fail("cannot write to standard output");
		return STATUS_FAILED;
	}
	return STATUS_OK;
}
