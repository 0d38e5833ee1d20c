--
-- Logical messages, TRUNCATE, origins
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
CREATE TABLE t (id serial PRIMARY KEY);
CREATE TABLE u (id int REFERENCES t);

-- inside and outside of transactions, rolled back or not
SELECT 'sent' FROM pg_logical_emit_message(true, 'alpha', 'alone');
SELECT 'sent' FROM pg_logical_emit_message(false, 'beta', 'at once');
BEGIN;
SELECT 'sent' FROM pg_logical_emit_message(true, 'gamma', 'lost');
SELECT 'sent' FROM pg_logical_emit_message(false, 'delta', 'not lost');
ROLLBACK;
BEGIN;
INSERT INTO t DEFAULT VALUES;
SELECT 'sent' FROM pg_logical_emit_message(true, 'epsilon', '');
SELECT 'sent' FROM pg_logical_emit_message(false, 'zeta', 'before the transaction');
INSERT INTO t DEFAULT VALUES;
COMMIT;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- any bytes: text if they are text
SELECT 'sent' FROM pg_logical_emit_message(true, E'pre"fix\n', E'two\nlines "quoted" \\ back');
SELECT 'sent' FROM pg_logical_emit_message(true, 'bytes', '\x00'::bytea);
SELECT 'sent' FROM pg_logical_emit_message(true, 'bytes', '\xfffe22'::bytea);
SELECT 'sent' FROM pg_logical_emit_message(true, 'bytes', '\xc3bc07'::bytea);
SELECT data, data::json IS NOT NULL AS json
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- a marker
SELECT portage.mark('nonce') < pg_current_wal_insert_lsn() + 1;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- TRUNCATE, with what it reaches
INSERT INTO u VALUES (1);
TRUNCATE u;
TRUNCATE t CASCADE;
TRUNCATE t, u RESTART IDENTITY;
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
TRUNCATE p;
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '', 'tables', 'u,p1');

-- origins
SELECT 'created' FROM pg_replication_origin_create('elsewhere');
INSERT INTO t VALUES (100);
SELECT pg_replication_origin_session_setup('elsewhere');
INSERT INTO t VALUES (101);
SELECT 'sent' FROM pg_logical_emit_message(true, 'there', 'yes');
TRUNCATE u;
SELECT pg_replication_origin_session_reset();
INSERT INTO t VALUES (102);
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', 'origin');
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', 'origin', 'origin', 'none');
SELECT pg_replication_origin_drop('elsewhere');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'origin');

DROP TABLE t, u, p;
SELECT pg_drop_replication_slot('s');
