/*
 * rule_derive.c
 *		See rule_derive.h.
 *
 * The columns of a derived table are those of the source that only and omit
 * leave, in their order; an expression under the name of one of them stands in
 * its place, others follow in the order of the file.  An expression that is
 * nothing but a column is that column under another name.
 *
 * Numbers: a column of the source keeps its own, a new one has FIRST_NEW_NUM and
 * its place in the rule, which no column of PostgreSQL reaches.  The first rule
 * that makes something of a table here keeps its OID; for others it is made of
 * both, in the half that a server gives out last.
 */
#include "rules/rule_derive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "rules/rule_match.h"
#include "rules/rule_program.h"
#include "rules/rule_set_parts.h"
#include "rules/rule_share.h"

#define FIRST_NEW_NUM 2000
#define TEXT_OID 25

bool
rule_error(const RuleSet *set, const ConfigRule *rule, const RuleInput *input,
		   ConfigPlace place, Error *err, const char *fmt, ...)
{
	char message[900];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (place.line == 0)
		place = rule->place;
	error_set(err, P_RULE, "%s:%d:%d: %s, table %s.%s: %s",
			  set->config.config->path, place.line, place.column, rule->name,
			  input->schema, input->name, message);
	return false;
}

static bool
unknown_column(const DeriveContext *context, const ConfigRule *rule,
			   const RuleInput *input, const ConfigText *word, Error *err)
{
	const char *meant = suggest(word->shown,
								rule_input_names(input, context->arena));

	rule_error(context->set, rule, input, word->place, err,
			   "there is no column \"%s\"", word->shown);
	if (meant != NULL)
		error_hint(err, "Did you mean \"%s\"?", meant);
	return false;
}

static bool
list_has(const ConfigList *list, const char *name)
{
	for (int i = 0; i < list->count; i++)
	{
		if (strcmp(list->items[i].text, name) == 0)
			return true;
	}
	return false;
}

/* A pattern may stand for tables that do not have the column to omit. */
static bool
check_lists(const DeriveContext *context, const ConfigRule *rule,
			const RuleInput *input, bool exact, Error *err)
{
	for (int i = 0; i < rule->only.count; i++)
	{
		if (rule_input_column(input, rule->only.items[i].text) < 0)
			return unknown_column(context, rule, input, &rule->only.items[i],
								  err);
	}
	for (int i = 0; exact && i < rule->omit.count; i++)
	{
		if (rule_input_column(input, rule->omit.items[i].text) < 0)
			return unknown_column(context, rule, input, &rule->omit.items[i],
								  err);
	}
	return true;
}

/* What only and omit leave. */
static bool
column_stays(const ConfigRule *rule, const RuleColumn *column)
{
	if ((column->flags & WIRE_COLUMN_VIRTUAL) != 0)
		return false;
	if (rule->only.place.line != 0 && !list_has(&rule->only, column->name))
		return false;
	return !list_has(&rule->omit, column->name);
}

int
derived_column(const Derived *derived, const char *name)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		if (strcmp(derived->columns[i].as.name, name) == 0)
			return i;
	}
	return -1;
}

/* A word that has to be a column of what comes to the target, and is none. */
static bool
not_derived(const DeriveContext *context, const Derived *derived,
			const ConfigText *word, const char *key, Error *err)
{
	const char **names = ARENA_ARRAY(context->arena, const char *,
									 (size_t) derived->column_count + 1);
	const char *meant;

	for (int i = 0; i < derived->column_count; i++)
		names[i] = derived->columns[i].as.name;
	meant = suggest(word->shown, names);
	rule_error(context->set, derived->rule, derived->input, word->place, err,
			   "%s names \"%s\", which is not a column of what comes to the"
			   " target",
			   key, word->shown);
	if (meant != NULL)
		error_hint(err, "Did you mean \"%s\"?", meant);
	return false;
}

/* The source's value is sent, whoever has computed it. */
static void
take_source_column(Derived *derived, const RuleInput *input, int i)
{
	DerivedColumn *column = &derived->columns[derived->column_count++];

	column->as = input->columns[i];
	column->as.flags &= (uint8_t) ~(GENERATED_FLAGS | WIRE_COLUMN_KEY |
									WIRE_COLUMN_MISSING);
	column->from = i;
	column->expression = -1;
}

static void
type_of_schema(const SchemaType *type, RuleColumn *as)
{
	const char *dot = type->domain != NULL ? strrchr(type->domain, '.') : NULL;

	as->type_oid = type->oid;
	as->base_type_oid = type->base_oid;
	as->base_schema = type->base_schema;
	as->base_name = type->base_name;
	as->type_schema = type->base_schema;
	as->type_name = dot != NULL ? dot + 1 : type->base_name;
	as->typmod = type->typmod;
	as->category = (uint8_t) type->category;
}

static void
type_text(RuleColumn *as)
{
	as->type_oid = TEXT_OID;
	as->base_type_oid = TEXT_OID;
	as->type_schema = as->base_schema = "pg_catalog";
	as->type_name = as->base_name = "text";
	as->typmod = -1;
	as->category = 'S';
}

/* A column of the rule: under a new name, or in the place of one of the source. */
static void
take_rule_column(const DeriveContext *context, Derived *derived,
				 const RuleInput *input, const ConfigColumn *wanted, int number,
				 int from)
{
	int place = derived_column(derived, wanted->name.text);
	int same = rule_input_column(input, wanted->name.text);
	DerivedColumn *column;

	column = place >= 0 ? &derived->columns[place]
						: &derived->columns[derived->column_count++];
	if (from >= 0)
		column->as = input->columns[from];
	else if (same >= 0)
		column->as = input->columns[same];
	else
		type_text(&column->as);
	column->as.name = wanted->name.text;
	column->as.num = same >= 0 ? input->columns[same].num
							   : (uint16_t) (FIRST_NEW_NUM + number);
	column->as.flags = from >= 0 ? column->as.flags & (WIRE_COLUMN_NOT_NULL)
								 : 0;
	column->from = from;
	column->expression = from >= 0 ? -1 : 0;
	column->expr = wanted->expr.text;
	if (wanted->type.text != NULL)
		column->type = rule_set_type(context->set, wanted->type.text);
	if (column->type != NULL)
		type_of_schema(column->type, &column->as);
}

static void
take_rule_columns(const DeriveContext *context, Derived *derived,
				  const ConfigRule *rule, const RuleInput *input)
{
	ExprColumn *columns = rule_expr_columns(input, context->arena);

	for (int i = 0; i < rule->column_count; i++)
	{
		const ConfigColumn *wanted = &rule->columns[i];
		int from = expr_plain_column(RULE_TABLE_ALIAS(input), columns,
									 input->column_count, wanted->expr.text);

		/* a value that is to be of another type is what the target makes of it */
		take_rule_column(context, derived, input, wanted, i, from);
	}
}

/* The key of the target: as the rule says, else where the source's has gone. */
static bool
take_key(const DeriveContext *context, Derived *derived, const ConfigRule *rule,
		 const RuleInput *input, Error *err)
{
	for (int i = 0; i < rule->key.count; i++)
	{
		int column = derived_column(derived, rule->key.items[i].text);

		if (column < 0)
			return not_derived(context, derived, &rule->key.items[i], "key",
							   err);
		derived->columns[column].as.flags |= WIRE_COLUMN_KEY |
											 WIRE_COLUMN_NOT_NULL;
		derived->key_count++;
	}
	if (rule->key.count > 0)
		return true;
	for (int i = 0; i < input->column_count; i++)
	{
		int column;

		if ((input->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			continue;
		/* under its own name, even as an expression; else where it went */
		column = derived_column(derived, input->columns[i].name);
		for (int k = 0; column < 0 && k < derived->column_count; k++)
		{
			if (derived->columns[k].from == i)
				column = k;
		}
		if (column < 0 && rule->match.count == 0)
			return rule_error(context->set, rule, input, rule->place, err,
							  "\"%s\" belongs to the key and does not come to"
							  " the target; say with key: what takes its place",
							  input->columns[i].name);
		if (column < 0)
			continue;
		derived->columns[column].as.flags |= WIRE_COLUMN_KEY |
											 WIRE_COLUMN_NOT_NULL;
		derived->key_count++;
	}
	return true;
}

static bool
take_match(const DeriveContext *context, Derived *derived,
		   const ConfigRule *rule, Error *err)
{
	int *match;

	if (rule->match.count == 0)
		return true;
	match = ARENA_ARRAY(context->arena, int, (size_t) rule->match.count);
	for (int i = 0; i < rule->match.count; i++)
	{
		match[i] = derived_column(derived, rule->match.items[i].text);
		if (match[i] < 0)
			return not_derived(context, derived, &rule->match.items[i], "match",
							   err);
	}
	derived->match = match;
	derived->match_count = rule->match.count;
	return true;
}

static bool
take_latest(const DeriveContext *context, Derived *derived,
			const ConfigRule *rule, const RuleInput *input, Error *err)
{
	derived->latest = -1;
	if (rule->on_conflict != CONFLICT_LATEST)
		return true;
	/* a row that is there already does not say when it was committed */
	if (strcmp(rule->latest.text, "commit time") == 0)
	{
		rule_error(context->set, rule, input, rule->latest.place, err,
				   "latest_wins needs a column that the target has, too");
		return error_hint(err,
						  "Add a column with the expression"
						  " portage_commit_time() and the type timestamptz,"
						  " and name that.");
	}
	derived->latest = derived_column(derived, rule->latest.text);
	return derived->latest >= 0 ||
		   not_derived(context, derived, &rule->latest, "latest_wins", err);
}

/* Longer names are cut by PostgreSQL without a word. */
#define NAME_BYTES_MAX 63

/* Schemas of the servers, and that of a migration's own tables. */
static bool
schema_is_taken(const char *schema)
{
	return strncmp(schema, "pg_", 3) == 0 ||
		   strcmp(schema, "information_schema") == 0 ||
		   strcmp(schema, "portage") == 0;
}

static bool
take_name(const DeriveContext *context, Derived *derived,
		  const ConfigRule *rule, const RuleInput *input, Error *err)
{
	config_into(rule, input->schema, input->name, context->arena,
				&derived->schema, &derived->name);
	if (rule->into.text == NULL)
		return true;
	if (schema_is_taken(derived->schema))
	{
		rule_error(context->set, rule, input, rule->into.place, err,
				   "into gives the schema %s, which is not for tables that are"
				   " migrated",
				   derived->schema);
		return error_hint(err, "Name another schema.");
	}
	if (strlen(derived->schema) <= NAME_BYTES_MAX &&
		strlen(derived->name) <= NAME_BYTES_MAX)
		return true;
	return rule_error(context->set, rule, input, rule->into.place, err,
					  "into gives a name of more than %d bytes",
					  NAME_BYTES_MAX);
}

uint32_t
derived_oid(const Derived *derived, uint32_t source_oid)
{
	uint32_t parts[2] = { source_oid, 0 };

	if (!derived->own_oid)
		return source_oid;
	parts[1] = (uint32_t) derived->rule->number;
	return OWN_OIDS | (uint32_t) XXH3_64bits(parts, sizeof(parts));
}

static bool
is_unchanged(const ConfigRule *rule)
{
	return rule->column_count == 0 && rule->only.place.line == 0 &&
		   rule->omit.count == 0 && rule->key.count == 0 &&
		   rule->into.text == NULL && rule->where.text == NULL &&
		   rule->route.text == NULL && rule->match.count == 0 &&
		   rule->operations == RULE_ALL_OPERATIONS &&
		   rule->on_conflict == CONFLICT_ERROR;
}

/* What others write to as well is made by us, even if it looks the same. */
bool
rule_leaves(const RuleSet *set, const ConfigRule *rule, const char *schema,
			const char *name)
{
	Derived same = { .schema = schema, .name = name };

	return is_unchanged(rule) && !rule_is_shared(set, &same);
}

static Derived *
derived_new(const DeriveContext *context, const ConfigRule *rule,
			const RuleInput *input)
{
	Derived *derived = ARENA_NEW(context->arena, Derived);
	int columns = input->column_count + (rule != NULL ? rule->column_count : 0);

	derived->set = context->set;
	derived->rule = rule;
	derived->rule_name = rule != NULL ? rule->name : "";
	derived->input = input;
	derived->operations = rule != NULL ? rule->operations : RULE_ALL_OPERATIONS;
	derived->columns = ARENA_ARRAY(context->arena, DerivedColumn,
								   (size_t) columns);
	derived->old_known = input->identity == 'f';
	derived->latest = -1;
	return derived;
}

const Derived *
rule_derive_nothing(const DeriveContext *context, const RuleInput *input)
{
	Derived *derived = derived_new(context, NULL, input);

	derived->oid = input->oid;
	derived->schema = input->schema;
	derived->name = input->name;
	derived->unchanged = true;
	derived->plain = true;
	derived->decided_by_key = true;
	return derived;
}

const Derived *
rule_derive(const DeriveContext *context, const ConfigRule *rule,
			const RuleInput *input, Error *err)
{
	Derived *derived;

	derived = derived_new(context, rule, input);
	if (context->first &&
		rule_leaves(context->set, rule, input->schema, input->name))
	{
		derived = (Derived *) rule_derive_nothing(context, input);
		derived->rule = rule;
		derived->rule_name = rule->name;
		return derived;
	}
	derived->own_oid = !context->first;
	derived->oid = derived_oid(derived, input->oid);
	if (!check_lists(context, rule, input, rule_is_exact(rule), err) ||
		!take_name(context, derived, rule, input, err))
		return NULL;
	for (int i = 0; i < input->column_count; i++)
	{
		if (column_stays(rule, &input->columns[i]))
			take_source_column(derived, input, i);
	}
	take_rule_columns(context, derived, rule, input);
	if (derived->column_count == 0)
	{
		rule_error(context->set, rule, input, rule->place, err,
				   "no column is left");
		return NULL;
	}
	if (!take_key(context, derived, rule, input, err) ||
		!take_match(context, derived, rule, err) ||
		!take_latest(context, derived, rule, input, err) ||
		!rule_compile(context, derived, err))
		return NULL;
	return derived;
}
