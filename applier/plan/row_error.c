/*
 * row_error.c
 *		Naming the row of a change in an error.
 */
#include "plan/row_error.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

#define MAX_SHOWN_VALUE 64

const char *
change_verb(const Change *change)
{
	switch (change->kind)
	{
		case CHANGE_INSERT:
			return "INSERT";
		case CHANGE_UPDATE:
			return "UPDATE";
		case CHANGE_DELETE:
			return "DELETE";
		case CHANGE_TRUNCATE:
			return "TRUNCATE";
		case CHANGE_NOKEY:
			return change->nokey_op == 'U' ? "UPDATE" : "DELETE";
		case CHANGE_PUT:
			return "INSERT or UPDATE";
		case CHANGE_MAYBE_DELETE:
			return "DELETE";
		case CHANGE_MATCH:
			return "UPDATE";
	}
	return "change";
}

static void
append_value(Buffer *out, const Value *value)
{
	if (value->state == WIRE_COL_NULL)
		buffer_puts(out, "NULL");
	else if (value->state != WIRE_COL_PRESENT)
		buffer_puts(out, "?");
	else if (value->len <= MAX_SHOWN_VALUE)
		buffer_append(out, value->data, value->len);
	else
		buffer_printf(out, "%.*s... (%u bytes)", MAX_SHOWN_VALUE, value->data,
					  value->len);
}

/* "(id)=(5)": the key's columns, or the first ones where there is no key. */
static void
append_key(Buffer *out, const Change *change)
{
	const Relation *relation = change->relation;
	const Value *values = change->old_values != NULL ? change->old_values
													 : change->new_values;
	Buffer list;
	int i;
	const char *comma = "";

	buffer_init(&list);
	buffer_putc(out, '(');
	for (i = 0; i < relation->column_count; i++)
	{
		if (relation->key_count > 0
				? (relation->columns[i].flags & WIRE_COLUMN_KEY) == 0
				: i >= 4)
			continue;
		buffer_printf(out, "%s%s", comma, relation->columns[i].name);
		buffer_puts(&list, comma);
		append_value(&list, &values[i]);
		comma = ", ";
	}
	buffer_printf(out, ")=(%s)", list.data);
	buffer_release(&list);
}

bool
row_error(Error *err, const Txn *txn, const Change *change)
{
	Buffer detail;

	buffer_init(&detail);
	if (err->detail[0] != '\0')
		buffer_printf(&detail, "%s ", err->detail);
	if (change->old_values != NULL || change->new_values != NULL)
	{
		buffer_puts(&detail, "Row ");
		append_key(&detail, change);
		buffer_puts(&detail, ", ");
	}
	buffer_printf(&detail,
				  "transaction %u committed at " LSN_FORMAT " on the source.",
				  txn->xid, LSN_ARGS(txn->commit_lsn));
	error_detail(err, "%s", detail.data);
	buffer_release(&detail);
	if (change->relation != NULL)
		err->table = change->relation->oid;
	err->change = change->number;
	err->commit_lsn = txn->commit_lsn;
	if (change->relation == NULL)
		return error_wrap(err, "%s", change_verb(change));
	return error_wrap(err, "table %s.%s: %s", change->relation->schema,
					  change->relation->name, change_verb(change));
}

bool
vector_error(Error *err, const PlanVector *vector, int rows)
{
	static const char *const verbs[] = {
		[PLAN_INSERT] = "INSERT",		[PLAN_UPDATE] = "UPDATE",
		[PLAN_DELETE] = "DELETE",		[PLAN_PUT] = "INSERT or UPDATE",
		[PLAN_MAYBE_DELETE] = "DELETE",
	};
	const Relation *relation = vector->table->relation;

	err->table = relation->oid;
	return error_wrap(err, "table %s.%s: %s of %d rows", relation->schema,
					  relation->name, verbs[vector->kind], rows);
}

bool
row_nokey_error(const Txn *txn, const Change *change, Error *err)
{
	const Relation *relation = change->relation;

	error_set(err, P_NO_IDENTITY, "the WAL does not say which row was meant");
	error_hint(err,
			   "On the source: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY "
			   "FULL, or give it a primary key; this change is in the WAL "
			   "already, so the table has to be copied again.",
			   relation->schema, relation->name);
	return row_error(err, txn, change);
}

/* The identity is another one than that by which the copy was split. */
bool
row_unknown_error(const Txn *txn, const Change *change, Error *err)
{
	error_set(err, P_NO_IDENTITY,
			  "the WAL does not say which part of an interrupted copy the row "
			  "belongs to");
	error_hint(err, "The table's key was changed while it was copied: drop the "
					"migration and begin again.");
	return row_error(err, txn, change);
}

/*
 * The stream moves a row from a chunk that never had it, and the WAL does not
 * repeat a large value that did not change.
 */
static bool
moved_error(const Txn *txn, const Change *change, int column, Error *err)
{
	const Relation *relation = change->relation;

	error_set(err, P_MOVED_ROW,
			  "the value of column \"%s\" of a row that changed its key during "
			  "the interrupted copy is not in the WAL",
			  relation->columns[column].name);
	error_hint(err,
			   "Drop the migration and begin again; ALTER TABLE \"%s\".\"%s\" "
			   "REPLICA IDENTITY FULL on the source beforehand avoids it.",
			   relation->schema, relation->name);
	return row_error(err, txn, change);
}

const Change *
row_half(const Txn *txn, const Change *change, ChangeKind kind, Arena *arena,
		 Error *err)
{
	int missing = kind == CHANGE_INSERT ? change_unchanged_column(change) : -1;

	if (missing >= 0)
	{
		moved_error(txn, change, missing, err);
		return NULL;
	}
	return change_half(change, kind, arena);
}
