// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this host's VMX can do, and the controls mhv starts every VMCS with.
 *
 * The answer is found once, at load; it names what is missing instead of failing,
 * so that the module loads anywhere and user space can ask why there is no VM.
 */
#include <linux/cpu.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>
#include <asm/tsc.h>

#include "../mmu/shadow.h"
#include "vmx.h"

struct vmx_check_caps vmx_caps __ro_after_init;
struct vmx_controls vmx_controls __ro_after_init;
u64 vmx_host_xcr0 __ro_after_init;
bool vmx_tdp __ro_after_init;

static bool use_ept = true;
module_param_named(ept, use_ept, bool, 0444);
MODULE_PARM_DESC(ept, "use EPT where the CPU has it; 0: shadow paging alone");

static enum mhv_verdict vmx_verdict __ro_after_init;
static char vmx_detail[128] __ro_after_init;

struct vmx_wish {
	u32 needed;
	u32 liked;
	const char *what;
};

static const struct vmx_wish wish_pin = {
	.needed = PIN_EXT_INTR_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS,
	.liked = PIN_PREEMPTION_TIMER,
	.what = "pin-based",
};

static const struct vmx_wish wish_cpu = {
	.needed = CPU_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_MWAIT_EXITING |
		  CPU_MONITOR_EXITING | CPU_RDPMC_EXITING | CPU_MOV_DR_EXITING |
		  CPU_UNCOND_IO_EXITING | CPU_MSR_BITMAPS | CPU_SECONDARY_CONTROLS |
		  CPU_TPR_SHADOW,
	.what = "processor-based",
};

static const struct vmx_wish wish_cpu2 = {
	.liked = CPU2_EPT | CPU2_UNRESTRICTED_GUEST | CPU2_VPID | CPU2_RDTSCP |
		 CPU2_INVPCID | CPU2_WBINVD_EXITING,
	.what = "secondary",
};

static const struct vmx_wish wish_exit = {
	.needed = EXIT_HOST_64BIT | EXIT_SAVE_DEBUG_CONTROLS | EXIT_LOAD_EFER |
		  EXIT_LOAD_PAT | EXIT_SAVE_PAT,
	.what = "exit",
};

static const struct vmx_wish wish_entry = {
	.needed = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT,
	.what = "entry",
};

static void vmx_read_caps(struct vmx_check_caps *caps)
{
	u32 base = MSR_IA32_VMX_PINBASED_CTLS;

	memset(caps, 0, sizeof(*caps));
	caps->phys_bits = boot_cpu_data.x86_phys_bits;
	caps->linear_bits = boot_cpu_data.x86_virt_bits;
	rdmsrl(MSR_IA32_VMX_BASIC, caps->basic);
	/* the TRUE versions follow each other in the same order */
	if (caps->basic & VMX_BASIC_TRUE_CONTROLS)
		base = MSR_IA32_VMX_TRUE_PINBASED_CTLS;
	rdmsrl(base, caps->pin);
	rdmsrl(base + 1, caps->cpu);
	rdmsrl(base + 2, caps->exit);
	rdmsrl(base + 3, caps->entry);
	rdmsrl(MSR_IA32_VMX_MISC, caps->misc);
	rdmsrl(MSR_IA32_VMX_CR0_FIXED0, caps->cr0_fixed0);
	rdmsrl(MSR_IA32_VMX_CR0_FIXED1, caps->cr0_fixed1);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED0, caps->cr4_fixed0);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED1, caps->cr4_fixed1);
	if ((caps->cpu >> 32) & CPU_SECONDARY_CONTROLS)
		rdmsrl(MSR_IA32_VMX_PROCBASED_CTLS2, caps->cpu2);
	if ((caps->cpu2 >> 32) & (CPU2_EPT | CPU2_VPID))
		rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, caps->ept_vpid);
}

static enum mhv_verdict __printf(2, 3)
vmx_refuse(enum mhv_verdict verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(vmx_detail, sizeof(vmx_detail), fmt, args);
	va_end(args);
	return verdict;
}

/* Choose one control word; false when a needed bit cannot be had. */
static bool vmx_choose(u64 allowed, const struct vmx_wish *wish, u32 *ctl)
{
	u32 must = allowed, may = allowed >> 32;

	*ctl = ((wish->needed | wish->liked) & may) | must;
	if (!(wish->needed & ~*ctl))
		return true;
	vmx_refuse(MHV_HOST_NO_CONTROL, "VMX lacks %s controls %#x", wish->what,
		   wish->needed & ~*ctl);
	return false;
}

/* VPID is of use only where INVVPID can drop one tag. */
static bool vmx_vpid_usable(void)
{
	u64 need = VPID_CAP_INVVPID | VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL;

	return (vmx_caps.ept_vpid & need) == need;
}

/* EPT goes with unrestricted guest; where one is missing there is shadow paging. */
static bool vmx_tdp_usable(void)
{
	u64 need = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL |
		   EPT_CAP_INVEPT_SINGLE;
	u32 may = vmx_caps.cpu2 >> 32;

	return use_ept && (may & CPU2_EPT) && (may & CPU2_UNRESTRICTED_GUEST) &&
	       (vmx_caps.ept_vpid & need) == need;
}

static enum mhv_verdict vmx_choose_controls(void)
{
	if (!vmx_choose(vmx_caps.pin, &wish_pin, &vmx_controls.pin) ||
	    !vmx_choose(vmx_caps.cpu, &wish_cpu, &vmx_controls.cpu) ||
	    !vmx_choose(vmx_caps.exit, &wish_exit, &vmx_controls.exit) ||
	    !vmx_choose(vmx_caps.entry, &wish_entry, &vmx_controls.entry))
		return MHV_HOST_NO_CONTROL;
	if (!vmx_choose(vmx_caps.cpu2, &wish_cpu2, &vmx_controls.cpu2))
		return MHV_HOST_NO_CONTROL;
	if (!vmx_vpid_usable())
		vmx_controls.cpu2 &= ~CPU2_VPID;
	vmx_tdp = vmx_tdp_usable();
	if (!vmx_tdp)
		vmx_controls.cpu2 &= ~(CPU2_EPT | CPU2_UNRESTRICTED_GUEST);
	/* with EPT the guest's CR3 and INVLPG are its own affair */
	vmx_controls.cpu &= ~(CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING |
			      CPU_INVLPG_EXITING);
	if (vmx_tdp && vmx_controls.cpu != (vmx_controls.cpu | (u32)vmx_caps.cpu))
		return vmx_refuse(MHV_HOST_NO_CONTROL, "VMX insists on CR3 exits");
	return MHV_HOST_OK;
}

/* Tell the MMU what an EPT entry looks like here. */
static void vmx_spte_format(void)
{
	bool ad = vmx_caps.ept_vpid & EPT_CAP_AD;

	mhv_spte = (struct mhv_spte_format){
		.read = EPT_READ,
		.write = EPT_WRITE,
		.exec = EPT_EXEC,
		.large = EPT_LARGE,
		.accessed = ad ? EPT_ACCESSED : 0,
		.dirty = ad ? EPT_DIRTY : 0,
		/* ordinary memory, whatever the guest's PAT makes of it */
		.leaf = VMX_MEMTYPE_WB << EPT_MEMTYPE_SHIFT | EPT_IGNORE_PAT,
		.max_leaf = vmx_caps.ept_vpid & EPT_CAP_1G ? 3 :
			    vmx_caps.ept_vpid & EPT_CAP_2M ? 2 : 1,
		/* write and execute without read: a misconfiguration, whatever the rest */
		.mmio_mask = EPT_RWX,
		.mmio_value = EPT_WRITE | EPT_EXEC,
		.mmio_low = 3,
		.mmio_window = max_t(int, boot_cpu_data.x86_cache_bits, 36) - SPTE_ONES,
		.mmio_hole = 64,
		.large_nx = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off(),
	};
}

static void vmx_compare_caps(void *differ)
{
	struct vmx_check_caps caps;

	vmx_read_caps(&caps);
	if (memcmp(&caps, &vmx_caps, sizeof(caps)))
		WRITE_ONCE(*(bool *)differ, true);
}

static bool vmx_firmware_allows(void)
{
	u64 ctl;

	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &ctl))
		return true;	/* a CPU without the lock */
	return (ctl & FEAT_CTL_LOCKED) && (ctl & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
}

static enum mhv_verdict vmx_examine(void)
{
	bool differ = false;

	if (!(cpuid_ecx(1) & BIT(5)))
		return vmx_refuse(MHV_HOST_NO_VMX, "the CPU has no VMX");
	if (!vmx_firmware_allows())
		return vmx_refuse(MHV_HOST_FIRMWARE_OFF,
				  "firmware locked VMX off: enable it in the BIOS set-up");
#ifdef X86_FEATURE_FRED
	if (cpu_feature_enabled(X86_FEATURE_FRED))
		return vmx_refuse(MHV_HOST_FRED, "the kernel uses FRED: boot with fred=off");
#endif
	vmx_read_caps(&vmx_caps);
	on_each_cpu(vmx_compare_caps, &differ, 1);
	if (differ)
		return vmx_refuse(MHV_HOST_MIXED, "the CPUs differ in their VMX");
	vmx_spte_format();
	mhv_shadow_init();
	return vmx_choose_controls();
}

/**
 * vmx_caps_init - find out what the host offers
 *
 * Context: module init, may sleep.
 * Return: 0 when VMs can be had, -ENODEV when not (vmx_describe() says why).
 */
int __init vmx_caps_init(void)
{
	vmx_verdict = vmx_examine();
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		vmx_host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	return vmx_verdict ? -ENODEV : 0;
}

static u64 vmx_feature_bits(void)
{
	static const struct { u8 feature; u32 cpu2; u64 ept_vpid; } map[] = {
		{ MHV_FEAT_EPT, CPU2_EPT, EPT_CAP_WALK_4 | EPT_CAP_WB },
		{ MHV_FEAT_EPT_2M, CPU2_EPT, EPT_CAP_2M },
		{ MHV_FEAT_EPT_1G, CPU2_EPT, EPT_CAP_1G },
		{ MHV_FEAT_EPT_AD, CPU2_EPT, EPT_CAP_AD },
		{ MHV_FEAT_VPID, CPU2_VPID, VPID_CAP_INVVPID | VPID_CAP_INVVPID_SINGLE },
		{ MHV_FEAT_UNRESTRICTED, CPU2_UNRESTRICTED_GUEST, 0 },
		{ MHV_FEAT_PML, CPU2_PML, EPT_CAP_AD },
		{ MHV_FEAT_INVPCID, CPU2_INVPCID, 0 },
		{ MHV_FEAT_RDTSCP, CPU2_RDTSCP, 0 },
	};
	u32 may = vmx_caps.cpu2 >> 32;
	u64 bits = BIT(MHV_FEAT_VMX) | BIT(MHV_FEAT_SHADOW);
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if ((may & map[i].cpu2) &&
		    (vmx_caps.ept_vpid & map[i].ept_vpid) == map[i].ept_vpid)
			bits |= BIT_ULL(map[i].feature);
	if (!use_ept)
		bits &= ~(BIT(MHV_FEAT_EPT) | BIT(MHV_FEAT_EPT_2M) | BIT(MHV_FEAT_EPT_1G) |
			  BIT(MHV_FEAT_EPT_AD) | BIT(MHV_FEAT_UNRESTRICTED) | BIT(MHV_FEAT_PML));
	if ((vmx_caps.cpu >> 32) & CPU_TPR_SHADOW)
		bits |= BIT(MHV_FEAT_TPR_SHADOW);
	if ((vmx_caps.cpu >> 32) & CPU_MSR_BITMAPS)
		bits |= BIT(MHV_FEAT_MSR_BITMAP);
	if ((vmx_caps.pin >> 32) & PIN_VIRTUAL_NMIS)
		bits |= BIT(MHV_FEAT_VNMI);
	return bits;
}

/**
 * vmx_describe - what MHV_GET_INFO tells of the hardware
 * @info: verdict, detail, features and phys_bits are filled in
 */
void vmx_describe(struct mhv_info *info)
{
	info->verdict = vmx_verdict;
	strscpy(info->detail, vmx_detail, sizeof(info->detail));
	/* a four-level TDP table maps 48 bits */
	info->phys_bits = min_t(u32, boot_cpu_data.x86_phys_bits, 48);
	if (vmx_verdict != MHV_HOST_NO_VMX && vmx_verdict != MHV_HOST_FIRMWARE_OFF &&
	    vmx_verdict != MHV_HOST_FRED)
		info->features = vmx_feature_bits();
	if (!info->verdict && !vmx_lost())
		return;
	if (!info->verdict && (cr4_read_shadow() & X86_CR4_VMXE)) {
		info->verdict = MHV_HOST_BUSY;
		strscpy(info->detail, "another hypervisor owns VMX: end its VMs or unload it",
			sizeof(info->detail));
	}
}
