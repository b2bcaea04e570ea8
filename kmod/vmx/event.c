// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into the guest: exceptions, NMIs, interrupts.
 *
 * What waits is kept in the vCPU and changes hands once the entry that carried it
 * has happened:
 *
 *	pending in the vCPU --vmx_inject()--> entry field --exit--> delivered
 *	                            ^                         |
 *	                            +----- v->reinject <------+ delivery was cut short
 *
 * vmx_inject() may run several times before an entry succeeds, so it only copies;
 * vmx_injected(), after the exit, takes the event off the vCPU.
 */
#include <asm/cpu.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "../mmu/mmu.h"
#include "../trace.h"
#include "vmx.h"

#define VMX_EXCEPTIONS	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

void vmx_set_exception_bitmap(struct vmx_vcpu *vmx, u32 bitmap)
{
	bitmap |= VMX_EXCEPTIONS;
	if (vmx->owner->vm->shadow)
		bitmap |= BIT(X86_TRAP_PF);
	if (bitmap == vmx->exception_bitmap)
		return;
	vmx->exception_bitmap = bitmap;
	vmcs_write(VMCS_CTRL_EXCEPTION_BITMAP, bitmap);
}

void vmx_set_cpu_ctl(struct vmx_vcpu *vmx, u32 ctl)
{
	if (ctl == vmx->cpu_ctl)
		return;
	vmx->cpu_ctl = ctl;
	vmcs_write(VMCS_CTRL_CPU, ctl);
}

/**
 * vmx_irq_allowed - could the guest take an external interrupt now
 * @v: a loaded vCPU
 *
 * Return: IF is set, no shadow holds interrupts, and nothing else is on its way.
 */
bool vmx_irq_allowed(struct mhv_vcpu *v)
{
	if (v->reinject.valid || v->exception.valid || !(vmx_rflags(v) & X86_EFLAGS_IF))
		return false;
	return !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
		 (INTR_STATE_STI | INTR_STATE_MOV_SS));
}

/**
 * vmx_nmi_allowed - could the guest take an NMI now
 *
 * STI does not count: whether it holds NMIs differs among CPUs, and one that does not
 * would exit for the window at once and for ever.
 */
bool vmx_nmi_allowed(void)
{
	return !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & (INTR_STATE_MOV_SS | INTR_STATE_NMI));
}

static void vmx_inject_event(struct mhv_vcpu *v, u32 type, const struct mhv_pending *p)
{
	u32 info = INTR_INFO_VALID | type | p->vector;

	/* real mode pushes no error code */
	if (p->has_error && (vmx_cr0(v) & X86_CR0_PE)) {
		info |= INTR_INFO_ERROR_CODE;
		vmcs_write(VMCS_CTRL_ENTRY_ERROR_CODE, p->error_code);
	}
	if (p->insn_len)
		vmcs_write(VMCS_CTRL_ENTRY_INSN_LEN, p->insn_len);
	vmcs_write(VMCS_CTRL_ENTRY_INTR_INFO, info);
	trace_mhv_inject(v, info, p->error_code);
}

/* Entry does not go with an event and a shadow. */
static void vmx_end_shadow(void)
{
	u32 state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (state & (INTR_STATE_STI | INTR_STATE_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   state & ~(INTR_STATE_STI | INTR_STATE_MOV_SS));
}

/* A fault that is delivered sets RF in the image it saves. */
static void vmx_inject_exception(struct mhv_vcpu *v)
{
	const struct mhv_pending *e = &v->exception;

	if (e->vector != X86_TRAP_DB && e->vector != X86_TRAP_BP && e->vector != X86_TRAP_OF) {
		vmx_cache_regs(v);
		v->rflags |= X86_EFLAGS_RF;
		v->dirty |= MHV_REG_RFLAGS;
	}
	vmx_end_shadow();
	vmx_inject_event(v, INTR_HARD_EXCEPTION, e);
}

static enum vmx_injecting vmx_choose_event(struct mhv_vcpu *v, bool *nmi_waits,
					   bool *irq_waits)
{
	static const struct mhv_pending nmi = { .vector = X86_TRAP_NMI };
	enum vmx_injecting chosen = VMX_INJ_NONE;

	if (v->reinject.valid) {
		vmx_end_shadow();
		vmx_inject_event(v, v->reinject.type << INTR_INFO_TYPE_SHIFT, &v->reinject);
		chosen = VMX_INJ_REINJECT;
	} else if (v->exception.valid) {
		vmx_inject_exception(v);
		chosen = VMX_INJ_EXCEPTION;
	}
	if (v->nmi_pending && !chosen && vmx_nmi_allowed()) {
		vmx_end_shadow();
		vmx_inject_event(v, INTR_NMI, &nmi);
		chosen = VMX_INJ_NMI;
	}
	if (v->irq.valid && !chosen && vmx_irq_allowed(v)) {
		vmx_inject_event(v, INTR_EXT, &v->irq);
		chosen = VMX_INJ_IRQ;
	}
	*nmi_waits = v->nmi_pending && chosen != VMX_INJ_NMI;
	*irq_waits = v->irq.valid && chosen != VMX_INJ_IRQ;
	return chosen;
}

#define VMX_WINDOWS	(CPU_INTR_WINDOW_EXITING | CPU_NMI_WINDOW_EXITING)

static noinline void vmx_inject_pending(struct mhv_vcpu *v, bool pending)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	bool nmi_waits = false, irq_waits = false;
	enum vmx_injecting was = vmx->injecting;
	u32 ctl = vmx->cpu_ctl & ~VMX_WINDOWS;

	vmx->injecting = VMX_INJ_NONE;
	if (pending)
		vmx->injecting = vmx_choose_event(v, &nmi_waits, &irq_waits);
	if (was && !vmx->injecting)
		vmcs_write(VMCS_CTRL_ENTRY_INTR_INFO, 0);
	if (nmi_waits)
		ctl |= CPU_NMI_WINDOW_EXITING;
	if (irq_waits || READ_ONCE(v->run->request_irq_window))
		ctl |= CPU_INTR_WINDOW_EXITING;
	vmx_set_cpu_ctl(vmx, ctl);
}

/**
 * vmx_inject - put the next pending event into the entry fields
 * @v: a loaded vCPU
 *
 * Asks for a window for each event that must wait, and for user space's.
 */
void vmx_inject(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	bool pending = v->reinject.valid | v->exception.valid | v->nmi_pending | v->irq.valid;

	/* nearly always there is nothing to do, and nothing to undo */
	if (unlikely(pending | vmx->injecting | (vmx->cpu_ctl & VMX_WINDOWS) |
		     READ_ONCE(v->run->request_irq_window)))
		vmx_inject_pending(v, pending);
}

/**
 * vmx_plain_inject - let the next entry deliver a #PF, the short way
 * @v: has just exited, RFLAGS cached, in 64-bit mode with neither event nor shadow
 * @gva: goes to CR2
 * @error: PFERR_*
 *
 * Context: interrupts off.
 * Return: false when something else waits: vmx_inject() has to choose.
 */
bool vmx_plain_inject(struct mhv_vcpu *v, u64 gva, u32 error)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	vmx_injected(v);
	if (v->reinject.valid | v->exception.valid | v->nmi_pending | v->irq.valid)
		return false;
	v->cr2 = gva;
	v->exception = (struct mhv_pending){
		.valid = true, .vector = X86_TRAP_PF, .has_error = true, .error_code = error,
	};
	vmx->injecting = VMX_INJ_EXCEPTION;
	vmcs_write(VMCS_GUEST_RFLAGS, v->rflags | X86_EFLAGS_RF);
	vmcs_write(VMCS_CTRL_ENTRY_ERROR_CODE, error);
	vmcs_write(VMCS_CTRL_ENTRY_INTR_INFO, INTR_INFO_VALID | INTR_INFO_ERROR_CODE |
		   INTR_HARD_EXCEPTION | X86_TRAP_PF);
	v->cached = 0;
	return true;
}

/**
 * vmx_injected - the entry happened: the event it carried is no longer pending
 * @v: a loaded vCPU that has just exited
 */
void vmx_injected(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	switch (vmx->injecting) {
	case VMX_INJ_NONE:
		return;
	case VMX_INJ_REINJECT:
		v->reinject.valid = false;
		mhv_count(v, MHV_STAT_REINJECTED);
		break;
	case VMX_INJ_EXCEPTION:
		v->exception.valid = false;
		mhv_count(v, MHV_STAT_INJ_EXCEPTION);
		break;
	case VMX_INJ_NMI:
		v->nmi_pending = false;
		mhv_count(v, MHV_STAT_INJ_NMI);
		break;
	case VMX_INJ_IRQ:
		v->irq.valid = false;
		mhv_count(v, MHV_STAT_INJ_IRQ);
		break;
	}
	/* the exit has cleared the valid bit of the entry field */
	vmx->injecting = VMX_INJ_NONE;
}

/**
 * vmx_requeue_vectoring - deliver again what this exit cut short
 * @v: a loaded vCPU whose exit can come in the middle of a delivery
 */
void vmx_requeue_vectoring(struct mhv_vcpu *v)
{
	u32 info = vmcs_read(VMCS_EXIT_IDT_VECTORING_INFO);
	u32 type = info & INTR_INFO_TYPE;
	struct mhv_pending *r = &v->reinject;

	if (likely(!(info & INTR_INFO_VALID)))
		return;
	*r = (struct mhv_pending){
		.valid = true,
		.type = type >> INTR_INFO_TYPE_SHIFT,
		.vector = info & INTR_INFO_VECTOR,
	};
	if (info & INTR_INFO_ERROR_CODE) {
		r->has_error = true;
		r->error_code = vmcs_read(VMCS_EXIT_IDT_VECTORING_ERROR_CODE);
	}
	if (type == INTR_SOFT || type == INTR_SOFT_EXCEPTION || type == INTR_PRIV_SOFT_EXCEPTION)
		r->insn_len = vmcs_read(VMCS_EXIT_INSN_LEN);
	/* the delivery has set the blocking that it must find clear */
	if (type == INTR_NMI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~INTR_STATE_NMI);
}

/**
 * vmx_get_events - what waits, with what only the VMCS knows
 * @v: a loaded vCPU
 * @e: zeroed by the caller, filled in
 */
void vmx_get_events(struct mhv_vcpu *v, struct mhv_vcpu_events *e)
{
	u32 state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	const struct mhv_pending *exception = &v->exception, *irq = &v->irq;

	/* an event whose delivery was cut short is on its way, too */
	if (v->reinject.valid && v->reinject.type == MHV_PENDING_EXCEPTION)
		exception = &v->reinject;
	if (v->reinject.valid && v->reinject.type == MHV_PENDING_IRQ)
		irq = &v->reinject;
	e->irq_pending = irq->valid;
	e->irq_vector = irq->valid ? irq->vector : 0;
	e->nmi_pending = v->nmi_pending ||
			 (v->reinject.valid && v->reinject.type == MHV_PENDING_NMI);
	e->nmi_blocked = !!(state & INTR_STATE_NMI);
	e->sti_shadow = !!(state & INTR_STATE_STI);
	e->movss_shadow = !!(state & INTR_STATE_MOV_SS);
	e->exception_pending = exception->valid;
	if (!exception->valid)
		return;
	e->exception_vector = exception->vector;
	e->exception_has_error = exception->has_error;
	e->exception_error_code = exception->error_code;
}

/**
 * vmx_set_events - replace what waits
 * @v: a loaded vCPU
 * @e: checked by the caller
 */
void vmx_set_events(struct mhv_vcpu *v, const struct mhv_vcpu_events *e)
{
	u32 state = 0;

	if (e->nmi_blocked)
		state |= INTR_STATE_NMI;
	if (e->sti_shadow)
		state |= INTR_STATE_STI;
	if (e->movss_shadow)
		state |= INTR_STATE_MOV_SS;
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, state);
	v->irq = (struct mhv_pending){ .valid = e->irq_pending, .vector = e->irq_vector };
	v->nmi_pending = e->nmi_pending;
	v->reinject.valid = false;
	v->exception = (struct mhv_pending){
		.valid = e->exception_pending,
		.vector = e->exception_vector,
		.has_error = e->exception_has_error,
		.error_code = e->exception_error_code,
	};
}

/* ---- exits that are about events ------------------------------------------- */

/**
 * vmx_host_event - hand an NMI or machine check that ended the guest to the host
 * @vmx: just exited
 *
 * The CPU does not deliver what it exits for.  Ordinary interrupts stay pending and
 * come as soon as interrupts are enabled.
 * Context: interrupts off, still where the exit left us: NMIs are blocked until the
 * handler's IRET.
 */
void vmx_host_event(struct vmx_vcpu *vmx)
{
	u32 info;

	if (vmx->failed)
		return;
	if ((u16)vmx->exit_reason == XR_ENTRY_FAIL_MACHINE_CHECK) {
		asm volatile("int $18");
		return;
	}
	if (vmx->exit_reason != XR_EXCEPTION_NMI)
		return;
	info = vmcs_read(VMCS_EXIT_INTR_INFO);
	vmx->intr_info = info;
	if ((info & INTR_INFO_TYPE) == INTR_NMI)
		asm volatile("int $2");
	else if ((info & (INTR_INFO_TYPE | INTR_INFO_VECTOR)) ==
		 (INTR_HARD_EXCEPTION | X86_TRAP_MC))
		asm volatile("int $18");
}

/* What the debug exception found goes into DR6; the guest gets the exception. */
static void vmx_reflect_db(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);

	v->dr6 &= ~VMX_DR6_CAUSES;
	v->dr6 |= q & VMX_DR6_CAUSES;
	v->dr7 = vmcs_read(VMCS_GUEST_DR7);
	if (v->dr7 & VMX_DR7_GD) {
		v->dr7 &= ~VMX_DR7_GD;
		vmcs_write(VMCS_GUEST_DR7, v->dr7);
	}
	mhv_queue_exception(v, X86_TRAP_DB, false, 0);
}

/* INT1 exits as #DB too, but goes on as the instruction it is. */
static void vmx_reflect_int1(struct mhv_vcpu *v)
{
	v->reinject = (struct mhv_pending){
		.valid = true,
		.type = INTR_PRIV_SOFT_EXCEPTION >> INTR_INFO_TYPE_SHIFT,
		.vector = X86_TRAP_DB,
		.insn_len = vmcs_read(VMCS_EXIT_INSN_LEN),
	};
}

static void vmx_reflect(struct mhv_vcpu *v, u32 info)
{
	bool has_error = info & INTR_INFO_ERROR_CODE;

	mhv_queue_exception(v, info & INTR_INFO_VECTOR, has_error,
			    has_error ? vmcs_read(VMCS_EXIT_INTR_ERROR_CODE) : 0);
}

/*
 * An #AC that the guest did not ask for comes from a split lock on a host that watches
 * for them: the host's policy says whether the guest may go on.
 */
static void vmx_exit_ac(struct mhv_vcpu *v, u32 info)
{
	bool guests;

	vmx_cache_regs(v);
	guests = (vmx_cr0(v) & X86_CR0_AM) && (v->rflags & X86_EFLAGS_AC) && vmx_cpl() == 3;
	if (guests || !handle_guest_split_lock(v->rip))
		vmx_reflect(v, info);
}

/* Shadow paging.  An IRET that ended NMI blocking and then faulted must block again. */
static enum mhv_next vmx_exit_page_fault(struct mhv_vcpu *v, u32 info)
{
	if ((info & INTR_INFO_NMI_UNBLOCKING) &&
	    !(vmcs_read(VMCS_EXIT_IDT_VECTORING_INFO) & INTR_INFO_VALID))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | INTR_STATE_NMI);
	return mhv_shadow_fault(v, vmcs_read(VMCS_EXIT_QUALIFICATION),
				vmcs_read(VMCS_EXIT_INTR_ERROR_CODE));
}

enum mhv_next vmx_exit_exception(struct mhv_vcpu *v)
{
	u32 info = to_vmx(v)->intr_info;

	if ((info & INTR_INFO_TYPE) == INTR_NMI)
		return MHV_NEXT_RESUME;	/* the host has had it */
	switch (info & INTR_INFO_VECTOR) {
	case X86_TRAP_PF:
		return vmx_exit_page_fault(v, info);
	case X86_TRAP_MC:
		break;
	case X86_TRAP_DB:
		if ((info & INTR_INFO_TYPE) == INTR_PRIV_SOFT_EXCEPTION)
			vmx_reflect_int1(v);
		else
			vmx_reflect_db(v);
		break;
	case X86_TRAP_NM:
		if (v->fpu_loaded || (vmx_cr0(v) & X86_CR0_TS))
			vmx_reflect(v, info);
		else
			vmx_fpu_get(v);
		break;
	case X86_TRAP_AC:
		vmx_exit_ac(v, info);
		break;
	default:
		vmx_reflect(v, info);
		break;
	}
	return MHV_NEXT_RESUME;
}

enum mhv_next vmx_exit_irq_window(struct mhv_vcpu *v)
{
	/* our own interrupt goes first; user space asks again with the next MHV_RUN */
	if (v->irq.valid || !READ_ONCE(v->run->request_irq_window))
		return MHV_NEXT_RESUME;
	v->run->exit = MHV_EXIT_IRQ_WINDOW;
	return MHV_NEXT_USER;
}

enum mhv_next vmx_exit_nmi_window(struct mhv_vcpu *v)
{
	return MHV_NEXT_RESUME;
}
