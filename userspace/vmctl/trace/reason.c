// SPDX-License-Identifier: GPL-2.0-only
#include "../types.h"
#include "reason.h"

/* Intel SDM vol. 3, appendix C; those that guests cause and the trace has no words for */
static const char *const names[] = {
	[3] = "init", [4] = "sipi", [11] = "getsec", [16] = "rdtsc", [17] = "rsm",
	[19] = "vmclear", [20] = "vmlaunch", [21] = "vmptrld", [22] = "vmptrst",
	[23] = "vmread", [24] = "vmresume", [25] = "vmwrite", [26] = "vmxoff", [27] = "vmxon",
	[36] = "mwait", [37] = "monitor_trap", [39] = "monitor", [40] = "pause",
	[44] = "apic_access", [46] = "gdtr_idtr", [47] = "ldtr_tr", [50] = "invept",
	[51] = "rdtscp", [53] = "invvpid", [56] = "apic_write",
	[57] = "rdrand", [58] = "invpcid", [59] = "vmfunc", [60] = "encls", [61] = "rdseed",
	[62] = "pml_full", [63] = "xsaves", [64] = "xrstors", [67] = "umwait", [68] = "tpause",
};

/**
 * reason_name - name an exit reason that the module has no name for
 * @reason:	basic exit reason
 *
 * Return: the name, or NULL.
 */
const char *reason_name(u32 reason)
{
	return reason < ARRAY_SIZE(names) ? names[reason] : NULL;
}
