/*
 * expr_required.c
 *		References whose keys must be there, as a virtual table.
 *
 * A subquery that finds nothing is NULL to SQL, and nobody learns of it.  Here
 * SQLite says which columns it looks for: if that is the whole key, with no NULL
 * in it, and there is no such row, the evaluation fails.  Anything else that is
 * asked (all rows, a part of the key) is answered as a table would.
 */
#include "expr/expr_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PLAN_SCAN 0
#define PLAN_KEY 1

typedef struct RequiredTable
{
	sqlite3_vtab base;
	Reference *reference;
} RequiredTable;

typedef struct RequiredCursor
{
	sqlite3_vtab_cursor base;
	sqlite3_stmt *rows; /* the reference's, or its own where they are nested */
	bool lent;
	int plan; /* that it was prepared for */
	bool ended;
} RequiredCursor;

static Reference *
reference_of(const sqlite3_vtab_cursor *cursor)
{
	return ((const RequiredTable *) cursor->pVtab)->reference;
}

static int
required_connect(sqlite3 *sql, void *arg, int argc, const char *const *argv,
				 sqlite3_vtab **table, char **message)
{
	Reference *reference = arg;
	RequiredTable *required;
	Buffer declared;
	int status;
	int i;

	(void) sql;
	(void) argc;
	(void) argv;
	buffer_init(&declared);
	buffer_puts(&declared, "CREATE TABLE x(");
	for (i = 0; i < reference->column_count; i++)
	{
		buffer_puts(&declared, i > 0 ? ", " : "");
		expr_put_name(&declared, reference->columns[i].name);
		buffer_printf(&declared, " %s",
					  expr_bind_type(reference->columns[i].bind));
	}
	buffer_puts(&declared, ")");
	status = expr_declare(reference->db, declared.data, message);
	buffer_release(&declared);
	if (status != SQLITE_OK)
		return status;
	required = mem_zalloc(sizeof(RequiredTable));
	required->reference = reference;
	*table = &required->base;
	return SQLITE_OK;
}

static int
required_disconnect(sqlite3_vtab *table)
{
	mem_free(table);
	return SQLITE_OK;
}

/* The constraint that column of the key is looked for by, or -1. */
static int
equality(const sqlite3_index_info *info, int column)
{
	int i;

	for (i = 0; i < info->nConstraint; i++)
	{
		if (info->aConstraint[i].usable &&
			info->aConstraint[i].iColumn == column &&
			info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ)
			return i;
	}
	return -1;
}

static int
required_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	const Reference *reference = ((RequiredTable *) table)->reference;
	int i;

	info->idxNum = PLAN_SCAN;
	info->estimatedCost = 1e6;
	info->estimatedRows = 1000000;
	for (i = 0; i < reference->key_count; i++)
	{
		if (equality(info, reference->key[i]) < 0)
			return SQLITE_OK;
	}
	for (i = 0; i < reference->key_count; i++)
		info->aConstraintUsage[equality(info, reference->key[i])].argvIndex =
			i + 1;
	info->idxNum = PLAN_KEY;
	info->estimatedCost = 1;
	info->estimatedRows = 1;
	info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
	return SQLITE_OK;
}

static int
required_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	RequiredCursor *required = mem_zalloc(sizeof(RequiredCursor));

	(void) table;
	required->plan = -1;
	*cursor = &required->base;
	return SQLITE_OK;
}

static void
give_back(RequiredCursor *cursor)
{
	if (cursor->lent)
	{
		sqlite3_reset(cursor->rows);
		reference_of(&cursor->base)->find_lent = false;
	}
	else
		sqlite3_finalize(cursor->rows);
	cursor->rows = NULL;
	cursor->lent = false;
	cursor->plan = -1;
}

static int
required_close(sqlite3_vtab_cursor *cursor)
{
	give_back((RequiredCursor *) cursor);
	mem_free(cursor);
	return SQLITE_OK;
}

/* Whose key is not there: as (key, key) for people. */
static void
missing_key(const Reference *reference, sqlite3_value **values)
{
	Error *err = expr_problem(reference->db);
	Buffer text;
	int i;

	buffer_init(&text);
	for (i = 0; i < reference->key_count; i++)
	{
		const char *value = (const char *) sqlite3_value_text(values[i]);

		buffer_printf(&text, "%s%.100s", i > 0 ? ", " : "",
					  value != NULL ? value : "");
	}
	error_set(err, P_REFERENCE, "reference %s has no row (%s)", reference->name,
			  text.data);
	buffer_release(&text);
}

static int
required_prepare(RequiredCursor *cursor, int plan)
{
	Reference *reference = reference_of(&cursor->base);
	Error ignored = ERROR_INIT;
	Arena arena;
	Buffer sql;

	if (cursor->plan == plan)
		return SQLITE_OK;
	give_back(cursor);
	if (plan == PLAN_KEY && !reference->find_lent)
	{
		cursor->rows = reference->find;
		cursor->lent = reference->find_lent = true;
		cursor->plan = plan;
		return SQLITE_OK;
	}
	arena_init(&arena);
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT * FROM ");
	expr_put_name(&sql, expr_reference_table(reference, &arena));
	cursor->rows = expr_prepare(
		reference->db,
		plan == PLAN_KEY ? sqlite3_sql(reference->find) : sql.data, &ignored);
	cursor->plan = cursor->rows != NULL ? plan : -1;
	buffer_release(&sql);
	arena_release(&arena);
	return cursor->rows != NULL ? SQLITE_OK : SQLITE_ERROR;
}

/* db->own: no questions of the authorizer, should it be compiled anew. */
static int
required_next(sqlite3_vtab_cursor *base)
{
	RequiredCursor *cursor = (RequiredCursor *) base;
	ExprDb *db = reference_of(base)->db;
	bool own = db->own;
	int status;

	db->own = true;
	status = sqlite3_step(cursor->rows);
	db->own = own;
	cursor->ended = status != SQLITE_ROW;
	return status == SQLITE_ROW || status == SQLITE_DONE ? SQLITE_OK : status;
}

static int
required_filter(sqlite3_vtab_cursor *base, int plan, const char *plan_name,
				int count, sqlite3_value **values)
{
	RequiredCursor *cursor = (RequiredCursor *) base;
	const Reference *reference = reference_of(base);
	int status = required_prepare(cursor, plan);
	int i;

	(void) plan_name;
	if (status != SQLITE_OK)
		return status;
	sqlite3_reset(cursor->rows);
	cursor->ended = false;
	for (i = 0; i < count; i++)
	{
		/* a key that is not known asks for nothing */
		if (sqlite3_value_type(values[i]) == SQLITE_NULL)
		{
			cursor->ended = true;
			return SQLITE_OK;
		}
		status = sqlite3_bind_value(cursor->rows, i + 1, values[i]);
		if (status != SQLITE_OK)
			return status;
	}
	status = required_next(base);
	if (status == SQLITE_OK && cursor->ended && plan == PLAN_KEY)
	{
		missing_key(reference, values);
		return SQLITE_ERROR;
	}
	return status;
}

static int
required_eof(sqlite3_vtab_cursor *cursor)
{
	return ((RequiredCursor *) cursor)->ended;
}

static int
required_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int i)
{
	sqlite3_result_value(
		context, sqlite3_column_value(((RequiredCursor *) cursor)->rows, i));
	return SQLITE_OK;
}

static int
required_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *id)
{
	(void) cursor;
	*id = 0;
	return SQLITE_OK;
}

int
expr_required_create(Reference *reference)
{
	static const sqlite3_module module = {
		.xConnect = required_connect,
		.xBestIndex = required_best_index,
		.xDisconnect = required_disconnect,
		.xDestroy = required_disconnect,
		.xOpen = required_open,
		.xClose = required_close,
		.xFilter = required_filter,
		.xNext = required_next,
		.xEof = required_eof,
		.xColumn = required_column,
		.xRowid = required_rowid,
	};

	return sqlite3_create_module_v2(reference->db->sql, reference->name,
									&module, reference, NULL);
}
