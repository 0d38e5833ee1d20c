/*
 * mysql_error.c
 *		What a MySQL or MariaDB server's refusal means to us, by error number.
 *
 * Numbers are from MySQL's messages_to_clients.txt, MariaDB's errmsg-utf8.txt
 * and, above 2000 and below 3000, from the client libraries.
 */
#include <stdio.h>
#include <string.h>

#include "mysql/mysql_conn.h"
#include "mysql/mysql_watch.h"

typedef struct ErrorRule
{
	unsigned int number;
	ErrorCode code;
	bool rows_only; /* only where rows are written */
	const char *hint;
} ErrorRule;

#define HINT_PACKET \
	"raise max_allowed_packet on the target, up to 1 GB, and start again"
#define HINT_SPACE "make room on the target's disk"

static const ErrorRule rules[] = {
	/* the connection */
	{ 1053, P_CONNECTION_LOST, false, NULL }, /* shutdown in progress */
	{ 1077, P_CONNECTION_LOST, false, NULL }, /* normal shutdown */
	{ 1079, P_CONNECTION_LOST, false, NULL }, /* shutdown complete */
	{ 1152, P_CONNECTION_LOST, false, NULL }, /* aborted connection */
	{ 1158, P_CONNECTION_LOST, false, NULL }, /* reading packets */
	{ 1159, P_CONNECTION_LOST, false, NULL }, /* timeout reading */
	{ 1160, P_CONNECTION_LOST, false, NULL }, /* writing packets */
	{ 1161, P_CONNECTION_LOST, false, NULL }, /* timeout writing */
	{ 1184, P_CONNECTION_LOST, false, NULL }, /* aborted connection */
	{ 1927, P_CONNECTION_LOST, false, NULL }, /* killed (MariaDB) */
	{ 3169, P_CONNECTION_LOST, false, NULL }, /* killed (MySQL) */
	{ 4031, P_CONNECTION_LOST, false, NULL }, /* idle for too long */
	{ 2006, P_CONNECTION_LOST, false, NULL }, /* gone away */
	{ 2012, P_CONNECTION_LOST, false, NULL }, /* in the handshake */
	{ 2013, P_CONNECTION_LOST, false, NULL }, /* lost during a query */
	{ 2027, P_CONNECTION_LOST, false, NULL }, /* malformed packet */
	{ 2055, P_CONNECTION_LOST, false, NULL }, /* lost, with the errno */
	{ 2001, P_CONNECT, false, NULL },
	{ 2002, P_CONNECT, false, NULL },
	{ 2003, P_CONNECT, false, NULL },
	{ 2004, P_CONNECT, false, NULL },
	{ 2005, P_CONNECT, false, NULL }, /* unknown host */
	{ 2026, P_CONNECT, false,
	  "see ssl-mode, ssl-ca and tls-version in the URL or in ~/.my.cnf" },

	/* the login */
	{ 1045, P_LOGIN, false, NULL },
	{ 1130, P_LOGIN, false, NULL }, /* from this host */
	{ 1251, P_LOGIN, false, NULL }, /* authentication protocol */
	{ 1524, P_LOGIN, false, NULL }, /* plugin is not loaded */
	{ 1698, P_LOGIN, false, NULL }, /* without a password */
	{ 1820, P_LOGIN, false, NULL }, /* password has to be changed */
	{ 1862, P_LOGIN, false, NULL }, /* password has expired */
	{ 2058, P_LOGIN, false, NULL },
	{ 2059, P_LOGIN, false,
	  "install the authentication plugin of the client library" },
	{ 2061, P_LOGIN, false,
	  "the user's authentication needs TLS: ssl-mode=REQUIRED, or "
	  "get-server-public-key=1 in a network that can be trusted" },
	{ 3118, P_LOGIN, false, NULL }, /* account is locked */
	{ 3159, P_LOGIN, false, "the server asks for TLS: ssl-mode=REQUIRED" },
	{ 4151, P_LOGIN, false, NULL }, /* account is locked (MariaDB) */

	/* not now */
	{ 1020, P_SERVER_BUSY, false, NULL }, /* record has changed */
	{ 1021, P_SERVER_BUSY, false, HINT_SPACE },
	{ 1037, P_SERVER_BUSY, false, NULL }, /* out of memory */
	{ 1038, P_SERVER_BUSY, false, NULL }, /* out of sort memory */
	{ 1040, P_SERVER_BUSY, false,
	  "raise max_connections on the target, or lower --jobs and --writers" },
	{ 1041, P_SERVER_BUSY, false, NULL }, /* out of memory */
	{ 1047, P_SERVER_BUSY, false, NULL }, /* Galera: node is not ready */
	{ 1114, P_SERVER_BUSY, false, HINT_SPACE },
	{ 1129, P_SERVER_BUSY, false,
	  "the server has blocked this host: FLUSH HOSTS, or TRUNCATE "
	  "performance_schema.host_cache, there" },
	{ 1135, P_SERVER_BUSY, false, NULL }, /* cannot create a thread */
	{ 1180, P_SERVER_BUSY, false, NULL }, /* error during COMMIT */
	{ 1203, P_SERVER_BUSY, false,
	  "raise max_user_connections, or lower --jobs and --writers" },
	{ 1205, P_SERVER_BUSY, false, NULL }, /* lock wait timeout */
	{ 1206, P_SERVER_BUSY, false, NULL }, /* lock table is full */
	{ 1213, P_SERVER_BUSY, false, NULL }, /* deadlock */
	{ 1223, P_SERVER_BUSY, false, NULL }, /* FLUSH TABLES WITH READ LOCK */
	{ 1226, P_SERVER_BUSY, false, NULL }, /* user's resources */
	{ 1317, P_SERVER_BUSY, false, NULL }, /* KILL QUERY */
	{ 1412, P_SERVER_BUSY, false, NULL }, /* table was altered meanwhile */
	{ 1614, P_SERVER_BUSY, false, NULL }, /* deadlock */
	{ 1637, P_SERVER_BUSY, false, NULL }, /* too many transactions */
	{ 1792, P_SERVER_BUSY, false, NULL }, /* read-only transaction */
	{ 1836, P_SERVER_BUSY, false, "the target is read-only" },
	{ 1969, P_SERVER_BUSY, false, NULL }, /* max_statement_time */
	{ 3024, P_SERVER_BUSY, false, NULL }, /* max_execution_time */
	{ 3032, P_SERVER_BUSY, false, NULL }, /* offline mode */
	{ 3058, P_SERVER_BUSY, false, NULL }, /* deadlock of user locks */
	{ 3100, P_SERVER_BUSY, false, NULL }, /* group replication says no */
	{ 3101, P_SERVER_BUSY, false, NULL }, /* it rolled back */
	{ 3149, P_SERVER_BUSY, false, NULL }, /* it rolled back */

	/* not us */
	{ 1095, P_PRIVILEGE, false, NULL }, /* KILL of another user's */
	{ 1142, P_PRIVILEGE, false, NULL },
	{ 1143, P_PRIVILEGE, false, NULL },
	{ 1227, P_PRIVILEGE, false, NULL },
	{ 1345, P_PRIVILEGE, false, NULL },
	{ 1370, P_PRIVILEGE, false, NULL },
	{ 1410, P_PRIVILEGE, false, NULL },
	{ 1419, P_PRIVILEGE, false, NULL },

	/* too large for the server, whatever is written */
	{ 1153, P_VALUE, false, HINT_PACKET },
	{ 2020, P_VALUE, false, HINT_PACKET },

	/* a row of ours */
	{ 1022, P_ROW_CONFLICT, true, NULL },
	{ 1062, P_ROW_CONFLICT, true, NULL },
	{ 1169, P_ROW_CONFLICT, true, NULL },
	{ 1216, P_ROW_CONFLICT, true, NULL },
	{ 1217, P_ROW_CONFLICT, true, NULL },
	{ 1451, P_ROW_CONFLICT, true, NULL },
	{ 1452, P_ROW_CONFLICT, true, NULL },
	{ 1557, P_ROW_CONFLICT, true, NULL },
	{ 1586, P_ROW_CONFLICT, true, NULL },
	{ 1761, P_ROW_CONFLICT, true, NULL },
	{ 1762, P_ROW_CONFLICT, true, NULL },
	{ 3819, P_ROW_CONFLICT, true, NULL }, /* CHECK (MySQL) */
	{ 4025, P_ROW_CONFLICT, true, NULL }, /* CHECK (MariaDB) */

	/* a table that is another than we think */
	{ 1049, P_TABLE_UNKNOWN, true, NULL }, /* database */
	{ 1146, P_TABLE_UNKNOWN, true, NULL },
	{ 1054, P_SCHEMA_DIFFERS, true, NULL }, /* column */
	{ 1136, P_SCHEMA_DIFFERS, true, NULL }, /* number of columns */
	{ 1906, P_SCHEMA_DIFFERS, true, NULL }, /* generated (MariaDB) */
	{ 3105, P_SCHEMA_DIFFERS, true, NULL }, /* generated (MySQL) */

	/* a value of ours */
	{ 1048, P_VALUE, true, NULL }, /* NULL */
	{ 1118, P_VALUE, true, NULL }, /* row is too large */
	{ 1263, P_VALUE, true, NULL }, /* NULL */
	{ 1264, P_VALUE, true, NULL },
	{ 1265, P_VALUE, true, NULL },
	{ 1292, P_VALUE, true, NULL },
	{ 1300, P_VALUE, true, NULL }, /* not UTF-8 */
	{ 1364, P_VALUE, true, NULL }, /* no default */
	{ 1366, P_VALUE, true, NULL },
	{ 1367, P_VALUE, true, NULL },
	{ 1406, P_VALUE, true, NULL }, /* too long */
	{ 1411, P_VALUE, true, NULL },
	{ 1416, P_VALUE, true, NULL }, /* geometry */
	{ 1690, P_VALUE, true, NULL },
	{ 3140, P_VALUE, true, NULL }, /* JSON, and so on to 3157 */
	{ 3144, P_VALUE, true, NULL },
	{ 3156, P_VALUE, true, NULL },
	{ 3157, P_VALUE, true, NULL },
};

static const ErrorRule *
rule_of(unsigned int number)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
	{
		if (rules[i].number == number)
			return &rules[i];
	}
	return NULL;
}

/* Numbers that mean several things, by what the server says to them. */
static ErrorCode
code_of_words(unsigned int number, const char *message, ErrorCode fallback)
{
	/* --read-only, but also --secure-file-priv, --skip-grant-tables */
	if (number == 1290)
		return strstr(message, "read-only") != NULL ||
					   strstr(message, "read_only") != NULL
				   ? P_SERVER_BUSY
				   : P_SERVER_SETUP;
	/* the storage engine's own number: 28 and ENOSPC are a full disk */
	if (number == 1030 && (strstr(message, "rror 28") != NULL ||
						   strstr(message, "No space") != NULL))
		return P_SERVER_BUSY;
	return fallback;
}

static ErrorCode
code_of_sqlstate(const char *sqlstate, ErrorCode fallback)
{
	bool rows = fallback == P_APPLY || fallback == P_COPY;

	if (strncmp(sqlstate, "08", 2) == 0)
		return P_CONNECTION_LOST;
	if (strncmp(sqlstate, "40", 2) == 0)
		return P_SERVER_BUSY;
	if (strncmp(sqlstate, "28", 2) == 0)
		return P_LOGIN;
	if (rows && strncmp(sqlstate, "23", 2) == 0)
		return P_ROW_CONFLICT;
	if (rows && strncmp(sqlstate, "22", 2) == 0)
		return P_VALUE;
	return fallback;
}

static ErrorCode
code_of(unsigned int number, const char *sqlstate, const char *message,
		ErrorCode fallback)
{
	const ErrorRule *rule = rule_of(number);
	bool rows = fallback == P_APPLY || fallback == P_COPY;
	ErrorCode code = code_of_words(number, message, ERROR_CODE_NONE);

	if (code != ERROR_CODE_NONE)
		return code;
	if (rule == NULL || (rule->rows_only && !rows))
		code = code_of_sqlstate(sqlstate, fallback);
	else
		code = rule->code;
	if (number == 1044 || number == 1049)
		/* the database of the URL, or another one later */
		code = fallback == P_CONNECT ? P_LOGIN
			   : number == 1044		 ? P_PRIVILEGE
									 : code;
	/* while connecting it was not reached, later it is lost */
	if (fallback == P_CONNECT && code == P_CONNECTION_LOST)
		return P_CONNECT;
	if (fallback != P_CONNECT && code == P_CONNECT)
		return P_CONNECTION_LOST;
	return code;
}

/* One line of what may be several. */
static void
join_lines(char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '\n' || *text == '\r')
			*text = ' ';
	}
}

bool
my_failure_error(const MyFailure *failure, const char *side, ErrorCode fallback,
				 Error *err)
{
	const ErrorRule *rule = rule_of(failure->number);

	error_set(
		err,
		code_of(failure->number, failure->sqlstate, failure->message, fallback),
		"%s: %s", side,
		failure->message[0] != '\0' ? failure->message : "(no message)");
	join_lines(err->message);
	snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", failure->sqlstate);
	err->lock_wait = failure->number == 1205 || failure->number == 1213;
	error_detail(err, "error %u", failure->number);
	if (rule != NULL && rule->hint != NULL && err->code == rule->code)
		error_hint(err, "%s", rule->hint);
	return false;
}

void
my_failure_take(MYSQL *my, MyFailure *failure)
{
	failure->number = mysql_errno(my);
	snprintf(failure->sqlstate, sizeof(failure->sqlstate), "%s",
			 mysql_sqlstate(my));
	snprintf(failure->message, sizeof(failure->message), "%s", mysql_error(my));
}

bool
my_error(MyConn *conn, ErrorCode fallback, Error *err)
{
	MyVerdict verdict = my_watch_verdict(conn->watch);
	MyFailure failure;

	my_failure_take(conn->my, &failure);
	conn->error_number = failure.number;
	if (verdict != VERDICT_NONE || failure.number == 1153)
		conn->lost = conn->lost || verdict != VERDICT_STOPPED_QUERY;
	if (verdict == VERDICT_STOPPED_QUERY || verdict == VERDICT_STOPPED_LOST)
		return error_set(err, P_STOPPED, "stopped");
	if (verdict != VERDICT_NONE)
		return error_set(err, P_CONNECTION_LOST,
						 verdict == VERDICT_LATE
							 ? "the %s %s did not answer in time"
							 : "the %s %s does not answer any more",
						 conn->side, conn->where);
	my_failure_error(&failure, conn->side, fallback, err);
	if (err->code == P_CONNECTION_LOST)
		conn->lost = true;
	return false;
}

unsigned int
my_errno(const MyConn *conn)
{
	return conn->error_number;
}
