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
 * @walk: made by the CPU's walk of the guest's tables, not by the instruction
 * @table: shadow paging: a write to memory that is done for the guest
 * @walked: shadow paging: the walk of the guest's tables that led to @gpa
 */
struct mhv_fault {
	gpa_t gpa;
	gva_t gva;
	bool gva_valid;
	bool write;
	bool fetch;
	bool walk;
	bool table;
	const struct guest_walk *walked;
};

/* What was found of a fault: tracepoint mhv_page_fault, counters pf_*. */
enum mhv_verdict_pf {
	MHV_VERDICT_VCPU_CACHE,		/* a device, says the vCPU's cache */
	MHV_VERDICT_SPTE,		/* a device, says the entry */
	MHV_VERDICT_SLOW,		/* a device: no memslot takes the access */
	MHV_VERDICT_STALE,		/* a device entry of another generation */
	MHV_VERDICT_FALSE_ALARM,	/* a device entry that is one no more */
	MHV_VERDICT_MAPPED,
	MHV_VERDICT_RETRY,
	MHV_VERDICT_NO_MEMORY,
	MHV_VERDICT_GUEST,		/* the guest's own: injected */
	MHV_VERDICT_TABLE,		/* a write to a shadowed table: emulate */
};

/* What TLBs are to forget: tracepoint mhv_flush. */
enum mhv_flush {
	MHV_FLUSH_VM,			/* asked of every vCPU of a VM */
	MHV_FLUSH_VCPU,			/* all of a vCPU's */
	MHV_FLUSH_GVA,			/* one address of a vCPU's */
};

/* io/mmio.c */
enum mhv_next mhv_mmio(struct mhv_vcpu *v, const struct mhv_fault *fault,
		       enum mhv_verdict_pf verdict);
bool mhv_exit_memory(struct mhv_vcpu *v, gpa_t gpa, bool write);
enum mhv_next mhv_mmio_complete(struct mhv_vcpu *v, u64 data);

/* fault.c */
enum mhv_next mhv_fault(struct mhv_vcpu *v, const struct mhv_fault *fault);
enum mhv_next mhv_mmio_fault(struct mhv_vcpu *v, gpa_t gpa);
enum mhv_next mhv_shadow_fault(struct mhv_vcpu *v, gva_t gva, u32 code);
bool mhv_shadow_plain_fault(struct mhv_vcpu *v, gva_t gva, u32 code, u32 *error);

/* tdp.c */
int mhv_tdp_create(struct mhv_vm *vm);
void mhv_tdp_destroy(struct mhv_vm *vm);
bool mhv_tdp_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed);
bool mhv_tdp_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear);
void mhv_tdp_flush(struct mhv_vm *vm);
void mhv_tdp_free(struct list_head *freed);
u64 mhv_tdp_read(struct mhv_vm *vm, gfn_t gfn);
void mhv_tdp_zap_mmio(struct mhv_vm *vm);
void mhv_tdp_map_mmio(struct mhv_vcpu *v, gfn_t gfn, u64 gen);

/* What mapping one frame came to. */
enum mhv_map {
	MHV_MAP_DONE,
	MHV_MAP_SPURIOUS,	/* another vCPU had mapped it already */
	MHV_MAP_RETRY,		/* the guest's tables have changed */
	MHV_MAP_EMULATE,	/* do the write for the guest */
};

enum mhv_map mhv_tdp_map(struct mhv_vcpu *v, gfn_t gfn, u64 pfn, int *level, bool writable);
int mhv_fill_page_cache(struct mhv_vcpu *v);

/* shadow.c, shadow_root.c, shadow_page.c */
void mhv_shadow_init(void);
int mhv_shadow_create(struct mhv_vm *vm, const struct mhv_vm_config *config);
void mhv_shadow_destroy(struct mhv_vm *vm);
void mhv_shadow_vcpu_free(struct mhv_vcpu *v);
int mhv_shadow_load_root(struct mhv_vcpu *v);
void mhv_shadow_flush(struct mhv_vcpu *v);
bool mhv_shadow_guest_fault(struct mhv_vcpu *v, gva_t gva, u32 access, u32 *error);
bool mhv_shadow_short(struct mhv_vcpu *v);
bool mhv_shadow_switch(struct mhv_vcpu *v, u64 cr3);
void mhv_shadow_invlpg(struct mhv_vcpu *v, gva_t gva);
bool mhv_shadow_unshadow(struct mhv_vcpu *v, gfn_t gfn);
u64 mhv_shadow_read(struct mhv_vcpu *v, gva_t gva);
enum mhv_map mhv_shadow_map(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 pfn,
			    bool writable);
void mhv_shadow_map_mmio(struct mhv_vcpu *v, const struct mhv_fault *fault, u64 gen);
void mhv_shadow_map_gnp(struct mhv_vcpu *v, gva_t gva, const struct guest_walk *walk);
bool mhv_shadow_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed);
bool mhv_shadow_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear);
void mhv_shadow_zap_mmio(struct mhv_vm *vm);
void mhv_shadow_zap_all(struct mhv_vm *vm);
void mhv_shadow_compare_all(struct mhv_vm *vm);
void mhv_shadow_free(struct list_head *freed);
void mhv_shadow_write_begin(struct mhv_vm *vm);
void mhv_shadow_write_end(struct mhv_vm *vm, gpa_t gpa, u32 len);
int shadow_fill_cache(struct mhv_vcpu *v);
void shadow_drain_cache(struct mhv_vcpu *v);
void shadow_make_room(struct mhv_vcpu *v);

/* audit.c */
void mhv_shadow_audit(struct mhv_vm *vm, struct mhv_audit *result);
void mhv_shadow_audit_fault(struct mhv_vcpu *v);

/* shrink.c */
int mhv_shrinker_init(void);
void mhv_shrinker_exit(void);

/* inspect.c */
void mhv_shadow_count(struct mhv_vm *vm, struct shadow_page *sp, bool deep,
		      struct mhv_mmu_table *t);
int mhv_walk(struct mhv_vcpu *v, struct mhv_walk *arg);
int mhv_dump_mmu(struct mhv_vm *vm, struct mhv_mmu *arg);

/* ---- either kind of paging ------------------------------------------------- */

static inline bool mhv_mmu_zap(struct mhv_vm *vm, gfn_t start, gfn_t end, struct list_head *freed)
{
	return vm->shadow ? mhv_shadow_zap(vm, start, end, freed) :
	       mhv_tdp_zap(vm, start, end, freed);
}

static inline bool mhv_mmu_age(struct mhv_vm *vm, gfn_t start, gfn_t end, bool clear)
{
	return vm->shadow ? mhv_shadow_age(vm, start, end, clear) :
	       mhv_tdp_age(vm, start, end, clear);
}

static inline void mhv_mmu_free(struct mhv_vm *vm, struct list_head *freed)
{
	if (vm->shadow)
		mhv_shadow_free(freed);
	else
		mhv_tdp_free(freed);
}

static inline void mhv_mmu_zap_mmio(struct mhv_vm *vm)
{
	if (vm->shadow)
		mhv_shadow_zap_mmio(vm);
	else
		mhv_tdp_zap_mmio(vm);
}

/* notifier.c */
int mhv_notifier_register(struct mhv_vm *vm);
void mhv_notifier_unregister(struct mhv_vm *vm);

/*
 * Kernel addresses of guest memory are no longer what they were: before the pages go.
 * Readers check vm->map_seq before and after they use one.
 */
static inline void mhv_mapping_changed(struct mhv_vm *vm)
{
	lockdep_assert_held(&vm->mmu_lock);
	WRITE_ONCE(vm->map_seq, vm->map_seq + 1);
}

void mhv_notifier_began(struct mhv_vm *vm, unsigned long start, unsigned long end);
void mhv_notifier_ended(struct mhv_vm *vm, unsigned long start, unsigned long end);
bool mhv_notifier_retry(struct mhv_vm *vm, unsigned long seq, unsigned long start,
			unsigned long end);

/* gmem.c */
bool mhv_read_pdptes(struct mhv_vcpu *v, u64 cr3, u64 pdpte[4]);

#endif /* MHV_MMU_MMU_H */
