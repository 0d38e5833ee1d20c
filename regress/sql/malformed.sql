--
-- portage.decode() and frames that are not
--
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET search_path = pg_catalog;
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
CREATE TABLE public.t (id int PRIMARY KEY, a text, b bytea);
INSERT INTO public.t SELECT i, 'text', '\x00' FROM generate_series(1, 3) i;
UPDATE public.t SET id = 4 WHERE id = 1;
DELETE FROM public.t WHERE id = 4;
TRUNCATE public.t;
SELECT 'sent' FROM pg_logical_emit_message(true, 'p', 'content');
CREATE TABLE public.frame AS
SELECT string_agg(data, '') AS f FROM pg_logical_slot_get_binary_changes('s', NULL, NULL, 'format', 'binary');
SELECT count(*) FROM public.frame, portage.decode(f);

-- nothing is no record
SELECT count(*) FROM portage.decode('');
SELECT count(*) FROM portage.decode_all('{}');
SELECT count(*) FROM portage.decode(NULL);
SELECT portage.decode_all('{NULL}');

-- every truncation: whole records, or an error
CREATE FUNCTION public.outcome(f bytea, OUT code text, OUT lines int) LANGUAGE plpgsql AS $$
BEGIN
	SELECT count(*) INTO lines FROM portage.decode(f);
	code := 'fine';
EXCEPTION WHEN data_corrupted THEN
	code := 'malformed';
END $$;
CREATE FUNCTION public.boundaries(f bytea) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
	at int := 0;
	found int[] := '{0}';
BEGIN
	WHILE at < length(f) LOOP
		at := at + 5 + get_byte(f, at + 1) + 256 * get_byte(f, at + 2);
		found := found || at;
	END LOOP;
	RETURN found;
END $$;
SELECT code, count(*) > 100 AS many, bool_and((code = 'fine') = (n = ANY (public.boundaries(f)))) AS right
FROM public.frame, generate_series(0, length(f)) n, public.outcome(substr(f, 1, n))
GROUP BY code ORDER BY code;

-- every byte changed, in several ways: never anything else than an error or words
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE code = 'malformed') > 900 AS caught
FROM public.frame, generate_series(0, length(f) - 1) n, unnest('{0,1,127,128,255}'::int[]) x,
	public.outcome(set_byte(f, n, get_byte(f, n) # x));
-- every byte left out, and every byte doubled
SELECT count(*) FILTER (WHERE code = 'fine') AS unnoticed
FROM public.frame, generate_series(1, length(f)) n,
	public.outcome(substr(f, 1, n - 1) || substr(f, n + 1));
SELECT count(*) FILTER (WHERE code = 'fine') AS unnoticed
FROM public.frame, generate_series(1, length(f)) n,
	public.outcome(substr(f, 1, n) || substr(f, n));

-- what the messages say
\set SHOW_CONTEXT never
SELECT portage.decode('\x51'::bytea);
SELECT portage.decode('\x4900000000'::bytea);
SELECT portage.decode('\x49ffffffff'::bytea);
SELECT portage.decode('\x4800000000'::bytea);
SELECT portage.decode('\x42160000000000000000000000000000000000000000000000000000'::bytea);
SELECT portage.decode_all(ARRAY['\x421600000000000000000000000000000000000000000000000000'::bytea,
	'\x421600000000000000000000000000000000000000000000000000']);
SELECT portage.decode(f || '\x49050000000000000000') FROM public.frame OFFSET 27;
SELECT portage.decode(set_byte(f, length(f) - 1, get_byte(f, length(f) - 1) # 1)) FROM public.frame OFFSET 27;
-- a length of leb that is not the shortest
SELECT portage.decode('\x4f050000000100810061'::bytea);
-- a name that is no text here
SELECT portage.decode('\x4f050000000100' || '\x02ff41'::bytea);

DROP TABLE public.t, public.frame;
DROP FUNCTION public.outcome, public.boundaries;
SELECT pg_drop_replication_slot('s');
