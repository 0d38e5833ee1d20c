/*
 * mysql_attempt.c
 *		Connecting within a time, which neither name service nor library respect.
 *
 * A thread connects; who wants the connection waits for it until time is up.
 * What both hold is given back by the last of them, so a thread that is stuck
 * does no harm.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"
#include "base/wake.h"
#include "mysql/mysql_options.h"
#include "mysql/mysql_watch.h"

#define CONNECT_TIMEOUT_S 10

typedef struct Shared
{
	atomic_int holders;
	atomic_bool finished; /* what follows it is there to be read */
	Wake done;
	Arena arena; /* of the URL's parts */
	MyUrl url;
	int timeout_s;
	char *sql;

	/* the thread's, until it is done */
	MYSQL *my;
	MyFailure failure;
	Error error;
} Shared;

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;

/* ------------------------------------------------ the library's threads */

static void
thread_detach(void *unused)
{
	(void) unused;
	mysql_thread_end();
}

static void
library_init(void)
{
	if (mysql_library_init(0, NULL, NULL) != 0 ||
		pthread_key_create(&thread_key, thread_detach) != 0)
		BUG("the MySQL client library cannot be initialized");
}

void
my_thread_attach(void)
{
	pthread_once(&library_once, library_init);
	if (pthread_getspecific(thread_key) != NULL)
		return;
	mysql_thread_init();
	pthread_setspecific(thread_key, &thread_key);
}

/* ---------------------------------------------------------- the attempt */

static void
shared_release(Shared *shared)
{
	if (atomic_fetch_sub(&shared->holders, 1) > 1)
		return;
	if (shared->my != NULL)
		mysql_close(shared->my);
	wake_release(&shared->done);
	arena_release(&shared->arena);
	mem_free(shared->sql);
	mem_free(shared);
}

/* No file of ours is for a server that asks for one. */
static int
infile_refuse(void **state, const char *name, void *unused)
{
	(void) name;
	(void) unused;
	*state = NULL;
	return 1;
}

static int
infile_read(void *state, char *data, unsigned int size)
{
	(void) state;
	(void) data;
	(void) size;
	return -1;
}

static void
infile_end(void *state)
{
	(void) state;
}

static int
infile_error(void *state, char *message, unsigned int size)
{
	(void) state;
	snprintf(message, size, "the server asked for a file");
	return 2000; /* CR_UNKNOWN_ERROR */
}

void
my_infile_refuse_all(MYSQL *my)
{
	mysql_set_local_infile_handler(my, infile_refuse, infile_read, infile_end,
								   infile_error, NULL);
}

static void
connect_to(Shared *shared)
{
	const MyUrl *url = &shared->url;
	unsigned long flags = CLIENT_FOUND_ROWS | CLIENT_MULTI_STATEMENTS |
						  CLIENT_LOCAL_FILES;
	bool ok;

	shared->my = mysql_init(NULL);
	if (shared->my == NULL)
		BUG("the MySQL client library has no memory");
	if (!my_options_apply(shared->my, url, shared->timeout_s, &shared->error))
		return;
	my_infile_refuse_all(shared->my);
	ok = mysql_real_connect(shared->my, url->host, url->user, url->password,
							url->database, (unsigned int) url->port,
							url->socket, flags) != NULL;
	if (ok && !my_options_verify(shared->my, url, &shared->error))
		return;
	if (ok && shared->sql != NULL)
		ok = mysql_query(shared->my, shared->sql) == 0;
	if (!ok)
		my_failure_take(shared->my, &shared->failure);
}

static void *
connecting(void *argument)
{
	Shared *shared = argument;

	my_thread_attach();
	connect_to(shared);
	atomic_store(&shared->finished, true);
	wake_ring(&shared->done);
	shared_release(shared);
	return NULL;
}

/* 1: done, 0: time is up, -1: stopped */
static int
wait_for(const Shared *shared, int64_t until_ms, bool interruptible)
{
	struct pollfd fds[2] = {
		{ .fd = shared->done.fd, .events = POLLIN },
		{ .fd = interruptible ? signals_fd() : -1, .events = POLLIN },
	};

	for (;;)
	{
		int64_t left = until_ms - clock_ms();

		if (left < 0)
			return 0;
		/* a signal only makes it look sooner */
		(void) poll(fds, 2, left > 1000 ? 1000 : (int) left);
		if (atomic_load(&shared->finished))
			return 1;
		if (interruptible && signals_stop_requested())
			return -1;
	}
}

static Shared *
shared_new(const MyAttempt *attempt, Error *err)
{
	Shared *shared = mem_zalloc(sizeof(*shared));

	atomic_init(&shared->holders, 1);
	wake_init(&shared->done);
	arena_init(&shared->arena);
	if (!mysql_url_parse(attempt->url, &shared->arena, &shared->url, err) ||
		!mysql_url_complete(&shared->url, &shared->arena, err))
	{
		shared_release(shared);
		return NULL;
	}
	shared->timeout_s = attempt->timeout_s > 0 ? attempt->timeout_s
						: shared->url.connect_timeout_s > 0
							? shared->url.connect_timeout_s
							: CONNECT_TIMEOUT_S;
	shared->sql = attempt->sql != NULL ? mem_strdup(attempt->sql) : NULL;
	return shared;
}

static void
start(Shared *shared)
{
	pthread_t thread;

	my_thread_attach();
	atomic_fetch_add(&shared->holders, 1);
	if (pthread_create(&thread, NULL, connecting, shared) != 0)
		BUG("no thread can be created");
	pthread_detach(thread);
}

MYSQL *
my_attempt(const MyAttempt *attempt, MyFailure *failure, Error *err)
{
	Shared *shared = shared_new(attempt, err);
	MYSQL *my = NULL;
	int ready;

	memset(failure, 0, sizeof(*failure));
	if (shared == NULL)
		return NULL;
	start(shared);
	ready = wait_for(shared, clock_ms() + (int64_t) shared->timeout_s * 1000,
					 attempt->interruptible);
	if (ready < 0)
		error_set(err, P_STOPPED, "stopped while connecting");
	else if (ready == 0)
		error_set(err, P_CONNECT, "no answer within %d s", shared->timeout_s);
	else if (error_is_set(&shared->error))
		*err = shared->error;
	else if (shared->failure.number != 0)
		*failure = shared->failure;
	else
	{
		my = shared->my;
		shared->my = NULL;
	}
	shared_release(shared);
	return my;
}
