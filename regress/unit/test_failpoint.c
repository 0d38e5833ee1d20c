/*
 * test_failpoint.c
 *		Failpoints: what can be armed, and that each action acts when it should.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "tap.h"

static Error err;

static bool
arm(const char *list)
{
	error_clear(&err);
	setenv("PG_PORTAGE_FAILPOINT", list, 1);
	return failpoint_init(&err);
}

static bool
hit(void)
{
	error_clear(&err);
	return FAILPOINT(FP_SLOT_CREATED, &err);
}

static void
test_parse(void)
{
	static const char *const bad[] = {
		"nix:kill",
		"slot-created",
		"slot-created:",
		"slot-created:die",
		"slot-created:kill:0",
		"slot-created:kill:x",
		"slot-created:kill=1",
		"slot-created:delay",
		"slot-created:delay=",
		"slot-created:delay=x",
		"slot-created:kill:-1",
		":kill",
		"slot-created:kill,nix:kill",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!arm(bad[i]) && err.code == P_USAGE, "\"%s\": %s", bad[i],
		   err.message);
	ok(arm("slot-created:error,batch-begun:kill:3,anchor-stored:delay=1:*"),
	   "a list");
	ok(failpoint_active, "is armed");
	ok(arm("") && !failpoint_active, "an empty list arms nothing");
	ok(hit(), "and nothing happens");
}

static void
test_error(void)
{
	arm("slot-created:error");
	ok(FAILPOINT(FP_ANCHOR_STORED, &err), "another point does nothing");
	ok(!hit() && error_is_transient(&err), "the first hit fails");
	has(err.message, "slot-created", "with its name");
	ok(hit() && hit(), "the others do not");
	arm("slot-created:error:3");
	ok(hit() && hit() && !hit() && hit(), "the third hit fails");
	arm("slot-created:error:*");
	ok(!hit() && !hit() && !hit(), "every hit fails");
	arm("slot-created:error:2,slot-created:error:4");
	ok(hit() && !hit() && hit() && !hit() && hit(), "twice for one point");
}

static void
test_delay(void)
{
	int64_t begun_ms = clock_ms();
	int i;

	arm("slot-created:delay=120");
	ok(hit() && clock_ms() - begun_ms >= 120, "a delay");
	/* as long as fifty of them would take, nobody is kept from running */
	begun_ms = clock_ms();
	for (i = 0; i < 50; i++)
		hit();
	ok(clock_ms() - begun_ms < 50 * 120, "once");
}

/* How a child ends that hits the armed point. */
static int
child_status(const char *list, int *status)
{
	pid_t pid = fork();

	if (pid == 0)
	{
		if (!arm(list))
			_exit(9);
		hit();
		_exit(hit() ? 0 : 1);
	}
	return waitpid(pid, status, WUNTRACED) == pid ? pid : -1;
}

static void
test_signals(void)
{
	int status = 0;
	int pid;

	child_status("slot-created:kill:2", &status);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "kill");
	pid = child_status("slot-created:stop", &status);
	ok(WIFSTOPPED(status), "stop");
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and it goes on");
}

static void
test_pause(const char *folder)
{
	char file[256];
	int status = 0;
	pid_t pid;

	snprintf(file, sizeof(file), "%s/resume", folder);
	setenv("PG_PORTAGE_FAILPOINT_RESUME", file, 1);
	pid = fork();
	if (pid == 0)
	{
		arm("slot-created:pause");
		_exit(hit() ? 5 : 6);
	}
	clock_pause_ms(100);
	is_int(waitpid(pid, &status, WNOHANG), 0, "it waits for the file");
	close(open(file, O_CREAT | O_WRONLY, 0600));
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 5, "and goes on with it");
	unlink(file);
	unsetenv("PG_PORTAGE_FAILPOINT_RESUME");
}

static void
test_log(const char *folder)
{
	char file[256];
	char text[256] = "";
	FILE *in;

	snprintf(file, sizeof(file), "%s/log", folder);
	setenv("PG_PORTAGE_FAILPOINT_LOG", file, 1);
	ok(arm("") && failpoint_active, "logging is being active");
	hit();
	hit();
	error_clear(&err);
	ok(FAILPOINT(FP_ANCHOR_STORED, &err), "another");
	in = fopen(file, "r");
	if (in != NULL)
	{
		text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
		fclose(in);
	}
	is_str(text, "slot-created\nanchor-stored\n", "each once, in order");
	unlink(file);
	setenv("PG_PORTAGE_FAILPOINT_LOG", "/nonexistent/log", 1);
	ok(!arm("") && err.code == P_USAGE, "a log that cannot be written");
	unsetenv("PG_PORTAGE_FAILPOINT_LOG");
}

int
main(void)
{
	char folder[] = "/tmp/failpoint.XXXXXX";

	if (mkdtemp(folder) == NULL)
		return 1;
	test_parse();
	test_error();
	test_delay();
	fflush(stdout);
	test_signals();
	test_pause(folder);
	test_log(folder);
	rmdir(folder);
	return done_testing();
}
