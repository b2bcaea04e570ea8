/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs: each is a program of its own whose first argument is its name.
 */
#ifndef VMCTL_VERBS_H
#define VMCTL_VERBS_H

int verb_bench(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_debug(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_trace(int argc, char **argv);

#endif
