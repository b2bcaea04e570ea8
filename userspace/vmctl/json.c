// SPDX-License-Identifier: GPL-2.0-only
#include "json.h"

static void json_quote(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void json_key(struct json *json, const char *key)
{
	if (json->comma)
		fputs(", ", json->out);
	json->comma = true;
	if (key) {
		json_quote(json->out, key);
		fputs(": ", json->out);
	}
}

/**
 * json_open - begin an object or an array
 * @json:	where to
 * @key:	name in the enclosing object, or NULL
 * @bracket:	'{' or '['
 */
void json_open(struct json *json, const char *key, char bracket)
{
	json_key(json, key);
	fputc(bracket, json->out);
	json->comma = false;
}

/**
 * json_close - end what json_open() began
 * @json:	where to
 * @bracket:	'}' or ']'
 */
void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->out);
	json->comma = true;
}

/**
 * json_string - a string member
 * @json:	where to
 * @key:	name, or NULL in an array
 * @value:	text; control characters are escaped
 */
void json_string(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_quote(json->out, value);
}

/**
 * json_u64 - a whole number
 * @json:	where to
 * @key:	name, or NULL in an array
 * @value:	number
 */
void json_u64(struct json *json, const char *key, u64 value)
{
	json_key(json, key);
	fprintf(json->out, "%llu", value);
}

/**
 * json_number - a number that is text already
 * @json:	where to
 * @key:	name, or NULL in an array
 * @text:	number, as JSON writes it
 */
void json_number(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	fputs(text, json->out);
}

/**
 * json_fixed - a number with a fixed count of decimals
 * @json:	where to
 * @key:	name, or NULL in an array
 * @value:	finite number
 * @decimals:	digits after the point
 */
void json_fixed(struct json *json, const char *key, double value, int decimals)
{
	json_key(json, key);
	fprintf(json->out, "%.*f", decimals, value);
}

/**
 * json_null - nothing
 * @json:	where to
 * @key:	name, or NULL in an array
 */
void json_null(struct json *json, const char *key)
{
	json_key(json, key);
	fputs("null", json->out);
}

/**
 * json_bool - true or false
 * @json:	where to
 * @key:	name, or NULL in an array
 * @value:	truth
 */
void json_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	fputs(value ? "true" : "false", json->out);
}
