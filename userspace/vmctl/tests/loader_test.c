// SPDX-License-Identifier: GPL-2.0-only
/* loaders: good, truncated and hostile files, all made up here */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <asm/bootparam.h>
#include <linux/elf.h>

#include "loader/loader.h"

#define RAM		(64 * MIB)
#define FILE_MAX	(256 * KIB)

static struct memory mem;
static struct load load;
static struct boot boot;
static u8 file[FILE_MAX];

static int setup(void **state)
{
	memset(file, 0, sizeof(file));
	memset(&load, 0, sizeof(load));
	assert_int_equal(memory_create(&mem, RAM), 0);
	load.cmdline = "console=ttyS0";
	load.mem = &mem;
	load.rsdp = 0xe0000;
	return 0;
}

static int teardown(void **state)
{
	memory_destroy(&mem);
	return 0;
}

static int load_file(size_t len)
{
	return load_guest(&load, test_file(file, len), &boot);
}

static void *at(u64 gpa, u64 size)
{
	void *ptr = memory_ptr(&mem, gpa, size);

	assert_non_null(ptr);
	return ptr;
}

/* all ranges that were given out lie in RAM and do not overlap */
static void assert_layout(void)
{
	const struct layout_range *a = load.layout.used;
	unsigned int i, j;

	for (i = 0; i < load.layout.nr; i++)
		for (j = 0; j < i; j++)
			assert_true(a[i].end <= a[j].gpa || a[j].end <= a[i].gpa);
}

/* ---- bzImage ---- */

#define SETUP_SECTS	3
#define PAYLOAD		(4 * 512)
#define PAYLOAD_LEN	8192

static struct setup_header *bzimage(void)
{
	struct setup_header *hdr = (void *)(file + 0x1f1);

	hdr->setup_sects = SETUP_SECTS;
	hdr->syssize = PAYLOAD_LEN / 16;
	hdr->boot_flag = 0xaa55;
	hdr->jump = 0xeb | 0x66 << 8;	/* the header ends at 0x268 */
	hdr->header = 0x53726448;
	hdr->version = 0x020f;
	hdr->loadflags = LOADED_HIGH;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->kernel_alignment = 2 * MIB;
	hdr->relocatable_kernel = 1;
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->cmdline_size = 2047;
	hdr->pref_address = 16 * MIB;
	hdr->init_size = 8 * MIB;
	memset(file + PAYLOAD, 0x90, PAYLOAD_LEN);
	return hdr;
}

static int load_bzimage(void)
{
	return load_file(PAYLOAD + PAYLOAD_LEN);
}

static void bzimage_64(void **state)
{
	const struct boot_params *params;
	const u64 *table;

	bzimage();
	assert_int_equal(load_bzimage(), 0);
	assert_layout();
	assert_int_equal(boot.mode, BOOT_LONG);
	assert_int_equal(boot.entry, 16 * MIB + 0x200);
	assert_memory_equal(at(16 * MIB, PAYLOAD_LEN), file + PAYLOAD, PAYLOAD_LEN);
	params = at(boot.rsi, sizeof(*params));
	assert_int_equal(params->hdr.header, 0x53726448);
	assert_int_equal(params->hdr.type_of_loader, 0xff);
	assert_int_equal(params->hdr.code32_start, 16 * MIB);
	assert_int_equal(params->hdr.ramdisk_size, 0);
	assert_int_equal(params->acpi_rsdp_addr, 0xe0000);
	assert_int_equal(params->e820_entries, 4);
	assert_int_equal(params->e820_table[3].addr, MIB);
	assert_int_equal(params->e820_table[3].size, RAM - MIB);
	assert_int_equal(params->e820_table[3].type, 1);
	assert_string_equal(at(params->hdr.cmd_line_ptr, 16), "console=ttyS0");
	/* what lies around the header in the file is not the guest's business */
	assert_int_equal(params->sentinel, 0);
	/* page tables: 4 GiB mapped to themselves */
	table = at(boot.cr3, 6 * 4096);
	assert_int_equal(table[0], (boot.cr3 + 4096) | 3);
	assert_int_equal(table[512], (boot.cr3 + 8192) | 3);
	assert_int_equal(table[1024 + 3], 6 * MIB | 0x83);
	assert_int_equal(table[1024 + 2047], (4 * GIB - 2 * MIB) | 0x83);
	table = at(boot.gdt, 48);
	assert_int_equal(table[2], 0x00af9b000000ffff);
}

static void bzimage_32(void **state)
{
	const u64 *gdt;

	bzimage()->xloadflags = 0;
	assert_int_equal(load_bzimage(), 0);
	assert_int_equal(boot.mode, BOOT_PROTECTED);
	assert_int_equal(boot.entry, 16 * MIB);
	assert_int_equal(boot.cr3, 0);
	gdt = at(boot.gdt, 48);
	assert_int_equal(gdt[2], 0x00cf9b000000ffff);
	assert_int_equal(gdt[3], 0x00cf93000000ffff);
}

static void bzimage_old(void **state)
{
	struct setup_header *hdr = bzimage();

	hdr->version = 0x0206;	/* neither pref_address nor 64-bit entry */
	assert_int_equal(load_bzimage(), 0);
	assert_int_equal(boot.mode, BOOT_PROTECTED);
	assert_int_equal(boot.entry, MIB);
	hdr->version = 0x0205;
	assert_int_equal(load_bzimage(), -1);
}

static void bzimage_relocates(void **state)
{
	struct setup_header *hdr = bzimage();

	hdr->pref_address = 60 * MIB;	/* with 8 MiB needed: past the end */
	assert_int_equal(load_bzimage(), 0);
	assert_int_equal(boot.entry, 2 * MIB + 0x200);
	hdr->relocatable_kernel = 0;
	assert_int_equal(load_bzimage(), -1);
	hdr->relocatable_kernel = 1;
	hdr->kernel_alignment = 3;
	assert_int_equal(load_bzimage(), -1);
	hdr->kernel_alignment = 0;
	assert_int_equal(load_bzimage(), -1);
}

static void bzimage_truncated(void **state)
{
	size_t len;

	bzimage();
	for (len = 1; len < PAYLOAD + PAYLOAD_LEN - 15; len += 97)
		assert_int_equal(load_file(len), -1);
	assert_int_equal(load_file(PAYLOAD + PAYLOAD_LEN - 1), 0);
}

static void bzimage_hostile(void **state)
{
	struct setup_header *hdr = bzimage();

	hdr->syssize = 0xffffffff;
	assert_int_equal(load_bzimage(), -1);
	hdr->syssize = 0;
	assert_int_equal(load_bzimage(), -1);
	hdr->syssize = PAYLOAD_LEN / 16;
	hdr->init_size = 0xffffffff;
	assert_int_equal(load_bzimage(), -1);
	hdr->init_size = 0;
	assert_int_equal(load_bzimage(), 0);
	hdr->pref_address = UINT64_MAX;
	assert_int_equal(load_bzimage(), 0);
	hdr->pref_address = 0;
	assert_int_equal(load_bzimage(), 0);
	hdr->jump = 0xeb | 0xff << 8;
	assert_int_equal(load_bzimage(), 0);
	hdr->jump = 0xeb;
	assert_int_equal(load_bzimage(), 0);
	hdr->cmdline_size = 0xffffffff;
	assert_int_equal(load_bzimage(), 0);
	hdr->jump = 0xeb | 0x66 << 8;
	hdr->cmdline_size = 5;
	assert_int_equal(load_bzimage(), -1);
	hdr->cmdline_size = 0;
	hdr->loadflags = 0;
	assert_int_equal(load_bzimage(), -1);
}

static void bzimage_initrd(void **state)
{
	static char paths[2][64];
	const struct boot_params *params;
	static u8 one[5000], two[3];

	memset(one, 1, sizeof(one));
	memset(two, 2, sizeof(two));
	/* test_file() keeps one file open at a time; these two stay */
	snprintf(paths[0], 64, "/proc/self/fd/%d", memfd_create("one", 0));
	snprintf(paths[1], 64, "/proc/self/fd/%d", memfd_create("two", 0));
	load.modules = (const char *const[]){ paths[0], paths[1] };
	load.nr_modules = 2;
	bzimage()->initrd_addr_max = 0x2ffffff;
	assert_int_equal(load_bzimage(), -1);		/* empty */
	assert_int_equal(write(atoi(paths[0] + 14), one, sizeof(one)), sizeof(one));
	assert_int_equal(write(atoi(paths[1] + 14), two, sizeof(two)), sizeof(two));
	assert_int_equal(load_bzimage(), 0);
	assert_layout();
	params = at(boot.rsi, sizeof(*params));
	assert_int_equal(params->hdr.ramdisk_size, 5004);
	assert_int_equal(params->hdr.ramdisk_image, 0x3000000 - 8192);
	assert_memory_equal(at(params->hdr.ramdisk_image, 5004), one, sizeof(one));
	assert_memory_equal(at(params->hdr.ramdisk_image + 5000, 3), two, sizeof(two));
	/* no room below what the kernel can reach */
	bzimage()->initrd_addr_max = 0x100fff;
	assert_int_equal(load_bzimage(), -1);
	load.modules = (const char *const[]){ "/nonexistent" };
	load.nr_modules = 1;
	assert_int_equal(load_bzimage(), -1);
}

static void initrd_too_large(void **state)
{
	char path[64];
	int fd = memfd_create("huge", 0);

	assert_int_equal(ftruncate(fd, RAM), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	load.modules = (const char *const[]){ path };
	load.nr_modules = 1;
	bzimage();
	assert_int_equal(load_bzimage(), -1);
	assert_int_equal(ftruncate(fd, 40 * MIB), 0);	/* beside 8 MiB of kernel */
	assert_int_equal(load_bzimage(), 0);
	close(fd);
}

/* ---- ELF ---- */

/* one segment of @len bytes at @paddr, data from file offset 4096 */
static struct elf64_phdr *elf64(u64 paddr, u64 len)
{
	struct elf64_hdr *hdr = (void *)file;
	struct elf64_phdr *phdr = (void *)(file + sizeof(*hdr));

	memcpy(hdr->e_ident, ELFMAG "\2\1\1", 7);
	hdr->e_type = ET_EXEC;
	hdr->e_machine = EM_X86_64;
	hdr->e_entry = 0xffffffff81000100;
	hdr->e_phoff = sizeof(*hdr);
	hdr->e_phentsize = sizeof(*phdr);
	hdr->e_phnum = 2;
	phdr[0] = (struct elf64_phdr){
		.p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = 0xffffffff81000000,
		.p_paddr = paddr, .p_filesz = len, .p_memsz = len + 8192,
	};
	return phdr;
}

/* a PT_NOTE with two notes of which the second is the entry point */
static u8 *pvh_notes(struct elf64_phdr *phdr, u64 entry, u32 desc_len)
{
	u32 *note = (u32 *)(file + 2048);

	phdr[1] = (struct elf64_phdr){
		.p_type = PT_NOTE, .p_offset = 2048, .p_filesz = 16 + 4 + 16 + desc_len,
		.p_align = 4,
	};
	note[0] = 4;
	note[1] = 3;
	note[2] = 18;
	memcpy(note + 3, "GNU", 4);
	note[4] = 0x00aabbcc;
	note[5] = 4;
	note[6] = desc_len;
	note[7] = 18;
	memcpy(note + 8, "Xen", 4);
	memcpy(note + 9, &entry, desc_len);
	return (u8 *)note;
}

static void pvh_good(void **state)
{
	const struct {
		u32 magic, version, flags, nr_modules;
		u64 modules, cmdline, rsdp, map;
		u32 nr_map, reserved;
	} *info;
	const struct { u64 gpa, size; u32 type, reserved; } *map;
	const struct { u64 gpa, size, cmdline, reserved; } *module;
	char initrd[64];
	int fd = memfd_create("initrd", 0);

	assert_int_equal(write(fd, "initrd", 6), 6);
	snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", fd);
	load.modules = (const char *const[]){ initrd };
	load.nr_modules = 1;
	pvh_notes(elf64(16 * MIB, 4096), 16 * MIB + 0x40, 8);
	memset(file + 4096, 0x55, 4096);
	assert_int_equal(load_file(8192), 0);
	assert_layout();
	assert_int_equal(boot.mode, BOOT_PROTECTED);
	assert_int_equal(boot.entry, 16 * MIB + 0x40);
	assert_memory_equal(at(16 * MIB, 4096), file + 4096, 4096);
	info = at(boot.rbx, sizeof(*info));
	assert_int_equal(info->magic, 0x336ec578);
	assert_int_equal(info->version, 1);
	assert_int_equal(info->rsdp, 0xe0000);
	assert_string_equal(at(info->cmdline, 16), "console=ttyS0");
	assert_int_equal(info->nr_map, 4);
	map = at(info->map, 4 * sizeof(*map));
	assert_int_equal(map[3].gpa, MIB);
	assert_int_equal(map[3].size, RAM - MIB);
	assert_int_equal(map[3].type, 1);
	assert_int_equal(info->nr_modules, 1);
	module = at(info->modules, sizeof(*module));
	assert_memory_equal(at(module->gpa, 8), "initrd\0", 8);
	assert_int_equal(module->size, 8);	/* padded for what might follow */
	close(fd);
}

static void pvh_note_forms(void **state)
{
	struct elf64_phdr *phdr = elf64(16 * MIB, 4096);
	u32 *note = (u32 *)pvh_notes(phdr, 16 * MIB, 4);

	assert_int_equal(load_file(8192), 0);
	note[8] = 0x006e6559;			/* another owner */
	assert_int_equal(load_file(8192), -1);
	pvh_notes(phdr, 16 * MIB, 4);
	note[5] = 0xfffffffc;			/* name past the end */
	assert_int_equal(load_file(8192), -1);
	pvh_notes(phdr, 16 * MIB, 4);
	note[6] = 0xffffffff;			/* descriptor past the end */
	assert_int_equal(load_file(8192), -1);
	pvh_notes(phdr, 16 * MIB, 4);
	note[0] = 0xffffffff;
	assert_int_equal(load_file(8192), -1);
	pvh_notes(phdr, 16 * MIB, 4);
	phdr[1].p_filesz -= 1;			/* cut short */
	assert_int_equal(load_file(8192), -1);
	phdr[1].p_filesz = UINT64_MAX;
	assert_int_equal(load_file(8192), -1);
	pvh_notes(phdr, 63 * MIB + 0xfffff, 4);	/* entry at the last byte of RAM */
	assert_int_equal(load_file(8192), 0);
	pvh_notes(phdr, RAM, 4);		/* and past it */
	assert_int_equal(load_file(8192), -1);
}

static void elf_no_entry(void **state)
{
	elf64(16 * MIB, 4096);
	assert_int_equal(load_file(8192), -1);
}

static void elf_hostile(void **state)
{
	struct elf64_hdr *hdr = (void *)file, good;
	struct elf64_phdr *phdr = elf64(16 * MIB, 4096);

	pvh_notes(phdr, 16 * MIB, 4);
	good = *hdr;
	hdr->e_phoff = UINT64_MAX;
	assert_int_equal(load_file(8192), -1);
	hdr->e_phoff = 8192 - 56;
	assert_int_equal(load_file(8192), -1);
	*hdr = good;
	hdr->e_phnum = 0xffff;
	assert_int_equal(load_file(8192), -1);
	hdr->e_phnum = 0;
	assert_int_equal(load_file(8192), -1);
	*hdr = good;
	hdr->e_phentsize = 1;
	assert_int_equal(load_file(8192), -1);
	*hdr = good;
	hdr->e_machine = EM_ARM;
	assert_int_equal(load_file(8192), -1);
	*hdr = good;
	hdr->e_type = ET_REL;
	assert_int_equal(load_file(8192), -1);
	*hdr = good;
	phdr->p_offset = UINT64_MAX - 10;
	assert_int_equal(load_file(8192), -1);
	phdr->p_offset = 4097;			/* one byte short */
	assert_int_equal(load_file(8192), -1);
	elf64(16 * MIB, 4096)->p_filesz = UINT64_MAX;
	assert_int_equal(load_file(8192), -1);
	elf64(16 * MIB, 4096)->p_memsz = UINT64_MAX;
	assert_int_equal(load_file(8192), -1);
	elf64(16 * MIB, 4096)->p_memsz = 10;
	assert_int_equal(load_file(8192), -1);
	elf64(UINT64_MAX - 4096, 4096);
	assert_int_equal(load_file(8192), -1);
	elf64(RAM - 4096 - 8191, 4096);		/* ends one byte past RAM */
	assert_int_equal(load_file(8192), -1);
	elf64(RAM - 4096 - 8192, 4096);
	assert_int_equal(load_file(8192), 0);
	elf64(0xe0000, 4096);			/* firmware's */
	assert_int_equal(load_file(8192), -1);
	elf64(0x10000, 4096);			/* low memory is all right */
	assert_int_equal(load_file(8192), 0);
	assert_layout();
}

static void elf_bss_past_file(void **state)
{
	struct elf64_phdr *phdr = elf64(16 * MIB, 4096);

	pvh_notes(phdr, 16 * MIB, 4);
	((struct elf64_hdr *)file)->e_phnum = 3;
	phdr[2] = (struct elf64_phdr){
		.p_type = PT_LOAD, .p_offset = 1 * GIB, .p_paddr = 20 * MIB,
		.p_memsz = 4096,
	};
	assert_int_equal(load_file(8192), 0);
	phdr[2].p_paddr = 16 * MIB + 4096;	/* overlaps the first */
	assert_int_equal(load_file(8192), -1);
}

static void elf_truncated(void **state)
{
	size_t len;

	pvh_notes(elf64(16 * MIB, 4096), 16 * MIB, 4);
	for (len = 1; len < 8192; len += 41)
		assert_int_equal(load_file(len), -1);
}

/* ---- multiboot ---- */

static void multiboot_header_at(u32 offset, u32 flags)
{
	u32 header[3] = { 0x1badb002, flags, -(0x1badb002 + flags) };

	memcpy(file + offset, header, sizeof(header));
}

static struct elf32_phdr *elf32(u32 paddr, u32 vaddr, u32 len)
{
	struct elf32_hdr *hdr = (void *)file;
	struct elf32_phdr *phdr = (void *)(file + sizeof(*hdr));

	memcpy(hdr->e_ident, ELFMAG "\1\1\1", 7);
	hdr->e_type = ET_EXEC;
	hdr->e_machine = EM_386;
	hdr->e_entry = vaddr + 0x20;
	hdr->e_phoff = sizeof(*hdr);
	hdr->e_phentsize = sizeof(*phdr);
	hdr->e_phnum = 1;
	phdr[0] = (struct elf32_phdr){
		.p_type = PT_LOAD, .p_offset = 4096, .p_vaddr = vaddr, .p_paddr = paddr,
		.p_filesz = len, .p_memsz = len + 100,
	};
	return phdr;
}

struct multiboot {
	u32 flags, lower, upper, device, cmdline, nr_modules, modules, symbols[4];
	u32 map_length, map, drives[2], config, loader, apm;
};

static void multiboot_good(void **state)
{
	const struct multiboot *info;
	const u8 *map;
	u64 addr;

	elf32(MIB, 0xc0100000, 4096);
	multiboot_header_at(0x800, 3);
	memset(file + 4096, 0x77, 4096);
	assert_int_equal(load_file(8192), 0);
	assert_layout();
	assert_int_equal(boot.mode, BOOT_PROTECTED);
	assert_int_equal(boot.rax, 0x2badb002);
	assert_int_equal(boot.entry, MIB + 0x20);	/* virtual made physical */
	assert_memory_equal(at(MIB, 4096), file + 4096, 4096);
	info = at(boot.rbx, sizeof(*info));
	assert_int_equal(info->flags, 0x24d);
	assert_int_equal(info->lower, 639);
	assert_int_equal(info->upper, (RAM - MIB) / 1024);
	assert_non_null(strstr(at(info->cmdline, 64), " console=ttyS0"));
	assert_string_equal(at(info->loader, 6), "vmctl");
	assert_int_equal(info->nr_modules, 0);
	assert_int_equal(info->map_length, 4 * 24);
	map = at(info->map, info->map_length);
	assert_int_equal(*(u32 *)map, 20);
	memcpy(&addr, map + 3 * 24 + 4, 8);
	assert_int_equal(addr, MIB);
}

static void multiboot_physical_entry(void **state)
{
	elf32(MIB, MIB, 4096);
	multiboot_header_at(4, 0);	/* over the ELF header's padding: no */
	elf32(MIB, MIB, 4096);
	multiboot_header_at(8188, 0);	/* the header is cut off at 8192 */
	assert_int_equal(load_file(9000), -1);
	multiboot_header_at(8180, 0);	/* the last place it can be */
	assert_int_equal(load_file(9000), 0);
	assert_int_equal(boot.entry, MIB + 0x20);
}

static void multiboot_modules(void **state)
{
	const struct { u32 start, end, string, reserved; } *module;
	const struct multiboot *info;
	char path[2][64];
	int fd[2], i;

	for (i = 0; i < 2; i++) {
		fd[i] = memfd_create("module", 0);
		snprintf(path[i], 64, "/proc/self/fd/%d", fd[i]);
		assert_int_equal(write(fd[i], i ? "second" : "1st", i ? 6 : 3), i ? 6 : 3);
	}
	load.modules = (const char *const[]){ path[0], path[1] };
	load.nr_modules = 2;
	elf32(MIB, MIB, 4096);
	multiboot_header_at(0x800, 3);
	assert_int_equal(load_file(8192), 0);
	assert_layout();
	info = at(boot.rbx, sizeof(*info));
	assert_int_equal(info->nr_modules, 2);
	module = at(info->modules, 2 * sizeof(*module));
	for (i = 0; i < 2; i++) {
		assert_int_equal(module[i].end - module[i].start, i ? 6 : 3);
		assert_int_equal(module[i].start % 4096, 0);
		assert_memory_equal(at(module[i].start, 3), i ? "sec" : "1st", 3);
		assert_string_equal(at(module[i].string, 64), path[i]);
		close(fd[i]);
	}
}

static void multiboot_bad_header(void **state)
{
	elf32(MIB, MIB, 4096);
	multiboot_header_at(0x800, 8);		/* a feature unknown to us */
	assert_int_equal(load_file(8192), -1);
	multiboot_header_at(0x800, 0x40000004);	/* a wish, and an optional one */
	assert_int_equal(load_file(8192), 0);
	file[0x808]++;				/* checksum */
	assert_int_equal(load_file(8192), -1);
	memset(file, 0, sizeof(file));
	multiboot_header_at(0x800, 0);		/* no ELF and no addresses */
	assert_int_equal(load_file(8192), -1);
}

/* header at 0x100 of the file, loaded so that the file begins at 2 MiB */
static u32 *multiboot_flat(void)
{
	u32 *field = (u32 *)(file + 0x10c);

	memset(file, 0x33, 8192);
	multiboot_header_at(0x100, BIT(16));
	field[0] = 2 * MIB + 0x100;	/* header */
	field[1] = 2 * MIB;		/* load */
	field[2] = 2 * MIB + 4096;	/* end of load */
	field[3] = 2 * MIB + 65536;	/* end of bss */
	field[4] = 2 * MIB + 0x200;	/* entry */
	return field;
}

static void multiboot_addresses(void **state)
{
	u32 *field = multiboot_flat();
	const u8 *loaded;

	assert_int_equal(load_file(8192), 0);
	assert_int_equal(boot.entry, 2 * MIB + 0x200);
	loaded = at(2 * MIB, 65536);
	assert_memory_equal(loaded, file, 4096);
	assert_int_equal(loaded[4096], 0);
	field[2] = 0;			/* to the end of the file */
	field[3] = 0;
	assert_int_equal(load_file(8192), 0);
	assert_memory_equal(at(2 * MIB, 8192), file, 8192);
	field = multiboot_flat();
	field[1] += 0x80;		/* without the first bytes */
	assert_int_equal(load_file(8192), 0);
	assert_memory_equal(at(2 * MIB + 0x80, 64), file + 0x80, 64);
}

static void multiboot_addresses_hostile(void **state)
{
	static const u32 values[] = {
		0, 1, 0xff, 0x1000, 2 * MIB - 1, 2 * MIB, 2 * MIB + 0x100, RAM - 1, RAM,
		0x7fffffff, 0x80000000, 0xffffffff,
	};
	unsigned int i, j, k;
	u32 *field;

	/* whatever comes of it, nothing is touched outside of guest memory */
	for (i = 0; i < 5; i++)
		for (j = 0; j < ARRAY_SIZE(values); j++)
			for (k = 0; k < ARRAY_SIZE(values); k++) {
				field = multiboot_flat();
				field[i] = values[j];
				field[(i + 1) % 5] = values[k];
				load_file(8192);
				assert_layout();
			}
	field = multiboot_flat();
	field[0] = 2 * MIB - 1;		/* header before load */
	assert_int_equal(load_file(8192), -1);
	field = multiboot_flat();
	field[1] = 2 * MIB - 1;		/* begins before the file */
	assert_int_equal(load_file(8192), -1);
	field = multiboot_flat();
	field[2] = 2 * MIB + 8193;	/* ends after it */
	assert_int_equal(load_file(8192), -1);
}

/* 128 MiB of image, most of it zeroes in the file */
static void multiboot_large(void **state)
{
	struct elf32_phdr *phdr = elf32(MIB, MIB, 4096);
	char path[64];
	int fd = memfd_create("large", 0);

	memory_destroy(&mem);
	assert_int_equal(memory_create(&mem, 160 * MIB), 0);
	phdr->p_filesz = 128 * MIB;
	phdr->p_memsz = 128 * MIB;
	multiboot_header_at(0x800, 3);
	assert_int_equal(write(fd, file, 8192), 8192);
	assert_int_equal(ftruncate(fd, 4096 + 128 * MIB), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(load_guest(&load, path, &boot), 0);
	memory_destroy(&mem);
	assert_int_equal(memory_create(&mem, RAM), 0);
	assert_int_equal(load_guest(&load, path, &boot), -1);
	close(fd);
}

/* ---- any file ---- */

static void not_a_kernel(void **state)
{
	memset(file, 'a', 4096);
	assert_int_equal(load_file(4096), -1);
	assert_int_equal(load_file(0), -1);
	assert_int_equal(load_file(1), -1);
	assert_int_equal(load_guest(&load, "/nonexistent", &boot), -1);
	assert_int_equal(load_guest(&load, "/", &boot), -1);
	assert_int_equal(load_guest(&load, "/dev/zero", &boot), -1);
}

static u32 noise(void)
{
	static u32 x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* good files with a few bytes changed: any result, no crash, a sane layout */
static void mutations(void **state)
{
	unsigned int round, i, kind;

	for (round = 0; round < 3000; round++) {
		memset(file, 0, 16384);
		kind = round % 4;
		if (kind == 0)
			bzimage();
		else if (kind == 1)
			pvh_notes(elf64(16 * MIB, 4096), 16 * MIB, 4);
		else if (kind == 2)
			elf32(MIB, MIB, 4096);
		else
			multiboot_flat();
		if (kind == 2)
			multiboot_header_at(0x800, 3);
		for (i = 0; i < 1 + noise() % 4; i++)
			file[(kind == 0 ? 0x1f1 + noise() % 128 :
			      kind == 3 ? 0x10c + noise() % 20 :
			      noise() % 2 ? noise() % 180 : 2048 + noise() % 64)] = noise();
		load_file(PAYLOAD + PAYLOAD_LEN);
		assert_layout();
	}
}

#define LOADER_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	LOADER_TEST(bzimage_64),
	LOADER_TEST(bzimage_32),
	LOADER_TEST(bzimage_old),
	LOADER_TEST(bzimage_relocates),
	LOADER_TEST(bzimage_truncated),
	LOADER_TEST(bzimage_hostile),
	LOADER_TEST(bzimage_initrd),
	LOADER_TEST(initrd_too_large),
	LOADER_TEST(pvh_good),
	LOADER_TEST(pvh_note_forms),
	LOADER_TEST(elf_no_entry),
	LOADER_TEST(elf_hostile),
	LOADER_TEST(elf_bss_past_file),
	LOADER_TEST(elf_truncated),
	LOADER_TEST(multiboot_good),
	LOADER_TEST(multiboot_physical_entry),
	LOADER_TEST(multiboot_modules),
	LOADER_TEST(multiboot_bad_header),
	LOADER_TEST(multiboot_addresses),
	LOADER_TEST(multiboot_addresses_hostile),
	LOADER_TEST(multiboot_large),
	LOADER_TEST(not_a_kernel),
	LOADER_TEST(mutations),
};

int main(void)
{
	test_silence();
	return test_main("loader", tests, ARRAY_SIZE(tests));
}
