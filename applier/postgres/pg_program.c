/*
 * pg_program.c
 *		See pg_program.h.
 *
 * The process has threads, so between fork() and execve() the child only makes
 * system calls: everything it needs is prepared before.
 */
#include "postgres/pg_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/mem.h"
#include "base/signals.h"

extern char **environ;

/* how much of a child's stderr is kept: its last words */
#define STDERR_TAIL 900

typedef struct Child
{
	pid_t pid;
	int out_fd; /* we read it; -1 if it goes elsewhere */
	int err_fd;
	char tail[STDERR_TAIL];
	size_t tail_len;
} Child;

/* Ours without the names that are replaced, then the replacements. */
static char **
child_environment(const char *const *replacements)
{
	size_t ours = 0;
	size_t theirs = 0;
	size_t n = 0;
	char **env;

	while (environ[ours] != NULL)
		ours++;
	while (replacements != NULL && replacements[theirs] != NULL)
		theirs++;
	env = mem_alloc((ours + theirs + 1) * sizeof(char *));
	for (size_t i = 0; i < ours; i++)
	{
		bool replaced = false;

		for (size_t j = 0; j < theirs && !replaced; j++)
		{
			const char *end = strchr(replacements[j], '=');

			replaced = end != NULL &&
					   strncmp(environ[i], replacements[j],
							   (size_t) (end - replacements[j]) + 1) == 0;
		}
		if (!replaced)
			env[n++] = environ[i];
	}
	for (size_t j = 0; j < theirs; j++)
	{
		/* a name with nothing behind it is taken away */
		if (replacements[j][strlen(replacements[j]) - 1] != '=')
			env[n++] = (char *) (uintptr_t) replacements[j];
	}
	env[n] = NULL;
	return env;
}

/* In the child; never returns. */
static void
child_exec(const PgProgramRun *run, char **env, pid_t parent, int in_fd,
		   int out_fd, int err_fd)
{
	sigset_t none;

#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() == parent && dup2(in_fd, 0) == 0 && dup2(out_fd, 1) == 1 &&
		dup2(err_fd, 2) == 2)
	{
		/* a terminal's Ctrl-C is for us, who decide what becomes of it */
		setpgid(0, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		execve(run->argv[0], (char *const *) (uintptr_t) run->argv, env);
	}
	_exit(127);
}

static void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool
child_start(const PgProgramRun *run, Child *child, Error *err)
{
	int out_pipe[2] = { -1, -1 };
	int err_pipe[2] = { -1, -1 };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	char **env = child_environment(run->env);
	pid_t parent = getpid();
	int saved_errno;

	child->pid = -1;
	if (null_fd >= 0 && pipe2(err_pipe, O_CLOEXEC) == 0 &&
		(run->stdout_fd >= 0 || pipe2(out_pipe, O_CLOEXEC) == 0))
		child->pid = fork();
	if (child->pid == 0)
		child_exec(
			run, env, parent, run->stdin_fd >= 0 ? run->stdin_fd : null_fd,
			run->stdout_fd >= 0 ? run->stdout_fd : out_pipe[1], err_pipe[1]);
	saved_errno = errno;
	mem_free(env);
	fd_close(&null_fd);
	fd_close(&out_pipe[1]);
	fd_close(&err_pipe[1]);
	child->out_fd = out_pipe[0];
	child->err_fd = err_pipe[0];
	child->tail_len = 0;
	if (child->pid > 0)
		return true;
	fd_close(&child->out_fd);
	fd_close(&child->err_fd);
	return error_set(err, P_PG_DUMP, "cannot start %s: %s", run->argv[0],
					 strerror(saved_errno));
}

/* Keep the last bytes only. */
static void
tail_append(Child *child, const char *data, size_t len)
{
	size_t keep = child->tail_len;

	if (len >= STDERR_TAIL)
	{
		data += len - STDERR_TAIL;
		len = STDERR_TAIL;
	}
	if (keep > STDERR_TAIL - len)
		keep = STDERR_TAIL - len;
	memmove(child->tail, child->tail + child->tail_len - keep, keep);
	memcpy(child->tail + keep, data, len);
	child->tail_len = keep + len;
}

/* Read once from a descriptor; close it at its end. */
static void
child_read(Child *child, int *fd, Buffer *out)
{
	char block[65536];
	ssize_t n = read(*fd, block, sizeof(block));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		fd_close(fd);
	else if (fd == &child->err_fd)
		tail_append(child, block, (size_t) n);
	else
		buffer_append(out, block, (size_t) n);
}

/* Until both pipes are closed; false if a stop was requested. */
static bool
child_drain(Child *child, Buffer *out)
{
	while (child->out_fd >= 0 || child->err_fd >= 0)
	{
		/* poll() skips descriptors of -1 */
		struct pollfd fds[3] = {
			{ .fd = child->out_fd, .events = POLLIN },
			{ .fd = child->err_fd, .events = POLLIN },
			{ .fd = signals_fd(), .events = POLLIN },
		};

		if (poll(fds, 3, 1000) < 0 && errno != EINTR)
			BUG("poll failed: %s", strerror(errno));
		if (signals_stop_requested())
			return false;
		if (fds[0].revents != 0)
			child_read(child, &child->out_fd, out);
		if (fds[1].revents != 0)
			child_read(child, &child->err_fd, out);
	}
	return true;
}

bool
pg_program_run(const PgProgramRun *run, Error *err)
{
	Child child;
	int status = 0;
	bool drained;

	if (!child_start(run, &child, err))
		return false;
	drained = child_drain(&child, run->out);
	if (!drained)
		kill(child.pid, SIGKILL);
	fd_close(&child.out_fd);
	fd_close(&child.err_fd);
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!drained)
		return error_set(err, P_STOPPED, "stopped while %s ran", run->argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFEXITED(status))
		error_set(err, P_PG_DUMP, "%s failed with exit code %d", run->argv[0],
				  WEXITSTATUS(status));
	else
		error_set(err, P_PG_DUMP, "%s was ended by signal %d", run->argv[0],
				  WTERMSIG(status));
	while (child.tail_len > 0 && child.tail[child.tail_len - 1] == '\n')
		child.tail_len--;
	return error_detail(err, "%.*s", (int) child.tail_len, child.tail);
}

/* "pg_dump (PostgreSQL) 15.20 (Debian ...)" gives 15, anything else 0. */
static int
program_major(const char *path)
{
	const char *argv[] = { path, "--version", NULL };
	Buffer out;
	PgProgramRun run = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .out = &out
	};
	Error ignored = ERROR_INIT;
	const char *version;
	int major = 0;

	buffer_init(&out);
	if (pg_program_run(&run, &ignored))
	{
		version = strstr(out.data, "(PostgreSQL) ");
		if (version != NULL)
			major = (int) strtol(version + strlen("(PostgreSQL) "), NULL, 10);
	}
	buffer_release(&out);
	return major;
}

/* Are both programs in this folder, and what is their version? */
static bool
folder_try(const char *folder, size_t len, Arena *arena, PgPrograms *programs)
{
	char *dump = arena_printf(arena, "%.*s/pg_dump", (int) len, folder);
	char *restore = arena_printf(arena, "%.*s/pg_restore", (int) len, folder);

	if (len == 0 || access(dump, X_OK) != 0 || access(restore, X_OK) != 0)
		return false;
	programs->pg_dump = dump;
	programs->pg_restore = restore;
	programs->major = program_major(dump);
	if (programs->major > 0 && program_major(restore) < programs->major)
		programs->major = 0;
	return true;
}

static bool
programs_refuse(const PgPrograms *best, int server_major, Error *err)
{
	if (best->pg_dump == NULL)
		error_set(err, P_PG_DUMP, "pg_dump and pg_restore were not found");
	else
		error_set(err, P_PG_DUMP, "%s is of version %d, the source of %d",
				  best->pg_dump, best->major, server_major);
	return error_hint(err,
					  "Install the client programs of version %d or newer"
					  " and name their folder with --pg-bindir.",
					  server_major);
}

bool
pg_programs_find(const char *bindir, int server_major, Arena *arena,
				 PgPrograms *programs, Error *err)
{
	const char *path = bindir != NULL ? bindir : getenv("PATH");
	PgPrograms best = { NULL, NULL, 0 };
	PgPrograms found;

	while (path != NULL && path[0] != '\0')
	{
		size_t len = bindir != NULL ? strlen(path) : strcspn(path, ":");

		if (folder_try(path, len, arena, &found) &&
			(best.pg_dump == NULL || found.major > best.major))
			best = found;
		if (best.major >= server_major)
			break;
		path += len + (path[len] == ':');
	}
	if (bindir == NULL && best.major < server_major &&
		folder_try(PORTAGE_BINDIR, strlen(PORTAGE_BINDIR), arena, &found) &&
		found.major > best.major)
		best = found;
	*programs = best;
	return best.major >= server_major ||
		   programs_refuse(&best, server_major, err);
}
