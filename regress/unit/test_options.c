/*
 * test_options.c
 *		The command line: every option, what is refused, and with which words.
 */
#include <stdlib.h>

#include "base/suggest.h"
#include "base/units.h"
#include "command/options.h"
#include "postgres/pg_url.h"
#include "tap.h"

#define SOURCE "postgresql://u@old/Shop-1"
#define TARGET "postgresql://u@new/shop"
#define BOTH "--source", SOURCE, "--target", TARGET

#define WORDS_MAX 20

static Arena arena;
static Options options;
static Error err;
static char buffers[WORDS_MAX][4096];

/* Parse words up to NULL; the copies in buffers are argv. */
static bool
parse(const char *first, ...)
{
	char *argv[WORDS_MAX + 1];
	const char *word = first;
	int argc = 0;
	va_list args;

	snprintf(buffers[0], sizeof(buffers[0]), "pg_portage");
	argv[argc] = buffers[argc];
	argc++;
	va_start(args, first);
	for (; word != NULL; word = va_arg(args, const char *))
	{
		snprintf(buffers[argc], sizeof(buffers[argc]), "%s", word);
		argv[argc] = buffers[argc];
		argc++;
	}
	va_end(args);
	argv[argc] = NULL;
	error_clear(&err);
	arena_reset(&arena);
	return options_parse(&options, &arena, argc, argv, &err);
}

#define refuses(want, what, ...)                                             \
	ok(!parse(__VA_ARGS__, NULL) && err.code == (want), "%s is refused: %s", \
	   what, err.message)
#define accepts(what, ...)                                   \
	ok(parse(__VA_ARGS__, NULL), "%s is accepted%s%s", what, \
	   error_is_set(&err) ? ": " : "", err.message)

static void
test_defaults(void)
{
	accepts("a command with both URLs", "run", BOTH);
	is_int(options.command, COMMAND_RUN, "the command");
	is_str(options.source, SOURCE, "the source");
	is_str(options.target, TARGET, "the target");
	is_str(options.name, "shop_1", "the name by the source's database");
	is_str(options.tables, "", "all tables");
	is_str(options.exclude_tables, "", "but none");
	is_int(options.retry_for_ms, 600000, "retry for ten minutes");
	is_int(options.jobs, 4, "four jobs");
	ok(options.split_over == 256 << 20, "pieces of 256 MB");
	is_int(options.until_lsn, LSN_NONE, "no end");
	ok(!options.until_caught_up && !options.no_wait && !options.takeover &&
		   !options.target_synchronous_commit && !options.quiet,
	   "nothing else is on");
}

static void
test_all_of_run(void)
{
	accepts("everything at once", "--tables", "a*,s.b", "run", BOTH,
			"--exclude-tables=\"X\".c", "--until", "1A/2B", "--jobs=7",
			"--retry-for", "2h", "--no-wait", "--takeover", "-q",
			"--target-synchronous-commit", "on", "--pg-bindir=/x");
	is_str(options.tables, "a*,s.b", "tables");
	is_str(options.exclude_tables, "\"X\".c", "excluded tables");
	is_int(options.until_lsn, 0x1A0000002B, "until");
	is_int(options.jobs, 7, "jobs");
	is_int(options.retry_for_ms, 7200000, "retry-for");
	is_str(options.pg_bindir, "/x", "pg-bindir");
	ok(options.no_wait && options.takeover && options.quiet &&
		   options.target_synchronous_commit,
	   "flags");
	accepts("caught-up", "run", BOTH, "--until", "caught-up");
	ok(options.until_caught_up, "until caught up");
	accepts("a copy and no more", "run", BOTH, "--copy-only");
	ok(options.copy_only, "copy only");
	accepts("synchronous commit off", "run", BOTH,
			"--target-synchronous-commit", "off");
	ok(!options.target_synchronous_commit, "off");
}

static void
test_commands(void)
{
	accepts("check", "check", BOTH, "--json", "--strict");
	ok(options.json && options.strict, "its flags");
	accepts("status with one side", "status", "--target", TARGET, "--name", "x",
			"--json");
	accepts("drop with one side", "drop", "--source", SOURCE, "-y");
	ok(options.yes, "yes");
	accepts("plan", "plan", BOTH, "--json", "--jobs=2", "--copy-only",
			"--tables=a", "--exclude-tables=b", "--pg-bindir=/x");
	ok(options.json && options.copy_only && options.jobs == 2, "its options");
	accepts("finish", "finish", BOTH);
	refuses(P_USAGE, "no command", BOTH);
	accepts("quarantine list", "quarantine", "list", BOTH);
	is_str(options.action, "list", "what is to be done");
	refuses(P_USAGE, "quarantine alone", "quarantine", BOTH);
	has(err.hint, "list, retry, drop", "what it could do");
	refuses(P_USAGE, "quarantine of something else", "quarantine", "empty",
			BOTH);
	refuses(P_USAGE, "a word behind that", "quarantine", "list", "all", BOTH);
	refuses(P_USAGE, "an unknown command", "rum", BOTH);
	has(err.hint, "run", "what was meant");
	has(err.detail, "check, plan, run, status, finish, drop and quarantine",
		"those there are");
	refuses(P_USAGE, "a command of later", "cutover", BOTH);
	refuses(P_USAGE, "two commands", "run", "check", BOTH);
	refuses(P_USAGE, "an option of another command", "run", BOTH, "--json");
	has(err.message, "--json", "which is named");
	refuses(P_USAGE, "run without a target", "run", "--source", SOURCE);
	refuses(P_USAGE, "status without any side", "status");
	refuses(P_NAME, "a target without a name", "status", "--target", TARGET);
}

/* "ddl" takes a word with run, and none with plan. */
static void
test_ddl(void)
{
	accepts("plan --ddl", "plan", BOTH, "--ddl");
	ok(options.print_ddl, "prints it");
	accepts("plan --ddl --json", "plan", BOTH, "--ddl", "--json");
	ok(options.print_ddl && options.json, "both");
	accepts("--ddl before plan", "--ddl", "plan", BOTH);
	is_int(options.command, COMMAND_PLAN, "is no value");
	accepts("--ddl stop before run", "--ddl", "stop", "run", BOTH);
	is_int(options.ddl, DDL_STOP, "is one");
	accepts("run --ddl=apply", "run", BOTH, "--ddl=apply");
	is_int(options.ddl, DDL_APPLY, "with its value");
	refuses(P_USAGE, "a value for plan", "plan", BOTH, "--ddl=stop");
	refuses(P_USAGE, "a word for plan", "plan", BOTH, "--ddl", "stop");
	refuses(P_USAGE, "run without one", "run", BOTH, "--ddl");
	refuses(P_USAGE, "check", "check", BOTH, "--ddl", "stop");
}

static void
test_mapping(void)
{
	accepts("neither", "plan", BOTH);
	ok(options.on_loss == NULL && options.schemas == NULL,
	   "both are as the migration was begun");
	accepts("both", "run", BOTH, "--on-loss", "warn,public.*.doc=text",
			"--schemas=databases");
	is_str(options.on_loss, "warn,public.*.doc=text", "the rules");
	is_str(options.schemas, "databases", "the word");
	accepts("prefix", "check", BOTH, "--schemas", "prefix");
	refuses(P_OPTIONS, "another word", "check", BOTH, "--schemas", "none");
	refuses(P_OPTIONS, "rules that are none", "plan", BOTH, "--on-loss=wran");
	refuses(P_USAGE, "finish with either", "finish", BOTH, "--schemas=prefix");
}

static void
test_refusals(void)
{
	refuses(P_USAGE, "an unknown option", "run", BOTH, "--tabels=x");
	has(err.hint, "--tables", "what was meant");
	refuses(P_USAGE, "an unknown letter", "run", BOTH, "-x");
	refuses(P_USAGE, "a missing value", "run", BOTH, "--name");
	refuses(P_USAGE, "a value too many", "run", BOTH, "--quiet=yes");
	refuses(P_USAGE, "an option twice", "run", BOTH, "--name=a", "--name=b");
	refuses(P_OPTIONS, "quiet and verbose", "run", BOTH, "-q", "-v");
	refuses(P_OPTIONS, "a copy with an end of the stream", "run", BOTH,
			"--copy-only", "--until", "caught-up");
	refuses(P_OPTIONS, "no jobs", "run", BOTH, "--jobs=0");
	refuses(P_OPTIONS, "65 jobs", "run", BOTH, "--jobs=65");
	refuses(P_OPTIONS, "jobs with a unit", "run", BOTH, "--jobs=4x");
	refuses(P_OPTIONS, "another end", "run", BOTH, "--until=tomorrow");
	refuses(P_OPTIONS, "position zero", "run", BOTH, "--until=0/0");
	refuses(P_OPTIONS, "neither on nor off", "run", BOTH,
			"--target-synchronous-commit=maybe");
	refuses(P_PATTERN, "an open quote", "run", BOTH, "--tables=\"a");
	refuses(P_PATTERN, "three parts", "run", BOTH, "--exclude-tables=a.b.c");
	has(err.message, "--exclude-tables", "which is named");
	refuses(P_PATTERN, "an empty list", "run", BOTH, "--tables=");
	memset(buffers[WORDS_MAX - 1], 'a', 2048);
	buffers[WORDS_MAX - 1][2048] = '\0';
	refuses(P_PATTERN, "a list of 2048 bytes", "run", BOTH, "--tables",
			buffers[WORDS_MAX - 1]);
}

static void
test_names(void)
{
	char name[STREAM_NAME_MAX + 1];

	accepts("a name", "run", BOTH, "--name", "a_0");
	is_str(options.name, "a_0", "as it was given");
	refuses(P_NAME, "an empty name", "run", BOTH, "--name=");
	refuses(P_NAME, "an upper case name", "run", BOTH, "--name=A");
	refuses(P_NAME, "a name with a dash", "run", BOTH, "--name=a-b");
	accepts("a name of 40", "run", BOTH,
			"--name=a234567890123456789012345678901234567890");
	refuses(P_NAME, "a name of 41", "run", BOTH,
			"--name=a2345678901234567890123456789012345678901");
	name_from_database("My Data-Base.\xC3\xBC", name);
	is_str(name, "my_data_base___", "each other byte becomes _");
	name_from_database("12345678901234567890123456789012345678901", name);
	is_int(strlen(name), 40, "long names are cut");
}

static void
test_sizes(void)
{
	static const struct
	{
		const char *text;
		int64_t bytes;
	} good[] = {
		{ "1B", 1 },
		{ "64kB", 65536 },
		{ "16MB", INT64_C(1) << 24 },
		{ "1GB", INT64_C(1) << 30 },
		{ "2TB", INT64_C(1) << 41 },
	};
	static const char *const bad[] = { "",		"0",		  "0MB", "64",
									   "MB",	"1 MB",		  "1mb", "-1MB",
									   "1.5MB", "999999999TB" };
	int64_t bytes;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(size_parse(good[i].text, &bytes) && bytes == good[i].bytes, "%s",
		   good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!size_parse(bad[i], &bytes), "not the size \"%s\"", bad[i]);
	refuses(P_OPTIONS, "a size without unit", "run", BOTH, "--split-over=64");
	accepts("a size", "run", BOTH, "--split-over=64kB");
	ok(options.split_over == 65536, "to split over");
}

static void
test_durations(void)
{
	static const struct
	{
		const char *text;
		int64_t ms;
	} good[] = {
		{ "0", 0 },			 { "500ms", 500 },	{ "30s", 30000 },
		{ "10min", 600000 }, { "2h", 7200000 }, { "1d", 86400000 },
		{ "0s", 0 },
	};
	static const char *const bad[] = { "",	  "10",			 "s",
									   "-1s", "1x",			 "1.5s",
									   "1 s", "9999999999s", "1S" };
	int64_t ms;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(duration_parse(good[i].text, &ms) && ms == good[i].ms, "%s",
		   good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!duration_parse(bad[i], &ms), "not \"%s\"", bad[i]);
	refuses(P_OPTIONS, "a duration without unit", "run", BOTH,
			"--retry-for=10");
}

static void
test_urls(void)
{
	refuses(P_URL, "another scheme", "run", "--source", "mysql://u:pw@h/d",
			"--target", TARGET);
	ok(strstr(err.message, "pw") == NULL, "without its password");
	refuses(P_URL, "no scheme", "run", "--source", "old", "--target", TARGET);
	refuses(P_URL, "a bad escape", "run", "--source",
			"postgresql://u:secret%zz@h/d", "--target", TARGET);
	ok(strstr(err.message, "secret") == NULL &&
		   strstr(err.detail, "secret") == NULL &&
		   strstr(err.hint, "secret") == NULL,
	   "nothing tells the password");
	refuses(P_URL, "an unknown parameter", "run", "--source", SOURCE,
			"--target", "postgresql://u:secret@h/d?nix=1");
	has(err.detail, "nix", "which is named");
	ok(strstr(err.detail, "secret") == NULL, "without the password");
	accepts("words", "run", "--source", "host=h dbname=Db", "--target",
			"service=x");
	is_str(options.name, "db", "the name by the word");
	refuses(P_NAME, "a service without a name", "run", "--source", "service=x",
			"--target", TARGET);
	accepts("a URL without a database", "run", "--source", "postgresql://me@h",
			"--target", TARGET);
	is_str(options.name, "me", "is one with the user's");
}

static void
hidden(const char *url, const char *want)
{
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", url);
	pg_url_hide_secrets(copy);
	is_str(copy, want, url);
}

static void
test_secrets(void)
{
	hidden("postgresql://u:pa:ss@h:1/d", "postgresql://u:*****@h:1/d");
	hidden("postgresql://u:p@ss/w@h/d", "postgresql://u:******@h/d");
	hidden("postgresql://u@h:5432/d", "postgresql://u@h:5432/d");
	hidden("postgresql://h/d?password=abc&user=x",
		   "postgresql://h/d?password=***&user=x");
	hidden("postgresql://h/d?sslpassword=abc",
		   "postgresql://h/d?sslpassword=***");
	hidden("host=h password = abc user=x", "host=h password = *** user=x");
	hidden("password='a b\\'c' host=h", "password='******' host=h");
	hidden("password=a\\ b host=h", "password=**** host=h");
	hidden("host=h user=password", "host=h user=password");
	accepts("a URL with a password", "run", "--source",
			"postgresql://u:geheim@h/d", "--target=postgresql://u:geheim@h/e");
	is_str(options.source, "postgresql://u:geheim@h/d", "is kept as it was");
	for (int i = 0; i < 6; i++)
		ok(strstr(buffers[i], "geheim") == NULL, "argv[%d] does not tell", i);
	refuses(P_USAGE, "a stray URL", "run", "x", "postgresql://u:geheim@h/d");
	ok(strstr(err.message, "geheim") == NULL, "without its password");
}

static void
test_help(void)
{
	char text[16384];
	FILE *out;

	for (int c = 0; c <= COMMAND_COUNT; c++)
	{
		memset(text, 0, sizeof(text));
		out = fmemopen(text, sizeof(text) - 1, "w");
		options.command = (CommandId) c;
		options_print_help(&options, out);
		fclose(out);
		has(text, "--source URL", "help names the options");
		if (c < COMMAND_COUNT)
			has(text, command_name((CommandId) c), "and the command");
		else
			has(text, "Exit codes:", "and the exit codes");
	}
	accepts("--help alone", "--help");
	ok(options.help, "it is asked for");
	accepts("help of a command", "run", "-h");
	ok(options.help && options.command == COMMAND_RUN, "which is known");
	accepts("--version", "--version");
	ok(options.version, "it is asked for");
	accepts("--list-failpoints", "--list-failpoints");
	ok(options.list_failpoints, "it is asked for");
}

static void
test_suggest(void)
{
	static const char *const words[] = { "check", "run", "status", NULL };

	is_str(suggest("stauts", words), "status", "two letters swapped");
	is_str(suggest("rnu", words), "run", "in a short word, too");
	is_str(suggest("chek", words), "check", "one missing");
	is_str(suggest("rin", words), "run", "one wrong");
	ok(suggest("x", words) == NULL, "nothing near");
	ok(suggest("xyz", words) == NULL, "nothing near a short word");
	ok(suggest("", words) == NULL, "nothing near nothing");
}

int
main(void)
{
	unsetenv("PGSERVICE");
	unsetenv("PGDATABASE");
	arena_init(&arena);
	test_defaults();
	test_all_of_run();
	test_commands();
	test_ddl();
	test_mapping();
	test_refusals();
	test_names();
	test_sizes();
	test_durations();
	test_urls();
	test_secrets();
	test_help();
	test_suggest();
	arena_release(&arena);
	return done_testing();
}
