/* SPDX-License-Identifier: GPL-2.0-only */
/* What vmctl trace can do: each is a program of its own whose first argument is its name. */
#ifndef VMCTL_TRACE_VERBS_H
#define VMCTL_TRACE_VERBS_H

int trace_record(int argc, char **argv);
int trace_report(int argc, char **argv);
int trace_plot(int argc, char **argv);
int trace_html(int argc, char **argv);

#endif
