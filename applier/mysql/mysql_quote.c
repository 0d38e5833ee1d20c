/*
 * mysql_quote.c
 *		Identifiers and literals for sessions of ours.
 *
 * utf8mb4 and backslash escapes are on in all of them, so quoting needs neither
 * a server nor the client library.  No byte of a character of several bytes is
 * one of those that are escaped.
 */
#include "mysql/mysql_conn.h"

void
my_quote_ident(Buffer *out, const char *name)
{
	buffer_putc(out, '`');
	for (; *name != '\0'; name++)
	{
		if (*name == '`')
			buffer_putc(out, '`');
		buffer_putc(out, *name);
	}
	buffer_putc(out, '`');
}

void
my_quote_table(Buffer *out, const char *database, const char *table)
{
	if (database != NULL)
	{
		my_quote_ident(out, database);
		buffer_putc(out, '.');
	}
	my_quote_ident(out, table);
}

/* The letter behind the backslash, or 0. */
static char
escape_of(char c)
{
	switch (c)
	{
		case '\0':
			return '0';
		case '\n':
			return 'n';
		case '\r':
			return 'r';
		case '\x1a':
			return 'Z';
		case '\\':
		case '\'':
			return c;
		default:
			return 0;
	}
}

static void
quote(Buffer *out, Slice text)
{
	const char *end = text.data + text.len;
	const char *from = text.data; /* not yet written */

	buffer_reserve(out, text.len + 2);
	buffer_putc(out, '\'');
	for (const char *p = text.data; p < end; p++)
	{
		char letter = escape_of(*p);

		if (letter == 0)
			continue;
		buffer_append(out, from, (size_t) (p - from));
		buffer_putc(out, '\\');
		buffer_putc(out, letter);
		from = p + 1;
	}
	buffer_append(out, from, (size_t) (end - from));
	buffer_putc(out, '\'');
}

void
my_quote_text(Buffer *out, Slice text)
{
	quote(out, text);
}

void
my_quote_bytes(Buffer *out, Slice bytes)
{
	buffer_puts(out, "_binary");
	quote(out, bytes);
}
