/*
 * translate_type_number.c
 *		Numbers, bits and times.
 */
#include "mysql/translate_type.h"

#define DECIMAL_DIGITS_MAX 65
#define DECIMAL_SCALE_MAX_MYSQL 30
#define DECIMAL_SCALE_MAX_MARIADB 38
#define DECIMAL_FREE_SCALE 30
#define SECOND_DIGITS_MAX 6
#define BITS_MAX 64
#define NUMBER_TEXT_CHARS 32 /* of a double, money, or a special value */
#define TIME_TEXT_CHARS 48

/* ---- numbers */

/* Of so many digits: nine take four bytes. */
static int
digits_bytes(int digits)
{
	static const int rest[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4 };

	return digits / 9 * 4 + rest[digits % 9];
}

static void
set_decimal(WorkColumn *column, int precision, int scale, Arena *arena)
{
	type_set(column, arena_printf(arena, "decimal(%d,%d)", precision, scale),
			 CONVERT_DECIMAL, FAMILY_DECIMAL,
			 digits_bytes(precision - scale) + digits_bytes(scale));
	column->map.precision = precision;
	column->map.scale = scale;
}

static void
free_numeric(WorkColumn *column, Arena *arena)
{
	if (type_take_text(column, 0, arena))
		return;
	set_decimal(column, DECIMAL_DIGITS_MAX, DECIMAL_FREE_SCALE, arena);
	type_note_loss(
		column, arena,
		"NaN, infinity, more than 35 digits before the point or more than "
		"30 behind it, which numeric may have");
}

void
type_numeric(const TranslateTarget *target, WorkColumn *column, int32_t typmod,
			 Arena *arena)
{
	int scale_max = target->mariadb ? DECIMAL_SCALE_MAX_MARIADB
									: DECIMAL_SCALE_MAX_MYSQL;
	int precision = (typmod - TYPMOD_HEADER) >> 16 & 0xffff;
	int scale = (((typmod - TYPMOD_HEADER) & 0x7ff) ^ 1024) - 1024;
	int width = scale > precision ? scale : precision;

	if (typmod < TYPMOD_HEADER)
	{
		free_numeric(column, arena);
		return;
	}
	if (type_take_text(column,
					   width + (scale < 0 ? -scale : 0) + NUMBER_TEXT_CHARS,
					   arena))
		return;
	if (scale < 0)
	{
		width = precision - scale; /* 12300 has five digits */
		scale = 0;
	}
	if (width <= DECIMAL_DIGITS_MAX && scale <= scale_max)
	{
		set_decimal(column, width, scale, arena);
		type_note_loss(column, arena, "NaN and infinity");
		return;
	}
	set_decimal(column, width < DECIMAL_DIGITS_MAX ? width : DECIMAL_DIGITS_MAX,
				scale < scale_max ? scale : scale_max, arena);
	work_column_note(column, arena,
					 column->map.policy == LOSS_ERROR ? SEVERITY_ERROR
													  : SEVERITY_WARNING,
					 "the target's decimal has %d digits at most, %d of them "
					 "behind the point: %s",
					 DECIMAL_DIGITS_MAX, scale_max,
					 column->map.policy == LOSS_ERROR
						 ? "choose by --on-loss, for example text"
						 : type_policy_words(column->map.policy));
}

void
type_double(const TranslateTarget *target, WorkColumn *column, Arena *arena)
{
	if (type_take_text(column, NUMBER_TEXT_CHARS, arena))
		return;
	type_set(column, "double", CONVERT_DOUBLE, FAMILY_DOUBLE, 8);
	column->map.keep_sign = !target->mariadb;
	type_note_loss(column, arena,
				   target->mariadb ? "NaN, infinity and -0"
								   : "NaN and infinity");
}

void
type_money(WorkColumn *column, Arena *arena)
{
	if (type_take_text(column, NUMBER_TEXT_CHARS, arena))
		return;
	set_decimal(column, 19, 2, arena);
	column->map.convert = CONVERT_MONEY;
	work_column_note(column, arena, SEVERITY_NOTE, "without the currency sign");
}

void
type_bits(WorkColumn *column, int32_t bits, bool varying, Arena *arena)
{
	if (!varying && bits > 0 && bits <= BITS_MAX)
		type_set(column, arena_printf(arena, "bit(%d)", (int) bits),
				 CONVERT_BITS, FAMILY_OPAQUE, ((int) bits + 7) / 8);
	else if (bits > 0 && bits <= VARCHAR_CHARS_MAX)
		type_set_varchar(column, bits, CONVERT_ASCII, FAMILY_WORD, true, arena);
	else
	{
		type_set_text(column, true, FAMILY_WORD);
		column->map.convert = CONVERT_ASCII;
	}
	if (column->map.convert == CONVERT_ASCII)
		work_column_note(column, arena, SEVERITY_NOTE, "as text of 0 and 1");
}

/* ---- times */

static int
second_digits(int32_t typmod)
{
	return typmod >= 0 && typmod < SECOND_DIGITS_MAX ? (int) typmod
													 : SECOND_DIGITS_MAX;
}

void
type_date(WorkColumn *column, Arena *arena)
{
	if (type_take_text(column, TIME_TEXT_CHARS, arena))
		return;
	type_set(column, "date", CONVERT_DATE, FAMILY_DATE, 3);
	type_note_loss(column, arena, "infinity, years before 1 or beyond 9999");
}

void
type_timestamp(WorkColumn *column, int32_t typmod, bool zone, Arena *arena)
{
	int digits = second_digits(typmod);

	if (type_take_text(column, TIME_TEXT_CHARS, arena))
		return;
	type_set(column,
			 digits > 0 ? arena_printf(arena, "datetime(%d)", digits)
						: "datetime",
			 zone ? CONVERT_UTC : CONVERT_DATETIME,
			 zone ? FAMILY_UTC : FAMILY_DATETIME, 5 + (digits + 1) / 2);
	column->map.precision = digits;
	if (zone)
		work_column_note(column, arena, SEVERITY_NOTE,
						 "in UTC, whatever the session's time zone");
	type_note_loss(column, arena, "infinity, years before 1 or beyond 9999");
}

void
type_time(WorkColumn *column, int32_t typmod, Arena *arena)
{
	int digits = second_digits(typmod);

	type_set(column,
			 digits > 0 ? arena_printf(arena, "time(%d)", digits) : "time",
			 CONVERT_TIME, FAMILY_TIME, 3 + (digits + 1) / 2);
	column->map.precision = digits;
}
