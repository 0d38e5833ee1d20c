/*
 * ddl_create.c
 *		Tables that are new on the source, what they are called on the target, and
 *		NOT NULL that has to wait for the rows.
 *
 * A new table is translated as one of the initial schema is.  A new partition of
 * a known table has no statement: its rows go where those of the others are.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "mysql/ddl_plan.h"

static void
translate_one(const DdlPlanning *work, SchemaTable *table,
			  TranslatedSchema *out)
{
	Schema schema = {
		.database = "",
		.encoding = "UTF8",
		.tables = table,
		.table_count = 1,
	};

	translate_schema(&schema, &work->target, work->arena, out);
}

bool
ddl_place(DdlPlanning *work, const Shape *shape, TableMap *map)
{
	SchemaTable *table = ddl_schema_table(work, shape);
	TranslatedSchema translated;

	table->root_oid = 0;
	translate_one(work, table, &translated);
	if (translated.map_count == 0)
		return planning_refuse(work, "table %s.%s has no name on the target",
							   shape->schema, shape->name);
	*map = translated.maps[0];
	return true;
}

/* ---- renamed */

bool
ddl_nothing_waits(const DdlPlanning *work, const WorldTable *table)
{
	int64_t waiting;

	if (work->by_hand)
		return true;
	if (!my_query_number(work->self->conn, work->err, 0, &waiting,
						 "SELECT COUNT(*) FROM portage_ddl WHERE stream = '%s'"
						 " AND table_oid = %" PRIu32 " AND state <> 'done'",
						 work->self->base.config->stream, table->shape.oid))
		return false;
	return waiting == 0 ||
		   planning_refuse(work,
						   "objects of table %s.%s wait until the stream has "
						   "passed its copy, and speak of its former names",
						   table->shape.schema, table->shape.name);
}

static void
put_create_database(DdlPlanning *work, WorldTable *table, const char *database)
{
	Buffer sql;
	WorldTable *tables[1] = { table };

	if (database == NULL)
		return;
	buffer_init(&sql);
	buffer_puts(&sql, "CREATE DATABASE IF NOT EXISTS ");
	my_quote_ident(&sql, database);
	buffer_printf(&sql, " CHARACTER SET utf8mb4 COLLATE %s",
				  work->target.collation);
	planning_step(work, DDL_STEP_BEFORE, sql.data, "", tables, 1);
	buffer_release(&sql);
}

static bool
same_place(const TableMap *a, const TableMap *b)
{
	return a->table != NULL && b->table != NULL &&
		   strcmp(a->table, b->table) == 0 &&
		   (a->database == NULL || b->database == NULL
				? a->database == b->database
				: strcmp(a->database, b->database) == 0);
}

static void
put_move(DdlPlanning *work, WorldTable *table, const TableMap *to,
		 WorldTable **sharers, int count)
{
	TableMap from = table->map;
	Buffer sql;
	Buffer before;
	Buffer after;

	buffer_init(&sql);
	buffer_init(&before);
	buffer_init(&after);
	buffer_puts(&sql, "RENAME TABLE ");
	my_quote_table(&sql, from.database, from.table);
	buffer_puts(&sql, " TO ");
	my_quote_table(&sql, to->database, to->table);
	probe_table(&before, &from, true);
	probe_table(&before, to, false);
	probe_table(&after, &from, false);
	probe_table(&after, to, true);
	for (int i = 0; i < count; i++)
	{
		sharers[i]->map.database = to->database;
		sharers[i]->map.table = to->table;
	}
	planning_step(work, DDL_STEP_BEFORE, sql.data,
				  ddl_probe(work, &before, &after), sharers, count);
	buffer_release(&sql);
	buffer_release(&before);
	buffer_release(&after);
}

bool
ddl_move(DdlPlanning *work, WorldTable *table, const Shape *want)
{
	int count;
	WorldTable **sharers = world_sharers(work, table, &count);
	TableMap to = { 0 };

	if (!ddl_nothing_waits(work, table) || !ddl_place(work, want, &to))
		return false;
	if (to.database != NULL && !work->by_hand)
		put_create_database(work, table, to.database);
	table->shape.schema = want->schema;
	table->shape.name = want->name;
	table->map.schema = want->schema;
	table->map.name = want->name;
	if (same_place(&table->map, &to))
		planning_note(work, table);
	else
		put_move(work, table, &to, sharers, count);
	return true;
}

/* ---- new */

/* Columns by their names, which partitions share; numbers are its own. */
static bool
create_partition(DdlPlanning *work, const Shape *want, const WorldTable *root)
{
	TableMap map = root->map;
	WorldTable *table;

	map.oid = want->oid;
	map.schema = want->schema;
	map.name = want->name;
	map.partition = true;
	map.column_count = 0;
	map.columns = ARENA_ARRAY(work->arena, ColumnMap,
							  (size_t) want->column_count + 1);
	for (int i = 0; i < want->column_count; i++)
	{
		const ShapeColumn *column = &want->columns[i];
		const ColumnMap *from = table_map_column(&root->map, column->name);

		if (from == NULL)
			continue;
		map.columns[map.column_count] = *from;
		map.columns[map.column_count++].num = column->num;
	}
	table = world_add(work, want, &map);
	planning_note(work, table);
	log_info("partition %s.%s is new: its rows go to table %s", want->schema,
			 want->name, map.table);
	return true;
}

static void
tell_decisions(const Findings *decisions)
{
	for (int i = 0; i < decisions->count; i++)
	{
		const Finding *finding = &decisions->items[i];

		if (finding->severity >= SEVERITY_WARNING)
			log_warning("%s: %s", finding->object, finding->message);
	}
}

static bool
name_is_free(const DdlPlanning *work, const TableMap *map)
{
	ActualTable actual;

	for (int i = 0; i < work->world.count; i++)
	{
		const WorldTable *other = work->world.tables[i];

		if (!other->gone && strcasecmp(other->map.table, map->table) == 0 &&
			same_place(&other->map, map))
			return planning_refuse(
				work, "the target's table %s is that of %s.%s", map->table,
				other->shape.schema, other->shape.name);
		/* its name is given away before */
		if (other->origin != NULL && same_place(other->origin, map))
			return true;
	}
	if (!actual_read(work, map, &actual))
		return false;
	return !actual.there || planning_refuse(work,
											"the target has a table %s of its "
											"own",
											map->table);
}

/*
 * Rows may be older than a column, or than its NOT NULL: then that waits for the
 * last of them.
 */
static const Shape *
loose(DdlPlanning *work, const DdlTable *announced)
{
	Shape *shape = ARENA_NEW(work->arena, Shape);

	*shape = *announced->want;
	shape->columns = ARENA_ARRAY(work->arena, ShapeColumn,
								 (size_t) shape->column_count + 1);
	for (int i = 0; i < shape->column_count; i++)
	{
		const ShapeColumn *first = shape_column(
			announced->first, announced->want->columns[i].num);

		shape->columns[i] = announced->want->columns[i];
		if (!shape->columns[i].key && (first == NULL || !first->not_null))
			shape->columns[i].not_null = false;
	}
	return shape;
}

static void
tight_later(DdlPlanning *work, WorldTable *table, const Shape *want)
{
	for (int i = 0; i < want->column_count; i++)
	{
		if (want->columns[i].not_null && !table->shape.columns[i].not_null)
			ddl_tight_later(work, table, want->columns[i].num);
	}
}

/* What the table needs before its rows; all else follows them. */
static bool
create_steps(DdlPlanning *work, const Shape *want, const Shape *now,
			 const TranslatedSchema *made)
{
	WorldTable *table = world_add(work, now, &made->maps[0]);

	for (int i = 0; i < made->base.entry_count; i++)
	{
		const DdlEntry *entry = &made->base.entries[i];

		planning_step(
			work,
			entry->section == DDL_PRE_DATA ? DDL_STEP_BEFORE : DDL_STEP_AFTER,
			entry->sql, entry->probe != NULL ? entry->probe : "", &table, 1);
	}
	tight_later(work, table, want);
	tell_decisions(&made->base.decisions);
	return !work->by_hand || actual_prove(work, table);
}

bool
ddl_create(DdlPlanning *work, const DdlTable *announced)
{
	const Shape *want = loose(work, announced);
	TranslatedSchema made;

	/* left out by a pattern, or unlogged until now */
	if (announced->was_there && !work->by_hand)
		return planning_refuse(work,
							   "table %s.%s was not migrated before, and the "
							   "rows that it has are not in the stream",
							   want->schema, want->name);
	if (want->root_oid != 0)
	{
		const WorldTable *root = world_find(work, want->root_oid);

		return root != NULL
				   ? create_partition(work, announced->want, root)
				   : planning_refuse(work,
									 "table %s.%s is a partition of %s, which "
									 "is not on the target",
									 want->schema, want->name, want->root);
	}
	translate_one(work, ddl_schema_table(work, want), &made);
	if (made.map_count == 0)
		return planning_refuse(work, "table %s.%s cannot be translated",
							   want->schema, want->name);
	if (!work->by_hand && !name_is_free(work, &made.maps[0]))
		return false;
	if (!announced->told)
		log_warning("table %s.%s is created because rows of it came: its "
					"defaults, indexes and constraints other than a primary "
					"key are not known",
					want->schema, want->name);
	return create_steps(work, announced->want, want, &made);
}

/* ---- NOT NULL, once the rows are there */

static void
put_tight(DdlPlanning *work, const ActualTable *actual, WorldTable *table,
		  uint16_t num, Buffer *actions)
{
	ColumnMap *map = (ColumnMap *) table_map_number(&table->map, num);
	ShapeColumn *column = (ShapeColumn *) shape_column(&table->shape, num);
	const ColumnMap *was = table->origin != NULL
							   ? table_map_number(table->origin, num)
							   : NULL;
	const ActualColumn *there = was != NULL ? actual_column(actual, was->target)
											: NULL;
	DdlColumn now;

	if (map == NULL || column == NULL)
		return;
	ddl_column(work, &table->shape, column, true, &now);
	buffer_puts(actions,
				actions->len > 0 ? ", MODIFY COLUMN " : "MODIFY COLUMN ");
	my_quote_ident(actions, map->target);
	/* a new one has the default that was told, another one what it has there */
	if (there != NULL)
		buffer_printf(actions, " %s NOT NULL%s%s", now.type, there->tail,
					  now.check);
	else
		buffer_printf(actions, " %s", now.definition);
	map->not_null = true;
	column->not_null = true;
}

static bool
tighten_table(DdlPlanning *work, WorldTable *table, int first)
{
	int count;
	WorldTable **sharers = world_sharers(work, table, &count);
	ActualTable actual = { 0 };
	Buffer actions;
	Buffer sql;

	if (table->origin != NULL && !actual_read(work, table->origin, &actual))
		return false;
	buffer_init(&actions);
	buffer_init(&sql);
	for (int i = first; i < work->tight_count; i++)
	{
		if (work->tight[i].table != table)
			continue;
		put_tight(work, &actual, table, work->tight[i].num, &actions);
		work->tight[i].table = NULL;
	}
	buffer_puts(&sql, "ALTER TABLE ");
	my_quote_table(&sql, table->map.database, table->map.table);
	buffer_printf(&sql, " %s", actions.data);
	if (actions.len > 0)
		planning_step(work, DDL_STEP_AFTER, sql.data, "", sharers, count);
	buffer_release(&actions);
	buffer_release(&sql);
	return true;
}

bool
ddl_tighten(DdlPlanning *work)
{
	for (int i = 0; i < work->tight_count; i++)
	{
		WorldTable *table = work->tight[i].table;

		if (table != NULL && !table->gone && !tighten_table(work, table, i))
			return false;
	}
	return true;
}
