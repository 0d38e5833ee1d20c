--
-- Changes of the schema between rows, and in one transaction with them
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

CREATE TABLE t (id int PRIMARY KEY, a varchar(10), b char(4), c numeric(6,2),
	d timestamp(3), e bit(3), f varchar(5)[]);
INSERT INTO t VALUES (1, 'a', 'b', 1, '2026-01-02 03:04:05.6789', B'101', '{x}');
ALTER TABLE t RENAME COLUMN a TO alpha;
INSERT INTO t VALUES (2, 'a', 'b', 1);
ALTER TABLE t DROP COLUMN b;
INSERT INTO t VALUES (3, 'a', 1);
ALTER TABLE t RENAME TO "T.1";
INSERT INTO "T.1" VALUES (4, 'a', 1);
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- a column with a default is in old rows that were never rewritten
ALTER TABLE "T.1" ADD COLUMN g text DEFAULT 'fast';
UPDATE "T.1" SET alpha = 'z' WHERE id = 1;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- names of schemas and types change without touching the table
CREATE SCHEMA old_name;
CREATE TYPE mood AS ENUM ('fine', 'so so');
CREATE DOMAIN small AS mood CHECK (value <> 'so so');
CREATE TABLE old_name.u (id int PRIMARY KEY, m mood, s small);
INSERT INTO old_name.u VALUES (1, 'so so', 'fine');
ALTER SCHEMA old_name RENAME TO new_name;
INSERT INTO new_name.u VALUES (2, 'fine', 'fine');
ALTER TYPE mood RENAME TO feeling;
ALTER TYPE feeling RENAME VALUE 'fine' TO 'good';
INSERT INTO new_name.u VALUES (3, 'so so', 'good');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- each row as its table was at that moment
BEGIN;
INSERT INTO new_name.u VALUES (4, 'good', 'good');
ALTER TABLE new_name.u DROP COLUMN m, ADD COLUMN n int;
INSERT INTO new_name.u VALUES (5, 'good', 55);
ALTER TABLE new_name.u ALTER COLUMN n TYPE text USING 'was ' || n;
INSERT INTO new_name.u VALUES (6, 'good', 'new');
CREATE TABLE new_name.v AS SELECT * FROM new_name.u;
DROP TABLE new_name.v;
COMMIT;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- rewrites are not changes
ALTER TABLE new_name.u ADD COLUMN r float DEFAULT random();
VACUUM FULL new_name.u;
CLUSTER new_name.u USING u_pkey;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- rewrites of catalogs do not disturb what comes later
VACUUM FULL pg_class;
INSERT INTO new_name.u VALUES (7, 'good', 'after', 0);
VACUUM FULL pg_attribute;
ALTER TABLE new_name.u DROP COLUMN r;
INSERT INTO new_name.u VALUES (8, 'good', 'later');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- a table that counts as a catalog
CREATE TABLE rules (id int PRIMARY KEY, what text)
WITH (user_catalog_table = true);
INSERT INTO rules VALUES (1, 'x');
ALTER TABLE rules RESET (user_catalog_table);
INSERT INTO rules VALUES (2, 'y');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- generated and identity columns
CREATE TABLE gen (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	w int, twice int GENERATED ALWAYS AS (w * 2) STORED);
INSERT INTO gen (w) VALUES (21);
UPDATE gen SET w = 4;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- no columns at all
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'types');

-- sequences are not rows
CREATE SEQUENCE seq;
SELECT nextval('seq');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

DROP SEQUENCE seq;
DROP TABLE "T.1", rules, gen, nothing;
DROP SCHEMA new_name CASCADE;
DROP DOMAIN small;
DROP TYPE feeling;
SELECT pg_drop_replication_slot('s');
