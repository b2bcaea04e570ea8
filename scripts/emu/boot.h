/* SPDX-License-Identifier: GPL-2.0-only */
/* The boot disk and where its parts go: shared by boot.S and mkboot.c. */
#ifndef MHV_EMU_BOOT_H
#define MHV_EMU_BOOT_H

/* Disk: boot.S in the first BOOT_SECTORS, then the kernel's real-mode part. */
#define BOOT_SECTORS	2
#define SETUP_SECTORS	124
#define HEAD_SECTORS	128		/* the kernel image begins here */

#define SETUP_SEG	0x9000		/* real-mode part of the kernel */
#define CMDLINE_OFF	0xf000		/* in it: the command line */
#define CMDLINE_MAX	0x800
#define PAGE_TABLES	0x20000

/* struct boot_info, at this offset of the boot sector, filled in by mkboot */
#define INFO_OFF	0x1d8

#ifndef __ASSEMBLER__
#include <stdint.h>

struct boot_extent {
	uint32_t lba, sectors, addr;
};

struct boot_info {
	uint32_t entry32;		/* set by boot.S, for code32_start */
	uint32_t start64;		/* entry point of vmlinux */
	struct boot_extent load[2];	/* kernel, initrd */
} __attribute__((packed));
#endif

#endif
