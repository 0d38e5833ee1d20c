/*
 * statement_pg.h
 *		The statement that carries out a change, or a vector of them, prepared
 *		once per relation, kind and set of columns.
 *
 * A column whose value is not in the WAL (unchanged TOAST) is not in the SET
 * list, so one table can need several statements.  Rows are found by the
 * identity's columns; a table without a key but with REPLICA IDENTITY FULL by
 * the image of the whole row, one row at a time.
 */
#ifndef PORTAGE_STATEMENT_PG_H
#define PORTAGE_STATEMENT_PG_H

#include "base/buffer.h"
#include "change.h"
#include "plan/plan.h"
#include "postgres/array_binary.h"

/* Where a parameter's value comes from. */
typedef struct ParamRef
{
	bool old; /* the old tuple, else the new one; of a vector: the key */
	int column;
} ParamRef;

typedef struct Statement
{
	char name[16];
	const char *sql;
	int param_count;
	const ParamRef *params;
	const int *formats;		 /* of a row: 1 for bytea, else 0 */
	const ArrayForm *arrays; /* of a vector: how each may travel */
	bool prepared;			 /* sent to the server of this session */
} Statement;

typedef struct StatementCache StatementCache;

StatementCache *statement_cache_new(void);
void statement_cache_free(StatementCache *cache);

/*
 * The statement for this change; made if it is new.  Not for TRUNCATE.  keyed:
 * PlanTable.keyed, or false where it is not known.
 */
Statement *
statement_for(StatementCache *cache, const Change *change, bool keyed);

/*
 * The same for an UPDATE or DELETE of a vector, whose table is of table_facts.h;
 * parameters are arrays of the columns.
 */
Statement *
statement_for_vector(StatementCache *cache, const PlanVector *vector);

/* Too many: time for DEALLOCATE ALL and statement_cache_clear(). */
bool statement_cache_full(const StatementCache *cache);
void statement_cache_clear(StatementCache *cache);

/* TRUNCATE of those relations for which wanted[i]; false if none is. */
bool truncate_sql(const Change *change, const bool *wanted, Buffer *sql);

#endif /* PORTAGE_STATEMENT_PG_H */
