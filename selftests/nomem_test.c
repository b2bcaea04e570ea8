// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that runs out: each allocation of each operation fails once, in its turn.
 *
 * A kernel with fault injection lets the Nth allocation of a thread fail.  What fails so
 * must say -ENOMEM, leave nothing behind and work when it is tried again.
 */
#include <sys/eventfd.h>

#include "mhv_test.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"
#define MANY		400	/* no operation allocates as often */
#define DEVICE		0xd0000000ull
#define FRESH_PAGES	4

/* Writes to pages that are not there yet, then says so */
GUEST_ASM(guest_nomem, 64,
	  "1: mov $" STR(GUEST_FREE) ", %edi\n"
	  "mov $" STR(FRESH_PAGES) ", %ecx\n"
	  "2: movl $0x600d, (%rdi)\n"
	  "add $0x1000, %edi\n"
	  "dec %ecx\n"
	  "jnz 2b\n"
	  "mov -0x1000(%rdi), %eax\n"
	  G_REPORT
	  "jmp 1b\n");

FIXTURE(nomem) {
	struct vm vm;
	struct vcpu vcpu;
	struct mhv_cpuid_entry entries[256];
	struct mhv_cpuid cpuid;
	int fail;
};

/* NULL, or what the host lacks */
static const char *fault_injection(void)
{
	static const char *const setting[][2] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
	};
	unsigned int i;

	if (access(FAIL_NTH, W_OK))
		return "the host kernel has no fault injection";
	for (i = 0; i < ARRAY_SIZE(setting); i++)
		if (host_write(setting[i][0], setting[i][1]))
			return "fault injection cannot be set up: is debugfs mounted?";
	return NULL;
}

FIXTURE_SETUP(nomem)
{
	const char *missing = fault_injection();

	/* Out of the whole test, not of the setup alone */
	if (missing)
		SKIP(longjmp(_metadata->env, 1), "%s", missing);
	self->fail = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fail);
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	self->cpuid.nr = ARRAY_SIZE(self->entries);
	self->cpuid.entries = (__u64)self->entries;
	ASSERT_EQ(0, ioctl(self->vm.dev, MHV_GET_HOST_CPUID, &self->cpuid));
	vcpu_set_long(&self->vcpu, guest_nomem);
}

FIXTURE_TEARDOWN(nomem)
{
	close(self->fail);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* ---- operations: 0, or -errno; what succeeds and can be undone is ---------------------- */

#define OPERATION(name)							\
	static long op_##name(struct vm *vm __attribute__((unused)),	\
			      struct vcpu *vcpu __attribute__((unused)),	\
			      struct mhv_cpuid *cpuid __attribute__((unused)))

static long op_closed(long fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

OPERATION(open)
{
	return op_closed(RET(open(MHV_DEVICE, O_RDWR | O_CLOEXEC)));
}

OPERATION(create_vm)
{
	struct mhv_vm_config config = { .paging = vm_paging() };

	return op_closed(RET(ioctl(vm->dev, MHV_CREATE_VM, &config)));
}

/* A number is taken for as long as the VM lives. */
OPERATION(create_vcpu)
{
	static __u32 id;
	struct mhv_vcpu_config config = { .id = id + 1 };
	long ret = op_closed(RET(ioctl(vm->fd, MHV_CREATE_VCPU, &config)));

	if (!ret)
		id++;
	return ret;
}

OPERATION(map_run)
{
	void *map = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, vcpu->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, PAGE_SIZE);
	return 0;
}

OPERATION(create_area)
{
	struct mhv_area area = { .kind = MHV_AREA_RING };

	return RET(ioctl(vm->fd, MHV_CREATE_AREA, &area));
}

OPERATION(set_memslot)
{
	return vm_slot(vm, 1, 0, DEVICE, PAGE_SIZE, vm->mem);
}

OPERATION(remove_memslot)
{
	if (vm_slot(vm, 2, 0, DEVICE + PAGE_SIZE, PAGE_SIZE, vm->mem) == -ENOMEM)
		return -ENOMEM;
	return vm_slot(vm, 2, 0, 0, 0, NULL);
}

OPERATION(set_route)
{
	static int fd = -1;
	struct mhv_route route = { .kind = MHV_ROUTE_EVENTFD, .gpa = DEVICE + PAGE_SIZE };
	long ret;

	if (fd < 0)
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	route.fd = fd;
	ret = RET(ioctl(vm->fd, MHV_SET_ROUTE, &route));
	route.flags = MHV_ROUTE_REMOVE;
	if (!ret)
		ret = RET(ioctl(vm->fd, MHV_SET_ROUTE, &route));
	/* the removal failed: the route is there still */
	return ret == -EEXIST ? 0 : ret;
}

OPERATION(set_cpuid)
{
	return RET(ioctl(vcpu->fd, MHV_SET_CPUID, cpuid));
}

OPERATION(get_cpuid)
{
	return RET(ioctl(vcpu->fd, MHV_GET_CPUID, cpuid));
}

OPERATION(fpu)
{
	static struct mhv_fpu fpu;
	long ret = RET(ioctl(vcpu->fd, MHV_GET_FPU, &fpu));

	fpu.reserved = 0;
	return ret ? ret : RET(ioctl(vcpu->fd, MHV_SET_FPU, &fpu));
}

/* The guest's pages and the tables that map them have to be made. */
OPERATION(run)
{
	int ret;

	madvise(vm_ptr(vm, GUEST_FREE), FRESH_PAGES * PAGE_SIZE, MADV_DONTNEED);
	ret = vcpu_run(vcpu);
	if (ret)
		return ret;
	if (vcpu->run->exit != MHV_EXIT_IO || vcpu->run->ioreq.data != 0x600d)
		return -EPROTO;
	vcpu_done_io(vcpu);
	return 0;
}

static const struct operation {
	const char *name;
	long (*run)(struct vm *vm, struct vcpu *vcpu, struct mhv_cpuid *cpuid);
} operations[] = {
	{ "open", op_open },
	{ "create_vm", op_create_vm },
	{ "create_vcpu", op_create_vcpu },
	{ "map_run", op_map_run },
	{ "create_area", op_create_area },
	{ "set_memslot", op_set_memslot },
	{ "remove_memslot", op_remove_memslot },
	{ "set_route", op_set_route },
	{ "set_cpuid", op_set_cpuid },
	{ "get_cpuid", op_get_cpuid },
	{ "fpu", op_fpu },
	{ "run", op_run },
};

/* ---- the test -------------------------------------------------------------------------- */

static void fail_nth(int fd, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fd, text, len, 0) != len)
		die("%s", FAIL_NTH);
}

/* Did an allocation fail?  None does from now on. */
static bool has_failed(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die("%s", FAIL_NTH);
	fail_nth(fd, 0);
	return atoi(text) == 0;
}

static void fail_each(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self,
		      const struct operation *op)
{
	int nth, refused = 0;
	bool failed = true;
	long ret;

	for (nth = 1; failed && nth < MANY; nth++) {
		fail_nth(self->fail, nth);
		ret = op->run(&self->vm, &self->vcpu, &self->cpuid);
		failed = has_failed(self->fail);
		refused += !!ret;
		ASSERT_EQ(ret && failed ? -ENOMEM : 0, ret)
			TH_LOG("%s, allocation %d", op->name, nth);
	}
	ASSERT_FALSE(failed)
		TH_LOG("%s: no end of allocations", op->name);
	TH_LOG("%s: %d allocations failed, and with %d the operation", op->name, nth - 2,
	       refused);
}

TEST_F(nomem, each_allocation)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		fail_each(_metadata, self, &operations[i]);
	/* The VM is none the worse. */
	ASSERT_EQ(0, op_run(&self->vm, &self->vcpu, &self->cpuid));
}
