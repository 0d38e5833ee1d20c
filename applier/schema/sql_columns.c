/*
 * sql_columns.c
 *		See sql_columns.h.
 */
#include "schema/sql_columns.h"

#include <string.h>

#include "schema/sql_scan.h"

void
sql_put_name(Buffer *out, const char *name)
{
	buffer_putc(out, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			buffer_putc(out, '"');
		buffer_putc(out, *name);
	}
	buffer_putc(out, '"');
}

void
sql_put_table(Buffer *out, const char *schema, const char *name)
{
	sql_put_name(out, schema);
	buffer_putc(out, '.');
	sql_put_name(out, name);
}

/* Is the token this name, in quotes or as the catalog prints it without? */
static bool
is_name(const char *token, size_t len, const char *name)
{
	const char *end = token + len;

	if (*token != '"')
		return strlen(name) == len && memcmp(token, name, len) == 0;
	for (token++; token < end - 1; token++, name++)
	{
		if (*token == '"')
			token++;
		if (*token != *name)
			return false;
	}
	return *name == '\0';
}

static int
column_at(const SqlColumns *columns, const char *token, size_t len)
{
	for (int i = 0; i < columns->count; i++)
	{
		if (is_name(token, len, columns->names[i]))
			return i;
	}
	return -1;
}

const char *
sql_column_now(const SqlColumns *columns, const char *name)
{
	for (int i = 0; i < columns->count; i++)
	{
		if (strcmp(columns->names[i], name) == 0)
			return columns->now[i];
	}
	return NULL;
}

static bool
is_same(const SqlColumns *columns, int i)
{
	return columns->now[i] != NULL &&
		   strcmp(columns->now[i], columns->names[i]) == 0;
}

const char *
sql_first_changed(const SqlColumns *columns, const char *sql)
{
	while (*sql != '\0')
	{
		const char *end = sql_skip_token(sql);
		size_t len = (size_t) (end - sql);
		int column = column_at(columns, sql, len);

		if (column >= 0 && !is_same(columns, column))
			return columns->names[column];
		/* a row as a whole: "orders.*" */
		if (*end == '.' && is_name(sql, len, columns->table))
			return columns->table;
		sql = end;
	}
	return NULL;
}

static bool
is_word(const char *token, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(token, word, len) == 0;
}

/* Where the columns of an index begin; a constraint's definition has no more. */
static const char *
behind_table(const char *definition)
{
	if (strncmp(definition, "CREATE ", 7) != 0)
		return definition;
	for (const char *p = definition; *p != '\0';)
	{
		const char *end = sql_skip_token(p);

		if (is_word(p, (size_t) (end - p), "USING"))
			return p;
		p = end;
	}
	return definition;
}

/*
 * A column stands behind the opening parenthesis of a list or a comma in it; what
 * follows WITH or WHERE is no list of columns.
 */
const char *
sql_index_columns(const SqlColumns *columns, const char *definition,
				  Arena *arena, const char **gone)
{
	const char *p = behind_table(definition);
	bool lists = true;
	bool head = false;
	int depth = 0;
	const char *result;
	Buffer out;

	buffer_init(&out);
	*gone = NULL;
	while (*p != '\0' && *gone == NULL)
	{
		const char *end = sql_skip_token(p);
		size_t len = (size_t) (end - p);
		int column = head ? column_at(columns, p, len) : -1;

		if (depth == 0 && (is_word(p, len, "WITH") || is_word(p, len, "WHERE")))
			lists = false;
		depth += (*p == '(') - (*p == ')');
		if (column >= 0 && columns->now[column] == NULL)
			*gone = columns->names[column];
		else if (column >= 0)
			sql_put_name(&out, columns->now[column]);
		else
			buffer_append(&out, p, len);
		if (*p != ' ')
			head = lists && depth == 1 && (*p == '(' || *p == ',');
		p = end;
	}
	result = *gone == NULL ? arena_strndup(arena, out.data, out.len) : NULL;
	buffer_release(&out);
	return result;
}
