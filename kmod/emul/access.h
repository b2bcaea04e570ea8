/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to the executor: registers, addresses and accesses of the instruction
 * under way.  access.c explains them.
 */
#ifndef MHV_EMUL_ACCESS_H
#define MHV_EMUL_ACCESS_H

#include <linux/string.h>
#include <linux/types.h>

#include "alu.h"
#include "exec.h"

#define MHV_PAGE_SIZE	4096

/* Exception vectors the executor raises itself */
#define MHV_VECTOR_UD	6
#define MHV_VECTOR_SS	12
#define MHV_VECTOR_GP	13
#define MHV_VECTOR_AC	17

/**
 * struct mhv_place - an operand in memory whose address has been checked
 * @la:		linear address of its first byte
 * @size:	bytes
 * @wrap:	linear addresses have 32 bits
 */
struct mhv_place {
	u64  la;
	u8   size;
	bool wrap;
};

/* The registers the instruction began with; results go to ctx->regs */
static inline const u64 *mhv_before(const struct mhv_emul_ctx *ctx)
{
	return ctx->saved ? ctx->before.r : ctx->regs->r;
}

static inline u64 mhv_get_reg(const struct mhv_emul_ctx *ctx, unsigned int reg,
			      unsigned int size)
{
	return mhv_before(ctx)[reg] & mhv_mask(size);
}

/* As the CPU writes a register: 4 bytes zero the upper ones, 1 and 2 keep them */
static inline void mhv_set_reg(struct mhv_emul_ctx *ctx, unsigned int reg, unsigned int size,
			       u64 value)
{
	u64 *r = &ctx->regs->r[reg];

	if (size >= 4)
		*r = value & mhv_mask(size);
	else
		*r = (*r & ~mhv_mask(size)) | (value & mhv_mask(size));
}

/* Copy 1, 2, 4, 8, 16 or 32 bytes; other sizes copy nothing */
static inline void mhv_copy(void *to, const void *from, unsigned int size)
{
	if (size == 4)
		memcpy(to, from, 4);
	else if (size == 8)
		memcpy(to, from, 8);
	else if (size == 1)
		memcpy(to, from, 1);
	else if (size == 2)
		memcpy(to, from, 2);
	else if (size == 16)
		memcpy(to, from, 16);
	else if (size == 32)
		memcpy(to, from, 32);
}

/* The register operand, which may be one of AH, CH, DH, BH */
u64 mhv_get_operand(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);
void mhv_set_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn, u64 value);

u64 mhv_next_rip(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);

/* The last step of every instruction that does not branch */
enum mhv_emul_result mhv_finish(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);

enum mhv_emul_result mhv_emul_raise(struct mhv_emul_ctx *ctx, u8 vector);

static inline bool mhv_canonical(const struct mhv_emul_ctx *ctx, u64 la)
{
	unsigned int shift = 64 - ctx->va_bits;

	return (u64)((s64)(la << shift) >> shift) == la;
}

/* Effective address of the operand in memory, cut to the address size */
u64 mhv_effective(const struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);

/*
 * Segment, limit, rights, canonical and alignment checks of seg:[ea, ea + size).
 * @p is filled in with a fault, too.
 */
enum mhv_emul_result mhv_linear(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				enum mhv_seg seg, u64 ea, unsigned int size,
				enum mhv_emul_access access, struct mhv_place *p);

/* mhv_linear() of the instruction's operand in memory */
enum mhv_emul_result mhv_operand(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn,
				 enum mhv_emul_access access, struct mhv_place *p);

/* Each goes through the journal and may cross a page; @data has p->size bytes */
enum mhv_emul_result mhv_read(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			      void *data, enum mhv_emul_access access);
enum mhv_emul_result mhv_write(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			       const void *data);

/* Would the access fault?  OK: no.  Not asked once the instruction has begun. */
enum mhv_emul_result mhv_probe(struct mhv_emul_ctx *ctx, const struct mhv_place *p,
			       enum mhv_emul_access access);

/* One entry of the journal for an access without data */
bool mhv_journal_replay(struct mhv_emul_ctx *ctx);
void mhv_journal_add(struct mhv_emul_ctx *ctx);

/* As if no access had been made */
static inline void mhv_journal_rewind(struct mhv_emul_ctx *ctx)
{
	ctx->nr = 0;
	ctx->pos = 0;
	ctx->len = 0;
	ctx->off = 0;
}

/* string.c, vector.c */
enum mhv_emul_result mhv_exec_string(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);
enum mhv_emul_result mhv_exec_vec_load(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);
enum mhv_emul_result mhv_exec_vec_store(struct mhv_emul_ctx *ctx, const struct mhv_insn *insn);

#endif /* MHV_EMUL_ACCESS_H */
