/*
 * rule_program.c
 *		See rule_program.h.
 *
 * What would have another value when it is asked again (the LSN, the time of the
 * commit, a counter, a reference that is refreshed) must not decide where a row
 * belongs or what its key is: copy, stream and verification would not agree.
 */
#include "rules/rule_program.h"

#include <string.h>

#include "base/mem.h"
#include "rules/rule_set_parts.h"

ExprColumn *
rule_expr_columns(const RuleInput *input, Arena *arena)
{
	ExprColumn *columns = ARENA_ARRAY(arena, ExprColumn,
									  (size_t) input->column_count);

	for (int i = 0; i < input->column_count; i++)
	{
		columns[i].name = input->columns[i].name;
		columns[i].bind = expr_bind_of(input->columns[i].base_type_oid);
	}
	return columns;
}

/* Which word of what it uses changes by itself; NULL: none. */
static const char *
volatile_word(const DeriveContext *context, const ExprUses *uses)
{
	if (uses->op)
		return "portage_op()";
	if (uses->lsn)
		return "portage_lsn()";
	if (uses->xid)
		return "portage_xid()";
	if (uses->commit_time)
		return "portage_commit_time()";
	if (uses->counter)
		return "portage_counter()";
	for (int i = 0; i < uses->reference_count; i++)
	{
		const ConfigReference *reference = config_reference(
			context->set->config.config, uses->references[i]);

		if (reference != NULL &&
			(reference->refresh_ms > 0 || reference->kind == REFERENCE_TABLE))
			return reference->name.text;
	}
	return NULL;
}

/* A column beyond the identity's that is looked at, or NULL. */
static const char *
beyond_key(const RuleInput *input, const ExprUses *uses)
{
	for (int i = 0; i < input->column_count; i++)
	{
		if ((uses->columns[i] || uses->old_columns[i]) &&
			(input->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			return input->columns[i].name;
	}
	return NULL;
}

/* There is no LSN that two sources have in common. */
static ExprProgram *
foreign_reference(const DeriveContext *context, const Derived *derived,
				  const ConfigReference *reference, const ConfigText *text,
				  Error *err)
{
	rule_error(context->set, derived->rule, derived->input, text->place, err,
			   "the reference %s follows a table of the source %s, and this"
			   " row is of %s",
			   reference->name.text, reference->source.text,
			   context->set->config.source);
	error_hint(err, "Give the rule source: %s, or make the reference a query.",
			   reference->source.text);
	return NULL;
}

/* SQLite quotes what it stumbles over, which may be somebody's password. */
static ExprProgram *
wrong_with_variables(const DeriveContext *context, const Derived *derived,
					 const ConfigText *text, Error *err)
{
	rule_error(context->set, derived->rule, derived->input, text->place, err,
			   "the expression cannot be compiled with what stands for ${...}");
	error_hint(err, "Write the values for the variables to see what is wrong"
					" with it.");
	return NULL;
}

static ExprProgram *
compile(const DeriveContext *context, const Derived *derived,
		const ConfigText **texts, int count, Error *err)
{
	const RuleInput *input = derived->input;
	const char **expressions = ARENA_ARRAY(context->arena, const char *,
										   (size_t) count);
	const ConfigReference *foreign;
	Error why = ERROR_INIT;
	ExprProgram *program;
	int wrong = 0;

	for (int i = 0; i < count; i++)
		expressions[i] = texts[i]->text;
	program = expr_compile(context->db, RULE_TABLE_ALIAS(input),
						   rule_expr_columns(input, context->arena),
						   input->column_count, expressions, count, &wrong,
						   &why);
	if (program != NULL)
		return program;
	if (wrong < 0 || wrong >= count)
		wrong = 0;
	foreign = rule_reference_foreign(context->set, texts[wrong]->text);
	if (foreign != NULL)
		return foreign_reference(context, derived, foreign, texts[wrong], err);
	if (strcmp(texts[wrong]->text, texts[wrong]->shown) != 0)
		return wrong_with_variables(context, derived, texts[wrong], err);
	rule_error(context->set, derived->rule, input, texts[wrong]->place, err,
			   "%s", why.message);
	if (why.detail[0] != '\0')
		error_detail(err, "%s", why.detail);
	if (why.hint[0] != '\0')
		error_hint(err, "%s", why.hint);
	return NULL;
}

/* The old row is whole only with REPLICA IDENTITY FULL. */
static bool
check_old(const DeriveContext *context, const Derived *derived,
		  const ExprUses *uses, const ConfigText *text, Error *err)
{
	const RuleInput *input = derived->input;

	for (int i = 0; i < input->column_count; i++)
	{
		if (!uses->old_columns[i] || derived->old_known ||
			(input->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			continue;
		rule_error(context->set, derived->rule, input, text->place, err,
				   "old.%s is not in the WAL", input->columns[i].name);
		return error_hint(err, "ALTER TABLE %s.%s REPLICA IDENTITY FULL",
						  input->schema, input->name);
	}
	return true;
}

static bool
check_decides(const DeriveContext *context, const Derived *derived,
			  const ExprUses *uses, const ConfigText *text, const char *what,
			  Error *err)
{
	const char *word = volatile_word(context, uses);

	for (int i = 0; i < derived->input->column_count; i++)
	{
		if (uses->old_columns[i])
			return rule_error(
				context->set, derived->rule, derived->input, text->place, err,
				"%s decides about each version of a row by itself:"
				" it must not use old.%s",
				what, derived->input->columns[i].name);
	}
	if (word != NULL)
		return rule_error(context->set, derived->rule, derived->input,
						  text->place, err,
						  "%s must not use %s: its value is another one when"
						  " it is asked again",
						  what, word);
	return true;
}

static bool
compile_decide(const DeriveContext *context, Derived *derived, Error *err)
{
	const ConfigRule *rule = derived->rule;
	const ConfigText *texts[2];
	int count = 0;

	derived->has_where = rule->where.text != NULL;
	derived->has_route = rule->route.text != NULL;
	derived->decided_by_key = true;
	if (derived->has_where)
		texts[count++] = &rule->where;
	if (derived->has_route)
		texts[count++] = &rule->route;
	if (count == 0)
		return true;
	derived->decide = compile(context, derived, texts, count, err);
	if (derived->decide == NULL)
		return false;
	for (int i = 0; i < count; i++)
	{
		if (!check_decides(context, derived, expr_uses_of(derived->decide, i),
						   texts[i],
						   texts[i] == &rule->where ? "where" : "route", err))
			return false;
	}
	derived->decided_by_key = beyond_key(derived->input,
										 expr_uses(derived->decide)) == NULL;
	return true;
}

static const ConfigColumn *
config_column(const ConfigRule *rule, const char *name)
{
	for (int i = 0; i < rule->column_count; i++)
	{
		if (strcmp(rule->columns[i].name.text, name) == 0)
			return &rule->columns[i];
	}
	return NULL;
}

static bool
compile_columns(const DeriveContext *context, Derived *derived, Error *err)
{
	const ConfigText **texts = ARENA_ARRAY(context->arena, const ConfigText *,
										   (size_t) derived->column_count);
	int count = 0;

	for (int i = 0; i < derived->column_count; i++)
	{
		DerivedColumn *column = &derived->columns[i];

		if (column->from >= 0)
			continue;
		column->expression = count;
		texts[count++] = &config_column(derived->rule, column->as.name)->expr;
	}
	derived->compute_count = count;
	if (count == 0)
		return true;
	derived->compute = compile(context, derived, texts, count, err);
	for (int i = 0; derived->compute != NULL && i < derived->column_count; i++)
	{
		DerivedColumn *column = &derived->columns[i];
		const ExprUses *uses;

		if (column->from >= 0)
			continue;
		uses = expr_uses_of(derived->compute, column->expression);
		column->volatile_value = volatile_word(context, uses) != NULL;
		if (!check_old(context, derived, uses, texts[column->expression], err))
			return false;
	}
	return derived->compute != NULL;
}

/* UPDATE and DELETE find their row by the derived key. */
static bool
check_key(const DeriveContext *context, const Derived *derived, Error *err)
{
	const RuleInput *input = derived->input;
	bool inserts = (derived->operations & (RULE_UPDATE | RULE_DELETE)) == 0;

	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		const char *beyond = NULL;

		if ((column->as.flags & WIRE_COLUMN_KEY) == 0)
			continue;
		if (column->volatile_value)
			return rule_error(context->set, derived->rule, input,
							  derived->rule->place, err,
							  "the key's column \"%s\" has another value when"
							  " it is asked again",
							  column->as.name);
		if (column->from < 0)
			beyond = beyond_key(
				input, expr_uses_of(derived->compute, column->expression));
		else if ((input->columns[column->from].flags & WIRE_COLUMN_KEY) == 0)
			beyond = input->columns[column->from].name;
		if (beyond == NULL || derived->old_known || inserts)
			continue;
		rule_error(context->set, derived->rule, input, derived->rule->place,
				   err,
				   "the key's column \"%s\" needs \"%s\", which the WAL does"
				   " not carry of old rows",
				   column->as.name, beyond);
		return error_hint(err, "ALTER TABLE %s.%s REPLICA IDENTITY FULL",
						  input->schema, input->name);
	}
	return true;
}

/* Whether a put is an INSERT, which has a number of its own, nobody knows. */
static bool
check_counters(const DeriveContext *context, const Derived *derived, Error *err)
{
	if (derived->compute == NULL || !derived->tolerant ||
		!expr_uses(derived->compute)->counter)
		return true;
	return rule_error(context->set, derived->rule, derived->input,
					  derived->rule->place, err,
					  "portage_counter() needs to know which rows are new:"
					  " REPLICA IDENTITY FULL, all operations, and"
					  " on_conflict: error");
}

bool
rule_compile(const DeriveContext *context, Derived *derived, Error *err)
{
	const ConfigRule *rule = derived->rule;

	if (!compile_decide(context, derived, err) ||
		!compile_columns(context, derived, err) ||
		!check_key(context, derived, err))
		return false;
	derived->plain = derived->decide == NULL && derived->compute == NULL;
	derived->tolerant = (!derived->decided_by_key && !derived->old_known) ||
						(rule->operations & RULE_ROWS) != RULE_ROWS ||
						rule->on_conflict != CONFLICT_ERROR;
	return check_counters(context, derived, err);
}
