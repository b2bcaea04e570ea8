// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each form of instruction on RAM, executed by the CPU, and on device memory, executed
 * by mhv: with the same inputs both must leave the same registers, flags and memory,
 * or raise the same exception.
 */
#include "mhv_test.h"
#include "mmio_stage.h"

#define BELOW	128		/* bytes looked at before the operand */

struct trial {
	const struct form *form;
	__u64 offset;			/* of the operand in the window */
	int round;
	__u64 seed;
};

/* ---- inputs ------------------------------------------------------------------------ */

/* include/mmio_forms.h has the list. */
static void address_registers(const struct stage *s, const struct trial *t,
			      struct mhv_regs *r, __u64 *seed)
{
	__u64 addr = stage_linear(s, t->offset);

	r->rdi = addr;
	r->r12 = addr;
	r->r13 = addr;
	r->rbp = addr - 0x10;
	r->rsi = next_random(seed) & 7;
	r->rbx = addr - r->rsi;
	r->r10 = (next_random(seed) & 15) - 8;
	r->r11 = addr - 8 * r->r10;
	r->r14 = addr + 0x12345;
	r->r15 = next_random(seed) << 32 | addr;
	if (t->form->kind & FORM_STRING) {
		r->rsi = addr;
		r->rcx = 5;
	}
	/* One of the two is where the other forms have their operand. */
	if (t->form->kind & FORM_BOTH && t->round & 1)
		r->rsi = addr + 24;
	else if (t->form->kind & FORM_BOTH)
		r->rdi = addr + 24;
}

static void stack_pointer(const struct stage *s, const struct trial *t, struct mhv_regs *r)
{
	__u64 addr = stage_linear(s, t->offset);

	if (t->form->kind & FORM_PUSH)
		r->rsp = addr + 8;
	else if (t->form->kind & FORM_POP)
		r->rsp = addr;
	else if (s->bits == 16)
		r->rsp = STACK_PAGE * PAGE_SIZE + 0xf00;
	else
		r->rsp = GUEST_STACK - 0x100;
}

static void make_registers(const struct stage *s, const struct trial *t, struct mhv_regs *r)
{
	__u64 seed = t->seed, *reg = &r->rax;
	int i;

	for (i = 0; i < 16; i++)
		reg[i] = next_random(&seed);
	r->rcx = (r->rcx & ~0xffull) | (r->rcx & 7);
	/* In odd rounds memory will hold the same. */
	if (t->round & 1) {
		r->rax = (__u32)r->rax * 0x100000001ull;
		r->rdx = r->rax;
	}
	if (t->form->kind & FORM_BITS)
		r->rdx = (__s64)(__s8)r->rdx;
	address_registers(s, t, r, &seed);
	stack_pointer(s, t, r);
	r->rip = stage_code(s, t->form->code);
	r->rflags = RFLAGS_FIXED | (next_random(&seed) & 0x8d5);
	if (t->form->kind & FORM_STRING && t->round & 2)
		r->rflags |= RFLAGS_DF;
	stage_cut(s, r);
}

static void make_memory(struct stage *s, const struct trial *t, const struct mhv_regs *r)
{
	__u64 mem[OUTCOME_MEM / 8], seed = ~t->seed, target;
	__u64 equal = r->rax | (s->bits == 64 ? 0 : r->rax << 32);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mem); i++)
		mem[i] = t->round & 1 ? equal : next_random(&seed);
	stage_copy_in(s, t->offset - BELOW, mem, sizeof(mem));
	if (t->form->kind & FORM_TARGET) {
		target = stage_code(s, guest_form_target);
		stage_copy_in(s, t->offset, &target, sizeof(target));
	}
}

static void run_trial(struct stage *s, const struct trial *t, struct outcome *o)
{
	struct mhv_regs regs;

	make_registers(s, t, &regs);
	make_memory(s, t, &regs);
	if (t->form->kind & FORM_VECTOR)
		stage_set_vectors(s, t->seed);
	stage_run(s, &regs, o);
	o->regs.rflags &= ~(__u64)t->form->undefined;
	stage_copy_out(s, t->offset - BELOW, o->mem, sizeof(o->mem));
	if (t->form->kind & FORM_VECTOR)
		stage_get_vectors(s, o);
}

/* ---- which forms, where ------------------------------------------------------------ */

struct place {
	__u64 offset;
	int round;
};

/* Operands that lie in one page, and some that cross into the next */
static const struct place inside[] = {
	{ FORM_OFFSET, 0 }, { FORM_OFFSET, 1 }, { FORM_OFFSET, 2 }, { FORM_OFFSET + 3, 3 },
};

static const struct place crossing[] = {
	{ 0xfff, 0 }, { 0xffd, 2 }, { 0xff8, 1 }, { 0xff3, 3 },
};

#define MAX_PLACES	(ARRAY_SIZE(inside) + ARRAY_SIZE(crossing))

/* What is behind the window's first two pages: the oracle's, and what must do the same */
struct pair {
	const char *oracle, *tested;
	bool inside;
};

static const struct pair pairs[] = {
	{ "rr", "dd", true },
	{ "rr", "rd", false },
	{ "rr", "dr", false },
	/* Real mode knows no page faults. */
	{ "rn", "dn", false },
	{ "nr", "nd", false },
	{ "rR", "dR", false },
	{ "rR", "rD", false },
	{ "Rr", "Dd", false },
};

#define PAIRS_WITHOUT_FAULTS 3

/* The stack of a mode without IST must not be what faults. */
static bool pair_runs(const struct stage *s, const struct form *f, const struct pair *pair)
{
	if (pair < pairs + PAIRS_WITHOUT_FAULTS)
		return true;
	return !s->real && (s->bits == 64 || !(f->kind & (FORM_PUSH | FORM_POP)));
}

static int list_trials(const struct form *f, const struct pair *pair, struct trial *t)
{
	const unsigned int nr_inside = pair->inside ? ARRAY_SIZE(inside) : 0;
	const struct place *p;
	unsigned int i, n = 0;

	for (i = 0; i < nr_inside + ARRAY_SIZE(crossing); i++) {
		p = i < nr_inside ? &inside[i] : &crossing[i - nr_inside];
		if (f->kind & FORM_FIXED && p->offset != FORM_OFFSET)
			continue;
		t[n++] = (struct trial){
			.form = f,
			.offset = p->offset,
			.round = p->round,
			.seed = (f - __start_forms) * 1000 + i,
		};
	}
	return n;
}

static void show_pages(struct stage *s, const char *kinds)
{
	stage_set_page(s, 0, kinds[0]);
	stage_set_page(s, 1, kinds[1]);
	stage_reset(s);
}

static void check_trial(struct stage *s, const struct trial *t, const struct pair *pair,
			const struct outcome *want)
{
	struct outcome got;
	const char *what;
	char name[128];

	run_trial(s, t, &got);
	what = outcome_differs(want, &got);
	if (!what && pair->inside && got.exit == OUTCOME_DONE && !got.requests &&
	    !(t->form->kind & FORM_QUIET))
		what = "device: it was not asked";
	if (!what)
		return;
	snprintf(name, sizeof(name), "'%s' at %#llx, round %d, pages %s", t->form->text,
		 t->offset, t->round, pair->tested);
	stage_complain(s, name, what, want, &got);
}

/* The number of trials made */
static int test_pair(struct stage *s, const struct form *f, const struct pair *pair)
{
	struct trial t[MAX_PLACES];
	struct outcome want[MAX_PLACES];
	int i, n = list_trials(f, pair, t);

	show_pages(s, pair->oracle);
	for (i = 0; i < n; i++)
		run_trial(s, &t[i], &want[i]);
	show_pages(s, pair->tested);
	for (i = 0; i < n; i++)
		check_trial(s, &t[i], pair, &want[i]);
	return n;
}

/* ---- the tests --------------------------------------------------------------------- */

FIXTURE(insn) {
	struct stage s;
};

FIXTURE_VARIANT(insn) {
	int bits;
	bool real;
};

FIXTURE_VARIANT_ADD(insn, long64) { .bits = 64 };
FIXTURE_VARIANT_ADD(insn, prot32) { .bits = 32 };
FIXTURE_VARIANT_ADD(insn, prot16) { .bits = 16 };
FIXTURE_VARIANT_ADD(insn, real16) { .bits = 16, .real = true };

FIXTURE_SETUP(insn)
{
	stage_create(&self->s, variant->bits, variant->real);
}

FIXTURE_TEARDOWN(insn)
{
	stage_destroy(&self->s);
}

/* Under a debugging kernel one form in so many: the others take minutes there. */
static int stride(void)
{
	return access("/proc/lockdep", F_OK) ? 1 : 12;
}

TEST_F(insn, forms)
{
	const int step = stride();
	struct stage *s = &self->s;
	const struct form *f;
	int forms = 0, trials = 0;
	unsigned int i;

	if (s->real && vm_is_shadowed(&s->vm))
		SKIP(return, NO_REAL_MODE);
	for (f = __start_forms; f < __stop_forms; f++) {
		if (!stage_can(s, f))
			continue;
		if (forms++ % step)
			continue;
		for (i = 0; i < ARRAY_SIZE(pairs); i++)
			if (pair_runs(s, f, &pairs[i]))
				trials += test_pair(s, f, &pairs[i]);
	}
	TH_LOG("%d forms, %d trials", forms, trials);
	EXPECT_LT(500, forms);
	EXPECT_EQ(0, s->complaints);
}

/* Each form once more, with all optimisations off */
TEST_F(insn, forms_without_optimisations)
{
	const struct pair pair = { "rr", "dd", false };
	struct stage *s = &self->s;
	struct mmio_stats before = mmio_stats(&s->vcpu), since;
	const struct form *f;

	if (s->real && vm_is_shadowed(&s->vm))
		SKIP(return, NO_REAL_MODE);
	mmio_set_options(&s->vm, BIT_ULL(MHV_OPT_COUNT) - 1);
	for (f = __start_forms; f < __stop_forms; f += stride())
		if (stage_can(s, f))
			test_pair(s, f, &pair);
	EXPECT_EQ(0, s->complaints);
	since = mmio_since(&s->vcpu, &before);
	EXPECT_EQ(0, since.pf_vcpu_cache);
	EXPECT_EQ(0, since.pf_mmio_spte);
	EXPECT_EQ(0, since.decode_cache_hit);
	EXPECT_LT(1000 / stride(), since.pf_mmio_slow);
}
