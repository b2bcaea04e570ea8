// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make what the boot sector (boot.S) needs to start a kernel whose pieces the
 * emulator has placed in RAM.
 *
 *   mkboot flat VMLINUX OUT
 *       lay out the ELF kernel as it must lie in RAM from LOAD_ADDR on
 *   mkboot disk LOADER BZIMAGE VMLINUX FLAT INITRD MEM_MIB CMDLINE OUT
 *       write the boot disk: loader, real-mode part, kernel, initramfs
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot.h"

#define LOAD_ADDR	0x1000000UL	/* CONFIG_PHYSICAL_START of Debian */
#define TOP_RESERVE	(2UL * 1024 * 1024)	/* ACPI tables lie at the top */

/* Offsets in the kernel's setup header (its boot protocol documentation). */
enum setup_offset {
	SETUP_SECTS	= 0x1f1,
	HEADER_MAGIC	= 0x202,
	TYPE_OF_LOADER	= 0x210,
	LOADFLAGS	= 0x211,
	CODE32_START	= 0x214,
	RAMDISK_IMAGE	= 0x218,
	RAMDISK_SIZE	= 0x21c,
	HEAP_END_PTR	= 0x224,
	CMD_LINE_PTR	= 0x228,
};

struct file {
	const char *name;
	uint8_t *data;
	size_t size;
};

static struct file map_file(const char *name)
{
	struct file f = { .name = name };
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", name);
	f.size = st.st_size;
	if (!f.size)
		errx(1, "%s: empty", name);
	f.data = mmap(NULL, f.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (f.data == MAP_FAILED)
		err(1, "%s", name);
	close(fd);
	return f;
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static const Elf64_Ehdr *elf_header(const struct file *f)
{
	const Elf64_Ehdr *eh = (const void *)f->data;

	if (f->size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_phoff + eh->e_phnum * sizeof(Elf64_Phdr) > f->size)
		errx(1, "%s: not a 64-bit ELF kernel", f->name);
	return eh;
}

/* The loadable segments, one after the other; NULL ends them. */
static const Elf64_Phdr *next_load(const struct file *f, const Elf64_Phdr *ph)
{
	const Elf64_Ehdr *eh = elf_header(f);
	const Elf64_Phdr *first = (const void *)(f->data + eh->e_phoff);

	for (ph = ph ? ph + 1 : first; ph < first + eh->e_phnum; ph++) {
		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_paddr < LOAD_ADDR ||
		    ph->p_offset + ph->p_filesz > f->size)
			errx(1, "%s: segment outside file or RAM", f->name);
		return ph;
	}
	return NULL;
}

static void flatten(const char *vmlinux, const char *out)
{
	struct file f = map_file(vmlinux);
	const Elf64_Phdr *ph = NULL;
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s", out);
	while ((ph = next_load(&f, ph))) {
		if (pwrite(fd, f.data + ph->p_offset, ph->p_filesz,
			   ph->p_paddr - LOAD_ADDR) != (ssize_t)ph->p_filesz)
			err(1, "%s", out);
	}
	if (close(fd))
		err(1, "%s", out);
}

static uint64_t kernel_end(const struct file *f)
{
	const Elf64_Phdr *ph = NULL;
	uint64_t end = 0;

	while ((ph = next_load(f, ph))) {
		if (ph->p_paddr + ph->p_memsz > end)
			end = ph->p_paddr + ph->p_memsz;
	}
	return end;
}

static uint32_t place_initrd(const struct file *vmlinux, uint64_t size,
			     uint64_t mem)
{
	uint64_t room = mem - TOP_RESERVE, end = kernel_end(vmlinux);

	if (mem < TOP_RESERVE || room < end || room - end < size)
		errx(1, "%lu MiB of RAM hold not both the kernel and %lu MiB of files: raise --mem",
		     mem >> 20, size >> 20);
	return (room - size) & ~0xfffUL;
}

/* Copy f to the disk at the next free sector; it is to be loaded at addr. */
static struct boot_extent append(int fd, const char *out, const struct file *f,
				 uint32_t lba, uint32_t addr)
{
	size_t done = 0;
	ssize_t n;

	for (; done < f->size; done += n) {
		n = pwrite(fd, f->data + done, f->size - done,
			   (off_t)lba * 512 + done);
		if (n <= 0)
			err(1, "%s", out);
	}
	return (struct boot_extent) {
		.lba = lba, .sectors = (f->size + 511) / 512, .addr = addr,
	};
}

/* Fill in the real-mode part as a boot loader does. */
static void prepare_setup(uint8_t *setup, const struct file *bz,
			  const struct boot_info *info, uint32_t initrd_size,
			  const char *cmdline)
{
	size_t bytes = 0;

	if (bz->size > HEADER_MAGIC + 4 &&
	    !memcmp(bz->data + HEADER_MAGIC, "HdrS", 4))
		bytes = (bz->data[SETUP_SECTS] + 1) * 512;
	if (!bytes || bytes > bz->size || bytes > CMDLINE_OFF - 0x2000)
		errx(1, "%s: not a bzImage", bz->name);
	if (strlen(cmdline) >= CMDLINE_MAX)
		errx(1, "kernel command line longer than %d bytes", CMDLINE_MAX - 1);

	memcpy(setup, bz->data, bytes);
	setup[TYPE_OF_LOADER] = 0xff;
	setup[LOADFLAGS] |= 0x80;		/* CAN_USE_HEAP */
	put32(setup + CODE32_START, info->entry32);
	put32(setup + RAMDISK_IMAGE, info->load[1].addr);
	put32(setup + RAMDISK_SIZE, initrd_size);
	setup[HEAP_END_PTR] = (CMDLINE_OFF - 0x200) & 0xff;
	setup[HEAP_END_PTR + 1] = (CMDLINE_OFF - 0x200) >> 8;
	put32(setup + CMD_LINE_PTR, SETUP_SEG * 16 + CMDLINE_OFF);
	strcpy((char *)setup + CMDLINE_OFF, cmdline);
}

static void make_disk(char **arg)
{
	static uint8_t head[HEAD_SECTORS * 512];
	struct boot_info *info = (void *)(head + INFO_OFF);
	struct file loader = map_file(arg[0]), bz = map_file(arg[1]);
	struct file vmlinux = map_file(arg[2]), flat = map_file(arg[3]);
	struct file initrd = map_file(arg[4]);
	uint64_t mem = strtoull(arg[5], NULL, 0) << 20;
	const char *out = arg[7];
	int fd;

	if (loader.size != BOOT_SECTORS * 512)
		errx(1, "%s: not the boot loader", loader.name);
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", out);

	memcpy(head, loader.data, loader.size);
	info->start64 = elf_header(&vmlinux)->e_entry;
	info->load[0] = append(fd, out, &flat, HEAD_SECTORS, LOAD_ADDR);
	info->load[1] = append(fd, out, &initrd,
			       HEAD_SECTORS + info->load[0].sectors,
			       place_initrd(&vmlinux, initrd.size, mem));
	prepare_setup(head + BOOT_SECTORS * 512, &bz, info, initrd.size, arg[6]);
	if (pwrite(fd, head, sizeof(head), 0) != sizeof(head) ||
	    ftruncate(fd, 512L * (info->load[1].lba + info->load[1].sectors)) ||
	    close(fd))
		err(1, "%s", out);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "flat"))
		flatten(argv[2], argv[3]);
	else if (argc == 10 && !strcmp(argv[1], "disk"))
		make_disk(argv + 2);
	else
		errx(2, "usage: see the head of mkboot.c");
	return 0;
}
