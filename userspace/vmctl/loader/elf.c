// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF files: segments to their physical addresses, and the PVH entry point with
 * its start information (an uncompressed Linux vmlinux has one).
 *
 * Both classes are read into the 64-bit structures at once, so that all else is
 * written once.
 */
#include <string.h>

#include <linux/elf.h>

#include "../msg.h"
#include "loader.h"

#define SEGMENTS_MAX		128
#define NOTES_MAX		(64 * KIB)
#define NOTE_PHYS32_ENTRY	18	/* of owner "Xen" */

struct elf {
	struct elf64_hdr header;
	struct elf64_phdr segment[SEGMENTS_MAX];
};

static bool elf_ident(const u8 *head)
{
	return !memcmp(head, ELFMAG, SELFMAG) && head[EI_DATA] == ELFDATA2LSB &&
	       (head[EI_CLASS] == ELFCLASS32 || head[EI_CLASS] == ELFCLASS64);
}

/**
 * elf_probe - is the kernel an ELF file
 * @load:	the loading
 *
 * Return: true when it begins as one.
 */
bool elf_probe(const struct load *load)
{
	return elf_ident(load->kernel.head);
}

static void elf_widen_header(struct elf64_hdr *to, const u8 *head)
{
	struct elf32_hdr from;

	memcpy(&from, head, sizeof(from));
	to->e_type = from.e_type;
	to->e_machine = from.e_machine;
	to->e_entry = from.e_entry;
	to->e_phoff = from.e_phoff;
	to->e_phnum = from.e_phnum;
	to->e_phentsize = from.e_phentsize;
}

static void elf_widen_segment(struct elf64_phdr *to, const struct elf32_phdr *from)
{
	to->p_type = from->p_type;
	to->p_offset = from->p_offset;
	to->p_vaddr = from->p_vaddr;
	to->p_paddr = from->p_paddr;
	to->p_filesz = from->p_filesz;
	to->p_memsz = from->p_memsz;
	to->p_align = from->p_align;
}

static int elf_read_segments(const struct load *load, struct elf *elf, bool wide)
{
	const struct image *image = &load->kernel;
	u64 at = elf->header.e_phoff;
	struct elf32_phdr narrow;
	unsigned int i;

	if (elf->header.e_phnum > SEGMENTS_MAX ||
	    elf->header.e_phentsize != (wide ? sizeof(struct elf64_phdr) : sizeof(narrow)))
		return fail("kernel %s: its program headers make no sense: copy it again",
			    image->path);
	for (i = 0; i < elf->header.e_phnum; i++, at += elf->header.e_phentsize) {
		if (wide) {
			if (image_read(image, at, &elf->segment[i], sizeof(struct elf64_phdr)))
				return -1;
			continue;
		}
		if (image_read(image, at, &narrow, sizeof(narrow)))
			return -1;
		elf_widen_segment(&elf->segment[i], &narrow);
	}
	return 0;
}

static int elf_read(const struct load *load, struct elf *elf)
{
	const u8 *head = load->kernel.head;
	bool wide = head[EI_CLASS] == ELFCLASS64;

	memset(elf, 0, sizeof(*elf));
	if (wide)
		memcpy(&elf->header, head, sizeof(elf->header));
	else
		elf_widen_header(&elf->header, head);
	if (elf->header.e_machine != EM_386 && elf->header.e_machine != EM_X86_64)
		return fail("kernel %s: an ELF file for another CPU: give one for x86",
			    load->kernel.path);
	if (elf->header.e_type != ET_EXEC && elf->header.e_type != ET_DYN)
		return fail("kernel %s: an object file or core dump: give a linked kernel",
			    load->kernel.path);
	return elf_read_segments(load, elf, wide);
}

/* the entry point is virtual; the CPU starts without paging */
static u64 elf_physical(const struct elf *elf, u64 addr)
{
	const struct elf64_phdr *p;
	unsigned int i;

	for (i = 0; i < elf->header.e_phnum; i++) {
		p = &elf->segment[i];
		if (p->p_type == PT_LOAD && addr >= p->p_vaddr &&
		    addr - p->p_vaddr < p->p_memsz)
			return addr - p->p_vaddr + p->p_paddr;
	}
	return addr;
}

/**
 * elf_load - put all segments of the kernel in memory
 * @load:	the loading; elf_probe() was true
 * @entry:	out: physical address of the file's entry point
 *
 * Return: 0, or -1 with a message.
 */
int elf_load(struct load *load, u64 *entry)
{
	bool any = false;
	struct elf elf;
	unsigned int i;

	if (elf_read(load, &elf))
		return -1;
	for (i = 0; i < elf.header.e_phnum; i++) {
		const struct elf64_phdr *p = &elf.segment[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_filesz > p->p_memsz)
			return fail("kernel %s: a segment's sizes make no sense: copy it again",
				    load->kernel.path);
		if (load_segment(load, p->p_offset, p->p_paddr, p->p_filesz, p->p_memsz))
			return -1;
		any = true;
	}
	if (!any)
		return fail("kernel %s: nothing to load in it: give a linked kernel",
			    load->kernel.path);
	*entry = elf_physical(&elf, elf.header.e_entry);
	return 0;
}

/* the next note in [*@at, @end); false at the end of what makes sense */
static bool note_next(const u8 **at, const u8 *end, u64 align, struct elf64_note *note,
		      const u8 **name, const u8 **desc)
{
	u64 left = end - *at, name_len, desc_len;

	if (left < sizeof(*note))
		return false;
	memcpy(note, *at, sizeof(*note));
	left -= sizeof(*note);
	name_len = align_up(note->n_namesz, align);
	desc_len = align_up(note->n_descsz, align);
	if (name_len > left || note->n_descsz > left - name_len)
		return false;
	*name = *at + sizeof(*note);
	*desc = *name + name_len;
	/* the last note need not be padded */
	*at = *desc + min_u64(desc_len, left - name_len);
	return true;
}

static bool notes_find(const u8 *at, const u8 *end, u64 align, u64 *entry)
{
	const u8 *name, *desc;
	struct elf64_note note;

	while (note_next(&at, end, align, &note, &name, &desc)) {
		if (note.n_type != NOTE_PHYS32_ENTRY || note.n_namesz != 4 ||
		    memcmp(name, "Xen", 4))
			continue;
		if (note.n_descsz != 4 && note.n_descsz != 8)
			continue;
		*entry = 0;
		memcpy(entry, desc, note.n_descsz);
		return true;
	}
	return false;
}

/**
 * elf_pvh_entry - look for the PVH entry point
 * @load:	the loading; elf_probe() was true
 * @entry:	out: physical address of the 32-bit entry point
 *
 * Return: 1 found, 0 none, -1 with a message.
 */
int elf_pvh_entry(const struct load *load, u64 *entry)
{
	static u8 notes[NOTES_MAX];
	struct elf elf;
	unsigned int i;

	if (elf_read(load, &elf))
		return -1;
	for (i = 0; i < elf.header.e_phnum; i++) {
		const struct elf64_phdr *p = &elf.segment[i];

		if (p->p_type != PT_NOTE || p->p_filesz > sizeof(notes))
			continue;
		if (image_read(&load->kernel, p->p_offset, notes, p->p_filesz))
			return -1;
		if (notes_find(notes, notes + p->p_filesz, p->p_align == 8 ? 8 : 4, entry))
			return 1;
	}
	return 0;
}
