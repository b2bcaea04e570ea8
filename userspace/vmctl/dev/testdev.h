/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test device: device memory of every kind, for tests and measurements.
 *
 * 64 KiB, at 0xd0000000 unless the user says otherwise.  Accesses of 1, 2, 4 and 8
 * bytes; wider ones come as several.  Little-endian.  What is not listed reads as all
 * ones and ignores writes.
 *
 *   0x0000  registers, each access an ioreq
 *     0x000  r   ID, 0x7476686d ("mhvt")
 *     0x008  r   COUNT: how often it has been read, this time included: each access
 *                that begins here counts once, whatever its size
 *     0x010  r   LOG_OFF, LOG_VALUE (0x018), LOG_SIZE (0x020): the last write that
 *                reached the device model, posted ones included, doorbells not
 *     0x028  r   LOG_COUNT: number of such writes
 *     0x030  r   POSTED_COUNT: number of writes to the posted range
 *     0x038  w   SET_REG: sets the 8 bytes at 8 * (value >> 32) of the register file to
 *                the low 32 bits of the value, once above the other
 *     0x100  r   BELL_COUNT, 8 bytes for each doorbell: how often it has rung.  The
 *                device's own thread counts, a while after the write
 *     0x800  rw  SCRATCH, up to 0x1000: as RAM
 *   0x1000  register file: read in the kernel; writes (an ioreq) set the register
 *   0x2000  posted, up to 0x3000: writes are posted; reads (an ioreq) find what was
 *           written last
 *   0x3000  doorbells; writes that match none go to the log alone; reads as ones
 *     0x3000  4 bytes, any value             (doorbell 0)
 *     0x3008  4 bytes, value 1               (1)
 *     0x3008  4 bytes, value 2               (2)
 *     0x3010  2 bytes, any value             (3)
 *     0x3018  any size, any value            (4)
 *     0x3020  8 bytes, 0x1122334455667788    (5)
 *     0x3028  1 byte, any value              (6)
 *     0x3030  8 bytes, any value             (7)
 *   0x4000  rw  BUFFER, up to 0x5000: as RAM, for strings
 */
#ifndef VMCTL_TESTDEV_H
#define VMCTL_TESTDEV_H

#include "mmio.h"

#define TESTDEV_ADDR		0xd0000000ull
#define TESTDEV_SIZE		0x10000ull

#define TESTDEV_ID		0x000
#define TESTDEV_ID_VALUE	0x7476686d
#define TESTDEV_COUNT		0x008
#define TESTDEV_LOG_OFF		0x010
#define TESTDEV_LOG_VALUE	0x018
#define TESTDEV_LOG_SIZE	0x020
#define TESTDEV_LOG_COUNT	0x028
#define TESTDEV_POSTED_COUNT	0x030
#define TESTDEV_SET_REG		0x038
#define TESTDEV_BELL_COUNT	0x100
#define TESTDEV_SCRATCH		0x800
#define TESTDEV_REGFILE		0x1000
#define TESTDEV_POSTED		0x2000
#define TESTDEV_BELLS		0x3000
#define TESTDEV_BUFFER		0x4000
#define TESTDEV_END		0x5000	/* of what it has */

#define TESTDEV_NR_BELLS	8

int testdev_create(struct mmio *mmio, u64 addr);

#endif
