/*
 * row_packet.c
 *		See row_packet.h.
 */
#include "mysql/row_packet.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "plan/row_error.h"

/* what goes in one round trip; a larger statement goes alone */
#define PACKET_STATEMENTS 500
#define PACKET_BYTES ((size_t) 256 * 1024)

/* memory that a huge row has left behind is given back */
#define KEPT_BYTES ((size_t) 4 * 1024 * 1024)

/* what the protocol puts around the text */
#define PACKET_OVERHEAD ((uint64_t) 1024)

void
packet_init(RowPacket *packet, MyConn *conn)
{
	*packet = (RowPacket){ .conn = conn };
	buffer_init(&packet->sql);
}

void
packet_release(RowPacket *packet)
{
	buffer_release(&packet->sql);
	mem_free(packet->entries);
	mem_free(packet->affected);
	packet->entries = NULL;
	packet->affected = NULL;
	packet->count = packet->capacity = 0;
}

void
packet_reset(RowPacket *packet)
{
	if (packet->sql.capacity > KEPT_BYTES)
		buffer_release(&packet->sql);
	else
		buffer_reset(&packet->sql);
	packet->count = 0;
	packet->start = 0;
}

static void
reserve_entry(RowPacket *packet)
{
	if (packet->count < packet->capacity)
		return;
	packet->capacity = packet->capacity * 2 + 64;
	packet->entries = mem_realloc(
		packet->entries, (size_t) packet->capacity * sizeof(*packet->entries));
	packet->affected = mem_realloc(packet->affected,
								   (size_t) packet->capacity *
									   sizeof(*packet->affected));
}

static bool
name_rows(const PacketEntry *entry, Error *err)
{
	/* of a lost connection nothing is to be said about a row */
	if (err->kind != ERROR_DATA)
		return false;
	if (entry->vector != NULL)
		return vector_error(err, entry->vector, (int) entry->rows);
	return entry->change != NULL ? row_error(err, entry->txn, entry->change)
								 : false;
}

static bool
wrong_count(const PacketEntry *entry, uint64_t rows, Error *err)
{
	if (entry->rows == 1)
		error_set(err, P_ROW_MISSING,
				  "%" PRIu64 " rows were changed instead of one", rows);
	else
		error_set(err, P_ROW_MISSING,
				  "%" PRIu64 " rows were changed instead of %" PRId64, rows,
				  entry->rows);
	return name_rows(entry, err);
}

/* An INSERT whose key may be taken: it was, if there was an UPDATE, or nothing. */
static bool
conflict_proven(const RowPacket *packet, const PacketEntry *entry,
				uint64_t updated, uint64_t inserted)
{
	const ChangeManner *manner = entry->change->manner;

	if (updated + inserted == 0 && manner->conflict == CONFLICT_OVERWRITE)
		return false;
	if (updated + inserted == 0)
		ledger_tally_count(packet->tally, manner->entry, LEDGER_KEPT, 1);
	else if (updated == 1)
		ledger_tally_count(packet->tally, manner->entry, LEDGER_OVERWRITTEN, 1);
	return updated + inserted <= 1;
}

/* rows: what it has affected. */
static bool
is_proven(RowPacket *packet, const PacketEntry *entry, uint64_t rows)
{
	uint64_t wanted = (uint64_t) entry->rows;

	switch (entry->proof)
	{
		case PROOF_NONE:
			return true;
		case PROOF_ROWS:
			return rows == wanted;
		case PROOF_AT_MOST:
			return rows <= wanted;
		case PROOF_FIRST:
			packet->first = rows;
			return rows <= wanted;
		case PROOF_BOTH:
			return packet->first + rows == wanted;
		case PROOF_MATCH:
			if (packet->tally != NULL)
				ledger_tally_count(packet->tally, entry->change->manner->entry,
								   LEDGER_MERGED, (int64_t) rows);
			return true;
		case PROOF_KEEP:
			return conflict_proven(packet, entry, 0, rows);
		case PROOF_CONFLICT:
			return conflict_proven(packet, entry, packet->first, rows);
	}
	return false;
}

/* The first ones, whose text ends there; the last statement may be incomplete. */
static bool
send_text(RowPacket *packet, size_t len, Error *err)
{
	Slice sql = { packet->sql.data, len };
	int done = 0;
	bool ok;

	if (packet->count == 0)
		return true;
	ok = my_multi(packet->conn, err, sql, packet->affected, packet->count,
				  &done);
	/* of those that went well one may be why the next did not */
	for (int i = 0; i < done; i++)
	{
		const PacketEntry *entry = &packet->entries[i];

		if (!is_proven(packet, entry, packet->affected[i]))
			return (ok || err->kind == ERROR_DATA) &&
				   wrong_count(entry, packet->affected[i], err);
	}
	if (!ok && done < packet->count)
		return name_rows(&packet->entries[done], err);
	return ok;
}

/* The statement does not fit behind the others. */
static bool
send_others(RowPacket *packet, Error *err)
{
	size_t len = packet->sql.len - packet->start;

	if (packet->start > 0 && !send_text(packet, packet->start - 1, err))
		return false;
	memmove(packet->sql.data, packet->sql.data + packet->start, len);
	packet->sql.len = len;
	packet->sql.data[len] = '\0';
	packet->count = 0;
	packet->start = 0;
	return true;
}

static bool
too_large(const RowPacket *packet, const PacketEntry *entry, Error *err)
{
	error_set(err, P_VALUE,
			  "a statement of %zu bytes is larger than max_allowed_packet of "
			  "the target, %" PRIu64,
			  packet->sql.len, packet->conn->server.max_allowed_packet);
	error_hint(err, "Raise max_allowed_packet on the target, up to 1 GB, and "
					"start again.");
	return name_rows(entry, err);
}

static bool
add_entry(RowPacket *packet, PacketEntry entry, Error *err)
{
	uint64_t limit = packet->conn->server.max_allowed_packet - PACKET_OVERHEAD;

	if (packet->sql.len > limit && !send_others(packet, err))
		return false;
	if (packet->sql.len > limit)
		return too_large(packet, &entry, err);
	reserve_entry(packet);
	BUG_UNLESS(packet->entries != NULL);
	packet->entries[packet->count++] = entry;
	if (packet->count >= PACKET_STATEMENTS || packet->sql.len >= PACKET_BYTES)
		return packet_send(packet, err);
	buffer_putc(&packet->sql, ';');
	packet->start = packet->sql.len;
	return true;
}

bool
packet_add(RowPacket *packet, const Txn *txn, const Change *change,
		   PacketProof proof, Error *err)
{
	return add_entry(
		packet,
		(PacketEntry){
			.txn = txn, .change = change, .proof = proof, .rows = 1 },
		err);
}

bool
packet_add_rows(RowPacket *packet, const PlanVector *vector, int rows,
				PacketProof proof, Error *err)
{
	return add_entry(
		packet, (PacketEntry){ .vector = vector, .proof = proof, .rows = rows },
		err);
}

bool
packet_add_several(RowPacket *packet, int count, Error *err)
{
	for (int i = 1; i < count; i++)
	{
		reserve_entry(packet);
		packet->entries[packet->count++] = (PacketEntry){ .proof = PROOF_NONE };
	}
	return add_entry(packet, (PacketEntry){ .proof = PROOF_NONE }, err);
}

bool
packet_add_other(RowPacket *packet, Error *err)
{
	return packet_add_several(packet, 1, err);
}

bool
packet_send(RowPacket *packet, Error *err)
{
	size_t len = packet->sql.len;
	bool ok;

	/* the separator behind the last one */
	if (packet->count > 0 && packet->start == len)
		len--;
	ok = send_text(packet, len, err);
	packet_reset(packet);
	return ok;
}
