/*
 * expr_guard.c
 *		SQLite's authorizer: what an expression may do, and what it looks at.
 *
 * SQLite asks it for every table, column and function while it compiles a
 * statement, also when it does so again because a reference was created since.
 * What is not named here is forbidden.
 */
#include "expr/expr_db.h"

#include <string.h>

/* Of SQLite itself; they only take apart what they are given. */
static const char *const harmless_tables[] = { "json_each", "json_tree" };

static int
refuse(ExprDb *db, const char *fmt, const char *name)
{
	Error *err = expr_problem(db);

	error_set(err, P_RULE, fmt, name);
	return SQLITE_DENY;
}

static void
note_reference(ExprDb *db, const Reference *reference)
{
	ExprUses *uses = db->uses;
	const char **names;
	int i;

	for (i = 0; i < uses->reference_count; i++)
	{
		if (strcmp(uses->references[i], reference->name) == 0)
			return;
	}
	names = ARENA_ARRAY(db->uses_arena, const char *,
						uses->reference_count + 1);
	if (uses->reference_count > 0)
		memcpy(names, uses->references,
			   (size_t) uses->reference_count * sizeof(*names));
	names[uses->reference_count++] = arena_strdup(db->uses_arena,
												  reference->name);
	uses->references = names;
}

/*
 * SELECT * and NATURAL JOIN read columns without naming them, and what was not
 * named was not checked.
 */
static int
read_column(ExprDb *db, const ExprColumn *column)
{
	int i;

	if (column->bind != EXPR_BIND_NUMERIC || db->tokens == NULL)
		return SQLITE_OK;
	for (i = 0; i < db->tokens->count; i++)
	{
		if (expr_token_name(db->tokens, i, column->name))
			return SQLITE_OK;
	}
	return refuse(db,
				  "%s is numeric and read without being named: write out the "
				  "columns instead of *",
				  column->name);
}

/* A column of the row: that of the program's virtual table with this name. */
static int
read_row(ExprDb *db, const char *column)
{
	const ExprProgram *program = db->compiling;
	int i;

	if (db->uses == NULL || *column == '\0')
		return SQLITE_OK;
	for (i = 0; i < program->row_column_count; i++)
	{
		const RowColumn *row = &program->row_columns[i];
		const char *name = program->columns[row->index].name;

		if (row->old ? strncmp(column, "old.", 4) == 0 &&
						   expr_same_name(column + 4, name)
					 : expr_same_name(column, name))
		{
			if (row->old)
				db->uses->old_columns[row->index] = true;
			else
				db->uses->columns[row->index] = true;
			return read_column(db, &program->columns[row->index]);
		}
	}
	return refuse(db, "no such column: %s", column);
}

static bool
is_reserved(const char *table)
{
	return sqlite3_strnicmp(table, "sqlite_", 7) == 0 ||
		   sqlite3_strnicmp(table, "portage_", 8) == 0 ||
		   sqlite3_strnicmp(table, "pragma_", 7) == 0;
}

static int
read_table(ExprDb *db, const char *table, const char *column)
{
	const Reference *reference;
	size_t i;
	int found;

	if (db->compiling != NULL && strcmp(table, db->compiling->module) == 0)
		return read_row(db, column);
	for (i = 0; i < sizeof(harmless_tables) / sizeof(*harmless_tables); i++)
	{
		if (expr_same_name(table, harmless_tables[i]))
			return SQLITE_OK;
	}
	reference = expr_reference_find(db, table);
	if (reference == NULL && *column == '\0' && !is_reserved(table))
		return SQLITE_OK; /* WITH name AS (...): nothing is read but that */
	if (reference == NULL)
		return refuse(db, "no such table: %s", table);
	if (db->uses != NULL)
		note_reference(db, reference);
	if (*column == '\0')
		return SQLITE_OK;
	found = expr_find_column(reference->columns, reference->column_count,
							 column);
	return found < 0 ? refuse(db, "no such column: %s", column)
					 : read_column(db, &reference->columns[found]);
}

static int
call_function(ExprDb *db, const char *name)
{
	ExprUses *uses = db->uses;

	if (expr_function_fickle(name))
		return refuse(db,
					  "%s has another value each time: copy, stream and "
					  "verification could not agree",
					  name);
	if (!expr_function_allowed(name))
		return refuse(db, "the function %s is not one that expressions have",
					  name);
	if (uses == NULL)
		return SQLITE_OK;
	if (expr_same_name(name, "portage_op"))
		uses->op = true;
	else if (expr_same_name(name, "portage_lsn"))
		uses->lsn = true;
	else if (expr_same_name(name, "portage_xid"))
		uses->xid = true;
	else if (expr_same_name(name, "portage_commit_time"))
		uses->commit_time = true;
	else if (expr_same_name(name, "portage_counter"))
		uses->counter = true;
	return SQLITE_OK;
}

int
expr_authorize(void *arg, int action, const char *first, const char *second,
			   const char *database, const char *trigger)
{
	ExprDb *db = arg;

	(void) database;
	(void) trigger;
	if (db->own)
		return SQLITE_OK;
	switch (action)
	{
		case SQLITE_SELECT:
		case SQLITE_RECURSIVE:
			return SQLITE_OK;
		case SQLITE_READ:
			return read_table(db, first, second);
		case SQLITE_FUNCTION:
			return call_function(db, second);
		default:
			return refuse(db, "an expression may only read%s", "");
	}
}
