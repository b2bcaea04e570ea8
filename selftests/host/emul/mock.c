// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mock vCPU and memory (mock.h).
 */
#include <string.h>

#include "mock.h"

#define PAGE		4096
#define FLAG_AC		0x40000
#define ROUNDS_MAX	100000

/* #PF error code bits */
#define PF_PRESENT	1
#define PF_WRITE	2
#define PF_USER		4

static struct mock *of(struct mhv_emul_ctx *ctx)
{
	return (struct mock *)ctx;	/* its first member */
}

static unsigned int page_of(u64 la)
{
	return (la - NATIVE_WINDOW) / PAGE;
}

static u8 *host(struct mock *m, u64 la)
{
	return m->memory + (la - NATIVE_WINDOW);
}

static bool in_window(u64 la)
{
	return la >= NATIVE_WINDOW && la < NATIVE_WINDOW + NATIVE_SIZE;
}

static void promise(struct mock *m, bool kept, const char *what)
{
	if (!kept)
		m->broken = what;
}

/* The guest's page tables: OK, DEVICE or FAULT */
static enum mhv_emul_result translate(struct mock *m, u64 la, bool write)
{
	u32 error = PF_USER | (write ? PF_WRITE : 0);

	if (in_window(la) && !(write && m->read_only[page_of(la)]))
		return m->device[page_of(la)] || (write && m->rom[page_of(la)]) ?
			       MHV_EMUL_DEVICE : MHV_EMUL_OK;
	if (in_window(la))
		error |= PF_PRESENT;
	m->ctx.fault = (struct mhv_emul_fault) {
		.vector = 14, .has_error = true, .error = error, .cr2 = la,
	};
	return MHV_EMUL_FAULT;
}

static void check_access(struct mock *m, u64 la, unsigned int size)
{
	promise(m, size && size <= 32 && !(size & (size - 1)), "size of an access");
	promise(m, la / PAGE == (la + size - 1) / PAGE, "access within a page");
}

static void log_access(struct mock *m, u64 la, unsigned int size, bool write)
{
	if (m->log.nr < MOCK_LOG_MAX)
		m->log.access[m->log.nr++] = (struct mock_access) { la, size, write };
	else
		m->broken = "too many accesses";
}

enum decision { NOW, LATER, TAKE };

/* Do the access at once, ask to be called again, or take the request */
static enum decision decide(struct mock *m, bool device)
{
	unsigned int n = random_below(&m->random, 4);

	if (!m->defer)
		return NOW;
	if (!device)
		return n == 0 ? LATER : NOW;
	return n == 0 ? LATER : n == 1 ? NOW : TAKE;
}

static enum mhv_emul_result take(struct mock *m, u64 la, const void *data, unsigned int size)
{
	m->request = (struct mock_request) {
		.valid = true,
		.access = { la, size, !!data },
	};
	if (data)
		memcpy(m->request.data, data, size);
	return MHV_EMUL_PENDING;
}

static enum mhv_emul_result mock_read(struct mhv_emul_ctx *ctx, u64 la, void *data,
				      unsigned int size, enum mhv_emul_access access)
{
	struct mock *m = of(ctx);
	enum mhv_emul_result r;

	check_access(m, la, size);
	promise(m, access != MHV_EMUL_WRITE, "read called for a write");
	r = translate(m, la, access == MHV_EMUL_RMW);
	if (r == MHV_EMUL_FAULT)
		return r;
	switch (decide(m, m->device[page_of(la)])) {
	case LATER:
		m->pendings++;
		return MHV_EMUL_PENDING;
	case TAKE:
		m->pendings++;
		return take(m, la, NULL, size);
	case NOW:
		break;
	}
	if (m->device[page_of(la)])
		log_access(m, la, size, false);
	memcpy(data, host(m, la), size);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result mock_write(struct mhv_emul_ctx *ctx, u64 la, const void *data,
				       unsigned int size)
{
	struct mock *m = of(ctx);
	enum mhv_emul_result r;

	check_access(m, la, size);
	r = translate(m, la, true);
	if (r == MHV_EMUL_FAULT)
		return r;
	switch (decide(m, r == MHV_EMUL_DEVICE)) {
	case LATER:
		m->pendings++;
		return MHV_EMUL_PENDING;
	case TAKE:
		m->pendings++;
		return take(m, la, data, size);
	case NOW:
		break;
	}
	if (r == MHV_EMUL_DEVICE)
		log_access(m, la, size, true);
	if (!m->rom[page_of(la)])
		memcpy(host(m, la), data, size);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result mock_probe(struct mhv_emul_ctx *ctx, u64 la, unsigned int size,
				       enum mhv_emul_access access)
{
	struct mock *m = of(ctx);

	promise(m, size && la / PAGE == (la + size - 1) / PAGE, "probe within a page");
	return translate(m, la, access != MHV_EMUL_READ);
}

static enum mhv_emul_result mock_cmpxchg(struct mhv_emul_ctx *ctx, u64 la, const void *old,
					 const void *new, unsigned int size)
{
	struct mock *m = of(ctx);
	enum mhv_emul_result r;

	check_access(m, la, size);
	r = translate(m, la, true);
	if (r != MHV_EMUL_OK)
		return r;
	if (m->lose_races && random_below(&m->random, 4) == 0)
		return MHV_EMUL_MISMATCH;
	if (decide(m, false) == LATER)
		return MHV_EMUL_PENDING;
	if (memcmp(host(m, la), old, size))
		return MHV_EMUL_MISMATCH;
	memcpy(host(m, la), new, size);
	return MHV_EMUL_OK;
}

static void mock_segment(struct mhv_emul_ctx *ctx, enum mhv_seg seg, struct mhv_emul_seg *out)
{
	*out = of(ctx)->segment[seg];
}

static bool mock_align_check(struct mhv_emul_ctx *ctx)
{
	return of(ctx)->regs.r[MHV_RFLAGS] & FLAG_AC;
}

static enum mhv_emul_result mock_read_vec(struct mhv_emul_ctx *ctx, unsigned int reg,
					  void *data, unsigned int size)
{
	struct mock *m = of(ctx);

	promise(m, reg < 16 && (size == 16 || size == 32), "vector register");
	memcpy(data, m->vec[reg], size);
	return MHV_EMUL_OK;
}

static enum mhv_emul_result mock_write_vec(struct mhv_emul_ctx *ctx, unsigned int reg,
					   const void *data, unsigned int size, bool zero)
{
	struct mock *m = of(ctx);

	promise(m, reg < 16 && (size == 16 || size == 32), "vector register");
	memcpy(m->vec[reg], data, size);
	if (zero)
		memset(m->vec[reg] + size, 0, sizeof(m->vec[reg]) - size);
	return MHV_EMUL_OK;
}

/* ---- strings ------------------------------------------------------------- */

static u64 element(const struct mhv_emul_string *s, unsigned int i)
{
	u64 by = (u64)i * s->size;

	return s->down ? s->la - by : s->la + by;
}

static void check_string(struct mock *m, const struct mhv_emul_string *s)
{
	u64 last = element(s, s->count - 1);

	promise(m, s->count > 1 && s->count * s->size <= MHV_EMUL_STRING_SIZE, "string length");
	promise(m, (s->la + s->size - 1) / PAGE == s->la / PAGE, "first element within a page");
	promise(m, last / PAGE == s->la / PAGE && (last + s->size - 1) / PAGE == s->la / PAGE,
		"last element within the same page");
}

static void do_string(struct mock *m, const struct mhv_emul_string *s, bool write)
{
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		u8 *memory = host(m, element(s, i)), *packed = m->string + i * s->size;

		if (m->device[page_of(s->la)])
			log_access(m, element(s, i), s->size, write);
		memcpy(write ? memory : packed, write ? packed : memory, s->size);
	}
}

static enum mhv_emul_result string_op(struct mhv_emul_ctx *ctx,
				      const struct mhv_emul_string *s, bool write)
{
	struct mock *m = of(ctx);
	enum mhv_emul_result r;

	check_string(m, s);
	r = translate(m, s->la, write);
	if (r == MHV_EMUL_FAULT)
		return r;
	switch (decide(m, r == MHV_EMUL_DEVICE)) {
	case LATER:
		m->pendings++;
		return MHV_EMUL_PENDING;
	case TAKE:
		m->pendings++;
		m->request = (struct mock_request) {
			.valid = true, .string = true, .elements = *s,
			.access = { s->la, s->size, write },
		};
		return MHV_EMUL_PENDING;
	case NOW:
		break;
	}
	do_string(m, s, write);
	return MHV_EMUL_OK;
}

enum mhv_emul_result mock_read_string(struct mhv_emul_ctx *ctx,
				      const struct mhv_emul_string *s)
{
	return string_op(ctx, s, false);
}

enum mhv_emul_result mock_write_string(struct mhv_emul_ctx *ctx,
				       const struct mhv_emul_string *s)
{
	return string_op(ctx, s, true);
}

/* ---- running ------------------------------------------------------------- */

static const struct mhv_emul_ops ops = {
	.read = mock_read,
	.write = mock_write,
	.probe = mock_probe,
	.compare_swap = mock_cmpxchg,
	.segment = mock_segment,
	.align_check = mock_align_check,
	.read_vec = mock_read_vec,
	.write_vec = mock_write_vec,
};

static void init_segments(struct mock *m)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		struct mhv_emul_seg *s = &m->segment[i];

		s->base = native_segment_base(m->mode, i);
		s->limit = m->mode == MHV_MODE_16 ? 0xffff : ~0U;
		/* present, DPL 3, code or data, read and write */
		s->rights = i == MHV_SEG_CS ? 0xfb : 0xf3;
		if (m->mode == MHV_MODE_32)
			s->rights |= MHV_SEG_DB;
	}
}

/* Memory and the string buffer are the caller's to fill */
void mock_init(struct mock *m, enum mhv_mode mode)
{
	memset(m, 0, offsetof(struct mock, memory));
	memset(&m->mode, 0, offsetof(struct mock, log) - offsetof(struct mock, mode));
	m->log.nr = 0;
	m->mode = mode;
	m->ops = ops;
	m->ctx.regs = &m->regs;
	m->ctx.ops = &m->ops;
	m->ctx.string = m->string;
	m->ctx.va_bits = 48;
	init_segments(m);
}

void mock_answer(struct mock *m)
{
	struct mock_request *q = &m->request;
	struct mock_access *a = &q->access;

	if (!q->valid)
		return;
	q->valid = false;
	if (q->string) {
		do_string(m, &q->elements, a->write);
		mhv_emul_complete(&m->ctx, NULL, 0);
		return;
	}
	log_access(m, a->la, a->size, a->write);
	if (a->write) {
		if (!m->rom[page_of(a->la)])
			memcpy(host(m, a->la), q->data, a->size);
		mhv_emul_complete(&m->ctx, NULL, 0);
	} else {
		mhv_emul_complete(&m->ctx, host(m, a->la), a->size);
	}
}

enum mhv_emul_result mock_run(struct mock *m, const struct mhv_insn *insn)
{
	enum mhv_emul_result r = MHV_EMUL_AGAIN;
	struct mhv_emul_regs before;
	unsigned int rounds;

	m->ops.read_string = m->strings ? mock_read_string : NULL;
	m->ops.write_string = m->strings ? mock_write_string : NULL;
	for (rounds = 1; rounds < ROUNDS_MAX; rounds++) {
		m->rounds = rounds;
		before = m->regs;
		if (r == MHV_EMUL_PENDING) {
			mock_answer(m);
			r = mhv_emul_resume(&m->ctx);
		} else {
			r = mhv_emul_exec(&m->ctx, insn);
		}
		promise(m, mhv_emul_pending(&m->ctx) == (r == MHV_EMUL_PENDING), "pending");
		if (r != MHV_EMUL_OK && r != MHV_EMUL_AGAIN)
			promise(m, !memcmp(&before, &m->regs, sizeof(before)),
				"registers unchanged by what is not complete");
		if (r != MHV_EMUL_AGAIN && r != MHV_EMUL_PENDING && r != MHV_EMUL_RETRY)
			return r;
	}
	m->broken = "no end";
	return r;
}
