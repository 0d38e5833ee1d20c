--
-- Rows, transactions and subtransactions
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

CREATE TABLE item (id serial PRIMARY KEY, name text, price numeric(8,2));

-- nothing has happened, as far as rows go
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL);

INSERT INTO item (name, price) VALUES ('ladle', 2.5), ('pot', NULL);
UPDATE item SET price = 3 WHERE id = 1;
UPDATE item SET id = 10 WHERE id = 2;
DELETE FROM item WHERE id = 1;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL,
	'include', 'types');

-- what is different from run to run
INSERT INTO item VALUES (20, 'lid', 1);
SELECT regexp_replace(data, '"(lsn|end_lsn|timestamp|xid)":("[^"]+"|[0-9]+)',
	'"\1":?', 'g')
FROM pg_logical_slot_get_changes('s', NULL, NULL);

-- the whole line is JSON, and LSNs and times are those of the server
BEGIN;
INSERT INTO item VALUES (21, E'quote " backslash \\ tab \t bell \x07 newline \n', 0);
SELECT txid_current() AS xid \gset
COMMIT;
SELECT data::json ->> 'op' AS op, (data::json ->> 'xid')::bigint = :xid AS xid,
	(data::json ->> 'lsn')::pg_lsn <= pg_current_wal_lsn() AS lsn,
	data::json ->> 'timestamp' IS NULL OR
		(data::json ->> 'timestamp')::timestamptz BETWEEN
		now() - interval '1 hour' AND now() AS at
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include',
	'xid,lsn,timestamp');

-- an aborted transaction and an empty one leave no trace
BEGIN;
INSERT INTO item VALUES (30, 'gone', 0);
ROLLBACK;
BEGIN;
CREATE TABLE empty ();
COMMIT;
DROP TABLE empty;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- savepoints: what was rolled back is not there
BEGIN;
INSERT INTO item VALUES (40, 'a', 0);
SAVEPOINT one;
INSERT INTO item VALUES (41, 'rolled back', 0);
ROLLBACK TO one;
INSERT INTO item VALUES (42, 'b', 0);
SAVEPOINT two;
INSERT INTO item VALUES (43, 'c', 0);
RELEASE two;
SAVEPOINT three;
UPDATE item SET price = 1 WHERE id = 43;
ROLLBACK TO three;
DELETE FROM item WHERE id = 42;
COMMIT;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- eighty subtransactions within each other, with DDL in one
CREATE FUNCTION nest(depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO item VALUES (100 + depth, 'deep', depth);
	IF depth = 40 THEN
		ALTER TABLE item ADD COLUMN note text DEFAULT 'n';
	END IF;
	IF depth < 80 THEN
		PERFORM nest(depth + 1);
	END IF;
	IF depth = 70 THEN
		RAISE EXCEPTION 'undo' USING ERRCODE = 'P0042';
	END IF;
EXCEPTION WHEN SQLSTATE 'P0042' THEN
	NULL;
END $$;
BEGIN;
SELECT nest(1);
COMMIT;
SELECT count(*), count(data::json -> 'new' ->> 'note') AS with_note,
	min(data::json -> 'new' ->> 'price') AS first,
	max((data::json -> 'new' ->> 'price')::numeric) AS last,
	max(data::json ->> 'rows') AS rows
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
DROP FUNCTION nest;

-- upsert
INSERT INTO item VALUES (21, 'again', 1)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, price = 9;
INSERT INTO item VALUES (21, 'never', 1) ON CONFLICT DO NOTHING;
INSERT INTO item VALUES (22, 'new', 1)
ON CONFLICT (id) DO UPDATE SET price = 9;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- COPY writes several rows into one record of the WAL
COPY item (id, name) FROM stdin;
500	one
501	two
502	\N
\.
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- reading does not consume, and a limit holds at the end of a transaction
INSERT INTO item VALUES (600), (601);
INSERT INTO item VALUES (602);
SELECT count(*) FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '');
SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, 1, 'include', '');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- changes go into a table, which is decoded in its turn
CREATE TABLE log AS
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '')
LIMIT 0;
INSERT INTO item VALUES (700);
INSERT INTO log SELECT data
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- a transaction does not see itself
BEGIN;
INSERT INTO item VALUES (800);
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
COMMIT;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

DROP TABLE item, log;
SELECT pg_drop_replication_slot('s');
