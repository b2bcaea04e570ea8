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

/* Names of enumerations mean nothing to user space: formats show their numbers. */
TRACE_DEFINE_ENUM(XR_EXCEPTION_NMI);
TRACE_DEFINE_ENUM(XR_EXT_INTR);
TRACE_DEFINE_ENUM(XR_TRIPLE_FAULT);
TRACE_DEFINE_ENUM(XR_INTR_WINDOW);
TRACE_DEFINE_ENUM(XR_NMI_WINDOW);
TRACE_DEFINE_ENUM(XR_TASK_SWITCH);
TRACE_DEFINE_ENUM(XR_CPUID);
TRACE_DEFINE_ENUM(XR_HLT);
TRACE_DEFINE_ENUM(XR_INVD);
TRACE_DEFINE_ENUM(XR_INVLPG);
TRACE_DEFINE_ENUM(XR_RDPMC);
TRACE_DEFINE_ENUM(XR_VMCALL);
TRACE_DEFINE_ENUM(XR_CR_ACCESS);
TRACE_DEFINE_ENUM(XR_MOV_DR);
TRACE_DEFINE_ENUM(XR_IO);
TRACE_DEFINE_ENUM(XR_RDMSR);
TRACE_DEFINE_ENUM(XR_WRMSR);
TRACE_DEFINE_ENUM(XR_EPT_VIOLATION);
TRACE_DEFINE_ENUM(XR_EPT_MISCONFIG);
TRACE_DEFINE_ENUM(XR_WBINVD);
TRACE_DEFINE_ENUM(XR_XSETBV);
TRACE_DEFINE_ENUM(XR_PREEMPTION_TIMER);
TRACE_DEFINE_ENUM(MHV_VERDICT_VCPU_CACHE);
TRACE_DEFINE_ENUM(MHV_VERDICT_SPTE);
TRACE_DEFINE_ENUM(MHV_VERDICT_SLOW);
TRACE_DEFINE_ENUM(MHV_VERDICT_STALE);
TRACE_DEFINE_ENUM(MHV_VERDICT_FALSE_ALARM);
TRACE_DEFINE_ENUM(MHV_VERDICT_MAPPED);
TRACE_DEFINE_ENUM(MHV_VERDICT_RETRY);
TRACE_DEFINE_ENUM(MHV_VERDICT_NO_MEMORY);
TRACE_DEFINE_ENUM(MHV_VERDICT_GUEST);
TRACE_DEFINE_ENUM(MHV_VERDICT_TABLE);
TRACE_DEFINE_ENUM(MHV_ROUTE_REGFILE);
TRACE_DEFINE_ENUM(MHV_ROUTE_POSTED);
TRACE_DEFINE_ENUM(MHV_ROUTE_EVENTFD);
TRACE_DEFINE_ENUM(MHV_DECODE_OK);
TRACE_DEFINE_ENUM(MHV_DECODE_SHORT);
TRACE_DEFINE_ENUM(MHV_DECODE_TOO_LONG);
TRACE_DEFINE_ENUM(MHV_DECODE_UD);
TRACE_DEFINE_ENUM(MHV_DECODE_UNSUPPORTED);
TRACE_DEFINE_ENUM(MHV_DECODE_NO_MEMORY);
TRACE_DEFINE_ENUM(MHV_SHADOW_NEW);
TRACE_DEFINE_ENUM(MHV_SHADOW_FOUND);
TRACE_DEFINE_ENUM(MHV_SHADOW_ZAP);
TRACE_DEFINE_ENUM(MHV_SHADOW_SYNC);
TRACE_DEFINE_ENUM(MHV_SHADOW_UNSYNC);
TRACE_DEFINE_ENUM(GUEST_WALK_OK);
TRACE_DEFINE_ENUM(GUEST_WALK_FAULT);
TRACE_DEFINE_ENUM(GUEST_WALK_NO_MEMORY);
TRACE_DEFINE_ENUM(GUEST_WALK_RACED);
TRACE_DEFINE_ENUM(MHV_FLUSH_VM);
TRACE_DEFINE_ENUM(MHV_FLUSH_VCPU);
TRACE_DEFINE_ENUM(MHV_FLUSH_GVA);

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
	{ XR_XSETBV, "xsetbv" }, { XR_PREEMPTION_TIMER, "timer" }

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
	TP_PROTO(struct mhv_vcpu *v, u64 rip, const u8 *bytes, u32 result, bool cached),
	TP_ARGS(v, rip, bytes, result, cached),
	TP_STRUCT__entry(
		__field(u64, rip)
		__field(u32, vcpu)
		__field(u32, result)
		__array(u8, bytes, 15)
		__field(u8, cached)
	),
	TP_fast_assign(
		__entry->rip = rip;
		__entry->vcpu = v->id;
		__entry->result = result;
		memcpy(__entry->bytes, bytes, 15);
		__entry->cached = cached;
	),
	TP_printk("vcpu=%u rip=0x%llx bytes=%s result=%s cached=%u", __entry->vcpu,
		  __entry->rip, __print_hex_str(__entry->bytes, 15),
		  __print_symbolic(__entry->result, { MHV_DECODE_OK, "ok" },
				   { MHV_DECODE_SHORT, "short" },
				   { MHV_DECODE_TOO_LONG, "too_long" },
				   { MHV_DECODE_UD, "ud" },
				   { MHV_DECODE_UNSUPPORTED, "unsupported" },
				   { MHV_DECODE_NO_MEMORY, "no_memory" }),
		  __entry->cached)
);

#define MHV_TRACE_IOREQ							\
	{ MHV_IOREQ_WRITE, "write" }, { MHV_IOREQ_STRING, "string" },	\
	{ MHV_IOREQ_DOWN, "down" }, { MHV_IOREQ_POSTABLE, "postable" }

TRACE_EVENT(mhv_ioreq,
	TP_PROTO(struct mhv_vcpu *v, const struct mhv_ioreq *req, bool mmio),
	TP_ARGS(v, req, mmio),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u64, data)
		__field(u32, vcpu)
		__field(u32, size)
		__field(u32, count)
		__field(u32, flags)
		__field(u8, mmio)
	),
	TP_fast_assign(
		__entry->addr = req->addr;
		__entry->data = req->data;
		__entry->vcpu = v->id;
		__entry->size = req->size;
		__entry->count = req->count;
		__entry->flags = req->flags;
		__entry->mmio = mmio;
	),
	TP_printk("vcpu=%u %s addr=0x%llx size=%u count=%u data=0x%llx flags=%s", __entry->vcpu,
		  __print_symbolic(__entry->mmio, { 0, "port" }, { 1, "mmio" }),
		  __entry->addr, __entry->size, __entry->count, __entry->data,
		  __print_flags(__entry->flags, "|", MHV_TRACE_IOREQ))
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
		  __print_flags(__entry->flags, "|", MHV_TRACE_IOREQ), __entry->ticks)
);

/* What a string transfer carries, in pieces that a line of text holds. */
#define MHV_TRACE_PIECE		512

TRACE_EVENT(mhv_data,
	TP_PROTO(struct mhv_vcpu *v, u32 offset, u32 len),
	TP_ARGS(v, offset, len),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, offset)
		__dynamic_array(u8, bytes, len)
	),
	TP_fast_assign(
		__entry->vcpu = v->id;
		__entry->offset = offset;
		memcpy(__get_dynamic_array(bytes), v->data + offset, len);
	),
	TP_printk("vcpu=%u offset=%u bytes=%s", __entry->vcpu, __entry->offset,
		  __print_hex_str(__get_dynamic_array(bytes), __get_dynamic_array_len(bytes)))
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
	{ MHV_SHADOW_NEW, "new" }, { MHV_SHADOW_FOUND, "found" },	\
	{ MHV_SHADOW_ZAP, "zap" },					\
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

TRACE_EVENT(mhv_shadow_root,
	TP_PROTO(struct mhv_vcpu *v, u64 cr3, const struct mhv_mmu_table *t),
	TP_ARGS(v, cr3, t),
	TP_STRUCT__entry(
		__field(u64, cr3)
		__field(u64, tables)
		__field(u64, present)
		__field(u64, accessed)
		__field(u64, dirty)
		__field(u64, mmio)
		__field(u64, gnp)
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->cr3 = cr3;
		__entry->tables = t->tables;
		__entry->present = t->present;
		__entry->accessed = t->accessed;
		__entry->dirty = t->dirty;
		__entry->mmio = t->mmio;
		__entry->gnp = t->gnp;
		__entry->vcpu = v->id;
	),
	TP_printk("vcpu=%u cr3=0x%llx tables=%llu present=%llu accessed=%llu dirty=%llu mmio=%llu gnp=%llu",
		  __entry->vcpu, __entry->cr3, __entry->tables, __entry->present,
		  __entry->accessed, __entry->dirty, __entry->mmio, __entry->gnp)
);

TRACE_EVENT(mhv_shadow_shrink,
	TP_PROTO(u64 tables, u64 left),
	TP_ARGS(tables, left),
	TP_STRUCT__entry(
		__field(u64, tables)
		__field(u64, left)
	),
	TP_fast_assign(
		__entry->tables = tables;
		__entry->left = left;
	),
	TP_printk("tables=%llu left=%llu", __entry->tables, __entry->left)
);

TRACE_EVENT(mhv_walk,
	TP_PROTO(struct mhv_vcpu *v, u64 gva, u32 access, u32 result,
		 const struct guest_walk *walk),
	TP_ARGS(v, gva, access, result, walk),
	TP_STRUCT__entry(
		__field(u64, gva)
		__field(u64, gpa)
		__field(u32, vcpu)
		__field(u32, access)
		__field(u32, result)
		__field(u32, error_code)
		__field(u32, level)
	),
	TP_fast_assign(
		__entry->gva = gva;
		__entry->gpa = walk->gpa;
		__entry->vcpu = v->id;
		__entry->access = access;
		__entry->result = result;
		__entry->error_code = walk->error_code;
		__entry->level = walk->level;
	),
	TP_printk("vcpu=%u gva=0x%llx access=%s result=%s level=%u gpa=0x%llx error_code=0x%x",
		  __entry->vcpu, __entry->gva,
		  __print_flags(__entry->access, "|", { GUEST_ACCESS_WRITE, "write" },
				{ GUEST_ACCESS_USER, "user" }, { GUEST_ACCESS_FETCH, "fetch" },
				{ GUEST_ACCESS_AC, "ac" },
				{ GUEST_ACCESS_IMPLICIT, "implicit" }),
		  __print_symbolic(__entry->result, { GUEST_WALK_OK, "ok" },
				   { GUEST_WALK_FAULT, "fault" },
				   { GUEST_WALK_NO_MEMORY, "no_memory" },
				   { GUEST_WALK_RACED, "raced" }),
		  __entry->level, __entry->gpa, __entry->error_code)
);

#define MHV_TRACE_FLUSHES						\
	{ MHV_FLUSH_VM, "vm" }, { MHV_FLUSH_VCPU, "vcpu" }, { MHV_FLUSH_GVA, "gva" }

TRACE_EVENT(mhv_flush,
	TP_PROTO(s32 vcpu, u32 what, u64 gva),
	TP_ARGS(vcpu, what, gva),
	TP_STRUCT__entry(
		__field(u64, gva)
		__field(s32, vcpu)
		__field(u32, what)
	),
	TP_fast_assign(
		__entry->gva = gva;
		__entry->vcpu = vcpu;
		__entry->what = what;
	),
	TP_printk("vcpu=%d what=%s gva=0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->what, MHV_TRACE_FLUSHES), __entry->gva)
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
