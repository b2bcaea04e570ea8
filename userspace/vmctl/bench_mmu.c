// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench mmu: what a guest's work on its own page tables costs, by each way of
 * paging.
 *
 * The guest measures itself and leaves its samples in its memory: it does not exit in
 * between.  Each run has a VM of its own, so that none finds what another left, and no
 * two hypervisors are at work at a time.  A run takes up to MMU_BATCH samples: that is how
 * many pages the guest can touch for the first time.  A result counts only if the guest
 * has read what its tables say each time.
 */
#include <stdlib.h>
#include <string.h>

#include "bench_mmu.h"
#include "msg.h"
#include "without.h"

#define WARM_UP		16	/* the first of each run, not in the result */
#define MMU_BATCH	1000
#define REMAP_PAGES	1000
#define REMAP_SUM	(REMAP_PAGES * (REMAP_PAGES + 1) / 2)

/**
 * struct bench_mmu - a measurement
 * @opt:	what the user wants
 * @mem:	guest memory
 * @samples:	those of the row
 */
struct bench_mmu {
	const struct bench_options *opt;
	struct memory mem;
	u64 *samples;
};

/**
 * struct bench_mmu_config - a way of paging
 * @name:	for people and JSON
 * @paging:	the mode
 * @without:	optimisation that is off; -1: none
 */
struct bench_mmu_config {
	const char *name;
	enum accel_paging paging;
	int without;
};

static const struct bench_mmu_config configs[] = {
	{ "shadow", PAGING_SHADOW, -1 },
	{ "shadow", PAGING_SHADOW, MHV_OPT_UNSYNC },
	{ "shadow", PAGING_SHADOW, MHV_OPT_PREFETCH },
	{ "shadow,gnp", PAGING_SHADOW_GNP, -1 },
	{ "ept", PAGING_TDP, -1 },
};

static const struct bench_mmu_op op_empty = { .name = "empty", .code = &bench_mmu_empty };

static const struct bench_mmu_op ops[] = {
	{ "first-touch", &bench_mmu_first_touch, .growing = true },
	{ "guest-fault", &bench_mmu_fault, 1, 1, .absent = true },
	{ "cr3-switch", &bench_mmu_cr3_switch, 2, 1 },
	{ "invlpg", &bench_mmu_invlpg, 1, 1 },
	{ "pte-write", &bench_mmu_pte_write, 2, 1 },
	{ "cr0-wp-pair", &bench_mmu_cr0_pair },
	{ "cr4-pge-pair", &bench_mmu_cr4_pair },
	{ "remap-1000", &bench_mmu_remap, REMAP_SUM + REMAP_PAGES, REMAP_SUM, .share = 50 },
};

#define ROWS_MAX	(ARRAY_SIZE(ops) * ARRAY_SIZE(configs) * ACCELS_MAX)

/* ---- one run ---------------------------------------------------------------- */

static int run_guest(const struct accel_ops *accel, struct accel_vcpu *vcpu)
{
	struct vcpu_exit exit;

	do
		accel->run(vcpu, &exit);
	while (exit.kind == VCPU_EXIT_AGAIN);
	switch (exit.kind) {
	case VCPU_EXIT_HALT:
		return 0;
	case VCPU_EXIT_SHUTDOWN:
		return fail("the guest of the measurement had a triple fault");
	case VCPU_EXIT_PORT:
	case VCPU_EXIT_MMIO:
		return fail("the guest has gone astray: 0x%llx", exit.access.addr);
	default:
		return fail("%s", exit.text);
	}
}

/* the guest's sum after @nr samples */
static u32 expected(const struct bench_mmu_op *op, u32 nr)
{
	if (op->growing)
		return nr * (nr + 1) / 2;
	return (nr + 1) / 2 * op->odd + nr / 2 * op->even;
}

static int run_vcpu(const struct accel_ops *accel, struct accel_vcpu *vcpu,
		    const struct bench_mmu_op *op, u32 nr)
{
	struct vcpu_state state;
	u32 sum;

	if (accel->get_state(vcpu, &state))
		return -1;
	bench_mmu_start(&state, op, nr);
	if (accel->set_state(vcpu, &state) || run_guest(accel, vcpu) ||
	    accel->get_state(vcpu, &state))
		return -1;
	sum = state.regs.r12;
	if (state.regs.rsi != MMU_SAMPLES + nr * sizeof(u32))
		return fail("%s: the guest did not take %u samples", op->name, nr);
	if (sum != expected(op, nr))
		return fail("%s: the guest has read 0x%x, not 0x%x: a stale translation",
			    op->name, sum, expected(op, nr));
	return 0;
}

static int run_vm(struct bench_mmu *bench, const struct accel_ops *accel,
		  const struct bench_mmu_config *config, const struct bench_mmu_op *op, u32 nr)
{
	struct accel *vm = accel->open(config->paging);
	struct accel_vcpu *vcpu = NULL;
	int err = -1;

	if (!vm)
		return -1;
	bench_mmu_build(bench->mem.base, op->code);
	if (!accel->set_options(vm, config->without < 0 ? 0 : 1ull << config->without, false) &&
	    !accel->set_memory(vm, 0, 0, MMU_MEM, bench->mem.base, false))
		vcpu = accel->vcpu_open(vm, 0);
	if (vcpu) {
		err = run_vcpu(accel, vcpu, op, nr);
		accel->vcpu_close(vcpu);
	}
	accel->close(vm);
	return err;
}

/* ---- one row ---------------------------------------------------------------- */

/* takes and sorts the samples of a row; returns how many, or 0 with a message */
static u32 take(struct bench_mmu *bench, const struct accel_ops *accel,
		const struct bench_mmu_config *config, const struct bench_mmu_op *op)
{
	const u32 *from = (const u32 *)(bench->mem.base + MMU_SAMPLES) + WARM_UP;
	u32 want = bench->opt->iterations, have = 0, batch, i;

	if (op->share)
		want = (want + op->share - 1) / op->share;
	while (have < want) {
		batch = min_u64(want - have, MMU_BATCH);
		if (run_vm(bench, accel, config, op, batch + WARM_UP))
			return 0;
		for (i = 0; i < batch; i++)
			bench->samples[have++] = from[i];
	}
	bench_samples_sort(bench->samples, have);
	return have;
}

static int measure_config(struct bench_mmu *bench, const struct accel_ops *accel,
			  const struct bench_mmu_config *config, struct bench_mmu_row *row)
{
	u32 nr = take(bench, accel, config, &op_empty);
	u64 empty = bench->samples[nr / 2];
	unsigned int i;

	if (!nr)
		return -1;
	for (i = 0; i < ARRAY_SIZE(ops); i++, row++) {
		nr = take(bench, accel, config, &ops[i]);
		if (!nr)
			return -1;
		*row = (struct bench_mmu_row){
			.op = ops[i].name,
			.accel = accel->name,
			.paging = config->name,
			.without = config->without < 0 ? NULL : without_name(config->without),
			.min = bench_less(bench->samples[0], empty),
			.median = bench_less(bench->samples[nr / 2], empty),
			.mean = bench_less(bench_samples_mean(bench->samples, nr), empty),
		};
	}
	return 0;
}

/* ---- all of it -------------------------------------------------------------- */

/*
 * With --paging auto: what this hypervisor has here.  One mode asked for is tried in any
 * case, and says why it cannot be.
 */
static bool wanted(const struct bench_options *opt, const struct accel_ops *accel,
		   const struct bench_mmu_config *config)
{
	if (config->without >= 0 && (!accel->optional ||
				     (opt->without && !(opt->without & 1ull << config->without))))
		return false;
	return opt->paging == PAGING_AUTO ? accel->offers(config->paging) :
					    opt->paging == config->paging;
}

static int measure_all(struct bench_mmu *bench)
{
	const struct bench_options *opt = bench->opt;
	struct bench_mmu_row rows[ROWS_MAX];
	unsigned int a, c, nr = 0;

	for (a = 0; a < opt->nr_accels; a++)
		for (c = 0; c < ARRAY_SIZE(configs); c++) {
			if (!wanted(opt, opt->accels[a], &configs[c]))
				continue;
			if (measure_config(bench, opt->accels[a], &configs[c], &rows[nr]))
				return -1;
			nr += ARRAY_SIZE(ops);
		}
	bench_mmu_print(stdout, opt, rows, nr);
	return 0;
}

/**
 * bench_mmu - vmctl bench mmu
 * @opt:	what the user wants
 *
 * Return: 0, or -1 with a message.
 */
int bench_mmu(const struct bench_options *opt)
{
	struct bench_mmu bench = { .opt = opt };
	int err = -1;

	bench.samples = calloc(opt->iterations, sizeof(*bench.samples));
	if (!bench.samples)
		return fail("out of memory: use fewer --iterations");
	if (!memory_create(&bench.mem, MMU_MEM)) {
		err = measure_all(&bench);
		memory_destroy(&bench.mem);
	}
	free(bench.samples);
	return err;
}
