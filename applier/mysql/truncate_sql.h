/*
 * truncate_sql.h
 *		TRUNCATE of the source as what a transaction can hold: DELETE.
 *
 * The server's own TRUNCATE commits.  A table that shares its rows' place with
 * others, as partitions do, can only be emptied together with all of them.
 */
#ifndef PORTAGE_TRUNCATE_SQL_H
#define PORTAGE_TRUNCATE_SQL_H

#include "mysql/row_packet.h"
#include "mysql/row_sql.h"
#include "mysql/target_mysql.h"

typedef struct TruncateWork
{
	const MapTable *maps; /* with every table that is to be emptied */
	RowWriter *rows;	  /* for the bounds of chunks */
	RowPacket *packet;	  /* takes the statements */
	const ChangeFilter *filter;
	Lsn ddl_done; /* what cannot be carried was done by hand there */
} TruncateWork;

/*
 * P_DDL_STREAM for a part of a table that cannot be told from the rest, errors of
 * the packet.  txn and change live until it is sent.
 */
bool truncate_put(const TruncateWork *work, const Txn *txn,
				  const Change *change, Error *err) MUST_CHECK;

#endif /* PORTAGE_TRUNCATE_SQL_H */
