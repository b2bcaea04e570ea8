/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * mhv - a mini hypervisor: the interface between mhv.ko and user space.
 *
 * Three kinds of file descriptor, each with its own ioctls:
 *
 *   /dev/mhv    what the host offers; makes VMs
 *   VM          guest memory, statistics of the whole VM; makes vCPUs
 *   vCPU        registers and MHV_RUN; mmap gives the run area
 *
 * A VM belongs to the address space (mm) that made it: its ioctls and those of
 * its vCPUs answer -EIO to any other process, a forked child included.
 *
 * Conventions.  Every structure has a fixed layout with explicit padding.
 * Fields named `reserved` and flag bits without a name must be zero, otherwise
 * the call answers -EINVAL and changes nothing.  Addresses and sizes are in
 * bytes.  All calls return 0 (or a file descriptor) or -1 with errno.
 */
#ifndef _UAPI_LINUX_MHV_H
#define _UAPI_LINUX_MHV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MHV_API_VERSION		1
#define MHV_DEVICE		"/dev/mhv"

#define MHV_MAX_VCPUS		16	/* per VM */
#define MHV_MAX_MEMSLOTS	8192	/* per VM; slot numbers 0..8191 */
#define MHV_MAX_ROUTES		8192	/* per VM */
#define MHV_MAX_AREAS		64	/* per VM */

/* ---- /dev/mhv: what this host offers ------------------------------------ */

/**
 * enum mhv_feature - bit numbers of &mhv_info.features
 *
 * A bit is set when mhv can use the feature on every online CPU.
 */
enum mhv_feature {
	MHV_FEAT_VMX		= 0,	/* VMX present and allowed by firmware */
	MHV_FEAT_EPT		= 1,	/* two-dimensional paging (TDP) */
	MHV_FEAT_EPT_2M		= 2,	/* 2 MiB TDP mappings */
	MHV_FEAT_EPT_1G		= 3,	/* 1 GiB TDP mappings */
	MHV_FEAT_EPT_AD		= 4,	/* accessed and dirty bits in TDP entries */
	MHV_FEAT_VPID		= 5,	/* tagged TLB */
	MHV_FEAT_UNRESTRICTED	= 6,	/* real mode runs natively */
	MHV_FEAT_PML		= 7,	/* page modification log present */
	MHV_FEAT_TPR_SHADOW	= 8,	/* CR8 without exits */
	MHV_FEAT_VNMI		= 9,	/* virtual NMIs with blocking */
	MHV_FEAT_MSR_BITMAP	= 10,	/* per-MSR exits */
	MHV_FEAT_INVPCID	= 11,
	MHV_FEAT_RDTSCP		= 12,
	MHV_FEAT_SHADOW		= 13,	/* shadow paging available in this build */
	MHV_FEAT_COUNT		= 14,
};

/**
 * enum mhv_verdict - why MHV_CREATE_VM would be refused on this host
 *
 * Each verdict belongs to one errno, given here.
 */
enum mhv_verdict {
	MHV_HOST_OK		= 0,
	MHV_HOST_NO_VMX		= 1,	/* ENODEV: the CPU has no VMX */
	MHV_HOST_FIRMWARE_OFF	= 2,	/* EACCES: firmware locked VMX off */
	MHV_HOST_BUSY		= 3,	/* EBUSY: another hypervisor owns VMX */
	MHV_HOST_NO_CONTROL	= 4,	/* EOPNOTSUPP: a VMX control is missing */
	MHV_HOST_NO_EPT		= 5,	/* not given: shadow paging needs none */
	MHV_HOST_NO_UNRESTRICTED = 6,	/* likewise */
	MHV_HOST_FRED		= 7,	/* EOPNOTSUPP: host runs with FRED */
	MHV_HOST_MIXED		= 8,	/* EOPNOTSUPP: CPUs differ in VMX features */
};

/**
 * struct mhv_info - MHV_GET_INFO
 * @api_version:	MHV_API_VERSION of the module
 * @verdict:		enum mhv_verdict
 * @features:		bit mask of enum mhv_feature
 * @phys_bits:		width of a guest physical address
 * @max_vcpus:		vCPUs a VM may have
 * @max_memslots:	memslots a VM may have
 * @nr_stats:		number of counters in a vCPU's statistics page
 * @tsc_khz:		rate of the guest's TSC
 * @run_size:		bytes of the vCPU's mmap area: struct mhv_run, the data
 *			page and the statistics page
 * @detail:		names what is missing, for people; NUL-terminated
 * @reserved:		zero
 */
struct mhv_info {
	__u32 api_version;
	__u32 verdict;
	__u64 features;
	__u32 phys_bits;
	__u32 max_vcpus;
	__u32 max_memslots;
	__u32 nr_stats;
	__u32 tsc_khz;
	__u32 run_size;
	char  detail[128];
	__u64 reserved[8];
};

/**
 * struct mhv_stat_name - MHV_GET_STAT_NAME: what counter @index counts
 * @index:	in: 0 .. mhv_info.nr_stats - 1
 * @reserved:	zero
 * @name:	out: a lower-case word, for example "exit_cpuid"; names that begin
 *		with "exit_" count exits by reason and add up to "exits"
 */
struct mhv_stat_name {
	__u32 index;
	__u32 reserved;
	char  name[56];
};

/* enum mhv_paging - how guest physical memory is mapped */
enum mhv_paging {
	MHV_PAGING_AUTO		= 0,	/* TDP where the host has it */
	MHV_PAGING_TDP		= 1,
	MHV_PAGING_SHADOW	= 2,
};

#define MHV_VM_GNP		(1u << 0)	/* shadow paging: see below */
#define MHV_MIN_SHADOW_PAGES	32

/**
 * struct mhv_vm_config - MHV_CREATE_VM
 * @paging:	enum mhv_paging
 * @flags:	MHV_VM_GNP: guest-not-present entries, so that a fault that the guest
 *		must handle itself reaches it without an exit
 * @shadow_pages: pages that shadow paging may use, from MHV_MIN_SHADOW_PAGES; what runs
 *		at the moment may need a few more.  0: 4096
 * @reserved:	zero
 *
 * -EOPNOTSUPP for paging that the host cannot do, and for MHV_VM_GNP where a physical
 * address has all 52 bits; -EINVAL for @flags and @shadow_pages without shadow paging.
 *
 * Where EPT or unrestricted guest is missing, MHV_PAGING_AUTO is shadow paging.  A guest
 * then begins in protected mode: to run with CR0.PE clear ends MHV_RUN with
 * MHV_EXIT_ENTRY_FAILED.
 */
struct mhv_vm_config {
	__u32 paging;
	__u32 flags;
	__u32 shadow_pages;
	__u32 reserved0;
	__u64 reserved[5];
};

/* ---- VM ------------------------------------------------------------------ */

#define MHV_MEM_READONLY	(1u << 0)

/**
 * struct mhv_memslot - MHV_SET_MEMSLOT: a range of guest physical memory
 * @slot:	0 .. MHV_MAX_MEMSLOTS - 1
 * @flags:	MHV_MEM_*
 * @gpa:	guest physical address, page aligned
 * @size:	bytes, page multiple; 0 deletes the slot
 * @hva:	address in the calling process that backs the range, page aligned
 * @reserved:	zero
 *
 * A slot that exists is moved or resized in one step.  Overlap with another slot
 * is -EEXIST; a range past the guest's physical width or past the user half of
 * the address space is -EINVAL; deleting a slot that is not there is -ENOENT.
 * The memory may be swapped, moved, unmapped or remapped at any time; a guest
 * access to what is not mapped ends MHV_RUN with MHV_EXIT_MEMORY_FAULT.
 */
struct mhv_memslot {
	__u32 slot;
	__u32 flags;
	__u64 gpa;
	__u64 size;
	__u64 hva;
	__u64 reserved[4];
};

/**
 * struct mhv_vcpu_config - MHV_CREATE_VCPU
 * @id:		0 .. MHV_MAX_VCPUS - 1, unique in the VM (else -EEXIST)
 * @flags:	zero
 * @reserved:	zero
 */
struct mhv_vcpu_config {
	__u32 id;
	__u32 flags;
	__u64 reserved[3];
};

/* ---- device memory: routes --------------------------------------------------- */

/*
 * What the guest finds outside of memslots is device memory (as are writes to a
 * read-only memslot).  An access is answered by the first of these that takes it:
 *
 *   register file	a read, from a page that the device model shares
 *   posted ring	a write, appended to a ring that the device model drains
 *   eventfd		a write, signalled
 *   ioreq		MHV_EXIT_MMIO: user space does it and runs the vCPU again
 *
 * A route covers a range of guest physical addresses.  Ranges of one kind must not
 * overlap, but those of eventfds may where size or value differ; ranges of different
 * kinds may lie over each other.  An access that a route does not cover whole is not
 * taken by it.
 *
 * Ordering.  A vCPU's accesses take effect in program order on each route, and an
 * ioreq is handed over after everything the vCPU posted before it: a device model
 * that drains the ring before it looks at the ioreq sees all of a vCPU's accesses in
 * program order.  Posted writes of different vCPUs to one ring are in one order, that
 * of their sequence numbers, which agrees with any order the guest could have
 * observed.  A register-file read is not ordered after earlier posted writes: only
 * registers that no posted write changes belong there.
 */

/* enum mhv_area_kind - memory that the kernel and a device model share */
enum mhv_area_kind {
	MHV_AREA_REGFILE	= 1,	/* one page of registers */
	MHV_AREA_RING		= 2,	/* struct mhv_ring */
};

/**
 * struct mhv_area - MHV_CREATE_AREA
 * @kind:	enum mhv_area_kind
 * @id:		out: names the area in struct mhv_route
 * @offset:	out: where to mmap it on the VM fd, MAP_SHARED
 * @size:	out: bytes to mmap
 * @reserved:	zero
 *
 * An area lives as long as the VM.  -ENOSPC after MHV_MAX_AREAS.
 */
struct mhv_area {
	__u32 kind;
	__u32 id;
	__u64 offset;
	__u64 size;
	__u64 reserved[2];
};

#define MHV_RING_ENTRIES	128

/**
 * struct mhv_posted - one posted write
 * @gpa:	address
 * @data:	value, low @size bytes
 * @seq:	counts the writes to the ring, from 0; wraps
 * @size:	1, 2, 4 or 8 bytes
 * @vcpu:	number of the vCPU that wrote
 */
struct mhv_posted {
	__u64 gpa;
	__u64 data;
	__u32 seq;
	__u16 size;
	__u16 vcpu;
	__u64 reserved;
};

/**
 * struct mhv_ring - a posted ring, two pages
 * @producer:	entries appended so far, wraps; written by the kernel alone
 * @consumer:	entries taken so far, wraps; written by the device model
 * @entry:	number n lies at entry[n % MHV_RING_ENTRIES]
 *
 * The device model reads @producer (acquire), the entries up to it, and then stores
 * @consumer (release).  Before it sleeps it looks at @producer once more, with a full
 * memory barrier between the store and that look: the kernel signals the eventfd only
 * where it finds the ring empty.  The kernel keeps its own count and bounds what it reads here:
 * a @consumer that makes no sense makes the ring full, and writes go by ioreq.
 */
struct mhv_ring {
	__u32 producer;
	__u32 pad1[15];
	__u32 consumer;
	__u32 pad2[15];
	__u8  pad3[4096 - 128];
	struct mhv_posted entry[MHV_RING_ENTRIES];
};

/* enum mhv_route_kind - who answers */
enum mhv_route_kind {
	MHV_ROUTE_REGFILE	= 1,
	MHV_ROUTE_POSTED	= 2,
	MHV_ROUTE_EVENTFD	= 3,
};

#define MHV_ROUTE_REMOVE	(1u << 0)	/* take away the route that matches */
#define MHV_ROUTE_MATCH_VALUE	(1u << 1)	/* eventfd: only writes of @value */

/**
 * struct mhv_route - MHV_SET_ROUTE: add or remove a route
 * @kind:	enum mhv_route_kind
 * @flags:	MHV_ROUTE_*
 * @gpa:	first address
 * @size:	bytes.  Register file: at most what lies in the page from @offset.
 *		Eventfd: 1, 2, 4 or 8: only a write of that size at @gpa matches;
 *		0: one of any size that begins at @gpa
 * @area:	register file, posted: the area
 * @offset:	register file: where @gpa lies in the page, 8-byte aligned as @gpa is
 * @fd:		eventfd: the eventfd; posted: an eventfd signalled when the ring was
 *		empty and no longer is, or -1; register file: -1
 * @reserved:	zero
 * @value:	with MHV_ROUTE_MATCH_VALUE
 *
 * -EINVAL what makes no sense, -EEXIST overlap, -ENOENT nothing to remove, -EBADF no
 * eventfd, -ENOSPC after MHV_MAX_ROUTES.  To remove, give the same kind, gpa, size,
 * flags and value.  When the call returns, the next access of any vCPU finds what was
 * added, and nothing is answered by what was removed; to remove may take some 0.1 s.
 */
struct mhv_route {
	__u32 kind;
	__u32 flags;
	__u64 gpa;
	__u64 size;
	__u32 area;
	__u32 offset;
	__s32 fd;
	__u32 reserved;
	__u64 value;
	__u64 reserved2[2];
};

/*
 * enum mhv_opt - bit numbers of mhv_options.disabled: optimisations that may be
 * switched off while the VM runs.  Results stay the same, only counts change.
 */
enum mhv_opt {
	MHV_OPT_VCPU_CACHE	= 0,	/* per-vCPU cache of device gpas */
	MHV_OPT_MMIO_SPTE	= 1,	/* device entries in the page tables */
	MHV_OPT_DECODE_CACHE	= 2,	/* decoded instructions by address */
	MHV_OPT_REGFILE		= 3,
	MHV_OPT_POSTED		= 4,
	MHV_OPT_EVENTFD		= 5,
	MHV_OPT_UNSYNC		= 6,	/* shadow paging: guest writes its page tables */
	MHV_OPT_PREFETCH	= 7,	/* shadow paging: entries without a fault of their own */
	MHV_OPT_COUNT		= 8,
};

/**
 * struct mhv_options - MHV_SET_OPTIONS
 * @disabled:	bit mask of enum mhv_opt: all that is to be off
 * @flags:	MHV_OPTION_*
 * @reserved:	zero
 */
struct mhv_options {
	__u64 disabled;
	__u64 flags;
	__u64 reserved[2];
};

/*
 * Keep the counter mmio_ticks_last: TSC ticks of the vCPU's last device access, from
 * leaving the guest to entering it again, what user space did included; and guest_ticks,
 * those that all stays in the guest took, with the switch of registers at both ends.
 *
 * And have VMCALL, which is an invalid opcode otherwise, do nothing: the guest is entered
 * again as soon as the module knows what it exited for.  What a VMCALL takes is the floor
 * under the cost of every exit.
 */
#define MHV_OPTION_MEASURE	(1u << 0)

/* ---- vCPU state ---------------------------------------------------------- */

struct mhv_regs {
	__u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
	__u64 rip, rflags;
};

/**
 * struct mhv_segment - a segment register with its hidden part
 * @base:	base address
 * @limit:	limit in bytes, granularity already applied
 * @selector:	visible selector
 * @type:	4-bit descriptor type
 * @s: bit of the descriptor
 * @dpl: likewise
 * @present: likewise
 * @avl: likewise
 * @l: likewise
 * @db: likewise
 * @g: likewise
 * @unusable:	1 when loaded with a null selector
 */
struct mhv_segment {
	__u64 base;
	__u32 limit;
	__u16 selector;
	__u8  type;
	__u8  s, dpl, present, avl, l, db, g;
	__u8  unusable;
	__u8  reserved[9];
};

struct mhv_dtable {
	__u64 base;
	__u16 limit;
	__u16 reserved[3];
};

/**
 * struct mhv_sregs - MHV_GET_SREGS, MHV_SET_SREGS
 *
 * A set that no CPU could be in (CR0.PG without CR0.PE, a reserved CR4 or EFER
 * bit, a non-canonical base …) is -EINVAL and changes nothing.
 */
struct mhv_sregs {
	struct mhv_segment cs, ds, es, fs, gs, ss, tr, ldt;
	struct mhv_dtable gdt, idt;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 xcr0;
	__u64 dr[4], dr6, dr7;
	__u64 reserved[8];
};

/**
 * struct mhv_fpu - MHV_GET_FPU, MHV_SET_FPU
 * @size:	out: bytes of @xsave that are in use
 * @reserved:	zero
 * @xsave:	standard-format XSAVE area as the CPU defines it
 */
struct mhv_fpu {
	__u32 size;
	__u32 reserved;
	__u8  xsave[4096];
};

struct mhv_msr {
	__u32 index;
	__u32 reserved;
	__u64 value;
};

/**
 * struct mhv_msrs - MHV_GET_MSRS, MHV_SET_MSRS
 * @nr:		entries, at most MHV_MAX_MSRS
 * @done:	out: entries processed; on error the index of the one refused
 * @entries:	user address of @nr struct mhv_msr
 *
 * An MSR that the guest does not have is -ENXIO, a value it refuses -EINVAL.
 */
struct mhv_msrs {
	__u32 nr;
	__u32 done;
	__u64 entries;
};

#define MHV_MAX_MSRS		256

/**
 * struct mhv_cpuid_entry - one leaf of the guest's CPUID
 * @function:	EAX on entry
 * @index:	ECX on entry, where MHV_CPUID_INDEXED is set
 * @flags:	MHV_CPUID_*
 */
struct mhv_cpuid_entry {
	__u32 function;
	__u32 index;
	__u32 flags;
	__u32 eax, ebx, ecx, edx;
	__u32 reserved;
};

#define MHV_CPUID_INDEXED	(1u << 0)
#define MHV_MAX_CPUID		128

/**
 * struct mhv_cpuid - MHV_GET_CPUID, MHV_SET_CPUID
 * @nr:		entries of the user's array; out, on get: entries there are
 * @reserved:	zero
 * @entries:	user address of struct mhv_cpuid_entry[nr]
 *
 * A vCPU starts with the filtered set of the host.  Set replaces it whole; feature
 * bits that mhv cannot give are masked off, all else is taken as written.  Get
 * with a too small @nr is -E2BIG and says how many in @nr.  Set after the first
 * MHV_RUN is -EBUSY.
 */
struct mhv_cpuid {
	__u32 nr;
	__u32 reserved;
	__u64 entries;
};

/* enum mhv_event_type - kinds of event MHV_INJECT takes */
enum mhv_event_type {
	MHV_EVENT_INTERRUPT	= 0,	/* external interrupt, @vector 0..255 */
	MHV_EVENT_NMI		= 1,	/* @vector must be 2 */
	MHV_EVENT_EXCEPTION	= 2,	/* @vector 0..31 but 2 */
};

/**
 * struct mhv_event - MHV_INJECT
 * @type:	enum mhv_event_type
 * @vector:	IDT vector
 * @has_error:	exceptions: deliver @error_code; must fit the vector
 * @reserved:	zero
 * @error_code:	exceptions
 * @address:	#PF: the value of CR2
 *
 * Interrupts and NMIs wait in the kernel until the guest can take them; one
 * interrupt and one NMI may wait (-EBUSY: one waits already).  An exception is
 * delivered before the next guest instruction; -EBUSY when one is on its way.
 */
struct mhv_event {
	__u8  type;
	__u8  vector;
	__u8  has_error;
	__u8  reserved[5];
	__u32 error_code;
	__u32 reserved2;
	__u64 address;
};

/**
 * struct mhv_vcpu_events - MHV_GET_EVENTS, MHV_SET_EVENTS: what is on its way
 * @irq_pending:	an external interrupt waits
 * @irq_vector: likewise
 * @nmi_pending:		an NMI waits
 * @nmi_blocked:		the guest is in its NMI handler
 * @sti_shadow:	interrupts are held for one instruction
 * @movss_shadow: likewise
 * @exception_pending:	an exception waits
 * @exception_vector:	which
 * @exception_has_error:	it has an error code
 * @exception_error_code:	that code
 * @reserved:			zero
 */
struct mhv_vcpu_events {
	__u8  irq_pending, irq_vector;
	__u8  nmi_pending, nmi_blocked;
	__u8  sti_shadow, movss_shadow;
	__u8  exception_pending, exception_vector, exception_has_error;
	__u8  reserved[3];
	__u32 exception_error_code;
	__u64 reserved2[4];
};

/* ---- MHV_RUN: the run area ------------------------------------------------ */

/*
 * The vCPU fd can be mapped, MAP_SHARED, mhv_info.run_size bytes from offset 0:
 *
 *   page 0   struct mhv_run		read and write
 *   page 1   data of string transfers	read and write
 *   page 2   __u64 counter[nr_stats]	read only
 *
 * A mapping that is writable and reaches page 2 is -EACCES: map it by itself.
 * Pages 0 and 1 belong to user space while MHV_RUN is not under way.  User space
 * may write anything there at any time: the kernel checks what it reads.
 */
#define MHV_RUN_PAGE		0
#define MHV_DATA_PAGE		1
#define MHV_STATS_PAGE		2
#define MHV_DATA_SIZE		4096

/* enum mhv_exit - why MHV_RUN returned 0 */
enum mhv_exit {
	MHV_EXIT_NONE		= 0,
	MHV_EXIT_IO		= 1,	/* port access: see mhv_run.ioreq */
	MHV_EXIT_MMIO		= 2,	/* device memory access: see mhv_run.ioreq */
	MHV_EXIT_HLT		= 3,	/* HLT; run again when there is an event */
	MHV_EXIT_IRQ_WINDOW	= 4,	/* the guest can take an interrupt now */
	MHV_EXIT_KICKED		= 5,	/* MHV_KICK */
	MHV_EXIT_SHUTDOWN	= 6,	/* triple fault */
	MHV_EXIT_ENTRY_FAILED	= 7,	/* see mhv_run.entry_failed */
	MHV_EXIT_INSN		= 8,	/* not emulated: see mhv_run.insn */
	MHV_EXIT_MEMORY_FAULT	= 9,	/* see mhv_run.memory_fault */
	MHV_EXIT_UNKNOWN	= 10,	/* unhandled exit: see mhv_run.unknown */
	MHV_EXIT_COUNT		= 11,
};

/*
 * enum mhv_ioreq_state - life of the request slot
 *
 *            kernel, before MHV_RUN returns
 *      FREE ------------------------------> READY
 *       ^                                     |
 *       | kernel, next MHV_RUN:               | user space: access done,
 *       | completes the instruction           | read data stored
 *       +------------- DONE <-----------------+
 *
 * MHV_RUN with a slot still READY returns the same exit again; the guest does not
 * move.  A slot the kernel did not hand out is not looked at.
 */
enum mhv_ioreq_state {
	MHV_IOREQ_FREE		= 0,
	MHV_IOREQ_READY		= 1,
	MHV_IOREQ_DONE		= 2,
};

#define MHV_IOREQ_WRITE		(1u << 0)	/* guest writes to the device */
#define MHV_IOREQ_STRING	(1u << 1)	/* data in the data page */
#define MHV_IOREQ_DOWN		(1u << 2)	/* string: addresses descend (DF) */
#define MHV_IOREQ_POSTABLE	(1u << 3)	/* a full ring turned this write away */

/**
 * struct mhv_ioreq - one access to a port or to device memory
 * @state:	enum mhv_ioreq_state
 * @flags:	MHV_IOREQ_*
 * @size:	bytes of one element: 1, 2, 4 or 8; up to 32 for vector MMIO, which
 *		then lies in the data page (MHV_IOREQ_STRING, @count 1)
 * @count:	elements; 1 unless MHV_IOREQ_STRING
 * @addr:	port number, or guest physical address
 * @data:	value, low @size bytes (not for strings)
 *
 * A string's elements lie packed in the data page in the order of the transfer.
 * Port strings repeat at the one port; of MMIO strings @addr is the first element's
 * address, and the others follow it upwards or, with MHV_IOREQ_DOWN, downwards.
 */
struct mhv_ioreq {
	__u32 state;
	__u32 flags;
	__u32 size;
	__u32 count;
	__u64 addr;
	__u64 data;
};

#define MHV_IRQ_VALID		(1u << 31)

/**
 * struct mhv_run - page 0 of the run area
 *
 * In, read at each MHV_RUN:
 * @immediate_exit:	non-zero: complete what is outstanding, then return -EINTR
 *			without running the guest (for signal handlers)
 * @request_irq_window:	non-zero: return MHV_EXIT_IRQ_WINDOW as soon as the guest
 *			can take an external interrupt
 * @irq:		MHV_IRQ_VALID | vector: inject this interrupt; cleared when
 *			taken over.  Left as it is while another one waits.
 *
 * Out, written before MHV_RUN returns:
 * @exit:		enum mhv_exit (MHV_EXIT_NONE when MHV_RUN failed)
 * @irq_ready:		1: the guest could take an interrupt now
 * @irq_pending:	1: an interrupt given earlier still waits
 * @ioreq:		the request slot
 */
struct mhv_run {
	__u8  immediate_exit;
	__u8  request_irq_window;
	__u8  reserved1[2];
	__u32 irq;

	__u32 exit;
	__u8  irq_ready;
	__u8  irq_pending;
	__u8  reserved2[2];

	struct mhv_ioreq ioreq;

	union {
		/* MHV_EXIT_ENTRY_FAILED: @report names each broken rule, a line each */
		struct {
			__u32 reason;	/* exit reason or VM-instruction error */
			__u32 flags;	/* 1: VM-instruction error */
			__u64 qualification;
			char  report[1024];
		} entry_failed;
		/* MHV_EXIT_INSN: an instruction that mhv does not emulate */
		struct {
			__u64 rip;	/* linear */
			__u64 gva;	/* of the access, when known */
			__u64 gpa;
			__u8  bytes[16];
			__u8  nr_bytes;
			__u8  mode;	/* 2, 4 or 8: default address bytes */
			__u8  is_write;
			__u8  gva_valid;
			__u8  reserved[4];
		} insn;
		/* MHV_EXIT_MEMORY_FAULT: the slot's memory could not be had */
		struct {
			__u64 gpa;
			__u64 hva;
			__u32 error;	/* errno */
			__u32 is_write;
		} memory_fault;
		/* MHV_EXIT_UNKNOWN */
		struct {
			__u32 reason;
			__u32 reserved;
			__u64 qualification;
		} unknown;
		__u8 pad[2048];
	};
};

/* ---- looking at the page tables --------------------------------------------- */

/* enum mhv_entry_kind - what an entry of a table that mhv made says */
enum mhv_entry_kind {
	MHV_ENTRY_NONE		= 0,	/* there is no table: nothing above leads to one */
	MHV_ENTRY_ABSENT	= 1,	/* nothing is known */
	MHV_ENTRY_TABLE		= 2,	/* the table of the next level */
	MHV_ENTRY_LEAF		= 3,	/* a host frame */
	MHV_ENTRY_MMIO		= 4,	/* a device */
	MHV_ENTRY_GNP		= 5,	/* the guest's own entry is not present */
};

/* mhv_walk_level.flags and mhv_mmu_table.flags */
#define MHV_TABLE_UNSYNC	(1u << 0)	/* the guest may write the table this is made of */
#define MHV_TABLE_DIRECT	(1u << 1)	/* made of no guest table */
#define MHV_ENTRY_STALE		(1u << 2)	/* a device, of an older generation */
#define MHV_ENTRY_GUARDED	(1u << 3)	/* the frame is a synced guest table: read-only */

/**
 * struct mhv_walk_level - one level of struct mhv_walk
 * @gpte:	the guest's entry; with @gpte_gpa 0 the walk did not get here
 * @gpte_gpa:	where it lies; of a PDPTE, which is a register, what was loaded
 * @spte:	mhv's entry, as the CPU reads it
 * @made_from:	shadow paging: guest entry that @spte was made from
 * @gfn:	guest frame that @spte leads to
 * @kind:	enum mhv_entry_kind, of @spte
 * @flags:	MHV_TABLE_*, MHV_ENTRY_*
 */
struct mhv_walk_level {
	__u64 gpte;
	__u64 gpte_gpa;
	__u64 spte;
	__u64 made_from;
	__u64 gfn;
	__u32 kind;
	__u32 flags;
};

/* enum mhv_walk_result - what the guest's tables say of an address */
enum mhv_walk_result {
	MHV_WALK_OK		= 0,
	MHV_WALK_FAULT		= 1,	/* the guest gets #PF */
	MHV_WALK_NO_MEMORY	= 2,	/* a table lies where no memory is */
	MHV_WALK_RACED		= 3,	/* the guest keeps changing them: try again */
};

/**
 * struct mhv_walk - MHV_WALK: the guest's tables and mhv's, side by side
 * @gva:	in: linear address
 * @flags:	in: zero
 * @paging:	enum mhv_paging of the VM: shadow entries are looked up by @gva, those of
 *		TDP by @gpa
 * @result:	enum mhv_walk_result, of a supervisor's read
 * @error_code:	of the #PF
 * @top:	level of the guest's root table, 0 without paging
 * @bottom:	level of the last guest entry read
 * @page_shift:	log2 of the guest page's size
 * @host_top:	level of mhv's root table, 0 where there is none yet
 * @gpa:	what @gva translates to; with MHV_WALK_NO_MEMORY where the table is
 * @cr3:	the guest's
 * @level:	number n is level n + 1
 * @reserved:	zero
 *
 * Nothing is marked accessed, nothing is made.  -EINVAL for an address that is not
 * canonical.
 */
struct mhv_walk {
	__u64 gva;
	__u32 flags;
	__u32 paging;
	__u32 result;
	__u32 error_code;
	__u8  top, bottom, page_shift, host_top;
	__u8  reserved0[4];
	__u64 gpa;
	__u64 cr3;
	struct mhv_walk_level level[4];
	__u64 reserved[4];
};

/**
 * struct mhv_mmu_table - what a table of mhv's holds
 * @gfn:	guest table that it stands for; direct: first frame that it maps
 * @level:	of its entries
 * @flags:	MHV_TABLE_*
 * @vcpus:	that run on it
 * @quadrant:	32-bit paging: which part of the guest's table
 * @tables:	tables counted here: one, or all that a root leads to
 * @present:	entries that map memory
 * @writable:	of these
 * @accessed:	likewise
 * @dirty:	likewise
 * @mmio:	entries of devices
 * @gnp:	guest-not-present entries
 */
struct mhv_mmu_table {
	__u64 gfn;
	__u32 level;
	__u32 flags;
	__u32 vcpus;
	__u32 quadrant;
	__u64 tables;
	__u64 present;
	__u64 writable;
	__u64 accessed;
	__u64 dirty;
	__u64 mmio;
	__u64 gnp;
};

/* enum mhv_dump - what MHV_DUMP_MMU lists */
enum mhv_dump {
	MHV_DUMP_ROOTS	= 0,	/* roots, each with all that it leads to */
	MHV_DUMP_TABLES	= 1,	/* tables, each by itself */
};

/**
 * struct mhv_mmu - MHV_DUMP_MMU
 * @what:	in: enum mhv_dump
 * @nr:		in: entries that fit; out: entries there are.  As many as fit are written
 * @entries:	in: user address of struct mhv_mmu_table[nr]
 * @paging:	enum mhv_paging
 * @unsync:	shadow paging: tables that the guest may write
 * @tables:	in use
 * @limit:	of the pool; TDP: 0
 * @leaves:	shadow paging: entries that map memory
 * @shrunk:	shadow paging: tables that the host took back when its memory ran low
 * @reserved:	zero
 *
 * With TDP there is one root, and its tables are not listed one by one.
 */
struct mhv_mmu {
	__u32 what;
	__u32 nr;
	__u64 entries;
	__u32 paging;
	__u32 unsync;
	__u64 tables;
	__u64 limit;
	__u64 leaves;
	__u64 shrunk;
	__u64 reserved[3];
};

/**
 * struct mhv_audit - MHV_AUDIT: every shadow entry is checked
 * @errors:	mismatches; the first is in the kernel log as well, with both entries
 * @tables:	looked at; 0: not at this moment, the host is changing memory
 * @leaves:	likewise, entries that map memory
 * @reserved:	zero
 *
 * -EOPNOTSUPP without shadow paging.
 */
struct mhv_audit {
	__u64 errors;
	__u64 tables;
	__u64 leaves;
	__u64 reserved[5];
};

/* ---- ioctls --------------------------------------------------------------- */

#define MHV_IOC			0xB7

/* /dev/mhv */
#define MHV_GET_INFO		_IOR(MHV_IOC, 0x00, struct mhv_info)
#define MHV_GET_STAT_NAME	_IOWR(MHV_IOC, 0x01, struct mhv_stat_name)
#define MHV_CREATE_VM		_IOW(MHV_IOC, 0x02, struct mhv_vm_config)
#define MHV_GET_HOST_CPUID	_IOWR(MHV_IOC, 0x03, struct mhv_cpuid)

/* VM */
#define MHV_SET_MEMSLOT		_IOW(MHV_IOC, 0x20, struct mhv_memslot)
#define MHV_CREATE_VCPU		_IOW(MHV_IOC, 0x21, struct mhv_vcpu_config)
#define MHV_CREATE_AREA		_IOWR(MHV_IOC, 0x22, struct mhv_area)
#define MHV_SET_ROUTE		_IOW(MHV_IOC, 0x23, struct mhv_route)
#define MHV_SET_OPTIONS		_IOW(MHV_IOC, 0x24, struct mhv_options)
#define MHV_DUMP_MMU		_IOWR(MHV_IOC, 0x28, struct mhv_mmu)
#define MHV_AUDIT		_IOWR(MHV_IOC, 0x29, struct mhv_audit)

/* vCPU; all but MHV_KICK wait while MHV_RUN is under way (-EINTR on a signal) */
#define MHV_RUN			_IO(MHV_IOC, 0x40)
#define MHV_KICK		_IO(MHV_IOC, 0x41)	/* from any thread */
#define MHV_GET_REGS		_IOR(MHV_IOC, 0x42, struct mhv_regs)
#define MHV_SET_REGS		_IOW(MHV_IOC, 0x43, struct mhv_regs)
#define MHV_GET_SREGS		_IOR(MHV_IOC, 0x44, struct mhv_sregs)
#define MHV_SET_SREGS		_IOW(MHV_IOC, 0x45, struct mhv_sregs)
#define MHV_GET_FPU		_IOR(MHV_IOC, 0x46, struct mhv_fpu)
#define MHV_SET_FPU		_IOW(MHV_IOC, 0x47, struct mhv_fpu)
#define MHV_GET_MSRS		_IOWR(MHV_IOC, 0x48, struct mhv_msrs)
#define MHV_SET_MSRS		_IOWR(MHV_IOC, 0x49, struct mhv_msrs)
#define MHV_GET_CPUID		_IOWR(MHV_IOC, 0x4a, struct mhv_cpuid)
#define MHV_SET_CPUID		_IOW(MHV_IOC, 0x4b, struct mhv_cpuid)
#define MHV_INJECT		_IOW(MHV_IOC, 0x4c, struct mhv_event)
#define MHV_GET_EVENTS		_IOR(MHV_IOC, 0x4d, struct mhv_vcpu_events)
#define MHV_SET_EVENTS		_IOW(MHV_IOC, 0x4e, struct mhv_vcpu_events)
#define MHV_WALK		_IOWR(MHV_IOC, 0x58, struct mhv_walk)

#endif /* _UAPI_LINUX_MHV_H */
