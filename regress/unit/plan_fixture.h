/*
 * plan_fixture.h
 *		Tables and changes for tests of the planner.
 *
 * Values are written as text; "-" is one that an UPDATE did not touch and the
 * WAL does not repeat, "~" is null.
 */
#ifndef PORTAGE_PLAN_FIXTURE_H
#define PORTAGE_PLAN_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "plan/planner.h"

#define FIXTURE_COLUMNS 4 /* id, which is the key; a; b; big */

typedef struct Fixture
{
	Arena arena;
	Column columns[FIXTURE_COLUMNS];
	Relation relation;
	PlanTable table;
	Txn txn;
} Fixture;

static inline void
fixture_init(Fixture *f, uint32_t id)
{
	static const char *const names[] = { "id", "a", "b", "big" };

	memset(f, 0, sizeof(*f));
	arena_init(&f->arena);
	for (int i = 0; i < FIXTURE_COLUMNS; i++)
	{
		f->columns[i].name = names[i];
		f->columns[i].attnum = (uint16_t) (i + 1);
	}
	f->columns[0].flags = WIRE_COLUMN_KEY;
	f->relation.schema = "public";
	f->relation.name = "t";
	f->relation.kind = 'r';
	f->relation.identity = 'd';
	f->relation.oid = 1000 + id;
	f->relation.column_count = FIXTURE_COLUMNS;
	f->relation.key_count = 1;
	f->relation.columns = f->columns;
	f->table.id = id;
	f->table.relation = &f->relation;
	f->table.keyed = true;
	f->table.exact = true;
	f->txn.xid = 700;
	f->txn.commit_lsn = 0x1000;
}

static inline void
fixture_release(Fixture *f)
{
	arena_release(&f->arena);
}

static inline Value
fixture_value(Arena *arena, const char *text)
{
	Value value = { .state = WIRE_COL_PRESENT };

	if (text == NULL)
		value.state = WIRE_COL_ABSENT;
	else if (strcmp(text, "-") == 0)
		value.state = WIRE_COL_UNCHANGED;
	else if (strcmp(text, "~") == 0)
		value.state = WIRE_COL_NULL;
	else
	{
		value.data = arena_strdup(arena, text);
		value.len = (uint32_t) strlen(text);
	}
	return value;
}

static inline const Value *
fixture_row(Arena *arena, const char *id, const char *a, const char *b,
			const char *big)
{
	Value *row = ARENA_ARRAY(arena, Value, FIXTURE_COLUMNS);

	row[0] = fixture_value(arena, id);
	row[1] = fixture_value(arena, a);
	row[2] = fixture_value(arena, b);
	row[3] = fixture_value(arena, big);
	return row;
}

static inline Change *
fixture_change(Fixture *f, ChangeKind kind, WireOldKind old_kind,
			   const Value *old_values, const Value *new_values)
{
	Change *change = ARENA_NEW(&f->arena, Change);

	change->kind = kind;
	change->relation = &f->relation;
	change->old_kind = old_kind;
	change->old_values = old_values;
	change->new_values = new_values;
	return change;
}

static inline Change *
fixture_insert(Fixture *f, const char *id, const char *a, const char *b,
			   const char *big)
{
	return fixture_change(f, CHANGE_INSERT, WIRE_OLD_NONE, NULL,
						  fixture_row(&f->arena, id, a, b, big));
}

static inline Change *
fixture_update(Fixture *f, const char *id, const char *a, const char *b,
			   const char *big)
{
	return fixture_change(f, CHANGE_UPDATE, WIRE_OLD_NONE, NULL,
						  fixture_row(&f->arena, id, a, b, big));
}

/* The WAL says the old key, too. */
static inline Change *
fixture_rekey(Fixture *f, const char *old, const char *id, const char *a,
			  const char *b, const char *big)
{
	return fixture_change(f, CHANGE_UPDATE, WIRE_OLD_KEY,
						  fixture_row(&f->arena, old, NULL, NULL, NULL),
						  fixture_row(&f->arena, id, a, b, big));
}

static inline Change *
fixture_delete(Fixture *f, const char *id)
{
	return fixture_change(f, CHANGE_DELETE, WIRE_OLD_KEY,
						  fixture_row(&f->arena, id, NULL, NULL, NULL), NULL);
}

static inline Change *
fixture_put(Fixture *f, const char *id, const char *a, const char *b,
			const char *big)
{
	return fixture_change(f, CHANGE_PUT, WIRE_OLD_NONE, NULL,
						  fixture_row(&f->arena, id, a, b, big));
}

static inline Change *
fixture_maybe_delete(Fixture *f, const char *id)
{
	return fixture_change(f, CHANGE_MAYBE_DELETE, WIRE_OLD_KEY,
						  fixture_row(&f->arena, id, NULL, NULL, NULL), NULL);
}

#endif /* PORTAGE_PLAN_FIXTURE_H */
