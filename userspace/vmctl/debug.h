/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_DEBUG_H
#define VMCTL_DEBUG_H

#include <stdio.h>
#include <linux/mhv.h>

#include "types.h"

#define DEBUG_TEXT	256	/* bytes of an explanation */

struct machine;

/* debug.c: the control verb "debug" of a machine that runs */
int debug_serve(struct machine *machine, int argc, char **argv, FILE *out);

/* debug_walk.c */
void walk_explain(const struct mhv_walk *walk, unsigned int level, char text[DEBUG_TEXT]);
void walk_print(const struct mhv_walk *walk, FILE *out);
void walk_print_json(const struct mhv_walk *walk, FILE *out);

#endif
