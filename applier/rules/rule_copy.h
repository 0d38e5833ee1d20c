/*
 * rule_copy.h
 *		Rows of the copy of one table become rows of a derived one: COPY's text form
 *		in and out.
 */
#ifndef PORTAGE_RULE_COPY_H
#define PORTAGE_RULE_COPY_H

#include "base/lsn.h"
#include "catalog.h"
#include "kept.h"
#include "ledger.h"
#include "rules/rule_set.h"

typedef struct RuleCopy RuleCopy;

/*
 * derived was given by the engine, which is this thread's; table is what is read,
 * with the columns that the rows have, in their order.  lsn: of the snapshot.
 * Counters begin at 0, so a table that has some is copied as a whole.
 */
RuleCopy *rule_copy_open(RuleEngine *engine, const Derived *derived,
						 const Table *table, Lsn lsn);
void rule_copy_close(RuleCopy *copy);

/*
 * Rows as COPY sends them; *out is what the target is to load, whole lines, valid
 * until the next call, and *rows how many those are.  A row for which its rule fails
 * is kept, if the rule wants it in quarantine; else P_RULE_VALUE, P_REFERENCE.
 */
bool rule_copy_rows(RuleCopy *copy, Slice in, Slice *out, int64_t *rows,
					Error *err) MUST_CHECK;

/*
 * From now on the rows that were given out last may be refused.  The row of that
 * number, from 0: the target does not take it, so it is put aside.
 */
void rule_copy_hold(RuleCopy *copy);
bool rule_copy_refused(RuleCopy *copy, int64_t number, const Error *why,
					   Error *err) MUST_CHECK;

/* Takes a change that lives until the next rows; false ends it with the error. */
typedef bool (*RuleCopyTaker)(void *arg, const Change *change, Error *err);

/*
 * Of a rule that says what becomes of rows that are there, instead: what an INSERT of
 * each row would be in the stream, or, of a rule with match, an UPDATE.  relation is
 * the derived one.
 */
bool rule_copy_changes(RuleCopy *copy, const Relation *relation, Slice in,
					   RuleCopyTaker taker, void *arg, Error *err) MUST_CHECK;

/* What became of the rows so far. */
const Ledger *rule_copy_ledger(const RuleCopy *copy);

/*
 * Behind the last row: what is to be kept of them, the last numbers of counters, keys
 * of rows that were left out, rows that were put aside.  Some of it, until the next call; *count is 0
 * behind the last.
 */
bool rule_copy_kept(RuleCopy *copy, const KeptRow **rows, int *count,
					Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_COPY_H */
