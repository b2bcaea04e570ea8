/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EMUL_LINUX_STRING_H
#define EMUL_LINUX_STRING_H

#include <string.h>

#endif
