// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads trace files by libtracecmd.
 *
 * Numbers that stand for something are named by the trace itself: its formats say how the
 * kernel would print them.  So a trace is read by the words of the module that made it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "../mark.h"
#include "../msg.h"
#include "input.h"

#define FIELDS_MAX	24
#define WORDS_MAX	256
#define BUFFERS_MAX	16
#define BLANK		"\n "

/* where a number of an event goes to in struct event */
struct input_field {
	struct tep_format_field *field;
	size_t at;
};

/* what the reader knows of an event of the trace */
struct input_event {
	struct tep_event *event;
	enum event_kind kind;
	struct input_field field[FIELDS_MAX];
	unsigned int nr;
	struct tep_format_field *bytes;
};

/* a number that has a name */
struct input_word {
	enum event_kind kind;
	const char *field;
	u64 value;
	char word[40];
};

struct input {
	const char *file;
	struct tracecmd_input *handle;
	struct tracecmd_input *buffer[BUFFERS_MAX];
	int nr_buffers;
	struct tep_handle *tep;
	struct input_event event[EV_COUNT];
	struct input_word word[WORDS_MAX];
	unsigned int nr_words;
	int (*give)(void *owner, const struct event *ev);
	void *owner;
	int err;
};

/* the events as the kernel calls them */
const char *const input_event_names[EV_COUNT] = {
#define X(id, name) [EV_##id] = name,
	TRACE_EVENTS(X)
#undef X
};

static const struct {
	const char *name;
	size_t at;
} event_fields[] = {
#define X(name) { #name, offsetof(struct event, name) },
	TRACE_FIELDS(X)
#undef X
};

/* ---- formats ---------------------------------------------------------------- */

static void input_learn(struct input *input, enum event_kind kind)
{
	struct input_event *e = &input->event[kind];
	const char *system = kind == EV_MARK ? "ftrace" : "mhv";
	struct tep_format_field *field;
	unsigned int i;

	e->kind = kind;
	e->event = tep_find_event_by_name(input->tep, system, input_event_names[kind]);
	if (!e->event)
		return;
	for (i = 0; i < ARRAY_SIZE(event_fields); i++) {
		field = tep_find_field(e->event, event_fields[i].name);
		if (field && e->nr < FIELDS_MAX)
			e->field[e->nr++] = (struct input_field){ field, event_fields[i].at };
	}
	e->bytes = tep_find_field(e->event, kind == EV_MARK ? "buf" : "bytes");
}

static bool input_has_module(const struct input *input)
{
	return input->event[EV_EXIT].event && input->event[EV_FAULT].event &&
	       input->event[EV_MMIO].event;
}

/* the library has no words for what is wrong with a file */
static int input_check_magic(const char *file)
{
	static const char magic[] = "\x17\x08\x44tracing";
	char head[sizeof(magic) - 1];
	FILE *in = fopen(file, "re");
	size_t got;

	if (!in)
		return fail("%s: %s", file, strerror(errno));
	got = fread(head, 1, sizeof(head), in);
	fclose(in);
	if (got != sizeof(head) || memcmp(head, magic, sizeof(head)))
		return fail("%s: not a trace: 'vmctl trace record' or 'trace-cmd record' makes one",
			    file);
	return 0;
}

static struct tracecmd_input *input_handle(const char *file)
{
	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	return tracecmd_open(file, TRACECMD_FL_LOAD_NO_PLUGINS);
}

static int input_pass(struct tracecmd_input *handle, struct tep_record *record, int cpu,
		      void *arg)
{
	return 0;
}

/*
 * Reads all of a trace for nothing, in a process of its own: the library trusts what is in
 * the file, and a damaged one may be the end of who reads it.
 */
static int input_probe(const char *file)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct tracecmd_input *handle;
	int status = -1, null;
	unsigned int i;
	pid_t pid = fork();

	if (!pid) {
		for (i = 0; i < ARRAY_SIZE(deadly); i++)
			signal(deadly[i], SIG_DFL);
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ });
		handle = input_handle(file);
		_exit(!handle || tracecmd_iterate_events(handle, NULL, 0, input_pass, NULL));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status ? fail("%s: the trace is damaged or cut short: record it again", file) : 0;
}

/* the trace itself, and those of instances that trace-cmd recorded with it */
static void input_add_buffers(struct input *input)
{
	int i, nr = tracecmd_buffer_instances(input->handle);
	struct tracecmd_input *buffer;

	input->buffer[input->nr_buffers++] = input->handle;
	for (i = 0; i < nr && input->nr_buffers < BUFFERS_MAX; i++) {
		buffer = tracecmd_buffer_instance_handle(input->handle, i);
		if (buffer)
			input->buffer[input->nr_buffers++] = buffer;
	}
}

static void input_close_buffers(struct input *input)
{
	while (input->nr_buffers)
		tracecmd_close(input->buffer[--input->nr_buffers]);
}

/**
 * input_open - open a trace
 * @file:	made by vmctl trace record or trace-cmd
 *
 * Return: the trace, or NULL with a message.
 */
struct input *input_open(const char *file)
{
	struct input *input;
	unsigned int i;

	if (input_check_magic(file) || input_probe(file))
		return NULL;
	input = calloc(1, sizeof(*input));
	if (!input) {
		fail("out of memory");
		return NULL;
	}
	input->file = file;
	input->handle = input_handle(file);
	if (!input->handle) {
		fail("%s: the trace cannot be read", file);
		goto out_free;
	}
	input_add_buffers(input);
	input->tep = tracecmd_get_tep(input->handle);
	for (i = 0; i < EV_COUNT; i++)
		input_learn(input, i);
	if (input_has_module(input))
		return input;
	fail("%s: a trace without the events of mhv: record it with -e mhv", file);
	input_close_buffers(input);
out_free:
	free(input);
	return NULL;
}

/**
 * input_close - close a trace
 * @input:	from input_open()
 */
void input_close(struct input *input)
{
	input_close_buffers(input);
	free(input);
}

/* ---- events ----------------------------------------------------------------- */

static struct input_event *input_find(struct input *input, int id)
{
	unsigned int i;

	for (i = 0; i < EV_COUNT; i++)
		if (input->event[i].event && input->event[i].event->id == id)
			return &input->event[i];
	return NULL;
}

/* an array of the event; false when it is not within the record */
static bool input_bytes(const struct input_event *e, struct tep_record *record,
			const u8 **bytes, unsigned int *nr)
{
	struct tep_format_field *f = e->bytes;
	unsigned int at = f->offset, len = f->size;
	unsigned long long where;

	if (f->flags & TEP_FIELD_IS_DYNAMIC) {
		if (tep_read_number_field(f, record->data, &where))
			return false;
		at = where & 0xffff;
		len = where >> 16 & 0xffff;
	} else if (!len) {
		len = record->size > (int)at ? record->size - at : 0;
	}
	*bytes = (const u8 *)record->data + at;
	*nr = len;
	return record->size >= 0 && at + len <= (unsigned int)record->size;
}

/* a mark of ours has a prefix, and ends with its line; others are not for us */
static bool input_mark(struct event *ev, char *line, size_t room)
{
	size_t prefix = strlen(MARK_PREFIX), len = strnlen((const char *)ev->bytes, ev->nr_bytes);

	if (len < prefix || memcmp(ev->bytes, MARK_PREFIX, prefix))
		return false;
	snprintf(line, room, "%.*s", (int)(len - prefix), ev->bytes + prefix);
	line[strcspn(line, "\n")] = '\0';
	ev->text = line;
	return true;
}

static bool input_fill(struct input *input, const struct input_event *e,
		       struct tep_record *record, struct event *ev)
{
	unsigned long long val;
	unsigned int i;

	ev->kind = e->kind;
	ev->ts = record->ts;
	ev->tid = tep_data_pid(input->tep, record);
	ev->lost = record->missed_events;
	for (i = 0; i < e->nr; i++)
		if (!tep_read_number_field(e->field[i].field, record->data, &val))
			*(u64 *)((char *)ev + e->field[i].at) = val;
	return !e->bytes || input_bytes(e, record, &ev->bytes, &ev->nr_bytes);
}

/* numbers that the trace has words for are asked for while the record is at hand */
static void input_learn_word(struct input *input, struct tep_record *record,
			     const struct input_event *e, const char *field, u64 value)
{
	struct input_word *word = &input->word[input->nr_words];
	char key[32], *at;
	struct trace_seq seq;

	if (input_word(input, e->kind, field, value) || input->nr_words == WORDS_MAX)
		return;
	trace_seq_init(&seq);
	tep_print_event(input->tep, &seq, record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	snprintf(key, sizeof(key), "%s=", field);
	at = strstr(seq.buffer, key);
	at = at ? at + strlen(key) : NULL;
	if (at && strcspn(at, BLANK)) {
		*word = (struct input_word){ e->kind, field, value, "" };
		snprintf(word->word, sizeof(word->word), "%.*s", (int)strcspn(at, BLANK), at);
		input->nr_words++;
	}
	trace_seq_destroy(&seq);
}

static void input_learn_words(struct input *input, struct tep_record *record,
			      const struct input_event *e, const struct event *ev)
{
	if (e->kind == EV_EXIT) {
		input_learn_word(input, record, e, "reason", ev->reason & 0xffff);
	} else if (e->kind == EV_FAULT) {
		input_learn_word(input, record, e, "verdict", ev->verdict);
	} else if (e->kind == EV_MMIO) {
		input_learn_word(input, record, e, "route", ev->route);
		input_learn_word(input, record, e, "cache", ev->verdict);
	}
}

static int input_one(struct tracecmd_input *handle, struct tep_record *record, int cpu,
		     void *arg)
{
	struct input *input = arg;
	struct input_event *e = input_find(input, tep_data_type(input->tep, record));
	struct event ev = { };
	char line[512];

	ev.kind = EV_COUNT;	/* one of somebody else's, told for what was lost before it */
	ev.lost = record->missed_events;
	if (e && (!input_fill(input, e, record, &ev) ||
		  (e->kind == EV_MARK && !input_mark(&ev, line, sizeof(line)))))
		ev.kind = EV_COUNT;
	else if (e)
		input_learn_words(input, record, e, &ev);
	if (ev.kind == EV_COUNT && !ev.lost)
		return 0;
	input->err = input->give(input->owner, &ev);
	return input->err;
}

/**
 * input_each - go through the events, in the order of time
 * @input:	the trace
 * @event:	called with each; the event and what it points to are there until it
 *		returns; not 0 ends it.  One of EV_COUNT says but how many were lost
 * @owner:	passed on
 *
 * Return: 0, or what @event returned.
 */
int input_each(struct input *input, int (*event)(void *owner, const struct event *ev),
	       void *owner)
{
	input->give = event;
	input->owner = owner;
	input->err = 0;
	tracecmd_iterate_events_multi(input->buffer, input->nr_buffers, input_one, input);
	return input->err;
}

/**
 * input_word - what a number stands for
 * @input:	the trace, after an event that had it
 * @kind:	event
 * @field:	as the event prints it
 * @value:	number
 *
 * Return: the word; NULL when the trace has none.
 */
const char *input_word(struct input *input, enum event_kind kind, const char *field, u64 value)
{
	unsigned int i;

	for (i = 0; i < input->nr_words; i++)
		if (input->word[i].value == value && input->word[i].kind == kind &&
		    !strcmp(input->word[i].field, field))
			return input->word[i].word;
	return NULL;
}
