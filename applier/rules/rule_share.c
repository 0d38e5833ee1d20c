/*
 * rule_share.c
 *		See rule_share.h.
 *
 * A key tells rows of different origin apart if it has a column that is a constant
 * of the rule, or the name of the source.
 */
#include "rules/rule_share.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules/rule_match.h"
#include "rules/rule_set_parts.h"

/* stand for the source's names, which no name can be */
#define ANY_SCHEMA "\001"
#define ANY_TABLE "\002"

static int
compare_goals(const void *left, const void *right)
{
	const RuleGoal *a = left;
	const RuleGoal *b = right;
	int order = strcmp(a->schema, b->schema);

	return order != 0 ? order : strcmp(a->name, b->name);
}

static void
learn_table(RuleSet *set, const RuleInput *input, const ConfigRule **rules)
{
	const Config *config = set->config.config;
	int count = rules_for_table(config, set->config.source, input->schema,
								input->name, rules);

	for (int i = 0; i < count; i++)
	{
		RuleGoal *goal = &set->goals[set->goal_count];

		if (rules[i]->match.count > 0 ||
			!rule_goes_to(rules[i], set->config.target))
			continue;
		config_into(rules[i], input->schema, input->name, &set->arena,
					&goal->schema, &goal->name);
		goal->rule = rules[i];
		goal->table_oid = input->oid;
		set->goal_count++;
	}
}

void
rule_share_learn(RuleSet *set)
{
	size_t rules = (size_t) set->config.config->rule_count;
	const ConfigRule **found = mem_zalloc((rules + 1) * sizeof(*found));

	set->goals = ARENA_ARRAY(&set->arena, RuleGoal,
							 (size_t) set->input_count * rules);
	for (int i = 0; i < set->input_count; i++)
		learn_table(set, &set->inputs[i], found);
	qsort(set->goals, (size_t) set->goal_count, sizeof(RuleGoal),
		  compare_goals);
	mem_free(found);
}

/* The first of those that go to the same table; *count: how many. */
static const RuleGoal *
goals_of(const RuleSet *set, const Derived *derived, int *count)
{
	int low = 0;
	int high = set->goal_count;
	RuleGoal key = { .schema = derived->schema, .name = derived->name };

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (compare_goals(&set->goals[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (low + *count < set->goal_count &&
		   compare_goals(&set->goals[low + *count], &key) == 0)
		(*count)++;
	return &set->goals[low];
}

/* Could a pattern with the two marks stand for the name? */
static bool
may_be(const char *pattern, const char *name)
{
	if (*pattern == '\0')
		return *name == '\0';
	if (*pattern != ANY_SCHEMA[0] && *pattern != ANY_TABLE[0])
		return *name == *pattern && may_be(pattern + 1, name + 1);
	for (; *name != '\0'; name++)
	{
		if (may_be(pattern + 1, name))
			return true;
	}
	return may_be(pattern + 1, name);
}

/* May the rule make this table of some table of another source? */
static bool
may_make(const ConfigRule *rule, const Derived *derived, Arena *arena)
{
	const char *schema;
	const char *name;

	if (rule->match.count > 0)
		return false;
	if (rule->into.text == NULL)
		return rule_names_table(rule, derived->schema, derived->name);
	config_into(rule, ANY_SCHEMA, ANY_TABLE, arena, &schema, &name);
	return may_be(schema, derived->schema) && may_be(name, derived->name);
}

/* The next pair of another source and a rule that may write to the table. */
static const ConfigRule *
next_foreign(const RuleSet *set, const Derived *derived, Arena *arena,
			 int *position, const ConfigSource **source)
{
	const Config *config = set->config.config;

	for (; *position < config->source_count * config->rule_count; (*position)++)
	{
		const ConfigRule *rule = &config->rules[*position % config->rule_count];

		*source = &config->sources[*position / config->rule_count];
		if (strcmp((*source)->name.text, set->config.source) == 0 ||
			!rule_is_for_source(rule, (*source)->name.text) ||
			!rule_goes_to(rule, set->config.target) ||
			!may_make(rule, derived, arena))
			continue;
		(*position)++;
		return rule;
	}
	return NULL;
}

bool
rule_is_shared(const RuleSet *set, const Derived *derived)
{
	const ConfigSource *source;
	const ConfigRule *foreign;
	Arena arena;
	int position = 0;
	int count;

	(void) goals_of(set, derived, &count);
	if (count > 1)
		return true;
	arena_init(&arena);
	foreign = next_foreign(set, derived, &arena, &position, &source);
	arena_release(&arena);
	return foreign != NULL;
}

/* ---- whose row it is */

static const char *
expression_of(const ConfigRule *rule, const char *column)
{
	for (int i = 0; i < rule->column_count; i++)
	{
		if (strcmp(rule->columns[i].name.text, column) == 0)
			return rule->columns[i].expr.text;
	}
	return NULL;
}

/* A number or a string, and nothing else. */
static bool
is_constant(const char *text)
{
	const char *p = text;

	if (*p != '\'')
	{
		p += *p == '-' || *p == '+';
		while (isdigit((unsigned char) *p) || *p == '.')
			p++;
		return p > text && *p == '\0';
	}
	for (p++; *p != '\0'; p++)
	{
		if (*p == '\'' && *++p != '\'')
			break;
	}
	return *p == '\0';
}

static bool
is_source(const char *text)
{
	return strcmp(text, "portage_source()") == 0;
}

static bool
has_key_column(const ConfigRule *rule, const char *name)
{
	for (int i = 0; i < rule->key.count; i++)
	{
		if (strcmp(rule->key.items[i].text, name) == 0)
			return true;
	}
	return false;
}

/* Has the key a column that is never the same in rows of the two? */
static bool
told_apart(const ConfigRule *a, const ConfigRule *b, bool other_source)
{
	for (int i = 0; a != NULL && b != NULL && i < a->key.count; i++)
	{
		const char *name = a->key.items[i].text;
		const char *mine = expression_of(a, name);
		const char *theirs = expression_of(b, name);

		if (mine == NULL || theirs == NULL || !has_key_column(b, name))
			continue;
		if (other_source && is_source(mine) && is_source(theirs))
			return true;
		if (is_constant(mine) && is_constant(theirs) &&
			strcmp(mine, theirs) != 0)
			return true;
	}
	return false;
}

const char *
rule_same_keys(const RuleSet *set, const Derived *derived, Arena *arena)
{
	const ConfigRule *rule = derived->rule;
	const ConfigRule *foreign;
	const ConfigSource *source;
	const RuleGoal *goals;
	int position = 0;
	int count;

	if (derived->match != NULL || derived->key_count == 0)
		return NULL;
	goals = goals_of(set, derived, &count);
	for (int i = 0; i < count; i++)
	{
		if ((goals[i].rule != rule ||
			 goals[i].table_oid != derived->input->oid) &&
			!told_apart(rule, goals[i].rule, false))
			return goals[i].rule == rule
					   ? "another table of the same rule"
					   : arena_printf(arena, "%s", goals[i].rule->name);
	}
	while ((foreign = next_foreign(set, derived, arena, &position, &source)) !=
		   NULL)
	{
		if (!told_apart(rule, foreign, true))
			return arena_printf(arena, "%s for source %s", foreign->name,
								source->name.text);
	}
	return NULL;
}

/* ---- conflicts */

/* Does the derived key have the source's in it, as it is? */
static bool
has_own_key(const Derived *derived)
{
	bool some = false;

	for (int i = 0; i < derived->input->column_count; i++)
	{
		bool found = false;

		if ((derived->input->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			continue;
		/* values of another type may have become the same */
		for (int k = 0; !found && k < derived->column_count; k++)
			found = derived->columns[k].from == i &&
					derived->columns[k].type == NULL &&
					(derived->columns[k].as.flags & WIRE_COLUMN_KEY) != 0;
		if (!found)
			return false;
		some = true;
	}
	return some;
}

bool
rule_may_conflict(const RuleSet *set, const Derived *derived)
{
	Arena arena;
	bool may;

	if (derived->rule == NULL || derived->match != NULL ||
		derived->key_count == 0 || derived->rule->on_conflict == CONFLICT_ERROR)
		return false;
	if (!has_own_key(derived))
		return true;
	arena_init(&arena);
	may = rule_same_keys(set, derived, &arena) != NULL;
	arena_release(&arena);
	return may;
}
