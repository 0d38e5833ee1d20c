--
-- MERGE, from PostgreSQL 15 on
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
CREATE TABLE item (id int PRIMARY KEY, name text);
INSERT INTO item VALUES (21, 'a'), (22, 'b');
SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL);
MERGE INTO item USING (VALUES (21), (22), (23)) AS v (id) ON item.id = v.id
WHEN MATCHED AND v.id = 21 THEN DELETE
WHEN MATCHED THEN UPDATE SET name = 'merged'
WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'inserted');
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
DROP TABLE item;
SELECT pg_drop_replication_slot('s');
