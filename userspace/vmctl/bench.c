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
	"usage: vmctl bench ops|mmio|mmu|scale [OPTION...]\n"
	"\n"
	"ops measures exits: CPUID, MSRs, ports, device memory in user space, interrupts, and\n"
	"the floor under them, an exit that does nothing.\n"
	"mmio measures single accesses to device memory: a 4-byte MOV to a device, by each\n"
	"route, with all optimisations on and with each that matters off in turn.\n"
	"mmu measures a guest's work on its page tables, with each way of paging in turn.\n"
	"scale measures what grows with the number of doorbells, memory slots and device pages.\n"
	"\n"
	"  --iterations N         samples of each row (default 1000)\n"
	"  --without NAME[,NAME]  for mmio, only these off in turn: vcpu-cache, mmio-spte,\n"
	"                         decode-cache, regfile, posted, eventfd; for mmu: unsync,\n"
	"                         prefetch\n"
	"  --paging MODE          ept, shadow, shadow,gnp or auto (default auto); for mmu,\n"
	"                         auto is each that this host has\n"
	"  --accel NAME[,NAME]    mhv (default), kvm or both, one after the other; with kvm\n"
	"                         each row says whose it is\n"
	"  --json                 print the rows as JSON\n"
	"\n"
	"exit status: 0 measured, 1 failed, 2 usage\n";

#define MMU_OPTIONS	(BIT(MHV_OPT_UNSYNC) | BIT(MHV_OPT_PREFETCH))

static const struct bench_verb verbs[] = {
	{ "ops", 0, "what exits cost a guest", bench_ops },
	{ "mmio", (BIT(MHV_OPT_COUNT) - 1) & ~MMU_OPTIONS, NULL, bench_mmio },
	{ "mmu", MMU_OPTIONS, "a guest's work on its page tables", bench_mmu },
	{ "scale", 0, "what grows with the number of doorbells, slots and device pages",
		bench_scale },
};

static int parse_iterations(const char *text, u32 *iterations)
{
	char *end;
	unsigned long nr = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !nr || nr > BENCH_MAX)
		return fail("--iterations %s: not a number from 1 to %u", text, BENCH_MAX);
	*iterations = nr;
	return 0;
}

/* NAME or NAME,NAME */
static int parse_accels(const char *text, struct bench_options *opt)
{
	char *copy = strdup(text), *rest = copy, *name;
	const struct accel_ops *ops = NULL;

	if (!copy)
		return fail("out of memory");
	opt->nr_accels = 0;
	while ((name = strsep(&rest, ","))) {
		ops = opt->nr_accels < ACCELS_MAX ? accel_find(name) : NULL;
		if (!ops || (opt->nr_accels && opt->accels[0] == ops))
			break;
		opt->accels[opt->nr_accels++] = ops;
		opt->compare |= !ops->optional;
	}
	free(copy);
	return name ? fail("--accel %s: use mhv, kvm or mhv,kvm", text) : 0;
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
	case 'a':
		return parse_accels(optarg, opt);
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

/* the verb, and whether the other options make sense with it */
static int find_verb(struct bench_options *opt, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(name, verbs[i].name))
			opt->verb = &verbs[i];
	if (!opt->verb)
		return fail("'%s' cannot be measured: use 'vmctl bench ops', mmio, mmu or scale",
			    name);
	for (i = 0; i < MHV_OPT_COUNT; i++)
		if (opt->without & ~opt->verb->without & 1ull << i)
			return fail("--without %s: makes no difference to 'vmctl bench %s'",
				    without_name(i), name);
	return 0;
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
		{ "accel", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int which;

	*opt = (struct bench_options){
		.iterations = BENCH_SAMPLES, .accels = { &mhv_accel }, .nr_accels = 1,
	};
	optind = 0;
	while ((which = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		if (parse_one(opt, which, argv))
			return -1;
	if (opt->help)
		return 0;
	if (optind == argc)
		return fail("say what to measure: 'vmctl bench ops', mmio, mmu or scale");
	if (find_verb(opt, argv[optind]))
		return -1;
	if (optind + 1 < argc)
		return fail("'%s': not an option: see 'vmctl bench --help'", argv[optind + 1]);
	return 0;
}

/* what each row begins with; @paging may be NULL */
static void bench_json_row(struct json *json, const struct bench_options *opt, const char *op,
			   const char *accel, const char *paging, const char *without)
{
	json_open(json, NULL, '{');
	json_string(json, "op", op);
	if (opt->compare)
		json_string(json, "accel", accel);
	if (paging)
		json_string(json, "paging", paging);
	if (without)
		json_string(json, "without", without);
	else
		json_null(json, "without");
}

static void bench_json(FILE *out, const struct bench_options *opt,
		       const struct bench_row *row, unsigned int nr)
{
	struct json json = { .out = out };
	const struct bench_row *end = row + nr;

	json_open(&json, NULL, '{');
	json_open(&json, "rows", '[');
	for (; row < end; row++) {
		bench_json_row(&json, opt, row->op, row->accel, NULL, row->without);
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
	fprintf(out, "%-14s %s%-13s %10s %13s %14s\n", "op", opt->compare ? "accel " : "",
		"without", "guest min", "guest median", "module median");
	for (; row < end; row++) {
		fprintf(out, "%-14s ", row->op);
		if (opt->compare)
			fprintf(out, "%-5s ", row->accel);
		fprintf(out, "%-13s %10llu %13llu ", row->without ? row->without : "-",
			row->guest_min, row->guest_median);
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
		bench_json(out, opt, row, nr);
	else
		bench_text(out, opt, row, nr, empty);
}

static void bench_mmu_json(FILE *out, const struct bench_options *opt,
			   const struct bench_mmu_row *row, const struct bench_mmu_row *end)
{
	struct json json = { .out = out };

	json_open(&json, NULL, '{');
	json_open(&json, "rows", '[');
	for (; row < end; row++) {
		bench_json_row(&json, opt, row->op, row->accel, row->paging, row->without);
		json_u64(&json, "min", row->min);
		json_u64(&json, "median", row->median);
		json_u64(&json, "mean", row->mean);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	fputc('\n', out);
}

static void bench_mmu_text(FILE *out, const struct bench_options *opt,
			   const struct bench_mmu_row *row, const struct bench_mmu_row *end)
{
	fprintf(out, "%s, %u samples a row (of long ones fewer), in\n", opt->verb->title,
		opt->iterations);
	fprintf(out, "ticks of the TSC between two RDTSC, less those of an empty measurement\n");
	fprintf(out, "(emulated host: a tick is an instruction; silicon: a cycle at TSC rate)\n\n");
	fprintf(out, "%-15s %s%-11s %-8s %10s %10s %10s\n", "op",
		opt->compare ? "accel " : "", "paging", "without", "min", "median", "mean");
	for (; row < end; row++) {
		fprintf(out, "%-15s ", row->op);
		if (opt->compare)
			fprintf(out, "%-5s ", row->accel);
		fprintf(out, "%-11s %-8s %10llu %10llu %10llu\n", row->paging,
			row->without ? row->without : "-", row->min, row->median, row->mean);
	}
}

/**
 * bench_mmu_print - print the result of all but "mmio"
 * @out:	where to
 * @opt:	what the user wanted
 * @row: @nr:	rows
 */
void bench_mmu_print(FILE *out, const struct bench_options *opt,
		     const struct bench_mmu_row *row, unsigned int nr)
{
	if (opt->json)
		bench_mmu_json(out, opt, row, row + nr);
	else
		bench_mmu_text(out, opt, row, row + nr);
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
	if (opt.verb->run(&opt))
		return STATUS_FAILED;
	if (fflush(stdout) || ferror(stdout)) {
		fail("cannot write to standard output");
		return STATUS_FAILED;
	}
	return STATUS_OK;
}
