// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic as the x86 ALU does it (alu.h says what it promises).
 *
 * Carries are found without wider types: for r = a + b + c, bit n carries out when
 * both operands have it, or one has it and the sum lost it.  The same bit vector
 * gives CF at the operand's top bit and AF at bit 3.
 *
 * Intermediate values may have bits above the operand; cut() drops them.
 */
#include <linux/types.h>

#include "alu.h"

#define FLAGS_SZP	(MHV_FLAG_SF | MHV_FLAG_ZF | MHV_FLAG_PF)
#define FLAGS_ALL	(FLAGS_SZP | MHV_FLAG_CF | MHV_FLAG_AF | MHV_FLAG_OF)

static inline u64 cut(u64 value, unsigned int size)
{
	return value & mhv_mask(size);
}

/* The top bit of the operand */
static inline u64 top(u64 value, unsigned int size)
{
	return (value >> (8 * size - 1)) & 1;
}

static inline void put(u64 *flags, u64 mask, u64 value)
{
	*flags = (*flags & ~mask) | value;
}

static inline u64 if_set(bool condition, u64 flag)
{
	return condition ? flag : 0;
}

static u64 szp(u64 r, unsigned int size)
{
	u8 even = r ^ r >> 4;

	/* bit n of 9669h: does the nibble n have an even number of ones? */
	return if_set(top(r, size), MHV_FLAG_SF) |
	       if_set(!cut(r, size), MHV_FLAG_ZF) |
	       if_set(0x9669 >> (even & 0xf) & 1, MHV_FLAG_PF);
}

static u64 carries(u64 vector, unsigned int size)
{
	return if_set(top(vector, size), MHV_FLAG_CF) |
	       if_set(vector & 8, MHV_FLAG_AF);
}

static u64 add(u64 a, u64 b, bool carry, unsigned int size, u64 *flags)
{
	u64 r = cut(a + b + carry, size);

	put(flags, FLAGS_ALL, szp(r, size) |
	    carries((a & b) | ((a | b) & ~r), size) |
	    if_set(top((a ^ r) & (b ^ r), size), MHV_FLAG_OF));
	return r;
}

static u64 sub(u64 a, u64 b, bool borrow, unsigned int size, u64 *flags)
{
	u64 r = cut(a - b - borrow, size);

	put(flags, FLAGS_ALL, szp(r, size) |
	    carries((~a & b) | ((~a | b) & r), size) |
	    if_set(top((a ^ b) & (a ^ r), size), MHV_FLAG_OF));
	return r;
}

static u64 logic(u64 r, unsigned int size, u64 *flags)
{
	put(flags, FLAGS_ALL, szp(r, size));
	return r;
}

u64 mhv_alu(enum mhv_alu op, u64 dst, u64 src, unsigned int size, u64 *flags)
{
	switch (op) {
	case MHV_ALU_ADD:
		return add(dst, src, false, size, flags);
	case MHV_ALU_OR:
		return logic(dst | src, size, flags);
	case MHV_ALU_ADC:
		return add(dst, src, *flags & MHV_FLAG_CF, size, flags);
	case MHV_ALU_SBB:
		return sub(dst, src, *flags & MHV_FLAG_CF, size, flags);
	case MHV_ALU_XOR:
		return logic(dst ^ src, size, flags);
	case MHV_ALU_SUB:
	case MHV_ALU_CMP:
		return sub(dst, src, false, size, flags);
	case MHV_ALU_AND:
	case MHV_ALU_TEST:
		break;
	}
	return logic(dst & src, size, flags);
}

u64 mhv_alu_unary(enum mhv_unary op, u64 dst, unsigned int size, u64 *flags)
{
	u64 carry = *flags & MHV_FLAG_CF;
	u64 r;

	switch (op) {
	case MHV_UNARY_INC:
		r = add(dst, 1, false, size, flags);
		break;
	case MHV_UNARY_DEC:
		r = sub(dst, 1, false, size, flags);
		break;
	case MHV_UNARY_NEG:
		return sub(0, dst, false, size, flags);
	default:
		return cut(~dst, size);
	}
	/* INC and DEC leave the carry alone */
	put(flags, MHV_FLAG_CF, carry);
	return r;
}

/* Rotate through CF; 0 < count < 8 * size + 1 */
static u64 rotate_carry(bool right, u64 dst, unsigned int count, unsigned int size,
			u64 *flags)
{
	bool carry = *flags & MHV_FLAG_CF;
	bool out;

	for (; count; count--) {
		if (right) {
			out = dst & 1;
			dst = dst >> 1 | (u64)carry << (8 * size - 1);
		} else {
			out = top(dst, size);
			dst = cut(dst << 1 | carry, size);
		}
		carry = out;
	}
	put(flags, MHV_FLAG_CF, if_set(carry, MHV_FLAG_CF));
	return dst;
}

static u64 rotate(enum mhv_shift op, u64 dst, unsigned int count, unsigned int size,
		  u64 *flags)
{
	bool right = op == MHV_SHIFT_ROR || op == MHV_SHIFT_RCR;
	unsigned int bits = 8 * size, by;
	u64 r = dst;

	if (op == MHV_SHIFT_RCL || op == MHV_SHIFT_RCR) {
		r = rotate_carry(right, dst, count % (bits + 1), size, flags);
	} else {
		by = count % bits;
		if (by)
			r = cut(right ? dst >> by | dst << (bits - by) :
					dst << by | dst >> (bits - by), size);
		put(flags, MHV_FLAG_CF, right ? top(r, size) : r & 1);
	}
	/* defined for one step only: did the top bit change on the way out? */
	if (right)
		put(flags, MHV_FLAG_OF, if_set(top(r ^ r << 1, size), MHV_FLAG_OF));
	else
		put(flags, MHV_FLAG_OF, if_set(top(r, size) ^ (*flags & MHV_FLAG_CF),
					       MHV_FLAG_OF));
	return r;
}

u64 mhv_alu_shift(enum mhv_shift op, u64 dst, u8 count, unsigned int size, u64 *flags)
{
	s64 wide = mhv_sign_extend(dst, size);
	u64 r, carry, over;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return dst;

	switch (op) {
	case MHV_SHIFT_SHL:
	case MHV_SHIFT_SAL:
		r = cut(dst << count, size);
		carry = count > 8 * size ? 0 : dst >> (8 * size - count) & 1;
		over = top(r, size) ^ carry;
		break;
	case MHV_SHIFT_SHR:
		r = dst >> count;
		carry = dst >> (count - 1) & 1;
		over = top(dst, size);
		break;
	case MHV_SHIFT_SAR:
		r = cut(wide >> count, size);
		carry = wide >> (count - 1) & 1;
		over = 0;
		break;
	default:
		return rotate(op, dst, count, size, flags);
	}
	put(flags, FLAGS_ALL, szp(r, size) | if_set(carry, MHV_FLAG_CF) |
	    if_set(over, MHV_FLAG_OF));
	return r;
}

u64 mhv_alu_dshift(bool right, u64 dst, u64 src, u8 count, unsigned int size, u64 *flags)
{
	unsigned int bits = 8 * size;
	u64 r, carry;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return dst;
	/* a 16-bit operand shifted by more than 16 is undefined: go round */
	if (count > bits)
		count -= bits;

	if (right) {
		r = (count < bits ? dst >> count : 0) | src << (bits - count);
		carry = dst >> (count - 1) & 1;
	} else {
		r = (count < bits ? dst << count : 0) | src >> (bits - count);
		carry = dst >> (bits - count) & 1;
	}
	r = cut(r, size);
	put(flags, FLAGS_ALL, szp(r, size) | if_set(carry, MHV_FLAG_CF) |
	    if_set(top(r ^ dst, size), MHV_FLAG_OF));
	return r;
}

u64 mhv_alu_bit(enum mhv_bit op, u64 dst, unsigned int bit, u64 *flags)
{
	u64 mask = 1ULL << bit;

	put(flags, MHV_FLAG_CF, if_set(dst & mask, MHV_FLAG_CF));
	switch (op) {
	case MHV_BIT_SET:
		return dst | mask;
	case MHV_BIT_RESET:
		return dst & ~mask;
	case MHV_BIT_COMPLEMENT:
		return dst ^ mask;
	case MHV_BIT_TEST:
		break;
	}
	return dst;
}

u64 mhv_alu_mul(bool sign, u64 a, u64 b, unsigned int size, u64 *high, u64 *flags)
{
	unsigned __int128 product;
	u64 low, spill;

	if (sign)
		product = (__int128)mhv_sign_extend(a, size) * mhv_sign_extend(b, size);
	else
		product = (unsigned __int128)a * b;
	low = cut(product, size);
	*high = cut(product >> (8 * size), size);

	/* CF and OF: the high half holds more than the low one's extension */
	spill = sign ? cut(-top(low, size), size) : 0;
	put(flags, FLAGS_ALL, szp(low, size) |
	    if_set(*high != spill, MHV_FLAG_CF | MHV_FLAG_OF));
	return low;
}

u64 mhv_alu_imul(u64 a, u64 b, unsigned int size, u64 *flags)
{
	u64 high;

	return mhv_alu_mul(true, a, b, size, &high, flags);
}

bool mhv_alu_condition(u8 cc, u64 flags)
{
	bool less = !(flags & MHV_FLAG_SF) != !(flags & MHV_FLAG_OF);
	bool holds = false;

	switch (cc >> 1) {
	case 0:
		holds = flags & MHV_FLAG_OF;
		break;
	case 1:
		holds = flags & MHV_FLAG_CF;
		break;
	case 2:
		holds = flags & MHV_FLAG_ZF;
		break;
	case 3:
		holds = flags & (MHV_FLAG_CF | MHV_FLAG_ZF);
		break;
	case 4:
		holds = flags & MHV_FLAG_SF;
		break;
	case 5:
		holds = flags & MHV_FLAG_PF;
		break;
	case 6:
		holds = less;
		break;
	case 7:
		holds = less || (flags & MHV_FLAG_ZF);
		break;
	}
	return holds != (cc & 1);
}
