/*
 * translate_index_unique.c
 *		The columns of a unique key; see translate_index.h.
 */
#include "mysql/translate_index.h"

/* A column whose values no part of has to be left out. */
static bool
put_column(IndexBuilder *builder, const SchemaIndexPart *part,
		   const WorkColumn *column, int number)
{
	ExprSql expr;
	int64_t bytes = work_column_key_bytes(column);

	if (!index_column_sql(builder, column, &expr))
		return false;
	if (bytes < 0 || bytes > builder->budget)
		return index_put_generated(builder, part, &expr);
	builder->key->columns[number] = column;
	index_put_part(builder, column->map.target, part->descending);
	return index_take_bytes(builder, bytes);
}

/*
 * The first part alone says whether the predicate holds: where it is NULL the
 * others do not matter.
 */
static bool
put_unique_parts(IndexBuilder *builder)
{
	const SchemaIndex *index = builder->key->source;
	bool partial = index->predicate != NULL;

	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const WorkColumn *column = index_part_column(builder, part);
		ExprSql expr;

		if (column != NULL && !(partial && i == 0))
		{
			if (!put_column(builder, part, column, i))
				return false;
		}
		else if (!index_part_sql(builder, part, &expr) ||
				 !index_put_generated(builder, part, &expr))
			return false;
	}
	return true;
}

/*
 * NULLS NOT DISTINCT: one hash over all parts, in which NULL is a value and none
 * can run into the next.
 */
static bool
put_nulls_hash(IndexBuilder *builder)
{
	const SchemaIndex *index = builder->key->source;
	Arena *arena = builder->self->arena;
	const char *parts = "";
	const char *hash;

	for (int i = 0; i < index->part_count; i++)
	{
		ExprSql expr;

		if (!index_part_sql(builder, &index->parts[i], &expr) ||
			!index_can_generate(builder, &expr))
			return false;
		if (expr.family == FAMILY_PADDED)
			return index_give_up(builder,
								 "spaces at the end would count in it");
		parts = arena_printf(arena, "%s%sIFNULL(HEX(CAST(%s AS BINARY)), '-')",
							 parts, i > 0 ? ", " : "", expr.sql);
	}
	hash = index_hash(builder,
					  arena_printf(arena, "CONCAT_WS(',', %s)", parts));
	index_put_part(
		builder,
		index_add_helper(builder, HASH_TYPE, index_where(builder, hash)),
		false);
	return true;
}

/* Of columns that may be NULL; others are distinct anyway. */
static bool
nulls_matter(const IndexBuilder *builder)
{
	const SchemaIndex *index = builder->key->source;

	for (int i = 0; index->nulls_not_distinct && i < index->part_count; i++)
	{
		const WorkColumn *column = index_part_column(builder, &index->parts[i]);

		if (column == NULL || !column->source->not_null)
			return true;
	}
	return false;
}

static bool
translate_predicate(IndexBuilder *builder)
{
	const char *predicate = builder->key->source->predicate;
	ExprScope scope = index_scope(builder);

	return predicate == NULL ||
		   expr_translate_condition(&scope, predicate, &builder->predicate) ||
		   index_give_up(builder, builder->predicate.why);
}

bool
index_build_unique(IndexBuilder *builder)
{
	const SchemaIndex *index = builder->key->source;

	if (!translate_predicate(builder))
		return false;
	if (nulls_matter(builder) || index->part_count > index_parts_max(builder))
		return index->nulls_not_distinct
				   ? put_nulls_hash(builder)
				   : index_give_up(builder, "it has too many columns");
	return put_unique_parts(builder);
}
