/*
 * translate_index_plain.c
 *		The columns of an index that only has to be fast: prefixes do.
 */
#include "mysql/translate_index.h"

#define PREFIX_CHARS 255

/* Bytes that each part may have: those with a limit of their own take less. */
static bool
put_plain_column(IndexBuilder *builder, const SchemaIndexPart *part,
				 const WorkColumn *column)
{
	int unit = strstr(column->charset, " ascii ") != NULL ||
					   column->map.convert == CONVERT_BYTES
				   ? 1
				   : CHAR_BYTES;
	int64_t bytes = work_column_key_bytes(column);
	int64_t prefix = builder->budget / unit;

	if (column->left_out)
		return index_give_up(builder,
							 "one of its columns is not on the target");
	if (strcmp(column->map.type, "json") == 0)
		return index_give_up(builder, "the target has no index of JSON");
	if (bytes >= 0 && bytes <= builder->budget)
	{
		index_put_part(builder, column->map.target, part->descending);
		return index_take_bytes(builder, bytes);
	}
	if (column->char_bytes == 0 && !column->blob)
		return index_give_up(builder,
							 "it is too long for an index of the target");
	if (prefix > PREFIX_CHARS)
		prefix = PREFIX_CHARS;
	if (prefix < 1)
		return index_give_up(builder,
							 "it is too long for an index of the target");
	index_put_part(builder, column->map.target, false);
	buffer_printf(&builder->sql, "(%d)%s", (int) prefix,
				  part->descending ? " DESC" : "");
	return index_take_bytes(builder, prefix * unit);
}

/* MariaDB has indexes of columns only, MySQL of expressions without blobs. */
static bool
put_plain_expression(IndexBuilder *builder, const SchemaIndexPart *part)
{
	ExprSql expr;
	int64_t bytes;

	if (!index_part_sql(builder, part, &expr))
		return false;
	if (index_helper_type(builder, part, &expr, &bytes) == NULL)
		return index_give_up(builder,
							 "the target has no index of an expression "
							 "without a limit");
	if (builder->self->target->mariadb)
		return index_put_generated(builder, part, &expr);
	if (expr_uses_auto_increment(&expr))
		return index_give_up(builder,
							 "it speaks of a column that is AUTO_INCREMENT");
	if (builder->sql.len > 0)
		buffer_puts(&builder->sql, ", ");
	buffer_printf(&builder->sql, "(%s)%s", expr.sql,
				  part->descending ? " DESC" : "");
	return index_take_bytes(builder, bytes);
}

bool
index_build_plain(IndexBuilder *builder)
{
	const SchemaIndex *index = builder->key->source;

	if (index->part_count > index_parts_max(builder))
		return index_give_up(builder, "it has too many columns");
	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const WorkColumn *column = index_part_column(builder, part);

		if (column == NULL ? !put_plain_expression(builder, part)
						   : !put_plain_column(builder, part, column))
			return false;
	}
	return true;
}
