// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small assembler for ACPI machine language (ACPI 6.4, chapter 20).
 *
 * Blocks begin with a function that returns where they start and end with
 * aml_close(), which fills in their length.  Lengths take the two-byte form, so a
 * block holds at most 4095 bytes.
 */
#include <string.h>

#include "aml.h"

enum {
	AML_NAME	= 0x08,
	AML_BYTE	= 0x0a,
	AML_WORD	= 0x0b,
	AML_DWORD	= 0x0c,
	AML_STRING	= 0x0d,
	AML_SCOPE	= 0x10,
	AML_BUFFER	= 0x11,
	AML_PACKAGE	= 0x12,
	AML_EXTENDED	= 0x5b,
	AML_EXT_DEVICE	= 0x82,
};

#define LENGTH_BYTES		2
#define LENGTH_TWO_BYTES	0x40
#define BUFFER_SIZE_BYTES	3	/* a word constant */

static void aml_bytes(struct aml *aml, const void *bytes, size_t len)
{
	if (len > AML_MAX - aml->len) {
		aml->overflow = true;
		return;
	}
	memcpy(aml->buf + aml->len, bytes, len);
	aml->len += len;
}

static void aml_byte(struct aml *aml, u8 byte)
{
	aml_bytes(aml, &byte, 1);
}

static void aml_word(struct aml *aml, u16 val)
{
	aml_byte(aml, val);
	aml_byte(aml, val >> 8);
}

/* leaves room for the length of what follows */
static size_t aml_open(struct aml *aml)
{
	size_t start = aml->len;

	aml_word(aml, 0);
	return start;
}

/**
 * aml_close - end a block
 * @aml:	the code
 * @start:	what the function that began the block returned
 */
void aml_close(struct aml *aml, size_t start)
{
	size_t len = aml->len - start;

	if (aml->overflow)
		return;
	aml->buf[start] = LENGTH_TWO_BYTES | (len & 15);
	aml->buf[start + 1] = len >> 4;
}

/**
 * aml_scope - begin a Scope
 * @aml:	the code
 * @path:	encoded name string, for example "\\_SB_"
 *
 * Return: for aml_close().
 */
size_t aml_scope(struct aml *aml, const char *path)
{
	size_t start;

	aml_byte(aml, AML_SCOPE);
	start = aml_open(aml);
	aml_bytes(aml, path, strlen(path));
	return start;
}

/**
 * aml_device - begin a Device
 * @aml:	the code
 * @name:	four characters
 *
 * Return: for aml_close().
 */
size_t aml_device(struct aml *aml, const char *name)
{
	size_t start;

	aml_byte(aml, AML_EXTENDED);
	aml_byte(aml, AML_EXT_DEVICE);
	start = aml_open(aml);
	aml_bytes(aml, name, 4);
	return start;
}

static void aml_name(struct aml *aml, const char *name)
{
	aml_byte(aml, AML_NAME);
	aml_bytes(aml, name, 4);
}

/**
 * aml_package - begin a Package
 * @aml:	the code
 * @elements:	how many follow
 *
 * Return: for aml_close().
 */
size_t aml_package(struct aml *aml, u8 elements)
{
	size_t start;

	aml_byte(aml, AML_PACKAGE);
	start = aml_open(aml);
	aml_byte(aml, elements);
	return start;
}

/**
 * aml_name_package - begin a named Package
 * @aml:	the code
 * @name:	four characters
 * @elements:	how many follow
 *
 * Return: for aml_close().
 */
size_t aml_name_package(struct aml *aml, const char *name, u8 elements)
{
	aml_name(aml, name);
	return aml_package(aml, elements);
}

/**
 * aml_name_resources - begin a named ResourceTemplate
 * @aml:	the code
 * @name:	four characters
 *
 * Return: for aml_close_resources().
 */
size_t aml_name_resources(struct aml *aml, const char *name)
{
	size_t start;

	aml_name(aml, name);
	aml_byte(aml, AML_BUFFER);
	start = aml_open(aml);
	aml_byte(aml, AML_WORD);
	aml_word(aml, 0);	/* size of the buffer, filled in at the end */
	return start;
}

/**
 * aml_close_resources - end a ResourceTemplate
 * @aml:	the code
 * @start:	from aml_name_resources()
 */
void aml_close_resources(struct aml *aml, size_t start)
{
	size_t size_at = start + LENGTH_BYTES + 1, len;

	aml_byte(aml, 0x79);	/* end tag; checksum 0 is not looked at */
	aml_byte(aml, 0);
	len = aml->len - start - LENGTH_BYTES - BUFFER_SIZE_BYTES;
	if (aml->overflow)
		return;
	aml->buf[size_at] = len;
	aml->buf[size_at + 1] = len >> 8;
	aml_close(aml, start);
}

/**
 * aml_int - an integer constant in its shortest form
 * @aml:	the code
 * @val:	number
 */
void aml_int(struct aml *aml, u32 val)
{
	if (val <= 1) {
		aml_byte(aml, val);	/* ZeroOp, OneOp */
	} else if (val <= 0xff) {
		aml_byte(aml, AML_BYTE);
		aml_byte(aml, val);
	} else if (val <= 0xffff) {
		aml_byte(aml, AML_WORD);
		aml_word(aml, val);
	} else {
		aml_byte(aml, AML_DWORD);
		aml_word(aml, val);
		aml_word(aml, val >> 16);
	}
}

/**
 * aml_name_int - Name (@name, @val)
 * @aml:	the code
 * @name:	four characters
 * @val:	number
 */
void aml_name_int(struct aml *aml, const char *name, u32 val)
{
	aml_name(aml, name);
	aml_int(aml, val);
}

/**
 * aml_name_string - Name (@name, "@val")
 * @aml:	the code
 * @name:	four characters
 * @val:	ASCII
 */
void aml_name_string(struct aml *aml, const char *name, const char *val)
{
	aml_name(aml, name);
	aml_byte(aml, AML_STRING);
	aml_bytes(aml, val, strlen(val) + 1);
}

static unsigned int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/**
 * aml_name_eisa_id - Name (@name, EisaId ("@id"))
 * @aml:	the code
 * @name:	four characters
 * @id:		three capital letters and four hexadecimal digits, as PNP0501
 */
void aml_name_eisa_id(struct aml *aml, const char *name, const char *id)
{
	u16 letters = (id[0] & 31) << 10 | (id[1] & 31) << 5 | (id[2] & 31);

	aml_name(aml, name);
	aml_byte(aml, AML_DWORD);
	aml_byte(aml, letters >> 8);	/* big-endian, unlike all else here */
	aml_byte(aml, letters);
	aml_byte(aml, hex_digit(id[3]) << 4 | hex_digit(id[4]));
	aml_byte(aml, hex_digit(id[5]) << 4 | hex_digit(id[6]));
}

/**
 * aml_io - resource: IO (Decode16, @base, @base, 1, @len)
 * @aml:	the code, within a ResourceTemplate
 * @base:	first port
 * @len:	ports
 */
void aml_io(struct aml *aml, u16 base, u8 len)
{
	aml_byte(aml, 0x47);
	aml_byte(aml, 1);
	aml_word(aml, base);
	aml_word(aml, base);
	aml_byte(aml, 1);
	aml_byte(aml, len);
}

/**
 * aml_irq - resource: IRQNoFlags () {@line}, edge-triggered
 * @aml:	the code, within a ResourceTemplate
 * @line:	0 to 15
 */
void aml_irq(struct aml *aml, unsigned int line)
{
	aml_byte(aml, 0x22);
	aml_word(aml, BIT(line));
}

/* address space descriptors (ACPI 6.4, chapter 6.4.3.5): their type and flags */
enum {
	WINDOW_WORD		= 0x88,
	WINDOW_DWORD		= 0x87,
	WINDOW_MEMORY		= 0,
	WINDOW_IO		= 1,
	WINDOW_BUS		= 2,
	WINDOW_FIXED		= 0x0c,	/* both ends; the bridge passes it on, decodes it */
	WINDOW_ENTIRE		= 0x03,	/* ports: also those that only ISA devices have */
	WINDOW_READ_WRITE	= 0x01,	/* memory: not cached */
};

static void aml_window_head(struct aml *aml, u8 tag, u16 len, u8 type, u8 flags)
{
	aml_byte(aml, tag);
	aml_word(aml, len);
	aml_byte(aml, type);
	aml_byte(aml, WINDOW_FIXED);
	aml_byte(aml, flags);
}

static void aml_word_window(struct aml *aml, u8 type, u8 flags, u16 first, u16 last)
{
	aml_window_head(aml, WINDOW_WORD, 13, type, flags);
	aml_word(aml, 0);		/* granularity */
	aml_word(aml, first);
	aml_word(aml, last);
	aml_word(aml, 0);		/* translation */
	aml_word(aml, last - first + 1);
}

/**
 * aml_bus_window - resource: WordBusNumber from @first to @last
 * @aml:	the code, within a ResourceTemplate
 * @first: @last:	numbers of buses
 */
void aml_bus_window(struct aml *aml, u16 first, u16 last)
{
	aml_word_window(aml, WINDOW_BUS, 0, first, last);
}

/**
 * aml_io_window - resource: WordIO, ports that a bridge passes on
 * @aml:	the code, within a ResourceTemplate
 * @first: @last:	ports
 */
void aml_io_window(struct aml *aml, u16 first, u16 last)
{
	aml_word_window(aml, WINDOW_IO, WINDOW_ENTIRE, first, last);
}

static void aml_dword(struct aml *aml, u32 val)
{
	aml_word(aml, val);
	aml_word(aml, val >> 16);
}

/**
 * aml_memory_window - resource: DWordMemory, device memory that a bridge passes on
 * @aml:	the code, within a ResourceTemplate
 * @first: @last:	gpas
 */
void aml_memory_window(struct aml *aml, u32 first, u32 last)
{
	aml_window_head(aml, WINDOW_DWORD, 23, WINDOW_MEMORY, WINDOW_READ_WRITE);
	aml_dword(aml, 0);
	aml_dword(aml, first);
	aml_dword(aml, last);
	aml_dword(aml, 0);
	aml_dword(aml, last - first + 1);
}
