// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory: who is at an address, what each route delivers, and that a route
 * changes nothing but the way.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dev/device.h"
#include "dev/testdev.h"
#include "soft.h"

static struct mmio mmio;
static struct evloop loop;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* a device that is RAM and remembers what it was asked */
static struct ram {
	struct dev_mmio dev;
	u8 bytes[256];
	u64 off, val;
	unsigned int size, reads, writes;
} ram[3];

static u64 ram_read(struct dev_mmio *dev, u64 off, unsigned int size)
{
	struct ram *r = container_of(dev, struct ram, dev);
	u64 val = 0;

	assert_true(off + size <= dev->size);
	r->reads++;
	r->off = off;
	r->size = size;
	memcpy(&val, r->bytes + off, size);
	return val;
}

static void ram_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	struct ram *r = container_of(dev, struct ram, dev);

	assert_true(off + size <= dev->size);
	r->writes++;
	r->off = off;
	r->val = val;
	r->size = size;
	memcpy(r->bytes + off, &val, size);
}

static struct dev_mmio *ram_init(unsigned int i, u64 base, u64 size)
{
	memset(&ram[i], 0, sizeof(ram[i]));
	ram[i].dev = (struct dev_mmio){
		.name = "ram", .base = base, .size = size, .read = ram_read,
		.write = ram_write,
	};
	return &ram[i].dev;
}

static int setup(void **state)
{
	alarm(HANG_SECONDS);
	memset(&soft, 0, sizeof(soft));
	if (evloop_init(&loop, &lock))
		return -1;
	mmio_init(&mmio, &soft_accel, soft_accel.open(PAGING_AUTO), &loop);
	return 0;
}

static int teardown(void **state)
{
	alarm(0);
	mmio_destroy(&mmio);
	assert_int_equal(soft_routes(), 0);
	assert_int_equal(loop.nr, 0);
	evloop_destroy(&loop);
	return 0;
}

static u64 read_mem(u64 addr, unsigned int size)
{
	u64 val = 0;
	struct access access = {
		.addr = addr, .data = (u8 *)&val, .size = size, .count = 1,
	};

	mmio_access(&mmio, &access);
	return val;
}

static void write_mem(u64 addr, u64 val, unsigned int size)
{
	struct access access = {
		.addr = addr, .data = (u8 *)&val, .size = size, .count = 1, .write = true,
	};

	mmio_access(&mmio, &access);
}

/* ---- ranges ----------------------------------------------------------------- */

static void ranges(void **state)
{
	unsigned int i;

	/* added out of order: last, first, and one that fills the gap exactly */
	assert_int_equal(mmio_add(&mmio, ram_init(2, 0xd0000200, 0x80)), 0);
	assert_int_equal(mmio_add(&mmio, ram_init(0, 0xd0000000, 0x100)), 0);
	assert_int_equal(mmio_add(&mmio, ram_init(1, 0xd0000100, 0x100)), 0);
	for (i = 0; i < 3; i++) {
		struct dev_mmio *dev = &ram[i].dev;

		write_mem(dev->base, 0x10 + i, 1);
		assert_int_equal(ram[i].off, 0);
		write_mem(dev->base + dev->size - 1, 0x20 + i, 1);
		assert_int_equal(ram[i].off, dev->size - 1);
		assert_int_equal(ram[i].writes, 2);
	}
	assert_int_equal(read_mem(0xd0000000, 1), 0x10);
	assert_int_equal(read_mem(0xd0000100, 1), 0x11);
	assert_int_equal(read_mem(0xd000027f, 1), 0x22);
	assert_int_equal(mmio.bus.unclaimed[0] + mmio.bus.unclaimed[1], 0);
}

static void ranges_refused(void **state)
{
	static const struct { u64 base, size; } bad[] = {
		{ 0xd0000000, 1 }, { 0xd00000f8, 8 }, { 0xcffffff8, 9 }, { 0xcffff000, 0x3000 },
		{ 0xd0000001, 8 }, { 0xd0001000, 0 }, { -8ull, 16 }, { 0xe0000004, 4 },
	};
	struct dev_mmio *dev;
	unsigned int i;

	assert_int_equal(mmio_add(&mmio, ram_init(0, 0xd0000000, 0x100)), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mmio_add(&mmio, ram_init(1, bad[i].base, bad[i].size)), -1);
	dev = ram_init(1, 0xd0001000, 0x100);
	dev->regfile = (struct mmio_span){ 0xf8, 16 };
	assert_int_equal(mmio_add(&mmio, dev), -1);
	dev->regfile = (struct mmio_span){ 0, 0 };
	dev->posted = (struct mmio_span){ 0x100, 1 };
	assert_int_equal(mmio_add(&mmio, dev), -1);
	dev->posted = (struct mmio_span){ 8, -8ull };
	assert_int_equal(mmio_add(&mmio, dev), -1);
	assert_int_equal(soft_routes(), 0);
	assert_ptr_equal(mmio.devices, &ram[0].dev);
	assert_null(ram[0].dev.next);
}

static void unclaimed(void **state)
{
	assert_int_equal(mmio_add(&mmio, ram_init(0, 0xd0000000, 0x100)), 0);
	assert_true(read_mem(0, 8) == UINT64_MAX);
	assert_int_equal(read_mem(0xd0000100, 4), 0xffffffff);
	assert_true(read_mem(-8ull, 8) == UINT64_MAX);
	write_mem(0xd0000100, 0, 4);
	assert_int_equal(mmio.bus.unclaimed[0], 3);
	assert_int_equal(mmio.bus.unclaimed[1], 1);
	assert_int_equal(ram[0].reads + ram[0].writes, 0);
	/* the end of the device and what lies past it, in one access */
	ram[0].bytes[0xfe] = 0x34;
	ram[0].bytes[0xff] = 0x12;
	assert_int_equal(read_mem(0xd00000fe, 4), 0xffff1234);
	assert_int_equal(mmio.bus.unclaimed[0], 4);
}

/* a vector, a string downwards, sizes that no device knows */
static void shapes(void **state)
{
	u8 data[96];
	struct access access = { .addr = 0xd0000040, .data = data, .size = 32, .count = 1 };
	unsigned int i;

	assert_int_equal(mmio_add(&mmio, ram_init(0, 0xd0000000, 0x100)), 0);
	for (i = 0; i < sizeof(ram[0].bytes); i++)
		ram[0].bytes[i] = i;
	mmio_access(&mmio, &access);
	assert_int_equal(ram[0].reads, 4);
	assert_memory_equal(data, ram[0].bytes + 0x40, 32);

	access = (struct access){
		.addr = 0xd0000048, .data = data, .size = 4, .count = 3, .step = -4,
	};
	mmio_access(&mmio, &access);
	assert_memory_equal(data, ram[0].bytes + 0x48, 4);
	assert_memory_equal(data + 4, ram[0].bytes + 0x44, 4);
	assert_memory_equal(data + 8, ram[0].bytes + 0x40, 4);

	memset(data, 0xa5, sizeof(data));
	access = (struct access){
		.addr = 0xd0000003, .data = data, .size = 7, .count = 1, .write = true,
	};
	mmio_access(&mmio, &access);
	for (i = 0; i < 12; i++)
		assert_int_equal(ram[0].bytes[i], i >= 3 && i < 10 ? 0xa5 : i);
}

/* ---- with and without the device lock ---------------------------------------- */

static unsigned int at;

static void step_ram(struct soft_access *access)
{
	static const struct soft_access all[] = {
		{ .gpa = 0xd0000010, .size = 4, .write = true, .val = 0x12345678 },
		{ .gpa = 0xd0000012, .size = 2 },
		{ .port = true, .gpa = 0x80, .size = 1, .write = true },
		{ .gpa = 0xd00000fc, .size = 8 },	/* not whole in the device */
		{ .gpa = 0xd0000200, .size = 4 },	/* nobody */
		{ .halt = true },
	};

	*access = all[at++];
}

static void unlocked(void **state)
{
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);
	bool look = false;
	struct vcpu_exit exit;

	dev->unlocked = true;
	assert_int_equal(mmio_add(&mmio, dev), 0);
	soft.step = step_ram;
	at = 0;
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.kind, VCPU_EXIT_PORT);
	assert_int_equal(ram[0].writes, 1);
	assert_int_equal(ram[0].reads, 1);
	assert_int_equal(ram[0].val, 0x12345678);
	assert_int_equal(ram[0].size, 2);
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.kind, VCPU_EXIT_MMIO);
	assert_int_equal(exit.access.addr, 0xd00000fc);
	mmio_access(&mmio, &exit.access);
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.access.addr, 0xd0000200);
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.kind, VCPU_EXIT_HALT);

	/* somebody wants the vCPU: nothing is done without a look */
	look = true;
	at = 0;
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.kind, VCPU_EXIT_MMIO);
	assert_int_equal(exit.access.addr, 0xd0000010);
	assert_int_equal(ram[0].writes, 1);
}

static void locked(void **state)
{
	bool look = false;
	struct vcpu_exit exit;

	assert_int_equal(mmio_add(&mmio, ram_init(0, 0xd0000000, 0x100)), 0);
	soft.step = step_ram;
	at = 0;
	mmio_run(&mmio, NULL, &exit, &look);
	assert_int_equal(exit.kind, VCPU_EXIT_MMIO);
	assert_int_equal(ram[0].writes, 0);
	mmio_access(&mmio, &exit.access);
	assert_int_equal(ram[0].writes, 1);
}

/* a device that knows 4 bytes at most gets 8 in two */
static void narrow(void **state)
{
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);

	dev->unlocked = true;
	dev->max_size = 4;
	assert_int_equal(mmio_add(&mmio, dev), 0);
	write_mem(0xd0000000, 0x1122334455667788, 8);
	assert_int_equal(ram[0].writes, 2);
	assert_int_equal(ram[0].off, 4);
	assert_int_equal(ram[0].val, 0x11223344);
	assert_true(read_mem(0xd0000000, 8) == 0x1122334455667788);
}

/* ---- doorbells --------------------------------------------------------------- */

static struct {
	u64 count[8];
	struct mmio_bell *last;
} rings;

static void bell_ring(struct dev_mmio *dev, struct mmio_bell *bell, u64 count)
{
	assert_ptr_equal(dev, &ram[0].dev);
	rings.count[bell - ram[0].dev.bells] += count;
	rings.last = bell;
}

static struct mmio_bell bells[] = {
	{ .off = 0, .size = 4, .ring = bell_ring },
	{ .off = 8, .size = 4, .match = true, .value = 7, .ring = bell_ring },
	{ .off = 8, .size = 4, .match = true, .value = 8, .ring = bell_ring },
	{ .off = 16, .size = 0, .ring = bell_ring },
	{ .off = 24, .size = 8, .match = true, .value = UINT64_MAX, .ring = bell_ring },
};

/* accesses that the main loop hears of, whoever took the write */
static void doorbells(void **state)
{
	static const struct { u64 off, val; u32 size; int bell; } writes[] = {
		{ 0, 0, 4, 0 }, { 0, 99, 4, 0 }, { 0, 0, 2, -1 }, { 0, 0, 8, -1 }, { 1, 0, 4, -1 },
		{ 8, 7, 4, 1 }, { 8, 8, 4, 2 }, { 8, 9, 4, -1 }, { 8, 7, 2, -1 }, { 8, 7, 8, -1 },
		{ 16, 1, 1, 3 }, { 16, 1, 2, 3 }, { 16, 1, 4, 3 }, { 16, 1, 8, 3 },
		{ 18, 1, 2, -1 },
		{ 24, UINT64_MAX, 8, 4 }, { 24, UINT32_MAX, 4, -1 }, { 24, UINT32_MAX, 8, -1 },
	};
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);
	u64 want[8] = { 0 };
	unsigned int i, missed = 0;

	memset(&rings, 0, sizeof(rings));
	dev->bells = bells;
	dev->nr_bells = ARRAY_SIZE(bells);
	assert_int_equal(mmio_add(&mmio, dev), 0);
	assert_int_equal(soft_routes(), ARRAY_SIZE(bells));
	pthread_mutex_lock(&lock);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		write_mem(0xd0000000 + writes[i].off, writes[i].val, writes[i].size);
		if (writes[i].bell < 0) {
			assert_int_equal(ram[0].writes, ++missed);
			continue;
		}
		want[writes[i].bell]++;
		assert_int_equal(evloop_once(&loop), 0);
		assert_ptr_equal(rings.last, &bells[writes[i].bell]);
	}
	pthread_mutex_unlock(&lock);
	assert_memory_equal(rings.count, want, sizeof(want));
	assert_int_equal(ram[0].writes, missed);
	/* reads of the same place are the device's */
	read_mem(0xd0000000, 4);
	assert_int_equal(ram[0].reads, 1);
}

/* ---- posted writes ----------------------------------------------------------- */

static void posted_before_access(void **state)
{
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);

	dev->posted = (struct mmio_span){ 0x80, 0x40 };
	assert_int_equal(mmio_add(&mmio, dev), 0);
	/* the read finds both, in their order, and as wide as they were */
	assert_true(soft_post(0, 0xd0000080, 1, 4, -1));
	assert_true(soft_post(0, 0xd0000080, 0xffffffffffff0002, 2, -1));
	assert_int_equal(ring_pending(&dev->ring), 2);
	assert_int_equal(read_mem(0xd0000080, 4), 2);
	assert_int_equal(ram[0].val, 2);
	assert_int_equal(ram[0].writes, 2);
	/* so does an access elsewhere in the device, and a write comes after them */
	assert_true(soft_post(0, 0xd0000084, 3, 4, -1));
	write_mem(0xd0000000, 4, 1);
	assert_int_equal(ram[0].writes, 4);
	assert_int_equal(ram[0].bytes[0x84], 3);
	assert_int_equal(ram[0].val, 4);
}

static void posted_doorbell(void **state)
{
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);

	dev->posted = (struct mmio_span){ 0x80, 0x40 };
	assert_int_equal(mmio_add(&mmio, dev), 0);
	assert_true(soft_post(0, 0xd00000bc, 0x55, 4, dev->ring.fd));
	pthread_mutex_lock(&lock);
	assert_int_equal(evloop_once(&loop), 0);
	pthread_mutex_unlock(&lock);
	assert_int_equal(ram[0].writes, 1);
	assert_int_equal(ram[0].bytes[0xbc], 0x55);
}

/* addresses outside of the range do not reach the device */
static void posted_elsewhere(void **state)
{
	static const struct { u64 gpa; u32 size; } bad[] = {
		{ 0, 8 }, { 0xd000007f, 1 }, { 0xd000007c, 8 }, { 0xd00000bd, 4 },
		{ 0xd00000c0, 1 }, { UINT64_MAX, 8 }, { 0x1d0000080, 4 },
	};
	struct dev_mmio *dev = ram_init(0, 0xd0000000, 0x100);
	unsigned int i;

	dev->posted = (struct mmio_span){ 0x80, 0x40 };
	assert_int_equal(mmio_add(&mmio, dev), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(soft_post(0, bad[i].gpa, 1, bad[i].size, -1));
	mmio_drain(dev);
	assert_int_equal(ram[0].writes, 0);
	assert_int_equal(dev->ring.bad, ARRAY_SIZE(bad));
}

/* whichever step of it fails, a device leaves nothing behind */
static void half_added(void **state)
{
	struct dev_mmio *dev;
	unsigned int i;

	for (i = 1; i <= ARRAY_SIZE(bells) + 2; i++) {
		dev = ram_init(0, 0xd0000000, 0x1000);
		dev->bells = bells;
		dev->nr_bells = ARRAY_SIZE(bells);
		dev->regfile = (struct mmio_span){ 0x100, 0x100 };
		dev->posted = (struct mmio_span){ 0x200, 0x100 };
		soft.nr_areas = 0;
		soft.refuse_route = i;
		assert_int_equal(mmio_add(&mmio, dev), -1);
		assert_int_equal(soft_routes(), 0);
		assert_int_equal(loop.nr, 0);
		assert_null(mmio.devices);
		assert_int_equal(mmio.bus.nr, 0);
	}
}

/* ---- the test device --------------------------------------------------------- */

static u64 random_state;

static u32 random_u32(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return random_state >> 33;
}

/* results of all reads, folded */
static u64 digest;
static unsigned int steps;

#define RANDOM_STEPS	20000

static const u16 pages[] = { 0x0, 0x800, 0x1000, 0x2000, 0x4000, 0x5000 };

/* accesses of all sizes everywhere but to the doorbells' counts, which come late */
static void step_random(struct soft_access *access)
{
	u32 size = 1 << random_u32() % 4, off;

	if (access->size && !access->write)
		digest = digest * 31 + (access->val & (UINT64_MAX >> (64 - 8 * access->size)));
	if (++steps > RANDOM_STEPS) {
		*access = (struct soft_access){ .halt = true };
		return;
	}
	off = pages[random_u32() % ARRAY_SIZE(pages)] + random_u32() % 0x80;
	if (random_u32() % 8 == 0)
		off = 0x3000 + 8 * (random_u32() % 10);
	else if (random_u32() % 2)
		off &= -size;
	*access = (struct soft_access){
		.gpa = TESTDEV_ADDR + off, .size = size, .write = random_u32() % 2,
		.val = (u64)random_u32() << 32 | random_u32() % 4,
	};
}

static u64 run_random(u64 disabled)
{
	struct vcpu_exit exit;
	bool look = false;
	unsigned int i;

	mmio_destroy(&mmio);
	memset(&soft, 0, sizeof(soft));
	mmio_init(&mmio, &soft_accel, soft_accel.open(PAGING_AUTO), NULL);
	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR), 0);
	soft.step = step_random;
	soft.disabled = disabled;
	random_state = 42;
	digest = 0;
	steps = 0;
	do {
		mmio_run(&mmio, NULL, &exit, &look);
		if (exit.kind == VCPU_EXIT_MMIO)
			mmio_access(&mmio, &exit.access);
	} while (exit.kind != VCPU_EXIT_HALT);
	for (i = 0; i < 16; i++)
		digest = digest * 31 + read_mem(TESTDEV_ADDR + 8 * i, 8);
	return digest;
}

/* each route off and all of them: the guest sees the same */
static void routes_change_nothing(void **state)
{
	const u64 all = BIT(MHV_OPT_REGFILE) | BIT(MHV_OPT_POSTED) | BIT(MHV_OPT_EVENTFD);
	u64 want, option;

	want = run_random(0);
	for (option = 1; option < 4; option++)
		assert_true(soft.taken[option] > RANDOM_STEPS / 100);
	for (option = MHV_OPT_REGFILE; option <= MHV_OPT_EVENTFD; option++) {
		assert_true(run_random(BIT(option)) == want);
		assert_int_equal(soft.taken[option - MHV_OPT_REGFILE + 1], 0);
	}
	assert_true(run_random(all) == want);
	assert_int_equal(soft.taken[1] + soft.taken[2] + soft.taken[3], 0);
	assert_true(soft.taken[0] == RANDOM_STEPS);
}

static void testdev_registers(void **state)
{
	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR), 0);
	assert_int_equal(read_mem(TESTDEV_ADDR, 4), TESTDEV_ID_VALUE);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_COUNT, 4), 1);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_COUNT, 1), 2);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_COUNT, 8), 3);
	write_mem(TESTDEV_ADDR + TESTDEV_COUNT, 0, 8);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_COUNT, 8), 4);

	write_mem(TESTDEV_ADDR + 0x804, 0xaabbccdd, 4);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x805, 2), 0xbbcc);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_OFF, 8), 0x804);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_VALUE, 8), 0xaabbccdd);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_SIZE, 8), 4);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_COUNT, 8), 2);

	write_mem(TESTDEV_ADDR + TESTDEV_SET_REG, 3ull << 32 | 0x12345678, 8);
	assert_true(read_mem(TESTDEV_ADDR + 0x1018, 8) == 0x1234567812345678);
	write_mem(TESTDEV_ADDR + 0x1ffe, 0xabcd, 2);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x1ffe, 2), 0xabcd);
	write_mem(TESTDEV_ADDR + 0x2ffc, 1, 4);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x2ffc, 4), 1);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_POSTED_COUNT, 4), 1);

	assert_true(read_mem(TESTDEV_ADDR + 0x3000, 8) == UINT64_MAX);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x5000, 4), 0xffffffff);
	assert_true(read_mem(TESTDEV_ADDR + 0xfff8, 8) == UINT64_MAX);
	/* all of it belongs to the device */
	assert_int_equal(mmio.bus.unclaimed[0] + mmio.bus.unclaimed[1], 0);
}

/* accesses over the ends of its areas are refused whole, and nothing is touched */
static void testdev_ends(void **state)
{
	static const u16 ends[] = { 0x40, 0x140, 0x800, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000 };
	unsigned int i, size;

	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR), 0);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		for (size = 2; size <= 8; size *= 2) {
			write_mem(TESTDEV_ADDR + ends[i] - 1, -1, size);
			read_mem(TESTDEV_ADDR + ends[i] - 1, size);
		}
	}
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x1000, 1), 0);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x2000, 1), 0);
	write_mem(TESTDEV_ADDR + TESTDEV_SET_REG, UINT64_MAX, 8);
	assert_true(read_mem(TESTDEV_ADDR + 0x1ff8, 8) == UINT64_MAX);
}

static void wait_for_count(unsigned int bell, u64 count)
{
	while (read_mem(TESTDEV_ADDR + TESTDEV_BELL_COUNT + 8 * bell, 8) != count)
		sched_yield();
}

static void testdev_thread(void **state)
{
	static const struct { u16 off, size; u64 val; } writes[TESTDEV_NR_BELLS] = {
		{ 0x3000, 4, 5 }, { 0x3008, 4, 1 }, { 0x3008, 4, 2 }, { 0x3010, 2, 0 },
		{ 0x3018, 1, 0 }, { 0x3020, 8, 0x1122334455667788 }, { 0x3028, 1, 0 },
		{ 0x3030, 8, 0 },
	};
	unsigned int i, round;

	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR), 0);
	for (round = 1; round <= 3; round++)
		for (i = 0; i < TESTDEV_NR_BELLS; i++)
			write_mem(TESTDEV_ADDR + writes[i].off, writes[i].val, writes[i].size);
	for (i = 0; i < TESTDEV_NR_BELLS; i++)
		wait_for_count(i, 3);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_COUNT, 8), 0);
	write_mem(TESTDEV_ADDR + 0x3008, 3, 4);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_COUNT, 8), 1);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_LOG_VALUE, 8), 3);
}

static void testdev_twice(void **state)
{
	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR), 0);
	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR + 0xf000), -1);
	assert_int_equal(testdev_create(&mmio, TESTDEV_ADDR + TESTDEV_SIZE), 0);
	write_mem(TESTDEV_ADDR + TESTDEV_SIZE + 0x1000, 5, 4);
	assert_int_equal(read_mem(TESTDEV_ADDR + 0x1000, 4), 0);
	assert_int_equal(read_mem(TESTDEV_ADDR + TESTDEV_SIZE + 0x1000, 4), 5);
}

#define MMIO_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	MMIO_TEST(ranges),
	MMIO_TEST(ranges_refused),
	MMIO_TEST(unclaimed),
	MMIO_TEST(shapes),
	MMIO_TEST(unlocked),
	MMIO_TEST(locked),
	MMIO_TEST(narrow),
	MMIO_TEST(doorbells),
	MMIO_TEST(posted_before_access),
	MMIO_TEST(posted_doorbell),
	MMIO_TEST(posted_elsewhere),
	MMIO_TEST(half_added),
	MMIO_TEST(routes_change_nothing),
	MMIO_TEST(testdev_registers),
	MMIO_TEST(testdev_ends),
	MMIO_TEST(testdev_thread),
	MMIO_TEST(testdev_twice),
};

int main(void)
{
	test_silence();
	return test_main("mmio", tests, ARRAY_SIZE(tests));
}
