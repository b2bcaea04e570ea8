// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: any bytes in any mode.  The decoder must agree with Zydis; what it
 * accepts is executed on a mock vCPU with fuzzed registers, segments and devices, and
 * the executor must keep its promises (mock.c) and its memory (AddressSanitizer).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode_check.h"
#include "mock.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const enum mhv_mode modes[] = { MHV_MODE_16, MHV_MODE_32, MHV_MODE_64, MHV_MODE_64 };

/* How the mock is set up: the bytes after the instruction's */
struct setting {
	u8  mode;
	u8  flags;
	u8  nr;
	u8  devices;
	u64 seed;
};

/* Registers that point somewhere near the window, or anywhere */
static void fill_registers(struct mock *m, struct random *r)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		m->regs.r[i] = random_u64(r) >> random_below(r, 64);
		if (random_below(r, 2))
			m->regs.r[i] = NATIVE_WINDOW + random_below(r, NATIVE_SIZE);
	}
	/* repeats that do not go on for ever */
	m->regs.r[MHV_RCX] &= 0xfff;
	m->regs.r[MHV_RFLAGS] = (random_u64(r) & 0x48dd5) | 2;
	random_fill(r, m->memory, 256);
}

static void execute(const struct setting *s, const struct mhv_insn *insn)
{
	static struct mock mock;
	struct random r = random_seed(s->seed);
	unsigned int i;

	mock_init(&mock, modes[s->mode & 3]);
	fill_registers(&mock, &r);
	mock.random = r;
	mock.ctx.real = s->flags & 1;
	mock.strings = s->flags & 2;
	mock.defer = s->flags & 4;
	mock.lose_races = s->flags & 8;
	for (i = 0; i < NATIVE_PAGES; i++) {
		mock.device[i] = s->devices >> i & 1;
		mock.read_only[i] = s->devices >> (i + 4) & 1;
		if (s->flags & 16)
			mock.segment[i].limit = random_u64(&r);
	}
	mock_run(&mock, insn);
	if (mock.broken) {
		fprintf(stderr, "broken promise: %s\n", mock.broken);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 bytes[MHV_INSN_BUF] = { 0 };
	struct setting s = { 0 };
	struct mhv_insn insn;
	enum mhv_mode mode;
	const char *why;

	if (size < sizeof(s))
		return 0;
	memcpy(&s, data, sizeof(s));
	size -= sizeof(s);
	memcpy(bytes, data + sizeof(s), size < sizeof(bytes) ? size : sizeof(bytes));
	mode = modes[s.mode & 3];
	if (!decode_check(bytes, s.nr % (MHV_INSN_MAX + 1), mode, NULL, &why) ||
	    !decode_check(bytes, MHV_INSN_MAX, mode, NULL, &why)) {
		fprintf(stderr, "%s\n", why);
		decode_explain(bytes, MHV_INSN_MAX, mode);
		abort();
	}
	if (mhv_decode(bytes, MHV_INSN_MAX, mode, &insn) == MHV_DECODE_OK)
		execute(&s, &insn);
	return 0;
}
