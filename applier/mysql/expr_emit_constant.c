/*
 * expr_emit_constant.c
 *		Constants: what they are is told by what stands beside them.
 */
#include "mysql/expr_emit.h"

#include <ctype.h>
#include <stdio.h>

bool
expr_cannot(Emitter *self, const char *fmt, ...)
{
	char why[256];
	va_list args;

	if (self->out->why != NULL)
		return false;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	self->out->why = arena_strdup(self->scope->arena, why);
	return false;
}

void
value_set(Value *value, Family family, const char *sql)
{
	memset(value, 0, sizeof(*value));
	value->family = family;
	value->sql = sql;
	value->length = -1;
}

bool
family_is_number(Family family)
{
	return family == FAMILY_INTEGER || family == FAMILY_DECIMAL ||
		   family == FAMILY_DOUBLE;
}

bool
family_is_time(Family family)
{
	return family == FAMILY_DATE || family == FAMILY_DATETIME;
}

/* ---- constants */

static const char *
quoted(Emitter *self, const char *text)
{
	Buffer sql;
	const char *result;

	buffer_init(&sql);
	my_quote_text(&sql, slice_of(text));
	result = arena_strndup(self->scope->arena, sql.data, sql.len);
	buffer_release(&sql);
	return result;
}

/* "-12.50": its digits; false if it is no plain number. */
static bool
number_digits(const char *text, int *precision, int *scale)
{
	const char *p = text + (*text == '-' || *text == '+');
	const char *point = strchr(p, '.');
	size_t digits = strspn(p, "0123456789.");

	if (digits == 0 || p[digits] != '\0' || strrchr(p, '.') != point ||
		digits > EXPR_DECIMAL_DIGITS_MAX)
		return false;
	*scale = point != NULL ? (int) strlen(point + 1) : 0;
	*precision = (int) digits - (point != NULL);
	return true;
}

static bool
settle_number(Emitter *self, Value *value, Family peer)
{
	int precision;
	int scale;

	if (!number_digits(value->constant->text, &precision, &scale))
		return expr_cannot(self, "the constant %.40s is no plain number",
						   value->constant->text);
	value->precision = precision;
	value->scale = scale;
	value->family = peer == FAMILY_DOUBLE ? FAMILY_DOUBLE
					: scale > 0			  ? FAMILY_DECIMAL
										  : FAMILY_INTEGER;
	value->sql = value->constant->text;
	return true;
}

/* "2020-01-31", "2020-01-31 10:00:00.5" */
static bool
is_time_text(const char *text, Family family)
{
	static const char form[] = "dddd-dd-dd dd:dd:dd";
	size_t len = family == FAMILY_DATE ? 10 : sizeof(form) - 1;

	for (size_t i = 0; i < len; i++)
	{
		if (form[i] == 'd' ? !isdigit((unsigned char) text[i])
						   : text[i] != form[i])
			return false;
	}
	return text[len] == '\0' ||
		   (family == FAMILY_DATETIME && text[len] == '.' &&
			strspn(text + len + 1, "0123456789") == strlen(text + len + 1));
}

static bool
settle_text(Emitter *self, Value *value, Family family)
{
	value->sql = quoted(self, value->constant->text);
	value->family = family;
	value->length = (int64_t) strlen(value->constant->text);
	value->ordered = true;
	return true;
}

/* What the constant alone says that it is. */
static Family
own_family(const Value *value)
{
	if (value->constant->kind == PG_EXPR_NUMBER)
		return FAMILY_INTEGER;
	if (value->type == NULL || strcmp(value->type, "text") == 0 ||
		strncmp(value->type, "character varying", 17) == 0)
		return FAMILY_TEXT;
	if (strcmp(value->type, "integer") == 0 ||
		strcmp(value->type, "bigint") == 0 ||
		strcmp(value->type, "smallint") == 0 ||
		strncmp(value->type, "numeric", 7) == 0)
		return FAMILY_INTEGER;
	if (strcmp(value->type, "double precision") == 0)
		return FAMILY_DOUBLE;
	if (strcmp(value->type, "date") == 0)
		return FAMILY_DATE;
	if (strcmp(value->type, "boolean") == 0)
		return FAMILY_BOOLEAN;
	return strncmp(value->type, "timestamp", 9) == 0 &&
				   strstr(value->type, "with time zone") == NULL
			   ? FAMILY_DATETIME
			   : FAMILY_OPAQUE;
}

/* Make SQL of a constant that stands beside a value of that family. */
static bool
settle_as(Emitter *self, Value *value, Family family)
{
	const char *text = value->constant->text;

	if (family_is_number(family))
		return settle_number(self, value, family);
	if (family == FAMILY_TEXT || family == FAMILY_PADDED)
		return settle_text(self, value, family);
	if (family == FAMILY_BOOLEAN && (text[0] == 't' || text[0] == 'f'))
	{
		value->sql = text[0] == 't' ? "TRUE" : "FALSE";
		value->family = family;
		return true;
	}
	if (family_is_time(family) && is_time_text(text, own_family(value)))
	{
		settle_text(self, value, own_family(value));
		return true;
	}
	return expr_cannot(self, "the constant %.40s is not known here", text);
}

bool
value_settle(Emitter *self, Value *value, const Value *peer)
{
	const WorkColumn *column = peer != NULL ? peer->column : NULL;

	if (value->sql != NULL)
		return true;
	if (peer == NULL || peer->sql == NULL)
		return settle_as(self, value, own_family(value));
	if (column == NULL || family_is_number(peer->family) ||
		peer->family == FAMILY_TEXT || peer->family == FAMILY_PADDED)
		return settle_as(self, value, peer->family);
	if (peer->family == FAMILY_OPAQUE)
		return expr_cannot(self, "column %s is no such value on the target",
						   column->map.name);
	value->sql = column_literal(column, value->constant->text,
								self->scope->arena);
	value->family = peer->family;
	return value->sql != NULL ||
		   expr_cannot(self, "the target cannot hold %.40s",
					   value->constant->text);
}
