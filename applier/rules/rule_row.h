/*
 * rule_row.h
 *		One row and one rule: does it belong here, and what does it become?
 */
#ifndef PORTAGE_RULE_ROW_H
#define PORTAGE_RULE_ROW_H

#include "rules/rule_set.h"

/* Where a version of a row belongs. */
typedef enum RulePlace
{
	PLACE_HERE,
	PLACE_FILTERED,	 /* where is not true */
	PLACE_DROPPED,	 /* route is NULL */
	PLACE_ELSEWHERE, /* route is another target */
	PLACE_UNKNOWN	 /* not asked */
} RulePlace;

/* What a row is wanted for. */
typedef enum RulePurpose
{
	PURPOSE_WHOLE,	/* to be inserted: every value must be there */
	PURPOSE_UPDATE, /* what did not change may be missing */
	PURPOSE_KEY		/* only the derived key */
} RulePurpose;

/*
 * Where the version with these values belongs.  P_RULE_VALUE if an expression
 * fails or route gives no target's name.
 */
bool
rule_place(const Derived *derived, const Value *values,
		   const ExprContext *context, RulePlace *place, Error *err) MUST_CHECK;

/*
 * The derived row.  old is the whole old row, or its key, or NULL; a value that
 * did not change is taken from it where that is possible and needed.  out has
 * column_count values, which live as long as the arena and the frame of the
 * source's row.  P_RULE_VALUE if an expression fails, gives a value that the type
 * cannot have, or needs what the WAL does not carry.
 */
bool rule_row(const Derived *derived, const Value *values, const Value *old,
			  RulePurpose purpose, const ExprContext *context, Arena *arena,
			  Value *out, Error *err) MUST_CHECK;

/* What an expression gave, in the form of a value of the stream; P_RULE_VALUE. */
bool rule_value(const ExprValue *from, const RuleColumn *as, Arena *arena,
				Value *to, Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_ROW_H */
