/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_AML_H
#define VMCTL_AML_H

#include "../types.h"

#define AML_MAX		4096

/**
 * struct aml - ACPI machine language under construction
 * @len:	bytes so far
 * @overflow:	more was added than there is room for
 * @buf:	the bytes
 */
struct aml {
	size_t len;
	bool overflow;
	u8 buf[AML_MAX];
};

size_t aml_scope(struct aml *aml, const char *path);
size_t aml_device(struct aml *aml, const char *name);
size_t aml_name_package(struct aml *aml, const char *name, u8 elements);
size_t aml_package(struct aml *aml, u8 elements);
size_t aml_name_resources(struct aml *aml, const char *name);
void aml_close(struct aml *aml, size_t start);
void aml_close_resources(struct aml *aml, size_t start);

void aml_int(struct aml *aml, u32 val);
void aml_name_int(struct aml *aml, const char *name, u32 val);
void aml_name_string(struct aml *aml, const char *name, const char *val);
void aml_name_eisa_id(struct aml *aml, const char *name, const char *id);
void aml_io(struct aml *aml, u16 base, u8 len);
void aml_irq(struct aml *aml, unsigned int line);
void aml_bus_window(struct aml *aml, u16 first, u16 last);
void aml_io_window(struct aml *aml, u16 first, u16 last);
void aml_memory_window(struct aml *aml, u32 first, u32 last);

#endif
