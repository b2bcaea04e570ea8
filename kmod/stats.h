/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of a vCPU.  One list gives the enum, the names that user space sees
 * and the layout of the statistics page.  Exits by reason begin with "exit_";
 * each exit counts in "exits" and in exactly one of them.
 */
#ifndef MHV_STATS_H
#define MHV_STATS_H

#include <linux/mhv.h>

#define MHV_STATS(X)							\
	X(EXITS, "exits")						\
	X(EXIT_OTHER, "exit_other")					\
	X(EXIT_EXCEPTION, "exit_exception")				\
	X(EXIT_HOST_IRQ, "exit_host_irq")				\
	X(EXIT_TIMER, "exit_timer")					\
	X(EXIT_TRIPLE_FAULT, "exit_triple_fault")			\
	X(EXIT_IRQ_WINDOW, "exit_irq_window")				\
	X(EXIT_NMI_WINDOW, "exit_nmi_window")				\
	X(EXIT_TASK_SWITCH, "exit_task_switch")				\
	X(EXIT_CPUID, "exit_cpuid")					\
	X(EXIT_HLT, "exit_hlt")						\
	X(EXIT_CACHE, "exit_cache")					\
	X(EXIT_CR, "exit_cr")						\
	X(EXIT_DR, "exit_dr")						\
	X(EXIT_IO, "exit_io")						\
	X(EXIT_RDMSR, "exit_rdmsr")					\
	X(EXIT_WRMSR, "exit_wrmsr")					\
	X(EXIT_XSETBV, "exit_xsetbv")					\
	X(EXIT_UD, "exit_refused_insn")					\
	X(EXIT_TDP_FAULT, "exit_tdp_fault")				\
	X(EXIT_TDP_MISCONFIG, "exit_tdp_misconfig")			\
	X(EXIT_ENTRY_FAILED, "exit_entry_failed")			\
	X(RUNS, "runs")							\
	X(PIO_STRING, "pio_string")					\
	X(USER_EXITS, "user_exits")					\
	X(KICKS, "kicks")						\
	X(INJ_IRQ, "injected_irq")					\
	X(INJ_NMI, "injected_nmi")					\
	X(INJ_EXCEPTION, "injected_exception")				\
	X(REINJECTED, "reinjected")					\
	X(PF_MAPPED, "pf_mapped")					\
	X(PF_MAPPED_2M, "pf_mapped_2m")					\
	X(PF_MAPPED_1G, "pf_mapped_1g")					\
	X(PF_SPURIOUS, "pf_spurious")					\
	X(PF_RETRY, "pf_retry")						\
	X(PF_VCPU_CACHE, "pf_vcpu_cache")				\
	X(PF_MMIO_SPTE, "pf_mmio_spte")					\
	X(PF_MMIO_SLOW, "pf_mmio_slow")					\
	X(PF_MMIO_STALE, "pf_mmio_stale")				\
	X(PF_MMIO_MADE, "pf_mmio_made")					\
	X(PF_FALSE_ALARM, "pf_false_alarm")				\
	X(PF_NO_MEMORY, "pf_no_memory")					\
	X(MMIO_READ, "mmio_read")					\
	X(MMIO_WRITE, "mmio_write")					\
	X(MMIO_TICKS_LAST, "mmio_ticks_last")				\
	X(GUEST_TICKS, "guest_ticks")					\
	X(ROUTE_REGFILE, "route_regfile")				\
	X(ROUTE_POSTED, "route_posted")					\
	X(ROUTE_POSTED_FULL, "route_posted_full")			\
	X(ROUTE_EVENTFD, "route_eventfd")				\
	X(ROUTE_IOREQ, "route_ioreq")					\
	X(DECODE_HIT, "decode_cache_hit")				\
	X(DECODE_MISS, "decode_cache_miss")				\
	X(DECODE_CHANGED, "decode_cache_changed")			\
	X(DECODE_WALKED, "decode_walked")				\
	X(DECODE_UNSUPPORTED, "decode_unsupported")			\
	X(PF_GUEST, "pf_guest")						\
	X(PF_SHADOW_WRITE, "pf_table_write")				\
	X(SHADOW_PAGE_NEW, "shadow_page_new")				\
	X(SHADOW_RECLAIM, "shadow_reclaim")				\
	X(SHADOW_GNP_MADE, "shadow_gnp_made")				\
	X(SHADOW_PREFETCHED, "shadow_prefetched")			\
	X(SHADOW_RESYNCED, "shadow_resynced")				\
	X(SHADOW_AUDITS, "shadow_audits")				\
	X(SHADOW_AUDIT_ERRORS, "shadow_audit_errors")			\
	X(EXIT_INVLPG, "exit_invlpg")					\
	X(TLB_FLUSH, "tlb_flush")					\
	X(FPU_LOAD, "fpu_load")						\
	X(VMCS_LOAD, "vmcs_load")					\
	X(MSR_UNKNOWN, "msr_unknown")

enum mhv_stat {
#define X(id, name) MHV_STAT_##id,
	MHV_STATS(X)
#undef X
	MHV_NR_STATS,
};

int mhv_stat_name(struct mhv_stat_name *arg);

#endif /* MHV_STATS_H */
