/*
 * ddl_relevance.c
 *		Is a command of the source about anything that is migrated?
 *
 * Without patterns and rules everything is, except what belongs to extensions,
 * which the triggers leave out.  With them, what stands on a table counts as the
 * table does, and what stands on none (functions, types) is carried: a table
 * may need it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres/ddl_replay.h"
#include "selection.h"

static bool
has_patterns(const DdlWork *work)
{
	const TargetConfig *config = work->self->base.config;

	return config->tables[0] != '\0' || config->exclude_tables[0] != '\0' ||
		   config->ruled;
}

bool
table_is_selected(const DdlWork *work, const Shape *shape)
{
	const TargetConfig *config = work->self->base.config;
	const ShapeEntry *root = shape->root_oid != 0
								 ? shape_map_find(work->shapes, shape->root_oid)
								 : NULL;

	return selection_has(config->tables, config->exclude_tables, shape->schema,
						 shape->name, root != NULL ? root->shape.schema : "",
						 root != NULL ? root->shape.name : "");
}

static const Shape *
event_table(const DdlEvent *event, uint32_t oid)
{
	for (int i = 0; i < event->table_count; i++)
	{
		if (event->tables[i].oid == oid)
			return &event->tables[i];
	}
	return NULL;
}

static bool
object_is_relevant(const DdlWork *work, const DdlEvent *event,
				   const DdlObject *object)
{
	const Shape *table = event_table(event, object->table_oid);

	if (object->table_oid == 0)
		return true;
	if (table != NULL)
		return table_is_selected(work, table);
	return !has_patterns(work) ||
		   shape_map_find(work->shapes, object->table_oid) != NULL;
}

/* CREATE EXTENSION where the target has it: nothing is left to do. */
static bool
extension_is_there(DdlWork *work, const DdlObject *object)
{
	const char *params[] = { object->identity };
	bool there = false;

	return strcmp(object->type, "extension") == 0 &&
		   pg_exec_expect(work->conn, work->err,
						  "SELECT FROM pg_extension"
						  " WHERE format('%I', extname) = $1",
						  1, params, 1, &there) &&
		   there;
}

bool
event_is_relevant(DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		if (object_is_relevant(work, event, object) &&
			!(strcmp(event->tag, "CREATE EXTENSION") == 0 &&
			  extension_is_there(work, object)))
			return !error_is_set(work->err);
	}
	return false;
}

uint32_t
table_of_identity(DdlWork *work, const char *identity)
{
	const char *params[] = { work->stream, identity };
	PGresult *res = pg_query_params(
		work->conn, work->err,
		"SELECT table_oid FROM portage.relation, format(' on %I.%I',"
		" table_schema, table_name) AS t WHERE stream = $1"
		" AND right($2, length(t)) = t",
		2, params);
	uint32_t oid = 0;

	if (res != NULL && PQntuples(res) > 0)
		oid = (uint32_t) pg_value_int(res, 0, 0);
	PQclear(res);
	return oid;
}

/* Is there a relation of this name on the target? */
static bool
relation_is_there(DdlWork *work, const char *identity)
{
	const char *params[] = { identity };
	bool there = false;

	return pg_exec_expect(work->conn, work->err,
						  "SELECT WHERE to_regclass($1) IS NOT NULL", 1, params,
						  1, &there) &&
		   there;
}

static bool
type_is_one_of(const DdlObject *object, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (strcmp(object->type, types[i]) == 0)
			return true;
	}
	return false;
}

bool
dropped_is_relevant(DdlWork *work, const DdlObject *object)
{
	static const char *const on_table[] = { "trigger", "rule", "policy",
											"table constraint" };
	static const char *const relations[] = { "index", "view", "sequence",
											 "materialized view",
											 "foreign table" };

	if (object->table_oid != 0)
		return shape_map_find(work->shapes, object->table_oid) != NULL;
	if (!has_patterns(work))
		return true;
	if (type_is_one_of(object, on_table, 4))
		return table_of_identity(work, object->identity) != 0;
	return !type_is_one_of(object, relations, 5) ||
		   relation_is_there(work, object->identity);
}

bool
drop_is_relevant(DdlWork *work, const DdlEvent *event, bool *all)
{
	bool any = false;

	for (int i = 0; i < event->object_count; i++)
	{
		bool relevant;

		if (!event->objects[i].original)
			continue;
		relevant = dropped_is_relevant(work, &event->objects[i]);
		if (error_is_set(work->err))
			return false;
		any = any || relevant;
		if (!relevant && all != NULL)
			*all = false;
	}
	return any;
}

static void
put_oid(Buffer *out, uint32_t oid)
{
	if (oid != 0)
		buffer_printf(out, "%s%" PRIu32, out->len > 1 ? "," : "", oid);
}

static void
put_objects(DdlWork *work, const DdlEvent *event, Buffer *out)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		put_oid(out, object->table_oid);
		if (event->kind == DDL_DROP && object->table_oid == 0)
			put_oid(out, table_of_identity(work, object->identity));
	}
}

const char *
event_tables(DdlWork *work, const DdlEvent *event, const DdlEvent *drop)
{
	Buffer oids;
	const char *text;

	buffer_init(&oids);
	buffer_putc(&oids, '{');
	put_objects(work, event, &oids);
	for (int i = 0; i < event->table_count; i++)
		put_oid(&oids, event->tables[i].oid);
	if (drop != NULL)
		put_objects(work, drop, &oids);
	buffer_putc(&oids, '}');
	text = arena_strdup(&work->arena, oids.data);
	buffer_release(&oids);
	return text;
}
