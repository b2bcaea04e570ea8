// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference: one function per paging mode, written straight from the SDM's
 * tables of entry formats, one level after the other, nothing shared between them
 * but the final question of rights.  Nothing of kmod/mmu is used.
 */
#include "ref_walk.h"

struct trace {
	const struct ref_cpu *cpu;
	struct ref_answer *ans;
	u64 addr[4], value[4];	/* entries that have A and D, from the root down */
	int bytes, nr;
	bool w, u, xd;
};

static bool fail(struct trace *t, bool present, bool reserved)
{
	const struct ref_cpu *cpu = t->cpu;
	u32 error = 0;

	if (present)
		error += 1;
	if (cpu->is_write)
		error += 2;
	if (cpu->cpl3)
		error += 4;
	if (reserved)
		error += 8;
	if (cpu->is_fetch) {
		if (cpu->cr4_smep)
			error += 16;
		else if (cpu->efer_nxe && (cpu->tables == 36 || cpu->tables == 48))
			error += 16;
	}
	t->ans->outcome = REF_FAULT;
	t->ans->error = error;
	return false;
}

static bool fetch_entry(struct trace *t, u64 addr, u64 *value)
{
	if (!t->cpu->load(addr, t->bytes, value)) {
		t->ans->outcome = REF_NO_MEMORY;
		t->ans->addr = addr;
		return false;
	}
	t->addr[t->nr] = addr;
	t->value[t->nr] = *value;
	t->nr++;
	return true;
}

static void take_rights(struct trace *t, u64 entry, bool has_xd)
{
	t->w = t->w && (entry >> 1) % 2 == 1;
	t->u = t->u && (entry >> 2) % 2 == 1;
	t->xd = t->xd || (has_xd && entry >> 63 == 1);
}

/* Is any bit from @from up to and including @to set? */
static bool any_bit(u64 entry, int from, int to)
{
	for (int i = from; i <= to; i++)
		if ((entry >> i) % 2)
			return true;
	return false;
}

/* The number in bits @from to @to, left where it is. */
static u64 field(u64 entry, int from, int to)
{
	u64 sum = 0;

	for (int i = from; i <= to; i++)
		sum += entry & ((u64)1 << i);
	return sum;
}

static bool walk_32(struct trace *t, u32 linear)
{
	const struct ref_cpu *cpu = t->cpu;
	u64 pde, pte;
	int m = cpu->maxphyaddr < 40 ? cpu->maxphyaddr : 40;

	t->bytes = 4;
	if (!fetch_entry(t, field(cpu->cr3, 12, 31) + (linear >> 22) * 4, &pde))
		return false;
	if (pde % 2 == 0)
		return fail(t, false, false);
	if (cpu->cr4_pse && (pde >> 7) % 2) {
		/* bits M-20:13 hold address bits M-1:32; the rest up to 21 is reserved */
		if (any_bit(pde, m - 19, 21))
			return fail(t, true, true);
		take_rights(t, pde, false);
		t->ans->page_bytes = 4 << 20;
		t->ans->addr = field(pde, 22, 31) + (field(pde, 13, m - 20) << 19) +
			       linear % (4 << 20);
		return true;
	}
	take_rights(t, pde, false);
	if (!fetch_entry(t, field(pde, 12, 31) + (linear >> 12) % 1024 * 4, &pte))
		return false;
	if (pte % 2 == 0)
		return fail(t, false, false);
	take_rights(t, pte, false);
	t->ans->page_bytes = 4096;
	t->ans->addr = field(pte, 12, 31) + linear % 4096;
	return true;
}

static bool walk_pae(struct trace *t, u32 linear)
{
	const struct ref_cpu *cpu = t->cpu;
	int m = cpu->maxphyaddr;
	u64 pdpte = cpu->pdpte[linear >> 30], pde, pte;

	t->bytes = 8;
	if (pdpte % 2 == 0)
		return fail(t, false, false);
	if (!fetch_entry(t, field(pdpte, 12, m - 1) + (linear >> 21) % 512 * 8, &pde))
		return false;
	if (pde % 2 == 0)
		return fail(t, false, false);
	if (any_bit(pde, m, 62) || (!cpu->efer_nxe && pde >> 63))
		return fail(t, true, true);
	if ((pde >> 7) % 2) {
		if (any_bit(pde, 13, 20))
			return fail(t, true, true);
		take_rights(t, pde, true);
		t->ans->page_bytes = 2 << 20;
		t->ans->addr = field(pde, 21, m - 1) + linear % (2 << 20);
		return true;
	}
	take_rights(t, pde, true);
	if (!fetch_entry(t, field(pde, 12, m - 1) + (linear >> 12) % 512 * 8, &pte))
		return false;
	if (pte % 2 == 0)
		return fail(t, false, false);
	if (any_bit(pte, m, 62) || (!cpu->efer_nxe && pte >> 63))
		return fail(t, true, true);
	take_rights(t, pte, true);
	t->ans->page_bytes = 4096;
	t->ans->addr = field(pte, 12, m - 1) + linear % 4096;
	return true;
}

static bool reserved_48(const struct ref_cpu *cpu, u64 entry)
{
	if (!cpu->efer_nxe && entry >> 63)
		return true;
	return any_bit(entry, cpu->maxphyaddr, 51);
}

static bool walk_48(struct trace *t, u64 linear)
{
	const struct ref_cpu *cpu = t->cpu;
	int m = cpu->maxphyaddr;
	u64 pml4e, pdpte, pde, pte;

	t->bytes = 8;
	if (!fetch_entry(t, field(cpu->cr3, 12, m - 1) + (linear >> 39) % 512 * 8, &pml4e))
		return false;
	if (pml4e % 2 == 0)
		return fail(t, false, false);
	if (reserved_48(cpu, pml4e) || (pml4e >> 7) % 2)
		return fail(t, true, true);
	take_rights(t, pml4e, true);

	if (!fetch_entry(t, field(pml4e, 12, m - 1) + (linear >> 30) % 512 * 8, &pdpte))
		return false;
	if (pdpte % 2 == 0)
		return fail(t, false, false);
	if (reserved_48(cpu, pdpte))
		return fail(t, true, true);
	if ((pdpte >> 7) % 2) {
		if (!cpu->page1gb || any_bit(pdpte, 13, 29))
			return fail(t, true, true);
		take_rights(t, pdpte, true);
		t->ans->page_bytes = 1 << 30;
		t->ans->addr = field(pdpte, 30, m - 1) + linear % (1 << 30);
		return true;
	}
	take_rights(t, pdpte, true);

	if (!fetch_entry(t, field(pdpte, 12, m - 1) + (linear >> 21) % 512 * 8, &pde))
		return false;
	if (pde % 2 == 0)
		return fail(t, false, false);
	if (reserved_48(cpu, pde))
		return fail(t, true, true);
	if ((pde >> 7) % 2) {
		if (any_bit(pde, 13, 20))
			return fail(t, true, true);
		take_rights(t, pde, true);
		t->ans->page_bytes = 2 << 20;
		t->ans->addr = field(pde, 21, m - 1) + linear % (2 << 20);
		return true;
	}
	take_rights(t, pde, true);

	if (!fetch_entry(t, field(pde, 12, m - 1) + (linear >> 12) % 512 * 8, &pte))
		return false;
	if (pte % 2 == 0)
		return fail(t, false, false);
	if (reserved_48(cpu, pte))
		return fail(t, true, true);
	take_rights(t, pte, true);
	t->ans->page_bytes = 4096;
	t->ans->addr = field(pte, 12, m - 1) + linear % 4096;
	return true;
}

/* SDM "Determination of Access Rights", its bullets in their order. */
static bool may_access(const struct trace *t)
{
	const struct ref_cpu *cpu = t->cpu;
	bool user_address = t->u;
	bool ac_counts = cpu->eflags_ac && !cpu->implicit;

	if (!cpu->cpl3) {
		if (cpu->is_fetch) {
			if (user_address && cpu->cr4_smep)
				return false;
			return !t->xd;
		}
		if (user_address && cpu->cr4_smap && !ac_counts)
			return false;
		if (cpu->is_write && cpu->cr0_wp)
			return t->w;
		return true;
	}
	if (!user_address)
		return false;
	if (cpu->is_fetch)
		return !t->xd;
	if (cpu->is_write)
		return t->w;
	return true;
}

static void note_marks(struct trace *t)
{
	u64 value;

	for (int i = 0; i < t->nr; i++) {
		value = t->value[i] | 32;
		if (i == t->nr - 1 && t->cpu->is_write)
			value |= 64;
		if (value == t->value[i])
			continue;
		t->ans->write[t->ans->nr_writes].addr = t->addr[i];
		t->ans->write[t->ans->nr_writes].value = value;
		t->ans->nr_writes++;
	}
}

struct ref_answer ref_walk(const struct ref_cpu *cpu, u64 linear)
{
	struct ref_answer ans = { .outcome = REF_OK };
	struct trace t = { .cpu = cpu, .ans = &ans, .w = true, .u = true };
	bool mapped;

	if (cpu->tables == 0) {
		ans.addr = (u32)linear;
		ans.page_bytes = 4096;
		ans.r_w = true;
		ans.u_s = true;
		return ans;
	}
	if (cpu->tables == 32)
		mapped = walk_32(&t, linear);
	else if (cpu->tables == 36)
		mapped = walk_pae(&t, linear);
	else
		mapped = walk_48(&t, linear);
	if (!mapped)
		return ans;
	ans.r_w = t.w;
	ans.u_s = t.u;
	ans.xd = t.xd;
	if (!may_access(&t))
		fail(&t, true, false);
	else
		note_marks(&t);
	return ans;
}
