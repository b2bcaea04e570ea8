// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace record: run a command, and keep the module's events meanwhile.
 *
 * The events go to a tracing instance of our own, so nobody else's trace is touched, and
 * nothing is left behind.  A thread for each CPU takes whole pages off its buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tracefs.h>
#include <unistd.h>

#include "../mark.h"
#include "../msg.h"
#include "../power.h"
#include "dat.h"
#include "input.h"
#include "verbs.h"

#define CPUS_MAX	1024

static const char usage[] =
	"usage: vmctl trace record [OPTION...] -- COMMAND [ARG...]\n"
	"\n"
	"Runs COMMAND and records the module's events that the report is made of until it\n"
	"ends. `vmctl run` as COMMAND adds what the report names things by: devices,\n"
	"registers, packets, counters.\n"
	"\n"
	"  -o, --output FILE  the trace (default trace.dat)\n"
	"  --all              all events of the module; this can take many times as long\n"
	"  --roots            also what shadow roots hold at each switch of CR3; likewise\n"
	"  --clock CLOCK      clock of the trace, as in tracefs' trace_clock (default x86-tsc,\n"
	"                     which counts the CPU's ticks)\n"
	"  --buffer KIB       the kernel's buffer for each CPU (default 8192)\n"
	"\n"
	"exit status: that of COMMAND, 128+N if signal N ended it, 127 if it is not there;\n"
	"1 nothing was recorded, 2 usage\n";

struct recorder;

/* a CPU's buffer, and the thread that empties it */
struct reader {
	struct recorder *recorder;
	struct tracefs_cpu *cpu;
	int fd;
	pthread_t thread;
	bool started;
};

struct recorder {
	const char *file, *clock;
	unsigned int buffer;
	bool all;
	bool roots;
	char **command;
	struct tracefs_instance *instance;
	char *dir;
	struct reader reader[CPUS_MAX];
	unsigned int nr;
	bool stop, full;
};

/* ---- arguments -------------------------------------------------------------- */

enum { OPT_CLOCK = 256, OPT_BUFFER, OPT_ALL, OPT_ROOTS };

static int record_parse(struct recorder *rec, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "roots", no_argument, NULL, OPT_ROOTS },
		{ "clock", required_argument, NULL, OPT_CLOCK },
		{ "buffer", required_argument, NULL, OPT_BUFFER },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "+o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			rec->file = optarg;
			break;
		case OPT_ALL:
			rec->all = true;
			break;
		case OPT_ROOTS:
			rec->roots = true;
			break;
		case OPT_CLOCK:
			rec->clock = optarg;
			break;
		case OPT_BUFFER:
			rec->buffer = strtoul(optarg, &end, 10);
			if (*end || rec->buffer < 64 || rec->buffer > 4 * MIB)
				return fail("--buffer %s: it is 64 to 4194304 (KiB)", optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(STATUS_OK);
		default:
			return fail("see 'vmctl trace record --help'");
		}
	}
	rec->command = argv + optind;
	return *rec->command ? 0 : fail("no COMMAND to record: it comes after --");
}

/* ---- the buffers ------------------------------------------------------------ */

static void *reader_main(void *arg)
{
	struct reader *reader = arg;
	struct recorder *rec = reader->recorder;

	while (!__atomic_load_n(&rec->stop, __ATOMIC_ACQUIRE))
		if (tracefs_cpu_write(reader->cpu, reader->fd, false) < 0 && errno != EAGAIN &&
		    errno != EINTR) {
			__atomic_store_n(&rec->full, true, __ATOMIC_RELEASE);
			break;
		}
	return NULL;
}

/* a file without a name, where the trace will be */
static int reader_file(const char *file)
{
	char *copy = strdup(file);
	int fd = copy ? open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
	FILE *plain;

	free(copy);
	if (fd >= 0)
		return fd;
	plain = tmpfile();	/* not every file system can do that */
	if (!plain)
		return -1;
	fd = fcntl(fileno(plain), F_DUPFD_CLOEXEC, 0);
	fclose(plain);
	return fd;
}

static int record_open_files(struct recorder *rec)
{
	long nr = sysconf(_SC_NPROCESSORS_CONF);

	for (; rec->nr < nr && rec->nr < CPUS_MAX; rec->nr++) {
		rec->reader[rec->nr] = (struct reader){
			.recorder = rec, .fd = reader_file(rec->file),
		};
		if (rec->reader[rec->nr].fd < 0)
			return fail("%s: cannot be written: %s", rec->file, strerror(errno));
	}
	return 0;
}

static int record_start_readers(struct recorder *rec)
{
	unsigned int cpu;

	for (cpu = 0; cpu < rec->nr; cpu++) {
		struct reader *reader = &rec->reader[cpu];

		reader->cpu = tracefs_cpu_open(rec->instance, cpu, false);
		if (!reader->cpu)
			return fail("cannot read the trace of CPU %u: %s", cpu,
				    strerror(errno));
		reader->started = !pthread_create(&reader->thread, NULL, reader_main, reader);
		if (!reader->started)
			return fail("cannot start a thread");
	}
	return 0;
}

/* the rest of a CPU's buffer, page by page */
static int reader_stop(struct reader *reader)
{
	int ret;

	tracefs_cpu_stop(reader->cpu);
	pthread_join(reader->thread, NULL);
	reader->started = false;
	do
		ret = tracefs_cpu_flush_write(reader->cpu, reader->fd);
	while (ret > 0);
	return ret < 0 && errno != EAGAIN ? -1 : 0;
}

static int record_stop_readers(struct recorder *rec)
{
	int err = 0;
	unsigned int i;

	__atomic_store_n(&rec->stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < rec->nr; i++)
		if (rec->reader[i].started && reader_stop(&rec->reader[i]))
			err = -1;
	if (err || rec->full)
		return fail("%s: cannot be written: %s", rec->file, strerror(errno));
	return 0;
}

/* ---- the trace -------------------------------------------------------------- */

/*
 * What the report does not read is left alone: some events are many, and mhv_shadow_root
 * looks at every entry of the tables that are left.
 */
static int record_enable(struct recorder *rec)
{
	unsigned int i;

	if (rec->all)
		return tracefs_event_enable(rec->instance, "mhv", NULL);
	/* of the shadow pages those that are new are counted */
	if (tracefs_event_file_write(rec->instance, "mhv", input_event_names[EV_SHADOW_PAGE],
				     "filter", "what == 0") < 0)
		return -1;
	for (i = 0; i < EV_COUNT; i++)
		if (i != EV_MARK && (i != EV_SHADOW_ROOT || rec->roots) &&
		    tracefs_event_enable(rec->instance, "mhv", input_event_names[i]))
			return -1;
	return 0;
}

static int record_no_clock(const struct recorder *rec)
{
	return fail("--clock %s: this kernel has no such clock: see %s/trace_clock", rec->clock,
		    tracefs_tracing_dir());
}

/* the clocks that there are, the one in use in brackets */
static bool record_has_clock(const struct recorder *rec)
{
	char *text = tracefs_instance_file_read(NULL, "trace_clock", NULL), *rest = text, *word;
	bool found = false;

	while (text && !found && (word = strsep(&rest, " []\n")))
		found = *word && !strcmp(word, rec->clock);
	free(text);
	return found;
}

/*
 * What can be known is asked first: an instance has files for each event of the kernel,
 * and a kernel before 6.6 makes them all at once, of tens of MiB.
 */
static int record_check(struct recorder *rec)
{
	if (!tracefs_tracing_dir())
		return fail("no tracefs here: mount it, or be root");
	if (!record_has_clock(rec))
		return record_no_clock(rec);
	return record_open_files(rec);
}

static int record_open(struct recorder *rec)
{
	char name[32];

	snprintf(name, sizeof(name), "vmctl-%d", getpid());
	rec->instance = tracefs_instance_create(name);
	if (!rec->instance)
		return fail("cannot make a trace: %s: be root", strerror(errno));
	rec->dir = tracefs_instance_get_dir(rec->instance);
	if (tracefs_instance_file_write(rec->instance, "trace_clock", rec->clock) < 0)
		return record_no_clock(rec);
	if (tracefs_instance_set_buffer_size(rec->instance, rec->buffer, -1))
		return fail("--buffer %u: the kernel does not give that much: use less",
			    rec->buffer);
	if (record_enable(rec))
		return fail("the module's events are not there: load mhv.ko");
	return 0;
}

static void record_close(struct recorder *rec)
{
	unsigned int i;

	for (i = 0; i < rec->nr; i++) {
		if (rec->reader[i].cpu)
			tracefs_cpu_close(rec->reader[i].cpu);
		close(rec->reader[i].fd);
	}
	if (!rec->instance)
		return;
	tracefs_instance_destroy(rec->instance);
	tracefs_instance_free(rec->instance);
	tracefs_put_tracing_file(rec->dir);
}

/* what the kernel threw away for want of room, of a CPU's buffer */
static u64 record_lost_on(struct recorder *rec, unsigned int cpu)
{
	static const char *const words[] = { "\noverrun: ", "\ndropped events: " };
	char name[64], *text, *at;
	unsigned int i;
	u64 lost = 0;

	snprintf(name, sizeof(name), "per_cpu/cpu%u/stats", cpu);
	text = tracefs_instance_file_read(rec->instance, name, NULL);
	for (i = 0; text && i < ARRAY_SIZE(words); i++) {
		at = strstr(text, words[i]);
		lost += at ? strtoull(at + strlen(words[i]), NULL, 10) : 0;
	}
	free(text);
	return lost;
}

static void record_say_lost(struct recorder *rec)
{
	unsigned int i;
	u64 lost = 0;

	for (i = 0; i < rec->nr; i++)
		lost += record_lost_on(rec, i);
	if (!lost)
		return;
	note("%s: %llu events were lost: use a larger --buffer", rec->file, lost);
	if (mark_open(rec->dir))
		mark("lost %llu", lost);
}

static int record_save(struct recorder *rec)
{
	struct dat_cpu cpus[CPUS_MAX];
	unsigned int i;

	record_say_lost(rec);
	tracefs_trace_off(rec->instance);
	if (record_stop_readers(rec))
		return -1;
	for (i = 0; i < rec->nr; i++)
		cpus[i] = (struct dat_cpu){
			rec->reader[i].fd, lseek(rec->reader[i].fd, 0, SEEK_END),
		};
	return dat_write(rec->file, rec->dir, cpus, rec->nr);
}

/* ---- signals ---------------------------------------------------------------- */

static volatile sig_atomic_t command;

/* what ends us ends the command, and then we save what there is */
static void record_pass_on(int sig)
{
	if (command > 0)
		kill(command, sig);
}

static void record_signals(void)
{
	struct sigaction pass = { .sa_handler = record_pass_on };

	sigaction(SIGTERM, &pass, NULL);
	sigaction(SIGHUP, &pass, NULL);
	/* the terminal tells them to the command as well: it decides when it ends */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
}

/* ---- the command ------------------------------------------------------------ */

static void record_exec(struct recorder *rec)
{
	setenv(MARK_DIR_ENV, rec->dir, true);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	execvp(rec->command[0], rec->command);
	fail("%s: %s", rec->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* the exit status of the command */
static int record_run(struct recorder *rec)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return fail("cannot start %s: %s", rec->command[0], strerror(errno));
	if (!pid)
		record_exec(rec);
	command = pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail("lost %s: %s", rec->command[0], strerror(errno));
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/**
 * trace_record - vmctl trace record
 * @argc:	words
 * @argv:	words, the first is "record"
 *
 * Return: exit status.
 */
int trace_record(int argc, char **argv)
{
	static struct recorder rec = {
		.file = "trace.dat", .clock = "x86-tsc", .buffer = 8192,
	};
	int status = -1;

	if (record_parse(&rec, argc, argv))
		return STATUS_USAGE;
	record_signals();
	if (!record_check(&rec) && !record_open(&rec) && !record_start_readers(&rec))
		status = record_run(&rec);
	if (status >= 0 && record_save(&rec))
		status = -1;
	if (status < 0)
		record_stop_readers(&rec);
	record_close(&rec);
	return status < 0 ? STATUS_FAILED : status;
}
