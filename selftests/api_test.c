// SPDX-License-Identifier: GPL-2.0-only
/* Object life, and what every ioctl refuses. */
#include <sys/resource.h>

#include "mhv_test.h"

GUEST_ASM(guest_done_at_once, 64, G_DONE);

/* ---- /dev/mhv ------------------------------------------------------------ */

FIXTURE(dev) {
	int fd;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(MHV_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(dev)
{
	close(self->fd);
}

static bool all_zero(const void *mem, size_t size)
{
	const char *p = mem;

	while (size--)
		if (*p++)
			return false;
	return true;
}

TEST_F(dev, info)
{
	struct mhv_info info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, RET(ioctl(self->fd, MHV_GET_INFO, &info)));
	EXPECT_EQ(MHV_API_VERSION, info.api_version);
	EXPECT_EQ(MHV_HOST_OK, info.verdict);
	EXPECT_TRUE(info.features & (1ull << MHV_FEAT_VMX));
	EXPECT_EQ(0, info.features >> MHV_FEAT_COUNT);
	EXPECT_LE(32, info.phys_bits);
	EXPECT_GE(52, info.phys_bits);
	EXPECT_EQ(MHV_MAX_VCPUS, info.max_vcpus);
	EXPECT_EQ(MHV_MAX_MEMSLOTS, info.max_memslots);
	EXPECT_LT(0, info.nr_stats);
	EXPECT_LT(0, info.tsc_khz);
	EXPECT_EQ(0, info.run_size % PAGE_SIZE);
	EXPECT_LE((MHV_STATS_PAGE + 1) * PAGE_SIZE, info.run_size);
	EXPECT_LE(MHV_STATS_PAGE * PAGE_SIZE + info.nr_stats * 8, info.run_size);
	EXPECT_NE(NULL, memchr(info.detail, 0, sizeof(info.detail)));
	EXPECT_TRUE(all_zero(info.reserved, sizeof(info.reserved)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->fd, MHV_GET_INFO, NULL)));
}

static bool is_word(const char *name)
{
	return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
			  strnlen(name, sizeof(((struct mhv_stat_name *)0)->name));
}

TEST_F(dev, stat_names)
{
	struct mhv_stat_name stat[256];
	struct mhv_info info;
	__u32 i, j, totals = 0, exits = 0;

	memset(stat, 0, sizeof(stat));
	ASSERT_EQ(0, RET(ioctl(self->fd, MHV_GET_INFO, &info)));
	ASSERT_GE(256, info.nr_stats);
	for (i = 0; i < info.nr_stats; i++) {
		stat[i].index = i;
		ASSERT_EQ(0, RET(ioctl(self->fd, MHV_GET_STAT_NAME, &stat[i])));
		EXPECT_TRUE(is_word(stat[i].name))
			TH_LOG("name %u is '%.56s'", i, stat[i].name);
		totals += !strcmp(stat[i].name, "exits");
		exits += !strncmp(stat[i].name, "exit_", 5);
		for (j = 0; j < i; j++)
			EXPECT_STRNE(stat[i].name, stat[j].name);
	}
	EXPECT_EQ(1, totals);
	EXPECT_LT(0, exits);
	stat[0].index = info.nr_stats;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_GET_STAT_NAME, &stat[0])));
	stat[0].index = ~0u;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_GET_STAT_NAME, &stat[0])));
	stat[0].index = 0;
	stat[0].reserved = 1;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_GET_STAT_NAME, &stat[0])));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->fd, MHV_GET_STAT_NAME, NULL)));
}

TEST_F(dev, create_vm_arguments)
{
	struct mhv_vm_config config = { .paging = MHV_PAGING_AUTO };
	struct mhv_info info;
	int fd;

	ASSERT_EQ(0, RET(ioctl(self->fd, MHV_GET_INFO, &info)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->fd, MHV_CREATE_VM, NULL)));
	config.paging = MHV_PAGING_SHADOW + 1;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .flags = 2 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .reserved[4] = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .paging = MHV_PAGING_SHADOW };
	fd = RET(ioctl(self->fd, MHV_CREATE_VM, &config));
	EXPECT_EQ(!!(info.features & (1ull << MHV_FEAT_SHADOW)), fd >= 0);
	if (fd >= 0)
		close(fd);
	config = (struct mhv_vm_config){ .paging = MHV_PAGING_SHADOW,
					 .shadow_pages = MHV_MIN_SHADOW_PAGES - 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .paging = MHV_PAGING_TDP, .flags = MHV_VM_GNP };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .paging = MHV_PAGING_TDP, .shadow_pages = 64 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_CREATE_VM, &config)));
	config = (struct mhv_vm_config){ .paging = MHV_PAGING_TDP };
	fd = RET(ioctl(self->fd, MHV_CREATE_VM, &config));
	EXPECT_EQ(!!(info.features & (1ull << MHV_FEAT_EPT)), fd >= 0);
	if (fd >= 0) {
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		close(fd);
	}
}

TEST_F(dev, host_cpuid)
{
	struct mhv_cpuid_entry entries[MHV_MAX_CPUID];
	struct mhv_cpuid cpuid = { .nr = 0, .entries = (__u64)entries };

	EXPECT_EQ(-E2BIG, RET(ioctl(self->fd, MHV_GET_HOST_CPUID, &cpuid)));
	ASSERT_LT(0, cpuid.nr);
	ASSERT_GE(MHV_MAX_CPUID, cpuid.nr);
	EXPECT_EQ(0, RET(ioctl(self->fd, MHV_GET_HOST_CPUID, &cpuid)));
	EXPECT_EQ(0, entries[0].function);
	cpuid.entries = 8;
	EXPECT_EQ(-EFAULT, RET(ioctl(self->fd, MHV_GET_HOST_CPUID, &cpuid)));
	cpuid.entries = (__u64)entries;
	cpuid.reserved = 1;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->fd, MHV_GET_HOST_CPUID, &cpuid)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->fd, MHV_GET_HOST_CPUID, NULL)));
}

/* ---- a VM with one vCPU --------------------------------------------------- */

FIXTURE(api) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(api)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(api)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

TEST_F(api, unknown_ioctl)
{
	char arg[8192] = "";
	int dev = self->vm.dev, vm = self->vm.fd, vcpu = self->vcpu.fd;
	int fds[] = { dev, vm, vcpu };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(-ENOTTY, RET(ioctl(fds[i], _IO(MHV_IOC, 0x1f), arg)));
		EXPECT_EQ(-ENOTTY, RET(ioctl(fds[i], _IO(MHV_IOC, 0xff), arg)));
		EXPECT_EQ(-ENOTTY, RET(ioctl(fds[i], 0x5401 /* TCGETS */, arg)));
	}
	/* Each one on the wrong kind of descriptor */
	EXPECT_EQ(-ENOTTY, RET(ioctl(dev, MHV_RUN, 0)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(dev, MHV_SET_MEMSLOT, arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vm, MHV_GET_INFO, arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vm, MHV_CREATE_VM, arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vm, MHV_RUN, 0)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vcpu, MHV_SET_MEMSLOT, arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vcpu, MHV_CREATE_VCPU, arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vcpu, MHV_GET_INFO, arg)));
	/* The right number with another size or direction */
	EXPECT_EQ(-ENOTTY, RET(ioctl(dev, _IOR(MHV_IOC, 0x00, __u32), arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vm, _IOW(MHV_IOC, 0x20, __u64), arg)));
	EXPECT_EQ(-ENOTTY, RET(ioctl(vcpu, _IOW(MHV_IOC, 0x42, struct mhv_regs), arg)));
}

TEST_F(api, create_vcpu_arguments)
{
	struct mhv_vcpu_config config = { .id = 0 };
	__u32 id;
	int fd;

	EXPECT_EQ(-EFAULT, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, NULL)));
	EXPECT_EQ(-EEXIST, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
	config = (struct mhv_vcpu_config){ .id = 1, .flags = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
	config = (struct mhv_vcpu_config){ .id = 1, .reserved[2] = 1ull << 63 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
	for (id = 1; id < MHV_MAX_VCPUS; id++) {
		config = (struct mhv_vcpu_config){ .id = id };
		fd = RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config));
		ASSERT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	}
	config.id = MHV_MAX_VCPUS;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
	config.id = ~0u;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
}

TEST_F(api, no_descriptors_left)
{
	struct mhv_vcpu_config config = { .id = 1 };
	struct mhv_vm_config vm_config = { .paging = 0 };
	struct rlimit limit, none = { .rlim_cur = 0 };
	int fd;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none.rlim_max = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, RET(ioctl(self->vm.dev, MHV_CREATE_VM, &vm_config)));
	EXPECT_EQ(-EMFILE, RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config)));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	/* The one that failed must not hold the id. */
	fd = RET(ioctl(self->vm.fd, MHV_CREATE_VCPU, &config));
	EXPECT_LE(0, fd);
	close(fd);
}

/* Bits of the child's exit status: which calls did not answer -EIO */
static int calls_in_child(struct vm *vm, struct vcpu *vcpu)
{
	struct mhv_vcpu_config config = { .id = 1 };
	struct mhv_regs regs = { .rflags = 2 };
	int bad = 0;

	bad |= vm_slot(vm, 1, 0, GUEST_HOLE, PAGE_SIZE, vm->mem) != -EIO;
	bad |= (RET(ioctl(vm->fd, MHV_CREATE_VCPU, &config)) != -EIO) << 1;
	bad |= (RET(ioctl(vcpu->fd, MHV_RUN, 0)) != -EIO) << 2;
	bad |= (RET(ioctl(vcpu->fd, MHV_KICK, 0)) != -EIO) << 3;
	bad |= (RET(ioctl(vcpu->fd, MHV_GET_REGS, &regs)) != -EIO) << 4;
	bad |= (RET(ioctl(vcpu->fd, MHV_SET_REGS, &regs)) != -EIO) << 5;
	return bad;
}

TEST_F(api, other_process)
{
	int status;
	pid_t pid;

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(calls_in_child(&self->vm, &self->vcpu));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_DONE(&self->vcpu);
}

/* ---- the run area --------------------------------------------------------- */

static void *try_mmap(struct vcpu *vcpu, size_t size, int prot, int flags, __u64 offset)
{
	return mmap(NULL, size, prot, flags, vcpu->fd, offset);
}

TEST_F(api, mmap_bounds)
{
	struct vcpu *vcpu = &self->vcpu;
	size_t size = self->vm.info.run_size;
	const int rw = PROT_READ | PROT_WRITE;

	EXPECT_EQ(MAP_FAILED, try_mmap(vcpu, size + PAGE_SIZE, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(MAP_FAILED, try_mmap(vcpu, PAGE_SIZE, PROT_READ, MAP_SHARED, size));
	EXPECT_EQ(MAP_FAILED, try_mmap(vcpu, size, PROT_READ, MAP_SHARED, PAGE_SIZE));
	EXPECT_EQ(MAP_FAILED, try_mmap(vcpu, PAGE_SIZE, PROT_READ, MAP_SHARED, 1ull << 40));
	EXPECT_EQ(MAP_FAILED, try_mmap(vcpu, PAGE_SIZE, rw, MAP_SHARED,
				       ~0ull << 12));
	EXPECT_NE(MAP_FAILED, try_mmap(vcpu, size, PROT_READ, MAP_SHARED, 0));
	EXPECT_NE(MAP_FAILED, try_mmap(vcpu, PAGE_SIZE, rw, MAP_SHARED, PAGE_SIZE));
	/* Neither a VM nor the device has anything to map. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, self->vm.fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, self->vm.dev, 0));
}

TEST_F(api, stats_are_read_only)
{
	void *stats = (void *)self->vcpu.stats;
	void *map;

	map = try_mmap(&self->vcpu, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       MHV_STATS_PAGE * PAGE_SIZE);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(-EACCES, RET(mprotect(stats, PAGE_SIZE, PROT_READ | PROT_WRITE)));
}

TEST_F_SIGNAL(api, stats_write_faults, SIGSEGV)
{
	/* Whatever way the whole area was mapped, this page cannot be written. */
	char *map = try_mmap(&self->vcpu, self->vm.info.run_size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, 0);
	char *stats = map == MAP_FAILED ? (char *)self->vcpu.stats :
						   map + MHV_STATS_PAGE * PAGE_SIZE;

	__atomic_store_n(stats, 1, __ATOMIC_RELAXED);
}

/* ---- registers ------------------------------------------------------------ */

TEST_F(api, regs)
{
	struct mhv_regs in, out;
	__u64 *p = (__u64 *)&in;
	unsigned int i;

	for (i = 0; i < sizeof(in) / 8; i++)
		p[i] = 0x0123456789abcdefull * (i + 1);
	in.rflags = RFLAGS_FIXED | RFLAGS_IF | 0x8d5;
	in.rip = 0x7fff12345678;
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_REGS, &in)));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_REGS, &out)));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_REGS, NULL)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_GET_REGS, NULL)));
}

TEST_F(api, sregs)
{
	struct mhv_sregs in, out;
	int i;

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	in = vcpu_sregs(&self->vcpu);
	in.fs.base = 0xffff888812345000;
	in.gs.base = 0x00007f0012345678;
	in.cr2 = 0x123456789abcdef0;
	in.cr8 = 9;
	in.ldt = (struct mhv_segment){
		.base = 0x5000, .limit = 0xfff, .selector = 0x60, .type = 2, .present = 1,
	};
	for (i = 0; i < 4; i++)
		in.dr[i] = 0x400000 + i * 8;
	in.dr6 = 0xffff0ff1;
	in.dr7 = 0x401;
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_SREGS, &in)));
	memset(&out, 0xff, sizeof(out));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_SREGS, &out)));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_SREGS, NULL)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_GET_SREGS, NULL)));
}

/* States no CPU could be in: each is one field changed in a valid 64-bit state. */
#define LONG_CR0	(CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG)
#define LONG_CR4	(CR4_PAE | CR4_OSFXSR)
#define LONG_EFER	(EFER_LME | EFER_LMA)
#define NON_CANONICAL	0x1000000000000000ull
#define AT(field)	offsetof(struct mhv_sregs, field)

static const struct bad_sregs {
	const char *what;
	size_t offset, size;
	__u64 value;
} bad_sregs[] = {
	{ "CR0.PG without CR0.PE", AT(cr0), 8, LONG_CR0 & ~CR0_PE },
	{ "CR0.NW without CR0.CD", AT(cr0), 8, LONG_CR0 | CR0_NW },
	{ "CR0 bit 32", AT(cr0), 8, LONG_CR0 | 1ull << 32 },
	{ "EFER.LMA without CR0.PG", AT(cr0), 8, LONG_CR0 & ~CR0_PG },
	{ "long mode without CR4.PAE", AT(cr4), 8, LONG_CR4 & ~CR4_PAE },
	{ "CR4.VMXE", AT(cr4), 8, LONG_CR4 | CR4_VMXE },
	{ "CR4 bit 31", AT(cr4), 8, LONG_CR4 | 1ull << 31 },
	{ "CR4 bit 63", AT(cr4), 8, LONG_CR4 | 1ull << 63 },
	{ "CR3 past the physical width", AT(cr3), 8, 1ull << 60 },
	{ "CR8 of 16", AT(cr8), 8, 16 },
	{ "EFER bit 1", AT(efer), 8, LONG_EFER | 1ull << 1 },
	{ "EFER bit 63", AT(efer), 8, LONG_EFER | 1ull << 63 },
	{ "EFER.LMA without EFER.LME", AT(efer), 8, EFER_LMA },
	{ "EFER.LME and CR0.PG without EFER.LMA", AT(efer), 8, EFER_LME },
	{ "XCR0 without x87", AT(xcr0), 8, 2 },
	{ "XCR0 with AVX, without SSE", AT(xcr0), 8, 5 },
	{ "XCR0 bit 62", AT(xcr0), 8, 1ull << 62 | 3 },
	{ "DR6 bit 32", AT(dr6), 8, 1ull << 32 | 0xffff0ff0 },
	{ "DR7 bit 32", AT(dr7), 8, 1ull << 32 | 0x400 },
	{ "FS base", AT(fs.base), 8, NON_CANONICAL },
	{ "GS base", AT(gs.base), 8, NON_CANONICAL },
	{ "TR base", AT(tr.base), 8, NON_CANONICAL },
	{ "GDT base", AT(gdt.base), 8, NON_CANONICAL },
	{ "IDT base", AT(idt.base), 8, NON_CANONICAL },
	{ "segment type of 16", AT(ds.type), 1, 16 },
	{ "segment S of 2", AT(ds.s), 1, 2 },
	{ "segment DPL of 4", AT(ds.dpl), 1, 4 },
	{ "segment present of 2", AT(ds.present), 1, 2 },
	{ "segment L of 2", AT(cs.l), 1, 2 },
	{ "segment DB of 2", AT(ds.db), 1, 2 },
	{ "segment G of 2", AT(ds.g), 1, 2 },
	{ "segment AVL of 2", AT(ds.avl), 1, 2 },
	{ "segment unusable of 2", AT(ldt.unusable), 1, 2 },
	{ "reserved byte of a segment", AT(es.reserved[8]), 1, 1 },
	{ "reserved word of the GDT", AT(gdt.reserved[0]), 2, 1 },
	{ "reserved word of the IDT", AT(idt.reserved[2]), 2, 1 },
	{ "reserved word", AT(reserved[7]), 8, 1 },
};

TEST_F(api, sregs_refused)
{
	struct mhv_sregs good, bad, now;
	unsigned int i;

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	good = vcpu_sregs(&self->vcpu);
	for (i = 0; i < ARRAY_SIZE(bad_sregs); i++) {
		bad = good;
		memcpy((char *)&bad + bad_sregs[i].offset, &bad_sregs[i].value,
		       bad_sregs[i].size);
		EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_SREGS, &bad)))
			TH_LOG("%s", bad_sregs[i].what);
		now = vcpu_sregs(&self->vcpu);
		EXPECT_EQ(0, memcmp(&good, &now, sizeof(now)))
			TH_LOG("%s: state changed", bad_sregs[i].what);
		vcpu_set_sregs(&self->vcpu, &good);
	}
	ASSERT_DONE(&self->vcpu);
}

/* CPUID says MXCSR and XMM0 lie at fixed places of the XSAVE area. */
#define XSAVE_FCW	0
#define XSAVE_MXCSR	24
#define XSAVE_XMM	160
#define XSAVE_BV	512

TEST_F(api, fpu)
{
	struct mhv_fpu in, out;
	__u16 fcw = 0x27f;
	__u32 mxcsr = 0x9f80;
	__u64 bv;

	memset(&in, 0xff, sizeof(in));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_FPU, &in)));
	EXPECT_LE(576, in.size);
	EXPECT_GE(sizeof(in.xsave), in.size);
	EXPECT_EQ(0, in.reserved);
	memcpy(&bv, in.xsave + XSAVE_BV, 8);
	bv |= 3;
	memcpy(in.xsave + XSAVE_BV, &bv, 8);
	memcpy(in.xsave + XSAVE_FCW, &fcw, 2);
	memcpy(in.xsave + XSAVE_MXCSR, &mxcsr, 4);
	memset(in.xsave + XSAVE_XMM, 0x5a, 256);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &in)));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_FPU, &out)));
	EXPECT_EQ(in.size, out.size);
	EXPECT_EQ(0, memcmp(in.xsave + XSAVE_FCW, out.xsave + XSAVE_FCW, 2));
	EXPECT_EQ(0, memcmp(in.xsave + XSAVE_MXCSR, out.xsave + XSAVE_MXCSR, 4));
	EXPECT_EQ(0, memcmp(in.xsave + XSAVE_XMM, out.xsave + XSAVE_XMM, 256));
}

TEST_F(api, fpu_refused)
{
	struct mhv_fpu good, bad;

	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_FPU, &good)));
	bad = good;
	bad.reserved = 1;
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &bad)));
	bad = good;
	bad.xsave[XSAVE_BV] |= 2;
	bad.xsave[XSAVE_MXCSR + 3] = 0x80;		/* reserved bit of MXCSR */
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &bad)));
	bad = good;
	bad.xsave[XSAVE_BV + 7] = 0x40;			/* a component of the future */
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &bad)));
	bad = good;
	bad.xsave[XSAVE_BV + 8 + 7] = 0x80;		/* compacted form */
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &bad)));
	bad = good;
	bad.xsave[XSAVE_BV + 16] = 1;			/* reserved part of the header */
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &bad)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, NULL)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_GET_FPU, NULL)));
	EXPECT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_FPU, &good)));
}

TEST_F(api, msrs)
{
	struct mhv_msr msr[3] = {
		{ .index = MSR_LSTAR, .value = 0xffffffff81000000 },
		{ .index = MSR_STAR, .value = 0x0023001000000000 },
		{ .index = MSR_SFMASK, .value = 0x47700 },
	};
	struct mhv_msrs msrs = { .nr = 3, .entries = (__u64)msr };

	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	EXPECT_EQ(3, msrs.done);
	msr[0].value = 0;
	msr[1].value = 0;
	msr[2].value = 0;
	msrs.done = 0;
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_MSRS, &msrs)));
	EXPECT_EQ(3, msrs.done);
	EXPECT_EQ(0xffffffff81000000, msr[0].value);
	EXPECT_EQ(0x0023001000000000, msr[1].value);
	EXPECT_EQ(0x47700, msr[2].value);
	msrs.nr = 0;
	EXPECT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_MSRS, &msrs)));
	EXPECT_EQ(0, msrs.done);
}

TEST_F(api, msrs_refused)
{
	struct mhv_msr msr[3] = {
		{ .index = MSR_LSTAR, .value = 0x1000 },
		{ .index = 0xdeadbeef },
		{ .index = MSR_STAR },
	};
	struct mhv_msrs msrs = { .nr = 3, .entries = (__u64)msr };
	__u64 value = 0;

	EXPECT_EQ(-ENXIO, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	EXPECT_EQ(1, msrs.done);
	EXPECT_EQ(0, vcpu_msr_get(&self->vcpu, MSR_LSTAR, &value));
	EXPECT_EQ(0x1000, value);
	EXPECT_EQ(-ENXIO, RET(ioctl(self->vcpu.fd, MHV_GET_MSRS, &msrs)));
	EXPECT_EQ(1, msrs.done);

	msr[1] = (struct mhv_msr){ .index = MSR_LSTAR, .value = NON_CANONICAL };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	EXPECT_EQ(1, msrs.done);
	msr[1] = (struct mhv_msr){ .index = MSR_LSTAR, .reserved = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	msr[1].reserved = 0;
	msrs.nr = MHV_MAX_MSRS + 1;
	EXPECT_GT(0, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	msrs.nr = ~0u;
	EXPECT_GT(0, RET(ioctl(self->vcpu.fd, MHV_GET_MSRS, &msrs)));
	msrs = (struct mhv_msrs){ .nr = 1, .entries = 8 };
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, &msrs)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_GET_MSRS, &msrs)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_MSRS, NULL)));
}

/* ---- events ---------------------------------------------------------------- */

TEST_F(api, events)
{
	struct mhv_vcpu_events in = {
		.irq_pending = 1,
		.irq_vector = 0x41,
		.nmi_pending = 1,
		.exception_pending = 1,
		.exception_vector = GP_VECTOR,
		.exception_has_error = 1,
		.exception_error_code = 0x18,
	};
	struct mhv_vcpu_events out, none = { .irq_pending = 0 };

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &in)));
	memset(&out, 0xff, sizeof(out));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_EVENTS, &out)));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &none)));
	ASSERT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_GET_EVENTS, &out)));
	EXPECT_EQ(0, memcmp(&none, &out, sizeof(in)));
	/* Taken back in time: the guest sees none of them. */
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

TEST_F(api, events_refused)
{
	struct mhv_vcpu_events events = { .reserved[2] = 1 };

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &events)));
	events = (struct mhv_vcpu_events){ .reserved2[3] = 1 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &events)));
	events = (struct mhv_vcpu_events){ .irq_pending = 2 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &events)));
	events = (struct mhv_vcpu_events){ .nmi_blocked = 0xff };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &events)));
	events = (struct mhv_vcpu_events){ .exception_pending = 1, .exception_vector = 32 };
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, &events)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_SET_EVENTS, NULL)));
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_GET_EVENTS, NULL)));
}

TEST_F(api, inject_refused)
{
	static const struct mhv_event bad[] = {
		{ .type = 3 },
		{ .type = MHV_EVENT_NMI, .vector = 3 },
		{ .type = MHV_EVENT_EXCEPTION, .vector = NMI_VECTOR },
		{ .type = MHV_EVENT_EXCEPTION, .vector = 32 },
		{ .type = MHV_EVENT_EXCEPTION, .vector = UD_VECTOR, .has_error = 1 },
		{ .type = MHV_EVENT_EXCEPTION, .vector = GP_VECTOR, .has_error = 2 },
		{ .type = MHV_EVENT_INTERRUPT, .vector = 0x30, .has_error = 1 },
		{ .type = MHV_EVENT_INTERRUPT, .vector = 0x30, .reserved[4] = 1 },
		{ .type = MHV_EVENT_INTERRUPT, .vector = 0x30, .reserved2 = 1 },
	};
	unsigned int i;

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_INJECT, &bad[i])))
			TH_LOG("event %u", i);
	}
	EXPECT_EQ(-EFAULT, RET(ioctl(self->vcpu.fd, MHV_INJECT, NULL)));
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(0, vm_log(&self->vm)->count);
}

TEST_F(api, inject_busy)
{
	vcpu_set_long(&self->vcpu, guest_done_at_once);
	EXPECT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x30));
	EXPECT_EQ(-EBUSY, vcpu_inject(&self->vcpu, MHV_EVENT_INTERRUPT, 0x31));
	EXPECT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	EXPECT_EQ(-EBUSY, vcpu_inject(&self->vcpu, MHV_EVENT_NMI, NMI_VECTOR));
	EXPECT_EQ(0, vcpu_inject(&self->vcpu, MHV_EVENT_EXCEPTION, UD_VECTOR));
	EXPECT_EQ(-EBUSY, vcpu_inject(&self->vcpu, MHV_EVENT_EXCEPTION, UD_VECTOR));
}

/* ---- CPUID ------------------------------------------------------------------ */

static long get_cpuid(struct vcpu *vcpu, struct mhv_cpuid_entry *entries, __u32 *nr)
{
	struct mhv_cpuid cpuid = { .nr = *nr, .entries = (__u64)entries };
	long ret = RET(ioctl(vcpu->fd, MHV_GET_CPUID, &cpuid));

	*nr = cpuid.nr;
	return ret;
}

static long set_cpuid(struct vcpu *vcpu, struct mhv_cpuid_entry *entries, __u32 nr)
{
	struct mhv_cpuid cpuid = { .nr = nr, .entries = (__u64)entries };

	return RET(ioctl(vcpu->fd, MHV_SET_CPUID, &cpuid));
}

TEST_F(api, cpuid)
{
	struct mhv_cpuid_entry entries[MHV_MAX_CPUID + 1], leaf;
	__u32 nr = 0, i;

	EXPECT_EQ(-E2BIG, get_cpuid(&self->vcpu, entries, &nr));
	ASSERT_LT(0, nr);
	ASSERT_GE(MHV_MAX_CPUID, nr);
	ASSERT_EQ(0, get_cpuid(&self->vcpu, entries, &nr));

	/* A guest sees a hypervisor, and no VMX to start another. */
	ASSERT_TRUE(vcpu_cpuid(&self->vcpu, 1, 0, &leaf));
	EXPECT_TRUE(leaf.ecx & (1u << 31));
	EXPECT_FALSE(leaf.ecx & (1u << 5));
	EXPECT_TRUE(vcpu_cpuid(&self->vcpu, 0x40000000, 0, &leaf));

	/* What cannot be given is masked, the rest is taken as written. */
	for (i = 0; i < nr; i++) {
		if (entries[i].function == 1) {
			entries[i].ecx |= 1u << 5;
			entries[i].edx &= ~(1u << 22);		/* no ACPI bit */
			entries[i].eax = 0x12345;
		}
	}
	ASSERT_EQ(0, set_cpuid(&self->vcpu, entries, nr));
	ASSERT_TRUE(vcpu_cpuid(&self->vcpu, 1, 0, &leaf));
	EXPECT_FALSE(leaf.ecx & (1u << 5));
	EXPECT_FALSE(leaf.edx & (1u << 22));
	EXPECT_EQ(0x12345, leaf.eax);

	/* Set replaces the whole. */
	ASSERT_EQ(0, set_cpuid(&self->vcpu, entries, 1));
	i = MHV_MAX_CPUID;
	ASSERT_EQ(0, get_cpuid(&self->vcpu, entries, &i));
	EXPECT_EQ(1, i);
}

TEST_F(api, cpuid_refused)
{
	struct mhv_cpuid_entry entries[MHV_MAX_CPUID + 1];
	struct mhv_cpuid cpuid = { .nr = 1, .reserved = 1, .entries = (__u64)entries };
	__u32 nr = MHV_MAX_CPUID;

	memset(entries, 0, sizeof(entries));
	ASSERT_EQ(0, get_cpuid(&self->vcpu, entries, &nr));
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_SET_CPUID, &cpuid)));
	EXPECT_EQ(-EINVAL, RET(ioctl(self->vcpu.fd, MHV_GET_CPUID, &cpuid)));
	EXPECT_GT(0, set_cpuid(&self->vcpu, entries, MHV_MAX_CPUID + 1));
	EXPECT_GT(0, set_cpuid(&self->vcpu, entries, ~0u));
	EXPECT_EQ(-EFAULT, set_cpuid(&self->vcpu, NULL, 1));
	entries[0].flags |= 2;
	EXPECT_EQ(-EINVAL, set_cpuid(&self->vcpu, entries, nr));
	entries[0].flags &= ~2;
	entries[0].reserved = 1;
	EXPECT_EQ(-EINVAL, set_cpuid(&self->vcpu, entries, nr));
	entries[0].reserved = 0;
	EXPECT_EQ(0, set_cpuid(&self->vcpu, entries, nr));

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(-EBUSY, set_cpuid(&self->vcpu, entries, nr));
}

/* ---- the whole -------------------------------------------------------------- */

TEST_F(api, power_up_state)
{
	struct mhv_sregs s = vcpu_sregs(&self->vcpu);
	struct mhv_regs r = vcpu_regs(&self->vcpu);

	/* SDM volume 3, table 9-1 */
	EXPECT_EQ(0xfff0, r.rip);
	EXPECT_EQ(2, r.rflags);
	EXPECT_EQ(0x60000010, s.cr0);
	EXPECT_EQ(0, s.cr3);
	EXPECT_EQ(0, s.cr4);
	EXPECT_EQ(0, s.efer);
	EXPECT_EQ(0xf000, s.cs.selector);
	EXPECT_EQ(0xffff0000, s.cs.base);
	EXPECT_EQ(0xffff, s.cs.limit);
	EXPECT_EQ(0xffff0ff0, s.dr6);
	EXPECT_EQ(0x400, s.dr7);
	EXPECT_EQ(1, s.xcr0);
	/* It can be given back as it is. */
	EXPECT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_SREGS, &s)));
	EXPECT_EQ(0, RET(ioctl(self->vcpu.fd, MHV_SET_REGS, &r)));
}

TEST_F(api, stats_add_up)
{
	struct mhv_stat_name stat = { .index = 0 };
	__u64 sum = 0;

	vcpu_set_long(&self->vcpu, guest_done_at_once);
	ASSERT_DONE(&self->vcpu);
	for (; stat.index < self->vm.info.nr_stats; stat.index++) {
		ASSERT_EQ(0, RET(ioctl(self->vm.dev, MHV_GET_STAT_NAME, &stat)));
		if (!strncmp(stat.name, "exit_", 5))
			sum += self->vcpu.stats[stat.index];
	}
	EXPECT_LT(0, sum);
	EXPECT_EQ(sum, vcpu_stat(&self->vcpu, "exits"));
}

TEST_F(api, empty_vm)
{
	struct vm vm;
	struct vcpu vcpu;

	/* Nothing behind the reset vector: an exit, never a hang or a fault. */
	vm_create_bare(&vm);
	vcpu_create(&vm, &vcpu, 3);
	ASSERT_EQ(0, vcpu_run(&vcpu));
	EXPECT_NE(MHV_EXIT_NONE, vcpu.run->exit);
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
}
