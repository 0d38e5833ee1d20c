/*
 * binary_value.h
 *		Values of the source, which are text, in the form that a server reads
 *		fastest.
 *
 * A server spends more on reading text than on most of what it does with a row.
 * Types whose binary form is the same in every release that we write to
 * (the receive functions in src/backend/utils/adt) are brought into it here.
 * What is not understood to the last character is left to the server's own
 * input function: an unusual value costs time, never its meaning.
 */
#ifndef PORTAGE_BINARY_VALUE_H
#define PORTAGE_BINARY_VALUE_H

#include "base/buffer.h"
#include "base/error.h"
#include "change.h"

/* Built-in types that may have values in a binary form. */
typedef enum BinaryForm
{
	BINARY_NONE, /* the type has to be sent as text */
	BINARY_BOOL,
	BINARY_INT2,
	BINARY_INT4,
	BINARY_INT8,
	BINARY_OID,
	BINARY_FLOAT4,
	BINARY_FLOAT8,
	BINARY_NUMERIC,
	BINARY_BYTES, /* text and what is read like it; bytea, which comes as bytes */
	BINARY_JSONB,
	BINARY_UUID,
	BINARY_DATE,
	BINARY_TIMESTAMP,
	BINARY_TIMESTAMPTZ,
} BinaryForm;

/* The form of a type; pg_type.dat gives these types the same OID everywhere. */
BinaryForm binary_form(uint32_t type_oid);

/*
 * Append the value: its length, 32 bits, and its bytes; -1 if it is not PRESENT.
 * False if it is not in a form that is read here; then nothing was appended.
 */
bool binary_put(Buffer *out, BinaryForm form, const Value *value) MUST_CHECK;

/* Append in network byte order. */
void binary_put_int16(Buffer *out, uint16_t value);
void binary_put_int32(Buffer *out, uint32_t value);

#endif /* PORTAGE_BINARY_VALUE_H */
