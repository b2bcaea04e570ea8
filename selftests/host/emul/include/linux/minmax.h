/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EMUL_LINUX_MINMAX_H
#define EMUL_LINUX_MINMAX_H

#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

#endif
