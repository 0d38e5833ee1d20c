/*
 * test_error.c
 *		The table of errors, what is done to an error on its way up, and what
 *		people see of it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "tap.h"

static void
test_table(void)
{
	const char *name;
	const char *cause;
	const char *remedy;
	ErrorKind kind;
	int number;
	int last = 0;
	int count = 0;
	bool ascending = true;
	bool complete = true;
	bool plausible = true;

	for (; error_table_entry(count, &number, &name, &kind, &cause, &remedy);
		 count++)
	{
		ascending = ascending && number > last;
		last = number;
		complete = complete && strncmp(name, "P_", 2) == 0 &&
				   cause[0] != '\0' && remedy[0] != '\0' &&
				   kind != ERROR_NONE && number <= 9999;
		/* hints are lines of their own and end without a full stop */
		plausible = plausible && cause[strlen(cause) - 1] != '.' &&
					remedy[strlen(remedy) - 1] != '.';
	}
	ok(count > 40, "the table has %d entries", count);
	ok(ascending, "numbers are unique and ascend");
	ok(complete, "every entry has name, kind, cause and remedy");
	ok(plausible, "no cause and no remedy ends with a full stop");
	ok(!error_table_entry(-1, &number, NULL, NULL, NULL, NULL),
	   "nothing before the first");
	ok(error_table_entry(0, NULL, NULL, NULL, NULL, NULL),
	   "what nobody asks for may be NULL");
}

static void
test_exit_codes(void)
{
	static const struct
	{
		ErrorCode code;
		int exit_code;
	} cases[] = {
		{ P_USAGE, 2 },
		{ P_URL, 2 },
		{ P_WAL_LEVEL, 2 },
		{ P_PLUGIN_REFUSED, 2 },
		{ P_PLUGIN_MISSING, 2 },
		{ P_CONFIRM, 2 },
		{ P_CONNECT, 3 },
		{ P_LOGIN, 3 },
		{ P_KEPT_FAILING, 3 },
		{ P_CONNECTION_LOST, 3 },
		{ P_OWNED, 3 },
		{ P_FENCED, 3 },
		{ P_SLOT_MISSING, 4 },
		{ P_TIMELINE, 4 },
		{ P_ROW_CONFLICT, 4 },
		{ P_VALUE, 4 },
		{ P_TARGET_NOT_EMPTY, 4 },
		{ P_STOPPED, 0 },
		{ P_BUG, 70 },
	};
	Error err = ERROR_INIT;

	is_int(error_exit_code(&err), 0, "no error exits with 0");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		error_set(&err, cases[i].code, "x");
		ok(error_exit_code(&err) == cases[i].exit_code, "P%04d exits with %d",
		   (int) cases[i].code, cases[i].exit_code);
	}
}

static void
test_set(void)
{
	Error err = ERROR_INIT;

	ok(!error_is_set(&err), "a new error is not set");
	ok(!error_set(&err, P_SERVER_BUSY, "%s %d", "busy", 5), "setting is false");
	ok(error_is_set(&err) && error_is_transient(&err), "kind by the table");
	is_str(err.message, "busy 5", "message");
	error_detail(&err, "the %s", "detail");
	error_hint(&err, "the %s", "hint");
	memcpy(err.sqlstate, "57P03", 6);
	is_str(err.detail, "the detail", "detail");
	is_str(err.hint, "the hint", "hint");
	error_wrap(&err, "table %s", "a.b");
	error_wrap(&err, "copy");
	is_str(err.message, "copy: table a.b: busy 5", "context goes in front");
	is_int(err.code, P_SERVER_BUSY, "the code stays");
	is_str(err.sqlstate, "57P03", "the SQLSTATE, too");
	error_as(&err, ERROR_UNREACHABLE);
	ok(!error_is_transient(&err), "the kind can be decided anew");
	error_set(&err, P_VALUE, "%s again", err.message);
	is_str(err.message, "copy: table a.b: busy 5 again",
		   "arguments may point into the error");
	ok(err.detail[0] == '\0' && err.hint[0] == '\0' && err.sqlstate[0] == '\0',
	   "setting forgets what was there");
	error_detail(&err, "<%s>", err.message);
	is_str(err.detail, "<copy: table a.b: busy 5 again>", "detail from it");
	error_clear(&err);
	ok(!error_is_set(&err) && err.message[0] == '\0', "cleared");
}

/* Texts are cut at the end, never in the middle of a character. */
static void
test_cut(void)
{
	static const char *const characters[] = { "x", "\xC3\xBC", "\xE2\x82\xAC",
											  "\xF0\x9F\x9B\xB6" };
	Error err = ERROR_INIT;
	char text[3000];

	for (int c = 0; c < 4; c++)
	{
		size_t width = strlen(characters[c]);
		bool whole = true;

		for (size_t before = 0; before < 4; before++)
		{
			size_t len = before;

			memset(text, 'a', before);
			while (len + width < sizeof(text))
			{
				memcpy(text + len, characters[c], width);
				len += width;
			}
			text[len] = '\0';
			error_set(&err, P_BUG, "%s", text);
			len = strlen(err.message);
			whole = whole && len < sizeof(err.message) &&
					len >= sizeof(err.message) - 4 &&
					(len - before) % width == 0;
			error_wrap(&err, "context");
			whole = whole && strlen(err.message) < sizeof(err.message);
		}
		ok(whole, "characters of %zu bytes stay whole", width);
	}
}

/* What goes to stderr while function runs. */
static const char *
captured(void (*function)(void))
{
	static char text[8192];
	int saved = dup(STDERR_FILENO);
	int pipe_fds[2];
	ssize_t len;

	if (pipe(pipe_fds) != 0)
		return "pipe";
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	function();
	dup2(saved, STDERR_FILENO);
	close(saved);
	fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
	len = read(pipe_fds[0], text, sizeof(text) - 1);
	close(pipe_fds[0]);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void
say_levels(void)
{
	log_debug("unseen");
	log_info("n=%d", 1);
	log_warning("two\n  lines\r\nand\n");
	log_set_level(LOG_LEVEL_WARNING);
	log_info("unseen");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("seen");
	log_set_level(LOG_LEVEL_INFO);
}

static void
say_error(void)
{
	Error err = ERROR_INIT;

	error_set(&err, P_ROW_CONFLICT, "row (1) exists");
	error_detail(&err, "Key (id)=(1)\nalready exists.");
	error_hint(&err, "remove it");
	log_error(&err);
}

static void
say_default_hint(void)
{
	Error err = ERROR_INIT;

	error_set(&err, P_CONFIRM, "asked");
	log_error(&err);
}

static void
say_retried(void)
{
	Error err = ERROR_INIT;

	error_set(&err, P_CONNECTION_LOST, "gone");
	log_error_retried(&err, "trying again");
}

static void
test_log(void)
{
	is_str(captured(say_levels),
		   "pg_portage: info: n=1\n"
		   "pg_portage: warning: two lines and\n"
		   "pg_portage: debug: seen\n",
		   "levels, and one line each");
	is_str(captured(say_error),
		   "pg_portage: error: row (1) exists [P0413]\n"
		   "pg_portage: detail: Key (id)=(1) already exists.\n"
		   "pg_portage: hint: remove it\n",
		   "an error with detail and hint");
	is_str(captured(say_default_hint),
		   "pg_portage: error: asked [P0106]\n"
		   "pg_portage: hint: answer it, or pass --yes\n",
		   "the table's remedy where there is no hint");
	is_str(captured(say_retried),
		   "pg_portage: warning: trying again: gone [P0303]\n",
		   "an error that is retried needs no default hint");
}

int
main(void)
{
	test_table();
	test_exit_codes();
	test_set();
	test_cut();
	test_log();
	return done_testing();
}
