/*
 * translate_constraint.c
 *		Foreign keys and CHECKs: added when the rows are in.
 *
 * The names of both are unique in a whole database of MySQL, and in a table of
 * PostgreSQL.  A foreign key goes without what the target has no word for, if it
 * then refuses more than the source's, never less; what it would do to other
 * rows in another way is not done at all.
 */
#include "mysql/translate_expr.h"

/* ---- what both have in common */

/* "t_name": as unique as it was, and what it belongs to. */
static const char *
constraint_name(Translator *self, const WorkTable *table, const char *name)
{
	const char *prefix = table->source->name;
	size_t len = strlen(prefix);

	if (strncmp(name, prefix, len) != 0)
		name = arena_printf(self->arena, "%s_%s", prefix, name);
	return name_take(translate_constraints(self, table), name);
}

static char *
constraint_probe(const WorkTable *table, const char *name, Arena *arena)
{
	Buffer sql;
	char *probe;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT count(*) FROM information_schema."
					  "TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ");
	sql_put_schema(&sql, table);
	buffer_puts(&sql, " AND TABLE_NAME = ");
	my_quote_text(&sql, slice_of(table->name));
	buffer_puts(&sql, " AND CONSTRAINT_NAME = ");
	my_quote_text(&sql, slice_of(name));
	probe = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return probe;
}

static void
add_constraint(Translator *self, const WorkTable *table, const char *type,
			   const char *source_name, const char *name, const char *sql)
{
	translator_entry(
		self, DDL_POST_DATA, type, table,
		arena_printf(self->arena, "%s %s", table->source->name, source_name),
		arena_printf(self->arena,
					 "ALTER TABLE %s\n\tADD CONSTRAINT"
					 " %s %s",
					 table->quoted, sql_name(self->arena, name), sql),
		constraint_probe(table, name, self->arena));
}

/* ---- foreign keys */

/* A foreign key while it is looked at. */
typedef struct ForeignKey
{
	Translator *self;
	const WorkTable *table;
	const SchemaForeignKey *source;
	const WorkTable *parent;
	const WorkColumn **columns; /* in the order of the parent's key */
	const WorkColumn **ref_columns;
	const char *object;
} ForeignKey;

static bool
leave_key(const ForeignKey *key, const char *why, const char *remedy)
{
	finding_add(key->self->decisions, SEVERITY_WARNING, 0, key->object, remedy,
				"the foreign key is not carried: %s", why)
		->left_behind = true;
	return false;
}

static void
note_key(const ForeignKey *key, const char *what)
{
	finding_add(key->self->decisions, SEVERITY_WARNING, 0, key->object, "",
				"%s", what);
}

/* The parent's key with these columns; they are put into its order. */
static bool
follow_key(ForeignKey *key, const WorkKey *parent_key)
{
	const SchemaForeignKey *source = key->source;

	if (!parent_key->exact || parent_key->fate == KEY_LEFT ||
		parent_key->source->part_count != source->column_count)
		return false;
	for (int p = 0; p < source->column_count; p++)
	{
		int c = 0;

		while (c < source->column_count &&
			   strcmp(parent_key->columns[p]->map.name,
					  source->ref_columns[c]) != 0)
			c++;
		if (c == source->column_count)
			return false;
		key->ref_columns[p] = parent_key->columns[p];
		key->columns[p] = work_table_column(key->table, source->columns[c]);
	}
	return true;
}

static bool
find_parent_key(ForeignKey *key)
{
	for (int i = 0; i < key->parent->source->index_count; i++)
	{
		const WorkKey *parent_key = &key->parent->keys[i];

		if (parent_key->source->kind != SCHEMA_PLAIN &&
			follow_key(key, parent_key))
			return true;
	}
	return leave_key(key,
					 "the key that it refers to is not one of the same columns "
					 "on the target",
					 "what writes to the target afterwards has to see to it "
					 "itself");
}

/* Lengths of text may differ. */
static bool
same_types(const WorkColumn *child, const WorkColumn *parent)
{
	if (child->left_out || parent->left_out || child->blob || parent->blob ||
		child->map.computed || parent->map.computed ||
		strcmp(child->charset, parent->charset) != 0 ||
		child->map.convert != parent->map.convert)
		return false;
	return child->char_bytes > 0 && parent->char_bytes > 0
			   ? child->char_bytes == parent->char_bytes
			   : strcmp(child->map.type, parent->map.type) == 0;
}

static bool
check_types(const ForeignKey *key)
{
	for (int i = 0; i < key->source->column_count; i++)
	{
		const WorkColumn *child = key->columns[i];
		const WorkColumn *parent = key->ref_columns[i];

		if (child != NULL && same_types(child, parent))
			continue;
		return leave_key(
			key,
			arena_printf(key->self->arena,
						 "column %s is %s there, and what it refers to %s",
						 child != NULL ? child->map.name : "?",
						 child != NULL ? child->map.type : "?",
						 parent->map.type),
			"give both the same type on the source");
	}
	return true;
}

/* Is it one of whose values a stored column is made? */
static bool
feeds_stored(const WorkTable *table, const WorkColumn *column, Arena *arena)
{
	const char *name = sql_name(arena, column->map.target);

	for (int i = 0; i < table->helper_count; i++)
	{
		if (strstr(table->helpers[i].sql, name) != NULL)
			return true;
	}
	for (int i = 0; i < table->column_count; i++)
	{
		if (table->columns[i].generated_sql != NULL &&
			table->columns[i].stored &&
			strstr(table->columns[i].generated_sql, name) != NULL)
			return true;
	}
	return false;
}

/* Why rows that refer to it cannot be changed along; NULL: they can. */
static const char *
no_action(const ForeignKey *key, char action)
{
	if (action == 'd')
		return "the target knows no SET DEFAULT";
	if (action == 'n' && key->source->set_columns)
		return "the target sets all columns to NULL or none";
	for (int i = 0; i < key->source->column_count; i++)
	{
		const WorkColumn *column = key->columns[i];

		if (action == 'n' && column->map.not_null)
			return "a column that is NOT NULL cannot be set to NULL";
		if (feeds_stored(key->table, column, key->self->arena))
			return "a stored column of the target is computed from its columns";
	}
	return NULL;
}

/* " ON DELETE CASCADE", or nothing, which refuses to change the parent. */
static const char *
action_sql(const ForeignKey *key, const char *event, char action)
{
	const char *why;

	if (action != 'c' && action != 'n' && action != 'd')
		return "";
	why = no_action(key, action);
	if (why == NULL)
		return arena_printf(key->self->arena, " ON %s %s", event,
							action == 'c' ? "CASCADE" : "SET NULL");
	note_key(key, arena_printf(key->self->arena,
							   "ON %s does nothing there but refuse: %s", event,
							   why));
	return "";
}

static void
note_differences(const ForeignKey *key)
{
	if (key->source->deferrable)
		note_key(key, "it is DEFERRABLE: the target looks at it at every "
					  "statement, not at COMMIT");
	if (key->source->match == 'f' && key->source->column_count > 1)
		note_key(key, "it is MATCH FULL: the target also takes a row of which "
					  "only some columns are NULL");
}

static void
put_column_list(Buffer *sql, const WorkColumn **columns, int count)
{
	buffer_putc(sql, '(');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			buffer_puts(sql, ", ");
		my_quote_ident(sql, columns[i]->map.target);
	}
	buffer_putc(sql, ')');
}

/* An action on a column and a CHECK of it exclude each other. */
static void
note_acting(const ForeignKey *key)
{
	for (int i = 0; i < key->source->column_count; i++)
	{
		WorkColumn *column = work_table_column(key->table,
											   key->columns[i]->map.name);

		column->acted_on = true;
	}
}

static void
write_key(const ForeignKey *key)
{
	const char *name = constraint_name(key->self, key->table,
									   key->source->name);
	const char *on_delete = action_sql(key, "DELETE", key->source->on_delete);
	const char *on_update = action_sql(key, "UPDATE", key->source->on_update);
	Buffer sql;

	buffer_init(&sql);
	buffer_puts(&sql, "FOREIGN KEY ");
	put_column_list(&sql, key->columns, key->source->column_count);
	buffer_puts(&sql, " REFERENCES ");
	/* a name alone is one of the child's database */
	my_quote_table(&sql,
				   key->table->database != NULL && key->parent->database == NULL
					   ? key->self->target->database
					   : key->parent->database,
				   key->parent->name);
	buffer_putc(&sql, ' ');
	put_column_list(&sql, key->ref_columns, key->source->column_count);
	buffer_printf(&sql, "%s%s", on_delete, on_update);
	/* ON DELETE CASCADE changes no value */
	if (on_update[0] != '\0' || strstr(on_delete, " SET NULL") != NULL)
		note_acting(key);
	note_differences(key);
	add_constraint(key->self, key->table, "FK CONSTRAINT", key->source->name,
				   name, sql.data);
	buffer_release(&sql);
}

static void
translate_foreign_key(Translator *self, WorkTable *table,
					  const SchemaForeignKey *source)
{
	size_t count = (size_t) source->column_count;
	ForeignKey key = { .self = self, .table = table, .source = source };

	key.parent = translator_table(self, source->ref_oid);
	key.columns = ARENA_ARRAY(self->arena, const WorkColumn *, count);
	key.ref_columns = ARENA_ARRAY(self->arena, const WorkColumn *, count);
	key.object = arena_printf(self->arena, "foreign key %s on %s", source->name,
							  table->label);
	if (key.parent == NULL)
		leave_key(&key,
				  arena_printf(self->arena, "%s.%s is not migrated",
							   source->ref_schema, source->ref_table),
				  "migrate that table as well");
	else if (!source->validated)
		leave_key(&key, "it is NOT VALID, and its rows may violate it",
				  "ALTER TABLE ... VALIDATE CONSTRAINT on the source");
	else if (find_parent_key(&key) && check_types(&key))
		write_key(&key);
}

void
translate_foreign_keys(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->foreign_key_count; i++)
		translate_foreign_key(self, table, &table->source->foreign_keys[i]);
}

/* ---- CHECKs */

static const char *
no_check(const SchemaCheck *check, const ExprScope *scope, ExprSql *expr)
{
	if (!check->validated)
		return "it is NOT VALID, and its rows may violate it";
	if (check->column != NULL && scope->value == NULL)
		return "its column is not on the target";
	if (!expr_translate_condition(scope, check->sql, expr))
		return expr->why;
	if (expr_uses_auto_increment(expr))
		return "a CHECK cannot speak of a column that is AUTO_INCREMENT";
	for (int i = 0; i < expr->use_count; i++)
	{
		if (expr->uses[i]->acted_on)
			return "a foreign key changes its column, which excludes a CHECK";
	}
	return NULL;
}

static void
translate_check(Translator *self, WorkTable *table, const SchemaCheck *check)
{
	ExprScope scope = { .table = table,
						.value = check->column == NULL
									 ? NULL
									 : work_table_column(table, check->column),
						.utf8 = translator_is_utf8(self),
						.md5 = self->target->mariadb,
						.arena = self->arena };
	ExprSql expr;
	const char *why = no_check(check, &scope, &expr);
	const char *name = check->column == NULL
						   ? check->name
						   : arena_printf(self->arena, "%s_%s", check->column,
										  check->name);

	if (why == NULL)
	{
		add_constraint(self, table, "CHECK CONSTRAINT", name,
					   constraint_name(self, table, name),
					   arena_printf(self->arena, "CHECK (%s)", expr.sql));
		return;
	}
	finding_add(self->decisions, SEVERITY_WARNING, 0,
				arena_printf(self->arena, "check %s on %s", name, table->label),
				"what writes to the target afterwards has to see to it itself",
				"the CHECK is not carried: %s (%s)", why, check->sql)
		->left_behind = true;
}

void
translate_checks(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->check_count; i++)
		translate_check(self, table, &table->source->checks[i]);
}
