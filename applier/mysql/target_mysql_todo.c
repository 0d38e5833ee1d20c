/* operations that are not there yet */
#include "mysql/target_mysql.h"

bool
target_mysql_check(Target *target, Findings *findings, Error *err)
{
	(void) target;
	(void) findings;
	return error_set(err, P_BUG, "check is not there yet");
}

bool
target_mysql_check_fit(Target *target, const Needs *needs, Findings *findings,
					   Error *err)
{
	(void) target;
	(void) needs;
	(void) findings;
	return error_set(err, P_BUG, "check_fit is not there yet");
}

bool
target_mysql_check_tables(Target *target, Findings *findings, Error *err)
{
	(void) target;
	(void) findings;
	return error_set(err, P_BUG, "check_tables is not there yet");
}

bool
target_mysql_can_disable_triggers(Target *target, bool *can, Error *err)
{
	(void) target;
	(void) can;
	return error_set(err, P_BUG, "can_disable_triggers is not there yet");
}

bool
target_mysql_occupied(Target *target, const Table *tables, int count,
					  const char **what, Arena *arena, Error *err)
{
	(void) target;
	(void) tables;
	(void) count;
	(void) what;
	(void) arena;
	return error_set(err, P_BUG, "occupied is not there yet");
}

bool
target_mysql_identify(Target *target, char *system_id, size_t id_size,
					  char *database, size_t database_size, Error *err)
{
	(void) target;
	(void) system_id;
	(void) id_size;
	(void) database;
	(void) database_size;
	return error_set(err, P_BUG, "identify is not there yet");
}

bool
target_mysql_apply(Target *target, const Batch *batch,
				   const ChangeFilter *filter, const Progress *before,
				   const Progress *after, Error *err)
{
	(void) target;
	(void) batch;
	(void) filter;
	(void) before;
	(void) after;
	return error_set(err, P_BUG, "apply is not there yet");
}

void
target_mysql_rollback(Target *target)
{
	(void) target;
}

bool
target_mysql_schema_translate(Target *target, const Schema *schema,
							  Arena *arena, Translation *translation,
							  Error *err)
{
	(void) target;
	(void) schema;
	(void) arena;
	(void) translation;
	return error_set(err, P_BUG, "not yet");
}

bool
target_mysql_wants_generated(Target *target, uint32_t table_oid,
							 const char *column)
{
	(void) target;
	(void) table_oid;
	(void) column;
	return false;
}
