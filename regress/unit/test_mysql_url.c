/*
 * test_mysql_url.c
 *		mysql:// URLs, read without connecting; what my.cnf adds to them.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mysql/mysql_url.h"
#include "tap.h"

static Arena arena;
static Error err;
static MyUrl url;

static bool
parse(const char *text)
{
	error_clear(&err);
	arena_reset(&arena);
	return mysql_url_parse(text, &arena, &url, &err);
}

#define refuses(text, words, help)                                          \
	ok(!parse(text) && err.code == P_URL && strstr(err.message, (words)) && \
		   strstr(err.hint, (help)),                                        \
	   "%s is refused: %s; %s", text, err.message, err.hint)

static void
test_places(void)
{
	ok(parse("mysql://u:p@h:3307/db"), "everything");
	is_str(url.user, "u", "the user");
	is_str(url.password, "p", "the password");
	is_str(url.host, "h", "the host");
	is_int(url.port, 3307, "the port");
	ok(url.tcp, "a port means TCP");
	is_str(url.database, "db", "the database");
	ok(url.socket == NULL, "no socket");

	ok(parse("mariadb://h"), "a host alone, of the other scheme");
	ok(url.user == NULL && url.password == NULL && url.database == NULL &&
		   url.port == 0 && !url.tcp,
	   "nothing else");
	ok(parse("mysql:///db") && url.host == NULL, "no host");
	ok(parse("mysql://u@/db") && url.host == NULL, "a user without a host");
	is_str(url.user, "u", "the user of no host");
	ok(parse("mysql://:p@h/db") && url.user == NULL, "a password, no user");
	is_str(url.password, "p", "the password of no user");
	ok(parse("mysql://u:@h/db"), "an empty password");
	is_str(url.password, "", "that is not none");
	ok(parse("mysql://[::1]:3306/db"), "an IPv6 address");
	is_str(url.host, "::1", "without its brackets");
	is_int(url.port, 3306, "with a port");
	ok(parse("mysql://[fe80::1%25eth0]/db"), "with a zone");
	is_str(url.host, "fe80::1%eth0", "the zone");
	ok(parse("mysql://u@%2Frun%2Fm.sock/db"), "a socket as the host");
	ok(url.host == NULL, "is no host");
	is_str(url.socket, "/run/m.sock", "but a socket");
	ok(parse("mysql://localhost/db?socket=/run/m.sock"), "a socket by name");
	is_str(url.socket, "/run/m.sock", "the same");
}

static void
test_escapes(void)
{
	ok(parse("mysql://a%40b:x%3Ay%2F%3F%23%25%26%3D@h/d%2Fb"), "escapes");
	is_str(url.user, "a@b", "of the user");
	is_str(url.password, "x:y/?#%&=", "of the password");
	is_str(url.database, "d/b", "of the database");
	ok(parse("mysql://u:a@b:c@h/db"), "an @ and a : in the password");
	is_str(url.password, "a@b:c", "count if they cannot mean anything else");
	is_str(url.host, "h", "the host is behind the last @");
	ok(parse("mysql://u:%e4%C3%84@h/db"), "any bytes");
	is_str(url.password, "\xe4\xc3\x84", "as they are");
}

static void
test_options(void)
{
	ok(parse("mysql://h/db?ssl-mode=REQUIRED&ssl-ca=%2Fa&ssl-capath=/b&"
			 "ssl-cert=c&ssl-key=d&ssl-cipher=e&tls-version=TLSv1.3&"
			 "connect-timeout=7&defaults-file=/f&compress"),
	   "every option");
	is_int(url.ssl_mode, SSL_MODE_REQUIRE, "ssl-mode");
	is_str(url.ssl_ca, "/a", "ssl-ca");
	is_str(url.ssl_capath, "/b", "ssl-capath");
	is_str(url.ssl_cert, "c", "ssl-cert");
	is_str(url.ssl_key, "d", "ssl-key");
	is_str(url.ssl_cipher, "e", "ssl-cipher");
	is_str(url.tls_version, "TLSv1.3", "tls-version");
	is_int(url.connect_timeout_s, 7, "connect-timeout");
	is_str(url.defaults_file, "/f", "defaults-file");
	ok(url.compress, "compress");
	ok(parse("mysql://h?ssl-mode=verify_identity&compress=0&"), "no database");
	is_int(url.ssl_mode, SSL_MODE_IDENTITY, "case does not count");
	ok(!url.compress, "compress=0");
}

static void
test_refusals(void)
{
	refuses("postgresql://h/db", "begins with mysql://", "");
	refuses("mysql://h/db?ssl-mod=x", "\"ssl-mod\"", "ssl-mode");
	refuses("mysql://h/db?ssl_ca=x", "\"ssl_ca\"", "ssl-ca");
	refuses("mysql://h/db?sslmode=x", "\"sslmode\"", "ssl-mode");
	refuses("mysql://h/db?charset=x", "\"charset\"", "ssl-mode, ssl-ca");
	refuses("mysql://h/db?password=secret", "\"password\"", "behind the user");
	refuses("mysql://h/db?ssl-mode=REQUIRE", "ssl-mode is", "REQUIRED");
	refuses("mysql://h/db?ssl-mode=", "ssl-mode is", "");
	refuses("mysql://h/db?ssl-ca", "ssl-ca has no value", "");
	refuses("mysql://h/db?connect-timeout=0", "connect-timeout is seconds", "");
	refuses("mysql://h/db?connect-timeout=5s", "connect-timeout is", "");
	refuses("mysql://h/db?compress=maybe", "compress is 1 or 0", "");
	refuses("mysql://h:0/db", "no port", "%XX");
	refuses("mysql://h:65536/db", "no port", "");
	refuses("mysql://h:/db", "no port", "");
	refuses("mysql://::1/db", "no port", "brackets");
	refuses("mysql://[::1/db", "no ]", "");
	refuses("mysql://[::1]x/db", "no port", "");
	refuses("mysql://a,b/db", "one host", "");
	refuses("mysql://h/a/b", "a / behind the database", "%2F");
	refuses("mysql://h/a#b", "a # behind the database", "%23");
	refuses("mysql://u:sec/ret@h/db", "@ stands behind", "%2F");
	refuses("mysql://u:se?cret@h/db", "@ stands behind", "%3F");
	refuses("mysql://u:100%@h/db", "password has a %", "%25");
	refuses("mysql://u:%0@h/db", "password has a %", "");
	refuses("mysql://u:%00@h/db", "password has a %", "");
	refuses("mysql://h:3306/db?socket=/s", "exclude each other", "");
	refuses("mysql://%2Fs:3306/db", "exclude each other", "");
	ok(!mysql_url_check("mysql://u:sec%ret@h/db", "target", &err) &&
		   strstr(err.message, "the target URL cannot be read") != NULL &&
		   strstr(err.message, "sec") == NULL,
	   "a password is not in the error: %s", err.message);
	ok(mysql_url_check("mysql://u:p@h/db", "target", &err), "a good one");
	ok(!mysql_url_matches("postgresql://h") && !mysql_url_matches("h") &&
		   mysql_url_matches("mariadb://h"),
	   "whose it is");
}

static void
hidden(const char *text, const char *want)
{
	char copy[200];

	snprintf(copy, sizeof(copy), "%s", text);
	mysql_url_hide_secrets(copy);
	is_str(copy, want, text);
}

static void
shown(const char *text, const char *want)
{
	char out[200];

	mysql_url_display(text, out, sizeof(out));
	is_str(out, want, text);
}

static void
test_display(void)
{
	hidden("mysql://u:secret@h:1/db", "mysql://u:******@h:1/db");
	hidden("mysql://u:a@b/c@h/db", "mysql://u:*****@h/db");
	hidden("mysql://u@h/db", "mysql://u@h/db");
	hidden("mysql://h:3306/db", "mysql://h:3306/db");
	hidden("mysql://h/db?password=abc&x=y", "mysql://h/db?password=***&x=y");
	hidden("mysql://h/db?Password=abc", "mysql://h/db?Password=***");
	hidden("u:secret@h", "u:secret@h");
	shown("mysql://u:secret@h:3307/db?ssl-mode=REQUIRED",
		  "mysql://u@h:3307/db");
	shown("mariadb://[::1]/db", "mysql://[::1]/db");
	shown("mysql://u@%2Fs/db", "mysql://u@/s/db");
	shown("mysql://u:%zz@h", "mysql://");
}

/* ---------------------------------------------------------------- my.cnf */

static char cnf[] = "/tmp/test_mysql_url.XXXXXX";

static bool
complete(const char *text, const char *lines)
{
	char whole[300];
	int fd = open(cnf, O_WRONLY | O_TRUNC);
	bool written = write(fd, lines, strlen(lines)) == (ssize_t) strlen(lines);

	close(fd);
	snprintf(whole, sizeof(whole), "%s%cdefaults-file=%s", text,
			 strchr(text, '?') != NULL ? '&' : '?', cnf);
	return written && parse(whole) && mysql_url_complete(&url, &arena, &err);
}

static void
test_cnf(void)
{
	ok(complete("mysql:///",
				"user = outside\n[client]\nuser=u\npassword = \"a#b\\\"c\" \n"
				"host = h # that one\nport=3307\ndatabase='d b'\n"
				"ssl_ca=/ca\ndefault-character-set=latin1\n[mysqld]\nuser=m\n"
				"[pg_portage]\nconnect_timeout=3\n"),
	   "a file fills in");
	is_str(url.user, "u", "the user");
	is_str(url.password, "a#b\"c", "a quoted password");
	is_str(url.host, "h", "the host, without its comment");
	is_int(url.port, 3307, "the port");
	ok(!url.tcp, "which is not one of the URL's");
	is_str(url.database, "d b", "the database");
	is_int(url.connect_timeout_s, 3, "of the other group");
	is_int(url.ssl_mode, SSL_MODE_CA, "an authority is asked");
	ok(complete("mysql://me:x@there:1/mine?ssl-mode=VERIFY_IDENTITY&"
				"connect-timeout=9",
				"[client]\nuser=u\npassword=p\nhost=h\nport=2\ndatabase=d\n"
				"ssl-mode=DISABLED\nconnect-timeout=3\nsocket=/s\nskip-ssl\n"),
	   "a URL that says it all");
	ok(strcmp(url.user, "me") == 0 && strcmp(url.password, "x") == 0 &&
		   strcmp(url.host, "there") == 0 && url.port == 1 &&
		   strcmp(url.database, "mine") == 0 && url.socket == NULL &&
		   url.ssl_mode == SSL_MODE_IDENTITY && url.connect_timeout_s == 9,
	   "wins");
	ok(complete("mysql://u:@h/d", "[client]\npassword=p\n") &&
		   url.password[0] == '\0',
	   "an empty password is one");
	ok(complete("mysql:///d", "[client]\nssl\n") &&
		   url.ssl_mode == SSL_MODE_REQUIRE,
	   "ssl");
	ok(complete("mysql:///d", "[client]\nssl=0\n") &&
		   url.ssl_mode == SSL_MODE_OFF,
	   "ssl=0");
	ok(complete("mysql:///d", "[client]\nssl-verify-server-cert\n") &&
		   url.ssl_mode == SSL_MODE_IDENTITY,
	   "ssl-verify-server-cert");
	ok(!complete("mysql:///d", "[client]\nssl-mode=NONE\n") &&
		   err.code == P_URL && strstr(err.message, cnf) != NULL,
	   "a value that is none: %s", err.message);
	ok(complete("mysql:///d", "[client]\n!include /nowhere\n=\n[\n!\n"),
	   "rubbish is passed over");
	chmod(cnf, 0666);
	ok(complete("mysql:///d", "[client]\nuser=u\n") && url.user == NULL,
	   "a file that everybody may write to is not read");
	chmod(cnf, 0600);
	ok(parse("mysql:///d?defaults-file=/nowhere") &&
		   !mysql_url_complete(&url, &arena, &err) && err.code == P_URL,
	   "a file that is not there: %s", err.message);
}

/* ----------------------------------------------------------------- garbage */

static unsigned int seed = 1;

static unsigned int
random_below(unsigned int limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % limit;
}

static void
test_garbage(void)
{
	static const char letters[] = "mysql:/@?&=%[],.#-_0123aF\x80 ";
	static const char start[] =
		"mysql://u:p%41@[::1]:3306/db?ssl-mode=REQUIRED&socket=/x&compress";
	char text[120];
	char out[64];
	int good = 0;

	for (int i = 0; i < 200000; i++)
	{
		size_t len = strlen(start);

		memcpy(text, start, len + 1);
		for (unsigned int n = random_below(6); n > 0; n--)
			text[8 + random_below((unsigned int) len - 8)] =
				letters[random_below(sizeof(letters) - 1)];
		if (random_below(4) == 0)
			text[8 + random_below((unsigned int) len - 8)] = '\0';
		good += parse(text);
		mysql_url_display(text, out, sizeof(out));
		mysql_url_hide_secrets(text);
	}
	ok(good > 1000, "%d of 200000 scrambled URLs can be read", good);
}

int
main(void)
{
	int fd = mkstemp(cnf);

	close(fd);
	arena_init(&arena);
	test_places();
	test_escapes();
	test_options();
	test_refusals();
	test_display();
	test_cnf();
	test_garbage();
	arena_release(&arena);
	unlink(cnf);
	return done_testing();
}
