/*
 * row_error.h
 *		Naming the row of a change in an error.
 */
#ifndef PORTAGE_ROW_ERROR_H
#define PORTAGE_ROW_ERROR_H

#include "base/error.h"
#include "change.h"

/* Put table, operation, key and transaction to an error that is set. */
bool row_error(Error *err, const Txn *txn, const Change *change);

/* The word for a change: "INSERT". */
const char *change_verb(const Change *change);

#endif /* PORTAGE_ROW_ERROR_H */
