/*
 * ddl_replay.c
 *		Messages of the source's event triggers are carried out.
 *
 * A command sends what it rewrites and what it drops before it says that it has
 * ended; commands that only drop send nothing else.  So the first two kinds wait
 * for the end of their command, and DROP is carried out at once.
 */
#include "postgres/ddl_replay.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"

struct DdlPending
{
	Arena arena;
	bool dropping; /* drop holds an event whose end is still to come */
	DdlEvent drop;
	uint32_t *rewritten; /* tables that the command has written anew */
	int rewritten_count;
	int rewritten_capacity;
	bool rewrite_volatile;
};

static DdlPending *
pending_of(TargetPg *self)
{
	if (self->pending == NULL)
	{
		self->pending = mem_zalloc(sizeof(*self->pending));
		arena_init(&self->pending->arena);
	}
	return self->pending;
}

static void
pending_forget(TargetPg *self)
{
	if (self->pending == NULL)
		return;
	arena_release(&self->pending->arena);
	mem_free(self->pending->rewritten);
	mem_free(self->pending);
	self->pending = NULL;
}

void
target_pg_ddl_forget(TargetPg *self)
{
	target_pg_facts_release(self);
	shape_map_free(self->shapes);
	self->shapes = NULL;
	self->some_from_rows = false;
	pending_forget(self);
}

static void
note_rewrite(DdlPending *pending, const DdlEvent *event)
{
	pending->rewritten = mem_room(pending->rewritten, pending->rewritten_count,
								  &pending->rewritten_capacity,
								  sizeof(*pending->rewritten));
	pending->rewritten[pending->rewritten_count++] = event->rewritten_oid;
	pending->rewrite_volatile |= event->rewrite_volatile;
}

/*
 * Rows that were written anew are not in the stream.  They are the same here if
 * the command computes them from the old ones, or if the table was copied
 * later; then computing them once more would be wrong.
 */
static bool
look_at_rewrites(DdlWork *work, const DdlPending *pending, bool *current)
{
	int shown = 0;

	for (int i = 0; i < pending->rewritten_count; i++)
	{
		uint32_t oid = pending->rewritten[i];
		ChangeVerdict verdict;

		if (shape_map_find(work->shapes, oid) == NULL)
			continue;
		verdict = ddl_table_verdict(work, oid);
		shown += verdict == VERDICT_SKIP;
		if (verdict == VERDICT_APPLY && pending->rewrite_volatile)
			return ddl_work_refuse(work,
								   "it has written rows anew with values that "
								   "cannot be computed again");
		if (verdict == VERDICT_PARTLY)
			return ddl_work_refuse(work,
								   "it has written rows anew while they were "
								   "being copied");
	}
	*current = shown > 0;
	return true;
}

/* The copy carries no generated columns, nor asks whether they are there. */
static bool
has_generated(DdlWork *work, const ShapeEntry *entry, const Shape *want,
			  bool *has)
{
	Shape actual = { .column_count = 0 };

	*has = true;
	if (entry->target_oid != 0 &&
		!shape_actual(work, entry->target_oid, &actual))
		return false;
	for (int i = 0; i < want->column_count; i++)
		*has &= want->columns[i].generated == 0 ||
				shape_column_named(&actual, want->columns[i].name) != NULL;
	return true;
}

/*
 * A table that was copied after the change has its name and its columns, and
 * perhaps those of later changes; what is known of it is older.
 */
static bool
is_there_already(DdlWork *work, const DdlEvent *event, bool *there)
{
	int found = 0;

	*there = false;
	for (int i = 0; i < event->table_count; i++)
	{
		const Shape *want = &event->tables[i];
		const ShapeEntry *entry = shape_map_find(work->shapes, want->oid);
		bool has;

		if (entry == NULL ||
			ddl_table_verdict(work, want->oid) != VERDICT_SKIP ||
			shape_same_table(&entry->shape, want))
			return true;
		if (!has_generated(work, entry, want, &has))
			return false;
		if (!has)
			return true;
		found++;
	}
	*there = found > 0;
	return true;
}

/* From here on the copy shows nothing of what happens to these tables. */
static bool
adopt_copied(DdlWork *work, const DdlEvent *event)
{
	for (int i = 0; i < event->table_count; i++)
	{
		uint32_t oid = event->tables[i].oid;
		ShapeEntry *entry = shape_map_find(work->shapes, oid);

		if (entry != NULL && ddl_table_verdict(work, oid) != VERDICT_SKIP &&
			!shape_map_adopt_copied(work->shapes, work->conn, entry, work->err))
			return false;
	}
	return true;
}

/* The command, as it was or as what is known of it allows. */
static bool
carry_out(DdlWork *work, const DdlEvent *event, const DdlEvent *drop,
		  const DdlPending *pending)
{
	bool current = false;
	bool there;

	if (!adopt_copied(work, event))
		return false;
	if (ddl_work_is_done(work))
		return event_accept(work, event);
	if (!event_is_relevant(work, event) &&
		(drop == NULL || !drop_is_relevant(work, drop, NULL)))
	{
		log_debug("%s of transaction %u is about nothing that is migrated",
				  event->tag, work->txn->xid);
		return !error_is_set(work->err);
	}
	if (!ddl_work_allowed(work) || !look_at_rewrites(work, pending, &current) ||
		!is_there_already(work, event, &there))
		return false;
	if (there)
		return event_accept(work, event);
	if (event_creates_filled(work, event))
		return event_fill(work, event);
	if (event->command == NULL || current)
		return event_describe(work, event, drop, current);
	return event_command(work, event, drop);
}

static bool
replayed(DdlWork *work, const DdlEvent *event)
{
	log_info("%s of transaction %u was carried out", event->tag,
			 work->txn->xid);
	return FAILPOINT(FP_DDL_REPLAYED, work->err);
}

static bool
replay_end(DdlWork *work, const DdlEvent *event, const DdlEvent *drop,
		   const DdlPending *pending)
{
	work->tag = event->tag;
	work->statement = event->command != NULL ? event->command : event->tag;
	return carry_out(work, event, drop, pending) && replayed(work, event);
}

static bool
replay_drop(DdlWork *work, const DdlEvent *event)
{
	bool all = true;

	work->tag = event->tag;
	work->statement = event->command != NULL	? event->command
					  : event->object_count > 0 ? event->objects[0].identity
												: event->tag;
	if (ddl_work_is_done(work))
		return drop_accept(work, event);
	if (!drop_is_relevant(work, event, &all))
		return !error_is_set(work->err);
	if (!ddl_work_allowed(work))
		return false;
	if (event->command != NULL && all)
		return event_command(work, event, NULL) && replayed(work, event);
	return drop_describe(work, event) && replayed(work, event);
}

static bool
flush_drop(TargetPg *self, const Txn *txn, const ChangeFilter *filter,
		   Error *err)
{
	DdlWork work;
	bool ok;

	if (!self->pending->dropping)
		return true;
	if (!ddl_work_begin(&work, self, txn, filter, err))
		return false;
	self->pending->dropping = false;
	ok = replay_drop(&work, &self->pending->drop);
	return ddl_work_end(&work, ok);
}

/* Has the command nothing to say behind what it dropped? */
static bool
drops_only(const DdlEvent *event)
{
	return strncmp(event->tag, "DROP ", 5) == 0;
}

static bool
take_end(TargetPg *self, const Txn *txn, const ChangeFilter *filter,
		 const DdlEvent *event, Error *err)
{
	DdlPending *pending = self->pending;
	const DdlEvent *drop = NULL;
	DdlWork work;
	bool ok;

	/* a drop of another command: that one had nothing else to say */
	if (pending->dropping && strcmp(pending->drop.tag, event->tag) != 0 &&
		!flush_drop(self, txn, filter, err))
		return false;
	if (pending->dropping)
		drop = &pending->drop;
	if (!ddl_work_begin(&work, self, txn, filter, err))
		return false;
	ok = replay_end(&work, event, drop, pending);
	pending_forget(self);
	return ddl_work_end(&work, ok);
}

bool
ddl_replay(TargetPg *self, const Txn *txn, const Message *message,
		   const ChangeFilter *filter, Error *err)
{
	DdlPending *pending = pending_of(self);
	DdlEvent event;

	if (!ddl_event_parse(message, &pending->arena, &event, err))
		return false;
	switch (event.kind)
	{
		case DDL_REWRITE:
			note_rewrite(pending, &event);
			return true;
		case DDL_DROP:
			if (!flush_drop(self, txn, filter, err))
				return false;
			pending->drop = event;
			pending->dropping = true;
			return !drops_only(&event) || flush_drop(self, txn, filter, err);
		case DDL_END:
			return take_end(self, txn, filter, &event, err);
	}
	return true;
}

bool
ddl_replay_finish(TargetPg *self, const Txn *txn, const ChangeFilter *filter,
				  Error *err)
{
	bool ok = self->pending == NULL || flush_drop(self, txn, filter, err);

	pending_forget(self);
	return ok;
}
