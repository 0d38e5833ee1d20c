/*
 * config_env.c
 *		${NAME} in values of the configuration.
 *
 * Names are told in errors, values never: they may be passwords.
 */
#include "config/config_node.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Longest name of a variable that is looked for. */
#define VARIABLE_MAX 128

static bool
is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		   (!first && c >= '0' && c <= '9');
}

/* The name behind "${", and whether it ends as it has to. */
static bool
read_name(const char *start, char name[VARIABLE_MAX])
{
	size_t len = 0;

	while (len < VARIABLE_MAX - 1 && is_name_byte(start[len], len == 0))
	{
		name[len] = start[len];
		len++;
	}
	name[len] = '\0';
	return len > 0 && start[len] == '}';
}

static bool
put_variable(const Config *config, ConfigPlace place, const char *name,
			 size_t *left, Buffer *out, Error *err)
{
	const char *value = getenv(name);
	size_t len;

	if (value == NULL)
	{
		config_error(config, place, err,
					 "the environment variable %s is not set", name);
		return error_hint(err, "set it, or write $${ for ${ itself");
	}
	len = strlen(value);
	if (len > *left)
		return config_error(config, place, err,
							"with the value of ${%s} the configuration is "
							"larger than %zu bytes",
							name, CONFIG_BYTES_MAX);
	*left -= len;
	buffer_append(out, value, len);
	return true;
}

static bool
replace(const Config *config, ConfigPlace place, const char *p, size_t *left,
		Buffer *out, Error *err)
{
	char name[VARIABLE_MAX];

	while (*p != '\0')
	{
		if (strncmp(p, "$${", 3) == 0)
		{
			buffer_puts(out, "${");
			p += 3;
		}
		else if (strncmp(p, "${", 2) != 0)
			buffer_putc(out, *p++);
		else if (!read_name(p + 2, name))
		{
			config_error(config, place, err,
						 "\"${\" without the name of an environment variable "
						 "and \"}\" behind it");
			return error_hint(err, "write $${ for ${ itself");
		}
		else if (!put_variable(config, place, name, left, out, err))
			return false;
		else
			p += strlen(name) + 3;
	}
	return true;
}

bool
config_env_replace(const Config *config, ConfigPlace place, const char *written,
				   size_t *left, Arena *arena, const char **text,
				   bool *replaced, Error *err)
{
	Buffer out;
	bool ok;

	*replaced = false;
	*text = written;
	if (strstr(written, "${") == NULL)
		return true;
	buffer_init(&out);
	ok = replace(config, place, written, left, &out, err);
	if (ok)
		*text = arena_strndup(arena, out.data, out.len);
	/* "$${" alone is no variable, but then nothing is lost by care */
	*replaced = true;
	buffer_release(&out);
	return ok;
}
