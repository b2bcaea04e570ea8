// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU thread: runs the guest, carries out its accesses, delivers interrupts.
 *
 * No wake-up is lost:
 *
 * - Whoever has news for the vCPU (the interrupt controller's output went up, the
 *   machine ended) changes the state and calls vcpu_notify(), both under the device
 *   lock.
 * - The thread looks at that state under the lock, and sets its phase before it lets
 *   the lock go.  So news comes either before the look, and is seen, or after it, and
 *   finds the phase set: a halted vCPU sleeps on a condition variable of the same
 *   lock; a running one is kicked, and a kick holds until the next run returns, even
 *   if that run has not begun yet.
 *
 * Accesses to devices that need no lock are carried out in between, without a look:
 * the phase stays, so whoever has news kicks, and that ends mmio_run().
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "mark.h"
#include "msg.h"

#define CR0_PE		BIT(0)
#define CR0_ET		BIT(4)
#define CR0_PG		BIT(31)
#define CR4_PAE		BIT(5)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)
#define RFLAGS_ONE	BIT(1)

#define TYPE_CODE	0xb	/* readable, accessed */
#define TYPE_DATA	0x3	/* writable, accessed */
#define TYPE_TSS	0xb	/* busy, 32 or 64 bits */

#define GDT_LIMIT	(BOOT_TR + 16 - 1)

/**
 * vcpu_create - make the machine's vCPU
 * @machine:	its machine
 *
 * Return: 0, or -1 with a message.
 */
int vcpu_create(struct machine *machine)
{
	struct vcpu *vcpu = &machine->vcpu;

	vcpu->machine = machine;
	vcpu->phase = VCPU_BUSY;
	pthread_cond_init(&vcpu->wake, NULL);
	vcpu->accel = machine->ops->vcpu_open(machine->accel, 0);
	return vcpu->accel ? 0 : -1;
}

static struct mhv_segment flat_segment(u16 selector, u8 type, bool code64)
{
	return (struct mhv_segment){
		.limit = UINT32_MAX,
		.selector = selector,
		.type = type,
		.s = 1,
		.present = 1,
		.l = code64,
		.db = !code64,
		.g = 1,
	};
}

/**
 * vcpu_boot_sregs - segments and control registers of a boot protocol
 * @sregs:	in: as after power-on, out
 * @boot:	mode and tables
 */
void vcpu_boot_sregs(struct mhv_sregs *sregs, const struct boot *boot)
{
	bool wide = boot->mode == BOOT_LONG;

	sregs->cs = flat_segment(BOOT_CS, TYPE_CODE, wide);
	sregs->ds = flat_segment(BOOT_DS, TYPE_DATA, false);
	sregs->es = sregs->ds;
	sregs->fs = sregs->ds;
	sregs->gs = sregs->ds;
	sregs->ss = sregs->ds;
	sregs->tr = (struct mhv_segment){
		.limit = 0x67, .selector = BOOT_TR, .type = TYPE_TSS, .present = 1,
	};
	sregs->ldt = (struct mhv_segment){ .unusable = 1 };
	sregs->gdt = (struct mhv_dtable){ .base = boot->gdt, .limit = GDT_LIMIT };
	sregs->idt = (struct mhv_dtable){ 0 };
	sregs->cr0 = CR0_PE | CR0_ET | (wide ? CR0_PG : 0);
	sregs->cr3 = wide ? boot->cr3 : 0;
	sregs->cr4 = wide ? CR4_PAE : 0;
	sregs->efer = wide ? EFER_LME | EFER_LMA : 0;
}

/**
 * vcpu_boot - set the vCPU to the kernel's first instruction
 * @vcpu:	created, not started
 * @boot:	from the loader
 *
 * Return: 0, or -1 with a message.
 */
int vcpu_boot(struct vcpu *vcpu, const struct boot *boot)
{
	const struct accel_ops *ops = vcpu->machine->ops;
	struct vcpu_state state;

	/* what a boot protocol does not speak of stays as after power-on */
	if (ops->get_state(vcpu->accel, &state))
		return -1;
	vcpu_boot_sregs(&state.sregs, boot);
	memset(&state.regs, 0, sizeof(state.regs));
	state.regs.rip = boot->entry;
	state.regs.rflags = RFLAGS_ONE;
	state.regs.rax = boot->rax;
	state.regs.rbx = boot->rbx;
	state.regs.rsi = boot->rsi;
	return ops->set_state(vcpu->accel, &state);
}

/**
 * vcpu_notify - there is something new for the vCPU
 * @vcpu:	the vCPU; the device lock is held
 */
void vcpu_notify(struct vcpu *vcpu)
{
	if (vcpu->phase == VCPU_HALTED) {
		pthread_cond_signal(&vcpu->wake);
	} else if (vcpu->phase == VCPU_RUNNING && !vcpu->kicked) {
		__atomic_store_n(&vcpu->kicked, true, __ATOMIC_RELEASE);
		vcpu->machine->ops->kick(vcpu->accel);
	}
}

/* takes an interrupt from the controller if the guest can have it in the next run */
static void vcpu_deliver(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct accel_ops *ops = machine->ops;

	if (pic_intr(&machine->pic) && ops->irq_ready(vcpu->accel))
		ops->inject(vcpu->accel, pic_ack(&machine->pic));
	ops->want_window(vcpu->accel, pic_intr(&machine->pic));
}

/* the guest has nothing to do until an interrupt comes */
static void vcpu_halt(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	bool asleep = machine->ops->irq_ready(vcpu->accel);

	if (!asleep)
		note("the guest has halted with interrupts off: end it with Ctrl-a x or SIGTERM");
	vcpu->phase = VCPU_HALTED;
	while (machine->end == END_NONE && !(asleep && pic_intr(&machine->pic)))
		pthread_cond_wait(&vcpu->wake, &machine->lock);
	vcpu->phase = VCPU_BUSY;
}

/* names where the guest was, for the ends that ask for it */
static void vcpu_say_where(struct vcpu *vcpu, const char *what)
{
	struct vcpu_state state;

	if (vcpu->machine->ops->get_state(vcpu->accel, &state))
		return;
	note("%s at rip 0x%llx, rsp 0x%llx, cs 0x%x (base 0x%llx)", what, state.regs.rip,
	     state.regs.rsp, state.sregs.cs.selector, state.sregs.cs.base);
	note("cr0 0x%llx, cr2 0x%llx, cr3 0x%llx, cr4 0x%llx, efer 0x%llx",
	     state.sregs.cr0, state.sregs.cr2, state.sregs.cr3, state.sregs.cr4,
	     state.sregs.efer);
}

static void vcpu_handle_exit(struct vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	switch (vcpu->exit.kind) {
	case VCPU_EXIT_AGAIN:
		break;
	case VCPU_EXIT_PORT:
		bus_access(&machine->ports, &vcpu->exit.access);
		break;
	case VCPU_EXIT_MMIO:
		mmio_access(&machine->mmio, &vcpu->exit.access);
		break;
	case VCPU_EXIT_HALT:
		vcpu_halt(vcpu);
		break;
	case VCPU_EXIT_SHUTDOWN:
		vcpu_say_where(vcpu, "triple fault");
		power_end(&machine->power, END_TRIPLE_FAULT, 0);
		break;
	case VCPU_EXIT_ENTRY_FAILED:
		fail("%s", vcpu->exit.text);
		power_end(&machine->power, END_ENTRY_FAILED, 0);
		break;
	case VCPU_EXIT_ERROR:
		fail("%s", vcpu->exit.text);
		power_end(&machine->power, END_ERROR, 0);
		break;
	}
}

static void *vcpu_main(void *arg)
{
	struct vcpu *vcpu = arg;
	struct machine *machine = vcpu->machine;

	mark("vcpu %d", gettid());
	pthread_mutex_lock(&machine->lock);
	while (machine->end == END_NONE) {
		vcpu_deliver(vcpu);
		vcpu->kicked = false;
		vcpu->phase = VCPU_RUNNING;
		pthread_mutex_unlock(&machine->lock);
		mmio_run(&machine->mmio, vcpu->accel, &vcpu->exit, &vcpu->kicked);
		pthread_mutex_lock(&machine->lock);
		vcpu->phase = VCPU_BUSY;
		vcpu_handle_exit(vcpu);
	}
	pthread_mutex_unlock(&machine->lock);
	return NULL;
}

/**
 * vcpu_start - let the guest run
 * @vcpu:	booted; signals are blocked, so that they go to the main thread
 *
 * Return: 0, or -1 with a message.
 */
int vcpu_start(struct vcpu *vcpu)
{
	int error = pthread_create(&vcpu->thread, NULL, vcpu_main, vcpu);

	if (error)
		return fail("cannot start the vCPU's thread: %s", strerror(error));
	pthread_setname_np(vcpu->thread, "vcpu0");
	vcpu->started = true;
	return 0;
}

/**
 * vcpu_join - wait until the vCPU's thread is over
 * @vcpu:	the machine has ended; the device lock is not held
 */
void vcpu_join(struct vcpu *vcpu)
{
	if (vcpu->started)
		pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

/**
 * vcpu_destroy - give the vCPU back
 * @vcpu:	joined, or never started
 */
void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->accel)
		vcpu->machine->ops->vcpu_close(vcpu->accel);
	vcpu->accel = NULL;
}
