// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor's promises that native execution cannot show: which accesses a device
 * sees, and how many; what happens between PENDING and resume; segments, real mode and
 * wide addresses; ROM; batches of string instructions.
 */
#include <linux/kernel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alu.h"
#include "mock.h"

#define W	NATIVE_WINDOW
#define PAGE	4096
#define RIP	0x400000
#define UD	6
#define SS	12
#define GP	13
#define PF	14

static struct mock *m;

static int setup(void **state)
{
	(void)state;
	m = calloc(1, sizeof(*m));
	return m ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(m);
	return 0;
}

/* A vCPU about to execute @bytes, its memory 00 01 02 .. ff 00 .. */
static struct mhv_insn begin(enum mhv_mode mode, const char *bytes, unsigned int len)
{
	u8 buf[MHV_INSN_BUF] = { 0 };
	struct mhv_insn insn;
	unsigned int i;

	mock_init(m, mode);
	for (i = 0; i < 6; i++)
		m->segment[i].base = 0;
	for (i = 0; i < NATIVE_SIZE; i++)
		m->memory[i] = i;
	m->regs.r[MHV_RIP] = RIP;
	m->regs.r[MHV_RFLAGS] = 2;
	m->regs.r[MHV_RDX] = W;
	m->regs.r[MHV_RSP] = W + 2 * PAGE + 0x800;
	memcpy(buf, bytes, len);
	assert_int_equal(mhv_decode(buf, MHV_INSN_MAX, mode, &insn), MHV_DECODE_OK);
	assert_int_equal(insn.len, len);
	return insn;
}

#define BEGIN(_mode, _bytes)	begin(_mode, _bytes, sizeof(_bytes) - 1)

static void expect_ok(const struct mhv_insn *insn)
{
	assert_int_equal(mock_run(m, insn), MHV_EMUL_OK);
	if (m->broken)
		fail_msg("%s", m->broken);
}

static void expect_fault(const struct mhv_insn *insn, u8 vector)
{
	struct mhv_emul_regs before = m->regs;

	assert_int_equal(mock_run(m, insn), MHV_EMUL_FAULT);
	assert_int_equal(m->ctx.fault.vector, vector);
	assert_memory_equal(&before, &m->regs, sizeof(before));
	if (m->broken)
		fail_msg("%s", m->broken);
}

/* "R4 W4+8": a read of 4 bytes at the window's beginning, a write of 4 at 8 */
static void expect_log(const char *wanted)
{
	char text[256] = "", *p = text;
	unsigned int i;

	for (i = 0; i < m->log.nr && p < text + 200; i++) {
		struct mock_access *a = &m->log.access[i];

		p += sprintf(p, "%s%c%u", i ? " " : "", a->write ? 'W' : 'R', a->size);
		if (a->la != W)
			p += sprintf(p, "+%x", (unsigned int)(a->la - W));
	}
	assert_string_equal(text, wanted);
}

/* ---- what devices see ---------------------------------------------------- */

struct access_case {
	const char *bytes;
	unsigned int len;
	const char *log;
};

#define CASE(_bytes, _log)	{ _bytes, sizeof(_bytes) - 1, _log }

/* The first page is a device, RDX and RSI point to it; RDI and RSP to memory */
static const struct access_case access_cases[] = {
	CASE("\x89\x02", "W4"),				/* mov %eax,(%rdx) */
	CASE("\x88\x22", "W1"),				/* mov %ah,(%rdx) */
	CASE("\x48\x8b\x02", "R8"),			/* mov (%rdx),%rax */
	CASE("\x66\xc7\x02\x01\x02", "W2"),		/* movw $0x201,(%rdx) */
	CASE("\x0f\xb6\x02", "R1"),			/* movzbl (%rdx),%eax */
	CASE("\x48\x63\x02", "R4"),			/* movslq (%rdx),%rax */
	CASE("\x0f\x38\xf0\x02", "R4"),			/* movbe (%rdx),%eax */
	CASE("\x48\x0f\xc3\x02", "W8"),			/* movnti %rax,(%rdx) */
	CASE("\x0f\x38\xf9\x02", "W4"),			/* movdiri %eax,(%rdx) */
	CASE("\x01\x02", "R4 W4"),			/* add %eax,(%rdx) */
	CASE("\x03\x02", "R4"),				/* add (%rdx),%eax */
	CASE("\x39\x02", "R4"),				/* cmp %eax,(%rdx) */
	CASE("\xf6\x02\x01", "R1"),			/* testb $1,(%rdx) */
	CASE("\xf0\x01\x02", "R4 W4"),			/* lock add %eax,(%rdx) */
	CASE("\xf6\x12", "R1 W1"),			/* notb (%rdx) */
	CASE("\xc1\x22\x03", "R4 W4"),			/* shll $3,(%rdx) */
	CASE("\xd3\x22", "R4 W4"),			/* shll %cl,(%rdx), %cl = 0 */
	CASE("\x0f\xba\x22\x03", "R4"),			/* btl $3,(%rdx) */
	CASE("\x0f\xab\x02", "R4 W4"),			/* bts %eax,(%rdx) */
	CASE("\x87\x02", "R4 W4"),			/* xchg %eax,(%rdx) */
	CASE("\x0f\xc1\x02", "R4 W4"),			/* xadd %eax,(%rdx) */
	CASE("\x0f\xb1\x1a", "R4 W4"),			/* cmpxchg %ebx,(%rdx) */
	CASE("\x0f\xc7\x0a", "R8 W8"),			/* cmpxchg8b (%rdx) */
	CASE("\xf0\x48\x0f\xc7\x0a", "R16 W16"),	/* lock cmpxchg16b (%rdx) */
	CASE("\x0f\x44\x02", "R4"),			/* cmove (%rdx),%eax: not */
	CASE("\x0f\x94\x02", "W1"),			/* sete (%rdx) */
	CASE("\x0f\xaf\x02", "R4"),			/* imul (%rdx),%eax */
	CASE("\xff\x32", "R8"),				/* push (%rdx) */
	CASE("\x8f\x02", "W8"),				/* pop (%rdx) */
	CASE("\xff\x12", "R8"),				/* call *(%rdx) */
	CASE("\xff\x22", "R8"),				/* jmp *(%rdx) */
	CASE("\xa5", "R4"),				/* movsl */
	CASE("\xad", "R4"),				/* lodsl */
	CASE("\xa6", "R1"),				/* cmpsb */
	CASE("\x0f\x10\x02", "R16"),			/* movups (%rdx),%xmm0 */
	CASE("\x66\x0f\xd6\x02", "W8"),			/* movq %xmm0,(%rdx) */
	CASE("\xc5\xfd\xe7\x02", "W32"),		/* vmovntdq %ymm0,(%rdx) */
	CASE("\x0f\x16\x02", "R8"),			/* movhps (%rdx),%xmm0 */
	CASE("\x0f\xae\x3a", ""),			/* clflush (%rdx) */
};

static void run_access_case(const struct access_case *c, bool defer, u64 seed)
{
	struct mhv_insn insn = begin(MHV_MODE_64, c->bytes, c->len);

	/* a canonical address for CALL and JMP */
	m->memory[7] = 0;
	m->memory[6] = 0;
	m->device[0] = true;
	m->regs.r[MHV_RSI] = W;
	m->regs.r[MHV_RDI] = W + PAGE;
	m->random = random_seed(seed);
	m->defer = defer;
	expect_ok(&insn);
	expect_log(c->log);
}

static void test_accesses(void **state)
{
	size_t i;
	u64 seed;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(access_cases); i++) {
		run_access_case(&access_cases[i], false, 0);
		for (seed = 1; seed < 200; seed++)
			run_access_case(&access_cases[i], true, seed);
	}
}

/* Pieces of an access across pages: naturally aligned, and only the device's share */
static void test_pieces(void **state)
{
	static const struct {
		bool low, high;
		const char *log;
	} cases[] = {
		{ true, true, "W1+ffd W2+ffe W4+1000 W1+1004" },
		{ true, false, "W1+ffd W2+ffe" },
		{ false, true, "W4+1000 W1+1004" },
	};
	u64 value = 0x1122334455667788, seed;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		for (seed = 0; seed < 200; seed++) {
			struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x48\x89\x02");

			m->device[0] = cases[i].low;
			m->device[1] = cases[i].high;
			m->regs.r[MHV_RDX] = W + 0xffd;
			m->regs.r[MHV_RAX] = value;
			m->defer = seed;
			m->random = random_seed(seed);
			expect_ok(&insn);
			expect_log(cases[i].log);
			assert_memory_equal(m->memory + 0xffd, &value, 8);
		}
}

/* What cannot complete leaves the device alone */
static void test_fault_before_device(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\xa5");	/* movsl */

	(void)state;
	m->device[0] = true;
	m->regs.r[MHV_RSI] = W;
	m->regs.r[MHV_RDI] = W - 8;
	expect_fault(&insn, PF);
	assert_int_equal(m->ctx.fault.cr2, W - 8);
	expect_log("");

	insn = BEGIN(MHV_MODE_64, "\xff\x32");			/* push (%rdx) */
	m->device[0] = true;
	m->regs.r[MHV_RSP] = W + NATIVE_SIZE + 64;
	expect_fault(&insn, PF);
	expect_log("");

	insn = BEGIN(MHV_MODE_64, "\x8f\x02");			/* pop (%rdx) */
	m->device[2] = true;
	m->read_only[0] = true;
	expect_fault(&insn, PF);
	expect_log("");

	insn = BEGIN(MHV_MODE_64, "\x01\x02");			/* add %eax,(%rdx) */
	m->device[0] = true;
	m->read_only[0] = true;
	expect_fault(&insn, PF);
	assert_int_equal(m->ctx.fault.error, 7);
	expect_log("");

	insn = BEGIN(MHV_MODE_64, "\x48\x8b\x02");		/* mov (%rdx),%rax */
	m->device[3] = true;
	m->regs.r[MHV_RDX] = W + NATIVE_SIZE - 4;
	expect_fault(&insn, PF);
	assert_int_equal(m->ctx.fault.cr2, W + NATIVE_SIZE);
	expect_log("");

	insn = BEGIN(MHV_MODE_64, "\x48\x89\x02");		/* mov %rax,(%rdx) */
	m->device[0] = true;
	m->regs.r[MHV_RDX] = W - 4;
	expect_fault(&insn, PF);
	assert_int_equal(m->ctx.fault.cr2, W - 4);
	expect_log("");
}

/* Reads come from memory, writes go to the device, also the locked ones */
static void test_rom(void **state)
{
	static const struct access_case cases[] = {
		CASE("\x8b\x02", ""),			/* mov (%rdx),%eax */
		CASE("\x89\x02", "W4"),			/* mov %eax,(%rdx) */
		CASE("\x83\x0a\x01", "W4"),		/* orl $1,(%rdx) */
		CASE("\xf0\x83\x0a\x01", "W4"),		/* lock orl $1,(%rdx) */
		CASE("\x87\x02", "W4"),			/* xchg %eax,(%rdx) */
	};
	size_t i;
	u64 seed;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (seed = 0; seed < 100; seed++) {
			struct mhv_insn insn = begin(MHV_MODE_64, cases[i].bytes, cases[i].len);

			m->rom[0] = true;
			m->defer = seed;
			m->random = random_seed(seed);
			expect_ok(&insn);
			expect_log(cases[i].log);
			assert_int_equal(m->memory[0], 0);
			assert_int_equal(m->memory[3], 3);
		}
}

/* ---- between PENDING and resume ------------------------------------------ */

static enum mhv_emul_result late_read(struct mhv_emul_ctx *ctx, u64 la, void *data,
				      unsigned int size, enum mhv_emul_access access)
{
	(void)ctx;
	(void)data;
	(void)access;
	m->log.access[m->log.nr++] = (struct mock_access) { la, size, false };
	return MHV_EMUL_PENDING;
}

static void set_regs(const struct mhv_emul_regs *new)
{
	mhv_emul_regs_change(&m->ctx, new);
	m->regs = *new;
}

/* User space changes registers meanwhile: the read is made once and arrives */
static void test_changed_registers(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x8b\x02");	/* mov (%rdx),%eax */
	struct mhv_emul_regs other;
	u32 data = 0x11223344;

	(void)state;
	m->ops.read = late_read;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	memset(&other, 0x5a, sizeof(other));
	other.r[MHV_RIP] = RIP;
	set_regs(&other);
	/* a second change must not count as what the instruction began with */
	other.r[MHV_RDX] = 1;
	set_regs(&other);
	mhv_emul_complete(&m->ctx, &data, 4);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	assert_int_equal(m->regs.r[MHV_RAX], data);
	assert_int_equal(m->regs.r[MHV_RDX], 1);
	assert_int_equal(m->regs.r[MHV_RIP], RIP + 2);
	expect_log("R4");
}

/* ... also in the middle of one that goes on to write */
static void test_changed_registers_write(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x01\x02");	/* add %eax,(%rdx) */
	struct mhv_emul_regs other = { .r = { [MHV_RIP] = RIP } };
	u32 data = 100, sum;

	(void)state;
	m->ops.read = late_read;
	m->device[0] = true;
	m->regs.r[MHV_RAX] = 11;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	set_regs(&other);
	mhv_emul_complete(&m->ctx, &data, 4);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	memcpy(&sum, m->memory, 4);
	assert_int_equal(sum, 111);
	assert_int_equal(m->regs.r[MHV_RAX], 0);
	assert_int_equal(m->regs.r[MHV_RIP], RIP + 2);
	expect_log("R4 W4");
}

/* Another RIP: the guest shall go on elsewhere */
static void test_moved_away(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x8b\x02");
	struct mhv_emul_regs other = m->regs;

	(void)state;
	m->ops.read = late_read;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	assert_true(mhv_emul_pending(&m->ctx));
	other.r[MHV_RIP] = RIP + 0x100;
	set_regs(&other);
	assert_false(mhv_emul_pending(&m->ctx));
	assert_int_equal(m->regs.r[MHV_RIP], RIP + 0x100);
}

/* Without a completion the same access is asked for again, and nothing has moved */
static void test_asked_again(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x0f\xb7\x02");	/* movzwl (%rdx),%eax */
	struct mhv_emul_regs before = m->regs;
	u16 data = 0xabcd;

	(void)state;
	m->ops.read = late_read;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_PENDING);
	assert_memory_equal(&before, &m->regs, sizeof(before));
	mhv_emul_complete(&m->ctx, &data, 2);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	assert_int_equal(m->regs.r[MHV_RAX], 0xabcd);
	expect_log("R2 R2");
}

/* A caller that completes too much, or too often, hurts nobody */
static void test_too_much_completed(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\xc5\xfe\x6f\x02"); /* vmovdqu (%rdx),%ymm0 */
	u8 data[64] = { 0 };
	unsigned int i;

	(void)state;
	m->ops.read = late_read;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	for (i = 0; i < 300; i++)
		mhv_emul_complete(&m->ctx, data, 32);
	assert_int_not_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_PENDING);
}

/* ---- the guest's memory changes between PENDING and resume ---------------- */

static enum mhv_emul_result late_write(struct mhv_emul_ctx *ctx, u64 la, const void *data,
				       unsigned int size)
{
	(void)ctx;
	(void)data;
	m->log.access[m->log.nr++] = (struct mock_access) { la, size, true };
	return MHV_EMUL_PENDING;
}

static enum mhv_emul_result no_page(struct mhv_emul_ctx *ctx, u64 la, unsigned int size,
				    enum mhv_emul_access access)
{
	(void)la;
	(void)size;
	(void)access;
	ctx->fault = (struct mhv_emul_fault) { .vector = PF };
	return MHV_EMUL_FAULT;
}

/* Addresses are not looked up again for accesses that are done */
static void test_source_gone(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\xa5");	/* movsl */
	u32 data = 0x11223344;

	(void)state;
	m->ops.read = late_read;
	m->regs.r[MHV_RSI] = W;
	m->regs.r[MHV_RDI] = W + PAGE;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	m->ops.probe = no_page;
	mhv_emul_complete(&m->ctx, &data, 4);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	assert_memory_equal(m->memory + PAGE, &data, 4);
	expect_log("R4");
}

/* A locked write that a device has seen is not made to the memory that took its place */
static void test_device_gone(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\xf0\x83\x02\x05"); /* lock addl $5,(%rdx) */
	u32 data = 100;

	(void)state;
	m->device[0] = true;
	m->ops.read = late_read;
	m->ops.write = late_write;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_PENDING);
	mhv_emul_complete(&m->ctx, &data, 4);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_PENDING);
	mhv_emul_complete(&m->ctx, NULL, 0);
	m->device[0] = false;
	memcpy(m->memory, &data, 4);
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	assert_memory_equal(m->memory, &data, 4);
	expect_log("R4 W4");
}

/* ---- locked instructions on memory --------------------------------------- */

static enum mhv_emul_result always_lose(struct mhv_emul_ctx *ctx, u64 la, const void *old,
					const void *new, unsigned int size)
{
	(void)ctx;
	(void)la;
	(void)old;
	(void)new;
	(void)size;
	return MHV_EMUL_MISMATCH;
}

static void test_lost_races(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\xf0\xff\x02");	/* lock incl (%rdx) */
	struct mhv_emul_regs before = m->regs;

	(void)state;
	m->ops.compare_swap = always_lose;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_RETRY);
	assert_memory_equal(&before, &m->regs, sizeof(before));
	assert_int_equal(m->memory[0], 0);
}

/* ---- segments and modes -------------------------------------------------- */

/* movl %eax,%ds:(%edx), or with another segment */
static void check_segment(const char *bytes, unsigned int len, enum mhv_seg seg,
			  struct mhv_emul_seg s, u32 offset, int vector)
{
	struct mhv_insn insn = begin(MHV_MODE_32, bytes, len);

	m->segment[seg] = s;
	m->regs.r[MHV_RDX] = offset;
	m->regs.r[MHV_RBP] = offset;
	if (vector < 0)
		expect_ok(&insn);
	else
		expect_fault(&insn, vector);
}

#define STORE_DS	"\x89\x02", 2		/* mov %eax,(%edx) */
#define LOAD_DS		"\x8b\x02", 2
#define STORE_SS	"\x89\x45\x00", 3	/* mov %eax,0(%ebp) */
#define LOAD_CS		"\x2e\x8b\x02", 3
#define STORE_CS	"\x2e\x89\x02", 3

static struct mhv_emul_seg seg(u64 base, u32 limit, u32 rights)
{
	return (struct mhv_emul_seg) { base, limit, rights };
}

static void test_segments(void **state)
{
	(void)state;
	/* the last byte of the limit, and one more */
	check_segment(STORE_DS, MHV_SEG_DS, seg(W, 0xfff, 0x93), 0xffc, -1);
	check_segment(STORE_DS, MHV_SEG_DS, seg(W, 0xfff, 0x93), 0xffd, GP);
	check_segment(STORE_SS, MHV_SEG_SS, seg(W, 0xfff, 0x93), 0xffd, SS);
	/* expand down: above the limit, up to 64 KiB or 4 GiB */
	check_segment(STORE_DS, MHV_SEG_DS, seg(W - 0x1000, 0xfff, 0x97), 0x1000, -1);
	check_segment(STORE_DS, MHV_SEG_DS, seg(W - 0x1000, 0xfff, 0x97), 0xfff, GP);
	check_segment(STORE_DS, MHV_SEG_DS, seg(W - 0xfffc, 0xfff, 0x97), 0xfffc, -1);
	check_segment(STORE_DS, MHV_SEG_DS, seg(W - 0xfffc, 0xfff, 0x97), 0xfffd, GP);
	check_segment(STORE_DS, MHV_SEG_DS, seg(W - 0x10000, 0xfff, 0x4097), 0x10000, -1);
	/* rights */
	check_segment(STORE_DS, MHV_SEG_DS, seg(0, ~0U, 0x4091), W, GP);
	check_segment(LOAD_DS, MHV_SEG_DS, seg(0, ~0U, 0x4091), W, -1);
	check_segment(STORE_CS, MHV_SEG_CS, seg(0, ~0U, 0x409b), W, GP);
	check_segment(LOAD_CS, MHV_SEG_CS, seg(0, ~0U, 0x409b), W, -1);
	check_segment(LOAD_CS, MHV_SEG_CS, seg(0, ~0U, 0x4099), W, GP);
	check_segment(LOAD_DS, MHV_SEG_DS, seg(0, ~0U, 0x14093), W, GP);
	/* linear addresses have 32 bits */
	check_segment(LOAD_DS, MHV_SEG_DS, seg(0xfffff000, ~0U, 0x4093), W + 0x1000, -1);
}

/* An access that goes round at 4 GiB: the second piece is at 0 */
static void test_wrap_32(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_32, "\x8b\x02");

	(void)state;
	m->regs.r[MHV_RDX] = 0xfffffffe;
	expect_fault(&insn, PF);
	assert_int_equal(m->ctx.fault.cr2, 0xfffffffe);

	/* a base that brings the end of the segment to the window */
	insn = BEGIN(MHV_MODE_32, "\x8b\x02");
	m->segment[MHV_SEG_DS] = seg(W + 2, ~0U, 0x4093);
	m->regs.r[MHV_RDX] = 0xfffffffe;
	expect_ok(&insn);
	assert_int_equal(m->regs.r[MHV_RAX], 0x03020100);
}

/* Real mode: limits, but no rights; no VEX */
static void test_real_mode(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_16, "\x2e\x89\x07");	/* mov %ax,%cs:(%bx) */

	(void)state;
	m->ctx.real = true;
	m->segment[MHV_SEG_CS] = seg(W, 0xffff, 0x9b);
	m->regs.r[MHV_RBX] = 4;
	m->regs.r[MHV_RAX] = 0x1234;
	expect_ok(&insn);
	assert_int_equal(m->memory[4], 0x34);
	m->regs.r[MHV_RBX] = 0xffff;
	expect_fault(&insn, GP);

	insn = BEGIN(MHV_MODE_16, "\xc5\xf8\x10\x07");	/* vmovups (%bx),%xmm0 */
	m->ctx.real = true;
	m->segment[MHV_SEG_DS] = seg(W, 0xffff, 0x93);
	expect_fault(&insn, UD);
	assert_false(m->ctx.fault.has_error);
}

static void test_canonical(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x8b\x02");
	u64 la = 0x0000800000000000;

	(void)state;
	m->regs.r[MHV_RDX] = la;
	expect_fault(&insn, GP);
	m->ctx.va_bits = 57;
	expect_fault(&insn, PF);
	m->ctx.va_bits = 48;
	m->regs.r[MHV_RDX] = la - 2;	/* only its end is not canonical */
	expect_fault(&insn, GP);

	insn = BEGIN(MHV_MODE_64, "\x8b\x45\x00");
	m->regs.r[MHV_RBP] = la;
	expect_fault(&insn, SS);
}

static void test_movdiri(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x48\x0f\x38\xf9\x02");
	u64 value = 0x0123456789abcdef;

	(void)state;
	m->regs.r[MHV_RAX] = value;
	expect_ok(&insn);
	assert_memory_equal(m->memory, &value, 8);
}

/* 63 with 66: a word, as the SDM has it */
static void test_movsxd_word(void **state)
{
	struct mhv_insn insn = BEGIN(MHV_MODE_64, "\x66\x63\x02");

	(void)state;
	m->device[0] = true;
	m->regs.r[MHV_RAX] = ~0ULL;
	expect_ok(&insn);
	assert_int_equal(m->regs.r[MHV_RAX], 0xffffffffffff0100);
	expect_log("R2");
}

/* ---- strings ------------------------------------------------------------- */

static struct mhv_insn begin_string(const char *bytes, unsigned int len, u64 count)
{
	struct mhv_insn insn = begin(MHV_MODE_64, bytes, len);

	m->strings = true;
	m->regs.r[MHV_RCX] = count;
	m->regs.r[MHV_RSI] = W + PAGE;
	m->regs.r[MHV_RDI] = W;
	return insn;
}

#define BEGIN_STRING(_bytes, _count)	begin_string(_bytes, sizeof(_bytes) - 1, _count)

/* A page to a device is one round; what follows it another */
static void test_batches(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa5", 1024);	/* rep movsl */

	(void)state;
	m->device[0] = true;
	m->memory[PAGE] = 0x77;
	expect_ok(&insn);
	assert_int_equal(m->rounds, 1);
	assert_int_equal(m->log.nr, 1024);
	assert_int_equal(m->regs.r[MHV_RCX], 0);
	assert_int_equal(m->regs.r[MHV_RDI], W + PAGE);
	assert_memory_equal(m->memory, m->memory + PAGE, PAGE);

	insn = BEGIN_STRING("\xf3\x48\xab", 600);		/* rep stosq */
	m->device[0] = true;
	m->device[1] = true;
	m->regs.r[MHV_RAX] = 0x1122334455667788;
	expect_ok(&insn);
	assert_int_equal(m->rounds, 2);
	assert_int_equal(m->log.nr, 600);
	assert_memory_equal(m->memory + 599 * 8, &m->regs.r[MHV_RAX], 8);

	/* downwards from the last element of a page */
	insn = BEGIN_STRING("\xf3\xa4", 4096);			/* rep movsb */
	m->device[0] = true;
	m->regs.r[MHV_RFLAGS] |= MHV_FLAG_DF;
	m->regs.r[MHV_RSI] = W + 2 * PAGE - 1;
	m->regs.r[MHV_RDI] = W + PAGE - 1;
	expect_ok(&insn);
	assert_int_equal(m->rounds, 1);
	assert_int_equal(m->log.access[0].la, W + PAGE - 1);
	assert_int_equal(m->regs.r[MHV_RDI], W - 1);
}

/* Within one device, a batch ends before it would read what it writes */
static void test_overlap(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa4", 100);
	unsigned int i;

	(void)state;
	m->device[0] = true;
	m->regs.r[MHV_RSI] = W + 0x100;
	m->regs.r[MHV_RDI] = W + 0x103;
	expect_ok(&insn);
	/* the first three bytes, over and over */
	for (i = 0; i < 103; i++)
		assert_int_equal(m->memory[0x100 + i], i % 3);
	assert_int_equal(m->rounds, 34);
}

/* A round that has begun keeps its length, whatever becomes of its destination */
static void test_batch_keeps_length(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa4", 100);
	enum mhv_emul_result r;

	(void)state;
	m->device[0] = true;
	m->defer = true;
	m->regs.r[MHV_RSI] = W;
	m->regs.r[MHV_RDI] = W + PAGE + 3;
	m->random = random_seed(7);
	m->ops.read_string = mock_read_string;
	m->ops.write_string = mock_write_string;
	r = mhv_emul_exec(&m->ctx, &insn);
	while (!m->request.valid && r == MHV_EMUL_PENDING)
		r = mhv_emul_resume(&m->ctx);
	assert_int_equal(r, MHV_EMUL_PENDING);
	mock_answer(m);
	m->device[1] = true;
	m->defer = false;
	assert_int_equal(mhv_emul_resume(&m->ctx), MHV_EMUL_OK);
	assert_int_equal(m->regs.r[MHV_RCX], 0);
	assert_memory_equal(m->memory + PAGE + 3, m->memory, 100);
	assert_int_equal(m->log.nr, 200);
}

/* With TF each element is a round, after which #DB is due */
static void test_single_step(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa4", 5);

	(void)state;
	m->device[0] = true;
	m->regs.r[MHV_RFLAGS] |= MHV_FLAG_TF;
	assert_int_equal(mhv_emul_exec(&m->ctx, &insn), MHV_EMUL_AGAIN);
	assert_int_equal(m->regs.r[MHV_RCX], 4);
	assert_int_equal(m->regs.r[MHV_RIP], RIP);
}

/* No count: nothing happens, not even to addresses that would fault */
static void test_no_count(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa4", 0);

	(void)state;
	m->regs.r[MHV_RSI] = 1ULL << 60;
	expect_ok(&insn);
	assert_int_equal(m->regs.r[MHV_RIP], RIP + 2);
	assert_int_equal(m->regs.r[MHV_RSI], 1ULL << 60);
}

/* A fault in the middle: what came before is done, RIP stays */
static void test_fault_in_repeat(void **state)
{
	struct mhv_insn insn = BEGIN_STRING("\xf3\xa4", 100);

	(void)state;
	m->device[3] = true;
	m->regs.r[MHV_RDI] = W + NATIVE_SIZE - 10;
	assert_int_equal(mock_run(m, &insn), MHV_EMUL_FAULT);
	assert_int_equal(m->ctx.fault.cr2, W + NATIVE_SIZE);
	assert_int_equal(m->regs.r[MHV_RCX], 90);
	assert_int_equal(m->regs.r[MHV_RSI], W + PAGE + 10);
	assert_int_equal(m->regs.r[MHV_RIP], RIP);
	assert_int_equal(m->log.nr, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_fault_before_device),
		cmocka_unit_test(test_rom),
		cmocka_unit_test(test_changed_registers),
		cmocka_unit_test(test_changed_registers_write),
		cmocka_unit_test(test_moved_away),
		cmocka_unit_test(test_asked_again),
		cmocka_unit_test(test_too_much_completed),
		cmocka_unit_test(test_source_gone),
		cmocka_unit_test(test_device_gone),
		cmocka_unit_test(test_lost_races),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_wrap_32),
		cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_movdiri),
		cmocka_unit_test(test_movsxd_word),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_batch_keeps_length),
		cmocka_unit_test(test_single_step),
		cmocka_unit_test(test_no_count),
		cmocka_unit_test(test_fault_in_repeat),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
