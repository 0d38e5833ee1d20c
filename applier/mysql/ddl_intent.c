/*
 * ddl_intent.c
 *		See ddl_intent.h.
 */
#include "mysql/ddl_intent.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/hex.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"
#include "mysql/ddl_refuse.h"

static const char *const state_names[] = {
	[DDL_STEP_BEFORE] = "before",
	[DDL_STEP_AFTER] = "after",
	[DDL_STEP_DONE] = "done",
};

/* ---- a shape as JSON, with what older rows have in its columns */

static void
put_missing(Buffer *out, const char *text)
{
	char pair[2];

	/* any bytes: it is in the source's encoding */
	buffer_puts(out, ",\"missing\":\"");
	for (const char *p = text; *p != '\0'; p++)
	{
		hex_put(pair, p, 1);
		buffer_append(out, pair, sizeof(pair));
	}
	buffer_putc(out, '"');
}

static char *
noted_json(const DdlNoted *noted, Arena *arena)
{
	const Shape *shape = noted->shape;
	const char *comma = "";
	Buffer out;
	char *json;

	if (shape == NULL)
		return arena_strdup(arena, "");
	buffer_init(&out);
	buffer_puts(&out, "{\"schema\":");
	json_text_put(&out, shape->schema);
	buffer_puts(&out, ",\"name\":");
	json_text_put(&out, shape->name);
	buffer_printf(&out,
				  ",\"kind\":\"%c\",\"storage\":%" PRIu32 ",\"root\":%" PRIu32
				  ",\"columns\":%s,\"older\":[",
				  shape->kind, shape->storage, shape->root_oid,
				  shape_columns_json(shape, arena));
	for (int i = 0; i < shape->column_count; i++)
	{
		if (shape->columns[i].missing == NULL)
			continue;
		buffer_printf(&out, "%s{\"num\":%d", comma, shape->columns[i].num);
		put_missing(&out, shape->columns[i].missing);
		buffer_putc(&out, '}');
		comma = ",";
	}
	buffer_puts(&out, "]}");
	json = arena_strndup(arena, out.data, out.len);
	buffer_release(&out);
	return json;
}

static int
digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static const char *
missing_of(const char *hex, Arena *arena)
{
	size_t len = strlen(hex) / 2;
	char *text = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char) (digit(hex[i * 2]) * 16 + digit(hex[i * 2 + 1]));
	text[len] = '\0';
	return text;
}

static void
take_older(const json_t *older, Shape *shape, Arena *arena)
{
	for (size_t i = 0; i < json_array_size(older); i++)
	{
		const json_t *item = json_array_get(older, i);
		json_int_t num = json_integer_value(json_object_get(item, "num"));
		const char *hex = json_string_value(json_object_get(item, "missing"));

		for (int k = 0; hex != NULL && k < shape->column_count; k++)
		{
			if (shape->columns[k].num == num)
				shape->columns[k].missing = missing_of(hex, arena);
		}
	}
}

static bool
shape_read(const json_t *object, Arena *arena, Shape *shape, Error *err)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	char *columns = json_dumps(json_object_get(object, "columns"),
							   JSON_COMPACT);
	bool ok;

	shape->schema = json_text_string(json_object_get(object, "schema"), arena);
	shape->name = json_text_string(json_object_get(object, "name"), arena);
	shape->kind = kind != NULL ? kind[0] : 'r';
	shape->storage = (uint32_t) json_integer_value(
		json_object_get(object, "storage"));
	shape->root_oid = (uint32_t) json_integer_value(
		json_object_get(object, "root"));
	shape->root = "";
	ok = columns != NULL && shape->schema != NULL && shape->name != NULL &&
		 shape_columns_parse(columns, arena, shape, err);
	free(columns);
	if (ok)
		take_older(json_object_get(object, "older"), shape, arena);
	return ok;
}

static bool
noted_read(const MyResult *row, Arena *arena, DdlNoted *noted, Error *err)
{
	Shape *shape = ARENA_NEW(arena, Shape);
	TableMap *map = ARENA_NEW(arena, TableMap);
	json_t *object;
	bool ok;

	noted->oid = (uint32_t) my_value_int(row, 1);
	if (my_value(row, 6)[0] == '\0')
		return true;
	object = json_text_load(slice_of(my_value(row, 6)), err);
	ok = object != NULL && shape_read(object, arena, shape, err) &&
		 table_map_parse(my_value(row, 7), arena, map, err);
	json_decref(object);
	if (!ok)
		return error_set(err, P_PROGRESS,
						 "a row of portage_intent cannot be read");
	shape->oid = noted->oid;
	noted->shape = shape;
	noted->map = map;
	return true;
}

/* ---- storing */

static void
put_text(Buffer *sql, const char *text)
{
	buffer_puts(sql, ", ");
	my_quote_text(sql, slice_of(text));
}

static bool
store_row(TargetMysql *self, const DdlPlan *plan, int number, int i, Error *err)
{
	const DdlStep *step = &plan->steps[number];
	const DdlNoted *noted = &step->noted[i];
	char lsn[LSN_STRING_SIZE];
	Arena arena;
	Buffer sql;
	bool ok;

	arena_init(&arena);
	buffer_init(&sql);
	buffer_puts(&sql, "INSERT INTO portage_intent (stream, table_oid, number,"
					  " kind, commit_lsn, sql_text, probe, columns_json,"
					  " map_json) VALUES (");
	my_quote_text(&sql, slice_of(self->base.config->stream));
	buffer_printf(&sql, ", %" PRIu32 ", %d", noted->oid, number);
	put_text(&sql, state_names[step->state]);
	put_text(&sql, lsn_to_string(plan->commit_lsn, lsn));
	put_text(&sql, i == 0 ? step->sql : "");
	put_text(&sql, i == 0 ? step->probe : "");
	put_text(&sql, noted_json(noted, &arena));
	put_text(&sql,
			 noted->map != NULL ? table_map_json(noted->map, &arena) : "");
	buffer_putc(&sql, ')');
	ok = my_exec_slice(self->conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	arena_release(&arena);
	return ok;
}

static bool
begin(TargetMysql *self, Error *err)
{
	return target_mysql_begin(self->conn, self->base.config->stream, 0,
							  self->origin_nonce, err);
}

bool
ddl_intent_store(TargetMysql *self, const Progress *progress,
				 const DdlPlan *plan, Error *err)
{
	bool ok = true;

	if (!begin(self, err))
		return false;
	for (int i = 0; ok && i < plan->count; i++)
	{
		for (int k = 0; ok && k < plan->steps[i].noted_count; k++)
			ok = store_row(self, plan, i, k, err);
	}
	return target_mysql_end(self->conn, progress, ok, err) &&
		   FAILPOINT(FP_DDL_INTENDED, err);
}

/* ---- loading */

static DdlStepState
state_of(const char *name)
{
	for (int i = 0; i < DDL_STEP_DONE; i++)
	{
		if (strcmp(name, state_names[i]) == 0)
			return (DdlStepState) i;
	}
	return DDL_STEP_DONE;
}

/* Rows come in the order of their numbers, the one with the statement first. */
static bool
take_row(const MyResult *row, DdlPlan *plan, int *last, int room, Error *err)
{
	DdlStep *step;

	if (plan->count == 0 || *last != my_value_int(row, 2))
	{
		step = &plan->steps[plan->count++];
		memset(step, 0, sizeof(*step));
		*last = (int) my_value_int(row, 2);
		step->state = state_of(my_value(row, 0));
		step->sql = "";
		step->probe = "";
		step->noted = ARENA_ARRAY(&plan->arena, DdlNoted, (size_t) room);
	}
	step = &plan->steps[plan->count - 1];
	if (my_value(row, 4)[0] != '\0')
	{
		step->sql = arena_strdup(&plan->arena, my_value(row, 4));
		step->probe = arena_strdup(&plan->arena, my_value(row, 5));
	}
	if (!lsn_parse(my_value(row, 3), &plan->commit_lsn))
		return error_set(err, P_PROGRESS,
						 "a row of portage_intent cannot be read");
	return noted_read(row, &plan->arena, &step->noted[step->noted_count++],
					  err);
}

bool
ddl_intent_load(TargetMysql *self, DdlPlan *plan, Error *err)
{
	MyResult result;
	int last = -1;
	bool ok = true;
	int rows;

	if (!my_queryf(self->conn, err, &result,
				   "SELECT kind, table_oid, number, commit_lsn, sql_text,"
				   " probe, columns_json, map_json FROM portage_intent"
				   " WHERE stream = '%s' AND kind IN ('before', 'after',"
				   " 'done') ORDER BY number, table_oid",
				   self->base.config->stream))
		return false;
	rows = (int) mysql_num_rows(result.res);
	if (rows > 0)
	{
		plan->capacity = rows;
		plan->steps = mem_realloc(plan->steps,
								  (size_t) rows * sizeof(*plan->steps));
	}
	while (ok && my_next(&result))
		ok = take_row(&result, plan, &last, rows, err);
	my_result_free(&result);
	return ok;
}

/* ---- carrying out */

bool
ddl_noted_store(MyConn *conn, const char *stream, const DdlNoted *noted,
				Error *err)
{
	if (noted->shape != NULL)
		return map_entry_store(conn, stream, noted->shape, noted->map, err);
	return my_execf(conn, err,
					"DELETE FROM portage_relation WHERE stream = '%s'"
					" AND table_oid = %" PRIu32,
					stream, noted->oid) &&
		   my_execf(conn, err,
					"DELETE FROM portage_ddl WHERE stream = '%s'"
					" AND table_oid = %" PRIu32 " AND state <> 'done'",
					stream, noted->oid);
}

/* Done, and what holds from now on, at once. */
static bool
note_done(TargetMysql *self, const Progress *progress, DdlPlan *plan,
		  int number, Error *err)
{
	const char *stream = self->base.config->stream;
	DdlStep *step = &plan->steps[number];
	bool ok;

	if (!begin(self, err))
		return false;
	ok = my_execf(self->conn, err,
				  "UPDATE portage_intent SET kind = 'done'"
				  " WHERE stream = '%s' AND number = %d"
				  " AND kind IN ('before', 'after')",
				  stream, number);
	for (int i = 0; ok && i < step->noted_count; i++)
		ok = ddl_noted_store(self->conn, stream, &step->noted[i], err);
	if (!target_mysql_end(self->conn, progress, ok, err))
		return false;
	step->state = DDL_STEP_DONE;
	self->altered++;
	return FAILPOINT(FP_DDL_NOTED, err);
}

/* Somebody noted it and is no more: has it been carried out? */
static bool
was_carried_out(TargetMysql *self, const DdlStep *step, bool *was, Error *err)
{
	MyResult result;
	int64_t value = 2;

	*was = false;
	if (step->probe[0] == '\0')
		return true;
	if (!my_query(self->conn, err, step->probe, &result))
		return false;
	if (my_next(&result) && !my_is_null(&result, 0))
		value = my_value_int(&result, 0);
	my_result_free(&result);
	*was = value == 1;
	return value == 0 || value == 1 ||
		   error_set(err, P_DDL_STREAM,
					 "the target's tables are neither as they were before a "
					 "statement that was interrupted nor as it leaves them");
}

static bool
refused(const DdlPlan *plan, const DdlStep *step, Error *err)
{
	Txn txn = { .commit_lsn = plan->commit_lsn };
	ErrorCode code = err->code;

	ddl_refuse_failed(err, &txn, "DDL", step->sql);
	if (code != P_DDL_STREAM)
		return false;
	error_detail(err, "%.600s", step->sql);
	return error_hint(err,
					  "Do by hand what is left of it, and run again with "
					  "--ddl-done " LSN_FORMAT ".",
					  LSN_ARGS(plan->commit_lsn));
}

static bool
run_step(TargetMysql *self, const DdlPlan *plan, const DdlStep *step,
		 bool found, Error *err)
{
	bool was = false;

	if (self->base.config->ddl_done == plan->commit_lsn)
		return true;
	if ((found && !was_carried_out(self, step, &was, err)) ||
		(!was && step->sql[0] != '\0' && !my_exec(self->conn, err, step->sql)))
		return refused(plan, step, err);
	if (step->sql[0] != '\0')
		log_info("%s: %.200s", was ? "was carried out already" : "carried out",
				 step->sql);
	return FAILPOINT(FP_DDL_EXECUTED, err);
}

bool
ddl_intent_run(TargetMysql *self, const Progress *progress, DdlPlan *plan,
			   DdlStepState state, bool found, Error *err)
{
	for (int i = 0; i < plan->count; i++)
	{
		if (plan->steps[i].state != state)
			continue;
		if (!run_step(self, plan, &plan->steps[i], found, err) ||
			!note_done(self, progress, plan, i, err))
			return false;
		/* only one can have been interrupted */
		found = false;
	}
	return true;
}

bool
ddl_intent_forget(TargetMysql *self, const Progress *progress, Error *err)
{
	bool ok;

	if (!begin(self, err))
		return false;
	ok = my_execf(self->conn, err,
				  "DELETE FROM portage_intent WHERE stream = '%s'"
				  " AND kind IN ('before', 'after', 'done')",
				  self->base.config->stream);
	return target_mysql_end(self->conn, progress, ok, err);
}
