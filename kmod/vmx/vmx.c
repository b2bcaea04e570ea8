// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a VMX vCPU: make its VMCS, load it on a CPU, enter the guest.
 *
 * Three layers of "loaded", each left as late as possible:
 *	active	the VMCS is current on a CPU; left only to move to another
 *	guest	the CPU holds the guest's MSRs (vmx_switch_to_guest); left when
 *		another thread or user space runs
 *	entered	between VMRESUME and the exit, interrupts off
 */
#include <linux/bitmap.h>
#include <linux/context_tracking.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/vtime.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/hardirq.h>
#include <asm/mmu_context.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/tlbflush.h>
#include <asm/tsc.h>

#include "../mmu/shadow.h"
#include "../trace.h"
#include "vmx.h"

/* ---- VPIDs ----------------------------------------------------------------- */

#define VMX_NR_VPIDS	4096

static DECLARE_BITMAP(vpids, VMX_NR_VPIDS);
static DEFINE_SPINLOCK(vpids_lock);

/* 0, the host's own tag, when they have run out: the guest then runs untagged. */
static u16 vmx_vpid_get(void)
{
	unsigned long vpid = 0;

	if (!vmx_has_cpu2(CPU2_VPID))
		return 0;
	spin_lock(&vpids_lock);
	vpid = find_next_zero_bit(vpids, VMX_NR_VPIDS, 1);
	if (vpid < VMX_NR_VPIDS)
		__set_bit(vpid, vpids);
	else
		vpid = 0;
	spin_unlock(&vpids_lock);
	return vpid;
}

static void vmx_vpid_put(u16 vpid)
{
	if (!vpid)
		return;
	spin_lock(&vpids_lock);
	__clear_bit(vpid, vpids);
	spin_unlock(&vpids_lock);
}

/* The last vCPU on each CPU: another one's must not steer our branches. */
static DEFINE_PER_CPU(u64, predicted_vcpu);
static atomic64_t vmx_unique;

/* ---- the VMCS -------------------------------------------------------------- */

#define VMX_STAY_MS	4

/*
 * No stay in the guest is longer, whatever the guest does.  An interrupt of the host ends
 * it before, as a rule; but Bochs holds them back from a guest that was entered with
 * interrupts off, and the host would stall.  Each entry starts the timer anew.
 */
static void vmx_limit_stay(void)
{
	u64 ticks = (u64)tsc_khz * VMX_STAY_MS >> VMX_MISC_TIMER_SHIFT(vmx_caps.misc);

	if (vmx_controls.pin & PIN_PREEMPTION_TIMER)
		vmcs_write(VMCS_GUEST_PREEMPTION_TIMER, clamp_t(u64, ticks, 1, U32_MAX));
}

static void vmx_write_controls(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	struct mhv_shadow *shadow = v->vm->shadow;
	u32 cpu2 = vmx_controls.cpu2;

	if (!vmx->vpid)
		cpu2 &= ~CPU2_VPID;
	vmcs_write(VMCS_CTRL_PIN, vmx_controls.pin);
	vmx_limit_stay();
	vmx->cpu_ctl = vmx_controls.cpu;
	if (shadow) {
		cpu2 &= ~(CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_INVPCID);
		vmx->cpu_ctl |= CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING | CPU_INVLPG_EXITING;
	}
	vmcs_write(VMCS_CTRL_CPU, vmx->cpu_ctl);
	vmcs_write(VMCS_CTRL_CPU2, cpu2);
	vmcs_write(VMCS_CTRL_EXIT, vmx_controls.exit);
	vmcs_write(VMCS_CTRL_ENTRY, vmx_controls.entry);

	vmcs_write(VMCS_CTRL_MSR_BITMAP, __pa(vmx->msr_bitmap));
	vmcs_write(VMCS_CTRL_VIRTUAL_APIC_ADDR, __pa(vmx->vapic));
	vmcs_write(VMCS_CTRL_TPR_THRESHOLD, 0);
	if (!shadow)
		vmcs_write(VMCS_CTRL_EPTP, vmx_eptp(v->vm));
	if (vmx->vpid)
		vmcs_write(VMCS_CTRL_VPID, vmx->vpid);
	/* guest-not-present entries: only faults on present ones exit */
	vmcs_write(VMCS_CTRL_PF_ERROR_MASK, shadow && shadow->gnp ? PFERR_P : 0);
	vmcs_write(VMCS_CTRL_PF_ERROR_MATCH, shadow && shadow->gnp ? PFERR_P : 0);
	vmcs_write(VMCS_CTRL_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_CTRL_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_CTRL_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_CTRL_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_CTRL_ENTRY_INTR_INFO, 0);
	vmcs_write(VMCS_CTRL_TSC_OFFSET, -v->vm->tsc_start);
	vmcs_write(VMCS_GUEST_LINK_POINTER, ~0ull);
}

/**
 * vmx_eptp - the EPT pointer of a VM
 * @vm: the VM
 */
u64 vmx_eptp(struct mhv_vm *vm)
{
	return __pa(vm->tdp) | VMX_MEMTYPE_WB | EPTP_WALK_4 |
	       (mhv_spte.accessed ? EPTP_AD : 0);
}

/* What the guest may set and owns of CR4, and how wide CR3 is, depends on its CPUID. */
static void vmx_set_cpuid(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	u64 cr4 = vmx_cr4(v);

	vmx->cr4_valid = mhv_guest_cr4_mask(v);
	vmx->cr3_reserved = ~0ull << mhv_guest_phys_bits(v);
	vmx->cr4_guest = vmx->cr4_valid & ~(X86_CR4_PAE | X86_CR4_VMXE);
	if (v->vm->shadow)
		vmx->cr4_guest &= ~(u64)VMX_CR4_PAGING;
	vmcs_write(VMCS_CTRL_CR4_MASK, ~vmx->cr4_guest);
	vmx_write_cr4(v, cr4 & vmx->cr4_valid);
}

/* Host state that is the same on every CPU and for every task. */
static void vmx_write_host_constants(struct vmx_vcpu *vmx)
{
	struct desc_ptr idt;
	u64 value;

	vmcs_write(VMCS_HOST_CR0, read_cr0());
	/* CR3 and CR4 differ from no value yet written: vmx_refresh_host() */

	vmcs_write(VMCS_HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write(VMCS_HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write(VMCS_HOST_DS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_ES_SELECTOR, 0);
	vmcs_write(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_GS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	vmx->host_fs_base = 0;

	store_idt(&idt);
	vmcs_write(VMCS_HOST_IDTR_BASE, idt.address);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmcs_write(VMCS_HOST_SYSENTER_CS, (u32)value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, value);
	rdmsrl(MSR_EFER, value);
	vmcs_write(VMCS_HOST_EFER, value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	vmcs_write(VMCS_HOST_PAT, value);
	vmcs_write(VMCS_HOST_RIP, (unsigned long)mhv_vmx_exit_point);
}

static unsigned long vmx_host_tss(struct desc_ptr *gdt)
{
	struct ldttss_desc *tss = (void *)gdt->address + GDT_ENTRY_TSS * 8;

	return tss->base0 | (unsigned long)tss->base1 << 16 |
	       (unsigned long)tss->base2 << 24 | (unsigned long)tss->base3 << 32;
}

/* Host state that belongs to the CPU.  The VMCS has just become current there. */
static void vmx_write_host_cpu(struct vmx_vcpu *vmx)
{
	u64 value;

	native_store_gdt(&vmx->host_gdt);
	vmx->host_gdt.size = GDT_SIZE - 1;
	vmcs_write(VMCS_HOST_GDTR_BASE, vmx->host_gdt.address);
	vmcs_write(VMCS_HOST_TR_BASE, vmx_host_tss(&vmx->host_gdt));
	rdmsrl(MSR_GS_BASE, value);
	vmcs_write(VMCS_HOST_GS_BASE, value);
	rdmsrl(MSR_IA32_SYSENTER_ESP, value);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, value);
}

/* The state of a CPU after reset: real mode at ffff:fff0. */
static void vmx_reset_guest(struct mhv_vcpu *v)
{
	struct mhv_segment data = { .limit = 0xffff, .type = 3, .s = 1, .present = 1 };
	struct mhv_segment code = data;
	struct mhv_sregs s = {};

	code.selector = 0xf000;
	code.base = 0xffff0000;
	code.type = 0xb;
	s.cs = code;
	s.ds = data;
	s.es = data;
	s.fs = data;
	s.gs = data;
	s.ss = data;
	s.tr = (struct mhv_segment){ .limit = 0xffff, .type = 0xb, .present = 1 };
	s.ldt = (struct mhv_segment){ .limit = 0xffff, .type = 2, .present = 1 };
	s.gdt.limit = 0xffff;
	s.idt.limit = 0xffff;
	s.cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
	s.xcr0 = 1;
	s.dr6 = VMX_DR6_FIXED;
	s.dr7 = VMX_DR7_FIXED;
	if (vmx_set_sregs(v, &s))
		WARN_ON_ONCE(1);

	v->gpr[MHV_RDX] = 0x600;
	v->rip = 0xfff0;
	v->rflags = X86_EFLAGS_FIXED;
	v->cached = MHV_REG_ALL;
	v->dirty = MHV_REG_ALL;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_GUEST_PAT, 0x0007040600070406ull);
}

static void vmx_setup_vmcs(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	mhv_vcpu_load(v);
	vmx_write_controls(v);
	vmx_write_host_constants(vmx);
	vmx_set_cpuid(v);
	vmx_update_fpu_traps(v);
	vmx_reset_guest(v);
	mhv_vcpu_put(v);
}

static void vmx_vcpu_free(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (!vmx)
		return;
	vmx_clear(v);
	vmx_vpid_put(vmx->vpid);
	free_page((unsigned long)vmx->vapic);
	free_page((unsigned long)vmx->msr_bitmap);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx);
	v->vendor = NULL;
}

static int vmx_vcpu_create(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!vmx)
		return -ENOMEM;
	v->vendor = vmx;
	vmx->owner = v;
	INIT_LIST_HEAD(&vmx->loaded_link);
	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vmx->msr_bitmap = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vmx->vapic = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!vmx->vmcs || !vmx->msr_bitmap || !vmx->vapic)
		goto err;
	vmx->vpid = vmx_vpid_get();
	vmx->unique = atomic64_inc_return(&vmx_unique);
	*(u32 *)vmx->vmcs = VMX_BASIC_REVISION(vmx_caps.basic);

	ret = vmx_msr_init(v);
	if (ret)
		goto err;
	vmx_setup_vmcs(v);
	return 0;
err:
	vmx_vcpu_free(v);
	return ret;
}

/* ---- on a CPU -------------------------------------------------------------- */

static void vmx_load(struct mhv_vcpu *v, int cpu)
{
	bool moved = v->cpu != cpu;

	/* nobody else was here since: the usual case on the way back from user space */
	if (likely(vmx_is_current(v)))
		return;
	vmx_make_current(v, cpu);
	if (vmx_lost())
		return;
	if (this_cpu_read(predicted_vcpu) != to_vmx(v)->unique) {
		indirect_branch_prediction_barrier();
		this_cpu_write(predicted_vcpu, to_vmx(v)->unique);
	}
	if (!moved)
		return;
	mhv_count(v, MHV_STAT_VMCS_LOAD);
	/* not half-way: VMX may be switched off by interrupt */
	local_irq_disable();
	if (!vmx_lost())
		vmx_write_host_cpu(to_vmx(v));
	local_irq_enable();
	/* what this CPU's TLB holds of us may be from long ago */
	set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
}

static void vmx_write_kernel_gs(u64 value)
{
	__wrmsr(MSR_KERNEL_GS_BASE, value, value >> 32);
}

/* The four data segments, packed: 16 bits each. */
#define VMX_FS(s)	((u16)(s))
#define VMX_GS(s)	((u16)((s) >> 16))
#define VMX_DS(s)	((u16)((s) >> 32))
#define VMX_ES(s)	((u16)((s) >> 48))
#define VMX_SELECTORS_LOADED	0x0007000700070007ull	/* RPL and TI of each */

static u64 vmx_host_selector(u16 sel)
{
	/* a host selector field must have RPL and TI clear */
	return sel & 7 ? 0 : sel;
}

static noinline void vmx_write_host_selectors(struct vmx_vcpu *vmx, u64 s)
{
	u64 now = vmx_host_selector(VMX_FS(s)) | vmx_host_selector(VMX_GS(s)) << 16 |
		  vmx_host_selector(VMX_DS(s)) << 32 | vmx_host_selector(VMX_ES(s)) << 48;

	if (now == vmx->host_selectors)
		return;
	vmx->host_selectors = now;
	vmcs_write(VMCS_HOST_FS_SELECTOR, VMX_FS(now));
	vmcs_write(VMCS_HOST_GS_SELECTOR, VMX_GS(now));
	vmcs_write(VMCS_HOST_DS_SELECTOR, VMX_DS(now));
	vmcs_write(VMCS_HOST_ES_SELECTOR, VMX_ES(now));
}

/* The task's data segments; nearly always null, and the fields then hold that. */
static void vmx_save_segments(struct vmx_vcpu *vmx)
{
	unsigned long fs, gs, ds, es;
	u64 now;

	savesegment(fs, fs);
	savesegment(gs, gs);
	savesegment(ds, ds);
	savesegment(es, es);
	store_ldt(vmx->ldt_sel);
	now = fs | gs << 16 | ds << 32 | es << 48;
	if (likely(now == vmx->selectors))
		return;
	vmx->selectors = now;
	vmx_write_host_selectors(vmx, now);
}

static noinline void vmx_restore_selectors(struct vmx_vcpu *vmx)
{
	u64 s = vmx->selectors;

	if (VMX_DS(s) & 7)
		loadsegment(ds, VMX_DS(s));
	if (VMX_ES(s) & 7)
		loadsegment(es, VMX_ES(s));
	if (VMX_FS(s) & 7) {
		loadsegment(fs, VMX_FS(s));
		wrmsrl(MSR_FS_BASE, vmx->host_fs_base);
	}
	if (VMX_GS(s) & 7) {
		load_gs_index(VMX_GS(s));
		vmx_write_kernel_gs(vmx->host_kernel_gs);
	}
}

static void vmx_restore_segments(struct vmx_vcpu *vmx)
{
	if (unlikely(vmx->selectors & VMX_SELECTORS_LOADED))
		vmx_restore_selectors(vmx);
	if (unlikely(vmx->ldt_sel))
		asm volatile("lldt %0" : : "m" (vmx->ldt_sel));
}

/*
 * Give the CPU the guest's values of what the kernel itself does not use, and note
 * the task's.  Interrupts off.
 */
static void vmx_switch_to_guest(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	unsigned long fs_base;

	vmx_save_segments(vmx);
	fs_base = __rdmsr(MSR_FS_BASE);
	if (fs_base != vmx->host_fs_base) {
		vmcs_write(VMCS_HOST_FS_BASE, fs_base);
		vmx->host_fs_base = fs_base;
	}
	vmx->host_kernel_gs = __rdmsr(MSR_KERNEL_GS_BASE);
	if (vmx->kernel_gs != vmx->host_kernel_gs)
		vmx_write_kernel_gs(vmx->kernel_gs);
	vmx->host_debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	vmx_user_msrs_load(v);
	vmx->guest_loaded = true;
}

/* The opposite.  Preemption off. */
static void vmx_switch_to_host(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (!vmx->guest_loaded)
		return;
	vmx->kernel_gs = __rdmsr(MSR_KERNEL_GS_BASE);
	if (vmx->kernel_gs != vmx->host_kernel_gs)
		vmx_write_kernel_gs(vmx->host_kernel_gs);
	vmx_restore_segments(vmx);
	/* an exit leaves the limits of TSS and GDT at their largest */
	invalidate_tss_limit();
	native_load_gdt(&vmx->host_gdt);
	vmx->guest_loaded = false;
}

static void vmx_put(struct mhv_vcpu *v)
{
	vmx_switch_to_host(v);
}

/* ---- entry ----------------------------------------------------------------- */

/**
 * vmx_flush_tlb - drop all of a vCPU's TLB entries
 * @v: a loaded vCPU
 *
 * Context: interrupts off.
 */
void vmx_flush_tlb(struct mhv_vcpu *v)
{
	mhv_count(v, MHV_STAT_TLB_FLUSH);
	if (v->vm->shadow)
		WRITE_ONCE(v->shadow.tlb_seen, READ_ONCE(v->vm->shadow->tlb_seq));
	else
		vmx_invept(INVEPT_TYPE_SINGLE, vmx_eptp(v->vm));
	if (to_vmx(v)->vpid)
		vmx_invvpid(INVVPID_TYPE_SINGLE, to_vmx(v)->vpid, 0);
}

/**
 * vmx_flush_gva - drop one address from a vCPU's TLB entries; shadow paging
 * @v: a loaded vCPU
 * @gva: linear address
 *
 * Without a VPID the entry flushes.  An address that is not canonical has no entries, and
 * INVVPID would fail.
 */
void vmx_flush_gva(struct mhv_vcpu *v, u64 gva)
{
	u16 vpid = to_vmx(v)->vpid;

	if ((s64)gva << 16 >> 16 != (s64)gva)
		return;
	if (vpid && (vmx_caps.ept_vpid & VPID_CAP_INVVPID_ADDRESS))
		vmx_invvpid(INVVPID_TYPE_ADDRESS, vpid, gva);
	else if (vpid)
		vmx_invvpid(INVVPID_TYPE_SINGLE, vpid, 0);
}

static void vmx_refresh_host(struct vmx_vcpu *vmx)
{
	unsigned long cr3 = __get_current_cr3_fast();
	unsigned long cr4 = cr4_read_shadow();

	if (unlikely(cr3 != vmx->host_cr3)) {
		vmcs_write(VMCS_HOST_CR3, cr3);
		vmx->host_cr3 = cr3;
	}
	if (unlikely(cr4 != vmx->host_cr4)) {
		vmcs_write(VMCS_HOST_CR4, cr4);
		vmx->host_cr4 = cr4;
	}
}

/*
 * From here to the exit nothing may be traced or use RCU: with context tracking
 * on, RCU takes the guest for user space.  Without it, the interrupt that ends a
 * long stay in the guest is taken with preemption enabled, which is a quiescent
 * state as well.
 */
static noinstr void vmx_enter_guest(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	context_tracking_guest_enter();
	if (native_read_cr2() != v->cr2)
		native_write_cr2(v->cr2);
	vmx->failed = mhv_vmx_enter(v->gpr, vmx->launched, &vmx->host_rsp);
	v->cr2 = native_read_cr2();
	context_tracking_guest_exit();
}

/* Ticks from an MMIO exit to this entry, the time in user space included. */
static void vmx_measure_entry(struct mhv_vcpu *v)
{
	u16 reason = to_vmx(v)->exit_reason;

	if (reason == XR_EPT_MISCONFIG || reason == XR_EPT_VIOLATION ||
	    (reason == XR_EXCEPTION_NMI && v->vm->shadow))
		v->stat[MHV_STAT_MMIO_TICKS_LAST] = rdtsc() - v->exited;
}

/* What every entry needs that something may have changed since the last. */
static void vmx_before_entry(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (!vmx->guest_loaded)
		vmx_switch_to_guest(v);
	trace_mhv_entry(v);
	if (test_bit(MHV_REQ_TLB_FLUSH, &v->requests) &&
	    test_and_clear_bit(MHV_REQ_TLB_FLUSH, &v->requests)) {
		trace_mhv_flush(v->id, MHV_FLUSH_VCPU, 0);
		vmx_flush_tlb(v);
	}
	vmx_write_dirty_regs(v);
	vmx_refresh_host(vmx);
	vmx_debug_guest(v);
	vmx_xcr0_guest(v);
	vtime_account_guest_enter();
}

/* The opposite, and what an exit owes the host at once. */
static void vmx_after_exit(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	vmx_xcr0_host(v);
	vmx_debug_host(v);
	if (unlikely(vmx->host_debugctl))
		update_debugctlmsr(vmx->host_debugctl);
	if (unlikely(vmx->exit_reason == XR_EXCEPTION_NMI || vmx->failed ||
		     (vmx->exit_reason & XR_ENTRY_FAILURE)))
		vmx_host_event(vmx);
	vtime_account_guest_exit();
}

/* Deal with the exit at once, if it is one for the short way. */
static __always_inline bool vmx_exit_plain(struct mhv_vcpu *v, u32 reason)
{
	if (likely(reason == XR_EPT_MISCONFIG))
		return vmx_plain_misconfig(v);
	if (reason == XR_CPUID || reason == XR_RDMSR || reason == XR_WRMSR)
		return vmx_plain_insn(v, reason);
	if (!v->vm->shadow)
		return false;
	if (reason == XR_EXCEPTION_NMI)
		return vmx_plain_page_fault(v);
	return (reason == XR_CR_ACCESS || reason == XR_INVLPG) && vmx_plain_paging(v, reason);
}

/* One stay in the guest.  True when the exit has been dealt with, for another one. */
static __always_inline bool vmx_enter_once(struct mhv_vcpu *v, struct vmx_vcpu *vmx,
					   bool measured)
{
	u64 entered = 0;
	u32 reason;

	if (measured)
		vmx_measure_entry(v);
	vmx_l1d_flush();
	if (measured)
		entered = rdtsc();
	vmx_enter_guest(v);
	if (measured) {
		v->exited = rdtsc();
		v->stat[MHV_STAT_GUEST_TICKS] += v->exited - entered;
	}
	vmx->plain = MHV_PLAIN_NO;
	if (unlikely(vmx->failed))
		return false;
	reason = vmcs_read(VMCS_EXIT_REASON);
	vmx->exit_reason = reason;
	/* an entry that fails on guest state does not launch */
	if (unlikely(!vmx->launched))
		vmx->launched = !(reason & XR_ENTRY_FAILURE);
	if (measured && reason == XR_VMCALL)
		return vmx_plain_nothing(v);
	return vmx_exit_plain(v, reason);
}

static void vmx_enter(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	vmx_before_entry(v);
	if (unlikely(mhv_measured(v->vm)))
		while (vmx_enter_once(v, vmx, true))
			;
	else
		while (vmx_enter_once(v, vmx, false))
			;
	vmx_after_exit(v);
}

static const struct mhv_ops vmx_ops = {
	.name		= "vmx",
	.describe	= vmx_describe,
	.enable		= vmx_enable,
	.disable	= vmx_disable,
	.lost		= vmx_lost,
	.vcpu_create	= vmx_vcpu_create,
	.vcpu_free	= vmx_vcpu_free,
	.load		= vmx_load,
	.put		= vmx_put,
	.unload		= vmx_clear,
	.inject		= vmx_inject,
	.enter		= vmx_enter,
	.handle_exit	= vmx_handle_exit,
	.cache_regs	= vmx_cache_regs,
	.set_root	= vmx_set_root,
	.flush_gva	= vmx_flush_gva,
	.runnable	= vmx_runnable,
	.get_sregs	= vmx_get_sregs,
	.set_sregs	= vmx_set_sregs,
	.get_msr	= vmx_get_msr,
	.set_msr	= vmx_set_msr,
	.set_cpuid	= vmx_set_cpuid,
	.get_events	= vmx_get_events,
	.set_events	= vmx_set_events,
	.irq_allowed	= vmx_irq_allowed,
	.get_segment	= vmx_get_segment,
	.get_paging	= vmx_get_paging,
	.skip		= vmx_skip,
	.get_code	= vmx_get_code,
	.real_mode	= vmx_real_mode,
	.retire		= vmx_retire,
	.fpu_put	= vmx_fpu_put,
};

/**
 * mhv_vmx_init - take VMX into use
 *
 * A host that cannot have VMs is no error: user space can ask why.
 * Context: module init.
 * Return: 0 or an errno.
 */
int __init mhv_vmx_init(void)
{
	struct mhv_info info = {};
	int ret;

	ret = mhv_ops_init(&vmx_ops);
	if (ret)
		return ret;
	if (vmx_caps_init()) {
		vmx_describe(&info);
		pr_notice("mhv: no VMs on this host: %s\n", info.detail);
	}
	ret = vmx_mitigations_init();
	if (ret)
		return ret;
	ret = vmx_hardware_init();
	if (ret)
		vmx_mitigations_exit();
	return ret;
}

/**
 * mhv_vmx_exit - undo mhv_vmx_init()
 */
void mhv_vmx_exit(void)
{
	vmx_hardware_exit();
	vmx_mitigations_exit();
}
