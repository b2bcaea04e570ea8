// SPDX-License-Identifier: GPL-2.0-only
/* sizes, options, JSON, timers, bus, memory */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"
#include "options.h"
#include "size.h"

static void size_good(void **state)
{
	static const struct {
		const char *text;
		u64 bytes;
	} cases[] = {
		{ "0", 0 }, { "1", 1 }, { "4096", 4096 }, { "64K", 64 * KIB },
		{ "64k", 64 * KIB }, { "512M", 512 * MIB }, { "3G", 3 * GIB },
		{ "1T", 1024 * GIB }, { "9223372036854775807", INT64_MAX },
	};
	unsigned int i;
	u64 bytes;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(size_parse(cases[i].text, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void size_bad(void **state)
{
	static const char *const cases[] = {
		"", "M", "-1", "+1", " 1", "1 ", "1MB", "1X", "0x10", "1.5G",
		"9223372036854775808", "99999999999999999999", "9007199254740992K",
		"8388608T",
	};
	unsigned int i;
	u64 bytes = 77;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(size_parse(cases[i], &bytes), -1);
	assert_int_equal(bytes, 77);
}

static void size_texts(void **state)
{
	static const struct {
		u64 bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 1023, "1023" }, { 1024, "1K" }, { 1536, "1.5K" },
		{ 300 * MIB, "300M" }, { 3 * GIB, "3G" }, { 1 * GIB + 900 * MIB, "1.8G" },
		{ 2048 * GIB, "2T" }, { UINT64_MAX, "16777215.9T" },
	};
	char text[SIZE_TEXT];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(size_text(cases[i].bytes, text), cases[i].text);
}

/* splits @line at blanks and parses it */
static int parse(struct run_options *opt, const char *line)
{
	static char copy[512];
	char *argv[64] = { "run" }, *word, *rest = copy;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	return run_options_parse(opt, argc, argv);
}

static void options_good(void **state)
{
	static const char *const half[] = {
		"--name n --kernel=k --initrd a,b --initrd c --append x --mem 1G --json",
		"--paging shadow --timeout 7 --stats --debug-exit --console file:out",
	};
	static const char *const devices[] = {
		"--kernel k --device testdev --without posted,mmio-spte",
		"--device testdev,addr=0xe0000000 --without posted",
	};
	struct run_options opt;
	char all[256];

	assert_int_equal(parse(&opt, "--kernel k"), 0);
	assert_string_equal(opt.kernel, "k");
	assert_string_equal(opt.console, "stdio");
	assert_string_equal(opt.cmdline, "");
	assert_int_equal(opt.mem, 256 * MIB);
	assert_int_equal(opt.paging, PAGING_AUTO);
	assert_ptr_equal(opt.ops, &mhv_accel);
	assert_false(opt.stats || opt.json || opt.debug_exit || opt.help || opt.timeout);
	assert_false(opt.phases || opt.measure);
	run_options_free(&opt);

	snprintf(all, sizeof(all), "%s %s --phases --measure", half[0], half[1]);
	assert_int_equal(parse(&opt, all), 0);
	assert_string_equal(opt.name, "n");
	assert_int_equal(opt.nr_modules, 3);
	assert_string_equal(opt.modules[0], "a");
	assert_string_equal(opt.modules[1], "b");
	assert_string_equal(opt.modules[2], "c");
	assert_string_equal(opt.cmdline, "x");
	assert_int_equal(opt.mem, GIB);
	assert_int_equal(opt.paging, PAGING_SHADOW);
	assert_int_equal(opt.timeout, 7);
	assert_true(opt.stats && opt.json && opt.debug_exit);
	assert_true(opt.phases && opt.measure);
	assert_string_equal(opt.console, "file:out");
	run_options_free(&opt);

	snprintf(all, sizeof(all), "%s %s", devices[0], devices[1]);
	assert_int_equal(parse(&opt, all), 0);
	assert_int_equal(opt.nr_devices, 2);
	assert_string_equal(opt.devices[0].type->name, "testdev");
	assert_int_equal(opt.devices[0].addr, 0xd0000000);
	assert_int_equal(opt.devices[1].addr, 0xe0000000);
	assert_int_equal(opt.without, BIT(MHV_OPT_POSTED) | BIT(MHV_OPT_MMIO_SPTE));
	run_options_free(&opt);

	assert_int_equal(parse(&opt, "--kernel k --accel kvm"), 0);
	assert_ptr_equal(opt.ops, &kvm_accel);
	run_options_free(&opt);

	assert_int_equal(parse(&opt, "--help"), 0);
	assert_true(opt.help);
	run_options_free(&opt);
}

static void options_bad(void **state)
{
	static const char *const cases[] = {
		"", "--stats", "--kernel", "--kernel k extra", "--kernel k --bogus",
		"--kernel k --mem", "--kernel k --mem 1", "--kernel k --mem 512",
		"--kernel k --mem 0", "--kernel k --mem 1M", "--kernel k --mem 2049K",
		"--kernel k --mem 2097153", "--kernel k --mem x", "--kernel k --paging ",
		"--kernel k --paging tdp", "--kernel k --timeout 0",
		"--kernel k --timeout -1", "--kernel k --timeout 1s",
		"--kernel k --timeout 1000001", "--kernel k --timeout 99999999999999999999",
		"--kernel k --console tty", "--kernel k --console file:",
		"--kernel k --initrd a,,b", "--kernel k --initrd ,",
		"--kernel k --stats=1", "k", "--kernel k --accel", "--kernel k --accel xen",
		"--kernel k --accel mhv,kvm", "--kernel k --accel kvm --without posted",
		"--kernel k --accel kvm --measure", "--kernel k --phases",
		"--kernel k --device", "--kernel k --device nic", "--kernel k --device test",
		"--kernel k --device testdev,", "--kernel k --device testdev,addr",
		"--kernel k --device testdev,addr=", "--kernel k --device testdev,addr=x",
		"--kernel k --device testdev,addr=-4096", "--kernel k --device testdev,addr=1",
		"--kernel k --device testdev,addr=0xd0000000,addr=0",
		"--kernel k --device testdev,addr=0x1000000000000000000",
		"--kernel k --device testdev,irq=5", "--kernel k --without",
		"--kernel k --without all", "--kernel k --without posted,",
		"--kernel k --initrd a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
	};
	struct run_options opt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!parse(&opt, cases[i]))
			fail_msg("'%s' was taken", cases[i]);
		run_options_free(&opt);
	}
}

static void options_devices_max(void **state)
{
	static char text[512] = "--kernel k";
	struct run_options opt;
	unsigned int i;

	for (i = 0; i < DEVICES_MAX; i++)
		strcat(text, " --device testdev");
	assert_int_equal(parse(&opt, text), 0);
	run_options_free(&opt);
	assert_int_equal(parse(&opt, strcat(text, " --device testdev")), -1);
	run_options_free(&opt);
}

static void json_output(void **state)
{
	static const char want[] =
		"{'a': 'q\\'b\\\\n\\u000a', 'n': 18446744073709551615, 'l': [true, false]}";
	struct json json = { 0 };
	char *text;
	size_t len, i;

	json.out = open_memstream(&text, &len);
	json_open(&json, NULL, '{');
	json_string(&json, "a", "q\"b\\n\n");
	json_u64(&json, "n", UINT64_MAX);
	json_open(&json, "l", '[');
	json_bool(&json, NULL, true);
	json_bool(&json, NULL, false);
	json_close(&json, ']');
	json_close(&json, '}');
	fclose(json.out);
	for (i = 0; i < len; i++)
		if (text[i] == '"')
			text[i] = '\'';	/* legible above */
	assert_string_equal(text, want);
	free(text);
}

static unsigned int fired[3], order;
static unsigned int changes;

struct test_timer {
	struct timer timer;
	unsigned int nr;
};

static void on_fire(struct timer *timer)
{
	fired[container_of(timer, struct test_timer, timer)->nr] = ++order;
}

static void on_change(struct timer_queue *queue)
{
	changes++;
}

static void timers_fire_in_order(void **state)
{
	struct timer_queue queue = { .changed = on_change };
	struct test_timer t[3] = {
		{ { .fire = on_fire }, 0 }, { { .fire = on_fire }, 1 },
		{ { .fire = on_fire }, 2 },
	};

	assert_int_equal(timer_next(&queue), TIMER_NEVER);
	timer_arm(&queue, &t[0].timer, 30);
	timer_arm(&queue, &t[1].timer, 10);
	timer_arm(&queue, &t[2].timer, 20);
	assert_int_equal(changes, 2);
	assert_int_equal(timer_next(&queue), 10);
	timer_arm(&queue, &t[1].timer, 40);	/* moved */
	assert_int_equal(timer_next(&queue), 20);
	timer_cancel(&queue, &t[0].timer);
	timer_cancel(&queue, &t[0].timer);
	timer_run(&queue, 19);
	assert_int_equal(order, 0);
	timer_run(&queue, 40);
	assert_int_equal(fired[0], 0);
	assert_int_equal(fired[2], 1);
	assert_int_equal(fired[1], 2);
	assert_int_equal(timer_next(&queue), TIMER_NEVER);
}

/* a device of 8 bytes that takes 4 at once and counts its calls */
struct test_device {
	u8 reg[8];
	unsigned int calls, largest;
};

static u64 device_read(void *dev, u64 off, unsigned int size)
{
	struct test_device *d = dev;
	u64 val = 0;

	assert_true(off + size <= sizeof(d->reg) && size <= 4);
	d->calls++;
	d->largest = max_u64(d->largest, size);
	memcpy(&val, d->reg + off, size);
	return val | 0xee00000000000000;	/* upper bytes must not matter */
}

static void device_write(void *dev, u64 off, u64 val, unsigned int size)
{
	struct test_device *d = dev;

	assert_true(off + size <= sizeof(d->reg) && size <= 4);
	assert_true(size == 8 || !(val >> (8 * size)));
	d->calls++;
	memcpy(d->reg + off, &val, size);
}

static const struct bus_ops device_ops = { device_read, device_write, 4 };

static void bus_overlap(void **state)
{
	struct bus bus = { 0 };
	struct test_device d = { 0 };

	assert_int_equal(bus_add(&bus, 0x100, 8, &device_ops, &d), 0);
	assert_int_equal(bus_add(&bus, 0x107, 8, &device_ops, &d), -1);
	assert_int_equal(bus_add(&bus, 0xf9, 8, &device_ops, &d), -1);
	assert_int_equal(bus_add(&bus, 0x100, 8, &device_ops, &d), -1);
	assert_int_equal(bus_add(&bus, 0xf8, 16, &device_ops, &d), -1);
	assert_int_equal(bus_add(&bus, 0x108, 8, &device_ops, &d), 0);
	assert_int_equal(bus_add(&bus, 0xf8, 8, &device_ops, &d), 0);
	assert_int_equal(bus_add(&bus, UINT64_MAX - 7, 8, &device_ops, &d), 0);
	assert_int_equal(bus_remove(&bus, 0x104), -1);
	assert_int_equal(bus_remove(&bus, 0x100), 0);
	assert_int_equal(bus_remove(&bus, 0x100), -1);
	assert_int_equal(bus_add(&bus, 0x100, 8, &device_ops, &d), 0);
	bus_destroy(&bus);
}

static void bus_many(void **state)
{
	struct bus bus = { 0 };
	struct test_device d = { 0 };
	unsigned int i;

	for (i = 0; i < 100; i++)	/* neither ascending nor descending */
		assert_int_equal(bus_add(&bus, i * 37 % 100 * 16, 8, &device_ops, &d), 0);
	for (i = 0; i < 100; i++) {
		d.calls = 0;
		port_in(&bus, i * 16 + 7, 1);
		port_in(&bus, i * 16 + 8, 1);
		assert_int_equal(d.calls, 1);
	}
	bus_destroy(&bus);
}

static void bus_splits(void **state)
{
	struct bus bus = { 0 };
	struct test_device a = { { 1, 2, 3, 4, 5, 6, 7, 8 } }, b = { { 0x11, 0x12 } };

	bus_add(&bus, 0x100, 8, &device_ops, &a);
	bus_add(&bus, 0x108, 8, &device_ops, &b);
	assert_int_equal(port_in(&bus, 0x100, 4), 0x04030201);
	assert_int_equal(a.calls, 1);
	/* from one device into the next */
	assert_int_equal(port_in(&bus, 0x106, 4), 0x12110807);
	assert_int_equal(b.calls, 1);
	/* from nowhere into a device */
	assert_int_equal(port_in(&bus, 0xfe, 4), 0x0201ffff);
	/* from a device into nowhere */
	assert_int_equal(port_in(&bus, 0x10f, 4), 0xffffff00);
	port_out(&bus, 0x106, 0xd4c3b2a1, 4);
	assert_int_equal(a.reg[6], 0xa1);
	assert_int_equal(b.reg[1], 0xd4);
	assert_int_equal(port_in(&bus, 0x500, 4), 0xffffffff);
	port_out(&bus, 0x500, 1, 4);
	bus_destroy(&bus);
}

static void bus_strings(void **state)
{
	struct bus bus = { 0 };
	struct test_device d = { { 1, 2, 3, 4, 5, 6, 7, 8 } };
	u8 data[32] = { 9, 8, 7, 6, 5, 4, 3, 2 };
	struct access access = {
		.addr = 0x100, .data = data, .size = 2, .count = 4, .write = true,
	};

	bus_add(&bus, 0x100, 8, &device_ops, &d);
	bus_access(&bus, &access);	/* a port: all to the same place */
	assert_int_equal(d.reg[0], 3);
	assert_int_equal(d.reg[1], 2);
	assert_int_equal(d.reg[2], 3);
	access = (struct access){ .addr = 0x106, .data = data, .size = 2, .count = 4,
				  .step = -2 };
	bus_access(&bus, &access);	/* memory, descending */
	assert_int_equal(data[0], 7);
	assert_int_equal(data[7], 2);
	/* 32 bytes at once, of which the device has 8 */
	access = (struct access){ .addr = 0x100, .data = data, .size = 32, .count = 1,
				  .step = 32 };
	d.largest = 0;
	bus_access(&bus, &access);
	assert_int_equal(d.largest, 4);
	assert_int_equal(data[7], 8);
	assert_int_equal(data[8], 0xff);
	assert_int_equal(data[31], 0xff);
	bus_destroy(&bus);
}

static void memory_pointers(void **state)
{
	static u8 fake;
	struct memory mem = { &fake, 5 * GIB, 3 * GIB, 2 * GIB };
	struct memory small = { &fake, 64 * MIB, 64 * MIB, 0 };

	assert_ptr_equal(memory_ptr(&mem, 0, 3 * GIB), &fake);
	assert_null(memory_ptr(&mem, 0, 3 * GIB + 1));
	assert_null(memory_ptr(&mem, 3 * GIB, 1));
	assert_null(memory_ptr(&mem, 4 * GIB - 1, 1));
	assert_ptr_equal(memory_ptr(&mem, 4 * GIB, 2 * GIB), &fake + 3 * GIB);
	assert_null(memory_ptr(&mem, 4 * GIB, 2 * GIB + 1));
	assert_null(memory_ptr(&mem, 6 * GIB, 1));
	assert_null(memory_ptr(&mem, UINT64_MAX, 1));
	assert_null(memory_ptr(&mem, 1, UINT64_MAX));
	assert_null(memory_ptr(&small, 4 * GIB, 1));
	assert_null(memory_ptr(&small, 4 * GIB, 0));
	assert_int_equal(memory_top(3 * GIB), 4 * GIB);
	assert_int_equal(memory_top(5 * GIB), 6 * GIB);
}

static void memory_maps(void **state)
{
	struct memory mem = { NULL, 5 * GIB, 3 * GIB, 2 * GIB };
	struct mem_range map[MEM_MAP_MAX];
	u64 ram = 0, end = 0;
	unsigned int i, nr = memory_map(&mem, map);

	assert_int_equal(nr, 5);
	for (i = 0; i < nr; i++) {
		assert_true(map[i].gpa >= end);
		end = map[i].gpa + map[i].size;
		ram += map[i].size;
	}
	assert_int_equal(ram, mem.size);
	assert_int_equal(end, 6 * GIB);
	mem = (struct memory){ NULL, 64 * MIB, 64 * MIB, 0 };
	assert_int_equal(memory_map(&mem, map), 4);
}

static void end_statuses(void **state)
{
	assert_int_equal(end_status(END_POWEROFF, 0), 0);
	assert_int_equal(end_status(END_RESET, 0), 32);
	assert_int_equal(end_status(END_TRIPLE_FAULT, 0), 33);
	assert_int_equal(end_status(END_ENTRY_FAILED, 0), 33);
	assert_int_equal(end_status(END_PANIC, 0), 34);
	assert_int_equal(end_status(END_TIMEOUT, 0), 124);
	assert_int_equal(end_status(END_ERROR, 0), 1);
	assert_int_equal(end_status(END_SIGNAL, 15), 143);
	assert_int_equal(end_status(END_DEBUG_EXIT, 0), 0);
	assert_int_equal(end_status(END_DEBUG_EXIT, 1), 65);
	assert_int_equal(end_status(END_DEBUG_EXIT, 64), 64);
	assert_int_equal(end_status(END_DEBUG_EXIT, 0xffffffff), 127);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(size_good),
	cmocka_unit_test(size_bad),
	cmocka_unit_test(size_texts),
	cmocka_unit_test(options_good),
	cmocka_unit_test(options_bad),
	cmocka_unit_test(options_devices_max),
	cmocka_unit_test(json_output),
	cmocka_unit_test(timers_fire_in_order),
	cmocka_unit_test(bus_overlap),
	cmocka_unit_test(bus_many),
	cmocka_unit_test(bus_splits),
	cmocka_unit_test(bus_strings),
	cmocka_unit_test(memory_pointers),
	cmocka_unit_test(memory_maps),
	cmocka_unit_test(end_statuses),
};

int main(void)
{
	test_silence();
	return test_main("util", tests, ARRAY_SIZE(tests));
}
