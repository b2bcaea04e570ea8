// SPDX-License-Identifier: GPL-2.0-only
/* Areas and routes: made and taken away by user space, looked up by the fault path. */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/processor.h>

#include "route.h"

/* ---- areas ---------------------------------------------------------------- */

#define AREA_ORDER	1	/* two pages each, so that offsets are simple */
#define AREA_SIZE	(PAGE_SIZE << AREA_ORDER)

static_assert(sizeof(struct mhv_ring) == AREA_SIZE);
static_assert(sizeof(struct mhv_posted) == 32);

static u64 area_bytes(u32 kind)
{
	return kind == MHV_AREA_RING ? AREA_SIZE : PAGE_SIZE;
}

static struct mhv_shared *area_alloc(u32 kind)
{
	struct mhv_shared *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area)
		return NULL;
	area->kind = kind;
	spin_lock_init(&area->lock);
	area->page = alloc_pages_exact(AREA_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!area->page) {
		kfree(area);
		return NULL;
	}
	return area;
}

/**
 * mhv_area_create - MHV_CREATE_AREA
 * @vm: the VM
 * @arg: as user space gave it; id, offset and size are filled in
 *
 * Return: 0, -EINVAL, -ENOSPC or -ENOMEM.
 */
int mhv_area_create(struct mhv_vm *vm, struct mhv_area *arg)
{
	struct mhv_shared *area;
	int ret = 0;

	if ((arg->kind != MHV_AREA_REGFILE && arg->kind != MHV_AREA_RING) || arg->id ||
	    arg->offset || arg->size || arg->reserved[0] || arg->reserved[1])
		return -EINVAL;
	mutex_lock(&vm->routes_lock);
	if (vm->nr_areas == MHV_MAX_AREAS) {
		ret = -ENOSPC;
		goto out;
	}
	area = area_alloc(arg->kind);
	if (!area) {
		ret = -ENOMEM;
		goto out;
	}
	arg->id = vm->nr_areas;
	arg->offset = (u64)arg->id * AREA_SIZE;
	arg->size = area_bytes(arg->kind);
	vm->areas[vm->nr_areas] = area;
	/* the page fault handler may look as soon as the count has grown */
	smp_store_release(&vm->nr_areas, vm->nr_areas + 1);
out:
	mutex_unlock(&vm->routes_lock);
	return ret;
}

/**
 * mhv_area_page - the page at an offset of the VM's mapping
 * @vm: the VM
 * @pgoff: offset in pages
 *
 * Return: the page, or NULL where no area is.
 */
struct page *mhv_area_page(struct mhv_vm *vm, unsigned long pgoff)
{
	unsigned long id = pgoff >> AREA_ORDER;
	unsigned long page = pgoff & ((1 << AREA_ORDER) - 1);

	/* pairs with mhv_area_create() */
	if (id >= smp_load_acquire(&vm->nr_areas))
		return NULL;
	id = array_index_nospec(id, MHV_MAX_AREAS);
	if (page << PAGE_SHIFT >= area_bytes(vm->areas[id]->kind))
		return NULL;
	return virt_to_page(vm->areas[id]->page + (page << PAGE_SHIFT));
}

/* ---- lookup ----------------------------------------------------------------- */

/* Index of the first entry that begins after @gpa. */
static u32 route_after(const struct mhv_route_list *list, u64 gpa)
{
	u32 low = 0, high = list->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (list->entry[mid].gpa <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * mhv_route_find - the route that covers an access whole
 * @list: routes that do not overlap, or NULL
 * @gpa: address
 * @size: bytes
 *
 * Context: RCU read side.
 */
const struct mhv_route_entry *mhv_route_find(const struct mhv_route_list *list, u64 gpa, u32 size)
{
	const struct mhv_route_entry *e;
	u32 after;

	if (!list)
		return NULL;
	after = route_after(list, gpa);
	if (!after)
		return NULL;
	e = &list->entry[after - 1];
	return mhv_route_covers(e, gpa, size) ? e : NULL;
}

/* Does a route of the list lie in a page, or reach into it? */
static bool route_in_page(const struct mhv_route_list *list, u64 gfn)
{
	u64 start = gfn_to_gpa(gfn), last = start + PAGE_SIZE - 1;
	const struct mhv_route_entry *e;
	u32 after;

	if (!list)
		return false;
	after = route_after(list, last);
	if (!after)
		return false;
	e = &list->entry[after - 1];
	return e->gpa >= start || start - e->gpa < e->size;
}

/**
 * mhv_route_kinds - which kinds of route lie in a page
 * @vm: the VM
 * @gfn: guest frame
 *
 * Context: RCU read side.
 * Return: bits by enum mhv_route_kind.
 */
u8 mhv_route_kinds(struct mhv_vm *vm, u64 gfn)
{
	u8 kinds = 0;
	u32 kind;

	for (kind = MHV_ROUTE_REGFILE; kind < MHV_NR_ROUTE_KINDS; kind++)
		if (route_in_page(mhv_routes(vm, kind), gfn))
			kinds |= BIT(kind);
	return kinds;
}

/* ---- registration ------------------------------------------------------------- */

/*
 * Bytes of old sets that are kept for those who may look at them.  A grace period for
 * each route that is added would cost a VM with a thousand of them a minute.
 */
#define ROUTES_OLD_MAX	SZ_1M

static int route_order(const struct mhv_route_entry *a, const struct mhv_route_entry *b)
{
	if (a->gpa != b->gpa)
		return a->gpa < b->gpa ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	if (a->match != b->match)
		return a->match ? -1 : 1;
	if (a->match && a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return 0;
}

static bool route_overlaps(u32 kind, const struct mhv_route_entry *a,
			   const struct mhv_route_entry *b)
{
	if (kind == MHV_ROUTE_EVENTFD)
		return !route_order(a, b);
	return a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static bool route_size_ok(const struct mhv_route *arg)
{
	switch (arg->kind) {
	case MHV_ROUTE_EVENTFD:
		return arg->size == 0 || arg->size == 1 || arg->size == 2 || arg->size == 4 ||
		       arg->size == 8;
	case MHV_ROUTE_REGFILE:
		return arg->size && !((arg->gpa | arg->offset) & 7) && arg->offset < PAGE_SIZE &&
		       arg->size <= PAGE_SIZE - arg->offset;
	default:
		return arg->size && !arg->offset;
	}
}

static bool route_value_ok(const struct mhv_route *arg)
{
	if (!(arg->flags & MHV_ROUTE_MATCH_VALUE))
		return !arg->value;
	if (arg->kind != MHV_ROUTE_EVENTFD || !arg->size)
		return false;
	return arg->size == 8 || !(arg->value >> (arg->size * 8));
}

static int route_check(const struct mhv_route *arg)
{
	u64 limit = 1ull << min_t(u32, boot_cpu_data.x86_phys_bits, 48);

	if (arg->kind < MHV_ROUTE_REGFILE || arg->kind > MHV_ROUTE_EVENTFD)
		return -EINVAL;
	if ((arg->flags & ~(MHV_ROUTE_REMOVE | MHV_ROUTE_MATCH_VALUE)) || arg->reserved ||
	    arg->reserved2[0] || arg->reserved2[1])
		return -EINVAL;
	if (arg->gpa >= limit || arg->size > limit - arg->gpa)
		return -EINVAL;
	return route_size_ok(arg) && route_value_ok(arg) ? 0 : -EINVAL;
}

/* The area of a register file or ring; the eventfd of the others. */
static int route_resolve(struct mhv_vm *vm, const struct mhv_route *arg,
			 struct mhv_route_entry *e)
{
	u32 wanted = arg->kind == MHV_ROUTE_REGFILE ? MHV_AREA_REGFILE : MHV_AREA_RING;

	if (arg->kind != MHV_ROUTE_EVENTFD) {
		if (arg->area >= vm->nr_areas)
			return -EINVAL;
		e->area = vm->areas[array_index_nospec(arg->area, MHV_MAX_AREAS)];
		if (e->area->kind != wanted)
			return -EINVAL;
	} else if (arg->area || arg->offset) {
		return -EINVAL;
	}
	if (arg->kind != MHV_ROUTE_EVENTFD && arg->fd == -1)
		return 0;
	if (arg->kind == MHV_ROUTE_REGFILE)
		return -EINVAL;
	e->eventfd = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(e->eventfd)) {
		e->eventfd = NULL;
		return -EBADF;
	}
	return 0;
}

static struct mhv_route_list *route_insert(const struct mhv_route_list *old,
					   const struct mhv_route_entry *new)
{
	u32 nr = old ? old->nr : 0, i, n = 0;
	struct mhv_route_list *list;

	list = kvmalloc(struct_size(list, entry, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!list)
		return NULL;
	for (i = 0; i < nr && route_order(&old->entry[i], new) < 0; i++)
		list->entry[n++] = old->entry[i];
	list->entry[n++] = *new;
	for (; i < nr; i++)
		list->entry[n++] = old->entry[i];
	list->nr = n;
	return list;
}

static struct mhv_route_list *route_without(const struct mhv_route_list *old, u32 gone)
{
	struct mhv_route_list *list;

	list = kvmalloc(struct_size(list, entry, old->nr), GFP_KERNEL_ACCOUNT);
	if (!list)
		return NULL;
	list->nr = old->nr - 1;
	memcpy(list->entry, old->entry, gone * sizeof(*list->entry));
	memcpy(list->entry + gone, old->entry + gone + 1,
	       (old->nr - gone - 1) * sizeof(*list->entry));
	return list;
}

static void routes_free_old(struct mhv_vm *vm)
{
	struct mhv_route_list *list, *older;

	for (list = vm->routes_old; list; list = older) {
		older = list->older;
		kvfree(list);
	}
	vm->routes_old = NULL;
	vm->routes_old_bytes = 0;
}

/* Wait for all who look at an old set.  On a busy host that may take some 0.1 s. */
static void routes_settle(struct mhv_vm *vm)
{
	synchronize_rcu_expedited();
	routes_free_old(vm);
}

/* From the next access on; one under way may go on with the old set, which is kept. */
static void route_publish(struct mhv_vm *vm, u32 kind, struct mhv_route_list *list)
{
	struct mhv_route_list *old = rcu_dereference_protected(vm->routes[kind],
							       lockdep_is_held(&vm->routes_lock));

	rcu_assign_pointer(vm->routes[kind], list);
	/* whoever sees the old number has entered its read side before now */
	WRITE_ONCE(vm->routes_gen, vm->routes_gen + 1 ?: 1);
	if (!old)
		return;
	old->older = vm->routes_old;
	vm->routes_old = old;
	vm->routes_old_bytes += struct_size(old, entry, old->nr);
}

static u32 routes_total(struct mhv_vm *vm)
{
	u32 kind, total = 0;

	for (kind = 0; kind < MHV_NR_ROUTE_KINDS; kind++) {
		const struct mhv_route_list *list =
			rcu_dereference_protected(vm->routes[kind],
						  lockdep_is_held(&vm->routes_lock));

		total += list ? list->nr : 0;
	}
	return total;
}

static int route_add(struct mhv_vm *vm, const struct mhv_route *arg,
		     const struct mhv_route_list *old, struct mhv_route_entry *e)
{
	struct mhv_route_list *list;
	u32 i;
	int ret;

	for (i = 0; old && i < old->nr; i++)
		if (route_overlaps(arg->kind, &old->entry[i], e))
			return -EEXIST;
	if (routes_total(vm) == MHV_MAX_ROUTES)
		return -ENOSPC;
	ret = route_resolve(vm, arg, e);
	if (ret)
		return ret;
	list = route_insert(old, e);
	if (!list) {
		if (e->eventfd)
			eventfd_ctx_put(e->eventfd);
		return -ENOMEM;
	}
	route_publish(vm, arg->kind, list);
	/* an access that misses the new route began before it: no need to wait */
	if (vm->routes_old_bytes > ROUTES_OLD_MAX)
		routes_settle(vm);
	return 0;
}

static int route_remove(struct mhv_vm *vm, const struct mhv_route *arg,
			const struct mhv_route_list *old, const struct mhv_route_entry *e)
{
	struct eventfd_ctx *eventfd;
	struct mhv_route_list *list;
	u32 i;

	for (i = 0; old && i < old->nr; i++)
		if (!route_order(&old->entry[i], e))
			break;
	if (!old || i == old->nr)
		return -ENOENT;
	eventfd = old->entry[i].eventfd;
	list = route_without(old, i);
	if (!list)
		return -ENOMEM;
	route_publish(vm, arg->kind, list);
	/* no access is answered by the route when this returns */
	routes_settle(vm);
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return 0;
}

/**
 * mhv_set_route - MHV_SET_ROUTE
 * @vm: the VM
 * @arg: as user space gave it
 *
 * Context: may sleep.
 * Return: 0 or an errno as the interface says.
 */
int mhv_set_route(struct mhv_vm *vm, const struct mhv_route *arg)
{
	struct mhv_route_entry e = {
		.gpa = arg->gpa, .size = arg->size, .offset = arg->offset,
		.match = arg->flags & MHV_ROUTE_MATCH_VALUE, .value = arg->value,
	};
	const struct mhv_route_list *old;
	int ret = route_check(arg);

	if (ret)
		return ret;
	mutex_lock(&vm->routes_lock);
	old = rcu_dereference_protected(vm->routes[arg->kind],
					lockdep_is_held(&vm->routes_lock));
	ret = arg->flags & MHV_ROUTE_REMOVE ? route_remove(vm, arg, old, &e) :
	      route_add(vm, arg, old, &e);
	mutex_unlock(&vm->routes_lock);
	return ret;
}

/**
 * mhv_routes_destroy - free all routes and areas
 * @vm: a VM that nobody runs any more
 */
void mhv_routes_destroy(struct mhv_vm *vm)
{
	u32 kind, i;

	for (kind = 0; kind < MHV_NR_ROUTE_KINDS; kind++) {
		struct mhv_route_list *list = rcu_dereference_protected(vm->routes[kind], true);

		for (i = 0; list && i < list->nr; i++)
			if (list->entry[i].eventfd)
				eventfd_ctx_put(list->entry[i].eventfd);
		kvfree(list);
	}
	routes_free_old(vm);
	for (i = 0; i < vm->nr_areas; i++) {
		free_pages_exact(vm->areas[i]->page, AREA_SIZE);
		kfree(vm->areas[i]);
	}
}
