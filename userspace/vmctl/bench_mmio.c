// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench mmio: what one access to device memory costs, by each route and with each
 * optimisation off in turn.
 *
 * The guest measures itself and reports each sample by an OUT.  Then it does all of it
 * again, and on each OUT this side reads how long the module had the access: its clock
 * would be part of the guest's result.  The device is an ordinary one and its
 * accesses take the way they have in `vmctl run`: mmio_run().  Nobody sleeps on its
 * eventfds, as when a device model polls or is busy: waking a thread costs what the
 * host's scheduler costs.  The posted ring is drained when it is half full, so the median
 * is that of a write to a ring in use; the first one after each drain also rings.
 *
 * Each time the device is asked whether all accesses have arrived.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "bench.h"
#include "machine.h"
#include "msg.h"
#include "without.h"

#define CODE_GPA	0x10000
#define DEVICE_GPA	0xd0000000ull
#define OFF_REGISTER	0x0000
#define OFF_REGFILE	0x1000
#define OFF_POSTED	0x2000
#define OFF_BELL	0x3000
#define DEVICE_SIZE	0x4000

#define REGFILE_VALUE	0x5eed0123u
#define WARM_UP		16	/* first touches, not in the result */
#define KMOD_COUNTER	"mmio_ticks_last"

#define CACHES		(BIT(MHV_OPT_VCPU_CACHE) | BIT(MHV_OPT_MMIO_SPTE) | \
			 BIT(MHV_OPT_DECODE_CACHE))

/**
 * struct bench - a measurement
 * @opt:	what the user wants
 * @ops: @accel: @vcpu:	backend, its VM and vCPU
 * @mem:	guest memory
 * @mmio:	device memory, with @dev in it
 * @dev:	the device
 * @bell:	its doorbell
 * @reads: @writes:	accesses that reached the device this time
 * @last:	value of the last write
 * @esi:	what the guest had in esi at the end
 * @kmod_ticks:	the module's counter; NULL: it has none
 * @guest: @kmod:	samples
 * @nr: @want:	samples so far, and to be taken this time
 * @empty:	ticks of a measurement of nothing
 * @exit:	of the last run
 */
struct bench {
	const struct bench_options *opt;
	const struct accel_ops *ops;
	struct accel *accel;
	struct accel_vcpu *vcpu;
	struct memory mem;
	struct mmio mmio;
	struct dev_mmio dev;
	struct mmio_bell bell;
	u64 reads, writes, last;
	u32 esi;
	const u64 *kmod_ticks;
	u64 *guest, *kmod;
	u32 nr, want;
	u64 empty;
	struct vcpu_exit exit;
};

/**
 * struct mmio_op - what is measured
 * @name:	for people and JSON
 * @code:	what the guest runs
 * @off:	of the register it uses
 * @options:	optimisations that matter to it
 * @arrived:	how many of the accesses have, and with the right values
 */
struct mmio_op {
	const char *name;
	const struct bench_code *code;
	u64 off;
	u64 options;
	u64 (*arrived)(struct bench *bench);
};

/* ---- the device ------------------------------------------------------------- */

static u64 bench_dev_read(struct dev_mmio *dev, u64 off, unsigned int size)
{
	return container_of(dev, struct bench, dev)->reads++;
}

static void bench_dev_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	struct bench *bench = container_of(dev, struct bench, dev);

	bench->writes++;
	bench->last = val;
}

static int bench_add_device(struct bench *bench)
{
	bench->bell = (struct mmio_bell){ .off = OFF_BELL, .size = 4 };
	bench->dev = (struct dev_mmio){
		.name = "bench",
		.base = DEVICE_GPA,
		.size = DEVICE_SIZE,
		.read = bench_dev_read,
		.write = bench_dev_write,
		.unlocked = true,
		.regfile = { OFF_REGFILE, GUEST_PAGE },
		.posted = { OFF_POSTED, GUEST_PAGE },
		.bells = &bench->bell,
		.nr_bells = 1,
	};
	mmio_init(&bench->mmio, bench->ops, bench->accel, NULL);
	if (mmio_add(&bench->mmio, &bench->dev))
		return -1;
	mmio_set_reg(&bench->dev, OFF_REGFILE, REGFILE_VALUE, 4);
	return 0;
}

/* ---- the operations --------------------------------------------------------- */

static u64 arrived_writes(struct bench *bench)
{
	mmio_drain(&bench->dev);
	return bench->last == bench->writes - 1 ? bench->writes : 0;
}

static u64 arrived_reads(struct bench *bench)
{
	return bench->esi == bench->reads ? bench->reads : 0;
}

static u64 arrived_rings(struct bench *bench)
{
	eventfd_t count = 0;

	eventfd_read(bench->bell.fd, &count);
	return count;
}

/* no access reaches the device; what arrives is the value */
static u64 arrived_regfile(struct bench *bench)
{
	return bench->esi == REGFILE_VALUE + 1 && !bench->reads ? bench->nr : 0;
}

static const struct mmio_op mmio_ops[] = {
	{ "write-ioreq", &bench_write, OFF_REGISTER, CACHES, arrived_writes },
	{ "read-ioreq", &bench_read, OFF_REGISTER, CACHES, arrived_reads },
	{ "write-eventfd", &bench_write, OFF_BELL, CACHES | BIT(MHV_OPT_EVENTFD),
		arrived_rings },
	{ "write-posted", &bench_write, OFF_POSTED, CACHES | BIT(MHV_OPT_POSTED),
		arrived_writes },
	{ "read-regfile", &bench_read, OFF_REGFILE, CACHES | BIT(MHV_OPT_REGFILE),
		arrived_regfile },
};

/* ---- one row ---------------------------------------------------------------- */

/* the OUT after each access */
static int bench_sample(struct bench *bench)
{
	const struct access *access = &bench->exit.access;
	u32 ticks;

	if (access->addr != BENCH_PORT || !access->write || access->size != sizeof(ticks) ||
	    bench->nr == bench->want)
		return fail("the guest has gone astray: port 0x%llx", access->addr);
	memcpy(&ticks, access->data, sizeof(ticks));
	bench->guest[bench->nr] = ticks;
	if (bench->kmod_ticks)
		bench->kmod[bench->nr] = __atomic_load_n(bench->kmod_ticks, __ATOMIC_RELAXED);
	bench->nr++;
	if (ring_pending(&bench->dev.ring) >= MHV_RING_ENTRIES / 2)
		mmio_drain(&bench->dev);
	return 0;
}

static int bench_run(struct bench *bench)
{
	static const bool never;

	for (;;) {
		mmio_run(&bench->mmio, bench->vcpu, &bench->exit, &never);
		switch (bench->exit.kind) {
		case VCPU_EXIT_AGAIN:
			break;
		case VCPU_EXIT_PORT:
			if (bench_sample(bench))
				return -1;
			break;
		case VCPU_EXIT_MMIO:
			mmio_access(&bench->mmio, &bench->exit.access);
			break;
		case VCPU_EXIT_HALT:
			return 0;
		case VCPU_EXIT_SHUTDOWN:
			return fail("the guest of the measurement had a triple fault");
		default:
			return fail("%s", bench->exit.text);
		}
	}
}

static int bench_start(struct bench *bench, const struct bench_code *code, u64 gpa)
{
	struct boot boot = { .mode = BOOT_LONG };
	struct vcpu_state state;

	memcpy(bench->mem.base + CODE_GPA, code->start, code->end - code->start);
	bench_guest_tables(bench->mem.base, &boot.cr3);
	if (bench->ops->get_state(bench->vcpu, &state))
		return -1;
	vcpu_boot_sregs(&state.sregs, &boot);
	memset(&state.regs, 0, sizeof(state.regs));
	state.regs.rip = CODE_GPA;
	state.regs.rflags = 2;
	state.regs.rdi = gpa;
	state.regs.rcx = bench->want;
	return bench->ops->set_state(bench->vcpu, &state);
}

/* has the guest do something @iterations times, after a few for warming up */
static int bench_take(struct bench *bench, const struct bench_code *code, u64 gpa)
{
	struct vcpu_state state;

	bench->nr = 0;
	bench->want = bench->opt->iterations + WARM_UP;
	bench->reads = 0;
	bench->writes = 0;
	bench->last = 0;
	if (bench_start(bench, code, gpa) || bench_run(bench) ||
	    bench->ops->get_state(bench->vcpu, &state))
		return -1;
	bench->esi = state.regs.rsi;
	return bench->nr == bench->want ? 0 :
	       fail("the guest took %u samples, not %u", bench->nr, bench->want);
}

/* sorts the samples of a row; those of the warm-up are left out */
static const u64 *bench_sort(const struct bench *bench, u64 *samples)
{
	bench_samples_sort(samples + WARM_UP, bench->opt->iterations);
	return samples + WARM_UP;
}

/* all samples of a row once; none unless every access has arrived */
static int bench_take_op(struct bench *bench, const struct mmio_op *op, int without,
			 bool timed)
{
	u64 disabled = without < 0 ? 0 : 1ull << without, arrived;

	if (bench->ops->set_options(bench->accel, disabled, timed) ||
	    bench_take(bench, op->code, DEVICE_GPA + op->off))
		return -1;
	arrived = op->arrived(bench);
	if (arrived == bench->want)
		return 0;
	return fail("%s%s%s: %llu of %u accesses arrived", op->name,
		    without < 0 ? "" : " without ",
		    without < 0 ? "" : without_name(without), arrived, bench->want);
}

static int bench_row(struct bench *bench, const struct mmio_op *op, int without,
		     struct bench_row *row)
{
	u32 middle = bench->opt->iterations / 2;
	const u64 *guest;

	*row = (struct bench_row){
		.op = op->name,
		.accel = bench->ops->name,
		.without = without < 0 ? NULL : without_name(without),
		.has_kmod = bench->kmod_ticks,
	};
	if (bench_take_op(bench, op, without, false))
		return -1;
	guest = bench_sort(bench, bench->guest);
	row->guest_min = bench_less(guest[0], bench->empty);
	row->guest_median = bench_less(guest[middle], bench->empty);
	if (!row->has_kmod)
		return 0;
	if (bench_take_op(bench, op, without, true))
		return -1;
	row->kmod_median = bench_sort(bench, bench->kmod)[middle];
	return 0;
}

/* the option @i matters to @op, and the user wants to know */
static bool bench_wants(const struct bench *bench, const struct mmio_op *op, int i)
{
	u64 wanted = bench->opt->without ? bench->opt->without : UINT64_MAX;

	return i < 0 || (op->options & wanted & 1ull << i);
}

/* ---- all of it -------------------------------------------------------------- */

#define ROWS_MAX	(ARRAY_SIZE(mmio_ops) * (MHV_OPT_COUNT + 1) * ACCELS_MAX)

/**
 * struct bench_result - all rows
 * @row: @nr:	so far
 * @empty:	ticks of a measurement of nothing
 */
struct bench_result {
	struct bench_row row[ROWS_MAX];
	unsigned int nr;
	u64 empty;
};

static int bench_rows(struct bench *bench, struct bench_result *result)
{
	int i, last = bench->ops->optional ? MHV_OPT_COUNT : 0;
	unsigned int op;

	if (bench_take(bench, &bench_empty, 0))
		return -1;
	bench->empty = bench_sort(bench, bench->guest)[bench->opt->iterations / 2];
	result->empty = bench->empty;
	for (op = 0; op < ARRAY_SIZE(mmio_ops); op++)
		for (i = -1; i < last; i++)
			if (bench_wants(bench, &mmio_ops[op], i) &&
			    bench_row(bench, &mmio_ops[op], i, &result->row[result->nr++]))
				return -1;
	return 0;
}

static int bench_create(struct bench *bench)
{
	size_t room = bench->opt->iterations + WARM_UP;

	bench->guest = calloc(room, sizeof(*bench->guest));
	bench->kmod = calloc(room, sizeof(*bench->kmod));
	if (!bench->guest || !bench->kmod)
		return fail("out of memory: use fewer --iterations");
	bench->accel = bench->ops->open(bench->opt->paging);
	if (!bench->accel || memory_create(&bench->mem, BENCH_MEM) ||
	    bench->ops->set_memory(bench->accel, 0, 0, BENCH_MEM, bench->mem.base, false))
		return -1;
	bench->vcpu = bench->ops->vcpu_open(bench->accel, 0);
	if (!bench->vcpu)
		return -1;
	bench->kmod_ticks = bench->ops->counter(bench->vcpu, KMOD_COUNTER);
	return bench_add_device(bench);
}

static void bench_destroy(struct bench *bench)
{
	mmio_destroy(&bench->mmio);
	if (bench->vcpu)
		bench->ops->vcpu_close(bench->vcpu);
	if (bench->accel)
		bench->ops->close(bench->accel);
	if (bench->mem.base)
		memory_destroy(&bench->mem);
	free(bench->kmod);
	free(bench->guest);
}

/* one hypervisor; nothing of it is left for the next one to find */
static int bench_accel(const struct bench_options *opt, const struct accel_ops *ops,
		       struct bench_result *result)
{
	struct bench bench = { .opt = opt, .ops = ops };
	int err = bench_create(&bench) || bench_rows(&bench, result) ? -1 : 0;

	bench_destroy(&bench);
	return err;
}

/**
 * bench_mmio - vmctl bench mmio
 * @opt:	what the user wants
 *
 * Return: 0, or -1 with a message.
 */
int bench_mmio(const struct bench_options *opt)
{
	struct bench_result result = { .nr = 0 };
	unsigned int i;

	for (i = 0; i < opt->nr_accels; i++)
		if (bench_accel(opt, opt->accels[i], &result))
			return -1;
	bench_print(stdout, opt, result.row, result.nr, result.empty);
	return 0;
}
