/*
 * option_table.c
 *		See option_table.h; with the parsers of single values.
 */
#include "command/option_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "pattern.h"
#include "schema/loss.h"
#include "stream/stream.h"

#define JOBS_MAX 64

/* run, and what says beforehand how it would go */
#define ON_PREVIEWS (ON(COMMAND_RUN) | ON(COMMAND_CHECK) | ON(COMMAND_PLAN))

static const char *const quarantine_actions[] = { "list", "retry", "drop",
												  NULL };

const CommandDef command_table[COMMAND_COUNT] = {
	[COMMAND_CHECK] = { "check", true, true,
						"look at both sides and say what would fail",
						"Connects to both servers, changes nothing that stays, and prints "
						"each finding\nwith its severity, object, reason and remedy.  Exits "
						"with 1 if one of them is an\nerror; with --strict, if one is a "
						"warning.",
						NULL },
	[COMMAND_PLAN] = { "plan", true, true,
					   "show what run would do, or still has to do",
					   "Prints the tables in the order of their copy with "
					   "sizes and pieces, what waits\nfor the stream or for "
					   "pg_portage finish, and what is not migrated and "
					   "why.\nFor a target of another kind also what becomes "
					   "of each table and column.\nChanges nothing on either "
					   "side.",
					   NULL },
	[COMMAND_RUN] = { "run", true, true,
					  "copy the database, then follow its changes",
					  "Does the next thing until told to stop: slot, schema, copy, stream.  "
					  "It is safe\nto start again at any moment, after whatever ended it.  "
					  "SIGINT and SIGTERM stop\nit after the current target transaction, a "
					  "second signal at once.",
					  NULL },
	[COMMAND_STATUS] = { "status", false, false,
						 "show where a migration stands",
						 "Prints phase, progress of the copy, lag, and the health of the slot. "
						 " Works with\none side down, and with one of the two URLs.",
						 NULL },
	[COMMAND_FINISH] = { "finish", true, true,
						 "create what had to wait while the stream ran",
						 "Applies what the source has committed so far, creates and "
						 "validates what was\ndeferred (foreign keys, triggers and "
						 "more) and sets the sequences.  Nothing can\nbe applied "
						 "afterwards: stop the writes to the source first.  Goes on "
						 "by itself\nwhen a connection was lost, and may be "
						 "repeated.",
						 NULL },
	[COMMAND_DROP] = { "drop", false, false,
					   "remove the slot and all state of a migration",
					   "Removes the replication slot from the source and the migration's "
					   "rows from the\ntarget.  The migrated tables stay.  Safe to repeat, "
					   "also when half is gone.",
					   NULL },
	[COMMAND_QUARANTINE] = { "quarantine", false, true,
							 "list, retry or drop rows that rules put aside",
							 "A row that a rule with on_error: quarantine cannot "
							 "bring to the target waits\nthere.  list shows such "
							 "rows; retry evaluates them by the present rules "
							 "and\nwrites them, and exits with 1 if some stay; "
							 "drop forgets them until\nthey change again.  retry "
							 "and drop need that no run streams meanwhile.",
							 quarantine_actions },
};

static bool parse_kept_tables(Options *options, const char *value, Error *err);
static bool parse_name(Options *options, const char *value, Error *err);
static bool parse_tables(Options *options, const char *value, Error *err);
static bool
parse_exclude_tables(Options *options, const char *value, Error *err);
static bool parse_on_loss(Options *options, const char *value, Error *err);
static bool parse_schemas(Options *options, const char *value, Error *err);
static bool parse_until(Options *options, const char *value, Error *err);
static bool parse_retry_for(Options *options, const char *value, Error *err);
static bool parse_jobs(Options *options, const char *value, Error *err);
static bool parse_writers(Options *options, const char *value, Error *err);
static bool parse_split_over(Options *options, const char *value, Error *err);
static bool
parse_synchronous_commit(Options *options, const char *value, Error *err);
static bool parse_ddl(Options *options, const char *value, Error *err);
static bool parse_ddl_done(Options *options, const char *value, Error *err);

#define AT(member) offsetof(Options, member), NULL
#define BY(parser) 0, parser

const OptionDef option_table[] = {
	{ "source", 0, "URL", ON_ALL, AT(source),
	  "server and database to migrate from:\n"
	  "postgresql://user@host:port/database, or service=NAME" },
	{ "target", 0, "URL", ON_ALL, AT(target),
	  "server and database to migrate to: the same, or\n"
	  "mysql://user@host:port/database" },
	{ "config", 0, "FILE", ON_ALL, AT(config_file),
	  "file with sources, targets, rules and options, in the\n"
	  "place of --source and --target; the command line goes\n"
	  "before it" },
	{ "name", 0, "NAME", ON_ALL, BY(parse_name),
	  "name of the migration, 1 to 40 of a-z, 0-9 and _\n"
	  "(default: the source database's name)" },
	{ "tables", 0, "PATTERNS", ON_PREVIEWS, BY(parse_tables),
	  "only these tables: schema.table or table, with * and ?,\n"
	  "separated by commas (default: all)" },
	{ "exclude-tables", 0, "PATTERNS", ON_PREVIEWS, BY(parse_exclude_tables),
	  "not these tables" },
	{ "on-loss", 0, "RULES", ON_PREVIEWS, BY(parse_on_loss),
	  "what to do with values that a target of another kind\n"
	  "cannot hold: \"error\", \"warn\", \"clamp\", \"null\",\n"
	  "\"text\"; more of table.column=WORD behind it,\n"
	  "separated by commas (default: error)" },
	{ "schemas", 0, "prefix|databases", ON_PREVIEWS, BY(parse_schemas),
	  "what schemas become where there are none: part of the\n"
	  "names of tables, or databases (default: prefix)" },
	{ "copy-only", 0, NULL, ON_PREVIEWS, AT(copy_only),
	  "copy one snapshot and end: no slot, no plugin, and\n"
	  "changes that are made meanwhile are not carried" },
	{ "until", 0, "END", ON(COMMAND_RUN), BY(parse_until),
	  "stop at an end: \"caught-up\" with what the source had\n"
	  "when the command began, or an LSN such as 0/16B3748" },
	{ "jobs", 0, "N", ON_PREVIEWS, BY(parse_jobs),
	  "tables, or pieces of them, to copy at a time, 1 to 64\n"
	  "(default: 4)" },
	{ "split-over", 0, "SIZE", ON(COMMAND_RUN) | ON(COMMAND_PLAN),
	  BY(parse_split_over),
	  "copy larger tables in pieces of about this size, such\n"
	  "as 64MB or 1GB; stays as it was begun (default: 256MB)" },
	{ "writers", 0, "N", ON(COMMAND_RUN) | ON(COMMAND_FINISH),
	  BY(parse_writers),
	  "connections that write the stream, 1 to 16; commits\n"
	  "keep the source's order (default: 1)" },
	{ "serial", 0, NULL, ON(COMMAND_RUN) | ON(COMMAND_FINISH), AT(serial),
	  "write each change of the stream by its own statement,\n"
	  "in the source's order; slow, to look for a fault" },
	{ "retry-for", 0, "DURATION", ON(COMMAND_RUN) | ON(COMMAND_FINISH),
	  BY(parse_retry_for),
	  "try again for so long when a connection was lost,\n"
	  "such as 30s or 2h; 0 is for ever (default: 10min)" },
	{ "no-wait", 0, NULL, ON(COMMAND_RUN) | ON(COMMAND_FINISH), AT(no_wait),
	  "exit at once if another applier owns the stream,\n"
	  "instead of waiting as its standby" },
	{ "takeover", 0, NULL,
	  ON(COMMAND_RUN) | ON(COMMAND_FINISH) | ON(COMMAND_DROP) |
		  ON(COMMAND_QUARANTINE),
	  AT(takeover), "take the stream from another applier that runs" },
	{ "target-synchronous-commit", 0, "on|off", ON(COMMAND_RUN),
	  BY(parse_synchronous_commit),
	  "wait for the target's disk at each commit; with off,\n"
	  "a position counts once it is durable (default: off)" },
	{ "ddl", 0, "apply|stop", ON(COMMAND_RUN), BY(parse_ddl),
	  "what to do when the source changes its schema: the\n"
	  "same on the target, or stop there (default: apply)" },
	{ "ddl", 0, NULL, ON(COMMAND_PLAN), AT(print_ddl),
	  "print the SQL that creates the schema, nothing else;\n"
	  "with --json beside the rest" },
	{ "ddl-done", 0, "LSN", ON(COMMAND_RUN), BY(parse_ddl_done),
	  "the change of the schema that the stream has stopped\n"
	  "at was carried out by hand" },
	{ "pg-bindir", 0, "FOLDER", ON_PREVIEWS, AT(pg_bindir),
	  "where pg_dump and pg_restore are (default: PATH)" },
	{ "rule", 0, "NAME", ON(COMMAND_QUARANTINE), AT(rule),
	  "only rows of this rule: its name, or \"rule N\"" },
	{ "table", 0, "PATTERNS", ON(COMMAND_QUARANTINE), BY(parse_kept_tables),
	  "only rows of these tables of the source, as --tables\n"
	  "of run" },
	{ "strict", 0, NULL, ON(COMMAND_CHECK), AT(strict),
	  "exit with 1 for warnings, too" },
	{ "json", 0, NULL,
	  ON(COMMAND_CHECK) | ON(COMMAND_PLAN) | ON(COMMAND_STATUS) |
		  ON(COMMAND_QUARANTINE),
	  AT(json), "print one JSON object" },
	{ "yes", 'y', NULL, ON(COMMAND_DROP) | ON(COMMAND_QUARANTINE), AT(yes),
	  "do not ask" },
	{ "quiet", 'q', NULL, ON_ALL, AT(quiet), "only warnings and errors" },
	{ "verbose", 'v', NULL, ON_ALL, AT(verbose), "say more" },
	{ "list-failpoints", 0, NULL, 0, AT(list_failpoints),
	  "print the places where tests can make it fail" },
	{ "help", 'h', NULL, ON_ALL, AT(help), "print this text" },
	{ "version", 'V', NULL, ON_ALL, AT(version), "print the version" },
};

const int option_count = (int) (sizeof(option_table) / sizeof(option_table[0]));

const char *
command_name(CommandId command)
{
	return command < COMMAND_COUNT ? command_table[command].name : "";
}

void
name_from_database(const char *database, char name[STREAM_NAME_MAX + 1])
{
	int i;

	for (i = 0; i < STREAM_NAME_MAX && database[i] != '\0'; i++)
	{
		char c = database[i];

		if (c >= 'A' && c <= 'Z')
			c = (char) (c - 'A' + 'a');
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			c = '_';
		name[i] = c;
	}
	name[i] = '\0';
}

static bool
parse_name(Options *options, const char *value, Error *err)
{
	size_t len = strlen(value);

	if (len == 0 || len > STREAM_NAME_MAX ||
		strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return error_set(err, P_NAME,
						 "\"%s\" cannot be the name of a migration", value);
	options->name = value;
	return true;
}

static bool
check_patterns(const char *option, const char *value, Error *err)
{
	size_t position;
	const char *reason;

	if (strlen(value) >= sizeof(((Progress *) NULL)->tables))
		return error_set(err, P_PATTERN, "--%s is longer than %zu bytes",
						 option, sizeof(((Progress *) NULL)->tables) - 1);
	if (!pattern_list_check(value, strlen(value), &position, &reason))
		return error_set(err, P_PATTERN, "--%s: %s at position %zu of \"%s\"",
						 option, reason, position + 1, value);
	return true;
}

static bool
parse_tables(Options *options, const char *value, Error *err)
{
	options->tables = value;
	return check_patterns("tables", value, err);
}

static bool
parse_exclude_tables(Options *options, const char *value, Error *err)
{
	options->exclude_tables = value;
	return check_patterns("exclude-tables", value, err);
}

static bool
parse_kept_tables(Options *options, const char *value, Error *err)
{
	options->kept_tables = value;
	return check_patterns("table", value, err);
}

static bool
parse_on_loss(Options *options, const char *value, Error *err)
{
	LossRules rules;
	Arena arena;
	bool ok;

	if (strlen(value) >= sizeof(((Progress *) NULL)->on_loss))
		return error_set(err, P_OPTIONS, "--on-loss is longer than %zu bytes",
						 sizeof(((Progress *) NULL)->on_loss) - 1);
	arena_init(&arena);
	ok = loss_rules_parse(value, &arena, &rules, err);
	arena_release(&arena);
	options->on_loss = value;
	return ok;
}

static bool
parse_schemas(Options *options, const char *value, Error *err)
{
	options->schemas = value;
	return strcmp(value, "prefix") == 0 || strcmp(value, "databases") == 0 ||
		   error_set(err, P_OPTIONS,
					 "--schemas takes prefix or databases, not \"%s\"", value);
}

static bool
parse_until(Options *options, const char *value, Error *err)
{
	if (strcmp(value, "caught-up") == 0)
	{
		options->until_caught_up = true;
		return true;
	}
	if (!lsn_parse(value, &options->until_lsn) ||
		options->until_lsn == LSN_NONE)
		return error_set(err, P_OPTIONS,
						 "--until takes \"caught-up\" or an LSN such as "
						 "0/16B3748, not \"%s\"",
						 value);
	return true;
}

static bool
parse_retry_for(Options *options, const char *value, Error *err)
{
	if (!duration_parse(value, &options->retry_for_ms))
		return error_set(err, P_OPTIONS,
						 "--retry-for takes a duration such as 500ms, 30s, "
						 "10min or 2h, or 0, not \"%s\"",
						 value);
	return true;
}

static bool
parse_number(const char *option, const char *value, int max, int *number,
			 Error *err)
{
	char *end;
	long parsed;

	errno = 0;
	parsed = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || parsed < 1 ||
		parsed > max)
		return error_set(err, P_OPTIONS,
						 "--%s takes a number from 1 to %d, not \"%s\"", option,
						 max, value);
	*number = (int) parsed;
	return true;
}

static bool
parse_jobs(Options *options, const char *value, Error *err)
{
	return parse_number("jobs", value, JOBS_MAX, &options->jobs, err);
}

static bool
parse_writers(Options *options, const char *value, Error *err)
{
	return parse_number("writers", value, MAX_WRITERS, &options->writers, err);
}

static bool
parse_split_over(Options *options, const char *value, Error *err)
{
	if (!size_parse(value, &options->split_over))
		return error_set(err, P_OPTIONS,
						 "--split-over takes a size such as 64kB, 16MB or 1GB, "
						 "not \"%s\"",
						 value);
	return true;
}

static bool
parse_synchronous_commit(Options *options, const char *value, Error *err)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return error_set(err, P_OPTIONS,
						 "--target-synchronous-commit takes on or off, not "
						 "\"%s\"",
						 value);
	options->target_synchronous_commit = strcmp(value, "on") == 0;
	return true;
}

static bool
parse_ddl(Options *options, const char *value, Error *err)
{
	bool stop = strcmp(value, "stop") == 0;

	if (!stop && strcmp(value, "apply") != 0)
		return error_set(err, P_OPTIONS, "--ddl is \"apply\" or \"stop\"");
	options->ddl = stop ? DDL_STOP : DDL_APPLY;
	return true;
}

static bool
parse_ddl_done(Options *options, const char *value, Error *err)
{
	return (lsn_parse(value, &options->ddl_done) &&
			options->ddl_done != LSN_NONE) ||
		   error_set(err, P_OPTIONS, "\"%s\" is not an LSN for --ddl-done",
					 value);
}
