/*
 * sql_scan.c
 *		See sql_scan.h.
 */
#include "schema/sql_scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool
is_word(char c)
{
	return isalnum((unsigned char) c) || c == '_' || (c & 0x80) != 0;
}

/* Behind the closing quote; p stands behind the opening one. */
static const char *
skip_quoted(const char *p, char quote, bool backslashes)
{
	for (; *p != '\0'; p++)
	{
		if ((backslashes && *p == '\\' && p[1] != '\0') ||
			(*p == quote && p[1] == quote))
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return p;
}

/* Behind a dollar-quoted string, or behind the dollar sign if it is none. */
static const char *
skip_dollar(const char *p)
{
	const char *tag = p++;
	size_t len;

	if (isdigit((unsigned char) *p))
		return p;
	while (is_word(*p))
		p++;
	if (*p != '$')
		return tag + 1;
	len = (size_t) (++p - tag);
	for (; *p != '\0'; p++)
	{
		if (*p == '$' && strncmp(p, tag, len) == 0)
			return p + len;
	}
	return p;
}

static const char *
skip_block_comment(const char *p)
{
	int depth = 1;

	while (*p != '\0' && depth > 0)
	{
		if (p[0] == '*' && p[1] == '/')
			depth--, p += 2;
		else if (p[0] == '/' && p[1] == '*')
			depth++, p += 2;
		else
			p++;
	}
	return p;
}

const char *
sql_skip_line(const char *p)
{
	const char *end = strchr(p, '\n');

	return end != NULL ? end + 1 : p + strlen(p);
}

/* A word goes as a whole: a dollar sign or an E within it means nothing. */
const char *
sql_skip_token(const char *p)
{
	if (p[0] == '-' && p[1] == '-')
		return sql_skip_line(p);
	if (p[0] == '/' && p[1] == '*')
		return skip_block_comment(p + 2);
	if (*p == '\'' || *p == '"')
		return skip_quoted(p + 1, *p, false);
	if ((*p == 'E' || *p == 'e') && p[1] == '\'')
		return skip_quoted(p + 2, '\'', true);
	if (*p == '$')
		return skip_dollar(p);
	if (!is_word(*p))
		return p + 1;
	while (is_word(*p) || *p == '$')
		p++;
	return p;
}
