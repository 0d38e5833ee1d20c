/*
 * rule_copy.h
 *		Rows of the copy of one table become rows of a derived one: COPY's text form
 *		in and out.
 */
#ifndef PORTAGE_RULE_COPY_H
#define PORTAGE_RULE_COPY_H

#include "base/lsn.h"
#include "ledger.h"
#include "rules/rule_set.h"

typedef struct RuleCopy RuleCopy;

/*
 * derived was given by the engine, which is this thread's; columns are those that
 * the rows have, by name, in their order.  lsn: of the snapshot, for expressions.
 */
RuleCopy *rule_copy_open(RuleEngine *engine, const Derived *derived,
						 const char *const *columns, int column_count, Lsn lsn);
void rule_copy_close(RuleCopy *copy);

/*
 * Rows as COPY sends them, whole lines; *out is what the target is to load, valid
 * until the next call, and *rows how many those are.  P_RULE_VALUE.
 */
bool rule_copy_rows(RuleCopy *copy, Slice in, Slice *out, int64_t *rows,
					Error *err) MUST_CHECK;

/* What became of the rows so far. */
const Ledger *rule_copy_ledger(const RuleCopy *copy);

#endif /* PORTAGE_RULE_COPY_H */
