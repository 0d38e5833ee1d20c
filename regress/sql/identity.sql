--
-- Which old values an UPDATE and a DELETE carry: every replica identity
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

CREATE FUNCTION touch(tab regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %s VALUES (1, 10, ''a'')', tab);
	EXECUTE format('UPDATE %s SET note = ''b''', tab);
	EXECUTE format('UPDATE %s SET id = 2', tab);
	EXECUTE format('UPDATE %s SET other = 20', tab);
	EXECUTE format('DELETE FROM %s', tab);
END $$;

-- a primary key; it is not the first column, and has a second one
CREATE TABLE with_key (id int, other int NOT NULL, note text,
	PRIMARY KEY (note, id) INCLUDE (other));
SELECT touch('with_key');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- none at all
CREATE TABLE keyless (id int, other int, note text);
SELECT touch('keyless');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- a primary key that may be violated for a while does not count
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE, other int, note text);
SELECT touch('deferred');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- nothing, in spite of a key
ALTER TABLE with_key REPLICA IDENTITY NOTHING;
SELECT touch('with_key');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- everything, with the key still told
ALTER TABLE with_key REPLICA IDENTITY FULL;
SELECT touch('with_key');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- everything, without a key
ALTER TABLE keyless REPLICA IDENTITY FULL;
SELECT touch('keyless');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- a nominated index, which then is dropped
CREATE UNIQUE INDEX with_key_other ON with_key (other);
ALTER TABLE with_key REPLICA IDENTITY USING INDEX with_key_other;
SELECT touch('with_key');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');
DROP INDEX with_key_other;
SELECT touch('with_key');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- changed in the middle of a transaction
BEGIN;
ALTER TABLE keyless REPLICA IDENTITY NOTHING;
INSERT INTO keyless VALUES (1, 1, 'x');
DELETE FROM keyless;
ALTER TABLE keyless REPLICA IDENTITY FULL;
INSERT INTO keyless VALUES (2, 2, 'y');
DELETE FROM keyless;
ALTER TABLE keyless ADD PRIMARY KEY (id);
ALTER TABLE keyless REPLICA IDENTITY DEFAULT;
INSERT INTO keyless VALUES (3, 3, 'z');
DELETE FROM keyless;
COMMIT;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

DROP FUNCTION touch;
DROP TABLE with_key, keyless, deferred;
SELECT pg_drop_replication_slot('s');
