/*
 * reference_rows.h
 *		Rows of the copy of a followed table: into an engine's reference, or into
 *		what the target keeps.
 *
 * They come in COPY's text form, with the table's columns.  A row whose key has a null is none, as in the stream.
 */
#ifndef PORTAGE_REFERENCE_ROWS_H
#define PORTAGE_REFERENCE_ROWS_H

#include "kept.h"
#include "rules/rule_reference.h"

typedef struct ReferenceRows ReferenceRows;

/* columns: of the rows, in their order.  db: NULL, or where the rows are put. */
ReferenceRows *
reference_rows_open(const RuleReference *reference, const char *const *columns,
					int column_count, ExprDb *db);
void reference_rows_close(ReferenceRows *rows); /* NULL is fine */

/*
 * The rows of one call; *kept, *count: the same as rows to be kept, valid until
 * the next, if there is no db.  P_REFERENCE, P_COPY.
 */
bool reference_rows_take(ReferenceRows *rows, Slice in, const KeptRow **kept,
						 int *count, Error *err) MUST_CHECK;

/* Those that a set follows: i from 0; NULL at the end. */
const RuleReference *rule_set_followed(const RuleSet *set, int i);

#endif /* PORTAGE_REFERENCE_ROWS_H */
