/*
 * ddl_column.c
 *		Columns that the stream tells of, in the words of the target.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mysql/ddl_plan.h"

#define TYPMOD_HEADER 4

/* ---- from a shape to a schema */

/* "schema.name" out of nextval('schema.name'::regclass); NULL: it is none. */
static const char *
owned_sequence(const ShapeColumn *column, Arena *arena)
{
	static const char before[] = "nextval('";
	const char *name;
	const char *end;

	if (column->default_sql == NULL ||
		strncmp(column->default_sql, before, strlen(before)) != 0)
		return NULL;
	name = column->default_sql + strlen(before);
	end = strchr(name, '\'');
	return end != NULL ? arena_strndup(arena, name, (size_t) (end - name))
					   : NULL;
}

static SchemaType
schema_type(const ShapeColumn *column, Arena *arena)
{
	SchemaType type = { .typmod = column->typmod, .kind = 'b' };

	if (column->type != NULL)
		type = *column->type;
	else
	{
		type.base_schema = column->type_schema;
		type.base_name = column->type_name;
	}
	if (type.sql == NULL)
		type.sql = column->type_name;
	if (strcmp(type.base_schema, column->type_schema) != 0 ||
		strcmp(type.base_name, column->type_name) != 0)
		type.domain = arena_printf(arena, "%s.%s", column->type_schema,
								   column->type_name);
	return type;
}

static SchemaColumn
schema_column_of(const ShapeColumn *column, Arena *arena)
{
	SchemaColumn out = {
		.num = column->num,
		.name = column->name,
		.type = schema_type(column, arena),
		.not_null = column->not_null,
		.generated = column->generated,
		.identity = column->identity,
		.default_sql = column->default_sql,
		.sequence = owned_sequence(column, arena),
		.collation = column->collation,
		.max_chars = -1,
		.max_bytes = -1,
	};

	return out;
}

static void
add_primary_key(SchemaTable *table, const Shape *shape, Arena *arena)
{
	SchemaIndex *index = ARENA_NEW(arena, SchemaIndex);

	index->parts = ARENA_ARRAY(arena, SchemaIndexPart,
							   (size_t) shape->column_count + 1);
	for (int i = 0; i < shape->column_count; i++)
	{
		const char *name = shape->columns[i].name;
		SchemaIndexPart part = { .column = name,
								 .sql = name,
								 .default_opclass = true };

		if (shape->key_is_primary && shape->columns[i].key)
			index->parts[index->part_count++] = part;
	}
	if (index->part_count == 0)
		return;
	index->name = arena_printf(arena, "%s_pkey", shape->name);
	index->kind = SCHEMA_PRIMARY;
	index->method = "btree";
	index->constraint = true;
	index->valid = true;
	index->identity = true;
	index->definition = "";
	table->indexes = index;
	table->index_count = 1;
}

SchemaTable *
ddl_schema_table(const DdlPlanning *work, const Shape *shape)
{
	Arena *arena = work->arena;
	SchemaTable *table = ARENA_NEW(arena, SchemaTable);

	table->oid = shape->oid;
	table->schema = shape->schema;
	table->name = shape->name;
	table->kind = shape->kind;
	table->replica_identity = 'd';
	table->partition_key = shape->kind == 'p' ? "" : NULL;
	table->column_count = shape->column_count;
	table->columns = ARENA_ARRAY(arena, SchemaColumn,
								 (size_t) shape->column_count + 1);
	for (int i = 0; i < shape->column_count; i++)
		table->columns[i] = schema_column_of(&shape->columns[i], arena);
	add_primary_key(table, shape, arena);
	return table;
}

/* ---- one column */

/* What the definition says without NOT NULL, DEFAULT, AUTO_INCREMENT. */
static void
split_type(const DdlPlanning *work, const SchemaTable *table,
		   SchemaColumn column, bool key, DdlColumn *out)
{
	Arena *arena = work->arena;
	Findings ignored;
	const char *check;
	const char *sql;
	ColumnMap map;

	findings_init(&ignored, arena);
	column.not_null = false;
	column.default_sql = NULL;
	column.sequence = NULL;
	column.identity = 0;
	column.generated = 0;
	column.comment = NULL;
	memset(&map, 0, sizeof(map));
	translate_column(table, &column, key, &work->target, arena, &map, &sql,
					 &ignored);
	check = strstr(sql, " CHECK (");
	out->check = check != NULL ? check : "";
	out->type = check == NULL
					? sql
					: arena_strndup(arena, sql, (size_t) (check - sql));
	out->blob = strstr(map.type, "text") != NULL ||
				strstr(map.type, "blob") != NULL ||
				strncasecmp(map.type, "json", 4) == 0;
}

void
ddl_column(const DdlPlanning *work, const Shape *shape,
		   const ShapeColumn *column, bool not_null, DdlColumn *out)
{
	SchemaTable *table = ddl_schema_table(work, shape);
	SchemaColumn source = schema_column_of(column, work->arena);
	Findings decisions;

	memset(out, 0, sizeof(*out));
	findings_init(&decisions, work->arena);
	source.not_null = not_null;
	out->map.num = column->num;
	out->map.name = column->name;
	out->map.target = column->name;
	translate_column(table, &source, column->key, &work->target, work->arena,
					 &out->map, &out->definition, &decisions);
	split_type(work, table, source, column->key, out);
}

bool
ddl_value(DdlPlanning *work, const ColumnMap *map, const char *text,
		  const char **literal)
{
	TextDecoder *decoder = work->gather->decoder;
	Slice in = slice_of(text);
	Converted converted;
	Buffer decoded;
	Buffer scratch;
	Buffer sql;
	bool ok;

	buffer_init(&decoded);
	buffer_init(&scratch);
	buffer_init(&sql);
	ok = (decoder == NULL ||
		  text_decode(decoder, in, &decoded, &in, work->err)) &&
		 convert_value(map, in, false, &scratch, &converted, work->err);
	if (ok)
	{
		convert_literal_text(&sql, map, &converted);
		*literal = arena_strndup(work->arena, sql.data, sql.len);
	}
	buffer_release(&decoded);
	buffer_release(&scratch);
	buffer_release(&sql);
	return ok;
}

/* ---- types that hold more, and all that the other did */

static const char *
base_of(const ShapeColumn *column)
{
	if (column->type != NULL &&
		strcmp(column->type->base_schema, "pg_catalog") == 0)
		return column->type->base_name;
	return strcmp(column->type_schema, "pg_catalog") == 0 ? column->type_name
														  : "";
}

static int
integer_digits(const char *name)
{
	return strcmp(name, "int2") == 0   ? 5
		   : strcmp(name, "int4") == 0 ? 10
		   : strcmp(name, "int8") == 0 ? 19
									   : 0;
}

static bool
numeric_widens(int32_t from, int32_t to)
{
	int digits[2];
	int scale[2];
	int32_t typmods[2] = { from, to };

	if (to < TYPMOD_HEADER)
		return true;
	if (from < TYPMOD_HEADER)
		return false;
	for (int i = 0; i < 2; i++)
	{
		scale[i] = (((typmods[i] - TYPMOD_HEADER) & 0x7ff) ^ 1024) - 1024;
		digits[i] = ((typmods[i] - TYPMOD_HEADER) >> 16 & 0xffff) - scale[i];
	}
	return scale[1] >= scale[0] && digits[1] >= digits[0];
}

/* A length, a number of digits: -1 is no limit. */
static bool
typmod_widens(int32_t from, int32_t to)
{
	return to < 0 || (from >= 0 && to >= from);
}

static bool
is_text(const char *name)
{
	return strcmp(name, "text") == 0 || strcmp(name, "varchar") == 0;
}

/* Within one kind of type, or from a smaller kind to a larger one. */
static bool
names_widen(const char *from, int32_t from_typmod, const char *to,
			int32_t to_typmod)
{
	int from_digits = integer_digits(from);

	if (from_digits > 0)
		return integer_digits(to) >= from_digits ||
			   (strcmp(to, "numeric") == 0 && to_typmod < TYPMOD_HEADER);
	if (strcmp(from, "numeric") == 0)
		return strcmp(to, "numeric") == 0 &&
			   numeric_widens(from_typmod, to_typmod);
	if (is_text(from))
		return is_text(to) && typmod_widens(from_typmod, to_typmod);
	/* bpchar loses its spaces there as here */
	if (strcmp(from, "bpchar") == 0)
		return (is_text(to) || strcmp(to, "bpchar") == 0) &&
			   typmod_widens(from_typmod, to_typmod);
	if (strcmp(from, "timestamp") == 0 || strcmp(from, "timestamptz") == 0 ||
		strcmp(from, "time") == 0 || strcmp(from, "varbit") == 0)
		return strcmp(from, to) == 0 && typmod_widens(from_typmod, to_typmod);
	return strcmp(from, to) == 0 && from_typmod == to_typmod;
}

bool
ddl_type_widens(const ShapeColumn *from, const ColumnMap *map,
				const ShapeColumn *to)
{
	const char *old = base_of(from);
	const char *new = base_of(to);

	/* labels are text */
	if (map->convert == CONVERT_ENUM)
		return strcmp(new, "text") == 0 ||
			   (strcmp(new, "varchar") == 0 && to->typmod < 0);
	return old[0] != '\0' && new[0] != '\0' &&
		   names_widen(old, from->typmod, new,
					   to->type != NULL ? to->type->typmod : to->typmod);
}
