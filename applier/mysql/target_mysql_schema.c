/*
 * target_mysql_schema.c
 *		What becomes of a source's schema on this server, and what of it is there
 *		already.
 *
 * The translation itself knows no server.  Here it is told which one it is for,
 * and entries whose probes find them carried out are marked as done; tables
 * that exist are compared (compare_table.h).
 */
#include <string.h>

#include "mysql/compare_table.h"
#include "mysql/target_mysql.h"

bool
target_mysql_translate_target(TargetMysql *self, Arena *arena,
							  TranslateTarget *target, Error *err)
{
	const TargetConfig *config = self->base.config;
	const MyServer *server = &self->conn->server;

	*target = (TranslateTarget){
		.mariadb = server->mariadb,
		.version = server->version,
		.collation = server->collation,
		.lower_case_table_names = server->lower_case_table_names,
		.database = arena_strdup(arena, self->conn->database),
		.schemas_as_databases = config->schemas_as_databases,
	};
	return loss_rules_parse(config->on_loss, arena, &target->losses, err);
}

/* A copy that lives as long as we need it: what is kept as text, is whole. */
static bool
keep_maps(TargetMysql *self, const TranslatedSchema *translated, Error *err)
{
	Arena *arena = &self->translation_arena;
	bool ok = true;

	self->translated_count = 0;
	arena_reset(arena);
	self->translated = ARENA_ARRAY(arena, TableMap,
								   (size_t) translated->map_count);
	for (int i = 0; ok && i < translated->map_count; i++)
		ok = table_map_parse(table_map_json(&translated->maps[i], arena), arena,
							 &self->translated[self->translated_count++], err);
	return ok;
}

static const TableMap *
map_of(TargetMysql *self, uint32_t oid, Error *err)
{
	const MapEntry *entry;

	for (int i = 0; i < self->translated_count; i++)
	{
		if (self->translated[i].oid == oid)
			return &self->translated[i];
	}
	if (self->translated_count > 0 || !target_mysql_maps(self, err))
		return NULL;
	entry = map_table_find(self->maps, oid);
	return entry != NULL && entry->map.table != NULL ? &entry->map : NULL;
}

static TranslatedTable *
table_of(Translation *translation, uint32_t oid)
{
	for (int i = 0; i < translation->table_count; i++)
	{
		if (translation->tables[i].oid == oid)
			return &translation->tables[i];
	}
	return NULL;
}

/* Is the table there?  Then it is used as it is, if it is as it should be. */
static bool
find_table(TargetMysql *self, Translation *translation, DdlEntry *entry,
		   Error *err)
{
	TranslatedTable *table = table_of(translation, entry->table_oid);

	if (table == NULL ||
		!target_mysql_probe(self->conn, entry->probe, &table->exists, err))
		return table == NULL;
	if (!table->exists)
		return true;
	entry->state = DDL_DONE;
	return compare_table(self->conn, translation, table,
						 map_of(self, table->oid, err), entry, err);
}

/* What belongs to a table that is there, or is a database. */
static bool
find_entry(TargetMysql *self, Translation *translation, DdlEntry *entry,
		   Error *err)
{
	const TranslatedTable *table = table_of(translation, entry->table_oid);
	bool there;

	if (entry->table_oid != 0 && (table == NULL || !table->exists))
		return true;
	if (!target_mysql_probe(self->conn, entry->probe, &there, err))
		return false;
	if (there)
		entry->state = DDL_DONE;
	return true;
}

static bool
find_entries(TargetMysql *self, Translation *translation, Error *err)
{
	for (int i = 0; i < translation->entry_count; i++)
	{
		DdlEntry *entry = &translation->entries[i];

		if (strcmp(entry->type, "TABLE") == 0 &&
			!find_table(self, translation, entry, err))
			return false;
	}
	for (int i = 0; i < translation->entry_count; i++)
	{
		DdlEntry *entry = &translation->entries[i];

		if (strcmp(entry->type, "TABLE") != 0 &&
			!find_entry(self, translation, entry, err))
			return false;
	}
	return true;
}

bool
target_mysql_schema_translate(Target *target, const Schema *schema,
							  Arena *arena, Translation *translation,
							  Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	TranslateTarget facts;
	TranslatedSchema translated;

	error_clear(err);
	if (!target_mysql_translate_target(self, arena, &facts, err))
		return false;
	translate_schema(schema, &facts, arena, &translated);
	*translation = translated.base;
	return keep_maps(self, &translated, err) &&
		   find_entries(self, translation, err);
}

/* Not if the target computes it itself. */
bool
target_mysql_wants_generated(Target *target, uint32_t table_oid,
							 const char *column)
{
	Error ignored = ERROR_INIT;
	const TableMap *map = map_of((TargetMysql *) target, table_oid, &ignored);
	const ColumnMap *found = map != NULL ? table_map_column(map, column) : NULL;

	return found != NULL && !found->computed;
}

/* ------------------------------------------------- rows of somebody else's */

#define NAMED_MAX 5

#define ER_NO_SUCH_TABLE 1146
#define ER_BAD_DB 1049

static bool
has_rows(MyConn *conn, const TableMap *map, bool *rows, Error *err)
{
	Buffer sql;
	MyResult result;
	bool ok;

	*rows = false;
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT 1 FROM ");
	my_quote_table(&sql, map->database, map->table);
	buffer_puts(&sql, " LIMIT 1");
	ok = my_query(conn, err, sql.data, &result);
	buffer_release(&sql);
	if (ok)
	{
		*rows = my_next(&result);
		my_result_free(&result);
		return true;
	}
	if (my_errno(conn) != ER_NO_SUCH_TABLE && my_errno(conn) != ER_BAD_DB)
		return error_wrap(err, "cannot look for rows on the target");
	error_clear(err);
	return true;
}

/* Partitions share a table, which is looked at and named once. */
static bool
seen_before(TargetMysql *self, const Table *tables, int i, const TableMap *map)
{
	Error ignored = ERROR_INIT;

	for (int j = 0; map->partition && j < i; j++)
	{
		const TableMap *other = map_of(self, tables[j].oid, &ignored);

		if (other != NULL && strcmp(other->table, map->table) == 0 &&
			(other->database == map->database ||
			 (other->database != NULL && map->database != NULL &&
			  strcmp(other->database, map->database) == 0)))
			return true;
	}
	return false;
}

/* Behind schema_translate(): what the tables are called here is known by it. */
bool
target_mysql_occupied(Target *target, const Table *tables, int count,
					  const char **what, Arena *arena, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	const char *names = "";
	int found = 0;

	error_clear(err);
	for (int i = 0; i < count; i++)
	{
		const TableMap *map = map_of(self, tables[i].oid, err);
		bool rows;

		if (error_is_set(err))
			return false;
		if (map == NULL || seen_before(self, tables, i, map))
			continue;
		if (!has_rows(self->conn, map, &rows, err))
			return false;
		if (rows && found++ < NAMED_MAX)
			names = arena_printf(arena, "%s%s%s%s%s", names,
								 found > 1 ? ", " : "",
								 map->database != NULL ? map->database : "",
								 map->database != NULL ? "." : "", map->table);
	}
	if (found > NAMED_MAX)
		names = arena_printf(arena, "%s and %d more", names, found - NAMED_MAX);
	*what = found > 0 ? names : NULL;
	return true;
}
