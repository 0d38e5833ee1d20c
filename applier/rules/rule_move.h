/*
 * rule_move.h
 *		What a change of the source means for one derived table: rules.md's table of
 *		rows that move.
 *
 *		before			after			with the old row		without
 *		not here		here			INSERT					put
 *		here			here			UPDATE					put
 *		here			not here		DELETE					maybe-delete
 *		not here		not here		nothing					maybe-delete
 *
 * A change of the key without the old row is a maybe-delete of the old key and a
 * put of the new one.  Where not all operations come, the target may have rows
 * that the source has not, and older ones: an INSERT is a put then, a DELETE a
 * maybe-delete, and an UPDATE whose row no INSERT has brought one of the row that
 * is there.
 */
#ifndef PORTAGE_RULE_MOVE_H
#define PORTAGE_RULE_MOVE_H

#include "ledger.h"
#include "rules/rule_row.h"

/* What comes of one change: two changes at most. */
typedef struct RuleMoves
{
	Change changes[2];
	int count;
	/* Is the target's row, if there is one, what the source's is by now? */
	bool settled;
	/* where the row was and where it is; PLACE_UNKNOWN: nobody has asked, or knows */
	RulePlace before;
	RulePlace after;
} RuleMoves;

typedef struct RuleMove
{
	const Derived *derived;
	const Relation *relation; /* the derived one */
	const ExprContext *context;
	Arena *arena;		 /* for values, as long as the frame */
	LedgerEntry *ledger; /* where it is counted; NULL: it is not */
	bool unsure; /* the row may or may not be here: its key is in quarantine */
	bool again;	 /* a copy shows it, and has counted it */
} RuleMove;

/* change is of the source's table, and no TRUNCATE.  P_RULE_VALUE. */
bool rule_move(const RuleMove *move, const Change *change, RuleMoves *moves,
			   Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_MOVE_H */
