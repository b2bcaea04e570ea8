// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder against Zydis, over all opcodes with all ModRM bytes under many
 * prefixes, over random bytes, and over cut instructions.  Everything is derived from
 * fixed seeds.
 */
#include <linux/kernel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decode_check.h"
#include "random.h"

static const enum mhv_mode modes[] = { MHV_MODE_16, MHV_MODE_32, MHV_MODE_64 };

#define NR_MODES	ARRAY_SIZE(modes)
#define MAX_COMPLAINTS	20

static struct decode_stats stats;
static unsigned long checks, complaints;

static void check(const u8 *bytes, unsigned int nr, enum mhv_mode mode)
{
	const char *why;

	checks++;
	if (decode_check(bytes, nr, mode, &stats, &why))
		return;
	if (complaints++ < MAX_COMPLAINTS || !(complaints & (complaints - 1))) {
		fprintf(stderr, "# disagree: %s\n", why);
		decode_explain(bytes, nr, mode);
	}
}

static void report(const char *what)
{
	fprintf(stderr, "# %s: %lu decodings, %lu disagreements\n", what, checks, complaints);
	checks = 0;
	assert_int_equal(complaints, 0);
}

/* Prefixes before each opcode; REX makes sense in 64-bit mode only, and is harmless */
static const char *const prefix_sets[] = {
	"", "\x66", "\x67", "\xf2", "\xf3", "\xf0", "\x48", "\x4f", "\x45",
	"\x66\xf3", "\xf2\x66", "\xf3\xf2", "\x66\x48", "\x64", "\x2e\x67", "\x36\x65",
	"\xf0\x66\x42", "\x48\x66", "\xf2\xf3", "\x67\x66\x41", "\xf3\x67\x4c",
	"\x64\x3e", "\x26", "\xf0\xf3",
};

static const char *const map_escapes[] = { "", "\x0f", "\x0f\x38", "\x0f\x3a" };

static void all_modrm(struct random *r, enum mhv_mode mode, u8 *bytes, unsigned int pos)
{
	unsigned int modrm;

	for (modrm = 0; modrm < 256; modrm++) {
		random_fill(r, bytes + pos, MHV_INSN_BUF - pos);
		bytes[pos] = modrm;
		check(bytes, MHV_INSN_MAX, mode);
	}
}

static void all_opcodes(struct random *r, enum mhv_mode mode, u8 *bytes, unsigned int pos)
{
	unsigned int opcode;

	for (opcode = 0; opcode < 256; opcode++) {
		bytes[pos] = opcode;
		all_modrm(r, mode, bytes, pos + 1);
	}
}

static void test_all_opcodes(void **state)
{
	struct random r = random_seed(1);
	u8 bytes[MHV_INSN_BUF];
	size_t mode, set, map, n;

	(void)state;
	for (mode = 0; mode < NR_MODES; mode++)
		for (set = 0; set < ARRAY_SIZE(prefix_sets); set++)
			/* the 0F 3A map holds nothing we decode: once is enough */
			for (map = 0; map < (set ? 3 : 4); map++) {
				n = strlen(prefix_sets[set]);
				memcpy(bytes, prefix_sets[set], n);
				memcpy(bytes + n, map_escapes[map], strlen(map_escapes[map]));
				all_opcodes(&r, modes[mode], bytes,
					    n + strlen(map_escapes[map]));
			}
	report("all opcodes");
}

/* C5 with each second byte; C4 with maps 0 to 3 and random bits */
static void test_vex(void **state)
{
	struct random r = random_seed(2);
	u8 bytes[MHV_INSN_BUF];
	size_t mode, i;

	(void)state;
	for (mode = 0; mode < NR_MODES; mode++)
		for (i = 0; i < 256; i++) {
			bytes[0] = 0xc5;
			bytes[1] = i;
			/* vvvv is 1111 in most that are valid */
			if (random_below(&r, 4))
				bytes[1] |= 0x78;
			all_opcodes(&r, modes[mode], bytes, 2);
		}
	for (i = 0; i < 4000000; i++) {
		random_fill(&r, bytes, sizeof(bytes));
		bytes[0] = 0xc4;
		bytes[1] = (bytes[1] & 0xe0) | random_below(&r, 4);
		if (random_below(&r, 4))
			bytes[2] |= 0x78;
		check(bytes, MHV_INSN_MAX, modes[i % NR_MODES]);
	}
	report("VEX");
}

static void test_random(void **state)
{
	struct random r = random_seed(3);
	u8 bytes[MHV_INSN_BUF];
	unsigned long i;

	(void)state;
	for (i = 0; i < 4000000; i++) {
		random_fill(&r, bytes, sizeof(bytes));
		check(bytes, MHV_INSN_MAX, modes[i % NR_MODES]);
	}
	report("random bytes");
}

/* A random run of prefixes, up to and beyond the 15 bytes, then an opcode */
static void test_prefix_runs(void **state)
{
	static const u8 prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3, 0x48, 0x41,
	};
	struct random r = random_seed(4);
	u8 bytes[MHV_INSN_BUF];
	unsigned long i;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		unsigned int n = random_below(&r, 16), p;

		random_fill(&r, bytes, sizeof(bytes));
		for (p = 0; p < n; p++)
			bytes[p] = prefixes[random_below(&r, sizeof(prefixes))];
		if (random_below(&r, 2))
			bytes[n] = 0x88 + random_below(&r, 4);
		check(bytes, MHV_INSN_MAX, modes[i % NR_MODES]);
	}
	report("runs of prefixes");
}

/*
 * Every proper beginning of an instruction is SHORT, whatever lies behind it, and
 * the bytes behind a whole one do not matter.
 */
static void test_cut(void **state)
{
	static const u8 behind[] = { 0x00, 0xff, 0xf0, 0x66, 0xc5, 0x0f };
	struct random r = random_seed(5);
	u8 bytes[MHV_INSN_BUF], cut[MHV_INSN_BUF];
	struct mhv_insn insn, again;
	unsigned long i, whole = 0;
	unsigned int n;

	(void)state;
	for (i = 0; i < 2000000; i++) {
		enum mhv_mode mode = modes[i % NR_MODES];

		random_fill(&r, bytes, sizeof(bytes));
		if (mhv_decode(bytes, MHV_INSN_MAX, mode, &insn) != MHV_DECODE_OK)
			continue;
		whole++;
		memset(cut, behind[i % sizeof(behind)], sizeof(cut));
		for (n = 0; n < insn.len; n++) {
			memcpy(cut, bytes, n);
			assert_int_equal(mhv_decode(cut, n, mode, &again), MHV_DECODE_SHORT);
		}
		memcpy(cut, bytes, n);
		assert_int_equal(mhv_decode(cut, n, mode, &again), MHV_DECODE_OK);
		assert_memory_equal(&insn, &again, sizeof(insn));
	}
	fprintf(stderr, "# cut: %lu instructions\n", whole);
	assert_true(whole > 100000);
}

static void test_too_long(void **state)
{
	u8 bytes[MHV_INSN_BUF];
	struct mhv_insn insn;

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	assert_int_equal(mhv_decode(bytes, 15, MHV_MODE_64, &insn), MHV_DECODE_TOO_LONG);
	assert_int_equal(mhv_decode(bytes, 14, MHV_MODE_64, &insn), MHV_DECODE_SHORT);
	bytes[13] = 0x89;
	bytes[14] = 0x02;
	assert_int_equal(mhv_decode(bytes, 15, MHV_MODE_64, &insn), MHV_DECODE_OK);
	assert_int_equal(insn.len, 15);
	bytes[14] = 0x42;
	assert_int_equal(mhv_decode(bytes, 15, MHV_MODE_64, &insn), MHV_DECODE_TOO_LONG);
	assert_int_equal(mhv_decode(bytes, 20, MHV_MODE_64, &insn), MHV_DECODE_TOO_LONG);
}

/* LOCK is for what reads and writes memory; both unlike and register forms are #UD */
static void test_lock(void **state)
{
	static const struct {
		char bytes[8];
		enum mhv_decode_result result;
	} cases[] = {
		{ "\xf0\x01\x02", MHV_DECODE_OK },		/* add %eax,(%rdx) */
		{ "\xf0\x01\xc2", MHV_DECODE_UD },		/* add %eax,%edx */
		{ "\xf0\x03\x02", MHV_DECODE_UD },		/* add (%rdx),%eax */
		{ "\xf0\x39\x02", MHV_DECODE_UD },		/* cmp */
		{ "\xf0\x80\x3a\x01", MHV_DECODE_UD },		/* cmpb $1 */
		{ "\xf0\x80\x32\x01", MHV_DECODE_OK },		/* xorb $1 */
		{ "\xf0\x89\x02", MHV_DECODE_UD },		/* mov */
		{ "\xf0\x0f\xba\x22\x01", MHV_DECODE_UD },	/* btl $1 */
		{ "\xf0\x0f\xba\x2a\x01", MHV_DECODE_OK },	/* btsl $1 */
		{ "\xf0\x0f\xc7\x0a", MHV_DECODE_OK },		/* cmpxchg8b */
		{ "\xf0\xf7\x02\x01", MHV_DECODE_UD },		/* testl */
		{ "\xf0\xd3\x22", MHV_DECODE_UD },		/* shll */
		{ "\xf0\xc5\xf8\x11\x02", MHV_DECODE_UD },	/* vmovups */
	};
	struct mhv_insn insn;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 bytes[MHV_INSN_BUF] = { 0 };

		memcpy(bytes, cases[i].bytes, 8);
		assert_int_equal(mhv_decode(bytes, 15, MHV_MODE_64, &insn), cases[i].result);
	}
}

/* Runs last: the tests above met each supported mnemonic in each mode */
static void test_coverage(void **state)
{
	const char *missing = decode_not_covered(&stats);

	(void)state;
	fprintf(stderr, "# ok %lu, too long %lu, #UD %lu, unsupported %lu, no memory %lu\n",
		stats.result[MHV_DECODE_OK], stats.result[MHV_DECODE_TOO_LONG],
		stats.result[MHV_DECODE_UD], stats.result[MHV_DECODE_UNSUPPORTED],
		stats.result[MHV_DECODE_NO_MEMORY]);
	if (missing)
		fprintf(stderr, "# never met: %s\n", missing);
	assert_null(missing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_opcodes),
		cmocka_unit_test(test_vex),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_prefix_runs),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_coverage),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
