// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's RAM: where it lies in the guest and where in this process.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"
#include "msg.h"
#include "size.h"

#define HUGE_PAGE	(2 * MIB)

/* @size bytes that begin at a huge page's border; what lies around them goes */
static u8 *memory_trim(u8 *start, u64 size)
{
	u64 before = align_up((uintptr_t)start, HUGE_PAGE) - (uintptr_t)start;

	if (before)
		munmap(start, before);
	munmap(start + before + size, HUGE_PAGE - before);
	return start + before;
}

/**
 * memory_create - reserve the guest's RAM
 * @mem:	out
 * @size:	bytes, page multiple, at least MEM_MIN
 *
 * Pages come into being when they are touched; huge ones where the host has any.  For
 * those, guest and process addresses must agree in their low bits.
 *
 * Return: 0, or -1 with a message.
 */
int memory_create(struct memory *mem, u64 size)
{
	char text[SIZE_TEXT];
	u8 *start;

	start = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return fail("cannot map %s of guest memory: %s: use a smaller --mem",
			    size_text(size, text), strerror(errno));
	mem->base = memory_trim(start, size);
	/* only advice: a host without huge pages runs the guest as well */
	madvise(mem->base, size, MADV_HUGEPAGE);
	mem->size = size;
	mem->low = min_u64(size, MEM_HOLE);
	mem->high = size - mem->low;
	return 0;
}

/**
 * memory_destroy - give the RAM back
 * @mem:	from memory_create()
 */
void memory_destroy(struct memory *mem)
{
	munmap(mem->base, mem->size);
	mem->base = NULL;
}

/**
 * memory_top - how far up the address space a guest reaches
 * @size:	bytes of RAM
 *
 * Return: the first gpa past RAM and device hole.
 */
u64 memory_top(u64 size)
{
	return MEM_ABOVE_HOLE + (size > MEM_HOLE ? size - MEM_HOLE : 0);
}

/**
 * memory_ptr - find guest RAM in this process
 * @mem:	guest RAM
 * @gpa:	any address, also one that the guest made up
 * @size:	bytes wanted in one piece
 *
 * Return: the address, or NULL unless all of the range is RAM.
 */
void *memory_ptr(const struct memory *mem, u64 gpa, u64 size)
{
	if (gpa < mem->low && size <= mem->low - gpa)
		return mem->base + gpa;
	if (gpa < MEM_ABOVE_HOLE)
		return NULL;
	gpa -= MEM_ABOVE_HOLE;
	if (gpa < mem->high && size <= mem->high - gpa)
		return mem->base + mem->low + gpa;
	return NULL;
}

/**
 * memory_map - the memory map for the guest
 * @mem:	guest RAM
 * @map:	out: ascending, without overlap
 *
 * Return: number of entries.
 */
unsigned int memory_map(const struct memory *mem, struct mem_range map[MEM_MAP_MAX])
{
	const struct mem_range all[MEM_MAP_MAX] = {
		{ 0, MEM_EBDA, MEM_RAM },
		{ MEM_EBDA, 0xa0000 - MEM_EBDA, MEM_RESERVED },
		{ 0xa0000, MEM_HIGH - 0xa0000, MEM_RESERVED },
		{ MEM_HIGH, mem->low - MEM_HIGH, MEM_RAM },
		{ MEM_ABOVE_HOLE, mem->high, MEM_RAM },
	};

	memcpy(map, all, sizeof(all));
	return mem->high ? MEM_MAP_MAX : MEM_MAP_MAX - 1;
}
