/*
 * pg_expr_scan.c
 *		See pg_expr_scan.h.
 */
#include "mysql/pg_expr_scan.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"

/* 'text' or "name": the quote doubled inside; with E, backslashes as well. */
static bool
scan_quoted(Scanner *self, char quote, bool escapes)
{
	Buffer text;
	const char *p = self->next + 1;
	bool closed = false;
	bool escaped;

	buffer_init(&text);
	for (; *p != '\0' && !closed; p++)
	{
		if (*p == quote && p[1] != quote)
		{
			closed = true;
			continue;
		}
		escaped = escapes && *p == '\\';
		if (*p == quote || escaped)
			p++;
		/* \n and the like are never printed */
		if (*p == '\0' || (escaped && isalnum((unsigned char) *p)))
			break;
		buffer_putc(&text, *p);
	}
	self->next = p;
	self->token.text = arena_strndup(self->arena, text.data, text.len);
	buffer_release(&text);
	return closed;
}

static size_t
word_len(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char) p[len]) || p[len] == '_' || p[len] == '$' ||
		   (unsigned char) p[len] >= 0x80)
		len++;
	return len;
}

static size_t
number_len(const char *p)
{
	size_t len = strspn(p, "0123456789");

	if (p[len] == '.')
		len += 1 + strspn(p + len + 1, "0123456789");
	if ((p[len] == 'e' || p[len] == 'E') && len > 0)
	{
		size_t sign = p[len + 1] == '-' || p[len + 1] == '+' ? 1 : 0;
		size_t digits = strspn(p + len + 1 + sign, "0123456789");

		if (digits > 0)
			len += 1 + sign + digits;
	}
	return len;
}

/* "(", "::" ...: one character, or as many as make an operator. */
static size_t
sign_len(const char *p)
{
	static const char operators[] = "+-*/<>=~!@#%^&|`?";

	if (p[0] == ':' && p[1] == ':')
		return 2;
	return strspn(p, operators) > 0 ? strspn(p, operators)
									: strchr("()[],.:", *p) != NULL;
}

static void
take_token(Scanner *self, TokenKind kind, size_t len)
{
	self->token.kind = len == 0 ? TOKEN_BAD : kind;
	self->token.text = arena_strndup(self->arena, self->next, len);
	self->next += len;
}

void
scan_next(Scanner *self)
{
	const char *p = self->next + strspn(self->next, " \t\r\n");
	bool escaped = (*p == 'E' || *p == 'e') && p[1] == '\'';
	bool bits = (*p == 'B' || *p == 'b') && p[1] == '\'';

	self->next = escaped || bits ? p + 1 : p;
	self->token.start = p;
	if (*p == '\0')
		self->token.kind = TOKEN_END;
	else if (*p == '\'' || escaped || bits)
		self->token.kind = !scan_quoted(self, '\'', escaped) ? TOKEN_BAD
						   : bits							 ? TOKEN_BITS
															 : TOKEN_TEXT;
	else if (*p == '"')
		self->token.kind = scan_quoted(self, '"', false) ? TOKEN_NAME
														 : TOKEN_BAD;
	else if (isdigit((unsigned char) *p) ||
			 (*p == '.' && isdigit((unsigned char) p[1])))
		take_token(self, TOKEN_NUMBER, number_len(p));
	else if (word_len(p) > 0)
		take_token(self, TOKEN_WORD, word_len(p));
	else
		take_token(self, TOKEN_SIGN, sign_len(p));
}

bool
scan_at_sign(const Scanner *self, const char *sign)
{
	return self->token.kind == TOKEN_SIGN &&
		   strcmp(self->token.text, sign) == 0;
}

bool
scan_at_word(const Scanner *self, const char *word)
{
	return self->token.kind == TOKEN_WORD &&
		   strcasecmp(self->token.text, word) == 0;
}

bool
scan_take_sign(Scanner *self, const char *sign)
{
	if (!scan_at_sign(self, sign))
		return false;
	scan_next(self);
	return true;
}

bool
scan_take_word(Scanner *self, const char *word)
{
	if (!scan_at_word(self, word))
		return false;
	scan_next(self);
	return true;
}

/* One that is made of signs, no punctuation. */
bool
scan_at_operator(const Scanner *self)
{
	return self->token.kind == TOKEN_SIGN &&
		   strchr("()[],.:", self->token.text[0]) == NULL;
}
