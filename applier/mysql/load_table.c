/*
 * load_table.c
 *		See load_table.h.
 */
#include "mysql/load_table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define ER_NO_SUCH_TABLE 1146
#define ER_BAD_DB 1049

/* what separates fields and rows, in a form that no sql_mode reads otherwise */
#define LOAD_FORMAT                                    \
	" CHARACTER SET binary FIELDS TERMINATED BY X'09'" \
	" ESCAPED BY X'5C' LINES TERMINATED BY X'0A' "

static void
append_where(Buffer *sql, const TableMap *map)
{
	buffer_puts(sql, " WHERE table_schema = ");
	if (map->database != NULL)
		my_quote_text(sql, slice_of(map->database));
	else
		buffer_puts(sql, "DATABASE()");
	buffer_puts(sql, " AND table_name = ");
	my_quote_text(sql, slice_of(map->table));
}

bool
load_table_exec(MyConn *conn, const char *verb, const TableMap *map,
				const char *rest, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, verb);
	my_quote_table(&sql, map->database, map->table);
	buffer_puts(&sql, rest);
	ok = my_exec(conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

bool
load_table_occupied(MyConn *conn, const TableMap *map, bool *occupied,
					Error *err)
{
	MyResult result;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT EXISTS (SELECT 1 FROM ");
	my_quote_table(&sql, map->database, map->table);
	buffer_putc(&sql, ')');
	ok = my_query(conn, err, sql.data, &result);
	buffer_release(&sql);
	if (!ok)
		return false;
	*occupied = !my_next(&result) || my_value_int(&result, 0) != 0;
	my_result_free(&result);
	return true;
}

static bool
table_missing(const TableMap *map, Error *err)
{
	error_set(err, P_SCHEMA_DIFFERS, "it is not on the target");
	return error_hint(err,
					  "Table %s.%s is to be written to table %s there: somebody"
					  " has dropped or renamed that.",
					  map->schema, map->name, map->table);
}

/*
 * Asked of the table itself: information_schema leaves out tables that somebody
 * else has locked for DDL, such as another stream that writes to the same one.  In
 * a transaction nobody can lock it so from then on.
 */
bool
load_table_prove_there(MyConn *conn, const TableMap *map, Error *err)
{
	MyResult result;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT 1 FROM ");
	my_quote_table(&sql, map->database, map->table);
	buffer_puts(&sql, " LIMIT 0");
	ok = my_query(conn, err, sql.data, &result);
	buffer_release(&sql);
	if (ok)
	{
		my_result_free(&result);
		return true;
	}
	if (my_errno(conn) == ER_NO_SUCH_TABLE || my_errno(conn) == ER_BAD_DB)
		return table_missing(map, err);
	return false;
}

static bool
columns_differ(const TableMap *map, const char *column, const char *what,
			   Error *err)
{
	error_set(err, P_SCHEMA_DIFFERS, "column \"%s\" %s", column, what);
	return error_hint(err,
					  "Rows of table %s.%s are to be written to table %s as it"
					  " was when the migration began: alter it back, and start"
					  " again.",
					  map->schema, map->name, map->table);
}

/* -1: no column of this name is written. */
static int
column_find(const LoadRows *rows, const char *target)
{
	int i = rows->column_count - 1;

	/* names of columns are of no case there */
	while (i >= 0 && (rows->columns[i].map->computed ||
					  strcasecmp(rows->columns[i].map->target, target) != 0))
		i--;
	return i;
}

static bool
column_is_computed(const MyResult *result)
{
	const char *extra = my_value(result, 1);

	/* DEFAULT_GENERATED is something else */
	return strstr(extra, "VIRTUAL GENERATED") != NULL ||
		   strstr(extra, "STORED GENERATED") != NULL;
}

/*
 * Bytes are what LOAD DATA writes into a column of text, whatever it is: only
 * where they are UTF-8 as well are they looked at.
 */
static bool
column_is_utf8(const MyResult *result)
{
	const char *charset = my_value(result, 3);

	return charset[0] == '\0' || strncmp(charset, "utf8", 4) == 0 ||
		   strcmp(charset, "ascii") == 0;
}

/* Its values come from the server: computed, or a key that nobody sees. */
static bool
column_is_servers(const MyResult *result)
{
	return column_is_computed(result) ||
		   strstr(my_value(result, 1), "INVISIBLE") != NULL;
}

/* Rows of other columns would take defaults in silence. */
static bool
columns_compare(LoadTable *self, MyResult *result, Error *err)
{
	LoadRows *rows = &self->rows;
	bool *found = mem_zalloc((size_t) rows->column_count + 1);
	bool any = false;
	bool ok = true;

	while (ok && my_next(result))
	{
		int i = column_find(rows, my_value(result, 0));

		any = true;
		if (i >= 0 && column_is_computed(result))
			ok = columns_differ(self->map, my_value(result, 0),
								"is computed by the target's table", err);
		else if (i >= 0 && !column_is_utf8(result))
			ok = columns_differ(self->map, my_value(result, 0),
								"of the target's table is not of character set"
								" utf8mb4",
								err);
		else if (i >= 0)
			found[i] = true;
		else if (!column_is_servers(result))
			ok = columns_differ(self->map, my_value(result, 0),
								"of the target's table is not on the source",
								err);
		self->exclusive |= strstr(my_value(result, 1), "auto_increment") !=
						   NULL;
		if (i >= 0 && strcmp(my_value(result, 2), "PRI") == 0)
			rows->columns[i].key = true;
	}
	if (ok && !any)
		ok = table_missing(self->map, err);
	for (int i = 0; ok && i < rows->column_count; i++)
		ok = found[i] || rows->columns[i].map->computed ||
			 columns_differ(self->map, rows->columns[i].map->target,
							"is not in the target's table", err);
	mem_free(found);
	return ok;
}

static bool
columns_prove(LoadTable *self, MyConn *conn, Error *err)
{
	MyResult result;
	Buffer sql;
	bool ok;

	if (!load_table_prove_there(conn, self->map, err))
		return false;
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT column_name, extra, column_key,"
					  " character_set_name"
					  " FROM information_schema.columns");
	append_where(&sql, self->map);
	ok = my_query(conn, err, sql.data, &result);
	buffer_release(&sql);
	if (!ok)
		return false;
	ok = columns_compare(self, &result, err);
	my_result_free(&result);
	return ok;
}

/*
 * What the server has to do with a field before it is the column's, with %s for
 * the variable that holds it; NULL: nothing.
 */
static const char *
field_expression(const ColumnMap *column, const MyServer *server)
{
	if (column->convert == CONVERT_BITS)
		return "CAST(CONV(%s, 2, 10) AS UNSIGNED)";
	/* JSON is made of text there, and of nothing else */
	if (!server->mariadb && strncasecmp(column->type, "json", 4) == 0)
		return "CONVERT(%s USING utf8mb4)";
	return NULL;
}

void
load_statement(Buffer *sql, const MyServer *server, const char *name,
			   const ColumnMap *const *columns, int count)
{
	Buffer set;

	buffer_init(&set);
	buffer_printf(sql,
				  "LOAD DATA LOCAL INFILE 'pg_portage' INTO TABLE "
				  "%s" LOAD_FORMAT "(",
				  name);
	for (int i = 0; i < count; i++)
	{
		const char *expression = field_expression(columns[i], server);
		char variable[32];

		buffer_puts(sql, i > 0 ? ", " : "");
		if (expression == NULL)
		{
			my_quote_ident(sql, columns[i]->target);
			continue;
		}
		snprintf(variable, sizeof(variable), "@portage_%d", i);
		buffer_puts(sql, variable);
		buffer_puts(&set, set.len == 0 ? " SET " : ", ");
		my_quote_ident(&set, columns[i]->target);
		buffer_puts(&set, " = ");
		buffer_printf(&set, expression, variable);
	}
	buffer_printf(sql, ")%s", set.data);
	buffer_release(&set);
}

static void
build_statements(LoadTable *self, const MyServer *server)
{
	const ColumnMap **columns = mem_zalloc(((size_t) self->rows.written + 1) *
										   sizeof(*columns));

	my_quote_table(&self->name, self->map->database, self->map->table);
	buffer_printf(&self->head, "INSERT INTO %s (", self->name.data);
	for (int i = 0; i < self->rows.written; i++)
	{
		columns[i] = load_rows_written(&self->rows, i)->map;
		buffer_puts(&self->head, i > 0 ? ", " : "");
		my_quote_ident(&self->head, columns[i]->target);
	}
	buffer_puts(&self->head, ") VALUES ");
	load_statement(&self->load, server, self->name.data, columns,
				   self->rows.written);
	mem_free(columns);
}

bool
load_table_open(LoadTable *self, MyConn *conn, const TableMap *map,
				const Table *table, LossTally *tally, Error *err)
{
	memset(self, 0, sizeof(*self));
	self->map = map;
	buffer_init(&self->name);
	buffer_init(&self->load);
	buffer_init(&self->head);
	if (!load_rows_init(&self->rows, map, table->columns, table->column_count,
						tally, err) ||
		!columns_prove(self, conn, err))
	{
		load_table_close(self);
		return false;
	}
	build_statements(self, &conn->server);
	return true;
}

void
load_table_close(LoadTable *self)
{
	if (self->map == NULL)
		return;
	load_rows_release(&self->rows);
	buffer_release(&self->name);
	buffer_release(&self->load);
	buffer_release(&self->head);
	self->map = NULL;
}
