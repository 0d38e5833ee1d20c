/*
 * pg_url.h
 *		What can be said about a connection URL without connecting.
 *
 * A URL here is what libpq accepts: postgresql://..., postgres://..., or
 * key=value words.  It may hold passwords, so nothing here puts a part of it
 * into an error but what has been cleaned.
 */
#ifndef PORTAGE_PG_URL_H
#define PORTAGE_PG_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Is it for this driver? */
bool pg_url_matches(const char *url);

/* Can it be read?  P_URL; side is "source" or "target". */
bool pg_url_check(const char *url, const char *side, Error *err) MUST_CHECK;

/*
 * The database it leads to, by libpq's own defaults.  False if only connecting
 * can tell: a service file is involved.
 */
bool pg_url_database(const char *url, char *out, size_t size);

/* "postgresql://user@host:port/database", for people. */
void pg_url_display(const char *url, char *out, size_t size);

/* Overwrite every password in it with asterisks; the length stays. */
void pg_url_hide_secrets(char *url);

#endif /* PORTAGE_PG_URL_H */
