// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole machine on a backend whose guest is a C function: threads, wake-ups,
 * interrupts, console, ends.  Time is real here; a lost wake-up shows as a time-out.
 */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "dev/testdev.h"
#include "machine.h"
#include "phases.h"
#include "soft.h"
#include "stats.h"

/*
 * The guest asks for one thing at a time: each call of @step fills in the exit.
 * What it reads comes back in @in.
 */
static struct guest {
	void (*step)(struct vcpu_exit *exit);
	unsigned int at, spins, irqs;
	u8 data[4], last_vector;
	bool interrupts;	/* RFLAGS.IF */
	bool injected, window;
	u8 vector;
	u8 eoi[2];
	unsigned int nr_eoi;
} guest;

struct accel {
	int slots;
};

struct accel_vcpu {
	pthread_mutex_t lock;
	pthread_cond_t kick;
	bool kicked;
};

static struct accel fake_vm;
static struct accel_vcpu fake_vcpu = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .kick = PTHREAD_COND_INITIALIZER,
};

static struct vcpu_state fake_state;
static unsigned int phys_bits;

static struct accel *fake_open(enum accel_paging paging)
{
	fake_vm.slots = 0;
	return &fake_vm;
}

static void fake_close(struct accel *accel)
{
}

static unsigned int fake_phys_bits(const struct accel *accel)
{
	return phys_bits;
}

static int fake_set_memory(struct accel *accel, u32 slot, u64 gpa, u64 size, void *hva,
			   bool readonly)
{
	assert_int_equal(slot, accel->slots++);
	return 0;
}

static struct accel_vcpu *fake_vcpu_open(struct accel *accel, u32 id)
{
	fake_vcpu.kicked = false;
	return &fake_vcpu;
}

static void fake_vcpu_close(struct accel_vcpu *vcpu)
{
}

static int fake_get_state(struct accel_vcpu *vcpu, struct vcpu_state *state)
{
	*state = fake_state;
	return 0;
}

static int fake_set_state(struct accel_vcpu *vcpu, const struct vcpu_state *state)
{
	fake_state = *state;
	return 0;
}

static void guest_out(struct vcpu_exit *exit, u16 port, u32 val)
{
	memcpy(guest.data, &val, sizeof(guest.data));
	exit->kind = VCPU_EXIT_PORT;
	exit->access = (struct access){
		.addr = port, .data = guest.data, .size = port == 0x604 ? 2 : 1, .count = 1,
		.write = true,
	};
}

static void guest_in(struct vcpu_exit *exit, u16 port)
{
	guest_out(exit, port, 0);
	exit->access.write = false;
}

/* leaves alone what the guest has just read: it comes between any two steps */
static void guest_eoi(struct vcpu_exit *exit, u16 port)
{
	static u8 command;

	command = 0x20;
	exit->kind = VCPU_EXIT_PORT;
	exit->access = (struct access){
		.addr = port, .data = &command, .size = 1, .count = 1, .write = true,
	};
}

static void guest_power_off(struct vcpu_exit *exit)
{
	guest_out(exit, 0x604, 0x2000);
}

static void guest_halt(struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_HALT;
}

/* runs until somebody kicks, as a guest in a loop does */
static void guest_spin(struct vcpu_exit *exit)
{
	pthread_mutex_lock(&fake_vcpu.lock);
	while (!fake_vcpu.kicked)
		pthread_cond_wait(&fake_vcpu.kick, &fake_vcpu.lock);
	pthread_mutex_unlock(&fake_vcpu.lock);
	guest.spins++;
	exit->kind = VCPU_EXIT_AGAIN;
}

static void fake_run(struct accel_vcpu *vcpu, struct vcpu_exit *exit)
{
	bool kicked;

	if (guest.injected) {
		guest.injected = false;
		guest.last_vector = guest.vector;
		guest.irqs++;
		guest.eoi[guest.nr_eoi++] = 0x20;
		if (guest.vector >= 0x28)
			guest.eoi[guest.nr_eoi++] = 0xa0;
	}
	if (guest.nr_eoi) {
		guest_eoi(exit, guest.eoi[--guest.nr_eoi]);
		return;
	}
	if (guest.window && guest.interrupts) {
		exit->kind = VCPU_EXIT_AGAIN;
		return;
	}
	pthread_mutex_lock(&vcpu->lock);
	kicked = vcpu->kicked;
	vcpu->kicked = false;
	pthread_mutex_unlock(&vcpu->lock);
	if (kicked)
		exit->kind = VCPU_EXIT_AGAIN;
	else
		guest.step(exit);
}

static void fake_kick(struct accel_vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->lock);
	vcpu->kicked = true;
	pthread_cond_signal(&vcpu->kick);
	pthread_mutex_unlock(&vcpu->lock);
}

static bool fake_irq_ready(const struct accel_vcpu *vcpu)
{
	return guest.interrupts && !guest.injected && !guest.nr_eoi;
}

static void fake_inject(struct accel_vcpu *vcpu, u8 vector)
{
	guest.injected = true;
	guest.vector = vector;
}

static void fake_want_window(struct accel_vcpu *vcpu, bool want)
{
	guest.window = want;
}

static unsigned int fake_counters(struct accel_vcpu *vcpu, struct accel_counter *counter,
				  unsigned int max)
{
	static const struct accel_counter all[] = {
		{ "other", 5 }, { "exit_io", 75 }, { "exit_hlt", 25 }, { "exit_cpuid", 0 },
		{ "pf_mmio", 3 }, { "pf_mapped", 4 }, { "route_ioreq", 2 },
		{ "mmio_vcpu_cache", 9 }, { "route_posted", 0 }, { "decode_hit", 6 },
	};

	memcpy(counter, all, sizeof(all));
	return ARRAY_SIZE(all);
}

static const struct accel_ops fake_accel = {
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.phys_bits = fake_phys_bits,
	.set_memory = fake_set_memory,
	.vcpu_open = fake_vcpu_open,
	.vcpu_close = fake_vcpu_close,
	.get_state = fake_get_state,
	.set_state = fake_set_state,
	.run = fake_run,
	.kick = fake_kick,
	.irq_ready = fake_irq_ready,
	.inject = fake_inject,
	.want_window = fake_want_window,
	.counters = fake_counters,
};

static struct machine machine;
static struct run_options opt;
static int saved_stdin, saved_stdout;

static int setup(void **state)
{
	u32 kernel[1024] = { 0x1badb002, BIT(16), -(0x1badb002 + BIT(16)), 2 * MIB, 2 * MIB,
			     0, 0, 2 * MIB + 0x40 };

	memset(&guest, 0, sizeof(guest));
	memset(&opt, 0, sizeof(opt));
	guest.interrupts = true;
	phys_bits = 39;
	opt.kernel = test_file(kernel, sizeof(kernel));
	opt.cmdline = "";
	opt.console = "none";
	opt.mem = 16 * MIB;
	fflush(stdout);
	saved_stdin = dup(STDIN_FILENO);
	saved_stdout = dup(STDOUT_FILENO);
	alarm(HANG_SECONDS);
	return 0;
}

static int teardown(void **state)
{
	sigset_t set;

	alarm(0);
	fflush(stdout);
	dup2(saved_stdin, STDIN_FILENO);
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdin);
	close(saved_stdout);
	sigfillset(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

static void run(void (*step)(struct vcpu_exit *exit))
{
	guest.step = step;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), 0);
	assert_int_equal(machine_run(&machine), 0);
	machine_destroy(&machine);
}

/* the controllers as every PC system sets them up, counter 0 at @period ticks */
static bool guest_set_up(struct vcpu_exit *exit, u16 period)
{
	const struct { u16 port; u8 val; } outs[] = {
		{ 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 }, { 0xa1, 0x28 },
		{ 0x21, 0x04 }, { 0xa1, 0x02 }, { 0x21, 0x01 }, { 0xa1, 0x01 },
		{ 0x21, 0x00 }, { 0xa1, 0x00 },
		{ 0x43, 0x34 }, { 0x40, period & 0xff }, { 0x40, period >> 8 },
	};

	if (guest.at == ARRAY_SIZE(outs))
		return false;
	guest_out(exit, outs[guest.at].port, outs[guest.at].val);
	guest.at++;
	return true;
}

static void powers_off(void **state)
{
	run(guest_power_off);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(fake_state.regs.rip, 2 * MIB + 0x40);
	assert_int_equal(fake_state.regs.rax, 0x2badb002);
	assert_int_equal(fake_state.sregs.cr0, 0x11);
	assert_int_equal(fake_state.sregs.cs.db, 1);
	assert_int_equal(fake_state.sregs.tr.type, 11);
}

/* 1,000 interrupts at 4 kHz, each of which must end a halt */
static void step_halts(struct vcpu_exit *exit)
{
	if (guest_set_up(exit, 300))
		return;
	if (guest.irqs >= 1000)
		guest_power_off(exit);
	else
		guest_halt(exit);
}

static void interrupts_end_halts(void **state)
{
	run(step_halts);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(guest.last_vector, 0x20);
}

/* the same in a guest that never halts: each must be kicked in */
static void step_spins(struct vcpu_exit *exit)
{
	if (guest_set_up(exit, 300))
		return;
	if (guest.irqs >= 1000)
		guest_power_off(exit);
	else
		guest_spin(exit);
}

static void interrupts_kick(void **state)
{
	run(step_spins);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_true(guest.spins > 0);
}

/* interrupts are off for a while: the window must be asked for, and nothing be lost */
static void step_window(struct vcpu_exit *exit)
{
	static unsigned int turn;

	if (guest_set_up(exit, 300))
		return;
	guest.interrupts = ++turn % 3 == 0;
	if (guest.irqs >= 300)
		guest_power_off(exit);
	else if (guest.interrupts)
		guest_halt(exit);
	else
		guest_in(exit, 0x61);
}

static void interrupts_wait_for_window(void **state)
{
	run(step_window);
	assert_int_equal(machine.end, END_POWEROFF);
}

static void step_halt_forever(struct vcpu_exit *exit)
{
	guest_halt(exit);
}

static void step_spin_forever(struct vcpu_exit *exit)
{
	guest_spin(exit);
}

static void times_out(void **state)
{
	opt.timeout = 1;
	run(step_spin_forever);
	assert_int_equal(machine.end, END_TIMEOUT);
	run(step_halt_forever);
	assert_int_equal(machine.end, END_TIMEOUT);
}

static void step_sigterm(struct vcpu_exit *exit)
{
	if (!guest.at++)
		kill(getpid(), SIGTERM);
	guest_halt(exit);
}

static void signal_ends(void **state)
{
	run(step_sigterm);
	assert_int_equal(machine.end, END_SIGNAL);
	assert_int_equal(machine.end_value, SIGTERM);
	guest.at = 0;
	guest.interrupts = false;	/* halted for good */
	run(step_sigterm);
	assert_int_equal(machine.end, END_SIGNAL);
}

static void step_triple_fault(struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_SHUTDOWN;
}

static void step_error(struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_ERROR;
	strcpy(exit->text, "made up");
}

static void step_entry_failed(struct vcpu_exit *exit)
{
	exit->kind = VCPU_EXIT_ENTRY_FAILED;
	strcpy(exit->text, "made up");
}

static void other_ends(void **state)
{
	run(step_triple_fault);
	assert_int_equal(machine.end, END_TRIPLE_FAULT);
	run(step_error);
	assert_int_equal(machine.end, END_ERROR);
	run(step_entry_failed);
	assert_int_equal(machine.end, END_ENTRY_FAILED);
}

static void step_debug_exit(struct vcpu_exit *exit)
{
	if (guest.at++)
		guest_power_off(exit);
	else
		guest_out(exit, 0xf4, 7);
}

static void debug_exit_only_on_demand(void **state)
{
	run(step_debug_exit);
	assert_int_equal(machine.end, END_POWEROFF);
	guest.at = 0;
	opt.debug_exit = true;
	run(step_debug_exit);
	assert_int_equal(machine.end, END_DEBUG_EXIT);
	assert_int_equal(machine.end_value, 7);
}

/* prints @guest.at digits, asking before each whether the port can take it */
#define OUTPUT	200000

static void step_print(struct vcpu_exit *exit)
{
	static bool asked;

	if (guest.at == OUTPUT) {
		guest_power_off(exit);
	} else if (!asked) {
		asked = true;
		guest_in(exit, 0x3fd);
	} else if (guest.data[0] & 0x20) {
		asked = false;
		guest_out(exit, 0x3f8, '0' + guest.at++ % 10);
	} else {
		guest_in(exit, 0x3fd);
	}
}

static void output_to_file(void **state)
{
	static char where[64] = "file:/tmp/vmctl-test-XXXXXX";
	int fd = mkstemp(where + 5);
	char text[64];

	opt.console = where;
	run(step_print);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(lseek(fd, 0, SEEK_END), OUTPUT);
	assert_int_equal(pread(fd, text, 20, OUTPUT - 20), 20);
	assert_memory_equal(text, "01234567890123456789", 20);
	close(fd);
	unlink(where + 5);
}

struct reader {
	int fd;
	size_t total;
	bool ordered;
};

/* reads in small pieces, so that the writer has to wait */
static void *slow_reader(void *arg)
{
	struct reader *reader = arg;
	char buf[700];
	ssize_t nr, i;

	reader->ordered = true;
	while ((nr = read(reader->fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < nr; i++)
			if (buf[i] != '\n' && buf[i] != '0' + (char)(reader->total++ % 10))
				reader->ordered = false;
	return NULL;
}

static void output_to_slow_pipe(void **state)
{
	struct reader reader = { 0 };
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	reader.fd = fds[0];
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	pthread_create(&thread, NULL, slow_reader, &reader);
	opt.console = "stdio";
	run(step_print);
	dup2(saved_stdout, STDOUT_FILENO);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(reader.total, OUTPUT);
	assert_true(reader.ordered);
}

static void output_pipe_closed(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	close(fds[0]);
	opt.console = "stdio";
	run(step_print);
	assert_int_equal(machine.end, END_ERROR);
}

/* reads what the port has when it interrupts, adds it up, ends at a 'q' */
#define INPUT	50000

static unsigned int received;
static bool in_order;

static void step_read(struct vcpu_exit *exit)
{
	static enum { IDLE, STATUS, DATA } asked;

	if (guest_set_up(exit, 0))
		return;
	if (!(guest.spins & 1)) {
		guest.spins |= 1;
		asked = IDLE;
		guest_out(exit, 0x3fa, 0x07);
		return;
	}
	if (!(guest.spins & 2)) {
		guest.spins |= 2;
		guest_out(exit, 0x3f9, 0x01);
		return;
	}
	if (!(guest.spins & 4)) {
		guest.spins |= 4;
		guest_out(exit, 0x3fc, 0x0b);
		return;
	}
	switch (asked) {
	case IDLE:
		asked = STATUS;
		guest_in(exit, 0x3fd);
		return;
	case STATUS:
		asked = guest.data[0] & 1 ? DATA : IDLE;
		if (asked == DATA)
			guest_in(exit, 0x3f8);
		else
			guest_halt(exit);
		return;
	case DATA:
		asked = IDLE;
		if (guest.data[0] == 'q') {
			guest_power_off(exit);
			return;
		}
		in_order &= guest.data[0] == 'a' + received++ % 10;
		exit->kind = VCPU_EXIT_AGAIN;
		return;
	}
}

static void *writer(void *arg)
{
	int fd = *(int *)arg;
	unsigned int i;
	char c;

	for (i = 0; i < INPUT; i++) {
		c = 'a' + i % 10;
		if (write(fd, &c, 1) != 1)
			break;
	}
	if (write(fd, "q", 1) != 1)
		perror("write");
	close(fd);
	return NULL;
}

static void input_from_pipe(void **state)
{
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	pthread_create(&thread, NULL, writer, &fds[1]);
	received = 0;
	in_order = true;
	opt.console = "stdio";
	run(step_read);
	pthread_join(thread, NULL);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(received, INPUT);
	assert_true(in_order);
}

/* a machine on a terminal of its own; its exit status is 10 + the cause of its end */
static pid_t run_on_terminal(void (*step)(struct vcpu_exit *exit), int *terminal)
{
	pid_t pid;

	alarm(0);
	pid = forkpty(terminal, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid)
		return pid;
	alarm(HANG_SECONDS);
	opt.console = "stdio";
	guest.step = step;
	if (machine_create(&machine, &opt, &fake_accel) || machine_run(&machine))
		_exit(1);
	machine_destroy(&machine);
	_exit(10 + machine.end);
}

/* reads what the terminal shows up to @text */
static void expect(int terminal, const char *text)
{
	char seen[8192] = "";
	size_t len = 0;
	ssize_t nr;

	while (!strstr(seen, text)) {
		nr = read(terminal, seen + len, sizeof(seen) - 1 - len);
		if (nr <= 0)
			fail_msg("'%s' did not come, only '%s'", text, seen);
		len += nr;
		seen[len] = '\0';
	}
}

static void type(int terminal, const char *keys)
{
	assert_int_equal(write(terminal, keys, strlen(keys)), strlen(keys));
}

static bool is_cooked(int terminal)
{
	const tcflag_t flags = ICANON | ECHO | ISIG;
	struct termios mode;

	assert_int_equal(tcgetattr(terminal, &mode), 0);
	return (mode.c_lflag & flags) == flags && (mode.c_oflag & OPOST);
}

static int end_of(pid_t pid, int terminal)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(is_cooked(terminal));
	close(terminal);
	return status;
}

/* says hello, then gives back what it reads, with '<' before it; never ends */
static void step_echo(struct vcpu_exit *exit)
{
	static const struct { u16 port; u8 val; } outs[] = {
		{ 0x3fa, 0x07 }, { 0x3f9, 0x01 }, { 0x3fc, 0x0b }, { 0x3f8, 'h' },
		{ 0x3f8, 'i' },
	};
	static enum { IDLE, STATUS, DATA, MARK } asked;
	static u8 key;

	if (guest_set_up(exit, 0))
		return;
	if (guest.spins < ARRAY_SIZE(outs)) {
		guest_out(exit, outs[guest.spins].port, outs[guest.spins].val);
		guest.spins++;
	} else if (asked == IDLE) {
		asked = STATUS;
		guest_in(exit, 0x3fd);
	} else if (asked == STATUS) {
		asked = guest.data[0] & 1 ? DATA : IDLE;
		if (asked == DATA)
			guest_in(exit, 0x3f8);
		else
			guest_halt(exit);
	} else if (asked == DATA) {
		asked = MARK;
		key = guest.data[0];
		guest_out(exit, 0x3f8, '<');
	} else {
		asked = IDLE;
		guest_out(exit, 0x3f8, key);
	}
}

static void terminal_keys(void **state)
{
	int terminal, status;
	pid_t pid = run_on_terminal(step_echo, &terminal);

	expect(terminal, "hi");
	assert_false(is_cooked(terminal));
	type(terminal, "a\x03\x1a");			/* Ctrl-c, Ctrl-z: the guest's */
	expect(terminal, "<a<\x03<\x1a");
	type(terminal, "\x01\x61");			/* Ctrl-a a */
	expect(terminal, "<\x01");
	type(terminal, "\x01h");
	expect(terminal, "Ctrl-a x  quit\r\n");
	type(terminal, "\x01x");
	status = end_of(pid, terminal);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 10 + END_QUIT);
}

static void terminal_after_signal(void **state)
{
	int terminal, status;
	pid_t pid = run_on_terminal(step_echo, &terminal);

	expect(terminal, "hi");
	assert_int_equal(kill(pid, SIGHUP), 0);
	status = end_of(pid, terminal);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 10 + END_SIGNAL);
}

static void step_crash(struct vcpu_exit *exit)
{
	raise(SIGABRT);
}

static void terminal_after_crash(void **state)
{
	int terminal, status;
	pid_t pid = run_on_terminal(step_crash, &terminal);

	status = end_of(pid, terminal);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void terminal_over_a_stop(void **state)
{
	int terminal, status;
	pid_t pid = run_on_terminal(step_echo, &terminal);

	expect(terminal, "hi");
	assert_int_equal(kill(pid, SIGTSTP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_true(is_cooked(terminal));
	assert_int_equal(kill(pid, SIGCONT), 0);
	type(terminal, "b");
	expect(terminal, "<b");
	assert_false(is_cooked(terminal));
	type(terminal, "\x01x");
	status = end_of(pid, terminal);
	assert_int_equal(WEXITSTATUS(status), 10 + END_QUIT);
}

static void refusals(void **state)
{
	opt.mem = 1024 * GIB;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), -1);
	machine_destroy(&machine);
	phys_bits = 52;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), -1);
	machine_destroy(&machine);
	opt.mem = 16 * MIB;
	opt.console = "file:/nonexistent/file";
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), -1);
	machine_destroy(&machine);
	opt.kernel = "/nonexistent";
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), -1);
	machine_destroy(&machine);
}

static unsigned int device_at;
static u64 device_read[3];

static void step_device(struct soft_access *access)
{
	static const struct soft_access all[] = {
		{ .gpa = TESTDEV_ADDR + TESTDEV_SCRATCH, .size = 8, .write = true, .val = 99 },
		{ .gpa = TESTDEV_ADDR + TESTDEV_SCRATCH, .size = 4 },
		{ .gpa = TESTDEV_ADDR + TESTDEV_POSTED, .size = 2, .write = true, .val = 5 },
		{ .gpa = TESTDEV_ADDR + TESTDEV_POSTED, .size = 2 },
		{ .gpa = TESTDEV_ADDR - 8, .size = 8, .write = true },
		{ .gpa = TESTDEV_ADDR + TESTDEV_SIZE, .size = 1 },
		{ .port = true, .gpa = 0x604, .size = 2, .write = true, .val = 0x2000 },
	};

	if (device_at && !access->write)
		device_read[device_at / 2 - 1] = access->val;
	*access = all[device_at++];
}

/* a whole machine with a device from the command line */
static void device_memory(void **state)
{
	device_at = 0;
	memset(&soft, 0, sizeof(soft));
	soft.step = step_device;
	assert_int_equal(device_parse("testdev", &opt.devices[opt.nr_devices++]), 0);
	opt.without = BIT(MHV_OPT_EVENTFD);
	assert_int_equal(machine_create(&machine, &opt, &soft_accel), 0);
	assert_int_equal(soft.disabled, BIT(MHV_OPT_EVENTFD));
	assert_int_equal(machine_run(&machine), 0);
	assert_int_equal(machine.end, END_POWEROFF);
	assert_int_equal(machine.mmio.bus.unclaimed[0], 1);
	assert_int_equal(machine.mmio.bus.unclaimed[1], 1);
	machine_destroy(&machine);
	assert_int_equal(device_read[0], 99);
	assert_int_equal(device_read[1], 5);
	assert_int_equal(device_read[2], 0xff);
	assert_int_equal(soft.taken[MHV_ROUTE_POSTED], 1);
}

/* RAM is there, above the CPU's addresses, another device is there */
static void device_refusals(void **state)
{
	static const u64 bad[] = {
		0, 16 * MIB - GUEST_PAGE, 1ull << 39, (1ull << 39) - GUEST_PAGE, -TESTDEV_SIZE,
	};
	unsigned int i;

	memset(&soft, 0, sizeof(soft));
	assert_int_equal(device_parse("testdev", &opt.devices[0]), 0);
	opt.nr_devices = 1;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		opt.devices[0].addr = bad[i];
		soft.nr_areas = 0;
		assert_int_equal(machine_create(&machine, &opt, &soft_accel), -1);
		machine_destroy(&machine);
	}
	opt.devices[0].addr = 16 * MIB;
	opt.devices[1] = opt.devices[0];
	opt.nr_devices = 2;
	assert_int_equal(machine_create(&machine, &opt, &soft_accel), -1);
	machine_destroy(&machine);
	opt.nr_devices = 1;
	assert_int_equal(machine_create(&machine, &opt, &soft_accel), 0);
	machine_destroy(&machine);
}

/* the last line on stdout, after output of the guest without a newline */
static void result_as_json(void **state)
{
	char path[] = "/tmp/vmctl-test-XXXXXX", text[1024];
	int fd = mkstemp(path);
	ssize_t len;
	char *line;

	unlink(path);
	dup2(fd, STDOUT_FILENO);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	opt.console = "stdio";
	opt.json = true;
	opt.stats = true;
	opt.name = "n\"n";
	guest.step = step_print;
	guest.at = OUTPUT - 3;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), 0);
	assert_int_equal(machine_run(&machine), 0);
	stats_print(&machine);
	machine_destroy(&machine);
	fflush(stdout);
	dup2(saved_stdout, STDOUT_FILENO);
	len = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	assert_true(len > 0);
	text[len] = '\0';
	assert_memory_equal(text, "789\n{", 5);
	line = strchr(text, '\n') + 1;
	assert_int_equal(line[strlen(line) - 1], '\n');
	line[strlen(line) - 1] = '\0';
	assert_null(strchr(line, '\n'));
	assert_non_null(strstr(line, "\"name\": \"n\\\"n\", \"end\": \"poweroff\""));
	assert_non_null(strstr(line, "\"exits\": [{\"reason\": \"io\", \"count\": 75, "));
	assert_non_null(strstr(line, "\"percent\": 75.00}, {\"reason\": \"hlt\", "));
	assert_non_null(strstr(line, "\"other\": 5"));
}

/* two phases, then more than there is room for */
static void step_phases(struct vcpu_exit *exit)
{
	if (guest.at == 2 + PHASES_MAX)
		guest_power_off(exit);
	else
		guest_out(exit, PHASE_PORT, 7 + guest.at++);
}

static void phases_as_json(void **state)
{
	FILE *saved = stdout;
	unsigned int i;
	size_t len;
	char *text, *at;

	opt.json = true;
	opt.phases = true;
	guest.step = step_phases;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), 0);
	assert_int_equal(machine_run(&machine), 0);
	stdout = open_memstream(&text, &len);
	stats_print(&machine);
	fclose(stdout);
	stdout = saved;
	machine_destroy(&machine);
	at = strstr(text, "\"phases\": [{\"phase\": 7, \"cpu_ns\": ");
	for (i = 0; i < PHASES_MAX; i++) {
		assert_non_null(at);
		at = strstr(at + 1, "\"counters\": {\"other\": 5, \"exit_io\": 75, ");
	}
	assert_non_null(at);
	assert_null(strstr(at + 1, "\"phase\""));
	free(text);
	/* without the option there is no such port: the guest writes to nothing */
	opt.phases = false;
	memset(&guest, 0, sizeof(guest));
	run(step_phases);
	assert_int_equal(machine.end, END_POWEROFF);
}

static void stats_as_text(void **state)
{
	static const char *const want =
		"counter                                   count\n"
		"other                                         5\n\n"
		"instructions decoded                      count\n"
		"decode_hit                                    6\n\n"
		"device memory by route                    count\n"
		"route_ioreq                                   2\n\n"
		"device memory by cache                    count\n"
		"mmio_vcpu_cache                               9\n\n"
		"page faults by verdict                    count\n"
		"pf_mapped                                     4\n"
		"pf_mmio                                       3\n\n"
		"exits by reason                           count  percent\n"
		"io                                           75   75.00%\n"
		"hlt                                          25   25.00%\n"
		"total                                       100  100.00%\n";
	FILE *saved = stdout;
	size_t len;
	char *text;

	guest.step = guest_power_off;
	opt.stats = true;
	assert_int_equal(machine_create(&machine, &opt, &fake_accel), 0);
	assert_int_equal(machine_run(&machine), 0);
	stdout = open_memstream(&text, &len);
	stats_print(&machine);
	fclose(stdout);
	stdout = saved;
	machine_destroy(&machine);
	assert_string_equal(text, want);
	free(text);
}

/* others ask for the counters while the guest runs */
static char *stats_asked;

static void *ask_for_stats(void *arg)
{
	control_ask("machine-test", "stats", &stats_asked);
	return NULL;
}

static void step_until_asked(struct vcpu_exit *exit)
{
	static pthread_t thread;

	if (!guest.at++)
		pthread_create(&thread, NULL, ask_for_stats, NULL);
	pthread_join(thread, NULL);
	guest_power_off(exit);
}

static void stats_meanwhile(void **state)
{
	opt.name = "machine-test";
	run(step_until_asked);
	assert_non_null(stats_asked);
	assert_memory_equal(stats_asked, "seconds 0.", 10);
	assert_non_null(strstr(stats_asked, "\nexit_io 75\nexit_hlt 25\n"));
	assert_non_null(strstr(stats_asked, "\nnet_received_bytes 0\n"));
	free(stats_asked);
}

#define MACHINE_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	MACHINE_TEST(powers_off),
	MACHINE_TEST(interrupts_end_halts),
	MACHINE_TEST(interrupts_kick),
	MACHINE_TEST(interrupts_wait_for_window),
	MACHINE_TEST(times_out),
	MACHINE_TEST(signal_ends),
	MACHINE_TEST(other_ends),
	MACHINE_TEST(debug_exit_only_on_demand),
	MACHINE_TEST(output_to_file),
	MACHINE_TEST(output_to_slow_pipe),
	MACHINE_TEST(output_pipe_closed),
	MACHINE_TEST(input_from_pipe),
	MACHINE_TEST(terminal_keys),
	MACHINE_TEST(terminal_after_signal),
	MACHINE_TEST(terminal_after_crash),
	MACHINE_TEST(terminal_over_a_stop),
	MACHINE_TEST(refusals),
	MACHINE_TEST(result_as_json),
	MACHINE_TEST(stats_as_text),
	MACHINE_TEST(phases_as_json),
	MACHINE_TEST(stats_meanwhile),
	MACHINE_TEST(device_memory),
	MACHINE_TEST(device_refusals),
};

int main(void)
{
	test_clock_real = true;
	setenv("MHV_RUN_DIR", "/tmp", 1);
	test_silence();
	return test_main("machine", tests, ARRAY_SIZE(tests));
}
