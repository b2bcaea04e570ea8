/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decoded-access cache: instructions that access devices, by where they lie.
 *
 * A driver hits the same few instructions for ever.  Each entry keeps the decoded form
 * with the bytes it was decoded from, and is used only after the bytes that are now at
 * that address were found to be the same ones:
 *
 *	mode		CS.L, CS.D and the paging mode are compared
 *	translation	CR3 and the guest's page-table entries of every level, read now,
 *			are compared with those of the walk that found the page
 *	bytes		those in the page now are compared with the decoded ones
 *
 * So self-modified code, remapped code, a changed CR3 and a changed mode are seen on
 * the very next access; there is nothing to invalidate.
 *
 * The guest's tables and code are read through kernel addresses found at the time of
 * the walk.  They are good for as long as the host does not move the pages:
 * vm->map_seq changes before any page behind a memslot goes away.  It is read before
 * and after; a page that was freed in between is read in vain, and by loads that may
 * fault, but never believed.
 *
 * Only translations by four levels, and none, are kept; in the other modes, and where
 * an instruction comes near the end of its page, the bytes are fetched by a walk and
 * the decoded form is used if they are the same.
 */
#ifndef MHV_MMU_DECODE_CACHE_H
#define MHV_MMU_DECODE_CACHE_H

#include <linux/types.h>

#include "../emul/decode.h"

/*
 * A driver has some twenty such instructions on the way of a packet.  Functions are
 * aligned, so that low bits of addresses are much alike: the place is a hash of all.
 */
#define MHV_DECODE_CACHE_BITS	6
#define MHV_DECODE_LEVELS	4
#define MHV_DECODE_NO_ADDRESSES	(~0ull)	/* no vm->map_seq ever */

struct mhv_vcpu;

/**
 * struct mhv_code - where the vCPU executes
 * @rip: linear address
 * @cr3: guest CR3
 * @kind: how: MHV_CODE_KIND() of enum mhv_mode and enum guest_paging
 */
struct mhv_code {
	u64 rip;
	u64 cr3;
	u32 kind;
};

#define MHV_CODE_KIND(mode, paging)	((mode) | (paging) << 8)

static inline enum mhv_mode mhv_code_mode(const struct mhv_code *code)
{
	return code->kind & 0xff;
}

static inline u32 mhv_code_paging(const struct mhv_code *code)
{
	return code->kind >> 8;
}

/**
 * struct mhv_decoded - an entry
 * @code: where and how it was found; @code.kind 0: nothing
 * @map_seq: vm->map_seq that the addresses are good for; MHV_DECODE_NO_ADDRESSES: there
 *	are none, fetch to compare
 * @gpte: kernel addresses of the guest's page-table entries; where there are fewer
 *	than four, the others are of a word that is 0
 * @value: what they held
 * @text: kernel address of the bytes
 * @bytes: that @insn was decoded from, 16 readable
 * @mask: of the bytes in each half that are the instruction's
 * @insn: decoded
 */
struct mhv_decoded {
	struct mhv_code code;
	u64 map_seq;
	const u64 *gpte[MHV_DECODE_LEVELS];
	u64 value[MHV_DECODE_LEVELS];
	const u64 *text;
	u64 bytes[2];
	u64 mask[2];
	struct mhv_insn insn;
} __aligned(256);

struct mhv_decode_cache {
	struct mhv_decoded entry[1 << MHV_DECODE_CACHE_BITS];
};

/* What became of an attempt to know the instruction at RIP. */
enum mhv_insn_result {
	MHV_INSN_KNOWN,
	MHV_INSN_FAULT,		/* an exception was queued */
	MHV_INSN_RETRY,		/* the bytes have changed: run the guest */
	MHV_INSN_NO_MEMORY,	/* MHV_EXIT_MEMORY_FAULT is filled in */
	MHV_INSN_UNKNOWN,	/* user space must be told */
};

enum mhv_insn_result mhv_insn_at_rip(struct mhv_vcpu *v, const struct mhv_insn **insn,
				     bool *cached);

#endif /* MHV_MMU_DECODE_CACHE_H */
