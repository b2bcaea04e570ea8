// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

char output[1 << 20];

static void command_exec(const char *const argv[], int out)
{
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], (char **)argv);
	_exit(127);
}

/* all that is said, as far as there is room; the rest is lost, but nobody waits */
static void command_read(int in)
{
	size_t have = 0, room;
	char rest[4096];
	ssize_t got;

	do {
		room = sizeof(output) - 1 - have;
		got = room ? read(in, output + have, room) : read(in, rest, sizeof(rest));
		have += room && got > 0 ? got : 0;
	} while (got > 0);
	output[have] = '\0';
}

/**
 * command_run - run a command, and keep what it prints
 * @argv:	its words, searched in the PATH, and NULL
 *
 * Return: its exit status; 127 when there is none; -1 when it did not exit.
 */
int command_run(const char *const argv[])
{
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid)
		command_exec(argv, out[1]);
	close(out[1]);
	command_read(out[0]);
	close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/**
 * command_kernel - make a kernel file that commands inherit, at KERNEL_PATH
 * @start:	its first byte
 * @end:	behind its last one
 *
 * Return: 0, or -1.
 */
int command_kernel(const char *start, const char *end)
{
	int fd = memfd_create("guest", 0);

	if (fd < 0 || write(fd, start, end - start) != end - start ||
	    dup2(fd, KERNEL_FD) < 0)
		return -1;
	return close(fd);
}
