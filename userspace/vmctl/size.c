// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes as people write them: 65536, 64K, 512M, 3G, 1T (powers of 1024).
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

static const char units[] = "KMGT";

/**
 * size_parse - read a size
 * @text:	digits and at most one unit letter, in either case
 * @bytes:	out: the size; not touched on error
 *
 * Return: 0, or -1 when @text is no size or does not fit 63 bits.
 */
int size_parse(const char *text, u64 *bytes)
{
	const char *unit;
	u64 value = 0, digit;

	if (!isdigit((unsigned char)*text))
		return -1;
	for (; isdigit((unsigned char)*text); text++) {
		digit = *text - '0';
		if (value > (INT64_MAX - digit) / 10)
			return -1;
		value = value * 10 + digit;
	}
	if (*text) {
		unit = strchr(units, toupper((unsigned char)*text));
		if (!unit || text[1])
			return -1;
		for (; unit >= units; unit--) {
			if (value > INT64_MAX / 1024)
				return -1;
			value *= 1024;
		}
	}
	*bytes = value;
	return 0;
}

/**
 * size_text - write a size the way size_parse() reads it
 * @bytes:	the size
 * @text:	out: with the largest unit that leaves at least 1, rounded down to
 *		one decimal
 *
 * Return: @text.
 */
const char *size_text(u64 bytes, char text[SIZE_TEXT])
{
	unsigned int tenths;
	int shift = 0;

	while (shift < 40 && bytes >> (shift + 10))
		shift += 10;
	tenths = shift ? (bytes >> (shift - 10)) % 1024 * 10 / 1024 : 0;
	if (tenths)
		snprintf(text, SIZE_TEXT, "%u.%u%c", (unsigned int)(bytes >> shift),
			 tenths, units[shift / 10 - 1]);
	else
		snprintf(text, SIZE_TEXT, "%llu%.1s",
			 (bytes >> shift),
			 shift ? &units[shift / 10 - 1] : "");
	return text;
}
