/*
 * pg_value.c
 *		Values of results, and quoting.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "postgres/pg_conn.h"

const char *
pg_value(const PGresult *res, int row, int column)
{
	return PQgetvalue(res, row, column);
}

bool
pg_is_null(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) != 0;
}

int64_t
pg_value_int(const PGresult *res, int row, int column)
{
	return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

bool
pg_value_bool(const PGresult *res, int row, int column)
{
	return PQgetvalue(res, row, column)[0] == 't';
}

Lsn
pg_value_lsn(const PGresult *res, int row, int column)
{
	Lsn lsn = LSN_NONE;

	if (PQgetisnull(res, row, column) ||
		!lsn_parse(PQgetvalue(res, row, column), &lsn))
		return LSN_NONE;
	return lsn;
}

/*
 * Quotes are doubled, nothing else is special between double quotes.  Names
 * come from the source's catalog and have no NUL.
 */
void
pg_quote_ident(Buffer *out, const char *name)
{
	const char *p;

	buffer_putc(out, '"');
	for (p = name; *p != '\0'; p++)
	{
		if (*p == '"')
			buffer_putc(out, '"');
		buffer_putc(out, *p);
	}
	buffer_putc(out, '"');
}

void
pg_quote_table(Buffer *out, const char *schema, const char *name)
{
	pg_quote_ident(out, schema);
	buffer_putc(out, '.');
	pg_quote_ident(out, name);
}

/* E'' form where a backslash occurs, so that the server's setting of
 * standard_conforming_strings does not matter. */
void
pg_quote_literal(Buffer *out, const char *text)
{
	const char *p;

	if (strchr(text, '\\') != NULL)
		buffer_puts(out, " E");
	buffer_putc(out, '\'');
	for (p = text; *p != '\0'; p++)
	{
		if (*p == '\'' || *p == '\\')
			buffer_putc(out, *p);
		buffer_putc(out, *p);
	}
	buffer_putc(out, '\'');
}
