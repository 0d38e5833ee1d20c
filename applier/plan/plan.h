/*
 * plan.h
 *		What a batch of changes comes down to: steps for a target to write.
 *
 * A plan is made by the planner (planner.h) and written by a target.  Most of
 * it are vectors: rows of one table that one statement can write together.
 * What must keep its place in the source's order is a step of its own.
 *
 * Steps of the same table are to be written in their order; those of different
 * tables do not depend on each other, except that nothing passes an EVENT.  A
 * RELATION has an order only among its like.
 * Everything in a plan lives until the planner is reset, and points into the
 * frames of the batch.
 */
#ifndef PORTAGE_PLAN_H
#define PORTAGE_PLAN_H

#include "change.h"

/* What the planner must know of a target's table, and need not understand. */
typedef struct PlanTable
{
	uint32_t id; /* one for each table of the target, from 0, dense */
	const Relation *relation;

	/*
	 * The columns of the relation's key have an immediate unique index there,
	 * with no other column in it: changes of one key may be folded.
	 */
	bool keyed;

	/*
	 * The table has no column beside those that the relation says, and none
	 * but the key is GENERATED ALWAYS: a row that comes anew under a key that
	 * was deleted is an UPDATE of every column.
	 */
	bool exact;

	/*
	 * What the table demands of a row has to do with its key only: no unique
	 * index but the key's, no exclusion constraint, no trigger and no foreign key
	 * that acts.  Its rows may be written before older ones of other keys.
	 */
	bool alone;

	/*
	 * Values that the source computes (GENERATED ... STORED) travel as all others
	 * do: the target does not compute them, or says so to its writer.
	 */
	bool generated;
} PlanTable;

typedef enum PlanKind
{
	PLAN_NOTHING, /* inserted and deleted again */
	PLAN_INSERT,
	PLAN_UPDATE,
	PLAN_DELETE,
	PLAN_REPLACE,			 /* deleted and inserted: UPDATE of every column */
	PLAN_DELETE_INSERT,		 /* the same where it has to be both */
	PLAN_PUT,				 /* the row as it becomes, there or not */
	PLAN_MAYBE_DELETE,		 /* it goes, if it is there */
	PLAN_MAYBE_DELETE_INSERT /* it goes, if it is there, and comes anew */
} PlanKind;

/* What becomes of one row. */
typedef struct PlanOp
{
	struct PlanOp *next; /* of the same table, in order of first mention */
	PlanKind kind;
	int vector;			  /* which one of its kind it belongs to */
	uint64_t hash;		  /* of table and key */
	uint64_t generation;  /* between which barriers */
	const Value *key;	  /* a row of which the key's columns count */
	const Value *values;  /* the row as it becomes; not for DELETE */
	const Change *change; /* the last one folded into it, for messages */
	const Txn *txn;
	const PlanTable *table;
	bool own_values; /* values are the plan's, not a frame's */
	bool in_map;	 /* has a key by which later changes find it */
} PlanOp;

/*
 * Rows of one table for one statement: DELETE, UPDATE or INSERT; put or
 * maybe-delete.  All but the last must affect exactly the rows that they have.
 */
typedef struct PlanVector
{
	PlanKind kind;
	const PlanTable *table;
	const uint8_t *columns; /* a bit each: those that are set, or inserted */
	PlanOp *const *ops;
	int count;
	uint64_t bytes; /* of values and keys */
} PlanVector;

typedef enum PlanStepKind
{
	PLAN_STEP_VECTOR,
	PLAN_STEP_ROW,	   /* one change by its own statement */
	PLAN_STEP_EVENT,   /* what only the target understands: nothing passes it */
	PLAN_STEP_RELATION /* to be noted: the table's rows lie elsewhere now */
} PlanStepKind;

typedef struct PlanStep
{
	PlanStepKind kind;
	PlanVector vector;		  /* VECTOR */
	const PlanTable *table;	  /* ROW */
	const Change *change;	  /* ROW */
	const Event *event;		  /* EVENT */
	const Txn *txn;			  /* ROW, EVENT */
	const Relation *relation; /* RELATION */
} PlanStep;

/* How often what happened. */
typedef struct PlanStats
{
	uint64_t changes;
	uint64_t vector_rows;  /* changes that ended up in vectors, folded or not */
	uint64_t single_rows;  /* in steps of their own */
	uint64_t ordered_rows; /* of these: of tables that are kept in order */

	/* folds: earlier + later */
	uint64_t insert_update;
	uint64_t update_update;
	uint64_t insert_delete;
	uint64_t update_delete;
	uint64_t delete_insert;
	uint64_t tolerant; /* with a put or a maybe-delete in it */

	/* barriers of a table, but for the last */
	uint64_t key_changes;
	uint64_t unkeyed; /* UPDATE and DELETE of rows without a usable key */
	uint64_t misfits; /* what cannot follow on what is known of its row */
	uint64_t events;  /* barriers of the batch, rows among them */
} PlanStats;

typedef struct Plan
{
	const PlanStep *steps;
	int count;
	PlanStats stats;
} Plan;

/*
 * Does the change mean other rows than the one of its key, or is what it does to
 * be counted?  Nothing passes it: it is a step of its own, and a barrier of the
 * batch.
 */
static inline bool
change_is_barrier(const Change *change)
{
	return change->kind == CHANGE_MATCH ||
		   (change->kind == CHANGE_INSERT && change->manner != NULL &&
			change->manner->conflict != CONFLICT_REFUSED);
}

static inline bool
plan_column_in(const uint8_t *columns, int i)
{
	return (columns[i / 8] & (1 << (i % 8))) != 0;
}

#endif /* PORTAGE_PLAN_H */
