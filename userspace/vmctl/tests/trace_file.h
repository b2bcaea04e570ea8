/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace.dat made by hand: the kernel's formats and ring buffer pages as they would be.
 */
#ifndef VMCTL_TESTS_TRACE_FILE_H
#define VMCTL_TESTS_TRACE_FILE_H

#include "../trace/input.h"

#define TRACE_CPUS	2

/**
 * struct trace_file - under construction
 * @dir:	folder with the formats, as tracefs has them
 * @page: @used:	of each CPU, the page that is being filled, and bytes in it
 * @first: @last:	time of its first and last event
 * @fd:		of each CPU, its pages
 * @lost:	of each CPU, events lost before its page
 */
struct trace_file {
	char dir[64];
	u8 page[TRACE_CPUS][4096];
	unsigned int used[TRACE_CPUS];
	u64 first[TRACE_CPUS], last[TRACE_CPUS];
	int fd[TRACE_CPUS];
	u64 lost[TRACE_CPUS];
};

void trace_file_begin(struct trace_file *t, const char *system);
void trace_file_add(struct trace_file *t, unsigned int cpu, const struct event *ev);
void trace_file_mark(struct trace_file *t, u64 ts, const char *fmt, ...) __printf(3, 4);
void trace_file_turn_page(struct trace_file *t, unsigned int cpu, u64 lost);
void trace_file_end(struct trace_file *t, const char *file);

#endif
