/*
 * pg_portage--1.0.0.sql
 *		SQL objects around the output plugin, on the source database.
 *
 * The plugin itself works without them.  Nothing here is for PUBLIC; what the
 * role that runs a migration needs is
 *
 *		GRANT USAGE ON SCHEMA portage TO role;
 *		GRANT EXECUTE ON FUNCTION portage.mark(text) TO role;
 *		GRANT SELECT ON portage.slots, portage.ddl_key TO role;
 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pg_portage" to load this file. \quit

COMMENT ON SCHEMA portage IS 'pg_portage: tools for the source of a migration';

REVOKE ALL ON SCHEMA portage FROM PUBLIC;

CREATE FUNCTION portage.version()
RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'portage_version';

COMMENT ON FUNCTION portage.version() IS
	'version of the pg_portage library that is loaded, which a restart may lag behind ALTER EXTENSION';

CREATE FUNCTION portage.decode(frame bytea)
RETURNS SETOF text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'portage_decode';

COMMENT ON FUNCTION portage.decode(bytea) IS
	'a frame of format binary in words, one line for each record';

CREATE FUNCTION portage.decode_all(frames bytea[])
RETURNS SETOF text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'portage_decode_all';

COMMENT ON FUNCTION portage.decode_all(bytea[]) IS
	'consecutive frames of a stream in words: relations announced in one are known in those that follow, checksums are verified';

CREATE FUNCTION portage.mark(nonce text)
RETURNS pg_lsn
LANGUAGE sql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT pg_logical_emit_message(true, 'portage.marker', nonce) $$;

COMMENT ON FUNCTION portage.mark(text) IS
	'writes a marker into the WAL that every pg_portage stream of this database carries when it gets there';

CREATE VIEW portage.slots AS
WITH here AS (
	SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
			THEN pg_catalog.pg_last_wal_replay_lsn()
			ELSE pg_catalog.pg_current_wal_flush_lsn()
		END AS lsn
)
SELECT s.slot_name,
	s.active,
	s.active_pid,
	s.restart_lsn,
	s.confirmed_flush_lsn,
	pg_catalog.pg_wal_lsn_diff(here.lsn, s.restart_lsn)::bigint
		AS retained_bytes,
	pg_catalog.pg_wal_lsn_diff(here.lsn, s.confirmed_flush_lsn)::bigint
		AS lag_bytes,
	s.wal_status,
	s.safe_wal_size
FROM pg_catalog.pg_replication_slots AS s, here
WHERE s.plugin = 'pg_portage'
	AND s.database = pg_catalog.current_database();

COMMENT ON VIEW portage.slots IS 'pg_portage slots of this database, and what they cost';
COMMENT ON COLUMN portage.slots.retained_bytes IS 'WAL that the server keeps for the slot';
COMMENT ON COLUMN portage.slots.lag_bytes IS 'WAL that the applier has not confirmed';
COMMENT ON COLUMN portage.slots.safe_wal_size IS 'WAL that may be written before the slot is in danger; null without max_slot_wal_keep_size';

-- Changes of the schema become messages in the WAL, prefix 'portage.ddl', which
-- doc/wire.md describes. Anyone can write such a message; who may read this key
-- can tell which ones are ours.
CREATE TABLE portage.ddl_key (
	key bytea NOT NULL CHECK (octet_length(key) = 32)
);
CREATE UNIQUE INDEX ddl_key_one ON portage.ddl_key ((true));

-- 244 random bits; the table is not marked for pg_dump: a key is not restored.
INSERT INTO portage.ddl_key
VALUES (pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
	|| pg_catalog.uuid_send(pg_catalog.gen_random_uuid())));

-- Default privileges may have let others in.
DO $$
DECLARE
	grantee text;
BEGIN
	FOR grantee IN
		SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC'
			ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(acl.grantee)) END
		FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS acl
		WHERE c.oid = 'portage.ddl_key'::pg_catalog.regclass
			AND acl.grantee <> c.relowner
	LOOP
		EXECUTE 'REVOKE ALL ON portage.ddl_key FROM ' || grantee;
	END LOOP;
END $$;

COMMENT ON TABLE portage.ddl_key IS
	'secret that signs messages about changes of the schema; the role that runs a migration needs SELECT';

-- Sets search_path for itself, because it has to report the one it is called
-- with; checks no privilege and runs no SQL, hence no SECURITY DEFINER.
CREATE FUNCTION portage.capture()
RETURNS event_trigger
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'portage_capture';

COMMENT ON FUNCTION portage.capture() IS
	'writes what a command has changed in the schema into the WAL, for pg_portage streams';

-- The names make them the first of their kind, so that what another event trigger
-- does in answer comes after. To go without: ALTER EVENT TRIGGER ... DISABLE, all three.
CREATE EVENT TRIGGER _portage_ddl_end ON ddl_command_end
	EXECUTE FUNCTION portage.capture();
CREATE EVENT TRIGGER _portage_ddl_drop ON sql_drop
	EXECUTE FUNCTION portage.capture();
CREATE EVENT TRIGGER _portage_ddl_rewrite ON table_rewrite
	EXECUTE FUNCTION portage.capture();

ALTER EVENT TRIGGER _portage_ddl_end ENABLE ALWAYS;
ALTER EVENT TRIGGER _portage_ddl_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER _portage_ddl_rewrite ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER _portage_ddl_end IS 'announces changes of the schema to pg_portage streams';
COMMENT ON EVENT TRIGGER _portage_ddl_drop IS 'announces what is dropped to pg_portage streams';
COMMENT ON EVENT TRIGGER _portage_ddl_rewrite IS 'announces rewritten tables to pg_portage streams';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA portage FROM PUBLIC;
