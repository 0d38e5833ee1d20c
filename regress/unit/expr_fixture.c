/*
 * expr_fixture.c
 *		See expr_fixture.h.
 */
#include "expr_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

const ExprColumn fixture_columns[COL_COUNT] = {
	{ "id", EXPR_BIND_INTEGER },	 { "name", EXPR_BIND_TEXT },
	{ "amount", EXPR_BIND_NUMERIC }, { "rate", EXPR_BIND_REAL },
	{ "active", EXPR_BIND_BOOL },	 { "data", EXPR_BIND_BLOB },
	{ "ts", EXPR_BIND_TEXT },		 { "zip", EXPR_BIND_TEXT },
	{ "note", EXPR_BIND_TEXT },		 { "big", EXPR_BIND_TEXT },
};

Value fixture_row[COL_COUNT];
Value fixture_old[COL_COUNT];
ExprContext fixture_context;

Value
fixture_value(const char *text)
{
	return (Value){ text, (uint32_t) strlen(text), WIRE_COL_PRESENT };
}

Value
fixture_null(void)
{
	return (Value){ NULL, 0, WIRE_COL_NULL };
}

void
fixture_reset(void)
{
	static const char *const row[COL_COUNT] = { "42",
												"Grete",
												"19.90",
												"0.1",
												"t",
												"\001\002\377",
												"2024-07-01 12:30:15.25+00",
												"02139" };
	static const char *const old[COL_COUNT] = { "41", "Hans", "7.5", "NaN",
												"f",  "",	  NULL,	 "99999" };
	int i;

	for (i = 0; i < COL_COUNT; i++)
	{
		fixture_row[i] = row[i] != NULL ? fixture_value(row[i])
										: fixture_null();
		fixture_old[i] = old[i] != NULL ? fixture_value(old[i])
										: fixture_null();
	}
	fixture_row[COL_BIG].state = WIRE_COL_UNCHANGED;
	fixture_old[COL_BIG].state = WIRE_COL_ABSENT;
	fixture_context = (ExprContext){ .op = "update",
									 .lsn = 0x16B374D848,
									 .xid = 777,
									 .commit_time_us = INT64_C(773152215500000),
									 .source = "shop" };
}

static const char *
show(const ExprValue *value)
{
	static char text[600000];

	if (value->kind == EXPR_NULL)
		return "NULL";
	if (value->text.len >= sizeof(text))
		return "(long)";
	memcpy(text, value->text.data, value->text.len);
	text[value->text.len] = '\0';
	return text;
}

static const char *
evaluate(ExprDb *db, const ExprColumn *columns, int count, const Value *row,
		 const Value *old, const char *expression)
{
	static char message[2200];
	const char *result = message;
	Error err = ERROR_INIT;
	ExprProgram *program;
	ExprValue value;
	int wrong;

	program = expr_compile(db, "orders", columns, count, &expression, 1, &wrong,
						   &err);
	if (program != NULL &&
		expr_eval(program, row, old, &fixture_context, &value, &wrong, &err))
		result = show(&value);
	else
		snprintf(message, sizeof(message), "error: %s%s%s", err.message,
				 err.hint[0] != '\0' ? "; " : "", err.hint);
	expr_program_free(program);
	return result;
}

const char *
fixture_eval(ExprDb *db, const char *expression)
{
	return evaluate(db, fixture_columns, COL_COUNT, fixture_row, fixture_old,
					expression);
}

const char *
fixture_call(ExprDb *db, const char *expression, ExprBind bind,
			 const char *const *values, int count)
{
	ExprColumn columns[8];
	Value row[8];
	char names[8][16];
	int i;

	for (i = 0; i < count && i < 8; i++)
	{
		snprintf(names[i], sizeof(names[i]), "a%d", i);
		columns[i] = (ExprColumn){ names[i], bind };
		row[i] = values[i] != NULL ? fixture_value(values[i]) : fixture_null();
	}
	return evaluate(db, columns, count, row, NULL, expression);
}

const char *
fixture_compile(ExprDb *db, const char *expression)
{
	static char message[2200];
	Error err = ERROR_INIT;
	ExprProgram *program;
	int wrong;

	program = expr_compile(db, "orders", fixture_columns, COL_COUNT,
						   &expression, 1, &wrong, &err);
	if (program != NULL)
	{
		expr_program_free(program);
		return "compiled";
	}
	snprintf(message, sizeof(message), "%s%s%s%s", err.message,
			 err.code == P_RULE ? "" : " (not P_RULE)",
			 err.hint[0] != '\0' ? "; " : "", err.hint);
	return message;
}
