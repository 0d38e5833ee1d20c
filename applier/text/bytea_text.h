/*
 * bytea_text.h
 *		The text of bytea, "\x0aff": PostgreSQL's form with bytea_output = hex.
 *
 * Changes carry the bytes themselves; files, JSON and COPY carry this.
 */
#ifndef PORTAGE_BYTEA_TEXT_H
#define PORTAGE_BYTEA_TEXT_H

#include <jansson.h>

#include "base/buffer.h"
#include "change.h"

/* Append the text of bytes. */
void bytea_print(Buffer *out, Slice bytes);

/* The same as a new string of JSON. */
json_t *bytea_json(Slice bytes);

/* The bytes, in arena; false: the text is of another form. */
bool bytea_parse(Slice text, Arena *arena, Value *value);

#endif /* PORTAGE_BYTEA_TEXT_H */
