/*
 * kept_area.h
 *		Under which names rules keep counters and keys of their ledger: the same in
 *		copy and stream.
 *
 *		area				| key_hash			   | key		| body
 *		counter:RULE:COLUMN | of the key		   | the key	| the last number
 *		ledger:RULE			| of table and key	   | the table	| kind and LSN
 *
 * Of a row that a rule leaves out, with ledger: keys, only a hash is kept.  The
 * table there is the one that has stored the row, which may be a partition; what is
 * hashed names the table that the rule is about.  An empty body: not any more.
 */
#ifndef PORTAGE_KEPT_AREA_H
#define PORTAGE_KEPT_AREA_H

#include "kept.h"
#include "rules/rule_row.h"

#define KEPT_AREA_COUNTER "counter:"
#define KEPT_AREA_LEDGER "ledger:"

/* So much is printed of a row that was left out. */
#define LEDGER_BODY_SIZE 80

/* Of the counter in that expression of the derived table's. */
const char *counter_area(const Derived *derived, int expression, Arena *arena);

/* The column among the derived ones that has a counter, from *position on. */
const DerivedColumn *counter_column_next(const Derived *derived, int *position);

/* Does the rule keep the keys of rows that it leaves out? */
bool ledger_has_keys(const Derived *derived);

/* Of these keys, by rule; in arena. */
const char *ledger_area(const Derived *derived, Arena *arena);

/* The table of the row, as it is kept. */
const char *ledger_table(const char *schema, const char *name, Arena *arena);

/* values by the input's column. */
void ledger_key_hash(const Derived *derived, const Value *values,
					 char hash[KEPT_HASH_SIZE]);

/* Why the row was left out, and by what. */
void ledger_body(RulePlace place, Lsn lsn, char body[LEDGER_BODY_SIZE]);

#endif /* PORTAGE_KEPT_AREA_H */
