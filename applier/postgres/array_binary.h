/*
 * array_binary.h
 *		One-dimensional arrays of a built-in type as array_recv() reads them.
 */
#ifndef PORTAGE_ARRAY_BINARY_H
#define PORTAGE_ARRAY_BINARY_H

#include "postgres/binary_value.h"

/* How an array of a column's values may travel. */
typedef struct ArrayForm
{
	uint32_t element_oid; /* the type of the elements */
	BinaryForm form;	  /* NONE: the array is text */
} ArrayForm;

/* Begin an array of that many elements in an empty buffer. */
void array_binary_begin(Buffer *out, const ArrayForm *array, int count);

/* The next element; anything but PRESENT is null.  False: binary_put() says no. */
bool array_binary_value(Buffer *out, const ArrayForm *array,
						const Value *value) MUST_CHECK;

#endif /* PORTAGE_ARRAY_BINARY_H */
