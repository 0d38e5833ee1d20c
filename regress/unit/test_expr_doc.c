/*
 * test_expr_doc.c
 *		doc/expressions.md: every example gives what it says, and every function that
 *		expressions may call is named there.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "expr/expr_db.h"
#include "expr_fixture.h"
#include "tap.h"

#define FILE_NAME "../../doc/expressions.md"

static ExprDb *db;

static void
read_document(Buffer *out)
{
	char chunk[4096];
	size_t len;
	FILE *file = fopen(FILE_NAME, "r");

	while (file != NULL && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, len);
	if (file != NULL)
		fclose(file);
}

static bool
count_up(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	(void) arg;
	(void) expression;
	(void) key;
	(void) err;
	*next = 1;
	return true;
}

static void
create_reference(void)
{
	static const ExprColumn columns[] = { { "zip", EXPR_BIND_TEXT },
										  { "city", EXPR_BIND_TEXT } };
	static const int key[] = { 0 };
	const ExprReference reference = { "zip", columns, 2, key, 1, false };
	const Value row[] = { fixture_value("02139"), fixture_value("Cambridge") };
	Error err = ERROR_INIT;

	ok(expr_reference_create(db, &reference, &err) &&
		   expr_reference_put(db, "zip", row, &err),
	   "the reference%s", err.message);
}

typedef enum Block
{
	BLOCK_NONE,
	BLOCK_GIVES,   /* ```sql */
	BLOCK_REFUSED, /* ```refused: when it is compiled */
	BLOCK_FAILS	   /* ```fails: when it is evaluated */
} Block;

/* "expression    -- what it gives" */
static bool
run_example(Block block, char *line)
{
	char *want = strstr(line, " -- ");
	char *end = want;

	if (want == NULL)
		return false;
	while (end > line && end[-1] == ' ')
		end--;
	*end = '\0';
	want += 4;
	if (block == BLOCK_GIVES)
		is_str(fixture_eval(db, line), want, line);
	else if (block == BLOCK_REFUSED)
		has(fixture_compile(db, line), want, line);
	else
	{
		is_str(fixture_compile(db, line), "compiled", line);
		has(fixture_eval(db, line), want, line);
	}
	return true;
}

static void
run_examples(char *text)
{
	Block block = BLOCK_NONE;
	int examples = 0;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
	{
		if (strncmp(line, "```", 3) == 0)
			block = strcmp(line, "```sql") == 0		  ? BLOCK_GIVES
					: strcmp(line, "```refused") == 0 ? BLOCK_REFUSED
					: strcmp(line, "```fails") == 0	  ? BLOCK_FAILS
													  : BLOCK_NONE;
		else if (block != BLOCK_NONE)
		{
			if (run_example(block, line))
				examples++;
			else
				ok(false, "an example without value: %s", line);
		}
	}
	ok(examples > 60, "%d examples", examples);
}

/* `name`, or `name(...) */
static bool
is_named(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *p;

	for (p = text; (p = strstr(p, name)) != NULL; p++)
	{
		if (p > text && p[-1] == '`' && (p[len] == '`' || p[len] == '('))
			return true;
	}
	return false;
}

static void
test_names(const char *text)
{
	int i;

	for (i = 0; expr_function_names[i] != NULL; i++)
		ok(is_named(text, expr_function_names[i]), "%s is in the list",
		   expr_function_names[i]);
}

int
main(void)
{
	Error err = ERROR_INIT;
	Buffer text;

	buffer_init(&text);
	read_document(&text);
	fixture_reset();
	fixture_context.counter = count_up;
	db = expr_db_open(&err);
	ok(db != NULL && text.len > 0, "a database and the document");
	create_reference();
	test_names(text.data);
	run_examples(text.data);
	expr_db_close(db);
	buffer_release(&text);
	return done_testing();
}
