// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../trace/dat.h"
#include "fixture.h"
#include "trace_file.h"

#define PAGE_HEAD	16
#define COMMON		8	/* bytes that each event begins with */
#define FIRST_ID	300

struct field {
	const char *name;
	unsigned int size;
	size_t at;
};

#define FIELD(name, size)	{ #name, size, offsetof(struct event, name) }

/* the events that are written, with their fields in order; "bytes" comes last by itself */
static const struct {
	enum event_kind kind;
	const char *name, *print;
	struct field field[10];
} formats[] = {
	{ EV_ENTRY, "mhv_entry", "\"vcpu=%u\", REC->vcpu", { FIELD(vcpu, 4) } },
	{ EV_EXIT, "mhv_exit",
	  "\"vcpu=%u reason=%s\", REC->vcpu, __print_symbolic(REC->reason & 0xffff, { 12, \"hlt\" }, { 30, \"io\" }, { 48, \"tdp_fault\" }, { 49, \"tdp_misconfig\" })",
	  { FIELD(rip, 8), FIELD(cr3, 8), FIELD(vcpu, 4), FIELD(reason, 4) } },
	{ EV_FAULT, "mhv_page_fault",
	  "\"verdict=%s\", __print_symbolic(REC->verdict, { 0, \"vcpu_cache\" }, { 1, \"spte\" }, { 2, \"slow\" }, { 5, \"mapped\" })",
	  { FIELD(gpa, 8), FIELD(gva, 8), FIELD(vcpu, 4), FIELD(verdict, 4), FIELD(write, 1) } },
	{ EV_MMIO, "mhv_mmio",
	  "\"route=%s cache=%s\", __print_symbolic(REC->route, { 0, \"ioreq\" }, { 1, \"regfile\" }, { 2, \"posted\" }, { 3, \"eventfd\" }), __print_symbolic(REC->verdict, { 0, \"vcpu_cache\" }, { 1, \"spte\" }, { 2, \"slow\" })",
	  { FIELD(gva, 8), FIELD(gpa, 8), FIELD(data, 8), FIELD(vcpu, 4), FIELD(size, 4),
	    FIELD(route, 4), FIELD(verdict, 4), FIELD(write, 1) } },
	{ EV_IOREQ, "mhv_ioreq", "\"vcpu=%u\", REC->vcpu",
	  { FIELD(addr, 8), FIELD(data, 8), FIELD(vcpu, 4), FIELD(size, 4), FIELD(count, 4),
	    FIELD(flags, 4), FIELD(mmio, 1) } },
	{ EV_IOREQ_DONE, "mhv_ioreq_done", "\"vcpu=%u\", REC->vcpu",
	  { FIELD(addr, 8), FIELD(data, 8), FIELD(vcpu, 4) } },
	{ EV_SHADOW_ROOT, "mhv_shadow_root", "\"vcpu=%u\", REC->vcpu",
	  { FIELD(cr3, 8), FIELD(tables, 8), FIELD(present, 8), FIELD(accessed, 8),
	    FIELD(dirty, 8), FIELD(mmio, 8), FIELD(gnp, 8), FIELD(vcpu, 4) } },
	{ EV_DATA, "mhv_data", "\"vcpu=%u\", REC->vcpu",
	  { FIELD(vcpu, 4), FIELD(offset, 4) } },
};

/* ---- formats ---------------------------------------------------------------- */

static void file_of(const struct trace_file *t, const char *name, const char *text)
{
	char path[256], *slash;
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	for (slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0700);
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static const char common[] =
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

static void format_of(const struct trace_file *t, const char *system, unsigned int i)
{
	char name[96], text[4096];
	int at = COMMON, len;
	const struct field *f;

	len = snprintf(text, sizeof(text), "name: %s\nID: %u\n%s", formats[i].name, FIRST_ID + i,
		       common);
	for (f = formats[i].field; f->name; at += f->size, f++)
		len += snprintf(text + len, sizeof(text) - len,
				"\tfield:u%u %s;\toffset:%d;\tsize:%u;\tsigned:0;\n",
				f->size * 8, f->name, at, f->size);
	if (formats[i].kind == EV_DATA)
		len += snprintf(text + len, sizeof(text) - len,
				"\tfield:__data_loc u8[] bytes;\toffset:%d;\tsize:4;\tsigned:0;\n",
				at);
	snprintf(text + len, sizeof(text) - len, "\nprint fmt: %s\n", formats[i].print);
	snprintf(name, sizeof(name), "events/%s/%s/format", system, formats[i].name);
	file_of(t, name, text);
}

static void formats_write(const struct trace_file *t, const char *system)
{
	char text[1024];
	unsigned int i;

	file_of(t, "events/header_page",
		"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
		"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
		"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n");
	file_of(t, "events/header_event",
		"# compressed entry header\n\ttype_len    :    5 bits\n"
		"\ttime_delta  :   27 bits\n\tarray       :   32 bits\n\n"
		"\tpadding     : type == 29\n\ttime_extend : type == 30\n"
		"\ttime_stamp : type == 31\n\tdata max type_len  == 28\n");
	file_of(t, "trace_clock", "local [x86-tsc]\n");
	snprintf(text, sizeof(text),
		 "name: print\nID: 5\n%s%s", common,
		 "\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"
		 "\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;\n\n"
		 "print fmt: \"%ps: %s\", (void *)REC->ip, REC->buf\n");
	file_of(t, "events/ftrace/print/format", text);
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		format_of(t, system, i);
}

/* ---- pages ------------------------------------------------------------------ */

static void put(u8 **at, u64 value, unsigned int size)
{
	memcpy(*at, &value, size);
	*at += size;
}

/* a record of at most 112 bytes, its time as the distance from the one before */
static void record_add(struct trace_file *t, unsigned int cpu, u64 ts, const u8 *data, size_t len)
{
	unsigned int words = (len + 3) / 4;
	u8 *at;

	assert_in_range(words, 1, 28);
	if (t->used[cpu] + 4 + 4 * words > 4096 - 8)
		trace_file_turn_page(t, cpu, 0);
	if (t->used[cpu] == PAGE_HEAD) {
		t->first[cpu] = ts;
		t->last[cpu] = ts;
	}
	assert_true(ts >= t->last[cpu] && ts - t->last[cpu] < 1 << 27);
	at = t->page[cpu] + t->used[cpu];
	put(&at, words | (ts - t->last[cpu]) << 5, 4);
	memcpy(at, data, len);
	t->used[cpu] += 4 + 4 * words;
	t->last[cpu] = ts;
}

/**
 * trace_file_begin - a trace without events
 * @t:		out
 * @system:	of the events: "mhv"
 */
void trace_file_begin(struct trace_file *t, const char *system)
{
	unsigned int cpu;

	memset(t, 0, sizeof(*t));
	snprintf(t->dir, sizeof(t->dir), "/tmp/trace_test.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	formats_write(t, system);
	for (cpu = 0; cpu < TRACE_CPUS; cpu++) {
		t->fd[cpu] = memfd_create("cpu", MFD_CLOEXEC);
		t->used[cpu] = PAGE_HEAD;
	}
}

/**
 * trace_file_add - add an event
 * @t:		the trace
 * @cpu:	CPU; its events come in order
 * @ev:		the event; @bytes of an EV_DATA as well
 */
void trace_file_add(struct trace_file *t, unsigned int cpu, const struct event *ev)
{
	u8 data[112] = { }, *at = data;
	const struct field *f;
	unsigned int i = 0;

	while (formats[i].kind != ev->kind)
		assert_true(++i < ARRAY_SIZE(formats));
	put(&at, FIRST_ID + i, 4);
	put(&at, ev->tid, 4);
	for (f = formats[i].field; f->name; f++)
		put(&at, *(const u64 *)((const char *)ev + f->at), f->size);
	if (ev->kind == EV_DATA) {
		put(&at, ev->nr_bytes << 16 | (at + 4 - data), 4);
		memcpy(at, ev->bytes, ev->nr_bytes);
		at += ev->nr_bytes;
	}
	record_add(t, cpu, ev->ts, data, at - data);
}

/**
 * trace_file_mark - add a mark, on CPU 0
 * @t:		the trace
 * @ts:		when
 * @fmt:	printf format of all of it
 */
void trace_file_mark(struct trace_file *t, u64 ts, const char *fmt, ...)
{
	u8 data[112] = { 5 };
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf((char *)data + 16, sizeof(data) - 16, fmt, args);
	va_end(args);
	assert_in_range(len, 1, sizeof(data) - 17);
	record_add(t, 0, ts, data, 16 + len + 1);
}

/**
 * trace_file_turn_page - the next event begins a page
 * @t:		the trace
 * @cpu:	CPU
 * @lost:	events lost in between
 */
void trace_file_turn_page(struct trace_file *t, unsigned int cpu, u64 lost)
{
	u64 commit = t->used[cpu] - PAGE_HEAD;
	u8 *at = t->page[cpu];

	/* what the kernel says where it has lost events: so many, at the page's end */
	if (t->lost[cpu]) {
		memcpy(t->page[cpu] + t->used[cpu], &t->lost[cpu], 8);
		commit |= 1u << 31 | 1u << 30;
	}
	put(&at, t->first[cpu], 8);
	put(&at, commit, 8);
	assert_int_equal(write(t->fd[cpu], t->page[cpu], 4096), 4096);
	memset(t->page[cpu], 0, 4096);
	t->used[cpu] = PAGE_HEAD;
	t->lost[cpu] = lost;
}

/**
 * trace_file_end - write the file, forget the rest
 * @t:		the trace
 * @file:	its name
 */
void trace_file_end(struct trace_file *t, const char *file)
{
	struct dat_cpu cpus[TRACE_CPUS];
	char command[128];
	unsigned int cpu;

	for (cpu = 0; cpu < TRACE_CPUS; cpu++) {
		if (t->used[cpu] > PAGE_HEAD)
			trace_file_turn_page(t, cpu, 0);
		cpus[cpu] = (struct dat_cpu){ t->fd[cpu], lseek(t->fd[cpu], 0, SEEK_END) };
	}
	assert_int_equal(dat_write(file, t->dir, cpus, TRACE_CPUS), 0);
	for (cpu = 0; cpu < TRACE_CPUS; cpu++)
		close(t->fd[cpu]);
	snprintf(command, sizeof(command), "rm -rf '%s'", t->dir);
	assert_int_equal(system(command), 0);
}
