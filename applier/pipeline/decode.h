/*
 * decode.h
 *		Bytes from the plugin become events, in place.
 *
 * A Decoder holds what one stream has announced so far (hello, relations,
 * origins) and the transaction that is open; it is fed every frame of that
 * stream in order and is thrown away with it.  It checks everything that the
 * protocol promises: order of records, known relations, row counts and the
 * checksum of each transaction.  It rejects, it never guesses.
 */
#ifndef PORTAGE_DECODE_H
#define PORTAGE_DECODE_H

#include "base/error.h"
#include "change.h"

typedef struct Decoder Decoder;

/* What the hello said; strings live as long as the decoder. */
typedef struct StreamHello
{
	bool known;
	int proto;
	int server_version;
	const char *plugin_version;
	const char *encoding;
} StreamHello;

Decoder *decoder_new(void);
void decoder_free(Decoder *decoder);

/*
 * Decode a frame: fills its events.  The byte behind the frame's last one must
 * be writable.  On failure (P_PROTOCOL) the decoder must not be used again.
 */
bool decode_frame(Decoder *decoder, Frame *frame, Error *err) MUST_CHECK;

const StreamHello *decoder_hello(const Decoder *decoder);

#endif /* PORTAGE_DECODE_H */
