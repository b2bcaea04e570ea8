// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor against the CPU: each supported form, in 16-, 32- and 64-bit mode, with
 * random operands, addresses and prefixes, is executed natively and by the emulator,
 * and must leave the same memory, registers, flags and vector registers, or raise the
 * same exception with the same error code and address.
 *
 * The emulator runs each trial three times: on memory; with random pages being a
 * device that answers at once; and with that device answering late.  All three must
 * agree with the CPU, and the device must see the same accesses in the last two.
 *
 * Addresses are aimed at the window: across pages, at its read-only last page, off its
 * ends, and now and then at a non-canonical address.
 */
#include <linux/kernel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>
#include <cmocka.h>

#include "alu.h"
#include "decode_check.h"
#include "mock.h"
#include "native.h"
#include "random.h"

#define TRIALS		2000	/* of each form in each mode */
#define FLAG_AC		0x40000
#define FLAGS_COMPARED	0xcd5	/* OF, DF, SF, ZF, AF, PF, CF */
#define FLAG_ARITH	0x8d5
#define VECTOR_PF	14
#define PAGE		4096

/* A form: the bytes before ModRM, and ModRM.reg where the opcode wants one */
struct form {
	u8  bytes[4];
	u8  nr;
	u8  reg;
	bool any_reg;
	bool modrm;
	bool vex;
	u8  op;
};

static struct form forms[2048];
static unsigned int nr_forms;
static unsigned long executed[3][MHV_NR_OPS], faulted[3][MHV_NR_OPS];
static unsigned long accesses, pendings, trials;

struct trial {
	enum mhv_mode mode;
	u8   bytes[MHV_INSN_BUF];
	struct mhv_insn insn;
	ZydisDecodedInstruction z;
	struct native_state in;
	bool device[NATIVE_PAGES];
	bool strings;
	u64  seed;
};

static struct native_state native_out;
static struct native_fault native_fault;
static u8 pattern[NATIVE_SIZE];
static struct mock *mock;
static struct mock_log reference_log;

/* ---- the list of forms --------------------------------------------------- */

static void add_form(const struct form *f)
{
	unsigned int i;

	for (i = 0; i < nr_forms; i++)
		if (!memcmp(&forms[i], f, sizeof(*f)))
			return;
	if (nr_forms < ARRAY_SIZE(forms))
		forms[nr_forms++] = *f;
}

/* Decode the form with a memory operand; false if it is not supported */
static bool decode_form(enum mhv_mode mode, const struct form *f, u8 modrm,
			struct mhv_insn *insn)
{
	u8 bytes[MHV_INSN_BUF] = { 0 };

	memcpy(bytes, f->bytes, f->nr);
	bytes[f->nr] = modrm;
	return mhv_decode(bytes, MHV_INSN_MAX, mode, insn) == MHV_DECODE_OK;
}

/* One form, or one for each value of ModRM.reg that makes a different instruction */
static void try_form(enum mhv_mode mode, struct form f, bool vector_only)
{
	struct mhv_insn insn[8];
	unsigned int reg, same = 0;
	bool ok[8];

	for (reg = 0; reg < 8; reg++) {
		ok[reg] = decode_form(mode, &f, reg << 3 | 2, &insn[reg]);
		if (ok[reg] && vector_only && insn[reg].op < MHV_OP_VEC_LOAD)
			ok[reg] = false;
		same += ok[reg] && ok[0] && insn[reg].op == insn[0].op &&
			insn[reg].arg == insn[0].arg;
	}
	for (reg = 0; reg < 8; reg++) {
		struct mhv_insn other;

		if (!ok[reg])
			continue;
		f.op = insn[reg].op;
		f.reg = reg;
		f.any_reg = same == 8;
		/* a ModRM byte cannot name a register instead of memory */
		f.modrm = !decode_form(mode, &f, 0xc0 | reg << 3, &other);
		add_form(&f);
		if (f.any_reg)
			return;
	}
}

static bool is_prefix(u8 byte, enum mhv_mode mode)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x66:
	case 0x67: case 0xf0: case 0xf2: case 0xf3: case 0x0f: case 0xc4: case 0xc5:
		return true;
	default:
		return mode == MHV_MODE_64 && (byte & 0xf0) == 0x40;
	}
}

static void add(enum mhv_mode mode, const u8 *bytes, unsigned int nr, unsigned int opcode,
		bool vex, bool vector_only)
{
	struct form f = { .nr = nr + 1, .vex = vex };

	memcpy(f.bytes, bytes, nr);
	f.bytes[nr] = opcode;
	try_form(mode, f, vector_only);
}

/* Vector instructions get their mandatory prefix here, others random ones later */
static void list_forms(enum mhv_mode mode)
{
	static const u8 mandatory[] = { 0, 0x66, 0xf3, 0xf2 };
	unsigned int opcode, p;

	nr_forms = 0;
	for (opcode = 0; opcode < 256; opcode++) {
		if (!is_prefix(opcode, mode))
			add(mode, &mandatory[0], 0, opcode, false, false);
		for (p = 0; p < 4; p++) {
			u8 legacy[] = { mandatory[p], 0x0f, 0x38 };
			u8 vex2[] = { 0xc5, 0xf8 | p };
			u8 vex3[] = { 0xc4, 0xe2, 0x78 | p };
			bool none = !mandatory[p];

			if (opcode != 0x38)
				add(mode, legacy + none, 2 - none, opcode, false, !none);
			add(mode, legacy + none, 3 - none, opcode, false, !none);
			add(mode, vex2, 2, opcode, true, true);
			add(mode, vex3, 3, opcode, true, true);
			vex2[1] |= 4;
			vex3[2] |= 4;
			add(mode, vex2, 2, opcode, true, true);
			add(mode, vex3, 3, opcode, true, true);
		}
	}
}

/* ---- making a trial ------------------------------------------------------ */

static bool is_string(const struct mhv_insn *insn)
{
	return insn->op >= MHV_OP_MOVS && insn->op <= MHV_OP_SCAS;
}

static bool is_branch(const struct mhv_insn *insn)
{
	return insn->op == MHV_OP_CALL_M || insn->op == MHV_OP_CALL_REL ||
	       insn->op == MHV_OP_JMP_M || insn->op == MHV_OP_RET;
}

static bool is_stack(const struct mhv_insn *insn)
{
	return insn->op >= MHV_OP_PUSH_M && insn->op <= MHV_OP_RET;
}

static unsigned int add_prefixes(struct random *r, const struct form *f, enum mhv_mode mode,
				 u8 *bytes)
{
	static const u8 segments[] = { 0x26, 0x2e, 0x36, 0x3e };
	unsigned int n = 0;

	if (random_below(r, 8) == 0)
		bytes[n++] = segments[random_below(r, 4)];
	if (mode == MHV_MODE_64 && random_below(r, 8) == 0)
		bytes[n++] = 0x64 + random_below(r, 2);
	if (random_below(r, 4) == 0)
		bytes[n++] = 0x67;
	if (f->vex)
		return n;
	if (random_below(r, 4) == 0)
		bytes[n++] = 0x66;
	if (random_below(r, 6) == 0)
		bytes[n++] = 0xf0;
	if (random_below(r, 3) == 0 && f->op >= MHV_OP_MOVS && f->op <= MHV_OP_SCAS)
		bytes[n++] = 0xf2 + random_below(r, 2);
	return n;
}

/* The form's own bytes, with REX or the bits of VEX that are registers */
static unsigned int add_opcode(struct random *r, const struct form *f, enum mhv_mode mode,
			       u8 *bytes, unsigned int n)
{
	unsigned int i = 0;

	/* a mandatory prefix goes before REX */
	if (!f->vex && f->nr > 1 && f->bytes[0] != 0x0f)
		bytes[n++] = f->bytes[i++];
	if (!f->vex && mode == MHV_MODE_64 && random_below(r, 2))
		bytes[n++] = 0x40 | random_below(r, 16);
	memcpy(bytes + n, f->bytes + i, f->nr - i);
	if (f->vex && mode == MHV_MODE_64) {
		bytes[n + 1] ^= f->bytes[0] == 0xc5 ? random_below(r, 2) << 7 :
						      random_below(r, 8) << 5;
	}
	/* vvvv: only some of them have it, the others become #UD */
	if (f->vex && (f->op == MHV_OP_VEC_LOAD_LO || f->op == MHV_OP_VEC_LOAD_HI))
		bytes[n + f->nr - 2] ^= random_below(r, mode == MHV_MODE_64 ? 16 : 8) << 3;
	return n + f->nr - i;
}

static bool make_bytes(struct random *r, const struct form *f, struct trial *t)
{
	unsigned int n;

	random_fill(r, t->bytes, sizeof(t->bytes));
	n = add_prefixes(r, f, t->mode, t->bytes);
	n = add_opcode(r, f, t->mode, t->bytes, n);
	if (f->modrm) {
		u8 reg = f->any_reg ? random_below(r, 8) : f->reg;

		t->bytes[n] = random_below(r, 3) << 6 | reg << 3 | random_below(r, 8);
	}
	if (mhv_decode(t->bytes, MHV_INSN_MAX, t->mode, &t->insn) != MHV_DECODE_OK)
		return false;
	return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(zydis_of(t->mode), NULL, t->bytes,
							  t->insn.len, &t->z));
}

/* Where the operand shall be: in the window, near the end of a page, outside */
static u64 aim(struct random *r, const struct mhv_insn *insn)
{
	unsigned int page = random_below(r, NATIVE_PAGES);
	u64 la = NATIVE_WINDOW + page * PAGE + 64 + random_below(r, PAGE - 128);

	switch (random_below(r, 16)) {
	case 0 ... 3:	/* across, or nearly across, the end of a page */
		la = NATIVE_WINDOW + (page + 1) * PAGE - random_below(r, 40);
		break;
	case 4:		/* the beginning, or below it */
		la = NATIVE_WINDOW - 8 + random_below(r, 16);
		break;
	case 5:
		la = NATIVE_WINDOW + NATIVE_SIZE - random_below(r, 64);
		break;
	case 6 ... 11:
		la &= ~(u64)(insn->size - 1);
		break;
	}
	if ((insn->flags & MHV_INSN_ALIGNED) && random_below(r, 8))
		la &= ~(u64)(insn->size - 1);
	return la;
}

static bool patch_disp(struct trial *t, s64 value)
{
	unsigned int size = t->z.raw.disp.size / 8;

	if (size < 2 || (size == 4 && t->insn.addrsize == 8 && (s32)value != value))
		return false;
	memcpy(t->bytes + t->z.raw.disp.offset, &value, size);
	return true;
}

/* Choose registers, or the displacement, so that the operand is at effective @ea */
static bool solve(struct random *r, struct trial *t, u64 ea)
{
	struct mhv_insn *i = &t->insn;
	u64 *regs = t->in.regs, mask = mhv_mask(i->addrsize), rest = i->disp, value;

	if (i->base == MHV_RIP)
		return patch_disp(t, ea - (native_rip(t->mode) + i->len));
	if (i->index != MHV_REG_NONE) {
		if (i->base == MHV_REG_NONE || i->base == i->index)
			regs[i->index] &= 0xfffff;
		rest += regs[i->index] << i->scale;
	}
	if (i->base == MHV_REG_NONE)
		return patch_disp(t, ea - (rest - i->disp));
	if (i->base == i->index)
		return patch_disp(t, ea - (rest - i->disp) - regs[i->base]);
	value = (ea - rest) & mask;
	/* the stack stays where it is */
	if (is_stack(i) && i->base == MHV_RSP)
		return patch_disp(t, ea - (rest - i->disp) - regs[MHV_RSP]);
	/* what the address size cuts off must not matter */
	regs[i->base] = value | (random_u64(r) & ~mask);
	if (t->mode != MHV_MODE_64)
		regs[i->base] &= ~0U;
	return true;
}

static void put_memory(u64 la, const void *data, unsigned int size)
{
	if (la >= NATIVE_WINDOW && la + size <= NATIVE_WINDOW + NATIVE_SIZE)
		memcpy((u8 *)native_window() + (la - NATIVE_WINDOW), data, size);
}

/* Bits of @value that an address of this size sees, in a register full of others */
static u64 with_noise(struct random *r, u64 value, unsigned int size)
{
	return (value & mhv_mask(size)) | (random_u64(r) & ~mhv_mask(size));
}

static bool make_string(struct random *r, struct trial *t)
{
	const struct mhv_insn *i = &t->insn;
	u64 *regs = t->in.regs, count = random_below(r, 40);

	if (t->mode == MHV_MODE_32 && i->addrsize == 2)
		return false;
	if (random_below(r, 8) == 0)
		count = random_below(r, 3000);
	regs[MHV_RCX] = with_noise(r, count, i->addrsize);
	regs[MHV_RSI] = with_noise(r, aim(r, i) - native_segment_base(t->mode, i->seg),
				   i->addrsize);
	regs[MHV_RDI] = with_noise(r, aim(r, i) - native_segment_base(t->mode, MHV_SEG_ES),
				   i->addrsize);
	/* 32-bit addresses and no count: CPUs differ in the upper halves */
	return count || t->mode != MHV_MODE_64 || i->addrsize == 8;
}

/* The operand of BT and its like: an offset in bits that stays in the region */
static bool make_bit_offset(struct random *r, struct trial *t)
{
	struct mhv_insn *i = &t->insn;
	s64 offset = (s64)random_below(r, 4096) - 2048;

	if (i->reg == i->base || i->reg == i->index)
		return false;
	t->in.regs[i->reg] = with_noise(r, offset, i->size);
	return true;
}

/* Every other compare finds what it looks for */
static void make_compare(struct random *r, struct trial *t, u64 la)
{
	struct mhv_insn *i = &t->insn;
	u64 *regs = t->in.regs, pair[2] = { regs[MHV_RAX], regs[MHV_RDX] };

	if (random_below(r, 2))
		return;
	if (i->op == MHV_OP_CMPXCHG_PAIR && i->size == 8)
		pair[0] = (regs[MHV_RAX] & ~0U) | regs[MHV_RDX] << 32;
	put_memory(la, pair, i->size);
}

static bool make_branch(struct random *r, struct trial *t, u64 la)
{
	struct mhv_insn *i = &t->insn;
	u64 target = native_target(t->mode), from = i->op == MHV_OP_RET ? t->in.regs[MHV_RSP] : la;

	/* vendors differ on 66 in 64-bit mode; elsewhere it leads out of the region */
	if (t->mode == MHV_MODE_64 && (t->z.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE))
		return false;
	if (t->mode == MHV_MODE_32 && i->regsize == 2)
		return false;
	if (i->op == MHV_OP_CALL_REL) {
		u64 rel = target - native_rip(t->mode) - i->len;

		memcpy(t->bytes + t->z.raw.imm[0].offset, &rel, t->z.raw.imm[0].size / 8);
		return true;
	}
	if (t->mode == MHV_MODE_64 && random_below(r, 8) == 0)
		target |= 1ULL << 50;
	if (t->mode == MHV_MODE_16 && i->regsize == 4 && random_below(r, 8) == 0)
		target |= 1 << 20;
	if (i->op == MHV_OP_RET)
		from = native_segment_base(t->mode, MHV_SEG_SS) +
		       (from & mhv_mask(t->mode));
	put_memory(from, &target, i->regsize);
	return true;
}

static void make_state(struct random *r, struct trial *t)
{
	unsigned int i, nr = t->mode == MHV_MODE_64 ? 16 : 8;

	random_fill(r, &t->in, sizeof(t->in));
	t->in.rflags = 0x202 | (random_u64(r) & FLAG_ARITH);
	if (is_string(&t->insn) && random_below(r, 2))
		t->in.rflags |= MHV_FLAG_DF;
	if (random_below(r, 16) == 0 && t->insn.size <= 8)
		t->in.rflags |= FLAG_AC;
	/* a stack in the window */
	t->in.regs[MHV_RSP] = aim(r, &t->insn) - native_segment_base(t->mode, MHV_SEG_SS);
	if (t->mode == MHV_MODE_16)
		t->in.regs[MHV_RSP] |= random_u64(r) & 0x7fff0000;
	for (i = 0; i < 16; i++) {
		if (i >= nr)
			t->in.regs[i] = 0;
		else if (t->mode != MHV_MODE_64)
			t->in.regs[i] &= ~0U;
	}
}

static void make_memory(struct random *r)
{
	unsigned int i;

	if (trials % 256 == 0)
		random_fill(r, pattern, sizeof(pattern));
	memcpy(native_window(), pattern, sizeof(pattern));
	/* long runs of equal bytes give the repeated compares something to do */
	if (random_below(r, 2))
		memset(native_window(), pattern[0], NATIVE_SIZE);
	for (i = 0; i < 8; i++)
		((u8 *)native_window())[random_below(r, NATIVE_SIZE)] = random_below(r, 256);
}

static bool make_trial(struct random *r, const struct form *f, struct trial *t)
{
	struct mhv_insn *i = &t->insn;
	unsigned int p;
	u64 la;

	if (!make_bytes(r, f, t))
		return false;
	make_state(r, t);
	make_memory(r);
	la = aim(r, i);
	if (t->mode == MHV_MODE_64 && i->addrsize == 8 && random_below(r, 32) == 0)
		la = (la ^ 1ULL << 47) + random_below(r, 2) * (1ULL << 60);
	if (f->modrm || t->z.raw.disp.size) {
		if (t->mode == MHV_MODE_32 && i->addrsize == 2)
			return false;
		if (!solve(r, t, la - native_segment_base(t->mode, i->seg)))
			return false;
	}
	if (is_string(i) && !make_string(r, t))
		return false;
	if (i->op == MHV_OP_BIT_R && !make_bit_offset(r, t))
		return false;
	if (i->op == MHV_OP_CMPXCHG || i->op == MHV_OP_CMPXCHG_PAIR)
		make_compare(r, t, la);
	if (is_branch(i) && !make_branch(r, t, la))
		return false;
	for (p = 0; p < NATIVE_PAGES; p++)
		t->device[p] = random_below(r, 2);
	t->strings = random_below(r, 2);
	t->seed = random_u64(r);
	/* MOVSXD into 16 bits: AMD reads 32, Intel, whose VMX this is for, 16 */
	if (i->op == MHV_OP_MOVSX && i->regsize == 2 && i->size == 2 && f->nr == 1)
		return false;
	return mhv_decode(t->bytes, MHV_INSN_MAX, t->mode, i) == MHV_DECODE_OK;
}

/* ---- both executions ----------------------------------------------------- */

static void run_native(const struct trial *t)
{
	*native_state() = t->in;
	native_fault = native_run(t->mode, t->bytes, t->insn.len);
	native_out = *native_state();
}

static void fill_mock(const struct trial *t, const u8 *memory)
{
	unsigned int i;

	mock_init(mock, t->mode);
	memcpy(mock->memory, memory, NATIVE_SIZE);
	memcpy(mock->vec, t->in.vec, sizeof(mock->vec));
	for (i = 0; i < 16; i++)
		mock->regs.r[i] = t->in.regs[i];
	mock->regs.r[MHV_RIP] = native_rip(t->mode);
	mock->regs.r[MHV_RFLAGS] = t->in.rflags;
	mock->read_only[NATIVE_PAGES - 1] = true;
	mock->random = random_seed(t->seed);
	mock->strings = t->strings;
}

static u64 undefined_shift_flags(const struct trial *t)
{
	const struct mhv_insn *i = &t->insn;
	unsigned int count = i->imm & 0xff;
	u64 undefined = 0;

	if (i->op == MHV_OP_SHIFT_CL || i->op == MHV_OP_DSHIFT_CL)
		count = t->in.regs[MHV_RCX];
	count &= i->size == 8 ? 63 : 31;
	if (count != 1)
		undefined |= MHV_FLAG_OF;
	if (i->op == MHV_OP_DSHIFT || i->op == MHV_OP_DSHIFT_CL || i->arg >= MHV_SHIFT_SHL)
		undefined |= MHV_FLAG_AF;
	if (count >= 8u * i->size && i->arg >= MHV_SHIFT_SHL)
		undefined |= MHV_FLAG_CF;
	return count ? undefined : 0;
}

/* Flags that the instruction leaves undefined */
static u64 undefined_flags(const struct trial *t)
{
	const struct mhv_insn *i = &t->insn;

	switch (i->op) {
	case MHV_OP_ALU_MR:
	case MHV_OP_ALU_MI:
	case MHV_OP_ALU_RM:
		if (i->arg == MHV_ALU_AND || i->arg == MHV_ALU_OR || i->arg == MHV_ALU_XOR ||
		    i->arg == MHV_ALU_TEST)
			return MHV_FLAG_AF;
		return 0;
	case MHV_OP_SHIFT:
	case MHV_OP_SHIFT_CL:
	case MHV_OP_DSHIFT:
	case MHV_OP_DSHIFT_CL:
		return undefined_shift_flags(t);
	case MHV_OP_BIT_R:
	case MHV_OP_BIT_I:
		return MHV_FLAG_OF | MHV_FLAG_SF | MHV_FLAG_AF | MHV_FLAG_PF;
	case MHV_OP_MUL:
	case MHV_OP_IMUL_RM:
	case MHV_OP_IMUL_RMI:
		return MHV_FLAG_SF | MHV_FLAG_ZF | MHV_FLAG_AF | MHV_FLAG_PF;
	default:
		return 0;
	}
}

/* A 16-bit double shift by more than 16 leaves everything undefined */
static bool undefined_result(const struct trial *t)
{
	const struct mhv_insn *i = &t->insn;
	unsigned int count = i->op == MHV_OP_DSHIFT ? (u32)i->imm : (u32)t->in.regs[MHV_RCX];

	return (i->op == MHV_OP_DSHIFT || i->op == MHV_OP_DSHIFT_CL) && i->size == 2 &&
	       (count & 31) > 16;
}

static const char *compare_fault(void)
{
	struct mhv_emul_fault *f = &mock->ctx.fault;

	if (native_fault.vector < 0)
		return "fault where the CPU had none";
	if (native_fault.vector != f->vector)
		return "another vector";
	if (native_fault.error != f->error)
		return "error code";
	if (f->vector == VECTOR_PF && native_fault.cr2 != f->cr2)
		return "CR2";
	return NULL;
}

/*
 * Both operands of a CMPS may fault; which of them is told is the CPU's choice (Intel:
 * the source, AMD: the destination).  The destination's fault is that of a SCAS.
 */
static const char *compare_fault_of(const struct trial *t)
{
	const struct mhv_emul_regs regs = mock->regs;
	const char *why = compare_fault();
	struct mhv_insn scas = t->insn;

	if (!why || t->insn.op != MHV_OP_CMPS || native_fault.vector < 0)
		return why;
	scas.op = MHV_OP_SCAS;
	if (mock_run(mock, &scas) == MHV_EMUL_FAULT)
		why = compare_fault();
	mock->regs = regs;
	return why;
}

static const char *compare_rip(const struct trial *t)
{
	u64 wanted = native_rip(t->mode) + t->insn.len;

	if (native_fault.vector >= 0)
		wanted = native_rip(t->mode);
	else if (native_out.landed)
		wanted = native_target(t->mode);
	return mock->regs.r[MHV_RIP] == wanted ? NULL : "rip";
}

static const char *compare_with_native(const struct trial *t, enum mhv_emul_result r)
{
	u64 flags = FLAGS_COMPARED & ~(native_fault.vector < 0 ? undefined_flags(t) : 0);
	u64 mask = t->mode == MHV_MODE_64 ? ~0ULL : ~0U;
	const char *why = NULL;
	unsigned int i;

	if (mock->broken)
		return mock->broken;
	if (r == MHV_EMUL_FAULT)
		why = compare_fault_of(t);
	else if (r != MHV_EMUL_OK || native_fault.vector >= 0)
		why = "no fault where the CPU had one";
	if (why)
		return why;
	for (i = 0; i < (t->mode == MHV_MODE_64 ? 16 : 8); i++)
		if ((mock->regs.r[i] ^ native_out.regs[i]) & mask)
			return "register";
	if ((mock->regs.r[MHV_RFLAGS] ^ native_out.rflags) & flags)
		return "flags";
	if (memcmp(mock->vec, native_out.vec, sizeof(mock->vec)))
		return "vector register";
	if (memcmp(mock->memory, native_window(), NATIVE_SIZE))
		return "memory";
	return compare_rip(t);
}

/* Reads with reads and writes with writes: a batch reads all before it writes */
static bool same_accesses(const struct mock_log *a, const struct mock_log *b)
{
	unsigned int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (a->access[i].la != b->access[i].la ||
		    a->access[i].size != b->access[i].size ||
		    a->access[i].write != b->access[i].write)
			return false;
	return true;
}

static const char *run_emulator(const struct trial *t, const u8 *memory)
{
	enum mhv_emul_result r;
	const char *why;

	fill_mock(t, memory);
	mock->lose_races = true;
	r = mock_run(mock, &t->insn);
	why = compare_with_native(t, r);
	if (why)
		return why;

	fill_mock(t, memory);
	memcpy(mock->device, t->device, sizeof(mock->device));
	r = mock_run(mock, &t->insn);
	why = compare_with_native(t, r);
	if (why)
		return why;
	reference_log = mock->log;
	accesses += mock->log.nr;

	fill_mock(t, memory);
	memcpy(mock->device, t->device, sizeof(mock->device));
	mock->defer = true;
	r = mock_run(mock, &t->insn);
	pendings += mock->pendings;
	why = compare_with_native(t, r);
	if (!why && !same_accesses(&reference_log, &mock->log))
		why = "the late device saw other accesses";
	return why;
}

/* ---- reports ------------------------------------------------------------- */

static void print_log(const char *name, const struct mock_log *log)
{
	unsigned int i;

	fprintf(stderr, "#  %s:", name);
	for (i = 0; i < log->nr && i < 12; i++)
		fprintf(stderr, " %c%u@%llx", log->access[i].write ? 'W' : 'R',
			log->access[i].size, (unsigned long long)log->access[i].la);
	fprintf(stderr, "\n");
}

static void explain(const struct trial *t, const char *why, const u8 *memory)
{
	unsigned int i;

	fprintf(stderr, "# differs: %s\n", why);
	decode_explain(t->bytes, t->insn.len, t->mode);
	fprintf(stderr, "#  CPU fault %d error %llx cr2 %llx, emulator's %u %x %llx\n",
		native_fault.vector, (unsigned long long)native_fault.error,
		(unsigned long long)native_fault.cr2, mock->ctx.fault.vector,
		mock->ctx.fault.error, (unsigned long long)mock->ctx.fault.cr2);
	for (i = 0; i < 16; i++)
		if (native_out.regs[i] != mock->regs.r[i])
			fprintf(stderr, "#  r%-2u in %016llx CPU %016llx emulator %016llx\n", i,
				(unsigned long long)t->in.regs[i],
				(unsigned long long)native_out.regs[i],
				(unsigned long long)mock->regs.r[i]);
	fprintf(stderr, "#  flags in %llx CPU %llx emulator %llx landed %u\n",
		(unsigned long long)t->in.rflags, (unsigned long long)native_out.rflags,
		(unsigned long long)mock->regs.r[MHV_RFLAGS], native_out.landed);
	for (i = 0; i < NATIVE_SIZE; i++)
		if (mock->memory[i] != ((u8 *)native_window())[i]) {
			fprintf(stderr, "#  memory %x in %02x CPU %02x emulator %02x\n",
				NATIVE_WINDOW + i, memory[i], ((u8 *)native_window())[i],
				mock->memory[i]);
			break;
		}
	print_log("at once", &reference_log);
	print_log("late", &mock->log);
}

static bool run_trial(const struct trial *t)
{
	static u8 memory[NATIVE_SIZE];
	unsigned int mode = t->mode == MHV_MODE_16 ? 0 : t->mode == MHV_MODE_32 ? 1 : 2;
	const char *why;

	memcpy(memory, native_window(), NATIVE_SIZE);
	run_native(t);
	trials++;
	/* an instruction that this CPU does not have */
	if (native_fault.vector == 6)
		return true;
	if (undefined_result(t) && native_fault.vector < 0)
		return true;
	if (native_fault.vector < 0)
		executed[mode][t->insn.op]++;
	else
		faulted[mode][t->insn.op]++;
	why = run_emulator(t, memory);
	if (why)
		explain(t, why, memory);
	return !why;
}

static void run_mode(enum mhv_mode mode, u64 seed)
{
	unsigned int i, n, differ = 0, m = mode == MHV_MODE_16 ? 0 : mode == MHV_MODE_32 ? 1 : 2;
	struct random r = random_seed(seed);
	struct trial t = { .mode = mode };
	unsigned long ok = 0, bad = 0;

	/* cmocka has its own handlers for the length of a test */
	assert_true(native_catch_signals());
	list_forms(mode);
	trials = 0;
	accesses = 0;
	pendings = 0;
	for (i = 0; i < nr_forms && differ < 8; i++)
		for (n = 0; n < TRIALS; n++)
			if (make_trial(&r, &forms[i], &t) && !run_trial(&t)) {
				differ++;
				break;
			}
	for (i = MHV_OP_NONE + 1; i < MHV_NR_OPS; i++) {
		ok += executed[m][i];
		bad += faulted[m][i];
	}
	fprintf(stderr, "# %u-bit: %u forms, %lu trials: %lu executed, %lu faulted;"
		" device accesses %lu, of them %lu late\n", mode * 8, nr_forms, trials, ok, bad,
		accesses, pendings);
	assert_int_equal(differ, 0);
	for (i = MHV_OP_NONE + 1; i < MHV_NR_OPS; i++)
		if (executed[m][i] < 100)
			fail_msg("operation %u executed %lu times only", i, executed[m][i]);
}

static void test_64(void **state)
{
	(void)state;
	run_mode(MHV_MODE_64, 64);
}

static void test_32(void **state)
{
	(void)state;
	run_mode(MHV_MODE_32, 32);
}

static void test_16(void **state)
{
	(void)state;
	run_mode(MHV_MODE_16, 16);
}

static int setup(void **state)
{
	(void)state;
	mock = malloc(sizeof(*mock));
	return mock && native_setup() ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(mock);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_64),
		cmocka_unit_test(test_32),
		cmocka_unit_test(test_16),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
