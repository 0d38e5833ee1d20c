/*
 * mock_target.c
 *		See mock_target.h.
 */
#include "mock_target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINES_MAX 20000

static void add_line(TargetWriter *writer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void
add_line(TargetWriter *writer, const char *fmt, ...)
{
	MockTarget *target = writer->target;
	MockLine *line = &target->lines[target->line_count++];
	va_list args;

	BUG_UNLESS(target->line_count < LINES_MAX);
	line->writer = writer->number;
	va_start(args, fmt);
	vsnprintf(line->text, sizeof(line->text), fmt, args);
	va_end(args);
	pthread_cond_broadcast(&target->changed);
}

/* ------------------------------------------------------------------ rows */

static int
number(const Value *value)
{
	return atoi(value->data);
}

static int
value_of(const TargetWriter *writer, uint32_t table, int id)
{
	return writer->changes.touched[table][id]
			   ? writer->changes.rows.value[table][id]
			   : writer->target->rows.value[table][id];
}

static bool
lock_row(TargetWriter *writer, uint32_t table, int id, Error *err)
{
	TargetWriter **owner = &writer->target->owners[table][id];

	if (*owner != NULL && *owner != writer)
	{
		error_set(err, P_SERVER_BUSY, "row %c%d is locked", mock_letters[table],
				  id);
		err->lock_wait = true;
		return false;
	}
	*owner = writer;
	return true;
}

/* What a statement wants of the row. */
typedef enum Want
{
	ABSENT,
	THERE,
	EITHER
} Want;

/* value 0: the row goes. */
static bool
set_row(TargetWriter *writer, uint32_t table, int id, Want want, int value,
		Error *err)
{
	bool there = want == THERE;

	if (!lock_row(writer, table, id, err))
		return false;
	if (want != EITHER && (value_of(writer, table, id) != 0) != there)
		return error_set(err, there ? P_ROW_MISSING : P_ROW_CONFLICT,
						 "row %c%d is %s", mock_letters[table], id,
						 there ? "missing" : "there");
	for (int i = 0; table == MOCK_UNIQUE && value != 0 && i < MOCK_IDS; i++)
	{
		if (i != id && value_of(writer, table, i) == value)
			return error_set(err, P_ROW_CONFLICT, "row u%d has value %d", i,
							 value);
	}
	writer->changes.rows.value[table][id] = value;
	writer->changes.touched[table][id] = true;
	return true;
}

static bool
write_vector(TargetWriter *writer, const PlanVector *vector, Error *err)
{
	bool inserts = vector->kind == PLAN_INSERT;
	bool puts = vector->kind == PLAN_PUT;
	bool maybe = vector->kind == PLAN_MAYBE_DELETE;
	Want want = inserts ? ABSENT : puts || maybe ? EITHER : THERE;

	for (int i = 0; i < vector->count; i++)
	{
		const PlanOp *op = vector->ops[i];
		int id = number(inserts || puts ? &op->values[0] : &op->key[0]);
		int value = vector->kind == PLAN_DELETE || maybe
						? 0
						: number(&op->values[1]);

		if (!set_row(writer, vector->table->id, id, want, value, err))
			return error_wrap(err, "vector");
	}
	return true;
}

static bool
write_row(TargetWriter *writer, uint32_t table, const Change *change,
		  Error *err)
{
	const Value *old = change->old_values;
	const Value *row = change->new_values;

	if (change->kind == CHANGE_PUT || change_is_barrier(change))
		return set_row(writer, table, number(&row[0]), EITHER, number(&row[1]),
					   err);
	if (change->kind == CHANGE_MAYBE_DELETE)
		return set_row(writer, table, number(&old[0]), EITHER, 0, err);
	if (change->kind == CHANGE_INSERT)
		return set_row(writer, table, number(&row[0]), ABSENT, number(&row[1]),
					   err);
	if (change->kind == CHANGE_DELETE)
		return set_row(writer, table, number(&old[0]), THERE, 0, err);
	if (old == NULL)
		return set_row(writer, table, number(&row[0]), THERE, number(&row[1]),
					   err);
	return set_row(writer, table, number(&old[0]), THERE, 0, err) &&
		   set_row(writer, table, number(&row[0]), ABSENT, number(&row[1]),
				   err);
}

static bool
truncate_table(TargetWriter *writer, const Change *change, Error *err)
{
	uint32_t table = change->truncated[0]->oid - 1000;

	for (int id = 0; id < MOCK_IDS; id++)
	{
		if (value_of(writer, table, id) != 0 &&
			!set_row(writer, table, id, THERE, 0, err))
			return false;
	}
	return true;
}

static bool
write_steps(TargetWriter *writer, const Plan *plan, Error *err)
{
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (step->kind == PLAN_STEP_VECTOR
				? !write_vector(writer, &step->vector, err)
			: step->kind == PLAN_STEP_ROW
				? !write_row(writer, step->table->id, step->change, err)
				: !truncate_table(writer, &step->event->change, err))
			return false;
	}
	return true;
}

/* ----------------------------------------------------------------- calls */

/* The transaction is over, one way or the other. */
static void
end_transaction(TargetWriter *writer)
{
	MockTarget *target = writer->target;

	for (int t = 0; t < MOCK_TABLES; t++)
	{
		for (int id = 0; id < MOCK_IDS; id++)
		{
			if (target->owners[t][id] == writer)
				target->owners[t][id] = NULL;
		}
	}
	memset(&writer->changes, 0, sizeof(writer->changes));
	writer->saved_count = 0;
	writer->open = false;
	writer->failed = false;
}

/* allowed: would a target have it in this state? */
static bool
enter(TargetWriter *writer, MockCall call, bool allowed, const char *text,
	  Error *err)
{
	MockTarget *target = writer->target;

	target->calls += call != MOCK_WRITTEN;
	pthread_cond_broadcast(&target->changed);
	if (writer->lost)
		return error_set(err, P_CONNECTION_LOST, "the connection is gone");
	target->misuse += !allowed;
	if (target->rule == NULL || target->rule(target, writer, call, text, err))
		return true;
	writer->failed = true;
	writer->lost = err->code == P_CONNECTION_LOST;
	if (writer->lost)
		end_transaction(writer);
	return false;
}

/* The call's name goes into the log, with a question mark if it failed. */
static bool
leave(TargetWriter *writer, const char *name, bool done)
{
	writer->failed = writer->failed || !done;
	add_line(writer, "%s%s", name, done ? "" : "?");
	pthread_mutex_unlock(&writer->target->mutex);
	return done;
}

static uint32_t
plan_xid(const Plan *plan)
{
	if (plan->count == 0)
		return 0;
	return plan->steps[0].kind == PLAN_STEP_VECTOR
			   ? plan->steps[0].vector.ops[0]->txn->xid
			   : plan->steps[0].txn->xid;
}

static TargetWriter *
mock_open(Target *base, bool many, Error *err)
{
	MockTarget *target = (MockTarget *) base;
	TargetWriter *writer;

	(void) many;
	if (target->writer_count == target->writer_max)
	{
		error_set(err, P_CONNECT, "too many connections");
		return NULL;
	}
	writer = mem_zalloc(sizeof(*writer));
	writer->target = target;
	pthread_mutex_lock(&target->mutex);
	writer->number = target->writer_count;
	target->writers[target->writer_count++] = writer;
	pthread_mutex_unlock(&target->mutex);
	return writer;
}

static void
mock_close(TargetWriter *writer)
{
	MockTarget *target;

	if (writer == NULL)
		return;
	target = writer->target;
	pthread_mutex_lock(&target->mutex);
	end_transaction(writer);
	target->writers[writer->number] = NULL;
	add_line(writer, "close");
	pthread_mutex_unlock(&target->mutex);
	mem_free(writer);
}

static bool
mock_begin(TargetWriter *writer, Error *err)
{
	bool done;

	pthread_mutex_lock(&writer->target->mutex);
	done = enter(writer, MOCK_BEGIN, !writer->open, "", err);
	writer->open = done;
	return leave(writer, "begin", done);
}

static bool
mock_write(TargetWriter *writer, const Plan *plan, const ChangeFilter *filter,
		   Error *err)
{
	char line[240];
	Buffer text;
	bool done;

	(void) filter;
	buffer_init(&text);
	mock_plan_text(plan, &text);
	snprintf(line, sizeof(line), "write{%s}", text.data);
	pthread_mutex_lock(&writer->target->mutex);
	writer->xid = plan_xid(plan);
	done = enter(writer, MOCK_WRITE, writer->open && !writer->failed, text.data,
				 err) &&
		   write_steps(writer, plan, err) &&
		   enter(writer, MOCK_WRITTEN, true, text.data, err);
	buffer_release(&text);
	return leave(writer, line, done);
}

static bool
set_savepoint(TargetWriter *writer, Error *err)
{
	if (!enter(writer, MOCK_SET, writer->open && !writer->failed, "", err))
		return false;
	BUG_UNLESS(writer->saved_count < MOCK_SAVEPOINTS);
	writer->saved[writer->saved_count++] = writer->changes;
	return true;
}

static bool
leave_savepoint(TargetWriter *writer, bool back, Error *err)
{
	bool allowed = writer->saved_count > 0 && (back || !writer->failed);

	if (!enter(writer, back ? MOCK_BACK : MOCK_RELEASE, allowed, "", err))
		return false;
	BUG_UNLESS(writer->saved_count > 0);
	writer->saved_count--;
	if (back)
		writer->changes = writer->saved[writer->saved_count];
	writer->failed = false;
	return true;
}

static bool
mock_savepoint(TargetWriter *writer, SavepointVerb verb, Error *err)
{
	static const char *const names[] = { "set", "release", "back" };
	bool done;

	pthread_mutex_lock(&writer->target->mutex);
	done = verb == SAVEPOINT_SET
			   ? set_savepoint(writer, err)
			   : leave_savepoint(writer, verb == SAVEPOINT_ROLLBACK, err);
	return leave(writer, names[verb], done);
}

static void
keep_changes(TargetWriter *writer)
{
	for (int t = 0; t < MOCK_TABLES; t++)
	{
		for (int id = 0; id < MOCK_IDS; id++)
			writer->target->rows.value[t][id] = value_of(writer, (uint32_t) t,
														 id);
	}
}

static bool
mock_commit(TargetWriter *writer, const Progress *before, const Progress *after,
			const ApplyCounts *counts, const Ledger *ledger,
			TargetDurability *durability, Error *err)
{
	MockTarget *target = writer->target;
	bool done;

	pthread_mutex_lock(&target->mutex);
	done = enter(writer, MOCK_COMMIT, writer->open && !writer->failed, "", err);
	if (done && before->resume_lsn != target->resume_lsn)
		done = error_set(err, P_PROGRESS, "not the next one");
	if (done)
	{
		keep_changes(writer);
		end_transaction(writer);
		target->resume_lsn = after->resume_lsn;
		apply_counts_add(&target->counts, counts);
		if (ledger != NULL)
			target->seen += (uint64_t) ledger->entries[0].counts[LEDGER_SEEN];
		durability->written = after->resume_lsn;
		durability->durable = before->resume_lsn;
	}
	return leave(writer, "commit", done);
}

static void
mock_rollback(TargetWriter *writer)
{
	pthread_mutex_lock(&writer->target->mutex);
	end_transaction(writer);
	leave(writer, "rollback", true);
}

/* No storage is ever another one. */
static bool
mock_table_renewed(Target *base, const Relation *relation)
{
	(void) base;
	(void) relation;
	return false;
}

static bool
mock_table_look(Target *base, const Relation *relation, const PlanTable **table,
				Error *err)
{
	MockTarget *target = (MockTarget *) base;

	(void) err;
	*table = NULL;
	for (int t = 0; t < MOCK_TABLES; t++)
	{
		if (target->tables[t]->relation == relation)
			*table = target->tables[t];
	}
	return true;
}

static const TargetOps mock_ops = {
	.name = "mock",
	.table_look = mock_table_look,
	.table_renewed = mock_table_renewed,
	.writer_open = mock_open,
	.writer_begin = mock_begin,
	.writer_write = mock_write,
	.writer_savepoint = mock_savepoint,
	.writer_commit = mock_commit,
	.writer_rollback = mock_rollback,
	.writer_close = mock_close,
};

void
mock_init(MockTarget *target)
{
	memset(target, 0, sizeof(*target));
	target->base.ops = &mock_ops;
	pthread_mutex_init(&target->mutex, NULL);
	pthread_cond_init(&target->changed, NULL);
	target->lines = mem_alloc(LINES_MAX * sizeof(*target->lines));
	target->writer_max = MOCK_WRITERS;
}

void
mock_release(MockTarget *target)
{
	pthread_cond_destroy(&target->changed);
	pthread_mutex_destroy(&target->mutex);
	mem_free(target->lines);
}

void
mock_reset(MockTarget *target)
{
	memset(&target->rows, 0, sizeof(target->rows));
	memset(&target->counts, 0, sizeof(target->counts));
	target->seen = 0;
	target->resume_lsn = LSN_NONE;
	target->calls = 0;
	target->misuse = 0;
	target->line_count = 0;
	target->rule = NULL;
	target->writer_count = 0;
	target->writer_max = MOCK_WRITERS;
}

bool
mock_others_hold(const MockTarget *target, const TargetWriter *writer)
{
	for (int t = 0; t < MOCK_TABLES; t++)
	{
		for (int id = 0; id < MOCK_IDS; id++)
		{
			if (target->owners[t][id] != NULL &&
				target->owners[t][id] != writer)
				return true;
		}
	}
	return false;
}
