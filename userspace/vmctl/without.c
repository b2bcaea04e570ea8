// SPDX-License-Identifier: GPL-2.0-only
/*
 * The optimisations of the module by name, as --without takes them.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/mhv.h>

#include "msg.h"
#include "without.h"

static const char *const option_names[MHV_OPT_COUNT] = {
	[MHV_OPT_VCPU_CACHE]	= "vcpu-cache",
	[MHV_OPT_MMIO_SPTE]	= "mmio-spte",
	[MHV_OPT_DECODE_CACHE]	= "decode-cache",
	[MHV_OPT_REGFILE]	= "regfile",
	[MHV_OPT_POSTED]	= "posted",
	[MHV_OPT_EVENTFD]	= "eventfd",
	[MHV_OPT_UNSYNC]	= "unsync",
	[MHV_OPT_PREFETCH]	= "prefetch",
};

/**
 * without_name - what users call an optimisation
 * @option:	enum mhv_opt
 *
 * Return: a constant string.
 */
const char *without_name(unsigned int option)
{
	return option_names[option];
}

static int option_unknown(const char *name)
{
	char all[128] = "";
	unsigned int i;

	for (i = 0; i < MHV_OPT_COUNT; i++) {
		strcat(all, i ? ", " : "");
		strcat(all, option_names[i]);
	}
	return fail("--without %s: not known: use %s", name, all);
}

static int option_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < MHV_OPT_COUNT; i++)
		if (!strcmp(name, option_names[i]))
			return i;
	return option_unknown(name);
}

/**
 * without_parse - read the value of --without
 * @text:	NAME or NAME,NAME
 * @disabled:	bits of enum mhv_opt are added
 *
 * Return: 0, or -1 with a message.
 */
int without_parse(const char *text, u64 *disabled)
{
	char *copy = strdup(text), *rest = copy, *name;
	int option = 0;

	if (!copy)
		return fail("out of memory");
	while (option >= 0 && (name = strsep(&rest, ","))) {
		option = option_find(name);
		if (option >= 0)
			*disabled |= 1ull << option;
	}
	free(copy);
	return option < 0 ? -1 : 0;
}
