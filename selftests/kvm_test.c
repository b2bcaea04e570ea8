// SPDX-License-Identifier: GPL-2.0-only
/* Two hypervisors on one host: one of them has VMX, the other says so. */
#include "mhv_test.h"

#include <linux/kvm.h>

GUEST_ASM(guest_kvm, 64, "cpuid; mov $0x600d, %eax\n" G_REPORT G_DONE);

/* Before the first test; loading it takes its time, so that they share it. */
static bool was_loaded;

static void __attribute__((constructor)) note_what_is_loaded(void)
{
	was_loaded = host_module_loaded("kvm_intel");
}

static int module_tool(const char *tool, const char *module)
{
	const char *const argv[] = { tool, module, NULL };

	return host_command(argv);
}

static const char *load_kvm(void)
{
	if (host_module_loaded("kvm_intel"))
		return NULL;
	if (module_tool("modprobe", "kvm_intel"))
		return "the host has no kvm-intel module that loads";
	return access("/dev/kvm", R_OK) ? "the host has no /dev/kvm" : NULL;
}

static bool unload_kvm(void)
{
	return !was_loaded && !module_tool("rmmod", "kvm_intel");
}

/* A KVM VM with a vCPU */
struct kvm_vm {
	int dev, vm, vcpu;
};

/* False: KVM does not give one; there is nothing to close. */
static bool kvm_open(struct kvm_vm *kvm)
{
	kvm->dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->dev < 0)
		return false;
	kvm->vm = ioctl(kvm->dev, KVM_CREATE_VM, 0);
	if (kvm->vm >= 0) {
		kvm->vcpu = ioctl(kvm->vm, KVM_CREATE_VCPU, 0);
		if (kvm->vcpu >= 0)
			return true;
		close(kvm->vm);
	}
	close(kvm->dev);
	return false;
}

static void kvm_close(struct kvm_vm *kvm)
{
	close(kvm->vcpu);
	close(kvm->vm);
	close(kvm->dev);
}

/* MHV_CREATE_VM: 0 or -errno */
static int mhv_create(struct mhv_info *info)
{
	struct mhv_vm_config config = { .paging = MHV_PAGING_AUTO };
	int dev = open(MHV_DEVICE, O_RDWR | O_CLOEXEC);
	int fd, err;

	if (dev < 0)
		return -errno;
	fd = ioctl(dev, MHV_CREATE_VM, &config);
	err = fd < 0 ? -errno : 0;
	if (ioctl(dev, MHV_GET_INFO, info))
		die("MHV_GET_INFO");
	if (fd >= 0)
		close(fd);
	close(dev);
	return err;
}

/* Another vCPU of the VM runs. */
static bool mhv_works(struct vm *vm, __u32 id)
{
	struct vcpu vcpu;
	bool good;

	vcpu_create(vm, &vcpu, id);
	vcpu_set_long(&vcpu, guest_kvm);
	good = !vcpu_run(&vcpu) && vcpu.run->exit == MHV_EXIT_IO &&
	       vcpu.run->ioreq.data == 0x600d;
	vcpu_destroy(&vcpu);
	return good;
}

TEST(kvm_came_first)
{
	const char *missing = load_kvm();
	struct mhv_info info;
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(kvm_open(&kvm));
		EXPECT_EQ(-EBUSY, mhv_create(&info));
		EXPECT_EQ(MHV_HOST_BUSY, info.verdict);
		EXPECT_NE(0, info.detail[0]);
		kvm_close(&kvm);
	}
	/* From 6.12 on KVM keeps VMX for as long as it is loaded. */
	if (mhv_create(&info) && !unload_kvm())
		SKIP(return, "kvm-intel stays loaded and keeps VMX: refusal seen");
	EXPECT_EQ(0, mhv_create(&info));
	EXPECT_EQ(MHV_HOST_OK, info.verdict);
	vm_create(&vm);
	EXPECT_TRUE(mhv_works(&vm, 0));
	vm_destroy(&vm);
}

TEST(mhv_came_first)
{
	struct mhv_info info;
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	if (mhv_create(&info) && !unload_kvm())
		SKIP(return, "kvm-intel stays loaded and keeps VMX");
	vm_create(&vm);
	ASSERT_TRUE(mhv_works(&vm, 0));
	if (load_kvm() && !host_module_loaded("kvm"))
		SKIP(return, "the host has no KVM");
	/* KVM is refused VMX, at load or at its first VM; nobody is hurt. */
	for (i = 0; i < 3; i++) {
		EXPECT_FALSE(kvm_open(&kvm));
		EXPECT_TRUE(mhv_works(&vm, i + 1));
	}
	vm_destroy(&vm);

	/* And once mhv is through it is KVM's turn. */
	if (load_kvm())
		SKIP(return, "kvm-intel does not load");
	ASSERT_TRUE(kvm_open(&kvm));
	kvm_close(&kvm);
}

TEST(in_turn)
{
	struct mhv_info info;
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	for (i = 0; i < 2; i++) {
		if (load_kvm())
			SKIP(return, "kvm-intel does not load");
		ASSERT_TRUE(kvm_open(&kvm));
		kvm_close(&kvm);
		if (mhv_create(&info) && !unload_kvm())
			SKIP(return, "kvm-intel stays loaded, and keeps VMX");
		vm_create(&vm);
		EXPECT_TRUE(mhv_works(&vm, 0));
		vm_destroy(&vm);
	}
}

TEST(leave_it_as_it_was)
{
	if (was_loaded || !host_module_loaded("kvm_intel"))
		SKIP(return, "there is nothing to unload");
	ASSERT_TRUE(unload_kvm());
	EXPECT_FALSE(host_module_loaded("kvm_intel"));
}
