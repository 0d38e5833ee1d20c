/*
 * truncate_sql.c
 *		See truncate_sql.h.
 */
#include "mysql/truncate_sql.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/ddl_refuse.h"
#include "plan/row_error.h"

/* One TRUNCATE, and what of it is done. */
typedef struct Truncating
{
	const TruncateWork *work;
	const Txn *txn;
	const Change *change;
	Error *err;
} Truncating;

static ChangeVerdict
verdict_of(const Truncating *t, const Relation *relation)
{
	const ChangeFilter *filter = t->work->filter;

	return filter->verdict(filter, t->txn, t->change, relation);
}

static bool
put_delete(const Truncating *t, const TableMap *map)
{
	Buffer *sql = &t->work->packet->sql;

	buffer_puts(sql, "DELETE FROM ");
	my_quote_table(sql, map->database, map->table);
	return packet_add(t->work->packet, t->txn, t->change, PROOF_NONE, t->err);
}

static bool
refuse(const Truncating *t, const Relation *relation, const char *reason)
{
	char statement[160];

	if (t->work->ddl_done == t->txn->commit_lsn)
		return true;
	snprintf(statement, sizeof(statement), "TRUNCATE %s.%s", relation->schema,
			 relation->name);
	return ddl_refuse(t->err, t->txn, "TRUNCATE", statement, "%s", reason);
}

/* ---- a table in pieces of different snapshots */

static bool
put_bound(const Truncating *t, const RowTable *table, int column,
		  const char *comparison, const char *bound)
{
	Buffer *sql = &t->work->packet->sql;
	Value value = { bound, (uint32_t) strlen(bound), WIRE_COL_PRESENT };

	buffer_append(sql, table->columns[column].name.data,
				  table->columns[column].name.len);
	buffer_puts(sql, comparison);
	return row_literal(t->work->rows, table, column, &value, VALUE_COMPARED,
					   sql, t->err) ||
		   row_error(t->err, t->txn, t->change);
}

/* The rows of one chunk: as the copy has split the table. */
static bool
put_range(const Truncating *t, const RowTable *table, int column,
		  const Chunk *chunk)
{
	Buffer *sql = &t->work->packet->sql;

	buffer_puts(sql, "DELETE FROM ");
	buffer_append(sql, table->name.data, table->name.len);
	if (chunk->low != NULL || chunk->high != NULL)
		buffer_puts(sql, " WHERE ");
	if (chunk->low != NULL && !put_bound(t, table, column, " >= ", chunk->low))
		return false;
	if (chunk->low != NULL && chunk->high != NULL)
		buffer_puts(sql, " AND ");
	if (chunk->high != NULL && !put_bound(t, table, column, " < ", chunk->high))
		return false;
	return packet_add(t->work->packet, t->txn, t->change, PROOF_NONE, t->err);
}

static int
column_named(const Relation *relation, const char *name)
{
	for (int i = 0; name != NULL && i < relation->column_count; i++)
	{
		if (strcmp(relation->columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

static bool
put_ranges(const Truncating *t, const RowTable *table)
{
	const ChangeFilter *filter = t->work->filter;
	const Relation *relation = table->relation;
	const Chunk *chunk;
	bool ok = true;

	for (int i = 0;
		 ok && (chunk = filter->emptied(filter, t->txn, relation, i)) != NULL;
		 i++)
	{
		int column = chunk->kind == CHUNK_KEYS
						 ? column_named(relation, chunk->key)
						 : -1;

		/* without a range a chunk is the whole table, or says nothing here */
		if (column < 0 && chunk->kind != CHUNK_WHOLE)
			return refuse(t, relation,
						  "some of its rows were copied after it, and which is "
						  "not known any more");
		ok = put_range(t, table, column, chunk);
	}
	return ok;
}

static bool
put_partly(const Truncating *t, const Relation *relation, const MapEntry *entry)
{
	RowTable table;
	Arena arena;
	bool ok;

	arena_init(&arena);
	ok = row_table_init(&table, relation, &entry->map, &arena, t->err) &&
		 put_ranges(t, &table);
	arena_release(&arena);
	return ok;
}

/* ---- partitions, which are one table */

static const Relation *
truncated_relation(const Truncating *t, uint32_t oid)
{
	for (int i = 0; i < t->change->truncated_count; i++)
	{
		if (t->change->truncated[i]->oid == oid)
			return t->change->truncated[i];
	}
	return NULL;
}

/* Is it the first in the list of those in this table? */
static bool
is_first_of_table(const Truncating *t, const MapEntry *entry)
{
	for (int i = 0; i < t->change->truncated_count; i++)
	{
		const Relation *relation = t->change->truncated[i];
		const MapEntry *other = relation->kind == 'r'
									? map_table_find(t->work->maps,
													 relation->oid)
									: NULL;

		if (other != NULL && other->shape.root_oid == entry->shape.root_oid &&
			verdict_of(t, relation) != VERDICT_SKIP)
			return other == entry;
	}
	return false;
}

/* Is every partition of the table emptied as a whole, and at this moment? */
static bool
is_all_of_table(const Truncating *t, const MapEntry *entry)
{
	for (int i = 0; i < t->work->maps->count; i++)
	{
		const MapEntry *other = &t->work->maps->entries[i];
		const Relation *relation;

		if (other->shape.kind != 'r' || other->map.table == NULL ||
			other->shape.root_oid != entry->shape.root_oid)
			continue;
		relation = truncated_relation(t, other->shape.oid);
		if (relation == NULL || verdict_of(t, relation) != VERDICT_APPLY)
			return false;
	}
	return true;
}

static bool
put_partition(const Truncating *t, const Relation *relation,
			  const MapEntry *entry)
{
	if (!is_first_of_table(t, entry))
		return true;
	if (!is_all_of_table(t, entry))
		return refuse(t, relation,
					  "its rows share a table of the target with those of "
					  "other partitions, which stay");
	return put_delete(t, &entry->map);
}

static bool
put_table(const Truncating *t, const Relation *relation)
{
	ChangeVerdict verdict = verdict_of(t, relation);
	const MapEntry *entry;

	if (relation->kind != 'r' || verdict == VERDICT_SKIP)
		return true;
	entry = map_table_find(t->work->maps, relation->oid);
	BUG_UNLESS(entry != NULL);
	if (entry->map.partition)
		return put_partition(t, relation, entry);
	if (verdict == VERDICT_PARTLY)
		return put_partly(t, relation, entry);
	return put_delete(t, &entry->map);
}

bool
truncate_put(const TruncateWork *work, const Txn *txn, const Change *change,
			 Error *err)
{
	Truncating t = { work, txn, change, err };

	for (int i = 0; i < change->truncated_count; i++)
	{
		if (!put_table(&t, change->truncated[i]))
			return false;
	}
	return true;
}
