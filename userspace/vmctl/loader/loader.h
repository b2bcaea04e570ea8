/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loaders: bring a kernel file and its modules into guest memory and say in which
 * state the CPU starts.  Files and everything in them are hostile.
 */
#ifndef VMCTL_LOADER_H
#define VMCTL_LOADER_H

#include "../memory.h"

#define IMAGE_HEAD	8192
#define MODULES_MAX	32

/**
 * struct image - a file to load from
 * @what:	"kernel" or "initrd", for messages
 * @path:	as the user gave it
 * @fd:		open for reading
 * @size:	bytes
 * @head:	first bytes of the file, zeroes past its end
 */
struct image {
	const char *what, *path;
	int fd;
	u64 size;
	u8 head[IMAGE_HEAD];
};

int image_open(struct image *image, const char *what, const char *path);
void image_close(struct image *image);
int image_read(const struct image *image, u64 offset, void *to, u64 len);

/* one range of guest memory that is spoken for: [@gpa, @end) */
struct layout_range {
	u64 gpa, end;
};

#define LAYOUT_MAX	160

/**
 * struct layout - who has which part of guest memory
 * @mem:	guest RAM
 * @nr:		ranges in use
 * @used:	in no order
 */
struct layout {
	const struct memory *mem;
	unsigned int nr;
	struct layout_range used[LAYOUT_MAX];
};

enum layout_result {
	LAYOUT_OK,
	LAYOUT_NO_RAM,		/* not all of it is RAM */
	LAYOUT_OVERLAP,
	LAYOUT_FULL,		/* more ranges than any sane file has */
};

enum layout_side { LAYOUT_LOWEST, LAYOUT_HIGHEST };

void layout_init(struct layout *layout, const struct memory *mem);
enum layout_result layout_claim(struct layout *layout, u64 gpa, u64 size);
u64 layout_find(struct layout *layout, u64 size, u64 align, u64 from, u64 to,
		enum layout_side side);

enum boot_mode {
	BOOT_PROTECTED,		/* 32 bits, flat segments, paging off */
	BOOT_LONG,		/* 64 bits, first 4 GiB mapped to themselves */
};

/**
 * struct boot - the CPU's state at the kernel's first instruction
 * @mode:	CPU mode
 * @entry:	address of that instruction
 * @rax: @rbx: @rsi: what the boot protocol passes
 * @gdt:	gpa of the descriptor table that boot_gdt() wrote
 * @cr3:	BOOT_LONG: gpa of the top-level page table
 */
struct boot {
	enum boot_mode mode;
	u64 entry;
	u64 rax, rbx, rsi;
	u64 gdt, cr3;
};

/**
 * struct load - one loading: what the user wants and how far it is
 * @kernel:	opened kernel file
 * @cmdline:	never NULL
 * @modules:	paths of initrds or modules
 * @nr_modules:	how many
 * @rsdp:	gpa of the ACPI root pointer
 * @mem:	guest RAM
 * @layout:	of that RAM
 */
struct load {
	struct image kernel;
	const char *cmdline;
	const char *const *modules;
	unsigned int nr_modules;
	u64 rsdp;
	const struct memory *mem;
	struct layout layout;
};

/**
 * struct loader - one kind of kernel file
 * @name:	for messages
 * @probe:	does @load->kernel look like one; no message
 * @load:	put it into memory; 0, or -1 with a message
 */
struct loader {
	const char *name;
	bool (*probe)(const struct load *load);
	int (*load)(struct load *load, struct boot *boot);
};

extern const struct loader bzimage_loader, multiboot_loader, pvh_loader;

int load_guest(struct load *load, const char *kernel, struct boot *boot);

/* parts that several loaders use */

/* where an initrd or a module went */
struct module {
	u64 gpa, size;
};

int load_segment(struct load *load, u64 offset, u64 gpa, u64 file_size, u64 mem_size);
int load_initrd(struct load *load, u64 limit, struct module *initrd);
int load_module(struct load *load, const char *path, struct module *module);
u64 load_blob(struct load *load, const void *data, u64 size);
u64 load_cmdline(struct load *load, const char *prefix, u64 max);

/* elf.c: either class, little-endian, x86 */
bool elf_probe(const struct load *load);
int elf_load(struct load *load, u64 *entry);
int elf_pvh_entry(const struct load *load, u64 *entry);

/* multiboot.c */
bool multiboot_probe(const struct load *load);

/* state.c */
#define BOOT_CS		0x10
#define BOOT_DS		0x18
#define BOOT_TR		0x20

int boot_tables(struct load *load, struct boot *boot);

#endif
