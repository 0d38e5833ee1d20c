/*
 * target_mysql_foreign_key.c
 *		Which rows a foreign key is refused for.
 *
 * The server says that there is one, not which.  The statement is our own, so
 * its names are found where the translation has put them:
 * ALTER TABLE t ADD CONSTRAINT n FOREIGN KEY (a, b) REFERENCES p (x, y) ...
 */
#include <string.h>

#include "mysql/target_mysql.h"

#define COLUMNS_MAX 16 /* of a key, on these servers */
#define ORPHANS_SHOWN "5"

typedef struct KeyWords
{
	Slice table;
	Slice columns[COLUMNS_MAX];
	int column_count;
	Slice parent;
	Slice parent_columns[COLUMNS_MAX];
	int parent_count;
} KeyWords;

/* `name` with its backticks. */
static bool
take_ident(const char **p, Slice *ident)
{
	const char *q = *p;

	if (*q++ != '`')
		return false;
	while (*q != '\0' && (*q != '`' || q[1] == '`'))
		q += *q == '`' ? 2 : 1;
	if (*q != '`')
		return false;
	*ident = (Slice){ *p, (size_t) (q + 1 - *p) };
	*p = q + 1;
	return true;
}

/* `table`, `database`.`table` */
static bool
take_table(const char **p, Slice *table)
{
	Slice name;

	if (!take_ident(p, table))
		return false;
	if (**p != '.')
		return true;
	++*p;
	if (!take_ident(p, &name))
		return false;
	table->len = (size_t) (*p - table->data);
	return true;
}

/* Words that stand at this place; a space stands for any blanks, or none. */
static bool
take_words(const char **p, const char *words)
{
	const char *q = *p;

	for (; *words != '\0'; words++)
	{
		if (*words == ' ')
			q += strspn(q, " \t\n");
		else if (*q++ != *words)
			return false;
	}
	*p = q;
	return true;
}

/* (`a`, `b`) */
static bool
take_columns(const char **p, Slice *columns, int *count)
{
	*count = 0;
	if (!take_words(p, " ( "))
		return false;
	do
	{
		if (*count == COLUMNS_MAX || !take_ident(p, &columns[(*count)++]))
			return false;
	} while (take_words(p, " , "));
	return take_words(p, " )");
}

static bool
parse(const char *sql, KeyWords *key)
{
	Slice name;

	return take_words(&sql, "ALTER TABLE ") && take_table(&sql, &key->table) &&
		   take_words(&sql, " ADD CONSTRAINT ") && take_ident(&sql, &name) &&
		   take_words(&sql, " FOREIGN KEY ") &&
		   take_columns(&sql, key->columns, &key->column_count) &&
		   take_words(&sql, " REFERENCES ") && take_table(&sql, &key->parent) &&
		   take_words(&sql, " ") &&
		   take_columns(&sql, key->parent_columns, &key->parent_count) &&
		   key->column_count == key->parent_count;
}

static void
put(Buffer *out, Slice text)
{
	buffer_append(out, text.data, text.len);
}

/* Rows whose columns are all set, without a row that has the same values. */
static void
orphan_sql(Buffer *sql, const KeyWords *key)
{
	buffer_puts(sql, "SELECT ");
	for (int i = 0; i < key->column_count; i++)
	{
		buffer_puts(sql, i > 0 ? ", c." : "c.");
		put(sql, key->columns[i]);
	}
	buffer_puts(sql, " FROM ");
	put(sql, key->table);
	buffer_puts(sql, " AS c LEFT JOIN ");
	put(sql, key->parent);
	buffer_puts(sql, " AS p ON ");
	for (int i = 0; i < key->column_count; i++)
	{
		buffer_puts(sql, i > 0 ? " AND c." : "c.");
		put(sql, key->columns[i]);
		buffer_puts(sql, " = p.");
		put(sql, key->parent_columns[i]);
	}
	buffer_puts(sql, " WHERE p.");
	put(sql, key->parent_columns[0]);
	buffer_puts(sql, " IS NULL");
	for (int i = 0; i < key->column_count; i++)
	{
		buffer_puts(sql, " AND c.");
		put(sql, key->columns[i]);
		buffer_puts(sql, " IS NOT NULL");
	}
	buffer_puts(sql, " LIMIT " ORPHANS_SHOWN);
}

static void
name_rows(const KeyWords *key, MyResult *rows, Error *err)
{
	Buffer text;

	buffer_init(&text);
	while (my_next(rows))
	{
		buffer_puts(&text, text.len > 0 ? "; " : "rows without one: ");
		for (int i = 0; i < rows->columns; i++)
			buffer_printf(&text, "%s%.*s = %s", i > 0 ? ", " : "",
						  (int) key->columns[i].len, key->columns[i].data,
						  my_value(rows, i));
	}
	if (text.len > 0)
		error_detail(err, "%.*s: %s", (int) key->table.len, key->table.data,
					 text.data);
	buffer_release(&text);
}

/* What cannot be found out leaves the error as it is. */
void
target_mysql_name_orphans(MyConn *conn, const DdlEntry *entry, Error *err)
{
	Error ignored = ERROR_INIT;
	KeyWords key = { 0 };
	MyResult rows;
	Buffer sql;

	if (!my_conn_alive(conn) || !parse(entry->sql, &key))
		return;
	buffer_init(&sql);
	orphan_sql(&sql, &key);
	if (my_query(conn, &ignored, sql.data, &rows))
	{
		name_rows(&key, &rows, err);
		my_result_free(&rows);
	}
	buffer_release(&sql);
}
