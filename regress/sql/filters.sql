--
-- Which relations' rows are sent
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
\set SHOW_CONTEXT never
CREATE FUNCTION tables(VARIADIC options text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT data::json ->> 'table', ' ' ORDER BY data::json ->> 'table')
	FROM pg_logical_slot_peek_changes('s', NULL, NULL, VARIADIC options)
$$;

CREATE SCHEMA "Odd.One";
CREATE TABLE orders (id int);
CREATE TABLE orders_old (id int);
CREATE TABLE "Orders" (id int);
CREATE TABLE "Odd.One"."it""em" (id int);
CREATE TABLE "Odd.One".orders (id int);
CREATE TABLE "naïve" (id int);
CREATE TABLE part (id int, k int) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_x PARTITION OF part FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE part_x_2 PARTITION OF part_x FOR VALUES IN (2);
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO orders VALUES (1);
INSERT INTO orders_old VALUES (1);
INSERT INTO "Orders" VALUES (1);
INSERT INTO "Odd.One"."it""em" VALUES (1);
INSERT INTO "Odd.One".orders VALUES (1);
INSERT INTO "naïve" VALUES (1);
INSERT INTO part VALUES (1, 1), (2, 2);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);

SELECT tables('include', '');
SELECT tables('tables', '');
SELECT tables('tables', '*');
SELECT tables('tables', '*.*');
SELECT tables('tables', 'orders');
SELECT tables('tables', 'ORDERS');
SELECT tables('tables', '"Orders"');
SELECT tables('tables', '"orders*"');
SELECT tables('tables', 'public.orders*');
SELECT tables('tables', 'orders?old, na?ve');
SELECT tables('tables', '*e*');
SELECT tables('tables', '*.*r*s');
SELECT tables('tables', '"Odd.One".*');
SELECT tables('tables', '"Odd.One"."it""em"');
SELECT tables('tables', '"Odd.One"."it""em');
SELECT tables('tables', 'pub*c.p*');
SELECT tables('tables', 'part');
SELECT tables('tables', 'part_x');
SELECT tables('tables', 'part_x_2');
SELECT tables('tables', 'parent');
SELECT tables('exclude_tables', 'part, orders*');
SELECT tables('tables', 'part', 'exclude_tables', 'part_1');
SELECT tables('tables', 'p*,o*', 'exclude_tables', '*_*');
SELECT tables('tables', 'nowhere.*');

-- transactions of which nothing is left leave no trace
SELECT count(*) FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'tables', 'nowhere.*');

-- the root's name, and its changes
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '', 'tables', 'part');
ALTER TABLE part RENAME TO whole;
UPDATE whole SET k = 1, id = 3 WHERE k = 2;
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '', 'tables', 'part');
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '', 'tables', 'whole');
BEGIN;
INSERT INTO part_1 VALUES (10, 1);
ALTER TABLE whole RENAME TO part;
INSERT INTO part_1 VALUES (11, 1);
ALTER TABLE part DETACH PARTITION part_1;
INSERT INTO part_1 VALUES (12, 1);
COMMIT;
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '', 'tables', 'whole');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '', 'tables', 'part');

-- never: what is not logged, catalogs, our own schema, materialized views
CREATE UNLOGGED TABLE unlogged (id int);
CREATE TEMP TABLE temporary (id int);
INSERT INTO unlogged VALUES (1);
INSERT INTO temporary VALUES (1);
CREATE MATERIALIZED VIEW seen AS SELECT id, random() AS r FROM orders;
CREATE UNIQUE INDEX ON seen (id);
REFRESH MATERIALIZED VIEW CONCURRENTLY seen;
REFRESH MATERIALIZED VIEW seen;
CREATE TABLE portage.own (id int);
INSERT INTO portage.own VALUES (1);
UPDATE information_schema.sql_features SET comments = 'x' WHERE feature_id = 'B011';
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
UPDATE information_schema.sql_features SET comments = '' WHERE feature_id = 'B011';

DROP TABLE portage.own, unlogged, temporary, orders_old, "Orders", "naïve", part, part_1, parent, child;
DROP TABLE orders CASCADE;
DROP SCHEMA "Odd.One" CASCADE;
DROP FUNCTION tables;
SELECT pg_drop_replication_slot('s');
