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

/**
 * mhv_ioreq_issue - hand the outstanding request to user space
 * @v: a loaded vCPU with v->io filled in
 *
 * Return: MHV_NEXT_USER.
 */
enum mhv_next mhv_ioreq_issue(struct mhv_vcpu *v)
{
	struct mhv_ioreq *slot = &v->run->ioreq;

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
		trace_mhv_ioreq_done(v, &v->io.req, data, rdtsc() - v->io.issued);
	switch (v->io.kind) {
	case MHV_IO_PLAIN:
		return mhv_plain_complete(v, data);
	case MHV_IO_MMIO:
		return mhv_mmio_complete(v, data);
	default:
		return mhv_pio_complete(v, data);
	}
}
