/*
 * quarantined.h
 *		What is kept of a row that is put aside: the same in copy and stream.
 *
 *		area				| key_hash	 | key				| body
 *		quarantine:RULE:OID | of the key | the identity's	| the row, and why:
 *							|			 | columns, JSON	| JSON
 *
 * OID is that of the source's table that has stored the row, which may be a
 * partition: it outlives names.  An empty body: the row is not to be tried again,
 * since it was dropped, or has gone by TRUNCATE; what the target has of it is not
 * known all the same.
 */
#ifndef PORTAGE_QUARANTINED_H
#define PORTAGE_QUARANTINED_H

#include "base/lsn.h"
#include "kept.h"
#include "rules/rule_set.h"

#define KEPT_AREA_QUARANTINE "quarantine:"

/* names of rules have 40 characters at most */
#define QUARANTINE_AREA_SIZE 80

/* A version of a row, and the change that has brought it. */
typedef struct Quarantined
{
	const Derived *derived;
	uint32_t stored_oid;
	const char *operation; /* INSERT, UPDATE, DELETE */
	Lsn commit_lsn;		   /* of the copy: its snapshot's */
	uint32_t number; /* of the change; of the copy: none, as the next two */
	uint32_t xid;
	int64_t commit_time_us;
	const Value *values; /* by the input's columns */
	const Value *old;	 /* the whole old row, for what is unchanged; or NULL */
} Quarantined;

/* Does the rule want rows there that cannot come? */
bool quarantine_wanted(const Derived *derived);

/* One for which its rule has failed so? */
bool quarantine_takes(const Derived *derived, const Error *why);

void quarantine_area(const Derived *derived, uint32_t stored_oid,
					 char area[QUARANTINE_AREA_SIZE]);

/*
 * By what the row is known: its identity, or all of it where there is none.  The
 * caller frees it.
 */
char *quarantine_key(const Derived *derived, const Value *values);

/* The caller frees it. */
char *quarantine_body(const Quarantined *row, const Error *why);

#endif /* PORTAGE_QUARANTINED_H */
