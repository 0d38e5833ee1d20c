/*
 * stage_ddl_end.c
 *		Tables as commands of the source have left them; see stage_ddl.c.
 *
 * A table that other rules see from now on stops the stream, however often we are
 * started meanwhile: where nobody has heard of its earlier name, what the target
 * has of it is asked.
 */
#include <string.h>
#include <strings.h>

#include "rules/rule_match.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_ddl.h"
#include "schema/sql_scan.h"

static bool
has_word(const char *text, const char *word)
{
	const char *end;

	for (const char *p = text; *p != '\0'; p = end)
	{
		end = sql_skip_token(p);
		if ((size_t) (end - p) == strlen(word) &&
			strncasecmp(p, word, strlen(word)) == 0)
			return true;
	}
	return false;
}

/* May a table be called otherwise, or be part of another one, after it? */
static bool
may_rename(const DdlEvent *event)
{
	static const char *const words[] = { "rename", "schema", "attach",
										 "detach" };

	if (strncmp(event->tag, "ALTER ", 6) != 0)
		return false;
	if (event->command == NULL)
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (has_word(event->command, words[i]))
			return true;
	}
	return false;
}

void
stage_ddl_name_after(const StageDdl *looking, const Shape *table,
					 const char **schema, const char **name)
{
	const DdlEvent *event = looking->event;

	*schema = table->schema;
	*name = table->name;
	if (table->root_oid == 0)
		return;
	for (int i = 0; i < event->table_count; i++)
	{
		if (event->tables[i].oid == table->root_oid)
		{
			*schema = event->tables[i].schema;
			*name = event->tables[i].name;
			return;
		}
	}
	stage_ddl_name(looking, table->root_oid, schema, name);
	if (*name == NULL)
	{
		*schema = table->schema;
		*name = table->name;
	}
}

static bool
refuse_renamed(const StageDdl *looking, const char *schema, const char *name,
			   const char *now_schema, const char *now_name)
{
	StageFate was = stage_fate(looking->stage, schema, name);
	StageFate is = stage_fate(looking->stage, now_schema, now_name);
	const char *who = stage_ddl_who(looking, &was);

	if (who == NULL)
		who = was.unchanged ? "comes as it is" : "does not come";
	return stage_ddl_refuse(
		looking,
		"table %s.%s (%s) becomes %s.%s (%s), and rules know tables "
		"by name",
		schema, name, who, now_schema, now_name,
		stage_ddl_who(looking, &is) != NULL ? stage_ddl_who(looking, &is)
		: is.unchanged						? "comes as it is"
											: "does not come");
}

/* Would the rules of this name have made what the target has of the table? */
static bool
fits_noted(const StageDdl *looking, const StageFate *fate, const char *schema,
		   const char *name, const char *noted_schema, const char *noted_name)
{
	const char *into_schema;
	const char *into_name;

	if (fate->unchanged)
		return stage_same_rules(looking->stage, noted_schema, noted_name,
								schema, name);
	if (fate->rule == NULL)
		return false;
	if (!rule_is_exact(fate->rule) || fate->rule->match.count > 0)
		return true;
	config_into(fate->rule, schema, name, looking->arena, &into_schema,
				&into_name);
	return strcmp(into_schema, noted_schema) == 0 &&
		   strcmp(into_name, noted_name) == 0;
}

/*
 * Nobody who is there now has seen its earlier name: the target knows which tables
 * have come.
 */
static bool
look_at_unheard(const StageDdl *looking, const StageFate *fate,
				const Shape *table, const char *schema, const char *name)
{
	const char *noted_schema;
	const char *noted_name;

	if (!may_rename(looking->event))
		return true;
	if (!stage_ddl_noted(looking, table->oid, &noted_schema, &noted_name))
		return false;
	if (noted_name != NULL &&
		((!fate->unchanged && fate->rule == NULL) || table->root_oid == 0) &&
		!fits_noted(looking, fate, schema, name, noted_schema, noted_name))
		return stage_ddl_refuse(
			looking,
			"table %s.%s came to the target under another "
			"name, and other rules, or none, are for this one",
			schema, name);
	if (noted_name == NULL && fate->rule != NULL &&
		fate->rule->match.count == 0)
		return stage_ddl_refuse(
			looking,
			"table %s.%s, which is the business of %s, is not known "
			"on the target: it may have had another name",
			schema, name, stage_ddl_place(looking, fate->rule));
	return true;
}

/* Earlier rows are with the partition, or with its root. */
static bool
moves_partition(const DdlEvent *event)
{
	return strcmp(event->tag, "ALTER TABLE") == 0 && event->command != NULL &&
		   (has_word(event->command, "attach") ||
			has_word(event->command, "detach"));
}

static bool
look_at_table(StageDdl *looking, const Shape *table)
{
	RuleStage *stage = looking->stage;
	const char *was_schema;
	const char *was_name;
	const char *schema;
	const char *name;
	StageFate fate;
	bool told = stage_name(stage, table->oid) != NULL;
	bool renamed;

	stage_ddl_name_after(looking, table, &schema, &name);
	stage_ddl_name(looking, table->oid, &was_schema, &was_name);
	fate = stage_fate(stage, schema, name);
	stage_ddl_count(looking, &fate, schema, name);
	renamed = was_name != NULL &&
			  (strcmp(was_schema, schema) != 0 || strcmp(was_name, name) != 0);
	if (!stage_is_copied(looking->stage, table->oid))
	{
		if (fate.rule != NULL && moves_partition(looking->event))
			return stage_ddl_refuse(looking,
									"partitions of %s.%s, which %s changes, "
									"come or go with their rows",
									schema, name,
									stage_ddl_place(looking, fate.rule));
		if (renamed &&
			!stage_same_rules(stage, was_schema, was_name, schema, name))
			return refuse_renamed(looking, was_schema, was_name, schema, name);
		if (!told && !renamed &&
			!look_at_unheard(looking, &fate, table, schema, name))
			return false;
	}
	stage_name_put(stage, table->oid, schema, name);
	return true;
}

static bool
is_table_of(const DdlEvent *event, uint32_t oid)
{
	for (int i = 0; i < event->table_count; i++)
	{
		if (event->tables[i].oid == oid)
			return true;
	}
	return false;
}

bool
stage_ddl_end(StageDdl *looking)
{
	const DdlEvent *event = looking->event;

	for (int i = 0; i < event->table_count; i++)
	{
		if (!look_at_table(looking, &event->tables[i]))
			return false;
	}
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];
		const char *schema;
		const char *name;
		StageFate fate;

		if (object->table_oid == 0)
			looking->others++;
		if (object->table_oid == 0 || is_table_of(event, object->table_oid))
			continue;
		stage_ddl_name(looking, object->table_oid, &schema, &name);
		fate = stage_fate(looking->stage, schema, name != NULL ? name : "");
		if (name == NULL)
			looking->unchanged++;
		else
			stage_ddl_count(looking, &fate, schema, name);
	}
	return true;
}
