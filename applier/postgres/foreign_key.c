/*
 * foreign_key.c
 *		See foreign_key.h.
 */
#include "postgres/foreign_key.h"

#include <ctype.h>

#include "postgres/pg_conn.h"
#include "schema/sql_scan.h"

/* The next token that is not a comment; empty at the end of the text. */
static Slice
token_take(const char **p)
{
	const char *start;

	do
	{
		*p += strspn(*p, " \t\r\n");
		start = *p;
		if (*start != '\0')
			*p = sql_skip_token(start);
	} while (start[0] != '\0' && ((start[0] == '-' && start[1] == '-') ||
								  (start[0] == '/' && start[1] == '*')));
	return (Slice){ start, (size_t) (*p - start) };
}

static bool
word_take(const char **p, const char *word)
{
	const char *before = *p;

	if (slice_equal(token_take(p), slice_of(word)))
		return true;
	*p = before;
	return false;
}

/* A name with its schema, or without one. */
static bool
name_take(const char **p, Slice *name)
{
	*name = token_take(p);
	if (name->len == 0 || (name->data[0] != '"' && name->data[0] != '_' &&
						   (name->data[0] & 0x80) == 0 &&
						   !isalpha((unsigned char) name->data[0])))
		return false;
	while (**p == '.')
	{
		*p = sql_skip_token(*p + 1);
		name->len = (size_t) (*p - name->data);
	}
	return true;
}

/* From the columns on: whom it refers to, and how the statement ends. */
static bool
references_take(const char *p, ForeignKey *key)
{
	Slice before = { "", 0 };
	Slice last = { "", 0 };

	while (!slice_equal(last, slice_of(";")))
	{
		before = last;
		last = token_take(&p);
		if (last.len == 0)
			return false;
		if (key->referenced.len == 0 &&
			slice_equal(last, slice_of("REFERENCES")) &&
			!name_take(&p, &key->referenced))
			return false;
		if (slice_equal(before, slice_of("NOT")))
			key->unvalidated = slice_equal(last, slice_of("VALID")) ||
							   slice_equal(last, slice_of("ENFORCED"));
	}
	key->end = (size_t) (last.data - key->sql);
	return key->referenced.len > 0;
}

bool
foreign_key_parse(ForeignKey *key, const char *sql)
{
	const char *p = sql;

	*key = (ForeignKey){ .sql = sql };
	if (!word_take(&p, "ALTER") || !word_take(&p, "TABLE"))
		return false;
	key->inherited = !word_take(&p, "ONLY");
	return name_take(&p, &key->table) && word_take(&p, "ADD") &&
		   word_take(&p, "CONSTRAINT") && name_take(&p, &key->name) &&
		   word_take(&p, "FOREIGN") && word_take(&p, "KEY") &&
		   references_take(p, key);
}

void
foreign_key_add_sql(const ForeignKey *key, Buffer *sql)
{
	buffer_append(sql, key->sql, key->end);
	buffer_puts(sql, " NOT VALID");
	buffer_puts(sql, key->sql + key->end);
}

void
foreign_key_validate_sql(const ForeignKey *key, Buffer *sql)
{
	buffer_puts(sql, "ALTER TABLE ");
	buffer_append(sql, key->table.data, key->table.len);
	buffer_puts(sql, " VALIDATE CONSTRAINT ");
	buffer_append(sql, key->name.data, key->name.len);
	buffer_putc(sql, ';');
}

/* ---- the definition of one */

static void
put_list(Buffer *sql, const char *const *columns, int count)
{
	for (int i = 0; i < count; i++)
	{
		buffer_puts(sql, i == 0 ? "(" : ", ");
		pg_quote_ident(sql, columns[i]);
	}
	buffer_putc(sql, ')');
}

static const char *
action_name(char action)
{
	switch (action)
	{
		case 'r':
			return "RESTRICT";
		case 'c':
			return "CASCADE";
		case 'n':
			return "SET NULL";
		case 'd':
			return "SET DEFAULT";
		default:
			return "NO ACTION";
	}
}

const char *
foreign_key_print(const SchemaForeignKey *key, Arena *arena)
{
	const char *definition;
	Buffer sql;

	buffer_init(&sql);
	buffer_puts(&sql, "FOREIGN KEY ");
	put_list(&sql, key->columns, key->column_count);
	buffer_puts(&sql, " REFERENCES ");
	pg_quote_table(&sql, key->ref_schema, key->ref_table);
	put_list(&sql, key->ref_columns, key->column_count);
	if (key->match == 'f')
		buffer_puts(&sql, " MATCH FULL");
	if (key->on_update != 'a')
		buffer_printf(&sql, " ON UPDATE %s", action_name(key->on_update));
	if (key->on_delete != 'a')
		buffer_printf(&sql, " ON DELETE %s", action_name(key->on_delete));
	if (key->deferrable)
		buffer_printf(&sql, " DEFERRABLE%s",
					  key->deferred ? " INITIALLY DEFERRED" : "");
	if (!key->validated)
		buffer_puts(&sql, " NOT VALID");
	definition = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return definition;
}
