/*
 * kept_area.c
 *		See kept_area.h.
 */
#include "rules/kept_area.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "ledger.h"

/* ---- counters */

static const char *
area_of_counter(const Derived *derived, const DerivedColumn *column,
				Arena *arena)
{
	return arena_printf(arena, KEPT_AREA_COUNTER "%s:%s", derived->rule_name,
						column->as.name);
}

const char *
counter_area(const Derived *derived, int expression, Arena *arena)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];

		if (column->from < 0 && column->expression == expression)
			return area_of_counter(derived, column, arena);
	}
	BUG("a counter outside of a column");
}

const DerivedColumn *
counter_column_next(const Derived *derived, int *position)
{
	while (derived->compute != NULL && *position < derived->column_count)
	{
		const DerivedColumn *column = &derived->columns[(*position)++];

		if (column->from < 0 &&
			expr_uses_of(derived->compute, column->expression)->counter)
			return column;
	}
	return NULL;
}

/* ---- the ledger's keys */

/* Rows are left out by where and route alone. */
bool
ledger_has_keys(const Derived *derived)
{
	return derived->rule != NULL && derived->rule->ledger == RULE_LEDGER_KEYS &&
		   derived->decide != NULL && derived->match == NULL;
}

const char *
ledger_area(const Derived *derived, Arena *arena)
{
	return arena_printf(arena, KEPT_AREA_LEDGER "%s", derived->rule_name);
}

const char *
ledger_table(const char *schema, const char *name, Arena *arena)
{
	return arena_printf(arena, "%s.%s", schema, name);
}

/* Lengths stand before what is joined, so that no two keys are the same bytes. */
static void
append_part(Buffer *key, const char *data, size_t len)
{
	buffer_printf(key, "%zu:", len);
	buffer_append(key, data, len);
}

void
ledger_key_hash(const Derived *derived, const Value *values,
				char hash[KEPT_HASH_SIZE])
{
	const RuleInput *input = derived->input;
	Buffer key;

	buffer_init(&key);
	append_part(&key, input->schema, strlen(input->schema));
	append_part(&key, input->name, strlen(input->name));
	for (int i = 0; i < input->column_count; i++)
	{
		const RuleColumn *column = &input->columns[i];

		if ((column->flags & WIRE_COLUMN_KEY) == 0)
			continue;
		append_part(&key, column->name, strlen(column->name));
		if (values[i].state == WIRE_COL_PRESENT)
			append_part(&key, values[i].data, values[i].len);
		else
			buffer_putc(&key, '-');
	}
	kept_hash((Slice){ key.data, key.len }, hash);
	buffer_release(&key);
}

void
ledger_body(RulePlace place, Lsn lsn, char body[LEDGER_BODY_SIZE])
{
	static const LedgerKind kinds[] = {
		[PLACE_FILTERED] = LEDGER_FILTERED,
		[PLACE_DROPPED] = LEDGER_DROPPED,
		[PLACE_ELSEWHERE] = LEDGER_ELSEWHERE,
	};

	BUG_UNLESS(place >= PLACE_FILTERED && place <= PLACE_ELSEWHERE);
	snprintf(body, LEDGER_BODY_SIZE,
			 "{\"kind\":\"%s\",\"lsn\":\"" LSN_FORMAT "\"}",
			 ledger_kind_name(kinds[place]), LSN_ARGS(lsn));
}
