// SPDX-License-Identifier: GPL-2.0-only
/*
 * A world is a few pages of entries at scattered physical addresses, a paging mode
 * and the control bits; most entries are present and point into the world, so that
 * walks get deep, and a few have bits that are reserved somewhere.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <string.h>

#include "mmu/guest_walk.h"
#include "ref_walk.h"
#include "walk_compare.h"

#define PAGES		6
#define PAGE_BYTES	4096

static struct {
	u64 gpa[PAGES];
	u8 page[PAGES][PAGE_BYTES];
	struct guest_mmu_mode mode;
	struct guest_root root;
} world;

/* Writes of the walk under comparison, undone before the next. */
static struct {
	u64 gpa, old, value;
	int size;
} writes[8];
static int nr_writes;

static u64 below(struct numbers *n, u64 limit)
{
	return n->next(n) % limit;
}

static bool one_in(struct numbers *n, u64 odds)
{
	return below(n, odds) == 0;
}

static u8 *at(u64 gpa, unsigned int size)
{
	for (int i = 0; i < PAGES; i++)
		if (gpa >= world.gpa[i] && gpa - world.gpa[i] <= PAGE_BYTES - size)
			return &world.page[i][gpa - world.gpa[i]];
	return NULL;
}

static bool load(u64 gpa, int size, u64 *value)
{
	u8 *p = at(gpa, size);

	if (!p)
		return false;
	*value = 0;
	memcpy(value, p, size);
	return true;
}

static enum guest_pte_result read_pte(void *ctx, u64 gpa, unsigned int size, u64 *value)
{
	(void)ctx;
	return load(gpa, size, value) ? GUEST_PTE_OK : GUEST_PTE_NO_MEMORY;
}

static enum guest_pte_result cmpxchg_pte(void *ctx, u64 gpa, unsigned int size,
					 u64 old, u64 new)
{
	u8 *p = at(gpa, size);
	u64 now;

	(void)ctx;
	if (!p || nr_writes == ARRAY_SIZE(writes))
		return GUEST_PTE_NO_MEMORY;
	load(gpa, size, &now);
	if (now != old)
		return GUEST_PTE_CHANGED;
	memcpy(p, &new, size);
	writes[nr_writes].gpa = gpa;
	writes[nr_writes].old = old;
	writes[nr_writes].value = new;
	writes[nr_writes].size = size;
	nr_writes++;
	return GUEST_PTE_OK;
}

static void undo_writes(void)
{
	while (nr_writes) {
		nr_writes--;
		memcpy(at(writes[nr_writes].gpa, writes[nr_writes].size), &writes[nr_writes].old,
		       writes[nr_writes].size);
	}
}

static const struct guest_walk_ops ops = { .read_pte = read_pte, .cmpxchg_pte = cmpxchg_pte };

static u64 random_page(struct numbers *n)
{
	if (one_in(n, 40))
		return n->next(n) & GENMASK_ULL(51, 12);
	return world.gpa[below(n, PAGES)];
}

static u64 random_entry(struct numbers *n)
{
	u64 entry = random_page(n) | (n->next(n) & 0xf7f);

	if (!one_in(n, 10))
		entry |= GPTE_P;
	if (!one_in(n, 4))
		entry |= GPTE_U | GPTE_W;
	if (one_in(n, 6))
		entry |= GPTE_PS;
	if (one_in(n, 8))
		entry |= GPTE_NX;
	if (one_in(n, 25))
		entry |= n->next(n) & GENMASK_ULL(62, 52);
	if (one_in(n, 50))
		entry ^= BIT_ULL(below(n, 64));
	/* a large page that is aligned, or nearly so */
	if ((entry & GPTE_PS) && !one_in(n, 4))
		entry &= ~GENMASK_ULL(29, 13) | (one_in(n, 4) ? BIT_ULL(13 + below(n, 9)) : 0);
	return entry;
}

static void random_mode(struct numbers *n)
{
	static const u8 widths[] = { 32, 36, 39, 40, 46, 51, 52 };
	u64 flags = n->next(n);

	world.mode = (struct guest_mmu_mode) {
		.paging = one_in(n, 50) ? GUEST_PAGING_NONE : 1 + below(n, 3),
		.phys_bits = widths[below(n, ARRAY_SIZE(widths))],
		.wp = flags & 1, .nxe = flags & 2, .smep = flags & 4, .smap = flags & 8,
		.pse = flags & 16, .gbpages = flags & 32,
	};
}

/**
 * walk_new_world() - new tables, a new mode
 * @n:	where the numbers come from
 */
void walk_new_world(struct numbers *n)
{
	unsigned int size, i, offset;
	u64 entry;

	random_mode(n);
	size = world.mode.paging == GUEST_PAGING_32BIT ? 4 : 8;
	for (i = 0; i < PAGES; i++) {
		world.gpa[i] = n->next(n) & GENMASK_ULL(world.mode.phys_bits - 1, 12);
		if (size == 4)
			world.gpa[i] &= GENMASK_ULL(31, 12);
	}
	for (i = 0; i < PAGES; i++) {
		for (offset = 0; offset < PAGE_BYTES; offset += size) {
			entry = random_entry(n);
			memcpy(&world.page[i][offset], &entry, size);
		}
	}
	world.root.cr3 = random_page(n) | (n->next(n) & (BIT_ULL(63) | 0xfff));
	for (i = 0; i < 4; i++)
		world.root.pdpte[i] = random_page(n) | !one_in(n, 10);
}

static struct ref_cpu ref_cpu(u32 access)
{
	static const int tables[] = { 0, 32, 36, 48 };
	const struct guest_mmu_mode *mode = &world.mode;
	struct ref_cpu cpu = {
		.tables = tables[mode->paging],
		.maxphyaddr = mode->phys_bits,
		.cr0_wp = mode->wp, .cr4_pse = mode->pse, .cr4_smep = mode->smep,
		.cr4_smap = mode->smap, .efer_nxe = mode->nxe, .page1gb = mode->gbpages,
		.cr3 = world.root.cr3,
		.cpl3 = access & GUEST_ACCESS_USER,
		.is_write = access & GUEST_ACCESS_WRITE,
		.is_fetch = access & GUEST_ACCESS_FETCH,
		.eflags_ac = access & GUEST_ACCESS_AC,
		.implicit = access & GUEST_ACCESS_IMPLICIT,
		.load = load,
	};

	memcpy(cpu.pdpte, world.root.pdpte, sizeof(cpu.pdpte));
	return cpu;
}

/* What the reference wants to be at @addr: an entry can be met at two levels. */
static u64 wanted_at(const struct ref_answer *want, u64 addr)
{
	u64 value = 0;

	for (int i = 0; i < want->nr_writes; i++)
		if (want->write[i].addr == addr)
			value |= want->write[i].value;
	return value;
}

static const char *compare_writes(const struct ref_answer *want)
{
	u64 now;
	int i;

	for (i = 0; i < nr_writes; i++)
		if (!wanted_at(want, writes[i].gpa))
			return "marked an entry that it should not";
	for (i = 0; i < want->nr_writes; i++) {
		load(want->write[i].addr, world.mode.paging == GUEST_PAGING_32BIT ? 4 : 8, &now);
		if (now != wanted_at(want, want->write[i].addr))
			return "an entry was not marked as it should be";
	}
	return NULL;
}

static const char *compare_mapping(const struct guest_walk *walk, const struct ref_answer *want)
{
	u8 rights = guest_walk_rights(walk);

	if (walk->gpa != want->addr)
		return "another gpa";
	if (1ull << walk->page_shift != want->page_bytes)
		return "another page size";
	if (!!(rights & GUEST_RIGHT_W) != want->r_w || !!(rights & GUEST_RIGHT_U) != want->u_s ||
	    !(rights & GUEST_RIGHT_X) != want->xd)
		return "other rights";
	return compare_writes(want);
}

static const char *compare(enum guest_walk_result got, const struct guest_walk *walk,
			   const struct ref_answer *want)
{
	switch (want->outcome) {
	case REF_OK:
		return got == GUEST_WALK_OK ? compare_mapping(walk, want) : "no translation";
	case REF_FAULT:
		if (got != GUEST_WALK_FAULT)
			return "no fault";
		return walk->error_code == want->error ? compare_writes(want) :
							 "another error code";
	default:
		if (got != GUEST_WALK_NO_MEMORY)
			return "memory that is not there";
		return walk->gpa == want->addr ? compare_writes(want) : "another entry";
	}
}

static void count(struct walk_tally *tally, enum guest_walk_result got,
		  const struct guest_walk *walk)
{
	tally->by_mode[world.mode.paging]++;
	tally->marked += nr_writes;
	switch (got) {
	case GUEST_WALK_OK:
		tally->ok++;
		tally->by_shift[walk->page_shift]++;
		break;
	case GUEST_WALK_FAULT:
		tally->fault++;
		tally->by_error[walk->error_code & 31]++;
		break;
	default:
		tally->no_memory++;
	}
}

static void count_if(struct walk_tally *tally, bool seen, enum walk_feature feature)
{
	if (seen)
		tally->by_feature[feature]++;
}

/* Of a walk that came to a leaf, so that its rights are known */
static void count_rights(struct walk_tally *tally, u32 access, bool ok, u8 rights)
{
	const struct guest_mmu_mode *mode = &world.mode;
	const bool user = access & GUEST_ACCESS_USER, fetch = access & GUEST_ACCESS_FETCH;
	const bool write = access & GUEST_ACCESS_WRITE, ac = access & GUEST_ACCESS_AC;
	const bool u = rights & GUEST_RIGHT_U, w = rights & GUEST_RIGHT_W;
	const bool x = rights & GUEST_RIGHT_X;
	const bool smap = !user && u && !fetch && mode->smap;

	count_if(tally, !ok && fetch && !x && u == user, WALK_NX);
	count_if(tally, !ok && fetch && x && u && !user && mode->smep, WALK_SMEP);
	count_if(tally, ok && write && !w && !user && !mode->wp, WALK_WP_OFF);
	count_if(tally, !ok && smap && !ac && (w || !write), WALK_SMAP);
	count_if(tally, ok && smap && ac, WALK_SMAP_AC);
	count_if(tally, !ok && smap && ac && (access & GUEST_ACCESS_IMPLICIT) && (w || !write),
		 WALK_SMAP_IMPLICIT);
}

static void count_entry(struct walk_tally *tally, enum guest_walk_result got,
			const struct guest_walk *walk)
{
	const struct guest_mmu_mode *mode = &world.mode;
	const bool wide = mode->paging != GUEST_PAGING_32BIT;
	const bool reserved = got == GUEST_WALK_FAULT && (walk->error_code & PFERR_RSVD);
	const u64 gpte = walk->gpte[walk->level - 1];

	count_if(tally, got == GUEST_WALK_OK && !wide && walk->gpa >> 32, WALK_PSE36);
	count_if(tally, got == GUEST_WALK_OK && !wide && !mode->pse && (walk->gpte[1] & GPTE_PS),
		 WALK_NO_PSE);
	count_if(tally, reserved && wide && walk->level == 3 && (gpte & GPTE_PS) && !mode->gbpages,
		 WALK_NO_1G);
	count_if(tally, reserved && wide && (gpte & GPTE_NX) && !mode->nxe, WALK_NXE_OFF);
}

static void count_marks(struct walk_tally *tally, u32 access, const struct guest_walk *walk)
{
	const bool dirty = nr_writes && (access & GUEST_ACCESS_WRITE) &&
			   !(writes[nr_writes - 1].old & GPTE_D) &&
			   (writes[nr_writes - 1].value & GPTE_D);

	count_if(tally, dirty && walk->level == 1, WALK_DIRTY);
	count_if(tally, dirty && walk->level > 1, WALK_DIRTY_LARGE);
	count_if(tally, !nr_writes, WALK_MARKED_ALREADY);
}

static void count_features(struct walk_tally *tally, u32 access, enum guest_walk_result got,
			   const struct guest_walk *walk)
{
	if (world.mode.paging == GUEST_PAGING_NONE || got == GUEST_WALK_NO_MEMORY)
		return;
	count_entry(tally, got, walk);
	if (walk->page_shift)
		count_rights(tally, access, got == GUEST_WALK_OK, guest_walk_rights(walk));
	if (got == GUEST_WALK_OK)
		count_marks(tally, access, walk);
}

/* A look without marks must see the same and write nothing. */
static const char *compare_look(struct guest_walk_req *req, enum guest_walk_result want)
{
	struct guest_walk walk;

	req->access |= GUEST_ACCESS_NO_AD;
	if (guest_walk(req, &walk) != want)
		return "a look without marks sees something else";
	return nr_writes ? "a look without marks wrote" : NULL;
}

/**
 * walk_compare() - one access to the world, by both walkers
 * @n:		where the numbers come from
 * @tally:	outcomes are counted here
 *
 * Return: NULL, or how the two differ.
 */
const char *walk_compare(struct numbers *n, struct walk_tally *tally)
{
	static const u32 kinds[] = { 0, GUEST_ACCESS_WRITE, GUEST_ACCESS_FETCH };
	u32 access = n->next(n) & (GUEST_ACCESS_USER | GUEST_ACCESS_AC | GUEST_ACCESS_IMPLICIT);
	struct guest_walk_req req = {
		.mode = &world.mode, .root = &world.root, .ops = &ops,
		.gva = n->next(n),
	};
	enum guest_walk_result got;
	struct guest_walk walk;
	struct ref_answer want;
	struct ref_cpu cpu;
	const char *differ;

	access |= kinds[below(n, ARRAY_SIZE(kinds))];
	req.access = access;
	cpu = ref_cpu(access);
	want = ref_walk(&cpu, req.gva);
	got = guest_walk(&req, &walk);
	differ = compare(got, &walk, &want);
	count(tally, got, &walk);
	count_features(tally, access, got, &walk);
	undo_writes();
	return differ ?: compare_look(&req, got);
}
