/*
 * json_text.h
 *		JSON whose strings are bytes in the source's encoding.
 *
 * jansson reads UTF-8 only.  A server encoding never has ASCII bytes inside of
 * another character, so every byte can be read as the Latin-1 character of that
 * number, and be given back as the byte that it was.
 */
#ifndef PORTAGE_JSON_TEXT_H
#define PORTAGE_JSON_TEXT_H

#include <stdbool.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

/* NULL and P_PROTOCOL for anything but JSON; the caller calls json_decref. */
json_t *json_text_load(Slice bytes, Error *err);

/* The bytes of a string; NULL if it is none, or not made of bytes. */
const char *json_text_string(const json_t *value, Arena *arena);

/* Append a quoted string. */
void json_text_put(Buffer *out, const char *text);

#endif /* PORTAGE_JSON_TEXT_H */
