/*
 * mock_target.h
 *		A target in memory, for tests of what writes plans to it.
 *
 * Three tables of rows with an id and a value, both whole numbers above 0.  It
 * obeys what a PostgreSQL target obeys: a row must be there to be changed and
 * must not be there to be inserted, values of one table are unique row by row,
 * a row that one writer has changed is locked, after an error nothing goes but
 * back, and progress is a compare-and-set.  A test adds rules of its own, which
 * are asked before each call and may refuse it, or wait.
 */
#ifndef PORTAGE_MOCK_TARGET_H
#define PORTAGE_MOCK_TARGET_H

#include <pthread.h>

#include "base/buffer.h"
#include "target/target.h"

#define MOCK_IDS 100
#define MOCK_WRITERS 16
#define MOCK_SAVEPOINTS 16

/* As they are written in texts; all but unique are PlanTable.alone. */
typedef enum MockTable
{
	MOCK_PLAIN,	 /* p */
	MOCK_UNIQUE, /* u */
	MOCK_QUIET,	 /* q, the same as p */
	MOCK_TABLES
} MockTable;

/* Values by table and id; 0: there is no such row. */
typedef struct MockRows
{
	int value[MOCK_TABLES][MOCK_IDS];
} MockRows;

typedef enum MockCall
{
	MOCK_BEGIN,
	MOCK_WRITE,
	MOCK_WRITTEN, /* what was written is there */
	MOCK_SET,
	MOCK_RELEASE,
	MOCK_BACK,
	MOCK_COMMIT
} MockCall;

/* What a transaction has changed so far. */
typedef struct MockChanges
{
	MockRows rows;
	bool touched[MOCK_TABLES][MOCK_IDS];
} MockChanges;

typedef struct MockTarget MockTarget;

struct TargetWriter
{
	MockTarget *target;
	int number; /* in the order of opening */
	bool open;
	bool failed;  /* nothing but back */
	bool lost;	  /* the connection is gone */
	uint32_t xid; /* of the first change that was, or is to be, written */
	MockChanges changes;
	MockChanges saved[MOCK_SAVEPOINTS];
	int saved_count;
};

/*
 * False and err: the call is refused; P_CONNECTION_LOST ends the connection, too.
 * The mutex is held; a rule may wait for target->changed.
 */
typedef bool (*MockRule)(MockTarget *target, TargetWriter *writer,
						 MockCall call, const char *text, Error *err);

typedef struct MockLine
{
	int writer;
	char text[240];
} MockLine;

struct MockTarget
{
	Target base;
	pthread_mutex_t mutex;	/* of all that follows */
	pthread_cond_t changed; /* after each call */
	MockRows rows;
	Lsn resume_lsn;
	ApplyCounts counts; /* sum of all commits */
	uint64_t seen;		/* the same, of their ledgers */
	TargetWriter *owners[MOCK_TABLES][MOCK_IDS]; /* who has locked the row */
	TargetWriter *writers[MOCK_WRITERS];
	int writer_count;
	int writer_max;	 /* more are refused */
	int calls;		 /* all but MOCK_WRITTEN, rollback and close */
	int misuse;		 /* calls that no target allows */
	MockLine *lines; /* every call, in order */
	int line_count;
	MockRule rule;
	void *arg; /* the rule's */

	const PlanTable *tables[MOCK_TABLES]; /* set before it is used */
};

void mock_init(MockTarget *target);
void mock_release(MockTarget *target);

/* Forget what was done; rows are empty. */
void mock_reset(MockTarget *target);

/* For tests that do not read them. */
void mock_forget_lines(MockTarget *target);

/* Does any writer but this one have rows that are not committed? */
bool mock_others_hold(const MockTarget *target, const TargetWriter *writer);

/* The mutex is held: wait until a line begins like that. */
void mock_wait_line(MockTarget *target, int writer, const char *text);

/* The index of the first such line, or -1. */
int mock_find_line(const MockTarget *target, int writer, const char *text);

/* The lines of one writer, or of all (-1), a blank between them. */
void mock_log(const MockTarget *target, int writer, Buffer *out);

/* Of tables, in texts. */
extern const char mock_letters[];

/* "+p1:10 -u2 !=p3>4:5": an exclamation mark for what stands by itself. */
void mock_plan_text(const Plan *plan, Buffer *out);

/* "p1:10 u3:30", by table and id. */
void mock_rows_text(const MockRows *rows, Buffer *out);

#endif /* PORTAGE_MOCK_TARGET_H */
