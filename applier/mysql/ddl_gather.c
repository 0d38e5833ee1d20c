/*
 * ddl_gather.c
 *		See ddl_gather.h.
 */
#include "mysql/ddl_gather.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "schema/sql_scan.h"

/* One event being looked at. */
typedef struct Gathering
{
	DdlGather *gather;
	const ChangeFilter *filter;
	const MapTable *maps;
	const Txn *txn;
	DdlTable *last; /* rows of one table often follow each other */
	uint64_t last_serial;
	Error *err;
} Gathering;

bool
ddl_gather_init(DdlGather *gather, const char *encoding, Error *err)
{
	memset(gather, 0, sizeof(*gather));
	arena_init(&gather->arena);
	return text_decoder_open(encoding, &gather->decoder, err);
}

void
ddl_gather_release(DdlGather *gather)
{
	arena_release(&gather->arena);
	mem_free(gather->tables);
	mem_free(gather->others);
	mem_free(gather->rewritten);
	text_decoder_close(gather->decoder);
	memset(gather, 0, sizeof(*gather));
	arena_init(&gather->arena);
}

ChangeVerdict
ddl_verdict(const ChangeFilter *filter, const Txn *txn, uint32_t oid)
{
	Change all = { .kind = CHANGE_TRUNCATE };
	Relation probe = { .oid = oid };

	return filter->verdict(filter, txn, &all, &probe);
}

const MapEntry *
ddl_entry(const MapTable *maps, uint32_t oid)
{
	const MapEntry *entry = map_table_find(maps, oid);

	return entry != NULL && entry->map.table != NULL ? entry : NULL;
}

DdlTable *
ddl_gather_find(const DdlGather *gather, uint32_t oid)
{
	for (int i = 0; i < gather->table_count; i++)
	{
		if (gather->tables[i]->oid == oid)
			return gather->tables[i];
	}
	return NULL;
}

static DdlTable *
table_of(DdlGather *gather, uint32_t oid)
{
	DdlTable *table = ddl_gather_find(gather, oid);

	if (table != NULL)
		return table;
	gather->tables = mem_room(gather->tables, gather->table_count,
							  &gather->table_capacity, sizeof(*gather->tables));
	table = ARENA_NEW(&gather->arena, DdlTable);
	table->oid = oid;
	table->tag = "a change of a table";
	table->statement = "";
	gather->tables[gather->table_count++] = table;
	return table;
}

static void
add_other(DdlGather *gather, const DdlEvent *event, const DdlObject *object)
{
	gather->others = mem_room(gather->others, gather->other_count,
							  &gather->other_capacity, sizeof(*gather->others));
	gather->others[gather->other_count++] = (DdlOther){ event, object };
}

/* ---- names, which are UTF-8 on the target whatever the source's encoding is */

static bool
decode(const Gathering *g, const char **text)
{
	Buffer scratch;
	Slice out;
	bool ok;

	if (g->gather->decoder == NULL || *text == NULL)
		return true;
	buffer_init(&scratch);
	ok = text_decode(g->gather->decoder, slice_of(*text), &scratch, &out,
					 g->err);
	if (ok)
		*text = arena_strndup(&g->gather->arena, out.data, out.len);
	buffer_release(&scratch);
	return ok;
}

static bool
decode_type(const Gathering *g, const SchemaType **type)
{
	SchemaType *copy;
	const char **labels;

	if (g->gather->decoder == NULL || *type == NULL)
		return true;
	copy = ARENA_NEW(&g->gather->arena, SchemaType);
	*copy = **type;
	labels = ARENA_ARRAY(&g->gather->arena, const char *,
						 (size_t) copy->label_count + 1);
	for (int i = 0; i < copy->label_count; i++)
	{
		labels[i] = copy->labels[i];
		if (!decode(g, &labels[i]))
			return false;
	}
	copy->labels = labels;
	*type = copy;
	return decode(g, &copy->base_schema) && decode(g, &copy->base_name) &&
		   decode(g, &copy->element_schema) && decode(g, &copy->element_name);
}

/* What older rows have stays as it is: it is decoded with the rows. */
static bool
decode_shape(const Gathering *g, Shape *shape)
{
	if (!decode(g, &shape->schema) || !decode(g, &shape->name) ||
		!decode(g, &shape->root))
		return false;
	for (int i = 0; i < shape->column_count; i++)
	{
		ShapeColumn *column = &shape->columns[i];

		if (!decode(g, &column->name) || !decode(g, &column->type_schema) ||
			!decode(g, &column->type_name) ||
			!decode(g, &column->default_sql) || !decode_type(g, &column->type))
			return false;
	}
	return true;
}

/* ---- announcements */

/* An announced relation says what is below domains, but no labels. */
static const SchemaType *
type_of_column(const Column *column, Arena *arena)
{
	SchemaType *type = ARENA_NEW(arena, SchemaType);
	const char *name = arena_strdup(arena, column->base_name);

	type->base_schema = arena_strdup(arena, column->base_schema);
	type->base_name = name;
	type->base_oid = column->base_type_oid;
	type->oid = column->type_oid;
	type->typmod = column->typmod;
	type->category = (char) column->category;
	type->kind = column->category == 'E'   ? 'e'
				 : column->category == 'R' ? 'r'
				 : column->category == 'C' ? 'c'
										   : 'b';
	if (column->category == 'A' && name[0] == '_')
	{
		type->element_schema = type->base_schema;
		type->element_name = name + 1;
		type->element_kind = 'b';
	}
	return type;
}

static Shape *
shape_announced(const Gathering *g, const Relation *relation)
{
	Arena *arena = &g->gather->arena;
	Shape *copy = ARENA_NEW(arena, Shape);
	Shape shape;

	/* the relation goes with its frame */
	shape_of_relation(relation, arena, &shape);
	shape_copy(&shape, arena, copy);
	for (int i = 0; i < copy->column_count; i++)
		copy->columns[i].type = type_of_column(&relation->columns[i], arena);
	return copy;
}

/* Does a row's announcement repeat what a command has said of the column? */
static bool
repeats(const ShapeColumn *said, const ShapeColumn *now)
{
	return said != NULL && strcmp(said->name, now->name) == 0 &&
		   shape_same_type(said, now);
}

/* What only commands tell, and no relation. */
static void
keep_told(const Shape *said, Shape *now)
{
	for (int i = 0; i < now->column_count; i++)
	{
		ShapeColumn *column = &now->columns[i];
		const ShapeColumn *before = shape_column(said, column->num);

		if (!repeats(before, column))
			continue;
		column->default_sql = before->default_sql;
		column->collation = before->collation;
		if (before->type != NULL)
			column->type = before->type;
		/* rows written anew have their own; the first announcement knows it */
		if (column->missing == NULL)
			column->missing = before->missing;
	}
}

static bool
same_but_nulls(const Shape *have, const Shape *now)
{
	return shape_same_table(have, now) && have->root_oid == now->root_oid;
}

/* NOT NULL as well, which shape_same_table() does not look at. */
static bool
same_shape(const Shape *have, const Shape *now)
{
	bool same = same_but_nulls(have, now);

	for (int i = 0; same && i < now->column_count; i++)
		same = have->columns[i].not_null == now->columns[i].not_null;
	return same;
}

/* *changed: it is another one than was known before. */
static bool
announce(Gathering *g, DdlTable *table, Shape *now, bool told, bool *changed)
{
	const MapEntry *entry = ddl_entry(g->maps, now->oid);
	const Shape *before = table->want != NULL ? table->want
						  : entry != NULL	  ? map_entry_shape(entry)
											  : NULL;

	if (!decode_shape(g, now))
		return false;
	*changed = before == NULL || !same_shape(before, now);
	table->changed |= *changed;
	if (entry != NULL && same_but_nulls(map_entry_shape(entry), now))
		table->noted = true;
	else
		table->beyond = table->noted;
	if (table->first == NULL)
		table->first = now;
	if (table->want != NULL && !told)
	{
		keep_told(table->want, now);
		table->told = table->told && shape_same_table(table->want, now);
	}
	else
		table->told = told;
	table->want = now;
	return true;
}

static bool
see_relation(Gathering *g, const Change *change, const Relation *relation)
{
	DdlTable *table;
	bool changed;

	if (relation->serial == g->last_serial && g->last != NULL)
		return true;
	if (g->filter->verdict(g->filter, g->txn, change, relation) == VERDICT_SKIP)
		return true;
	table = table_of(g->gather, relation->oid);
	table->rows = true;
	if (table->serial != relation->serial)
	{
		table->serial = relation->serial;
		if (!announce(g, table, shape_announced(g, relation), false, &changed))
			return false;
	}
	g->last = table;
	g->last_serial = relation->serial;
	return true;
}

static bool
see_change(Gathering *g, const Change *change)
{
	if (change->kind != CHANGE_TRUNCATE)
		return see_relation(g, change, change->relation);
	for (int i = 0; i < change->truncated_count; i++)
	{
		if (change->truncated[i]->kind == 'r' &&
			!see_relation(g, change, change->truncated[i]))
			return false;
	}
	return true;
}

/* ---- commands */

static void
note_rewrite(DdlGather *gather, const DdlEvent *event)
{
	gather->rewritten = mem_room(gather->rewritten, gather->rewritten_count,
								 &gather->rewritten_capacity,
								 sizeof(*gather->rewritten));
	gather->rewritten[gather->rewritten_count++] = event->rewritten_oid;
	gather->rewrite_volatile |= event->rewrite_volatile;
}

/* Has the text the word USING? */
static bool
has_using(const char *command)
{
	const char *end;

	for (const char *p = command; *p != '\0'; p = end)
	{
		end = sql_skip_token(p);
		if (end - p == 5 && strncasecmp(p, "using", 5) == 0)
			return true;
	}
	return false;
}

static void
end_rewrites(Gathering *g, const DdlEvent *event)
{
	DdlGather *gather = g->gather;

	for (int i = 0; i < gather->rewritten_count; i++)
	{
		DdlTable *table = table_of(gather, gather->rewritten[i]);

		if (ddl_verdict(g->filter, g->txn, table->oid) == VERDICT_SKIP)
			continue;
		table->rewritten = true;
		table->unpredictable |= gather->rewrite_volatile;
		table->tag = event->tag;
		table->statement = event->command != NULL ? event->command : event->tag;
		/* without the text it cannot be told */
		if (event->command == NULL || has_using(event->command))
			table->using = table->statement;
	}
	gather->rewritten_count = 0;
	gather->rewrite_volatile = false;
}

/* The tables of the command; *changed: one of them is another than before. */
static bool
see_tables(Gathering *g, const DdlEvent *event, bool *changed)
{
	*changed = false;
	for (int i = 0; i < event->table_count; i++)
	{
		Shape *now = &event->tables[i];
		DdlTable *table;
		bool this_one;

		if (ddl_verdict(g->filter, g->txn, now->oid) == VERDICT_SKIP ||
			(now->unlogged && ddl_entry(g->maps, now->oid) == NULL))
			continue;
		table = table_of(g->gather, now->oid);
		table->tag = event->tag;
		table->statement = event->command != NULL ? event->command : event->tag;
		if (table->first == NULL)
			table->was_there = strncmp(event->tag, "ALTER ", 6) == 0;
		if (!announce(g, table, now, true, &this_one))
			return false;
		*changed |= this_one || table->rewritten;
	}
	return true;
}

static bool
see_end(Gathering *g, const DdlEvent *event)
{
	bool changed;

	end_rewrites(g, event);
	if (!see_tables(g, event, &changed))
		return false;
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];

		if (strcmp(object->type, "table") != 0 || !changed)
			add_other(g->gather, event, object);
	}
	return true;
}

static void
see_drop(Gathering *g, const DdlEvent *event)
{
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];
		DdlTable *table;

		if (strcmp(object->type, "table") != 0)
		{
			if (object->original)
				add_other(g->gather, event, object);
			continue;
		}
		if (ddl_verdict(g->filter, g->txn, object->oid) == VERDICT_SKIP)
			continue;
		table = table_of(g->gather, object->oid);
		table->dropped = true;
		table->tag = event->tag;
		table->statement = event->command != NULL ? event->command
												  : object->identity;
	}
}

static bool
see_message(Gathering *g, const Message *message)
{
	DdlEvent *event = ARENA_NEW(&g->gather->arena, DdlEvent);

	if (!ddl_event_parse(message, &g->gather->arena, event, g->err))
		return false;
	if (!decode(g, &event->command))
		return false;
	switch (event->kind)
	{
		case DDL_REWRITE:
			note_rewrite(g->gather, event);
			return true;
		case DDL_DROP:
			see_drop(g, event);
			return true;
		case DDL_END:
			return see_end(g, event);
	}
	return true;
}

bool
ddl_gather_piece(DdlGather *gather, const Batch *batch,
				 const ChangeFilter *filter, const MapTable *maps, Error *err)
{
	Gathering g = { gather, filter, maps, NULL, NULL, 0, err };

	for (int i = 0; i < batch->span_count; i++)
	{
		const BatchSpan *span = &batch->spans[i];

		g.txn = span->txn;
		for (int k = 0; k < span->count; k++)
		{
			const Event *event = &span->events[k];

			if (event->kind == EVENT_CHANGE
					? !see_change(&g, &event->change)
					: event->kind == EVENT_MESSAGE &&
						  !see_message(&g, &event->message))
				return false;
		}
	}
	return true;
}
