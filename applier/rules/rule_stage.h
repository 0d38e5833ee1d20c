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
 * rules.md's table of rows that move is in rule_move.h.
 */
#ifndef PORTAGE_RULE_STAGE_H
#define PORTAGE_RULE_STAGE_H

#include "base/error.h"
#include "change.h"
#include "pipeline/queue.h"
#include "rules/rule_set.h"
#include "target/target.h"

typedef struct RuleStage RuleStage;

/*
 * filter: what of a change a copy shows already.  Set, target and filter live as
 * long as the stage.
 */
RuleStage *rule_stage_open(const RuleSet *set, Target *target,
						   const ChangeFilter *filter, Error *err);
void rule_stage_close(RuleStage *stage);

/*
 * One frame in, one out: its reference is taken over, and the frame that comes
 * out holds it if it points into it.  Where no table of the frame has a rule it is
 * the same frame.  P_RULE_VALUE names rule, table, key and LSN; the item is
 * released then.
 */
bool rule_stage_frame(RuleStage *stage, QueueItem *item, Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_STAGE_H */
