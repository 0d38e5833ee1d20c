/*
 * inspect.c
 *		portage.decode() and decode_all(): frames of a stream in words.
 *
 * Frames come from anywhere, a table or a file of a broken night, so nothing in
 * them is trusted: every length is checked by the readers of wire.h, every
 * text is checked before it is shown as text, memory stays in proportion to the
 * input, and whatever is wrong is an error that says in which record.
 *
 * A row is taken apart with the R record of its relation, which may stand in an
 * earlier frame.  With an array of frames that is found; in a single frame it
 * may be missing, and then the row is shown in hex.  In the same way checksum
 * and row count are verified for transactions whose beginning is there.
 */
#include "postgres.h"

#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "inspect.h"

PG_FUNCTION_INFO_V1(portage_version);
PG_FUNCTION_INFO_V1(portage_decode);
PG_FUNCTION_INFO_V1(portage_decode_all);

PGDLLEXPORT Datum portage_version(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum portage_decode(PG_FUNCTION_ARGS);
PGDLLEXPORT Datum portage_decode_all(PG_FUNCTION_ARGS);

static void
malformed(const Inspector *ins, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("malformed frame"),
					errdetail("Frame %d, record %d: %s.", ins->frame,
							  ins->record, what)));
}

/* The rules on the order of records, and on what C seals. */
static void
follow_transaction(Inspector *ins, const WireRecord *rec)
{
	bool in_row = wire_tag_is_row(rec->tag);

	if (rec->tag == WIRE_HELLO)
	{
		ins->place = PLACE_OUTSIDE;
		ins->relations = NIL;
	}
	if (rec->tag == WIRE_BEGIN)
	{
		if (ins->place == PLACE_INSIDE)
			malformed(ins, "a transaction begins within another one");
		ins->place = PLACE_INSIDE;
		ins->crc = 0;
		ins->nrows = 0;
	}
	if ((in_row || rec->tag == WIRE_COMMIT) && ins->place == PLACE_OUTSIDE)
		malformed(ins, "it does not belong to any transaction");
	if (in_row)
		ins->nrows++;
	if (in_row || rec->tag == WIRE_BEGIN ||
		(rec->tag == WIRE_MESSAGE && rec->body.len > 8 &&
		 (rec->body.data[8] & WIRE_MESSAGE_TRANSACTIONAL) != 0))
		ins->crc = crc32c_update(&ins->tables, ins->crc, rec->whole.data,
								 rec->whole.len);
}

/* C: is the transaction what it was when it was sent? */
static void
verify_transaction(Inspector *ins, const WireCommit *commit)
{
	if (ins->place == PLACE_INSIDE && commit->nrows != ins->nrows)
		malformed(ins, "the number of rows is not that of the transaction");
	if (ins->place == PLACE_INSIDE && commit->crc != ins->crc)
		malformed(ins, "the checksum is not that of the transaction");
	ins->place = PLACE_OUTSIDE;
}

/* The next record of the frames in words; NULL at the end. */
static char *
next_line(Inspector *ins)
{
	WireRecord rec;
	WireReader body;
	StringInfoData line;
	WireCommit commit;

	CHECK_FOR_INTERRUPTS();
	while (ins->reader.pos == ins->reader.end)
	{
		if (ins->frame == ins->nframes)
			return NULL;
		wire_reader_init(&ins->reader,
						 (const uint8_t *) VARDATA_ANY(ins->frames[ins->frame]),
						 VARSIZE_ANY_EXHDR(ins->frames[ins->frame]));
		ins->frame++;
		ins->record = 0;
	}
	ins->record++;
	if (!wire_get_record(&ins->reader, &rec))
		malformed(ins, "the tag is unknown, or the length wrong");
	follow_transaction(ins, &rec);
	initStringInfo(&line);
	wire_reader_init(&body, rec.body.data, rec.body.len);
	words_put_record(&line, ins, rec.tag, &body);
	if (!wire_reader_done(&body))
		malformed(ins, "its body is not what the tag says");
	if (rec.tag == WIRE_COMMIT)
	{
		wire_reader_init(&body, rec.body.data, rec.body.len);
		wire_get_commit(&body, &commit);
		verify_transaction(ins, &commit);
	}
	return line.data;
}

static Inspector *
inspector_new(struct varlena **frames, int nframes)
{
	Inspector *ins = palloc0(sizeof(Inspector));

	crc32c_init(&ins->tables);
	ins->context = CurrentMemoryContext;
	ins->frames = frames;
	ins->nframes = nframes;
	return ins;
}

/* One line a call, for as long as there are any. */
static Datum
return_lines(FunctionCallInfo fcinfo)
{
	FuncCallContext *call = SRF_PERCALL_SETUP();
	char *line = next_line(call->user_fctx);

	if (line == NULL)
		SRF_RETURN_DONE(call);
	SRF_RETURN_NEXT(call, CStringGetTextDatum(line));
}

Datum
portage_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(PORTAGE_VERSION));
}

Datum
portage_decode(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *call = SRF_FIRSTCALL_INIT();
		MemoryContext caller = MemoryContextSwitchTo(
			call->multi_call_memory_ctx);
		struct varlena **frames = palloc(sizeof(struct varlena *));

		frames[0] = PG_GETARG_BYTEA_P_COPY(0);
		call->user_fctx = inspector_new(frames, 1);
		MemoryContextSwitchTo(caller);
	}
	return return_lines(fcinfo);
}

Datum
portage_decode_all(PG_FUNCTION_ARGS)
{
	if (SRF_IS_FIRSTCALL())
	{
		FuncCallContext *call = SRF_FIRSTCALL_INIT();
		MemoryContext caller = MemoryContextSwitchTo(
			call->multi_call_memory_ctx);
		ArrayType *array = PG_GETARG_ARRAYTYPE_P_COPY(0);
		struct varlena **frames;
		Datum *elements;
		bool *nulls;
		int n;
		int i;

		deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &elements,
						  &nulls, &n);
		frames = palloc(n * sizeof(struct varlena *) + 1);
		for (i = 0; i < n; i++)
		{
			if (nulls[i])
				ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
								errmsg("a frame must not be null")));
			frames[i] = PG_DETOAST_DATUM_PACKED(elements[i]);
		}
		call->user_fctx = inspector_new(frames, n);
		MemoryContextSwitchTo(caller);
	}
	return return_lines(fcinfo);
}
