/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's selftest harness, a main() for it that skips all tests with a reason where
 * /dev/mhv is missing, and assertions about the exits of a vCPU.
 */
#ifndef SELFTESTS_MHV_TEST_H
#define SELFTESTS_MHV_TEST_H

#include <fcntl.h>
#include <kselftest_harness.h>

#include "mhv_vm.h"

/* Seconds a test may take: an emulated host with a debugging kernel is slow. */
#define MHV_TEST_TIMEOUT	120

/* Result of a system call as the kernel gives it: 0 or more, or -errno */
#define RET(call)	({ long __ret = (call); __ret < 0 ? -(long)errno : __ret; })

/* MHV_RUN must end with this exit. */
#define ASSERT_EXIT(vcpu, want)						\
	mhv_want_exit(_metadata, __LINE__, vcpu, want)

/* MHV_RUN must end with this one port access; it stays to be completed. */
#define ASSERT_IO(vcpu, flags, port, size)				\
	mhv_want_io(_metadata, __LINE__, vcpu, flags, port, size)

/* The guest must report some 32-bit value: this macro's own. */
#define GET_REPORT(vcpu)						\
	mhv_want_report(_metadata, __LINE__, vcpu)

/* The guest must report this 32-bit value. */
#define ASSERT_REPORT(vcpu, value)					\
	mhv_want_value(_metadata, __LINE__, vcpu, value)

/* The guest must say that it is through. */
#define ASSERT_DONE(vcpu)						\
	mhv_want_done(_metadata, __LINE__, vcpu)

/* Entry @index of the guest's event log must be this vector, error and rip. */
#define ASSERT_LOGGED(vcpu, index, vector, error, rip)			\
	mhv_want_logged(_metadata, __LINE__, vcpu, index, vector, error, rip)

/* Fail the test as ASSERT_EQ does, and say where the vCPU stands. */
static inline void mhv_want(struct __test_metadata *t, int line, struct vcpu *vcpu,
			    const char *what, __u64 want, __u64 got)
{
	if (want == got)
		return;
	fprintf(stderr, "# line %d:%s:Expected %s %#llx, got %#llx\n", line, t->name, what,
		want, got);
	vcpu_dump(vcpu);
	t->passed = 0;
	__bail(1, t);
}

static inline void mhv_want_exit(struct __test_metadata *t, int line, struct vcpu *vcpu,
				 __u32 want)
{
	mhv_want(t, line, vcpu, "MHV_RUN", 0, -vcpu_run(vcpu));
	mhv_want(t, line, vcpu, "exit", want, vcpu->run->exit);
}

static inline void mhv_want_io(struct __test_metadata *t, int line, struct vcpu *vcpu,
			       __u32 flags, __u64 port, __u32 size)
{
	const struct mhv_ioreq *req = &vcpu->run->ioreq;

	mhv_want_exit(t, line, vcpu, MHV_EXIT_IO);
	mhv_want(t, line, vcpu, "ioreq state", MHV_IOREQ_READY, req->state);
	mhv_want(t, line, vcpu, "ioreq flags", flags, req->flags);
	mhv_want(t, line, vcpu, "port", port, req->addr);
	mhv_want(t, line, vcpu, "ioreq size", size, req->size);
	if (!(flags & MHV_IOREQ_STRING))
		mhv_want(t, line, vcpu, "ioreq count", 1, req->count);
}

static inline __u32 mhv_want_report(struct __test_metadata *t, int line,
				    struct vcpu *vcpu)
{
	mhv_want_io(t, line, vcpu, MHV_IOREQ_WRITE, PORT_REPORT, 4);
	vcpu_done_io(vcpu);
	return vcpu->run->ioreq.data;
}

static inline void mhv_want_value(struct __test_metadata *t, int line, struct vcpu *vcpu,
				  __u32 value)
{
	mhv_want(t, line, vcpu, "report", value, mhv_want_report(t, line, vcpu));
}

static inline void mhv_want_done(struct __test_metadata *t, int line, struct vcpu *vcpu)
{
	mhv_want_io(t, line, vcpu, MHV_IOREQ_WRITE, PORT_DONE, 1);
	vcpu_done_io(vcpu);
}

static inline void mhv_want_logged(struct __test_metadata *t, int line, struct vcpu *vcpu,
				   __u64 index, __u64 vector, __u64 error, __u64 rip)
{
	const struct guest_log *log = vm_log(vcpu->vm);

	mhv_want(t, line, vcpu, "logged event", 1, index < log->count);
	mhv_want(t, line, vcpu, "vector", vector, log->entry[index].vector);
	mhv_want(t, line, vcpu, "error code", error, log->entry[index].error);
	mhv_want(t, line, vcpu, "saved rip", rip, log->entry[index].rip);
}

/* Are the VMs to have shadow paging where there is none? */
static inline bool mhv_no_shadow(int dev)
{
	struct mhv_info info;

	if (vm_paging() != MHV_PAGING_SHADOW || ioctl(dev, MHV_GET_INFO, &info))
		return false;
	return !(info.features & BIT_ULL(MHV_FEAT_SHADOW));
}

static inline const char *mhv_missing(void)
{
	int fd = open(MHV_DEVICE, O_RDWR | O_CLOEXEC);
	const char *reason = NULL;

	if (fd < 0)
		return errno == ENOENT ? MHV_DEVICE " is not there: load mhv.ko" :
					 MHV_DEVICE " cannot be opened: run as root";
	if (mhv_no_shadow(fd))
		reason = "MHV_PAGING=shadow: this mhv.ko has no shadow paging";
	close(fd);
	return reason;
}

/* Why a test is skipped where vm_is_shadowed() */
#define NO_REAL_MODE	"shadow paging has no real mode"

/*
 * The step at which long loops go through their cases: all of them, or, under a
 * debugging kernel, where each exit is dear, one in so many.
 */
static inline unsigned int mhv_stride(unsigned int debug)
{
	return access("/proc/lockdep", F_OK) ? 1 : debug;
}

/* Keep the tests of @f whose name has @part in it. */
static inline void mhv_filter(struct __fixture_metadata *f, const char *part)
{
	struct __test_metadata **link = &f->tests, *t;

	for (t = f->tests; t; t = t->next) {
		if (!strstr(t->name, part))
			continue;
		*link = t;
		link = &t->next;
	}
	*link = NULL;
}

static inline int mhv_skip_all(const char *reason)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;
	unsigned int count = 0;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			count++;
	ksft_print_header();
	ksft_set_plan(count);
	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			ksft_test_result_skip("%s.%s: %s\n", f->name, t->name, reason);
	ksft_print_cnts();
	return KSFT_SKIP;
}

/* main [PART]: run the tests that have PART in their name, by default all */
int main(int argc, char **argv)
{
	const char *missing = mhv_missing();
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (f = __fixture_list; f; f = f->next) {
		if (argc > 1)
			mhv_filter(f, argv[1]);
		for (t = f->tests; t; t = t->next)
			t->timeout = MHV_TEST_TIMEOUT;
	}
	return missing ? mhv_skip_all(missing) : test_harness_run(argc, argv);
}

#endif
