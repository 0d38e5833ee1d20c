/*
 * source_pg_type_resolve.c
 *		A type that a rule names, as a column of it would have it.
 *
 * The name is text from a configuration file.  to_regtype() takes it as a value
 * and answers only if all of it is one name of a type, with or without
 * modifiers; the modifiers it forgets.  They are in the description of a column
 * of that type, for which the name has to stand in a statement: only one that
 * to_regtype() has read as nothing but a type, in a statement of the extended
 * protocol, which takes one command, and in a transaction that reads only.
 */
#include "postgres/source_pg_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres/source_pg.h"

/* The session's search_path is pg_catalog: names of other schemas say so. */
static const char find_sql[] = "SELECT y.oid, y.typtype FROM pg_type y"
							   " WHERE y.oid = to_regtype($1)";

/* Where such a type is, for whoever has left its schema out. */
static const char hint_sql[] =
	"SELECT quote_ident(n.nspname) || '.' || quote_ident(y.typname)"
	" FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace"
	" WHERE y.typname = $1 AND y.typtype <> 'p'"
	" ORDER BY n.nspname LIMIT 1";

static bool
unknown(PgConn *conn, const char *type, Error *err)
{
	const char *params[] = { type };
	Error ignored = ERROR_INIT;
	PGresult *res = pg_query_params(conn, &ignored, hint_sql, 1, params);

	error_set(err, P_RULE, "there is no type \"%s\" on the source", type);
	if (res != NULL && PQntuples(res) > 0)
		error_hint(err, "There is %s: write it with its schema.",
				   pg_value(res, 0, 0));
	PQclear(res);
	return false;
}

/* What the server says to a name that it cannot read is about the name. */
static bool
refused(PgConn *conn, const char *type, Error *err)
{
	if (!pg_conn_alive(conn) || (strncmp(err->sqlstate, "42", 2) != 0 &&
								 strncmp(err->sqlstate, "22", 2) != 0))
		return false;
	return error_set(err, P_RULE, "\"%s\" is not the name of a type: %s", type,
					 err->message);
}

static bool
find_type(SchemaRead *read, const char *type, char oid[16], Error *err)
{
	const char *params[] = { type };
	PGresult *res = pg_query_params(read->conn, err, find_sql, 1, params);
	bool pseudo;

	if (res == NULL)
		return refused(read->conn, type, err);
	if (PQntuples(res) == 0)
	{
		PQclear(res);
		return unknown(read->conn, type, err);
	}
	snprintf(oid, 16, "%s", pg_value(res, 0, 0));
	pseudo = schema_char(res, 0, 1) == 'p';
	PQclear(res);
	return !pseudo ||
		   error_set(err, P_RULE, "type \"%s\" is none that a column can have",
					 type);
}

/* Nothing of it is evaluated: a domain may not allow null. */
static bool
read_typmod(SchemaRead *read, const char *type, int32_t *typmod, Error *err)
{
	PGresult *res;
	Buffer sql;

	buffer_init(&sql);
	/* the name may end with a comment */
	buffer_printf(&sql, "SELECT NULL::%s\nWHERE false", type);
	res = pg_query_params(read->conn, err, sql.data, 0, NULL);
	buffer_release(&sql);
	if (res == NULL)
		return refused(read->conn, type, err);
	*typmod = PQfmod(res, 0);
	PQclear(res);
	return true;
}

static bool
read_sql(SchemaRead *read, const char *oid, SchemaType *type, Error *err)
{
	char typmod[16];
	const char *params[] = { oid, typmod };
	PGresult *res;

	/* a domain has none of its own */
	snprintf(typmod, sizeof(typmod), "%d",
			 schema_type_find(read, type->oid)->kind == 'd' ? -1
															: type->typmod);
	res = pg_query_params(
		read->conn, err, "SELECT format_type($1::oid, $2::integer)", 2, params);
	if (res == NULL)
		return false;
	type->sql = schema_text(read, res, 0, 0);
	PQclear(res);
	return true;
}

static bool
resolve(SchemaRead *read, const char *name, SchemaType *type, Error *err)
{
	char oid[16];

	if (!find_type(read, name, oid, err) ||
		!read_typmod(read, name, &type->typmod, err) ||
		!source_pg_schema_type(read, oid, err))
		return false;
	type->oid = (uint32_t) strtoul(oid, NULL, 10);
	schema_type_take(read, type, NULL);
	return read_sql(read, oid, type, err);
}

bool
source_pg_type_resolve(Source *source, const char *type, Arena *arena,
					   SchemaType *resolved, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	SchemaRead read = { .conn = self->sql,
						.config = source->config,
						.arena = arena };
	bool ok;

	memset(resolved, 0, sizeof(*resolved));
	error_clear(err);
	ok = pg_exec(read.conn, err,
				 "BEGIN READ ONLY; SET LOCAL client_encoding = 'UTF8'") &&
		 resolve(&read, type, resolved, err) &&
		 pg_exec(read.conn, err, "COMMIT");
	if (!ok)
		pg_rollback(read.conn);
	return ok;
}
