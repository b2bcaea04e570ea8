// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the trace is, and whether it is all of it: its events against the module's counters.
 */
#include <stdio.h>
#include <string.h>

#include "analysis.h"

static void summary_row(struct table *t, const char *what, const char *unit, u64 value)
{
	table_text(t, "%s", what);
	table_u64(t, value);
	table_text(t, "%s", unit);
}

static u64 summary_events(const struct story *story)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < EV_COUNT; i++)
		sum += story->events[i];
	return sum;
}

static u64 summary_mmio(const struct story *story)
{
	u64 sum = 0;

	vec_each(struct story_access, a, &story->accesses)
		sum += a->mmio;
	return sum;
}

/**
 * analysis_summary - the trace as a whole
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_summary(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "what", "what" }, { "value", "value", true }, { "unit", "unit" },
	};
	struct table *t = TABLE_NEW(tables, "summary", "Summary", column);
	const struct story *story = a->story;
	u64 mmio = summary_mmio(story);

	table_note(t, "%s: %.6f s by the clock '%s'.", story->file,
		   (story->last - story->first) / story_rate(story),
		   *story->clock ? story->clock : "not told");
	summary_row(t, "duration", story_unit(story), story->last - story->first);
	summary_row(t, "VMs", "", story->vms);
	summary_row(t, "vCPUs", "", story->vcpus.nr);
	summary_row(t, "events", "", summary_events(story));
	summary_row(t, "lost events", story->lost_some ? "and more, uncounted" : "", story->lost);
	summary_row(t, "exits", "", story->exits.nr);
	summary_row(t, "page faults", "", story->faults.nr);
	summary_row(t, "device memory accesses", "", mmio);
	summary_row(t, "port accesses", "", story->accesses.nr - mmio);
	summary_row(t, "string transfers", "", story->strings.nr);
	summary_row(t, "packets", "", story->packets.nr);
}

/* a sum of counters, "a+b-c" */
static u64 counters_sum(const struct story *story, const char *sum)
{
	const struct group *g;
	char sign = '+', name[64];
	u64 value = 0;
	int len;

	for (;; sum += len + 1) {
		len = strcspn(sum, "+-");
		snprintf(name, sizeof(name), "%.*s", len, sum);
		g = groups_find(&story->counters, name);
		if (g)
			value += sign == '+' ? g->extra[0] : -g->extra[0];
		sign = sum[len];
		if (!sign)
			return value;
	}
}

static void counters_note(const struct story *story, struct table *t, unsigned int differ)
{
	if (!story_has_vm(story)) {
		table_note(t, "The trace does not hold a VM from beginning to end");
		table_note(t, "with its counters ('vmctl run', begun after the trace,");
		table_note(t, "marks them): nothing to compare.");
		return;
	}
	if (!differ)
		table_note(t, "Each total of the trace equals the module's counters.");
	else
		table_note(t, "%u totals of the trace DIFFER from the module's counters.", differ);
	if (story->lost || story->lost_some)
		table_note(t, "%llu%s events were lost.", story->lost,
			   story->lost_some ? " and more" : "");
}

/* the totals that are, or are not, equal; how many */
static unsigned int counters_rows(const struct story *story, struct table *t, bool equal)
{
	unsigned int nr = 0;

	groups_each(g, &story->by_what) {
		u64 value = counters_sum(story, (*g)->key);

		if ((value == (*g)->count) != equal)
			continue;
		nr++;
		table_text(t, "%s", (*g)->key);
		table_u64(t, value);
		table_u64(t, (*g)->count);
		table_text(t, "%s", equal ? "equal" : "DIFFERS");
	}
	return nr;
}

/**
 * analysis_counters - the trace against the module's counters
 * @a:		analysis; @equal is set
 * @tables:	gets a table
 */
void analysis_counters(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "counters", "counters of the module" }, { "module", "module", true },
		{ "trace", "trace", true }, { "equal", "" },
	};
	struct table *t = TABLE_NEW(tables, "counters", "Trace and counters", column);
	const struct story *story = a->story;
	unsigned int differ = 0;

	if (story_has_vm(story)) {
		differ = counters_rows(story, t, false);
		counters_rows(story, t, true);
	}
	counters_note(story, t, differ);
	a->equal = story_has_vm(story) && !differ;
}

/**
 * analysis_tables - all tables, in the order of the report
 * @a:		analysis
 * @tables:	gets them
 */
void analysis_tables(struct analysis *a, struct tables *tables)
{
	static void (*const all[])(struct analysis *a, struct tables *tables) = {
		analysis_summary, analysis_exits, analysis_faults, analysis_mmio,
		analysis_packets, analysis_ports, analysis_rip, analysis_gpa, analysis_cr3,
		analysis_roots, analysis_vcpu, analysis_intervals, analysis_strings,
		analysis_counters,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		all[i](a, tables);
}
