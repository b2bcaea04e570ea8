/* SPDX-License-Identifier: GPL-2.0-only */
/* A window of pages that the guest sees through tables in a memslot of their own. */
#ifndef SELFTESTS_PAGING_WINDOW_H
#define SELFTESTS_PAGING_WINDOW_H

#include "mhv_vm.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U)

#define TABLES		0x80000000ull		/* the leaf first, then the level above */
#define WINDOW		BIT_ULL(39)
#define PAGES		64
#define FRAME(n)	(0x400000ull + (n) * PAGE_SIZE)
#define GVA(page)	(WINDOW + (page) * PAGE_SIZE)

typedef __u64 window_table[512];

window_table *window_create(struct vm *vm, int nr);
void window_fill(window_table *table, int nr, __u64 marks);
void window_destroy(window_table *table, int nr);

#endif
