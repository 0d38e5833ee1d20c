/*
 * shown_table.c
 *		See shown_table.h.
 */
#include "mysql/shown_table.h"

#include <string.h>
#include <strings.h>

static bool
word_in(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static void
read_column(const MyResult *row, Arena *arena, ShownColumn *column)
{
	const char *extra = my_value(row, 6);

	column->name = arena_strdup(arena, my_value(row, 0));
	column->type = arena_strdup(arena, my_value(row, 1));
	column->collation = arena_strdup(arena, my_value(row, 2));
	column->nullable = strcasecmp(my_value(row, 3), "YES") == 0;
	column->default_sql = my_is_null(row, 5)
							  ? NULL
							  : arena_strdup(arena, my_value(row, 5));
	column->auto_increment = word_in(extra, "auto_increment");
	/* MySQL says DEFAULT_GENERATED of a default that is an expression */
	column->generated = word_in(extra, "STORED GENERATED") ||
						word_in(extra, "VIRTUAL GENERATED") ||
						word_in(extra, "PERSISTENT");
	column->extra = word_in(extra, "on update") ? "ON UPDATE" : "";
}

static bool
show_columns(MyConn *conn, Arena *arena, const char *table, ShownTable *shown,
			 Error *err)
{
	MyResult row;

	if (!my_queryf(conn, err, &row, "SHOW FULL COLUMNS FROM %s", table))
		return false;
	shown->columns = ARENA_ARRAY(arena, ShownColumn,
								 (size_t) mysql_num_rows(row.res));
	while (my_next(&row))
		read_column(&row, arena, &shown->columns[shown->column_count++]);
	my_result_free(&row);
	return true;
}

/* One part of an index; they come in order, index by index. */
static void
read_index(const MyResult *row, Arena *arena, ShownTable *shown)
{
	const char *name = my_value(row, 2);
	const char *column = my_is_null(row, 4) ? "(expression)" : my_value(row, 4);
	const char *length = my_value(row, 7);
	const char *part = arena_printf(
		arena, "%s%s%s%s%s", column, length[0] != '\0' ? "(" : "", length,
		length[0] != '\0' ? ")" : "",
		strcmp(my_value(row, 5), "D") == 0 ? " DESC" : "");
	ShownIndex *index;

	if (strcmp(my_value(row, 3), "1") == 0)
		shown->index_count++;
	index = &shown->indexes[shown->index_count - 1];
	index->columns = index->columns == NULL
						 ? part
						 : arena_printf(arena, "%s, %s", index->columns, part);
	index->name = arena_strdup(arena, name);
	index->unique = my_value_int(row, 1) == 0;
}

bool
shown_indexes_read(MyConn *conn, Arena *arena, const char *table,
				   ShownTable *shown, Error *err)
{
	MyResult row;

	if (!my_queryf(conn, err, &row, "SHOW INDEX FROM %s", table))
		return false;
	shown->index_count = 0;
	shown->indexes = ARENA_ARRAY(arena, ShownIndex,
								 (size_t) mysql_num_rows(row.res) + 1);
	while (my_next(&row))
		read_index(&row, arena, shown);
	my_result_free(&row);
	return true;
}

static bool
show_create(MyConn *conn, Arena *arena, const char *table, ShownTable *shown,
			Error *err)
{
	MyResult row;

	if (!my_queryf(conn, err, &row, "SHOW CREATE TABLE %s", table))
		return false;
	shown->create_sql = "";
	if (my_next(&row))
		shown->create_sql = arena_strdup(arena, my_value(&row, 1));
	my_result_free(&row);
	return true;
}

bool
shown_table_read(MyConn *conn, Arena *arena, const char *table,
				 ShownTable *shown, Error *err)
{
	memset(shown, 0, sizeof(*shown));
	return show_columns(conn, arena, table, shown, err) &&
		   shown_indexes_read(conn, arena, table, shown, err) &&
		   show_create(conn, arena, table, shown, err);
}

const ShownColumn *
shown_column(const ShownTable *table, const char *name)
{
	for (int i = 0; i < table->column_count; i++)
	{
		if (strcasecmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	}
	return NULL;
}

const ShownIndex *
shown_index(const ShownTable *table, const char *name)
{
	for (int i = 0; i < table->index_count; i++)
	{
		if (strcasecmp(table->indexes[i].name, name) == 0)
			return &table->indexes[i];
	}
	return NULL;
}

const char *
shown_generated(const ShownTable *table, const char *name, Arena *arena)
{
	Buffer start;
	const char *line;
	const char *sql;

	buffer_init(&start);
	buffer_puts(&start, "\n  ");
	my_quote_ident(&start, name);
	line = strstr(table->create_sql, start.data);
	buffer_release(&start);
	sql = line != NULL ? strstr(line, " GENERATED ALWAYS AS ") : NULL;
	if (sql == NULL)
		return "";
	return arena_strndup(arena, sql, strcspn(sql, "\n"));
}
