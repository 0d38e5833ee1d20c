/*
 * rule_digest.c
 *		What the rules come to, in 128 bits.
 *
 * Everything goes in that has an influence on a row of this source and target:
 * another digest means that rows which are on the target already might have become
 * others.  What else the file has does not matter: a target or a source that is
 * added has no influence on those that are there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "rules/rule_match.h"
#include "rules/rule_set_parts.h"

/* With its length, so that two words are never one. */
static void
add_text(Buffer *all, const char *text)
{
	if (text == NULL)
		buffer_puts(all, "-;");
	else
		buffer_printf(all, "%zu:%s;", strlen(text), text);
}

static void
add_list(Buffer *all, const ConfigList *list)
{
	buffer_printf(all, "%d,%d[", list->place.line != 0, list->count);
	for (int i = 0; i < list->count; i++)
		add_text(all, list->items[i].text);
	buffer_puts(all, "]");
}

static void
add_rule(Buffer *all, const ConfigRule *rule, const char *target)
{
	const ConfigText *texts[] = { &rule->table, &rule->source, &rule->route,
								  &rule->into,	&rule->where,  &rule->latest };
	const ConfigList *lists[] = { &rule->only, &rule->omit, &rule->key,
								  &rule->match };

	add_text(all, rule->name);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add_text(all, texts[i]->text);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		add_list(all, lists[i]);
	for (int i = 0; i < rule->column_count; i++)
	{
		add_text(all, rule->columns[i].name.text);
		add_text(all, rule->columns[i].expr.text);
		add_text(all, rule->columns[i].type.text);
	}
	buffer_printf(all, "%u,%d,%d;", rule->operations, rule->on_conflict,
				  rule_goes_to(rule, target));
}

/* Where a reference is read from may change, and where a file lies. */
static void
add_reference(Buffer *all, const ConfigReference *reference)
{
	add_text(all, reference->name.text);
	add_text(all, reference->query.text);
	add_text(all, reference->table.text);
	add_text(all, reference->source.text);
	add_list(all, &reference->only);
	add_list(all, &reference->key);
	buffer_printf(all, "%d,%d;", reference->kind, reference->required);
}

void
rule_set_digest(const RuleSet *set, char digest[33])
{
	const Config *config = set->config.config;
	XXH128_hash_t hash;
	Buffer all;

	digest[0] = '\0';
	if (config == NULL || !config->has_rules ||
		rules_change_nothing(config, set->config.source, set->config.target))
		return;
	buffer_init(&all);
	for (int i = 0; i < config->rule_count; i++)
	{
		if (rule_is_for_source(&config->rules[i], set->config.source))
			add_rule(&all, &config->rules[i], set->config.target);
	}
	for (int i = 0; i < config->reference_count; i++)
		add_reference(&all, &config->references[i]);
	hash = XXH3_128bits(all.data, all.len);
	snprintf(digest, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t) hash.high64,
			 (uint64_t) hash.low64);
	buffer_release(&all);
}
