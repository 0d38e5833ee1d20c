/*
 * config_hint.c
 *		What somebody may have done who wrote something that is not YAML.
 *
 * libyaml says where it got stuck, in words of its grammar.  What is at that
 * place says more about what to do.
 */
#include "config/config_node.h"

#include <string.h>

ConfigPlace
config_place_of_offset(const char *text, size_t len, size_t offset)
{
	ConfigPlace place = { 1, 1 };

	for (size_t i = 0; i < offset && i < len; i++)
	{
		if (text[i] == '\n')
		{
			place.line++;
			place.column = 1;
		}
		else if (((unsigned char) text[i] & 0xC0) != 0x80)
			place.column++;
	}
	return place;
}

/* The byte at a place, or NUL. */
static char
byte_at(const char *text, size_t len, ConfigPlace place)
{
	const char *p = text;
	const char *end = text + len;

	for (int line = 1; line < place.line && p != NULL && p < end; line++)
	{
		p = memchr(p, '\n', (size_t) (end - p));
		p = p != NULL ? p + 1 : NULL;
	}
	for (int column = 1; p != NULL && p < end; p++)
	{
		if (((unsigned char) *p & 0xC0) == 0x80)
			continue;
		if (column++ == place.column)
			return *p;
	}
	return '\0';
}

void
config_yaml_hint(const char *text, size_t len, ConfigPlace place,
				 const char *problem, Error *err)
{
	char at = byte_at(text, len, place);

	if (at == '\t')
		error_hint(err, "indent with blanks: YAML has no tabs there");
	else if (strstr(problem, "cannot start any token") != NULL)
		error_hint(err, "put a value that begins with %c in quotes", at);
	else if (strstr(problem, "alphabetic or numeric") != NULL)
		error_hint(err, "put a value that begins with * or & in quotes, such "
						"as table: \"*.*\"");
	else if (strstr(problem, "mapping values are not allowed") != NULL)
		error_hint(err, "put a value that has \": \" in it in quotes; a key "
						"stands on a line of its own, indented like its "
						"neighbours");
	else if (strstr(problem, "',' or") != NULL)
		error_hint(err, "within [ ] and { }, put values that have any of "
						", [ ] { } in them in quotes");
	else if (strstr(problem, "expected key") != NULL ||
			 strstr(problem, "'-' indicator") != NULL ||
			 strstr(problem, "expected ':'") != NULL)
		error_hint(err, "look at the indentation here and above; a value that "
						"begins with a quote has to end with it");
}
