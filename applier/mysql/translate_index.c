/*
 * translate_index.c
 *		What becomes of each index: part of CREATE TABLE, a unique key behind the
 *		rows, a plain index, or nothing.
 *
 * A unique key has to refuse what the source refuses and nothing else.  Where an
 * index of the columns would do something else, a generated column stands for
 * them: NULL where a predicate does not hold, a hash of what is too long or of
 * what is to be the same although it is NULL.  Such columns are invisible.
 */
#include "mysql/translate_expr.h"

#include <stdio.h>

#define PARTS_MAX_MYSQL 16
#define PARTS_MAX_MARIADB 32
#define PREFIX_CHARS 255
#define HASH_TYPE "binary(32)"

/* An index while its columns are put together. */
typedef struct Builder
{
	Translator *self;
	WorkTable *table;
	WorkKey *key;
	Buffer sql;
	int64_t budget; /* bytes that are left */
	ExprSql predicate;
	const char *why; /* it cannot be carried */
} Builder;

static bool
give_up(Builder *builder, const char *why)
{
	if (builder->why == NULL)
		builder->why = why;
	return false;
}

static ExprScope
scope_of(const Builder *builder)
{
	ExprScope scope = { .table = builder->table,
						.utf8 = translator_is_utf8(builder->self),
						.md5 = builder->self->target->mariadb,
						.arena = builder->self->arena };

	return scope;
}

/* ---- generated columns */

static const char *
add_helper(Builder *builder, const char *type, const char *sql)
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

/* Nothing where the predicate does not hold, so that nothing is unique. */
static const char *
where(const Builder *builder, const char *sql)
{
	if (builder->key->source->predicate == NULL)
		return sql;
	return arena_printf(builder->self->arena, "CASE WHEN %s THEN %s END",
						builder->predicate.sql, sql);
}

static const char *
hash_of(const Builder *builder, const char *sql)
{
	return arena_printf(builder->self->arena, "UNHEX(SHA2(%s, 256))", sql);
}

/* ---- parts */

static void
put_part(Builder *builder, const char *name, bool descending)
{
	if (builder->sql.len > 0)
		buffer_puts(&builder->sql, ", ");
	my_quote_ident(&builder->sql, name);
	if (descending)
		buffer_puts(&builder->sql, " DESC");
}

static bool
take_bytes(Builder *builder, int64_t bytes)
{
	builder->budget -= bytes;
	return builder->budget >= 0 ||
		   give_up(builder, "it is too long for an index of the target");
}

/* An expression that one column of the source stands for. */
static bool
column_sql(Builder *builder, const WorkColumn *column, ExprSql *expr)
{
	memset(expr, 0, sizeof(*expr));
	expr->sql = column_expr(column, builder->self->arena);
	expr->family = column->family;
	expr->uses[expr->use_count++] = column;
	return !column->left_out ||
		   give_up(builder, "one of its columns is not on the target");
}

/* The part as an expression of the target. */
static bool
part_sql(Builder *builder, const SchemaIndexPart *part, ExprSql *expr)
{
	ExprScope scope = scope_of(builder);
	const WorkColumn *column;

	if (part->column == NULL)
		return expr_translate(&scope, part->sql, expr) ||
			   give_up(builder, expr->why);
	column = work_table_column(builder->table, part->column);
	return column == NULL ? give_up(builder, "it has an unknown column")
						  : column_sql(builder, column, expr);
}

/* A generated column's type that holds the expression's values. */
static const char *
helper_type(const Builder *builder, const SchemaIndexPart *part,
			const ExprSql *expr, int64_t *bytes)
{
	Arena *arena = builder->self->arena;
	const WorkColumn *column = part->column == NULL
								   ? NULL
								   : work_table_column(builder->table,
													   part->column);

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

static bool
can_generate(Builder *builder, const ExprSql *expr)
{
	return (!expr_uses_auto_increment(expr) &&
			!expr_uses_auto_increment(&builder->predicate)) ||
		   give_up(builder, "a generated column cannot speak of one that is "
							"AUTO_INCREMENT");
}

/* By a generated column, which is a hash where the value is too long. */
static bool
put_generated(Builder *builder, const SchemaIndexPart *part,
			  const ExprSql *expr)
{
	int64_t bytes;
	const char *type = helper_type(builder, part, expr, &bytes);
	const char *sql = expr->sql;

	if (!can_generate(builder, expr))
		return false;
	if (type == NULL && expr->family == FAMILY_PADDED)
		return give_up(builder, "spaces at the end would count in it");
	if (type == NULL || bytes > builder->budget)
	{
		type = HASH_TYPE;
		sql = hash_of(builder, sql);
		bytes = 32;
	}
	if (!take_bytes(builder, bytes))
		return false;
	put_part(builder, add_helper(builder, type, where(builder, sql)),
			 part->descending);
	return true;
}

/* A column whose values no part of has to be left out. */
static bool
put_column(Builder *builder, const SchemaIndexPart *part,
		   const WorkColumn *column, int number)
{
	ExprSql expr;
	int64_t bytes = work_column_key_bytes(column);

	if (!column_sql(builder, column, &expr))
		return false;
	if (bytes < 0 || bytes > builder->budget)
		return put_generated(builder, part, &expr);
	builder->key->columns[number] = column;
	put_part(builder, column->map.target, part->descending);
	return take_bytes(builder, bytes);
}

/*
 * The first part alone says whether the predicate holds: where it is NULL the
 * others do not matter.
 */
static bool
put_unique_parts(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;
	bool partial = index->predicate != NULL;

	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const WorkColumn *column = part->column == NULL
									   ? NULL
									   : work_table_column(builder->table,
														   part->column);
		ExprSql expr;

		if (column != NULL && !(partial && i == 0))
		{
			if (!put_column(builder, part, column, i))
				return false;
		}
		else if (!part_sql(builder, part, &expr) ||
				 !put_generated(builder, part, &expr))
			return false;
	}
	return true;
}

/*
 * NULLS NOT DISTINCT: one hash over all parts, in which NULL is a value and none
 * can run into the next.
 */
static bool
put_nulls_hash(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;
	Arena *arena = builder->self->arena;
	const char *parts = "";

	for (int i = 0; i < index->part_count; i++)
	{
		ExprSql expr;

		if (!part_sql(builder, &index->parts[i], &expr) ||
			!can_generate(builder, &expr))
			return false;
		if (expr.family == FAMILY_PADDED)
			return give_up(builder, "spaces at the end would count in it");
		parts = arena_printf(arena, "%s%sIFNULL(HEX(CAST(%s AS BINARY)), '-')",
							 parts, i > 0 ? ", " : "", expr.sql);
	}
	put_part(builder,
			 add_helper(builder, HASH_TYPE,
						where(builder,
							  hash_of(builder,
									  arena_printf(arena, "CONCAT_WS(',', %s)",
												   parts)))),
			 false);
	return true;
}

/* Of columns that may be NULL; others are distinct anyway. */
static bool
nulls_matter(const Builder *builder)
{
	const SchemaIndex *index = builder->key->source;

	for (int i = 0; index->nulls_not_distinct && i < index->part_count; i++)
	{
		const WorkColumn *column =
			index->parts[i].column == NULL
				? NULL
				: work_table_column(builder->table, index->parts[i].column);

		if (column == NULL || !column->source->not_null)
			return true;
	}
	return false;
}

/* ---- unique keys */

static bool
translate_predicate(Builder *builder)
{
	const char *predicate = builder->key->source->predicate;
	ExprScope scope = scope_of(builder);

	return predicate == NULL ||
		   expr_translate_condition(&scope, predicate, &builder->predicate) ||
		   give_up(builder, builder->predicate.why);
}

static bool
is_whole(const WorkKey *key)
{
	for (int i = 0; i < key->source->part_count; i++)
	{
		if (key->columns[i] == NULL)
			return false;
	}
	return key->source->predicate == NULL;
}

static bool
build_unique(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;
	int most = builder->self->target->mariadb ? PARTS_MAX_MARIADB
											  : PARTS_MAX_MYSQL;

	if (!translate_predicate(builder))
		return false;
	if (nulls_matter(builder) || index->part_count > most)
		return index->nulls_not_distinct
				   ? put_nulls_hash(builder)
				   : give_up(builder, "it has too many columns");
	return put_unique_parts(builder);
}

static const char *
index_object(const Builder *builder)
{
	return arena_printf(builder->self->arena, "index %s on %s",
						builder->key->source->name, builder->table->label);
}

static void
left_behind(Builder *builder, Severity severity, const char *remedy,
			const char *why)
{
	const SchemaIndex *index = builder->key->source;
	const char *what = index->kind == SCHEMA_UNIQUE ? "unique key" : "index";

	builder->key->fate = KEY_LEFT;
	finding_add(builder->self->decisions, severity, 0, index_object(builder),
				remedy, "the %s is not carried: %s (%s)", what, why,
				index->definition)
		->left_behind = true;
}

/* Is it the index by which the stream finds rows, without a primary key? */
static bool
is_identity(const WorkTable *table, const WorkKey *key)
{
	if (!is_whole(key))
		return false;
	for (int i = 0; i < key->source->part_count; i++)
	{
		if (!key->columns[i]->map.not_null)
			return false;
	}
	return key->source->identity && schema_primary_key(table->source) == NULL;
}

static void
settle_unique(Builder *builder)
{
	WorkKey *key = builder->key;

	if (!build_unique(builder))
	{
		left_behind(builder, SEVERITY_WARNING,
					"what writes to the target afterwards has to see to it "
					"itself",
					builder->why);
		return;
	}
	key->columns_sql = arena_strdup(builder->self->arena, builder->sql.data);
	key->exact = is_whole(key);
	key->fate = key->source->kind == SCHEMA_PRIMARY ? KEY_PRIMARY
				: is_identity(builder->table, key)	? KEY_IN_TABLE
													: KEY_UNIQUE;
	if (key->fate != KEY_PRIMARY)
		key->name = name_take(&builder->table->index_names, key->source->name);
	if (!key->exact)
		finding_add(builder->self->decisions, SEVERITY_NOTE, 0,
					index_object(builder), "",
					"unique by a generated, invisible column: an index of the "
					"target cannot do it otherwise (%s)",
					key->source->definition);
}

/* ---- plain indexes */

static bool
plain_method(const SchemaIndex *index)
{
	return strcmp(index->method, "btree") == 0 ||
		   strcmp(index->method, "hash") == 0;
}

/* Bytes that each part may have: those with a limit of their own take less. */
static bool
put_plain_column(Builder *builder, const SchemaIndexPart *part,
				 const WorkColumn *column)
{
	int unit = strstr(column->charset, " ascii ") != NULL ||
					   column->map.convert == CONVERT_BYTES
				   ? 1
				   : CHAR_BYTES;
	int64_t bytes = work_column_key_bytes(column);
	int64_t prefix = builder->budget / unit;

	if (column->left_out)
		return give_up(builder, "one of its columns is not on the target");
	if (strcmp(column->map.type, "json") == 0)
		return give_up(builder, "the target has no index of JSON");
	if (bytes >= 0 && bytes <= builder->budget)
	{
		put_part(builder, column->map.target, part->descending);
		return take_bytes(builder, bytes);
	}
	if (column->char_bytes == 0 && !column->blob)
		return give_up(builder, "it is too long for an index of the target");
	if (prefix > PREFIX_CHARS)
		prefix = PREFIX_CHARS;
	if (prefix < 1)
		return give_up(builder, "it is too long for an index of the target");
	put_part(builder, column->map.target, false);
	buffer_printf(&builder->sql, "(%d)%s", (int) prefix,
				  part->descending ? " DESC" : "");
	return take_bytes(builder, prefix * unit);
}

/* MariaDB has indexes of columns only, MySQL of expressions without blobs. */
static bool
put_plain_expression(Builder *builder, const SchemaIndexPart *part)
{
	ExprSql expr;
	int64_t bytes;

	if (!part_sql(builder, part, &expr))
		return false;
	if (helper_type(builder, part, &expr, &bytes) == NULL)
		return give_up(builder, "the target has no index of an expression "
								"without a limit");
	if (builder->self->target->mariadb)
		return put_generated(builder, part, &expr);
	if (expr_uses_auto_increment(&expr))
		return give_up(builder, "it speaks of a column that is AUTO_INCREMENT");
	if (builder->sql.len > 0)
		buffer_puts(&builder->sql, ", ");
	buffer_printf(&builder->sql, "(%s)%s", expr.sql,
				  part->descending ? " DESC" : "");
	return take_bytes(builder, bytes);
}

static bool
build_plain(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;
	int most = builder->self->target->mariadb ? PARTS_MAX_MARIADB
											  : PARTS_MAX_MYSQL;

	if (index->part_count > most)
		return give_up(builder, "it has too many columns");
	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const WorkColumn *column = part->column == NULL
									   ? NULL
									   : work_table_column(builder->table,
														   part->column);

		if (column == NULL ? !put_plain_expression(builder, part)
						   : !put_plain_column(builder, part, column))
			return false;
	}
	return true;
}

static void
settle_plain(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;
	WorkKey *key = builder->key;

	if (!plain_method(index))
	{
		left_behind(builder, SEVERITY_WARNING,
					"create what the target has instead, such as a FULLTEXT or "
					"SPATIAL index, if queries need it",
					arena_printf(builder->self->arena,
								 "the target has no index of method %s",
								 index->method));
		return;
	}
	if (builder->table->index_names.count >= INDEX_COUNT_MAX)
		give_up(builder, "a table of the target has 64 indexes at most");
	if (builder->why != NULL || !build_plain(builder))
	{
		left_behind(builder, SEVERITY_WARNING,
					"create another index on the target, if queries need it",
					builder->why);
		return;
	}
	key->columns_sql = arena_strdup(builder->self->arena, builder->sql.data);
	key->fate = KEY_PLAIN;
	key->name = name_take(&builder->table->index_names, index->name);
	if (index->predicate != NULL)
		finding_add(builder->self->decisions, SEVERITY_NOTE, 0,
					index_object(builder), "",
					"it becomes an index of all rows: the target has none of a "
					"part of them (%s)",
					index->predicate);
}

/* ---- all of a table */

static void
not_carried(Builder *builder)
{
	const SchemaIndex *index = builder->key->source;

	if (index->kind == SCHEMA_EXCLUSION)
		left_behind(builder, SEVERITY_WARNING,
					"what writes to the target afterwards has to see to it "
					"itself",
					"the target has no exclusion constraints");
	else if (!index->valid)
		left_behind(builder, SEVERITY_WARNING,
					"REINDEX it on the source, or drop it",
					"it is not valid on the source");
	else if (index->deferrable)
		finding_add(builder->self->decisions, SEVERITY_ERROR, P_DDL,
					index_object(builder),
					"make it NOT DEFERRABLE on the source, or leave the table "
					"out with --exclude-tables",
					"it is DEFERRABLE: the source may hold a value twice until "
					"COMMIT, the target refuses it at once");
	else
		left_behind(builder, SEVERITY_WARNING, "",
					"the target has no such unique key");
}

static void
translate_key(Translator *self, WorkTable *table, int number, bool first_pass)
{
	const SchemaIndex *index = &table->source->indexes[number];
	bool early = index->kind == SCHEMA_PRIMARY || index->identity;
	Builder builder = { .self = self,
						.table = table,
						.key = &table->keys[number],
						.budget = KEY_BYTES_MAX };

	if (early != first_pass)
		return;
	builder.key->source = index;
	builder.key->columns = ARENA_ARRAY(self->arena, const WorkColumn *,
									   (size_t) index->part_count);
	buffer_init(&builder.sql);
	if (index->kind == SCHEMA_PLAIN && index->valid)
		settle_plain(&builder);
	else if (!key_carried(index))
		not_carried(&builder);
	else if (index->kind != SCHEMA_PRIMARY || !builder.key->hashed)
		settle_unique(&builder);
	buffer_release(&builder.sql);
}

/* Keys that the table has from the beginning: they say what may count up. */
void
translate_keys_early(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
		translate_key(self, table, i, true);
}

void
translate_keys(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
		translate_key(self, table, i, false);
}

/* ---- entries */

static char *
index_probe(const WorkTable *table, const char *name, Arena *arena)
{
	Buffer sql;
	char *probe;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT count(DISTINCT INDEX_NAME) FROM"
					  " information_schema.STATISTICS WHERE TABLE_SCHEMA = ");
	sql_put_schema(&sql, table);
	buffer_puts(&sql, " AND TABLE_NAME = ");
	my_quote_text(&sql, slice_of(table->name));
	buffer_puts(&sql, " AND INDEX_NAME = ");
	my_quote_text(&sql, slice_of(name));
	probe = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return probe;
}

static void
put_index(Buffer *sql, const WorkKey *key, Arena *arena)
{
	buffer_printf(sql, "ADD %sINDEX ",
				  key->fate == KEY_UNIQUE ? "UNIQUE " : "");
	my_quote_ident(sql, key->name);
	buffer_printf(sql, " (%s)", key->columns_sql);
	sql_put_comment(sql, key->source->comment, INDEX_COMMENT_CHARS, arena);
}

/* One statement reads the table once for all of its plain indexes. */
static void
plain_entry(Translator *self, const WorkTable *table)
{
	const WorkKey *last = NULL;
	int count = 0;
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql, "ALTER TABLE %s", table->quoted);
	for (int i = 0; i < table->source->index_count; i++)
	{
		const WorkKey *key = &table->keys[i];

		if (key->fate != KEY_PLAIN)
			continue;
		buffer_puts(&sql, count++ > 0 ? ",\n\t" : "\n\t");
		put_index(&sql, key, self->arena);
		last = key;
	}
	if (count > 0)
		translator_entry(self, DDL_POST_DATA, "INDEX", table,
						 count == 1
							 ? last->source->name
							 : arena_printf(self->arena, "%d indexes of %s",
											count, table->source->name),
						 sql.data, index_probe(table, last->name, self->arena));
	buffer_release(&sql);
}

void
translate_index_entries(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
	{
		const WorkKey *key = &table->keys[i];
		Buffer sql;

		if (key->fate != KEY_UNIQUE)
			continue;
		buffer_init(&sql);
		buffer_printf(&sql, "ALTER TABLE %s\n\t", table->quoted);
		put_index(&sql, key, self->arena);
		translator_entry(self, DDL_POST_DATA, "CONSTRAINT", table,
						 arena_printf(self->arena, "%s %s", table->source->name,
									  key->source->name),
						 sql.data, index_probe(table, key->name, self->arena));
		buffer_release(&sql);
	}
	plain_entry(self, table);
}
