/*
 * kept.c
 *		See kept.h.
 */
#include "kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* pg_type.dat; it never changes */
#define TEXT_OID 25

static const char *const column_names[KEPT_COLUMNS] = {
	[KEPT_STREAM] = "stream",	  [KEPT_AREA] = "area",
	[KEPT_KEY_HASH] = "key_hash", [KEPT_KEY] = "key",
	[KEPT_BODY] = "body",
};

static bool
is_key(int column)
{
	return column <= KEPT_KEY_HASH;
}

const Relation *
kept_relation_new(void)
{
	Relation *relation = relation_new();
	Column *columns = ARENA_ARRAY(&relation->arena, Column, KEPT_COLUMNS);

	for (int i = 0; i < KEPT_COLUMNS; i++)
	{
		columns[i].name = column_names[i];
		columns[i].type_schema = columns[i].base_schema = "pg_catalog";
		columns[i].type_name = columns[i].base_name = "text";
		columns[i].type_oid = columns[i].base_type_oid = TEXT_OID;
		columns[i].typmod = -1;
		columns[i].attnum = (uint16_t) (i + 1);
		columns[i].category = 'S';
		columns[i].flags = is_key(i) ? WIRE_COLUMN_KEY | WIRE_COLUMN_NOT_NULL
									 : WIRE_COLUMN_NOT_NULL;
	}
	relation->schema = "portage";
	relation->name = "kept";
	relation->root_schema = relation->root_name = "";
	relation->kind = 'r';
	relation->identity = 'd';
	relation->internal = true;
	relation->columns = columns;
	relation->column_count = KEPT_COLUMNS;
	relation->key_count = KEPT_KEY_HASH + 1;
	return relation;
}

void
kept_hash(Slice key, char hash[KEPT_HASH_SIZE])
{
	XXH128_hash_t sum = XXH3_128bits(key.data, key.len);

	snprintf(hash, KEPT_HASH_SIZE, "%016" PRIx64 "%016" PRIx64,
			 (uint64_t) sum.high64, (uint64_t) sum.low64);
}

static Value
value_of(Arena *arena, Slice text)
{
	return (Value){ .data = arena_strndup(arena, text.data, text.len),
					.len = (uint32_t) text.len,
					.state = WIRE_COL_PRESENT };
}

Change
kept_change(ChangeKind kind, const Relation *relation, const char *stream,
			const KeptRow *row, Arena *arena)
{
	bool deletes = kind == CHANGE_DELETE || kind == CHANGE_MAYBE_DELETE;
	Value *values = ARENA_ARRAY(arena, Value, KEPT_COLUMNS);
	Change change = { .kind = kind, .relation = relation };

	values[KEPT_STREAM] = value_of(arena, slice_of(stream));
	values[KEPT_AREA] = value_of(arena, slice_of(row->area));
	values[KEPT_KEY_HASH] = value_of(arena, slice_of(row->key_hash));
	change.bytes = (uint32_t) (row->key.len + row->body.len);
	if (deletes)
	{
		values[KEPT_KEY].state = WIRE_COL_ABSENT;
		values[KEPT_BODY].state = WIRE_COL_ABSENT;
		change.old_kind = WIRE_OLD_KEY;
		change.old_values = values;
		return change;
	}
	values[KEPT_KEY] = value_of(arena, row->key);
	values[KEPT_BODY] = value_of(arena, row->body);
	change.new_values = values;
	return change;
}
