// SPDX-License-Identifier: GPL-2.0-only
/* The decoded-access cache: see decode_cache.h. */
#include <linux/mm.h>

#include "../trace.h"
#include "decode_verify.h"
#include "mmu.h"

/* Bytes that are compared as two words must lie in one page. */
#define TEXT_BYTES	16

static bool decode_same_text(const struct mhv_decoded *e, const u64 now[2])
{
	return !((now[0] ^ e->bytes[0]) & e->mask[0]) && !((now[1] ^ e->bytes[1]) & e->mask[1]);
}

/* ---- making an entry ---------------------------------------------------------- */

/* Kernel address of guest memory, good while map_seq stands; NULL if not to be had. */
static const void *decode_kernel_address(struct mhv_vcpu *v, gpa_t gpa)
{
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(v->vm), gpa_to_gfn(gpa));
	struct page *page;
	void *address;

	if (!slot)
		return NULL;
	if (get_user_pages_fast(slot_gfn_to_hva(slot, gpa_to_gfn(gpa)), 1, 0, &page) != 1)
		return NULL;
	address = page_address(page);
	put_page(page);
	return address ? address + offset_in_page(gpa) : NULL;
}

static bool decode_find_addresses(struct mhv_vcpu *v, struct mhv_decoded *e,
				  const struct guest_walk *walk)
{
	static const u64 none;
	int i, at;

	for (i = 0; i < MHV_DECODE_LEVELS; i++) {
		at = walk->level + i;
		e->gpte[i] = &none;
		e->value[i] = 0;
		if (!walk->level || at > walk->top)
			continue;
		e->gpte[i] = decode_kernel_address(v, walk->gpte_gpa[at - 1]);
		e->value[i] = walk->gpte[at - 1];
		if (!e->gpte[i])
			return false;
	}
	e->text = decode_kernel_address(v, walk->gpa);
	return e->text;
}

/* Remember how the bytes were found, if nothing moved since @seq. */
static void decode_remember_walk(struct mhv_vcpu *v, struct mhv_decoded *e,
				 const struct guest_walk *walk, u64 seq)
{
	bool found;
	int idx;

	e->map_seq = MHV_DECODE_NO_ADDRESSES;
	if (mhv_code_paging(&e->code) != GUEST_PAGING_4LEVEL &&
	    mhv_code_paging(&e->code) != GUEST_PAGING_NONE)
		return;
	if (offset_in_page(e->code.rip) > PAGE_SIZE - TEXT_BYTES)
		return;
	idx = srcu_read_lock(&v->vm->srcu);
	found = decode_find_addresses(v, e, walk);
	srcu_read_unlock(&v->vm->srcu, idx);

	spin_lock(&v->vm->mmu_lock);
	if (found && !v->vm->notifier_count && v->vm->map_seq == seq)
		e->map_seq = seq;
	spin_unlock(&v->vm->mmu_lock);
}

static void decode_keep_bytes(struct mhv_decoded *e, const u8 *bytes)
{
	u8 mask[TEXT_BYTES] = {};

	memset(mask, 0xff, e->insn.len);
	memcpy(e->bytes, bytes, TEXT_BYTES);
	memcpy(e->mask, mask, TEXT_BYTES);
}

/**
 * struct decode_fetch - the bytes at RIP, as far as they could be had
 * @bytes: zero after @nr
 * @nr: of them
 * @walk: of the first one
 * @fault: why there are no more
 * @result: likewise
 */
struct decode_fetch {
	u8 bytes[MHV_INSN_BUF];
	unsigned int nr;
	struct guest_walk walk;
	struct mhv_gva_fault fault;
	enum mhv_gva_result result;
};

static void decode_fetch(struct mhv_vcpu *v, u64 rip, struct decode_fetch *f)
{
	unsigned int first = min_t(u64, MHV_INSN_MAX, PAGE_SIZE - offset_in_page(rip));

	memset(f, 0, sizeof(*f));
	f->result = mhv_walk_gva(v, rip, MHV_ACCESS_FETCH, &f->walk, &f->fault);
	if (f->result != MHV_GVA_OK)
		return;
	if (mhv_read_gpa(v->vm, f->walk.gpa, f->bytes, first)) {
		f->result = MHV_GVA_NO_MEMORY;
		f->fault = (struct mhv_gva_fault){ .gva = rip, .gpa = f->walk.gpa };
		return;
	}
	f->nr = first;
	if (first == MHV_INSN_MAX)
		return;
	f->result = mhv_read_gva(v, rip + first, f->bytes + first, MHV_INSN_MAX - first,
				 MHV_ACCESS_FETCH, &f->fault);
	if (f->result == MHV_GVA_OK)
		f->nr = MHV_INSN_MAX;
	else
		memset(f->bytes + first, 0, MHV_INSN_MAX - first);
}

static enum mhv_insn_result decode_unknown(struct mhv_vcpu *v)
{
	mhv_count(v, MHV_STAT_DECODE_UNSUPPORTED);
	return MHV_INSN_UNKNOWN;
}

/* What the decoder's answer means for the guest. */
static enum mhv_insn_result decode_outcome(struct mhv_vcpu *v, enum mhv_decode_result decoded,
					   const struct decode_fetch *f)
{
	switch (decoded) {
	case MHV_DECODE_OK:
		return MHV_INSN_KNOWN;
	case MHV_DECODE_SHORT:
		/* the instruction goes on where nothing can be fetched */
		if (f->result == MHV_GVA_FAULT) {
			mhv_queue_page_fault(v, f->fault.error_code, f->fault.gva);
			return MHV_INSN_FAULT;
		}
		/* gone since the CPU fetched it: the guest does so again when it is back */
		if (f->result == MHV_GVA_NO_MEMORY && mhv_exit_memory(v, f->fault.gpa, false))
			return MHV_INSN_NO_MEMORY;
		return decode_unknown(v);
	case MHV_DECODE_TOO_LONG:
		mhv_queue_gp(v);
		return MHV_INSN_FAULT;
	case MHV_DECODE_UD:
		mhv_queue_ud(v);
		return MHV_INSN_FAULT;
	case MHV_DECODE_NO_MEMORY:
		return MHV_INSN_RETRY;
	case MHV_DECODE_UNSUPPORTED:
		break;
	}
	return decode_unknown(v);
}

static enum mhv_insn_result decode_anew(struct mhv_vcpu *v, struct mhv_decoded *e,
					const struct mhv_code *code)
{
	u64 seq = READ_ONCE(v->vm->map_seq);
	enum mhv_decode_result decoded;
	bool same_place = e->code.kind && e->code.rip == code->rip &&
			  mhv_code_mode(&e->code) == mhv_code_mode(code);
	struct decode_fetch f;
	u64 now[2];

	/* the sequence before the walk: pairs with mhv_mapping_changed() */
	smp_rmb();
	decode_fetch(v, code->rip, &f);
	memcpy(now, f.bytes, sizeof(now));
	if (same_place && f.nr >= e->insn.len && decode_same_text(e, now)) {
		mhv_count(v, MHV_STAT_DECODE_WALKED);
		trace_mhv_decode(v, code->rip, f.bytes, MHV_DECODE_OK, true);
		e->code = *code;
		decode_remember_walk(v, e, &f.walk, seq);
		return MHV_INSN_KNOWN;
	}
	mhv_count(v, same_place ? MHV_STAT_DECODE_CHANGED : MHV_STAT_DECODE_MISS);
	e->code.kind = 0;
	decoded = mhv_decode(f.bytes, f.nr, mhv_code_mode(code), &e->insn);
	trace_mhv_decode(v, code->rip, f.bytes, decoded, false);
	if (decoded != MHV_DECODE_OK)
		return decode_outcome(v, decoded, &f);
	e->code = *code;
	decode_keep_bytes(e, f.bytes);
	decode_remember_walk(v, e, &f.walk, seq);
	return MHV_INSN_KNOWN;
}

/**
 * mhv_insn_at_rip - the instruction that the guest is executing
 * @v: a loaded vCPU
 * @insn: out, with MHV_INSN_KNOWN; good until the next call
 * @cached: out: it was decoded before
 *
 * Context: may sleep.
 */
enum mhv_insn_result mhv_insn_at_rip(struct mhv_vcpu *v, const struct mhv_insn **insn,
				     bool *cached)
{
	struct mhv_decoded *e;
	struct mhv_code code;

	mhv_op(get_code)(v, &code);
	e = mhv_decoded_at(v, code.rip);
	*insn = &e->insn;
	*cached = false;
	if (mhv_opt_off(v->vm, MHV_OPT_DECODE_CACHE))
		e->code.kind = 0;
	if (likely(mhv_decoded_true(v, e, &code))) {
		mhv_count(v, MHV_STAT_DECODE_HIT);
		trace_mhv_decode(v, code.rip, (const u8 *)e->bytes, MHV_DECODE_OK, true);
		*cached = true;
		return MHV_INSN_KNOWN;
	}
	return decode_anew(v, e, &code);
}
