/*
 * expr_row.c
 *		The row that is evaluated, as a virtual table.
 *
 * SQLite asks for a column when it needs it, so that a filter on one column of a
 * hundred costs the reading of one.  Values are not copied: what SQLite gets points
 * into the row, which outlives the evaluation.
 *
 * A program without subqueries reads a table that never ends: each evaluation is
 * the next row of one statement that goes on for ever.  Beginning a statement anew
 * for each row costs three times as much.  With subqueries it has to be: SQLite
 * keeps what a subquery gave if the row has no part in it, and a reference
 * may have changed since.
 *
 * Columns of the old row are named "old.name"; the compiler writes old.name so.
 */
#include "expr/expr_db.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct RowTable
{
	sqlite3_vtab base;
	ExprProgram *program;
} RowTable;

typedef struct RowCursor
{
	sqlite3_vtab_cursor base;
	bool ended;
} RowCursor;

/* ---- values */

static size_t
sequence_length(const unsigned char *p, const unsigned char *end)
{
	size_t left = (size_t) (end - p);
	size_t len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	size_t i;

	if (p[0] < 0xC2 || p[0] > 0xF4 || left < len)
		return 0;
	if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
		(p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	for (i = 1; i < len; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

/* Are these eight bytes ASCII without NUL? */
static bool
is_plain(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return ((word | (word - UINT64_C(0x0101010101010101))) &
			UINT64_C(0x8080808080808080)) == 0;
}

size_t
expr_utf8_length(const char *data, size_t len)
{
	const unsigned char *begin = (const unsigned char *) data;
	const unsigned char *p = begin;
	const unsigned char *end = p + len;

	while (p < end)
	{
		size_t step = 1;

		if (end - p >= 8 && is_plain(p))
		{
			p += 8;
			continue;
		}
		if (*p == 0 || (*p >= 0x80 && (step = sequence_length(p, end)) == 0))
			break;
		p += step;
	}
	return (size_t) (p - begin);
}

static bool
parse_integer(const Value *value, int64_t *number)
{
	const char *p = value->data;
	const char *end = p + value->len;
	bool negative = p < end && *p == '-';
	int64_t n = 0;

	if (negative)
		p++;
	if (p == end)
		return false;
	for (; p < end; p++)
	{
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(n, 10, &n) ||
			__builtin_sub_overflow(n, *p - '0', &n))
			return false;
	}
	/* counted downwards, since there is one more number below 0 than above */
	if (!negative && n == INT64_MIN)
		return false;
	*number = negative ? n : -n;
	return true;
}

/* NaN and infinities are not: they stay text. */
static bool
parse_real(const Value *value, double *number)
{
	char text[64];
	char *end;

	if (value->len == 0 || value->len >= sizeof(text) ||
		strchr("0123456789.-", *value->data) == NULL)
		return false;
	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	*number = strtod(text, &end);
	return end == text + value->len && isfinite(*number);
}

/* What SQLite is to get of a value. */
typedef enum Given
{
	GIVEN_INTEGER,
	GIVEN_REAL,
	GIVEN_TEXT,
	GIVEN_BLOB
} Given;

static Given
value_given(ExprBind bind, const Value *value, int64_t *integer, double *real)
{
	switch (bind)
	{
		case EXPR_BIND_INTEGER:
			if (parse_integer(value, integer))
				return GIVEN_INTEGER;
			break;
		case EXPR_BIND_BOOL:
			*integer = value->len > 0 && *value->data == 't';
			return GIVEN_INTEGER;
		case EXPR_BIND_REAL:
			if (parse_real(value, real))
				return GIVEN_REAL;
			break;
		case EXPR_BIND_BLOB:
			return GIVEN_BLOB;
		case EXPR_BIND_NUMERIC:
		case EXPR_BIND_TEXT:
			break;
	}
	return GIVEN_TEXT;
}

bool
expr_result_value(sqlite3_context *context, ExprBind bind, const Value *value)
{
	const char *data = value->len > 0 ? value->data : "";
	int64_t integer = 0;
	double real = 0;

	switch (value_given(bind, value, &integer, &real))
	{
		case GIVEN_INTEGER:
			sqlite3_result_int64(context, integer);
			break;
		case GIVEN_REAL:
			sqlite3_result_double(context, real);
			break;
		case GIVEN_BLOB:
			sqlite3_result_blob64(context, data, value->len, SQLITE_STATIC);
			break;
		case GIVEN_TEXT:
			if (expr_utf8_length(data, value->len) != value->len)
				return false;
			sqlite3_result_text64(context, data, value->len, SQLITE_STATIC,
								  SQLITE_UTF8);
			break;
	}
	return true;
}

bool
expr_bind_value(sqlite3_stmt *statement, int parameter, ExprBind bind,
				const Value *value)
{
	const char *data = value->len > 0 ? value->data : "";
	int64_t integer = 0;
	double real = 0;

	if (value->state != WIRE_COL_PRESENT)
		return sqlite3_bind_null(statement, parameter) == SQLITE_OK;
	switch (value_given(bind, value, &integer, &real))
	{
		case GIVEN_INTEGER:
			return sqlite3_bind_int64(statement, parameter, integer) ==
				   SQLITE_OK;
		case GIVEN_REAL:
			return sqlite3_bind_double(statement, parameter, real) == SQLITE_OK;
		case GIVEN_BLOB:
			return sqlite3_bind_blob64(statement, parameter, data, value->len,
									   SQLITE_STATIC) == SQLITE_OK;
		case GIVEN_TEXT:
			break;
	}
	return sqlite3_bind_text64(statement, parameter, data, value->len,
							   SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

/* ---- the table */

static char *
declaration(const ExprProgram *program)
{
	Buffer sql;
	Buffer name;
	int i;

	buffer_init(&sql);
	buffer_init(&name);
	buffer_puts(&sql, "CREATE TABLE x(");
	for (i = 0; i < program->row_column_count; i++)
	{
		const RowColumn *row = &program->row_columns[i];
		const ExprColumn *column = &program->columns[row->index];

		buffer_reset(&name);
		buffer_printf(&name, "%s%s", row->old ? "old." : "", column->name);
		buffer_puts(&sql, i > 0 ? ", " : "");
		expr_put_name(&sql, name.data);
		buffer_printf(&sql, " %s", expr_bind_type(column->bind));
	}
	/* a table without columns is none */
	buffer_puts(&sql, i > 0 ? ")" : "portage_nothing)");
	buffer_release(&name);
	return sql.data;
}

static int
row_connect(sqlite3 *sql, void *arg, int argc, const char *const *argv,
			sqlite3_vtab **table, char **message)
{
	ExprProgram *program = arg;
	char *declared = declaration(program);
	int status = expr_declare(program->db, declared, message);
	RowTable *row;

	(void) sql;
	(void) argc;
	(void) argv;
	mem_free(declared);
	if (status != SQLITE_OK)
		return status;
	row = mem_zalloc(sizeof(RowTable));
	row->program = program;
	*table = &row->base;
	return SQLITE_OK;
}

static int
row_disconnect(sqlite3_vtab *table)
{
	mem_free(table);
	return SQLITE_OK;
}

static int
row_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void) table;
	info->estimatedRows = 1;
	info->estimatedCost = 1;
	return SQLITE_OK;
}

static int
row_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	RowCursor *row = mem_zalloc(sizeof(RowCursor));

	(void) table;
	*cursor = &row->base;
	return SQLITE_OK;
}

static int
row_close(sqlite3_vtab_cursor *cursor)
{
	mem_free(cursor);
	return SQLITE_OK;
}

static int
row_filter(sqlite3_vtab_cursor *cursor, int index, const char *index_name,
		   int count, sqlite3_value **values)
{
	(void) index;
	(void) index_name;
	(void) count;
	(void) values;
	((RowCursor *) cursor)->ended = false;
	return SQLITE_OK;
}

static int
row_next(sqlite3_vtab_cursor *cursor)
{
	const RowTable *table = (RowTable *) cursor->pVtab;

	((RowCursor *) cursor)->ended = !table->program->endless;
	return SQLITE_OK;
}

static int
row_eof(sqlite3_vtab_cursor *cursor)
{
	return ((RowCursor *) cursor)->ended;
}

static int
unknown_value(const ExprProgram *program, const RowColumn *row,
			  WireColumnState state)
{
	Error *err = expr_problem(program->db);

	error_set(err, P_RULE_VALUE, "%s%s is not known: %s",
			  row->old ? "old." : "", program->columns[row->index].name,
			  state == WIRE_COL_UNCHANGED
				  ? "the value is large, was not changed, and is not in the WAL"
				  : "the WAL does not carry it for this change");
	error_hint(err, "ALTER TABLE %s REPLICA IDENTITY FULL puts it there",
			   program->table);
	return SQLITE_ERROR;
}

static int
row_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int i)
{
	const ExprProgram *program = ((RowTable *) cursor->pVtab)->program;
	const RowColumn *row;
	const Value *values;

	if (i >= program->row_column_count)
		return SQLITE_OK;
	row = &program->row_columns[i];
	values = row->old ? program->old : program->values;
	if (values == NULL || values[row->index].state == WIRE_COL_NULL)
		return SQLITE_OK;
	if (values[row->index].state != WIRE_COL_PRESENT)
		return unknown_value(program, row,
							 (WireColumnState) values[row->index].state);
	if (expr_result_value(context, program->columns[row->index].bind,
						  &values[row->index]))
		return SQLITE_OK;
	error_set(expr_problem(program->db), P_RULE_VALUE,
			  "the text of column %s is not UTF-8",
			  program->columns[row->index].name);
	return SQLITE_ERROR;
}

static int
row_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *id)
{
	(void) cursor;
	*id = 0;
	return SQLITE_OK;
}

int
expr_row_create(ExprProgram *program)
{
	static const sqlite3_module module = {
		.xConnect = row_connect,
		.xBestIndex = row_best_index,
		.xDisconnect = row_disconnect,
		.xDestroy = row_disconnect,
		.xOpen = row_open,
		.xClose = row_close,
		.xFilter = row_filter,
		.xNext = row_next,
		.xEof = row_eof,
		.xColumn = row_column,
		.xRowid = row_rowid,
	};

	return sqlite3_create_module_v2(program->db->sql, program->module, &module,
									program, NULL);
}
