// SPDX-License-Identifier: GPL-2.0-only
/*
 * FPU, XCR0 and debug registers of the guest.
 *
 * The FPU is switched when the guest first uses it after MHV_RUN began: until then
 * CR0.TS is set behind the guest's back and #NM exits.  While the guest's state is
 * loaded it is simply the FPU state of the task that runs the vCPU, so that the
 * scheduler and the kernel's own FPU users save and restore it as they do any
 * other; it is put back before MHV_RUN returns.
 */
#include <linux/hw_breakpoint.h>
#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "vmx.h"

#define CR0_GUEST	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_ET | X86_CR0_WP | \
			 X86_CR0_AM)

/**
 * vmx_update_fpu_traps - let CR0.TS and #NM follow v->fpu_loaded
 * @v: a loaded vCPU
 */
void vmx_update_fpu_traps(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	u64 cr0 = vmx_cr0(v);

	vmx->cr0_guest = CR0_GUEST | (v->fpu_loaded ? X86_CR0_TS : 0);
	if (v->vm->shadow)
		vmx->cr0_guest &= ~(u64)(X86_CR0_PE | X86_CR0_WP);
	vmcs_write(VMCS_CTRL_CR0_MASK, ~vmx->cr0_guest);
	vmx_write_cr0(v, cr0);
	vmx_set_exception_bitmap(vmx, v->fpu_loaded ? 0 : BIT(X86_TRAP_NM));
}

/**
 * vmx_fpu_get - make the guest's FPU state that of this task
 * @v: a loaded vCPU
 */
void vmx_fpu_get(struct mhv_vcpu *v)
{
	mhv_count(v, MHV_STAT_FPU_LOAD);
	fpu_swap_kvm_fpstate(&v->fpu, true);
	v->fpu_loaded = true;
	vmx_update_fpu_traps(v);
}

/**
 * vmx_fpu_put - give the task its own FPU state back
 * @v: a loaded vCPU
 */
void vmx_fpu_put(struct mhv_vcpu *v)
{
	if (!v->fpu_loaded)
		return;
	fpu_swap_kvm_fpstate(&v->fpu, false);
	v->fpu_loaded = false;
	vmx_update_fpu_traps(v);
}

/*
 * XCR0 takes no part in the FPU switch: XGETBV does not trap, so the guest's value
 * must be there whenever it runs, and the host's whenever the kernel might save FPU
 * state.  Most guests enable all there is, and nothing has to be done.
 */
void vmx_xcr0_guest(struct mhv_vcpu *v)
{
	/* another task's FPU use, or the kernel's own, may have displaced it */
	if (v->fpu_loaded && unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
	if (unlikely(v->xcr0 != vmx_host_xcr0) && (vmx_host_xcr0))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, v->xcr0);
}

void vmx_xcr0_host(struct mhv_vcpu *v)
{
	if (unlikely(v->xcr0 != vmx_host_xcr0) && (vmx_host_xcr0))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vmx_host_xcr0);
}

/* ---- debug registers ------------------------------------------------------- */

/* DR7 lies in the VMCS; the others matter only while it enables a breakpoint. */
void vmx_debug_guest(struct mhv_vcpu *v)
{
	if (likely(!(v->dr7 & VMX_DR7_ENABLES)))
		return;
	set_debugreg(v->dr[0], 0);
	set_debugreg(v->dr[1], 1);
	set_debugreg(v->dr[2], 2);
	set_debugreg(v->dr[3], 3);
	set_debugreg(VMX_DR6_FIXED, 6);
}

/* The exit has reset DR7.  A breakpoint of the host's needs all of it back. */
void vmx_debug_host(struct mhv_vcpu *v)
{
	if (unlikely(v->dr7 & VMX_DR7_ENABLES))
		set_debugreg(VMX_DR6_FIXED, 6);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}
