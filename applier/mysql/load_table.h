/*
 * load_table.h
 *		A table of the target that rows are loaded into: names, columns, what is
 *		in it.
 */
#ifndef PORTAGE_LOAD_TABLE_H
#define PORTAGE_LOAD_TABLE_H

#include "mysql/load_rows.h"
#include "mysql/mysql_conn.h"
#include "target/target.h"

typedef struct LoadTable
{
	const TableMap *map;
	LoadRows rows;
	Buffer name; /* quoted, with its database */
	Buffer load; /* LOAD DATA LOCAL ... */
	Buffer head; /* INSERT INTO ... VALUES, up to the first row */

	/*
	 * A LOAD DATA may keep all others from the table until it ends, because the
	 * table counts (innodb_autoinc_lock_mode): it is not to wait for rows.
	 */
	bool exclusive;
} LoadTable;

/* map and tally have to live as long.  P_SCHEMA_DIFFERS. */
bool
load_table_open(LoadTable *self, MyConn *conn, const TableMap *map,
				const Table *table, LossTally *tally, Error *err) MUST_CHECK;
void load_table_close(LoadTable *self); /* zeroed is fine */

/*
 * Append LOAD DATA LOCAL into the table of that name, quoted, with fields for
 * these columns, in order.
 */
void load_statement(Buffer *sql, const MyServer *server, const char *name,
					const ColumnMap *const *columns, int count);

/* Run "VERB table REST". */
bool load_table_exec(MyConn *conn, const char *verb, const TableMap *map,
					 const char *rest, Error *err) MUST_CHECK;

/* Has it rows? */
bool load_table_occupied(MyConn *conn, const TableMap *map, bool *occupied,
						 Error *err) MUST_CHECK;

/* P_SCHEMA_DIFFERS if it is not there. */
bool load_table_prove_there(MyConn *conn, const TableMap *map,
							Error *err) MUST_CHECK;

#endif /* PORTAGE_LOAD_TABLE_H */
