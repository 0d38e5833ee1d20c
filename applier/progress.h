/*
 * progress.h
 *		Where a stream stands: the one row that makes everything resumable.
 *
 * It is stored on the target (portage.progress) and changes only in the same
 * transaction as the data it speaks of, by compare-and-set on (epoch,
 * resume_lsn).
 */
#ifndef PORTAGE_PROGRESS_H
#define PORTAGE_PROGRESS_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"

#define STREAM_NAME_MAX 40
#define DIGEST_SIZE 33 /* XXH3-128 in hexadecimal, and a NUL */

/* In order; a phase is entered when what it names is about to be done. */
typedef enum Phase
{
	PHASE_NONE,	  /* no progress row */
	PHASE_SLOT,	  /* the slot is being created */
	PHASE_SCHEMA, /* slot and first anchor exist */
	PHASE_COPY,	  /* the schema is stored in portage.ddl */
	PHASE_STREAM, /* every chunk is stamped */
	PHASE_FINISH, /* what had to wait is being created: no stream any more */
	PHASE_DONE	  /* the target has everything that the source had */
} Phase;

const char *phase_name(Phase phase);
Phase phase_parse(const char *name); /* PHASE_NONE if unknown */

/* Which source a stream belongs to. */
typedef struct SourceIdentity
{
	char system_id[24];
	uint32_t timeline;
	char history[DIGEST_SIZE]; /* of the timeline history file, or "" */
	Lsn wal_end;			   /* flush position when asked; not stored */
	char database[64];
	char encoding[32];	/* server encoding */
	int server_version; /* not stored */
	bool standby;		/* when asked; not stored */
	/* why nobody could be asked for the history, or 0; not stored */
	ErrorCode no_history;
} SourceIdentity;

/* How the rows of the stream got to the target. */
typedef struct ApplyCounts
{
	uint64_t batches;	   /* target transactions */
	uint64_t vector_rows;  /* changes in vectors, folded or not */
	uint64_t single_rows;  /* each by its own statement, as planned */
	uint64_t ordered_rows; /* of these: because its table is kept in order */
	uint64_t refused;	   /* plans that the target refused */
	uint64_t serial_rows;  /* one by one in consequence */
} ApplyCounts;

void apply_counts_add(ApplyCounts *sum, const ApplyCounts *counts);

typedef struct Progress
{
	char stream[STREAM_NAME_MAX + 1];
	int64_t epoch;
	Phase phase;
	SourceIdentity source;
	char slot[64];			  /* "": copied only, nothing streams */
	char plugin_version[32];  /* the anchor was made with */
	char plugin_options[512]; /* the same */
	char tables[2048];		  /* patterns the migration was begun with */
	char exclude_tables[2048];
	char on_loss[2048]; /* --on-loss as it was last given */
	char schemas[16];	/* --schemas, for a target with own_schema; or "" */
	char rules[DIGEST_SIZE]; /* rule_set_digest() it was begun with; "": none */
	Lsn consistent_lsn;		 /* the slot's first position */
	Lsn resume_lsn;			 /* end of the last applied commit */
	Lsn commit_lsn;			 /* start of it */
	uint32_t xid;
	int64_t commit_time_us;
	Lsn anchor_lsn; /* commit_lsn of the newest marker applied */
	char anchor_nonce[NONCE_SIZE];
	Lsn previous_anchor_lsn;	   /* what may be confirmed */
	char digest[DIGEST_SIZE];	   /* over [anchor, resume), "" is none */
	char skeleton[DIGEST_SIZE];	   /* the same without the CRCs */
	Lsn newest_stamp_lsn;		   /* of all chunks: unordered before it */
	char origin_nonce[NONCE_SIZE]; /* marks our transactions */
	uint64_t transactions;
	uint64_t rows;
	ApplyCounts counts; /* added to, never set */
} Progress;

/* Position, first anchor and secret of another target that begins with it. */
void progress_place(Progress *progress, const Progress *other);

#endif /* PORTAGE_PROGRESS_H */
