/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of a guest, for people and for programs.
 */
#ifndef VMCTL_STATS_H
#define VMCTL_STATS_H

#include "accel/accel.h"
#include "json.h"

#define COUNTERS_MAX	512

struct machine;

/**
 * struct stats - counters at one time
 * @counter: @nr:	in the order of the module, or as stats_sort() left them
 * @exits:	sum of those of exits by reason
 */
struct stats {
	struct accel_counter counter[COUNTERS_MAX];
	unsigned int nr;
	u64 exits;
};

void stats_collect(struct machine *machine, struct stats *stats);
void stats_sort(struct stats *stats);
void stats_text(const struct stats *stats);
void stats_json(const struct stats *stats, struct json *json);
void stats_print(struct machine *machine);
int stats_answer(struct machine *machine, int argc, char **argv, FILE *out);

#endif
