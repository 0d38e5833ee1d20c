/*
 * rule_copy.c
 *		See rule_copy.h.
 *
 * A row of the copy is an INSERT: the same programs are asked as in the stream, so
 * that both agree about it.  Values are kept in an arena for one call; what is
 * given out is one buffer.  A row may lie across two calls: its beginning waits.
 *
 * Rows that are numbered come in the order of their key, so that a copy which is
 * begun again gives the same numbers.
 */
#include "rules/rule_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "rules/derived.h"
#include "rules/kept_area.h"
#include "rules/kept_map.h"
#include "rules/kept_spill.h"
#include "rules/quarantined.h"
#include "rules/rule_move.h"
#include "text/copy_text.h"
#include "text/copy_value.h"
#include "text/load_text.h"

/* so many bytes of values may be kept before the arena is emptied */
#define ARENA_BYTES (1024 * 1024)

/* so many bytes of what is to be kept stay in memory */
#define SPILL_BYTES ((size_t) 4 * 1024 * 1024)

#define NUMBER_SIZE 24

struct RuleCopy
{
	RuleEngine *engine;
	const Derived *derived;
	const Relation *relation; /* the derived one, as far as text needs it */
	uint8_t *all_columns;
	int *field_of; /* by the input's column: which field of a row; -1: none */
	int field_count;
	Slice *fields;
	Arena arena; /* of rows that are being looked at */
	Buffer out;
	Buffer rest; /* the beginning of a row */
	bool from_rest;
	Ledger ledger;
	ExprContext context;
	Value *values;
	Value *derived_values;
	int64_t rows_out;

	KeptSpill *kept; /* of counters, only which there are */
	KeptMap counters;
	Arena numbers;			 /* of counters, that are given out */
	Arena names;			 /* of the ledger's */
	const char *ledger_area; /* of rows that are left out; NULL: none is kept */
	const char *ledger_table;
	bool holds;			 /* what is given out is kept as it was read, */
	Buffer held;		 /* until the next call */
	Buffer held_at;		 /* size_t for each: where its text begins */
	uint32_t stored_oid; /* of the table that is read */
	char quarantine[QUARANTINE_AREA_SIZE];
};

/* Enough of a relation to write text by. */
static const Relation *
text_relation(const Derived *derived)
{
	Relation *relation = relation_new();
	Column *columns = ARENA_ARRAY(&relation->arena, Column,
								  (size_t) derived->column_count);

	relation->column_count = derived->column_count;
	for (int i = 0; i < derived->column_count; i++)
		columns[i].base_type_oid = derived->columns[i].as.base_type_oid;
	relation->columns = columns;
	return relation;
}

/* ---- what is kept */

static bool
keep(RuleCopy *copy, const char *area, const char *hash, Slice key, Slice body,
	 Error *err)
{
	KeptRow row = { area, hash, key, body };

	return kept_spill_add(copy->kept, &row, err);
}

/* ExprContext.counter: what is new is noted, its last number once it is known. */
static bool
count_next(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	RuleCopy *copy = arg;
	const char *area = counter_area(copy->derived, expression, &copy->arena);
	char hash[KEPT_HASH_SIZE];
	bool known;

	*next = 0;
	known = kept_map_find(&copy->counters, area, key, next);
	*next += 1;
	kept_map_put(&copy->counters, area, key, *next);
	if (known)
		return true;
	kept_hash(key, hash);
	return keep(copy, area, hash, key, slice_of(""), err);
}

static bool
keep_left_out(RuleCopy *copy, RulePlace place, Error *err)
{
	char hash[KEPT_HASH_SIZE];
	char body[LEDGER_BODY_SIZE];

	if (copy->ledger_area == NULL)
		return true;
	ledger_key_hash(copy->derived, copy->values, hash);
	ledger_body(place, copy->context.lsn, body);
	return keep(copy, copy->ledger_area, hash, slice_of(copy->ledger_table),
				slice_of(body), err);
}

/* The row as it was read, with why it cannot come. */
static bool
keep_aside(RuleCopy *copy, const char *operation, const Error *why, Error *err)
{
	Quarantined row = {
		.derived = copy->derived,
		.stored_oid = copy->stored_oid,
		.operation = operation,
		.commit_lsn = copy->context.lsn,
		.values = copy->values,
	};
	char *key = quarantine_key(copy->derived, copy->values);
	char *body = quarantine_body(&row, why);
	char hash[KEPT_HASH_SIZE];
	bool ok;

	kept_hash(slice_of(key), hash);
	ok = keep(copy, copy->quarantine, hash, slice_of(key), slice_of(body), err);
	free(key);
	free(body);
	return ok;
}

/* What is not a counter's has its body already. */
static Slice
last_number(RuleCopy *copy, const KeptRow *row)
{
	char *text = arena_alloc(&copy->numbers, NUMBER_SIZE);
	int64_t number = 0;

	BUG_UNLESS(kept_map_find(&copy->counters, row->area, row->key, &number));
	snprintf(text, NUMBER_SIZE, "%" PRId64, number);
	return slice_of(text);
}

bool
rule_copy_kept(RuleCopy *copy, const KeptRow **rows, int *count, Error *err)
{
	KeptRow *some;

	if (!kept_spill_next(copy->kept, &some, count, err))
		return false;
	arena_reset(&copy->numbers);
	for (int i = 0; i < *count; i++)
	{
		if (some[i].body.len == 0)
			some[i].body = last_number(copy, &some[i]);
	}
	*rows = some;
	return true;
}

/* ---- rows */

static void
map_fields(RuleCopy *copy, const Table *table)
{
	const char *const *columns = table->columns;
	int column_count = table->column_count;
	const RuleInput *input = copy->derived->input;

	copy->field_count = column_count;
	copy->fields = mem_zalloc((size_t) (column_count + 1) * sizeof(Slice));
	copy->field_of = mem_zalloc((size_t) (input->column_count + 1) *
								sizeof(int));
	for (int i = 0; i < input->column_count; i++)
	{
		copy->field_of[i] = -1;
		for (int k = 0; k < column_count; k++)
		{
			if (strcmp(columns[k], input->columns[i].name) == 0)
				copy->field_of[i] = k;
		}
	}
}

static void
keep_open(RuleCopy *copy, const Table *table)
{
	const Derived *derived = copy->derived;

	copy->stored_oid = table->oid;
	quarantine_area(derived, table->oid, copy->quarantine);
	copy->kept = kept_spill_open(SPILL_BYTES);
	arena_init(&copy->numbers);
	arena_init(&copy->names);
	if (!ledger_has_keys(derived))
		return;
	copy->ledger_area = ledger_area(derived, &copy->names);
	copy->ledger_table = ledger_table(table->schema, table->name, &copy->names);
}

RuleCopy *
rule_copy_open(RuleEngine *engine, const Derived *derived, const Table *table,
			   Lsn lsn)
{
	RuleCopy *copy = mem_zalloc(sizeof(*copy));
	size_t bits = (size_t) derived->column_count / 8 + 1;

	copy->engine = engine;
	copy->derived = derived;
	copy->relation = text_relation(derived);
	copy->all_columns = mem_zalloc(bits);
	memset(copy->all_columns, 0xff, bits);
	copy->values = mem_zalloc((size_t) (derived->input->column_count + 1) *
							  sizeof(Value));
	copy->derived_values = mem_zalloc((size_t) (derived->column_count + 1) *
									  sizeof(Value));
	map_fields(copy, table);
	arena_init(&copy->arena);
	buffer_init(&copy->out);
	buffer_init(&copy->rest);
	buffer_init(&copy->held);
	buffer_init(&copy->held_at);
	keep_open(copy, table);
	copy->context = (ExprContext){
		.op = "insert",
		.lsn = lsn,
		.source = rule_set_config(rule_engine_set(engine))->source,
		.counter = count_next,
		.counter_arg = copy,
	};
	return copy;
}

void
rule_copy_close(RuleCopy *copy)
{
	if (copy == NULL)
		return;
	relation_release(copy->relation);
	arena_release(&copy->arena);
	kept_spill_close(copy->kept);
	kept_map_release(&copy->counters);
	arena_release(&copy->numbers);
	arena_release(&copy->names);
	buffer_release(&copy->out);
	buffer_release(&copy->rest);
	buffer_release(&copy->held);
	buffer_release(&copy->held_at);
	ledger_release(&copy->ledger);
	mem_free(copy->all_columns);
	mem_free(copy->field_of);
	mem_free(copy->fields);
	mem_free(copy->values);
	mem_free(copy->derived_values);
	mem_free(copy);
}

static bool
take_field(RuleCopy *copy, const RuleColumn *column, Slice field, Value *value,
		   Error *err)
{
	return copy_value(field, column->base_type_oid == BYTEA_OID, &copy->arena,
					  value, err) ||
		   error_wrap(err, "column \"%s\"", column->name);
}

static bool
take_values(RuleCopy *copy, Slice row, Error *err)
{
	const RuleInput *input = copy->derived->input;
	int count = 0;
	Slice field;

	while (load_field_next(&row, &field))
	{
		if (count == copy->field_count)
			break;
		copy->fields[count++] = field;
	}
	if (count != copy->field_count || row.len > 0)
		return error_set(err, P_COPY,
						 "a row does not have the %d columns of its table",
						 copy->field_count);
	for (int i = 0; i < input->column_count; i++)
	{
		if (copy->field_of[i] < 0)
			copy->values[i] = (Value){ NULL, 0, WIRE_COL_ABSENT };
		else if (!take_field(copy, &input->columns[i],
							 copy->fields[copy->field_of[i]], &copy->values[i],
							 err))
			return false;
	}
	return true;
}

static LedgerEntry *
entry_of(RuleCopy *copy)
{
	const Derived *derived = copy->derived;
	LedgerEntry *entry = ledger_entry(
		&copy->ledger, derived->rule_name, derived->input->oid,
		derived->input->schema, derived->input->name);

	entry->tolerant = derived->tolerant;
	return entry;
}

static void
count_row(RuleCopy *copy, RulePlace place)
{
	static const LedgerKind kinds[] = {
		[PLACE_HERE] = LEDGER_APPLIED,
		[PLACE_FILTERED] = LEDGER_FILTERED,
		[PLACE_DROPPED] = LEDGER_DROPPED,
		[PLACE_ELSEWHERE] = LEDGER_ELSEWHERE,
	};
	LedgerEntry *entry = entry_of(copy);

	entry->counts[LEDGER_SEEN]++;
	entry->counts[kinds[place]]++;
}

/* The key of a row, for a message. */
static bool
row_failed(const RuleCopy *copy, Error *err)
{
	const RuleInput *input = copy->derived->input;
	Buffer key;

	buffer_init(&key);
	for (int i = 0; i < input->column_count; i++)
	{
		if ((input->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			continue;
		buffer_printf(
			&key, "%s%s=%.64s", key.len > 0 ? ", " : "", input->columns[i].name,
			copy->values[i].state == WIRE_COL_PRESENT ? copy->values[i].data
													  : "NULL");
	}
	(void) error_wrap(err, "%s, table %s.%s, row (%s) of the copy",
					  copy->derived->rule_name, input->schema, input->name,
					  key.data);
	buffer_release(&key);
	return false;
}

/* The rule has failed for the row: is it put aside? */
static bool
put_aside(RuleCopy *copy, const char *operation, Error *err)
{
	bool aside = quarantine_takes(copy->derived, err);
	Error why;

	(void) row_failed(copy, err);
	if (!aside)
		return false;
	why = *err;
	error_clear(err);
	entry_of(copy)->counts[LEDGER_SEEN]++;
	entry_of(copy)->counts[LEDGER_QUARANTINED]++;
	return keep_aside(copy, operation, &why, err);
}

/* What becomes of the values, in derived_values if it is to come here. */
static bool
derive_row(RuleCopy *copy, RulePlace *place, Error *err)
{
	return rule_place(copy->derived, copy->values, &copy->context, place,
					  err) &&
		   (*place != PLACE_HERE ||
			rule_row(copy->derived, copy->values, NULL, PURPOSE_WHOLE,
					 &copy->context, &copy->arena, copy->derived_values, err));
}

static void
hold_row(RuleCopy *copy, Slice row)
{
	if (!copy->holds)
		return;
	buffer_append(&copy->held_at, (const char *) &copy->held.len,
				  sizeof(copy->held.len));
	buffer_append(&copy->held, row.data, row.len);
}

/* Of a table that no rule changes: the row as it is. */
static bool
pass_row(RuleCopy *copy, Slice row)
{
	buffer_append(&copy->out, row.data, row.len);
	hold_row(copy, row);
	copy->rows_out++;
	return true;
}

static bool
copy_row(RuleCopy *copy, Slice row, Error *err)
{
	RulePlace place;

	if (copy->derived->unchanged)
		return pass_row(copy, row);
	if (!take_values(copy, row, err))
		return false;
	if (!derive_row(copy, &place, err))
		return put_aside(copy, "INSERT", err);
	count_row(copy, place);
	if (place != PLACE_HERE)
		return keep_left_out(copy, place, err);
	copy_text_row(&copy->out, copy->relation, copy->all_columns,
				  copy->derived_values);
	hold_row(copy, row);
	copy->rows_out++;
	return true;
}

bool
rule_copy_rows(RuleCopy *copy, Slice in, Slice *out, int64_t *rows, Error *err)
{
	Slice row;
	bool ok = true;

	buffer_reset(&copy->out);
	buffer_reset(&copy->held);
	buffer_reset(&copy->held_at);
	copy->rows_out = 0;
	while (ok && copy_rows_next(&in, &copy->rest, &copy->from_rest, &row))
	{
		ok = copy_row(copy, row, err);
		if (copy->arena.used_bytes > ARENA_BYTES)
			arena_reset(&copy->arena);
	}
	arena_reset(&copy->arena);
	*out = (Slice){ copy->out.data, copy->out.len };
	*rows = copy->rows_out;
	return ok;
}

void
rule_copy_hold(RuleCopy *copy)
{
	copy->holds = true;
}

static Slice
held_row(const RuleCopy *copy, int64_t number)
{
	size_t size = sizeof(size_t);
	size_t at = (size_t) number * size;
	size_t first;
	size_t behind = copy->held.len;

	BUG_UNLESS(copy->holds && at + size <= copy->held_at.len);
	memcpy(&first, copy->held_at.data + at, size);
	if (at + 2 * size <= copy->held_at.len)
		memcpy(&behind, copy->held_at.data + at + size, size);
	return (Slice){ copy->held.data + first, behind - first };
}

bool
rule_copy_refused(RuleCopy *copy, int64_t number, const Error *why, Error *err)
{
	Error named = *why;
	bool ok;

	if (!take_values(copy, held_row(copy, number), err))
		return false;
	(void) row_failed(copy, &named);
	entry_of(copy)->counts[LEDGER_QUARANTINED]++;
	if (!copy->derived->unchanged)
		entry_of(copy)->counts[LEDGER_APPLIED]--;
	ok = keep_aside(copy, "INSERT", &named, err);
	arena_reset(&copy->arena);
	return ok;
}

/* What the row would be in the stream: one change at most. */
static bool
change_row(RuleCopy *copy, const Relation *relation, ChangeKind kind, Slice row,
		   RuleCopyTaker taker, void *arg, Error *err)
{
	Change source = { .kind = kind, .bytes = (uint32_t) row.len };
	RuleMove move = {
		.derived = copy->derived,
		.relation = relation,
		.context = &copy->context,
		.arena = &copy->arena,
		.ledger = entry_of(copy),
	};
	LedgerEntry before = *move.ledger;
	Change *change;
	RuleMoves moves;

	move.ledger->tolerant = copy->derived->tolerant;
	if (!take_values(copy, row, err))
		return false;
	source.new_values = copy->values;
	if (!rule_move(&move, &source, &moves, err))
	{
		*move.ledger = before;
		return put_aside(copy, kind == CHANGE_INSERT ? "INSERT" : "UPDATE",
						 err);
	}
	if (moves.count == 0)
		return kind != CHANGE_INSERT || keep_left_out(copy, moves.after, err);
	BUG_UNLESS(moves.count == 1);
	change = ARENA_NEW(&copy->arena, Change);
	*change = moves.changes[0];
	return taker(arg, change, err);
}

bool
rule_copy_changes(RuleCopy *copy, const Relation *relation, Slice in,
				  RuleCopyTaker taker, void *arg, Error *err)
{
	bool match = copy->derived->match != NULL;
	Slice row;
	bool ok = true;

	arena_reset(&copy->arena);
	copy->context.op = match ? "update" : "insert";
	while (ok && copy_rows_next(&in, &copy->rest, &copy->from_rest, &row))
		ok = change_row(copy, relation, match ? CHANGE_UPDATE : CHANGE_INSERT,
						row, taker, arg, err);
	return ok;
}

const Ledger *
rule_copy_ledger(const RuleCopy *copy)
{
	return &copy->ledger;
}
