// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test device; testdev.h has its registers.
 *
 * It wants no lock: registers are loaded and stored whole, and everything that counts
 * is atomic.  The log is that of one vCPU: with several that write at once its parts may
 * come from different writes.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../mark.h"
#include "../msg.h"
#include "../shared.h"
#include "testdev.h"

/**
 * struct testdev - the device
 * @mmio:	its place in device memory
 * @bells:	doorbells, which the device waits on by itself
 * @memory:	registers and memory by offset; those of the register file are not here
 * @thread:	counts the doorbells; valid while @started
 * @started:	the thread is to be joined
 * @stop_fd:	eventfd: end the thread
 */
struct testdev {
	struct dev_mmio mmio;
	struct mmio_bell bells[TESTDEV_NR_BELLS];
	u64 memory[TESTDEV_END / 8];
	pthread_t thread;
	bool started;
	int stop_fd;
};

static const struct mmio_bell testdev_bells[TESTDEV_NR_BELLS] = {
	{ .off = 0x3000, .size = 4 },
	{ .off = 0x3008, .size = 4, .match = true, .value = 1 },
	{ .off = 0x3008, .size = 4, .match = true, .value = 2 },
	{ .off = 0x3010, .size = 2 },
	{ .off = 0x3018, .size = 0 },
	{ .off = 0x3020, .size = 8, .match = true, .value = 0x1122334455667788 },
	{ .off = 0x3028, .size = 1 },
	{ .off = 0x3030, .size = 8 },
};

static struct testdev *testdev_of(struct dev_mmio *dev)
{
	return container_of(dev, struct testdev, mmio);
}

static u64 *testdev_reg(struct testdev *dev, u64 off)
{
	return &dev->memory[off / 8];
}

static u64 testdev_add(struct testdev *dev, u64 off, u64 count)
{
	return __atomic_add_fetch(testdev_reg(dev, off), count, __ATOMIC_RELAXED);
}

static void testdev_log(struct testdev *dev, u64 off, u64 val, unsigned int size)
{
	shared_store(testdev_reg(dev, TESTDEV_LOG_OFF), off, 8);
	shared_store(testdev_reg(dev, TESTDEV_LOG_VALUE), val, 8);
	shared_store(testdev_reg(dev, TESTDEV_LOG_SIZE), size, 8);
	testdev_add(dev, TESTDEV_LOG_COUNT, 1);
}

static bool testdev_is_ram(u64 off)
{
	return (off >= TESTDEV_SCRATCH && off < TESTDEV_REGFILE) ||
	       (off >= TESTDEV_POSTED && off < TESTDEV_BELLS) ||
	       (off >= TESTDEV_BUFFER && off < TESTDEV_END);
}

/* pieces of registers can be read, but not what goes over the end of their area */
static bool testdev_is_readable(u64 off, unsigned int size)
{
	u64 last = off + size - 1;

	if (testdev_is_ram(off))
		return testdev_is_ram(last);
	return last < TESTDEV_SET_REG ||
	       (off >= TESTDEV_BELL_COUNT && last < TESTDEV_BELL_COUNT + 8 * TESTDEV_NR_BELLS);
}

static u64 testdev_read(struct dev_mmio *owner, u64 off, unsigned int size)
{
	struct testdev *dev = testdev_of(owner);

	if (off == TESTDEV_COUNT)
		return testdev_add(dev, TESTDEV_COUNT, 1);
	if (!testdev_is_readable(off, size))
		return UINT64_MAX;
	return shared_load((u8 *)dev->memory + off, size);
}

static void testdev_write(struct dev_mmio *owner, u64 off, u64 val, unsigned int size)
{
	struct testdev *dev = testdev_of(owner);
	u64 last = off + size - 1;

	if (testdev_is_ram(off) && testdev_is_ram(last))
		shared_store((u8 *)dev->memory + off, val, size);
	else if (off >= TESTDEV_REGFILE && last < TESTDEV_POSTED)
		mmio_set_reg(owner, off, val, size);
	else if (off == TESTDEV_SET_REG && size == 8)
		mmio_set_reg(owner, TESTDEV_REGFILE + (val >> 32) % 512 * 8,
			     (u32)val * 0x100000001ull, 8);
	if (off >= TESTDEV_POSTED && off < TESTDEV_BELLS)
		testdev_add(dev, TESTDEV_POSTED_COUNT, 1);
	testdev_log(dev, off, val, size);
}

static void testdev_count_bells(struct testdev *dev, const struct pollfd *polled)
{
	eventfd_t count;
	unsigned int i;

	for (i = 0; i < TESTDEV_NR_BELLS; i++)
		if (polled[i].revents && !eventfd_read(polled[i].fd, &count))
			testdev_add(dev, TESTDEV_BELL_COUNT + 8 * i, count);
}

static void *testdev_main(void *arg)
{
	struct pollfd polled[TESTDEV_NR_BELLS + 1], *stop = &polled[TESTDEV_NR_BELLS];
	struct testdev *dev = arg;
	unsigned int i;

	for (i = 0; i < TESTDEV_NR_BELLS; i++)
		polled[i] = (struct pollfd){ .fd = dev->bells[i].fd, .events = POLLIN };
	*stop = (struct pollfd){ .fd = dev->stop_fd, .events = POLLIN };
	while (poll(polled, ARRAY_SIZE(polled), -1) >= 0 || errno == EINTR) {
		testdev_count_bells(dev, polled);
		if (stop->revents)
			break;
	}
	return NULL;
}

static void testdev_free(struct testdev *dev)
{
	if (dev->stop_fd >= 0)
		close(dev->stop_fd);
	free(dev);
}

/* the thread ends before the descriptors it waits on do */
static void testdev_destroy(struct dev_mmio *owner)
{
	struct testdev *dev = testdev_of(owner);

	if (dev->started) {
		eventfd_write(dev->stop_fd, 1);
		pthread_join(dev->thread, NULL);
	}
	mmio_remove(owner);
	testdev_free(dev);
}

static int testdev_start(struct testdev *dev)
{
	int error = pthread_create(&dev->thread, NULL, testdev_main, dev);

	if (error)
		return fail("cannot start the test device's thread: %s", strerror(error));
	pthread_setname_np(dev->thread, "testdev");
	dev->started = true;
	return 0;
}

static struct testdev *testdev_new(u64 addr)
{
	struct testdev *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	memcpy(dev->bells, testdev_bells, sizeof(dev->bells));
	dev->mmio = (struct dev_mmio){
		.name = "testdev",
		.base = addr,
		.size = TESTDEV_SIZE,
		.read = testdev_read,
		.write = testdev_write,
		.unlocked = true,
		.regfile = { TESTDEV_REGFILE, GUEST_PAGE },
		.posted = { TESTDEV_POSTED, GUEST_PAGE },
		.bells = dev->bells,
		.nr_bells = TESTDEV_NR_BELLS,
		.destroy = testdev_destroy,
	};
	*testdev_reg(dev, TESTDEV_ID) = TESTDEV_ID_VALUE;
	dev->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (dev->stop_fd >= 0)
		return dev;
	free(dev);
	return NULL;
}

static void testdev_mark_registers(const struct dev_mmio *dev)
{
	static const struct {
		unsigned int off, size;
		const char *name;
	} all[] = {
		{ TESTDEV_ID, 8, "ID" }, { TESTDEV_COUNT, 8, "COUNT" },
		{ TESTDEV_LOG_OFF, 8, "LOG_OFF" }, { TESTDEV_LOG_VALUE, 8, "LOG_VALUE" },
		{ TESTDEV_LOG_SIZE, 8, "LOG_SIZE" }, { TESTDEV_LOG_COUNT, 8, "LOG_COUNT" },
		{ TESTDEV_POSTED_COUNT, 8, "POSTED_COUNT" }, { TESTDEV_SET_REG, 8, "SET_REG" },
		{ TESTDEV_BELL_COUNT, 8 * TESTDEV_NR_BELLS, "BELL_COUNT" },
		{ TESTDEV_SCRATCH, TESTDEV_REGFILE - TESTDEV_SCRATCH, "SCRATCH" },
		{ TESTDEV_REGFILE, TESTDEV_POSTED - TESTDEV_REGFILE, "REGFILE" },
		{ TESTDEV_POSTED, TESTDEV_BELLS - TESTDEV_POSTED, "POSTED" },
		{ TESTDEV_BELLS, 8 * TESTDEV_NR_BELLS, "BELLS" },
		{ TESTDEV_BUFFER, TESTDEV_END - TESTDEV_BUFFER, "BUFFER" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		mark("register %s 0x%x %u %s", dev->name, all[i].off, all[i].size, all[i].name);
}

/**
 * testdev_create - put a test device into device memory
 * @mmio:	where to
 * @addr:	its first gpa
 *
 * Return: 0, or -1 with a message.  mmio_destroy() ends it.
 */
int testdev_create(struct mmio *mmio, u64 addr)
{
	struct testdev *dev = testdev_new(addr);

	if (!dev)
		return fail("cannot make a test device: %s", strerror(errno));
	testdev_mark_registers(&dev->mmio);
	if (mmio_add(mmio, &dev->mmio)) {
		testdev_free(dev);
		return -1;
	}
	if (testdev_start(dev)) {
		testdev_destroy(&dev->mmio);
		return -1;
	}
	return 0;
}
