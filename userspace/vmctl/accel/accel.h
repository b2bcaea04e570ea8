/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vmctl needs of a hypervisor in the kernel.  One backend a file; nothing
 * outside accel/ knows which one is at work.
 */
#ifndef VMCTL_ACCEL_H
#define VMCTL_ACCEL_H

#include <linux/mhv.h>

#include "../dev/bus.h"

#define ACCELS_MAX	2	/* backends that there are */

enum accel_paging { PAGING_AUTO, PAGING_TDP, PAGING_SHADOW, PAGING_SHADOW_GNP };

/* enum vcpu_exit_kind - why the guest stopped */
enum vcpu_exit_kind {
	VCPU_EXIT_AGAIN,	/* kicked, interrupted, window open: look and run again */
	VCPU_EXIT_PORT,		/* @access */
	VCPU_EXIT_MMIO,		/* @access */
	VCPU_EXIT_HALT,		/* wait for an interrupt */
	VCPU_EXIT_SHUTDOWN,	/* triple fault */
	VCPU_EXIT_ENTRY_FAILED,	/* @text */
	VCPU_EXIT_ERROR,	/* @text */
};

/**
 * struct vcpu_exit - what the guest wants
 * @kind:	why it stopped
 * @access:	for port and MMIO exits; its data may be used until the next run
 * @text:	for people, lines without the last newline
 */
struct vcpu_exit {
	enum vcpu_exit_kind kind;
	struct access access;
	char text[1536];
};

/* state of a CPU: the registers as the uapi header lays them out */
struct vcpu_state {
	struct mhv_regs regs;
	struct mhv_sregs sregs;
};

/* one counter of --stats */
struct accel_counter {
	char name[56];
	u64 value;
};

struct accel;
struct accel_vcpu;

/**
 * struct accel_area - memory that the kernel and a device model share
 * @id:		names it in struct mhv_route
 * @mem:	mapped here; NULL: there is none
 * @size:	bytes
 */
struct accel_area {
	u32 id;
	void *mem;
	u64 size;
};

/**
 * struct accel_ops - a backend
 * @name:		for --accel and messages
 * @optional:		it has optimisations that can be switched off
 * @offers:		can @open make a VM with this paging here?  True also when only @open
 *			can tell why it cannot
 * @open:		make a VM; NULL with a message
 * @close:		destroy it; its vCPUs are gone
 * @phys_bits:		width of a guest physical address
 * @set_memory:		memory slot @slot: @size bytes at @gpa are those at @hva; a write to
 *			a @readonly one is an access to a device.  @size 0: remove it
 * @create_area:	make an area of enum mhv_area_kind; munmap() it when done
 * @set_route:		add or remove a route
 * @set_options:	which of enum mhv_opt are off, a bit mask; and whether device
 *			accesses are timed (counter mmio_ticks_last)
 * @vcpu_open:		make a vCPU; NULL with a message
 * @vcpu_close:		destroy it
 * @get_state: @set_state: registers; only while the vCPU does not run
 * @run:		run until something happens; the previous exit's access is
 *			complete
 * @kick:		make a run under way, or else the next one, return; any thread
 * @irq_ready:		may @inject be called: the guest can take an interrupt now
 *			and none waits
 * @inject:		deliver external interrupt @vector in the next run
 * @want_window:	whether the next runs return when the guest can take one
 * @counters:		copy up to @max counters; returns how many there are
 * @counter:		where the counter @name lies while the vCPU exists; NULL unless
 *			there is one of that name
 * @walk: @dump_mmu: @audit: look at the page tables, as MHV_WALK, MHV_DUMP_MMU and
 *			MHV_AUDIT say; the vCPU's answers when it runs no more.  0 or an
 *			errno, no message.  NULL: there are none to look at
 *
 * Calls that can fail return 0, or -1 with a message, unless they say otherwise.
 */
struct accel_ops {
	const char *name;
	bool optional;
	bool (*offers)(enum accel_paging paging);
	struct accel *(*open)(enum accel_paging paging);
	void (*close)(struct accel *accel);
	unsigned int (*phys_bits)(const struct accel *accel);
	int (*set_memory)(struct accel *accel, u32 slot, u64 gpa, u64 size, void *hva,
			  bool readonly);
	int (*create_area)(struct accel *accel, u32 kind, struct accel_area *area);
	int (*set_route)(struct accel *accel, const struct mhv_route *route);
	int (*set_options)(struct accel *accel, u64 disabled, bool timed);

	struct accel_vcpu *(*vcpu_open)(struct accel *accel, u32 id);
	void (*vcpu_close)(struct accel_vcpu *vcpu);
	int (*get_state)(struct accel_vcpu *vcpu, struct vcpu_state *state);
	int (*set_state)(struct accel_vcpu *vcpu, const struct vcpu_state *state);
	void (*run)(struct accel_vcpu *vcpu, struct vcpu_exit *exit);
	void (*kick)(struct accel_vcpu *vcpu);
	bool (*irq_ready)(const struct accel_vcpu *vcpu);
	void (*inject)(struct accel_vcpu *vcpu, u8 vector);
	void (*want_window)(struct accel_vcpu *vcpu, bool want);
	unsigned int (*counters)(struct accel_vcpu *vcpu, struct accel_counter *counter,
				 unsigned int max);
	const u64 *(*counter)(const struct accel_vcpu *vcpu, const char *name);
	int (*walk)(struct accel_vcpu *vcpu, struct mhv_walk *walk);
	int (*dump_mmu)(struct accel *accel, struct mhv_mmu *mmu);
	int (*audit)(struct accel *accel, struct mhv_audit *audit);
};

void exit_text(struct vcpu_exit *exit, enum vcpu_exit_kind kind, const char *fmt, ...)
	__printf(3, 4);

extern const struct accel_ops mhv_accel, kvm_accel;

/* of mhv alone, for `vmctl check` */
int mhv_open_device(struct mhv_info *info, char *why, size_t len);
const char *mhv_remedy(u32 verdict);

#endif
