// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl trace: a program of its own, found beside vmctl or in its libexec.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msg.h"
#include "power.h"
#include "types.h"
#include "verbs.h"

/* below the folder that vmctl is in */
static const char *const places[] = { "vmctl-trace", "../libexec/mhv/vmctl-trace" };

static const char packages[] = "libtracefs-dev, libtraceevent-dev and libtracecmd-dev";

static void trace_try(const char *place, char **argv)
{
	char path[PATH_MAX + 64], *slash;
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);

	if (len <= 0)
		return;
	path[len] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash + 1, path + sizeof(path) - slash - 1, "%s", place);
	execv(path, argv);
}

/**
 * verb_trace - vmctl trace
 * @argc:	words
 * @argv:	words, the first is "trace"
 *
 * Return: exit status, if the program could not be started.
 */
int verb_trace(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		trace_try(places[i], argv);
	if (errno == ENOENT)
		fail("trace: vmctl-trace is not here: install %s, build vmctl again", packages);
	else
		fail("trace: vmctl-trace cannot be started: %s", strerror(errno));
	return STATUS_FAILED;
}
