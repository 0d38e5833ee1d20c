/*
 * words.c
 *		A record of wire.h in words, for portage.decode().
 *
 * Readers are sticky, so a record is put into words as if it were sound and the
 * caller asks at the end.  What counts is that no loop outlives a failure and
 * that no pointer is used that was not read.
 */
#include "postgres.h"

#include "compat.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "inspect.h"
#include "textout.h"

/* what an R record said, as far as rows need it */
typedef struct KnownRelation
{
	uint32_t relid;
	char *name; /* in words already */
	uint16_t ncolumns;
	bool *is_bytea;
	char **column_names; /* likewise */
} KnownRelation;

static void
put_hex(StringInfo line, WireSlice s)
{
	uint32_t i;

	appendStringInfoString(line, "\\x");
	for (i = 0; i < s.len; i++)
		appendStringInfo(line, "%02x", s.data[i]);
}

/* Text that would not do as text in this database is shown in hex. */
static bool
is_plain(WireSlice s)
{
	uint32_t i;

	for (i = 0; i < s.len; i++)
	{
		if (s.data[i] < 0x20 || s.data[i] == 0x7F ||
			(IS_HIGHBIT_SET(s.data[i]) &&
			 GetDatabaseEncoding() == PG_SQL_ASCII))
			return false;
	}
	return pg_verifymbstr((const char *) s.data, (int) s.len, true);
}

/* A name or the like, as it is. */
static void
put_plain(StringInfo line, WireSlice s)
{
	if (is_plain(s))
		appendBinaryStringInfo(line, (const char *) s.data, (int) s.len);
	else
		put_hex(line, s);
}

/* A value, in quotes; a quote within is doubled. */
static void
put_quoted(StringInfo line, WireSlice s)
{
	uint32_t i;

	if (!is_plain(s))
	{
		put_hex(line, s);
		return;
	}
	appendStringInfoCharMacro(line, '\'');
	for (i = 0; i < s.len; i++)
	{
		if (s.data[i] == '\'')
			appendStringInfoCharMacro(line, '\'');
		appendStringInfoCharMacro(line, (char) s.data[i]);
	}
	appendStringInfoCharMacro(line, '\'');
}

static void
put_lsn(StringInfo line, const char *name, uint64_t lsn)
{
	appendStringInfo(line, " %s %X/%X", name, (uint32) (lsn >> 32),
					 (uint32) lsn);
}

static void
put_time(StringInfo line, int64_t at)
{
	char text[TEXTOUT_SHORT_SIZE];
	char *end = textout_timestamptz(text, at);

	if (end != NULL)
		appendStringInfo(line, " time %.*s", (int) (end - text), text);
	else
		appendStringInfo(line, " time " INT64_FORMAT, (int64) at);
}

/* A list of names and values of H. */
static void
put_pairs(StringInfo line, const char *title, WireReader *body)
{
	uint32_t n = wire_get_leb(body);
	uint32_t i;

	appendStringInfo(line, "; %s", title);
	for (i = 0; i < n && !body->failed; i++)
	{
		WireSlice name = wire_get_string(body);
		WireSlice value = wire_get_string(body);

		appendStringInfoChar(line, ' ');
		put_plain(line, name);
		appendStringInfoChar(line, '=');
		put_quoted(line, value);
	}
}

static void
put_hello(StringInfo line, WireReader *body)
{
	WireHello hello;

	wire_get_hello(body, &hello);
	if (body->failed)
		return;
	appendStringInfo(line, "hello: protocol %u, plugin ", hello.proto);
	put_plain(line, hello.plugin_version);
	appendStringInfo(line, ", server %u, encoding ", hello.server_version);
	put_plain(line, hello.encoding);
	put_pairs(line, "settings", body);
	put_pairs(line, "options", body);
}

static KnownRelation *
find_relation(const Inspector *ins, uint32_t relid)
{
	ListCell *lc;

	foreach (lc, ins->relations)
	{
		KnownRelation *known = lfirst(lc);

		if (known->relid == relid)
			return known;
	}
	return NULL;
}

/* Forget what an earlier R said, and make room for what this one says. */
static KnownRelation *
remember_relation(Inspector *ins, const WireRelation *rel, const char *name)
{
	KnownRelation *known = find_relation(ins, rel->relid);
	MemoryContext caller = MemoryContextSwitchTo(ins->context);

	if (known == NULL)
	{
		known = palloc0(sizeof(KnownRelation));
		ins->relations = lappend(ins->relations, known);
	}
	known->relid = rel->relid;
	known->name = pstrdup(name);
	known->ncolumns = 0;
	known->is_bytea = palloc0(rel->ncolumns * sizeof(bool) + 1);
	known->column_names = palloc0(rel->ncolumns * sizeof(char *) + 1);
	MemoryContextSwitchTo(caller);
	return known;
}

static void
put_column_flags(StringInfo line, uint8_t flags)
{
	static const struct
	{
		uint8_t flag;
		const char *word;
	} words[] = { { WIRE_COLUMN_KEY, " key" },
				  { WIRE_COLUMN_NOT_NULL, " not null" },
				  { WIRE_COLUMN_GENERATED, " generated" },
				  { WIRE_COLUMN_VIRTUAL, " virtual" },
				  { WIRE_COLUMN_IDENTITY, " identity" },
				  { WIRE_COLUMN_ALWAYS, " always" } };
	int i;

	for (i = 0; i < lengthof(words); i++)
	{
		if ((flags & words[i].flag) != 0)
			appendStringInfoString(line, words[i].word);
	}
}

static void
put_column(StringInfo line, Inspector *ins, KnownRelation *known,
		   const WireColumn *col)
{
	StringInfoData name;

	initStringInfo(&name);
	put_plain(&name, col->name);
	known->column_names[known->ncolumns] = MemoryContextStrdup(ins->context,
															   name.data);
	known->is_bytea[known->ncolumns] = col->base_type == BYTEAOID;
	known->ncolumns++;
	appendStringInfo(line, "%s%s ", known->ncolumns > 1 ? ", " : "", name.data);
	put_plain(line, col->type_schema);
	appendStringInfoChar(line, '.');
	put_plain(line, col->type_name);
	if (col->base_type != col->type)
	{
		appendStringInfoString(line, " over ");
		put_plain(line, col->base_schema);
		appendStringInfoChar(line, '.');
		put_plain(line, col->base_name);
	}
	if (col->typmod != -1)
		appendStringInfo(line, " typmod %d", col->typmod);
	put_column_flags(line, col->flags);
	if ((col->flags & WIRE_COLUMN_MISSING) != 0)
	{
		appendStringInfoString(line, " missing ");
		if (col->base_type == BYTEAOID)
			put_hex(line, col->missing);
		else
			put_quoted(line, col->missing);
	}
	pfree(name.data);
}

static void
put_relation(StringInfo line, Inspector *ins, WireReader *body)
{
	WireRelation rel;
	KnownRelation *known;
	StringInfoData name;
	WireColumn col;
	int i;

	wire_get_relation(body, &rel);
	if (body->failed)
		return;
	initStringInfo(&name);
	put_plain(&name, rel.schema);
	appendStringInfoChar(&name, '.');
	put_plain(&name, rel.name);
	known = remember_relation(ins, &rel, name.data);
	appendStringInfo(line, "relation %s: kind %c, storage %u, identity %c",
					 name.data, rel.relkind, rel.storage, rel.identity);
	if (rel.root != 0)
	{
		appendStringInfoString(line, ", root ");
		put_plain(line, rel.root_schema);
		appendStringInfoChar(line, '.');
		put_plain(line, rel.root_name);
	}
	appendStringInfoString(line, " (");
	for (i = 0; i < rel.ncolumns && !body->failed; i++)
	{
		wire_get_column(body, &col);
		if (!body->failed)
			put_column(line, ins, known, &col);
	}
	appendStringInfoChar(line, ')');
}

static void
put_tuple(StringInfo line, const char *title, const KnownRelation *known,
		  WireReader *body)
{
	const uint8_t *bitmap = wire_get_bitmap(body, known->ncolumns);
	int i;

	appendStringInfo(line, "%s (", title);
	for (i = 0; i < known->ncolumns && !body->failed; i++)
	{
		WireColumnState state = wire_get_state(bitmap, i);

		if (state == WIRE_COL_ABSENT)
			continue;
		if (line->data[line->len - 1] != '(')
			appendStringInfoChar(line, ' ');
		appendStringInfo(line, "%s=", known->column_names[i]);
		if (state == WIRE_COL_NULL)
			appendStringInfoString(line, "null");
		else if (state == WIRE_COL_UNCHANGED)
			appendStringInfoString(line, "unchanged");
		else if (known->is_bytea[i])
			put_hex(line, wire_get_string(body));
		else
			put_quoted(line, wire_get_string(body));
	}
	appendStringInfoChar(line, ')');
}

static void
put_row(StringInfo line, const Inspector *ins, uint8_t tag, WireReader *body)
{
	static const char *const titles[] = { "", " key", " old" };
	WireOldKind old;
	uint32_t relid = wire_get_row(body, tag, &old);
	const KnownRelation *known = find_relation(ins, relid);

	if (body->failed)
		return;
	appendStringInfoString(line, tag == WIRE_INSERT	  ? "insert"
								 : tag == WIRE_UPDATE ? "update"
													  : "delete");
	if (known == NULL)
	{
		appendStringInfo(line,
						 " relation %u, not announced in these frames:%s ",
						 relid, titles[old]);
		put_hex(line, wire_get_bytes(body, (uint32_t) (body->end - body->pos)));
		return;
	}
	appendStringInfo(line, " %s:", known->name);
	if (old != WIRE_OLD_NONE)
		put_tuple(line, titles[old], known, body);
	if (tag != WIRE_DELETE)
		put_tuple(line, " new", known, body);
}

static void
put_relid(StringInfo line, const Inspector *ins, uint32_t relid)
{
	const KnownRelation *known = find_relation(ins, relid);

	if (known != NULL)
		appendStringInfo(line, " %s", known->name);
	else
		appendStringInfo(line, " relation %u", relid);
}

static void
put_truncate(StringInfo line, const Inspector *ins, WireReader *body)
{
	uint8_t flags;
	uint32_t n = wire_get_truncate(body, &flags);

	appendStringInfoString(line, "truncate");
	while (n-- > 0)
		put_relid(line, ins, wire_get_u32(body));
	if ((flags & WIRE_TRUNCATE_CASCADE) != 0)
		appendStringInfoString(line, ", cascade");
	if ((flags & WIRE_TRUNCATE_RESTART) != 0)
		appendStringInfoString(line, ", restart sequences");
}

static void
put_no_key(StringInfo line, const Inspector *ins, WireReader *body)
{
	uint8_t op;
	uint32_t relid = wire_get_nokey(body, &op);

	appendStringInfoString(line, op == WIRE_UPDATE ? "update" : "delete");
	put_relid(line, ins, relid);
	appendStringInfoString(line, ": no key, it cannot be told which row");
}

static void
put_message(StringInfo line, WireReader *body)
{
	WireMessage message;

	wire_get_message(body, &message);
	if (body->failed)
		return;
	appendStringInfo(
		line, "message: %stransactional,",
		(message.flags & WIRE_MESSAGE_TRANSACTIONAL) != 0 ? "" : "not ");
	put_lsn(line, "lsn", message.lsn);
	appendStringInfoString(line, ", prefix ");
	put_quoted(line, message.prefix);
	appendStringInfoString(line, ", content ");
	put_quoted(line, message.content);
}

static void
put_origin(StringInfo line, WireReader *body)
{
	WireSlice name;
	uint16_t id = wire_get_origin(body, &name);

	appendStringInfo(line, "origin %u: ", id);
	if (!body->failed)
		put_quoted(line, name);
}

static void
put_begin(StringInfo line, WireReader *body)
{
	WireBegin begin;

	wire_get_begin(body, &begin);
	appendStringInfo(line, "begin: xid %u,", begin.xid);
	put_lsn(line, "commit lsn", begin.commit_lsn);
	appendStringInfoChar(line, ',');
	put_time(line, begin.commit_time);
	appendStringInfo(line, ", origin %u", begin.origin);
}

static void
put_commit(StringInfo line, WireReader *body)
{
	WireCommit commit;

	wire_get_commit(body, &commit);
	appendStringInfoString(line, "commit:");
	put_lsn(line, "commit lsn", commit.commit_lsn);
	appendStringInfoChar(line, ',');
	put_lsn(line, "end lsn", commit.end_lsn);
	appendStringInfoChar(line, ',');
	put_time(line, commit.commit_time);
	appendStringInfo(line, ", rows " UINT64_FORMAT ", checksum %08x",
					 (uint64) commit.nrows, commit.crc);
}

void
words_put_record(StringInfo line, Inspector *ins, uint8_t tag, WireReader *body)
{
	switch ((WireTag) tag)
	{
		case WIRE_HELLO:
			put_hello(line, body);
			break;
		case WIRE_RELATION:
			put_relation(line, ins, body);
			break;
		case WIRE_ORIGIN:
			put_origin(line, body);
			break;
		case WIRE_BEGIN:
			put_begin(line, body);
			break;
		case WIRE_INSERT:
		case WIRE_UPDATE:
		case WIRE_DELETE:
			put_row(line, ins, tag, body);
			break;
		case WIRE_TRUNCATE:
			put_truncate(line, ins, body);
			break;
		case WIRE_NOKEY:
			put_no_key(line, ins, body);
			break;
		case WIRE_MESSAGE:
			put_message(line, body);
			break;
		case WIRE_COMMIT:
			put_commit(line, body);
			break;
	}
}
