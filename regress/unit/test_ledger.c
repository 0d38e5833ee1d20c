/*
 * test_ledger.c
 *		Counts of rules, and what a rollback does to those of a target; rows that
 *		rules keep.
 */
#include <string.h>

#include "kept.h"
#include "ledger.h"
#include "tap.h"

static void
test_entries(void)
{
	Ledger one = { 0 };
	Ledger sum = { 0 };
	char copy[] = "rule 1";

	ledger_entry(&one, "rule 1", 5, "public", "t")->counts[LEDGER_SEEN] = 3;
	ledger_entry(&one, copy, 5, "public", "t")->counts[LEDGER_KEPT] = 1;
	ledger_entry(&one, "rule 2", 5, "public", "t")->counts[LEDGER_SEEN] = 4;
	for (uint32_t oid = 10; oid < 40; oid++)
		ledger_entry(&one, "rule 1", oid, "public", "u")->tolerant = true;
	is_int(one.count, 32, "each rule and table has one entry");
	ledger_add(&sum, one.entries, one.count);
	ledger_add(&sum, one.entries, one.count);
	is_int(sum.count, 32, "added");
	is_int(ledger_entry(&sum, "rule 1", 5, "", "")->counts[LEDGER_SEEN], 6,
		   "twice");
	is_int(ledger_entry(&sum, "rule 1", 5, "", "")->counts[LEDGER_KEPT], 1 + 1,
		   "each kind by itself");
	ok(ledger_entry(&sum, "rule 1", 12, "", "")->tolerant, "and its manner");
	ledger_reset(&sum);
	is_int(sum.count, 0, "emptied");
	for (int kind = 0; kind < LEDGER_KINDS; kind++)
		ok(ledger_kind_name((LedgerKind) kind) != NULL, "kind %d has a name",
		   kind);
	ledger_release(&one);
	ledger_release(&sum);
}

static int64_t
merged(const LedgerTally *tally)
{
	return tally->counts.count > 0
			   ? tally->counts.entries[0].counts[LEDGER_MERGED]
			   : 0;
}

static void
test_tally(void)
{
	LedgerEntry entry = { .rule = "r", .schema = "s", .name = "t" };
	LedgerTally tally = { 0 };

	ledger_tally_count(&tally, NULL, LEDGER_MERGED, 5);
	ledger_tally_count(&tally, &entry, LEDGER_MERGED, 0);
	is_int(tally.counts.count, 0, "nothing to count");
	ledger_tally_set(&tally);
	ledger_tally_count(&tally, &entry, LEDGER_MERGED, 5);
	ledger_tally_set(&tally);
	ledger_tally_count(&tally, &entry, LEDGER_MERGED, 7);
	is_int(merged(&tally), 12, "counted");
	ledger_tally_back(&tally);
	is_int(merged(&tally), 5, "back to the inner savepoint");
	ledger_tally_set(&tally);
	ledger_tally_count(&tally, &entry, LEDGER_MERGED, 1);
	ledger_tally_keep(&tally);
	is_int(merged(&tally), 6, "one that is released");
	ledger_tally_back(&tally);
	is_int(merged(&tally), 0, "back to the outer");
	is_int(tally.depth, 0, "none is open");
	ledger_tally_set(&tally);
	ledger_tally_count(&tally, &entry, LEDGER_MERGED, 1);
	ledger_tally_reset(&tally);
	is_int(merged(&tally) + tally.depth, 0, "all of it is gone");
	ledger_tally_release(&tally);
}

static void
test_kept(void)
{
	const Relation *relation = kept_relation_new();
	const Relation *again = kept_relation_new();
	char hash[KEPT_HASH_SIZE];
	KeptRow row = { "area", hash, slice_of("key"), slice_of("{}") };
	Arena arena;
	Change put;
	Change gone;

	arena_init(&arena);
	ok(relation->internal && relation->serial != again->serial,
	   "relations with serials of their own");
	is_int(relation->key_count, 3, "their key");
	kept_hash(slice_of(""), hash);
	is_str(hash, "99aa06d3014798d86001c324468d497f", "XXH3-128 of nothing");
	kept_hash(row.key, hash);
	is_int(strlen(hash), 32, "and of a key");
	put = kept_change(CHANGE_PUT, relation, "s", &row, &arena);
	gone = kept_change(CHANGE_MAYBE_DELETE, relation, "s", &row, &arena);
	row.key_hash = "";
	is_str(put.new_values[KEPT_KEY_HASH].data, hash, "values are copied");
	is_str(put.new_values[KEPT_BODY].data, "{}", "a body");
	ok(put.old_values == NULL && gone.new_values == NULL &&
		   gone.old_values[KEPT_BODY].state == WIRE_COL_ABSENT &&
		   gone.old_values[KEPT_AREA].state == WIRE_COL_PRESENT,
	   "a row that goes has its key only");
	relation_release(relation);
	relation_release(again);
	arena_release(&arena);
}

int
main(void)
{
	test_entries();
	test_tally();
	test_kept();
	return done_testing();
}
