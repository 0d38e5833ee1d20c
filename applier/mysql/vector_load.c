/*
 * vector_load.c
 *		Rows of a vector by LOAD DATA LOCAL: see vector_mysql.h.
 *
 * What it costs the server to take a row this way is about two thirds of what an
 * INSERT of many rows costs.  It leaves out rows that it does not like, and says
 * so in a warning: any of these refuses the vector (load_write.h), and the rows
 * one by one tell which it was.
 */
#include "base/mem.h"
#include "mysql/load_write.h"
#include "mysql/table_facts_mysql.h"
#include "mysql/vector_mysql.h"
#include "plan/row_error.h"

/* What is put together before it is sent, for one statement. */
#define PART_BYTES ((size_t) 1024 * 1024)

/* memory that a huge row has left behind is given back */
#define KEPT_BYTES ((size_t) 4 * 1024 * 1024)

/* A vector on its way. */
typedef struct VectorLoad
{
	VectorWriter *writer;
	const PlanVector *vector;
	const RowTable *row;
	int *set; /* the columns that have fields, in order */
	int set_count;
	LoadTable table; /* of it only what LOAD DATA needs */
	Error *err;
} VectorLoad;

static void
find_columns(VectorLoad *load)
{
	const ColumnMap **columns;
	size_t count = (size_t) load->row->relation->column_count + 1;

	load->set = mem_zalloc(count * sizeof(*load->set));
	columns = mem_zalloc(count * sizeof(*columns));
	for (int i = 0; i < load->row->relation->column_count; i++)
	{
		if (!plan_column_in(load->vector->columns, i) ||
			!load->row->columns[i].written)
			continue;
		columns[load->set_count] = load->row->columns[i].map;
		load->set[load->set_count++] = i;
	}
	load->table.map = load->row->map;
	buffer_init(&load->table.load);
	load_statement(&load->table.load, &load->writer->packet->conn->server,
				   load->row->name.data, columns, load->set_count);
	mem_free(columns);
}

static bool
put_line(VectorLoad *load, const PlanOp *op)
{
	Buffer *lines = &load->writer->lines;

	for (int i = 0; i < load->set_count; i++)
	{
		if (i > 0)
			buffer_putc(lines, '\t');
		if (!row_field(load->writer->rows, load->row, load->set[i],
					   &op->values[load->set[i]], lines, load->err))
			return row_error(load->err, op->txn, op->change);
	}
	buffer_putc(lines, '\n');
	return true;
}

/* The rows from first on that go together; *next: the one behind them. */
static bool
put_lines(VectorLoad *load, int first, int *next)
{
	Buffer *lines = &load->writer->lines;
	bool ok = true;

	if (lines->capacity > KEPT_BYTES)
		buffer_release(lines);
	buffer_reset(lines);
	for (*next = first;
		 ok && *next < load->vector->count && lines->len < PART_BYTES;)
		ok = put_line(load, load->vector->ops[(*next)++]);
	return ok;
}

static bool
load_parts(VectorLoad *load, bool *available)
{
	const Buffer *lines = &load->writer->lines;
	int next = 0;

	while (next < load->vector->count)
	{
		int first = next;
		LoadVerdict verdict;

		if (!put_lines(load, first, &next))
			return false;
		verdict = load_data_rows(load->writer->packet->conn, &load->table,
								 (Slice){ lines->data, lines->len },
								 next - first, load->err);
		*available = verdict != LOAD_UNAVAILABLE;
		if (!*available && first == 0)
			return true;
		if (verdict == LOAD_REFUSED)
			return vector_error(load->err, load->vector, next - first);
		if (verdict != LOAD_ACCEPTED)
			return false;
	}
	return true;
}

bool
vector_load(VectorWriter *writer, const PlanVector *vector, bool *available,
			Error *err)
{
	const MyTableFacts *facts = (const MyTableFacts *) vector->table;
	VectorLoad load = {
		.writer = writer, .vector = vector, .row = &facts->row, .err = err
	};
	bool ok;

	*available = true;
	find_columns(&load);
	ok = packet_send(writer->packet, err) && load_parts(&load, available);
	buffer_release(&load.table.load);
	mem_free(load.set);
	return ok;
}
