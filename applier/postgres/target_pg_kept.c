/*
 * target_pg_kept.c
 *		See target_pg_kept.h.
 *
 * Rows of portage.kept come with the stream as changes of an internal relation,
 * and with the copy from its workers.  A state that is older than these tables
 * has none of them until its next start: whoever only reads finds nothing.
 */
#include "postgres/target_pg_kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres/array_text.h"
#include "postgres/shape_map.h"
#include "postgres/table_facts.h"

/* rows of one question, and of one statement */
#define VISIT_ROWS "200"
#define PUT_ROWS 500

/* rule, oid, schema, name, tolerant, and the counts */
#define LEDGER_COLUMNS (5 + LEDGER_KINDS)

/* ---- the ledger */

/* $1 is the stream, then an array for each column. */
static void
ledger_sql(Buffer *sql)
{
	buffer_puts(sql, "INSERT INTO portage.ledger AS l (stream, rule, table_oid,"
					 " table_schema, table_name, tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(sql, ", %s", ledger_kind_name((LedgerKind) i));
	/* in one order, since workers of a copy add to the same rows */
	buffer_puts(sql, ") SELECT $1, e.* FROM unnest($2::text[], $3::oid[],"
					 " $4::text[], $5::text[], $6::boolean[]");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(sql, ", $%d::bigint[]", i + 7);
	buffer_puts(sql, ") AS e ORDER BY 2, 3"
					 " ON CONFLICT (stream, rule, table_oid) DO UPDATE SET"
					 " table_schema = excluded.table_schema,"
					 " table_name = excluded.table_name,"
					 " tolerant = l.tolerant OR excluded.tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
	{
		const char *name = ledger_kind_name((LedgerKind) i);

		buffer_printf(sql, ", %s = l.%s + excluded.%s", name, name, name);
	}
}

static void
put_text(Buffer *array, const char *text)
{
	Value value = { text, (uint32_t) strlen(text), WIRE_COL_PRESENT };

	array_text_value(array, &value, false);
}

static void
put_entry(Buffer arrays[LEDGER_COLUMNS], const LedgerEntry *entry)
{
	put_text(&arrays[0], entry->rule);
	buffer_printf(&arrays[1], "%" PRIu32 ",", entry->table_oid);
	put_text(&arrays[2], entry->schema);
	put_text(&arrays[3], entry->name);
	buffer_puts(&arrays[4], entry->tolerant ? "t," : "f,");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(&arrays[5 + i], "%" PRId64 ",", entry->counts[i]);
}

/* The statement and its parameters, as whoever runs it wants them. */
typedef struct LedgerStatement
{
	Buffer sql;
	Buffer arrays[LEDGER_COLUMNS];
	const char *params[1 + LEDGER_COLUMNS];
} LedgerStatement;

static void
statement_init(LedgerStatement *s, const char *stream, const Ledger *ledger)
{
	buffer_init(&s->sql);
	ledger_sql(&s->sql);
	s->params[0] = stream;
	for (int i = 0; i < LEDGER_COLUMNS; i++)
	{
		buffer_init(&s->arrays[i]);
		array_text_begin(&s->arrays[i]);
	}
	for (int i = 0; i < ledger->count; i++)
		put_entry(s->arrays, &ledger->entries[i]);
	for (int i = 0; i < LEDGER_COLUMNS; i++)
	{
		array_text_end(&s->arrays[i]);
		s->params[1 + i] = s->arrays[i].data;
	}
}

static void
statement_release(LedgerStatement *s)
{
	buffer_release(&s->sql);
	for (int i = 0; i < LEDGER_COLUMNS; i++)
		buffer_release(&s->arrays[i]);
}

bool
ledger_pg_send(Pipeline *pipeline, const char *stream, const Ledger *ledger,
			   Error *err)
{
	LedgerStatement s;
	bool ok;

	if (ledger->count == 0)
		return true;
	statement_init(&s, stream, ledger);
	ok = pipeline_send(pipeline, STEP_COMMAND, s.sql.data, 1 + LEDGER_COLUMNS,
					   s.params, err);
	statement_release(&s);
	return ok;
}

bool
ledger_pg_add(PgConn *conn, const char *stream, const Ledger *ledger,
			  Error *err)
{
	LedgerStatement s;
	bool ok;

	if (ledger == NULL || ledger->count == 0)
		return true;
	statement_init(&s, stream, ledger);
	ok = pg_exec_params(conn, err, s.sql.data, 1 + LEDGER_COLUMNS, s.params);
	statement_release(&s);
	return ok || error_wrap(err, "cannot write the ledger");
}

bool
table_pg_exists(PgConn *conn, const char *name, bool *exists, Error *err)
{
	const char *params[] = { name };
	PGresult *res = pg_query_params(
		conn, err, "SELECT to_regclass($1) IS NOT NULL", 1, params);

	if (res == NULL)
		return false;
	*exists = pg_value_bool(res, 0, 0);
	PQclear(res);
	return true;
}

static void
read_entry(const PGresult *res, int row, Arena *arena, LedgerEntry *entry)
{
	entry->rule = arena_strdup(arena, pg_value(res, row, 0));
	entry->table_oid = (uint32_t) pg_value_int(res, row, 1);
	entry->schema = arena_strdup(arena, pg_value(res, row, 2));
	entry->name = arena_strdup(arena, pg_value(res, row, 3));
	entry->tolerant = pg_value_bool(res, row, 4);
	for (int i = 0; i < LEDGER_KINDS; i++)
		entry->counts[i] = pg_value_int(res, row, 5 + i);
}

bool
target_pg_ledger_list(Target *target, Arena *arena, LedgerEntry **entries,
					  int *count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[] = { target->config->stream };
	PGresult *res;
	Buffer sql;
	bool exists;

	*entries = NULL;
	*count = 0;
	if (!table_pg_exists(conn, "portage.ledger", &exists, err) || !exists)
		return !error_is_set(err);
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT rule, table_oid, table_schema, table_name,"
					  " tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(&sql, ", %s", ledger_kind_name((LedgerKind) i));
	buffer_puts(&sql, " FROM portage.ledger WHERE stream = $1"
					  " ORDER BY rule, table_schema, table_name, table_oid");
	res = pg_query_params(conn, err, sql.data, 1, params);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	*count = PQntuples(res);
	*entries = ARENA_ARRAY(arena, LedgerEntry, (size_t) *count);
	for (int i = 0; i < *count; i++)
		read_entry(res, i, arena, &(*entries)[i]);
	PQclear(res);
	return true;
}

/* ---- kept rows */

static Slice
value_slice(const PGresult *res, int row, int column)
{
	return (Slice){ pg_value(res, row, column),
					(size_t) PQgetlength(res, row, column) };
}

/* Those of one answer; *more: there may be others behind the last. */
static bool
visit_rows(const PGresult *res, const char *area, KeptVisitor visitor,
		   void *arg, bool *more, Error *err)
{
	*more = PQntuples(res) > 0;
	for (int i = 0; i < PQntuples(res); i++)
	{
		KeptRow row = { .area = pg_value(res, i, 0),
						.key_hash = pg_value(res, i, 1),
						.key = value_slice(res, i, 2),
						.body = value_slice(res, i, 3) };

		/* areas are in the order of their bytes */
		if (strncmp(row.area, area, strlen(area)) != 0)
		{
			*more = false;
			return true;
		}
		if (!visitor(arg, &row, err))
			return false;
	}
	return true;
}

/* From one row to the next, so that no more than a few are in memory. */
bool
target_pg_kept_visit(Target *target, const char *area, KeptVisitor visitor,
					 void *arg, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[] = { target->config->stream, area, "" };
	PGresult *last = NULL;
	bool more;
	bool ok = true;

	if (!table_pg_exists(conn, "portage.kept", &more, err))
		return false;
	while (ok && more)
	{
		PGresult *res = pg_query_params(
			conn, err,
			"SELECT area, key_hash, key, body FROM portage.kept"
			" WHERE stream = $1 AND (area, key_hash) > ($2, $3)"
			" ORDER BY area, key_hash LIMIT " VISIT_ROWS,
			3, params);

		PQclear(last);
		last = res;
		ok = res != NULL && visit_rows(res, area, visitor, arg, &more, err);
		if (!ok || !more)
			break;
		params[1] = pg_value(res, PQntuples(res) - 1, 0);
		params[2] = pg_value(res, PQntuples(res) - 1, 1);
	}
	PQclear(last);
	return ok;
}

static void
put_slice(Buffer *array, Slice text)
{
	Value value = { text.data, (uint32_t) text.len, WIRE_COL_PRESENT };

	array_text_value(array, &value, false);
}

/* Rows without a key, if they are the same, have the same place. */
static bool
put_some(PgConn *conn, const char *stream, const KeptRow *rows, int count,
		 Error *err)
{
	Buffer arrays[4];
	const char *params[5] = { stream };
	bool ok;

	for (int k = 0; k < 4; k++)
	{
		buffer_init(&arrays[k]);
		array_text_begin(&arrays[k]);
	}
	for (int i = 0; i < count; i++)
	{
		put_text(&arrays[0], rows[i].area);
		put_text(&arrays[1], rows[i].key_hash);
		put_slice(&arrays[2], rows[i].key);
		put_slice(&arrays[3], rows[i].body);
	}
	for (int k = 0; k < 4; k++)
	{
		array_text_end(&arrays[k]);
		params[1 + k] = arrays[k].data;
	}
	ok = pg_exec_params(conn, err,
						"INSERT INTO portage.kept (stream, area, key_hash, key,"
						" body) SELECT DISTINCT ON (r.area, r.hash) $1, r.area,"
						" r.hash, r.key, r.body FROM unnest($2::text[],"
						" $3::text[], $4::text[], $5::text[])"
						" AS r(area, hash, key, body)"
						" ON CONFLICT (stream, area, key_hash) DO UPDATE SET"
						" key = excluded.key, body = excluded.body",
						5, params);
	for (int k = 0; k < 4; k++)
		buffer_release(&arrays[k]);
	return ok;
}

bool
kept_pg_put(PgConn *conn, const char *stream, const KeptRow *rows, int count,
			Error *err)
{
	bool ok = true;

	for (int first = 0; ok && first < count; first += PUT_ROWS)
		ok = put_some(conn, stream, rows + first,
					  count - first < PUT_ROWS ? count - first : PUT_ROWS, err);
	return ok || error_wrap(err, "cannot keep what rules need");
}

/* Nothing but the copy has counted so far. */
static bool
ledger_remove(PgConn *conn, const char *stream, const Table *table, Error *err)
{
	char oid[16];
	const char *params[] = { stream, table->ledger_rule, oid };

	snprintf(oid, sizeof(oid), "%" PRIu32, table->ledger_oid);
	return table->ledger_rule == NULL ||
		   pg_exec_params(conn, err,
						  "DELETE FROM portage.ledger WHERE stream = $1"
						  " AND rule = $2 AND table_oid = $3",
						  3, params);
}

bool
kept_pg_remove(PgConn *conn, const char *stream, const Table *table, Error *err)
{
	bool ok = ledger_remove(conn, stream, table, err);

	for (int i = 0; ok && i < table->kept_count; i++)
	{
		const char *params[] = { stream, table->kept[i].area,
								 table->kept[i].key };

		ok = pg_exec_params(conn, err,
							"DELETE FROM portage.kept WHERE stream = $1"
							" AND area = $2 AND ($3::text IS NULL OR key = $3)",
							3, params);
	}
	return ok || error_wrap(err, "cannot remove what rules have kept");
}

bool
kept_pg_look(TargetPg *self, const Relation *relation, const PlanTable **table,
			 Error *err)
{
	PGresult *res;
	uint32_t oid;

	if (self->kept == NULL)
	{
		res = pg_query(self->conn, err, "SELECT 'portage.kept'::regclass::oid");
		if (res == NULL)
			return false;
		oid = (uint32_t) pg_value_int(res, 0, 0);
		PQclear(res);
		/* nobody alters the state, so its columns need no mark */
		self->kept = table_facts_read(self->conn, oid, "", KEPT_TABLE_ID,
									  relation, err);
		if (self->kept == NULL)
			return false;
	}
	*table = &self->kept->plan;
	return true;
}

void
kept_pg_forget(TargetPg *self)
{
	table_facts_free(self->kept);
	self->kept = NULL;
}
