# How a row is found: by every kind of replica identity, after its key has
# changed, and when nothing identifies it.

use strict;
use warnings;

use PortageTest;
use Test::More;

my $source = source_new('source', databases => [ 'app', 'keyless', 'nothing' ]);
my $target = target_new('target', databases => [ 'app', 'keyless', 'nothing' ]);
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

$source->safe_psql('app', <<'SQL');
CREATE TABLE single (id int PRIMARY KEY, v text);
CREATE TABLE composite (a int, b text, c date, v int, PRIMARY KEY (c, a, b));
CREATE TABLE key_only (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE key_last (v text, w int, id bigint PRIMARY KEY);
CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL, v int);
CREATE UNIQUE INDEX by_index_code ON by_index (code);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;
CREATE TABLE by_include (code int NOT NULL, v int, w int);
CREATE UNIQUE INDEX by_include_code ON by_include (code) INCLUDE (w);
ALTER TABLE by_include REPLICA IDENTITY USING INDEX by_include_code;
CREATE TABLE full_key (id int PRIMARY KEY, v text, w numeric);
ALTER TABLE full_key REPLICA IDENTITY FULL;
CREATE TABLE full_free (v int, w text, x numeric);
ALTER TABLE full_free REPLICA IDENTITY FULL;
CREATE TABLE full_odd (n int, j json, p point, x xml, b box, a json[]);
ALTER TABLE full_odd REPLICA IDENTITY FULL;
CREATE TABLE full_nullable (u int UNIQUE, v int);
ALTER TABLE full_nullable REPLICA IDENTITY FULL;
CREATE TABLE changing (id int PRIMARY KEY, code int NOT NULL, v int);
CREATE UNIQUE INDEX changing_code ON changing (code);
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v int);
ALTER TABLE deferred REPLICA IDENTITY FULL;
CREATE TABLE second (id int PRIMARY KEY, u int UNIQUE);
CREATE TABLE fold (k text COLLATE "C" PRIMARY KEY, v int);
CREATE TABLE empty_full ();
ALTER TABLE empty_full REPLICA IDENTITY FULL;
CREATE TABLE log (v text);

CREATE FUNCTION fill(first int, last int) RETURNS void LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO single SELECT i, 'v' || i FROM generate_series(first, last) i;
	INSERT INTO composite SELECT i, 'b' || i % 3, '2020-01-01'::date + i / 2, i FROM generate_series(first, last) i;
	INSERT INTO key_only SELECT i, -i FROM generate_series(first, last) i;
	INSERT INTO key_last SELECT 'v' || i, i, i FROM generate_series(first, last) i;
	INSERT INTO by_index SELECT i, 'c' || i, i FROM generate_series(first, last) i;
	INSERT INTO by_include SELECT i, i, i FROM generate_series(first, last) i;
	INSERT INTO full_key SELECT i, 'v' || i, i FROM generate_series(first, last) i;
	INSERT INTO full_free SELECT i / 3, CASE WHEN i % 4 > 0 THEN 'w' END, 1.0 FROM generate_series(first, last) i;
	INSERT INTO full_odd SELECT i, '{"a": 1}', point(i, -0.0::float8), '<a/>', '((0,0),(1,1))', ARRAY['1', NULL]::json[]
		FROM generate_series(first, last) i;
	INSERT INTO full_nullable SELECT CASE WHEN i % 2 = 0 THEN i END, i % 4 FROM generate_series(first, last) i;
	INSERT INTO changing SELECT i, 1000 + i, i FROM generate_series(first, last) i;
	INSERT INTO deferred SELECT i, i FROM generate_series(first, last) i;
	INSERT INTO second SELECT i, i FROM generate_series(first, last) i;
	INSERT INTO fold SELECT CASE i % 2 WHEN 0 THEN 'k' ELSE 'K' END || i / 2, i FROM generate_series(first, last) i;
	INSERT INTO log SELECT 'l' || i FROM generate_series(first, last) i;
END;
SELECT fill(1, 30);
INSERT INTO empty_full DEFAULT VALUES; INSERT INTO empty_full DEFAULT VALUES;
SQL

my @tables = map { "public.$_" } qw(single composite key_only key_last by_index
  by_include full_key full_free full_odd full_nullable changing deferred second
  fold log empty_full);
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', @tables);

foreach my $step (
	[ 'inserts', 'SELECT fill(101, 130); INSERT INTO empty_full DEFAULT VALUES' ],
	[ 'other columns', <<'SQL' ],
UPDATE single SET v = v || 'x' WHERE id % 2 = 0; UPDATE composite SET v = -v;
UPDATE key_last SET v = NULL, w = w + 1 WHERE id % 2 = 0; UPDATE by_index SET v = v + 1, id = id + 500;
UPDATE by_include SET v = 0, w = w + 1; UPDATE full_key SET w = w + 0.5, v = NULL WHERE id % 2 = 0;
UPDATE full_free SET x = 1.00 WHERE v % 2 = 0; UPDATE full_odd SET j = '{"a":1}' WHERE n % 2 = 0;
UPDATE full_odd SET p = '(0,0)' WHERE n % 3 = 0; UPDATE full_odd SET j = NULL, a = NULL WHERE n % 5 = 0;
UPDATE full_odd SET n = n + 1000 WHERE j IS NULL; UPDATE full_nullable SET v = v + 1;
UPDATE deferred SET v = v + 1;
SQL
	[ 'nothing but the row itself', <<'SQL' ],
UPDATE key_only SET a = a; UPDATE single SET v = v; UPDATE full_free SET v = v;
SQL
	[ 'keys', <<'SQL' ],
UPDATE single SET id = id + 1000; UPDATE single SET id = id - 500, v = 'moved' WHERE id % 2 = 0;
UPDATE composite SET c = c + 100 WHERE a % 2 = 0; UPDATE composite SET b = 'other', v = 7 WHERE a % 3 = 0;
UPDATE key_only SET b = b - 1; UPDATE key_only SET a = a + 1000, b = 0 WHERE a % 2 = 0;
UPDATE key_last SET id = -id; UPDATE by_index SET code = code || 'x'; UPDATE by_include SET code = -code;
UPDATE full_key SET id = id + 1000; UPDATE fold SET k = 'x' || k WHERE v % 3 = 0;
SQL
	[ 'swaps through a third value', <<'SQL' ],
BEGIN;
UPDATE single SET id = 0 WHERE id = 1001; UPDATE single SET id = 1001 WHERE id = 1003;
UPDATE single SET id = 1003 WHERE id = 0;
UPDATE second SET u = 0 WHERE id = 1; UPDATE second SET u = 1 WHERE id = 2; UPDATE second SET u = 2 WHERE id = 1;
UPDATE by_index SET code = '0' WHERE code = 'c1x'; UPDATE by_index SET code = 'c1x' WHERE code = 'c2x';
UPDATE by_index SET code = 'c2x' WHERE code = '0';
UPDATE key_only SET a = 0, b = 0 WHERE a = 1; UPDATE key_only SET a = 1 WHERE a = 3; UPDATE key_only SET a = 3 WHERE a = 0;
COMMIT;
SQL
	[ 'chains of keys in one statement and one transaction', <<'SQL' ],
BEGIN;
DELETE FROM second WHERE id = 3; INSERT INTO second VALUES (3, 3000); INSERT INTO second VALUES (-1, 3);
UPDATE deferred SET id = id + 1; UPDATE deferred SET id = 33 - id WHERE id < 32;
DELETE FROM single WHERE id = 1001; INSERT INTO single VALUES (1001, 'again'); UPDATE single SET id = 77 WHERE id = 1001;
INSERT INTO single VALUES (1001, 'and again'); DELETE FROM single WHERE id = 77;
INSERT INTO fold VALUES ('zz', 1), ('ZZ', 2), ('zz ', 3); DELETE FROM fold WHERE k = 'zz';
UPDATE fold SET k = 'zz' WHERE k = 'ZZ';
COMMIT;
SQL
	[ 'rows that are the same as others', <<'SQL' ],
DELETE FROM full_free WHERE ctid IN (SELECT min(ctid) FROM full_free GROUP BY v, w, x HAVING count(*) > 1);
UPDATE full_free SET w = 'one of them' WHERE ctid IN (SELECT min(ctid) FROM full_free GROUP BY v, w, x HAVING count(*) > 1);
UPDATE full_free SET w = NULL; DELETE FROM full_free WHERE v < 3;
INSERT INTO full_odd SELECT * FROM full_odd WHERE n < 5; DELETE FROM full_odd WHERE ctid IN (SELECT max(ctid) FROM full_odd WHERE n < 4 GROUP BY n);
DELETE FROM full_nullable WHERE u IS NULL AND v = 2; UPDATE full_nullable SET u = NULL WHERE u % 3 = 0;
DELETE FROM empty_full WHERE ctid = (SELECT min(ctid) FROM empty_full);
SQL
	[ 'the identity changes, to an index', <<'SQL' ],
UPDATE changing SET v = v + 1 WHERE id < 5;
BEGIN; UPDATE changing SET v = v + 1 WHERE id < 5;
ALTER TABLE changing REPLICA IDENTITY USING INDEX changing_code;
UPDATE changing SET v = v + 1; UPDATE changing SET id = id + 2000 WHERE id % 2 = 0; COMMIT;
UPDATE changing SET code = code + 5000 WHERE id % 2 = 1; DELETE FROM changing WHERE code = 6003;
SQL
	[ 'to all columns', <<'SQL' ],
ALTER TABLE changing REPLICA IDENTITY FULL;
UPDATE changing SET v = v + 1, id = id + 1; UPDATE changing SET code = -code WHERE v % 2 = 0; DELETE FROM changing WHERE id % 7 = 0;
SQL
	[ 'and back to the key', <<'SQL' ],
ALTER TABLE changing REPLICA IDENTITY DEFAULT;
UPDATE changing SET v = v + 1, id = id + 1; DELETE FROM changing WHERE id % 5 = 0;
SQL
	[ 'deletes', <<'SQL' ],
DELETE FROM single WHERE id % 2 = 0; DELETE FROM composite WHERE a % 2 = 0; DELETE FROM key_only WHERE a % 3 = 0;
DELETE FROM key_last WHERE w % 2 = 0; DELETE FROM by_index WHERE v % 2 = 0; DELETE FROM by_include WHERE w % 2 = 0;
DELETE FROM full_key WHERE id % 2 = 0; DELETE FROM full_odd WHERE n % 2 = 0; DELETE FROM deferred WHERE id % 2 = 0;
DELETE FROM second WHERE id % 2 = 0; DELETE FROM fold WHERE v % 2 = 0; DELETE FROM full_nullable WHERE v % 2 = 0;
SQL
  )
{
	my ($what, $sql) = @$step;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	last if $result->{rc} != 0;
	tables_equal($source, 'app', $target, 'app', @tables);
}

# Without identity inserts flow; the first change of a row stops the stream
# before it, names the table, and stops it there again at every start.
foreach my $case (
	[ 'keyless', 'DELETE FROM "no key"', '' ],
	[ 'nothing', q{UPDATE "no key" SET v = 'x' WHERE id = 1}, 'ALTER TABLE "no key" ADD PRIMARY KEY (id), REPLICA IDENTITY NOTHING;' ])
{
	my ($database, $change, $identity) = @$case;
	my @own = ('run', endpoints($source, $target, $database), '--until', 'caught-up');

	$source->safe_psql($database, <<"SQL");
CREATE TABLE "no key" (id int NOT NULL, v text);
CREATE TABLE other (id int PRIMARY KEY);
$identity
INSERT INTO "no key" VALUES (1, 'a'), (2, 'b'); INSERT INTO other VALUES (1);
SQL
	portage_ok(@own);
	$source->safe_psql($database,
		q{INSERT INTO "no key" VALUES (3, 'c'), (4, 'd'); INSERT INTO other VALUES (2)});
	portage_ok(@own);
	tables_equal($source, $database, $target, $database,
		'public."no key"', 'public.other');

	my @before = map { table_digest($target, $database, $_) }
	  ('public."no key"', 'public.other');
	$source->safe_psql($database, "BEGIN; INSERT INTO other VALUES (3); $change; COMMIT");
	$source->safe_psql($database, 'INSERT INTO other VALUES (4)');
	foreach my $attempt (1, 2)
	{
		my $result = portage_fails(4, @own);
		like($result->{err}, qr/error:.*public\.no key.*\[P0414\]/,
			"$database: attempt $attempt names table and code");
		is_deeply(
			[
				map { table_digest($target, $database, $_) }
				  ('public."no key"', 'public.other')
			],
			\@before,
			"$database: nothing of that transaction nor behind it is applied");
	}
}

done_testing();
