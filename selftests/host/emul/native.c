// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execute one instruction on the host CPU (native.h, native_stub.S).
 *
 * Faults arrive as signals; the handler notes vector, error code and CR2 and goes on
 * at the stub's exit, which stores the registers as the fault left them.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "native.h"

void native_signal_entry(int sig, siginfo_t *info, void *context);
void native_signal(int sig, siginfo_t *info, void *context);

#define SLOT_SIZE	16

static struct native_fault fault;
static u64 exit_rip;	/* where a fault goes on; 0: none is expected */
static u64 fs_base;
static void *window;	/* the test's own mapping of the window */
static u8 signal_stack[1 << 16];

/* Address of a stub's label in the copy that is executed */
static u64 at(const u8 *label)
{
	return NATIVE_BASE + (label - native_begin);
}

struct native_state *native_state(void)
{
	return (struct native_state *)NATIVE_STATE;
}

void *native_window(void)
{
	return window;
}

u64 native_segment_base(enum mhv_mode mode, enum mhv_seg seg)
{
	if (mode == MHV_MODE_16)
		return NATIVE_BASE;
	return mode == MHV_MODE_64 && seg == MHV_SEG_FS ? fs_base : 0;
}

u64 native_rip(enum mhv_mode mode)
{
	if (mode == MHV_MODE_16)
		return at(native_slot16) - NATIVE_BASE;
	return mode == MHV_MODE_32 ? at(native_slot32) : at(native_slot64);
}

u64 native_target(enum mhv_mode mode)
{
	if (mode == MHV_MODE_16)
		return at(native_land16) - NATIVE_BASE;
	return mode == MHV_MODE_32 ? at(native_land32) : at(native_land64);
}

void native_signal(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (!exit_rip) {
		signal(sig, SIG_DFL);
		return;
	}
	fault.vector = regs[REG_TRAPNO];
	fault.error = regs[REG_ERR];
	fault.cr2 = regs[REG_CR2];
	regs[REG_RIP] = exit_rip;
	exit_rip = 0;
}

static bool map(u64 address, size_t size, int prot)
{
	return mmap((void *)address, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		    -1, 0) == (void *)address;
}

static bool set_ldt(unsigned int entry, unsigned int contents)
{
	struct user_desc d = {
		.entry_number = entry,
		.base_addr = NATIVE_BASE,
		.limit = 0xffff,
		.contents = contents,
	};

	return syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

bool native_catch_signals(void)
{
	struct sigaction sa = {
		.sa_sigaction = native_signal_entry,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER,
	};
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };

	return !sigaltstack(&stack, NULL) && !sigaction(SIGSEGV, &sa, NULL) &&
	       !sigaction(SIGBUS, &sa, NULL) && !sigaction(SIGILL, &sa, NULL);
}

/* The window is mapped twice: as the instruction may use it, and for the test */
static bool map_window(void)
{
	void *inside = (void *)NATIVE_WINDOW;
	int fd = memfd_create("window", 0);
	bool done;

	if (fd < 0 || ftruncate(fd, NATIVE_SIZE))
		return false;
	window = mmap(NULL, NATIVE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	done = window != MAP_FAILED &&
	       mmap(inside, NATIVE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		       inside &&
	       !mprotect((u8 *)inside + NATIVE_SIZE - 4096, 4096, PROT_READ);
	close(fd);
	return done;
}

bool native_setup(void)
{
	/* the pages in between stay without access */
	if (!map(NATIVE_BASE, 3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map(NATIVE_STACK, NATIVE_END - NATIVE_STACK, PROT_NONE) || !map_window()) {
		perror("# low memory for native execution");
		return false;
	}
	memcpy((void *)NATIVE_BASE, native_begin, native_end - native_begin);
	if (!set_ldt(0, MODIFY_LDT_CONTENTS_CODE) || !set_ldt(1, MODIFY_LDT_CONTENTS_DATA)) {
		perror("# 16-bit segments: modify_ldt");
		return false;
	}
	if (syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base) || !native_catch_signals()) {
		perror("# native execution");
		return false;
	}
	return true;
}

static void enter(enum mhv_mode mode)
{
	u64 entry = at(mode == MHV_MODE_64 ? native_enter64 : native_enter_far);

	if (mode == MHV_MODE_32)
		native_state()->far_jump = at(native_code32) | (u64)NATIVE_CS32 << 32;
	if (mode == MHV_MODE_16)
		native_state()->far_jump = (at(native_code16) - NATIVE_BASE) |
					   (u64)NATIVE_CS16 << 32;
	((void (*)(void))entry)();
}

struct native_fault native_run(enum mhv_mode mode, const u8 *bytes, unsigned int len)
{
	u64 slot = native_rip(mode), exit = slot + SLOT_SIZE;
	u8 *code = (u8 *)(mode == MHV_MODE_16 ? slot + NATIVE_BASE : slot);

	memset(code, 0x90, SLOT_SIZE);
	memcpy(code, bytes, len);
	native_state()->landed = 0;
	fault.vector = -1;
	exit_rip = exit;
	enter(mode);
	exit_rip = 0;
	return fault;
}
