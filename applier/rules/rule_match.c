/*
 * rule_match.c
 *		See rule_match.h.
 */
#include "rules/rule_match.h"

#include <string.h>

#include "pattern.h"

static bool
part_is_exact(const PatternPart *part)
{
	return part->quoted ||
		   (memchr(part->text.data, '*', part->text.len) == NULL &&
			memchr(part->text.data, '?', part->text.len) == NULL);
}

bool
rule_is_exact(const ConfigRule *rule)
{
	PatternCursor cursor;
	PatternItem item;

	pattern_cursor_init(&cursor, rule->table.text, strlen(rule->table.text));
	return pattern_next(&cursor, &item) && item.has_schema &&
		   part_is_exact(&item.schema) && part_is_exact(&item.name);
}

bool
rule_is_for_source(const ConfigRule *rule, const char *source)
{
	return rule->source.text == NULL || strcmp(rule->source.text, source) == 0;
}

bool
rule_names_table(const ConfigRule *rule, const char *schema, const char *name)
{
	return pattern_list_match(rule->table.text, strlen(rule->table.text),
							  (PatternText){ schema, strlen(schema) },
							  (PatternText){ name, strlen(name) });
}

bool
rule_goes_to(const ConfigRule *rule, const char *target)
{
	if (rule->targets.count == 0)
		return true;
	for (int i = 0; i < rule->targets.count; i++)
	{
		if (strcmp(rule->targets.items[i].text, target) == 0)
			return true;
	}
	return false;
}

/* The rule that stands for all others: the first pattern; or NULL. */
static const ConfigRule *
first_pattern(const Config *config, const char *source, const char *schema,
			  const char *name)
{
	for (int i = 0; i < config->rule_count; i++)
	{
		const ConfigRule *rule = &config->rules[i];

		if (rule->match.count == 0 && !rule_is_exact(rule) &&
			rule_is_for_source(rule, source) &&
			rule_names_table(rule, schema, name))
			return rule;
	}
	return NULL;
}

int
rules_for_table(const Config *config, const char *source, const char *schema,
				const char *name, const ConfigRule **rules)
{
	const ConfigRule *pattern = first_pattern(config, source, schema, name);
	bool exact = false;
	int count = 0;

	for (int i = 0; i < config->rule_count; i++)
	{
		const ConfigRule *rule = &config->rules[i];

		exact = exact || (rule->match.count == 0 && rule_is_exact(rule) &&
						  rule_is_for_source(rule, source) &&
						  rule_names_table(rule, schema, name));
	}
	for (int i = 0; i < config->rule_count; i++)
	{
		const ConfigRule *rule = &config->rules[i];

		if (!rule_is_for_source(rule, source) ||
			!rule_names_table(rule, schema, name))
			continue;
		if (rule->match.count > 0 ||
			(exact ? rule_is_exact(rule) : rule == pattern))
			rules[count++] = rule;
	}
	return count;
}

/* Does the rule take all tables, as they are? */
static bool
takes_all(const ConfigRule *rule, const char *target)
{
	return strcmp(rule->table.text, "*.*") == 0 && rule_goes_to(rule, target) &&
		   rule->route.text == NULL && rule->into.text == NULL &&
		   rule->where.text == NULL && rule->column_count == 0 &&
		   rule->only.count == 0 && rule->omit.count == 0 &&
		   rule->key.count == 0 && rule->match.count == 0 &&
		   rule->operations == RULE_ALL_OPERATIONS &&
		   rule->on_conflict == CONFLICT_ERROR;
}

bool
rules_change_nothing(const Config *config, const char *source,
					 const char *target)
{
	int count = 0;

	for (int i = 0; i < config->rule_count; i++)
	{
		if (!rule_is_for_source(&config->rules[i], source))
			continue;
		if (!takes_all(&config->rules[i], target))
			return false;
		count++;
	}
	return count == 1;
}
