/*
 * change_sql.c
 *		See change_sql.h: one row by its own statement.
 */
#include "postgres/change_sql.h"

#include <stdio.h>

#include "base/mem.h"
#include "postgres/key_sql.h"
#include "postgres/pg_conn.h"

bool
change_sql_carries(const Change *change, int i)
{
	const Column *column = &change->relation->columns[i];

	if (change->new_values == NULL || (column->flags & GENERATED_FLAGS) != 0)
		return false;
	return change->new_values[i].state == WIRE_COL_NULL ||
		   change->new_values[i].state == WIRE_COL_PRESENT;
}

/* A key that did not change need not be set: without an old key it did not. */
static bool
is_set(const Change *change, int i)
{
	return change->old_kind != WIRE_OLD_NONE ||
		   (change->relation->columns[i].flags & WIRE_COLUMN_KEY) == 0;
}

static void
add_param(ChangeSql *b, bool old, int column)
{
	const Column *col = &b->relation->columns[column];

	b->params[b->count].old = old;
	b->params[b->count].column = column;
	b->formats[b->count] = col->base_type_oid == BYTEA_OID ? 1 : 0;
	b->count++;
}

void
change_sql_param(ChangeSql *b, bool old, int column)
{
	add_param(b, old, column);
	buffer_printf(&b->sql, "$%d", b->count);
}

/*
 * For comparisons: without the cast the operator would decide the type, and
 * that of regtype is oid's, that of a composite type record's.
 */
static void
put_typed_param(ChangeSql *b, int column)
{
	const Column *col = &b->relation->columns[column];

	change_sql_param(b, true, column);
	buffer_puts(&b->sql, "::");
	pg_quote_table(&b->sql, col->type_schema, col->type_name);
}

void
change_sql_columns(ChangeSql *b, const Change *change)
{
	const char *before = "(";

	for (int i = 0; i < b->relation->column_count; i++)
	{
		if (!change_sql_carries(change, i))
			continue;
		buffer_puts(&b->sql, before);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		before = ", ";
	}
	buffer_putc(&b->sql, ')');
}

void
change_sql_values(ChangeSql *b, const Change *change)
{
	const char *before = "";

	for (int i = 0; i < b->relation->column_count; i++)
	{
		if (!change_sql_carries(change, i))
			continue;
		buffer_puts(&b->sql, before);
		change_sql_param(b, false, i);
		before = ", ";
	}
}

static bool
carries_nothing(const Change *change)
{
	for (int i = 0; i < change->relation->column_count; i++)
	{
		if (change_sql_carries(change, i))
			return false;
	}
	return true;
}

static void
build_insert(ChangeSql *b, const Change *change)
{
	buffer_puts(&b->sql, "INSERT INTO ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	if (carries_nothing(change))
	{
		buffer_puts(&b->sql, " DEFAULT VALUES");
		return;
	}
	buffer_putc(&b->sql, ' ');
	change_sql_columns(b, change);
	buffer_puts(&b->sql, " OVERRIDING SYSTEM VALUE VALUES (");
	change_sql_values(b, change);
	buffer_putc(&b->sql, ')');
}

void
change_sql_equals(ChangeSql *b, bool old, int column)
{
	char param[16];
	Buffer left;

	add_param(b, old, column);
	snprintf(param, sizeof(param), "$%d", b->count);
	buffer_init(&left);
	pg_quote_ident(&left, b->relation->columns[column].name);
	key_sql_equals(&b->sql, b->relation, column, left.data, param);
	buffer_release(&left);
}

static void
build_where_key(ChangeSql *b, bool old)
{
	const char *and = " WHERE ";
	int i;

	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			continue;
		buffer_puts(&b->sql, and);
		change_sql_equals(b, old, i);
		and = " AND ";
	}
}

/*
 * *= compares the binary images of two records (record_image_eq in
 * src/backend/utils/adt/rowtypes.c), so it needs no equality operator of the
 * types and tells 1.0 from 1.00.  Without the casts to record, the parser
 * would take the operator apart into one for each column.  Duplicates are
 * alike: any of them will do.  What is computed from the other columns says
 * nothing more about them, and may be computed otherwise here.
 */
static void
build_where_image(ChangeSql *b)
{
	const char *comma = "";
	int i;

	buffer_puts(&b->sql, " WHERE ctid = (SELECT ctid FROM ONLY ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, " WHERE ROW(");
	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & GENERATED_FLAGS) != 0)
			continue;
		buffer_puts(&b->sql, comma);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		comma = ", ";
	}
	buffer_puts(&b->sql, ")::record OPERATOR(pg_catalog.*=) ROW(");
	comma = "";
	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & GENERATED_FLAGS) != 0)
			continue;
		buffer_puts(&b->sql, comma);
		put_typed_param(b, i);
		comma = ", ";
	}
	buffer_puts(&b->sql, ")::record LIMIT 1)");
}

void
change_sql_where(ChangeSql *b, bool old)
{
	if (b->relation->key_count > 0)
		build_where_key(b, old);
	else
		build_where_image(b);
}

/*
 * Nothing to set, as when all values that could change are large and did not:
 * the row must be there all the same.  A generated column takes only DEFAULT,
 * which computes it again.
 */
void
change_sql_no_change(ChangeSql *b)
{
	const Column *columns = b->relation->columns;
	int i;

	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((columns[i].flags & GENERATED_FLAGS) == 0)
			break;
	}
	pg_quote_ident(&b->sql, columns[i % b->relation->column_count].name);
	buffer_puts(&b->sql, " = ");
	if (i == b->relation->column_count)
		buffer_puts(&b->sql, "DEFAULT");
	else
		pg_quote_ident(&b->sql, columns[i].name);
}

void
change_sql_set(ChangeSql *b, const Change *change, ColumnChoice wanted)
{
	const char *comma = "";

	for (int i = 0; i < b->relation->column_count; i++)
	{
		if (!change_sql_carries(change, i) || !wanted(change, i))
			continue;
		buffer_puts(&b->sql, comma);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		buffer_puts(&b->sql, " = ");
		change_sql_param(b, false, i);
		comma = ", ";
	}
	if (comma[0] == '\0')
		change_sql_no_change(b);
}

static void
build_update(ChangeSql *b, const Change *change)
{
	buffer_puts(&b->sql, "UPDATE ONLY ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, " SET ");
	change_sql_set(b, change, is_set);
	change_sql_where(b, change->old_kind != WIRE_OLD_NONE);
}

/* Rows without a key are told by what they are: none is in another's way. */
static bool
is_plain_insert(const Change *change)
{
	return (change->kind == CHANGE_INSERT &&
			(!change_is_barrier(change) || change->relation->key_count == 0)) ||
		   (change->kind == CHANGE_PUT && change->relation->key_count == 0);
}

void
change_sql(ChangeSql *b, Arena *arena, const Change *change, bool keyed)
{
	/* a put names its columns more than once */
	size_t max_params = (size_t) change->relation->column_count * 3 + 4;

	*b = (ChangeSql){ .relation = change->relation };
	buffer_init(&b->sql);
	b->params = ARENA_ARRAY(arena, ParamRef, max_params);
	b->formats = ARENA_ARRAY(arena, int, max_params);
	if (is_plain_insert(change))
	{
		build_insert(b, change);
		return;
	}
	switch (change->kind)
	{
		case CHANGE_UPDATE:
			build_update(b, change);
			break;
		case CHANGE_DELETE:
			buffer_puts(&b->sql, "DELETE FROM ONLY ");
			pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
			change_sql_where(b, change->old_kind != WIRE_OLD_NONE);
			break;
		case CHANGE_INSERT:
		case CHANGE_PUT:
		case CHANGE_MAYBE_DELETE:
		case CHANGE_MATCH:
			tolerant_sql(b, change, keyed);
			break;
		default:
			BUG("no statement for change kind %d", (int) change->kind);
	}
}
