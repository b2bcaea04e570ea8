/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_TRACE_DAT_H
#define VMCTL_TRACE_DAT_H

#include "../types.h"

/**
 * struct dat_cpu - what was recorded on a CPU
 * @fd:		file with whole pages of its ring buffer
 * @size:	bytes in it
 */
struct dat_cpu {
	int fd;
	u64 size;
};

int dat_write(const char *file, const char *dir, const struct dat_cpu *cpus, unsigned int nr);

#endif
