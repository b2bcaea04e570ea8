/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures of a trace, drawn by gnuplot. */
#ifndef VMCTL_TRACE_PLOT_H
#define VMCTL_TRACE_PLOT_H

#include "story.h"

enum plot { PLOT_LATENCY, PLOT_FAULTS, PLOT_ADDRESSES, PLOT_COUNT };
enum plot_format { PLOT_SVG, PLOT_PNG, PLOT_FORMATS };

/* what a file is called, less its format's ending, and what is in it */
extern const char *const plot_names[PLOT_COUNT];
extern const char *const plot_titles[PLOT_COUNT];
extern const char *const plot_endings[PLOT_FORMATS];

int plot_draw(const struct story *story, enum plot plot, enum plot_format format,
	      const char *file);

#endif
