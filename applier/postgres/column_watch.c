/*
 * column_watch.c
 *		See column_watch.h.
 *
 * A mark is the list of the xmin of the table's rows in pg_attribute: every
 * ALTER of a column writes its row anew, and nothing else does so in passing
 * (ANALYZE and VACUUM change pg_class and pg_statistic).
 */
#include "postgres/column_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "postgres/pipeline_pg.h"

#define MARK_OF(oid)                                                        \
	"coalesce((SELECT string_agg(a.xmin::text, ' ' ORDER BY a.attnum) FROM" \
	" pg_attribute a WHERE a.attrelid = " oid " AND a.attnum > 0), '')"

static const char mark_sql[] = "SELECT " MARK_OF("$1::oid");

/* Divides by zero if any is not as it was. */
static const char check_sql[] =
	"SELECT 1 / (count(*) = 0)::integer"
	" FROM unnest($1::oid[], $2::text[]) AS known (oid, mark)"
	" WHERE mark IS DISTINCT FROM " MARK_OF("known.oid");

bool
column_watch_mark(DdlWork *work, ShapeEntry *entry)
{
	char oid[16];
	const char *params[] = { oid };
	PGresult *res;

	snprintf(oid, sizeof(oid), "%" PRIu32, entry->target_oid);
	res = pg_query_params(work->conn, work->err, mark_sql, 1, params);
	if (res == NULL)
		return false;
	entry->mark = arena_strdup(&entry->arena, pg_value(res, 0, 0));
	PQclear(res);
	return true;
}

void
column_watch_begin(ColumnWatch *watch)
{
	watch->transaction++;
	watch->count = 0;
}

void
column_watch_touch(ColumnWatch *watch, ShapeEntry *entry)
{
	if (entry->touched == watch->transaction)
		return;
	entry->touched = watch->transaction;
	watch->oids = mem_room(watch->oids, watch->count, &watch->capacity,
						   sizeof(*watch->oids));
	watch->oids[watch->count++] = entry->shape.oid;
}

void
column_watch_forget(const ShapeMap *shapes)
{
	for (ShapeEntry *entry = shape_map_next(shapes, NULL); entry != NULL;
		 entry = shape_map_next(shapes, entry))
		entry->seen = false;
}

void
column_marks_init(ColumnMarks *marks)
{
	buffer_init(&marks->oids);
	buffer_init(&marks->marks);
	marks->count = 0;
}

void
column_marks_release(ColumnMarks *marks)
{
	buffer_release(&marks->oids);
	buffer_release(&marks->marks);
}

/* Two arrays, "{1,2}" and "{"a b","c"}", but for their last braces. */
void
column_marks_add(ColumnMarks *marks, uint32_t target_oid, const char *mark)
{
	const char *before = marks->count++ == 0 ? "{" : ",";

	buffer_printf(&marks->oids, "%s%" PRIu32, before, target_oid);
	buffer_printf(&marks->marks, "%s\"%s\"", before, mark);
}

bool
column_marks_send(ColumnMarks *marks, Pipeline *pipeline, Error *err)
{
	const char *params[2];

	if (marks->count == 0)
		return true;
	buffer_putc(&marks->oids, '}');
	buffer_putc(&marks->marks, '}');
	params[0] = marks->oids.data;
	params[1] = marks->marks.data;
	return pipeline_send(pipeline, STEP_COLUMNS, check_sql, 2, params, err);
}

bool
column_watch_send(ColumnWatch *watch, const ShapeMap *shapes,
				  Pipeline *pipeline, Error *err)
{
	ColumnMarks marks;
	bool ok;

	if (shapes == NULL)
		return true;
	column_marks_init(&marks);
	for (int i = 0; i < watch->count; i++)
	{
		const ShapeEntry *entry = shape_map_find(shapes, watch->oids[i]);

		if (entry != NULL && entry->seen)
			column_marks_add(&marks, entry->target_oid, entry->mark);
	}
	ok = column_marks_send(&marks, pipeline, err);
	column_marks_release(&marks);
	return ok;
}

bool
column_watch_failed(Error *err)
{
	if (strcmp(err->sqlstate, "22012") != 0) /* division_by_zero */
		return error_wrap(err, "cannot look at the target's columns");
	error_set(err, P_SERVER_BUSY,
			  "columns of the target were altered while rows were written");
	error_hint(err, "The rows are written again, once the columns have been "
					"compared with the source's.");
	return false;
}

void
column_watch_release(ColumnWatch *watch)
{
	mem_free(watch->oids);
	memset(watch, 0, sizeof(*watch));
}
