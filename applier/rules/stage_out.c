/*
 * stage_out.c
 *		The frame that the stage makes of another one.
 *
 * It holds the frame that it is made of, since most values still point into it,
 * and the relations that its changes name.
 */
#include <string.h>

#include "base/mem.h"
#include "rules/stage_parts.h"

static void
release_source(void *source)
{
	frame_release(source);
}

void
stage_out_begin(RuleStage *stage, Frame *source)
{
	StageOut *out = &stage->out;

	out->frame = frame_new(source->data, source->len, source, release_source);
	out->frame->wal_end = source->wal_end;
	out->frame->bytes = source->bytes;
	out->event_count = 0;
	out->relation_capacity = 0;
	out->ledger = NULL;
}

void
stage_out_event(RuleStage *stage, const Event *event)
{
	StageOut *out = &stage->out;

	if (out->event_count == out->event_capacity)
	{
		out->event_capacity = out->event_capacity * 2 + 256;
		out->events = mem_realloc(out->events, (size_t) out->event_capacity *
												   sizeof(*out->events));
	}
	BUG_UNLESS(out->events != NULL);
	out->events[out->event_count++] = *event;
}

void
stage_out_change(RuleStage *stage, const Change *change)
{
	stage_out_event(stage, &(Event){ .kind = EVENT_CHANGE, .change = *change });
}

void
stage_out_relation(RuleStage *stage, const Relation *relation)
{
	StageOut *out = &stage->out;
	Frame *frame = out->frame;
	const Relation **bigger;

	/* many changes of the same one follow each other */
	if (frame->relation_count > 0 &&
		frame->relations[frame->relation_count - 1] == relation)
		return;
	if (frame->relation_count == out->relation_capacity)
	{
		out->relation_capacity = out->relation_capacity * 2 + 8;
		bigger = ARENA_ARRAY(&frame->arena, const Relation *,
							 (size_t) out->relation_capacity);
		if (frame->relation_count > 0)
			memcpy(bigger, frame->relations,
				   (size_t) frame->relation_count * sizeof(*bigger));
		frame->relations = bigger;
	}
	relation_retain(relation);
	frame->relations[frame->relation_count++] = relation;
}

void
stage_out_hold(RuleStage *stage, StageTable *table)
{
	if (table->held)
		return;
	table->held = true;
	if (stage->held_count == stage->held_capacity)
	{
		stage->held_capacity = stage->held_capacity * 2 + 16;
		stage->held = mem_realloc(stage->held, (size_t) stage->held_capacity *
												   sizeof(*stage->held));
	}
	BUG_UNLESS(stage->held != NULL);
	stage->held[stage->held_count++] = table;
	for (int i = 0; i < table->count; i++)
		stage_out_relation(stage, table->derived[i].relation);
}

/* Its array is in the frame's arena, and never given back by itself. */
LedgerEntry *
stage_out_ledger(RuleStage *stage, const Derived *derived,
				 const Relation *relation)
{
	StageOut *out = &stage->out;
	Arena *arena = &out->frame->arena;
	Ledger *ledger = out->ledger;
	LedgerEntry *entry;

	if (ledger == NULL)
	{
		ledger = out->ledger = ARENA_NEW(arena, Ledger);
		/* entries are pointed at: they do not move */
		out->ledger_capacity = stage->ledger_room;
		ledger->entries = ARENA_ARRAY(arena, LedgerEntry,
									  (size_t) out->ledger_capacity);
	}
	for (int i = ledger->count - 1; i >= 0; i--)
	{
		entry = &ledger->entries[i];
		if (entry->table_oid == relation->oid &&
			entry->rule == derived->rule_name)
			return entry;
	}
	/* behind a command there may be tables that nobody knew when it was begun */
	if (ledger->count == out->ledger_capacity)
	{
		stage_out_tally(stage);
		return stage_out_ledger(stage, derived, relation);
	}
	entry = &ledger->entries[ledger->count++];
	entry->rule = derived->rule_name;
	entry->table_oid = relation->oid;
	entry->schema = relation->schema;
	entry->name = relation->name;
	entry->tolerant = derived->tolerant;
	return entry;
}

void
stage_out_tally(RuleStage *stage)
{
	StageOut *out = &stage->out;

	if (out->ledger != NULL)
		stage_out_event(
			stage, &(Event){ .kind = EVENT_LEDGER, .ledger = out->ledger });
	out->ledger = NULL;
}

/* No table is held by the next frame. */
static void
let_go(RuleStage *stage)
{
	for (int i = 0; i < stage->held_count; i++)
		stage->held[i]->held = false;
	stage->held_count = 0;
	stage->out.frame = NULL;
}

Frame *
stage_out_end(RuleStage *stage)
{
	StageOut *out = &stage->out;
	Frame *frame = out->frame;

	frame->events = ARENA_ARRAY(&frame->arena, Event,
								(size_t) out->event_count + 1);
	if (out->event_count > 0)
		memcpy(frame->events, out->events,
			   (size_t) out->event_count * sizeof(Event));
	frame->event_count = out->event_count;
	frame->bytes += frame->arena.used_bytes;
	let_go(stage);
	return frame;
}

void
stage_out_discard(RuleStage *stage)
{
	frame_release(stage->out.frame);
	let_go(stage);
}
