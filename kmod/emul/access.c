// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, addresses and memory accesses of the instruction under way.
 *
 * An access goes through three steps: mhv_linear() turns seg:offset into a linear
 * address and makes the checks of segmentation (SDM volume 3, chapter 5, and 3.3.7.1
 * for canonical addresses); mhv_read() and mhv_write() cut it into pieces that lie
 * in one page; the journal sees to it that each piece is accessed once.
 *
 * Pieces.  An access in one page is one piece.  One that crosses a page is checked
 * on both pages first and then made in naturally aligned pieces, lowest address
 * first: a device sees sizes of a power of two only, and either page may be memory
 * or a device.
 *
 * The journal: ctx->nr accesses are done; what they have read lies in ctx->data, in
 * order.  A run of the instruction counts its accesses in ctx->pos; those below nr
 * are answered from the journal, the one at nr is made.  As a run depends only on
 * the registers it began with and on what it has read, each run makes the same
 * accesses up to the one that was pending.  Should that not hold (user space changed
 * a segment base meanwhile), bounds are kept and the instruction is begun anew.
 *
 * #AC is raised before page faults are looked for, where a CPU does it after.
 */
#include <linux/types.h>

#include "access.h"

u64 mhv_get_operand(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u64 value = mhv_before(ctx)[insn->reg];

	if (insn->flags & MHV_INSN_HIGH8)
		value >>= 8;
	return value & mhv_mask(insn->regsize);
}

void mhv_set_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn, u64 value)
{
	u64 *r = &ctx->regs->r[insn->reg];

	if (insn->flags & MHV_INSN_HIGH8)
		*r = (*r & ~0xff00ULL) | (value & 0xff) << 8;
	else
		mhv_set_reg(ctx, insn->reg, insn->regsize, value);
}

u64 mhv_next_rip(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u64 rip = mhv_before(ctx)[MHV_RIP] + insn->len;

	return insn->mode == MHV_MODE_64 ? rip : (u32)rip;
}

enum mhv_emul_result mhv_finish(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	ctx->regs->r[MHV_RIP] = mhv_next_rip(ctx, insn);
	return MHV_EMUL_OK;
}

/* All the exceptions we raise but #UD have an error code, and it is 0 */
enum mhv_emul_result mhv_emul_raise(struct mhv_emul_ctx *ctx, u8 vector)
{
	ctx->fault = (struct mhv_emul_fault) {
		.vector = vector,
		.has_error = vector != MHV_VECTOR_UD,
	};
	return MHV_EMUL_FAULT;
}

u64 mhv_effective(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	const u64 *r = mhv_before(ctx);
	u64 ea = insn->disp;

	if (insn->base != MHV_REG_NONE)
		ea += r[insn->base];
	if (insn->index != MHV_REG_NONE)
		ea += r[insn->index] << insn->scale;
	return ea & mhv_mask(insn->addrsize);
}

static enum mhv_emul_result linear64(struct mhv_emul_ctx *ctx, enum mhv_seg seg, u64 ea,
				     unsigned int size, struct mhv_place *p)
{
	struct mhv_emul_seg s = { .base = 0 };

	if (seg >= MHV_SEG_FS)
		ctx->ops->segment(ctx, seg, &s);
	p->la = s.base + ea;
	if (!mhv_canonical(ctx, p->la) || !mhv_canonical(ctx, p->la + size - 1))
		return mhv_emul_raise(ctx, seg == MHV_SEG_SS ? MHV_VECTOR_SS : MHV_VECTOR_GP);
	return MHV_EMUL_OK;
}

/* Does the segment's type allow the access?  Real mode does not ask. */
static bool segment_allows(const struct mhv_emul_seg *s, enum mhv_emul_access access)
{
	if (s->rights & MHV_SEG_UNUSABLE)
		return false;
	if (s->rights & MHV_SEG_CODE)
		return access == MHV_EMUL_READ && (s->rights & MHV_SEG_READABLE);
	return access == MHV_EMUL_READ || (s->rights & MHV_SEG_WRITABLE);
}

static bool within_limit(const struct mhv_emul_seg *s, u64 ea, unsigned int size)
{
	u64 last = ea + size - 1;

	if ((s->rights & (MHV_SEG_CODE | MHV_SEG_EXPAND_DOWN)) == MHV_SEG_EXPAND_DOWN)
		return ea > s->limit && last <= (s->rights & MHV_SEG_DB ? ~0U : 0xffff);
	/* a flat segment goes round at its end */
	return last <= s->limit || s->limit == ~0U;
}

static enum mhv_emul_result linear32(struct mhv_emul_ctx *ctx, enum mhv_seg seg, u64 ea,
				     unsigned int size, enum mhv_emul_access access,
				     struct mhv_place *p)
{
	struct mhv_emul_seg s;

	ctx->ops->segment(ctx, seg, &s);
	p->la = (u32)(s.base + ea);
	if (!ctx->real && !segment_allows(&s, access))
		return mhv_emul_raise(ctx, MHV_VECTOR_GP);
	if (!within_limit(&s, ea, size))
		return mhv_emul_raise(ctx, seg == MHV_SEG_SS ? MHV_VECTOR_SS : MHV_VECTOR_GP);
	return MHV_EMUL_OK;
}

enum mhv_emul_result mhv_linear(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				enum mhv_seg seg, u64 ea, unsigned int size,
				enum mhv_emul_access access, struct mhv_place *p)
{
	enum mhv_emul_result r;

	p->size = size;
	p->wrap = insn->mode != MHV_MODE_64;
	if (p->wrap)
		r = linear32(ctx, seg, ea, size, access, p);
	else
		r = linear64(ctx, seg, ea, size, p);
	if (r != MHV_EMUL_OK)
		return r;
	if ((p->la & (size - 1)) && size <= 8 && ctx->ops->align_check(ctx))
		return mhv_emul_raise(ctx, MHV_VECTOR_AC);
	return MHV_EMUL_OK;
}

enum mhv_emul_result mhv_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 enum mhv_emul_access access, struct mhv_place *p)
{
	return mhv_linear(ctx, insn, insn->seg, mhv_effective(ctx, insn), insn->size,
			  access, p);
}

/* ---- the journal --------------------------------------------------------- */

bool mhv_journal_replay(struct mhv_emul_ctx *ctx)
{
	if (ctx->pos == ctx->nr)
		return false;
	ctx->pos++;
	return true;
}

void mhv_journal_add(struct mhv_emul_ctx *ctx)
{
	ctx->nr++;
	ctx->pos++;
}

static enum mhv_emul_result read_piece(struct mhv_emul_ctx *ctx, u64 la, void *data,
				       unsigned int size, enum mhv_emul_access access)
{
	enum mhv_emul_result r;

	if (ctx->off + size > sizeof(ctx->data))
		return MHV_EMUL_RETRY;
	if (mhv_journal_replay(ctx)) {
		mhv_copy(data, ctx->data + ctx->off, size);
		ctx->off += size;
		return MHV_EMUL_OK;
	}
	r = ctx->ops->read(ctx, la, data, size, access);
	if (r != MHV_EMUL_OK)
		return r;
	mhv_journal_add(ctx);
	mhv_copy(ctx->data + ctx->off, data, size);
	ctx->off += size;
	ctx->len = ctx->off;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result write_piece(struct mhv_emul_ctx *ctx, u64 la, const void *data,
					unsigned int size)
{
	enum mhv_emul_result r;

	if (mhv_journal_replay(ctx))
		return MHV_EMUL_OK;
	r = ctx->ops->write(ctx, la, data, size);
	if (r == MHV_EMUL_OK)
		mhv_journal_add(ctx);
	return r;
}

/* ---- pieces -------------------------------------------------------------- */

static bool crosses_page(const struct mhv_place *p)
{
	return (p->la & (MHV_PAGE_SIZE - 1)) + p->size > MHV_PAGE_SIZE;
}

static u64 piece_address(const struct mhv_place *p, unsigned int done)
{
	return p->wrap ? (u32)(p->la + done) : p->la + done;
}

/* The largest naturally aligned piece at @la of at most @left bytes */
static unsigned int piece_size(u64 la, unsigned int left)
{
	unsigned int size = MHV_EMUL_DATA_MAX;

	while (size > left || (la & (size - 1)))
		size /= 2;
	return size;
}

enum mhv_emul_result mhv_probe(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			       enum mhv_emul_access access)
{
	unsigned int first = p->size;
	enum mhv_emul_result r;

	if (ctx->nr)
		return MHV_EMUL_OK;
	if (crosses_page(p))
		first = MHV_PAGE_SIZE - (p->la & (MHV_PAGE_SIZE - 1));
	r = ctx->ops->probe(ctx, p->la, first, access);
	if (r == MHV_EMUL_DEVICE)
		r = MHV_EMUL_OK;
	if (r != MHV_EMUL_OK || first == p->size)
		return r;
	r = ctx->ops->probe(ctx, piece_address(p, first), p->size - first, access);
	return r == MHV_EMUL_DEVICE ? MHV_EMUL_OK : r;
}

enum mhv_emul_result mhv_read(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			      void *data, enum mhv_emul_access access)
{
	enum mhv_emul_result r;
	unsigned int done, size;

	if (!crosses_page(p))
		return read_piece(ctx, p->la, data, p->size, access);

	r = mhv_probe(ctx, p, access);
	for (done = 0; r == MHV_EMUL_OK && done < p->size; done += size) {
		u64 la = piece_address(p, done);

		size = piece_size(la, p->size - done);
		r = read_piece(ctx, la, (u8 *)data + done, size, access);
	}
	return r;
}

enum mhv_emul_result mhv_write(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			       const void *data)
{
	enum mhv_emul_result r;
	unsigned int done, size;

	if (!crosses_page(p))
		return write_piece(ctx, p->la, data, p->size);

	r = mhv_probe(ctx, p, MHV_EMUL_WRITE);
	for (done = 0; r == MHV_EMUL_OK && done < p->size; done += size) {
		u64 la = piece_address(p, done);

		size = piece_size(la, p->size - done);
		r = write_piece(ctx, la, (const u8 *)data + done, size);
	}
	return r;
}
