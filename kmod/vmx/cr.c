// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers, debug registers, XCR0.
 *
 * CR0 and CR4 are shared with the guest bit by bit: a bit in cr0_guest or cr4_guest
 * is the guest's own in the VMCS, the others it sees in the read shadow and a write
 * that would change them exits.  The guest owns what the hardware gives a meaning
 * to without our help.
 */
#include <asm/fpu/api.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>
#include <asm/traps.h>

#include "../mmu/mmu.h"
#include "../mmu/shadow.h"
#include "vmx.h"

#define CR0_VALID	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)

/**
 * vmx_cr0 - CR0 as the guest sees it
 * @v: a loaded vCPU
 */
u64 vmx_cr0(struct mhv_vcpu *v)
{
	u64 own = to_vmx(v)->cr0_guest;

	return (vmcs_read(VMCS_GUEST_CR0) & own) | (vmcs_read(VMCS_CTRL_CR0_SHADOW) & ~own);
}

/**
 * vmx_cr4 - CR4 as the guest sees it
 * @v: a loaded vCPU
 */
u64 vmx_cr4(struct mhv_vcpu *v)
{
	u64 own = to_vmx(v)->cr4_guest;

	return (vmcs_read(VMCS_GUEST_CR4) & own) | (vmcs_read(VMCS_CTRL_CR4_SHADOW) & ~own);
}

bool vmx_cr0_valid(u64 cr0)
{
	if (cr0 & ~CR0_VALID)
		return false;
	if ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE))
		return false;
	return !(cr0 & X86_CR0_NW) || (cr0 & X86_CR0_CD);
}

bool vmx_cr4_valid(struct mhv_vcpu *v, u64 cr4)
{
	return !(cr4 & ~to_vmx(v)->cr4_valid);
}

bool vmx_efer_valid(struct mhv_vcpu *v, u64 efer)
{
	return !(efer & ~mhv_guest_efer_mask(v));
}

/* x87 always, AVX only with SSE, the parts of AVX-512 together and with AVX. */
bool vmx_xcr0_valid(u64 xcr0)
{
	const u64 avx512 = XFEATURE_MASK_AVX512;

	if (!(xcr0 & XFEATURE_MASK_FP) || (xcr0 & ~mhv_guest_xcr0_mask()))
		return false;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return false;
	if (!(xcr0 & avx512))
		return true;
	return (xcr0 & avx512) == avx512 && (xcr0 & XFEATURE_MASK_YMM);
}

/*
 * Shadow paging: the CPU always pages, so that it must see LME as it sees LMA; and the
 * entries of 32-bit paging have no NX bit, though those of its shadow tables do.
 */
static u64 vmx_shadow_efer(struct mhv_vcpu *v)
{
	u64 efer = v->efer;

	if (efer & EFER_LMA)
		return efer;
	if (!(vmx_cr0(v) & X86_CR0_PG) || !(vmx_cr4(v) & X86_CR4_PAE))
		efer &= ~(u64)EFER_NX;
	return efer & ~(u64)EFER_LME;
}

/* Shadow paging: what the CPU is to have that depends on more than one register. */
static void vmx_shadow_mode(struct mhv_vcpu *v)
{
	vmx_write_cr4(v, vmx_cr4(v));
	vmcs_write(VMCS_GUEST_EFER, vmx_shadow_efer(v));
	set_bit(MHV_REQ_ROOT, &v->requests);
}

/**
 * vmx_set_root - the table that the CPU begins with; shadow paging
 * @v: a loaded vCPU
 * @root: its host-physical address
 */
void vmx_set_root(struct mhv_vcpu *v, u64 root)
{
	vmcs_write(VMCS_GUEST_CR3, root);
}

/**
 * vmx_runnable - can the CPU run the guest's mode; shadow paging
 * @v: a loaded vCPU
 *
 * Without unrestricted guest there is no real mode.
 */
bool vmx_runnable(struct mhv_vcpu *v)
{
	return vmx_cr0(v) & X86_CR0_PE;
}

/**
 * vmx_write_efer - set EFER, and the entry control that must agree with LMA
 * @v: a loaded vCPU
 * @efer: a valid value
 */
void vmx_write_efer(struct mhv_vcpu *v, u64 efer)
{
	u32 entry = vmx_controls.entry & ~ENTRY_IA32E_MODE;
	bool load_msrs = false;
	unsigned long flags;

	if (efer & EFER_LMA)
		entry |= ENTRY_IA32E_MODE;
	if ((efer & ~v->efer & EFER_SCE) && to_vmx(v)->guest_loaded)
		load_msrs = true;
	if (v->vm->shadow && ((v->efer ^ efer) & (EFER_NX | EFER_LMA)))
		set_bit(MHV_REQ_ROOT, &v->requests);
	v->efer = efer;
	vmcs_write(VMCS_CTRL_ENTRY, entry);
	vmcs_write(VMCS_GUEST_EFER, v->vm->shadow ? vmx_shadow_efer(v) : efer);
	if (!load_msrs)
		return;
	local_irq_save(flags);
	/* another thread may have run meanwhile; the next entry loads them then */
	if (to_vmx(v)->guest_loaded)
		vmx_user_msrs_load(v);
	local_irq_restore(flags);
}

/**
 * vmx_write_cr0 - set CR0
 * @v: a loaded vCPU
 * @cr0: a valid value
 *
 * The CPU insists on NE.  Caching stays on whatever CD and NW say: guest memory is
 * ordinary host memory.
 */
void vmx_write_cr0(struct mhv_vcpu *v, u64 cr0)
{
	u64 real = cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW);

	cr0 |= X86_CR0_ET;
	real |= X86_CR0_NE | X86_CR0_ET;
	if (v->vm->shadow)
		real |= X86_CR0_PG | X86_CR0_PE | X86_CR0_WP;
	if (!v->fpu_loaded)
		real |= X86_CR0_TS;
	vmcs_write(VMCS_GUEST_CR0, real);
	vmcs_write(VMCS_CTRL_CR0_SHADOW, cr0);
}

/**
 * vmx_write_cr4 - set CR4
 * @v: a loaded vCPU
 * @cr4: a valid value
 *
 * VMX insists on VMXE.  MCE stays as the host has it: with it off, a machine check
 * would stop the physical CPU.
 */
void vmx_write_cr4(struct mhv_vcpu *v, u64 cr4)
{
	u64 real = cr4 | X86_CR4_VMXE | (cr4_read_shadow() & X86_CR4_MCE);

	if (v->vm->shadow) {
		real |= X86_CR4_PAE;
		/* without paging all memory looks like the user's */
		if (!(vmx_cr0(v) & X86_CR0_PG))
			real &= ~(u64)(X86_CR4_SMEP | X86_CR4_SMAP);
	}
	vmcs_write(VMCS_GUEST_CR4, real);
	vmcs_write(VMCS_CTRL_CR4_SHADOW, cr4);
}

/* The virtual APIC page holds the TPR: CR8 is its bits 7:4. */
u64 vmx_cr8(struct mhv_vcpu *v)
{
	return READ_ONCE(to_vmx(v)->vapic[0x80]) >> 4;
}

void vmx_write_cr8(struct mhv_vcpu *v, u64 cr8)
{
	WRITE_ONCE(to_vmx(v)->vapic[0x80], cr8 << 4);
}

/* ---- MOV to CR0 and CR4 by the guest --------------------------------------- */

static bool vmx_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA);
}

/* A 64-bit guest's task register must be a busy 64-bit TSS: the type codes agree. */
static bool vmx_paging_toggle_valid(struct mhv_vcpu *v, u64 old, u64 cr0, u64 cr4)
{
	bool long_code = vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L;

	if (cr0 & ~old & X86_CR0_PG)
		return !(v->efer & EFER_LME) || ((cr4 & X86_CR4_PAE) && !long_code);
	if (old & ~cr0 & X86_CR0_PG)
		return !(v->efer & EFER_LMA && long_code) && !(cr4 & X86_CR4_PCIDE);
	return true;
}

static bool vmx_reload_pdptes(struct mhv_vcpu *v)
{
	u64 pdpte[4];

	if (!mhv_read_pdptes(v, vmx_cr3(v), pdpte))
		return false;
	vmx_load_pdptes(v, pdpte);
	if (v->vm->shadow)
		set_bit(MHV_REQ_ROOT, &v->requests);
	return true;
}

/* False: #GP. */
static bool vmx_guest_cr0(struct mhv_vcpu *v, u64 cr0)
{
	const u64 reload = X86_CR0_PG | X86_CR0_CD | X86_CR0_NW;
	u64 old = vmx_cr0(v), cr4 = vmx_cr4(v), efer = v->efer;

	cr0 |= X86_CR0_ET;
	/* reserved bits of the low half are ignored, those of the high half are not */
	if (cr0 >> 32 || !vmx_cr0_valid(cr0 & CR0_VALID))
		return false;
	if (!vmx_paging_toggle_valid(v, old, cr0, cr4))
		return false;
	cr0 &= CR0_VALID;

	if (efer & EFER_LME)
		efer = cr0 & X86_CR0_PG ? efer | EFER_LMA : efer & ~EFER_LMA;
	if (((old ^ cr0) & reload) && vmx_pae_paging(cr0, cr4, efer) && !vmx_reload_pdptes(v))
		return false;
	if (efer != v->efer)
		vmx_write_efer(v, efer);
	vmx_write_cr0(v, cr0);
	if ((old ^ cr0) & X86_CR0_PG)
		set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
	if (v->vm->shadow) {
		/* the CPU itself always has WP set */
		v->shadow.mode.wp = cr0 & X86_CR0_WP;
		if ((old ^ cr0) & (reload | X86_CR0_PE))
			vmx_shadow_mode(v);
	}
	return true;
}

static bool vmx_guest_cr4(struct mhv_vcpu *v, u64 cr4)
{
	const u64 reload = X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP;
	u64 old = vmx_cr4(v), cr0 = vmx_cr0(v);

	if (!vmx_cr4_valid(v, cr4))
		return false;
	if ((v->efer & EFER_LMA) && !(cr4 & X86_CR4_PAE))
		return false;
	if ((cr4 & ~old & X86_CR4_PCIDE) &&
	    (!(v->efer & EFER_LMA) || (vmx_cr3(v) & 0xfff)))
		return false;
	if (((old ^ cr4) & reload) && vmx_pae_paging(cr0, cr4, v->efer) &&
	    !vmx_reload_pdptes(v))
		return false;
	vmx_write_cr4(v, cr4);
	if (!v->vm->shadow)
		set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
	else if ((old ^ cr4) & VMX_CR4_PAGING & ~X86_CR4_PGE)
		vmx_shadow_mode(v);
	else if ((old ^ cr4) & X86_CR4_PGE)
		mhv_shadow_flush(v);
	return true;
}

/* A register operand as wide as the mode makes it. */
static u64 vmx_gpr_operand(struct mhv_vcpu *v, u32 gpr)
{
	u64 value;

	vmx_cache_regs(v);
	value = v->gpr[gpr];
	return vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L ? value : (u32)value;
}

static void vmx_write_gpr(struct mhv_vcpu *v, u32 gpr, u64 value)
{
	vmx_cache_regs(v);
	v->gpr[gpr] = value;
	if (gpr == MHV_RSP)
		v->dirty |= MHV_REG_RSP;
}

/* Shadow paging.  False: #GP. */
static bool vmx_guest_cr3(struct mhv_vcpu *v, u64 cr3)
{
	u64 pdpte[4];

	if (v->efer & EFER_LMA) {
		if (cr3 & to_vmx(v)->cr3_reserved)
			return false;
	} else if (vmx_pae_paging(vmx_cr0(v), vmx_cr4(v), v->efer)) {
		if (!mhv_read_pdptes(v, cr3, pdpte))
			return false;
		vmx_load_pdptes(v, pdpte);
	}
	v->cr3 = cr3;
	/* a request for the root is tried again before the entry */
	if (mhv_shadow_load_root(v))
		set_bit(MHV_REQ_ROOT, &v->requests);
	return true;
}

static bool vmx_mov_to_cr(struct mhv_vcpu *v, u32 cr, u64 value)
{
	switch (cr) {
	case 0:
		return vmx_guest_cr0(v, value);
	case 3:
		return vmx_guest_cr3(v, value);
	case 4:
		return vmx_guest_cr4(v, value);
	case 8:
		if (value & ~0xfull)
			return false;
		vmx_write_cr8(v, value);
		return true;
	}
	return false;
}

/* LMSW sets PE but cannot clear it, and touches MP, EM and TS besides. */
static bool vmx_lmsw(struct mhv_vcpu *v, u16 source)
{
	u64 cr0 = vmx_cr0(v);

	cr0 = (cr0 & ~0xeull) | (source & 0xf);
	return vmx_guest_cr0(v, cr0);
}

/* MOV to and from control registers, CLTS, LMSW. */
enum mhv_next vmx_exit_cr(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);
	u32 cr = XQ_CR_NUMBER(q), gpr = XQ_CR_GPR(q);
	bool ok = true;

	switch (XQ_CR_TYPE(q)) {
	case XQ_CR_MOV_TO:
		ok = vmx_mov_to_cr(v, cr, vmx_gpr_operand(v, gpr));
		break;
	case XQ_CR_MOV_FROM:
		vmx_write_gpr(v, gpr, cr == 8 ? vmx_cr8(v) : vmx_cr3(v));
		break;
	case XQ_CR_CLTS:
		vmx_write_cr0(v, vmx_cr0(v) & ~X86_CR0_TS);
		break;
	case XQ_CR_LMSW:
		ok = vmx_lmsw(v, XQ_CR_LMSW_SOURCE(q));
		break;
	}
	if (ok)
		vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	else
		mhv_queue_gp(v);
	return MHV_NEXT_RESUME;
}

/* ---- the short way; shadow paging --------------------------------------------- */

static void vmx_plain_flush(struct mhv_vcpu *v, bool all)
{
	mhv_mmio_cache_clear(&v->mmio);
	if (all || mhv_shadow_stale(v))
		vmx_flush_tlb(v);
}

static bool vmx_plain_cr3(struct mhv_vcpu *v, u64 cr3)
{
	bool other = cr3 != v->cr3;

	if ((cr3 & to_vmx(v)->cr3_reserved) || !mhv_shadow_short(v) || !mhv_shadow_switch(v, cr3))
		return false;
	v->cr3 = cr3;
	vmx_plain_flush(v, other);
	return true;
}

/* The CPU itself always has WP set. */
static bool vmx_plain_cr0(struct mhv_vcpu *v, u64 cr0)
{
	if ((vmx_cr0(v) ^ cr0) != X86_CR0_WP)
		return false;
	vmcs_write(VMCS_CTRL_CR0_SHADOW, cr0);
	v->shadow.mode.wp = cr0 & X86_CR0_WP;
	return true;
}

/* Shadow entries are never global: that some are to be so no more is a flush, no more. */
static bool vmx_plain_cr4(struct mhv_vcpu *v, u64 cr4)
{
	if ((vmx_cr4(v) ^ cr4) != X86_CR4_PGE || !vmx_cr4_valid(v, cr4) || !mhv_shadow_short(v))
		return false;
	vmx_write_cr4(v, cr4);
	vmx_plain_flush(v, false);
	return true;
}

/**
 * vmx_plain_cr - what a running guest does to CR0, CR3 and CR4, if it is that simple
 * @v: has just exited for it in 64-bit mode; shadow paging
 *
 * Context: interrupts off.
 * Return: false when nothing was done: vmx_exit_cr() is to do it.
 */
bool vmx_plain_cr(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);
	u32 gpr = XQ_CR_GPR(q);

	/* the VMCS holds RSP */
	if (XQ_CR_TYPE(q) != XQ_CR_MOV_TO || gpr == MHV_RSP)
		return false;
	switch (XQ_CR_NUMBER(q)) {
	case 0:
		return vmx_plain_cr0(v, v->gpr[gpr]);
	case 3:
		return vmx_plain_cr3(v, v->gpr[gpr]);
	case 4:
		return vmx_plain_cr4(v, v->gpr[gpr]);
	}
	return false;
}

/* ---- debug registers ------------------------------------------------------- */

/* False: #GP. */
static bool vmx_write_dr(struct mhv_vcpu *v, u32 dr, u64 value)
{
	if (dr < 4) {
		v->dr[dr] = value;
		return true;
	}
	if (value >> 32)
		return false;
	if (dr == 6) {
		v->dr6 = (value & VMX_DR6_CAUSES) | VMX_DR6_FIXED;
	} else {
		v->dr7 = (value & VMX_DR7_VALID) | VMX_DR7_FIXED;
		vmcs_write(VMCS_GUEST_DR7, v->dr7);
	}
	return true;
}

/* False after an exception was queued. */
static bool vmx_dr_allowed(struct mhv_vcpu *v, u32 dr)
{
	if ((dr == 4 || dr == 5) && (vmx_cr4(v) & X86_CR4_DE)) {
		mhv_queue_ud(v);
		return false;
	}
	if (vmx_cpl() && (vmx_cr0(v) & X86_CR0_PE)) {
		mhv_queue_gp(v);
		return false;
	}
	if (vmcs_read(VMCS_GUEST_DR7) & VMX_DR7_GD) {
		v->dr6 |= VMX_DR6_BD;
		v->dr7 &= ~VMX_DR7_GD;
		vmcs_write(VMCS_GUEST_DR7, v->dr7);
		mhv_queue_exception(v, X86_TRAP_DB, false, 0);
		return false;
	}
	return true;
}

/*
 * MOV to and from debug registers.  The exit comes before the CPU's own checks: #UD for
 * the aliases DR4 and DR5 where CR4.DE forbids them, #GP for the privilege level, #DB
 * for general detect.
 */
enum mhv_next vmx_exit_dr(struct mhv_vcpu *v)
{
	u64 q = vmcs_read(VMCS_EXIT_QUALIFICATION);
	u32 dr = XQ_DR_NUMBER(q), gpr = XQ_DR_GPR(q);

	if (!vmx_dr_allowed(v, dr))
		return MHV_NEXT_RESUME;
	if (dr == 4 || dr == 5)
		dr += 2;
	if (q & XQ_DR_MOV_FROM) {
		vmx_write_gpr(v, gpr, dr < 4 ? v->dr[dr] : dr == 6 ? v->dr6 :
			      vmcs_read(VMCS_GUEST_DR7));
	} else if (!vmx_write_dr(v, dr, vmx_gpr_operand(v, gpr))) {
		mhv_queue_gp(v);
		return MHV_NEXT_RESUME;
	}
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}

/* ---- XCR0 ------------------------------------------------------------------ */

enum mhv_next vmx_exit_xsetbv(struct mhv_vcpu *v)
{
	u64 value = (u32)v->gpr[MHV_RAX] | v->gpr[MHV_RDX] << 32;

	/* OSXSAVE clear is #UD, and goes before the exit */
	if (vmx_cpl() || (u32)v->gpr[MHV_RCX] || !vmx_xcr0_valid(value)) {
		mhv_queue_gp(v);
		return MHV_NEXT_RESUME;
	}
	v->xcr0 = value;
	vmx_skip(v, vmcs_read(VMCS_EXIT_INSN_LEN));
	return MHV_NEXT_RESUME;
}
