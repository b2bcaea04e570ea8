/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory: the devices in it, and what each lets the kernel answer by itself.
 *
 * A device has a range of guest physical addresses, two callbacks, and as many of the
 * kernel's routes as it declares.  A route changes nothing that the guest or the device
 * can see but the time it takes: what the kernel does not take is done here in the same
 * way.  So a register in the register file never reaches the callbacks as a read, a
 * posted write reaches @write in program order before any later access, and a doorbell
 * rings once, whichever way the access came.
 *
 * How to write one: Documentation/devices.rst.
 */
#ifndef VMCTL_MMIO_H
#define VMCTL_MMIO_H

#include "../accel/route.h"
#include "../evloop.h"
#include "bus.h"

struct dev_mmio;

/* part of a device's range; @size 0: none */
struct mmio_span {
	u64 off, size;
};

/**
 * struct mmio_bell - a doorbell: writes that only have to be noticed
 * @off:	of the write in the device's range
 * @size:	of the write: 1, 2, 4 or 8; 0: any
 * @match:	only writes of @value
 * @value:	with @match
 * @ring:	called by the main loop, under the device lock, with the number of
 *		writes since the last time; NULL: the device waits on @fd by itself
 * @fd:		eventfd; from here on mmio's own
 * @routed:	the kernel knows it
 * @dev:	its device
 * @watch:	for the main loop
 */
struct mmio_bell {
	u64 off;
	u32 size;
	bool match;
	u64 value;
	void (*ring)(struct dev_mmio *dev, struct mmio_bell *bell, u64 count);

	int fd;
	bool routed;
	struct dev_mmio *dev;
	struct evloop_watch watch;
};

/**
 * struct dev_mmio - a device in device memory
 * @name:	for messages
 * @base:	gpa of its first byte, 8-byte aligned
 * @size:	bytes
 * @read:	@size (1, 2, 4 or 8) bytes at @off; upper bytes are ignored
 * @write:	@val is masked to @size; also called for posted writes
 * @max_size:	widest access that the callbacks take, 1, 2, 4 or 8; wider and odd
 *		ones come in pieces
 * @unlocked:	the callbacks may run on several threads at once and without the
 *		device lock, which they must not take: accesses cost less
 * @regfile:	registers whose reads have no side effect: the kernel answers them,
 *		with what mmio_set_reg() left there; 8-byte aligned, at most a page
 * @posted:	registers whose writes may be late: the guest does not wait for them
 * @bells:	doorbells
 * @nr_bells:	how many
 * @destroy:	called by mmio_destroy(); calls mmio_remove().  NULL: just that
 * @mmio:	from here on mmio's own: where the device is
 * @mapped:	it is at @base; else it is nowhere
 * @bus_ops:	what the bus calls
 * @bell_span:	where the doorbells are
 * @regs:	with @regfile
 * @ring:	with @posted
 * @ring_watch:	its doorbell in the main loop
 * @next:	device added before it
 */
struct dev_mmio {
	const char *name;
	u64 base, size;
	u64 (*read)(struct dev_mmio *dev, u64 off, unsigned int size);
	void (*write)(struct dev_mmio *dev, u64 off, u64 val, unsigned int size);
	unsigned int max_size;
	bool unlocked;
	struct mmio_span regfile, posted;
	struct mmio_bell *bells;
	unsigned int nr_bells;
	void (*destroy)(struct dev_mmio *dev);

	struct mmio *mmio;
	bool mapped;
	struct bus_ops bus_ops;
	struct mmio_span bell_span;
	struct regfile regs;
	struct ring ring;
	struct evloop_watch ring_watch;
	struct dev_mmio *next;
};

/**
 * struct mmio - all device memory of a machine
 * @host:	whose routes
 * @loop:	waits on doorbells; NULL: nobody does
 * @bus:	the devices by address
 * @devices:	the device added last
 * @last:	the unlocked device that a vCPU used last, or NULL
 */
struct mmio {
	struct route_host host;
	struct evloop *loop;
	struct bus bus;
	struct dev_mmio *devices;
	struct dev_mmio *last;
};

void mmio_init(struct mmio *mmio, const struct accel_ops *ops, struct accel *accel,
	       struct evloop *loop);
void mmio_destroy(struct mmio *mmio);
int mmio_add(struct mmio *mmio, struct dev_mmio *dev);
void mmio_remove(struct dev_mmio *dev);
int mmio_attach(struct mmio *mmio, struct dev_mmio *dev);
int mmio_map(struct dev_mmio *dev, u64 base);
void mmio_unmap(struct dev_mmio *dev);

void mmio_set_reg(struct dev_mmio *dev, u64 off, u64 val, unsigned int size);
u64 mmio_get_reg(const struct dev_mmio *dev, u64 off, unsigned int size);
void mmio_drain(struct dev_mmio *dev);

void mmio_access(struct mmio *mmio, const struct access *access);
void mmio_run(struct mmio *mmio, struct accel_vcpu *vcpu, struct vcpu_exit *exit,
	      const bool *look);

#endif
