/*
 * ddl_fast_default.c
 *		What older rows have in a column that was added without writing them.
 *
 * ADD COLUMN ... DEFAULT now() is computed once, when the column is added, and
 * kept in the catalog for all rows that there are.  Carried out again it gives
 * another moment.  So the two values are compared, and where they differ the
 * column is made once more, with the source's.
 */
#include "postgres/ddl_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMN_SQL                                                    \
	"SELECT (a.attmissingval::text::text[])[1], a.attnum,"            \
	" pg_get_expr(d.adbin, d.adrelid),"                               \
	" EXISTS (SELECT FROM pg_depend p WHERE p.refclassid ="           \
	"  'pg_class'::regclass AND p.refobjid = a.attrelid"              \
	"  AND p.refobjsubid = a.attnum"                                  \
	"  AND p.classid <> 'pg_attrdef'::regclass) OR a.attinhcount > 0" \
	" FROM pg_attribute a LEFT JOIN pg_attrdef d"                     \
	"  ON d.adrelid = a.attrelid AND d.adnum = a.attnum"              \
	" WHERE a.attrelid = $1 AND a.attname = $2 AND NOT a.attisdropped"

/*
 * Is a default the same whenever it is computed?  Every function in it is
 * immutable, and it has no node that depends on the moment.
 */
#define IMMUTABLE_SQL                                                   \
	"SELECT d.adbin::text !~"                                           \
	"  '\\{(SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCEVIAIO|MINMAXEXPR) '"   \
	" AND NOT EXISTS (SELECT FROM regexp_matches(d.adbin::text,"        \
	"  ':(?:funcid|opfuncid) (\\d+)', 'g') AS m"                        \
	"  JOIN pg_proc f ON f.oid = m[1]::oid WHERE f.provolatile <> 'i')" \
	" FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid"  \
	"  AND d.adnum = a.attnum WHERE a.attrelid = $1 AND a.attname = $2" \
	" AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = $1)"

/* A column that is new, and what its older rows have here. */
typedef struct NewColumn
{
	const ShapeColumn *column;
	const char *default_sql; /* or NULL */
	bool alone;				 /* nothing depends on it: it can be made again */
	bool matches;
} NewColumn;

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
look_at(DdlWork *work, const char *oid, NewColumn *new)
{
	const char *params[] = { oid, new->column->name };
	PGresult *res = pg_query_params(work->conn, work->err, COLUMN_SQL, 2,
									params);

	if (res == NULL)
		return false;
	if (PQntuples(res) != 1)
	{
		PQclear(res);
		return ddl_work_refuse(work, "column \"%s\" is not on the target",
							   new->column->name);
	}
	new->matches = same_text(new->column->missing, pg_is_null(res, 0, 0)
													   ? NULL
													   : pg_value(res, 0, 0));
	new->default_sql = pg_is_null(res, 0, 2)
						   ? NULL
						   : arena_strdup(&work->arena, pg_value(res, 0, 2));
	new->alone = !pg_value_bool(res, 0, 3);
	PQclear(res);
	return true;
}

/* The values of children are not in the message, so they must be no question. */
static bool
children_match(DdlWork *work, const char *oid, const ShapeColumn *column)
{
	const char *params[] = { oid, column->name };
	PGresult *res = pg_query_params(work->conn, work->err, IMMUTABLE_SQL, 2,
									params);
	bool ok;

	if (res == NULL)
		return false;
	ok = PQntuples(res) == 0 || pg_value_bool(res, 0, 0);
	PQclear(res);
	return ok || ddl_work_refuse(work,
								 "the default of column \"%s\" is another one "
								 "each time, and what it was for the children "
								 "of the table is not in the stream",
								 column->name);
}

static const char *
missing_literal(DdlWork *work, const ShapeColumn *column)
{
	return column->missing != NULL ? ddl_literal(work, column->missing)
								   : "NULL";
}

static bool
make_again(DdlWork *work, const char *table, const NewColumn *new)
{
	const char *name = ddl_ident(work, new->column->name);
	const char *type = shape_type_sql(work, new->column);

	return type != NULL &&
		   ddl_work_exec(work, "ALTER TABLE %s DROP COLUMN %s", table, name) &&
		   ddl_work_exec(work, "ALTER TABLE %s ADD COLUMN %s %s DEFAULT %s%s",
						 table, name, type, missing_literal(work, new->column),
						 new->column->not_null ? " NOT NULL" : "") &&
		   (new->default_sql != NULL
				? ddl_work_exec(work,
								"ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s",
								table, name, new->default_sql)
				: ddl_work_exec(work,
								"ALTER TABLE %s ALTER COLUMN %s DROP "
								"DEFAULT",
								table, name));
}

/*
 * All of the new columns, so that they keep their order; where something hangs
 * on one, the rows are written instead.
 */
static bool
repair(DdlWork *work, const Shape *now, const NewColumn *new, int count)
{
	const char *table = ddl_table(work, now->schema, now->name);
	bool alone = true;
	bool ok = true;

	for (int i = 0; i < count; i++)
		alone = alone && new[i].alone;
	for (int i = 0; ok && i < count; i++)
	{
		if (alone)
			ok = make_again(work, table, &new[i]);
		else if (!new[i].matches)
			ok = ddl_work_exec(work, "UPDATE ONLY %s SET %s = %s", table,
							   ddl_ident(work, new[i].column->name),
							   missing_literal(work, new[i].column));
	}
	return ok;
}

bool
fast_defaults_match(DdlWork *work, const Shape *had, const Shape *now,
					uint32_t target_oid)
{
	NewColumn *new = ARENA_ARRAY(&work->arena, NewColumn,
								 (size_t) now->column_count);
	char oid[16];
	int count = 0;
	bool match = true;

	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	for (int i = 0; had != NULL && i < now->column_count; i++)
	{
		const ShapeColumn *column = &now->columns[i];

		if (shape_column(had, column->num) != NULL || column->generated != 0 ||
			column->identity != 0)
			continue;
		if (!children_match(work, oid, column))
			return false;
		if (now->kind == 'p')
			continue;
		new[count].column = column;
		if (!look_at(work, oid, &new[count]))
			return false;
		match = match && new[count].matches;
		count++;
	}
	return match || repair(work, now, new, count);
}
