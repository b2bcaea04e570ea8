/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own translation: gva to gpa by the guest's page tables, as the
 * processor would do it (Intel SDM volume 3, chapter "Paging").
 *
 * Pure: memory is reached through callbacks, no vCPU and no lock is known here,
 * and the host tests build the same file.
 */
#ifndef MHV_MMU_GUEST_WALK_H
#define MHV_MMU_GUEST_WALK_H

#include <linux/bits.h>
#include <linux/types.h>

/* Bits of a guest page-table entry (gpte) that all formats share. */
#define GPTE_P			BIT_ULL(0)	/* present */
#define GPTE_W			BIT_ULL(1)	/* writable */
#define GPTE_U			BIT_ULL(2)	/* user */
#define GPTE_PWT		BIT_ULL(3)
#define GPTE_PCD		BIT_ULL(4)
#define GPTE_A			BIT_ULL(5)	/* accessed */
#define GPTE_D			BIT_ULL(6)	/* dirty, in the leaf */
#define GPTE_PS			BIT_ULL(7)	/* leaf above level 1 */
#define GPTE_G			BIT_ULL(8)	/* global, in the leaf */
#define GPTE_NX			BIT_ULL(63)	/* 64-bit entries alone */

/* Error code of a #PF */
#define PFERR_P			BIT(0)	/* entries were present: rights or RSVD */
#define PFERR_W			BIT(1)	/* write */
#define PFERR_U			BIT(2)	/* user-mode access */
#define PFERR_RSVD		BIT(3)	/* a reserved bit was set */
#define PFERR_I			BIT(4)	/* fetch */

#define GUEST_WALK_LEVELS	4

/**
 * enum guest_paging - format of the guest's page tables
 * @GUEST_PAGING_NONE:		CR0.PG = 0: gpa is gva
 * @GUEST_PAGING_32BIT:		two levels of 32-bit entries, 4 KiB and 4 MiB pages
 * @GUEST_PAGING_PAE:		four PDPTE registers, two levels of 64-bit entries
 * @GUEST_PAGING_4LEVEL:	4 KiB, 2 MiB and 1 GiB pages
 */
enum guest_paging {
	GUEST_PAGING_NONE,
	GUEST_PAGING_32BIT,
	GUEST_PAGING_PAE,
	GUEST_PAGING_4LEVEL,
};

/**
 * struct guest_mmu_mode - what of the vCPU decides how an entry is read
 * @paging:	enum guest_paging
 * @phys_bits:	width of a guest physical address, 32 to 52
 * @wp:		CR0.WP
 * @nxe:	EFER.NXE
 * @smep:	CR4.SMEP
 * @smap:	CR4.SMAP
 * @pse:	CR4.PSE (decides in 32-bit paging alone)
 * @gbpages:	the guest's CPUID offers 1 GiB pages
 */
struct guest_mmu_mode {
	u8 paging;
	u8 phys_bits;
	bool wp;
	bool nxe;
	bool smep;
	bool smap;
	bool pse;
	bool gbpages;
};

/**
 * struct guest_root - where the tables begin
 * @cr3:	guest CR3; flag and reserved bits are ignored
 * @pdpte:	PAE: the PDPTE registers, checked when they were loaded
 */
struct guest_root {
	u64 cr3;
	u64 pdpte[4];
};

/* How memory is accessed; none of these is a supervisor read with AC clear. */
#define GUEST_ACCESS_WRITE	BIT(0)
#define GUEST_ACCESS_USER	BIT(1)	/* made at CPL 3, not implicit */
#define GUEST_ACCESS_FETCH	BIT(2)
#define GUEST_ACCESS_AC		BIT(3)	/* RFLAGS.AC is set: SMAP lets pass */
#define GUEST_ACCESS_IMPLICIT	BIT(4)	/* descriptor table, TSS …: AC is ignored */
#define GUEST_ACCESS_NO_AD	BIT(5)	/* look only: leave A and D as they are */

/* Rights that gptes grant, all levels taken together. */
#define GUEST_RIGHT_W		BIT(0)
#define GUEST_RIGHT_U		BIT(1)
#define GUEST_RIGHT_X		BIT(2)
#define GUEST_RIGHT_ALL		(GUEST_RIGHT_W | GUEST_RIGHT_U | GUEST_RIGHT_X)

/* enum guest_pte_result - what a callback answers */
enum guest_pte_result {
	GUEST_PTE_OK,
	GUEST_PTE_NO_MEMORY,	/* no guest memory there, or not to be had now */
	GUEST_PTE_CHANGED,	/* cmpxchg: the entry was not @old */
};

/**
 * struct guest_walk_ops - guest memory as the walker reaches it
 * @read_pte:	  read the entry at @gpa (aligned to @size, 4 or 8 bytes) in one piece;
 *		  4 bytes are zero-extended
 * @cmpxchg_pte:  replace @old by @new atomically.  Where page tables lie in read-only
 *		  memory it answers OK and writes nothing: a write to ROM is lost.
 */
struct guest_walk_ops {
	enum guest_pte_result (*read_pte)(void *ctx, u64 gpa, unsigned int size, u64 *val);
	enum guest_pte_result (*cmpxchg_pte)(void *ctx, u64 gpa, unsigned int size,
					     u64 old, u64 new);
};

/**
 * enum guest_walk_result - how a walk ended
 * @GUEST_WALK_OK:		&guest_walk.gpa is the translation
 * @GUEST_WALK_FAULT:		the guest gets #PF with &guest_walk.error_code
 * @GUEST_WALK_NO_MEMORY:	the entry at &guest_walk.gpa could not be reached
 * @GUEST_WALK_RACED:		the guest kept changing the entries: let it run again
 */
enum guest_walk_result {
	GUEST_WALK_OK,
	GUEST_WALK_FAULT,
	GUEST_WALK_NO_MEMORY,
	GUEST_WALK_RACED,
};

/**
 * struct guest_walk_req - what is asked
 * @mode:	how the vCPU translates
 * @root:	where its tables begin
 * @ops:	how memory is reached
 * @ctx:	handed to @ops
 * @gva:		linear address, canonical; above bit 31 ignored but in 4-level
 * @access:		GUEST_ACCESS_*
 */
struct guest_walk_req {
	const struct guest_mmu_mode *mode;
	const struct guest_root *root;
	const struct guest_walk_ops *ops;
	void *ctx;
	u64 gva;
	u32 access;
};

/**
 * struct guest_walk - what was found
 * @gpa:	 the translation with the offset in the page; for
 *		 GUEST_WALK_NO_MEMORY that of the entry
 * @error_code:	 PFERR_*, for GUEST_WALK_FAULT
 * @top:	 level of the root table: 2 to 4, 0 without paging
 * @level:	 level of the last entry read, 1 for a 4 KiB leaf; on a not-present or
 *		 reserved-bit fault that of the entry at fault; 0 without paging
 * @page_shift:	 log2 of the guest page's size (12 without paging); 0 unless the walk
 *		 came to a leaf
 * @gpte:	 [level - 1]: entries as read, @level to @top; A and D set by this walk
 *		 are included
 * @gpte_gpa:	 [level - 1]: where they lie
 * @rights:	 [level - 1]: GUEST_RIGHT_*, granted by this level and all above
 *
 * Rights are what the entries say; what CR0.WP, SMEP and SMAP make of them is
 * guest_access_fault()'s part.
 */
struct guest_walk {
	u64 gpa;
	u32 error_code;
	u8 top;
	u8 level;
	u8 page_shift;
	u64 gpte[GUEST_WALK_LEVELS];
	u64 gpte_gpa[GUEST_WALK_LEVELS];
	u8 rights[GUEST_WALK_LEVELS];
};

enum guest_walk_result guest_walk(const struct guest_walk_req *req, struct guest_walk *walk);

/* The leaf's rights after a walk that came to a leaf. */
static inline u8 guest_walk_rights(const struct guest_walk *walk)
{
	return walk->level ? walk->rights[walk->level - 1] : GUEST_RIGHT_ALL;
}

bool guest_access_fault(const struct guest_mmu_mode *mode, u8 rights, u32 access);
u32 guest_fault_code(const struct guest_mmu_mode *mode, u32 access, u32 cause);
bool guest_pte_is_leaf(const struct guest_mmu_mode *mode, u64 gpte, int level);
u8 guest_pte_rights(u64 gpte);
u64 guest_pte_reserved(const struct guest_mmu_mode *mode, u64 gpte, int level);
u64 guest_pte_addr(const struct guest_mmu_mode *mode, u64 gpte, int level);

#endif /* MHV_MMU_GUEST_WALK_H */
