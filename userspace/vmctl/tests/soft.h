/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A backend in software for tests of device memory: its guest is a C function that
 * makes one access after the other, and routes take them as the module does, in the
 * order and with the ring protocol of the uapi header.
 */
#ifndef VMCTL_TEST_SOFT_H
#define VMCTL_TEST_SOFT_H

#include "accel/accel.h"

/**
 * struct soft_access - one access of the guest
 * @gpa: @size: @write:	what it does
 * @val:	written, or read when the next step is asked for
 * @port:	it is a port access
 * @halt:	it is a HLT
 */
struct soft_access {
	u64 gpa;
	u32 size;
	bool write, port, halt;
	u64 val;
};

#define SOFT_ROUTES	4200
#define SOFT_AREAS	8

/**
 * struct soft - the backend's only VM and vCPU
 * @step:	fills in the next access; the last one is still there with its result
 * @access:	the access under way
 * @waits:	user space has it
 * @data:	where user space puts what is read
 * @route:	kind 0: unused
 * @area: @nr_areas:	made so far
 * @produced:	the kernel's own count of each ring
 * @disabled:	options
 * @timed:	the option
 * @mem:	of slot 0
 * @regs:	of the vCPU
 * @taken:	accesses by MHV_ROUTE_*; [0] those that went by ioreq
 * @interrupts:	the guest can take one
 * @vector:	of the last one
 * @refuse_route:	the n-th MHV_SET_ROUTE from now fails; 0: none
 */
struct soft {
	void (*step)(struct soft_access *access);
	struct soft_access access;
	bool waits;
	u8 data[8];
	struct mhv_route route[SOFT_ROUTES];
	struct accel_area area[SOFT_AREAS];
	unsigned int nr_areas;
	u32 produced[SOFT_AREAS];
	u64 disabled;
	bool timed;
	u8 *mem;
	struct vcpu_state state;
	u64 taken[4];
	bool interrupts;
	u8 vector;
	unsigned int refuse_route;
};

extern struct soft soft;
extern const struct accel_ops soft_accel;

unsigned int soft_routes(void);
bool soft_post(u32 area, u64 gpa, u64 val, u32 size, int fd);

#endif
