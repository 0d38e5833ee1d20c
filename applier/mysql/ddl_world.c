/*
 * ddl_world.c
 *		The tables as they will be when all is done that is planned so far, and the
 *		steps that lead there; see ddl_plan.h.
 */
#include "mysql/ddl_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/ddl_refuse.h"
#include "selection.h"

/* ---- the world */

WorldTable *
world_any(const DdlPlanning *work, uint32_t oid)
{
	for (int i = 0; i < work->world.count; i++)
	{
		if (work->world.tables[i]->shape.oid == oid)
			return work->world.tables[i];
	}
	return NULL;
}

WorldTable *
world_find(const DdlPlanning *work, uint32_t oid)
{
	WorldTable *table = world_any(work, oid);

	return table != NULL && !table->gone ? table : NULL;
}

WorldTable *
world_add(DdlPlanning *work, const Shape *shape, const TableMap *map)
{
	DdlWorld *world = &work->world;
	WorldTable *table = ARENA_NEW(work->arena, WorldTable);

	world->tables = mem_room(world->tables, world->count, &world->capacity,
							 sizeof(*world->tables));
	table->shape = *shape;
	table->map = *map;
	table->origin = NULL;
	world->tables[world->count++] = table;
	return table;
}

/* As it is noted; columns are shared with that until they change. */
void
world_init(DdlPlanning *work)
{
	const MapTable *maps = work->self->maps;

	for (int i = 0; i < maps->count; i++)
	{
		const MapEntry *entry = &maps->entries[i];
		Shape shape;

		/* not on the target: an unlogged table */
		if (entry->map.table == NULL)
			continue;
		/* from here on the copy shows nothing of what happens to it */
		shape_copy(map_entry_shape(entry), work->arena, &shape);
		world_add(work, &shape, &entry->map)->origin = &entry->map;
	}
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
world_same_place(const WorldTable *a, const WorldTable *b)
{
	return same_text(a->map.database, b->map.database) &&
		   same_text(a->map.table, b->map.table);
}

WorldTable **
world_sharers(const DdlPlanning *work, const WorldTable *table, int *count)
{
	WorldTable **sharers = ARENA_ARRAY(work->arena, WorldTable *,
									   (size_t) work->world.count + 1);

	*count = 0;
	for (int i = 0; i < work->world.count; i++)
	{
		WorldTable *other = work->world.tables[i];

		if (!other->gone && world_same_place(other, table))
			sharers[(*count)++] = other;
	}
	return sharers;
}

/* ---- steps */

static const Shape *
keep_shape(const DdlPlanning *work, const Shape *shape)
{
	Shape *kept = ARENA_NEW(work->arena, Shape);

	shape_copy(shape, work->arena, kept);
	return kept;
}

static DdlNoted
noted_of(const DdlPlanning *work, const WorldTable *table)
{
	DdlNoted noted = { table->shape.oid, NULL, NULL };
	TableMap *map;

	if (table->gone)
		return noted;
	map = ARENA_NEW(work->arena, TableMap);
	*map = table->map;
	map->columns = ARENA_ARRAY(work->arena, ColumnMap,
							   (size_t) map->column_count + 1);
	if (map->column_count > 0)
		memcpy(map->columns, table->map.columns,
			   (size_t) map->column_count * sizeof(ColumnMap));
	noted.shape = keep_shape(work, &table->shape);
	noted.map = map;
	return noted;
}

/* What a later step says of the table counts. */
static void
forget_note(DdlPlan *plan, uint32_t oid)
{
	int kept = 0;

	for (int i = 0; i < plan->note_count; i++)
	{
		if (plan->notes[i].oid != oid)
			plan->notes[kept++] = plan->notes[i];
	}
	plan->note_count = kept;
}

DdlStep *
plan_add_step(DdlPlan *plan)
{
	plan->steps = mem_room(plan->steps, plan->count, &plan->capacity,
						   sizeof(*plan->steps));
	return &plan->steps[plan->count++];
}

void
planning_step(DdlPlanning *work, DdlStepState state, const char *sql,
			  const char *probe, WorldTable *const *tables, int count)
{
	DdlStep *step;

	/* what was done by hand is only noted */
	if (work->by_hand)
	{
		for (int i = 0; i < count; i++)
			planning_note(work, tables[i]);
		return;
	}
	step = plan_add_step(work->plan);
	step->state = state;
	step->sql = arena_strdup(work->arena, sql);
	step->probe = probe;
	step->noted = ARENA_ARRAY(work->arena, DdlNoted, (size_t) count);
	step->noted_count = count;
	for (int i = 0; i < count; i++)
	{
		forget_note(work->plan, tables[i]->shape.oid);
		step->noted[i] = noted_of(work, tables[i]);
	}
}

void
planning_note(DdlPlanning *work, const WorldTable *table)
{
	DdlPlan *plan = work->plan;

	forget_note(plan, table->shape.oid);
	plan->notes = mem_room(plan->notes, plan->note_count, &plan->note_capacity,
						   sizeof(*plan->notes));
	plan->notes[plan->note_count++] = noted_of(work, table);
}

bool
planning_refuse(const DdlPlanning *work, const char *fmt, ...)
{
	char reason[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return ddl_refuse(
		work->err, work->txn, work->about != NULL ? work->about->tag : "DDL",
		work->about != NULL ? work->about->statement : "", "%s", reason);
}

bool
planning_selects(const DdlPlanning *work, const Shape *shape)
{
	const TargetConfig *config = work->self->base.config;
	const WorldTable *root = shape->root_oid != 0
								 ? world_any(work, shape->root_oid)
								 : NULL;

	return selection_has(config->tables, config->exclude_tables, shape->schema,
						 shape->name, root != NULL ? root->shape.schema : "",
						 root != NULL ? root->shape.name : "");
}
