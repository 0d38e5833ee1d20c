/*
 * test_config.c
 *		Configurations that are well: what each key becomes.
 */
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "tap.h"

static const ConfigOptionName option_names[] = {
	{ "jobs", false },
	{ "retry-for", false },
	{ "on-loss", false },
	{ "quiet", true },
};

#define OPTIONS option_names, 4

static Arena arena;
static Config config;
static Error err;

static bool
parse(const char *text)
{
	error_clear(&err);
	arena_reset(&arena);
	return config_parse(text, strlen(text), "dir/shop.yaml", OPTIONS, &arena,
						&config, &err);
}

#define reads(text, what) \
	ok(parse(text), "%s%s%s", what, error_is_set(&err) ? ": " : "", err.message)

/* The example of the design. */
static void
test_shop(void)
{
	const ConfigRule *rule;

	reads("name: shop\n"
		  "sources:\n"
		  "  main: { url: \"postgresql://portage@old-db/shop\" }\n"
		  "targets:\n"
		  "  eu: { url: \"mysql://portage@10.0.0.5/shop\" }\n"
		  "  us: { url: \"postgresql://portage@10.0.0.6/shop\" }\n"
		  "rules:\n"
		  "  - table: public.*\n"
		  "    target: us\n"
		  "  - table: public.customers\n"
		  "    route: \"CASE region WHEN 'EU' THEN 'eu' ELSE 'us' END\"\n"
		  "    where: \"deleted_at IS NULL\"\n"
		  "    columns:\n"
		  "      full_name: { expr: \"first_name || ' ' || last_name\", type: "
		  "\"varchar(200)\" }\n"
		  "      zip9: { expr: \"printf('%05d-%04d', zip, plus4)\", type: "
		  "\"char(10)\" }\n"
		  "    omit: [first_name, last_name]\n",
		  "a shop with two targets");
	is_str(config.path, "dir/shop.yaml", "its path");
	is_str(config.folder, "dir", "its folder");
	is_str(config.name.text, "shop", "its name");
	ok(config.name.place.line == 1 && config.name.place.column == 7,
	   "stands in line 1, column 7");
	is_int(config.source_count, 1, "a source");
	is_str(config.sources[0].name.text, "main", "by its name");
	is_str(config.sources[0].url.text, "postgresql://portage@old-db/shop",
		   "and URL");
	is_int(config.target_count, 2, "two targets");
	ok(config_target(&config, "us") == &config.targets[1], "found by name");
	ok(config_target(&config, "uk") == NULL, "or not");
	ok(config_source(&config, "main") == config.sources, "so is a source");
	is_int(config.targets[1].name.place.line, 6, "line 6");
	is_int(config.targets[1].name.place.column, 3, "column 3");
	ok(config.has_rules && config.rule_count == 2, "two rules");
	rule = &config.rules[0];
	is_str(rule->table.text, "public.*", "a pattern");
	is_str(rule->name, "rule 1", "a name by the number");
	is_str(rule->targets.items[0].text, "us", "its target");
	is_int(rule->targets.count, 1, "which is one");
	is_int(rule->operations, RULE_ALL_OPERATIONS, "all operations");
	ok(rule->operations_place.line == 0 && rule->conflict_place.line == 0,
	   "by default");
	ok(rule->on_conflict == CONFLICT_ERROR && rule->on_error == RULE_STOP &&
		   rule->ledger == RULE_LEDGER_COUNTS,
	   "and errors where something is wrong");
	ok(rule->where.text == NULL && rule->column_count == 0 &&
		   rule->omit.place.line == 0,
	   "what is not there is not there");
	rule++;
	is_int(rule->number, 2, "the second");
	is_int(rule->place.line, 10, "begins in line 10");
	is_int(rule->targets.count, 0, "goes to any");
	has(rule->route.text, "ELSE 'us' END", "by route");
	is_str(rule->where.text, "deleted_at IS NULL", "filtered");
	is_int(rule->column_count, 2, "with two columns");
	is_str(rule->columns[1].name.text, "zip9", "their name");
	is_str(rule->columns[1].expr.text, "printf('%05d-%04d', zip, plus4)",
		   "expression");
	is_str(rule->columns[1].type.text, "char(10)", "and type");
	ok(rule->omit.count == 2 &&
		   strcmp(rule->omit.items[1].text, "last_name") == 0,
	   "without two others");
}

static void
test_rule(void)
{
	const ConfigRule *rule;

	reads("source: postgresql://h/d\n"
		  "targets:\n"
		  "  a: { url: \"postgresql://h/a\" }\n"
		  "  b: { url: \"mysql://h/b\", on_loss: warn, schemas: databases }\n"
		  "on_error: quarantine\n"
		  "ledger: keys\n"
		  "rules:\n"
		  "- table: '\"S x\".t'\n"
		  "  name: first\n"
		  "  source: source\n"
		  "  target: [b, a]\n"
		  "  into: Archive.{schema}_{table}\n"
		  "  columns: { x: 1, y: null, z: { expr: a } }\n"
		  "  only: [id]\n"
		  "  key: [id, x]\n"
		  "  operations: [insert, delete]\n"
		  "  on_conflict:\n"
		  "    latest_wins: changed_at\n"
		  "- table: s.o\n"
		  "  target: a\n"
		  "  match: [customer]\n"
		  "  operations: [update]\n"
		  "  on_error: stop\n"
		  "  ledger: counts\n"
		  "- { table: s.p, on_conflict: target_wins, target: b }\n"
		  "- { table: s.q, on_conflict: { latest_wins: commit time }, target: "
		  "a }\n"
		  "- { table: s.r, route: 'x', target: [a, b] }\n",
		  "every key of a rule");
	rule = config.rules;
	is_str(rule->name, "first", "name");
	is_str(rule->source.text, "source", "the source without a name");
	is_str(rule->targets.items[1].text, "a", "the second target");
	is_str(rule->columns[0].expr.text, "1", "a short expression");
	is_str(rule->columns[1].expr.text, "null", "null is SQL");
	is_str(rule->columns[2].expr.text, "a", "a long one without type");
	ok(rule->columns[2].type.text == NULL, "has none");
	is_int(rule->only.count, 1, "only");
	is_str(rule->key.items[1].text, "x", "key");
	is_int(rule->operations, RULE_INSERT | RULE_DELETE, "operations");
	is_int(rule->operations_place.line, 16, "their place");
	is_int(rule->on_conflict, CONFLICT_LATEST, "conflict");
	is_str(rule->latest.text, "changed_at", "by what");
	ok(rule->on_error == RULE_QUARANTINE && rule->ledger == RULE_LEDGER_KEYS,
	   "the defaults of all rules");
	rule++;
	is_str(rule->match.items[0].text, "customer", "match");
	is_int(rule->operations, RULE_UPDATE, "its operation");
	ok(rule->on_error == RULE_STOP && rule->ledger == RULE_LEDGER_COUNTS,
	   "which are not those of this one");
	is_int(rule[1].on_conflict, CONFLICT_TARGET, "target_wins");
	is_str(rule[2].latest.text, "commit time", "commit time");
	is_int(rule[3].targets.count, 2, "route of some targets");
	is_str(config.targets[1].on_loss.text, "warn", "on_loss of a target");
	is_str(config.targets[1].schemas.text, "databases", "schemas of a target");
	is_str(config.sources[0].name.text, "source", "the source's name");
	ok(config.on_error == RULE_QUARANTINE && config.ledger == RULE_LEDGER_KEYS,
	   "defaults are kept");
}

static void
test_references(void)
{
	const ConfigReference *reference;

	reads("sources: { s: { url: 'postgresql://h/d' } }\n"
		  "references:\n"
		  "  zip: { url: 'postgresql://h/ref', query: SELECT 1, key: [zip],\n"
		  "         refresh: 1h, required: true }\n"
		  "  fx: { file: rates.csv, key: [currency], required: false }\n"
		  "  customers: { table: public.customers, only: [id, name], key: "
		  "[id], source: s }\n"
		  "rules: [ { table: a.b } ]\n",
		  "three references");
	reference = config_reference(&config, "zip");
	ok(reference != NULL && reference->kind == REFERENCE_QUERY, "a query");
	is_str(reference->query.text, "SELECT 1", "its text");
	is_str(reference->url.text, "postgresql://h/ref", "where it goes");
	is_int(reference->refresh_ms, 3600000, "how often");
	ok(reference->required, "required");
	reference++;
	is_int(reference->kind, REFERENCE_FILE, "a file");
	is_str(reference->file.text, "rates.csv", "which");
	ok(!reference->required && reference->refresh_ms == 0, "read once");
	reference++;
	is_int(reference->kind, REFERENCE_TABLE, "a table");
	is_str(reference->table.text, "public.customers", "which");
	is_str(reference->source.text, "s", "of a source");
	ok(reference->only.count == 2 && reference->key.count == 1, "its columns");
	ok(config_reference(&config, "z") == NULL, "and no other");
}

static void
test_options(void)
{
	reads("source: postgresql://h/d\ntarget: postgresql://h/e\njobs: 8\n"
		  "retry_for: 2h\nquiet: true\non_loss: \"warn,*.*.x=text\"\n"
		  "after: first\n",
		  "options");
	is_int(config.option_count, 4, "are four");
	is_str(config.options[0].option, "jobs", "a number");
	is_str(config.options[0].value, "8", "as text");
	is_int(config.options[0].place.line, 3, "with its line");
	is_str(config.options[1].option, "retry-for", "a dash for a line");
	is_str(config.options[1].value, "2h", "a duration");
	is_str(config.options[2].option, "quiet", "a flag");
	ok(config.options[2].value == NULL, "has no value");
	is_str(config.options[3].value, "warn,*.*.x=text", "quoted text");
	is_str(config.after.text, "first", "after");
	ok(!config.has_rules && config.on_error == RULE_STOP, "no rules");
	reads("quiet: false\n", "a flag that is false");
	is_int(config.option_count, 0, "is not there");
}

static void
test_environment(void)
{
	setenv("PORTAGE_A", "secret", 1);
	setenv("PORTAGE_URL", "postgresql://u:p%40w@h/d", 1);
	unsetenv("PORTAGE_NONE");
	reads("source: ${PORTAGE_URL}\n"
		  "targets: { t: { url: 'postgresql://u:${PORTAGE_A}@h/d' } }\n"
		  "jobs: ${PORTAGE_A}\n"
		  "rules: [ { table: a.b, where: \"x = '${PORTAGE_A}' AND y = "
		  "'$${PORTAGE_A}' AND z = '$1$' -- $${\" } ]\n"
		  "# ${PORTAGE_NONE} of a comment\n",
		  "variables");
	is_str(config.sources[0].url.text, "postgresql://u:p%40w@h/d",
		   "a whole value");
	is_str(config.targets[0].url.text, "postgresql://u:secret@h/d",
		   "a part of one");
	is_str(config.rules[0].where.text,
		   "x = 'secret' AND y = '${PORTAGE_A}' AND z = '$1$' -- ${",
		   "$${ is ${ itself");
	has(config.rules[0].where.shown, "x = '${PORTAGE_A}'",
		"people are shown what is written");
	ok(config.options[0].secret &&
		   strcmp(config.options[0].value, "secret") == 0,
	   "an option's value is known to be secret");
}

static void
test_yaml(void)
{
	reads("rules:\n"
		  "- table: a.b\n"
		  "  omit: &hidden [x, y]\n"
		  "  where: >\n"
		  "    a = 1\n"
		  "    AND b = 2\n"
		  "- table: a.c\n"
		  "  omit: *hidden\n",
		  "an alias");
	is_str(config.rules[1].omit.items[1].text, "y", "stands for its anchor");
	is_int(config.rules[1].omit.place.line, 3, "and its place");
	is_str(config.rules[0].where.text, "a = 1 AND b = 2\n", "a folded text");
	reads("\xEF\xBB\xBF---\nname: x\n...\n", "marks of a document");
	reads("name: x\r\njobs: 3\r\n", "lines of DOS");
	is_str(config.options[0].value, "3", "without their ends");
	reads("rules:\n- table: a.b\n  columns: { \"gr\xC3\xB6\xC3\x9F"
		  "e\": y, "
		  "\"Full Name\": \"'\xE2\x82\xAC'\" }\n",
		  "columns of any name");
	is_str(config.rules[0].columns[1].expr.text, "'\xE2\x82\xAC'", "and text");
}

static void
into(const char *text, const char *want, const char *what)
{
	ConfigRule rule = { .into = { .text = text } };
	const char *schema;
	const char *table;
	char got[256];

	config_into(&rule, "My S", "t\"1", &arena, &schema, &table);
	snprintf(got, sizeof(got), "%s|%s", schema, table);
	is_str(got, want, what);
}

static void
test_into(void)
{
	into(NULL, "My S|t\"1", "without into the names stay");
	into("a.b", "a|b", "two names");
	into("Archive.B1", "archive|b1", "are folded");
	into("\"A.x\".\"B\"\"c\"", "A.x|B\"c", "unless they are quoted");
	into("{schema}.{table}", "My S|t\"1", "the source's are not folded");
	into("x.{schema}_{table}_Z", "x|My S_t\"1_z", "parts of a name");
	into("\"X {schema}\".\"{table}\"", "X My S|t\"1", "within quotes");
	into("\xC3\x84.b", "\xC3\x84|b", "bytes above 127 stay");
}

static void
test_files(void)
{
	char path[] = "/tmp/test_config_XXXXXX";
	int fd = mkstemp(path);

	ok(fd >= 0 && write(fd, "jobs: 5\n", 8) == 8, "a file");
	ok(config_read(path, OPTIONS, &arena, &config, &err), "is read");
	is_str(config.folder, "/tmp", "its folder");
	is_str(config.options[0].value, "5", "its value");
	close(fd);
	unlink(path);
	ok(!config_read(path, OPTIONS, &arena, &config, &err) &&
		   err.code == P_CONFIG,
	   "one that is gone: %s", err.message);
	has(err.message, "cannot be read: No such file", "says so");
	ok(!config_read("/tmp", OPTIONS, &arena, &config, &err), "a folder: %s",
	   err.message);
	ok(config_parse("jobs: 1", 7, "x.yaml", OPTIONS, &arena, &config, &err),
	   "a path without a folder");
	is_str(config.folder, ".", "is here");
	ok(config_parse("jobs: 1", 7, "/x.yaml", OPTIONS, &arena, &config, &err),
	   "one in the root");
	is_str(config.folder, "/", "is there");
}

int
main(void)
{
	arena_init(&arena);
	test_shop();
	test_rule();
	test_references();
	test_options();
	test_environment();
	test_yaml();
	test_into();
	test_files();
	arena_release(&arena);
	return done_testing();
}
