/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction executor: carries out a decoded instruction on a vCPU's
 * registers, with every access to memory made through the caller's ops.
 *
 * Pure: it knows no vCPU, no page table, no memory.  An op may answer that the
 * access has to wait for a device model (MHV_EMUL_PENDING).  Then:
 *
 *   mhv_emul_exec()	-> MHV_EMUL_PENDING, nothing committed
 *     ... the device model does the access ...
 *   mhv_emul_complete()	hands over what was read
 *   mhv_emul_resume()	runs the instruction again from its beginning; the
 *			accesses that are done are answered from a journal
 *			and not made again
 *
 * until the answer is another one.  What holds throughout:
 *
 * - Each access is made exactly once and in order, however often the instruction
 *   is resumed; a journal of accesses done so far sees to that.
 * - Registers, RIP and RFLAGS change only when the instruction, or one round of a
 *   REP, is complete.  MHV_EMUL_FAULT leaves them as they were.
 * - A write that can fault is checked before the first read from a device, so an
 *   instruction with two operands does not fault half way (unless the guest
 *   changes its page tables meanwhile).
 * - Between PENDING and resume the vCPU runs nothing else.  Whoever changes its
 *   registers then says so first: mhv_emul_regs_change().
 *
 * A write op may also take the data and answer MHV_EMUL_OK before the device has
 * seen it: for the guest the write is done, and an instruction that ends with a
 * write, as most do, never needs to be resumed.
 *
 * What the executor leaves to the caller when an instruction completes: clearing
 * RF and the interrupt shadow, and #DB when TF was set (TF limits REP to one round
 * here).  Checks the CPU made before it touched memory (is there such an
 * instruction in CPUID, is the FPU enabled) are not made again; the vector ops
 * may answer MHV_EMUL_FAULT for those.
 */
#ifndef MHV_EMUL_EXEC_H
#define MHV_EMUL_EXEC_H

#include <linux/types.h>

#include "decode.h"

/**
 * enum mhv_emul_result - what became of an instruction, or of an access
 * @MHV_EMUL_OK:	done; an access to probe(): to ordinary memory
 * @MHV_EMUL_AGAIN:	a round of REP is done, more are left: run the guest or
 *			call mhv_emul_exec() again, as there are events or not
 * @MHV_EMUL_PENDING:	an access waits for user space
 * @MHV_EMUL_FAULT:	deliver mhv_emul_ctx.fault to the guest
 * @MHV_EMUL_RETRY:	nothing was done: run the guest, which comes back
 * @MHV_EMUL_DEVICE:	probe(), compare_swap(): this is not ordinary memory
 * @MHV_EMUL_MISMATCH:	compare_swap(): memory does not hold the old value
 *
 * The last two are answers of ops and never leave the executor.
 */
enum mhv_emul_result {
	MHV_EMUL_OK,
	MHV_EMUL_AGAIN,
	MHV_EMUL_PENDING,
	MHV_EMUL_FAULT,
	MHV_EMUL_RETRY,
	MHV_EMUL_DEVICE,
	MHV_EMUL_MISMATCH,
};

/* enum mhv_emul_access - what an access is checked for */
enum mhv_emul_access {
	MHV_EMUL_READ,
	MHV_EMUL_WRITE,
	MHV_EMUL_RMW,	/* a read that a write to the same place follows: faults
			 * as a write does
			 */
};

#define MHV_EMUL_STRING_SIZE	4096	/* most bytes of one string transfer */
#define MHV_EMUL_DATA_MAX	32	/* most bytes one instruction reads */

/* struct mhv_emul_regs - indexed by enum mhv_reg; laid out like struct mhv_regs */
struct mhv_emul_regs {
	u64 r[MHV_NR_REGS];
};

/* struct mhv_emul_fault - an exception to deliver; real mode drops the error code */
struct mhv_emul_fault {
	u8  vector;
	bool has_error;
	u32 error;
	u64 cr2;
};

/**
 * struct mhv_emul_seg - the hidden part of a segment register
 * @base:	base address
 * @limit:	limit in bytes
 * @rights:	as in descriptor bits 40 to 55, bit 16: unusable (the VMX format)
 */
struct mhv_emul_seg {
	u64 base;
	u32 limit;
	u32 rights;
};

#define MHV_SEG_CODE		0x00008
#define MHV_SEG_WRITABLE	0x00002	/* data segments */
#define MHV_SEG_READABLE	0x00002	/* code segments */
#define MHV_SEG_EXPAND_DOWN	0x00004	/* data segments */
#define MHV_SEG_DB		0x04000
#define MHV_SEG_UNUSABLE	0x10000

/**
 * struct mhv_emul_string - elements of a string on one side of the transfer
 * @la:		linear address of the first one to transfer
 * @size:	bytes of one
 * @count:	elements; @size * @count is at most MHV_EMUL_STRING_SIZE
 * @down:	the ones that follow lie below it
 *
 * All of them lie in one page.  Their data lies packed, in the order of transfer,
 * in mhv_emul_ctx.string.
 */
struct mhv_emul_string {
	u64 la;
	u16 size;
	u16 count;
	bool down;
};

struct mhv_emul_ctx;

/**
 * struct mhv_emul_ops - what the executor needs from its caller
 * @read:	read @size bytes at linear address @la
 * @write:	write them
 * @probe:	would an access to [@la, @la + @size), in one page, fault?  OK for
 *		memory, DEVICE or FAULT.  Touches nothing a device could see.
 *		With WRITE or RMW, what a write would meet: DEVICE for ROM.
 * @compare_swap:	atomically: if memory holds @old, write @new.  OK when written,
 *		MISMATCH when it held another value, DEVICE when writes there do
 *		not go to memory.
 * @segment:	hidden part of a segment register
 * @align_check: does a misaligned access raise #AC: CR0.AM, RFLAGS.AC, CPL 3?
 * @read_vec:	low @size (16 or 32) bytes of a vector register
 * @write_vec:	write them; @zero: zero all the bytes above, or keep them
 * @read_string: optional: elements into mhv_emul_ctx.string
 * @write_string: optional: elements out of it
 *
 * An access of @read and @write lies in one page and has 1, 2, 4, 8, 16 or 32
 * bytes.  Wherever the executor answers a result, an op may answer PENDING (call
 * again on resume, or take mhv_emul_complete()'s word), FAULT with ctx->fault
 * filled in, or RETRY, and @read_vec and @write_vec FAULT.  RETRY forgets what the
 * instruction has done: an op that cannot go on for a reason of the host's, such as
 * memory that user space has to provide, answers PENDING.
 *
 * @read_string and @write_string come together or not at all.  PENDING from
 * @read_string means that the data will be in mhv_emul_ctx.string on resume.
 */
struct mhv_emul_ops {
	enum mhv_emul_result (*read)(struct mhv_emul_ctx *ctx, u64 la, void *data,
				     unsigned int size, enum mhv_emul_access access);
	enum mhv_emul_result (*write)(struct mhv_emul_ctx *ctx, u64 la, const void *data,
				      unsigned int size);
	enum mhv_emul_result (*probe)(struct mhv_emul_ctx *ctx, u64 la, unsigned int size,
				      enum mhv_emul_access access);
	enum mhv_emul_result (*compare_swap)(struct mhv_emul_ctx *ctx, u64 la, const void *old,
					const void *new, unsigned int size);
	void (*segment)(struct mhv_emul_ctx *ctx, enum mhv_seg seg,
			struct mhv_emul_seg *out);
	bool (*align_check)(struct mhv_emul_ctx *ctx);
	enum mhv_emul_result (*read_vec)(struct mhv_emul_ctx *ctx, unsigned int reg,
					 void *data, unsigned int size);
	enum mhv_emul_result (*write_vec)(struct mhv_emul_ctx *ctx, unsigned int reg,
					  const void *data, unsigned int size, bool zero);
	enum mhv_emul_result (*read_string)(struct mhv_emul_ctx *ctx,
					    const struct mhv_emul_string *s);
	enum mhv_emul_result (*write_string)(struct mhv_emul_ctx *ctx,
					     const struct mhv_emul_string *s);
};

/**
 * struct mhv_emul_ctx - the executor's view of one vCPU; one each, zeroed at first
 *
 * Set by the caller, before mhv_emul_exec():
 * @regs:	the vCPU's registers; RSP and RFLAGS need be there only if the
 *		instruction's flags say that it uses them
 * @ops:	see struct mhv_emul_ops
 * @string:	MHV_EMUL_STRING_SIZE bytes for string transfers; may be shared with
 *		the device model, which may change it at any time
 * @va_bits:	width of a linear address in 64-bit mode: 48 or 57
 * @real:	real or virtual-8086 mode
 *
 * Set by the executor:
 * @fault:	with MHV_EMUL_FAULT
 *
 * The instruction under way, private to the executor:
 * @pending:	PENDING was the last answer; @insn is to be resumed
 * @saved:	registers changed since: @before holds the ones to go on with
 * @nr:		accesses done
 * @pos:	accesses of this run so far
 * @len:	bytes in @data
 * @off:	bytes of @data used by this run so far
 * @batch:	elements of the string transfer under way
 * @data:	what the accesses done have read, one after the other
 * @insn:	the instruction
 * @before:	see @saved
 *
 * All of it belongs to whoever runs the vCPU.
 */
struct mhv_emul_ctx {
	struct mhv_emul_regs *regs;
	const struct mhv_emul_ops *ops;
	void *string;
	u8  va_bits;
	bool real;

	struct mhv_emul_fault fault;

	bool pending;
	bool saved;
	u8  nr;
	u8  pos;
	u8  len;
	u8  off;
	u16 batch;
	u8  data[MHV_EMUL_DATA_MAX];
	struct mhv_insn insn;
	struct mhv_emul_regs before;
};

/**
 * mhv_emul_exec - execute an instruction from its beginning
 * @ctx:	the vCPU; an instruction under way is forgotten
 * @insn:	from mhv_decode(), for the mode the vCPU is in; copied if needed later
 *
 * Context: as the ops need it.  Never answers DEVICE or MISMATCH.
 */
enum mhv_emul_result mhv_emul_exec(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);

/* mhv_emul_resume - go on with the instruction that was left PENDING */
enum mhv_emul_result mhv_emul_resume(struct mhv_emul_ctx *ctx);

/**
 * mhv_emul_complete - the access that was answered PENDING has been made
 * @ctx:	the vCPU, with an instruction under way
 * @data:	what was read; NULL for a write or a string transfer
 * @size:	bytes of @data: those of the access
 *
 * Without this call, resume asks the op again for the same access.
 */
void mhv_emul_complete(struct mhv_emul_ctx *ctx, const void *data, unsigned int size);

/**
 * mhv_emul_regs_change - user space is about to change the registers
 * @ctx:	the vCPU; ctx->regs still holds the old ones
 * @new:	what they will be
 *
 * An instruction under way goes on with the registers it began with, and its
 * results then overwrite what user space has set.  Another RIP abandons it: the
 * accesses it made are made, but it has no other effect.
 */
void mhv_emul_regs_change(struct mhv_emul_ctx *ctx, const struct mhv_emul_regs *new);

/* mhv_emul_abandon - forget the instruction under way (reset of the vCPU) */
void mhv_emul_abandon(struct mhv_emul_ctx *ctx);

/* mhv_emul_pending - is an instruction under way? */
static inline bool mhv_emul_pending(const struct mhv_emul_ctx *ctx)
{
	return ctx->pending;
}

#endif /* MHV_EMUL_EXEC_H */
