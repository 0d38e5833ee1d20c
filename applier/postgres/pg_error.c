/*
 * pg_error.c
 *		What a PostgreSQL server's refusal means to us, by SQLSTATE.
 *
 * Codes are from PostgreSQL's src/backend/utils/errcodes.txt.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "postgres/pg_conn.h"

typedef struct SqlstateRule
{
	const char *prefix; /* of the SQLSTATE; the first match wins */
	ErrorCode code;
	bool rows_only; /* only where rows are written */
} SqlstateRule;

static const SqlstateRule sqlstate_rules[] = {
	{ "57P01", P_CONNECTION_LOST, false }, /* admin_shutdown */
	{ "57P02", P_CONNECTION_LOST, false }, /* crash_shutdown */
	{ "57P03", P_SERVER_BUSY, false },	   /* cannot_connect_now */
	{ "57P05", P_CONNECTION_LOST, false }, /* idle_session_timeout */
	{ "57014", P_SERVER_BUSY, false },	   /* query_canceled */
	{ "08", P_CONNECTION_LOST, false },
	{ "53", P_SERVER_BUSY, false },		   /* disk full, memory, connections */
	{ "25006", P_SERVER_BUSY, false },	   /* read_only_sql_transaction */
	{ "25P03", P_CONNECTION_LOST, false }, /* idle_in_transaction timeout */
	{ "40001", P_SERVER_BUSY, false },	   /* serialization_failure */
	{ "40P01", P_SERVER_BUSY, false },	   /* deadlock_detected */
	{ "55P03", P_SERVER_BUSY, false },	   /* lock_not_available */
	{ "55006", P_SERVER_BUSY, false },	   /* object_in_use: an active slot */
	{ "28", P_LOGIN, false },
	{ "3D000", P_LOGIN, false }, /* the database does not exist */
	{ "42501", P_PRIVILEGE, false },
	{ "23", P_ROW_CONFLICT, true },
	{ "22", P_VALUE, true },
	{ "42P01", P_TABLE_UNKNOWN, true },
	{ "3F000", P_TABLE_UNKNOWN, true },	 /* the schema does not exist */
	{ "42703", P_SCHEMA_DIFFERS, true }, /* undefined_column */
	{ "42704", P_SCHEMA_DIFFERS, true }, /* undefined_object: a type */
};

static ErrorCode
code_of_sqlstate(const char *sqlstate, ErrorCode fallback)
{
	bool rows = fallback == P_APPLY || fallback == P_COPY;
	size_t i;

	for (i = 0; i < sizeof(sqlstate_rules) / sizeof(sqlstate_rules[0]); i++)
	{
		const SqlstateRule *rule = &sqlstate_rules[i];

		if (strncmp(sqlstate, rule->prefix, strlen(rule->prefix)) == 0 &&
			(rows || !rule->rows_only))
			return rule->code;
	}
	return fallback;
}

/*
 * libpq gives no fields for a refused connection, only text; with verbose
 * errors it is "FATAL:  28P01: message".  The severity may be translated.
 */
static bool
sqlstate_in_text(const char *text, char out[6])
{
	const char *p;
	int i;

	for (p = strchr(text, ':'); p != NULL; p = strchr(p + 1, ':'))
	{
		if (p[1] != ' ' || p[2] != ' ')
			continue;
		for (i = 0; i < 5; i++)
		{
			if (!isdigit((unsigned char) p[3 + i]) &&
				!isupper((unsigned char) p[3 + i]))
				break;
		}
		if (i == 5 && p[8] == ':')
		{
			memcpy(out, p + 3, 5);
			out[5] = '\0';
			return true;
		}
	}
	return false;
}

/* libpq's hints stand on lines of their own. */
static void
join_lines(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++)
	{
		if (*text != '\n')
			*out++ = *text;
		else if (text[1] != '\0')
		{
			*out++ = ' ';
			while (isspace((unsigned char) text[1]))
				text++;
		}
	}
	*out = '\0';
}

/* One line of libpq's text, without "LOCATION:" and trailing newlines. */
static bool
error_from_text(PgConn *conn, ErrorCode fallback, Error *err)
{
	const char *text = PQerrorMessage(conn->pq);
	const char *location = strstr(text, "\nLOCATION:");
	size_t len = location != NULL ? (size_t) (location - text) : strlen(text);
	char sqlstate[6] = "";
	ErrorCode code = fallback;

	while (len > 0 && isspace((unsigned char) text[len - 1]))
		len--;
	if (sqlstate_in_text(text, sqlstate))
		code = code_of_sqlstate(sqlstate, fallback);
	/* what the server says to our settings, an encoding without conversion */
	if (code == P_CONNECT &&
		(strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "22023") == 0))
		code = P_SERVER_SETUP;
	if (len == 0)
		error_set(err, code, "the %s %s closed the connection", conn->side,
				  conn->where);
	else
		error_set(err, code, "%.*s", (int) len, text);
	join_lines(err->message);
	memcpy(err->sqlstate, sqlstate, sizeof(sqlstate));
	return false;
}

/* The plugin's two refusals have common SQLSTATEs but their own remedies. */
static ErrorCode
code_of_plugin(const char *sqlstate, const char *message, ErrorCode code)
{
	if (strstr(message, "\"pg_portage\"") == NULL)
		return code;
	if (strcmp(sqlstate, "42501") == 0)
		return P_PLUGIN_REFUSED;
	if (strcmp(sqlstate, "58P01") == 0)
		return P_PLUGIN_MISSING;
	return code;
}

bool
pg_error(PgConn *conn, const PGresult *res, ErrorCode fallback, Error *err)
{
	const char *sqlstate;
	const char *message;
	const char *text;

	error_clear(err);
	if (res == NULL || PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL)
	{
		/* without fields it is libpq that speaks: the connection is gone */
		if (PQstatus(conn->pq) != CONNECTION_OK && fallback != P_CONNECT)
			fallback = P_CONNECTION_LOST;
		return error_from_text(conn, fallback, err);
	}
	sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	if (message == NULL)
		message = "(no message)";
	error_set(
		err,
		code_of_plugin(sqlstate, message, code_of_sqlstate(sqlstate, fallback)),
		"%s: %s", conn->side, message);
	snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
	err->lock_wait = strcmp(sqlstate, "55P03") == 0 || /* lock_timeout */
					 strcmp(sqlstate, "40P01") == 0;   /* deadlock */
	text = PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
	if (text == NULL)
		text = PQresultErrorField(res, PG_DIAG_CONTEXT);
	if (text != NULL)
		error_detail(err, "%s", text);
	text = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
	if (text != NULL)
		error_hint(err, "%s", text);
	return false;
}
