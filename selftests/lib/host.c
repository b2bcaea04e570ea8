// SPDX-License-Identifier: GPL-2.0-only
/* What tests need of the host: CPUs, memory, files, modules. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mhv_vm.h"

void host_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on CPU %d", cpu);
}

int host_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* Zeroed memory, aligned to 2 MiB so that the host may back it with huge pages */
void *host_alloc(size_t size)
{
	const size_t align = 2ul << 20;
	char *mem = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *start;

	if (mem == MAP_FAILED)
		die("%zu bytes of memory", size);
	start = (char *)(((unsigned long)mem + align - 1) & ~(align - 1));
	if (start > mem)
		munmap(mem, start - mem);
	munmap(start + size, mem + align - start);
	return start;
}

void host_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	errno = pthread_create(thread, NULL, fn, arg);
	if (errno)
		die("pthread_create");
}

/* A field of /proc/meminfo in KiB */
long host_meminfo(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char name[64];
	long value;

	if (!file)
		die("/proc/meminfo");
	while (fscanf(file, "%63[^:]: %ld%*[^\n] ", name, &value) == 2) {
		if (!strcmp(name, field)) {
			fclose(file);
			return value;
		}
	}
	die("no field %s in /proc/meminfo", field);
}

/* 0 or -errno */
int host_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;
	int err;

	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return done < 0 ? -err : 0;
}

/* Run a program with its output dropped: exit status, 127 where it is not there */
int host_command(const char *const argv[])
{
	int status, null;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool host_module_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

/* How many hold mhv: VMs, vCPUs, open devices; -1 where it is not a module */
long host_mhv_users(void)
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

/* The same when what killed processes held is let go, a moment after they have ended */
long host_mhv_settled(void)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < 500 && host_mhv_users() > 0; i++)
		nanosleep(&tick, NULL);
	return host_mhv_users();
}

/* Where the tests may load mhv.ko from, NULL where it is not known */
const char *host_module_path(void)
{
	const char *path = getenv("MHV_KO");

	if (!path)
		path = "/mhv/mhv.ko";
	return access(path, R_OK) ? NULL : path;
}

#define SWAP_SIZE	(8ul << 20)

/* A file in memory that can be swapped to */
static int swap_file(void)
{
	const __u32 info[] = { 1, SWAP_SIZE / PAGE_SIZE - 1 };	/* version, last page */
	int fd = syscall(SYS_memfd_create, "swap", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, SWAP_SIZE) ||
	    pwrite(fd, info, sizeof(info), 1024) != sizeof(info) ||
	    pwrite(fd, "SWAPSPACE2", 10, PAGE_SIZE - 10) != 10)
		die("a swap file");
	return fd;
}

/* Swap, for tests that need it: NULL, or what the host lacks */
const char *host_swap_on(struct host_swap *swap)
{
	static const char *const modprobe[] = { "modprobe", "loop", NULL };
	int control, file = swap_file();

	host_command(modprobe);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return "the host has no loop device to swap to";
	snprintf(swap->path, sizeof(swap->path), "/dev/loop%d",
		 ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	swap->loop = open(swap->path, O_RDWR | O_CLOEXEC);
	if (swap->loop < 0 || ioctl(swap->loop, LOOP_SET_FD, file))
		return "the host's loop device does not work";
	close(file);
	return swapon(swap->path, 0) ? "the host does not swap" : NULL;
}

void host_swap_off(struct host_swap *swap)
{
	swapoff(swap->path);
	ioctl(swap->loop, LOOP_CLR_FD);
	close(swap->loop);
}

/* Pages from @mem on that are in swap now, from /proc/self/pagemap */
int host_pages_in_swap(const void *mem, int pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), count = 0;
	__u64 entry;

	while (pages--) {
		if (pread(fd, &entry, 8, ((__u64)mem / PAGE_SIZE + pages) * 8) != 8)
			die("/proc/self/pagemap");
		count += entry >> 62 & 1;
	}
	close(fd);
	return count;
}
