/*
 * test_config_errors.c
 *		Configurations that are wrong: each refusal with its place, its words and
 *		what may have been meant.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "config/config_node.h"
#include "tap.h"

static const ConfigOptionName option_names[] = {
	{ "jobs", false },
	{ "retry-for", false },
	{ "quiet", true },
};

/* What is wrong with a text: where, and parts of message and hint. */
typedef struct Wrong
{
	const char *text;
	const char *place; /* "LINE:COLUMN" */
	const char *message;
	const char *hint; /* or NULL */
} Wrong;

static Arena arena;
static Config config;
static Error err;

static bool
parse_bytes(const char *text, size_t len)
{
	/* a copy of that length, so that ASan sees what is read behind it */
	char *copy = malloc(len > 0 ? len : 1);
	bool ok;

	memcpy(copy, text, len);
	error_clear(&err);
	arena_reset(&arena);
	ok = config_parse(copy, len, "x.yaml", option_names, 3, &arena, &config,
					  &err);
	free(copy);
	return ok;
}

static bool
refused(const char *what, bool parsed)
{
	return ok(!parsed && err.code == P_CONFIG, "%s: %s", what, err.message);
}

static void
check(const Wrong *wrong, int count)
{
	for (int i = 0; i < count; i++)
	{
		char start[64];

		refused("refused", parse_bytes(wrong[i].text, strlen(wrong[i].text)));
		snprintf(start, sizeof(start), "x.yaml:%s: ", wrong[i].place);
		ok(strncmp(err.message, start, strlen(start)) == 0, "at %s",
		   wrong[i].place);
		has(err.message, wrong[i].message, "its words");
		if (wrong[i].hint != NULL)
			has(err.hint, wrong[i].hint, "what to do");
	}
}

#define CHECK(wrong) check(wrong, (int) (sizeof(wrong) / sizeof((wrong)[0])))

static void
test_yaml(void)
{
	static const Wrong wrong[] = {
		{ "", "1:1", "says nothing", NULL },
		{ "# nothing\n", "1:1", "says nothing", NULL },
		{ "---\n", "1:1", "says nothing", NULL },
		{ "~\n", "1:1", "says nothing", NULL },
		{ "- a\n", "1:1", "is a list, and has to be a map", NULL },
		{ "\nsource\n", "2:1", "is text, and has to be a map", NULL },
		{ "name: a\n---\nname: b\n", "2:1", "a second document", NULL },
		{ "rules:\n\t- table: a.b\n", "2:1", "not YAML", "blanks" },
		{ "rules:\n- table: *.*\n", "2:11", "not YAML", "\"*.*\"" },
		{ "rules:\n- table: a.b\n  where: x: y\n", "3:11", "not YAML",
		  "in quotes" },
		{ "rules:\n- table: a.b\n  where: 'x' = y\n", "3:14", "not YAML",
		  "begins with a quote" },
		{ "rules:\n- table: a.b\n   where: y\n", "3:9", "not YAML",
		  "indented like its neighbours" },
		{ "rules:\n- table: a.b\n  omit: [a\n", "4:1", "not YAML",
		  "within [ ] and { }" },
		{ "rules:\n- table: a.b\n  where: @x\n", "3:10", "not YAML",
		  "begins with @" },
		{ "name: a\n  b: c\n", "2:4", "not YAML", NULL },
		{ "name: \"a\n", "2:1", "not YAML", NULL },
		{ "n\xC3\xA4me: \xC3\xA4\nx: \xFF\n", "2:4", "not YAML", NULL },
		{ "name: \x01\n", "1:7", "not YAML", NULL },
		{ "name: a\nname: b\n", "2:1",
		  "\"name\" is there twice, first in line 1", NULL },
		{ "rules:\n- { table: a.b, table: a.c }\n", "2:17", "twice", NULL },
		{ "name: !!str a\n", "1:7", "tags of YAML", "begins with !" },
		{ "rules: !list [a]\n", "1:8", "tags of YAML", NULL },
		{ "!x name: a\n", "1:1", "tags of YAML", NULL },
		{ "[a]: b\n", "1:1", "a key has to be text", NULL },
		{ "? *x\n: b\n", "1:3", "a key has to be text", NULL },
		{ "&x name: a\n", "1:1", "an anchor belongs to a value", NULL },
		{ "name: *x\n", "1:7", "no anchor &x", "in quotes" },
		{ "rules: &x [*x]\n", "1:12", "no anchor &x", NULL },
		{ "rules:\n- &x { table: a.b }\n- { <<: *x }\n", "3:5", "merge keys",
		  NULL },
		{ "name: \"a\\0b\"\n", "1:7", "\\0", NULL },
		{ "\"a\\0b\": c\n", "1:1", "\\0", NULL },
		{ "name: [[[[[[[[[[[[[a]]]]]]]]]]]]]\n", "1:18", "12 levels", NULL },
	};

	CHECK(wrong);
}

static void
test_keys(void)
{
	static const Wrong wrong[] = {
		{ "nane: a\n", "1:1", "no key \"nane\" in the configuration",
		  "did you mean name?" },
		{ "jops: 3\n", "1:1", "no key \"jops\"", "did you mean jobs?" },
		{ "retry-for: 3s\n", "1:1", "no key \"retry-for\"",
		  "did you mean retry_for?" },
		{ "where: a\n", "1:1", "no key", "one of a rule" },
		{ "xyzzy: a\n", "1:1", "no key", NULL },
		{ "sources: { a: { ulr: x } }\n", "1:17", "in a source", "mean url?" },
		{ "targets: { a: { onloss: x } }\n", "1:17", "in a target",
		  "mean on_loss?" },
		{ "references: { a: { keys: x } }\n", "1:20", "in a reference",
		  "mean key?" },
		{ "rules: [ { tabel: x } ]\n", "1:12", "in a rule", "mean table?" },
		{ "rules: [ { table: a.b, jobs: 3 } ]\n", "1:24", "in a rule",
		  "one of the configuration" },
		{ "rules: [ { table: a.b, columns: { x: { exp: 1 } } } ]\n", "1:40",
		  "in a column", "mean expr?" },
		{ "rules: [ { table: a.b, on_conflict: { latest: x } } ]\n", "1:39",
		  "in on_conflict", "there is latest_wins" },
	};

	CHECK(wrong);
}

static void
test_values(void)
{
	static const Wrong wrong[] = {
		{ "name:\n", "1:6", "name has no value", NULL },
		{ "name: ~\n", "1:7", "name has no value", NULL },
		{ "name: null\n", "1:7", "name has no value", NULL },
		{ "name: ''\n", "1:7", "name is empty", NULL },
		{ "name: [a]\n", "1:7", "name has to be text, not a list",
		  "begins with [" },
		{ "name: { a: b }\n", "1:7", "name has to be text, not a map",
		  "begins with {" },
		{ "name: Shop\n", "1:7", "name is 1 to 40 of a-z, 0-9 and _", NULL },
		{ "after: a234567890123456789012345678901234567890x\n", "1:8",
		  "after is 1 to 40", NULL },
		{ "quiet: yes\n", "1:8", "quiet is true or false, not \"yes\"", NULL },
		{ "quiet: [true]\n", "1:8", "has to be true or false", NULL },
		{ "quiet: treu\n", "1:8", "not \"treu\"", "mean true?" },
		{ "jobs: [3]\n", "1:7", "jobs has to be text", "in one text" },
		{ "on_error: ignore\n", "1:11", "on_error is stop or quarantine",
		  NULL },
		{ "ledger: key\n", "1:9", "ledger is counts or keys", "mean keys?" },
		{ "source: { url: x }\n", "1:9", "source has to be text", NULL },
		{ "sources: x\n", "1:10", "sources has to be a map of names, not text",
		  NULL },
		{ "sources: {}\n", "1:10", "sources is empty", NULL },
		{ "sources: { a: 'postgresql://u:geheim@h/d' }\n", "1:15",
		  "a has to be a map", "write a: { url: ... }" },
		{ "sources: { a: }\n", "1:15", "a has to be a map, not nothing", NULL },
		{ "targets: { EU: { url: x } }\n", "1:12",
		  "\"EU\" cannot name a target", NULL },
		{ "targets: { '': { url: x } }\n", "1:12", "\"\" cannot name", NULL },
		{ "targets: { a2345678901234567890123456789012345678901: { url: x } }"
		  "\n",
		  "1:12", "40 characters at most", NULL },
		{ "references: [a]\n", "1:13", "has to be a map of names", NULL },
	};

	CHECK(wrong);
}

static void
test_sides(void)
{
	static const Wrong wrong[] = {
		{ "source: a\nsources: { b: { url: c } }\n", "2:1",
		  "sources and source exclude each other", NULL },
		{ "sources: { b: { url: c } }\nsource: a\n", "2:1",
		  "source and sources exclude each other", NULL },
		{ "target: a\ntargets: { b: { url: c } }\n", "2:1",
		  "targets and target exclude", NULL },
		{ "targets: { b: { url: c } }\ntarget: a\n", "2:1",
		  "target and targets exclude", NULL },
		{ "sources: { b: {} }\n", "1:12", "the source b has no url", NULL },
		{ "targets: { b: { on_loss: warn } }\n", "1:12",
		  "the target b has no url", NULL },
		{ "sources:\n  a: { url: x }\n  b: { url: x }\n", "3:13",
		  "a and b have the same url", NULL },
		{ "targets:\n  a: { url: x }\n  b: { url: x }\n", "3:13",
		  "a and b have the same url", NULL },
		{ "targets:\n  a: { url: x }\n  b: { url: y }\n", "3:3",
		  "rules have to say", "table: \"*.*\"" },
		{ "name: a\nafter: a\n", "2:8", "cannot wait for itself", NULL },
		{ "on_error: quarantine\n", "1:1",
		  "on_error is for rules, and there are none", "- table: \"*.*\"" },
		{ "name: a\nledger: keys\n", "2:1", "ledger is for rules", NULL },
		{ "references: { a: { key: [x], file: f } }\n", "1:1",
		  "references is for rules", NULL },
	};

	CHECK(wrong);
}

static void
test_references(void)
{
	static const Wrong wrong[] = {
		{ "references: { a: { key: [x] } }\n", "1:15",
		  "one of query, file and table, not none", NULL },
		{ "references: { a: { key: [x], file: f, table: t } }\n", "1:15",
		  "not several", NULL },
		{ "references: { a: { file: f } }\n", "1:15", "has no key",
		  "looked up by" },
		{ "references: { a: { key: x, file: f } }\n", "1:25",
		  "key has to be a list, not text", "write key: [x]" },
		{ "references: { a: { key: [], file: f } }\n", "1:25",
		  "key is an empty list", NULL },
		{ "references: { a: { key: [x, x], file: f } }\n", "1:29",
		  "key has \"x\" twice", NULL },
		{ "references: { a: { key: [x], query: q } }\n", "1:15",
		  "and no url to ask", NULL },
		{ "references: { a: { key: [x], file: f, url: u } }\n", "1:44",
		  "is a file, for which there is no url", NULL },
		{ "references: { a: { key: [x], file: f, source: u } }\n", "1:47",
		  "for which there is no source", NULL },
		{ "references: { a: { key: [x], url: u, query: q, only: [u] } }\n",
		  "1:54", "is a query, for which there is no only", NULL },
		{ "references: { a: { key: [x], table: s.t, refresh: 1h } }\n", "1:15",
		  "is a table, for which there is no refresh", "by the stream" },
		{ "references: { a: { key: [x], table: s.t, only: [y] } }\n", "1:26",
		  "column x is not among those of only", NULL },
		{ "references: { a: { key: [x], table: s.*, only: [x] } }\n", "1:37",
		  "without wildcards", NULL },
		{ "references: { a: { key: [x], table: t } }\n", "1:37",
		  "has no schema", "public.t" },
		{ "references: { a: { key: [x], table: s.t, source: q } }\n", "1:50",
		  "there is no source \"q\"", "has no sources" },
		{ "references: { a: { key: [x], file: f, refresh: 5 } }\n", "1:48",
		  "refresh takes a duration", NULL },
		{ "references: { a: { key: [x], file: f, refresh: 5ms } }\n", "1:48",
		  "0 or at least 1s", NULL },
		{ "references: { a: { key: [x], file: f, required: 1 } }\n", "1:49",
		  "required is true or false", NULL },
		{ "references: { old: { key: [x], file: f } }\n", "1:15",
		  "a meaning of its own", NULL },
		{ "references: { sqlite_x: { key: [x], file: f } }\n", "1:15",
		  "a meaning of its own", NULL },
		{ "references: { json_x: { key: [x], file: f } }\n", "1:15",
		  "a meaning of its own", NULL },
	};

	CHECK(wrong);
}

#define TWO "targets: { eu: { url: x }, us: { url: y } }\n"

static void
test_rules(void)
{
	static const Wrong wrong[] = {
		{ "rules:\n", "1:7", "rules has to be a list, not nothing", NULL },
		{ "rules: []\n", "1:8", "rules is an empty list", "leave it out" },
		{ "rules:\n  table: a.b\n", "2:3", "a list, not a map", "\"- \"" },
		{ "rules: [a.b]\n", "1:9", "a rule has to be a map of keys", NULL },
		{ "rules: [ {} ]\n", "1:10", "this rule has no table", "table:" },
		{ "rules: [ { table: b } ]\n", "1:19", "has no schema", "public.b" },
		{ "rules: [ { table: 'a.b,c.d' } ]\n", "1:19", "more than one", NULL },
		{ "rules: [ { table: a.b.c } ]\n", "1:19", "more than two parts",
		  NULL },
		{ "rules: [ { table: 'a b' } ]\n", "1:19", "must be quoted", NULL },
		{ "rules: [ { table: a.b, source: x } ]\n", "1:32",
		  "there is no source \"x\"", NULL },
		{ TWO "rules: [ { table: a.b, target: su } ]\n", "2:32",
		  "there is no target \"su\"", "there are eu, us" },
		{ TWO "rules: [ { table: a.b, target: [eu, uss] } ]\n", "2:37",
		  "there is no target \"uss\"", "there are eu, us" },
		{ TWO "rules: [ { table: a.b, target: [eu, eu] } ]\n", "2:37", "twice",
		  NULL },
		{ TWO "rules: [ { table: a.b, target: { a: b } } ]\n", "2:32",
		  "a name or a list of names", NULL },
		{ TWO "rules: [ { table: a.b, target: [] } ]\n", "2:32", "empty list",
		  NULL },
		{ TWO "rules: [ { table: a.b } ]\n", "2:10",
		  "neither target nor route, and there are 2", "target: NAME" },
		{ TWO "rules: [ { table: a.b, route: x, target: eu } ]\n", "2:31",
		  "nothing to choose from", "leave target out" },
		{ "rules: [ { table: a.b, where: '' } ]\n", "1:31", "where is empty",
		  NULL },
		{ "rules: [ { table: a.b, where: '  ' } ]\n", "1:31", "where is empty",
		  NULL },
		{ "rules: [ { table: a.b, where: [x] } ]\n", "1:31", "has to be text",
		  NULL },
		{ "rules: [ { table: a.b, into: c } ]\n", "1:30",
		  "the schema is missing", "SCHEMA.TABLE" },
		{ "rules: [ { table: a.b, into: c. } ]\n", "1:30", "a name is missing",
		  NULL },
		{ "rules: [ { table: a.b, into: .c } ]\n", "1:30", "a name is missing",
		  NULL },
		{ "rules: [ { table: a.b, into: c.d.e } ]\n", "1:30", "more than two",
		  NULL },
		{ "rules: [ { table: a.b, into: 'c.*' } ]\n", "1:30", "no wildcards",
		  NULL },
		{ "rules: [ { table: a.b, into: 'c d.e' } ]\n", "1:30",
		  "in double quotes", NULL },
		{ "rules: [ { table: a.b, into: 'c.{tabel}' } ]\n", "1:30",
		  "braces hold schema or table", NULL },
		{ "rules: [ { table: a.b, into: 'c.\"x' } ]\n", "1:30", "has no end",
		  NULL },
		{ "rules: [ { table: a.b, into: 'c.\"x\"y' } ]\n", "1:30",
		  "in double quotes", NULL },
		{ "rules: [ { table: a.b, into: '\"\".x' } ]\n", "1:30",
		  "into: ", NULL },
		{ "rules: [ { table: a.b, only: [x], omit: [y] } ]\n", "1:41",
		  "only and omit exclude each other", NULL },
		{ "rules: [ { table: a.b, only: [] } ]\n", "1:30", "empty list", NULL },
		{ "rules: [ { table: a.b, omit: [[x]] } ]\n", "1:31",
		  "omit has to be text, not a list", NULL },
		{ "rules: [ { table: a.b, omit: [''] } ]\n", "1:31", "omit is empty",
		  NULL },
		{ "rules: [ { table: a.b, only: "
		  "[a234567890123456789012345678901234567890123456789012345678901234]"
		  " } ]\n",
		  "1:31", "63 bytes at most", NULL },
		{ "rules: [ { table: a.b, columns: [x] } ]\n", "1:33",
		  "a map of columns to expressions", NULL },
		{ "rules: [ { table: a.b, columns: {} } ]\n", "1:33",
		  "columns is empty", NULL },
		{ "rules: [ { table: a.b, columns: { x: [y] } } ]\n", "1:38",
		  "an expression, or a map of expr and type", NULL },
		{ "rules: [ { table: a.b, columns: { x: { type: int } } } ]\n", "1:38",
		  "the column x has no expr", NULL },
		{ "rules: [ { table: a.b, columns: { '': y } } ]\n", "1:35",
		  "name of a column is empty", NULL },
		{ "rules: [ { table: a.b, columns: { x: } } ]\n", "1:38",
		  "x has no value", NULL },
		{ "rules: [ { table: a.b, operations: update } ]\n", "1:36",
		  "operations has to be a list", "write operations: [update]" },
		{ "rules: [ { table: a.b, operations: all } ]\n", "1:36",
		  "operations has to be a list", "leave it out" },
		{ "rules: [ { table: a.b, operations: [updat] } ]\n", "1:37",
		  "operations is insert, update, delete or truncate",
		  "did you mean update?" },
		{ "rules: [ { table: a.b, operations: [update, update] } ]\n", "1:45",
		  "twice", NULL },
		{ "rules: [ { table: a.b, on_conflict: source } ]\n", "1:37",
		  "on_conflict is error, source_wins, target_wins or latest_wins",
		  NULL },
		{ "rules: [ { table: a.b, on_conflict: latest_wins } ]\n", "1:37",
		  "what is later", "{ latest_wins: COLUMN }" },
		{ "rules: [ { table: a.b, on_conflict: [error] } ]\n", "1:37",
		  "a word, or a map", NULL },
		{ "rules: [ { table: a.b, on_conflict: {} } ]\n", "1:37",
		  "on_conflict is an empty map", NULL },
		{ "rules: [ { table: a.b, match: [x] } ]\n", "1:31",
		  "only changes rows that are there", "operations: [update]" },
		{ "rules: [ { table: a.b, match: [x], operations: [update, insert] } ]"
		  "\n",
		  "1:48", "only changes rows", NULL },
		{ "rules: [ { table: a.b, match: [x], operations: [update], key: [y] "
		  "} ]\n",
		  "1:63", "key and match exclude", NULL },
		{ "rules: [ { table: a.b, match: [x], operations: [update], "
		  "on_conflict: error } ]\n",
		  "1:71", "on_conflict and match exclude", NULL },
		{ "rules:\n- { table: a.b, name: x }\n- { table: a.c, name: x }\n",
		  "3:3", "the rule in line 2 is called x, too", NULL },
		{ "rules: [ { table: a.b, name: 'rule 1' } ]\n", "1:30",
		  "name is 1 to 40", NULL },
		{ "rules: [ { table: a.b, on_error: skip } ]\n", "1:34",
		  "on_error is stop or quarantine", NULL },
		{ "rules: [ { table: a.b, ledger: all } ]\n", "1:32",
		  "ledger is counts or keys", NULL },
	};

	CHECK(wrong);
}

static void
test_environment(void)
{
	static const Wrong wrong[] = {
		{ "source: ${PORTAGE_NONE}\n", "1:9",
		  "the environment variable PORTAGE_NONE is not set", "$${" },
		{ "source: 'a${}'\n", "1:9", "without the name", "$${" },
		{ "source: 'a${1}'\n", "1:9", "without the name", NULL },
		{ "source: 'a${X'\n", "1:9", "without the name", NULL },
		{ "source: 'a${X Y}'\n", "1:9", "without the name", NULL },
		{ "name: ${PORTAGE_SECRET}\n", "1:7", "not \"${PORTAGE_SECRET}\"",
		  NULL },
		{ "quiet: ${PORTAGE_SECRET}\n", "1:8", "not \"${PORTAGE_SECRET}\"",
		  NULL },
		{ "source: 'postgresql://u:${PORTAGE_SECRET}@h/d'\n", "1:9",
		  "a character that ends it", "%40" },
		{ "rules: [ { table: '${PORTAGE_SECRET}' } ]\n", "1:19",
		  "\"${PORTAGE_SECRET}\"", NULL },
		{ "rules: [ { table: a.b, target: '${PORTAGE_SECRET}' } ]\n", "1:32",
		  "no target \"${PORTAGE_SECRET}\"", NULL },
		{ "rules: [ { table: a.b, into: '${PORTAGE_SECRET}' } ]\n", "1:30",
		  "\"${PORTAGE_SECRET}\"", NULL },
		{ "rules: [ { table: a.b, only: ['${PORTAGE_SECRET}', "
		  "'${PORTAGE_SECRET}'] } ]\n",
		  "1:52", "\"${PORTAGE_SECRET}\" twice", NULL },
		{ "rules: [ { table: a.b, only: '${PORTAGE_SECRET}' } ]\n", "1:30",
		  "has to be a list", "[${PORTAGE_SECRET}]" },
		{ "references: { a: { key: [x], file: f, refresh: '${PORTAGE_SECRET}' "
		  "} }\n",
		  "1:48", "not \"${PORTAGE_SECRET}\"", NULL },
		{ "references: { a: { key: ['${PORTAGE_SECRET}'], table: a.b, only: "
		  "[x] } }\n",
		  "1:26", "column ${PORTAGE_SECRET} is not", NULL },
		{ "name: ${PORTAGE_EMPTY}\n", "1:7", "name is empty", NULL },
	};

	setenv("PORTAGE_SECRET", "ge@heim x", 1);
	setenv("PORTAGE_EMPTY", "", 1);
	unsetenv("PORTAGE_NONE");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		check(&wrong[i], 1);
		ok(strstr(err.message, "heim") == NULL &&
			   strstr(err.hint, "heim") == NULL &&
			   strstr(err.detail, "heim") == NULL,
		   "the value is not told");
	}
}

/* ---------------------------------------------------------------- bounds */

/* A line after the other, many times. */
static void
repeat(Buffer *text, const char *head, const char *format, int count)
{
	buffer_reset(text);
	buffer_puts(text, head);
	for (int i = 0; i < count; i++)
		buffer_printf(text, format, i);
}

static void
test_bounds(void)
{
	Buffer text;
	char *large = malloc(CONFIG_BYTES_MAX);

	buffer_init(&text);
	repeat(&text, "", "# %070d\n", 20000);
	refused("a file of 1.4 MB", parse_bytes(text.data, text.len));
	has(err.message, "x.yaml: the configuration is larger", "its words");

	repeat(&text, "a:\n", " - %d\n", 100001);
	refused("100,001 values", parse_bytes(text.data, text.len));
	has(err.message, "more than 100000 values", "its words");

	/* a thousand times a thousand */
	repeat(&text, "x: &a [", "%d, ", 1000);
	buffer_puts(&text, "0]\ny: &b [");
	for (int i = 0; i < 1000; i++)
		buffer_puts(&text, "*a, ");
	buffer_puts(&text, "*a]\n");
	refused("aliases of much", parse_bytes(text.data, text.len));
	has(err.message, "those that aliases repeat", "its words");

	repeat(&text, "a: [", "&a%d x, ", 1001);
	buffer_puts(&text, "x]");
	refused("1001 anchors", parse_bytes(text.data, text.len));
	has(err.message, "1000 anchors", "its words");

	repeat(&text, "", "k%d: x\n", 2001);
	refused("2001 keys", parse_bytes(text.data, text.len));
	has(err.message, "more than 2000 keys", "its words");

	repeat(&text, "rules: [ { table: a.b, only: [", "c%d, ", 2001);
	buffer_puts(&text, "x] } ]");
	refused("2002 columns", parse_bytes(text.data, text.len));
	has(err.message, "more than 2000 items", "its words");

	repeat(&text, "rules:\n", "- { table: a.b%d }\n", 10001);
	refused("10,001 rules", parse_bytes(text.data, text.len));
	has(err.message, "more than 10000 rules", "its words");
	repeat(&text, "rules:\n", "- { table: a.b%d }\n", 10000);
	ok(parse_bytes(text.data, text.len) && config.rule_count == 10000,
	   "10,000 rules are well: %s", err.message);

	memset(large, 'x', CONFIG_BYTES_MAX);
	large[100000] = '\0';
	setenv("PORTAGE_LARGE", large, 1);
	repeat(&text, "x: [", "'${PORTAGE_LARGE}', ", 11);
	buffer_puts(&text, "y]");
	refused("variables of 1.1 MB", parse_bytes(text.data, text.len));
	has(err.message, "with the value of ${PORTAGE_LARGE}", "its words");
	unsetenv("PORTAGE_LARGE");
	free(large);
	buffer_release(&text);
}

int
main(void)
{
	arena_init(&arena);
	test_yaml();
	test_keys();
	test_values();
	test_sides();
	test_references();
	test_rules();
	test_environment();
	test_bounds();
	arena_release(&arena);
	return done_testing();
}
