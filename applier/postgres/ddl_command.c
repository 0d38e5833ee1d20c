/*
 * ddl_command.c
 *		A command of the source is run again on the target.
 *
 * It runs in the session that it ran in, as far as that decides what it means:
 * search_path and the settings that texts depend on.  Afterwards the session is
 * ours again, what the command has changed is known, and the target's catalog
 * agrees with what the source said.
 */
#include <ctype.h>
#include <string.h>

#include "postgres/ddl_replay.h"

static bool
set_one(DdlWork *work, const char *name, const char *value)
{
	const char *params[] = { name, value };

	return pg_exec_params(work->conn, work->err,
						  "SELECT set_config($1, $2, true)", 2, params);
}

/*
 * What a function's body mentions may not be migrated.  The command may read
 * whole tables, which the stream does not.
 */
static bool
session_set(DdlWork *work, const DdlEvent *event)
{
	bool ok = set_one(work, "check_function_bodies", "off") &&
			  set_one(work, "enable_seqscan", "on") &&
			  set_one(work, "enable_bitmapscan", "on") &&
			  (event->search_path == NULL ||
			   set_one(work, "search_path", event->search_path));

	for (int i = 0; ok && i < event->setting_count; i++)
		ok = set_one(work, event->settings[i].name, event->settings[i].value);
	return ok;
}

/* The values of our connection are the defaults of the session. */
static bool
session_reset(DdlWork *work, const DdlEvent *event)
{
	bool ok = ddl_work_exec(work, "SET LOCAL search_path TO DEFAULT") &&
			  ddl_work_exec(work,
							"SET LOCAL check_function_bodies TO DEFAULT") &&
			  set_one(work, "enable_seqscan", "off") &&
			  set_one(work, "enable_bitmapscan", "off");

	for (int i = 0; ok && i < event->setting_count; i++)
		ok = ddl_work_exec(work, "SET LOCAL %s TO DEFAULT",
						   ddl_ident(work, event->settings[i].name));
	return ok;
}

/*
 * The text of CREATE SCHEMA may name a role that is not here, and everything
 * belongs to ours anyway.
 */
static bool
run_text(DdlWork *work, const DdlEvent *event)
{
	if (strcmp(event->tag, "CREATE SCHEMA") == 0 && event->object_count == 1 &&
		event->kind == DDL_END)
		return ddl_work_exec(work, "CREATE SCHEMA IF NOT EXISTS %s",
							 event->objects[0].identity);
	return pg_exec_params(work->conn, work->err, event->command, 0, NULL);
}

/* The command has reached the partitions and children of its table. */
static bool
follow_children(DdlWork *work, const ShapeEntry *entry, const Shape *had)
{
	ShapeDiff diff;
	bool ok = true;

	if (had == NULL)
		return true;
	shape_diff(had, &entry->shape, true, &work->arena, &diff);
	for (int i = 0; ok && i < diff.count; i++)
		ok = shape_map_follow(work->shapes, work->conn, entry->target_oid,
							  entry->shape.oid, &diff.steps[i], work->err);
	return ok;
}

static bool
accept_table(DdlWork *work, const Shape *had, const Shape *now)
{
	ShapeEntry *entry = shape_map_put(work->shapes, work->conn, now, work->err);

	/* its copy is later: its columns need not be these any more */
	if (entry != NULL && entry->copied.oid != 0)
		return true;
	return entry != NULL && shape_prove(work, entry->target_oid, now) &&
		   fast_defaults_match(work, had, now, entry->target_oid) &&
		   follow_children(work, entry, had);
}

/* What was known of the event's tables; a column_count of -1: nothing. */
static Shape *
shapes_before(DdlWork *work, const DdlEvent *event)
{
	Shape *had = ARENA_ARRAY(&work->arena, Shape, (size_t) event->table_count);

	for (int i = 0; i < event->table_count; i++)
	{
		const ShapeEntry *entry = shape_map_find(work->shapes,
												 event->tables[i].oid);

		had[i].column_count = -1;
		if (entry != NULL)
			shape_copy(&entry->shape, &work->arena, &had[i]);
	}
	return had;
}

static bool
accept_tables(DdlWork *work, const DdlEvent *event, const Shape *had)
{
	for (int i = 0; i < event->table_count; i++)
	{
		if (table_is_selected(work, &event->tables[i]) &&
			!accept_table(work, had[i].column_count >= 0 ? &had[i] : NULL,
						  &event->tables[i]))
			return false;
	}
	return true;
}

bool
views_forget(DdlWork *work, const DdlEvent *drop)
{
	for (int i = 0;
		 drop != NULL && drop->kind == DDL_DROP && i < drop->object_count; i++)
	{
		const DdlObject *object = &drop->objects[i];
		const char *params[] = { work->stream, object->schema, object->name,
								 object->identity };

		if (strcmp(object->type, "materialized view") == 0 &&
			!pg_exec_params(work->conn, work->err,
							"DELETE FROM portage.ddl WHERE stream = $1"
							" AND type = 'MATERIALIZED VIEW DATA'"
							" AND object_schema = $2"
							" AND object_name IN ($3, $4)",
							4, params))
			return false;
	}
	return true;
}

/* pg_portage finish fills a view that was made on the way once more. */
static bool
note_views(DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		if (strcmp(event->tag, "CREATE MATERIALIZED VIEW") == 0 &&
			strcmp(object->type, "materialized view") == 0 &&
			!defer_add(work, "MATERIALIZED VIEW DATA", object->schema,
					   object->identity, "0",
					   arena_printf(&work->arena,
									"REFRESH MATERIALIZED VIEW %s;",
									object->identity)))
			return false;
	}
	return true;
}

/* May a type have another name, or schema, after it? */
static bool
names_types(const DdlEvent *event)
{
	return strcmp(event->tag, "ALTER TYPE") == 0 ||
		   strcmp(event->tag, "ALTER DOMAIN") == 0 ||
		   strcmp(event->tag, "ALTER SCHEMA") == 0;
}

/*
 * A schema, function, type or view that gets another name: what waits on any
 * table may speak of it.
 */
static bool
alters_others(const DdlEvent *event)
{
	bool others = false;

	for (int i = 0; i < event->object_count; i++)
		others |= event->objects[i].table_oid == 0;
	return others && strncmp(event->tag, "ALTER ", 6) == 0;
}

bool
event_command(DdlWork *work, const DdlEvent *event, const DdlEvent *drop)
{
	const char *tables = event_tables(work, event, drop);
	const Shape *had = shapes_before(work, event);
	Deferral deferral;

	return !error_is_set(work->err) &&
		   defer_open(work, tables, alters_others(event), &deferral) &&
		   session_set(work, event) && run_text(work, event) &&
		   session_reset(work, event) &&
		   shape_map_refresh(work->shapes, work->conn, work->err) &&
		   (!names_types(event) ||
			shape_map_retype(work->shapes, work->conn, work->err)) &&
		   accept_tables(work, event, had) && note_views(work, event) &&
		   views_forget(work, drop) && views_forget(work, event) &&
		   defer_close(work, &deferral);
}

bool
event_accept(DdlWork *work, const DdlEvent *event)
{
	if (!shape_map_refresh(work->shapes, work->conn, work->err) ||
		(names_types(event) &&
		 !shape_map_retype(work->shapes, work->conn, work->err)))
		return false;
	for (int i = 0; i < event->table_count; i++)
	{
		if (table_is_selected(work, &event->tables[i]) &&
			shape_map_put(work->shapes, work->conn, &event->tables[i],
						  work->err) == NULL)
			return false;
	}
	return true;
}
