/*
 * ledger.h
 *		What became of rows on their way through the rules, counted.
 *
 * Counts are of events, for each stream, rule and table of the source, and are
 * written in the target transaction of the rows that they speak of (portage.ledger
 * on the target).  Plain values; strings live as long as the rules.
 */
#ifndef PORTAGE_LEDGER_H
#define PORTAGE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum LedgerKind
{
	LEDGER_SEEN,		/* changes that the rule was asked about */
	LEDGER_APPLIED,		/* of these: something was written for */
	LEDGER_FILTERED,	/* where was not true */
	LEDGER_DROPPED,		/* route gave NULL */
	LEDGER_ELSEWHERE,	/* route gave another target */
	LEDGER_SKIPPED,		/* not among the rule's operations */
	LEDGER_MOVED_IN,	/* an UPDATE brought the row here */
	LEDGER_MOVED_OUT,	/* an UPDATE took it away */
	LEDGER_MERGED,		/* rows that match has changed */
	LEDGER_OVERWRITTEN, /* conflicts that the source has won, at most */
	LEDGER_KEPT,		/* conflicts that the target has won, at most */
	LEDGER_QUARANTINED, /* rows put into quarantine */
	LEDGER_KINDS
} LedgerKind;

/* As the state's columns and the output of commands call them. */
const char *ledger_kind_name(LedgerKind kind);

/* One rule and one table of the source. */
typedef struct LedgerEntry
{
	const char *rule; /* its name in the configuration, or "rule N" */
	uint32_t table_oid;
	const char *schema;
	const char *name;
	bool tolerant; /* puts and maybe-deletes: counts of rows prove less here */
	int64_t counts[LEDGER_KINDS];
} LedgerEntry;

typedef struct Ledger
{
	LedgerEntry *entries; /* each (rule, table_oid) once */
	int count;
	int capacity;
} Ledger;

/* Empty it, keep the memory. */
void ledger_reset(Ledger *ledger);
void ledger_release(Ledger *ledger);

/* The entry of a rule and table, which is added with zeros if it is new. */
LedgerEntry *ledger_entry(Ledger *ledger, const char *rule, uint32_t table_oid,
						  const char *schema, const char *name);

/* Add all counts of the other. */
void ledger_add(Ledger *sum, const LedgerEntry *entries, int count);

/*
 * What a target counts by itself in a transaction, where only it knows what
 * became of a change: it goes with what it belongs to when that is rolled back.
 */
typedef struct LedgerTally
{
	Ledger counts;
	Ledger *saved; /* at each savepoint that is open */
	int depth;
	int capacity; /* of saved; those beyond depth are kept for reuse */
} LedgerTally;

/* The transaction begins, or is gone. */
void ledger_tally_reset(LedgerTally *tally);
void ledger_tally_release(LedgerTally *tally);

/* Count for that rule and table; nothing where entry is NULL. */
void ledger_tally_count(LedgerTally *tally, const LedgerEntry *entry,
						LedgerKind kind, int64_t count);

void ledger_tally_set(LedgerTally *tally);	/* a savepoint */
void ledger_tally_keep(LedgerTally *tally); /* it is released */
void ledger_tally_back(LedgerTally *tally); /* back to it, and it is gone */

#endif /* PORTAGE_LEDGER_H */
