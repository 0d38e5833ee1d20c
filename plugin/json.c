/*
 * json.c
 *		One JSON object a line for people, pg_recvlogical and psql.
 *
 * Each record is its own write.  The text is in the server's encoding, as that
 * of every textual output plugin, and each line is valid JSON whatever it
 * carries: control characters are escaped, line breaks between the tokens of
 * embedded JSON become blanks, floats that JSON has no number for become
 * strings, and the content of a message that is not text is given in hex.
 *
 * Objects, by their "op":
 *		begin		xid lsn timestamp origin
 *		relation	table identity columns; before the first row, with types
 *		I U D		table xid lsn, then of key, old, new and unchanged what there
 *					is; nokey if the row cannot be told
 *		truncate	xid lsn tables, cascade, restart
 *		message		xid lsn transactional prefix, content or content_hex
 *		commit		xid lsn end_lsn timestamp rows
 */
#include "postgres.h"

#include "compat.h"

#include "mb/pg_wchar.h"
#include "replication/origin.h"
#include "utils/builtins.h"

#include "session.h"

static void
put_escaped(StringInfo out, const char *s, size_t len)
{
	size_t i;
	size_t start = 0; /* of what has not been copied yet */

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		appendBinaryStringInfo(out, s + start, (int) (i - start));
		start = i + 1;
		if (c == '"' || c == '\\')
		{
			appendStringInfoCharMacro(out, '\\');
			appendStringInfoCharMacro(out, (char) c);
		}
		else if (c == '\n')
			appendBinaryStringInfo(out, "\\n", 2);
		else if (c == '\r')
			appendBinaryStringInfo(out, "\\r", 2);
		else if (c == '\t')
			appendBinaryStringInfo(out, "\\t", 2);
		else
			appendStringInfo(out, "\\u%04x", c);
	}
	appendBinaryStringInfo(out, s + start, (int) (len - start));
}

static void
put_quoted(StringInfo out, const char *s, size_t len)
{
	appendStringInfoCharMacro(out, '"');
	put_escaped(out, s, len);
	appendStringInfoCharMacro(out, '"');
}

/* ,"name": */
static void
put_key(StringInfo out, const char *name)
{
	appendStringInfo(out, ",\"%s\":", name);
}

static void
put_text(StringInfo out, const char *name, const char *value)
{
	put_key(out, name);
	put_quoted(out, value, strlen(value));
}

static void
put_lsn(StringInfo out, const char *name, XLogRecPtr lsn)
{
	appendStringInfo(out, ",\"%s\":\"%X/%X\"", name, (uint32) (lsn >> 32),
					 (uint32) lsn);
}

static void
put_hex(StringInfo out, const uint8_t *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++)
	{
		appendStringInfoCharMacro(out, hex[data[i] >> 4]);
		appendStringInfoCharMacro(out, hex[data[i] & 0x0F]);
	}
}

/* {"op":"..."; every line goes on with a comma */
static StringInfo
open_line(LogicalDecodingContext *ctx, const char *op)
{
	OutputPluginPrepareWrite(ctx, true);
	appendStringInfo(ctx->out, "{\"op\":\"%s\"", op);
	return ctx->out;
}

static void
close_line(LogicalDecodingContext *ctx)
{
	appendStringInfoCharMacro(ctx->out, '}');
	OutputPluginWrite(ctx, true);
}

static void
put_position(StringInfo out, const Session *session, TransactionId xid,
			 XLogRecPtr lsn)
{
	if ((session->options.include & INCLUDE_XID) != 0)
		appendStringInfo(out, ",\"xid\":%u", xid);
	if ((session->options.include & INCLUDE_LSN) != 0)
		put_lsn(out, "lsn", lsn);
}

static void
put_timestamp(StringInfo out, const Session *session, TimestampTz at)
{
	char text[TEXTOUT_SHORT_SIZE];
	char *end;

	if ((session->options.include & INCLUDE_TIMESTAMP) == 0)
		return;
	end = textout_timestamptz(text, at);
	if (end == NULL)
		end = text;
	put_key(out, "timestamp");
	put_quoted(out, text, end - text);
}

static void
json_start(LogicalDecodingContext *ctx, Session *session)
{
}

static void
json_prepare(LogicalDecodingContext *ctx, Session *session)
{
}

static void
json_begin(LogicalDecodingContext *ctx, Session *session, ReorderBufferTXN *txn)
{
	StringInfo out = open_line(ctx, "begin");
	char *origin;

	put_position(out, session, txn->xid, txn->final_lsn);
	put_timestamp(out, session, COMPAT_COMMIT_TIME(txn));
	if ((session->options.include & INCLUDE_ORIGIN) != 0 &&
		txn->origin_id != InvalidRepOriginId &&
		replorigin_by_oid(txn->origin_id, true, &origin))
		put_text(out, "origin", origin);
	close_line(ctx);
}

static const char *
identity_name(char identity)
{
	switch (identity)
	{
		case REPLICA_IDENTITY_DEFAULT:
			return "default";
		case REPLICA_IDENTITY_INDEX:
			return "index";
		case REPLICA_IDENTITY_FULL:
			return "full";
		default:
			return "nothing";
	}
}

static void
json_relation(LogicalDecodingContext *ctx, Session *session,
			  RelationEntry *entry)
{
	StringInfo out;
	int i;

	if ((session->options.include & INCLUDE_TYPES) == 0)
		return;
	out = open_line(ctx, "relation");
	put_text(out, "table", entry->quoted_name);
	put_text(out, "identity", identity_name(entry->identity));
	appendStringInfoString(out, ",\"columns\":[");
	for (i = 0; i < entry->ncolumns; i++)
	{
		RelationColumn *column = &entry->columns[i];

		appendStringInfoString(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		put_quoted(out, column->name, strlen(column->name));
		put_text(out, "type", column->type_text);
		if (column->key)
			appendStringInfoString(out, ",\"key\":true");
		appendStringInfoCharMacro(out, '}');
	}
	appendStringInfoCharMacro(out, ']');
	close_line(ctx);
}

/*
 * The json type keeps the text as it was entered.  Line breaks in it can only
 * stand between tokens: within a string they have to be escaped.
 */
static void
put_embedded(StringInfo out, const char *s, size_t len)
{
	int start = out->len;
	int i;

	appendBinaryStringInfo(out, s, (int) len);
	for (i = start; i < out->len; i++)
	{
		if ((unsigned char) out->data[i] < 0x20)
			out->data[i] = ' ';
	}
}

/* NaN and the infinities begin with a letter, behind the sign. */
static bool
is_number(const char *s, size_t len)
{
	size_t i = (len > 0 && s[0] == '-') ? 1 : 0;

	return i < len && s[i] >= '0' && s[i] <= '9';
}

static void
put_value(StringInfo out, ColumnText *text, Datum value)
{
	char space[TEXTOUT_SHORT_SIZE];
	char *end = textout_short(text, value, space);
	const char *s = space;
	size_t len;

	if (end == NULL)
	{
		WireSlice slice = textout_slice(text, value);

		s = (const char *) slice.data;
		len = slice.len;
	}
	else
		len = end - space;
	if (text->json == JSON_BYTEA)
	{
		appendStringInfoString(out, "\"\\\\x");
		put_hex(out, (const uint8_t *) s, len);
		appendStringInfoCharMacro(out, '"');
	}
	else if (text->json == JSON_BOOL)
		appendStringInfoString(out, *s == 't' ? "true" : "false");
	else if (text->json == JSON_EMBEDDED)
		put_embedded(out, s, len);
	else if (text->json == JSON_NUMBER && is_number(s, len))
		appendBinaryStringInfo(out, s, (int) len);
	else
		put_quoted(out, s, len);
}

static void
put_tuple(StringInfo out, const char *name, const Row *row,
		  const RowTuple *tuple)
{
	const char *separator = "";
	int i;

	put_key(out, name);
	appendStringInfoCharMacro(out, '{');
	for (i = 0; i < row->entry->ncolumns; i++)
	{
		RelationColumn *column = &row->entry->columns[i];
		Datum value;
		WireColumnState state = row_column(row, tuple, column, &value);

		if (state == WIRE_COL_ABSENT || state == WIRE_COL_UNCHANGED)
			continue;
		appendStringInfoString(out, separator);
		put_quoted(out, column->name, strlen(column->name));
		appendStringInfoCharMacro(out, ':');
		if (state == WIRE_COL_NULL)
			appendStringInfoString(out, "null");
		else
			put_value(out, &column->text, value);
		separator = ",";
	}
	appendStringInfoCharMacro(out, '}');
}

static void
put_unchanged(StringInfo out, const Row *row)
{
	const char *separator = ",\"unchanged\":[";
	int i;

	for (i = 0; i < row->entry->ncolumns; i++)
	{
		RelationColumn *column = &row->entry->columns[i];
		Datum value;

		if (row_column(row, row->new_tuple, column, &value) !=
			WIRE_COL_UNCHANGED)
			continue;
		appendStringInfoString(out, separator);
		put_quoted(out, column->name, strlen(column->name));
		separator = ",";
	}
	if (*separator == ',' && separator[1] == '\0')
		appendStringInfoCharMacro(out, ']');
}

static void
json_row(LogicalDecodingContext *ctx, Session *session, const Row *row)
{
	char op[] = { (char) row->tag, '\0' };
	StringInfo out = open_line(ctx, op);

	put_text(out, "table", row->entry->quoted_name);
	put_position(out, session, session->xid, session->change_lsn);
	if (row->no_key)
		appendStringInfoString(out, ",\"nokey\":true");
	if (row->old_tuple != NULL)
		put_tuple(out, row->old_kind == WIRE_OLD_FULL ? "old" : "key", row,
				  row->old_tuple);
	if (row->new_tuple != NULL)
	{
		put_tuple(out, "new", row, row->new_tuple);
		put_unchanged(out, row);
	}
	close_line(ctx);
}

static void
json_truncate(LogicalDecodingContext *ctx, Session *session,
			  const ReorderBufferChange *change, int nentries,
			  RelationEntry **entries)
{
	StringInfo out = open_line(ctx, "truncate");
	int i;

	put_position(out, session, session->xid, session->change_lsn);
	appendStringInfoString(out, ",\"tables\":");
	for (i = 0; i < nentries; i++)
	{
		appendStringInfoCharMacro(out, i > 0 ? ',' : '[');
		put_quoted(out, entries[i]->quoted_name,
				   strlen(entries[i]->quoted_name));
	}
	appendStringInfoCharMacro(out, ']');
	if (change->data.truncate.cascade)
		appendStringInfoString(out, ",\"cascade\":true");
	if (change->data.truncate.restart_seqs)
		appendStringInfoString(out, ",\"restart\":true");
	close_line(ctx);
}

/* Without an encoding nothing says that bytes above 127 are text. */
static bool
is_text(const char *s, Size len)
{
	Size i;

	if (GetDatabaseEncoding() != PG_SQL_ASCII)
		return pg_verifymbstr(s, (int) len, true);
	for (i = 0; i < len; i++)
	{
		if (s[i] == '\0' || IS_HIGHBIT_SET(s[i]))
			return false;
	}
	return true;
}

static void
json_message(LogicalDecodingContext *ctx, Session *session,
			 const LogicalMessage *message)
{
	StringInfo out = open_line(ctx, "message");

	if (message->transactional)
		put_position(out, session, session->xid, message->lsn);
	else if ((session->options.include & INCLUDE_LSN) != 0)
		put_lsn(out, "lsn", message->lsn);
	appendStringInfo(out, ",\"transactional\":%s",
					 message->transactional ? "true" : "false");
	if (is_text(message->prefix, strlen(message->prefix)))
		put_text(out, "prefix", message->prefix);
	if (is_text(message->content, message->len))
	{
		put_key(out, "content");
		put_quoted(out, message->content, message->len);
	}
	else
	{
		put_key(out, "content_hex");
		appendStringInfoCharMacro(out, '"');
		put_hex(out, (const uint8_t *) message->content, message->len);
		appendStringInfoCharMacro(out, '"');
	}
	close_line(ctx);
}

static void
json_commit(LogicalDecodingContext *ctx, Session *session,
			ReorderBufferTXN *txn)
{
	StringInfo out = open_line(ctx, "commit");

	put_position(out, session, txn->xid, txn->final_lsn);
	if ((session->options.include & INCLUDE_LSN) != 0)
		put_lsn(out, "end_lsn", txn->end_lsn);
	put_timestamp(out, session, COMPAT_COMMIT_TIME(txn));
	appendStringInfo(out, ",\"rows\":" UINT64_FORMAT, session->nrows);
	close_line(ctx);
}

const Format format_json = { .output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT,
							 .start = json_start,
							 .prepare = json_prepare,
							 .begin = json_begin,
							 .relation = json_relation,
							 .row = json_row,
							 .truncate = json_truncate,
							 .message = json_message,
							 .commit = json_commit };
