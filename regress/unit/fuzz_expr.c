/*
 * fuzz_expr.c
 *		libFuzzer target: expressions of anything, over a row and references.
 *
 * Whatever comes is refused with an error, or compiled, alone as well as among
 * others, and gives for the same row the same value twice, or fails twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/expr_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ExprColumn columns[] = {
	{ "id", EXPR_BIND_INTEGER },	 { "name", EXPR_BIND_TEXT },
	{ "amount", EXPR_BIND_NUMERIC }, { "rate", EXPR_BIND_REAL },
	{ "active", EXPR_BIND_BOOL },	 { "data", EXPR_BIND_BLOB },
	{ "ts", EXPR_BIND_TEXT },		 { "note", EXPR_BIND_TEXT }
};
#define COLUMN_COUNT ((int) (sizeof(columns) / sizeof(*columns)))

static Value
value(const char *text)
{
	if (text == NULL)
		return (Value){ NULL, 0, WIRE_COL_NULL };
	return (Value){ text, (uint32_t) strlen(text), WIRE_COL_PRESENT };
}

static ExprDb *
open_db(void)
{
	static const ExprColumn zip[] = { { "zip", EXPR_BIND_TEXT },
									  { "rate", EXPR_BIND_NUMERIC } };
	static const int key[] = { 0 };
	const ExprReference references[] = { { "zips", zip, 2, key, 1, false },
										 { "must", zip, 2, key, 1, true } };
	Error err = ERROR_INIT;
	Value row[2] = { value("Grete"), value("1.5") };
	ExprDb *db = expr_db_open(&err);
	int i;

	for (i = 0; db != NULL && i < 2; i++)
	{
		if (!expr_reference_create(db, &references[i], &err) ||
			!expr_reference_put(db, references[i].name, row, &err))
			abort();
	}
	if (db == NULL)
		abort();
	return db;
}

static bool
count(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	(void) arg;
	(void) err;
	*next = expression + (int64_t) key.len;
	return true;
}

static void
evaluate(ExprProgram *program)
{
	static const char *const texts[] = {
		"42", "Grete", "19.90", "0.1", "t", "\001", "2024-07-01 00:00:00+00",
		NULL
	};
	const ExprContext context = {
		.op = "update", .lsn = 1, .source = "shop", .counter = count
	};
	Value row[COLUMN_COUNT];
	ExprValue results[3];
	uint64_t sums[2] = { 0, 0 };
	Error err = ERROR_INIT;
	int wrong;
	int i;
	size_t b;

	for (i = 0; i < COLUMN_COUNT; i++)
		row[i] = value(texts[i]);
	for (i = 0; i < 2; i++)
	{
		bool good = expr_eval(program, row, row, &context, results, &wrong,
							  &err);

		sums[i] = good;
		for (b = 0; good && b < results[0].text.len; b++)
			sums[i] = sums[i] * 31 + (unsigned char) results[0].text.data[b];
	}
	if (sums[0] != sums[1])
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static ExprDb *db;
	char *text = malloc(size + 1);
	const char *expressions[3] = { text, "id > 1", text };
	Error err = ERROR_INIT;
	ExprProgram *program;
	int wrong;

	if (db == NULL)
		db = open_db();
	memcpy(text, data, size);
	text[size] = '\0';
	program = expr_compile(db, "orders", columns, COLUMN_COUNT, expressions, 1,
						   &wrong, &err);
	if (program == NULL && !error_is_set(&err))
		abort();
	if (program != NULL)
	{
		evaluate(program);
		expr_program_free(program);
		/* what is one expression alone is one of three as well */
		program = expr_compile(db, "orders", columns, COLUMN_COUNT, expressions,
							   3, &wrong, &err);
		if (program == NULL)
			abort();
		expr_program_free(program);
	}
	free(text);
	return 0;
}
