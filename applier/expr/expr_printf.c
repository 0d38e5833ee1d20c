/*
 * expr_printf.c
 *		printf() and format() that fail where SQLite's give NULL.
 *
 * A result that is longer than a value may be is an error of every function of
 * SQLite but this one, whose NULL would reach the target as if it were meant.  So
 * the function of that name is ours, and asks SQLite's in a database of its own,
 * where it has not been replaced.  An empty text is NULL there as well, so the
 * format is given a character that is taken off again.
 */
#include "expr/expr_db.h"

#include "base/mem.h"

/* SQLite's own limit of arguments is 127. */
#define ARGUMENTS_MAX 127

struct ExprPrintf
{
	sqlite3 *sql;
	sqlite3_stmt *statements[ARGUMENTS_MAX + 1]; /* by number of arguments */
};

static bool
open_database(ExprDb *db)
{
	struct ExprPrintf *own = mem_zalloc(sizeof(*own));

	db->printf = own;
	if (sqlite3_open_v2(":memory:", &own->sql,
						SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY |
							SQLITE_OPEN_NOMUTEX,
						NULL) != SQLITE_OK)
		return false;
	sqlite3_limit(own->sql, SQLITE_LIMIT_LENGTH,
				  sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, -1));
	return true;
}

/* SELECT printf('.' || ?, ?, ...), or NULL. */
static sqlite3_stmt *
statement_of(ExprDb *db, int count)
{
	struct ExprPrintf *own = db->printf;
	sqlite3_stmt **statement = &own->statements[count];
	Buffer sql;

	if (*statement != NULL)
		return *statement;
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT printf('.' || ?");
	for (int i = 1; i < count; i++)
		buffer_puts(&sql, ", ?");
	buffer_putc(&sql, ')');
	if (sqlite3_prepare_v3(own->sql, sql.data, -1, SQLITE_PREPARE_PERSISTENT,
						   statement, NULL) != SQLITE_OK)
		*statement = NULL;
	buffer_release(&sql);
	return *statement;
}

static void
give_result(sqlite3_context *context, sqlite3_stmt *statement,
			sqlite3_value *format)
{
	int status = sqlite3_step(statement);
	const char *text = (const char *) sqlite3_column_text(statement, 0);

	if (status == SQLITE_ROW && text != NULL)
		sqlite3_result_text(context, text + 1,
							sqlite3_column_bytes(statement, 0) - 1,
							SQLITE_TRANSIENT);
	else if (status != SQLITE_ROW && status != SQLITE_TOOBIG)
		sqlite3_result_error_nomem(context);
	else if (status == SQLITE_TOOBIG ||
			 sqlite3_value_type(format) != SQLITE_NULL)
		sqlite3_result_error_toobig(context);
}

static void
call_printf(sqlite3_context *context, int count, sqlite3_value **values)
{
	ExprDb *db = sqlite3_user_data(context);
	sqlite3_stmt *statement;

	if (count == 0)
		return;
	if ((db->printf == NULL && !open_database(db)) ||
		(statement = statement_of(db, count)) == NULL)
	{
		sqlite3_result_error_nomem(context);
		return;
	}
	for (int i = 0; i < count; i++)
	{
		if (sqlite3_bind_value(statement, i + 1, values[i]) != SQLITE_OK)
		{
			sqlite3_result_error_nomem(context);
			count = i;
		}
	}
	if (count > 0)
		give_result(context, statement, values[0]);
	(void) sqlite3_reset(statement);
	(void) sqlite3_clear_bindings(statement);
}

bool
expr_add_printf(ExprDb *db, Error *err)
{
	static const ExprFunction functions[] = {
		{ "printf", -1, true, call_printf },
		{ "format", -1, true, call_printf },
	};

	return expr_register(db, functions,
						 (int) (sizeof(functions) / sizeof(*functions)), err);
}

void
expr_printf_free(struct ExprPrintf *own)
{
	if (own == NULL)
		return;
	for (int i = 0; i <= ARGUMENTS_MAX; i++)
		sqlite3_finalize(own->statements[i]);
	sqlite3_close(own->sql);
	mem_free(own);
}
