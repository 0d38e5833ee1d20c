/*
 * test_options_config.c
 *		--config: what of a file becomes an option, what the command line
 *		overrules, and what is refused, always with its place.
 */
#include <stdlib.h>
#include <unistd.h>

#include "command/options_config.h"
#include "tap.h"

#define WORDS_MAX 12
#define SIDES                                        \
	"source: postgresql://u@old/Shop\n" /* line 1 */ \
	"target: postgresql://u:geheim@new/shop\n"

static Arena arena;
static Options options;
static Error err;
static char path[] = "/tmp/test_options_config_XXXXXX";

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

/* The words up to NULL, and --config with a file of that text. */
static bool
parse(const char *text, const char *command, ...)
{
	char words[WORDS_MAX][200];
	char *argv[WORDS_MAX + 1];
	const char *word = command;
	int argc = 1;
	va_list args;

	write_file(text);
	snprintf(words[0], sizeof(words[0]), "pg_portage");
	va_start(args, command);
	for (; word != NULL; word = va_arg(args, const char *))
		snprintf(words[argc++], sizeof(words[0]), "%s", word);
	va_end(args);
	snprintf(words[argc++], sizeof(words[0]), "--config=%s", path);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	argv[argc] = NULL;
	error_clear(&err);
	arena_reset(&arena);
	return options_parse(&options, &arena, argc, argv, &err);
}

#define accepts(what, ...)                                   \
	ok(parse(__VA_ARGS__, NULL), "%s is accepted%s%s", what, \
	   error_is_set(&err) ? ": " : "", err.message)
#define refuses(want, what, ...)                                             \
	ok(!parse(__VA_ARGS__, NULL) && err.code == (want), "%s is refused: %s", \
	   what, err.message)

/* The message begins with the file's name and this. */
static void
at(const char *place)
{
	size_t len = strlen(path);

	ok(strncmp(err.message, path, len) == 0 &&
		   strncmp(err.message + len, place, strlen(place)) == 0,
	   "at %s", place);
}

static void
tells_nothing(const char *secret, const char *what)
{
	ok(strstr(err.message, secret) == NULL &&
		   strstr(err.detail, secret) == NULL &&
		   strstr(err.hint, secret) == NULL,
	   "%s tells nothing", what);
}

static void
test_sides(void)
{
	accepts("a source and a target", SIDES, "run");
	is_str(options.source, "postgresql://u@old/Shop", "the source");
	is_str(options.target, "postgresql://u:geheim@new/shop", "the target");
	is_str(options.name, "shop", "the name by the source's database");
	ok(options.config != NULL && options.config->source_count == 1,
	   "the configuration is there");
	is_int(options.jobs, 4, "defaults are as ever");
	for (int command = 0; command < COMMAND_COUNT; command++)
	{
		const char *name = command_name((CommandId) command);

		if (command == COMMAND_QUARANTINE)
			accepts(name, SIDES, name, "list");
		else
			accepts(name, SIDES, name);
	}
	accepts("with names",
			"sources: { a: { url: postgresql://u@old/x } }\n"
			"targets: { b: { url: 'mysql://u@new/x' } }\n",
			"check");
	is_str(options.target, "mysql://u@new/x", "the same");
	accepts("status of a source alone", "source: service=x\nname: y\n",
			"status");
	ok(options.target == NULL, "there is no target");
	refuses(P_CONFIG, "run without a target", "source: service=x\n", "run");
	at(": it has no target");
	refuses(P_CONFIG, "run without a source", "target: service=x\n", "run");
	refuses(P_CONFIG, "status without either", "name: x\n", "status");
	refuses(P_NAME, "a target alone without a name", "target: service=x\n",
			"status");
	accepts("that with a name", "target: service=x\n", "status", "--name=y");
	refuses(P_USAGE, "--source besides", SIDES, "run", "--source=service=x");
	refuses(P_USAGE, "--target besides", SIDES, "run", "--target=service=x");
}

static void
test_options(void)
{
	accepts("every kind of option",
			SIDES "jobs: 7\nretry_for: 2h\nsplit_over: 64kB\nwriters: '2'\n"
				  "no_wait: true\ntakeover: false\ntables: 'a.*,b.c'\n"
				  "exclude_tables: b.d\nuntil: caught-up\nddl: stop\n"
				  "target_synchronous_commit: on\npg_bindir: /x\nquiet: true\n",
			"run");
	ok(options.jobs == 7 && options.writers == 2, "numbers");
	ok(options.retry_for_ms == 7200000 && options.split_over == 65536,
	   "a duration and a size");
	ok(options.no_wait && !options.takeover && options.quiet, "flags");
	is_str(options.tables, "a.*,b.c", "patterns");
	ok(options.until_caught_up && options.ddl == DDL_STOP &&
		   options.target_synchronous_commit,
	   "words");
	is_str(options.pg_bindir, "/x", "a folder");
	accepts("the command line, too",
			SIDES "jobs: 7\nname: a\nuntil: caught-up\nquiet: true\n"
				  "retry_for: 1h\n",
			"run", "--jobs=3", "--name=b", "--until=1/2", "-v");
	is_int(options.jobs, 3, "its number wins");
	is_str(options.name, "b", "its name");
	ok(options.until_lsn == 0x100000002 && !options.until_caught_up, "its end");
	ok(options.verbose && !options.quiet, "its voice");
	is_int(options.retry_for_ms, 3600000, "what it does not say is the file's");
	accepts("options of other commands",
			SIDES "until: caught-up\ncopy_only: true\nddl: stop\n", "status");
	ok(!options.until_caught_up && !options.copy_only &&
		   options.ddl == DDL_APPLY,
	   "have no effect");
	accepts("plan --ddl", SIDES "ddl: stop\n", "plan", "--ddl");
	ok(options.print_ddl, "is a flag of the command line");
	accepts("plan", SIDES "ddl: stop\n", "plan");
	ok(!options.print_ddl, "and no key of the file");
}

static void
test_targets(void)
{
	accepts("on_loss of a target",
			"source: postgresql://u@old/x\non_loss: error\nschemas: prefix\n"
			"targets:\n"
			"  a: { url: 'mysql://u@new/x', on_loss: warn, schemas: databases "
			"}\n",
			"run");
	is_str(options.on_loss, "warn", "goes before that of all");
	is_str(options.schemas, "databases", "so do schemas");
	accepts("which the command line overrules",
			"source: postgresql://u@old/x\n"
			"targets: { a: { url: 'mysql://u@new/x', on_loss: warn } }\n",
			"run", "--on-loss=clamp");
	is_str(options.on_loss, "clamp", "by its own");
	refuses(P_OPTIONS, "one that is none",
			"source: postgresql://u@old/x\n"
			"targets: { a: { url: 'mysql://u@new/x', on_loss: wran } }\n",
			"status");
	at(":2:50: ");
	accepts("two targets",
			"source: postgresql://u@old/x\n"
			"targets:\n"
			"  a: { url: 'postgresql://u@new/x' }\n"
			"  b: { url: 'mysql://u@new/x', on_loss: warn }\n"
			"rules: [ { table: '*.*', target: [a, b] } ]\n",
			"run");
	ok(options.on_loss == NULL, "the second's rules are its own");
}

static void
test_names(void)
{
	const char *two = "sources: { a: { url: service=a }, b23456789012345: "
					  "{ url: service=b } }\ntarget: service=c\n";
	char long_name[100];

	accepts("a name", SIDES "name: x_1\n", "run");
	is_str(options.name, "x_1", "of the file");
	refuses(P_CONFIG, "an upper case name", SIDES "name: X\n", "run");
	at(":3:7: ");
	refuses(P_CONFIG, "two sources without a name", two, "run");
	accepts("with one", two, "run", "--name=a23456789012345678901234");
	snprintf(long_name, sizeof(long_name), "--name=%s",
			 "a234567890123456789012345");
	refuses(P_CONFIG, "one that is too long for both", two, "run", long_name);
	at(":1:35: ");
}

static void
test_refusals(void)
{
	refuses(P_OPTIONS, "a number out of range", SIDES "jobs: 65\n", "run");
	at(":3:7: ");
	refuses(P_OPTIONS, "also where nobody asks", SIDES "jobs: 65\n", "status");
	refuses(P_OPTIONS, "also where it is overruled", SIDES "jobs: 65\n", "run",
			"--jobs=1");
	refuses(P_OPTIONS, "a duration without unit", SIDES "retry_for: 5\n",
			"run");
	refuses(P_PATTERN, "a pattern", SIDES "tables: a.b.c\n", "run");
	refuses(P_CONFIG, "a flag that is yes", SIDES "no_wait: yes\n", "run");
	refuses(P_CONFIG, "an option with its dash", SIDES "no-wait: true\n",
			"run");
	has(err.hint, "did you mean no_wait?", "the key is suggested");
	refuses(P_CONFIG, "a list", SIDES "tables: [a, b]\n", "run");
	has(err.hint, "in one text", "what to do");
	refuses(P_OPTIONS, "quiet and verbose",
			SIDES "quiet: true\nverbose: true\n", "run");
	has(err.detail, "in line 3 of ", "one is named");
	refuses(P_OPTIONS, "a copy with an end", SIDES "copy_only: true\n", "run",
			"--until=caught-up");
	has(err.detail, "--copy-only is in line 3 of ", "it is named");
	refuses(P_CONFIG, "help as a key", SIDES "help: true\n", "run");
	refuses(P_CONFIG, "config as a key", SIDES "config: x\n", "run");
	refuses(P_URL, "another scheme",
			"source: oracle://u:geheim@h/d\ntarget: x\n", "run");
	at(":1:9: there is no driver");
	tells_nothing("geheim", "it");
	refuses(P_URL, "a parameter that is none",
			SIDES "references: { r: { query: SELECT, key: [a], url: "
				  "'postgresql://u:geheim@h/d?nix=1' } }\n"
				  "rules: [ { table: a.b } ]\n",
			"check");
	at(":3:50: the reference's URL ");
	has(err.detail, "nix", "it is named");
	tells_nothing("geheim", "it");
	write_file("");
	unlink(path);
	ok(access(path, F_OK) != 0, "a file that is gone");
	refuses(P_CONFIG, "an empty file", "", "run");
}

static void
test_secrets(void)
{
	setenv("PORTAGE_S", "ge heim", 1);
	refuses(P_OPTIONS, "a secret as a number", SIDES "jobs: ${PORTAGE_S}\n",
			"run");
	at(":3:7: ");
	tells_nothing("heim", "it");
	refuses(P_OPTIONS, "as rules",
			"source: service=x\ntargets: { a: { url: 'mysql://u@h/x', "
			"on_loss: 'x${PORTAGE_S}' } }\n",
			"run");
	tells_nothing("heim", "it");
	refuses(P_PATTERN, "as patterns", SIDES "tables: a.${PORTAGE_S}\n", "run");
	tells_nothing("heim", "it");
	refuses(P_URL, "as a URL", "source: ${PORTAGE_S}\n", "status");
	tells_nothing("heim", "it");
	refuses(P_URL, "as a word of one", "source: host=h password=${PORTAGE_S}\n",
			"status");
	tells_nothing("heim", "it");
	refuses(P_URL, "as a parameter",
			"source: postgresql://u@h/d?x${PORTAGE_S}=1\n", "status");
	tells_nothing("heim", "it");
	refuses(P_URL, "beside another fault",
			"target: \"mysql://u:${PORTAGE_S}@h/d?ssl-mod=x\"\n", "status");
	has(err.message, "ssl-mod", "which is told");
	tells_nothing("heim", "it");
	accepts("as a password",
			"target: \"mysql://u:${PORTAGE_S}@h/d\"\nname: x\n", "status");
	is_str(options.target, "mysql://u:ge heim@h/d", "it is put in");
}

static void
test_table(void)
{
	ConfigOptionName names[OPTION_MAX];
	int count = options_config_names(names);
	int flags = 0;

	for (int i = 0; i < count; i++)
	{
		flags += names[i].flag;
		ok(strcmp(names[i].option, "help") != 0 &&
			   strcmp(names[i].option, "source") != 0,
		   "%s may be a key", names[i].option);
		for (int j = 0; j < i; j++)
		{
			if (strcmp(names[i].option, names[j].option) == 0)
				ok(false, "%s is there twice", names[i].option);
		}
	}
	ok(count > 15 && flags > 5, "options and flags");
}

int
main(void)
{
	unsetenv("PGSERVICE");
	unsetenv("PGDATABASE");
	close(mkstemp(path));
	arena_init(&arena);
	test_sides();
	test_options();
	test_targets();
	test_names();
	test_refusals();
	test_secrets();
	test_table();
	arena_release(&arena);
	unlink(path);
	return done_testing();
}
