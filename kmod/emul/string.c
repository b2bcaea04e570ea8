// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions: MOVS, CMPS, STOS, LODS, SCAS, alone or repeated.
 *
 * One call executes one round: one element, or with REP MOVS and REP STOS a batch of
 * them, and commits rCX, rSI and rDI.  When rounds are left, RIP stays and the answer
 * is MHV_EMUL_AGAIN, so that interrupts come between rounds as on a CPU.
 *
 * A batch is what one request to the device model can carry: elements that lie
 * wholly in one page on either side, at most MHV_EMUL_STRING_SIZE bytes, with no
 * wrap of an address and no segment limit on the way.  Whatever does not fit is done
 * element by element, which finds wrap, limit and page crossing precisely.
 *
 * A batch reads all its elements before it writes the first.  That is the same as
 * element by element unless an element written is read later on.  It cannot be when
 * one side is memory and the other a device.  Otherwise the batch ends where the
 * first such element might be, judged by the offsets in the page alone, as two
 * linear pages may be one.
 *
 * ctx->batch holds the round's length from its first access on, so that a resumed
 * round is the same one whatever probe() would answer by now.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include "access.h"

#define OFFSET(la)	((unsigned int)(la) & (MHV_PAGE_SIZE - 1))

static bool is_repeated(const struct mhv_insn *insn)
{
	return insn->flags & (MHV_INSN_REP | MHV_INSN_REPNE);
}

static bool goes_down(const struct mhv_emul_ctx *ctx)
{
	return mhv_before(ctx)[MHV_RFLAGS] & MHV_FLAG_DF;
}

static u64 count_left(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	return mhv_get_reg(ctx, MHV_RCX, insn->addrsize);
}

static enum mhv_emul_result source(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				   struct mhv_place *p)
{
	return mhv_linear(ctx, insn, insn->seg, mhv_get_reg(ctx, MHV_RSI, insn->addrsize),
			  insn->size, MHV_EMUL_READ, p);
}

static enum mhv_emul_result destination(struct mhv_emul_ctx *ctx,
					const struct mhv_insn *insn,
					enum mhv_emul_access access, struct mhv_place *p)
{
	return mhv_linear(ctx, insn, MHV_SEG_ES, mhv_get_reg(ctx, MHV_RDI, insn->addrsize),
			  insn->size, access, p);
}

static void step(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn, unsigned int reg,
		 unsigned int count)
{
	u64 by = (u64)count * insn->size;

	mhv_set_reg(ctx, reg, insn->addrsize,
		    mhv_before(ctx)[reg] + (goes_down(ctx) ? -by : by));
}

/* Commit a round of @count elements; @more: the flags allow another one */
static enum mhv_emul_result commit(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				   unsigned int count, bool more)
{
	u64 left = count_left(ctx, insn) - count;

	if (insn->op != MHV_OP_STOS && insn->op != MHV_OP_SCAS)
		step(ctx, insn, MHV_RSI, count);
	if (insn->op != MHV_OP_LODS)
		step(ctx, insn, MHV_RDI, count);
	if (!is_repeated(insn))
		return mhv_finish(ctx, insn);
	mhv_set_reg(ctx, MHV_RCX, insn->addrsize, left);
	if (left && more)
		return MHV_EMUL_AGAIN;
	return mhv_finish(ctx, insn);
}

/* ---- one element --------------------------------------------------------- */

/* Both operands, checked before either is accessed */
static enum mhv_emul_result both(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 enum mhv_emul_access access, struct mhv_place *src,
				 struct mhv_place *dst)
{
	enum mhv_emul_result r;

	r = source(ctx, insn, src);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, src, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = destination(ctx, insn, access, dst);
	if (r == MHV_EMUL_OK)
		r = mhv_probe(ctx, dst, access);
	return r;
}

static enum mhv_emul_result movs(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	struct mhv_place src, dst;
	enum mhv_emul_result r;
	u64 value;

	r = both(ctx, insn, MHV_EMUL_WRITE, &src, &dst);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &src, &value, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &dst, &value);
	if (r != MHV_EMUL_OK)
		return r;
	return commit(ctx, insn, 1, true);
}

static enum mhv_emul_result stos(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct mhv_place dst;

	r = destination(ctx, insn, MHV_EMUL_WRITE, &dst);
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &dst, &mhv_before(ctx)[MHV_RAX]);
	if (r != MHV_EMUL_OK)
		return r;
	return commit(ctx, insn, 1, true);
}

static enum mhv_emul_result lods(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct mhv_place src;
	u64 value = 0;

	r = source(ctx, insn, &src);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &src, &value, MHV_EMUL_READ);
	if (r != MHV_EMUL_OK)
		return r;
	mhv_set_reg(ctx, MHV_RAX, insn->size, value);
	return commit(ctx, insn, 1, true);
}

static enum mhv_emul_result compare(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				    u64 a, u64 b)
{
	u64 flags = mhv_before(ctx)[MHV_RFLAGS];
	enum mhv_emul_result r;
	bool equal;

	mhv_alu(MHV_ALU_CMP, a, b, insn->size, &flags);
	equal = flags & MHV_FLAG_ZF;
	r = commit(ctx, insn, 1, equal == !(insn->flags & MHV_INSN_REPNE));
	ctx->regs->r[MHV_RFLAGS] = flags;
	return r;
}

static enum mhv_emul_result cmps(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	struct mhv_place src, dst;
	enum mhv_emul_result r;
	u64 a = 0, b = 0;

	r = both(ctx, insn, MHV_EMUL_READ, &src, &dst);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &src, &a, MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &dst, &b, MHV_EMUL_READ);
	if (r != MHV_EMUL_OK)
		return r;
	return compare(ctx, insn, a, b);
}

static enum mhv_emul_result scas(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	enum mhv_emul_result r;
	struct mhv_place dst;
	u64 b = 0;

	r = destination(ctx, insn, MHV_EMUL_READ, &dst);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &dst, &b, MHV_EMUL_READ);
	if (r != MHV_EMUL_OK)
		return r;
	return compare(ctx, insn, mhv_get_reg(ctx, MHV_RAX, insn->size), b);
}

static enum mhv_emul_result one_element(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	switch (insn->op) {
	case MHV_OP_MOVS:
		return movs(ctx, insn);
	case MHV_OP_STOS:
		return stos(ctx, insn);
	case MHV_OP_LODS:
		return lods(ctx, insn);
	case MHV_OP_CMPS:
		return cmps(ctx, insn);
	default:
		return scas(ctx, insn);
	}
}

/* ---- a batch of elements ------------------------------------------------- */

/* Elements from @la on that lie wholly in its page */
static unsigned int room(u64 la, unsigned int size, bool down)
{
	if (OFFSET(la) + size > MHV_PAGE_SIZE)
		return 0;
	return down ? OFFSET(la) / size + 1 : (MHV_PAGE_SIZE - OFFSET(la)) / size;
}

/* Elements before one that was written would be read, were the pages the same */
static unsigned int apart(const struct mhv_emul_string *src,
			  const struct mhv_emul_string *dst)
{
	int distance = OFFSET(dst->la) - OFFSET(src->la);

	if (src->down)
		distance = -distance;
	return distance > 0 ? distance / src->size : MHV_PAGE_SIZE;
}

/*
 * One side of a batch: the string at seg:[reg], cut to the length that needs no
 * further checks.  Faults are those of the first element.
 */
static enum mhv_emul_result side(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 enum mhv_seg seg, enum mhv_reg reg,
				 enum mhv_emul_access access, struct mhv_emul_string *s)
{
	u64 ea = mhv_get_reg(ctx, reg, insn->addrsize), span;
	enum mhv_emul_result r;
	struct mhv_place p;

	r = mhv_linear(ctx, insn, seg, ea, insn->size, access, &p);
	if (r != MHV_EMUL_OK)
		return r;
	s->la = p.la;
	s->size = insn->size;
	s->down = goes_down(ctx);
	s->count = min_t(unsigned int, s->count, room(p.la, insn->size, s->down));
	if (s->count <= 1)
		return MHV_EMUL_OK;

	span = (s->count - 1) * insn->size;
	ea = (s->down ? ea - span : ea + span) & mhv_mask(insn->addrsize);
	r = mhv_linear(ctx, insn, seg, ea, insn->size, access, &p);
	if (r != MHV_EMUL_OK || p.la != (s->down ? s->la - span : s->la + span))
		s->count = 1;
	return MHV_EMUL_OK;
}

/*
 * One side of the round, checked: OK for memory, DEVICE, or why it cannot be.  The
 * first element tells for all of them, which lie in one page.  A round under way has
 * been checked.
 */
static enum mhv_emul_result check_side(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				       enum mhv_seg seg, enum mhv_reg reg,
				       enum mhv_emul_access access,
				       struct mhv_emul_string *s)
{
	enum mhv_emul_result r;

	r = side(ctx, insn, seg, reg, access, s);
	if (r != MHV_EMUL_OK || ctx->batch || s->count <= 1)
		return r;
	return ctx->ops->probe(ctx, s->la, s->size, access);
}

static bool is_fine(enum mhv_emul_result r)
{
	return r == MHV_EMUL_OK || r == MHV_EMUL_DEVICE;
}

/* Both sides of the round and, in dst->count, its length: 1 where there is no batch */
static enum mhv_emul_result plan(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 struct mhv_emul_string *src, struct mhv_emul_string *dst)
{
	bool two = insn->op == MHV_OP_MOVS;
	enum mhv_emul_result from, to;

	if (two) {
		from = check_side(ctx, insn, insn->seg, MHV_RSI, MHV_EMUL_READ, src);
		if (!is_fine(from))
			return from;
		dst->count = src->count;
		if (dst->count <= 1)
			return MHV_EMUL_OK;
	}
	to = check_side(ctx, insn, MHV_SEG_ES, MHV_RDI, MHV_EMUL_WRITE, dst);
	if (!is_fine(to))
		return to;
	if (two && from == to && !ctx->batch)
		dst->count = min_t(unsigned int, dst->count, apart(src, dst));
	return MHV_EMUL_OK;
}

static void fill(struct mhv_emul_ctx *ctx, const struct mhv_emul_string *s)
{
	const u64 *value = &mhv_before(ctx)[MHV_RAX];
	unsigned int i;

	for (i = 0; i < s->count; i++)
		memcpy((u8 *)ctx->string + i * s->size, value, s->size);
}

static enum mhv_emul_result transfer(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				     const struct mhv_emul_string *src,
				     const struct mhv_emul_string *dst)
{
	enum mhv_emul_result r = MHV_EMUL_OK;

	if (insn->op == MHV_OP_STOS) {
		fill(ctx, dst);
	} else if (!mhv_journal_replay(ctx)) {
		r = ctx->ops->read_string(ctx, src);
		if (r != MHV_EMUL_OK)
			return r;
		mhv_journal_add(ctx);
	}
	if (!mhv_journal_replay(ctx))
		r = ctx->ops->write_string(ctx, dst);
	if (r != MHV_EMUL_OK)
		return r;
	return commit(ctx, insn, dst->count, true);
}

/* The most elements a round may have: 1 means that there are no batches */
static unsigned int most(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	if (ctx->batch)
		return ctx->batch;
	if (!is_repeated(insn) || !ctx->ops->read_string ||
	    (insn->op != MHV_OP_MOVS && insn->op != MHV_OP_STOS) ||
	    (mhv_before(ctx)[MHV_RFLAGS] & MHV_FLAG_TF))
		return 1;
	return min_t(u64, count_left(ctx, insn), MHV_EMUL_STRING_SIZE / insn->size);
}

enum mhv_emul_result mhv_exec_string(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	struct mhv_emul_string src = { .count = 0 }, dst = { .count = 0 };
	enum mhv_emul_result r;

	if (is_repeated(insn) && !count_left(ctx, insn))
		return mhv_finish(ctx, insn);

	src.count = most(ctx, insn);
	dst.count = src.count;
	if (src.count > 1) {
		r = plan(ctx, insn, &src, &dst);
		if (r != MHV_EMUL_OK)
			return r;
	}
	src.count = dst.count;
	if (dst.count <= 1) {
		ctx->batch = 1;
		return one_element(ctx, insn);
	}
	ctx->batch = dst.count;
	return transfer(ctx, insn, &src, &dst);
}
