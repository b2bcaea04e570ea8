// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace: traces made by hand, whose truth is known, and damaged ones.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/mhv.h>

#include "../trace/report.h"
#include "fixture.h"
#include "trace_file.h"

#define TRACE	"/tmp/trace_test.dat"
#define OTHER	"/tmp/trace_test.other"

enum { HLT = 12, IO = 30, FAULT = 48, MISCONFIG = 49 };
enum { CACHE, SPTE, SLOW, MAPPED = 5 };
enum { IOREQ, REGFILE, POSTED, EVENTFD };

static int tidy(void **state)
{
	unlink(TRACE);
	unlink(OTHER);
	return 0;
}

/* ---- traces ----------------------------------------------------------------- */

#define ADD(t, what, when, ...)						\
	trace_file_add(t, 0, &(struct event){				\
		.kind = what, .ts = when, .tid = 1, ##__VA_ARGS__ })

/* a device access that the module answers by itself */
static void add_routed(struct trace_file *t, u64 ts, u64 gpa, u32 route, u64 time)
{
	ADD(t, EV_EXIT, ts, .reason = MISCONFIG, .rip = 0xffffffff81000010, .cr3 = 0x1000);
	ADD(t, EV_FAULT, ts + 1, .gpa = gpa, .verdict = CACHE, .write = 1);
	ADD(t, EV_MMIO, ts + 2, .gpa = gpa, .size = 1, .data = 0x40, .write = 1, .route = route);
	ADD(t, EV_ENTRY, ts + time);
}

/* one that the device model answers, in @device of the @time */
static void add_asked(struct trace_file *t, u64 ts, u64 gpa, u64 device, u64 time)
{
	ADD(t, EV_EXIT, ts, .reason = MISCONFIG, .rip = 0xffffffff81000010, .cr3 = 0x1000);
	ADD(t, EV_FAULT, ts + 1, .gpa = gpa, .verdict = SPTE);
	ADD(t, EV_IOREQ, ts + 3, .addr = gpa, .size = 4, .count = 1, .mmio = 1);
	ADD(t, EV_IOREQ_DONE, ts + 3 + device, .addr = gpa, .data = 7);
	ADD(t, EV_MMIO, ts + 4 + device, .gpa = gpa, .size = 4, .data = 7, .verdict = SPTE);
	ADD(t, EV_ENTRY, ts + time);
}

static void add_nic(struct trace_file *t)
{
	trace_file_mark(t, 10, "mhv: 1 vm 1000000 x86-tsc\n");
	trace_file_mark(t, 11, "mhv: 1 register nic 0xd9 1 TxPoll\n");
	trace_file_mark(t, 12, "mhv: 1 register nic 0x3c 2 IMR\n");
	trace_file_mark(t, 13, "mhv: 1 device nic mmio 0xfffffffff0000000 0x100\n");
}

#define NIC	0xfffffffff0000000ull

static const struct table *report_table(const struct report *report, const char *id)
{
	vec_each(struct table, t, &report->tables.list)
		if (!strcmp(t->id, id))
			return t;
	fail_msg("no table %s", id);
	return NULL;
}

/* the row whose first cells are so */
static void assert_row(const struct report *report, const char *id, const char *const *want)
{
	const struct table *t = report_table(report, id);
	unsigned int c;
	size_t row;

	for (row = 0; row < table_rows(t); row++) {
		for (c = 0; want[c] && !strcmp(want[c], table_cell(t, row, c)); c++)
			;
		if (!want[c])
			return;
	}
	fail_msg("table %s has no row %s, %s, ...", id, want[0], want[1]);
}

#define ASSERT_ROW(report, id, ...) \
	assert_row(report, id, (const char *const []){ __VA_ARGS__, NULL })

static void read_report(struct report *report)
{
	assert_int_equal(report_make(report, &(struct report_input){ .file = TRACE }), 0);
}

/* ---- what an access costs --------------------------------------------------- */

static void module_and_device_apart(void **state)
{
	struct report report;
	struct trace_file t;
	unsigned int i;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	for (i = 1; i <= 100; i++)
		add_routed(&t, 1000 * i, NIC + 0xd9, EVENTFD, 100 + i);
	add_asked(&t, 200000, NIC + 0x3c, 600, 1000);
	add_asked(&t, 300000, NIC + 0x3d, 60, 100);
	trace_file_end(&t, TRACE);

	read_report(&report);
	/* nearest rank of 101 to 200 */
	ASSERT_ROW(&report, "mmio", "nic TxPoll w1", "eventfd", "vcpu_cache", "100", "150",
		   "195", "200", "0", "0", "0");
	ASSERT_ROW(&report, "mmio", "nic IMR r4", "ioreq", "spte", "1", "400", "400", "400",
		   "600", "600", "600");
	ASSERT_ROW(&report, "mmio", "nic IMR+1 r4", "ioreq", "spte", "1", "40");
	ASSERT_ROW(&report, "exits", "tdp_misconfig", "", "102", "100.00");
	ASSERT_ROW(&report, "exits", "tdp_misconfig", "spte", "2");
	ASSERT_ROW(&report, "gpa", "0xfffffffff00000d9", "nic TxPoll", "100");
	ASSERT_ROW(&report, "summary", "lost events", "0");
	assert_false(report.analysis.equal);
	report_free(&report);
}

static void device_moves(void **state)
{
	struct report report;
	struct trace_file t;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	add_routed(&t, 1000, NIC + 0xd9, POSTED, 100);
	trace_file_mark(&t, 2000, "mhv: 1 gone mmio 0xfffffffff0000000\n");
	add_routed(&t, 3000, NIC + 0xd9, POSTED, 100);
	trace_file_mark(&t, 4000, "mhv: 1 device nic mmio 0xe0000000 0x100\n");
	add_routed(&t, 5000, 0xe00000d9, POSTED, 100);
	trace_file_mark(&t, 5500, "a mark of somebody else\n");
	trace_file_end(&t, TRACE);

	read_report(&report);
	ASSERT_ROW(&report, "mmio", "nic TxPoll w1", "posted", "vcpu_cache", "2");
	ASSERT_ROW(&report, "mmio", "0xfffffffff00000d9 w1", "posted", "vcpu_cache", "1");
	report_free(&report);
}

/* two VMs with different devices at one address; of a third one nothing is known */
static void devices_of_each_vm(void **state)
{
	struct report report;
	struct trace_file t;
	int tid;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	trace_file_mark(&t, 20, "mhv: 1 vcpu 100\n");
	trace_file_mark(&t, 21, "mhv: 2 vm 1000000 x86-tsc\n");
	trace_file_mark(&t, 22, "mhv: 2 register disk 0xd9 4 DATA\n");
	trace_file_mark(&t, 23, "mhv: 2 device disk mmio 0xfffffffff0000000 0x100\n");
	trace_file_mark(&t, 24, "mhv: 2 vcpu 200\n");
	for (tid = 100; tid <= 300; tid += 100) {
		trace_file_add(&t, 0, &(struct event){
			.kind = EV_EXIT, .ts = 1000 + tid, .tid = tid, .reason = MISCONFIG });
		trace_file_add(&t, 0, &(struct event){
			.kind = EV_MMIO, .ts = 1001 + tid, .tid = tid, .gpa = NIC + 0xd9,
			.size = 1, .write = 1, .route = EVENTFD });
		trace_file_add(&t, 0, &(struct event){
			.kind = EV_ENTRY, .ts = 1010 + tid, .tid = tid });
	}
	trace_file_mark(&t, 5000, "mhv: 1 gone mmio 0xfffffffff0000000\n");
	trace_file_add(&t, 0, &(struct event){
		.kind = EV_MMIO, .ts = 5001, .tid = 200, .gpa = NIC + 0xd9, .size = 4,
		.write = 1, .route = POSTED });
	trace_file_end(&t, TRACE);

	read_report(&report);
	ASSERT_ROW(&report, "mmio", "nic TxPoll w1", "eventfd", "vcpu_cache", "1");
	ASSERT_ROW(&report, "mmio", "disk DATA w1", "eventfd", "vcpu_cache", "1");
	ASSERT_ROW(&report, "mmio", "0xfffffffff00000d9 w1", "eventfd", "vcpu_cache", "1");
	ASSERT_ROW(&report, "mmio", "disk DATA w4", "posted", "vcpu_cache", "1");
	report_free(&report);
}

static void packets_and_sleep(void **state)
{
	struct report report;
	struct trace_file t;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	add_routed(&t, 1000, NIC + 0xd9, EVENTFD, 100);
	trace_file_mark(&t, 2000, "mhv: 1 packet tx 512\n");
	add_routed(&t, 3000, NIC + 0xd9, EVENTFD, 100);
	ADD(&t, EV_EXIT, 4000, .reason = HLT);
	ADD(&t, EV_ENTRY, 9000);
	add_asked(&t, 10000, NIC + 0x3c, 600, 1000);
	trace_file_mark(&t, 12000, "mhv: 1 packet rx 1536\n");
	trace_file_end(&t, TRACE);

	read_report(&report);
	ASSERT_ROW(&report, "packets", "packets", "2", "1.00", "1.00");
	ASSERT_ROW(&report, "packets", "exits", "2", "1.00");
	ASSERT_ROW(&report, "packets", "ticks in the module", "500", "250.00", "250.00");
	ASSERT_ROW(&report, "packets", "ticks in the device model", "600");
	ASSERT_ROW(&report, "packet_registers", "nic TxPoll w1", "1", "0.50");
	ASSERT_ROW(&report, "exits", "hlt", "", "1", "25.00", "5000");
	report_free(&report);
}

/* ---- shadow roots ------------------------------------------------------------- */

static void roots_by_cr3(void **state)
{
	struct report report;
	struct trace_file t;

	trace_file_begin(&t, "mhv");
	ADD(&t, EV_SHADOW_ROOT, 100, .cr3 = 0x2000, .tables = 3, .present = 10, .accessed = 8,
	    .dirty = 4, .mmio = 1, .gnp = 2);
	ADD(&t, EV_SHADOW_ROOT, 200, .cr3 = 0x3000, .tables = 5, .present = 50);
	ADD(&t, EV_SHADOW_ROOT, 300, .cr3 = 0x2000, .tables = 4, .present = 33, .accessed = 19,
	    .dirty = 4, .mmio = 1, .gnp = 0);
	trace_file_end(&t, TRACE);

	read_report(&report);
	assert_int_equal(table_rows(report_table(&report, "roots")), 2);
	ASSERT_ROW(&report, "roots", "0x2000", "2", "4", "33", "21.5", "13.5", "4.0", "1.0", "1.0");
	ASSERT_ROW(&report, "roots", "0x3000", "1", "5", "50", "50.0", "0.0", "0.0", "0.0", "0.0");
	report_free(&report);
}

/* ---- strings ---------------------------------------------------------------- */

/* two vCPUs at once, their pieces in between each other */
static void strings_have_data(void **state)
{
	static const u8 a[] = { 1, 2, 3, 4 }, b[] = { 0xab, 0xcd, 0xef, 0x55 };
	const u32 flags = MHV_IOREQ_STRING | MHV_IOREQ_WRITE;
	struct report report;
	struct trace_file t;
	u64 i;

	trace_file_begin(&t, "mhv");
	for (i = 0; i < 2; i++)
		ADD(&t, EV_EXIT, 100 + i, .vcpu = i, .reason = FAULT);
	ADD(&t, EV_IOREQ, 110, .vcpu = 0, .addr = 0xd0000000, .size = 2, .count = 4, .mmio = 1,
	    .flags = flags);
	ADD(&t, EV_IOREQ, 111, .vcpu = 1, .addr = 0x3f8, .size = 1, .count = 4, .flags = flags);
	ADD(&t, EV_DATA, 120, .vcpu = 0, .bytes = a, .nr_bytes = 4);
	ADD(&t, EV_DATA, 121, .vcpu = 1, .bytes = b, .nr_bytes = 4);
	ADD(&t, EV_DATA, 122, .vcpu = 0, .offset = 4, .bytes = b, .nr_bytes = 4);
	trace_file_end(&t, TRACE);

	read_report(&report);
	assert_int_equal(table_rows(report_table(&report, "strings")), 2);
	assert_string_equal(table_cell(report_table(&report, "strings"), 0, 6),
			    "01020304abcdef55");
	assert_string_equal(table_cell(report_table(&report, "strings"), 1, 6), "abcdef55");
	ASSERT_ROW(&report, "ports", "port 0x3f8 w4", "1");
	report_free(&report);
}

/* ---- is it all of it? ------------------------------------------------------- */

static void add_counters(struct trace_file *t, unsigned int exits)
{
	trace_file_mark(t, 9000, "mhv: 1 counter exits %u\n", exits);
	trace_file_mark(t, 9001, "mhv: 1 counter exit_tdp_misconfig 1\n");
	trace_file_mark(t, 9002, "mhv: 1 counter pf_vcpu_cache 1\n");
	trace_file_mark(t, 9003, "mhv: 1 counter mmio_write 1\n");
	trace_file_mark(t, 9004, "mhv: 1 counter route_eventfd 1\n");
	trace_file_mark(t, 9005, "mhv: 1 counter exit_entry_failed 1\n");
	trace_file_mark(t, 9006, "mhv: 1 end\n");
}

static bool counters_equal(unsigned int exits)
{
	struct report report;
	struct trace_file t;
	bool equal;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	add_routed(&t, 1000, NIC + 0xd9, EVENTFD, 100);
	add_counters(&t, exits);
	trace_file_end(&t, TRACE);
	read_report(&report);
	equal = report.analysis.equal;
	report_free(&report);
	return equal;
}

static void counters(void **state)
{
	assert_true(counters_equal(2));
	assert_false(counters_equal(3));
}

static void lost_events_are_told(void **state)
{
	struct report report;
	struct trace_file t;

	trace_file_begin(&t, "mhv");
	add_routed(&t, 1000, NIC, EVENTFD, 100);
	ADD(&t, EV_EXIT, 2000, .reason = IO);
	trace_file_turn_page(&t, 0, 42);
	/* not the entry after that exit: many were in between */
	ADD(&t, EV_ENTRY, 5000);
	trace_file_end(&t, TRACE);

	read_report(&report);
	ASSERT_ROW(&report, "summary", "lost events", "42");
	ASSERT_ROW(&report, "exits", "io", "", "1", "50.00", "", "", "", "0");
	report_free(&report);
}

/* events of two CPUs come in the order of time */
static void cpus_are_merged(void **state)
{
	struct report report;
	struct trace_file t;

	trace_file_begin(&t, "mhv");
	ADD(&t, EV_EXIT, 1000, .reason = FAULT);
	trace_file_add(&t, 1, &(struct event){ EV_ENTRY, 1250, .tid = 1 });
	ADD(&t, EV_EXIT, 1300, .reason = FAULT);
	trace_file_add(&t, 1, &(struct event){ EV_FAULT, 1310, .tid = 1, .verdict = MAPPED,
					       .gpa = 0x12345 });
	trace_file_add(&t, 1, &(struct event){ EV_ENTRY, 1350, .tid = 1 });
	trace_file_end(&t, TRACE);

	read_report(&report);
	ASSERT_ROW(&report, "exits", "tdp_fault", "", "2", "100.00", "50", "250", "250", "300");
	ASSERT_ROW(&report, "gpa", "0x12000", "page", "1", "0", "1");
	report_free(&report);
}

/* ---- bad input -------------------------------------------------------------- */

static bool is_refused(const char *file)
{
	struct report report;
	int err = report_make(&report, &(struct report_input){ .file = file });

	report_free(&report);
	return err;
}

static void copy_file(const char *from, const char *to, off_t size)
{
	static u8 data[1 << 17];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(size <= (off_t)sizeof(data));
	assert_int_equal(read(in, data, size), size);
	assert_int_equal(write(out, data, size), size);
	close(in);
	close(out);
}

static off_t make_trace(void)
{
	struct trace_file t;
	struct stat stat_of;
	unsigned int i;

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	for (i = 1; i <= 60; i++)
		add_routed(&t, 1000 * i, NIC + 0xd9, EVENTFD, 100);
	trace_file_end(&t, TRACE);
	assert_int_equal(stat(TRACE, &stat_of), 0);
	return stat_of.st_size;
}

static void cut_short(void **state)
{
	off_t size = make_trace(), at;

	assert_false(is_refused(TRACE));
	for (at = 0; at < size; at += 397) {
		copy_file(TRACE, OTHER, at);
		assert_true(is_refused(OTHER));
	}
}

/* a byte here and there is wrong: refused or read, but it comes to an end */
static void damaged(void **state)
{
	off_t size = make_trace();
	u32 random = 1;
	unsigned int i;
	int fd;

	for (i = 0; i < 60; i++) {
		copy_file(TRACE, OTHER, size);
		random = random * 1103515245 + 12345;
		fd = open(OTHER, O_WRONLY);
		assert_int_equal(pwrite(fd, &random, 2, (random >> 3) % size), 2);
		close(fd);
		is_refused(OTHER);
	}
}

static void foreign(void **state)
{
	struct trace_file t;

	assert_true(is_refused("/no/such/file"));
	assert_true(is_refused("/"));
	assert_true(is_refused("/proc/self/exe"));
	trace_file_begin(&t, "kvm");
	mkdir(strcat(t.dir, "/events/mhv"), 0700);
	*strrchr(t.dir, '/') = '\0';
	*strrchr(t.dir, '/') = '\0';
	trace_file_end(&t, TRACE);
	assert_true(is_refused(TRACE));
	/* the right formats, but no event */
	trace_file_begin(&t, "mhv");
	trace_file_end(&t, TRACE);
	assert_true(is_refused(TRACE));
}

/* ---- the plugin ------------------------------------------------------------- */

/* trace-cmd says what it says without the plugin, and a name after it */
static void plugin(void **state)
{
	char dir[512], command[700], line[512];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	bool named = false;
	FILE *in;

	dir[len] = '\0';
	*strrchr(dir, '/') = '\0';
	if (access("/usr/bin/trace-cmd", X_OK))
		skip();
	make_trace();
	snprintf(command, sizeof(command),
		 "TRACEEVENT_PLUGIN_DIR=%s/.. trace-cmd report %s 2>/dev/null", dir, TRACE);
	in = popen(command, "r");
	while (fgets(line, sizeof(line), in))
		named |= strstr(line, "mhv_mmio:") &&
			 strstr(line, "route=eventfd cache=vcpu_cache [nic TxPoll]");
	assert_int_equal(pclose(in), 0);
	assert_true(named);
}

/* ---- symbols ---------------------------------------------------------------- */

static void write_text(const char *text)
{
	FILE *out = fopen(OTHER, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void symbols(void **state)
{
	struct symbols s;
	char text[SYMBOL_TEXT];

	write_text("0000000000000000 D __per_cpu_start\n"
		   "ffffffff81000000 T _text\nffffffff81000000 D alias\n"
		   "ffffffff81000100 t helper\nffffffff81000200 D data\n"
		   "ffffffffc0000000 t cp_tx\t[8139cp]\n");
	assert_int_equal(symbols_read(&s, OTHER), 0);
	assert_int_equal(symbols_name(&s, 0xffffffff81000010, text), SYMBOL_CODE);
	assert_string_equal(text, "_text+0x10");
	assert_int_equal(symbols_name(&s, 0xffffffff810001ff, text), SYMBOL_CODE);
	assert_string_equal(text, "helper+0xff");
	assert_int_equal(symbols_name(&s, 0xffffffff81000204, text), SYMBOL_NO_CODE);
	assert_int_equal(symbols_name(&s, 0xffffffffc0000004, text), SYMBOL_CODE);
	assert_string_equal(text, "cp_tx+0x4");
	assert_int_equal(symbols_name(&s, 0xfffffffff0000000, text), SYMBOL_NO_CODE);
	assert_int_equal(symbols_name(&s, 0x400000, text), SYMBOL_USER);
	symbols_free(&s);
}

static bool map_is_refused(const char *map)
{
	struct report_input in = { .file = TRACE, .system_map = OTHER };
	struct report report;
	int err;

	write_text(map);
	err = report_make(&report, &in);
	report_free(&report);
	return err;
}

/* the guest halts at 0xffffffff81000300 */
static void symbols_of_another_build(void **state)
{
	static const char *const format =
		"ffffffff81000000 T _text\nffffffff81000%d00 t default_idle\n"
		"ffffffff81000%d00 t helper\nffffffff81000400 T _etext\n";
	struct trace_file t;
	char map[200];

	trace_file_begin(&t, "mhv");
	add_nic(&t);
	add_routed(&t, 1000, NIC + 0xd9, EVENTFD, 100);
	ADD(&t, EV_EXIT, 4000, .reason = HLT, .rip = 0xffffffff81000310);
	ADD(&t, EV_ENTRY, 9000);
	trace_file_end(&t, TRACE);
	snprintf(map, sizeof(map), format, 3, 2);
	assert_false(map_is_refused(map));
	snprintf(map, sizeof(map), format, 2, 3);
	assert_true(map_is_refused(map));
	/* not a Linux: what it calls its functions is its affair */
	assert_false(map_is_refused("ffffffff81000000 T _text\nffffffff81000300 T sleep\n"));
}

static void symbols_that_do_not_fit(void **state)
{
	make_trace();
	assert_false(map_is_refused("ffffffff81000000 T _text\nffffffff82000000 D _end\n"));
	assert_true(map_is_refused("ffffffff81000000 D data\nffffffff82000000 T _text\n"));
	assert_true(map_is_refused("ffffffff91000000 T _text\nffffffff92000000 D _end\n"));
	assert_true(map_is_refused("ffffffffffffffff B The real System.map is elsewhere\n"));
	assert_true(map_is_refused("\x7f" "ELF\n"));
	assert_true(map_is_refused(""));
}

const char *__lsan_default_suppressions(void);

/* what the libraries leave of formats that they have parsed */
const char *__lsan_default_suppressions(void)
{
	return "leak:libtraceevent\nleak:libtracecmd\nleak:isoc99_vsscanf\n";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_and_device_apart),
		cmocka_unit_test(device_moves),
		cmocka_unit_test(devices_of_each_vm),
		cmocka_unit_test(devices_of_each_vm),
		cmocka_unit_test(packets_and_sleep),
		cmocka_unit_test(roots_by_cr3),
		cmocka_unit_test(strings_have_data),
		cmocka_unit_test(counters),
		cmocka_unit_test(lost_events_are_told),
		cmocka_unit_test(cpus_are_merged),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(damaged),
		cmocka_unit_test(foreign),
		cmocka_unit_test(plugin),
		cmocka_unit_test(symbols),
		cmocka_unit_test(symbols_of_another_build),
		cmocka_unit_test(symbols_that_do_not_fit),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, tidy);
}
