/*
 * mysql_url.c
 *		See mysql_url.h.
 *
 * Nothing of a password gets into an error: neither the part before the last @,
 * nor the value of any option.
 */
#include "mysql/mysql_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/slice.h"
#include "base/suggest.h"

#define CONNECT_TIMEOUT_MAX_S 86400
#define PORT_MAX 65535

/* What an option is called, and how its text becomes a value. */
typedef enum OptionKind
{
	OPTION_TEXT,
	OPTION_SECONDS,
	OPTION_FLAG,
	OPTION_SSL_MODE
} OptionKind;

typedef struct UrlOption
{
	const char *name;
	OptionKind kind;
	size_t offset; /* in MyUrl */
} UrlOption;

static const UrlOption url_options[] = {
	{ "ssl-mode", OPTION_SSL_MODE, offsetof(MyUrl, ssl_mode) },
	{ "ssl-ca", OPTION_TEXT, offsetof(MyUrl, ssl_ca) },
	{ "ssl-capath", OPTION_TEXT, offsetof(MyUrl, ssl_capath) },
	{ "ssl-cert", OPTION_TEXT, offsetof(MyUrl, ssl_cert) },
	{ "ssl-key", OPTION_TEXT, offsetof(MyUrl, ssl_key) },
	{ "ssl-cipher", OPTION_TEXT, offsetof(MyUrl, ssl_cipher) },
	{ "tls-version", OPTION_TEXT, offsetof(MyUrl, tls_version) },
	{ "connect-timeout", OPTION_SECONDS, offsetof(MyUrl, connect_timeout_s) },
	{ "defaults-file", OPTION_TEXT, offsetof(MyUrl, defaults_file) },
	{ "socket", OPTION_TEXT, offsetof(MyUrl, socket) },
	{ "compress", OPTION_FLAG, offsetof(MyUrl, compress) },
	{ "get-server-public-key", OPTION_FLAG,
	  offsetof(MyUrl, get_server_public_key) },
};

#define URL_OPTION_COUNT ((int) (sizeof(url_options) / sizeof(url_options[0])))

static const char *const ssl_mode_words[] = { "DISABLED",		 "PREFERRED",
											  "REQUIRED",		 "VERIFY_CA",
											  "VERIFY_IDENTITY", NULL };

static const SslMode ssl_modes[] = { SSL_MODE_OFF, SSL_MODE_PREFER,
									 SSL_MODE_REQUIRE, SSL_MODE_CA,
									 SSL_MODE_IDENTITY };

/* Behind the scheme, or NULL if it is another's. */
static const char *
url_rest(const char *url)
{
	if (strncmp(url, "mysql://", 8) == 0)
		return url + 8;
	if (strncmp(url, "mariadb://", 10) == 0)
		return url + 10;
	return NULL;
}

bool
mysql_url_matches(const char *url)
{
	return url_rest(url) != NULL;
}

/* %XX becomes a byte, but not NUL; what: "the user", for the message. */
static bool
decode(Slice in, const char *what, Arena *arena, const char **out, Error *err)
{
	char *text = arena_alloc(arena, in.len + 1);
	size_t used = 0;

	for (size_t i = 0; i < in.len; i++)
	{
		int high;
		int low;

		if (in.data[i] != '%')
		{
			text[used++] = in.data[i];
			continue;
		}
		high = i + 2 < in.len ? hex_digit(in.data[i + 1]) : -1;
		low = i + 2 < in.len ? hex_digit(in.data[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return error_set(err, P_URL, "%s has a %% without its two digits",
							 what) ||
				   error_hint(err, "write %% itself as %%25");
		text[used++] = (char) (high * 16 + low);
		i += 2;
	}
	text[used] = '\0';
	*out = text;
	return true;
}

static bool
parse_number(const char *text, int max, int *out)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtol(text, &end, 10);
	if (*end != '\0' || value < 1 || value > max)
		return false;
	*out = (int) value;
	return true;
}

static bool
parse_ssl_mode(const char *text, SslMode *mode, Error *err)
{
	const char *near;

	for (int i = 0; ssl_mode_words[i] != NULL; i++)
	{
		if (strcasecmp(text, ssl_mode_words[i]) == 0)
		{
			*mode = ssl_modes[i];
			return true;
		}
	}
	error_set(err, P_URL,
			  "ssl-mode is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or "
			  "VERIFY_IDENTITY");
	near = suggest(text, ssl_mode_words);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	return false;
}

static bool
parse_flag(const char *text, const char *name, bool *flag, Error *err)
{
	static const char *const yes[] = { "", "1", "true", "on", "yes" };
	static const char *const no[] = { "0", "false", "off", "no" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
	{
		if (strcasecmp(text, yes[i]) == 0)
			return *flag = true;
	}
	*flag = false;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
	{
		if (strcasecmp(text, no[i]) == 0)
			return true;
	}
	return error_set(err, P_URL, "%s is 1 or 0", name);
}

bool
mysql_url_option(const char *name, const char *value, MyUrl *url, bool *known,
				 Error *err)
{
	const UrlOption *option = url_options;
	const UrlOption *end = url_options + URL_OPTION_COUNT;
	char *place;

	while (option < end && strcmp(option->name, name) != 0)
		option++;
	*known = option < end;
	if (!*known)
		return true;
	place = (char *) url + option->offset;
	switch (option->kind)
	{
		case OPTION_TEXT:
			if (*value == '\0')
				return error_set(err, P_URL, "%s has no value", name);
			*(const char **) place = value;
			return true;
		case OPTION_SECONDS:
			return parse_number(value, CONNECT_TIMEOUT_MAX_S, (int *) place) ||
				   error_set(err, P_URL, "%s is seconds, 1 to %d", name,
							 CONNECT_TIMEOUT_MAX_S);
		case OPTION_FLAG:
			return parse_flag(value, name, (bool *) place, err);
		case OPTION_SSL_MODE:
			return parse_ssl_mode(value, (SslMode *) place, err);
	}
	return true;
}

static bool
refuse_option(const char *name, Error *err)
{
	const char *names[URL_OPTION_COUNT + 1];
	const char *near;

	for (int i = 0; i < URL_OPTION_COUNT; i++)
		names[i] = url_options[i].name;
	names[URL_OPTION_COUNT] = NULL;
	/* whatever has a name like that may be followed by a secret */
	error_set(err, P_URL, "there is no option \"%.40s\"", name);
	near = suggest(name, names);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	else if (strncasecmp(name, "password", 8) == 0)
		error_hint(err, "the password stands behind the user, as in "
						"mysql://user:password@host/, or in ~/.my.cnf");
	else
		error_hint(err, "options are called as those of the mysql client: "
						"ssl-mode, ssl-ca, connect-timeout, socket ...");
	return false;
}

/* name=value&name=value */
static bool
parse_options(Slice text, Arena *arena, MyUrl *out, Error *err)
{
	while (text.len > 0)
	{
		const char *end = memchr(text.data, '&', text.len);
		size_t len = end != NULL ? (size_t) (end - text.data) : text.len;
		const char *equals = memchr(text.data, '=', len);
		size_t name_len = equals != NULL ? (size_t) (equals - text.data) : len;
		const char *name = "";
		const char *value = "";
		bool known;

		if (!decode((Slice){ text.data, name_len }, "an option's name", arena,
					&name, err) ||
			(equals != NULL &&
			 !decode((Slice){ equals + 1, len - name_len - 1 }, name, arena,
					 &value, err)))
			return false;
		if (len > 0 && !mysql_url_option(name, value, out, &known, err))
			return false;
		if (len > 0 && !known)
			return refuse_option(name, err);
		len += end != NULL;
		text.data += len;
		text.len -= len;
	}
	return true;
}

static bool
parse_host(Slice host, Arena *arena, MyUrl *out, Error *err)
{
	if (!decode(host, "the host", arena, &out->host, err))
		return false;
	if (out->host[0] == '/')
	{
		out->socket = out->host;
		out->host = NULL;
	}
	else if (out->host[0] == '\0')
		out->host = NULL;
	else if (strchr(out->host, ',') != NULL)
		return error_set(err, P_URL, "there may be only one host");
	return true;
}

/* host, host:port, [address]:port; the host may be a socket's path: %2F... */
static bool
parse_place(Slice place, Arena *arena, MyUrl *out, Error *err)
{
	Slice host = place;
	const char *rest = place.data + place.len;
	const char *end = place.data + place.len;
	char *port;

	if (place.len > 0 && place.data[0] == '[')
	{
		rest = memchr(place.data, ']', place.len);
		if (rest == NULL)
			return error_set(err, P_URL, "the address has no ]");
		host.data++;
		host.len = (size_t) (rest - host.data);
		rest++;
	}
	else if (memchr(place.data, ':', place.len) != NULL)
	{
		rest = memchr(place.data, ':', place.len);
		host.len = (size_t) (rest - place.data);
	}
	if (!parse_host(host, arena, out, err))
		return false;
	if (rest == end)
		return true;
	port = arena_strndup(arena, rest + 1, (size_t) (end - rest - 1));
	if (*rest != ':' || !parse_number(port, PORT_MAX, &out->port))
		return error_set(err, P_URL,
						 "behind the host there is no port of 1 to 65535") ||
			   error_hint(err, "an IPv6 address stands in brackets, special "
							   "characters of the password as %%XX");
	out->tcp = true;
	return true;
}

/* user, user:password */
static bool
parse_login(Slice login, Arena *arena, MyUrl *out, Error *err)
{
	const char *colon = memchr(login.data, ':', login.len);
	Slice user = login;

	if (colon != NULL)
	{
		Slice password = { colon + 1,
						   (size_t) (login.data + login.len - colon - 1) };

		user.len = (size_t) (colon - login.data);
		if (!decode(password, "the password", arena, &out->password, err))
			return false;
	}
	if (!decode(user, "the user", arena, &out->user, err))
		return false;
	if (user.len == 0)
		out->user = NULL;
	return true;
}

/* The last @ of a slice, because a password may hold one, or NULL. */
static const char *
last_at(Slice text)
{
	return memrchr(text.data, '@', text.len);
}

static bool
url_parse(const char *rest, Arena *arena, MyUrl *out, Error *err)
{
	Slice authority = { rest, strcspn(rest, "/?#") };
	const char *at = last_at(authority);
	const char *path = rest + authority.len;
	Slice place = authority;
	Slice database = { path, 0 };

	if (at == NULL && strchr(path, '@') != NULL)
		return error_set(err, P_URL, "an @ stands behind the host") ||
			   error_hint(err, "escape special characters of the password as "
							   "%%XX: / is %%2F, ? is %%3F, # is %%23");
	if (at != NULL)
	{
		Slice login = { rest, (size_t) (at - rest) };

		place.data = at + 1;
		place.len -= login.len + 1;
		if (!parse_login(login, arena, out, err))
			return false;
	}
	if (!parse_place(place, arena, out, err))
		return false;
	if (*path == '/')
	{
		database.data = ++path;
		database.len = strcspn(path, "?#/");
		path += database.len;
	}
	if (!decode(database, "the database", arena, &out->database, err))
		return false;
	if (database.len == 0)
		out->database = NULL;
	if (*path == '?')
	{
		Slice options = { path + 1, strcspn(path + 1, "#") };

		if (!parse_options(options, arena, out, err))
			return false;
		path += 1 + options.len;
	}
	return *path == '\0' ||
		   error_set(err, P_URL, "there is a %c behind the database", *path) ||
		   error_hint(err, "escape it as %%%02X", (unsigned) *path);
}

bool
mysql_url_parse(const char *url, Arena *arena, MyUrl *out, Error *err)
{
	const char *rest = url_rest(url);

	memset(out, 0, sizeof(*out));
	if (rest == NULL)
		return error_set(err, P_URL, "it begins with mysql:// or mariadb://");
	if (!url_parse(rest, arena, out, err))
		return false;
	if (out->socket != NULL && (out->host != NULL || out->port != 0) &&
		(out->host == NULL || strcmp(out->host, "localhost") != 0 ||
		 out->port != 0))
		return error_set(err, P_URL, "a socket and a host exclude each other");
	return true;
}

bool
mysql_url_check(const char *url, const char *side, Error *err)
{
	Arena arena;
	MyUrl parsed;
	bool ok;

	arena_init(&arena);
	ok = mysql_url_parse(url, &arena, &parsed, err);
	arena_release(&arena);
	if (!ok)
		error_wrap(err, "the %s URL cannot be read", side);
	return ok;
}

void
mysql_url_display(const char *url, char *out, size_t size)
{
	Error ignored = ERROR_INIT;
	Arena arena;
	MyUrl it;
	char port[16] = "";
	const char *place;
	bool brackets;

	arena_init(&arena);
	if (!mysql_url_parse(url, &arena, &it, &ignored))
		snprintf(out, size, "mysql://");
	else
	{
		if (it.port != 0)
			snprintf(port, sizeof(port), ":%d", it.port);
		place = it.host != NULL ? it.host : it.socket != NULL ? it.socket : "";
		brackets = it.host != NULL && strchr(it.host, ':') != NULL;
		snprintf(out, size, "mysql://%s%s%s%s%s%s/%s",
				 it.user != NULL ? it.user : "", it.user != NULL ? "@" : "",
				 brackets ? "[" : "", place, brackets ? "]" : "", port,
				 it.database != NULL ? it.database : "");
	}
	arena_release(&arena);
}

/*
 * Between the first colon behind the scheme and the last @ of all, which is more
 * than the password where a character in it is not escaped; and the value of
 * whatever is called password.
 */
void
mysql_url_hide_secrets(char *url)
{
	char *start = strstr(url, "://");
	char *p = url;
	char *colon;
	char *at;

	if (start != NULL)
	{
		colon = strchr(start + 3, ':');
		at = strrchr(start + 3, '@');
		if (colon != NULL && at != NULL && colon < at)
			memset(colon + 1, '*', (size_t) (at - colon - 1));
	}
	while ((p = strcasestr(p, "password")) != NULL)
	{
		p += strlen("password");
		if (*p == '=')
			memset(p + 1, '*', strcspn(p + 1, "&"));
	}
}
