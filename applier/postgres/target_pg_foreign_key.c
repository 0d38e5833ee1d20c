/*
 * target_pg_foreign_key.c
 *		Foreign keys in two steps, each a transaction: added without a look at
 *		the rows, which locks both tables for a moment only, then validated.
 *
 * portage.ddl says what remains to be done: the first step turns the row of the
 * foreign key into that of its validation.  Before PostgreSQL 18, where a
 * partitioned table is on either side, both are one: a partitioned table's own
 * is refused NOT VALID, and of one that refers to a partitioned table the parts
 * that stand for its partitions would stay without validation.
 */
#include <stdio.h>

#include "postgres/foreign_key.h"
#include "postgres/target_pg_copy.h"

#define VERSION_PARTITIONED 180000

static const char partitioned_sql[] =
	"SELECT 1 FROM pg_catalog.pg_class"
	" WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'p'";

static bool
refers_to_partitioned(PgConn *conn, const ForeignKey *key, bool *partitioned,
					  Error *err)
{
	Buffer name;
	const char *params[1];
	PGresult *res;

	buffer_init(&name);
	buffer_append(&name, key->referenced.data, key->referenced.len);
	params[0] = name.data;
	res = pg_query_params(conn, err, partitioned_sql, 1, params);
	buffer_release(&name);
	if (res == NULL)
		return false;
	*partitioned = PQntuples(res) > 0;
	PQclear(res);
	return true;
}

/* May it be added NOT VALID, and be as valid as any other in the end? */
static bool
can_wait(PgConn *conn, const ForeignKey *key, bool *can, Error *err)
{
	bool partitioned = key->inherited;

	if (!partitioned && !refers_to_partitioned(conn, key, &partitioned, err))
		return false;
	*can = !partitioned || conn->server_version >= VERSION_PARTITIONED;
	return true;
}

/* The entry's row says from now on that validation is what remains. */
static bool
turn_into_validation(CopyTransaction *transaction, const DdlEntry *entry,
					 const ForeignKey *key, Error *err)
{
	char number[16];
	Buffer sql;
	bool matched;
	bool ok;

	buffer_init(&sql);
	foreign_key_validate_sql(key, &sql);
	snprintf(number, sizeof(number), "%d", entry->number);
	ok = pg_exec_expect(transaction->conn, err,
						"UPDATE portage.ddl SET type = $3, sql = $4"
						" WHERE stream = $1 AND number = $2"
						" AND state <> 'done'",
						4,
						(const char *const[]){ transaction->progress->stream,
											   number, DDL_TYPE_VALIDATION,
											   sql.data },
						1, &matched);
	buffer_release(&sql);
	return ok && (matched || error_set(err, P_PROGRESS,
									   "entry %d of the schema was changed by "
									   "somebody else",
									   entry->number));
}

static bool
add_step(CopyTransaction *transaction, const DdlEntry *entry, Error *err)
{
	ForeignKey key;
	Buffer sql;
	bool ok;

	if (!foreign_key_parse(&key, entry->sql))
		return error_set(err, P_DDL, "this is no foreign key: %s", entry->sql);
	buffer_init(&sql);
	foreign_key_add_sql(&key, &sql);
	ok = ddl_execute(transaction, entry, sql.data, err) &&
		 turn_into_validation(transaction, entry, &key, err);
	buffer_release(&sql);
	return ok;
}

bool
target_pg_foreign_key_add(Target *target, const Progress *progress,
						  const DdlEntry *entry, bool *validated, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	ForeignKey key;
	bool can = false;

	/* what the source has not validated has no second step */
	if (foreign_key_parse(&key, entry->sql) && !key.unvalidated &&
		!can_wait(conn, &key, &can, err))
		return false;
	*validated = !can;
	return can ? target_pg_ddl_step(conn, progress, entry, add_step, err)
			   : target_pg_ddl_entry(conn, progress, entry, err);
}
