/*
 * row_change.c
 *		See row_change.h.
 */
#include "mysql/row_change.h"

#include <string.h>

#include "plan/row_error.h"

/* A change while its statements are written. */
typedef struct ChangeWork
{
	RowPacket *packet;
	RowWriter *writer;
	const RowTable *table;
	const Txn *txn;
	const Change *change;
	const Change *named;
	Buffer *sql; /* the packet's */
	Error *err;
} ChangeWork;

static void
put(const ChangeWork *w, const char *text)
{
	buffer_append(w->sql, text, strlen(text));
}

static void
put_slice(const ChangeWork *w, Slice text)
{
	buffer_append(w->sql, text.data, text.len);
}

static int
column_count(const ChangeWork *w)
{
	return w->table->relation->column_count;
}

static bool
put_value(const ChangeWork *w, int i, ValueUse use)
{
	const Value *row = w->change->kind == CHANGE_MATCH &&
							   use == VALUE_COMPARED &&
							   w->change->old_values != NULL
						   ? w->change->old_values
						   : w->change->new_values;

	return row_literal(w->writer, w->table, i, &row[i], use, w->sql, w->err) ||
		   row_error(w->err, w->txn, w->named);
}

static bool
put_where_key(const ChangeWork *w)
{
	return row_where_key(w->writer, w->table, w->change->new_values, w->sql,
						 w->err) ||
		   row_error(w->err, w->txn, w->named);
}

/* The statement is complete. */
static bool
add(const ChangeWork *w, PacketProof proof)
{
	return packet_add(w->packet, w->txn, w->named, proof, w->err);
}

static bool
is_matched(const ChangeWork *w, int column)
{
	const ChangeManner *manner = w->change->manner;

	for (int i = 0; i < manner->match_count; i++)
	{
		if (manner->match[i] == column)
			return true;
	}
	return false;
}

/* Is it set in a row that is there? */
static bool
is_set(const ChangeWork *w, int i)
{
	if (!row_column_carried(w->table, w->change, i))
		return false;
	if (w->change->kind == CHANGE_MATCH)
		return w->change->old_values != NULL || !is_matched(w, i);
	return !w->table->columns[i].key;
}

static void
put_no_change(const ChangeWork *w)
{
	Slice name = w->table->columns[w->table->first_written].name;

	put_slice(w, name);
	put(w, " = ");
	put_slice(w, name);
}

static bool
put_update(const ChangeWork *w)
{
	const char *before = "";
	bool ok = true;

	put(w, "UPDATE ");
	put_slice(w, w->table->name);
	put(w, " SET ");
	for (int i = 0; ok && i < column_count(w); i++)
	{
		if (!is_set(w, i))
			continue;
		put(w, before);
		put_slice(w, w->table->columns[i].name);
		put(w, " = ");
		ok = put_value(w, i, VALUE_WRITTEN);
		before = ", ";
	}
	if (before[0] == '\0')
		put_no_change(w);
	return ok;
}

/* A row that has no value yet is older than any that has one. */
static bool
put_newer(const ChangeWork *w, int column)
{
	Slice name = w->table->columns[column].name;
	bool ok;

	put(w, " AND (");
	put_slice(w, name);
	put(w, " IS NULL AND ");
	ok = put_value(w, column, VALUE_COMPARED);
	put(w, " IS NOT NULL OR ");
	ok = ok && put_value(w, column, VALUE_COMPARED);
	put(w, " > ");
	put_slice(w, name);
	put(w, ")");
	return ok;
}

/* The row, if its key is not there. */
static bool
put_insert_missing(const ChangeWork *w)
{
	const char *before = " (";
	bool ok = true;

	put(w, "INSERT INTO ");
	put_slice(w, w->table->name);
	for (int i = 0; i < column_count(w); i++)
	{
		if (!row_column_carried(w->table, w->change, i))
			continue;
		put(w, before);
		put_slice(w, w->table->columns[i].name);
		before = ", ";
	}
	before = ") SELECT ";
	for (int i = 0; ok && i < column_count(w); i++)
	{
		if (!row_column_carried(w->table, w->change, i))
			continue;
		put(w, before);
		ok = put_value(w, i, VALUE_WRITTEN);
		before = ", ";
	}
	put(w, " FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM ");
	put_slice(w, w->table->name);
	ok = ok && put_where_key(w);
	put(w, ")");
	return ok;
}

static bool
put_upsert(const ChangeWork *w)
{
	const ChangeManner *manner = w->change->manner;
	bool inserts = w->change->kind == CHANGE_INSERT;
	bool ok;

	if (inserts && manner->conflict == CONFLICT_KEEP)
		return put_insert_missing(w) && add(w, PROOF_KEEP);
	ok = put_update(w) && put_where_key(w);
	if (inserts && manner->conflict == CONFLICT_IF_GREATER &&
		manner->latest >= 0)
		ok = ok && put_newer(w, manner->latest);
	return ok && add(w, PROOF_FIRST) && put_insert_missing(w) &&
		   add(w, inserts ? PROOF_CONFLICT : PROOF_BOTH);
}

static bool
put_match(const ChangeWork *w)
{
	const ChangeManner *manner = w->change->manner;
	bool ok = put_update(w);

	for (int i = 0; ok && i < manner->match_count; i++)
	{
		const RowColumn *column = &w->table->columns[manner->match[i]];

		put(w, i == 0 ? " WHERE " : " AND ");
		put_slice(w, column->name);
		put(w, column->json ? " = CAST(" : " = ");
		ok = put_value(w, manner->match[i], VALUE_COMPARED);
		put(w, column->json ? " AS JSON)" : "");
	}
	return ok && add(w, PROOF_MATCH);
}

static bool
put_change(const ChangeWork *w)
{
	bool keyed = w->table->relation->key_count > 0;
	Change plain = *w->change;

	if (w->change->kind == CHANGE_MATCH)
		return put_match(w);
	if (keyed &&
		(w->change->kind == CHANGE_PUT || change_is_barrier(w->change)))
		return put_upsert(w);
	/* rows without a key are told by what they are: none is in another's way */
	if (plain.kind == CHANGE_PUT)
		plain.kind = CHANGE_INSERT;
	return row_statement(w->writer, w->table, w->txn, &plain, w->sql, w->err) &&
		   add(w,
			   plain.kind == CHANGE_MAYBE_DELETE ? PROOF_AT_MOST : PROOF_ROWS);
}

bool
row_change_put(RowPacket *packet, RowWriter *writer, const RowTable *table,
			   const Txn *txn, const Change *change, const Change *named,
			   Error *err)
{
	const ChangeWork work = { packet, writer, table,		txn,
							  change, named,  &packet->sql, err };

	return put_change(&work);
}
