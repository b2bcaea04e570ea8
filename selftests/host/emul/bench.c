// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many instructions decoding and executing take: `make bench` counts them with
 * callgrind, which has no noise.  Each step is a function of its own, called once.
 */
#include <linux/compiler.h>
#include <stdio.h>
#include <string.h>

#include "exec.h"

static u64 device;

static enum mhv_emul_result bench_read(struct mhv_emul_ctx *ctx, u64 la, void *data,
				       unsigned int size, enum mhv_emul_access access)
{
	(void)ctx;
	(void)la;
	(void)size;
	(void)access;
	*(u64 *)data = device;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result bench_write(struct mhv_emul_ctx *ctx, u64 la, const void *data,
					unsigned int size)
{
	(void)ctx;
	(void)la;
	(void)size;
	device = *(const u64 *)data;
	return MHV_EMUL_OK;
}

static enum mhv_emul_result bench_late(struct mhv_emul_ctx *ctx, u64 la, void *data,
				       unsigned int size, enum mhv_emul_access access)
{
	(void)ctx;
	(void)la;
	(void)data;
	(void)size;
	(void)access;
	return MHV_EMUL_PENDING;
}

static const struct mhv_emul_ops ops = { .read = bench_read, .write = bench_write };
static const struct mhv_emul_ops late = { .read = bench_late, .write = bench_write };
static struct mhv_emul_regs regs;
static struct mhv_emul_ctx ctx = { .regs = &regs, .ops = &ops, .va_bits = 48 };

struct sample {
	u8 bytes[MHV_INSN_BUF];
	struct mhv_insn insn;
};

#define STEP(_name, _bytes)							\
	static struct sample _name = { .bytes = _bytes };			\
	noinline void _name##_decode(void);			\
	void _name##_decode(void)						\
	{									\
		mhv_decode(_name.bytes, MHV_INSN_MAX, MHV_MODE_64, &_name.insn); \
	}									\
	noinline void _name##_execute(void);			\
	void _name##_execute(void)						\
	{									\
		mhv_emul_exec(&ctx, &_name.insn);				\
	}

STEP(store, "\x89\x02")			/* mov %eax,(%rdx) */
STEP(store_disp, "\x89\x82\x00\x01\x00\x00") /* mov %eax,0x100(%rdx) */
STEP(store_imm, "\xc7\x02\x01\x00\x00\x00") /* movl $1,(%rdx) */
STEP(load, "\x8b\x02")			/* mov (%rdx),%eax */
STEP(load_rex, "\x48\x8b\x02")		/* mov (%rdx),%rax */
STEP(movzx, "\x0f\xb6\x02")		/* movzbl (%rdx),%eax */
STEP(or_mem, "\x83\x0a\x01")		/* orl $1,(%rdx) */

noinline void load_late_execute(void);
void load_late_execute(void)
{
	ctx.ops = &late;
	mhv_emul_exec(&ctx, &load.insn);
}

noinline void load_late_resume(void);
void load_late_resume(void)
{
	mhv_emul_complete(&ctx, &device, 4);
	mhv_emul_resume(&ctx);
}

int main(void)
{
	regs.r[MHV_RDX] = 0xfebf0000;
	store_decode();
	store_execute();
	store_disp_decode();
	store_disp_execute();
	store_imm_decode();
	store_imm_execute();
	load_decode();
	load_execute();
	load_rex_decode();
	load_rex_execute();
	movzx_decode();
	movzx_execute();
	or_mem_decode();
	or_mem_execute();
	load_late_execute();
	load_late_resume();
	printf("%llx\n", (unsigned long long)regs.r[MHV_RIP]);
	return 0;
}
