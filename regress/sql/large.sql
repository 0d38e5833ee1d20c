--
-- Transactions that spill to disk, are prepared, or have many parts
--
SET logical_decoding_work_mem = '64kB';
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
CREATE TABLE t (k text, n int);
CREATE FUNCTION summary() RETURNS TABLE (k text, count bigint, first text, last text, ordered bool)
LANGUAGE sql AS $$
	WITH rows AS (
		SELECT ord, (data::json -> 'new' ->> 'n')::int AS n, data::json -> 'new' ->> 'k' AS k
		FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '')
			WITH ORDINALITY AS r (lsn, xid, data, ord)
		WHERE data LIKE '{"op":"I"%'
	), with_previous AS (
		SELECT *, lag(n) OVER (PARTITION BY rows.k ORDER BY ord) AS previous FROM rows
	)
	SELECT k, count(*), min(n)::text, max(n)::text, bool_and(previous IS NULL OR previous < n)
	FROM with_previous GROUP BY k ORDER BY min(ord)
$$;

-- main spilled
BEGIN;
INSERT INTO t SELECT 'main', i FROM generate_series(1, 5000) i;
COMMIT;
SELECT * FROM summary();
-- sub spilled, main not
BEGIN;
SAVEPOINT s;
INSERT INTO t SELECT 'sub', i FROM generate_series(1, 5000) i;
RELEASE s;
INSERT INTO t VALUES ('main', 1);
COMMIT;
SELECT * FROM summary();
-- main spilled, sub not; and both
BEGIN;
INSERT INTO t SELECT 'main', i FROM generate_series(1, 5000) i;
SAVEPOINT s;
INSERT INTO t VALUES ('small', 1);
RELEASE s;
SAVEPOINT s;
INSERT INTO t SELECT 'large', i FROM generate_series(1, 5000) i;
COMMIT;
SELECT * FROM summary();
-- a spilled one rolled back, another one within it kept
BEGIN;
SAVEPOINT one;
INSERT INTO t SELECT 'lost', i FROM generate_series(1, 5000) i;
SAVEPOINT two;
INSERT INTO t SELECT 'lost too', i FROM generate_series(1, 5000) i;
ROLLBACK TO one;
INSERT INTO t SELECT 'kept', i FROM generate_series(1, 5000) i;
COMMIT;
SELECT * FROM summary();
-- DDL in the middle
BEGIN;
INSERT INTO t SELECT 'before', i FROM generate_series(1, 3000) i;
ALTER TABLE t ADD COLUMN c int DEFAULT 0;
INSERT INTO t SELECT 'after', i FROM generate_series(1, 3000) i;
COMMIT;
SELECT * FROM summary();

-- a prepared transaction comes when it is committed, with or without DDL
BEGIN;
INSERT INTO t VALUES ('prepared', 1);
ALTER TABLE t ADD COLUMN d text DEFAULT 'd';
INSERT INTO t VALUES ('prepared', 2);
PREPARE TRANSACTION 'regress_portage_one';
BEGIN;
CREATE TABLE other (n int);
INSERT INTO other VALUES (1);
PREPARE TRANSACTION 'regress_portage_two';
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
ROLLBACK PREPARED 'regress_portage_two';
COMMIT PREPARED 'regress_portage_one';
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- a slot that asks for two-phase decoding gets no more than that
SELECT 'created' FROM pg_create_logical_replication_slot('s2', 'pg_portage', false, true);
BEGIN;
INSERT INTO t VALUES ('twice', 1);
PREPARE TRANSACTION 'regress_portage_three';
SELECT data FROM pg_logical_slot_get_changes('s2', NULL, NULL, 'include', '');
COMMIT PREPARED 'regress_portage_three';
SELECT data FROM pg_logical_slot_get_changes('s2', NULL, NULL, 'include', '');
SELECT pg_drop_replication_slot('s2');

-- in frames too
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET search_path = pg_catalog;
SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL);
INSERT INTO public.t SELECT 'frames', i FROM generate_series(1, 20000) i;
SELECT count(*) FROM portage.decode_all((SELECT array_agg(data)
	FROM pg_logical_slot_get_binary_changes('s', NULL, NULL, 'format', 'binary')));
RESET search_path;

DROP FUNCTION summary;
DROP TABLE t;
SELECT pg_drop_replication_slot('s');
