/*
 * ddl_print.c
 *		See ddl_print.h.
 */
#include "postgres/ddl_print.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "postgres/foreign_key.h"
#include "postgres/pg_conn.h"

typedef struct Printer
{
	const Schema *schema;
	Arena *arena;
	DdlEntry *entries;
	int count;
} Printer;

static void
add(Printer *self, const DdlEntry *entry)
{
	self->entries = arena_room(self->arena, self->entries, self->count,
							   sizeof(*self->entries));
	self->entries[self->count] = *entry;
	self->entries[self->count].number = self->count + 1;
	self->count++;
}

static void
add_sql(Printer *self, DdlSection section, const char *type,
		const SchemaTable *table, const char *name, const Buffer *sql)
{
	DdlEntry entry = { .section = section,
					   .state = DDL_TODO,
					   .type = type,
					   .schema = table->schema,
					   .name = name,
					   .table_oid = table->oid };

	entry.sql = arena_strndup(self->arena, sql->data, sql->len);
	add(self, &entry);
}

/* ---- what others may have made already */

/* A dollar quote that does not end within the text. */
static const char *
dollar_tag(Printer *self, const char *text)
{
	const char *tag = "$portage$";

	for (int i = 1; strstr(text, tag) != NULL; i++)
		tag = arena_printf(self->arena, "$portage%d$", i);
	return tag;
}

/*
 * Whoever makes the same waits until it is there; condition says whether it is
 * not, or is NULL where the statement itself asks.
 */
static void
make_patient(Printer *self, const SchemaTable *table, const char *condition,
			 Buffer *sql)
{
	char *statement = arena_strndup(self->arena, sql->data, sql->len);
	const char *tag = dollar_tag(self, statement);
	Buffer name;

	buffer_init(&name);
	pg_quote_table(&name, table->schema, table->name);
	buffer_reset(sql);
	buffer_printf(
		sql,
		"DO %s\nBEGIN\nPERFORM pg_catalog.pg_advisory_xact_lock(%" PRId64
		");\n",
		tag, (int64_t) XXH3_64bits(name.data, name.len));
	if (condition != NULL)
		buffer_printf(sql, "IF %s THEN\n", condition);
	buffer_puts(sql, statement);
	if (condition != NULL)
		buffer_puts(sql, "\nEND IF;");
	buffer_printf(sql, "\nEND\n%s;", tag);
	buffer_release(&name);
}

/* There is no constraint of the name on the table. */
static const char *
no_constraint(Printer *self, const SchemaTable *table, const char *name)
{
	const char *condition;
	Buffer quoted;
	Buffer sql;

	buffer_init(&quoted);
	buffer_init(&sql);
	pg_quote_table(&quoted, table->schema, table->name);
	buffer_puts(&sql, "NOT EXISTS (SELECT FROM pg_catalog.pg_constraint"
					  " WHERE conrelid = ");
	pg_quote_literal(&sql, quoted.data);
	buffer_puts(&sql, "::pg_catalog.regclass AND conname = ");
	pg_quote_literal(&sql, name);
	buffer_putc(&sql, ')');
	condition = arena_strndup(self->arena, sql.data, sql.len);
	buffer_release(&sql);
	buffer_release(&quoted);
	return condition;
}

static const char *
if_not_exists(const SchemaTable *table)
{
	return table->shared ? "IF NOT EXISTS " : "";
}

/* ---- tables */

static void
put_column(Buffer *sql, const SchemaColumn *column)
{
	const char *dot = column->collation != NULL ? strchr(column->collation, '.')
												: NULL;

	pg_quote_ident(sql, column->name);
	buffer_printf(sql, " %s", column->type.sql);
	if (dot != NULL)
	{
		buffer_puts(sql, " COLLATE ");
		buffer_printf(sql, "\"%.*s\".", (int) (dot - column->collation),
					  column->collation);
		pg_quote_ident(sql, dot + 1);
	}
	if (column->identity != 0)
	{
		buffer_printf(sql, " GENERATED %s AS IDENTITY",
					  column->identity == 'a' ? "ALWAYS" : "BY DEFAULT");
		if (column->numbering != NULL)
			buffer_printf(sql, " (%s)", column->numbering);
	}
	else if (column->default_sql != NULL)
		buffer_printf(sql, " DEFAULT %s", column->default_sql);
	if (column->not_null)
		buffer_puts(sql, " NOT NULL");
}

static void
put_check(Buffer *sql, const SchemaCheck *check)
{
	buffer_puts(sql, "CONSTRAINT ");
	pg_quote_ident(sql, check->name);
	buffer_printf(sql, " CHECK (%s)", check->sql);
}

/* A domain's own checks come with the domain. */
static bool
is_own(const SchemaCheck *check)
{
	return check->domain == NULL;
}

static void
put_comment(Buffer *sql, const char *what, const SchemaTable *table,
			const char *column, const char *comment)
{
	if (comment == NULL)
		return;
	buffer_printf(sql, "\n\nCOMMENT ON %s ", what);
	pg_quote_table(sql, table->schema, table->name);
	if (column != NULL)
	{
		buffer_putc(sql, '.');
		pg_quote_ident(sql, column);
	}
	buffer_puts(sql, " IS ");
	pg_quote_literal(sql, comment);
	buffer_putc(sql, ';');
}

/* A sequence that pg_dump has made goes with the column that it numbers. */
static void
put_owned_sequences(Buffer *sql, const SchemaTable *table)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const SchemaColumn *column = &table->columns[i];
		const char *dot = column->sequence != NULL && column->identity == 0
							  ? strchr(column->sequence, '.')
							  : NULL;

		if (dot == NULL)
			continue;
		buffer_printf(sql, "\n\nALTER SEQUENCE \"%.*s\".",
					  (int) (dot - column->sequence), column->sequence);
		pg_quote_ident(sql, dot + 1);
		buffer_puts(sql, " OWNED BY ");
		pg_quote_table(sql, table->schema, table->name);
		buffer_putc(sql, '.');
		pg_quote_ident(sql, column->name);
		buffer_putc(sql, ';');
	}
}

static void
print_table(Printer *self, const SchemaTable *table)
{
	const char *separator = "\n\t";
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql, "CREATE %sTABLE %s", table->unlogged ? "UNLOGGED " : "",
				  if_not_exists(table));
	pg_quote_table(&sql, table->schema, table->name);
	buffer_puts(&sql, " (");
	for (int i = 0; i < table->column_count; i++, separator = ",\n\t")
	{
		buffer_puts(&sql, separator);
		put_column(&sql, &table->columns[i]);
	}
	for (int i = 0; i < table->check_count; i++)
	{
		if (!is_own(&table->checks[i]) || !table->checks[i].validated)
			continue;
		buffer_puts(&sql, separator);
		put_check(&sql, &table->checks[i]);
		separator = ",\n\t";
	}
	buffer_puts(&sql, "\n);");
	put_owned_sequences(&sql, table);
	put_comment(&sql, "TABLE", table, NULL, table->comment);
	for (int i = 0; i < table->column_count; i++)
		put_comment(&sql, "COLUMN", table, table->columns[i].name,
					table->columns[i].comment);
	if (table->shared)
		make_patient(self, table, NULL, &sql);
	add_sql(self, DDL_PRE_DATA, "TABLE", table, table->name, &sql);
	buffer_release(&sql);
}

/* ---- what follows the rows */

/* "ALTER TABLE ONLY t ADD CONSTRAINT n " */
static void
put_add(Buffer *sql, const SchemaTable *table, const char *name)
{
	buffer_puts(sql, "ALTER TABLE ONLY ");
	pg_quote_table(sql, table->schema, table->name);
	buffer_puts(sql, "\n    ADD CONSTRAINT ");
	pg_quote_ident(sql, name);
	buffer_putc(sql, ' ');
}

static void
put_constraint_comment(Buffer *sql, const SchemaTable *table, const char *name,
					   const char *comment)
{
	if (comment == NULL)
		return;
	buffer_puts(sql, "\n\nCOMMENT ON CONSTRAINT ");
	pg_quote_ident(sql, name);
	buffer_puts(sql, " ON ");
	pg_quote_table(sql, table->schema, table->name);
	buffer_puts(sql, " IS ");
	pg_quote_literal(sql, comment);
	buffer_putc(sql, ';');
}

/* Rows that have to find others of their key need it before they come. */
static DdlSection
index_section(const SchemaTable *table, const SchemaIndex *index)
{
	return table->conflicts && (index->kind == SCHEMA_PRIMARY ||
								index->kind == SCHEMA_UNIQUE)
			   ? DDL_PRE_DATA
			   : DDL_POST_DATA;
}

static void
print_constraint(Printer *self, DdlSection section, const SchemaTable *table,
				 const char *type, const char *name, const char *definition,
				 const char *comment)
{
	Buffer sql;

	buffer_init(&sql);
	put_add(&sql, table, name);
	buffer_printf(&sql, "%s;", definition);
	put_constraint_comment(&sql, table, name, comment);
	if (table->shared)
		make_patient(self, table, no_constraint(self, table, name), &sql);
	/* as pg_dump calls it */
	add_sql(self, section, type, table,
			arena_printf(self->arena, "%s %s", table->name, name), &sql);
	buffer_release(&sql);
}

static void
print_index(Printer *self, const SchemaTable *table, const SchemaIndex *index)
{
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql, "CREATE %sINDEX %s",
				  index->kind == SCHEMA_UNIQUE ? "UNIQUE " : "",
				  if_not_exists(table));
	pg_quote_ident(&sql, index->name);
	buffer_puts(&sql, " ON ");
	pg_quote_table(&sql, table->schema, table->name);
	buffer_printf(&sql, " %s;", index->definition);
	if (index->comment != NULL)
	{
		buffer_puts(&sql, "\n\nCOMMENT ON INDEX ");
		pg_quote_table(&sql, table->schema, index->name);
		buffer_puts(&sql, " IS ");
		pg_quote_literal(&sql, index->comment);
		buffer_putc(&sql, ';');
	}
	if (table->shared)
		make_patient(self, table, NULL, &sql);
	add_sql(self, index_section(table, index), "INDEX", table, index->name,
			&sql);
	buffer_release(&sql);
}

/* Those of one section. */
static void
print_indexes(Printer *self, const SchemaTable *table, DdlSection section)
{
	for (int i = 0; i < table->index_count; i++)
	{
		const SchemaIndex *index = &table->indexes[i];

		if (index_section(table, index) != section)
			continue;
		if (index->constraint)
			print_constraint(self, section, table, "CONSTRAINT", index->name,
							 index->definition, index->comment);
		else
			print_index(self, table, index);
	}
}

static void
print_checks(Printer *self, const SchemaTable *table)
{
	for (int i = 0; i < table->check_count; i++)
	{
		const SchemaCheck *check = &table->checks[i];

		if (is_own(check) && !check->validated)
			print_constraint(
				self, DDL_POST_DATA, table, "CHECK CONSTRAINT", check->name,
				arena_printf(self->arena, "CHECK (%s) NOT VALID", check->sql),
				check->comment);
	}
}

/* ---- foreign keys */

static void
print_foreign_keys(Printer *self, const SchemaTable *table)
{
	for (int i = 0; i < table->foreign_key_count; i++)
	{
		const SchemaForeignKey *key = &table->foreign_keys[i];

		if (table->derived || key->derived)
			print_constraint(self, DDL_POST_DATA, table, "FK CONSTRAINT",
							 key->name, foreign_key_print(key, self->arena),
							 key->comment);
	}
}

/* ---- all of it */

static bool
is_made_here(const SchemaTable *table)
{
	return table->derived && table->root_oid == 0;
}

/* One that pg_dump or a table before it has made already is left to them. */
static bool
schema_is_there(const Printer *self, const char *schema)
{
	if (strcmp(schema, "public") == 0)
		return true;
	for (int i = 0; i < self->count; i++)
	{
		if (strcmp(self->entries[i].type, "SCHEMA") == 0 &&
			strcmp(self->entries[i].name, schema) == 0)
			return true;
	}
	return false;
}

static void
print_schema(Printer *self, const SchemaTable *table)
{
	DdlEntry entry = { .section = DDL_PRE_DATA,
					   .state = DDL_TODO,
					   .type = "SCHEMA",
					   .schema = "",
					   .name = table->schema };
	Buffer sql;

	if (schema_is_there(self, table->schema))
		return;
	buffer_init(&sql);
	buffer_puts(&sql, "CREATE SCHEMA IF NOT EXISTS ");
	pg_quote_ident(&sql, table->schema);
	buffer_putc(&sql, ';');
	if (table->shared)
		make_patient(self, table, NULL, &sql);
	entry.sql = arena_strndup(self->arena, sql.data, sql.len);
	add(self, &entry);
	buffer_release(&sql);
}

static void
take_dumped(Printer *self, const DdlEntry *dumped, int count,
			DdlSection section)
{
	for (int i = 0; i < count; i++)
	{
		if (dumped[i].section == section)
			add(self, &dumped[i]);
	}
}

void
ddl_print(const Schema *schema, const DdlEntry *dumped, int dumped_count,
		  Arena *arena, DdlEntry **entries, int *count)
{
	Printer self = { .schema = schema, .arena = arena };

	take_dumped(&self, dumped, dumped_count, DDL_PRE_DATA);
	for (int i = 0; i < schema->table_count; i++)
	{
		if (is_made_here(&schema->tables[i]))
			print_schema(&self, &schema->tables[i]);
	}
	for (int i = 0; i < schema->table_count; i++)
	{
		if (is_made_here(&schema->tables[i]))
			print_table(&self, &schema->tables[i]);
	}
	for (int i = 0; i < schema->table_count; i++)
	{
		if (is_made_here(&schema->tables[i]))
			print_indexes(&self, &schema->tables[i], DDL_PRE_DATA);
	}
	take_dumped(&self, dumped, dumped_count, DDL_POST_DATA);
	for (int i = 0; i < schema->table_count; i++)
	{
		if (!is_made_here(&schema->tables[i]))
			continue;
		print_indexes(&self, &schema->tables[i], DDL_POST_DATA);
		print_checks(&self, &schema->tables[i]);
	}
	for (int i = 0; i < schema->table_count; i++)
		print_foreign_keys(&self, &schema->tables[i]);
	*entries = self.entries;
	*count = self.count;
}
