// SPDX-License-Identifier: GPL-2.0-only
/* Guest registers between the VMCS and the structures of the interface. */
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../mmu/mmu.h"
#include "vmx.h"

/* enum mhv_seg and the VMCS's groups use the hardware's order. */
static_assert(MHV_SEG_ES == (int)VMCS_SEG_ES && MHV_SEG_TR == (int)VMCS_SEG_TR);

/**
 * vmx_cache_regs - fetch RIP, RSP and RFLAGS into the vCPU
 * @v: a loaded vCPU; what user space wrote since the exit is kept
 */
void vmx_cache_regs(struct mhv_vcpu *v)
{
	if (!(v->cached & MHV_REG_RIP))
		v->rip = vmcs_read(VMCS_GUEST_RIP);
	if (!(v->cached & MHV_REG_RSP))
		v->gpr[MHV_RSP] = vmcs_read(VMCS_GUEST_RSP);
	if (!(v->cached & MHV_REG_RFLAGS))
		v->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	v->cached = MHV_REG_ALL;
}

/**
 * vmx_cpl - current privilege level
 *
 * Return: 0..3; SS.DPL is the CPL in every mode but virtual-8086 and real mode,
 * where the CPU keeps it at 3 and 0.
 */
unsigned int vmx_cpl(void)
{
	return (vmcs_read(VMCS_GUEST_SS_AR) & SEG_AR_DPL_MASK) >> SEG_AR_DPL_SHIFT;
}

/**
 * vmx_skip - move RIP past the instruction that exited
 * @v: a loaded vCPU
 * @insn_len: bytes
 *
 * Ends the shadow of STI and MOV SS, and lets a single step trap.
 */
void vmx_skip(struct mhv_vcpu *v, u32 insn_len)
{
	u64 old;

	vmx_cache_regs(v);
	old = v->rip;
	v->rip += insn_len;
	if (unlikely((old ^ v->rip) >> 32) &&
	    !(vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L))
		v->rip = (u32)v->rip;
	v->dirty |= MHV_REG_RIP;
	vmx_retire(v);
}

/**
 * vmx_retire - an instruction is complete: what the CPU does besides moving RIP
 * @v: a loaded vCPU with its registers cached
 */
void vmx_retire(struct mhv_vcpu *v)
{
	u32 state = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (unlikely(state & (INTR_STATE_STI | INTR_STATE_MOV_SS)))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   state & ~(INTR_STATE_STI | INTR_STATE_MOV_SS));
	/* with BTF only branches trap */
	if (unlikely(v->rflags & X86_EFLAGS_RF)) {
		v->rflags &= ~(u64)X86_EFLAGS_RF;
		v->dirty |= MHV_REG_RFLAGS;
	}
	if (unlikely(v->rflags & X86_EFLAGS_TF) &&
	    !(vmcs_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTLMSR_BTF))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

static enum guest_paging vmx_paging(struct mhv_vcpu *v)
{
	if (v->efer & EFER_LMA)
		return GUEST_PAGING_4LEVEL;
	if (!(vmx_cr0(v) & X86_CR0_PG))
		return GUEST_PAGING_NONE;
	return vmx_cr4(v) & X86_CR4_PAE ? GUEST_PAGING_PAE : GUEST_PAGING_32BIT;
}

/**
 * vmx_get_code - where the guest executes
 * @v: a loaded vCPU; its registers are cached by this
 * @code: filled in
 */
void vmx_get_code(struct mhv_vcpu *v, struct mhv_code *code)
{
	u32 ar = vmcs_read(VMCS_GUEST_CS_AR);

	vmx_cache_regs(v);
	code->cr3 = vmx_cr3(v);
	if (likely((v->efer & EFER_LMA) && (ar & SEG_AR_L))) {
		code->rip = v->rip;
		code->kind = MHV_CODE_KIND(MHV_MODE_64, GUEST_PAGING_4LEVEL);
		return;
	}
	code->rip = (u32)(v->rip + vmcs_read(VMCS_GUEST_CS_BASE));
	code->kind = MHV_CODE_KIND(ar & SEG_AR_DB ? MHV_MODE_32 : MHV_MODE_16, vmx_paging(v));
}

/**
 * vmx_real_mode - is the guest in real or virtual-8086 mode
 * @v: a loaded vCPU
 */
bool vmx_real_mode(struct mhv_vcpu *v)
{
	if (v->efer & EFER_LMA)
		return false;
	return !(vmx_cr0(v) & X86_CR0_PE) || (vmx_rflags(v) & X86_EFLAGS_VM);
}

/**
 * vmx_get_segment - one segment register
 * @v: a loaded vCPU
 * @seg: enum mhv_seg
 * @s: filled in
 */
void vmx_get_segment(struct mhv_vcpu *v, int seg, struct mhv_segment *s)
{
	u32 ar = vmcs_read(VMCS_GUEST_AR(seg));

	memset(s, 0, sizeof(*s));
	s->base = vmcs_read(VMCS_GUEST_BASE(seg));
	s->limit = vmcs_read(VMCS_GUEST_LIMIT(seg));
	s->selector = vmcs_read(VMCS_GUEST_SELECTOR(seg));
	s->type = ar & SEG_AR_TYPE_MASK;
	s->s = !!(ar & SEG_AR_S);
	s->dpl = (ar & SEG_AR_DPL_MASK) >> SEG_AR_DPL_SHIFT;
	s->present = !!(ar & SEG_AR_P);
	s->avl = !!(ar & SEG_AR_AVL);
	s->l = !!(ar & SEG_AR_L);
	s->db = !!(ar & SEG_AR_DB);
	s->g = !!(ar & SEG_AR_G);
	s->unusable = !!(ar & SEG_AR_UNUSABLE);
}

static u32 vmx_pack_ar(const struct mhv_segment *s)
{
	/* the DPL of an unusable SS is still the CPL */
	return s->type | (s->s ? SEG_AR_S : 0) | s->dpl << SEG_AR_DPL_SHIFT |
	       (s->present ? SEG_AR_P : 0) | (s->avl ? SEG_AR_AVL : 0) |
	       (s->l ? SEG_AR_L : 0) | (s->db ? SEG_AR_DB : 0) | (s->g ? SEG_AR_G : 0) |
	       (s->unusable ? SEG_AR_UNUSABLE : 0);
}

static void vmx_set_segment(int seg, const struct mhv_segment *s)
{
	u32 ar = vmx_pack_ar(s);

	/* a segment in use was accessed; the entry checks insist */
	if (seg <= MHV_SEG_GS && s->s && !s->unusable)
		ar |= 1;
	vmcs_write(VMCS_GUEST_SELECTOR(seg), s->selector);
	vmcs_write(VMCS_GUEST_BASE(seg), s->base);
	vmcs_write(VMCS_GUEST_LIMIT(seg), s->limit);
	vmcs_write(VMCS_GUEST_AR(seg), ar);
}

/* The segments of mhv_sregs in the hardware's order. */
static const struct mhv_segment *vmx_sregs_segment(const struct mhv_sregs *s, int seg)
{
	const struct mhv_segment *order[] = {
		[MHV_SEG_ES] = &s->es, [MHV_SEG_CS] = &s->cs, [MHV_SEG_SS] = &s->ss,
		[MHV_SEG_DS] = &s->ds, [MHV_SEG_FS] = &s->fs, [MHV_SEG_GS] = &s->gs,
		[MHV_SEG_LDTR] = &s->ldt, [MHV_SEG_TR] = &s->tr,
	};

	return order[seg];
}

/**
 * vmx_get_sregs - all that is not a general register
 * @v: a loaded vCPU
 * @s: filled in
 */
void vmx_get_sregs(struct mhv_vcpu *v, struct mhv_sregs *s)
{
	int seg;

	memset(s, 0, sizeof(*s));
	for (seg = 0; seg < MHV_NR_SEGS; seg++)
		vmx_get_segment(v, seg, (struct mhv_segment *)vmx_sregs_segment(s, seg));
	s->gdt.base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	s->gdt.limit = vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	s->idt.base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	s->idt.limit = vmcs_read(VMCS_GUEST_IDTR_LIMIT);
	s->cr0 = vmx_cr0(v);
	s->cr2 = v->cr2;
	s->cr3 = vmx_cr3(v);
	s->cr4 = vmx_cr4(v);
	s->cr8 = vmx_cr8(v);
	s->efer = v->efer;
	s->xcr0 = v->xcr0;
	memcpy(s->dr, v->dr, sizeof(s->dr));
	s->dr6 = v->dr6;
	s->dr7 = vmcs_read(VMCS_GUEST_DR7);
}

static bool vmx_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

static bool vmx_segment_valid(const struct mhv_segment *s, bool wide_base)
{
	if (s->type > 15 || s->s > 1 || s->dpl > 3 || s->present > 1 || s->avl > 1 ||
	    s->l > 1 || s->db > 1 || s->g > 1 || s->unusable > 1 ||
	    memchr_inv(s->reserved, 0, sizeof(s->reserved)))
		return false;
	if (s->unusable)
		return vmx_canonical(s->base);
	/* the limit must be one that the granularity can express */
	if (s->g ? (s->limit & 0xfff) != 0xfff : s->limit > 0xfffff)
		return false;
	return wide_base ? vmx_canonical(s->base) : !(s->base >> 32);
}

static bool vmx_segments_valid(const struct mhv_sregs *s)
{
	int seg;

	for (seg = 0; seg < MHV_NR_SEGS; seg++) {
		bool wide = seg == MHV_SEG_FS || seg == MHV_SEG_GS ||
			    seg == MHV_SEG_LDTR || seg == MHV_SEG_TR;

		if (!vmx_segment_valid(vmx_sregs_segment(s, seg), wide))
			return false;
	}
	return !memchr_inv(s->gdt.reserved, 0, sizeof(s->gdt.reserved)) &&
	       !memchr_inv(s->idt.reserved, 0, sizeof(s->idt.reserved)) &&
	       vmx_canonical(s->gdt.base) && vmx_canonical(s->idt.base);
}

/* The rules that tie control registers to each other. */
static bool vmx_controls_valid(struct mhv_vcpu *v, const struct mhv_sregs *s)
{
	bool paging = s->cr0 & X86_CR0_PG;
	bool lma = s->efer & EFER_LMA;

	if (!vmx_cr0_valid(s->cr0) || !vmx_cr4_valid(v, s->cr4) ||
	    !vmx_efer_valid(v, s->efer & ~EFER_LMA) || !vmx_xcr0_valid(s->xcr0))
		return false;
	if (lma != (paging && (s->efer & EFER_LME)))
		return false;
	if (lma && !(s->cr4 & X86_CR4_PAE))
		return false;
	if (s->cs.l && (!lma || s->cs.db))
		return false;
	if ((s->cr4 & X86_CR4_PCIDE) && !lma)
		return false;
	if (s->cr3 >> mhv_guest_phys_bits(v))
		return false;
	return s->cr8 <= 15;
}

static bool vmx_debug_valid(const struct mhv_sregs *s)
{
	return !(s->dr6 & ~(VMX_DR6_FIXED | VMX_DR6_CAUSES)) &&
	       !(s->dr7 & ~(VMX_DR7_VALID | VMX_DR7_FIXED));
}

/**
 * vmx_load_pdptes - set the four entries that PAE paging works with
 * @v: a loaded vCPU
 * @pdpte: as in guest memory
 */
void vmx_load_pdptes(struct mhv_vcpu *v, const u64 pdpte[4])
{
	int i;

	if (v->vm->shadow) {
		memcpy(v->pdpte, pdpte, sizeof(v->pdpte));
		return;
	}
	for (i = 0; i < 4; i++)
		vmcs_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
}

/**
 * vmx_write_cr3 - set CR3
 * @v: a loaded vCPU
 * @cr3: a valid value
 *
 * With shadow paging the CPU has another one: vmx_set_root().
 */
void vmx_write_cr3(struct mhv_vcpu *v, u64 cr3)
{
	if (v->vm->shadow)
		v->cr3 = cr3;
	else
		vmcs_write(VMCS_GUEST_CR3, cr3);
}

static void vmx_set_dtables(const struct mhv_sregs *s)
{
	vmcs_write(VMCS_GUEST_GDTR_BASE, s->gdt.base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, s->idt.base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
}

/**
 * vmx_set_sregs - all that is not a general register
 * @v: a loaded vCPU
 * @s: what to set
 *
 * Return: 0, or -EINVAL with nothing changed when no CPU could be in that state.
 */
int vmx_set_sregs(struct mhv_vcpu *v, const struct mhv_sregs *s)
{
	u64 pdpte[4] = {};
	int seg;

	if (memchr_inv(s->reserved, 0, sizeof(s->reserved)) || !vmx_segments_valid(s) ||
	    !vmx_controls_valid(v, s) || !vmx_debug_valid(s))
		return -EINVAL;
	if ((s->cr0 & X86_CR0_PG) && (s->cr4 & X86_CR4_PAE) && !(s->efer & EFER_LMA) &&
	    !mhv_read_pdptes(v, s->cr3, pdpte))
		return -EINVAL;

	for (seg = 0; seg < MHV_NR_SEGS; seg++)
		vmx_set_segment(seg, vmx_sregs_segment(s, seg));
	vmx_set_dtables(s);
	vmx_write_efer(v, s->efer);
	vmx_write_cr0(v, s->cr0);
	vmx_write_cr4(v, s->cr4);
	vmx_write_cr3(v, s->cr3);
	vmx_load_pdptes(v, pdpte);
	v->cr2 = s->cr2;
	vmx_write_cr8(v, s->cr8);
	v->xcr0 = s->xcr0;
	memcpy(v->dr, s->dr, sizeof(v->dr));
	v->dr6 = s->dr6 | VMX_DR6_FIXED;
	vmcs_write(VMCS_GUEST_DR7, s->dr7 | VMX_DR7_FIXED);
	v->dr7 = s->dr7 | VMX_DR7_FIXED;
	set_bit(MHV_REQ_TLB_FLUSH, &v->requests);
	return 0;
}

/**
 * vmx_get_paging - what decides how a gva is translated
 * @v: a loaded vCPU
 * @p: filled in
 */
void vmx_get_paging(struct mhv_vcpu *v, struct mhv_paging_state *p)
{
	int i;

	p->cr0 = vmx_cr0(v);
	p->cr3 = vmx_cr3(v);
	p->cr4 = vmx_cr4(v);
	p->efer = v->efer;
	p->rflags = vmx_rflags(v);
	p->cpl = vmx_cpl();
	if ((p->cr4 & X86_CR4_PAE) && !(p->efer & EFER_LMA))
		for (i = 0; i < 4; i++)
			p->pdpte[i] = v->vm->shadow ? v->pdpte[i] :
				      vmcs_read(VMCS_GUEST_PDPTE0 + 2 * i);
}
