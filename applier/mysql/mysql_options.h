/*
 * mysql_options.h
 *		What the URL says, in the words of the client library that is used.
 */
#ifndef PORTAGE_MYSQL_OPTIONS_H
#define PORTAGE_MYSQL_OPTIONS_H

#include <mysql.h>

#include "base/error.h"
#include "mysql/mysql_url.h"

/* Before connecting.  P_URL for what this library cannot do. */
bool my_options_apply(MYSQL *my, const MyUrl *url, int connect_timeout_s,
					  Error *err) MUST_CHECK;

/* Once connected: is it encrypted if that was asked for?  P_CONNECT. */
bool my_options_verify(MYSQL *my, const MyUrl *url, Error *err) MUST_CHECK;

#endif /* PORTAGE_MYSQL_OPTIONS_H */
