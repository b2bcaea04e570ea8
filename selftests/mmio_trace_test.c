// SPDX-License-Identifier: GPL-2.0-only
/* What the tracepoints say of accesses to device memory, as any tool would print it. */
#include <dirent.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "mhv_test.h"
#include "mmio.h"

#define DEV		((__u64)GUEST_HOLE)
#define INSTANCE	"/sys/kernel/tracing/instances/mhv-selftest"
#define VALUE		0x8182838485868788ull

FIXTURE(trace) {
	struct vm vm;
	struct vcpu vcpu;
	struct mmio_dev dev;
	char *text;		/* of the trace, by trace_read() */
	const char *at;		/* where trace_next() goes on */
};

static bool trace_write(const char *file, const char *text)
{
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), INSTANCE "/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

/* Trace these events of mhv, "" all, or stop. */
static bool trace_event(const char *event, bool on)
{
	char path[128];

	snprintf(path, sizeof(path), "events/mhv/%s%senable", event, *event ? "/" : "");
	return trace_write(path, on ? "1" : "0");
}

/* Trace all these. */
#define ASSERT_TRACE(...) do {						\
	const char *const events[] = { __VA_ARGS__ };			\
	unsigned int e;							\
									\
	for (e = 0; e < ARRAY_SIZE(events); e++) {			\
		ASSERT_TRUE(trace_event(events[e], true))		\
			TH_LOG("no event %s", events[e]);		\
	}								\
} while (0)

FIXTURE_SETUP(trace)
{
	mkdir(INSTANCE, 0700);
	ASSERT_TRUE(trace_event("", false));
	ASSERT_TRUE(trace_write("trace", ""));
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
	mmio_dev_init(&self->dev, DEV, 4 * PAGE_SIZE);
	self->text = NULL;
}

FIXTURE_TEARDOWN(trace)
{
	trace_event("", false);
	free(self->text);
	mmio_dev_free(&self->dev);
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
	rmdir(INSTANCE);
}

/* Stop, and take what there is. */
static void trace_read(FIXTURE_DATA(trace) *self)
{
	size_t room = 1 << 20, n;
	FILE *f = fopen(INSTANCE "/trace", "r");

	trace_event("", false);
	free(self->text);
	self->text = calloc(1, room);
	if (!f || !self->text)
		die("trace");
	n = fread(self->text, 1, room - 1, f);
	self->text[n] = 0;
	fclose(f);
	self->at = self->text;
	if (!trace_write("trace", ""))
		die("trace");
}

/* Go on behind the next line that has the text; false, and stay, if there is none. */
__attribute__((format(printf, 2, 3)))
static bool trace_next(FIXTURE_DATA(trace) *self, const char *fmt, ...)
{
	char want[1200];
	const char *p;
	va_list args;

	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	p = strstr(self->at, want);
	if (!p) {
		fprintf(stderr, "# no '%s' in:\n%.4000s\n", want, self->at);
		return false;
	}
	self->at = p + strlen(want);
	return true;
}

static unsigned int trace_count(FIXTURE_DATA(trace) *self, const char *what)
{
	const char *p = self->text;
	unsigned int n = 0;

	while ((p = strstr(p, what))) {
		n++;
		p++;
	}
	return n;
}

#define EXPECT_NEXT(...)	EXPECT_TRUE(trace_next(self, __VA_ARGS__))

/* The guest writes @value, the device model answers. */
static void store(struct __test_metadata *_metadata, FIXTURE_DATA(trace) *self, __u64 gpa,
		  __u64 value)
{
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_store(&self->vcpu, gpa, value));
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
}

#define STORE(gpa, value)	store(_metadata, self, gpa, value)

/* ---- one access -------------------------------------------------------------------- */

GUEST_ASM(guest_trace_twice, 64,
	  "mov $2, %edx\n"
	  "1: mov %rax, (%rcx)\n"
	  "dec %edx\n"
	  "jnz 1b\n"
	  G_DONE);

/* The second time, when the vCPU's cache and the decoded instruction are there */
TEST_F(trace, steps_of_a_write)
{
	vcpu_start(&self->vcpu, guest_trace_twice, VALUE, DEV + 8, 0);
	ASSERT_MMIO_WRITE(&self->vcpu, DEV + 8, 8, VALUE);
	ASSERT_TRACE("");
	ASSERT_MMIO_WRITE(&self->vcpu, DEV + 8, 8, VALUE);
	ASSERT_DONE(&self->vcpu);
	trace_read(self);
	EXPECT_NEXT("mhv_entry: vcpu=0");
	EXPECT_NEXT("mhv_exit: vcpu=0 reason=%s rip=0x",
		    vm_is_shadowed(&self->vm) ? "exception" : "tdp_misconfig");
	EXPECT_NEXT("mhv_page_fault: vcpu=0 gpa=0x%llx ", DEV + 8);
	EXPECT_NEXT("verdict=vcpu_cache");
	EXPECT_NEXT("mhv_decode: vcpu=0 rip=0x");
	EXPECT_NEXT("bytes=488901");
	EXPECT_NEXT("result=ok cached=1");
	EXPECT_NEXT("mhv_mmio: vcpu=0 write gpa=0x%llx gva=0x%llx size=8 data=0x%llx ", DEV + 8,
		    DEV + 8, VALUE);
	EXPECT_NEXT("route=ioreq cache=vcpu_cache\n");
	EXPECT_NEXT("mhv_ioreq: vcpu=0 mmio addr=0x%llx size=8 count=1 data=0x%llx flags=write\n",
		    DEV + 8, VALUE);
	EXPECT_NEXT("mhv_ioreq_done: vcpu=0 addr=0x%llx size=8 count=1 ", DEV + 8);
	EXPECT_NEXT("data=0x%llx flags=write ticks=", VALUE);
	/* asked and answered: some ticks, and not all since the machine was started */
	EXPECT_NE(0, strtoull(self->at, NULL, 0));
	EXPECT_GT(100000000, strtoull(self->at, NULL, 0));
	EXPECT_NEXT("mhv_entry: vcpu=0");
}

TEST_F(trace, reads)
{
	__u64 value = 0;

	ASSERT_TRACE("mhv_mmio", "mhv_ioreq_done");
	ASSERT_EQ(MHV_EXIT_MMIO, vcpu_load(&self->vcpu, DEV + 16, &value));
	self->vcpu.run->ioreq.data = VALUE;
	vcpu_done_io(&self->vcpu);
	ASSERT_EQ(0, vcpu_again(&self->vcpu, &value));
	EXPECT_EQ(VALUE, value);
	trace_read(self);
	EXPECT_NEXT("mhv_ioreq_done: vcpu=0 addr=0x%llx size=8 count=1 data=0x%llx flags= ticks=",
		    DEV + 16, VALUE);
	EXPECT_NEXT("mhv_mmio: vcpu=0 read gpa=0x%llx gva=0x%llx size=8 data=0x%llx ", DEV + 16,
		    DEV + 16, VALUE);
	EXPECT_NEXT("route=ioreq cache=slow\n");
}

/* The answers of caches, each as its verdict */
TEST_F(trace, verdicts)
{
	ASSERT_TRACE("mhv_mmio", "mhv_mmio_spte", "mhv_mmio_spte_check", "mhv_page_fault",
		     "mhv_memslot");
	STORE(DEV, 1);
	mmio_set_options(&self->vm, BIT_ULL(MHV_OPT_VCPU_CACHE));
	STORE(DEV, 2);
	vm_set_slot(&self->vm, 3, DEV + 8 * PAGE_SIZE, PAGE_SIZE, self->dev.mem);
	STORE(DEV, 3);
	trace_read(self);
	EXPECT_NEXT("mhv_mmio_spte: made gfn=0x%llx gen=", DEV / PAGE_SIZE);
	EXPECT_NEXT("verdict=slow");
	EXPECT_NEXT("data=0x1 route=ioreq cache=slow");
	EXPECT_NEXT("mhv_mmio_spte_check: gfn=0x%llx spte=0x", DEV / PAGE_SIZE);
	EXPECT_NEXT("verdict=spte");
	EXPECT_NEXT("data=0x2 route=ioreq cache=spte");
	EXPECT_NEXT("mhv_memslot: slot=3 gpa=0x%llx size=0x1000 hva=0x%llx flags=0x0 gen=",
		    DEV + 8 * PAGE_SIZE, (__u64)(unsigned long)self->dev.mem);
	EXPECT_NEXT("verdict=stale");
	EXPECT_NEXT("mhv_mmio_spte: made gfn=0x%llx gen=", DEV / PAGE_SIZE);
	EXPECT_NEXT("data=0x3 route=ioreq cache=slow");
}

/* Tracing of decodings alone must see those that the short way would have used. */
TEST_F(trace, decodings)
{
	int i;

	ASSERT_TRACE("mhv_decode");
	for (i = 0; i < 3; i++)
		STORE(DEV, i);
	mmio_set_options(&self->vm, BIT_ULL(MHV_OPT_DECODE_CACHE));
	STORE(DEV, i);
	trace_read(self);
	EXPECT_EQ(4, trace_count(self, "mhv_decode:"));
	EXPECT_NEXT("bytes=488901");
	EXPECT_NEXT("cached=0");
	EXPECT_NEXT("cached=1");
	EXPECT_NEXT("cached=1");
	EXPECT_NEXT("cached=0");
}

GUEST_ASM(guest_trace_store, 64, "mov %rax, (%rcx)\n" G_DONE);

/* Each part of an access has its own addresses and its own data. */
TEST_F(trace, across_pages)
{
	const __u64 at = DEV + PAGE_SIZE - 3;

	ASSERT_TRACE("mhv_mmio");
	vcpu_start(&self->vcpu, guest_trace_store, VALUE, at, 0);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
	EXPECT_EQ(NULL, self->dev.wrong);
	trace_read(self);
	EXPECT_NEXT("write gpa=0x%llx gva=0x%llx size=1 data=0x88 ", at, at);
	EXPECT_NEXT("write gpa=0x%llx gva=0x%llx size=2 data=0x8687 ", at + 1, at + 1);
	EXPECT_NEXT("write gpa=0x%llx gva=0x%llx size=4 data=0x82838485 ", at + 3, at + 3);
	EXPECT_NEXT("write gpa=0x%llx gva=0x%llx size=1 data=0x81 ", at + 7, at + 7);
}

/* ---- data of strings and vectors ------------------------------------------------------ */

/* Copy rdx elements of 8 bytes from [GUEST_DATA] to [rcx], and the first back */
GUEST_ASM(guest_trace_movs, 64,
	  "mov %rcx, %rdi\n"
	  "mov $" STR(GUEST_DATA) ", %esi\n"
	  "mov %edx, %ecx\n"
	  "mov %rdi, %rbx\n"
	  "rep movsq\n"
	  "mov %rbx, %rsi\n"
	  "movsq\n"
	  G_DONE);

#define ELEMENTS	70

static void hex(char *to, const void *from, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x\n", ((const __u8 *)from)[i]);
}

TEST_F(trace, data_of_strings)
{
	__u64 *ram = vm_ptr(&self->vm, GUEST_DATA);
	char text[2 * 512 + 2];
	unsigned int i;

	for (i = 0; i < ELEMENTS; i++)
		ram[i] = VALUE * (i + 1);
	ASSERT_TRACE("mhv_mmio", "mhv_ioreq", "mhv_ioreq_done", "mhv_data");
	vcpu_start(&self->vcpu, guest_trace_movs, 0, DEV, ELEMENTS);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
	trace_read(self);
	EXPECT_NEXT("mhv_mmio: vcpu=0 write gpa=0x%llx gva=0x%llx size=%u data=0x%llx route=ioreq",
		    DEV, DEV, ELEMENTS * 8, VALUE);
	EXPECT_NEXT("mhv_ioreq: vcpu=0 mmio addr=0x%llx size=8 count=%u ", DEV, ELEMENTS);
	for (i = 0; i < ELEMENTS; i += 64) {
		hex(text, ram + i, 8 * (ELEMENTS - i < 64 ? ELEMENTS - i : 64));
		EXPECT_NEXT("mhv_data: vcpu=0 offset=%u bytes=%s", i * 8, text);
	}
	EXPECT_NEXT("mhv_mmio: vcpu=0 read gpa=0x%llx gva=0x%llx size=8 data=0x%llx route=ioreq",
		    DEV, DEV, VALUE);
}

GUEST_ASM(guest_trace_vector, 64,
	  "mov $" STR(GUEST_DATA) ", %eax\n"
	  "movups (%rax), %xmm1\n"
	  "movups %xmm1, (%rcx)\n"
	  G_DONE);

TEST_F(trace, data_of_vectors)
{
	__u64 *ram = vm_ptr(&self->vm, GUEST_DATA);
	char text[2 * 16 + 2];

	ram[0] = VALUE;
	ram[1] = ~VALUE;
	hex(text, ram, 16);
	ASSERT_TRACE("mhv_mmio", "mhv_ioreq", "mhv_data");
	vcpu_start(&self->vcpu, guest_trace_vector, 0, DEV, 0);
	ASSERT_EQ(MHV_EXIT_IO, mmio_run(&self->vcpu, &self->dev));
	trace_read(self);
	EXPECT_NEXT("mhv_mmio: vcpu=0 write gpa=0x%llx gva=0x%llx size=16 data=0x%llx route=ioreq",
		    DEV, DEV, VALUE);
	EXPECT_NEXT("mhv_data: vcpu=0 offset=0 bytes=%s", text);
}

/* ---- routes ------------------------------------------------------------------------ */

TEST_F(trace, posted_and_drained)
{
	struct mhv_route route = {
		.kind = MHV_ROUTE_POSTED, .gpa = DEV, .size = 0x100, .fd = -1,
	};
	struct mhv_area area;
	struct mhv_ring *ring;
	int i;

	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_RING, &area));
	ring = mmio_map_area(&self->vm, &area);
	route.area = area.id;
	ASSERT_EQ(0, mmio_route(&self->vm, &route));
	ASSERT_TRACE("mhv_posted", "mhv_posted_drain");
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV + 8 * i, VALUE + i));
	ring->consumer = 2;
	ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV, VALUE + i));
	trace_read(self);
	for (i = 0; i < 3; i++)
		EXPECT_NEXT("mhv_posted: vcpu=0 gpa=0x%llx size=8 data=0x%llx seq=%d used=%d\n",
			    DEV + 8 * i, VALUE + i, i, i + 1);
	EXPECT_NEXT("mhv_posted_drain: vcpu=0 seen drained from=0 to=2\n");
	EXPECT_NEXT("mhv_posted: vcpu=0 gpa=0x%llx size=8 data=0x%llx seq=3 used=2\n", DEV,
		    VALUE + i);
	munmap(ring, area.size);
}

TEST_F(trace, eventfd_and_register_file)
{
	struct mhv_route bell = {
		.kind = MHV_ROUTE_EVENTFD, .gpa = DEV + 8, .size = 8,
		.fd = eventfd(0, EFD_NONBLOCK),
	};
	struct mhv_route regs = { .kind = MHV_ROUTE_REGFILE, .gpa = DEV, .size = 8, .fd = -1 };
	struct mhv_area area;
	__u64 *page, value;

	ASSERT_EQ(0, mmio_area(&self->vm, MHV_AREA_REGFILE, &area));
	page = mmio_map_area(&self->vm, &area);
	page[0] = VALUE;
	regs.area = area.id;
	ASSERT_EQ(0, mmio_route(&self->vm, &bell));
	ASSERT_EQ(0, mmio_route(&self->vm, &regs));
	ASSERT_TRACE("mhv_eventfd", "mhv_mmio");
	ASSERT_EQ(0, vcpu_store(&self->vcpu, DEV + 8, VALUE));
	ASSERT_EQ(0, vcpu_load(&self->vcpu, DEV, &value));
	trace_read(self);
	EXPECT_NEXT("mhv_eventfd: vcpu=0 gpa=0x%llx size=8 data=0x%llx\n", DEV + 8, VALUE);
	EXPECT_NEXT("write gpa=0x%llx gva=0x%llx size=8 data=0x%llx route=eventfd", DEV + 8,
		    DEV + 8, VALUE);
	EXPECT_NEXT("read gpa=0x%llx gva=0x%llx size=8 data=0x%llx route=regfile", DEV, DEV,
		    VALUE);
	munmap(page, area.size);
	close(bell.fd);
}

/* ---- all of them ----------------------------------------------------------------------- */

/* A format that plain tools decode calls nothing but what they know. */
TEST_F(trace, formats_are_plain)
{
	static const char *const known[] = {
		"__print_symbolic", "__print_flags", "__print_hex_str", "__get_dynamic_array",
		"__get_dynamic_array_len", "__data_loc",
	};
	char path[512], text[8192], *p;
	unsigned int formats = 0, i;
	struct dirent *d;
	DIR *dir;
	FILE *f;

	dir = opendir(INSTANCE "/events/mhv");
	ASSERT_NE(NULL, dir);
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), INSTANCE "/events/mhv/%s/format", d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (!f)
			continue;
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
		formats++;
		p = strstr(text, "print fmt");
		ASSERT_NE(NULL, p);
		/* the name of an enumeration, which user space does not know */
		EXPECT_EQ(NULL, strstr(p, "MHV_"))
			TH_LOG("%s: %.300s", d->d_name, p);
		EXPECT_EQ(NULL, strstr(p, "XR_"))
			TH_LOG("%s: %.300s", d->d_name, p);
		EXPECT_EQ(NULL, strstr(p, "GUEST_"))
			TH_LOG("%s: %.300s", d->d_name, p);
		for (p = strstr(text, "print fmt"); p && (p = strstr(p, "__")); p += i) {
			i = strspn(p, "_abcdefghijklmnopqrstuvwxyz");
			snprintf(path, sizeof(path), "%.*s", (int)i, p);
			for (unsigned int k = 0; k <= ARRAY_SIZE(known); k++) {
				ASSERT_NE(ARRAY_SIZE(known), k)
					TH_LOG("%s: %s", d->d_name, path);
				if (!strcmp(path, known[k]))
					break;
			}
		}
	}
	closedir(dir);
	EXPECT_LE(16, formats);
}
