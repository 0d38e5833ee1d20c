/*
 * test_config_doc.c
 *		Every example of doc/configuration.md can be read, and together they have
 *		every key that there is, the options of the command line among them.  So can
 *		that of README.md.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "command/options_config.h"
#include "config/config_schema.h"
#include "tap.h"

#define FILE_NAME "../../doc/configuration.md"
#define README "../../README.md"
#define FENCE "\n```"

#define SECTIONS_MAX 8
#define KEYS_MAX 64

static Arena arena;
static ConfigOptionName options[OPTION_MAX];
static int options_count;

/* Which keys of each section, and which options, some example has. */
static bool seen[SECTIONS_MAX][KEYS_MAX];
static bool seen_options[OPTION_MAX];

static void
read_document(const char *path, Buffer *out)
{
	char chunk[4096];
	size_t len;
	FILE *file = fopen(path, "r");

	buffer_reset(out);
	while (file != NULL && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, len);
	if (file != NULL)
		fclose(file);
}

/* ----------------------------------------------- what keys an example has */

static void
see_key(const ConfigSection *section, const char *key)
{
	int s = 0;

	while (config_sections[s] != section)
		s++;
	for (int k = 0; k < section->count; k++)
	{
		if (strcmp(section->keys[k].name, key) == 0)
			seen[s][k] = true;
	}
}

static const ConfigNode *
member(const ConfigNode *map, const char *key)
{
	for (int i = 0; map != NULL && map->kind == NODE_MAP && i < map->count; i++)
	{
		if (strcmp(map->pairs[i].key, key) == 0)
			return map->pairs[i].value;
	}
	return NULL;
}

static void
see_map(const ConfigSection *section, const ConfigNode *map)
{
	for (int i = 0; map != NULL && map->kind == NODE_MAP && i < map->count; i++)
		see_key(section, map->pairs[i].key);
}

/* A map of names to maps of the section. */
static void
see_named(const ConfigSection *section, const ConfigNode *named)
{
	for (int i = 0; named != NULL && i < named->count; i++)
		see_map(section, named->pairs[i].value);
}

static void
see_options(const ConfigNode *root)
{
	char key[64];

	for (int i = 0; i < options_count; i++)
	{
		snprintf(key, sizeof(key), "%s", options[i].option);
		for (char *c = key; *c != '\0'; c++)
		{
			if (*c == '-')
				*c = '_';
		}
		if (member(root, key) != NULL)
			seen_options[i] = true;
	}
}

static void
see_example(const ConfigNode *root)
{
	const ConfigNode *rules = member(root, "rules");

	see_map(&section_top, root);
	see_options(root);
	see_named(&section_source, member(root, "sources"));
	see_named(&section_target, member(root, "targets"));
	see_named(&section_reference, member(root, "references"));
	for (int i = 0; rules != NULL && i < rules->count; i++)
	{
		see_map(&section_rule, rules->items[i]);
		see_named(&section_column, member(rules->items[i], "columns"));
		see_map(&section_conflict, member(rules->items[i], "on_conflict"));
	}
}

/* -------------------------------------------------------------- examples */

/* Whatever variable an example uses is set. */
static void
set_variables(const char *text)
{
	const char *p = text;

	while ((p = strstr(p, "${")) != NULL)
	{
		char *name = arena_strndup(&arena, p + 2, strcspn(p + 2, "}"));

		setenv(name, "x", 1);
		p += 2;
	}
}

/* All that is checked before a server is asked, values of options among them. */
static bool
parse_as_command(const char *text, Error *err)
{
	char path[] = "/tmp/test_config_doc_XXXXXX";
	char option[64];
	char *argv[] = { "pg_portage", "status", option, NULL };
	FILE *file = fdopen(mkstemp(path), "w");
	Options parsed;
	bool ok;

	fputs(text, file);
	fclose(file);
	snprintf(option, sizeof(option), "--config=%s", path);
	ok = options_parse(&parsed, &arena, 3, argv, err);
	remove(path);
	return ok;
}

static void
check_example(const char *text, int number)
{
	Error err = ERROR_INIT;
	const ConfigNode *root;
	Config config;

	set_variables(text);
	ok(config_parse(text, strlen(text), "example", options, options_count,
					&arena, &config, &err) &&
		   config_node_parse(&config, text, strlen(text), &arena, &root, &err),
	   "example %d is well%s%s", number, error_is_set(&err) ? ": " : "",
	   err.message);
	if (error_is_set(&err))
		return;
	see_example(root);
	ok(parse_as_command(text, &err), "so are its options%s%s",
	   error_is_set(&err) ? ": " : "", err.message);
}

/* Blocks that begin with ```yaml; their number. */
static int
check_examples(const char *document)
{
	const char *p = document;
	int count = 0;

	while ((p = strstr(p, FENCE)) != NULL)
	{
		const char *body = strchr(p + 1, '\n');
		const char *end = body != NULL ? strstr(body, FENCE) : NULL;

		if (end == NULL)
		{
			ok(false, "a block ends");
			break;
		}
		if (strncmp(p, FENCE "yaml\n", strlen(FENCE "yaml\n")) == 0)
			check_example(
				arena_strndup(&arena, body + 1, (size_t) (end - body)),
				++count);
		p = end + strlen(FENCE);
	}
	return count;
}

static void
check_seen(void)
{
	for (int s = 0; config_sections[s] != NULL; s++)
	{
		const ConfigSection *section = config_sections[s];

		for (int k = 0; k < section->count; k++)
			ok(seen[s][k], "%s of %s has an example", section->keys[k].name,
			   section->name);
	}
	for (int i = 0; i < options_count; i++)
		ok(seen_options[i], "--%s has an example", options[i].option);
}

int
main(void)
{
	Buffer document;

	unsetenv("PGSERVICE");
	arena_init(&arena);
	buffer_init(&document);
	options_count = options_config_names(options);
	read_document(FILE_NAME, &document);
	ok(check_examples(document.data) >= 5, FILE_NAME " has examples");
	check_seen();
	read_document(README, &document);
	ok(check_examples(document.data) >= 1, README " has one");
	buffer_release(&document);
	arena_release(&arena);
	return done_testing();
}
