/*
 * pattern.h
 *		Lists of table patterns, as in the options tables and exclude_tables.
 *
 *		list	item ( ',' item )*		blanks around an item are ignored
 *		item	[ part '.' ] part		without a schema: in every schema
 *		part	"..."					literal; a quote is written twice
 *				letters, digits, _ $ and bytes above 127, with the wildcards
 *				* (any run of characters) and ? (one character)
 *
 * An unquoted part is folded to lower case, ASCII letters only, as the server
 * does with identifiers in a multibyte encoding.  A character is one byte, or
 * one UTF-8 sequence.
 *
 * The plugin filters changes with this file and the applier selects the tables
 * it copies with it; were they to disagree, rows would be lost.  Hence it is
 * freestanding and compiled by both sides, works on pointer and length, and
 * allocates nothing.  Matching backtracks to the last * only: its cost is
 * bounded by the product of the lengths, and names are 63 bytes at most.
 */
#ifndef PORTAGE_PATTERN_H
#define PORTAGE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* bytes of length, no ownership; not NUL-terminated */
typedef struct PatternText
{
	const char *data;
	size_t len;
} PatternText;

typedef struct PatternPart
{
	PatternText text; /* without the outer quotes */
	bool quoted;
} PatternPart;

typedef struct PatternItem
{
	bool has_schema;
	PatternPart schema;
	PatternPart name;
} PatternItem;

/* A position in a list; error is set, and stays, where the list is wrong. */
typedef struct PatternCursor
{
	PatternText list;
	size_t pos;
	const char *error;
} PatternCursor;

static inline bool
pattern_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline char
pattern_fold(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char) (c - 'A' + 'a') : c;
}

/* May this byte stand in an unquoted part? */
static inline bool
pattern_is_plain(char c)
{
	char low = pattern_fold(c);

	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
		   c == '$' || c == '*' || c == '?' || ((unsigned char) c & 0x80) != 0;
}

static inline void
pattern_skip_blanks(PatternCursor *cur)
{
	while (cur->pos < cur->list.len &&
		   pattern_is_blank(cur->list.data[cur->pos]))
		cur->pos++;
}

/* The rest of a quoted part; the cursor stands behind the opening quote. */
static inline bool
pattern_parse_quoted(PatternCursor *cur, PatternPart *part)
{
	size_t start = cur->pos;

	part->quoted = true;
	part->text.data = cur->list.data + start;
	while (cur->pos < cur->list.len)
	{
		if (cur->list.data[cur->pos] != '"')
			cur->pos++;
		else if (cur->pos + 1 < cur->list.len &&
				 cur->list.data[cur->pos + 1] == '"')
			cur->pos += 2;
		else
		{
			part->text.len = cur->pos - start;
			cur->pos++;
			if (part->text.len == 0)
				cur->error = "a quoted name is empty";
			return part->text.len > 0;
		}
	}
	cur->pos = start - 1;
	cur->error = "a quoted name has no end";
	return false;
}

static inline bool
pattern_parse_part(PatternCursor *cur, PatternPart *part)
{
	size_t start = cur->pos;

	if (cur->pos < cur->list.len && cur->list.data[cur->pos] == '"')
	{
		cur->pos++;
		return pattern_parse_quoted(cur, part);
	}
	while (cur->pos < cur->list.len &&
		   pattern_is_plain(cur->list.data[cur->pos]))
		cur->pos++;
	part->quoted = false;
	part->text.data = cur->list.data + start;
	part->text.len = cur->pos - start;
	if (part->text.len > 0)
		return true;
	if (cur->pos == cur->list.len || cur->list.data[cur->pos] == ',' ||
		cur->list.data[cur->pos] == '.')
		cur->error = "a name is missing";
	else
		cur->error = "this character must be quoted";
	return false;
}

static inline void
pattern_cursor_init(PatternCursor *cur, const char *list, size_t len)
{
	cur->list.data = list;
	cur->list.len = len;
	cur->pos = 0;
	cur->error = NULL;
}

/* Take the next item.  False at the end, and where cur->error is set. */
static inline bool
pattern_next(PatternCursor *cur, PatternItem *item)
{
	if (cur->error != NULL || (cur->pos > 0 && cur->pos >= cur->list.len))
		return false;
	pattern_skip_blanks(cur);
	if (!pattern_parse_part(cur, &item->name))
		return false;
	item->has_schema = false;
	if (cur->pos < cur->list.len && cur->list.data[cur->pos] == '.')
	{
		cur->pos++;
		item->has_schema = true;
		item->schema = item->name;
		if (!pattern_parse_part(cur, &item->name))
			return false;
	}
	pattern_skip_blanks(cur);
	if (cur->pos == cur->list.len)
		return true;
	if (cur->list.data[cur->pos] != ',')
	{
		cur->error = cur->list.data[cur->pos] == '.'
						 ? "a name has more than two parts"
						 : "this character must be quoted";
		return false;
	}
	cur->pos++;
	if (cur->pos == cur->list.len)
		cur->error = "a name is missing";
	return cur->error == NULL;
}

/*
 * Is the list well formed?  If not, *position is the byte (from 0) where it
 * goes wrong and *reason says how.  An empty list is not well formed.
 */
static inline bool
pattern_list_check(const char *list, size_t len, size_t *position,
				   const char **reason)
{
	PatternCursor cur;
	PatternItem item;

	pattern_cursor_init(&cur, list, len);
	while (pattern_next(&cur, &item))
		;
	*position = cur.pos;
	*reason = cur.error;
	return cur.error == NULL;
}

/* The length in bytes of the character at i. */
static inline size_t
pattern_char_len(PatternText s, size_t i)
{
	size_t n = 1;

	if ((unsigned char) s.data[i] < 0xC0)
		return 1;
	while (i + n < s.len && n < 4 &&
		   ((unsigned char) s.data[i + n] & 0xC0) == 0x80)
		n++;
	return n;
}

static inline bool
pattern_match_wild(PatternText pattern, PatternText s)
{
	size_t p = 0;
	size_t i = 0;
	size_t star = 0;  /* behind the last *, or 0: there was none */
	size_t retry = 0; /* where what it stands for ends */

	while (i < s.len)
	{
		if (p < pattern.len && pattern.data[p] == '*')
		{
			star = ++p;
			retry = i;
		}
		else if (p < pattern.len && pattern.data[p] == '?')
		{
			p++;
			i += pattern_char_len(s, i);
		}
		else if (p < pattern.len && pattern_fold(pattern.data[p]) == s.data[i])
		{
			p++;
			i++;
		}
		else if (star > 0)
		{
			p = star;
			retry += pattern_char_len(s, retry);
			i = retry;
		}
		else
			return false;
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static inline bool
pattern_match_quoted(PatternText pattern, PatternText s)
{
	size_t p;
	size_t i = 0;

	for (p = 0; p < pattern.len; p++)
	{
		if (i == s.len || pattern.data[p] != s.data[i++])
			return false;
		if (pattern.data[p] == '"')
			p++; /* it is written twice */
	}
	return i == s.len;
}

static inline bool
pattern_match_part(const PatternPart *part, PatternText s)
{
	return part->quoted ? pattern_match_quoted(part->text, s)
						: pattern_match_wild(part->text, s);
}

/*
 * Does one of the patterns match the table?  The list must have passed
 * pattern_list_check(); an ill-formed one matches up to where it goes wrong.
 */
static inline bool
pattern_list_match(const char *list, size_t len, PatternText schema,
				   PatternText name)
{
	PatternCursor cur;
	PatternItem item;

	pattern_cursor_init(&cur, list, len);
	while (pattern_next(&cur, &item))
	{
		if (item.has_schema && !pattern_match_part(&item.schema, schema))
			continue;
		if (pattern_match_part(&item.name, name))
			return true;
	}
	return false;
}

#endif /* PORTAGE_PATTERN_H */
