/*
 * main.c
 *		pg_portage: reads the command line and hands over to a command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/display.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"

typedef int (*CommandFunction)(const Options *options);

static const CommandFunction functions[COMMAND_COUNT] = {
	[COMMAND_CHECK] = command_check,
	[COMMAND_PLAN] = command_plan,
	[COMMAND_RUN] = command_run,
	[COMMAND_STATUS] = command_status,
	[COMMAND_FINISH] = command_finish,
	[COMMAND_DROP] = command_drop,
	[COMMAND_QUARANTINE] = command_quarantine,
};

static int
fail(const Error *err)
{
	log_error(err);
	return error_exit_code(err);
}

/* What was asked for instead of doing something; false if nothing was. */
static bool
print_only(const Options *options)
{
	if (options->help)
		options_print_help(options, stdout);
	else if (options->version)
		puts("pg_portage " PORTAGE_VERSION);
	else if (options->list_failpoints)
		failpoint_list();
	else
		return false;
	return true;
}

/* Output that did not reach its file must not look like success. */
static int
close_output(int code)
{
	Error err = ERROR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	error_set(&err, P_OPTIONS, "the standard output cannot be written");
	return code == 0 ? fail(&err) : code;
}

int
main(int argc, char **argv)
{
	Options options;
	Arena arena;
	Error err = ERROR_INIT;
	int code = 0;

	arena_init(&arena);
	if (!options_parse(&options, &arena, argc, argv, &err))
	{
		arena_release(&arena);
		return fail(&err);
	}
	if (!print_only(&options))
	{
		if (options.quiet)
			log_set_level(LOG_LEVEL_WARNING);
		else if (options.verbose)
			log_set_level(LOG_LEVEL_DEBUG);
		display_init(!options.quiet);
		signals_init();
		code = failpoint_init(&err) ? functions[options.command](&options)
									: fail(&err);
	}
	arena_release(&arena);
	return close_output(code);
}
