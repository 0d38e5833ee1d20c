/*
 * options.h
 *		The command line and the configuration file, parsed and validated.
 *
 * One table (option_table.c) drives parsing, the rule which command takes which
 * option, what is a top-level key of the file, and the help.  Whatever is wrong is found here, before anything
 * connects.  Passwords in argv are overwritten, so that ps does not show them.
 */
#ifndef PORTAGE_OPTIONS_H
#define PORTAGE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/lsn.h"
#include "config/config.h"
#include "progress.h"
#include "target/target.h"

typedef enum CommandId
{
	COMMAND_CHECK,
	COMMAND_PLAN,
	COMMAND_RUN,
	COMMAND_STATUS,
	COMMAND_FINISH,
	COMMAND_DROP,
	COMMAND_QUARANTINE,
	COMMAND_COUNT /* none was given */
} CommandId;

typedef struct Options
{
	CommandId command;
	const char *action; /* of commands that have several; or NULL */
	bool help;
	bool version;
	bool list_failpoints;

	const char *config_file; /* --config, instead of the two URLs; or NULL */
	const Config *config;	 /* what it says, or NULL */
	const char *source;		 /* URL or NULL; of the file's first source */
	const char *target;		 /* URL or NULL; of the file's first target */
	const char *source_name; /* in the file; NULL where there is no file, or */
	const char *target_name; /* where it is for several: see pairs.h */
	bool shares_slot; /* of a pair: other targets need the source's slot, too */
	const char *name;
	const char *tables;			/* "" for all */
	const char *exclude_tables; /* "" for none */
	const char *pg_bindir;		/* or NULL */
	bool copy_only;				/* no slot, no stream: one snapshot */
	const char *on_loss; /* rules, see schema/loss.h; NULL: as begun, error */
	bool mapping_is_common; /* these two are for all of several targets */
	const char *schemas;	/* "prefix", "databases"; NULL: as begun, prefix */

	bool until_caught_up;
	Lsn until_lsn;		  /* LSN_NONE: no end */
	int64_t retry_for_ms; /* 0: for ever */
	int jobs;
	int writers;
	bool serial;		/* every change by its own statement */
	int64_t split_over; /* bytes; tables above are copied in pieces */
	bool no_wait;
	bool takeover;
	bool target_synchronous_commit;
	DdlMode ddl;
	Lsn ddl_done; /* LSN_NONE: none */

	const char *rule;		 /* quarantine --rule, or NULL: of all */
	const char *kept_tables; /* quarantine --table: patterns, or NULL */
	bool print_ddl;			 /* plan --ddl */
	bool json;
	bool yes;
	bool strict;
	bool quiet;
	bool verbose;
} Options;

/*
 * Parse argv.  Strings live in the arena.  With help, version or
 * list_failpoints set nothing else has been validated.
 */
bool options_parse(Options *options, Arena *arena, int argc, char **argv,
				   Error *err) MUST_CHECK;

/* The text of --help: of the command, or of the program. */
void options_print_help(const Options *options, FILE *out);

/* How the command is called. */
const char *command_name(CommandId command);

/* A default for --name: lower case, other characters become "_". */
void name_from_database(const char *database, char name[STREAM_NAME_MAX + 1]);

#endif /* PORTAGE_OPTIONS_H */
