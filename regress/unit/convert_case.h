/*
 * convert_case.h
 *		What the tests of conversions share: one value in, one value out.
 */
#ifndef PORTAGE_CONVERT_CASE_H
#define PORTAGE_CONVERT_CASE_H

#include <stdlib.h>

#include "mysql/convert.h"
#include "tap.h"

#define COLUMN_INIT                                                     \
	{                                                                   \
		.num = 1, .name = "c", .target = "c", .type = "a type",         \
		.convert = CONVERT_TEXT, .policy = LOSS_ERROR, .max_chars = -1, \
		.max_bytes = -1, .max_depth = 100, .keep_sign = true,           \
		.element = CONVERT_TEXT                                         \
	}

/*
 * The result as text: "NULL" for null, "ERROR" for P_VALUE, with the kind of loss
 * behind it, if there is one: "1.25 [precision]".  The value comes in memory of
 * exactly its size, so that ASan sees what is read beyond.
 */
static inline const char *
convert_case(const ColumnMap *column, const char *in, size_t len, bool raw)
{
	static Buffer result;
	Error err = ERROR_INIT;
	Converted out;
	Buffer scratch;
	char *copy = malloc(len > 0 ? len : 1);
	Slice value = { copy, len };

	memcpy(copy, in, len);
	buffer_init(&scratch);
	if (result.data == NULL)
		buffer_init(&result);
	buffer_reset(&result);
	if (!convert_value(column, value, raw, &scratch, &out, &err))
		buffer_puts(&result, err.code == P_VALUE ? "ERROR" : "WRONG ERROR");
	else
	{
		if (out.null)
			buffer_puts(&result, "NULL");
		else
			buffer_append(&result, out.bytes.data, out.bytes.len);
		if (out.loss != LOSS_NONE)
			buffer_printf(&result, " [%s]", loss_kind_name(out.loss));
	}
	buffer_release(&scratch);
	free(copy);
	return result.data;
}

static inline const char *
converted(const ColumnMap *column, const char *in)
{
	return convert_case(column, in, strlen(in), false);
}

/* Under each policy in turn: what is expected of error, warn, clamp and null. */
static inline void
policies_case(ColumnMap column, const char *in, const char *warn,
			  const char *clamp, const char *null)
{
	char what[128];

	snprintf(what, sizeof(what), "\"%.60s\" by error", in);
	column.policy = LOSS_ERROR;
	is_str(converted(&column, in), "ERROR", what);
	snprintf(what, sizeof(what), "\"%.60s\" by warn", in);
	column.policy = LOSS_WARN;
	is_str(converted(&column, in), warn, what);
	snprintf(what, sizeof(what), "\"%.60s\" by clamp", in);
	column.policy = LOSS_CLAMP;
	is_str(converted(&column, in), clamp, what);
	snprintf(what, sizeof(what), "\"%.60s\" by null", in);
	column.policy = LOSS_NULL;
	is_str(converted(&column, in), null, what);
}

#endif /* PORTAGE_CONVERT_CASE_H */
