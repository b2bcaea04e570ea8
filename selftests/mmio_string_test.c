// SPDX-License-Identifier: GPL-2.0-only
/*
 * Repeated string instructions between RAM and device memory, in both directions, over
 * pages and round the end of a 16-bit segment; and in what batches devices see them.
 */
#include "mhv_test.h"
#include "mmio_stage.h"

/* ---- against the CPU --------------------------------------------------------------- */

/*
 * Where both sides begin, as offsets in the window; a transfer that descends begins
 * DOWN higher.  @bytes 0: what counts() says.  With @same both sides lie in pages of
 * one kind: they overlap.
 */
struct span {
	__u64 source, dest, bytes;
	bool same, only16;
};

#define DOWN	0x3000

static const struct span spans[] = {
	{ 0x1f80, 0x9f80, 0, false, false },
	{ 0x1f83, 0x9f91, 0, false, false },
	{ 0x2f80, 0x2f81, 200, true, false },
	{ 0x2f84, 0x2f80, 200, true, false },
	{ 0x2f00, 0x2f40, 300, true, false },
	/* The end of a 16-bit segment, in the middle of an element and between two */
	{ 0xffc0, 0x9f80, 120, false, true },
	{ 0xffc1, 0x9f80, 120, false, true },
	{ 0x2f80, 0xffc0, 120, false, true },
};

struct string_trial {
	const struct form *form;
	const struct span *span;
	__u64 count;
	bool down;
};

static unsigned int element_size(const struct form *f)
{
	switch (f->text[strlen(f->text) - 1]) {
	case 'b':
		return 1;
	case 'w':
		return 2;
	case 'l':
		return 4;
	default:
		return 8;
	}
}

/* Instructions that compare go element by element: not too many of them */
static bool goes_in_batches(const struct form *f)
{
	return strstr(f->text, "movs") || strstr(f->text, "stos");
}

/* Bytes to transfer in the @i-th trial at a span, 0: there are no more */
static __u64 nr_bytes(const struct form *f, const struct span *span, int i)
{
	if (span->bytes)
		return i ? 0 : span->bytes;
	if (i == 0)
		return goes_in_batches(f) ? 9000 : 200;
	return i == 1 && span == spans ? 3 * element_size(f) : 0;
}

static bool page_is_source(unsigned int page)
{
	return page < STACK_PAGE || page >= 14;
}

static void show_sides(struct stage *s, char source, char dest)
{
	unsigned int page;

	for (page = 0; page < WINDOW_PAGES; page++)
		if (page != STACK_PAGE)
			stage_set_page(s, page, page_is_source(page) ? source : dest);
	stage_reset(s);
}

/* One byte throughout, but for a flaw now and then, so that REPE gets on */
static void fill_window(struct stage *s)
{
	static __u8 fill[WINDOW_PAGES][PAGE_SIZE];
	static bool made;
	unsigned int i;

	for (i = 0; !made && i < sizeof(fill); i++)
		fill[i / PAGE_SIZE][i % PAGE_SIZE] = i % 91 ? 0x5a : i / 91;
	made = true;
	for (i = 0; i < WINDOW_PAGES; i++)
		if (i != STACK_PAGE)
			memcpy(stage_byte(s, i * PAGE_SIZE), fill[i], PAGE_SIZE);
}

static __u64 hash_window(struct stage *s)
{
	__u64 hash = 0, *page;
	unsigned int nr, i;

	for (nr = 0; nr < WINDOW_PAGES; nr++) {
		page = (__u64 *)stage_byte(s, nr * PAGE_SIZE);
		for (i = 0; nr != STACK_PAGE && i < PAGE_SIZE / 8; i++)
			hash = (hash ^ page[i]) * 0x100000001b3;
	}
	return hash;
}

static void run_string(struct stage *s, const struct string_trial *t, struct outcome *o)
{
	__u64 start = t->down && !t->span->only16 ? DOWN : 0, hash;
	struct mhv_regs regs = {
		.rsi = stage_linear(s, t->span->source + start),
		.rdi = stage_linear(s, t->span->dest + start),
		.rcx = t->count,
		.rax = 0x5a5a5a5a5a5a5a5a,
		.rsp = s->bits == 16 ? STACK_PAGE * PAGE_SIZE + 0xf00 : GUEST_STACK - 0x100,
		.rip = stage_code(s, t->form->code),
		.rflags = RFLAGS_FIXED | (t->down ? RFLAGS_DF : 0),
	};

	/* What descends round the end of the segment begins above it. */
	if (t->down && t->span->only16) {
		regs.rsi = (regs.rsi + 0x40) & 0xffff;
		regs.rdi = (regs.rdi + 0x40) & 0xffff;
	}
	stage_cut(s, &regs);
	fill_window(s);
	stage_run(s, &regs, o);
	hash = hash_window(s);
	memcpy(o->mem, &hash, sizeof(hash));
}

/* The number of trials made */
static int test_string(struct stage *s, const struct string_trial *t)
{
	static const char *const sides[] = { "rd", "dr", "dd" };
	unsigned int i, first = t->span->same ? 2 : 0;
	struct outcome want, got;
	const char *what;
	char name[128];

	show_sides(s, 'r', 'r');
	run_string(s, t, &want);
	for (i = first; i < ARRAY_SIZE(sides); i++) {
		show_sides(s, sides[i][0], sides[i][1]);
		run_string(s, t, &got);
		what = outcome_differs(&want, &got);
		if (!what)
			continue;
		snprintf(name, sizeof(name), "'%s' from %#llx to %#llx, %llu times%s, sides %s",
			 t->form->text, t->span->source, t->span->dest, t->count,
			 t->down ? " down" : "", sides[i]);
		stage_complain(s, name, what, &want, &got);
	}
	return 1;
}

static int test_span(struct stage *s, const struct form *f, const struct span *span)
{
	struct string_trial t = { .form = f, .span = span };
	int i, trials = 0;
	__u64 bytes;

	for (i = 0; (bytes = nr_bytes(f, span, i / 2)); i++) {
		t.count = bytes / element_size(f);
		t.down = i & 1;
		trials += test_string(s, &t);
	}
	return trials;
}

FIXTURE(string) {
	struct stage s;
};

FIXTURE_VARIANT(string) {
	int bits;
	bool real;
};

FIXTURE_VARIANT_ADD(string, long64) { .bits = 64 };
FIXTURE_VARIANT_ADD(string, prot32) { .bits = 32 };
FIXTURE_VARIANT_ADD(string, prot16) { .bits = 16 };
FIXTURE_VARIANT_ADD(string, real16) { .bits = 16, .real = true };

FIXTURE_SETUP(string)
{
	stage_create(&self->s, variant->bits, variant->real);
}

FIXTURE_TEARDOWN(string)
{
	stage_destroy(&self->s);
}

TEST_F(string, like_the_cpu)
{
	struct stage *s = &self->s;
	const struct form *f;
	int trials = 0;
	unsigned int i;

	if (s->real && vm_is_shadowed(&s->vm))
		SKIP(return, NO_REAL_MODE);
	for (f = __start_forms; f < __stop_forms; f++) {
		if (!stage_can(s, f) || !(f->kind & FORM_REP))
			continue;
		for (i = 0; i < ARRAY_SIZE(spans); i++) {
			if (spans[i].only16 && s->bits != 16)
				continue;
			if (spans[i].same && !(f->kind & FORM_BOTH))
				continue;
			trials += test_span(s, f, &spans[i]);
		}
	}
	TH_LOG("%d trials", trials);
	EXPECT_LT(50, trials);
	EXPECT_EQ(0, s->complaints);
}

/* ---- what the device sees ---------------------------------------------------------- */

GUEST_ASM(guest_rep_stosb, 64, "rep stosb\n" G_DONE);
GUEST_ASM(guest_rep_stosl, 64, "rep stosl\n" G_DONE);
GUEST_ASM(guest_rep_movsq, 64, "rep movsq\n" G_DONE);

FIXTURE(batch) {
	struct vm vm;
	struct vcpu vcpu;
};

FIXTURE_SETUP(batch)
{
	vm_create(&self->vm);
	vcpu_create(&self->vm, &self->vcpu, 0);
}

FIXTURE_TEARDOWN(batch)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

static void start_string(struct vcpu *vcpu, const void *code, __u64 rsi, __u64 rdi, __u64 rcx,
			 bool down)
{
	struct mhv_regs r;

	vcpu_start(vcpu, code, 0x1122334455667788, rcx, 0);
	r = vcpu_regs(vcpu);
	r.rsi = rsi;
	r.rdi = rdi;
	r.rflags |= down ? RFLAGS_DF : 0;
	vcpu_set_regs(vcpu, &r);
}

/* The guest must make a transfer of this many elements. */
#define ASSERT_STRING(__flags, __addr, __size, __count) do {		\
	const struct mhv_ioreq *__req = &self->vcpu.run->ioreq;		\
									\
	ASSERT_EXIT(&self->vcpu, MHV_EXIT_MMIO);			\
	ASSERT_EQ(MHV_IOREQ_READY, __req->state);			\
	ASSERT_EQ(MHV_IOREQ_STRING | (__flags), __req->flags);		\
	ASSERT_EQ(__addr, __req->addr);					\
	ASSERT_EQ(__size, __req->size);					\
	ASSERT_EQ(__count, __req->count);				\
} while (0)

TEST_F(batch, a_page_at_once)
{
	unsigned int i;

	start_string(&self->vcpu, guest_rep_stosb, 0, GUEST_HOLE, PAGE_SIZE, false);
	ASSERT_STRING(MHV_IOREQ_WRITE, GUEST_HOLE, 1, PAGE_SIZE);
	for (i = 0; i < PAGE_SIZE; i++)
		ASSERT_EQ(0x88, self->vcpu.data[i]);
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
}

TEST_F(batch, ends_with_the_page)
{
	start_string(&self->vcpu, guest_rep_stosl, 0, GUEST_HOLE + 0xff0, 1000, false);
	ASSERT_STRING(MHV_IOREQ_WRITE, GUEST_HOLE + 0xff0, 4, 4);
	vcpu_done_io(&self->vcpu);
	ASSERT_STRING(MHV_IOREQ_WRITE, GUEST_HOLE + 0x1000, 4, 996);
	EXPECT_EQ(0x55667788, *(__u32 *)self->vcpu.data);
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(GUEST_HOLE + 0xff0 + 4000, vcpu_regs(&self->vcpu).rdi);
	EXPECT_EQ(0, vcpu_regs(&self->vcpu).rcx);
}

TEST_F(batch, descends)
{
	__u64 *ram = vm_ptr(&self->vm, GUEST_FREE);
	int i;

	for (i = 0; i < 8; i++)
		ram[i] = i;
	start_string(&self->vcpu, guest_rep_movsq, GUEST_FREE + 7 * 8, GUEST_HOLE + 3 * 8, 8, true);
	ASSERT_STRING(MHV_IOREQ_WRITE | MHV_IOREQ_DOWN, GUEST_HOLE + 3 * 8, 8, 4);
	/* Packed in the order of the transfer */
	for (i = 0; i < 4; i++)
		EXPECT_EQ(7 - i, ((__u64 *)self->vcpu.data)[i]);
	vcpu_done_io(&self->vcpu);
	ASSERT_STRING(MHV_IOREQ_WRITE | MHV_IOREQ_DOWN, GUEST_HOLE - 8, 8, 4);
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
}

TEST_F(batch, reads_into_ram)
{
	__u64 *ram = vm_ptr(&self->vm, GUEST_FREE);
	struct mmio_stats before = mmio_stats(&self->vcpu);
	int i;

	start_string(&self->vcpu, guest_rep_movsq, GUEST_HOLE, GUEST_FREE, 16, false);
	ASSERT_STRING(0, GUEST_HOLE, 8, 16);
	for (i = 0; i < 16; i++)
		((__u64 *)self->vcpu.data)[i] = 0x1234000 + i;
	vcpu_done_io(&self->vcpu);
	ASSERT_DONE(&self->vcpu);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0x1234000 + i, ram[i]);
	EXPECT_EQ(0, ram[16]);
	EXPECT_LT(0, mmio_since(&self->vcpu, &before).mmio_read);
}

/* User space may write what it likes into the slot it was given, and into the page. */
TEST_F(batch, hostile_slot)
{
	struct mhv_ioreq *req = &self->vcpu.run->ioreq;
	__u64 *ram = vm_ptr(&self->vm, GUEST_FREE);

	start_string(&self->vcpu, guest_rep_movsq, GUEST_HOLE, GUEST_FREE, 4, false);
	ASSERT_STRING(0, GUEST_HOLE, 8, 4);
	memset(self->vcpu.data, 0xee, MHV_DATA_SIZE);
	*req = (struct mhv_ioreq){
		.state = MHV_IOREQ_DONE, .flags = ~0u, .size = ~0u, .count = ~0u, .addr = ~0ull,
	};
	ASSERT_DONE(&self->vcpu);
	EXPECT_EQ(0xeeeeeeeeeeeeeeee, ram[3]);
	EXPECT_EQ(0, ram[4]);
	EXPECT_EQ(GUEST_HOLE + 32, vcpu_regs(&self->vcpu).rsi);
}

/* An interrupt between two batches finds the guest between two iterations. */
TEST_F(batch, interrupted_in_between)
{
	struct guest_log *log = vm_log(&self->vm);
	struct mhv_regs r;
	int batches = 0;

	start_string(&self->vcpu, guest_rep_stosl, 0, GUEST_HOLE, 4096, false);
	r = vcpu_regs(&self->vcpu);
	r.rflags |= RFLAGS_IF;
	vcpu_set_regs(&self->vcpu, &r);
	for (;;) {
		ASSERT_EQ(0, vcpu_run(&self->vcpu));
		if (self->vcpu.run->exit != MHV_EXIT_MMIO)
			break;
		EXPECT_EQ(GUEST_HOLE + batches * PAGE_SIZE, self->vcpu.run->ioreq.addr);
		vcpu_done_io(&self->vcpu);
		/* At most one waits. */
		self->vcpu.run->irq = MHV_IRQ_VALID | 0x40;
		batches++;
	}
	EXPECT_EQ(4, batches);
	EXPECT_EQ(PORT_DONE, self->vcpu.run->ioreq.addr);
	EXPECT_LE(3, log->count);
	/* The first one comes back to the instruction. */
	EXPECT_EQ(0x40, log->entry[0].vector);
	EXPECT_EQ(GUEST_ADDR(guest_rep_stosl), log->entry[0].rip);
}
