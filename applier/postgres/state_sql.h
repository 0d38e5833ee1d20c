/*
 * state_sql.h
 *		The tables that hold everything durable about a stream on a PostgreSQL
 *		target: schema portage.
 *
 * Nothing here is cached anywhere else: an applier that is lost, with its disk,
 * is replaced by starting another.
 */
#ifndef PORTAGE_STATE_SQL_H
#define PORTAGE_STATE_SQL_H

/* What rules leave (ledger.h, kept.h); a state may be older than these tables. */
#define STATE_SQL_RULES                                                    \
	"CREATE TABLE IF NOT EXISTS portage.ledger ("                          \
	" stream text NOT NULL REFERENCES portage.progress ON DELETE CASCADE," \
	" rule text NOT NULL,"                                                 \
	" table_oid oid NOT NULL,"                                             \
	" table_schema text NOT NULL,"                                         \
	" table_name text NOT NULL,"                                           \
	" tolerant boolean NOT NULL,"                                          \
	" seen bigint NOT NULL,"                                               \
	" applied bigint NOT NULL,"                                            \
	" filtered bigint NOT NULL,"                                           \
	" dropped bigint NOT NULL,"                                            \
	" elsewhere bigint NOT NULL,"                                          \
	" skipped bigint NOT NULL,"                                            \
	" moved_in bigint NOT NULL,"                                           \
	" moved_out bigint NOT NULL,"                                          \
	" merged bigint NOT NULL,"                                             \
	" overwritten bigint NOT NULL,"                                        \
	" kept bigint NOT NULL,"                                               \
	" quarantined bigint NOT NULL,"                                        \
	" PRIMARY KEY (stream, rule, table_oid));"                             \
	"CREATE TABLE IF NOT EXISTS portage.kept ("                            \
	" stream text NOT NULL REFERENCES portage.progress ON DELETE CASCADE," \
	" area text COLLATE \"C\" NOT NULL,"                                   \
	" key_hash text COLLATE \"C\" NOT NULL,"                               \
	" key text NOT NULL,"                                                  \
	" body text NOT NULL,"                                                 \
	" PRIMARY KEY (stream, area, key_hash));"

#define STATE_SQL_CREATE                                                   \
	"CREATE SCHEMA IF NOT EXISTS portage;"                                 \
	"REVOKE ALL ON SCHEMA portage FROM PUBLIC;"                            \
	"CREATE TABLE IF NOT EXISTS portage.progress ("                        \
	" stream text PRIMARY KEY,"                                            \
	" epoch bigint NOT NULL,"                                              \
	" phase text NOT NULL,"                                                \
	" source_system_id text NOT NULL,"                                     \
	" source_timeline bigint NOT NULL,"                                    \
	" source_history text NOT NULL,"                                       \
	" source_database text NOT NULL,"                                      \
	" source_encoding text NOT NULL,"                                      \
	" slot text NOT NULL,"                                                 \
	" plugin_version text NOT NULL,"                                       \
	" plugin_options text NOT NULL,"                                       \
	" tables text NOT NULL,"                                               \
	" exclude_tables text NOT NULL,"                                       \
	" rules text NOT NULL DEFAULT '',"                                     \
	" consistent_lsn pg_lsn NOT NULL,"                                     \
	" resume_lsn pg_lsn NOT NULL,"                                         \
	" commit_lsn pg_lsn NOT NULL,"                                         \
	" xid bigint NOT NULL,"                                                \
	" commit_time timestamptz NOT NULL,"                                   \
	" anchor_lsn pg_lsn NOT NULL,"                                         \
	" anchor_nonce text NOT NULL,"                                         \
	" previous_anchor_lsn pg_lsn NOT NULL,"                                \
	" digest text NOT NULL,"                                               \
	" skeleton text NOT NULL,"                                             \
	" newest_stamp_lsn pg_lsn NOT NULL,"                                   \
	" origin_nonce text NOT NULL,"                                         \
	" transactions bigint NOT NULL,"                                       \
	" rows bigint NOT NULL,"                                               \
	" batches bigint NOT NULL DEFAULT 0,"                                  \
	" vector_rows bigint NOT NULL DEFAULT 0,"                              \
	" single_rows bigint NOT NULL DEFAULT 0,"                              \
	" refused_plans bigint NOT NULL DEFAULT 0,"                            \
	" serial_rows bigint NOT NULL DEFAULT 0,"                              \
	" ordered_rows bigint NOT NULL DEFAULT 0,"                             \
	" updated_at timestamptz NOT NULL DEFAULT pg_catalog.now());"          \
	"CREATE TABLE IF NOT EXISTS portage.chunk ("                           \
	" stream text NOT NULL REFERENCES portage.progress ON DELETE CASCADE," \
	" table_oid oid NOT NULL,"                                             \
	" number integer NOT NULL,"                                            \
	" table_schema text NOT NULL,"                                         \
	" table_name text NOT NULL,"                                           \
	" kind text NOT NULL CHECK (kind IN ('whole', 'keys', 'blocks')),"     \
	" key_column text,"                                                    \
	" range_low text,"                                                     \
	" range_high text,"                                                    \
	" state text NOT NULL CHECK (state IN ('todo', 'done')),"              \
	" slot_snapshot boolean NOT NULL DEFAULT false,"                       \
	" stamp_lsn pg_lsn,"                                                   \
	" stamp_snapshot text,"                                                \
	" storage bigint,"                                                     \
	" size bigint NOT NULL,"                                               \
	" rows bigint NOT NULL DEFAULT 0,"                                     \
	" bytes bigint NOT NULL DEFAULT 0,"                                    \
	" PRIMARY KEY (stream, table_oid, number));"                           \
	"CREATE TABLE IF NOT EXISTS portage.ddl ("                             \
	" stream text NOT NULL REFERENCES portage.progress ON DELETE CASCADE," \
	" number integer NOT NULL,"                                            \
	" section text NOT NULL CHECK (section IN ('pre-data', 'post-data'))," \
	" state text NOT NULL CHECK (state IN"                                 \
	"  ('todo', 'done', 'waiting', 'deferred')),"                          \
	" type text NOT NULL,"                                                 \
	" object_schema text NOT NULL,"                                        \
	" object_name text NOT NULL,"                                          \
	" table_oid oid NOT NULL,"                                             \
	" sql text NOT NULL,"                                                  \
	" PRIMARY KEY (stream, number));"                                      \
	"CREATE TABLE IF NOT EXISTS portage.relation ("                        \
	" stream text NOT NULL REFERENCES portage.progress ON DELETE CASCADE," \
	" table_oid oid NOT NULL,"                                             \
	" table_schema text NOT NULL,"                                         \
	" table_name text NOT NULL,"                                           \
	" kind text NOT NULL CHECK (kind IN ('r', 'p')),"                      \
	" storage oid NOT NULL,"                                               \
	" root_oid oid NOT NULL,"                                              \
	" columns json NOT NULL,"                                              \
	" copied_schema text,"                                                 \
	" copied_name text,"                                                   \
	" copied_storage oid,"                                                 \
	" copied_columns json,"                                                \
	" PRIMARY KEY (stream, table_oid));" STATE_SQL_RULES

/* What a state lacks that an earlier version has created. */
#define STATE_SQL_UPGRADE                                                      \
	"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute"           \
	" WHERE attrelid = 'portage.progress'::pg_catalog.regclass"                \
	" AND attname = 'rules') THEN"                                             \
	" ALTER TABLE portage.progress ADD COLUMN rules text NOT NULL DEFAULT '';" \
	" END IF; END $$;"

#endif /* PORTAGE_STATE_SQL_H */
