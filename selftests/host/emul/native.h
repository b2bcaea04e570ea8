/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Execute one instruction on the CPU the test runs on, with all registers given.
 *
 * Everything lies in 64 KiB of low memory, so that 16-, 32- and 64-bit code can
 * address it: code stubs, the register file, a stack for the way back, and the
 * window, the only memory the instruction is meant to touch.  16-bit code runs with
 * segments that begin at the region (in the LDT), 32-bit code with the flat segments
 * Linux has for 32-bit programs.
 *
 * Constants above the guard are shared with native_stub.S.
 */
#ifndef EMUL_NATIVE_H
#define EMUL_NATIVE_H

#define NATIVE_BASE	0x10000000
#define NATIVE_STATE	0x10001000
#define NATIVE_STACK	0x10003000	/* grows down, one page */
#define NATIVE_WINDOW	0x1000a000
#define NATIVE_PAGES	4		/* of the window; the last is read-only */
#define NATIVE_SIZE	(NATIVE_PAGES * 4096)
#define NATIVE_END	0x10010000

#define NATIVE_CS64	0x33		/* Linux's selectors */
#define NATIVE_CS32	0x23
#define NATIVE_DS	0x2b
#define NATIVE_CS16	0x07		/* LDT, 0 and 1 */
#define NATIVE_DS16	0x0f

/* offsets in struct native_state */
#define NS_REGS		0
#define NS_RFLAGS	128
#define NS_HOST_RSP	136
#define NS_FAR		144
#define NS_LANDED	152
#define NS_VEC		160

#ifndef __ASSEMBLER__

#include <linux/types.h>

#include "decode.h"

/* In: what to start with.  Out: what the instruction left. */
struct native_state {
	u64 regs[16];
	u64 rflags;
	u64 host_rsp;
	u64 far_jump;
	u8  landed;	/* out: a branch went to native_target() */
	u8  pad[7];
	u8  vec[16][32];
};

struct native_fault {
	int vector;	/* -1: none */
	u64 error;
	u64 cr2;
};

/* Map the region; false with a message on stderr when the host does not let us */
bool native_setup(void);

/* Take the fault signals back from whoever caught them since native_setup() */
bool native_catch_signals(void);

struct native_state *native_state(void);

/* The window's bytes; the instruction has them at NATIVE_WINDOW */
void *native_window(void);

/* Linear base of a segment register in @mode, as native_run() has it */
u64 native_segment_base(enum mhv_mode mode, enum mhv_seg seg);

/* RIP of the instruction, and a RIP it may branch to */
u64 native_rip(enum mhv_mode mode);
u64 native_target(enum mhv_mode mode);

/* Run @bytes in @mode on native_state(); registers are valid after a fault too */
struct native_fault native_run(enum mhv_mode mode, const u8 *bytes, unsigned int len);

/* Labels in native_stub.S */
extern const u8 native_begin[], native_end[];
extern const u8 native_enter64[], native_slot64[], native_exit64[], native_land64[];
extern const u8 native_enter_far[];
extern const u8 native_code32[], native_slot32[], native_exit32[], native_land32[];
extern const u8 native_code16[], native_slot16[], native_exit16[], native_land16[];

#endif
#endif
