/*
 * frame_script.h
 *		Frames as the plugin makes them, from a text.
 *
 *		B7	transaction 7 begins; it commits at 700 and ends at 750
 *		i	an INSERT of a number that counts up from 1
 *		t	a TRUNCATE
 *		d	DDL of the extension; D: of another transaction; j: with our HMAC,
 *			but no JSON
 *		n	a marker with the nonce that is set
 *		m	a message of somebody else, o: outside of the transaction
 *		C	the end; c: with a wrong checksum; r: with a wrong number of rows
 *
 * Blanks mean nothing.
 */
#ifndef PORTAGE_FRAME_SCRIPT_H
#define PORTAGE_FRAME_SCRIPT_H

#include "base/clock.h"
#include "base/error.h"
#include "crc32c.h"
#include "pipeline/decode.h"
#include "stream/ddl_event.h"

typedef struct FrameScript
{
	Decoder *decoder;
	Crc32cTables tables;
	char nonce[NONCE_SIZE];
	uint32_t xid; /* of the open, or last, transaction */
	uint32_t crc;
	uint64_t rows;
	int number; /* of the last INSERT */
	bool begun; /* hello and relation are sent */
	int alive;	/* frames that somebody holds */
} FrameScript;

/* What DDL is signed with. */
extern const DdlKey frame_script_key;

void frame_script_init(FrameScript *script);
void frame_script_release(FrameScript *script);

/* A frame, decoded; NULL and err if the decoder refuses it. */
Frame *frame_script_next(FrameScript *script, const char *text, Error *err);

#endif /* PORTAGE_FRAME_SCRIPT_H */
