# DDL in the stream onto MySQL and MariaDB without the extension's event triggers:
# all that the stream says of it is in the relation records before the next row.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source', extension => 0);
my $target = mysql_new('target');
my @run = ('run', mysql_endpoints($source, $target), '--until', 'caught-up');

$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE plain (id int PRIMARY KEY, a int, b varchar(10), c text);
CREATE TABLE swapped (id int PRIMARY KEY, x text, y text);
CREATE TABLE wide (id int PRIMARY KEY, t varchar(10), n numeric(10,2), ts timestamp, nn int NOT NULL);
CREATE TABLE one (id int PRIMARY KEY, v text);
CREATE TABLE two (id int PRIMARY KEY, v text);
CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE p_eu PARTITION OF p FOR VALUES IN ('eu');
CREATE TABLE p_us PARTITION OF p FOR VALUES IN ('us');
CREATE TABLE stopping (id int PRIMARY KEY, v int);
CREATE TABLE nokey (a int, b text);
ALTER TABLE nokey REPLICA IDENTITY FULL;
INSERT INTO plain SELECT i, i, 'b' || i, 'c' || i FROM generate_series(1, 50) i;
INSERT INTO swapped SELECT i, 'x' || i, 'y' || i FROM generate_series(1, 50) i;
INSERT INTO wide SELECT i, 't' || i, i, now(), i FROM generate_series(1, 50) i;
INSERT INTO one SELECT i, 'one' || i FROM generate_series(1, 50) i;
INSERT INTO two SELECT i, 'two' || i FROM generate_series(1, 50) i;
INSERT INTO p SELECT i, (ARRAY['eu', 'us'])[i % 2 + 1], 'v' || i FROM generate_series(1, 90) i;
INSERT INTO stopping SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO nokey SELECT i % 5, 'b' FROM generate_series(1, 20) i;
SQL
portage_ok(@run);

sub carried
{
	my ($what, $sql) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	contents_equal($source, 'app', $target, 'app');
	return $result->{err};
}

carried('columns are added', <<'SQL');
ALTER TABLE plain ADD d int; ALTER TABLE plain ADD e text DEFAULT 'many' NOT NULL, ADD f timestamptz DEFAULT now();
ALTER TABLE plain ADD raw bytea DEFAULT '\x00ff', ADD "g'h" text DEFAULT E'it''s \\ "x"', ADD m mood DEFAULT 'ok';
INSERT INTO plain (id, a) VALUES (100, 1); UPDATE plain SET d = id WHERE id % 2 = 0;
SQL
carried('between rows of one transaction', <<'SQL');
BEGIN;
INSERT INTO plain (id, a, c) VALUES (101, 1, 'c');
UPDATE plain SET a = a + 1 WHERE id < 5;
ALTER TABLE plain ADD h int DEFAULT 4, DROP COLUMN b;
DELETE FROM plain WHERE id = 7;
INSERT INTO plain (id, a) VALUES (102, 1);
ALTER TABLE plain ALTER h SET NOT NULL;
UPDATE plain SET h = 5 WHERE id = 101;
COMMIT;
SQL
carried('a column is renamed, one dropped, one of its name added', <<'SQL');
ALTER TABLE plain RENAME a TO aa; ALTER TABLE plain DROP COLUMN c; ALTER TABLE plain ADD c int DEFAULT 5;
UPDATE plain SET aa = aa + 1, c = c + id WHERE id % 3 = 0;
SQL
carried('names are exchanged', <<'SQL');
ALTER TABLE swapped RENAME x TO z; ALTER TABLE swapped RENAME y TO x; ALTER TABLE swapped RENAME z TO y;
UPDATE swapped SET x = 'new' WHERE id = 1;
SQL
carried('types that rewrite nothing, and NOT NULL', <<'SQL');
ALTER TABLE wide ALTER t TYPE text, ALTER n TYPE numeric(14,2), ALTER nn DROP NOT NULL, ALTER t SET NOT NULL;
INSERT INTO wide VALUES (100, repeat('x', 100), 123456789012.34, now(), NULL);
SQL
carried('another storage alone', <<'SQL');
VACUUM FULL wide;
UPDATE wide SET n = 2 WHERE id = 2;
SQL
carried('tables are renamed, exchanged, moved', <<'SQL');
BEGIN;
ALTER TABLE one RENAME TO three; ALTER TABLE two RENAME TO one; ALTER TABLE three RENAME TO two;
INSERT INTO one VALUES (100, 'one'); INSERT INTO two VALUES (100, 'two');
COMMIT;
CREATE SCHEMA other; ALTER TABLE swapped SET SCHEMA other;
UPDATE other.swapped SET x = 'moved' WHERE id = 2;
SQL
my $log = carried('a new table', <<'SQL');
CREATE TABLE made (id int PRIMARY KEY, v varchar(5), m mood, n numeric(4,1) DEFAULT 2);
INSERT INTO made VALUES (1, 'v', 'sad', 1.5); UPDATE made SET v = 'w';
SQL
like($log, qr/warning: table public\.made is created because rows of it came/, 'what is not known of it is told');
carried('partitions', <<'SQL');
CREATE TABLE p_asia PARTITION OF p FOR VALUES IN ('asia');
ALTER TABLE p ADD n int DEFAULT 3;
INSERT INTO p VALUES (500, 'asia', 'x', 1), (501, 'eu', 'y', 2);
UPDATE p SET region = 'asia' WHERE id = 4;
UPDATE p SET n = 7 WHERE id % 10 = 0;
SQL
carried('whole rows find themselves', <<'SQL');
BEGIN;
UPDATE nokey SET b = 'c' WHERE a = 1;
ALTER TABLE nokey ADD c int DEFAULT 1;
UPDATE nokey SET c = 2 WHERE a = 2;
DELETE FROM nokey WHERE a = 3;
COMMIT;
SQL

# ---- what does not follow from rows
sub stops
{
	my ($what, $sql, $reason, @by_hand) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', "$sql; INSERT INTO stopping (id) SELECT max(id) + 1 FROM stopping");
	my $result = portage_fails(4, @run);
	error_ok($result, 'P0425', $reason, $what);
	my ($lsn) = $result->{err} =~ m{--ddl-done ([0-9A-F]+/[0-9A-F]+)};
	$target->query('app', $_) foreach @by_hand;
	portage_fails(4, @run, '--ddl-done', '0/1');
	portage_ok(@run, '--ddl-done', $lsn // '0/1');
	contents_equal($source, 'app', $target, 'app');
	return;
}

stops('a type with other rows', 'ALTER TABLE stopping ALTER v TYPE bigint USING v * 2',
	qr/column "v" has another type, and the rows were written anew/,
	'ALTER TABLE stopping MODIFY v bigint', 'UPDATE stopping SET v = v * 2');
stops('a column with other rows', 'ALTER TABLE stopping ADD r float DEFAULT 0.5; ALTER TABLE stopping ALTER v TYPE int',
	qr/the rows were written anew/,
	'ALTER TABLE stopping ADD r double DEFAULT 0.5, MODIFY v int');
stops('a partition that goes', 'ALTER TABLE p DETACH PARTITION p_us; INSERT INTO p_us VALUES (900, \'us\', \'x\', 1)',
	qr/it is no partition any more/,
	'CREATE TABLE p_us LIKE p', q{INSERT INTO p_us SELECT * FROM p WHERE region = 'us'}, q{DELETE FROM p WHERE region = 'us'});

done_testing();
