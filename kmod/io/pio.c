// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port instructions.
 *
 * The registers move on when the request is issued, RIP included, and the answer to
 * an IN lands in RAX, to an INS in the memory that was translated at that moment.  So
 * an answer is taken exactly once, whatever user space does to the registers while
 * it works on it.
 *
 * A string instruction goes in batches: the elements that lie in one page, or the one
 * that crosses into the next.  Between batches the guest is as between iterations.
 */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "../mhv.h"

static void pio_set_rax(struct mhv_vcpu *v, u32 size, u64 data)
{
	u64 *rax = &v->gpr[MHV_RAX];

	switch (size) {
	case 1:
		*(u8 *)rax = data;
		break;
	case 2:
		*(u16 *)rax = data;
		break;
	default:
		*rax = (u32)data;
		break;
	}
}

/**
 * mhv_pio - IN or OUT
 * @v: a loaded vCPU
 * @port: port
 * @size: 1, 2 or 4 bytes
 * @write: OUT
 * @insn_len: bytes of the instruction
 */
enum mhv_next mhv_pio(struct mhv_vcpu *v, u16 port, u32 size, bool write, u32 insn_len)
{
	v->io.kind = MHV_IO_PORT;
	v->io.req = (struct mhv_ioreq){
		.flags = write ? MHV_IOREQ_WRITE : 0,
		.size = size,
		.count = 1,
		.addr = port,
		.data = write ? v->gpr[MHV_RAX] & GENMASK_ULL(size * 8 - 1, 0) : 0,
	};
	mhv_op(skip)(v, insn_len);
	return mhv_ioreq_issue(v);
}

/* ---- strings --------------------------------------------------------------- */

/**
 * struct pio_string - INS or OUTS as decoded
 * @port: operands
 * @size: likewise
 * @write: likewise
 * @rep: likewise
 * @down: RFLAGS.DF
 * @mask: of index and count
 * @seg: segment of the memory operand
 * @insn_len: bytes of the instruction
 */
struct pio_string {
	u16 port;
	u32 size;
	bool write;
	bool rep;
	bool down;
	u64 mask;
	enum mhv_seg seg;
	u32 insn_len;
};

static u64 *pio_index(struct mhv_vcpu *v, const struct pio_string *s)
{
	return &v->gpr[s->write ? MHV_RSI : MHV_RDI];
}

/* A register written with a 32-bit address size is zero-extended, with 16 kept. */
static void pio_set_masked(u64 *reg, u64 mask, u64 value)
{
	if (mask == 0xffff)
		*(u16 *)reg = value;
	else
		*reg = value & mask;
}

static void pio_advance(struct mhv_vcpu *v, const struct pio_string *s, u64 count)
{
	u64 *index = pio_index(v, s), *rcx = &v->gpr[MHV_RCX];
	u64 bytes = count * s->size;

	pio_set_masked(index, s->mask, s->down ? *index - bytes : *index + bytes);
	if (s->rep)
		pio_set_masked(rcx, s->mask, *rcx - count);
	if (!s->rep || !(*rcx & s->mask))
		mhv_op(skip)(v, s->insn_len);
}

/* Elements from @gva in the direction of the transfer that share its page. */
static u64 pio_batch(const struct pio_string *s, gva_t gva, u64 index, u64 count)
{
	u64 off = offset_in_page(gva), n, room;

	if (off + s->size > PAGE_SIZE)
		return 1;
	n = s->down ? off / s->size + 1 : (PAGE_SIZE - off) / s->size;
	/* the index must not wrap within a batch */
	room = (s->down ? index : s->mask - index) / s->size;
	return min(count, room < n - 1 ? room + 1 : n);
}

static bool pio_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

/* Limit and rights of a segment outside 64-bit mode, for one batch. */
static bool pio_segment_allows(const struct mhv_segment *seg, u64 low, u64 high, bool store)
{
	bool code = seg->type & 8;

	if (seg->unusable || !seg->present)
		return false;
	if (store ? code || !(seg->type & 2) : code && !(seg->type & 2))
		return false;
	if (!code && (seg->type & 4))	/* expands down */
		return low > seg->limit && high <= (seg->db ? 0xffffffff : 0xffff);
	return high <= seg->limit;
}

/*
 * Linear address of the element at @index; false after an exception was queued.
 * *count is cut to what may go in one batch.
 */
static bool pio_linear(struct mhv_vcpu *v, const struct pio_string *s, u64 index, u64 *count,
		       gva_t *gva)
{
	struct mhv_segment cs, seg;
	u64 span;

	mhv_op(get_segment)(v, MHV_SEG_CS, &cs);
	mhv_op(get_segment)(v, s->seg, &seg);
	if (cs.l) {
		*gva = index + (s->seg == MHV_SEG_FS || s->seg == MHV_SEG_GS ? seg.base : 0);
		if (pio_canonical(*gva) && pio_canonical(*gva + s->size - 1)) {
			*count = pio_batch(s, *gva, index, *count);
			return true;
		}
	} else {
		*gva = (u32)(index + seg.base);
		*count = pio_batch(s, *gva, index, *count);
		span = (*count - 1) * s->size;
		if (pio_segment_allows(&seg, s->down ? index - span : index,
				       (s->down ? index : index + span) + s->size - 1, !s->write))
			return true;
		/* the first element alone may still be allowed */
		if (*count > 1 && pio_segment_allows(&seg, index, index + s->size - 1, !s->write)) {
			*count = 1;
			return true;
		}
	}
	mhv_queue_exception(v, s->seg == MHV_SEG_SS ? X86_TRAP_SS : X86_TRAP_GP, true, 0);
	return false;
}

/* What a failed access to the string's memory means. */
static enum mhv_next pio_memory_failed(struct mhv_vcpu *v, enum mhv_gva_result result,
				       const struct mhv_gva_fault *fault, bool write)
{
	if (result == MHV_GVA_FAULT) {
		mhv_queue_page_fault(v, fault->error_code, fault->gva);
		return MHV_NEXT_RESUME;
	}
	return mhv_exit_insn(v, true, fault->gva, fault->gpa, write);
}

/* OUTS: fetch a batch into the data page. */
static enum mhv_gva_result pio_fetch(struct mhv_vcpu *v, const struct pio_string *s, gva_t gva,
				     u64 count, struct mhv_gva_fault *fault)
{
	enum mhv_gva_result result = MHV_GVA_OK;
	u64 i;

	if (!s->down)
		return mhv_read_gva(v, gva, v->data, count * s->size, 0, fault);
	for (i = 0; i < count && result == MHV_GVA_OK; i++)
		result = mhv_read_gva(v, gva - i * s->size, v->data + i * s->size, s->size, 0,
				      fault);
	return result;
}

/* INS: find where a batch will go, before the device is asked. */
static enum mhv_gva_result pio_target(struct mhv_vcpu *v, const struct pio_string *s, gva_t gva,
				      struct mhv_gva_fault *fault)
{
	u64 first = min_t(u64, s->size, PAGE_SIZE - offset_in_page(gva));
	enum mhv_gva_result result;

	v->io.split = s->size - first;
	result = mhv_translate_gva(v, gva, MHV_ACCESS_WRITE, &v->io.gpa[0], fault);
	if (result == MHV_GVA_OK && v->io.split)
		result = mhv_translate_gva(v, gva + first, MHV_ACCESS_WRITE, &v->io.gpa[1],
					   fault);
	return result;
}

static enum mhv_next pio_string_step(struct mhv_vcpu *v, const struct pio_string *s)
{
	u64 count = s->rep ? v->gpr[MHV_RCX] & s->mask : 1;
	u64 index = *pio_index(v, s) & s->mask;
	struct mhv_gva_fault fault;
	enum mhv_gva_result result;
	gva_t gva;

	if (!count) {
		mhv_op(skip)(v, s->insn_len);
		return MHV_NEXT_RESUME;
	}
	if (!pio_linear(v, s, index, &count, &gva))
		return MHV_NEXT_RESUME;
	result = s->write ? pio_fetch(v, s, gva, count, &fault) : pio_target(v, s, gva, &fault);
	if (result != MHV_GVA_OK)
		return pio_memory_failed(v, result, &fault, !s->write);

	v->io.kind = s->write ? MHV_IO_PORT : MHV_IO_PORT_STRING;
	v->io.req = (struct mhv_ioreq){
		.flags = MHV_IOREQ_STRING | (s->write ? MHV_IOREQ_WRITE : 0) |
			 (s->down ? MHV_IOREQ_DOWN : 0),
		.size = s->size,
		.count = count,
		.addr = s->port,
	};
	pio_advance(v, s, count);
	return mhv_ioreq_issue(v);
}

/**
 * mhv_pio_string - INS or OUTS
 * @v: a loaded vCPU
 * @port: port
 * @size: 1, 2 or 4 bytes
 * @write: OUTS
 * @rep: with a REP prefix
 * @addr_mask: by the address size
 * @seg: segment of the memory operand
 * @insn_len: bytes of the instruction
 */
enum mhv_next mhv_pio_string(struct mhv_vcpu *v, u16 port, u32 size, bool write, bool rep,
			     u64 addr_mask, enum mhv_seg seg, u32 insn_len)
{
	struct pio_string s = {
		.port = port, .size = size, .write = write, .rep = rep, .mask = addr_mask,
		.seg = seg, .insn_len = insn_len,
	};

	if (v->cached != MHV_REG_ALL)
		mhv_op(cache_regs)(v);
	s.down = v->rflags & X86_EFLAGS_DF;
	return pio_string_step(v, &s);
}

/* ---- answers --------------------------------------------------------------- */

/*
 * Store what INS read.  Where the slot has gone meanwhile the data is lost, as on a bus
 * that nothing answers.
 */
static void pio_store(struct mhv_vcpu *v)
{
	const struct mhv_ioreq *req = &v->io.req;
	u32 i, first = req->size - v->io.split;

	if (v->io.split) {
		mhv_write_gpa(v->vm, v->io.gpa[0], v->data, first);
		mhv_write_gpa(v->vm, v->io.gpa[1], v->data + first, v->io.split);
		return;
	}
	if (!(req->flags & MHV_IOREQ_DOWN)) {
		mhv_write_gpa(v->vm, v->io.gpa[0], v->data, req->count * req->size);
		return;
	}
	for (i = 0; i < req->count; i++)
		mhv_write_gpa(v->vm, v->io.gpa[0] - i * req->size, v->data + i * req->size,
			      req->size);
}

/**
 * mhv_pio_complete - user space has answered a port request
 * @v: a loaded vCPU
 * @data: the slot's data
 */
enum mhv_next mhv_pio_complete(struct mhv_vcpu *v, u64 data)
{
	if (v->io.kind == MHV_IO_PORT_STRING)
		pio_store(v);
	else if (!(v->io.req.flags & MHV_IOREQ_WRITE))
		pio_set_rax(v, v->io.req.size, data);
	v->io.kind = MHV_IO_NONE;
	return MHV_NEXT_RESUME;
}

/**
 * mhv_exit_insn - hand an instruction that is not emulated to user space
 * @v: a loaded vCPU at the instruction
 * @gva_valid: @gva is known
 * @gva: linear address of the access
 * @gpa: where it led
 * @write: it is a write
 */
enum mhv_next mhv_exit_insn(struct mhv_vcpu *v, bool gva_valid, gva_t gva, gpa_t gpa,
			    bool write)
{
	typeof(v->run->insn) *insn = &v->run->insn;
	struct mhv_gva_fault fault;
	struct mhv_segment cs;
	u8 bytes[16] = {};
	u32 n = 15;

	if (v->cached != MHV_REG_ALL)
		mhv_op(cache_regs)(v);
	mhv_op(get_segment)(v, MHV_SEG_CS, &cs);
	insn->rip = cs.l ? v->rip : (u32)(cs.base + v->rip);
	/* near the end of a page the next one may not be there */
	if (mhv_read_gva(v, insn->rip, bytes, n, MHV_ACCESS_FETCH, &fault) != MHV_GVA_OK) {
		n = min_t(u32, n, PAGE_SIZE - offset_in_page(insn->rip));
		if (mhv_read_gva(v, insn->rip, bytes, n, MHV_ACCESS_FETCH, &fault) != MHV_GVA_OK)
			n = 0;
	}
	memcpy(insn->bytes, bytes, sizeof(insn->bytes));
	insn->nr_bytes = n;
	insn->mode = cs.l ? 8 : cs.db ? 4 : 2;
	insn->gva = gva;
	insn->gpa = gpa;
	insn->gva_valid = gva_valid;
	insn->is_write = write;
	v->run->exit = MHV_EXIT_INSN;
	return MHV_NEXT_USER;
}
