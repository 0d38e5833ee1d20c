/*
 * copy_show.c
 *		See copy_show.h.
 *
 * What is left is told in the source's bytes, what was sent in those of COPY;
 * the two are near enough for a forecast, and a table that is done counts
 * as done, however many bytes it took.
 */
#include "copy/copy_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/display.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define WINDOW_MS 10000
#define DRAW_MS 1000
#define LOG_MS 10000

/* What a person is told of one table, or of all. */
typedef struct CopyNumbers
{
	int64_t rows;
	int64_t sent;
	int64_t left; /* bytes, about */
	double rate;  /* bytes a second */
} CopyNumbers;

void
copy_show_init(CopyShow *show, const CopyPool *pool)
{
	show->pool = pool;
	show->shown_ms = pool->started_ms;
	show->tables = mem_zalloc((size_t) (pool->plan->todo_count + 1) *
							  sizeof(Meter));
	meter_init(&show->total, WINDOW_MS);
	for (int i = 0; i < pool->plan->todo_count; i++)
		meter_init(&show->tables[i], WINDOW_MS);
}

void
copy_show_release(CopyShow *show)
{
	mem_free(show->tables);
}

int64_t
copy_show_due_ms(const CopyShow *show)
{
	return show->shown_ms + (display_active() ? DRAW_MS : LOG_MS);
}

static bool
rows_are_in(const CopyTable *table)
{
	return table->chunks_done == table->chunk_count;
}

static int64_t
bytes_left(const CopyTable *table)
{
	if (rows_are_in(table) || table->bytes >= table->bytes_expected)
		return 0;
	return table->bytes_expected - table->bytes;
}

/* Totals, and all meters fed. */
static CopyNumbers
measure(CopyShow *show, int64_t now_ms)
{
	const CopyPlan *plan = show->pool->plan;
	CopyNumbers all = { 0 };

	for (int i = 0; i < plan->todo_count; i++)
	{
		const CopyTable *table = &plan->todo[i];

		all.rows += table->rows;
		all.sent += table->bytes;
		all.left += bytes_left(table);
		if (table->started_ms != 0)
			meter_add(&show->tables[i], now_ms, (uint64_t) table->bytes);
	}
	meter_add(&show->total, now_ms, (uint64_t) all.sent);
	all.rate = meter_rate(&show->total);
	return all;
}

static void
put_numbers(Buffer *out, const CopyNumbers *numbers)
{
	char text[4][UNITS_SIZE];

	buffer_printf(
		out, "%s rows, %s of %s, %s/s",
		units_count((double) numbers->rows, text[0]),
		units_bytes((double) numbers->sent, text[1]),
		units_bytes((double) (numbers->sent + numbers->left), text[2]),
		units_bytes(numbers->rate, text[3]));
	if (numbers->left > 0 && numbers->rate > 0)
		buffer_printf(
			out, ", ETA %s",
			units_duration((double) numbers->left / numbers->rate, text[0]));
}

static void
put_table(Buffer *out, const CopyTable *table, const Meter *meter)
{
	CopyNumbers numbers = { .rows = table->rows,
							.sent = table->bytes,
							.left = bytes_left(table),
							.rate = meter_rate(meter) };

	buffer_printf(out, "  %s.%s: ", table->table->schema, table->table->name);
	if (table->copying > 0)
		put_numbers(out, &numbers);
	if (table->building > 0)
		buffer_printf(out, "%s%d of %d indexes built",
					  table->copying > 0 ? "; " : "", table->indexes_done,
					  table->index_count);
	if (table->analyze == ANALYZE_RUNNING)
		buffer_puts(out, "statistics");
	buffer_putc(out, '\n');
}

static bool
in_work(const CopyTable *table)
{
	return table->copying > 0 || table->building > 0 ||
		   table->analyze == ANALYZE_RUNNING;
}

static void
put_total(Buffer *out, const CopyShow *show, const CopyNumbers *all)
{
	const CopyPool *pool = show->pool;

	buffer_printf(out, "copy: %d of %d tables, ", pool->tables_done,
				  pool->plan->todo_count);
	put_numbers(out, all);
}

static void
draw(const CopyShow *show, const CopyNumbers *all)
{
	const CopyPlan *plan = show->pool->plan;
	Buffer out;

	buffer_init(&out);
	put_total(&out, show, all);
	buffer_putc(&out, '\n');
	for (int i = 0; i < plan->todo_count; i++)
	{
		if (in_work(&plan->todo[i]))
			put_table(&out, &plan->todo[i], &show->tables[i]);
	}
	display_set(out.data);
	buffer_release(&out);
}

static void
log_total(const CopyShow *show, const CopyNumbers *all)
{
	Buffer out;

	buffer_init(&out);
	put_total(&out, show, all);
	log_info("%s", out.data);
	buffer_release(&out);
}

void
copy_show_turn(CopyShow *show)
{
	CopyNumbers all;

	show->shown_ms = clock_ms();
	if (show->pool->config->quiet)
		return;
	all = measure(show, show->shown_ms);
	if (display_active())
		draw(show, &all);
	else
		log_total(show, &all);
}

void
copy_show_end(CopyShow *show)
{
	int64_t elapsed_ms = clock_ms() - show->pool->started_ms;
	CopyNumbers all;

	display_set("");
	if (show->pool->config->quiet || error_is_set(&show->pool->error))
		return;
	all = measure(show, clock_ms());
	all.rate = elapsed_ms > 0 ? (double) all.sent * 1000 / (double) elapsed_ms
							  : 0;
	log_total(show, &all);
}
