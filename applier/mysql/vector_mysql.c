/*
 * vector_mysql.c
 *		See vector_mysql.h.
 */
#include "mysql/vector_mysql.h"

#include <string.h>

#include "mysql/row_change.h"
#include "mysql/table_facts_mysql.h"
#include "plan/row_error.h"

/*
 * A list of keys is a list of ranges to the optimizer, whose memory for them is
 * bounded (range_optimizer_max_mem_size), and each range is searched for by
 * itself: beyond some hundreds of rows nothing is gained.
 */
#define DELETE_ROWS 500
#define UPDATE_ROWS 1000
#define INSERT_ROWS 1000
#define LOAD_ROWS \
	64 /* LOAD DATA from here on: its fields are not parsed as SQL */
#define PART_BYTES ((size_t) 256 * 1024)

/* a derived table costs more than so many statements */
#define FEW_ROWS 3

typedef struct VectorSql
{
	const PlanVector *vector;
	const MyTableFacts *facts;
	const RowTable *table;
	RowPacket *packet;
	RowWriter *rows;
	Buffer *sql; /* the packet's */
	Error *err;
} VectorSql;

static void
put(const VectorSql *v, const char *text)
{
	buffer_append(v->sql, text, strlen(text));
}

static void
put_name(const VectorSql *v, int i)
{
	buffer_append(v->sql, v->table->columns[i].name.data,
				  v->table->columns[i].name.len);
}

static void
put_table(const VectorSql *v)
{
	buffer_append(v->sql, v->table->name.data, v->table->name.len);
}

static int
column_count(const VectorSql *v)
{
	return v->table->relation->column_count;
}

/* Is it one that the vector's statement sets? */
static bool
is_set(const VectorSql *v, int i)
{
	return plan_column_in(v->vector->columns, i) &&
		   v->table->columns[i].written;
}

static bool
put_literal(const VectorSql *v, const PlanOp *op, int i, ValueUse use)
{
	const Value *row = use == VALUE_COMPARED ? op->key : op->values;

	return row_literal(v->rows, v->table, i, &row[i], use, v->sql, v->err) ||
		   row_error(v->err, op->txn, op->change);
}

/* Is there another row for a statement with so many, which began there? */
static bool
has_room(const VectorSql *v, int first, int next, int limit)
{
	return next < v->vector->count && next - first < limit &&
		   v->sql->len - v->packet->start < PART_BYTES;
}

/* ---- INSERT */

static bool
put_row(const VectorSql *v, const PlanOp *op)
{
	const char *before = "(";
	bool ok = true;

	for (int i = 0; ok && i < column_count(v); i++)
	{
		if (!is_set(v, i))
			continue;
		put(v, before);
		ok = put_literal(v, op, i, VALUE_WRITTEN);
		before = ", ";
	}
	put(v, before[0] == '(' ? "()" : ")");
	return ok;
}

/* "INSERT INTO t (a, b)" */
static void
put_into(const VectorSql *v)
{
	const char *before = " (";

	put(v, "INSERT INTO ");
	put_table(v);
	for (int i = 0; i < column_count(v); i++)
	{
		if (!is_set(v, i))
			continue;
		put(v, before);
		put_name(v, i);
		before = ", ";
	}
	put(v, before[0] == ' ' ? " ()" : ")");
}

/* The rows from first on that one statement inserts; *next: the one behind. */
static bool
put_insert(const VectorSql *v, int first, int *next)
{
	bool ok = true;

	put_into(v);
	put(v, " VALUES ");
	for (*next = first; ok && has_room(v, first, *next, INSERT_ROWS);)
	{
		if (*next > first)
			put(v, ", ");
		ok = put_row(v, v->vector->ops[(*next)++]);
	}
	return ok;
}

/* ---- DELETE */

static bool
put_key(const VectorSql *v, const PlanOp *op)
{
	bool several = v->table->relation->key_count > 1;
	const char *before = several ? "(" : "";
	bool ok = true;

	for (int i = 0; ok && i < column_count(v); i++)
	{
		if (!v->table->columns[i].key)
			continue;
		put(v, before);
		ok = put_literal(v, op, i, VALUE_COMPARED);
		before = ", ";
	}
	if (several)
		put(v, ")");
	return ok;
}

static bool
put_delete(const VectorSql *v, int first, int *next)
{
	bool several = v->table->relation->key_count > 1;
	const char *before = several ? "(" : "";
	bool ok = true;

	put(v, "DELETE FROM ");
	put_table(v);
	put(v, " WHERE ");
	for (int i = 0; i < column_count(v); i++)
	{
		if (!v->table->columns[i].key)
			continue;
		put(v, before);
		put_name(v, i);
		before = ", ";
	}
	put(v, several ? ") IN (" : " IN (");
	for (*next = first; ok && has_room(v, first, *next, DELETE_ROWS);)
	{
		if (*next > first)
			put(v, ", ");
		ok = put_key(v, v->vector->ops[(*next)++]);
	}
	put(v, ")");
	return ok;
}

/* ---- UPDATE */

/* A row of the derived table; the first one names its columns. */
static bool
put_joined_row(const VectorSql *v, const PlanOp *op, bool head)
{
	const char *before = head							   ? "SELECT "
						 : v->packet->conn->server.mariadb ? "("
														   : "ROW(";
	bool ok = true;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; ok && i < column_count(v); i++)
		{
			if (pass == 0 ? !v->table->columns[i].key : !is_set(v, i))
				continue;
			put(v, before);
			ok = put_literal(v, op, i,
							 pass == 0 ? VALUE_COMPARED : VALUE_WRITTEN);
			if (head)
				buffer_printf(v->sql, " AS %c%d", pass == 0 ? 'k' : 'c', i);
			before = ", ";
		}
	}
	if (!head)
		put(v, ")");
	return ok;
}

static void
put_join(const VectorSql *v)
{
	const char *before = " ON ";

	for (int i = 0; i < column_count(v); i++)
	{
		if (!v->table->columns[i].key)
			continue;
		put(v, before);
		put(v, "t.");
		put_name(v, i);
		put(v, " = ");
		put(v, v->facts->joined[i]);
		before = " AND ";
	}
}

/* Nothing to set: the rows have to be there all the same. */
static void
put_no_change(const VectorSql *v)
{
	put(v, "t.");
	put_name(v, v->table->first_written);
	put(v, " = t.");
	put_name(v, v->table->first_written);
}

/* A put brings its key, which is there already where it finds a row. */
static void
put_assignments(const VectorSql *v)
{
	const char *before = "";

	put(v, " SET ");
	for (int i = 0; i < column_count(v); i++)
	{
		if (!is_set(v, i) || v->table->columns[i].key)
			continue;
		put(v, before);
		put(v, "t.");
		put_name(v, i);
		buffer_printf(v->sql, " = v.c%d", i);
		before = ", ";
	}
	if (before[0] == '\0')
		put_no_change(v);
}

/*
 * "(...) AS v JOIN t AS t ON ...": the rows from first on, up to *next; end, or
 * -1: as many as there is room for.
 */
static bool
put_joined(const VectorSql *v, int first, int end, const char *join, int *next)
{
	bool ok;

	put(v, "(");
	ok = put_joined_row(v, v->vector->ops[first], true);
	for (*next = first + 1;
		 ok &&
		 (end < 0 ? has_room(v, first, *next, UPDATE_ROWS) : *next < end);)
	{
		put(v, *next == first + 1 ? " UNION ALL VALUES " : ", ");
		ok = put_joined_row(v, v->vector->ops[(*next)++], false);
	}
	buffer_printf(v->sql, ") AS v %s ", join);
	put_table(v);
	put(v, " AS t");
	put_join(v);
	return ok;
}

/* The rows drive the join: each is looked up in the table by its key. */
static bool
put_update(const VectorSql *v, int first, int *next)
{
	bool ok;

	put(v, "UPDATE ");
	ok = put_joined(v, first, -1, "STRAIGHT_JOIN", next);
	put_assignments(v);
	return ok;
}

/* ---- puts: an UPDATE, and an INSERT of what it did not find */

static int
first_key(const VectorSql *v)
{
	int i = 0;

	while (!v->table->columns[i].key)
		i++;
	return i;
}

/* As many as the UPDATE was for. */
static bool
put_missing(const VectorSql *v, int first, int end)
{
	const char *before = " SELECT ";
	int next;
	bool ok;

	put_into(v);
	for (int i = 0; i < column_count(v); i++)
	{
		if (!is_set(v, i))
			continue;
		buffer_printf(v->sql, "%sv.c%d", before, i);
		before = ", ";
	}
	put(v, " FROM ");
	ok = put_joined(v, first, end, "LEFT JOIN", &next);
	put(v, " WHERE t.");
	put_name(v, first_key(v));
	put(v, " IS NULL");
	return ok;
}

static bool
put_put(const VectorSql *v, int first, int *next)
{
	return put_update(v, first, next) &&
		   packet_add_rows(v->packet, v->vector, *next - first, PROOF_FIRST,
						   v->err) &&
		   put_missing(v, first, *next);
}

static PacketProof
proof_of(PlanKind kind)
{
	return kind == PLAN_PUT			   ? PROOF_BOTH
		   : kind == PLAN_MAYBE_DELETE ? PROOF_AT_MOST
									   : PROOF_ROWS;
}

/* ---- rows by statements of their own */

static bool
put_single(const VectorSql *v, const PlanOp *op)
{
	bool puts = v->vector->kind == PLAN_PUT;
	/* what the row came to, as if the source had said it at once */
	Change change = { .kind = puts ? CHANGE_PUT : CHANGE_UPDATE,
					  .relation = v->table->relation,
					  .old_kind = WIRE_OLD_NONE,
					  .old_values = puts ? NULL : op->key,
					  .new_values = op->values };

	return row_change_put(v->packet, v->rows, v->table, op->txn, &change,
						  op->change, v->err);
}

static bool
put_singles(const VectorSql *v)
{
	bool ok = true;

	for (int i = 0; ok && i < v->vector->count; i++)
		ok = put_single(v, v->vector->ops[i]);
	return ok;
}

void
vector_writer_init(VectorWriter *writer, RowPacket *packet, RowWriter *rows)
{
	writer->packet = packet;
	writer->rows = rows;
	buffer_init(&writer->lines);
}

void
vector_writer_release(VectorWriter *writer)
{
	if (writer->packet != NULL)
		buffer_release(&writer->lines);
}

/* So many that LOAD DATA is worth it; and it can't make a row of nothing. */
static bool
inserts_much(const VectorSql *v)
{
	if (v->vector->kind != PLAN_INSERT || v->vector->count < LOAD_ROWS ||
		!v->packet->conn->server.local_infile)
		return false;
	for (int i = 0; i < column_count(v); i++)
	{
		if (is_set(v, i))
			return true;
	}
	return false;
}

bool
vector_put(VectorWriter *writer, const PlanVector *vector, Error *err)
{
	const MyTableFacts *facts = (const MyTableFacts *) vector->table;
	RowPacket *packet = writer->packet;
	RowWriter *rows = writer->rows;
	VectorSql v = {
		vector, facts, &facts->row, packet, rows, &packet->sql, err
	};
	int next = 0;
	bool ok = true;

	if (inserts_much(&v))
	{
		bool available;

		ok = vector_load(writer, vector, &available, err);
		if (!ok || available)
			return ok;
		/* it is not tried again */
		packet->conn->server.local_infile = false;
	}
	if ((vector->kind == PLAN_UPDATE || vector->kind == PLAN_PUT) &&
		(vector->count <= FEW_ROWS || facts->joined == NULL))
		return put_singles(&v);
	while (ok && next < vector->count)
	{
		int first = next;

		if (vector->kind == PLAN_INSERT)
			ok = put_insert(&v, first, &next);
		else if (vector->kind == PLAN_UPDATE)
			ok = put_update(&v, first, &next);
		else if (vector->kind == PLAN_PUT)
			ok = put_put(&v, first, &next);
		else
			ok = put_delete(&v, first, &next);
		ok = ok && packet_add_rows(packet, vector, next - first,
								   proof_of(vector->kind), err);
	}
	return ok;
}
