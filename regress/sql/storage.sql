--
-- What R says of rows that are not in the stream: their storage, and what older
-- ones have in a column that was added
--
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET search_path = pg_catalog;
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

-- After each step a row, so that the stream announces the table if it has to,
-- and beside it the storage that the server itself names at that moment.
CREATE TABLE public.t (id serial PRIMARY KEY, a int);
CREATE TABLE public.step (n serial PRIMARY KEY, what text, storage oid);
CREATE PROCEDURE public.done(what text) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.t (a) VALUES (1);
	INSERT INTO public.step (what, storage) VALUES ($1, pg_relation_filenode('public.t'));
END $$;
-- each row with what had been announced of its table last
CREATE FUNCTION public.rows() RETURNS TABLE (n bigint, storage oid, columns text) LANGUAGE sql AS $$
	WITH lines AS (
		SELECT line, number
		FROM (SELECT array_agg(data) AS all
			FROM pg_logical_slot_peek_binary_changes('s', NULL, NULL, 'format', 'binary', 'tables', 't')) AS frame,
			LATERAL portage.decode_all("all") WITH ORDINALITY AS lines(line, number)
	)
	SELECT row_number() OVER (ORDER BY number), substring(r.line FROM 'storage ([0-9]+),')::oid,
		replace(substring(r.line FROM '\((.*)\)$'), 'pg_catalog.', '')
	FROM lines AS i, LATERAL (SELECT line FROM lines AS r
		WHERE r.line LIKE 'relation %' AND r.number < i.number ORDER BY r.number DESC LIMIT 1) AS r
	WHERE i.line LIKE 'insert %'
$$;

CALL public.done('CREATE TABLE');
ALTER TABLE public.t ADD COLUMN plain int;
CALL public.done('column without a default');
ALTER TABLE public.t ADD COLUMN fast text DEFAULT 'it''s' NOT NULL;
CALL public.done('fast default');
VACUUM FULL public.t;
CALL public.done('VACUUM FULL');
ALTER TABLE public.t ADD COLUMN second int DEFAULT 2;
CALL public.done('another one');
ALTER TABLE public.t ALTER COLUMN second SET DEFAULT 3;
CALL public.done('another default: not for older rows');
CLUSTER public.t USING t_pkey;
CALL public.done('CLUSTER');
ALTER TABLE public.t ADD COLUMN third int DEFAULT 3;
CALL public.done('a third one');
TRUNCATE public.t;
CALL public.done('TRUNCATE');
ALTER TABLE public.t ALTER COLUMN third TYPE bigint;
CALL public.done('type change that rewrites');
ALTER TABLE public.t ADD COLUMN vc varchar(5) DEFAULT 'x';
CALL public.done('varchar');
ALTER TABLE public.t ALTER COLUMN vc TYPE varchar(10);
CALL public.done('type change of the catalog alone');
ALTER TABLE public.t ADD COLUMN r float DEFAULT random();
CALL public.done('volatile default');
SELECT s.n, s.what, s.storage <> lag(s.storage) OVER (ORDER BY s.n) AS rewritten,
	r.storage = s.storage AS right, r.columns
FROM public.step AS s FULL JOIN public.rows() AS r USING (n) ORDER BY n;

-- within one transaction, each row with what was true for it
SELECT 'skipped' FROM pg_replication_slot_advance('s', pg_current_wal_insert_lsn());
TRUNCATE public.step RESTART IDENTITY;
BEGIN;
CALL public.done('begin');
TRUNCATE public.t;
CALL public.done('TRUNCATE');
ALTER TABLE public.t ADD COLUMN late int DEFAULT 9;
CALL public.done('fast default');
ALTER TABLE public.t ALTER COLUMN a TYPE text;
CALL public.done('rewrite');
SAVEPOINT a;
TRUNCATE public.t;
CALL public.done('lost');
ROLLBACK TO a;
CALL public.done('as before the savepoint');
COMMIT;
SELECT r.n, s.what, r.storage = s.storage AS right, r.columns
FROM (SELECT row_number() OVER (ORDER BY n) AS n, what, storage FROM public.step) AS s
FULL JOIN public.rows() AS r USING (n) ORDER BY n;

-- every kind of value: as it would be in a row
CREATE TYPE public.mood AS ENUM ('fine', 'so "so"');
CREATE TYPE public.pair AS (a int, b text);
CREATE DOMAIN public.short AS varchar(5) CHECK (value <> '');
CREATE TABLE public.t2 (id int PRIMARY KEY);
INSERT INTO public.t2 VALUES (1);
ALTER TABLE public.t2 ADD b bool DEFAULT true, ADD i2 smallint DEFAULT -1, ADD i8 bigint DEFAULT 9223372036854775807,
	ADD n numeric(6,2) DEFAULT 1, ADD nan float8 DEFAULT 'NaN', ADD f4 float4 DEFAULT 0.1,
	ADD t text DEFAULT E'tab\t', ADD e text DEFAULT '', ADD c char(4) DEFAULT 'x', ADD raw bytea DEFAULT '\x00ff',
	ADD rawe bytea DEFAULT '', ADD d date DEFAULT '0044-03-15 BC', ADD ts timestamp DEFAULT 'infinity',
	ADD tz timestamptz DEFAULT '2026-01-02 03:04:05.678901+09', ADD u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
	ADD j jsonb DEFAULT '{"k": [1, null]}', ADD a int[] DEFAULT '[0:1]={1,NULL}', ADD iv interval DEFAULT '1 mon -1 day',
	ADD m public.mood DEFAULT 'so "so"', ADD p public.pair DEFAULT '(1,"a b")', ADD nn text DEFAULT NULL;
UPDATE public.t2 SET id = 2;
-- the update sends the old row's values as they are: R must have said the same
SELECT regexp_replace(line, 'storage [0-9]+', 'storage ?')
FROM (SELECT array_agg(data) AS all
	FROM pg_logical_slot_peek_binary_changes('s', NULL, NULL, 'format', 'binary', 'tables', 't2')) AS frame,
	LATERAL portage.decode_all("all") AS line
WHERE line LIKE 'relation public.t2%b pg_catalog.bool%' OR line LIKE 'update %';

-- a value that is longer than any name, and as long as it can get
CREATE TABLE public.t3 (id int PRIMARY KEY);
INSERT INTO public.t3 VALUES (1);
SELECT format('ALTER TABLE public.t3 ADD long text DEFAULT %L', repeat('0123456789', 10000)) AS long \gset
:long;
UPDATE public.t3 SET id = 2;
SELECT length(line) > 100000 AS long, line LIKE '%missing ''0123456789%6789'')' AS whole
FROM (SELECT array_agg(data) AS all
	FROM pg_logical_slot_peek_binary_changes('s', NULL, NULL, 'format', 'binary', 'tables', 't3', 'batch_bytes', '4kB')) AS frame,
	LATERAL portage.decode_all("all") AS line
WHERE line LIKE 'relation public.t3%long%';

DROP TABLE public.t, public.step, public.t2, public.t3;
DROP PROCEDURE public.done;
DROP FUNCTION public.rows;
DROP TYPE public.mood, public.pair;
DROP DOMAIN public.short;
SELECT pg_drop_replication_slot('s');
