/*
 * mock_text.c
 *		What the target of mock_target.h was asked for, as text.
 */
#include "mock_target.h"

#include <stdlib.h>
#include <string.h>

const char mock_letters[] = "puq";

int
mock_find_line(const MockTarget *target, int writer, const char *text)
{
	for (int i = 0; i < target->line_count; i++)
	{
		if (target->lines[i].writer == writer &&
			strncmp(target->lines[i].text, text, strlen(text)) == 0)
			return i;
	}
	return -1;
}

void
mock_wait_line(MockTarget *target, int writer, const char *text)
{
	while (mock_find_line(target, writer, text) < 0)
		pthread_cond_wait(&target->changed, &target->mutex);
}

void
mock_log(const MockTarget *target, int writer, Buffer *out)
{
	buffer_reset(out);
	for (int i = 0; i < target->line_count; i++)
	{
		if (writer >= 0 && target->lines[i].writer != writer)
			continue;
		buffer_printf(out, "%s%s", out->len > 0 ? " " : "",
					  target->lines[i].text);
	}
}

void
mock_rows_text(const MockRows *rows, Buffer *out)
{
	buffer_reset(out);
	for (int t = 0; t < MOCK_TABLES; t++)
	{
		for (int id = 0; id < MOCK_IDS; id++)
		{
			if (rows->value[t][id] != 0)
				buffer_printf(out, "%s%c%d:%d", out->len > 0 ? " " : "",
							  mock_letters[t], id, rows->value[t][id]);
		}
	}
}

void
mock_forget_lines(MockTarget *target)
{
	pthread_mutex_lock(&target->mutex);
	target->line_count = 0;
	pthread_mutex_unlock(&target->mutex);
}

static int
number(const Value *value)
{
	return atoi(value->data);
}

static void
put_op(Buffer *out, const PlanVector *vector, const PlanOp *op)
{
	char table = mock_letters[vector->table->id];

	buffer_puts(out, out->len > 0 ? " " : "");
	if (vector->kind == PLAN_DELETE || vector->kind == PLAN_MAYBE_DELETE)
		buffer_printf(out, "%c%c%d", vector->kind == PLAN_DELETE ? '-' : '~',
					  table, number(&op->key[0]));
	else
		buffer_printf(
			out, "%c%c%d:%d",
			vector->kind == PLAN_UPDATE ? '='
			: vector->kind == PLAN_PUT	? '^'
										: '+',
			table,
			number(vector->kind == PLAN_UPDATE ? &op->key[0] : &op->values[0]),
			number(&op->values[1]));
}

/* A row by its own statement has an exclamation mark. */
static void
put_row(Buffer *out, const PlanStep *step)
{
	const Change *change = step->change;
	char table = mock_letters[step->table->id];
	int key = number(change->old_values != NULL ? &change->old_values[0]
												: &change->new_values[0]);

	buffer_puts(out, out->len > 0 ? " " : "");
	if (change->kind == CHANGE_DELETE || change->kind == CHANGE_MAYBE_DELETE)
		buffer_printf(out, "!%c%c%d", change->kind == CHANGE_DELETE ? '-' : '~',
					  table, key);
	else if (change->old_values != NULL)
		buffer_printf(out, "!=%c%d>%d:%d", table, key,
					  number(&change->new_values[0]),
					  number(&change->new_values[1]));
	else
		buffer_printf(out, "!%c%c%d:%d",
					  change->kind == CHANGE_UPDATE ? '='
					  : change->kind == CHANGE_PUT	? '^'
					  : change_is_barrier(change)	? '#'
													: '+',
					  table, key, number(&change->new_values[1]));
}

void
mock_plan_text(const Plan *plan, Buffer *out)
{
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (step->kind == PLAN_STEP_EVENT)
			buffer_puts(out, out->len > 0 ? " *" : "*");
		else if (step->kind == PLAN_STEP_ROW)
			put_row(out, step);
		else
			for (int k = 0; k < step->vector.count; k++)
				put_op(out, &step->vector, step->vector.ops[k]);
	}
}
