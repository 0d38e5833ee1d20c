/*
 * target_mysql_kept.c
 *		What rules leave on the target: portage_ledger, portage_kept.
 *
 * Rows of portage_kept come with the stream as changes of an internal relation,
 * and with the copy from its workers.  They are kept as the bytes that they are.
 */
#include <inttypes.h>
#include <string.h>

#include "mysql/table_facts_mysql.h"

/* rows of one question */
#define VISIT_ROWS 200

/* of one statement, about */
#define PUT_BYTES ((size_t) 256 * 1024)

#define ER_NO_SUCH_TABLE 1146

static const char *const kept_columns[KEPT_COLUMNS] = {
	[KEPT_STREAM] = "stream",	  [KEPT_AREA] = "area",
	[KEPT_KEY_HASH] = "key_hash", [KEPT_KEY] = "kept_key",
	[KEPT_BODY] = "body",
};

/* ---- the ledger */

/*
 * Rows come as a derived table, whose first row names the columns: VALUES() of an
 * INSERT is deprecated on one server, and what takes its place is unknown to the
 * other.
 */
static void
put_column(Buffer *sql, bool first, const char *name)
{
	if (first)
		buffer_printf(sql, " AS %s", name);
}

static void
put_text(Buffer *sql, const char *text, bool first, const char *name)
{
	my_quote_text(sql, slice_of(text));
	put_column(sql, first, name);
	buffer_puts(sql, ", ");
}

static void
put_entry(Buffer *sql, const char *stream, const LedgerEntry *entry, bool first)
{
	buffer_puts(sql, first ? "SELECT " : " UNION ALL SELECT ");
	put_text(sql, stream, first, "stream");
	put_text(sql, entry->rule, first, "rule");
	put_text(sql, entry->schema, first, "table_schema");
	put_text(sql, entry->name, first, "table_name");
	buffer_printf(sql, "%" PRIu32, entry->table_oid);
	put_column(sql, first, "table_oid");
	buffer_puts(sql, entry->tolerant ? ", 1" : ", 0");
	put_column(sql, first, "tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
	{
		buffer_printf(sql, ", %" PRId64, entry->counts[i]);
		put_column(sql, first, ledger_kind_name((LedgerKind) i));
	}
}

static void
ledger_sql(Buffer *sql, const char *stream, const Ledger *ledger)
{
	buffer_puts(sql, "INSERT INTO portage_ledger (stream, rule, table_schema,"
					 " table_name, table_oid, tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(sql, ", %s", ledger_kind_name((LedgerKind) i));
	buffer_puts(sql, ") SELECT new.* FROM (");
	for (int i = 0; i < ledger->count; i++)
		put_entry(sql, stream, &ledger->entries[i], i == 0);
	/* the one unique index that there is is its key */
	buffer_puts(sql, ") AS new ON DUPLICATE KEY UPDATE"
					 " portage_ledger.table_schema = new.table_schema,"
					 " portage_ledger.table_name = new.table_name,"
					 " portage_ledger.tolerant ="
					 " portage_ledger.tolerant | new.tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
	{
		const char *name = ledger_kind_name((LedgerKind) i);

		buffer_printf(sql, ", portage_ledger.%s = portage_ledger.%s + new.%s",
					  name, name, name);
	}
}

bool
ledger_mysql_add(MyConn *conn, const char *stream, const Ledger *ledger,
				 Error *err)
{
	Buffer sql;
	bool ok;

	if (ledger == NULL || ledger->count == 0)
		return true;
	buffer_init(&sql);
	ledger_sql(&sql, stream, ledger);
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	return ok || error_wrap(err, "cannot write the ledger");
}

/* A state may be older than the table: then it has no rows. */
static bool
query_state(MyConn *conn, const char *sql, MyResult *rows, Error *err)
{
	if (my_query(conn, err, sql, rows))
		return true;
	memset(rows, 0, sizeof(*rows));
	if (my_errno(conn) != ER_NO_SUCH_TABLE)
		return false;
	error_clear(err);
	return true;
}

static void
read_entry(const MyResult *row, Arena *arena, LedgerEntry *entry)
{
	entry->rule = arena_strdup(arena, my_value(row, 0));
	entry->table_oid = (uint32_t) my_value_int(row, 1);
	entry->schema = arena_strdup(arena, my_value(row, 2));
	entry->name = arena_strdup(arena, my_value(row, 3));
	entry->tolerant = my_value_int(row, 4) != 0;
	for (int i = 0; i < LEDGER_KINDS; i++)
		entry->counts[i] = my_value_int(row, 5 + i);
}

bool
target_mysql_ledger_list(Target *target, Arena *arena, LedgerEntry **entries,
						 int *count, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	MyResult rows;
	Buffer sql;
	int capacity;
	bool ok;

	*entries = NULL;
	*count = 0;
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT rule, table_oid, table_schema, table_name,"
					  " tolerant");
	for (int i = 0; i < LEDGER_KINDS; i++)
		buffer_printf(&sql, ", %s", ledger_kind_name((LedgerKind) i));
	/* a name of a stream needs no quoting: options.c */
	buffer_printf(&sql,
				  " FROM portage_ledger WHERE stream = '%s'"
				  " ORDER BY rule, table_schema, table_name, table_oid",
				  target->config->stream);
	ok = query_state(conn, sql.data, &rows, err);
	buffer_release(&sql);
	if (!ok || rows.res == NULL)
		return ok;
	capacity = (int) mysql_num_rows(rows.res);
	*entries = ARENA_ARRAY(arena, LedgerEntry, (size_t) capacity);
	for (; *count < capacity && my_next(&rows); (*count)++)
		read_entry(&rows, arena, &(*entries)[*count]);
	my_result_free(&rows);
	return true;
}

/* ---- kept rows */

static Slice
value_slice(const MyResult *row, int column)
{
	return (Slice){ my_value(row, column), row->lengths[column] };
}

/* Where a visit has come to: the last row. */
typedef struct Visit
{
	const char *area; /* as it was asked for */
	KeptVisitor visitor;
	void *arg;
	Arena arena;
	const char *last_area;
	const char *last_hash;
	bool more; /* there may be others behind the last */
} Visit;

static bool
visit_rows(Visit *visit, MyResult *rows, Error *err)
{
	visit->more = false;
	while (rows->res != NULL && my_next(rows))
	{
		KeptRow row = { .area = arena_strdup(&visit->arena, my_value(rows, 0)),
						.key_hash = arena_strdup(&visit->arena,
												 my_value(rows, 1)),
						.key = value_slice(rows, 2),
						.body = value_slice(rows, 3) };

		/* areas are in the order of their bytes */
		if (strncmp(row.area, visit->area, strlen(visit->area)) != 0)
		{
			visit->more = false;
			return true;
		}
		if (!visit->visitor(visit->arg, &row, err))
			return false;
		visit->last_area = row.area;
		visit->last_hash = row.key_hash;
		visit->more = true;
	}
	return true;
}

static void
visit_sql(const Visit *visit, const char *stream, Buffer *sql)
{
	buffer_reset(sql);
	buffer_printf(sql,
				  "SELECT area, key_hash, kept_key, body FROM portage_kept"
				  " WHERE stream = '%s' AND (area > ",
				  stream);
	my_quote_bytes(sql, slice_of(visit->last_area));
	buffer_puts(sql, " OR area = ");
	my_quote_bytes(sql, slice_of(visit->last_area));
	buffer_puts(sql, " AND key_hash > ");
	my_quote_bytes(sql, slice_of(visit->last_hash));
	buffer_printf(sql, ") ORDER BY area, key_hash LIMIT %d", VISIT_ROWS);
}

/* From one row to the next, so that no more than a few are in memory. */
bool
target_mysql_kept_visit(Target *target, const char *area, KeptVisitor visitor,
						void *arg, Error *err)
{
	Visit visit = {
		.area = area, .visitor = visitor, .arg = arg, .more = true
	};
	MyConn *conn = ((TargetMysql *) target)->conn;
	Arena last;
	Buffer sql;
	bool ok = true;

	arena_init(&visit.arena);
	arena_init(&last);
	buffer_init(&sql);
	visit.last_area = area;
	visit.last_hash = "";
	while (ok && visit.more)
	{
		Arena before = visit.arena;
		MyResult rows;

		visit_sql(&visit, target->config->stream, &sql);
		visit.arena = last;
		arena_reset(&visit.arena);
		last = before;
		ok = query_state(conn, sql.data, &rows, err);
		if (!ok)
			break;
		ok = visit_rows(&visit, &rows, err);
		if (rows.res != NULL)
			my_result_free(&rows);
	}
	buffer_release(&sql);
	arena_release(&last);
	arena_release(&visit.arena);
	return ok;
}

static void
put_kept(Buffer *sql, const char *stream, const KeptRow *row, bool first)
{
	const Slice values[KEPT_COLUMNS] = { slice_of(stream), slice_of(row->area),
										 slice_of(row->key_hash), row->key,
										 row->body };

	buffer_puts(sql, first ? "SELECT " : " UNION ALL SELECT ");
	for (int i = 0; i < KEPT_COLUMNS; i++)
	{
		buffer_puts(sql, i == 0 ? "" : ", ");
		my_quote_bytes(sql, values[i]);
		put_column(sql, first, kept_columns[i]);
	}
}

/* From first on; returns the one behind the last. */
static int
put_some(Buffer *sql, const char *stream, const KeptRow *rows, int first,
		 int count)
{
	int next = first;

	buffer_reset(sql);
	buffer_puts(sql, "INSERT INTO portage_kept (stream, area, key_hash,"
					 " kept_key, body) SELECT new.* FROM (");
	for (; next < count && sql->len < PUT_BYTES; next++)
		put_kept(sql, stream, &rows[next], next == first);
	buffer_puts(sql, ") AS new ON DUPLICATE KEY UPDATE"
					 " portage_kept.kept_key = new.kept_key,"
					 " portage_kept.body = new.body");
	return next;
}

bool
kept_mysql_put(MyConn *conn, const char *stream, const KeptRow *rows, int count,
			   Error *err)
{
	Buffer sql;
	bool ok = true;

	buffer_init(&sql);
	for (int next = 0; ok && next < count;)
	{
		next = put_some(&sql, stream, rows, next, count);
		ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	}
	buffer_release(&sql);
	return ok || error_wrap(err, "cannot keep what rules need");
}

static void
remove_sql(Buffer *sql, const char *stream, const KeptPlace *place)
{
	buffer_reset(sql);
	buffer_puts(sql, "DELETE FROM portage_kept WHERE stream = ");
	my_quote_bytes(sql, slice_of(stream));
	buffer_puts(sql, " AND area = ");
	my_quote_bytes(sql, slice_of(place->area));
	if (place->key == NULL)
		return;
	buffer_puts(sql, " AND kept_key = ");
	my_quote_bytes(sql, slice_of(place->key));
}

/* Nothing but the copy has counted so far. */
static void
remove_ledger_sql(Buffer *sql, const char *stream, const Table *table)
{
	buffer_reset(sql);
	buffer_puts(sql, "DELETE FROM portage_ledger WHERE stream = ");
	my_quote_text(sql, slice_of(stream));
	buffer_puts(sql, " AND rule = ");
	my_quote_text(sql, slice_of(table->ledger_rule));
	buffer_printf(sql, " AND table_oid = %" PRIu32, table->ledger_oid);
}

bool
kept_mysql_remove(MyConn *conn, const char *stream, const Table *table,
				  Error *err)
{
	Buffer sql;
	bool ok = true;

	buffer_init(&sql);
	if (table->ledger_rule != NULL)
	{
		remove_ledger_sql(&sql, stream, table);
		ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	}
	for (int i = 0; ok && i < table->kept_count; i++)
	{
		remove_sql(&sql, stream, &table->kept[i]);
		ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	}
	buffer_release(&sql);
	return ok || error_wrap(err, "cannot remove what rules have kept");
}

/* ---- for planner and writers */

void
kept_mysql_map(Arena *arena, TableMap *map)
{
	memset(map, 0, sizeof(*map));
	map->schema = "portage";
	map->name = "kept";
	map->table = "portage_kept";
	map->columns = ARENA_ARRAY(arena, ColumnMap, KEPT_COLUMNS);
	map->column_count = KEPT_COLUMNS;
	for (int i = 0; i < KEPT_COLUMNS; i++)
	{
		ColumnMap *column = &map->columns[i];

		column->num = (uint16_t) (i + 1);
		column->name = column->target = kept_columns[i];
		column->type = i <= KEPT_KEY_HASH ? "varbinary" : "longblob";
		column->convert = CONVERT_BYTES;
		column->not_null = true;
		column->max_chars = column->max_bytes = -1;
	}
}

bool
kept_mysql_look(TargetMysql *self, const Relation *relation,
				const PlanTable **table, Error *err)
{
	TableMap map;
	Arena arena;
	bool there;

	*table = NULL;
	if (self->kept == NULL)
	{
		arena_init(&arena);
		kept_mysql_map(&arena, &map);
		self->kept = my_table_facts_read(self->conn, &map, KEPT_TABLE_ID,
										 relation, &there, err);
		arena_release(&arena);
		if (self->kept == NULL)
			return !error_is_set(err) &&
				   error_set(err, P_PROGRESS, "there is no table portage_kept");
		row_table_as_bytes(&self->kept->row);
	}
	*table = &self->kept->plan;
	return true;
}

void
kept_mysql_forget(TargetMysql *self)
{
	my_table_facts_free(self->kept);
	self->kept = NULL;
}
