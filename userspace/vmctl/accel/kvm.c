// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KVM backend: /dev/kvm, to compare with.
 *
 * The interrupt controllers are vmctl's own, as with mhv: there is none in the kernel.
 * What KVM has no means for is done here in user space: the register file.
 *
 * Posted writes are KVM's coalesced MMIO.  The kernel says nothing when it appends to its
 * ring, so the writes are passed on, as ordinary ones, at the next exit of whatever kind
 * and before that exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "../msg.h"
#include "accel.h"

#define KVM_DEVICE	"/dev/kvm"
#define KVM_TSS		0xfffbd000ul	/* three pages that KVM wants for real mode */
#define KICK_SIGNAL	SIGUSR1
#define CPUID_MAX	256
#define MISC_ENABLE	0x1a0	/* MSR */
#define MISC_ENABLE_FAST_STRING	BIT(0)

struct accel {
	int device, vm;
	int run_size, coalesced_page;
	u32 areas;
	struct kvm_cpuid2 *cpuid;
	struct kvm_bell *bells;
};

/* struct kvm_bell - an eventfd that KVM signals: to take it away KVM wants it named whole */
struct kvm_bell {
	struct kvm_bell *next;
	struct kvm_ioeventfd event;
};

/**
 * struct accel_vcpu - a vCPU of KVM
 * @accel:	its VM
 * @fd:		the vCPU
 * @run:	run area
 * @ring:	posted writes; NULL: KVM has none
 * @thread: @has_thread:	who runs it
 * @injected:	an interrupt waits for the next run
 * @held:	the last exit has not been passed on: posted writes go first
 * @data:	of the posted write that is passed on
 */
struct accel_vcpu {
	struct accel *accel;
	int fd;
	struct kvm_run *run;
	struct kvm_coalesced_mmio_ring *ring;
	pthread_t thread;
	bool has_thread, injected, held;
	u8 data[8];
};

/* ---- the VM ----------------------------------------------------------------- */

static bool kvm_has_ept(void)
{
	int fd = open("/sys/module/kvm_intel/parameters/ept", O_RDONLY | O_CLOEXEC);
	char on = 'Y';

	if (fd < 0)
		return true;
	if (read(fd, &on, 1) != 1)
		on = 'N';
	close(fd);
	return on != 'N';
}

/* the module decides how it pages when it is loaded */
static bool kvm_offers(enum accel_paging paging)
{
	if (paging == PAGING_SHADOW_GNP)
		return false;
	return paging == PAGING_AUTO || kvm_has_ept() == (paging == PAGING_TDP);
}

static void kvm_close(struct accel *accel)
{
	struct kvm_bell *bell, *next;

	if (accel->vm >= 0)
		close(accel->vm);
	for (bell = accel->bells; bell; bell = next) {
		next = bell->next;
		close(bell->event.fd);
		free(bell);
	}
	if (accel->device >= 0)
		close(accel->device);
	free(accel->cpuid);
	free(accel);
}

static void cpuid_leaf1(struct kvm_cpuid_entry2 *entry)
{
	entry->ebx &= 0x00ffffff;		/* APIC id */
	entry->ecx &= ~(BIT(3) | BIT(21) | BIT(24));	/* MONITOR, x2APIC, TSC deadline */
	entry->edx &= ~BIT(9);			/* APIC */
}

/* what KVM offers, less what needs its APIC */
static int kvm_get_cpuid(struct accel *accel)
{
	struct kvm_cpuid2 *cpuid;
	u32 i, nr = 0;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return fail("out of memory");
	accel->cpuid = cpuid;
	cpuid->nent = CPUID_MAX;
	if (ioctl(accel->device, KVM_GET_SUPPORTED_CPUID, cpuid))
		return fail("KVM does not say what its CPU can do: %s", strerror(errno));
	for (i = 0; i < cpuid->nent; i++) {
		u32 function = cpuid->entries[i].function;

		/* topology with APIC ids; KVM's own interface */
		if (function == 0xb || function == 0x1f || function >> 16 == 0x4000)
			continue;
		cpuid->entries[nr] = cpuid->entries[i];
		if (function == 1)
			cpuid_leaf1(&cpuid->entries[nr]);
		nr++;
	}
	cpuid->nent = nr;
	return 0;
}

static int kvm_create_vm(struct accel *accel)
{
	accel->device = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (accel->device < 0)
		return fail("%s: %s: load it with 'modprobe kvm_intel', or use --accel mhv",
			    KVM_DEVICE, strerror(errno));
	accel->vm = ioctl(accel->device, KVM_CREATE_VM, 0);
	if (accel->vm < 0)
		return fail("KVM cannot make a VM: %s%s", strerror(errno), errno == EBUSY ?
			    ": end the guests of the other hypervisor first" : "");
	if (ioctl(accel->vm, KVM_SET_TSS_ADDR, KVM_TSS))
		return fail("KVM cannot make a VM: %s", strerror(errno));
	accel->run_size = ioctl(accel->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	accel->coalesced_page = ioctl(accel->device, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	return kvm_get_cpuid(accel);
}

static struct accel *kvm_open(enum accel_paging paging)
{
	struct accel *accel;

	if (!kvm_offers(paging)) {
		fail("KVM cannot page that way: it does as its module was loaded, with ept=%d%s",
		     kvm_has_ept(), paging == PAGING_SHADOW_GNP ? ", and has no gnp" : "");
		return NULL;
	}
	accel = calloc(1, sizeof(*accel));
	if (!accel) {
		fail("out of memory");
		return NULL;
	}
	accel->device = -1;
	accel->vm = -1;
	if (!kvm_create_vm(accel))
		return accel;
	kvm_close(accel);
	return NULL;
}

static unsigned int kvm_phys_bits(const struct accel *accel)
{
	u32 i;

	for (i = 0; i < accel->cpuid->nent; i++)
		if (accel->cpuid->entries[i].function == 0x80000008)
			return accel->cpuid->entries[i].eax & 0xff;
	return 36;
}

static int kvm_set_memory(struct accel *accel, u32 slot, u64 gpa, u64 size, void *hva,
			  bool readonly)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	if (ioctl(accel->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return fail("cannot give the guest 0x%llx bytes at 0x%llx: %s", size, gpa,
			    strerror(errno));
	return 0;
}

/* KVM shares nothing: the area is vmctl's alone */
static int kvm_create_area(struct accel *accel, u32 kind, struct accel_area *area)
{
	u64 size = kind == MHV_AREA_RING ? sizeof(struct mhv_ring) : GUEST_PAGE;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return fail("cannot make a device's memory: %s", strerror(errno));
	*area = (struct accel_area){ accel->areas++, mem, size };
	return 0;
}

static int kvm_add_bell(struct accel *accel, const struct kvm_ioeventfd *event)
{
	struct kvm_bell *bell = malloc(sizeof(*bell));

	if (!bell)
		return -1;
	*bell = (struct kvm_bell){ accel->bells, *event };
	/* the caller may close its own before it takes the route away */
	bell->event.fd = dup(event->fd);
	if (bell->event.fd < 0)
		goto err_bell;
	if (ioctl(accel->vm, KVM_IOEVENTFD, &bell->event))
		goto err_fd;
	accel->bells = bell;
	return 0;

err_fd:
	close(bell->event.fd);
err_bell:
	free(bell);
	return -1;
}

static int kvm_remove_bell(struct accel *accel, struct kvm_bell **link)
{
	struct kvm_bell *bell = *link;
	int err;

	bell->event.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	err = ioctl(accel->vm, KVM_IOEVENTFD, &bell->event);
	*link = bell->next;
	close(bell->event.fd);
	free(bell);
	return err;
}

static int kvm_set_eventfd(struct accel *accel, const struct mhv_route *route)
{
	const struct kvm_ioeventfd event = {
		.datamatch = route->value,
		.addr = route->gpa,
		.len = route->size,
		.fd = route->fd,
		.flags = route->flags & MHV_ROUTE_MATCH_VALUE ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0,
	};
	struct kvm_bell **link;

	if (!(route->flags & MHV_ROUTE_REMOVE))
		return kvm_add_bell(accel, &event);
	for (link = &accel->bells; *link; link = &(*link)->next) {
		const struct kvm_ioeventfd *e = &(*link)->event;

		if (e->addr == event.addr && e->len == event.len &&
		    e->flags == event.flags && e->datamatch == event.datamatch)
			return kvm_remove_bell(accel, link);
	}
	errno = ENOENT;
	return -1;
}

static int kvm_set_posted(struct accel *accel, const struct mhv_route *route)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = route->gpa, .size = route->size };

	if (accel->coalesced_page <= 0)
		return 0;
	return ioctl(accel->vm, route->flags & MHV_ROUTE_REMOVE ?
		     KVM_UNREGISTER_COALESCED_MMIO : KVM_REGISTER_COALESCED_MMIO, &zone);
}

static int kvm_set_route(struct accel *accel, const struct mhv_route *route)
{
	bool remove = route->flags & MHV_ROUTE_REMOVE;
	int err = 0;

	if (route->kind == MHV_ROUTE_EVENTFD)
		err = kvm_set_eventfd(accel, route);
	else if (route->kind == MHV_ROUTE_POSTED)
		err = kvm_set_posted(accel, route);
	if (!err)
		return 0;
	return fail("KVM cannot %s the route at 0x%llx: %s", remove ? "remove" : "make",
		    route->gpa, strerror(errno));
}

static int kvm_set_options(struct accel *accel, u64 disabled, bool timed)
{
	return disabled ? fail("--without is for mhv's optimisations: KVM has none of them") : 0;
}

/* ---- the vCPU --------------------------------------------------------------- */

static void kvm_vcpu_close(struct accel_vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->accel->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	free(vcpu);
}

/* as firmware leaves it: a guest that finds fast strings off does without REP */
static int kvm_set_misc_enable(struct accel_vcpu *vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = MISC_ENABLE };

	if (ioctl(vcpu->fd, KVM_GET_MSRS, &msrs) != 1)
		return fail("cannot read the vCPU's MSRs: %s", strerror(errno));
	msrs.entry.data |= MISC_ENABLE_FAST_STRING;
	if (ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) != 1)
		return fail("cannot set the vCPU's MSRs: %s", strerror(errno));
	return 0;
}

static int kvm_vcpu_create(struct accel_vcpu *vcpu, u32 id)
{
	struct accel *accel = vcpu->accel;
	void *area;

	vcpu->fd = ioctl(accel->vm, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		return fail("cannot make vCPU %u: %s", id, strerror(errno));
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, accel->cpuid))
		return fail("cannot set the vCPU's features: %s", strerror(errno));
	if (kvm_set_misc_enable(vcpu))
		return -1;
	area = mmap(NULL, accel->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (area == MAP_FAILED)
		return fail("cannot map the vCPU's run area: %s", strerror(errno));
	vcpu->run = area;
	if (accel->coalesced_page > 0)
		vcpu->ring = area + accel->coalesced_page * GUEST_PAGE;
	return 0;
}

static struct accel_vcpu *kvm_vcpu_open(struct accel *accel, u32 id)
{
	struct accel_vcpu *vcpu = calloc(1, sizeof(*vcpu));

	if (!vcpu) {
		fail("out of memory");
		return NULL;
	}
	vcpu->accel = accel;
	if (!kvm_vcpu_create(vcpu, id))
		return vcpu;
	kvm_vcpu_close(vcpu);
	return NULL;
}

/* ---- registers -------------------------------------------------------------- */

#define COPY_GPRS(to, from)						\
	do {								\
		(to)->rax = (from)->rax; (to)->rcx = (from)->rcx;	\
		(to)->rdx = (from)->rdx; (to)->rbx = (from)->rbx;	\
		(to)->rsp = (from)->rsp; (to)->rbp = (from)->rbp;	\
		(to)->rsi = (from)->rsi; (to)->rdi = (from)->rdi;	\
		(to)->r8 = (from)->r8; (to)->r9 = (from)->r9;		\
		(to)->r10 = (from)->r10; (to)->r11 = (from)->r11;	\
		(to)->r12 = (from)->r12; (to)->r13 = (from)->r13;	\
		(to)->r14 = (from)->r14; (to)->r15 = (from)->r15;	\
		(to)->rip = (from)->rip; (to)->rflags = (from)->rflags;	\
	} while (0)

#define COPY_SEGMENT(to, from)						\
	do {								\
		(to)->base = (from)->base; (to)->limit = (from)->limit;	\
		(to)->selector = (from)->selector;			\
		(to)->type = (from)->type; (to)->s = (from)->s;		\
		(to)->dpl = (from)->dpl; (to)->present = (from)->present; \
		(to)->avl = (from)->avl; (to)->l = (from)->l;		\
		(to)->db = (from)->db; (to)->g = (from)->g;		\
		(to)->unusable = (from)->unusable;			\
	} while (0)

#define COPY_SREGS(to, from)						\
	do {								\
		COPY_SEGMENT(&(to)->cs, &(from)->cs);			\
		COPY_SEGMENT(&(to)->ds, &(from)->ds);			\
		COPY_SEGMENT(&(to)->es, &(from)->es);			\
		COPY_SEGMENT(&(to)->fs, &(from)->fs);			\
		COPY_SEGMENT(&(to)->gs, &(from)->gs);			\
		COPY_SEGMENT(&(to)->ss, &(from)->ss);			\
		COPY_SEGMENT(&(to)->tr, &(from)->tr);			\
		COPY_SEGMENT(&(to)->ldt, &(from)->ldt);			\
		(to)->gdt.base = (from)->gdt.base;			\
		(to)->gdt.limit = (from)->gdt.limit;			\
		(to)->idt.base = (from)->idt.base;			\
		(to)->idt.limit = (from)->idt.limit;			\
		(to)->cr0 = (from)->cr0; (to)->cr2 = (from)->cr2;	\
		(to)->cr3 = (from)->cr3; (to)->cr4 = (from)->cr4;	\
		(to)->cr8 = (from)->cr8; (to)->efer = (from)->efer;	\
	} while (0)

static int kvm_get_state(struct accel_vcpu *vcpu, struct vcpu_state *state)
{
	struct kvm_debugregs debug;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs) || ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) ||
	    ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug))
		return fail("cannot read the vCPU's registers: %s", strerror(errno));
	memset(state, 0, sizeof(*state));
	COPY_GPRS(&state->regs, &regs);
	COPY_SREGS(&state->sregs, &sregs);
	memcpy(state->sregs.dr, debug.db, sizeof(debug.db));
	state->sregs.dr6 = debug.dr6;
	state->sregs.dr7 = debug.dr7;
	state->sregs.xcr0 = 1;
	return 0;
}

/* XCR0 stays as after power-on */
static int kvm_set_state(struct accel_vcpu *vcpu, const struct vcpu_state *state)
{
	struct kvm_debugregs debug = { .dr6 = state->sregs.dr6, .dr7 = state->sregs.dr7 };
	struct kvm_sregs sregs = { };
	struct kvm_regs regs = { };

	COPY_GPRS(&regs, &state->regs);
	COPY_SREGS(&sregs, &state->sregs);
	memcpy(debug.db, state->sregs.dr, sizeof(debug.db));
	vcpu->run->cr8 = state->sregs.cr8;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) || ioctl(vcpu->fd, KVM_SET_REGS, &regs) ||
	    ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug))
		return fail("cannot set the vCPU's registers: %s", strerror(errno));
	return 0;
}

/* ---- running ---------------------------------------------------------------- */

static void kvm_exit_port(struct kvm_run *run, struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_PORT;
	exit->access = (struct access){
		.addr = run->io.port,
		.data = (u8 *)run + run->io.data_offset,
		.size = run->io.size,
		.count = run->io.count,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
	};
}

static void kvm_exit_mmio(struct kvm_run *run, struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_MMIO;
	exit->access = (struct access){
		.addr = run->mmio.phys_addr,
		.data = run->mmio.data,
		.size = run->mmio.len,
		.count = 1,
		.step = run->mmio.len,
		.write = run->mmio.is_write,
	};
}

static void kvm_exit(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		kvm_exit_mmio(run, exit);
		break;
	case KVM_EXIT_IO:
		kvm_exit_port(run, exit);
		break;
	case KVM_EXIT_HLT:
		exit->kind = VCPU_EXIT_HALT;
		break;
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_INTR:
		exit->kind = VCPU_EXIT_AGAIN;
		break;
	case KVM_EXIT_SHUTDOWN:
		exit->kind = VCPU_EXIT_SHUTDOWN;
		break;
	case KVM_EXIT_FAIL_ENTRY:
		exit_text(exit, VCPU_EXIT_ENTRY_FAILED,
			  "the CPU refused to enter the guest: reason 0x%llx",
			  run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		exit_text(exit, VCPU_EXIT_ERROR, "KVM cannot go on: internal error %u",
			  run->internal.suberror);
		break;
	default:
		exit_text(exit, VCPU_EXIT_ERROR, "KVM returned exit %u, which vmctl does not know",
			  run->exit_reason);
	}
}

/* the oldest posted write, if there is one */
static bool kvm_take_posted(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	struct kvm_coalesced_mmio_ring *ring = vcpu->ring;
	const struct kvm_coalesced_mmio *write;
	u32 entries;

	if (!ring || __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) == ring->first)
		return false;
	entries = (GUEST_PAGE - sizeof(*ring)) / sizeof(*write);
	write = &ring->coalesced_mmio[ring->first];
	memcpy(vcpu->data, write->data, sizeof(vcpu->data));
	exit->kind = VCPU_EXIT_MMIO;
	exit->access = (struct access){
		.addr = write->phys_addr, .data = vcpu->data, .size = write->len, .count = 1,
		.step = write->len, .write = true,
	};
	__atomic_store_n(&ring->first, (ring->first + 1) % entries, __ATOMIC_RELEASE);
	return true;
}

static void kick_handler(int signal)
{
}

/* the thread is going to run the vCPU: a kick interrupts it there */
static void kvm_own_thread(struct accel_vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = kick_handler };
	sigset_t set;

	sigaction(KICK_SIGNAL, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	vcpu->thread = pthread_self();
	__atomic_store_n(&vcpu->has_thread, true, __ATOMIC_SEQ_CST);
}

/* 0, or -1 with @exit filled in */
static int kvm_enter(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	vcpu->injected = false;
	if (!ioctl(vcpu->fd, KVM_RUN, 0))
		return 0;
	if (errno != EINTR && errno != EAGAIN) {
		exit_text(exit, VCPU_EXIT_ERROR, "running the guest failed: %s: see 'dmesg'",
			  strerror(errno));
		return -1;
	}
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	return 0;
}

static void kvm_run(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	if (!vcpu->has_thread)
		kvm_own_thread(vcpu);
	if (!vcpu->held && kvm_enter(vcpu, exit))
		return;
	vcpu->held = kvm_take_posted(vcpu, exit);
	if (!vcpu->held)
		kvm_exit(vcpu, exit);
}

/* the flag is for a run that has not begun, the signal for one that has */
static void kvm_kick(struct accel_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vcpu->has_thread, __ATOMIC_SEQ_CST))
		pthread_kill(vcpu->thread, KICK_SIGNAL);
}

static bool kvm_irq_ready(const struct accel_vcpu *vcpu)
{
	return vcpu->run->ready_for_interrupt_injection && !vcpu->injected && !vcpu->held;
}

static void kvm_inject(struct accel_vcpu *vcpu, u8 vector)
{
	struct kvm_interrupt interrupt = { .irq = vector };

	if (ioctl(vcpu->fd, KVM_INTERRUPT, &interrupt))
		note("KVM did not take interrupt 0x%x: %s", vector, strerror(errno));
	vcpu->injected = true;
}

static void kvm_want_window(struct accel_vcpu *vcpu, bool want)
{
	vcpu->run->request_interrupt_window = want;
}

/* one of KVM's own counters; histograms and times are left out */
static bool kvm_read_counter(int fd, const struct kvm_stats_header *header, u32 index,
			     struct accel_counter *counter)
{
	struct {
		struct kvm_stats_desc desc;
		char name[128];
	} entry;
	size_t len = sizeof(entry.desc) + header->name_size;

	if (header->name_size > sizeof(entry.name) ||
	    pread(fd, &entry, len, header->desc_offset + index * len) != (ssize_t)len ||
	    entry.desc.size != 1 ||
	    (entry.desc.flags & KVM_STATS_UNIT_MASK) != KVM_STATS_UNIT_NONE ||
	    pread(fd, &counter->value, sizeof(counter->value),
		  header->data_offset + entry.desc.offset) != sizeof(counter->value))
		return false;
	snprintf(counter->name, sizeof(counter->name), "kvm_%.*s", 50, entry.name);
	return true;
}

static unsigned int kvm_counters(struct accel_vcpu *vcpu, struct accel_counter *counter,
				 unsigned int max)
{
	int fd = ioctl(vcpu->fd, KVM_GET_STATS_FD, 0);
	struct kvm_stats_header header;
	unsigned int i, nr = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &header, sizeof(header), 0) == sizeof(header))
		for (i = 0; i < header.num_desc && nr < max; i++)
			nr += kvm_read_counter(fd, &header, i, &counter[nr]);
	close(fd);
	return nr;
}

static const u64 *kvm_counter(const struct accel_vcpu *vcpu, const char *name)
{
	return NULL;
}

const struct accel_ops kvm_accel = {
	.name		= "kvm",
	.offers		= kvm_offers,
	.open		= kvm_open,
	.close		= kvm_close,
	.phys_bits	= kvm_phys_bits,
	.set_memory	= kvm_set_memory,
	.create_area	= kvm_create_area,
	.set_route	= kvm_set_route,
	.set_options	= kvm_set_options,
	.vcpu_open	= kvm_vcpu_open,
	.vcpu_close	= kvm_vcpu_close,
	.get_state	= kvm_get_state,
	.set_state	= kvm_set_state,
	.run		= kvm_run,
	.kick		= kvm_kick,
	.irq_ready	= kvm_irq_ready,
	.inject		= kvm_inject,
	.want_window	= kvm_want_window,
	.counters	= kvm_counters,
	.counter	= kvm_counter,
};
