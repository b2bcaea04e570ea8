// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory as the kernel reads and writes it: by gpa through the memslots, by
 * gva through the guest's own tables.
 *
 * All of it goes through the owner's address space, so it may fault and sleep, and
 * must run in a thread of the owner.
 */
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "mmu/mmu.h"

typedef int (*gmem_copy)(unsigned long hva, void *data, size_t len);

static int gmem_copy_from(unsigned long hva, void *data, size_t len)
{
	return copy_from_user(data, (void __user *)hva, len) ? -EFAULT : 0;
}

/* What the CPU writes in one piece is written in one piece: it may be a table's entry. */
static int gmem_copy_to(unsigned long hva, void *data, size_t len)
{
	if (len == 8)
		return put_user(*(u64 *)data, (u64 __user *)hva);
	if (len == 4)
		return put_user(*(u32 *)data, (u32 __user *)hva);
	return copy_to_user((void __user *)hva, data, len) ? -EFAULT : 0;
}

/* The guest's tables may be written: shadow paging must know. */
static void gmem_write_begin(struct mhv_vm *vm)
{
	if (unlikely(vm->shadow))
		mhv_shadow_write_begin(vm);
}

static void gmem_write_end(struct mhv_vm *vm, gpa_t gpa, size_t len)
{
	if (unlikely(vm->shadow))
		mhv_shadow_write_end(vm, gpa, len);
}

/* One page at most.  -ENXIO: no slot, or read-only and to be written. */
static int gmem_page(struct mhv_vm *vm, gpa_t gpa, void *data, size_t len, bool write)
{
	const struct mhv_slot *slot;
	unsigned long hva;
	int ret = -ENXIO;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	slot = mhv_find_slot(mhv_slots(vm), gpa_to_gfn(gpa));
	if (slot && !(write && (slot->flags & MHV_MEM_READONLY))) {
		hva = slot_gfn_to_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa);
		if (write)
			gmem_write_begin(vm);
		ret = write ? gmem_copy_to(hva, data, len) : gmem_copy_from(hva, data, len);
		if (write)
			gmem_write_end(vm, gpa, len);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

static int gmem_pages(struct mhv_vm *vm, gpa_t gpa, void *data, size_t len, bool write)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		int ret = gmem_page(vm, gpa, data, part, write);

		if (ret)
			return ret;
		gpa += part;
		data += part;
		len -= part;
	}
	return 0;
}

/**
 * mhv_read_gpa - read guest physical memory
 * @vm: the VM, owned by the current process
 * @gpa: address
 * @data: buffer
 * @len: bytes
 *
 * Context: may sleep.
 * Return: 0, -ENXIO where there is no slot, -EFAULT where its memory is not to be had.
 */
int mhv_read_gpa(struct mhv_vm *vm, gpa_t gpa, void *data, size_t len)
{
	return gmem_pages(vm, gpa, data, len, false);
}

/**
 * mhv_write_gpa - write guest physical memory
 * @vm: the VM, owned by the current process
 * @gpa: address
 * @data: what to write
 * @len: bytes
 *
 * Context: may sleep.
 * Return: 0, -ENXIO where there is no writable slot, -EFAULT as above.
 */
int mhv_write_gpa(struct mhv_vm *vm, gpa_t gpa, const void *data, size_t len)
{
	return gmem_pages(vm, gpa, (void *)data, len, true);
}

/* 0, -EAGAIN when memory does not hold *@old, -EFAULT. */
static int gmem_cmpxchg(unsigned long hva, const void *old, const void *new, size_t size)
{
	u64 old64 = *(const u64 *)old;
	u32 old32 = *(const u32 *)old;
	u16 old16 = *(const u16 *)old;
	u8 old8 = *(const u8 *)old;
	int ret = -EFAULT;

	switch (size) {
	case 1:
		ret = __try_cmpxchg_user((u8 __user *)hva, &old8, *(const u8 *)new, fault8);
		break;
	case 2:
		ret = __try_cmpxchg_user((u16 __user *)hva, &old16, *(const u16 *)new, fault16);
		break;
	case 4:
		ret = __try_cmpxchg_user((u32 __user *)hva, &old32, *(const u32 *)new, fault32);
		break;
	case 8:
		ret = __try_cmpxchg_user((u64 __user *)hva, &old64, *(const u64 *)new, fault64);
		break;
	}
	return ret == 1 ? -EAGAIN : ret;
}

/**
 * mhv_cmpxchg_gpa - compare and exchange in guest memory
 * @vm: the VM, owned by the current process
 * @gpa: address, within one page
 * @old: what memory must hold, 8 readable bytes
 * @new: what it shall hold, likewise
 * @size: 1, 2, 4 or 8, atomic; 16, for which there is no atomic way
 *
 * Context: may sleep.
 * Return: 0, -EAGAIN when memory holds another value, -ENXIO, -EFAULT.
 */
int mhv_cmpxchg_gpa(struct mhv_vm *vm, gpa_t gpa, const void *old, const void *new, size_t size)
{
	const struct mhv_slot *slot;
	int ret = -ENXIO;
	u8 now[16];
	int idx;

	if (size == sizeof(now)) {
		ret = mhv_read_gpa(vm, gpa, now, size);
		if (!ret && memcmp(now, old, size))
			ret = -EAGAIN;
		return ret ? ret : mhv_write_gpa(vm, gpa, new, size);
	}
	idx = srcu_read_lock(&vm->srcu);
	slot = mhv_find_slot(mhv_slots(vm), gpa_to_gfn(gpa));
	if (slot) {
		gmem_write_begin(vm);
		ret = gmem_cmpxchg(slot_gfn_to_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa),
				   old, new, size);
		gmem_write_end(vm, gpa, size);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

/**
 * mhv_read_pdptes - fetch and check the four entries of PAE paging
 * @v: the vCPU
 * @cr3: guest CR3
 * @pdpte: filled in
 *
 * Return: false when loading them is a #GP.
 */
bool mhv_read_pdptes(struct mhv_vcpu *v, u64 cr3, u64 pdpte[4])
{
	u64 reserved = GENMASK_ULL(8, 5) | GENMASK_ULL(2, 1) |
		       GENMASK_ULL(63, mhv_guest_phys_bits(v));
	int i;

	if (mhv_read_gpa(v->vm, cr3 & GENMASK_ULL(31, 5), pdpte, 4 * sizeof(u64)))
		return false;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & GPTE_P) && (pdpte[i] & reserved))
			return false;
	return true;
}

/* ---- by gva ---------------------------------------------------------------- */

/* Where an entry of the guest's tables lies in the owner's memory; 0 nowhere. */
static unsigned long gmem_pte_hva(struct mhv_vm *vm, gpa_t gpa, bool *readonly)
{
	const struct mhv_slot *slot = mhv_find_slot(mhv_slots(vm), gpa_to_gfn(gpa));

	if (!slot)
		return 0;
	*readonly = slot->flags & MHV_MEM_READONLY;
	return slot_gfn_to_hva(slot, gpa_to_gfn(gpa)) + offset_in_page(gpa);
}

static enum guest_pte_result gmem_read_pte(void *ctx, u64 gpa, unsigned int size, u64 *val)
{
	struct mhv_vcpu *v = ctx;
	bool readonly;
	unsigned long hva = gmem_pte_hva(v->vm, gpa, &readonly);
	u32 val32;

	if (!hva)
		return GUEST_PTE_NO_MEMORY;
	if (size == 8)
		return get_user(*val, (u64 __user *)hva) ? GUEST_PTE_NO_MEMORY : GUEST_PTE_OK;
	if (get_user(val32, (u32 __user *)hva))
		return GUEST_PTE_NO_MEMORY;
	*val = val32;
	return GUEST_PTE_OK;
}

static enum guest_pte_result gmem_cmpxchg_pte(void *ctx, u64 gpa, unsigned int size,
					      u64 old, u64 new)
{
	struct mhv_vcpu *v = ctx;
	bool readonly = false;
	unsigned long hva = gmem_pte_hva(v->vm, gpa, &readonly);
	u32 old32 = old;
	int ret;

	if (!hva)
		return GUEST_PTE_NO_MEMORY;
	if (readonly)
		return GUEST_PTE_OK;
	if (size == 8)
		ret = __try_cmpxchg_user((u64 __user *)hva, &old, new, fault64);
	else
		ret = __try_cmpxchg_user((u32 __user *)hva, &old32, (u32)new, fault32);
	if (ret < 0)
		return GUEST_PTE_NO_MEMORY;
	return ret ? GUEST_PTE_CHANGED : GUEST_PTE_OK;
}

static const struct guest_walk_ops gmem_walk_ops = {
	.read_pte = gmem_read_pte,
	.cmpxchg_pte = gmem_cmpxchg_pte,
};

static u8 gmem_paging(const struct mhv_paging_state *p)
{
	if (!(p->cr0 & X86_CR0_PG))
		return GUEST_PAGING_NONE;
	if (p->efer & EFER_LMA)
		return GUEST_PAGING_4LEVEL;
	return p->cr4 & X86_CR4_PAE ? GUEST_PAGING_PAE : GUEST_PAGING_32BIT;
}

static void gmem_mode(struct mhv_vcpu *v, const struct mhv_paging_state *p,
		      struct guest_mmu_mode *mode)
{
	*mode = (struct guest_mmu_mode){
		.paging = gmem_paging(p),
		.phys_bits = mhv_guest_phys_bits(v),
		.wp = p->cr0 & X86_CR0_WP,
		.nxe = p->efer & EFER_NX,
		.smep = p->cr4 & X86_CR4_SMEP,
		.smap = p->cr4 & X86_CR4_SMAP,
		.pse = p->cr4 & X86_CR4_PSE,
		.gbpages = mhv_guest_has(v, 0x80000001, MHV_CPUID_EDX, 26),
	};
}

static u32 gmem_access(const struct mhv_paging_state *p, u32 access)
{
	u32 guest = 0;

	if (access & MHV_ACCESS_WRITE)
		guest |= GUEST_ACCESS_WRITE;
	if (access & MHV_ACCESS_FETCH)
		guest |= GUEST_ACCESS_FETCH;
	if (p->cpl == 3)
		guest |= GUEST_ACCESS_USER;
	if (p->rflags & X86_EFLAGS_AC)
		guest |= GUEST_ACCESS_AC;
	return guest;
}

/**
 * mhv_get_guest_mode - how the guest translates now
 * @v: a loaded vCPU
 * @mode: out
 * @root: out
 */
void mhv_get_guest_mode(struct mhv_vcpu *v, struct guest_mmu_mode *mode, struct guest_root *root)
{
	struct mhv_paging_state p = {};

	mhv_op(get_paging)(v, &p);
	gmem_mode(v, &p, mode);
	root->cr3 = p.cr3;
	memcpy(root->pdpte, p.pdpte, sizeof(root->pdpte));
}

static enum guest_walk_result gmem_walk(struct mhv_vcpu *v, const struct guest_walk_req *req,
					struct guest_walk *walk)
{
	enum guest_walk_result result;
	int idx;

	idx = srcu_read_lock(&v->vm->srcu);
	do
		result = guest_walk(req, walk);
	while (result == GUEST_WALK_RACED && !signal_pending(current));
	srcu_read_unlock(&v->vm->srcu, idx);
	return result;
}

/**
 * mhv_walk_as - how an access of a given kind would be translated; shadow paging
 * @v: a loaded vCPU
 * @gva: canonical linear address
 * @guest_access: GUEST_ACCESS_*
 * @walk: out
 *
 * Context: may sleep.
 */
enum guest_walk_result mhv_walk_as(struct mhv_vcpu *v, gva_t gva, u32 guest_access,
				   struct guest_walk *walk)
{
	const struct guest_walk_req req = {
		.mode = &v->shadow.mode, .root = &v->shadow.guest, .ops = &gmem_walk_ops,
		.ctx = v, .gva = gva, .access = guest_access,
	};

	return gmem_walk(v, &req, walk);
}

/**
 * mhv_look_gva - what the guest's tables say of an address, changing nothing
 * @v: a loaded vCPU
 * @gva: canonical linear address
 * @root: out: where the tables begin
 * @walk: out
 *
 * As for a supervisor's read that nothing forbids.
 * Context: may sleep.
 */
enum guest_walk_result mhv_look_gva(struct mhv_vcpu *v, gva_t gva, struct guest_root *root,
				    struct guest_walk *walk)
{
	struct guest_mmu_mode mode;
	const struct guest_walk_req req = {
		.mode = &mode, .root = root, .ops = &gmem_walk_ops, .ctx = v, .gva = gva,
		.access = GUEST_ACCESS_AC | GUEST_ACCESS_NO_AD,
	};

	mhv_get_guest_mode(v, &mode, root);
	return gmem_walk(v, &req, walk);
}

/**
 * mhv_walk_gva - how an access by the guest at its current mode would be translated
 * @v: a loaded vCPU
 * @gva: canonical linear address
 * @access: MHV_ACCESS_*
 * @walk: out
 * @fault: out, when the answer is not MHV_GVA_OK
 *
 * Context: may sleep.
 */
enum mhv_gva_result mhv_walk_gva(struct mhv_vcpu *v, gva_t gva, u32 access,
				 struct guest_walk *walk, struct mhv_gva_fault *fault)
{
	struct mhv_paging_state p = {};
	struct guest_mmu_mode mode;
	struct guest_root root;
	struct guest_walk_req req = {
		.mode = &mode, .root = &root, .ops = &gmem_walk_ops, .ctx = v, .gva = gva,
	};
	enum guest_walk_result result;

	mhv_op(get_paging)(v, &p);
	gmem_mode(v, &p, &mode);
	root.cr3 = p.cr3;
	memcpy(root.pdpte, p.pdpte, sizeof(root.pdpte));
	req.access = gmem_access(&p, access);

	result = gmem_walk(v, &req, walk);
	if (result == GUEST_WALK_OK)
		return MHV_GVA_OK;
	fault->gva = gva;
	fault->gpa = walk->gpa;
	fault->error_code = walk->error_code;
	return result == GUEST_WALK_FAULT ? MHV_GVA_FAULT : MHV_GVA_NO_MEMORY;
}

/**
 * mhv_translate_gva - where an access by the guest at its current mode would go
 * @v: a loaded vCPU
 * @gva: canonical linear address
 * @access: MHV_ACCESS_*
 * @gpa: out
 * @fault: out, when the answer is not MHV_GVA_OK
 *
 * Context: may sleep.
 */
enum mhv_gva_result mhv_translate_gva(struct mhv_vcpu *v, gva_t gva, u32 access, gpa_t *gpa,
				      struct mhv_gva_fault *fault)
{
	struct guest_walk walk;
	enum mhv_gva_result result = mhv_walk_gva(v, gva, access, &walk, fault);

	if (result == MHV_GVA_OK)
		*gpa = walk.gpa;
	return result;
}

static enum mhv_gva_result gmem_gva(struct mhv_vcpu *v, gva_t gva, void *data, size_t len,
				    u32 access, struct mhv_gva_fault *fault)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));
		enum mhv_gva_result result;
		gpa_t gpa;

		result = mhv_translate_gva(v, gva, access, &gpa, fault);
		if (result != MHV_GVA_OK)
			return result;
		if (gmem_page(v->vm, gpa, data, part, access & MHV_ACCESS_WRITE)) {
			fault->gva = gva;
			fault->gpa = gpa;
			return MHV_GVA_NO_MEMORY;
		}
		gva += part;
		data += part;
		len -= part;
	}
	return MHV_GVA_OK;
}

/**
 * mhv_read_gva - read as the guest would
 * @v: a loaded vCPU
 * @gva: linear address
 * @data: buffer; bytes before a failing page are filled in
 * @len: bytes
 * @access: 0 or MHV_ACCESS_FETCH
 * @fault: out, when the answer is not MHV_GVA_OK
 */
enum mhv_gva_result mhv_read_gva(struct mhv_vcpu *v, gva_t gva, void *data, size_t len,
				 u32 access, struct mhv_gva_fault *fault)
{
	return gmem_gva(v, gva, data, len, access & MHV_ACCESS_FETCH, fault);
}

/**
 * mhv_write_gva - write as the guest would
 * @v: a loaded vCPU
 * @gva: linear address
 * @data: what to write
 * @len: bytes
 * @fault: out, when the answer is not MHV_GVA_OK
 */
enum mhv_gva_result mhv_write_gva(struct mhv_vcpu *v, gva_t gva, const void *data,
				  size_t len, struct mhv_gva_fault *fault)
{
	return gmem_gva(v, gva, (void *)data, len, MHV_ACCESS_WRITE, fault);
}
