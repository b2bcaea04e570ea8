// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request slot: an access handed to user space and its answer taken back.
 *
 * What is outstanding is kept in vcpu->io, out of user space's reach; the slot in the
 * run page is a copy that user space may overwrite at will.  Only its state and, for
 * reads, its data are looked at again, once each.
 */
#include <asm/msr.h>

#include "../mmu/mmu.h"
#include "../trace.h"

/* The data of a string transfer, which is in the data page. */
static void ioreq_trace_data(struct mhv_vcpu *v)
{
	const struct mhv_ioreq *req = &v->io.req;
	u32 offset, len, bytes = req->size * req->count;

	for (offset = 0; offset < bytes; offset += len) {
		len = min_t(u32, bytes - offset, MHV_TRACE_PIECE);
		trace_mhv_data(v, offset, len);
	}
}

/* One that is handed out again has been told. */
static void ioreq_trace(struct mhv_vcpu *v)
{
	const struct mhv_ioreq *req = &v->io.req;

	if (req->state == MHV_IOREQ_READY)
		return;
	trace_mhv_ioreq(v, req, v->io.kind >= MHV_IO_MMIO);
	if ((req->flags & MHV_IOREQ_STRING) && (req->flags & MHV_IOREQ_WRITE))
		ioreq_trace_data(v);
}

static void ioreq_trace_done(struct mhv_vcpu *v, u64 data)
{
	const struct mhv_ioreq *req = &v->io.req;

	trace_mhv_ioreq_done(v, req, data, rdtsc() - v->io.issued);
	if ((req->flags & MHV_IOREQ_STRING) && !(req->flags & MHV_IOREQ_WRITE))
		ioreq_trace_data(v);
}

/**
 * mhv_ioreq_issue - hand the outstanding request to user space
 * @v: a loaded vCPU with v->io filled in
 *
 * Return: MHV_NEXT_USER.
 */
enum mhv_next mhv_ioreq_issue(struct mhv_vcpu *v)
{
	struct mhv_ioreq *slot = &v->run->ioreq;

	if (trace_mhv_ioreq_enabled())
		ioreq_trace(v);
	v->io.req.state = MHV_IOREQ_READY;
	*slot = v->io.req;
	v->run->exit = v->io.kind >= MHV_IO_MMIO ? MHV_EXIT_MMIO : MHV_EXIT_IO;
	if (trace_mhv_ioreq_done_enabled())
		v->io.issued = rdtsc();
	return MHV_NEXT_USER;
}

/**
 * mhv_ioreq_complete - take the answer to the outstanding request
 * @v: a loaded vCPU at the beginning of MHV_RUN
 *
 * Return: MHV_NEXT_USER when user space has not answered: the same exit again.
 */
enum mhv_next mhv_ioreq_complete(struct mhv_vcpu *v)
{
	struct mhv_ioreq *slot = &v->run->ioreq;
	u64 data;

	if (likely(v->io.kind == MHV_IO_NONE)) {
		/* it waits for memory that user space may have provided */
		if (unlikely(mhv_emul_pending(&v->emul)))
			return mhv_mmio_resume(v);
		return MHV_NEXT_RESUME;
	}
	/* the answer is complete before its state says so */
	if (smp_load_acquire(&slot->state) != MHV_IOREQ_DONE)
		return mhv_ioreq_issue(v);
	data = READ_ONCE(slot->data);
	WRITE_ONCE(slot->state, MHV_IOREQ_FREE);
	if (trace_mhv_ioreq_done_enabled())
		ioreq_trace_done(v, data);
	switch (v->io.kind) {
	case MHV_IO_PLAIN:
		return mhv_plain_complete(v, data);
	case MHV_IO_MMIO:
		return mhv_mmio_complete(v, data);
	default:
		return mhv_pio_complete(v, data);
	}
}
