/*
 * mysql_cnf.c
 *		What the URL leaves out: from my.cnf, groups [client] and [pg_portage].
 *
 * The client libraries read these files as well, but they let them win over
 * what they are told, so that a file could weaken the TLS that a URL asks for.
 * Here the URL wins, then the last that is read.  Options that are not about
 * connecting are none of ours.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "mysql/mysql_url.h"

#define INCLUDE_DEPTH 10
#define PORT_MAX 65535

typedef struct Reader
{
	MyUrl *found;
	Arena *arena;
	Error *err;
	int depth;
} Reader;

static bool read_file(Reader *reader, const char *path, bool must_exist);

/* ------------------------------------------------------------------- words */

static char *
trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char) end[-1]))
		end--;
	*end = '\0';
	return text + strspn(text, " \t\r\n");
}

/* Of a quoted value or a plain one, up to a comment; backslash escapes. */
static const char *
unquote(const char *text, Arena *arena)
{
	static const char letters[] = "btnrs\\\"'";
	static const char bytes[] = "\b\t\n\r \\\"'";
	char quote = *text == '\'' || *text == '"' ? *text : '\0';
	char *value = arena_alloc(arena, strlen(text) + 1);
	size_t len = 0;

	for (text += quote != '\0'; *text != '\0' && *text != quote; text++)
	{
		const char *letter = *text == '\\' && text[1] != '\0'
								 ? strchr(letters, text[1])
								 : NULL;

		if (quote == '\0' && *text == '#')
			break;
		value[len++] = letter != NULL ? bytes[letter - letters] : *text;
		text += letter != NULL;
	}
	value[len] = '\0';
	return quote != '\0' ? value : trim(value);
}

/* ----------------------------------------------------------------- options */

static bool
is_yes(const char *value)
{
	return value[0] == '\0' || strcmp(value, "1") == 0 ||
		   strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0;
}

/* How MariaDB's client says it. */
static bool
take_mariadb_tls(MyUrl *found, const char *name, const char *value)
{
	bool skip = strcmp(name, "skip-ssl") == 0 ||
				strcmp(name, "disable-ssl") == 0;

	if (skip || strcmp(name, "ssl") == 0)
		found->ssl_mode = is_yes(value) == skip ? SSL_MODE_OFF
												: SSL_MODE_REQUIRE;
	else if (strcmp(name, "ssl-verify-server-cert") == 0)
	{
		if (is_yes(value))
			found->ssl_mode = SSL_MODE_IDENTITY;
	}
	else
		return false;
	return true;
}

static bool
take_port(Reader *reader, const char *value)
{
	char *end;
	long port = strtol(value, &end, 10);

	/* 0 is said for none */
	if (end == value || *end != '\0' || port < 0 || port > PORT_MAX)
		return error_set(reader->err, P_URL, "the port \"%.20s\" is none",
						 value);
	reader->found->port = (int) port;
	return true;
}

static bool
take_option(Reader *reader, const char *name, const char *value)
{
	MyUrl *found = reader->found;
	bool known;

	if (strcmp(name, "user") == 0)
		found->user = value;
	else if (strcmp(name, "password") == 0)
		found->password = value;
	else if (strcmp(name, "host") == 0)
		found->host = value;
	else if (strcmp(name, "database") == 0)
		found->database = value;
	else if (strcmp(name, "port") == 0)
		return take_port(reader, value);
	else if (strcmp(name, "defaults-file") != 0 &&
			 !take_mariadb_tls(found, name, value))
		return mysql_url_option(name, value, found, &known, reader->err);
	return true;
}

/* name = value; - and _ are the same, "loose-" is for others. */
static bool
take_line(Reader *reader, char *line)
{
	char *equals = strchr(line, '=');
	char *name;

	if (equals != NULL)
		*equals = '\0';
	name = trim(line);
	for (char *p = name; *p != '\0'; p++)
	{
		if (*p == '_')
			*p = '-';
	}
	if (strncmp(name, "loose-", 6) == 0)
		name += 6;
	return take_option(reader, arena_strdup(reader->arena, name),
					   equals != NULL ? unquote(trim(equals + 1), reader->arena)
									  : "");
}

/* ------------------------------------------------------------------- files */

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_cnf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".cnf") == 0;
}

static bool
include_folder(Reader *reader, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_cnf, by_name);
	bool ok = true;

	for (int i = 0; i < count; i++)
	{
		ok = ok && read_file(reader,
							 arena_printf(reader->arena, "%s/%s", path,
										  entries[i]->d_name),
							 false);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return ok;
}

static bool
include(Reader *reader, char *line)
{
	static const char folder[] = "!includedir ";
	static const char file[] = "!include ";
	bool ok = true;

	if (reader->depth == INCLUDE_DEPTH)
		return true;
	reader->depth++;
	if (strncmp(line, folder, sizeof(folder) - 1) == 0)
		ok = include_folder(reader, trim(line + sizeof(folder) - 1));
	else if (strncmp(line, file, sizeof(file) - 1) == 0)
		ok = read_file(reader, trim(line + sizeof(file) - 1), false);
	reader->depth--;
	return ok;
}

static bool
is_our_group(const char *line)
{
	static const char *const groups[] = { "[client]", "[client-server]",
										  "[client-mariadb]", "[pg_portage]" };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
	{
		if (strncmp(line, groups[i], strlen(groups[i])) == 0)
			return true;
	}
	return false;
}

static bool
read_lines(Reader *reader, FILE *file, const char *path)
{
	bool ours = false;
	bool ok = true;
	char *line = NULL;
	size_t size = 0;

	while (ok && getline(&line, &size, file) >= 0)
	{
		char *text = trim(line);

		if (*text == '[')
			ours = is_our_group(text);
		else if (*text == '!')
			ok = include(reader, text);
		else if (ours && *text != '#' && *text != ';' && *text != '\0')
			ok = take_line(reader, text);
	}
	/* a line may hold a password */
	if (line != NULL)
		explicit_bzero(line, size);
	free(line);
	return ok || error_wrap(reader->err, "%s", path);
}

static bool
read_file(Reader *reader, const char *path, bool must_exist)
{
	FILE *file = fopen(path, "re");
	struct stat info;
	bool ok = true;

	if (file == NULL)
		return !must_exist ||
			   error_set(reader->err, P_URL, "defaults-file %s: %s", path,
						 strerror(errno));
	/* the client programs do not believe it either */
	if (fstat(fileno(file), &info) == 0 && (info.st_mode & S_IWOTH) != 0)
		log_warning("%s is not read: everybody may write to it", path);
	else
		ok = read_lines(reader, file, path);
	fclose(file);
	return ok;
}

static const char *
home_file(Arena *arena)
{
	const char *home = getenv("HOME");
	char buffer[4096];
	struct passwd entry;
	struct passwd *found = NULL;

	if (home == NULL &&
		getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 &&
		found != NULL)
		home = entry.pw_dir;
	return home != NULL ? arena_printf(arena, "%s/.my.cnf", home) : NULL;
}

static bool
read_files(Reader *reader, const char *defaults_file)
{
	const char *home;

	if (defaults_file != NULL)
		return read_file(reader, defaults_file, true);
	home = home_file(reader->arena);
	return read_file(reader, "/etc/my.cnf", false) &&
		   read_file(reader, "/etc/mysql/my.cnf", false) &&
		   (home == NULL || read_file(reader, home, false));
}

/* ----------------------------------------------------------------- the sum */

#define FILL(field)               \
	do                            \
	{                             \
		if (url->field == 0)      \
			url->field = f.field; \
	} while (0)

bool
mysql_url_complete(MyUrl *url, Arena *arena, Error *err)
{
	MyUrl f = { 0 };
	Reader reader = { .found = &f, .arena = arena, .err = err };
	bool placed = url->host != NULL || url->socket != NULL;

	if (!read_files(&reader, url->defaults_file))
		return false;
	/* a socket of the file's is not the way to a host of the URL's */
	if (!placed)
	{
		FILL(host);
		FILL(socket);
	}
	if (url->socket == NULL)
		FILL(port);
	FILL(user);
	FILL(password);
	FILL(database);
	FILL(ssl_mode);
	FILL(ssl_ca);
	FILL(ssl_capath);
	FILL(ssl_cert);
	FILL(ssl_key);
	FILL(ssl_cipher);
	FILL(tls_version);
	FILL(connect_timeout_s);
	FILL(compress);
	FILL(get_server_public_key);
	/* as the mysql client has it: who names an authority wants it asked */
	if (url->ssl_mode == SSL_MODE_UNSET &&
		(url->ssl_ca != NULL || url->ssl_capath != NULL))
		url->ssl_mode = SSL_MODE_CA;
	return true;
}
