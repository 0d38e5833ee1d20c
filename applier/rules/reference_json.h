/*
 * reference_json.h
 *		Rows of followed tables in the form in which the target keeps them.
 *
 * Objects of the columns' names and texts; null is null, bytes are "\x...".  The
 * key has the key's columns, the body all that the reference has.  An empty body
 * is a row that went by TRUNCATE.
 */
#ifndef PORTAGE_REFERENCE_JSON_H
#define PORTAGE_REFERENCE_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "change.h"
#include "expr/expr.h"

/* Values by the reference's column; in the arena. */
Slice reference_json_key(const ExprReference *shape, const Value *values,
						 Arena *arena);
Slice reference_json_body(const ExprReference *shape, const Value *values,
						  Arena *arena);

/*
 * Values by column; what the body does not have is null.  P_REFERENCE if it is
 * none that we have written.
 */
bool reference_json_values(const ExprReference *shape, Slice body, Arena *arena,
						   Value *values, Error *err) MUST_CHECK;

#endif /* PORTAGE_REFERENCE_JSON_H */
