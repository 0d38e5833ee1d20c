/*
 * status_print.c
 *		A Status for people and for programs.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/json_words.h"
#include "command/status.h"
#include "command/walk.h"

static void
print_side(const char *name, const SideStatus *side)
{
	if (side->asked && !side->reached)
		printf("%-10s could not be asked: %s [P%04d]\n", name,
			   side->error.message, (int) side->error.code);
}

static void
print_copy(const Status *status)
{
	const CopyStatus *copy = &status->copy;
	char numbers[2][UNITS_SIZE];
	int i;

	if (copy->chunks == 0)
		return;
	printf("%-10s %d of %d tables, %d of %d chunks, %" PRId64 " rows, %s\n",
		   "copy:", copy->tables_done, copy->tables, copy->chunks_done,
		   copy->chunks, copy->rows,
		   units_bytes((double) copy->bytes, numbers[0]));
	if (copy->has_rate)
		printf("%-10s %s/s, about %s left, ETA %s\n", "",
			   units_bytes(copy->bytes_per_s, numbers[0]),
			   units_bytes((double) copy->left, numbers[1]),
			   units_duration(copy->eta_s, numbers[0]));
	for (i = 0; i < copy->active_count; i++)
		printf("%-10s %s.%s: %" PRId64 " rows, %s not committed\n", "",
			   copy->active[i].schema, copy->active[i].name,
			   copy->active[i].rows,
			   units_bytes((double) copy->active[i].bytes, numbers[0]));
}

/* How the rows got there, and whether the order of some has mattered. */
static void
print_counts(const ApplyCounts *counts)
{
	printf("%-10s %" PRIu64 " target transactions, %" PRIu64
		   " rows in vectors, %" PRIu64 " by themselves\n",
		   "applied:", counts->batches, counts->vector_rows,
		   counts->single_rows);
	if (counts->refused > 0)
		printf("%-10s %" PRIu64 " plans were refused, %" PRIu64
			   " rows applied one by one\n",
			   "", counts->refused, counts->serial_rows);
	if (counts->ordered_rows > 0)
		printf("%-10s %" PRIu64
			   " rows by themselves because the order within their tables "
			   "matters\n",
			   "", counts->ordered_rows);
}

/* What --on-loss has allowed, by column. */
static void
print_losses(const Status *status)
{
	for (int i = 0; i < status->loss_count; i++)
	{
		const LossCount *loss = &status->losses[i];

		printf("%-10s %s.%s.%s: %s, %" PRIu64 " values\n",
			   i == 0 ? "lost:" : "", loss->schema, loss->table, loss->column,
			   loss->kind, loss->count);
	}
}

static void
print_stream(const Status *status)
{
	const Progress *progress = &status->progress;
	char bytes[UNITS_SIZE];

	if (progress->phase != PHASE_STREAM)
		return;
	printf("%-10s applied up to " LSN_FORMAT ", %" PRIu64
		   " transactions, %" PRIu64 " rows\n",
		   "stream:", LSN_ARGS(progress->resume_lsn), progress->transactions,
		   progress->rows);
	print_counts(&progress->counts);
	if (status->has_lag)
		printf("%-10s %s, %.1f s\n",
			   "lag:", units_bytes((double) status->lag_bytes, bytes),
			   status->lag_seconds);
}

static void
print_rates(const Status *status)
{
	char numbers[4][UNITS_SIZE];

	if (!status->has_rates)
		return;
	printf("%-10s applies %s rows/s, %s/s of WAL; the source writes %s/s\n",
		   "rates:", units_count(status->rows_per_s, numbers[0]),
		   units_bytes(status->drained_per_s, numbers[1]),
		   units_bytes(status->written_per_s, numbers[2]));
	printf("%-10s %s\n",
		   "catch-up:", units_duration(status->catch_up_s, numbers[3]));
}

static void
print_slot(const Status *status)
{
	const SlotInfo *slot = &status->slot;
	char bytes[UNITS_SIZE];

	if (!status->source.reached)
		return;
	if (!slot->exists)
		printf("%-10s %s does not exist on the source\n",
			   "slot:", status->slot_name);
	else if (!slot->ours)
		printf("%-10s %s is not a slot of pg_portage in this database\n",
			   "slot:", status->slot_name);
	else if (slot->invalid)
		printf("%-10s %s is invalid: %s\n", "slot:", status->slot_name,
			   slot->why_invalid);
	else
		printf("%-10s %s, %s, confirmed " LSN_FORMAT ", keeps %s of WAL\n",
			   "slot:", status->slot_name,
			   slot->active ? "active" : "not active",
			   LSN_ARGS(slot->confirmed_lsn),
			   units_bytes((double) slot->retained_bytes, bytes));
}

static void
print_entries(const char *title, const char *until, DdlEntry *const *entries,
			  int count)
{
	int i;

	if (count > 0)
		printf("%-10s %d objects wait %s\n", title, count, until);
	for (i = 0; i < count; i++)
		printf("%-10s %s %s.%s\n", "", entries[i]->type, entries[i]->schema,
			   entries[i]->name);
}

static void
print_put_off(const Status *status)
{
	char until[128];

	snprintf(until, sizeof(until),
			 "until the stream has passed " LSN_FORMAT ", where the copy ended",
			 LSN_ARGS(status->progress.newest_stamp_lsn));
	print_entries("waiting:", until, status->waiting, status->waiting_count);
	print_entries("deferred:", "for pg_portage finish", status->deferred,
				  status->deferred_count);
}

void
status_print_text(const Status *status)
{
	printf("%-10s %s\n", "migration:", status->name);
	print_side("source:", &status->source);
	print_side("target:", &status->target);
	if (status->other_source)
		printf("%-10s is not the one that this migration is of (%s, system "
			   "identifier %s)\n",
			   "source:", status->progress.source.database,
			   status->progress.source.system_id);
	if (status->known)
	{
		printf("%-10s %s\n", "phase:", phase_name(status->progress.phase));
		printf("%-10s %s\n",
			   "applier:", status->owned ? status->owner : "none is running");
		print_copy(status);
		print_stream(status);
		print_losses(status);
		status_print_rules(status);
		print_rates(status);
	}
	print_slot(status);
	print_put_off(status);
}

/* ---------------------------------------------------------------- JSON */

static json_t *
lsn_json(Lsn lsn)
{
	char out[LSN_STRING_SIZE];

	return lsn != LSN_NONE ? json_string(lsn_to_string(lsn, out)) : json_null();
}

static json_t *
side_json(const SideStatus *side)
{
	char code[8];

	if (!side->asked)
		return json_null();
	if (side->reached)
		return json_pack("{s:b, s:n}", "reached", 1, "error");
	snprintf(code, sizeof(code), "P%04d", (int) side->error.code);
	return json_pack("{s:b, s:{s:s, s:o}}", "reached", 0, "error", "code", code,
					 "message", json_words(side->error.message));
}

static json_t *
active_json(const CopyStatus *copy)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < copy->active_count; i++)
	{
		const LoadActivity *active = &copy->active[i];

		json_array_append_new(list,
							  json_pack("{s:o, s:o, s:I, s:I}", "schema",
										json_words(active->schema), "name",
										json_words(active->name), "rows",
										(json_int_t) active->rows, "bytes",
										(json_int_t) active->bytes));
	}
	return list;
}

static json_t *
copy_json(const Status *status)
{
	const CopyStatus *copy = &status->copy;
	bool ends = copy->has_rate && copy->eta_s >= 0;

	return json_pack(
		"{s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:o, s:o, s:o}", "tables",
		copy->tables, "tables_done", copy->tables_done, "chunks", copy->chunks,
		"chunks_done", copy->chunks_done, "rows", (json_int_t) copy->rows,
		"bytes", (json_int_t) copy->bytes, "bytes_left",
		(json_int_t) copy->left, "bytes_per_second",
		copy->has_rate ? json_real(copy->bytes_per_s) : json_null(),
		"eta_seconds", ends ? json_real(copy->eta_s) : json_null(), "active",
		active_json(copy));
}

static json_t *
rates_json(const Status *status)
{
	if (!status->has_rates)
		return json_null();
	return json_pack(
		"{s:f, s:f, s:f, s:o}", "rows_per_second", status->rows_per_s,
		"drained_bytes_per_second", status->drained_per_s,
		"written_bytes_per_second", status->written_per_s, "catch_up_seconds",
		status->catch_up_s < 0 ? json_null() : json_real(status->catch_up_s));
}

static json_t *
counts_json(const ApplyCounts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "batches",
					 (json_int_t) counts->batches, "vector_rows",
					 (json_int_t) counts->vector_rows, "single_rows",
					 (json_int_t) counts->single_rows, "refused_plans",
					 (json_int_t) counts->refused, "serial_rows",
					 (json_int_t) counts->serial_rows, "ordered_rows",
					 (json_int_t) counts->ordered_rows);
}

static json_t *
stream_json(const Status *status)
{
	const Progress *progress = &status->progress;
	json_t *stream;

	if (progress->phase != PHASE_STREAM)
		return json_null();
	stream = json_pack("{s:o, s:o, s:I, s:I, s:o, s:n, s:n, s:o}", "resume_lsn",
					   lsn_json(progress->resume_lsn), "anchor_lsn",
					   lsn_json(progress->anchor_lsn), "transactions",
					   (json_int_t) progress->transactions, "rows",
					   (json_int_t) progress->rows, "applied",
					   counts_json(&progress->counts), "lag_bytes",
					   "lag_seconds", "rates", rates_json(status));
	BUG_UNLESS(stream != NULL);
	if (status->has_lag)
	{
		json_object_set_new(stream, "lag_bytes",
							json_integer((json_int_t) status->lag_bytes));
		json_object_set_new(stream, "lag_seconds",
							json_real(status->lag_seconds));
	}
	return stream;
}

static json_t *
slot_json(const Status *status)
{
	const SlotInfo *slot = &status->slot;

	if (!status->source.reached)
		return json_null();
	if (!slot->exists)
		return json_pack("{s:s, s:b}", "name", status->slot_name, "exists", 0);
	return json_pack(
		"{s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:I}", "name",
		status->slot_name, "exists", 1, "ours", (int) slot->ours, "active",
		(int) slot->active, "invalid", (int) slot->invalid, "why_invalid",
		slot->invalid ? json_words(slot->why_invalid) : json_null(),
		"restart_lsn", lsn_json(slot->restart_lsn), "confirmed_lsn",
		lsn_json(slot->confirmed_lsn), "retained_bytes",
		(json_int_t) slot->retained_bytes);
}

static json_t *
entries_json(DdlEntry *const *entries, int count)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < count; i++)
		json_array_append_new(list,
							  json_pack("{s:o, s:o, s:o}", "type",
										json_words(entries[i]->type), "schema",
										json_words(entries[i]->schema), "name",
										json_words(entries[i]->name)));
	return list;
}

static json_t *
losses_json(const Status *status)
{
	json_t *list = json_array();

	for (int i = 0; i < status->loss_count; i++)
	{
		const LossCount *loss = &status->losses[i];

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:s, s:I}", "schema",
							json_words(loss->schema), "table",
							json_words(loss->table), "column",
							json_words(loss->column), "kind", loss->kind,
							"count", (json_int_t) loss->count));
	}
	return list;
}

void
status_print_json(const Status *status)
{
	const Progress *progress = &status->progress;
	json_t *root;

	root = json_pack(
		"{s:i, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:I}",
		"format", 1, "name", status->name, "source", side_json(&status->source),
		"target", side_json(&status->target), "other_source",
		(int) status->other_source, "phase",
		status->known ? json_string(phase_name(progress->phase)) : json_null(),
		"applier", status->owned ? json_words(status->owner) : json_null(),
		"copy", status->known ? copy_json(status) : json_null(), "stream",
		status->known ? stream_json(status) : json_null(), "slot",
		slot_json(status), "waiting",
		entries_json(status->waiting, status->waiting_count), "deferred",
		entries_json(status->deferred, status->deferred_count), "losses",
		losses_json(status), "ledger", status_ledger_json(status),
		"quarantined", (json_int_t) status->quarantined);
	BUG_UNLESS(root != NULL);
	walk_print_json(root, JSON_REAL_PRECISION(6));
}
