/*
 * test_mysql_answers.c
 *		What servers say and what is made of it: errors, privileges; quoting.
 */
#include "mysql/grants.h"
#include "mysql/mysql_conn.h"
#include "mysql/mysql_watch.h"
#include "tap.h"

static ErrorCode
code_of(unsigned int number, const char *sqlstate, const char *message,
		ErrorCode fallback)
{
	MyFailure failure = { .number = number };
	Error err = ERROR_INIT;

	snprintf(failure.sqlstate, sizeof(failure.sqlstate), "%s", sqlstate);
	snprintf(failure.message, sizeof(failure.message), "%s", message);
	my_failure_error(&failure, "target", fallback, &err);
	return err.code;
}

#define means(number, sqlstate, fallback, code)                \
	is_int(code_of(number, sqlstate, "words", fallback), code, \
		   #number " " #fallback)

static void
test_errors(void)
{
	means(2013, "HY000", P_APPLY, P_CONNECTION_LOST);
	means(2013, "HY000", P_CONNECT, P_CONNECT);
	means(2003, "HY000", P_CONNECT, P_CONNECT);
	means(2003, "HY000", P_APPLY, P_CONNECTION_LOST);
	means(2026, "HY000", P_CONNECT, P_CONNECT);
	means(1045, "28000", P_CONNECT, P_LOGIN);
	means(1044, "42000", P_CONNECT, P_LOGIN);
	means(1044, "42000", P_APPLY, P_PRIVILEGE);
	means(1049, "42000", P_CONNECT, P_LOGIN);
	means(1049, "42000", P_APPLY, P_TABLE_UNKNOWN);
	means(1040, "08004", P_CONNECT, P_SERVER_BUSY);
	means(1205, "HY000", P_APPLY, P_SERVER_BUSY);
	means(1213, "40001", P_COPY, P_SERVER_BUSY);
	means(1062, "23000", P_APPLY, P_ROW_CONFLICT);
	means(1062, "23000", P_DDL, P_DDL);
	means(3819, "HY000", P_COPY, P_ROW_CONFLICT);
	means(4025, "23000", P_COPY, P_ROW_CONFLICT);
	means(1406, "22001", P_APPLY, P_VALUE);
	means(1153, "08S01", P_DDL, P_VALUE);
	means(1146, "42S02", P_APPLY, P_TABLE_UNKNOWN);
	means(1054, "42S22", P_APPLY, P_SCHEMA_DIFFERS);
	means(1142, "42000", P_APPLY, P_PRIVILEGE);
	/* nobody has listed these */
	means(9999, "23000", P_APPLY, P_ROW_CONFLICT);
	means(9999, "22003", P_COPY, P_VALUE);
	means(9999, "08S01", P_APPLY, P_CONNECTION_LOST);
	means(9999, "40001", P_DDL, P_SERVER_BUSY);
	means(9999, "HY000", P_DDL, P_DDL);
	is_int(code_of(1290, "HY000",
				   "The server is running with the --read-only option",
				   P_APPLY),
		   P_SERVER_BUSY, "1290 of a server that is read-only");
	is_int(code_of(1290, "HY000",
				   "The server is running with the --secure-file-priv option",
				   P_APPLY),
		   P_SERVER_SETUP, "1290 for another reason");
	is_int(code_of(1030, "HY000",
				   "Got error 28 \"No space left on device\" from storage "
				   "engine",
				   P_APPLY),
		   P_SERVER_BUSY, "1030 of a full disk");
	is_int(code_of(1030, "HY000", "Got error 122 from storage engine", P_APPLY),
		   P_APPLY, "1030 of anything else");
}

/* Which of grant_names a line gives in the database app_1. */
static const char *
given(const char *line)
{
	static char names[200];
	Grants grants = 0;

	names[0] = '\0';
	grants_add(line, "app_1", &grants);
	for (int i = 0; grant_names[i] != NULL; i++)
	{
		if ((grants & ((Grants) 1 << i)) != 0)
			snprintf(names + strlen(names), sizeof(names) - strlen(names),
					 "%s%s", names[0] != '\0' ? "," : "", grant_names[i]);
	}
	return names;
}

#define ALL                                                           \
	"SELECT,INSERT,UPDATE,DELETE,CREATE,ALTER,INDEX,DROP,REFERENCES," \
	"CREATE TEMPORARY TABLES,TRIGGER"

static void
test_grants(void)
{
	is_str(given("GRANT ALL PRIVILEGES ON *.* TO `u`@`%`"), ALL, "all");
	is_str(given("GRANT ALL PRIVILEGES ON `app\\_1`.* TO `u`@`%`"), ALL,
		   "an escaped name");
	is_str(given("GRANT SELECT, INSERT ON `app_1`.* TO `u`@`%`"),
		   "SELECT,INSERT", "two of them");
	is_str(given("GRANT SELECT ON `app%`.* TO `u`@`%`"), "SELECT", "a pattern");
	is_str(given("GRANT SELECT ON `%`.* TO `u`@`%`"), "SELECT", "any");
	is_str(given("GRANT SELECT ON `%p_1`.* TO `u`@`%`"), "SELECT", "its end");
	is_str(given("GRANT SELECT ON `app\\__`.* TO `u`@`%`"), "SELECT", "a _");
	is_str(given("GRANT SELECT ON `app__1`.* TO `u`@`%`"), "", "longer");
	is_str(given("GRANT SELECT ON `app`.* TO `u`@`%`"), "", "shorter");
	is_str(given("GRANT SELECT ON `appx1`.* TO `u`@`%`"), "", "another");
	is_str(given("GRANT SELECT ON `app_1`.`t` TO `u`@`%`"), "", "one table");
	is_str(given("GRANT SELECT (`a`, `b`), INSERT ON `app_1`.* TO `u`@`%`"),
		   "INSERT", "columns are not enough");
	is_str(given("GRANT CREATE TEMPORARY TABLES, CREATE VIEW ON `app_1`.* TO "
				 "`u`@`%`"),
		   "CREATE TEMPORARY TABLES", "CREATE is not CREATE VIEW");
	is_str(given("GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*'"),
		   "", "none");
	is_str(given("GRANT `role` TO `u`@`%`"), "", "a role");
	is_str(given("GRANT PROXY ON ''@'%' TO 'root'@'localhost'"), "", "PROXY");
	is_str(given("REVOKE SELECT ON `app_1`.* FROM `u`@`%`"), "", "REVOKE");
	is_str(given("GRANT "), "", "nothing");
	is_str(given("GRANT SELECT ON `"), "", "half of it");
	ok(grants_global("GRANT RELOAD, SUPER ON *.* TO `u`@`%`", "SUPER") &&
		   grants_global("GRANT ALL PRIVILEGES ON *.* TO `u`@`%`", "SUPER") &&
		   !grants_global("GRANT RELOAD ON *.* TO `u`@`%`", "SUPER") &&
		   !grants_global("GRANT ALL PRIVILEGES ON `a`.* TO `u`@`%`", "SUPER"),
	   "an administrator");
}

static void
test_quoting(void)
{
	static const char odd[] = "a'b\\c\0d\ne\rf\x1ag\t\"h";
	Buffer out;

	buffer_init(&out);
	my_quote_ident(&out, "a`b");
	is_str(out.data, "`a``b`", "an identifier");
	buffer_reset(&out);
	my_quote_table(&out, "d", "t");
	is_str(out.data, "`d`.`t`", "a table");
	buffer_reset(&out);
	my_quote_table(&out, NULL, "t");
	is_str(out.data, "`t`", "of the URL's database");
	buffer_reset(&out);
	my_quote_text(&out, (Slice){ odd, sizeof(odd) - 1 });
	is_str(out.data, "'a\\'b\\\\c\\0d\\ne\\rf\\Zg\t\"h'", "text");
	buffer_reset(&out);
	my_quote_bytes(&out, slice_of(""));
	is_str(out.data, "_binary''", "no bytes");
	buffer_release(&out);
}

int
main(void)
{
	test_errors();
	test_grants();
	test_quoting();
	return done_testing();
}
