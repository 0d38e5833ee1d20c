--
-- Changes of the schema as messages
--
SET client_min_messages = 'warning';
SET jit = off;
ALTER EVENT TRIGGER _portage_ddl_end ENABLE ALWAYS;
ALTER EVENT TRIGGER _portage_ddl_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER _portage_ddl_rewrite ENABLE ALWAYS;
CREATE ROLE portage_regress_user;

-- HMAC-SHA-256 as RFC 2104 has it, out of sha256() alone
CREATE SCHEMA tools;
CREATE FUNCTION tools.pad(key bytea, with_byte int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(set_byte('\x00', 0, with_byte
		# CASE WHEN i < octet_length(key) THEN get_byte(key, i) ELSE 0 END), '' ORDER BY i)
	FROM generate_series(0, 63) AS i
$$;
CREATE FUNCTION tools.hmac(key bytea, data bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT sha256(tools.pad(key, 92) || sha256(tools.pad(key, 54) || data))
$$;
-- the second case of RFC 4231
SELECT tools.hmac('Jefe', 'what do ya want for nothing?')
	= '\x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' AS oracle;

-- What has been sent since the last look: verified, and without what changes
-- from run to run.
CREATE FUNCTION tools.messages() RETURNS TABLE (content json) LANGUAGE plpgsql AS $$
DECLARE
	line json;
	part text[];
	secret bytea := (SELECT key FROM portage.ddl_key);
BEGIN
	FOR line IN SELECT data::json FROM pg_logical_slot_get_changes('s', NULL, NULL, 'include', 'xid') LOOP
		CONTINUE WHEN line ->> 'op' <> 'message';
		ASSERT line ->> 'prefix' = 'portage.ddl' AND (line ->> 'transactional')::bool, line;
		part := regexp_match(line ->> 'content', '^1 ([0-9a-f]{64}) (\{.*\})$');
		ASSERT decode(part[1], 'hex') = tools.hmac(secret, convert_to(part[2], 'UTF8')), 'signature';
		content := part[2];
		ASSERT (content ->> 'xid')::bigint % 4294967296 = (line ->> 'xid')::bigint, 'xid';
		RETURN NEXT;
	END LOOP;
END $$;
-- 18 has constraints for NOT NULL, and no comments in front of a command.
CREATE FUNCTION tools.seen() RETURNS TABLE (event text, tag text, command text, what text) LANGUAGE sql AS $$
	SELECT m ->> 'event', m ->> 'tag', coalesce(regexp_replace(m ->> 'command', '^/\*.*?\*/ ', ''), '(null)'),
		CASE m ->> 'event'
		WHEN 'rewrite' THEN concat_ws(' ', m -> 'rewrite' ->> 'name', 'reason', m -> 'rewrite' ->> 'reason',
			CASE WHEN (m -> 'rewrite' ->> 'volatile')::bool THEN 'volatile' END)
		WHEN 'drop' THEN (SELECT string_agg(concat_ws(' ', o ->> 'type', o ->> 'identity',
				CASE WHEN (o ->> 'original')::bool THEN 'original' END), ', '
				ORDER BY (o ->> 'original')::bool DESC, o ->> 'type' COLLATE "C", o ->> 'identity' COLLATE "C")
			FROM json_array_elements(m -> 'dropped') AS o
			WHERE o ->> 'type' NOT LIKE '%type' AND o ->> 'identity' NOT LIKE '%RI_ConstraintTrigger_%'
				AND o ->> 'identity' NOT LIKE '%\_not\_null on %')
		ELSE (SELECT string_agg(concat_ws(' ', o ->> 'tag', ':', o ->> 'type', o ->> 'identity',
				CASE WHEN o ->> 'table_oid' <> '0' AND o ->> 'type' <> 'table' THEN 'of '
					|| (SELECT relname FROM pg_class WHERE oid = (o ->> 'table_oid')::oid) END), ', ')
			FROM json_array_elements(m -> 'objects') AS o)
		END || CASE WHEN (m ->> 'as')::bool THEN ' AS' ELSE '' END
			|| CASE WHEN (m ->> 'concurrently')::bool THEN ' CONCURRENTLY' ELSE '' END
	FROM tools.messages() AS m
$$;
CREATE FUNCTION tools.tables() RETURNS TABLE (name text, kind text, pers text, root text, parent text, right_storage bool, columns text) LANGUAGE sql AS $$
	SELECT t ->> 'schema' || '.' || (t ->> 'name'), t ->> 'kind', t ->> 'persistence',
		(SELECT relname FROM pg_class WHERE oid = (t ->> 'root')::oid),
		(SELECT relname FROM pg_class WHERE oid = (t ->> 'parent_oid')::oid),
		(SELECT relfilenode FROM pg_class WHERE oid = (t ->> 'oid')::oid) = (t ->> 'storage')::oid,
		(SELECT string_agg(concat_ws(' ', c ->> 'num', c ->> 'name', c ->> 'type_schema' || '.' || (c ->> 'type'), c ->> 'typmod',
			'[' || (c ->> 'type_text') || ']',
			CASE WHEN (c ->> 'not_null')::bool THEN 'not null' END, nullif(c ->> 'generated', ''), nullif(c ->> 'identity', ''),
			'default ' || (c ->> 'default'), 'missing <' || (c ->> 'missing') || '>', 'collate ' || (c ->> 'collation')), ', ')
		FROM json_array_elements(t -> 'columns') AS c)
	FROM tools.messages() AS m, json_array_elements(m -> 'tables') AS t
$$;
SELECT 'created' FROM pg_create_logical_replication_slot('s', 'pg_portage');

-- tables: create, columns, rename, move, drop
CREATE TABLE t (id serial PRIMARY KEY, a varchar(10) DEFAULT 'x' COLLATE "C", b int UNIQUE);
SELECT * FROM tools.seen();
ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT 'it''s';
ALTER TABLE t ADD d date DEFAULT '2026-01-02', ADD COLUMN raw bytea DEFAULT '\x00ff', ADD m timestamptz DEFAULT '2026-01-02 03:04:05+09';
SELECT * FROM tools.tables();
ALTER TABLE t RENAME COLUMN a TO alpha;
ALTER TABLE t DROP COLUMN b, ALTER c SET DEFAULT now()::text;
ALTER TABLE t RENAME TO "T 1";
CREATE SCHEMA other;
ALTER TABLE "T 1" SET SCHEMA other;
ALTER TABLE other."T 1" ADD CONSTRAINT positive CHECK (id > 0);
ALTER TABLE other."T 1" RENAME CONSTRAINT positive TO more;
ALTER SCHEMA other RENAME TO another;
DROP TABLE another."T 1";
DROP SCHEMA another;
SELECT * FROM tools.seen();

-- a type change: is the result the same elsewhere?
CREATE TABLE r (id int PRIMARY KEY, a int, ts timestamp, v varchar(5), t text);
SELECT count(*) FROM tools.seen();
CREATE FUNCTION tools.own(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1 + 1';
CREATE FUNCTION tools.fixed(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION tools.with_default(int, float DEFAULT random()) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE DOMAIN tools.dice AS float DEFAULT random();
SELECT count(*) FROM tools.seen();
ALTER TABLE r ALTER v TYPE varchar(10);
ALTER TABLE r ALTER a TYPE bigint;
ALTER TABLE r ALTER a TYPE text USING a + 1;
ALTER TABLE r ALTER a TYPE int USING r.a::int * 2;
ALTER TABLE r ALTER ts TYPE timestamptz USING ts AT TIME ZONE 'UTC';
ALTER TABLE r ALTER ts TYPE timestamp;
ALTER TABLE r ALTER ts TYPE timestamptz USING now();
ALTER TABLE r ALTER ts TYPE timestamptz USING current_timestamp;
ALTER TABLE r ALTER ts TYPE text;
ALTER TABLE r ALTER ts TYPE timestamptz USING 'now';
ALTER TABLE r ALTER a TYPE bigint USING a + tools.own(a);
ALTER TABLE r ALTER a TYPE int USING tools.fixed(a::int);
ALTER TABLE r ALTER a TYPE bigint USING tools.with_default(a::int);
ALTER TABLE r ALTER a TYPE int USING tools.with_default(a::int, 1);
ALTER TABLE r ALTER t TYPE tsvector USING to_tsvector(t);
ALTER TABLE r ALTER t TYPE text, ALTER a TYPE text USING v || a, DROP v;
ALTER TABLE r ALTER a TYPE int USING random();
ALTER TABLE r ADD x float DEFAULT random();
ALTER TABLE r ADD y serial;
ALTER TABLE r ADD z tools.dice;
ALTER TABLE r ADD g text GENERATED ALWAYS AS (upper(t)) STORED;
ALTER TABLE r ADD i int GENERATED ALWAYS AS IDENTITY;
ALTER TABLE r ADD fast timestamptz DEFAULT now();
ALTER TABLE r SET UNLOGGED;
ALTER TABLE r SET LOGGED;
-- children, and tables of a type
CREATE TABLE child (more int) INHERITS (r);
ALTER TABLE r ALTER a TYPE bigint USING a + length(tableoid::text);
ALTER TABLE r ALTER a TYPE int USING a % 7;
CREATE TYPE row_type AS (a int, b int);
CREATE TABLE typed OF row_type;
ALTER TYPE row_type ALTER ATTRIBUTE a TYPE bigint CASCADE;
SELECT event, tag, command, what FROM tools.seen();
DROP TABLE r, child, typed;
DROP TYPE row_type;
DROP DOMAIN tools.dice;
SELECT count(*) FROM tools.seen();

-- rows that come before the message
CREATE TABLE made AS SELECT i AS id, 'row ' || i AS v FROM generate_series(1, 3) i;
SELECT 1 AS one INTO TABLE made2;
CREATE TABLE IF NOT EXISTS made AS SELECT 2;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM made;
REFRESH MATERIALIZED VIEW mv;
SELECT * FROM tools.seen();
DROP TABLE made, made2 CASCADE;
SELECT * FROM tools.seen();

-- indexes
CREATE TABLE i (id int, a int);
CREATE INDEX i_a ON i (a) WHERE id > 0;
CREATE UNIQUE INDEX CONCURRENTLY "I 2" ON i (id) INCLUDE (a);
CREATE INDEX CONCURRENTLY ON i ((a + id) DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS i_a ON i (a);
ALTER INDEX i_a RENAME TO i_b;
ALTER TABLE i ALTER id SET NOT NULL;
ALTER TABLE i REPLICA IDENTITY USING INDEX "I 2";
CREATE INDEX i_c ON i (a);
REINDEX TABLE i;
REINDEX TABLE CONCURRENTLY i;
CLUSTER i USING i_c;
VACUUM FULL i;
TRUNCATE i;
DROP INDEX CONCURRENTLY "I 2";
DROP INDEX i_b;
SELECT * FROM tools.seen();
DROP TABLE i;

-- partitions
SELECT count(*) FROM tools.seen();
CREATE TABLE p (id int, at date) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (id int, at date);
SELECT count(*) FROM tools.seen();
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
SELECT * FROM tools.tables();
ALTER TABLE p ADD COLUMN more int;
ALTER TABLE p DETACH PARTITION p2;
ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;
SELECT * FROM tools.seen();
DROP TABLE p, p1, p2;
SELECT count(*) FROM tools.seen();

-- types, sequences, views, functions, triggers, rules, policies, extensions
CREATE TYPE mood AS ENUM ('fine');
ALTER TYPE mood ADD VALUE 'so "so"' BEFORE 'fine';
ALTER TYPE mood RENAME VALUE 'fine' TO 'good';
CREATE TYPE pair AS (a int, b text);
ALTER TYPE pair ADD ATTRIBUTE c int;
CREATE DOMAIN small AS int CHECK (value < 10);
ALTER DOMAIN small ADD CONSTRAINT other CHECK (value > 0);
CREATE TABLE o (id int, m mood, s small);
CREATE SEQUENCE seq OWNED BY o.id;
ALTER SEQUENCE seq INCREMENT 2;
CREATE VIEW v AS SELECT * FROM o;
CREATE OR REPLACE VIEW v AS SELECT *, 1 AS one FROM o;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER trg BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE o DISABLE TRIGGER trg;
CREATE RULE rul AS ON DELETE TO o DO INSTEAD NOTHING;
CREATE POLICY pol ON o USING (true);
ALTER TABLE o ENABLE ROW LEVEL SECURITY;
CREATE STATISTICS st ON id, s FROM o;
ALTER TABLE o ADD CONSTRAINT u UNIQUE (id), ADD FOREIGN KEY (id) REFERENCES o (id);
CREATE EXTENSION lo;
DROP EXTENSION lo;
CREATE SCHEMA whole CREATE TABLE a (id int) CREATE VIEW b AS SELECT * FROM a GRANT SELECT ON a TO PUBLIC;
SELECT * FROM tools.seen();
DROP SCHEMA whole CASCADE;
DROP TABLE o CASCADE;
DROP FUNCTION f;
DROP TYPE mood, pair, small;
SELECT * FROM tools.seen();

-- what carries nothing
CREATE TABLE n (id int);
SELECT count(*) FROM tools.seen();
GRANT SELECT ON n TO portage_regress_user;
REVOKE SELECT ON n FROM portage_regress_user;
COMMENT ON TABLE n IS 'n';
ALTER TABLE n OWNER TO portage_regress_user;
ALTER TABLE n SET TABLESPACE pg_default;
CREATE PUBLICATION pub FOR TABLE n;
ALTER PUBLICATION pub SET (publish = 'insert');
DROP PUBLICATION pub;
ALTER DEFAULT PRIVILEGES FOR ROLE portage_regress_user GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE portage_regress_user REVOKE SELECT ON TABLES FROM PUBLIC;
REASSIGN OWNED BY portage_regress_user TO CURRENT_USER;
CREATE TEMP TABLE tmp (id int PRIMARY KEY, v text);
CREATE INDEX ON tmp (v);
ALTER TABLE tmp ADD more float DEFAULT random();
ALTER TABLE tmp ALTER id TYPE bigint;
CREATE TRIGGER trg BEFORE UPDATE ON tmp FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE rul AS ON DELETE TO tmp DO INSTEAD NOTHING;
CREATE POLICY pol ON tmp USING (true);
CREATE STATISTICS pg_temp.st ON id, v FROM tmp;
CREATE TEMP VIEW tmpv AS SELECT * FROM tmp;
CREATE TEMP TABLE tmp2 AS SELECT 1;
CREATE TYPE pg_temp.tt AS ENUM ('a');
DROP TABLE tmp, tmp2 CASCADE;
BEGIN;
SAVEPOINT a;
CREATE TABLE lost (id int);
ROLLBACK TO a;
COMMIT;
BEGIN;
ALTER TABLE n ADD lost int;
ROLLBACK;
CREATE TABLE IF NOT EXISTS n (id int);
DROP TABLE IF EXISTS nowhere;
SELECT * FROM tools.seen();
-- a command on both: the list tells, the text would not do
CREATE TEMP TABLE tmp (id int);
DROP TABLE tmp, n;
SELECT * FROM tools.seen();

-- the text of one command
BEGIN \; CREATE TABLE m1 (id int) \; ALTER TABLE m1 ADD "ü; ""x" text DEFAULT 'ä;ö' \; CREATE TABLE m2 (id int) \; COMMIT;
	/* before */ CREATE TABLE m3 ( -- "within"
	id int)  /* after */ ;
DO $$ BEGIN CREATE TABLE m4 (id int); DROP TABLE m4; END $$;
DO $$ BEGIN EXECUTE 'CREATE TABLE m5 (id int)'; END $$;
CREATE FUNCTION tools.nested(name text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (id int)', name);
	RETURN 1;
END $$;
SELECT tools.nested('m6');
-- a command that runs another one of its kind
CREATE TABLE m7 AS SELECT tools.nested('m8');
ALTER TABLE m3 ADD x int DEFAULT tools.nested('m9');
SELECT * FROM tools.seen();
DO $$ DECLARE i int; BEGIN FOR i IN 1..9 LOOP EXECUTE format('DROP TABLE IF EXISTS m%s', i); END LOOP; END $$;
SELECT count(*) FROM tools.seen();

-- each message names the transaction that it is in
BEGIN;
SAVEPOINT a;
CREATE TABLE kept (id int);
RELEASE a;
PREPARE TRANSACTION 'prepared';
COMMIT PREPARED 'prepared';
DROP TABLE kept;
SELECT * FROM tools.seen();

-- another event trigger, which takes away what has been made, or adds to it
CREATE FUNCTION tools.meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
	victim regclass := to_regclass('victim');
BEGIN
	IF victim IS NOT NULL THEN
		DROP TABLE victim;
	ELSIF to_regclass('guarded') IS NOT NULL AND NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'guarded'::regclass) THEN
		ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	END IF;
END $$;
CREATE EVENT TRIGGER meddler ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
	EXECUTE FUNCTION tools.meddle();
CREATE TABLE victim (id int PRIMARY KEY);
CREATE TABLE guarded (id int);
DROP EVENT TRIGGER meddler;
DROP TABLE guarded;
SELECT * FROM tools.seen();

-- what the session decides
SET search_path = tools, pg_temp, "$user", public;
SET DateStyle = 'German';
SET TimeZone = 'Asia/Tokyo';
SET IntervalStyle = 'iso_8601';
CREATE TABLE here (id int, d date DEFAULT '01.02.2026', m mood_of_nowhere);
CREATE TABLE here (id int);
INSERT INTO here VALUES (1);
ALTER TABLE here ADD d date DEFAULT '13.02.2026', ADD i interval DEFAULT '1 day', ADD z timestamptz DEFAULT '2026-01-02 09:00';
SELECT m ->> 'search_path' AS search_path, m -> 'settings' AS settings,
	(SELECT string_agg(c ->> 'missing', ', ') FROM json_array_elements(m -> 'tables' -> 0 -> 'columns') AS c) AS missing
FROM tools.messages() AS m;
SHOW DateStyle;
SHOW search_path;
DROP TABLE here;
RESET ALL;
SET client_min_messages = 'warning';
SET jit = off;

-- an ordinary role, which has no privilege on anything of ours
GRANT CREATE ON SCHEMA public TO portage_regress_user;
SELECT count(*) FROM tools.seen();
SET ROLE portage_regress_user;
CREATE TABLE mine (id int PRIMARY KEY, v float);
ALTER TABLE mine ADD w float DEFAULT random();
ALTER TABLE mine ALTER v TYPE text;
SELECT key FROM portage.ddl_key;
SELECT portage.capture();
RESET ROLE;
SELECT * FROM tools.seen();
-- as a replica, too
SET session_replication_role = replica;
CREATE TABLE theirs (id int);
RESET session_replication_role;
SELECT * FROM tools.seen();
-- what a role owns is told by name: on another server it may own other things
DROP OWNED BY portage_regress_user;
DROP TABLE theirs;
SELECT * FROM tools.seen();

-- tables= chooses rows: messages come in any case
CREATE TABLE n (id int);
SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL, 'tables', 'nothing.at_all', 'include', '')
WHERE data LIKE '%portage.ddl%';

-- our own extension comes and goes without a word
BEGIN;
DROP EXTENSION pg_portage;
CREATE EXTENSION pg_portage;
ALTER EXTENSION pg_portage UPDATE;
CREATE TABLE portage.mine (id int);
DROP TABLE portage.mine;
COMMIT;
DROP TABLE n;
SELECT * FROM tools.seen();
-- without a key there is a warning, and no message
UPDATE portage.ddl_key SET key = NULL;
BEGIN;
DELETE FROM portage.ddl_key;
CREATE TABLE silent (id int);
ROLLBACK;
SELECT * FROM tools.seen();
-- nothing of it stays
DROP EXTENSION pg_portage;
SELECT evtname FROM pg_event_trigger;
CREATE TABLE silent (id int);
DROP TABLE silent;
SELECT count(*) FROM pg_logical_slot_get_changes('s', NULL, NULL);
CREATE EXTENSION pg_portage;
ALTER EVENT TRIGGER _portage_ddl_end DISABLE;
ALTER EVENT TRIGGER _portage_ddl_drop DISABLE;
ALTER EVENT TRIGGER _portage_ddl_rewrite DISABLE;
DROP SCHEMA tools CASCADE;
REVOKE ALL ON SCHEMA public FROM portage_regress_user;
DROP ROLE portage_regress_user;
SELECT pg_drop_replication_slot('s');
