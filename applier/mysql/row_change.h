/*
 * row_change.h
 *		A change as its statements in a packet, each with what it has to prove.
 *
 * An INSERT, UPDATE or DELETE is one statement that affects one row.  A put is two:
 * an UPDATE by the key and, where that found nothing, an INSERT; together they
 * affect one row.  ON DUPLICATE KEY UPDATE takes any unique index for the key, and
 * REPLACE deletes whatever is in the way: neither is used.
 */
#ifndef PORTAGE_ROW_CHANGE_H
#define PORTAGE_ROW_CHANGE_H

#include "mysql/row_packet.h"
#include "mysql/row_sql.h"

/*
 * Add it; named is the change that errors name, and which lives until the packet
 * is sent: the same, or the one that this one was made of.
 */
bool row_change_put(RowPacket *packet, RowWriter *writer, const RowTable *table,
					const Txn *txn, const Change *change, const Change *named,
					Error *err) MUST_CHECK;

#endif /* PORTAGE_ROW_CHANGE_H */
