// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../msg.h"
#include "symbols.h"

#define KERNEL_HALF	0x8000000000000000ull

/* @code: it is a function; what others name ends one */
struct symbol {
	u64 addr;
	const char *name;
	bool code;
};

static int symbol_compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* "ffffffff81000000 T _text" and, of a module, "[name]" */
static bool symbols_line(struct symbols *symbols, const char *line)
{
	char type, name[256];
	struct symbol *s;
	u64 addr;

	if (sscanf(line, "%llx %c %255s", &addr, &type, name) != 3 || !isalpha(type))
		return false;
	if (addr < KERNEL_HALF)		/* of a CPU, or an absolute number */
		return true;
	s = vec_add(&symbols->list, sizeof(*s));
	s->addr = addr;
	s->name = groups_get(&symbols->strings, name)->key;
	s->code = strchr("tTwW", type);
	return true;
}

static int symbols_lines(struct symbols *symbols, FILE *in)
{
	unsigned int nr = 0;
	char line[512];

	while (fgets(line, sizeof(line), in))
		if (nr++, !symbols_line(symbols, line))
			return fail("%s: line %u is not of a System.map", symbols->file, nr);
	if (ferror(in))
		return fail("%s: %s", symbols->file, strerror(errno));
	if (symbols->list.nr > 1)
		return 0;
	return fail("%s: holds no addresses: take %s", symbols->file,
		    "linux-image-...-dbg's, or the guest's /proc/kallsyms, read as root");
}

/**
 * symbols_read - read a System.map
 * @symbols:	out; symbols_free() them, also after an error
 * @file:	the file
 *
 * Return: 0, or -1 with a message.
 */
int symbols_read(struct symbols *symbols, const char *file)
{
	FILE *in = fopen(file, "re");
	int err;

	*symbols = (struct symbols){ .file = file };
	if (!in)
		return fail("--system-map %s: %s", file, strerror(errno));
	err = symbols_lines(symbols, in);
	fclose(in);
	if (!err)
		qsort(symbols->list.at, symbols->list.nr, sizeof(struct symbol), symbol_compare);
	return err;
}

/**
 * symbols_have - is there a symbol of a name
 * @symbols:	symbols
 * @name:	its name
 *
 * Return: true if so.
 */
bool symbols_have(const struct symbols *symbols, const char *name)
{
	return groups_find(&symbols->strings, name);
}

/* the last symbol at or below an address */
static const struct symbol *symbols_below(const struct symbols *symbols, u64 addr)
{
	const struct symbol *list = symbols->list.at;
	size_t lo = 0, hi = symbols->list.nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (list[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &list[lo - 1] : NULL;
}

/* of several names of an address, one of a function */
static const struct symbol *symbols_code(const struct symbols *symbols, const struct symbol *s)
{
	const struct symbol *first = symbols->list.at, *at;

	for (at = s; at >= first && at->addr == s->addr; at--)
		if (at->code)
			return at;
	return NULL;
}

/**
 * symbols_name - name an address
 * @symbols:	symbols; none is fine
 * @addr:	linear address in the guest
 * @text:	out: function and offset, or ""
 *
 * Return: what it is.
 */
enum symbol_kind symbols_name(const struct symbols *symbols, u64 addr, char text[SYMBOL_TEXT])
{
	const struct symbol *s;

	*text = '\0';
	if (addr < KERNEL_HALF)
		return SYMBOL_USER;
	s = symbols_below(symbols, addr);
	s = s ? symbols_code(symbols, s) : NULL;
	/* the last one has no end: nothing is known beyond a function's reasonable size */
	if (!s || addr - s->addr >= 256 * KIB)
		return SYMBOL_NO_CODE;
	snprintf(text, SYMBOL_TEXT, "%.100s+0x%llx", s->name, addr - s->addr);
	return SYMBOL_CODE;
}

/**
 * symbols_free - forget them
 * @symbols:	from symbols_read(), or zeroed
 */
void symbols_free(struct symbols *symbols)
{
	vec_free(&symbols->list);
	groups_free(&symbols->strings);
}
