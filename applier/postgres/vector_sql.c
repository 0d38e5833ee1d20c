/*
 * vector_sql.c
 *		See vector_sql.h.
 *
 * The target's table is t, the rows to be written are v, whose columns are k0,
 * k1, ... for the key and c0, c1, ... for what is set, by their place in the
 * relation.
 */
#include "postgres/vector_sql.h"

#include <stdio.h>

#include "postgres/key_sql.h"

static bool
is_key(const Relation *relation, int i)
{
	return (relation->columns[i].flags & WIRE_COLUMN_KEY) != 0;
}

static void
put_table(Buffer *sql, const Relation *relation)
{
	pg_quote_table(sql, relation->schema, relation->name);
}

static void
put_type(Buffer *sql, const Column *column, bool key)
{
	if (key)
		key_sql_type(sql, column);
	else
		pg_quote_table(sql, column->type_schema, column->type_name);
}

/*
 * The next parameter.  Arrays of anything but text have that type's own input
 * function read each element, as it reads a single parameter.
 */
static void
put_array(Buffer *sql, const TableFacts *facts, int i, bool key, int *number)
{
	buffer_printf(sql, "%s$%d::", *number > 0 ? ", " : "", *number + 1);
	if (plan_column_in(facts->as_text, i))
		buffer_puts(sql, "\"pg_catalog\".\"text\"");
	else
		put_type(sql, &facts->plan.relation->columns[i], key);
	buffer_puts(sql, "[]");
	(*number)++;
}

/* unnest(...) AS v (...), of the key's columns and those that are set */
static void
put_rows(Buffer *sql, const TableFacts *facts, bool with_key,
		 const uint8_t *columns)
{
	const Relation *relation = facts->plan.relation;
	Buffer names;
	int number = 0;

	buffer_init(&names);
	buffer_puts(sql, "unnest(");
	for (int pass = with_key ? 0 : 1; pass < 2; pass++)
	{
		bool key = pass == 0;

		for (int i = 0; i < relation->column_count; i++)
		{
			if (key ? !is_key(relation, i) : !plan_column_in(columns, i))
				continue;
			buffer_printf(&names, "%s%c%d", number > 0 ? ", " : "",
						  key ? 'k' : 'c', i);
			put_array(sql, facts, i, key, &number);
		}
	}
	buffer_printf(sql, ") AS v (%s)", names.data);
	buffer_release(&names);
}

/* The value of a column that is set: arrays of text have to be read first. */
static void
put_value(Buffer *sql, const TableFacts *facts, int i)
{
	buffer_printf(sql, "v.c%d", i);
	if (!plan_column_in(facts->as_text, i))
		return;
	buffer_puts(sql, "::");
	put_type(sql, &facts->plan.relation->columns[i], false);
}

static void
put_where(Buffer *sql, const Relation *relation)
{
	const char *and = " WHERE ";
	Buffer left;
	char right[16];

	buffer_init(&left);
	for (int i = 0; i < relation->column_count; i++)
	{
		if (!is_key(relation, i))
			continue;
		buffer_reset(&left);
		buffer_puts(&left, "t.");
		pg_quote_ident(&left, relation->columns[i].name);
		snprintf(right, sizeof(right), "v.k%d", i);
		buffer_puts(sql, and);
		key_sql_equals(sql, relation, i, left.data, right);
		and = " AND ";
	}
	buffer_release(&left);
}

/* Nothing to set: the rows have to be there all the same. */
static void
put_no_change(Buffer *sql, const Relation *relation)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		if (!is_key(relation, i))
			continue;
		pg_quote_ident(sql, relation->columns[i].name);
		buffer_puts(sql, " = t.");
		pg_quote_ident(sql, relation->columns[i].name);
		return;
	}
}

void
vector_sql_update(Buffer *sql, const TableFacts *facts, const uint8_t *columns)
{
	const Relation *relation = facts->plan.relation;
	const char *comma = "";

	buffer_puts(sql, "UPDATE ONLY ");
	put_table(sql, relation);
	buffer_puts(sql, " AS t SET ");
	for (int i = 0; i < relation->column_count; i++)
	{
		if (!plan_column_in(columns, i))
			continue;
		buffer_puts(sql, comma);
		pg_quote_ident(sql, relation->columns[i].name);
		buffer_puts(sql, " = ");
		put_value(sql, facts, i);
		comma = ", ";
	}
	if (comma[0] == '\0')
		put_no_change(sql, relation);
	buffer_puts(sql, " FROM ");
	put_rows(sql, facts, true, columns);
	put_where(sql, relation);
}

void
vector_sql_delete(Buffer *sql, const TableFacts *facts)
{
	static const uint8_t none[(WIRE_MAX_COLUMNS + 7) / 8];
	const Relation *relation = facts->plan.relation;

	buffer_puts(sql, "DELETE FROM ONLY ");
	put_table(sql, relation);
	buffer_puts(sql, " AS t USING ");
	put_rows(sql, facts, true, none);
	put_where(sql, relation);
}

static void
put_columns(Buffer *sql, const Relation *relation, const char *alias,
			const uint8_t *columns)
{
	const char *before = " (";

	put_table(sql, relation);
	buffer_puts(sql, alias);
	for (int i = 0; i < relation->column_count; i++)
	{
		if (!plan_column_in(columns, i))
			continue;
		buffer_puts(sql, before);
		pg_quote_ident(sql, relation->columns[i].name);
		before = ", ";
	}
	buffer_putc(sql, ')');
}

/* alias: "" or " AS t" */
static void
put_insert(Buffer *sql, const TableFacts *facts, const char *alias,
		   const uint8_t *columns)
{
	const Relation *relation = facts->plan.relation;
	const char *comma = "";

	buffer_puts(sql, "INSERT INTO ");
	put_columns(sql, relation, alias, columns);
	buffer_puts(sql, " OVERRIDING SYSTEM VALUE SELECT ");
	for (int i = 0; i < relation->column_count; i++)
	{
		if (!plan_column_in(columns, i))
			continue;
		buffer_puts(sql, comma);
		put_value(sql, facts, i);
		comma = ", ";
	}
	buffer_puts(sql, " FROM ");
	put_rows(sql, facts, false, columns);
}

void
vector_sql_insert(Buffer *sql, const TableFacts *facts, const uint8_t *columns)
{
	put_insert(sql, facts, "", columns);
}

void
vector_sql_put(Buffer *sql, const TableFacts *facts, const uint8_t *columns)
{
	put_insert(sql, facts, " AS t", columns);
	key_sql_conflict(sql, facts->plan.relation, columns);
}

void
vector_sql_copy(Buffer *sql, const TableFacts *facts, const uint8_t *columns,
				bool binary)
{
	buffer_puts(sql, "COPY ");
	put_columns(sql, facts->plan.relation, "", columns);
	buffer_puts(sql, binary ? " FROM STDIN (FORMAT binary)" : " FROM STDIN");
}
