/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmctl bench: measurements with a small guest of their own.
 */
#ifndef VMCTL_BENCH_H
#define VMCTL_BENCH_H

#include <stdio.h>

#include "accel/accel.h"

#define BENCH_PORT	0xee
#define BENCH_MEM	(2 * MIB)
#define BENCH_SAMPLES	1000
#define BENCH_MAX	1000000

/**
 * struct bench_code - guest code that measures one thing
 * @start: @end:	the code; may lie anywhere
 *
 * It runs with rdi the address to access, esi a value to write (counted up) or the last
 * one read, ecx how often.  Each time it writes the ticks it took to BENCH_PORT, 4 bytes;
 * then it halts.
 */
struct bench_code {
	const u8 *start, *end;
};

extern const struct bench_code bench_empty, bench_read, bench_write;

/**
 * struct bench_options - `vmctl bench`, as the user wants it
 * @json:	print JSON
 * @help:	the user asked for help
 * @iterations:	samples of each row
 * @without:	rows only without these optimisations, and with all; 0: with each
 * @paging:	how guest memory is mapped; PAGING_AUTO with "mmu": each way in turn
 * @mmu:	measure page tables, not device memory
 * @accels: @nr_accels:	hypervisors to measure
 * @compare:	the user named the hypervisors: rows name theirs
 */
struct bench_options {
	bool json, help, mmu, compare;
	u32 iterations;
	u64 without;
	enum accel_paging paging;
	const struct accel_ops *accels[ACCELS_MAX];
	unsigned int nr_accels;
};

/**
 * struct bench_row - one line of the result
 * @op:		what the guest did
 * @accel:	hypervisor
 * @without:	optimisation that was off; NULL: none
 * @guest_min: @guest_median:	ticks in the guest, the empty measurement taken off
 * @has_kmod:	the module says how long it took
 * @kmod_median: ticks from leaving the guest to entering it again
 */
struct bench_row {
	const char *op, *accel, *without;
	u64 guest_min, guest_median;
	bool has_kmod;
	u64 kmod_median;
};

/**
 * struct bench_mmu_row - one line of the result of "mmu"
 * @op:		what the guest did
 * @accel:	hypervisor
 * @paging:	how guest memory was mapped
 * @without:	optimisation that was off; NULL: none
 * @min: @median: @mean:	ticks in the guest, the empty measurement taken off
 */
struct bench_mmu_row {
	const char *op, *accel, *paging, *without;
	u64 min, median, mean;
};

int bench_options_parse(struct bench_options *opt, int argc, char **argv);
void bench_print(FILE *out, const struct bench_options *opt, const struct bench_row *row,
		 unsigned int nr, u64 empty);
void bench_mmu_print(FILE *out, const struct bench_options *opt,
		     const struct bench_mmu_row *row, unsigned int nr);
void bench_guest_tables(u8 *mem, u64 *cr3);

int bench_mmu(const struct bench_options *opt);
int bench_mmio(const struct bench_options *opt);

#endif
