/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 instruction decoder: bytes and a CPU mode in, struct mhv_insn out.
 *
 * Pure: no vCPU, no guest memory, no printk, no state.  It knows the instructions
 * that have an operand in memory and that software uses on device memory; all
 * else is MHV_DECODE_UNSUPPORTED.  The result depends on the bytes and the mode
 * alone, so it may be kept for as long as both are verified to be the same.
 */
#ifndef MHV_EMUL_DECODE_H
#define MHV_EMUL_DECODE_H

#include <linux/types.h>

#define MHV_INSN_MAX		15	/* bytes an instruction may have */
#define MHV_INSN_BUF		32	/* bytes the decoder may look at */

/* enum mhv_mode - default address size in bytes: CS.L and CS.D tell */
enum mhv_mode {
	MHV_MODE_16	= 2,
	MHV_MODE_32	= 4,
	MHV_MODE_64	= 8,
};

/**
 * enum mhv_decode_result - what mhv_decode() made of the bytes
 * @MHV_DECODE_OK:		decoded
 * @MHV_DECODE_SHORT:		the instruction goes on: fetch more bytes
 * @MHV_DECODE_TOO_LONG:	more than 15 bytes: #GP(0)
 * @MHV_DECODE_UD:		no CPU executes this: #UD
 * @MHV_DECODE_UNSUPPORTED:	not an instruction this decoder knows
 * @MHV_DECODE_NO_MEMORY:	the register form of one it knows; it touches no
 *				memory, so it is not what faulted: the bytes
 *				changed in between
 */
enum mhv_decode_result {
	MHV_DECODE_OK,
	MHV_DECODE_SHORT,
	MHV_DECODE_TOO_LONG,
	MHV_DECODE_UD,
	MHV_DECODE_UNSUPPORTED,
	MHV_DECODE_NO_MEMORY,
};

/* Segment registers as the CPU numbers them */
enum mhv_seg {
	MHV_SEG_ES, MHV_SEG_CS, MHV_SEG_SS, MHV_SEG_DS, MHV_SEG_FS, MHV_SEG_GS,
};

/* Registers as the CPU numbers them; the rest of the numbers are ours */
enum mhv_reg {
	MHV_RAX, MHV_RCX, MHV_RDX, MHV_RBX, MHV_RSP, MHV_RBP, MHV_RSI, MHV_RDI,
	MHV_R8, MHV_R9, MHV_R10, MHV_R11, MHV_R12, MHV_R13, MHV_R14, MHV_R15,
	MHV_RIP,
	MHV_RFLAGS,
	MHV_NR_REGS,
	MHV_REG_NONE = 0xff,
};

/*
 * enum mhv_op - what to execute: one name for each way of executing, not for
 * each mnemonic.  M is the operand in memory, R the one in a register, I an
 * immediate; the first one named is the destination.
 */
enum mhv_op {
	MHV_OP_NONE,
	/* moves */
	MHV_OP_MOV_MR,
	MHV_OP_MOV_MI,
	MHV_OP_MOV_RM,
	MHV_OP_MOVZX,
	MHV_OP_MOVSX,
	MHV_OP_MOVBE_MR,
	MHV_OP_MOVBE_RM,
	MHV_OP_CMOV,		/* arg: condition */
	MHV_OP_SETCC,		/* arg: condition */
	/* arithmetic; arg: enum mhv_alu, mhv_unary, mhv_shift, mhv_bit */
	MHV_OP_ALU_MR,
	MHV_OP_ALU_MI,
	MHV_OP_ALU_RM,
	MHV_OP_UNARY,
	MHV_OP_SHIFT,		/* imm: count */
	MHV_OP_SHIFT_CL,
	MHV_OP_DSHIFT,		/* imm: count; arg 0: SHLD, 1: SHRD */
	MHV_OP_DSHIFT_CL,
	MHV_OP_BIT_R,		/* the bit offset may reach beyond the operand */
	MHV_OP_BIT_I,
	MHV_OP_MUL,		/* rDX:rAX; arg 0: unsigned, 1: signed */
	MHV_OP_IMUL_RM,
	MHV_OP_IMUL_RMI,
	/* exchanges */
	MHV_OP_XCHG,
	MHV_OP_XADD,
	MHV_OP_CMPXCHG,
	MHV_OP_CMPXCHG_PAIR,	/* CMPXCHG8B, CMPXCHG16B */
	/* stack and control flow */
	MHV_OP_PUSH_M,
	MHV_OP_PUSH_R,
	MHV_OP_PUSH_I,
	MHV_OP_POP_M,
	MHV_OP_POP_R,
	MHV_OP_CALL_M,
	MHV_OP_CALL_REL,
	MHV_OP_JMP_M,
	MHV_OP_RET,		/* imm: bytes to drop */
	/* strings */
	MHV_OP_MOVS,
	MHV_OP_CMPS,
	MHV_OP_STOS,
	MHV_OP_LODS,
	MHV_OP_SCAS,
	/* vector registers */
	MHV_OP_VEC_LOAD,	/* low @size bytes; zeroes up to 16 */
	MHV_OP_VEC_STORE,
	MHV_OP_VEC_LOAD_LO,	/* low 8 bytes, others from @vvvv or kept */
	MHV_OP_VEC_LOAD_HI,	/* bytes 8 to 15 */
	MHV_OP_VEC_STORE_HI,
	/* cache line flushes: checked like a byte read, access nothing */
	MHV_OP_FLUSH,
	MHV_NR_OPS,
};

/* The order of the first eight is that of the opcode map */
enum mhv_alu {
	MHV_ALU_ADD, MHV_ALU_OR, MHV_ALU_ADC, MHV_ALU_SBB,
	MHV_ALU_AND, MHV_ALU_SUB, MHV_ALU_XOR, MHV_ALU_CMP,
	MHV_ALU_TEST,
};

enum mhv_unary { MHV_UNARY_INC, MHV_UNARY_DEC, MHV_UNARY_NOT, MHV_UNARY_NEG };

enum mhv_shift {
	MHV_SHIFT_ROL, MHV_SHIFT_ROR, MHV_SHIFT_RCL, MHV_SHIFT_RCR,
	MHV_SHIFT_SHL, MHV_SHIFT_SHR, MHV_SHIFT_SAL, MHV_SHIFT_SAR,
};

enum mhv_bit { MHV_BIT_TEST, MHV_BIT_SET, MHV_BIT_RESET, MHV_BIT_COMPLEMENT };

/* mhv_insn.flags */
#define MHV_INSN_LOCK		0x0001	/* LOCK prefix */
#define MHV_INSN_REP		0x0002	/* F3 on a string instruction */
#define MHV_INSN_REPNE		0x0004	/* F2 on a string instruction */
#define MHV_INSN_HIGH8		0x0008	/* @reg is AH, CH, DH or BH of @reg */
#define MHV_INSN_VEX		0x0010	/* zeroes the vector's upper bytes */
#define MHV_INSN_ALIGNED	0x0020	/* #GP unless aligned to @size */
#define MHV_INSN_USES_RFLAGS	0x0040	/* reads or writes RFLAGS */
#define MHV_INSN_USES_RSP	0x0080	/* reads or writes RSP */
#define MHV_INSN_PLAIN		0x0100	/* MOV; flat 64-bit segment and address */

/**
 * struct mhv_insn - a decoded instruction
 * @len:	bytes
 * @op:		enum mhv_op
 * @arg:	see enum mhv_op
 * @mode:	enum mhv_mode it was decoded for
 * @size:	bytes of the operand in memory: 1, 2, 4, 8, 16 or 32
 * @regsize:	bytes of the operand in a register: 1, 2, 4 or 8
 * @addrsize:	bytes of an address: 2, 4 or 8
 * @seg:	enum mhv_seg of the operand in memory; of strings, the source's
 * @base:	enum mhv_reg or MHV_REG_NONE
 * @index:	enum mhv_reg or MHV_REG_NONE
 * @scale:	shift for the index: 0 to 3
 * @reg:	operand in a register: enum mhv_reg, or number of the vector register
 * @flags:	MHV_INSN_*
 * @vvvv:	second source of a VEX load: number of the vector register
 * @pad:	zero
 * @disp:	displacement, sign extended; RIP-relative ones are from the
 *		instruction's first byte
 * @imm:	immediate, sign extended
 * @pad2:	zero
 */
struct mhv_insn {
	u8  len;
	u8  op;
	u8  arg;
	u8  mode;
	u8  size;
	u8  regsize;
	u8  addrsize;
	u8  seg;
	u8  base;
	u8  index;
	u8  scale;
	u8  reg;
	u16 flags;
	u8  vvvv;
	u8  pad;
	s64 disp;
	s32 imm;
	u32 pad2;
};

/**
 * mhv_decode - decode one instruction
 * @bytes:	MHV_INSN_BUF readable bytes, of which the first @nr are the
 *		instruction's; the others have no influence on the result
 * @nr:		bytes fetched; those beyond MHV_INSN_MAX are not looked at
 * @mode:	enum mhv_mode
 * @insn:	out: the instruction; of use with MHV_DECODE_OK only
 *
 * Real and virtual-8086 mode are MHV_MODE_16 here; mhv_emul_exec() refuses there
 * what they do not have.  Any context.
 */
enum mhv_decode_result mhv_decode(const u8 *bytes, unsigned int nr,
				  enum mhv_mode mode, struct mhv_insn *insn);

#endif /* MHV_EMUL_DECODE_H */
