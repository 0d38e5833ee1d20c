/*
 * expr_reference.c
 *		References: tables in the database, found by their key.
 *
 * A reference is a table without rowid, so that it is one tree by its key.  One
 * whose keys must be there is a table of another name, and what expressions ask is
 * a virtual table over it (expr_required.c).
 */
#include "expr/expr_db.h"

#include <string.h>

#include "base/mem.h"

Reference *
expr_reference_find(const ExprDb *db, const char *name)
{
	Reference *reference;

	for (reference = db->references; reference != NULL;
		 reference = reference->next)
	{
		if (expr_same_name(reference->name, name))
			return reference;
	}
	return NULL;
}

const char *
expr_reference_table(const Reference *reference, Arena *arena)
{
	return reference->required
			   ? arena_printf(arena, "portage_kept %s", reference->name)
			   : reference->name;
}

static void
reference_free(Reference *reference)
{
	sqlite3_finalize(reference->put);
	sqlite3_finalize(reference->remove);
	sqlite3_finalize(reference->find);
	sqlite3_finalize(reference->get);
	arena_release(&reference->arena);
	mem_free(reference);
}

void
expr_references_free(ExprDb *db)
{
	while (db->references != NULL)
	{
		Reference *next = db->references->next;

		reference_free(db->references);
		db->references = next;
	}
}

/* ---- creating */

static bool
check_reference(const ExprDb *db, const ExprReference *reference, Error *err)
{
	int i;

	if (expr_same_name(reference->name, "old") ||
		sqlite3_strnicmp(reference->name, "portage_", 8) == 0 ||
		sqlite3_strnicmp(reference->name, "sqlite_", 7) == 0 ||
		sqlite3_strnicmp(reference->name, "json_", 5) == 0 ||
		sqlite3_strnicmp(reference->name, "pragma_", 7) == 0)
		return error_set(err, P_RULE,
						 "reference %s: the name means something else in "
						 "expressions",
						 reference->name);
	if (expr_reference_find(db, reference->name) != NULL)
		return error_set(err, P_RULE, "reference %s is there twice",
						 reference->name);
	if (reference->key_count <= 0)
		return error_set(err, P_RULE, "reference %s has no key",
						 reference->name);
	for (i = 0; i < reference->column_count; i++)
	{
		if (expr_find_column(reference->columns, reference->column_count,
							 reference->columns[i].name) == -2)
			return error_set(err, P_RULE,
							 "reference %s: columns that differ in case only, "
							 "like %s, cannot be told apart",
							 reference->name, reference->columns[i].name);
	}
	return true;
}

static Reference *
reference_new(ExprDb *db, const ExprReference *from)
{
	Reference *reference = mem_zalloc(sizeof(Reference));
	Arena *arena = &reference->arena;
	int i;

	arena_init(arena);
	reference->db = db;
	reference->name = arena_strdup(arena, from->name);
	reference->column_count = from->column_count;
	reference->columns = ARENA_ARRAY(arena, ExprColumn, from->column_count);
	for (i = 0; i < from->column_count; i++)
	{
		reference->columns[i].name = arena_strdup(arena, from->columns[i].name);
		reference->columns[i].bind = from->columns[i].bind;
	}
	reference->key_count = from->key_count;
	reference->key = ARENA_ARRAY(arena, int, from->key_count);
	memcpy(reference->key, from->key, (size_t) from->key_count * sizeof(int));
	reference->required = from->required;
	return reference;
}

static void
put_table(Buffer *sql, const Reference *reference)
{
	Arena arena;

	arena_init(&arena);
	expr_put_name(sql, expr_reference_table(reference, &arena));
	arena_release(&arena);
}

static void
put_key(Buffer *sql, const Reference *reference, const char *between,
		const char *behind)
{
	int i;

	for (i = 0; i < reference->key_count; i++)
	{
		buffer_puts(sql, i > 0 ? between : "");
		expr_put_name(sql, reference->columns[reference->key[i]].name);
		buffer_puts(sql, behind);
	}
}

static bool
create_table(Reference *reference, Error *err)
{
	Buffer sql;
	bool good;
	int i;

	buffer_init(&sql);
	buffer_puts(&sql, "CREATE TABLE ");
	put_table(&sql, reference);
	buffer_puts(&sql, " (");
	for (i = 0; i < reference->column_count; i++)
	{
		expr_put_name(&sql, reference->columns[i].name);
		buffer_printf(&sql, " %s, ",
					  expr_bind_type(reference->columns[i].bind));
	}
	buffer_puts(&sql, "PRIMARY KEY (");
	put_key(&sql, reference, ", ", "");
	buffer_puts(&sql, ")) WITHOUT ROWID");
	good = expr_run(reference->db, sql.data, err);
	buffer_release(&sql);
	return good;
}

static bool
prepare_statements(Reference *reference, Error *err)
{
	Buffer sql;
	int i;

	buffer_init(&sql);
	buffer_puts(&sql, "INSERT OR REPLACE INTO ");
	put_table(&sql, reference);
	buffer_puts(&sql, " VALUES (");
	for (i = 0; i < reference->column_count; i++)
		buffer_puts(&sql, i > 0 ? ", ?" : "?");
	buffer_puts(&sql, ")");
	reference->put = expr_prepare(reference->db, sql.data, err);

	buffer_reset(&sql);
	buffer_puts(&sql, "DELETE FROM ");
	put_table(&sql, reference);
	buffer_puts(&sql, " WHERE ");
	put_key(&sql, reference, " AND ", " = ?");
	if (reference->put != NULL)
		reference->remove = expr_prepare(reference->db, sql.data, err);

	buffer_reset(&sql);
	buffer_puts(&sql, "SELECT * FROM ");
	put_table(&sql, reference);
	buffer_puts(&sql, " WHERE ");
	put_key(&sql, reference, " AND ", " = ?");
	if (reference->remove != NULL)
		reference->find = expr_prepare(reference->db, sql.data, err);
	if (reference->find != NULL)
		reference->get = expr_prepare(reference->db, sql.data, err);
	buffer_release(&sql);
	return reference->get != NULL;
}

bool
expr_reference_create(ExprDb *db, const ExprReference *from, Error *err)
{
	Reference *reference;

	if (!check_reference(db, from, err))
		return false;
	reference = reference_new(db, from);
	if (!create_table(reference, err) || !prepare_statements(reference, err) ||
		(reference->required && expr_required_create(reference) != SQLITE_OK))
	{
		if (!error_is_set(err))
			error_set(err, P_RULE, "SQLite: %s", sqlite3_errmsg(db->sql));
		reference_free(reference);
		return error_wrap(err, "reference %s", from->name);
	}
	reference->next = db->references;
	db->references = reference;
	return true;
}

/* ---- rows */

static Reference *
known(ExprDb *db, const char *name)
{
	Reference *reference = expr_reference_find(db, name);

	if (reference == NULL)
		BUG("no reference %s", name);
	return reference;
}

static bool
execute(Reference *reference, sqlite3_stmt *statement, Error *err)
{
	ExprDb *db = reference->db;
	int status;

	/* it may be compiled anew, if the schema has changed */
	db->own = true;
	status = sqlite3_step(statement);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	db->own = false;
	if (status == SQLITE_DONE)
		return true;
	return error_set(err, P_REFERENCE, "reference %s: %s", reference->name,
					 sqlite3_errmsg(db->sql));
}

static bool
bind(Reference *reference, sqlite3_stmt *statement, int parameter, int column,
	 const Value *values, Error *err)
{
	const Value *value = &values[column];
	ExprBind as = reference->columns[column].bind;

	if (value->state != WIRE_COL_PRESENT && value->state != WIRE_COL_NULL)
		return error_set(err, P_REFERENCE,
						 "reference %s: the value of %s is not in the WAL",
						 reference->name, reference->columns[column].name);
	if (value->state == WIRE_COL_PRESENT && as != EXPR_BIND_BLOB &&
		expr_utf8_length(value->data, value->len) != value->len)
		return error_set(err, P_REFERENCE,
						 "reference %s: the text of %s is not UTF-8",
						 reference->name, reference->columns[column].name);
	if (expr_bind_value(statement, parameter, as, value))
		return true;
	return error_set(err, P_REFERENCE, "reference %s: column %s: %s",
					 reference->name, reference->columns[column].name,
					 sqlite3_errmsg(reference->db->sql));
}

bool
expr_reference_put(ExprDb *db, const char *name, const Value *values,
				   Error *err)
{
	Reference *reference = known(db, name);
	int i;

	for (i = 0; i < reference->key_count; i++)
	{
		if (values[reference->key[i]].state == WIRE_COL_NULL)
			return error_set(err, P_REFERENCE,
							 "reference %s has a row whose key %s is NULL",
							 name, reference->columns[reference->key[i]].name);
	}
	for (i = 0; i < reference->column_count; i++)
	{
		if (!bind(reference, reference->put, i + 1, i, values, err))
			return false;
	}
	return execute(reference, reference->put, err);
}

bool
expr_reference_delete(ExprDb *db, const char *name, const Value *values,
					  Error *err)
{
	Reference *reference = known(db, name);
	int i;

	for (i = 0; i < reference->key_count; i++)
	{
		if (!bind(reference, reference->remove, i + 1, reference->key[i],
				  values, err))
			return false;
	}
	return execute(reference, reference->remove, err);
}

/* As it came: what expr_bind_value() has made of it is exact. */
static Value
value_of_column(sqlite3_stmt *statement, int i, ExprBind as, Arena *arena)
{
	int kind = sqlite3_column_type(statement, i);
	const char *data;
	char real[32];
	int len;

	if (kind == SQLITE_NULL)
		return (Value){ NULL, 0, WIRE_COL_NULL };
	if (as == EXPR_BIND_BOOL && kind == SQLITE_INTEGER)
	{
		data = sqlite3_column_int(statement, i) != 0 ? "t" : "f";
		len = 1;
	}
	else if (kind == SQLITE_FLOAT)
	{
		len = expr_print_real(sqlite3_column_double(statement, i), real);
		data = real;
	}
	else
	{
		data = kind == SQLITE_BLOB
				   ? sqlite3_column_blob(statement, i)
				   : (const char *) sqlite3_column_text(statement, i);
		len = sqlite3_column_bytes(statement, i);
	}
	return (Value){ arena_strndup(arena, len > 0 ? data : "", (size_t) len),
					(uint32_t) len, WIRE_COL_PRESENT };
}

bool
expr_reference_get(ExprDb *db, const char *name, const Value *values,
				   Arena *arena, Value *row, bool *found, Error *err)
{
	Reference *reference = known(db, name);
	sqlite3_stmt *get = reference->get;
	int status;
	int i;

	for (i = 0; i < reference->key_count; i++)
	{
		if (!bind(reference, get, i + 1, reference->key[i], values, err))
			return false;
	}
	db->own = true;
	status = sqlite3_step(get);
	db->own = false;
	*found = status == SQLITE_ROW;
	for (i = 0; *found && i < reference->column_count; i++)
		row[i] = value_of_column(get, i, reference->columns[i].bind, arena);
	if (status != SQLITE_ROW && status != SQLITE_DONE)
		error_set(err, P_REFERENCE, "reference %s: %s", reference->name,
				  sqlite3_errmsg(db->sql));
	sqlite3_reset(get);
	sqlite3_clear_bindings(get);
	return status == SQLITE_ROW || status == SQLITE_DONE;
}

static bool
run_on_references(ExprDb *db, const char *sql, Error *err)
{
	if (expr_run(db, sql, err))
		return true;
	return error_set(err, P_REFERENCE, "references: SQLite: %s",
					 sqlite3_errmsg(db->sql));
}

bool
expr_reference_clear(ExprDb *db, const char *name, Error *err)
{
	Buffer sql;
	bool good;

	buffer_init(&sql);
	buffer_puts(&sql, "DELETE FROM ");
	put_table(&sql, known(db, name));
	good = run_on_references(db, sql.data, err);
	buffer_release(&sql);
	return good;
}

bool
expr_reference_begin(ExprDb *db, Error *err)
{
	return run_on_references(db, "BEGIN", err);
}

bool
expr_reference_commit(ExprDb *db, Error *err)
{
	return run_on_references(db, "COMMIT", err);
}

void
expr_reference_rollback(ExprDb *db)
{
	Error ignored = ERROR_INIT;

	/* it fails only where nothing has begun, and then there is nothing to do */
	if (!expr_run(db, "ROLLBACK", &ignored))
		return;
}
