// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads, stores and non-temporal moves of vector registers, 4 to 32 bytes.
 *
 * A value lies in 32 bytes of ordinary memory on its way; no vector instruction is
 * executed here.  Loads zero the register up to 16 bytes, the VEX forms the whole of
 * it; VEC_LOAD_LO and _HI replace 8 bytes of another register's low 16.
 */
#include <linux/string.h>
#include <linux/types.h>

#include "access.h"

#define XMM_SIZE	16

static unsigned int vector_size(const struct mhv_insn *insn)
{
	return insn->size > XMM_SIZE ? insn->size : XMM_SIZE;
}

/* The offset of the memory operand within the register */
static unsigned int lane(const struct mhv_insn *insn)
{
	return insn->op == MHV_OP_VEC_LOAD_HI || insn->op == MHV_OP_VEC_STORE_HI ? 8 : 0;
}

static enum mhv_emul_result vec_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
					enum mhv_emul_access access, struct mhv_place *p)
{
	enum mhv_emul_result r;

	if ((insn->flags & MHV_INSN_VEX) && ctx->real)
		return mhv_emul_raise(ctx, MHV_VECTOR_UD);
	/* a misaligned address is reported before what else is wrong with it */
	r = mhv_operand(ctx, insn, access, p);
	if ((insn->flags & MHV_INSN_ALIGNED) && (p->la & (insn->size - 1)))
		return mhv_emul_raise(ctx, MHV_VECTOR_GP);
	return r;
}

enum mhv_emul_result mhv_exec_vec_load(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u8 value[MHV_EMUL_DATA_MAX] = { 0 };
	bool vex = insn->flags & MHV_INSN_VEX;
	enum mhv_emul_result r;
	struct mhv_place p;

	r = vec_operand(ctx, insn, MHV_EMUL_READ, &p);
	if (r == MHV_EMUL_OK && insn->op != MHV_OP_VEC_LOAD)
		r = ctx->ops->read_vec(ctx, vex ? insn->vvvv : insn->reg, value, XMM_SIZE);
	if (r == MHV_EMUL_OK)
		r = mhv_read(ctx, &p, value + lane(insn), MHV_EMUL_READ);
	if (r == MHV_EMUL_OK)
		r = ctx->ops->write_vec(ctx, insn->reg, value, vector_size(insn), vex);
	if (r != MHV_EMUL_OK)
		return r;
	return mhv_finish(ctx, insn);
}

enum mhv_emul_result mhv_exec_vec_store(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn)
{
	u8 value[MHV_EMUL_DATA_MAX];
	enum mhv_emul_result r;
	struct mhv_place p;

	r = vec_operand(ctx, insn, MHV_EMUL_WRITE, &p);
	if (r == MHV_EMUL_OK)
		r = ctx->ops->read_vec(ctx, insn->reg, value, vector_size(insn));
	if (r == MHV_EMUL_OK)
		r = mhv_write(ctx, &p, value + lane(insn));
	if (r != MHV_EMUL_OK)
		return r;
	return mhv_finish(ctx, insn);
}
