// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits and faults: by reason and verdict, and by where and when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis.h"

/* ---- what the tables share -------------------------------------------------- */

/**
 * group_by_count - order of groups: the largest first, then as they were found
 * @a: @b:	pointers to pointers to groups
 *
 * Return: as for qsort().
 */
int group_by_count(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->order < y->order ? -1 : 1;
}

/**
 * table_spread - add median, p95 and maximum
 * @table:	the table
 * @samples:	samples; sorted here
 */
void table_spread(struct table *table, struct vec *samples)
{
	static const unsigned int percent[] = { 50, 95, 100 };
	unsigned int i;

	samples_sort(samples);
	for (i = 0; i < ARRAY_SIZE(percent); i++)
		if (samples->nr)
			table_u64(table, samples_at(samples, percent[i]));
		else
			table_none(table);
}

/**
 * analysis_is_halt - does the guest sleep in this exit?
 * @story:	the story
 * @e:		the exit
 *
 * Return: true if its time is not work.
 */
bool analysis_is_halt(const struct story *story, const struct story_exit *e)
{
	char text[24];

	return !strcmp(story_reason(story, e->reason, text), "hlt");
}

static const struct story_exit *exit_at(const struct story *story, u32 exit)
{
	return exit == NO_EXIT ? NULL : (struct story_exit *)story->exits.at + exit;
}

static double percent_of(u64 part, u64 whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* ---- by reason and verdict -------------------------------------------------- */

static void exits_row(struct table *t, const char *reason, const char *verdict,
		      struct group *g, u64 all)
{
	table_text(t, "%s", reason);
	table_text(t, "%s", verdict);
	table_u64(t, g->count);
	table_fixed(t, percent_of(g->count, all), 2);
	table_spread(t, &g->a);
	table_u64(t, samples_sum(&g->a));
}

static void exits_collect(const struct story *story, struct groups *reasons,
			  struct groups *verdicts)
{
	const struct story_exit *e;
	struct group *g;
	char key[96], text[24];

	vec_each(struct story_exit, x, &story->exits) {
		g = groups_get(reasons, story_reason(story, x->reason, text));
		g->count++;
		if (x->whole)
			samples_add(&g->a, x->total);
	}
	vec_each(struct story_fault, f, &story->faults) {
		e = exit_at(story, f->exit);
		snprintf(key, sizeof(key), "%s\t%s",
			 e ? story_reason(story, e->reason, text) : "",
			 story_verdict(story, f->verdict));
		g = groups_get(verdicts, key);
		g->count++;
		if (e && e->whole)
			samples_add(&g->a, e->total);
	}
}

/**
 * analysis_exits - exits by reason, those that are faults by verdict
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_exits(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "reason", "reason" }, { "verdict", "verdict" }, { "count", "count", true },
		{ "percent", "%", true }, { "p50", "p50", true }, { "p95", "p95", true },
		{ "max", "max", true }, { "sum", "sum", true },
	};
	struct table *t = TABLE_NEW(tables, "exits", "Exits by reason", column);
	struct groups reasons = { }, verdicts = { };
	u64 all = a->story->exits.nr;
	size_t len;

	exits_collect(a->story, &reasons, &verdicts);
	groups_sort(&reasons, group_by_count);
	groups_sort(&verdicts, group_by_count);
	table_note(t, "From leaving the guest to entering it again, in %s.",
		   story_unit(a->story));
	table_note(t, "Below a reason, its page faults by verdict;");
	table_note(t, "a fault may get two (stale, then slow). The time of hlt is sleep.");
	groups_each(r, &reasons) {
		exits_row(t, (*r)->key, "", *r, all);
		len = strlen((*r)->key);
		groups_each(v, &verdicts)
			if (!strncmp((*v)->key, (*r)->key, len) && (*v)->key[len] == '\t')
				exits_row(t, (*r)->key, (*v)->key + len + 1, *v, all);
	}
	groups_free(&reasons);
	groups_free(&verdicts);
}

static const struct {
	const char *verdict, *meaning;
} meanings[] = {
	{ "vcpu_cache", "a device, known from the vCPU's cache" },
	{ "spte", "a device, known from the page-table entry" },
	{ "slow", "a device, found by walk and memslots" },
	{ "stale", "a device entry of an older generation: looked up anew" },
	{ "false_alarm", "the entry had changed meanwhile: the guest tries again" },
	{ "mapped", "guest memory, mapped now" },
	{ "retry", "something changed meanwhile: the guest tries again" },
	{ "no_memory", "the host could not give the memory" },
	{ "guest", "the guest's own fault, injected" },
	{ "table", "a write to a shadowed page table, done for the guest" },
};

static const char *verdict_meaning(const char *verdict)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].verdict, verdict))
			return meanings[i].meaning;
	return "";
}

/**
 * analysis_faults - page faults by verdict
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_faults(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "verdict", "verdict" }, { "count", "count", true }, { "percent", "%", true },
		{ "meaning", "meaning" },
	};
	struct table *t = TABLE_NEW(tables, "faults", "Page faults by verdict", column);
	struct groups verdicts = { };

	vec_each(struct story_fault, f, &a->story->faults)
		groups_get(&verdicts, story_verdict(a->story, f->verdict))->count++;
	groups_sort(&verdicts, group_by_count);
	groups_each(v, &verdicts) {
		table_text(t, "%s", (*v)->key);
		table_u64(t, (*v)->count);
		table_fixed(t, percent_of((*v)->count, a->story->faults.nr), 2);
		table_text(t, "%s", verdict_meaning((*v)->key));
	}
	groups_free(&verdicts);
}

/* ---- by a number of the exit ------------------------------------------------ */

/* what groups of exits count besides the exits */
enum { X_FAULTS, X_ACCESSES, X_MODULE, X_DEVICE, X_VALUE };

/* sums up exits by a key, with the faults and accesses that belong to them */
static void exits_by(const struct story *story, struct groups *groups,
		     u64 (*value)(const struct story_exit *e))
{
	struct group **of = calloc(story->exits.nr + 1, sizeof(struct group *));
	char key[32];
	size_t i = 0;

	if (!of)
		return;
	vec_each(struct story_exit, e, &story->exits) {
		struct group *g;

		snprintf(key, sizeof(key), "%llx", value(e));
		g = groups_get(groups, key);
		of[i++] = g;
		g->count++;
		g->extra[X_VALUE] = value(e);
		if (!e->whole || analysis_is_halt(story, e))
			continue;
		g->extra[X_MODULE] += e->total - e->device;
		g->extra[X_DEVICE] += e->device;
	}
	vec_each(struct story_fault, f, &story->faults)
		if (f->exit != NO_EXIT)
			of[f->exit]->extra[X_FAULTS]++;
	vec_each(struct story_access, x, &story->accesses)
		if (x->exit != NO_EXIT && x->mmio)
			of[x->exit]->extra[X_ACCESSES]++;
	free(of);
}

#define EXIT_COLUMNS							\
	{ "exits", "exits", true }, { "faults", "faults", true },	\
	{ "accesses", "MMIO", true }, { "module", "in module", true },	\
	{ "device", "in device model", true }

static void exits_by_cells(struct table *t, const struct group *g)
{
	table_u64(t, g->count);
	table_u64(t, g->extra[X_FAULTS]);
	table_u64(t, g->extra[X_ACCESSES]);
	table_u64(t, g->extra[X_MODULE]);
	table_u64(t, g->extra[X_DEVICE]);
}

static void note_sums(struct table *t, const struct story *story)
{
	table_note(t, "Times are sums in %s, without hlt.", story_unit(story));
}

static u64 exit_rip(const struct story_exit *e)
{
	return e->rip;
}

static void rip_check(const struct analysis *a, struct table *t, u64 kernel, u64 unknown)
{
	if (!a->symbols->list.nr || !unknown)
		return;
	table_note(t, "%llu of %llu exits in the kernel's half are in no function of %s:",
		   unknown, kernel, a->symbols->file);
	table_note(t, "modules, or it is not this kernel's.");
}

/**
 * analysis_rip - by instruction
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_rip(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "rip", "instruction" }, { "symbol", "function" }, EXIT_COLUMNS,
	};
	struct table *t = TABLE_NEW(tables, "rip", "By instruction", column);
	enum symbol_kind kind;
	struct groups groups = { };
	u64 kernel = 0, unknown = 0;
	char symbol[SYMBOL_TEXT];

	exits_by(a->story, &groups, exit_rip);
	groups_sort(&groups, group_by_count);
	groups_each(g, &groups) {
		kind = symbols_name(a->symbols, (*g)->extra[X_VALUE], symbol);
		kernel += kind == SYMBOL_USER ? 0 : (*g)->count;
		unknown += kind == SYMBOL_NO_CODE ? (*g)->count : 0;
		table_text(t, "0x%llx", (*g)->extra[X_VALUE]);
		table_text(t, "%s", symbol);
		exits_by_cells(t, *g);
	}
	note_sums(t, a->story);
	if (!a->symbols->list.nr)
		table_note(t, "Functions are named with --system-map.");
	rip_check(a, t, kernel, unknown);
	groups_free(&groups);
}

static u64 exit_cr3(const struct story_exit *e)
{
	return e->cr3;
}

/**
 * analysis_cr3 - by address space
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_cr3(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = { { "cr3", "CR3" }, EXIT_COLUMNS };
	struct table *t = TABLE_NEW(tables, "cr3", "By address space (CR3)", column);
	struct groups groups = { };

	exits_by(a->story, &groups, exit_cr3);
	groups_sort(&groups, group_by_count);
	groups_each(g, &groups) {
		table_text(t, "0x%llx", (*g)->extra[X_VALUE]);
		exits_by_cells(t, *g);
	}
	note_sums(t, a->story);
	groups_free(&groups);
}

static u64 exit_vcpu(const struct story_exit *e)
{
	return e->vcpu;
}

/**
 * analysis_vcpu - by vCPU
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_vcpu(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = { { "vcpu", "vCPU", true }, EXIT_COLUMNS };
	struct table *t = TABLE_NEW(tables, "vcpu", "By vCPU", column);
	struct groups groups = { };

	exits_by(a->story, &groups, exit_vcpu);
	groups_each(g, &groups) {
		table_u64(t, (*g)->extra[X_VALUE]);
		exits_by_cells(t, *g);
	}
	note_sums(t, a->story);
	groups_free(&groups);
}

/* ---- by address ------------------------------------------------------------- */

/* groups by gpa: what is there, and how often it faulted with which verdict */
enum { G_GPA, G_EXACT, G_ACCESSES, G_DEVICE_FAULTS, G_MAPPED, G_OTHER, G_NAME };

static bool verdict_is_device(const char *verdict)
{
	static const char *const device[] = { "vcpu_cache", "spte", "slow", "stale" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(device); i++)
		if (!strcmp(device[i], verdict))
			return true;
	return false;
}

static struct group *gpa_group(struct groups *groups, u64 gpa, bool exact)
{
	struct group *g;
	char key[32];

	gpa = exact ? gpa : align_down(gpa, GUEST_PAGE);
	snprintf(key, sizeof(key), "%llx%s", gpa, exact ? "" : " page");
	g = groups_get(groups, key);
	g->extra[G_GPA] = gpa;
	g->extra[G_EXACT] = exact;
	return g;
}

static void gpa_collect(const struct story *story, struct groups *groups)
{
	const char *verdict;
	struct group *g;
	bool device;

	vec_each(struct story_fault, f, &story->faults) {
		verdict = story_verdict(story, f->verdict);
		/* a #PF of the guest itself is about a linear address */
		if (!strcmp(verdict, "guest"))
			continue;
		device = verdict_is_device(verdict);
		g = gpa_group(groups, f->gpa, device);
		g->count++;
		g->extra[device ? G_DEVICE_FAULTS :
			 !strcmp(verdict, "mapped") ? G_MAPPED : G_OTHER]++;
	}
	vec_each(struct story_access, x, &story->accesses) {
		if (!x->mmio)
			continue;
		g = gpa_group(groups, x->addr, true);
		g->extra[G_ACCESSES]++;
		g->extra[G_NAME] = (uintptr_t)x->name;
	}
}

/**
 * analysis_gpa - by guest physical address
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_gpa(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "gpa", "gpa" }, { "what", "what" }, { "faults", "faults", true },
		{ "device_faults", "as device", true }, { "mapped", "mapped", true },
		{ "other", "other", true }, { "accesses", "MMIO", true },
	};
	struct table *t = TABLE_NEW(tables, "gpa", "By guest physical address", column);
	struct groups groups = { };

	gpa_collect(a->story, &groups);
	groups_sort(&groups, group_by_count);
	table_note(t, "Devices by address, memory by page.");
	table_note(t, "The guest's own page faults have none and are not here.");
	groups_each(g, &groups) {
		const u64 *x = (*g)->extra;

		table_text(t, "0x%llx", x[G_GPA]);
		table_text(t, "%s", x[G_NAME] ? (const char *)(uintptr_t)x[G_NAME] :
			   x[G_EXACT] ? "device memory" : "page");
		table_u64(t, (*g)->count);
		table_u64(t, x[G_DEVICE_FAULTS]);
		table_u64(t, x[G_MAPPED]);
		table_u64(t, x[G_OTHER]);
		table_u64(t, x[G_ACCESSES]);
	}
	groups_free(&groups);
}

/* ---- by time ---------------------------------------------------------------- */

/* what is counted in an interval */
enum { I_EXITS, I_FAULTS, I_MMIO, I_TX, I_RX, I_MODULE, I_DEVICE, I_COUNT };

/* a count per interval */
struct intervals {
	u64 begin, length;
	size_t nr;
	u64 (*count)[I_COUNT];
};

static u64 *interval_at(const struct intervals *in, u64 ts)
{
	size_t i = ts < in->begin ? 0 : (ts - in->begin) / in->length;

	return in->count[i < in->nr ? i : in->nr - 1];
}

static void intervals_count(const struct story *story, const struct intervals *in)
{
	u64 *at;

	vec_each(struct story_exit, e, &story->exits) {
		at = interval_at(in, e->ts);
		at[I_EXITS]++;
		if (!e->whole || analysis_is_halt(story, e))
			continue;
		at[I_MODULE] += e->total - e->device;
		at[I_DEVICE] += e->device;
	}
	vec_each(struct story_fault, f, &story->faults)
		interval_at(in, f->ts)[I_FAULTS]++;
	vec_each(struct story_access, x, &story->accesses)
		interval_at(in, x->ts)[I_MMIO] += x->mmio;
	vec_each(struct story_packet, p, &story->packets)
		interval_at(in, p->ts)[p->tx ? I_TX : I_RX]++;
}

#define INTERVALS_MAX	100000

/**
 * analysis_intervals - by time
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_intervals(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "from", "from (s)", true }, { "exits", "exits", true },
		{ "faults", "faults", true }, { "accesses", "MMIO", true },
		{ "packets_tx", "sent", true }, { "packets_rx", "received", true },
		{ "module", "in module", true }, { "device", "in device model", true },
	};
	struct table *t = TABLE_NEW(tables, "intervals", "By interval", column);
	const struct story *story = a->story;
	struct intervals in = { .begin = story->first, .length = a->interval };
	unsigned int c;
	size_t i;

	in.nr = min_u64((story->last - story->first) / in.length + 1, INTERVALS_MAX);
	in.count = calloc(in.nr, sizeof(*in.count));
	if (!in.count)
		return;
	intervals_count(story, &in);
	note_sums(t, story);
	table_note(t, "An interval is %.6f s.", in.length / story_rate(story));
	for (i = 0; i < in.nr; i++) {
		table_fixed(t, i * in.length / story_rate(story), 6);
		for (c = 0; c < I_COUNT; c++)
			table_u64(t, in.count[i][c]);
	}
	free(in.count);
}
