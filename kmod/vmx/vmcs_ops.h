/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions.
 *
 * VMREAD and VMWRITE work on the VMCS that is current on this CPU: the caller's
 * vCPU is loaded (mhv_vcpu_load), and the scheduler's notifier keeps it so across
 * preemption.  Should the CPU be on its way offline, its VMX is already off and
 * the instruction faults: vmx_leave_cpu() then waits until the scheduler has moved
 * this thread, and the instruction is tried again.
 */
#ifndef MHV_VMX_VMCS_OPS_H
#define MHV_VMX_VMCS_OPS_H

#include <linux/bug.h>
#include <linux/types.h>
#include <asm/asm.h>

#include "vmcs.h"

void vmx_leave_cpu(void);
void vmx_vmcs_error(const char *insn, u32 field, u64 value);

static __always_inline u64 vmcs_read(u32 field)
{
	unsigned long value;

again:
	asm volatile goto("1: vmread %[field], %[value]\n\t"
			  "jbe %l[refused]\n\t"
			  _ASM_EXTABLE(1b, %l[lost])
			  : [value] "=r" (value)
			  : [field] "r" ((unsigned long)field)
			  : "cc"
			  : refused, lost);
	asm("");	/* keeps gcc 12 from losing the output on the goto edges */
	return value;
refused:
	vmx_vmcs_error("vmread", field, 0);
	return 0;
lost:
	vmx_leave_cpu();
	goto again;
}

static __always_inline void vmcs_write(u32 field, u64 value)
{
again:
	asm goto("1: vmwrite %[value], %[field]\n\t"
		 "jbe %l[refused]\n\t"
		 _ASM_EXTABLE(1b, %l[lost])
		 :
		 : [value] "r" ((unsigned long)value), [field] "r" ((unsigned long)field)
		 : "cc", "memory"
		 : refused, lost);
	return;
refused:
	vmx_vmcs_error("vmwrite", field, value);
	return;
lost:
	vmx_leave_cpu();
	goto again;
}

/* An instruction with one 64-bit memory operand; false when it failed. */
#define VMX_INSN_M64(name)						\
static inline bool vmx_##name(u64 pa)					\
{									\
	asm goto("1: " #name " %[pa]\n\t"				\
		 "jbe %l[failed]\n\t"					\
		 _ASM_EXTABLE(1b, %l[failed])				\
		 : : [pa] "m" (pa) : "cc", "memory" : failed);		\
	return true;							\
failed:									\
	return false;							\
}

VMX_INSN_M64(vmxon)
VMX_INSN_M64(vmclear)
VMX_INSN_M64(vmptrld)

static inline void vmx_vmxoff(void)
{
	asm goto("1: vmxoff\n\t"
		 _ASM_EXTABLE(1b, %l[done])
		 : : : "cc", "memory" : done);
done:
	return;
}

static inline void vmx_invept(unsigned long type, u64 eptp)
{
	struct { u64 eptp, zero; } op = { eptp, 0 };

	asm goto("1: invept %[op], %[type]\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [op] "m" (op), [type] "r" (type) : "cc", "memory" : failed);
	return;
failed:
	vmx_vmcs_error("invept", type, eptp);
}

static inline void vmx_invvpid(unsigned long type, u16 vpid, u64 gva)
{
	struct { u64 vpid, gva; } op = { vpid, gva };

	asm goto("1: invvpid %[op], %[type]\n\t"
		 "jbe %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [op] "m" (op), [type] "r" (type) : "cc", "memory" : failed);
	return;
failed:
	vmx_vmcs_error("invvpid", type, vpid);
}

#endif /* MHV_VMX_VMCS_OPS_H */
