/*
 * ledger.c
 *		See ledger.h.  There are as many entries as rules have tables that a
 *		transaction touches: few, so they are looked through.
 */
#include "ledger.h"

#include <string.h>

#include "base/mem.h"

const char *
ledger_kind_name(LedgerKind kind)
{
	static const char *const names[LEDGER_KINDS] = {
		[LEDGER_SEEN] = "seen",			  [LEDGER_APPLIED] = "applied",
		[LEDGER_FILTERED] = "filtered",	  [LEDGER_DROPPED] = "dropped",
		[LEDGER_ELSEWHERE] = "elsewhere", [LEDGER_SKIPPED] = "skipped",
		[LEDGER_MOVED_IN] = "moved_in",	  [LEDGER_MOVED_OUT] = "moved_out",
		[LEDGER_MERGED] = "merged",		  [LEDGER_OVERWRITTEN] = "overwritten",
		[LEDGER_KEPT] = "kept",			  [LEDGER_QUARANTINED] = "quarantined",
	};

	BUG_UNLESS((unsigned) kind < LEDGER_KINDS);
	return names[kind];
}

void
ledger_reset(Ledger *ledger)
{
	ledger->count = 0;
}

void
ledger_release(Ledger *ledger)
{
	mem_free(ledger->entries);
	memset(ledger, 0, sizeof(*ledger));
}

/* Names of one rule set are mostly the same pointers. */
static bool
is_entry(const LedgerEntry *entry, const char *rule, uint32_t table_oid)
{
	return entry->table_oid == table_oid &&
		   (entry->rule == rule || strcmp(entry->rule, rule) == 0);
}

LedgerEntry *
ledger_entry(Ledger *ledger, const char *rule, uint32_t table_oid,
			 const char *schema, const char *name)
{
	LedgerEntry *entry;

	for (int i = 0; i < ledger->count; i++)
	{
		if (is_entry(&ledger->entries[i], rule, table_oid))
			return &ledger->entries[i];
	}
	ledger->entries = mem_room(ledger->entries, ledger->count,
							   &ledger->capacity, sizeof(*ledger->entries));
	entry = &ledger->entries[ledger->count++];
	*entry = (LedgerEntry){
		.rule = rule, .table_oid = table_oid, .schema = schema, .name = name
	};
	return entry;
}

void
ledger_add(Ledger *sum, const LedgerEntry *entries, int count)
{
	for (int i = 0; i < count; i++)
	{
		const LedgerEntry *added = &entries[i];
		LedgerEntry *entry = ledger_entry(sum, added->rule, added->table_oid,
										  added->schema, added->name);

		entry->tolerant |= added->tolerant;
		for (int k = 0; k < LEDGER_KINDS; k++)
			entry->counts[k] += added->counts[k];
	}
}

void
ledger_tally_reset(LedgerTally *tally)
{
	ledger_reset(&tally->counts);
	tally->depth = 0;
}

void
ledger_tally_release(LedgerTally *tally)
{
	for (int i = 0; i < tally->capacity; i++)
		ledger_release(&tally->saved[i]);
	mem_free(tally->saved);
	ledger_release(&tally->counts);
	memset(tally, 0, sizeof(*tally));
}

void
ledger_tally_count(LedgerTally *tally, const LedgerEntry *entry,
				   LedgerKind kind, int64_t count)
{
	LedgerEntry *counted;

	if (entry == NULL || count == 0)
		return;
	counted = ledger_entry(&tally->counts, entry->rule, entry->table_oid,
						   entry->schema, entry->name);
	counted->tolerant |= entry->tolerant;
	counted->counts[kind] += count;
}

void
ledger_tally_set(LedgerTally *tally)
{
	Ledger *saved;

	if (tally->depth == tally->capacity)
	{
		tally->saved = mem_realloc(
			tally->saved, (size_t) (tally->capacity + 1) * sizeof(Ledger));
		memset(&tally->saved[tally->capacity++], 0, sizeof(Ledger));
	}
	BUG_UNLESS(tally->saved != NULL);
	saved = &tally->saved[tally->depth++];
	ledger_reset(saved);
	ledger_add(saved, tally->counts.entries, tally->counts.count);
}

void
ledger_tally_keep(LedgerTally *tally)
{
	BUG_UNLESS(tally->depth > 0);
	tally->depth--;
}

void
ledger_tally_back(LedgerTally *tally)
{
	Ledger counted = tally->counts;

	BUG_UNLESS(tally->depth > 0);
	tally->depth--;
	tally->counts = tally->saved[tally->depth];
	tally->saved[tally->depth] = counted;
}
