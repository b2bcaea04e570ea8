/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_TRACE_REASON_H
#define VMCTL_TRACE_REASON_H

#include "../types.h"

const char *reason_name(u32 reason);

#endif
