// SPDX-License-Identifier: GPL-2.0-only
/* vmctl as a whole: how a guest ends, and what is left when vmctl does not end itself. */
#include <elf.h>
#include <signal.h>
#include <time.h>

#include "command.h"
#include "mhv_test.h"

#define LOAD_ADDRESS	0x100000
#define CODE_SIZE	256
#define KERNEL		"/tmp/mhv-selftest.elf"

/* A multiboot kernel of one segment, headers included */
struct image {
	Elf32_Ehdr elf;
	Elf32_Phdr segment;
	__u32 multiboot[3];
	__u8 code[CODE_SIZE];
};

/* Each begins in 32-bit protected mode, interrupts off, with a line for the console. */
#define KERNEL_ASM(name, body)						\
	GUEST_ASM(guest_##name, 32,					\
		  "mov $0x3f8, %edx\n"					\
		  "mov $0x4d, %al; out %al, %dx\n"			\
		  "mov $0x0a, %al; out %al, %dx\n"			\
		  body							\
		  "9: hlt; jmp 9b\n")

KERNEL_ASM(exit_0, "xor %eax, %eax; out %eax, $0xf4\n");
KERNEL_ASM(exit_7, "mov $7, %al; out %al, $0xf4\n");
KERNEL_ASM(off, "mov $0x604, %edx; mov $0x2000, %eax; out %ax, %dx\n");
KERNEL_ASM(reset, "mov $0xfe, %al; out %al, $0x64\n");
KERNEL_ASM(panic, "mov $0x505, %edx; mov $1, %al; out %al, %dx\n");
KERNEL_ASM(triple_fault, "mov $0x200000, %esp; push $0; push $0; lidtl (%esp); ud2\n");
KERNEL_ASM(halt, "cli\n");
/* Exits all the time, some of them to user space */
KERNEL_ASM(busy, "1: cpuid; mov $0x3f8, %edx; mov $0x2e, %al; out %al, %dx; jmp 1b\n");

static void write_kernel(const void *code)
{
	struct image image = {
		.elf = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_version = EV_CURRENT,
			.e_entry = LOAD_ADDRESS + offsetof(struct image, code),
			.e_phoff = offsetof(struct image, segment),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
		},
		.segment = {
			.p_type = PT_LOAD,
			.p_vaddr = LOAD_ADDRESS,
			.p_paddr = LOAD_ADDRESS,
			.p_filesz = sizeof(image),
			.p_memsz = sizeof(image),
			.p_flags = PF_R | PF_W | PF_X,
			.p_align = PAGE_SIZE,
		},
		.multiboot = { 0x1badb002, 0, -0x1badb002 },
	};
	int fd = open(KERNEL, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	memcpy(image.code, code, CODE_SIZE);
	if (fd < 0 || write(fd, &image, sizeof(image)) != sizeof(image))
		die("%s", KERNEL);
	close(fd);
}

/* Start vmctl with its output in @out. */
static pid_t start_vmctl(const char *option, const char *value, int out)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(out < 0 ? null : out, 1);
	execlp("vmctl", "vmctl", "run", "--mem", "16M", "--kernel", KERNEL, option, value, NULL);
	_exit(127);
}

/* vmctl's exit status for a kernel that does @code; 128 + N when signal N ended it */
static int vmctl_status(const void *code, const char *option, const char *value)
{
	int status, out[2];
	char said[16] = "";
	pid_t pid;

	write_kernel(code);
	if (pipe(out))
		die("pipe");
	pid = start_vmctl(option, value, out[1]);
	close(out[1]);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (read(out[0], said, sizeof(said) - 1) < 1 || said[0] != 'M')
		die("vmctl printed '%s' instead of the guest's line", said);
	close(out[0]);
	unlink(KERNEL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

FIXTURE(vmctl) {
};

FIXTURE_SETUP(vmctl)
{
	static const char *const help[] = { "vmctl", "--help", NULL };

	/* Out of the whole test, not of the setup alone */
	if (host_command(help) == 127)
		SKIP(longjmp(_metadata->env, 1), "no vmctl in PATH");
}

FIXTURE_TEARDOWN(vmctl)
{
	unlink(KERNEL);
}

TEST_F(vmctl, exit_status)
{
	EXPECT_EQ(0, vmctl_status(guest_exit_0, "--debug-exit", NULL));
	EXPECT_EQ(64 | 7, vmctl_status(guest_exit_7, "--debug-exit", NULL));
	EXPECT_EQ(0, vmctl_status(guest_off, NULL, NULL));
	EXPECT_EQ(32, vmctl_status(guest_reset, NULL, NULL));
	EXPECT_EQ(33, vmctl_status(guest_triple_fault, NULL, NULL));
	EXPECT_EQ(34, vmctl_status(guest_panic, NULL, NULL));
	EXPECT_EQ(124, vmctl_status(guest_halt, "--timeout", "1"));
	EXPECT_EQ(0, host_mhv_settled());
}

TEST_F(vmctl, terminated)
{
	int status, out[2];
	char said;
	pid_t pid;

	write_kernel(guest_halt);
	ASSERT_EQ(0, pipe(out));
	pid = start_vmctl(NULL, NULL, out[1]);
	ASSERT_EQ(1, read(out[0], &said, 1));
	ASSERT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(128 + SIGTERM, WEXITSTATUS(status));
	EXPECT_EQ(0, host_mhv_settled());
	close(out[0]);
	close(out[1]);
}

TEST_F(vmctl, killed_at_random_moments)
{
	struct timespec delay = { 0 };
	__u32 random = getpid();
	int round, status;
	pid_t pid;

	write_kernel(guest_busy);
	for (round = 0; round < 15; round++) {
		pid = start_vmctl(NULL, NULL, -1);
		random = random * 1103515245 + 12345;
		delay.tv_nsec = (random >> 8) % 60000000;
		nanosleep(&delay, NULL);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	EXPECT_EQ(0, host_mhv_settled());
	EXPECT_EQ(64 | 7, vmctl_status(guest_exit_7, "--debug-exit", NULL));
}

/* What `vmctl debug` says of the guest that runs goes to @output; its exit status */
#define DEBUG(what, arg)	COMMAND("vmctl", "debug", "--name", "selftest", what, arg)

/* a guest that runs, looked at from another process */
static void try_debug(struct __test_metadata *_metadata, bool shadow)
{
	int status, out[2];
	char said;
	pid_t pid;

	write_kernel(guest_busy);
	ASSERT_EQ(0, pipe(out));
	pid = start_vmctl("--name=selftest", shadow ? "--paging=shadow" : "--paging=auto", out[1]);
	ASSERT_EQ(1, read(out[0], &said, 1));
	/* the guest writes on: nobody need listen */
	close(out[0]);

	EXPECT_EQ(0, DEBUG("walk", "0x100000"));
	EXPECT_NE(NULL, strstr(output, "gva 0x100000, cr3 0x0: gpa 0x100000\n"))
		TH_LOG("%s", output);
	EXPECT_NE(NULL, strstr(output, " leaf "))
		TH_LOG("%s", output);
	if (shadow)
		EXPECT_NE(NULL, strstr(output, "the guest has paging off"))
			TH_LOG("%s", output);
	EXPECT_EQ(0, DEBUG("walk", "0x100000"));
	EXPECT_EQ(1, DEBUG("walk", "0x800000000000"));
	EXPECT_EQ(0, DEBUG("mmu", "--json"));
	EXPECT_NE(NULL, strstr(output, "\"vcpus\": 1"))
		TH_LOG("%s", output);
	EXPECT_EQ(0, DEBUG("mmu", "--tables"));
	EXPECT_EQ(shadow ? 0 : 1, DEBUG("audit", NULL));
	if (shadow)
		EXPECT_NE(NULL, strstr(output, ", 0 mismatches"))
			TH_LOG("%s", output);
	EXPECT_EQ(0, DEBUG("without", "regfile,vcpu-cache"));
	EXPECT_NE(NULL, strstr(output, "switched off: regfile,vcpu-cache\n"))
		TH_LOG("%s", output);
	EXPECT_EQ(0, DEBUG("without", "none"));
	EXPECT_EQ(2, DEBUG("without", "everything"));
	EXPECT_EQ(2, DEBUG("without", NULL));

	ASSERT_EQ(0, kill(pid, SIGTERM));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	close(out[1]);
	EXPECT_EQ(1, DEBUG("mmu", NULL));
	EXPECT_EQ(0, host_mhv_settled());
}

TEST_F(vmctl, debug)
{
	struct vm vm;
	bool shadow;

	vm_create_bare(&vm);
	shadow = vm_is_shadowed(&vm);
	vm_destroy(&vm);
	if (!shadow)
		try_debug(_metadata, false);
	try_debug(_metadata, true);
}
