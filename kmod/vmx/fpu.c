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
#include <linux/percpu.h>
#include <linux/thread_info.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
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

/* ---- debug registers ------------------------------------------------------- */

/**
 * vmx_load_debug - give the CPU the guest's breakpoints; see vmx_debug_guest()
 * @v: the vCPU about to be entered
 */
void vmx_load_debug(struct mhv_vcpu *v)
{
	set_debugreg(v->dr[0], 0);
	set_debugreg(v->dr[1], 1);
	set_debugreg(v->dr[2], 2);
	set_debugreg(v->dr[3], 3);
	set_debugreg(VMX_DR6_FIXED, 6);
}
