/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernels of guest/testdev.S: files for vmctl, as they are. */
#ifndef TESTDEV_GUEST_H
#define TESTDEV_GUEST_H

extern const char testdev_guest[], testdev_guest_end[];
extern const char fxsave_guest[], fxsave_guest_end[];

#endif
