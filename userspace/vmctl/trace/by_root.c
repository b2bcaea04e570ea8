// SPDX-License-Identifier: GPL-2.0-only
/* Shadow roots: what they held each time that the guest left them. */
#include <stdio.h>

#include "analysis.h"

/**
 * analysis_roots - by shadow root
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_roots(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "cr3", "CR3" }, { "switches", "left", true },
		{ "tables_last", "tables", true }, { "present_last", "present", true },
		{ "present", "mean present", true }, { "accessed", "accessed", true },
		{ "dirty", "dirty", true }, { "mmio", "devices", true }, { "gnp", "gnp", true },
	};
	struct table *t = TABLE_NEW(tables, "roots", "Shadow roots at switches of CR3", column);
	struct groups groups = { };
	char key[24];
	int i;

	vec_each(struct story_root, root, &a->story->roots) {
		struct group *g;

		snprintf(key, sizeof(key), "0x%llx", root->cr3);
		g = groups_get(&groups, key);
		g->count++;
		for (i = 0; i < ROOT_HELD; i++) {
			g->extra[i] += root->held[i];
			g->extra[ROOT_HELD + i] = root->held[i];
		}
	}
	groups_sort(&groups, group_by_count);
	groups_each(g, &groups) {
		table_text(t, "%s", (*g)->key);
		table_u64(t, (*g)->count);
		table_u64(t, (*g)->extra[ROOT_HELD + ROOT_TABLES]);
		table_u64(t, (*g)->extra[ROOT_HELD + ROOT_PRESENT]);
		for (i = ROOT_PRESENT; i < ROOT_HELD; i++)
			table_fixed(t, (double)(*g)->extra[i] / (*g)->count, 1);
	}
	table_note(t, "Tables and present as it was left last, then means of all times.");
	groups_free(&groups);
}
