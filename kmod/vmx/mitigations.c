// SPDX-License-Identifier: GPL-2.0-only
/*
 * The L1D flush before an entry, as the host kernel has it on (l1tf=).
 *
 * A CPU that has the flaw and no EPT-independent protection could read the L1 data of
 * other threads of the host from inside the guest.  The kernel notes when it ran code
 * that may have left secrets there (an interrupt, a context switch); only then is the
 * cache flushed, or always with l1tf=full,force.  MDS, branch history and return
 * predictions are the business of entry.S, where the kernel's alternatives decide.
 */
#include <linux/gfp.h>
#include <asm/cpufeature.h>
#include <asm/hardirq.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx.h"

#define L1D_ORDER	4	/* 64 KiB: twice the largest L1D */

bool vmx_l1d_flush_on __ro_after_init;
static bool l1d_always __ro_after_init;
static void *l1d_pages __ro_after_init;

static bool __init l1d_needed(void)
{
	u64 arch = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF) || l1tf_mitigation == L1TF_MITIGATION_OFF)
		return false;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, arch);
	return !(arch & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH);
}

/**
 * vmx_mitigations_init - decide what an entry must do
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init vmx_mitigations_init(void)
{
	vmx_l1d_flush_on = l1d_needed();
	l1d_always = l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;
	if (!vmx_l1d_flush_on || boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	l1d_pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, L1D_ORDER);
	return l1d_pages ? 0 : -ENOMEM;
}

/**
 * vmx_mitigations_exit - free what vmx_mitigations_init() took
 */
void vmx_mitigations_exit(void)
{
	free_pages((unsigned long)l1d_pages, L1D_ORDER);
}

/* Read as much as the cache holds, each line once after the TLB has the pages. */
static void l1d_displace(void)
{
	size_t size = PAGE_SIZE << L1D_ORDER, i;

	for (i = 0; i < size; i += PAGE_SIZE)
		READ_ONCE(*(u8 *)(l1d_pages + i));
	/* the TLB has all pages before the first line is counted on */
	rmb();
	for (i = 0; i < size; i += 64)
		READ_ONCE(*(u8 *)(l1d_pages + i));
	/* all lines are in before the guest runs */
	rmb();
}

/**
 * __vmx_l1d_flush - flush the L1 data cache if this entry needs it
 *
 * Context: interrupts off, right before the entry.
 */
void __vmx_l1d_flush(void)
{
	if (!l1d_always && !kvm_get_cpu_l1tf_flush_l1d())
		return;
	kvm_clear_cpu_l1tf_flush_l1d();
	if (boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
	else
		l1d_displace();
}
