// SPDX-License-Identifier: GPL-2.0-only
/*
 * The x86 instruction decoder (decode.h says what it promises).
 *
 * In the order of an instruction's bytes:
 *
 *   prefixes	legacy and REX, up to the opcode
 *   opcode	one-byte map, 0F map, 0F 38 map, or a VEX prefix and its map
 *   resolve	opcodes that ModRM.reg (groups) or a mandatory prefix tells apart
 *   operands	ModRM, SIB, displacement, immediate
 *
 * Every map is a table of 256 entries; an entry that is all zero is an instruction
 * this decoder does not know.  The few flags of an entry say how its operands lie
 * in the bytes, so that the code below has no case for any one instruction.
 *
 * Bytes are taken without asking whether they were fetched: the buffer is long
 * enough for all that is taken (at most 15 prefixes, REX, a 4-byte VEX opcode,
 * ModRM, SIB, 4 bytes of displacement and 4 of immediate), and whoever decides
 * goes through verdict(), which answers MHV_DECODE_SHORT when a byte was looked
 * at that the caller had not got.  So bytes that were not there decide nothing.
 *
 * Sections are those of the SDM, volume 2: 2.1 (prefixes, ModRM, SIB), 2.2 (REX),
 * 2.3 (VEX), appendix A (maps).
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "decode.h"

/*
 * What is known of an opcode.  The bits of mhv_insn.flags have the same place here:
 * those of prefixes say that the prefix has a meaning, the others are properties of
 * the instruction.
 */
#define F_LOCK		MHV_INSN_LOCK
#define F_REP		(MHV_INSN_REP | MHV_INSN_REPNE)
#define F_VEX		MHV_INSN_VEX
#define F_ALIGNED	MHV_INSN_ALIGNED
#define F_RFLAGS	MHV_INSN_USES_RFLAGS
#define F_STACK		MHV_INSN_USES_RSP
#define F_PLAIN		MHV_INSN_PLAIN
#define F_PREFIXES	(F_LOCK | F_REP | F_VEX)
#define F_PROPERTIES	(F_ALIGNED | F_RFLAGS | F_STACK | F_PLAIN)
/* How its operands lie in the bytes */
#define F_MODRM		BIT(9)
#define F_BYTE		BIT(10)	/* operands of one byte */
#define F_W		BIT(11)	/* the same where the opcode is even */
#define F_CC		BIT(12)	/* the low opcode bits are the arg, a condition */
#define F_IMM8		BIT(13)	/* one byte, sign extended */
#define F_IMMZ		BIT(14)	/* as wide as the operand, at most 4 bytes */
#define F_IMM16		BIT(15)	/* two bytes, zero extended */
#define F_IMM1		BIT(16)	/* the immediate is 1 and takes no byte */
#define F_MOFFS		BIT(17)	/* no ModRM: an absolute address */
#define F_OPREG		BIT(18)	/* the low opcode bits name the register */
#define F_REGARG	BIT(19)	/* ModRM.reg is the arg */
#define F_NOREG		BIT(20)	/* ModRM.reg names no register */
#define F_D64		BIT(21)	/* operands of 8 bytes in 64-bit mode, or 2 */
#define F_F64		BIT(22)	/* operands of 8 bytes in 64-bit mode */
#define F_MIN32		BIT(23)	/* operands of 4 bytes instead of 2 */
#define F_NO64		BIT(24)	/* #UD in 64-bit mode */
#define F_ONLY64	BIT(25)	/* another instruction outside 64-bit mode */
/* The operand in memory has a size of its own: arg, or what memory_size() says */
#define F_MEMSIZE	BIT(26)
#define F_VEX256	BIT(27)	/* VEX.L may be 1 and doubles the size */
#define F_VEXLIG	BIT(28)	/* VEX.L is ignored */
#define F_VVVV		BIT(29)	/* VEX.vvvv is an operand */
/* Not an instruction yet: op is an index into groups[] or by_prefix[] */
#define F_GROUP		BIT(30)
#define F_PREFIX	BIT(31)

#define F_IMMEDIATE	(F_IMM8 | F_IMMZ | F_IMM16 | F_IMM1)

struct opcode {
	u8  op;
	u8  arg;
	u32 flags;
};

/* Values of op above enum mhv_op: not instructions but ways to one */
enum {
	OP_LEGACY = MHV_NR_OPS,	/* legacy prefix */
	OP_REX,			/* REX in 64-bit mode */
	OP_0F,
	OP_VEX2,
	OP_VEX3,
	OP_UD,			/* #UD whatever follows */
};

#define ENTRY(_op, _arg, _flags) { MHV_OP_##_op, (_arg), (_flags) }
#define M(_op, _arg, _flags)	ENTRY(_op, _arg, F_MODRM | (_flags))
#define GROUP(_g, _flags)	{ (_g), 0, F_MODRM | F_GROUP | (_flags) }
#define PREFIX(_p)		{ (_p), 0, F_MODRM | F_PREFIX }

enum { G_1, G_1A, G_3, G_4, G_5, G_8, G_9, G_11, G_15, NR_GROUPS };

enum {
	P_10, P_11, P_12, P_13, P_16, P_17, P_28, P_29, P_2B, P_6E, P_6F, P_7E, P_7F,
	P_C3, P_D6, P_E7, P_F0, P_AE6, P_AE7, P_38_2A, P_38_F0, P_38_F1, P_38_F9,
	NR_PREFIXED,
};

static const struct opcode one_byte[256] = {
	[0x00 ... 0x01] = M(ALU_MR, MHV_ALU_ADD, F_W | F_LOCK | F_RFLAGS),
	[0x02 ... 0x03] = M(ALU_RM, MHV_ALU_ADD, F_W | F_RFLAGS),
	[0x08 ... 0x09] = M(ALU_MR, MHV_ALU_OR, F_W | F_LOCK | F_RFLAGS),
	[0x0a ... 0x0b] = M(ALU_RM, MHV_ALU_OR, F_W | F_RFLAGS),
	[0x0f] = { OP_0F, 0, 0 },
	[0x10 ... 0x11] = M(ALU_MR, MHV_ALU_ADC, F_W | F_LOCK | F_RFLAGS),
	[0x12 ... 0x13] = M(ALU_RM, MHV_ALU_ADC, F_W | F_RFLAGS),
	[0x18 ... 0x19] = M(ALU_MR, MHV_ALU_SBB, F_W | F_LOCK | F_RFLAGS),
	[0x1a ... 0x1b] = M(ALU_RM, MHV_ALU_SBB, F_W | F_RFLAGS),
	[0x20 ... 0x21] = M(ALU_MR, MHV_ALU_AND, F_W | F_LOCK | F_RFLAGS),
	[0x22 ... 0x23] = M(ALU_RM, MHV_ALU_AND, F_W | F_RFLAGS),
	[0x26] = { OP_LEGACY, 0, 0 },
	[0x28 ... 0x29] = M(ALU_MR, MHV_ALU_SUB, F_W | F_LOCK | F_RFLAGS),
	[0x2a ... 0x2b] = M(ALU_RM, MHV_ALU_SUB, F_W | F_RFLAGS),
	[0x2e] = { OP_LEGACY, 0, 0 },
	[0x30 ... 0x31] = M(ALU_MR, MHV_ALU_XOR, F_W | F_LOCK | F_RFLAGS),
	[0x32 ... 0x33] = M(ALU_RM, MHV_ALU_XOR, F_W | F_RFLAGS),
	[0x36] = { OP_LEGACY, 0, 0 },
	[0x38 ... 0x39] = M(ALU_MR, MHV_ALU_CMP, F_W | F_RFLAGS),
	[0x3a ... 0x3b] = M(ALU_RM, MHV_ALU_CMP, F_W | F_RFLAGS),
	[0x3e] = { OP_LEGACY, 0, 0 },
	[0x40 ... 0x4f] = { OP_REX, 0, 0 },
	[0x50 ... 0x57] = ENTRY(PUSH_R, 0, F_OPREG | F_STACK | F_D64),
	[0x58 ... 0x5f] = ENTRY(POP_R, 0, F_OPREG | F_STACK | F_D64),
	[0x63] = M(MOVSX, 0, F_ONLY64 | F_MEMSIZE),
	[0x64] = { OP_LEGACY, 0, 0 },
	[0x65] = { OP_LEGACY, 0, 0 },
	[0x66] = { OP_LEGACY, 0, 0 },
	[0x67] = { OP_LEGACY, 0, 0 },
	[0x68] = ENTRY(PUSH_I, 0, F_IMMZ | F_STACK | F_D64),
	[0x69] = M(IMUL_RMI, 0, F_IMMZ | F_RFLAGS),
	[0x6a] = ENTRY(PUSH_I, 0, F_IMM8 | F_STACK | F_D64),
	[0x6b] = M(IMUL_RMI, 0, F_IMM8 | F_RFLAGS),
	[0x80] = GROUP(G_1, F_IMM8 | F_BYTE),
	[0x81] = GROUP(G_1, F_IMMZ),
	[0x82] = GROUP(G_1, F_IMM8 | F_BYTE | F_NO64),
	[0x83] = GROUP(G_1, F_IMM8),
	[0x84 ... 0x85] = M(ALU_MR, MHV_ALU_TEST, F_W | F_RFLAGS),
	[0x86 ... 0x87] = M(XCHG, 0, F_W | F_LOCK),
	[0x88 ... 0x89] = M(MOV_MR, 0, F_W | F_PLAIN),
	[0x8a ... 0x8b] = M(MOV_RM, 0, F_W | F_PLAIN),
	[0x8f] = GROUP(G_1A, 0),
	[0xa0 ... 0xa1] = ENTRY(MOV_RM, 0, F_W | F_MOFFS | F_PLAIN),
	[0xa2 ... 0xa3] = ENTRY(MOV_MR, 0, F_W | F_MOFFS | F_PLAIN),
	[0xa4 ... 0xa5] = ENTRY(MOVS, 0, F_W | F_REP | F_RFLAGS),
	[0xa6 ... 0xa7] = ENTRY(CMPS, 0, F_W | F_REP | F_RFLAGS),
	[0xaa ... 0xab] = ENTRY(STOS, 0, F_W | F_REP | F_RFLAGS),
	[0xac ... 0xad] = ENTRY(LODS, 0, F_W | F_REP | F_RFLAGS),
	[0xae ... 0xaf] = ENTRY(SCAS, 0, F_W | F_REP | F_RFLAGS),
	[0xc0 ... 0xc1] = M(SHIFT, 0, F_W | F_REGARG | F_IMM8 | F_RFLAGS),
	[0xc2] = ENTRY(RET, 0, F_IMM16 | F_STACK | F_F64),
	[0xc3] = ENTRY(RET, 0, F_STACK | F_F64),
	[0xc4] = { OP_VEX3, 0, 0 },
	[0xc5] = { OP_VEX2, 0, 0 },
	[0xc6 ... 0xc7] = GROUP(G_11, F_W),
	[0xd0 ... 0xd1] = M(SHIFT, 0, F_W | F_REGARG | F_IMM1 | F_RFLAGS),
	[0xd2 ... 0xd3] = M(SHIFT_CL, 0, F_W | F_REGARG | F_RFLAGS),
	[0xe8] = ENTRY(CALL_REL, 0, F_IMMZ | F_STACK | F_F64),
	[0xf0] = { OP_LEGACY, 0, 0 },
	[0xf2] = { OP_LEGACY, 0, 0 },
	[0xf3] = { OP_LEGACY, 0, 0 },
	[0xf6 ... 0xf7] = GROUP(G_3, F_W),
	[0xfe] = GROUP(G_4, F_BYTE),
	[0xff] = GROUP(G_5, 0),
};

static const struct opcode two_byte[256] = {
	[0x0b] = { OP_UD, 0, 0 },
	[0x10] = PREFIX(P_10),
	[0x11] = PREFIX(P_11),
	[0x12] = PREFIX(P_12),
	[0x13] = PREFIX(P_13),
	[0x16] = PREFIX(P_16),
	[0x17] = PREFIX(P_17),
	[0x28] = PREFIX(P_28),
	[0x29] = PREFIX(P_29),
	[0x2b] = PREFIX(P_2B),
	[0x40 ... 0x4f] = M(CMOV, 0, F_CC | F_RFLAGS),
	[0x6e] = PREFIX(P_6E),
	[0x6f] = PREFIX(P_6F),
	[0x7e] = PREFIX(P_7E),
	[0x7f] = PREFIX(P_7F),
	[0x90 ... 0x9f] = M(SETCC, 0, F_CC | F_BYTE | F_NOREG | F_RFLAGS),
	[0xa3] = M(BIT_R, MHV_BIT_TEST, F_RFLAGS),
	[0xa4] = M(DSHIFT, 0, F_IMM8 | F_RFLAGS),
	[0xa5] = M(DSHIFT_CL, 0, F_RFLAGS),
	[0xab] = M(BIT_R, MHV_BIT_SET, F_LOCK | F_RFLAGS),
	[0xac] = M(DSHIFT, 1, F_IMM8 | F_RFLAGS),
	[0xad] = M(DSHIFT_CL, 1, F_RFLAGS),
	[0xae] = GROUP(G_15, 0),
	[0xaf] = M(IMUL_RM, 0, F_RFLAGS),
	[0xb0 ... 0xb1] = M(CMPXCHG, 0, F_W | F_LOCK | F_RFLAGS),
	[0xb3] = M(BIT_R, MHV_BIT_RESET, F_LOCK | F_RFLAGS),
	[0xb6] = M(MOVZX, 1, F_MEMSIZE | F_PLAIN),
	[0xb7] = M(MOVZX, 2, F_MEMSIZE | F_PLAIN),
	[0xb9] = { OP_UD, 0, 0 },
	[0xba] = GROUP(G_8, F_IMM8),
	[0xbb] = M(BIT_R, MHV_BIT_COMPLEMENT, F_LOCK | F_RFLAGS),
	[0xbe] = M(MOVSX, 1, F_MEMSIZE),
	[0xbf] = M(MOVSX, 2, F_MEMSIZE),
	[0xc0 ... 0xc1] = M(XADD, 0, F_W | F_LOCK | F_RFLAGS),
	[0xc3] = PREFIX(P_C3),
	[0xc7] = GROUP(G_9, 0),
	[0xd6] = PREFIX(P_D6),
	[0xe7] = PREFIX(P_E7),
	[0xf0] = PREFIX(P_F0),
	[0xff] = { OP_UD, 0, 0 },
};

static const struct opcode map_0f38[256] = {
	[0x2a] = PREFIX(P_38_2A),
	[0xf0] = PREFIX(P_38_F0),
	[0xf1] = PREFIX(P_38_F1),
	[0xf9] = PREFIX(P_38_F9),
};

/* by ModRM.reg */
static const struct opcode groups[NR_GROUPS][8] = {
	[G_1] = {
		[MHV_ALU_ADD] = ENTRY(ALU_MI, MHV_ALU_ADD, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_OR] = ENTRY(ALU_MI, MHV_ALU_OR, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_ADC] = ENTRY(ALU_MI, MHV_ALU_ADC, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_SBB] = ENTRY(ALU_MI, MHV_ALU_SBB, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_AND] = ENTRY(ALU_MI, MHV_ALU_AND, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_SUB] = ENTRY(ALU_MI, MHV_ALU_SUB, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_XOR] = ENTRY(ALU_MI, MHV_ALU_XOR, F_LOCK | F_RFLAGS | F_NOREG),
		[MHV_ALU_CMP] = ENTRY(ALU_MI, MHV_ALU_CMP, F_RFLAGS | F_NOREG),
	},
	[G_1A] = { [0] = ENTRY(POP_M, 0, F_STACK | F_D64 | F_NOREG) },
	[G_3] = {
		[0 ... 1] = ENTRY(ALU_MI, MHV_ALU_TEST, F_IMMZ | F_RFLAGS | F_NOREG),
		[2] = ENTRY(UNARY, MHV_UNARY_NOT, F_LOCK | F_RFLAGS | F_NOREG),
		[3] = ENTRY(UNARY, MHV_UNARY_NEG, F_LOCK | F_RFLAGS | F_NOREG),
		[4] = ENTRY(MUL, 0, F_RFLAGS | F_NOREG),
		[5] = ENTRY(MUL, 1, F_RFLAGS | F_NOREG),
	},
	[G_4] = {
		[0] = ENTRY(UNARY, MHV_UNARY_INC, F_LOCK | F_RFLAGS | F_NOREG),
		[1] = ENTRY(UNARY, MHV_UNARY_DEC, F_LOCK | F_RFLAGS | F_NOREG),
		[2 ... 7] = { OP_UD, 0, 0 },
	},
	[G_5] = {
		[0] = ENTRY(UNARY, MHV_UNARY_INC, F_LOCK | F_RFLAGS | F_NOREG),
		[1] = ENTRY(UNARY, MHV_UNARY_DEC, F_LOCK | F_RFLAGS | F_NOREG),
		[2] = ENTRY(CALL_M, 0, F_STACK | F_F64 | F_NOREG),
		[4] = ENTRY(JMP_M, 0, F_F64 | F_NOREG),
		[6] = ENTRY(PUSH_M, 0, F_STACK | F_D64 | F_NOREG),
		[7] = { OP_UD, 0, 0 },
	},
	[G_8] = {
		[0 ... 3] = { OP_UD, 0, 0 },
		[4] = ENTRY(BIT_I, MHV_BIT_TEST, F_RFLAGS | F_NOREG),
		[5] = ENTRY(BIT_I, MHV_BIT_SET, F_LOCK | F_RFLAGS | F_NOREG),
		[6] = ENTRY(BIT_I, MHV_BIT_RESET, F_LOCK | F_RFLAGS | F_NOREG),
		[7] = ENTRY(BIT_I, MHV_BIT_COMPLEMENT, F_LOCK | F_RFLAGS | F_NOREG),
	},
	[G_9] = { [1] = ENTRY(CMPXCHG_PAIR, 0, F_MEMSIZE | F_LOCK | F_RFLAGS | F_NOREG) },
	[G_11] = {
		[0] = ENTRY(MOV_MI, 0, F_IMMZ | F_NOREG | F_PLAIN),
		[1 ... 6] = { OP_UD, 0, 0 },
		/* 7 is XABORT and XBEGIN, which have no memory form */
	},
	[G_15] = { [6] = PREFIX(P_AE6), [7] = PREFIX(P_AE7) },
};

/* by mandatory prefix: none, 66, F3, F2 */
#define V(_op, _size, _flags)	ENTRY(VEC_##_op, _size, F_MEMSIZE | F_VEX | (_flags))
#define FULL(_op, _flags)	V(_op, 16, F_VEX256 | (_flags))
#define SCALAR(_op, _size)	V(_op, _size, F_VEXLIG)

static const struct opcode by_prefix[NR_PREFIXED][4] = {
	/* MOVUPS, MOVUPD, MOVSS, MOVSD */
	[P_10] = { FULL(LOAD, 0), FULL(LOAD, 0), SCALAR(LOAD, 4), SCALAR(LOAD, 8) },
	[P_11] = { FULL(STORE, 0), FULL(STORE, 0), SCALAR(STORE, 4), SCALAR(STORE, 8) },
	/* MOVLPS, MOVLPD */
	[P_12] = { V(LOAD_LO, 8, F_VVVV), V(LOAD_LO, 8, F_VVVV) },
	[P_13] = { V(STORE, 8, 0), V(STORE, 8, 0) },
	/* MOVHPS, MOVHPD */
	[P_16] = { V(LOAD_HI, 8, F_VVVV), V(LOAD_HI, 8, F_VVVV) },
	[P_17] = { V(STORE_HI, 8, 0), V(STORE_HI, 8, 0) },
	/* MOVAPS, MOVAPD */
	[P_28] = { FULL(LOAD, F_ALIGNED), FULL(LOAD, F_ALIGNED) },
	[P_29] = { FULL(STORE, F_ALIGNED), FULL(STORE, F_ALIGNED) },
	/* MOVNTPS, MOVNTPD */
	[P_2B] = { FULL(STORE, F_ALIGNED), FULL(STORE, F_ALIGNED) },
	/* -, MOVD and MOVQ */
	[P_6E] = { [1] = V(LOAD, 0, 0) },
	/* -, MOVDQA, MOVDQU */
	[P_6F] = { [1] = FULL(LOAD, F_ALIGNED), [2] = FULL(LOAD, 0) },
	/* -, MOVD and MOVQ, MOVQ */
	[P_7E] = { [1] = V(STORE, 0, 0), [2] = V(LOAD, 8, 0) },
	[P_7F] = { [1] = FULL(STORE, F_ALIGNED), [2] = FULL(STORE, 0) },
	/* MOVNTI */
	[P_C3] = { [0] = ENTRY(MOV_MR, 0, F_MIN32 | F_PLAIN) },
	/* -, MOVQ */
	[P_D6] = { [1] = V(STORE, 8, 0) },
	/* -, MOVNTDQ */
	[P_E7] = { [1] = FULL(STORE, F_ALIGNED) },
	/* -, -, -, LDDQU */
	[P_F0] = { [3] = FULL(LOAD, 0) },
	/* -, CLWB; CLFLUSH, CLFLUSHOPT */
	[P_AE6] = { [1] = ENTRY(FLUSH, 0, F_BYTE | F_NOREG) },
	[P_AE7] = { [0 ... 1] = ENTRY(FLUSH, 0, F_BYTE | F_NOREG) },
	/* -, MOVNTDQA */
	[P_38_2A] = { [1] = FULL(LOAD, F_ALIGNED) },
	[P_38_F0] = { [0 ... 1] = ENTRY(MOVBE_RM, 0, 0) },
	[P_38_F1] = { [0 ... 1] = ENTRY(MOVBE_MR, 0, 0) },
	/* MOVDIRI */
	[P_38_F9] = { [0] = ENTRY(MOV_MR, 0, F_MIN32 | F_PLAIN) },
};

/* 16-bit addressing, by ModRM.rm */
static const u8 base16[8] = {
	MHV_RBX, MHV_RBX, MHV_RBP, MHV_RBP, MHV_RSI, MHV_RDI, MHV_RBP, MHV_RBX,
};

static const u8 index16[8] = {
	MHV_RSI, MHV_RDI, MHV_RSI, MHV_RDI,
	MHV_REG_NONE, MHV_REG_NONE, MHV_REG_NONE, MHV_REG_NONE,
};

#define REX_W	8
#define REX_R	4
#define REX_X	2
#define REX_B	1

#define NO_SEG	0xff

/* What the prefixes said, and where we are */
struct decoder {
	const u8 *bytes;
	unsigned int pos;
	unsigned int nr;
	u32  flags;	/* prefixes met, as in mhv_insn.flags */
	u8   mode;
	u8   rex;	/* 40 to 4f, or the bits of a VEX prefix */
	u8   seg;
	bool opsize;	/* 66 */
	bool addrsize;	/* 67 */
	bool vex256;
	u8   vvvv;
	u8   pp;	/* mandatory prefix: column of by_prefix[] */
	u8   opcode;
	u8   modrm;
};

static __always_inline u8 take(struct decoder *d)
{
	return d->bytes[d->pos++];
}

static __always_inline s32 take_signed(struct decoder *d, unsigned int size)
{
	const u8 *p = d->bytes + d->pos;

	d->pos += size;
	if (size == 1)
		return (s8)p[0];
	if (size == 2)
		return (s16)(p[0] | p[1] << 8);
	return (s32)(p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24);
}

/* A decision holds only if all bytes it rests on were there */
static __always_inline enum mhv_decode_result verdict(const struct decoder *d,
						      enum mhv_decode_result result)
{
	if (likely(d->pos <= d->nr))
		return result;
	return d->nr < MHV_INSN_MAX ? MHV_DECODE_SHORT : MHV_DECODE_TOO_LONG;
}

static void legacy_prefix(struct decoder *d, u8 byte)
{
	switch (byte) {
	case 0x66:
		d->opsize = true;
		break;
	case 0x67:
		d->addrsize = true;
		break;
	case 0xf0:
		d->flags |= MHV_INSN_LOCK;
		break;
	case 0xf2:
	case 0xf3:	/* the last one counts */
		d->flags &= ~F_REP;
		d->flags |= byte == 0xf3 ? MHV_INSN_REP : MHV_INSN_REPNE;
		break;
	case 0x64:
	case 0x65:
		d->seg = MHV_SEG_FS + (byte & 1);
		break;
	default:	/* 26, 2e, 36, 3e: without effect in 64-bit mode */
		if (d->mode != MHV_MODE_64)
			d->seg = (byte >> 3) & 3;
	}
}

/* Up to and with the first opcode byte; NULL when there is none in 15 bytes */
static const struct opcode *prefixes(struct decoder *d)
{
	const struct opcode *e;

	while (d->pos < MHV_INSN_MAX) {
		d->opcode = take(d);
		e = &one_byte[d->opcode];
		if (e->op == OP_REX && d->mode == MHV_MODE_64) {
			d->rex = d->opcode;
		} else if (e->op == OP_LEGACY) {
			legacy_prefix(d, d->opcode);
			d->rex = 0;	/* REX counts right before the opcode only */
		} else {
			return e;
		}
	}
	d->pos++;
	return NULL;
}

static const struct opcode unknown;
static const struct opcode undefined = { OP_UD, 0, 0 };

/* C4 and C5: VEX, or LES and LDS, which have no register form */
static const struct opcode *vex(struct decoder *d, bool three)
{
	u8 byte = take(d), map = 1;

	if (d->mode != MHV_MODE_64 && byte < 0xc0)
		return &unknown;
	if (d->flags || d->opsize || d->rex)
		return &undefined;

	d->flags = MHV_INSN_VEX;
	d->rex = (byte & 0x80) ? 0 : REX_R;
	if (three) {
		map = byte & 0x1f;
		d->rex |= (byte & 0x40) ? 0 : REX_X;
		d->rex |= (byte & 0x20) ? 0 : REX_B;
		byte = take(d);
		d->rex |= (byte & 0x80) ? REX_W : 0;
	}
	if (d->mode != MHV_MODE_64)
		d->rex = 0;
	d->vvvv = (~byte >> 3) & 0xf;
	d->vex256 = byte & 4;
	d->pp = byte & 3;
	d->opcode = take(d);
	if (map == 1)
		return &two_byte[d->opcode];
	if (map == 2)
		return &map_0f38[d->opcode];
	return &unknown;
}

/* The opcode maps beyond the first byte */
static const struct opcode *opcode(struct decoder *d, const struct opcode *e)
{
	if (e->op == OP_VEX2 || e->op == OP_VEX3)
		return vex(d, e->op == OP_VEX3);

	d->pp = d->opsize;
	if (d->flags & F_REP)
		d->pp = d->flags & MHV_INSN_REP ? 2 : 3;
	d->opcode = take(d);
	if (d->opcode != 0x38)
		return &two_byte[d->opcode];
	d->opcode = take(d);
	return &map_0f38[d->opcode];
}

/* Follow groups and mandatory prefixes to the instruction; flags add up */
static struct opcode resolve(struct decoder *d, const struct opcode *e)
{
	struct opcode r = *e;

	if (r.flags & F_MODRM)
		d->modrm = take(d);
	while (unlikely(r.flags & (F_GROUP | F_PREFIX))) {
		u32 flags = r.flags & ~(F_GROUP | F_PREFIX);

		if (r.flags & F_GROUP)
			e = &groups[r.op][(d->modrm >> 3) & 7];
		else
			e = &by_prefix[r.op][d->pp];
		r = *e;
		r.flags |= flags;
	}
	if ((r.flags & F_W) && !(d->opcode & 1))
		r.flags |= F_BYTE;
	return r;
}

static bool is_register_form(const struct decoder *d, u32 flags)
{
	return (flags & F_MODRM) && d->modrm >= 0xc0;
}

static enum mhv_decode_result check_vex(const struct decoder *d, u32 flags)
{
	if (!(flags & F_VEX))
		return MHV_DECODE_UNSUPPORTED;
	if (d->vex256 && !(flags & (F_VEX256 | F_VEXLIG)))
		return MHV_DECODE_UD;
	if (d->vvvv && !(flags & F_VVVV))
		return MHV_DECODE_UD;
	return MHV_DECODE_OK;
}

/* Rules that make a known instruction #UD, or another one */
static enum mhv_decode_result check(const struct decoder *d, const struct opcode *e)
{
	if ((d->flags & F_LOCK) && (!(e->flags & F_LOCK) || is_register_form(d, e->flags)))
		return MHV_DECODE_UD;
	if (e->op == OP_UD)
		return MHV_DECODE_UD;
	if (e->op == MHV_OP_NONE || e->op >= MHV_NR_OPS)
		return MHV_DECODE_UNSUPPORTED;
	if ((e->flags & F_NO64) && d->mode == MHV_MODE_64)
		return MHV_DECODE_UD;
	if ((e->flags & F_ONLY64) && d->mode != MHV_MODE_64)
		return MHV_DECODE_UNSUPPORTED;
	if (is_register_form(d, e->flags))
		return e->flags & F_STACK ? MHV_DECODE_UNSUPPORTED : MHV_DECODE_NO_MEMORY;
	return d->flags & F_VEX ? check_vex(d, e->flags) : MHV_DECODE_OK;
}

static u8 operand_size(const struct decoder *d, u32 flags)
{
	if (flags & F_BYTE)
		return 1;
	if (d->mode != MHV_MODE_64)
		return d->opsize == (d->mode == MHV_MODE_16) || (flags & F_MIN32) ? 4 : 2;
	if ((d->rex & REX_W) || (flags & F_F64))
		return 8;
	if (d->opsize)
		return 2;
	return flags & F_D64 ? 8 : 4;
}

static u8 address_size(const struct decoder *d)
{
	if (!d->addrsize)
		return d->mode;
	return d->mode == MHV_MODE_32 ? 2 : 4;
}

/* Operands in memory that are not as wide as the one in a register */
static void memory_size(const struct decoder *d, const struct opcode *e,
			struct mhv_insn *insn)
{
	bool w = d->rex & REX_W;

	if (e->op == MHV_OP_CMPXCHG_PAIR) {
		insn->regsize = w ? 8 : 4;
		insn->size = 2 * insn->regsize;
	} else if (e->arg) {
		insn->size = d->vex256 && (e->flags & F_VEX256) ? 32 : e->arg;
	} else if (e->op == MHV_OP_MOVSX) {
		/* MOVSXD */
		insn->size = insn->regsize == 2 ? 2 : 4;
	} else {
		/* MOVD and MOVQ */
		insn->size = w ? 8 : 4;
	}
}

static void mem16(struct decoder *d, struct mhv_insn *insn)
{
	u8 mod = d->modrm >> 6, rm = d->modrm & 7;

	if (mod == 0 && rm == 6) {
		insn->disp = take_signed(d, 2);
		return;
	}
	insn->base = base16[rm];
	insn->index = index16[rm];
	if (insn->base == MHV_RBP)
		insn->seg = MHV_SEG_SS;
	if (mod)
		insn->disp = take_signed(d, mod);
}

static void sib(struct decoder *d, struct mhv_insn *insn)
{
	u8 byte = take(d), index;

	index = ((byte >> 3) & 7) | (d->rex & REX_X ? 8 : 0);
	if (index != MHV_RSP) {
		insn->index = index;
		insn->scale = byte >> 6;
	}
	insn->base = byte & 7;
}

static void mem(struct decoder *d, struct mhv_insn *insn)
{
	u8 mod = d->modrm >> 6;

	insn->base = d->modrm & 7;
	if (insn->base == MHV_RSP)
		sib(d, insn);
	if (mod == 0 && insn->base == MHV_RBP) {
		/* no base, or RIP where that is not said by a SIB byte */
		insn->base = MHV_REG_NONE;
		if (d->mode == MHV_MODE_64 && (d->modrm & 7) == MHV_RBP)
			insn->base = MHV_RIP;
		insn->disp = take_signed(d, 4);
		return;
	}
	if (d->rex & REX_B)
		insn->base += 8;
	else if (insn->base == MHV_RSP || insn->base == MHV_RBP)
		insn->seg = MHV_SEG_SS;
	if (mod)
		insn->disp = take_signed(d, mod == 1 ? 1 : 4);
}

static void moffs(struct decoder *d, struct mhv_insn *insn)
{
	insn->disp = (u32)take_signed(d, insn->addrsize == 2 ? 2 : 4);
	if (insn->addrsize == 8)
		insn->disp |= (s64)((u64)(u32)take_signed(d, 4) << 32);
}

static void immediate(struct decoder *d, u32 flags, struct mhv_insn *insn)
{
	if (flags & F_IMM8)
		insn->imm = take_signed(d, 1);
	else if (flags & F_IMM1)
		insn->imm = 1;
	else if (flags & F_IMM16)
		insn->imm = (u16)take_signed(d, 2);
	else
		insn->imm = take_signed(d, insn->regsize > 4 ? 4 : insn->regsize);
}

/* The operand in a register, unless the bits mean something else */
static void reg(const struct decoder *d, u32 flags, struct mhv_insn *insn)
{
	if (flags & F_REGARG)
		insn->arg = (d->modrm >> 3) & 7;
	if (flags & F_CC)
		insn->arg = d->opcode & 15;
	if (flags & F_OPREG)
		insn->reg = (d->opcode & 7) | (d->rex & REX_B ? 8 : 0);
	if (!(flags & F_MODRM) || (flags & (F_REGARG | F_NOREG)))
		return;
	insn->reg = ((d->modrm >> 3) & 7) | (d->rex & REX_R ? 8 : 0);
	if ((flags & F_BYTE) && !d->rex && insn->reg >= 4) {
		insn->reg -= 4;
		insn->flags |= MHV_INSN_HIGH8;
	}
}

static void set_flags(const struct decoder *d, u32 flags, struct mhv_insn *insn)
{
	insn->flags |= flags & (d->flags | F_PROPERTIES);
	if (insn->base == MHV_RSP || (insn->reg == MHV_RSP && insn->op < MHV_OP_VEC_LOAD))
		insn->flags |= MHV_INSN_USES_RSP;
	if (insn->addrsize != 8 || insn->seg >= MHV_SEG_FS || (insn->flags & MHV_INSN_HIGH8))
		insn->flags &= ~MHV_INSN_PLAIN;
}

/* All that follows the opcode */
static void operands(struct decoder *d, const struct opcode *e, struct mhv_insn *insn)
{
	u32 flags = e->flags;

	*insn = (struct mhv_insn) {
		.op = e->op,
		.arg = flags & F_MEMSIZE ? 0 : e->arg,
		.mode = d->mode,
		.seg = MHV_SEG_DS,
		.base = MHV_REG_NONE,
		.index = MHV_REG_NONE,
		.addrsize = address_size(d),
		.vvvv = d->mode == MHV_MODE_64 ? d->vvvv : d->vvvv & 7,
	};
	insn->regsize = operand_size(d, flags);
	insn->size = insn->regsize;
	if (flags & F_MEMSIZE)
		memory_size(d, e, insn);
	if (flags & F_MOFFS)
		moffs(d, insn);
	else if ((flags & F_MODRM) && insn->addrsize == 2)
		mem16(d, insn);
	else if (flags & F_MODRM)
		mem(d, insn);
	if (d->seg != NO_SEG)
		insn->seg = d->seg;
	if (flags & F_IMMEDIATE)
		immediate(d, flags, insn);
	reg(d, flags, insn);
	set_flags(d, flags, insn);
	insn->len = d->pos;
	if (insn->base == MHV_RIP)
		insn->disp += insn->len;
}

enum mhv_decode_result mhv_decode(const u8 *bytes, unsigned int nr,
				  enum mhv_mode mode, struct mhv_insn *insn)
{
	struct decoder d = {
		.bytes = bytes,
		.nr = nr < MHV_INSN_MAX ? nr : MHV_INSN_MAX,
		.mode = mode,
		.seg = NO_SEG,
	};
	enum mhv_decode_result result;
	const struct opcode *e;
	struct opcode found;

	e = prefixes(&d);
	if (!e)
		return verdict(&d, MHV_DECODE_TOO_LONG);
	if (e->op >= OP_0F && e->op <= OP_VEX3)
		e = opcode(&d, e);
	found = resolve(&d, e);
	result = check(&d, &found);
	if (result == MHV_DECODE_OK)
		operands(&d, &found, insn);
	return verdict(&d, result);
}
