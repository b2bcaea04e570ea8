// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine: a PC of one CPU, put together, run and taken apart.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "clock.h"
#include "dev/debugexit.h"
#include "dev/pvpanic.h"
#include "firmware/firmware.h"
#include "machine.h"
#include "msg.h"
#include "phases.h"
#include "size.h"
#include "stats.h"
#include "terminal.h"

/* the first end counts; under the device lock, from any thread */
static void machine_end(struct power *power, enum end_cause cause, u32 value)
{
	struct machine *machine = container_of(power, struct machine, power);

	if (machine->end != END_NONE)
		return;
	machine->end = cause;
	machine->end_value = value;
	vcpu_notify(&machine->vcpu);
	evloop_wake(&machine->loop);
}

static void machine_interrupt(void *owner)
{
	struct machine *machine = owner;

	vcpu_notify(&machine->vcpu);
}

static void machine_timeout(struct timer *timer)
{
	struct machine *machine = container_of(timer, struct machine, timeout);

	power_end(&machine->power, END_TIMEOUT, 0);
}

static void machine_signal(struct evloop_watch *watch)
{
	struct machine *machine = container_of(watch, struct machine, signals);
	struct signalfd_siginfo info;

	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP)
		terminal_stop();
	else
		power_end(&machine->power, END_SIGNAL, info.ssi_signo);
}

/* from here on these signals only arrive at the descriptor */
static int machine_take_signals(struct machine *machine)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct evloop_watch *watch = &machine->signals;
	sigset_t set;
	unsigned int i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);	/* a write says EPIPE instead */
	watch->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (watch->fd < 0)
		return fail("signalfd: %s", strerror(errno));
	watch->events = POLLIN;
	watch->ready = machine_signal;
	return evloop_add(&machine->loop, watch);
}

static int machine_check_memory(const struct machine *machine)
{
	unsigned int bits = machine->ops->phys_bits(machine->accel);
	u64 size = machine->opt->mem, host;
	char want[SIZE_TEXT], have[SIZE_TEXT];
	struct sysinfo info;

	if (bits < 64 && memory_top(size) - 1 >= 1ull << bits)
		return fail("memory %s exceeds %u-bit guest addresses: use a smaller --mem",
			    size_text(size, want), bits);
	if (sysinfo(&info))
		return 0;
	host = (u64)(info.totalram + info.totalswap) * info.mem_unit;
	if (size > host)
		return fail("memory %s exceeds the host's %s of RAM and swap: use a smaller --mem",
			    size_text(size, want), size_text(host, have));
	return 0;
}

static int machine_create_memory(struct machine *machine)
{
	struct memory *mem = &machine->mem;
	const struct accel_ops *ops = machine->ops;

	if (machine_check_memory(machine) || memory_create(mem, machine->opt->mem))
		return -1;
	if (ops->set_memory(machine->accel, 0, 0, mem->low, mem->base, false))
		return -1;
	if (!mem->high)
		return 0;
	return ops->set_memory(machine->accel, 1, MEM_ABOVE_HOLE, mem->high,
			       mem->base + mem->low, false);
}

static int machine_create_devices(struct machine *m)
{
	struct bus *ports = &m->ports;
	struct timer_queue *timers = &m->loop.timers;
	int err = 0;

	err |= pic_init(&m->pic, ports, machine_interrupt, m);
	err |= pit_init(&m->pit, ports, timers, pic_irq(&m->pic, 0));
	err |= cmos_init(&m->cmos, ports, timers, pic_irq(&m->pic, CMOS_IRQ), &m->mem);
	err |= uart_init(&m->uart, ports, UART_COM1, pic_irq(&m->pic, UART_COM1_IRQ),
			 &m->console.line);
	err |= i8042_init(&m->i8042, ports, &m->power);
	err |= acpi_pm_init(&m->pm, ports, pic_irq(&m->pic, ACPI_SCI_IRQ), &m->power);
	err |= pvpanic_init(ports, &m->power);
	err |= pci_init(&m->pci, ports, &m->mmio, &m->mem, &m->pic);
	if (m->opt->debug_exit)
		err |= debugexit_init(ports, &m->power);
	if (m->opt->phases)
		err |= phases_init(m);
	return err ? fail("two devices share a port, or memory ran out") : 0;
}

static int machine_check_device(const struct machine *machine,
				const struct device_option *device)
{
	unsigned int bits = machine->ops->phys_bits(machine->accel);
	const struct memory *mem = &machine->mem;
	u64 addr = device->addr, last = addr + device->type->size - 1;

	if (last < addr || (bits < 64 && last >= 1ull << bits))
		return fail("--device %s: 0x%llx exceeds %u-bit guest addresses",
			    device->type->name, addr, bits);
	if (addr < mem->low ||
	    (mem->high && last >= MEM_ABOVE_HOLE && addr < MEM_ABOVE_HOLE + mem->high))
		return fail("--device %s: RAM is at 0x%llx: use an address from 0x%llx on",
			    device->type->name, addr, MEM_HOLE);
	return 0;
}

/* what the user wants in device memory and behind it, and how fast */
static int machine_add_devices(struct machine *machine)
{
	const struct run_options *opt = machine->opt;
	unsigned int i;

	for (i = 0; i < opt->nr_devices; i++)
		if (machine_check_device(machine, &opt->devices[i]) ||
		    opt->devices[i].type->create(&machine->mmio, opt->devices[i].addr))
			return -1;
	for (i = 0; i < opt->nr_nets; i++) {
		machine->nics[i] = rtl8139_create(&machine->pci, &machine->loop, &opt->nets[i]);
		if (!machine->nics[i])
			return -1;
	}
	if (!opt->without && !opt->measure)
		return 0;
	return machine->ops->set_options(machine->accel, opt->without, opt->measure);
}

static int machine_load(struct machine *machine)
{
	const struct run_options *opt = machine->opt;
	struct load load = {
		.cmdline = opt->cmdline,
		.modules = opt->modules,
		.nr_modules = opt->nr_modules,
		.mem = &machine->mem,
	};
	struct firmware firmware;
	struct boot boot;

	if (firmware_install(&machine->mem, &firmware))
		return -1;
	load.rsdp = firmware.rsdp;
	if (load_guest(&load, opt->kernel, &boot))
		return -1;
	return vcpu_boot(&machine->vcpu, &boot);
}

/**
 * machine_create - build a machine and load its guest
 * @machine:	out; machine_destroy() it, also after an error
 * @opt:	what the user wants
 * @ops:	the hypervisor
 *
 * Return: 0, or -1 with a message.
 */
int machine_create(struct machine *machine, const struct run_options *opt,
		   const struct accel_ops *ops)
{
	memset(machine, 0, sizeof(*machine));
	machine->opt = opt;
	machine->ops = ops;
	machine->power.end = machine_end;
	machine->timeout.fire = machine_timeout;
	machine->signals.fd = -1;
	pthread_mutex_init(&machine->lock, NULL);
	if (evloop_init(&machine->loop, &machine->lock))
		return -1;
	machine->accel = ops->open(opt->paging);
	if (!machine->accel)
		return -1;
	mmio_init(&machine->mmio, ops, machine->accel, &machine->loop);
	if (machine_create_memory(machine) || vcpu_create(machine) ||
	    machine_load(machine))
		return -1;
	if (console_open(&machine->console, opt->console, &machine->loop, &machine->power))
		return -1;
	if (machine_create_devices(machine) || machine_add_devices(machine))
		return -1;
	return control_open(&machine->control, machine, opt->name);
}

static int machine_start(struct machine *machine)
{
	const struct run_options *opt = machine->opt;

	if (machine_take_signals(machine) ||
	    console_start(&machine->console, &machine->uart))
		return -1;
	machine->started_at = clock_now();
	if (opt->timeout)
		timer_arm(&machine->loop.timers, &machine->timeout,
			  machine->started_at + opt->timeout * NSEC_PER_SEC);
	return vcpu_start(&machine->vcpu);
}

/**
 * machine_run - run the guest to its end
 * @machine:	created
 *
 * Afterwards @machine->end says how it ended, all output is written and the terminal
 * is as it was.
 *
 * Return: 0, or -1 with a message when it did not even start.
 */
int machine_run(struct machine *machine)
{
	int err;

	pthread_mutex_lock(&machine->lock);
	err = machine_start(machine);
	while (!err && machine->end == END_NONE)
		if (evloop_once(&machine->loop))
			power_end(&machine->power, END_ERROR, 0);
	pthread_mutex_unlock(&machine->lock);
	vcpu_join(&machine->vcpu);
	pthread_mutex_lock(&machine->lock);
	console_close(&machine->console);
	pthread_mutex_unlock(&machine->lock);
	return err;
}

/**
 * machine_destroy - take the machine apart, creation backwards
 * @machine:	from machine_create(), whatever that returned
 */
void machine_destroy(struct machine *machine)
{
	control_close(&machine->control);
	if (machine->signals.fd >= 0)
		close(machine->signals.fd);
	pci_destroy(&machine->pci);
	mmio_destroy(&machine->mmio);
	bus_destroy(&machine->ports);
	vcpu_destroy(&machine->vcpu);
	if (machine->accel)
		machine->ops->close(machine->accel);
	if (machine->mem.base)
		memory_destroy(&machine->mem);
	evloop_destroy(&machine->loop);
	pthread_mutex_destroy(&machine->lock);
}
