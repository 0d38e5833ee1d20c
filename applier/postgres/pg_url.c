/*
 * pg_url.c
 *		See pg_url.h.
 *
 * libpq puts the whole string into some of its messages about URLs.  They are
 * asked for with a copy whose passwords have been overwritten.
 */
#include "postgres/pg_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/mem.h"

#define PASSWORD_KEY "password"

static bool
is_uri(const char *url)
{
	return strncmp(url, "postgresql://", 13) == 0 ||
		   strncmp(url, "postgres://", 11) == 0;
}

bool
pg_url_matches(const char *url)
{
	return is_uri(url) ||
		   (strchr(url, '=') != NULL && strstr(url, "://") == NULL);
}

static void
mask(char *from, const char *to)
{
	while (from < to)
		*from++ = '*';
}

/*
 * Between the first colon behind the scheme and the last @ of all: more than
 * libpq would take for the password when a character in it is not escaped.
 */
static void
hide_in_authority(char *url)
{
	char *start = strstr(url, "://");
	char *colon;
	char *end;

	if (start == NULL)
		return;
	colon = strchr(start + 3, ':');
	end = strrchr(start + 3, '@');
	if (colon != NULL && end != NULL && colon < end)
		mask(colon + 1, end);
}

/* The value of a password parameter of a URI: up to the next one. */
static char *
hide_uri_value(char *value)
{
	char *end = value + strcspn(value, "&");

	mask(value, end);
	return end;
}

/* The value of a password word: quoted, or up to a blank; backslash escapes. */
static char *
hide_word_value(char *value)
{
	char *p = value;
	bool quoted = *p == '\'';

	if (quoted)
		value = ++p;
	while (*p != '\0' && (quoted ? *p != '\'' : !isspace((unsigned char) *p)))
	{
		if (*p == '\\' && p[1] != '\0')
			p++;
		p++;
	}
	mask(value, p);
	return quoted && *p != '\0' ? p + 1 : p;
}

void
pg_url_hide_secrets(char *url)
{
	bool uri = strstr(url, "://") != NULL;
	char *p = url;

	if (uri)
		hide_in_authority(url);
	/* "password" and what ends with it, such as sslpassword */
	while ((p = strstr(p, PASSWORD_KEY)) != NULL)
	{
		p += strlen(PASSWORD_KEY);
		while (!uri && isspace((unsigned char) *p))
			p++;
		if (*p != '=')
			continue;
		p++;
		while (!uri && isspace((unsigned char) *p))
			p++;
		p = uri ? hide_uri_value(p) : hide_word_value(p);
	}
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
	const PQconninfoOption *option;

	if (options == NULL)
		return NULL;
	for (option = options; option->keyword != NULL; option++)
	{
		if (strcmp(option->keyword, keyword) == 0)
			return option->val != NULL && option->val[0] != '\0' ? option->val
																 : NULL;
	}
	return NULL;
}

bool
pg_url_check(const char *url, const char *side, Error *err)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	char *clean;
	char *message = NULL;

	if (options != NULL)
	{
		PQconninfoFree(options);
		return true;
	}
	clean = mem_strdup(url);
	pg_url_hide_secrets(clean);
	options = PQconninfoParse(clean, &message);
	error_set(err, P_URL, "the %s URL cannot be read", side);
	if (options != NULL)
		error_hint(err, "escape special characters of the password as %%XX");
	else if (message != NULL)
		error_detail(err, "%s", message);
	PQconninfoFree(options);
	PQfreemem(message);
	mem_free(clean);
	return false;
}

bool
pg_url_database(const char *url, char *out, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	PQconninfoOption *defaults = NULL;
	const char *value = option_value(options, "dbname");

	if (value == NULL && option_value(options, "service") == NULL)
	{
		defaults = PQconndefaults();
		value = option_value(defaults, "dbname");
		if (value == NULL && getenv("PGSERVICE") == NULL)
			value = option_value(options, "user");
		if (value == NULL && getenv("PGSERVICE") == NULL)
			value = option_value(defaults, "user");
	}
	if (value != NULL)
		snprintf(out, size, "%s", value);
	PQconninfoFree(options);
	PQconninfoFree(defaults);
	return value != NULL;
}

void
pg_url_display(const char *url, char *out, size_t size)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	const char *service = option_value(options, "service");
	const char *user = option_value(options, "user");
	const char *host = option_value(options, "host");
	const char *port = option_value(options, "port");
	char database[128] = "";

	if (host == NULL)
		host = option_value(options, "hostaddr");
	if (host == NULL && service != NULL)
		snprintf(out, size, "service=%s", service);
	else
	{
		/* a name that is too long is only cut in what people see */
		if (!pg_url_database(url, database, sizeof(database)))
			database[0] = '\0';
		snprintf(out, size, "postgresql://%s%s%s%s%s/%s",
				 user != NULL ? user : "", user != NULL ? "@" : "",
				 host != NULL ? host : "", port != NULL ? ":" : "",
				 port != NULL ? port : "", database);
	}
	PQconninfoFree(options);
}
