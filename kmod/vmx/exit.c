// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit table: one thin handler a reason.  What the table does not know goes to
 * user space as MHV_EXIT_UNKNOWN.
 */
#include <linux/nospec.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "../mmu/mmu.h"
#include "../mmu/shadow.h"
#include "../trace.h"
#include "check.h"
#include "vmx.h"

static enum mhv_next vmx_exit_none(struct mhv_vcpu *v)
{
	return MHV_NEXT_RESUME;
}

static enum mhv_next vmx_exit_triple_fault(struct mhv_vcpu *v)
{
	v->run->exit = MHV_EXIT_SHUTDOWN;
	return MHV_NEXT_USER;
}

static enum mhv_next vmx_exit_cpuid(struct mhv_vcpu *v)
{
	u32 eax = v->gpr[MHV_RAX], ebx, ecx = v->gpr[MHV_RCX], edx;

	mhv_cpuid(v, &eax, &ebx, &ecx, &edx);
	v->gpr[MHV_RAX] = eax;
	v->gpr[MHV_RBX] = ebx;
	v->gpr[MHV_RCX] = ecx;
	v->gpr[MHV_RDX] = edx;
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}

static enum mhv_next vmx_exit_hlt(struct mhv_vcpu *v)
{
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	if ((v->nmi_pending && vmx_nmi_allowed()) || (v->irq.valid && vmx_irq_allowed(v)))
		return MHV_NEXT_RESUME;
	v->run->exit = MHV_EXIT_HLT;
	return MHV_NEXT_USER;
}

/* INVD would lose host data and WBINVD cost it time; the guest's caches are coherent. */
static enum mhv_next vmx_exit_cache(struct mhv_vcpu *v)
{
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}

/* Instructions that the guest's CPU does not have, whatever the host's has. */
static enum mhv_next vmx_exit_ud(struct mhv_vcpu *v)
{
	mhv_queue_ud(v);
	return MHV_NEXT_RESUME;
}

/* There is no PMU: no counter is valid. */
static enum mhv_next vmx_exit_rdpmc(struct mhv_vcpu *v)
{
	mhv_queue_gp(v);
	return MHV_NEXT_RESUME;
}

/* Exits with shadow paging alone. */
static enum mhv_next vmx_exit_invlpg(struct mhv_vcpu *v)
{
	mhv_shadow_invlpg(v, vmcs_read(VMCS_EXIT_QUALIFICATION));
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}

/* ---- ports ----------------------------------------------------------------- */

static enum mhv_next vmx_exit_io_string(struct mhv_vcpu *v, u64 q)
{
	u32 info = vmcs_read(VMCS_EXIT_INSN_INFO);
	u32 bytes = XI_IO_ADDR_BYTES(info);
	u64 mask = bytes == 8 ? ~0ull : GENMASK_ULL(bytes * 8 - 1, 0);
	bool write = !(q & XQ_IO_IN);

	return mhv_pio_string(v, XQ_IO_PORT(q), XQ_IO_SIZE(q), write, q & XQ_IO_REP, mask,
			      write ? XI_IO_SEGMENT(info) : MHV_SEG_ES,
			      vmcs_read(VMCS_EXIT_INSN_LEN));
}

static enum mhv_next vmx_exit_io(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);

	if (unlikely(q & XQ_IO_STRING)) {
		mhv_count(v, MHV_STAT_PIO_STRING);
		return vmx_exit_io_string(v, q);
	}
	return mhv_pio(v, XQ_IO_PORT(q), XQ_IO_SIZE(q), !(q & XQ_IO_IN),
		       vmcs_read(VMCS_EXIT_INSN_LEN));
}

/* ---- guest physical memory ------------------------------------------------- */

/*
 * An IRET that ended NMI blocking and then faulted must block again, for it will be
 * run again.
 */
static void vmx_restore_nmi_blocking(u64 q)
{
	if ((q & XQ_EPT_NMI_UNBLOCKING) &&
	    !(vmcs_read(VMCS_EXIT_IDT_VECTORING_INFO) & INTR_INFO_VALID))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | INTR_STATE_NMI);
}

static enum mhv_next vmx_exit_ept_violation(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);
	struct mhv_fault fault = {
		.gpa = vmcs_read(VMCS_EXIT_GUEST_PHYS_ADDR),
		.gva_valid = (q & XQ_EPT_GVA_VALID) && (q & XQ_EPT_GVA_TRANSLATED),
		.write = q & XQ_EPT_WRITE,
		.fetch = q & XQ_EPT_FETCH,
		.walk = (q & XQ_EPT_GVA_VALID) && !(q & XQ_EPT_GVA_TRANSLATED),
	};

	if (fault.gva_valid)
		fault.gva = vmcs_read(VMCS_EXIT_GUEST_LINEAR_ADDR);
	vmx_restore_nmi_blocking(q);
	return mhv_fault(v, &fault);
}

/* The one misconfiguration that mhv makes is the device entry. */
static enum mhv_next vmx_exit_ept_misconfig(struct mhv_vcpu *v)
{
	return mhv_mmio_fault(v, vmcs_read(VMCS_EXIT_GUEST_PHYS_ADDR));
}

/*
 * Is this a 64-bit guest?  False in any other mode, and when a step must trap.  RF is set
 * after every exit of this kind, as in the image that a fault pushes (SDM 28.3.3).
 */
static __always_inline bool vmx_plain_mode(struct mhv_vcpu *v)
{
	if (unlikely(!(v->efer & EFER_LMA) || !(vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L)))
		return false;
	v->rip = vmcs_read(VMCS_GUEST_RIP);
	v->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	v->cached = MHV_REG_RIP | MHV_REG_RFLAGS;
	return !(v->rflags & X86_EFLAGS_TF);
}

/* Is nothing under way but an instruction of a 64-bit guest, and nobody watching? */
static __always_inline bool vmx_plain_allowed(struct mhv_vcpu *v)
{
	if (unlikely(trace_mhv_mmio_enabled() || trace_mhv_exit_enabled() ||
		     trace_mhv_page_fault_enabled() || trace_mhv_entry_enabled() ||
		     trace_mhv_decode_enabled()))
		return false;
	if (unlikely((vmcs_read(VMCS_EXIT_IDT_VECTORING_INFO) & INTR_INFO_VALID) ||
		     (vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
		      (INTR_STATE_STI | INTR_STATE_MOV_SS))))
		return false;
	return vmx_plain_mode(v);
}

/* True to enter the guest again at once. */
static __always_inline bool vmx_plain_done(struct mhv_vcpu *v, enum mhv_plain plain)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	vmx->plain = plain;
	if (plain == MHV_PLAIN_NO)
		return false;
	if (unlikely(vmx->injecting))
		vmx_injected(v);
	if (plain != MHV_PLAIN_DONE) {
		if (plain == MHV_PLAIN_USER)
			v->dirty |= MHV_REG_RIP | MHV_REG_RFLAGS;
		return false;
	}
	vmcs_write(VMCS_GUEST_RIP, v->rip);
	vmcs_write(VMCS_GUEST_RFLAGS, v->rflags);
	v->cached = 0;
	return true;
}

/**
 * vmx_plain_misconfig - do a device access with EPT the short way
 * @v: has just exited for it
 *
 * Context: interrupts off, right after the exit.
 * Return: true to enter the guest again at once.
 */
bool vmx_plain_misconfig(struct mhv_vcpu *v)
{
	enum mhv_plain plain;

	if (unlikely(!vmx_plain_allowed(v)))
		return false;
	/* EPT alone comes here: the guest's CR3 is the CPU's */
	plain = mhv_mmio_plain(v, vmcs_read(VMCS_EXIT_GUEST_PHYS_ADDR),
			       vmcs_read(VMCS_GUEST_CR3));
	return vmx_plain_done(v, plain);
}

/**
 * vmx_plain_nothing - do nothing for the guest, and that at once
 * @v: has just exited for a VMCALL, which its VM has for measurements
 *
 * No single step is seen and no shadow of STI ends: here each instruction counts.
 * Context: interrupts off, right after the exit.
 * Return: true to enter the guest again at once.
 */
bool vmx_plain_nothing(struct mhv_vcpu *v)
{
	if (unlikely(to_vmx(v)->injecting))
		vmx_injected(v);
	vmcs_write(VMCS_GUEST_RIP,
		   vmcs_read(VMCS_GUEST_RIP) + vmcs_read(VMCS_EXIT_INSN_LEN));
	return true;
}

#define INTR_INFO_PAGE_FAULT	(INTR_INFO_VALID | INTR_INFO_ERROR_CODE | INTR_HARD_EXCEPTION | \
				 X86_TRAP_PF)

/* A fault that the guest's own tables ask for. */
static noinline bool vmx_plain_reflect(struct mhv_vcpu *v)
{
	u64 gva = vmcs_read(VMCS_EXIT_QUALIFICATION);
	u32 error;

	if (!mhv_shadow_plain_fault(v, gva, vmcs_read(VMCS_EXIT_INTR_ERROR_CODE), &error) ||
	    !vmx_plain_inject(v, gva, error))
		return false;
	mhv_count(v, MHV_STAT_EXITS);
	mhv_count(v, MHV_STAT_EXIT_EXCEPTION);
	mhv_count(v, MHV_STAT_PF_GUEST);
	return true;
}

/**
 * vmx_plain_page_fault - shadow paging: a device access, or a fault of the guest's own, the
 *			  short way
 * @v: has just exited for an exception or an NMI
 *
 * Context and return value as above.
 */
bool vmx_plain_page_fault(struct mhv_vcpu *v)
{
	enum mhv_plain plain;

	/* all of it: an NMI is the host's at once, and so is what an IRET has unblocked */
	if (vmcs_read(VMCS_EXIT_INTR_INFO) != INTR_INFO_PAGE_FAULT || !vmx_plain_allowed(v))
		return false;
	plain = mhv_mmio_plain_shadow(v, vmcs_read(VMCS_EXIT_QUALIFICATION),
				      vmcs_read(VMCS_EXIT_INTR_ERROR_CODE));
	if (plain == MHV_PLAIN_NO && vmx_plain_reflect(v))
		return true;
	return vmx_plain_done(v, plain);
}

/* INVLPG while no table is unsync: there is no entry to compare. */
static bool vmx_plain_invlpg(struct mhv_vcpu *v)
{
	u64 gva = vmcs_read(VMCS_EXIT_QUALIFICATION);

	if (!mhv_shadow_short(v))
		return false;
	mhv_mmio_cache_forget(&v->mmio, gva);
	if (mhv_shadow_stale(v))
		vmx_flush_tlb(v);
	else
		vmx_flush_gva(v, gva);
	return true;
}

/**
 * vmx_plain_paging - do what the guest does to its paging the short way
 * @v: has just exited for an access to a control register, or INVLPG; shadow paging
 * @reason: of the exit
 *
 * Context and return value as above.
 */
bool vmx_plain_paging(struct mhv_vcpu *v, u32 reason)
{
	bool cr = reason == XR_CR_ACCESS;

	if (!vmx_plain_allowed(v) || !(cr ? vmx_plain_cr(v) : vmx_plain_invlpg(v)))
		return false;
	mhv_plain_retire(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	mhv_count(v, MHV_STAT_EXITS);
	mhv_count(v, cr ? MHV_STAT_EXIT_CR : MHV_STAT_EXIT_INVLPG);
	return vmx_plain_done(v, MHV_PLAIN_DONE);
}

/* ---- entries that failed --------------------------------------------------- */

static u64 vmx_check_read(void *ctx, u32 field)
{
	return vmcs_read(field);
}

static enum mhv_next vmx_entry_failed(struct mhv_vcpu *v, u32 reason, bool vmfail)
{
	static const struct vmx_check_ops ops = { .read = vmx_check_read };

	mhv_count(v, MHV_STAT_EXIT_ENTRY_FAILED);
	v->run->exit = MHV_EXIT_ENTRY_FAILED;
	v->run->entry_failed.reason = reason;
	v->run->entry_failed.flags = vmfail;
	v->run->entry_failed.qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	vmx_check(&ops, NULL, &vmx_caps, v->run->entry_failed.report,
		  sizeof(v->run->entry_failed.report));
	return MHV_NEXT_USER;
}

/* ---- the table ------------------------------------------------------------- */

/**
 * struct vmx_exit - what to do about an exit reason
 * @handler: acts on it
 * @stat: counter
 * @vectoring: may come in the middle of an event's delivery
 */
struct vmx_exit {
	enum mhv_next (*handler)(struct mhv_vcpu *v);
	enum mhv_stat stat;
	bool vectoring;
};

#define UD { vmx_exit_ud, MHV_STAT_EXIT_UD }

static const struct vmx_exit vmx_exits[] = {
	[XR_EXCEPTION_NMI]	= { vmx_exit_exception, MHV_STAT_EXIT_EXCEPTION, true },
	[XR_EXT_INTR]		= { vmx_exit_none, MHV_STAT_EXIT_HOST_IRQ },
	[XR_PREEMPTION_TIMER]	= { vmx_exit_none, MHV_STAT_EXIT_TIMER },
	[XR_TRIPLE_FAULT]	= { vmx_exit_triple_fault, MHV_STAT_EXIT_TRIPLE_FAULT },
	[XR_INTR_WINDOW]	= { vmx_exit_irq_window, MHV_STAT_EXIT_IRQ_WINDOW },
	[XR_NMI_WINDOW]		= { vmx_exit_nmi_window, MHV_STAT_EXIT_NMI_WINDOW },
	[XR_CPUID]		= { vmx_exit_cpuid, MHV_STAT_EXIT_CPUID },
	[XR_HLT]		= { vmx_exit_hlt, MHV_STAT_EXIT_HLT },
	[XR_INVD]		= { vmx_exit_cache, MHV_STAT_EXIT_CACHE },
	[XR_WBINVD]		= { vmx_exit_cache, MHV_STAT_EXIT_CACHE },
	[XR_RDPMC]		= { vmx_exit_rdpmc, MHV_STAT_EXIT_UD },
	[XR_INVLPG]		= { vmx_exit_invlpg, MHV_STAT_EXIT_INVLPG },
	[XR_CR_ACCESS]		= { vmx_exit_cr, MHV_STAT_EXIT_CR },
	[XR_MOV_DR]		= { vmx_exit_dr, MHV_STAT_EXIT_DR },
	[XR_IO]			= { vmx_exit_io, MHV_STAT_EXIT_IO },
	[XR_RDMSR]		= { vmx_exit_rdmsr, MHV_STAT_EXIT_RDMSR },
	[XR_WRMSR]		= { vmx_exit_wrmsr, MHV_STAT_EXIT_WRMSR },
	[XR_XSETBV]		= { vmx_exit_xsetbv, MHV_STAT_EXIT_XSETBV },
	[XR_EPT_VIOLATION]	= { vmx_exit_ept_violation, MHV_STAT_EXIT_TDP_FAULT, true },
	[XR_EPT_MISCONFIG]	= { vmx_exit_ept_misconfig, MHV_STAT_EXIT_TDP_MISCONFIG, true },
	[XR_GETSEC] = UD, [XR_RSM] = UD, [XR_VMCALL] = UD, [XR_VMCLEAR] = UD,
	[XR_VMLAUNCH] = UD, [XR_VMPTRLD] = UD, [XR_VMPTRST] = UD, [XR_VMREAD] = UD,
	[XR_VMRESUME] = UD, [XR_VMWRITE] = UD, [XR_VMXOFF] = UD, [XR_VMXON] = UD,
	[XR_MWAIT] = UD, [XR_MONITOR] = UD, [XR_INVEPT] = UD, [XR_INVVPID] = UD,
	[XR_VMFUNC] = UD, [XR_ENCLS] = UD, [XR_UMWAIT] = UD, [XR_TPAUSE] = UD,
	[XR_RDTSCP] = UD, [XR_INVPCID] = UD, [XR_XSAVES] = UD, [XR_XRSTORS] = UD,
};

static enum mhv_next vmx_exit_unknown(struct mhv_vcpu *v, u32 reason)
{
	mhv_count(v, reason == XR_TASK_SWITCH ? MHV_STAT_EXIT_TASK_SWITCH :
		  MHV_STAT_EXIT_OTHER);
	v->run->exit = MHV_EXIT_UNKNOWN;
	v->run->unknown.reason = reason;
	v->run->unknown.qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	return MHV_NEXT_USER;
}

static noinline enum mhv_next vmx_dispatch_exit(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);
	const struct vmx_exit *exit;
	u32 reason = vmx->exit_reason;
	u32 basic;

	mhv_count(v, MHV_STAT_EXITS);
	if (unlikely(vmx->failed))
		return vmx_entry_failed(v, vmcs_read(VMCS_EXIT_INSN_ERROR), true);
	if (unlikely(reason & XR_ENTRY_FAILURE))
		return vmx_entry_failed(v, reason, false);

	if (trace_mhv_exit_enabled())
		trace_mhv_exit(v, reason, vmcs_read(VMCS_GUEST_RIP), vmx_cr3(v));
	vmx_injected(v);
	basic = reason & XR_BASIC_MASK;
	if (unlikely(basic >= ARRAY_SIZE(vmx_exits)))
		return vmx_exit_unknown(v, reason);
	exit = &vmx_exits[array_index_nospec(basic, ARRAY_SIZE(vmx_exits))];
	if (unlikely(!exit->handler))
		return vmx_exit_unknown(v, reason);
	mhv_count(v, exit->stat);
	if (exit->vectoring)
		vmx_requeue_vectoring(v);
	return exit->handler(v);
}

/* May the guest be entered again without vmx_inject() and a look at the requests? */
static __always_inline bool vmx_plain_goes_on(struct mhv_vcpu *v)
{
	return !(READ_ONCE(v->requests) | v->exception.valid);
}

/**
 * vmx_plain_insn - do an instruction that is about the vCPU alone, the short way
 * @v: has just exited for it
 * @reason: CPUID, RDMSR or WRMSR
 *
 * What it asked for, or an exception, is seen to on the long way.
 * Context: interrupts off, right after the exit.
 * Return: true to enter the guest again at once.
 */
bool vmx_plain_insn(struct mhv_vcpu *v, u32 reason)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (unlikely(trace_mhv_exit_enabled() || trace_mhv_entry_enabled()))
		return false;
	mhv_count(v, MHV_STAT_EXITS);
	if (unlikely(vmx->injecting))
		vmx_injected(v);
	if (reason == XR_CPUID) {
		mhv_count(v, MHV_STAT_EXIT_CPUID);
		vmx_exit_cpuid(v);
	} else if (reason == XR_RDMSR) {
		mhv_count(v, MHV_STAT_EXIT_RDMSR);
		vmx_exit_rdmsr(v);
	} else {
		mhv_count(v, MHV_STAT_EXIT_WRMSR);
		vmx_exit_wrmsr(v);
	}
	if (unlikely(!vmx_plain_goes_on(v))) {
		vmx->plain = MHV_PLAIN_RESUME;
		return false;
	}
	vmx_write_dirty_regs(v);
	return true;
}

/**
 * vmx_handle_exit - act on the exit that has just happened
 * @v: a loaded vCPU
 *
 * Context: may sleep.
 */
enum mhv_next vmx_handle_exit(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	/* the short way has done all of it */
	if (vmx->plain != MHV_PLAIN_NO)
		return vmx->plain == MHV_PLAIN_RESUME ? MHV_NEXT_RESUME : MHV_NEXT_USER;
	return vmx_dispatch_exit(v);
}
