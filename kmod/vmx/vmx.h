/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files under vmx/ share. */
#ifndef MHV_VMX_VMX_H
#define MHV_VMX_VMX_H

#include <linux/hw_breakpoint.h>
#include <linux/list.h>
#include <linux/thread_info.h>
#include <linux/types.h>

#include <asm/debugreg.h>
#include <asm/desc_defs.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>

#include "../mhv.h"
#include "check.h"
#include "vmcs.h"
#include "vmcs_ops.h"

/**
 * struct vmx_controls - the controls every VMCS starts with
 *
 * What the CPU requires, what mhv needs and what it likes to have.
 */
struct vmx_controls {
	u32 pin, cpu, cpu2, exit, entry;
};

/* MSRs the kernel needs only when it returns to user space, switched lazily. */
enum vmx_user_msr {
	VMX_MSR_STAR, VMX_MSR_LSTAR, VMX_MSR_CSTAR, VMX_MSR_SYSCALL_MASK, VMX_MSR_TSC_AUX,
	VMX_NR_USER_MSRS,
};

#define VMX_NR_MTRR_VAR		8
#define VMX_NR_MTRR_FIX		11

/* MSRs that are plain storage. */
struct vmx_msr_store {
	u64 misc_enable, ucode_rev, mtrr_def_type;
	u64 mtrr_var[2 * VMX_NR_MTRR_VAR];
	u64 mtrr_fix[VMX_NR_MTRR_FIX];
};

/* How the current entry's event was taken from the vCPU's pending ones. */
enum vmx_injecting {
	VMX_INJ_NONE, VMX_INJ_REINJECT, VMX_INJ_EXCEPTION, VMX_INJ_NMI, VMX_INJ_IRQ,
};

/**
 * struct vmx_vcpu - the VMX part of a vCPU
 * @owner: the vCPU
 * @vmcs: its VMCS
 * @launched: VMLAUNCH succeeded since the last VMCLEAR
 * @loaded_link: in the list of VMCSs active on @v->cpu
 * @vpid: TLB tag, 0 none
 * @msr_bitmap: pages the VMCS points to
 * @vapic: likewise
 * @unique: no two vCPUs ever share it
 * @host_rsp: value of VMCS_HOST_RSP
 * @host_cr3: values of the VMCS's host fields
 * @host_cr4: likewise
 * @host_fs_base: likewise
 * @cpu_ctl: value of VMCS_CTRL_CPU
 * @exception_bitmap: value of VMCS_CTRL_EXCEPTION_BITMAP
 * @cr0_guest: CR0 bits that the guest owns now
 * @cr4_guest: CR4 bits that the guest owns
 * @cr4_valid: those that its CPUID lets it set
 * @cr3_reserved: bits of CR3 that are beyond its physical addresses
 * @failed: the last entry did not run the guest: VM-instruction error
 * @exit_reason: of the last exit
 * @intr_info: of the last exit by exception or NMI
 * @injecting: source of the event in the last entry
 * @host_selectors: values of the VMCS's host FS, GS, DS, ES selectors, packed
 * @host_gdt: the CPU's GDT with its proper limit
 * @plain: what the short way made of the last exit
 * @guest_loaded: the CPU holds the guest's MSRs and null segments
 * @selectors: the task's FS, GS, DS, ES when @guest_loaded, packed likewise
 * @ldt_sel: its LDT likewise
 * @host_kernel_gs: MSR_KERNEL_GS_BASE of host and guest
 * @kernel_gs: likewise
 * @host_debugctl: MSR_IA32_DEBUGCTL of the host, when @guest_loaded
 * @user_msr: guest's values of the lazily switched MSRs
 * @msr: stored MSRs
 */
struct vmx_vcpu {
	struct mhv_vcpu *owner;
	void *vmcs;
	bool launched;
	struct list_head loaded_link;
	u16 vpid;
	u64 *msr_bitmap;
	u8 *vapic;

	u64 unique;
	unsigned long host_rsp;
	unsigned long host_cr3, host_cr4, host_fs_base;
	u32 cpu_ctl;
	u32 exception_bitmap;
	u64 cr0_guest, cr4_guest;
	u64 cr4_valid, cr3_reserved;

	bool failed;
	u32 exit_reason;
	u32 intr_info;
	enum vmx_injecting injecting;

	u64 host_selectors;
	struct desc_ptr host_gdt;
	enum mhv_plain plain;
	bool guest_loaded;
	u16 ldt_sel;
	u64 selectors;
	u64 host_kernel_gs, kernel_gs;
	unsigned long host_debugctl;
	u64 user_msr[VMX_NR_USER_MSRS];
	struct vmx_msr_store msr;
};

static inline struct vmx_vcpu *to_vmx(struct mhv_vcpu *v)
{
	return v->vendor;
}

/* caps.c */
extern struct vmx_check_caps vmx_caps;	/* read once; all CPUs agree */
extern struct vmx_controls vmx_controls;
extern u64 vmx_host_xcr0;
extern bool vmx_tdp;		/* EPT and unrestricted guest can be had */
int vmx_caps_init(void);
void vmx_describe(struct mhv_info *info);

static inline bool vmx_has_cpu2(u32 bit)
{
	return vmx_controls.cpu2 & bit;
}

/* hardware.c */
int vmx_hardware_init(void);
void vmx_hardware_exit(void);
int vmx_enable(void);
void vmx_disable(void);
bool vmx_lost(void);
void vmx_make_current(struct mhv_vcpu *v, int cpu);

DECLARE_PER_CPU(struct mhv_vcpu *, vmx_current_vcpu);

/* Is this vCPU's VMCS the one that this CPU works with?  Preemption off. */
static inline bool vmx_is_current(struct mhv_vcpu *v)
{
	return __this_cpu_read(vmx_current_vcpu) == v;
}

void vmx_clear(struct mhv_vcpu *v);

/* entry.S */
int mhv_vmx_enter(u64 *gpr, bool launched, unsigned long *host_rsp);
void mhv_vmx_exit_point(void);

/* Debug registers as the SDM lays them out; the kernel's names cover only some. */
#define VMX_DR6_FIXED		0xffff0ff0ull
#define VMX_DR6_B		GENMASK_ULL(3, 0)	/* breakpoint 0..3 hit */
#define VMX_DR6_BD		BIT_ULL(13)		/* DR access with GD */
#define VMX_DR6_BS		BIT_ULL(14)		/* single step */
#define VMX_DR6_BT		BIT_ULL(15)		/* task switch */
#define VMX_DR6_CAUSES		(VMX_DR6_B | VMX_DR6_BD | VMX_DR6_BS | VMX_DR6_BT)
#define VMX_DR7_FIXED		0x400ull
#define VMX_DR7_ENABLES		GENMASK_ULL(7, 0)
#define VMX_DR7_GD		BIT_ULL(13)
#define VMX_DR7_VALID		0xffff2bffull

/* state.c */
void vmx_cache_regs(struct mhv_vcpu *v);
void vmx_get_sregs(struct mhv_vcpu *v, struct mhv_sregs *s);
int vmx_set_sregs(struct mhv_vcpu *v, const struct mhv_sregs *s);
void vmx_get_segment(struct mhv_vcpu *v, int seg, struct mhv_segment *s);
void vmx_get_paging(struct mhv_vcpu *v, struct mhv_paging_state *p);
void vmx_write_cr3(struct mhv_vcpu *v, u64 cr3);
void vmx_load_pdptes(struct mhv_vcpu *v, const u64 pdpte[4]);
void vmx_skip(struct mhv_vcpu *v, u32 insn_len);
void vmx_retire(struct mhv_vcpu *v);
void vmx_get_code(struct mhv_vcpu *v, struct mhv_code *code);
bool vmx_real_mode(struct mhv_vcpu *v);
unsigned int vmx_cpl(void);

/* CR3 as the guest sees it. */
static inline u64 vmx_cr3(struct mhv_vcpu *v)
{
	return v->vm->shadow ? v->cr3 : vmcs_read(VMCS_GUEST_CR3);
}

static inline u64 vmx_rflags(struct mhv_vcpu *v)
{
	if (!(v->cached & MHV_REG_ALL))
		vmx_cache_regs(v);
	return v->rflags;
}

/* CR4 bits that the MMU must hear of with shadow paging. */
#define VMX_CR4_PAGING	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP | \
			 X86_CR4_SMAP | X86_CR4_PCIDE)

/* cr.c */
u64 vmx_cr0(struct mhv_vcpu *v);
u64 vmx_cr4(struct mhv_vcpu *v);
bool vmx_cr0_valid(u64 cr0);
bool vmx_cr4_valid(struct mhv_vcpu *v, u64 cr4);
bool vmx_efer_valid(struct mhv_vcpu *v, u64 efer);
void vmx_write_cr0(struct mhv_vcpu *v, u64 cr0);
void vmx_write_cr4(struct mhv_vcpu *v, u64 cr4);
void vmx_write_efer(struct mhv_vcpu *v, u64 efer);
void vmx_set_root(struct mhv_vcpu *v, u64 root);
bool vmx_runnable(struct mhv_vcpu *v);
bool vmx_xcr0_valid(u64 xcr0);
enum mhv_next vmx_exit_cr(struct mhv_vcpu *v);
bool vmx_plain_cr(struct mhv_vcpu *v);
enum mhv_next vmx_exit_dr(struct mhv_vcpu *v);
enum mhv_next vmx_exit_xsetbv(struct mhv_vcpu *v);
u64 vmx_cr8(struct mhv_vcpu *v);
void vmx_write_cr8(struct mhv_vcpu *v, u64 cr8);

/* event.c */
void vmx_inject(struct mhv_vcpu *v);
void vmx_injected(struct mhv_vcpu *v);
bool vmx_plain_inject(struct mhv_vcpu *v, u64 gva, u32 error);
void vmx_requeue_vectoring(struct mhv_vcpu *v);
bool vmx_irq_allowed(struct mhv_vcpu *v);
bool vmx_nmi_allowed(void);
void vmx_get_events(struct mhv_vcpu *v, struct mhv_vcpu_events *e);
void vmx_set_events(struct mhv_vcpu *v, const struct mhv_vcpu_events *e);
enum mhv_next vmx_exit_exception(struct mhv_vcpu *v);
enum mhv_next vmx_exit_irq_window(struct mhv_vcpu *v);
enum mhv_next vmx_exit_nmi_window(struct mhv_vcpu *v);
void vmx_host_event(struct vmx_vcpu *vmx);
void vmx_set_exception_bitmap(struct vmx_vcpu *vmx, u32 bitmap);
void vmx_set_cpu_ctl(struct vmx_vcpu *vmx, u32 ctl);

/* fpu.c */
void vmx_fpu_get(struct mhv_vcpu *v);
void vmx_fpu_put(struct mhv_vcpu *v);
void vmx_update_fpu_traps(struct mhv_vcpu *v);
void vmx_load_debug(struct mhv_vcpu *v);

/*
 * XCR0 takes no part in the FPU switch: XGETBV does not trap, so the guest's value
 * must be there whenever it runs, and the host's whenever the kernel might save FPU
 * state.  Most guests enable all there is, and nothing has to be done.
 *
 * These are inline, for every entry and exit asks them.
 */
static inline void vmx_xcr0_guest(struct mhv_vcpu *v)
{
	/* another task's FPU use, or the kernel's own, may have displaced it */
	if (v->fpu_loaded && unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	if (unlikely(v->xcr0 != vmx_host_xcr0) && (vmx_host_xcr0))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, v->xcr0);
}

static inline void vmx_xcr0_host(struct mhv_vcpu *v)
{
	if (unlikely(v->xcr0 != vmx_host_xcr0) && (vmx_host_xcr0))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vmx_host_xcr0);
}

/* DR7 lies in the VMCS; the others matter only while it enables a breakpoint. */
static inline void vmx_debug_guest(struct mhv_vcpu *v)
{
	if (unlikely(v->dr7 & VMX_DR7_ENABLES))
		vmx_load_debug(v);
}

/* The exit has reset DR7.  A breakpoint of the host's needs all of it back. */
static inline void vmx_debug_host(struct mhv_vcpu *v)
{
	if (unlikely(v->dr7 & VMX_DR7_ENABLES))
		set_debugreg(VMX_DR6_FIXED, 6);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}

/* Give the VMCS the registers that it holds, where they were changed outside of it. */
static inline void vmx_write_dirty_regs(struct mhv_vcpu *v)
{
	if (v->dirty & MHV_REG_RIP)
		vmcs_write(VMCS_GUEST_RIP, v->rip);
	if (v->dirty & MHV_REG_RSP)
		vmcs_write(VMCS_GUEST_RSP, v->gpr[MHV_RSP]);
	if (v->dirty & MHV_REG_RFLAGS)
		vmcs_write(VMCS_GUEST_RFLAGS, v->rflags);
	v->dirty = 0;
	v->cached = 0;
}

/* msr.c */
int vmx_msr_init(struct mhv_vcpu *v);
int vmx_get_msr(struct mhv_vcpu *v, struct mhv_msr *msr);
int vmx_set_msr(struct mhv_vcpu *v, const struct mhv_msr *msr);
void vmx_user_msrs_load(struct mhv_vcpu *v);
void vmx_user_msrs_drop(void);
enum mhv_next vmx_exit_rdmsr(struct mhv_vcpu *v);
enum mhv_next vmx_exit_wrmsr(struct mhv_vcpu *v);

/* exit.c */
bool vmx_plain_misconfig(struct mhv_vcpu *v);
bool vmx_plain_page_fault(struct mhv_vcpu *v);
bool vmx_plain_paging(struct mhv_vcpu *v, u32 reason);
bool vmx_plain_nothing(struct mhv_vcpu *v);
bool vmx_plain_insn(struct mhv_vcpu *v, u32 reason);
enum mhv_next vmx_handle_exit(struct mhv_vcpu *v);

/* vmx.c */
u64 vmx_eptp(struct mhv_vm *vm);
void vmx_flush_tlb(struct mhv_vcpu *v);
void vmx_flush_gva(struct mhv_vcpu *v, u64 gva);

/* mitigations.c */
int vmx_mitigations_init(void);
void vmx_mitigations_exit(void);
void __vmx_l1d_flush(void);

extern bool vmx_l1d_flush_on;

/* Flush the L1 data cache before this entry, on hosts that want it. */
static inline void vmx_l1d_flush(void)
{
	if (unlikely(vmx_l1d_flush_on))
		__vmx_l1d_flush();
}

#endif /* MHV_VMX_VMX_H */
