/*
 * array_text.h
 *		Values of many rows as one array literal, for unnest().
 *
 *		array_text_begin(&buffer);
 *		array_text_value(&buffer, &value, is_bytea);	for each row
 *		array_text_end(&buffer);
 */
#ifndef PORTAGE_ARRAY_TEXT_H
#define PORTAGE_ARRAY_TEXT_H

#include "base/buffer.h"
#include "change.h"

void array_text_begin(Buffer *out);

/* Anything but PRESENT is null; bytea values, which are sent as bytes, become
 * their hexadecimal form. */
void array_text_value(Buffer *out, const Value *value, bool is_bytea);

void array_text_end(Buffer *out);

#endif /* PORTAGE_ARRAY_TEXT_H */
