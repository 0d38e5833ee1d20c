/*
 * stage_ddl_drop.c
 *		What commands of the source have dropped; see stage_ddl.c.
 *
 * What is gone has no OID that anybody knows, but for tables and their columns: the
 * table that something stood on is found by its identity, which is quoted as SQL
 * wants it.
 */
#include <string.h>

#include "rules/rule_set_parts.h"
#include "rules/stage_ddl.h"

/* One part of an identity, unquoted; where the next begins, or NULL. */
static const char *
take_part(const char *p, Arena *arena, const char **part)
{
	char *out = arena_strdup(arena, p);
	bool quoted = *p == '"';
	size_t len = 0;

	for (p += quoted; *p != '\0'; p++)
	{
		if (quoted ? *p == '"' : (*p == '.' || *p == ' '))
		{
			if (!quoted || p[1] != '"')
				break;
			p++;
		}
		out[len++] = *p;
	}
	out[len] = '\0';
	*part = out;
	return *p == '\0' ? p : p + quoted;
}

/* "schema.name" at the beginning. */
static bool
take_table(const char *p, Arena *arena, const char **schema, const char **name)
{
	p = take_part(p, arena, schema);
	if (*p != '.')
		return false;
	(void) take_part(p + 1, arena, name);
	return true;
}

/* The table that a dropped part of it stood on, by its identity. */
static bool
table_of_identity(const DdlObject *object, Arena *arena, const char **schema,
				  const char **name)
{
	static const char *const on_table[] = { "trigger", "rule", "policy",
											"table constraint" };
	const char *part;
	const char *p = object->identity;

	if (strcmp(object->type, "table column") == 0)
		return take_table(p, arena, schema, name);
	if (strcmp(object->type, "default value") == 0)
		return strncmp(p, "for ", 4) == 0 &&
			   take_table(p + 4, arena, schema, name);
	for (size_t i = 0; i < sizeof(on_table) / sizeof(on_table[0]); i++)
	{
		if (strcmp(object->type, on_table[i]) != 0)
			continue;
		p = take_part(p, arena, &part);
		return strncmp(p, " on ", 4) == 0 &&
			   take_table(p + 4, arena, schema, name);
	}
	return false;
}

/* ---- objects */

static void
name_of_dropped(const StageDdl *looking, const DdlObject *object,
				const char **schema, const char **name)
{
	const RuleStage *stage = looking->stage;
	const StageName *told = stage_name(stage, object->oid);
	const RuleInput *root = rule_set_root(stage->set, object->oid);
	bool part = root != NULL && root->oid != object->oid;

	*schema = told != NULL ? told->schema
			  : part	   ? root->schema
						   : object->schema;
	*name = told != NULL ? told->name : part ? root->name : object->name;
}

/*
 * Have rows of it come?  The target knows, but for those that are on their way to it:
 * they are of a table that has rules.
 */
static bool
rows_came(const StageDdl *looking, uint32_t oid, bool ruled, bool *came)
{
	const StageName *told = stage_name(looking->stage, oid);
	const char *schema;
	const char *name;

	*came = true;
	if (ruled && told != NULL && told->relation != NULL)
		return true;
	if (!stage_ddl_noted(looking, oid, &schema, &name))
		return false;
	*came = name != NULL;
	return true;
}

static bool
look_at_dropped_table(StageDdl *looking, const DdlObject *object)
{
	const char *schema;
	const char *name;
	const char *who;
	StageFate fate;
	bool came;

	name_of_dropped(looking, object, &schema, &name);
	fate = stage_fate(looking->stage, schema, name);
	who = stage_ddl_who(looking, &fate);
	if (!rows_came(looking, object->oid, who != NULL, &came))
		return false;
	if (who != NULL && (came || fate.follows != NULL))
		return stage_ddl_refuse(
			looking, "%s is a table of which %s has made rows on the target",
			object->identity, who);
	if (!fate.unchanged && who == NULL && came)
		return stage_ddl_refuse(looking,
								"rows of %s came to the target, and no rule is "
								"for a table of this name",
								object->identity);
	if (object->original)
		stage_ddl_count(looking, &fate, schema, name);
	return true;
}

/* The target's schema may hold what rules have put there. */
static bool
rules_name_tables(const RuleStage *stage)
{
	const Config *config = stage->set->config.config;

	for (int i = 0; i < config->rule_count; i++)
	{
		if (config->rules[i].into.text != NULL)
			return true;
	}
	return false;
}

static bool
look_at_dropped(StageDdl *looking, const DdlObject *object)
{
	const char *schema;
	const char *name;
	StageFate fate;

	if (strcmp(object->type, "table") == 0)
		return look_at_dropped_table(looking, object);
	if (!object->original)
		return true;
	if (strcmp(object->type, "schema") == 0 &&
		rules_name_tables(looking->stage))
		return stage_ddl_refuse(looking,
								"rules may have made tables in schema %s there",
								object->identity);
	stage_ddl_name(looking, object->table_oid, &schema, &name);
	if (name == NULL &&
		!table_of_identity(object, looking->arena, &schema, &name))
	{
		looking->others++;
		return true;
	}
	fate = stage_fate(looking->stage, schema, name);
	stage_ddl_count(looking, &fate, schema, name);
	return true;
}

bool
stage_ddl_dropped(StageDdl *looking)
{
	for (int i = 0; i < looking->event->object_count; i++)
	{
		if (!look_at_dropped(looking, &looking->event->objects[i]))
			return false;
	}
	return true;
}
