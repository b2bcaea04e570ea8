// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has which part of guest memory while a guest is loaded.  A loader first claims
 * what its file dictates, then finds room for what it may put anywhere.
 */
#include "loader.h"

#define FIRST_FREE	0x1000	/* vectors and BIOS data area below */

static bool layout_free(const struct layout *layout, u64 gpa, u64 end)
{
	unsigned int i;

	for (i = 0; i < layout->nr; i++)
		if (gpa < layout->used[i].end && layout->used[i].gpa < end)
			return false;
	return true;
}

static enum layout_result layout_add(struct layout *layout, u64 gpa, u64 end)
{
	if (layout->nr == LAYOUT_MAX)
		return LAYOUT_FULL;
	layout->used[layout->nr++] = (struct layout_range){ gpa, end };
	return LAYOUT_OK;
}

/**
 * layout_init - begin with what firmware has
 * @layout:	out
 * @mem:	guest RAM
 */
void layout_init(struct layout *layout, const struct memory *mem)
{
	layout->mem = mem;
	layout->nr = 0;
	layout_add(layout, 0, FIRST_FREE);
	layout_add(layout, MEM_EBDA, MEM_HIGH);
}

/**
 * layout_claim - take a certain range
 * @layout:	of guest memory
 * @gpa:	where, as the file says: any value
 * @size:	bytes: any value but 0
 *
 * Return: what came of it.
 */
enum layout_result layout_claim(struct layout *layout, u64 gpa, u64 size)
{
	if (!memory_ptr(layout->mem, gpa, size))
		return LAYOUT_NO_RAM;
	if (!layout_free(layout, gpa, gpa + size))
		return LAYOUT_OVERLAP;
	return layout_add(layout, gpa, gpa + size);
}

static bool layout_fits(const struct layout *layout, u64 gpa, u64 size, u64 from, u64 to)
{
	return gpa >= from && gpa < to && size <= to - gpa &&
	       memory_ptr(layout->mem, gpa, size) &&
	       layout_free(layout, gpa, gpa + size);
}

/*
 * The lowest and highest free places begin or end at a border: that of the range
 * asked for, of RAM, or of a range in use.
 */
static u64 layout_candidate(u64 start, u64 end, u64 size, u64 align,
			    enum layout_side side)
{
	if (side == LAYOUT_LOWEST)
		return align_up(start, align);
	return end >= size ? align_down(end - size, align) : UINT64_MAX;
}

/**
 * layout_find - take any free range
 * @layout:	of guest memory
 * @size:	bytes, not 0
 * @align:	power of two
 * @from:	first gpa allowed
 * @to:		first gpa not allowed; what lies above RAM below the hole is not used
 * @side:	which of several
 *
 * Return: its gpa, or 0 when there is none.
 */
u64 layout_find(struct layout *layout, u64 size, u64 align, u64 from, u64 to,
		enum layout_side side)
{
	u64 best = 0, gpa;
	unsigned int i;

	to = min_u64(to, layout->mem->low);
	for (i = 0; i <= layout->nr; i++) {
		if (i == layout->nr)
			gpa = layout_candidate(from, to, size, align, side);
		else
			gpa = layout_candidate(layout->used[i].end, layout->used[i].gpa,
					       size, align, side);
		if (!layout_fits(layout, gpa, size, from, to))
			continue;
		if (!best || (side == LAYOUT_LOWEST ? gpa < best : gpa > best))
			best = gpa;
	}
	if (!best || layout_add(layout, best, best + size) != LAYOUT_OK)
		return 0;
	return best;
}
