/*
 * copy_view.c
 *		See copy_view.h.
 *
 * A table is derived from what the schema says of it under the same snapshot, a
 * partition from what it says of its root.
 */
#include "copy/copy_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules/derived.h"
#include "rules/kept_area.h"
#include "rules/quarantined.h"
#include "rules/reference_rows.h"
#include "rules/rule_derive.h"

static bool take_followed(CopyView *view, Error *err);

bool
copy_view_open(CopyView *view, Source *source, const RuleSet *rules,
			   const SnapshotRef *snapshot, Error *err)
{
	memset(view, 0, sizeof(*view));
	view->source = source;
	view->rules = rules;
	view->snapshot = *snapshot;
	arena_init(&view->arena);
	findings_init(&view->notes, &view->arena);
	if (rules == NULL || rule_set_is_identity(rules))
		return true;
	view->engine = rule_engine_new(rules, err);
	if (view->engine != NULL &&
		source->ops->schema_read(source, snapshot, &view->arena, &view->schema,
								 err) &&
		rule_schema_make(view->engine, &view->schema, &view->arena, &view->made,
						 &view->notes, err) &&
		take_followed(view, err))
		return true;
	copy_view_close(view);
	return false;
}

void
copy_view_close(CopyView *view)
{
	rule_engine_free(view->engine);
	arena_release(&view->arena);
	memset(view, 0, sizeof(*view));
	arena_init(&view->arena);
}

/* What rules make of the table, or of the root of the partition; none: nothing. */
static bool
derive(const CopyView *view, RuleEngine *engine, uint32_t oid,
	   const Derived *const **derived, int *count, Error *err)
{
	const SchemaTable *table = schema_table(&view->schema, oid);
	const SchemaTable *root = table == NULL ? NULL
											: schema_root(&view->schema, table);
	RuleInput input;
	Arena arena;
	bool ok;

	*count = 0;
	/* in none of the snapshots, or a part between root and leaves */
	if (root == NULL)
		return true;
	arena_init(&arena);
	rule_input_of_schema(root, &arena, &input);
	ok = rule_engine_derive(engine, &input, derived, count, err);
	arena_release(&arena);
	return ok;
}

bool
copy_view_derive(const CopyView *view, RuleEngine *engine, const Table *table,
				 const Derived **derived, Error *err)
{
	const Derived *const *all;
	int count;

	uint32_t oid = table->source != NULL ? table->source->oid : table->oid;

	if (!derive(view, engine, oid, &all, &count, err))
		return false;
	for (int i = 0; i < count; i++)
	{
		*derived = all[i];
		if (derived_oid(all[i], oid) == table->oid)
			return true;
	}
	return error_set(err, P_RULE, "table %s.%s has no rule any more",
					 table->schema, table->name);
}

/* ---- tables */

/* Every stored column, in text: an expression may look at any of them. */
static Table *
whole_rows(const Table *table, Arena *arena)
{
	Table *reading = ARENA_NEW(arena, Table);
	size_t most = (size_t) table->column_count +
				  (size_t) table->generated_count;

	*reading = *table;
	reading->binary = false;
	reading->columns = ARENA_ARRAY(arena, const char *, most);
	reading->types = ARENA_ARRAY(arena, const char *, most);
	for (int i = 0; i < table->column_count; i++)
	{
		reading->columns[i] = table->columns[i];
		reading->types[i] = table->types[i];
	}
	for (int i = 0; i < table->generated_count; i++)
	{
		reading->columns[reading->column_count] = table->generated[i];
		reading->types[reading->column_count++] = table->generated_types[i];
	}
	reading->computed_count = table->generated_count;
	reading->generated_count = 0;
	return reading;
}

static const Table *
reading_table(const Table *table, const Derived *derived, Arena *arena)
{
	Table *reading = whole_rows(table, arena);

	if (derived->compute == NULL || !expr_uses(derived->compute)->counter)
		return reading;
	/* what is numbered is so in the order of the key */
	reading->order = ARENA_ARRAY(arena, const char *,
								 (size_t) derived->input->column_count);
	for (int i = 0; i < derived->input->column_count; i++)
	{
		if ((derived->input->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			reading->order[reading->order_count++] =
				derived->input->columns[i].name;
	}
	return reading;
}

/* Where rules keep and count something of its rows, while they are copied. */
static void
kept_places(const Derived *derived, const Table *table, Arena *arena,
			Table *out)
{
	KeptPlace *places = ARENA_ARRAY(arena, KeptPlace,
									(size_t) derived->column_count + 2);
	char aside[QUARANTINE_AREA_SIZE];
	const DerivedColumn *column;
	int position = 0;

	out->kept = places;
	out->kept_count = 0;
	while ((column = counter_column_next(derived, &position)) != NULL)
		places[out->kept_count++].area = counter_area(
			derived, column->expression, arena);
	quarantine_area(derived, table->oid, aside);
	out->aside = quarantine_wanted(derived);
	if (out->aside)
		places[out->kept_count++].area = arena_strdup(arena, aside);
	out->ledger_rule = derived->rule_name;
	out->ledger_oid = derived->input->oid;
	if (!ledger_has_keys(derived))
		return;
	places[out->kept_count].area = ledger_area(derived, arena);
	places[out->kept_count++].key = ledger_table(table->schema, table->name,
												 arena);
}

/*
 * Pieces of a table that others write to cannot be taken back, nor those that may
 * overwrite each other, and those that are numbered have one order: they are copied
 * whole.
 */
static void
ruled_table(const Derived *derived, const Table *table, Arena *arena,
			Table *out)
{
	derived_table(derived, table, arena, out);
	out->source = reading_table(table, derived, arena);
	out->key_ordered = false;
	kept_places(derived, table, arena, out);
	if (out->shared || out->conflicts || out->source->order_count > 0)
		out->blocks = 0;
}

/* A table that comes as it is. */
static void
unchanged_table(const Derived *derived, const Table *table, Arena *arena,
				Table *out)
{
	*out = *table;
	if (quarantine_wanted(derived))
		kept_places(derived, table, arena, out);
}

/* A copy brings rows, as INSERT does. */
static bool
has_rows(const Derived *derived)
{
	return derived->match == NULL && (derived->operations & RULE_INSERT) != 0;
}

static bool
take_tables(CopyView *view, const Table *from, int from_count, Arena *arena,
			Table *tables, int *count, Error *err)
{
	const Derived *const *derived;
	int derived_count;

	*count = 0;
	for (int i = 0; i < from_count; i++)
	{
		if (!derive(view, view->engine, from[i].oid, &derived, &derived_count,
					err))
			return false;
		for (int k = 0; k < derived_count; k++)
		{
			if (derived[k]->unchanged)
				unchanged_table(derived[k], &from[i], arena,
								&tables[(*count)++]);
			else if (has_rows(derived[k]))
				ruled_table(derived[k], &from[i], arena, &tables[(*count)++]);
		}
	}
	return true;
}

static size_t
rules_of(const CopyView *view)
{
	return (size_t) rule_set_config(view->rules)->config->rule_count + 1;
}

bool
copy_view_tables(CopyView *view, Arena *arena, Table **tables, int *count,
				 Error *err)
{
	Source *source = view->source;
	Table *from;
	int from_count;

	if (!source->ops->tables_list(source, &view->snapshot, arena, &from,
								  &from_count, err))
		return false;
	*tables = from;
	*count = from_count;
	if (view->engine == NULL)
		return true;
	*tables = ARENA_ARRAY(arena, Table, (size_t) from_count * rules_of(view));
	return take_tables(view, from, from_count, arena, *tables, count, err);
}

/* ---- tables that are followed */

/* It is read as any, whole, and is no table of the target. */
static void
table_to_read(const Table *table, Arena *arena, Table *out)
{
	*out = *table;
	out->source = whole_rows(table, arena);
	out->binary = false;
	out->blocks = 0;
	out->generated_count = 0;
	out->identity_index = NULL;
	out->key = NULL;
	out->key_ordered = false;
	out->key_primary = false;
}

/* What it is known by is its reference's own. */
static void
followed_table(const RuleReference *reference, const Table *table, Arena *arena,
			   Table *out)
{
	table_to_read(table, arena, out);
	out->oid = reference->oid;
	out->reference = reference;
}

static bool
find_followed(CopyView *view, const RuleReference *reference,
			  const Table *tables, int count, Error *err)
{
	for (int i = 0; i < count; i++)
	{
		if (tables[i].oid != reference->input->oid)
			continue;
		followed_table(reference, &tables[i], &view->arena,
					   &view->followed[view->followed_count++]);
		return true;
	}
	return error_set(err, P_REFERENCE,
					 "reference %s: table %s.%s is not on the source any more",
					 reference->shape.name, reference->input->schema,
					 reference->input->name);
}

static bool
take_followed(CopyView *view, Error *err)
{
	const RuleReference *reference;
	Table *tables;
	int count;
	int most = 0;

	while (rule_set_followed(view->rules, most) != NULL)
		most++;
	if (most == 0)
		return true;
	if (!view->source->ops->tables_list(view->source, &view->snapshot,
										&view->arena, &tables, &count, err))
		return false;
	view->followed = ARENA_ARRAY(&view->arena, Table, (size_t) most);
	for (int i = 0; i < most; i++)
	{
		reference = rule_set_followed(view->rules, i);
		if (!find_followed(view, reference, tables, count, err))
			return false;
	}
	return true;
}

void
copy_view_add_followed(const CopyView *view, Arena *arena, Table **tables,
					   int *count)
{
	int followed = view->followed_count;
	Table *all;

	if (followed == 0)
		return;
	all = ARENA_ARRAY(arena, Table, (size_t) (followed + *count));
	memcpy(all, view->followed, (size_t) followed * sizeof(Table));
	if (*count > 0)
		memcpy(all + followed, *tables, (size_t) *count * sizeof(Table));
	*tables = all;
	*count += followed;
}

/* ---- rules with match */

static bool
add_matches(CopyView *view, const Table *table, Arena *arena, Table *tables,
			int *count, Error *err)
{
	const Derived *const *derived;
	int derived_count;

	if (!derive(view, view->engine, table->oid, &derived, &derived_count, err))
		return false;
	for (int k = 0; k < derived_count; k++)
	{
		Table *out = &tables[*count];

		if (derived[k]->match == NULL)
			continue;
		table_to_read(table, arena, out);
		out->oid = derived_oid(derived[k], table->oid);
		out->match = true;
		(*count)++;
	}
	return true;
}

bool
copy_view_add_matches(CopyView *view, Arena *arena, Table **tables, int *count,
					  Error *err)
{
	Source *source = view->source;
	Table *from;
	int from_count;
	Table *all;

	if (view->engine == NULL)
		return true;
	if (!source->ops->tables_list(source, &view->snapshot, arena, &from,
								  &from_count, err))
		return false;
	all = ARENA_ARRAY(arena, Table,
					  (size_t) *count + (size_t) from_count * rules_of(view));
	if (*count > 0)
		memcpy(all, *tables, (size_t) *count * sizeof(Table));
	*tables = all;
	for (int i = 0; i < from_count; i++)
	{
		if (!add_matches(view, &from[i], arena, all, count, err))
			return false;
	}
	return true;
}

/* ---- shapes */

static int
compare_shapes(const void *left, const void *right)
{
	const Shape *a = left;
	const Shape *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

static bool
take_shapes(CopyView *view, const Shape *from, int from_count, Arena *arena,
			Shape *shapes, int *count, Error *err)
{
	const Derived *const *derived;
	int derived_count;

	*count = 0;
	for (int i = 0; i < from_count; i++)
	{
		uint32_t oid = from[i].root_oid != 0 ? from[i].root_oid : from[i].oid;

		if (!derive(view, view->engine, oid, &derived, &derived_count, err))
			return false;
		for (int k = 0; k < derived_count; k++)
		{
			if (derived[k]->unchanged)
				shapes[(*count)++] = from[i];
			else if (from[i].kind == 'r' || from[i].root_oid == 0)
				derived_shape(derived[k], &from[i], arena, &shapes[(*count)++]);
		}
	}
	return true;
}

bool
copy_view_shapes(CopyView *view, Arena *arena, Shape **shapes, int *count,
				 Error *err)
{
	Source *source = view->source;
	Shape *from;
	int from_count;

	if (!source->ops->shapes_list(source, &view->snapshot, arena, &from,
								  &from_count, err))
		return false;
	*shapes = from;
	*count = from_count;
	if (view->engine == NULL)
		return true;
	*shapes = ARENA_ARRAY(arena, Shape, (size_t) from_count * rules_of(view));
	if (!take_shapes(view, from, from_count, arena, *shapes, count, err))
		return false;
	qsort(*shapes, (size_t) *count, sizeof(Shape), compare_shapes);
	return true;
}

/* ---- the schema */

/* Sequences that number columns of what rules make. */
static void
list_sequences(const Schema *schema, Arena *arena, DumpScope *scope)
{
	const char **names;
	size_t most = 0;

	for (int i = 0; i < schema->table_count; i++)
		most += (size_t) schema->tables[i].column_count;
	names = ARENA_ARRAY(arena, const char *, most);
	scope->sequences = names;
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *table = &schema->tables[i];

		for (int k = 0;
			 table->derived && table->root_oid == 0 && k < table->column_count;
			 k++)
		{
			if (table->columns[k].sequence != NULL &&
				table->columns[k].identity == 0)
				names[scope->sequence_count++] = table->columns[k].sequence;
		}
	}
}

bool
copy_view_entries(CopyView *view, Arena *arena, DdlEntry **entries, int *count,
				  Findings *left_out, Error *err)
{
	DumpScope scope = { 0 };

	findings_init(left_out, arena);
	if (view->engine != NULL)
	{
		scope.left_out = view->made.left_out;
		scope.left_out_count = view->made.left_out_count;
		scope.derived = &view->made.schema;
		list_sequences(&view->made.schema, arena, &scope);
	}
	if (!view->source->ops->schema_dump(view->source, &view->snapshot, &scope,
										arena, entries, count, left_out, err))
		return false;
	findings_add_all(left_out, &view->notes);
	return findings_verdict(left_out, err);
}

bool
copy_view_schema(CopyView *view, Arena *arena, Schema *schema, Findings *notes,
				 Error *err)
{
	findings_init(notes, arena);
	if (view->engine == NULL)
		return view->source->ops->schema_read(view->source, &view->snapshot,
											  arena, schema, err);
	*schema = view->made.schema;
	findings_add_all(notes, &view->notes);
	return true;
}
