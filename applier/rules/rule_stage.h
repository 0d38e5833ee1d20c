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
#include "rules/put_aside.h"
#include "rules/rule_set.h"
#include "stream/ddl_event.h"
#include "target/target.h"

typedef struct RuleStage RuleStage;

/*
 * filter: what of a change a copy shows already.  Set, target and filter live as
 * long as the stage.
 */
RuleStage *rule_stage_open(const RuleSet *set, Target *target,
						   const ChangeFilter *filter, Error *err);
void rule_stage_close(RuleStage *stage);

/* Changes to be put aside, as long as the stage; the list may change. */
void rule_stage_put_aside(RuleStage *stage, const PutAsides *asides);

/*
 * The key of messages that carry DDL, as long as the stage; without one they pass.
 * A command about a table that no rule changes passes, one about tables that do not
 * come here is dropped.  One about a table that a rule changes is dropped, too: what
 * becomes of its columns shows the next relation of it.
 */
void rule_stage_ddl(RuleStage *stage, const DdlKey *key);

/*
 * Is a row that the target refuses, with this error, one that its rule wants in
 * quarantine?
 */
bool rule_stage_quarantines(const RuleStage *stage, const Error *why);

/*
 * What follows is a row that this rule has put aside under this area and key of the
 * kept rows: no other rule sees it, nothing is followed, and an expression that fails is
 * an error whatever the rule says.  NULL: as always.
 */
void rule_stage_retry(RuleStage *stage, const char *rule, const char *kept_area,
					  const char *kept_key);

/*
 * One frame in, one out: its reference is taken over, and the frame that comes
 * out holds it if it points into it.  Where no table of the frame has a rule it is
 * the same frame.  P_RULE_VALUE names rule, table, key and LSN, P_DDL_STREAM a
 * command that cannot be carried; the item is released then.
 */
bool rule_stage_frame(RuleStage *stage, QueueItem *item, Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_STAGE_H */
