/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, system mhv.  The formats are simple enough for trace-cmd and perf to
 * print without help.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mhv

#if !defined(MHV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MHV_TRACE_H

#include <linux/tracepoint.h>

#include "mhv.h"
#include "mmu/shadow.h"
#include "vmx/vmcs.h"

#define MHV_TRACE_REASONS						\
	{ XR_EXCEPTION_NMI, "exception" }, { XR_EXT_INTR, "host_irq" },	\
	{ XR_TRIPLE_FAULT, "triple_fault" },				\
	{ XR_INTR_WINDOW, "irq_window" }, { XR_NMI_WINDOW, "nmi_window" }, \
	{ XR_TASK_SWITCH, "task_switch" }, { XR_CPUID, "cpuid" },	\
	{ XR_HLT, "hlt" }, { XR_INVD, "invd" }, { XR_INVLPG, "invlpg" }, \
	{ XR_RDPMC, "rdpmc" }, { XR_VMCALL, "vmcall" },			\
	{ XR_CR_ACCESS, "cr" }, { XR_MOV_DR, "dr" }, { XR_IO, "io" },	\
	{ XR_RDMSR, "rdmsr" }, { XR_WRMSR, "wrmsr" },			\
	{ XR_EPT_VIOLATION, "tdp_fault" },				\
	{ XR_EPT_MISCONFIG, "tdp_misconfig" }, { XR_WBINVD, "wbinvd" },	\
	{ XR_XSETBV, "xsetbv" }

#define MHV_TRACE_VERDICTS						\
	{ MHV_VERDICT_VCPU_CACHE, "vcpu_cache" },			\
	{ MHV_VERDICT_SPTE, "spte" }, { MHV_VERDICT_SLOW, "slow" },	\
	{ MHV_VERDICT_STALE, "stale" },					\
	{ MHV_VERDICT_FALSE_ALARM, "false_alarm" },			\
	{ MHV_VERDICT_MAPPED, "mapped" }, { MHV_VERDICT_RETRY, "retry" }, \
	{ MHV_VERDICT_NO_MEMORY, "no_memory" },				\
	{ MHV_VERDICT_GUEST, "guest" }, { MHV_VERDICT_TABLE, "table" }

#define MHV_TRACE_ROUTES						\
	{ 0, "ioreq" }, { MHV_ROUTE_REGFILE, "regfile" },		\
	{ MHV_ROUTE_POSTED, "posted" }, { MHV_ROUTE_EVENTFD, "eventfd" }

TRACE_EVENT(mhv_entry,
	TP_PROTO(struct mhv_vcpu *v),
	TP_ARGS(v),
	TP_STRUCT__entry(
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->vcpu = v->id;
	),
	TP_printk("vcpu=%u", __entry->vcpu)
);

TRACE_EVENT(mhv_exit,
	TP_PROTO(struct mhv_vcpu *v, u32 reason, u64 rip, u64 cr3),
	TP_ARGS(v, reason, rip, cr3),
	TP_STRUCT__entry(
		__field(u64, rip)
		__field(u64, cr3)
		__field(u32, vcpu)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->rip = rip;
		__entry->cr3 = cr3;
		__entry->vcpu = v->id;
		__entry->reason = reason;
	),
	TP_printk("vcpu=%u reason=%s rip=0x%llx cr3=0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->reason & 0xffff, MHV_TRACE_REASONS),
		  __entry->rip, __entry->cr3)
);

TRACE_EVENT(mhv_page_fault,
	TP_PROTO(struct mhv_vcpu *v, const struct mhv_fault *fault, u32 verdict),
	TP_ARGS(v, fault, verdict),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u64, gva)
		__field(u32, vcpu)
		__field(u32, verdict)
		__field(u8, write)
		__field(u8, gva_valid)
	),
	TP_fast_assign(
		__entry->gpa = fault->gpa;
		__entry->gva = fault->gva;
		__entry->vcpu = v->id;
		__entry->verdict = verdict;
		__entry->write = fault->write;
		__entry->gva_valid = fault->gva_valid;
	),
	TP_printk("vcpu=%u gpa=0x%llx gva=0x%llx gva_valid=%u write=%u verdict=%s",
		  __entry->vcpu, __entry->gpa, __entry->gva, __entry->gva_valid,
		  __entry->write, __print_symbolic(__entry->verdict, MHV_TRACE_VERDICTS))
);

TRACE_EVENT(mhv_mmio_spte,
	TP_PROTO(u64 gfn, u64 gen),
	TP_ARGS(gfn, gen),
	TP_STRUCT__entry(
		__field(u64, gfn)
		__field(u64, gen)
	),
	TP_fast_assign(
		__entry->gfn = gfn;
		__entry->gen = gen;
	),
	TP_printk("made gfn=0x%llx gen=%llu", __entry->gfn, __entry->gen)
);

TRACE_EVENT(mhv_mmio_spte_check,
	TP_PROTO(u64 gfn, u64 spte, u64 gen, u32 verdict),
	TP_ARGS(gfn, spte, gen, verdict),
	TP_STRUCT__entry(
		__field(u64, gfn)
		__field(u64, spte)
		__field(u64, gen)
		__field(u32, verdict)
	),
	TP_fast_assign(
		__entry->gfn = gfn;
		__entry->spte = spte;
		__entry->gen = gen;
		__entry->verdict = verdict;
	),
	TP_printk("gfn=0x%llx spte=0x%llx gen=%llu verdict=%s", __entry->gfn, __entry->spte,
		  __entry->gen, __print_symbolic(__entry->verdict, MHV_TRACE_VERDICTS))
);

TRACE_EVENT(mhv_mmio,
	TP_PROTO(struct mhv_vcpu *v, u64 gva, u64 gpa, u32 size, u64 data, bool write,
		 u32 route, u32 verdict),
	TP_ARGS(v, gva, gpa, size, data, write, route, verdict),
	TP_STRUCT__entry(
		__field(u64, gva)
		__field(u64, gpa)
		__field(u64, data)
		__field(u32, vcpu)
		__field(u32, size)
		__field(u32, route)
		__field(u32, verdict)
		__field(u8, write)
	),
	TP_fast_assign(
		__entry->gva = gva;
		__entry->gpa = gpa;
		__entry->data = data;
		__entry->vcpu = v->id;
		__entry->size = size;
		__entry->route = route;
		__entry->verdict = verdict;
		__entry->write = write;
	),
	TP_printk("vcpu=%u %s gpa=0x%llx gva=0x%llx size=%u data=0x%llx route=%s cache=%s",
		  __entry->vcpu, __print_symbolic(__entry->write, { 0, "read" }, { 1, "write" }),
		  __entry->gpa, __entry->gva, __entry->size, __entry->data,
		  __print_symbolic(__entry->route, MHV_TRACE_ROUTES),
		  __print_symbolic(__entry->verdict, MHV_TRACE_VERDICTS))
);

TRACE_EVENT(mhv_decode,
	TP_PROTO(struct mhv_vcpu *v, u64 rip, const u8 *bytes, u32 result),
	TP_ARGS(v, rip, bytes, result),
	TP_STRUCT__entry(
		__field(u64, rip)
		__field(u32, vcpu)
		__field(u32, result)
		__array(u8, bytes, 15)
	),
	TP_fast_assign(
		__entry->rip = rip;
		__entry->vcpu = v->id;
		__entry->result = result;
		memcpy(__entry->bytes, bytes, 15);
	),
	TP_printk("vcpu=%u rip=0x%llx bytes=%s result=%s", __entry->vcpu, __entry->rip,
		  __print_hex_str(__entry->bytes, 15),
		  __print_symbolic(__entry->result, { MHV_DECODE_OK, "ok" },
				   { MHV_DECODE_SHORT, "short" },
				   { MHV_DECODE_TOO_LONG, "too_long" },
				   { MHV_DECODE_UD, "ud" },
				   { MHV_DECODE_UNSUPPORTED, "unsupported" },
				   { MHV_DECODE_NO_MEMORY, "no_memory" }))
);

TRACE_EVENT(mhv_ioreq_done,
	TP_PROTO(struct mhv_vcpu *v, const struct mhv_ioreq *req, u64 data, u64 ticks),
	TP_ARGS(v, req, data, ticks),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u64, data)
		__field(u64, ticks)
		__field(u32, vcpu)
		__field(u32, size)
		__field(u32, count)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->addr = req->addr;
		__entry->data = data;
		__entry->ticks = ticks;
		__entry->vcpu = v->id;
		__entry->size = req->size;
		__entry->count = req->count;
		__entry->flags = req->flags;
	),
	TP_printk("vcpu=%u addr=0x%llx size=%u count=%u data=0x%llx flags=%s ticks=%llu",
		  __entry->vcpu, __entry->addr, __entry->size, __entry->count, __entry->data,
		  __print_flags(__entry->flags, "|", { MHV_IOREQ_WRITE, "write" },
				{ MHV_IOREQ_STRING, "string" }, { MHV_IOREQ_DOWN, "down" },
				{ MHV_IOREQ_POSTABLE, "postable" }), __entry->ticks)
);

TRACE_EVENT(mhv_posted,
	TP_PROTO(struct mhv_vcpu *v, u64 gpa, u32 size, u64 data, u32 seq, u32 used),
	TP_ARGS(v, gpa, size, data, seq, used),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u64, data)
		__field(u32, vcpu)
		__field(u32, size)
		__field(u32, seq)
		__field(u32, used)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->data = data;
		__entry->vcpu = v->id;
		__entry->size = size;
		__entry->seq = seq;
		__entry->used = used;
	),
	TP_printk("vcpu=%u gpa=0x%llx size=%u data=0x%llx seq=%u used=%u", __entry->vcpu,
		  __entry->gpa, __entry->size, __entry->data, __entry->seq, __entry->used)
);

TRACE_EVENT(mhv_posted_drain,
	TP_PROTO(struct mhv_vcpu *v, u32 from, u32 to),
	TP_ARGS(v, from, to),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->vcpu = v->id;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("vcpu=%u seen drained from=%u to=%u", __entry->vcpu, __entry->from, __entry->to)
);

TRACE_EVENT(mhv_eventfd,
	TP_PROTO(struct mhv_vcpu *v, u64 gpa, u32 size, u64 data),
	TP_ARGS(v, gpa, size, data),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u64, data)
		__field(u32, vcpu)
		__field(u32, size)
	),
	TP_fast_assign(
		__entry->gpa = gpa;
		__entry->data = data;
		__entry->vcpu = v->id;
		__entry->size = size;
	),
	TP_printk("vcpu=%u gpa=0x%llx size=%u data=0x%llx", __entry->vcpu, __entry->gpa,
		  __entry->size, __entry->data)
);

TRACE_EVENT(mhv_inject,
	TP_PROTO(struct mhv_vcpu *v, u32 info, u32 error_code),
	TP_ARGS(v, info, error_code),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, info)
		__field(u32, error_code)
	),
	TP_fast_assign(
		__entry->vcpu = v->id;
		__entry->info = info;
		__entry->error_code = error_code;
	),
	TP_printk("vcpu=%u type=%s vector=%u error_code=0x%x", __entry->vcpu,
		  __print_symbolic((__entry->info >> 8) & 7, { 0, "irq" }, { 2, "nmi" },
				   { 3, "exception" }, { 4, "int_n" }, { 5, "int1" },
				   { 6, "soft_exception" }),
		  __entry->info & 0xff, __entry->error_code)
);

#define MHV_TRACE_SHADOW						\
	{ MHV_SHADOW_NEW, "new" }, { MHV_SHADOW_ZAP, "zap" },		\
	{ MHV_SHADOW_SYNC, "sync" }, { MHV_SHADOW_UNSYNC, "unsync" }

TRACE_EVENT(mhv_shadow_page,
	TP_PROTO(const struct shadow_page *sp, u32 what),
	TP_ARGS(sp, what),
	TP_STRUCT__entry(
		__field(u64, gfn)
		__field(u32, what)
		__field(u8, level)
		__field(u8, direct)
		__field(u8, access)
		__field(u8, quadrant)
	),
	TP_fast_assign(
		__entry->gfn = sp->gfn;
		__entry->what = what;
		__entry->level = sp->role.level;
		__entry->direct = sp->role.direct;
		__entry->access = sp->role.access;
		__entry->quadrant = sp->role.quadrant;
	),
	TP_printk("%s gfn=0x%llx level=%u direct=%u access=%u quadrant=%u",
		  __print_symbolic(__entry->what, MHV_TRACE_SHADOW), __entry->gfn,
		  __entry->level, __entry->direct, __entry->access, __entry->quadrant)
);

TRACE_EVENT(mhv_shadow_spte,
	TP_PROTO(struct mhv_vcpu *v, u64 gva, u64 spte, u64 gpte),
	TP_ARGS(v, gva, spte, gpte),
	TP_STRUCT__entry(
		__field(u64, gva)
		__field(u64, spte)
		__field(u64, gpte)
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->gva = gva;
		__entry->spte = spte;
		__entry->gpte = gpte;
		__entry->vcpu = v->id;
	),
	TP_printk("vcpu=%u gva=0x%llx spte=0x%llx gpte=0x%llx", __entry->vcpu, __entry->gva,
		  __entry->spte, __entry->gpte)
);

TRACE_EVENT(mhv_memslot,
	TP_PROTO(const struct mhv_memslot *arg, u64 gen),
	TP_ARGS(arg, gen),
	TP_STRUCT__entry(
		__field(u64, gpa)
		__field(u64, size)
		__field(u64, hva)
		__field(u64, gen)
		__field(u32, slot)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->gpa = arg->gpa;
		__entry->size = arg->size;
		__entry->hva = arg->hva;
		__entry->gen = gen;
		__entry->slot = arg->slot;
		__entry->flags = arg->flags;
	),
	TP_printk("slot=%u gpa=0x%llx size=0x%llx hva=0x%llx flags=0x%x gen=%llu", __entry->slot,
		  __entry->gpa, __entry->size, __entry->hva, __entry->flags, __entry->gen)
);

#endif /* MHV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
