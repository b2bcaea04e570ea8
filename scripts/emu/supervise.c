// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run the emulator, pass on live what the emulated host says, and end it when
 * its time is up, when its kernel panics, or when we are told to end.
 *
 *   supervise DIR TIMEOUT [--tty] -- EMULATOR [ARG...]
 *
 * DIR holds the run.  Read and written there:
 *   console      FIFO, made here: the kernel's serial console
 *   console.log  what came through it
 *   kernel.log   the kernel log as the agent sent it
 *   emulator.log what the emulator printed itself
 *   out.tar      /out of the emulated host
 *   tty          with --tty: link to the terminal that is joined to ours
 *   verdict      one line: how it ended (see enum verdict)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "proto.h"

/* Wall-clock seconds: the rest of a panic message, the way to power-off. */
#define PANIC_GRACE	20
#define OFF_GRACE	60

enum stage { STAGE_POWER_ON, STAGE_KERNEL, STAGE_SETUP, STAGE_COMMAND, STAGE_DONE };

static const char * const stage_text[] = {
	[STAGE_POWER_ON] = "starting",
	[STAGE_KERNEL] = "kernel booting",
	[STAGE_SETUP] = "loading the module",
};

enum { FD_EMU, FD_CONSOLE, FD_SIGNAL, FD_TICK, FD_PTY, FD_STDIN, FD_COUNT };

struct parser {
	unsigned char buf[FRAME_HEAD + FRAME_MAX];
	size_t have;
};

static struct {
	const char *dir;
	int timeout;		/* seconds */
	bool tty;
	pid_t emu;
	struct pollfd fds[FD_COUNT];
	struct parser parser;
	int console_log, kernel_log, emu_log, out_tar;
	char tail[256];		/* last of the console, to match over reads */
	enum stage stage;
	time_t started, deadline;
	bool fancy;		/* progress redrawn in place */
	const char *cause;	/* why we ended the emulator */
	char status[16];
	char fail[512];
	struct termios saved;
	bool raw;
} s;

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;	/* a reader that went away ends by SIGPIPE */
		p += n;
		len -= n;
	}
}

static int open_log(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		err(1, "%s/%s", s.dir, name);
	return fd;
}

static void show_progress(void)
{
	if (s.fancy && s.stage < STAGE_COMMAND)
		fprintf(stderr, "\r\033[K%3lds  %s", (long)(now() - s.started),
			stage_text[s.stage]);
}

static void set_stage(enum stage stage)
{
	if (stage <= s.stage)
		return;
	s.stage = stage;
	if (stage < STAGE_COMMAND) {
		show_progress();
	} else if (stage == STAGE_COMMAND) {
		fprintf(stderr, "%semuhost: up after %ld s\n",
			s.fancy ? "\r\033[K" : "", (long)(now() - s.started));
	}
}

static void end_emulator(const char *cause)
{
	if (s.cause)
		return;
	s.cause = cause;
	kill(s.emu, SIGKILL);
}

static void on_frame(enum frame_type type, const char *data, size_t len)
{
	switch (type) {
	case FRAME_UP:
		set_stage(STAGE_SETUP);
		break;
	case FRAME_RUN:
		set_stage(STAGE_COMMAND);
		break;
	case FRAME_STDOUT:
		write_all(STDOUT_FILENO, data, len);
		break;
	case FRAME_STDERR:
		if (s.fancy && s.stage < STAGE_COMMAND)
			fputs("\r\033[K", stderr);
		write_all(STDERR_FILENO, data, len);
		break;
	case FRAME_KLOG:
		write_all(s.kernel_log, data, len);
		break;
	case FRAME_TAR:
		write_all(s.out_tar, data, len);
		break;
	case FRAME_FAIL:
		snprintf(s.fail, sizeof(s.fail), "%.*s", (int)len, data);
		break;
	case FRAME_STATUS:
		snprintf(s.status, sizeof(s.status), "%.*s", (int)len, data);
		set_stage(STAGE_DONE);
		s.deadline = now() + OFF_GRACE;
		break;
	}
}

/* Take one frame, or one byte that is none, off the front; false: need more. */
static bool parse_one(struct parser *p)
{
	size_t len, used = 1;

	if (!p->have)
		return false;
	if (p->buf[0] == FRAME_MARK0 && p->have < 2)
		return false;
	if (p->buf[0] != FRAME_MARK0 || p->buf[1] != FRAME_MARK1) {
		write_all(s.emu_log, p->buf, 1);
	} else {
		if (p->have < FRAME_HEAD)
			return false;
		len = p->buf[3] | p->buf[4] << 8;
		if (len > FRAME_MAX)
			len = 0;
		if (p->have < FRAME_HEAD + len)
			return false;
		on_frame(p->buf[2], (char *)p->buf + FRAME_HEAD, len);
		used = FRAME_HEAD + len;
	}
	p->have -= used;
	memmove(p->buf, p->buf + used, p->have);
	return true;
}

static bool read_emulator(void)
{
	struct parser *p = &s.parser;
	ssize_t n = read(s.fds[FD_EMU].fd, p->buf + p->have, sizeof(p->buf) - p->have);

	if (n > 0) {
		p->have += n;
		while (parse_one(p))
			;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The console is for a kernel that can no longer run the agent. */
static void read_console(void)
{
	char buf[4096];
	size_t keep = strlen(s.tail), n2;
	ssize_t n;

	memcpy(buf, s.tail, keep);
	n = read(s.fds[FD_CONSOLE].fd, buf + keep, sizeof(buf) - keep - 1);
	if (n <= 0)
		return;
	set_stage(STAGE_KERNEL);
	write_all(s.console_log, buf + keep, n);
	for (ssize_t i = 0; i < n; i++) {
		if (!buf[keep + i])
			buf[keep + i] = ' ';
	}
	n2 = keep + n;
	buf[n2] = '\0';
	if (strstr(buf, "---[ end Kernel panic"))
		end_emulator("panic");
	else if (strstr(buf, "Kernel panic - not syncing") &&
		 s.deadline > now() + PANIC_GRACE)
		s.deadline = now() + PANIC_GRACE;
	keep = n2 < 64 ? n2 : 64;
	memcpy(s.tail, buf + n2 - keep, keep);
	s.tail[keep] = '\0';
}

static void read_signal(void)
{
	struct signalfd_siginfo si;

	if (read(s.fds[FD_SIGNAL].fd, &si, sizeof(si)) == sizeof(si) &&
	    si.ssi_signo != SIGCHLD)
		end_emulator("interrupted");
}

static void read_tick(void)
{
	unsigned long long n;

	if (read(s.fds[FD_TICK].fd, &n, sizeof(n)) != sizeof(n))
		return;
	if (now() >= s.deadline)
		end_emulator(s.stage == STAGE_DONE ? "no-power-off" : "timeout");
	show_progress();
}

/* Join our terminal, or whatever our input is, to that of the command. */
static bool copy(int index, int to)
{
	char buf[256];
	ssize_t n = read(s.fds[index].fd, buf, sizeof(buf));

	if (n > 0) {
		write_all(to, buf, n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != EIO)) {
		if (index == FD_STDIN)
			write_all(to, "\004", 1);	/* end of input: Ctrl-D */
		s.fds[index].fd = -1;
	}
	return n > 0;
}

static void open_tty(void)
{
	struct termios t;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || symlink(ptsname(fd), "tty"))
		err(1, "terminal for the emulated host");
	/* Opened once and kept: with no slave open, reads give an error. */
	if (open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC) < 0)
		err(1, "%s", ptsname(fd));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	s.fds[FD_PTY] = (struct pollfd){ fd, POLLIN, 0 };
}

static void join_stdin(void)
{
	struct termios raw;

	s.fds[FD_STDIN] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	if (tcgetattr(STDIN_FILENO, &s.saved))
		return;
	raw = s.saved;
	cfmakeraw(&raw);
	s.raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void start_emulator(char **argv)
{
	int p[2], errfd = open_log("emulator.err");

	if (pipe2(p, O_CLOEXEC))
		err(1, "pipe");
	s.emu = fork();
	if (s.emu < 0)
		err(1, "fork");
	if (!s.emu) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setpgid(0, 0);	/* Ctrl-C is ours to handle */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(p[1], STDOUT_FILENO);
		dup2(errfd, STDERR_FILENO);
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	close(p[1]);
	close(errfd);
	s.fds[FD_EMU] = (struct pollfd){ p[0], POLLIN, 0 };
}

static void prepare(void)
{
	struct itimerspec tick = { { 1, 0 }, { 1, 0 } };
	sigset_t set;

	if (chdir(s.dir) || mkfifo("console", 0600))
		err(1, "%s", s.dir);
	s.fds[FD_CONSOLE] = (struct pollfd){
		open("console", O_RDWR | O_NONBLOCK | O_CLOEXEC), POLLIN, 0 };
	s.console_log = open_log("console.log");
	s.kernel_log = open_log("kernel.log");
	s.emu_log = open_log("emulator.log");
	s.out_tar = open_log("out.tar");

	signal(SIGINT, SIG_DFL);	/* a shell starts its children with it ignored */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s.fds[FD_SIGNAL] = (struct pollfd){ signalfd(-1, &set, SFD_CLOEXEC), POLLIN, 0 };
	s.fds[FD_TICK] = (struct pollfd){
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), POLLIN, 0 };
	timerfd_settime(s.fds[FD_TICK].fd, 0, &tick, NULL);
	s.fds[FD_PTY].fd = -1;
	s.fds[FD_STDIN].fd = -1;
	s.started = now();
	s.deadline = s.started + s.timeout;
	s.fancy = isatty(STDERR_FILENO);
	if (s.tty)
		open_tty();
}

static void serve(void)
{
	bool joined = !s.tty;

	for (;;) {
		if (!joined && s.stage == STAGE_COMMAND) {
			join_stdin();
			joined = true;
		}
		if (poll(s.fds, FD_COUNT, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (s.fds[FD_CONSOLE].revents)
			read_console();
		if (s.fds[FD_SIGNAL].revents)
			read_signal();
		if (s.fds[FD_TICK].revents)
			read_tick();
		if (s.fds[FD_PTY].revents)
			copy(FD_PTY, STDOUT_FILENO);
		if (s.fds[FD_STDIN].revents)
			copy(FD_STDIN, s.fds[FD_PTY].fd);
		if (s.fds[FD_EMU].revents && !read_emulator())
			return;
	}
}

static void write_verdict(void)
{
	FILE *f = fopen("verdict", "we");

	if (!f)
		err(1, "%s/verdict", s.dir);
	if (s.cause)
		fprintf(f, "%s\n", s.cause);
	else if (s.fail[0])
		fprintf(f, "fail %s\n", s.fail);
	else if (s.status[0])
		fprintf(f, "status %s\n", s.status);
	else
		fprintf(f, "died\n");
	if (s.status[0])
		fprintf(f, "command %s\n", s.status);
	fclose(f);
}

int main(int argc, char **argv)
{
	int arg = 3;

	if (argc > arg && !strcmp(argv[arg], "--tty")) {
		s.tty = true;
		arg++;
	}
	if (argc < arg + 2 || strcmp(argv[arg], "--"))
		errx(2, "usage: supervise DIR TIMEOUT [--tty] -- EMULATOR [ARG...]");
	s.dir = argv[1];
	s.timeout = atoi(argv[2]);

	prepare();
	start_emulator(argv + arg + 1);
	serve();
	read_console();
	while (s.tty && copy(FD_PTY, STDOUT_FILENO))
		;
	if (s.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &s.saved);
	waitpid(s.emu, NULL, 0);
	if (s.fancy && s.stage < STAGE_COMMAND)
		fputs("\r\033[K", stderr);
	write_verdict();
	return 0;
}
