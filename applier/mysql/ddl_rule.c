/*
 * ddl_rule.c
 *		Foreign keys and CHECKs of the target's tables: those that speak of a
 *		column or of a table keep it from being dropped or, on MySQL, renamed.
 *
 * What is dropped takes them with it on the source, so it does here.
 */
#include <string.h>
#include <strings.h>

#include "mysql/ddl_plan.h"

/* CHECKs of a column, which MariaDB has as well, go with it by themselves. */
#define CHECKS_MARIADB_SQL                 \
	"SELECT constraint_name, check_clause" \
	" FROM information_schema.check_constraints WHERE level = 'Table' AND "

#define CHECKS_MYSQL_SQL                           \
	"SELECT constraint_name, check_clause"         \
	" FROM information_schema.check_constraints"   \
	" JOIN information_schema.table_constraints"   \
	"  USING (constraint_schema, constraint_name)" \
	" WHERE constraint_type = 'CHECK' AND "

#define KEYS_SQL                                \
	"SELECT constraint_name, column_name"       \
	" FROM information_schema.key_column_usage" \
	" WHERE referenced_table_name IS NOT NULL AND "

#define REFERRING_SQL                                           \
	"SELECT DISTINCT table_schema, table_name, constraint_name" \
	" FROM information_schema.key_column_usage WHERE "

static ActualRule *
add_rule(const DdlPlanning *work, ActualTable *actual, const char *name)
{
	ActualRule *rule;

	actual->rules = arena_room(work->arena, actual->rules, actual->rule_count,
							   sizeof(*rule));
	rule = &actual->rules[actual->rule_count++];
	rule->name = arena_strdup(work->arena, name);
	rule->text = "";
	return rule;
}

static bool
read_checks(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	bool mariadb = work->target.mariadb;
	MyResult result;

	if (!actual_query(work, map,
					  mariadb ? CHECKS_MARIADB_SQL : CHECKS_MYSQL_SQL,
					  mariadb ? "constraint_schema" : "table_schema",
					  "constraint_name", &result))
		return false;
	while (my_next(&result))
	{
		ActualRule *rule = add_rule(work, actual, my_value(&result, 0));
		Buffer text;

		buffer_init(&text);
		actual_put_expression(&text, my_value(&result, 1));
		rule->text = arena_strndup(work->arena, text.data, text.len);
		buffer_release(&text);
	}
	my_result_free(&result);
	return true;
}

static bool
read_keys(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	ActualRule *rule = NULL;
	MyResult result;

	if (!actual_query(work, map, KEYS_SQL, "table_schema",
					  "constraint_name, ordinal_position", &result))
		return false;
	while (my_next(&result))
	{
		Buffer text;

		if (rule == NULL || strcmp(rule->name, my_value(&result, 0)) != 0)
			rule = add_rule(work, actual, my_value(&result, 0));
		rule->foreign_key = true;
		buffer_init(&text);
		buffer_puts(&text, rule->text);
		my_quote_ident(&text, my_value(&result, 1));
		rule->text = arena_strndup(work->arena, text.data, text.len);
		buffer_release(&text);
	}
	my_result_free(&result);
	return true;
}

bool
rules_read(const DdlPlanning *work, const TableMap *map, ActualTable *actual)
{
	return read_checks(work, map, actual) && read_keys(work, map, actual);
}

bool
rule_names(const ActualRule *rule, const char *column)
{
	return strcasestr(rule->text, column) != NULL;
}

const char *
rule_drop(const DdlPlanning *work, const ActualRule *rule)
{
	const char *action;
	Buffer sql;

	buffer_init(&sql);
	buffer_puts(&sql,
				rule->foreign_key ? "DROP FOREIGN KEY " : "DROP CONSTRAINT ");
	my_quote_ident(&sql, rule->name);
	action = arena_strndup(work->arena, sql.data, sql.len);
	buffer_release(&sql);
	return action;
}

void
rule_rename(const DdlPlanning *work, ActualRule *rule, const char *was,
			const char *now)
{
	const char *from = rule->text;
	const char *at;
	Buffer text;

	buffer_init(&text);
	while ((at = strcasestr(from, was)) != NULL)
	{
		buffer_append(&text, from, (size_t) (at - from));
		buffer_puts(&text, now);
		from = at + strlen(was);
	}
	buffer_puts(&text, from);
	rule->text = arena_strndup(work->arena, text.data, text.len);
	buffer_release(&text);
}

/* A statement of its own, before the rows. */
static void
drop_rule(DdlPlanning *work, WorldTable *table, const ActualRule *rule)
{
	Buffer sql;
	Buffer before;
	Buffer after;

	buffer_init(&sql);
	buffer_init(&before);
	buffer_init(&after);
	buffer_puts(&sql, "ALTER TABLE ");
	my_quote_table(&sql, table->map.database, table->map.table);
	buffer_printf(&sql, " %s", rule_drop(work, rule));
	probe_rule(&before, &table->map, rule->name, true);
	probe_rule(&after, &table->map, rule->name, false);
	planning_step(work, DDL_STEP_BEFORE, sql.data,
				  ddl_probe(work, &before, &after), &table, 1);
	buffer_release(&sql);
	buffer_release(&before);
	buffer_release(&after);
}

/* One of ours in that place; NULL: somebody else's. */
static WorldTable *
table_at(const DdlPlanning *work, const char *database, const char *name)
{
	for (int i = 0; i < work->world.count; i++)
	{
		WorldTable *table = work->world.tables[i];
		const TableMap *map = table->origin;

		if (!table->gone && map != NULL && map->table != NULL &&
			!map->partition && strcasecmp(map->table, name) == 0 &&
			strcasecmp(map->database != NULL ? map->database
											 : work->self->conn->database,
					   database) == 0)
			return table;
	}
	return NULL;
}

bool
rules_drop_referring(DdlPlanning *work, const WorldTable *table)
{
	MyResult result;

	if (table->origin == NULL)
		return true;
	if (!actual_query(work, table->origin, REFERRING_SQL,
					  "referenced_table_schema", "1, 2, 3", &result))
		return false;
	while (my_next(&result))
	{
		WorldTable *child = table_at(work, my_value(&result, 0),
									 my_value(&result, 1));
		ActualRule rule = { .name = my_value(&result, 2), .foreign_key = true };

		if (child != NULL && child != table)
			drop_rule(work, child, &rule);
	}
	my_result_free(&result);
	return true;
}

bool
rules_drop_named(DdlPlanning *work, WorldTable *table, const char *name,
				 bool *found)
{
	const char *prefixed = arena_printf(work->arena, "%s_%s", table->shape.name,
										name);
	ActualTable actual;

	*found = false;
	if (!actual_read(work, table->origin, &actual))
		return false;
	for (int i = 0; i < actual.rule_count; i++)
	{
		if (strcasecmp(actual.rules[i].name, name) != 0 &&
			strcasecmp(actual.rules[i].name, prefixed) != 0)
			continue;
		drop_rule(work, table, &actual.rules[i]);
		*found = true;
	}
	return true;
}
