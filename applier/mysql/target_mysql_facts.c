/*
 * target_mysql_facts.c
 *		What planning and writing have to know of tables, by relation.
 *
 * Partitions of one table are one table here, as they are on the target: a row
 * that moves from one to another is a change of that row.  As long as their
 * columns are alike, they have their facts in common.
 */
#include <string.h>

#include "base/mem.h"
#include "mysql/table_facts_mysql.h"

static bool
same_table(const MapEntry *a, const MapEntry *b)
{
	return a->map.partition && b->map.partition &&
		   a->shape.root_oid == b->shape.root_oid;
}

/* The number of its table: that of the first entry which goes there. */
static uint32_t
table_id(const MapTable *maps, const MapEntry *entry)
{
	int i = 0;

	while (&maps->entries[i] != entry && !same_table(&maps->entries[i], entry))
		i++;
	return (uint32_t) i + KEPT_TABLE_ID + 1;
}

/* Are values of both converted alike?  A policy may be one partition's own. */
static bool
same_map(const TableMap *a, const TableMap *b)
{
	bool same = a->column_count == b->column_count;

	for (int i = 0; same && i < a->column_count; i++)
		same = a->columns[i].num == b->columns[i].num &&
			   a->columns[i].convert == b->columns[i].convert &&
			   a->columns[i].policy == b->columns[i].policy &&
			   strcmp(a->columns[i].target, b->columns[i].target) == 0;
	return same;
}

/* What another partition has found out, or NULL. */
static MyTableFacts *
facts_in_common(const MapTable *maps, const MapEntry *entry,
				const Relation *relation)
{
	for (int i = 0; i < maps->count; i++)
	{
		MyTableFacts *facts = maps->entries[i].facts;

		if (facts != NULL && same_table(&maps->entries[i], entry) &&
			same_map(&facts->map, &entry->map) &&
			my_table_facts_suit(facts, relation))
			return facts;
	}
	return NULL;
}

static bool
find_facts(TargetMysql *self, MapEntry *entry, const Relation *relation,
		   Error *err)
{
	bool there;

	entry->facts = facts_in_common(self->maps, entry, relation);
	if (entry->facts != NULL)
		return true;
	entry->facts = my_table_facts_read(self->conn, &entry->map,
									   table_id(self->maps, entry), relation,
									   &there, err);
	if (entry->facts == NULL)
		return !there && !error_is_set(err);
	entry->facts->next = self->facts;
	self->facts = entry->facts;
	return true;
}

/*
 * Only what needs no change is answered; everything else is done, or refused, by
 * apply().  Another storage alone (TRUNCATE, VACUUM FULL) is no change: it is
 * noted, because it matters once columns change.
 */
bool
target_mysql_table_look(Target *target, const Relation *relation,
						const PlanTable **table, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MapEntry *entry;

	*table = NULL;
	if (relation->internal)
		return kept_mysql_look(self, relation, table, err);
	if (!target_mysql_maps(self, err))
		return false;
	entry = map_table_find(self->maps, relation->oid);
	if (entry == NULL || !entry->noted_shape || entry->map.table == NULL ||
		!shape_is_relation(&entry->shape, relation))
		return true;
	if ((entry->facts == NULL ||
		 !my_table_facts_suit(entry->facts, relation)) &&
		!find_facts(self, entry, relation, err))
		return false;
	if (entry->facts != NULL)
		*table = &entry->facts->plan;
	return true;
}

bool
target_mysql_table_noted(Target *target, uint32_t oid, Arena *arena,
						 const char **schema, const char **name, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	const MapEntry *entry;

	*name = NULL;
	if (!target_mysql_maps(self, err))
		return false;
	entry = map_table_find(self->maps, oid);
	if (entry == NULL || !entry->noted_shape)
		return true;
	*schema = arena_strdup(arena, entry->shape.schema);
	*name = arena_strdup(arena, entry->shape.name);
	return true;
}

bool
target_mysql_table_renewed(Target *target, const Relation *relation)
{
	TargetMysql *self = (TargetMysql *) target;
	MapEntry *entry;

	if (relation->internal)
		return false;
	entry = map_table_find(self->maps, relation->oid);
	BUG_UNLESS(entry != NULL);
	if (entry->shape.storage == relation->storage)
		return false;
	entry->shape.storage = relation->storage;
	return true;
}

void
target_mysql_facts_release(TargetMysql *self)
{
	MyTableFacts *facts;

	for (int i = 0; self->maps != NULL && i < self->maps->count; i++)
		self->maps->entries[i].facts = NULL;
	while ((facts = self->facts) != NULL)
	{
		self->facts = facts->next;
		my_table_facts_free(facts);
	}
}
