/*
 * state_sql.h
 *		The tables that hold everything durable about a stream on a MySQL or
 *		MariaDB target: portage_* in the URL's database, InnoDB.
 *
 * They are those of schema portage on PostgreSQL (postgres/state_sql.h) and what
 * a server needs that commits DDL implicitly: the intent to do something, noted
 * before it is done.  LSNs are text, "0/0"; names are compared byte by byte.
 */
#ifndef PORTAGE_MYSQL_STATE_SQL_H
#define PORTAGE_MYSQL_STATE_SQL_H

/* Behind each CREATE TABLE. */
#define STATE_TABLE_OPTIONS \
	" ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

#define STATE_PROGRESS_SQL                               \
	"CREATE TABLE IF NOT EXISTS portage_progress ("      \
	" stream varchar(40) NOT NULL PRIMARY KEY,"          \
	" epoch bigint NOT NULL,"                            \
	" phase varchar(16) NOT NULL,"                       \
	" source_system_id varchar(24) NOT NULL,"            \
	" source_timeline bigint NOT NULL,"                  \
	" source_history varchar(64) NOT NULL,"              \
	" source_database varchar(64) NOT NULL,"             \
	" source_encoding varchar(32) NOT NULL,"             \
	" slot varchar(64) NOT NULL,"                        \
	" plugin_version varchar(32) NOT NULL,"              \
	" plugin_options text NOT NULL,"                     \
	" tables text NOT NULL,"                             \
	" exclude_tables text NOT NULL,"                     \
	" on_loss text NOT NULL,"                            \
	" schemas_become varchar(16) NOT NULL,"              \
	" rules varchar(64) NOT NULL DEFAULT '',"            \
	" consistent_lsn varchar(20) NOT NULL,"              \
	" resume_lsn varchar(20) NOT NULL,"                  \
	" commit_lsn varchar(20) NOT NULL,"                  \
	" xid bigint NOT NULL,"                              \
	" commit_time_us bigint NOT NULL,"                   \
	" anchor_lsn varchar(20) NOT NULL,"                  \
	" anchor_nonce varchar(64) NOT NULL,"                \
	" previous_anchor_lsn varchar(20) NOT NULL,"         \
	" digest varchar(64) NOT NULL,"                      \
	" skeleton varchar(64) NOT NULL,"                    \
	" newest_stamp_lsn varchar(20) NOT NULL,"            \
	" origin_nonce varchar(64) NOT NULL,"                \
	" transactions bigint unsigned NOT NULL,"            \
	" row_count bigint unsigned NOT NULL,"               \
	" batches bigint unsigned NOT NULL DEFAULT 0,"       \
	" vector_rows bigint unsigned NOT NULL DEFAULT 0,"   \
	" single_rows bigint unsigned NOT NULL DEFAULT 0,"   \
	" refused_plans bigint unsigned NOT NULL DEFAULT 0," \
	" serial_rows bigint unsigned NOT NULL DEFAULT 0,"   \
	" ordered_rows bigint unsigned NOT NULL DEFAULT 0,"  \
	" updated_at datetime(6) NOT NULL)" STATE_TABLE_OPTIONS

#define STATE_CHUNK_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_chunk (" \
	" stream varchar(40) NOT NULL,"              \
	" table_oid bigint NOT NULL,"                \
	" number integer NOT NULL,"                  \
	" table_schema varchar(64) NOT NULL,"        \
	" table_name varchar(64) NOT NULL,"          \
	" kind varchar(8) NOT NULL,"                 \
	" key_column varchar(64),"                   \
	" range_low longtext,"                       \
	" range_high longtext,"                      \
	" state varchar(8) NOT NULL,"                \
	" slot_snapshot tinyint NOT NULL DEFAULT 0," \
	" stamp_lsn varchar(20),"                    \
	" stamp_snapshot longtext,"                  \
	" storage bigint,"                           \
	" size bigint NOT NULL,"                     \
	" row_count bigint NOT NULL DEFAULT 0,"      \
	" bytes bigint NOT NULL DEFAULT 0,"          \
	" PRIMARY KEY (stream, table_oid, number))" STATE_TABLE_OPTIONS

/*
 * running: it has been begun, and nobody noted that it was through.  probe: a
 * query with one row and one column that says 1 if the entry has been carried
 * out, for an entry that was found running.
 */
#define STATE_DDL_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_ddl (" \
	" stream varchar(40) NOT NULL,"            \
	" number integer NOT NULL,"                \
	" section varchar(10) NOT NULL,"           \
	" state varchar(10) NOT NULL,"             \
	" running tinyint NOT NULL DEFAULT 0,"     \
	" type varchar(64) NOT NULL,"              \
	" object_schema varchar(64) NOT NULL,"     \
	" object_name text NOT NULL,"              \
	" table_oid bigint NOT NULL,"              \
	" sql_text longtext NOT NULL,"             \
	" probe longtext NOT NULL,"                \
	" PRIMARY KEY (stream, number))" STATE_TABLE_OPTIONS

/* shape and map: shape.h, table_map.h; copied_*: as on PostgreSQL */
#define STATE_RELATION_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_relation (" \
	" stream varchar(40) NOT NULL,"                 \
	" table_oid bigint NOT NULL,"                   \
	" table_schema varchar(64) NOT NULL,"           \
	" table_name varchar(64) NOT NULL,"             \
	" kind varchar(1) NOT NULL,"                    \
	" storage bigint NOT NULL,"                     \
	" root_oid bigint NOT NULL,"                    \
	" columns_json longtext NOT NULL,"              \
	" map_json longtext NOT NULL,"                  \
	" copied_schema varchar(64),"                   \
	" copied_name varchar(64),"                     \
	" copied_storage bigint,"                       \
	" copied_columns longtext,"                     \
	" PRIMARY KEY (stream, table_oid))" STATE_TABLE_OPTIONS

/*
 * What commits by itself, noted before it is done: kind 'ddl' (in the stream, at
 * commit_lsn, the number-th) or 'empty' (a table whose rows are ours and void).
 */
#define STATE_INTENT_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_intent (" \
	" stream varchar(40) NOT NULL,"               \
	" kind varchar(8) NOT NULL,"                  \
	" table_oid bigint NOT NULL,"                 \
	" commit_lsn varchar(20) NOT NULL,"           \
	" number integer NOT NULL,"                   \
	" sql_text longtext NOT NULL,"                \
	" probe longtext NOT NULL,"                   \
	" columns_json longtext NOT NULL,"            \
	" map_json longtext NOT NULL,"                \
	" PRIMARY KEY (stream, kind, table_oid, number))" STATE_TABLE_OPTIONS

#define STATE_LOSS_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_loss (" \
	" stream varchar(40) NOT NULL,"             \
	" table_schema varchar(64) NOT NULL,"       \
	" table_name varchar(64) NOT NULL,"         \
	" column_name varchar(64) NOT NULL,"        \
	" kind varchar(16) NOT NULL,"               \
	" count bigint unsigned NOT NULL,"          \
	" PRIMARY KEY (stream, table_schema, table_name, column_name, kind))" STATE_TABLE_OPTIONS

/*
 * Sessions of ours: each holds the user lock of its name as long as it lives, so
 * that IS_USED_LOCK(name) tells its connection, and nobody else's is ended.
 */
#define STATE_SESSION_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_session (" \
	" name varchar(64) NOT NULL PRIMARY KEY,"      \
	" stream varchar(40) NOT NULL,"                \
	" role varchar(16) NOT NULL,"                  \
	" epoch bigint NOT NULL)" STATE_TABLE_OPTIONS

/* The first statement of each of our transactions changes its row. */
#define STATE_ORIGIN_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_origin (" \
	" stream varchar(40) NOT NULL,"               \
	" writer integer NOT NULL,"                   \
	" nonce varchar(64) NOT NULL,"                \
	" count bigint unsigned NOT NULL,"            \
	" PRIMARY KEY (stream, writer))" STATE_TABLE_OPTIONS

/* What rules leave: ledger.h, kept.h.  A state may be older than these tables. */
#define STATE_LEDGER_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_ledger (" \
	" stream varchar(40) NOT NULL,"               \
	" rule varchar(255) NOT NULL,"                \
	" table_oid bigint NOT NULL,"                 \
	" table_schema varchar(64) NOT NULL,"         \
	" table_name varchar(64) NOT NULL,"           \
	" tolerant tinyint NOT NULL,"                 \
	" seen bigint NOT NULL,"                      \
	" applied bigint NOT NULL,"                   \
	" filtered bigint NOT NULL,"                  \
	" dropped bigint NOT NULL,"                   \
	" elsewhere bigint NOT NULL,"                 \
	" skipped bigint NOT NULL,"                   \
	" moved_in bigint NOT NULL,"                  \
	" moved_out bigint NOT NULL,"                 \
	" merged bigint NOT NULL,"                    \
	" overwritten bigint NOT NULL,"               \
	" kept bigint NOT NULL,"                      \
	" quarantined bigint NOT NULL,"               \
	" PRIMARY KEY (stream, rule, table_oid))" STATE_TABLE_OPTIONS

/* Bytes, as the rules gave them, whatever the source's encoding is. */
#define STATE_KEPT_SQL                          \
	"CREATE TABLE IF NOT EXISTS portage_kept (" \
	" stream varbinary(40) NOT NULL,"           \
	" area varbinary(1024) NOT NULL,"           \
	" key_hash varbinary(32) NOT NULL,"         \
	" kept_key longblob NOT NULL,"              \
	" body longblob NOT NULL,"                  \
	" PRIMARY KEY (stream, area, key_hash))" STATE_TABLE_OPTIONS

#endif /* PORTAGE_MYSQL_STATE_SQL_H */
