/*
 * config.c
 *		See config.h: from a file to a Config, and questions about it.
 */
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "config/config_schema.h"

bool
config_error(const Config *config, ConfigPlace place, Error *err,
			 const char *fmt, ...)
{
	char text[sizeof(err->message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (place.line == 0)
		return error_set(err, P_CONFIG, "%s: %s", config->path, text);
	return error_set(err, P_CONFIG, "%s:%d:%d: %s", config->path, place.line,
					 place.column, text);
}

/* The folder of a path, "." without one. */
static const char *
folder_of(const char *path, Arena *arena)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	return slash == path ? "/"
						 : arena_strndup(arena, path, (size_t) (slash - path));
}

bool
config_parse(const char *text, size_t len, const char *path,
			 const ConfigOptionName *options, int option_count, Arena *arena,
			 Config *config, Error *err)
{
	ConfigReader reader = { config, arena, options, option_count };
	const ConfigNode *root;

	memset(config, 0, sizeof(*config));
	config->path = arena_strdup(arena, path);
	config->folder = folder_of(path, arena);
	config->options = ARENA_ARRAY(arena, ConfigOption, (size_t) option_count);
	return config_node_parse(config, text, len, arena, &root, err) &&
		   config_section_read(&reader, &section_top, root, config, err) &&
		   config_check(&reader, err);
}

/* All of the file, or more than a configuration may have. */
static bool
read_file(FILE *file, Buffer *text)
{
	char chunk[8192];
	size_t len;

	while (text->len <= CONFIG_BYTES_MAX &&
		   (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(text, chunk, len);
	return !ferror(file);
}

bool
config_read(const char *path, const ConfigOptionName *options, int option_count,
			Arena *arena, Config *config, Error *err)
{
	FILE *file = fopen(path, "r");
	Buffer text;
	bool ok = false;

	buffer_init(&text);
	if (file == NULL || !read_file(file, &text))
		error_set(err, P_CONFIG, "%s cannot be read: %s", path,
				  strerror(errno));
	else
		ok = config_parse(text.data, text.len, path, options, option_count,
						  arena, config, err);
	if (file != NULL)
		fclose(file);
	buffer_release(&text);
	return ok;
}

const ConfigSource *
config_source(const Config *config, const char *name)
{
	for (int i = 0; i < config->source_count; i++)
	{
		if (strcmp(config->sources[i].name.text, name) == 0)
			return &config->sources[i];
	}
	return NULL;
}

const ConfigTarget *
config_target(const Config *config, const char *name)
{
	for (int i = 0; i < config->target_count; i++)
	{
		if (strcmp(config->targets[i].name.text, name) == 0)
			return &config->targets[i];
	}
	return NULL;
}

const ConfigReference *
config_reference(const Config *config, const char *name)
{
	for (int i = 0; i < config->reference_count; i++)
	{
		if (strcmp(config->references[i].name.text, name) == 0)
			return &config->references[i];
	}
	return NULL;
}
