/* SPDX-License-Identifier: GPL-2.0-only */
/* A second guest walker, plain and slow, to hold the first one against. */
#ifndef HOST_REF_WALK_H
#define HOST_REF_WALK_H

#include <linux/types.h>

#define REF_MAX_WRITES	4

enum ref_outcome { REF_OK, REF_FAULT, REF_NO_MEMORY };

/* Questions, in the words of the SDM and not of guest_walk.h. */
struct ref_cpu {
	int tables;		/* 0, 32, 36 (PAE) or 48 */
	int maxphyaddr;
	bool cr0_wp, cr4_pse, cr4_smep, cr4_smap, efer_nxe, page1gb;
	__u64 cr3, pdpte[4];
	bool cpl3, is_write, is_fetch, eflags_ac, implicit;
	bool (*load)(__u64 addr, int bytes, __u64 *value);
};

struct ref_answer {
	enum ref_outcome outcome;
	__u64 addr;		/* of the byte, or of the entry without memory */
	__u32 error;
	__u64 page_bytes;
	bool r_w, u_s, xd;
	int nr_writes;
	struct { __u64 addr, value; } write[REF_MAX_WRITES];
};

struct ref_answer ref_walk(const struct ref_cpu *cpu, __u64 linear);

#endif
