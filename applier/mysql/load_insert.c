/*
 * load_insert.c
 *		Rows into a table by INSERTs of many rows each: where LOAD DATA LOCAL is
 *		not allowed, and for the one row that was refused, because an INSERT says
 *		why.
 */
#include "mysql/load_write.h"

#include "base/mem.h"

/* a statement takes no more rows once it has so many bytes */
#define STATEMENT_BYTES (1024 * 1024)

/* what a literal has beside its value: "_binary''", and a comma */
#define LITERAL_EXTRA 16

static void
append_row(Buffer *sql, const LoadTable *table, Slice row, Buffer *plain)
{
	Converted value = { .loss = LOSS_NONE };
	Slice field;
	int number = 0;

	buffer_putc(sql, '(');
	while (load_field_next(&row, &field))
	{
		const LoadColumn *column = load_rows_written(&table->rows, number);

		BUG_UNLESS(column != NULL);
		if (number++ > 0)
			buffer_puts(sql, ", ");
		value.null = load_field_is_null(field);
		buffer_reset(plain);
		load_field_plain(plain, field);
		value.bytes.data = plain->data;
		value.bytes.len = plain->len;
		convert_literal(sql, column->map, &value);
	}
	buffer_putc(sql, ')');
}

static size_t
statement_limit(const MyServer *server)
{
	uint64_t half = server->max_allowed_packet / 2;

	return half < STATEMENT_BYTES ? (size_t) half : STATEMENT_BYTES;
}

/* The next rows, as many as fit; at least one.  How many. */
static int64_t
build_statement(Buffer *sql, const LoadTable *table, Slice *rows, size_t limit,
				Buffer *plain)
{
	size_t extra = (size_t) table->rows.written * LITERAL_EXTRA;
	int64_t count = 0;

	buffer_reset(sql);
	buffer_append(sql, table->head.data, table->head.len);
	while (rows->len > 0)
	{
		Slice rest = *rows;
		Slice row = load_row_next(&rest);

		/* each byte may become two */
		if (count > 0 && sql->len + 2 * row.len + extra > limit)
			break;
		if (count++ > 0)
			buffer_puts(sql, ", ");
		append_row(sql, table, row, plain);
		*rows = rest;
	}
	return count;
}

/* A row that does not fit into a statement cannot be split. */
static bool
packet_proves(const MyConn *conn, const LoadTable *table, const Buffer *sql,
			  Slice row, Error *err)
{
	uint64_t most = conn->server.max_allowed_packet;
	Buffer name;

	/* one byte says what it is */
	if (sql->len + 1 <= most)
		return true;
	buffer_init(&name);
	load_rows_name(&table->rows, row, true, &name);
	error_set(err, P_SERVER_SETUP,
			  "row %s is a statement of %zu bytes, the target takes %llu",
			  name.data, sql->len, (unsigned long long) most);
	buffer_release(&name);
	return error_hint(err, "Set max_allowed_packet on the target to more than"
						   " that, or local_infile to ON, and start again.");
}

static LoadVerdict
insert_run(MyConn *conn, const Buffer *sql, int64_t count, Error *err)
{
	Slice statement = { sql->data, sql->len };

	if (!my_exec_slice(conn, err, statement, NULL))
		return load_judge_error(err);
	return load_judge(conn, count, err);
}

LoadVerdict
load_insert_rows(MyConn *conn, const LoadTable *table, Slice rows,
				 int64_t count, Error *err)
{
	size_t limit = statement_limit(&conn->server);
	LoadVerdict verdict = LOAD_ACCEPTED;
	int64_t inserted = 0;
	Buffer plain;
	Buffer sql;

	buffer_init(&plain);
	buffer_init(&sql);
	while (verdict == LOAD_ACCEPTED && rows.len > 0)
	{
		Slice row = rows;
		int64_t n = build_statement(&sql, table, &rows, limit, &plain);

		/* too large a one has no row but this */
		verdict = packet_proves(conn, table, &sql, load_row_next(&row), err)
					  ? insert_run(conn, &sql, n, err)
					  : LOAD_FAILED;
		inserted += n;
	}
	buffer_release(&plain);
	buffer_release(&sql);
	BUG_UNLESS(verdict != LOAD_ACCEPTED || inserted == count);
	return verdict;
}
