// SPDX-License-Identifier: GPL-2.0-only
/* Two hypervisors on one host: one of them has VMX, the other says so. */
#include "mhv_test.h"

#include <linux/kvm.h>

GUEST_ASM(guest_kvm, 64, "cpuid; mov $0x600d, %eax\n" G_REPORT G_DONE);

FIXTURE(kvm) {
	bool was_loaded;
};

static int module_tool(const char *tool, const char *module)
{
	const char *const argv[] = { tool, module, NULL };

	return host_command(argv);
}

FIXTURE_SETUP(kvm)
{
	self->was_loaded = host_module_loaded("kvm_intel");
}

FIXTURE_TEARDOWN(kvm)
{
	if (!self->was_loaded && host_module_loaded("kvm_intel"))
		module_tool("rmmod", "kvm_intel");
}

/* From 6.12 on KVM takes VMX as soon as it is loaded. */
static const char *load_kvm(void)
{
	if (host_module_loaded("kvm_intel"))
		return NULL;
	if (module_tool("modprobe", "kvm_intel"))
		return "the host has no kvm-intel module that loads";
	return access("/dev/kvm", R_OK) ? "the host has no /dev/kvm" : NULL;
}

/* A KVM VM with a vCPU; the descriptors, or -errno */
struct kvm_vm {
	int dev, vm, vcpu;
};

static int kvm_open(struct kvm_vm *kvm)
{
	kvm->dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->dev < 0)
		return -errno;
	kvm->vm = ioctl(kvm->dev, KVM_CREATE_VM, 0);
	if (kvm->vm < 0) {
		close(kvm->dev);
		return -errno;
	}
	kvm->vcpu = ioctl(kvm->vm, KVM_CREATE_VCPU, 0);
	if (kvm->vcpu >= 0)
		return 0;
	close(kvm->vm);
	close(kvm->dev);
	return -errno;
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

static bool mhv_works(struct vm *vm)
{
	struct vcpu vcpu;
	bool good;

	vcpu_create(vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_kvm);
	good = !vcpu_run(&vcpu) && vcpu.run->exit == MHV_EXIT_IO &&
	       vcpu.run->ioreq.data == 0x600d;
	vcpu_destroy(&vcpu);
	return good;
}

TEST_F(kvm, kvm_came_first)
{
	const char *missing = load_kvm();
	struct mhv_info info;
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kvm_open(&kvm));
		EXPECT_EQ(-EBUSY, mhv_create(&info));
		EXPECT_EQ(MHV_HOST_BUSY, info.verdict);
		EXPECT_NE(0, info.detail[0]);
		kvm_close(&kvm);
	}
	if (self->was_loaded || module_tool("rmmod", "kvm_intel"))
		SKIP(return, "kvm-intel stays loaded: refusal seen, the rest not");
	EXPECT_EQ(0, mhv_create(&info));
	EXPECT_EQ(MHV_HOST_OK, info.verdict);
	vm_create(&vm);
	EXPECT_TRUE(mhv_works(&vm));
	vm_destroy(&vm);
}

TEST_F(kvm, mhv_came_first)
{
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	vm_create(&vm);
	ASSERT_TRUE(mhv_works(&vm));
	if (load_kvm() && !host_module_loaded("kvm"))
		SKIP(return, "the host has no KVM");
	/* KVM is refused VMX, at load or at its first VM; nobody is hurt. */
	for (i = 0; i < 3; i++) {
		EXPECT_NE(0, kvm_open(&kvm));
		EXPECT_EQ(MHV_HOST_OK, vm.info.verdict);
	}
	vm_destroy(&vm);

	/* And once mhv is through it is KVM's turn. */
	if (load_kvm())
		SKIP(return, "kvm-intel does not load");
	ASSERT_EQ(0, kvm_open(&kvm));
	kvm_close(&kvm);
}

TEST_F(kvm, in_turn)
{
	struct mhv_info info;
	struct kvm_vm kvm;
	struct vm vm;
	int i;

	for (i = 0; i < 2; i++) {
		if (load_kvm())
			SKIP(return, "kvm-intel does not load");
		ASSERT_EQ(0, kvm_open(&kvm));
		kvm_close(&kvm);
		if (mhv_create(&info) == -EBUSY &&
		    (self->was_loaded || module_tool("rmmod", "kvm_intel")))
			SKIP(return, "kvm-intel stays loaded, and keeps VMX");
		vm_create(&vm);
		EXPECT_TRUE(mhv_works(&vm));
		vm_destroy(&vm);
	}
}
