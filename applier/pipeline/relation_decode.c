/*
 * relation_decode.c
 *		See relation_decode.h.  Nothing of a relation points into its frame, which
 *		it outlives.
 */
#include "pipeline/relation_decode.h"

char *
wire_copy(Arena *arena, WireSlice s)
{
	return arena_strndup(arena, (const char *) s.data, s.len);
}

static void
decode_columns(Relation *relation, const WireRelation *wire, WireReader *r)
{
	Column *columns;
	WireColumn col;
	int i;

	/* a column takes at least 19 bytes, so this is bounded by the frame */
	if (!wire_reader_need(r, (size_t) wire->ncolumns * 19))
		return;
	columns = ARENA_ARRAY(&relation->arena, Column, wire->ncolumns);
	for (i = 0; i < wire->ncolumns && !r->failed; i++)
	{
		wire_get_column(r, &col);
		columns[i].name = wire_copy(&relation->arena, col.name);
		columns[i].type_schema = wire_copy(&relation->arena, col.type_schema);
		columns[i].type_name = wire_copy(&relation->arena, col.type_name);
		columns[i].base_schema = columns[i].type_schema;
		columns[i].base_name = columns[i].type_name;
		if (col.base_type != col.type)
		{
			columns[i].base_schema = wire_copy(&relation->arena,
											   col.base_schema);
			columns[i].base_name = wire_copy(&relation->arena, col.base_name);
		}
		columns[i].type_oid = col.type;
		columns[i].base_type_oid = col.base_type;
		columns[i].typmod = col.typmod;
		columns[i].attnum = col.attnum;
		columns[i].category = col.category;
		columns[i].flags = col.flags;
		if ((col.flags & WIRE_COLUMN_MISSING) != 0)
		{
			columns[i].missing.data = wire_copy(&relation->arena, col.missing);
			columns[i].missing.len = col.missing.len;
		}
		if ((col.flags & WIRE_COLUMN_KEY) != 0)
			relation->key_count++;
	}
	relation->columns = columns;
	relation->column_count = wire->ncolumns;
}

Relation *
relation_decode(WireReader *r)
{
	WireRelation wire;
	Relation *relation;

	wire_get_relation(r, &wire);
	if (r->failed)
		return NULL;
	relation = relation_new();
	relation->oid = wire.relid;
	relation->root_oid = wire.root;
	relation->storage = wire.storage;
	relation->schema = wire_copy(&relation->arena, wire.schema);
	relation->name = wire_copy(&relation->arena, wire.name);
	relation->root_schema = wire_copy(&relation->arena, wire.root_schema);
	relation->root_name = wire_copy(&relation->arena, wire.root_name);
	relation->kind = (char) wire.relkind;
	relation->identity = (char) wire.identity;
	decode_columns(relation, &wire, r);
	if (wire_reader_done(r))
		return relation;
	relation_release(relation);
	return NULL;
}
