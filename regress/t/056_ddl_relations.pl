# DDL in the stream without the extension's event triggers: tables change, and
# all that the stream says of it is in the relation records before the next row.
# Whatever does not follow from them stops the stream at that LSN.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', extension => 0);
my $target = target_new('target');
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

$source->safe_psql('app', <<'SQL');
CREATE TABLE plain (id int PRIMARY KEY, a int, b varchar(10), c text);
CREATE TABLE swapped (id int PRIMARY KEY, x text, y text);
CREATE TABLE wide (id int PRIMARY KEY, t varchar(10), n numeric(10,2), ts timestamp);
CREATE TABLE moved (id int PRIMARY KEY, v text);
CREATE TABLE one (id int PRIMARY KEY, v text);
CREATE TABLE two (id int PRIMARY KEY, v text);
CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE p_eu PARTITION OF p FOR VALUES IN ('eu');
CREATE TABLE p_us PARTITION OF p FOR VALUES IN ('us');
CREATE TABLE p_old PARTITION OF p FOR VALUES IN ('old');
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE ref (id int PRIMARY KEY, plain int REFERENCES plain (id) ON DELETE CASCADE);
CREATE TABLE stopping (id int PRIMARY KEY, v int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER of_a BEFORE UPDATE OF a ON plain FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO plain SELECT i, i, 'b' || i, 'c' || i FROM generate_series(1, 50) i;
INSERT INTO swapped SELECT i, 'x' || i, 'y' || i FROM generate_series(1, 50) i;
INSERT INTO wide SELECT i, 't' || i, i, now() FROM generate_series(1, 50) i;
INSERT INTO moved SELECT i, 'v' || i FROM generate_series(1, 50) i;
INSERT INTO one SELECT i, 'one' || i FROM generate_series(1, 50) i;
INSERT INTO two SELECT i, 'two' || i FROM generate_series(1, 50) i;
INSERT INTO p SELECT i, (ARRAY['eu', 'us', 'old'])[i % 3 + 1], 'v' || i FROM generate_series(1, 90) i;
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 20) i;
INSERT INTO child SELECT i, 'c' || i FROM generate_series(21, 40) i;
INSERT INTO ref SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO stopping SELECT i, i FROM generate_series(1, 20) i;
SQL
portage_ok(@run);

# Names, types and constraints of all columns, by name: what a relation record
# does not carry (order, defaults) is left out.
my $columns = q{SELECT string_agg(format('%s.%s %s %s %s', a.attrelid::regclass, a.attname,
	format_type(a.atttypid, a.atttypmod), a.attnotnull, i.indisprimary), E'\n'
	ORDER BY a.attrelid::regclass::text, a.attname)
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)
	WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text !~ '^(pg_|information|portage)'
	AND a.attnum > 0 AND NOT a.attisdropped};

sub carried
{
	my ($what, $sql, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	tables_equal($source, 'app', $target, 'app', @tables);
	is($target->safe_psql('app', $columns), $source->safe_psql('app', $columns),
		"$what: the same columns");
	return $result->{err};
}

carried('columns are added', <<'SQL', 'plain');
ALTER TABLE plain ADD d int; ALTER TABLE plain ADD e text DEFAULT 'many' NOT NULL, ADD f timestamptz DEFAULT now();
ALTER TABLE plain ADD raw bytea DEFAULT '\x00ff', ADD "g'h" text DEFAULT E'it''s \\ "x"';
INSERT INTO plain (id, a) VALUES (100, 1); UPDATE plain SET d = id WHERE id % 2 = 0;
SQL
carried('a column is renamed, one dropped, one of its name added', <<'SQL', 'plain');
ALTER TABLE plain RENAME a TO aa; ALTER TABLE plain DROP COLUMN c; ALTER TABLE plain ADD c int DEFAULT 5;
UPDATE plain SET aa = aa + 1, c = c + id WHERE id % 3 = 0;
SQL
carried('names are exchanged', <<'SQL', 'swapped');
BEGIN; ALTER TABLE swapped RENAME x TO z; ALTER TABLE swapped RENAME y TO x; ALTER TABLE swapped RENAME z TO y; COMMIT;
UPDATE swapped SET x = x || '!' WHERE id % 2 = 0; INSERT INTO swapped (id, x) VALUES (100, 'new');
SQL
carried('types become wider', <<'SQL', 'wide');
ALTER TABLE wide ALTER t TYPE varchar(20); ALTER TABLE wide ALTER n TYPE numeric(20, 2);
INSERT INTO wide VALUES (100, 'more than ten', 123456789012.25, now());
SQL
carried('and wider still', <<'SQL', 'wide');
ALTER TABLE wide ALTER t TYPE text; ALTER TABLE wide ALTER ts SET NOT NULL;
INSERT INTO wide VALUES (101, repeat('many', 20), 1, now());
SQL
carried('a table has another name and schema', <<'SQL', '"new schema".renamed');
CREATE SCHEMA "new schema"; ALTER TABLE moved RENAME TO renamed; ALTER TABLE renamed SET SCHEMA "new schema";
UPDATE "new schema".renamed SET v = 'moved' WHERE id < 10;
SQL
my $err = carried('two tables exchange their names', <<'SQL', 'one', 'two');
BEGIN; ALTER TABLE one RENAME TO three; ALTER TABLE two RENAME TO one; ALTER TABLE three RENAME TO two; COMMIT;
UPDATE one SET v = v || '!'; UPDATE two SET v = v || '?';
SQL
like($err, qr/warning: table public\.one is put aside/, 'what stands in the way is named');
$err = carried('a new table, rows and DDL in one transaction', <<'SQL', 'fresh');
BEGIN; CREATE TABLE fresh (a text, b int, k int, PRIMARY KEY (k, b)); INSERT INTO fresh VALUES ('x', 1, 1);
ALTER TABLE fresh ADD c text DEFAULT 'c'; INSERT INTO fresh VALUES ('y', 2, 2); ALTER TABLE fresh DROP a;
UPDATE fresh SET c = 'changed' WHERE k = 1; COMMIT;
SQL
like($err, qr/warning: table public\.fresh was created because rows of it came/, 'with what it may lack');
carried('partitions follow their root, a leaf at a time', <<'SQL', 'p', 'ONLY p_eu', 'ONLY p_us');
ALTER TABLE p ADD x int DEFAULT 7; UPDATE p SET x = id WHERE region = 'eu' AND id % 2 = 0;
ALTER TABLE p RENAME v TO w; UPDATE p SET w = 'us' WHERE region = 'us' AND id % 2 = 0;
UPDATE p SET region = 'us', id = id + 1000 WHERE region = 'eu' AND id % 5 = 0; DELETE FROM p WHERE id % 7 = 0;
SQL
carried('a partition is detached', <<'SQL', 'p', 'p_old');
ALTER TABLE p DETACH PARTITION p_old; INSERT INTO p_old VALUES (5000, 'anywhere', 'alone');
ALTER TABLE p ADD only_now int; INSERT INTO p VALUES (5001, 'eu', 'e', 1, 1);
SQL
carried('children by inheritance', <<'SQL', 'ONLY parent', 'child');
ALTER TABLE parent ADD n int DEFAULT 3; UPDATE parent SET n = id WHERE id % 2 = 0; INSERT INTO child VALUES (50, 'c', 4);
SQL
carried('rows written anew without another shape', <<'SQL', 'plain', 'swapped');
VACUUM FULL plain; UPDATE plain SET aa = 0 WHERE id < 5;
TRUNCATE swapped; INSERT INTO swapped SELECT i FROM generate_series(1, 5) i;
SQL
carried('TRUNCATE of several tables with foreign keys, partitions, identities', <<'SQL', 'plain', 'ref', 'p');
CREATE TABLE own (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text); INSERT INTO own (v) VALUES ('a'), ('b');
TRUNCATE plain, ref, p, own RESTART IDENTITY; INSERT INTO plain (id, aa) VALUES (1, 1), (2, 2); INSERT INTO ref VALUES (1, 1);
INSERT INTO p VALUES (1, 'eu', 'again', 1, 1); INSERT INTO own (v) VALUES ('c');
SQL

# ---- what does not follow from the records stops, and goes on by hand
sub stops
{
	my ($what, $like, $source_sql, $target_sql, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ddl_stops($source, $target, \@run, $what, $like, $source_sql, $target_sql);
	return tables_equal($source, 'app', $target, 'app', @tables);
}

stops('a rewrite', qr/column "v" has another type, and the rows were written anew/,
	'ALTER TABLE stopping ALTER v TYPE bigint USING v * 2; INSERT INTO stopping VALUES (100, 100)',
	'ALTER TABLE stopping ALTER v TYPE bigint USING v * 2', 'stopping');
stops('values that nobody knows', qr/column "r" is new, and the rows were written anew/,
	'ALTER TABLE stopping ADD r float DEFAULT random(); UPDATE stopping SET r = id; INSERT INTO stopping VALUES (101, 1, 1)',
	'ALTER TABLE stopping ADD r float', 'stopping');
stops('a type', qr/type public\.mood of column "m" is not on the target/,
	q{CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE stopping ADD m mood DEFAULT 'sad'; INSERT INTO stopping VALUES (102, 1, 1, 'glad')},
	q{CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE stopping ADD m mood DEFAULT 'sad'}, 'stopping');
stops('a new partition', qr/table public\.p_new is a partition of public\.p, and its bounds/,
	q{CREATE TABLE p_new PARTITION OF p FOR VALUES IN ('new'); INSERT INTO p VALUES (1, 'new', 'n', 1, 1)},
	q{CREATE TABLE p_new PARTITION OF p FOR VALUES IN ('new')}, 'p');
# ---- --ddl stop
$source->safe_psql('app', 'ALTER TABLE stopping ADD s int; INSERT INTO stopping (id) VALUES (200)');
error_ok(portage_fails(4, @run, '--ddl', 'stop'), 'P0425', qr/--ddl stop asks to stop/, '--ddl stop');
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', 'stopping');
error_ok(portage_fails(2, @run, '--ddl', 'ignore'), 'P0105', qr/--ddl is/, 'there is no ignore');
error_ok(portage_fails(2, @run, '--ddl-done', 'then'), 'P0105', qr/"then" is not an LSN/, 'no LSN');

# ---- what was deferred is as the source has it now
portage_ok('finish', endpoints($source, $target));
is($target->safe_psql('app', q{SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'of_a'}),
	$source->safe_psql('app', q{SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'of_a'}),
	'a trigger on a renamed column');
is($target->safe_psql('app', q{SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contype = 'f' AND conname = 'ref_plain_fkey'}),
	$source->safe_psql('app', q{SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE contype = 'f' AND conname = 'ref_plain_fkey'}),
	'a foreign key');

done_testing();
