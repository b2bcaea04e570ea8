// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PVH boot protocol, as Xen's public documentation describes it: 32-bit protected
 * mode without paging, EBX points to the start information.
 */
#include "../msg.h"
#include "loader.h"

#define PVH_MAGIC		0x336ec578
#define PVH_VERSION		1	/* with a memory map */
#define PVH_CMDLINE_MAX		4096

struct pvh_start_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp;
	u64 memory_map;
	u32 nr_memory_map, reserved;
};

struct pvh_module {
	u64 gpa, size, cmdline, reserved;
};

struct pvh_memory {
	u64 gpa, size;
	u32 type, reserved;
};

static u64 pvh_memory_map(struct load *load, u32 *nr)
{
	struct pvh_memory to[MEM_MAP_MAX] = { 0 };
	struct mem_range map[MEM_MAP_MAX];
	unsigned int i;

	*nr = memory_map(load->mem, map);
	for (i = 0; i < *nr; i++) {
		to[i].gpa = map[i].gpa;
		to[i].size = map[i].size;
		to[i].type = map[i].kind;
	}
	return load_blob(load, to, *nr * sizeof(to[0]));
}

static int pvh_modules(struct load *load, struct pvh_start_info *info)
{
	struct pvh_module to = { 0 };
	struct module initrd;

	if (load_initrd(load, UINT32_MAX, &initrd))
		return -1;
	if (!initrd.size)
		return 0;
	to.gpa = initrd.gpa;
	to.size = initrd.size;
	info->modules = load_blob(load, &to, sizeof(to));
	info->nr_modules = 1;
	return info->modules ? 0 : -1;
}

static int pvh_load(struct load *load, struct boot *boot)
{
	struct pvh_start_info info = {
		.magic = PVH_MAGIC,
		.version = PVH_VERSION,
		.rsdp = load->rsdp,
	};
	int found = elf_pvh_entry(load, &boot->entry);
	u64 unused;

	if (found < 0)
		return -1;
	if (!found)
		return fail("kernel %s: ELF with neither PVH note nor multiboot header: %s",
			    load->kernel.path, "use the bzImage");
	if (elf_load(load, &unused) || pvh_modules(load, &info))
		return -1;
	info.cmdline = load_cmdline(load, NULL, PVH_CMDLINE_MAX);
	info.memory_map = pvh_memory_map(load, &info.nr_memory_map);
	if (!info.cmdline || !info.memory_map)
		return -1;
	boot->rbx = load_blob(load, &info, sizeof(info));
	boot->mode = BOOT_PROTECTED;
	return boot->rbx ? 0 : -1;
}

const struct loader pvh_loader = {
	.name	= "PVH",
	.probe	= elf_probe,
	.load	= pvh_load,
};
