/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is an entry of the decoded-access cache still true?  Inline, for it is asked on every
 * device access.  What it must hold is explained in decode_cache.h.
 */
#ifndef MHV_MMU_DECODE_VERIFY_H
#define MHV_MMU_DECODE_VERIFY_H

#include <linux/hash.h>
#include <asm/asm.h>
#include <asm/extable_fixup_types.h>

#include "mmu.h"

static inline struct mhv_decoded *mhv_decoded_at(struct mhv_vcpu *v, u64 rip)
{
	return &v->decoded.entry[hash_64(rip, MHV_DECODE_CACHE_BITS)];
}

/* A load from an address that may have gone: *@error is set then. */
static __always_inline u64 decode_load(const u64 *from, int *error)
{
	u64 value;

	asm volatile("1: mov %[from], %[value]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[error])
		     : [value] "=r" (value), [error] "+r" (*error)
		     : [from] "m" (*from));
	return value;
}

/**
 * mhv_decoded_true - verify an entry through its addresses
 * @v: the vCPU
 * @e: the entry for @code's address
 * @code: where the vCPU executes
 *
 * Context: any.
 * Return: false when it must be found out by a walk.
 */
static __always_inline bool mhv_decoded_true(struct mhv_vcpu *v, const struct mhv_decoded *e,
					     const struct mhv_code *code)
{
	u64 differ, seq = READ_ONCE(v->vm->map_seq);
	int error = 0;

	differ = (e->code.rip ^ code->rip) | (e->code.cr3 ^ code->cr3) | (e->map_seq ^ seq) |
		 (e->code.kind ^ code->kind);
	if (unlikely(differ))
		return false;
	/* the sequence before what it protects, and after */
	smp_rmb();
	differ = decode_load(e->gpte[0], &error) ^ e->value[0];
	differ |= decode_load(e->gpte[1], &error) ^ e->value[1];
	differ |= decode_load(e->gpte[2], &error) ^ e->value[2];
	differ |= decode_load(e->gpte[3], &error) ^ e->value[3];
	differ &= ~(GPTE_A | GPTE_D);
	differ |= (decode_load(&e->text[0], &error) ^ e->bytes[0]) & e->mask[0];
	differ |= (decode_load(&e->text[1], &error) ^ e->bytes[1]) & e->mask[1];
	/* what was read is of that sequence */
	smp_rmb();
	return !(differ | error | (seq ^ READ_ONCE(v->vm->map_seq)));
}

#endif /* MHV_MMU_DECODE_VERIFY_H */
