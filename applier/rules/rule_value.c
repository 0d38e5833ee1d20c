/*
 * rule_value.c
 *		What an expression gave becomes a value in the stream's form: what
 *		PostgreSQL prints, bytes for bytea.
 */
#include <string.h>

#include "base/hex.h"
#include "rules/rule_row.h"

#define BOOL_OID 16

static void
take_text(Slice text, Arena *arena, Value *to)
{
	to->state = WIRE_COL_PRESENT;
	to->len = (uint32_t) text.len;
	to->data = arena_strndup(arena, text.data, text.len);
}

/* "\x..." as PostgreSQL prints bytes; any other text is its own bytes. */
static bool
take_bytes(const ExprValue *from, Arena *arena, Value *to, Error *err)
{
	const char *in = from->text.data;
	size_t count = from->text.len / 2 - 1;
	char *bytes;

	if (from->kind == EXPR_BLOB || from->text.len < 2 || in[0] != '\\' ||
		in[1] != 'x')
	{
		take_text(from->text, arena, to);
		return true;
	}
	bytes = arena_alloc(arena, count + 1);
	if (!hex_get(bytes, in + 2, count))
		return error_set(err, P_RULE_VALUE,
						 "the text for bytea has no hexadecimal digits");
	if (from->text.len % 2 != 0)
		return error_set(err, P_RULE_VALUE,
						 "the text for bytea has an odd number of digits");
	bytes[count] = '\0';
	*to = (Value){ bytes, (uint32_t) count, WIRE_COL_PRESENT };
	return true;
}

static bool
take_bool(const ExprValue *from, Arena *arena, Value *to, Error *err)
{
	if (from->kind == EXPR_INTEGER)
	{
		take_text(slice_of(from->integer != 0 ? "t" : "f"), arena, to);
		return true;
	}
	if (from->kind == EXPR_TEXT)
	{
		take_text(from->text, arena, to);
		return true;
	}
	return error_set(err, P_RULE_VALUE, "%.*s is no boolean",
					 (int) from->text.len, from->text.data);
}

bool
rule_value(const ExprValue *from, const RuleColumn *as, Arena *arena, Value *to,
		   Error *err)
{
	if (from->kind == EXPR_NULL)
	{
		*to = (Value){ NULL, 0, WIRE_COL_NULL };
		return true;
	}
	if (from->text.len > UINT32_MAX)
		return error_set(err, P_RULE_VALUE, "the value is too large");
	if (as->base_type_oid == BYTEA_OID)
		return take_bytes(from, arena, to, err);
	if (from->kind == EXPR_BLOB)
		return error_set(err, P_RULE_VALUE,
						 "the value is bytes, and the column is %s",
						 as->type_name);
	if (as->base_type_oid == BOOL_OID)
		return take_bool(from, arena, to, err);
	if (memchr(from->text.data, '\0', from->text.len) != NULL)
		return error_set(err, P_RULE_VALUE, "the text has a zero byte");
	take_text(from->text, arena, to);
	return true;
}
