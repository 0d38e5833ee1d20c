/*
 * row_packet.h
 *		Statements on their way, many in one round trip, each with the change that
 *		it is for.
 *
 * The server stops at the first that fails, and the packet at the first that did
 * not affect as many rows as it had to: either is told with the row's name.
 */
#ifndef PORTAGE_ROW_PACKET_H
#define PORTAGE_ROW_PACKET_H

#include "change.h"
#include "mysql/mysql_conn.h"

typedef struct PacketEntry
{
	const Txn *txn;
	const Change *change;
	bool any; /* it may affect any number of rows */
} PacketEntry;

typedef struct RowPacket
{
	MyConn *conn;
	Buffer sql; /* append a statement here, then packet_add() */
	PacketEntry *entries;
	uint64_t *affected;
	int count;
	int capacity;
} RowPacket;

void packet_init(RowPacket *packet, MyConn *conn);
void packet_release(RowPacket *packet);

/* Forget what was not sent. */
void packet_reset(RowPacket *packet);

/*
 * The statement that was appended is complete, without a ';'.  Sends what there
 * is if it is much.  txn and change live until it is sent.
 */
bool packet_add(RowPacket *packet, const Txn *txn, const Change *change,
				bool any, Error *err) MUST_CHECK;

/*
 * Send all and prove it: P_ROW_MISSING, or what the server said, with the row.
 */
bool packet_send(RowPacket *packet, Error *err) MUST_CHECK;

#endif /* PORTAGE_ROW_PACKET_H */
