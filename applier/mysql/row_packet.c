/*
 * row_packet.c
 *		See row_packet.h.
 */
#include "mysql/row_packet.h"

#include <inttypes.h>

#include "base/mem.h"
#include "plan/row_error.h"

/* what goes in one round trip; a larger statement goes alone */
#define PACKET_STATEMENTS 500
#define PACKET_BYTES ((size_t) 256 * 1024)

/* memory that a huge row has left behind is given back */
#define KEPT_BYTES ((size_t) 4 * 1024 * 1024)

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

bool
packet_add(RowPacket *packet, const Txn *txn, const Change *change, bool any,
		   Error *err)
{
	reserve_entry(packet);
	BUG_UNLESS(packet->entries != NULL);
	packet->entries[packet->count++] = (PacketEntry){ txn, change, any };
	if (packet->count >= PACKET_STATEMENTS || packet->sql.len >= PACKET_BYTES)
		return packet_send(packet, err);
	buffer_putc(&packet->sql, ';');
	return true;
}

static bool
name_row(const RowPacket *packet, int i, Error *err)
{
	const PacketEntry *entry = &packet->entries[i];

	/* of a lost connection nothing is to be said about a row */
	if (err->kind != ERROR_DATA)
		return false;
	return row_error(err, entry->txn, entry->change);
}

static bool
wrong_count(const RowPacket *packet, int i, Error *err)
{
	error_set(err, P_ROW_MISSING,
			  "%" PRIu64 " rows were changed instead of one",
			  packet->affected[i]);
	return name_row(packet, i, err);
}

bool
packet_send(RowPacket *packet, Error *err)
{
	Slice sql = { packet->sql.data, packet->sql.len };
	int done = 0;
	bool ok = true;

	if (packet->count == 0)
		return true;
	/* the separator behind the last one */
	if (sql.data[sql.len - 1] == ';')
		sql.len--;
	if (!my_multi(packet->conn, err, sql, packet->affected, packet->count,
				  &done))
		ok = done < packet->count ? name_row(packet, done, err) : false;
	for (int i = 0; ok && i < packet->count; i++)
	{
		if (!packet->entries[i].any && packet->affected[i] != 1)
			ok = wrong_count(packet, i, err);
	}
	packet_reset(packet);
	return ok;
}
