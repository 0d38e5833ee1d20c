/*
 * frame_script.c
 *		See frame_script.h.
 */
#include "frame_script.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "stream/history.h"
#include "wire.h"

#define FRAME_MAX 65536
#define RELATION 10

const DdlKey frame_script_key = { true, "0123456789abcdef0123456789abcde" };

/* What a frame gives back when nobody holds it any more. */
typedef struct FrameBytes
{
	FrameScript *script;
	uint8_t data[FRAME_MAX];
} FrameBytes;

static void
release_bytes(void *handle)
{
	FrameBytes *bytes = handle;

	bytes->script->alive--;
	mem_free(bytes);
}

/* Records are appended at end. */
typedef struct Builder
{
	FrameScript *script;
	uint8_t *end;
} Builder;

static void
end_record(Builder *b, uint8_t *end, bool sealed)
{
	FrameScript *script = b->script;

	wire_patch_length(b->end, end);
	if (sealed)
	{
		script->crc = crc32c_update(&script->tables, script->crc, b->end,
									(size_t) (end - b->end));
		script->rows += wire_tag_is_row(b->end[0]);
	}
	b->end = end;
}

static WireSlice
slice(const char *text, size_t len)
{
	return (WireSlice){ (const uint8_t *) text, (uint32_t) len };
}

static void
add_head(Builder *b)
{
	WireSlice name = slice("t", 1);
	WireRelation relation = { .relid = RELATION,
							  .relkind = 'r',
							  .identity = 'd',
							  .schema = name,
							  .name = name,
							  .ncolumns = 1 };
	WireColumn column = { .attnum = 1,
						  .flags = WIRE_COLUMN_KEY,
						  .category = 'N',
						  .name = name,
						  .type_schema = name,
						  .type_name = name };
	uint8_t *p = wire_put_header(b->end, WIRE_HELLO);

	p = wire_put_hello_fixed(p, WIRE_PROTO_MAX, 150020);
	p = wire_put_string(p, "1.0.0", 5);
	p = wire_put_string(p, "UTF8", 4);
	end_record(b, wire_put_leb(wire_put_leb(p, 0), 0), false);
	p = wire_put_header(b->end, WIRE_RELATION);
	end_record(b, wire_put_column(wire_put_relation(p, &relation), &column),
			   false);
}

static void
add_begin(Builder *b, uint32_t xid)
{
	WireBegin begin = { .xid = xid, .commit_lsn = xid * 100, .commit_time = 7 };
	uint8_t *p = wire_put_header(b->end, WIRE_BEGIN);

	b->script->xid = xid;
	b->script->crc = 0;
	b->script->rows = 0;
	end_record(b, wire_put_begin(p, &begin), true);
}

static void
add_insert(Builder *b)
{
	char value[16];
	uint8_t *p = wire_put_header(b->end, WIRE_INSERT);

	snprintf(value, sizeof(value), "%d", ++b->script->number);
	p = wire_put_row(p, RELATION, WIRE_OLD_NONE);
	*p++ = WIRE_COL_PRESENT;
	end_record(b, wire_put_string(p, value, (uint32_t) strlen(value)), true);
}

static void
add_truncate(Builder *b)
{
	uint8_t *p = wire_put_header(b->end, WIRE_TRUNCATE);

	end_record(b, wire_put_u32(wire_put_truncate(p, 0, 1), RELATION), true);
}

static void
add_message(Builder *b, bool inside, const char *prefix, const char *content,
			size_t len)
{
	WireMessage message = { .lsn = 3,
							.flags = inside ? WIRE_MESSAGE_TRANSACTIONAL : 0,
							.prefix = slice(prefix, strlen(prefix)),
							.content = slice(content, len) };
	uint8_t *p = wire_put_header(b->end, WIRE_MESSAGE);

	end_record(b, wire_put_message(p, &message), inside);
}

/* Signed as the extension signs. */
static void
add_ddl(Builder *b, const char *json)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	Buffer content;

	buffer_init(&content);
	HMAC(EVP_sha256(), frame_script_key.bytes, DDL_KEY_SIZE,
		 (const unsigned char *) json, strlen(json), mac, &len);
	buffer_puts(&content, "1 ");
	for (unsigned i = 0; i < len; i++)
		buffer_printf(&content, "%02x", mac[i]);
	buffer_printf(&content, " %s", json);
	add_message(b, true, DDL_PREFIX, content.data, content.len);
	buffer_release(&content);
}

static void
add_ddl_of(Builder *b, uint32_t xid)
{
	char json[128];

	snprintf(json, sizeof(json), "{\"xid\":\"%u\",\"event\":\"end\"}", xid);
	add_ddl(b, json);
}

static void
add_commit(Builder *b, uint32_t wrong_crc, uint64_t wrong_rows)
{
	Lsn lsn = (Lsn) b->script->xid * 100;
	WireCommit commit = { lsn, lsn + 50, 7, b->script->rows + wrong_rows,
						  b->script->crc ^ wrong_crc };
	uint8_t *p = wire_put_header(b->end, WIRE_COMMIT);

	end_record(b, wire_put_commit(p, &commit), false);
}

static void
add_record(Builder *b, char letter)
{
	switch (letter)
	{
		case 'i':
			add_insert(b);
			break;
		case 't':
			add_truncate(b);
			break;
		case 'd':
			add_ddl_of(b, b->script->xid);
			break;
		case 'D':
			add_ddl_of(b, b->script->xid + 1);
			break;
		case 'j':
			add_ddl(b, "no JSON");
			break;
		case 'n':
			add_message(b, true, MARKER_PREFIX, b->script->nonce,
						NONCE_SIZE - 1);
			break;
		case 'm':
		case 'o':
			add_message(b, letter == 'm', "somebody", "else", 4);
			break;
		case 'C':
		case 'c':
		case 'r':
			add_commit(b, letter == 'c', letter == 'r');
			break;
		default:
			BUG("there is no record '%c'", letter);
	}
}

void
frame_script_init(FrameScript *script)
{
	memset(script, 0, sizeof(*script));
	script->decoder = decoder_new();
	crc32c_init(&script->tables);
}

void
frame_script_release(FrameScript *script)
{
	decoder_free(script->decoder);
}

Frame *
frame_script_next(FrameScript *script, const char *text, Error *err)
{
	FrameBytes *bytes = mem_alloc(sizeof(*bytes));
	Builder b = { script, bytes->data };
	Frame *frame;

	bytes->script = script;
	if (!script->begun)
		add_head(&b);
	script->begun = true;
	for (; *text != '\0'; text++)
	{
		if (*text == 'B')
		{
			char *end;

			add_begin(&b, (uint32_t) strtoul(text + 1, &end, 10));
			text = end - 1;
		}
		else if (*text != ' ')
			add_record(&b, *text);
		BUG_UNLESS(b.end - bytes->data < FRAME_MAX - 1000);
	}
	script->alive++;
	frame = frame_new(bytes->data, (size_t) (b.end - bytes->data), bytes,
					  release_bytes);
	if (decode_frame(script->decoder, frame, err))
		return frame;
	frame_release(frame);
	return NULL;
}
