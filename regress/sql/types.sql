--
-- Values whose text the plugin makes itself must be those of the output
-- functions, to the byte
--
SET datestyle = 'ISO';
SET timezone = 'UTC';
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

CREATE DOMAIN whole AS int8;
CREATE TABLE v (id int PRIMARY KEY, i2 int2, i4 int4, i8 int8, w whole, o oid,
	f4 float4, f8 float8, n numeric, b bool, t text, vc varchar(30), c char(6),
	na name, d date, ts timestamp, tz timestamptz, u uuid, by bytea, j json,
	jb jsonb, iv interval, ti time, a int[], ba bytea[]);

INSERT INTO v (id, i2, i4, i8, w, o, f4, f8, n) VALUES
	(1, 0, 0, 0, 0, 0, 0, 0, 0),
	(2, -32768, -2147483648, -9223372036854775808, -9223372036854775808,
		4294967295, 'NaN', 'NaN', 'NaN'),
	(3, 32767, 2147483647, 9223372036854775807, 9223372036854775807, 1,
		'Infinity', 'Infinity', '-0.00'),
	(4, -1, -10, -100, -1000, 10, '-Infinity', '-Infinity', 1e40),
	(5, 9, 99, 999, 9999, 99, '-0', '-0', 1e-40),
	(6, NULL, 1, 1, 1, 1, 3.4028235e38, 1.7976931348623157e308, 12.3400),
	(7, 1, 1, 1, 1, 1, 1e-45, 4.9e-324, -12345678901234567890.123),
	(8, 1, 1, 1, 1, 1, 0.1, 0.30000000000000004, 5);
INSERT INTO v (id, b, t, vc, c, na, u, by, j, jb) VALUES
	(20, true, '', '', '', '', '00000000-0000-0000-0000-000000000000', '', '1', '1'),
	(21, false, E'\\ " '' \n\t\r\x01\x7f', 'ü€𝄞', 'ab', 'a "name"',
		'ABCDEF01-2345-6789-abcd-ef0123456789', '\x00ff5c22',
		E'{"a" :\n\t[1, "x\\ny"]}', '{"a": [1.50, null, true, "\u00fc"]}'),
	(22, NULL, repeat('x', 127), repeat('y', 30), '  x', repeat('n', 63), NULL,
		repeat('z', 128)::bytea, 'null', 'null'),
	(23, NULL, repeat('x', 128), NULL, NULL, NULL, NULL, NULL,
		' "top" ', '"top"');
INSERT INTO v (id, d, ts, tz)
SELECT 40 + row_number() OVER (), x::date, x::timestamp, x::timestamptz
FROM unnest('{infinity,-infinity,epoch,4713-01-01 00:00:00 BC,
	0001-12-31 23:59:59.999999 BC,0001-01-01 00:00:00,
	0999-02-28 12:00:00.1,1582-10-15 00:00:00.12,1900-02-28 23:59:59.000001,
	1969-12-31 23:59:59.999999,1999-12-31 23:59:59.5,2000-01-01 00:00:00,
	2000-02-29 01:02:03.000400,2024-12-31 23:59:59.100000,
	9999-12-31 23:59:59.999999,10000-01-01 00:00:00,
	294276-12-31 23:59:59.999999}'::text[]) AS x;
INSERT INTO v (id, d) VALUES (80, '5874897-12-31'), (81, '4714-11-24 BC');
-- every day of some years, every hour, and some odd fractions
INSERT INTO v (id, d, ts, tz)
SELECT 1000 + i, '1996-01-01'::date + i, '1996-01-01'::timestamp + i * '1 day 1 hour 1.000001 s'::interval,
	'0004-02-28'::timestamptz + i * '977 days 7.1234 s'::interval
FROM generate_series(1, 3700) i;
INSERT INTO v (id, iv, ti, a, ba) VALUES
	(90, '1 year -2 days 03:04:05.6', '24:00', '{1,NULL,-3}', '{"\\x00","\\x5c"}');

CREATE TABLE got AS
SELECT data::json -> 'new' AS new
FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '')
WHERE data LIKE '{"op":"I"%';
SELECT count(*) FROM got;

-- format() calls the output function, a cast would not always
CREATE TABLE wanted AS
SELECT id, col.key, format('%s', col.value) AS value
FROM v, LATERAL (VALUES
	('i2', format('%s', i2)), ('i4', format('%s', i4)), ('i8', format('%s', i8)),
	('w', format('%s', w)), ('o', format('%s', o)), ('f4', format('%s', f4)),
	('f8', format('%s', f8)), ('n', format('%s', n)),
	('b', CASE WHEN b THEN 'true' WHEN NOT b THEN 'false' END),
	('t', format('%s', t)), ('vc', format('%s', vc)), ('c', format('%s', c)),
	('na', format('%s', na)), ('d', format('%s', d)), ('ts', format('%s', ts)),
	('tz', format('%s', tz)), ('u', format('%s', u)), ('by', format('%s', by)),
	('iv', format('%s', iv)), ('ti', format('%s', ti)), ('a', format('%s', a)),
	('ba', format('%s', ba))) AS col (key, value);
SELECT count(*) AS compared, count(*) FILTER (WHERE
	coalesce(new ->> key, '') IS DISTINCT FROM coalesce(value, '')) AS different
FROM wanted JOIN got ON (new ->> 'id')::int = id;
SELECT id, key, value, new ->> key AS got
FROM wanted JOIN got ON (new ->> 'id')::int = id
WHERE coalesce(new ->> key, '') IS DISTINCT FROM coalesce(value, '')
ORDER BY id, key LIMIT 20;
-- what is JSON itself keeps its meaning, and stays on one line
SELECT id, new -> 'j' AS j, (new -> 'jb')::text::jsonb = jb AS jb
FROM v JOIN got ON (new ->> 'id')::int = id WHERE id BETWEEN 20 AND 23 ORDER BY id;

-- the same by the eye
SELECT new FROM got WHERE (new ->> 'id')::int IN (2, 3, 21) ORDER BY (new ->> 'id')::int;

-- another DateStyle and zone, fewer digits: the session's, from the output function
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Kolkata';
SET extra_float_digits = 0;
CREATE TABLE styled (id int PRIMARY KEY, d date, ts timestamp, tz timestamptz, f float8);
INSERT INTO styled VALUES (1, '2026-03-04', '2026-03-04 05:06:07.8', '2026-03-04 05:06:07.8+00', 0.30000000000000004);
SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'include', '', 'tables', 'styled');
-- a zone that is UTC by another name
SET datestyle = 'ISO, DMY';
SET timezone = 'Etc/Zulu';
SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', '', 'tables', 'styled');

DROP TABLE v, got, wanted, styled;
DROP DOMAIN whole;
SELECT pg_drop_replication_slot('s');
