/*
 * ddl_other.c
 *		What commands have done to other things than tables and columns: plain
 *		indexes and labels of enums are carried, the rest is told of.
 */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "mysql/ddl_plan.h"
#include "schema/sql_scan.h"

/* so much of a text goes into an index that is not unique */
#define PREFIX_CHARS 255

static const char *
tag_of(const DdlOther *other)
{
	return other->event->tag;
}

static void
not_carried(const DdlOther *other, const char *why)
{
	log_warning("%s: %s %s is not carried: %s", tag_of(other),
				other->object->type, other->object->identity, why);
}

static void
put_table(Buffer *sql, const TableMap *map)
{
	buffer_puts(sql, "ALTER TABLE ");
	my_quote_table(sql, map->database, map->table);
}

/* ---- indexes that are dropped */

/* " on schema.table", quoted or not */
static bool
stands_on(const char *identity, const WorldTable *table)
{
	const char *on = NULL;
	Buffer plain;
	bool same;

	for (const char *p = strstr(identity, " on "); p != NULL;
		 p = strstr(p + 1, " on "))
		on = p + 4;
	if (on == NULL)
		return false;
	buffer_init(&plain);
	for (; *on != '\0'; on++)
	{
		if (*on != '"')
			buffer_putc(&plain, *on);
	}
	same = strncmp(plain.data, table->shape.schema,
				   strlen(table->shape.schema)) == 0 &&
		   plain.data[strlen(table->shape.schema)] == '.' &&
		   strcmp(plain.data + strlen(table->shape.schema) + 1,
				  table->shape.name) == 0;
	buffer_release(&plain);
	return same;
}

/* A constraint has its name in "name on schema.table" only. */
static const char *
name_of(const DdlPlanning *work, const DdlObject *object)
{
	const char *end = NULL;
	const char *name;
	Buffer plain;

	if (object->name[0] != '\0')
		return object->name;
	for (const char *p = strstr(object->identity, " on "); p != NULL;
		 p = strstr(p + 1, " on "))
		end = p;
	if (end == NULL)
		return object->identity;
	buffer_init(&plain);
	for (const char *p = object->identity; p < end; p++)
	{
		/* a quote in a name is doubled */
		if (*p != '"' || (p > object->identity && p[-1] == '"'))
			buffer_putc(&plain, *p);
	}
	name = arena_strndup(work->arena, plain.data, plain.len);
	buffer_release(&plain);
	return name;
}

static bool
is_of_table(const DdlObject *object, const WorldTable *table)
{
	if (table->gone || table->map.partition || table->origin == NULL)
		return false;
	if (strcmp(object->type, "index") == 0)
		return strcmp(object->schema, table->shape.schema) == 0;
	return stands_on(object->identity, table);
}

/* The table whose index on the target has that name, if there is one. */
static bool
find_index(DdlPlanning *work, const DdlObject *object, WorldTable **found)
{
	*found = NULL;
	for (int i = 0; i < work->world.count; i++)
	{
		WorldTable *table = work->world.tables[i];
		ActualTable actual;

		if (!is_of_table(object, table))
			continue;
		if (!actual_read(work, table->origin, &actual))
			return false;
		if (actual_index(&actual, name_of(work, object)) == NULL)
			continue;
		*found = table;
		return true;
	}
	return true;
}

/* It is no index: a foreign key, a CHECK, or something that is not there. */
static bool
drop_constraint(DdlPlanning *work, const DdlOther *other)
{
	bool found = false;

	for (int i = 0; !found && i < work->world.count; i++)
	{
		WorldTable *table = work->world.tables[i];

		if (strcmp(other->object->type, "table constraint") == 0 &&
			is_of_table(other->object, table) &&
			!rules_drop_named(work, table, name_of(work, other->object),
							  &found))
			return false;
	}
	if (!found)
		not_carried(other, "the target has nothing of this name");
	return true;
}

static bool
drop_index(DdlPlanning *work, const DdlOther *other)
{
	const DdlObject *object = other->object;
	const char *name = name_of(work, object);
	WorldTable *table;
	Buffer sql;
	Buffer before;
	Buffer after;

	if (!find_index(work, object, &table))
		return false;
	if (table == NULL)
		return drop_constraint(work, other);
	buffer_init(&sql);
	buffer_init(&before);
	buffer_init(&after);
	put_table(&sql, &table->map);
	buffer_puts(&sql, " DROP INDEX ");
	my_quote_ident(&sql, name);
	probe_index(&before, &table->map, name, true);
	probe_index(&after, &table->map, name, false);
	planning_step(work, DDL_STEP_BEFORE, sql.data,
				  ddl_probe(work, &before, &after), &table, 1);
	buffer_release(&sql);
	buffer_release(&before);
	buffer_release(&after);
	return true;
}

bool
ddl_drop_others(DdlPlanning *work)
{
	for (int i = 0; i < work->gather->other_count; i++)
	{
		const DdlOther *other = &work->gather->others[i];
		const char *type = other->object->type;
		DdlTable *about = ARENA_NEW(work->arena, DdlTable);
		bool ok = true;

		about->tag = tag_of(other);
		about->statement = other->event->command != NULL
							   ? other->event->command
							   : other->object->identity;
		work->about = about;
		if (other->event->kind == DDL_DROP &&
			(strcmp(type, "index") == 0 ||
			 strcmp(type, "table constraint") == 0))
			ok = drop_index(work, other);
		else if (other->event->kind == DDL_END && strcmp(type, "type") == 0)
			ok = ddl_enum(work, other);
		if (!ok)
			return false;
		work->about = NULL;
	}
	return true;
}

/* ---- indexes that are new */

static bool
is_blob(const ColumnMap *map)
{
	return strstr(map->type, "text") != NULL ||
		   strstr(map->type, "blob") != NULL ||
		   strncasecmp(map->type, "json", 4) == 0;
}

/* Why the index cannot be carried; NULL if it can. */
static const char *
put_columns(const DdlIndex *index, const WorldTable *table, Buffer *sql)
{
	if (!index->plain)
		return "it is more than a B-tree of columns";
	for (int i = 0; i < index->count; i++)
	{
		const ColumnMap *map = table_map_number(&table->map, index->nums[i]);

		if (map == NULL)
			return "one of its columns is not on the target";
		if (i > 0)
			buffer_puts(sql, ", ");
		my_quote_ident(sql, map->target);
		if (is_blob(map) &&
			(index->unique || strncasecmp(map->type, "json", 4) == 0))
			return "a unique index of the target holds no text without a "
				   "limit, and no index holds JSON";
		if (is_blob(map))
			buffer_printf(sql, "(%d)", PREFIX_CHARS);
	}
	return NULL;
}

static void
put_index_step(DdlPlanning *work, const DdlIndex *index, WorldTable *table,
			   const char *columns)
{
	const char *name = index->primary ? "PRIMARY" : index->name;
	Buffer sql;
	Buffer before;
	Buffer after;

	buffer_init(&sql);
	buffer_init(&before);
	buffer_init(&after);
	put_table(&sql, &table->map);
	if (index->primary)
		buffer_puts(&sql, " ADD PRIMARY KEY");
	else
	{
		buffer_puts(&sql, index->unique ? " ADD UNIQUE INDEX " : " ADD INDEX ");
		my_quote_ident(&sql, name);
	}
	buffer_printf(&sql, " (%s)", columns);
	probe_index(&before, &table->map, name, false);
	probe_index(&after, &table->map, name, true);
	planning_step(work, DDL_STEP_AFTER, sql.data,
				  ddl_probe(work, &before, &after), &table, 1);
	buffer_release(&sql);
	buffer_release(&before);
	buffer_release(&after);
}

static void
add_index(DdlPlanning *work, const DdlOther *other)
{
	const DdlIndex *index = other->object->index;
	WorldTable *table = world_find(work, other->object->table_oid);
	const char *why;
	Buffer columns;

	/* one of a partition comes with that of the root; of a new table with it */
	if (table == NULL || table->map.partition ||
		(table->origin == NULL && index->primary))
		return;
	buffer_init(&columns);
	why = put_columns(index, table, &columns);
	if (why != NULL)
		not_carried(other, why);
	else if (!work->by_hand)
		put_index_step(work, index, table, columns.data);
	buffer_release(&columns);
}

/* ---- the rest */

static bool
has_index(const DdlEvent *event)
{
	for (int i = 0; i < event->object_count; i++)
	{
		if (event->objects[i].index != NULL)
			return true;
	}
	return false;
}

/* What goes with its table, means nothing here, or was carried. */
static bool
is_silent(const DdlPlanning *work, const DdlOther *other)
{
	static const char *const types[] = { "schema",	  "type",
										 "index",	  "default value",
										 "extension", "table column" };
	const DdlObject *object = other->object;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(object->type, types[i]) == 0)
			return true;
	}
	if (strcmp(object->type, "sequence") == 0 && object->table_oid != 0)
		return true;
	if (strcmp(object->type, "table") == 0 && has_index(other->event))
		return true;
	return (object->table_oid != 0 &&
			world_find(work, object->table_oid) == NULL) ||
		   (other->event->kind == DDL_DROP &&
			strcmp(object->type, "table constraint") == 0);
}

bool
ddl_add_others(DdlPlanning *work)
{
	for (int i = 0; i < work->gather->other_count; i++)
	{
		const DdlOther *other = &work->gather->others[i];

		if (other->object->index != NULL)
			add_index(work, other);
		else if (is_silent(work, other))
			continue;
		else if (strcmp(other->object->type, "table") == 0)
			log_warning("%s has changed nothing of table %s that is carried: "
						"%s",
						tag_of(other), other->object->identity,
						other->event->command != NULL ? other->event->command
													  : "its text is unknown");
		else
			not_carried(other, "the target is of another kind");
	}
	return true;
}
