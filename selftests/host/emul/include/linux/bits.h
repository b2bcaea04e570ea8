/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EMUL_LINUX_BITS_H
#define EMUL_LINUX_BITS_H

#define BIT(n)	(1UL << (n))

#endif
