/*
 * selection.c
 *		See selection.h.
 */
#include "selection.h"

#include <string.h>

#include "pattern.h"

static bool
listed(const char *patterns, const char *schema, const char *name)
{
	PatternText schema_text = { schema, strlen(schema) };
	PatternText name_text = { name, strlen(name) };

	return pattern_list_match(patterns, strlen(patterns), schema_text,
							  name_text);
}

bool
selection_has(const char *tables, const char *exclude_tables,
			  const char *schema, const char *name, const char *root_schema,
			  const char *root_name)
{
	bool rooted = root_name != NULL && root_name[0] != '\0';

	if (tables[0] != '\0' && !listed(tables, schema, name) &&
		!(rooted && listed(tables, root_schema, root_name)))
		return false;
	return exclude_tables[0] == '\0' ||
		   (!listed(exclude_tables, schema, name) &&
			!(rooted && listed(exclude_tables, root_schema, root_name)));
}
