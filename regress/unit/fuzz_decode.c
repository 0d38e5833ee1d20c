/*
 * fuzz_decode.c
 *		libFuzzer target: the decoder fed with anything.
 *
 * Input is a file as in golden/: frames, each preceded by its length in four
 * bytes.  A length that is too large means the rest.  Whatever comes, a frame
 * is decoded or refused with P_PROTOCOL, and what was decoded can be read.
 */
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"

/*
 * Every input has a decoder of its own, and making the checksum's tables takes
 * longer than decoding a small input: they are made once and copied.
 */
static void
copy_tables(Crc32cTables *tables)
{
	static Crc32cTables made;

	crc32c_init(&made);
	*tables = made;
}

#define crc32c_init copy_tables
#include "pipeline/decode.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touch every byte of what the events point to, and their NULs. */
static unsigned
read_values(const Value *values, int count)
{
	unsigned sum = 0;
	int i;

	for (i = 0; values != NULL && i < count; i++)
	{
		if (values[i].state != WIRE_COL_PRESENT)
			continue;
		if (values[i].data[values[i].len] != '\0')
			abort();
		for (uint32_t b = 0; b < values[i].len; b++)
			sum += (unsigned char) values[i].data[b];
	}
	return sum;
}

static unsigned
read_frame(const Frame *frame)
{
	unsigned sum = 0;
	int i;

	for (i = 0; i < frame->event_count; i++)
	{
		const Event *event = &frame->events[i];

		if (event->kind == EVENT_CHANGE && event->change.relation != NULL)
		{
			const Change *change = &event->change;
			int n = change->relation->column_count;

			sum += read_values(change->old_values, n);
			sum += read_values(change->new_values, n);
			sum += (unsigned) strlen(change->relation->name);
			for (int c = 0; c < n; c++)
			{
				const Slice *missing = &change->relation->columns[c].missing;

				if (missing->data != NULL &&
					missing->data[missing->len] != '\0')
					abort();
			}
		}
		else if (event->kind == EVENT_CHANGE)
		{
			for (int t = 0; t < event->change.truncated_count; t++)
				sum += event->change.truncated[t]->oid;
		}
		else if (event->kind == EVENT_MESSAGE && event->message.content.len > 0)
			sum += (unsigned char) event->message.content
					   .data[event->message.content.len - 1];
	}
	return sum;
}

/* Frames are kept for a while, as the pipeline does, behind the decoder. */
#define KEPT 8

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile unsigned sink __attribute__((unused));
	Decoder *decoder = decoder_new();
	Frame *kept[KEPT] = { NULL };
	Error err = ERROR_INIT;
	int n = 0;
	bool good = true;

	while (good && size >= 4)
	{
		size_t len = (size_t) data[0] | (size_t) data[1] << 8 |
					 (size_t) data[2] << 16 | (size_t) data[3] << 24;
		uint8_t *copy;
		Frame *frame;

		data += 4;
		size -= 4;
		if (len > size)
			len = size;
		copy = malloc(len + 1);
		memcpy(copy, data, len);
		frame = frame_new(copy, len, copy, free);
		good = decode_frame(decoder, frame, &err);
		if (!good && err.code != P_PROTOCOL)
			abort();
		if (good)
			sink += read_frame(frame);
		frame_release(kept[n % KEPT]);
		kept[n++ % KEPT] = frame;
		data += len;
		size -= len;
	}
	decoder_free(decoder);
	for (n = 0; n < KEPT; n++)
		frame_release(kept[n]);
	return 0;
}
