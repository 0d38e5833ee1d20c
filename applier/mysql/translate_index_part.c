/*
 * translate_index_part.c
 *		One part of an index: a column, or a generated one that stands for it.
 */
#include "mysql/translate_index.h"

#define PARTS_MAX_MYSQL 16
#define PARTS_MAX_MARIADB 32

bool
index_give_up(IndexBuilder *builder, const char *why)
{
	if (builder->why == NULL)
		builder->why = why;
	return false;
}

int
index_parts_max(const IndexBuilder *builder)
{
	return builder->self->target->mariadb ? PARTS_MAX_MARIADB : PARTS_MAX_MYSQL;
}

const WorkColumn *
index_part_column(const IndexBuilder *builder, const SchemaIndexPart *part)
{
	return part->column == NULL
			   ? NULL
			   : work_table_column(builder->table, part->column);
}

ExprScope
index_scope(const IndexBuilder *builder)
{
	ExprScope scope = { .table = builder->table,
						.utf8 = translator_is_utf8(builder->self),
						.md5 = builder->self->target->mariadb,
						.arena = builder->self->arena };

	return scope;
}

/* ---- generated columns */

const char *
index_add_helper(IndexBuilder *builder, const char *type, const char *sql)
{
	WorkTable *table = builder->table;
	Arena *arena = builder->self->arena;
	Helper *helpers = ARENA_ARRAY(arena, Helper,
								  (size_t) table->helper_count + 1);
	Helper *helper = &helpers[table->helper_count];

	if (table->helper_count > 0)
		memcpy(helpers, table->helpers,
			   (size_t) table->helper_count * sizeof(Helper));
	helper->name = name_take(
		&table->column_names,
		arena_printf(arena, "%s_key", builder->key->source->name));
	helper->type = type;
	helper->sql = sql;
	table->helpers = helpers;
	table->helper_count++;
	return helper->name;
}

const char *
index_where(const IndexBuilder *builder, const char *sql)
{
	if (builder->key->source->predicate == NULL)
		return sql;
	return arena_printf(builder->self->arena, "CASE WHEN %s THEN %s END",
						builder->predicate.sql, sql);
}

const char *
index_hash(const IndexBuilder *builder, const char *sql)
{
	return arena_printf(builder->self->arena, "UNHEX(SHA2(%s, 256))", sql);
}

/* ---- parts */

void
index_put_part(IndexBuilder *builder, const char *name, bool descending)
{
	if (builder->sql.len > 0)
		buffer_puts(&builder->sql, ", ");
	my_quote_ident(&builder->sql, name);
	if (descending)
		buffer_puts(&builder->sql, " DESC");
}

bool
index_take_bytes(IndexBuilder *builder, int64_t bytes)
{
	builder->budget -= bytes;
	return builder->budget >= 0 ||
		   index_give_up(builder, "it is too long for an index of the target");
}

bool
index_column_sql(IndexBuilder *builder, const WorkColumn *column, ExprSql *expr)
{
	memset(expr, 0, sizeof(*expr));
	expr->sql = column_expr(column, builder->self->arena);
	expr->family = column->family;
	expr->uses[expr->use_count++] = column;
	return !column->left_out ||
		   index_give_up(builder, "one of its columns is not on the target");
}

bool
index_part_sql(IndexBuilder *builder, const SchemaIndexPart *part,
			   ExprSql *expr)
{
	ExprScope scope = index_scope(builder);
	const WorkColumn *column;

	if (part->column == NULL)
		return expr_translate(&scope, part->sql, expr) ||
			   index_give_up(builder, expr->why);
	column = work_table_column(builder->table, part->column);
	return column == NULL ? index_give_up(builder, "it has an unknown column")
						  : index_column_sql(builder, column, expr);
}

const char *
index_helper_type(const IndexBuilder *builder, const SchemaIndexPart *part,
				  const ExprSql *expr, int64_t *bytes)
{
	Arena *arena = builder->self->arena;
	const WorkColumn *column = index_part_column(builder, part);

	*bytes = 0;
	if (column != NULL)
	{
		*bytes = work_column_key_bytes(column);
		return *bytes < 0 ? NULL
						  : arena_printf(arena, "%s%s", column->map.type,
										 column->charset);
	}
	switch (expr->family)
	{
		case FAMILY_INTEGER:
		case FAMILY_BOOLEAN:
			*bytes = 8;
			return "bigint";
		case FAMILY_DECIMAL:
			*bytes = 30;
			return arena_printf(arena, "decimal(%d,%d)", expr->precision,
								expr->scale);
		case FAMILY_TEXT:
			*bytes = expr->length * CHAR_BYTES;
			return expr->length < 0 || *bytes > KEY_BYTES_MAX
					   ? NULL
					   : arena_printf(
							 arena, "varchar(%d)",
							 (int) (expr->length > 0 ? expr->length : 1));
		case FAMILY_DATE:
			*bytes = 3;
			return "date";
		default:
			return NULL;
	}
}

bool
index_can_generate(IndexBuilder *builder, const ExprSql *expr)
{
	return (!expr_uses_auto_increment(expr) &&
			!expr_uses_auto_increment(&builder->predicate)) ||
		   index_give_up(builder,
						 "a generated column cannot speak of one that is "
						 "AUTO_INCREMENT");
}

bool
index_put_generated(IndexBuilder *builder, const SchemaIndexPart *part,
					const ExprSql *expr)
{
	int64_t bytes;
	const char *type = index_helper_type(builder, part, expr, &bytes);
	const char *sql = expr->sql;

	if (!index_can_generate(builder, expr))
		return false;
	if (type == NULL && expr->family == FAMILY_PADDED)
		return index_give_up(builder, "spaces at the end would count in it");
	if (type == NULL || bytes > builder->budget)
	{
		type = HASH_TYPE;
		sql = index_hash(builder, sql);
		bytes = 32;
	}
	if (!index_take_bytes(builder, bytes))
		return false;
	index_put_part(builder,
				   index_add_helper(builder, type, index_where(builder, sql)),
				   part->descending);
	return true;
}
