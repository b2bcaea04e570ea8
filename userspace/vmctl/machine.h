/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_MACHINE_H
#define VMCTL_MACHINE_H

#include <pthread.h>

#include "accel/accel.h"
#include "console.h"
#include "control.h"
#include "dev/acpi_pm.h"
#include "dev/cmos.h"
#include "dev/i8042.h"
#include "dev/mmio.h"
#include "dev/pci.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "dev/rtl8139.h"
#include "dev/uart16550.h"
#include "evloop.h"
#include "memory.h"
#include "options.h"
#include "power.h"

/* enum vcpu_phase - what a vCPU thread is about, for those who want its attention */
enum vcpu_phase {
	VCPU_BUSY,	/* holds the device lock or is about to: will look by itself */
	VCPU_RUNNING,	/* in the guest or on its way: kick it */
	VCPU_HALTED,	/* sleeps on @wake */
};

/**
 * struct vcpu - a vCPU and its thread
 * @machine:	its machine
 * @thread:	valid while @started
 * @started:	the thread is to be joined
 * @accel:	backend's vCPU
 * @phase:	under the device lock
 * @kicked:	a kick for this run is out already; set under the device lock, and seen
 *		by mmio_run() without it
 * @wake:	signalled when a halted vCPU has something to do
 * @exit:	of the last run; the thread's own
 */
struct vcpu {
	struct machine *machine;
	pthread_t thread;
	bool started;
	struct accel_vcpu *accel;
	enum vcpu_phase phase;
	bool kicked;
	pthread_cond_t wake;
	struct vcpu_exit exit;
};

/**
 * struct machine - a virtual machine
 * @opt:	what the user wants
 * @ops: @accel: backend and its VM
 * @lock:	the device lock: all devices, buses, timers, console, @power, @end
 * @mem:	guest RAM
 * @loop:	main thread's loop
 * @ports: @mmio: what is at which port and in device memory
 * @pci:	host bridge and the devices behind it
 * @nics:	the devices of --net
 * @pic: @pit: @cmos: @uart: @i8042: @pm: devices
 * @control:	socket for other vmctl processes
 * @console:	user's end of the serial cable
 * @power:	what devices see of @end
 * @timeout:	ends the machine
 * @signals:	watch of the signalfd
 * @vcpu:	the vCPU
 * @end:	why the machine ended; END_NONE while it runs
 * @end_value:	what belongs to @end
 * @started_at:	clock_now() at the first run
 */
struct machine {
	const struct run_options *opt;
	const struct accel_ops *ops;
	struct accel *accel;
	pthread_mutex_t lock;
	struct memory mem;
	struct evloop loop;
	struct bus ports;
	struct mmio mmio;
	struct pci pci;
	struct rtl8139 *nics[NETS_MAX];
	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	struct uart uart;
	struct i8042 i8042;
	struct acpi_pm pm;
	struct control control;
	struct console console;
	struct power power;
	struct timer timeout;
	struct evloop_watch signals;
	struct vcpu vcpu;
	enum end_cause end;
	u32 end_value;
	u64 started_at;
};

int machine_create(struct machine *machine, const struct run_options *opt,
		   const struct accel_ops *ops);
int machine_run(struct machine *machine);
void machine_destroy(struct machine *machine);

/* vcpu.c */
int vcpu_create(struct machine *machine);
void vcpu_boot_sregs(struct mhv_sregs *sregs, const struct boot *boot);
int vcpu_boot(struct vcpu *vcpu, const struct boot *boot);
int vcpu_start(struct vcpu *vcpu);
void vcpu_notify(struct vcpu *vcpu);
void vcpu_join(struct vcpu *vcpu);
void vcpu_destroy(struct vcpu *vcpu);

#endif
