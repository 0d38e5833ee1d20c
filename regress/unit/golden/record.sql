-- How the *.frames files here were made: what the plugin really sends.
--
--	psql -X -v ON_ERROR_STOP=1 -d DATABASE -f record.sql
--
-- on a source server with wal_level=logical and the plugin installed, in an
-- empty database. Each stream file is a sequence of frames, each preceded by
-- its length in four bytes, little-endian. A file is replaced only when the
-- protocol changes, together with its .events file, which test_decode writes
-- when UPDATE_GOLDEN=1 is set, and which is then read by a person.
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET extra_float_digits = 3;
SET bytea_output = 'hex';
SET timezone = 'UTC';
SET lc_monetary = 'C';

CREATE TABLE plain (id int PRIMARY KEY, v text, n numeric, b bytea, t timestamptz, d date, f float8, u uuid, j jsonb, a int[], ok bool);
CREATE TABLE full_identity (x int, y text);
ALTER TABLE full_identity REPLICA IDENTITY FULL;
CREATE TABLE without_identity (x int);
CREATE TABLE toasted (id int PRIMARY KEY, big text, other int);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE "Quoted ""name" ("a b" int PRIMARY KEY, "ünï" text);
CREATE TABLE parted (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE computed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p positive, twice int GENERATED ALWAYS AS (p * 2) STORED);
CREATE TABLE empty_row ();

SELECT pg_create_logical_replication_slot('golden', 'pg_portage') \g /dev/null

INSERT INTO plain VALUES (1, 'one', 1.50, '\x00ff', '2001-02-03 04:05:06.789+00', '2020-02-29', 0.1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"k": [1, null]}', '{1,2,NULL}', true), (2, '', NULL, '', NULL, NULL, 'NaN', NULL, NULL, '{}', false), (3, NULL, 'NaN', NULL, 'infinity', '-infinity', '-Infinity', NULL, 'null', NULL, NULL);
UPDATE plain SET v = 'uno' WHERE id = 1;
UPDATE plain SET id = 20 WHERE id = 2;
DELETE FROM plain WHERE id = 3;
BEGIN;
INSERT INTO full_identity VALUES (1, 'a'), (1, 'a'), (2, NULL);
UPDATE full_identity SET y = 'b' WHERE x = 2;
DELETE FROM full_identity WHERE y IS NULL OR x = 1;
SELECT pg_logical_emit_message(true, 'portage.marker', '0123456789abcdef0123456789abcdef') \g /dev/null
COMMIT;
SELECT pg_logical_emit_message(false, 'other', E'outside\nof any') \g /dev/null
INSERT INTO without_identity VALUES (1);
DELETE FROM without_identity;
INSERT INTO toasted VALUES (1, repeat('0123456789', 300), 1);
UPDATE toasted SET other = 2;
UPDATE toasted SET id = 2;
INSERT INTO "Quoted ""name" VALUES (1, 'ß');
INSERT INTO parted VALUES (1, 'eu');
INSERT INTO computed (p) VALUES (21);
INSERT INTO empty_row DEFAULT VALUES;
TRUNCATE plain, full_identity RESTART IDENTITY;
TRUNCATE parted CASCADE;
ALTER TABLE plain ADD COLUMN later int DEFAULT 7, ADD COLUMN raw bytea DEFAULT '\x0041', ADD COLUMN "none" text DEFAULT '';
INSERT INTO plain (id) VALUES (100);
BEGIN;
SAVEPOINT a;
INSERT INTO plain (id) VALUES (101);
ROLLBACK TO a;
INSERT INTO plain (id) VALUES (102);
COMMIT;

SET search_path = pg_catalog;
\set options '\'format\', \'binary\', \'proto_min\', \'1\', \'proto_max\', \'1\''
\pset format unaligned
\pset tuples_only on
\o plain.hex
SELECT encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes('golden', NULL, NULL, :options);
\o filtered.hex
SELECT encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes('golden', NULL, NULL, :options, 'tables', 'plain,toasted', 'batch_bytes', '4096');
\o
\! for f in plain filtered; do perl -ne 'chomp; my $d = pack("H*", $_); print pack("V", length $d), $d' $f.hex >$f.frames; rm $f.hex; done
SELECT pg_drop_replication_slot('golden') \g /dev/null
