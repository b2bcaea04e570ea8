// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket of a machine that runs: `vmctl run --name NAME` listens at
 * /run/mhv/NAME.sock (or in $MHV_RUN_DIR), for its own user alone.
 *
 * One request a connection:
 *
 *	client	VERB [WORD...]\n
 *	machine	ok\n			and the answer, to the end of the connection
 *	 or	error TEXT\n
 *
 * To add a verb, write a function and name it in `verbs`.  Verbs run in the main thread
 * with the device lock held; the answer is sent as fast as the client reads, and no
 * client can hold the machine up.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "debug.h"
#include "machine.h"
#include "msg.h"
#include "stats.h"

#define CONTROL_DIR	"/run/mhv"

/* ---- verbs -------------------------------------------------------------------- */

static int control_info(struct machine *machine, int argc, char **argv, FILE *out)
{
	fprintf(out, "pid %d\nseconds %llu\n", getpid(),
		(clock_now() - machine->started_at) / NSEC_PER_SEC);
	return 0;
}

static const struct control_verb verbs[] = {
	{ "debug", debug_serve },
	{ "info", control_info },
	{ "stats", stats_answer },
};

static int control_run(struct machine *machine, char *line, FILE *out)
{
	char *argv[CONTROL_WORDS + 1] = { NULL }, *word;
	unsigned int i;
	int argc = 0;

	while ((word = strsep(&line, " ")))
		if (*word && argc < CONTROL_WORDS)
			argv[argc++] = word;
	for (i = 0; argc && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[0], verbs[i].name))
			return verbs[i].run(machine, argc, argv, out);
	fprintf(out, "'%s': not known to this machine: use vmctl of the same build",
		argc ? argv[0] : "");
	return -1;
}

/* ---- a connection ------------------------------------------------------------- */

static void client_close(struct control_client *client)
{
	close(client->watch.fd);
	free(client->answer);
	client->answer = NULL;
	client->watch.fd = -1;
	client->watch.events = 0;
	/* there is room for another one */
	client->control->listen.events = POLLIN;
}

static void client_send(struct control_client *client)
{
	ssize_t n = send(client->watch.fd, client->answer + client->sent,
			 client->size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		client->sent += n;
	if (n < 0 || client->sent == client->size)
		client_close(client);
}

/* the whole request has come: what it says, with the result before it */
static int client_answer(struct control_client *client)
{
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	int err, len;

	if (!out)
		return -1;
	err = control_run(client->control->machine, client->line, out);
	if (fclose(out)) {
		free(text);
		return -1;
	}
	len = asprintf(&client->answer, "%s%s%s", err ? "error " : "ok\n", text,
		       err ? "\n" : "");
	free(text);
	if (len < 0) {
		client->answer = NULL;
		return -1;
	}
	client->size = len;
	client->sent = 0;
	client->watch.events = POLLOUT;
	return 0;
}

static void client_receive(struct control_client *client)
{
	ssize_t n = recv(client->watch.fd, client->line + client->len,
			 CONTROL_LINE - client->len, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		client->len += n;
	end = memchr(client->line, '\n', client->len);
	if (end)
		*end = '\0';
	/* it hung up, asks for too much, or there is no memory for an answer */
	if (end ? client_answer(client) : n <= 0 || client->len == CONTROL_LINE)
		client_close(client);
}

static void client_ready(struct evloop_watch *watch)
{
	struct control_client *client = container_of(watch, struct control_client, watch);

	if (client->answer)
		client_send(client);
	else
		client_receive(client);
}

/* ---- the socket ----------------------------------------------------------------- */

static void control_accept(struct evloop_watch *watch)
{
	struct control *control = container_of(watch, struct control, listen);
	struct control_client *client = NULL;
	unsigned int i;

	for (i = 0; i < CONTROL_CLIENTS && !client; i++)
		if (control->client[i].watch.fd < 0)
			client = &control->client[i];
	if (!client) {
		watch->events = 0;
		return;
	}
	client->watch.fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client->watch.fd < 0)
		return;
	client->len = 0;
	client->watch.events = POLLIN;
}

/**
 * control_name_valid - may a machine have the name?
 * @name:	letters, digits and some more: it is a file name
 */
bool control_name_valid(const char *name)
{
	size_t len = 0;

	while (isalnum((unsigned char)name[len]) || (name[len] && strchr("._-", name[len])))
		len++;
	return len && !name[len] && len <= CONTROL_NAME && *name != '.';
}

static const char *control_dir(void)
{
	const char *dir = getenv("MHV_RUN_DIR");

	return dir && *dir ? dir : CONTROL_DIR;
}

static int control_address(struct sockaddr_un *addr, const char *name)
{
	int len;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	len = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s.sock", control_dir(),
		       name);
	if (len >= (int)sizeof(addr->sun_path))
		return fail("--name %s: MHV_RUN_DIR is too long: use a shorter one", name);
	return 0;
}

static bool control_answers(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return true;
	/* with all places taken it says EAGAIN, and is there */
	answers = !connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
		  errno == EAGAIN;
	close(fd);
	return answers;
}

static int control_bind(int fd, const struct sockaddr_un *addr, const char *name)
{
	const struct sockaddr *sa = (const struct sockaddr *)addr;
	mode_t mask = umask(0177);
	int ret = bind(fd, sa, sizeof(*addr));

	/* one that was left behind has nobody who listens */
	if (ret && errno == EADDRINUSE && !control_answers(addr)) {
		unlink(addr->sun_path);
		ret = bind(fd, sa, sizeof(*addr));
	}
	umask(mask);
	if (!ret && !listen(fd, CONTROL_CLIENTS))
		return 0;
	if (errno == EADDRINUSE)
		return fail("--name %s: a guest of that name runs: use another name", name);
	return fail("--name %s: cannot make %s: %s: run as root, or set MHV_RUN_DIR", name,
		    addr->sun_path, strerror(errno));
}

static int control_watch(struct control *control, struct evloop *loop)
{
	unsigned int i;
	int err;

	control->listen.events = POLLIN;
	control->listen.ready = control_accept;
	err = evloop_add(loop, &control->listen);
	for (i = 0; i < CONTROL_CLIENTS && !err; i++) {
		control->client[i].control = control;
		control->client[i].watch.ready = client_ready;
		err = evloop_add(loop, &control->client[i].watch);
	}
	return err;
}

/**
 * control_open - listen for others
 * @control:	out; control_close() it, also after an error
 * @machine:	what it controls; its loop serves the socket
 * @name:	the machine's name; NULL: nobody can ask for it, and nothing is made
 *
 * Return: 0, or -1 with a message.
 */
int control_open(struct control *control, struct machine *machine, const char *name)
{
	struct sockaddr_un addr;
	unsigned int i;

	memset(control, 0, sizeof(*control));
	control->machine = machine;
	control->listen.fd = -1;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		control->client[i].watch.fd = -1;
	if (!name)
		return 0;
	if (control_address(&addr, name))
		return -1;
	/* what is wrong with it, bind() tells */
	mkdir(control_dir(), 0755);
	control->listen.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (control->listen.fd < 0)
		return fail("--name %s: no socket: %s", name, strerror(errno));
	if (control_bind(control->listen.fd, &addr, name))
		return -1;
	memcpy(control->path, addr.sun_path, sizeof(control->path));
	return control_watch(control, &machine->loop);
}

/**
 * control_close - listen no more
 * @control:	from control_open(), whatever that returned; its loop runs no more
 */
void control_close(struct control *control)
{
	unsigned int i;

	if (*control->path)
		unlink(control->path);
	*control->path = '\0';
	/* memset to 0 by a machine that did not get as far */
	if (!control->machine)
		return;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (control->client[i].watch.fd >= 0)
			client_close(&control->client[i]);
	if (control->listen.fd >= 0)
		close(control->listen.fd);
	control->listen.fd = -1;
}

/* ---- the other end ---------------------------------------------------------------- */

/* The name of the only guest that there is, to be freed; NULL with a message. */
static char *control_only(void)
{
	DIR *dir = opendir(control_dir());
	char *name = NULL;
	struct dirent *e;
	int nr = 0;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name);

		if (len <= 5 || strcmp(e->d_name + len - 5, ".sock"))
			continue;
		free(name);
		name = strndup(e->d_name, len - 5);
		nr++;
	}
	if (dir)
		closedir(dir);
	if (nr == 1)
		return name;
	free(name);
	if (nr)
		fail("there is more than one guest: say which with --name NAME");
	else
		fail("no guest with a name runs: start it with vmctl run --name NAME");
	return NULL;
}

/**
 * control_connect - reach a machine that runs
 * @name:	its name
 *
 * Return: a connection, which hangs up when the machine ends; -1 with a message.
 */
int control_connect(const char *name)
{
	struct sockaddr_un addr;
	int fd;

	if (!control_name_valid(name))
		return fail("'%s': not a name: use that of vmctl run --name", name);
	if (control_address(&addr, name))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		fail("no guest of the name '%s' runs: start it with vmctl run --name %s", name,
		     name);
	else
		fail("%s: %s: run as the user who started the guest", addr.sun_path,
		     strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* all that the machine has to say */
static char *control_read(int fd)
{
	char *text = NULL, part[4096];
	size_t size = 0;
	FILE *all = open_memstream(&text, &size);
	ssize_t n;

	if (!all)
		return NULL;
	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			fwrite(part, 1, n, all);
	fclose(all);
	return text;
}

/**
 * control_ask - ask a machine that runs
 * @name:	its name; NULL: the only one
 * @request:	verb and words, one line without its newline
 * @answer:	out: what it said, to be freed
 *
 * Return: 0, or -1 with a message, which may be the machine's own.
 */
int control_ask(const char *name, const char *request, char **answer)
{
	char *only = name ? NULL : control_only(), *text;
	int fd;

	if (!name && !only)
		return -1;
	fd = control_connect(name ? name : only);
	free(only);
	if (fd < 0)
		return -1;
	dprintf(fd, "%s\n", request);
	text = control_read(fd);
	close(fd);
	if (text && !strncmp(text, "ok\n", 3)) {
		*answer = strdup(text + 3);
		free(text);
		return *answer ? 0 : fail("out of memory");
	}
	if (text && !strncmp(text, "error ", 6))
		fail("%.*s", (int)strcspn(text + 6, "\n"), text + 6);
	else
		fail("the guest did not answer: it may have ended");
	free(text);
	return -1;
}
