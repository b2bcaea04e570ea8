// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mhv backend: /dev/mhv.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../disasm.h"
#include "../mark.h"
#include "../msg.h"
#include "accel.h"

struct accel {
	int device, vm;
	struct mhv_info info;
};

/**
 * struct accel_vcpu - a vCPU of mhv
 * @accel:	its VM
 * @fd:		the vCPU
 * @run:	run and data page
 * @stats:	statistics page, read-only
 * @access:	the last exit was an access: its slot is to be marked done
 */
struct accel_vcpu {
	struct accel *accel;
	int fd;
	struct mhv_run *run;
	const u64 *stats;
	bool access;
};

/* what a user can do about a verdict; the verdict's own text is in the info */
static const char *const remedies[] = {
	[MHV_HOST_OK]		= "",
	[MHV_HOST_NO_VMX]	= "use a machine with Intel VT-x, or nested virtualisation",
	[MHV_HOST_FIRMWARE_OFF]	= "switch on Intel VT-x in the firmware setup",
	[MHV_HOST_BUSY]		= "unload the other hypervisor, as with 'rmmod kvm_intel'",
	[MHV_HOST_NO_CONTROL]	= "use a newer CPU, or pass the feature to this machine",
	[MHV_HOST_NO_EPT]	= "use --paging shadow, or a CPU with EPT",
	[MHV_HOST_NO_UNRESTRICTED] = "use a CPU with unrestricted guest",
	[MHV_HOST_FRED]		= "boot the host with fred=off",
	[MHV_HOST_MIXED]	= "boot the host with the CPUs that are alike",
};

/**
 * mhv_remedy - what a user can do about a verdict
 * @verdict:	enum mhv_verdict
 *
 * Return: a constant string; empty when nothing is to be done or known.
 */
const char *mhv_remedy(u32 verdict)
{
	return verdict < ARRAY_SIZE(remedies) ? remedies[verdict] : "";
}

static void mhv_open_error(char *why, size_t len)
{
	const char *remedy = "check the kernel log with 'dmesg'";

	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		remedy = "load the module with 'modprobe mhv'";
	else if (errno == EACCES || errno == EPERM)
		remedy = "run as root, or let your user read and write it";
	snprintf(why, len, "%s: %s: %s", MHV_DEVICE, strerror(errno), remedy);
}

/**
 * mhv_open_device - open /dev/mhv and ask what it offers
 * @info:	out
 * @why:	out: one line, when it fails
 * @len:	bytes of @why
 *
 * Return: the descriptor, or -1 without a message.
 */
int mhv_open_device(struct mhv_info *info, char *why, size_t len)
{
	int fd = open(MHV_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		mhv_open_error(why, len);
		return -1;
	}
	memset(info, 0, sizeof(*info));
	if (ioctl(fd, MHV_GET_INFO, info)) {
		snprintf(why, len, "%s: does not answer as mhv (%s): reload the module",
			 MHV_DEVICE, strerror(errno));
	} else if (info->api_version != MHV_API_VERSION) {
		snprintf(why, len, "%s: speaks interface %u, vmctl %u: use both of one build",
			 MHV_DEVICE, info->api_version, MHV_API_VERSION);
	} else {
		info->detail[sizeof(info->detail) - 1] = '\0';
		return fd;
	}
	close(fd);
	return -1;
}

static int mhv_ioctl_create_vm(int device, enum accel_paging paging)
{
	static const u32 modes[] = {
		[PAGING_AUTO]	= MHV_PAGING_AUTO,
		[PAGING_TDP]	= MHV_PAGING_TDP,
		[PAGING_SHADOW]	= MHV_PAGING_SHADOW,
		[PAGING_SHADOW_GNP] = MHV_PAGING_SHADOW,
	};
	struct mhv_vm_config config = {
		.paging = modes[paging],
		.flags = paging == PAGING_SHADOW_GNP ? MHV_VM_GNP : 0,
	};

	return ioctl(device, MHV_CREATE_VM, &config);
}

static int mhv_create_vm(const struct accel *accel, enum accel_paging paging)
{
	const struct mhv_info *info = &accel->info;
	int vm = mhv_ioctl_create_vm(accel->device, paging);
	int error = errno;

	if (vm >= 0)
		return vm;
	if (info->verdict != MHV_HOST_OK)
		return fail("this host cannot run guests: %s: %s",
			    *info->detail ? info->detail : strerror(error),
			    mhv_remedy(info->verdict));
	if (error == EOPNOTSUPP && paging == PAGING_SHADOW_GNP)
		return fail("--paging shadow,gnp: the CPU has no reserved address bit: use shadow");
	if (error == EOPNOTSUPP && paging == PAGING_TDP)
		return fail("--paging ept: no EPT with unrestricted guest, or ept=0: use auto");
	return fail("cannot make a VM: %s: see 'vmctl check' and 'dmesg'", strerror(error));
}

static bool mhv_offers(enum accel_paging paging)
{
	struct mhv_info info;
	char why[256];
	int device = mhv_open_device(&info, why, sizeof(why)), vm;
	bool offers;

	if (device < 0)
		return true;
	vm = mhv_ioctl_create_vm(device, paging);
	offers = vm >= 0 || errno != EOPNOTSUPP || info.verdict != MHV_HOST_OK;
	if (vm >= 0)
		close(vm);
	close(device);
	return offers;
}

static void mhv_close(struct accel *accel)
{
	mark_close();
	if (accel->vm >= 0)
		close(accel->vm);
	if (accel->device >= 0)
		close(accel->device);
	free(accel);
}

/* who records a trace may have one of its own */
static void mhv_mark_vm(const struct accel *accel)
{
	const char *dir = getenv(MARK_DIR_ENV);

	dir = dir ? dir : MARK_DIR;
	if (mark_open(dir))
		mark_vm(dir, accel->info.tsc_khz);
}

static struct accel *mhv_open(enum accel_paging paging)
{
	struct accel *accel = calloc(1, sizeof(*accel));
	char why[256];

	if (!accel) {
		fail("out of memory");
		return NULL;
	}
	accel->vm = -1;
	accel->device = mhv_open_device(&accel->info, why, sizeof(why));
	if (accel->device < 0)
		fail("%s", why);
	else
		accel->vm = mhv_create_vm(accel, paging);
	if (accel->vm >= 0) {
		mhv_mark_vm(accel);
		return accel;
	}
	mhv_close(accel);
	return NULL;
}

static unsigned int mhv_phys_bits(const struct accel *accel)
{
	return accel->info.phys_bits;
}

static int mhv_set_memory(struct accel *accel, u32 slot, u64 gpa, u64 size, void *hva,
			  bool readonly)
{
	struct mhv_memslot memslot = {
		.slot = slot,
		.flags = readonly ? MHV_MEM_READONLY : 0,
		.gpa = gpa,
		.size = size,
		.hva = (uintptr_t)hva,
	};

	if (ioctl(accel->vm, MHV_SET_MEMSLOT, &memslot))
		return fail("cannot give the guest 0x%llx bytes at 0x%llx: %s",
			    size, gpa,
			    strerror(errno));
	return 0;
}

static int mhv_create_area(struct accel *accel, u32 kind, struct accel_area *area)
{
	struct mhv_area made = { .kind = kind };
	void *mem;

	if (ioctl(accel->vm, MHV_CREATE_AREA, &made))
		return fail("cannot share memory with the kernel: %s%s", strerror(errno),
			    errno == ENOTTY ? ": the module is too old: use both of one build" :
			    errno == ENOSPC ? ": use fewer devices" : "");
	mem = mmap(NULL, made.size, PROT_READ | PROT_WRITE, MAP_SHARED, accel->vm, made.offset);
	if (mem == MAP_FAILED)
		return fail("cannot map memory shared with the kernel: %s", strerror(errno));
	*area = (struct accel_area){ made.id, mem, made.size };
	return 0;
}

static const char *route_name(u32 kind)
{
	static const char *const names[] = {
		[MHV_ROUTE_REGFILE]	= "register file",
		[MHV_ROUTE_POSTED]	= "posted ring",
		[MHV_ROUTE_EVENTFD]	= "doorbell",
	};

	return kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "route";
}

static int mhv_set_route(struct accel *accel, const struct mhv_route *route)
{
	if (!ioctl(accel->vm, MHV_SET_ROUTE, route))
		return 0;
	return fail("cannot %s the %s at 0x%llx: %s",
		    route->flags & MHV_ROUTE_REMOVE ? "remove" : "make",
		    route_name(route->kind), route->gpa, strerror(errno));
}

static int mhv_set_options(struct accel *accel, u64 disabled, bool timed)
{
	struct mhv_options options = {
		.disabled = disabled,
		.flags = timed ? MHV_OPTION_MEASURE : 0,
	};

	if (!ioctl(accel->vm, MHV_SET_OPTIONS, &options))
		return 0;
	return fail("cannot switch optimisations off: %s: use vmctl and module of one build",
		    strerror(errno));
}

#define RUN_BYTES	(MHV_STATS_PAGE * GUEST_PAGE)

static u64 mhv_stats_bytes(const struct accel *accel)
{
	return accel->info.run_size - RUN_BYTES;
}

static unsigned int mhv_nr_counters(const struct accel *accel)
{
	return min_u64(accel->info.nr_stats, mhv_stats_bytes(accel) / sizeof(u64));
}

static void mhv_counter_name(const struct accel *accel, unsigned int index,
			     struct accel_counter *counter)
{
	struct mhv_stat_name name = { .index = index };

	if (ioctl(accel->device, MHV_GET_STAT_NAME, &name))
		snprintf(name.name, sizeof(name.name), "counter_%u", index);
	snprintf(counter->name, sizeof(counter->name), "%.*s", (int)sizeof(name.name) - 1,
		 name.name);
}

/* for whoever reads the trace: what it should hold */
static void mhv_mark_counters(const struct accel_vcpu *vcpu)
{
	unsigned int i, nr = mhv_nr_counters(vcpu->accel);
	struct accel_counter counter;

	for (i = 0; i < nr && mark_is_open(); i++) {
		mhv_counter_name(vcpu->accel, i, &counter);
		mark("counter %s %llu", counter.name, vcpu->stats[i]);
	}
}

static void mhv_vcpu_close(struct accel_vcpu *vcpu)
{
	if (vcpu->stats)
		mhv_mark_counters(vcpu);
	if (vcpu->run)
		munmap(vcpu->run, RUN_BYTES);
	if (vcpu->stats)
		munmap((void *)vcpu->stats, mhv_stats_bytes(vcpu->accel));
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	free(vcpu);
}

/* two mappings, since the statistics page is only to be read */
static int mhv_vcpu_map(struct accel_vcpu *vcpu)
{
	void *area;

	if (vcpu->accel->info.run_size < RUN_BYTES + GUEST_PAGE)
		return fail("the module's run area is too small: use both of one build");
	area = mmap(NULL, RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (area == MAP_FAILED)
		return fail("cannot map the vCPU's run area: %s", strerror(errno));
	vcpu->run = area;
	area = mmap(NULL, mhv_stats_bytes(vcpu->accel), PROT_READ, MAP_SHARED, vcpu->fd,
		    RUN_BYTES);
	if (area == MAP_FAILED)
		return fail("cannot map the vCPU's statistics: %s", strerror(errno));
	vcpu->stats = area;
	return 0;
}

static struct accel_vcpu *mhv_vcpu_open(struct accel *accel, u32 id)
{
	struct mhv_vcpu_config config = { .id = id };
	struct accel_vcpu *vcpu = calloc(1, sizeof(*vcpu));

	if (!vcpu) {
		fail("out of memory");
		return NULL;
	}
	vcpu->accel = accel;
	vcpu->fd = ioctl(accel->vm, MHV_CREATE_VCPU, &config);
	if (vcpu->fd < 0)
		fail("cannot make vCPU %u: %s", id, strerror(errno));
	else if (!mhv_vcpu_map(vcpu))
		return vcpu;
	mhv_vcpu_close(vcpu);
	return NULL;
}

static int mhv_get_state(struct accel_vcpu *vcpu, struct vcpu_state *state)
{
	if (ioctl(vcpu->fd, MHV_GET_REGS, &state->regs) ||
	    ioctl(vcpu->fd, MHV_GET_SREGS, &state->sregs))
		return fail("cannot read the vCPU's registers: %s", strerror(errno));
	return 0;
}

static int mhv_set_state(struct accel_vcpu *vcpu, const struct vcpu_state *state)
{
	if (ioctl(vcpu->fd, MHV_SET_SREGS, &state->sregs) ||
	    ioctl(vcpu->fd, MHV_SET_REGS, &state->regs))
		return fail("cannot set the vCPU's registers: %s", strerror(errno));
	return 0;
}

/* the kernel has written the slot: what it says there is within bounds */
static void mhv_exit_access(struct accel_vcpu *vcpu, struct vcpu_exit *exit,
			    enum vcpu_exit_kind kind)
{
	struct mhv_ioreq *req = &vcpu->run->ioreq;
	u32 flags = req->flags, size = req->size;
	bool packed = flags & MHV_IOREQ_STRING;
	s32 step = flags & MHV_IOREQ_DOWN ? -(s32)size : (s32)size;

	exit->kind = kind;
	exit->access = (struct access){
		.addr = req->addr,
		.data = packed ? (u8 *)vcpu->run + MHV_DATA_PAGE * GUEST_PAGE :
				 (u8 *)&req->data,
		.size = size,
		.count = packed ? req->count : 1,
		.step = kind == VCPU_EXIT_PORT ? 0 : step,
		.write = flags & MHV_IOREQ_WRITE,
	};
	vcpu->access = true;
}

static void mhv_exit_insn(const struct mhv_run *run, struct vcpu_exit *exit)
{
	unsigned int nr = min_u64(run->insn.nr_bytes, sizeof(run->insn.bytes));
	char text[DISASM_TEXT], gva[40] = "";

	disasm(text, run->insn.bytes, nr, run->insn.mode * 8, run->insn.rip);
	if (run->insn.gva_valid)
		snprintf(gva, sizeof(gva), ", gva 0x%llx", run->insn.gva);
	exit_text(exit, VCPU_EXIT_ERROR,
		  "mhv cannot emulate %s at rip 0x%llx (%u-bit code), %s of gpa 0x%llx%s",
		  text, run->insn.rip, run->insn.mode * 8,
		  run->insn.is_write ? "write" : "read", run->insn.gpa, gva);
}

static void mhv_exit_entry_failed(const struct mhv_run *run, struct vcpu_exit *exit)
{
	exit_text(exit, VCPU_EXIT_ENTRY_FAILED,
		  "the CPU refused to enter the guest: %s %u, qualification 0x%llx\n%.*s",
		  run->entry_failed.flags & 1 ? "VM-instruction error" : "exit reason",
		  run->entry_failed.reason, run->entry_failed.qualification,
		  (int)sizeof(run->entry_failed.report), run->entry_failed.report);
}

static void mhv_exit(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct mhv_run *run = vcpu->run;
	u32 reason = run->exit;

	if (reason == MHV_EXIT_MMIO) {
		mhv_exit_access(vcpu, exit, VCPU_EXIT_MMIO);
		return;
	}
	switch (reason) {
	case MHV_EXIT_IO:
		mhv_exit_access(vcpu, exit, VCPU_EXIT_PORT);
		break;
	case MHV_EXIT_HLT:
		/* an interrupt that waits in the kernel ends the halt at once */
		exit->kind = run->irq_pending ? VCPU_EXIT_AGAIN : VCPU_EXIT_HALT;
		break;
	case MHV_EXIT_IRQ_WINDOW:
	case MHV_EXIT_KICKED:
		exit->kind = VCPU_EXIT_AGAIN;
		break;
	case MHV_EXIT_SHUTDOWN:
		exit->kind = VCPU_EXIT_SHUTDOWN;
		break;
	case MHV_EXIT_ENTRY_FAILED:
		mhv_exit_entry_failed(run, exit);
		break;
	case MHV_EXIT_INSN:
		mhv_exit_insn(run, exit);
		break;
	case MHV_EXIT_MEMORY_FAULT:
		exit_text(exit, VCPU_EXIT_ERROR,
			  "guest memory at gpa 0x%llx (0x%llx here) could not be %s: %s",
			  run->memory_fault.gpa, run->memory_fault.hva,
			  run->memory_fault.is_write ? "written" : "read",
			  strerror(run->memory_fault.error));
		break;
	case MHV_EXIT_UNKNOWN:
		exit_text(exit, VCPU_EXIT_ERROR,
			  "mhv does not handle exit reason %u, qualification 0x%llx",
			  run->unknown.reason, run->unknown.qualification);
		break;
	default:
		exit_text(exit, VCPU_EXIT_ERROR,
			  "mhv returned exit %u: use both of one build",
			  reason);
	}
}

/*
 * MHV_RUN, the one call that each device access makes: without ioctl()'s variable
 * arguments.  Returns 0 or -errno.
 */
static long mhv_ioctl_run(int fd)
{
	long ret = SYS_ioctl;

	asm volatile("syscall" : "+a" (ret) : "D" (fd), "S" (MHV_RUN), "d" (0)
		     : "rcx", "r11", "memory");
	return ret;
}

static void mhv_run(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	long ret;

	if (vcpu->access)
		vcpu->run->ioreq.state = MHV_IOREQ_DONE;
	vcpu->access = false;
	ret = mhv_ioctl_run(vcpu->fd);
	if (!ret)
		mhv_exit(vcpu, exit);
	else if (ret == -EINTR || ret == -EAGAIN)
		exit->kind = VCPU_EXIT_AGAIN;
	else
		exit_text(exit, VCPU_EXIT_ERROR, "running the guest failed: %s: see 'dmesg'",
			  strerror(-ret));
}

static void mhv_kick(struct accel_vcpu *vcpu)
{
	ioctl(vcpu->fd, MHV_KICK, 0);
}

static bool mhv_irq_ready(const struct accel_vcpu *vcpu)
{
	const struct mhv_run *run = vcpu->run;

	return run->irq_ready && !run->irq_pending && !(run->irq & MHV_IRQ_VALID);
}

static void mhv_inject(struct accel_vcpu *vcpu, u8 vector)
{
	vcpu->run->irq = MHV_IRQ_VALID | vector;
}

static void mhv_want_window(struct accel_vcpu *vcpu, bool want)
{
	vcpu->run->request_irq_window = want;
}

static unsigned int mhv_counters(struct accel_vcpu *vcpu, struct accel_counter *counter,
				 unsigned int max)
{
	unsigned int i, nr = min_u64(mhv_nr_counters(vcpu->accel), max);

	for (i = 0; i < nr; i++) {
		mhv_counter_name(vcpu->accel, i, &counter[i]);
		counter[i].value = vcpu->stats[i];
	}
	return nr;
}

static const u64 *mhv_counter(const struct accel_vcpu *vcpu, const char *name)
{
	unsigned int i, nr = mhv_nr_counters(vcpu->accel);
	struct accel_counter counter;

	for (i = 0; i < nr; i++) {
		mhv_counter_name(vcpu->accel, i, &counter);
		if (!strcmp(counter.name, name))
			return &vcpu->stats[i];
	}
	return NULL;
}

static int mhv_walk(struct accel_vcpu *vcpu, struct mhv_walk *walk)
{
	return ioctl(vcpu->fd, MHV_WALK, walk) ? errno : 0;
}

static int mhv_dump_mmu(struct accel *accel, struct mhv_mmu *mmu)
{
	return ioctl(accel->vm, MHV_DUMP_MMU, mmu) ? errno : 0;
}

static int mhv_audit(struct accel *accel, struct mhv_audit *audit)
{
	return ioctl(accel->vm, MHV_AUDIT, audit) ? errno : 0;
}

const struct accel_ops mhv_accel = {
	.name		= "mhv",
	.optional	= true,
	.offers		= mhv_offers,
	.open		= mhv_open,
	.close		= mhv_close,
	.phys_bits	= mhv_phys_bits,
	.set_memory	= mhv_set_memory,
	.create_area	= mhv_create_area,
	.set_route	= mhv_set_route,
	.set_options	= mhv_set_options,
	.vcpu_open	= mhv_vcpu_open,
	.vcpu_close	= mhv_vcpu_close,
	.get_state	= mhv_get_state,
	.set_state	= mhv_set_state,
	.run		= mhv_run,
	.kick		= mhv_kick,
	.irq_ready	= mhv_irq_ready,
	.inject		= mhv_inject,
	.want_window	= mhv_want_window,
	.counters	= mhv_counters,
	.counter	= mhv_counter,
	.walk		= mhv_walk,
	.dump_mmu	= mhv_dump_mmu,
	.audit		= mhv_audit,
};
