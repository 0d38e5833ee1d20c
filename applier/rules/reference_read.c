/*
 * reference_read.c
 *		What an engine has read of files and queries, and when it reads again.
 *
 * Reading is one transaction of the engine's database: what goes wrong in the
 * middle leaves what was there.  After a failure the next try comes before the
 * time to refresh, but never so soon that trying would be most of the work.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "rules/rule_reference.h"
#include "rules/rule_set_parts.h"
#include "source/query.h"
#include "text/csv_file.h"

#define RETRY_MS 30000
#define RETRY_SHARE \
	10 /* a try takes at most one in so many parts of the time */

typedef struct ReferenceRead
{
	const RuleReference *reference;
	int64_t due_ms; /* on clock_ms(); 0: not again */
	bool failing;	/* which was told */
} ReferenceRead;

struct ReferenceReads
{
	const RuleSet *set;
	ReferenceRead *items;
	int count;
	int64_t due_ms; /* of the first that is due; 0: none ever */
};

ReferenceReads *
reference_reads_new(const RuleSet *set)
{
	ReferenceReads *reads = mem_zalloc(sizeof(*reads));

	reads->set = set;
	reads->items = mem_zalloc((size_t) (set->reference_count + 1) *
							  sizeof(*reads->items));
	for (int i = 0; i < set->reference_count; i++)
	{
		if (set->references[i].config->kind != REFERENCE_TABLE)
			reads->items[reads->count++].reference = &set->references[i];
	}
	return reads;
}

void
reference_reads_free(ReferenceReads *reads)
{
	if (reads == NULL)
		return;
	mem_free(reads->items);
	mem_free(reads);
}

/* ---- a file */

/* Where its columns are now; the file may have more, in any order. */
static bool
map_columns(const ExprReference *shape, const CsvRow *header, int *field_of,
			Error *err)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		int k = header->count - 1;

		while (k >= 0 &&
			   (header->fields[k].data == NULL ||
				strcmp(header->fields[k].data, shape->columns[i].name) != 0))
			k--;
		if (k < 0)
			return error_set(err, P_REFERENCE,
							 "its column \"%s\" is not there any more",
							 shape->columns[i].name);
		field_of[i] = k;
	}
	return true;
}

static bool
put_line(const ExprReference *shape, ExprDb *db, const char *path,
		 const CsvRow *row, const int *field_of, int fields, Value *values,
		 Error *err)
{
	if (row->count != fields)
		return error_set(err, P_REFERENCE,
						 "%s:%d: %d fields, and %d columns have a name", path,
						 row->line, row->count, fields);
	for (int i = 0; i < shape->column_count; i++)
	{
		const Slice *field = &row->fields[field_of[i]];

		values[i] = field->data == NULL
						? (Value){ NULL, 0, WIRE_COL_NULL }
						: (Value){ field->data, (uint32_t) field->len,
								   WIRE_COL_PRESENT };
	}
	return expr_reference_put(db, shape->name, values, err) ||
		   error_wrap(err, "%s:%d", path, row->line);
}

static bool
put_lines(const ExprReference *shape, ExprDb *db, CsvFile *csv,
		  const char *path, Error *err)
{
	size_t count = (size_t) shape->column_count;
	int *field_of = mem_zalloc((count + 1) * sizeof(int));
	Value *values = mem_zalloc((count + 1) * sizeof(Value));
	CsvRow row;
	bool ok;
	int fields;

	ok = csv_next(csv, &row, err) && map_columns(shape, &row, field_of, err);
	fields = row.count;
	while (ok)
	{
		ok = csv_next(csv, &row, err);
		if (ok && row.count == 0)
			break;
		ok = ok &&
			 put_line(shape, db, path, &row, field_of, fields, values, err);
	}
	mem_free(field_of);
	mem_free(values);
	return ok;
}

static bool
read_file(const RuleSet *set, const RuleReference *reference, ExprDb *db,
		  Error *err)
{
	Arena arena;
	const char *path;
	CsvFile *csv;
	bool ok;

	arena_init(&arena);
	path = rule_reference_path(set, reference->config, &arena);
	csv = csv_open(path, err);
	ok = csv != NULL && put_lines(&reference->shape, db, csv, path, err);
	csv_close(csv);
	arena_release(&arena);
	return ok;
}

/* ---- a query */

typedef struct PutRow
{
	const ExprReference *shape;
	ExprDb *db;
} PutRow;

static bool
put_row(void *arg, const Value *values, Error *err)
{
	const PutRow *put = arg;

	return expr_reference_put(put->db, put->shape->name, values, err);
}

static bool
read_query(const RuleReference *reference, ExprDb *db, Error *err)
{
	Query query = { reference->config->url.text,
					reference->config->query.text };
	QueryColumns columns = { (ExprColumn *) reference->shape.columns,
							 reference->shape.column_count };
	PutRow put = { &reference->shape, db };

	return query_visit(&query, &columns, put_row, &put, err);
}

/* ---- both */

static bool
read_into(const RuleSet *set, const RuleReference *reference, ExprDb *db,
		  Error *err)
{
	return expr_reference_clear(db, reference->shape.name, err) &&
		   (reference->config->kind == REFERENCE_FILE
				? read_file(set, reference, db, err)
				: read_query(reference, db, err));
}

static bool
read_one(const ReferenceReads *reads, const ReferenceRead *read, ExprDb *db,
		 Error *err)
{
	if (!expr_reference_begin(db, err))
		return rule_reference_wrap(reads->set, read->reference->config, err);
	if (read_into(reads->set, read->reference, db, err) &&
		expr_reference_commit(db, err))
		return true;
	expr_reference_rollback(db);
	return rule_reference_wrap(reads->set, read->reference->config, err);
}

static void
find_due(ReferenceReads *reads)
{
	reads->due_ms = 0;
	for (int i = 0; i < reads->count; i++)
	{
		int64_t due_ms = reads->items[i].due_ms;

		if (due_ms != 0 && (reads->due_ms == 0 || due_ms < reads->due_ms))
			reads->due_ms = due_ms;
	}
}

static void
set_due(ReferenceRead *read, int64_t in_ms)
{
	read->due_ms = read->reference->config->refresh_ms > 0 ? clock_ms() + in_ms
														   : 0;
}

bool
reference_reads_all(ReferenceReads *reads, ExprDb *db, Error *err)
{
	for (int i = 0; i < reads->count; i++)
	{
		ReferenceRead *read = &reads->items[i];

		if (!read_one(reads, read, db, err))
			return false;
		set_due(read, read->reference->config->refresh_ms);
	}
	find_due(reads);
	return true;
}

/* A stop is none: whoever asks next sees it. */
static void
read_failed(ReferenceRead *read, int64_t took_ms, const Error *why)
{
	int64_t refresh_ms = read->reference->config->refresh_ms;
	int64_t wait_ms = refresh_ms < RETRY_MS ? refresh_ms : RETRY_MS;

	if (!read->failing && why->code != P_STOPPED)
	{
		log_error_retried(why, "going on with what was read before");
		read->failing = true;
	}
	if (wait_ms < took_ms * RETRY_SHARE)
		wait_ms = took_ms * RETRY_SHARE;
	set_due(read, wait_ms);
}

static void
read_again(const ReferenceReads *reads, ReferenceRead *read, ExprDb *db)
{
	int64_t began_ms = clock_ms();
	Error why = ERROR_INIT;

	if (!read_one(reads, read, db, &why))
	{
		read_failed(read, clock_ms() - began_ms, &why);
		return;
	}
	if (read->failing)
		log_info("reference %s: is read again",
				 read->reference->config->name.text);
	read->failing = false;
	set_due(read, read->reference->config->refresh_ms);
}

void
reference_reads_due(ReferenceReads *reads, ExprDb *db)
{
	int64_t now_ms;

	if (reads->due_ms == 0)
		return;
	now_ms = clock_ms();
	if (now_ms < reads->due_ms)
		return;
	for (int i = 0; i < reads->count; i++)
	{
		if (reads->items[i].due_ms != 0 && reads->items[i].due_ms <= now_ms)
			read_again(reads, &reads->items[i], db);
	}
	find_due(reads);
}
