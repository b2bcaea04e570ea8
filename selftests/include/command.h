/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands whose output a test looks at, and kernels in memory for vmctl. */
#ifndef SELFTESTS_COMMAND_H
#define SELFTESTS_COMMAND_H

/* what the last command printed, messages included */
extern char output[1 << 20];

int command_run(const char *const argv[]);
int command_kernel(const char *start, const char *end);

/* the exit status of a command, or -1 */
#define COMMAND(...)	command_run((const char *const []){ __VA_ARGS__, NULL })

/* where vmctl finds the file that command_kernel() made */
#define KERNEL_FD	9
#define KERNEL_PATH	"/proc/self/fd/9"

#endif
