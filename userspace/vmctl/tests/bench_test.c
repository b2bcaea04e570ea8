// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench: its options, its output, and a whole measurement on a guest in software
 * whose accesses take a known time.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_mmu.h"
#include "bench_ops.h"
#include "disasm.h"
#include "soft.h"
#include "without.h"

/* splits @line at blanks and parses it */
static int parse(struct bench_options *opt, const char *line)
{
	static char copy[512];
	char *argv[64] = { "bench" }, *word, *rest = copy;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	return bench_options_parse(opt, argc, argv);
}

static void options_good(void **state)
{
	struct bench_options opt;

	assert_int_equal(parse(&opt, "mmio"), 0);
	assert_false(opt.json || opt.help || opt.without);
	assert_int_equal(opt.iterations, 1000);
	assert_int_equal(opt.paging, PAGING_AUTO);
	assert_int_equal(parse(&opt, "mmio --json --iterations 7 --without posted,mmio-spte"), 0);
	assert_true(opt.json);
	assert_int_equal(opt.iterations, 7);
	assert_int_equal(opt.without, BIT(MHV_OPT_POSTED) | BIT(MHV_OPT_MMIO_SPTE));
	assert_int_equal(parse(&opt, "--paging shadow mmio --without regfile"), 0);
	assert_int_equal(opt.paging, PAGING_SHADOW);
	assert_int_equal(opt.without, BIT(MHV_OPT_REGFILE));
	assert_ptr_equal(opt.accels[0], &mhv_accel);
	assert_int_equal(opt.nr_accels, 1);
	assert_string_equal(opt.verb->name, "mmio");
	assert_false(opt.compare);
	assert_int_equal(parse(&opt, "mmu --accel mhv,kvm --without unsync"), 0);
	assert_string_equal(opt.verb->name, "mmu");
	assert_true(opt.compare);
	assert_int_equal(opt.nr_accels, 2);
	assert_ptr_equal(opt.accels[0], &mhv_accel);
	assert_ptr_equal(opt.accels[1], &kvm_accel);
	assert_int_equal(parse(&opt, "mmu --without prefetch,unsync"), 0);
	assert_int_equal(opt.without, BIT(MHV_OPT_PREFETCH) | BIT(MHV_OPT_UNSYNC));
	assert_int_equal(parse(&opt, "mmio --accel mhv"), 0);
	assert_false(opt.compare);
	assert_int_equal(parse(&opt, "mmio --accel kvm"), 0);
	assert_true(opt.compare);
	assert_int_equal(opt.nr_accels, 1);
	assert_int_equal(parse(&opt, "--help"), 0);
	assert_true(opt.help);
}

static void options_bad(void **state)
{
	static const char *const cases[] = {
		"", "mmi", "mmio extra", "mmio --iterations", "mmio --iterations 0",
		"mmio --iterations -1", "mmio --iterations 1k", "mmio --iterations 1000001",
		"mmio --without", "mmio --without x", "mmio --without posted,",
		"mmio --without ,posted", "mmio --without posted,,regfile",
		"mmio --without POSTED", "mmio --paging tdp", "mmio --bogus", "--json",
		"mmu extra", "mmu --accel", "mmu --accel xen", "mmu --accel mhv,mhv",
		"mmu --accel mhv,", "mmu --without posted", "mmio --without unsync",
		"mmio --without prefetch",
		"ops --without posted", "--without posted scale", "ops mmio",
		"mmu --accel mhv,kvm,mhv", "mmu --accel ,kvm",
	};
	struct bench_options opt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (!parse(&opt, cases[i]))
			fail_msg("'%s' was taken", cases[i]);
}

/* every name is known, and the message about an unknown one has them all */
static void without_names(void **state)
{
	u64 all = 0, one;
	char text[512];
	unsigned int i;
	FILE *saved = stderr, *out = fmemopen(text, sizeof(text), "w");

	for (i = 0; i < MHV_OPT_COUNT; i++) {
		one = 0;
		assert_int_equal(without_parse(without_name(i), &one), 0);
		assert_int_equal(one, BIT(i));
		all |= one;
	}
	assert_int_equal(all, BIT(MHV_OPT_COUNT) - 1);
	stderr = out;
	assert_int_equal(without_parse("warp", &one), -1);
	stderr = saved;
	fclose(out);
	for (i = 0; i < MHV_OPT_COUNT; i++)
		assert_non_null(strstr(text, without_name(i)));
	assert_non_null(strstr(text, "--without warp: not known: use vcpu-cache, mmio-spte, "));
}

static const struct bench_row rows[] = {
	{ "write-ioreq", "mhv", NULL, 1500, 1510, true, 1490 },
	{ "write-ioreq", "mhv", "mmio-spte", 1, 0, true, 0 },
	{ "read-regfile", "mhv", NULL, 400, UINT64_MAX, false, 0 },
};

static char *printed(const struct bench_options *opt)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	bench_print(out, opt, rows, ARRAY_SIZE(rows), 12);
	fclose(out);
	return text;
}

/* appends what is wanted; ' stands for " */
static void want_json(char *want, const char *fmt, ...)
{
	va_list args;
	char *at = want + strlen(want);

	va_start(args, fmt);
	vsprintf(at, fmt, args);
	va_end(args);
	while ((at = strchr(at, '\'')))
		*at = '"';
}

static void json(void **state)
{
	static const char row[] =
		"{'op': '%s', 'without': %s, 'guest_%s': %d, 'guest_%s': %s, '%s': %s}";
	struct bench_options opt = { .json = true, .iterations = 10 };
	char *text = printed(&opt), want[1024] = "";

	want_json(want, "{'rows': [");
	want_json(want, row, "write-ioreq", "null", "min", 1500, "median", "1510",
		  "kmod_median", "1490");
	want_json(want, ", ");
	want_json(want, row, "write-ioreq", "'mmio-spte'", "min", 1, "median", "0",
		  "kmod_median", "0");
	want_json(want, ", ");
	want_json(want, row, "read-regfile", "null", "min", 400, "median",
		  "18446744073709551615", "kmod_median", "null");
	want_json(want, "]}\n");
	assert_string_equal(text, want);
	free(text);
}

static void table(void **state)
{
	static const char *const lines[] = {
		"10 samples", "the 12 ticks",
		"\nop             without        guest min  guest median  module median\n",
		"\nwrite-ioreq    -                   1500          1510           1490\n",
		"\nwrite-ioreq    mmio-spte              1             0              0\n",
		"\nread-regfile   -                    400 18446744073709551615              -\n",
	};
	struct bench_options opt = { .iterations = 10 };
	char *text = printed(&opt);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		assert_non_null(strstr(text, lines[i]));
	free(text);
}

static const struct bench_mmu_row mmu_rows[] = {
	{ "invlpg", "mhv", "shadow", NULL, 600, 634, 640 },
	{ "invlpg", "mhv", "shadow", "unsync", 1, 2, 3 },
	{ "remap-1000", "kvm", "ept", NULL, 9004, 9005, 1234567890 },
};

static char *mmu_printed(const struct bench_options *opt)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	bench_mmu_print(out, opt, mmu_rows, ARRAY_SIZE(mmu_rows));
	fclose(out);
	return text;
}

static void mmu_json(void **state)
{
	static const char row[] =
		"{'op': '%s', %s'paging': '%s', 'without': %s, 'min': %d, '%s': %d, 'mean': %d}";
	struct bench_options opt = { .json = true };
	unsigned int compare;

	for (compare = 0; compare < 2; compare++) {
		char want[1024] = "", *text;

		opt.compare = compare;
		text = mmu_printed(&opt);
		want_json(want, "{'rows': [");
		want_json(want, row, "invlpg", compare ? "'accel': 'mhv', " : "", "shadow",
			  "null", 600, "median", 634, 640);
		want_json(want, ", ");
		want_json(want, row, "invlpg", compare ? "'accel': 'mhv', " : "", "shadow",
			  "'unsync'", 1, "median", 2, 3);
		want_json(want, ", ");
		want_json(want, row, "remap-1000", compare ? "'accel': 'kvm', " : "", "ept",
			  "null", 9004, "median", 9005, 1234567890);
		want_json(want, "]}\n");
		assert_string_equal(text, want);
		free(text);
	}
}

static void mmu_table(void **state)
{
	static const struct bench_verb verb = { .title = "some work" };
	struct bench_options opt = { .iterations = 10, .verb = &verb, .compare = true };
	static const char remap[] =
		"\nremap-1000      kvm   ept         -              9004       9005 1234567890\n";
	static const char invlpg[] =
		"\ninvlpg          shadow      unsync            1          2          3\n";
	char *text = mmu_printed(&opt);

	assert_non_null(strstr(text, "some work, 10 samples"));
	assert_non_null(strstr(text, remap));
	free(text);
	opt.compare = false;
	text = mmu_printed(&opt);
	assert_non_null(strstr(text, invlpg));
	free(text);
}

/* ---- a whole measurement ------------------------------------------------------ */

/*
 * What the guest's code does, in C: it is told by its bytes where the vCPU starts.  A
 * measurement of nothing takes EMPTY ticks, an access COST to COST + 6 more.
 */
#define EMPTY	5
#define COST	100

static enum { BEGIN, ACCESSED, END } phase;
static bool lose_one, stray;

static bool runs(const struct bench_code *code)
{
	return !memcmp(soft.mem + soft.state.regs.rip, code->start, code->end - code->start);
}

/* the access, if the code has one; a guest that goes wrong leaves one out */
static bool step_access(struct soft_access *access)
{
	const struct mhv_regs *regs = &soft.state.regs;

	if (runs(&bench_empty) || (lose_one && regs->rcx == 3))
		return false;
	*access = (struct soft_access){
		.gpa = regs->rdi, .size = 4, .val = regs->rsi, .write = runs(&bench_write),
	};
	return true;
}

static void step_out(struct soft_access *access)
{
	struct mhv_regs *regs = &soft.state.regs;
	u32 ticks = runs(&bench_empty) ? EMPTY : EMPTY + COST + regs->rcx % 7;

	if (phase == ACCESSED && runs(&bench_read))
		regs->rsi = access->val;
	*access = (struct soft_access){
		.port = true, .gpa = stray ? 0x80 : BENCH_PORT, .size = 4, .write = true,
		.val = ticks,
	};
	regs->rsi++;
	regs->rcx--;
	phase = regs->rcx ? BEGIN : END;
}

static void step_bench(struct soft_access *access)
{
	if (phase == END) {
		phase = BEGIN;
		*access = (struct soft_access){ .halt = true };
	} else if (phase == BEGIN && step_access(access)) {
		phase = ACCESSED;
	} else {
		step_out(access);
	}
}

static int measure(const char *line, char **text)
{
	struct bench_options opt;
	FILE *saved = stdout;
	size_t len;
	int ret;

	memset(&soft, 0, sizeof(soft));
	soft.step = step_bench;
	phase = BEGIN;
	assert_int_equal(parse(&opt, line), 0);
	stdout = open_memstream(text, &len);
	opt.accels[0] = &soft_accel;
	ret = opt.verb->run(&opt);
	fclose(stdout);
	stdout = saved;
	return ret;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int nr = 0;

	for (; (text = strstr(text, what)); text++)
		nr++;
	return nr;
}

static void measurement(void **state)
{
	char *text;

	assert_int_equal(measure("mmio --json --iterations 700", &text), 0);
	assert_int_equal(count(text, "\"op\""), 23);
	assert_int_equal(count(text, "\"write-ioreq\""), 4);
	assert_int_equal(count(text, "\"read-ioreq\""), 4);
	assert_int_equal(count(text, "\"write-eventfd\""), 5);
	assert_int_equal(count(text, "\"write-posted\""), 5);
	assert_int_equal(count(text, "\"read-regfile\""), 5);
	assert_int_equal(count(text, "\"without\": null"), 5);
	assert_int_equal(count(text, "\"without\": \"mmio-spte\""), 5);
	assert_int_equal(count(text, "\"without\": \"posted\""), 1);
	assert_int_equal(count(text, "\"guest_min\": 100, \"guest_median\": 103,"), 23);
	assert_int_equal(count(text, ", \"kmod_median\": 77}"), 23);
	free(text);
	/* each route took what was its own, in the rows that did not switch it off */
	assert_int_equal(soft.taken[MHV_ROUTE_REGFILE], 4 * 2 * 716);
	assert_int_equal(soft.taken[MHV_ROUTE_POSTED], 4 * 2 * 716);
	assert_int_equal(soft.taken[MHV_ROUTE_EVENTFD], 4 * 2 * 716);
	assert_int_equal(soft.taken[0], (8 + 3) * 2 * 716);
}

static void measurement_of_some(void **state)
{
	char *text;

	assert_int_equal(measure("mmio --iterations 3 --without posted,decode-cache", &text), 0);
	assert_int_equal(count(text, "decode-cache"), 5);
	assert_int_equal(count(text, "write-posted"), 3);
	assert_int_equal(count(text, "write-ioreq"), 2);
	free(text);
}

/* a result whose accesses did not all arrive is none */
static void measurement_fails(void **state)
{
	char *text;

	lose_one = true;
	assert_int_equal(measure("mmio --iterations 10", &text), -1);
	assert_string_equal(text, "");
	free(text);
	lose_one = false;
	stray = true;
	assert_int_equal(measure("mmio --iterations 10", &text), -1);
	free(text);
	stray = false;
}

static void tables(void **state)
{
	u8 *mem = calloc(1, BENCH_MEM);
	u64 cr3, *table, addr;

	bench_guest_tables(mem, &cr3);
	for (addr = 0; addr < 4 * GIB; addr += 2 * MIB) {
		table = (u64 *)(mem + cr3);
		assert_int_equal(table[0] & 1, 1);
		table = (u64 *)(mem + (table[0] & ~0xfffull));
		table = (u64 *)(mem + (table[addr >> 30] & ~0xfffull));
		assert_int_equal(table[addr >> 21 & 511], addr | 0x83);
	}
	free(mem);
}

/*
 * What bench_mmu's guest does, in C: an operation takes COST ticks to COST + 6; its sum is
 * what its tables say.
 */
static u32 mmu_value(const struct mhv_regs *regs, u32 nr)
{
	const u64 *pte = (u64 *)(soft.mem + regs->r8);
	u64 frame = pte[0] & ~0xfffull;
	const u32 *first = (u32 *)(soft.mem + frame);
	const u32 *second = (u32 *)(soft.mem + frame + GUEST_PAGE);

	if (runs(&bench_mmu_first_touch))
		return *(u32 *)(soft.mem + frame + (nr - 1) * GUEST_PAGE);
	if (runs(&bench_mmu_fault))
		return pte[MMU_PAGES] ? 0 : 1;
	if (runs(&bench_mmu_invlpg))
		return *first;
	if (runs(&bench_mmu_cr3_switch) || runs(&bench_mmu_pte_write))
		return nr % 2 ? *second : *first;
	if (runs(&bench_mmu_remap))
		return nr % 2 ? 501500 : 500500;
	return 0;
}

static void step_mmu(struct soft_access *access)
{
	struct mhv_regs *regs = &soft.state.regs;
	u32 nr, *sample = (u32 *)(soft.mem + regs->rsi);
	u32 cost = runs(&bench_mmu_empty) ? 0 : COST;

	for (nr = 1; regs->rcx; nr++, regs->rcx--) {
		*sample++ = EMPTY + cost + (cost ? nr % 7 : 0);
		regs->r12 += mmu_value(regs, nr);
	}
	regs->rsi = (u8 *)sample - soft.mem - (lose_one ? 4 : 0);
	regs->r12 += stray;
	*access = (struct soft_access){ .halt = true };
}

static int measure_mmu(const char *line, char **text)
{
	struct bench_options opt;
	FILE *saved = stdout;
	size_t len;
	int ret;

	memset(&soft, 0, sizeof(soft));
	soft.step = step_mmu;
	assert_int_equal(parse(&opt, line), 0);
	opt.accels[0] = &soft_accel;
	stdout = open_memstream(text, &len);
	ret = bench_mmu(&opt);
	fclose(stdout);
	stdout = saved;
	return ret;
}

/* the backend has no gnp: that way of paging is left out */
static void mmu_measurement(void **state)
{
	char *text;

	assert_int_equal(measure_mmu("mmu --json --iterations 2100", &text), 0);
	assert_int_equal(count(text, "\"op\""), 32);
	assert_int_equal(count(text, "\"remap-1000\""), 4);
	assert_int_equal(count(text, "\"paging\": \"shadow\""), 24);
	assert_int_equal(count(text, "\"paging\": \"ept\""), 8);
	assert_int_equal(count(text, "\"without\": \"unsync\""), 8);
	assert_int_equal(count(text, "\"without\": \"prefetch\""), 8);
	assert_int_equal(count(text, "\"min\": 100, \"median\": 103, \"mean\": 103"), 32);
	free(text);
	assert_int_equal(measure_mmu("mmu --json --iterations 1 --paging ept", &text), 0);
	assert_int_equal(count(text, "\"op\""), 8);
	free(text);
}

static void mmu_measurement_fails(void **state)
{
	char *text;

	lose_one = true;
	assert_int_equal(measure_mmu("mmu --iterations 10", &text), -1);
	assert_string_equal(text, "");
	free(text);
	lose_one = false;
	stray = true;
	assert_int_equal(measure_mmu("mmu --iterations 10", &text), -1);
	free(text);
	stray = false;
}

/*
 * What bench_ops' guest does, in C: its next access, or none where a sample is complete.
 */
static bool ops_next(struct soft_access *access, unsigned int at)
{
	struct mhv_regs *regs = &soft.state.regs;
	u32 eax = 0, ebx, ecx = 0, edx;
	u64 before = access->val;

	*access = (struct soft_access){ .gpa = regs->rdi, .size = 4, .write = true,
					.val = regs->r13 };
	if (runs(&bench_ops_port_write) || runs(&bench_ops_port_read)) {
		access->port = true;
		access->gpa = OPS_PORT;
		access->write = runs(&bench_ops_port_write);
	} else if (runs(&bench_ops_read1) || runs(&bench_ops_read2) ||
		   runs(&bench_ops_read4) || runs(&bench_ops_read8)) {
		access->write = false;
	} else if (runs(&bench_ops_write1)) {
		access->size = 1;
	} else if (runs(&bench_ops_write8)) {
		access->size = 8;
	} else if (runs(&bench_ops_rep_movs)) {
		*access = (struct soft_access){ .gpa = regs->rdi + 8 * at, .size = 8,
						.write = true, .val = at };
		return at < regs->r9;
	} else if (runs(&bench_ops_modify)) {
		access->write = at == 1;
		access->val += before;
		return at < 2;
	} else if (runs(&bench_ops_irq)) {
		access->port = true;
		access->gpa = at ? OPS_PORT_EOI : OPS_PORT_IRQ;
		regs->r12 += at == 1 && soft.vector == OPS_VECTOR;
		return at < 2;
	} else if (runs(&bench_ops_hlt)) {
		*access = (struct soft_access){ .halt = true };
	} else if (!runs(&bench_ops_write2) && !runs(&bench_ops_write4) &&
		   !runs(&bench_ops_touch)) {
		asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
		regs->r12 += runs(&bench_ops_cpuid) ? ebx :
			     runs(&bench_ops_rdmsr) ? 0x00070406 :
			     runs(&bench_ops_wrmsr) ? 0x00070106 : 0;
		return false;
	}
	return !at;
}

/* the access before is complete: what it has read */
static void ops_read(const struct soft_access *access)
{
	if (runs(&bench_ops_port_read))
		soft.state.regs.r12 += (u32)access->val;
	else if (!access->write && !access->halt && !runs(&bench_ops_modify))
		soft.state.regs.r12 += (u8)access->val;
	if (access->halt)
		soft.state.regs.r12 += soft.vector == OPS_VECTOR_WAKE;
}

static void step_ops(struct soft_access *access)
{
	static unsigned int at;
	struct mhv_regs *regs = &soft.state.regs;

	soft.interrupts = true;
	if (!regs->r13 && regs->rbp == OPS_SAMPLES && phase == BEGIN) {
		at = 0;
		phase = ACCESSED;
	} else if (at) {
		ops_read(access);
	}
	while (regs->r14) {
		if (!(lose_one && regs->r14 == 2) && ops_next(access, at)) {
			at++;
			return;
		}
		*(u32 *)(soft.mem + regs->rbp) = runs(&bench_ops_empty) ? EMPTY : EMPTY + COST +
						 regs->r13 % 7;
		regs->rbp += 4;
		regs->r13++;
		regs->r14--;
		regs->rdi += runs(&bench_ops_touch) ? GUEST_PAGE : 0;
		at = 0;
	}
	phase = BEGIN;
	*access = (struct soft_access){ .port = true, .gpa = BENCH_PORT, .size = 4,
					.write = true };
}

static struct accel_ops scale_accel;
static unsigned int routes_max;

static int scale_set_route(struct accel *accel, const struct mhv_route *route)
{
	return routes_max && soft_routes() >= routes_max ? -1 :
	       soft_accel.set_route(accel, route);
}

/* a VM goes with all its routes */
static void scale_close(struct accel *accel)
{
	memset(soft.route, 0, sizeof(soft.route));
}

static int measure_ops(const char *line, char **text)
{
	struct bench_options opt;
	FILE *saved = stdout;
	size_t len;
	int ret;

	memset(&soft, 0, sizeof(soft));
	soft.step = step_ops;
	phase = BEGIN;
	scale_accel = soft_accel;
	scale_accel.close = scale_close;
	scale_accel.set_route = scale_set_route;
	assert_int_equal(parse(&opt, line), 0);
	opt.accels[0] = &scale_accel;
	stdout = open_memstream(text, &len);
	ret = opt.verb->run(&opt);
	fclose(stdout);
	stdout = saved;
	return ret;
}

static void ops_measurement(void **state)
{
	char *text;

	assert_int_equal(measure_ops("ops --json --iterations 2100 --paging shadow", &text), 0);
	assert_int_equal(count(text, "\"op\""), 20);
	assert_int_equal(count(text, "\"paging\": \"shadow\""), 20);
	assert_int_equal(count(text, "\"op\": \"mmio-"), 9);
	assert_int_equal(count(text, "\"op\": \"floor\""), 1);
	assert_int_equal(count(text, "\"min\": 100, \"median\": 103, "), 20);
	free(text);
}

/* a guest that leaves one out is found out by every operation that can be seen */
static void ops_measurement_fails(void **state)
{
	char *text;

	lose_one = true;
	assert_int_equal(measure_ops("ops --iterations 10", &text), -1);
	assert_string_equal(text, "");
	free(text);
	lose_one = false;
}

static void scale_measurement(void **state)
{
	char *text;

	assert_int_equal(measure_ops("scale --json --iterations 10", &text), 0);
	assert_int_equal(count(text, "\"op\""), 10);
	assert_int_equal(count(text, "\"op\": \"ranges-4096\""), 1);
	assert_int_equal(count(text, "\"op\": \"change-1000\""), 1);
	assert_int_equal(count(text, "\"min\": 100, \"median\": "), 8);
	free(text);
}

/* a backend that takes fewer doorbells has no row for more, and that is no failure */
static void scale_leaves_out(void **state)
{
	char *text;

	routes_max = 1000;
	assert_int_equal(measure_ops("scale --json --iterations 10", &text), 0);
	routes_max = 0;
	assert_int_equal(count(text, "\"op\""), 9);
	assert_int_equal(count(text, "\"op\": \"ranges-4096\""), 0);
	free(text);
}

/* ---- what an error says about an instruction ----------------------------------- */

static void disassembly(void **state)
{
	static const u8 movbe[] = { 0x0f, 0x38, 0xf0, 0x07, 0xcc, 0xcc };
	static const u8 bad[] = { 0x06, 0x06 };
	char text[DISASM_TEXT];

	disasm(text, movbe, sizeof(movbe), 64, 0x1000);
	assert_string_equal(text, "'movbe eax, [rdi]' (0f 38 f0 07)");
	disasm(text, movbe, sizeof(movbe), 16, 0x1000);
	assert_string_equal(text, "'movbe ax, [bx]' (0f 38 f0 07)");
	disasm(text, bad, sizeof(bad), 64, 0);
	assert_string_equal(text, "06 06 (not an instruction)");
	disasm(text, bad, 0, 64, 0);
	assert_string_equal(text, "an instruction that could not be fetched");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(options_good),
	cmocka_unit_test(options_bad),
	cmocka_unit_test(without_names),
	cmocka_unit_test(json),
	cmocka_unit_test(table),
	cmocka_unit_test(measurement),
	cmocka_unit_test(measurement_of_some),
	cmocka_unit_test(measurement_fails),
	cmocka_unit_test(mmu_json),
	cmocka_unit_test(mmu_table),
	cmocka_unit_test(mmu_measurement),
	cmocka_unit_test(mmu_measurement_fails),
	cmocka_unit_test(ops_measurement),
	cmocka_unit_test(ops_measurement_fails),
	cmocka_unit_test(scale_measurement),
	cmocka_unit_test(scale_leaves_out),
	cmocka_unit_test(tables),
	cmocka_unit_test(disassembly),
};

int main(void)
{
	test_silence();
	return test_main("bench", tests, ARRAY_SIZE(tests));
}
