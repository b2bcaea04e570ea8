// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cases for vmx_check(): valid guests of each kind, and each rule broken by itself.
 *
 * A field that the check asks for and that neither the base nor the case holds is
 * one that the processor might not have: the case then fails.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "../vmx/check.h"
#include "../vmx/vmcs.h"
#include "check_cases.h"

#define WORD(must, may)	((u64)(may) << 32 | (must))

#define PHYS_TOO_FAR	BIT_ULL(39)
#define BAD_CANONICAL	0x0000800000000000ull
#define PAT_RESET	0x0007040600070406ull

static const struct vmx_check_caps cpus[] = {
	[CHECK_CPU_FULL] = {
		.basic = 0x12 | 0x1000ull << 32 | VMX_BASIC_INS_OUTS_INFO |
			 VMX_BASIC_TRUE_CONTROLS,
		.misc = 5 | VMX_MISC_ACTIVITY_HLT | VMX_MISC_ACTIVITY_SHUTDOWN |
			VMX_MISC_ACTIVITY_WAIT_SIPI | 4 << 16,
		.ept_vpid = EPT_CAP_WALK_4 | EPT_CAP_UC | EPT_CAP_WB | EPT_CAP_AD,
		.vmfunc = BIT_ULL(0),
		.pin = WORD(0x16, 0xff),
		.cpu = WORD(0x04006172, 0xfffbfffe),
		.cpu2 = WORD(0, 0xdfffffff),
		.cpu3 = BIT_ULL(4),
		.exit = WORD(0x00036dfb, 0xf7ffffff),
		.exit2 = BIT_ULL(3),
		.entry = WORD(0x000011fb, 0x0077ffff),
		.cr0_fixed0 = X86_CR0_PG | X86_CR0_NE | X86_CR0_PE,
		.cr0_fixed1 = 0xffffffff,
		.cr4_fixed0 = X86_CR4_VMXE,
		.cr4_fixed1 = 0x00b767ff,
		.phys_bits = 39,
		.linear_bits = 48,
	},
	/* EPT without accessed and dirty flags, HLT and its like; injects with length 0 */
	[CHECK_CPU_OLD] = {
		.basic = 0x12 | 0x1000ull << 32 | VMX_BASIC_TRUE_CONTROLS |
			 VMX_BASIC_ANY_ERROR_CODE,
		.misc = VMX_MISC_INSN_LEN_0,
		.pin = WORD(0x16, 0x3f),
		.cpu = WORD(0x04006172, 0xf7b9fffe),
		.cpu2 = WORD(0, CPU2_EPT | CPU2_VPID | CPU2_RDTSCP),
		.ept_vpid = EPT_CAP_WALK_4 | EPT_CAP_WB,
		.exit = WORD(0x00036dfb, 0x003fffff),
		.entry = WORD(0x000011fb, 0x0000ffff),
		.cr0_fixed0 = X86_CR0_PG | X86_CR0_NE | X86_CR0_PE,
		.cr0_fixed1 = 0xffffffff,
		.cr4_fixed0 = X86_CR4_VMXE,
		.cr4_fixed1 = 0x27ff,
		.phys_bits = 39,
		.linear_bits = 48,
	},
};

#define LONG_PIN	(0x16 | PIN_EXT_INTR_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS)
#define LONG_CPU	(0x04006172 | CPU_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_TPR_SHADOW | \
			 CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_SECONDARY_CONTROLS)
#define LONG_CPU2	(CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED_GUEST | CPU2_RDTSCP)
#define LONG_EXIT	(0x00036dfb | EXIT_HOST_64BIT | EXIT_ACK_INTR | EXIT_LOAD_PAT | \
			 EXIT_SAVE_PAT | EXIT_LOAD_EFER | EXIT_SAVE_EFER)
#define ENTRY_32BIT	(0x000011fb | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER | \
			 ENTRY_LOAD_DEBUG_CONTROLS)
#define LONG_ENTRY	(ENTRY_32BIT | ENTRY_IA32E_MODE)
#define NX_LM		(EFER_NX | EFER_LMA | EFER_LME | EFER_SCE)

#define AR_CODE64	0xa09b
#define AR_CODE32	0xc09b
#define AR_DATA32	0xc093
#define AR_LDT		0x0082
#define AR_TSS		0x008b

#define F(f, v)		{ CHECK_FIELD | VMCS_##f, v }
#define SEG(r, sel, base, limit, ar) \
	F(GUEST_##r##_SELECTOR, sel), F(GUEST_##r##_BASE, base), \
	F(GUEST_##r##_LIMIT, limit), F(GUEST_##r##_AR, ar)

/* All that CHECK_LONG holds; the others change it. */
static const struct check_value long_fields[] = {
	F(CTRL_PIN, LONG_PIN), F(CTRL_CPU, LONG_CPU), F(CTRL_CPU2, LONG_CPU2),
	F(CTRL_EXIT, LONG_EXIT), F(CTRL_ENTRY, LONG_ENTRY),
	F(CTRL_IO_BITMAP_A, 0x10000), F(CTRL_IO_BITMAP_B, 0x11000),
	F(CTRL_MSR_BITMAP, 0x12000), F(CTRL_VIRTUAL_APIC_ADDR, 0x13000),
	F(CTRL_EPTP, 0x14000 | EPTP_WALK_4 | VMX_MEMTYPE_WB), F(CTRL_VPID, 1),
	F(CTRL_TPR_THRESHOLD, 0), F(CTRL_CR3_TARGET_COUNT, 0),
	F(CTRL_EXIT_MSR_STORE_COUNT, 0), F(CTRL_EXIT_MSR_LOAD_COUNT, 0),
	F(CTRL_ENTRY_MSR_LOAD_COUNT, 0), F(CTRL_ENTRY_INTR_INFO, 0),

	F(HOST_CR0, 0x80050033), F(HOST_CR3, 0x1000), F(HOST_CR4, 0x3626e0),
	F(HOST_SYSENTER_ESP, 0xfffffe0000002200), F(HOST_SYSENTER_EIP, 0xffffffff81a01510),
	F(HOST_PAT, PAT_RESET), F(HOST_EFER, NX_LM), F(HOST_RIP, 0xffffffffc0123456),
	F(HOST_ES_SELECTOR, 0), F(HOST_CS_SELECTOR, 0x10), F(HOST_SS_SELECTOR, 0x18),
	F(HOST_DS_SELECTOR, 0), F(HOST_FS_SELECTOR, 0), F(HOST_GS_SELECTOR, 0),
	F(HOST_TR_SELECTOR, 0x40), F(HOST_FS_BASE, 0x7f1200000000),
	F(HOST_GS_BASE, 0xffff888000000000), F(HOST_TR_BASE, 0xfffffe0000003000),
	F(HOST_GDTR_BASE, 0xfffffe0000001000), F(HOST_IDTR_BASE, 0xfffffe0000000000),

	F(GUEST_CR0, 0x80050033), F(GUEST_CR3, 0x2000), F(GUEST_CR4, 0x20a0),
	F(GUEST_DEBUGCTL, 0), F(GUEST_DR7, 0x400), F(GUEST_SYSENTER_ESP, 0),
	F(GUEST_SYSENTER_EIP, 0), F(GUEST_PAT, PAT_RESET), F(GUEST_EFER, NX_LM),
	SEG(CS, 0x10, 0, 0xffffffff, AR_CODE64), SEG(SS, 0x18, 0, 0xffffffff, AR_DATA32),
	SEG(DS, 0x18, 0, 0xffffffff, AR_DATA32), SEG(ES, 0x18, 0, 0xffffffff, AR_DATA32),
	SEG(FS, 0, 0, 0xffffffff, SEG_AR_UNUSABLE), SEG(GS, 0, 0, 0xffffffff, SEG_AR_UNUSABLE),
	SEG(TR, 0x40, 0x5000, 0x67, AR_TSS), SEG(LDTR, 0x48, 0x6000, 0xffff, AR_LDT),
	F(GUEST_GDTR_BASE, 0x7000), F(GUEST_GDTR_LIMIT, 0x7f),
	F(GUEST_IDTR_BASE, 0x8000), F(GUEST_IDTR_LIMIT, 0xfff),
	F(GUEST_RIP, 0xffffffff81000000), F(GUEST_RFLAGS, 0x2), F(GUEST_ACTIVITY, 0),
	F(GUEST_INTERRUPTIBILITY, 0), F(GUEST_PENDING_DEBUG, 0),
	F(GUEST_LINK_POINTER, ~0ull),
};

#define NOT_LONG	F(CTRL_ENTRY, ENTRY_32BIT), F(GUEST_EFER, 0), F(GUEST_RIP, 0x1000)

static const struct check_value real_changes[] = {
	NOT_LONG, F(GUEST_CR0, 0x30), F(GUEST_CR4, X86_CR4_VMXE),
	SEG(CS, 0xf000, 0xf0000, 0xffff, 0x9b), SEG(SS, 0, 0, 0xffff, 0x93),
	SEG(DS, 0, 0, 0xffff, 0x93), SEG(ES, 0, 0, 0xffff, 0x93),
	SEG(FS, 0, 0, 0xffff, 0x93), SEG(GS, 0, 0, 0xffff, 0x93), {}
};

#define PROTECTED_CHANGES \
	NOT_LONG, F(CTRL_CPU2, LONG_CPU2 & ~CPU2_UNRESTRICTED_GUEST), \
	F(GUEST_CR4, X86_CR4_VMXE), SEG(CS, 0x10, 0, 0xffffffff, AR_CODE32)

static const struct check_value protected_changes[] = { PROTECTED_CHANGES, {} };

static const struct check_value pae_changes[] = {
	PROTECTED_CHANGES, F(GUEST_CR4, X86_CR4_VMXE | X86_CR4_PAE), F(GUEST_PDPTE0, 0x9001),
	F(GUEST_PDPTE1, 0xa019), F(GUEST_PDPTE2, 0), F(GUEST_PDPTE3, ~1ull), {}
};

static const struct check_value shadow_pae_changes[] = {
	PROTECTED_CHANGES, F(CTRL_CPU2, CPU2_VPID), F(GUEST_CR4, X86_CR4_VMXE | X86_CR4_PAE), {}
};

static const struct check_value v8086_changes[] = {
	PROTECTED_CHANGES, F(GUEST_RFLAGS, X86_EFLAGS_VM | 2),
	SEG(CS, 0x1234, 0x12340, 0xffff, 0xf3), SEG(SS, 0x5678, 0x56780, 0xffff, 0xf3),
	SEG(DS, 0, 0, 0xffff, 0xf3), SEG(ES, 1, 0x10, 0xffff, 0xf3),
	SEG(FS, 2, 0x20, 0xffff, 0xf3), SEG(GS, 0xffff, 0xffff0, 0xffff, 0xf3), {}
};

static const struct check_value minimal_changes[] = {
	PROTECTED_CHANGES, F(CTRL_PIN, 0x16), F(CTRL_CPU, 0x0401e172),
	F(CTRL_EXIT, 0x00036fff), F(CTRL_ENTRY, 0x000011ff),
	F(HOST_CR4, 0x26e0), {}
};

static const struct check_value *const base_changes[CHECK_BASES] = {
	[CHECK_REAL] = real_changes,
	[CHECK_PROTECTED] = protected_changes,
	[CHECK_PAE] = pae_changes,
	[CHECK_SHADOW_PAE] = shadow_pae_changes,
	[CHECK_V8086] = v8086_changes,
	[CHECK_MINIMAL] = minimal_changes,
};

/* Fields that a processor of CHECK_MINIMAL need not have. */
static const u32 optional_fields[] = {
	VMCS_CTRL_CPU2, VMCS_CTRL_VPID, VMCS_CTRL_EPTP, VMCS_CTRL_IO_BITMAP_A,
	VMCS_CTRL_IO_BITMAP_B, VMCS_CTRL_MSR_BITMAP, VMCS_CTRL_VIRTUAL_APIC_ADDR,
	VMCS_CTRL_TPR_THRESHOLD, VMCS_GUEST_PAT, VMCS_GUEST_EFER, VMCS_HOST_PAT,
	VMCS_HOST_EFER,
};

#define INTR(type, vec)		(INTR_INFO_VALID | INTR_##type | (vec))
#define INTR_CODE(type, vec)	(INTR(type, vec) | INTR_INFO_ERROR_CODE)
#define EVENT(type, vec)	F(CTRL_ENTRY_INTR_INFO, INTR(type, vec))
#define EVENT_CODE(type, vec, code) \
	F(CTRL_ENTRY_INTR_INFO, INTR_CODE(type, vec)), F(CTRL_ENTRY_ERROR_CODE, code)

/* A valid VMCS; a case with one finding; one with memory, or with several findings. */
#define GOOD(b, ...)		{ .base = CHECK_##b, .set = { __VA_ARGS__ } }
#define BAD(b, f, r, ...)	{ .base = CHECK_##b, .field = #f, .rule = r, .findings = 1, \
				  .set = { __VA_ARGS__ } }
#define BAD_N(n, b, f, r, ...)	{ .base = CHECK_##b, .field = #f, .rule = r, .findings = n, \
				  .set = { __VA_ARGS__ } }

/* A change of one field, which is the one to be blamed. */
#define ONE(b, f, v, r)		BAD(b, f, r, F(f, v))

/* Addresses: aligned, within the physical width; @...: what brings them into use. */
#define ADDRESS(b, f, align, ...) \
	BAD(b, f, align " aligned", F(f, 0x10008), __VA_ARGS__), \
	BAD(b, f, "beyond the physical", F(f, PHYS_TOO_FAR), __VA_ARGS__)
#define PAGE(b, f, ...)		ADDRESS(b, f, "4 KiB", __VA_ARGS__)

#define SEG_COMMON(b, r, limit, ar) \
	ONE(b, GUEST_##r##_AR, (ar) ^ SEG_AR_S, "bit 4 (S)"), \
	ONE(b, GUEST_##r##_AR, (ar) ^ SEG_AR_P, "bit 7 (P)"), \
	ONE(b, GUEST_##r##_AR, (ar) | BIT(8), "bits 11:8 and 31:17"), \
	ONE(b, GUEST_##r##_AR, (ar) | BIT(11), "bits 11:8 and 31:17"), \
	ONE(b, GUEST_##r##_AR, (ar) | BIT(17), "bits 11:8 and 31:17"), \
	ONE(b, GUEST_##r##_AR, (ar) | BIT(31), "bits 11:8 and 31:17"), \
	BAD(b, GUEST_##r##_AR, "unless bits 11:0", F(GUEST_##r##_AR, (ar) | SEG_AR_G), \
	    F(GUEST_##r##_LIMIT, 0x7ffe)), \
	BAD(b, GUEST_##r##_AR, "when bits 31:20", F(GUEST_##r##_AR, (ar) & ~SEG_AR_G), \
	    F(GUEST_##r##_LIMIT, 0x100fff))

#define HOST_SELECTOR(r) \
	ONE(LONG, HOST_##r##_SELECTOR, 0x43, "bits 2:0"), \
	ONE(LONG, HOST_##r##_SELECTOR, 0x44, "bits 2:0")

#define CANONICAL(f)	ONE(LONG, f, BAD_CANONICAL, "must be canonical")

#define MSR_AREA(k) \
	BAD(LONG, CTRL_##k##_ADDR, "16-byte", F(CTRL_##k##_COUNT, 1), \
	    F(CTRL_##k##_ADDR, 0x10008)), \
	BAD(LONG, CTRL_##k##_ADDR, "passes the physical", F(CTRL_##k##_COUNT, 1), \
	    F(CTRL_##k##_ADDR, PHYS_TOO_FAR)), \
	BAD(LONG, CTRL_##k##_ADDR, "passes the physical", F(CTRL_##k##_COUNT, 2), \
	    F(CTRL_##k##_ADDR, PHYS_TOO_FAR - 16)), \
	GOOD(LONG, F(CTRL_##k##_COUNT, 1), F(CTRL_##k##_ADDR, PHYS_TOO_FAR - 16))

#define LONG_PIN_POSTED	F(CTRL_PIN, LONG_PIN | PIN_POSTED_INTR), F(CTRL_POSTED_INTR_VECTOR, 0xf2), \
			F(CTRL_CPU2, LONG_CPU2 | CPU2_VIRTUAL_INTR_DELIVERY)
#define LONG_CPU2_WITH(bits)	F(CTRL_CPU2, LONG_CPU2 | (bits))
#define DESC(v)			F(CTRL_POSTED_INTR_DESC, v)

const struct check_case check_cases[] = {
	/* valid as they are */
	GOOD(LONG), GOOD(REAL), GOOD(PROTECTED), GOOD(PAE), GOOD(SHADOW_PAE), GOOD(V8086),
	GOOD(MINIMAL),
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD },

	/* reserved bits of the controls */
	ONE(LONG, CTRL_PIN, LONG_PIN & ~BIT(1), "bit 1 must be 1"),
	ONE(LONG, CTRL_PIN, LONG_PIN | BIT(8), "bit 8 must be 0"),
	ONE(LONG, CTRL_CPU, LONG_CPU & ~BIT(1), "bit 1 must be 1"),
	ONE(LONG, CTRL_CPU, LONG_CPU | BIT(0), "bit 0 must be 0"),
	ONE(LONG, CTRL_CPU2, LONG_CPU2 | BIT(29), "bit 29 must be 0"),
	ONE(LONG, CTRL_EXIT, LONG_EXIT & ~BIT(0), "bit 0 must be 1"),
	ONE(LONG, CTRL_EXIT, LONG_EXIT | BIT(27), "bit 27 must be 0"),
	ONE(LONG, CTRL_ENTRY, LONG_ENTRY & ~BIT(12), "bit 12 must be 1"),
	ONE(LONG, CTRL_ENTRY, LONG_ENTRY | BIT(31), "bit 31 must be 0"),
	BAD(LONG, CTRL_TERTIARY, "bit 63 must be 0",
	    F(CTRL_CPU, LONG_CPU | CPU_TERTIARY_CONTROLS), F(CTRL_TERTIARY, BIT_ULL(63))),
	GOOD(LONG, F(CTRL_CPU, LONG_CPU | CPU_TERTIARY_CONTROLS), F(CTRL_TERTIARY, BIT(4))),
	BAD(LONG, CTRL_EXIT2, "bit 0 must be 0",
	    F(CTRL_EXIT, LONG_EXIT | EXIT_SECONDARY_CONTROLS), F(CTRL_EXIT2, 9)),

	/* addresses */
	PAGE(LONG, CTRL_IO_BITMAP_A), PAGE(LONG, CTRL_IO_BITMAP_B),
	PAGE(LONG, CTRL_MSR_BITMAP), PAGE(LONG, CTRL_VIRTUAL_APIC_ADDR),
	PAGE(LONG, CTRL_APIC_ACCESS_ADDR, LONG_CPU2_WITH(CPU2_VIRTUAL_APIC_ACCESSES)),
	ADDRESS(LONG, CTRL_POSTED_INTR_DESC, "64-byte", LONG_PIN_POSTED),
	PAGE(LONG, CTRL_PML_ADDR, LONG_CPU2_WITH(CPU2_PML)),
	PAGE(LONG, CTRL_SPP_TABLE, LONG_CPU2_WITH(CPU2_SUB_PAGE_WRITE)),
	PAGE(LONG, CTRL_VE_INFO_ADDR, LONG_CPU2_WITH(CPU2_EPT_VE)),
	PAGE(LONG, CTRL_VMREAD_BITMAP, LONG_CPU2_WITH(CPU2_VMCS_SHADOWING),
	     F(CTRL_VMWRITE_BITMAP, 0)),
	PAGE(LONG, CTRL_VMWRITE_BITMAP, LONG_CPU2_WITH(CPU2_VMCS_SHADOWING),
	     F(CTRL_VMREAD_BITMAP, 0)),

	/* interrupt controls */
	ONE(LONG, CTRL_PIN, LONG_PIN & ~PIN_NMI_EXITING, "bit 5 (virtual NMIs) needs"),
	BAD(LONG, CTRL_CPU, "bit 22 (NMI-window", F(CTRL_PIN, LONG_PIN & ~PIN_VIRTUAL_NMIS),
	    F(CTRL_CPU, LONG_CPU | CPU_NMI_WINDOW_EXITING)),
	BAD(LONG, CTRL_CPU2, "needs external-interrupt exiting",
	    F(CTRL_PIN, LONG_PIN & ~PIN_EXT_INTR_EXITING),
	    LONG_CPU2_WITH(CPU2_VIRTUAL_INTR_DELIVERY)),
	GOOD(LONG, LONG_PIN_POSTED, DESC(0x10040)),
	BAD(LONG, CTRL_PIN, "bit 7 (posted interrupts) needs virtual-interrupt delivery",
	    LONG_PIN_POSTED, DESC(0), F(CTRL_CPU2, LONG_CPU2)),
	BAD(LONG, CTRL_PIN, "needs acknowledge", LONG_PIN_POSTED, DESC(0),
	    F(CTRL_EXIT, LONG_EXIT & ~EXIT_ACK_INTR)),
	BAD(LONG, CTRL_POSTED_INTR_VECTOR, "bits 15:8", LONG_PIN_POSTED, DESC(0),
	    F(CTRL_POSTED_INTR_VECTOR, 0x1f2)),

	/* APIC controls */
	BAD(LONG, CTRL_CPU2, "exclude each other", F(CTRL_APIC_ACCESS_ADDR, 0),
	    LONG_CPU2_WITH(CPU2_VIRTUAL_APIC_ACCESSES | CPU2_VIRTUAL_X2APIC)),
	ONE(LONG, CTRL_TPR_THRESHOLD, 0x10, "bits 31:4"),
	{ .base = CHECK_LONG, .set = { F(CTRL_TPR_THRESHOLD, 3) },
	  .mem = { { 0x13080, 0x30 } } },
	{ .base = CHECK_LONG, .field = "CTRL_TPR_THRESHOLD", .rule = "must not exceed",
	  .findings = 1, .set = { F(CTRL_TPR_THRESHOLD, 4) }, .mem = { { 0x13080, 0x30 } } },
	BAD(LONG, CTRL_CPU2, "bit 4 (virtualize x2APIC mode) needs TPR",
	    F(CTRL_CPU, LONG_CPU & ~CPU_TPR_SHADOW), LONG_CPU2_WITH(CPU2_VIRTUAL_X2APIC)),
	BAD(LONG, CTRL_CPU2, "bit 8 (APIC-register virtualization) needs TPR",
	    F(CTRL_CPU, LONG_CPU & ~CPU_TPR_SHADOW), LONG_CPU2_WITH(CPU2_APIC_REGISTER_VIRT)),
	BAD(LONG, CTRL_CPU2, "bit 9 (virtual-interrupt delivery) needs TPR",
	    F(CTRL_CPU, LONG_CPU & ~CPU_TPR_SHADOW),
	    LONG_CPU2_WITH(CPU2_VIRTUAL_INTR_DELIVERY)),

	/* EPT */
	ONE(LONG, CTRL_EPTP, 0x14000 | EPTP_WALK_4 | VMX_MEMTYPE_WT, "memory type"),
	ONE(LONG, CTRL_EPTP, 0x14000 | EPTP_WALK_5 | VMX_MEMTYPE_WB, "page-walk length"),
	ONE(LONG, CTRL_EPTP, 0x14000 | VMX_MEMTYPE_WB, "page-walk length"),
	GOOD(LONG, F(CTRL_EPTP, 0x14000 | EPTP_WALK_4 | EPTP_AD | VMX_MEMTYPE_UC)),
	{ .base = CHECK_PROTECTED, .cpu = CHECK_CPU_OLD, .field = "CTRL_EPTP",
	  .rule = "no accessed and dirty", .findings = 1,
	  .set = { F(CTRL_EPTP, 0x14000 | EPTP_WALK_4 | EPTP_AD | VMX_MEMTYPE_WB),
		   F(HOST_CR4, 0x26e0) } },
	{ .base = CHECK_PROTECTED, .cpu = CHECK_CPU_OLD, .field = "CTRL_EPTP",
	  .rule = "memory type", .findings = 1,
	  .set = { F(CTRL_EPTP, 0x14000 | EPTP_WALK_4 | VMX_MEMTYPE_UC), F(HOST_CR4, 0x26e0) } },
	ONE(LONG, CTRL_EPTP, 0x14000 | EPTP_WALK_4 | VMX_MEMTYPE_WB | EPTP_SHADOW_STACK, "bit 7"),
	ONE(LONG, CTRL_EPTP, 0x14000 | EPTP_WALK_4 | VMX_MEMTYPE_WB | BIT(8), "bits 11:8"),
	ONE(LONG, CTRL_EPTP, PHYS_TOO_FAR | EPTP_WALK_4 | VMX_MEMTYPE_WB, "beyond"),
	BAD(PROTECTED, CTRL_CPU2, "bit 7 (unrestricted guest) needs EPT",
	    F(CTRL_CPU2, CPU2_UNRESTRICTED_GUEST)),
	BAD(PROTECTED, CTRL_CPU2, "bit 17 (page-modification logging) needs EPT",
	    F(CTRL_CPU2, CPU2_PML), F(CTRL_PML_ADDR, 0)),
	BAD(PROTECTED, CTRL_CPU2, "bit 22 (mode-based execute control) needs EPT",
	    F(CTRL_CPU2, CPU2_MODE_BASED_EXEC)),
	BAD(PROTECTED, CTRL_CPU2, "bit 23 (sub-page write permissions) needs EPT",
	    F(CTRL_CPU2, CPU2_SUB_PAGE_WRITE), F(CTRL_SPP_TABLE, 0)),
	BAD(PROTECTED, CTRL_CPU2, "bit 24 (Intel PT", F(CTRL_CPU2, CPU2_PT_USES_GPA)),

	/* other controls */
	GOOD(LONG, F(CTRL_CR3_TARGET_COUNT, 4)),
	ONE(LONG, CTRL_CR3_TARGET_COUNT, 5, "more than the processor has"),
	ONE(LONG, CTRL_VPID, 0, "must not be 0"),
	BAD(LONG, CTRL_TSC_MULTIPLIER, "must not be 0", LONG_CPU2_WITH(CPU2_TSC_SCALING),
	    F(CTRL_TSC_MULTIPLIER, 0)),
	BAD(LONG, CTRL_VMFUNC, "bit 1 must be 0", LONG_CPU2_WITH(CPU2_VMFUNC),
	    F(CTRL_VMFUNC, 2)),
	BAD(LONG, CTRL_EPTP_LIST, "4 KiB", LONG_CPU2_WITH(CPU2_VMFUNC), F(CTRL_VMFUNC, 1),
	    F(CTRL_EPTP_LIST, 0x800)),
	BAD(LONG, CTRL_EPTP_LIST, "beyond", LONG_CPU2_WITH(CPU2_VMFUNC), F(CTRL_VMFUNC, 1),
	    F(CTRL_EPTP_LIST, PHYS_TOO_FAR)),
	BAD(PROTECTED, CTRL_VMFUNC, "needs EPT", F(CTRL_CPU2, CPU2_VMFUNC),
	    F(CTRL_VMFUNC, 1), F(CTRL_EPTP_LIST, 0)),
	ONE(LONG, CTRL_EXIT, LONG_EXIT | EXIT_SAVE_PREEMPTION_TIMER, "needs the timer"),
	GOOD(LONG, F(CTRL_PIN, LONG_PIN | PIN_PREEMPTION_TIMER),
	     F(CTRL_EXIT, LONG_EXIT | EXIT_SAVE_PREEMPTION_TIMER)),
	ONE(LONG, CTRL_ENTRY, LONG_ENTRY | ENTRY_TO_SMM, "bit 10 (entry to SMM)"),
	ONE(LONG, CTRL_ENTRY, LONG_ENTRY | ENTRY_NO_DUAL_MONITOR, "bit 11 (deactivate"),

	/* MSR areas */
	MSR_AREA(EXIT_MSR_STORE), MSR_AREA(EXIT_MSR_LOAD), MSR_AREA(ENTRY_MSR_LOAD),
	{ .base = CHECK_LONG, .mem = { { 0x20000, 0xc0000081 }, { 0x20010, 0x174 } },
	  .set = { F(CTRL_ENTRY_MSR_LOAD_COUNT, 2), F(CTRL_ENTRY_MSR_LOAD_ADDR, 0x20000) } },
	{ .base = CHECK_LONG, .field = "CTRL_ENTRY_MSR_LOAD_ADDR", .rule = "bits 63:32",
	  .findings = 1, .mem = { { 0x20000, 0x174 }, { 0x20010, BIT_ULL(32) | 0x174 } },
	  .set = { F(CTRL_ENTRY_MSR_LOAD_COUNT, 2), F(CTRL_ENTRY_MSR_LOAD_ADDR, 0x20000) } },
	{ .base = CHECK_LONG, .field = "CTRL_EXIT_MSR_LOAD_ADDR", .rule = "cannot be loaded",
	  .findings = 1, .mem = { { 0x20000, MSR_GS_BASE } },
	  .set = { F(CTRL_EXIT_MSR_LOAD_COUNT, 1), F(CTRL_EXIT_MSR_LOAD_ADDR, 0x20000) } },
	{ .base = CHECK_LONG, .mem = { { 0x20000, MSR_GS_BASE } },
	  .set = { F(CTRL_EXIT_MSR_STORE_COUNT, 1), F(CTRL_EXIT_MSR_STORE_ADDR, 0x20000) } },

	/* event injection */
	GOOD(LONG, EVENT(NMI, 2)), GOOD(LONG, EVENT_CODE(HARD_EXCEPTION, 14, 0xffff)),
	GOOD(LONG, EVENT(EXT, 255), F(GUEST_RFLAGS, 0x202)),
	GOOD(LONG, EVENT(SOFT, 0x80), F(CTRL_ENTRY_INSN_LEN, 2)), GOOD(LONG, EVENT(OTHER, 0)),
	GOOD(LONG, F(CTRL_ENTRY_INTR_INFO, (u32)INTR_INFO_ENTRY_RESERVED)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "no event type",
	    F(CTRL_ENTRY_INTR_INFO, INTR_INFO_VALID | 0x120)),
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD, .findings = 1,
	  .field = "CTRL_ENTRY_INTR_INFO", .rule = "no event type",
	  .set = { EVENT(OTHER, 0) } },
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "an NMI has vector 2", EVENT(NMI, 3)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "below 32", EVENT(HARD_EXCEPTION, 32)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "vector 0", EVENT(OTHER, 1)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "bits 30:12",
	    F(CTRL_ENTRY_INTR_INFO, INTR(NMI, 2) | BIT(12))),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "only hardware", EVENT_CODE(NMI, 2, 0)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "this vector has an error code",
	    EVENT(HARD_EXCEPTION, 13)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "this vector has an error code",
	    EVENT(HARD_EXCEPTION, 21)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "this vector has no error code",
	    EVENT_CODE(HARD_EXCEPTION, 6, 0)),
	BAD(LONG, CTRL_ENTRY_INTR_INFO, "this vector has no error code",
	    EVENT_CODE(HARD_EXCEPTION, 9, 0)),
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD, .set = { EVENT(HARD_EXCEPTION, 13) } },
	GOOD(REAL, EVENT(HARD_EXCEPTION, 13)),
	BAD(REAL, CTRL_ENTRY_INTR_INFO, "in real mode", EVENT_CODE(HARD_EXCEPTION, 13, 0)),
	BAD(LONG, CTRL_ENTRY_ERROR_CODE, "bits 31:16", EVENT_CODE(HARD_EXCEPTION, 14, 0x10000)),
	BAD(LONG, CTRL_ENTRY_INSN_LEN, "longer", EVENT(SOFT, 3), F(CTRL_ENTRY_INSN_LEN, 16)),
	BAD(LONG, CTRL_ENTRY_INSN_LEN, "longer", EVENT(SOFT_EXCEPTION, 3),
	    F(CTRL_ENTRY_INSN_LEN, 16)),
	BAD(LONG, CTRL_ENTRY_INSN_LEN, "must not be 0", EVENT(PRIV_SOFT_EXCEPTION, 1),
	    F(CTRL_ENTRY_INSN_LEN, 0)),
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD,
	  .set = { EVENT(SOFT, 3), F(CTRL_ENTRY_INSN_LEN, 0) } },

	/* host control registers and MSRs */
	ONE(LONG, HOST_CR0, 0x80050013, "bit 5 (NE) must be 1"),
	ONE(LONG, HOST_CR0, 0x180050033, "bit 32 must be 0"),
	GOOD(LONG, F(HOST_CR0, 0xe0050033)),
	ONE(LONG, HOST_CR4, 0x3606e0, "bit 13 (VMXE) must be 1"),
	ONE(LONG, HOST_CR4, 0x7626e0, "bit 22 (PKE) must be 0"),
	ONE(LONG, HOST_CR4, 0x3626c0, "bit 5 (PAE) must be 1 for a 64-bit host"),
	ONE(LONG, HOST_CR3, PHYS_TOO_FAR, "beyond"),
	CANONICAL(HOST_SYSENTER_ESP), CANONICAL(HOST_SYSENTER_EIP), CANONICAL(HOST_RIP),
	ONE(LONG, HOST_PAT, 0x0007040600070402, "no memory type"),
	ONE(LONG, HOST_PAT, 0x8007040600070406, "no memory type"),
	BAD(LONG, HOST_PKRS, "bits 63:32", F(CTRL_EXIT, LONG_EXIT | EXIT_LOAD_PKRS),
	    F(HOST_PKRS, BIT_ULL(32))),
	ONE(LONG, CTRL_EXIT, LONG_EXIT & ~EXIT_HOST_64BIT, "bit 9 (host address-space size)"),
	ONE(LONG, HOST_EFER, NX_LM | BIT(1), "reserved bits"),
	ONE(LONG, HOST_EFER, NX_LM & ~EFER_LMA, "LMA and LME"),
	ONE(LONG, HOST_EFER, NX_LM & ~EFER_LME, "LMA and LME"),

	/* host segments */
	HOST_SELECTOR(ES), HOST_SELECTOR(CS), HOST_SELECTOR(SS), HOST_SELECTOR(DS),
	HOST_SELECTOR(FS), HOST_SELECTOR(GS), HOST_SELECTOR(TR),
	ONE(LONG, HOST_CS_SELECTOR, 0, "must not be 0"),
	ONE(LONG, HOST_TR_SELECTOR, 0, "must not be 0"),
	CANONICAL(HOST_FS_BASE), CANONICAL(HOST_GS_BASE), CANONICAL(HOST_TR_BASE),
	CANONICAL(HOST_GDTR_BASE), CANONICAL(HOST_IDTR_BASE),

	/* guest control registers */
	ONE(LONG, GUEST_CR0, 0x80050013, "bit 5 (NE) must be 1"),
	ONE(LONG, GUEST_CR0, 0x180050033, "bit 32 must be 0"),
	GOOD(LONG, F(GUEST_CR0, 0xe0050033)),
	ONE(PROTECTED, GUEST_CR0, 0x00050033, "bit 31 (PG) must be 1"),
	BAD_N(2, PROTECTED, GUEST_CR0, "bit 0 (PE) must be 1", F(GUEST_CR0, 0x80050032)),
	ONE(REAL, GUEST_CR0, 0x80000030, "bit 31 (PG) needs bit 0 (PE)"),
	ONE(LONG, GUEST_CR0, 0x00050033, "bit 31 (PG) must be 1 in IA-32e mode"),
	ONE(LONG, GUEST_CR4, 0xa0, "bit 13 (VMXE) must be 1"),
	ONE(LONG, GUEST_CR4, 0x30a0, "bit 12 (LA57) must be 0"),
	ONE(LONG, GUEST_CR4, 0x2080, "bit 5 (PAE) must be 1 in IA-32e mode"),
	BAD(LONG, GUEST_CR4, "bit 23 (CET) needs CR0.WP", F(GUEST_CR4, 0x8020a0),
	    F(GUEST_CR0, 0x80040033)),
	ONE(PROTECTED, GUEST_CR4, X86_CR4_VMXE | X86_CR4_PCIDE, "bit 17 (PCIDE)"),
	GOOD(LONG, F(GUEST_CR4, 0x220a0)),
	ONE(LONG, GUEST_CR3, PHYS_TOO_FAR, "beyond"),

	/* guest debug registers and MSRs */
	ONE(LONG, GUEST_DEBUGCTL, BIT(3), "reserved bits"),
	ONE(LONG, GUEST_DEBUGCTL, BIT(16), "reserved bits"),
	ONE(LONG, GUEST_DR7, BIT_ULL(32), "bits 63:32"),
	CANONICAL(GUEST_SYSENTER_ESP), CANONICAL(GUEST_SYSENTER_EIP),
	ONE(LONG, GUEST_PAT, 0x0003040600070406, "no memory type"),
	ONE(LONG, GUEST_EFER, NX_LM | BIT(9), "reserved bits"),
	ONE(LONG, GUEST_EFER, EFER_SCE, "bit 10 (LMA) must equal"),
	ONE(LONG, GUEST_EFER, EFER_LMA, "must be equal while CR0.PG"),
	ONE(PROTECTED, GUEST_EFER, EFER_LME, "must be equal while CR0.PG"),
	GOOD(REAL, F(GUEST_EFER, EFER_LME)),
	BAD(LONG, GUEST_BNDCFGS, "bits 11:2", F(CTRL_ENTRY, LONG_ENTRY | ENTRY_LOAD_BNDCFGS),
	    F(GUEST_BNDCFGS, 4)),
	BAD(LONG, GUEST_BNDCFGS, "canonical", F(CTRL_ENTRY, LONG_ENTRY | ENTRY_LOAD_BNDCFGS),
	    F(GUEST_BNDCFGS, BAD_CANONICAL | 3)),
	BAD(LONG, GUEST_PKRS, "bits 63:32", F(CTRL_ENTRY, LONG_ENTRY | ENTRY_LOAD_PKRS),
	    F(GUEST_PKRS, BIT_ULL(63))),

	/* guest segments: TR and LDTR */
	ONE(LONG, GUEST_TR_SELECTOR, 0x44, "bit 2 (TI)"),
	CANONICAL(GUEST_TR_BASE),
	ONE(LONG, GUEST_TR_AR, 0x83, "type must be 11"),
	GOOD(PROTECTED, F(GUEST_TR_AR, 0x83)),
	ONE(PROTECTED, GUEST_TR_AR, 0x89, "type must be 3 or 11"),
	ONE(LONG, GUEST_TR_AR, AR_TSS | SEG_AR_UNUSABLE, "bit 16 (unusable)"),
	SEG_COMMON(LONG, TR, 0x67, AR_TSS),
	ONE(LONG, GUEST_LDTR_SELECTOR, 0x4c, "bit 2 (TI)"),
	CANONICAL(GUEST_LDTR_BASE),
	ONE(LONG, GUEST_LDTR_AR, 0x83, "type must be 2"),
	SEG_COMMON(LONG, LDTR, 0xffff, AR_LDT),
	GOOD(LONG, F(GUEST_LDTR_AR, SEG_AR_UNUSABLE), F(GUEST_LDTR_SELECTOR, 4),
	     F(GUEST_LDTR_BASE, BAD_CANONICAL)),

	/* guest segments: virtual-8086 mode */
	ONE(V8086, GUEST_CS_BASE, 0x12341, "times 16"),
	ONE(V8086, GUEST_SS_LIMIT, 0xffffffff, "must be 0xffff"),
	ONE(V8086, GUEST_DS_AR, 0x93, "must be 0xf3"),
	ONE(V8086, GUEST_ES_BASE, 0, "times 16"),
	ONE(V8086, GUEST_FS_AR, 0x100f3, "0xf3"),
	ONE(V8086, GUEST_GS_LIMIT, 0xfffe, "must be 0xffff"),

	/* guest segments: CS */
	ONE(LONG, GUEST_CS_BASE, BIT_ULL(32), "bits 63:32"),
	ONE(LONG, GUEST_CS_AR, 0xa09a, "type must be accessed code, or 3"),
	ONE(PROTECTED, GUEST_CS_AR, 0xc093, "type must be accessed code"),
	GOOD(REAL, F(GUEST_CS_AR, 0x93)),
	ONE(REAL, GUEST_CS_AR, 0xb3, "DPL of a data segment in CS"),
	ONE(LONG, GUEST_CS_AR, 0xa0fb, "DPL must be that of SS"),
	ONE(LONG, GUEST_CS_AR, 0xa0f9, "DPL must be that of SS"),
	ONE(LONG, GUEST_CS_AR, 0xa0bf, "must not exceed that of SS"),
	GOOD(LONG, F(GUEST_CS_AR, 0xa09d), F(GUEST_SS_AR, 0xc0f3)),
	ONE(LONG, GUEST_CS_AR, 0xe09b, "bit 14 (D/B)"),
	GOOD(PROTECTED, F(GUEST_CS_AR, 0xe09b)),
	SEG_COMMON(LONG, CS, 0xffffffff, AR_CODE64),

	/* guest segments: SS */
	BAD_N(2, PROTECTED, GUEST_SS_SELECTOR, "RPL must be that of CS",
	      F(GUEST_SS_SELECTOR, 0x1b)),
	BAD(PROTECTED, GUEST_SS_AR, "DPL must be the selector's RPL", F(GUEST_SS_AR, 0xc0f3),
	    F(GUEST_CS_AR, 0xc0fb)),
	GOOD(LONG, F(GUEST_SS_SELECTOR, 0x1b)),
	BAD(REAL, GUEST_SS_AR, "in real mode and with a data segment in CS",
	    F(GUEST_SS_AR, 0xf3), F(GUEST_CS_AR, 0xfb)),
	BAD(LONG, GUEST_SS_AR, "in real mode and with a data segment in CS",
	    F(GUEST_SS_AR, 0xc0f3), F(GUEST_CS_AR, 0xc093), F(GUEST_RIP, 0)),
	ONE(LONG, GUEST_SS_AR, 0xc091, "type must be accessed writable data"),
	GOOD(LONG, F(GUEST_SS_AR, 0xc097)),
	ONE(LONG, GUEST_SS_BASE, BIT_ULL(32), "bits 63:32"),
	GOOD(LONG, F(GUEST_SS_AR, SEG_AR_UNUSABLE), F(GUEST_SS_BASE, BIT_ULL(32))),
	SEG_COMMON(LONG, SS, 0xffffffff, AR_DATA32),

	/* guest segments: data */
	CANONICAL(GUEST_FS_BASE), CANONICAL(GUEST_GS_BASE),
	ONE(LONG, GUEST_DS_BASE, BIT_ULL(32), "bits 63:32"),
	ONE(LONG, GUEST_ES_BASE, BIT_ULL(32), "bits 63:32"),
	GOOD(LONG, F(GUEST_DS_BASE, BIT_ULL(32)), F(GUEST_DS_AR, SEG_AR_UNUSABLE)),
	ONE(LONG, GUEST_DS_AR, 0xc092, "type must be accessed"),
	ONE(LONG, GUEST_ES_AR, 0xc099, "execute-only"),
	ONE(LONG, GUEST_FS_AR, 0xc09d, "execute-only"),
	BAD(PROTECTED, GUEST_DS_AR, "DPL must not be below", F(GUEST_DS_SELECTOR, 0x1b)),
	GOOD(LONG, F(GUEST_DS_SELECTOR, 0x1b)),
	GOOD(PROTECTED, F(GUEST_DS_SELECTOR, 0x1b), F(GUEST_DS_AR, 0xc09f)),
	SEG_COMMON(LONG, DS, 0xffffffff, AR_DATA32),
	SEG_COMMON(LONG, ES, 0xffffffff, AR_DATA32),
	SEG_COMMON(LONG, FS, 0xffffffff, AR_DATA32),
	SEG_COMMON(LONG, GS, 0xffffffff, AR_DATA32),

	/* descriptor tables, RIP, RFLAGS */
	CANONICAL(GUEST_GDTR_BASE), CANONICAL(GUEST_IDTR_BASE),
	ONE(LONG, GUEST_GDTR_LIMIT, 0x10000, "bits 31:16"),
	ONE(LONG, GUEST_IDTR_LIMIT, 0x10000, "bits 31:16"),
	ONE(LONG, GUEST_RIP, BIT_ULL(48), "bits above the linear"),
	GOOD(LONG, F(GUEST_RIP, BAD_CANONICAL)),	/* equal bits are enough */
	ONE(PROTECTED, GUEST_RIP, BIT_ULL(32), "outside 64-bit mode"),
	BAD(LONG, GUEST_RIP, "outside 64-bit mode", F(GUEST_CS_AR, AR_CODE32),
	    F(GUEST_RIP, 0xffffffff81000000)),
	ONE(LONG, GUEST_RFLAGS, BIT(22) | 2, "bits 63:22"),
	ONE(LONG, GUEST_RFLAGS, BIT(15) | 2, "bits 63:22"),
	ONE(LONG, GUEST_RFLAGS, BIT(5) | 2, "bits 63:22"),
	ONE(LONG, GUEST_RFLAGS, BIT(3) | 2, "bits 63:22"),
	ONE(LONG, GUEST_RFLAGS, 0, "bit 1 must be 1"),
	BAD(V8086, GUEST_RFLAGS, "in IA-32e mode", F(CTRL_ENTRY, LONG_ENTRY), F(GUEST_EFER, NX_LM),
	    F(GUEST_CR4, 0x2020)),
	BAD(V8086, GUEST_RFLAGS, "while CR0.PE is 0", F(CTRL_CPU2, LONG_CPU2), F(GUEST_CR0, 0x30)),
	BAD(LONG, GUEST_RFLAGS, "IF) must be 1 to inject", EVENT(EXT, 32)),

	/* activity */
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_SHUTDOWN)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI)),
	ONE(LONG, GUEST_ACTIVITY, 4, "no activity state"),
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD, .field = "GUEST_ACTIVITY",
	  .rule = "no activity state", .findings = 1, .set = { F(GUEST_ACTIVITY, 1) } },
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD, .field = "GUEST_ACTIVITY",
	  .rule = "no activity state", .findings = 1, .set = { F(GUEST_ACTIVITY, 2) } },
	{ .base = CHECK_MINIMAL, .cpu = CHECK_CPU_OLD, .field = "GUEST_ACTIVITY",
	  .rule = "no activity state", .findings = 1, .set = { F(GUEST_ACTIVITY, 3) } },
	BAD(LONG, GUEST_ACTIVITY, "HLT needs a DPL of 0", F(GUEST_ACTIVITY, ACTIVITY_HLT),
	    F(GUEST_SS_AR, 0xc0f3), F(GUEST_CS_AR, 0xa0fb)),
	BAD(LONG, GUEST_ACTIVITY, "must be active", F(GUEST_ACTIVITY, ACTIVITY_HLT),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI), F(GUEST_RFLAGS, 0x202)),
	BAD(LONG, GUEST_ACTIVITY, "must be active", F(GUEST_ACTIVITY, ACTIVITY_SHUTDOWN),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT), EVENT(NMI, 2)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT), EVENT(EXT, 32), F(GUEST_RFLAGS, 0x202)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT), EVENT(HARD_EXCEPTION, 1)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT), EVENT(HARD_EXCEPTION, 18)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_HLT), EVENT(OTHER, 0)),
	BAD(LONG, GUEST_ACTIVITY, "does not take", F(GUEST_ACTIVITY, ACTIVITY_HLT),
	    EVENT(HARD_EXCEPTION, 6)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_SHUTDOWN), EVENT(NMI, 2)),
	GOOD(LONG, F(GUEST_ACTIVITY, ACTIVITY_SHUTDOWN), EVENT(HARD_EXCEPTION, 18)),
	BAD(LONG, GUEST_ACTIVITY, "does not take", F(GUEST_ACTIVITY, ACTIVITY_SHUTDOWN),
	    EVENT(HARD_EXCEPTION, 1)),
	BAD(LONG, GUEST_ACTIVITY, "does not take", F(GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI),
	    EVENT(NMI, 2)),

	/* interruptibility */
	ONE(LONG, GUEST_INTERRUPTIBILITY, BIT(5), "bits 31:5"),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "bits 0 and 1", F(GUEST_RFLAGS, 0x202),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI | INTR_STATE_MOV_SS)),
	ONE(LONG, GUEST_INTERRUPTIBILITY, INTR_STATE_STI, "needs RFLAGS.IF"),
	GOOD(LONG, F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI), F(GUEST_RFLAGS, 0x202)),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "bits 1:0", EVENT(EXT, 32), F(GUEST_RFLAGS, 0x202),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI)),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "bits 1:0", EVENT(EXT, 32), F(GUEST_RFLAGS, 0x202),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "bit 1 (blocking by MOV SS)", EVENT(NMI, 2),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "on some processors", EVENT(NMI, 2),
	    F(GUEST_RFLAGS, 0x202), F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI)),
	BAD(LONG, GUEST_INTERRUPTIBILITY, "bit 3 (blocking by NMI)", EVENT(NMI, 2),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_NMI)),
	GOOD(LONG, F(GUEST_INTERRUPTIBILITY, INTR_STATE_NMI)),
	GOOD(LONG, EVENT(NMI, 2), F(GUEST_INTERRUPTIBILITY, INTR_STATE_NMI),
	     F(CTRL_PIN, LONG_PIN & ~PIN_VIRTUAL_NMIS)),
	ONE(LONG, GUEST_INTERRUPTIBILITY, INTR_STATE_SMI, "bit 2 (blocking by SMI)"),
	ONE(LONG, GUEST_INTERRUPTIBILITY, INTR_STATE_ENCLAVE | INTR_STATE_MOV_SS, "bits 1 and 4"),

	/* pending debug exceptions */
	GOOD(LONG, F(GUEST_PENDING_DEBUG, 0x100f)), GOOD(LONG, F(GUEST_PENDING_DEBUG, 0x4000)),
	ONE(LONG, GUEST_PENDING_DEBUG, BIT(4), "reserved bits"),
	ONE(LONG, GUEST_PENDING_DEBUG, BIT(13), "reserved bits"),
	ONE(LONG, GUEST_PENDING_DEBUG, BIT(17), "reserved bits"),
	BAD(LONG, GUEST_PENDING_DEBUG, "(BS) must be 1", F(GUEST_RFLAGS, 0x302),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_STI)),
	BAD(LONG, GUEST_PENDING_DEBUG, "(BS) must be 1", F(GUEST_RFLAGS, 0x102),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),
	BAD(LONG, GUEST_PENDING_DEBUG, "(BS) must be 1", F(GUEST_RFLAGS, 0x102),
	    F(GUEST_ACTIVITY, ACTIVITY_HLT)),
	GOOD(LONG, F(GUEST_RFLAGS, 0x102), F(GUEST_ACTIVITY, ACTIVITY_HLT),
	     F(GUEST_PENDING_DEBUG, 0x4000)),
	BAD(LONG, GUEST_PENDING_DEBUG, "(BS) must be 0", F(GUEST_PENDING_DEBUG, 0x4000),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),
	BAD(LONG, GUEST_PENDING_DEBUG, "(BS) must be 0", F(GUEST_PENDING_DEBUG, 0x4000),
	    F(GUEST_RFLAGS, 0x102), F(GUEST_DEBUGCTL, 2), F(GUEST_ACTIVITY, ACTIVITY_HLT)),
	GOOD(LONG, F(GUEST_PENDING_DEBUG, 0x11000)),
	ONE(LONG, GUEST_PENDING_DEBUG, 0x10000, "bit 16 (RTM) needs bit 12"),
	ONE(LONG, GUEST_PENDING_DEBUG, 0x11001, "bit 16 (RTM) needs bit 12"),
	BAD(LONG, GUEST_PENDING_DEBUG, "excludes blocking", F(GUEST_PENDING_DEBUG, 0x11000),
	    F(GUEST_INTERRUPTIBILITY, INTR_STATE_MOV_SS)),

	/* VMCS link pointer */
	ONE(LONG, GUEST_LINK_POINTER, 0x1800, "4 KiB aligned, or all ones"),
	ONE(LONG, GUEST_LINK_POINTER, PHYS_TOO_FAR, "beyond"),
	{ .base = CHECK_LONG, .field = "GUEST_LINK_POINTER", .rule = "another revision",
	  .findings = 1, .set = { F(GUEST_LINK_POINTER, 0x30000) },
	  .mem = { { 0x30000, 0x13 } } },
	{ .base = CHECK_LONG, .field = "GUEST_LINK_POINTER", .rule = "shadow VMCS",
	  .findings = 1, .set = { F(GUEST_LINK_POINTER, 0x30000) },
	  .mem = { { 0x30000, 0x80000012 } } },

	/* PDPTEs */
	ONE(PAE, GUEST_PDPTE0, 0x9003, "reserved bits"),
	ONE(PAE, GUEST_PDPTE1, 0xa1e1, "reserved bits"),
	ONE(PAE, GUEST_PDPTE2, PHYS_TOO_FAR | 1, "reserved bits"),
	ONE(PAE, GUEST_PDPTE3, ~0ull, "reserved bits"),
	{ .base = CHECK_SHADOW_PAE, .mem = { { 0x2000, 0x9001 }, { 0x2008, 0xfffffffffffffffe },
					     { 0x2010, 0 }, { 0x2018, 0xa019 } } },
	{ .base = CHECK_SHADOW_PAE, .field = "GUEST_CR3", .rule = "a PDPTE there",
	  .findings = 1, .mem = { { 0x2000, 0x9001 }, { 0x2008, 0x9003 } } },
};

const unsigned int nr_check_cases = ARRAY_SIZE(check_cases);

/* ---- running a case ------------------------------------------------------------ */

static void set_field(struct check_run *f, const struct check_value *v)
{
	unsigned int i;

	for (i = 0; i < f->nr && f->fields[i].where != v->where; i++)
		;
	if (i == CHECK_MAX_FIELDS)
		return;
	f->fields[i] = *v;
	if (i == f->nr)
		f->nr++;
}

static void drop_field(struct check_run *f, u32 field)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if ((u32)f->fields[i].where == field)
			f->fields[i--] = f->fields[--f->nr];
}

static u64 fake_read(void *ctx, u32 field)
{
	struct check_run *f = ctx;
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if ((u32)f->fields[i].where == field)
			return f->fields[i].value;
	f->unknown = field;
	return 0;
}

static bool fake_read_mem(void *ctx, u64 hpa, u64 *value)
{
	struct check_run *f = ctx;
	unsigned int i;

	for (i = 0; i < f->nr_mem; i++) {
		if (f->mem[i].where == hpa) {
			*value = f->mem[i].value;
			return true;
		}
	}
	return false;
}

static const struct vmx_check_ops fake_ops = {
	.read = fake_read,
	.read_mem = fake_read_mem,
};

static void set_fields(struct check_run *f, const struct check_value *v, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < max && v[i].where; i++)
		set_field(f, &v[i]);
}

static void build(struct check_run *f, const struct check_case *tc)
{
	unsigned int i;

	f->nr = 0;
	f->nr_mem = 0;
	f->unknown = ~0ull;
	for (i = 0; i < ARRAY_SIZE(long_fields); i++)
		set_field(f, &long_fields[i]);
	if (base_changes[tc->base])
		set_fields(f, base_changes[tc->base], CHECK_MAX_FIELDS);
	for (i = 0; tc->base == CHECK_MINIMAL && i < ARRAY_SIZE(optional_fields); i++)
		drop_field(f, optional_fields[i]);
	set_fields(f, tc->set, ARRAY_SIZE(tc->set));
	f->mem = tc->mem;
	while (f->nr_mem < ARRAY_SIZE(tc->mem) && tc->mem[f->nr_mem].where)
		f->nr_mem++;
}

/* Is there a line that begins with @field and holds @rule? */
static bool has_line(const char *report, const char *field, const char *rule)
{
	size_t len = strlen(field);
	const char *line, *end, *found;

	for (line = report; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return false;
		found = strstr(line, rule);
		if (!strncmp(line, field, len) && line[len] == ' ' && found && found < end)
			return true;
	}
	return false;
}

/**
 * check_case_run() - run one case
 * @tc:		the case
 * @run:	what was wrong, for people
 *
 * Return: true when vmx_check() found what it should.
 */
bool check_case_run(const struct check_case *tc, struct check_run *run)
{
	unsigned int found;

	build(run, tc);
	found = vmx_check(&fake_ops, run, &cpus[tc->cpu], run->report, sizeof(run->report));
	run->text[0] = '\0';
	if (run->unknown != ~0ull)
		snprintf(run->text, sizeof(run->text), "reads the optional field %#x",
			 (u32)run->unknown);
	else if (found != tc->findings)
		snprintf(run->text, sizeof(run->text), "%u findings, not %u", found,
			 tc->findings);
	else if (tc->field && !has_line(run->report, tc->field, tc->rule))
		snprintf(run->text, sizeof(run->text), "no line \"%s …%s…\"", tc->field,
			 tc->rule);
	return !run->text[0];
}

/**
 * check_case_truncation() - the report of a hopeless VMCS in a small buffer
 * @size:	bytes of the buffer, at most sizeof(@run->report)
 * @run:	what was wrong, for people
 *
 * Return: true when the report consists of whole lines, stays in its buffer and does
 * not change the number of findings.
 */
bool check_case_truncation(unsigned int size, struct check_run *run)
{
	static const struct check_case hopeless = {
		.base = CHECK_LONG,
		.set = { F(GUEST_CR0, ~0ull), F(GUEST_CR4, ~0ull), F(HOST_CR4, 0),
			 F(GUEST_RFLAGS, ~0ull), F(GUEST_CS_AR, ~0u) },
	};
	unsigned int all, found;
	size_t len;

	build(run, &hopeless);
	all = vmx_check(&fake_ops, run, &cpus[CHECK_CPU_FULL], NULL, 0);
	memset(run->report, '#', sizeof(run->report));
	found = vmx_check(&fake_ops, run, &cpus[CHECK_CPU_FULL], run->report, size);
	len = size ? strnlen(run->report, size) : 0;

	run->text[0] = '\0';
	if (found != all || all < 50)
		snprintf(run->text, sizeof(run->text), "%u findings with a buffer, %u without",
			 found, all);
	else if (size && len == size)
		snprintf(run->text, sizeof(run->text), "the report is not terminated");
	else if (len && run->report[len - 1] != '\n')
		snprintf(run->text, sizeof(run->text), "the report ends within a line");
	else if (size < sizeof(run->report) && run->report[size] != '#')
		snprintf(run->text, sizeof(run->text), "wrote past the buffer");
	return !run->text[0];
}
