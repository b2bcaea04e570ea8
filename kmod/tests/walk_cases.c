// SPDX-License-Identifier: GPL-2.0-only
/* Cases for guest_walk(): what each paging mode makes of chosen entries. */
#include <linux/kernel.h>

#include "walk_cases.h"

#define P	GPTE_P
#define W	GPTE_W
#define U	GPTE_U
#define A	GPTE_A
#define D	GPTE_D
#define PS	GPTE_PS
#define NX	GPTE_NX
#define PWU	(P | W | U)

#define RW	GUEST_RIGHT_W
#define RU	GUEST_RIGHT_U
#define RX	GUEST_RIGHT_X

#define WR	GUEST_ACCESS_WRITE
#define USER	GUEST_ACCESS_USER
#define FETCH	GUEST_ACCESS_FETCH
#define AC	GUEST_ACCESS_AC
#define IMPL	GUEST_ACCESS_IMPLICIT
#define NO_AD	GUEST_ACCESS_NO_AD

/* Flags of a mode */
#define F_WP	BIT(0)
#define F_NXE	BIT(1)
#define F_SMEP	BIT(2)
#define F_SMAP	BIT(3)
#define F_PSE	BIT(4)
#define F_1G	BIT(5)

#define MODE(p, bits, flags) \
	.mode = { .paging = GUEST_PAGING_##p, .phys_bits = (bits), \
		  .wp = !!((flags) & F_WP), .nxe = !!((flags) & F_NXE), \
		  .smep = !!((flags) & F_SMEP), .smap = !!((flags) & F_SMAP), \
		  .pse = !!((flags) & F_PSE), .gbpages = !!((flags) & F_1G) }

/* The gva of entries 1, 2, 3, 4 from the root down, or of 2, 3, 4 or 3, 4. */
#define GVA4	((1ull << 39) | (2ull << 30) | (3ull << 21) | (4ull << 12) | 0x567)
#define GVA3	((2ull << 30) | (3ull << 21) | (4ull << 12) | 0x567)
#define GVA2	((3ull << 22) | (4ull << 12) | 0x567)

/* Each mode's entries; the root lies at 0x1000, the page at 0x123000. */
#define PTES4(l4, l3, l2, l1, ...) \
	.root = { .cr3 = 0x1000 }, .gva = GVA4, \
	.entry = { { 0x1008, 0x2000 | (l4), A }, { 0x2010, 0x3000 | (l3), A }, \
		   { 0x3018, 0x4000 | (l2), A }, { 0x4020, 0x123000 | (l1), A | (__VA_ARGS__) } }
#define PTES3(l3, l2, l1, ...) \
	.root = { .cr3 = 0x1020, .pdpte = { 0, 0, 0x3000 | (l3), 0 } }, .gva = GVA3, \
	.entry = { { 0x3018, 0x4000 | (l2), A }, { 0x4020, 0x123000 | (l1), A | (__VA_ARGS__) } }
#define PTES2(l2, l1, ...) \
	.root = { .cr3 = 0x1000 }, .gva = GVA2, \
	.entry = { { 0x100c, 0x4000 | (l2), A }, { 0x4010, 0x123000 | (l1), A | (__VA_ARGS__) } }

/* The same where the walk fails: nothing is marked. */
#define BAD4(l4, l3, l2, l1) \
	.root = { .cr3 = 0x1000 }, .gva = GVA4, \
	.entry = { { 0x1008, 0x2000 | (l4), 0 }, { 0x2010, 0x3000 | (l3), 0 }, \
		   { 0x3018, 0x4000 | (l2), 0 }, { 0x4020, 0x123000 | (l1), 0 } }
#define BAD3(l3, l2, l1) \
	.root = { .cr3 = 0x1000, .pdpte = { 0, 0, 0x3000 | (l3), 0 } }, .gva = GVA3, \
	.entry = { { 0x3018, 0x4000 | (l2), 0 }, { 0x4020, 0x123000 | (l1), 0 } }
#define BAD2(l2, l1) \
	.root = { .cr3 = 0x1000 }, .gva = GVA2, \
	.entry = { { 0x100c, 0x4000 | (l2), 0 }, { 0x4010, 0x123000 | (l1), 0 } }

#define OK(r)		.want = GUEST_WALK_OK, .gpa = 0x123567, .shift = 12, .rights = (r)
#define LARGE(g, s, r)	.want = GUEST_WALK_OK, .gpa = (g), .shift = (s), .rights = (r)
#define FAULT(code)	.want = GUEST_WALK_FAULT, .error_code = (code)

#define PF(c)		PFERR_##c

const struct walk_case walk_cases[] = {
	/* no paging */
	{ "no paging", MODE(NONE, 39, F_SMEP | F_WP), .gva = 0xfffffff0, .access = WR | USER,
	  LARGE(0xfffffff0, 12, RW | RU | RX) },
	{ "no paging: bits above 31 are not there", MODE(NONE, 39, 0), .gva = BIT_ULL(32) | 0x123,
	  LARGE(0x123, 12, RW | RU | RX) },

	/* four levels: sizes and marks */
	{ "4 KiB read", MODE(4LEVEL, 39, F_NXE), PTES4(PWU, PWU, PWU, PWU, 0), OK(RW | RU | RX) },
	{ "4 KiB write", MODE(4LEVEL, 39, F_NXE), PTES4(PWU, PWU, PWU, PWU, D), .access = WR,
	  OK(RW | RU | RX) },
	{ "marks that are there already", MODE(4LEVEL, 39, F_NXE),
	  PTES4(PWU | A, PWU | A, PWU | A, PWU | A | D, D), .access = WR, OK(RW | RU | RX) },
	{ "no marks when asked", MODE(4LEVEL, 39, F_NXE), BAD4(PWU, PWU, PWU, PWU),
	  .access = WR | NO_AD, OK(RW | RU | RX) },
	{ "bits 58:52, 11:9 and D above the leaf are ignored", MODE(4LEVEL, 39, F_NXE),
	  PTES4(PWU | D | GENMASK_ULL(58, 52), PWU | BIT(9), PWU | D | BIT(11),
		PWU | BIT_ULL(62), 0), OK(RW | RU | RX) },
	{ "CR3's flags are ignored", MODE(4LEVEL, 39, 0), .root = { .cr3 = BIT_ULL(63) | 0x1fff },
	  .entry = { { 0x1008, 0x2000 | PWU, 0 } }, .gva = 1ull << 39, .access = NO_AD,
	  .want = GUEST_WALK_NO_MEMORY, .gpa = 0x2000 },
	{ "2 MiB write", MODE(4LEVEL, 39, 0), .root = { .cr3 = 0x1000 }, .gva = GVA4,
	  .entry = { { 0x1008, 0x2000 | PWU, A }, { 0x2010, 0x3000 | PWU, A },
		     { 0x3018, 0x40000000 | PWU | PS | BIT(12), A | D } },
	  .access = WR, LARGE(0x40004567, 21, RW | RU | RX) },
	{ "1 GiB read", MODE(4LEVEL, 39, F_1G), .root = { .cr3 = 0x1000 }, .gva = GVA4,
	  .entry = { { 0x1008, 0x2000 | PWU, A }, { 0x2010, 0x1000000000 | PWU | PS, A } },
	  LARGE(0x1000604567, 30, RW | RU | RX) },

	/* four levels: rights add up */
	{ "W at every level", MODE(4LEVEL, 39, F_WP), PTES4(PWU, P | U, PWU, PWU, 0), OK(RU | RX) },
	{ "U at every level", MODE(4LEVEL, 39, 0), PTES4(PWU, PWU, P | W, PWU, 0), OK(RW | RX) },
	{ "NX at any level", MODE(4LEVEL, 39, F_NXE), PTES4(PWU | NX, PWU, PWU, PWU, 0),
	  OK(RW | RU) },

	/* four levels: faults */
	{ "PML4E not present", MODE(4LEVEL, 39, F_NXE), BAD4(W | U, PWU, PWU, PWU), FAULT(0) },
	{ "PTE not present, user write", MODE(4LEVEL, 39, F_NXE), BAD4(PWU, PWU, PWU, 0),
	  .access = USER | WR, FAULT(PF(U) | PF(W)) },
	{ "PDE not present, fetch", MODE(4LEVEL, 39, F_NXE), BAD4(PWU, PWU, 0, 0),
	  .access = FETCH, FAULT(PF(I)) },
	{ "fetch without NXE and SMEP has no I", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, 0, 0),
	  .access = FETCH, FAULT(0) },
	{ "reserved bits of an entry that is not present", MODE(4LEVEL, 39, F_NXE),
	  BAD4(PWU, PWU, PWU, GENMASK_ULL(51, 39)), FAULT(0) },
	{ "not writable above, not present below", MODE(4LEVEL, 39, F_WP), BAD4(P, PWU, PWU, 0),
	  .access = WR, FAULT(PF(W)) },
	{ "reserved above, not present below", MODE(4LEVEL, 39, 0),
	  BAD4(PWU, PWU | BIT_ULL(39), 0, 0), FAULT(PF(P) | PF(RSVD)) },
	{ "reserved bit and no right", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, PWU, P | BIT_ULL(51)),
	  .access = USER | WR, FAULT(PF(P) | PF(RSVD) | PF(U) | PF(W)) },
	{ "NX without NXE is reserved", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, PWU, PWU | NX),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "PS in a PML4E is reserved", MODE(4LEVEL, 39, F_1G), BAD4(PWU | PS, PWU, PWU, PWU),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "1 GiB page without the feature", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU | PS, PWU, PWU),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "1 GiB page misaligned", MODE(4LEVEL, 39, F_1G), BAD4(PWU, PWU | PS, PWU, PWU),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "2 MiB page misaligned", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, PWU | PS, PWU),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "52 bits: no address bit is reserved", MODE(4LEVEL, 52, F_1G), .root = { .cr3 = 0x1000 },
	  .entry = { { 0x1008, GENMASK_ULL(51, 12) | PWU, A },
		     { GENMASK_ULL(51, 12) | 0x10, GENMASK_ULL(51, 30) | PWU | PS, A } },
	  .gva = GVA4, LARGE(GENMASK_ULL(51, 30) | 0x604567, 30, RW | RU | RX) },

	/* who may do what */
	{ "user reads supervisor page", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, PWU, P | W),
	  .access = USER, FAULT(PF(P) | PF(U)) },
	{ "user writes read-only page, WP clear", MODE(4LEVEL, 39, 0), BAD4(PWU, PWU, PWU, P | U),
	  .access = USER | WR, FAULT(PF(P) | PF(U) | PF(W)) },
	{ "supervisor writes read-only page, WP clear", MODE(4LEVEL, 39, 0),
	  PTES4(PWU, PWU, PWU, P | U, D), .access = WR, OK(RU | RX) },
	{ "supervisor writes read-only page, WP set", MODE(4LEVEL, 39, F_WP),
	  BAD4(PWU, PWU, PWU, P), .access = WR, FAULT(PF(P) | PF(W)) },
	{ "fetch from NX", MODE(4LEVEL, 39, F_NXE), BAD4(PWU, PWU, PWU | NX, PWU),
	  .access = FETCH | USER, FAULT(PF(P) | PF(U) | PF(I)) },
	{ "supervisor fetches user page", MODE(4LEVEL, 39, F_NXE), PTES4(PWU, PWU, PWU, PWU, 0),
	  .access = FETCH, OK(RW | RU | RX) },
	{ "SMEP", MODE(4LEVEL, 39, F_SMEP), BAD4(PWU, PWU, PWU, PWU), .access = FETCH,
	  FAULT(PF(P) | PF(I)) },
	{ "SMEP lets user fetch", MODE(4LEVEL, 39, F_SMEP), PTES4(PWU, PWU, PWU, PWU, 0),
	  .access = FETCH | USER, OK(RW | RU | RX) },
	{ "SMEP lets supervisor read", MODE(4LEVEL, 39, F_SMEP), PTES4(PWU, PWU, PWU, PWU, 0),
	  OK(RW | RU | RX) },
	{ "SMAP, read", MODE(4LEVEL, 39, F_SMAP), BAD4(PWU, PWU, PWU, PWU), FAULT(PF(P)) },
	{ "SMAP, write", MODE(4LEVEL, 39, F_SMAP), BAD4(PWU, PWU, PWU, PWU), .access = WR,
	  FAULT(PF(P) | PF(W)) },
	{ "SMAP with AC", MODE(4LEVEL, 39, F_SMAP), PTES4(PWU, PWU, PWU, PWU, D),
	  .access = WR | AC, OK(RW | RU | RX) },
	{ "SMAP, implicit access ignores AC", MODE(4LEVEL, 39, F_SMAP), BAD4(PWU, PWU, PWU, PWU),
	  .access = AC | IMPL, FAULT(PF(P)) },
	{ "SMAP with AC still obeys WP", MODE(4LEVEL, 39, F_SMAP | F_WP),
	  BAD4(PWU, PWU, PWU, P | U), .access = WR | AC, FAULT(PF(P) | PF(W)) },
	{ "SMAP spares fetches", MODE(4LEVEL, 39, F_SMAP), PTES4(PWU, PWU, PWU, PWU, 0),
	  .access = FETCH, OK(RW | RU | RX) },
	{ "SMAP spares supervisor pages", MODE(4LEVEL, 39, F_SMAP), PTES4(PWU, PWU, P | W, PWU, D),
	  .access = WR, OK(RW | RX) },

	/* PAE */
	{ "PAE 4 KiB write", MODE(PAE, 39, F_NXE | F_WP), PTES3(P, PWU, PWU, D),
	  .access = USER | WR, OK(RW | RU | RX) },
	{ "PAE 2 MiB", MODE(PAE, 39, 0), .root = { .pdpte = { 0, 0, 0x3001, 0 } },
	  .entry = { { 0x3018, 0x40000000 | PWU | PS, A } }, .gva = GVA3,
	  LARGE(0x40004567, 21, RW | RU | RX) },
	{ "PAE ignores gva bits above 31", MODE(PAE, 39, 0),
	  .root = { .pdpte = { 0, 0, 0x3001, 0 } },
	  .entry = { { 0x3018, 0x40000000 | PWU | PS, A } }, .gva = GVA3 | BIT_ULL(35),
	  LARGE(0x40004567, 21, RW | RU | RX) },
	{ "PDPTE not present", MODE(PAE, 39, F_NXE), BAD3(0, PWU, PWU), .access = FETCH | USER,
	  FAULT(PF(U) | PF(I)) },
	{ "PAE reserves bits 62:52", MODE(PAE, 39, F_NXE), BAD3(P, PWU, PWU | BIT_ULL(62)),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "PAE, NX without NXE", MODE(PAE, 39, 0), BAD3(P, PWU | NX, PWU),
	  FAULT(PF(P) | PF(RSVD)) },
	{ "PAE, NX", MODE(PAE, 39, F_NXE), BAD3(P, PWU, PWU | NX), .access = FETCH,
	  FAULT(PF(P) | PF(I)) },

	/* 32 bits */
	{ "32-bit 4 KiB write", MODE(32BIT, 39, F_WP), PTES2(PWU, PWU, D), .access = USER | WR,
	  OK(RW | RU | RX) },
	{ "32-bit: PTE bit 7 is PAT", MODE(32BIT, 39, 0), PTES2(PWU, PWU | PS, 0),
	  OK(RW | RU | RX) },
	{ "32-bit: PS without CR4.PSE", MODE(32BIT, 39, 0), PTES2(PWU | PS, PWU, 0),
	  OK(RW | RU | RX) },
	{ "4 MiB", MODE(32BIT, 39, F_PSE), .root = { .cr3 = 0x1000 }, .gva = GVA2,
	  .entry = { { 0x100c, 0x40000000 | PWU | PS | BIT(12), A | D } }, .access = WR,
	  LARGE(0x40004567, 22, RW | RU | RX) },
	{ "4 MiB, 40-bit address", MODE(32BIT, 52, F_PSE), .root = { .cr3 = 0x1000 }, .gva = GVA2,
	  .entry = { { 0x100c, 0xffc00000 | GENMASK(20, 13) | PWU | PS, A } },
	  LARGE(0xffffc04567, 22, RW | RU | RX) },
	{ "4 MiB, bit 21", MODE(32BIT, 52, F_PSE), .root = { .cr3 = 0x1000 }, .gva = GVA2,
	  .entry = { { 0x100c, BIT(21) | PWU | PS, 0 } }, FAULT(PF(P) | PF(RSVD)) },
	{ "4 MiB, past 36 bits", MODE(32BIT, 36, F_PSE), .root = { .cr3 = 0x1000 }, .gva = GVA2,
	  .entry = { { 0x100c, BIT(17) | PWU | PS, 0 } }, FAULT(PF(P) | PF(RSVD)) },
	{ "4 MiB, within 36 bits", MODE(32BIT, 36, F_PSE), .root = { .cr3 = 0x1000 }, .gva = GVA2,
	  .entry = { { 0x100c, BIT(16) | PWU | PS, A } },
	  LARGE(0x800004567, 22, RW | RU | RX) },
	{ "32-bit fetch with NXE has no I", MODE(32BIT, 39, F_NXE), BAD2(PWU, 0), .access = FETCH,
	  FAULT(0) },
	{ "32-bit SMEP", MODE(32BIT, 39, F_SMEP), BAD2(PWU, PWU), .access = FETCH,
	  FAULT(PF(P) | PF(I)) },

	/* memory that is not there, races */
	{ "table not in memory", MODE(4LEVEL, 39, 0), .root = { .cr3 = 0x1000 },
	  .entry = { { 0x1008, 0x9000 | PWU, 0 } }, .gva = GVA4, .want = GUEST_WALK_NO_MEMORY,
	  .gpa = 0x9010 },
	{ "marks cannot be written", MODE(32BIT, 39, 0), BAD2(PWU, PWU), .no_write = true,
	  .want = GUEST_WALK_NO_MEMORY, .gpa = 0x100c },
	{ "nothing to mark, nothing written", MODE(32BIT, 39, 0), PTES2(PWU | A, PWU | A, 0),
	  .no_write = true, OK(RW | RU | RX) },
	{ "a few races are won", MODE(32BIT, 39, 0), PTES2(PWU, PWU, 0), .races = 7,
	  OK(RW | RU | RX) },
	{ "many races are lost", MODE(32BIT, 39, 0), BAD2(PWU, PWU), .races = 8,
	  .want = GUEST_WALK_RACED },
};

const unsigned int nr_walk_cases = ARRAY_SIZE(walk_cases);

/* ---- running a case ------------------------------------------------------------ */

struct fake_memory {
	struct walk_entry entry[WALK_CASE_ENTRIES];
	unsigned int pte_size;
	unsigned int races;
	bool no_write;
	bool misuse;
};

static struct walk_entry *find(struct fake_memory *m, u64 gpa, unsigned int size)
{
	unsigned int i;

	if (size != m->pte_size)
		m->misuse = true;
	for (i = 0; i < WALK_CASE_ENTRIES; i++)
		if (m->entry[i].gpa == gpa && gpa)
			return &m->entry[i];
	return NULL;
}

static enum guest_pte_result fake_read(void *ctx, u64 gpa, unsigned int size, u64 *val)
{
	struct walk_entry *e = find(ctx, gpa, size);

	if (!e)
		return GUEST_PTE_NO_MEMORY;
	*val = e->value;
	return GUEST_PTE_OK;
}

static enum guest_pte_result fake_cmpxchg(void *ctx, u64 gpa, unsigned int size,
					  u64 old, u64 new)
{
	struct walk_entry *e = find(ctx, gpa, size);
	struct fake_memory *m = ctx;

	if (!e || m->no_write)
		return GUEST_PTE_NO_MEMORY;
	if (m->races) {
		m->races--;
		return GUEST_PTE_CHANGED;
	}
	if (e->value != old)
		m->misuse = true;
	e->value = new;
	return GUEST_PTE_OK;
}

static const struct guest_walk_ops fake_ops = {
	.read_pte = fake_read,
	.cmpxchg_pte = fake_cmpxchg,
};

static const char *compare(const struct walk_case *tc, const struct guest_walk *walk)
{
	if (tc->want == GUEST_WALK_FAULT)
		return walk->error_code == tc->error_code ? NULL : "another error code";
	if (tc->want != GUEST_WALK_RACED && walk->gpa != tc->gpa)
		return "another gpa";
	if (tc->want == GUEST_WALK_OK && walk->page_shift != tc->shift)
		return "another page size";
	if (tc->want == GUEST_WALK_OK && guest_walk_rights(walk) != tc->rights)
		return "other rights";
	return NULL;
}

static const char *compare_memory(const struct walk_case *tc, const struct fake_memory *m)
{
	const struct walk_entry *e;
	int i;

	for (i = 0; i < WALK_CASE_ENTRIES; i++) {
		e = &tc->entry[i];
		if (m->entry[i].value != (e->value | e->marks))
			return "other A and D bits";
	}
	return m->misuse ? "a callback was misused" : NULL;
}

/**
 * walk_case_run() - run one case
 * @tc:		the case
 *
 * Return: NULL, or what was wrong.
 */
const char *walk_case_run(const struct walk_case *tc)
{
	struct fake_memory m = {
		.pte_size = tc->mode.paging == GUEST_PAGING_32BIT ? 4 : 8,
		.races = tc->races,
		.no_write = tc->no_write,
	};
	struct guest_walk_req req = {
		.mode = &tc->mode, .root = &tc->root, .ops = &fake_ops, .ctx = &m,
		.gva = tc->gva, .access = tc->access,
	};
	struct guest_walk walk;
	const char *wrong;
	int i;

	for (i = 0; i < WALK_CASE_ENTRIES; i++)
		m.entry[i] = tc->entry[i];
	if (guest_walk(&req, &walk) != tc->want)
		return "another result";
	wrong = compare(tc, &walk);
	return wrong ?: compare_memory(tc, &m);
}
