/*
 * ddl_refuse.h
 *		The stream stops at something that cannot be carried: with the statement,
 *		and what there is to choose from.
 */
#ifndef PORTAGE_DDL_REFUSE_H
#define PORTAGE_DDL_REFUSE_H

#include "base/error.h"
#include "change.h"

/*
 * P_DDL_STREAM; always false.  tag: what kind of command; statement: its text, or
 * what is known of it.
 */
bool
ddl_refuse(Error *err, const Txn *txn, const char *tag, const char *statement,
		   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/*
 * The same with what the server said against it: err as it is, unless that is no
 * matter of the command (a lost connection ...).  Always false.
 */
bool ddl_refuse_failed(Error *err, const Txn *txn, const char *tag,
					   const char *statement);

#endif /* PORTAGE_DDL_REFUSE_H */
