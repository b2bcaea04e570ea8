/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vendor boundary: what the neutral code asks of VMX (later: SVM).
 * One list gives the table of pointers, the check that none is missing and the
 * static calls, used as mhv_op(name)(args).
 */
#ifndef MHV_OPS_H
#define MHV_OPS_H

#include <linux/static_call.h>
#include <linux/types.h>

struct mhv_code;
struct mhv_info;
struct mhv_msr;
struct mhv_paging_state;
struct mhv_segment;
struct mhv_sregs;
struct mhv_vcpu;
struct mhv_vcpu_events;

/* What the run loop does after an exit was handled. */
enum mhv_next {
	MHV_NEXT_RESUME,	/* enter the guest again */
	MHV_NEXT_USER,		/* return 0, run->exit says why */
	MHV_NEXT_FAIL,		/* return vcpu->run_error */
};

/*
 * describe		fill features, verdict, detail, phys_bits of mhv_info
 * enable, disable	this CPU's virtualisation on or off; interrupts off
 * lost			true when this CPU's virtualisation was switched off
 * vcpu_create, _free	the vendor's part of a vCPU
 * load, put		make a vCPU current on this CPU, give the CPU back;
 *			preemption off
 * unload		forget that a vCPU was loaded on any CPU; may sleep
 * inject		put pending events in place before an entry
 * enter		run the guest until it exits; interrupts off
 * handle_exit		act on the exit; may sleep
 * cache_regs		fetch RIP, RSP, RFLAGS into the vCPU
 * get_sregs, set_sregs	all that is not a general register
 * get_msr, set_msr	one MSR; -ENXIO none such, -EINVAL value refused
 * set_cpuid		the guest's CPUID changed
 * get_events, set_events  what only the hardware knows of pending events
 * irq_allowed		the guest could take an interrupt now
 * get_segment		one segment register with its hidden part
 * get_paging		control registers and CPL, for the guest walker
 * skip			move RIP past the instruction that exited
 * get_code		where the guest executes, with all registers cached
 * real_mode		is that real or virtual-8086 mode
 * retire		an emulated instruction is complete, RIP has moved
 * fpu_put		bring the guest's FPU state back to memory
 * set_root		shadow paging: host-physical address of the CPU's root table
 * flush_gva		shadow paging: drop one address from the vCPU's TLB entries
 * runnable		shadow paging: can the CPU run the guest's mode
 */
#define MHV_OPS(X)							\
	X(describe, void, (struct mhv_info *info))			\
	X(enable, int, (void))						\
	X(disable, void, (void))					\
	X(lost, bool, (void))						\
	X(vcpu_create, int, (struct mhv_vcpu *v))			\
	X(vcpu_free, void, (struct mhv_vcpu *v))			\
	X(load, void, (struct mhv_vcpu *v, int cpu))			\
	X(put, void, (struct mhv_vcpu *v))				\
	X(unload, void, (struct mhv_vcpu *v))				\
	X(inject, void, (struct mhv_vcpu *v))				\
	X(enter, void, (struct mhv_vcpu *v))				\
	X(handle_exit, enum mhv_next, (struct mhv_vcpu *v))		\
	X(cache_regs, void, (struct mhv_vcpu *v))			\
	X(get_sregs, void, (struct mhv_vcpu *v, struct mhv_sregs *s))	\
	X(set_sregs, int, (struct mhv_vcpu *v, const struct mhv_sregs *s)) \
	X(get_msr, int, (struct mhv_vcpu *v, struct mhv_msr *msr))	\
	X(set_msr, int, (struct mhv_vcpu *v, const struct mhv_msr *msr)) \
	X(set_cpuid, void, (struct mhv_vcpu *v))			\
	X(get_events, void, (struct mhv_vcpu *v, struct mhv_vcpu_events *e)) \
	X(set_events, void, (struct mhv_vcpu *v, const struct mhv_vcpu_events *e)) \
	X(irq_allowed, bool, (struct mhv_vcpu *v))			\
	X(get_segment, void, (struct mhv_vcpu *v, int seg, struct mhv_segment *s)) \
	X(get_paging, void, (struct mhv_vcpu *v, struct mhv_paging_state *p)) \
	X(skip, void, (struct mhv_vcpu *v, u32 insn_len))		\
	X(get_code, void, (struct mhv_vcpu *v, struct mhv_code *code))	\
	X(real_mode, bool, (struct mhv_vcpu *v))			\
	X(retire, void, (struct mhv_vcpu *v))				\
	X(fpu_put, void, (struct mhv_vcpu *v))				\
	X(set_root, void, (struct mhv_vcpu *v, u64 root))		\
	X(flush_gva, void, (struct mhv_vcpu *v, u64 gva))		\
	X(runnable, bool, (struct mhv_vcpu *v))

struct mhv_ops {
	const char *name;
#define X(op, ret, args) ret (*op) args;
	MHV_OPS(X)
#undef X
};

#define X(op, ret, args)						\
	DECLARE_STATIC_CALL(mhv_op_##op, *(((struct mhv_ops *)0)->op));
MHV_OPS(X)
#undef X

#define mhv_op(op) static_call(mhv_op_##op)

int mhv_ops_init(const struct mhv_ops *ops);

/* the vendors */
int mhv_vmx_init(void);
void mhv_vmx_exit(void);

#endif /* MHV_OPS_H */
