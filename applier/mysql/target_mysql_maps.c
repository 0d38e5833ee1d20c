/*
 * target_mysql_maps.c
 *		portage_relation: what the tables look like, and how their rows are
 *		converted.
 *
 * The map is decided with the schema and kept beside the shape, so that whoever
 * loads or applies later does it as the first did.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/target_mysql.h"

#define LOAD_SQL                                                           \
	"SELECT table_oid, table_schema, table_name, kind, storage, root_oid," \
	" columns_json, map_json, copied_schema, copied_name, copied_storage," \
	" copied_columns FROM portage_relation WHERE stream = '%s'"            \
	" ORDER BY table_oid"

/* ---------------------------------------------------------------- reading */

static bool
shape_load(const MyResult *row, Arena *arena, Shape *shape, Error *err)
{
	memset(shape, 0, sizeof(*shape));
	shape->oid = (uint32_t) my_value_int(row, 0);
	shape->schema = arena_strdup(arena, my_value(row, 1));
	shape->name = arena_strdup(arena, my_value(row, 2));
	shape->kind = my_value(row, 3)[0];
	shape->storage = (uint32_t) my_value_int(row, 4);
	shape->root_oid = (uint32_t) my_value_int(row, 5);
	shape->root = "";
	return shape_columns_parse(my_value(row, 6), arena, shape, err);
}

/* As the table was copied, where that is another shape than the noted one. */
static bool
shape_load_copied(const MyResult *row, Arena *arena, Shape *shape, Error *err)
{
	if (my_is_null(row, 11))
		return true;
	shape->schema = arena_strdup(arena, my_value(row, 8));
	shape->name = arena_strdup(arena, my_value(row, 9));
	shape->storage = (uint32_t) my_value_int(row, 10);
	return shape_columns_parse(my_value(row, 11), arena, shape, err);
}

static bool
entry_load(const MyResult *row, Arena *arena, MapEntry *entry, Error *err)
{
	entry->noted_shape = my_is_null(row, 11);
	if (!shape_load(row, arena, &entry->shape, err))
		return false;
	entry->copied = entry->shape;
	return shape_load_copied(row, arena, &entry->copied, err) &&
		   (my_value(row, 7)[0] == '\0' ||
			table_map_parse(my_value(row, 7), arena, &entry->map, err));
}

static int
entry_compare(const void *oid, const void *entry)
{
	uint32_t a = *(const uint32_t *) oid;
	uint32_t b = ((const MapEntry *) entry)->shape.oid;

	return (a > b) - (a < b);
}

MapEntry *
map_table_find(const MapTable *maps, uint32_t oid)
{
	if (maps->count == 0)
		return NULL;
	return bsearch(&oid, maps->entries, (size_t) maps->count,
				   sizeof(maps->entries[0]), entry_compare);
}

/* What rules call a partition by is its root. */
static const Shape *
named_shape(const MapTable *maps, const MapEntry *entry)
{
	const MapEntry *root = map_table_find(maps, entry->shape.root_oid);

	return root != NULL ? &root->shape : &entry->shape;
}

/*
 * --on-loss may be another one than when the schema was made.  A column that was
 * made text loses nothing; one that was not cannot become it any more.
 */
static bool
maps_take_rules(MapTable *maps, const char *on_loss, Error *err)
{
	LossRules rules;

	if (!loss_rules_parse(on_loss, &maps->arena, &rules, err))
		return false;
	for (int i = 0; i < maps->count; i++)
	{
		MapEntry *entry = &maps->entries[i];
		const Shape *named = named_shape(maps, entry);

		for (int k = 0; k < entry->map.column_count; k++)
		{
			ColumnMap *column = &entry->map.columns[k];
			LossPolicy policy = loss_policy(&rules, named->schema, named->name,
											column->name);

			if (column->policy != LOSS_TEXT)
				column->policy = policy != LOSS_TEXT ? policy : LOSS_ERROR;
		}
	}
	return true;
}

bool
map_table_load(MyConn *conn, const TargetConfig *config, MapTable *maps,
			   Error *err)
{
	MyResult result;
	bool ok = true;

	memset(maps, 0, sizeof(*maps));
	arena_init(&maps->arena);
	if (!my_queryf(conn, err, &result, LOAD_SQL, config->stream))
		return false;
	maps->entries = ARENA_ARRAY(&maps->arena, MapEntry,
								(size_t) mysql_num_rows(result.res));
	while (ok && my_next(&result))
		ok = entry_load(&result, &maps->arena, &maps->entries[maps->count++],
						err);
	my_result_free(&result);
	ok = ok && maps_take_rules(maps, config->on_loss, err);
	if (!ok)
		map_table_release(maps);
	return ok;
}

void
map_table_release(MapTable *maps)
{
	arena_release(&maps->arena);
	memset(maps, 0, sizeof(*maps));
	arena_init(&maps->arena);
}

bool
target_mysql_maps(TargetMysql *self, Error *err)
{
	if (self->maps != NULL)
		return true;
	self->maps = mem_zalloc(sizeof(*self->maps));
	if (map_table_load(self->conn, self->base.config, self->maps, err))
		return true;
	mem_free(self->maps);
	self->maps = NULL;
	return false;
}

void
target_mysql_maps_forget(TargetMysql *self)
{
	if (self->maps == NULL)
		return;
	map_table_release(self->maps);
	mem_free(self->maps);
	self->maps = NULL;
}

bool
target_mysql_shapes_list(Target *target, Arena *arena, Shape **shapes,
						 int *count, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	MyResult result;
	bool ok = true;

	*count = 0;
	if (!my_queryf(conn, err, &result, LOAD_SQL, target->config->stream))
		return false;
	*shapes = ARENA_ARRAY(arena, Shape, (size_t) mysql_num_rows(result.res));
	while (ok && my_next(&result))
	{
		Shape *shape = &(*shapes)[(*count)++];

		ok = shape_load(&result, arena, shape, err) &&
			 shape_load_copied(&result, arena, shape, err);
	}
	my_result_free(&result);
	return ok;
}

/* ---------------------------------------------------------------- writing */

static void
put_text(Buffer *sql, const char *text)
{
	buffer_puts(sql, ", ");
	my_quote_text(sql, slice_of(text));
}

static bool
entry_store(MyConn *conn, const char *stream, const Shape *shape,
			const TableMap *map, Arena *arena, Error *err)
{
	char kind[2] = { shape->kind, '\0' };
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "REPLACE INTO portage_relation (stream, table_oid,"
					  " storage, root_oid, table_schema, table_name, kind,"
					  " columns_json, map_json) VALUES (");
	my_quote_text(&sql, slice_of(stream));
	buffer_printf(&sql, ", %" PRIu32 ", %" PRIu32 ", %" PRIu32, shape->oid,
				  shape->storage, shape->root_oid);
	put_text(&sql, shape->schema);
	put_text(&sql, shape->name);
	put_text(&sql, kind);
	put_text(&sql, shape_columns_json(shape, arena));
	put_text(&sql, map != NULL ? table_map_json(map, arena) : "");
	buffer_putc(&sql, ')');
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	return ok;
}

bool
map_entry_store(MyConn *conn, const char *stream, const Shape *shape,
				const TableMap *map, Error *err)
{
	Arena arena;
	bool ok;

	arena_init(&arena);
	ok = entry_store(conn, stream, shape, map, &arena, err);
	arena_release(&arena);
	return ok;
}

static const TableMap *
translated_find(const TargetMysql *self, uint32_t oid)
{
	for (int i = 0; i < self->translated_count; i++)
	{
		if (self->translated[i].oid == oid)
			return &self->translated[i];
	}
	return NULL;
}

bool
target_mysql_shapes_store(Target *target, const Progress *progress,
						  const Shape *shapes, int count, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyConn *conn = self->conn;
	bool ok;

	if (!target_mysql_begin(conn, progress->stream, 0, self->origin_nonce, err))
		return false;
	ok = my_execf(conn, err, "DELETE FROM portage_relation WHERE stream = '%s'",
				  progress->stream);
	for (int i = 0; ok && i < count; i++)
		ok = map_entry_store(conn, progress->stream, &shapes[i],
							 translated_find(self, shapes[i].oid), err);
	target_mysql_maps_forget(self);
	return target_mysql_end(conn, progress, ok, err);
}

/* ----------------------------------------------- copied in another shape */

/* Rows are read by the names of now, so these must be what the map knows. */
static bool
same_columns(const Shape *shape, const TableMap *map, Error *err)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		const ShapeColumn *column = &shape->columns[i];
		const ColumnMap *known = table_map_number(map, column->num);

		if (known == NULL || strcmp(known->name, column->name) != 0)
			return error_set(err, P_SCHEMA_DIFFERS,
							 "column %s of table %s.%s is not what it was when "
							 "its table was made on the target",
							 column->name, shape->schema, shape->name) ||
				   error_hint(err, "the table was altered on the source while "
								   "it was copied: undo that, or drop the "
								   "migration and begin again");
	}
	return true;
}

static bool
copied_note(MyConn *conn, const char *stream, const Shape *shape, Error *err)
{
	Buffer sql;
	Arena arena;
	bool ok;

	arena_init(&arena);
	buffer_init(&sql);
	buffer_puts(&sql, "UPDATE portage_relation SET copied_schema = ");
	my_quote_text(&sql, slice_of(shape->schema));
	buffer_puts(&sql, ", copied_name = ");
	my_quote_text(&sql, slice_of(shape->name));
	buffer_printf(&sql, ", copied_storage = %" PRIu32 ", copied_columns = ",
				  shape->storage);
	my_quote_text(&sql, slice_of(shape_columns_json(shape, &arena)));
	buffer_printf(&sql, " WHERE stream = '%s' AND table_oid = %" PRIu32, stream,
				  shape->oid);
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	arena_release(&arena);
	return ok;
}

bool
target_mysql_shape_copied(Target *target, const Progress *progress,
						  const Shape *shape, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MapEntry *entry;
	bool ok;

	if (!target_mysql_maps(self, err))
		return false;
	entry = map_table_find(self->maps, shape->oid);
	if (entry != NULL && !same_columns(shape, &entry->map, err))
		return false;
	if (!target_mysql_begin(self->conn, progress->stream, 0, self->origin_nonce,
							err))
		return false;
	ok = copied_note(self->conn, progress->stream, shape, err);
	target_mysql_maps_forget(self);
	return target_mysql_end(self->conn, progress, ok, err);
}
