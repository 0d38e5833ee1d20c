/*
 * load_rows.c
 *		See load_rows.h.
 *
 * Most bytes of most tables mean the same to COPY and to LOAD DATA.  What
 * conversion leaves where it was becomes one run of bytes, over fields and rows,
 * that is appended at once; only what is different ends it.
 */
#include "mysql/load_rows.h"

#include <string.h>

#include "base/mem.h"

/* how much of a value is shown */
#define SHOWN_BYTES 64

/* how many columns name a row that has no key */
#define SHOWN_COLUMNS 4

bool
load_rows_init(LoadRows *self, const TableMap *map, const char **columns,
			   int count, LossTally *tally, Error *err)
{
	memset(self, 0, sizeof(*self));
	self->map = map;
	self->tally = tally;
	buffer_init(&self->plain);
	buffer_init(&self->decoded);
	buffer_init(&self->scratch);
	self->columns = mem_zalloc((size_t) count * sizeof(*self->columns) + 1);
	self->column_count = count;
	for (int i = 0; i < count; i++)
	{
		const ColumnMap *column = table_map_column(map, columns[i]);

		if (column == NULL)
		{
			error_set(err, P_SCHEMA_DIFFERS,
					  "how column \"%s\" is to be written was never noted",
					  columns[i]);
			return error_hint(err,
							  "It was added to table %s.%s on the source while"
							  " it was copied: drop the migration, and begin"
							  " again.",
							  map->schema, map->name);
		}
		self->columns[i].map = column;
		self->written += !column->computed;
	}
	return true;
}

void
load_rows_release(LoadRows *self)
{
	if (self->columns == NULL)
		return;
	buffer_release(&self->plain);
	buffer_release(&self->decoded);
	buffer_release(&self->scratch);
	mem_free(self->columns);
	self->columns = NULL;
}

const LoadColumn *
load_rows_written(const LoadRows *self, int number)
{
	for (int i = 0; i < self->column_count; i++)
		if (!self->columns[i].map->computed && number-- == 0)
			return &self->columns[i];
	return NULL;
}

/* What conversion gets to see: the output function's own words. */
static Slice
plain_field(LoadRows *self, Slice field, bool escapes)
{
	Slice plain = field;

	if (!escapes)
		return plain;
	/* bytea: only the first backslash, of "\\x00ff", is escaped */
	if (field.len >= 2 && field.data[0] == '\\' && field.data[1] == '\\' &&
		memchr(field.data + 2, '\\', field.len - 2) == NULL)
	{
		plain.data++;
		plain.len--;
		return plain;
	}
	buffer_reset(&self->plain);
	load_field_plain(&self->plain, field);
	plain.data = self->plain.data;
	plain.len = self->plain.len;
	return plain;
}

/* What is on its way: a run of bytes of the input that is not yet in out. */
typedef struct RowRun
{
	const char *from;
	Buffer *out;
	int written; /* fields of this row so far */
} RowRun;

static void
run_flush(RowRun *run, const char *to)
{
	buffer_append(run->out, run->from, (size_t) (to - run->from));
	run->from = to;
}

/* Leave a field out, with one of the tabs beside it if there is another one. */
static void
field_skip(RowRun *run, const char *p, const char *behind)
{
	run_flush(run, p - (run->written > 0 ? 1 : 0));
	run->from = behind + (run->written == 0 && *behind == '\t');
}

/* The field from p to behind, which the tab or newline follows. */
static bool
field_pass(LoadRows *self, RowRun *run, const LoadColumn *column, const char *p,
		   const char *behind, bool escapes, Error *err)
{
	Slice field = { p, (size_t) (behind - p) };
	Converted value;

	if (escapes && load_field_is_null(field))
		return true;
	buffer_reset(&self->scratch);
	buffer_reset(&self->decoded);
	/* what separates fields and escapes them is ASCII in all encodings */
	if (!convert_encoded(self->decoder, column->map,
						 plain_field(self, field, escapes), false,
						 &self->decoded, &self->scratch, &value, err))
		return false;
	if (value.loss != LOSS_NONE)
		loss_tally_add(self->tally, self->map, column->map, value.loss, 1);
	/* nothing in it was escaped, so nothing has to be */
	if (value.bytes.data == p && !value.null && !escapes)
	{
		if (value.bytes.len == field.len)
			return true;
		run_flush(run, p + value.bytes.len);
	}
	else
	{
		run_flush(run, p);
		convert_field(run->out, &value);
	}
	run->from = behind;
	return true;
}

static bool
row_malformed(const LoadRows *self, Error *err)
{
	return error_set(err, P_COPY,
					 "a row does not have %d columns as the source has said",
					 self->column_count);
}

/* One row; *p is then behind its newline. */
static bool
row_pass(LoadRows *self, RowRun *run, const char **p, const char *end,
		 Error *err)
{
	const char *field = *p;
	const char *behind;
	bool escapes;

	run->written = 0;
	for (int i = 0; i < self->column_count; i++)
	{
		behind = load_field_end(field, end, &escapes);
		if (behind == end || (*behind == '\n') != (i == self->column_count - 1))
			return row_malformed(self, err);
		if (self->columns[i].map->computed)
			field_skip(run, field, behind);
		else if (!field_pass(self, run, &self->columns[i], field, behind,
							 escapes, err))
			return false;
		else
			run->written++;
		field = behind + 1;
	}
	*p = field;
	return true;
}

/* Which row it is that could not be converted. */
static bool
row_refused(const LoadRows *self, Slice data, Error *err)
{
	Buffer name;

	buffer_init(&name);
	buffer_printf(&name, "%s%sRow ", err->detail,
				  err->detail[0] != '\0' ? " " : "");
	load_rows_name(self, load_row_next(&data), false, &name);
	error_detail(err, "%s.", name.data);
	buffer_release(&name);
	err->table = self->map->oid;
	return false;
}

/* What one huge value needed is not kept. */
static void
buffer_trim(Buffer *buffer, size_t bytes)
{
	if (buffer->capacity <= 2 * bytes)
		return;
	buffer_release(buffer);
	buffer_init(buffer);
}

bool
load_rows_convert(LoadRows *self, Slice *data, size_t enough, Buffer *out,
				  int64_t *rows, Error *err)
{
	const char *end = data->data + data->len;
	const char *p = data->data;
	RowRun run = { p, out, 0 };
	bool ok = true;

	*rows = 0;
	while (ok && p < end && out->len + (size_t) (p - run.from) < enough)
	{
		ok = row_pass(self, &run, &p, end, err);
		*rows += ok;
	}
	data->data = p;
	data->len = (size_t) (end - p);
	if (!ok)
		return row_refused(self, *data, err);
	run_flush(&run, p);
	buffer_trim(&self->plain, enough);
	buffer_trim(&self->decoded, enough);
	buffer_trim(&self->scratch, enough);
	return true;
}

void
load_field_show(Buffer *out, Slice field)
{
	Buffer plain;

	if (load_field_is_null(field))
	{
		buffer_puts(out, "NULL");
		return;
	}
	buffer_init(&plain);
	load_field_plain(&plain, field);
	if (plain.len <= SHOWN_BYTES)
		buffer_append(out, plain.data, plain.len);
	else
		buffer_printf(out, "%.*s... (%zu bytes)", SHOWN_BYTES, plain.data,
					  plain.len);
	buffer_release(&plain);
}

void
load_rows_name(const LoadRows *self, Slice row, bool written, Buffer *out)
{
	const char *comma = "";
	bool has_key = false;
	Buffer values;
	Slice field;

	for (int i = 0; i < self->column_count; i++)
		has_key |= self->columns[i].key;
	buffer_init(&values);
	buffer_putc(out, '(');
	for (int i = 0; i < self->column_count; i++)
	{
		const LoadColumn *column = &self->columns[i];
		Buffer decoded;
		Error ignored = ERROR_INIT;

		if ((written && column->map->computed) ||
			!load_field_next(&row, &field) ||
			(has_key ? !column->key : i >= SHOWN_COLUMNS))
			continue;
		buffer_printf(out, "%s%s", comma, column->map->name);
		buffer_puts(&values, comma);
		buffer_init(&decoded);
		if (!written && self->decoder != NULL &&
			!text_decode(self->decoder, field, &decoded, &field, &ignored))
			field = slice_of("?");
		load_field_show(&values, field);
		buffer_release(&decoded);
		comma = ", ";
	}
	buffer_printf(out, ")=(%s)", values.data);
	buffer_release(&values);
}
