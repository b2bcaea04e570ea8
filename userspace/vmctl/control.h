/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a machine that runs, for other vmctl processes: control.c has
 * the protocol.
 */
#ifndef VMCTL_CONTROL_H
#define VMCTL_CONTROL_H

#include <stdio.h>

#include "evloop.h"

#define CONTROL_CLIENTS	4	/* at a time; others wait */
#define CONTROL_LINE	256	/* bytes of a request, newline included */
#define CONTROL_WORDS	16
#define CONTROL_NAME	64	/* bytes of a machine's name */

struct machine;

/**
 * struct control_verb - what a machine does for others
 * @name:	first word of the request
 * @run:	answer to @out; the device lock is held.  0, or -1 with one line on @out
 *		that says what is wrong and what to do
 */
struct control_verb {
	const char *name;
	int (*run)(struct machine *machine, int argc, char **argv, FILE *out);
};

/**
 * struct control_client - a connection
 * @watch:	of its socket; -1: not in use
 * @control:	whose it is
 * @line:	the request, as far as it has come
 * @len:	bytes of @line
 * @answer:	what is to be sent
 * @size:	bytes of @answer
 * @sent:	of them
 */
struct control_client {
	struct evloop_watch watch;
	struct control *control;
	char line[CONTROL_LINE];
	size_t len;
	char *answer;
	size_t size, sent;
};

/**
 * struct control - the socket
 * @machine:	what it controls
 * @listen:	watch of the socket that listens; -1: none
 * @path:	where it is
 * @client:	connections
 */
struct control {
	struct machine *machine;
	struct evloop_watch listen;
	char path[108];
	struct control_client client[CONTROL_CLIENTS];
};

int control_open(struct control *control, struct machine *machine, const char *name);
void control_close(struct control *control);
bool control_name_valid(const char *name);
int control_connect(const char *name);
int control_ask(const char *name, const char *request, char **answer);

#endif
