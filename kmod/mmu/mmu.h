/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files under mmu/ share, and what the vendor calls. */
#ifndef MHV_MMU_MMU_H
#define MHV_MMU_MMU_H

#include "../mhv.h"
#include "guest_walk.h"

/**
 * struct mhv_fault - a guest access that found no usable entry
 * @gpa: address accessed
 * @gva: linear address, where @gva_valid
 * @gva_valid: the access was made by gva, not by a walk of the guest's tables
 * @write: kind of access; a read when neither
 * @fetch: likewise
 */
struct mhv_fault {
	gpa_t gpa;
	gva_t gva;
	bool gva_valid;
	bool write;
	bool fetch;
};

/* fault.c */
enum mhv_next mhv_fault(struct mhv_vcpu *v, const struct mhv_fault *fault);

/* tdp.c */
int mhv_tdp_create(struct mhv_vm *vm);
void mhv_tdp_destroy(struct mhv_vm *vm);
bool mhv_tdp_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed);
bool mhv_tdp_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear);
void mhv_tdp_flush(struct mhv_vm *vm);
void mhv_tdp_free(struct list_head *freed);

/* What mapping one frame came to. */
enum mhv_map {
	MHV_MAP_DONE,
	MHV_MAP_SPURIOUS,	/* another vCPU had mapped it already */
};

enum mhv_map mhv_tdp_map(struct mhv_vcpu *v, gfn_t gfn, u64 pfn, int *level, bool writable);
int mhv_fill_page_cache(struct mhv_vcpu *v);

/* notifier.c */
int mhv_notifier_register(struct mhv_vm *vm);
void mhv_notifier_unregister(struct mhv_vm *vm);

void mhv_notifier_began(struct mhv_vm *vm, unsigned long start, unsigned long end);
void mhv_notifier_ended(struct mhv_vm *vm, unsigned long start, unsigned long end);
bool mhv_notifier_retry(struct mhv_vm *vm, unsigned long seq, unsigned long start,
			unsigned long end);

/* gmem.c */
bool mhv_read_pdptes(struct mhv_vcpu *v, u64 cr3, u64 pdpte[4]);

#endif /* MHV_MMU_MMU_H */
