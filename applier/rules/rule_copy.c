/*
 * rule_copy.c
 *		See rule_copy.h.
 *
 * A row of the copy is an INSERT: the same programs are asked as in the stream, so
 * that both agree about it.  Values are kept in an arena for one call; what is
 * given out is one buffer.  A row may lie across two calls: its beginning waits.
 */
#include "rules/rule_copy.h"

#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "rules/derived.h"
#include "rules/rule_row.h"
#include "text/copy_text.h"
#include "text/load_text.h"

/* so many bytes of values may be kept before the arena is emptied */
#define ARENA_BYTES (1024 * 1024)

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
	Ledger ledger;
	ExprContext context;
	Value *values;
	Value *derived_values;
	int64_t rows_out;
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

static void
map_fields(RuleCopy *copy, const char *const *columns, int column_count)
{
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

RuleCopy *
rule_copy_open(RuleEngine *engine, const Derived *derived,
			   const char *const *columns, int column_count, Lsn lsn)
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
	map_fields(copy, columns, column_count);
	arena_init(&copy->arena);
	buffer_init(&copy->out);
	buffer_init(&copy->rest);
	copy->context = (ExprContext){
		.op = "insert",
		.lsn = lsn,
		.source = rule_set_config(rule_engine_set(engine))->source,
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
	buffer_release(&copy->out);
	buffer_release(&copy->rest);
	ledger_release(&copy->ledger);
	mem_free(copy->all_columns);
	mem_free(copy->field_of);
	mem_free(copy->fields);
	mem_free(copy->values);
	mem_free(copy->derived_values);
	mem_free(copy);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text of bytea becomes its bytes, as values of the stream are. */
static bool
plain_bytes(Slice text, Arena *arena, Value *value)
{
	size_t count = text.len / 2 - 1;
	char *bytes;

	if (text.len < 2 || text.len % 2 != 0 || text.data[0] != '\\' ||
		text.data[1] != 'x')
		return false;
	bytes = arena_alloc(arena, count + 1);
	for (size_t i = 0; i < count; i++)
	{
		int high = hex_digit(text.data[2 + i * 2]);
		int low = hex_digit(text.data[3 + i * 2]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (char) (high << 4 | low);
	}
	bytes[count] = '\0';
	*value = (Value){ bytes, (uint32_t) count, WIRE_COL_PRESENT };
	return true;
}

/* A field without its escapes, with a NUL behind it. */
static bool
take_field(RuleCopy *copy, const RuleColumn *column, Slice field, Value *value,
		   Error *err)
{
	Slice text;
	Buffer plain;

	if (load_field_is_null(field))
	{
		*value = (Value){ NULL, 0, WIRE_COL_NULL };
		return true;
	}
	text = field;
	if (memchr(field.data, '\\', field.len) != NULL)
	{
		buffer_init(&plain);
		load_field_plain(&plain, field);
		text.len = plain.len;
		text.data = arena_strndup(&copy->arena, plain.data, plain.len);
		buffer_release(&plain);
	}
	else
		text.data = arena_strndup(&copy->arena, field.data, field.len);
	if (column->base_type_oid == BYTEA_OID)
		return plain_bytes(text, &copy->arena, value) ||
			   error_set(err, P_COPY,
						 "column \"%s\": bytes that are no"
						 " hexadecimal text",
						 column->name);
	if (text.len > UINT32_MAX)
		return error_set(err, P_COPY, "column \"%s\": more than 4 GB",
						 column->name);
	*value = (Value){ text.data, (uint32_t) text.len, WIRE_COL_PRESENT };
	return true;
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

static void
count_row(RuleCopy *copy, RulePlace place)
{
	static const LedgerKind kinds[] = {
		[PLACE_HERE] = LEDGER_APPLIED,
		[PLACE_FILTERED] = LEDGER_FILTERED,
		[PLACE_DROPPED] = LEDGER_DROPPED,
		[PLACE_ELSEWHERE] = LEDGER_ELSEWHERE,
	};
	const Derived *derived = copy->derived;
	LedgerEntry *entry = ledger_entry(
		&copy->ledger, derived->rule_name, derived->input->oid,
		derived->input->schema, derived->input->name);

	entry->tolerant = derived->tolerant;
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

static bool
copy_row(RuleCopy *copy, Slice row, Error *err)
{
	RulePlace place;

	if (!take_values(copy, row, err))
		return false;
	if (!rule_place(copy->derived, copy->values, &copy->context, &place, err))
		return row_failed(copy, err);
	count_row(copy, place);
	if (place != PLACE_HERE)
		return true;
	if (!rule_row(copy->derived, copy->values, NULL, PURPOSE_WHOLE,
				  &copy->context, &copy->arena, copy->derived_values, err))
		return row_failed(copy, err);
	copy_text_row(&copy->out, copy->relation, copy->all_columns,
				  copy->derived_values);
	copy->rows_out++;
	return true;
}

/* The row whose beginning waits; false if it is not complete yet. */
static bool
complete_rest(RuleCopy *copy, Slice *in, Slice *row)
{
	Slice more;

	if (copy->rest.len == 0)
		return false;
	more = load_row_next(in);
	buffer_append(&copy->rest, more.data, more.len);
	*row = (Slice){ copy->rest.data, copy->rest.len };
	return copy->rest.data[copy->rest.len - 1] == '\n';
}

bool
rule_copy_rows(RuleCopy *copy, Slice in, Slice *out, int64_t *rows, Error *err)
{
	Slice row;
	bool ok = true;

	buffer_reset(&copy->out);
	copy->rows_out = 0;
	if (complete_rest(copy, &in, &row))
	{
		ok = copy_row(copy, row, err);
		buffer_reset(&copy->rest);
	}
	while (ok && in.len > 0)
	{
		row = load_row_next(&in);
		if (row.data[row.len - 1] != '\n')
			buffer_append(&copy->rest, row.data, row.len);
		else
			ok = copy_row(copy, row, err);
		if (copy->arena.used_bytes > ARENA_BYTES)
			arena_reset(&copy->arena);
	}
	arena_reset(&copy->arena);
	*out = (Slice){ copy->out.data, copy->out.len };
	*rows = copy->rows_out;
	return ok;
}

const Ledger *
rule_copy_ledger(const RuleCopy *copy)
{
	return &copy->ledger;
}
