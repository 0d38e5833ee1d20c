# DDL in the stream onto MySQL and MariaDB: what the event triggers tell is carried
# in the target's own words, before the rows of its transaction; what cannot be
# carried stops the stream at its LSN, with nothing of the transaction applied.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');
my @run = ('run', mysql_endpoints($source, $target), '--until', 'caught-up');
my $unlogged = 'public.volatile';

$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE plain (id int PRIMARY KEY, a int, b varchar(10), c text);
CREATE TABLE swapped (id int PRIMARY KEY, x text, y text);
CREATE TABLE wide (id int PRIMARY KEY, n int, s varchar(10), d numeric(8,2), m mood NOT NULL DEFAULT 'ok', nn int NOT NULL);
CREATE TABLE one (id int PRIMARY KEY, v text);
CREATE TABLE two (id int PRIMARY KEY, v text);
CREATE TABLE gone (id int PRIMARY KEY, v text);
CREATE TABLE keys (id int PRIMARY KEY, a int, b int, t text, UNIQUE (a, b));
CREATE TABLE stopping (id int PRIMARY KEY, v int);
CREATE UNLOGGED TABLE volatile (id int PRIMARY KEY);
INSERT INTO volatile VALUES (1);
CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE p_eu PARTITION OF p FOR VALUES IN ('eu');
CREATE TABLE p_us PARTITION OF p FOR VALUES IN ('us');
CREATE TABLE ruled (id int PRIMARY KEY, a int, b int, t text, CHECK (a > 0), CONSTRAINT ab CHECK (a < b), UNIQUE (t));
CREATE TABLE referred (id int PRIMARY KEY, v text);
CREATE TABLE refers (id int PRIMARY KEY, r int REFERENCES referred, s int CONSTRAINT to_s REFERENCES referred, n int REFERENCES referred);
INSERT INTO ruled SELECT i, i, i + 1, 't' || i FROM generate_series(1, 20) i;
INSERT INTO referred SELECT i, 'v' FROM generate_series(1, 20) i;
INSERT INTO refers SELECT i, i, i, i FROM generate_series(1, 20) i;
INSERT INTO plain SELECT i, i, 'b' || i, 'c' || i FROM generate_series(1, 50) i;
INSERT INTO swapped SELECT i, 'x' || i, 'y' || i FROM generate_series(1, 50) i;
INSERT INTO wide SELECT i, i, 's' || i, i, 'sad', i FROM generate_series(1, 50) i;
INSERT INTO one SELECT i, 'one' || i FROM generate_series(1, 50) i;
INSERT INTO two SELECT i, 'two' || i FROM generate_series(1, 50) i;
INSERT INTO gone SELECT i, 'gone' || i FROM generate_series(1, 50) i;
INSERT INTO keys SELECT i, i, i, 't' || i FROM generate_series(1, 50) i;
INSERT INTO stopping SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO p SELECT i, (ARRAY['eu', 'us'])[i % 2 + 1], 'v' || i FROM generate_series(1, 60) i;
SQL
portage_ok(@run);
same();

sub same
{
	my @tables = grep { $_ ne $unlogged } split(/\n/, $source->safe_psql('app', q{SELECT format('%s.%s', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind IN ('r', 'p') AND NOT relispartition
		AND n.nspname IN ('public', 'other')}));

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return contents_equal($source, 'app', $target, 'app', tables => \@tables);
}

# Names, types and NOT NULL as the target's catalog has them.
sub columns_of
{
	my ($table) = @_;
	return join(', ', map { join(' ', grep { defined && $_ ne '' } @$_) } $target->rows(
			'app', 'SELECT column_name, replace(replace(column_type, "(11)", ""), "(20)", ""), if(is_nullable = "NO", "not null", "")'
			  . ' FROM information_schema.columns WHERE table_schema = DATABASE()'
			  . ' AND table_name = ' . mysql_literal($table) . ' ORDER BY column_name'));
}

# Rows around the commands, in the same transaction and outside of it.
sub carried
{
	my ($what, $sql, %columns) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	same();
	is(columns_of($_), $columns{$_}, "$what: the columns of $_") foreach sort keys %columns;
	is($target->value('app', 'SELECT count(*) FROM portage_intent'), 0,
		"$what: nothing is left to do");
	return $result->{err};
}

# ---- columns
carried('a column is added', <<'SQL', plain => 'a int, b varchar(10), c longtext, d int, id int not null');
INSERT INTO plain (id, a) VALUES (100, 1);
ALTER TABLE plain ADD d int;
UPDATE plain SET d = id WHERE id % 2 = 0;
SQL
carried('columns with values for older rows', <<'SQL');
BEGIN;
INSERT INTO plain (id, a) VALUES (101, 1);
UPDATE plain SET a = a + 1 WHERE id < 10;
ALTER TABLE plain ADD e text DEFAULT 'many' NOT NULL, ADD f timestamptz DEFAULT now();
INSERT INTO plain (id, a) VALUES (102, 1);
ALTER TABLE plain ADD raw bytea DEFAULT '\x00ff', ADD "g'h" text DEFAULT E'it''s \\ "x"', ADD n numeric(6,2) DEFAULT 1.5;
INSERT INTO plain (id, a) VALUES (103, 1);
DELETE FROM plain WHERE id = 50;
COMMIT;
INSERT INTO plain (id, a, e) VALUES (104, 1, 'x');
SQL
carried('one is renamed, one dropped, one of its name added', <<'SQL');
BEGIN;
INSERT INTO plain (id, a, c) VALUES (105, 5, 'old c');
ALTER TABLE plain RENAME a TO aa;
ALTER TABLE plain DROP COLUMN c;
ALTER TABLE plain ADD c int DEFAULT 5;
UPDATE plain SET aa = aa + 1, c = c + id WHERE id % 3 = 0;
COMMIT;
SQL
carried('names are exchanged', <<'SQL', swapped => 'id int not null, x longtext, y longtext');
BEGIN;
UPDATE swapped SET x = x || '!' WHERE id < 10;
ALTER TABLE swapped RENAME x TO z;
ALTER TABLE swapped RENAME y TO x;
ALTER TABLE swapped RENAME z TO y;
INSERT INTO swapped VALUES (100, 'y', 'x');
COMMIT;
SQL
carried('types get wider', <<'SQL', wide => 'd decimal(12,4), id int not null, m enum(\'sad\',\'ok\') not null, n bigint, nn int not null, s varchar(40)');
BEGIN;
UPDATE wide SET n = n + 1 WHERE id < 10;
ALTER TABLE wide ALTER n TYPE bigint, ALTER s TYPE varchar(40), ALTER d TYPE numeric(12,4);
INSERT INTO wide VALUES (100, 3000000000, 'longer than ten characters', 1.2345, 'ok', 1);
COMMIT;
SQL
carried('NOT NULL comes and goes, the one behind the rows', <<'SQL', wide => 'd decimal(12,4), id int not null, later int not null, m enum(\'sad\',\'ok\') not null, n bigint, nn int, s varchar(40) not null');
BEGIN;
INSERT INTO wide VALUES (101, 1, NULL, 1, 'ok', 1);
ALTER TABLE wide ALTER nn DROP NOT NULL;
INSERT INTO wide VALUES (102, 1, NULL, 1, 'ok', NULL);
ALTER TABLE wide ADD later int;
UPDATE wide SET s = 'filled' WHERE s IS NULL;
UPDATE wide SET later = id;
ALTER TABLE wide ALTER s SET NOT NULL, ALTER later SET NOT NULL;
COMMIT;
SQL
carried('an unlogged table is none of ours', <<'SQL');
ALTER TABLE volatile ADD v int DEFAULT 4;
CREATE UNLOGGED TABLE volatile2 AS SELECT 1 AS a;
DROP TABLE volatile2;
UPDATE wide SET s = s || '.' WHERE id = 1;
SQL
carried('an enum gets labels', <<'SQL');
ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'so''so' BEFORE 'ok';
INSERT INTO wide VALUES (103, 1, 's', 1, 'happy', 1, 1), (104, 1, 's', 1, 'so''so', 1, 1);
SQL
carried('a column of it, and one of a new enum', <<'SQL');
CREATE TYPE size AS ENUM ('s', 'xl');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
ALTER TABLE wide ADD m2 mood, ADD sz size DEFAULT 'xl', ADD pos positive, ADD arr int[] DEFAULT '{1,2}', ADD j jsonb DEFAULT '{"a": 1}';
INSERT INTO wide VALUES (105, 1, 's', 1, 'ok', 1, 1, 'happy', 's', 7, '{3}', '[]');
SQL

# ---- tables
carried('a table is created, with rows before its last column', <<'SQL');
BEGIN;
CREATE TABLE made (id bigserial PRIMARY KEY, v varchar(20) NOT NULL DEFAULT 'v', t text);
INSERT INTO made (t) VALUES ('first');
ALTER TABLE made ADD n int;
UPDATE made SET n = 1;
ALTER TABLE made ALTER n SET NOT NULL;
INSERT INTO made (t, n) VALUES ('second', 2);
COMMIT;
CREATE TABLE alone (a int, b int, c text, PRIMARY KEY (b, a));
INSERT INTO alone VALUES (1, 2, 'x');
UPDATE alone SET c = 'y';
SQL
carried('tables are renamed, moved and exchanged', <<'SQL');
CREATE SCHEMA other;
BEGIN;
INSERT INTO one VALUES (100, 'before');
ALTER TABLE one RENAME TO three;
ALTER TABLE two RENAME TO one;
ALTER TABLE three RENAME TO two;
INSERT INTO one VALUES (101, 'after');
INSERT INTO two VALUES (102, 'after');
COMMIT;
ALTER TABLE swapped SET SCHEMA other;
INSERT INTO other.swapped VALUES (200, 'moved', 'too');
SQL
carried('tables are dropped, with rows in the same transaction', <<'SQL');
BEGIN;
INSERT INTO gone VALUES (100, 'x');
DROP TABLE gone;
COMMIT;
BEGIN;
CREATE TABLE brief (id int PRIMARY KEY);
INSERT INTO brief VALUES (1);
DROP TABLE brief;
COMMIT;
SQL
is($target->value('app', q{SELECT count(*) FROM information_schema.tables WHERE table_name IN ('gone', 'brief')}),
	0, 'they are not on the target');
carried('a table takes the name of one that goes', <<'SQL');
BEGIN;
CREATE TABLE fresh (id int PRIMARY KEY, v text, w int);
INSERT INTO fresh SELECT id, v, 1 FROM one;
DROP TABLE one;
ALTER TABLE fresh RENAME TO one;
INSERT INTO one VALUES (900, 'new', 2);
COMMIT;
SQL

# ---- partitions
carried('partitions share what is done to their root', <<'SQL');
CREATE TABLE p_asia PARTITION OF p FOR VALUES IN ('asia');
INSERT INTO p VALUES (500, 'asia', 'x');
BEGIN;
UPDATE p SET v = v || '!' WHERE id < 20;
ALTER TABLE p ADD n int DEFAULT 3;
UPDATE p SET n = id, region = 'asia' WHERE id < 10;
INSERT INTO p VALUES (501, 'eu', 'y', 4);
COMMIT;
ALTER TABLE p RENAME COLUMN v TO value;
UPDATE p SET value = 'w' WHERE id = 15;
TRUNCATE p;
INSERT INTO p VALUES (1, 'eu', 'again', 1), (2, 'us', 'again', 2);
ALTER TABLE p RENAME TO parts;
INSERT INTO parts VALUES (3, 'asia', 'again', 1);
SQL

# ---- indexes, and what is only told of
my $log = carried('indexes are carried, other things told of', <<'SQL');
CREATE INDEX keys_b ON keys (b, a);
CREATE UNIQUE INDEX keys_a ON keys (a);
CREATE INDEX keys_t ON keys (t);
CREATE INDEX keys_part ON keys (a) WHERE b > 3;
CREATE VIEW v AS SELECT * FROM keys;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER TABLE keys ADD CHECK (a > 0);
UPDATE keys SET t = 'x' WHERE id = 7;
SQL
is( join(',', map { $_->[0] } $target->rows('app', q{SELECT DISTINCT index_name FROM information_schema.statistics
		WHERE table_name = 'keys' AND table_schema = DATABASE() AND index_name LIKE 'keys\\\\__' ORDER BY 1})),
	'keys_a,keys_b,keys_t', 'the indexes are there');
like($log, qr/warning: CREATE INDEX: index public\.keys_part is not carried/, 'a partial one is told of');
like($log, qr/warning: CREATE VIEW: view public\.v is not carried/, 'and a view');
like($log, qr/warning: CREATE FUNCTION: function public\.f\(\) is not carried/, 'and a function');
like($log, qr/warning: ALTER TABLE has changed nothing of table public\.keys that is carried: ALTER TABLE keys ADD CHECK/,
	'and a constraint');
carried('an index is dropped before rows that it forbids', <<'SQL');
BEGIN;
DROP INDEX keys_a;
INSERT INTO keys VALUES (100, 7, 1, 'twice');
COMMIT;
DROP VIEW v;
ALTER TABLE keys DROP COLUMN b;
INSERT INTO keys VALUES (101, 7, 'thrice');
SQL

# ---- what stands on columns and tables goes with them
sub constraints
{
	return join(',', sort map { $_->[0] } $target->rows('app', q{SELECT constraint_name
		FROM information_schema.table_constraints WHERE constraint_schema = DATABASE()
		AND table_name IN ('ruled', 'refers') AND constraint_type IN ('CHECK', 'FOREIGN KEY')}));
}

is(constraints(), 'refers_n_fkey,refers_r_fkey,refers_to_s,ruled_a_check,ruled_ab', 'foreign keys and CHECKs are there');
carried('columns in a CHECK are renamed', <<'SQL', ruled => 'bb int, id int not null, t varchar(255), z int');
BEGIN;
UPDATE ruled SET a = 1 WHERE id = 2;
ALTER TABLE ruled RENAME a TO z;
ALTER TABLE ruled RENAME b TO bb;
INSERT INTO ruled VALUES (100, 1, 2, 'x');
COMMIT;
SQL
is($target->error_of('app', 'UPDATE ruled SET z = bb WHERE id = 100') != 0, 1, 'which is still one');
carried('a CHECK is dropped before rows that it forbids', <<'SQL');
BEGIN;
ALTER TABLE ruled DROP CONSTRAINT ab;
INSERT INTO ruled VALUES (101, 7, 7, 'y');
COMMIT;
SQL
carried('columns of constraints are dropped', <<'SQL', ruled => 'bb int, id int not null', refers => 'id int not null, n int, s int');
BEGIN;
INSERT INTO ruled VALUES (102, 1, 1, 'z');
ALTER TABLE ruled DROP COLUMN z, DROP COLUMN t;
ALTER TABLE refers DROP COLUMN r;
INSERT INTO refers VALUES (100, 1, 1);
COMMIT;
ALTER TABLE refers DROP CONSTRAINT to_s;
INSERT INTO refers VALUES (101, 99, 1);
SQL
is(constraints(), 'refers_n_fkey', 'with them');
carried('a table that is referred to is dropped', <<'SQL');
DROP TABLE referred CASCADE;
INSERT INTO refers VALUES (102, 1, 1000);
SQL
is(constraints(), '', 'with what refers to it');

# ---- what cannot be carried stops, by hand it goes on
sub stops
{
	my ($what, $sql, $reason, @by_hand) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = $target->value('app', 'SELECT count(*) FROM stopping');
	$source->safe_psql('app', "BEGIN; INSERT INTO stopping (id) SELECT max(id) + 1 FROM stopping; $sql; COMMIT");
	my $result = portage_fails(4, @run);
	error_ok($result, 'P0425', $reason, $what);
	is($target->value('app', 'SELECT count(*) FROM stopping'), $before, "$what: nothing of it is applied");
	my ($lsn) = $result->{err} =~ m{--ddl-done ([0-9A-F]+/[0-9A-F]+)};
	ok($lsn, "$what: the choices are told") || return;
	$target->query('app', $_) foreach map { ref ? $_->() : $_ } @by_hand;
	portage_ok(@run, '--ddl-done', $lsn);
	same();
	return;
}

stops('values that cannot be computed again',
	'ALTER TABLE stopping ADD r float DEFAULT random(); DELETE FROM stopping WHERE id = (SELECT max(id) FROM stopping)',
	qr/written rows anew with values that cannot be computed again/,
	'ALTER TABLE stopping ADD r double',
	sub {
		return map { "UPDATE stopping SET r = $_->[1] WHERE id = $_->[0]" }
		  map { [ split(/\|/) ] } split(/\n/, $source->safe_psql('app', 'SELECT id, r FROM stopping'));
	});
stops('a label that gets another name', q{ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'; UPDATE wide SET m = 'blue' WHERE id = 3},
	qr/the labels of type public\.mood/,
	map { (
			"ALTER TABLE wide MODIFY $_->[0] enum('sad','so''so','ok','happy','blue') $_->[1]",
			"UPDATE wide SET $_->[0] = 'blue' WHERE $_->[0] = 'sad'",
			"ALTER TABLE wide MODIFY $_->[0] enum('blue','so''so','ok','happy') $_->[1]")
	} [ 'm', 'NOT NULL' ], [ 'm2', '' ]);
$unlogged = '';
stops('a table that was unlogged', 'ALTER TABLE volatile SET LOGGED', qr/was not migrated before/,
	'CREATE TABLE volatile (id int PRIMARY KEY, v int)', 'INSERT INTO volatile VALUES (1, 4)');
stops('an expression', 'ALTER TABLE stopping ALTER v TYPE bigint USING v * 2',
	qr/expression/,
	'ALTER TABLE stopping MODIFY v bigint', 'UPDATE stopping SET v = v * 2');
stops('a narrower type', 'ALTER TABLE stopping ALTER v TYPE numeric(8,1)',
	qr/may not make the same/, 'ALTER TABLE stopping MODIFY v decimal(8,1)');
stops('a partition that goes', 'DROP TABLE p_us',
	qr/the rows of partition public\.p_us share a table/, q{DELETE FROM parts WHERE region = 'us'});
stops('a partition that is emptied', 'TRUNCATE p_eu',
	qr/its rows share a table of the target with those of other partitions/, q{DELETE FROM parts WHERE region = 'eu'});
is($target->value('app', q{SELECT group_concat(region) FROM parts}), 'asia', 'both were done by hand');

$source->safe_psql('app', 'ALTER TABLE stopping ADD z int; UPDATE stopping SET z = id');
my $result = portage_fails(4, @run, '--ddl', 'stop');
error_ok($result, 'P0425', qr/--ddl stop asks to stop/, '--ddl stop');
portage_ok(@run);
same();

done_testing();
