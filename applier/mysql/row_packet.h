/*
 * row_packet.h
 *		Statements on their way, many in one round trip, each with the change, or
 *		the vector of rows, that it is for.
 *
 * The server stops at the first that fails, and the packet at the first that did
 * not affect as many rows as it had to: either is told with the row's name, or
 * that of the vector's table.
 */
#ifndef PORTAGE_ROW_PACKET_H
#define PORTAGE_ROW_PACKET_H

#include "change.h"
#include "ledger.h"
#include "mysql/mysql_conn.h"
#include "plan/plan.h"

/* What the number of rows that a statement has affected has to be. */
typedef enum PacketProof
{
	PROOF_NONE,	   /* anything */
	PROOF_ROWS,	   /* as many as it is for */
	PROOF_AT_MOST, /* no more: they may not be there */
	PROOF_FIRST,   /* it counts with the next statement's */
	PROOF_BOTH,	   /* both together as many as they are for */
	/* counted, for the ledger: */
	PROOF_MATCH,   /* rows that match has changed */
	PROOF_KEEP,	   /* one, or the key was taken */
	PROOF_CONFLICT /* with the one before: as the change's manner says */
} PacketProof;

/* What a statement is for; neither change nor vector: for none. */
typedef struct PacketEntry
{
	const Txn *txn; /* of the change */
	const Change *change;
	const PlanVector *vector;
	PacketProof proof;
	int64_t rows; /* that it is for */
} PacketEntry;

typedef struct RowPacket
{
	MyConn *conn;
	Buffer sql;	  /* append a statement here, then packet_add() */
	size_t start; /* where that begins */
	PacketEntry *entries;
	uint64_t *affected;
	uint64_t first;		/* of the last PROOF_FIRST */
	LedgerTally *tally; /* where is counted; NULL: nowhere */
	int count;
	int capacity;
} RowPacket;

void packet_init(RowPacket *packet, MyConn *conn);
void packet_release(RowPacket *packet);

/* Forget what was not sent. */
void packet_reset(RowPacket *packet);

/*
 * The statement that was appended is complete, without a ';'.  Sends what there
 * is if it is much.  txn and change live until it is sent.  P_VALUE if it is more
 * than the server takes.
 */
bool packet_add(RowPacket *packet, const Txn *txn, const Change *change,
				PacketProof proof, Error *err) MUST_CHECK;

/* The same for a statement of so many rows of the vector. */
bool packet_add_rows(RowPacket *packet, const PlanVector *vector, int rows,
					 PacketProof proof, Error *err) MUST_CHECK;

/* The same for one that is about no row, or for some of these. */
bool packet_add_other(RowPacket *packet, Error *err) MUST_CHECK;
bool packet_add_several(RowPacket *packet, int count, Error *err) MUST_CHECK;

/*
 * Send all and prove it: P_ROW_MISSING, or what the server said, with the row.
 */
bool packet_send(RowPacket *packet, Error *err) MUST_CHECK;

#endif /* PORTAGE_ROW_PACKET_H */
