// SPDX-License-Identifier: GPL-2.0-only
/* The control socket: requests, names, clients that misbehave, what is left behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "fixture.h"
#include "machine.h"

static struct machine machine;
static struct control control;
static char dir[32] = "/tmp/control_test.XXXXXX";
static bool stop;

static void *serve(void *unused)
{
	pthread_mutex_lock(&machine.lock);
	while (!stop && !evloop_once(&machine.loop))
		;
	pthread_mutex_unlock(&machine.lock);
	return NULL;
}

static pthread_t begin(void)
{
	pthread_t thread;

	stop = false;
	memset(&machine, 0, sizeof(machine));
	pthread_mutex_init(&machine.lock, NULL);
	assert_int_equal(evloop_init(&machine.loop, &machine.lock), 0);
	assert_int_equal(control_open(&control, &machine, "vm-1"), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	return thread;
}

static void finish(pthread_t thread)
{
	pthread_mutex_lock(&machine.lock);
	stop = true;
	evloop_wake(&machine.loop);
	pthread_mutex_unlock(&machine.lock);
	pthread_join(thread, NULL);
	control_close(&control);
	evloop_destroy(&machine.loop);
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/vm-1.sock", dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void test_ask(void **state)
{
	pthread_t thread = begin();
	char want[64], *answer;
	unsigned int i;

	test_now = 7 * NSEC_PER_SEC;
	snprintf(want, sizeof(want), "pid %d\nseconds 7\n", getpid());
	/* more often than there are places */
	for (i = 0; i < 3 * CONTROL_CLIENTS; i++) {
		assert_int_equal(control_ask("vm-1", "info", &answer), 0);
		assert_string_equal(answer, want);
		free(answer);
	}
	finish(thread);
}

static void test_refused(void **state)
{
	pthread_t thread = begin();
	char *answer;

	test_silence();
	assert_int_equal(control_ask("vm-1", "nothing", &answer), -1);
	assert_int_equal(control_ask("vm-1", "", &answer), -1);
	assert_int_equal(control_ask("vm-2", "info", &answer), -1);
	assert_int_equal(control_ask("../vm-1", "info", &answer), -1);
	finish(thread);
	assert_int_equal(control_ask("vm-1", "info", &answer), -1);
}

/* those who say nothing, too much, or hang up hold nobody up */
static void test_bad_clients(void **state)
{
	static const char flood[CONTROL_LINE] = "x";
	pthread_t thread = begin();
	int fd[CONTROL_CLIENTS];
	char *answer, end;
	unsigned int i;

	close(dial());
	fd[0] = dial();
	assert_int_equal(send(fd[0], flood, sizeof(flood), MSG_NOSIGNAL), sizeof(flood));
	assert_true(recv(fd[0], &end, 1, 0) <= 0);
	close(fd[0]);
	/* all places but one taken */
	for (i = 1; i < CONTROL_CLIENTS; i++)
		fd[i] = dial();
	assert_int_equal(control_ask("vm-1", "info", &answer), 0);
	free(answer);
	for (i = 1; i < CONTROL_CLIENTS; i++)
		close(fd[i]);
	finish(thread);
}

/* the socket is its user's alone; two of one name do not run; a dead one's is taken */
static void test_socket(void **state)
{
	pthread_t thread = begin();
	struct control second, third;
	char path[64], copy[64];
	struct stat st;

	test_silence();
	snprintf(path, sizeof(path), "%s/vm-1.sock", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(control_open(&second, &machine, "vm-1"), -1);
	control_close(&second);
	assert_int_equal(stat(path, &st), 0);

	/* as if the first had been killed */
	assert_int_equal(link(path, copy), 0);
	finish(thread);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(rename(copy, path), 0);
	pthread_mutex_init(&machine.lock, NULL);
	assert_int_equal(evloop_init(&machine.loop, &machine.lock), 0);
	assert_int_equal(control_open(&third, &machine, "vm-1"), 0);
	control_close(&third);
	evloop_destroy(&machine.loop);
	assert_int_equal(stat(path, &st), -1);
}

static void test_names(void **state)
{
	char name[CONTROL_NAME + 2];

	memset(name, 'n', sizeof(name));
	name[CONTROL_NAME + 1] = '\0';
	assert_false(control_name_valid(name));
	assert_true(control_name_valid(name + 1));
	assert_true(control_name_valid("a.B-c_9"));
	assert_false(control_name_valid(""));
	assert_false(control_name_valid(".a"));
	assert_false(control_name_valid("a/b"));
	assert_false(control_name_valid("a b"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_clients),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_names),
	};
	int status;

	if (!mkdtemp(dir) || setenv("MHV_RUN_DIR", dir, 1))
		return 1;
	status = test_main("control", tests, ARRAY_SIZE(tests));
	rmdir(dir);
	return status;
}
