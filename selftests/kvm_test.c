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
		/* It had to go: a second turn is a new load, which has been seen, and is slow. */
		if (!host_module_loaded("kvm_intel"))
			break;
	}
}

/* rows of `vmctl bench mmu --json` that begin so */
static int rows_of(const char *text, const char *begin)
{
	int nr = 0;

	for (; (text = strstr(text, begin)); text++)
		nr++;
	return nr;
}

static const char *const mmu_ops[] = {
	"first-touch", "guest-fault", "cr3-switch", "invlpg", "pte-write", "cr0-wp-pair",
	"cr4-pge-pair", "remap-1000",
};

/* what the command prints, or NULL when it fails */
static const char *bench(const char *command)
{
	static char text[65536];
	FILE *out = popen(command, "r");
	size_t len;

	if (!out)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	return pclose(out) ? NULL : text;
}

/* each way of paging has each row, and shadow paging costs something */
TEST(bench_mmu)
{
	const char *text;
	char begin[128];
	unsigned int i;

	if (system("vmctl --help >/dev/null 2>&1"))
		SKIP(return, "vmctl is not in the PATH");
	unload_kvm();
	text = bench("vmctl bench mmu --json --iterations 4");
	ASSERT_NE(NULL, text);
	for (i = 0; i < ARRAY_SIZE(mmu_ops); i++) {
		snprintf(begin, sizeof(begin), "{\"op\": \"%s\", \"paging\": \"shadow\", ",
			 mmu_ops[i]);
		EXPECT_EQ(3, rows_of(text, begin)) TH_LOG("%s", begin);
		/* a first touch is for nothing where the entry has been made along */
		strcat(begin, !strcmp(mmu_ops[i], "first-touch") ?
		       "\"without\": \"prefetch\", \"min\": 0" :
		       "\"without\": null, \"min\": 0");
		EXPECT_EQ(0, rows_of(text, begin)) TH_LOG("%s", begin);
	}
	EXPECT_EQ(ARRAY_SIZE(mmu_ops), rows_of(text, "\"without\": \"unsync\""));
	EXPECT_EQ(ARRAY_SIZE(mmu_ops), rows_of(text, "\"without\": \"prefetch\""));
	EXPECT_EQ(0, rows_of(text, "\"accel\""));
}

TEST(bench_mmu_beside_kvm)
{
	char begin[128];
	const char *text;
	unsigned int i;

	if (system("vmctl --help >/dev/null 2>&1"))
		SKIP(return, "vmctl is not in the PATH");
	if (load_kvm())
		SKIP(return, "kvm-intel does not load");
	text = bench("vmctl bench mmu --json --iterations 4 --accel kvm");
	ASSERT_NE(NULL, text);
	for (i = 0; i < ARRAY_SIZE(mmu_ops); i++) {
		snprintf(begin, sizeof(begin), "{\"op\": \"%s\", \"accel\": \"kvm\", ", mmu_ops[i]);
		EXPECT_EQ(1, rows_of(text, begin)) TH_LOG("%s", begin);
	}
	text = bench("vmctl bench mmu --json --iterations 4 --accel mhv,kvm 2>/dev/null");
	if (!text)
		SKIP(return, "kvm-intel keeps VMX while it is loaded");
	EXPECT_LT(2 * ARRAY_SIZE(mmu_ops), rows_of(text, "\"accel\": \"mhv\""));
	EXPECT_EQ(ARRAY_SIZE(mmu_ops), rows_of(text, "\"accel\": \"kvm\""));
}

TEST(leave_it_as_it_was)
{
	if (was_loaded)
		SKIP(return, "kvm-intel was loaded before");
	if (host_module_loaded("kvm_intel"))
		ASSERT_TRUE(unload_kvm());
	EXPECT_FALSE(host_module_loaded("kvm_intel"));
}
