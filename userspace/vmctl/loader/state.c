// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables that the CPU needs at the kernel's first instruction: descriptors, and
 * page tables for a start in long mode.
 */
#include "../msg.h"
#include "loader.h"

#define PTE_TABLE	0x03	/* present, writable */
#define PTE_LARGE	0x83	/* and a 2 MiB page */
#define LARGE_PAGE	(2 * MIB)
#define MAPPED_GIB	4

#define DESC_CODE32	0x00cf9b000000ffffull	/* flat, accessed */
#define DESC_CODE64	0x00af9b000000ffffull
#define DESC_DATA	0x00cf93000000ffffull
#define DESC_TSS	0x00008b0000000067ull	/* busy, base 0, 104 bytes */

static int boot_gdt(struct load *load, struct boot *boot)
{
	u64 gdt[] = {
		[BOOT_CS / 8] = boot->mode == BOOT_LONG ? DESC_CODE64 : DESC_CODE32,
		[BOOT_DS / 8] = DESC_DATA,
		[BOOT_TR / 8] = DESC_TSS,
		[BOOT_TR / 8 + 1] = 0,	/* upper half of the TSS in long mode */
	};

	boot->gdt = load_blob(load, gdt, sizeof(gdt));
	return boot->gdt ? 0 : -1;
}

/* one PML4, one PDPT and a page directory for each GiB, in this order */
static int boot_page_tables(struct load *load, struct boot *boot)
{
	u64 size = (2 + MAPPED_GIB) * GUEST_PAGE, i;
	u64 *pml4, *pdpt, *pd;

	boot->cr3 = load_blob(load, NULL, size);
	if (!boot->cr3)
		return -1;
	pml4 = memory_ptr(load->mem, boot->cr3, size);
	pdpt = pml4 + 512;
	pd = pdpt + 512;
	pml4[0] = (boot->cr3 + GUEST_PAGE) | PTE_TABLE;
	for (i = 0; i < MAPPED_GIB; i++)
		pdpt[i] = (boot->cr3 + (2 + i) * GUEST_PAGE) | PTE_TABLE;
	for (i = 0; i < MAPPED_GIB * 512; i++)
		pd[i] = i * LARGE_PAGE | PTE_LARGE;
	return 0;
}

/**
 * boot_tables - write the tables for the state in @boot
 * @load:	the loading
 * @boot:	@mode is set; out: @gdt and @cr3
 *
 * Return: 0, or -1 with a message.
 */
int boot_tables(struct load *load, struct boot *boot)
{
	if (boot_gdt(load, boot))
		return -1;
	return boot->mode == BOOT_LONG ? boot_page_tables(load, boot) : 0;
}
