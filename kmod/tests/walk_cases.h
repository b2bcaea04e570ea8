/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases for guest_walk(), shared by the host tests and KUnit. */
#ifndef MHV_TESTS_WALK_CASES_H
#define MHV_TESTS_WALK_CASES_H

#include <linux/types.h>

#include "../mmu/guest_walk.h"

#define WALK_CASE_ENTRIES	4

/* An entry in guest memory; @marks: A and D bits that the walk must set in it. */
struct walk_entry {
	u64 gpa;
	u64 value;
	u64 marks;
};

/**
 * struct walk_case - tables, an access and its outcome
 * @name:	for people
 * @mode:	the vCPU's mode
 * @root:	where the tables begin
 * @entry:	the entries; ends at the first @gpa of 0
 * @gva:	the address
 * @access:	GUEST_ACCESS_*
 * @races:	how many times cmpxchg finds the entry changed
 * @no_write:	cmpxchg finds no memory
 * @want:	enum guest_walk_result
 * @gpa:	GUEST_WALK_OK and GUEST_WALK_NO_MEMORY
 * @error_code: GUEST_WALK_FAULT
 * @shift:	GUEST_WALK_OK: page size
 * @rights:	GUEST_WALK_OK: of the leaf
 */
struct walk_case {
	const char *name;
	struct guest_mmu_mode mode;
	struct guest_root root;
	struct walk_entry entry[WALK_CASE_ENTRIES];
	u64 gva;
	u32 access;
	u8 races;
	bool no_write;
	enum guest_walk_result want;
	u64 gpa;
	u32 error_code;
	u8 shift;
	u8 rights;
};

extern const struct walk_case walk_cases[];
extern const unsigned int nr_walk_cases;

const char *walk_case_run(const struct walk_case *tc);

#endif /* MHV_TESTS_WALK_CASES_H */
