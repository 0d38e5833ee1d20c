/*
 * shape_map.c
 *		See shape_map.h.
 */
#include "postgres/shape_map.h"
#include "postgres/table_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define BUCKETS 1024

#define LOAD_SQL                                                            \
	"SELECT table_oid, table_schema, table_name, kind, storage, root_oid,"  \
	" columns,"                                                             \
	" coalesce(to_regclass(format('%I.%I', table_schema, table_name))::oid" \
	"  , 0), copied_schema, copied_name, copied_storage, copied_columns"    \
	" FROM portage.relation WHERE stream = $1"

#define COPIED_SQL                                                     \
	"UPDATE portage.relation SET copied_schema = $3, copied_name = $4" \
	", copied_storage = $5, copied_columns = $6::json"                 \
	" WHERE stream = $1 AND table_oid = $2"

#define PUT_SQL                                                               \
	"INSERT INTO portage.relation AS r (stream, table_oid, table_schema,"     \
	" table_name, kind, storage, root_oid, columns)"                          \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json)"                          \
	" ON CONFLICT (stream, table_oid) DO UPDATE SET"                          \
	" table_schema = excluded.table_schema, table_name = excluded.table_name" \
	", kind = excluded.kind, storage = excluded.storage,"                     \
	" root_oid = excluded.root_oid, columns = excluded.columns"               \
	" RETURNING coalesce(to_regclass("                                        \
	"  format('%I.%I', r.table_schema, r.table_name))::oid, 0)"

/* What the target's tables are called now; NULL for those that are gone. */
#define REFRESH_SQL                                           \
	"SELECT o.ours, n.nspname, c.relname,"                    \
	" CASE WHEN c.relispartition THEN"                        \
	"  coalesce(pg_partition_root(c.oid)::oid, 0) ELSE 0 END" \
	" FROM unnest($1::oid[], $2::oid[]) AS o (ours, theirs)"  \
	" LEFT JOIN pg_class c ON c.oid = o.theirs"               \
	" LEFT JOIN pg_namespace n ON n.oid = c.relnamespace"

/* Columns of types that are not the server's own, by their tables. */
#define TYPES_SQL                                                    \
	"SELECT o.ours, a.attname, n.nspname, t.typname"                 \
	" FROM unnest($1::oid[], $2::oid[]) AS o (ours, theirs)"         \
	" JOIN pg_attribute a ON a.attrelid = o.theirs AND a.attnum > 0" \
	"  AND NOT a.attisdropped"                                       \
	" JOIN pg_type t ON t.oid = a.atttypid AND t.oid >= 16384"       \
	" JOIN pg_namespace n ON n.oid = t.typnamespace ORDER BY o.ours"

/* The table itself, too. */
#define DESCENDANTS_SQL                                   \
	"WITH RECURSIVE down AS (SELECT $1::oid AS oid UNION" \
	" SELECT i.inhrelid FROM down JOIN pg_inherits i"     \
	"  ON i.inhparent = down.oid) SELECT oid FROM down"

struct ShapeMap
{
	char *stream;
	ShapeEntry *buckets[BUCKETS];
	int count;
	uint32_t next_id;
};

static ShapeEntry **
bucket_of(const ShapeMap *map, uint32_t oid)
{
	return &((ShapeMap *) map)->buckets[oid % BUCKETS];
}

ShapeEntry *
shape_map_find(const ShapeMap *map, uint32_t oid)
{
	ShapeEntry *entry = *bucket_of(map, oid);

	while (entry != NULL && entry->shape.oid != oid)
		entry = entry->next;
	return entry;
}

ShapeEntry *
shape_map_next(const ShapeMap *map, const ShapeEntry *entry)
{
	uint32_t bucket = entry != NULL ? entry->shape.oid % BUCKETS + 1 : 0;

	if (entry != NULL && entry->next != NULL)
		return entry->next;
	while (bucket < BUCKETS && map->buckets[bucket] == NULL)
		bucket++;
	return bucket < BUCKETS ? map->buckets[bucket] : NULL;
}

ShapeEntry *
shape_map_named(const ShapeMap *map, const char *schema, const char *name)
{
	ShapeEntry *entry = shape_map_next(map, NULL);

	while (entry != NULL && (strcmp(entry->shape.name, name) != 0 ||
							 strcmp(entry->shape.schema, schema) != 0))
		entry = shape_map_next(map, entry);
	return entry;
}

static ShapeEntry *
entry_make(ShapeMap *map, uint32_t oid)
{
	ShapeEntry **bucket = bucket_of(map, oid);
	ShapeEntry *entry = mem_zalloc(sizeof(*entry));

	arena_init(&entry->arena);
	arena_init(&entry->copied_arena);
	entry->shape.oid = oid;
	entry->id = map->next_id++;
	entry->next = *bucket;
	*bucket = entry;
	map->count++;
	return entry;
}

static void
entry_remove(ShapeMap *map, ShapeEntry *entry)
{
	ShapeEntry **link = bucket_of(map, entry->shape.oid);

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	map->count--;
	table_facts_free(entry->facts);
	arena_release(&entry->arena);
	arena_release(&entry->copied_arena);
	mem_free(entry);
}

static bool
entry_load_copied(ShapeEntry *entry, const PGresult *res, int row, Error *err)
{
	Arena *arena = &entry->copied_arena;
	Shape *copied = &entry->copied;

	if (pg_is_null(res, row, 11))
		return true;
	*copied = entry->shape;
	copied->schema = arena_strdup(arena, pg_value(res, row, 8));
	copied->name = arena_strdup(arena, pg_value(res, row, 9));
	copied->storage = (uint32_t) pg_value_int(res, row, 10);
	copied->root = "";
	return shape_columns_parse(pg_value(res, row, 11), arena, copied, err);
}

static bool
entry_load(ShapeMap *map, const PGresult *res, int row, Error *err)
{
	ShapeEntry *entry = entry_make(map, (uint32_t) pg_value_int(res, row, 0));
	Shape *shape = &entry->shape;

	shape->schema = arena_strdup(&entry->arena, pg_value(res, row, 1));
	shape->name = arena_strdup(&entry->arena, pg_value(res, row, 2));
	shape->kind = pg_value(res, row, 3)[0];
	shape->storage = (uint32_t) pg_value_int(res, row, 4);
	shape->root_oid = (uint32_t) pg_value_int(res, row, 5);
	shape->root = "";
	entry->target_oid = (uint32_t) pg_value_int(res, row, 7);
	return shape_columns_parse(pg_value(res, row, 6), &entry->arena, shape,
							   err) &&
		   entry_load_copied(entry, res, row, err);
}

ShapeMap *
shape_map_load(PgConn *conn, const char *stream, Error *err)
{
	const char *params[] = { stream };
	PGresult *res = pg_query_params(conn, err, LOAD_SQL, 1, params);
	ShapeMap *map;
	bool ok = true;

	if (res == NULL)
		return NULL;
	map = mem_zalloc(sizeof(*map));
	map->stream = mem_strdup(stream);
	map->next_id = KEPT_TABLE_ID + 1;
	for (int i = 0; ok && i < PQntuples(res); i++)
		ok = entry_load(map, res, i, err);
	PQclear(res);
	if (ok)
		return map;
	shape_map_free(map);
	return NULL;
}

void
shape_map_free(ShapeMap *map)
{
	if (map == NULL)
		return;
	for (int i = 0; i < BUCKETS; i++)
	{
		while (map->buckets[i] != NULL)
			entry_remove(map, map->buckets[i]);
	}
	mem_free(map->stream);
	mem_free(map);
}

static PGresult *
put_row(const ShapeMap *map, PgConn *conn, const Shape *shape, Error *err)
{
	char oid[16];
	char kind[2] = { shape->kind, '\0' };
	char storage[16];
	char root[16];
	const char *params[] = { map->stream, oid,	   shape->schema, shape->name,
							 kind,		  storage, root,		  NULL };
	Arena arena;
	PGresult *res;

	arena_init(&arena);
	snprintf(oid, sizeof(oid), "%" PRIu32, shape->oid);
	snprintf(storage, sizeof(storage), "%" PRIu32, shape->storage);
	snprintf(root, sizeof(root), "%" PRIu32, shape->root_oid);
	params[7] = shape_columns_json(shape, &arena);
	res = pg_query_params(conn, err, PUT_SQL, 8, params);
	arena_release(&arena);
	return res;
}

ShapeEntry *
shape_map_put(ShapeMap *map, PgConn *conn, const Shape *shape, Error *err)
{
	ShapeEntry *entry = shape_map_find(map, shape->oid);
	PGresult *res = put_row(map, conn, shape, err);
	Arena old;

	if (res == NULL)
		return NULL;
	if (entry == NULL)
		entry = entry_make(map, shape->oid);
	/* shape may be the entry's own, changed */
	old = entry->arena;
	arena_init(&entry->arena);
	shape_copy(shape, &entry->arena, &entry->shape);
	arena_release(&old);
	entry->target_oid = (uint32_t) pg_value_int(res, 0, 0);
	entry->seen = false;
	PQclear(res);
	return entry;
}

bool
shape_map_note_copied(PgConn *conn, const char *stream, const Shape *copied,
					  Error *err)
{
	char oid[16];
	char storage[16];
	const char *params[] = { stream,	   oid,		copied->schema,
							 copied->name, storage, NULL };
	Arena arena;
	bool ok;

	arena_init(&arena);
	snprintf(oid, sizeof(oid), "%" PRIu32, copied->oid);
	snprintf(storage, sizeof(storage), "%" PRIu32, copied->storage);
	params[5] = shape_columns_json(copied, &arena);
	ok = pg_exec_params(conn, err, COPIED_SQL, 6, params);
	arena_release(&arena);
	return ok;
}

bool
shape_map_adopt_copied(ShapeMap *map, PgConn *conn, ShapeEntry *entry,
					   Error *err)
{
	char oid[16];
	const char *params[] = { map->stream, oid, NULL, NULL, NULL, NULL };

	if (entry->copied.oid == 0)
		return true;
	snprintf(oid, sizeof(oid), "%" PRIu32, entry->shape.oid);
	if (shape_map_put(map, conn, &entry->copied, err) == NULL ||
		!pg_exec_params(conn, err, COPIED_SQL, 6, params))
		return false;
	memset(&entry->copied, 0, sizeof(entry->copied));
	arena_release(&entry->copied_arena);
	return true;
}

/*
 * Two arrays, "{1,2,3}".  A table that somebody has taken from the target is not
 * in them: it stays known, so that its next row stops the stream.
 */
static void
known_oids(const ShapeMap *map, Buffer *ours, Buffer *theirs)
{
	const char *before = "{";

	for (const ShapeEntry *entry = shape_map_next(map, NULL); entry != NULL;
		 entry = shape_map_next(map, entry))
	{
		if (entry->target_oid == 0)
			continue;
		buffer_printf(ours, "%s%" PRIu32, before, entry->shape.oid);
		buffer_printf(theirs, "%s%" PRIu32, before, entry->target_oid);
		before = ",";
	}
	buffer_puts(ours, before[0] == '{' ? "{}" : "}");
	buffer_puts(theirs, before[0] == '{' ? "{}" : "}");
}

static ShapeEntry *
entry_of_target(const ShapeMap *map, uint32_t target_oid)
{
	ShapeEntry *entry = shape_map_next(map, NULL);

	while (entry != NULL && entry->target_oid != target_oid)
		entry = shape_map_next(map, entry);
	return entry;
}

/* By its OID on the source; one that is not of the migration stays as it was. */
static uint32_t
root_now(const ShapeMap *map, const Shape *shape, uint32_t target_root)
{
	const ShapeEntry *root = target_root != 0
								 ? entry_of_target(map, target_root)
								 : NULL;

	if (root != NULL)
		return root->shape.oid;
	return shape_map_find(map, shape->root_oid) != NULL ? 0 : shape->root_oid;
}

static bool
forget_entry(ShapeMap *map, PgConn *conn, ShapeEntry *entry, Error *err)
{
	char oid[16];
	const char *params[] = { map->stream, oid };

	snprintf(oid, sizeof(oid), "%" PRIu32, entry->shape.oid);
	entry_remove(map, entry);
	return pg_exec_params(conn, err,
						  "DELETE FROM portage.relation"
						  " WHERE stream = $1 AND table_oid = $2",
						  2, params) &&
		   pg_exec_params(conn, err,
						  "DELETE FROM portage.ddl WHERE stream = $1"
						  " AND table_oid = $2 AND state <> 'done'",
						  2, params);
}

static bool
refresh_entry(ShapeMap *map, PgConn *conn, ShapeEntry *entry,
			  const PGresult *res, int row, Error *err)
{
	Shape shape = entry->shape;

	if (pg_is_null(res, row, 1))
		return forget_entry(map, conn, entry, err);
	shape.root_oid = root_now(map, &shape,
							  (uint32_t) pg_value_int(res, row, 3));
	if (strcmp(shape.schema, pg_value(res, row, 1)) == 0 &&
		strcmp(shape.name, pg_value(res, row, 2)) == 0 &&
		shape.root_oid == entry->shape.root_oid)
		return true;
	shape.schema = pg_value(res, row, 1);
	shape.name = pg_value(res, row, 2);
	return shape_map_put(map, conn, &shape, err) != NULL;
}

/* $1 and $2 of sql are the OIDs of the tables that are known. */
static PGresult *
query_known(const ShapeMap *map, PgConn *conn, const char *sql, Error *err)
{
	Buffer ours;
	Buffer theirs;
	const char *params[2];
	PGresult *res;

	buffer_init(&ours);
	buffer_init(&theirs);
	known_oids(map, &ours, &theirs);
	params[0] = ours.data;
	params[1] = theirs.data;
	res = pg_query_params(conn, err, sql, 2, params);
	buffer_release(&ours);
	buffer_release(&theirs);
	return res;
}

bool
shape_map_refresh(ShapeMap *map, PgConn *conn, Error *err)
{
	PGresult *res = query_known(map, conn, REFRESH_SQL, err);
	bool ok;

	ok = res != NULL;
	for (int i = 0; ok && i < PQntuples(res); i++)
		ok = refresh_entry(
			map, conn, shape_map_find(map, (uint32_t) pg_value_int(res, i, 0)),
			res, i, err);
	PQclear(res);
	return ok;
}

bool
shape_map_forget(ShapeMap *map, PgConn *conn, uint32_t oid, Error *err)
{
	ShapeEntry *entry = shape_map_find(map, oid);

	return entry == NULL || forget_entry(map, conn, entry, err);
}

static bool
follow_entry(ShapeMap *map, PgConn *conn, const ShapeEntry *entry,
			 const ShapeStep *step, Error *err)
{
	Arena arena;
	Shape shape;
	bool ok;

	arena_init(&arena);
	shape_copy(&entry->shape, &arena, &shape);
	shape_follow(&shape, step, &arena);
	ok = shape_map_put(map, conn, &shape, err) != NULL;
	arena_release(&arena);
	return ok;
}

bool
shape_map_follow(ShapeMap *map, PgConn *conn, uint32_t target_oid,
				 uint32_t except, const ShapeStep *step, Error *err)
{
	char oid[16];
	const char *params[] = { oid };
	PGresult *res;
	bool ok;

	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	res = pg_query_params(conn, err, DESCENDANTS_SQL, 1, params);
	ok = res != NULL;
	for (int i = 0; ok && i < PQntuples(res); i++)
	{
		const ShapeEntry *entry = entry_of_target(
			map, (uint32_t) pg_value_int(res, i, 0));

		ok = entry == NULL || entry->shape.oid == except ||
			 follow_entry(map, conn, entry, step, err);
	}
	PQclear(res);
	return ok;
}

/* The rows of res that are about this table name the types of its columns. */
static bool
retype_entry(ShapeMap *map, PgConn *conn, const PGresult *res, int first,
			 int end, Error *err)
{
	const ShapeEntry *entry = shape_map_find(
		map, (uint32_t) pg_value_int(res, first, 0));
	bool changed = false;
	Arena arena;
	Shape shape;
	bool ok;

	arena_init(&arena);
	shape_copy(&entry->shape, &arena, &shape);
	for (int row = first; row < end; row++)
	{
		ShapeColumn *column = (ShapeColumn *) shape_column_named(
			&shape, pg_value(res, row, 1));

		if (column == NULL)
			continue;
		changed |= strcmp(column->type_schema, pg_value(res, row, 2)) != 0 ||
				   strcmp(column->type_name, pg_value(res, row, 3)) != 0;
		column->type_schema = arena_strdup(&arena, pg_value(res, row, 2));
		column->type_name = arena_strdup(&arena, pg_value(res, row, 3));
	}
	ok = !changed || shape_map_put(map, conn, &shape, err) != NULL;
	arena_release(&arena);
	return ok;
}

bool
shape_map_retype(ShapeMap *map, PgConn *conn, Error *err)
{
	PGresult *res = query_known(map, conn, TYPES_SQL, err);
	int rows = res != NULL ? PQntuples(res) : 0;
	bool ok = res != NULL;

	for (int first = 0, next; ok && first < rows; first = next)
	{
		next = first + 1;
		while (next < rows &&
			   pg_value_int(res, next, 0) == pg_value_int(res, first, 0))
			next++;
		ok = retype_entry(map, conn, res, first, next, err);
	}
	PQclear(res);
	return ok;
}
