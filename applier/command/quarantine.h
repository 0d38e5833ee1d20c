/*
 * quarantine.h
 *		Rows that rules have put aside: read from the target, shown, tried again,
 *		dropped.
 *
 * Each is a kept row of an area of rules/quarantined.h, whose body says by which
 * rule, from which table and why.
 */
#ifndef PORTAGE_QUARANTINE_H
#define PORTAGE_QUARANTINE_H

#include <jansson.h>

#include "command/session.h"

typedef struct QuarantineRow
{
	const char *area; /* of the kept row, as the next two */
	const char *key_hash;
	const char *key;
	const char *rule;
	const char *schema;
	const char *table;
	const char *operation; /* INSERT, UPDATE, DELETE */
	const char *commit_lsn;
	const char *error;
	uint32_t oid;	/* of the source's table that has stored it */
	int64_t number; /* of the change in its transaction */
	int64_t xid;	/* 0: it was copied */
	int64_t commit_time_us;
	json_t *body; /* the strings above are its own */
} QuarantineRow;

typedef struct QuarantineRows
{
	QuarantineRow *items; /* in the source's order */
	int count;
	int capacity;
} QuarantineRows;

/* Those of --rule and --table, or all; the target is connected. */
bool quarantine_read(Session *session, QuarantineRows *rows, Arena *arena,
					 Error *err) MUST_CHECK;
void quarantine_release(QuarantineRows *rows);

/* ---- quarantine_print.c */
void quarantine_print_text(const QuarantineRows *rows);
void quarantine_print_json(const QuarantineRows *rows, const char *name);

/* ---- quarantine_row.c */

/*
 * The table of the source that has stored the row, which may be a partition, as the
 * stream would announce it, and the row as a change of it.  The relation is the caller's reference; P_RULE_VALUE.
 */
const Relation *
quarantine_relation(const QuarantineRow *row, const Schema *schema,
					const Shape *shapes, int shape_count, Error *err);
bool quarantine_change(const QuarantineRow *row, const Relation *relation,
					   unsigned operations, Arena *arena, Change *change,
					   Error *err) MUST_CHECK;

/* ---- quarantine_retry.c */

/*
 * Evaluate the rows by the session's rules and write them; those that still fail
 * stay.  Both sides are connected, the stream is owned, the rules are ready.
 */
bool quarantine_retry(Session *session, const QuarantineRows *rows, int *failed,
					  Error *err) MUST_CHECK;

/* ---- quarantine_write.c: transactions of the owner's */

typedef struct QuarantineWriter QuarantineWriter;

QuarantineWriter *quarantine_writer_open(Session *session, Error *err);
void quarantine_writer_close(QuarantineWriter *writer);

/* Plan one more change; P_SCHEMA_DIFFERS if the target's table is another one. */
bool quarantine_writer_add(QuarantineWriter *writer, const Txn *txn,
						   const Change *change, Error *err) MUST_CHECK;

/* Write what was planned, with the ledger or NULL, and commit; or nothing of it. */
bool quarantine_writer_commit(QuarantineWriter *writer, const Ledger *ledger,
							  Error *err) MUST_CHECK;

#endif /* PORTAGE_QUARANTINE_H */
