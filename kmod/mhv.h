/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of mhv and the calls between its rooms.
 *
 * Words: gva, gpa - guest virtual, physical address; gfn - gpa >> 12; hva - host
 * virtual address (user half); pfn - host frame; TDP - two-dimensional paging;
 * spte - an entry of a table mhv made.  Documentation/glossary.rst has them all.
 *
 * Locks, outermost first (Documentation/locking.rst):
 *	vcpu->mutex		one ioctl at a time on a vCPU
 *	vm->slots_lock		writers of vm->slots
 *	vm->srcu		readers of vm->slots
 *	vm->mmu_lock		page tables, notifier sequence
 */
#ifndef MHV_H
#define MHV_H

#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/mhv.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "emul/exec.h"
#include "mmu/decode_cache.h"
#include "mmu/guest_walk.h"
#include "mmu/mmio_cache.h"
#include "ops.h"
#include "stats.h"

typedef u64 gva_t;
typedef u64 gpa_t;
typedef u64 gfn_t;

#define gpa_to_gfn(gpa)	((gpa) >> PAGE_SHIFT)
#define gfn_to_gpa(gfn)	((gpa_t)(gfn) << PAGE_SHIFT)

/* ---- memslots -------------------------------------------------------------- */

/**
 * struct mhv_slot - a range of guest frames backed by user memory
 * @base: first gfn
 * @npages: length in pages
 * @hva: where it is backed
 * @id: the number user space knows it by
 * @flags: MHV_MEM_*
 */
struct mhv_slot {
	gfn_t base;
	u64 npages;
	unsigned long hva;
	u32 id;
	u32 flags;
};

/**
 * struct mhv_slots - an immutable set of memslots, replaced whole (SRCU)
 * @rcu: for freeing
 * @nr: slots in use
 * @slot: sorted by @base, without overlap
 */
struct mhv_slots {
	struct rcu_head rcu;
	u32 nr;
	struct mhv_slot slot[];
};

static inline unsigned long slot_gfn_to_hva(const struct mhv_slot *slot, gfn_t gfn)
{
	return slot->hva + ((gfn - slot->base) << PAGE_SHIFT);
}

/**
 * struct mhv_paging_state - what decides how a gva is translated
 * @cr0: as the guest sees them
 * @cr3: likewise
 * @cr4: likewise
 * @efer: likewise
 * @rflags: likewise
 * @pdpte: PAE paging: the four loaded entries
 * @cpl: current privilege level
 */
struct mhv_paging_state {
	u64 cr0, cr3, cr4, efer, rflags;
	u64 pdpte[4];
	unsigned int cpl;
};

struct mhv_route_list;
struct mhv_shared;
struct mhv_shadow;
struct shadow_page;

#define MHV_NOTIFIER_ENDED	16

/* struct mhv_hva_range - user addresses from @start to below @end */
struct mhv_hva_range {
	unsigned long start, end;
};

/* ---- the VM ---------------------------------------------------------------- */

/**
 * struct mhv_vm - a virtual machine
 * @ref: one for the VM fd, one for each vCPU fd
 * @mm: the address space that owns it (mmgrab)
 * @paging: MHV_PAGING_TDP or _SHADOW; fixed at creation
 * @slots_lock: serialises memslot changes
 * @srcu: protects readers of @slots
 * @slots: current memslots (SRCU)
 * @mmu_lock: protects @tdp, @shadow, @notifier_count, @notifier_seq
 * @tdp: root of the TDP tables
 * @tdp_tables: number of TDP table pages, root included
 * @shadow: shadow paging, NULL with TDP
 * @notifier: invalidations by the host's memory management
 * @notifier_count: invalidations under way
 * @notifier_range: addresses that they touch, all together
 * @notifier_seq: invalidations that ended
 * @notifier_ended: addresses of the last ones, by their number
 * @mmio_gen: generation of the memslots: see mmu/mmio_cache.h
 * @map_seq: changes before memory behind a memslot goes away (mmu_lock)
 * @disabled: bits of enum mhv_opt, and MHV_VM_MEASURE
 * @routes_lock: serialises changes of routes and areas
 * @routes: by kind (RCU)
 * @routes_gen: changes with each of them, never 0
 * @routes_old: replaced sets that are not freed yet
 * @routes_old_bytes: how much that is
 * @areas: shared areas, never taken away
 * @nr_areas: of them
 * @tsc_start: host TSC at which the guest's was 0
 * @vcpus_lock: serialises vCPU creation
 * @vcpus: by id; set once, read with smp_load_acquire()
 */
struct mhv_vm {
	struct kref ref;
	struct mm_struct *mm;
	u32 paging;

	struct mutex slots_lock;	/* writers of @slots */
	struct srcu_struct srcu;
	struct mhv_slots __rcu *slots;

	spinlock_t mmu_lock;		/* @tdp, @notifier_* */
	u64 *tdp;
	unsigned long tdp_tables;
	struct mhv_shadow *shadow;
	struct mmu_notifier notifier;
	unsigned long notifier_count;
	struct mhv_hva_range notifier_range;
	unsigned long notifier_seq;
	struct mhv_hva_range notifier_ended[MHV_NOTIFIER_ENDED];

	u64 mmio_gen;
	u64 map_seq;
	unsigned long disabled;

	struct mutex routes_lock;	/* writers of @routes and @areas, @routes_old */
	struct mhv_route_list __rcu *routes[MHV_NR_ROUTE_KINDS];
	struct mhv_route_list *routes_old;
	size_t routes_old_bytes;
	u32 routes_gen;
	struct mhv_shared *areas[MHV_MAX_AREAS];
	u32 nr_areas;

	u64 tsc_start;

	struct mutex vcpus_lock;	/* writers of @vcpus */
	struct mhv_vcpu *vcpus[MHV_MAX_VCPUS];
};

/* ---- the vCPU -------------------------------------------------------------- */

/* The decoder numbers general and segment registers (emul/decode.h); these follow. */
#define MHV_NR_GPRS	16

enum mhv_system_seg {
	MHV_SEG_LDTR = MHV_SEG_GS + 1,
	MHV_SEG_TR,
	MHV_NR_SEGS,
};

/* Where a vCPU's thread is, for those who want it out of the guest. */
enum mhv_vcpu_mode {
	MHV_OUTSIDE_GUEST,
	MHV_IN_GUEST,		/* interrupts off, requests were looked at */
};

/* vcpu->requests */
#define MHV_REQ_TLB_FLUSH	0
#define MHV_REQ_KICK		1
#define MHV_REQ_SHUTDOWN	2	/* a triple fault found in software */
#define MHV_REQ_ROOT		3	/* shadow paging: load the root anew */

/* Registers the hardware holds while the guest runs: vcpu->cached, ->dirty */
#define MHV_REG_RSP	BIT(0)
#define MHV_REG_RIP	BIT(1)
#define MHV_REG_RFLAGS	BIT(2)
#define MHV_REG_ALL	(MHV_REG_RSP | MHV_REG_RIP | MHV_REG_RFLAGS)

/* Types of an event whose delivery was cut short; VMX and SVM number them alike. */
#define MHV_PENDING_IRQ		0
#define MHV_PENDING_NMI		2
#define MHV_PENDING_EXCEPTION	3

/* An event on its way into the guest. */
struct mhv_pending {
	bool valid;
	bool has_error;
	u8 type;		/* MHV_PENDING_*, or another of the vendor's */
	u8 vector;
	u8 insn_len;		/* software events: length of the instruction */
	u32 error_code;
};

/* What completes when user space has answered the request slot. */
enum mhv_io_kind {
	MHV_IO_NONE,
	MHV_IO_PORT,		/* IN, OUT, OUTS */
	MHV_IO_PORT_STRING,	/* INS */
	MHV_IO_MMIO,		/* an emulated instruction's access */
	MHV_IO_PLAIN,		/* a plain move, complete but for what it reads */
};

/**
 * struct mhv_io - the request that user space is answering
 * @kind: MHV_IO_NONE when there is none
 * @req: the kernel's own copy of what was asked
 * @gpa: INS: where the first element goes, and its rest where it crosses a page
 * @split: INS: bytes of that rest
 * @awaited: MMIO: the instruction waits for what is read
 * @insn_len: PLAIN: bytes of the instruction that waits
 * @reg: PLAIN: register that is read into
 * @regsize: PLAIN: bytes of it
 * @issued: host TSC when it was handed out
 */
struct mhv_io {
	enum mhv_io_kind kind;
	struct mhv_ioreq req;
	gpa_t gpa[2];
	u32 split;
	bool awaited;
	u8 insn_len;
	u8 reg;
	u8 regsize;
	u64 issued;
};

/**
 * struct mhv_access - the device access that an instruction is emulated for
 * @gpa: that faulted
 * @la: linear address that leads to @gpa's page, where @la_valid
 * @la_valid: likewise
 * @now: linear address of the access being made; for tracing alone
 * @one_operand: the instruction makes no other access to memory
 * @stuck: memory that user space must provide was missing
 * @dirty: MHV_REG_* bits that the instruction may change
 * @verdict: how the access was recognised
 */
struct mhv_access {
	gpa_t gpa;
	gva_t la;
	gva_t now;
	bool la_valid;
	bool one_operand;
	bool stuck;
	u32 dirty;
	u32 verdict;
};

#define MHV_PAGE_CACHE	4
#define MHV_SHADOW_CACHE	4
#define MHV_SHADOW_KEPT		3

/* A root that a vCPU ran on, and may load again. */
struct mhv_shadow_kept {
	u64 cr3;			/* that leads to it */
	struct shadow_page *root;	/* NULL: none */
};

/**
 * struct mhv_shadow_vcpu - shadow paging of a vCPU
 * @root: shadow pages that it runs on: one of level 4, or one of level 2 for each GiB
 * @kept: four-level paging: roots that it ran on before, in the same mode
 * @next_kept: which is to be replaced next
 * @pdpt: outside of long mode: what the CPU's CR3 leads to
 * @mode: how the guest translates
 * @guest: where its tables begin
 * @role: union shadow_role of all shadow pages in that mode
 * @tlb_seen: shadow->tlb_seq at the last flush
 * @unshadowed: frame of the table that was last given up for a write
 * @unshadowed_rip: likewise, where
 * @faults: since the last audit
 * @cache: shadow pages, so that no fault fails half-way
 * @nr_cache: of them
 */
struct mhv_shadow_vcpu {
	struct shadow_page *root[4];
	struct mhv_shadow_kept kept[MHV_SHADOW_KEPT];
	unsigned int next_kept;
	u64 *pdpt;
	struct guest_mmu_mode mode;
	struct guest_root guest;
	u32 role;
	u64 tlb_seen;
	gfn_t unshadowed;
	u64 unshadowed_rip;
	unsigned int faults;
	struct shadow_page *cache[MHV_SHADOW_CACHE];
	unsigned int nr_cache;
};

/**
 * struct mhv_vcpu - a virtual CPU; guarded by @mutex but for the fields named
 * @vm: the VM it belongs to
 * @id: number in the VM
 * @mutex: one ioctl at a time
 * @task_notifier: tells when the thread in MHV_RUN is scheduled
 * @cpu: CPU the vendor state was last loaded on, -1 none
 * @mode: enum mhv_vcpu_mode; read by any CPU
 * @requests: MHV_REQ_* bits; set by any CPU
 * @gpr: general registers; RSP valid when @cached says so
 * @rip: valid when @cached says so
 * @rflags: likewise
 * @cached: MHV_REG_* bits: the copy here is valid
 * @dirty: MHV_REG_* bits: the copy here must be written before entry
 * @cr2: as the guest sees it
 * @cr8: likewise
 * @xcr0: likewise
 * @efer: likewise
 * @dr: likewise
 * @dr6: likewise
 * @dr7: likewise
 * @fpu: guest FPU state
 * @fpu_loaded: @fpu is in the CPU's registers (of this task)
 * @reinject: an event whose delivery an exit cut short
 * @exception: to be delivered next
 * @irq: external interrupt that waits
 * @nmi_pending: an NMI waits
 * @io: outstanding request
 * @mmio: device frames known to this vCPU
 * @decoded: instructions known to it
 * @emul: the instruction under way
 * @access: what it is emulated for
 * @exited: host TSC at the last exit, where it is measured
 * @run_error: errno for MHV_NEXT_FAIL
 * @ran: MHV_RUN was called once
 * @run: page 0 of the run area
 * @data: page 1, data of string transfers
 * @stat: page 2, the counters
 * @cpuid: guest's CPUID
 * @nr_cpuid: entries of it
 * @page_cache: zeroed pages for page tables, so that no fault fails half-way
 * @nr_page_cache: of them
 * @shadow: shadow paging
 * @cr3: shadow paging: as the guest sees it
 * @pdpte: likewise, the entries that PAE paging works with
 * @vendor: the vendor's own state
 */
struct mhv_vcpu {
	struct mhv_vm *vm;
	u32 id;
	struct mutex mutex;		/* one ioctl at a time */
	struct preempt_notifier task_notifier;
	int cpu;
	int mode;
	unsigned long requests;

	/* struct mhv_emul_regs: RIP and RFLAGS have numbers, too */
	union {
		u64 gpr[MHV_NR_REGS];
		struct {
			u64 gp[MHV_NR_GPRS];
			u64 rip;
			u64 rflags;
		};
	};
	u32 cached;
	u32 dirty;
	u64 cr2, cr8, xcr0, efer;
	u64 dr[4], dr6, dr7;

	struct fpu_guest fpu;
	bool fpu_loaded;

	struct mhv_pending reinject;
	struct mhv_pending exception;
	struct mhv_pending irq;
	bool nmi_pending;

	struct mhv_io io;
	struct mhv_mmio_cache mmio;
	struct mhv_decode_cache decoded;
	struct mhv_emul_ctx emul;
	struct mhv_access access;
	u64 exited;
	int run_error;
	bool ran;

	struct mhv_run *run;
	void *data;
	u64 *stat;

	struct mhv_cpuid_entry *cpuid;
	u32 nr_cpuid;

	u64 *page_cache[MHV_PAGE_CACHE];
	unsigned int nr_page_cache;

	struct mhv_shadow_vcpu shadow;
	u64 cr3;
	u64 pdpte[4];

	void *vendor;
};

static inline void mhv_count(struct mhv_vcpu *v, enum mhv_stat stat)
{
	v->stat[stat]++;
}

#define MHV_VM_MEASURE	BIT(31)	/* keep mmio_ticks_last */

static inline bool mhv_measured(const struct mhv_vm *vm)
{
	return unlikely(READ_ONCE(vm->disabled) & MHV_VM_MEASURE);
}

/* Is an optimisation switched off for this VM? */
static inline bool mhv_opt_off(const struct mhv_vm *vm, enum mhv_opt opt)
{
	return unlikely(READ_ONCE(vm->disabled) & BIT(opt));
}

/* main.c */
extern const struct file_operations mhv_vm_fops;
extern const struct file_operations mhv_vcpu_fops;
int mhv_hardware_get(void);
void mhv_hardware_put(void);

/* vm.c */
int mhv_vm_create(const struct mhv_vm_config *config);
void mhv_vm_put(struct mhv_vm *vm);
void mhv_vm_get(struct mhv_vm *vm);
void mhv_request_all(struct mhv_vm *vm, int request);

static inline struct mhv_vcpu *mhv_vm_vcpu(struct mhv_vm *vm, unsigned int id)
{
	/* pairs with vcpu_install(): a vCPU is seen whole */
	return smp_load_acquire(&vm->vcpus[id]);
}

/* vcpu.c */
int mhv_vcpu_create(struct mhv_vm *vm, const struct mhv_vcpu_config *config);
void mhv_vcpu_free(struct mhv_vcpu *v);
void mhv_vma_flags(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear);
void mhv_vcpu_load(struct mhv_vcpu *v);
void mhv_vcpu_put(struct mhv_vcpu *v);
void mhv_queue_exception(struct mhv_vcpu *v, u8 vector, bool has_error, u32 error_code);
void mhv_queue_page_fault(struct mhv_vcpu *v, u32 error_code, gva_t gva);

static inline void mhv_queue_gp(struct mhv_vcpu *v)
{
	mhv_queue_exception(v, 13, true, 0);
}

static inline void mhv_queue_ud(struct mhv_vcpu *v)
{
	mhv_queue_exception(v, 6, false, 0);
}

/* memslot.c */
int mhv_set_memslot(struct mhv_vm *vm, const struct mhv_memslot *arg);
const struct mhv_slot *mhv_find_slot(const struct mhv_slots *slots, gfn_t gfn);
const struct mhv_slots *mhv_slots(struct mhv_vm *vm);

/* gmem.c: guest memory, in process context of the owner */
int mhv_read_gpa(struct mhv_vm *vm, gpa_t gpa, void *data, size_t len);
int mhv_cmpxchg_gpa(struct mhv_vm *vm, gpa_t gpa, const void *old, const void *new, size_t size);
int mhv_write_gpa(struct mhv_vm *vm, gpa_t gpa, const void *data, size_t len);

/* What reading or writing at a gva came to. */
enum mhv_gva_result {
	MHV_GVA_OK,
	MHV_GVA_FAULT,		/* guest fault; the exception is described */
	MHV_GVA_NO_MEMORY,	/* the gpa has no (usable) memory behind it */
};

/**
 * struct mhv_gva_fault - why an access by gva did not succeed
 * @gva: address that faulted
 * @gpa: MHV_GVA_NO_MEMORY: where it led
 * @error_code: MHV_GVA_FAULT: of the #PF
 */
struct mhv_gva_fault {
	gva_t gva;
	gpa_t gpa;
	u32 error_code;
};

#define MHV_ACCESS_WRITE	BIT(0)
#define MHV_ACCESS_FETCH	BIT(1)

void mhv_get_guest_mode(struct mhv_vcpu *v, struct guest_mmu_mode *mode, struct guest_root *root);
enum guest_walk_result mhv_look_gva(struct mhv_vcpu *v, gva_t gva, struct guest_root *root,
				    struct guest_walk *walk);
enum guest_walk_result mhv_walk_as(struct mhv_vcpu *v, gva_t gva, u32 guest_access,
				   struct guest_walk *walk);
enum mhv_gva_result mhv_walk_gva(struct mhv_vcpu *v, gva_t gva, u32 access,
				 struct guest_walk *walk, struct mhv_gva_fault *fault);
enum mhv_gva_result mhv_translate_gva(struct mhv_vcpu *v, gva_t gva, u32 access,
				      gpa_t *gpa, struct mhv_gva_fault *fault);
enum mhv_gva_result mhv_read_gva(struct mhv_vcpu *v, gva_t gva, void *data, size_t len,
				 u32 access, struct mhv_gva_fault *fault);
enum mhv_gva_result mhv_write_gva(struct mhv_vcpu *v, gva_t gva, const void *data,
				  size_t len, struct mhv_gva_fault *fault);

/* cpuid.c */
enum mhv_cpuid_reg { MHV_CPUID_EAX, MHV_CPUID_EBX, MHV_CPUID_ECX, MHV_CPUID_EDX };

int mhv_cpuid_host(struct mhv_cpuid_entry **entries, u32 *nr);
int mhv_cpuid_init(struct mhv_vcpu *v);
int mhv_cpuid_set(struct mhv_vcpu *v, const struct mhv_cpuid *arg);
int mhv_cpuid_copy(const struct mhv_cpuid_entry *entries, u32 nr,
		   struct mhv_cpuid __user *uarg);
const struct mhv_cpuid_entry *mhv_cpuid_find(struct mhv_vcpu *v, u32 function, u32 index);
void mhv_cpuid(struct mhv_vcpu *v, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);
bool mhv_guest_has(struct mhv_vcpu *v, u32 function, int reg, int bit);
void mhv_cpuid_setup(void);
u64 mhv_guest_xcr0_mask(void);
u64 mhv_guest_cr4_mask(struct mhv_vcpu *v);
u64 mhv_guest_efer_mask(struct mhv_vcpu *v);
unsigned int mhv_guest_phys_bits(struct mhv_vcpu *v);

/* vector.c */
bool mhv_vector_read(struct mhv_vcpu *v, unsigned int reg, void *data, unsigned int size);
bool mhv_vector_write(struct mhv_vcpu *v, unsigned int reg, const void *data,
		      unsigned int size, bool zero);

/* What the short way made of an exit. */
enum mhv_plain {
	MHV_PLAIN_NO,		/* nothing: go the long way */
	MHV_PLAIN_DONE,		/* RIP has moved: enter the guest again */
	MHV_PLAIN_USER,		/* likewise, and user space has a request */
	MHV_PLAIN_RESUME,	/* likewise, after a look at what is to be done first */
	MHV_PLAIN_WAIT,		/* user space has a request, RIP moves with the answer */
};

/* The instruction is complete: a breakpoint may hit the next one. */
static inline void mhv_plain_retire(struct mhv_vcpu *v, u32 insn_len)
{
	v->rip += insn_len;
	v->rflags &= ~(u64)X86_EFLAGS_RF;
}

/* io/ */
enum mhv_plain mhv_mmio_plain(struct mhv_vcpu *v, gpa_t gpa, u64 cr3);
enum mhv_plain mhv_mmio_plain_shadow(struct mhv_vcpu *v, gva_t gva, u32 code);
int mhv_area_create(struct mhv_vm *vm, struct mhv_area *arg);
struct page *mhv_area_page(struct mhv_vm *vm, unsigned long pgoff);
int mhv_set_route(struct mhv_vm *vm, const struct mhv_route *arg);
void mhv_routes_destroy(struct mhv_vm *vm);
void mhv_emul_init(struct mhv_vcpu *v);
enum mhv_next mhv_mmio_resume(struct mhv_vcpu *v);
enum mhv_next mhv_plain_complete(struct mhv_vcpu *v, u64 data);
enum mhv_next mhv_ioreq_issue(struct mhv_vcpu *v);
enum mhv_next mhv_ioreq_complete(struct mhv_vcpu *v);
enum mhv_next mhv_pio(struct mhv_vcpu *v, u16 port, u32 size, bool write, u32 insn_len);
enum mhv_next mhv_pio_string(struct mhv_vcpu *v, u16 port, u32 size, bool write, bool rep,
			     u64 addr_mask, enum mhv_seg seg, u32 insn_len);
enum mhv_next mhv_pio_complete(struct mhv_vcpu *v, u64 data);
enum mhv_next mhv_exit_insn(struct mhv_vcpu *v, bool gva_valid, gva_t gva, gpa_t gpa,
			    bool write);

#endif /* MHV_H */
