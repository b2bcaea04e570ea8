/* SPDX-License-Identifier: GPL-2.0-only */
/* From a story to the tables of a report. */
#ifndef VMCTL_TRACE_ANALYSIS_H
#define VMCTL_TRACE_ANALYSIS_H

#include "story.h"
#include "symbols.h"
#include "table.h"

/**
 * struct analysis - what the tables are made from
 * @story:	what happened
 * @symbols:	of the guest
 * @interval:	length of an interval, in the story's unit
 * @equal:	the trace agrees with the counters of the module; set by analysis_counters()
 */
struct analysis {
	const struct story *story;
	const struct symbols *symbols;
	u64 interval;
	bool equal;
};

/* by_exit.c */
void analysis_exits(struct analysis *a, struct tables *tables);
void analysis_faults(struct analysis *a, struct tables *tables);
void analysis_rip(struct analysis *a, struct tables *tables);
void analysis_gpa(struct analysis *a, struct tables *tables);
void analysis_cr3(struct analysis *a, struct tables *tables);
void analysis_vcpu(struct analysis *a, struct tables *tables);
void analysis_intervals(struct analysis *a, struct tables *tables);

/* by_device.c */
void analysis_mmio(struct analysis *a, struct tables *tables);
void analysis_ports(struct analysis *a, struct tables *tables);
void analysis_packets(struct analysis *a, struct tables *tables);
void analysis_strings(struct analysis *a, struct tables *tables);

/* by_root.c */
void analysis_roots(struct analysis *a, struct tables *tables);

/* summary.c */
void analysis_summary(struct analysis *a, struct tables *tables);
void analysis_counters(struct analysis *a, struct tables *tables);

void analysis_tables(struct analysis *a, struct tables *tables);
bool analysis_is_halt(const struct story *story, const struct story_exit *e);
int group_by_count(const void *a, const void *b);
void table_spread(struct table *table, struct vec *samples);

#endif
