/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_DEVICE_H
#define VMCTL_DEVICE_H

#include "mmio.h"

/**
 * struct device_type - a device that --device can add
 * @name:	what users call it
 * @size:	bytes of device memory
 * @addr:	where it is unless the user says otherwise
 * @create:	add one; 0, or -1 with a message
 */
struct device_type {
	const char *name;
	u64 size, addr;
	int (*create)(struct mmio *mmio, u64 addr);
};

#define DEVICES_MAX	8

/* one --device */
struct device_option {
	const struct device_type *type;
	u64 addr;
};

int device_parse(const char *text, struct device_option *option);

#endif
