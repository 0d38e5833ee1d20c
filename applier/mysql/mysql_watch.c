/*
 * mysql_watch.c
 *		See mysql_watch.h: the thread that watches calls.
 *
 * The socket is watched through a duplicate of its descriptor, because the
 * library may close its own at any moment, and its number be another file's
 * then.  A call that is to be asked about or killed for is marked, so that it
 * is not over before that is through: the next one must not be hit.
 */
#include "mysql/mysql_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"

#define TICK_MS 500
#define SILENCE_ASK_MS 10000
#define SILENCE_ASKS 3
#define PING_TIMEOUT_S 5
#define ANSWER_GOOD_MS 2000
/* how long a killed query may take to end before its connection is cut */
#define KILL_GRACE_MS 3000

struct MyWatch
{
	MyWatch *next;
	char *url;
	uint64_t connection_id;
	int fd;

	pthread_mutex_t mutex;
	pthread_cond_t idle;
	bool calling;
	bool busy; /* the watching thread asks or kills for this call */
	bool interruptible;
	int64_t deadline_ms; /* 0: none */
	int64_t ask_ms;		 /* when to ask next whether the server is there */
	int64_t cut_ms;		 /* killed: when to hang up; 0: not killed */
	int missing;		 /* answers, one after the other */
	MyVerdict verdict;
};

static pthread_once_t watching_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t list_filled = PTHREAD_COND_INITIALIZER;
static MyWatch *list;

/* The answer to the last question; of the watching thread alone. */
static struct
{
	char *url;
	int64_t at_ms;
	bool answers;
} asked;

/* ------------------------------------------------------------ the thread */

static bool
ask(const char *url)
{
	MyAttempt attempt = { .url = url, .timeout_s = PING_TIMEOUT_S };
	MyFailure failure;
	Error ignored = ERROR_INIT;
	MYSQL *my = my_attempt(&attempt, &failure, &ignored);

	if (my != NULL)
	{
		mysql_close(my);
		return true;
	}
	if (error_is_set(&ignored))
		return false;
	/* whoever refuses answers */
	my_failure_error(&failure, "target", P_CONNECT, &ignored);
	return ignored.code != P_CONNECT;
}

/* Once for all calls that wait for the same server. */
static bool
server_answers(const MyWatch *watch)
{
	if (asked.url == NULL || strcmp(asked.url, watch->url) != 0 ||
		clock_ms() > asked.at_ms + ANSWER_GOOD_MS)
	{
		mem_free(asked.url);
		asked.url = mem_strdup(watch->url);
		asked.answers = ask(watch->url);
		asked.at_ms = clock_ms();
	}
	return asked.answers;
}

static void
kill_query(const MyWatch *watch)
{
	char sql[64];
	MyAttempt attempt = { .url = watch->url,
						  .timeout_s = PING_TIMEOUT_S,
						  .sql = sql };
	MyFailure failure;
	Error ignored = ERROR_INIT;
	MYSQL *my;

	snprintf(sql, sizeof(sql), "KILL QUERY %llu",
			 (unsigned long long) watch->connection_id);
	my = my_attempt(&attempt, &failure, &ignored);
	if (my != NULL)
		mysql_close(my);
}

/* The call returns with an error now. */
static void
cut(MyWatch *watch, MyVerdict verdict)
{
	watch->verdict = verdict;
	shutdown(watch->fd, SHUT_RDWR);
}

/* Ask or kill, which takes its time, without holding the mutex. */
static void
outside(MyWatch *watch, bool kill)
{
	bool answers = true;

	watch->busy = true;
	pthread_mutex_unlock(&watch->mutex);
	if (kill)
		kill_query(watch);
	else
		answers = server_answers(watch);
	pthread_mutex_lock(&watch->mutex);
	watch->busy = false;
	pthread_cond_broadcast(&watch->idle);
	watch->missing = answers ? 0 : watch->missing + 1;
	watch->ask_ms = clock_ms() + SILENCE_ASK_MS;
}

static void
look_at(MyWatch *watch)
{
	int64_t now = clock_ms();
	bool stop = signals_stop_requested();

	if (!watch->calling || watch->verdict >= VERDICT_STOPPED_LOST ||
		watch->verdict == VERDICT_LATE || watch->verdict == VERDICT_SILENT)
		return;
	if (watch->cut_ms != 0)
	{
		if (now >= watch->cut_ms)
			cut(watch, VERDICT_STOPPED_LOST);
	}
	else if (stop && watch->interruptible)
	{
		watch->verdict = VERDICT_STOPPED_QUERY;
		outside(watch, true);
		watch->cut_ms = clock_ms() + KILL_GRACE_MS;
	}
	else if (watch->deadline_ms != 0)
	{
		if (now >= watch->deadline_ms)
			cut(watch, VERDICT_LATE);
	}
	else if (now >= watch->ask_ms)
	{
		outside(watch, false);
		if (watch->calling && watch->missing >= (stop ? 1 : SILENCE_ASKS))
			cut(watch, VERDICT_SILENT);
	}
}

/* Sleep for a tick; less, when a stop is requested that nobody has seen. */
static void
tick(bool stop_seen)
{
	struct pollfd fd = { .fd = stop_seen ? -1 : signals_fd(),
						 .events = POLLIN };

	(void) poll(&fd, 1, TICK_MS);
}

static void *
watch_calls(void *unused)
{
	(void) unused;
	for (;;)
	{
		bool stop_seen = signals_stop_requested();

		pthread_mutex_lock(&list_mutex);
		while (list == NULL)
			pthread_cond_wait(&list_filled, &list_mutex);
		for (MyWatch *watch = list; watch != NULL; watch = watch->next)
		{
			pthread_mutex_lock(&watch->mutex);
			look_at(watch);
			pthread_mutex_unlock(&watch->mutex);
		}
		pthread_mutex_unlock(&list_mutex);
		tick(stop_seen);
	}
	return NULL;
}

static void
start_watching(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, watch_calls, NULL) != 0)
		BUG("no thread can be created");
	pthread_detach(thread);
}

/* ------------------------------------------------------------- the calls */

/* Have the kernel notice a server that is gone without a word. */
static void
keep_alive(int fd)
{
	const int on = 1;
	const int idle_s = 10;
	const int interval_s = 5;
	const int count = 4;
	const int unsent_ms = 60000;

	/* a Unix socket has none of these, and needs none */
	(void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
					  sizeof(interval_s));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms,
					  sizeof(unsent_ms));
}

MyWatch *
my_watch_open(MYSQL *my, const char *url, uint64_t connection_id)
{
	MyWatch *watch = mem_zalloc(sizeof(*watch));

	watch->url = mem_strdup(url);
	watch->connection_id = connection_id;
	watch->fd = fcntl(my->net.fd, F_DUPFD_CLOEXEC, 0);
	if (watch->fd < 0)
		BUG("dup: %s", strerror(errno));
	keep_alive(watch->fd);
	pthread_mutex_init(&watch->mutex, NULL);
	pthread_cond_init(&watch->idle, NULL);
	pthread_once(&watching_once, start_watching);
	pthread_mutex_lock(&list_mutex);
	watch->next = list;
	list = watch;
	pthread_cond_signal(&list_filled);
	pthread_mutex_unlock(&list_mutex);
	return watch;
}

void
my_watch_close(MyWatch *watch)
{
	MyWatch **link = &list;

	if (watch == NULL)
		return;
	pthread_mutex_lock(&list_mutex);
	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	pthread_mutex_unlock(&list_mutex);
	pthread_cond_destroy(&watch->idle);
	pthread_mutex_destroy(&watch->mutex);
	close(watch->fd);
	mem_free(watch->url);
	mem_free(watch);
}

void
my_watch_begin(MyWatch *watch, int64_t timeout_ms, bool interruptible,
			   bool fresh)
{
	int64_t now = clock_ms();

	my_thread_attach();
	pthread_mutex_lock(&watch->mutex);
	watch->calling = true;
	watch->interruptible = interruptible;
	watch->deadline_ms = timeout_ms > 0 ? now + timeout_ms : 0;
	watch->ask_ms = now + SILENCE_ASK_MS;
	watch->missing = 0;
	if (fresh)
	{
		watch->cut_ms = 0;
		watch->verdict = VERDICT_NONE;
	}
	pthread_mutex_unlock(&watch->mutex);
}

void
my_watch_end(MyWatch *watch)
{
	pthread_mutex_lock(&watch->mutex);
	while (watch->busy)
		pthread_cond_wait(&watch->idle, &watch->mutex);
	watch->calling = false;
	pthread_mutex_unlock(&watch->mutex);
}

/* The verdict does not change while no call is under way. */
MyVerdict
my_watch_verdict(const MyWatch *watch)
{
	return watch->verdict;
}

void
my_watch_hang_up(MyWatch *watch)
{
	shutdown(watch->fd, SHUT_RDWR);
}
