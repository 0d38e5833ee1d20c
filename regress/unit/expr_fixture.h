/*
 * expr_fixture.h
 *		A table and a row for tests of expressions.
 */
#ifndef EXPR_FIXTURE_H
#define EXPR_FIXTURE_H

#include "expr/expr.h"

enum
{
	COL_ID,
	COL_NAME,
	COL_AMOUNT,
	COL_RATE,
	COL_ACTIVE,
	COL_DATA,
	COL_TS,
	COL_ZIP,
	COL_NOTE, /* NULL */
	COL_BIG,  /* TOASTed and not changed */
	COL_COUNT
};

extern const ExprColumn fixture_columns[COL_COUNT];
extern Value fixture_row[COL_COUNT];
extern Value fixture_old[COL_COUNT];
extern ExprContext fixture_context;

Value fixture_value(const char *text);
Value fixture_null(void);

/* Set both rows and the context to what the tests expect. */
void fixture_reset(void);

/*
 * The value of an expression over the row: its text, "NULL", or, with "error: "
 * before it, the message. Valid until the next call.
 */
const char *fixture_eval(ExprDb *db, const char *expression);

/* The same, over values whose columns are a0 to a(count - 1), of this kind. */
const char *fixture_call(ExprDb *db, const char *expression, ExprBind bind,
						 const char *const *values, int count);

/* The message of compiling; "compiled" if it could be. With hint behind it. */
const char *fixture_compile(ExprDb *db, const char *expression);

#endif /* EXPR_FIXTURE_H */
