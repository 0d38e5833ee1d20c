--
-- Slots: kinds of them, who may use them, what the view shows
--
SELECT 'created' FROM pg_create_logical_replication_slot('slot_a', 'pg_portage');
SELECT 'created' FROM pg_create_logical_replication_slot('slot_t', 'pg_portage', true);
SELECT 'created' FROM pg_create_logical_replication_slot('slot_o', 'pgoutput');
SELECT 'created' FROM pg_create_logical_replication_slot('slot_a', 'pg_portage');
SELECT 'created' FROM pg_copy_logical_replication_slot('slot_a', 'slot_c');
SELECT 'created' FROM pg_copy_logical_replication_slot('slot_o', 'slot_d', false, 'pg_portage');
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
SELECT slot_name, active, active_pid, restart_lsn <= confirmed_flush_lsn AS order,
	retained_bytes >= lag_bytes AS retained, lag_bytes > 0 AS lag, wal_status, safe_wal_size
FROM portage.slots ORDER BY slot_name;

-- each has its own position
SELECT count(*) FROM pg_logical_slot_get_changes('slot_a', NULL, NULL);
SELECT count(*) FROM pg_logical_slot_get_changes('slot_a', NULL, NULL);
SELECT count(*) FROM pg_logical_slot_get_changes('slot_c', NULL, NULL);
SELECT count(*) FROM pg_logical_slot_get_changes('slot_t', NULL, NULL);
INSERT INTO t VALUES (2);
SELECT end_lsn <= pg_current_wal_lsn() FROM pg_replication_slot_advance('slot_d', pg_current_wal_lsn());
INSERT INTO t VALUES (3);
SELECT data FROM pg_logical_slot_get_changes('slot_d', NULL, NULL, 'include', '');
-- up to a position, which is that of a commit
SELECT pg_current_wal_insert_lsn() AS here \gset
INSERT INTO t VALUES (4);
SELECT data FROM pg_logical_slot_get_changes('slot_c', :'here', NULL, 'include', '');
SELECT data FROM pg_logical_slot_get_changes('slot_c', NULL, NULL, 'include', '');

-- an error leaves nothing behind: the next call works
CREATE TYPE mood AS ENUM ('fine');
CREATE TABLE e (m mood);
INSERT INTO e VALUES ('fine');
SELECT data FROM pg_logical_slot_peek_changes('slot_a', NULL, NULL, 'include', 'wrong');
SELECT count(*), 1 / (count(*) - 14) FROM pg_logical_slot_peek_changes('slot_a', NULL, NULL);
SELECT count(*) FROM pg_logical_slot_peek_changes('slot_a', NULL, NULL, 'include', '');
ALTER TABLE t ADD COLUMN n int;
SELECT count(*) FROM pg_logical_slot_get_changes('slot_a', NULL, NULL, 'include', '');
DROP TABLE e;
DROP TYPE mood;

-- roles: decoding needs REPLICATION, which each version says in its own words;
-- ours need what was granted
CREATE ROLE regress_plain;
CREATE ROLE regress_repl REPLICATION;
CREATE ROLE regress_mig;
GRANT USAGE ON SCHEMA portage TO regress_mig;
GRANT EXECUTE ON FUNCTION portage.mark(text) TO regress_mig;
GRANT SELECT ON portage.slots TO regress_mig;
SET ROLE regress_plain;
\set VERBOSITY sqlstate
SELECT pg_logical_slot_get_changes('slot_a', NULL, NULL);
\set VERBOSITY default
SELECT portage.mark('x');
SELECT count(*) FROM portage.slots;
SET ROLE regress_repl;
SELECT count(*) FROM pg_logical_slot_get_changes('slot_a', NULL, NULL);
SELECT portage.version();
SET ROLE regress_mig;
SELECT portage.mark('x') IS NOT NULL;
SELECT count(*) FROM portage.slots;
SELECT portage.decode('');
\set VERBOSITY sqlstate
SELECT pg_logical_slot_get_changes('slot_a', NULL, NULL);
\set VERBOSITY default
RESET ROLE;
REVOKE ALL ON SCHEMA portage FROM regress_mig;
REVOKE ALL ON FUNCTION portage.mark(text) FROM regress_mig;
REVOKE ALL ON portage.slots FROM regress_mig;
DROP ROLE regress_plain, regress_repl, regress_mig;

DROP TABLE t;
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'slot\__';
