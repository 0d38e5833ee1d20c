/*
 * test_rule_schema.c
 *		The schema behind the rules: which columns, keys, indexes, checks and foreign
 *		keys go along, what is said of the others, and what a PostgreSQL target is
 *		told to create.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "config/config.h"
#include "postgres/ddl_print.h"
#include "rules/rule_schema.h"
#include "schema/sql_columns.h"
#include "schema/type_width.h"
#include "schema_fixture.h"
#include "tap.h"

#define HEAD "source: postgresql://a/shop\ntarget: postgresql://b/shop\n"
#define TWO_SOURCES                                                         \
	"name: shop\n"                                                          \
	"sources: {eu: {url: postgresql://a/s}, us: {url: postgresql://b/s}}\n" \
	"target: postgresql://c/shop\n"

typedef struct Case
{
	SchemaFixture fixture;
	Config config;
	RuleSet *set;
	RuleEngine *engine;
	Findings prepared;
	Findings findings;
	RuleSchema made;
	DdlEntry *entries;
	int entry_count;
} Case;

static bool
resolve(void *arg, const char *type, Arena *arena, SchemaType *resolved,
		Error *err)
{
	(void) arg;
	if (strcmp(type, "s3cret") == 0)
		return error_set(err, P_RULE, "there is no type \"%s\" on the source",
						 type);
	memset(resolved, 0, sizeof(*resolved));
	resolved->sql = arena_strdup(arena, type);
	resolved->base_schema = "pg_catalog";
	resolved->base_name = strcmp(type, "bigint") == 0 ? "int8" : "text";
	resolved->typmod = -1;
	resolved->kind = 'b';
	resolved->category = 'S';
	return true;
}

static SchemaTable *
orders(Case *c)
{
	SchemaFixture *f = &c->fixture;
	SchemaTable *table = fixture_table(f, "public", "orders");

	fixture_key_column(f, table, "id", "int8", -1);
	fixture_column(f, table, "customer", "int8", -1);
	fixture_column(f, table, "region", "text", -1);
	fixture_column(f, table, "total", "int4", -1)->default_sql = "0";
	fixture_index(f, table, "orders_pkey", SCHEMA_PRIMARY, "id")->definition =
		"PRIMARY KEY (id)";
	return table;
}

static void
case_begin(Case *c)
{
	memset(c, 0, sizeof(*c));
	fixture_init(&c->fixture, true);
	findings_init(&c->prepared, &c->fixture.arena);
	findings_init(&c->findings, &c->fixture.arena);
}

static bool
case_prepare(Case *c, const char *yaml, const char *source)
{
	RuleSetConfig config = { &c->config, source, "target", "s", false };
	Error err = ERROR_INIT;

	if (!ok(config_parse(yaml, strlen(yaml), "r.yaml", NULL, 0,
						 &c->fixture.arena, &c->config, &err),
			"the configuration is read"))
	{
		printf("# %s\n", err.message);
		return false;
	}
	c->set = rule_set_new(&config);
	return ok(rule_set_prepare(c->set, &c->fixture.schema, resolve, NULL,
							   &c->prepared, &err),
			  "it is prepared");
}

static void
case_run_source(Case *c, const char *yaml, const char *source)
{
	Error err = ERROR_INIT;

	if (!case_prepare(c, yaml, source))
		return;
	c->engine = rule_engine_new(c->set, &err);
	if (!rule_schema_make(c->engine, &c->fixture.schema, &c->fixture.arena,
						  &c->made, &c->findings, &err))
		return;
	ddl_print(&c->made.schema, NULL, 0, &c->fixture.arena, &c->entries,
			  &c->entry_count);
}

static void
case_run(Case *c, const char *yaml)
{
	case_run_source(c, yaml, "source");
}

static void
case_end(Case *c)
{
	rule_engine_free(c->engine);
	rule_set_free(c->set);
	fixture_release(&c->fixture);
}

static const SchemaTable *
made_table(const Case *c, const char *name)
{
	for (int i = 0; i < c->made.schema.table_count; i++)
	{
		if (strcmp(c->made.schema.tables[i].name, name) == 0 &&
			c->made.schema.tables[i].root_oid == 0)
			return &c->made.schema.tables[i];
	}
	return NULL;
}

static const char *
sql_of(const Case *c, const char *type, const char *name)
{
	for (int i = 0; i < c->entry_count; i++)
	{
		if (strcmp(c->entries[i].type, type) == 0 &&
			strcmp(c->entries[i].name, name) == 0)
			return c->entries[i].sql;
	}
	return NULL;
}

static int
section_of(const Case *c, const char *type, const char *name)
{
	for (int i = 0; i < c->entry_count; i++)
	{
		if (strcmp(c->entries[i].type, type) == 0 &&
			strcmp(c->entries[i].name, name) == 0)
			return (int) c->entries[i].section;
	}
	return -1;
}

static bool
said(const Findings *findings, Severity severity, const char *words)
{
	for (int i = 0; i < findings->count; i++)
	{
		if (findings->items[i].severity == severity &&
			strstr(findings->items[i].message, words) != NULL)
			return true;
	}
	for (int i = 0; i < findings->count; i++)
		printf("# %s: %s\n", severity_name(findings->items[i].severity),
			   findings->items[i].message);
	return false;
}

/* ---- names in texts */

static void
test_names(void)
{
	const char *names[] = { "id", "total", "a b", "gone" };
	const char *now[] = { "id", "amount", "a b", NULL };
	SqlColumns columns = { "orders", names, now, 4 };
	const char *gone;
	Arena arena;

	arena_init(&arena);
	is_str(sql_first_changed(&columns, "(id > 0)"), NULL, "nothing changed");
	is_str(sql_first_changed(&columns, "(total > 0)"), "total", "renamed");
	is_str(sql_first_changed(&columns, "(\"a b\" = 'total')"), NULL,
		   "a string is no name");
	is_str(sql_first_changed(&columns, "(gone IS NULL)"), "gone", "gone");
	is_str(sql_first_changed(&columns, "(orders.* IS NOT NULL)"), "orders",
		   "a whole row");
	is_str(sql_first_changed(&columns, "f($$total$$)"), NULL, "dollar quotes");
	is_str(sql_index_columns(&columns,
							 "CREATE INDEX i ON public.orders USING btree"
							 " (total DESC NULLS LAST, id) INCLUDE (\"a b\")"
							 " WITH (total='70') WHERE (id > 0)",
							 &arena, &gone),
		   "USING btree (\"amount\" DESC NULLS LAST, \"id\") INCLUDE (\"a b\")"
		   " WITH (total='70') WHERE (id > 0)",
		   "lists follow the names");
	is_str(sql_index_columns(&columns, "UNIQUE (id, gone)", &arena, &gone),
		   NULL, "a column is missing");
	is_str(gone, "gone", "which");
	is_str(sql_index_columns(&columns, "EXCLUDE USING gist (total WITH &&)",
							 &arena, &gone),
		   "EXCLUDE USING gist (\"amount\" WITH &&)", "an exclusion");
	arena_release(&arena);
}

/* ---- one table */

static void
test_columns(void)
{
	Case c;
	SchemaTable *table;
	const SchemaTable *made;

	case_begin(&c);
	table = orders(&c);
	table->comment = "what was bought";
	table->columns[3].comment = "in cents";
	fixture_index(&c.fixture, table, "orders_total", SCHEMA_PLAIN, "total")
		->definition = "CREATE INDEX orders_total ON public.orders USING btree"
					   " (total)";
	fixture_check(&c.fixture, table, "positive", "(total > 0)");
	fixture_check(&c.fixture, table, "known", "(id > 0)");
	case_run(&c, HEAD "rules:\n"
					  "- table: public.orders\n"
					  "  into: sales.bought\n"
					  "  omit: [customer, total]\n"
					  "  columns:\n"
					  "    amount: total\n"
					  "    note: upper(region)\n"
					  "    big: {expr: id + 1, type: bigint}\n");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0, "nothing is wrong");
	made = made_table(&c, "bought");
	is_int(made->column_count, 5, "columns");
	is_str(sql_of(&c, "TABLE", "bought"),
		   "CREATE TABLE \"sales\".\"bought\" (\n"
		   "\t\"id\" int8 NOT NULL,\n"
		   "\t\"region\" text,\n"
		   "\t\"amount\" int4 DEFAULT 0,\n"
		   "\t\"note\" text,\n"
		   "\t\"big\" bigint,\n"
		   "\tCONSTRAINT \"known\" CHECK ((id > 0))\n"
		   ");\n\n"
		   "COMMENT ON TABLE \"sales\".\"bought\" IS 'what was bought';\n\n"
		   "COMMENT ON COLUMN \"sales\".\"bought\".\"amount\" IS 'in cents';",
		   "CREATE TABLE");
	is_str(sql_of(&c, "SCHEMA", "sales"),
		   "CREATE SCHEMA IF NOT EXISTS \"sales\";", "its schema");
	is_str(sql_of(&c, "CONSTRAINT", "bought orders_pkey"),
		   "ALTER TABLE ONLY \"sales\".\"bought\"\n"
		   "    ADD CONSTRAINT \"orders_pkey\" PRIMARY KEY (\"id\");",
		   "the key");
	is_str(sql_of(&c, "INDEX", "orders_total"),
		   "CREATE INDEX \"orders_total\" ON \"sales\".\"bought\" USING btree"
		   " (\"amount\");",
		   "an index under the new name");
	ok(said(&c.findings, SEVERITY_NOTE,
			"check positive is left out: \"total\""),
	   "a check of a column that was renamed");
	is_int(c.made.left_out_count, 1, "the dump leaves the table out");
	case_end(&c);
}

static void
test_keys(void)
{
	Case c;
	SchemaTable *table;

	case_begin(&c);
	table = orders(&c);
	fixture_index(&c.fixture, table, "orders_region_key", SCHEMA_UNIQUE,
				  "region")
		->definition = "UNIQUE (region)";
	table->indexes[1].constraint = true;
	table->columns[0].identity = 'a';
	table->columns[0].sequence = "public.orders_id_seq";
	table->columns[0].numbering = "SEQUENCE NAME public.orders_id_seq START"
								  " WITH 1";
	case_run(&c, HEAD "rules:\n"
					  "- table: public.orders\n"
					  "  key: [shop, id]\n"
					  "  columns: {shop: {expr: \"'eu'\", type: text}}\n");
	has(sql_of(&c, "TABLE", "orders"),
		"\"id\" int8 GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME"
		" public.orders_id_seq START WITH 1) NOT NULL",
		"numbers go on");
	is_str(sql_of(&c, "CONSTRAINT", "orders orders_pkey"),
		   "ALTER TABLE ONLY \"public\".\"orders\"\n"
		   "    ADD CONSTRAINT \"orders_pkey\" PRIMARY KEY (\"shop\","
		   " \"id\");",
		   "the rule's key, in its order");
	ok(said(&c.findings, SEVERITY_NOTE, "orders_pkey does not stay unique"),
	   "the source's key");
	case_end(&c);
}

static void
test_split(void)
{
	Case c;
	SchemaTable *table;

	case_begin(&c);
	table = orders(&c);
	fixture_index(&c.fixture, table, "by_region", SCHEMA_PLAIN, "region")
		->definition = "CREATE INDEX by_region ON public.orders USING btree"
					   " (region)";
	case_run(&c, HEAD "rules:\n"
					  "- table: public.orders\n"
					  "- {table: public.orders, into: public.totals,"
					  " only: [id, total]}\n"
					  "- {table: public.orders, into: public.places,"
					  " only: [id, region]}\n");
	is_int(c.made.schema.table_count, 3, "three tables");
	is_int(c.made.left_out_count, 0, "one of them is the dump's");
	is_str(sql_of(&c, "TABLE", "orders"), NULL, "which is not created twice");
	ok(sql_of(&c, "INDEX", "places_by_region") != NULL,
	   "an index has a name of its own");
	ok(sql_of(&c, "CONSTRAINT", "totals totals_orders_pkey") != NULL,
	   "and so has a key");
	case_end(&c);
}

static void
test_together(void)
{
	Case c;

	case_begin(&c);
	orders(&c);
	fixture_table(&c.fixture, "public", "old");
	fixture_key_column(&c.fixture, &c.fixture.schema.tables[1], "id", "int8",
					   -1);
	fixture_column(&c.fixture, &c.fixture.schema.tables[1], "total", "text",
				   -1);
	fixture_index(&c.fixture, &c.fixture.schema.tables[1], "old_pkey",
				  SCHEMA_PRIMARY, "id")
		->definition = "PRIMARY KEY (id)";
	case_run(&c,
			 HEAD "rules:\n"
				  "- {table: public.orders, into: public.all,"
				  " only: [id, total], operations: [insert, update, delete],"
				  " on_conflict: source_wins}\n"
				  "- {table: public.old, into: public.all,"
				  " on_conflict: target_wins}\n");
	ok(said(&c.prepared, SEVERITY_ERROR, "column \"total\" is of type text"),
	   "types that differ");
	ok(said(&c.prepared, SEVERITY_ERROR, "r.yaml:4, rule 1"),
	   "with the place of the other rule");
	ok(said(&c.prepared, SEVERITY_ERROR, "TRUNCATE would take rows"),
	   "TRUNCATE of a table that another writes to");
	is_int(c.made.schema.table_count, 2, "two entries");
	is_int(c.made.schema.tables[1].root_oid, c.made.schema.tables[0].oid,
		   "the second is written to the first");
	case_end(&c);
}

static void
test_match(void)
{
	Case c;
	SchemaTable *table;

	case_begin(&c);
	orders(&c);
	table = fixture_table(&c.fixture, "public", "customers");
	fixture_key_column(&c.fixture, table, "id", "int8", -1);
	fixture_column(&c.fixture, table, "name", "text", -1);
	fixture_index(&c.fixture, table, "customers_pkey", SCHEMA_PRIMARY, "id")
		->definition = "PRIMARY KEY (id)";
	case_run(&c, HEAD "rules:\n"
					  "- table: public.orders\n"
					  "  columns: {name: {expr: \"NULL\", type: text}}\n"
					  "- table: public.customers\n"
					  "- {table: public.customers, into: public.orders,"
					  " match: [customer], operations: [update],"
					  " only: [name], columns: {customer: id}}\n");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0,
		   "a match with columns of the table");
	ok(!made_table(&c, "orders")->shared, "which is not shared by that");
	case_end(&c);
}

static void
test_foreign_keys(void)
{
	Case c;
	SchemaTable *lines;
	SchemaTable *table;

	case_begin(&c);
	table = orders(&c);
	lines = fixture_table(&c.fixture, "public", "lines");
	fixture_key_column(&c.fixture, lines, "id", "int8", -1);
	fixture_column(&c.fixture, lines, "order_id", "int8", -1);
	fixture_index(&c.fixture, lines, "lines_pkey", SCHEMA_PRIMARY, "id")
		->definition = "PRIMARY KEY (id)";
	fixture_foreign_key(&c.fixture, lines, "lines_order", "order_id", table,
						"id")
		->on_delete = 'c';
	case_run(&c, HEAD "rules:\n"
					  "- table: public.lines\n"
					  "- {table: public.orders, into: s.bought, omit: [id],"
					  " columns: {number: id}}\n");
	is_str(sql_of(&c, "FK CONSTRAINT", "lines lines_order"),
		   "ALTER TABLE ONLY \"public\".\"lines\"\n"
		   "    ADD CONSTRAINT \"lines_order\" FOREIGN KEY (\"order_id\")"
		   " REFERENCES \"s\".\"bought\"(\"number\") ON DELETE CASCADE;",
		   "it follows its table");
	case_end(&c);

	case_begin(&c);
	table = orders(&c);
	lines = fixture_table(&c.fixture, "public", "lines");
	fixture_key_column(&c.fixture, lines, "order_id", "int8", -1);
	fixture_foreign_key(&c.fixture, lines, "lines_order", "order_id", table,
						"id");
	case_run(&c, HEAD "rules:\n"
					  "- table: public.lines\n"
					  "- {table: public.orders, where: id > 5}\n");
	is_int(made_table(&c, "lines")->foreign_key_count, 0, "rows are missing");
	ok(said(&c.findings, SEVERITY_NOTE, "lines_order is left out: rows of it"),
	   "which is said");
	case_end(&c);

	case_begin(&c);
	table = orders(&c);
	lines = fixture_table(&c.fixture, "public", "lines");
	fixture_key_column(&c.fixture, lines, "order_id", "int8", -1);
	fixture_foreign_key(&c.fixture, lines, "lines_order", "order_id", table,
						"id");
	case_run(&c, HEAD "rules:\n- table: public.lines\n");
	ok(said(&c.findings, SEVERITY_NOTE, "table public.orders does not come"),
	   "the table is missing");
	is_int(c.made.left_out[0], (int) table->oid, "and not in the dump");
	case_end(&c);
}

static void
test_partitions(void)
{
	Case c;
	SchemaTable *root;
	SchemaTable *leaf;
	const SchemaTable *made;

	case_begin(&c);
	root = orders(&c);
	root->kind = 'p';
	root->partition_key = "RANGE (id)";
	leaf = fixture_table(&c.fixture, "public", "orders_1");
	leaf->root_oid = root->oid;
	fixture_key_column(&c.fixture, leaf, "id", "int8", -1);
	case_run(&c, HEAD "rules:\n- {table: public.orders, into: public.plain}\n");
	made = made_table(&c, "plain");
	is_int(made->kind, 'r', "one plain table");
	ok(made->partition_key == NULL, "without partitions");
	is_int(c.made.schema.table_count, 2, "and an entry for the partition");
	is_int(c.made.schema.tables[1].root_oid, made->oid, "which is part of it");
	is_int(c.made.left_out_count, 2, "the dump has neither");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0,
		   "TRUNCATE of all is what it is");
	case_end(&c);
}

/* ---- several sources */

static void
test_sources(void)
{
	static const char told_apart[] = TWO_SOURCES
		"rules:\n"
		"- table: public.orders\n"
		"  key: [shop, id]\n"
		"  columns: {shop: {expr: portage_source(), type: text}}\n"
		"  operations: [insert, update, delete]\n";
	Case c;

	case_begin(&c);
	orders(&c);
	case_run_source(&c, TWO_SOURCES "rules:\n- table: public.orders\n", "eu");
	ok(said(&c.prepared, SEVERITY_ERROR, "may write the same keys"),
	   "two sources with the same keys");
	case_end(&c);

	case_begin(&c);
	orders(&c)->columns[0].identity = 'd';
	case_run_source(&c, told_apart, "eu");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0,
		   "the key says whose row it is");
	ok(made_table(&c, "orders")->shared, "the table is shared");
	has(sql_of(&c, "TABLE", "orders"), "CREATE TABLE IF NOT EXISTS",
		"whoever comes first creates it");
	has(sql_of(&c, "CONSTRAINT", "orders orders_pkey"),
		"IF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint", "and its key");
	ok(strstr(sql_of(&c, "TABLE", "orders"), "IDENTITY") == NULL,
	   "nobody numbers its rows");
	ok(!made_table(&c, "orders")->conflicts, "and no row meets another");
	is_int(section_of(&c, "CONSTRAINT", "orders orders_pkey"), DDL_POST_DATA,
		   "so that the key follows the rows");
	case_end(&c);
}

/* Where rows of the copy may meet, the key is there before them. */
static void
test_conflicts(void)
{
	static const char same_keys[] = TWO_SOURCES
		"rules:\n"
		"- table: public.orders\n"
		"  operations: [insert, update, delete]\n"
		"  on_conflict: source_wins\n";
	static const char one_source[] = HEAD "rules:\n"
										  "- table: public.orders\n"
										  "  on_conflict: target_wins\n";
	static const char own_key[] = HEAD "rules:\n"
									   "- table: public.orders\n"
									   "  only: [id, total]\n"
									   "  key: [total]\n"
									   "  operations: [insert]\n"
									   "  on_conflict: target_wins\n";
	Case c;

	case_begin(&c);
	orders(&c);
	case_run_source(&c, same_keys, "eu");
	is_int(findings_count(&c.prepared, SEVERITY_WARNING), 0,
		   "somebody wins: nothing is to be said");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0, "nor wrong");
	ok(made_table(&c, "orders")->conflicts, "the same keys may meet");
	is_int(section_of(&c, "CONSTRAINT", "orders orders_pkey"), DDL_PRE_DATA,
		   "the key comes before the rows");
	case_end(&c);

	case_begin(&c);
	orders(&c);
	case_run(&c, one_source);
	ok(!made_table(&c, "orders")->conflicts,
	   "the source's own key is nobody else's");
	is_int(section_of(&c, "CONSTRAINT", "orders orders_pkey"), DDL_POST_DATA,
		   "and follows");
	case_end(&c);

	case_begin(&c);
	orders(&c);
	case_run(&c, own_key);
	ok(made_table(&c, "orders")->conflicts,
	   "a key of the rule's may be that of several rows");
	case_end(&c);
}

/* ---- what the WAL carries */

static void
test_width(void)
{
	SchemaType type = { .base_schema = "pg_catalog",
						.base_name = "varchar",
						.typmod = 104,
						.kind = 'b' };

	is_int(type_width(&type, "UTF8"), 404, "characters of four bytes");
	is_int(type_width(&type, "LATIN1"), 104, "of one");
	type.typmod = -1;
	is_int(type_width(&type, "UTF8"), -1, "no limit");
	type.base_name = "numeric";
	type.typmod = (10 << 16 | 2) + 4;
	ok(type_width(&type, "UTF8") <= 24, "a number is never moved");
	type.base_name = "int8";
	is_int(type_width(&type, "UTF8"), 8, "a number");
}

static void
test_wal(void)
{
	static const char by_region[] = HEAD "rules:\n"
										 "- table: public.orders\n"
										 "  where: region = 'EU'\n";
	static const char computed[] = HEAD
		"rules:\n"
		"- table: public.orders\n"
		"  columns: {label: region || total, upper: upper(region)}\n";
	Case c;

	case_begin(&c);
	orders(&c);
	case_run(&c, by_region);
	ok(said(&c.prepared, SEVERITY_ERROR, "so \"region\" may be missing"),
	   "a text without a limit");
	has(c.prepared.items[0].remedy, "REPLICA IDENTITY FULL", "what to do");
	case_end(&c);

	case_begin(&c);
	orders(&c)->columns[2].type.base_name = "varchar";
	c.fixture.schema.tables[0].columns[2].type.typmod = 54;
	case_run(&c, by_region);
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0,
		   "a row that is never so long");
	case_end(&c);

	case_begin(&c);
	orders(&c)->replica_identity = 'f';
	case_run(&c, by_region);
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0, "the whole row");
	case_end(&c);

	case_begin(&c);
	orders(&c);
	case_run(&c, computed);
	ok(said(&c.prepared, SEVERITY_ERROR, "column \"label\" is computed of"),
	   "an expression over several");
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 1, "not one over one");
	case_end(&c);
}

static void
test_encoding(void)
{
	static const char computed[] = HEAD "rules:\n"
										"- table: public.orders\n"
										"  columns: {upper: upper(region)}\n";
	static const char renamed[] = HEAD "rules:\n"
									   "- table: public.orders\n"
									   "  into: public.sales\n";
	Case c;

	case_begin(&c);
	c.fixture.schema.encoding = "LATIN1";
	orders(&c);
	case_run(&c, computed);
	ok(said(&c.prepared, SEVERITY_ERROR, "need a source in UTF8"),
	   "no expressions in LATIN1");
	case_end(&c);

	case_begin(&c);
	c.fixture.schema.encoding = "LATIN1";
	orders(&c);
	case_run(&c, renamed);
	is_int(findings_count(&c.prepared, SEVERITY_ERROR), 0,
		   "names may be changed");
	case_end(&c);
}

/* People are shown what is written: what stands for ${NAME} may be secret. */
static void
test_variables(void)
{
	static const char *const rules[] = {
		"rules: [ { table: 'public.${PORTAGE_W}' } ]\n",
		"rules: [ { table: 'public.${PORTAGE_W}*' } ]\n",
		"rules: [ { table: public.orders, only: [ '${PORTAGE_W}' ] } ]\n",
		"rules: [ { table: public.orders, omit: [ '${PORTAGE_W}' ] } ]\n",
		"rules: [ { table: public.orders, key: [ '${PORTAGE_W}' ] } ]\n",
		"rules: [ { table: public.orders, into: public.totals,\n"
		"  match: [ '${PORTAGE_W}' ], operations: [ update ] } ]\n",
		"rules: [ { table: public.orders,\n"
		"  on_conflict: { latest_wins: '${PORTAGE_W}' } } ]\n",
		"rules: [ { table: public.orders,\n"
		"  columns: { x: { expr: id, type: '${PORTAGE_W}' } } } ]\n",
		"references: { c: { table: public.orders, key: [ '${PORTAGE_W}' ] } }\n"
		"rules: [ { table: public.orders,\n"
		"  columns: { x: (SELECT region FROM c WHERE c.id = 1) } } ]\n",
		"references: { c: { table: public.orders, key: [ id ],\n"
		"  only: [ id, '${PORTAGE_W}' ] } }\n"
		"rules: [ { table: public.orders,\n"
		"  columns: { x: (SELECT region FROM c WHERE c.id = 1) } } ]\n",
	};

	setenv("PORTAGE_W", "s3cret", 1);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
	{
		char yaml[500];
		bool shown = false;
		bool told = false;
		Case c;

		case_begin(&c);
		orders(&c);
		snprintf(yaml, sizeof(yaml), HEAD "%s", rules[i]);
		case_prepare(&c, yaml, "source");
		for (int k = 0; k < c.prepared.count; k++)
		{
			const Finding *finding = &c.prepared.items[k];

			shown |= strstr(finding->message, "${PORTAGE_W}") != NULL;
			told |= strstr(finding->message, "s3cret") != NULL ||
					strstr(finding->remedy, "s3cret") != NULL;
		}
		ok(shown && !told, "a variable is not shown by its value, in %zu", i);
		case_end(&c);
	}
}

int
main(void)
{
	test_variables();
	test_encoding();
	test_names();
	test_columns();
	test_keys();
	test_split();
	test_together();
	test_match();
	test_foreign_keys();
	test_partitions();
	test_sources();
	test_conflicts();
	test_width();
	test_wal();
	return done_testing();
}
