// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulation of an instruction that accesses a device: the executor's view of a vCPU.
 *
 * Each access goes to memory or to a device by the memslots.  A device access is
 * answered by the first route that takes it (see route.h); what is left becomes the
 * request in the vCPU's slot:
 *
 *	read	the executor is told to wait and is resumed with the answer
 *	write	counts as done; the instruction completes, and MHV_RUN returns with the
 *		request.  A second one of the same instruction waits for the first.
 */
#include <linux/bits.h>
#include <linux/uaccess.h>
#include <asm/fpu/api.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "../mmu/mmu.h"
#include "../trace.h"
#include "posted.h"
#include "route.h"

static struct mhv_vcpu *ctx_vcpu(struct mhv_emul_ctx *ctx)
{
	return container_of(ctx, struct mhv_vcpu, emul);
}

/* ---- where an access goes --------------------------------------------------- */

/* Instructions whose only access to memory is the one that faulted. */
static bool mmio_one_operand(const struct mhv_insn *insn)
{
	switch (insn->op) {
	case MHV_OP_MOVS:
	case MHV_OP_CMPS:
	case MHV_OP_PUSH_M:
	case MHV_OP_POP_M:
	case MHV_OP_CALL_M:
		return false;
	}
	return true;
}

/* The vCPU's entry for the frame that faulted, where it has a current one. */
static struct mhv_mmio_entry *mmio_entry(struct mhv_vcpu *v)
{
	u64 gfn = gpa_to_gfn(v->access.gpa);
	struct mhv_mmio_entry *e = &v->mmio.entry[gfn % MHV_MMIO_CACHE];

	if (v->vm->shadow)
		e = mhv_mmio_cache_by_la(&v->mmio, v->access.la);

	return e->gfn == gfn && e->gen == READ_ONCE(v->vm->mmio_gen) ? e : NULL;
}

/* A linear address is known to lead to the frame that faulted. */
static void mmio_learn(struct mhv_vcpu *v, u64 la)
{
	struct mhv_mmio_entry *e = mmio_entry(v);

	v->access.la = la;
	v->access.la_valid = true;
	if (e && !v->vm->shadow)
		e->la = la & PAGE_MASK;
}

/*
 * Is it known where a linear address leads?  The CPU tells the one that faulted only with
 * the first touch; after that the page that led there then must do, with the place in it
 * (see mmio_cache.h).
 */
static bool mmio_known(struct mhv_vcpu *v, u64 la, gpa_t *gpa)
{
	struct mhv_access *a = &v->access;
	struct mhv_mmio_entry *e;

	/* of two operands the CPU has checked the rights of one */
	if (!a->one_operand)
		return false;
	if (!a->la_valid) {
		e = mmio_entry(v);
		if (!e || e->la != (la & PAGE_MASK) ||
		    offset_in_page(la) != offset_in_page(a->gpa))
			return false;
		a->la = la;
		a->la_valid = true;
	}
	if ((la ^ a->la) & PAGE_MASK)
		return false;
	*gpa = (a->gpa & PAGE_MASK) | offset_in_page(la);
	return true;
}

static enum mhv_emul_result mmio_page_fault(struct mhv_emul_ctx *ctx,
					    const struct mhv_gva_fault *fault)
{
	ctx->fault = (struct mhv_emul_fault){
		.vector = X86_TRAP_PF, .has_error = true, .error = fault->error_code,
		.cr2 = fault->gva,
	};
	return MHV_EMUL_FAULT;
}

/**
 * mhv_exit_memory - fill in MHV_EXIT_MEMORY_FAULT
 * @v: the vCPU
 * @gpa: address that could not be had
 * @write: to be written
 *
 * Context: may sleep.
 * Return: false when there is no memslot at all.
 */
bool mhv_exit_memory(struct mhv_vcpu *v, gpa_t gpa, bool write)
{
	const struct mhv_slot *slot;
	int idx;

	idx = srcu_read_lock(&v->vm->srcu);
	slot = mhv_find_slot(mhv_slots(v->vm), gpa_to_gfn(gpa));
	v->run->exit = MHV_EXIT_MEMORY_FAULT;
	v->run->memory_fault.gpa = gpa;
	v->run->memory_fault.hva = slot ? slot_gfn_to_hva(slot, gpa_to_gfn(gpa)) : 0;
	v->run->memory_fault.error = EFAULT;
	v->run->memory_fault.is_write = write;
	srcu_read_unlock(&v->vm->srcu, idx);
	return v->run->memory_fault.hva;
}

/* The access cannot be made: user space is told, and the instruction waits. */
static enum mhv_emul_result mmio_no_memory(struct mhv_vcpu *v, gpa_t gpa, bool write)
{
	mhv_exit_memory(v, gpa, write);
	v->access.stuck = true;
	return MHV_EMUL_PENDING;
}

static enum mhv_emul_result mmio_translate(struct mhv_emul_ctx *ctx, u64 la, bool write,
					   gpa_t *gpa)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	struct mhv_gva_fault fault;

	v->access.now = la;
	if (mmio_known(v, la, gpa))
		return MHV_EMUL_OK;
	switch (mhv_translate_gva(v, la, write ? MHV_ACCESS_WRITE : 0, gpa, &fault)) {
	case MHV_GVA_OK:
		if (!v->access.la_valid && v->access.one_operand && *gpa == v->access.gpa)
			mmio_learn(v, la);
		return MHV_EMUL_OK;
	case MHV_GVA_FAULT:
		return mmio_page_fault(ctx, &fault);
	case MHV_GVA_NO_MEMORY:
		break;
	}
	return mmio_no_memory(v, fault.gpa, write);
}

/* Is a frame ordinary memory for this access?  The one that faulted is known. */
static bool mmio_is_memory(struct mhv_vcpu *v, gpa_t gpa, bool write)
{
	const struct mhv_mmio_entry *e;
	const struct mhv_slot *slot;
	bool memory;
	int idx;

	if (gpa_to_gfn(gpa) == gpa_to_gfn(v->access.gpa)) {
		e = mmio_entry(v);
		if (e && (write || !e->write_only))
			return false;
	}
	idx = srcu_read_lock(&v->vm->srcu);
	slot = mhv_find_slot(mhv_slots(v->vm), gpa_to_gfn(gpa));
	memory = slot && !(write && (slot->flags & MHV_MEM_READONLY));
	srcu_read_unlock(&v->vm->srcu, idx);
	return memory;
}

/* ---- requests to user space ------------------------------------------------- */

static void mmio_request(struct mhv_vcpu *v, gpa_t gpa, u32 size, u32 count, u32 flags, u64 data)
{
	v->io.kind = MHV_IO_MMIO;
	v->io.req = (struct mhv_ioreq){
		.flags = flags, .size = size, .count = count, .addr = gpa, .data = data,
	};
	mhv_count(v, MHV_STAT_ROUTE_IOREQ);
}

static void mmio_trace(struct mhv_vcpu *v, gpa_t gpa, u32 size, u64 data, bool write, u32 route)
{
	mhv_count(v, write ? MHV_STAT_MMIO_WRITE : MHV_STAT_MMIO_READ);
	if (size < sizeof(data))
		data &= GENMASK_ULL(size * 8 - 1, 0);
	trace_mhv_mmio(v, v->access.now, gpa, size, data, write, route, v->access.verdict);
}

/* The same of what is in the data page; mhv_data shows all of it. */
static void mmio_trace_data(struct mhv_vcpu *v)
{
	const struct mhv_ioreq *req = &v->io.req;

	mmio_trace(v, req->addr, req->size * req->count, *(const u64 *)v->data,
		   req->flags & MHV_IOREQ_WRITE, 0);
}

/* ---- one access --------------------------------------------------------------- */

static bool mmio_read_route(struct mhv_vcpu *v, gpa_t gpa, u32 size, u64 *data)
{
	const struct mhv_route_entry *e;

	if (mhv_opt_off(v->vm, MHV_OPT_REGFILE) || size > 8 || (gpa & (size - 1)))
		return false;
	rcu_read_lock();
	e = mhv_route_find(mhv_routes(v->vm, MHV_ROUTE_REGFILE), gpa, size);
	if (e)
		*data = mhv_regfile_read(e, gpa, size);
	rcu_read_unlock();
	if (!e)
		return false;
	mhv_count(v, MHV_STAT_ROUTE_REGFILE);
	mmio_trace(v, gpa, size, *data, false, MHV_ROUTE_REGFILE);
	return true;
}

static enum mhv_emul_result mmio_device_read(struct mhv_vcpu *v, gpa_t gpa, void *data, u32 size)
{
	u64 value;

	if (mmio_read_route(v, gpa, size, &value)) {
		memcpy(data, &value, size);
		return MHV_EMUL_OK;
	}
	if (v->io.kind == MHV_IO_NONE) {
		mmio_request(v, gpa, size, 1, size > 8 ? MHV_IOREQ_STRING : 0, 0);
		v->io.awaited = true;
	}
	return MHV_EMUL_PENDING;
}

/* The route that takes a write, 0 none. */
static u32 mmio_write_route(struct mhv_vcpu *v, gpa_t gpa, u32 size, u64 data, bool *full)
{
	const struct mhv_route_entry *posted = NULL, *doorbell = NULL;
	u32 route = 0;
	bool only;

	rcu_read_lock();
	if (!mhv_opt_off(v->vm, MHV_OPT_POSTED))
		posted = mhv_route_find(mhv_routes(v->vm, MHV_ROUTE_POSTED), gpa, size);
	if (!posted && !mhv_opt_off(v->vm, MHV_OPT_EVENTFD))
		doorbell = mhv_doorbell_find(mhv_routes(v->vm, MHV_ROUTE_EVENTFD), gpa, size,
					     data, &only);
	if (doorbell) {
		mhv_eventfd_write(v, doorbell, gpa, size, data);
		route = MHV_ROUTE_EVENTFD;
	} else if (posted && mhv_posted_write(v, posted, gpa, size, data)) {
		route = MHV_ROUTE_POSTED;
	}
	*full = posted && !route;
	rcu_read_unlock();
	if (route)
		mhv_count(v, route == MHV_ROUTE_POSTED ? MHV_STAT_ROUTE_POSTED :
			  MHV_STAT_ROUTE_EVENTFD);
	if (*full)
		mhv_count(v, MHV_STAT_ROUTE_POSTED_FULL);
	return route;
}

static enum mhv_emul_result mmio_device_write(struct mhv_vcpu *v, gpa_t gpa, const void *data,
					      u32 size)
{
	bool full = false;
	u64 value = 0;
	u32 route;

	/* what came before on this vCPU is seen by the device first */
	if (v->io.kind != MHV_IO_NONE)
		return MHV_EMUL_PENDING;
	if (size > 8) {
		memcpy(v->data, data, size);
		mmio_request(v, gpa, size, 1, MHV_IOREQ_WRITE | MHV_IOREQ_STRING, 0);
		mmio_trace_data(v);
		return MHV_EMUL_OK;
	}
	memcpy(&value, data, size);
	route = mmio_write_route(v, gpa, size, value, &full);
	if (!route)
		mmio_request(v, gpa, size, 1,
			     MHV_IOREQ_WRITE | (full ? MHV_IOREQ_POSTABLE : 0), value);
	mmio_trace(v, gpa, size, value, true, route);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result emul_read(struct mhv_emul_ctx *ctx, u64 la, void *data,
				      unsigned int size, enum mhv_emul_access access)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, la, access == MHV_EMUL_RMW, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	if (!mmio_is_memory(v, gpa, false))
		return mmio_device_read(v, gpa, data, size);
	if (mhv_read_gpa(v->vm, gpa, data, size))
		return mmio_no_memory(v, gpa, false);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result emul_write(struct mhv_emul_ctx *ctx, u64 la, const void *data,
				       unsigned int size)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, la, true, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	if (!mmio_is_memory(v, gpa, true))
		return mmio_device_write(v, gpa, data, size);
	if (mhv_write_gpa(v->vm, gpa, data, size))
		return mmio_no_memory(v, gpa, true);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result emul_probe(struct mhv_emul_ctx *ctx, u64 la, unsigned int size,
				       enum mhv_emul_access access)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	bool write = access != MHV_EMUL_READ;
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, la, write, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	return mmio_is_memory(v, gpa, write) ? MHV_EMUL_OK : MHV_EMUL_DEVICE;
}

static enum mhv_emul_result emul_cmpxchg(struct mhv_emul_ctx *ctx, u64 la, const void *old,
					 const void *new, unsigned int size)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, la, true, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	if (!mmio_is_memory(v, gpa, true))
		return MHV_EMUL_DEVICE;
	switch (mhv_cmpxchg_gpa(v->vm, gpa, old, new, size)) {
	case 0:
		return MHV_EMUL_OK;
	case -EAGAIN:
		return MHV_EMUL_MISMATCH;
	}
	return mmio_no_memory(v, gpa, true);
}

/* ---- strings -------------------------------------------------------------------- */

/* Copy a batch between the data page and memory, element by element when it descends. */
static int string_copy(struct mhv_vcpu *v, gpa_t gpa, const struct mhv_emul_string *s, bool write)
{
	u32 i, step = s->down ? s->size : s->count * s->size;
	u32 pieces = s->down ? s->count : 1;
	int ret = 0;

	for (i = 0; i < pieces && !ret; i++) {
		void *data = v->data + i * step;

		ret = write ? mhv_write_gpa(v->vm, gpa - i * s->size, data, step) :
		      mhv_read_gpa(v->vm, gpa - i * s->size, data, step);
	}
	return ret;
}

static gpa_t string_gpa(const struct mhv_emul_string *s, gpa_t first, u32 i)
{
	return s->down ? first - i * s->size : first + i * s->size;
}

/* Does one register file cover the batch?  If not, user space is asked for all of it. */
static bool string_in_regfile(struct mhv_vcpu *v, gpa_t gpa, const struct mhv_emul_string *s)
{
	gpa_t low = s->down ? string_gpa(s, gpa, s->count - 1) : gpa;
	bool found;

	rcu_read_lock();
	found = mhv_route_find(mhv_routes(v->vm, MHV_ROUTE_REGFILE), low, s->count * s->size);
	rcu_read_unlock();
	return found;
}

static bool string_from_regfile(struct mhv_vcpu *v, gpa_t gpa, const struct mhv_emul_string *s)
{
	u64 value;
	u32 i;

	if (!string_in_regfile(v, gpa, s))
		return false;
	for (i = 0; i < s->count; i++) {
		if (!mmio_read_route(v, string_gpa(s, gpa, i), s->size, &value))
			return false;
		memcpy(v->data + i * s->size, &value, s->size);
	}
	return true;
}

static u32 string_flags(const struct mhv_emul_string *s, u32 flags)
{
	return flags | MHV_IOREQ_STRING | (s->down ? MHV_IOREQ_DOWN : 0);
}

static enum mhv_emul_result emul_read_string(struct mhv_emul_ctx *ctx,
					     const struct mhv_emul_string *s)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, s->la, false, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	if (mmio_is_memory(v, gpa, false))
		return string_copy(v, gpa, s, false) ? mmio_no_memory(v, gpa, false) :
		       MHV_EMUL_OK;
	/* the data page holds what a request asked for */
	if (v->io.kind == MHV_IO_NONE && string_from_regfile(v, gpa, s))
		return MHV_EMUL_OK;
	if (v->io.kind == MHV_IO_NONE) {
		mmio_request(v, gpa, s->size, s->count, string_flags(s, 0), 0);
		v->io.awaited = true;
	}
	return MHV_EMUL_PENDING;
}

/*
 * A batch goes to user space in one request, doorbells and posted registers included:
 * the device model knows them all.
 */
static enum mhv_emul_result emul_write_string(struct mhv_emul_ctx *ctx,
					      const struct mhv_emul_string *s)
{
	struct mhv_vcpu *v = ctx_vcpu(ctx);
	enum mhv_emul_result result;
	gpa_t gpa;

	result = mmio_translate(ctx, s->la, true, &gpa);
	if (result != MHV_EMUL_OK)
		return result;
	if (mmio_is_memory(v, gpa, true))
		return string_copy(v, gpa, s, true) ? mmio_no_memory(v, gpa, true) : MHV_EMUL_OK;
	if (v->io.kind != MHV_IO_NONE)
		return MHV_EMUL_PENDING;
	if (s->count == 1)
		return mmio_device_write(v, gpa, v->data, s->size);
	mmio_request(v, gpa, s->size, s->count, string_flags(s, MHV_IOREQ_WRITE), 0);
	mmio_trace_data(v);
	return MHV_EMUL_OK;
}

/* ---- registers -------------------------------------------------------------------- */

static void emul_segment(struct mhv_emul_ctx *ctx, enum mhv_seg seg, struct mhv_emul_seg *out)
{
	struct mhv_segment s;

	mhv_op(get_segment)(ctx_vcpu(ctx), seg, &s);
	out->base = s.base;
	out->limit = s.limit;
	out->rights = s.type | s.s << 4 | s.dpl << 5 | s.present << 7 | s.avl << 12 | s.l << 13 |
		      s.db << 14 | s.g << 15 | (s.unusable ? MHV_SEG_UNUSABLE : 0);
}

static bool emul_align_check(struct mhv_emul_ctx *ctx)
{
	struct mhv_paging_state p;

	mhv_op(get_paging)(ctx_vcpu(ctx), &p);
	return (p.cr0 & X86_CR0_AM) && (p.rflags & X86_EFLAGS_AC) && p.cpl == 3;
}

static enum mhv_emul_result emul_read_vec(struct mhv_emul_ctx *ctx, unsigned int reg, void *data,
					  unsigned int size)
{
	mhv_vector_read(ctx_vcpu(ctx), reg, data, size);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result emul_write_vec(struct mhv_emul_ctx *ctx, unsigned int reg,
					   const void *data, unsigned int size, bool zero)
{
	mhv_vector_write(ctx_vcpu(ctx), reg, data, size, zero);
	return MHV_EMUL_OK;
}

static const struct mhv_emul_ops emul_ops = {
	.read = emul_read,
	.write = emul_write,
	.probe = emul_probe,
	.compare_swap = emul_cmpxchg,
	.segment = emul_segment,
	.align_check = emul_align_check,
	.read_vec = emul_read_vec,
	.write_vec = emul_write_vec,
	.read_string = emul_read_string,
	.write_string = emul_write_string,
};

/**
 * mhv_emul_init - connect the executor to a vCPU
 * @v: a vCPU under construction
 */
void mhv_emul_init(struct mhv_vcpu *v)
{
	BUILD_BUG_ON(offsetof(struct mhv_vcpu, rip) != offsetof(struct mhv_vcpu, gpr[MHV_RIP]));
	BUILD_BUG_ON(offsetof(struct mhv_vcpu, rflags) !=
		     offsetof(struct mhv_vcpu, gpr[MHV_RFLAGS]));
	v->emul.regs = (struct mhv_emul_regs *)v->gpr;
	v->emul.ops = &emul_ops;
	v->emul.string = v->data;
	v->emul.va_bits = 48;
}

/* ---- one instruction ----------------------------------------------------------------- */

static enum mhv_next mmio_fault_guest(struct mhv_vcpu *v)
{
	const struct mhv_emul_fault *f = &v->emul.fault;

	if (f->vector == X86_TRAP_PF)
		mhv_queue_page_fault(v, f->error, f->cr2);
	else
		mhv_queue_exception(v, f->vector, f->has_error, f->error);
	return MHV_NEXT_RESUME;
}

/* Hand out the request that an access has left, if it did. */
static enum mhv_next mmio_issue(struct mhv_vcpu *v)
{
	if (v->io.kind == MHV_IO_NONE)
		return v->access.stuck ? MHV_NEXT_USER : MHV_NEXT_RESUME;
	return mhv_ioreq_issue(v);
}

static enum mhv_next mmio_finish(struct mhv_vcpu *v, enum mhv_emul_result result)
{
	switch (result) {
	case MHV_EMUL_OK:
	case MHV_EMUL_AGAIN:
		v->dirty |= v->access.dirty;
		mhv_op(retire)(v);
		return mmio_issue(v);
	case MHV_EMUL_FAULT:
		return mmio_fault_guest(v);
	case MHV_EMUL_PENDING:
		return mmio_issue(v);
	default:
		return MHV_NEXT_RESUME;
	}
}

static u32 mmio_dirty(const struct mhv_insn *insn)
{
	return MHV_REG_RIP | (insn->flags & MHV_INSN_USES_RFLAGS ? MHV_REG_RFLAGS : 0) |
	       (insn->flags & MHV_INSN_USES_RSP ? MHV_REG_RSP : 0);
}

static enum mhv_next mmio_not_emulated(struct mhv_vcpu *v, const struct mhv_fault *fault)
{
	/* a guest table: it can be written when it is one no more */
	if (fault->table && mhv_shadow_unshadow(v, gpa_to_gfn(fault->gpa)))
		return MHV_NEXT_RESUME;
	return mhv_exit_insn(v, fault->gva_valid, fault->gva, fault->gpa, fault->write);
}

/**
 * mhv_mmio - emulate the instruction at RIP, which accesses a device
 * @v: a loaded vCPU
 * @fault: the access
 * @verdict: how it was recognised
 *
 * Context: may sleep.
 */
enum mhv_next mhv_mmio(struct mhv_vcpu *v, const struct mhv_fault *fault,
		       enum mhv_verdict_pf verdict)
{
	const struct mhv_insn *insn;
	bool cached;

	/* not an access by the instruction: a table walk, a fetch, an event's delivery */
	if (unlikely(fault->walk || fault->fetch || v->reinject.valid))
		return mmio_not_emulated(v, fault);

	switch (mhv_insn_at_rip(v, &insn, &cached)) {
	case MHV_INSN_KNOWN:
		break;
	case MHV_INSN_FAULT:
	case MHV_INSN_RETRY:
		return MHV_NEXT_RESUME;
	case MHV_INSN_NO_MEMORY:
		return MHV_NEXT_USER;
	case MHV_INSN_UNKNOWN:
		return mmio_not_emulated(v, fault);
	}
	v->access = (struct mhv_access){
		.gpa = fault->gpa, .one_operand = mmio_one_operand(insn), .verdict = verdict,
		.dirty = mmio_dirty(insn),
	};
	if (fault->gva_valid)
		mmio_learn(v, fault->gva);
	if (!(insn->flags & MHV_INSN_PLAIN))
		v->emul.real = mhv_op(real_mode)(v);
	return mmio_finish(v, mhv_emul_exec(&v->emul, insn));
}

/**
 * mhv_mmio_complete - user space has answered an MMIO request
 * @v: a loaded vCPU
 * @data: the slot's data
 */
enum mhv_next mhv_mmio_complete(struct mhv_vcpu *v, u64 data)
{
	const struct mhv_ioreq *req = &v->io.req;
	bool awaited = v->io.awaited;
	u8 wide[32];

	v->io.kind = MHV_IO_NONE;
	v->io.awaited = false;
	v->access.stuck = false;
	if (!mhv_emul_pending(&v->emul))
		return MHV_NEXT_RESUME;
	if (awaited && (req->flags & MHV_IOREQ_STRING))
		mmio_trace_data(v);
	else if (awaited)
		mmio_trace(v, req->addr, req->size, data, false, 0);
	if (awaited && req->count == 1 && req->size > 8 && req->size <= sizeof(wide)) {
		memcpy(wide, v->data, req->size);
		mhv_emul_complete(&v->emul, wide, req->size);
	} else if (awaited && !(req->flags & MHV_IOREQ_STRING)) {
		mhv_emul_complete(&v->emul, &data, req->size);
	} else if (awaited) {
		mhv_emul_complete(&v->emul, NULL, 0);
	}
	return mhv_mmio_resume(v);
}

/**
 * mhv_mmio_resume - go on with the instruction under way
 * @v: a loaded vCPU with one
 */
enum mhv_next mhv_mmio_resume(struct mhv_vcpu *v)
{
	v->access.stuck = false;
	if (v->cached != MHV_REG_ALL)
		mhv_op(cache_regs)(v);
	return mmio_finish(v, mhv_emul_resume(&v->emul));
}
