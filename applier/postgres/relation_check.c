/*
 * relation_check.c
 *		Is the target's table what the relation of a change says?
 *
 * The source announces a relation before its first row, and again after
 * anything that may have changed it.  Where no message of an event trigger has
 * told of the change, the difference to what is known is worked out and carried
 * out before the row is applied.
 */
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "postgres/column_watch.h"
#include "postgres/ddl_work.h"
#include "postgres/table_facts.h"
#include "postgres/target_pg_kept.h"
#include "stream/shape_loss.h"

/* The rows included? */
static bool
shape_is(const Shape *have, const Relation *relation)
{
	return have->storage == relation->storage &&
		   shape_is_relation(have, relation);
}

/* What could not be known: nothing of it is in a relation record. */
static void
tell_created(const Shape *shape)
{
	log_warning(
		"table %s.%s was created because rows of it came: its defaults, "
		"indexes and constraints other than a primary key are not known",
		shape->schema, shape->name);
}

static bool
create_relation(DdlWork *work, const Shape *want)
{
	work->statement = arena_printf(&work->arena, "rows of the new table %s.%s",
								   want->schema, want->name);
	if (!ddl_work_allowed(work) || !shape_create(work, want))
		return false;
	shape_map_find(work->shapes, want->oid)->from_rows = true;
	work->self->some_from_rows = true;
	return FAILPOINT(FP_RELATION_CHANGED, work->err);
}

static void
describe_change(DdlWork *work, const Shape *have, const Shape *want)
{
	work->statement = arena_printf(
		&work->arena, "table %s.%s, known as %s.%s, has other columns or rows",
		want->schema, want->name, have->schema, have->name);
}

static bool
change_steps(DdlWork *work, ShapeEntry *entry, const Shape *want,
			 const ShapeDiff *diff)
{
	const char *oids = arena_printf(&work->arena, "{%u}", want->oid);
	Deferral deferral;

	if (diff->refusal != NULL)
		return ddl_work_refuse(work, "%s", diff->refusal);
	if (!ddl_work_allowed(work) || !defer_open(work, oids, false, &deferral) ||
		!shape_change(work, entry, want, diff) || !defer_close(work, &deferral))
		return false;
	log_info("table %s.%s was changed as its rows of transaction %u say",
			 want->schema, want->name, work->txn->xid);
	return FAILPOINT(FP_RELATION_CHANGED, work->err);
}

/* Columns that came through a parent have been given a value there. */
static bool
change_relation(DdlWork *work, ShapeEntry *entry, const Shape *want)
{
	uint32_t target_oid = entry->target_oid;
	ShapeDiff diff;
	Shape had;
	bool ok;

	describe_change(work, &entry->shape, want);
	shape_copy(&entry->shape, &work->arena, &had);
	shape_diff(&had, want, false, &work->arena, &diff);
	ok = diff.count > 0 || diff.refusal != NULL
			 ? change_steps(work, entry, want, &diff)
			 : shape_map_put(work->shapes, work->conn, want, work->err) != NULL;
	return ok && (target_oid == 0 ||
				  fast_defaults_match(work, &had, want, target_oid));
}

/*
 * Somebody may have altered the table since we stopped, or last looked.  What
 * would change values in silence stops the stream; the rest the server refuses
 * by itself.
 */
static bool
look_at_table(DdlWork *work, ShapeEntry *entry)
{
	const ShapeColumn *loss;
	Shape actual;

	if (entry->seen || entry->target_oid == 0)
		return true;
	if (!column_watch_mark(work, entry) ||
		!shape_actual(work, entry->target_oid, &actual))
		return false;
	loss = shape_loss(&actual, &entry->shape);
	if (loss != NULL)
	{
		work->as_it_is = true;
		return error_set(work->err, P_SCHEMA_DIFFERS,
						 "table %s.%s: column \"%s\" has another type on the "
						 "target than on the source, which would change values "
						 "without an error",
						 entry->shape.schema, entry->shape.name, loss->name);
	}
	entry->seen = true;
	return true;
}

static bool
check_known(DdlWork *work, const Relation *relation)
{
	ShapeEntry *entry = shape_map_find(work->shapes, relation->oid);
	Shape want;
	bool ok;

	/* the copy shows no change that comes here */
	if (entry != NULL &&
		!shape_map_adopt_copied(work->shapes, work->conn, entry, work->err))
		return false;
	if (entry == NULL || !shape_is(&entry->shape, relation))
	{
		shape_of_relation(relation, &work->arena, &want);
		if (ddl_work_is_done(work))
			ok = shape_map_put(work->shapes, work->conn, &want, work->err) !=
				 NULL;
		else
			ok = entry == NULL ? create_relation(work, &want)
							   : change_relation(work, entry, &want);
		if (!ok)
			return false;
		entry = shape_map_find(work->shapes, relation->oid);
	}
	else
		work->only_looked = true;
	return look_at_table(work, entry);
}

static void
retire_facts(TargetPg *self, ShapeEntry *entry)
{
	if (entry->facts == NULL)
		return;
	entry->facts->next = self->retired;
	self->retired = entry->facts;
	entry->facts = NULL;
}

/* Nobody plans or writes: nothing names what was replaced. */
void
target_pg_facts_release(TargetPg *self)
{
	TableFacts *facts;

	while ((facts = self->retired) != NULL)
	{
		self->retired = facts->next;
		table_facts_free(facts);
	}
}

/*
 * Only what needs no change is answered; everything else is done, or refused, in
 * the transaction of the row.  Another storage alone (TRUNCATE, VACUUM FULL) is
 * no change: it is noted, because it matters once columns change.
 */
bool
target_pg_table_look(Target *target, const Relation *relation,
					 const PlanTable **table, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	DdlWork work = { .self = self, .conn = self->conn, .err = err };
	ShapeEntry *entry;
	bool ok;

	*table = NULL;
	if (relation->internal)
		return kept_pg_look(self, relation, table, err);
	if (!target_pg_shapes(self, err))
		return false;
	entry = shape_map_find(self->shapes, relation->oid);
	if (entry == NULL || entry->target_oid == 0 || entry->copied.oid != 0 ||
		!shape_is_relation(&entry->shape, relation))
		return true;
	if (!entry->seen || entry->facts == NULL ||
		!table_facts_suit(entry->facts, relation))
	{
		retire_facts(self, entry);
		work.shapes = self->shapes;
		arena_init(&work.arena);
		ok = look_at_table(&work, entry);
		arena_release(&work.arena);
		if (!ok && err->code != P_SCHEMA_DIFFERS)
			return false;
		error_clear(err);
		if (!ok)
			return true;
		entry->facts = table_facts_read(self->conn, entry->target_oid,
										entry->mark, entry->id, relation, err);
		if (entry->facts == NULL)
			return false;
	}
	*table = &entry->facts->plan;
	return true;
}

bool
target_pg_table_noted(Target *target, uint32_t oid, Arena *arena,
					  const char **schema, const char **name, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const ShapeEntry *entry;

	*name = NULL;
	if (!target_pg_shapes(self, err))
		return false;
	entry = shape_map_find(self->shapes, oid);
	if (entry == NULL)
		return true;
	*schema = arena_strdup(arena, entry->shape.schema);
	*name = arena_strdup(arena, entry->shape.name);
	return true;
}

bool
target_pg_table_renewed(Target *target, const Relation *relation)
{
	TargetPg *self = (TargetPg *) target;
	ShapeEntry *entry;

	if (relation->internal)
		return false;
	entry = shape_map_find(self->shapes, relation->oid);
	BUG_UNLESS(entry != NULL);
	if (entry->shape.storage == relation->storage)
		return false;
	entry->shape.storage = relation->storage;
	return true;
}

bool
relation_check(TargetPg *self, const Txn *txn, const Relation *relation,
			   const ChangeFilter *filter, Error *err)
{
	ShapeEntry *entry = self->shapes == NULL
							? NULL
							: shape_map_find(self->shapes, relation->oid);
	DdlWork work;

	if (relation->internal)
		return true;
	if (entry == NULL || !entry->seen ||
		(entry->checked != relation->serial &&
		 !shape_is(&entry->shape, relation)))
	{
		if (!ddl_work_begin(&work, self, txn, filter, err) ||
			!ddl_work_end(&work, check_known(&work, relation)))
			return false;
		entry = shape_map_find(self->shapes, relation->oid);
	}
	entry->checked = relation->serial;
	column_watch_touch(&self->watch, entry);
	return true;
}

void
relation_tell_created(TargetPg *self)
{
	if (!self->some_from_rows)
		return;
	self->some_from_rows = false;
	for (ShapeEntry *entry = shape_map_next(self->shapes, NULL); entry != NULL;
		 entry = shape_map_next(self->shapes, entry))
	{
		if (entry->from_rows)
			tell_created(&entry->shape);
		entry->from_rows = false;
	}
}
