/*
 * translate.c
 *		See translate.h.
 */
#include "mysql/translate_parts.h"

#include <stdio.h>

/* ---- what the parts ask of each other */

WorkTable *
translator_table(const Translator *self, uint32_t oid)
{
	const SchemaTable *source = schema_table(self->schema, oid);
	const SchemaTable *root = source == NULL
								  ? NULL
								  : schema_root(self->schema, source);

	for (int i = 0; root != NULL && i < self->table_count; i++)
	{
		if (self->tables[i].source == root)
			return &self->tables[i];
	}
	return NULL;
}

bool
translator_is_utf8(const Translator *self)
{
	return self->schema->encoding != NULL &&
		   strcmp(self->schema->encoding, "UTF8") == 0;
}

WorkColumn *
work_table_column(const WorkTable *table, const char *name)
{
	for (int i = 0; i < table->column_count; i++)
	{
		if (strcmp(table->columns[i].map.name, name) == 0)
			return &table->columns[i];
	}
	return NULL;
}

void
sql_put_schema(Buffer *sql, const WorkTable *table)
{
	if (table->database == NULL)
		buffer_puts(sql, "DATABASE()");
	else
		my_quote_text(sql, slice_of(table->database));
}

DdlEntry *
translator_entry(Translator *self, DdlSection section, const char *type,
				 const WorkTable *table, const char *name, const char *sql,
				 const char *probe)
{
	DdlEntry *entry;

	self->entries = arena_room(self->arena, self->entries, self->entry_count,
							   sizeof(*self->entries));
	entry = &self->entries[self->entry_count++];
	entry->number = self->entry_count;
	entry->section = section;
	entry->state = DDL_TODO;
	entry->type = type;
	entry->schema = table != NULL ? table->source->schema : "";
	entry->name = arena_strdup(self->arena, name);
	entry->table_oid = table != NULL ? table->source->oid : 0;
	entry->sql = arena_strdup(self->arena, sql);
	entry->probe = arena_strdup(self->arena, probe);
	return entry;
}

/* ---- tables */

static void
init_table(Translator *self, const SchemaTable *source, WorkTable *table)
{
	table->source = source;
	table->label = arena_printf(self->arena, "%s.%s", source->schema,
								source->name);
	table->object = arena_printf(self->arena, "table %s", table->label);
	table->note = source->kind == 'p' ? "its partitions become one table" : "";
	table->keys = ARENA_ARRAY(self->arena, WorkKey,
							  (size_t) source->index_count);
}

static void
list_tables(Translator *self)
{
	const Schema *schema = self->schema;

	self->tables = ARENA_ARRAY(self->arena, WorkTable,
							   (size_t) schema->table_count);
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *source = &schema->tables[i];
		WorkTable *table = &self->tables[self->table_count];

		if (source->root_oid != 0 || source->unlogged)
			continue;
		self->table_count++;
		init_table(self, source, table);
	}
}

static void
create_databases(Translator *self)
{
	for (int i = 0; i < self->table_count; i++)
	{
		const WorkTable *table = &self->tables[i];
		bool first = table->database != NULL;
		Buffer probe;

		for (int j = 0; first && j < i; j++)
			first = self->tables[j].database == NULL ||
					strcmp(self->tables[j].database, table->database) != 0;
		if (!first)
			continue;
		buffer_init(&probe);
		buffer_puts(&probe, "SELECT count(*) FROM information_schema.SCHEMATA"
							" WHERE SCHEMA_NAME = ");
		my_quote_text(&probe, slice_of(table->database));
		translator_entry(self, DDL_PRE_DATA, "SCHEMA", NULL,
						 table->source->schema,
						 arena_printf(self->arena,
									  "CREATE DATABASE IF NOT EXISTS %s"
									  " CHARACTER SET utf8mb4 COLLATE %s",
									  sql_name(self->arena, table->database),
									  self->target->collation),
						 probe.data);
		buffer_release(&probe);
	}
}

/* What a person has to know or decide is a finding as well. */
static void
column_findings(Translator *self, const WorkTable *table,
				const WorkColumn *column)
{
	if (column->severity < SEVERITY_WARNING)
		return;
	finding_add(self->decisions, column->severity,
				column->severity == SEVERITY_ERROR ? P_VALUE : 0,
				arena_printf(self->arena, "column %s.%s", table->label,
							 column->map.name),
				"", "it becomes %s: %s", column->map.type, column->note);
}

/* ---- the result */

static const char *
column_words(const WorkColumn *column, Arena *arena)
{
	const char *charset = strstr(column->charset, "COLLATE ");
	Buffer out;
	const char *words;

	if (column->left_out)
		return "(none)";
	buffer_init(&out);
	buffer_puts(&out, column->map.type);
	if (charset != NULL)
		buffer_printf(&out, " %s", charset);
	if (column->generated_sql != NULL)
		buffer_puts(&out, " GENERATED");
	else if (column->map.not_null)
		buffer_puts(&out, " NOT NULL");
	if (column->default_sql != NULL)
		buffer_printf(&out, " DEFAULT %s", column->default_sql);
	if (column->auto_increment)
		buffer_puts(&out, " AUTO_INCREMENT");
	words = arena_strdup(arena, out.data);
	buffer_release(&out);
	return words;
}

static void
show_table(Translator *self, const WorkTable *table, TranslatedTable *out)
{
	out->oid = table->source->oid;
	out->schema = table->source->schema;
	out->name = table->source->name;
	out->target = table->quoted;
	out->note = table->note;
	out->column_count = table->column_count;
	out->columns = ARENA_ARRAY(self->arena, TranslatedColumn,
							   (size_t) table->column_count);
	for (int i = 0; i < table->column_count; i++)
	{
		const WorkColumn *column = &table->columns[i];
		TranslatedColumn *shown = &out->columns[i];

		shown->name = column->map.name;
		shown->source_type = column->source->type.sql;
		shown->target_name = column->map.target;
		shown->target_type = column_words(column, self->arena);
		shown->note = column->note;
		shown->severity = column->severity;
		column_findings(self, table, column);
	}
}

/* A partition has columns of its own numbers, by the names of its root's. */
static void
make_map(Translator *self, const SchemaTable *source, const WorkTable *table,
		 TableMap *map)
{
	map->oid = source->oid;
	map->schema = source->schema;
	map->name = source->name;
	map->database = table->database;
	map->table = table->name;
	map->partition = source->root_oid != 0;
	map->columns = ARENA_ARRAY(self->arena, ColumnMap,
							   (size_t) source->column_count);
	for (int i = 0; i < source->column_count; i++)
	{
		const WorkColumn *column = work_table_column(table,
													 source->columns[i].name);

		if (column == NULL)
			continue;
		map->columns[map->column_count] = column->map;
		if (column->auto_increment)
			map->columns[map->column_count].sequence = column->source->sequence;
		map->columns[map->column_count++].num = source->columns[i].num;
	}
}

static void
give_result(Translator *self, TranslatedSchema *out)
{
	const Schema *schema = self->schema;

	out->base.tables = ARENA_ARRAY(self->arena, TranslatedTable,
								   (size_t) self->table_count);
	out->base.table_count = self->table_count;
	for (int i = 0; i < self->table_count; i++)
		show_table(self, &self->tables[i], &out->base.tables[i]);
	out->maps = ARENA_ARRAY(self->arena, TableMap,
							(size_t) schema->table_count);
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *source = &schema->tables[i];
		const WorkTable *table = source->unlogged
									 ? NULL
									 : translator_table(self, source->oid);

		if (table != NULL)
			make_map(self, source, table, &out->maps[out->map_count++]);
	}
	out->base.entries = self->entries;
	out->base.entry_count = self->entry_count;
}

/*
 * Foreign keys when every key that they may refer to is there; CHECKs behind
 * them, since a CHECK gives way to a foreign key that changes its column.
 */
static void
write_entries(Translator *self)
{
	create_databases(self);
	for (int i = 0; i < self->table_count; i++)
		translate_create(self, &self->tables[i]);
	for (int i = 0; i < self->table_count; i++)
		translate_index_entries(self, &self->tables[i]);
	for (int i = 0; i < self->table_count; i++)
		translate_foreign_keys(self, &self->tables[i]);
	for (int i = 0; i < self->table_count; i++)
		translate_checks(self, &self->tables[i]);
}

void
translate_schema(const Schema *schema, const TranslateTarget *target,
				 Arena *arena, TranslatedSchema *out)
{
	Translator self = { .schema = schema, .target = target, .arena = arena };

	memset(out, 0, sizeof(*out));
	findings_init(&out->base.decisions, arena);
	out->base.decisions.side = FINDING_SOURCE;
	self.decisions = &out->base.decisions;
	list_tables(&self);
	translate_table_names(&self);
	for (int i = 0; i < self.table_count; i++)
		translate_columns(&self, &self.tables[i]);
	translate_key_types(&self);
	for (int i = 0; i < self.table_count; i++)
	{
		translate_keys_early(&self, &self.tables[i]);
		translate_computed(&self, &self.tables[i]);
		translate_keys(&self, &self.tables[i]);
	}
	write_entries(&self);
	for (int i = 0; i < self.table_count; i++)
		translate_table_findings(&self, &self.tables[i]);
	translate_database_findings(&self);
	translate_others(&self);
	give_result(&self, out);
}

/* ---- a column alone */

/* The table with the column, which may be a new one. */
static const SchemaTable *
with_column(const SchemaTable *table, const SchemaColumn *column, Arena *arena)
{
	SchemaTable *copy = ARENA_NEW(arena, SchemaTable);
	size_t count = (size_t) table->column_count;

	*copy = *table;
	copy->columns = ARENA_ARRAY(arena, SchemaColumn, count + 1);
	if (count > 0)
		memcpy(copy->columns, table->columns, count * sizeof(SchemaColumn));
	for (int i = 0; i < table->column_count; i++)
	{
		if (strcmp(table->columns[i].name, column->name) != 0)
			continue;
		copy->columns[i] = *column;
		return copy;
	}
	copy->columns[copy->column_count++] = *column;
	return copy;
}

void
translate_column(const SchemaTable *table, const SchemaColumn *column, bool key,
				 const TranslateTarget *target, Arena *arena, ColumnMap *map,
				 const char **definition_sql, Findings *decisions)
{
	Schema schema = { 0 };
	Findings others; /* what is said of the table's other columns */
	Translator self = { .schema = &schema,
						.target = target,
						.arena = arena,
						.decisions = &others };
	WorkTable work = { 0 };
	WorkColumn *found;

	findings_init(&others, arena);
	init_table(&self, with_column(table, column, arena), &work);
	translate_columns(&self, &work);
	self.decisions = decisions;
	found = work_table_column(&work, column->name);
	if (key)
		translate_key_column(found, arena);
	if (column->identity != 0 || column->sequence != NULL)
		work_column_note(
			found, arena, SEVERITY_WARNING,
			"it does not become AUTO_INCREMENT, since it came later "
			"than its table");
	translate_computed_column(&self, &work, found);
	column_findings(&self, &work, found);
	*map = found->map;
	*definition_sql = found->left_out ? ""
									  : work_column_definition(found, arena);
}
