/*
 * rule_stage.h
 *		The stage between the queue and the assembler: changes of the source's
 *		tables become changes of derived tables.
 *
 * One stage belongs to one source and one target and to the thread that collects
 * batches.  It is opened for each start of the stream, since what it keeps
 * (followed references, counters, quarantined keys) has to be that of the
 * progress row: it is read from the target.
 *
 * rules.md's table of rows that move is in rule_move.c.
 */
#ifndef PORTAGE_RULE_STAGE_H
#define PORTAGE_RULE_STAGE_H

#include "base/error.h"
#include "change.h"
#include "ledger.h"
#include "pipeline/queue.h"
#include "rules/rule_set.h"
#include "target/target.h"

typedef struct RuleStage RuleStage;

/*
 * filter: what of a change a copy shows already, asked of the source's own
 * relation.  Target and filter live as long as the stage.
 */
RuleStage *rule_stage_open(RuleSet *set, Target *target,
						   const ChangeFilter *filter, Error *err);
void rule_stage_close(RuleStage *stage);

/*
 * One frame in, one out: its reference is taken over, and the frame that comes
 * out holds it if it points into it.  Where no table of the frame has a rule it is
 * the same frame.  P_RULE_VALUE names rule, table, key and LSN.
 */
bool rule_stage_frame(RuleStage *stage, QueueItem *item, Error *err) MUST_CHECK;

/* ---- the same for rows of a copy: COPY's text form in and out */

typedef struct RuleCopy RuleCopy;

/* derived: of the table that is read; lsn of the snapshot, for expressions. */
RuleCopy *
rule_copy_open(RuleSet *set, const Derived *derived, Lsn lsn, Error *err);
void rule_copy_close(RuleCopy *copy);

/*
 * Rows as COPY sends them, whole lines; *out is what the target is to load, valid
 * until the next call, and *rows how many those are.
 */
bool rule_copy_rows(RuleCopy *copy, Slice in, Slice *out, int64_t *rows,
					Error *err) MUST_CHECK;

/* What became of the rows so far, and rows to keep with the chunk. */
const Ledger *rule_copy_ledger(const RuleCopy *copy);

#endif /* PORTAGE_RULE_STAGE_H */
