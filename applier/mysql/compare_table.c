/*
 * compare_table.c
 *		See compare_table.h.
 *
 * Servers write types, defaults and expressions in forms of their own.  So what
 * would be created is created, as a temporary table, and both are shown by the
 * server.  Its indexes are added to it as well: a unique index that is none of
 * the source's could refuse rows.
 */
#include "mysql/compare_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "mysql/shown_table.h"

#define MODEL "`portage_model`"

/* Differences named of one table. */
#define NAMED_MAX 20

typedef struct Comparison
{
	MyConn *conn;
	Translation *translation;
	Arena *arena;
	const TranslatedTable *table;
	const TableMap *map;
	const char *object; /* of the findings */
	int differences;
} Comparison;

/* --------------------------------------------------------------- comparing */

static void
differ(Comparison *self, Severity severity, const char *text)
{
	FindingSide side = self->translation->decisions.side;

	self->translation->decisions.side = FINDING_TARGET;
	if (self->differences++ < NAMED_MAX)
		finding_add(
			&self->translation->decisions, severity,
			severity == SEVERITY_ERROR ? P_SCHEMA_DIFFERS : 0, self->object,
			"change the table there, or drop it: it is created", "%s", text);
	self->translation->decisions.side = side;
}

static const char *
column_words(const Comparison *self, const ShownColumn *column)
{
	return arena_printf(
		self->arena, "%s%s%s%s%s%s", column->type,
		column->collation[0] != '\0' ? " COLLATE " : "", column->collation,
		column->nullable ? "" : " NOT NULL",
		column->generated ? " GENERATED" : "",
		column->extra[0] != '\0' ? " ON UPDATE CURRENT_TIMESTAMP" : "");
}

static void
compare_column(Comparison *self, const ShownTable *want, const ShownTable *have,
			   const ShownColumn *column)
{
	const ShownColumn *there = shown_column(have, column->name);
	Arena *arena = self->arena;

	if (there == NULL)
		differ(self, SEVERITY_ERROR,
			   arena_printf(arena, "it has no column %s, which would be %s",
							column->name, column_words(self, column)));
	else if (strcmp(there->type, column->type) != 0 ||
			 strcmp(there->collation, column->collation) != 0 ||
			 there->nullable != column->nullable ||
			 there->generated != column->generated ||
			 strcmp(there->extra, column->extra) != 0)
		differ(self, SEVERITY_ERROR,
			   arena_printf(arena, "column %s is %s; it would be %s",
							column->name, column_words(self, there),
							column_words(self, column)));
	else if (column->generated &&
			 strcmp(shown_generated(want, column->name, arena),
					shown_generated(have, there->name, arena)) != 0)
		differ(self, SEVERITY_ERROR,
			   arena_printf(arena, "column %s is%s; it would be%s",
							column->name,
							shown_generated(have, there->name, arena),
							shown_generated(want, column->name, arena)));
	else if (there->auto_increment != column->auto_increment)
		differ(self, SEVERITY_WARNING,
			   arena_printf(arena, "column %s is %sAUTO_INCREMENT",
							column->name, there->auto_increment ? "" : "not "));
	else if (!column->generated &&
			 strcmp(there->default_sql != NULL ? there->default_sql : "",
					column->default_sql != NULL ? column->default_sql : "") !=
				 0)
		differ(self, SEVERITY_WARNING,
			   arena_printf(
				   arena, "the default of column %s is %s; it would be %s",
				   column->name,
				   there->default_sql != NULL ? there->default_sql : "none",
				   column->default_sql != NULL ? column->default_sql : "none"));
}

/* One that the source does not have. */
static void
compare_more(Comparison *self, const ShownColumn *column)
{
	bool filled = column->nullable || column->default_sql != NULL ||
				  column->auto_increment || column->generated;

	differ(self, filled ? SEVERITY_WARNING : SEVERITY_ERROR,
		   arena_printf(self->arena,
						"it has a column %s that the source does "
						"not have%s",
						column->name,
						filled ? "" : ", NOT NULL and without a default"));
}

static bool
has_unique(const ShownTable *table, const ShownIndex *index)
{
	for (int i = 0; i < table->index_count; i++)
	{
		if (table->indexes[i].unique &&
			strcasecmp(table->indexes[i].columns, index->columns) == 0)
			return true;
	}
	return false;
}

static const char *
index_words(const Comparison *self, const ShownIndex *index)
{
	return arena_printf(self->arena, "%sindex %s (%s)",
						index->unique ? "unique " : "", index->name,
						index->columns);
}

/* needed: by the stream, from the beginning; all: when the copy is through. */
static void
compare_indexes(Comparison *self, const ShownTable *needed,
				const ShownTable *all, const ShownTable *have)
{
	for (int i = 0; i < needed->index_count; i++)
	{
		const ShownIndex *index = &needed->indexes[i];

		if (index->unique && !has_unique(have, index))
			differ(self, SEVERITY_ERROR,
				   arena_printf(self->arena, "it has no %s",
								index_words(self, index)));
	}
	for (int i = 0; i < have->index_count; i++)
	{
		const ShownIndex *index = &have->indexes[i];
		const ShownIndex *same = shown_index(all, index->name);

		if (index->unique && !has_unique(all, index))
			differ(self, SEVERITY_ERROR,
				   arena_printf(self->arena,
								"it has a %s that the source does not have: "
								"it may refuse rows",
								index_words(self, index)));
		else if (same != NULL && strcasecmp(same->name, "PRIMARY") != 0 &&
				 (same->unique != index->unique ||
				  strcasecmp(same->columns, index->columns) != 0))
			differ(self, SEVERITY_ERROR,
				   arena_printf(self->arena, "it has %s; it would be %s",
								index_words(self, index),
								index_words(self, same)));
	}
}

/* ------------------------------------------------------------- what it is */

/* The statement for the model instead of the table, or NULL. */
static const char *
for_model(const Comparison *self, const char *sql)
{
	static const char *const verbs[] = { "CREATE TABLE ", "ALTER TABLE " };

	for (int i = 0; i < 2; i++)
	{
		size_t verb = strlen(verbs[i]);
		size_t name = strlen(self->table->target);

		if (strncmp(sql, verbs[i], verb) == 0 &&
			strncmp(sql + verb, self->table->target, name) == 0 &&
			sql[verb + name] == ' ')
			return arena_printf(self->arena, "%s" MODEL "%s",
								i == 0 ? "CREATE TEMPORARY TABLE " : verbs[i],
								sql + verb + name);
	}
	return NULL;
}

/* What a temporary table cannot have does not matter here. */
static bool
add_indexes(Comparison *self, Error *err)
{
	for (int i = 0; i < self->translation->entry_count; i++)
	{
		const DdlEntry *entry = &self->translation->entries[i];
		const char *sql = entry->section == DDL_POST_DATA &&
								  entry->table_oid == self->table->oid &&
								  strstr(entry->sql, " FOREIGN KEY ") == NULL
							  ? for_model(self, entry->sql)
							  : NULL;

		if (sql != NULL && !my_exec(self->conn, err, sql) &&
			!my_conn_alive(self->conn))
			return false;
	}
	error_clear(err);
	return true;
}

/* " WHERE SCHEMA = ... AND TABLE = ..." of an information_schema's columns. */
static void
put_where(Buffer *sql, const TableMap *map, const char *schema,
		  const char *table)
{
	buffer_printf(sql, " WHERE %s = ", schema);
	if (map->database != NULL)
		my_quote_text(sql, slice_of(map->database));
	else
		buffer_puts(sql, "DATABASE()");
	buffer_printf(sql, " AND %s = ", table);
	my_quote_text(sql, slice_of(map->table));
}

/* InnoDB takes back what is rolled back; others keep it. */
static bool
compare_engine(Comparison *self, Error *err)
{
	Buffer sql;
	MyResult row;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT TABLE_TYPE, coalesce(ENGINE, 'none')"
					  " FROM information_schema.TABLES");
	put_where(&sql, self->map, "TABLE_SCHEMA", "TABLE_NAME");
	ok = my_query(self->conn, err, sql.data, &row);
	buffer_release(&sql);
	if (!ok)
		return false;
	if (my_next(&row) && strcmp(my_value(&row, 0), "BASE TABLE") != 0)
		differ(self, SEVERITY_ERROR,
			   arena_printf(self->arena, "it is no table but a %s",
							my_value(&row, 0)));
	else if (strcasecmp(my_value(&row, 1), "InnoDB") != 0)
		differ(self, SEVERITY_ERROR,
			   arena_printf(self->arena,
							"its engine is %s, which cannot roll back: it has "
							"to be InnoDB",
							my_value(&row, 1)));
	my_result_free(&row);
	return true;
}

static bool
compare_triggers(Comparison *self, Error *err)
{
	Buffer sql;
	MyResult row;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS");
	put_where(&sql, self->map, "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE");
	ok = my_query(self->conn, err, sql.data, &row);
	buffer_release(&sql);
	if (!ok)
		return false;
	while (my_next(&row))
		differ(self, SEVERITY_ERROR,
			   arena_printf(self->arena,
							"its trigger %s would act on what is written, and "
							"cannot be switched off: drop it, and create it "
							"when the migration is finished",
							my_value(&row, 0)));
	my_result_free(&row);
	return true;
}

static bool
compare_with_model(Comparison *self, Error *err)
{
	ShownTable want;
	ShownTable with_indexes = { 0 };
	ShownTable have;

	if (!shown_table_read(self->conn, self->arena, MODEL, &want, err) ||
		!shown_table_read(self->conn, self->arena, self->table->target, &have,
						  err) ||
		!add_indexes(self, err) ||
		!shown_indexes_read(self->conn, self->arena, MODEL, &with_indexes, err))
		return false;
	for (int i = 0; i < want.column_count; i++)
		compare_column(self, &want, &have, &want.columns[i]);
	for (int i = 0; i < have.column_count; i++)
	{
		if (shown_column(&want, have.columns[i].name) == NULL)
			compare_more(self, &have.columns[i]);
	}
	compare_indexes(self, &want, &with_indexes, &have);
	return true;
}

/* What the server says to the statement that would create the table. */
static bool
model_refused(Comparison *self, Error *err)
{
	bool denied = err->code == P_PRIVILEGE;

	if (!my_conn_alive(self->conn) || error_is_transient(err))
		return false;
	finding_add(&self->translation->decisions, SEVERITY_ERROR,
				denied ? P_PRIVILEGE : P_DDL, self->object,
				denied ? "GRANT CREATE TEMPORARY TABLES on the database to the "
						 "target's user"
					   : "see --exclude-tables",
				"it is there, and cannot be compared: %s", err->message);
	error_clear(err);
	return true;
}

static bool
compare(Comparison *self, const DdlEntry *entry, Error *err)
{
	const char *sql = for_model(self, entry->sql);
	int before;
	bool ok;

	BUG_UNLESS(sql != NULL);
	if (!my_exec(self->conn, err, "DROP TEMPORARY TABLE IF EXISTS " MODEL))
		return model_refused(self, err);
	if (!my_exec(self->conn, err, sql))
		return model_refused(self, err);
	before = self->differences;
	ok = compare_engine(self, err);
	/* of a view there is nothing else to be said */
	ok = ok && (self->differences > before || compare_with_model(self, err)) &&
		 compare_triggers(self, err);
	return ok &&
		   my_exec(self->conn, err, "DROP TEMPORARY TABLE IF EXISTS " MODEL);
}

bool
compare_table(MyConn *conn, Translation *translation,
			  const TranslatedTable *table, const TableMap *map,
			  const DdlEntry *entry, Error *err)
{
	Arena arena;
	Comparison self = { .conn = conn,
						.translation = translation,
						.arena = &arena,
						.table = table,
						.map = map };
	bool ok;

	arena_init(&arena);
	self.object = arena_printf(&arena, "table %s.%s", table->schema,
							   table->name);
	ok = compare(&self, entry, err);
	if (ok && self.differences > NAMED_MAX)
		finding_add(&translation->decisions, SEVERITY_NOTE, 0, self.object, "",
					"it has %d more differences", self.differences - NAMED_MAX);
	arena_release(&arena);
	return ok;
}
