/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace file as a sequence of events in the order of time.
 */
#ifndef VMCTL_TRACE_INPUT_H
#define VMCTL_TRACE_INPUT_H

#include "../types.h"

/* the module's events that are read, nearly all of which are recorded; vmctl's marks */
#define TRACE_EVENTS(X)							\
	X(ENTRY, "mhv_entry")						\
	X(EXIT, "mhv_exit")						\
	X(FAULT, "mhv_page_fault")					\
	X(SPTE_MADE, "mhv_mmio_spte")					\
	X(MMIO, "mhv_mmio")						\
	X(DECODE, "mhv_decode")						\
	X(IOREQ, "mhv_ioreq")						\
	X(IOREQ_DONE, "mhv_ioreq_done")					\
	X(DATA, "mhv_data")						\
	X(SHADOW_PAGE, "mhv_shadow_page")				\
	X(SHADOW_ROOT, "mhv_shadow_root")				\
	X(MARK, "print")

enum event_kind {
#define X(id, name) EV_##id,
	TRACE_EVENTS(X)
#undef X
	EV_COUNT,
};

/* numbers in events, by the field's name */
#define TRACE_FIELDS(X)							\
	X(vcpu) X(reason) X(rip) X(cr3) X(gpa) X(gva) X(gva_valid) X(verdict) X(write)	\
	X(data) X(size) X(route) X(addr) X(count) X(flags) X(mmio) X(offset) X(what)	\
	X(cached) X(tables) X(present) X(accessed) X(dirty) X(gnp)

/**
 * struct event - one event
 * @kind:	enum event_kind
 * @ts:		time, in units of the trace's clock
 * @tid:	thread
 * @lost:	events lost on its CPU just before it; -1: some
 * @text:	of a mark, after its prefix
 * @bytes: @nr_bytes:	of data and of instructions
 */
struct event {
	enum event_kind kind;
	u64 ts;
	int tid;
	long long lost;
	const char *text;
	const u8 *bytes;
	unsigned int nr_bytes;
#define X(name) u64 name;
	TRACE_FIELDS(X)
#undef X
};

struct input;

extern const char *const input_event_names[EV_COUNT];

struct input *input_open(const char *file);
int input_each(struct input *input, int (*event)(void *owner, const struct event *ev),
	       void *owner);
const char *input_word(struct input *input, enum event_kind kind, const char *field, u64 value);
void input_close(struct input *input);

#endif
