/*
 * dump_select.c
 *		See dump_select.h.
 *
 * An entry's fate is found by going over all entries until nothing changes any
 * more: dumps are nearly in the order of their dependencies, so that takes two
 * or three rounds.
 */
#include "postgres/dump_select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUR_SCHEMA "portage"
#define OUR_EXTENSION "pg_portage"

typedef struct Fate
{
	const char *reason; /* NULL: it stays */
	bool dropped;		/* what depends on it goes too */
	bool needed;		/* a carried table needs it */
	bool indirect;		/* what it depends on is dropped */
	bool joined;		/* a comment that went into another entry */
	bool changed;		/* rules make something else of it */
	bool comes;			/* it numbers a column of what rules make */
} Fate;

typedef struct Selection
{
	DumpCatalog *catalog;
	DumpEntry *entries;
	int count;
	Fate *fates;
	int *by_id; /* dump number to index, or -1 */
	int max_id;
	Arena *arena;
} Selection;

static int
compare_tables(const void *left, const void *right)
{
	const DumpTable *a = left;
	const DumpTable *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

static int
compare_owners(const void *left, const void *right)
{
	const DumpOwner *a = left;
	const DumpOwner *b = right;

	if (a->class_oid != b->class_oid)
		return a->class_oid < b->class_oid ? -1 : 1;
	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

static DumpTable *
table_find(const DumpCatalog *catalog, uint32_t oid)
{
	DumpTable key = { .oid = oid };

	if (oid == 0 || catalog->table_count == 0)
		return NULL;
	return bsearch(&key, catalog->tables, (size_t) catalog->table_count,
				   sizeof(DumpTable), compare_tables);
}

/* The table that an entry is or belongs to, or 0. */
static uint32_t
table_of(const DumpCatalog *catalog, const DumpEntry *entry)
{
	DumpOwner key = { .class_oid = entry->class_oid, .oid = entry->oid };
	const DumpOwner *found;

	if (strcmp(entry->type, "TABLE") == 0 ||
		strcmp(entry->type, "ROW SECURITY") == 0 ||
		strcmp(entry->type, "MATERIALIZED VIEW DATA") == 0)
		return entry->oid;
	if (entry->oid == 0 || catalog->owner_count == 0)
		return 0;
	found = bsearch(&key, catalog->owners, (size_t) catalog->owner_count,
					sizeof(DumpOwner), compare_owners);
	return found != NULL ? found->table_oid : 0;
}

/* Partitioned tables hold no rows: they go with their partitions. */
static void
select_parents(DumpCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		DumpTable *table = &catalog->tables[i];

		while (table != NULL && table->selected && table->parent != 0)
		{
			table = table_find(catalog, table->parent);
			if (table != NULL)
				table->selected = true;
		}
	}
}

/* Partitions go with what rules change. */
static void
change_partitions(DumpCatalog *catalog)
{
	for (int i = 0; i < catalog->table_count; i++)
	{
		const DumpTable *above = &catalog->tables[i];

		while (above != NULL && above->parent != 0 && !above->changed)
			above = table_find(catalog, above->parent);
		if (above != NULL && above->changed)
			catalog->tables[i].changed = true;
		if (catalog->tables[i].changed)
			catalog->all = false;
	}
}

static bool
type_is(const DumpEntry *entry, const char *type)
{
	return strcmp(entry->type, type) == 0;
}

/* Of a sequence that numbers a column of a table that rules make. */
static bool
is_of_sequence(const DumpCatalog *catalog, const DumpEntry *entry)
{
	size_t len = strlen(entry->schema);

	for (int i = 0; i < catalog->sequence_count; i++)
	{
		const char *name = catalog->sequences[i];

		if (strncmp(name, entry->schema, len) == 0 && name[len] == '.' &&
			strcmp(name + len + 1, entry->name) == 0)
			return true;
	}
	return false;
}

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Is it not for the target, whatever the user has selected? */
static const char *
never_wanted(const DumpEntry *entry, bool *exists_there)
{
	*exists_there = false;
	if (strcmp(entry->schema, OUR_SCHEMA) == 0 ||
		(type_is(entry, "SCHEMA") && strcmp(entry->name, OUR_SCHEMA) == 0) ||
		(type_is(entry, "EXTENSION") &&
		 strcmp(entry->name, OUR_EXTENSION) == 0))
		return "it is a part of pg_portage";
	if (type_is(entry, "EVENT TRIGGER"))
		return "event triggers need a superuser";
	if (starts_with(entry->type, "PUBLICATION") ||
		starts_with(entry->type, "SUBSCRIPTION"))
		return "publications and subscriptions are not migrated";
	*exists_there = true;
	if (type_is(entry, "SCHEMA") && strcmp(entry->name, "public") == 0)
		return "every database has it";
	if (type_is(entry, "COMMENT") &&
		(strcmp(entry->name, "SCHEMA public") == 0 ||
		 starts_with(entry->name, "EXTENSION ")))
		return "only the owner of the object may set it";
	return NULL;
}

/* The first of an entry's dependencies that is dropped, or -1. */
static int
dropped_dependency(const Selection *self, const DumpEntry *entry)
{
	for (int d = 0; d < entry->dependency_count; d++)
	{
		int id = entry->dependencies[d];
		int index = id > 0 && id <= self->max_id ? self->by_id[id] : -1;

		if (index >= 0 && self->fates[index].dropped)
			return index;
	}
	return -1;
}

static void
judge_alone(Selection *self, int index)
{
	const DumpEntry *entry = &self->entries[index];
	Fate *fate = &self->fates[index];
	const DumpTable *table;
	bool exists_there;

	fate->reason = never_wanted(entry, &exists_there);
	fate->dropped = fate->reason != NULL && !exists_there;
	if (fate->reason != NULL || self->catalog->all)
		return;
	table = table_find(self->catalog, table_of(self->catalog, entry));
	if ((table != NULL && table->changed) ||
		(type_is(entry, "SEQUENCE OWNED BY") &&
		 is_of_sequence(self->catalog, entry)))
	{
		/* who owns it is said by whoever makes the table */
		fate->comes = type_is(entry, "SEQUENCE") &&
					  is_of_sequence(self->catalog, entry);
		fate->changed = !fate->comes;
		fate->dropped = fate->changed;
		if (fate->changed)
			fate->reason = type_is(entry, "TABLE")
							   ? "the rules make something else of it"
							   : "the rules make something else of its table";
		return;
	}
	if (table == NULL || table->selected)
		return;
	/* one that is needed is created empty, but what is built on it is not */
	fate->dropped = true;
	if (!fate->needed)
		fate->reason = type_is(entry, "TABLE") ? "the table is not selected"
											   : "its table is not selected";
}

/* Mark what the entry needs, itself included. */
static void
mark_needed(Selection *self, int index)
{
	const DumpEntry *entry = &self->entries[index];

	if (self->fates[index].needed)
		return;
	self->fates[index].needed = true;
	for (int d = 0; d < entry->dependency_count; d++)
	{
		int id = entry->dependencies[d];

		if (id > 0 && id <= self->max_id && self->by_id[id] >= 0)
			mark_needed(self, self->by_id[id]);
	}
}

static void
mark_all_needed(Selection *self)
{
	for (int i = 0; i < self->count; i++)
	{
		const DumpEntry *entry = &self->entries[i];
		const DumpTable *table;

		if (!type_is(entry, "TABLE") && !type_is(entry, "DEFAULT"))
			continue;
		table = table_find(self->catalog, table_of(self->catalog, entry));
		if (table != NULL && table->selected && !table->changed)
			mark_needed(self, i);
	}
}

/*
 * What a carried table needs comes; it cannot, if that needs in turn what rules
 * make something else of.
 */
static void
refuse_needs(Selection *self, Findings *left_out)
{
	for (int i = 0; i < self->count; i++)
	{
		const DumpEntry *entry = &self->entries[i];
		int cause;
		char object[256];

		if (!self->fates[i].needed || self->fates[i].reason != NULL)
			continue;
		cause = dropped_dependency(self, entry);
		if (cause < 0 || !self->fates[cause].changed)
			continue;
		snprintf(object, sizeof(object), "%s %s%s%s", entry->type,
				 entry->schema, entry->schema[0] != '\0' ? "." : "",
				 entry->name);
		finding_add(left_out, SEVERITY_ERROR, P_RULE, object,
					"leave that table unchanged by the rules, or this one out",
					"it needs %s %s.%s, of which the rules make something else",
					self->entries[cause].type, self->entries[cause].schema,
					self->entries[cause].name);
	}
}

static bool
judge_by_dependencies(Selection *self)
{
	bool changed = false;

	for (int i = 0; i < self->count; i++)
	{
		Fate *fate = &self->fates[i];
		int cause;

		if (fate->reason != NULL || fate->needed || fate->comes)
			continue;
		cause = dropped_dependency(self, &self->entries[i]);
		if (cause < 0)
			continue;
		fate->dropped = true;
		/* what becomes of a foreign key is said by whoever makes the table */
		fate->indirect = !self->fates[cause].changed ||
						 !type_is(&self->entries[i], "FK CONSTRAINT");
		fate->reason = arena_printf(
			self->arena, "it depends on %s %s%s%s", self->entries[cause].type,
			self->entries[cause].schema,
			self->entries[cause].schema[0] != '\0' ? "." : "",
			self->entries[cause].name);
		changed = true;
	}
	return changed;
}

static void
selection_index(Selection *self)
{
	for (int i = 0; i < self->count; i++)
	{
		if (self->entries[i].id > self->max_id)
			self->max_id = self->entries[i].id;
	}
	self->by_id = ARENA_ARRAY(self->arena, int, (size_t) self->max_id + 1);
	for (int id = 0; id <= self->max_id; id++)
		self->by_id[id] = -1;
	for (int i = 0; i < self->count; i++)
	{
		if (self->entries[i].id > 0)
			self->by_id[self->entries[i].id] = i;
	}
	self->fates = ARENA_ARRAY(self->arena, Fate, (size_t) self->count);
}

/* Would somebody who knows what he has selected still want to be told? */
static bool
tell_aloud(const DumpEntry *entry, const Fate *fate)
{
	if (fate->reason == NULL || type_is(entry, "EVENT TRIGGER"))
		return true;
	if (type_is(entry, "COMMENT"))
		return strcmp(entry->name, "SCHEMA public") == 0;
	return fate->indirect && !type_is(entry, "TABLE ATTACH") &&
		   !type_is(entry, "INDEX ATTACH");
}

static void
tell(const DumpEntry *entry, const Fate *fate, Findings *left_out)
{
	Severity severity = tell_aloud(entry, fate) ? SEVERITY_NOTE : SEVERITY_OK;
	char object[256];

	snprintf(object, sizeof(object), "%s %s%s%s", entry->type, entry->schema,
			 entry->schema[0] != '\0' ? "." : "", entry->name);
	if (fate->reason == NULL)
		finding_add(left_out, severity, 0, object, "",
					"stays empty: a selected table needs it");
	else
		finding_add(left_out, severity, 0, object, "",
					"not created on the target: %s", fate->reason);
}

/*
 * A comment on something that may have to wait (a trigger, a foreign key) must
 * wait with it: it becomes a part of that entry.
 */
static bool
comment_join(Selection *self, int index)
{
	const DumpEntry *comment = &self->entries[index];
	int id = comment->dependency_count > 0 ? comment->dependencies[0] : 0;
	int host = id > 0 && id <= self->max_id ? self->by_id[id] : -1;

	if (comment->section != DDL_POST_DATA || !type_is(comment, "COMMENT") ||
		host < 0 || host >= index || self->fates[host].reason != NULL ||
		self->entries[host].section != DDL_POST_DATA)
		return false;
	self->entries[host].sql = arena_printf(
		self->arena, "%s\n\n%s", self->entries[host].sql, comment->sql);
	return true;
}

/*
 * A superuser may have made a schema on the target, for extensions that nobody
 * else may create there; tables in the way are looked for anyway.
 */
static const char *
statement_of(const Selection *self, const DumpEntry *entry)
{
	static const char create[] = "CREATE SCHEMA ";

	if (!type_is(entry, "SCHEMA") || !starts_with(entry->sql, create))
		return entry->sql;
	return arena_printf(self->arena, "%sIF NOT EXISTS %s", create,
						entry->sql + strlen(create));
}

static void
take_entries(Selection *self, DdlEntry *entries, int *count, Findings *left_out)
{
	*count = 0;
	for (int i = 0; i < self->count; i++)
	{
		const Fate *fate = &self->fates[i];

		if (fate->dropped || fate->reason != NULL)
			tell(&self->entries[i], fate, left_out);
	}
	/* in two rounds: what is joined must be there before it is taken */
	for (int i = 0; i < self->count; i++)
		self->fates[i].joined = self->fates[i].reason == NULL &&
								comment_join(self, i);
	for (int i = 0; i < self->count; i++)
	{
		const DumpEntry *dumped = &self->entries[i];
		DdlEntry *entry = &entries[*count];

		if (self->fates[i].reason != NULL || self->fates[i].joined)
			continue;
		if (type_is(dumped, "USER MAPPING"))
			finding_add(left_out, SEVERITY_NOTE, 0, dumped->name, "",
						"a user mapping is created without options that the "
						"source hides from the role, passwords among them");
		entry->number = ++*count;
		entry->section = dumped->section;
		entry->state = DDL_TODO;
		entry->type = dumped->type;
		entry->schema = dumped->schema;
		entry->name = dumped->name;
		entry->table_oid = table_of(self->catalog, dumped);
		entry->sql = statement_of(self, dumped);
	}
}

void
dump_select(DumpCatalog *catalog, DumpEntry *dumped, int dumped_count,
			Arena *arena, DdlEntry **entries, int *count, Findings *left_out)
{
	Selection self = { .catalog = catalog,
					   .entries = dumped,
					   .count = dumped_count,
					   .arena = arena };

	if (catalog->table_count > 0)
		qsort(catalog->tables, (size_t) catalog->table_count, sizeof(DumpTable),
			  compare_tables);
	if (catalog->owner_count > 0)
		qsort(catalog->owners, (size_t) catalog->owner_count, sizeof(DumpOwner),
			  compare_owners);
	selection_index(&self);
	change_partitions(catalog);
	if (!catalog->all)
	{
		select_parents(catalog);
		mark_all_needed(&self);
	}
	for (int i = 0; i < self.count; i++)
		judge_alone(&self, i);
	while (judge_by_dependencies(&self))
		;
	refuse_needs(&self, left_out);
	*entries = ARENA_ARRAY(arena, DdlEntry, (size_t) self.count);
	take_entries(&self, *entries, count, left_out);
}
