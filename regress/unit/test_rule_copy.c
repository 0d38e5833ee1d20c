/*
 * test_rule_copy.c
 *		Rows of the copy and a rule: what is loaded, what is counted, what is kept
 *		of counters, of rows that are left out and of those that are put aside, and
 *		what rules make of rows that come as changes; wherever the text of the rows
 *		is cut.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buffer.h"
#include "rules/kept_area.h"
#include "rules/quarantined.h"
#include "rules/rule_copy.h"
#include "rules/derived.h"
#include "schema_fixture.h"
#include "tap.h"

#define ROWS 2000
#define DAYS 7

/* Fails for each fourth row. */
#define FAILING                                                              \
	"    columns: { x: { type: bigint, expr: \"json_extract(CASE WHEN id % " \
	"4 = 0 THEN '{' ELSE '[7]' END, '$[0]')\" } }\n"

static const char rules[] =
	"source: postgresql://a/shop\n"
	"target: postgresql://b/shop\n"
	"rules:\n"
	"  - table: public.items\n"
	"    name: all\n"
	"    ledger: keys\n"
	"    where: id % 3 > 0\n"
	"    columns: { n: { expr: portage_counter(day), type: bigint } }\n"
	"  - table: public.items\n"
	"    name: days\n"
	"    into: public.days\n"
	"    match: [day]\n"
	"    where: id % 5 = 0\n"
	"    only: [day]\n"
	"    columns: { last: id }\n"
	"    operations: [update]\n"
	"  - table: public.items\n"
	"    name: latest\n"
	"    into: public.latest\n"
	"    key: [day]\n"
	"    where: id % 3 > 0\n"
	"    ledger: keys\n"
	"    on_conflict: { latest_wins: id }\n"
	"    operations: [insert]\n"
	"  - table: public.items\n"
	"    name: aside\n"
	"    into: public.aside\n"
	"    on_error: quarantine\n" FAILING "  - table: public.items\n"
	"    name: stop\n"
	"    into: public.stop\n" FAILING "  - table: public.items\n"
	"    name: aside_days\n"
	"    into: public.days\n"
	"    match: [day]\n"
	"    only: [day]\n"
	"    operations: [update]\n"
	"    on_error: quarantine\n" FAILING;

typedef struct Case
{
	SchemaFixture fixture;
	Config config;
	RuleSet *set;
	RuleEngine *engine;
	const Derived *const *derived;
	int derived_count;
	Table table;
	Buffer text; /* of all rows */
} Case;

static bool
resolve(void *arg, const char *type, Arena *arena, SchemaType *resolved,
		Error *err)
{
	(void) arg;
	(void) err;
	memset(resolved, 0, sizeof(*resolved));
	resolved->sql = arena_strdup(arena, type);
	resolved->base_schema = "pg_catalog";
	resolved->base_name = "int8";
	resolved->base_oid = 20;
	resolved->typmod = -1;
	resolved->kind = 'b';
	resolved->category = 'N';
	return true;
}

static void
case_begin(Case *c)
{
	static const char *columns[] = { "day", "id" };
	RuleSetConfig config = { &c->config, "source", "target", "s", false };
	Error err = ERROR_INIT;
	SchemaTable *table;
	Findings findings;
	RuleInput input;

	memset(c, 0, sizeof(*c));
	fixture_init(&c->fixture, true);
	findings_init(&findings, &c->fixture.arena);
	table = fixture_table(&c->fixture, "public", "items");
	fixture_key_column(&c->fixture, table, "id", "int4", -1);
	fixture_column(&c->fixture, table, "day", "varchar", 24);
	fixture_index(&c->fixture, table, "items_pkey", SCHEMA_PRIMARY, "id");
	ok(config_parse(rules, strlen(rules), "r.yaml", NULL, 0, &c->fixture.arena,
					&c->config, &err),
	   "the configuration is read: %s", err.message);
	c->set = rule_set_new(&config);
	ok(rule_set_prepare(c->set, &c->fixture.schema, resolve, NULL, &findings,
						&err),
	   "it is prepared: %s", err.message);
	c->engine = rule_engine_new(c->set, &err);
	rule_input_of_schema(table, &c->fixture.arena, &input);
	ok(rule_engine_derive(c->engine, &input, &c->derived, &c->derived_count,
						  &err) &&
		   c->derived_count == 6,
	   "six rules for the table: %s", err.message);
	c->table.oid = table->oid;
	c->table.schema = "public";
	c->table.name = "items";
	c->table.columns = columns;
	c->table.column_count = 2;
	buffer_init(&c->text);
	for (int i = 1; i <= ROWS; i++)
		buffer_printf(&c->text, "day\\t%d\t%d\n", i % DAYS, i);
}

static void
case_end(Case *c)
{
	buffer_release(&c->text);
	rule_engine_free(c->engine);
	rule_set_free(c->set);
	fixture_release(&c->fixture);
}

/* The next piece, of a length that nobody would choose. */
static Slice
piece_next(const Case *c, size_t *position, int salt)
{
	size_t len = (size_t) (rand() % 97) * (size_t) (1 + salt % 3) + 1;
	Slice piece;

	if (len > c->text.len - *position)
		len = c->text.len - *position;
	piece = (Slice){ c->text.data + *position, len };
	*position += len;
	return piece;
}

/* ---- rows, numbers, keys */

static void
expect_rows(Buffer *want, int64_t last[DAYS])
{
	memset(last, 0, DAYS * sizeof(int64_t));
	for (int i = 1; i <= ROWS; i++)
	{
		if (i % 3 == 0)
			continue;
		buffer_printf(want, "%d\tday\\t%d\t%" PRId64 "\n", i, i % DAYS,
					  ++last[i % DAYS]);
	}
}

/* The row of a counter, if it is one: its day. */
static int
day_of(const KeptRow *row)
{
	if (strcmp(row->area, "counter:all:n") != 0 || row->key.len != 5 ||
		memcmp(row->key.data, "day\t", 4) != 0)
		return -1;
	return row->key.data[4] - '0';
}

static bool
is_left_out(const Case *c, const KeptRow *row, bool *seen)
{
	static const char body[] = "{\"kind\":\"filtered\",\"lsn\":\"1/2A\"}";

	if (strcmp(row->area, "ledger:all") != 0 ||
		!slice_equal(row->key, slice_of("public.items")) ||
		!slice_equal(row->body, slice_of(body)))
		return false;
	for (int i = 3; i <= ROWS; i += 3)
	{
		char id[16];
		Value values[2] = { { id, 0, WIRE_COL_PRESENT },
							{ NULL, 0, WIRE_COL_NULL } };
		char hash[KEPT_HASH_SIZE];

		snprintf(id, sizeof(id), "%d", i);
		values[0].len = (uint32_t) strlen(id);
		ledger_key_hash(c->derived[0], values, hash);
		if (!seen[i] && strcmp(hash, row->key_hash) == 0)
			return seen[i] = true;
	}
	return false;
}

static void
check_kept(const Case *c, RuleCopy *copy, const int64_t last[DAYS])
{
	static bool seen[ROWS + 1];
	Error err = ERROR_INIT;
	const KeptRow *kept;
	int counters = 0;
	int keys = 0;
	int wrong = 0;
	int count = 1;
	bool good = true;

	memset(seen, 0, sizeof(seen));
	while (good && count > 0)
	{
		good = rule_copy_kept(copy, &kept, &count, &err);
		for (int i = 0; good && i < count; i++)
		{
			int day = day_of(&kept[i]);

			if (day >= 0 && strtoll(kept[i].body.data, NULL, 10) == last[day])
				counters++;
			else if (is_left_out(c, &kept[i], seen))
				keys++;
			else
				wrong++;
		}
	}
	ok(good && wrong == 0, "nothing else is kept: %d, %s", wrong, err.message);
	ok(counters == DAYS, "the last number of each day: %d", counters);
	ok(keys == ROWS / 3, "each row that is left out, once: %d", keys);
}

static void
test_rows(int salt)
{
	Error err = ERROR_INIT;
	int64_t last[DAYS];
	int64_t total = 0;
	int64_t rows;
	size_t position = 0;
	RuleCopy *copy;
	Buffer want;
	Buffer got;
	bool good = true;
	Slice out;
	Case c;

	case_begin(&c);
	buffer_init(&want);
	buffer_init(&got);
	copy = rule_copy_open(c.engine, c.derived[0], &c.table, (Lsn) 0x10000002A);
	while (good && position < c.text.len)
	{
		good = rule_copy_rows(copy, piece_next(&c, &position, salt), &out,
							  &rows, &err);
		if (good)
			buffer_append(&got, out.data, out.len);
		total += rows;
	}
	expect_rows(&want, last);
	ok(good, "rows are taken: %s", err.message);
	ok(slice_equal((Slice){ got.data, got.len },
				   (Slice){ want.data, want.len }),
	   "they are numbered in their order");
	ok(total == ROWS - ROWS / 3, "and counted");
	ok(rule_copy_ledger(copy)->entries[0].counts[LEDGER_FILTERED] == ROWS / 3,
	   "the ledger has those that were left out");
	check_kept(&c, copy, last);
	rule_copy_close(copy);
	buffer_release(&want);
	buffer_release(&got);
	case_end(&c);
}

/* ---- match */

typedef struct Matched
{
	const Derived *derived;
	int count;
	int wrong;
} Matched;

static bool
take_match(void *arg, const Change *change, Error *err)
{
	Matched *matched = arg;
	int id = 5 * ++matched->count;
	char day[16];
	char text[16];

	(void) err;
	snprintf(day, sizeof(day), "day\t%d", id % DAYS);
	snprintf(text, sizeof(text), "%d", id);
	for (int i = 0; i < matched->derived->column_count; i++)
	{
		bool is_day = strcmp(matched->derived->columns[i].as.name, "day") == 0;

		if (strcmp(change->new_values[i].data, is_day ? day : text) != 0)
			matched->wrong++;
	}
	if (change->kind != CHANGE_MATCH || change->manner->match_count != 1)
		matched->wrong++;
	return true;
}

/* The changes that one of the rules makes of all rows; the caller's to close. */
static RuleCopy *
take_all(Case *c, int rule, int salt, RuleCopyTaker taker, void *arg)
{
	Error err = ERROR_INIT;
	Relation *source = relation_new();
	const Relation *relation;
	size_t position = 0;
	RuleCopy *copy;
	bool good = true;

	source->oid = c->table.oid;
	source->columns = ARENA_ARRAY(&source->arena, Column, 2);
	source->column_count = 2;
	relation = derived_relation_new(c->derived[rule], source);
	relation_release(source);
	copy = rule_copy_open(c->engine, c->derived[rule], &c->table,
						  (Lsn) 0x10000002A);
	while (good && position < c->text.len)
		good = rule_copy_changes(copy, relation, piece_next(c, &position, salt),
								 taker, arg, &err);
	ok(good, "rows become changes: %s", err.message);
	ok(rule_copy_ledger(copy)->entries[0].counts[LEDGER_SEEN] == ROWS,
	   "all of them are counted");
	relation_release(relation);
	return copy;
}

static void
test_match(int salt)
{
	Matched matched = { 0 };
	Case c;

	case_begin(&c);
	matched.derived = c.derived[1];
	rule_copy_close(take_all(&c, 1, salt, take_match, &matched));
	ok(matched.count == ROWS / 5 && matched.wrong == 0,
	   "each row that the rule wants is an UPDATE by match: %d, %d wrong",
	   matched.count, matched.wrong);
	case_end(&c);
}

/* ---- conflicts */

static bool
take_insert(void *arg, const Change *change, Error *err)
{
	Matched *taken = arg;
	int id = taken->count + taken->count / 2 + 1;
	char text[16];

	(void) err;
	taken->count++;
	snprintf(text, sizeof(text), "%d", id);
	if (change->kind != CHANGE_INSERT || change->manner == NULL ||
		change->manner->conflict != CONFLICT_IF_GREATER ||
		strcmp(change->new_values[change->manner->latest].data, text) != 0)
		taken->wrong++;
	return true;
}

/* What is left out is kept and counted as where rows are loaded. */
static void
test_conflict(int salt)
{
	Matched taken = { 0 };
	const KeptRow *kept;
	Error err = ERROR_INIT;
	const LedgerEntry *entry;
	RuleCopy *copy;
	int keys = 0;
	int count = 1;
	Case c;

	case_begin(&c);
	ok(!c.derived[0]->conflicts && c.derived[2]->conflicts,
	   "one of them may find its key taken");
	copy = take_all(&c, 2, salt, take_insert, &taken);
	ok(taken.count == ROWS - ROWS / 3 && taken.wrong == 0,
	   "each row that the rule wants is an INSERT: %d, %d wrong", taken.count,
	   taken.wrong);
	entry = &rule_copy_ledger(copy)->entries[0];
	ok(entry->counts[LEDGER_APPLIED] == taken.count &&
		   entry->counts[LEDGER_FILTERED] == ROWS / 3 && entry->tolerant,
	   "the others are counted");
	while (rule_copy_kept(copy, &kept, &count, &err) && count > 0)
		keys += count;
	ok(keys == ROWS / 3, "and their keys are kept: %d, %s", keys, err.message);
	rule_copy_close(copy);
	case_end(&c);
}

/* ---- rows that are put aside */

/* Which row it is, by its kept row; 0: that is not as it should be. */
static int
aside_row(const Case *c, const KeptRow *row, const char *area,
		  const char *operation)
{
	json_t *body = json_loadb(row->body.data, row->body.len, 0, NULL);
	const char *id = "";
	const char *day = "";
	const char *kind = "";
	const char *lsn = "";
	const char *error = "";
	char key[64];
	char hash[KEPT_HASH_SIZE];
	char want[16];
	int oid = 0;
	int number;
	bool good;

	json_unpack(body, "{s:s, s:s, s:s, s:i, s:{s:s, s:s}}", "operation", &kind,
				"commit_lsn", &lsn, "error", &error, "oid", &oid, "row", "id",
				&id, "day", &day);
	number = atoi(id);
	snprintf(key, sizeof(key), "{\"id\":\"%d\"}", number);
	snprintf(want, sizeof(want), "day\t%d", number % DAYS);
	kept_hash(row->key, hash);
	good = strcmp(row->area, area) == 0 && strcmp(row->key_hash, hash) == 0 &&
		   slice_equal(row->key, slice_of(key)) && strcmp(day, want) == 0 &&
		   strcmp(kind, operation) == 0 && strcmp(lsn, "1/2A") == 0 &&
		   strstr(error, "column \"x\"") != NULL &&
		   (uint32_t) oid == c->table.oid;
	json_decref(body);
	return good ? number : 0;
}

static void
check_aside(const Case *c, RuleCopy *copy, const char *rule,
			const char *operation)
{
	const LedgerEntry *entry = &rule_copy_ledger(copy)->entries[0];
	Error err = ERROR_INIT;
	const KeptRow *kept;
	char area[QUARANTINE_AREA_SIZE];
	int next = 4;
	int count = 1;
	bool good = true;

	snprintf(area, sizeof(area), "quarantine:%s:%u", rule, c->table.oid);
	while (good && count > 0)
	{
		good = rule_copy_kept(copy, &kept, &count, &err);
		for (int i = 0; good && i < count; i++, next += 4)
			good = aside_row(c, &kept[i], area, operation) == next;
	}
	ok(good && next == ROWS + 4, "%s: each fourth row is kept, once: %d", rule,
	   next);
	ok(entry->counts[LEDGER_SEEN] == ROWS &&
		   entry->counts[LEDGER_QUARANTINED] == ROWS / 4 &&
		   entry->counts[LEDGER_APPLIED] == ROWS - ROWS / 4,
	   "%s: and each is counted as what it is", rule);
}

static bool
take_any(void *arg, const Change *change, Error *err)
{
	(void) change;
	(void) err;
	++*(int *) arg;
	return true;
}

static void
test_aside(int salt)
{
	Error err = ERROR_INIT;
	size_t position = 0;
	int64_t total = 0;
	int64_t rows;
	RuleCopy *copy;
	bool good = true;
	Slice out;
	Case c;

	case_begin(&c);
	copy = rule_copy_open(c.engine, c.derived[3], &c.table, (Lsn) 0x10000002A);
	while (good && position < c.text.len)
	{
		good = rule_copy_rows(copy, piece_next(&c, &position, salt), &out,
							  &rows, &err);
		total += rows;
	}
	ok(good && total == ROWS - ROWS / 4, "the others are loaded: %s",
	   err.message);
	check_aside(&c, copy, "aside", "INSERT");
	rule_copy_close(copy);

	copy = rule_copy_open(c.engine, c.derived[4], &c.table, (Lsn) 0x10000002A);
	ok(!rule_copy_rows(copy, (Slice){ c.text.data, c.text.len }, &out, &rows,
					   &err) &&
		   err.code == P_RULE_VALUE &&
		   strstr(err.message, "stop, table public.items, row (id=4)") != NULL,
	   "without on_error the first of them ends the copy: %s", err.message);
	rule_copy_close(copy);
	case_end(&c);
}

/* Of each piece the target does not take the last row that comes of it. */
static void
test_refused(int salt)
{
	Error err = ERROR_INIT;
	Error why = ERROR_INIT;
	size_t position = 0;
	int64_t rows;
	int refused = 0;
	int found = 0;
	int count = 1;
	const KeptRow *kept;
	const LedgerEntry *entry;
	RuleCopy *copy;
	bool good = true;
	Slice out;
	Case c;

	case_begin(&c);
	error_set(&why, P_VALUE, "out of room");
	copy = rule_copy_open(c.engine, c.derived[3], &c.table, 42);
	rule_copy_hold(copy);
	while (good && position < c.text.len)
	{
		good = rule_copy_rows(copy, piece_next(&c, &position, salt), &out,
							  &rows, &err) &&
			   (rows == 0 || rule_copy_refused(copy, rows - 1, &why, &err));
		refused += rows > 0;
	}
	while (good && count > 0)
	{
		good = rule_copy_kept(copy, &kept, &count, &err);
		for (int i = 0; good && i < count; i++)
			found += strstr(kept[i].body.data, "of the copy: out of room") !=
					 NULL;
	}
	entry = &rule_copy_ledger(copy)->entries[0];
	ok(good && refused > 100 && found == refused,
	   "rows that are refused are kept: %d, %d, %s", found, refused,
	   err.message);
	ok(entry->counts[LEDGER_SEEN] == ROWS &&
		   entry->counts[LEDGER_QUARANTINED] == ROWS / 4 + refused &&
		   entry->counts[LEDGER_APPLIED] == ROWS - ROWS / 4 - refused,
	   "and are not counted as applied");
	rule_copy_close(copy);
	case_end(&c);
}

static void
test_aside_match(int salt)
{
	Error err = ERROR_INIT;
	size_t position = 0;
	int matched = 0;
	const Relation *relation;
	Relation *source = relation_new();
	RuleCopy *copy;
	bool good = true;
	Case c;

	case_begin(&c);
	source->oid = c.table.oid;
	source->columns = ARENA_ARRAY(&source->arena, Column, 2);
	source->column_count = 2;
	relation = derived_relation_new(c.derived[5], source);
	relation_release(source);
	copy = rule_copy_open(c.engine, c.derived[5], &c.table, (Lsn) 0x10000002A);
	while (good && position < c.text.len)
		good = rule_copy_changes(copy, relation,
								 piece_next(&c, &position, salt), take_any,
								 &matched, &err);
	ok(good && matched == ROWS - ROWS / 4, "the others are matched: %s",
	   err.message);
	check_aside(&c, copy, "aside_days", "UPDATE");
	rule_copy_close(copy);
	relation_release(relation);
	case_end(&c);
}

int
main(void)
{
	srand(1);
	for (int salt = 0; salt < 3; salt++)
	{
		test_rows(salt);
		test_match(salt);
		test_conflict(salt);
		test_aside(salt);
		test_refused(salt);
		test_aside_match(salt);
	}
	return done_testing();
}
