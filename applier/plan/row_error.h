/*
 * row_error.h
 *		Naming the row of a change in an error.
 */
#ifndef PORTAGE_ROW_ERROR_H
#define PORTAGE_ROW_ERROR_H

#include "base/error.h"
#include "change.h"
#include "plan/plan.h"

/* Put table, operation, key and transaction to an error that is set. */
bool row_error(Error *err, const Txn *txn, const Change *change);

/*
 * Put table, operation and number of rows to an error that is set: which row of
 * a vector it was, only its rows one by one can tell.
 */
bool vector_error(Error *err, const PlanVector *vector, int rows);

/* The word for a change: "INSERT". */
const char *change_verb(const Change *change);

/* The WAL does not say which row was meant: P_NO_IDENTITY.  Always false. */
bool row_nokey_error(const Txn *txn, const Change *change, Error *err);

/* ... or which part of an interrupted copy it belongs to.  Always false. */
bool row_unknown_error(const Txn *txn, const Change *change, Error *err);

/*
 * change_half(), or NULL and P_MOVED_ROW if the WAL lacks a value of the row to
 * insert.
 */
const Change *row_half(const Txn *txn, const Change *change, ChangeKind kind,
					   Arena *arena, Error *err) MUST_CHECK;

#endif /* PORTAGE_ROW_ERROR_H */
