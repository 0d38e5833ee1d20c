/*
 * test_mysql_watch.c
 *		Waits that the client library would not end: connecting, and calls on a
 *		connection; and when a commit counts as being on disk.
 *
 * Servers are sockets that say nothing, calls are reads from a socket pair.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"
#include "mysql/mysql_watch.h"
#include "mysql/target_mysql.h"
#include "tap.h"

/* A port of ours where nobody ever answers. */
static int
silent_server(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *) &address, len) != 0 ||
		listen(fd, 5) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) != 0)
		BUG("no socket");
	*port = ntohs(address.sin_port);
	return fd;
}

static void
test_attempts(void)
{
	char url[100];
	int port;
	int fd = silent_server(&port);
	MyAttempt attempt = { .url = url, .timeout_s = 1 };
	MyFailure failure;
	Error err = ERROR_INIT;
	int64_t begun_ms = clock_ms();

	snprintf(url, sizeof(url), "mysql://u:secret@127.0.0.1:%d/db", port);
	/* the library has the same second, and may be the first to give up */
	ok(my_attempt(&attempt, &failure, &err) == NULL &&
		   (err.code == P_CONNECT || failure.number != 0),
	   "a server that says nothing: %s%s", err.message, failure.message);
	ok(clock_ms() - begun_ms < 4000, "is left soon");
	close(fd);

	error_clear(&err);
	ok(my_attempt(&attempt, &failure, &err) == NULL && !error_is_set(&err),
	   "a closed port: %s", failure.message);
	ok(failure.number != 0, "has a number: %u", failure.number);
	ok(strstr(failure.message, "secret") == NULL, "without the password");

	attempt.url = "mysql://u@h/db?nonsense";
	ok(my_attempt(&attempt, &failure, &err) == NULL && err.code == P_URL,
	   "a URL that cannot be read: %s", err.message);
	error_clear(&err);
}

/* ------------------------------------------------------------------- calls */

typedef struct Call
{
	MYSQL *my;
	MyWatch *watch;
	int ours; /* the end that the call reads from */
	int theirs;
} Call;

static void
call_open(Call *call, const char *url)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		BUG("no socket pair");
	call->ours = fds[0];
	call->theirs = fds[1];
	/* the library's own structure; all that is looked at is its socket */
	call->my = mem_zalloc(sizeof(*call->my));
	call->my->net.fd = call->ours;
	call->watch = my_watch_open(call->my, url, 7);
}

static void
call_close(Call *call)
{
	my_watch_close(call->watch);
	close(call->ours);
	close(call->theirs);
	mem_free(call->my);
}

/* Wait as the library does: true if the other end has said something. */
static bool
call_wait(Call *call, int64_t timeout_ms, bool interruptible)
{
	char byte;
	ssize_t n;

	my_watch_begin(call->watch, timeout_ms, interruptible, true);
	n = read(call->ours, &byte, 1);
	my_watch_end(call->watch);
	return n == 1;
}

static void *
answer_later(void *argument)
{
	struct timespec pause = { .tv_sec = 1 };

	nanosleep(&pause, NULL);
	if (write(((Call *) argument)->theirs, "x", 1) != 1)
		BUG("no answer");
	return NULL;
}

static void
test_calls(void)
{
	Call call;
	Call other;
	pthread_t thread;
	int64_t begun_ms;

	call_open(&call, "mysql://u@127.0.0.1:1/db");
	call_open(&other, "mysql://u@127.0.0.1:1/db");
	pthread_create(&thread, NULL, answer_later, &call);
	ok(call_wait(&call, 30000, false), "an answer in time");
	pthread_join(thread, NULL);
	is_int(my_watch_verdict(call.watch), VERDICT_NONE, "nothing is said of it");

	begun_ms = clock_ms();
	ok(!call_wait(&call, 200, false), "none in time");
	is_int(my_watch_verdict(call.watch), VERDICT_LATE, "is late");
	ok(clock_ms() - begun_ms < 5000, "and not later than needed");
	call_close(&call);

	pthread_create(&thread, NULL, answer_later, &other);
	ok(call_wait(&other, 30000, true), "another connection is as it was");
	pthread_join(thread, NULL);
	my_watch_hang_up(other.watch);
	ok(!call_wait(&other, 30000, false), "until it is hung up");
	call_close(&other);
}

/* Nobody is there to kill the query: its connection is cut after a while. */
static void
test_stop(void)
{
	Call call;
	Call patient;
	pthread_t thread;
	int64_t begun_ms = clock_ms();
	MyAttempt attempt = { .url = "mysql://u@127.0.0.1:1/db",
						  .timeout_s = 30,
						  .interruptible = true };
	MyFailure failure;
	Error err = ERROR_INIT;
	char url[100];
	int port;
	int fd = silent_server(&port);

	signals_request_stop();
	call_open(&call, "mysql://u@127.0.0.1:1/db");
	ok(!call_wait(&call, 0, true), "a call that may be stopped");
	is_int(my_watch_verdict(call.watch), VERDICT_STOPPED_LOST, "is stopped");
	ok(clock_ms() - begun_ms < 10000, "within seconds");
	call_close(&call);

	call_open(&patient, "mysql://u@127.0.0.1:1/db");
	pthread_create(&thread, NULL, answer_later, &patient);
	ok(call_wait(&patient, 30000, false), "one that may not be goes on");
	pthread_join(thread, NULL);
	call_close(&patient);

	snprintf(url, sizeof(url), "mysql://u@127.0.0.1:%d/db", port);
	attempt.url = url;
	begun_ms = clock_ms();
	ok(my_attempt(&attempt, &failure, &err) == NULL && err.code == P_STOPPED,
	   "connecting is stopped: %s", err.message);
	ok(clock_ms() - begun_ms < 5000, "at once");
	close(fd);
}

/* -------------------------------------------------------------- durability */

static void
pause_ms(int64_t ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static void
test_durability(void)
{
	MyConn conn = { .server.durable_after_ms = 0 };
	TargetMysql self = { .conn = &conn, .clock = commit_clock_new() };
	TargetDurability known;
	Error err = ERROR_INIT;
	int64_t begun_ms;

	is_int((long long) target_mysql_committed(&self), 1, "the first commit");
	target_mysql_known(&self, &known);
	ok(known.written == 1 && known.durable == 1, "is on disk at once");

	conn.server.durable_after_ms = 400;
	begun_ms = clock_ms();
	target_mysql_committed(&self);
	target_mysql_known(&self, &known);
	ok(known.written == 2 && known.durable == 1, "the second is not");
	for (int i = 0; i < 1000; i++)
		target_mysql_committed(&self);
	pause_ms(200);
	target_mysql_committed(&self);
	target_mysql_known(&self, &known);
	ok(known.written == 1003 && known.durable == 1, "nor are the next ones");
	pause_ms(begun_ms + 500 - clock_ms());
	target_mysql_known(&self, &known);
	ok(known.durable >= 2 && known.durable < 1003, "the old ones are: %llu",
	   (unsigned long long) known.durable);
	ok(target_mysql_durability(&self.base, DURABILITY_FORCED, &known, &err) &&
		   known.durable == 1003,
	   "all are when that is waited for");
	ok(clock_ms() - begun_ms >= 600, "no sooner than they can be");
	commit_clock_free(self.clock);
}

int
main(void)
{
	signals_init();
	test_attempts();
	test_calls();
	test_durability();
	test_stop();
	return done_testing();
}
