/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot loader of the emulated host.
 *
 * It takes the kernel uncompressed (mkboot lays it out), because emulated
 * instructions are dear: decompressing costs up to a minute, reading the larger
 * image from the emulated disk a second or two.
 *
 *   1. read the rest of this loader and the kernel's real-mode part from the
 *      disk and run the latter: it collects the memory map from the BIOS, as on
 *      any PC;
 *   2. it ends in 32-bit protected mode at code32_start, which mkboot has
 *      pointed at `entry32` below, a hook that the boot protocol provides for;
 *   3. read the kernel and the initramfs to where they belong;
 *   4. build an identity map, enter long mode, jump to startup_64 of vmlinux
 *      (the "64-bit boot protocol" of the kernel's documentation).
 *
 * The second time this runs, the machine was reset: say so and power off.
 */
#include "boot.h"

#define CMOS_MARK	0x70	/* a byte of the upper CMOS bank no BIOS uses */
#define CMOS_BOOTED	0xb5
#define OFF_PORT	0x8900	/* Bochs: the word "Shutdown" powers off */
#define E9_PORT		0xe9	/* Bochs: a byte for its standard output */
#define ATA		0x1f0

	.code16
	.section .text, "ax"
	.globl _start
_start:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$_start, %sp
	ljmp	$0, $1f
1:	sti

	movb	$CMOS_MARK, %al
	outb	%al, $0x72
	inb	$0x73, %al
	cmpb	$CMOS_BOOTED, %al
	movw	$msg_reset, %si
	je	off
	movb	$CMOS_BOOTED, %al
	outb	%al, $0x73

	movw	$packet_boot, %si
	call	read
	movw	$packet_setup, %si
	call	read

	cli
	movw	$SETUP_SEG, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movw	$CMDLINE_OFF, %sp
	ljmp	$SETUP_SEG + 0x20, $0

read:	movb	$0x42, %ah
	int	$0x13
	movw	$msg_disk, %si
	jc	off
	ret

	/* si = message */
off:	lodsb
	testb	%al, %al
	jz	1f
	outb	%al, $E9_PORT
	jmp	off
1:	movw	$word_off, %si
	movw	$OFF_PORT, %dx
2:	lodsb
	testb	%al, %al
	jz	3f
	outb	%al, %dx
	jmp	2b
3:	hlt
	jmp	3b

packet_boot:					/* INT 13h AH=42h */
	.byte	16, 0
	.word	BOOT_SECTORS - 1, 0x7e00, 0
	.quad	1
packet_setup:
	.byte	16, 0
	.word	SETUP_SECTORS, 0, SETUP_SEG
	.quad	BOOT_SECTORS

msg_reset:
	.asciz	"\nmhv-boot: reset\n"
msg_disk:
	.asciz	"\nmhv-boot: disk error\n"
word_off:
	.asciz	"Shutdown"

	/* struct boot_info */
	.org	INFO_OFF
	.long	entry32
start64:
	.long	0
extents:
	.fill	2 * 3, 4, 0
	.org	510
	.word	0xaa55

	/* The second sector.  esi = boot_params; flat segments, paging off. */
	.code32
entry32:
	movl	$0x7c00, %esp
	pushl	%esi
	movl	$extents, %esi
	call	load
	call	load
	popl	%esi
	jmp	long_mode

	/* Load the extent at esi, 256 sectors a command; esi moves on. */
load:	lodsl
	movl	%eax, %ebx			/* ebx = sector */
	lodsl
	movl	%eax, %ebp			/* ebp = sectors left */
	lodsl
	movl	%eax, %edi			/* edi = address */
1:	testl	%ebp, %ebp
	jz	4f
	movl	$256, %ecx
	cmpl	%ecx, %ebp
	cmovb	%ebp, %ecx
	subl	%ecx, %ebp
	call	command
2:	movw	$(ATA + 7), %dx
3:	inb	%dx, %al			/* until not BSY and DRQ */
	andb	$0x88, %al
	cmpb	$0x08, %al
	jne	3b
	pushl	%ecx
	movl	$256, %ecx
	movw	$ATA, %dx
	rep	insw
	popl	%ecx
	loop	2b
	jmp	1b
4:	ret

	/* READ SECTORS: ecx sectors from ebx, which moves on. */
command:
	movw	$(ATA + 2), %dx
	movb	%cl, %al			/* 256 is 0 */
	outb	%al, %dx
	movl	%ebx, %eax
	addl	%ecx, %ebx
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	incw	%dx
	outb	%al, %dx
	shrl	$8, %eax
	orb	$0xe0, %al			/* LBA, first drive */
	incw	%dx
	outb	%al, %dx
	movb	$0x20, %al
	incw	%dx
	outb	%al, %dx
	ret

long_mode:
	xorl	%eax, %eax
	movl	$PAGE_TABLES, %edi
	movl	$(6 * 4096 / 4), %ecx
	rep	stosl

	movl	$PAGE_TABLES, %edi
	leal	0x1007(%edi), %eax
	movl	%eax, (%edi)			/* PML4[0] -> PDPT */
	movl	$4, %ecx
1:	addl	$0x1000, %eax			/* PDPT[0..3] -> four PDs */
	movl	%eax, 0x1000(%edi)
	addl	$8, %edi
	loop	1b

	movl	$(PAGE_TABLES + 0x2000), %edi	/* 4 GiB in 2 MiB pages */
	movl	$0x83, %eax
	movl	$2048, %ecx
2:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	loop	2b

	movl	$PAGE_TABLES, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$0x20, %eax			/* PAE */
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x100, %eax			/* EFER.LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax		/* PG, PE */
	movl	%eax, %cr0
	lgdt	gdt_ptr
	ljmp	$0x10, $entry64

	.code64
entry64:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%esi, %esi
	movl	start64, %eax
	jmp	*%rax

	.balign 8
gdt:	.quad	0
	.quad	0
	.quad	0x00af9a000000ffff		/* 0x10: __BOOT_CS, 64-bit */
	.quad	0x00cf92000000ffff		/* 0x18: __BOOT_DS */
gdt_ptr:
	.word	. - gdt - 1
	.long	gdt
	.org	BOOT_SECTORS * 512
