/*
 * fuzz_load_rows.c
 *		libFuzzer target: rows of COPY's text format, of anything.
 *
 * The first bytes choose how the columns are converted; the rest is what the
 * source says.  Whatever comes, it is refused as a value or as no rows at all, or
 * it becomes as many rows of as many fields, in blocks of whole rows.
 */
#include <stdlib.h>
#include <string.h>

#include "mysql/load_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMNS 3
#define BLOCK_BYTES 256

static const char *labels[] = { "a", "b c", "\xc3\xa9" };
static const char *names[COLUMNS] = { "c0", "c1", "c2" };

static void
column_choose(ColumnMap *column, int number, uint8_t choice)
{
	memset(column, 0, sizeof(*column));
	column->num = (uint16_t) (number + 1);
	column->name = column->target = names[number];
	column->type = choice & 64 ? "char(4)" : "longtext";
	column->convert = (ConvertKind) (choice % (CONVERT_HSTORE + 1));
	column->computed = choice > 240;
	column->policy = choice & 128 ? LOSS_WARN : LOSS_ERROR;
	column->precision = 6;
	column->scale = choice & 32 ? 2 : 0;
	column->max_chars = choice & 64 ? 4 : -1;
	column->max_bytes = -1;
	column->max_depth = 31;
	column->labels = labels;
	column->label_count = 3;
}

/* Every row of a block has as many fields as are written. */
static void
block_prove(const LoadRows *rows, Slice block, int64_t count)
{
	Slice field;

	while (block.len > 0)
	{
		Slice row = load_row_next(&block);
		int fields = 0;

		if (row.len == 0 || row.data[row.len - 1] != '\n')
			abort();
		while (load_field_next(&row, &field))
			fields++;
		if (fields != (rows->written > 0 ? rows->written : 1) || count-- == 0)
			abort();
	}
	if (count != 0)
		abort();
}

static void
rows_prove(LoadRows *rows, Slice data)
{
	Error err = ERROR_INIT;
	bool ok = true;
	Buffer block;
	int64_t count;

	buffer_init(&block);
	while (ok && data.len > 0)
	{
		size_t before = data.len;

		ok = load_rows_convert(rows, &data, BLOCK_BYTES, &block, &count, &err);
		if (ok && data.len == before)
			abort();
		if (ok)
			block_prove(rows, (Slice){ block.data, block.len }, count);
		else if (err.code != P_VALUE && err.code != P_COPY)
			abort();
		buffer_reset(&block);
	}
	buffer_release(&block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ColumnMap columns[COLUMNS];
	TableMap map = { .oid = 1,
					 .schema = "s",
					 .name = "t",
					 .table = "t",
					 .columns = columns,
					 .column_count = COLUMNS };
	LossTally *tally;
	Error err = ERROR_INIT;
	LoadRows rows;
	char *copy;

	if (size < COLUMNS)
		return 0;
	for (int i = 0; i < COLUMNS; i++)
		column_choose(&columns[i], i, data[i]);
	/* a block of its own, so that what is read behind it is seen */
	copy = malloc(size - COLUMNS + 1);
	memcpy(copy, data + COLUMNS, size - COLUMNS);
	tally = loss_tally_new();
	if (!load_rows_init(&rows, &map, names, COLUMNS, tally, &err))
		abort();
	rows_prove(&rows, (Slice){ copy, size - COLUMNS });
	load_rows_release(&rows);
	loss_tally_free(tally);
	free(copy);
	return 0;
}
