// SPDX-License-Identifier: GPL-2.0-only
/*
 * Picks the loader for a kernel file, and the parts that loaders share.
 */
#include <string.h>

#include "../msg.h"
#include "../size.h"
#include "loader.h"

/* the first that recognises the file has it */
static const struct loader *const loaders[] = {
	&bzimage_loader,
	&multiboot_loader,
	&pvh_loader,
};

static const struct loader *loader_find(const struct load *load)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loaders); i++)
		if (loaders[i]->probe(load))
			return loaders[i];
	return NULL;
}

static int load_opened(struct load *load, struct boot *boot)
{
	const struct loader *loader = loader_find(load);

	if (!loader)
		return fail("kernel %s: not a bzImage, ELF or multiboot file: give a kernel",
			    load->kernel.path);
	if (loader->load(load, boot))
		return -1;
	if (!memory_ptr(load->mem, boot->entry, 1))
		return fail("kernel %s: entry point 0x%llx is not in memory: copy it again",
			    load->kernel.path, boot->entry);
	return boot_tables(load, boot);
}

/**
 * load_guest - load kernel and modules
 * @load:	@cmdline, @modules, @nr_modules, @rsdp and @mem are set
 * @kernel:	path of the kernel
 * @boot:	out: state of the CPU
 *
 * Return: 0, or -1 with a message.
 */
int load_guest(struct load *load, const char *kernel, struct boot *boot)
{
	int err;

	memset(boot, 0, sizeof(*boot));
	layout_init(&load->layout, load->mem);
	err = image_open(&load->kernel, "kernel", kernel);
	if (!err)
		err = load_opened(load, boot);
	image_close(&load->kernel);
	return err;
}

static int segment_refused(const struct load *load, enum layout_result why, u64 gpa,
			   u64 size)
{
	char need[SIZE_TEXT], have[SIZE_TEXT];

	if (why == LAYOUT_FULL)
		return fail("kernel %s: too many segments: copy it again",
			    load->kernel.path);
	if (why == LAYOUT_OVERLAP)
		return fail("kernel %s: 0x%llx is taken by firmware or twice: link it elsewhere",
			    load->kernel.path, gpa);
	return fail("kernel %s: %s at 0x%llx do not fit in %s of memory: use a larger --mem",
		    load->kernel.path, size_text(size, need), gpa,
		    size_text(load->mem->size, have));
}

/**
 * load_segment - put a part of the kernel file where the file wants it
 * @load:	the loading
 * @offset:	where it is in the file
 * @gpa:	where it goes
 * @file_size:	bytes from the file; the rest is zero
 * @mem_size:	bytes in memory, at least @file_size
 *
 * Return: 0, or -1 with a message.
 */
int load_segment(struct load *load, u64 offset, u64 gpa, u64 file_size, u64 mem_size)
{
	enum layout_result result;

	if (!mem_size)
		return 0;
	result = layout_claim(&load->layout, gpa, mem_size);
	if (result != LAYOUT_OK)
		return segment_refused(load, result, gpa, mem_size);
	if (!file_size)
		return 0;	/* guest memory is zero from the start */
	return image_read(&load->kernel, offset, memory_ptr(load->mem, gpa, file_size),
			  file_size);
}

/**
 * load_blob - put something small for the kernel in low memory
 * @load:	the loading
 * @data:	the bytes, or NULL for zeroes
 * @size:	how many
 *
 * Return: its gpa, page-aligned and below 4 GiB, or 0 with a message.
 */
u64 load_blob(struct load *load, const void *data, u64 size)
{
	u64 gpa = layout_find(&load->layout, size, GUEST_PAGE, 0, UINT32_MAX,
			      LAYOUT_LOWEST);

	if (!gpa)
		fail("no room in memory for the boot data: use a larger --mem");
	else if (data)
		memcpy(memory_ptr(load->mem, gpa, size), data, size);
	return gpa;
}

/**
 * load_cmdline - put the kernel's command line in low memory
 * @load:	the loading
 * @prefix:	first word, or NULL
 * @max:	bytes that the kernel takes, with the final zero
 *
 * Return: its gpa, or 0 with a message.
 */
u64 load_cmdline(struct load *load, const char *prefix, u64 max)
{
	size_t first = prefix ? strlen(prefix) + 1 : 0;
	size_t len = first + strlen(load->cmdline) + 1;
	char *to;
	u64 gpa;

	if (len > max) {
		fail("the command line has %zu bytes, the kernel takes %llu: shorten --append",
		     len - 1, max - 1);
		return 0;
	}
	gpa = load_blob(load, NULL, len);
	if (!gpa)
		return 0;
	to = memory_ptr(load->mem, gpa, len);
	if (prefix) {
		memcpy(to, prefix, first - 1);
		to[first - 1] = ' ';
	}
	memcpy(to + first, load->cmdline, len - first);
	return gpa;
}

static int initrd_refused(const struct load *load, const char *path, u64 size)
{
	char need[SIZE_TEXT], have[SIZE_TEXT];

	return fail("initrd %s: %s do not fit in %s of memory: use a larger --mem", path,
		    size_text(size, need), size_text(load->mem->size, have));
}

/**
 * load_module - put one module in memory, page-aligned below 4 GiB
 * @load:	the loading
 * @path:	file
 * @module:	out
 *
 * Return: 0, or -1 with a message.
 */
int load_module(struct load *load, const char *path, struct module *module)
{
	struct image image;
	int err = image_open(&image, "initrd", path);

	if (!err) {
		module->size = image.size;
		module->gpa = layout_find(&load->layout, image.size, GUEST_PAGE, MEM_HIGH,
					  UINT32_MAX, LAYOUT_HIGHEST);
		if (module->gpa)
			err = image_read(&image, 0,
					 memory_ptr(load->mem, module->gpa, image.size),
					 image.size);
		else
			err = initrd_refused(load, path, image.size);
	}
	image_close(&image);
	return err;
}

#define INITRD_PAD	4	/* archives in one initrd begin at multiples of this */

static int initrd_total(const struct load *load, u64 *total)
{
	struct image image;
	unsigned int i;
	int err = 0;

	*total = 0;
	for (i = 0; !err && i < load->nr_modules; i++) {
		err = image_open(&image, "initrd", load->modules[i]);
		if (!err)
			*total += align_up(image.size, INITRD_PAD);
		image_close(&image);
	}
	return err;
}

static int initrd_read(const struct load *load, const char *path, u64 *gpa, u64 end)
{
	struct image image;
	int err = image_open(&image, "initrd", path);

	if (!err && image.size > end - *gpa)
		err = fail("initrd %s: became longer meanwhile", path);
	if (!err)
		err = image_read(&image, 0, memory_ptr(load->mem, *gpa, image.size),
				 image.size);
	*gpa += align_up(image.size, INITRD_PAD);
	image_close(&image);
	return err;
}

/**
 * load_initrd - put all initrds in memory, one after the other, as high as may be
 * @load:	the loading
 * @limit:	first gpa not allowed
 * @initrd:	out: size 0 when there is none
 *
 * Linux unpacks archives that follow each other into one root file system.
 *
 * Return: 0, or -1 with a message.
 */
int load_initrd(struct load *load, u64 limit, struct module *initrd)
{
	unsigned int i;
	u64 gpa, end;

	initrd->gpa = 0;
	if (initrd_total(load, &initrd->size))
		return -1;
	if (!initrd->size)
		return 0;
	gpa = layout_find(&load->layout, initrd->size, GUEST_PAGE, MEM_HIGH, limit,
			  LAYOUT_HIGHEST);
	if (!gpa)
		return initrd_refused(load, load->modules[0], initrd->size);
	initrd->gpa = gpa;
	end = gpa + initrd->size;
	for (i = 0; i < load->nr_modules; i++)
		if (initrd_read(load, load->modules[i], &gpa, end))
			return -1;
	return 0;
}
