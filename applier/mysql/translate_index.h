/*
 * translate_index.h
 *		An index while its columns are put together: what the files share.
 *
 * A unique key has to refuse what the source refuses and nothing else.  Where an
 * index of the columns would do something else, a generated column stands for
 * them: NULL where a predicate does not hold, a hash of what is too long or of
 * what is to be the same although it is NULL.  Such columns are invisible.
 *
 *		translate_index.c			which of them it is; the statements
 *		translate_index_part.c		one part; generated columns
 *		translate_index_unique.c	the columns of a unique key
 *		translate_index_plain.c		the columns of any other
 */
#ifndef PORTAGE_TRANSLATE_INDEX_H
#define PORTAGE_TRANSLATE_INDEX_H

#include "mysql/translate_expr.h"

/* The type of a generated column that is a hash. */
#define HASH_TYPE "binary(32)"

/* An index while its columns are put together. */
typedef struct IndexBuilder
{
	Translator *self;
	WorkTable *table;
	WorkKey *key;
	Buffer sql;
	int64_t budget; /* bytes that are left */
	ExprSql predicate;
	const char *why; /* it cannot be carried */
} IndexBuilder;

/* ---- translate_index_part.c; false: builder->why says what is in the way */

/* Only the first reason counts. */
bool index_give_up(IndexBuilder *builder, const char *why);

/* How many parts an index of the target may have. */
int index_parts_max(const IndexBuilder *builder);

ExprScope index_scope(const IndexBuilder *builder);

/* The column that a part is, or NULL: an expression. */
const WorkColumn *
index_part_column(const IndexBuilder *builder, const SchemaIndexPart *part);

/* An expression that one column of the source stands for. */
bool index_column_sql(IndexBuilder *builder, const WorkColumn *column,
					  ExprSql *expr);
/* The part as an expression of the target. */
bool index_part_sql(IndexBuilder *builder, const SchemaIndexPart *part,
					ExprSql *expr);

/* A generated column's type that holds the expression's values, or NULL. */
const char *
index_helper_type(const IndexBuilder *builder, const SchemaIndexPart *part,
				  const ExprSql *expr, int64_t *bytes);
/* A generated column; its name. */
const char *
index_add_helper(IndexBuilder *builder, const char *type, const char *sql);
bool index_can_generate(IndexBuilder *builder, const ExprSql *expr);

/* Nothing where the predicate does not hold, so that nothing is unique. */
const char *index_where(const IndexBuilder *builder, const char *sql);
const char *index_hash(const IndexBuilder *builder, const char *sql);

bool index_take_bytes(IndexBuilder *builder, int64_t bytes);
void index_put_part(IndexBuilder *builder, const char *name, bool descending);
/* By a generated column, which is a hash where the value is too long. */
bool index_put_generated(IndexBuilder *builder, const SchemaIndexPart *part,
						 const ExprSql *expr);

/* ---- the columns of an index, as builder->sql */

bool index_build_unique(IndexBuilder *builder);
bool index_build_plain(IndexBuilder *builder);

#endif /* PORTAGE_TRANSLATE_INDEX_H */
