/*
 * load_refused.c
 *		Which row it is that the target refuses, and why.
 */
#include "mysql/load_write.h"

#include <stdio.h>
#include <string.h>

LoadVerdict
load_try_rows(MyConn *conn, const LoadTable *table, bool insert, Slice rows,
			  int64_t count, Error *err)
{
	LoadVerdict verdict;

	if (!load_savepoint(conn, err))
		return LOAD_FAILED;
	verdict = insert ? load_insert_rows(conn, table, rows, count, err)
					 : load_data_rows(conn, table, rows, count, err);
	if (verdict == LOAD_REFUSED)
	{
		Error back = ERROR_INIT;

		if (!load_savepoint_back(conn, &back))
		{
			*err = back;
			return LOAD_FAILED;
		}
	}
	return verdict;
}

/*
 * The column that the server's words name: "Data too long for column 'v' at row
 * 1", "Incorrect integer value: 'x' for column `d`.`t`.`v` at row 1".
 */
static bool
is_named(const char *message, const ColumnMap *column)
{
	const char *at = strstr(message, "olumn ");
	char quoted[2][280];

	snprintf(quoted[0], sizeof(quoted[0]), "'%s'", column->target);
	snprintf(quoted[1], sizeof(quoted[1]), "`%s`", column->target);
	return at != NULL &&
		   (strstr(at, quoted[0]) != NULL || strstr(at, quoted[1]) != NULL);
}

static void
append_culprit(Buffer *out, const LoadTable *table, Slice row,
			   const char *message)
{
	Slice field;

	for (int i = 0; load_field_next(&row, &field); i++)
	{
		const LoadColumn *column = load_rows_written(&table->rows, i);

		if (column->key || !is_named(message, column->map))
			continue;
		buffer_printf(out, ", column %s = ", column->map->name);
		load_field_show(out, field);
		return;
	}
}

/* err is what the server says to this row. */
static bool
row_name(const LoadTable *table, Slice row, Error *err)
{
	Buffer detail;

	buffer_init(&detail);
	buffer_puts(&detail, "Row ");
	load_rows_name(&table->rows, row, true, &detail);
	append_culprit(&detail, table, row, err->message);
	if (err->detail[0] != '\0')
		buffer_printf(&detail, " (%s)", err->detail);
	error_detail(err, "%s.", detail.data);
	buffer_release(&detail);
	err->table = table->map->oid;
	return false;
}

/* An INSERT says why; or it is fine, and then LOAD DATA has said so. */
static bool
row_refused(MyConn *conn, const LoadTable *table, Slice row, Error *err)
{
	Error loaded = *err;
	LoadVerdict verdict = load_try_rows(conn, table, true, row, 1, err);

	if (verdict == LOAD_FAILED)
		return false;
	if (verdict == LOAD_ACCEPTED)
		*err = loaded;
	return row_name(table, row, err);
}

bool
load_refused(MyConn *conn, const LoadTable *table, bool insert, Slice rows,
			 int64_t count, Error *err)
{
	while (count > 1)
	{
		int64_t half = count / 2;
		Slice first = { rows.data, load_rows_length(rows, half) };
		Slice rest = { rows.data + first.len, rows.len - first.len };
		Error found = ERROR_INIT;
		LoadVerdict verdict = load_try_rows(conn, table, insert, first, half,
											&found);

		if (verdict == LOAD_FAILED || verdict == LOAD_UNAVAILABLE)
		{
			*err = found;
			return false;
		}
		/* what was accepted stays: a later row may conflict with it */
		if (verdict == LOAD_REFUSED)
			*err = found;
		rows = verdict == LOAD_REFUSED ? first : rest;
		count = verdict == LOAD_REFUSED ? half : count - half;
	}
	return row_refused(conn, table, rows, err);
}
