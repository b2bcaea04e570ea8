// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX on and off on each CPU, and the list of VMCSs active there.
 *
 * A VMCS may be active on one CPU only, and its owner there must VMCLEAR it before
 * it moves or before the CPU leaves VMX.  Each CPU therefore keeps a list of what
 * is active on it, touched only by that CPU with interrupts off.
 */
#include <linux/gfp.h>
#include <linux/perf_event.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/tlbflush.h>

#include "vmx.h"

static DEFINE_PER_CPU(void *, vmxon_region);
static DEFINE_PER_CPU(bool, vmx_on);
static DEFINE_PER_CPU(struct list_head, active_vmcs);
DEFINE_PER_CPU(struct mhv_vcpu *, vmx_current_vcpu);

/**
 * vmx_vmcs_error - a VMX instruction was refused: a bug of ours, told once
 * @insn: its name
 * @field: VMCS field or type
 * @value: operand
 */
noinline void vmx_vmcs_error(const char *insn, u32 field, u64 value)
{
	pr_warn_once("mhv: %s failed: field %#x value %#llx\n", insn, field, value);
	WARN_ON_ONCE(1);
}

/**
 * vmx_lost - is VMX off on this CPU
 *
 * Return: true before VMX is enabled and once the CPU is on its way offline.
 */
bool vmx_lost(void)
{
	return !raw_cpu_read(vmx_on);
}

/**
 * vmx_leave_cpu - wait until the scheduler has moved this thread to a CPU with VMX
 *
 * A CPU on its way offline pushes each thread away when it next schedules.
 */
noinline void vmx_leave_cpu(void)
{
	might_sleep();
	while (vmx_lost())
		schedule();
}

/**
 * vmx_enable - VMX on, on this CPU
 *
 * Context: interrupts off.
 * Return: 0, -EBUSY when another hypervisor owns VMX, -EIO when VMXON is refused.
 */
int vmx_enable(void)
{
	void *region = this_cpu_read(vmxon_region);

	if (this_cpu_read(vmx_on))
		return 0;
	if (cr4_read_shadow() & X86_CR4_VMXE)
		return -EBUSY;

	intel_pt_handle_vmx(1);
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	if (!vmx_vmxon(__pa(region))) {
		cr4_clear_bits_irqsoff(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
		return -EIO;
	}
	this_cpu_write(vmx_on, true);
	if (vmx_tdp)
		vmx_invept(INVEPT_TYPE_ALL, 0);
	if (vmx_has_cpu2(CPU2_VPID))
		vmx_invvpid(INVVPID_TYPE_ALL, 0, 0);
	return 0;
}

/* Make a VMCS inactive here.  Interrupts off. */
static void vmx_clear_local(struct mhv_vcpu *v)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (this_cpu_read(vmx_current_vcpu) == v)
		this_cpu_write(vmx_current_vcpu, NULL);
	vmx_vmclear(__pa(vmx->vmcs));
	list_del_init(&vmx->loaded_link);
	vmx->launched = false;
	/* whoever loads it next must see the list entry gone before v->cpu */
	smp_store_release(&v->cpu, -1);
}

/**
 * vmx_disable - VMX off, on this CPU
 *
 * Context: interrupts off.
 */
void vmx_disable(void)
{
	struct list_head *active = this_cpu_ptr(&active_vmcs);
	struct vmx_vcpu *vmx, *next;

	if (!this_cpu_read(vmx_on))
		return;
	list_for_each_entry_safe(vmx, next, active, loaded_link)
		vmx_clear_local(vmx->owner);
	vmx_user_msrs_drop();
	this_cpu_write(vmx_on, false);
	vmx_vmxoff();
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

static void vmx_clear_ipi(void *data)
{
	struct mhv_vcpu *v = data;

	/* it may have gone from here before the interrupt came */
	if (v->cpu == smp_processor_id())
		vmx_clear_local(v);
}

/**
 * vmx_clear - make a vCPU's VMCS inactive on whatever CPU it is active
 * @v: a vCPU that no thread runs
 *
 * Context: may sleep or preemption off, interrupts on.
 */
void vmx_clear(struct mhv_vcpu *v)
{
	int cpu = READ_ONCE(v->cpu);

	if (cpu >= 0)
		smp_call_function_single(cpu, vmx_clear_ipi, v, 1);
}

/**
 * vmx_make_current - make a vCPU's VMCS current on this CPU
 * @v: the vCPU
 * @cpu: this CPU
 *
 * Does nothing where VMX is off; the vCPU's thread will be moved (vmx_leave_cpu()).
 * Context: preemption off, interrupts on.
 */
void vmx_make_current(struct mhv_vcpu *v, int cpu)
{
	struct vmx_vcpu *vmx = to_vmx(v);

	if (v->cpu != cpu)
		vmx_clear(v);
	if (v->cpu == cpu && this_cpu_read(vmx_current_vcpu) == v)
		return;

	local_irq_disable();
	if (this_cpu_read(vmx_on)) {
		if (v->cpu != cpu) {
			/* also initialises a VMCS that was never active */
			vmx_vmclear(__pa(vmx->vmcs));
			list_add(&vmx->loaded_link, this_cpu_ptr(&active_vmcs));
			v->cpu = cpu;
		}
		this_cpu_write(vmx_current_vcpu, v);
		if (!vmx_vmptrld(__pa(vmx->vmcs)))
			vmx_vmcs_error("vmptrld", 0, __pa(vmx->vmcs));
	}
	local_irq_enable();
}

/**
 * vmx_hardware_init - a VMXON region for each CPU
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init vmx_hardware_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *region;

		INIT_LIST_HEAD(per_cpu_ptr(&active_vmcs, cpu));
		region = (void *)__get_free_page(GFP_KERNEL | __GFP_ZERO);
		if (!region) {
			vmx_hardware_exit();
			return -ENOMEM;
		}
		*(u32 *)region = VMX_BASIC_REVISION(vmx_caps.basic);
		per_cpu(vmxon_region, cpu) = region;
	}
	return 0;
}

/**
 * vmx_hardware_exit - free what vmx_hardware_init() made
 *
 * Context: VMX is off everywhere.
 */
void vmx_hardware_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmxon_region, cpu));
		per_cpu(vmxon_region, cpu) = NULL;
	}
}
