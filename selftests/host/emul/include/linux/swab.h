/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EMUL_LINUX_SWAB_H
#define EMUL_LINUX_SWAB_H

#define swab64(x)	__builtin_bswap64(x)

#endif
