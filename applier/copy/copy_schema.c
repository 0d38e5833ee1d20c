/*
 * copy_schema.c
 *		See copy_schema.h.
 */
#include "copy/copy_schema.h"

#include <string.h>

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if ((unsigned char) *text >= 0x80)
			return false;
	}
	return true;
}

static void
refuse_name(const Schema *schema, const char *object, Findings *decisions)
{
	finding_add(decisions, SEVERITY_ERROR, P_SERVER_SETUP, object,
				"rename it, leave the table out with --exclude-tables, or "
				"carry the database into one with the encoding UTF8 first",
				"its name has letters outside ASCII, which come in the "
				"encoding %s: the target knows names in UTF-8 only",
				schema->encoding);
}

/*
 * The copy and the stream call tables and columns by their names in the
 * server's encoding, the schema by those in UTF-8: they must be the same.
 */
static void
check_names(const Schema *schema, Arena *arena, Findings *decisions)
{
	if (strcmp(schema->encoding, "UTF8") == 0 ||
		strcmp(schema->encoding, "SQL_ASCII") == 0)
		return;
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *table = &schema->tables[i];

		if (!is_ascii(table->schema) || !is_ascii(table->name))
			refuse_name(
				schema,
				arena_printf(arena, "table %s.%s", table->schema, table->name),
				decisions);
		for (int k = 0; k < table->column_count; k++)
		{
			if (!is_ascii(table->columns[k].name))
				refuse_name(schema,
							arena_printf(arena, "column %s.%s.%s",
										 table->schema, table->name,
										 table->columns[k].name),
							decisions);
		}
	}
}

bool
copy_schema_translate(CopyView *view, Target *target, Arena *arena,
					  Translation *translation, Error *err)
{
	Schema schema;
	Findings notes;

	if (!copy_view_schema(view, arena, &schema, &notes, err) ||
		!target->ops->schema_translate(target, &schema, arena, translation,
									   err))
		return false;
	findings_add_all(&translation->decisions, &notes);
	check_names(&schema, arena, &translation->decisions);
	return true;
}
