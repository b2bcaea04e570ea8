/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a machine comes to its end, and what vmctl's exit status says about it.
 */
#ifndef VMCTL_POWER_H
#define VMCTL_POWER_H

#include "types.h"

enum end_cause {
	END_NONE,		/* still running */
	END_POWEROFF,		/* the guest switched itself off */
	END_RESET,		/* the guest asked for a reset */
	END_TRIPLE_FAULT,
	END_ENTRY_FAILED,	/* the CPU refused the guest's state */
	END_PANIC,		/* the guest said that it panicked */
	END_DEBUG_EXIT,		/* value: what the guest wrote to the port */
	END_TIMEOUT,
	END_QUIT,		/* the user asked for it at the terminal */
	END_SIGNAL,		/* value: signal number */
	END_ERROR,		/* vmctl failed; the message is out */
};

/* exit statuses of `vmctl run` */
enum run_status {
	STATUS_OK		= 0,
	STATUS_FAILED		= 1,
	STATUS_USAGE		= 2,
	STATUS_RESET		= 32,
	STATUS_FAULT		= 33,
	STATUS_PANIC		= 34,
	STATUS_DEBUG_EXIT	= 64,	/* with the low six bits of the value */
	STATUS_TIMEOUT		= 124,
	STATUS_SIGNAL		= 128,	/* plus the signal number */
};

/**
 * struct power - what a device sees of the machine's power switch
 * @end:	end the machine; the first call counts
 */
struct power {
	void (*end)(struct power *power, enum end_cause cause, u32 value);
};

static inline void power_end(struct power *power, enum end_cause cause, u32 value)
{
	power->end(power, cause, value);
}

int end_status(enum end_cause cause, u32 value);
const char *end_name(enum end_cause cause);

#endif
