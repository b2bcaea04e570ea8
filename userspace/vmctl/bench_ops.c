// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl bench ops: what each kind of exit costs a guest.
 *
 * The guest measures itself and leaves its samples in its memory: nothing but the
 * operation exits in between.  The device and the ports are as simple as any, and the same
 * for each hypervisor; an access to the device takes the way that it has in `vmctl run`,
 * mmio_run().  A halted guest is woken at once: no thread sleeps.
 *
 * What the guest has read and the device was given is checked after each run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench_ops.h"
#include "msg.h"
#include "options.h"

#define DEVICE_SIZE	(16 * MIB)
#define SLOT_READONLY	1

/* ---- the devices ------------------------------------------------------------- */

static u64 ops_read(struct bench_ops *bench)
{
	return bench->stored ? bench->value : bench->reads++;
}

static void ops_write(struct bench_ops *bench, u64 val, unsigned int size)
{
	bench->writes++;
	bench->bytes += size;
	bench->sum += val;
	bench->value = val;
}

static u64 ops_dev_read(struct dev_mmio *dev, u64 off, unsigned int size)
{
	return ops_read(container_of(dev, struct bench_ops, dev));
}

static void ops_dev_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	ops_write(container_of(dev, struct bench_ops, dev), val, size);
}

static void ops_readonly_write(struct dev_mmio *dev, u64 off, u64 val, unsigned int size)
{
	ops_write(container_of(dev, struct bench_ops, readonly), val, size);
}

static int ops_add_devices(struct bench_ops *bench)
{
	bench->dev = (struct dev_mmio){
		.name = "bench", .base = OPS_DEVICE, .size = DEVICE_SIZE,
		.read = ops_dev_read, .write = ops_dev_write, .max_size = 8, .unlocked = true,
	};
	bench->readonly = (struct dev_mmio){
		.name = "readonly", .base = OPS_READONLY, .size = GUEST_PAGE,
		.read = ops_dev_read, .write = ops_readonly_write, .max_size = 8,
		.unlocked = true,
	};
	mmio_init(&bench->mmio, bench->ops, bench->accel, NULL);
	if (mmio_add(&bench->mmio, &bench->dev) || mmio_add(&bench->mmio, &bench->readonly))
		return -1;
	return bench->ops->set_memory(bench->accel, SLOT_READONLY, bench->readonly.base,
				      GUEST_PAGE, bench->page, true);
}

/* ---- one run ---------------------------------------------------------------- */

static int ops_interrupt(struct bench_ops *bench, u8 vector)
{
	if (!bench->ops->irq_ready(bench->vcpu))
		return fail("the guest of the measurement does not take an interrupt");
	bench->ops->inject(bench->vcpu, vector);
	return 0;
}

/* 0 to go on, 1 at the end, -1 with a message */
static int ops_port(struct bench_ops *bench)
{
	const struct access *access = &bench->exit.access;
	u32 value = 0;

	switch (access->addr) {
	case OPS_PORT:
		if (access->write) {
			memcpy(&value, access->data, sizeof(value));
			ops_write(bench, value, access->size);
		} else {
			value = ops_read(bench);
			memcpy(access->data, &value, sizeof(value));
		}
		return 0;
	case OPS_PORT_IRQ:
		return ops_interrupt(bench, OPS_VECTOR);
	case OPS_PORT_EOI:
		bench->eois++;
		return 0;
	case BENCH_PORT:
		return 1;
	default:
		return fail("the guest has gone astray: port 0x%llx", access->addr);
	}
}

static int ops_run(struct bench_ops *bench)
{
	static const bool never;
	int ret = 0;

	while (!ret) {
		mmio_run(&bench->mmio, bench->vcpu, &bench->exit, &never);
		switch (bench->exit.kind) {
		case VCPU_EXIT_AGAIN:
			break;
		case VCPU_EXIT_PORT:
			ret = ops_port(bench);
			break;
		case VCPU_EXIT_MMIO:
			mmio_access(&bench->mmio, &bench->exit.access);
			break;
		case VCPU_EXIT_HALT:
			ret = ops_interrupt(bench, OPS_VECTOR_WAKE);
			break;
		case VCPU_EXIT_SHUTDOWN:
			return fail("the guest of the measurement had a triple fault");
		default:
			return fail("%s", bench->exit.text);
		}
	}
	return ret < 0 ? -1 : 0;
}

/**
 * bench_ops_once - have the guest do something
 * @bench:	the machine
 * @op:		what
 * @nr:		how often, OPS_BATCH + OPS_WARM_UP at most
 *
 * The samples are at OPS_SAMPLES then.
 * Return: 0, or -1 with a message.
 */
int bench_ops_once(struct bench_ops *bench, const struct bench_op *op, u32 nr)
{
	struct vcpu_state state;

	bench->nr = nr;
	bench->reads = 0;
	bench->writes = 0;
	bench->bytes = 0;
	bench->sum = 0;
	bench->value = 0;
	bench->eois = 0;
	bench->stored = op->code == &bench_ops_modify;
	bench_ops_build(bench->mem.base, op->code);
	if (bench->ops->get_state(bench->vcpu, &state))
		return -1;
	bench_guest_tables(bench->mem.base, &state.sregs.cr3);
	bench_ops_start(&state, op, nr);
	if (bench->ops->set_state(bench->vcpu, &state) || ops_run(bench) ||
	    bench->ops->get_state(bench->vcpu, &state))
		return -1;
	bench->guest_sum = state.regs.r12;
	if (state.regs.rbp != OPS_SAMPLES + nr * sizeof(u32))
		return fail("%s: the guest did not take %u samples", op->name, nr);
	if (op->right && !op->right(bench, op))
		return fail("%s: not all has arrived, or not right", op->name);
	return 0;
}

/* ---- what is right ------------------------------------------------------------ */

/* of 0, 1, 2 ... with @mask */
static u64 sum_of(u32 nr, u64 mask)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		sum += i & mask;
	return sum;
}

static bool right_vendor(const struct bench_ops *bench, const struct bench_op *op)
{
	u32 eax = 0, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	return bench->guest_sum == (u32)(bench->nr * ebx);
}

/* a vCPU's own, before any wrmsr: what the manual says of power-on */
static bool right_rdmsr(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->guest_sum == (u32)(bench->nr * 0x00070406u);
}

static bool right_wrmsr(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->guest_sum == (u32)(bench->nr * (u32)OPS_PAT);
}

static bool right_read(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->reads == bench->nr && bench->guest_sum == (u32)sum_of(bench->nr, 0xff);
}

static bool right_port_read(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->reads == bench->nr && bench->guest_sum == (u32)sum_of(bench->nr, ~0ull);
}

static bool right_write(const struct bench_ops *bench, const struct bench_op *op)
{
	u64 mask = op->code == &bench_ops_write1 ? 0xff : ~0ull;

	return bench->writes == bench->nr && bench->sum == sum_of(bench->nr, mask);
}

static bool right_modify(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->writes == bench->nr && bench->value == sum_of(bench->nr, ~0ull);
}

static bool right_copy(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->bytes == 8ull * op->qwords * bench->nr &&
	       bench->sum == bench->nr * sum_of(op->qwords, ~0ull);
}

static bool right_irq(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->guest_sum == bench->nr && bench->eois == bench->nr;
}

static bool right_wake(const struct bench_ops *bench, const struct bench_op *op)
{
	return bench->guest_sum == bench->nr && !bench->eois;
}

static const struct bench_op op_empty = { .name = "empty", .code = &bench_ops_empty };

/* rdmsr comes before wrmsr */
static const struct bench_op ops[] = {
	{ "floor", &bench_ops_floor, .optional = true },
	{ "cpuid", &bench_ops_cpuid, .right = right_vendor },
	{ "rdmsr", &bench_ops_rdmsr, .right = right_rdmsr },
	{ "wrmsr", &bench_ops_wrmsr, .right = right_wrmsr },
	{ "port-read", &bench_ops_port_read, .right = right_port_read },
	{ "port-write", &bench_ops_port_write, .right = right_write },
	{ "mmio-read-1", &bench_ops_read1, OPS_DEVICE, .right = right_read },
	{ "mmio-read-2", &bench_ops_read2, OPS_DEVICE, .right = right_read },
	{ "mmio-read-4", &bench_ops_read4, OPS_DEVICE, .right = right_read },
	{ "mmio-read-8", &bench_ops_read8, OPS_DEVICE, .right = right_read },
	{ "mmio-write-1", &bench_ops_write1, OPS_DEVICE, .right = right_write },
	{ "mmio-write-2", &bench_ops_write2, OPS_DEVICE, .right = right_write },
	{ "mmio-write-4", &bench_ops_write4, OPS_DEVICE, .right = right_write },
	{ "mmio-write-8", &bench_ops_write8, OPS_DEVICE, .right = right_write },
	{ "mmio-modify", &bench_ops_modify, OPS_DEVICE, .right = right_modify },
	{ "rep-movs-64", &bench_ops_rep_movs, OPS_DEVICE, 8, .share = 5, .right = right_copy },
	{ "rep-movs-4096", &bench_ops_rep_movs, OPS_DEVICE, 512, .share = 50,
		.right = right_copy },
	{ "readonly-write", &bench_ops_write4, OPS_READONLY, .right = right_write },
	{ "irq-eoi", &bench_ops_irq, .irq = true, .right = right_irq },
	{ "hlt-wake", &bench_ops_hlt, .irq = true, .right = right_wake },
};

/* ---- one row ---------------------------------------------------------------- */

/**
 * bench_ops_take - take the samples of a row, and sort them
 * @bench:	the machine
 * @op:		what the guest does
 *
 * Return: 0, or -1 with a message.
 */
int bench_ops_take(struct bench_ops *bench, const struct bench_op *op)
{
	const u32 *from = (const u32 *)(bench->mem.base + OPS_SAMPLES) + OPS_WARM_UP;
	u32 share = op->share ? op->share : 1, batch, i;
	u32 want = (bench->opt->iterations + share - 1) / share;

	if (bench->ops->set_options(bench->accel, 0, op->optional))
		return -1;
	for (bench->have = 0; bench->have < want;) {
		batch = min_u64(want - bench->have, OPS_BATCH);
		if (bench_ops_once(bench, op, batch + OPS_WARM_UP))
			return -1;
		for (i = 0; i < batch; i++)
			bench->samples[bench->have++] = from[i];
	}
	bench_samples_sort(bench->samples, bench->have);
	return 0;
}

/**
 * bench_ops_row - what the samples amount to
 * @bench:	after bench_ops_take()
 * @name:	of the row
 * @row:	out
 */
void bench_ops_row(struct bench_ops *bench, const char *name, struct bench_mmu_row *row)
{
	*row = (struct bench_mmu_row){
		.op = name,
		.accel = bench->ops->name,
		.paging = paging_name(bench->opt->paging),
		.min = bench_less(bench->samples[0], bench->empty),
		.median = bench_less(bench->samples[bench->have / 2], bench->empty),
		.mean = bench_less(bench_samples_mean(bench->samples, bench->have), bench->empty),
	};
}

/* ---- all of it -------------------------------------------------------------- */

/**
 * bench_ops_create - make the machine, and measure nothing with it
 * @bench:	out; bench_ops_destroy() it, also after an error
 * @opt:	what the user wants
 * @ops:	whose VM
 *
 * Return: 0, or -1 with a message.
 */
int bench_ops_create(struct bench_ops *bench, const struct bench_options *opt,
		     const struct accel_ops *ops)
{
	void *page;

	*bench = (struct bench_ops){ .opt = opt, .ops = ops };
	bench->samples = calloc(opt->iterations, sizeof(*bench->samples));
	if (!bench->samples)
		return fail("out of memory: use fewer --iterations");
	page = mmap(NULL, GUEST_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return fail("out of memory");
	bench->page = page;
	bench->accel = ops->open(opt->paging);
	if (!bench->accel || memory_create(&bench->mem, BENCH_MEM) ||
	    ops->set_memory(bench->accel, 0, 0, BENCH_MEM, bench->mem.base, false))
		return -1;
	bench->vcpu = ops->vcpu_open(bench->accel, 0);
	if (!bench->vcpu || ops_add_devices(bench) || bench_ops_take(bench, &op_empty))
		return -1;
	bench->empty = bench->samples[bench->have / 2];
	return 0;
}

/**
 * bench_ops_destroy - give the machine back
 * @bench:	from bench_ops_create()
 */
void bench_ops_destroy(struct bench_ops *bench)
{
	mmio_destroy(&bench->mmio);
	if (bench->vcpu)
		bench->ops->vcpu_close(bench->vcpu);
	if (bench->accel)
		bench->ops->close(bench->accel);
	if (bench->mem.base)
		memory_destroy(&bench->mem);
	if (bench->page)
		munmap(bench->page, GUEST_PAGE);
	free(bench->samples);
}

static int ops_rows(struct bench_ops *bench, struct bench_mmu_row *row, unsigned int *nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].optional && !bench->ops->optional)
			continue;
		if (bench_ops_take(bench, &ops[i]))
			return -1;
		bench_ops_row(bench, ops[i].name, &row[(*nr)++]);
	}
	return 0;
}

/**
 * bench_ops - vmctl bench ops
 * @opt:	what the user wants
 *
 * Return: 0, or -1 with a message.
 */
int bench_ops(const struct bench_options *opt)
{
	struct bench_mmu_row rows[ARRAY_SIZE(ops) * ACCELS_MAX];
	unsigned int a, nr = 0;

	for (a = 0; a < opt->nr_accels; a++) {
		struct bench_ops bench;
		int err = bench_ops_create(&bench, opt, opt->accels[a]) ||
			  ops_rows(&bench, rows, &nr);

		bench_ops_destroy(&bench);
		if (err)
			return -1;
	}
	bench_mmu_print(stdout, opt, rows, nr);
	return 0;
}
