/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine of `vmctl bench ops` and `vmctl bench scale`: a guest, a device in device
 * memory, some ports; and what the guest does with them.
 */
#ifndef VMCTL_BENCH_OPS_H
#define VMCTL_BENCH_OPS_H

#include "bench.h"
#include "machine.h"

#define OPS_CODE_GPA	0x10000
#define OPS_SAMPLES	0xe000		/* where the guest leaves them, a page of u32 */
#define OPS_BUFFER	0x30000		/* a page of numbers, 8 bytes each, from 0 on */
#define OPS_DEVICE	0xd0000000ull	/* device memory */
#define OPS_READONLY	0xd1000000ull	/* memory that is only to be read */
#define OPS_BATCH	1000		/* samples of one run */
#define OPS_WARM_UP	16		/* the first of each run, not in the result */

#define OPS_PORT	0xe0	/* registers: a counter to read, a sum to write */
#define OPS_PORT_IRQ	0xe1	/* a write raises an interrupt */
#define OPS_PORT_EOI	0xe2	/* a write is its end */
#define OPS_VECTOR	0x40	/* its handler writes OPS_PORT_EOI */
#define OPS_VECTOR_WAKE	0x41	/* its handler does nothing */

#define OPS_PAT		0x0007010600070106ull	/* what is written to that MSR */

extern const struct bench_code bench_ops_empty, bench_ops_floor, bench_ops_cpuid,
	bench_ops_rdmsr, bench_ops_wrmsr, bench_ops_port_read, bench_ops_port_write,
	bench_ops_read1, bench_ops_read2, bench_ops_read4, bench_ops_read8,
	bench_ops_write1, bench_ops_write2, bench_ops_write4, bench_ops_write8,
	bench_ops_rep_movs, bench_ops_modify, bench_ops_irq, bench_ops_hlt,
	bench_ops_touch, bench_ops_eoi, bench_ops_wake;

struct bench_ops;

/**
 * struct bench_op - what is measured
 * @name:	for people and JSON
 * @code:	what the guest runs
 * @gpa:	of the device memory that it uses
 * @qwords:	for REP MOVS: how many
 * @irq:	it runs with interrupts on
 * @share:	one sample for so many of the others; 0: 1
 * @optional:	only where there is a way to switch optimisations off: mhv
 * @right:	did the guest and the devices see what they ought to?
 */
struct bench_op {
	const char *name;
	const struct bench_code *code;
	u64 gpa;
	u32 qwords;
	bool irq;
	u32 share;
	bool optional;
	bool (*right)(const struct bench_ops *bench, const struct bench_op *op);
};

/**
 * struct bench_ops - a measurement
 * @opt:	what the user wants
 * @ops: @accel: @vcpu:	backend, its VM and vCPU
 * @mem:	guest memory
 * @page:	that of OPS_READONLY
 * @mmio:	device memory, with @dev and @readonly in it
 * @dev:	the device
 * @readonly:	what takes writes to OPS_READONLY
 * @nr:		samples of this run, those of the warm-up among them
 * @reads: @writes: @bytes: @sum:	what reached the devices and ports in this run
 * @value:	the device's register: the last write
 * @stored:	reads yield @value, not their number
 * @eois:	ends of interrupts
 * @guest_sum:	what the guest has added up
 * @samples:	those of the row
 * @have:	how many
 * @empty:	ticks of a measurement of nothing
 * @exit:	of the last run
 */
struct bench_ops {
	const struct bench_options *opt;
	const struct accel_ops *ops;
	struct accel *accel;
	struct accel_vcpu *vcpu;
	struct memory mem;
	void *page;
	struct mmio mmio;
	struct dev_mmio dev, readonly;
	u32 nr;
	u64 reads, writes, bytes, sum, value;
	bool stored;
	u64 eois;
	u32 guest_sum;
	u64 *samples;
	u32 have;
	u64 empty;
	struct vcpu_exit exit;
};

int bench_ops_create(struct bench_ops *bench, const struct bench_options *opt,
		     const struct accel_ops *ops);
void bench_ops_destroy(struct bench_ops *bench);
int bench_ops_take(struct bench_ops *bench, const struct bench_op *op);
int bench_ops_once(struct bench_ops *bench, const struct bench_op *op, u32 nr);
void bench_ops_row(struct bench_ops *bench, const char *name, struct bench_mmu_row *row);

void bench_ops_build(u8 *mem, const struct bench_code *code);
void bench_ops_start(struct vcpu_state *state, const struct bench_op *op, u32 samples);

#endif
