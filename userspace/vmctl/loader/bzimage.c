// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux bzImage, by the 64-bit boot protocol, or the 32-bit one where the file has
 * no 64-bit entry.  See the boot protocol in the kernel's documentation (x86/boot).
 */
#include <string.h>

#include <asm/bootparam.h>

#include "../msg.h"
#include "../size.h"
#include "loader.h"

#define HEADER_AT		offsetof(struct boot_params, hdr)
#define HEADER_MAGIC		0x53726448	/* "HdrS" */
#define BOOT_FLAG		0xaa55
#define SECTOR			512
#define PROTOCOL_OLDEST		0x0206		/* cmdline_size */
#define PROTOCOL_INIT_SIZE	0x020a		/* pref_address, init_size */
#define PROTOCOL_XLOADFLAGS	0x020c
#define ENTRY_64		0x200
#define LOADER_UNKNOWN		0xff
#define VGA_NORMAL		0xffff

static void bzimage_header(const struct load *load, struct setup_header *hdr)
{
	memcpy(hdr, load->kernel.head + HEADER_AT, sizeof(*hdr));
}

static bool bzimage_probe(const struct load *load)
{
	struct setup_header hdr;

	bzimage_header(load, &hdr);
	return hdr.boot_flag == BOOT_FLAG && hdr.header == HEADER_MAGIC;
}

static u64 bzimage_payload(const struct setup_header *hdr)
{
	return ((hdr->setup_sects ? hdr->setup_sects : 4) + 1) * SECTOR;
}

static int bzimage_check(const struct load *load, const struct setup_header *hdr)
{
	const char *path = load->kernel.path;
	u64 want = bzimage_payload(hdr) + (u64)hdr->syssize * 16;
	/* the last paragraph of 16 bytes need not be whole */
	u64 have = align_up(load->kernel.size, 16);

	if (hdr->version < PROTOCOL_OLDEST)
		return fail("kernel %s: boot protocol %u.%02u: use Linux 2.6.22 or later",
			    path, hdr->version >> 8, hdr->version & 0xff);
	if (!(hdr->loadflags & LOADED_HIGH))
		return fail("kernel %s: a zImage for low memory: build a bzImage", path);
	if (!hdr->syssize)
		return fail("kernel %s: no kernel behind its header: copy it again", path);
	if (have < want)
		return fail("kernel %s: truncated: %llu bytes of %llu: copy it again", path,
			    load->kernel.size,
			    want);
	return 0;
}

static bool bzimage_is_64bit(const struct setup_header *hdr)
{
	return hdr->version >= PROTOCOL_XLOADFLAGS && (hdr->xloadflags & XLF_KERNEL_64);
}

/* where to put the kernel so that all it needs before it has memory of its own fits */
static u64 bzimage_place(struct load *load, const struct setup_header *hdr, u64 size)
{
	bool modern = hdr->version >= PROTOCOL_INIT_SIZE;
	u64 want = modern ? hdr->pref_address : MEM_HIGH;
	u64 align = hdr->kernel_alignment;

	if (layout_claim(&load->layout, want, size) == LAYOUT_OK)
		return want;
	if (!hdr->relocatable_kernel || !align || (align & (align - 1)))
		return 0;
	return layout_find(&load->layout, size, align, MEM_HIGH, UINT32_MAX,
			   LAYOUT_LOWEST);
}

static u64 bzimage_load_kernel(struct load *load, const struct setup_header *hdr)
{
	u64 offset = bzimage_payload(hdr), file_size = load->kernel.size - offset;
	u64 size = file_size, gpa;
	char need[SIZE_TEXT], have[SIZE_TEXT];

	if (hdr->version >= PROTOCOL_INIT_SIZE)
		size = max_u64(size, hdr->init_size);
	gpa = bzimage_place(load, hdr, size);
	if (!gpa) {
		fail("kernel %s: needs %s, memory is %s: use a larger --mem",
		     load->kernel.path, size_text(size, need),
		     size_text(load->mem->size, have));
		return 0;
	}
	if (image_read(&load->kernel, offset, memory_ptr(load->mem, gpa, file_size),
		       file_size))
		return 0;
	return gpa;
}

static void bzimage_memory_map(const struct load *load, struct boot_params *params)
{
	struct mem_range map[MEM_MAP_MAX];
	unsigned int i, nr = memory_map(load->mem, map);

	for (i = 0; i < nr; i++) {
		params->e820_table[i].addr = map[i].gpa;
		params->e820_table[i].size = map[i].size;
		params->e820_table[i].type = map[i].kind;
	}
	params->e820_entries = nr;
	params->alt_mem_k = (load->mem->low - MEM_HIGH) / KIB;
}

/* the part of the file's header that its own length field covers */
static void bzimage_copy_header(const struct load *load, struct boot_params *params)
{
	size_t end = 0x202 + load->kernel.head[0x201];
	size_t len = end > HEADER_AT ? end - HEADER_AT : 0;

	memcpy(&params->hdr, load->kernel.head + HEADER_AT,
	       min_u64(len, sizeof(params->hdr)));
}

static int bzimage_params(struct load *load, struct boot_params *params, u64 kernel)
{
	struct setup_header *hdr = &params->hdr;
	u64 initrd_max = hdr->initrd_addr_max ? hdr->initrd_addr_max : 0x37ffffff;
	u64 cmdline_max = hdr->cmdline_size ? hdr->cmdline_size : 255;
	struct module initrd;

	bzimage_memory_map(load, params);
	if (load_initrd(load, initrd_max + 1, &initrd))
		return -1;
	hdr->ramdisk_image = initrd.gpa;
	hdr->ramdisk_size = initrd.size;
	hdr->cmd_line_ptr = load_cmdline(load, NULL, cmdline_max + 1);
	if (!hdr->cmd_line_ptr)
		return -1;
	hdr->type_of_loader = LOADER_UNKNOWN;
	hdr->vid_mode = VGA_NORMAL;
	hdr->code32_start = kernel;
	hdr->setup_data = 0;
	params->acpi_rsdp_addr = load->rsdp;
	return 0;
}

static int bzimage_load(struct load *load, struct boot *boot)
{
	struct boot_params params = { 0 };
	struct setup_header hdr;
	u64 kernel;

	bzimage_header(load, &hdr);
	if (bzimage_check(load, &hdr))
		return -1;
	kernel = bzimage_load_kernel(load, &hdr);
	if (!kernel)
		return -1;
	bzimage_copy_header(load, &params);
	if (bzimage_params(load, &params, kernel))
		return -1;
	boot->rsi = load_blob(load, &params, sizeof(params));
	if (!boot->rsi)
		return -1;
	boot->mode = bzimage_is_64bit(&hdr) ? BOOT_LONG : BOOT_PROTECTED;
	boot->entry = kernel + (boot->mode == BOOT_LONG ? ENTRY_64 : 0);
	return 0;
}

const struct loader bzimage_loader = {
	.name	= "bzImage",
	.probe	= bzimage_probe,
	.load	= bzimage_load,
};
