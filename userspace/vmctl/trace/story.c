// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts the events of a trace together: what a thread says between an exit and the next
 * entry belongs to that exit.
 *
 * The time of an exit is the device model's from a request to its answer, and the module's
 * otherwise.  Several accesses of one exit, as a string instruction makes them, share it
 * evenly.  Where events were lost nothing is put together until the next exit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mhv.h>

#include "../msg.h"
#include "reason.h"
#include "story.h"

#define NONE	SIZE_MAX

/**
 * struct story_vcpu - a vCPU thread, and what it is about
 * @tid: @vcpu:	which
 * @exit:	index of the exit under way, or NO_EXIT
 * @first:	accesses from here on may belong to it
 * @asked:	when the request under way was made; @asking: there is one
 * @port:	index of its access, to a port; or NONE
 * @string:	index of the string transfer under way, or NONE
 */
struct story_vcpu {
	int tid;
	u32 vcpu, exit;
	size_t first, port, string;
	u64 asked;
	bool asking;
};

/* ---- what the counters should say ------------------------------------------- */

/*
 * Sums of the module's counters that a number of events must equal.  An entry that fails
 * is counted as an exit, but is none.
 */
#define FAILED_INSN	"exit_refused_insn+exit_other"
#define MAPPED		"pf_mapped+pf_mapped_2m+pf_mapped_1g+pf_spurious"
#define DECODED		"decode_cache_miss+decode_cache_changed"
#define REUSED		"decode_cache_hit+decode_walked"

static const char *const story_sums[] = {
	"exits-exit_entry_failed", "exit_exception", "exit_host_irq",
	"exit_triple_fault", "exit_irq_window", "exit_nmi_window", "exit_task_switch",
	"exit_cpuid", "exit_timer", "exit_hlt", "exit_cache", "exit_cr", "exit_dr", "exit_io",
	"exit_rdmsr", "exit_wrmsr", "exit_xsetbv", "exit_invlpg", "exit_tdp_fault",
	"exit_tdp_misconfig", FAILED_INSN, "pf_vcpu_cache", "pf_mmio_spte", "pf_mmio_slow",
	"pf_mmio_stale", "pf_false_alarm", MAPPED, "pf_retry", "pf_no_memory", "pf_guest",
	"pf_table_write", "pf_mmio_made", "mmio_read", "mmio_write", "route_regfile",
	"route_posted", "route_eventfd", "route_ioreq", "route_posted_full", DECODED, REUSED,
	"shadow_page_new",
};

/* words of the trace, and what they are counted as; what is not here is FAILED_INSN */
static const struct {
	enum event_kind kind;
	const char *word, *sum;
} story_words[] = {
	{ EV_EXIT, "exception", "exit_exception" },
	{ EV_EXIT, "host_irq", "exit_host_irq" },
	{ EV_EXIT, "triple_fault", "exit_triple_fault" },
	{ EV_EXIT, "irq_window", "exit_irq_window" },
	{ EV_EXIT, "nmi_window", "exit_nmi_window" },
	{ EV_EXIT, "task_switch", "exit_task_switch" },
	{ EV_EXIT, "cpuid", "exit_cpuid" },
	{ EV_EXIT, "timer", "exit_timer" },
	{ EV_EXIT, "hlt", "exit_hlt" },
	{ EV_EXIT, "invd", "exit_cache" },
	{ EV_EXIT, "wbinvd", "exit_cache" },
	{ EV_EXIT, "cr", "exit_cr" },
	{ EV_EXIT, "dr", "exit_dr" },
	{ EV_EXIT, "io", "exit_io" },
	{ EV_EXIT, "rdmsr", "exit_rdmsr" },
	{ EV_EXIT, "wrmsr", "exit_wrmsr" },
	{ EV_EXIT, "xsetbv", "exit_xsetbv" },
	{ EV_EXIT, "invlpg", "exit_invlpg" },
	{ EV_EXIT, "tdp_fault", "exit_tdp_fault" },
	{ EV_EXIT, "tdp_misconfig", "exit_tdp_misconfig" },
	{ EV_FAULT, "vcpu_cache", "pf_vcpu_cache" },
	{ EV_FAULT, "spte", "pf_mmio_spte" },
	{ EV_FAULT, "slow", "pf_mmio_slow" },
	{ EV_FAULT, "stale", "pf_mmio_stale" },
	{ EV_FAULT, "false_alarm", "pf_false_alarm" },
	{ EV_FAULT, "mapped", MAPPED },
	{ EV_FAULT, "retry", "pf_retry" },
	{ EV_FAULT, "no_memory", "pf_no_memory" },
	{ EV_FAULT, "guest", "pf_guest" },
	{ EV_FAULT, "table", "pf_table_write" },
	{ EV_MMIO, "regfile", "route_regfile" },
	{ EV_MMIO, "posted", "route_posted" },
	{ EV_MMIO, "eventfd", "route_eventfd" },
};

static void story_count(struct story *story, const char *sum)
{
	groups_get(&story->by_what, sum)->count++;
}

static void story_count_word(struct story *story, enum event_kind kind, const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(story_words); i++) {
		if (story_words[i].kind != kind || strcmp(story_words[i].word, word))
			continue;
		story_count(story, story_words[i].sum);
		return;
	}
	if (kind == EV_EXIT)
		story_count(story, FAILED_INSN);
}

/* ---- names ------------------------------------------------------------------ */

/* a word that stays */
static const char *story_keep(struct story *story, const char *word)
{
	return groups_get(&story->names, word)->key;
}

/**
 * story_reason - name an exit reason
 * @story:	the story
 * @reason:	as in the trace
 * @text:	room for a reason without a name
 *
 * Return: its name.
 */
const char *story_reason(const struct story *story, u32 reason, char text[24])
{
	const char *word = input_word(story->input, EV_EXIT, "reason", reason & 0xffff);

	if (!word || *word == '0')
		word = reason_name(reason & 0xffff);
	if (word)
		return word;
	snprintf(text, 24, "reason %u", reason & 0xffff);
	return text;
}

/**
 * story_verdict - name a verdict on a fault
 * @story:	the story
 * @verdict:	as in the trace
 *
 * Return: its name.
 */
const char *story_verdict(const struct story *story, u32 verdict)
{
	const char *word = input_word(story->input, EV_FAULT, "verdict", verdict);

	return word ? word : "unknown";
}

/**
 * story_route - name a route
 * @story:	the story
 * @route:	as in the trace
 *
 * Return: its name.
 */
const char *story_route(const struct story *story, u32 route)
{
	const char *word = input_word(story->input, EV_MMIO, "route", route);

	return word ? word : "unknown";
}

/**
 * story_cache - name the cache that knew a device access
 * @story:	the story
 * @verdict:	as in the trace
 *
 * Return: its name.
 */
const char *story_cache(const struct story *story, u32 verdict)
{
	const char *word = input_word(story->input, EV_MMIO, "cache", verdict);

	return word ? word : "unknown";
}

/**
 * story_unit - what times are counted in
 * @story:	the story
 *
 * Return: the unit's name.
 */
const char *story_unit(const struct story *story)
{
	return !strcmp(story->clock, "x86-tsc") ? "ticks" : "ns";
}

/**
 * story_rate - how many units of time a second has
 * @story:	the story
 *
 * Return: the rate.
 */
double story_rate(const struct story *story)
{
	return !strcmp(story->clock, "x86-tsc") && story->tsc_khz ? story->tsc_khz * 1e3 : 1e9;
}

/**
 * story_has_vm - did vmctl mark the trace?
 * @story:	the story
 *
 * Return: true if it holds all of a VM, from its beginning to its counters.
 */
bool story_has_vm(const struct story *story)
{
	return story->vms && story->vms == story->ended && story->counters.list.nr;
}

/* ---- exits ------------------------------------------------------------------ */

static struct story_vcpu *story_vcpu(struct story *story, const struct event *ev)
{
	struct story_vcpu *v;

	vec_each(struct story_vcpu, old, &story->vcpus)
		if (old->tid == ev->tid && old->vcpu == ev->vcpu)
			return old;
	v = vec_add(&story->vcpus, sizeof(*v));
	*v = (struct story_vcpu){
		.tid = ev->tid, .vcpu = ev->vcpu, .exit = NO_EXIT, .port = NONE, .string = NONE,
	};
	return v;
}

static struct story_exit *story_exit_of(struct story *story, const struct story_vcpu *v)
{
	return v->exit == NO_EXIT ? NULL : (struct story_exit *)story->exits.at + v->exit;
}

static void story_on_exit(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_exit *e;
	char text[24];

	v->exit = story->exits.nr;
	v->first = story->accesses.nr;
	v->asking = false;
	e = vec_add(&story->exits, sizeof(*e));
	e->ts = ev->ts;
	e->rip = ev->rip;
	e->cr3 = ev->cr3;
	e->reason = ev->reason;
	e->vcpu = ev->vcpu;
	story_count(story, story_sums[0]);
	story_count_word(story, EV_EXIT, story_reason(story, ev->reason, text));
}

/* gives each access of an exit its share of the exit's time */
static void story_share(struct story *story, const struct story_vcpu *v,
			const struct story_exit *e)
{
	struct story_access *a, *first = (struct story_access *)story->accesses.at + v->first;
	struct story_access *end = (struct story_access *)story->accesses.at +
				   story->accesses.nr;
	u64 nr = 0;

	for (a = first; a < end; a++)
		nr += a->exit == v->exit;
	for (a = first; a < end; a++) {
		if (a->exit != v->exit)
			continue;
		a->module = (e->total - e->device) / nr;
		a->device = e->device / nr;
		a->timed = true;
	}
}

static void story_on_entry(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_exit *e = story_exit_of(story, v);

	if (!e)
		return;
	e->total = ev->ts - e->ts;
	e->device = min_u64(e->device, e->total);
	e->whole = true;
	if (v->first < story->accesses.nr)
		story_share(story, v, e);
	v->exit = NO_EXIT;
}

static void story_on_fault(struct story *story, const struct story_vcpu *v,
			   const struct event *ev)
{
	struct story_fault *f = vec_add(&story->faults, sizeof(*f));

	*f = (struct story_fault){
		.ts = ev->ts, .gpa = ev->gpa, .gva = ev->gva, .exit = v->exit,
		.verdict = ev->verdict, .write = ev->write, .gva_valid = ev->gva_valid,
	};
	story_count_word(story, EV_FAULT, story_verdict(story, ev->verdict));
}

/* ---- accesses --------------------------------------------------------------- */

static struct story_access *story_access(struct story *story, const struct story_vcpu *v,
					 const struct event *ev, bool mmio, u64 addr)
{
	struct story_access *a = vec_add(&story->accesses, sizeof(*a));
	char name[MAP_NAME];
	const char *dev;

	a->ts = ev->ts;
	a->addr = addr;
	a->data = ev->data;
	a->exit = v->exit;
	a->mmio = mmio;
	map_name(&story->map, v->tid, mmio, addr, name);
	a->name = story_keep(story, name);
	dev = map_device(&story->map, v->tid, mmio, addr);
	a->dev = dev ? story_keep(story, dev) : NULL;
	return a;
}

static void story_on_mmio(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_access *a = story_access(story, v, ev, true, ev->gpa);

	a->size = ev->size;
	a->write = ev->write;
	a->route = ev->route;
	a->verdict = ev->verdict;
	story_count(story, ev->write ? "mmio_write" : "mmio_read");
	story_count_word(story, EV_MMIO, story_route(story, ev->route));
}

static void story_on_port(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_access *a = story_access(story, v, ev, false, ev->addr);

	a->size = ev->size * ev->count;
	a->write = ev->flags & MHV_IOREQ_WRITE;
	v->port = story->accesses.nr - 1;
}

static void story_on_string(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_string *s;
	char name[MAP_NAME];

	v->string = story->strings.nr;
	s = vec_add(&story->strings, sizeof(*s));
	map_name(&story->map, v->tid, ev->mmio, ev->addr, name);
	*s = (struct story_string){
		.ts = ev->ts, .addr = ev->addr, .size = ev->size, .count = ev->count,
		.mmio = ev->mmio, .write = ev->flags & MHV_IOREQ_WRITE,
		.down = ev->flags & MHV_IOREQ_DOWN, .name = story_keep(story, name),
	};
}

static void story_on_ioreq(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	v->asked = ev->ts;
	v->asking = true;
	v->port = NONE;
	v->string = NONE;
	if (ev->mmio)
		story_count(story, "route_ioreq");
	else
		story_on_port(story, v, ev);
	if (ev->flags & MHV_IOREQ_POSTABLE)
		story_count(story, "route_posted_full");
	if (ev->flags & MHV_IOREQ_STRING)
		story_on_string(story, v, ev);
}

static void story_on_done(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_exit *e = story_exit_of(story, v);
	struct story_access *a;

	if (e && v->asking)
		e->device += ev->ts - v->asked;
	v->asking = false;
	if (v->port == NONE)
		return;
	a = (struct story_access *)story->accesses.at + v->port;
	if (!a->write)
		a->data = ev->data;
}

static void story_on_data(struct story *story, struct story_vcpu *v, const struct event *ev)
{
	struct story_string *s;
	unsigned int i;

	if (v->string == NONE)
		return;
	s = (struct story_string *)story->strings.at + v->string;
	for (i = 0; i < ev->nr_bytes; i++)
		*(u8 *)vec_add(&s->bytes, 1) = ev->bytes[i];
}

/* ---- marks ------------------------------------------------------------------ */

static void story_on_packet(struct story *story, const struct event *ev, const char *way,
			    u32 len)
{
	struct story_packet *p = vec_add(&story->packets, sizeof(*p));

	p->ts = ev->ts;
	p->len = len;
	p->tx = !strcmp(way, "tx");
}

static void story_on_mark(struct story *story, const struct event *ev)
{
	const char *text = map_mark(&story->map, ev->text);
	char word[64], clock[32];
	u64 value;

	if (!text)
		return;
	if (sscanf(text, "packet %2s %llu", word, &value) == 2) {
		story_on_packet(story, ev, word, value);
	} else if (sscanf(text, "counter %63s %llu", word, &value) == 2) {
		groups_get(&story->counters, word)->extra[0] += value;
	} else if (sscanf(text, "vm %llu %31s", &value, clock) == 2) {
		story->vms++;
		story->tsc_khz = value;
		snprintf(story->clock, sizeof(story->clock), "%s", clock);
	} else if (!strcmp(text, "end")) {
		story->ended++;
	} else if (sscanf(text, "lost %llu", &value) == 1) {
		story->told_lost += value;
	}
}

/* ---- the sequence ----------------------------------------------------------- */

static void story_on_lost(struct story *story, const struct event *ev)
{
	if (ev->lost > 0)
		story->lost += ev->lost;
	else
		story->lost_some++;
	vec_each(struct story_vcpu, v, &story->vcpus) {
		v->exit = NO_EXIT;
		v->asking = false;
		v->port = NONE;
		v->string = NONE;
	}
}

static void story_on_root(struct story *story, const struct event *ev)
{
	struct story_root *root = vec_add(&story->roots, sizeof(*root));

	*root = (struct story_root){
		.cr3 = ev->cr3,
		.held = { ev->tables, ev->present, ev->accessed, ev->dirty, ev->mmio, ev->gnp },
	};
}

static void story_on_vcpu(struct story *story, const struct event *ev)
{
	static void (*const on[EV_COUNT])(struct story *story, struct story_vcpu *v,
					  const struct event *ev) = {
		[EV_EXIT]	= story_on_exit,
		[EV_ENTRY]	= story_on_entry,
		[EV_MMIO]	= story_on_mmio,
		[EV_IOREQ]	= story_on_ioreq,
		[EV_IOREQ_DONE]	= story_on_done,
		[EV_DATA]	= story_on_data,
	};

	if (on[ev->kind])
		on[ev->kind](story, story_vcpu(story, ev), ev);
	else if (ev->kind == EV_FAULT)
		story_on_fault(story, story_vcpu(story, ev), ev);
	else if (ev->kind == EV_SPTE_MADE)
		story_count(story, "pf_mmio_made");
	else if (ev->kind == EV_DECODE)
		story_count(story, ev->cached ? REUSED : DECODED);
	else if (ev->kind == EV_SHADOW_PAGE && !ev->what)
		story_count(story, "shadow_page_new");
	else if (ev->kind == EV_SHADOW_ROOT)
		story_on_root(story, ev);
}

static int story_event(void *owner, const struct event *ev)
{
	struct story *story = owner;

	if (ev->lost)
		story_on_lost(story, ev);
	if (ev->kind == EV_COUNT)
		return 0;
	story->events[ev->kind]++;
	if (ev->kind == EV_MARK) {
		story_on_mark(story, ev);
		return 0;
	}
	if (!story->first)
		story->first = ev->ts;
	story->last = ev->ts;
	story_on_vcpu(story, ev);
	return 0;
}

/**
 * story_read - read a trace
 * @story:	out; story_free() it, also after an error
 * @file:	the trace
 *
 * Return: 0, or -1 with a message.
 */
int story_read(struct story *story, const char *file)
{
	unsigned int i;

	*story = (struct story){ .file = file, .input = input_open(file) };
	if (!story->input)
		return -1;
	for (i = 0; i < ARRAY_SIZE(story_sums); i++)
		groups_get(&story->by_what, story_sums[i]);
	input_each(story->input, story_event, story);
	/* the recorder's count includes what the pages say */
	story->lost = max_u64(story->lost, story->told_lost);
	if (!story->first)
		return fail("%s: the trace holds no event of mhv: no guest ran while it was made",
			    file);
	return 0;
}

/**
 * story_free - forget it
 * @story:	from story_read()
 */
void story_free(struct story *story)
{
	struct vec *const all[] = {
		&story->exits, &story->faults, &story->accesses, &story->strings,
		&story->packets, &story->roots, &story->vcpus,
	};
	unsigned int i;

	vec_each(struct story_string, s, &story->strings)
		vec_free(&s->bytes);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		vec_free(all[i]);
	map_free(&story->map);
	groups_free(&story->names);
	groups_free(&story->counters);
	groups_free(&story->by_what);
	if (story->input)
		input_close(story->input);
	story->input = NULL;
}
