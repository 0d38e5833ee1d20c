/*
 * loss.c
 *		See loss.h.
 *
 * Names are read and matched as in --tables (pattern.h): quoted parts may have
 * any character, commas and equal signs too.  A rule keeps its patterns as they
 * were written, quotes included.
 */
#include "schema/loss.h"

#include <string.h>

#include "base/mem.h"
#include "pattern.h"

static const char *const policy_names[] = {
	[LOSS_ERROR] = "error", [LOSS_WARN] = "warn", [LOSS_CLAMP] = "clamp",
	[LOSS_NULL] = "null",	[LOSS_TEXT] = "text",
};

#define POLICIES ((int) (sizeof(policy_names) / sizeof(policy_names[0])))

static const char *const kind_names[LOSS_KINDS] = {
	[LOSS_NONE] = "none",
	[LOSS_NAN] = "NaN",
	[LOSS_INFINITY] = "infinity",
	[LOSS_ERA] = "year",
	[LOSS_RANGE] = "range",
	[LOSS_PRECISION] = "precision",
	[LOSS_LENGTH] = "length",
	[LOSS_JSON_NUMBER] = "JSON number",
	[LOSS_JSON_SCALE] = "JSON scale",
	[LOSS_JSON_DEPTH] = "JSON depth",
	[LOSS_JSON_KEYS] = "JSON keys",
	[LOSS_ZONE] = "time zone",
	[LOSS_PADDING] = "padding",
	[LOSS_LABEL] = "label",
	[LOSS_BOUNDS] = "array bounds",
	[LOSS_ZERO_SIGN] = "sign of zero",
	[LOSS_ENCODING] = "encoding",
};

const char *
loss_policy_name(LossPolicy policy)
{
	if ((int) policy < 0 || (int) policy >= POLICIES)
		BUG("loss policy %d", (int) policy);
	return policy_names[policy];
}

const char *
loss_kind_name(LossKind kind)
{
	if ((int) kind < 0 || kind >= LOSS_KINDS)
		BUG("loss kind %d", (int) kind);
	return kind_names[kind];
}

/* The word at the cursor, with the blanks behind it; false if it is none. */
static bool
parse_policy(PatternCursor *cur, LossPolicy *policy)
{
	const char *word;
	size_t len = 0;

	pattern_skip_blanks(cur);
	word = cur->list.data + cur->pos;
	while (cur->pos + len < cur->list.len && word[len] >= 'a' &&
		   word[len] <= 'z')
		len++;
	for (int i = 0; i < POLICIES; i++)
	{
		if (strlen(policy_names[i]) == len &&
			memcmp(policy_names[i], word, len) == 0)
		{
			*policy = (LossPolicy) i;
			cur->pos += len;
			pattern_skip_blanks(cur);
			return true;
		}
	}
	return false;
}

/* [schema.]table.column; the cursor stands behind it. */
static bool
parse_pattern(PatternCursor *cur, Arena *arena, LossRule *rule)
{
	size_t start = cur->pos;
	size_t last = start;
	int parts = 0;
	PatternPart part;

	for (;;)
	{
		if (!pattern_parse_part(cur, &part))
			return false;
		if (++parts == 3 || cur->pos == cur->list.len ||
			cur->list.data[cur->pos] != '.')
			break;
		last = ++cur->pos;
	}
	if (parts < 2)
	{
		cur->error = "a table and a column are needed, as in orders.total";
		return false;
	}
	rule->table = arena_strndup(arena, cur->list.data + start,
								last - 1 - start);
	rule->column = arena_strndup(arena, cur->list.data + last, cur->pos - last);
	pattern_skip_blanks(cur);
	return true;
}

/* pattern=policy, or a policy alone as the first item. */
static bool
parse_rule(PatternCursor *cur, Arena *arena, bool first, LossRule *rule)
{
	size_t start;

	pattern_skip_blanks(cur);
	start = cur->pos;
	rule->table = NULL;
	rule->column = NULL;
	if (parse_policy(cur, &rule->policy) &&
		(cur->pos == cur->list.len || cur->list.data[cur->pos] == ','))
	{
		if (!first)
			cur->error = "what is for everything comes first";
		return first;
	}
	cur->pos = start;
	if (!parse_pattern(cur, arena, rule))
		return false;
	if (cur->pos == cur->list.len || cur->list.data[cur->pos] != '=')
		cur->error = "an equal sign is missing";
	else
	{
		cur->pos++;
		if (!parse_policy(cur, &rule->policy))
			cur->error = "this is none of error, warn, clamp, null and text";
		else if (cur->pos < cur->list.len && cur->list.data[cur->pos] != ',')
			cur->error = "a comma is missing";
	}
	return cur->error == NULL;
}

bool
loss_rules_parse(const char *text, Arena *arena, LossRules *rules, Error *err)
{
	LossRule *list;
	PatternCursor cur;
	int count = 1;

	rules->rules = NULL;
	rules->count = 0;
	if (text == NULL || text[0] == '\0')
		return true;
	for (const char *p = text; *p != '\0'; p++)
		count += *p == ',';
	list = ARENA_ARRAY(arena, LossRule, (size_t) count);
	pattern_cursor_init(&cur, text, strlen(text));
	for (count = 0;; cur.pos++)
	{
		if (!parse_rule(&cur, arena, count == 0, &list[count]))
		{
			(void) error_set(err, P_OPTIONS,
							 "--on-loss \"%s\", at byte %zu: %s", text,
							 cur.pos + 1, cur.error);
			return error_hint(err,
							  "Write a policy (error, warn, clamp, null, text) "
							  "for everything, then exceptions, as in "
							  "warn,public.orders.total=clamp.");
		}
		count++;
		if (cur.pos == cur.list.len)
			break;
	}
	rules->rules = list;
	rules->count = count;
	return true;
}

static bool
pattern_matches(const char *pattern, const char *schema, const char *name)
{
	PatternText schema_text = { schema, strlen(schema) };
	PatternText name_text = { name, strlen(name) };

	return pattern == NULL ||
		   pattern_list_match(pattern, strlen(pattern), schema_text, name_text);
}

LossPolicy
loss_policy(const LossRules *rules, const char *schema, const char *table,
			const char *column)
{
	for (int i = rules->count - 1; i >= 0; i--)
	{
		const LossRule *rule = &rules->rules[i];

		if (pattern_matches(rule->table, schema, table) &&
			pattern_matches(rule->column, "", column))
			return rule->policy;
	}
	return LOSS_ERROR;
}
