// SPDX-License-Identifier: GPL-2.0-only
/* Device memory that a test plays, routes, areas and counters. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <kselftest.h>

#include "mmio.h"

#define WINDOW_PAGES	512

/* ---- a device ---------------------------------------------------------------------- */

void mmio_dev_init(struct mmio_dev *dev, __u64 gpa, __u64 size)
{
	*dev = (struct mmio_dev){
		.gpa = gpa,
		.size = size,
		.high = size,
		.mem = host_alloc(size),
	};
}

void mmio_dev_free(struct mmio_dev *dev)
{
	munmap(dev->mem, dev->size);
}

static bool size_valid(const struct mhv_ioreq *req)
{
	switch (req->size) {
	case 1:
	case 2:
	case 4:
	case 8:
		return true;
	case 16:
	case 32:
		return (req->flags & MHV_IOREQ_STRING) && req->count == 1;
	default:
		return false;
	}
}

static const char *check_request(const struct mhv_ioreq *req, const struct mmio_dev *dev)
{
	__u64 span = (__u64)(req->count - 1) * req->size;
	__u64 low = req->addr - dev->gpa;

	if (req->state != MHV_IOREQ_READY)
		return "state";
	if (req->flags & ~(MHV_IOREQ_WRITE | MHV_IOREQ_STRING | MHV_IOREQ_DOWN |
			   MHV_IOREQ_POSTABLE))
		return "flags";
	if (!size_valid(req))
		return "size";
	if (!req->count || req->count * req->size > MHV_DATA_SIZE ||
	    (req->count != 1 && !(req->flags & MHV_IOREQ_STRING)))
		return "count";
	if (req->flags & MHV_IOREQ_DOWN)
		low -= span;
	if (low < dev->low || low + span + req->size > dev->high)
		return "address";
	/* What one request covers lies in one page: the next may be another thing. */
	if (low / PAGE_SIZE != (low + span + req->size - 1) / PAGE_SIZE)
		return "page crossed";
	return NULL;
}

static void transfer(struct vcpu *vcpu, struct mmio_dev *dev, const struct mhv_ioreq *req,
		     __u32 i)
{
	__u64 at = req->addr - dev->gpa;
	__u8 *data = (__u8 *)&vcpu->run->ioreq.data;

	if (req->flags & MHV_IOREQ_STRING)
		data = vcpu->data + i * req->size;
	if (req->flags & MHV_IOREQ_DOWN)
		at -= (__u64)i * req->size;
	else
		at += (__u64)i * req->size;
	if (req->flags & MHV_IOREQ_WRITE)
		memcpy(dev->mem + at, data, req->size);
	else
		memcpy(data, dev->mem + at, req->size);
}

/* Do what the request slot asks for; false, and dev->wrong set, if it makes no sense. */
bool mmio_answer(struct vcpu *vcpu, struct mmio_dev *dev)
{
	const struct mhv_ioreq req = vcpu->run->ioreq;
	const char *wrong = check_request(&req, dev);
	__u32 i;

	if (wrong) {
		dev->wrong = wrong;
		return false;
	}
	for (i = 0; i < req.count; i++)
		transfer(vcpu, dev, &req, i);
	if (req.flags & MHV_IOREQ_WRITE)
		dev->writes += req.count;
	else
		dev->reads += req.count;
	dev->requests++;
	vcpu_done_io(vcpu);
	return true;
}

/*
 * Run until something else than an access to the device ends it: that MHV_EXIT_*
 * (a report of the end, which is completed, is MHV_EXIT_IO),
 * MHV_EXIT_MMIO after a request that makes no sense, or -errno.
 */
int mmio_run(struct vcpu *vcpu, struct mmio_dev *dev)
{
	int err;

	for (;;) {
		err = vcpu_run(vcpu);
		if (err)
			return err;
		if (vcpu->run->exit == MHV_EXIT_IO && vcpu->run->ioreq.addr == PORT_DONE)
			vcpu_done_io(vcpu);
		if (vcpu->run->exit != MHV_EXIT_MMIO || !mmio_answer(vcpu, dev))
			return vcpu->run->exit;
	}
}

/* ---- counters ---------------------------------------------------------------------- */

/* In the order of struct mmio_stats */
static const char *const stat_names[] = {
	"pf_vcpu_cache", "pf_mmio_spte", "pf_mmio_stale", "pf_mmio_slow", "pf_mmio_made",
	"mmio_read", "mmio_write",
	"route_regfile", "route_posted", "route_posted_full", "route_eventfd", "route_ioreq",
	"decode_cache_hit", "decode_cache_miss", "decode_cache_changed", "decode_unsupported",
};

#define NR_STATS ARRAY_SIZE(stat_names)

static_assert(sizeof(struct mmio_stats) == NR_STATS * sizeof(__u64));

const char *mmio_stat_name(size_t offset)
{
	return stat_names[offset / sizeof(__u64)];
}

/* The order of the page is that of the module that is loaded: ask for it once. */
static const int *stat_indices(struct vcpu *vcpu)
{
	static int index[NR_STATS];
	static bool known;
	unsigned int i;

	for (i = 0; !known && i < NR_STATS; i++) {
		index[i] = vcpu_stat_index(vcpu, stat_names[i]);
		if (index[i] < 0)
			die("no statistics counter '%s'", stat_names[i]);
	}
	known = true;
	return index;
}

struct mmio_stats mmio_stats(struct vcpu *vcpu)
{
	const int *index = stat_indices(vcpu);
	struct mmio_stats stats;
	__u64 *value = (__u64 *)&stats;
	unsigned int i;

	for (i = 0; i < NR_STATS; i++)
		value[i] = __atomic_load_n(&vcpu->stats[index[i]], __ATOMIC_RELAXED);
	return stats;
}

/* How far each counter has gone up */
struct mmio_stats mmio_since(struct vcpu *vcpu, const struct mmio_stats *before)
{
	struct mmio_stats now = mmio_stats(vcpu);
	const __u64 *old = (const __u64 *)before;
	__u64 *value = (__u64 *)&now;
	unsigned int i;

	for (i = 0; i < NR_STATS; i++)
		value[i] -= old[i];
	return now;
}

/* ---- routes and areas -------------------------------------------------------------- */

/* MHV_SET_ROUTE: 0 or -errno */
int mmio_route(struct vm *vm, const struct mhv_route *route)
{
	return ioctl(vm->fd, MHV_SET_ROUTE, route) ? -errno : 0;
}

int mmio_unroute(struct vm *vm, const struct mhv_route *route)
{
	struct mhv_route r = *route;

	r.flags |= MHV_ROUTE_REMOVE;
	return mmio_route(vm, &r);
}

int mmio_area(struct vm *vm, __u32 kind, struct mhv_area *area)
{
	*area = (struct mhv_area){ .kind = kind };
	return ioctl(vm->fd, MHV_CREATE_AREA, area) ? -errno : 0;
}

void *mmio_map_area(struct vm *vm, const struct mhv_area *area)
{
	void *p = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->fd,
		       area->offset);

	if (p == MAP_FAILED)
		die("mmap of area %u", area->id);
	return p;
}

void mmio_set_options(struct vm *vm, __u64 disabled)
{
	struct mhv_options options = { .disabled = disabled };

	if (ioctl(vm->fd, MHV_SET_OPTIONS, &options))
		die("MHV_SET_OPTIONS %#llx", disabled);
}

/* ---- guests ------------------------------------------------------------------------ */

/*
 * Map the 2 MiB at @gva by small pages, with a table at gpa @table that maps them as
 * before; its entries.  For long mode and PAE.
 */
__u64 *mmio_page_table(struct vm *vm, __u64 gva, __u64 table)
{
	__u64 *pd = vm_ptr(vm, GUEST_PD), *pt = vm_ptr(vm, table), i;

	for (i = 0; i < WINDOW_PAGES; i++)
		pt[i] = (gva & -(2ull << 20)) + i * PAGE_SIZE + PTE_ALL;
	pd[gva >> 21] = table | PTE_ALL;
	return pt;
}

/* The same for the 4 MiB at @gva of 32-bit paging */
__u32 *mmio_page_table32(struct vm *vm, __u64 gva, __u64 table)
{
	__u32 *pd = vm_ptr(vm, GUEST_PD32), *pt = vm_ptr(vm, table), i;

	for (i = 0; i < PAGE_SIZE / 4; i++)
		pt[i] = (gva & -(4ull << 20)) + i * PAGE_SIZE + PTE_ALL;
	pd[gva >> 22] = table | PTE_ALL;
	return pt;
}

/* Start 64-bit code with these registers and an empty event log. */
void vcpu_start(struct vcpu *vcpu, const void *code, __u64 rax, __u64 rcx, __u64 rdx)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rax = rax;
	regs.rcx = rcx;
	regs.rdx = rdx;
	vcpu_set_regs(vcpu, &regs);
	memset(vm_log(vcpu->vm), 0, sizeof(struct guest_log));
}
