// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Multiboot Specification, version 0.6.96: ELF files and files that give their
 * load addresses in the header.
 */
#include <string.h>

#include "../msg.h"
#include "loader.h"

#define HEADER_MAGIC		0x1badb002
#define BOOT_MAGIC		0x2badb002

#define HEADER_PAGE_ALIGN	BIT(0)
#define HEADER_MEMORY		BIT(1)
#define HEADER_VIDEO		BIT(2)	/* a wish: we have no screen to set up */
#define HEADER_MUST_KNOW	0xffff
#define HEADER_KNOWN		(HEADER_PAGE_ALIGN | HEADER_MEMORY | HEADER_VIDEO)
#define HEADER_ADDRESSES	BIT(16)

#define INFO_MEMORY		BIT(0)
#define INFO_CMDLINE		BIT(2)
#define INFO_MODULES		BIT(3)
#define INFO_MEMORY_MAP		BIT(6)
#define INFO_LOADER		BIT(9)

#define CMDLINE_MAX		65536

struct multiboot_header {
	u32 magic, flags, checksum;
	u32 header, load, load_end, bss_end, entry;
};

struct multiboot_info {
	u32 flags;
	u32 mem_lower, mem_upper;	/* KiB */
	u32 boot_device;
	u32 cmdline;
	u32 nr_modules, modules;
	u32 symbols[4];
	u32 map_length, map;
	u32 drives_length, drives;
	u32 config, loader_name, apm;
};

struct multiboot_module {
	u32 start, end, string, reserved;
};

struct multiboot_memory {
	u32 size;		/* of what follows */
	u64 gpa, len;
	u32 type;
} __packed;

/* offset of the header in the file; -1 when there is none */
static int multiboot_find(const struct load *load, struct multiboot_header *header)
{
	u64 end = min_u64(load->kernel.size, IMAGE_HEAD);
	u64 at, len;

	for (at = 0; at + 12 <= end; at += 4) {
		len = min_u64(sizeof(*header), end - at);
		memset(header, 0, sizeof(*header));
		memcpy(header, load->kernel.head + at, len);
		if (header->magic != HEADER_MAGIC ||
		    header->magic + header->flags + header->checksum != 0)
			continue;
		if (!(header->flags & HEADER_ADDRESSES) || len == sizeof(*header))
			return at;
	}
	return -1;
}

/**
 * multiboot_probe - has the kernel a multiboot header
 * @load:	the loading
 *
 * Return: true when it has.
 */
bool multiboot_probe(const struct load *load)
{
	struct multiboot_header header;

	return multiboot_find(load, &header) >= 0;
}

/* the addresses in the header say what part of the file goes where */
static int multiboot_load_flat(struct load *load, const struct multiboot_header *header,
			       u64 header_at)
{
	u64 before = header->header - header->load;	/* file bytes before the header */
	u64 offset, len, mem_len;

	if (header->header < header->load || before > header_at ||
	    (header->load_end && header->load_end < header->load) ||
	    (header->bss_end && header->bss_end < header->load))
		return fail("kernel %s: addresses in its header make no sense: link it again",
			    load->kernel.path);
	offset = header_at - before;
	len = header->load_end ? header->load_end - header->load :
				 load->kernel.size - offset;
	mem_len = header->bss_end ? header->bss_end - header->load : 0;
	return load_segment(load, offset, header->load, len, max_u64(len, mem_len));
}

static int multiboot_load_kernel(struct load *load, u64 *entry)
{
	struct multiboot_header header;
	int at = multiboot_find(load, &header);

	if (header.flags & HEADER_MUST_KNOW & ~HEADER_KNOWN)
		return fail("kernel %s: needs multiboot features 0x%x: vmctl lacks them",
			    load->kernel.path,
			    header.flags & HEADER_MUST_KNOW & ~HEADER_KNOWN);
	if (header.flags & HEADER_ADDRESSES) {
		*entry = header.entry;
		return multiboot_load_flat(load, &header, at);
	}
	if (!elf_probe(load))
		return fail("kernel %s: multiboot, neither ELF nor load addresses: link it again",
			    load->kernel.path);
	return elf_load(load, entry);
}

static int multiboot_modules(struct load *load, struct multiboot_info *info)
{
	struct multiboot_module to[MODULES_MAX] = { 0 };
	const char *path;
	struct module module;
	unsigned int i;

	for (i = 0; i < load->nr_modules; i++) {
		path = load->modules[i];
		if (load_module(load, path, &module))
			return -1;
		to[i].start = module.gpa;
		to[i].end = module.gpa + module.size;
		to[i].string = load_blob(load, path, strlen(path) + 1);
		if (!to[i].string)
			return -1;
	}
	info->flags |= INFO_MODULES;
	info->nr_modules = load->nr_modules;
	if (load->nr_modules)
		info->modules = load_blob(load, to, load->nr_modules * sizeof(to[0]));
	return !load->nr_modules || info->modules ? 0 : -1;
}

static int multiboot_memory_map(struct load *load, struct multiboot_info *info)
{
	struct multiboot_memory to[MEM_MAP_MAX] = { 0 };
	struct mem_range map[MEM_MAP_MAX];
	unsigned int i, nr = memory_map(load->mem, map);

	for (i = 0; i < nr; i++) {
		to[i].size = sizeof(to[i]) - sizeof(to[i].size);
		to[i].gpa = map[i].gpa;
		to[i].len = map[i].size;
		to[i].type = map[i].kind;
	}
	info->flags |= INFO_MEMORY | INFO_MEMORY_MAP;
	info->mem_lower = MEM_EBDA / KIB;
	info->mem_upper = (load->mem->low - MEM_HIGH) / KIB;
	info->map_length = nr * sizeof(to[0]);
	info->map = load_blob(load, to, info->map_length);
	return info->map ? 0 : -1;
}

static int multiboot_load(struct load *load, struct boot *boot)
{
	static const char loader_name[] = "vmctl";
	struct multiboot_info info = { 0 };

	if (multiboot_load_kernel(load, &boot->entry) ||
	    multiboot_modules(load, &info) || multiboot_memory_map(load, &info))
		return -1;
	info.flags |= INFO_CMDLINE | INFO_LOADER;
	/* kernels expect the name of their file first, as GRUB legacy gives it */
	info.cmdline = load_cmdline(load, load->kernel.path, CMDLINE_MAX);
	info.loader_name = load_blob(load, loader_name, sizeof(loader_name));
	if (!info.cmdline || !info.loader_name)
		return -1;
	boot->mode = BOOT_PROTECTED;
	boot->rax = BOOT_MAGIC;
	boot->rbx = load_blob(load, &info, sizeof(info));
	return boot->rbx ? 0 : -1;
}

const struct loader multiboot_loader = {
	.name	= "multiboot",
	.probe	= multiboot_probe,
	.load	= multiboot_load,
};
