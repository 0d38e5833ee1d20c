/*
 * translate_index.c
 *		What becomes of each index: of the table's creation, a unique key behind
 *		the rows, a plain index, or nothing.
 */
#include "mysql/translate_parts.h"

/* "`a`, `b`": the columns as they are. */
static char *
plain_columns(WorkTable *table, const SchemaIndex *index, Arena *arena)
{
	Buffer sql;
	char *columns = NULL;

	buffer_init(&sql);
	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const WorkColumn *column = part->column == NULL
									   ? NULL
									   : work_table_column(table, part->column);

		if (column == NULL || column->left_out)
			break;
		if (i > 0)
			buffer_puts(&sql, ", ");
		sql_put_name(&sql, column->map.target);
		if (part->descending)
			buffer_puts(&sql, " DESC");
		if (i == index->part_count - 1)
			columns = arena_strndup(arena, sql.data, sql.len);
	}
	buffer_release(&sql);
	return columns;
}

void
translate_keys(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
	{
		const SchemaIndex *index = &table->source->indexes[i];
		WorkKey *key = &table->keys[i];

		key->source = index;
		if (!key_carried(index) || key->hashed)
			continue;
		key->columns_sql = plain_columns(table, index, self->arena);
		if (key->columns_sql == NULL)
			continue;
		if (index->kind == SCHEMA_PRIMARY)
		{
			key->fate = KEY_PRIMARY;
			key->exact = true;
		}
	}
}
