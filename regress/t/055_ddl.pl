# DDL in the stream with the extension's event triggers: every kind of command
# is carried out at its place among the rows, and afterwards both databases have
# the same schema, by pg_dump, and the same rows, by digest.

use strict;
use warnings;

use Carp;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

$source->safe_psql('app', <<'SQL');
CREATE TABLE plain (id int PRIMARY KEY, a int, b varchar(10), c text);
CREATE TABLE ref (id int PRIMARY KEY, plain int CONSTRAINT ref_plain REFERENCES plain ON DELETE CASCADE, n int);
CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE p_eu PARTITION OF p FOR VALUES IN ('eu');
CREATE TABLE p_us PARTITION OF p FOR VALUES IN ('us');
CREATE TABLE solo (id int, region text NOT NULL, v text, PRIMARY KEY (id, region));
CREATE TABLE doomed (id int PRIMARY KEY, v text); CREATE VIEW of_doomed AS SELECT * FROM doomed;
CREATE SCHEMA gone; CREATE TABLE gone.t (id int PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE feels (id int PRIMARY KEY, m mood);
CREATE TABLE vol (id int PRIMARY KEY, v int);
CREATE TABLE left_out (id int PRIMARY KEY, v text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.n := -1; RETURN NEW; END$$;
CREATE TRIGGER on_ref BEFORE UPDATE OF n ON ref FOR EACH ROW WHEN (NEW.n < 0) EXECUTE FUNCTION note();
COMMENT ON CONSTRAINT ref_plain ON ref IS 'it''s the parent; no more'; COMMENT ON TRIGGER on_ref ON ref IS 'notes';
INSERT INTO plain SELECT i, i, 'b' || i, 'c' || i FROM generate_series(1, 50) i;
INSERT INTO ref SELECT i, i, i FROM generate_series(1, 50) i;
INSERT INTO p SELECT i, (ARRAY['eu', 'us'])[i % 2 + 1], 'v' || i FROM generate_series(1, 60) i;
INSERT INTO solo SELECT i, 'solo', 's' || i FROM generate_series(1, 20) i;
INSERT INTO doomed VALUES (1, 'x'); INSERT INTO gone.t VALUES (1); INSERT INTO feels VALUES (1, 'sad');
INSERT INTO vol SELECT i, i FROM generate_series(1, 20) i; INSERT INTO left_out VALUES (1, 'x');
SQL
push(@run, '--exclude-tables', 'left_out');
portage_ok(@run);

# The schema as pg_dump shows it, without what finish brings back.
sub schema
{
	my ($node, @more) = @_;
	my ($out) = run_command([ 'pg_dump', '-s', '--no-owner', '--no-privileges', '--no-comments', '--no-publications',
		'-N', 'portage', '-T', 'left_out', @more, '-d', $node->connstr('app') ]);
	$out =~ s/^(?:--.*|SET .*|SELECT pg_catalog.set_config.*|\\(?:un)?restrict .*)\n//mg;
	$out =~ s/CREATE EXTENSION [^;]*pg_portage[^;]*;\n//;
	$out =~ s/(?:CREATE|ALTER) EVENT TRIGGER [^;]*;\n//g;
	# Since 18 LIKE takes the names of NOT NULL constraints along. pg_dump does not
	# write a name that is the default one, and then another table has it already.
	$out =~ s/ CONSTRAINT plain_e_not_null1 NOT NULL/ NOT NULL/;
	$out =~ s/\n\n+/\n/g;
	return $out;
}

# Until finish: foreign keys, triggers, identities are not on the target.
sub schema_in_stream
{
	my $out = schema(@_);
	$out =~ s/ALTER TABLE ONLY \S+\n\s+ADD CONSTRAINT \S+ FOREIGN KEY [^;]*;\n//g;
	$out =~ s/(?:CREATE|ALTER TABLE \S+ DISABLE) TRIGGER [^;]*;\n//g;
	$out =~ s/GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY/IDENTITY/g;
	return $out;
}

sub same_schema
{
	my ($what, $found, $expected) = @_;
	my ($have, $want) = map { { map { $_ => 1 } split(/;\n/, $_) } } $found, $expected;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	croak('an empty schema') unless %$want;
	return is(join("\n", map({ "only target: $_" } grep { !$want->{$_} } sort keys %$have),
			map({ "only source: $_" } grep { !$have->{$_} } sort keys %$want)),
		'', "$what: the same schema");
}

sub carried
{
	my ($what, $sql, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	tables_equal($source, 'app', $target, 'app', @tables);
	same_schema($what, schema_in_stream($target), schema_in_stream($source));
	return $result->{err};
}

carried('columns come, go and are renamed; what hangs on them follows', <<'SQL', 'plain', 'ref');
ALTER TABLE plain ADD d timestamptz DEFAULT now(), ADD e text DEFAULT 'many' NOT NULL; ALTER TABLE plain ADD g timestamptz DEFAULT now() CHECK (g > '2000-01-01');
INSERT INTO plain (id, a) VALUES (100, 1); ALTER TABLE plain RENAME id TO key; ALTER TABLE plain DROP c;
ALTER TABLE ref RENAME n TO number; ALTER TABLE ref RENAME CONSTRAINT ref_plain TO to_plain;
UPDATE plain SET a = key WHERE key % 2 = 0; INSERT INTO ref VALUES (100, 100, 1); UPDATE ref SET number = 5 WHERE id = 100;
SQL
carried('types, with rewrites that can be repeated', <<'SQL', 'plain', 'vol');
ALTER TABLE plain ALTER b TYPE text, ALTER a TYPE bigint USING a * 100; UPDATE plain SET a = a + 1 WHERE key % 3 = 0;
SET TimeZone = 'Asia/Tokyo'; ALTER TABLE vol ADD at text DEFAULT '2020-05-05 12:00'; ALTER TABLE vol ALTER at DROP DEFAULT, ALTER at TYPE timestamptz USING at::timestamptz;
INSERT INTO vol (id) VALUES (100);
SQL
carried('tables are made, filled, renamed, moved; with search_path', <<'SQL', 'other."My Table"', 'made', 'filled', 'selected', 'other.always');
CREATE SCHEMA other AUTHORIZATION CURRENT_USER; SET search_path = other, public;
CREATE TABLE "t 1" (id int PRIMARY KEY, v text COLLATE "C" DEFAULT 'it''s', s serial, UNIQUE (v)); INSERT INTO "t 1" VALUES (1, 'x');
ALTER TABLE "t 1" RENAME TO "My Table"; CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, g int GENERATED ALWAYS AS (1 + 1) STORED);
INSERT INTO always DEFAULT VALUES; UPDATE always SET id = DEFAULT; CREATE TABLE public.made (LIKE public.plain INCLUDING ALL); INSERT INTO public.made (key, g) VALUES (1, now());
SET search_path = public; CREATE TABLE filled AS SELECT key, a, b COLLATE "C" AS b FROM plain WHERE key < 20; INSERT INTO filled VALUES (1000, 1, 'b');
SELECT * INTO selected FROM filled; BEGIN; CREATE TABLE will_move AS SELECT 1 AS x; ALTER TABLE will_move SET SCHEMA other; COMMIT;
ALTER SCHEMA other RENAME TO another; INSERT INTO another."My Table" VALUES (2, 'y'); ALTER SCHEMA another RENAME TO other;
SQL
carried('indexes, constraints, views, functions, sequences', <<'SQL', 'plain', 'ref');
CREATE INDEX plain_a ON plain (a); CREATE UNIQUE INDEX CONCURRENTLY plain_b ON plain (b, key); ALTER INDEX plain_a RENAME TO plain_aa;
ALTER TABLE plain ADD CONSTRAINT positive CHECK (key > 0) NOT VALID; ALTER TABLE plain VALIDATE CONSTRAINT positive;
CREATE VIEW seen AS SELECT key, a FROM plain; CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'; CREATE SEQUENCE counted INCREMENT 5;
CREATE INDEX plain_twice ON plain (twice(key)); CREATE MATERIALIZED VIEW stored AS SELECT count(*) FROM plain; DROP INDEX CONCURRENTLY plain_b;
INSERT INTO plain (key, a) VALUES (200, 200); CREATE DOMAIN small AS int CHECK (VALUE < 1000); ALTER TABLE ref ADD s small DEFAULT 5;
SQL
carried('foreign keys and triggers come into the stream', <<'SQL', 'plain', 'ref');
ALTER TABLE ref ADD again int; ALTER TABLE ref ADD CONSTRAINT ref_again FOREIGN KEY (again) REFERENCES plain ON DELETE SET NULL NOT VALID;
CREATE TRIGGER second BEFORE INSERT ON ref FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE ref RENAME number TO n;
UPDATE ref SET again = plain; INSERT INTO ref (id, plain, n) VALUES (300, 1, 7); DELETE FROM plain WHERE key < 5;
ALTER TABLE ref DISABLE TRIGGER second; INSERT INTO ref (id, plain, n) VALUES (301, 10, 7);
SQL
carried('they go again', <<'SQL', 'plain', 'ref');
ALTER TABLE ref DROP CONSTRAINT ref_again; DROP TRIGGER second ON ref; INSERT INTO ref (id, plain, n) VALUES (302, 10, 7); DELETE FROM plain WHERE key = 11;
SQL
carried('partitions are made, attached, detached, dropped; rows move', <<'SQL', 'p', 'ONLY p_new', 'p_us');
CREATE TABLE p_new PARTITION OF p FOR VALUES IN ('new'); UPDATE p SET region = 'new' WHERE region = 'eu' AND id % 4 = 0; ALTER TABLE p ADD x int DEFAULT 5;
ALTER TABLE solo ADD x int DEFAULT 6; ALTER TABLE p ATTACH PARTITION solo FOR VALUES IN ('solo'); UPDATE p SET region = 'eu', id = id + 1000 WHERE region = 'solo' AND id < 10;
ALTER TABLE p DETACH PARTITION p_us; INSERT INTO p_us VALUES (5000, 'anything', 'free', 1); ALTER TABLE p RENAME v TO w; UPDATE p SET w = 'w' WHERE id % 3 = 0; UPDATE p_us SET v = 'v';
ALTER TABLE p_us ADD alone int; UPDATE p_us SET alone = id; CREATE INDEX p_w ON p (w);
SQL
carried('enum values are used by the next transaction', <<'SQL', 'feels');
ALTER TYPE mood ADD VALUE 'so so' BEFORE 'glad'; INSERT INTO feels VALUES (2, 'so so'); ALTER TYPE mood RENAME VALUE 'sad' TO 'unhappy'; INSERT INTO feels VALUES (3, 'unhappy');
ALTER TYPE mood RENAME TO feeling; INSERT INTO feels VALUES (4, 'glad');
SQL
carried('what is dropped, with all that it reaches', <<'SQL', 'plain');
DROP TABLE doomed CASCADE; DROP SCHEMA gone CASCADE; CREATE TABLE doomed (other int PRIMARY KEY); INSERT INTO doomed VALUES (5); DROP VIEW seen; DROP MATERIALIZED VIEW stored;
DROP TABLE doomed, left_out; CREATE TABLE left_out (id int PRIMARY KEY); INSERT INTO left_out VALUES (1);
SQL
carried('DDL, rows, DDL in one transaction; what is rolled back is nothing', <<'SQL', 'vol');
BEGIN; ALTER TABLE vol ADD k int; UPDATE vol SET k = id; SAVEPOINT a; ALTER TABLE vol ADD never int; INSERT INTO vol (id, never) VALUES (999, 1); ROLLBACK TO a;
ALTER TABLE vol DROP v; INSERT INTO vol (id, k) VALUES (201, 1); CREATE TABLE short (id int); INSERT INTO short VALUES (1); DROP TABLE short; ALTER TABLE vol ALTER k TYPE text;
INSERT INTO vol (id, k) VALUES (202, 'text'); COMMIT; BEGIN; ALTER TABLE vol DROP k; INSERT INTO vol (id) VALUES (203); ROLLBACK; INSERT INTO vol (id, k) VALUES (204, 'after');
SQL
carried('DDL within a transaction that is many batches', <<'SQL', 'many', 'vol');
CREATE TABLE many (id int PRIMARY KEY, v text); BEGIN; INSERT INTO many SELECT i, 'v' FROM generate_series(1, 3000) i; ALTER TABLE many RENAME v TO w;
ALTER TABLE many ADD x timestamptz DEFAULT now(); INSERT INTO many SELECT i, 'w' FROM generate_series(3001, 6000) i; ALTER TABLE many DROP w; UPDATE many SET x = NULL WHERE id % 7 = 0; COMMIT;
INSERT INTO vol (id) VALUES (250); ALTER TABLE many ADD y int; INSERT INTO vol (id) VALUES (251); INSERT INTO many (id, y) VALUES (7000, 1);
SQL
carried('columns of a DO block and of a function', <<'SQL', 'vol');
DO $$BEGIN EXECUTE 'ALTER TABLE vol ADD done int DEFAULT 3'; ALTER TABLE vol DROP k; END$$; INSERT INTO vol (id) VALUES (300);
DO $$BEGIN CREATE TABLE in_do (a int NOT NULL, b text DEFAULT 'b'); INSERT INTO in_do (a) VALUES (1); DROP VIEW IF EXISTS nothing; END$$; DO $$BEGIN DROP TABLE in_do; END$$;
SQL
carried('what is not migrated: temporary, excluded, commands about nothing here', <<'SQL', 'vol');
CREATE TEMP TABLE t (a int); ALTER TABLE t ADD b int; ALTER TABLE left_out ADD v text; CREATE INDEX ON left_out (v); DROP TABLE left_out; CREATE TABLE left_out (id int PRIMARY KEY);
COMMENT ON TABLE vol IS 'x'; GRANT SELECT ON vol TO PUBLIC; CREATE PUBLICATION pub FOR TABLE vol; UPDATE vol SET done = 4 WHERE id < 5;
SQL

# ---- messages that nobody may believe
$source->safe_psql('app', q{SELECT pg_logical_emit_message(true, 'portage.ddl', '1 ' || repeat('0', 64) || ' '
	|| '{"xid":"' || pg_current_xact_id() || '","event":"drop","tag":"DROP TABLE","command":"DROP TABLE vol","dropped":[]}'),
	pg_logical_emit_message(true, 'portage.ddl', 'nonsense')});
like(carried('a forged message', 'UPDATE vol SET done = 5', 'vol'),
	qr/warning: a message "portage\.ddl" at \S+ was not made by the extension: ignored/, 'it is told of');

# ---- what cannot be carried stops, and goes on by hand
sub stops
{
	my ($what, $like, $source_sql, $target_sql, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ddl_stops($source, $target, \@run, $what, $like, $source_sql, $target_sql);
	return carried("$what: afterwards", 'UPDATE plain SET a = a + 1', @tables, 'plain');
}

stops('a volatile rewrite', qr/ALTER TABLE in the transaction .*values that cannot be computed again/,
	'ALTER TABLE vol ADD r float DEFAULT random(); UPDATE vol SET r = id; ALTER TABLE vol ALTER r DROP DEFAULT',
	'ALTER TABLE vol ADD r float DEFAULT 0', 'vol');
stops('DDL without its text', qr/CREATE TABLE in .*: its text is not in the stream/,
	q{DO $$BEGIN CREATE TABLE with_key (id int PRIMARY KEY); END$$; INSERT INTO with_key VALUES (1)},
	'CREATE TABLE with_key (id int PRIMARY KEY)', 'with_key');
$source->safe_psql('app', 'CREATE TABLE stopped (id int PRIMARY KEY)');
error_ok(portage_fails(4, @run, '--ddl', 'stop'), 'P0425', qr/CREATE TABLE in .*--ddl stop asks to stop/, '--ddl stop');
carried('and without it', 'INSERT INTO stopped VALUES (1)', 'stopped');

# ---- finish: what was deferred is as the source has it now
portage_ok('finish', endpoints($source, $target));
same_schema('after finish', schema($target), schema($source));
my $comments = <<'SQL';
SELECT string_agg(c, ', ' ORDER BY c) FROM (
	SELECT conname || ': ' || obj_description(oid, 'pg_constraint') FROM pg_constraint
	UNION ALL SELECT tgname || ': ' || obj_description(oid, 'pg_trigger') FROM pg_trigger) AS t (c)
SQL
is($source->safe_psql('app', $comments), q{on_ref: notes, to_plain: it's the parent; no more},
	'comments, after a rename');
is($target->safe_psql('app', $comments), $source->safe_psql('app', $comments), 'which have come along');

# ---- a role that may switch triggers off keeps what comes active
$target->safe_psql('postgres', 'GRANT SET ON PARAMETER session_replication_role TO ' . TARGET_ROLE);
begin_anew($source, $target);
portage_ok(@run);
$source->safe_psql('app', <<'SQL');
CREATE TABLE late (id int PRIMARY KEY, plain int REFERENCES plain ON DELETE CASCADE); INSERT INTO late SELECT key, key FROM plain WHERE key < 30;
CREATE TRIGGER of_late BEFORE UPDATE ON late FOR EACH ROW EXECUTE FUNCTION note(); DELETE FROM plain WHERE key = 20; ALTER TABLE plain RENAME key TO id; DELETE FROM plain WHERE id = 21;
SQL
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', 'late', 'plain', 'ref');
(my $want = schema($source)) =~ s/GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY/IDENTITY/g;
(my $have = schema($target)) =~ s/GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY/IDENTITY/g;
same_schema('foreign keys and triggers stand in the stream', $have, $want);

done_testing();
