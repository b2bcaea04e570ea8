/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A software check of a VMCS: which rules of VM entry does it break?
 *
 * The processor answers a bad VMCS with one number.  vmx_check() goes through the
 * rules of the Intel SDM (volume 3, chapter "VM Entries": checks on controls, host
 * state and guest state) and names each one that is broken, with the field.
 */
#ifndef MHV_VMX_CHECK_H
#define MHV_VMX_CHECK_H

#include <linux/types.h>

/**
 * struct vmx_check_ops - the VMCS, and memory that it points to
 * @read:	value of a field (VMCS_*).  Asked only for fields that exist whenever
 *		the controls that are set exist, so VMREAD may be used.
 * @read_mem:	8 bytes of host physical memory, false when they cannot be read; may
 *		be NULL.  Used for the virtual-APIC page, the PDPTEs of PAE paging
 *		without EPT, and MSR areas; without it those rules are left out.
 */
struct vmx_check_ops {
	u64 (*read)(void *ctx, u32 field);
	bool (*read_mem)(void *ctx, u64 hpa, u64 *value);
};

/**
 * struct vmx_check_caps - what this processor offers
 * @basic:	IA32_VMX_BASIC
 * @misc:	IA32_VMX_MISC
 * @ept_vpid:	IA32_VMX_EPT_VPID_CAP, 0 where it does not exist
 * @vmfunc:	IA32_VMX_VMFUNC, 0 where it does not exist
 * @pin:	IA32_VMX_PINBASED_CTLS; this and the other control words of the TRUE MSRs
 *		where there are any: low half what must be 1, high half what may be 1
 * @cpu:	IA32_VMX_PROCBASED_CTLS
 * @cpu2:	IA32_VMX_PROCBASED_CTLS2, 0 where it does not exist
 * @cpu3:	IA32_VMX_PROCBASED_CTLS3: what may be 1; 0 where it does not exist
 * @exit:	IA32_VMX_EXIT_CTLS
 * @exit2:	IA32_VMX_EXIT_CTLS2: what may be 1; 0 where it does not exist
 * @entry:	IA32_VMX_ENTRY_CTLS
 * @cr0_fixed0:	IA32_VMX_CR0_FIXED0
 * @cr0_fixed1:	IA32_VMX_CR0_FIXED1
 * @cr4_fixed0:	IA32_VMX_CR4_FIXED0
 * @cr4_fixed1:	IA32_VMX_CR4_FIXED1
 * @phys_bits:	physical-address width
 * @linear_bits: linear-address width, 48 or 57
 */
struct vmx_check_caps {
	u64 basic, misc, ept_vpid, vmfunc;
	u64 pin, cpu, cpu2, cpu3, exit, exit2, entry;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u8 phys_bits;
	u8 linear_bits;
};

unsigned int vmx_check(const struct vmx_check_ops *ops, void *ctx,
		       const struct vmx_check_caps *caps, char *buf, size_t size);

#endif /* MHV_VMX_CHECK_H */
