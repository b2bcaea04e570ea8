// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench scale: what grows with the number of things.
 *
 * ranges-N	a write to the last of N doorbells
 * slots-N	a write to the device, with N memory slots of a page
 * change-N	a slot of a page made and removed again, with N device pages in the guest's
 *		page tables; this is vmctl's own time, and no guest runs meanwhile
 *
 * What a hypervisor does not take that many of has no row, and the reason is told.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench_ops.h"
#include "msg.h"

#define RANGES		0xe0000000ull	/* doorbells, RANGE_STEP apart */
#define RANGE_STEP	16
#define SLOTS		0x40000000ull	/* slots, two pages apart */
#define SLOT_FIRST	16
#define FILES_MAX	8192
#define CHANGE_SHARE	10	/* samples as bench_op.share says */

static const u32 counts[] = { 1, 16, 256, 4096 };
static const u32 changes[] = { 1, 1000 };

#define ROWS_MAX	((2 * ARRAY_SIZE(counts) + ARRAY_SIZE(changes)) * ACCELS_MAX)

static const struct bench_op op_slots = {
	"slots", &bench_ops_write4, OPS_DEVICE,
};

static const struct bench_op op_touch = { "change", &bench_ops_touch, OPS_DEVICE };

/* a backend may keep a descriptor for each doorbell */
static void allow_files(void)
{
	struct rlimit limit = { FILES_MAX, FILES_MAX };

	if (!setrlimit(RLIMIT_NOFILE, &limit) || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool add_ranges(struct bench_ops *bench, u32 nr, int fd)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (route_eventfd(&bench->mmio.host, RANGES + i * RANGE_STEP, 4, NULL, fd))
			return false;
	return true;
}

static bool add_slots(struct bench_ops *bench, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (bench->ops->set_memory(bench->accel, SLOT_FIRST + i,
					   SLOTS + 2ull * i * GUEST_PAGE, GUEST_PAGE,
					   bench->page, false))
			return false;
	return true;
}

/* -1: failed; 0: there is no such row; 1: taken */
static int take_ranges(struct bench_ops *bench, u32 nr)
{
	struct bench_op op = {
		"ranges", &bench_ops_write4, RANGES + (nr - 1) * RANGE_STEP,
	};
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), ret;
	eventfd_t rung = 0;

	if (fd < 0)
		return fail("cannot make an eventfd: %s", strerror(errno));
	ret = !add_ranges(bench, nr, fd) ? 0 : bench_ops_take(bench, &op) ? -1 : 1;
	if (ret > 0 && (eventfd_read(fd, &rung) || rung < bench->have || bench->writes))
		ret = fail("ranges: the doorbell did not ring");
	close(fd);
	return ret;
}

static int take_slots(struct bench_ops *bench, u32 nr)
{
	if (!add_slots(bench, nr))
		return 0;
	return bench_ops_take(bench, &op_slots) ? -1 : 1;
}

static u64 tsc(void)
{
	u32 low, high;

	asm volatile("lfence\n\trdtsc\n\tlfence" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

static int change_once(struct bench_ops *bench, u64 *sample)
{
	const struct accel_ops *ops = bench->ops;
	u64 begin = tsc();

	if (ops->set_memory(bench->accel, SLOT_FIRST, SLOTS, GUEST_PAGE, bench->page, false) ||
	    ops->set_memory(bench->accel, SLOT_FIRST, SLOTS, 0, bench->page, false))
		return -1;
	*sample = tsc() - begin;
	return 0;
}

static int take_change(struct bench_ops *bench, u32 nr)
{
	u32 want = (bench->opt->iterations + CHANGE_SHARE - 1) / CHANGE_SHARE;
	u64 warm_up;

	if (bench_ops_once(bench, &op_touch, nr) || change_once(bench, &warm_up))
		return -1;
	for (bench->have = 0; bench->have < want; bench->have++)
		if (bench_ops_once(bench, &op_touch, nr) ||
		    change_once(bench, &bench->samples[bench->have]))
			return -1;
	bench_samples_sort(bench->samples, want);
	/* the guest's empty measurement is no part of this */
	bench->empty = 0;
	return 1;
}

/* a row, with a machine of its own */
static int scale_row(const struct bench_options *opt, const struct accel_ops *ops, char *name,
		     u32 nr, int (*take)(struct bench_ops *bench, u32 nr),
		     struct bench_mmu_row *row)
{
	struct bench_ops bench;
	int ret = bench_ops_create(&bench, opt, ops) ? -1 : take(&bench, nr);

	if (ret > 0)
		bench_ops_row(&bench, name, row);
	bench_ops_destroy(&bench);
	return ret;
}

/**
 * struct scale - what is measured
 * @name:	the row is NAME-N
 * @take:	measures it
 * @count: @nr:	the numbers
 */
struct scale {
	const char *name;
	int (*take)(struct bench_ops *bench, u32 nr);
	const u32 *count;
	unsigned int nr;
};

static const struct scale scales[] = {
	{ "ranges", take_ranges, counts, ARRAY_SIZE(counts) },
	{ "slots", take_slots, counts, ARRAY_SIZE(counts) },
	{ "change", take_change, changes, ARRAY_SIZE(changes) },
};

/**
 * struct scale_result - all rows
 * @row: @nr:	so far
 * @name:	theirs
 */
struct scale_result {
	struct bench_mmu_row row[ROWS_MAX];
	char name[ROWS_MAX][24];
	unsigned int nr;
};

static int scale_one(const struct bench_options *opt, const struct accel_ops *ops,
		     const struct scale *scale, struct scale_result *result)
{
	unsigned int i;
	int ret;

	for (i = 0; i < scale->nr; i++) {
		char *name = result->name[result->nr];

		snprintf(name, sizeof(result->name[0]), "%s-%u", scale->name, scale->count[i]);
		ret = scale_row(opt, ops, name, scale->count[i], scale->take,
				&result->row[result->nr]);
		if (ret < 0)
			return -1;
		if (!ret)
			note("%s: %s has no row", name, ops->name);
		result->nr += ret;
	}
	return 0;
}

/**
 * bench_scale - vmctl bench scale
 * @opt:	what the user wants
 *
 * Return: 0, or -1 with a message.
 */
int bench_scale(const struct bench_options *opt)
{
	static struct scale_result result;
	unsigned int a, s;

	result.nr = 0;
	allow_files();
	for (a = 0; a < opt->nr_accels; a++)
		for (s = 0; s < ARRAY_SIZE(scales); s++)
			if (scale_one(opt, opt->accels[a], &scales[s], &result))
				return -1;
	bench_mmu_print(stdout, opt, result.row, result.nr);
	return 0;
}
