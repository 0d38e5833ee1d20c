/*
 * ddl_describe.c
 *		A command whose text is not known, from what it has made and dropped.
 *
 * A function or a DO block has run it, or its rows are in the stream already
 * (CREATE TABLE AS).  Columns and names can be compared; what else a command
 * has done is not in its message, and then the stream stops.
 */
#include <stdio.h>
#include <string.h>

#include "postgres/ddl_replay.h"

bool
event_creates_filled(const DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->table_count; i++)
	{
		const ShapeEntry *entry = shape_map_find(work->shapes,
												 event->tables[i].oid);

		if (entry != NULL && entry->from_rows)
			return true;
	}
	return event->as;
}

/* A collation is not in a relation record. */
static bool
fill_collations(DdlWork *work, const Shape *want)
{
	for (int i = 0; i < want->column_count; i++)
	{
		const ShapeColumn *column = &want->columns[i];
		const char *type;

		if (column->collation == NULL)
			continue;
		type = shape_type_sql(work, column);
		if (type == NULL ||
			!ddl_work_exec(work, "ALTER TABLE %s ALTER COLUMN %s TYPE %s",
						   ddl_table(work, want->schema, want->name),
						   ddl_ident(work, column->name), type))
			return false;
	}
	return true;
}

bool
event_fill(DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->table_count; i++)
	{
		const Shape *want = &event->tables[i];
		ShapeEntry *entry = shape_map_find(work->shapes, want->oid);

		if (!table_is_selected(work, want))
			continue;
		if (entry == NULL && !shape_create(work, want))
			return false;
		if (entry == NULL)
			continue;
		entry->from_rows = false;
		if (!shape_prove(work, entry->target_oid, want) ||
			!fill_collations(work, want) ||
			shape_map_put(work->shapes, work->conn, want, work->err) == NULL)
			return false;
	}
	return true;
}

/* Nothing but tables and columns can be seen by comparison. */
static bool
is_about_columns(const DdlEvent *event, const DdlEvent *drop)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const char *type = event->objects[i].type;

		if (strcmp(type, "table") != 0 && strcmp(type, "table column") != 0)
			return false;
	}
	for (int i = 0; drop != NULL && i < drop->object_count; i++)
	{
		const char *type = drop->objects[i].type;

		if (drop->objects[i].original && strcmp(type, "table column") != 0)
			return false;
	}
	return event->object_count > 0;
}

static bool
describe_table(DdlWork *work, const Shape *want, bool current, int *steps)
{
	ShapeEntry *entry = shape_map_find(work->shapes, want->oid);
	ShapeDiff diff;

	if (entry == NULL)
	{
		(*steps)++;
		return want->kind == 'r'
				   ? shape_create(work, want)
				   : ddl_work_refuse(work,
									 "table %s.%s is partitioned, and by what "
									 "is not in the stream",
									 want->schema, want->name);
	}
	shape_diff(&entry->shape, want, current, &work->arena, &diff);
	*steps += diff.count;
	if (diff.refusal != NULL)
		return ddl_work_refuse(work, "%s", diff.refusal);
	return shape_change(work, entry, want, &diff);
}

bool
event_describe(DdlWork *work, const DdlEvent *event, const DdlEvent *drop,
			   bool current)
{
	Deferral deferral;
	int steps = 0;

	if (!is_about_columns(event, drop))
		return ddl_work_refuse(work,
							   "its text is not in the stream: a function or a "
							   "DO block has run it");
	if (!defer_open(work, event_tables(work, event, drop), false, &deferral))
		return false;
	for (int i = 0; i < event->table_count; i++)
	{
		if (table_is_selected(work, &event->tables[i]) &&
			!describe_table(work, &event->tables[i], current, &steps))
			return false;
	}
	if (steps == 0)
		return ddl_work_refuse(work,
							   "its text is not in the stream, and no column "
							   "shows what it has done");
	return defer_close(work, &deferral);
}

/* Does it take others with it than what is part of it? */
static bool
drops_others(const DdlEvent *event)
{
	static const char *const parts[] = { "type",	 "index",	"default value",
										 "sequence", "trigger", "toast table" };

	for (int i = 0; i < event->object_count; i++)
	{
		bool part = event->objects[i].original;

		for (size_t k = 0; !part && k < sizeof(parts) / sizeof(parts[0]); k++)
			part = strcmp(event->objects[i].type, parts[k]) == 0;
		if (!part)
			return true;
	}
	return false;
}

/* "name on schema.table" in two: identities are quoted as SQL wants them. */
static bool
drop_constraint(DdlWork *work, const char *identity)
{
	const char *on = NULL;

	for (const char *p = strstr(identity, " on "); p != NULL;
		 p = strstr(p + 1, " on "))
		on = p;
	if (on == NULL)
		return ddl_work_refuse(work, "\"%s\" is no constraint", identity);
	return ddl_work_exec(work, "ALTER TABLE %s DROP CONSTRAINT %.*s", on + 4,
						 (int) (on - identity), identity);
}

static bool
drop_object(DdlWork *work, const DdlObject *object, bool cascade)
{
	if (strcmp(object->type, "table constraint") == 0)
		return drop_constraint(work, object->identity);
	return ddl_work_exec(work, "DROP %s %s%s", object->type, object->identity,
						 cascade ? " CASCADE" : "");
}

bool
drop_describe(DdlWork *work, const DdlEvent *event)
{
	bool cascade = drops_others(event);
	Deferral deferral;

	if (!defer_open(work, event_tables(work, event, NULL), false, &deferral))
		return false;
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		if (object->original && dropped_is_relevant(work, object) &&
			!drop_object(work, object, cascade))
			return false;
	}
	return !error_is_set(work->err) &&
		   shape_map_refresh(work->shapes, work->conn, work->err) &&
		   views_forget(work, event) && defer_close(work, &deferral);
}

bool
drop_accept(DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		if (strcmp(object->type, "table") == 0 &&
			!shape_map_forget(work->shapes, work->conn, object->table_oid,
							  work->err))
			return false;
	}
	return shape_map_refresh(work->shapes, work->conn, work->err);
}
