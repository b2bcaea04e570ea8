// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device that Documentation/devices.rst shows, as it is written there.
 */
#include "fixture.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "adder.h"
#include "soft.h"

#define ADDR	0xd1000000ull

static struct mmio mmio;
static struct evloop loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* one access of the guest, by the route it takes, then a halt */
static struct soft_access next;
static u64 result;

static void step(struct soft_access *access)
{
	result = access->val;
	*access = next;
	next = (struct soft_access){ .halt = true };
}

static void guest(const struct soft_access *access)
{
	struct vcpu_exit exit;
	bool look = false;

	next = *access;
	soft.step = step;
	do {
		mmio_run(&mmio, NULL, &exit, &look);
		if (exit.kind == VCPU_EXIT_MMIO)
			mmio_access(&mmio, &exit.access);
	} while (exit.kind != VCPU_EXIT_HALT);
}

static u64 guest_read(u64 off)
{
	guest(&(struct soft_access){ .gpa = ADDR + off, .size = 8 });
	return result;
}

static void guest_write(u64 off, u64 val, unsigned int size)
{
	guest(&(struct soft_access){
		.gpa = ADDR + off, .size = size, .write = true, .val = val,
	});
}

static void adds_and_reports(u64 disabled)
{
	memset(&soft, 0, sizeof(soft));
	soft.disabled = disabled;
	assert_int_equal(evloop_init(&loop, &lock), 0);
	mmio_init(&mmio, &soft_accel, soft_accel.open(PAGING_AUTO), &loop);
	assert_int_equal(adder_create(&mmio, ADDR), 0);
	assert_int_equal(adder_create(&mmio, ADDR), -1);

	assert_int_equal(guest_read(0), 0x41444452);
	guest_write(0x1000, 40, 8);
	guest_write(0x1000, 2, 4);
	assert_int_equal(guest_read(0x1000), 42);
	assert_int_equal(guest_read(8), 0);
	guest_write(0x1000, 8, 8);
	guest_write(0x2000, 0, 4);
	pthread_mutex_lock(&lock);
	assert_int_equal(evloop_once(&loop), 0);
	pthread_mutex_unlock(&lock);
	assert_int_equal(guest_read(8), 50);

	mmio_destroy(&mmio);
	assert_int_equal(soft_routes(), 0);
	evloop_destroy(&loop);
}

static void as_it_is(void **state)
{
	adds_and_reports(0);
	assert_int_equal(soft.taken[MHV_ROUTE_REGFILE], 3);
	assert_int_equal(soft.taken[MHV_ROUTE_POSTED], 3);
	assert_int_equal(soft.taken[MHV_ROUTE_EVENTFD], 1);
}

static void without_routes(void **state)
{
	adds_and_reports(UINT64_MAX);
	assert_int_equal(soft.taken[0], 8);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(as_it_is),
	cmocka_unit_test(without_routes),
};

int main(void)
{
	alarm(HANG_SECONDS);
	test_silence();
	return test_main("example", tests, ARRAY_SIZE(tests));
}
