/*
 * expr_scan.c
 *		See expr_scan.h.
 */
#include "expr/expr_scan.h"

#include <sqlite3.h>
#include <string.h>

#include "base/mem.h"

/* What looks at the tokens may take the square of their number. */
#define EXPRESSION_BYTES 65536

typedef struct Scan
{
	const char *text;
	Arena *arena;
	ExprTokens *tokens;
	int capacity;
	int open; /* innermost parenthesis, or -1 */
	Error *err;
} Scan;

/* Not isalpha(): neither the locale nor the sign of a char may matter. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		   (c & 0x80) != 0;
}

static bool
is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* SQLite takes the mark of byte order for a space, wherever a token may begin. */
static int
space_length(const char *p)
{
	if (*p == ' ' || (*p >= '\t' && *p <= '\r' && *p != '\v'))
		return 1;
	return memcmp(p, "\xEF\xBB\xBF", strnlen(p, 3) == 3 ? 3 : 0) == 0 &&
				   strnlen(p, 3) == 3
			   ? 3
			   : 0;
}

static ExprToken *
add(Scan *scan, ExprTokenKind kind, const char *start, int len)
{
	ExprTokens *tokens = scan->tokens;
	ExprToken *token;

	if (tokens->count == scan->capacity)
	{
		ExprToken *more = ARENA_ARRAY(scan->arena, ExprToken,
									  scan->capacity * 2);

		memcpy(more, tokens->items, (size_t) tokens->count * sizeof(ExprToken));
		tokens->items = more;
		scan->capacity *= 2;
	}
	token = &tokens->items[tokens->count++];
	token->kind = kind;
	token->start = (int) (start - scan->text);
	token->len = len;
	token->text = arena_strndup(scan->arena, start, (size_t) len);
	token->open = scan->open;
	token->match = -1;
	return token;
}

/* Length with both quotes; 0 if there is no end. */
static int
quoted_length(const char *p)
{
	char quote = *p == '[' ? ']' : *p;
	const char *q = p + 1;

	for (; *q != '\0'; q++)
	{
		if (*q != quote)
			continue;
		if (quote == ']' || q[1] != quote)
			return (int) (q - p) + 1;
		q++;
	}
	return 0;
}

/* What the quotes are around; doubled ones are one. */
static const char *
unquoted(Scan *scan, const char *p, int len)
{
	char quote = *p == '[' ? ']' : *p;
	char *text = arena_alloc(scan->arena, (size_t) len);
	size_t n = 0;
	int i;

	for (i = 1; i < len - 1; i++)
	{
		text[n++] = p[i];
		if (p[i] == quote)
			i++;
	}
	text[n] = '\0';
	return text;
}

static int
quoted(Scan *scan, const char *p)
{
	int len = quoted_length(p);
	ExprToken *token;

	if (len == 0)
	{
		error_set(scan->err, P_RULE,
				  "%s that begins at character %d has no end",
				  *p == '\'' ? "the string" : "the quoted name",
				  (int) (p - scan->text) + 1);
		return 0;
	}
	token = add(scan, *p == '\'' ? EXPR_TOKEN_STRING : EXPR_TOKEN_NAME, p, len);
	token->text = unquoted(scan, p, len);
	return len;
}

static int
blob(Scan *scan, const char *p)
{
	int len = 2;

	while (is_hex(p[len]))
		len++;
	if (p[len] != '\'' || len % 2 != 0)
	{
		error_set(scan->err, P_RULE,
				  "the blob at character %d is not pairs of hexadecimal digits",
				  (int) (p - scan->text) + 1);
		return 0;
	}
	add(scan, EXPR_TOKEN_BLOB, p, len + 1);
	return len + 1;
}

static int
number(Scan *scan, const char *p)
{
	const char *q = p;

	if (*q == '0' && (q[1] == 'x' || q[1] == 'X') && is_hex(q[2]))
	{
		for (q += 3; is_hex(*q); q++)
			;
	}
	else
	{
		while (is_digit(*q))
			q++;
		if (*q == '.')
		{
			for (q++; is_digit(*q); q++)
				;
		}
		if ((*q == 'e' || *q == 'E') &&
			(is_digit(q[1]) ||
			 ((q[1] == '+' || q[1] == '-') && is_digit(q[2]))))
		{
			for (q += 2; is_digit(*q); q++)
				;
		}
	}
	if (is_word(*q))
	{
		error_set(scan->err, P_RULE, "the number at character %d is none",
				  (int) (p - scan->text) + 1);
		return 0;
	}
	add(scan, EXPR_TOKEN_NUMBER, p, (int) (q - p));
	return (int) (q - p);
}

static int
close_parenthesis(Scan *scan, const char *p)
{
	ExprToken *items = scan->tokens->items;
	int open = scan->open;

	if (open < 0)
	{
		error_set(scan->err, P_RULE,
				  "the parenthesis at character %d closes nothing",
				  (int) (p - scan->text) + 1);
		return 0;
	}
	scan->open = items[open].open;
	items[open].match = scan->tokens->count;
	add(scan, EXPR_TOKEN_SIGN, p, 1)->match = open;
	return 1;
}

static int
sign(Scan *scan, const char *p)
{
	static const char *const signs[] = { "->>", "->", "<=", "<>", "<<",
										 ">=",	">>", "==", "!=", "||",
										 "(",	")",  ",",	"+",  "-",
										 "*",	"/",  "%",	"=",  "<",
										 ">",	"|",  "&",	"~",  "." };
	size_t i;

	if (*p == ')')
		return close_parenthesis(scan, p);
	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++)
	{
		int len = (int) strlen(signs[i]);

		if (strncmp(p, signs[i], (size_t) len) != 0)
			continue;
		add(scan, EXPR_TOKEN_SIGN, p, len);
		if (*p == '(')
			scan->open = scan->tokens->count - 1;
		return len;
	}
	if (*p == ';')
		error_set(scan->err, P_RULE,
				  "the ; at character %d: one expression only",
				  (int) (p - scan->text) + 1);
	else if (strchr("?:@$#", *p) != NULL)
		error_set(scan->err, P_RULE,
				  "the parameter at character %d: expressions have none",
				  (int) (p - scan->text) + 1);
	else
		error_set(scan->err, P_RULE,
				  "the byte 0x%02x at character %d means nothing in SQL",
				  (unsigned char) *p, (int) (p - scan->text) + 1);
	return 0;
}

/* Length of a comment, 0 if there is none here, -1 with an error. */
static int
comment(Scan *scan, const char *p)
{
	const char *end;

	if (p[0] == '-' && p[1] == '-')
		return (int) strcspn(p, "\n");
	if (p[0] != '/' || p[1] != '*')
		return 0;
	end = strstr(p + 2, "*/");
	if (end != NULL)
		return (int) (end - p) + 2;
	error_set(scan->err, P_RULE,
			  "the comment that begins at character %d has no end",
			  (int) (p - scan->text) + 1);
	return -1;
}

/* Length of the token at p, which is added; 0 with an error. */
static int
token(Scan *scan, const char *p)
{
	int len;

	if (*p == '\'' || *p == '"' || *p == '`' || *p == '[')
		return quoted(scan, p);
	if ((*p == 'x' || *p == 'X') && p[1] == '\'')
		return blob(scan, p);
	if (is_digit(*p) || (*p == '.' && is_digit(p[1])))
		return number(scan, p);
	if (!is_word_start(*p))
		return sign(scan, p);
	for (len = 1; is_word(p[len]); len++)
		;
	add(scan, EXPR_TOKEN_WORD, p, len);
	return len;
}

/* SQLite takes orders.'id' for a column. */
static void
name_strings(ExprTokens *tokens)
{
	int i;

	for (i = 0; i < tokens->count; i++)
	{
		if (tokens->items[i].kind == EXPR_TOKEN_STRING &&
			(expr_token_sign(tokens, i - 1, ".") ||
			 expr_token_sign(tokens, i + 1, ".")))
			tokens->items[i].kind = EXPR_TOKEN_NAME;
	}
}

bool
expr_scan(const char *text, Arena *arena, ExprTokens *tokens, Error *err)
{
	Scan scan = { text, arena, tokens, 16, -1, err };
	const char *p = text;

	if (strlen(text) > EXPRESSION_BYTES)
		return error_set(err, P_RULE, "the expression is longer than %d bytes",
						 EXPRESSION_BYTES);
	tokens->source = text;
	tokens->items = ARENA_ARRAY(arena, ExprToken, scan.capacity);
	tokens->count = 0;
	while (*p != '\0')
	{
		int len = space_length(p);

		if (len == 0)
			len = comment(&scan, p);
		if (len < 0)
			return false;
		if (len == 0 && (len = token(&scan, p)) == 0)
			return false;
		p += len;
	}
	if (tokens->count == 0)
		return error_set(err, P_RULE, "the expression is empty");
	if (scan.open >= 0)
		return error_set(err, P_RULE,
						 "the parenthesis at character %d is not closed",
						 tokens->items[scan.open].start + 1);
	name_strings(tokens);
	return true;
}

bool
expr_same_name(const char *a, const char *b)
{
	return sqlite3_stricmp(a, b) == 0;
}

static bool
is_kind(const ExprTokens *tokens, int i, ExprTokenKind kind)
{
	return i >= 0 && i < tokens->count && tokens->items[i].kind == kind;
}

bool
expr_token_word(const ExprTokens *tokens, int i, const char *word)
{
	return is_kind(tokens, i, EXPR_TOKEN_WORD) &&
		   expr_same_name(tokens->items[i].text, word);
}

bool
expr_token_sign(const ExprTokens *tokens, int i, const char *text)
{
	return is_kind(tokens, i, EXPR_TOKEN_SIGN) &&
		   strcmp(tokens->items[i].text, text) == 0;
}

bool
expr_token_one_of(const ExprTokens *tokens, int i, const char *const *words)
{
	for (; *words != NULL; words++)
	{
		if (expr_token_word(tokens, i, *words) ||
			expr_token_sign(tokens, i, *words))
			return true;
	}
	return false;
}

bool
expr_token_is_name(const ExprTokens *tokens, int i)
{
	return is_kind(tokens, i, EXPR_TOKEN_WORD) ||
		   is_kind(tokens, i, EXPR_TOKEN_NAME);
}

bool
expr_token_name(const ExprTokens *tokens, int i, const char *name)
{
	return expr_token_is_name(tokens, i) &&
		   expr_same_name(tokens->items[i].text, name);
}

bool
expr_token_call(const ExprTokens *tokens, int i)
{
	return expr_token_is_name(tokens, i) && expr_token_sign(tokens, i + 1, "(");
}

/* Words that a parenthesis may follow without a call. */
static bool
is_operator_word(const ExprTokens *tokens, int i)
{
	static const char *const words[] = {
		"AND",	  "OR",		"NOT",		 "IN",		"IS",	  "LIKE",
		"GLOB",	  "REGEXP", "MATCH",	 "BETWEEN", "ESCAPE", "CASE",
		"WHEN",	  "THEN",	"ELSE",		 "SELECT",	"FROM",	  "WHERE",
		"ON",	  "USING",	"BY",		 "HAVING",	"LIMIT",  "OFFSET",
		"EXISTS", "VALUES", "AS",		 "JOIN",	"ALL",	  "DISTINCT",
		"UNION",  "EXCEPT", "INTERSECT", "OVER",	"FILTER", "COLLATE",
		"NULL",	  "END"
	};
	size_t w;

	for (w = 0; w < sizeof(words) / sizeof(*words); w++)
	{
		if (expr_token_word(tokens, i, words[w]))
			return true;
	}
	return false;
}

int
expr_token_caller(const ExprTokens *tokens, int open)
{
	if (open <= 0 || !expr_token_is_name(tokens, open - 1) ||
		is_operator_word(tokens, open - 1))
		return -1;
	return open - 1;
}
