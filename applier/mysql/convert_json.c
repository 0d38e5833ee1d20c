/*
 * convert_json.c
 *		JSON into a column of type JSON.
 *
 * MariaDB keeps the text and refuses what is nested deeply.  MySQL takes it
 * apart: numbers become integers or doubles, of keys that occur twice it keeps
 * the last.  Both refuse half a surrogate pair, which type json does not.  So
 * every document is read once; numbers that have to be written differently are
 * replaced on the way.
 */
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

/* more than any server allows */
#define MAX_LEVELS 128

/* An array or object that is open. */
typedef struct JsonLevel
{
	const char *start; /* behind its bracket */
	Slice key;		   /* the last one, of an object */
	bool object;
	bool keys_unsorted; /* they may occur twice */
} JsonLevel;

typedef struct JsonScan
{
	Conversion *c;
	const char *at;
	const char *end;
	JsonLevel levels[MAX_LEVELS];
	int depth;
	int max_depth;

	/* scratch has what was read up to copied, with replacements */
	size_t start;
	const char *copied; /* NULL: nothing was replaced */

	LossKind loss; /* the first that is worse than zeros, else that */
	Slice culprit;
} JsonScan;

static void
note_loss(JsonScan *s, LossKind kind, const char *from, const char *to)
{
	if (s->loss != LOSS_NONE && s->loss != LOSS_JSON_SCALE)
		return;
	s->loss = kind;
	s->culprit.data = from;
	s->culprit.len = (size_t) (to - from);
}

static void
replace(JsonScan *s, const char *from, const char *to, const char *text)
{
	if (s->copied == NULL)
		s->copied = s->c->in.data;
	buffer_append(s->c->scratch, s->copied, (size_t) (from - s->copied));
	buffer_puts(s->c->scratch, text);
	s->copied = to;
}

static void
skip_blanks(JsonScan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' ||
							  *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool
skip_char(JsonScan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* ---- strings */

/* The cursor is at \u. */
static bool
scan_unicode(JsonScan *s)
{
	const char *from = s->at;
	int unit = json_code_unit(s->at, s->end);

	if (unit < 0)
		return false;
	s->at += 6;
	if (json_is_high(unit) && json_is_low(json_code_unit(s->at, s->end)))
		s->at += 6;
	else if (json_is_high(unit) || json_is_low(unit))
	{
		note_loss(s, LOSS_ENCODING, from, s->at);
		replace(s, from, s->at, "\\ufffd");
	}
	return true;
}

static bool
scan_escape(JsonScan *s)
{
	if (s->end - s->at < 2)
		return false;
	if (s->at[1] == 'u')
		return scan_unicode(s);
	if (memchr("\"\\/bfnrt", s->at[1], 8) == NULL)
		return false;
	s->at += 2;
	return true;
}

/* A string; text: what is between the quotes, escaped says how. */
static bool
scan_string(JsonScan *s, Slice *text, bool *escaped)
{
	*escaped = false;
	if (!skip_char(s, '"'))
		return false;
	text->data = s->at;
	for (;;)
	{
		while (s->end - s->at >= 8)
		{
			uint64_t word = word_load(s->at);

			if ((word_has_less(word, ' ') | word_has_byte(word, '"') |
				 word_has_byte(word, '\\')) != 0)
				break;
			s->at += 8;
		}
		while (s->at < s->end && *s->at != '"' && *s->at != '\\' &&
			   (unsigned char) *s->at >= ' ')
			s->at++;
		if (s->at == s->end)
			return false;
		if (*s->at == '"')
			break;
		*escaped = true;
		if (*s->at != '\\' || !scan_escape(s))
			return false;
	}
	text->len = (size_t) (s->at - text->data);
	s->at++;
	return true;
}

/* ---- values */

/* jsonb has its keys in the order of their lengths, then bytes. */
static bool
keys_ascend(Slice a, Slice b)
{
	return a.len != b.len ? a.len < b.len : memcmp(a.data, b.data, a.len) < 0;
}

static bool
scan_digits(JsonScan *s)
{
	const char *from = s->at;

	while (s->at < s->end && is_digit(*s->at))
		s->at++;
	return s->at > from;
}

/* What MySQL would make of it. */
static void
look_at_number(JsonScan *s, Slice token)
{
	char instead[JSON_NUMBER_SIZE];
	const char *end = token.data + token.len;

	switch (json_number_fate(token, instead))
	{
		case JSON_NUMBER_KEPT:
			break;
		case JSON_NUMBER_SCALE:
			if (s->loss == LOSS_NONE)
				note_loss(s, LOSS_JSON_SCALE, token.data, end);
			break;
		case JSON_NUMBER_OTHER:
		case JSON_NUMBER_REFUSED:
			note_loss(s, LOSS_JSON_NUMBER, token.data, end);
			break;
	}
	if (instead[0] != '\0')
		replace(s, token.data, end, instead);
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool
scan_number(JsonScan *s)
{
	Slice token = { s->at, 0 };
	bool negative = skip_char(s, '-');
	const char *digits = s->at;
	bool plain; /* no server makes anything else of it */

	if (!scan_digits(s) || (*digits == '0' && s->at - digits > 1))
		return false;
	plain = s->at - digits <= 18 && !(negative && *digits == '0');
	if (skip_char(s, '.'))
	{
		if (!scan_digits(s))
			return false;
		/* 15 digits and the point */
		plain = s->at - digits <= 16 && s->at[-1] != '0';
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E'))
	{
		plain = false;
		s->at++;
		if (!skip_char(s, '+'))
			(void) skip_char(s, '-');
		if (!scan_digits(s))
			return false;
	}
	token.len = (size_t) (s->at - token.data);
	if (!plain && s->c->column->strict_json)
		look_at_number(s, token);
	return true;
}

static bool
scan_word(JsonScan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t) (s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool
scan_key(JsonScan *s)
{
	JsonLevel *level = &s->levels[s->depth - 1];
	bool escaped;
	Slice key;

	skip_blanks(s);
	if (!scan_string(s, &key, &escaped))
		return false;
	if (escaped || (level->key.data != NULL && !keys_ascend(level->key, key)))
		level->keys_unsorted = true;
	level->key = key;
	skip_blanks(s);
	return skip_char(s, ':');
}

/* The end of the innermost array or object; the cursor is at its bracket. */
static bool
close_level(JsonScan *s)
{
	JsonLevel *level = &s->levels[s->depth - 1];

	if (s->at == s->end || *s->at != (level->object ? '}' : ']'))
		return false;
	if (level->keys_unsorted && s->c->column->strict_json)
	{
		Slice members = { level->start, (size_t) (s->at - level->start) };
		Slice key;

		if (json_key_twice(members, &key))
			note_loss(s, LOSS_JSON_KEYS, key.data, key.data + key.len);
	}
	s->depth--;
	s->at++;
	return true;
}

/*
 * What begins here: *inner, if it is an array or object with something in it.
 * False too if it is nested too deeply, which is noted.
 */
static bool
open_level(JsonScan *s, bool *inner)
{
	JsonLevel *level = &s->levels[s->depth];

	if (s->depth == s->max_depth)
	{
		s->loss = LOSS_JSON_DEPTH;
		s->culprit = s->c->in;
		return false;
	}
	s->depth++;
	level->object = *s->at++ == '{';
	level->start = s->at;
	level->key.data = NULL;
	level->keys_unsorted = false;
	skip_blanks(s);
	*inner = s->at < s->end && *s->at != (level->object ? '}' : ']');
	if (!*inner)
		return close_level(s);
	return !level->object || scan_key(s);
}

static bool
scan_value(JsonScan *s, bool *inner)
{
	bool escaped;
	Slice text;

	*inner = false;
	skip_blanks(s);
	if (s->at == s->end)
		return false;
	switch (*s->at)
	{
		case '{':
		case '[':
			return open_level(s, inner);
		case '"':
			return scan_string(s, &text, &escaped);
		case 't':
			return scan_word(s, "true");
		case 'f':
			return scan_word(s, "false");
		case 'n':
			return scan_word(s, "null");
		default:
			return scan_number(s);
	}
}

/* Behind a value: to where the next one begins.  *done: there is none. */
static bool
scan_next(JsonScan *s, bool *done)
{
	for (;;)
	{
		skip_blanks(s);
		*done = s->depth == 0;
		if (*done)
			return s->at == s->end;
		if (skip_char(s, ','))
			return !s->levels[s->depth - 1].object || scan_key(s);
		if (!close_level(s))
			return false;
	}
}

static bool
scan_document(JsonScan *s)
{
	bool done = false;
	bool inner;

	while (!done)
	{
		if (!scan_value(s, &inner))
			return false;
		if (!inner && !scan_next(s, &done))
			return false;
	}
	return true;
}

/* The document with its replacements. */
static Slice
finished(JsonScan *s)
{
	if (s->copied == NULL)
		return s->c->in;
	buffer_append(s->c->scratch, s->copied, (size_t) (s->end - s->copied));
	return conversion_scratch(s->c, s->start);
}

bool
convert_json(Conversion *c)
{
	static const Slice json_null = { "null", 4 };
	JsonScan s;
	Slice document;
	int max = c->column->max_depth;

	s.c = c;
	s.at = c->in.data;
	s.end = c->in.data + c->in.len;
	s.depth = 0;
	s.max_depth = max > 0 && max < MAX_LEVELS ? max : MAX_LEVELS;
	s.start = c->scratch->len;
	s.copied = NULL;
	s.loss = LOSS_NONE;
	if (!scan_document(&s))
		return s.loss == LOSS_JSON_DEPTH
				   ? conversion_lose(c, s.loss, NEAR_NONE, json_null, s.culprit)
				   : conversion_unreadable(c, "JSON");
	document = finished(&s);
	c->out->bytes = document;
	c->out->loss = s.loss;
	return s.loss == LOSS_NONE || s.loss == LOSS_JSON_SCALE ||
		   conversion_lose(c, s.loss, NEAR_SAME, document, s.culprit);
}
