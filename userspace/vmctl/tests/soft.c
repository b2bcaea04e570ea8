// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "fixture.h"
#include "shared.h"
#include "soft.h"

struct soft soft;

struct accel {
	int unused;
};

struct accel_vcpu {
	int unused;
};

static struct accel soft_vm;
static struct accel_vcpu soft_vcpu;

static bool soft_offers(enum accel_paging paging)
{
	return paging != PAGING_SHADOW_GNP;
}

static struct accel *soft_open(enum accel_paging paging)
{
	return &soft_vm;
}

static void soft_close(struct accel *accel)
{
	assert_int_equal(soft_routes(), 0);
}

static unsigned int soft_phys_bits(const struct accel *accel)
{
	return 39;
}

static int soft_set_memory(struct accel *accel, u32 slot, u64 gpa, u64 size, void *hva,
			   bool readonly)
{
	if (!slot)
		soft.mem = hva;
	return 0;
}

static int soft_create_area(struct accel *accel, u32 kind, struct accel_area *area)
{
	u64 size = kind == MHV_AREA_RING ? sizeof(struct mhv_ring) : GUEST_PAGE;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(mem != MAP_FAILED && soft.nr_areas < SOFT_AREAS);
	*area = (struct accel_area){ soft.nr_areas, mem, size };
	soft.produced[soft.nr_areas] = 0;
	soft.area[soft.nr_areas++] = *area;
	return 0;
}

static bool same_route(const struct mhv_route *a, const struct mhv_route *b)
{
	return a->kind == b->kind && a->gpa == b->gpa && a->size == b->size &&
	       a->value == b->value && (a->flags | MHV_ROUTE_REMOVE) == b->flags;
}

static int soft_remove_route(const struct mhv_route *route)
{
	unsigned int i;

	for (i = 0; i < SOFT_ROUTES; i++) {
		if (!same_route(&soft.route[i], route))
			continue;
		soft.route[i].kind = 0;
		return 0;
	}
	fail_msg("a route is removed that is not there");
	return -1;
}

static int soft_set_route(struct accel *accel, const struct mhv_route *route)
{
	unsigned int i;

	if (route->flags & MHV_ROUTE_REMOVE)
		return soft_remove_route(route);
	if (soft.refuse_route && !--soft.refuse_route)
		return -1;
	for (i = 0; soft.route[i].kind; i++)
		assert_true(i + 1 < SOFT_ROUTES);
	soft.route[i] = *route;
	return 0;
}

static int soft_set_options(struct accel *accel, u64 disabled, bool timed)
{
	soft.disabled = disabled;
	soft.timed = timed;
	return 0;
}

/* routes that are there */
unsigned int soft_routes(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < SOFT_ROUTES; i++)
		nr += soft.route[i].kind != 0;
	return nr;
}

static struct accel_vcpu *soft_vcpu_open(struct accel *accel, u32 id)
{
	soft.waits = false;
	return &soft_vcpu;
}

static void soft_vcpu_close(struct accel_vcpu *vcpu)
{
}

static int soft_get_state(struct accel_vcpu *vcpu, struct vcpu_state *state)
{
	*state = soft.state;
	return 0;
}

static int soft_set_state(struct accel_vcpu *vcpu, const struct vcpu_state *state)
{
	soft.state = *state;
	return 0;
}

/* appends to the ring as the kernel does; false: full */
bool soft_post(u32 area, u64 gpa, u64 val, u32 size, int fd)
{
	struct mhv_ring *ring = soft.area[area].mem;
	u32 *produced = &soft.produced[area], at = *produced;
	u32 used = at - __atomic_load_n(&ring->consumer, __ATOMIC_ACQUIRE);

	if (used >= MHV_RING_ENTRIES)
		return false;
	ring->entry[at % MHV_RING_ENTRIES] = (struct mhv_posted){
		.gpa = gpa, .data = val, .seq = at, .size = size,
	};
	__atomic_store_n(&ring->producer, ++*produced, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (fd >= 0 && __atomic_load_n(&ring->consumer, __ATOMIC_ACQUIRE) == at)
		eventfd_write(fd, 1);
	return true;
}

static bool covers(const struct mhv_route *route, const struct soft_access *access)
{
	return access->gpa >= route->gpa && access->gpa - route->gpa < route->size &&
	       access->size <= route->size - (access->gpa - route->gpa);
}

static bool take_regfile(const struct mhv_route *route, struct soft_access *access)
{
	const u8 *page = soft.area[route->area].mem;

	if (access->write || !covers(route, access))
		return false;
	access->val = shared_load(page + route->offset + (access->gpa - route->gpa),
				  access->size);
	return true;
}

static bool take_posted(const struct mhv_route *route, const struct soft_access *access)
{
	return access->write && covers(route, access) &&
	       soft_post(route->area, access->gpa, access->val, access->size, route->fd);
}

static bool take_eventfd(const struct mhv_route *route, const struct soft_access *access)
{
	if (!access->write || access->gpa != route->gpa ||
	    (route->size && route->size != access->size) ||
	    ((route->flags & MHV_ROUTE_MATCH_VALUE) && route->value != access->val))
		return false;
	eventfd_write(route->fd, 1);
	return true;
}

static bool take(const struct mhv_route *route, struct soft_access *access)
{
	switch (route->kind) {
	case MHV_ROUTE_REGFILE:
		return take_regfile(route, access);
	case MHV_ROUTE_POSTED:
		return take_posted(route, access);
	case MHV_ROUTE_EVENTFD:
		return take_eventfd(route, access);
	default:
		return false;
	}
}

/* kinds in their order; option bits follow the same one */
static bool soft_route(struct soft_access *access)
{
	unsigned int i;
	u32 kind;

	for (kind = MHV_ROUTE_REGFILE; kind <= MHV_ROUTE_EVENTFD; kind++) {
		if (soft.disabled & 1ull << (MHV_OPT_REGFILE + kind - MHV_ROUTE_REGFILE))
			continue;
		for (i = 0; i < SOFT_ROUTES; i++) {
			if (soft.route[i].kind != kind || !take(&soft.route[i], access))
				continue;
			soft.taken[kind]++;
			return true;
		}
	}
	soft.taken[0]++;
	return false;
}

static u64 soft_ticks;

static void soft_exit(struct vcpu_exit *exit)
{
	struct soft_access *access = &soft.access;

	exit->kind = access->halt ? VCPU_EXIT_HALT :
		     access->port ? VCPU_EXIT_PORT : VCPU_EXIT_MMIO;
	memcpy(soft.data, &access->val, sizeof(soft.data));
	exit->access = (struct access){
		.addr = access->gpa, .data = soft.data, .size = access->size, .count = 1,
		.step = access->port ? 0 : access->size, .write = access->write,
	};
	soft.waits = true;
}

static void soft_run(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	if (soft.waits && !soft.access.write)
		memcpy(&soft.access.val, soft.data, sizeof(soft.access.val));
	soft.waits = false;
	soft_ticks = soft.timed ? 77 : 0;
	do {
		soft.step(&soft.access);
		if (soft.access.size && soft.access.size < 8)
			soft.access.val &= (1ull << 8 * soft.access.size) - 1;
	} while (!soft.access.halt && !soft.access.port && soft_route(&soft.access));
	soft_exit(exit);
}

static void soft_kick(struct accel_vcpu *vcpu)
{
}

static bool soft_irq_ready(const struct accel_vcpu *vcpu)
{
	return soft.interrupts;
}

static void soft_inject(struct accel_vcpu *vcpu, u8 vector)
{
	soft.vector = vector;
}

static void soft_want_window(struct accel_vcpu *vcpu, bool want)
{
}

static unsigned int soft_counters(struct accel_vcpu *vcpu, struct accel_counter *counter,
				  unsigned int max)
{
	return 0;
}

static const u64 *soft_counter(const struct accel_vcpu *vcpu, const char *name)
{
	return strcmp(name, "mmio_ticks_last") ? NULL : &soft_ticks;
}

const struct accel_ops soft_accel = {
	.name = "soft",
	.optional = true,
	.offers = soft_offers,
	.open = soft_open,
	.close = soft_close,
	.phys_bits = soft_phys_bits,
	.set_memory = soft_set_memory,
	.create_area = soft_create_area,
	.set_route = soft_set_route,
	.set_options = soft_set_options,
	.vcpu_open = soft_vcpu_open,
	.vcpu_close = soft_vcpu_close,
	.get_state = soft_get_state,
	.set_state = soft_set_state,
	.run = soft_run,
	.kick = soft_kick,
	.irq_ready = soft_irq_ready,
	.inject = soft_inject,
	.want_window = soft_want_window,
	.counters = soft_counters,
	.counter = soft_counter,
};
