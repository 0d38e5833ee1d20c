/*
 * source_pg_copy.h
 *		What the parts of the PostgreSQL source that serve the copy share.
 *
 * Every name and value here is in the source server's encoding, as the stream's
 * are: the sessions of the copy set client_encoding to it.
 */
#ifndef PORTAGE_SOURCE_PG_COPY_H
#define PORTAGE_SOURCE_PG_COPY_H

#include "postgres/source_pg.h"

/*
 * A session inside a REPEATABLE READ READ ONLY transaction that sees what the
 * snapshot sees; with no id it takes its own.
 */
PgConn *source_pg_snapshot_session(SourcePg *self, const char *role,
								   const SnapshotRef *snapshot, Error *err);

/*
 * Does the migration carry this table?  The plugin decides the same for its
 * changes: a partition is named by its own name or by its root's.
 */
bool source_pg_selected(const SourceConfig *config, const char *schema,
						const char *name, const char *root_schema,
						const char *root_name);

/* The identity's index and key of each table; tables in the order of OIDs. */
bool source_pg_keys(PgConn *conn, Arena *arena, Table *tables, int count,
					Error *err);

/* Are there patterns at all, so that tables may be left out? */
bool source_pg_selects(const SourceConfig *config);

#endif /* PORTAGE_SOURCE_PG_COPY_H */
