/*
 * pg_expr_type.c
 *		Names of types in PostgreSQL's expressions, with what belongs to them.
 */
#include "mysql/pg_expr_parse.h"

#include "base/buffer.h"

/* Words that go on with a type's name: "double precision", "time with ...". */
static bool
type_goes_on(const PgParser *self)
{
	static const char *const words[] = {
		"precision", "varying", "with", "without", "time",	 "zone",  "to",
		"year",		 "month",	"day",	"hour",	   "minute", "second"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (scan_at_word(&self->scan, words[i]))
			return true;
	}
	return false;
}

/* "(10,2)" and "[]" are kept, quotes are not. */
static bool
put_type_suffix(PgParser *self, Buffer *type)
{
	if (scan_take_sign(&self->scan, "("))
	{
		buffer_putc(type, '(');
		while (self->scan.token.kind == TOKEN_NUMBER ||
			   scan_at_sign(&self->scan, ",") || scan_at_sign(&self->scan, "-"))
		{
			buffer_puts(type, self->scan.token.text);
			scan_next(&self->scan);
		}
		if (!pg_parse_sign(self, ")"))
			return false;
		buffer_putc(type, ')');
	}
	while (scan_take_sign(&self->scan, "["))
	{
		if (!pg_parse_sign(self, "]"))
			return false;
		buffer_puts(type, "[]");
	}
	return true;
}

const char *
pg_parse_type(PgParser *self)
{
	Buffer type;
	const char *result = NULL;

	if (self->scan.token.kind != TOKEN_WORD &&
		self->scan.token.kind != TOKEN_NAME)
	{
		pg_parse_refuse(self, "a type is expected");
		return NULL;
	}
	buffer_init(&type);
	buffer_puts(&type, self->scan.token.text);
	scan_next(&self->scan);
	while (scan_take_sign(&self->scan, "."))
	{
		buffer_printf(&type, ".%s", self->scan.token.text);
		scan_next(&self->scan);
	}
	while (type_goes_on(self))
	{
		buffer_printf(&type, " %s", self->scan.token.text);
		scan_next(&self->scan);
	}
	if (put_type_suffix(self, &type))
	{
		/* "timestamp(3) without time zone" */
		while (type_goes_on(self))
		{
			buffer_printf(&type, " %s", self->scan.token.text);
			scan_next(&self->scan);
		}
		if (put_type_suffix(self, &type))
			result = arena_strdup(self->arena, type.data);
	}
	buffer_release(&type);
	return result;
}
