// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device memory: brings each access to its device, the posted writes before it, and
 * sets up the kernel's routes.
 *
 * An access takes one of two ways here.  The short one, mmio_run(), is for a plain
 * access that lies in one device which does not want the device lock: no lock and no
 * system call but the one that runs the guest.  The other, mmio_access(), runs under
 * the device lock and takes everything: strings, pieces, holes.
 *
 * Devices come before the first vCPU runs and go after the last one, so both ways look
 * them up without a lock.  A device may move while the guest runs, as a PCI device's
 * memory does: mmio_map() and mmio_unmap() run in the vCPU's own thread, under the device
 * lock, while the guest waits for its write to configuration space.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../mark.h"
#include "../msg.h"
#include "../shared.h"
#include "mmio.h"

static bool span_has(const struct mmio_span *span, u64 off, unsigned int size)
{
	return off - span->off < span->size && size <= span->size - (off - span->off);
}

/* ---- one access ------------------------------------------------------------- */

static void mmio_posted(void *owner, const struct mhv_posted *posted)
{
	struct dev_mmio *dev = owner;
	u64 off = posted->gpa - dev->base;

	if (span_has(&dev->posted, off, posted->size))
		dev->write(dev, off, posted->data & (UINT64_MAX >> (64 - 8 * posted->size)),
			   posted->size);
	else
		dev->ring.bad++;
}

/**
 * mmio_drain - carry out what is posted for a device
 * @dev:	the device
 */
void mmio_drain(struct dev_mmio *dev)
{
	if (dev->ring.shared)
		ring_drain(&dev->ring, mmio_posted, dev);
}

/* does the write ring a doorbell?  The kernel would have done the same. */
static bool mmio_ring(const struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	const struct mmio_bell *bell, *end = dev->bells + dev->nr_bells;

	for (bell = dev->bells; bell < end; bell++) {
		if (bell->off != off || (bell->size && bell->size != size) ||
		    (bell->match && bell->value != val))
			continue;
		eventfd_write(bell->fd, 1);
		return true;
	}
	return false;
}

static bool mmio_pending(const struct dev_mmio *dev)
{
	return dev->posted.size && ring_pending(&dev->ring);
}

static __noinline u64 mmio_read_routed(struct dev_mmio *dev, u64 off, unsigned int size)
{
	mmio_drain(dev);
	if (span_has(&dev->regfile, off, size))
		return mmio_get_reg(dev, off, size);
	return dev->read(dev, off, size);
}

static __noinline void mmio_write_routed(struct dev_mmio *dev, u64 off, u64 val,
					 unsigned int size)
{
	mmio_drain(dev);
	if (span_has(&dev->posted, off, size) || !mmio_ring(dev, off, val, size))
		dev->write(dev, off, val, size);
}

/* nearly always no route has a part in what comes here: then it is the device's own */
static u64 mmio_read(void *owner, u64 off, unsigned int size)
{
	struct dev_mmio *dev = owner;

	if (off - dev->regfile.off < dev->regfile.size || mmio_pending(dev))
		return mmio_read_routed(dev, off, size);
	return dev->read(dev, off, size);
}

static void mmio_write(void *owner, u64 off, u64 val, unsigned int size)
{
	struct dev_mmio *dev = owner;

	if (off - dev->bell_span.off < dev->bell_span.size || mmio_pending(dev))
		mmio_write_routed(dev, off, val, size);
	else
		dev->write(dev, off, val, size);
}

static struct dev_mmio *mmio_find(const struct mmio *mmio, u64 addr)
{
	const struct bus_range *range = bus_find(&mmio->bus, addr);

	return range ? range->dev : NULL;
}

/**
 * mmio_access - do what the guest asked; under the device lock
 * @mmio:	device memory
 * @access:	the request; for reads its data is filled in
 */
void mmio_access(struct mmio *mmio, const struct access *access)
{
	bus_access(&mmio->bus, access);
}

/*
 * Does the access if that takes no lock; false: nothing has happened.  The device is
 * nearly always that of the access before.
 */
static bool mmio_access_unlocked(struct mmio *mmio, const struct access *access)
{
	unsigned int size = access->size;
	struct dev_mmio *dev = mmio->last;
	u64 off;

	if (!dev || access->addr - dev->base >= dev->size) {
		dev = mmio_find(mmio, access->addr);
		if (!dev || !dev->unlocked)
			return false;
		mmio->last = dev;
	}
	off = access->addr - dev->base;
	if (access->count != 1 || size > dev->max_size || (size & (size - 1)) ||
	    size > dev->size - off)
		return false;
	if (access->write)
		mmio_write(dev, off, shared_load(access->data, size), size);
	else
		shared_store(access->data, mmio_read(dev, off, size), size);
	return true;
}

/**
 * mmio_run - run a vCPU until it wants more than an unlocked device's answer
 * @mmio:	device memory
 * @vcpu:	the vCPU
 * @exit:	out: what it wants
 * @look:	set by other threads, each time together with a kick: return
 *
 * Without the device lock.
 */
void mmio_run(struct mmio *mmio, struct accel_vcpu *vcpu, struct vcpu_exit *exit,
	      const bool *look)
{
	const struct accel_ops *ops = mmio->host.ops;

	do
		ops->run(vcpu, exit);
	while (exit->kind == VCPU_EXIT_MMIO && !__atomic_load_n(look, __ATOMIC_ACQUIRE) &&
	       mmio_access_unlocked(mmio, &exit->access));
}

/* ---- registers -------------------------------------------------------------- */

/**
 * mmio_set_reg - set a register of the register file
 * @dev:	the device
 * @off:	in its range; within @regfile
 * @val:	what the guest will read
 * @size:	1, 2, 4 or 8; atomic where @off is aligned to it
 */
void mmio_set_reg(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	regfile_store(&dev->regs, off - dev->regfile.off, val, size);
}

/**
 * mmio_get_reg - what the guest finds in a register of the register file
 * @dev:	the device
 * @off:	in its range; within @regfile
 * @size:	1, 2, 4 or 8
 *
 * Return: the value.
 */
u64 mmio_get_reg(const struct dev_mmio *dev, u64 off, unsigned int size)
{
	return regfile_load(&dev->regs, off - dev->regfile.off, size);
}

/* ---- devices ---------------------------------------------------------------- */

static void mmio_ring_ready(struct evloop_watch *watch)
{
	struct dev_mmio *dev = container_of(watch, struct dev_mmio, ring_watch);
	eventfd_t count;

	eventfd_read(watch->fd, &count);
	mmio_drain(dev);
}

static void mmio_bell_ready(struct evloop_watch *watch)
{
	struct mmio_bell *bell = container_of(watch, struct mmio_bell, watch);
	eventfd_t count;

	if (!eventfd_read(watch->fd, &count))
		bell->ring(bell->dev, bell, count);
}

static int mmio_watch(struct mmio *mmio, struct evloop_watch *watch, int fd,
		      void (*ready)(struct evloop_watch *watch))
{
	*watch = (struct evloop_watch){ .fd = fd, .events = POLLIN, .ready = ready };
	return mmio->loop ? evloop_add(mmio->loop, watch) : 0;
}

static int mmio_create_bell(struct dev_mmio *dev, struct mmio_bell *bell)
{
	bell->dev = dev;
	bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bell->fd < 0)
		return fail("cannot make an eventfd: %s", strerror(errno));
	return bell->ring ? mmio_watch(dev->mmio, &bell->watch, bell->fd, mmio_bell_ready) : 0;
}

/* what the routes lead to; it stays when the device moves */
static int mmio_create_targets(struct dev_mmio *dev)
{
	struct mmio *mmio = dev->mmio;
	unsigned int i;

	if (dev->regfile.size && regfile_create(&dev->regs, &mmio->host))
		return -1;
	if (dev->posted.size &&
	    (ring_create(&dev->ring, &mmio->host) ||
	     mmio_watch(mmio, &dev->ring_watch, dev->ring.fd, mmio_ring_ready)))
		return -1;
	for (i = 0; i < dev->nr_bells; i++)
		if (mmio_create_bell(dev, &dev->bells[i]))
			return -1;
	return 0;
}

static int mmio_route_bell(struct dev_mmio *dev, struct mmio_bell *bell)
{
	bell->routed = !route_eventfd(&dev->mmio->host, dev->base + bell->off, bell->size,
				      bell->match ? &bell->value : NULL, bell->fd);
	return bell->routed ? 0 : -1;
}

static int mmio_add_routes(struct dev_mmio *dev)
{
	const struct route_host *host = &dev->mmio->host;
	unsigned int i;

	if (dev->regfile.size) {
		dev->regs.routed = !route_regfile(host, dev->base + dev->regfile.off,
						  dev->regfile.size, &dev->regs, 0);
		if (!dev->regs.routed)
			return -1;
	}
	if (dev->posted.size) {
		dev->ring.routed = !route_posted(host, dev->base + dev->posted.off,
						 dev->posted.size, &dev->ring);
		if (!dev->ring.routed)
			return -1;
	}
	for (i = 0; i < dev->nr_bells; i++)
		if (mmio_route_bell(dev, &dev->bells[i]))
			return -1;
	return 0;
}

/**
 * mmio_init - make empty device memory
 * @mmio:	out
 * @ops: @accel:	backend and its VM
 * @loop:	main loop, or NULL
 */
void mmio_init(struct mmio *mmio, const struct accel_ops *ops, struct accel *accel,
	       struct evloop *loop)
{
	*mmio = (struct mmio){ .host = { ops, accel }, .loop = loop };
}

/**
 * mmio_destroy - remove all devices
 * @mmio:	from mmio_init() or zeroed; no vCPU and no loop runs
 */
void mmio_destroy(struct mmio *mmio)
{
	while (mmio->devices) {
		if (mmio->devices->destroy)
			mmio->devices->destroy(mmio->devices);
		else
			mmio_remove(mmio->devices);
	}
	bus_destroy(&mmio->bus);
}

static int mmio_check_span(const struct dev_mmio *dev, const struct mmio_span *span,
			   u64 max, const char *what)
{
	if (!span->size)
		return 0;
	if (span->size > max || span->off >= dev->size || span->size > dev->size - span->off)
		return fail("%s: its %s does not fit", dev->name, what);
	return 0;
}

/* from the first doorbell to the last one */
static struct mmio_span mmio_bell_span(const struct dev_mmio *dev)
{
	u64 first = UINT64_MAX, end = 0;
	unsigned int i;

	for (i = 0; i < dev->nr_bells; i++) {
		first = min_u64(first, dev->bells[i].off);
		end = max_u64(end, dev->bells[i].off + 1);
	}
	return (struct mmio_span){ first, dev->nr_bells ? end - first : 0 };
}

/* mistakes of whoever wrote the device, and of who chose its address */
static int mmio_check(const struct dev_mmio *dev)
{
	unsigned int i;

	if (!dev->size || dev->base + (dev->size - 1) < dev->base)
		return fail("%s: nothing of that size fits at 0x%llx", dev->name, dev->base);
	if (dev->base % 8)
		return fail("%s: address 0x%llx is not a multiple of 8", dev->name, dev->base);
	if (mmio_check_span(dev, &dev->regfile, GUEST_PAGE, "register file") ||
	    mmio_check_span(dev, &dev->posted, UINT64_MAX, "posted range"))
		return -1;
	for (i = 0; i < dev->nr_bells; i++)
		if (dev->bells[i].off >= dev->size)
			return fail("%s: doorbell %u does not fit", dev->name, i);
	return 0;
}

static void mmio_remove_routes(struct dev_mmio *dev)
{
	const struct route_host *host = &dev->mmio->host;
	unsigned int i;

	for (i = dev->nr_bells; i--;) {
		struct mmio_bell *bell = &dev->bells[i];

		if (bell->routed)
			route_remove(host, MHV_ROUTE_EVENTFD, dev->base + bell->off, bell->size,
				     bell->match ? &bell->value : NULL);
		bell->routed = false;
	}
	if (dev->ring.routed)
		route_remove(host, MHV_ROUTE_POSTED, dev->base + dev->posted.off,
			     dev->posted.size, NULL);
	dev->ring.routed = false;
	if (dev->regs.routed)
		route_remove(host, MHV_ROUTE_REGFILE, dev->base + dev->regfile.off,
			     dev->regfile.size, NULL);
	dev->regs.routed = false;
}

/**
 * mmio_map - put a device that is nowhere at an address
 * @dev:	from mmio_attach() or mmio_unmap()
 * @base:	gpa of its first byte, 8-byte aligned; all of it below 2^64
 *
 * Return: 0; -1 when another device is there, or the module refused a route (with a
 * message): then it is nowhere.
 */
int mmio_map(struct dev_mmio *dev, u64 base)
{
	if (bus_add(&dev->mmio->bus, base, dev->size, &dev->bus_ops, dev))
		return -1;
	dev->base = base;
	dev->mapped = true;
	mark("device %s mmio 0x%llx 0x%llx", dev->name, base, dev->size);
	if (!mmio_add_routes(dev))
		return 0;
	mmio_unmap(dev);
	return -1;
}

/**
 * mmio_unmap - take a device away from its address
 * @dev:	the device, maybe nowhere already
 *
 * What was posted there is carried out; the registers stay as they are.
 */
void mmio_unmap(struct dev_mmio *dev)
{
	if (!dev->mapped)
		return;
	mmio_remove_routes(dev);
	mmio_drain(dev);
	bus_remove(&dev->mmio->bus, dev->base);
	mark("gone mmio 0x%llx", dev->base);
	dev->mmio->last = NULL;
	dev->mapped = false;
}

/**
 * mmio_attach - make a device part of device memory, without an address
 * @mmio:	whose
 * @dev:	filled in up to @destroy; must stay until mmio_remove()
 *
 * Return: 0, or -1 with a message; then it is not there.
 */
int mmio_attach(struct mmio *mmio, struct dev_mmio *dev)
{
	unsigned int i;

	if (!dev->max_size)
		dev->max_size = 8;
	dev->mmio = mmio;
	dev->mapped = false;
	dev->bell_span = mmio_bell_span(dev);
	dev->bus_ops = (struct bus_ops){ mmio_read, mmio_write, dev->max_size };
	memset(&dev->regs, 0, sizeof(dev->regs));
	memset(&dev->ring, 0, sizeof(dev->ring));
	dev->ring.fd = -1;
	for (i = 0; i < dev->nr_bells; i++) {
		dev->bells[i].fd = -1;
		dev->bells[i].routed = false;
	}
	if (mmio_check(dev))
		return -1;
	dev->next = mmio->devices;
	mmio->devices = dev;
	if (!mmio_create_targets(dev))
		return 0;
	mmio_remove(dev);
	return -1;
}

/**
 * mmio_add - put a device into device memory
 * @mmio:	where to
 * @dev:	filled in up to @destroy; must stay until mmio_remove()
 *
 * Return: 0, or -1 with a message; then it is not there.
 */
int mmio_add(struct mmio *mmio, struct dev_mmio *dev)
{
	if (mmio_attach(mmio, dev))
		return -1;
	if (!mmio_map(dev, dev->base))
		return 0;
	mmio_remove(dev);
	return fail("%s: it cannot be at 0x%llx: another device is there, or memory ran out",
		    dev->name, dev->base);
}

static void mmio_unwatch(struct mmio *mmio, struct evloop_watch *watch)
{
	if (mmio->loop)
		evloop_remove(mmio->loop, watch);
}

static void mmio_destroy_targets(struct dev_mmio *dev)
{
	unsigned int i;

	for (i = dev->nr_bells; i--;) {
		mmio_unwatch(dev->mmio, &dev->bells[i].watch);
		if (dev->bells[i].fd >= 0)
			close(dev->bells[i].fd);
		dev->bells[i].fd = -1;
	}
	mmio_unwatch(dev->mmio, &dev->ring_watch);
	if (dev->posted.size)
		ring_destroy(&dev->ring);
	regfile_destroy(&dev->regs);
}

/**
 * mmio_remove - take a device out of device memory
 * @dev:	from mmio_add() or mmio_attach(); its own threads are gone, no vCPU and no
 *		loop runs
 */
void mmio_remove(struct dev_mmio *dev)
{
	struct dev_mmio **at;

	for (at = &dev->mmio->devices; *at; at = &(*at)->next) {
		if (*at != dev)
			continue;
		*at = dev->next;
		break;
	}
	if (dev->mapped) {
		mmio_remove_routes(dev);
		bus_remove(&dev->mmio->bus, dev->base);
		dev->mmio->last = NULL;
		dev->mapped = false;
	}
	mmio_destroy_targets(dev);
}
