/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of a guest kernel's addresses, from its System.map or /proc/kallsyms. */
#ifndef VMCTL_TRACE_SYMBOLS_H
#define VMCTL_TRACE_SYMBOLS_H

#include "vec.h"

#define SYMBOL_TEXT	128

/**
 * struct symbols - addresses with names
 * @file:	where they are from
 * @list:	struct symbol, ascending
 * @strings:	their names
 */
struct symbols {
	const char *file;
	struct vec list;
	struct groups strings;
};

/* enum symbol_kind - what an address is */
enum symbol_kind {
	SYMBOL_CODE,	/* in a function */
	SYMBOL_NO_CODE,	/* in the kernel's half, but in no function of the file */
	SYMBOL_USER,	/* not in the kernel's half */
};

int symbols_read(struct symbols *symbols, const char *file);
bool symbols_have(const struct symbols *symbols, const char *name);
enum symbol_kind symbols_name(const struct symbols *symbols, u64 addr, char text[SYMBOL_TEXT]);
void symbols_free(struct symbols *symbols);

#endif
