/*
 * translate_type_set.c
 *		Filling a column in, and what is lost, in words.
 */
#include "mysql/translate_type.h"

#include <inttypes.h>
#include <stdio.h>

#define BLOB_ROW_BYTES 12

void
work_column_note(WorkColumn *column, Arena *arena, Severity severity,
				 const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	column->note = column->note[0] == '\0'
					   ? arena_strdup(arena, text)
					   : arena_printf(arena, "%s; %s", column->note, text);
	if (severity > column->severity)
		column->severity = severity;
}

void
type_set(WorkColumn *column, const char *type, ConvertKind convert,
		 Family family, int bytes)
{
	column->map.type = type;
	column->map.convert = convert;
	column->family = family;
	column->fixed_bytes = bytes;
}

/* longtext, longblob, json: no limit but the server's. */
void
type_set_blob(WorkColumn *column, const char *type, ConvertKind convert,
			  Family family)
{
	type_set(column, type, convert, family, BLOB_ROW_BYTES);
	column->char_bytes = 0;
	column->length = 0;
	column->blob = true;
}

void
work_column_length(WorkColumn *column, int64_t length, Arena *arena)
{
	const char *word = column->map.convert == CONVERT_BYTES ? "varbinary"
					   : strncmp(column->map.type, "char(", 5) == 0 ? "char"
																	: "varchar";

	if (column->char_bytes == 0)
		column->char_bytes = column->map.convert == CONVERT_BYTES ? 1
							 : column->charset[0] != '\0' &&
									 strcmp(column->charset, CHARSET_ASCII) == 0
								 ? 1
								 : CHAR_BYTES;
	column->length = length;
	column->blob = false;
	column->fixed_bytes = 0;
	column->map.type = arena_printf(arena, "%s(%" PRId64 ")", word, length);
	if (column->map.convert == CONVERT_BYTES)
		column->map.max_bytes = length;
	else
		column->map.max_chars = length;
}

void
type_set_varchar(WorkColumn *column, int64_t length, ConvertKind convert,
				 Family family, bool ascii, Arena *arena)
{
	type_set(column, "varchar", convert, family, 0);
	column->charset = ascii ? CHARSET_ASCII : column->charset;
	column->char_bytes = ascii ? 1 : CHAR_BYTES;
	work_column_length(column, length, arena);
}

void
type_set_text(WorkColumn *column, bool ascii, Family family)
{
	type_set_blob(column, "longtext", CONVERT_TEXT, family);
	column->charset = ascii ? CHARSET_ASCII : column->charset;
	column->free_length = true;
}

int64_t
work_column_row_bytes(const WorkColumn *column)
{
	int64_t bytes = column->length * column->char_bytes;
	bool variable = strncmp(column->map.type, "var", 3) == 0;

	if (column->left_out)
		return 0;
	return column->fixed_bytes + bytes + (variable ? bytes > 255 ? 2 : 1 : 0);
}

int64_t
work_column_key_bytes(const WorkColumn *column)
{
	if (column->blob || column->left_out)
		return -1;
	return column->fixed_bytes + column->length * column->char_bytes;
}

/* ---- what is lost, in words */

const char *
type_policy_words(LossPolicy policy)
{
	switch (policy)
	{
		case LOSS_ERROR:
			return "the migration stops at such a value, unless --on-loss says "
				   "otherwise";
		case LOSS_WARN:
			return "such values become what the target makes of them, and are "
				   "counted";
		case LOSS_CLAMP:
			return "such values become the nearest that it can hold, and are "
				   "counted";
		case LOSS_NULL:
			return "such values become NULL, and are counted";
		case LOSS_TEXT:
			break;
	}
	return "";
}

void
type_note_loss(WorkColumn *column, Arena *arena, const char *what)
{
	work_column_note(column, arena, SEVERITY_NOTE, "it cannot hold %s: %s",
					 what, type_policy_words(column->map.policy));
}

/* A column of text, since --on-loss says so; length 0: no limit. */
bool
type_take_text(WorkColumn *column, int64_t length, Arena *arena)
{
	if (column->map.policy != LOSS_TEXT)
		return false;
	if (length > 0)
		type_set_varchar(column, length, CONVERT_TEXT, FAMILY_OPAQUE, true,
						 arena);
	else
		type_set_text(column, true, FAMILY_OPAQUE);
	work_column_note(column, arena, SEVERITY_NOTE,
					 "as text, because of --on-loss: it holds every value, but "
					 "is no number or time there");
	return true;
}
