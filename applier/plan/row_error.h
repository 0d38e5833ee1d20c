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

#endif /* PORTAGE_ROW_ERROR_H */
