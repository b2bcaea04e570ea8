/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host tests need of the kernel's header of the same name. */
#ifndef HOST_ASM_MSR_INDEX_H
#define HOST_ASM_MSR_INDEX_H

#include <linux/bits.h>

#define EFER_SCE		BIT(0)		/* SYSCALL */
#define EFER_LME		BIT(8)		/* long mode enable */
#define EFER_LMA		BIT(10)		/* long mode active */
#define EFER_NX			BIT(11)		/* no-execute enable */

#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101

#endif
