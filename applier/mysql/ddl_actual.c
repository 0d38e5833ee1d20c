/*
 * ddl_actual.c
 *		What the target's catalog says of a table, and questions that tell whether
 *		a statement was carried out.
 *
 * A statement that commits by itself may have been through when the applier was
 * killed.  Its probe looks for what it adds and takes away, by name.
 */
#include <string.h>
#include <strings.h>

#include "mysql/ddl_plan.h"

void
actual_put_place(Buffer *sql, const TableMap *map, const char *schema)
{
	buffer_printf(sql, "%s = ", schema);
	if (map->database == NULL)
		buffer_puts(sql, "DATABASE()");
	else
		my_quote_text(sql, slice_of(map->database));
	/* "referenced_table_schema" has a "referenced_table_name" beside it */
	buffer_printf(sql, " AND %stable_name = ",
				  strncmp(schema, "referenced_", 11) == 0 ? "referenced_" : "");
	my_quote_text(sql, slice_of(map->table));
}

/* ---- probes */

static void
put_and(Buffer *sql)
{
	if (sql->len > 0)
		buffer_puts(sql, " AND ");
}

static void
put_exists(Buffer *sql, const char *view, const TableMap *map, bool there)
{
	put_and(sql);
	buffer_printf(sql, "%sEXISTS (SELECT 1 FROM information_schema.%s WHERE ",
				  there ? "" : "NOT ", view);
	actual_put_place(sql, map, "table_schema");
}

void
probe_table(Buffer *sql, const TableMap *map, bool there)
{
	put_exists(sql, "tables", map, there);
	buffer_putc(sql, ')');
}

void
probe_column(Buffer *sql, const TableMap *map, const char *column, bool there)
{
	put_exists(sql, "columns", map, there);
	buffer_puts(sql, " AND column_name = ");
	my_quote_text(sql, slice_of(column));
	buffer_putc(sql, ')');
}

void
probe_index(Buffer *sql, const TableMap *map, const char *index, bool there)
{
	put_exists(sql, "statistics", map, there);
	buffer_puts(sql, " AND index_name = ");
	my_quote_text(sql, slice_of(index));
	buffer_putc(sql, ')');
}

void
probe_rule(Buffer *sql, const TableMap *map, const char *rule, bool there)
{
	put_exists(sql, "table_constraints", map, there);
	buffer_puts(sql, " AND constraint_name = ");
	my_quote_text(sql, slice_of(rule));
	buffer_putc(sql, ')');
}

const char *
ddl_probe(const DdlPlanning *work, const Buffer *before, const Buffer *after)
{
	if (before->len == 0 || after->len == 0)
		return "";
	return arena_printf(work->arena,
						"SELECT CASE WHEN %s THEN 0 WHEN %s THEN 1 ELSE 2 END",
						before->data, after->data);
}

/* ---- the catalog */

void
actual_put_expression(Buffer *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p != '\\' || p[1] != '\'')
			buffer_putc(out, *p);
	}
}

/* MariaDB shows a default as SQL, MySQL as its value or as an expression. */
static void
put_default(const DdlPlanning *work, const MyResult *row, Buffer *out)
{
	const char *text = my_value(row, 3);

	/* NULL where there is none, which may be NOT NULL by now */
	if (my_is_null(row, 3) ||
		(work->target.mariadb && strcasecmp(text, "NULL") == 0))
		return;
	buffer_puts(out, " DEFAULT ");
	if (work->target.mariadb || strncasecmp(my_value(row, 1), "bit", 3) == 0)
		buffer_puts(out, text);
	else if (strstr(my_value(row, 4), "DEFAULT_GENERATED") != NULL)
	{
		buffer_putc(out, '(');
		actual_put_expression(out, text);
		buffer_putc(out, ')');
	}
	else
		my_quote_text(out, slice_of(text));
}

static const char *
column_tail(const DdlPlanning *work, const MyResult *row)
{
	const char *tail;
	Buffer out;

	buffer_init(&out);
	put_default(work, row, &out);
	if (strstr(my_value(row, 4), "auto_increment") != NULL)
		buffer_puts(&out, " AUTO_INCREMENT");
	if (my_value(row, 5)[0] != '\0')
	{
		buffer_puts(&out, " COMMENT ");
		my_quote_text(&out, slice_of(my_value(row, 5)));
	}
	tail = arena_strdup(work->arena, out.data);
	buffer_release(&out);
	return tail;
}

bool
actual_query(const DdlPlanning *work, const TableMap *map, const char *select,
			 const char *schema, const char *order, MyResult *result)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, select);
	actual_put_place(&sql, map, schema);
	buffer_printf(&sql, " ORDER BY %s", order);
	ok = my_query(work->self->conn, work->err, sql.data, result);
	buffer_release(&sql);
	return ok;
}

static bool
read_columns(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	Arena *arena = work->arena;
	MyResult result;

	if (!actual_query(work, map,
					  "SELECT column_name, column_type, is_nullable,"
					  " column_default, extra, column_comment,"
					  " generation_expression FROM information_schema.columns"
					  " WHERE ",
					  "table_schema", "ordinal_position", &result))
		return false;
	while (my_next(&result))
	{
		ActualColumn *column;

		actual->columns = arena_room(arena, actual->columns,
									 actual->column_count, sizeof(*column));
		column = &actual->columns[actual->column_count++];
		column->name = arena_strdup(arena, my_value(&result, 0));
		column->type = arena_strdup(arena, my_value(&result, 1));
		column->nullable = strcasecmp(my_value(&result, 2), "YES") == 0;
		column->tail = column_tail(work, &result);
		column->expression = arena_strdup(arena, my_value(&result, 6));
	}
	my_result_free(&result);
	actual->there = actual->column_count > 0;
	return true;
}

static ActualIndex *
index_named(const DdlPlanning *work, ActualTable *actual, const char *name)
{
	ActualIndex *index;

	if (actual->index_count > 0 &&
		strcmp(actual->indexes[actual->index_count - 1].name, name) == 0)
		return &actual->indexes[actual->index_count - 1];
	actual->indexes = arena_room(work->arena, actual->indexes,
								 actual->index_count, sizeof(*index));
	index = &actual->indexes[actual->index_count++];
	index->name = arena_strdup(work->arena, name);
	return index;
}

static bool
read_indexes(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	MyResult result;

	if (!actual_query(work, map,
					  "SELECT index_name, column_name"
					  " FROM information_schema.statistics WHERE ",
					  "table_schema", "index_name, seq_in_index", &result))
		return false;
	while (my_next(&result))
	{
		ActualIndex *index = index_named(work, actual, my_value(&result, 0));

		index->columns = arena_room(work->arena, index->columns,
									index->column_count,
									sizeof(*index->columns));
		index->columns[index->column_count++] = arena_strdup(
			work->arena, my_value(&result, 1));
	}
	my_result_free(&result);
	return true;
}

bool
actual_read(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	memset(actual, 0, sizeof(*actual));
	return read_columns(work, map, actual) && read_indexes(work, map, actual) &&
		   rules_read(work, map, actual);
}

const ActualColumn *
actual_column(const ActualTable *actual, const char *name)
{
	for (int i = 0; i < actual->column_count; i++)
	{
		if (strcasecmp(actual->columns[i].name, name) == 0)
			return &actual->columns[i];
	}
	return NULL;
}

const ActualIndex *
actual_index(const ActualTable *actual, const char *name)
{
	for (int i = 0; i < actual->index_count; i++)
	{
		if (strcasecmp(actual->indexes[i].name, name) == 0)
			return &actual->indexes[i];
	}
	return NULL;
}

bool
actual_prove(const DdlPlanning *work, const WorldTable *table)
{
	ActualTable actual;

	if (!actual_read(work, &table->map, &actual))
		return false;
	if (!actual.there)
		return planning_refuse(work, "table %s is not on the target",
							   table->map.table);
	for (int i = 0; i < table->map.column_count; i++)
	{
		const ColumnMap *column = &table->map.columns[i];

		if (actual_column(&actual, column->target) == NULL)
			return planning_refuse(work,
								   "column \"%s\" of table %s is not on the "
								   "target",
								   column->target, table->map.table);
	}
	return true;
}
