// SPDX-License-Identifier: GPL-2.0-only
/* The end of things: processes, descriptors, VMs and the module, in every order. */
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "mhv_test.h"

GUEST_ASM(guest_life, 64, "mov $0x600d, %eax\n" G_REPORT G_DONE);

/* Exits now and then, touches memory, never ends */
GUEST_ASM(guest_busy, 64,
	  "1: mov $1000, %ecx\n"
	  "2: incq " STR(GUEST_DATA) "(,%rcx,8)\n"
	  "dec %ecx\n"
	  "jnz 2b\n"
	  "cpuid\n"
	  "jmp 1b\n");

/* One VM's whole life */
static bool vm_works(void)
{
	struct vm vm;
	struct vcpu vcpu;
	bool good;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_life);
	good = !vcpu_run(&vcpu) && vcpu.run->exit == MHV_EXIT_IO &&
	       vcpu.run->ioreq.data == 0x600d;
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
	return good;
}

static long module_users(void)
{
	FILE *file = fopen("/sys/module/mhv/refcnt", "r");
	long users = -1;

	if (file) {
		if (fscanf(file, "%ld", &users) != 1)
			users = -1;
		fclose(file);
	}
	return users;
}

/* What a killed process held is let go a moment after its parent has heard of it. */
static long settled_users(void)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 500 && module_users(); i++)
		nanosleep(&tick, NULL);
	return module_users();
}

static int processes(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir)))
		count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
	closedir(dir);
	return count;
}

/* ---- killed --------------------------------------------------------------------------- */

static void *run_forever(void *arg)
{
	struct vcpu *vcpu = arg;

	for (;;)
		vcpu_run(vcpu);
	return NULL;
}

/* A process that does all that one can do with a VM, until it is killed */
static void victim(int ready)
{
	struct vcpu vcpus[2];
	struct vm vm;
	pthread_t thread;
	char *spare = host_alloc(16 * PAGE_SIZE);
	int i;

	vm_create(&vm);
	for (i = 0; i < 2; i++) {
		vcpu_create(&vm, &vcpus[i], i);
		vcpu_set_long(&vcpus[i], guest_busy);
		host_start(&thread, run_forever, &vcpus[i]);
	}
	if (write(ready, "r", 1) != 1)
		_exit(1);
	for (i = 0;; i++) {
		vm_slot(&vm, 1, 0, GUEST_HOLE, 16 * PAGE_SIZE, spare);
		madvise(vm_ptr(&vm, GUEST_DATA), PAGE_SIZE, MADV_DONTNEED);
		ioctl(vcpus[i & 1].fd, MHV_KICK, 0);
		vm_slot(&vm, 1, 0, 0, 0, NULL);
		if (i % 8 == 0)
			vm_works();
	}
}

TEST(killed_at_random_moments)
{
	const int before = processes();
	__u32 random = getpid();
	int round, ready[2], status;
	struct timespec delay = { 0 };
	pid_t pid;
	char go;

	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, pipe(ready));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			victim(ready[1]);
		/* Every second one is killed while it sets up. */
		if (round % 2)
			ASSERT_EQ(1, read(ready[0], &go, 1));
		random = random * 1103515245 + 12345;
		delay.tv_nsec = (random >> 8) % 20000000;
		nanosleep(&delay, NULL);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		close(ready[0]);
		close(ready[1]);
	}
	EXPECT_EQ(0, settled_users());
	EXPECT_EQ(before, processes());
	EXPECT_TRUE(vm_works());
}

TEST(exit_while_vcpus_run)
{
	int ready[2], status;
	pid_t pid;
	char go;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct vcpu vcpu;
		pthread_t thread;
		struct vm vm;

		vm_create(&vm);
		vcpu_create(&vm, &vcpu, 0);
		vcpu_set_long(&vcpu, guest_busy);
		host_start(&thread, run_forever, &vcpu);
		while (!vcpu_stat(&vcpu, "exits"))
			sched_yield();
		_exit(write(ready[1], "r", 1) == 1 ? 7 : 1);
	}
	ASSERT_EQ(1, read(ready[0], &go, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(7, WEXITSTATUS(status));
	EXPECT_EQ(0, settled_users());
	EXPECT_TRUE(vm_works());
}

/* The descriptors outlive the process that owns the VM, in a child. */
TEST(owner_dies_first)
{
	int go[2], status;
	pid_t owner, heir;
	char c;

	ASSERT_EQ(0, pipe(go));
	owner = fork();
	ASSERT_LE(0, owner);
	if (!owner) {
		struct vcpu vcpu;
		struct vm vm;

		vm_create(&vm);
		vcpu_create(&vm, &vcpu, 0);
		vcpu_set_long(&vcpu, guest_life);
		if (vcpu_run(&vcpu))
			_exit(1);
		heir = fork();
		if (!heir) {
			/* Until the parent of both has seen the owner go */
			if (read(go[0], &c, 1) != 1 || RET(ioctl(vcpu.fd, MHV_RUN, 0)) != -EIO)
				_exit(1);
			vcpu_destroy(&vcpu);
			vm_destroy(&vm);
			_exit(0);
		}
		_exit(heir < 0);
	}
	ASSERT_EQ(owner, waitpid(owner, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_LT(0, module_users());
	ASSERT_EQ(1, write(go[1], "g", 1));
	EXPECT_EQ(0, settled_users());
	EXPECT_TRUE(vm_works());
}

/* ---- closed ---------------------------------------------------------------------------- */

static void run_once(struct __test_metadata *_metadata, struct vcpu *vcpu)
{
	vcpu_set_long(vcpu, guest_life);
	ASSERT_REPORT(vcpu, 0x600d);
	ASSERT_DONE(vcpu);
}

TEST(vm_closed_before_vcpu)
{
	struct vcpu vcpu;
	struct vm vm;
	int exits;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	exits = vcpu_stat_index(&vcpu, "exits");
	close(vm.dev);
	close(vm.fd);
	run_once(_metadata, &vcpu);
	close(vcpu.fd);
	/* The mapping outlives them all. */
	EXPECT_EQ(PORT_DONE, vcpu.run->ioreq.addr);
	EXPECT_LT(0, vcpu.stats[exits]);
	munmap(vcpu.run, 2 * PAGE_SIZE);
	munmap((void *)vcpu.stats, PAGE_SIZE);
	munmap(vm.mem, vm.size);
	EXPECT_EQ(0, settled_users());
}

TEST(vcpu_closed_before_vm)
{
	struct vcpu vcpu, other;
	struct vm vm;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_create(&vm, &other, 1);
	run_once(_metadata, &vcpu);
	vcpu_destroy(&vcpu);
	run_once(_metadata, &other);
	vcpu_destroy(&other);
	vm_destroy(&vm);
	EXPECT_EQ(0, settled_users());
}

TEST(memory_unmapped_before_vm)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	run_once(_metadata, &vcpu);
	munmap(vm.mem, vm.size);
	vm.mem = NULL;
	EXPECT_EQ(0, vcpu_run(&vcpu));
	EXPECT_EQ(MHV_EXIT_MEMORY_FAULT, vcpu.run->exit);
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
	EXPECT_EQ(0, settled_users());
}

static void *run_until_kicked(void *arg)
{
	struct vcpu *vcpu = arg;
	int err;

	do
		err = vcpu_run(vcpu);
	while (!err && vcpu->run->exit != MHV_EXIT_KICKED);
	return (void *)(long)err;
}

TEST(vm_closed_while_vcpu_runs)
{
	struct vcpu vcpu;
	pthread_t thread;
	struct vm vm;
	void *ret;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_busy);
	host_start(&thread, run_until_kicked, &vcpu);
	while (!vcpu_stat(&vcpu, "exits"))
		sched_yield();
	close(vm.fd);
	close(vm.dev);
	sched_yield();
	ASSERT_EQ(0, RET(ioctl(vcpu.fd, MHV_KICK, 0)));
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	run_once(_metadata, &vcpu);
	close(vcpu.fd);
	munmap(vcpu.run, 2 * PAGE_SIZE);
	munmap((void *)vcpu.stats, PAGE_SIZE);
	EXPECT_EQ(0, settled_users());
}

static void no_action(int sig)
{
	(void)sig;
}

static void *run_second(void *arg)
{
	return (void *)(long)vcpu_run(arg);
}

/* A second MHV_RUN waits for the first; a signal ends the wait. */
TEST(two_threads_one_vcpu)
{
	struct sigaction act = { .sa_handler = no_action };
	const struct timespec tick = { .tv_nsec = 2000000 };
	pthread_t first, second;
	struct vcpu vcpu;
	struct vm vm;
	void *ret;

	sigaction(SIGUSR1, &act, NULL);
	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_busy);
	host_start(&first, run_until_kicked, &vcpu);
	while (!vcpu_stat(&vcpu, "exits"))
		sched_yield();
	host_start(&second, run_second, &vcpu);
	/* A signal before the system call would be lost: send it until it has ended. */
	while (pthread_tryjoin_np(second, &ret)) {
		pthread_kill(second, SIGUSR1);
		nanosleep(&tick, NULL);
	}
	EXPECT_EQ(-EINTR, (long)ret);
	ASSERT_EQ(0, RET(ioctl(vcpu.fd, MHV_KICK, 0)));
	pthread_join(first, &ret);
	EXPECT_EQ(NULL, ret);
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
}

static void *life_thread(void *arg)
{
	int i;

	for (i = 0; i < 10; i++)
		if (!vm_works())
			return NULL;
	return arg;
}

TEST(two_vms_on_two_threads)
{
	pthread_t thread;
	void *ret;

	host_start(&thread, life_thread, &thread);
	EXPECT_EQ(&thread, life_thread(&thread));
	pthread_join(thread, &ret);
	EXPECT_EQ(&thread, ret);
	EXPECT_EQ(0, settled_users());
}

/* ---- what is left -------------------------------------------------------------------------- */

/* A write every 64 KiB from GUEST_FREE to the end of memory */
GUEST_ASM(guest_touch, 64,
	  "mov $" STR(GUEST_FREE) ", %ecx\n"
	  "1: incq (%rcx)\n"
	  "add $0x10000, %ecx\n"
	  "cmp $" STR(GUEST_MEM_SIZE) ", %ecx\n"
	  "jb 1b\n"
	  G_DONE);

static void life_with_memory(void)
{
	struct vcpu vcpu;
	struct vm vm;

	vm_create(&vm);
	vcpu_create(&vm, &vcpu, 0);
	vcpu_set_long(&vcpu, guest_touch);
	if (vcpu_run(&vcpu) || vcpu.run->exit != MHV_EXIT_IO)
		die("the guest did not touch its memory");
	vcpu_destroy(&vcpu);
	vm_destroy(&vm);
}

TEST(memory_comes_back)
{
	const int rounds = 10;
	long before, after, least = LONG_MAX;
	int batch, i;

	/* A leak shows in each batch; the rest of the host only in some. */
	for (batch = 0; batch < 4; batch++) {
		before = host_meminfo("MemAvailable");
		for (i = 0; i < rounds; i++)
			life_with_memory();
		after = host_meminfo("MemAvailable");
		if (before - after < least)
			least = before - after;
	}
	/* One VM has 1 MiB of memory in use here, and tables of about 50 KiB. */
	EXPECT_GT(rounds * 30, least)
		TH_LOG("each batch of %d VMs took %ld kB or more", rounds, least);
}

/* ---- the module ------------------------------------------------------------------------------ */

static long remove_module(void)
{
	return RET(syscall(SYS_delete_module, "mhv", O_NONBLOCK));
}

TEST(module_stays_while_used)
{
	struct vcpu vcpu;
	struct vm vm;

	if (module_users() < 0)
		SKIP(return, "mhv is not a module here");
	vm_create(&vm);
	EXPECT_EQ(-EAGAIN, remove_module());
	close(vm.dev);
	EXPECT_EQ(-EAGAIN, remove_module());
	vcpu_create(&vm, &vcpu, 0);
	close(vm.fd);
	EXPECT_EQ(-EAGAIN, remove_module());
	run_once(_metadata, &vcpu);
	close(vcpu.fd);
	/* Only the mapping is left. */
	EXPECT_EQ(-EAGAIN, remove_module());
	munmap(vcpu.run, 2 * PAGE_SIZE);
	munmap((void *)vcpu.stats, vm.info.run_size - 2 * PAGE_SIZE);
	EXPECT_EQ(0, settled_users());
}

TEST(module_goes_and_comes)
{
	const char *path = host_module_path();
	int fd, i;

	if (module_users() < 0)
		SKIP(return, "mhv is not a module here");
	if (!path)
		SKIP(return, "no mhv.ko to load again: name it in MHV_KO");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, settled_users());
		ASSERT_EQ(0, remove_module());
		EXPECT_EQ(-1, access(MHV_DEVICE, F_OK));
		ASSERT_EQ(0, RET(syscall(SYS_finit_module, fd, "", 0)));
		ASSERT_EQ(NULL, mhv_missing());
		EXPECT_TRUE(vm_works());
	}
	close(fd);
}
