/*
 * config_into.c
 *		The names that "into" gives to a table on the target.
 *
 *		into	part '.' part
 *		part	"..."		literal; a quote is written twice
 *				letters, digits, _ $ and bytes above 127, folded to lower case
 *
 * as in pattern.h, without wildcards and with {schema} and {table} in either.
 */
#include "config/config_schema.h"

#include <string.h>

#include "base/buffer.h"
#include "pattern.h"

typedef struct IntoParser
{
	const char *p;
	const char *schema; /* of the source, for {schema} and {table} */
	const char *table;
	Buffer parts[2];
	const char *problem; /* or NULL */
} IntoParser;

/* {schema} or {table}, if that stands here. */
static bool
take_placeholder(IntoParser *self, Buffer *out)
{
	if (strncmp(self->p, "{schema}", 8) == 0)
		buffer_puts(out, self->schema);
	else if (strncmp(self->p, "{table}", 7) == 0)
		buffer_puts(out, self->table);
	else
		return false;
	self->p = strchr(self->p, '}') + 1;
	return true;
}

/* The rest of a quoted part; false where it has no end. */
static bool
take_quoted(IntoParser *self, Buffer *out)
{
	while (*self->p != '\0')
	{
		if (self->p[0] == '"' && self->p[1] != '"')
		{
			self->p++;
			return true;
		}
		if (take_placeholder(self, out))
			continue;
		buffer_putc(out, self->p[0]);
		self->p += self->p[0] == '"' ? 2 : 1;
	}
	self->problem = "a quoted name has no end";
	return false;
}

static void
take_plain(IntoParser *self, Buffer *out)
{
	for (;;)
	{
		char c = *self->p;

		if (take_placeholder(self, out))
			continue;
		if (!pattern_is_plain(c) || c == '*' || c == '?')
			return;
		buffer_putc(out, pattern_fold(c));
		self->p++;
	}
}

static const char *
problem_at(char c)
{
	if (c == '*' || c == '?')
		return "it names one table, and has no wildcards";
	if (c == '{' || c == '}')
		return "braces hold schema or table here";
	return "a character that must be in double quotes";
}

/* Both parts; problem is set, and stays, where they are none. */
static void
take_parts(IntoParser *self)
{
	for (int i = 0; i < 2 && self->problem == NULL; i++)
	{
		Buffer *out = &self->parts[i];
		const char *start = self->p;

		if (*self->p == '"')
		{
			self->p++;
			if (!take_quoted(self, out))
				return;
		}
		else
			take_plain(self, out);
		if (self->p == start || out->len == 0)
			self->problem = *self->p == '\0' || *self->p == '.'
								? "a name is missing"
								: problem_at(*self->p);
		else if (i == 0 && *self->p == '\0')
			self->problem = "the schema is missing";
		else if (i == 0 && *self->p == '.')
			self->p++;
		else if (i == 1 && *self->p == '.')
			self->problem = "it has more than two parts";
		else if (*self->p != '\0')
			self->problem = problem_at(*self->p);
	}
}

static void
into_parse(IntoParser *self, const char *into, const char *schema,
		   const char *table)
{
	*self = (IntoParser){ .p = into, .schema = schema, .table = table };
	buffer_init(&self->parts[0]);
	buffer_init(&self->parts[1]);
	take_parts(self);
}

static void
into_release(IntoParser *self)
{
	buffer_release(&self->parts[0]);
	buffer_release(&self->parts[1]);
}

bool
config_into_check(const ConfigReader *reader, const ConfigText *into,
				  Error *err)
{
	IntoParser parser;
	const char *problem;

	if (into->text == NULL)
		return true;
	into_parse(&parser, into->text, "s", "t");
	problem = parser.problem;
	into_release(&parser);
	if (problem == NULL)
		return true;
	config_error(reader->config, into->place, err, "into: %s in \"%s\"",
				 problem, into->shown);
	return error_hint(err,
					  "write into: SCHEMA.TABLE; {schema} and {table} stand "
					  "for the source's");
}

void
config_into(const ConfigRule *rule, const char *schema, const char *table,
			Arena *arena, const char **into_schema, const char **into_table)
{
	IntoParser parser;

	*into_schema = schema;
	*into_table = table;
	if (rule->into.text == NULL)
		return;
	into_parse(&parser, rule->into.text, schema, table);
	*into_schema = arena_strdup(arena, parser.parts[0].data);
	*into_table = arena_strdup(arena, parser.parts[1].data);
	into_release(&parser);
}
