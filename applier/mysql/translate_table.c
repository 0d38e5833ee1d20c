/*
 * translate_table.c
 *		CREATE TABLE: columns, primary key, comments.
 *
 * A table has the key that finds its rows from the beginning, since the stream
 * needs it and InnoDB keeps the rows in its order; every other index follows the
 * rows.  Nothing depends on the server's or the database's defaults.
 */
#include "mysql/translate_parts.h"

#define TABLE_COMMENT_CHARS 2048
#define COLUMN_COMMENT_CHARS 1024

/* ---- columns */

/* The table's columns by their names there, each with its natural type. */
void
translate_columns(Translator *self, WorkTable *table)
{
	const SchemaTable *source = table->source;

	name_set_init(&table->column_names, self->arena, NAME_COLUMN, true);
	name_set_init(&table->index_names, self->arena, NAME_INDEX, true);
	table->column_count = source->column_count;
	table->columns = ARENA_ARRAY(self->arena, WorkColumn,
								 (size_t) source->column_count);
	for (int i = 0; i < source->column_count; i++)
	{
		const SchemaColumn *from = &source->columns[i];
		WorkColumn *column = &table->columns[i];

		column->map.num = from->num;
		column->map.name = from->name;
		column->map.target = name_take(&table->column_names, from->name);
		translate_type(self->target, source, from, self->arena, column);
		if (strcmp(column->map.target, from->name) != 0)
			work_column_note(column, self->arena, SEVERITY_WARNING,
							 "it is called %s there: names of columns are the "
							 "same whatever their case, have %d characters at "
							 "most and no spaces at the end",
							 column->map.target, NAME_CHARS_MAX);
	}
	if (table->column_count > COLUMN_COUNT_MAX)
		finding_add(self->decisions, SEVERITY_ERROR, P_DDL, table->object,
					"leave the table out with --exclude-tables",
					"it has %d columns, a table of the target has %d at most",
					table->column_count, COLUMN_COUNT_MAX);
}

/* ---- SQL */

/* So many characters of a comment. */
void
sql_put_comment(Buffer *sql, const char *comment, int chars, Arena *arena)
{
	size_t len = 0;

	if (comment == NULL || comment[0] == '\0')
		return;
	for (int i = 0; i < chars && comment[len] != '\0'; i++)
	{
		len++;
		while (((unsigned char) comment[len] & 0xC0) == 0x80)
			len++;
	}
	buffer_puts(sql, " COMMENT ");
	my_quote_text(sql, slice_of(arena_strndup(arena, comment, len)));
}

char *
work_column_definition(const WorkColumn *column, Arena *arena)
{
	Buffer sql;
	char *definition;

	buffer_init(&sql);
	buffer_printf(&sql, "%s%s", column->map.type, column->charset);
	if (column->generated_sql != NULL)
		buffer_printf(&sql, " GENERATED ALWAYS AS (%s) %s",
					  column->generated_sql,
					  column->stored ? "STORED" : "VIRTUAL");
	else if (column->map.not_null)
		buffer_puts(&sql, " NOT NULL");
	if (column->default_sql != NULL)
		buffer_printf(&sql, " DEFAULT %s", column->default_sql);
	if (column->auto_increment)
		buffer_puts(&sql, " AUTO_INCREMENT");
	sql_put_comment(&sql, column->source->comment, COLUMN_COMMENT_CHARS, arena);
	buffer_puts(&sql, column->check);
	definition = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return definition;
}

static void
put_columns(Buffer *sql, const WorkTable *table, Arena *arena)
{
	const char *separator = "\n\t";

	for (int i = 0; i < table->column_count; i++)
	{
		const WorkColumn *column = &table->columns[i];

		if (column->left_out)
			continue;
		buffer_puts(sql, separator);
		my_quote_ident(sql, column->map.target);
		buffer_printf(sql, " %s", work_column_definition(column, arena));
		separator = ",\n\t";
	}
	for (int i = 0; i < table->helper_count; i++)
	{
		const Helper *helper = &table->helpers[i];

		buffer_puts(sql, separator);
		my_quote_ident(sql, helper->name);
		buffer_printf(sql, " %s GENERATED ALWAYS AS (%s) STORED INVISIBLE",
					  helper->type, helper->sql);
		separator = ",\n\t";
	}
}

static void
put_keys(Buffer *sql, const WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
	{
		const WorkKey *key = &table->keys[i];

		if (key->fate == KEY_PRIMARY)
			buffer_printf(sql, ",\n\tPRIMARY KEY (%s)", key->columns_sql);
		if (key->fate != KEY_IN_TABLE)
			continue;
		buffer_puts(sql, ",\n\tUNIQUE KEY ");
		my_quote_ident(sql, key->name);
		buffer_printf(sql, " (%s)", key->columns_sql);
	}
}

/* True on the server if there is such a table. */
static char *
table_probe(const WorkTable *table, Arena *arena)
{
	Buffer sql;
	char *probe;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT count(*) FROM information_schema.TABLES"
					  " WHERE TABLE_SCHEMA = ");
	sql_put_schema(&sql, table);
	buffer_puts(&sql, " AND TABLE_NAME = ");
	my_quote_text(&sql, slice_of(table->name));
	probe = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return probe;
}

void
translate_create(Translator *self, WorkTable *table)
{
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql, "CREATE TABLE %s (", table->quoted);
	put_columns(&sql, table, self->arena);
	put_keys(&sql, table);
	buffer_printf(&sql,
				  "\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC"
				  " CHARACTER SET utf8mb4 COLLATE %s",
				  self->target->collation);
	sql_put_comment(&sql, table->source->comment, TABLE_COMMENT_CHARS,
					self->arena);
	translator_entry(self, DDL_PRE_DATA, "TABLE", table, table->source->name,
					 sql.data, table_probe(table, self->arena));
	buffer_release(&sql);
}
