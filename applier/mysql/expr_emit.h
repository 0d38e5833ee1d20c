/*
 * expr_emit.h
 *		An expression while it is written for the target: what the files share.
 *
 *		translate_expr.c		names, comparisons, conditions
 *		expr_emit_constant.c	constants, by what stands beside them
 *		expr_emit_value.c		arithmetic, text, casts
 *		expr_emit_call.c		functions
 *
 * Each node says what it is (Value); a constant becomes SQL only when it is
 * known what it is compared with.  SQL is put into parentheses everywhere.
 */
#ifndef PORTAGE_EXPR_EMIT_H
#define PORTAGE_EXPR_EMIT_H

#include "mysql/translate_expr.h"

#define EXPR_DECIMAL_DIGITS_MAX 65
#define EXPR_DECIMAL_SCALE_MAX 30

typedef struct Value
{
	const char *sql; /* NULL: a constant that is not settled */
	Family family;
	const WorkColumn *column; /* it is that column, or NULL */
	const PgExpr *constant;	  /* text or a number, below casts */
	bool literal;			  /* made of constants alone */
	const char *type;		  /* that the constant was cast to, or NULL */
	int precision;
	int scale;
	int64_t length;
	bool ordered;		 /* text whose order is that of its bytes */
	bool explicit_bytes; /* COLLATE "C" */
} Value;

typedef struct Emitter
{
	const ExprScope *scope;
	ExprSql *out;
	int depth;
} Emitter;

/* Say why, unless somebody has; false. */
bool expr_cannot(Emitter *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void value_set(Value *value, Family family, const char *sql);
bool family_is_number(Family family);
bool family_is_time(Family family); /* without a zone */

/* Make SQL of a constant beside that value, or (NULL) alone; others have it. */
bool value_settle(Emitter *self, Value *value, const Value *peer);
/* Both sides of an operator, settled. */
bool expr_emit_pair(Emitter *self, const PgExpr *left_expr,
					const PgExpr *right_expr, Value *left, Value *right);
/* All results are of one kind, that of the first that is no constant. */
bool expr_same_kind(Emitter *self, Value *values, int count, Value *result);
/* An integer as a decimal: as many digits as it may have. */
void value_integer_digits(Value *value);

bool expr_emit(Emitter *self, const PgExpr *expr, Value *value);
bool expr_emit_arithmetic(Emitter *self, const PgExpr *expr, Value *value);
bool expr_emit_minus(Emitter *self, const PgExpr *expr, Value *value);
bool expr_emit_concat(Emitter *self, const PgExpr *expr, Value *value);
bool
expr_emit_like(Emitter *self, const PgExpr *expr, bool negated, Value *value);
bool expr_emit_cast(Emitter *self, const PgExpr *expr, Value *value);
bool expr_emit_call(Emitter *self, const PgExpr *expr, Value *value);

#endif /* PORTAGE_EXPR_EMIT_H */
