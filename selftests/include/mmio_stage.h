/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stage on which one instruction is run twice: on RAM, where the CPU executes it,
 * and on device memory, where mhv does.
 *
 * The operands lie in a window of 16 pages at one linear address.  What is behind each
 * page - RAM, a device that behaves like RAM, nothing - is changed between runs, in
 * the guest's page tables, or, in real mode, by memslots: the guest's registers never
 * tell one run from the other.
 */
#ifndef SELFTESTS_MMIO_STAGE_H
#define SELFTESTS_MMIO_STAGE_H

#include "mmio.h"
#include "mmio_forms.h"

#define WINDOW_PAGES	16
#define STACK_PAGE	7		/* of the modes whose stack is in the window */
#define PORT_FAULT	0x12
#define NR_FAULTS	32

/* An entry of guest/mmio_forms.S */
struct form {
	const char *code, *text;
	__u32 undefined;		/* flags that it leaves so */
	__u32 kind;			/* FORM_* */
	__u32 bits;			/* 64, 32, 16 */
	__u32 pad;
};

extern const struct form __start_forms[], __stop_forms[];
extern const char guest_form_target[];

/**
 * struct stage - a VM in one mode, and its window
 * @vm: the VM
 * @vcpu: its vCPU
 * @dev: the device
 * @bits: 64, 32, 16
 * @real: 16-bit code in real mode
 * @ram: what backs the window's RAM
 * @stride: from one of the window's pages to the next, in guest physical memory
 * @pt: entries of the window, for each kind of paging
 * @pt32: likewise
 * @kind: of each page: r RAM, d device; R and D: not writable; n: not present
 * @sregs: of the mode, to go back to
 * @missing: FORM_* features that the guest has not got
 * @complaints: wrong outcomes so far
 */
struct stage {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
	int bits;
	bool real;
	__u8 *ram;
	__u64 stride;
	__u64 *pt;
	__u32 *pt32;
	char kind[WINDOW_PAGES];
	struct mhv_sregs sregs;
	__u32 missing;
	int complaints;
};

#define OUTCOME_PORT	0x100		/* | port */
#define OUTCOME_DONE	(OUTCOME_PORT | PORT_DONE)
#define OUTCOME_FAULT	(OUTCOME_PORT | PORT_FAULT)
#define OUTCOME_MEM	320

/**
 * struct outcome - what a run came to
 * @exit: MHV_EXIT_*, -errno, OUTCOME_DONE or OUTCOME_FAULT
 * @vector: of the fault
 * @cr2: of a page fault
 * @frame: what the fault pushed
 * @regs: at the end
 * @mem: memory, as the test takes it
 * @vec: vector registers: low halves, then high halves
 * @requests: ioreqs answered
 * @wrong: with one of them
 */
struct outcome {
	__u32 exit;
	__u32 vector;
	__u64 cr2;
	__u8 frame[48];
	struct mhv_regs regs;
	__u8 mem[OUTCOME_MEM];
	__u8 vec[512];
	__u64 requests;
	const char *wrong;
};

void stage_create(struct stage *s, int bits, bool real);
void stage_destroy(struct stage *s);
bool stage_can(const struct stage *s, const struct form *f);
void stage_set_page(struct stage *s, int page, char kind);
void stage_reset(struct stage *s);
__u64 stage_linear(const struct stage *s, __u64 offset);
__u64 stage_code(const struct stage *s, const void *code);
__u8 *stage_byte(struct stage *s, __u64 offset);
void stage_copy_in(struct stage *s, __u64 offset, const void *buffer, __u64 size);
void stage_copy_out(struct stage *s, __u64 offset, void *buffer, __u64 size);
void stage_set_vectors(struct stage *s, __u64 seed);
void stage_get_vectors(struct stage *s, struct outcome *o);
void stage_cut(const struct stage *s, struct mhv_regs *regs);
void stage_run(struct stage *s, const struct mhv_regs *regs, struct outcome *o);

const char *outcome_differs(const struct outcome *want, const struct outcome *got);
void stage_complain(struct stage *s, const char *name, const char *what,
		    const struct outcome *want, const struct outcome *got);

/* A generator with 64 bits of state (splitmix) */
static inline __u64 next_random(__u64 *seed)
{
	__u64 x = *seed += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

#endif
