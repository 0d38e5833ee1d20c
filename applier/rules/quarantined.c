/*
 * quarantined.c
 *		See quarantined.h.
 *
 * Columns are those of the derived table's input, which are the relation's in the
 * stream and the root's in the copy: a key has their names in it and no order.
 */
#include "rules/quarantined.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "base/mem.h"
#include "text/bytea_text.h"

#define IMAGE_FORMAT 1

bool
quarantine_wanted(const Derived *derived)
{
	return derived->rule != NULL && derived->rule->on_error == RULE_QUARANTINE;
}

bool
quarantine_takes(const Derived *derived, const Error *why)
{
	return quarantine_wanted(derived) &&
		   (why->code == P_RULE_VALUE || why->code == P_REFERENCE);
}

void
quarantine_area(const Derived *derived, uint32_t stored_oid,
				char area[QUARANTINE_AREA_SIZE])
{
	snprintf(area, QUARANTINE_AREA_SIZE, KEPT_AREA_QUARANTINE "%s:%" PRIu32,
			 derived->rule_name, stored_oid);
}

/*
 * Bytes that are no text are shown as PostgreSQL shows them; text that is not
 * UTF-8, in the source's encoding, as an object with its bytes.
 */
static json_t *
json_value(const RuleColumn *column, const Value *value)
{
	json_t *json;

	if (value->state == WIRE_COL_NULL)
		return json_null();
	if (column->base_type_oid == BYTEA_OID)
		return bytea_json((Slice){ value->data, value->len });
	json = json_stringn(value->data, value->len);
	return json != NULL
			   ? json
			   : json_pack("{s:o}", "hex",
						   bytea_json((Slice){ value->data, value->len }));
}

static bool
has_identity(const RuleInput *input)
{
	for (int i = 0; i < input->column_count; i++)
	{
		if ((input->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			return true;
	}
	return false;
}

/*
 * The row, or its key.  What did not change is taken from the old row, if that is
 * given; values that are not in the WAL are left out.
 */
static json_t *
json_row(const RuleInput *input, const Value *values, const Value *old,
		 bool key_only)
{
	bool by_key = key_only && has_identity(input);
	json_t *row = json_object();

	for (int i = 0; values != NULL && i < input->column_count; i++)
	{
		const RuleColumn *column = &input->columns[i];
		const Value *value = &values[i];

		if (value->state == WIRE_COL_UNCHANGED && old != NULL)
			value = &old[i];
		if ((by_key && (column->flags & WIRE_COLUMN_KEY) == 0) ||
			value->state == WIRE_COL_ABSENT ||
			value->state == WIRE_COL_UNCHANGED)
			continue;
		json_object_set_new_nocheck(row, column->name,
									json_value(column, value));
	}
	return row;
}

char *
quarantine_key(const Derived *derived, const Value *values)
{
	json_t *key = json_row(derived->input, values, NULL, true);
	char *text = json_dumps(key,
							JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	json_decref(key);
	BUG_UNLESS(text != NULL);
	return text;
}

char *
quarantine_body(const Quarantined *row, const Error *why)
{
	const RuleInput *input = row->derived->input;
	json_t *message = json_string(why->message);
	char lsn[LSN_STRING_SIZE];
	json_t *body;
	char *text;

	body = json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:o,"
					 " s:o, s:o}",
					 "format", IMAGE_FORMAT, "rule", row->derived->rule_name,
					 "schema", input->schema, "table", input->name, "oid",
					 (json_int_t) row->stored_oid, "operation", row->operation,
					 "commit_lsn", lsn_to_string(row->commit_lsn, lsn),
					 "number", (json_int_t) row->number, "xid",
					 (json_int_t) row->xid, "commit_time_us",
					 (json_int_t) row->commit_time_us, "error",
					 message != NULL ? message : json_string("(not in UTF-8)"),
					 "key", json_row(input, row->values, row->old, true), "row",
					 json_row(input, row->values, row->old, false));
	BUG_UNLESS(body != NULL);
	text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(body);
	BUG_UNLESS(text != NULL);
	return text;
}
