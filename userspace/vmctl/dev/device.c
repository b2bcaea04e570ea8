// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices that --device can add, by name.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../msg.h"
#include "device.h"
#include "testdev.h"

static const struct device_type types[] = {
	{ "testdev", TESTDEV_SIZE, TESTDEV_ADDR, testdev_create },
};

static const struct device_type *device_find(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].name) == len && !memcmp(types[i].name, name, len))
			return &types[i];
	return NULL;
}

static int device_unknown(const char *text)
{
	char all[128] = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		strcat(all, i ? ", " : "");
		strcat(all, types[i].name);
	}
	return fail("--device %s: not known: use %s", text, all);
}

static int device_parse_addr(const char *text, const char *number, u64 *addr)
{
	char *end;

	errno = 0;
	*addr = strtoull(number, &end, 0);
	if (!isdigit((unsigned char)*number) || *end || errno)
		return fail("--device %s: addr is not an address: write for example addr=0x%llx",
			    text, types[0].addr);
	if (*addr % GUEST_PAGE)
		return fail("--device %s: addr is not a multiple of 0x1000", text);
	return 0;
}

/**
 * device_parse - read the value of --device
 * @text:	NAME[,addr=ADDRESS]
 * @option:	out
 *
 * Return: 0, or -1 with a message.
 */
int device_parse(const char *text, struct device_option *option)
{
	size_t len = strcspn(text, ",");
	const char *rest = text + len;

	option->type = device_find(text, len);
	if (!option->type)
		return device_unknown(text);
	option->addr = option->type->addr;
	if (!*rest)
		return 0;
	if (strncmp(rest, ",addr=", 6))
		return fail("--device %s: '%s' is not known: write NAME,addr=ADDRESS", text,
			    rest + 1);
	return device_parse_addr(text, rest + 6, &option->addr);
}
