/*
 * test_reference.c
 *		References: what is refused when rules are prepared; files that are read
 *		again; and a followed table under random changes.
 *
 * The oracle is an array of the table's rows.  What the stage has the target keep
 * is applied strictly, as a target does, and read again now and then: it has to be
 * those rows, and so does what an expression is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rules/rule_set_parts.h"
#include "rules/rule_stage.h"
#include "schema_fixture.h"
#include "tap.h"

static char folder[] = "/tmp/reference.XXXXXX";

/* ---- a configuration, prepared */

typedef struct Prepared
{
	Arena arena;
	Config config;
	RuleSet *set;
	Findings findings;
} Prepared;

static bool
no_types(void *arg, const char *type, Arena *arena, SchemaType *resolved,
		 Error *err)
{
	(void) arg;
	(void) arena;
	(void) resolved;
	return error_set(err, P_RULE, "no type %s", type);
}

/* source: NULL is the only one. */
static void
prepare(Prepared *prepared, const char *text, const Schema *schema,
		const char *source)
{
	RuleSetConfig config = { .config = &prepared->config,
							 .target = "target",
							 .stream = "shop" };
	Error err = ERROR_INIT;
	char path[64];

	arena_init(&prepared->arena);
	findings_init(&prepared->findings, &prepared->arena);
	snprintf(path, sizeof(path), "%s/shop.yaml", folder);
	if (!config_parse(text, strlen(text), path, NULL, 0, &prepared->arena,
					  &prepared->config, &err))
		printf("# %s\n", err.message);
	config.source = source != NULL ? source : "source";
	prepared->set = rule_set_new(&config);
	ok(rule_set_prepare(prepared->set, schema, no_types, NULL,
						&prepared->findings, &err),
	   "prepared%s%s", error_is_set(&err) ? ": " : "", err.message);
}

static void
release(Prepared *prepared)
{
	rule_set_free(prepared->set);
	arena_release(&prepared->arena);
}

static void
write_file(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	BUG_UNLESS(file != NULL);
	fputs(text, file);
	fclose(file);
}

/* As pg_type.dat has it: how a value is seen goes by that. */
static void
real_types(SchemaTable *table)
{
	static const struct
	{
		const char *name;
		uint32_t oid;
	} types[] = { { "int4", 23 },
				  { "text", 25 },
				  { "numeric", 1700 },
				  { "bytea", BYTEA_OID } };

	for (int i = 0; i < table->column_count; i++)
	{
		SchemaType *type = &table->columns[i].type;

		for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
		{
			if (strcmp(type->base_name, types[k].name) == 0)
				type->oid = type->base_oid = types[k].oid;
		}
	}
}

/* customers(id, email, name, n, b), orders(id, customer, email) */
static void
make_schema(SchemaFixture *fixture, char identity)
{
	SchemaTable *table;

	fixture_init(fixture, true);
	table = fixture_table(fixture, "public", "customers");
	table->oid = 16401;
	table->kind = 'r';
	table->replica_identity = identity;
	fixture_key_column(fixture, table, "id", "int4", -1);
	fixture_column(fixture, table, "email", "text", -1);
	fixture_column(fixture, table, "name", "text", -1);
	fixture_column(fixture, table, "n", "numeric", -1);
	fixture_column(fixture, table, "b", "bytea", -1);
	real_types(table);
	fixture_index(fixture, table, "customers_pkey", SCHEMA_PRIMARY, "id");
	fixture_index(fixture, table, "customers_email", SCHEMA_UNIQUE, "email");
	table = fixture_table(fixture, "public", "orders");
	table->oid = 16402;
	table->kind = 'r';
	table->replica_identity = 'd';
	fixture_key_column(fixture, table, "id", "int4", -1);
	fixture_column(fixture, table, "customer", "int4", -1);
	fixture_column(fixture, table, "email", "text", -1);
	real_types(table);
	fixture_index(fixture, table, "orders_pkey", SCHEMA_PRIMARY, "id");
}

/* ---- what is refused */

typedef struct Refused
{
	const char *reference;
	const char *expr;
	const char *message;
	const char *remedy; /* part of it, or NULL */
} Refused;

#define ASKS "(SELECT name FROM r WHERE r.id = orders.customer)"

static const Refused refused[] = {
	{ "{ table: public.customers, key: [id] }", ASKS, NULL, NULL },
	{ "{ file: zip.csv, key: [id] }", ASKS, NULL, NULL },
	{ "{ file: zip.csv, key: [nam] }", ASKS,
	  "shop.yaml:5:29: reference r: there is no column \"nam\"", "\"name\"" },
	{ "{ file: none.csv, key: [id] }", ASKS, "none.csv: No such file", NULL },
	{ "{ file: empty.csv, key: [id] }", ASKS, "empty.csv is empty", NULL },
	{ "{ file: wrong.csv, key: [id] }", ASKS, "wrong.csv:1: a quote", NULL },
	{ "{ table: public.customers, key: [nam] }", ASKS,
	  "there is no column \"nam\"", "\"name\"" },
	{ "{ table: public.customers, only: [id, nane], key: [id] }", ASKS,
	  "there is no column \"nane\"", "\"name\"" },
	{ "{ table: public.customer, key: [id] }", ASKS,
	  "there is no table public.customer", "public.customers" },
	{ "{ table: public.customers, key: [name] }", ASKS, "its key is not unique",
	  NULL },
	{ "{ table: public.customers, key: [email] }",
	  "(SELECT name FROM r WHERE r.email = orders.email)",
	  "\"email\" is not in the WAL", "REPLICA IDENTITY FULL" },
	{ "{ table: public.customers, key: [id] }",
	  "(SELECT nome FROM r WHERE r.id = orders.customer)", "nome", NULL },
	{ "{ file: none.csv, key: [id] }", "customer + 1", NULL, NULL },
};

static const char *
configuration(const char *reference, const char *expr)
{
	static char text[2048];

	snprintf(text, sizeof(text),
			 "name: shop\n"
			 "source: \"postgresql://x\"\n"
			 "target: \"postgresql://y\"\n"
			 "references:\n"
			 "  r: %s\n"
			 "rules:\n"
			 "  - table: public.orders\n"
			 "    columns: { who: \"%s\" }\n",
			 reference, expr);
	return text;
}

/* The first error, or NULL. */
static const Finding *
first_error(const Findings *findings)
{
	for (int i = 0; i < findings->count; i++)
	{
		if (findings->items[i].severity == SEVERITY_ERROR)
			return &findings->items[i];
	}
	return NULL;
}

static void
test_refused(void)
{
	SchemaFixture fixture;

	make_schema(&fixture, 'd');
	write_file("zip.csv", "id,name\n1,one\n");
	write_file("empty.csv", "\n");
	write_file("wrong.csv", "id,\"name\n");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		const Finding *finding;
		Prepared prepared;

		prepare(&prepared, configuration(refused[i].reference, refused[i].expr),
				&fixture.schema, NULL);
		finding = first_error(&prepared.findings);
		if (refused[i].message == NULL)
			ok(finding == NULL, "%s is fine%s%s", refused[i].reference,
			   finding != NULL ? ": " : "",
			   finding != NULL ? finding->message : "");
		else
			has(finding != NULL ? finding->message : "nothing",
				refused[i].message, refused[i].reference);
		if (refused[i].remedy != NULL && finding != NULL)
			has(finding->remedy, refused[i].remedy, "with what to do");
		release(&prepared);
	}
	fixture_release(&fixture);
}

static void
test_foreign(void)
{
	static const char text[] =
		"name: shop\n"
		"sources: { a: { url: \"postgresql://a\" }, b: { url: "
		"\"postgresql://b\" } }\n"
		"target: \"postgresql://y\"\n"
		"references:\n"
		"  r: { table: public.customers, source: a, key: [id] }\n"
		"rules:\n"
		"  - table: public.orders\n"
		"    source: a\n"
		"    columns: { who: \"" ASKS "\" }\n"
		"  - table: public.orders\n"
		"    source: b\n"
		"    into: public.others\n"
		"    columns: { who: \"" ASKS "\" }\n";
	SchemaFixture fixture;
	Prepared prepared;
	const Finding *finding;

	make_schema(&fixture, 'd');
	prepare(&prepared, text, &fixture.schema, "a");
	finding = first_error(&prepared.findings);
	ok(finding == NULL, "a table of the rule's source: %s",
	   finding != NULL ? finding->message : "");
	release(&prepared);
	prepare(&prepared, text, &fixture.schema, "b");
	finding = first_error(&prepared.findings);
	has(finding != NULL ? finding->message : "nothing",
		"the reference r follows a table of the source a",
		"and of another source");
	has(finding != NULL ? finding->message : "nothing",
		"shop.yaml:13:", "with its place");
	release(&prepared);
	fixture_release(&fixture);
}

/* ---- files that are read again */

/* The first column of what the rule makes of an order, or the error. */
static const char *
ask_name(RuleEngine *engine, const RuleInput *orders, const char *customer)
{
	static char answer[400];
	const Derived *const *derived;
	const ExprContext context = { .op = "insert", .source = "source" };
	Value values[3] = { { "1", 1, WIRE_COL_PRESENT },
						{ customer, (uint32_t) strlen(customer),
						  WIRE_COL_PRESENT },
						{ NULL, 0, WIRE_COL_NULL } };
	ExprValue result;
	Error err = ERROR_INIT;
	int count;
	int wrong;

	if (!rule_engine_derive(engine, orders, &derived, &count, &err) ||
		!expr_eval(derived[0]->compute, values, NULL, &context, &result, &wrong,
				   &err))
		return snprintf(answer, sizeof(answer), "P%04d %.300s", (int) err.code,
						err.message),
			   answer;
	if (result.kind == EXPR_NULL)
		return "null";
	snprintf(answer, sizeof(answer), "%.*s", (int) result.text.len,
			 result.text.data);
	return answer;
}

static void
test_refresh(void)
{
	SchemaFixture fixture;
	Prepared prepared;
	RuleEngine *engine;
	const RuleInput *orders;
	Error err = ERROR_INIT;

	make_schema(&fixture, 'd');
	write_file("zip.csv", "id,name\n1,one\n2,\"two\"\"s\"\n3,\n");
	prepare(&prepared,
			configuration("{ file: zip.csv, key: [id], refresh: 1s,"
						  " required: true }",
						  ASKS),
			&fixture.schema, NULL);
	/* a file cannot say so */
	prepared.config.references[0].refresh_ms = 1;
	orders = rule_set_input(prepared.set, 16402);
	engine = rule_engine_new(prepared.set, &err);
	ok(engine != NULL && rule_engine_read(engine, &err), "a file is read%s%s",
	   error_is_set(&err) ? ": " : "", err.message);
	is_str(ask_name(engine, orders, "1"), "one", "a row");
	is_str(ask_name(engine, orders, "2"), "two\"s", "another one");
	is_str(ask_name(engine, orders, "3"), "null", "whose field is empty");
	has(ask_name(engine, orders, "4"), "P0429 reference r has no row (4)",
		"one that must be there");
	write_file("zip.csv", "name,id,more\nun,1,x\n");
	clock_pause_ms(2);
	rule_engine_refresh(engine);
	is_str(ask_name(engine, orders, "1"), "un", "read again, in another order");
	has(ask_name(engine, orders, "2"), "P0429", "what went is not there");
	write_file("zip.csv", "id,name\n1,eins\n2,zwei,drei\n");
	clock_pause_ms(2);
	rule_engine_refresh(engine);
	is_str(ask_name(engine, orders, "1"), "un", "what is wrong is not taken");
	write_file("zip.csv", "id,name\n1,eins\n");
	clock_pause_ms(30);
	rule_engine_refresh(engine);
	is_str(ask_name(engine, orders, "1"), "eins", "until it is right again");
	rule_engine_free(engine);

	write_file("zip.csv", "id,name\n1,eins\n,x\n");
	engine = rule_engine_new(prepared.set, &err);
	ok(!rule_engine_read(engine, &err) && err.code == P_REFERENCE,
	   "a key that is null");
	has(err.message, "zip.csv:3: ", "has its line");
	has(err.message, "shop.yaml:5:3: reference r: ", "and its place");
	rule_engine_free(engine);
	write_file("zip.csv", "id,name\n1,eins,x\n");
	engine = rule_engine_new(prepared.set, &err);
	ok(!rule_engine_read(engine, &err), "a field too many");
	has(err.message, "zip.csv:2: 3 fields, and 2 columns have a name",
		"has its line");
	rule_engine_free(engine);
	release(&prepared);
	fixture_release(&fixture);
}

/* ---- a table that is followed */

#define IDS 9
#define STEPS 6000
#define KEPT_MAX 64
#define CUSTOMER_COLUMNS 5
#define ORDER_COLUMNS 3

typedef struct Customer
{
	bool there;
	char id[8];
	char email[16]; /* empty: null */
	char name[16];
	char n[16];
	char b[4]; /* four bytes of anything */
} Customer;

typedef struct Kept
{
	char hash[KEPT_HASH_SIZE];
	char key[64];
	char body[400];
} Kept;

typedef struct World
{
	Prepared prepared;
	bool by_email;
	Relation *customers;
	Relation *orders;
	Customer rows[IDS];
	Kept kept[KEPT_MAX];
	int kept_count;
	int misfits;	 /* strict changes that found something else */
	const char *who; /* what the last order was given */
	char answer[64];
	Target target;
	TargetOps ops;
	TargetConfig target_config;
	ChangeFilter filter;
	RuleStage *stage;
	int next;
} World;

static World *world;

static ChangeVerdict
apply_all(const ChangeFilter *self, const Txn *txn, const Change *change,
		  const Relation *relation)
{
	(void) self;
	(void) txn;
	(void) change;
	(void) relation;
	return VERDICT_APPLY;
}

static bool
visit_kept(Target *self, const char *area, KeptVisitor visitor, void *arg,
		   Error *err)
{
	(void) self;
	if (strcmp(area, "reference:") != 0)
		return true;
	for (int i = 0; i < world->kept_count; i++)
	{
		const Kept *kept = &world->kept[i];
		KeptRow row = { "reference:r", kept->hash, slice_of(kept->key),
						slice_of(kept->body) };

		if (!visitor(arg, &row, err))
			return false;
	}
	return true;
}

static Relation *
relation_of(const SchemaTable *table)
{
	Relation *relation = relation_new();
	Column *columns = ARENA_ARRAY(&relation->arena, Column,
								  (size_t) table->column_count);

	relation->oid = table->oid;
	relation->schema = table->schema;
	relation->name = table->name;
	relation->root_schema = relation->root_name = "";
	relation->kind = 'r';
	relation->identity = table->replica_identity;
	relation->column_count = table->column_count;
	relation->columns = columns;
	for (int i = 0; i < table->column_count; i++)
	{
		const SchemaColumn *from = &table->columns[i];

		columns[i].name = from->name;
		columns[i].type_schema = columns[i].base_schema = "pg_catalog";
		columns[i].type_name = columns[i].base_name = from->type.base_name;
		columns[i].type_oid = columns[i].base_type_oid = from->type.base_oid;
		columns[i].typmod = -1;
		columns[i].attnum = (uint16_t) (i + 1);
		if (i == 0 && table->replica_identity == 'd')
			columns[i].flags = WIRE_COLUMN_KEY | WIRE_COLUMN_NOT_NULL;
	}
	relation->key_count = table->replica_identity == 'd';
	return relation;
}

/* ---- what comes out */

static Kept *
find_kept(const char *hash)
{
	for (int i = 0; i < world->kept_count; i++)
	{
		if (strcmp(world->kept[i].hash, hash) == 0)
			return &world->kept[i];
	}
	return NULL;
}

static void
set_kept(Kept *kept, const Value *values)
{
	snprintf(kept->hash, sizeof(kept->hash), "%s", values[KEPT_KEY_HASH].data);
	snprintf(kept->key, sizeof(kept->key), "%s", values[KEPT_KEY].data);
	snprintf(kept->body, sizeof(kept->body), "%s", values[KEPT_BODY].data);
}

static void
apply_kept(const Change *change)
{
	bool deletes = change->kind == CHANGE_DELETE ||
				   change->kind == CHANGE_MAYBE_DELETE;
	const Value *values = deletes ? change->old_values : change->new_values;
	Kept *kept;

	if (change->kind == CHANGE_MATCH)
	{
		for (int i = 0; i < world->kept_count; i++)
			world->kept[i].body[0] = '\0';
		return;
	}
	kept = find_kept(values[KEPT_KEY_HASH].data);
	if (change->kind == CHANGE_INSERT)
		world->misfits += kept != NULL;
	else if (change->kind == CHANGE_UPDATE || change->kind == CHANGE_DELETE)
		world->misfits += kept == NULL;
	if (deletes && kept != NULL)
		*kept = world->kept[--world->kept_count];
	if (deletes)
		return;
	if (kept == NULL)
		kept = &world->kept[world->kept_count++];
	BUG_UNLESS(world->kept_count < KEPT_MAX);
	set_kept(kept, values);
}

static void
take_out(const Frame *frame)
{
	for (int i = 0; i < frame->event_count; i++)
	{
		const Change *change = &frame->events[i].change;
		const Value *who;

		if (frame->events[i].kind != EVENT_CHANGE)
			continue;
		if (change->relation->internal)
		{
			apply_kept(change);
			continue;
		}
		/* id, customer, email, who */
		who = &change->new_values[ORDER_COLUMNS];
		snprintf(world->answer, sizeof(world->answer), "%s",
				 who->state == WIRE_COL_PRESENT ? who->data : "null");
	}
}

/* One transaction of one change. */
static void
run_change(const Change *change)
{
	Event *events;
	Frame *frame = frame_new(NULL, 0, NULL, NULL);
	QueueItem item = { .frame = frame };
	Txn txn = { .xid = (uint32_t) ++world->next,
				.commit_lsn = (Lsn) world->next * 100 };
	Error err = ERROR_INIT;

	events = ARENA_ARRAY(&frame->arena, Event, 3);
	events[0] = (Event){ .kind = EVENT_BEGIN, .txn = txn };
	events[1] = (Event){ .kind = EVENT_CHANGE, .change = *change };
	events[2] = (Event){ .kind = EVENT_COMMIT, .txn = txn };
	frame->events = events;
	frame->event_count = 3;
	if (!rule_stage_frame(world->stage, &item, &err))
	{
		ok(false, "step %d: %s", world->next, err.message);
		exit(done_testing());
	}
	take_out(item.frame);
	frame_release(item.frame);
}

/* ---- what goes in */

static Value
text_value(const char *text)
{
	if (text[0] == '\0')
		return (Value){ NULL, 0, WIRE_COL_NULL };
	return (Value){ text, (uint32_t) strlen(text), WIRE_COL_PRESENT };
}

static void
values_of(const Customer *row, Value *values)
{
	values[0] = text_value(row->id);
	values[1] = text_value(row->email);
	values[2] = text_value(row->name);
	values[3] = text_value(row->n);
	values[4] = (Value){ row->b, sizeof(row->b), WIRE_COL_PRESENT };
}

static bool
email_taken(const char *email, int but)
{
	for (int i = 0; email[0] != '\0' && i < IDS; i++)
	{
		if (i != but && world->rows[i].there &&
			strcmp(world->rows[i].email, email) == 0)
			return true;
	}
	return false;
}

static void
randomise(Customer *row, int slot)
{
	char email[16];

	snprintf(row->name, sizeof(row->name), "n%d\"\\", rand() % 1000);
	snprintf(row->n, sizeof(row->n), "%d.%02d", rand() % 100, rand() % 100);
	for (size_t i = 0; i < sizeof(row->b); i++)
		row->b[i] = (char) (rand() % 256);
	snprintf(email, sizeof(email), "e%d", rand() % 20);
	if (rand() % 5 == 0)
		email[0] = '\0';
	if (!email_taken(email, slot))
		memcpy(row->email, email, sizeof(email));
}

static void
give_id(Customer *row, int slot)
{
	snprintf(row->id, sizeof(row->id), "%d", slot);
}

static void
insert_row(int slot)
{
	Value values[CUSTOMER_COLUMNS];
	Customer *row = &world->rows[slot];

	memset(row, 0, sizeof(*row));
	give_id(row, slot);
	randomise(row, slot);
	row->there = true;
	values_of(row, values);
	run_change(&(Change){ .kind = CHANGE_INSERT,
						  .relation = world->customers,
						  .new_values = values });
}

/* The identity's part of the old row. */
static WireOldKind
old_values_of(const Customer *row, Value *values)
{
	values_of(row, values);
	if (world->customers->identity == 'f')
		return WIRE_OLD_FULL;
	for (int i = 1; i < CUSTOMER_COLUMNS; i++)
		values[i] = (Value){ NULL, 0, WIRE_COL_ABSENT };
	return WIRE_OLD_KEY;
}

static void
delete_row(int slot)
{
	Value values[CUSTOMER_COLUMNS];
	WireOldKind kind = old_values_of(&world->rows[slot], values);

	world->rows[slot].there = false;
	run_change(&(Change){ .kind = CHANGE_DELETE,
						  .old_kind = kind,
						  .relation = world->customers,
						  .old_values = values });
}

/* Some values stay and are not said again; the id may change to a free one. */
static void
update_row(int slot)
{
	Customer *row = &world->rows[slot];
	Customer was = *row;
	Value values[CUSTOMER_COLUMNS];
	Value old[CUSTOMER_COLUMNS];
	bool full = world->customers->identity == 'f';
	int to = rand() % IDS;
	bool moves = rand() % 4 == 0 && !world->rows[to].there;
	WireOldKind kind = old_values_of(&was, old);

	randomise(row, slot);
	if (rand() % 2 == 0)
		memcpy(row->name, was.name, sizeof(was.name));
	if (moves)
	{
		world->rows[to] = *row;
		row->there = false;
		row = &world->rows[to];
		give_id(row, to);
	}
	values_of(row, values);
	if (strcmp(row->name, was.name) == 0 && rand() % 2 == 0)
		values[2] = (Value){ NULL, 0, WIRE_COL_UNCHANGED };
	run_change(&(Change){ .kind = CHANGE_UPDATE,
						  .old_kind = full || moves ? kind : WIRE_OLD_NONE,
						  .relation = world->customers,
						  .old_values = full || moves ? old : NULL,
						  .new_values = values });
}

static void
truncate_rows(void)
{
	const Relation *relation = world->customers;

	for (int i = 0; i < IDS; i++)
		world->rows[i].there = false;
	run_change(&(Change){ .kind = CHANGE_TRUNCATE,
						  .truncated = &relation,
						  .truncated_count = 1 });
}

/* ---- comparing */

static const char *
name_of(int slot, const char *email)
{
	for (int i = 0; i < IDS; i++)
	{
		if (world->rows[i].there &&
			(world->by_email
				 ? email[0] != '\0' && strcmp(world->rows[i].email, email) == 0
				 : i == slot))
			return world->rows[i].name;
	}
	return "null";
}

static int
compare_answers(void)
{
	int wrong = 0;

	for (int i = 0; i < (world->by_email ? 20 : IDS); i++)
	{
		char id[16];
		char email[16];
		Value values[ORDER_COLUMNS];

		snprintf(id, sizeof(id), "%d", i);
		snprintf(email, sizeof(email), "e%d", i);
		values[0] = text_value("1");
		values[1] = text_value(id);
		values[2] = text_value(email);
		run_change(&(Change){ .kind = CHANGE_INSERT,
							  .relation = world->orders,
							  .new_values = values });
		if (strcmp(world->answer, name_of(i, email)) != 0)
		{
			printf("# %s: %s and not %s\n", world->by_email ? email : id,
				   world->answer, name_of(i, email));
			wrong++;
		}
	}
	return wrong;
}

static int
kept_rows(void)
{
	int count = 0;

	for (int i = 0; i < world->kept_count; i++)
		count += world->kept[i].body[0] != '\0';
	return count;
}

static int
asked_rows(void)
{
	int count = 0;

	for (int i = 0; i < IDS; i++)
		count += world->rows[i].there &&
				 (!world->by_email || world->rows[i].email[0] != '\0');
	return count;
}

static void
open_stage(void)
{
	Error err = ERROR_INIT;

	rule_stage_close(world->stage);
	world->stage = rule_stage_open(world->prepared.set, &world->target,
								   &world->filter, &err);
	if (world->stage == NULL)
	{
		ok(false, "no stage: %s", err.message);
		exit(done_testing());
	}
}

static void
one_step(bool truncates)
{
	int slot = rand() % IDS;
	int what = rand() % 100;

	if (truncates && what == 0)
		truncate_rows();
	else if (!world->rows[slot].there)
		insert_row(slot);
	else if (what < 30)
		delete_row(slot);
	else
		update_row(slot);
}

static void
test_followed(bool by_email, bool truncates)
{
	World here = { .by_email = by_email };
	SchemaFixture fixture;
	int wrong = 0;

	world = &here;
	make_schema(&fixture, by_email ? 'f' : 'd');
	prepare(&here.prepared,
			configuration(
				by_email ? "{ table: public.customers, key: [email], only: "
						   "[name, b, email] }"
						 : "{ table: public.customers, key: [id] }",
				by_email ? "(SELECT name FROM r WHERE r.email = orders.email)"
						 : ASKS),
			&fixture.schema, NULL);
	here.customers = relation_of(&fixture.schema.tables[0]);
	here.orders = relation_of(&fixture.schema.tables[1]);
	here.ops.kept_visit = visit_kept;
	here.target_config.stream = "shop";
	here.target.ops = &here.ops;
	here.target.config = &here.target_config;
	here.filter.verdict = apply_all;
	open_stage();
	for (int i = 0; i < STEPS; i++)
	{
		one_step(truncates);
		if (i % 50 == 0)
			wrong += kept_rows() != asked_rows() || compare_answers() > 0;
		if (i % 170 == 0)
			open_stage();
	}
	is_int(wrong, 0, by_email ? "by another key" : "by the primary key");
	is_int(here.misfits, 0, "strict changes find their rows");
	rule_stage_close(here.stage);
	relation_release(here.customers);
	relation_release(here.orders);
	release(&here.prepared);
	fixture_release(&fixture);
}

int
main(void)
{
	unsigned seed = (unsigned) time(NULL);

	if (getenv("PORTAGE_TEST_SEED") != NULL)
		seed = (unsigned) strtoul(getenv("PORTAGE_TEST_SEED"), NULL, 10);
	printf("# seed %u: PORTAGE_TEST_SEED=%u\n", seed, seed);
	srand(seed);
	BUG_UNLESS(mkdtemp(folder) != NULL);
	test_refused();
	test_foreign();
	test_refresh();
	test_followed(false, false);
	test_followed(false, true);
	test_followed(true, false);
	test_followed(true, true);
	for (int i = 0; i < 3; i++)
	{
		static const char *names[] = { "zip.csv", "empty.csv", "wrong.csv" };
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	return done_testing();
}
