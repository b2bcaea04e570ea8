/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Just enough to print JSON: keys, commas and escapes.  A key of NULL makes an
 * array element.
 */
#ifndef VMCTL_JSON_H
#define VMCTL_JSON_H

#include <stdio.h>

#include "types.h"

struct json {
	FILE *out;
	bool comma;	/* the next item needs a comma before it */
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *value);
void json_u64(struct json *json, const char *key, u64 value);
void json_number(struct json *json, const char *key, const char *text);
void json_fixed(struct json *json, const char *key, double value, int decimals);
void json_null(struct json *json, const char *key);
void json_bool(struct json *json, const char *key, bool value);

#endif
