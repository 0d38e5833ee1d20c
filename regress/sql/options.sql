--
-- Options: every one is checked, and what is wrong is named
--
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE FUNCTION try(VARIADIC options text[]) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, VARIADIC options) $$;
CREATE FUNCTION try_binary(VARIADIC options text[]) RETURNS SETOF text LANGUAGE sql AS
$$ SELECT portage.decode(data) FROM pg_logical_slot_peek_binary_changes('s', NULL, NULL,
	VARIADIC options || '{format,binary}'::text[]) $$;

SELECT try('formt', 'json');
SELECT try('Format', 'json');
SELECT try('format', 'xml');
SELECT try('format', 'json', 'format', 'json');
SELECT try('proto_min', '2', 'proto_max', '9');
SELECT try('proto_min', '3');
SELECT try('proto_max', '0');
SELECT try('proto_max', '65536');
SELECT try('proto_max', '1x');
SELECT try('proto_max', '');
SELECT try('proto_max', '-1');
SELECT try('proto_min', '1', 'proto_max', '9');
SELECT try('origin', 'some');
SELECT try('batch_bytes', '4095');
SELECT try('batch_bytes', '17MB');
SELECT try('batch_bytes', '99999999999999999999');
SELECT try('batch_bytes', '64 gB');
SELECT try('batch_bytes', '64kB ');
SELECT try('batch_bytes', '-4kB');
SELECT try('batch_bytes', '4096');
SELECT try('batch_bytes', '16 MB');
SELECT try('defer', 'perhaps');
SELECT try('defer', 'on');
SELECT try_binary('defer', 'true');
SELECT try('defer', 'false');
SELECT try('include', 'lsn,nothing');
SELECT try('include', 'lsn,lsn');
SELECT try('include', ' lsn , xid ');
SELECT try_binary('include', 'lsn');
SELECT try('tables', 'a,,b');
SELECT try('tables', 'a.b.c');
SELECT try('tables', 'a b');
SELECT try('tables', '"a');
SELECT try('tables', '""');
SELECT try('tables', 'a,');
SELECT try('tables', '.a');
SELECT try('tables', 'a.');
SELECT try('exclude_tables', 'public.x;y');
SELECT try('tables', ' a , "B".c* ');
SELECT try('tables', NULL);

-- the binary format insists on settings
SELECT try_binary('origin', 'any');
SET datestyle = 'ISO, DMY';
SELECT try_binary('origin', 'any');
SET intervalstyle = 'postgres';
SET search_path = pg_catalog;
SET timezone = 'Etc/UTC';
SELECT public.try_binary('origin', 'any');
SET timezone = 'Europe/London';
SELECT public.try_binary('origin', 'any');
SET timezone = 'GMT';
SET intervalstyle = 'iso_8601';
SELECT public.try_binary('origin', 'any');
SET intervalstyle = 'postgres';
SET bytea_output = 'escape';
SELECT public.try_binary('origin', 'any');
SET bytea_output = 'hex';
SET extra_float_digits = 0;
SELECT public.try_binary('origin', 'any');
SET extra_float_digits = 1;
SELECT public.try_binary('origin', 'any');
SET search_path = '';
SELECT public.try_binary('origin', 'any');
-- it is not for the function that returns text
SELECT public.try('format', 'binary');
RESET search_path;
SELECT try_binary('origin', 'any');

-- H tells what is in force
SET search_path = pg_catalog;
CREATE TABLE public.t (id int PRIMARY KEY);
INSERT INTO public.t VALUES (1);
SELECT regexp_replace(regexp_replace(line, 'server \d+', 'server N'), 'plugin [0-9.]+', 'plugin V')
FROM public.try_binary('batch_bytes', '8kB', 'tables', 'T*', 'origin', 'none',
	'defer', 'no', 'exclude_tables', '"T"') AS line
WHERE line LIKE 'hello%';
RESET search_path;
DROP TABLE t;
DROP FUNCTION try, try_binary;
SELECT pg_drop_replication_slot('s');
