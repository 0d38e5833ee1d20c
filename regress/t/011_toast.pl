# Large values. The source does not log a value that is stored out of line and
# was not changed, so an update of anything else must leave it alone on the
# target, wherever it is: in another column, in the key, in a row that is found
# by all of its values.

use strict;
use warnings;

use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

# Incompressible text of about 32 * n bytes that depends on a seed.
$source->safe_psql('app', <<'SQL');
CREATE FUNCTION noise(seed text, n int) RETURNS text LANGUAGE sql IMMUTABLE
AS $$SELECT string_agg(md5(seed || i), '' ORDER BY i) FROM generate_series(1, n) AS i$$;

CREATE TABLE t (id int PRIMARY KEY, n int, ext text, xtd text, main text, plain text,
	j jsonb, a text[], b bytea);
ALTER TABLE t ALTER ext SET STORAGE EXTERNAL, ALTER xtd SET STORAGE EXTENDED,
	ALTER main SET STORAGE MAIN, ALTER plain SET STORAGE PLAIN;

CREATE TABLE f (id int, n int, ext text, xtd text);
ALTER TABLE f REPLICA IDENTITY FULL;
ALTER TABLE f ALTER ext SET STORAGE EXTERNAL;

CREATE TABLE fk (id int PRIMARY KEY, n int, ext text);
ALTER TABLE fk REPLICA IDENTITY FULL;
ALTER TABLE fk ALTER ext SET STORAGE EXTERNAL;

CREATE TABLE k (key text, part int, n int, other text, PRIMARY KEY (key, part));
ALTER TABLE k ALTER key SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;

CREATE TABLE big (id int PRIMARY KEY, n int, v text, w bytea);
SQL

sub fill
{
	my ($first, $last) = @_;
	my $rows = "generate_series($first, $last) AS i";

	return <<"SQL";
INSERT INTO t SELECT i, 0, noise('e' || i, 300), noise('x' || i, 300), repeat('m' || i, 3000), 'p',
	jsonb_build_object('k', noise('j' || i, 200)), ARRAY[noise('a' || i, 200), NULL, ''],
	decode(noise('b' || i, 200), 'hex') FROM $rows;
INSERT INTO f SELECT i, 0, noise('e' || i, 300), noise('x' || i, 300) FROM $rows;
INSERT INTO fk SELECT i, 0, noise('e' || i, 300) FROM $rows;
INSERT INTO k SELECT noise('k' || i, 70), i, 0, noise('o' || i, 300) FROM $rows;
SQL
}

my @tables = map { "public.$_" } qw(t f fk k);
$source->safe_psql('app', fill(1, 20));
my $out_of_line = $source->safe_psql('app', <<'SQL');
SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
WHERE relname IN ('t', 'f', 'fk', 'k') AND pg_relation_size(reltoastrelid) > 0
SQL
is($out_of_line, 'f fk k t', 'the values of each table are out of line');
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', @tables);

$source->safe_psql('app', fill(101, 120));
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', @tables);

# One step each, compared each.
my @steps = (
	[ 'another column', <<'SQL' ],
UPDATE t SET n = n + 1; UPDATE f SET n = n + 1; UPDATE fk SET n = n + 1; UPDATE k SET n = n + 1;
SQL
	[ 'one large value, the others unchanged', <<'SQL' ],
UPDATE t SET ext = noise('new' || id, 310) WHERE id % 3 = 0;
UPDATE t SET xtd = repeat('y', 100000) WHERE id % 3 = 1;
UPDATE t SET main = NULL, j = NULL WHERE id % 3 = 2;
UPDATE f SET ext = noise('new' || id, 310) WHERE id % 2 = 0;
UPDATE fk SET ext = noise('new' || id, 310) WHERE id % 2 = 0;
UPDATE k SET other = noise('new' || part, 310) WHERE part % 2 = 0;
SQL
	[ 'to NULL', <<'SQL' ],
UPDATE t SET ext = NULL, a = NULL WHERE id % 2 = 0; UPDATE t SET n = n + 1;
UPDATE f SET ext = NULL WHERE id % 2 = 0; UPDATE fk SET ext = NULL WHERE id % 2 = 0;
UPDATE k SET other = NULL WHERE part % 2 = 0;
SQL
	[ 'and back', <<'SQL' ],
UPDATE t SET ext = noise('back' || id, 305), a = ARRAY[noise('b', 400)] WHERE ext IS NULL;
UPDATE f SET ext = noise('back' || id, 305) WHERE ext IS NULL;
UPDATE fk SET ext = noise('back' || id, 305) WHERE ext IS NULL;
UPDATE k SET other = noise('back' || part, 305) WHERE other IS NULL;
SQL
	[ 'short and long again', <<'SQL' ],
UPDATE t SET ext = 's', xtd = '' WHERE id % 2 = 1; UPDATE t SET n = n + 1;
UPDATE f SET ext = 's' WHERE id % 2 = 1;
UPDATE t SET ext = noise('l', 300), xtd = noise('l', 301) WHERE id % 2 = 1;
UPDATE f SET ext = noise('l', 300) WHERE id % 2 = 1;
SQL
	[ 'the key, the large values unchanged', <<'SQL' ],
UPDATE t SET id = id + 1000; UPDATE f SET id = id + 1000; UPDATE fk SET id = id + 1000;
UPDATE k SET part = part + 1000;
SQL
	[ 'a key that is itself out of line', <<'SQL' ],
UPDATE k SET key = noise('K' || part, 71) WHERE part % 2 = 0;
UPDATE k SET n = n + 1;
DELETE FROM k WHERE part % 5 = 0;
SQL
	[ 'several updates of a row in one transaction', <<'SQL' ],
BEGIN;
UPDATE t SET n = n + 1; UPDATE t SET ext = noise('t1', 300) WHERE id % 2 = 0; UPDATE t SET n = n + 1;
SAVEPOINT s; UPDATE t SET ext = noise('gone', 300), n = -1; ROLLBACK TO s;
UPDATE t SET id = id + 1000 WHERE id % 4 = 0; UPDATE t SET j = j || '{"z": 1}' WHERE id % 4 = 0;
INSERT INTO t SELECT 9000 + i, 0, noise('i' || i, 300) FROM generate_series(1, 5) AS i;
UPDATE t SET n = n + 1 WHERE id > 9000; UPDATE t SET id = id + 100 WHERE id > 9003;
UPDATE f SET n = n + 1; UPDATE f SET ext = noise('t1', 300) WHERE id % 2 = 0; UPDATE f SET n = n + 1;
COMMIT;
SQL
	[ 'upserts', <<'SQL' ],
INSERT INTO t SELECT id, 7, noise('u' || id, 320) FROM t WHERE id % 2 = 0
ON CONFLICT (id) DO UPDATE SET n = excluded.n;
INSERT INTO t SELECT id + CASE WHEN id % 3 = 0 THEN 50000 ELSE 0 END, 8, noise('u' || id, 320) FROM t
ON CONFLICT (id) DO UPDATE SET ext = excluded.ext;
SQL
	[ 'duplicates that are found by all values', <<'SQL' ],
INSERT INTO f SELECT * FROM f WHERE id % 7 = 0; INSERT INTO f SELECT * FROM f WHERE id % 7 = 0;
DELETE FROM f WHERE ctid IN (SELECT min(ctid) FROM f GROUP BY id HAVING count(*) > 1);
UPDATE f SET n = -5 WHERE ctid IN (SELECT min(ctid) FROM f GROUP BY id HAVING count(*) > 1);
SQL
	[ 'deletes', <<'SQL' ],
DELETE FROM t WHERE id % 2 = 0; DELETE FROM f WHERE id % 2 = 0;
DELETE FROM fk WHERE id % 2 = 0; DELETE FROM k WHERE part % 2 = 0;
SQL
);
foreach my $step (@steps)
{
	my ($what, $sql) = @$step;
	note($what);
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	last if $result->{rc} != 0;
	tables_equal($source, 'app', $target, 'app', @tables);
}

# Values that are not looked at in pieces by anybody: 20 MB in one column.
$source->safe_psql('app', <<'SQL');
INSERT INTO big SELECT 1, 0, noise('big', 655360), decode(noise('bytes', 655360), 'hex');
INSERT INTO big SELECT 2, 0, repeat('big', 7000000), NULL;
SQL
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', 'public.big');
is($target->safe_psql('app', 'SELECT max(length(v)) FROM big'),
	21000000, 'a value of 21 MB arrives whole');
$source->safe_psql('app', <<'SQL');
UPDATE big SET n = n + 1;
UPDATE big SET id = id + 10;
UPDATE big SET v = v || 'end' WHERE id = 11;
DELETE FROM big WHERE id = 12;
SQL
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', 'public.big');

# The same by copy, into another target.
$source->safe_psql('app', q{INSERT INTO big SELECT 2, 0, repeat('big', 7000000)});
my $copied = target_new('copied');
portage_ok('run', endpoints($source, $copied), '--name', 'second',
	'--until', 'caught-up');
tables_equal($source, 'app', $copied, 'app', @tables, 'public.big');

done_testing();
