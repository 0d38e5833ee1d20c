--
-- Values that are stored out of line: present, unchanged, or in the old row
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

CREATE TABLE big (id int PRIMARY KEY, n int, body text, raw bytea);
ALTER TABLE big ALTER body SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL;

-- lines are too long to be shown: what is in them instead
CREATE FUNCTION shown(line text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(line, '(x+)', 'x...', 'g'),
		'(78){9,}', '78...', 'g')
$$;

INSERT INTO big VALUES (1, 1, repeat('x', 5000), convert_to(repeat('x', 5000), 'UTF8'));
UPDATE big SET n = 2;
UPDATE big SET id = 2;
UPDATE big SET body = repeat('x', 6000);
DELETE FROM big;
SELECT shown(data), length(data) > 4000 AS long
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- FULL has every value, always
ALTER TABLE big REPLICA IDENTITY FULL;
INSERT INTO big VALUES (1, 1, repeat('x', 5000), convert_to(repeat('x', 5000), 'UTF8'));
UPDATE big SET n = 2;
UPDATE big SET body = NULL;
DELETE FROM big;
SELECT shown(data), length(data) > 4000 AS long
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- an old row larger than a page
ALTER TABLE big ALTER body SET STORAGE EXTENDED;
INSERT INTO big SELECT 1, 1, string_agg(md5(i::text), '') FROM generate_series(1, 3000) i;
UPDATE big SET n = 3;
SELECT data::json ->> 'op' AS op,
	md5(data::json -> 'old' ->> 'body') AS old_body,
	md5(data::json -> 'new' ->> 'body') AS new_body,
	data::json -> 'unchanged' AS unchanged
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');
SELECT md5(body) FROM big;
DELETE FROM big;

-- compressed in line, and out of line
ALTER TABLE big REPLICA IDENTITY DEFAULT;
INSERT INTO big VALUES (1, 1, repeat('x', 5000), NULL);
INSERT INTO big SELECT 2, 2, repeat('x', 100000) || string_agg(md5(i::text), '')
FROM generate_series(1, 300) i;
UPDATE big SET n = 3;
SELECT data::json ->> 'op' AS op, length(data::json -> 'new' ->> 'body') AS length,
	data::json -> 'unchanged' AS unchanged
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '')
WHERE data LIKE '%table%' AND data NOT LIKE '{"op":"D"%';

-- many at once
INSERT INTO big SELECT i, i, repeat(i::text, 3000) FROM generate_series(10, 14) i;
SELECT data::json ->> 'op' AS op, data::json -> 'new' ->> 'id' AS id,
	length(data::json -> 'new' ->> 'body') AS length
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

-- a long key is in the old row, changed or not
CREATE TABLE long_key (k text PRIMARY KEY, n int);
ALTER TABLE long_key ALTER k SET STORAGE EXTERNAL;
INSERT INTO long_key VALUES (repeat('x', 2400), 1);
UPDATE long_key SET n = 2;
DELETE FROM long_key;
SELECT shown(data) FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '');

DROP TABLE big, long_key;
DROP FUNCTION shown;
SELECT pg_drop_replication_slot('s');
