/*
 * translate_index.c
 *		What becomes of each index: part of CREATE TABLE, a unique key behind the
 *		rows, a plain index, or nothing; see translate_index.h.
 */
#include "mysql/translate_index.h"

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

static const char *
index_object(const IndexBuilder *builder)
{
	return arena_printf(builder->self->arena, "index %s on %s",
						builder->key->source->name, builder->table->label);
}

static void
left_behind(IndexBuilder *builder, Severity severity, const char *remedy,
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
settle_unique(IndexBuilder *builder)
{
	WorkKey *key = builder->key;

	if (!index_build_unique(builder))
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

static void
settle_plain(IndexBuilder *builder)
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
		index_give_up(builder, "a table of the target has 64 indexes at most");
	if (builder->why != NULL || !index_build_plain(builder))
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
not_carried(IndexBuilder *builder)
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
	IndexBuilder builder = { .self = self,
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
