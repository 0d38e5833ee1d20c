/*
 * source_pg_dump.c
 *		The schema, as pg_dump sees it under the snapshot of the copy.
 *
 * pg_dump writes an archive into a file without a name; pg_restore lists it and
 * prints it, section by section.  Names and passwords of the connection reach
 * the children through their environment only: command lines are for everybody
 * to see.
 */
#include "postgres/source_pg_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/ddl_print.h"
#include "postgres/dump_select.h"
#include "postgres/pg_program.h"

/* a table that somebody keeps locked for longer fails the dump */
#define DUMP_LOCK_TIMEOUT "--lock-wait-timeout=600000"

/* what has no environment variable; no part of it is secret */
static const char dump_keepalives[] =
	"--dbname=keepalives_idle=10 keepalives_interval=5 keepalives_count=4"
	" tcp_user_timeout=60000";

#define CATALOG_TABLES_SQL                                           \
	"SELECT c.oid, n.nspname, c.relname, rn.nspname, r.relname,"     \
	" coalesce((SELECT i.inhparent FROM pg_inherits i"               \
	"  WHERE c.relispartition AND i.inhrelid = c.oid), 0::oid)"      \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" LEFT JOIN pg_class r ON c.relispartition"                      \
	"  AND r.oid = pg_partition_root(c.oid)"                         \
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"          \
	" WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384"

/* Sequences belong to the tables that own them as indexes do to theirs. */
#define CATALOG_OWNERS_SQL                                                  \
	"SELECT 'pg_class'::regclass::oid, indexrelid, indrelid FROM pg_index"  \
	" WHERE indrelid >= 16384"                                              \
	" UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid"            \
	"  FROM pg_constraint WHERE conrelid >= 16384"                          \
	" UNION ALL SELECT 'pg_trigger'::regclass, oid, tgrelid"                \
	"  FROM pg_trigger WHERE tgrelid >= 16384"                              \
	" UNION ALL SELECT 'pg_rewrite'::regclass, oid, ev_class"               \
	"  FROM pg_rewrite WHERE ev_class >= 16384"                             \
	" UNION ALL SELECT 'pg_policy'::regclass, oid, polrelid FROM pg_policy" \
	" UNION ALL SELECT 'pg_attrdef'::regclass, oid, adrelid"                \
	"  FROM pg_attrdef WHERE adrelid >= 16384"                              \
	" UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxrelid"         \
	"  FROM pg_statistic_ext"                                               \
	" UNION ALL SELECT classid, objid, refobjid FROM pg_depend"             \
	"  JOIN pg_class c ON c.oid = objid AND c.relkind = 'S'"                \
	"  WHERE classid = 'pg_class'::regclass AND refclassid = classid"       \
	"  AND refobjsubid > 0 AND deptype IN ('a', 'i')"

/* What the sections of an archive are called on the command line. */
static const char *const section_options[] = {
	[DDL_PRE_DATA] = "--section=pre-data",
	[DDL_POST_DATA] = "--section=post-data",
};

/* NAME=value of everything that the URL says; the list ends with NULL. */
static const char **
dump_environment(const SourceConfig *config, Arena *arena, Error *err)
{
	PQconninfoOption *parsed = PQconninfoParse(config->url, NULL);
	const char *options = getenv("PGOPTIONS");
	const char **env;
	int n = 0;

	if (parsed == NULL)
	{
		error_set(err, P_URL, "the source URL cannot be read");
		return NULL;
	}
	while (parsed[n].keyword != NULL)
		n++;
	env = ARENA_ARRAY(arena, const char *, (size_t) n + 5);
	n = 0;
	for (PQconninfoOption *option = parsed; option->keyword != NULL; option++)
	{
		if (option->envvar == NULL || option->val == NULL ||
			option->val[0] == '\0')
			continue;
		if (strcmp(option->envvar, "PGOPTIONS") == 0)
			options = arena_strdup(arena, option->val);
		else if (strcmp(option->envvar, "PGAPPNAME") != 0 &&
				 strcmp(option->envvar, "PGCLIENTENCODING") != 0)
			env[n++] = arena_printf(arena, "%s=%s", option->envvar,
									option->val);
	}
	/* pg_dump quotes as the session would read it: whoever replays it does too */
	env[n++] = arena_printf(arena,
							"PGOPTIONS=%s -c standard_conforming_strings=on",
							options != NULL ? options : "");
	/* the dump shall be in the server's encoding, messages in English */
	env[n++] = "PGCLIENTENCODING=";
	env[n++] = "LC_ALL=C";
	env[n++] = arena_printf(arena, "PGAPPNAME=" LABEL_FORMAT, config->stream,
							"dump");
	PQconninfoFree(parsed);
	return env;
}

/* A file that has no name and vanishes with us. */
static int
nameless_file(Error *err)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	snprintf(path, sizeof(path), "%s/pg_portage.XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		error_set(err, P_PG_DUMP, "cannot create a file in %s: %s", folder,
				  strerror(errno));
	else
		unlink(path);
	return fd;
}

static bool
run_pg_dump(const PgPrograms *programs, const char *const *env,
			const char *snapshot_id, int fd, Arena *arena, Error *err)
{
	const char *argv[] = { programs->pg_dump,
						   "--format=custom",
						   "--compress=0",
						   "--no-password",
						   "--section=pre-data",
						   "--section=post-data",
						   "--no-blobs",
						   "--no-owner",
						   "--no-privileges",
						   "--no-publications",
						   "--no-subscriptions",
						   DUMP_LOCK_TIMEOUT,
						   dump_keepalives,
						   arena_printf(arena, "--snapshot=%s", snapshot_id),
						   NULL };
	PgProgramRun run = {
		.argv = argv, .env = env, .stdin_fd = -1, .stdout_fd = fd
	};

	if (pg_program_run(&run, err))
		return true;
	if (strstr(err->detail, "lock timeout") != NULL)
		error_as(err, ERROR_TRANSIENT);
	return false;
}

/* The list of a section, or its script with the comments that are split at. */
static bool
run_pg_restore(const PgPrograms *programs, int fd, DdlSection section,
			   bool list, Buffer *out, Error *err)
{
	const char *argv[] = { programs->pg_restore,
						   "--no-owner",
						   "--no-privileges",
						   "--no-publications",
						   "--no-subscriptions",
						   section_options[section],
						   list ? "--list" : "--verbose",
						   "--file=-",
						   NULL };
	PgProgramRun run = {
		.argv = argv, .stdin_fd = fd, .stdout_fd = -1, .out = out
	};

	if (lseek(fd, 0, SEEK_SET) != 0)
		return error_set(err, P_PG_DUMP, "cannot read the dump again: %s",
						 strerror(errno));
	return pg_program_run(&run, err);
}

/* One section of the archive as entries. */
static bool
read_section(const PgPrograms *programs, int fd, DdlSection section,
			 Arena *arena, DumpEntry **entries, int *count, Error *err)
{
	Buffer list;
	Buffer script;
	bool ok;

	buffer_init(&list);
	buffer_init(&script);
	ok = run_pg_restore(programs, fd, section, true, &list, err) &&
		 run_pg_restore(programs, fd, section, false, &script, err) &&
		 dump_split(list.data, script.data, section, arena, entries, count,
					err);
	buffer_release(&list);
	buffer_release(&script);
	return ok;
}

static bool
read_archive(const PgPrograms *programs, int fd, Arena *arena,
			 DumpEntry **entries, int *count, Error *err)
{
	DumpEntry *parts[2];
	int counts[2];

	if (!read_section(programs, fd, DDL_PRE_DATA, arena, &parts[0], &counts[0],
					  err) ||
		!read_section(programs, fd, DDL_POST_DATA, arena, &parts[1], &counts[1],
					  err))
		return false;
	*count = counts[0] + counts[1];
	*entries = ARENA_ARRAY(arena, DumpEntry, (size_t) *count + 1);
	memcpy(*entries, parts[0], (size_t) counts[0] * sizeof(DumpEntry));
	memcpy(*entries + counts[0], parts[1],
		   (size_t) counts[1] * sizeof(DumpEntry));
	return true;
}

static int
compare_oids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *) left;
	uint32_t b = *(const uint32_t *) right;

	return (a > b) - (a < b);
}

static bool
is_left_out(const DumpScope *scope, uint32_t oid)
{
	return scope->left_out_count > 0 &&
		   bsearch(&oid, scope->left_out, (size_t) scope->left_out_count,
				   sizeof(oid), compare_oids) != NULL;
}

static bool
read_tables(PgConn *conn, const SourceConfig *config, const DumpScope *scope,
			Arena *arena, DumpCatalog *catalog, Error *err)
{
	PGresult *res = pg_query(conn, err, CATALOG_TABLES_SQL);

	if (res == NULL)
		return false;
	catalog->table_count = PQntuples(res);
	catalog->tables = ARENA_ARRAY(arena, DumpTable,
								  (size_t) catalog->table_count);
	for (int i = 0; i < catalog->table_count; i++)
	{
		DumpTable *table = &catalog->tables[i];

		table->oid = (uint32_t) pg_value_int(res, i, 0);
		table->parent = (uint32_t) pg_value_int(res, i, 5);
		table->selected = source_pg_selected(
			config, pg_value(res, i, 1), pg_value(res, i, 2),
			pg_value(res, i, 3), pg_value(res, i, 4));
		table->changed = is_left_out(scope, table->oid);
	}
	PQclear(res);
	return true;
}

static bool
read_owners(PgConn *conn, Arena *arena, DumpCatalog *catalog, Error *err)
{
	PGresult *res = pg_query(conn, err, CATALOG_OWNERS_SQL);

	if (res == NULL)
		return false;
	catalog->owner_count = PQntuples(res);
	catalog->owners = ARENA_ARRAY(arena, DumpOwner,
								  (size_t) catalog->owner_count);
	for (int i = 0; i < catalog->owner_count; i++)
	{
		catalog->owners[i].class_oid = (uint32_t) pg_value_int(res, i, 0);
		catalog->owners[i].oid = (uint32_t) pg_value_int(res, i, 1);
		catalog->owners[i].table_oid = (uint32_t) pg_value_int(res, i, 2);
	}
	PQclear(res);
	return true;
}

/* The id to give to pg_dump: the slot's, or one of our own. */
static bool
snapshot_id_of(PgConn *conn, const SnapshotRef *snapshot, Arena *arena,
			   const char **id, Error *err)
{
	PGresult *res;

	*id = snapshot->id;
	if (*id != NULL)
		return true;
	res = pg_query(conn, err, "SELECT pg_export_snapshot()");
	if (res == NULL)
		return false;
	*id = arena_strdup(arena, pg_value(res, 0, 0));
	PQclear(res);
	return true;
}

static bool
dump_into(PgConn *conn, const SourceConfig *config, const SnapshotRef *snapshot,
		  int fd, Arena *arena, DumpEntry **dumped, int *count, Error *err)
{
	PgPrograms programs;
	Error lost = ERROR_INIT;
	const char **env = dump_environment(config, arena, err);
	const char *id;

	if (env == NULL ||
		!pg_programs_find(config->pg_bindir, conn->server_version / 10000,
						  arena, &programs, err) ||
		!snapshot_id_of(conn, snapshot, arena, &id, err))
		return false;
	if (!run_pg_dump(&programs, env, id, fd, arena, err))
	{
		/* if the server is gone then that is the reason, and worth a retry */
		if (err->code != P_STOPPED && !pg_exec(conn, &lost, "SELECT 1"))
			*err = lost;
		return false;
	}
	return FAILPOINT(FP_SCHEMA_DUMPED, err) &&
		   read_archive(&programs, fd, arena, dumped, count, err);
}

bool
source_pg_schema_dump(Source *source, const SnapshotRef *snapshot,
					  const DumpScope *scope, Arena *arena, DdlEntry **entries,
					  int *count, Findings *left_out, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	DumpCatalog catalog = { .all = !source_pg_selects(source->config),
							.sequences = scope->sequences,
							.sequence_count = scope->sequence_count };
	PgConn *conn;
	DumpEntry *dumped;
	int dumped_count;
	int fd = nameless_file(err);
	bool ok;

	if (fd < 0)
		return false;
	conn = source_pg_snapshot_session(self, "catalog", snapshot, err);
	ok = conn != NULL &&
		 read_tables(conn, source->config, scope, arena, &catalog, err) &&
		 read_owners(conn, arena, &catalog, err) &&
		 dump_into(conn, source->config, snapshot, fd, arena, &dumped,
				   &dumped_count, err);
	pg_conn_close(conn);
	close(fd);
	if (!ok)
		return error_wrap(err, "schema of the source");
	dump_select(&catalog, dumped, dumped_count, arena, entries, count,
				left_out);
	if (scope->derived != NULL)
		ddl_print(scope->derived, *entries, *count, arena, entries, count);
	return true;
}
