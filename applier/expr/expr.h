/*
 * expr.h
 *		Expressions of the rules: SQLite's SQL over one row at a time.
 *
 * An ExprDb is a database that nothing leaves: no files, no ATTACH, no pragmas, no
 * writes by an expression (authorizer), a limit of steps for each row (progress
 * handler), of memory and of sizes.  One thread at a time uses it.  References are
 * tables in it (expr_reference_*); what does not fit into 64 MB of
 * memory goes to a temporary file without a name.
 *
 * An ExprProgram is a list of expressions over the columns of one table, compiled
 * once and evaluated for each row as one prepared statement.
 *
 * Text is UTF-8 here, on the way in and out.  Of a source with another encoding the
 * caller has to convert values before and results after, or refuse its rules: a
 * value that is looked at and is not UTF-8 is an error.  bytea comes as its bytes,
 * as in the stream; a copy's \x... is decoded by the caller.
 */
#ifndef PORTAGE_EXPR_H
#define PORTAGE_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/slice.h"
#include "change.h"

typedef struct ExprDb ExprDb;
typedef struct ExprProgram ExprProgram;

/* How a value of the source is seen by SQLite; by its base type. */
typedef enum ExprBind
{
	EXPR_BIND_TEXT,	   /* as PostgreSQL prints it */
	EXPR_BIND_INTEGER, /* int2, int4, int8, oid */
	EXPR_BIND_BOOL,	   /* 1 and 0 */
	EXPR_BIND_REAL,	   /* float4, float8; NaN and infinities as text */
	EXPR_BIND_NUMERIC, /* text, and only for dec_ functions: see expr_compile */
	EXPR_BIND_BLOB	   /* bytea */
} ExprBind;

/* By pg_type.oid, domains unwrapped; TEXT for all that is not listed. */
ExprBind expr_bind_of(uint32_t base_type_oid);

typedef struct ExprColumn
{
	const char *name;
	ExprBind bind;
} ExprColumn;

/* What expressions see of the change itself. */
typedef struct ExprContext
{
	const char *op; /* "insert", "update", "delete"; "insert" in the copy */
	Lsn lsn;		/* of the commit; of the snapshot in the copy */
	uint32_t xid;	/* 0: none, as in the copy; NULL to expressions */
	int64_t commit_time_us; /* since 2000-01-01 UTC; 0: none */
	const char *source;		/* name of the source */
	/*
	 * portage_counter(): the next number of the key in this column's sequence.
	 * NULL where no counter may be used.
	 */
	bool (*counter)(void *arg, int expression, Slice key, int64_t *next,
					Error *err);
	void *counter_arg;
} ExprContext;

/* What a program looks at; found out when it is compiled. */
typedef struct ExprUses
{
	bool *columns;	   /* of the new row, by column */
	bool *old_columns; /* old.name, by column */
	bool op, lsn, xid, commit_time, counter;
	const char **references; /* names of those it asks */
	int reference_count;
} ExprUses;

/*
 * One value; its bytes live until the next evaluation of its program and as long
 * as the values that were evaluated: a plain column is not copied.  There need not
 * be a NUL behind it.
 */
typedef enum ExprKind
{
	EXPR_NULL,
	EXPR_INTEGER,
	EXPR_REAL,
	EXPR_TEXT,
	EXPR_BLOB
} ExprKind;

typedef struct ExprValue
{
	ExprKind kind;
	int64_t integer;
	double real;
	Slice text; /* TEXT, BLOB; and the decimal form of INTEGER and REAL, the
				 * latter as PostgreSQL prints a float8 */
} ExprValue;

/* P_RULE if SQLite cannot be set up. */
ExprDb *expr_db_open(Error *err);
void expr_db_close(ExprDb *db);

/*
 * Compile.  The table is what its columns may be qualified with; old.name is the
 * old row.  With an error (P_RULE) *wrong is the index of the expression it is
 * about, and the message says what and, where SQLite or we know, at which word;
 * misspelt columns and functions come with a suggestion.  An expression that
 * names a numeric column is refused unless every occurrence is an argument of a
 * dec_ function, of IS [NOT] NULL, or the whole expression: to SQLite it is text,
 * so amount > 100 would be true for '5'.  References have to be there before.
 */
ExprProgram *
expr_compile(ExprDb *db, const char *table, const ExprColumn *columns,
			 int column_count, const char *const *expressions, int count,
			 int *wrong, Error *err);
void expr_program_free(ExprProgram *program);

/* What all of it looks at, and what one of its expressions does. */
const ExprUses *expr_uses(const ExprProgram *program);
const ExprUses *expr_uses_of(const ExprProgram *program, int expression);

/* The expression is nothing but this column: its index, or -1. */
int expr_plain_column(const char *table, const ExprColumn *columns,
					  int column_count, const char *expression);

/*
 * Evaluate over a row: values by column, old is NULL where there is none (then
 * old.name is NULL).  ABSENT and UNCHANGED values must not be used: P_RULE_VALUE
 * names the column.  P_RULE_VALUE with SQLite's words where an expression fails or
 * takes too long, P_REFERENCE where a required key is missing, and *wrong the
 * expression if that is known, or -1.  portage_counter() may have counted before
 * another expression failed.
 */
bool expr_eval(ExprProgram *program, const Value *values, const Value *old,
			   const ExprContext *context, ExprValue *results, int *wrong,
			   Error *err) MUST_CHECK;

/* Is it true as WHERE takes it: a number other than 0? */
bool expr_is_true(const ExprValue *value);

/* ---- references: tables that expressions may ask */

typedef struct ExprReference
{
	const char *name;
	const ExprColumn *columns;
	int column_count;
	const int *key; /* indexes of the key's columns */
	int key_count;
	/* A key that is not there is an error where it is asked for with = on all of
	 * its columns; not if one of them is compared with NULL. */
	bool required;
} ExprReference;

/* Create it, empty; P_RULE. */
bool expr_reference_create(ExprDb *db, const ExprReference *reference,
						   Error *err) MUST_CHECK;
/* Add or replace the row with this key; values by column.  P_REFERENCE. */
bool expr_reference_put(ExprDb *db, const char *name, const Value *values,
						Error *err) MUST_CHECK;
/* Remove the row with the key of these values, if there is one. */
bool expr_reference_delete(ExprDb *db, const char *name, const Value *values,
						   Error *err) MUST_CHECK;
/*
 * The row with the key of these values: *found, and row, by column, in the arena,
 * in PostgreSQL's output form.  Not while an expression is evaluated.
 */
bool expr_reference_get(ExprDb *db, const char *name, const Value *values,
						Arena *arena, Value *row, bool *found,
						Error *err) MUST_CHECK;
bool expr_reference_clear(ExprDb *db, const char *name, Error *err) MUST_CHECK;
/* Between begin and commit nothing is seen by half; much faster for many rows. */
bool expr_reference_begin(ExprDb *db, Error *err) MUST_CHECK;
bool expr_reference_commit(ExprDb *db, Error *err) MUST_CHECK;
void expr_reference_rollback(ExprDb *db);

#endif /* PORTAGE_EXPR_H */
