// SPDX-License-Identifier: GPL-2.0-only
/*
 * PID 1 of the emulated host: set up, run one command, bring its results out,
 * power off.
 *
 *   /emuhost/setup     shell script run first; failing ends the run
 *   /emuhost/command   the command, each argument ended by a NUL
 *   /emuhost/tty       if present: the terminal the command gets
 *   /emuhost/cleanup   shell script run after it; failing is reported
 *   /out               what the command leaves here goes out as tar
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proto.h"

enum { FD_KLOG, FD_OUT, FD_ERR, FD_EXIT, FD_COUNT };

static int klog_fd = -1;
static int exit_pipe[2];

static void send_frame(enum frame_type type, const void *data, size_t len)
{
	unsigned char head[FRAME_HEAD] = {
		FRAME_MARK0, FRAME_MARK1, type, len & 0xff, len >> 8,
	};
	const void *p = head;
	size_t n = sizeof(head);

	asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(E9_PORT) : "memory");
	asm volatile("rep outsb" : "+S"(data), "+c"(len) : "d"(E9_PORT) : "memory");
}

static void __attribute__((format(printf, 2, 3)))
send_text(enum frame_type type, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	send_frame(type, buf, n < (int)sizeof(buf) ? n : (int)sizeof(buf) - 1);
}

static void __attribute__((noreturn)) power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* One /dev/kmsg record, "prio,seq,usec,flags;text\n KEY=value\n...". */
static bool send_klog_record(void)
{
	char rec[2048], line[FRAME_MAX];
	unsigned long long usec;
	unsigned int prio;
	char *text, *end;
	ssize_t n;

	n = read(klog_fd, rec, sizeof(rec) - 1);
	if (n < 0)
		return errno == EPIPE || errno == EINTR;	/* EPIPE: overrun */
	rec[n] = '\0';
	text = strchr(rec, ';');
	if (!text || sscanf(rec, "%u,%*u,%llu", &prio, &usec) != 2)
		return true;
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	n = snprintf(line, sizeof(line), "<%u>[%5llu.%06llu] %s\n", prio & 7,
		     usec / 1000000, usec % 1000000, text + 1);
	send_frame(FRAME_KLOG, line, n);
	return true;
}

static void drain_klog(void)
{
	while (send_klog_record())
		;
}

/* Pass on what fd has; false at its end. */
static bool forward(int fd, enum frame_type type)
{
	char buf[FRAME_MAX];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		send_frame(type, buf, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_child(int sig)
{
	int saved = errno;
	char c = sig;

	if (write(exit_pipe[1], &c, 1) < 0)
		errno = saved;	/* full: a byte is there, that is enough */
	errno = saved;
}

/* Reap all that ended; true when pid was among them. */
static bool reap(pid_t pid, int *status)
{
	bool found = false;
	char drop[64];
	pid_t p;
	int st;

	while (read(exit_pipe[0], drop, sizeof(drop)) > 0)
		;
	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p == pid) {
			found = true;
			*status = st;
		}
	}
	return found;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * A terminal is hung up, and loses what is still on its way down the line, when
 * the leader of its session ends: stay as that leader until all is out.
 */
static void lead_session(int tty)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		return;
	if (pid > 0)
		waitpid(pid, &status, 0);
	tcdrain(tty);
	_exit(pid < 0 ? 126 : exit_status(status));
}

static void __attribute__((noreturn))
child(char *const argv[], int out, int errfd, const char *tty)
{
	int in = open(tty ? tty : "/dev/null", O_RDWR);

	/* port access slows every return to user space: it is not for the command */
	ioperm(E9_PORT, 1, 0);
	setsid();
	if (tty && in >= 0) {
		ioctl(in, TIOCSCTTY, 1);
		signal(SIGCHLD, SIG_DFL);
		lead_session(in);
		out = in;
		errfd = in;
	}
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(errfd, 2) < 0)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	dprintf(2, "emuhost: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void pump(struct pollfd *fds, enum frame_type out_type, int timeout)
{
	static const enum frame_type types[] = {
		[FD_OUT] = FRAME_STDOUT, [FD_ERR] = FRAME_STDERR,
	};

	if (poll(fds, FD_COUNT, timeout) < 0)
		return;
	if (fds[FD_KLOG].revents)
		send_klog_record();
	for (int i = FD_OUT; i <= FD_ERR; i++) {
		if (fds[i].revents &&
		    !forward(fds[i].fd, i == FD_OUT ? out_type : types[i]))
			fds[i].fd = -1;
	}
}

/*
 * Run argv, its standard output as frames of out_type.  It has ended when the
 * process has, not when the last holder of its output has.  Returns the exit
 * status as a shell gives it.
 */
static int run(char *const argv[], enum frame_type out_type, const char *tty)
{
	struct pollfd fds[FD_COUNT];
	int out[2], errp[2], status = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) || pipe2(errp, O_CLOEXEC | O_NONBLOCK))
		return 126;
	/* the command's end blocks as a pipe does */
	fcntl(out[1], F_SETFL, 0);
	fcntl(errp[1], F_SETFL, 0);
	pid = fork();
	if (pid < 0)
		return 126;
	if (!pid)
		child(argv, out[1], errp[1], tty);
	close(out[1]);
	close(errp[1]);

	fds[FD_KLOG] = (struct pollfd){ klog_fd, POLLIN, 0 };
	fds[FD_OUT] = (struct pollfd){ out[0], POLLIN, 0 };
	fds[FD_ERR] = (struct pollfd){ errp[0], POLLIN, 0 };
	fds[FD_EXIT] = (struct pollfd){ exit_pipe[0], POLLIN, 0 };
	do
		pump(fds, out_type, -1);
	while (!reap(pid, &status));
	while (poll(fds + FD_OUT, 2, 0) > 0)
		pump(fds, out_type, 0);
	drain_klog();
	close(out[0]);
	close(errp[0]);
	return exit_status(status);
}

static char **read_command(void)
{
	static char buf[128 * 1024], *argv[4096];
	int fd = open("/emuhost/command", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	size_t argc = 0;
	char *p;

	if (n <= 0)
		return NULL;
	close(fd);
	for (p = buf; p < buf + n && argc < 4095; p += strlen(p) + 1)
		argv[argc++] = p;
	return argv;
}

static const char *read_tty(void)
{
	static char name[64];
	FILE *f = fopen("/emuhost/tty", "re");

	if (!f)
		return NULL;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return name;
}

static int run_script(const char *path)
{
	char *const argv[] = { "/bin/sh", (char *)path, NULL };

	return run(argv, FRAME_STDERR, NULL);
}

static void mark_klog(void)
{
	static const char mark[] = "<4>" KLOG_MARK "\n";
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, mark, sizeof(mark) - 1) < 0)
		send_text(FRAME_FAIL, "kernel log: %s", strerror(errno));
	close(fd);
}

static void prepare(void)
{
	struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (ioperm(E9_PORT, 1, 1))
		power_off();	/* nobody to tell: supervise sees no status */
	klog_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (pipe2(exit_pipe, O_CLOEXEC | O_NONBLOCK))
		send_text(FRAME_FAIL, "pipe: %s", strerror(errno));
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	setenv("PATH", "/bin:/sbin:/mhv", 1);
	setenv("HOME", "/", 1);
}

/* Nothing of the command lives on: what holds the module is a leak, not it. */
static void end_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int main(void)
{
	char *const tar[] = { "tar", "-C", "/out", "-cf", "-", ".", NULL };
	char **command;
	int status;

	prepare();
	send_frame(FRAME_UP, NULL, 0);
	drain_klog();
	mark_klog();
	status = run_script("/emuhost/setup");
	command = read_command();
	if (status || !command || chdir("/mhv")) {
		send_text(FRAME_FAIL, "setup of the emulated host failed");
		power_off();
	}
	send_frame(FRAME_RUN, NULL, 0);
	status = run(command, FRAME_STDOUT, read_tty());

	end_all();
	if (run_script("/emuhost/cleanup"))
		send_text(FRAME_FAIL, "the host was not clean after the command");
	if (run(tar, FRAME_TAR, NULL))
		send_text(FRAME_FAIL, "/out could not be packed");
	send_text(FRAME_STATUS, "%d", status);
	power_off();
}
