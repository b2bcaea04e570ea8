/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases for vmx_check(), shared by the host tests and KUnit. */
#ifndef MHV_TESTS_CHECK_CASES_H
#define MHV_TESTS_CHECK_CASES_H

#include <linux/bits.h>
#include <linux/types.h>

/* Guests that the cases start from; each alone is a valid VMCS. */
enum check_base {
	CHECK_LONG,		/* 64-bit, unrestricted guest, most controls on */
	CHECK_REAL,		/* real mode, by unrestricted guest */
	CHECK_PROTECTED,	/* 32-bit paging, EPT without unrestricted guest */
	CHECK_PAE,		/* PAE paging with EPT */
	CHECK_SHADOW_PAE,	/* PAE paging without EPT */
	CHECK_V8086,		/* virtual-8086 mode */
	CHECK_MINIMAL,		/* no secondary controls, nothing optional */
	CHECK_BASES,
};

enum check_cpu { CHECK_CPU_FULL, CHECK_CPU_OLD };

/* A field (CHECK_FIELD | VMCS_*) or the address of 8 bytes, and what it holds. */
struct check_value {
	u64 where;
	u64 value;
};

#define CHECK_FIELD	BIT_ULL(63)

/**
 * struct check_case - a VMCS and what is wrong with it
 * @base:	enum check_base
 * @cpu:	enum check_cpu
 * @set:	changes to @base
 * @mem:	memory
 * @field:	the one to be blamed; NULL for a valid VMCS
 * @rule:	text that the line about @field must hold
 * @findings:	number of broken rules
 */
struct check_case {
	u8 base;
	u8 cpu;
	struct check_value set[8];
	struct check_value mem[4];
	const char *field;
	const char *rule;
	u8 findings;
};

extern const struct check_case check_cases[];
extern const unsigned int nr_check_cases;

#define CHECK_MAX_FIELDS	160

/**
 * struct check_run - room to run a case in
 * @text:	what went wrong, empty when nothing did
 * @report:	what vmx_check() wrote
 * @fields:	the VMCS
 * @nr:		how many they are
 * @mem:	memory
 * @nr_mem:	how many words there are
 * @unknown:	a field that was asked for and is not there; ~0 for none
 */
struct check_run {
	char text[256];
	char report[2048];
	struct check_value fields[CHECK_MAX_FIELDS];
	unsigned int nr;
	const struct check_value *mem;
	unsigned int nr_mem;
	u64 unknown;
};

bool check_case_run(const struct check_case *tc, struct check_run *run);
bool check_case_truncation(unsigned int size, struct check_run *run);

#endif /* MHV_TESTS_CHECK_CASES_H */
