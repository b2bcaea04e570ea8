// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction executor (exec.h says what it promises).
 *
 * From the top: moves, arithmetic, exchanges, stack and control flow, the table of
 * handlers, the short way for plain MOVs, and the entry points.  A handler has three
 * parts in this order: addresses and their checks, accesses, results.  As registers
 * change in the last part only, a handler may stop at any access and be run again.
 *
 * Instructions that read, modify and write one operand share exec_modify(): read, a
 * function of what was read, write.  With LOCK (or XCHG, which implies it) the write
 * is a compare-and-exchange where it goes to memory, and the round is repeated when
 * another CPU was faster.  A device gets a read and a write, and so does an operand
 * that crosses a page.
 *
 * The handler runs with nr, pos, len, off and batch all zero but on resume: settle()
 * leaves them so.
 */
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/swab.h>
#include <linux/types.h>

#include "access.h"

/* Rounds of a locked instruction that lost the race, before the guest goes on */
#define MHV_LOCK_TRIES	64

typedef enum mhv_emul_result mhv_handler(struct mhv_emul_ctx *ctx,
					 const struct mhv_insn *insn);

static enum mhv_emul_result load(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 u64 *value)
{
	enum mhv_emul_result r;
	struct mhv_place p;

	*value = 0;
	r = mhv_operand(ctx, insn, MHV_EMUL_READ, &p);
	if (r != MHV_EMUL_OK)
		return r;
	return mhv_read(ctx, &p, value, MHV_EMUL_READ);
}

static enum mhv_emul_result store(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				  u64 value)
{
	enum mhv_emul_result r;
	struct mhv_place p;

	r = mhv_operand(ctx, insn, MHV_EMUL_WRITE, &p);
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &p, &value);
	if (r != MHV_EMUL_OK)
		return r;
	return mhv_finish(ctx, insn);
}

static u64 get_flags(const struct mhv_emul_ctx *ctx)
{
	return mhv_before(ctx)[MHV_RFLAGS];
}

static void set_flags(struct mhv_emul_ctx *ctx, u64 flags)
{
	ctx->regs->r[MHV_RFLAGS] = flags;
}

static bool condition(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	return mhv_alu_condition(insn->arg, get_flags(ctx));
}

/* ---- moves --------------------------------------------------------------- */

static u64 swap_bytes(u64 value, unsigned int size)
{
	return swab64(value) >> (64 - 8 * size);
}

static enum mhv_emul_result exec_store(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	switch (insn->op) {
	case MHV_OP_MOV_MI:
		return store(ctx, insn, (s64)insn->imm);
	case MHV_OP_MOVBE_MR:
		return store(ctx, insn, swap_bytes(mhv_get_operand(ctx, insn), insn->size));
	case MHV_OP_SETCC:
		return store(ctx, insn, condition(ctx, insn));
	default:
		return store(ctx, insn, mhv_get_operand(ctx, insn));
	}
}

static enum mhv_emul_result exec_load(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	u64 value;

	r = load(ctx, insn, &value);
	if (r != MHV_EMUL_OK)
		return r;
	if (insn->op == MHV_OP_MOVSX)
		value = mhv_sign_extend(value, insn->size);
	else if (insn->op == MHV_OP_MOVBE_RM)
		value = swap_bytes(value, insn->size);
	else if (insn->op == MHV_OP_CMOV && !condition(ctx, insn))
		value = mhv_get_operand(ctx, insn);
	mhv_set_operand(ctx, insn, value);
	return mhv_finish(ctx, insn);
}

/* CLFLUSH and the like: device memory is not cached, but the address must be good */
static enum mhv_emul_result exec_flush(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct mhv_place p;

	r = mhv_operand(ctx, insn, MHV_EMUL_READ, &p);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, &p, MHV_EMUL_READ);
	return r == MHV_EMUL_OK ? mhv_finish(ctx, insn) : r;
}

/* ---- arithmetic ---------------------------------------------------------- */

static unsigned int bit_number(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u64 number = insn->op == MHV_OP_BIT_I ? (u64)insn->imm :
						   mhv_before(ctx)[insn->reg];

	return number & (8 * insn->size - 1);
}

static u64 shift_count(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	if (insn->op == MHV_OP_SHIFT_CL || insn->op == MHV_OP_DSHIFT_CL)
		return mhv_get_reg(ctx, MHV_RCX, 1);
	return insn->imm & 0xff;
}

/* What the operand in memory becomes; the flags with it */
static u64 compute(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn, u64 old,
		   u64 *flags)
{
	unsigned int size = insn->size;
	u64 acc;

	switch (insn->op) {
	case MHV_OP_ALU_MR:
		return mhv_alu(insn->arg, old, mhv_get_operand(ctx, insn), size, flags);
	case MHV_OP_ALU_MI:
		return mhv_alu(insn->arg, old, (s64)insn->imm & mhv_mask(size), size, flags);
	case MHV_OP_UNARY:
		return mhv_alu_unary(insn->arg, old, size, flags);
	case MHV_OP_SHIFT:
	case MHV_OP_SHIFT_CL:
		return mhv_alu_shift(insn->arg, old, shift_count(ctx, insn), size, flags);
	case MHV_OP_DSHIFT:
	case MHV_OP_DSHIFT_CL:
		return mhv_alu_dshift(insn->arg, old, mhv_get_operand(ctx, insn),
				      shift_count(ctx, insn), size, flags);
	case MHV_OP_BIT_R:
	case MHV_OP_BIT_I:
		return mhv_alu_bit(insn->arg, old, bit_number(ctx, insn), flags);
	case MHV_OP_XADD:
		return mhv_alu(MHV_ALU_ADD, old, mhv_get_operand(ctx, insn), size, flags);
	case MHV_OP_CMPXCHG:
		acc = mhv_get_reg(ctx, MHV_RAX, size);
		mhv_alu(MHV_ALU_CMP, acc, old, size, flags);
		return acc == old ? mhv_get_operand(ctx, insn) : old;
	default:	/* MHV_OP_XCHG */
		return mhv_get_operand(ctx, insn);
	}
}

/* BT and its like with a register: a bit string that begins at the operand */
static enum mhv_emul_result bit_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
					enum mhv_emul_access access, struct mhv_place *p)
{
	s64 number = mhv_sign_extend(mhv_before(ctx)[insn->reg], insn->size);
	u64 ea = mhv_effective(ctx, insn);

	ea += (u64)(number >> 3) & ~(u64)(insn->size - 1);
	return mhv_linear(ctx, insn, insn->seg, ea & mhv_mask(insn->addrsize), insn->size,
			  access, p);
}

static bool writes_back(const struct mhv_insn *insn)
{
	if (insn->op == MHV_OP_ALU_MR || insn->op == MHV_OP_ALU_MI)
		return insn->arg < MHV_ALU_CMP;
	if (insn->op == MHV_OP_BIT_R || insn->op == MHV_OP_BIT_I)
		return insn->arg != MHV_BIT_TEST;
	return true;
}

/* Write back; atomically if it is a locked instruction on memory */
static enum mhv_emul_result write_back(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				       const struct mhv_place *p, const u64 *old,
				       const u64 *new)
{
	bool locked = (insn->flags & MHV_INSN_LOCK) || insn->op == MHV_OP_XCHG;
	bool one_page = (p->la & (MHV_PAGE_SIZE - 1)) + p->size <= MHV_PAGE_SIZE;
	enum mhv_emul_result r;

	/* more than the one read is done: that is the write, to what was a device */
	if (locked && one_page && ctx->nr == 1) {
		r = ctx->ops->compare_swap(ctx, p->la, old, new, p->size);
		if (r != MHV_EMUL_DEVICE)
			return r;
	}
	return mhv_write(ctx, p, new);
}

/* Registers that the instructions of exec_modify() change */
static void exchange_results(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn, u64 old)
{
	if (insn->op == MHV_OP_XCHG || insn->op == MHV_OP_XADD)
		mhv_set_operand(ctx, insn, old);
	else if (insn->op == MHV_OP_CMPXCHG && mhv_get_reg(ctx, MHV_RAX, insn->size) != old)
		mhv_set_reg(ctx, MHV_RAX, insn->size, old);
}

/* One operand in memory that is read and, but for CMP, TEST and BT, written */
static enum mhv_emul_result exec_modify(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	bool write = writes_back(insn);
	enum mhv_emul_access access = write ? MHV_EMUL_RMW : MHV_EMUL_READ;
	u64 old, new, flags;
	unsigned int tries = MHV_LOCK_TRIES;
	enum mhv_emul_result r;
	struct mhv_place p;

	if (insn->op == MHV_OP_BIT_R)
		r = bit_operand(ctx, insn, access, &p);
	else
		r = mhv_operand(ctx, insn, access, &p);
	if (r != MHV_EMUL_OK)
		return r;

	do {
		old = 0;
		r = mhv_read(ctx, &p, &old, access);
		if (r != MHV_EMUL_OK)
			return r;
		flags = get_flags(ctx);
		new = compute(ctx, insn, old, &flags);
		if (write)
			r = write_back(ctx, insn, &p, &old, &new);
		if (r == MHV_EMUL_MISMATCH)
			mhv_journal_rewind(ctx);
	} while (r == MHV_EMUL_MISMATCH && --tries);
	if (r != MHV_EMUL_OK)
		return r == MHV_EMUL_MISMATCH ? MHV_EMUL_RETRY : r;

	exchange_results(ctx, insn, old);
	set_flags(ctx, flags);
	return mhv_finish(ctx, insn);
}

/* CMPXCHG8B and CMPXCHG16B: like exec_modify(), with two registers at a time */
static enum mhv_emul_result exec_cmpxchg_pair(struct mhv_emul_ctx *ctx,
					      const struct mhv_insn *insn)
{
	unsigned int half = insn->regsize, tries = MHV_LOCK_TRIES;
	u64 old[2], new[2], flags;
	enum mhv_emul_result r;
	struct mhv_place p;
	bool equal;

	r = mhv_operand(ctx, insn, MHV_EMUL_RMW, &p);
	if (half == 8 && (p.la & 15))
		return mhv_emul_raise(ctx, MHV_VECTOR_GP);
	if (r != MHV_EMUL_OK)
		return r;

	do {
		u64 low = mhv_get_reg(ctx, MHV_RAX, half);
		u64 high = mhv_get_reg(ctx, MHV_RDX, half);

		old[1] = 0;
		r = mhv_read(ctx, &p, old, MHV_EMUL_RMW);
		if (r != MHV_EMUL_OK)
			return r;
		new[0] = mhv_get_reg(ctx, MHV_RBX, half);
		new[1] = mhv_get_reg(ctx, MHV_RCX, half);
		if (half == 4) {
			low |= high << 32;
			high = 0;
			new[0] |= new[1] << 32;
		}
		equal = old[0] == low && old[1] == high;
		r = write_back(ctx, insn, &p, old, equal ? new : old);
		if (r == MHV_EMUL_MISMATCH)
			mhv_journal_rewind(ctx);
	} while (r == MHV_EMUL_MISMATCH && --tries);
	if (r != MHV_EMUL_OK)
		return r == MHV_EMUL_MISMATCH ? MHV_EMUL_RETRY : r;

	flags = get_flags(ctx) & ~(u64)MHV_FLAG_ZF;
	set_flags(ctx, flags | (equal ? MHV_FLAG_ZF : 0));
	if (!equal) {
		mhv_set_reg(ctx, MHV_RAX, half, old[0]);
		mhv_set_reg(ctx, MHV_RDX, half, half == 4 ? old[0] >> 32 : old[1]);
	}
	return mhv_finish(ctx, insn);
}

/* A register is the destination */
static enum mhv_emul_result exec_alu_load(struct mhv_emul_ctx *ctx,
					  const struct mhv_insn *insn)
{
	u64 src, value, flags = get_flags(ctx);
	enum mhv_emul_result r;

	r = load(ctx, insn, &src);
	if (r != MHV_EMUL_OK)
		return r;
	if (insn->op == MHV_OP_IMUL_RM)
		value = mhv_alu_imul(mhv_get_operand(ctx, insn), src, insn->size, &flags);
	else if (insn->op == MHV_OP_IMUL_RMI)
		value = mhv_alu_imul(src, (s64)insn->imm, insn->size, &flags);
	else
		value = mhv_alu(insn->arg, mhv_get_operand(ctx, insn), src, insn->size, &flags);
	if (insn->op != MHV_OP_ALU_RM || insn->arg != MHV_ALU_CMP)
		mhv_set_operand(ctx, insn, value);
	set_flags(ctx, flags);
	return mhv_finish(ctx, insn);
}

static enum mhv_emul_result exec_mul(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u64 src, low, high, flags = get_flags(ctx);
	unsigned int size = insn->size;
	enum mhv_emul_result r;

	r = load(ctx, insn, &src);
	if (r != MHV_EMUL_OK)
		return r;
	low = mhv_alu_mul(insn->arg, mhv_get_reg(ctx, MHV_RAX, size), src, size, &high, &flags);
	if (size == 1) {
		mhv_set_reg(ctx, MHV_RAX, 2, low | high << 8);
	} else {
		mhv_set_reg(ctx, MHV_RAX, size, low);
		mhv_set_reg(ctx, MHV_RDX, size, high);
	}
	set_flags(ctx, flags);
	return mhv_finish(ctx, insn);
}

/* ---- stack and control flow ---------------------------------------------- */

/* Bytes of the stack pointer in use: SS.B outside 64-bit mode */
static unsigned int stack_width(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	struct mhv_emul_seg ss;

	if (insn->mode == MHV_MODE_64)
		return 8;
	ctx->ops->segment(ctx, MHV_SEG_SS, &ss);
	return ss.rights & MHV_SEG_DB ? 4 : 2;
}

/* A stack slot, and what RSP is once it is pushed or popped */
struct slot {
	struct mhv_place place;
	unsigned int width;
	u64 rsp;
};

static enum mhv_emul_result push_slot(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				      struct slot *s)
{
	s->width = stack_width(ctx, insn);
	s->rsp = (mhv_before(ctx)[MHV_RSP] - insn->regsize) & mhv_mask(s->width);
	return mhv_linear(ctx, insn, MHV_SEG_SS, s->rsp, insn->regsize, MHV_EMUL_WRITE,
			  &s->place);
}

static enum mhv_emul_result pop_slot(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				     struct slot *s)
{
	u64 rsp = mhv_before(ctx)[MHV_RSP];

	s->width = stack_width(ctx, insn);
	s->rsp = (rsp + insn->regsize) & mhv_mask(s->width);
	return mhv_linear(ctx, insn, MHV_SEG_SS, rsp & mhv_mask(s->width), insn->regsize,
			  MHV_EMUL_READ, &s->place);
}

static void set_rsp(struct mhv_emul_ctx *ctx, const struct slot *s)
{
	mhv_set_reg(ctx, MHV_RSP, s->width, s->rsp);
}

/* May RIP become @target, cut to the operand size already? */
static enum mhv_emul_result check_target(struct mhv_emul_ctx *ctx,
					 const struct mhv_insn *insn, u64 target)
{
	struct mhv_emul_seg cs;

	if (insn->mode == MHV_MODE_64)
		return mhv_canonical(ctx, target) ? MHV_EMUL_OK :
						    mhv_emul_raise(ctx, MHV_VECTOR_GP);
	ctx->ops->segment(ctx, MHV_SEG_CS, &cs);
	return target <= cs.limit ? MHV_EMUL_OK : mhv_emul_raise(ctx, MHV_VECTOR_GP);
}

/* PUSH and CALL with an operand in memory: both are checked before it is read */
static enum mhv_emul_result push_source(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
					struct slot *s, u64 *value)
{
	enum mhv_emul_result r;
	struct mhv_place p;

	*value = 0;
	r = mhv_operand(ctx, insn, MHV_EMUL_READ, &p);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, &p, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = push_slot(ctx, insn, s);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, &s->place, MHV_EMUL_WRITE);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &p, value, MHV_EMUL_READ);
	return r;
}

static enum mhv_emul_result exec_push(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct slot s;
	u64 value;

	if (insn->op == MHV_OP_PUSH_M) {
		r = push_source(ctx, insn, &s, &value);
	} else {
		value = insn->op == MHV_OP_PUSH_I ? (u64)(s64)insn->imm :
						    mhv_get_operand(ctx, insn);
		r = push_slot(ctx, insn, &s);
	}
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &s.place, &value);
	if (r != MHV_EMUL_OK)
		return r;
	set_rsp(ctx, &s);
	return mhv_finish(ctx, insn);
}

static enum mhv_emul_result exec_pop_reg(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct slot s;
	u64 value = 0;

	r = pop_slot(ctx, insn, &s);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &s.place, &value, MHV_EMUL_READ);
	if (r != MHV_EMUL_OK)
		return r;
	set_rsp(ctx, &s);
	mhv_set_operand(ctx, insn, value);
	return mhv_finish(ctx, insn);
}

/* The destination's address is computed with RSP as it is after the pop */
static u64 pop_effective(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
			 const struct slot *s)
{
	u64 ea = mhv_effective(ctx, insn), old = mhv_before(ctx)[MHV_RSP], new = s->rsp;

	if (insn->base != MHV_RSP)
		return ea;
	if (s->width == 2)
		new |= old & ~0xffffULL;
	return (ea - old + new) & mhv_mask(insn->addrsize);
}

static enum mhv_emul_result exec_pop_mem(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct mhv_place p;
	struct slot s;
	u64 value = 0;

	r = pop_slot(ctx, insn, &s);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, &s.place, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = mhv_linear(ctx, insn, insn->seg, pop_effective(ctx, insn, &s),
			       insn->size, MHV_EMUL_WRITE, &p);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, &p, MHV_EMUL_WRITE);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &s.place, &value, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &p, &value);
	if (r != MHV_EMUL_OK)
		return r;
	set_rsp(ctx, &s);
	return mhv_finish(ctx, insn);
}

static enum mhv_emul_result exec_call(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u64 next = mhv_next_rip(ctx, insn), target;
	enum mhv_emul_result r;
	struct slot s;

	if (insn->op == MHV_OP_CALL_M) {
		r = push_source(ctx, insn, &s, &target);
	} else {
		target = (next + (s64)insn->imm) & mhv_mask(insn->regsize);
		r = push_slot(ctx, insn, &s);
	}
	if (r == MHV_EMUL_OK)
		r = check_target(ctx, insn, target);
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &s.place, &next);
	if (r != MHV_EMUL_OK)
		return r;
	set_rsp(ctx, &s);
	ctx->regs->r[MHV_RIP] = target;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result exec_jmp(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	u64 target;

	r = load(ctx, insn, &target);
	if (r == MHV_EMUL_OK)
		r = check_target(ctx, insn, target);
	if (r == MHV_EMUL_OK)
		ctx->regs->r[MHV_RIP] = target;
	return r;
}

static enum mhv_emul_result exec_ret(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	u64 target = 0;
	struct slot s;

	r = pop_slot(ctx, insn, &s);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &s.place, &target, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = check_target(ctx, insn, target);
	if (r != MHV_EMUL_OK)
		return r;
	s.rsp = (s.rsp + insn->imm) & mhv_mask(s.width);
	set_rsp(ctx, &s);
	ctx->regs->r[MHV_RIP] = target;
	return MHV_EMUL_OK;
}

/* ---- the table ----------------------------------------------------------- */

static mhv_handler *const handlers[MHV_NR_OPS] = {
	[MHV_OP_MOV_MR]		= exec_store,
	[MHV_OP_MOV_MI]		= exec_store,
	[MHV_OP_MOV_RM]		= exec_load,
	[MHV_OP_MOVZX]		= exec_load,
	[MHV_OP_MOVSX]		= exec_load,
	[MHV_OP_MOVBE_MR]	= exec_store,
	[MHV_OP_MOVBE_RM]	= exec_load,
	[MHV_OP_CMOV]		= exec_load,
	[MHV_OP_SETCC]		= exec_store,
	[MHV_OP_ALU_MR]		= exec_modify,
	[MHV_OP_ALU_MI]		= exec_modify,
	[MHV_OP_ALU_RM]		= exec_alu_load,
	[MHV_OP_UNARY]		= exec_modify,
	[MHV_OP_SHIFT]		= exec_modify,
	[MHV_OP_SHIFT_CL]	= exec_modify,
	[MHV_OP_DSHIFT]		= exec_modify,
	[MHV_OP_DSHIFT_CL]	= exec_modify,
	[MHV_OP_BIT_R]		= exec_modify,
	[MHV_OP_BIT_I]		= exec_modify,
	[MHV_OP_MUL]		= exec_mul,
	[MHV_OP_IMUL_RM]	= exec_alu_load,
	[MHV_OP_IMUL_RMI]	= exec_alu_load,
	[MHV_OP_XCHG]		= exec_modify,
	[MHV_OP_XADD]		= exec_modify,
	[MHV_OP_CMPXCHG]	= exec_modify,
	[MHV_OP_CMPXCHG_PAIR]	= exec_cmpxchg_pair,
	[MHV_OP_PUSH_M]		= exec_push,
	[MHV_OP_PUSH_R]		= exec_push,
	[MHV_OP_PUSH_I]		= exec_push,
	[MHV_OP_POP_M]		= exec_pop_mem,
	[MHV_OP_POP_R]		= exec_pop_reg,
	[MHV_OP_CALL_M]		= exec_call,
	[MHV_OP_CALL_REL]	= exec_call,
	[MHV_OP_JMP_M]		= exec_jmp,
	[MHV_OP_RET]		= exec_ret,
	[MHV_OP_MOVS]		= mhv_exec_string,
	[MHV_OP_CMPS]		= mhv_exec_string,
	[MHV_OP_STOS]		= mhv_exec_string,
	[MHV_OP_LODS]		= mhv_exec_string,
	[MHV_OP_SCAS]		= mhv_exec_string,
	[MHV_OP_VEC_LOAD]	= mhv_exec_vec_load,
	[MHV_OP_VEC_STORE]	= mhv_exec_vec_store,
	[MHV_OP_VEC_LOAD_LO]	= mhv_exec_vec_load,
	[MHV_OP_VEC_LOAD_HI]	= mhv_exec_vec_load,
	[MHV_OP_VEC_STORE_HI]	= mhv_exec_vec_store,
	[MHV_OP_FLUSH]		= exec_flush,
};

static void forget(struct mhv_emul_ctx *ctx)
{
	mhv_journal_rewind(ctx);
	ctx->batch = 0;
	ctx->pending = false;
	ctx->saved = false;
}

/* After a run: keep the instruction for mhv_emul_resume(), or be ready for the next */
static enum mhv_emul_result settle(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				   enum mhv_emul_result r)
{
	if (r != MHV_EMUL_PENDING) {
		forget(ctx);
		return r;
	}
	if (insn != &ctx->insn)
		ctx->insn = *insn;
	ctx->pending = true;
	ctx->pos = 0;
	ctx->off = 0;
	return r;
}

/* ---- the short way: MOV and MOVZX in 64-bit mode, no FS or GS ------------- */

static inline u64 plain_address(const u64 *r, const struct mhv_insn *insn)
{
	u64 la = insn->disp;

	if (likely(insn->base != MHV_REG_NONE))
		la += r[insn->base];
	if (insn->index != MHV_REG_NONE)
		la += r[insn->index] << insn->scale;
	return la;
}

static enum mhv_emul_result plain_store(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
					u64 la)
{
	u64 *r = ctx->regs->r;
	u64 value = insn->op == MHV_OP_MOV_MI ? (u64)(s64)insn->imm : r[insn->reg];
	enum mhv_emul_result result;

	result = ctx->ops->write(ctx, la, &value, insn->size);
	if (unlikely(result != MHV_EMUL_OK))
		return settle(ctx, insn, result);
	r[MHV_RIP] += insn->len;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result plain_loaded(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
					 u64 value)
{
	mhv_set_reg(ctx, insn->reg, insn->regsize, value);
	ctx->regs->r[MHV_RIP] += insn->len;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result plain_load(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				       u64 la)
{
	enum mhv_emul_result result;
	u64 value = 0;

	result = ctx->ops->read(ctx, la, &value, insn->size, MHV_EMUL_READ);
	if (unlikely(result != MHV_EMUL_OK))
		return settle(ctx, insn, result);
	return plain_loaded(ctx, insn, value);
}

/* ---- entry points -------------------------------------------------------- */

enum mhv_emul_result mhv_emul_exec(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	if (unlikely(ctx->pending))
		forget(ctx);
	if (likely(insn->flags & MHV_INSN_PLAIN)) {
		u64 la = plain_address(ctx->regs->r, insn);

		/* aligned, so it is in one page and its last byte canonical too */
		if (likely(!(la & (insn->size - 1)) && mhv_canonical(ctx, la))) {
			if (insn->op <= MHV_OP_MOV_MI)
				return plain_store(ctx, insn, la);
			return plain_load(ctx, insn, la);
		}
	}
	return settle(ctx, insn, handlers[insn->op](ctx, insn));
}

enum mhv_emul_result mhv_emul_resume(struct mhv_emul_ctx *ctx)
{
	const struct mhv_insn *insn = &ctx->insn;

	/* the usual end of a load: its one access is done */
	if (likely((insn->flags & MHV_INSN_PLAIN) && insn->op > MHV_OP_MOV_MI &&
		   ctx->nr == 1 && ctx->len == insn->size)) {
		u64 value;

		memcpy(&value, ctx->data, sizeof(value));
		forget(ctx);
		return plain_loaded(ctx, insn, value & mhv_mask(insn->size));
	}
	return settle(ctx, insn, handlers[insn->op](ctx, insn));
}

void mhv_emul_complete(struct mhv_emul_ctx *ctx, const void *data, unsigned int size)
{
	ctx->nr++;
	if (!data || ctx->len + size > sizeof(ctx->data))
		return;
	mhv_copy(ctx->data + ctx->len, data, size);
	ctx->len += size;
}

void mhv_emul_regs_change(struct mhv_emul_ctx *ctx, const struct mhv_emul_regs *new)
{
	const u64 *before = mhv_before(ctx);

	if (!ctx->pending)
		return;
	if (new->r[MHV_RIP] != before[MHV_RIP]) {
		forget(ctx);
	} else if (!ctx->saved) {
		ctx->before = *ctx->regs;
		ctx->saved = true;
	}
}

void mhv_emul_abandon(struct mhv_emul_ctx *ctx)
{
	forget(ctx);
}
