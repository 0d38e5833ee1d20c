/*
 * target_mysql_check.c
 *		Preflight of a MySQL or MariaDB target: may we create and write, and does
 *		the server do what is asked of it?
 *
 * A part that fails does not keep the others from being looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mysql/target_mysql_check.h"

typedef struct TargetPart
{
	const char *object; /* of the finding if it cannot look */
	Severity severity;	/* of that finding */
	bool (*look)(MyCheck *check, Error *err);
} TargetPart;

static bool
check_contents(MyCheck *check, Error *err)
{
	int64_t tables;

	if (!my_query_number(check->conn, err, 0, &tables,
						 "SELECT count(*) FROM information_schema.TABLES"
						 " WHERE TABLE_SCHEMA = DATABASE()"
						 " AND TABLE_NAME NOT LIKE 'portage\\_%%'"))
		return false;
	if (tables > 0)
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", "",
					"the database is not empty: it holds %" PRId64
					" tables and views",
					tables);
	return true;
}

static const TargetPart target_parts[] = {
	{ "target", SEVERITY_ERROR, my_check_server },
	{ "privileges", SEVERITY_ERROR, my_check_privileges },
	{ "settings", SEVERITY_WARNING, my_check_variables },
	{ "names", SEVERITY_WARNING, my_check_names },
	{ "loading", SEVERITY_WARNING, my_check_loading },
	{ "durability", SEVERITY_WARNING, my_check_durability },
	{ "contents", SEVERITY_WARNING, check_contents },
};

bool
target_mysql_check(Target *target, Findings *findings, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyCheck check = { .self = self, .conn = self->conn, .findings = findings };
	bool ok = true;

	findings->side = FINDING_TARGET;
	for (size_t i = 0; ok && i < sizeof(target_parts) / sizeof(TargetPart); i++)
	{
		Error why = ERROR_INIT;

		if (target_parts[i].look(&check, &why))
			continue;
		if (why.kind == ERROR_STOPPED || !my_conn_alive(self->conn))
		{
			*err = why;
			ok = error_wrap(err, "cannot look at the target");
			break;
		}
		finding_add_error(findings, target_parts[i].severity,
						  target_parts[i].object, &why);
	}
	my_result_free(&check.grants);
	return ok;
}

/* ------------------------------------------------------ what the source has */

/* Text is sent in UTF-8, whatever the source keeps it in. */
bool
target_mysql_check_fit(Target *target, const Needs *needs, Findings *findings,
					   Error *err)
{
	(void) target;
	(void) err;
	findings->side = FINDING_TARGET;
	if (strcmp(needs->encoding, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "target",
					"see --on-loss for what is no UTF-8",
					"the target's encoding is UTF-8, the source's is "
					"SQL_ASCII: text that is not valid UTF-8 cannot be kept");
	finding_add(findings, SEVERITY_NOTE, 0, "disk space", "",
				"on the source, the tables to migrate take %lld MB and their "
				"indexes %lld MB: the target needs about as much, and room for "
				"its logs",
				(long long) ((needs->table_bytes + 999999) / 1000000),
				(long long) ((needs->index_bytes + 999999) / 1000000));
	return true;
}

/* Foreign keys can, by the session; triggers never: see check_tables. */
bool
target_mysql_can_disable_triggers(Target *target, bool *can, Error *err)
{
	(void) target;
	(void) err;
	*can = true;
	return true;
}

static bool
table_is_ours(const MapTable *maps, const char *own_database,
			  const char *database, const char *table)
{
	for (int i = 0; i < maps->count; i++)
	{
		const TableMap *map = &maps->entries[i].map;

		if (map->table != NULL && strcasecmp(map->table, table) == 0 &&
			strcasecmp(map->database != NULL ? map->database : own_database,
					   database) == 0)
			return true;
	}
	return false;
}

bool
target_mysql_check_tables(Target *target, Findings *findings, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyResult row;

	findings->side = FINDING_TARGET;
	if (!target_mysql_maps(self, err) ||
		!my_query(self->conn, err,
				  "SELECT TRIGGER_NAME, EVENT_OBJECT_SCHEMA,"
				  " EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
				  " ORDER BY 2, 3, 1",
				  &row))
		return false;
	while (my_next(&row))
	{
		if (!table_is_ours(self->maps, self->conn->database, my_value(&row, 1),
						   my_value(&row, 2)))
			continue;
		finding_add(findings, SEVERITY_ERROR, P_ROW_CONFLICT,
					arena_printf(findings->arena, "trigger %s on table %s.%s",
								 my_value(&row, 0), my_value(&row, 1),
								 my_value(&row, 2)),
					"drop it, and create it when the stream has ended",
					"it fires for what the stream writes, and cannot be "
					"switched off");
	}
	my_result_free(&row);
	return true;
}

/* It is no PostgreSQL, so it cannot be the source. */
bool
target_mysql_identify(Target *target, char *system_id, size_t id_size,
					  char *database, size_t database_size, Error *err)
{
	(void) err;
	snprintf(system_id, id_size, "%s", "");
	snprintf(database, database_size, "%s",
			 ((TargetMysql *) target)->conn->database);
	return true;
}

/* MySQL has server_uuid; MariaDB server_uid, which is the machine's and port's. */
bool
target_mysql_fingerprint(Target *target, char *text, size_t size, Error *err)
{
	const MyConn *conn = ((TargetMysql *) target)->conn;
	size_t used = (size_t) snprintf(text, size, "%s", conn->database);
	MyResult row;

	if (!my_query(((TargetMysql *) target)->conn, err,
				  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid',"
				  " 'server_uid', 'hostname', 'port', 'datadir')",
				  &row))
		return error_wrap(err, "cannot identify the target");
	while (my_next(&row) && used < size)
		used += (size_t) snprintf(text + used, size - used, " %s",
								  my_value(&row, 1));
	my_result_free(&row);
	return true;
}
