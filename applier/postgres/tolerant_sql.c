/*
 * tolerant_sql.c
 *		Statements for rows that may be there or not, and for others than the
 *		key's.
 *
 * Where the key has its index, INSERT ... ON CONFLICT sees rows that others
 * commit meanwhile: two sources may write one table.  Where it is not known to
 * have one, an UPDATE and an INSERT in one statement do the same but for that;
 * then the server refuses a second row, and the row is written again.
 *
 * What the answer says is in pipeline_pg.c: a put affects one row; the rows of
 * an INSERT with a conflict rule say whether they were there.
 */
#include "postgres/change_sql.h"

#include <string.h>

#include "base/mem.h"
#include "postgres/key_sql.h"
#include "postgres/pg_conn.h"

static void
put_table(ChangeSql *b, const char *before, const char *behind)
{
	buffer_puts(&b->sql, before);
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, behind);
}

static bool
is_beside_key(const Change *change, int column)
{
	return (change->relation->columns[column].flags & WIRE_COLUMN_KEY) == 0;
}

static bool
is_conflict(const Change *change, ConflictRule rule)
{
	return change->kind == CHANGE_INSERT && change->manner->conflict == rule;
}

/* What the row brings, as the type that it is compared as. */
static void
put_incoming(ChangeSql *b, int column, bool excluded)
{
	const Column *col = &b->relation->columns[column];

	if (excluded)
	{
		buffer_puts(&b->sql, "excluded.");
		pg_quote_ident(&b->sql, col->name);
	}
	else
		change_sql_param(b, false, column);
	buffer_puts(&b->sql, "::");
	key_sql_type(&b->sql, col);
}

/* A row that has no value yet is older than any that has one. */
static void
put_newer(ChangeSql *b, const char *before, int column, bool excluded)
{
	const Column *col = &b->relation->columns[column];

	buffer_printf(&b->sql, "%s(t.", before);
	pg_quote_ident(&b->sql, col->name);
	buffer_puts(&b->sql, " IS NULL AND ");
	put_incoming(b, column, excluded);
	buffer_puts(&b->sql, " IS NOT NULL OR ");
	put_incoming(b, column, excluded);
	key_sql_operator(&b->sql, col, ">");
	buffer_puts(&b->sql, "t.");
	pg_quote_ident(&b->sql, col->name);
	buffer_puts(&b->sql, "::");
	key_sql_type(&b->sql, col);
	buffer_putc(&b->sql, ')');
}

static void
list_columns(const Change *change, uint8_t *columns)
{
	memset(columns, 0, ((size_t) change->relation->column_count + 7) / 8);
	for (int i = 0; i < change->relation->column_count; i++)
	{
		if (change_sql_carries(change, i))
			columns[i / 8] |= (uint8_t) (1 << (i % 8));
	}
}

/* The key has its index. */
static void
build_on_conflict(ChangeSql *b, const Change *change)
{
	uint8_t columns[(WIRE_MAX_COLUMNS + 7) / 8];

	put_table(b, "INSERT INTO ", " AS t ");
	change_sql_columns(b, change);
	buffer_puts(&b->sql, " OVERRIDING SYSTEM VALUE VALUES (");
	change_sql_values(b, change);
	buffer_putc(&b->sql, ')');
	if (is_conflict(change, CONFLICT_KEEP))
	{
		key_sql_conflict(&b->sql, b->relation, NULL);
		return;
	}
	list_columns(change, columns);
	key_sql_conflict(&b->sql, b->relation, columns);
	if (is_conflict(change, CONFLICT_IF_GREATER) && change->manner->latest >= 0)
		put_newer(b, " WHERE ", change->manner->latest, true);
	/* a row that was there has been locked by this statement, a new one not */
	if (change->kind == CHANGE_INSERT)
		buffer_puts(&b->sql, " RETURNING t.xmax <> 0");
}

static void
build_insert_missing(ChangeSql *b, const Change *change)
{
	put_table(b, "INSERT INTO ", " ");
	change_sql_columns(b, change);
	buffer_puts(&b->sql, " OVERRIDING SYSTEM VALUE SELECT ");
	change_sql_values(b, change);
	put_table(b, " WHERE NOT EXISTS (SELECT FROM ONLY ", "");
	change_sql_where(b, false);
	buffer_putc(&b->sql, ')');
}

/* It may have none: both parts see the table as it was before them. */
static void
build_two_parts(ChangeSql *b, const Change *change)
{
	if (is_conflict(change, CONFLICT_KEEP))
	{
		build_insert_missing(b, change);
		return;
	}
	put_table(b, "WITH u AS (UPDATE ONLY ", " AS t SET ");
	change_sql_set(b, change, is_beside_key);
	change_sql_where(b, false);
	if (is_conflict(change, CONFLICT_IF_GREATER) && change->manner->latest >= 0)
		put_newer(b, " AND ", change->manner->latest, false);
	buffer_puts(&b->sql, " RETURNING 1), i AS (");
	build_insert_missing(b, change);
	buffer_puts(&b->sql, " RETURNING 1) SELECT true FROM u UNION ALL SELECT"
						 " false FROM i");
}

/* A column that finds the rows changes only if the old values found them. */
static bool
is_matched_to(const Change *change, int column)
{
	if (change->old_values != NULL)
		return true;
	for (int i = 0; i < change->manner->match_count; i++)
	{
		if (change->manner->match[i] == column)
			return false;
	}
	return true;
}

static void
build_match(ChangeSql *b, const Change *change)
{
	bool old = change->old_values != NULL;

	put_table(b, "UPDATE ONLY ", " SET ");
	change_sql_set(b, change, is_matched_to);
	for (int i = 0; i < change->manner->match_count; i++)
	{
		buffer_puts(&b->sql, i == 0 ? " WHERE " : " AND ");
		change_sql_equals(b, old, change->manner->match[i]);
	}
}

void
tolerant_sql(ChangeSql *b, const Change *change, bool keyed)
{
	switch (change->kind)
	{
		case CHANGE_MAYBE_DELETE:
			put_table(b, "DELETE FROM ONLY ", "");
			change_sql_where(b, true);
			break;
		case CHANGE_MATCH:
			build_match(b, change);
			break;
		default:
			BUG_UNLESS(b->relation->key_count > 0);
			if (keyed)
				build_on_conflict(b, change);
			else
				build_two_parts(b, change);
			break;
	}
}
