/*
 * ddl_enum.c
 *		ALTER TYPE ... ADD VALUE: every ENUM of that type gets the label.
 */
#include <string.h>
#include <strings.h>

#include "mysql/ddl_alter.h"
#include "schema/sql_scan.h"

typedef struct LabelChange
{
	const char *label;
	const char *neighbour; /* NULL: at the end */
	bool before;
} LabelChange;

/* A string at p, without its quotes; NULL if there is none. */
static const char *
read_string(const DdlPlanning *work, const char **p)
{
	const char *end;
	Buffer text;
	const char *copy;

	while (**p == ' ' || **p == '\n' || **p == '\t')
		(*p)++;
	if (**p != '\'')
		return NULL;
	end = sql_skip_token(*p);
	buffer_init(&text);
	for (const char *c = *p + 1; c < end - 1; c++)
	{
		buffer_putc(&text, *c);
		if (*c == '\'')
			c++;
	}
	copy = arena_strdup(work->arena, text.data);
	buffer_release(&text);
	*p = end;
	return copy;
}

/* Behind the word, which stands there after spaces; else NULL. */
static const char *
skip_word(const char *p, const char *word)
{
	while (*p == ' ' || *p == '\n' || *p == '\t')
		p++;
	return strncasecmp(p, word, strlen(word)) == 0 ? p + strlen(word) : NULL;
}

/* ALTER TYPE t ADD VALUE [IF NOT EXISTS] 'label' [BEFORE | AFTER 'other'] */
static bool
parse_add_value(const DdlPlanning *work, const char *command,
				LabelChange *change)
{
	const char *p = NULL;
	const char *next;

	for (const char *q = command; *q != '\0' && p == NULL;
		 q = sql_skip_token(q))
	{
		next = skip_word(q, "add");
		p = next != NULL ? skip_word(next, "value") : NULL;
	}
	if (p == NULL)
		return false;
	next = skip_word(p, "if");
	next = next != NULL ? skip_word(next, "not") : NULL;
	next = next != NULL ? skip_word(next, "exists") : NULL;
	if (next != NULL)
		p = next;
	memset(change, 0, sizeof(*change));
	change->label = read_string(work, &p);
	next = skip_word(p, "before");
	change->before = next != NULL;
	if (next == NULL)
		next = skip_word(p, "after");
	if (next != NULL)
		change->neighbour = read_string(work, &next);
	return change->label != NULL;
}

static void
insert_label(const DdlPlanning *work, const ColumnMap *map,
			 const LabelChange *change, SchemaType *type)
{
	int at = map->label_count;
	const char **labels = ARENA_ARRAY(work->arena, const char *,
									  (size_t) map->label_count + 2);

	for (int i = 0; change->neighbour != NULL && i < map->label_count; i++)
	{
		if (strcmp(map->labels[i], change->neighbour) == 0)
			at = change->before ? i : i + 1;
	}
	for (int i = 0; i < at; i++)
		labels[i] = map->labels[i];
	labels[at] = change->label;
	for (int i = at; i < map->label_count; i++)
		labels[i + 1] = map->labels[i];
	memset(type, 0, sizeof(*type));
	type->typmod = -1;
	type->kind = 'e';
	type->category = 'E';
	type->labels = labels;
	type->label_count = map->label_count + 1;
}

/* 'a','it''s': as the catalog shows the type. */
static void
read_labels(const DdlPlanning *work, const char *type, ColumnMap *map)
{
	const char *p = strchr(type, '\'');

	map->labels = ARENA_ARRAY(work->arena, const char *, strlen(type) / 2 + 1);
	map->label_count = 0;
	while (p != NULL)
	{
		map->labels[map->label_count++] = read_string(work, &p);
		p = strchr(p, '\'');
	}
}

/* A column is another one for all that share it; numbers are their own. */
static void
share_column(DdlPlanning *work, WorldTable **sharers, int count,
			 const ColumnMap *now)
{
	for (int i = 0; i < count; i++)
	{
		ColumnMap *own;
		uint16_t num;

		alter_map_own(work, &sharers[i]->map, 0);
		own = alter_map_target(&sharers[i]->map, now->target);
		if (own == NULL)
			continue;
		num = own->num;
		*own = *now;
		own->num = num;
	}
}

/* The labels were changed by hand: the column is as it is there now. */
static bool
take_labels(DdlPlanning *work, WorldTable *table, const ColumnMap *map)
{
	const ActualColumn *there;
	ActualTable actual;
	ColumnMap now = *map;
	int count;
	WorldTable **sharers = world_sharers(work, table, &count);

	if (!actual_read(work, &table->map, &actual))
		return false;
	there = actual_column(&actual, map->target);
	if (there == NULL || strncasecmp(there->type, "enum(", 5) != 0)
		return planning_refuse(work,
							   "column \"%s\" of table %s is no enum on the "
							   "target",
							   map->target, table->map.table);
	now.type = there->type;
	read_labels(work, there->type, &now);
	share_column(work, sharers, count, &now);
	for (int i = 0; i < count; i++)
		planning_note(work, sharers[i]);
	return true;
}

static bool
has_label(const ColumnMap *map, const char *label)
{
	for (int i = 0; i < map->label_count; i++)
	{
		if (strcmp(map->labels[i], label) == 0)
			return true;
	}
	return false;
}

/* "schema.name", quoted or not, of a type */
static bool
is_of_type(const DdlObject *object, const ShapeColumn *column)
{
	size_t len = strlen(object->identity);
	size_t name = strlen(column->type_name);
	const char *end = object->identity + len;

	if (len > 0 && end[-1] == '"')
		end--;
	return strcmp(object->schema, column->type_schema) == 0 &&
		   (size_t) (end - object->identity) > name &&
		   strncmp(end - name, column->type_name, name) == 0 &&
		   (end[-(long) name - 1] == '.' || end[-(long) name - 1] == '"');
}

static bool
add_label(DdlPlanning *work, WorldTable *table, const ShapeColumn *column,
		  ColumnMap *map, const LabelChange *change)
{
	ShapeColumn as = *column;
	SchemaType *type = ARENA_NEW(work->arena, SchemaType);
	ActualTable actual;
	const ActualColumn *there;
	DdlColumn now;
	int count;
	WorldTable **sharers;
	Buffer sql;

	insert_label(work, map, change, type);
	type->base_schema = column->type_schema;
	type->base_name = column->type_name;
	as.type = type;
	ddl_column(work, &table->shape, &as, map->not_null, &now);
	if (!actual_read(work, table->origin, &actual))
		return false;
	there = actual_column(&actual, map->target);
	buffer_init(&sql);
	buffer_puts(&sql, "ALTER TABLE ");
	my_quote_table(&sql, table->map.database, table->map.table);
	buffer_puts(&sql, " MODIFY COLUMN ");
	my_quote_ident(&sql, map->target);
	buffer_printf(&sql, " %s%s%s", now.type, map->not_null ? " NOT NULL" : "",
				  there != NULL ? there->tail : "");
	sharers = world_sharers(work, table, &count);
	now.map.num = map->num;
	now.map.name = map->name;
	now.map.target = map->target;
	now.map.not_null = map->not_null;
	share_column(work, sharers, count, &now.map);
	planning_step(work, DDL_STEP_BEFORE, sql.data, "", sharers, count);
	buffer_release(&sql);
	return true;
}

/* Every ENUM of that type; a column of text holds any label. */
static bool
alter_enum(DdlPlanning *work, const DdlOther *other)
{
	for (int i = 0; i < work->world.count; i++)
	{
		WorldTable *table = work->world.tables[i];

		for (int k = 0; !table->gone && k < table->shape.column_count; k++)
		{
			const ShapeColumn *column = &table->shape.columns[k];
			ColumnMap *map = (ColumnMap *) table_map_column(&table->map,
															column->name);
			LabelChange change;

			if (map == NULL || map->convert != CONVERT_ENUM ||
				!is_of_type(other->object, column))
				continue;
			if (work->by_hand)
			{
				if (!take_labels(work, table, map))
					return false;
				continue;
			}
			if (other->event->command == NULL ||
				!parse_add_value(work, other->event->command, &change))
				return planning_refuse(work,
									   "the labels of type %s, which column "
									   "\"%s\" of table %s.%s has, may be "
									   "others",
									   other->object->identity, column->name,
									   table->shape.schema, table->shape.name);
			if (!has_label(map, change.label) &&
				!add_label(work, table, column, map, &change))
				return false;
		}
	}
	return true;
}

/* RENAME TO and the like leave the labels alone. */
static bool
changes_labels(const DdlEvent *event)
{
	if (event->command == NULL)
		return true;
	for (const char *p = event->command; *p != '\0'; p = sql_skip_token(p))
	{
		if (skip_word(p, "value") != NULL)
			return true;
	}
	return false;
}

bool
ddl_enum(DdlPlanning *work, const DdlOther *other)
{
	return strcmp(other->event->tag, "ALTER TYPE") != 0 ||
		   !changes_labels(other->event) || alter_enum(work, other);
}
