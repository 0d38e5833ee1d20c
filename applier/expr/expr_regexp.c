/*
 * expr_regexp.c
 *		text REGEXP pattern and regexp_replace(), by PCRE2.
 *
 * Patterns are compiled once and kept, the last used of them (PATTERNS_KEPT).  A
 * match that backtracks without end is ended by PCRE2's own limits and fails; \C,
 * which could cut a character in two, is not there.  Letters are those of Unicode;
 * \w and \d are ASCII unless the pattern begins with (*UCP).
 */
#include "expr/expr_db.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/mem.h"

#define PATTERNS_KEPT 32
#define PATTERN_BYTES_MAX 10000
#define MATCH_LIMIT 1000000
#define HEAP_LIMIT_KB 65536
#define JIT_STACK_MIN 32768
#define JIT_STACK_MAX 1048576

typedef struct Pattern
{
	char *text;
	size_t len;
	uint32_t options;
	pcre2_code *code;
	pcre2_match_data *data;
	uint64_t used;
} Pattern;

struct ExprPatterns
{
	Pattern kept[PATTERNS_KEPT];
	Pattern *last;
	uint64_t clock;
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_jit_stack *stack;
};

static void
pattern_free(Pattern *pattern)
{
	pcre2_match_data_free(pattern->data);
	pcre2_code_free(pattern->code);
	mem_free(pattern->text);
	memset(pattern, 0, sizeof(*pattern));
}

void
expr_patterns_free(struct ExprPatterns *patterns)
{
	int i;

	if (patterns == NULL)
		return;
	for (i = 0; i < PATTERNS_KEPT; i++)
		pattern_free(&patterns->kept[i]);
	pcre2_jit_stack_free(patterns->stack);
	pcre2_match_context_free(patterns->match);
	pcre2_compile_context_free(patterns->compile);
	mem_free(patterns);
}

static struct ExprPatterns *
patterns_of(ExprDb *db)
{
	struct ExprPatterns *patterns = db->patterns;

	if (patterns != NULL)
		return patterns;
	patterns = mem_zalloc(sizeof(*patterns));
	patterns->compile = pcre2_compile_context_create(NULL);
	patterns->match = pcre2_match_context_create(NULL);
	BUG_UNLESS(patterns->compile != NULL && patterns->match != NULL);
	pcre2_set_max_pattern_length(patterns->compile, PATTERN_BYTES_MAX);
	pcre2_set_match_limit(patterns->match, MATCH_LIMIT);
	pcre2_set_heap_limit(patterns->match, HEAP_LIMIT_KB);
	/* where there is no just-in-time compiler, this is NULL and means nothing */
	patterns->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX,
											 NULL);
	pcre2_jit_stack_assign(patterns->match, NULL, patterns->stack);
	db->patterns = patterns;
	return patterns;
}

static bool
is_pattern(const Pattern *pattern, Slice text, uint32_t options)
{
	return pattern->code != NULL && pattern->options == options &&
		   pattern->len == text.len &&
		   memcmp(pattern->text, text.data, text.len) == 0;
}

static bool
pattern_compile(sqlite3_context *context, const struct ExprPatterns *patterns,
				Pattern *pattern, Slice text, uint32_t options)
{
	int code;
	PCRE2_SIZE offset;
	PCRE2_UCHAR message[160];

	pattern->code = pcre2_compile((PCRE2_SPTR) text.data, text.len,
								  options | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
								  &code, &offset, patterns->compile);
	if (pattern->code == NULL)
	{
		pcre2_get_error_message(code, message, sizeof(message));
		expr_fail(context, "the pattern '%.200s' is wrong at character %zu: %s",
				  text.data, (size_t) offset + 1, (char *) message);
		return false;
	}
	pattern->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
	BUG_UNLESS(pattern->data != NULL);
	/* if it cannot be, it is interpreted */
	(void) pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	pattern->text = mem_alloc(text.len + 1);
	memcpy(pattern->text, text.data, text.len);
	pattern->text[text.len] = '\0';
	pattern->len = text.len;
	pattern->options = options;
	return true;
}

/* The compiled pattern; NULL with the call's error. */
static Pattern *
find_pattern(sqlite3_context *context, Slice text, uint32_t options)
{
	struct ExprPatterns *patterns = patterns_of(sqlite3_user_data(context));
	Pattern *pattern = &patterns->kept[0];
	int i;

	if (patterns->last != NULL && is_pattern(patterns->last, text, options))
		return patterns->last;
	for (i = 0; i < PATTERNS_KEPT; i++)
	{
		if (is_pattern(&patterns->kept[i], text, options))
		{
			pattern = &patterns->kept[i];
			break;
		}
		if (patterns->kept[i].used < pattern->used)
			pattern = &patterns->kept[i];
	}
	if (i == PATTERNS_KEPT)
	{
		patterns->last = NULL;
		pattern_free(pattern);
		if (!pattern_compile(context, patterns, pattern, text, options))
			return NULL;
	}
	pattern->used = ++patterns->clock;
	patterns->last = pattern;
	return pattern;
}

/* How many groups, 0 if there is no match, -1 with the call's error. */
static int
match(sqlite3_context *context, Pattern *pattern, Slice text, size_t from)
{
	ExprDb *db = sqlite3_user_data(context);
	PCRE2_UCHAR message[160];
	int code = pcre2_match(pattern->code, (PCRE2_SPTR) text.data, text.len,
						   from, 0, pattern->data, db->patterns->match);

	if (code > 0)
		return code;
	if (code == PCRE2_ERROR_NOMATCH)
		return 0;
	pcre2_get_error_message(code, message, sizeof(message));
	expr_fail(context, "the pattern '%.200s' cannot be matched: %s",
			  pattern->text, (char *) message);
	return -1;
}

static bool
text_arguments(sqlite3_context *context, int count, sqlite3_value **values,
			   Slice *texts)
{
	int i;

	for (i = 0; i < count; i++)
	{
		if (sqlite3_value_type(values[i]) == SQLITE_NULL)
			return false;
	}
	for (i = 0; i < count; i++)
	{
		texts[i] = expr_argument(values[i]);
		if (texts[i].data == NULL)
		{
			sqlite3_result_error_nomem(context);
			return false;
		}
	}
	return true;
}

/* SQLite calls text REGEXP pattern as regexp(pattern, text). */
static void
call_regexp(sqlite3_context *context, int count, sqlite3_value **values)
{
	Slice texts[2] = { { NULL, 0 } };
	Pattern *pattern;
	int found;

	(void) count;
	if (!text_arguments(context, 2, values, texts))
		return;
	pattern = find_pattern(context, texts[0], 0);
	if (pattern == NULL)
		return;
	found = match(context, pattern, texts[1], 0);
	if (found >= 0)
		sqlite3_result_int(context, found > 0);
}

/* ---- regexp_replace */

/* The replacement, as PostgreSQL reads it: \1 to \9, \& for all, \\. */
static void
put_replacement(Buffer *out, Slice replacement, Slice text,
				const PCRE2_SIZE *groups, int count)
{
	size_t i;

	for (i = 0; i < replacement.len; i++)
	{
		char c = replacement.data[i];
		char next = i + 1 < replacement.len ? replacement.data[i + 1] : '\0';
		int group = next == '&' ? 0 : next - '0';

		if (c != '\\' || next == '\0')
		{
			buffer_putc(out, c);
			continue;
		}
		i++;
		if (next == '&' || (next >= '1' && next <= '9'))
		{
			if (group < count && groups[2 * group] != PCRE2_UNSET &&
				groups[2 * group + 1] > groups[2 * group])
				buffer_append(out, text.data + groups[2 * group],
							  groups[2 * group + 1] - groups[2 * group]);
		}
		else if (next == '\\')
			buffer_putc(out, '\\');
		else
		{
			buffer_putc(out, '\\');
			i--;
		}
	}
}

static size_t
next_character(Slice text, size_t at)
{
	for (at++; at < text.len && (text.data[at] & 0xC0) == 0x80; at++)
		;
	return at;
}

/* False with the call's error. */
static bool
replace(sqlite3_context *context, Pattern *pattern, Slice text,
		Slice replacement, bool all, Buffer *out)
{
	const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(pattern->data);
	size_t copied = 0;
	size_t from = 0;

	do
	{
		int count = match(context, pattern, text, from);

		if (count < 0)
			return false;
		if (count == 0)
			break;
		/* \K in a lookahead can put the beginning behind the end */
		if (groups[0] > groups[1] || groups[0] < copied)
		{
			expr_fail(context, "the pattern '%.200s' matches backwards",
					  pattern->text);
			return false;
		}
		buffer_append(out, text.data + copied, groups[0] - copied);
		put_replacement(out, replacement, text, groups, count);
		copied = groups[1];
		from = groups[1] > groups[0] ? groups[1]
									 : next_character(text, groups[1]);
		if (out->len > (size_t) EXPR_VALUE_MB * 1024 * 1024)
		{
			sqlite3_result_error_toobig(context);
			return false;
		}
	} while (all && from <= text.len);
	buffer_append(out, text.data + copied, text.len - copied);
	return true;
}

static bool
parse_flags(sqlite3_context *context, Slice flags, uint32_t *options, bool *all)
{
	size_t i;

	for (i = 0; i < flags.len; i++)
	{
		switch (flags.data[i])
		{
			case 'g':
				*all = true;
				break;
			case 'i':
				*options |= PCRE2_CASELESS;
				break;
			case 'm':
				*options |= PCRE2_MULTILINE;
				break;
			case 's':
				*options |= PCRE2_DOTALL;
				break;
			case 'x':
				*options |= PCRE2_EXTENDED;
				break;
			default:
				expr_fail(context,
						  "regexp_replace: there is no flag '%.20s'; g, i, m, "
						  "s and x are",
						  flags.data + i);
				return false;
		}
	}
	return true;
}

static void
call_regexp_replace(sqlite3_context *context, int count, sqlite3_value **values)
{
	Slice texts[4] = { { NULL, 0 } };
	uint32_t options = 0;
	bool all = false;
	Pattern *pattern;
	Buffer out;

	if (!text_arguments(context, count == 4 ? 4 : 3, values, texts) ||
		(count == 4 && !parse_flags(context, texts[3], &options, &all)))
		return;
	pattern = find_pattern(context, texts[1], options);
	if (pattern == NULL)
		return;
	buffer_init(&out);
	if (replace(context, pattern, texts[0], texts[2], all, &out))
		sqlite3_result_text64(context, out.data, out.len, SQLITE_TRANSIENT,
							  SQLITE_UTF8);
	buffer_release(&out);
}

bool
expr_add_regexp(ExprDb *db, Error *err)
{
	static const ExprFunction functions[] = {
		{ "regexp", 2, true, call_regexp },
		{ "regexp_replace", 3, true, call_regexp_replace },
		{ "regexp_replace", 4, true, call_regexp_replace },
	};

	return expr_register(db, functions,
						 (int) (sizeof(functions) / sizeof(*functions)), err);
}
