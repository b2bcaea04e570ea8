/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of `vmctl bench mmu`, and what it does.
 */
#ifndef VMCTL_BENCH_MMU_H
#define VMCTL_BENCH_MMU_H

#include "bench.h"
#include "machine.h"

#define MMU_MEM		(12 * MIB)
#define MMU_CODE_GPA	0x10000
#define MMU_SAMPLES	0xe000		/* where the guest leaves them, a page of u32 */
#define MMU_WINDOW	0x20000000ull	/* gva */
#define MMU_PAGES	1023		/* of the window; the one after it is not present */

extern const struct bench_code bench_mmu_empty, bench_mmu_first_touch, bench_mmu_fault,
	bench_mmu_cr3_switch, bench_mmu_invlpg, bench_mmu_pte_write, bench_mmu_cr0_pair,
	bench_mmu_cr4_pair, bench_mmu_remap, bench_mmu_handler;

/**
 * struct bench_mmu_op - what is measured
 * @name:	for people and JSON
 * @code:	what the guest runs
 * @odd: @even:	what samples number 1, 3 … and 2, 4 … add to its sum
 * @growing:	sample n adds n instead
 * @absent:	it uses the page that is not present
 * @share:	one sample for so many of the others
 */
struct bench_mmu_op {
	const char *name;
	const struct bench_code *code;
	u32 odd, even;
	bool growing, absent;
	u32 share;
};

void bench_mmu_build(u8 *mem, const struct bench_code *code);
void bench_mmu_start(struct vcpu_state *state, const struct bench_mmu_op *op, u32 samples);

#endif
