// SPDX-License-Identifier: GPL-2.0-only
/*
 * A walk for people: the guest's entry and mhv's at every level, and why they differ.
 */
#include <stdarg.h>
#include <string.h>

#include "debug.h"
#include "json.h"
#include "size.h"

#define PTE_P	BIT(0)
#define PTE_W	BIT(1)
#define PTE_U	BIT(2)
#define PTE_A	BIT(5)
#define PTE_D	BIT(6)

static const char *const kinds[] = {
	[MHV_ENTRY_NONE]	= "none",
	[MHV_ENTRY_ABSENT]	= "absent",
	[MHV_ENTRY_TABLE]	= "table",
	[MHV_ENTRY_LEAF]	= "leaf",
	[MHV_ENTRY_MMIO]	= "mmio",
	[MHV_ENTRY_GNP]		= "gnp",
};

static const char *kind_name(u32 kind)
{
	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown";
}

static void add(char text[DEBUG_TEXT], const char *fmt, ...) __printf(2, 3);

/* one reason more */
static void add(char text[DEBUG_TEXT], const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	if (len && len < DEBUG_TEXT - 3) {
		memcpy(text + len, "; ", 3);
		len += 2;
	}
	va_start(args, fmt);
	vsnprintf(text + len, DEBUG_TEXT - len, fmt, args);
	va_end(args);
}

static bool guest_reached(const struct mhv_walk *walk, unsigned int level)
{
	return walk->bottom && level >= walk->bottom && level <= walk->top;
}

static bool guest_present(const struct mhv_walk *walk, unsigned int level)
{
	return guest_reached(walk, level) && walk->level[level - 1].gpte & PTE_P;
}

/* do all guest entries from the root to the last have the right? */
static bool guest_grants(const struct mhv_walk *walk, u64 right)
{
	unsigned int level;

	for (level = walk->top; walk->bottom && level >= walk->bottom; level--)
		/* a PDPTE of PAE paging has none to give */
		if (!(walk->level[level - 1].gpte & right) &&
		    !(level == 3 && walk->top == 3))
			return false;
	return true;
}

static void explain_absent(const struct mhv_walk *walk, unsigned int level,
			   char text[DEBUG_TEXT])
{
	if (walk->result == MHV_WALK_NO_MEMORY && level == walk->bottom)
		add(text, "the guest's table lies where no memory is");
	else if (walk->result == MHV_WALK_FAULT && guest_present(walk, level))
		add(text, "the guest's entry has reserved bits set");
	else if (guest_reached(walk, level) && !guest_present(walk, level))
		add(text, "the guest's entry is not present either");
	else
		add(text, "not yet faulted in");
}

static void explain_readonly(const struct mhv_walk *walk, const struct mhv_walk_level *l,
			     char text[DEBUG_TEXT])
{
	u64 last = walk->bottom ? walk->level[walk->bottom - 1].gpte : PTE_D;

	if (walk->bottom && !guest_grants(walk, PTE_W))
		add(text, "read-only for the guest as well");
	else if (l->flags & MHV_ENTRY_GUARDED)
		add(text, "read-only: the frame is a guest page table kept in sync");
	else if (!(last & PTE_D))
		add(text, "read-only until a write sets the guest's dirty bit");
	else
		add(text, "read-only: the host has not given the page for writing yet");
}

static void explain_leaf(const struct mhv_walk *walk, const struct mhv_walk_level *l,
			 char text[DEBUG_TEXT])
{
	add(text, "frame 0x%llx", l->gfn);
	if (!(l->spte & PTE_W))
		explain_readonly(walk, l, text);
	if (!(l->spte & PTE_U) && guest_grants(walk, PTE_U))
		add(text, "supervisor's alone: made when the guest's entries said so");
	if (!(l->spte & PTE_A))
		add(text, "not accessed since the host asked last");
}

/* A and D that the guest's entry got since make no difference */
static bool made_from_now(const struct mhv_walk_level *l)
{
	return (l->made_from | (l->gpte & (PTE_A | PTE_D))) == l->gpte;
}

static void explain_age(const struct mhv_walk *walk, unsigned int level, char text[DEBUG_TEXT])
{
	const struct mhv_walk_level *l = &walk->level[level - 1];

	if (l->flags & MHV_TABLE_DIRECT) {
		add(text, walk->top ? "part of a large guest page, mapped in 4K pages" :
		    "the guest has paging off");
		return;
	}
	if (l->flags & MHV_TABLE_UNSYNC)
		add(text, "unsynced: the guest may write its table");
	if (!guest_reached(walk, level) || made_from_now(l))
		return;
	if (l->flags & MHV_TABLE_UNSYNC)
		add(text, "old, made from 0x%llx, until the guest flushes", l->made_from);
	else
		add(text, "made from 0x%llx: the guest has just changed it", l->made_from);
}

static void explain_shadow(const struct mhv_walk *walk, unsigned int level,
			   char text[DEBUG_TEXT])
{
	const struct mhv_walk_level *l = &walk->level[level - 1];

	switch (l->kind) {
	case MHV_ENTRY_TABLE:
		if (level == walk->bottom && !(l->flags & MHV_TABLE_DIRECT))
			add(text, "a large guest page, mapped in 4K pages");
		break;
	case MHV_ENTRY_LEAF:
		explain_leaf(walk, l, text);
		break;
	case MHV_ENTRY_MMIO:
		add(text, "device frame 0x%llx%s", l->gfn, l->flags & MHV_ENTRY_STALE ?
		    ", of an older generation: looked up anew" : "");
		break;
	case MHV_ENTRY_GNP:
		add(text, "the guest's entry is not present: its fault needs no exit");
		break;
	default:
		explain_absent(walk, level, text);
		return;
	}
	explain_age(walk, level, text);
	if (!*text)
		add(text, "in step");
}

/* entries by gpa: nothing of the guest's to compare them with */
static void explain_tdp(const struct mhv_walk *walk, unsigned int level, char text[DEBUG_TEXT])
{
	const struct mhv_walk_level *l = &walk->level[level - 1];
	char size[SIZE_TEXT];

	switch (l->kind) {
	case MHV_ENTRY_TABLE:
		add(text, "table for gpa 0x%llx", l->gfn << 12);
		break;
	case MHV_ENTRY_LEAF:
		add(text, "gpa 0x%llx, a page of %s%s", l->gfn << 12,
		    size_text(1ull << (12 + 9 * (level - 1)), size),
		    l->spte & PTE_W ? "" : "; read-only: not given for writing yet");
		break;
	case MHV_ENTRY_MMIO:
		add(text, "device frame 0x%llx%s", walk->gpa >> 12, l->flags & MHV_ENTRY_STALE ?
		    ", of an older generation: looked up anew" : "");
		break;
	case MHV_ENTRY_ABSENT:
		add(text, "not yet faulted in");
		break;
	default:
		add(text, walk->result == MHV_WALK_OK ? "no table" :
		    "no translation, nothing to look up");
	}
}

/**
 * walk_explain - what there is to say of one level
 * @walk:	answer of MHV_WALK
 * @level:	1 to 4
 * @text:	out
 */
void walk_explain(const struct mhv_walk *walk, unsigned int level, char text[DEBUG_TEXT])
{
	*text = '\0';
	if (walk->paging == MHV_PAGING_TDP)
		explain_tdp(walk, level, text);
	else
		explain_shadow(walk, level, text);
}

static bool level_shown(const struct mhv_walk *walk, unsigned int level)
{
	return guest_reached(walk, level) || walk->level[level - 1].kind != MHV_ENTRY_NONE;
}

static void print_verdict(const struct mhv_walk *walk, FILE *out)
{
	char size[SIZE_TEXT];

	fprintf(out, "gva 0x%llx, cr3 0x%llx: ", walk->gva, walk->cr3);
	switch (walk->result) {
	case MHV_WALK_OK:
		fprintf(out, "gpa 0x%llx", walk->gpa);
		if (walk->bottom)
			fprintf(out, ", a page of %s",
				size_text(1ull << walk->page_shift, size));
		break;
	case MHV_WALK_FAULT:
		fprintf(out, "page fault, error code 0x%x, at level %u", walk->error_code,
			walk->bottom);
		break;
	case MHV_WALK_NO_MEMORY:
		fprintf(out, "no memory at gpa 0x%llx for the guest's table", walk->gpa);
		break;
	default:
		fputs("the guest keeps changing its tables: try again", out);
	}
	fputc('\n', out);
}

/**
 * walk_print - print a walk for people
 * @walk:	answer of MHV_WALK
 * @out:	where to
 */
void walk_print(const struct mhv_walk *walk, FILE *out)
{
	const char *host = walk->paging == MHV_PAGING_TDP ? "tdp" : "shadow";
	unsigned int level = walk->top > walk->host_top ? walk->top : walk->host_top;
	char text[DEBUG_TEXT];

	print_verdict(walk, out);
	fprintf(out, "level  %-18s  %-18s  %-6s  why\n", "guest", host, "kind");
	for (; level; level--) {
		const struct mhv_walk_level *l = &walk->level[level - 1];

		if (!level_shown(walk, level))
			continue;
		if (guest_reached(walk, level))
			fprintf(out, "%-5u  0x%016llx  ", level, l->gpte);
		else
			fprintf(out, "%-5u  %-18s  ", level, "-");
		walk_explain(walk, level, text);
		fprintf(out, "0x%016llx  %-6s  %s\n", l->spte, kind_name(l->kind), text);
	}
}

static void json_level(const struct mhv_walk *walk, unsigned int level, struct json *json)
{
	const struct mhv_walk_level *l = &walk->level[level - 1];
	char text[DEBUG_TEXT];

	json_open(json, NULL, '{');
	json_u64(json, "level", level);
	if (guest_reached(walk, level)) {
		json_u64(json, "gpte", l->gpte);
		json_u64(json, "gpte_gpa", l->gpte_gpa);
	} else {
		json_null(json, "gpte");
		json_null(json, "gpte_gpa");
	}
	json_u64(json, "spte", l->spte);
	json_u64(json, "made_from", l->made_from);
	json_u64(json, "gfn", l->gfn);
	json_string(json, "kind", kind_name(l->kind));
	json_bool(json, "unsync", l->flags & MHV_TABLE_UNSYNC);
	json_bool(json, "direct", l->flags & MHV_TABLE_DIRECT);
	json_bool(json, "stale", l->flags & MHV_ENTRY_STALE);
	json_bool(json, "guarded", l->flags & MHV_ENTRY_GUARDED);
	walk_explain(walk, level, text);
	json_string(json, "why", text);
	json_close(json, '}');
}

/**
 * walk_print_json - print a walk for programs, one line
 * @walk:	answer of MHV_WALK
 * @out:	where to
 */
void walk_print_json(const struct mhv_walk *walk, FILE *out)
{
	static const char *const results[] = {
		[MHV_WALK_OK] = "ok", [MHV_WALK_FAULT] = "fault",
		[MHV_WALK_NO_MEMORY] = "no_memory", [MHV_WALK_RACED] = "raced",
	};
	unsigned int level = walk->top > walk->host_top ? walk->top : walk->host_top;
	struct json json = { .out = out };

	json_open(&json, NULL, '{');
	json_u64(&json, "gva", walk->gva);
	json_u64(&json, "gpa", walk->gpa);
	json_u64(&json, "cr3", walk->cr3);
	json_string(&json, "paging", walk->paging == MHV_PAGING_TDP ? "tdp" : "shadow");
	json_string(&json, "result", walk->result < ARRAY_SIZE(results) ?
		    results[walk->result] : "unknown");
	json_u64(&json, "error_code", walk->error_code);
	json_u64(&json, "page_shift", walk->page_shift);
	json_open(&json, "levels", '[');
	for (; level; level--)
		if (level_shown(walk, level))
			json_level(walk, level, &json);
	json_close(&json, ']');
	json_close(&json, '}');
	fputc('\n', out);
}
