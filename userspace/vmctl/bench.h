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

struct bench_options;

/**
 * struct bench_verb - one kind of measurement
 * @name:	the user's word
 * @without:	optimisations that matter to it, bits of enum mhv_opt
 * @title:	what its table says above, but for "mmio"
 * @run:	measures and prints; 0, or -1 with a message
 */
struct bench_verb {
	const char *name;
	u64 without;
	const char *title;
	int (*run)(const struct bench_options *opt);
};

/**
 * struct bench_options - `vmctl bench`, as the user wants it
 * @json:	print JSON
 * @help:	the user asked for help
 * @iterations:	samples of each row
 * @without:	rows only without these optimisations, and with all; 0: with each
 * @paging:	how guest memory is mapped; PAGING_AUTO with "mmu": each way in turn
 * @verb:	what to measure
 * @accels: @nr_accels:	hypervisors to measure
 * @compare:	the user named the hypervisors: rows name theirs
 */
struct bench_options {
	bool json, help, compare;
	const struct bench_verb *verb;
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
 * struct bench_mmu_row - one line of the result of all but "mmio"
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

void bench_samples_sort(u64 *samples, u32 nr);
u64 bench_samples_mean(const u64 *samples, u32 nr);

/* ticks without those of an empty measurement */
static inline u64 bench_less(u64 ticks, u64 empty)
{
	return ticks > empty ? ticks - empty : 0;
}

int bench_mmu(const struct bench_options *opt);
int bench_mmio(const struct bench_options *opt);
int bench_ops(const struct bench_options *opt);
int bench_scale(const struct bench_options *opt);

#endif
