// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold mhv_decode() against Zydis (decode_check.h).
 *
 * The table says which mnemonics must be supported and as what operation; Zydis says
 * for any bytes which mnemonic they are and what the operands are.  So a form that is
 * missing shows up as well as one that is decoded differently.
 */
#include <linux/kernel.h>
#include <stdio.h>
#include <string.h>

#include "decode_check.h"

#define ANY_ARG	(-1)

#define ALIASES	4

/* Mnemonics that are executed the same way, with the operations they may become */
struct expected {
	ZydisMnemonic mnemonics[ALIASES];	/* ZYDIS_MNEMONIC_INVALID: none */
	int arg;
	u8 ops[6];
};

#define MN(_n)		ZYDIS_MNEMONIC_##_n
#define OP(_n)		MHV_OP_##_n
#define ALU(_n)		{ { MN(_n) }, MHV_ALU_##_n, { OP(ALU_MR), OP(ALU_MI), OP(ALU_RM) } }
#define UNARY(_n)	{ { MN(_n) }, MHV_UNARY_##_n, { OP(UNARY) } }
#define SHIFT(_n)	{ { MN(_n) }, MHV_SHIFT_##_n, { OP(SHIFT), OP(SHIFT_CL) } }
#define BIT_(_n, _arg)	{ { MN(_n) }, MHV_BIT_##_arg, { OP(BIT_R), OP(BIT_I) } }
#define CC(_cc, _n)	{ { MN(CMOV##_cc), MN(SET##_cc) }, _n, { OP(CMOV), OP(SETCC) } }
#define ONE(_n, _op)	{ { MN(_n) }, ANY_ARG, { OP(_op) } }
#define STRING(_n)	{ { MN(_n##B), MN(_n##W), MN(_n##D), MN(_n##Q) }, ANY_ARG, { OP(_n) } }
#define VEC(_n)		{ { MN(_n), MN(V##_n) }, 0, { OP(VEC_LOAD), OP(VEC_STORE) } }
#define VEC_LO(_n)	{ { MN(_n), MN(V##_n) }, 0, { OP(VEC_LOAD_LO), OP(VEC_STORE) } }
#define VEC_HI(_n)	{ { MN(_n), MN(V##_n) }, 0, { OP(VEC_LOAD_HI), OP(VEC_STORE_HI) } }

static const struct expected table[] = {
	{ { MN(MOV) }, ANY_ARG, { OP(MOV_MR), OP(MOV_MI), OP(MOV_RM) } },
	ONE(MOVZX, MOVZX), ONE(MOVSX, MOVSX), ONE(MOVSXD, MOVSX), ONE(MOVNTI, MOV_MR),
	ONE(MOVDIRI, MOV_MR),
	{ { MN(MOVBE) }, ANY_ARG, { OP(MOVBE_MR), OP(MOVBE_RM) } },
	ALU(ADD), ALU(OR), ALU(ADC), ALU(SBB), ALU(AND), ALU(SUB), ALU(XOR), ALU(CMP),
	ALU(TEST), UNARY(INC), UNARY(DEC), UNARY(NOT), UNARY(NEG),
	SHIFT(ROL), SHIFT(ROR), SHIFT(RCL), SHIFT(RCR), SHIFT(SHR), SHIFT(SAR),
	/* /4 and its alias /6 */
	{ { MN(SHL) }, ANY_ARG, { OP(SHIFT), OP(SHIFT_CL) } },
	{ { MN(SHLD) }, 0, { OP(DSHIFT), OP(DSHIFT_CL) } },
	{ { MN(SHRD) }, 1, { OP(DSHIFT), OP(DSHIFT_CL) } },
	BIT_(BT, TEST), BIT_(BTS, SET), BIT_(BTR, RESET), BIT_(BTC, COMPLEMENT),
	CC(O, 0), CC(NO, 1), CC(B, 2), CC(NB, 3), CC(Z, 4), CC(NZ, 5), CC(BE, 6), CC(NBE, 7),
	CC(S, 8), CC(NS, 9), CC(P, 10), CC(NP, 11), CC(L, 12), CC(NL, 13), CC(LE, 14),
	CC(NLE, 15),
	{ { MN(MUL) }, 0, { OP(MUL) } },
	{ { MN(IMUL) }, ANY_ARG, { OP(MUL), OP(IMUL_RM), OP(IMUL_RMI) } },
	ONE(XCHG, XCHG), ONE(XADD, XADD), ONE(CMPXCHG, CMPXCHG),
	ONE(CMPXCHG8B, CMPXCHG_PAIR), ONE(CMPXCHG16B, CMPXCHG_PAIR),
	{ { MN(PUSH) }, ANY_ARG, { OP(PUSH_M), OP(PUSH_R), OP(PUSH_I) } },
	{ { MN(POP) }, ANY_ARG, { OP(POP_M), OP(POP_R) } },
	{ { MN(CALL) }, ANY_ARG, { OP(CALL_M), OP(CALL_REL) } },
	ONE(JMP, JMP_M), ONE(RET, RET),
	STRING(MOVS), STRING(CMPS), STRING(STOS), STRING(LODS), STRING(SCAS),
	VEC(MOVD), VEC(MOVQ), VEC(MOVSS), VEC(MOVUPS), VEC(MOVUPD), VEC(MOVAPS), VEC(MOVAPD),
	VEC(MOVDQA), VEC(MOVDQU), VEC(MOVNTPS), VEC(MOVNTPD), VEC(MOVNTDQ), VEC(MOVNTDQA),
	VEC(LDDQU), { { MN(VMOVSD) }, 0, { OP(VEC_LOAD), OP(VEC_STORE) } },
	VEC_LO(MOVLPS), VEC_LO(MOVLPD), VEC_HI(MOVHPS), VEC_HI(MOVHPD),
	ONE(CLFLUSH, FLUSH), ONE(CLFLUSHOPT, FLUSH), ONE(CLWB, FLUSH),
};

/* MOVSD is two instructions: the string move is in the table */
static const struct expected movsd_vector = {
	{ MN(MOVSD) }, 0, { OP(VEC_LOAD), OP(VEC_STORE) }
};

static const struct expected *by_mnemonic[ZYDIS_MNEMONIC_MAX_VALUE + 1];

struct zydis_insn {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static unsigned int mode_index(enum mhv_mode mode)
{
	return mode == MHV_MODE_16 ? 0 : mode == MHV_MODE_32 ? 1 : 2;
}

static void index_table(void)
{
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		for (n = 0; n < ALIASES; n++)
			by_mnemonic[table[i].mnemonics[n]] = &table[i];
	by_mnemonic[ZYDIS_MNEMONIC_INVALID] = NULL;
}

const ZydisDecoder *zydis_of(enum mhv_mode mode)
{
	static ZydisDecoder decoders[3];
	static bool ready;

	if (!ready) {
		ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LONG_COMPAT_16,
				 ZYDIS_STACK_WIDTH_16);
		ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
				 ZYDIS_STACK_WIDTH_32);
		ZydisDecoderInit(&decoders[2], ZYDIS_MACHINE_MODE_LONG_64,
				 ZYDIS_STACK_WIDTH_64);
		index_table();
		ready = true;
	}
	return &decoders[mode_index(mode)];
}

static ZyanStatus zydis(const u8 *bytes, unsigned int nr, enum mhv_mode mode,
			struct zydis_insn *z)
{
	return ZydisDecoderDecodeFull(zydis_of(mode), bytes, nr, &z->i, z->op);
}

static bool in_class(ZydisRegister reg, ZydisRegisterClass class)
{
	return ZydisRegisterGetClass(reg) == class;
}

int zydis_gpr(ZydisRegister reg)
{
	if (in_class(reg, ZYDIS_REGCLASS_GPR8)) {
		/* AH to BH are numbered between BL and SPL */
		int id = ZydisRegisterGetId(reg);

		return id < 4 ? id : id - 4;
	}
	if (in_class(reg, ZYDIS_REGCLASS_GPR16) || in_class(reg, ZYDIS_REGCLASS_GPR32) ||
	    in_class(reg, ZYDIS_REGCLASS_GPR64))
		return ZydisRegisterGetId(reg);
	return -1;
}

static bool is_high8(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
}

/* The operand in memory that the instruction's own fields describe */
static const ZydisDecodedOperand *memory(const struct zydis_insn *z)
{
	int i;

	for (i = 0; i < z->i.operand_count_visible; i++)
		if (z->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    z->op[i].mem.type == ZYDIS_MEMOP_TYPE_MEM)
			return &z->op[i];
	return NULL;
}

static bool is_string(const struct zydis_insn *z)
{
	return z->i.meta.category == ZYDIS_CATEGORY_STRINGOP;
}

static bool is_flush(const struct zydis_insn *z)
{
	return z->i.mnemonic == ZYDIS_MNEMONIC_CLFLUSH ||
	       z->i.mnemonic == ZYDIS_MNEMONIC_CLFLUSHOPT ||
	       z->i.mnemonic == ZYDIS_MNEMONIC_CLWB;
}

/* Stack instructions that are supported without an operand in memory */
static bool is_stack_only(const struct zydis_insn *z)
{
	if (z->i.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return false;
	return (z->i.opcode >= 0x50 && z->i.opcode <= 0x5f) || z->i.opcode == 0x68 ||
	       z->i.opcode == 0x6a || z->i.opcode == 0xe8 ||
	       z->i.opcode == 0xc2 || z->i.opcode == 0xc3;
}

static bool odd_registers(const struct zydis_insn *z)
{
	int i;

	for (i = 0; i < z->i.operand_count_visible; i++) {
		ZydisRegister r = z->op[i].reg.value;

		if (z->op[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		if (in_class(r, ZYDIS_REGCLASS_MMX) || in_class(r, ZYDIS_REGCLASS_SEGMENT))
			return true;
	}
	return false;
}

/* The entry the instruction must be decoded by, or NULL if it need not be */
static const struct expected *expected(const struct zydis_insn *z)
{
	const struct expected *e = by_mnemonic[z->i.mnemonic];

	if (z->i.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	    z->i.encoding != ZYDIS_INSTRUCTION_ENCODING_VEX)
		return NULL;
	if (z->i.mnemonic == ZYDIS_MNEMONIC_MOVSD && !is_string(z))
		e = &movsd_vector;
	if (z->i.mnemonic == ZYDIS_MNEMONIC_CMPSD && !is_string(z))
		return NULL;
	if (!memory(z) && !is_stack_only(z) && !is_flush(z) && !is_string(z))
		return NULL;
	if (z->i.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR || odd_registers(z))
		return NULL;
	return e;
}

static bool op_matches(const struct expected *e, const struct mhv_insn *insn)
{
	size_t i;

	if (e->arg != ANY_ARG && e->arg != insn->arg)
		return false;
	for (i = 0; i < sizeof(e->ops); i++)
		if (e->ops[i] == insn->op)
			return true;
	return false;
}

static u64 address_mask(const struct mhv_insn *insn)
{
	return ~0ULL >> (64 - 8 * insn->addrsize);
}

static bool register_is(u8 ours, ZydisRegister theirs)
{
	if (theirs == ZYDIS_REGISTER_NONE)
		return ours == MHV_REG_NONE;
	if (theirs == ZYDIS_REGISTER_RIP || theirs == ZYDIS_REGISTER_EIP)
		return ours == MHV_RIP;
	return ours == zydis_gpr(theirs);
}

/*
 * SIB without a base and with REX.B, in 64-bit mode with 32-bit addresses: Zydis 4.0
 * names R13D the base and no displacement, which is right only with ModRM.mod other
 * than 0 (SDM volume 2, table 2-3; native execution tells the same).
 */
static bool phantom_base(const struct zydis_insn *z, const ZydisDecodedOperand *m)
{
	return m->mem.base == ZYDIS_REGISTER_R13D && z->i.raw.modrm.mod == 0 &&
	       z->i.raw.modrm.rm == 4 && z->i.raw.sib.base == 5;
}

static const char *compare_address(const struct mhv_insn *insn, const struct zydis_insn *z,
				   const ZydisDecodedOperand *m)
{
	s64 disp = insn->disp - (insn->base == MHV_RIP ? insn->len : 0);

	if (insn->addrsize * 8 != z->i.address_width)
		return "address size";
	/* 3E before an indirect branch: Zydis takes it for NOTRACK alone */
	if (insn->seg != ZydisRegisterGetId(m->mem.segment) &&
	    !(z->i.attributes & ZYDIS_ATTRIB_HAS_NOTRACK))
		return "segment";
	/* MOVSXD into 16 bits reads 16 (SDM), which Zydis takes for 32 */
	if (m->size != insn->size * 8 && insn->op != MHV_OP_FLUSH &&
	    !(z->i.mnemonic == ZYDIS_MNEMONIC_MOVSXD && insn->size == 2))
		return "operand size";
	/* strings: the registers are implied */
	if (insn->op >= MHV_OP_MOVS && insn->op <= MHV_OP_SCAS)
		return NULL;
	if (phantom_base(z, m))
		return insn->base != MHV_REG_NONE || disp != z->i.raw.disp.value ? "base" : NULL;
	if (!register_is(insn->base, m->mem.base))
		return "base";
	if (!register_is(insn->index, m->mem.index))
		return "index";
	if (m->mem.index != ZYDIS_REGISTER_NONE && 1 << insn->scale != m->mem.scale)
		return "scale";
	if ((disp ^ m->mem.disp.value) & address_mask(insn))
		return "displacement";
	return NULL;
}

static bool is_vector_reg(ZydisRegister r)
{
	return in_class(r, ZYDIS_REGCLASS_XMM) || in_class(r, ZYDIS_REGCLASS_YMM);
}

/* CL as a shift count is part of the operation */
static bool is_count(const struct mhv_insn *insn, const ZydisDecodedOperand *op)
{
	return (insn->op == MHV_OP_SHIFT_CL || insn->op == MHV_OP_DSHIFT_CL) &&
	       op->reg.value == ZYDIS_REGISTER_CL;
}

static const char *compare_register(const struct mhv_insn *insn, const ZydisDecodedOperand *op,
				    bool second)
{
	ZydisRegister r = op->reg.value;

	if (is_vector_reg(r)) {
		u8 ours = second ? insn->vvvv : insn->reg;

		return ZydisRegisterGetId(r) == ours ? NULL : "vector register";
	}
	if (zydis_gpr(r) != insn->reg || is_high8(r) != !!(insn->flags & MHV_INSN_HIGH8))
		return "register";
	if (op->size != insn->regsize * 8)
		return "register size";
	return NULL;
}

static const char *compare_operands(const struct mhv_insn *insn, const struct zydis_insn *z)
{
	bool strings = is_string(z);
	const char *why = NULL;
	int i, vectors = 0;

	for (i = 0; !why && i < z->i.operand_count_visible; i++) {
		const ZydisDecodedOperand *op = &z->op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && !strings && !is_count(insn, op)) {
			vectors += is_vector_reg(op->reg.value);
			why = compare_register(insn, op, vectors > 1);
		} else if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
			/* as Zydis has it: sign extended to the operand or not */
			u64 mask = op->imm.is_signed ? ~0ULL : ~0ULL >> (64 - op->size);

			if ((op->imm.value.u ^ (u64)(s64)insn->imm) & mask)
				why = "immediate";
		}
	}
	return why;
}

static const char *compare_flags(const struct mhv_insn *insn, const struct zydis_insn *z)
{
	u16 rep = insn->flags & (MHV_INSN_REP | MHV_INSN_REPNE);
	bool lock = z->i.attributes & ZYDIS_ATTRIB_HAS_LOCK;
	bool vex = z->i.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
	u16 wanted = 0;

	if (z->i.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
		wanted = MHV_INSN_REP;
	if (z->i.attributes & ZYDIS_ATTRIB_HAS_REPNE)
		wanted = MHV_INSN_REPNE;
	/* MOVS, STOS, LODS: F2 repeats too, which Zydis does not count */
	if (rep != wanted && !(rep == MHV_INSN_REPNE && insn->op != MHV_OP_CMPS &&
			       insn->op != MHV_OP_SCAS))
		return "repeat prefix";
	if (lock != !!(insn->flags & MHV_INSN_LOCK))
		return "lock prefix";
	if (vex != !!(insn->flags & MHV_INSN_VEX))
		return "VEX";
	return NULL;
}

/* The operand of a string instruction that a prefix can move elsewhere */
static const ZydisDecodedOperand *string_source(const struct zydis_insn *z)
{
	int i;

	for (i = 0; i < z->i.operand_count; i++)
		if (z->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    zydis_gpr(z->op[i].mem.base) == MHV_RSI)
			return &z->op[i];
	return NULL;
}

static const char *compare(const struct mhv_insn *insn, const struct zydis_insn *z)
{
	const ZydisDecodedOperand *m = memory(z);
	const char *why = NULL;

	if (insn->len != z->i.length)
		return "length";
	if (is_string(z)) {
		if (insn->addrsize * 8 != z->i.address_width)
			return "address size";
		if (insn->size * 8 != z->i.operand_width)
			return "operand size";
		m = string_source(z);
	} else if (is_flush(z)) {
		m = &z->op[0];
	}
	if (m)
		why = compare_address(insn, z, m);
	else if (is_stack_only(z) && insn->regsize * 8 != z->i.operand_width)
		why = "operand size";
	if (!why)
		why = compare_operands(insn, z);
	return why ? why : compare_flags(insn, z);
}

static const char *check_valid(const struct mhv_insn *insn, enum mhv_decode_result result,
			       const struct zydis_insn *z)
{
	const struct expected *e = expected(z);

	switch (result) {
	case MHV_DECODE_OK:
		if (!e)
			return "decoded as supported, but is something else";
		return op_matches(e, insn) ? compare(insn, z) : "operation";
	case MHV_DECODE_UNSUPPORTED:
		return e ? "supported form not recognised" : NULL;
	case MHV_DECODE_NO_MEMORY:
		return memory(z) || is_stack_only(z) ? "has an operand in memory" : NULL;
	case MHV_DECODE_UD:
		if (z->i.mnemonic >= ZYDIS_MNEMONIC_UD0 && z->i.mnemonic <= ZYDIS_MNEMONIC_UD2)
			return NULL;
		return "#UD for a valid instruction";
	default:
		return "length exceeded for a valid instruction";
	}
}

/* Bytes that are no instruction, for which reasons may differ, or not a whole one */
static const char *check_invalid(ZyanStatus status, enum mhv_decode_result result,
				 unsigned int nr)
{
	switch (result) {
	case MHV_DECODE_OK:
		return "decoded what is no instruction";
	case MHV_DECODE_SHORT:
		return nr < MHV_INSN_MAX ? NULL : "wants more than 15 bytes";
	case MHV_DECODE_TOO_LONG:
		return status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ||
		       status == ZYDIS_STATUS_NO_MORE_DATA ||
		       status == ZYDIS_STATUS_INVALID_MAP ? NULL : "length";
	default:
		/* the opcode and ModRM are enough for these */
		return NULL;
	}
}

bool decode_check(const u8 *bytes, unsigned int nr, enum mhv_mode mode,
		  struct decode_stats *stats, const char **why)
{
	enum mhv_decode_result result;
	struct zydis_insn z;
	struct mhv_insn insn;
	ZyanStatus status;

	result = mhv_decode(bytes, nr, mode, &insn);
	status = zydis(bytes, nr, mode, &z);
	if (stats)
		stats->result[result]++;
	if (!ZYAN_SUCCESS(status)) {
		*why = check_invalid(status, result, nr);
		return !*why;
	}
	if (stats && result == MHV_DECODE_OK)
		stats->mnemonic[mode_index(mode)][z.i.mnemonic]++;
	*why = check_valid(&insn, result, &z);
	return !*why;
}

void decode_explain(const u8 *bytes, unsigned int nr, enum mhv_mode mode)
{
	enum mhv_decode_result result;
	char text[128] = "not an instruction";
	ZydisFormatter formatter;
	struct zydis_insn z;
	struct mhv_insn insn = { 0 };
	ZyanStatus status;
	unsigned int i;

	result = mhv_decode(bytes, nr, mode, &insn);
	status = zydis(bytes, nr, mode, &z);
	ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(status))
		ZydisFormatterFormatInstruction(&formatter, &z.i, z.op,
						z.i.operand_count_visible, text,
						sizeof(text), 0, NULL);
	fprintf(stderr, "# mode %u bytes", mode * 8);
	for (i = 0; i < nr && i < MHV_INSN_BUF; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, "\n# Zydis: %s (status %x, %u bytes)\n", text, (unsigned int)status,
		ZYAN_SUCCESS(status) ? z.i.length : 0);
	fprintf(stderr, "# mhv: result %d op %u arg %u len %u size %u/%u addr %u seg %u\n",
		result, insn.op, insn.arg, insn.len, insn.size, insn.regsize, insn.addrsize,
		insn.seg);
	fprintf(stderr, "#  base %d index %d scale %u reg %u flags %x disp %llx imm %x\n",
		(s8)insn.base, (s8)insn.index, insn.scale, insn.reg, insn.flags,
		(unsigned long long)insn.disp, insn.imm);
}

static bool needs_64bit(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_MOVSXD:
	case ZYDIS_MNEMONIC_CMPXCHG16B:
	case ZYDIS_MNEMONIC_MOVSQ:
	case ZYDIS_MNEMONIC_CMPSQ:
	case ZYDIS_MNEMONIC_STOSQ:
	case ZYDIS_MNEMONIC_LODSQ:
	case ZYDIS_MNEMONIC_SCASQ:
		return true;
	default:
		return false;
	}
}

const char *decode_not_covered(const struct decode_stats *stats)
{
	unsigned int mode, m;

	for (m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++)
		for (mode = 0; mode < 3; mode++)
			if (by_mnemonic[m] && !stats->mnemonic[mode][m] &&
			    (mode == 2 || !needs_64bit(m)))
				return ZydisMnemonicGetString(m);
	return NULL;
}
