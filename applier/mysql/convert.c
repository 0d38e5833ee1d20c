/*
 * convert.c
 *		See convert.h.
 *
 * Each kind has a function that looks at every byte of its values once.  What is
 * kept as it is stays where it was; only what changes is written to scratch.
 */
#include "mysql/convert.h"

#include <stdio.h>

#include "base/mem.h"
#include "mysql/conversion.h"

#define MAX_SHOWN 64

/* What is wrong with a value; %s: the column's type on the target. */
static const char *const complaints[LOSS_KINDS] = {
	[LOSS_NAN] = "is no number that %s can hold",
	[LOSS_INFINITY] = "is nothing that %s can hold",
	[LOSS_ERA] = "is outside of the years 1 to 9999 of %s",
	[LOSS_RANGE] = "is too large for %s",
	[LOSS_PRECISION] = "has more digits behind the point than %s keeps",
	[LOSS_LENGTH] = "is too long for %s",
	[LOSS_JSON_NUMBER] = "becomes another number in %s",
	[LOSS_JSON_SCALE] = "loses zeros in %s",
	[LOSS_JSON_DEPTH] = "is nested too deeply for %s",
	[LOSS_JSON_KEYS] = "is a key that an object has twice; %s keeps the last",
	[LOSS_ZONE] = "has an offset, which %s does not keep",
	[LOSS_PADDING] = "ends with spaces, which %s does not keep",
	[LOSS_LABEL] = "is no label of %s",
	[LOSS_BOUNDS] = "has bounds, which %s does not keep",
	[LOSS_ZERO_SIGN] = "has a sign, which %s does not keep",
	[LOSS_ENCODING] = "is not valid text, as %s needs it",
};

/* May a terminal be shown this character? */
static bool
is_printable(const char *data, size_t len)
{
	unsigned char b = (unsigned char) data[0];

	if (len == 1)
		return b >= 0x20 && b != 0x7F;
	return len > 0 && !(b == 0xC2 && (unsigned char) data[1] < 0xA0);
}

void
value_show(Buffer *out, Slice value)
{
	size_t i = 0;

	buffer_putc(out, '"');
	while (i < value.len && i < MAX_SHOWN)
	{
		size_t len = utf8_char(value.data + i, value.len - i);

		if (is_printable(value.data + i, len))
		{
			buffer_append(out, value.data + i, len);
			i += len;
		}
		else
			buffer_printf(out, "\\x%02x", (unsigned char) value.data[i++]);
	}
	buffer_putc(out, '"');
	if (i < value.len)
		buffer_printf(out, "... (%zu bytes)", value.len);
}

/* Bytes as people know them from bytea. */
static void
bytes_show(Buffer *out, Slice bytes)
{
	buffer_puts(out, "\\x");
	for (size_t i = 0; i < bytes.len && i < MAX_SHOWN / 2; i++)
		buffer_printf(out, "%02x", (unsigned char) bytes.data[i]);
	if (bytes.len > MAX_SHOWN / 2)
		buffer_printf(out, "... (%zu bytes)", bytes.len);
}

/* "column c: VALUE COMPLAINT" */
static void
refuse(Conversion *c, LossKind kind, Slice culprit)
{
	char complaint[256];
	Buffer shown;

	buffer_init(&shown);
	if (c->column->convert == CONVERT_BYTES)
		bytes_show(&shown, culprit);
	else
		value_show(&shown, culprit);
	snprintf(complaint, sizeof(complaint), complaints[kind], c->column->type);
	(void) error_set(c->err, P_VALUE, "column %s: %s: %s %s", c->column->name,
					 loss_kind_name(kind), shown.data, complaint);
	buffer_release(&shown);
}

static bool
refuse_null(Conversion *c, LossKind kind, Slice culprit)
{
	refuse(c, kind, culprit);
	return error_hint(
		c->err, "The column is NOT NULL, so --on-loss null does not help. "
				"Choose warn or clamp for it, or change the value.");
}

static bool
take_null(Conversion *c, LossKind kind)
{
	c->out->null = true;
	c->out->bytes.data = NULL;
	c->out->bytes.len = 0;
	c->out->loss = kind;
	return true;
}

bool
conversion_lose(Conversion *c, LossKind kind, Nearness nearness, Slice near,
				Slice culprit)
{
	bool null = false;

	switch (c->column->policy)
	{
		case LOSS_ERROR:
		case LOSS_TEXT:
			refuse(c, kind, culprit);
			return error_hint(
				c->err,
				"Change the value on the source, or let --on-loss "
				"decide: --on-loss 'TABLE.%s=clamp', or warn, "
				"null or text.",
				c->column->name);
		case LOSS_NULL:
			if (c->column->not_null)
				return refuse_null(c, kind, culprit);
			return take_null(c, kind);
		case LOSS_WARN:
			null = nearness != NEAR_SAME;
			break;
		case LOSS_CLAMP:
			null = nearness == NEAR_NONE;
			break;
	}
	if (null && !c->column->not_null)
		return take_null(c, kind);
	c->out->bytes = near;
	c->out->loss = kind;
	return true;
}

bool
conversion_unreadable(Conversion *c, const char *what)
{
	Buffer shown;

	buffer_init(&shown);
	value_show(&shown, c->in);
	(void) error_set(c->err, P_VALUE, "column %s: %s is not %s",
					 c->column->name, shown.data, what);
	buffer_release(&shown);
	return error_hint(c->err,
					  "This is not how the source writes values of the type "
					  "that is mapped to %s: was the column's type changed?",
					  c->column->type);
}

bool
convert_value(const ColumnMap *column, Slice in, bool raw, Buffer *scratch,
			  Converted *out, Error *err)
{
	Conversion c = { column, in, raw, scratch, out, err };

	out->bytes = in;
	out->null = false;
	out->loss = LOSS_NONE;
	switch (column->convert)
	{
		case CONVERT_TEXT:
		case CONVERT_ASCII:
		case CONVERT_JSON_TEXT:
			return convert_text(&c);
		case CONVERT_TRIMMED:
			return convert_trimmed(&c);
		case CONVERT_INTEGER:
			return convert_integer(&c);
		case CONVERT_BOOLEAN:
			return convert_boolean(&c);
		case CONVERT_DECIMAL:
			return convert_decimal(&c);
		case CONVERT_MONEY:
			return convert_money(&c);
		case CONVERT_DOUBLE:
			return convert_double(&c);
		case CONVERT_DATE:
			return convert_date(&c);
		case CONVERT_DATETIME:
			return convert_datetime(&c);
		case CONVERT_UTC:
			return convert_utc(&c);
		case CONVERT_TIME:
			return convert_time(&c);
		case CONVERT_BYTES:
			return convert_bytes(&c);
		case CONVERT_BITS:
			return convert_bits(&c);
		case CONVERT_ENUM:
			return convert_enum(&c);
		case CONVERT_JSON:
			return convert_json(&c);
		case CONVERT_ARRAY:
			return convert_array(&c);
		case CONVERT_HSTORE:
			return convert_hstore(&c);
	}
	BUG("conversion %d", (int) column->convert);
}
