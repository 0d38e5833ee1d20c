/*
 * grants.c
 *		See grants.h.
 *
 * GRANT SELECT, INSERT (`a`), UPDATE ON `data\_base%`.* TO `user`@`host` ...
 * Both servers quote names with backticks and database patterns with
 * backslashes.  Privileges on single tables do not help: tables are created.
 */
#include "mysql/grants.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *const grant_names[] = {
	"SELECT",  "INSERT", "UPDATE", "DELETE",	 "CREATE",
	"ALTER",   "INDEX",	 "DROP",   "REFERENCES", "CREATE TEMPORARY TABLES",
	"TRIGGER", NULL,
};

/* _ and % as LIKE has them, \ before what means itself. */
static bool
matches(const char *pattern, const char *end, const char *name)
{
	for (; pattern < end; pattern++, name++)
	{
		if (*pattern == '%')
		{
			for (; !matches(pattern + 1, end, name); name++)
			{
				if (*name == '\0')
					return false;
			}
			return true;
		}
		if (*pattern == '\\' && pattern + 1 < end)
			pattern++;
		else if (*pattern == '_' && *name != '\0')
			continue;
		if (tolower((unsigned char) *pattern) != tolower((unsigned char) *name))
			return false;
	}
	return *name == '\0';
}

/* The end of the privileges: " ON " outside of backticks and parentheses. */
static const char *
find_on(const char *line)
{
	bool quoted = false;

	for (; *line != '\0'; line++)
	{
		if (*line == '`')
			quoted = !quoted;
		else if (!quoted && strncmp(line, " ON ", 4) == 0)
			return line;
	}
	return NULL;
}

/* Is the object all databases, or all tables of the database? */
static bool
covers(const char *object, const char *database)
{
	const char *end;

	if (strncmp(object, "*.* ", 4) == 0)
		return true;
	if (*object != '`')
		return false;
	end = strchr(object + 1, '`');
	while (end != NULL && end[1] == '`')
		end = strchr(end + 2, '`');
	return end != NULL && strncmp(end, "`.* ", 4) == 0 &&
		   matches(object + 1, end, database);
}

/* A privilege of the list that is this word, and not for some columns only. */
static bool
lists(const char *list, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (list < end)
	{
		const char *p = list + strspn(list, " ");
		size_t left = (size_t) (end - p);

		if (left >= len && strncasecmp(p, word, len) == 0 &&
			(left == len || p[len] == ','))
			return true;
		/* a comma within parentheses begins with a backtick: no privilege */
		list = memchr(p, ',', left);
		if (list == NULL)
			return false;
		list++;
	}
	return false;
}

void
grants_add(const char *line, const char *database, Grants *grants)
{
	const char *on = find_on(line);
	const char *list = line + strlen("GRANT ");

	if (strncmp(line, "GRANT ", 6) != 0 || on == NULL ||
		!covers(on + 4, database))
		return;
	if (lists(list, on, "ALL PRIVILEGES") || lists(list, on, "ALL"))
		*grants |= GRANTS_ALL;
	for (int i = 0; grant_names[i] != NULL; i++)
	{
		if (lists(list, on, grant_names[i]))
			*grants |= (Grants) 1 << i;
	}
}

bool
grants_global(const char *line, const char *privilege)
{
	const char *on = find_on(line);
	const char *list = line + strlen("GRANT ");

	return strncmp(line, "GRANT ", 6) == 0 && on != NULL &&
		   strncmp(on + 4, "*.* ", 4) == 0 &&
		   (lists(list, on, "ALL PRIVILEGES") || lists(list, on, privilege));
}
