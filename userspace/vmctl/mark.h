/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks: what vmctl knows and a trace of the module's events lacks, as lines in the trace.
 * `vmctl trace report` reads them.  Each is "mhv: PID WORD ...", with the process that says
 * so, which is a VM; numbers are as C has them.
 *
 *   vm KHZ CLOCK			a VM begins; rate of the TSC; clock of the trace
 *   vcpu TID				a thread that runs one of its vCPUs
 *   device NAME SPACE BASE SIZE	a device is there; SPACE is mmio or port
 *   gone SPACE BASE			no longer
 *   register NAME OFFSET SIZE TEXT	a register of all devices NAME
 *   packet tx|rx BYTES			a frame from, to the guest
 *   counter NAME VALUE			of a vCPU, when it goes
 *   end				the VM has ended; its counters are all there
 *   lost EVENTS			the recorder's buffer had no room (by the recorder)
 */
#ifndef VMCTL_MARK_H
#define VMCTL_MARK_H

#include "types.h"

/* where the files of the trace are, told by who records it; default: tracefs itself */
#define MARK_DIR_ENV	"VMCTL_TRACE"
#define MARK_DIR	"/sys/kernel/tracing"
#define MARK_PREFIX	"mhv: "

bool mark_open(const char *dir);
void mark_vm(const char *dir, u32 tsc_khz);
void mark(const char *fmt, ...) __printf(1, 2);
bool mark_is_open(void);
void mark_close(void);

#endif
