// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl debug: each reason why the guest's entry and mhv's differ is told, and the answers
 * are what people and programs read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"
#include "fixture.h"
#include "machine.h"

#define PWU	0x7ull
#define A	0x20ull
#define D	0x40ull

/* four levels down to a 4K page at gpa 0x5000, all in step */
static struct mhv_walk walk_of(u64 gpte, u64 spte)
{
	struct mhv_walk walk = {
		.gva = 0x5123, .paging = MHV_PAGING_SHADOW, .top = 4, .bottom = 1,
		.page_shift = 12, .host_top = 4, .gpa = 0x5123, .cr3 = 0x1000,
	};
	unsigned int i;

	for (i = 1; i < 4; i++)
		walk.level[i] = (struct mhv_walk_level){
			.gpte = 0x1000 * i | PWU | A, .made_from = 0x1000 * i | PWU | A,
			.gpte_gpa = 0x1000 * (i + 1), .spte = 0x100000 * i | PWU | A,
			.gfn = i, .kind = MHV_ENTRY_TABLE,
		};
	walk.level[0] = (struct mhv_walk_level){
		.gpte = gpte, .made_from = gpte, .gpte_gpa = 0x1028, .spte = spte, .gfn = 5,
		.kind = MHV_ENTRY_LEAF,
	};
	return walk;
}

static void expect(const struct mhv_walk *walk, unsigned int level, const char *want)
{
	char text[DEBUG_TEXT];

	walk_explain(walk, level, text);
	if (strcmp(text, want))
		fail_msg("level %u: '%s', wanted '%s'", level, text, want);
}

static void test_leaf(void **state)
{
	struct mhv_walk walk = walk_of(0x5000 | PWU | A | D, 0x9000 | PWU | A | D);

	expect(&walk, 4, "in step");
	expect(&walk, 1, "frame 0x5");
	walk = walk_of(0x5000 | PWU | A, 0x9000 | 0x5 | A);
	expect(&walk, 1, "frame 0x5; read-only until a write sets the guest's dirty bit");
	walk = walk_of(0x5000 | 0x5 | A, 0x9000 | 0x5 | A);
	expect(&walk, 1, "frame 0x5; read-only for the guest as well");
	walk = walk_of(0x5000 | PWU | A | D, 0x9000 | 0x5 | A);
	expect(&walk, 1,
	       "frame 0x5; read-only: the host has not given the page for writing yet");
	walk.level[0].flags = MHV_ENTRY_GUARDED;
	expect(&walk, 1, "frame 0x5; read-only: the frame is a guest page table kept in sync");
	/* a level above forbids */
	walk.level[2].gpte &= ~2ull;
	expect(&walk, 1, "frame 0x5; read-only for the guest as well");
}

static void test_unsync(void **state)
{
	struct mhv_walk walk = walk_of(0x5000 | PWU | A | D, 0x9000 | PWU | A | D);

	walk.level[0].flags = MHV_TABLE_UNSYNC;
	expect(&walk, 1, "frame 0x5; unsynced: the guest may write its table");
	walk.level[0].made_from = 0x6000 | PWU | A | D;
	expect(&walk, 1, "frame 0x5; unsynced: the guest may write its table; "
	       "old, made from 0x6067, until the guest flushes");
	walk.level[0].flags = 0;
	expect(&walk, 1, "frame 0x5; made from 0x6067: the guest has just changed it");
	/* marks alone make no difference */
	walk.level[0].made_from = 0x5000 | PWU;
	expect(&walk, 1, "frame 0x5");
}

static void test_nothing_there(void **state)
{
	struct mhv_walk walk = walk_of(0x5000 | PWU, 0);

	walk.level[0].kind = MHV_ENTRY_ABSENT;
	expect(&walk, 1, "not yet faulted in");
	walk.result = MHV_WALK_FAULT;
	expect(&walk, 1, "the guest's entry has reserved bits set");
	walk.level[0].gpte = 0x5000;
	expect(&walk, 1, "the guest's entry is not present either");
	walk.level[0].kind = MHV_ENTRY_GNP;
	walk.level[0].made_from = 0x5000;
	expect(&walk, 1, "the guest's entry is not present: its fault needs no exit");
	walk.result = MHV_WALK_NO_MEMORY;
	walk.level[0].kind = MHV_ENTRY_ABSENT;
	expect(&walk, 1, "the guest's table lies where no memory is");
}

static void test_device(void **state)
{
	struct mhv_walk walk = walk_of(0xfe000000 | PWU | A | D, 0);

	walk.level[0].kind = MHV_ENTRY_MMIO;
	walk.level[0].gfn = 0xfe000;
	expect(&walk, 1, "device frame 0xfe000");
	walk.level[0].flags = MHV_ENTRY_STALE;
	expect(&walk, 1, "device frame 0xfe000, of an older generation: looked up anew");
}

/* a guest page of 2M, and paging off */
static void test_direct(void **state)
{
	struct mhv_walk walk = walk_of(0, 0x9000 | PWU | A | D);

	walk.bottom = 2;
	walk.level[1].gpte |= D | BIT(7);
	walk.level[1].made_from = walk.level[1].gpte;
	walk.level[0].flags = MHV_TABLE_DIRECT;
	expect(&walk, 2, "a large guest page, mapped in 4K pages");
	expect(&walk, 1, "frame 0x5; part of a large guest page, mapped in 4K pages");
	walk.top = 0;
	walk.bottom = 0;
	expect(&walk, 1, "frame 0x5; the guest has paging off");
}

static void test_tdp(void **state)
{
	struct mhv_walk walk = walk_of(0x5000 | PWU | A | D, 0x9000 | PWU);

	walk.paging = MHV_PAGING_TDP;
	expect(&walk, 4, "table for gpa 0x3000");
	expect(&walk, 1, "gpa 0x5000, a page of 4K");
	walk.level[0].kind = MHV_ENTRY_ABSENT;
	expect(&walk, 1, "not yet faulted in");
	walk.level[0].kind = MHV_ENTRY_NONE;
	expect(&walk, 1, "no table");
}

static void test_print(void **state)
{
	struct mhv_walk walk = walk_of(0x5000 | PWU | A, 0x9000 | 0x5 | A);
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	walk_print(&walk, out);
	walk_print_json(&walk, out);
	fclose(out);
	assert_non_null(strstr(text, "gva 0x5123, cr3 0x1000: gpa 0x5123, a page of 4K\n"));
	assert_non_null(strstr(text, "\n1      0x0000000000005027  0x0000000000009025  leaf    "));
	assert_non_null(strstr(text, "\"level\": 1, \"gpte\": 20519,"));
	assert_non_null(strstr(text, "\"result\": \"ok\""));
	free(text);
}

/* ---- what a guest's vmctl answers ---------------------------------------------------- */

#define NR_TABLES	130		/* more than are asked for at first */

static int fake_walk(struct accel_vcpu *vcpu, struct mhv_walk *walk)
{
	*walk = walk_of(0x5000 | PWU | A, 0x9000 | 0x5 | A);
	return 0;
}

static int fake_dump_mmu(struct accel *accel, struct mhv_mmu *mmu)
{
	struct mhv_mmu_table *t = (void *)(uintptr_t)mmu->entries;
	u32 nr = mmu->what == MHV_DUMP_ROOTS ? 2 : NR_TABLES, i;

	for (i = 0; i < nr && i < mmu->nr; i++)
		t[i] = (struct mhv_mmu_table){
			.gfn = 0x100 + i, .level = 4, .vcpus = !i, .tables = 7, .present = 60,
			.writable = 50, .accessed = 40, .dirty = 30, .mmio = 20, .gnp = 10,
			.flags = i ? MHV_TABLE_UNSYNC | MHV_TABLE_DIRECT : 0,
		};
	mmu->paging = MHV_PAGING_SHADOW;
	mmu->nr = nr;
	mmu->tables = 9;
	mmu->limit = 4096;
	mmu->unsync = 1;
	mmu->leaves = 61;
	mmu->shrunk = 3;
	return 0;
}

static int fake_audit(struct accel *accel, struct mhv_audit *audit)
{
	*audit = (struct mhv_audit){ .tables = 9, .leaves = 61, .errors = 2 };
	return 0;
}

static int fake_no_audit(struct accel *accel, struct mhv_audit *audit)
{
	int error = EOPNOTSUPP;

	return error;
}

static const struct accel_ops fake = {
	.walk = fake_walk, .dump_mmu = fake_dump_mmu, .audit = fake_audit,
};

static const struct accel_ops fake_tdp = {
	.walk = fake_walk, .dump_mmu = fake_dump_mmu, .audit = fake_no_audit,
};

/* the answer to @format and @what, which must be as @want says; to be freed */
static char *ask(const struct accel_ops *ops, const char *format, const char *what, int want)
{
	char *argv[4] = { "debug", (char *)format, (char *)what };
	struct machine machine = { .ops = ops };
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(want, debug_serve(&machine, 3, argv, out));
	fclose(out);
	return text;
}

static void expect_answer(const struct accel_ops *ops, const char *format, const char *what,
			  int ret, const char *want)
{
	char *text = ask(ops, format, what, ret);

	if (!strstr(text, want))
		fail_msg("%s %s: '%s' has no '%s'", format, what, text, want);
	free(text);
}

static void test_mmu(void **state)
{
	static const char *const text[] = {
		"shadow, 9 tables of at most 4096, 1 unsync, 3 shrunk; 61 pages mapped\n",
		"\n0x100            4     1              7       60       50       40       30     20     10\n",
		"\n0x101            4     0 ud   ",
	}, *const json[] = {
		"{\"paging\": \"shadow\", \"tables\": 9, \"limit\": 4096, \"unsync\": 1,",
		"\"leaves\": 61, \"shrunk\": 3, \"roots\": [{\"gfn\": 256, \"level\": 4, \"vcpus\": 1,",
		"\"unsync\": true, \"direct\": true, \"tables\": 7, \"present\": 60,",
		"\"writable\": 50, \"accessed\": 40, \"dirty\": 30, \"mmio\": 20, \"gnp\": 10}]}\n",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(text); i++)
		expect_answer(&fake, "text", "mmu", 0, text[i]);
	for (i = 0; i < ARRAY_SIZE(json); i++)
		expect_answer(&fake, "json", "mmu", 0, json[i]);
}

/* all of them come, though there are more than there was room for */
static void test_tables(void **state)
{
	char *text = ask(&fake, "text", "tables", 0), *line = text;
	int lines = 0;

	while ((line = strstr(line, "\n0x"))) {
		lines++;
		line++;
	}
	assert_int_equal(NR_TABLES, lines);
	free(text);
	expect_answer(&fake, "json", "tables", 0, "\"list\": [{\"gfn\": 256,");
	expect_answer(&fake, "json", "tables", 0, "{\"gfn\": 385,");
}

static void test_audit(void **state)
{
	expect_answer(&fake, "text", "audit", 0, "9 tables, 61 pages mapped, 2 mismatches\n");
	expect_answer(&fake, "json", "audit", 0,
		      "{\"tables\": 9, \"leaves\": 61, \"errors\": 2}\n");
	expect_answer(&fake_tdp, "text", "audit", -1, "without shadow tables");
	expect_answer(&fake, "text", "nothing", -1, "not known");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf),
		cmocka_unit_test(test_unsync),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_tdp),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_mmu),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_audit),
	};

	return test_main("debug", tests, ARRAY_SIZE(tests));
}
