/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EMUL_LINUX_COMPILER_H
#define EMUL_LINUX_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define noinline	__attribute__((noinline))

#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))

#endif
