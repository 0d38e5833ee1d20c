/*
 * mysql_options.c
 *		See mysql_options.h.  The only file that knows which library it is.
 *
 * libmysqlclient has the modes of ssl-mode.  Connector/C has two switches:
 * whether to encrypt, and whether to verify certificate and host name, both or
 * neither.  So VERIFY_CA verifies the host name as well there: never less than
 * was asked for.
 */
#include "mysql/mysql_options.h"

#include <string.h>

#ifdef MARIADB_PACKAGE_VERSION_ID
typedef my_bool MyFlag;
#else
typedef bool MyFlag;
#endif

static bool
set_option(MYSQL *my, enum mysql_option option, const void *value,
		   const char *name, Error *err)
{
	return mysql_options(my, option, value) == 0 ||
		   error_set(err, P_URL, "the client library does not take %s", name);
}

static bool
set_text(MYSQL *my, enum mysql_option option, const char *value,
		 const char *name, Error *err)
{
	return value == NULL || set_option(my, option, value, name, err);
}

#ifdef MARIADB_PACKAGE_VERSION_ID

static bool
set_ssl_mode(MYSQL *my, SslMode mode, Error *err)
{
	MyFlag encrypt = mode != SSL_MODE_OFF;
	MyFlag verify = mode == SSL_MODE_CA || mode == SSL_MODE_IDENTITY;

	return set_option(my, MYSQL_OPT_SSL_ENFORCE, &encrypt, "ssl-mode", err) &&
		   set_option(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify, "ssl-mode",
					  err);
}

static bool
set_compress(MYSQL *my, Error *err)
{
	return set_option(my, MYSQL_OPT_COMPRESS, NULL, "compress", err);
}

/* Connector/C asks for it whenever it needs it. */
static bool
set_public_key(MYSQL *my, Error *err)
{
	(void) my;
	(void) err;
	return true;
}

#else

static bool
set_ssl_mode(MYSQL *my, SslMode mode, Error *err)
{
	static const unsigned int modes[] = {
		[SSL_MODE_UNSET] = SSL_MODE_PREFERRED,
		[SSL_MODE_OFF] = SSL_MODE_DISABLED,
		[SSL_MODE_PREFER] = SSL_MODE_PREFERRED,
		[SSL_MODE_REQUIRE] = SSL_MODE_REQUIRED,
		[SSL_MODE_CA] = SSL_MODE_VERIFY_CA,
		[SSL_MODE_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
	};

	return set_option(my, MYSQL_OPT_SSL_MODE, &modes[mode], "ssl-mode", err);
}

static bool
set_compress(MYSQL *my, Error *err)
{
	return set_option(my, MYSQL_OPT_COMPRESSION_ALGORITHMS, "zstd,zlib",
					  "compress", err);
}

static bool
set_public_key(MYSQL *my, Error *err)
{
	MyFlag ask = true;

	return set_option(my, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &ask,
					  "get-server-public-key", err);
}

#endif

/* What never leaves the machine is encrypted only if that is asked for. */
static SslMode
mode_of(const MyUrl *url)
{
	bool local = !url->tcp && (url->socket != NULL || url->host == NULL ||
							   strcmp(url->host, "localhost") == 0);

	return local && url->ssl_mode <= SSL_MODE_PREFER ? SSL_MODE_OFF
													 : url->ssl_mode;
}

static bool
set_tls(MYSQL *my, const MyUrl *url, Error *err)
{
	return set_text(my, MYSQL_OPT_SSL_CA, url->ssl_ca, "ssl-ca", err) &&
		   set_text(my, MYSQL_OPT_SSL_CAPATH, url->ssl_capath, "ssl-capath",
					err) &&
		   set_text(my, MYSQL_OPT_SSL_CERT, url->ssl_cert, "ssl-cert", err) &&
		   set_text(my, MYSQL_OPT_SSL_KEY, url->ssl_key, "ssl-key", err) &&
		   set_text(my, MYSQL_OPT_SSL_CIPHER, url->ssl_cipher, "ssl-cipher",
					err) &&
		   set_text(my, MYSQL_OPT_TLS_VERSION, url->tls_version, "tls-version",
					err) &&
		   set_ssl_mode(my, mode_of(url), err);
}

bool
my_options_apply(MYSQL *my, const MyUrl *url, int connect_timeout_s, Error *err)
{
	unsigned int timeout = (unsigned int) connect_timeout_s;
	unsigned int protocol = MYSQL_PROTOCOL_TCP;
	unsigned int local_infile = 1;

	/* else both libraries take the socket for localhost, whatever the port */
	if (url->tcp &&
		!set_option(my, MYSQL_OPT_PROTOCOL, &protocol, "a port", err))
		return false;
	if ((url->compress && !set_compress(my, err)) ||
		(url->get_server_public_key && !set_public_key(my, err)))
		return false;
	return set_option(my, MYSQL_OPT_CONNECT_TIMEOUT, &timeout,
					  "connect-timeout", err) &&
		   set_option(my, MYSQL_OPT_LOCAL_INFILE, &local_infile,
					  "LOAD DATA LOCAL", err) &&
		   set_option(my, MYSQL_SET_CHARSET_NAME, "utf8mb4", "utf8mb4", err) &&
		   set_tls(my, url, err);
}

bool
my_options_verify(MYSQL *my, const MyUrl *url, Error *err)
{
	if (url->ssl_mode <= SSL_MODE_PREFER || mysql_get_ssl_cipher(my) != NULL)
		return true;
	return error_set(err, P_CONNECT, "the server does not offer TLS") ||
		   error_hint(err, "have it offer TLS, or ask for less: ssl-mode");
}
