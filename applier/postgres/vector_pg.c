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
#include "postgres/array_text.h"
#include "postgres/copy_in.h"
#include "postgres/copy_text.h"
#include "postgres/row_error.h"
#include "postgres/statement_pg.h"
#include "postgres/vector_sql.h"

#define PART_ROWS 2000
#define PART_BYTES (512 * 1024)
#define COPY_BYTES (64 * 1024)

#define BYTEA_OID 17

struct VectorSender
{
	PgConn *conn;
	Pipeline *pipeline;
	StatementCache *statements;
	Buffer *arrays; /* one for each parameter */
	const char **values;
	int array_capacity;
	Buffer lines; /* of COPY */
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
	for (int i = 0; i < sender->array_capacity; i++)
		buffer_release(&sender->arrays[i]);
	mem_free(sender->arrays);
	mem_free(sender->values);
	buffer_release(&sender->lines);
	mem_free(sender);
}

static void
reserve_arrays(VectorSender *sender, int count)
{
	int capacity = sender->array_capacity;

	if (count <= capacity)
		return;
	sender->arrays = mem_realloc(sender->arrays,
								 (size_t) count * sizeof(*sender->arrays));
	sender->values = mem_realloc(sender->values,
								 (size_t) count * sizeof(*sender->values));
	for (int i = capacity; i < count; i++)
		buffer_init(&sender->arrays[i]);
	sender->array_capacity = count;
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

/* Column by column: the same loop over all rows. */
static void
fill_array(Buffer *array, const PlanVector *vector, int first, int rows,
		   const ParamRef *param)
{
	const Column *column = &vector->table->relation->columns[param->column];
	bool is_bytea = column->base_type_oid == BYTEA_OID;

	buffer_reset(array);
	array_text_begin(array);
	for (int i = 0; i < rows; i++)
	{
		const PlanOp *op = vector->ops[first + i];

		array_text_value(array,
						 &(param->old ? op->key : op->values)[param->column],
						 is_bytea);
	}
	array_text_end(array);
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
		for (int i = 0; i < statement->param_count; i++)
		{
			fill_array(&sender->arrays[i], vector, first, rows,
					   &statement->params[i]);
			sender->values[i] = sender->arrays[i].data;
		}
		if (!pipeline_send_vector(sender->pipeline, vector, rows, statement,
								  sender->values, err))
			return false;
	}
	return true;
}

static bool
copy_lines(VectorSender *sender, const PlanVector *vector, Error *err)
{
	Buffer *lines = &sender->lines;

	buffer_reset(lines);
	for (int i = 0; i < vector->count; i++)
	{
		copy_text_row(lines, vector->table->relation, vector->columns,
					  vector->ops[i]->values);
		if (lines->len < COPY_BYTES && i < vector->count - 1)
			continue;
		if (!copy_in_data(sender->conn, (Slice){ lines->data, lines->len },
						  err))
			return false;
		buffer_reset(lines);
	}
	return true;
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

bool
vector_copy(VectorSender *sender, const PlanVector *vector, Error *err)
{
	Buffer sql;
	int64_t rows;
	bool ok;

	buffer_init(&sql);
	vector_sql_copy(&sql, (const TableFacts *) vector->table, vector->columns);
	ok = pg_exec(sender->conn, err, sql.data);
	buffer_release(&sql);
	if (ok)
		ok = copy_lines(sender, vector, err) || copy_failed(sender, err);
	ok = ok && copy_in_end(sender->conn, NULL, err) &&
		 copy_in_result(sender->conn, &rows, err);
	if (!ok)
		return vector_error(err, vector, vector->count);
	if (rows == vector->count)
		return true;
	error_set(err, P_ROW_MISSING,
			  "%" PRId64 " rows were inserted instead of %d", rows,
			  vector->count);
	return vector_error(err, vector, vector->count);
}
