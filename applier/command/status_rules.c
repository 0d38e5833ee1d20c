/*
 * status_rules.c
 *		What rules did with rows, for people and for programs.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "command/json_words.h"
#include "command/status.h"

/* "public.orders by rule 1: 100 seen, 80 applied, 20 filtered" */
static void
print_entry(const LedgerEntry *entry, const char *title)
{
	const char *comma = "";

	printf("%-10s %s.%s by %s: ", title, entry->schema, entry->name,
		   entry->rule);
	for (int kind = 0; kind < LEDGER_KINDS; kind++)
	{
		if (entry->counts[kind] == 0 && kind > LEDGER_APPLIED)
			continue;
		printf("%s%" PRId64 " %s", comma, entry->counts[kind],
			   ledger_kind_name((LedgerKind) kind));
		comma = ", ";
	}
	printf("%s\n", entry->tolerant ? "; tolerant" : "");
}

void
status_print_rules(const Status *status)
{
	for (int i = 0; i < status->ledger_count; i++)
		print_entry(&status->ledger[i], i == 0 ? "rules:" : "");
	if (status->quarantined > 0)
		printf("%-10s %" PRId64
			   " rows are put aside, see pg_portage quarantine list\n",
			   "quarantine:", status->quarantined);
}

json_t *
status_ledger_json(const Status *status)
{
	json_t *list = json_array();

	for (int i = 0; i < status->ledger_count; i++)
	{
		const LedgerEntry *entry = &status->ledger[i];
		json_t *item = json_pack(
			"{s:o, s:o, s:o, s:s}", "rule", json_words(entry->rule), "schema",
			json_words(entry->schema), "table", json_words(entry->name),
			"counts", entry->tolerant ? "tolerant" : "strict");

		BUG_UNLESS(item != NULL);
		for (int kind = 0; kind < LEDGER_KINDS; kind++)
			json_object_set_new(item, ledger_kind_name((LedgerKind) kind),
								json_integer((json_int_t) entry->counts[kind]));
		json_array_append_new(list, item);
	}
	return list;
}
