/*
 * writer_parts.h
 *		What the files of a target's writing half share.
 */
#ifndef PORTAGE_WRITER_PARTS_H
#define PORTAGE_WRITER_PARTS_H

#include "rules/rule_stage.h"
#include "stream/assembler.h"
#include "stream/pending.h"
#include "stream/report.h"
#include "stream/session.h"
#include "stream/writers.h"

/* All of it is the lane's thread's. */
typedef struct Writer
{
	Lane *lane;
	RuleStage *rules; /* NULL: rows pass as they are */
	Assembler *assembler;
	Tables *tables;
	Orders *orders;
	Writers *writers;
	StreamBatch *open;					   /* collects; NULL: none is free */
	StreamBatch *batches[MAX_WRITERS + 1]; /* all of them */
	int batch_count;
	StreamBatch *spare[MAX_WRITERS + 1]; /* those that are free */
	int spare_count;
	Progress planned; /* behind all that was collected */
	bool closed;	  /* the open batch takes no more */
	int64_t begun_ms; /* when its first unit came */
	bool passed;	  /* what comes next is behind before_lsn */
	bool alone;		  /* one that the target carries out itself is open */
	Ledger ledger;	  /* of its pieces so far */
	PendingCommits pending;
	Lsn durable_resume; /* everything before it is on disk */
	Lsn goal_lsn;		/* end when durable there; LSN_NONE: unknown */
	int64_t asked_ms;	/* when durability was last asked for */
	int64_t answer_ms;	/* how long the answer took */
	Report report;
	int64_t lag_ms; /* age of the last marker; -1 unknown */
} Writer;

/* ---- writer_durable.c */

/*
 * Ask what has become durable; who waits for the end does not wait for long.  A
 * target that is far away is not asked all the time: nothing is collected
 * meanwhile.
 */
bool writer_check_durable(Writer *writer, Error *err) MUST_CHECK;

/* A batch is on the target: its progress is ours. */
bool
writer_note_applied(Writer *writer, const StreamBatch *batch,
					const TargetDurability *durability, Error *err) MUST_CHECK;

/* Is something not known to be durable, or being written? */
bool writer_durability_open(const Writer *writer);

/*
 * Is everything collected that is asked for?  What comes behind it may need what
 * the caller does there first.
 */
bool writer_planned_to_end(const Writer *writer);

/* Is everything that is asked for applied, and only to become durable? */
bool writer_applied_to_end(const Writer *writer);

/* Durable as well?  Where nothing was left to apply, nothing has to be. */
bool writer_goal_reached(const Writer *writer);

#endif /* PORTAGE_WRITER_PARTS_H */
