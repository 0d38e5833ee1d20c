/*
 * group.h
 *		A source and its targets in one process.
 *
 * The source has a thread (group_source.c): it owns the connection to it, makes the slot
 * and first anchors, and runs the stream to all targets that are ready.  Each
 * target has one, too, its keeper (keeper.c): it connects and owns the target,
 * begins, copies, says when the target is ready, and takes it back when the
 * stream has left it: with an error, to try again, or because it is where it was
 * to come to.  While others go on, nothing is confirmed to the source that a
 * target lacks: the slot waits for all of them.
 *
 * A target that becomes ready, or needs something of the source, has the stream
 * ended gently and started again.
 *
 * All that is shared is under the group's mutex, but for a session: that is the
 * keeper's, and the source thread's while the state is KEEPER_STREAMING.
 */
#ifndef PORTAGE_GROUP_H
#define PORTAGE_GROUP_H

#include <pthread.h>
#include <stdatomic.h>

#include "command/owned.h"
#include "command/pairs.h"

typedef enum KeeperState
{
	KEEPER_WORKING,	  /* connects, begins, copies, or waits for another owner */
	KEEPER_WAITING,	  /* for the source, to have its wish */
	KEEPER_READY,	  /* to be streamed to */
	KEEPER_STREAMING, /* the stream has the target */
	KEEPER_DONE,	  /* where it was to come to */
	KEEPER_FAILED	  /* for good */
} KeeperState;

typedef enum KeeperWish
{
	WISH_NONE,
	WISH_BEGIN, /* may the progress row be inserted? */
	WISH_PLACE, /* a position, and a snapshot that fits it */
	WISH_ANCHOR /* a marker behind the position of its own snapshot */
} KeeperWish;

typedef struct Group Group;

typedef struct Keeper
{
	Owned owned; /* first: the keeper is what OwnedWork gets */
	Group *group;
	const Pair *pair;
	pthread_t thread;

	KeeperState state;
	KeeperWish wish;
	bool asked;		/* the target was tried once, with or without success */
	bool known;		/* what its progress row says was read */
	Phase phase;	/* as the others may see it */
	bool beginning; /* on the way from WISH_BEGIN to WISH_PLACE */
	bool placed;	/* it has a position, and rows or a snapshot for it */
	bool joins;		/* with a snapshot of its own */
	bool shares;	/* the slot's snapshot */
	bool released;	/* it needs nothing of the source any more */
	char fingerprint[FINGERPRINT_MAX]; /* of the target, once it was reached */
	bool told;						   /* why it has to wait */
	SlotSnapshot snapshot;
	Progress next; /* with position and anchor, when the wish is fulfilled */
	StreamGoal goal;
	bool on_the_way; /* the goal is where something waits for */
	bool reached;	 /* the goal */
	Error error;	 /* of the wish or the stream; in the end its own */
} Keeper;

struct Group
{
	const char *name; /* of the source; its lines in the log are about it */
	Session session;  /* of the source alone */
	Options *source_options;
	Retry retry;
	pthread_t thread;
	Keeper *keepers;
	int count;
	bool before;	   /* it was ours to read the slot */
	bool hold_nothing; /* the plugin is not to defer in the next stream */

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool connected;	 /* keepers may try, too */
	bool over;		 /* the source has failed for good: keepers return */
	atomic_bool end; /* of the stream that runs, for a keeper's sake */
	char origin_nonce[NONCE_SIZE]; /* what all targets' rows share; or "" */
	Error error;				   /* of the source, in the end */
};

/* Memory is the caller's, and cleared; does not connect. */
bool
group_open(Group *group, const Pair *pairs, int count, Error *err) MUST_CHECK;
/* The exit code: that of the first that has failed. */
int group_close(Group *group);

/* Start all threads; wait for them. */
void group_start(Group *group);
void group_join(Group *group);

/* Has every target come to its end, one way or another? */
bool group_ended(Group *group);

/* Say which targets have failed while others go on. */
void group_remind(Group *group);

/* Thread bodies. */
void *group_main(void *group);
void *keeper_main(void *keeper);

/* ---- under the mutex */

/* Wait for a change, a stop, or a fifth of a second. */
void group_wait(Group *group);

/* Has every target come to its end? */
bool group_all_ended(const Group *group);

/*
 * What targets wish is given, as far as it can be now: one wish of each kind; more
 * come in the next turn.  Not held while the source is asked.
 */
bool group_serve(Group *group, Error *err) MUST_CHECK;

/* Something has changed; restart: the stream is to take notice. */
void group_changed(Group *group, bool restart);

#endif /* PORTAGE_GROUP_H */
