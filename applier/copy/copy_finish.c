/*
 * copy_finish.c
 *		What had to wait while the stream ran, and sequences.
 *
 * From the first object on, what the stream would write could be changed by
 * triggers or refused by foreign keys: PHASE_FINISH, entered before it, keeps
 * the stream from being started again.
 *
 * Every object is a transaction that also says in portage.ddl that it is there,
 * so finish may be killed, or stopped by rows that violate a foreign key, and
 * begun again as often as need be.  Sequences are set as the last thing before
 * PHASE_DONE and never again: from then on the target's own writes move them.
 */
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "copy/copy.h"

/*
 * In this order, and within a stage in that of the dump.  Foreign keys need the
 * indexes, and shall see all rows: they come before row security, which hides
 * some even from the owner where it is forced.  So do materialized views, the
 * last ones of which may read what others compute.
 */
typedef enum FinishStage
{
	STAGE_INDEXES, /* and whatever else has waited */
	STAGE_FOREIGN_KEYS,
	STAGE_VALIDATION,
	STAGE_BEHAVIOUR, /* what acts on writes */
	STAGE_CONTENTS,
	STAGE_ROW_SECURITY
} FinishStage;

typedef struct FinishType
{
	const char *type;
	FinishStage stage;
	const char *doing;
} FinishType;

static const FinishType finish_types[] = {
	{ "FK CONSTRAINT", STAGE_FOREIGN_KEYS, "adding foreign key" },
	{ DDL_TYPE_VALIDATION, STAGE_VALIDATION, "validating foreign key" },
	{ DDL_TYPE_IDENTITY, STAGE_BEHAVIOUR, "GENERATED ALWAYS again:" },
	{ "TRIGGER", STAGE_BEHAVIOUR, "creating trigger" },
	{ "RULE", STAGE_BEHAVIOUR, "creating rule" },
	{ "MATERIALIZED VIEW DATA", STAGE_CONTENTS,
	  "refreshing materialized view" },
	{ "ROW SECURITY", STAGE_ROW_SECURITY, "row security of" },
};

typedef struct Finish
{
	Target *target;
	const Progress *progress;
	int done;
	int total; /* a foreign key counts twice */
} Finish;

static const FinishType *
type_of(const DdlEntry *entry)
{
	static const FinishType other = { "", STAGE_INDEXES, "creating" };

	for (size_t i = 0; i < sizeof(finish_types) / sizeof(finish_types[0]); i++)
	{
		if (strcmp(entry->type, finish_types[i].type) == 0)
			return &finish_types[i];
	}
	return &other;
}

/*
 * Tables that were read under different snapshots agree with each other only
 * when the stream has passed the newest of them; until then a row may refer to
 * one that is still to come.
 */
static bool
may_finish(const Progress *progress, Error *err)
{
	if (progress->phase == PHASE_FINISH)
		return true;
	if (progress->phase != PHASE_STREAM)
	{
		error_set(err, P_SERVER_BUSY, "the initial copy has not ended");
		error_hint(err, "Let pg_portage run end it first.");
		return error_as(err, ERROR_UNREACHABLE);
	}
	if (progress->resume_lsn >= progress->newest_stamp_lsn)
		return true;
	error_set(err, P_SERVER_BUSY,
			  "the stream is at " LSN_FORMAT ", tables were"
			  " copied up to " LSN_FORMAT,
			  LSN_ARGS(progress->resume_lsn),
			  LSN_ARGS(progress->newest_stamp_lsn));
	error_hint(err, "Let pg_portage run --until caught-up pass it first.");
	return error_as(err, ERROR_UNREACHABLE);
}

static bool
save_phase(Target *target, Progress *progress, Phase phase, Error *err)
{
	Progress next = *progress;

	next.phase = phase;
	if (!target->ops->progress_save(target, &next, err))
		return false;
	*progress = next;
	return true;
}

static bool
finish_entry(Finish *self, const DdlEntry *entry, Error *err)
{
	const TargetOps *target = self->target->ops;
	const FinishType *type = type_of(entry);
	bool whole = true;

	if (signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped");
	log_info("finish: %d of %d: %s %s%s%s", self->done + 1, self->total,
			 type->doing, entry->schema, entry->schema[0] != '\0' ? "." : "",
			 entry->name);
	if (type->stage != STAGE_FOREIGN_KEYS)
	{
		self->done++;
		return target->ddl_run(self->target, self->progress, entry, err);
	}
	if (!target->foreign_key_add(self->target, self->progress, entry, &whole,
								 err))
		return false;
	self->done += whole ? 2 : 1;
	return true;
}

static int
count_steps(const DdlEntry *entries, int count)
{
	int steps = 0;

	for (int i = 0; i < count; i++)
	{
		if (entries[i].state != DDL_DONE)
			steps += type_of(&entries[i])->stage == STAGE_FOREIGN_KEYS ? 2 : 1;
	}
	return steps;
}

/* What portage.ddl says now, of some stages. */
static bool
finish_stages(Finish *self, FinishStage first, FinishStage last, Error *err)
{
	Arena arena;
	DdlEntry *entries;
	int count;
	bool ok;

	arena_init(&arena);
	ok = self->target->ops->ddl_list(self->target, &arena, &entries, &count,
									 err);
	if (ok)
		self->total = self->done + count_steps(entries, count);
	for (FinishStage stage = first; ok && stage <= last; stage++)
	{
		for (int i = 0; ok && i < count; i++)
		{
			if (entries[i].state != DDL_DONE &&
				type_of(&entries[i])->stage == stage)
				ok = finish_entry(self, &entries[i], err);
		}
	}
	arena_release(&arena);
	return ok;
}

bool
copy_finish(Source *source, Target *target, const RuleSet *rules,
			Progress *progress, Error *err)
{
	Finish self = { .target = target, .progress = progress };

	if (!may_finish(progress, err))
		return false;
	if (progress->phase == PHASE_STREAM &&
		(!save_phase(target, progress, PHASE_FINISH, err) ||
		 !FAILPOINT(FP_FINISH_PHASE, err)))
		return false;
	/* adding a foreign key leaves an entry that validates it */
	return finish_stages(&self, STAGE_INDEXES, STAGE_FOREIGN_KEYS, err) &&
		   finish_stages(&self, STAGE_VALIDATION, STAGE_ROW_SECURITY, err) &&
		   copy_sequences(source, target, rules, progress, err) &&
		   save_phase(target, progress, PHASE_DONE, err) &&
		   FAILPOINT(FP_DONE_PHASE, err);
}

/* Those that come here, which are moved to the front. */
static int
take_sequences(const RuleSet *rules, Sequence *sequences, int count)
{
	int taken = 0;

	for (int i = 0; i < count; i++)
	{
		if (rules == NULL || rule_set_has_sequence(rules, sequences[i].schema,
												   sequences[i].name))
			sequences[taken++] = sequences[i];
	}
	return taken;
}

bool
copy_sequences(Source *source, Target *target, const RuleSet *rules,
			   const Progress *progress, Error *err)
{
	Arena arena;
	Sequence *sequences;
	int count;
	bool ok;

	arena_init(&arena);
	ok = source->ops->sequences_list(source, &arena, &sequences, &count, err);
	if (ok)
		count = take_sequences(rules, sequences, count);
	ok = ok &&
		 target->ops->sequences_set(target, progress, sequences, count, err);
	arena_release(&arena);
	return ok;
}
