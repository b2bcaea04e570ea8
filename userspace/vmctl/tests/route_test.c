// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register files and posted rings: order, wrap, hostile indices, no lost doorbell.
 */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accel/route.h"
#include "soft.h"

static const struct route_host host = { .ops = &soft_accel };
static struct ring ring;

/* what came out of the ring */
static struct {
	u64 nr, next, wrong;
	struct mhv_posted last;
} got;

static void take(void *owner, const struct mhv_posted *write)
{
	assert_ptr_equal(owner, &got);
	got.wrong += write->data != got.next;
	got.next = write->data + 1;
	got.nr++;
	got.last = *write;
}

static int setup(void **state)
{
	alarm(HANG_SECONDS);
	memset(&soft, 0, sizeof(soft));
	memset(&got, 0, sizeof(got));
	return ring_create(&ring, &host);
}

static int teardown(void **state)
{
	alarm(0);
	ring_destroy(&ring);
	return 0;
}

static void post(u64 val)
{
	assert_true(soft_post(ring.area.id, 0xd0002000 + val % 4096, val, 8, ring.fd));
}

static void drain(void)
{
	ring_drain(&ring, take, &got);
}

static bool rung(void)
{
	eventfd_t count;

	return !eventfd_read(ring.fd, &count);
}

static void registers(void **state)
{
	struct regfile regs;
	unsigned int size;

	assert_int_equal(regfile_create(&regs, &host), 0);
	for (size = 1; size <= 8; size *= 2) {
		regfile_store(&regs, 8, 0x8877665544332211, 8);
		regfile_store(&regs, 8, 0, size);
		assert_true(regfile_load(&regs, 8, 8) ==
			    (size == 8 ? 0 : 0x8877665544332211 >> 8 * size << 8 * size));
		/* not aligned, at the end of the page */
		regfile_store(&regs, 4095 - size, 0x8877665544332211, size);
		assert_true(regfile_load(&regs, 4095 - size, size) ==
			    (0x8877665544332211 & (UINT64_MAX >> (64 - 8 * size))));
		assert_int_equal(regfile_load(&regs, 4095, 1), 0);
	}
	regfile_destroy(&regs);
}

static void empty(void **state)
{
	assert_int_equal(ring_pending(&ring), 0);
	drain();
	assert_int_equal(got.nr, 0);
	assert_false(rung());
}

static void order_and_wrap(void **state)
{
	u64 val = 0;
	unsigned int burst, i;

	/* both counts wrap during the test */
	ring.taken = -1000u;
	soft.produced[ring.area.id] = ring.taken;
	ring.shared->producer = ring.taken;
	ring.shared->consumer = ring.taken;
	for (burst = 1; val < 5000; burst = burst % MHV_RING_ENTRIES + 1) {
		for (i = 0; i < burst; i++)
			post(val++);
		assert_int_equal(ring_pending(&ring), burst);
		assert_true(rung());
		assert_false(rung());
		drain();
		assert_int_equal(got.nr, val);
	}
	assert_int_equal(got.wrong, 0);
	assert_int_equal(ring.bad, 0);
	assert_int_equal(ring.shared->consumer, ring.shared->producer);
	assert_int_equal(got.last.size, 8);
	assert_int_equal(got.last.gpa, 0xd0002000 + (val - 1) % 4096);
}

static void full(void **state)
{
	unsigned int i;

	for (i = 0; i < MHV_RING_ENTRIES; i++)
		post(i);
	assert_false(soft_post(ring.area.id, 0, 0, 8, ring.fd));
	drain();
	assert_int_equal(got.nr, MHV_RING_ENTRIES);
	post(MHV_RING_ENTRIES);
	drain();
	assert_int_equal(got.wrong, 0);
}

/* the producer says anything at all: nothing but what fits is looked at */
static void hostile_producer(void **state)
{
	static const u32 claims[] = {
		MHV_RING_ENTRIES + 1, 0x7fffffff, 0x80000000, 0xffffffff, 4096, 129, 0x12345678,
	};
	unsigned int i;
	u64 bad = 0;

	for (i = 0; i < ARRAY_SIZE(claims); i++) {
		ring.shared->producer = ring.taken + claims[i];
		drain();
		assert_int_equal(got.nr, 0);
		assert_int_equal(ring.bad, ++bad);
		/* back in step: later writes arrive */
		assert_int_equal(ring_pending(&ring), 0);
		assert_int_equal(ring.shared->consumer, ring.shared->producer);
		soft.produced[ring.area.id] = ring.shared->producer;
		got.next = i;
		post(i);
		drain();
		assert_int_equal(got.nr, 1);
		assert_int_equal(got.wrong, 0);
		got.nr = 0;
	}
}

/* entries that the kernel would not write are left out; those around them count */
static void hostile_entries(void **state)
{
	static const struct { u32 seq; u16 size; } bad[] = {
		{ 1, 0 }, { 1, 3 }, { 1, 16 }, { 1, 0xffff }, { 0, 8 }, { 2, 8 },
		{ 0xffffffff, 8 }, { 129, 4 },
	};
	struct mhv_posted *entry = &ring.shared->entry[1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ring.taken = 0;
		soft.produced[ring.area.id] = 0;
		ring.shared->consumer = 0;
		ring.shared->producer = 0;
		memset(&got, 0, sizeof(got));
		post(0);
		post(1);
		post(2);
		entry->seq = bad[i].seq;
		entry->size = bad[i].size;
		drain();
		assert_int_equal(got.nr, 2);
		assert_int_equal(got.last.data, 2);
		assert_int_equal(ring.bad, i + 1);
		assert_int_equal(ring_pending(&ring), 0);
	}
}

/* the consumer's page is scribbled on: the ring goes on by its own count */
static void hostile_consumer(void **state)
{
	post(0);
	ring.shared->consumer = 0xdeadbeef;
	drain();
	assert_int_equal(got.nr, 1);
	assert_int_equal(ring.shared->consumer, 1);
	post(1);
	drain();
	assert_int_equal(got.nr, 2);
	assert_int_equal(got.wrong, 0);
}

#define RACE_WRITES	200000

static bool race_over;

static void *race_producer(void *unused)
{
	u64 val;

	for (val = 0; val < RACE_WRITES; val++)
		while (!soft_post(ring.area.id, 0xd0002000, val, 8, ring.fd))
			sched_yield();
	return NULL;
}

/* as vCPU threads do before an ioreq; the doorbell is the main loop's */
static void *race_drainer(void *unused)
{
	while (!__atomic_load_n(&race_over, __ATOMIC_ACQUIRE)) {
		drain();
		sched_yield();
	}
	return NULL;
}

/* one producer, two who drain: each write once, in order, and no doorbell is missed */
static void race(void **state)
{
	struct pollfd polled = { .fd = ring.fd, .events = POLLIN };
	pthread_t producer, drainer;

	race_over = false;
	assert_int_equal(pthread_create(&producer, NULL, race_producer, NULL), 0);
	assert_int_equal(pthread_create(&drainer, NULL, race_drainer, NULL), 0);
	while (__atomic_load_n(&ring.taken, __ATOMIC_ACQUIRE) != RACE_WRITES) {
		/* woken for each write that nobody else took: a lost one shows here */
		if (!poll(&polled, 1, 10000))
			break;
		rung();
		drain();
		if (__atomic_load_n(&ring.taken, __ATOMIC_ACQUIRE) > RACE_WRITES / 2)
			__atomic_store_n(&race_over, true, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&race_over, true, __ATOMIC_RELEASE);
	pthread_join(drainer, NULL);
	assert_int_equal(ring.taken, RACE_WRITES);
	pthread_join(producer, NULL);
	assert_int_equal(got.nr, RACE_WRITES);
	assert_int_equal(got.wrong, 0);
	assert_int_equal(ring.bad, 0);
}

/* a guest that posts as fast as it is drained does not hold the drainer */
static void take_and_post(void *owner, const struct mhv_posted *write)
{
	take(owner, write);
	post(write->data + 1);
}

static void endless(void **state)
{
	post(0);
	assert_true(rung());
	ring_drain(&ring, take_and_post, &got);
	assert_in_range(got.nr, 1, 4 * MHV_RING_ENTRIES);
	assert_true(ring_pending(&ring) > 0);
	assert_true(rung());
}

#define ROUTE_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	ROUTE_TEST(registers),
	ROUTE_TEST(empty),
	ROUTE_TEST(order_and_wrap),
	ROUTE_TEST(full),
	ROUTE_TEST(hostile_producer),
	ROUTE_TEST(hostile_entries),
	ROUTE_TEST(hostile_consumer),
	ROUTE_TEST(race),
	ROUTE_TEST(endless),
};

int main(void)
{
	return test_main("route", tests, ARRAY_SIZE(tests));
}
