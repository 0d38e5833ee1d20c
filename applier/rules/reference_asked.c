/*
 * reference_asked.c
 *		Which references rules ask for.
 *
 * It is found in the text of the expressions, word by word: a word that only looks
 * like a reference costs its being read.  Nothing else is known before their tables
 * are there to compile against.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "rules/reference_parts.h"
#include "rules/rule_match.h"

static bool
is_word_byte(char c)
{
	return isalnum((unsigned char) c) || c == '_' || ((unsigned char) c & 0x80);
}

/* Does the word stand in the text, whatever it means there? */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; *at != '\0'; at++)
	{
		if (strncasecmp(at, word, len) == 0 && !is_word_byte(at[len]) &&
			(at == text || !is_word_byte(at[-1])))
			return true;
	}
	return false;
}

static bool
rule_asks(const ConfigRule *rule, const char *name)
{
	if ((rule->where.text != NULL && has_word(rule->where.text, name)) ||
		(rule->route.text != NULL && has_word(rule->route.text, name)))
		return true;
	for (int i = 0; i < rule->column_count; i++)
	{
		if (has_word(rule->columns[i].expr.text, name))
			return true;
	}
	return false;
}

bool
reference_asked(const RuleSet *set, const char *name)
{
	const Config *config = set->config.config;

	for (int i = 0; i < config->rule_count; i++)
	{
		const ConfigRule *rule = &config->rules[i];

		if (rule_is_for_source(rule, set->config.source) &&
			rule_goes_to(rule, set->config.target) && rule_asks(rule, name))
			return true;
	}
	return false;
}

bool
reference_asked_anywhere(const Config *config, const char *name)
{
	for (int i = 0; i < config->rule_count; i++)
	{
		if (rule_asks(&config->rules[i], name))
			return true;
	}
	return false;
}

bool
reference_foreign(const RuleSet *set, const ConfigReference *reference)
{
	return reference->kind == REFERENCE_TABLE &&
		   reference->source.text != NULL &&
		   strcmp(reference->source.text, set->config.source) != 0;
}

const ConfigReference *
rule_reference_foreign(const RuleSet *set, const char *text)
{
	const Config *config = set->config.config;

	for (int i = 0; i < config->reference_count; i++)
	{
		const ConfigReference *reference = &config->references[i];

		if (reference_foreign(set, reference) &&
			has_word(text, reference->name.text))
			return reference;
	}
	return NULL;
}
