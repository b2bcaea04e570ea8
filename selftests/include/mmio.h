/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory for the selftests: a device that the test plays itself, routes and
 * areas, page tables with small pages, and the counters that say which way an access
 * took.
 */
#ifndef SELFTESTS_MMIO_H
#define SELFTESTS_MMIO_H

#include "mhv_vm.h"

#define PTE_P		1ull
#define PTE_RW		2ull
#define PTE_US		4ull
#define PTE_PS		0x80ull
#define PTE_ALL		(PTE_P | PTE_RW | PTE_US)

/* Where the small pages of the tests lie, and the tables that map them */
#define GUEST_PT	0x200000	/* 64-bit entries, for GUEST_WINDOW */
#define GUEST_PT32	0x201000	/* 32-bit entries */

/**
 * struct mmio_dev - device memory that behaves like RAM and is served by ioreq
 * @gpa: where it begins
 * @size: bytes
 * @mem: what it holds
 * @low: the part that the guest may touch, as offsets; by default all of it
 * @high: likewise
 * @reads: elements read, @writes written
 * @writes: likewise
 * @requests: ioreqs answered
 * @wrong: the first thing that was wrong with a request, NULL: nothing
 */
struct mmio_dev {
	__u64 gpa, size;
	__u8 *mem;
	__u64 low, high;
	__u64 reads, writes, requests;
	const char *wrong;
};

/* Counters of a vCPU, by their names */
struct mmio_stats {
	__u64 pf_vcpu_cache, pf_mmio_spte, pf_mmio_stale, pf_mmio_slow, pf_mmio_made;
	__u64 mmio_read, mmio_write;
	__u64 route_regfile, route_posted, route_posted_full, route_eventfd, route_ioreq;
	__u64 decode_cache_hit, decode_cache_miss, decode_cache_changed, decode_unsupported;
};

void mmio_dev_init(struct mmio_dev *dev, __u64 gpa, __u64 size);
void mmio_dev_free(struct mmio_dev *dev);
bool mmio_answer(struct vcpu *vcpu, struct mmio_dev *dev);
int mmio_run(struct vcpu *vcpu, struct mmio_dev *dev);

struct mmio_stats mmio_stats(struct vcpu *vcpu);
struct mmio_stats mmio_since(struct vcpu *vcpu, const struct mmio_stats *before);
const char *mmio_stat_name(size_t offset);

int mmio_route(struct vm *vm, const struct mhv_route *route);
int mmio_unroute(struct vm *vm, const struct mhv_route *route);
int mmio_area(struct vm *vm, __u32 kind, struct mhv_area *area);
void *mmio_map_area(struct vm *vm, const struct mhv_area *area);
void mmio_set_options(struct vm *vm, __u64 disabled);

__u64 *mmio_page_table(struct vm *vm, __u64 gva, __u64 table);
__u32 *mmio_page_table32(struct vm *vm, __u64 gva, __u64 table);

void vcpu_start(struct vcpu *vcpu, const void *code, __u64 rax, __u64 rcx, __u64 rdx);

/* The guest must access device memory in this way; it stays to be completed. */
#define ASSERT_MMIO(vcpu, flags, gpa, size)				\
	mhv_want_mmio(_metadata, __LINE__, vcpu, flags, gpa, size)

/* The guest must write this value there; done. */
#define ASSERT_MMIO_WRITE(vcpu, gpa, size, value)			\
	mhv_want_mmio_write(_metadata, __LINE__, vcpu, gpa, size, value)

/* The guest must read there; it gets this value. */
#define ASSERT_MMIO_READ(vcpu, gpa, size, value)			\
	mhv_want_mmio_read(_metadata, __LINE__, vcpu, gpa, size, value)

/* A counter must have gone up by so much since @before. */
#define ASSERT_COUNTED(vcpu, before, name, want)			\
	mhv_want_counted(_metadata, __LINE__, vcpu, before,		\
			 offsetof(struct mmio_stats, name), want)

#ifdef SELFTESTS_MHV_TEST_H
static inline void mhv_want_counted(struct __test_metadata *t, int line, struct vcpu *vcpu,
				    const struct mmio_stats *before, size_t offset,
				    __u64 want)
{
	const struct mmio_stats s = mmio_since(vcpu, before);

	mhv_want(t, line, vcpu, mmio_stat_name(offset), want,
		 *(const __u64 *)((const char *)&s + offset));
}

static inline void mhv_want_mmio(struct __test_metadata *t, int line, struct vcpu *vcpu,
				 __u32 flags, __u64 gpa, __u32 size)
{
	const struct mhv_ioreq *req = &vcpu->run->ioreq;

	mhv_want_exit(t, line, vcpu, MHV_EXIT_MMIO);
	mhv_want(t, line, vcpu, "ioreq state", MHV_IOREQ_READY, req->state);
	mhv_want(t, line, vcpu, "ioreq flags", flags, req->flags);
	mhv_want(t, line, vcpu, "gpa", gpa, req->addr);
	mhv_want(t, line, vcpu, "ioreq size", size, req->size);
	mhv_want(t, line, vcpu, "ioreq count", 1, req->count);
}

static inline void mhv_want_mmio_write(struct __test_metadata *t, int line,
				       struct vcpu *vcpu, __u64 gpa, __u32 size,
				       __u64 value)
{
	const struct mhv_ioreq *req = &vcpu->run->ioreq;
	__u64 mask = size == 8 ? ~0ull : (1ull << size * 8) - 1;

	mhv_want_mmio(t, line, vcpu, MHV_IOREQ_WRITE, gpa, size);
	mhv_want(t, line, vcpu, "data", value & mask, req->data & mask);
	vcpu_done_io(vcpu);
}

static inline void mhv_want_mmio_read(struct __test_metadata *t, int line,
				      struct vcpu *vcpu, __u64 gpa, __u32 size, __u64 value)
{
	mhv_want_mmio(t, line, vcpu, 0, gpa, size);
	vcpu->run->ioreq.data = value;
	vcpu_done_io(vcpu);
}
#endif

#endif
