/*
 * array_binary.c
 *		See array_binary.h.
 *
 * The number of dimensions, whether there are nulls, the type of the elements,
 * then length and lower bound of each dimension (array_recv(),
 * src/backend/utils/adt/arrayfuncs.c), all of 32 bits.
 */
#include "postgres/array_binary.h"

/* the last byte of the second number */
#define NULLS_AT 7

void
array_binary_begin(Buffer *out, const ArrayForm *array, int count)
{
	binary_put_int32(out, 1);
	binary_put_int32(out, 0);
	binary_put_int32(out, array->element_oid);
	binary_put_int32(out, (uint32_t) count);
	binary_put_int32(out, 1);
}

bool
array_binary_value(Buffer *out, const ArrayForm *array, const Value *value)
{
	if (value->state != WIRE_COL_PRESENT)
		out->data[NULLS_AT] = 1;
	return binary_put(out, array->form, value);
}
