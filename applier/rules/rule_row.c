/*
 * rule_row.c
 *		See rule_row.h.
 *
 * A value that an UPDATE did not touch may be missing from the WAL.  As a column
 * it stays missing, which leaves it as it is; an expression that looks at nothing
 * else has not changed either.  One that looks at more cannot be computed without
 * the old row.
 */
#include "rules/rule_row.h"

#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "rules/rule_match.h"

static bool
is_missing(const Value *value)
{
	return value->state == WIRE_COL_UNCHANGED ||
		   value->state == WIRE_COL_ABSENT;
}

/* With the names that it may give. */
static bool
wrong_route(const RuleSetConfig *config, const ConfigRule *rule, Slice given,
			Error *err)
{
	Buffer names;

	buffer_init(&names);
	for (int i = 0; i < config->config->target_count; i++)
	{
		const char *name = config->config->targets[i].name.text;

		if (rule_goes_to(rule, name))
			buffer_printf(&names, "%s%s", names.len > 0 ? ", " : "", name);
	}
	error_set(err, P_RULE_VALUE,
			  "route gives \"%.*s\", which is not a target%s", (int) given.len,
			  given.data, rule->targets.count > 0 ? " of the rule" : "");
	error_hint(err,
			   "it may give %s, or NULL for a row that goes nowhere; or let"
			   " on_error: quarantine put such rows aside",
			   names.data);
	buffer_release(&names);
	return false;
}

/* Where route sends the row. */
static bool
place_of_route(const Derived *derived, const RuleSetConfig *config,
			   const ExprValue *route, RulePlace *place, Error *err)
{
	const ConfigRule *rule = derived->rule;
	const char *name;

	if (route->kind == EXPR_NULL)
	{
		*place = PLACE_DROPPED;
		return true;
	}
	if (slice_equal(route->text, slice_of(config->target)))
	{
		*place = PLACE_HERE;
		return true;
	}
	*place = PLACE_ELSEWHERE;
	for (int i = 0; i < config->config->target_count; i++)
	{
		name = config->config->targets[i].name.text;
		if (slice_equal(route->text, slice_of(name)) &&
			rule_goes_to(rule, name))
			return true;
	}
	return wrong_route(config, rule, route->text, err);
}

bool
rule_place(const Derived *derived, const Value *values,
		   const ExprContext *context, RulePlace *place, Error *err)
{
	ExprValue results[2];
	int wrong;

	*place = PLACE_HERE;
	if (derived->decide == NULL)
		return true;
	if (!expr_eval(derived->decide, values, NULL, context, results, &wrong,
				   err))
		return error_wrap(err,
						  wrong == 0 && derived->has_where ? "where" : "route");
	if (derived->has_where && !expr_is_true(&results[0]))
		*place = PLACE_FILTERED;
	else if (derived->has_route)
		return place_of_route(derived, rule_set_config(derived->set),
							  &results[derived->has_where ? 1 : 0], place, err);
	return true;
}

/* The number is thrown away: only a new row has one. */
static bool
no_number(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	(void) arg;
	(void) expression;
	(void) key;
	(void) err;
	*next = 0;
	return true;
}

/* The row as expressions see it: what is missing is null to them. */
typedef struct RowView
{
	Value *values;
	bool *missing;
} RowView;

static RowView
view_row(const Derived *derived, const Value *values, const Value *old,
		 Arena *arena)
{
	int count = derived->input->column_count;
	RowView view;

	view.values = ARENA_ARRAY(arena, Value, (size_t) count);
	view.missing = ARENA_ARRAY(arena, bool, (size_t) count);
	for (int i = 0; i < count; i++)
	{
		view.values[i] = values[i];
		if (is_missing(&values[i]) && old != NULL && !is_missing(&old[i]))
			view.values[i] = old[i];
		view.missing[i] = is_missing(&view.values[i]);
	}
	return view;
}

/* A column that the expression needs and the WAL does not have; or NULL. */
static const char *
first_missing(const Derived *derived, const ExprUses *uses, const bool *missing,
			  bool *all)
{
	const char *first = NULL;

	*all = true;
	for (int i = 0; i < derived->input->column_count; i++)
	{
		if (uses->old_columns[i] || (uses->columns[i] && !missing[i]))
			*all = false;
		if (uses->columns[i] && missing[i] && first == NULL)
			first = derived->input->columns[i].name;
	}
	return first;
}

static bool
missing_error(const Derived *derived, const char *column, const char *missing,
			  Error *err)
{
	error_set(err, P_RULE_VALUE,
			  "column \"%s\" needs \"%s\", which the WAL does not carry",
			  column, missing);
	return error_hint(err,
					  "ALTER TABLE %s.%s REPLICA IDENTITY FULL, then drop and"
					  " copy again",
					  derived->input->schema, derived->input->name);
}

static bool
take_computed(const Derived *derived, const DerivedColumn *column,
			  const RowView *view, RulePurpose purpose,
			  const ExprValue *results, Arena *arena, Value *out, Error *err)
{
	const ExprUses *uses = expr_uses_of(derived->compute, column->expression);
	bool all;
	const char *missing = first_missing(derived, uses, view->missing, &all);

	if (purpose == PURPOSE_UPDATE &&
		(uses->counter || (missing != NULL && all)))
	{
		*out = (Value){ NULL, 0, WIRE_COL_UNCHANGED };
		return true;
	}
	if (missing != NULL)
		return missing_error(derived, column->as.name, missing, err);
	return rule_value(&results[column->expression], &column->as, arena, out,
					  err) ||
		   error_wrap(err, "column \"%s\"", column->as.name);
}

static bool
take_plain(const Derived *derived, const DerivedColumn *column,
		   const Value *values, const RowView *view, RulePurpose purpose,
		   Value *out, Error *err)
{
	bool whole = purpose == PURPOSE_WHOLE;

	*out = whole ? view->values[column->from] : values[column->from];
	if (whole && view->missing[column->from])
		return missing_error(derived, column->as.name,
							 derived->input->columns[column->from].name, err);
	return true;
}

static bool
compute(const Derived *derived, const RowView *view, const Value *old,
		RulePurpose purpose, const ExprContext *context, ExprValue *results,
		Arena *arena, Error *err)
{
	Value *values = ARENA_ARRAY(arena, Value,
								(size_t) derived->input->column_count);
	ExprContext here = *context;
	int wrong;

	for (int i = 0; i < derived->input->column_count; i++)
		values[i] = view->missing[i] ? (Value){ NULL, 0, WIRE_COL_NULL }
									 : view->values[i];
	if (purpose != PURPOSE_WHOLE)
		here.counter = no_number;
	if (expr_eval(derived->compute, values, old, &here, results, &wrong, err))
		return true;
	for (int i = 0; wrong >= 0 && i < derived->column_count; i++)
	{
		if (derived->columns[i].from < 0 &&
			derived->columns[i].expression == wrong)
			return error_wrap(err, "column \"%s\"",
							  derived->columns[i].as.name);
	}
	return false;
}

/* Is an expression among what is wanted? */
static bool
wants_compute(const Derived *derived, RulePurpose purpose)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		if (derived->columns[i].from < 0 &&
			(purpose != PURPOSE_KEY ||
			 (derived->columns[i].as.flags & WIRE_COLUMN_KEY) != 0))
			return true;
	}
	return false;
}

bool
rule_row(const Derived *derived, const Value *values, const Value *old,
		 RulePurpose purpose, const ExprContext *context, Arena *arena,
		 Value *out, Error *err)
{
	RowView view = view_row(derived, values, old, arena);
	ExprValue *results = NULL;

	if (wants_compute(derived, purpose))
	{
		results = ARENA_ARRAY(arena, ExprValue,
							  (size_t) derived->compute_count);
		if (!compute(derived, &view, old, purpose, context, results, arena,
					 err))
			return false;
	}
	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		bool key = (column->as.flags & WIRE_COLUMN_KEY) != 0;

		if (purpose == PURPOSE_KEY && !key)
			out[i] = (Value){ NULL, 0, WIRE_COL_ABSENT };
		else if (!(column->from >= 0
					   ? take_plain(derived, column, values, &view,
									key ? PURPOSE_WHOLE : purpose, &out[i], err)
					   : take_computed(derived, column, &view, purpose, results,
									   arena, &out[i], err)))
			return false;
	}
	return true;
}
