/*
 * vector_pg.c
 *		See vector_pg.h.
 *
 * A vector is sent in parts, so that the server works on one while the next is
 * put together, and no more than one part is in memory a second time.
 */
#include "postgres/vector_pg.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "postgres/array_binary.h"
#include "postgres/array_text.h"
#include "postgres/binary_row.h"
#include "postgres/copy_in.h"
#include "text/copy_text.h"
#include "plan/row_error.h"
#include "postgres/statement_pg.h"
#include "postgres/vector_sql.h"

#define PART_ROWS 2000
/* fits into the buffer of a socket: pg_conn_send_ahead() */
#define PART_BYTES (256 * 1024)
#define COPY_BYTES (64 * 1024)


struct VectorSender
{
	PgConn *conn;
	Pipeline *pipeline;
	StatementCache *statements;
	Buffer *buffers; /* one for each parameter */
	VectorArrays arrays;
	int capacity;
	BinaryColumn *columns; /* of COPY */
	int column_count;
	Buffer lines;
};

VectorSender *
vector_sender_new(PgConn *conn, Pipeline *pipeline, StatementCache *statements)
{
	VectorSender *sender = mem_zalloc(sizeof(*sender));

	sender->conn = conn;
	sender->pipeline = pipeline;
	sender->statements = statements;
	buffer_init(&sender->lines);
	return sender;
}

void
vector_sender_free(VectorSender *sender)
{
	if (sender == NULL)
		return;
	for (int i = 0; i < sender->capacity; i++)
		buffer_release(&sender->buffers[i]);
	mem_free(sender->buffers);
	mem_free(sender->arrays.values);
	mem_free(sender->arrays.lengths);
	mem_free(sender->arrays.formats);
	mem_free(sender->columns);
	buffer_release(&sender->lines);
	mem_free(sender);
}

static void
reserve_arrays(VectorSender *sender, int count)
{
	VectorArrays *arrays = &sender->arrays;
	size_t size = (size_t) count;

	if (count <= sender->capacity)
		return;
	sender->buffers = mem_realloc(sender->buffers, size * sizeof(Buffer));
	arrays->values = mem_realloc(arrays->values, size * sizeof(char *));
	arrays->lengths = mem_realloc(arrays->lengths, size * sizeof(int));
	arrays->formats = mem_realloc(arrays->formats, size * sizeof(int));
	for (int i = sender->capacity; i < count; i++)
		buffer_init(&sender->buffers[i]);
	sender->capacity = count;
}

static size_t
op_bytes(const PlanOp *op, const Statement *statement)
{
	size_t bytes = 0;

	for (int i = 0; i < statement->param_count; i++)
	{
		const ParamRef *param = &statement->params[i];

		bytes += (param->old ? op->key : op->values)[param->column].len;
	}
	return bytes;
}

/* How many rows from there on are one part. */
static int
part_rows(const PlanVector *vector, int first, const Statement *statement)
{
	size_t bytes = 0;
	int rows = 0;

	while (first + rows < vector->count && rows < PART_ROWS &&
		   bytes < PART_BYTES)
		bytes += op_bytes(vector->ops[first + rows++], statement);
	return rows;
}

static const Value *
param_value(const PlanVector *vector, int row, const ParamRef *param)
{
	const PlanOp *op = vector->ops[row];

	return &(param->old ? op->key : op->values)[param->column];
}

/* Column by column: the same loop over all rows. */
static bool
fill_binary(Buffer *buffer, const PlanVector *vector, int first, int rows,
			const ParamRef *param, const ArrayForm *array)
{
	bool ok = array->form != BINARY_NONE;

	buffer_reset(buffer);
	array_binary_begin(buffer, array, rows);
	for (int i = 0; ok && i < rows; i++)
		ok = array_binary_value(buffer, array,
								param_value(vector, first + i, param));
	return ok;
}

static void
fill_text(Buffer *buffer, const PlanVector *vector, int first, int rows,
		  const ParamRef *param)
{
	const Column *column = &vector->table->relation->columns[param->column];
	bool is_bytea = column->base_type_oid == BYTEA_OID;

	buffer_reset(buffer);
	array_text_begin(buffer);
	for (int i = 0; i < rows; i++)
		array_text_value(buffer, param_value(vector, first + i, param),
						 is_bytea);
	array_text_end(buffer);
}

static void
fill_arrays(VectorSender *sender, const PlanVector *vector, int first, int rows,
			const Statement *statement)
{
	for (int i = 0; i < statement->param_count; i++)
	{
		const ParamRef *param = &statement->params[i];
		Buffer *buffer = &sender->buffers[i];
		bool binary = fill_binary(buffer, vector, first, rows, param,
								  &statement->arrays[i]);

		if (!binary)
			fill_text(buffer, vector, first, rows, param);
		sender->arrays.values[i] = buffer->data;
		sender->arrays.lengths[i] = (int) buffer->len;
		sender->arrays.formats[i] = binary;
	}
}

bool
vector_send(VectorSender *sender, const PlanVector *vector, Error *err)
{
	Statement *statement = statement_for_vector(sender->statements, vector);
	int rows;

	reserve_arrays(sender, statement->param_count);
	for (int first = 0; first < vector->count; first += rows)
	{
		rows = part_rows(vector, first, statement);
		fill_arrays(sender, vector, first, rows, statement);
		if (!pipeline_send_vector(sender->pipeline, vector, rows, statement,
								  &sender->arrays, err))
			return false;
	}
	return true;
}

/* The columns that are inserted; false if one of them has no binary form. */
static bool
list_columns(VectorSender *sender, const PlanVector *vector)
{
	const TableFacts *facts = (const TableFacts *) vector->table;
	int count = vector->table->relation->column_count;

	sender->columns = mem_realloc(sender->columns,
								  ((size_t) count + 1) * sizeof(BinaryColumn));
	sender->column_count = 0;
	for (int i = 0; i < count; i++)
	{
		if (!plan_column_in(vector->columns, i))
			continue;
		if (facts->forms[i] == BINARY_NONE)
			return false;
		sender->columns[sender->column_count++] =
			(BinaryColumn){ i, facts->forms[i] };
	}
	return true;
}

static bool
put_row(VectorSender *sender, const PlanVector *vector, int row, bool binary)
{
	const Value *values = vector->ops[row]->values;

	if (binary)
		return binary_row_put(&sender->lines, sender->columns,
							  sender->column_count, values);
	copy_text_row(&sender->lines, vector->table->relation, vector->columns,
				  values);
	return true;
}

static bool
send_lines(VectorSender *sender, Error *err)
{
	Buffer *lines = &sender->lines;
	bool ok = copy_in_data(sender->conn, (Slice){ lines->data, lines->len },
						   err);

	buffer_reset(lines);
	return ok;
}

/* Rows from *row on; as binary, up to the first that cannot be. */
static bool
copy_rows(VectorSender *sender, const PlanVector *vector, bool binary, int *row,
		  Error *err)
{
	buffer_reset(&sender->lines);
	if (binary)
		binary_rows_begin(&sender->lines);
	while (*row < vector->count && put_row(sender, vector, *row, binary))
	{
		(*row)++;
		if (sender->lines.len >= COPY_BYTES && !send_lines(sender, err))
			return false;
	}
	if (binary)
		binary_rows_end(&sender->lines);
	return send_lines(sender, err);
}

/* The server's word on a COPY that it ended by itself is in its result. */
static bool
copy_failed(VectorSender *sender, Error *err)
{
	Error said = ERROR_INIT;
	int64_t rows;

	if (!pg_conn_alive(sender->conn))
		return false;
	/* refused where the COPY has ended already */
	(void) !copy_in_end(sender->conn, "given up", &said);
	error_clear(&said);
	if (!copy_in_result(sender->conn, &rows, &said) && said.sqlstate[0] != '\0')
		*err = said;
	return false;
}

/* One COPY; *rows is how many rows it says. */
static bool
copy_once(VectorSender *sender, const PlanVector *vector, bool binary, int *row,
		  int64_t *rows, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	vector_sql_copy(&sql, (const TableFacts *) vector->table, vector->columns,
					binary);
	ok = pg_exec(sender->conn, err, sql.data);
	buffer_release(&sql);
	if (ok)
		ok = copy_rows(sender, vector, binary, row, err) ||
			 copy_failed(sender, err);
	return ok && copy_in_end(sender->conn, NULL, err) &&
		   copy_in_result(sender->conn, rows, err);
}

bool
vector_copy(VectorSender *sender, const PlanVector *vector, Error *err)
{
	bool binary = list_columns(sender, vector);
	int64_t copied = 0;
	int64_t rows;
	int row = 0;

	while (row < vector->count)
	{
		if (!copy_once(sender, vector, binary, &row, &rows, err))
			return vector_error(err, vector, vector->count);
		copied += rows;
		binary = false;
	}
	if (copied == vector->count)
		return true;
	error_set(err, P_ROW_MISSING,
			  "%" PRId64 " rows were inserted instead of %d", copied,
			  vector->count);
	return vector_error(err, vector, vector->count);
}
