/*
 * mysql_url.h
 *		mysql://user:pass@host:port/db?ssl-mode=REQUIRED&...: read without
 *		connecting.
 *
 * Option names are those of the mysql client.  What the URL leaves out comes from
 * ~/.my.cnf ([client], [pg_portage]), where the URL always wins (mysql_cnf.c).
 */
#ifndef PORTAGE_MYSQL_URL_H
#define PORTAGE_MYSQL_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum SslMode
{
	SSL_MODE_UNSET,
	SSL_MODE_OFF, /* DISABLED */
	SSL_MODE_PREFER,
	SSL_MODE_REQUIRE,
	SSL_MODE_CA,	  /* VERIFY_CA */
	SSL_MODE_IDENTITY /* VERIFY_IDENTITY */
} SslMode;

typedef struct MyUrl
{
	const char *user; /* NULL: my.cnf, or the operating system's */
	const char *password;
	const char *host;
	int port; /* 0: unset */
	bool tcp; /* the URL itself names a port: no socket is meant */
	const char *database;
	const char *socket;
	SslMode ssl_mode;
	const char *ssl_ca;
	const char *ssl_capath;
	const char *ssl_cert;
	const char *ssl_key;
	const char *ssl_cipher;
	const char *tls_version;
	int connect_timeout_s; /* 0: unset */
	const char *defaults_file;
	bool compress;
	bool get_server_public_key; /* caching_sha2_password without TLS */
} MyUrl;

/* Is it for this driver?  mysql:// or mariadb:// */
bool mysql_url_matches(const char *url);

/*
 * Take a setting of this name; *known is false if there is none.  value becomes
 * part of url.
 */
bool mysql_url_option(const char *name, const char *value, MyUrl *url,
					  bool *known, Error *err) MUST_CHECK;

/* Strings live in arena.  P_URL, naming the word and what is near to it. */
bool mysql_url_parse(const char *url, Arena *arena, MyUrl *out,
					 Error *err) MUST_CHECK;

/*
 * Fill in what it leaves out from my.cnf.  Strings live in arena.  P_URL for a
 * file that the URL names and that cannot be read, or a value that is none.
 */
bool mysql_url_complete(MyUrl *url, Arena *arena, Error *err) MUST_CHECK;

bool mysql_url_check(const char *url, const char *side, Error *err) MUST_CHECK;

/* "mysql://user@host:port/database", for people. */
void mysql_url_display(const char *url, char *out, size_t size);

/* Overwrite every password in it with asterisks; the length stays. */
void mysql_url_hide_secrets(char *url);

#endif /* PORTAGE_MYSQL_URL_H */
