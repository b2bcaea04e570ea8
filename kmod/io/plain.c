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
#include "posted.h"
#include "route.h"

#define PLAIN_NEEDS	(BIT(MHV_OPT_VCPU_CACHE) | BIT(MHV_OPT_DECODE_CACHE) | MHV_VM_MEASURE)

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

static enum mhv_plain plain_read(struct mhv_vcpu *v, struct mhv_mmio_entry *e, gpa_t gpa,
				 const struct mhv_insn *insn)
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
 * Does the access begin at @gpa?  One that crosses pages may have faulted on the second,
 * and a walk of the guest's tables that are in device memory looks the same but for the
 * page.
 */
static inline bool plain_begins_at(struct mhv_vcpu *v, const struct mhv_mmio_entry *e,
				   const struct mhv_insn *insn, gpa_t gpa)
{
	u64 ea = insn->disp;

	if (insn->base != MHV_REG_NONE)
		ea += v->gpr[insn->base];
	if (insn->index != MHV_REG_NONE)
		ea += v->gpr[insn->index] << insn->scale;
	return ea == (e->la | offset_in_page(gpa));
}

/**
 * mhv_mmio_plain - do a device access the short way, if it is one for it
 * @v: a loaded vCPU that has just exited, RIP cached, nothing outstanding
 * @gpa: address that found a device entry
 * @code: where the vCPU executes
 *
 * Context: interrupts off.
 */
enum mhv_plain mhv_mmio_plain(struct mhv_vcpu *v, gpa_t gpa, const struct mhv_code *code)
{
	u64 gfn = gpa_to_gfn(gpa);
	struct mhv_mmio_entry *e = &v->mmio.entry[gfn % MHV_MMIO_CACHE];
	const struct mhv_decoded *d = mhv_decoded_at(v, code->rip);
	const struct mhv_insn *insn = &d->insn;
	enum mhv_plain plain;
	u64 *stat;
	u32 gen;

	if (unlikely((READ_ONCE(v->vm->disabled) & PLAIN_NEEDS) || e->gfn != gfn ||
		     e->gen != READ_ONCE(v->vm->mmio_gen) || e->write_only))
		return MHV_PLAIN_NO;
	if (unlikely((insn->flags & (MHV_INSN_PLAIN | MHV_INSN_HIGH8 | MHV_INSN_USES_RSP)) !=
		     MHV_INSN_PLAIN || offset_in_page(gpa) + insn->size > PAGE_SIZE))
		return MHV_PLAIN_NO;
	if (unlikely(!mhv_decoded_true(v, d, code) || !plain_begins_at(v, e, insn, gpa)))
		return MHV_PLAIN_NO;

	gen = READ_ONCE(v->vm->routes_gen);
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
		v->rip += insn->len;
	stat = v->stat;
	stat[MHV_STAT_PF_VCPU_CACHE]++;
	stat[MHV_STAT_DECODE_HIT]++;
	stat[MHV_STAT_EXITS]++;
	stat[MHV_STAT_EXIT_TDP_MISCONFIG]++;
	return plain;
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
	v->rip += v->io.insn_len;
	v->dirty |= MHV_REG_RIP;
	return MHV_NEXT_RESUME;
}
