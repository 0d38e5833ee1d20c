/*
 * expr_eval.c
 *		One row through a program.
 */
#include "expr/expr_db.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* ---- results */

static bool
take_text(sqlite3_stmt *statement, int column, ExprValue *result, Error *err)
{
	const char *data;
	size_t len;
	size_t good;

	/* not sqlite3_column_text(): it copies to put a NUL behind */
	data = sqlite3_column_blob(statement, column);
	len = (size_t) sqlite3_column_bytes(statement, column);
	result->text.data = data != NULL ? data : "";
	result->text.len = len;
	if (result->kind == EXPR_BLOB)
		return true;
	good = expr_utf8_length(result->text.data, len);
	if (good == len)
		return true;
	return error_set(err, P_RULE_VALUE,
					 result->text.data[good] == '\0'
						 ? "the text that it gives has a NUL in it, which no "
						   "text of PostgreSQL may have"
						 : "the text that it gives is not UTF-8 at byte %zu",
					 good + 1);
}

/* In decimal; returns the length. Asked for every row, unlike any format. */
static size_t
print_integer(int64_t value, char out[32])
{
	uint64_t rest = value < 0 ? -(uint64_t) value : (uint64_t) value;
	char *end = out + 31;
	char *start = end;
	size_t len;

	do
		*--start = (char) ('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (value < 0)
		*--start = '-';
	len = (size_t) (end - start);
	memmove(out, start, len);
	out[len] = '\0';
	return len;
}

static bool
take_result(ExprProgram *program, int column, ExprValue *result, Error *err)
{
	sqlite3_stmt *statement = program->statement;
	char *number = program->numbers[column];
	int len;

	switch (sqlite3_column_type(statement, column))
	{
		case SQLITE_INTEGER:
			result->kind = EXPR_INTEGER;
			result->integer = sqlite3_column_int64(statement, column);
			result->text.data = number;
			result->text.len = print_integer(result->integer, number);
			return true;
		case SQLITE_FLOAT:
			result->kind = EXPR_REAL;
			result->real = sqlite3_column_double(statement, column);
			len = expr_print_real(result->real, number);
			result->text = (Slice){ number, (size_t) len };
			return true;
		case SQLITE_TEXT:
			result->kind = EXPR_TEXT;
			return take_text(statement, column, result, err);
		case SQLITE_BLOB:
			result->kind = EXPR_BLOB;
			return take_text(statement, column, result, err);
		default:
			result->kind = EXPR_NULL;
			result->text = (Slice){ "", 0 };
			return true;
	}
}

/* ---- errors */

static bool
failure(ExprDb *db, Error *err)
{
	if (error_is_set(&db->problem))
	{
		*err = db->problem;
		return false;
	}
	if (!expr_limits_kept(db, P_RULE_VALUE, err))
		return false;
	return error_set(err, P_RULE_VALUE, "%s", sqlite3_errmsg(db->sql));
}

/* Evaluate this one alone: does it fail? */
static bool
fails_alone(ExprProgram *program, int expression)
{
	ExprDb *db = program->db;
	sqlite3_stmt *statement = NULL;
	bool failed;
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql, "SELECT (%s\n) FROM %s AS ", program->sql[expression],
				  program->module);
	expr_put_name(&sql, program->table);
	expr_enter(db);
	failed = sqlite3_prepare_v2(db->sql, sql.data, (int) sql.len + 1,
								&statement, NULL) != SQLITE_OK ||
			 sqlite3_step(statement) != SQLITE_ROW;
	sqlite3_finalize(statement);
	expr_leave(db);
	buffer_release(&sql);
	return failed;
}

static int
find_wrong(ExprProgram *program)
{
	ExprDb *db = program->db;
	int known = db->problem_expression;
	int i;

	if (known >= 0 || program->count == 1)
		return known >= 0 ? known : 0;
	db->locating = true;
	for (i = 0; i < program->count; i++)
	{
		if (fails_alone(program, i))
			break;
	}
	db->locating = false;
	return i < program->count ? i : -1;
}

/* ---- evaluation */

static bool
step(ExprProgram *program, Error *err)
{
	ExprDb *db = program->db;
	int status;

	if (!program->endless)
		sqlite3_reset(program->statement);
	expr_enter(db);
	status = sqlite3_step(program->statement);
	expr_leave(db);
	if (status == SQLITE_ROW && expr_limits_kept(db, P_RULE_VALUE, err))
		return true;
	if (status != SQLITE_ROW)
		failure(db, err);
	return false;
}

bool
expr_eval(ExprProgram *program, const Value *values, const Value *old,
		  const ExprContext *context, ExprValue *results, int *wrong,
		  Error *err)
{
	ExprDb *db = program->db;
	bool good;
	int i;

	*wrong = -1;
	program->values = values;
	program->old = old;
	db->context = context;
	db->compiling = program;
	good = step(program, err);
	for (i = 0; good && i < program->count; i++)
	{
		if (!take_result(program, i, &results[i], err))
		{
			*wrong = i;
			good = false;
		}
	}
	if (!good)
	{
		sqlite3_reset(program->statement);
		if (*wrong < 0)
			*wrong = find_wrong(program);
	}
	db->context = NULL;
	db->compiling = NULL;
	program->values = NULL;
	program->old = NULL;
	return good;
}

bool
expr_is_true(const ExprValue *value)
{
	char start[64];
	char *end;
	double real;

	switch (value->kind)
	{
		case EXPR_INTEGER:
			return value->integer != 0;
		case EXPR_REAL:
			return value->real != 0;
		case EXPR_TEXT:
		case EXPR_BLOB:
			break;
		default:
			return false;
	}
	/* the number that a text begins with; strtod() alone knows hexadecimal */
	snprintf(start, sizeof(start), "%.*s",
			 (int) (value->text.len < 63 ? value->text.len : 63),
			 value->text.data);
	start[strspn(start, " \t\n\v\f\r0123456789+-.eE")] = '\0';
	real = strtod(start, &end);
	return end != start && real != 0 && isfinite(real);
}
