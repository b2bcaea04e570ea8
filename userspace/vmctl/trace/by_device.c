// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to devices: by register, per packet, and the data of strings.
 */
#include <stdio.h>
#include <string.h>

#include "analysis.h"

/* what one access is called: register, direction, bytes */
static void access_label(const struct story_access *x, char *label, size_t len)
{
	snprintf(label, len, "%s %c%u", x->name, x->write ? 'w' : 'r', x->size);
}

static void access_add(struct group *g, const struct story_access *x)
{
	g->count++;
	if (!x->timed)
		return;
	samples_add(&g->a, x->module);
	samples_add(&g->b, x->device);
}

/* ---- device memory ---------------------------------------------------------- */

static void mmio_collect(const struct story *story, struct groups *groups)
{
	char key[256], label[MAP_NAME + 16];

	vec_each(struct story_access, x, &story->accesses) {
		if (!x->mmio)
			continue;
		access_label(x, label, sizeof(label));
		snprintf(key, sizeof(key), "%s\t%s\t%s", label, story_route(story, x->route),
			 story_cache(story, x->verdict));
		access_add(groups_get(groups, key), x);
	}
}

/* cells of a key whose parts are separated by tabs */
static void key_cells(struct table *t, const char *key)
{
	int len;

	for (;; key += len + 1) {
		len = strcspn(key, "\t");
		table_text(t, "%.*s", len, key);
		if (!key[len])
			return;
	}
}

/**
 * analysis_mmio - device memory by register, route and cache
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_mmio(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "register", "register" }, { "route", "route" }, { "cache", "cache" },
		{ "count", "count", true },
		{ "module_p50", "module p50", true }, { "module_p95", "p95", true },
		{ "module_max", "max", true }, { "device_p50", "device p50", true },
		{ "device_p95", "p95", true }, { "device_max", "max", true },
	};
	struct table *t = TABLE_NEW(tables, "mmio", "Device memory by register", column);
	struct groups groups = { };

	mmio_collect(a->story, &groups);
	groups_sort(&groups, group_by_count);
	table_note(t, "A register read (r) or written (w) with so many bytes;");
	table_note(t, "which route answered, and which cache knew the access.");
	table_note(t, "Times in %s, apart: in the module, and in the device model",
		   story_unit(a->story));
	table_note(t, "with the way there and back (0: the module answered by itself).");
	table_note(t, "Tracing itself takes part of the module's time,");
	table_note(t, "and keeps accesses off its short way.");
	groups_each(g, &groups) {
		key_cells(t, (*g)->key);
		table_u64(t, (*g)->count);
		table_spread(t, &(*g)->a);
		table_spread(t, &(*g)->b);
	}
	groups_free(&groups);
}

/**
 * analysis_ports - ports
 * @a:		analysis
 * @tables:	gets a table
 */
void analysis_ports(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "port", "port" }, { "count", "count", true },
		{ "module_p50", "module p50", true }, { "module_p95", "p95", true },
		{ "module_max", "max", true }, { "device_p50", "device p50", true },
		{ "device_p95", "p95", true }, { "device_max", "max", true },
	};
	struct table *t = TABLE_NEW(tables, "ports", "Ports", column);
	struct groups groups = { };
	char label[MAP_NAME + 16];

	vec_each(struct story_access, x, &a->story->accesses) {
		if (x->mmio)
			continue;
		access_label(x, label, sizeof(label));
		access_add(groups_get(&groups, label), x);
	}
	groups_sort(&groups, group_by_count);
	table_note(t, "Times in %s.", story_unit(a->story));
	groups_each(g, &groups) {
		table_text(t, "%s", (*g)->key);
		table_u64(t, (*g)->count);
		table_spread(t, &(*g)->a);
		table_spread(t, &(*g)->b);
	}
	groups_free(&groups);
}

/* ---- packets ---------------------------------------------------------------- */

/* from the first packet to the last one */
struct transfer {
	u64 begin, end, packets, bytes, tx;
	u64 exits, faults, device_faults, mmio, ports, module, device;
};

static bool transfer_has(const struct transfer *tr, u64 ts)
{
	return ts >= tr->begin && ts <= tr->end;
}

static void transfer_exits(const struct story *story, struct transfer *tr)
{
	vec_each(struct story_exit, e, &story->exits) {
		if (!transfer_has(tr, e->ts) || analysis_is_halt(story, e))
			continue;
		tr->exits++;
		if (!e->whole)
			continue;
		tr->module += e->total - e->device;
		tr->device += e->device;
	}
}

static bool transfer_find(const struct story *story, struct transfer *tr)
{
	const struct story_packet *p = story->packets.at;

	*tr = (struct transfer){ .packets = story->packets.nr };
	if (!tr->packets)
		return false;
	tr->begin = p->ts;
	tr->end = p[tr->packets - 1].ts;
	vec_each(struct story_packet, packet, &story->packets) {
		tr->bytes += packet->len;
		tr->tx += packet->tx;
	}
	transfer_exits(story, tr);
	vec_each(struct story_fault, f, &story->faults)
		tr->faults += transfer_has(tr, f->ts);
	vec_each(struct story_access, x, &story->accesses) {
		tr->mmio += x->mmio && transfer_has(tr, x->ts);
		tr->ports += !x->mmio && transfer_has(tr, x->ts);
	}
	return true;
}

static void transfer_row(struct table *t, const struct transfer *tr, const char *what, u64 count)
{
	table_text(t, "%s", what);
	table_u64(t, count);
	table_fixed(t, (double)count / tr->packets, 2);
	table_fixed(t, tr->bytes ? count * 1024.0 / tr->bytes : 0, 2);
}

#define TRANSFER_COLUMNS						\
	{ "what", "what" }, { "count", "count", true },			\
	{ "per_packet", "per packet", true }, { "per_kib", "per KiB", true }

static void transfer_registers(const struct story *story, const struct transfer *tr,
			       struct tables *tables)
{
	static const struct column column[] = { TRANSFER_COLUMNS };
	struct table *t = TABLE_NEW(tables, "packet_registers",
				    "Registers and ports, per packet", column);
	struct groups groups = { };
	char label[MAP_NAME + 16];

	vec_each(struct story_access, x, &story->accesses) {
		if (!transfer_has(tr, x->ts) || !(x->mmio || x->dev))
			continue;
		access_label(x, label, sizeof(label));
		groups_get(&groups, label)->count++;
	}
	groups_sort(&groups, group_by_count);
	groups_each(g, &groups)
		transfer_row(t, tr, (*g)->key, (*g)->count);
	groups_free(&groups);
}

/**
 * analysis_packets - what a packet costs
 * @a:		analysis
 * @tables:	gets tables, if there were packets
 */
void analysis_packets(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = { TRANSFER_COLUMNS };
	const struct story *story = a->story;
	struct transfer tr;
	char what[64];
	struct table *t;

	if (!transfer_find(story, &tr))
		return;
	t = TABLE_NEW(tables, "packets", "Per packet and per KiB", column);
	table_note(t, "From the first packet to the last one: %.6f s,",
		   (tr.end - tr.begin) / story_rate(story));
	table_note(t, "%llu sent, %llu received, %llu bytes.", tr.tx, tr.packets - tr.tx,
		   tr.bytes);
	table_note(t, "Exits and time are without hlt. Tracing itself takes part of the time;");
	table_note(t, "without it there are fewer exits by timers, too.");
	transfer_row(t, &tr, "packets", tr.packets);
	transfer_row(t, &tr, "bytes", tr.bytes);
	transfer_row(t, &tr, "page faults", tr.faults);
	transfer_row(t, &tr, "exits", tr.exits);
	transfer_row(t, &tr, "device memory accesses", tr.mmio);
	transfer_row(t, &tr, "port accesses", tr.ports);
	snprintf(what, sizeof(what), "%s in the module", story_unit(story));
	transfer_row(t, &tr, what, tr.module);
	snprintf(what, sizeof(what), "%s in the device model", story_unit(story));
	transfer_row(t, &tr, what, tr.device);
	if (!strcmp(story_unit(story), "ticks"))
		table_note(t, "On the emulated host a tick is an instruction.");
	transfer_registers(story, &tr, tables);
}

/* ---- strings ---------------------------------------------------------------- */

static void string_data(struct table *t, const struct story_string *s)
{
	char text[2 * 4096 + 1];
	size_t nr = 0;

	text[0] = '\0';
	vec_each(u8, byte, &s->bytes) {
		if (2 * nr + 2 >= sizeof(text))
			break;
		snprintf(text + 2 * nr++, 3, "%02x", *byte);
	}
	table_text(t, "%s", text);
}

/**
 * analysis_strings - what string instructions transferred
 * @a:		analysis
 * @tables:	gets a table, if there were any
 */
void analysis_strings(struct analysis *a, struct tables *tables)
{
	static const struct column column[] = {
		{ "at", "at (s)", true }, { "register", "register" },
		{ "address", "address" }, { "elements", "elements", true },
		{ "size", "bytes each", true }, { "down", "order" }, { "data", "data" },
	};
	const struct story *story = a->story;
	struct table *t;

	if (!story->strings.nr)
		return;
	t = TABLE_NEW(tables, "strings", "String transfers", column);
	vec_each(struct story_string, s, &story->strings) {
		table_fixed(t, (s->ts - story->first) / story_rate(story), 6);
		table_text(t, "%s %c", s->name, s->write ? 'w' : 'r');
		table_text(t, "0x%llx", s->addr);
		table_u64(t, s->count);
		table_u64(t, s->size);
		table_text(t, "%s", s->down ? "down" : "up");
		string_data(t, s);
	}
}
