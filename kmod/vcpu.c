// SPDX-License-Identifier: GPL-2.0-only
/* The vCPU: its file descriptor, its ioctls and the run loop. */
#include <linux/anon_inodes.h>
#include <linux/entry-kvm.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "mmu/mmu.h"

/* ---- on a CPU -------------------------------------------------------------- */

static struct mhv_vcpu *notifier_vcpu(struct preempt_notifier *pn)
{
	return container_of(pn, struct mhv_vcpu, task_notifier);
}

static void vcpu_sched_in(struct preempt_notifier *pn, int cpu)
{
	mhv_op(load)(notifier_vcpu(pn), cpu);
}

static void vcpu_sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	mhv_op(put)(notifier_vcpu(pn));
}

static struct preempt_ops vcpu_preempt_ops = {
	.sched_in = vcpu_sched_in,
	.sched_out = vcpu_sched_out,
};

/**
 * mhv_vcpu_load - make a vCPU's state reachable on this CPU, and keep it so
 * @v: the vCPU; the caller holds its mutex
 *
 * Context: may sleep.  Until mhv_vcpu_put() the scheduler's notifier moves the state
 * along with the thread.
 */
void mhv_vcpu_load(struct mhv_vcpu *v)
{
	int cpu = get_cpu();

	preempt_notifier_register(&v->task_notifier);
	mhv_op(load)(v, cpu);
	put_cpu();
}

/**
 * mhv_vcpu_put - the opposite
 * @v: a loaded vCPU
 */
void mhv_vcpu_put(struct mhv_vcpu *v)
{
	preempt_disable();
	mhv_op(put)(v);
	preempt_notifier_unregister(&v->task_notifier);
	preempt_enable();
}

/* ---- exceptions ------------------------------------------------------------ */

static bool exception_contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

/* What a second exception makes of a first one whose delivery it interrupts. */
static bool exception_doubles(u8 first, u8 second)
{
	if (first == X86_TRAP_PF || first == X86_TRAP_DF)
		return second == X86_TRAP_PF || exception_contributory(second);
	return exception_contributory(first) && exception_contributory(second);
}

/**
 * mhv_queue_exception - deliver an exception before the guest's next instruction
 * @v: a loaded vCPU
 * @vector: 0..31
 * @has_error: it has an error code
 * @error_code: that code
 */
void mhv_queue_exception(struct mhv_vcpu *v, u8 vector, bool has_error, u32 error_code)
{
	struct mhv_pending *r = &v->reinject;

	if (r->valid && r->type == MHV_PENDING_EXCEPTION &&
	    exception_doubles(r->vector, vector)) {
		if (r->vector == X86_TRAP_DF) {
			set_bit(MHV_REQ_SHUTDOWN, &v->requests);
			return;
		}
		vector = X86_TRAP_DF;
		has_error = true;
		error_code = 0;
	} else if (r->valid && r->type == MHV_PENDING_IRQ && !v->irq.valid) {
		/* the interrupt comes again when the handler is done */
		v->irq = (struct mhv_pending){ .valid = true, .vector = r->vector };
	} else if (r->valid && r->type == MHV_PENDING_NMI) {
		v->nmi_pending = true;
	}
	r->valid = false;
	v->exception = (struct mhv_pending){
		.valid = true,
		.vector = vector,
		.has_error = has_error,
		.error_code = error_code,
	};
}

/**
 * mhv_queue_page_fault - deliver a #PF
 * @v: a loaded vCPU
 * @error_code: PFERR_*
 * @gva: goes to CR2
 */
void mhv_queue_page_fault(struct mhv_vcpu *v, u32 error_code, gva_t gva)
{
	v->cr2 = gva;
	mhv_queue_exception(v, X86_TRAP_PF, true, error_code);
}

/* ---- MHV_RUN --------------------------------------------------------------- */

#define VCPU_STOP	(BIT(MHV_REQ_KICK) | BIT(MHV_REQ_SHUTDOWN) | BIT(MHV_REQ_ROOT))

static bool vcpu_must_stop(struct mhv_vcpu *v)
{
	return (READ_ONCE(v->requests) & VCPU_STOP) || xfer_to_guest_mode_work_pending() ||
	       mhv_op(lost)();
}

/*
 * Run the guest once; false when something has to be seen to first.
 * mhv_request_all() sets a request and then looks at the mode, here it is the other way
 * round: one of the two sees the other.
 */
static bool vcpu_enter(struct mhv_vcpu *v)
{
	mhv_op(inject)(v);
	local_irq_disable();
	/* the mode is out before the requests are read: see above */
	smp_store_mb(v->mode, MHV_IN_GUEST);
	if (unlikely(vcpu_must_stop(v))) {
		WRITE_ONCE(v->mode, MHV_OUTSIDE_GUEST);
		local_irq_enable();
		return false;
	}
	mhv_op(enter)(v);
	/* whoever sees us outside also sees that the guest has stopped */
	smp_store_release(&v->mode, MHV_OUTSIDE_GUEST);
	local_irq_enable();
	return true;
}

/* Shadow paging: load the root.  0 to go on, 1 to return to user space, or an errno. */
static int vcpu_load_root(struct mhv_vcpu *v)
{
	int ret;

	if (!mhv_op(runnable)(v)) {
		v->run->exit = MHV_EXIT_ENTRY_FAILED;
		v->run->entry_failed.reason = 0;
		v->run->entry_failed.flags = 0;
		v->run->entry_failed.qualification = 0;
		strscpy(v->run->entry_failed.report,
			"CR0.PE is clear: shadow paging has no real mode",
			sizeof(v->run->entry_failed.report));
		return 1;
	}
	clear_bit(MHV_REQ_ROOT, &v->requests);
	/* the request before what it is about */
	smp_mb__after_atomic();
	ret = mhv_shadow_load_root(v);
	if (ret)
		set_bit(MHV_REQ_ROOT, &v->requests);
	return ret;
}

/* What vcpu_must_stop() saw.  0 to go on, 1 to return to user space, or an errno. */
static int vcpu_see_to(struct mhv_vcpu *v)
{
	if (test_and_clear_bit(MHV_REQ_SHUTDOWN, &v->requests)) {
		v->run->exit = MHV_EXIT_SHUTDOWN;
		return 1;
	}
	if (test_and_clear_bit(MHV_REQ_KICK, &v->requests)) {
		mhv_count(v, MHV_STAT_KICKS);
		v->run->exit = MHV_EXIT_KICKED;
		return 1;
	}
	if (signal_pending(current))
		return -EINTR;
	if (test_bit(MHV_REQ_ROOT, &v->requests)) {
		int ret = vcpu_load_root(v);

		if (ret)
			return ret;
	}
	if (need_resched() || mhv_op(lost)())
		schedule();
	/*
	 * Work to be done on the way to user space: go there, and have the kernel start
	 * the system call again, as it does for signals without a handler.
	 */
	if (test_thread_flag(TIF_NOTIFY_RESUME)) {
		set_thread_flag(TIF_SIGPENDING);
		return -ERESTARTNOINTR;
	}
	return 0;
}

static int vcpu_run_guest(struct mhv_vcpu *v)
{
	for (;;) {
		int ret;

		if (likely(vcpu_enter(v))) {
			switch (mhv_op(handle_exit)(v)) {
			case MHV_NEXT_RESUME:
				continue;
			case MHV_NEXT_USER:
				return 0;
			case MHV_NEXT_FAIL:
				return v->run_error;
			}
		}
		ret = vcpu_see_to(v);
		if (ret)
			return ret < 0 ? ret : 0;
	}
}

/* User space may have left an interrupt in the run page. */
static int vcpu_take_irq(struct mhv_vcpu *v)
{
	u32 irq = READ_ONCE(v->run->irq);

	if (likely(!(irq & MHV_IRQ_VALID)))
		return 0;
	if (irq & ~(MHV_IRQ_VALID | 0xff))
		return -EINVAL;
	if (v->irq.valid)
		return 0;
	v->irq = (struct mhv_pending){ .valid = true, .vector = irq };
	WRITE_ONCE(v->run->irq, 0);
	return 0;
}

static int vcpu_run_loaded(struct mhv_vcpu *v)
{
	int ret = vcpu_take_irq(v);

	if (ret)
		return ret;
	if (mhv_ioreq_complete(v) == MHV_NEXT_USER)
		return 0;
	if (READ_ONCE(v->run->immediate_exit))
		return -EINTR;
	ret = vcpu_run_guest(v);
	mhv_op(fpu_put)(v);
	return ret;
}

static int vcpu_run(struct mhv_vcpu *v)
{
	int ret;

	v->ran = true;
	v->run->exit = MHV_EXIT_NONE;
	mhv_count(v, MHV_STAT_RUNS);
	mhv_vcpu_load(v);
	ret = vcpu_run_loaded(v);
	v->run->irq_pending = v->irq.valid;
	v->run->irq_ready = !v->irq.valid && mhv_op(irq_allowed)(v);
	mhv_vcpu_put(v);
	if (!ret)
		mhv_count(v, MHV_STAT_USER_EXITS);
	return ret;
}

static void vcpu_ack_kick(void *unused)
{
}

/* From any thread, at any time, without the mutex. */
static int vcpu_kick(struct mhv_vcpu *v)
{
	int cpu;

	set_bit(MHV_REQ_KICK, &v->requests);
	/* the request before the mode: pairs with vcpu_enter() */
	smp_mb__after_atomic();
	cpu = READ_ONCE(v->cpu);
	if (READ_ONCE(v->mode) == MHV_IN_GUEST && cpu >= 0)
		smp_call_function_single(cpu, vcpu_ack_kick, NULL, 0);
	return 0;
}

/* ---- registers ------------------------------------------------------------- */

#define EFLAGS_VALID	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | \
			 X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_RF | \
			 X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | X86_EFLAGS_VIP | \
			 X86_EFLAGS_ID)

static long vcpu_get_regs(struct mhv_vcpu *v, struct mhv_regs __user *uarg)
{
	struct mhv_regs regs;

	/* the order of the interface is that of the hardware */
	BUILD_BUG_ON(offsetof(struct mhv_regs, rip) != MHV_NR_GPRS * sizeof(u64));

	mhv_vcpu_load(v);
	mhv_op(cache_regs)(v);
	mhv_vcpu_put(v);
	memcpy(&regs, v->gp, sizeof(v->gp));
	regs.rip = v->rip;
	regs.rflags = v->rflags;
	return copy_to_user(uarg, &regs, sizeof(regs)) ? -EFAULT : 0;
}

/* An instruction under way goes on with the registers it began with. */
static void vcpu_change_pending(struct mhv_vcpu *v, const struct mhv_regs *regs)
{
	if (v->cached != MHV_REG_ALL) {
		mhv_vcpu_load(v);
		mhv_op(cache_regs)(v);
		mhv_vcpu_put(v);
	}
	if (v->io.kind == MHV_IO_PLAIN) {
		if (regs->rip == v->rip)
			return;
	} else {
		mhv_emul_regs_change(&v->emul, (const struct mhv_emul_regs *)regs);
		if (mhv_emul_pending(&v->emul))
			return;
	}
	/* another RIP: it is abandoned */
	v->io.kind = MHV_IO_NONE;
	v->io.awaited = false;
}

static long vcpu_set_regs(struct mhv_vcpu *v, const struct mhv_regs __user *uarg)
{
	struct mhv_regs regs;

	BUILD_BUG_ON(sizeof(regs) != sizeof(struct mhv_emul_regs));
	if (copy_from_user(&regs, uarg, sizeof(regs)))
		return -EFAULT;
	/* bits no CPU has set are not the guest's to keep */
	regs.rflags = (regs.rflags & EFLAGS_VALID) | X86_EFLAGS_FIXED;
	if (mhv_emul_pending(&v->emul) || (v->io.kind == MHV_IO_PLAIN && v->io.awaited))
		vcpu_change_pending(v, &regs);
	memcpy(v->gp, &regs, sizeof(v->gp));
	v->rip = regs.rip;
	v->rflags = regs.rflags;
	v->cached = MHV_REG_ALL;
	v->dirty = MHV_REG_ALL;
	return 0;
}

static long vcpu_get_sregs(struct mhv_vcpu *v, void __user *uarg)
{
	struct mhv_sregs sregs;

	mhv_vcpu_load(v);
	mhv_op(get_sregs)(v, &sregs);
	mhv_vcpu_put(v);
	return copy_to_user(uarg, &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

static long vcpu_set_sregs(struct mhv_vcpu *v, const void __user *uarg)
{
	struct mhv_sregs sregs;
	int ret;

	if (copy_from_user(&sregs, uarg, sizeof(sregs)))
		return -EFAULT;
	mhv_vcpu_load(v);
	ret = mhv_op(set_sregs)(v, &sregs);
	mhv_vcpu_put(v);
	/* user space may have written the guest's tables as well */
	if (!ret && v->vm->shadow) {
		mhv_shadow_compare_all(v->vm);
		set_bit(MHV_REQ_ROOT, &v->requests);
	}
	/* another mode: the instruction under way is none of its */
	if (!ret && v->io.kind >= MHV_IO_MMIO) {
		mhv_emul_abandon(&v->emul);
		v->io.kind = MHV_IO_NONE;
		v->io.awaited = false;
	}
	return ret;
}

/* ---- FPU ------------------------------------------------------------------- */

static long vcpu_get_fpu(struct mhv_vcpu *v, void __user *uarg)
{
	struct mhv_fpu *fpu = kzalloc(sizeof(*fpu), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!fpu)
		return -ENOMEM;
	fpu->size = min_t(u32, v->fpu.uabi_size, sizeof(fpu->xsave));
	fpu_copy_guest_fpstate_to_uabi(&v->fpu, fpu->xsave, fpu->size, mhv_guest_xcr0_mask(), 0);
	ret = copy_to_user(uarg, fpu, sizeof(*fpu)) ? -EFAULT : 0;
	kfree(fpu);
	return ret;
}

static long vcpu_set_fpu(struct mhv_vcpu *v, const void __user *uarg)
{
	struct mhv_fpu *fpu = memdup_user(uarg, sizeof(*fpu));
	u32 pkru = 0;
	long ret = -EINVAL;

	if (IS_ERR(fpu))
		return PTR_ERR(fpu);
	if (!fpu->reserved)
		ret = fpu_copy_uabi_to_guest_fpstate(&v->fpu, fpu->xsave, mhv_guest_xcr0_mask(),
						     &pkru);
	kfree(fpu);
	return ret;
}

/* ---- MSRs ------------------------------------------------------------------ */

static int vcpu_one_msr(struct mhv_vcpu *v, struct mhv_msr __user *umsr, bool set)
{
	struct mhv_msr msr;
	int ret;

	if (copy_from_user(&msr, umsr, sizeof(msr)))
		return -EFAULT;
	if (msr.reserved)
		return -EINVAL;
	if (set)
		return mhv_op(set_msr)(v, &msr);
	ret = mhv_op(get_msr)(v, &msr);
	if (!ret && put_user(msr.value, &umsr->value))
		ret = -EFAULT;
	return ret;
}

static long vcpu_msrs(struct mhv_vcpu *v, struct mhv_msrs __user *uarg, bool set)
{
	struct mhv_msr __user *entries;
	struct mhv_msrs arg;
	int ret = 0;
	u32 i;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.nr > MHV_MAX_MSRS)
		return -EINVAL;
	entries = u64_to_user_ptr(arg.entries);
	mhv_vcpu_load(v);
	for (i = 0; i < arg.nr; i++) {
		ret = vcpu_one_msr(v, &entries[i], set);
		if (ret)
			break;
	}
	mhv_vcpu_put(v);
	if (put_user(i, &uarg->done))
		return -EFAULT;
	return ret;
}

/* ---- CPUID ----------------------------------------------------------------- */

static long vcpu_set_cpuid(struct mhv_vcpu *v, const void __user *uarg)
{
	struct mhv_cpuid arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (v->ran)
		return -EBUSY;
	ret = mhv_cpuid_set(v, &arg);
	if (ret)
		return ret;
	mhv_vcpu_load(v);
	mhv_op(set_cpuid)(v);
	mhv_vcpu_put(v);
	return 0;
}

/* ---- events ---------------------------------------------------------------- */

#define VECTORS_WITH_ERROR	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | \
				 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | \
				 BIT(X86_TRAP_AC))

static bool exception_valid(u8 vector, u8 has_error)
{
	if (vector > 31 || vector == X86_TRAP_NMI || has_error > 1)
		return false;
	return has_error == !!(VECTORS_WITH_ERROR & BIT(vector));
}

static int vcpu_inject_exception(struct mhv_vcpu *v, const struct mhv_event *e)
{
	if (!exception_valid(e->vector, e->has_error) || (!e->has_error && e->error_code))
		return -EINVAL;
	if (e->vector != X86_TRAP_PF && e->address)
		return -EINVAL;
	if (v->exception.valid || v->reinject.valid)
		return -EBUSY;
	if (e->vector == X86_TRAP_PF)
		v->cr2 = e->address;
	mhv_queue_exception(v, e->vector, e->has_error, e->error_code);
	return 0;
}

static int vcpu_inject_simple(struct mhv_vcpu *v, const struct mhv_event *e)
{
	if (e->has_error || e->error_code || e->address)
		return -EINVAL;
	if (e->type == MHV_EVENT_NMI) {
		if (e->vector != X86_TRAP_NMI)
			return -EINVAL;
		if (v->nmi_pending)
			return -EBUSY;
		v->nmi_pending = true;
		return 0;
	}
	if (v->irq.valid)
		return -EBUSY;
	v->irq = (struct mhv_pending){ .valid = true, .vector = e->vector };
	return 0;
}

static long vcpu_inject(struct mhv_vcpu *v, const void __user *uarg)
{
	struct mhv_event e;

	if (copy_from_user(&e, uarg, sizeof(e)))
		return -EFAULT;
	if (memchr_inv(e.reserved, 0, sizeof(e.reserved)) || e.reserved2)
		return -EINVAL;
	switch (e.type) {
	case MHV_EVENT_EXCEPTION:
		return vcpu_inject_exception(v, &e);
	case MHV_EVENT_INTERRUPT:
	case MHV_EVENT_NMI:
		return vcpu_inject_simple(v, &e);
	}
	return -EINVAL;
}

static long vcpu_get_events(struct mhv_vcpu *v, void __user *uarg)
{
	struct mhv_vcpu_events events = {};

	mhv_vcpu_load(v);
	mhv_op(get_events)(v, &events);
	mhv_vcpu_put(v);
	return copy_to_user(uarg, &events, sizeof(events)) ? -EFAULT : 0;
}

static bool events_valid(const struct mhv_vcpu_events *e)
{
	if (e->irq_pending > 1 || e->nmi_pending > 1 || e->nmi_blocked > 1 ||
	    e->sti_shadow > 1 || e->movss_shadow > 1 || e->exception_pending > 1)
		return false;
	if (memchr_inv(e->reserved, 0, sizeof(e->reserved)) ||
	    memchr_inv(e->reserved2, 0, sizeof(e->reserved2)))
		return false;
	/* no instruction casts both shadows */
	if (e->sti_shadow && e->movss_shadow)
		return false;
	return !e->exception_pending ||
	       exception_valid(e->exception_vector, e->exception_has_error);
}

static long vcpu_set_events(struct mhv_vcpu *v, const void __user *uarg)
{
	struct mhv_vcpu_events events;

	if (copy_from_user(&events, uarg, sizeof(events)))
		return -EFAULT;
	if (!events_valid(&events))
		return -EINVAL;
	mhv_vcpu_load(v);
	mhv_op(set_events)(v, &events);
	mhv_vcpu_put(v);
	return 0;
}

static long vcpu_walk(struct mhv_vcpu *v, void __user *uarg)
{
	struct mhv_walk arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	mhv_vcpu_load(v);
	ret = mhv_walk(v, &arg);
	mhv_vcpu_put(v);
	if (ret)
		return ret;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/* ---- the file -------------------------------------------------------------- */

static long vcpu_locked_ioctl(struct mhv_vcpu *v, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case MHV_GET_REGS:
		return vcpu_get_regs(v, uarg);
	case MHV_SET_REGS:
		return vcpu_set_regs(v, uarg);
	case MHV_GET_SREGS:
		return vcpu_get_sregs(v, uarg);
	case MHV_SET_SREGS:
		return vcpu_set_sregs(v, uarg);
	case MHV_GET_FPU:
		return vcpu_get_fpu(v, uarg);
	case MHV_SET_FPU:
		return vcpu_set_fpu(v, uarg);
	case MHV_GET_MSRS:
		return vcpu_msrs(v, uarg, false);
	case MHV_SET_MSRS:
		return vcpu_msrs(v, uarg, true);
	case MHV_GET_CPUID:
		return mhv_cpuid_copy(v->cpuid, v->nr_cpuid, uarg);
	case MHV_SET_CPUID:
		return vcpu_set_cpuid(v, uarg);
	case MHV_INJECT:
		return vcpu_inject(v, uarg);
	case MHV_GET_EVENTS:
		return vcpu_get_events(v, uarg);
	case MHV_SET_EVENTS:
		return vcpu_set_events(v, uarg);
	case MHV_WALK:
		return vcpu_walk(v, uarg);
	}
	return -ENOTTY;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mhv_vcpu *v = file->private_data;
	long ret;

	if (current->mm != v->vm->mm)
		return -EIO;
	if (cmd == MHV_KICK)
		return arg ? -EINVAL : vcpu_kick(v);
	if (mutex_lock_interruptible(&v->mutex))
		return -EINTR;
	if (likely(cmd == MHV_RUN))
		ret = arg ? -EINVAL : vcpu_run(v);
	else
		ret = vcpu_locked_ioctl(v, cmd, arg);
	mutex_unlock(&v->mutex);
	return ret;
}

static vm_fault_t vcpu_page_fault(struct vm_fault *vmf)
{
	struct mhv_vcpu *v = vmf->vma->vm_private_data;
	void *const pages[] = {
		[MHV_RUN_PAGE] = v->run, [MHV_DATA_PAGE] = v->data, [MHV_STATS_PAGE] = v->stat,
	};

	if (vmf->pgoff >= ARRAY_SIZE(pages))
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(pages[array_index_nospec(vmf->pgoff, ARRAY_SIZE(pages))]);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_page_fault,
};

/**
 * mhv_vma_flags - change the flags of a mapping
 * @vma: being made
 * @set: flags to set
 * @clear: flags to clear
 *
 * They became read-only to drivers, with helpers, in 6.3.
 */
void mhv_vma_flags(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long last = vma->vm_pgoff + vma_pages(vma) - 1;

	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC) ||
	    last < vma->vm_pgoff || last > MHV_STATS_PAGE)
		return -EINVAL;
	if (last == MHV_STATS_PAGE && (vma->vm_flags & VM_WRITE))
		return -EACCES;
	/* a mapping that grew would reach what it may not write */
	mhv_vma_flags(vma, VM_DONTEXPAND,
		       VM_MAYEXEC | (last == MHV_STATS_PAGE ? VM_MAYWRITE : 0));
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_close(struct inode *inode, struct file *file)
{
	struct mhv_vcpu *v = file->private_data;

	mhv_vm_put(v->vm);
	return 0;
}

const struct file_operations mhv_vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_close,
	.unlocked_ioctl	= vcpu_ioctl,
	.mmap		= vcpu_mmap,
	.llseek		= noop_llseek,
};

/* ---- life ------------------------------------------------------------------ */

/**
 * mhv_vcpu_free - free a vCPU
 * @v: a vCPU that no file descriptor refers to any more, or one half made
 */
void mhv_vcpu_free(struct mhv_vcpu *v)
{
	mhv_op(vcpu_free)(v);
	mhv_shadow_vcpu_free(v);
	while (v->nr_page_cache)
		free_page((unsigned long)v->page_cache[--v->nr_page_cache]);
	if (v->fpu.fpstate)
		fpu_free_guest_fpstate(&v->fpu);
	kfree(v->cpuid);
	free_page((unsigned long)v->stat);
	free_page((unsigned long)v->data);
	free_page((unsigned long)v->run);
	kfree(v);
}

static struct mhv_vcpu *vcpu_alloc(struct mhv_vm *vm, u32 id)
{
	struct mhv_vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!v)
		return ERR_PTR(ret);
	v->vm = vm;
	v->id = id;
	v->cpu = -1;
	if (vm->shadow)
		set_bit(MHV_REQ_ROOT, &v->requests);
	mutex_init(&v->mutex);
	preempt_notifier_init(&v->task_notifier, &vcpu_preempt_ops);
	v->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	v->data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	v->stat = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!v->run || !v->data || !v->stat || !fpu_alloc_guest_fpstate(&v->fpu))
		goto err;
	mhv_emul_init(v);
	ret = mhv_cpuid_init(v);
	if (ret)
		goto err;
	ret = mhv_op(vcpu_create)(v);
	if (ret)
		goto err;
	return v;
err:
	mhv_vcpu_free(v);
	return ERR_PTR(ret);
}

static int vcpu_install(struct mhv_vm *vm, u32 id)
{
	struct mhv_vcpu *v;
	struct file *file;
	int fd, ret;

	if (vm->vcpus[id])
		return -EEXIST;
	v = vcpu_alloc(vm, id);
	if (IS_ERR(v))
		return PTR_ERR(v);
	fd = get_unused_fd_flags(O_CLOEXEC);
	ret = fd;
	if (fd < 0)
		goto err_vcpu;
	file = anon_inode_getfile("mhv-vcpu", &mhv_vcpu_fops, v, O_RDWR);
	ret = PTR_ERR(file);
	if (IS_ERR(file))
		goto err_fd;
	mhv_vm_get(vm);
	/*
	 * Requests to all vCPUs must find it before it can run.  It is freed with the VM,
	 * whatever becomes of the descriptor.
	 */
	smp_store_release(&vm->vcpus[id], v);
	fd_install(fd, file);
	return fd;

err_fd:
	put_unused_fd(fd);
err_vcpu:
	mhv_vcpu_free(v);
	return ret;
}

/**
 * mhv_vcpu_create - MHV_CREATE_VCPU
 * @vm: the VM
 * @config: as user space gave it
 *
 * Context: may sleep.
 * Return: a file descriptor, -EINVAL, -EEXIST or -ENOMEM.
 */
int mhv_vcpu_create(struct mhv_vm *vm, const struct mhv_vcpu_config *config)
{
	int ret;

	if (config->id >= MHV_MAX_VCPUS || config->flags ||
	    memchr_inv(config->reserved, 0, sizeof(config->reserved)))
		return -EINVAL;
	mutex_lock(&vm->vcpus_lock);
	ret = vcpu_install(vm, array_index_nospec(config->id, MHV_MAX_VCPUS));
	mutex_unlock(&vm->vcpus_lock);
	return ret;
}
