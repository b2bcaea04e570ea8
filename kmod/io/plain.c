// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way: a plain move to or from a device frame that the vCPU knows, by an
 * instruction that it has decoded before.
 *
 * The CPU has checked and translated the address, so the move itself is all there is to
 * do: no effective address, no walk, no executor.  It runs right after the exit, with
 * interrupts off, which also keeps the routes from being freed; an interrupt that waits
 * ends the next stay in the guest before it has begun.
 *
 * Whatever is not as expected goes the long way (mmu/fault.c, io/mmio.c), which does
 * the same for every instruction; with tracing on all go there.
 */
#include <linux/mm.h>

#include "../mmu/decode_verify.h"
#include "../mmu/mmu.h"
#include "../mmu/shadow.h"
#include "posted.h"
#include "route.h"

#define PLAIN_NEEDS	(BIT(MHV_OPT_VCPU_CACHE) | BIT(MHV_OPT_DECODE_CACHE))

static inline u64 plain_mask(u32 size)
{
	return size == 8 ? ~0ull : (1ull << (size * 8)) - 1;
}

/* As the CPU writes a register: 4 bytes zero the upper half, 1 and 2 keep the rest. */
static inline void plain_set_reg(struct mhv_vcpu *v, u32 reg, u32 regsize, u64 value)
{
	if (regsize >= 4)
		v->gpr[reg] = value;
	else
		v->gpr[reg] = (v->gpr[reg] & ~plain_mask(regsize)) | value;
}

/* Make sure that the entry knows the routes of its page as they are now. */
static noinline void plain_refresh(struct mhv_vcpu *v, struct mhv_mmio_entry *e, u32 gen)
{
	e->kinds = mhv_route_kinds(v->vm, e->gfn);
	memset(e->hit, 0, sizeof(e->hit));
	e->routes_gen = gen;
}

static inline bool plain_has(struct mhv_vcpu *v, const struct mhv_mmio_entry *e, u32 kind,
			     enum mhv_opt opt)
{
	return (e->kinds & BIT(kind)) && !mhv_opt_off(v->vm, opt);
}

/* The route that covers the access, if any: the one used last, or by a search. */
static inline const struct mhv_route_entry *plain_route(struct mhv_vcpu *v,
							struct mhv_mmio_entry *e, u32 kind,
							gpa_t gpa, u32 size)
{
	const struct mhv_route_entry *hit = e->hit[kind];

	if (likely(hit && mhv_route_covers(hit, gpa, size)))
		return hit;
	hit = mhv_route_find(mhv_routes(v->vm, kind), gpa, size);
	e->hit[kind] = hit;
	return hit;
}

static noinline const struct mhv_route_entry *plain_find_doorbell(struct mhv_vcpu *v,
								  struct mhv_mmio_entry *e,
								  gpa_t gpa, u32 size, u64 data)
{
	const struct mhv_route_entry *hit;
	bool only;

	hit = mhv_doorbell_find(mhv_routes(v->vm, MHV_ROUTE_EVENTFD), gpa, size, data, &only);
	e->hit[MHV_ROUTE_EVENTFD] = hit && only ? hit : NULL;
	return hit;
}

static inline const struct mhv_route_entry *plain_doorbell(struct mhv_vcpu *v,
							   struct mhv_mmio_entry *e, gpa_t gpa,
							   u32 size, u64 data)
{
	const struct mhv_route_entry *hit = e->hit[MHV_ROUTE_EVENTFD];

	if (likely(hit && hit->gpa == gpa && (!hit->size || hit->size == size) &&
		   (!hit->match || hit->value == data)))
		return hit;
	return plain_find_doorbell(v, e, gpa, size, data);
}

/* Hand the access to user space. */
static enum mhv_plain plain_request(struct mhv_vcpu *v, gpa_t gpa, u32 size, u32 flags, u64 data)
{
	v->io.kind = MHV_IO_PLAIN;
	v->io.req = (struct mhv_ioreq){
		.flags = flags, .size = size, .count = 1, .addr = gpa, .data = data,
	};
	mhv_count(v, MHV_STAT_ROUTE_IOREQ);
	mhv_ioreq_issue(v);
	return MHV_PLAIN_USER;
}

static enum mhv_plain plain_write(struct mhv_vcpu *v, struct mhv_mmio_entry *e, gpa_t gpa,
				  u32 size, u64 data)
{
	const struct mhv_route_entry *route;
	u32 flags = MHV_IOREQ_WRITE;

	mhv_count(v, MHV_STAT_MMIO_WRITE);
	if (plain_has(v, e, MHV_ROUTE_POSTED, MHV_OPT_POSTED)) {
		route = plain_route(v, e, MHV_ROUTE_POSTED, gpa, size);
		if (route && likely(mhv_posted_write(v, route, gpa, size, data))) {
			mhv_count(v, MHV_STAT_ROUTE_POSTED);
			return MHV_PLAIN_DONE;
		}
		if (route) {
			mhv_count(v, MHV_STAT_ROUTE_POSTED_FULL);
			return plain_request(v, gpa, size, flags | MHV_IOREQ_POSTABLE, data);
		}
	}
	if (plain_has(v, e, MHV_ROUTE_EVENTFD, MHV_OPT_EVENTFD)) {
		route = plain_doorbell(v, e, gpa, size, data);
		if (route) {
			mhv_eventfd_write(v, route, gpa, size, data);
			mhv_count(v, MHV_STAT_ROUTE_EVENTFD);
			return MHV_PLAIN_DONE;
		}
	}
	return plain_request(v, gpa, size, flags, data);
}

static __always_inline enum mhv_plain plain_read(struct mhv_vcpu *v, struct mhv_mmio_entry *e,
						 gpa_t gpa, const struct mhv_insn *insn)
{
	const struct mhv_route_entry *route;

	mhv_count(v, MHV_STAT_MMIO_READ);
	if (plain_has(v, e, MHV_ROUTE_REGFILE, MHV_OPT_REGFILE) && !(gpa & (insn->size - 1))) {
		route = plain_route(v, e, MHV_ROUTE_REGFILE, gpa, insn->size);
		if (route) {
			plain_set_reg(v, insn->reg, insn->regsize,
				      mhv_regfile_read(route, gpa, insn->size));
			mhv_count(v, MHV_STAT_ROUTE_REGFILE);
			return MHV_PLAIN_DONE;
		}
	}
	/* the instruction is complete when the answer is there */
	v->io.awaited = true;
	v->io.insn_len = insn->len;
	v->io.reg = insn->reg;
	v->io.regsize = insn->regsize;
	plain_request(v, gpa, insn->size, 0, 0);
	return MHV_PLAIN_WAIT;
}

/*
 * Does the access begin at @la?  One that crosses pages may have faulted on the second,
 * and a walk of the guest's tables that are in device memory looks the same but for the
 * page.
 */
static inline bool plain_begins_at(struct mhv_vcpu *v, const struct mhv_insn *insn, u64 la)
{
	u64 ea = insn->disp;

	if (insn->base != MHV_REG_NONE)
		ea += v->gpr[insn->base];
	if (insn->index != MHV_REG_NONE)
		ea += v->gpr[insn->index] << insn->scale;
	return ea == la;
}

/* The instruction at RIP, if it is a plain move that was decoded before. */
static __always_inline const struct mhv_insn *plain_insn(struct mhv_vcpu *v, u64 cr3)
{
	const struct mhv_code code = {
		.rip = v->rip, .cr3 = cr3,
		.kind = MHV_CODE_KIND(MHV_MODE_64, GUEST_PAGING_4LEVEL),
	};
	const struct mhv_decoded *d = mhv_decoded_at(v, code.rip);

	if (unlikely((d->insn.flags & (MHV_INSN_PLAIN | MHV_INSN_HIGH8 | MHV_INSN_USES_RSP)) !=
		     MHV_INSN_PLAIN || !mhv_decoded_true(v, d, &code)))
		return NULL;
	return &d->insn;
}

/* Is the entry one of now, for reads as well, and may it be used? */
static __always_inline bool plain_entry(struct mhv_vcpu *v, const struct mhv_mmio_entry *e)
{
	return !(READ_ONCE(v->vm->disabled) & PLAIN_NEEDS) &&
	       e->gen == READ_ONCE(v->vm->mmio_gen) && !e->write_only;
}

static __always_inline enum mhv_plain plain_access(struct mhv_vcpu *v, struct mhv_mmio_entry *e,
						   const struct mhv_insn *insn, gpa_t gpa,
						   enum mhv_stat exit)
{
	u32 gen = READ_ONCE(v->vm->routes_gen);
	enum mhv_plain plain;
	u64 *stat;

	if (unlikely(offset_in_page(gpa) + insn->size > PAGE_SIZE))
		return MHV_PLAIN_NO;
	if (unlikely(e->routes_gen != gen))
		plain_refresh(v, e, gen);
	switch (insn->op) {
	case MHV_OP_MOV_MR:
		plain = plain_write(v, e, gpa, insn->size,
				    v->gpr[insn->reg] & plain_mask(insn->size));
		break;
	case MHV_OP_MOV_MI:
		plain = plain_write(v, e, gpa, insn->size,
				    (u64)insn->imm & plain_mask(insn->size));
		break;
	case MHV_OP_MOV_RM:
	case MHV_OP_MOVZX:
		plain = plain_read(v, e, gpa, insn);
		break;
	default:
		return MHV_PLAIN_NO;
	}
	if (plain != MHV_PLAIN_WAIT)
		mhv_plain_retire(v, insn->len);
	stat = v->stat;
	stat[MHV_STAT_PF_VCPU_CACHE]++;
	stat[MHV_STAT_DECODE_HIT]++;
	stat[MHV_STAT_EXITS]++;
	stat[exit]++;
	return plain;
}

/**
 * mhv_mmio_plain - do a device access the short way, if it is one for it
 * @v: a loaded vCPU that has just exited, RIP cached, nothing outstanding
 * @gpa: address that found a device entry
 * @cr3: the guest's; it executes in 64-bit mode
 *
 * Context: interrupts off.
 */
enum mhv_plain mhv_mmio_plain(struct mhv_vcpu *v, gpa_t gpa, u64 cr3)
{
	struct mhv_mmio_entry *e = &v->mmio.entry[gpa_to_gfn(gpa) % MHV_MMIO_CACHE];
	const struct mhv_insn *insn;

	if (unlikely(e->gfn != gpa_to_gfn(gpa) || !plain_entry(v, e)))
		return MHV_PLAIN_NO;
	insn = plain_insn(v, cr3);
	if (unlikely(!insn || !plain_begins_at(v, insn, e->la | offset_in_page(gpa))))
		return MHV_PLAIN_NO;
	return plain_access(v, e, insn, gpa, MHV_STAT_EXIT_TDP_MISCONFIG);
}

/**
 * mhv_mmio_plain_shadow - the same with shadow paging
 * @v: a loaded vCPU that has just exited for a #PF, RIP cached, nothing outstanding
 * @gva: linear address
 * @code: PFERR_*
 *
 * Context: interrupts off.
 */
enum mhv_plain mhv_mmio_plain_shadow(struct mhv_vcpu *v, gva_t gva, u32 code)
{
	struct mhv_mmio_entry *e = mhv_mmio_cache_by_la(&v->mmio, gva);
	const struct mhv_insn *insn;

	if (unlikely(e->la != (gva & PAGE_MASK) || !plain_entry(v, e) ||
		     !mhv_shadow_rights_allow(v, e->rights, code)))
		return MHV_PLAIN_NO;
	insn = plain_insn(v, v->cr3);
	if (unlikely(!insn || !plain_begins_at(v, insn, gva)))
		return MHV_PLAIN_NO;
	return plain_access(v, e, insn, gfn_to_gpa(e->gfn) | offset_in_page(gva),
			    MHV_STAT_EXIT_EXCEPTION);
}

/**
 * mhv_plain_complete - user space has answered a plain move's request
 * @v: a loaded vCPU
 * @data: the slot's data
 */
enum mhv_next mhv_plain_complete(struct mhv_vcpu *v, u64 data)
{
	const struct mhv_ioreq *req = &v->io.req;

	v->io.kind = MHV_IO_NONE;
	if (!v->io.awaited)
		return MHV_NEXT_RESUME;
	v->io.awaited = false;
	plain_set_reg(v, v->io.reg, v->io.regsize, data & plain_mask(req->size));
	if (v->cached != MHV_REG_ALL)
		mhv_op(cache_regs)(v);
	mhv_plain_retire(v, v->io.insn_len);
	v->dirty |= MHV_REG_RIP | MHV_REG_RFLAGS;
	return MHV_NEXT_RESUME;
}
