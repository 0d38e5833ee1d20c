/*
 * ddl_unit.c
 *		See ddl_unit.h.
 */
#include "mysql/ddl_unit.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/ddl_refuse.h"
#include "selection.h"

bool
ddl_unit_init(DdlUnit *unit, TargetMysql *self, Error *err)
{
	memset(unit, 0, sizeof(*unit));
	unit->self = self;
	ddl_plan_init(&unit->plan);
	return ddl_gather_init(&unit->gather, self->base.config->encoding, err);
}

void
ddl_unit_release(DdlUnit *unit)
{
	ddl_gather_release(&unit->gather);
	ddl_plan_release(&unit->plan);
	if (unit->held == NULL)
		return;
	map_table_release(unit->held);
	mem_free(unit->held);
	unit->held = NULL;
}

/* Tables are others now: what was read of them is void. */
static bool
maps_renew(DdlUnit *unit, Error *err)
{
	TargetMysql *self = unit->self;

	if (unit->held == NULL)
	{
		unit->held = self->maps;
		self->maps = NULL;
	}
	target_mysql_maps_forget(self);
	return target_mysql_maps(self, err);
}

static bool
settle(TargetMysql *self, const Progress *progress, DdlPlan *plan, Error *err)
{
	if (!ddl_intent_load(self, plan, err))
		return false;
	if (plan->count == 0)
		return true;
	if (!ddl_intent_run(self, progress, plan, DDL_STEP_BEFORE, true, err))
		return false;
	/* its transaction is committed: what follows the rows may follow */
	return progress->resume_lsn <= plan->commit_lsn ||
		   (ddl_intent_run(self, progress, plan, DDL_STEP_AFTER, true, err) &&
			ddl_intent_forget(self, progress, err));
}

bool
ddl_unit_settle(TargetMysql *self, const Progress *progress, Error *err)
{
	DdlPlan plan;
	bool ok;

	ddl_plan_init(&plan);
	ok = settle(self, progress, &plan, err);
	if (plan.count > 0)
		target_mysql_maps_forget(self);
	ddl_plan_release(&plan);
	return ok;
}

/* ---- the first piece */

static bool
find_plan(DdlUnit *unit, const Batch *batch, Error *err)
{
	DdlPlan *plan = &unit->plan;

	if (!ddl_intent_load(unit->self, plan, err))
		return false;
	unit->found = plan->count > 0;
	if (!unit->found || batch->span_count == 0 ||
		plan->commit_lsn == batch->spans[0].txn->commit_lsn)
		return true;
	return error_set(
		err, P_PROGRESS,
		"DDL was begun for the transaction that committed at " LSN_FORMAT
		", but it is that at " LSN_FORMAT " that comes next",
		LSN_ARGS(plan->commit_lsn), LSN_ARGS(batch->spans[0].txn->commit_lsn));
}

/* Transactions come this way for other reasons, too. */
static bool
nothing_new(const DdlUnit *unit)
{
	const DdlGather *gather = &unit->gather;

	for (int i = 0; i < gather->table_count; i++)
	{
		const DdlTable *table = gather->tables[i];
		const MapEntry *entry = ddl_entry(unit->self->maps, table->oid);

		if (entry == NULL || !entry->noted_shape || table->dropped ||
			table->rewritten || table->changed ||
			(table->want != NULL &&
			 table->want->storage != entry->shape.storage))
			return false;
	}
	return gather->other_count == 0;
}

static bool
carry_out(DdlUnit *unit, const Batch *batch, const Progress *progress,
		  Error *err)
{
	TargetMysql *self = unit->self;
	DdlPlan *plan = &unit->plan;

	if (nothing_new(unit))
		return true;
	if (!ddl_plan_make(self, &unit->gather, batch->spans[0].txn, plan, err))
		return false;
	if (plan->count == 0)
		return true;
	return ddl_intent_store(self, progress, plan, err) &&
		   ddl_intent_run(self, progress, plan, DDL_STEP_BEFORE, false, err) &&
		   maps_renew(unit, err) && FAILPOINT(FP_RELATION_CHANGED, err);
}

/* ---- what an earlier piece, or an earlier try, did not know */

static bool
is_selected(const DdlUnit *unit, const Shape *shape)
{
	const TargetConfig *config = unit->self->base.config;
	const MapEntry *root = map_table_find(unit->self->maps, shape->root_oid);

	return selection_has(config->tables, config->exclude_tables, shape->schema,
						 shape->name, root != NULL ? root->shape.schema : "",
						 root != NULL ? root->shape.name : "");
}

/* Is the table as the piece announces it, or was the piece there before? */
static bool
is_known(const DdlUnit *unit, const DdlTable *table)
{
	const MapEntry *entry = ddl_entry(unit->self->maps, table->oid);
	bool planned = ddl_plan_noted(&unit->plan, table->oid) != NULL;

	if (table->dropped)
		return planned || entry == NULL;
	if (table->want == NULL)
		return true;
	if (entry == NULL)
		return planned || !is_selected(unit, table->want);
	if (shape_same_table(map_entry_shape(entry), table->want) &&
		entry->shape.root_oid == table->want->root_oid)
		return true;
	return planned && !table->beyond;
}

static bool
check_piece(DdlUnit *unit, const Batch *batch, Error *err)
{
	for (int i = 0; i < unit->gather.table_count; i++)
	{
		const DdlTable *table = unit->gather.tables[i];

		if (!is_known(unit, table))
			return ddl_refuse(err, batch->spans[0].txn, table->tag,
							  table->statement,
							  "it stands behind rows of a transaction that is "
							  "too large to be looked at as a whole");
	}
	return true;
}

/* By hand: nothing is carried out, so it does not matter where it stands. */
static bool
accept_piece(DdlUnit *unit, const Batch *batch, Error *err)
{
	ddl_plan_release(&unit->plan);
	unit->noted = 0;
	return ddl_plan_make(unit->self, &unit->gather, batch->spans[0].txn,
						 &unit->plan, err);
}

bool
ddl_unit_before(DdlUnit *unit, const Batch *batch, const ChangeFilter *filter,
				const Progress *progress, Error *err)
{
	TargetMysql *self = unit->self;
	bool by_hand;

	if (batch->first &&
		(!ddl_unit_settle(self, progress, err) || !find_plan(unit, batch, err)))
		return false;
	if (!target_mysql_maps(self, err) ||
		!ddl_gather_piece(&unit->gather, batch, filter, self->maps, err))
		return false;
	if (batch->span_count == 0)
		return true;
	by_hand = self->base.config->ddl_done == batch->spans[0].txn->commit_lsn;
	if (by_hand && (unit->found || !batch->first))
		return accept_piece(unit, batch, err);
	if (batch->first && !unit->found)
		return carry_out(unit, batch, progress, err);
	return check_piece(unit, batch, err);
}

bool
ddl_unit_note(DdlUnit *unit, bool *renewed, Error *err)
{
	TargetMysql *self = unit->self;

	*renewed = unit->noted < unit->plan.note_count;
	for (; unit->noted < unit->plan.note_count; unit->noted++)
	{
		if (!ddl_noted_store(self->conn, self->base.config->stream,
							 &unit->plan.notes[unit->noted], err))
			return false;
	}
	if (!*renewed)
		return true;
	self->altered++;
	return maps_renew(unit, err);
}

bool
ddl_unit_after(DdlUnit *unit, const Progress *progress, Error *err)
{
	TargetMysql *self = unit->self;

	if (unit->plan.count == 0 && !unit->found)
		return true;
	if (!ddl_intent_run(self, progress, &unit->plan, DDL_STEP_AFTER, false,
						err) ||
		!ddl_intent_forget(self, progress, err))
		return false;
	target_mysql_maps_forget(self);
	return true;
}

bool
ddl_unit_drops(const DdlUnit *unit, uint32_t oid)
{
	const DdlTable *table = ddl_gather_find(&unit->gather, oid);
	const DdlNoted *noted = ddl_plan_noted(&unit->plan, oid);

	return (table != NULL && table->dropped) ||
		   (noted != NULL && noted->shape == NULL);
}

const Shape *
ddl_unit_shape(const DdlUnit *unit, const MapEntry *entry)
{
	const DdlNoted *noted = ddl_plan_noted(&unit->plan, entry->shape.oid);

	return noted != NULL && noted->shape != NULL ? noted->shape : &entry->shape;
}
