/*
 * shape_change.c
 *		A table of the target is made, or given another shape.
 *
 * A column that came from a parent is changed there, which changes it in every
 * other partition, too, and what is known of those follows.  Whatever was done, the target's own catalog is asked at the end whether the
 * table is as wanted: rows are never mapped by guess.
 */
#include "postgres/ddl_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define ACTUAL_SQL                                                   \
	"SELECT a.attnum, a.attname, n.nspname, t.typname, a.atttypmod," \
	" a.attnotnull FROM pg_attribute a"                              \
	" JOIN pg_type t ON t.oid = a.atttypid"                          \
	" JOIN pg_namespace n ON n.oid = t.typnamespace"                 \
	" WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped" \
	" ORDER BY a.attnum"

#define TYPE_SQL                                            \
	"SELECT format_type(t.oid, $3::integer) FROM pg_type t" \
	" JOIN pg_namespace n ON n.oid = t.typnamespace"        \
	" WHERE n.nspname = $1 AND t.typname = $2"

/*
 * Where a column is to be changed: at the topmost ancestor that has it; a new
 * one at the root of a partition, which can have none of its own.
 */
#define OWNER_SQL                                                            \
	"WITH RECURSIVE up AS (SELECT $1::oid AS oid, 0 AS level UNION ALL"      \
	" SELECT i.inhparent, up.level + 1 FROM up"                              \
	"  JOIN pg_inherits i ON i.inhrelid = up.oid)"                           \
	" SELECT c.oid, n.nspname, c.relname FROM up"                            \
	" JOIN pg_class c ON c.oid = up.oid"                                     \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                         \
	" WHERE CASE WHEN $2 <> '' THEN EXISTS (SELECT FROM pg_attribute a"      \
	"   WHERE a.attrelid = c.oid AND a.attname = $2 AND NOT a.attisdropped)" \
	"  ELSE up.level = 0 OR c.relkind = 'p' END"                             \
	" ORDER BY up.level DESC LIMIT 1"

#define PARENT_SQL                                   \
	"SELECT n.nspname, c.relname FROM pg_inherits i" \
	" JOIN pg_class c ON c.oid = i.inhparent"        \
	" JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE i.inhrelid = $1"

bool
shape_actual(DdlWork *work, uint32_t target_oid, Shape *actual)
{
	char oid[16];
	const char *params[] = { oid };
	PGresult *res;

	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	res = pg_query_params(work->conn, work->err, ACTUAL_SQL, 1, params);
	if (res == NULL)
		return false;
	memset(actual, 0, sizeof(*actual));
	actual->column_count = PQntuples(res);
	actual->columns = ARENA_ARRAY(&work->arena, ShapeColumn,
								  (size_t) actual->column_count);
	for (int i = 0; i < actual->column_count; i++)
	{
		ShapeColumn *column = &actual->columns[i];

		column->num = (uint16_t) pg_value_int(res, i, 0);
		column->name = arena_strdup(&work->arena, pg_value(res, i, 1));
		column->type_schema = arena_strdup(&work->arena, pg_value(res, i, 2));
		column->type_name = arena_strdup(&work->arena, pg_value(res, i, 3));
		column->typmod = (int32_t) pg_value_int(res, i, 4);
		column->not_null = pg_value_bool(res, i, 5);
	}
	PQclear(res);
	return true;
}

bool
shape_prove(DdlWork *work, uint32_t target_oid, const Shape *want)
{
	Shape actual;

	if (target_oid == 0)
		return ddl_work_refuse(work, "table %s.%s is not on the target",
							   want->schema, want->name);
	if (!shape_actual(work, target_oid, &actual))
		return false;
	return shape_same_columns(&actual, want) ||
		   ddl_work_refuse(work,
						   "table %s.%s does not have the source's columns on "
						   "the target after it",
						   want->schema, want->name);
}

const char *
shape_type_sql(DdlWork *work, const ShapeColumn *column)
{
	char typmod[16];
	const char *params[] = { column->type_schema, column->type_name, typmod };
	const char *sql = NULL;
	PGresult *res;

	snprintf(typmod, sizeof(typmod), "%" PRId32, column->typmod);
	res = pg_query_params(work->conn, work->err, TYPE_SQL, 3, params);
	if (res == NULL)
		return NULL;
	if (PQntuples(res) == 1)
		sql = arena_strdup(&work->arena, pg_value(res, 0, 0));
	PQclear(res);
	if (sql == NULL)
	{
		ddl_work_refuse(work,
						"type %s.%s of column \"%s\" is not on the target",
						column->type_schema, column->type_name, column->name);
		return NULL;
	}
	if (column->collation != NULL)
		sql = arena_printf(&work->arena, "%s COLLATE %s", sql,
						   column->collation);
	return sql;
}

/* The table of the target to alter for a column, and its OID there. */
typedef struct ColumnOwner
{
	const char *table; /* quoted */
	uint32_t oid;
} ColumnOwner;

static bool
owner_of(DdlWork *work, uint32_t target_oid, const char *column,
		 ColumnOwner *owner)
{
	char oid[16];
	const char *params[] = { oid, column };
	PGresult *res;
	bool found;

	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	res = pg_query_params(work->conn, work->err, OWNER_SQL, 2, params);
	if (res == NULL)
		return false;
	found = PQntuples(res) == 1;
	if (found)
	{
		owner->oid = (uint32_t) pg_value_int(res, 0, 0);
		owner->table = ddl_table(work, pg_value(res, 0, 1),
								 pg_value(res, 0, 2));
	}
	PQclear(res);
	return found ||
		   ddl_work_refuse(work, "column \"%s\" is not on the target", column);
}

static bool
schema_exists(DdlWork *work, const char *schema)
{
	const char *params[] = { schema };
	bool found;

	if (!pg_exec_expect(work->conn, work->err,
						"SELECT FROM pg_namespace WHERE nspname = $1", 1,
						params, 1, &found))
		return false;
	return found ||
		   ddl_work_exec(work, "CREATE SCHEMA %s", ddl_ident(work, schema));
}

/*
 * Another table of the migration may stand under a name that the source has
 * given away: it gets its own new name when the stream says which.
 */
static bool
name_is_free(DdlWork *work, const Shape *want)
{
	const char *params[] = { want->schema, want->name };
	ShapeEntry *other;
	Shape aside;
	bool there;

	if (!pg_exec_expect(work->conn, work->err,
						"SELECT FROM pg_class c JOIN pg_namespace n"
						" ON n.oid = c.relnamespace"
						" WHERE n.nspname = $1 AND c.relname = $2",
						2, params, 1, &there))
		return false;
	if (!there)
		return true;
	other = shape_map_named(work->shapes, want->schema, want->name);
	if (other == NULL)
		return ddl_work_refuse(work, "the target has a table %s.%s of its own",
							   want->schema, want->name);
	aside = other->shape;
	aside.name = arena_printf(&work->arena, "portage_%" PRIu32, aside.oid);
	log_warning("table %s.%s is put aside as %s until the stream says what it "
				"is called now",
				want->schema, want->name, aside.name);
	return ddl_work_exec(work, "ALTER TABLE %s RENAME TO %s",
						 ddl_table(work, want->schema, want->name),
						 ddl_ident(work, aside.name)) &&
		   shape_map_put(work->shapes, work->conn, &aside, work->err) != NULL;
}

static bool
move_table(DdlWork *work, const Shape *have, const Shape *want)
{
	if (!name_is_free(work, want) || !schema_exists(work, want->schema))
		return false;
	if (strcmp(have->name, want->name) != 0 &&
		!ddl_work_exec(work, "ALTER TABLE %s RENAME TO %s",
					   ddl_table(work, have->schema, have->name),
					   ddl_ident(work, want->name)))
		return false;
	return strcmp(have->schema, want->schema) == 0 ||
		   ddl_work_exec(work, "ALTER TABLE %s SET SCHEMA %s",
						 ddl_table(work, have->schema, want->name),
						 ddl_ident(work, want->schema));
}

static bool
detach_table(DdlWork *work, uint32_t target_oid, const Shape *have)
{
	char oid[16];
	const char *params[] = { oid };
	PGresult *res;
	bool ok;

	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	res = pg_query_params(work->conn, work->err, PARENT_SQL, 1, params);
	ok = res != NULL &&
		 (PQntuples(res) == 0 ||
		  ddl_work_exec(
			  work, "ALTER TABLE %s DETACH PARTITION %s",
			  ddl_table(work, pg_value(res, 0, 0), pg_value(res, 0, 1)),
			  ddl_table(work, have->schema, have->name)));
	PQclear(res);
	return ok;
}

/* " DEFAULT ..." and what else stands behind a new column's type. */
static const char *
column_tail(DdlWork *work, const ShapeColumn *column, bool older_rows)
{
	const char *tail = "";

	if (column->generated == 's')
		tail = arena_printf(&work->arena, " GENERATED ALWAYS AS (%s) STORED",
							column->default_sql);
	else if (column->generated == 'v')
		tail = arena_printf(&work->arena, " GENERATED ALWAYS AS (%s) VIRTUAL",
							column->default_sql);
	else if (column->identity != 0)
		tail = " GENERATED BY DEFAULT AS IDENTITY";
	else if (older_rows && column->missing != NULL)
		tail = arena_printf(&work->arena, " DEFAULT %s",
							ddl_literal(work, column->missing));
	return column->not_null ? arena_printf(&work->arena, "%s NOT NULL", tail)
							: tail;
}

/* Its default decides what older rows have; then it becomes what it is. */
static bool
add_column(DdlWork *work, const char *table, const ShapeColumn *column)
{
	const char *type = shape_type_sql(work, column);
	const char *name = ddl_ident(work, column->name);

	if (type == NULL ||
		!ddl_work_exec(work, "ALTER TABLE %s ADD COLUMN %s %s%s", table, name,
					   type, column_tail(work, column, true)))
		return false;
	if (column->generated != 0 || column->identity != 0)
		return true;
	if (column->default_sql != NULL)
		return ddl_work_exec(work,
							 "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT "
							 "%s",
							 table, name, column->default_sql);
	return column->missing == NULL ||
		   ddl_work_exec(work, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT",
						 table, name);
}

static bool
change_type(DdlWork *work, const char *table, const ShapeColumn *column)
{
	const char *type = shape_type_sql(work, column);

	return type != NULL &&
		   ddl_work_exec(work, "ALTER TABLE %s ALTER COLUMN %s TYPE %s", table,
						 ddl_ident(work, column->name), type);
}

static bool
owner_step(DdlWork *work, const char *table, const ShapeStep *step)
{
	const char *name = ddl_ident(work, step->name);

	switch (step->kind)
	{
		case SHAPE_DROP:
			return ddl_work_exec(work, "ALTER TABLE %s DROP COLUMN %s", table,
								 name);
		case SHAPE_RENAME:
			return ddl_work_exec(work, "ALTER TABLE %s RENAME COLUMN %s TO %s",
								 table, name, ddl_ident(work, step->new_name));
		case SHAPE_TYPE:
			return change_type(work, table, step->column);
		case SHAPE_ADD:
			return add_column(work, table, step->column);
		case SHAPE_NULLS:
			return ddl_work_exec(
				work, "ALTER TABLE %s ALTER COLUMN %s %s NOT NULL", table, name,
				step->column->not_null ? "SET" : "DROP");
		default:
			return true;
	}
}

/* A partition may have a NOT NULL of its own, but not less than its parent. */
static bool
column_step(DdlWork *work, uint32_t target_oid, const Shape *want,
			const ShapeStep *step)
{
	bool own = step->kind == SHAPE_NULLS && step->column->not_null;
	ColumnOwner owner = { ddl_table(work, want->schema, want->name),
						  target_oid };

	return (own ||
			owner_of(work, target_oid,
					 step->kind == SHAPE_ADD ? "" : step->name, &owner)) &&
		   owner_step(work, owner.table, step) &&
		   shape_map_follow(work->shapes, work->conn, owner.oid, want->oid,
							step, work->err);
}

bool
shape_change(DdlWork *work, ShapeEntry *entry, const Shape *want,
			 const ShapeDiff *diff)
{
	uint32_t target_oid = entry->target_oid;
	Shape have;

	shape_copy(&entry->shape, &work->arena, &have);
	for (int i = 0; i < diff->count; i++)
	{
		const ShapeStep *step = &diff->steps[i];
		bool ok = step->kind == SHAPE_DETACH
					  ? detach_table(work, target_oid, &have)
				  : step->kind == SHAPE_MOVE
					  ? move_table(work, &have, want)
					  : column_step(work, target_oid, want, step);

		if (!ok)
			return false;
	}
	return shape_prove(work, target_oid, want) &&
		   shape_map_put(work->shapes, work->conn, want, work->err) != NULL;
}

static bool
put_columns(DdlWork *work, const Shape *want, Buffer *sql)
{
	const char *comma = "";

	for (int i = 0; i < want->column_count; i++)
	{
		const ShapeColumn *column = &want->columns[i];
		const char *type = shape_type_sql(work, column);

		if (type == NULL)
			return false;
		if (column->generated != 0 && column->default_sql == NULL)
			return ddl_work_refuse(work,
								   "column \"%s\" is generated, and its "
								   "expression is not in the stream",
								   column->name);
		buffer_puts(sql, comma);
		pg_quote_ident(sql, column->name);
		buffer_printf(sql, " %s%s", type, column_tail(work, column, false));
		if (column->default_sql != NULL && column->generated == 0)
			buffer_printf(sql, " DEFAULT %s", column->default_sql);
		comma = ", ";
	}
	return true;
}

static void
put_key(const Shape *want, Buffer *sql)
{
	const char *before = want->column_count > 0 ? ", PRIMARY KEY ("
												: "PRIMARY KEY (";

	for (int i = 0; i < want->column_count; i++)
	{
		if (!want->columns[i].key)
			continue;
		buffer_puts(sql, before);
		pg_quote_ident(sql, want->columns[i].name);
		before = ", ";
	}
	if (strcmp(before, ", ") == 0)
		buffer_putc(sql, ')');
}

bool
shape_create(DdlWork *work, const Shape *want)
{
	ShapeEntry *entry = NULL;
	Buffer sql;
	bool ok;

	if (want->root_oid != 0)
		return ddl_work_refuse(work,
							   "table %s.%s is a partition of %s, and its "
							   "bounds are not in the stream",
							   want->schema, want->name, want->root);
	buffer_init(&sql);
	ok = name_is_free(work, want) && schema_exists(work, want->schema) &&
		 put_columns(work, want, &sql);
	if (ok)
	{
		put_key(want, &sql);
		ok = ddl_work_exec(work, "CREATE TABLE %s (%s)",
						   ddl_table(work, want->schema, want->name), sql.data);
	}
	buffer_release(&sql);
	if (ok)
		entry = shape_map_put(work->shapes, work->conn, want, work->err);
	return entry != NULL && shape_prove(work, entry->target_oid, want);
}
