/*
 * translate_type.h
 *		A column's type while it is chosen: what the files share.
 *
 *		translate_type.c		which of them it is; text, bytes
 *		translate_type_number.c	numbers, bits, times
 *		translate_type_json.c	documents, arrays, enums
 *		translate_type_set.c	filling a column in; what is lost, in words
 */
#ifndef PORTAGE_TRANSLATE_TYPE_H
#define PORTAGE_TRANSLATE_TYPE_H

#include "mysql/translate_parts.h"

#define TYPMOD_HEADER 4
#define VARCHAR_CHARS_MAX 16383
#define CHARSET_ASCII " CHARACTER SET ascii COLLATE ascii_bin"

/* ---- translate_type_set.c */

void type_set(WorkColumn *column, const char *type, ConvertKind convert,
			  Family family, int bytes);
/* longtext, longblob, json: no limit but the server's. */
void type_set_blob(WorkColumn *column, const char *type, ConvertKind convert,
				   Family family);
void type_set_varchar(WorkColumn *column, int64_t length, ConvertKind convert,
					  Family family, bool ascii, Arena *arena);
/* A longtext whose length a key may choose. */
void type_set_text(WorkColumn *column, bool ascii, Family family);

/* What becomes of values that the column cannot hold. */
const char *type_policy_words(LossPolicy policy);
void type_note_loss(WorkColumn *column, Arena *arena, const char *what);

/*
 * A column of text, if --on-loss says so, for values of so many characters; 0: no
 * limit.
 */
bool type_take_text(WorkColumn *column, int64_t length, Arena *arena);

/* ---- translate_type_number.c */

void type_numeric(const TranslateTarget *target, WorkColumn *column,
				  int32_t typmod, Arena *arena);
void
type_double(const TranslateTarget *target, WorkColumn *column, Arena *arena);
void type_money(WorkColumn *column, Arena *arena);
void type_bits(WorkColumn *column, int32_t bits, bool varying, Arena *arena);
void type_date(WorkColumn *column, Arena *arena);
void
type_timestamp(WorkColumn *column, int32_t typmod, bool zone, Arena *arena);
void type_time(WorkColumn *column, int32_t typmod, Arena *arena);

/* ---- translate_type_json.c */

void
type_jsonb(const TranslateTarget *target, WorkColumn *column, Arena *arena);
void type_array(const TranslateTarget *target, WorkColumn *column,
				const SchemaType *type, Arena *arena);
void
type_hstore(const TranslateTarget *target, WorkColumn *column, Arena *arena);
void type_enum(WorkColumn *column, const SchemaType *type, Arena *arena);

#endif /* PORTAGE_TRANSLATE_TYPE_H */
