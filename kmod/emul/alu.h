/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic as the x86 ALU does it: results and RFLAGS, in portable C.
 *
 * Pure functions.  Operands are zero extended to 64 bits; @size is 1, 2, 4 or 8
 * bytes.  @flags points to RFLAGS, of which these functions change only the bits
 * that the instruction defines.  Bits that the instruction leaves undefined keep
 * their value or get what common CPUs give; nothing may rest on them.
 */
#ifndef MHV_EMUL_ALU_H
#define MHV_EMUL_ALU_H

#include <linux/types.h>

#include "decode.h"

#define MHV_FLAG_CF	0x0001
#define MHV_FLAG_PF	0x0004
#define MHV_FLAG_AF	0x0010
#define MHV_FLAG_ZF	0x0040
#define MHV_FLAG_SF	0x0080
#define MHV_FLAG_TF	0x0100
#define MHV_FLAG_DF	0x0400
#define MHV_FLAG_OF	0x0800

/* All ones in the low @size bytes */
static inline u64 mhv_mask(unsigned int size)
{
	return ~0ULL >> (64 - 8 * size);
}

static inline s64 mhv_sign_extend(u64 value, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (s64)(value << shift) >> shift;
}

/* dst op src; for CMP and TEST only the flags are of use */
u64 mhv_alu(enum mhv_alu op, u64 dst, u64 src, unsigned int size, u64 *flags);
u64 mhv_alu_unary(enum mhv_unary op, u64 dst, unsigned int size, u64 *flags);
u64 mhv_alu_shift(enum mhv_shift op, u64 dst, u8 count, unsigned int size, u64 *flags);

/* SHLD (@right false) and SHRD: shift @dst, filling from @src */
u64 mhv_alu_dshift(bool right, u64 dst, u64 src, u8 count, unsigned int size, u64 *flags);

/* @bit below the operand's width */
u64 mhv_alu_bit(enum mhv_bit op, u64 dst, unsigned int bit, u64 *flags);

/* Two-operand IMUL; the product is cut to @size */
u64 mhv_alu_imul(u64 a, u64 b, unsigned int size, u64 *flags);

/* MUL and IMUL into a double-width product; returns the low half */
u64 mhv_alu_mul(bool sign, u64 a, u64 b, unsigned int size, u64 *high, u64 *flags);

/* Does condition @cc (low four bits of Jcc, SETcc, CMOVcc) hold? */
bool mhv_alu_condition(u8 cc, u64 flags);

#endif /* MHV_EMUL_ALU_H */
