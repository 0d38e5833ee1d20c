/*
 * load_empty.h
 *		Tables of the target that are to be empty before they are loaded.
 *
 * Nothing is removed that we have not written: chunk rows say what that is.
 * TRUNCATE commits by itself, so a table whose rows are void is noted as such,
 * together with chunk rows that say that none of it is copied, before it is
 * emptied; whoever finds the note empties it.
 *
 * Partitions of the source share the table of their root, and rules may send rows
 * of several tables, or of several streams, to one: rows of others may be there as
 * soon as one of them is copied, and none can be emptied alone.
 */
#ifndef PORTAGE_LOAD_EMPTY_H
#define PORTAGE_LOAD_EMPTY_H

#include "mysql/target_mysql.h"

typedef struct LoadEmpty
{
	MyConn *conn;
	const Progress *progress;
	int writer; /* of the origin row */
	const MapTable *maps;
	const TableMap *map; /* one of them */
	const Table *table;	 /* as the source has it */
	bool shared;		 /* others write to the table, too: Table.shared */
} LoadEmpty;

/* Outside a transaction: if the table's rows are noted as void, empty it. */
bool load_empty_settle(const LoadEmpty *self, Error *err) MUST_CHECK;

/* P_TARGET_NOT_EMPTY if there are rows that are not ours. */
bool load_empty_prove(const LoadEmpty *self, Error *err) MUST_CHECK;

/*
 * Empty the table, whose rows are all ours, and replace its chunk rows by these.
 * P_COPY for a partition that cannot be emptied alone.  On an error a transaction
 * may be open.
 */
bool load_empty_reset(const LoadEmpty *self, const Chunk *chunks, int count,
					  Error *err) MUST_CHECK;

#endif /* PORTAGE_LOAD_EMPTY_H */
