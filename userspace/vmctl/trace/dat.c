// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes a trace.dat, version 6, as trace-cmd.dat.v6(5) describes it: the formats of the
 * events, then the ring buffers' pages as the kernel gave them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../msg.h"
#include "dat.h"

#define DAT_MAGIC		"\x17\x08\x44tracing6"
#define DAT_OPTION_CLOCK	4

struct dat {
	FILE *out;
	const char *dir;	/* of the trace */
	bool bad;		/* a file of the kernel could not be read */
};

/* numbers in this machine's own order, as the header says */
static void dat_u16(struct dat *dat, u16 val)
{
	fwrite(&val, sizeof(val), 1, dat->out);
}

static void dat_u32(struct dat *dat, u32 val)
{
	fwrite(&val, sizeof(val), 1, dat->out);
}

static void dat_u64(struct dat *dat, u64 val)
{
	fwrite(&val, sizeof(val), 1, dat->out);
}

static void dat_text(struct dat *dat, const char *text)
{
	fwrite(text, strlen(text) + 1, 1, dat->out);
}

/* a file of tracefs has no size before it is read; the caller frees it */
static char *dat_read(struct dat *dat, const char *name, size_t *size)
{
	char path[PATH_MAX], *text = NULL;
	size_t room = 0, got;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", dat->dir, name);
	*size = 0;
	in = fopen(path, "re");
	if (!in)
		return NULL;
	do {
		char *more = realloc(text, room += 65536);

		if (!more)
			break;
		text = more;
		got = fread(text + *size, 1, room - *size, in);
		*size += got;
	} while (got);
	fclose(in);
	return text;
}

/* a file with its size before it; one that the format can do without may be missing */
static void dat_file(struct dat *dat, const char *name, bool wide, bool needed)
{
	size_t size;
	char *text = dat_read(dat, name, &size);

	if (!text && needed && !dat->bad) {
		fail("cannot read %s/%s: %s", dat->dir, name, strerror(errno));
		dat->bad = true;
	}
	if (wide)
		dat_u64(dat, size);
	else
		dat_u32(dat, size);
	fwrite(text ? text : "", size, 1, dat->out);
	free(text);
}

static int dat_is_event(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

/* the formats of a system's events, with their number before them */
static void dat_system(struct dat *dat, const char *system)
{
	char path[PATH_MAX], name[PATH_MAX];
	struct dirent **list;
	int i, nr;

	snprintf(path, sizeof(path), "%s/events/%s", dat->dir, system);
	nr = scandir(path, &list, dat_is_event, alphasort);
	if (nr < 0) {
		fail("cannot read %s: %s", path, strerror(errno));
		dat->bad = true;
		return;
	}
	dat_u32(dat, nr);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "events/%s/%.200s/format", system, list[i]->d_name);
		dat_file(dat, name, true, true);
		free(list[i]);
	}
	free(list);
}

static void dat_head(struct dat *dat)
{
	fwrite(DAT_MAGIC, sizeof(DAT_MAGIC), 1, dat->out);
	fputc(0, dat->out);		/* little endian */
	fputc(sizeof(long), dat->out);
	dat_u32(dat, GUEST_PAGE);
	dat_text(dat, "header_page");
	dat_file(dat, "events/header_page", true, true);
	dat_text(dat, "header_event");
	dat_file(dat, "events/header_event", true, true);
	dat_system(dat, "ftrace");
	dat_u32(dat, 1);
	dat_text(dat, "mhv");
	dat_system(dat, "mhv");
	dat_u32(dat, 0);		/* no kernel symbols */
	dat_file(dat, "printk_formats", false, false);
	dat_file(dat, "saved_cmdlines", true, false);
}

static void dat_options(struct dat *dat)
{
	fwrite("options  ", 10, 1, dat->out);
	dat_u16(dat, DAT_OPTION_CLOCK);
	dat_file(dat, "trace_clock", false, false);
	dat_u16(dat, 0);
}

/* copies the pages; false after an error */
static bool dat_copy(struct dat *dat, const struct dat_cpu *cpu)
{
	char page[65536];
	u64 left = cpu->size;
	ssize_t got;

	if (lseek(cpu->fd, 0, SEEK_SET) < 0)
		return false;
	for (; left; left -= got) {
		got = read(cpu->fd, page, min_u64(left, sizeof(page)));
		if (got <= 0)
			return false;
		fwrite(page, got, 1, dat->out);
	}
	return true;
}

/* where each CPU's pages are, then they themselves, all at multiples of a page */
static bool dat_buffers(struct dat *dat, const struct dat_cpu *cpus, unsigned int nr)
{
	u64 first, at;
	unsigned int i;
	bool done = true;

	fwrite("flyrecord", 10, 1, dat->out);
	first = align_up(ftell(dat->out) + nr * 16ull, GUEST_PAGE);
	at = first;
	for (i = 0; i < nr; i++) {
		dat_u64(dat, at);
		dat_u64(dat, cpus[i].size);
		at = align_up(at + cpus[i].size, GUEST_PAGE);
	}
	for (at = first, i = 0; i < nr && done; i++) {
		fseek(dat->out, at, SEEK_SET);
		done = dat_copy(dat, &cpus[i]);
		at = align_up(at + cpus[i].size, GUEST_PAGE);
	}
	return done;
}

/**
 * dat_write - make a trace.dat
 * @file:	its name; a file that is there is replaced
 * @dir:	tracing directory that the formats come from
 * @cpus:	what was recorded
 * @nr:		CPUs
 *
 * Return: 0, or -1 with a message; then there is no file.
 */
int dat_write(const char *file, const char *dir, const struct dat_cpu *cpus, unsigned int nr)
{
	struct dat dat = { .dir = dir };
	bool done;

	dat.out = fopen(file, "we");
	if (!dat.out)
		return fail("%s: cannot be written: %s", file, strerror(errno));
	dat_head(&dat);
	dat_u32(&dat, nr);
	dat_options(&dat);
	done = dat_buffers(&dat, cpus, nr) && !ferror(dat.out);
	done = !fclose(dat.out) && done;
	if (!done)
		fail("%s: cannot be written: %s", file, strerror(errno));
	if (done && !dat.bad)
		return 0;
	unlink(file);
	return -1;
}
