// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of libtraceevent: plain `trace-cmd report` names registers, instructions and
 * the exit reasons that the module has no word for.
 *
 * What an event says stays as it is; the name comes after it.  Devices and registers are
 * known from vmctl's marks, which come before the accesses.  The mode of the code is not
 * in the trace: instructions are read as 64-bit ones.
 */
#include <event-parse.h>
#include <stdio.h>
#include <string.h>
#include <trace-seq.h>

#include "../vmctl/disasm.h"
#include "../vmctl/mark.h"
#include "../vmctl/trace/map.h"
#include "../vmctl/trace/reason.h"

#define PORTS	0x10000u

static struct map map;

/* the event as it is without us */
static void print_plain(struct trace_seq *s, struct tep_record *record, struct tep_event *event)
{
	event->flags |= TEP_EVENT_FL_NOHANDLE;
	tep_print_event(event->tep, s, record, "%s", TEP_PRINT_INFO);
	event->flags &= ~TEP_EVENT_FL_NOHANDLE;
}

static void print_register(struct trace_seq *s, struct tep_record *record,
			   struct tep_event *event, bool mmio, u64 addr)
{
	int tid = tep_data_pid(event->tep, record);
	char name[MAP_NAME];

	if (!map_device(&map, tid, mmio, addr))
		return;
	map_name(&map, tid, mmio, addr, name);
	trace_seq_printf(s, " [%s]", name);
}

static int on_gpa(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		  void *context)
{
	unsigned long long gpa;

	print_plain(s, record, event);
	if (!tep_get_field_val(NULL, event, "gpa", record, &gpa, 0))
		print_register(s, record, event, true, gpa);
	return 0;
}

/* a request tells where it goes to; its answer does not, but ports are small numbers */
static int on_request(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		      void *context)
{
	unsigned long long addr, mmio;

	print_plain(s, record, event);
	if (tep_get_field_val(NULL, event, "addr", record, &addr, 0))
		return 0;
	if (tep_get_field_val(NULL, event, "mmio", record, &mmio, 0))
		mmio = addr >= PORTS;
	print_register(s, record, event, mmio, addr);
	return 0;
}

static int on_exit(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		   void *context)
{
	unsigned long long reason;
	const char *name = NULL;

	print_plain(s, record, event);
	if (!tep_get_field_val(NULL, event, "reason", record, &reason, 0))
		name = reason_name(reason & 0xffff);
	if (name)
		trace_seq_printf(s, " [%s]", name);
	return 0;
}

static int on_decode(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		     void *context)
{
	unsigned long long rip = 0;
	char text[DISASM_TEXT];
	const u8 *bytes;
	int len;

	print_plain(s, record, event);
	bytes = tep_get_field_raw(NULL, event, "bytes", record, &len, 0);
	if (!bytes || tep_get_field_val(NULL, event, "rip", record, &rip, 0))
		return 0;
	disasm(text, bytes, len, 64, rip);
	trace_seq_printf(s, " [%s]", text);
	return 0;
}

static int on_mark(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		   void *context)
{
	size_t prefix = strlen(MARK_PREFIX);
	char line[256];
	const char *text;
	int len;

	print_plain(s, record, event);
	text = tep_get_field_raw(NULL, event, "buf", record, &len, 0);
	if (!text || strncmp(text, MARK_PREFIX, prefix))
		return 0;
	snprintf(line, sizeof(line), "%s", text + prefix);
	line[strcspn(line, "\n")] = '\0';
	map_mark(&map, line);
	return 0;
}

static const struct {
	const char *system, *event;
	tep_event_handler_func handler;
} handlers[] = {
	{ "ftrace", "print", on_mark },
	{ "mhv", "mhv_exit", on_exit },
	{ "mhv", "mhv_page_fault", on_gpa },
	{ "mhv", "mhv_mmio", on_gpa },
	{ "mhv", "mhv_posted", on_gpa },
	{ "mhv", "mhv_eventfd", on_gpa },
	{ "mhv", "mhv_ioreq", on_request },
	{ "mhv", "mhv_ioreq_done", on_request },
	{ "mhv", "mhv_decode", on_decode },
};

#define EXPORTED	__attribute((__visibility__("default")))

EXPORTED int TEP_PLUGIN_LOADER(struct tep_handle *tep);
EXPORTED void TEP_PLUGIN_UNLOADER(struct tep_handle *tep);

/* called by libtraceevent */
int TEP_PLUGIN_LOADER(struct tep_handle *tep)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		tep_register_event_handler(tep, -1, handlers[i].system, handlers[i].event,
					   handlers[i].handler, NULL);
	return 0;
}

/* likewise */
void TEP_PLUGIN_UNLOADER(struct tep_handle *tep)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		tep_unregister_event_handler(tep, -1, handlers[i].system, handlers[i].event,
					     handlers[i].handler, NULL);
	map_free(&map);
}
