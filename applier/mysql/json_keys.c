/*
 * json_keys.c
 *		Keys that an object of JSON has twice.
 *
 * Keys are the same if they mean the same: "a" and "\u0061".  Only what has been
 * read as JSON comes here.
 */
#include <stdlib.h>

#include "mysql/conversion.h"

int
json_code_unit(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++)
	{
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

typedef struct JsonKey
{
	Slice text; /* as written */
	size_t start;
	Slice meaning; /* what it stands for */
} JsonKey;

static void
put_code_point(Buffer *out, unsigned code)
{
	char bytes[4] = { (char) (0xF0 | code >> 18),
					  (char) (0x80 | (code >> 12 & 0x3F)),
					  (char) (0x80 | (code >> 6 & 0x3F)),
					  (char) (0x80 | (code & 0x3F)) };

	if (code < 0x80)
		buffer_putc(out, (char) code);
	else if (code < 0x800)
	{
		bytes[2] = (char) (0xC0 | code >> 6);
		buffer_append(out, bytes + 2, 2);
	}
	else if (code < 0x10000)
	{
		bytes[1] = (char) (0xE0 | code >> 12);
		buffer_append(out, bytes + 1, 3);
	}
	else
		buffer_append(out, bytes, 4);
}

/* What an escape at the cursor means; moves the cursor behind it. */
static void
put_escaped(Buffer *out, const char **at, const char *end)
{
	static const char letters[] = "bfnrt";
	static const char meanings[] = "\b\f\n\r\t";
	int unit = json_code_unit(*at, end);
	const char *letter;

	if (unit < 0)
	{
		letter = memchr(letters, (*at)[1], sizeof(letters) - 1);
		buffer_putc(out,
					letter != NULL ? meanings[letter - letters] : (*at)[1]);
		*at += 2;
		return;
	}
	*at += 6;
	if (json_is_high(unit) && json_is_low(json_code_unit(*at, end)))
	{
		int low = json_code_unit(*at, end);

		put_code_point(out, 0x10000 + (((unsigned) unit & 0x3FF) << 10 |
									   ((unsigned) low & 0x3FF)));
		*at += 6;
	}
	else
		put_code_point(out, json_is_high(unit) || json_is_low(unit)
								? 0xFFFD
								: (unsigned) unit);
}

static void
put_meaning(Buffer *out, Slice text)
{
	const char *at = text.data;
	const char *end = at + text.len;

	while (at < end)
	{
		if (*at == '\\')
			put_escaped(out, &at, end);
		else
			buffer_putc(out, *at++);
	}
}

/* Behind the string that begins at at, which is known to be one. */
static const char *
string_end(const char *at)
{
	for (at++; *at != '"'; at++)
		at += *at == '\\';
	return at + 1;
}

/* The keys of an object that has been read: members is between its braces. */
static void
collect_keys(Slice members, Buffer *keys, Buffer *meanings)
{
	const char *at = members.data;
	const char *end = at + members.len;
	bool key_next = true;
	int depth = 0;

	while (at < end)
	{
		const char *from = at;

		switch (*at++)
		{
			case '"':
				at = string_end(from);
				if (depth == 0 && key_next)
				{
					JsonKey key = { .text = { from + 1,
											  (size_t) (at - from) - 2 },
									.start = meanings->len };

					put_meaning(meanings, key.text);
					key.meaning.len = meanings->len - key.start;
					buffer_append(keys, &key, sizeof(key));
					key_next = false;
				}
				break;
			case '{':
			case '[':
				depth++;
				break;
			case '}':
			case ']':
				depth--;
				break;
			case ',':
				key_next = key_next || depth == 0;
				break;
			default:
				break;
		}
	}
}

static int
compare_keys(const void *a, const void *b)
{
	const JsonKey *x = a;
	const JsonKey *y = b;

	if (x->meaning.len != y->meaning.len)
		return x->meaning.len < y->meaning.len ? -1 : 1;
	return memcmp(x->meaning.data, y->meaning.data, x->meaning.len);
}

bool
json_key_twice(Slice members, Slice *key)
{
	Buffer keys;
	Buffer meanings;
	JsonKey *list;
	size_t count;
	bool found = false;

	buffer_init(&keys);
	buffer_init(&meanings);
	collect_keys(members, &keys, &meanings);
	list = (JsonKey *) (void *) keys.data;
	count = keys.len / sizeof(*list);
	for (size_t i = 0; i < count; i++)
		list[i].meaning.data = meanings.data + list[i].start;
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_keys);
	for (size_t i = 1; i < count && !found; i++)
	{
		found = compare_keys(&list[i - 1], &list[i]) == 0;
		*key = list[i].text;
	}
	buffer_release(&keys);
	buffer_release(&meanings);
	return found;
}
