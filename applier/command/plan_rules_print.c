/*
 * plan_rules_print.c
 *		What the rules make of the tables, for people.
 *
 * Expressions are shown as they are written in the file, on one line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command/plan_rules.h"

#define LABEL "        %-13s "

/* Line breaks of the file become blanks. */
static void
print_flat(const char *text)
{
	while (*text != '\0')
	{
		size_t len = strcspn(text, "\r\n");

		printf("%.*s", (int) len, text);
		text += len;
		text += strspn(text, " \t\r\n");
		if (*text != '\0')
			putchar(' ');
	}
}

static void
print_text(const char *label, const ConfigText *text)
{
	if (text->shown == NULL)
		return;
	printf(LABEL, label);
	print_flat(text->shown);
	putchar('\n');
}

static void
print_list(const char *label, const char *const *names, int count)
{
	printf(LABEL, label);
	for (int i = 0; i < count; i++)
		printf("%s%s", i > 0 ? ", " : "", names[i]);
	putchar('\n');
}

static void
print_column(const PlanRuleTable *table, const Derived *derived,
			 const DerivedColumn *column)
{
	const char *expression = plan_rules_expression(derived, column);
	const char *type = plan_rules_type(table, column);

	printf("        %-13s %-18s", column->as.name, type);
	if ((column->as.flags & WIRE_COLUMN_KEY) != 0)
		printf(" key");
	if (expression != NULL)
	{
		printf("  = ");
		print_flat(expression);
	}
	putchar('\n');
}

static void
print_operations(const Derived *derived)
{
	const char *names[4];
	int count = plan_rules_operations(derived, names);

	if (derived->operations != RULE_ALL_OPERATIONS)
		print_list("operations:", names, count);
}

static void
print_conflict(const Derived *derived)
{
	const ConfigRule *rule = derived->rule;

	if (rule->on_conflict == CONFLICT_ERROR)
		return;
	printf(LABEL "%s", "on conflict:", plan_rules_conflict(derived));
	if (rule->on_conflict == CONFLICT_LATEST)
		printf(": %s", rule->latest.shown);
	putchar('\n');
}

static void
print_match(const Derived *derived)
{
	const char *names[8];
	int count = derived->match_count < 8 ? derived->match_count : 8;

	if (derived->match == NULL)
		return;
	for (int i = 0; i < count; i++)
		names[i] = derived->columns[derived->match[i]].as.name;
	print_list("match:", names, count);
}

static void
print_identity(const Derived *derived)
{
	static const char *const words[] = {
		[NEED_NONE] = "is not needed",
		[NEED_KEY] = "is needed by its key",
		[NEED_BETTER] = ("is needed by its key; with FULL it would be known"
						 " where rows were"),
		[NEED_FULL] = "FULL is needed",
	};
	IdentityNeed need = plan_rules_need(derived);

	if (need == NEED_BETTER && derived->old_known)
		need = NEED_KEY;
	printf(LABEL "%s; it has %s\n", "old row:", words[need],
		   plan_rules_identity(derived->input));
}

static void
print_counts(const Derived *derived)
{
	const ConfigRule *rule = derived->rule;

	printf(LABEL "%s\n", "counts:",
		   derived->tolerant
			   ? "tolerant: rows are put and deleted without knowing whether"
				 " they are there"
			   : "strict");
	if (rule->on_error == RULE_QUARANTINE)
		printf(LABEL "%s\n", "on error:", "quarantine");
	if (rule->ledger == RULE_LEDGER_KEYS)
		printf(LABEL "%s\n", "ledger:", "keys");
}

static void
print_unverified(const Derived *derived)
{
	bool any = false;

	for (int i = 0; i < derived->column_count; i++)
	{
		if (!derived->columns[i].volatile_value)
			continue;
		if (!any)
			printf(LABEL, "not verified:");
		printf("%s%s", any ? ", " : "", derived->columns[i].as.name);
		any = true;
	}
	if (any)
		putchar('\n');
}

static void
print_derived(const PlanRules *rules, const PlanRuleTable *table,
			  const Derived *derived)
{
	const ConfigRule *rule = derived->rule;
	const char *path = rule_set_config(rules->set)->config->path;

	printf("    -> %s.%s by %s, %s:%d\n", derived->schema, derived->name,
		   derived->rule_name, path, rule->place.line);
	if (derived->unchanged)
	{
		printf("        as it is\n");
		return;
	}
	for (int i = 0; i < derived->column_count; i++)
		print_column(table, derived, &derived->columns[i]);
	print_text("where:", &rule->where);
	print_text("route:", &rule->route);
	print_match(derived);
	print_operations(derived);
	print_conflict(derived);
	print_identity(derived);
	print_counts(derived);
	print_unverified(derived);
}

static void
print_reference(const ConfigReference *reference)
{
	printf("  %-14s %s", reference->name.text,
		   reference_kind_name(reference->kind));
	if (reference->kind == REFERENCE_TABLE)
		printf(" %s, followed", reference->table.shown);
	else if (reference->kind == REFERENCE_FILE)
		printf(" %s", reference->file.shown);
	printf("; key ");
	for (int i = 0; i < reference->key.count; i++)
		printf("%s%s", i > 0 ? ", " : "", reference->key.items[i].shown);
	if (reference->refresh_ms > 0)
		printf("; read again every %" PRId64 " s",
			   reference->refresh_ms / 1000);
	if (reference->required)
		printf("; a key that is missing is an error");
	putchar('\n');
}

void
plan_rules_print(const PlanRules *rules)
{
	const RuleSetConfig *config = rule_set_config(rules->set);

	printf("\nRules of %s, from %s to %s:\n", config->config->path,
		   config->source, config->target);
	for (int i = 0; i < rules->table_count; i++)
	{
		const PlanRuleTable *table = &rules->tables[i];

		printf("  %s.%s\n", table->input->schema, table->input->name);
		for (int k = 0; k < table->count; k++)
			print_derived(rules, table, table->derived[k]);
		if (table->count == 0)
			printf("    -> nothing: %s\n", table->named
											   ? "its rules name other targets"
											   : "no rule names it");
	}
	if (config->config->reference_count > 0)
		printf("References:\n");
	for (int i = 0; i < config->config->reference_count; i++)
		print_reference(&config->config->references[i]);
}
