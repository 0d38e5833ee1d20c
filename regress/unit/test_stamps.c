/*
 * test_stamps.c
 *		Which transactions a snapshot shows, and which changes apply.
 */
#include "stream/stamps.h"

#include <string.h>

#include "tap.h"

static void
shows(const char *snapshot, uint32_t xid, bool want)
{
	bool got = !want;

	ok(stamp_shows(snapshot, xid, &got) && got == want, "%s shows %u: %s",
	   snapshot, xid, want ? "yes" : "no");
}

static void
test_snapshots(void)
{
	static const char *const bad[] = { "",		 "1",	  "1:2",  ":2:",
									   "1:2:,3", "a:2:",  "1:b:", "1:2:c",
									   "-1:2:",	 "1:2:3 " };
	bool unused;

	shows("100:110:", 99, true);
	shows("100:110:", 105, true);
	shows("100:110:", 110, false);
	shows("100:110:102,105", 102, false);
	shows("100:110:102,105", 103, true);
	shows("100:110:102,105", 105, false);
	/* as logical decoding gives them, xmin behind xmax */
	shows("120:110:", 115, true);
	shows("120:110:", 120, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!stamp_shows(bad[i], 5, &unused), "\"%s\" is refused", bad[i]);
}

/* 2^32 and its neighbourhood: xids of the WAL have no epoch. */
static void
test_wraparound(void)
{
	shows("4294967290:4294967300:", 4294967289u, true);
	shows("4294967290:4294967300:", 3, true);
	shows("4294967290:4294967300:", 4, false);
	shows("4294967290:4294967300:4294967297", 1, false);
	shows("4294967296:4294967300:", 4294967295u, true);
	shows("8589934600:8589934610:", 9, true);
	shows("8589934600:8589934610:", 20, false);
	shows("8589934600:8589934610:", 4294967000u, true);
}

static void
test_filter(void)
{
	Chunk chunks[2] = {
		{ .table_oid = 20, .state = CHUNK_DONE, .stamp = { .slot = true } },
		{ .table_oid = 10,
		  .state = CHUNK_DONE,
		  .stamp = { .lsn = 1000, .snapshot = "100:110:105" } },
	};
	uint32_t ignored[] = { 30 };
	Error err = ERROR_INIT;
	Stamps *stamps = stamps_new(chunks, 2, 1000, &err);
	const ChangeFilter *filter = stamps_filter(stamps);
	Relation stamped = { .oid = 10 };
	Relation slot = { .oid = 20 };
	Relation extension = { .oid = 30 };
	Change change = { 0 };
	Txn seen = { .xid = 104, .commit_lsn = 900 };
	Txn running = { .xid = 105, .commit_lsn = 950 };
	Txn later = { .xid = 104, .commit_lsn = 1000 };

	ok(filter->verdict(filter, &seen, &change, &stamped) == VERDICT_SKIP,
	   "is there already");
	ok(filter->verdict(filter, &running, &change, &stamped) == VERDICT_APPLY,
	   "was running");
	ok(filter->verdict(filter, &later, &change, &stamped) == VERDICT_APPLY,
	   "beyond the newest stamp all apply");
	ok(filter->verdict(filter, &seen, &change, &slot) == VERDICT_APPLY,
	   "what the slot's snapshot showed is not sent");
	ok(filter->verdict(filter, &seen, &change, &extension) == VERDICT_APPLY,
	   "not ignored yet");
	stamps_ignore(stamps, ignored, 1);
	ok(filter->verdict(filter, &later, &change, &extension) == VERDICT_SKIP,
	   "ignored");
	ok(filter->verdict(filter, &later, &change, &slot) == VERDICT_APPLY,
	   "the others are not");
	stamped.derived = true;
	ok(filter->verdict(filter, &seen, &change, &stamped) == VERDICT_APPLY,
	   "what rules have made of a row that is not there is not asked again");
	extension.internal = true;
	ok(filter->verdict(filter, &later, &change, &extension) == VERDICT_APPLY,
	   "nor rows of the state");
	stamps_free(stamps);
	chunks[1].stamp.snapshot = "nonsense";
	ok(stamps_new(chunks, 2, 1000, &err) == NULL, "an unreadable stamp");
	is_int(err.code, P_PROGRESS, "is an error of the progress row");
}

/* A table in four pieces, read under the slot's snapshot and two later ones. */
static Chunk *
pieces(Chunk chunks[4], const char *const bounds[3])
{
	static const char *const snapshots[4] = { NULL, "100:110:", NULL,
											  "100:120:" };

	for (int i = 0; i < 4; i++)
	{
		chunks[i] = (Chunk){ .number = i + 1,
							 .table_oid = 10,
							 .schema = "s",
							 .name = "t",
							 .kind = CHUNK_KEYS,
							 .key = "k",
							 .low = i > 0 ? bounds[i - 1] : NULL,
							 .high = i < 3 ? bounds[i] : NULL,
							 .state = CHUNK_DONE };
		chunks[i].stamp.slot = snapshots[i] == NULL;
		chunks[i].stamp.snapshot = snapshots[i] != NULL ? snapshots[i] : "";
		chunks[i].stamp.lsn = 1000;
	}
	return chunks;
}

typedef struct Pieces
{
	Stamps *stamps;
	Column columns[2];
	Relation relation;
} Pieces;

static void
pieces_open(Pieces *self, uint32_t type, const char *const bounds[3])
{
	Chunk chunks[4];
	Chunk swapped;
	Error err = ERROR_INIT;

	pieces(chunks, bounds);
	/* their order is not the caller's business */
	swapped = chunks[0];
	chunks[0] = chunks[3];
	chunks[3] = swapped;
	self->stamps = stamps_new(chunks, 4, 1000, &err);
	ok(self->stamps != NULL, "the stamps of pieces");
	self->columns[0] = (Column){ .name = "v", .base_type_oid = 25 };
	self->columns[1] = (Column){ .name = "k",
								 .base_type_oid = type,
								 .flags = WIRE_COLUMN_KEY };
	self->relation.oid = 10;
	self->relation.identity = 'd';
	self->relation.columns = self->columns;
	self->relation.column_count = 2;
}

static Value
value_of(const char *text)
{
	Value value = { .data = text, .state = WIRE_COL_ABSENT };

	if (text != NULL)
	{
		value.len = (uint32_t) strlen(text);
		value.state = WIRE_COL_PRESENT;
	}
	return value;
}

/* old: key before, NULL if no old tuple is sent; new: NULL for DELETE. */
static ChangeVerdict
verdict_of(Pieces *self, uint32_t xid, ChangeKind kind, const char *old,
		   const char *new)
{
	const ChangeFilter *filter = stamps_filter(self->stamps);
	Value old_values[2] = { value_of(NULL), value_of(old) };
	Value new_values[2] = { value_of("x"), value_of(new) };
	Txn txn = { .xid = xid, .commit_lsn = 900 };
	Change change = { .kind = kind, .relation = &self->relation };

	if (old != NULL)
	{
		change.old_kind = WIRE_OLD_KEY;
		change.old_values = old_values;
	}
	if (new != NULL)
		change.new_values = new_values;
	return filter->verdict(filter, &txn, &change, &self->relation);
}

#define INSERTED(key) verdict_of(&p, 105, CHANGE_INSERT, NULL, (key))
#define DELETED(key) verdict_of(&p, 105, CHANGE_DELETE, (key), NULL)
#define UPDATED(old, new) verdict_of(&p, 105, CHANGE_UPDATE, (old), (new))

/* 105 is shown by pieces 2 and 4: from -10 to 0, and from 10. */
static void
test_pieces(void)
{
	static const char *const bounds[3] = { "-10", "0", "10" };
	Pieces p;

	pieces_open(&p, 23, bounds);
	is_int(INSERTED("-2147483648"), VERDICT_APPLY, "open below");
	is_int(INSERTED("-11"), VERDICT_APPLY, "below the bound");
	is_int(INSERTED("-10"), VERDICT_SKIP, "at the bound");
	is_int(INSERTED("-9"), VERDICT_SKIP, "which text would put elsewhere");
	is_int(INSERTED("-1"), VERDICT_SKIP, "below the next");
	is_int(INSERTED("0"), VERDICT_APPLY, "at it");
	is_int(INSERTED("9"), VERDICT_APPLY, "above it");
	is_int(INSERTED("10"), VERDICT_SKIP, "the last begins");
	is_int(INSERTED("2147483647"), VERDICT_SKIP, "open above");
	is_int(DELETED("-11"), VERDICT_APPLY, "DELETE by the old key");
	is_int(DELETED("10"), VERDICT_SKIP, "which is shown");
	is_int(UPDATED(NULL, "5"), VERDICT_APPLY, "UPDATE in its place");
	is_int(UPDATED(NULL, "-5"), VERDICT_SKIP, "which is shown");
	is_int(UPDATED("-20", "5"), VERDICT_APPLY, "moved, seen by neither");
	is_int(UPDATED("-5", "20"), VERDICT_SKIP, "moved, seen by both");
	is_int(UPDATED("20", "5"), VERDICT_AS_INSERT, "only its going is seen");
	is_int(UPDATED("5", "20"), VERDICT_AS_DELETE, "only its coming is seen");
	/* 115 is shown by piece 4 alone, 125 by none */
	is_int(verdict_of(&p, 115, CHANGE_UPDATE, "-5", "20"), VERDICT_AS_DELETE,
		   "each piece has its own snapshot");
	is_int(verdict_of(&p, 125, CHANGE_UPDATE, "-5", "20"), VERDICT_APPLY,
		   "later than all");
	is_int(verdict_of(&p, 105, CHANGE_NOKEY, NULL, NULL), VERDICT_APPLY,
		   "a change without a row is not swallowed");
	stamps_free(p.stamps);
}

static void
test_unknown(void)
{
	static const char *const bounds[3] = { "-10", "0", "10" };
	Pieces p;
	Change change = { .kind = CHANGE_UPDATE, .relation = &p.relation };
	Value values[2] = { value_of("x"), value_of("20") };
	Value old[2] = { value_of("x"), value_of("5") };
	Txn txn = { .xid = 105, .commit_lsn = 900 };
	const ChangeFilter *filter;

	pieces_open(&p, 23, bounds);
	filter = stamps_filter(p.stamps);
	change.new_values = values;
	p.columns[1].flags = 0;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_UNKNOWN,
		   "the identity is another: the key may have changed unseen");
	change.old_kind = WIRE_OLD_FULL;
	change.old_values = old;
	is_int(filter->verdict(filter, &txn, &change, &p.relation),
		   VERDICT_AS_DELETE, "a whole old row tells");
	values[1].state = WIRE_COL_UNCHANGED;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_APPLY,
		   "an unchanged key is the old one");
	p.columns[1].name = "renamed";
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_UNKNOWN,
		   "the key has gone");
	p.columns[1].name = "k";
	p.columns[1].base_type_oid = 1700;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_UNKNOWN,
		   "a type that we cannot order");
	txn.xid = 125;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_APPLY,
		   "does not matter where all agree");
	stamps_free(p.stamps);
}

static void
test_types(void)
{
	static const char *const words[3] = { "B", "a", "\xc3\x84" };
	static const char *const uuids[3] = {
		"40000000-0000-0000-0000-000000000000",
		"80000000-0000-0000-0000-000000000000",
		"c0000000-0000-0000-0000-000000000000"
	};
	Pieces p;

	pieces_open(&p, 25, words);
	is_int(INSERTED(""), VERDICT_APPLY, "empty text");
	is_int(INSERTED("AZ"), VERDICT_APPLY, "below B");
	is_int(INSERTED("B"), VERDICT_SKIP, "B");
	is_int(INSERTED("Z"), VERDICT_SKIP, "before small letters");
	is_int(INSERTED("a"), VERDICT_APPLY, "a");
	is_int(INSERTED("\xc3\x84"), VERDICT_SKIP, "bytes, not letters");
	stamps_free(p.stamps);
	pieces_open(&p, 2950, uuids);
	is_int(INSERTED("3fffffff-ffff-ffff-ffff-ffffffffffff"), VERDICT_APPLY,
		   "below the first uuid");
	is_int(INSERTED("40000000-0000-0000-0000-000000000000"), VERDICT_SKIP,
		   "at it");
	is_int(INSERTED("7fffffff-ffff-ffff-ffff-ffffffffffff"), VERDICT_SKIP,
		   "below the second");
	is_int(INSERTED("c0000000-0000-0000-0000-000000000000"), VERDICT_SKIP,
		   "at the third");
	stamps_free(p.stamps);
}

static void
test_truncate(void)
{
	static const char *const bounds[3] = { "-10", "0", "10" };
	Change change = { .kind = CHANGE_TRUNCATE };
	Txn txn = { .xid = 105, .commit_lsn = 900 };
	const ChangeFilter *filter;
	Relation other = { .oid = 11 };
	Pieces p;

	pieces_open(&p, 23, bounds);
	filter = stamps_filter(p.stamps);
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_PARTLY,
		   "TRUNCATE: some pieces show it");
	is_int(filter->emptied(filter, &txn, &p.relation, 0)->number, 1,
		   "the first does not");
	is_int(filter->emptied(filter, &txn, &p.relation, 1)->number, 3,
		   "nor the third");
	ok(strcmp(filter->emptied(filter, &txn, &p.relation, 1)->high, "10") == 0,
	   "with its bounds");
	ok(filter->emptied(filter, &txn, &p.relation, 2) == NULL, "that is all");
	ok(filter->emptied(filter, &txn, &other, 0) == NULL, "of this table");
	txn.xid = 99;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_PARTLY,
		   "the slot's pieces show nothing that is sent");
	txn.xid = 125;
	is_int(filter->verdict(filter, &txn, &change, &p.relation), VERDICT_APPLY,
		   "TRUNCATE: none does");
	stamps_free(p.stamps);
}

/* All pieces of a split by blocks were read together. */
static void
test_blocks(void)
{
	Chunk chunks[2] = {
		{ .table_oid = 10,
		  .number = 1,
		  .kind = CHUNK_BLOCKS,
		  .high = "5",
		  .state = CHUNK_DONE,
		  .stamp = { .lsn = 9, .snapshot = "100:110:" } },
		{ .table_oid = 10,
		  .number = 2,
		  .kind = CHUNK_BLOCKS,
		  .low = "5",
		  .state = CHUNK_DONE,
		  .stamp = { .lsn = 9, .snapshot = "100:110:" } },
	};
	Error err = ERROR_INIT;
	Stamps *stamps = stamps_new(chunks, 2, 1000, &err);
	const ChangeFilter *filter = stamps_filter(stamps);
	Relation relation = { .oid = 10 };
	Change change = { .kind = CHANGE_UPDATE, .relation = &relation };
	Txn txn = { .xid = 105, .commit_lsn = 900 };

	is_int(filter->verdict(filter, &txn, &change, &relation), VERDICT_SKIP,
		   "blocks: shown, whatever the row");
	txn.xid = 110;
	is_int(filter->verdict(filter, &txn, &change, &relation), VERDICT_APPLY,
		   "blocks: not shown");
	change.kind = CHANGE_TRUNCATE;
	is_int(filter->verdict(filter, &txn, &change, &relation), VERDICT_APPLY,
		   "blocks: TRUNCATE as a whole");
	stamps_free(stamps);
}

int
main(void)
{
	test_snapshots();
	test_wraparound();
	test_filter();
	test_pieces();
	test_unknown();
	test_types();
	test_truncate();
	test_blocks();
	return done_testing();
}
