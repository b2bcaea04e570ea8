// SPDX-License-Identifier: GPL-2.0-only
/*
 * Model-specific registers: an allow-list.
 *
 * Each MSR the guest has is either in the VMCS or in the CPU while the guest runs
 * (the bitmap lets it through), or stored here.  Any other is #GP, as on a CPU that
 * does not have it.
 */
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/user-return-notifier.h>
#include <asm/msr.h>
#include <asm/mtrr.h>

#include "vmx.h"

#define VMX_MSR_BITMAP_WRITE	2048	/* bytes: write bitmaps follow the read ones */
#define VMX_MSR_BITMAP_HIGH	1024	/* bytes: MSRs from 0xc0000000 */

/* ---- MSRs the kernel needs only in user space ------------------------------ */

static const u32 user_msr_index[VMX_NR_USER_MSRS] = {
	[VMX_MSR_STAR]		= MSR_STAR,
	[VMX_MSR_LSTAR]		= MSR_LSTAR,
	[VMX_MSR_CSTAR]		= MSR_CSTAR,
	[VMX_MSR_SYSCALL_MASK]	= MSR_SYSCALL_MASK,
	[VMX_MSR_TSC_AUX]	= MSR_TSC_AUX,
};

/**
 * struct vmx_user_msrs - a CPU's lazily switched MSRs
 * @urn: called before this CPU returns to user space
 * @registered: @urn is registered
 * @known: @host was read
 * @host: the kernel's values
 * @now: the CPU's values
 */
struct vmx_user_msrs {
	struct user_return_notifier urn;
	bool registered;
	bool known;
	u64 host[VMX_NR_USER_MSRS];
	u64 now[VMX_NR_USER_MSRS];
};

static DEFINE_PER_CPU(struct vmx_user_msrs, user_msrs);

static bool vmx_user_msr_exists(enum vmx_user_msr i)
{
	return i != VMX_MSR_TSC_AUX || boot_cpu_has(X86_FEATURE_RDTSCP);
}

static void vmx_user_msr_write(struct vmx_user_msrs *m, enum vmx_user_msr i, u64 value)
{
	if (m->now[i] == value)
		return;
	m->now[i] = value;
	wrmsrl(user_msr_index[i], value);
}

static void vmx_on_user_return(struct user_return_notifier *urn)
{
	struct vmx_user_msrs *m = container_of(urn, struct vmx_user_msrs, urn);
	unsigned long flags;
	int i;

	/* vmx_user_msrs_drop() may come by interrupt */
	local_irq_save(flags);
	if (m->registered) {
		m->registered = false;
		user_return_notifier_unregister(urn);
		for (i = 0; i < VMX_NR_USER_MSRS; i++)
			vmx_user_msr_write(m, i, m->host[i]);
	}
	local_irq_restore(flags);
}

static void vmx_user_msrs_learn(struct vmx_user_msrs *m)
{
	int i;

	for (i = 0; i < VMX_NR_USER_MSRS; i++) {
		if (vmx_user_msr_exists(i))
			rdmsrl(user_msr_index[i], m->host[i]);
		m->now[i] = m->host[i];
	}
	m->known = true;
}

/**
 * vmx_user_msrs_load - give this CPU the guest's values
 * @v: the vCPU about to be entered
 *
 * SYSCALL's own are of no use to a guest that has not enabled it: their reads exit.
 * Context: interrupts off.
 */
void vmx_user_msrs_load(struct mhv_vcpu *v)
{
	struct vmx_user_msrs *m = this_cpu_ptr(&user_msrs);
	const u64 *guest = to_vmx(v)->user_msr;
	bool differ = false;
	int i;

	if (unlikely(!m->known))
		vmx_user_msrs_learn(m);
	i = v->efer & EFER_SCE ? VMX_MSR_STAR : VMX_MSR_TSC_AUX;
	for (; i < VMX_NR_USER_MSRS; i++) {
		if (m->now[i] == guest[i] || !vmx_user_msr_exists(i))
			continue;
		vmx_user_msr_write(m, i, guest[i]);
		differ = true;
	}
	if (!differ || m->registered)
		return;
	m->urn.on_user_return = vmx_on_user_return;
	user_return_notifier_register(&m->urn);
	m->registered = true;
}

/**
 * vmx_user_msrs_drop - restore this CPU's own values now
 *
 * Context: interrupts off.  For a CPU that leaves VMX.
 */
void vmx_user_msrs_drop(void)
{
	struct vmx_user_msrs *m = this_cpu_ptr(&user_msrs);

	if (m->registered)
		vmx_on_user_return(&m->urn);
}

static int vmx_find_user_msr(u32 index)
{
	int i;

	for (i = 0; i < VMX_NR_USER_MSRS; i++)
		if (user_msr_index[i] == index && vmx_user_msr_exists(i))
			return i;
	return -1;
}

/* ---- the bitmap ------------------------------------------------------------ */

static void vmx_let_through(struct vmx_vcpu *vmx, u32 index, bool write)
{
	u32 byte = index >= 0xc0000000 ? VMX_MSR_BITMAP_HIGH : 0;

	if (write)
		byte += VMX_MSR_BITMAP_WRITE;
	clear_bit(index & 0x1fff, (unsigned long *)((u8 *)vmx->msr_bitmap + byte));
}

/**
 * vmx_msr_init - the bitmap and the values after reset
 * @v: a vCPU under construction
 *
 * Return: 0.
 */
int vmx_msr_init(struct mhv_vcpu *v)
{
	static const u32 owned[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	struct vmx_vcpu *vmx = to_vmx(v);
	int i;

	memset(vmx->msr_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(owned); i++) {
		vmx_let_through(vmx, owned[i], false);
		vmx_let_through(vmx, owned[i], true);
	}
	vmx_let_through(vmx, MSR_IA32_TSC, false);
	vmx->msr.misc_enable = MSR_IA32_MISC_ENABLE_FAST_STRING |
			       MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			       MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	vmx->msr.ucode_rev = 1ull << 32;
	return 0;
}

/* ---- values the guest may give --------------------------------------------- */

static bool vmx_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

static bool vmx_pat_valid(u64 pat)
{
	/* each byte one of 0, 1, 4, 5, 6, 7 */
	if (pat & 0xf8f8f8f8f8f8f8f8ull)
		return false;
	return !((pat & 0x0202020202020202ull) & ~((pat & 0x0404040404040404ull) >> 1));
}

static bool vmx_memtype_valid(u8 type)
{
	return type == VMX_MEMTYPE_UC || type == VMX_MEMTYPE_WC || type == VMX_MEMTYPE_WT ||
	       type == VMX_MEMTYPE_WP || type == VMX_MEMTYPE_WB;
}

static bool vmx_mtrr_fix_valid(u64 value)
{
	int i;

	for (i = 0; i < 64; i += 8)
		if (!vmx_memtype_valid(value >> i))
			return false;
	return true;
}

static bool vmx_mtrr_var_valid(struct mhv_vcpu *v, u32 index, u64 value)
{
	if (value >> mhv_guest_phys_bits(v))
		return false;
	if (index & 1)			/* mask */
		return !(value & 0x7ff);
	return !(value & 0xf00) && vmx_memtype_valid(value);
}

static bool vmx_mtrr_def_valid(u64 value)
{
	return !(value & ~0xcffull) && vmx_memtype_valid(value);
}

/* The fixed-range MTRRs are not numbered in one run. */
static u64 *vmx_mtrr_fix(struct vmx_vcpu *vmx, u32 index)
{
	switch (index) {
	case MSR_MTRRfix64K_00000:
		return &vmx->msr.mtrr_fix[0];
	case MSR_MTRRfix16K_80000:
	case MSR_MTRRfix16K_A0000:
		return &vmx->msr.mtrr_fix[1 + index - MSR_MTRRfix16K_80000];
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
		return &vmx->msr.mtrr_fix[3 + index - MSR_MTRRfix4K_C0000];
	}
	return NULL;
}

/* ---- one MSR --------------------------------------------------------------- */

static u64 vmx_get_tsc(void)
{
	return rdtsc() + vmcs_read(VMCS_CTRL_TSC_OFFSET);
}

static u64 vmx_get_kernel_gs(struct vmx_vcpu *vmx)
{
	u64 value;

	preempt_disable();
	value = vmx->kernel_gs;
	if (vmx->guest_loaded)
		rdmsrl(MSR_KERNEL_GS_BASE, value);
	preempt_enable();
	return value;
}

static void vmx_set_kernel_gs(struct vmx_vcpu *vmx, u64 value)
{
	preempt_disable();
	vmx->kernel_gs = value;
	if (vmx->guest_loaded)
		wrmsrl(MSR_KERNEL_GS_BASE, value);
	preempt_enable();
}

static void vmx_set_user_msr(struct mhv_vcpu *v, int i, u64 value)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	unsigned long flags;

	local_irq_save(flags);
	vmx->user_msr[i] = value;
	if (vmx->guest_loaded)
		vmx_user_msrs_load(v);
	local_irq_restore(flags);
}

static int vmx_get_stored(struct mhv_vcpu *v, u32 index, u64 *value)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	u64 *fix = vmx_mtrr_fix(vmx, index);

	if (fix) {
		*value = *fix;
		return 0;
	}
	switch (index) {
	case MTRRphysBase_MSR(0) ... MTRRphysMask_MSR(VMX_NR_MTRR_VAR - 1):
		index = array_index_nospec(index - MTRRphysBase_MSR(0), 2 * VMX_NR_MTRR_VAR);
		*value = vmx->msr.mtrr_var[index];
		return 0;
	case MSR_MTRRcap:
		*value = VMX_NR_MTRR_VAR | BIT(8) | BIT(10);	/* fixed ranges, WC */
		return 0;
	case MSR_MTRRdefType:
		*value = vmx->msr.mtrr_def_type;
		return 0;
	case MSR_IA32_MISC_ENABLE:
		*value = vmx->msr.misc_enable;
		return 0;
	case MSR_IA32_UCODE_REV:
		*value = vmx->msr.ucode_rev;
		return 0;
	case MSR_IA32_PLATFORM_ID:
		*value = 0;
		return 0;
	case MSR_IA32_FEAT_CTL:
		*value = FEAT_CTL_LOCKED;
		return 0;
	}
	return -ENXIO;
}

static int vmx_set_stored(struct mhv_vcpu *v, u32 index, u64 value)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	u64 *fix = vmx_mtrr_fix(vmx, index);

	if (fix) {
		if (!vmx_mtrr_fix_valid(value))
			return -EINVAL;
		*fix = value;
		return 0;
	}
	switch (index) {
	case MTRRphysBase_MSR(0) ... MTRRphysMask_MSR(VMX_NR_MTRR_VAR - 1):
		if (!vmx_mtrr_var_valid(v, index, value))
			return -EINVAL;
		index = array_index_nospec(index - MTRRphysBase_MSR(0), 2 * VMX_NR_MTRR_VAR);
		vmx->msr.mtrr_var[index] = value;
		return 0;
	case MSR_MTRRdefType:
		if (!vmx_mtrr_def_valid(value))
			return -EINVAL;
		vmx->msr.mtrr_def_type = value;
		return 0;
	case MSR_IA32_MISC_ENABLE:
		/* the two "unavailable" bits are read-only */
		vmx->msr.misc_enable &= MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
					MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
		vmx->msr.misc_enable |= value & (MSR_IA32_MISC_ENABLE_FAST_STRING |
						 MSR_IA32_MISC_ENABLE_ENHANCED_SPEEDSTEP);
		return 0;
	case MSR_IA32_UCODE_REV:
		return 0;	/* writing 0 asks the CPU to report; nothing is loaded */
	case MSR_MTRRcap:
	case MSR_IA32_PLATFORM_ID:
	case MSR_IA32_FEAT_CTL:
		return -EINVAL;
	}
	return -ENXIO;
}

/**
 * vmx_get_msr - read one of the guest's MSRs
 * @v: a loaded vCPU
 * @msr: index in, value out
 *
 * Return: 0, or -ENXIO when the guest has no such MSR.
 */
int vmx_get_msr(struct mhv_vcpu *v, struct mhv_msr *msr)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	int i = vmx_find_user_msr(msr->index);

	if (i >= 0) {
		msr->value = vmx->user_msr[i];
		return 0;
	}
	switch (msr->index) {
	case MSR_FS_BASE:
		msr->value = vmcs_read(VMCS_GUEST_FS_BASE);
		return 0;
	case MSR_GS_BASE:
		msr->value = vmcs_read(VMCS_GUEST_GS_BASE);
		return 0;
	case MSR_KERNEL_GS_BASE:
		msr->value = vmx_get_kernel_gs(vmx);
		return 0;
	case MSR_IA32_SYSENTER_CS:
		msr->value = vmcs_read(VMCS_GUEST_SYSENTER_CS);
		return 0;
	case MSR_IA32_SYSENTER_ESP:
		msr->value = vmcs_read(VMCS_GUEST_SYSENTER_ESP);
		return 0;
	case MSR_IA32_SYSENTER_EIP:
		msr->value = vmcs_read(VMCS_GUEST_SYSENTER_EIP);
		return 0;
	case MSR_IA32_CR_PAT:
		msr->value = vmcs_read(VMCS_GUEST_PAT);
		return 0;
	case MSR_EFER:
		msr->value = v->efer;
		return 0;
	case MSR_IA32_TSC:
		msr->value = vmx_get_tsc();
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		msr->value = vmcs_read(VMCS_GUEST_DEBUGCTL);
		return 0;
	}
	return vmx_get_stored(v, msr->index, &msr->value);
}

static int vmx_set_efer_msr(struct mhv_vcpu *v, u64 value)
{
	bool paging = vmx_cr0(v) & X86_CR0_PG;

	value &= ~(u64)EFER_LMA;	/* the CPU's own, not written */
	if (!vmx_efer_valid(v, value))
		return -EINVAL;
	if (paging && ((value ^ v->efer) & EFER_LME))
		return -EINVAL;
	vmx_write_efer(v, value | (v->efer & EFER_LMA));
	return 0;
}

static int vmx_set_address(u32 field, u64 value)
{
	if (!vmx_canonical(value))
		return -EINVAL;
	vmcs_write(field, value);
	return 0;
}

/**
 * vmx_set_msr - write one of the guest's MSRs
 * @v: a loaded vCPU
 * @msr: index and value
 *
 * Return: 0, -ENXIO when the guest has no such MSR, -EINVAL when it refuses the value.
 */
int vmx_set_msr(struct mhv_vcpu *v, const struct mhv_msr *msr)
{
	u64 value = msr->value;
	int i = vmx_find_user_msr(msr->index);

	if (i >= 0) {
		if ((i == VMX_MSR_LSTAR || i == VMX_MSR_CSTAR) && !vmx_canonical(value))
			return -EINVAL;
		if ((i == VMX_MSR_SYSCALL_MASK || i == VMX_MSR_TSC_AUX) && value >> 32)
			return -EINVAL;
		vmx_set_user_msr(v, array_index_nospec(i, VMX_NR_USER_MSRS), value);
		return 0;
	}
	switch (msr->index) {
	case MSR_FS_BASE:
		return vmx_set_address(VMCS_GUEST_FS_BASE, value);
	case MSR_GS_BASE:
		return vmx_set_address(VMCS_GUEST_GS_BASE, value);
	case MSR_IA32_SYSENTER_ESP:
		return vmx_set_address(VMCS_GUEST_SYSENTER_ESP, value);
	case MSR_IA32_SYSENTER_EIP:
		return vmx_set_address(VMCS_GUEST_SYSENTER_EIP, value);
	case MSR_IA32_SYSENTER_CS:
		vmcs_write(VMCS_GUEST_SYSENTER_CS, (u32)value);
		return 0;
	case MSR_KERNEL_GS_BASE:
		if (!vmx_canonical(value))
			return -EINVAL;
		vmx_set_kernel_gs(to_vmx(v), value);
		return 0;
	case MSR_IA32_CR_PAT:
		if (!vmx_pat_valid(value))
			return -EINVAL;
		vmcs_write(VMCS_GUEST_PAT, value);
		return 0;
	case MSR_EFER:
		return vmx_set_efer_msr(v, value);
	case MSR_IA32_TSC:
		vmcs_write(VMCS_CTRL_TSC_OFFSET, value - rdtsc());
		return 0;
	case MSR_IA32_DEBUGCTLMSR:
		if (value & ~(u64)DEBUGCTLMSR_BTF)
			return -EINVAL;
		vmcs_write(VMCS_GUEST_DEBUGCTL, value);
		return 0;
	}
	return vmx_set_stored(v, msr->index, value);
}

/* ---- RDMSR and WRMSR by the guest ------------------------------------------ */

static void vmx_msr_refused(struct mhv_vcpu *v, int error)
{
	if (error == -ENXIO)
		mhv_count(v, MHV_STAT_MSR_UNKNOWN);
	mhv_queue_gp(v);
}

enum mhv_next vmx_exit_rdmsr(struct mhv_vcpu *v)
{
	struct mhv_msr msr = { .index = v->gpr[MHV_RCX] };
	int error = vmx_get_msr(v, &msr);

	if (error) {
		vmx_msr_refused(v, error);
		return MHV_NEXT_RESUME;
	}
	v->gpr[MHV_RAX] = (u32)msr.value;
	v->gpr[MHV_RDX] = msr.value >> 32;
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}

enum mhv_next vmx_exit_wrmsr(struct mhv_vcpu *v)
{
	struct mhv_msr msr = {
		.index = v->gpr[MHV_RCX],
		.value = (u32)v->gpr[MHV_RAX] | v->gpr[MHV_RDX] << 32,
	};
	int error = vmx_set_msr(v, &msr);

	if (error)
		vmx_msr_refused(v, error);
	else
		vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}
