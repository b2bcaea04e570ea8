// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's CPUID: the host's, less what mhv cannot give.
 *
 * A feature is offered only when it works in a guest with no help, or with the help
 * mhv has.  Not offered: the local APIC (the device model has a PIC), VMX, monitor
 * and mwait, the PMU, machine check, protection keys, five-level paging, XSAVES, AMX,
 * speculation controls.
 */
#include <linux/bits.h>
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/processor-flags.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "mhv.h"

#define F(n)	BIT(n)

#define HYPERVISOR_LEAF		0x40000000u
#define HYPERVISOR_TIMING	0x40000010u

/* Leaf 1 */
#define LEAF1_ECX	(F(0) | F(1) | F(9) | F(12) | F(13) | F(17) | F(19) | F(20) | F(22) | \
			 F(23) | F(25) | F(26) | F(28) | F(29) | F(30))
#define LEAF1_EDX	(F(0) | F(1) | F(2) | F(3) | F(4) | F(5) | F(6) | F(8) | F(11) | F(12) | \
			 F(13) | F(15) | F(16) | F(17) | F(19) | F(23) | F(24) | F(25) | F(26) | \
			 F(27))
#define LEAF1_ECX_OSXSAVE	F(27)
#define LEAF1_ECX_HYPERVISOR	F(31)

/* Leaf 7, subleaf 0 */
#define LEAF7_EBX	(F(0) | F(3) | F(5) | F(7) | F(8) | F(9) | F(10) | F(13) | F(16) | F(17) | \
			 F(18) | F(19) | F(20) | F(21) | F(23) | F(24) | F(28) | F(29) | F(30) | \
			 F(31))
#define LEAF7_ECX	(F(1) | F(2) | F(6) | F(8) | F(9) | F(10) | F(11) | F(12) | F(14) | \
			 F(22) | F(27) | F(28))
#define LEAF7_EDX	(F(2) | F(3) | F(4) | F(8))

/* What goes when the host keeps no AVX or AVX-512 state */
#define LEAF1_ECX_AVX		(F(12) | F(28) | F(29))
#define LEAF7_EBX_AVX		F(5)
#define LEAF7_ECX_AVX		(F(9) | F(10))
#define LEAF7_EBX_AVX512	(F(16) | F(17) | F(21) | F(28) | F(30) | F(31))
#define LEAF7_ECX_AVX512	(F(1) | F(6) | F(11) | F(12) | F(14))
#define LEAF7_EDX_AVX512	(F(2) | F(3) | F(8))

/* Leaf 0xd, subleaf 1: XSAVEOPT, XSAVEC, XGETBV with ECX = 1 */
#define LEAFD1_EAX	(F(0) | F(1) | F(2))

/* Leaf 0x80000001 */
#define LEAFX1_ECX	(F(0) | F(5) | F(8))
#define LEAFX1_EDX	(F(11) | F(20) | F(26) | F(27) | F(29))

#define XCR0_OFFERED	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE | XFEATURE_MASK_YMM | \
			 XFEATURE_MASK_AVX512)

static u64 guest_xcr0_mask __ro_after_init;

/**
 * mhv_cpuid_setup - note what the host's XCR0 lets guests have
 *
 * Once and for all: right after an exit XCR0 holds the guest's value.
 * Context: module init.
 */
void __init mhv_cpuid_setup(void)
{
	guest_xcr0_mask = XFEATURE_MASK_FP | XFEATURE_MASK_SSE;
	/* what the host does not save it cannot keep apart */
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		guest_xcr0_mask = XCR0_OFFERED & xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

/**
 * mhv_guest_xcr0_mask - the XSAVE components a guest may have
 */
u64 mhv_guest_xcr0_mask(void)
{
	return guest_xcr0_mask;
}

/* ---- the filter ------------------------------------------------------------ */

/* Instructions that the guest has only where the vendor lets it. */
static bool cpuid_vendor_has(enum mhv_feature feature)
{
	struct mhv_info info = {};

	mhv_op(describe)(&info);
	return info.features & BIT_ULL(feature);
}

static void cpuid_clear(struct mhv_cpuid_entry *e)
{
	e->eax = 0;
	e->ebx = 0;
	e->ecx = 0;
	e->edx = 0;
}

static void filter_leaf1(struct mhv_cpuid_entry *e)
{
	e->ebx &= 0x0000ff00;		/* CLFLUSH size; APIC id and count are the vCPU's */
	e->ecx &= LEAF1_ECX;
	if (!(mhv_guest_xcr0_mask() & XFEATURE_MASK_YMM))
		e->ecx &= ~LEAF1_ECX_AVX;
	e->ecx |= LEAF1_ECX_HYPERVISOR;
	e->edx &= LEAF1_EDX;
}

static void filter_leaf7(struct mhv_cpuid_entry *e)
{
	u64 xcr0 = mhv_guest_xcr0_mask();

	if (e->index) {
		cpuid_clear(e);
		return;
	}
	e->eax = 0;
	e->ebx &= LEAF7_EBX;
	e->ecx &= LEAF7_ECX;
	e->edx &= LEAF7_EDX;
	if (!(xcr0 & XFEATURE_MASK_YMM)) {
		e->ebx &= ~LEAF7_EBX_AVX;
		e->ecx &= ~LEAF7_ECX_AVX;
	}
	if ((xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512) {
		e->ebx &= ~LEAF7_EBX_AVX512;
		e->ecx &= ~LEAF7_ECX_AVX512;
		e->edx &= ~LEAF7_EDX_AVX512;
	}
	/* the kernel clears it where firmware has left fast strings off */
	if (!boot_cpu_has(X86_FEATURE_ERMS))
		e->ebx &= ~F(9);
	if (!cpuid_vendor_has(MHV_FEAT_INVPCID))
		e->ebx &= ~F(10);
	if (!cpuid_vendor_has(MHV_FEAT_RDTSCP))
		e->ecx &= ~F(22);	/* RDPID */
}

static void filter_leafd(struct mhv_cpuid_entry *e)
{
	u64 mask = mhv_guest_xcr0_mask();

	if (e->index == 0) {
		e->eax = mask;
		e->edx = mask >> 32;
	} else if (e->index == 1) {
		e->eax &= LEAFD1_EAX;
		e->ebx = 0;
		e->ecx = 0;
		e->edx = 0;
	} else if (e->index > 63 || !(mask & BIT_ULL(e->index))) {
		cpuid_clear(e);
	} else {
		e->ecx = 0;
	}
}

static void filter_leaf(struct mhv_cpuid_entry *e)
{
	u32 eax, edx;

	switch (e->function) {
	case 1:
		filter_leaf1(e);
		break;
	case 4:
		e->eax &= 0x3fff;	/* caches are shared with nobody */
		break;
	case 7:
		filter_leaf7(e);
		break;
	case 0xd:
		filter_leafd(e);
		break;
	case 0x80000001:
		e->ebx = 0;
		e->ecx &= LEAFX1_ECX;
		e->edx &= LEAFX1_EDX;
		if (!cpuid_vendor_has(MHV_FEAT_RDTSCP))
			e->edx &= ~F(27);
		break;
	case 0x80000007:
		edx = e->edx & F(8);	/* invariant TSC */
		cpuid_clear(e);
		e->edx = edx;
		break;
	case 0x80000008:
		eax = min_t(u32, e->eax & 0xff, 48) | (48 << 8);
		cpuid_clear(e);
		e->eax = eax;
		break;
	}
}

/* ---- the host's set -------------------------------------------------------- */

struct cpuid_list {
	struct mhv_cpuid_entry *entry;
	u32 nr;
};

static void cpuid_add(struct cpuid_list *list, u32 function, u32 index, u32 flags)
{
	struct mhv_cpuid_entry *e = &list->entry[list->nr];

	if (WARN_ON_ONCE(list->nr == MHV_MAX_CPUID))
		return;
	*e = (struct mhv_cpuid_entry){ .function = function, .index = index, .flags = flags };
	cpuid_count(function, index, &e->eax, &e->ebx, &e->ecx, &e->edx);
	filter_leaf(e);
	list->nr++;
}

static void cpuid_add_caches(struct cpuid_list *list)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		cpuid_add(list, 4, i, MHV_CPUID_INDEXED);
		if (!(list->entry[list->nr - 1].eax & 0x1f))
			break;
	}
}

static void cpuid_add_xsave(struct cpuid_list *list)
{
	u64 mask = mhv_guest_xcr0_mask();
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	cpuid_add(list, 0xd, 0, MHV_CPUID_INDEXED);
	cpuid_add(list, 0xd, 1, MHV_CPUID_INDEXED);
	for (i = 2; i < 63; i++)
		if (mask & BIT_ULL(i))
			cpuid_add(list, 0xd, i, MHV_CPUID_INDEXED);
}

static void cpuid_add_hypervisor(struct cpuid_list *list)
{
	static const char signature[12] = "mhv-mhv-mhv-";
	struct mhv_cpuid_entry *e = &list->entry[list->nr];

	*e = (struct mhv_cpuid_entry){
		.function = HYPERVISOR_LEAF, .eax = HYPERVISOR_TIMING,
	};
	memcpy(&e->ebx, signature, 4);
	memcpy(&e->ecx, signature + 4, 4);
	memcpy(&e->edx, signature + 8, 4);
	list->nr++;
	list->entry[list->nr++] = (struct mhv_cpuid_entry){
		.function = HYPERVISOR_TIMING, .eax = tsc_khz,
	};
}

static void cpuid_add_basic(struct cpuid_list *list)
{
	u32 max = min(cpuid_eax(0), 0xdu);

	cpuid_add(list, 0, 0, 0);
	list->entry[0].eax = max;
	cpuid_add(list, 1, 0, 0);
	if (max >= 2)
		cpuid_add(list, 2, 0, 0);
	if (max >= 4)
		cpuid_add_caches(list);
	if (max >= 7)
		cpuid_add(list, 7, 0, MHV_CPUID_INDEXED);
	if (max >= 0xd)
		cpuid_add_xsave(list);
}

static void cpuid_add_extended(struct cpuid_list *list)
{
	u32 max = min(cpuid_eax(0x80000000), 0x80000008u);
	u32 leaf;

	for (leaf = 0x80000000; leaf <= max; leaf++) {
		if (leaf == 0x80000005)
			continue;
		cpuid_add(list, leaf, 0, 0);
		if (leaf == 0x80000000)
			list->entry[list->nr - 1].eax = max;
	}
}

/**
 * mhv_cpuid_host - the set a guest gets unless user space says otherwise
 * @entries: out, to be freed with kfree()
 * @nr: out
 *
 * Return: 0 or -ENOMEM.
 */
int mhv_cpuid_host(struct mhv_cpuid_entry **entries, u32 *nr)
{
	struct cpuid_list list = {};

	list.entry = kcalloc(MHV_MAX_CPUID, sizeof(*list.entry), GFP_KERNEL_ACCOUNT);
	if (!list.entry)
		return -ENOMEM;
	cpuid_add_basic(&list);
	cpuid_add_hypervisor(&list);
	cpuid_add_extended(&list);
	*entries = list.entry;
	*nr = list.nr;
	return 0;
}

/* Address-space tags are not shadowed: PCID and INVPCID. */
static void cpuid_mask_shadow(struct mhv_cpuid_entry *e)
{
	if (e->function == 1)
		e->ecx &= ~BIT(17);
	if (e->function == 7)
		e->ebx &= ~BIT(10);
}

/**
 * mhv_cpuid_init - give a new vCPU the host's filtered set
 * @v: a vCPU under construction
 *
 * Return: 0 or -ENOMEM.
 */
int mhv_cpuid_init(struct mhv_vcpu *v)
{
	int ret = mhv_cpuid_host(&v->cpuid, &v->nr_cpuid);
	u32 i;

	for (i = 0; !ret && v->vm->shadow && i < v->nr_cpuid; i++)
		cpuid_mask_shadow(&v->cpuid[i]);
	return ret;
}

/* ---- the interface --------------------------------------------------------- */

static const struct mhv_cpuid_entry *cpuid_match(const struct mhv_cpuid_entry *set, u32 nr,
						 u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (set[i].function == function &&
		    (!(set[i].flags & MHV_CPUID_INDEXED) || set[i].index == index))
			return &set[i];
	return NULL;
}

/**
 * mhv_cpuid_find - a leaf of the guest's set
 * @v: the vCPU
 * @function: EAX
 * @index: ECX
 *
 * Return: the entry or NULL.
 */
const struct mhv_cpuid_entry *mhv_cpuid_find(struct mhv_vcpu *v, u32 function, u32 index)
{
	return cpuid_match(v->cpuid, v->nr_cpuid, function, index);
}

/* Take away the feature bits that the host's filtered set does not have. */
static void cpuid_mask(struct mhv_cpuid_entry *e, const struct mhv_cpuid_entry *host, u32 nr)
{
	const struct mhv_cpuid_entry *h = cpuid_match(host, nr, e->function, e->index);
	static const struct mhv_cpuid_entry none;

	if (!h)
		h = &none;
	switch (e->function) {
	case 1:
		e->ecx &= h->ecx | LEAF1_ECX_OSXSAVE;
		e->edx &= h->edx;
		break;
	case 7:
		e->ebx &= h->ebx;
		e->ecx &= h->ecx;
		e->edx &= h->edx;
		break;
	case 0xd:
		if (e->index <= 1)
			e->eax &= h->eax;
		if (e->index == 0)
			e->edx &= h->edx;
		break;
	case 0x80000001:
		e->ecx &= h->ecx;
		e->edx &= h->edx;
		break;
	case 0x80000008:
		e->eax = min(e->eax & 0xff, h->eax & 0xff) | (e->eax & ~0xffu);
		break;
	}
}

static int cpuid_check(const struct mhv_cpuid_entry *entries, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if ((entries[i].flags & ~MHV_CPUID_INDEXED) || entries[i].reserved)
			return -EINVAL;
		/* a guest with less than 32 physical bits is no PC */
		if (entries[i].function == 0x80000008 && (entries[i].eax & 0xff) < 32)
			return -EINVAL;
	}
	return 0;
}

/**
 * mhv_cpuid_set - MHV_SET_CPUID
 * @v: a vCPU that never ran
 * @arg: as user space gave it
 *
 * Return: 0, -E2BIG, -EINVAL, -EFAULT or -ENOMEM.
 */
int mhv_cpuid_set(struct mhv_vcpu *v, const struct mhv_cpuid *arg)
{
	struct mhv_cpuid_entry *entries, *host;
	u32 nr_host, i;
	int ret;

	if (arg->reserved || !arg->nr)
		return -EINVAL;
	if (arg->nr > MHV_MAX_CPUID)
		return -E2BIG;
	entries = memdup_user(u64_to_user_ptr(arg->entries),
			      array_size(arg->nr, sizeof(*entries)));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	ret = cpuid_check(entries, arg->nr);
	if (ret)
		goto err;
	ret = mhv_cpuid_host(&host, &nr_host);
	if (ret)
		goto err;
	for (i = 0; i < arg->nr; i++) {
		cpuid_mask(&entries[i], host, nr_host);
		if (v->vm->shadow)
			cpuid_mask_shadow(&entries[i]);
	}
	kfree(host);
	kfree(v->cpuid);
	v->cpuid = entries;
	v->nr_cpuid = arg->nr;
	return 0;
err:
	kfree(entries);
	return ret;
}

/**
 * mhv_cpuid_copy - hand a set to user space
 * @entries: the set
 * @nr: of it
 * @uarg: struct mhv_cpuid with the user's array
 *
 * Return: 0, -EINVAL, -E2BIG (the number is told) or -EFAULT.
 */
int mhv_cpuid_copy(const struct mhv_cpuid_entry *entries, u32 nr, struct mhv_cpuid __user *uarg)
{
	struct mhv_cpuid arg;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.reserved)
		return -EINVAL;
	if (put_user(nr, &uarg->nr))
		return -EFAULT;
	if (arg.nr < nr)
		return -E2BIG;
	return copy_to_user(u64_to_user_ptr(arg.entries), entries, nr * sizeof(*entries)) ?
	       -EFAULT : 0;
}

/* ---- what the guest has ---------------------------------------------------- */

/**
 * mhv_guest_has - is a feature bit set in the guest's CPUID
 * @v: the vCPU
 * @function: leaf, subleaf 0
 * @reg: enum mhv_cpuid_reg
 * @bit: 0..31
 */
bool mhv_guest_has(struct mhv_vcpu *v, u32 function, int reg, int bit)
{
	const struct mhv_cpuid_entry *e = mhv_cpuid_find(v, function, 0);

	if (!e)
		return false;
	switch (reg) {
	case MHV_CPUID_EAX:
		return e->eax & BIT(bit);
	case MHV_CPUID_EBX:
		return e->ebx & BIT(bit);
	case MHV_CPUID_ECX:
		return e->ecx & BIT(bit);
	default:
		return e->edx & BIT(bit);
	}
}

/**
 * mhv_guest_cr4_mask - CR4 bits the guest may set
 * @v: the vCPU
 */
u64 mhv_guest_cr4_mask(struct mhv_vcpu *v)
{
	static const struct { u32 function; u8 reg, bit; u64 cr4; } map[] = {
		{ 1, MHV_CPUID_EDX, 1, X86_CR4_VME | X86_CR4_PVI },
		{ 1, MHV_CPUID_EDX, 2, X86_CR4_DE },
		{ 1, MHV_CPUID_EDX, 3, X86_CR4_PSE },
		{ 1, MHV_CPUID_EDX, 4, X86_CR4_TSD },
		{ 1, MHV_CPUID_EDX, 6, X86_CR4_PAE },
		{ 1, MHV_CPUID_EDX, 13, X86_CR4_PGE },
		{ 1, MHV_CPUID_EDX, 24, X86_CR4_OSFXSR },
		{ 1, MHV_CPUID_EDX, 25, X86_CR4_OSXMMEXCPT },
		{ 1, MHV_CPUID_ECX, 17, X86_CR4_PCIDE },
		{ 1, MHV_CPUID_ECX, 26, X86_CR4_OSXSAVE },
		{ 7, MHV_CPUID_EBX, 0, X86_CR4_FSGSBASE },
		{ 7, MHV_CPUID_EBX, 7, X86_CR4_SMEP },
		{ 7, MHV_CPUID_EBX, 20, X86_CR4_SMAP },
		{ 7, MHV_CPUID_ECX, 2, X86_CR4_UMIP },
	};
	u64 mask = X86_CR4_PCE;
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (mhv_guest_has(v, map[i].function, map[i].reg, map[i].bit))
			mask |= map[i].cr4;
	return mask;
}

/**
 * mhv_guest_efer_mask - EFER bits the guest may write
 * @v: the vCPU
 */
u64 mhv_guest_efer_mask(struct mhv_vcpu *v)
{
	u64 mask = 0;

	if (mhv_guest_has(v, 0x80000001, MHV_CPUID_EDX, 11))
		mask |= EFER_SCE;
	if (mhv_guest_has(v, 0x80000001, MHV_CPUID_EDX, 20))
		mask |= EFER_NX;
	if (mhv_guest_has(v, 0x80000001, MHV_CPUID_EDX, 29))
		mask |= EFER_LME;
	return mask;
}

/**
 * mhv_guest_phys_bits - width of the guest's physical addresses
 * @v: the vCPU
 */
unsigned int mhv_guest_phys_bits(struct mhv_vcpu *v)
{
	const struct mhv_cpuid_entry *e = mhv_cpuid_find(v, 0x80000008, 0);

	return e ? e->eax & 0xff : 36;
}

/* ---- the instruction ------------------------------------------------------- */

/* Size of a standard-format XSAVE area with the components of @xcr0. */
static u32 xsave_size(struct mhv_vcpu *v, u64 xcr0, bool compacted)
{
	u32 size = 512 + 64;
	int i;

	for (i = 2; i < 63; i++) {
		const struct mhv_cpuid_entry *e;

		if (!(xcr0 & BIT_ULL(i)))
			continue;
		e = mhv_cpuid_find(v, 0xd, i);
		if (!e)
			continue;
		size = compacted ? size + e->eax : max(size, e->ebx + e->eax);
	}
	return size;
}

static noinline void cpuid_leaf1(struct mhv_vcpu *v, u32 *ebx, u32 *ecx)
{
	struct mhv_paging_state p;

	mhv_op(get_paging)(v, &p);
	*ebx |= v->id << 24;
	*ecx &= ~(u32)LEAF1_ECX_OSXSAVE;
	if (p.cr4 & X86_CR4_OSXSAVE)
		*ecx |= LEAF1_ECX_OSXSAVE;
}

/* Words that follow the CPU's state. */
static void cpuid_dynamic(struct mhv_vcpu *v, u32 function, u32 index, u32 *ebx, u32 *ecx)
{
	switch (function) {
	case 1:
		cpuid_leaf1(v, ebx, ecx);
		break;
	case 0xd:
		if (index == 0) {
			*ebx = xsave_size(v, v->xcr0, false);
			*ecx = xsave_size(v, mhv_guest_xcr0_mask(), false);
		} else if (index == 1) {
			*ebx = xsave_size(v, v->xcr0, true);
		}
		break;
	}
}

/* A leaf past the last basic one reads as the last basic one does. */
static const struct mhv_cpuid_entry *cpuid_out_of_range(struct mhv_vcpu *v, u32 function,
							u32 index)
{
	const struct mhv_cpuid_entry *top = mhv_cpuid_find(v, function & 0x80000000u, 0);

	if (!top || function <= top->eax || function - HYPERVISOR_LEAF < 0x1000)
		return NULL;
	top = mhv_cpuid_find(v, 0, 0);
	return top ? mhv_cpuid_find(v, top->eax, index) : NULL;
}

/**
 * mhv_cpuid - the CPUID instruction
 * @v: a loaded vCPU
 * @eax: registers, in and out
 * @ebx: likewise
 * @ecx: likewise
 * @edx: likewise
 */
void mhv_cpuid(struct mhv_vcpu *v, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	u32 function = *eax, index = *ecx;
	const struct mhv_cpuid_entry *e = mhv_cpuid_find(v, function, index);

	if (!e)
		e = cpuid_out_of_range(v, function, index);
	if (!e) {
		*eax = 0;
		*ebx = 0;
		*ecx = 0;
		*edx = 0;
		return;
	}
	*eax = e->eax;
	*ebx = e->ebx;
	*ecx = e->ecx;
	*edx = e->edx;
	cpuid_dynamic(v, e->function, index, ebx, ecx);
}
