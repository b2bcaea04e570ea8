// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/mman.h>

#include "paging_window.h"

/**
 * window_create - make the tables and what they lead to
 * @vm:		gets them as slot 1
 * @nr:		number of tables: 3 for the levels up to the third, to be entered in the
 *		guest's root; 4 with a root of their own
 *
 * Each page of the window begins with the address of its frame.  A #PF is logged, and
 * the access, of 3 bytes, skipped.
 *
 * Return: the tables, filled, without marks.
 */
window_table *window_create(struct vm *vm, int nr)
{
	window_table *table = host_alloc(nr * PAGE_SIZE);
	int i;

	vm_set_slot(vm, 1, TABLES, nr * PAGE_SIZE, table);
	window_fill(table, nr, 0);
	for (i = 0; i < PAGES; i++)
		*(__u64 *)vm_ptr(vm, FRAME(i)) = FRAME(i);
	vm_log(vm)->skip[PF_VECTOR] = 3;
	return table;
}

/**
 * window_fill - make the tables what they were at first
 * @table:	from window_create()
 * @nr:		as given there
 * @marks:	PTE_A and PTE_D as entries have them
 */
void window_fill(window_table *table, int nr, __u64 marks)
{
	int i;

	memset(table, 0, nr * PAGE_SIZE);
	for (i = 0; i < PAGES; i++)
		table[0][i] = FRAME(i) | PTE_TABLE | marks;
	marks &= PTE_A;
	table[1][0] = TABLES | PTE_TABLE | marks;
	table[2][0] = (TABLES + PAGE_SIZE) | PTE_TABLE | marks;
	if (nr < 4)
		return;
	table[3][0] = GUEST_PDPT | PTE_TABLE | marks;
	table[3][1] = (TABLES + 2 * PAGE_SIZE) | PTE_TABLE | marks;
}

/**
 * window_destroy - free the tables
 * @table:	from window_create()
 * @nr:		as given there
 */
void window_destroy(window_table *table, int nr)
{
	munmap(table, nr * PAGE_SIZE);
}
