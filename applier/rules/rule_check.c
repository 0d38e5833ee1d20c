/*
 * rule_check.c
 *		See rule_check.h.
 *
 * An UPDATE says nothing of a long value that it did not change, unless the table
 * has REPLICA IDENTITY FULL.  A column then stays as it is, and so does what is
 * computed of nothing else; but an expression over several columns cannot be
 * computed, and a row that may have to be inserted cannot be made.
 */
#include "rules/rule_check.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "rules/kept_area.h"
#include "rules/quarantined.h"
#include "rules/rule_derive.h"
#include "rules/rule_set_parts.h"
#include "rules/rule_share.h"
#include "schema/type_width.h"

typedef struct Checking
{
	const Derived *derived;
	const SchemaTable *table;
	Findings *findings;
	const bool *long_values; /* by the input's column */
	bool *needed;			 /* the same */
} Checking;

static void
report(const Checking *self, Severity severity, ConfigPlace place,
	   const char *hint, const char *message)
{
	const Derived *derived = self->derived;
	char object[200];
	Error err = ERROR_INIT;

	snprintf(object, sizeof(object), "table %s.%s", self->table->schema,
			 self->table->name);
	rule_error(derived->set, derived->rule, derived->input, place, &err, "%s",
			   message);
	error_hint(&err, "%s", hint);
	finding_add_error(self->findings, severity, object, &err);
}

/* ---- what the WAL carries */

/* Of the columns that an expression looks at, those with long values. */
static int
need_of(const Checking *self, const ExprUses *uses, bool even_alone)
{
	int used = 0;
	int found = 0;

	for (int i = 0; i < self->derived->input->column_count; i++)
		used += uses->columns[i] || uses->old_columns[i];
	for (int i = 0; i < self->derived->input->column_count; i++)
	{
		if (!uses->columns[i] || !self->long_values[i] ||
			(used == 1 && !even_alone))
			continue;
		self->needed[i] = true;
		found++;
	}
	return found;
}

/* The names of what is needed and may be missing, or NULL. */
static const char *
names_needed(const Checking *self)
{
	const RuleInput *input = self->derived->input;
	Arena *arena = self->findings->arena;
	const char *names = NULL;

	for (int i = 0; i < input->column_count; i++)
	{
		if (!self->needed[i])
			continue;
		names = names == NULL
					? arena_printf(arena, "\"%s\"", input->columns[i].name)
					: arena_printf(arena, "%s, \"%s\"", names,
								   input->columns[i].name);
	}
	return names;
}

static void
tell_needed(const Checking *self, Severity severity, ConfigPlace place,
			const char *why)
{
	Arena *arena = self->findings->arena;
	const RuleInput *input = self->derived->input;
	const char *names = names_needed(self);

	if (names == NULL)
		return;
	report(self, severity, place,
		   arena_printf(arena, "ALTER TABLE %s.%s REPLICA IDENTITY FULL",
						input->schema, input->name),
		   arena_printf(arena,
						"%s: an UPDATE that does not change a long value says"
						" nothing of it, so %s may be missing",
						why, names));
	memset(self->needed, 0, (size_t) input->column_count * sizeof(bool));
}

/* Every value of the row, and what is computed of them. */
static void
need_whole(const Checking *self)
{
	const Derived *derived = self->derived;

	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];

		if (column->from < 0)
			need_of(self, expr_uses_of(derived->compute, column->expression),
					true);
		else if (self->long_values[column->from])
			self->needed[column->from] = true;
	}
}

/* A row that comes or stays is put whole, since nobody knows which it is. */
static void
check_decides(const Checking *self)
{
	const Derived *derived = self->derived;
	const ConfigRule *rule = derived->rule;
	ConfigPlace place = derived->has_where ? rule->where.place
										   : rule->route.place;

	if (derived->decide == NULL)
		return;
	need_of(self, expr_uses(derived->decide), true);
	if (derived->match == NULL)
		need_whole(self);
	if (!derived->decided_by_key)
		tell_needed(self, SEVERITY_ERROR, place,
					"where and route look at more than the key, so the whole"
					" row is needed");
	else
		tell_needed(self, SEVERITY_WARNING, place,
					"an UPDATE of the key may bring a row here, which is"
					" needed as a whole then");
}

static ConfigPlace
place_of(const ConfigRule *rule, const char *name)
{
	for (int i = 0; i < rule->column_count; i++)
	{
		if (strcmp(rule->columns[i].name.text, name) == 0)
			return rule->columns[i].expr.place;
	}
	return rule->place;
}

/* What is computed of several columns, whenever one of them changes. */
static void
check_computed(const Checking *self)
{
	const Derived *derived = self->derived;
	Arena *arena = self->findings->arena;

	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];

		if (column->from < 0 &&
			need_of(self, expr_uses_of(derived->compute, column->expression),
					false) > 0)
			tell_needed(self, SEVERITY_ERROR,
						place_of(derived->rule, column->as.name),
						arena_printf(arena,
									 "column \"%s\" is computed of several"
									 " columns",
									 column->as.name));
	}
	for (int i = 0; i < derived->match_count; i++)
	{
		int from = derived->columns[derived->match[i]].from;

		if (from >= 0 && self->long_values[from])
			self->needed[from] = true;
	}
	tell_needed(self, SEVERITY_ERROR, derived->rule->match.place,
				"match has to find rows by it");
}

static void
check_wal(const Derived *derived, const Schema *schema,
		  const SchemaTable *table, Findings *findings)
{
	size_t count = (size_t) derived->input->column_count;
	bool *long_values = ARENA_ARRAY(findings->arena, bool, count);
	Checking self = { derived, table, findings, long_values,
					  ARENA_ARRAY(findings->arena, bool, count) };

	if (derived->old_known || (derived->operations & RULE_UPDATE) == 0 ||
		!table_may_toast(table, schema->encoding, long_values))
		return;
	check_decides(&self);
	if (derived->decided_by_key || derived->match != NULL)
		check_computed(&self);
}

/* ---- who else writes */

static void
check_shared(const Checking *self)
{
	const Derived *derived = self->derived;
	const ConfigRule *rule = derived->rule;
	Arena *arena = self->findings->arena;
	const char *other = rule_same_keys(derived->set, derived, arena);

	if (derived->shared && (derived->operations & RULE_TRUNCATE) != 0)
		report(self, SEVERITY_ERROR, rule->operations_place,
			   "operations: [insert, update, delete]",
			   arena_printf(arena,
							"TRUNCATE would take rows that others have written"
							" to %s.%s",
							derived->schema, derived->name));
	if (other != NULL && rule->on_conflict == CONFLICT_ERROR)
		report(self, SEVERITY_ERROR, rule->into.place,
			   "Add a column to the key that tells them apart, such as"
			   " portage_source() or a constant of each rule, or say with"
			   " on_conflict: who wins.",
			   arena_printf(arena,
							"%s writes to %s.%s, too, and may write the same"
							" keys",
							other, derived->schema, derived->name));
}

static bool
has_key(const RuleInput *input)
{
	for (int i = 0; i < input->column_count; i++)
	{
		if ((input->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			return true;
	}
	return false;
}

/* Does the same rule make a table of another one, too? */
static bool
rule_has_others(const Derived *derived)
{
	const RuleSet *set = derived->set;

	for (int i = 0; i < set->goal_count; i++)
	{
		if (set->goals[i].rule == derived->rule &&
			set->goals[i].table_oid != derived->input->oid)
			return true;
	}
	return false;
}

/*
 * Numbers are given in the order of the key by one worker, while the copy of another
 * table would begin with the same ones.  Partitions are copied each by itself.
 */
static void
check_counter(const Checking *self)
{
	const Derived *derived = self->derived;
	ConfigPlace place = derived->rule->place;

	if (derived->compute == NULL || !expr_uses(derived->compute)->counter)
		return;
	if (derived->input->partitioned)
		report(self, SEVERITY_ERROR, place,
			   "Leave the counter out, or number the rows on the target.",
			   "portage_counter() cannot number rows of a partitioned table");
	else if (!has_key(derived->input))
		report(self, SEVERITY_ERROR, place,
			   "Give the table a primary key, or leave the counter out.",
			   "portage_counter() numbers rows in the order of their key, and"
			   " the table has none");
	else if (rule_has_others(derived))
		report(self, SEVERITY_ERROR, place,
			   "Give each table a rule of its own.",
			   "portage_counter() in a rule of several tables: in which order"
			   " their rows are numbered nobody could say");
}

static void
check_ledger(const Checking *self)
{
	const Derived *derived = self->derived;

	if (ledger_has_keys(derived) && !has_key(derived->input))
		report(self, SEVERITY_ERROR, derived->rule->place,
			   "Give the table a primary key, or write ledger: counts.",
			   "ledger: keys, and the table has no key");
}

/* A row that is put aside is known by its key. */
static void
check_quarantine(const Checking *self)
{
	const Derived *derived = self->derived;

	if (quarantine_wanted(derived) && !has_key(derived->input))
		report(self, SEVERITY_WARNING, derived->rule->place,
			   "Give the table a primary key, or write on_error: stop.",
			   "on_error: quarantine, and the table has no key: rows that are"
			   " the same are put aside as one");
}

/*
 * Expressions take and give UTF-8.  Bytes of another encoding would be refused row
 * by row, and a constant would come out in the wrong one.
 */
static void
check_encoding(const Checking *self, const Schema *schema)
{
	const Derived *derived = self->derived;

	if ((derived->decide == NULL && derived->compute == NULL) ||
		schema->encoding == NULL || strcmp(schema->encoding, "UTF8") == 0 ||
		strcmp(schema->encoding, "SQL_ASCII") == 0)
		return;
	report(self, SEVERITY_ERROR, derived->rule->place,
		   "Leave where, route and columns out, or convert the source to UTF8"
		   " first.",
		   arena_printf(self->findings->arena,
						"expressions need a source in UTF8, and this one is in"
						" %s",
						schema->encoding));
}

void
rule_check_derived(const Derived *derived, const Schema *schema,
				   const SchemaTable *table, Findings *findings)
{
	Checking self = { derived, table, findings, NULL, NULL };

	if (derived->unchanged || derived->rule == NULL)
		return;
	check_wal(derived, schema, table, findings);
	check_shared(&self);
	check_counter(&self);
	check_ledger(&self);
	check_quarantine(&self);
	check_encoding(&self, schema);
}
