/*
 * failpoint.c
 *		See failpoint.h.
 *
 * What is armed is read once, before threads exist, and constant afterwards;
 * only the counts of hits change, and they are atomic.
 */
#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"

#define ARMED_MAX 32
#define EVERY_HIT 0
#define PAUSE_POLL_MS 10

typedef enum Action
{
	ACTION_KILL,
	ACTION_STOP,
	ACTION_PAUSE,
	ACTION_DELAY,
	ACTION_ERROR
} Action;

typedef struct Armed
{
	Failpoint point;
	Action action;
	long delay_ms;
	long nth; /* EVERY_HIT, or counted from 1 */
} Armed;

static const char *const names[] = {
#define FAILPOINT_DEF(name, text, where) text,
#include "base/failpoints.def"
#undef FAILPOINT_DEF
};

bool failpoint_active = false;

static Armed armed[ARMED_MAX];
static int armed_count = 0;
static atomic_long hits[FAILPOINT_COUNT];
static const char *resume_file = NULL;
static int log_fd = -1;

/* The part of *rest before the separator; *rest becomes what follows it. */
static Slice
cut(Slice *rest, char separator)
{
	const char *end = memchr(rest->data, separator, rest->len);
	Slice part = *rest;

	if (end == NULL)
	{
		rest->data += rest->len;
		rest->len = 0;
		return part;
	}
	part.len = (size_t) (end - rest->data);
	rest->len -= part.len + 1;
	rest->data = end + 1;
	return part;
}

/* A whole positive number of at most 9 digits. */
static bool
parse_number(Slice text, long *number)
{
	size_t i;

	*number = 0;
	for (i = 0; i < text.len; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		*number = *number * 10 + (text.data[i] - '0');
	}
	return text.len > 0 && text.len < 10;
}

static bool
parse_point(Slice text, Failpoint *point)
{
	int i;

	for (i = 0; i < FAILPOINT_COUNT; i++)
	{
		if (slice_equal(text, slice_of(names[i])))
		{
			*point = (Failpoint) i;
			return true;
		}
	}
	return false;
}

static bool
parse_action(Slice text, Armed *out)
{
	static const char *const words[] = { "kill", "stop", "pause", "delay",
										 "error" };
	Slice value = text;
	Slice word = cut(&value, '=');
	bool has_value = word.len < text.len;
	int i;

	for (i = 0; i < 5; i++)
	{
		if (!slice_equal(word, slice_of(words[i])))
			continue;
		out->action = (Action) i;
		if (out->action == ACTION_DELAY)
			return has_value && parse_number(value, &out->delay_ms);
		return !has_value;
	}
	return false;
}

/* name:action[:nth], where nth may be "*" for every hit */
static bool
parse_item(Slice item, Error *err)
{
	Slice rest = item;
	Slice point = cut(&rest, ':');
	Slice action = cut(&rest, ':');
	Armed parsed = { .nth = 1 };

	if (!parse_point(point, &parsed.point))
		return error_set(err, P_USAGE, "there is no failpoint \"%.*s\"",
						 (int) point.len, point.data) ||
			   error_hint(err, "see pg_portage --list-failpoints");
	if (!parse_action(action, &parsed))
		return error_set(err, P_USAGE, "\"%.*s\" is not a failpoint's action",
						 (int) action.len, action.data) ||
			   error_hint(err, "write NAME:ACTION[:NTH] with kill, stop, "
							   "pause, delay=MS or error");
	if (slice_equal(rest, slice_of("*")))
		parsed.nth = EVERY_HIT;
	else if (rest.len > 0 &&
			 (!parse_number(rest, &parsed.nth) || parsed.nth == 0))
		return error_set(err, P_USAGE,
						 "\"%.*s\" is not the number of a failpoint's hit",
						 (int) rest.len, rest.data);
	if (armed_count == ARMED_MAX)
		return error_set(err, P_USAGE, "more than %d failpoints are armed",
						 ARMED_MAX);
	armed[armed_count++] = parsed;
	return true;
}

bool
failpoint_init(Error *err)
{
	const char *list = getenv("PG_PORTAGE_FAILPOINT");
	const char *log_file = getenv("PG_PORTAGE_FAILPOINT_LOG");
	int i;

	armed_count = 0;
	for (i = 0; i < FAILPOINT_COUNT; i++)
		atomic_store(&hits[i], 0);
	resume_file = getenv("PG_PORTAGE_FAILPOINT_RESUME");
	if (list != NULL)
	{
		Slice rest = slice_of(list);

		while (rest.len > 0)
		{
			if (!parse_item(cut(&rest, ','), err))
				return error_wrap(err, "PG_PORTAGE_FAILPOINT");
		}
	}
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
	if (log_file != NULL && log_file[0] != '\0')
	{
		log_fd = open(log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
					  0666);
		if (log_fd < 0)
			return error_set(err, P_USAGE,
							 "PG_PORTAGE_FAILPOINT_LOG: cannot open \"%s\": "
							 "%s",
							 log_file, strerror(errno));
	}
	failpoint_active = armed_count > 0 || log_fd >= 0;
	return true;
}

void
failpoint_list(void)
{
	int i;

	for (i = 0; i < FAILPOINT_COUNT; i++)
		puts(names[i]);
}

static void
sleep_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000,
							 .tv_nsec = ms % 1000 * 1000000 };

	/* all of it, whatever signals say: a test relies on the duration */
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static bool
act(const Armed *what, Error *err)
{
	switch (what->action)
	{
		case ACTION_KILL:
			raise(SIGKILL);
			break;
		case ACTION_STOP:
			/*
			 * It stops the whole process, whoever gets it; sent to the process,
			 * another thread might, and this one would go on for a moment.
			 */
			raise(SIGSTOP);
			break;
		case ACTION_PAUSE:
			while (resume_file == NULL || access(resume_file, F_OK) != 0)
				sleep_ms(PAUSE_POLL_MS);
			break;
		case ACTION_DELAY:
			sleep_ms(what->delay_ms);
			break;
		case ACTION_ERROR:
			return error_set(err, P_CONNECTION_LOST, "failpoint %s",
							 names[what->point]);
	}
	return true;
}

static void
log_first_hit(Failpoint point)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "%s\n", names[point]);

	if (write(log_fd, line, (size_t) len) != len)
		fprintf(stderr, "pg_portage: warning: failpoint log: %s\n",
				strerror(errno));
}

bool
failpoint_hit(Failpoint point, Error *err)
{
	long hit = atomic_fetch_add(&hits[point], 1) + 1;
	int i;

	if (hit == 1 && log_fd >= 0)
		log_first_hit(point);
	for (i = 0; i < armed_count; i++)
	{
		const Armed *what = &armed[i];

		if (what->point == point &&
			(what->nth == EVERY_HIT || what->nth == hit) && !act(what, err))
			return false;
	}
	return true;
}
