/*
 * ddl_plan.c
 *		See ddl_plan.h: the world, and the order of what is done to it.
 *
 * Names are given away before they are taken: first what is dropped, then what
 * is renamed, then what is new.  Tables that exchange names need a third one on
 * the way.
 */
#include "mysql/ddl_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "mysql/ddl_refuse.h"
#include "selection.h"

void
ddl_plan_init(DdlPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	arena_init(&plan->arena);
}

void
ddl_plan_release(DdlPlan *plan)
{
	arena_release(&plan->arena);
	mem_free(plan->steps);
	mem_free(plan->notes);
	ddl_plan_init(plan);
}

const DdlNoted *
ddl_plan_noted(const DdlPlan *plan, uint32_t oid)
{
	for (int i = plan->note_count - 1; i >= 0; i--)
	{
		if (plan->notes[i].oid == oid)
			return &plan->notes[i];
	}
	for (int i = plan->count - 1; i >= 0; i--)
	{
		const DdlStep *step = &plan->steps[i];

		/* what demands something of rows is not there before them */
		if (step->state == DDL_STEP_AFTER)
			continue;
		for (int k = 0; k < step->noted_count; k++)
		{
			if (step->noted[k].oid == oid)
				return &step->noted[k];
		}
	}
	return NULL;
}

/* --ddl stop, once there is something to do. */
static bool
allowed(const DdlPlanning *work)
{
	return work->by_hand || work->self->base.config->ddl == DDL_APPLY ||
		   planning_refuse(work, "--ddl stop asks to stop");
}

/* ---- what is dropped */

static bool
is_dropped(const DdlPlanning *work, uint32_t oid)
{
	const DdlTable *table = ddl_gather_find(work->gather, oid);

	return table != NULL && table->dropped;
}

/* The whole place goes: a table, or a root with all its partitions. */
static void
drop_place(DdlPlanning *work, WorldTable *table)
{
	int count;
	WorldTable **sharers = world_sharers(work, table, &count);
	Buffer sql;
	Buffer before;
	Buffer after;

	buffer_init(&sql);
	buffer_init(&before);
	buffer_init(&after);
	buffer_puts(&sql, "DROP TABLE ");
	my_quote_table(&sql, table->map.database, table->map.table);
	probe_table(&before, &table->map, true);
	probe_table(&after, &table->map, false);
	for (int i = 0; i < count; i++)
		sharers[i]->gone = true;
	planning_step(work, DDL_STEP_BEFORE, sql.data,
				  ddl_probe(work, &before, &after), sharers, count);
	buffer_release(&sql);
	buffer_release(&before);
	buffer_release(&after);
}

static bool
drop_table(DdlPlanning *work, const DdlTable *dropped)
{
	WorldTable *table = world_find(work, dropped->oid);

	work->about = dropped;
	if (table == NULL)
		return true;
	if (!allowed(work))
		return false;
	if (table->map.partition && !is_dropped(work, table->shape.root_oid))
	{
		if (!work->by_hand)
			return planning_refuse(work,
								   "the rows of partition %s.%s share a table "
								   "of the target with those of others",
								   table->shape.schema, table->shape.name);
		table->gone = true;
		planning_note(work, table);
		return true;
	}
	if (table->map.partition)
		return true;
	if (!work->by_hand && !rules_drop_referring(work, table))
		return false;
	drop_place(work, table);
	return true;
}

/* ---- what is renamed */

static bool
is_moved(const WorldTable *table, const Shape *want)
{
	return strcmp(table->shape.schema, want->schema) != 0 ||
		   strcmp(table->shape.name, want->name) != 0;
}

static bool
same_place(const TableMap *a, const TableMap *b)
{
	return strcasecmp(a->table, b->table) == 0 &&
		   (a->database == NULL || b->database == NULL
				? a->database == b->database
				: strcmp(a->database, b->database) == 0);
}

/* The table that has the place now where this one is to go, or NULL. */
static WorldTable *
in_the_way(const DdlPlanning *work, const WorldTable *table, const TableMap *to)
{
	for (int i = 0; i < work->world.count; i++)
	{
		WorldTable *other = work->world.tables[i];

		if (other != table && !other->gone && !other->map.partition &&
			same_place(&other->map, to))
			return other;
	}
	return NULL;
}

/* A name that nobody has, until the table's own is free. */
static bool
put_aside(DdlPlanning *work, WorldTable *table)
{
	Shape aside = table->shape;

	aside.name = arena_printf(work->arena, "portage_%" PRIu32, aside.oid);
	return ddl_move(work, table, &aside);
}

/* Whoever is in the way goes first; who is in nobody's way ends the chain. */
static bool
move_table(DdlPlanning *work, const DdlTable *announced, int depth)
{
	WorldTable *table = world_find(work, announced->oid);
	const DdlTable *next;
	WorldTable *other;
	TableMap to = { 0 };

	work->about = announced;
	if (table == NULL || !is_moved(table, announced->want))
		return true;
	if (!allowed(work))
		return false;
	if (table->map.partition)
	{
		table->shape.schema = announced->want->schema;
		table->shape.name = announced->want->name;
		planning_note(work, table);
		return true;
	}
	if (!ddl_place(work, announced->want, &to))
		return false;
	other = in_the_way(work, table, &to);
	if (other == NULL)
		return ddl_move(work, table, announced->want);
	next = ddl_gather_find(work->gather, other->shape.oid);
	if (next == NULL || next->want == NULL || !is_moved(other, next->want))
		return planning_refuse(work,
							   "table %s.%s would have the name of %s.%s on "
							   "the target",
							   announced->want->schema, announced->want->name,
							   other->shape.schema, other->shape.name);
	if (depth > work->gather->table_count)
		return put_aside(work, other) && ddl_move(work, table, announced->want);
	return move_table(work, next, depth + 1) &&
		   move_table(work, announced, depth + 1);
}

/* ---- everything in its order */

typedef bool (*TableAction)(DdlPlanning *work, const DdlTable *table);

static bool
move_action(DdlPlanning *work, const DdlTable *table)
{
	return table->dropped || table->want == NULL || move_table(work, table, 0);
}

static bool
alter_action(DdlPlanning *work, const DdlTable *table)
{
	WorldTable *known = world_find(work, table->oid);

	work->about = table;
	if (table->dropped || table->want == NULL || known == NULL ||
		known->origin == NULL)
		return true;
	return ddl_alter(work, known, table);
}

static bool
create_action(DdlPlanning *work, const DdlTable *table)
{
	work->about = table;
	if (table->dropped || table->want == NULL ||
		world_find(work, table->oid) != NULL ||
		!planning_selects(work, table->want))
		return true;
	return allowed(work) && ddl_create(work, table);
}

static bool
drop_action(DdlPlanning *work, const DdlTable *table)
{
	return !table->dropped || drop_table(work, table);
}

/* Partitioned tables come before their partitions, which have their columns. */
static bool
each_table(DdlPlanning *work, TableAction action)
{
	const DdlGather *gather = work->gather;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < gather->table_count; i++)
		{
			const DdlTable *table = gather->tables[i];
			bool first = table->want == NULL || table->want->kind == 'p';

			if (first == (pass == 0) && !action(work, table))
				return false;
		}
	}
	return true;
}

/*
 * With steps the transaction may have to be begun again, when nothing is planned
 * any more: then notes are part of what is done before the rows.
 */
static void
notes_as_step(DdlPlanning *work)
{
	DdlPlan *plan = work->plan;
	DdlStep *step;

	if (plan->count == 0 || plan->note_count == 0)
		return;
	step = plan_add_step(plan);
	step->state = DDL_STEP_BEFORE;
	step->sql = "";
	step->probe = "";
	step->noted = ARENA_ARRAY(work->arena, DdlNoted, (size_t) plan->note_count);
	step->noted_count = plan->note_count;
	memcpy(step->noted, plan->notes,
		   (size_t) plan->note_count * sizeof(DdlNoted));
	plan->note_count = 0;
}

/* Is there a step at all?  Only then does --ddl stop matter. */
static bool
plan_allowed(const DdlPlanning *work)
{
	return work->plan->count == 0 || allowed(work);
}

bool
ddl_plan_make(TargetMysql *self, const DdlGather *gather, const Txn *txn,
			  DdlPlan *plan, Error *err)
{
	DdlPlanning work = {
		.self = self,
		.gather = gather,
		.txn = txn,
		.plan = plan,
		.arena = &plan->arena,
		.by_hand = self->base.config->ddl_done == txn->commit_lsn,
		.err = err,
	};
	bool ok;

	plan->commit_lsn = txn->commit_lsn;
	ok = target_mysql_translate_target(self, work.arena, &work.target, err);
	if (ok)
		world_init(&work);
	ok = ok && ddl_drop_others(&work) && each_table(&work, drop_action) &&
		 each_table(&work, move_action) && each_table(&work, alter_action) &&
		 each_table(&work, create_action);
	if (ok)
		notes_as_step(&work);
	ok = ok && ddl_tighten(&work) && ddl_add_others(&work) &&
		 plan_allowed(&work);
	mem_free(work.world.tables);
	mem_free(work.tight);
	if (!ok)
		ddl_refuse_failed(err, txn,
						  work.about != NULL ? work.about->tag : "DDL",
						  work.about != NULL ? work.about->statement : "");
	return ok;
}
