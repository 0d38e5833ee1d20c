/*
 * compare_table.h
 *		A table that exists on the target, compared with what would be created.
 */
#ifndef PORTAGE_COMPARE_TABLE_H
#define PORTAGE_COMPARE_TABLE_H

#include "mysql/mysql_conn.h"
#include "mysql/table_map.h"
#include "schema/translation.h"

/*
 * entry creates the table, if it were not there.  Each difference is a finding
 * of the translation: an error where rows would be refused, changed or not
 * found, else a warning.
 */
bool compare_table(MyConn *conn, Translation *translation,
				   const TranslatedTable *table, const TableMap *map,
				   const DdlEntry *entry, Error *err) MUST_CHECK;

#endif /* PORTAGE_COMPARE_TABLE_H */
