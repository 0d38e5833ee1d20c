/*
 * shape_loss.c
 *		See shape_loss.h.
 *
 * What a type modifier means is the type's own business: numeric packs precision
 * and scale (numeric.c, make_numeric_typmod), character types count from 4, the
 * date and time types have the digits of a second as they are.
 */
#include "stream/shape_loss.h"

#include <string.h>

#define TYPMOD_HEADER 4
#define SECOND_DIGITS_MAX 6

/*
 * Their input takes what another type prints, and makes less or something else
 * of it: a date of a timestamp, true of 1.
 */
static const char *const reinterpreting[] = {
	"float4", "date", "time", "timetz", "timestamp", "timestamptz", "interval",
	"bool",	  "name", "char", "bpchar", "money",	 "jsonb"
};

/* An array's values are those of its elements. */
static const char *
element_name(const ShapeColumn *column)
{
	return column->type_name[0] == '_' ? column->type_name + 1
									   : column->type_name;
}

static bool
name_is(const ShapeColumn *column, const char *name)
{
	return strcmp(element_name(column), name) == 0;
}

static int
precision_of(int32_t typmod)
{
	return ((typmod - TYPMOD_HEADER) >> 16) & 0xffff;
}

static int
scale_of(int32_t typmod)
{
	return (typmod - TYPMOD_HEADER) & 0x7ff;
}

static bool
numeric_fits(const ShapeColumn *actual, const ShapeColumn *known)
{
	return known->typmod >= 0 &&
		   scale_of(actual->typmod) == scale_of(known->typmod) &&
		   precision_of(actual->typmod) >= precision_of(known->typmod);
}

/* Both of the same type, with other modifiers. */
static bool
modifier_fits(const ShapeColumn *actual, const ShapeColumn *known)
{
	if (actual->typmod < 0)
		return !name_is(actual, "bpchar");
	if (name_is(actual, "numeric"))
		return numeric_fits(actual, known);
	/* character(n) is filled up with blanks, bit(n) has exactly n */
	if (name_is(actual, "bpchar") || name_is(actual, "bit") ||
		name_is(actual, "interval"))
		return false;
	if (known->typmod < 0)
		return actual->typmod >= SECOND_DIGITS_MAX &&
			   !name_is(actual, "varchar") && !name_is(actual, "varbit");
	return actual->typmod >= known->typmod;
}

static bool
fits(const ShapeColumn *actual, const ShapeColumn *known)
{
	if (strcmp(actual->type_schema, "pg_catalog") != 0)
		return true; /* it has checks of its own, or is the same */
	if (strcmp(actual->type_name, known->type_name) == 0)
		return actual->typmod == known->typmod || modifier_fits(actual, known);
	for (size_t i = 0; i < sizeof(reinterpreting) / sizeof(reinterpreting[0]);
		 i++)
	{
		if (name_is(actual, reinterpreting[i]))
			return false;
	}
	return !name_is(actual, "numeric") || actual->typmod < 0;
}

const ShapeColumn *
shape_loss(const Shape *actual, const Shape *known)
{
	for (int i = 0; i < known->column_count; i++)
	{
		const ShapeColumn *column = shape_column_named(actual,
													   known->columns[i].name);

		if (column != NULL && !fits(column, &known->columns[i]))
			return &known->columns[i];
	}
	return NULL;
}
