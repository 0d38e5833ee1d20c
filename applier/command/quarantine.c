/*
 * quarantine.c
 *		pg_portage quarantine list|retry|drop: rows that rules have put aside.
 *
 * list only looks.  retry and drop change what the stream relies on, so they own it
 * as run does: nothing streams meanwhile.
 */
#include "command/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "command/commands.h"
#include "command/confirm.h"
#include "command/session_rules.h"
#include "command/walk.h"
#include "owner.h"
#include "pattern.h"
#include "rules/quarantined.h"

#define JUST_ENDED_MS 5000
#define EXIT_LEFT 1

/* ---- reading */

typedef struct Reading
{
	const Options *options;
	QuarantineRows *rows;
	Arena *arena;
} Reading;

static bool
is_wanted(const Options *options, const QuarantineRow *row)
{
	if (options->rule != NULL && strcmp(options->rule, row->rule) != 0)
		return false;
	return options->kept_tables == NULL ||
		   pattern_list_match(options->kept_tables,
							  strlen(options->kept_tables),
							  (PatternText){ row->schema, strlen(row->schema) },
							  (PatternText){ row->table, strlen(row->table) });
}

static QuarantineRow *
next_row(QuarantineRows *rows)
{
	if (rows->count == rows->capacity)
	{
		rows->capacity = rows->capacity * 2 + 64;
		rows->items = mem_realloc(rows->items, (size_t) rows->capacity *
												   sizeof(*rows->items));
	}
	BUG_UNLESS(rows->items != NULL);
	return &rows->items[rows->count];
}

static bool
take_row(void *arg, const KeptRow *kept, Error *err)
{
	Reading *reading = arg;
	QuarantineRow *row = next_row(reading->rows);
	json_int_t oid = 0;
	json_int_t number = 0;
	json_int_t xid = 0;
	json_int_t time = 0;

	/* it was dropped, or has gone by TRUNCATE */
	if (kept->body.len == 0)
		return true;
	memset(row, 0, sizeof(*row));
	row->body = json_loadb(kept->body.data, kept->body.len, 0, NULL);
	if (row->body == NULL ||
		json_unpack(row->body,
					"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I,"
					" s:I}",
					"rule", &row->rule, "schema", &row->schema, "table",
					&row->table, "operation", &row->operation, "commit_lsn",
					&row->commit_lsn, "error", &row->error, "oid", &oid,
					"number", &number, "xid", &xid, "commit_time_us",
					&time) != 0)
	{
		json_decref(row->body);
		return error_set(err, P_PROGRESS,
						 "a row in quarantine cannot be understood");
	}
	row->oid = (uint32_t) oid;
	row->number = (int64_t) number;
	row->xid = (int64_t) xid;
	row->commit_time_us = (int64_t) time;
	row->area = arena_strdup(reading->arena, kept->area);
	row->key = arena_strndup(reading->arena, kept->key.data, kept->key.len);
	row->key_hash = arena_strdup(reading->arena, kept->key_hash);
	if (is_wanted(reading->options, row))
		reading->rows->count++;
	else
		json_decref(row->body);
	return true;
}

static int
by_order(const void *left, const void *right)
{
	const QuarantineRow *a = left;
	const QuarantineRow *b = right;
	Lsn one = LSN_NONE;
	Lsn other = LSN_NONE;

	(void) lsn_parse(a->commit_lsn, &one);
	(void) lsn_parse(b->commit_lsn, &other);
	if (one != other)
		return one < other ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	/* of an UPDATE of the key, the row that goes comes first */
	if (strcmp(a->operation, b->operation) != 0)
		return strcmp(a->operation, b->operation);
	/* those of the copy */
	return strcmp(a->area, b->area) != 0 ? strcmp(a->area, b->area)
										 : strcmp(a->key, b->key);
}

bool
quarantine_read(Session *session, QuarantineRows *rows, Arena *arena,
				Error *err)
{
	Reading reading = { session->options, rows, arena };

	if (!session->target->ops->kept_visit(session->target, KEPT_AREA_QUARANTINE,
										  take_row, &reading, err))
		return false;
	if (rows->count > 0)
		qsort(rows->items, (size_t) rows->count, sizeof(*rows->items),
			  by_order);
	return true;
}

void
quarantine_release(QuarantineRows *rows)
{
	for (int i = 0; i < rows->count; i++)
		json_decref(rows->items[i].body);
	mem_free(rows->items);
	memset(rows, 0, sizeof(*rows));
}

/* ---- owning */

static bool
read_state(Session *session, Error *err)
{
	if (!session_connect_target(session, err) ||
		!session_read_progress(session, err))
		return false;
	return session->progress.phase != PHASE_NONE ||
		   error_set(err, P_NOT_MIGRATING, "the target has no migration \"%s\"",
					 session->options->name);
}

/* The session of an applier ends a little later than the applier. */
static bool
own(Session *session, Error *err)
{
	OwnerOptions options = { .no_wait = true,
							 .takeover = session->options->takeover };
	int64_t deadline_ms = clock_ms() + JUST_ENDED_MS;

	while (!owner_become(session->target, &options, &session->progress, err))
	{
		if (err->code != P_OWNED || clock_ms() >= deadline_ms)
			return err->code != P_OWNED ? false
										: error_hint(err, "stop pg_portage run,"
														  " or pass"
														  " --takeover");
		error_clear(err);
		clock_pause_ms(50);
	}
	return true;
}

/* ---- drop */

/* Their keys stay: what the target has of them is not known to the stream. */
static bool
drop_rows(Session *session, const QuarantineRows *rows, Error *err)
{
	QuarantineWriter *writer = quarantine_writer_open(session, err);
	const Relation *relation = kept_relation_new();
	const Txn txn = { .commit_lsn = session->progress.commit_lsn };
	Change *changes;
	Arena arena;
	bool ok = writer != NULL;

	arena_init(&arena);
	changes = ARENA_ARRAY(&arena, Change, (size_t) rows->count);
	for (int i = 0; ok && i < rows->count; i++)
	{
		const QuarantineRow *row = &rows->items[i];
		KeptRow kept = { row->area, row->key_hash, slice_of(row->key),
						 slice_of("") };

		changes[i] = kept_change(CHANGE_PUT, relation, session->options->name,
								 &kept, &arena);
		ok = quarantine_writer_add(writer, &txn, &changes[i], err);
	}
	ok = ok && quarantine_writer_commit(writer, NULL, err);
	quarantine_writer_close(writer);
	relation_release(relation);
	arena_release(&arena);
	return ok;
}

static bool
drop(Session *session, QuarantineRows *rows, Arena *arena, Error *err)
{
	if (!read_state(session, err) ||
		!quarantine_read(session, rows, arena, err))
		return false;
	if (rows->count > 0 &&
		!confirm(session->options, "quarantine drop", err,
				 "Drop %d rows that were put aside?  The target stays without"
				 " them until they change on the source.",
				 rows->count))
		return false;
	if (!own(session, err))
		return false;
	/* what the stream has brought meanwhile is not there any more */
	quarantine_release(rows);
	if (!quarantine_read(session, rows, arena, err) ||
		(rows->count > 0 && !drop_rows(session, rows, err)))
		return false;
	log_info("dropped %d rows from quarantine; they come when they change",
			 rows->count);
	return true;
}

/* ---- retry */

/* A stream has to be where rows can be written by it. */
static bool
check_retry(Session *session, Error *err)
{
	const Progress *progress = &session->progress;
	Error changed = ERROR_INIT;

	if (!session_check_source(session, err))
		return false;
	if (progress->phase != PHASE_STREAM)
		return error_set(err, P_OPTIONS,
						 "the migration \"%s\" is in phase \"%s\": rows are"
						 " tried again while it streams",
						 session->options->name, phase_name(progress->phase));
	if (!session_rules_check(session, &changed))
		log_warning("%s: rows that are tried again are as the present rules"
					" make them",
					changed.message);
	return true;
}

static bool
retry(Session *session, QuarantineRows *rows, Arena *arena, int *failed,
	  Error *err)
{
	if (session->rules == NULL)
		return error_set(err, P_USAGE,
						 "quarantine retry needs --config with the rules");
	if (!session_connect_primary(session, err) || !read_state(session, err) ||
		!check_retry(session, err) || !session_rules_ready(session, err) ||
		!own(session, err) || !check_retry(session, err))
		return false;
	session_adopt(session);
	if (!quarantine_read(session, rows, arena, err) ||
		(rows->count > 0 && !quarantine_retry(session, rows, failed, err)))
		return false;
	log_info("%d rows have left quarantine, %d stay", rows->count - *failed,
			 *failed);
	return true;
}

/* ---- all of it */

static bool
list(Session *session, QuarantineRows *rows, Arena *arena, Error *err)
{
	if (!read_state(session, err) ||
		!quarantine_read(session, rows, arena, err))
		return false;
	if (session->options->json)
		quarantine_print_json(rows, session->options->name);
	else
		quarantine_print_text(rows);
	return true;
}

static int
quarantine_pair(const Options *options)
{
	QuarantineRows rows = { .items = NULL };
	Session session;
	Arena arena;
	Error err = ERROR_INIT;
	int failed = 0;
	int code;

	arena_init(&arena);
	if (session_open(&session, options, &err))
	{
		if (strcmp(options->action, "list") == 0)
			(void) !list(&session, &rows, &arena, &err);
		else if (strcmp(options->action, "drop") == 0)
			(void) !drop(&session, &rows, &arena, &err);
		else
			(void) !retry(&session, &rows, &arena, &failed, &err);
	}
	quarantine_release(&rows);
	code = session_end(&session, &err);
	arena_release(&arena);
	return code == 0 && failed > 0 ? EXIT_LEFT : code;
}

/* A rule that is not there has no rows, which looks as if nothing were amiss. */
static bool
check_rule_name(const Options *options, Error *err)
{
	const Config *config = options->config;
	const char **names;
	const char *meant;
	Arena arena;

	if (options->rule == NULL || config == NULL)
		return true;
	arena_init(&arena);
	names = ARENA_ARRAY(&arena, const char *, (size_t) config->rule_count + 1);
	for (int i = 0; i < config->rule_count; i++)
	{
		names[i] = config->rules[i].name;
		if (strcmp(names[i], options->rule) == 0)
		{
			arena_release(&arena);
			return true;
		}
	}
	meant = suggest(options->rule, names);
	config_error(config, (ConfigPlace){ 0, 0 }, err, "there is no rule \"%s\"",
				 options->rule);
	if (meant != NULL)
		error_hint(err, "did you mean %s?", meant);
	else
		error_hint(err, "quarantine list without --rule shows all");
	arena_release(&arena);
	return false;
}

int
command_quarantine(const Options *options)
{
	Error err = ERROR_INIT;

	if (!check_rule_name(options, &err))
	{
		log_error(&err);
		return error_exit_code(&err);
	}
	return walk_pairs(options, quarantine_pair, WALK_ALL);
}
