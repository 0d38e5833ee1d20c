/*
 * status.h
 *		Where a migration stands: gathered from both sides, then shown.
 */
#ifndef PORTAGE_STATUS_H
#define PORTAGE_STATUS_H

#include <jansson.h>

#include "base/arena.h"
#include "base/error.h"
#include "catalog.h"
#include "ledger.h"
#include "progress.h"
#include "schema/loss.h"
#include "source/source.h"

typedef struct SideStatus
{
	bool asked; /* its URL was given */
	bool reached;
	Error error; /* if it was not */
} SideStatus;

/* A look at the chunks, and at what is being loaded into them. */
typedef struct CopyStatus
{
	int chunks;
	int chunks_done;
	int tables;
	int tables_done;
	int64_t rows;  /* committed or not */
	int64_t bytes; /* the same, as COPY sent them */
	int64_t left;  /* bytes still to come, about */
	LoadActivity *active;
	int active_count;
	bool has_rate;
	double bytes_per_s;
	double eta_s; /* -1: never, as things are */
} CopyStatus;

typedef struct Status
{
	const char *name;
	const char *slot_name;
	SideStatus source;
	SideStatus target;

	/* from the target */
	bool known; /* it has a progress row */
	Progress progress;
	bool owned; /* an applier holds the stream */
	char owner[256];
	CopyStatus copy;
	DdlEntry **deferred; /* wait for pg_portage finish */
	int deferred_count;
	DdlEntry **waiting; /* until the stream has passed the newest stamp */
	int waiting_count;
	LossCount *losses; /* that --on-loss has allowed */
	int loss_count;
	LedgerEntry *ledger; /* what rules did with rows, by rule and table */
	int ledger_count;
	int64_t quarantined; /* rows that were put aside and are still there */

	/* from the source */
	SourceIdentity identity;
	SlotInfo slot;
	bool other_source; /* not the one the migration is of */

	/* from both */
	bool has_lag;
	int64_t lag_bytes;
	double lag_seconds;

	/* from looking twice, while an applier is at work */
	bool has_rates;
	double rows_per_s;	  /* applied */
	double drained_per_s; /* bytes of WAL that were applied */
	double written_per_s; /* bytes of WAL that the source has written */
	double catch_up_s;	  /* -1: never, as things are */
} Status;

void status_print_text(const Status *status);
void status_print_json(const Status *status);

/* status_rules.c: what rules did */
void status_print_rules(const Status *status);
json_t *status_ledger_json(const Status *status);

#endif /* PORTAGE_STATUS_H */
