/*
 * expr_calc.c
 *		Expressions for tests: one a line, with the values of its columns.
 *
 * A line is an expression and, behind tabs, the values of a0, a1, ... as text;
 * \N is NULL.  What it gives, or "error: " and why, is printed on a line.
 * With --real the columns are float8, with --integer int8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"

#define COLUMNS_MAX 8

static const char *const names[COLUMNS_MAX] = { "a0", "a1", "a2", "a3",
												"a4", "a5", "a6", "a7" };

/* Compiled anew only if it is another expression than in the line before. */
static ExprProgram *
program_of(ExprDb *db, const char *expression, ExprBind bind, Error *err)
{
	static ExprProgram *program;
	static char *known;
	ExprColumn columns[COLUMNS_MAX];
	int wrong;
	int i;

	if (known != NULL && strcmp(known, expression) == 0 && program != NULL)
		return program;
	for (i = 0; i < COLUMNS_MAX; i++)
		columns[i] = (ExprColumn){ names[i], bind };
	expr_program_free(program);
	free(known);
	known = strdup(expression);
	program = expr_compile(db, "t", columns, COLUMNS_MAX, &expression, 1,
						   &wrong, err);
	return program;
}

static void
calculate(ExprDb *db, char *line, ExprBind bind)
{
	ExprContext context = { .op = "insert", .lsn = 1, .source = "test" };
	Value values[COLUMNS_MAX];
	Error err = ERROR_INIT;
	char *expression = strsep(&line, "\t");
	ExprProgram *program;
	ExprValue result;
	int wrong;
	int i;

	memset(values, 0, sizeof(values));
	for (i = 0; line != NULL && i < COLUMNS_MAX; i++)
	{
		char *text = strsep(&line, "\t");

		if (strcmp(text, "\\N") != 0)
			values[i] = (Value){ text, (uint32_t) strlen(text),
								 WIRE_COL_PRESENT };
	}
	program = program_of(db, expression, bind, &err);
	if (program == NULL ||
		!expr_eval(program, values, NULL, &context, &result, &wrong, &err))
		printf("error: %s\n", err.message);
	else if (result.kind == EXPR_NULL)
		puts("\\N");
	else
		printf("%.*s\n", (int) result.text.len, result.text.data);
}

int
main(int argc, char **argv)
{
	ExprBind bind = EXPR_BIND_TEXT;
	Error err = ERROR_INIT;
	ExprDb *db = expr_db_open(&err);
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc > 1 && strcmp(argv[1], "--real") == 0)
		bind = EXPR_BIND_REAL;
	else if (argc > 1 && strcmp(argv[1], "--integer") == 0)
		bind = EXPR_BIND_INTEGER;
	if (db == NULL)
	{
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	while ((len = getline(&line, &room, stdin)) > 0)
	{
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		calculate(db, line, bind);
	}
	free(line);
	return 0;
}
