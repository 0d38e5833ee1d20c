# The fast path and the slow one come to the same: one stream is applied in
# vectors to one target and change by change to another. Random transactions;
# PORTAGE_SEED=N repeats them. What vectors cannot know by themselves (an order
# that matters, a row that somebody has changed) is found out and told.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
diag("PORTAGE_SEED=$seed");

my $source = source_new('source', fsync => 0);
my %target = map { $_ => target_new($_, fsync => 0) } qw(fast slow);
my @tables = map { "public.$_" } qw(zoo plain codes keyless noidx late history emptied), '"Two Keys"';

$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok, then', 'NULL');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN numbers AS int[];
CREATE TABLE zoo (id positive PRIMARY KEY, m mood, p pair, n numbers, ns numeric[], t text, ts text[][],
	b bytea, bs bytea[], bx box, bxs box[], pt point, r int4range, rs int4range[], j jsonb, f float8,
	v varchar(7), c char(5), bits bit(3), i interval, tz timestamptz, big text, sum int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE zoo ALTER big SET STORAGE EXTERNAL;
CREATE TABLE plain (id bigint PRIMARY KEY, s smallint, i int, r real, f float8, n numeric, m numeric(14, 3), t text, v varchar(9), c char(6),
	b bytea, o oid, yes bool, d date, ts timestamp, ts0 timestamp(0), tz timestamptz, u uuid, j json, jb jsonb);
CREATE TABLE codes (id int PRIMARY KEY, code text UNIQUE, n int);
CREATE TABLE "Two Keys" ("from" uuid, "to" text COLLATE "C", n int GENERATED ALWAYS AS IDENTITY, v int, PRIMARY KEY ("from", "to"));
CREATE TABLE keyless (a int, b text); ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE TABLE noidx (id int PRIMARY KEY, v text); CREATE TABLE emptied (id int PRIMARY KEY, v text);
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE, other int NOT NULL UNIQUE, v int);
ALTER TABLE late REPLICA IDENTITY USING INDEX late_other_key;
CREATE TABLE history (at timestamptz, delta int);
CREATE TABLE alone (a int, b int); ALTER TABLE alone REPLICA IDENTITY FULL; CREATE TABLE together (a int PRIMARY KEY, b int);
INSERT INTO alone SELECT i, 0 FROM generate_series(1, 3000) i; INSERT INTO together SELECT i, 0 FROM generate_series(1, 3000) i;
INSERT INTO codes VALUES (0, 'none', 0); INSERT INTO "Two Keys" VALUES (md5('')::uuid, '', DEFAULT, 0);
INSERT INTO keyless VALUES (0, ''); INSERT INTO noidx VALUES (0, ''); INSERT INTO late VALUES (0, 0, 0);
INSERT INTO history VALUES ('epoch', 0); INSERT INTO emptied VALUES (0, ''); INSERT INTO zoo (id) VALUES (9999); INSERT INTO plain (id) VALUES (0);
SQL

sub run
{
	my ($name, @more) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return portage_ok('run', endpoints($source, $target{$name}), '--name', $name, '--until', 'caught-up', @more);
}

sub counts
{
	my ($name) = @_;
	return progress_row($target{$name}, 'app', $name);
}

# Everything that is new, on both sides; what the vectors were is returned.
sub apply
{
	my ($what) = @_;
	my $before = counts('fast');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	run('fast');
	run('slow', '--serial');
	tables_equal($source, 'app', $target{$_}, 'app', @tables) || diag("$what: $_") foreach qw(fast slow);
	my $after = counts('fast');
	return { map { $_ => $after->{$_} - $before->{$_} } qw(batches vector_rows single_rows refused_plans serial_rows ordered_rows) };
}

run($_) foreach qw(fast slow);

# ---- values of every kind, as rows of vectors
sub zoo
{
	my ($from, $to) = @_;
	return <<"SQL";
INSERT INTO zoo SELECT i, (enum_range(NULL::mood))[1 + i % 3], CASE WHEN i % 5 > 0 THEN ROW(i, E'a"b\\\\,)')::pair END,
	CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[i, NULL, -i] END, ARRAY['NaN', i / 7.0, NULL],
	CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'NULL' WHEN 3 THEN E'\\\\N' WHEN 4 THEN E'tab\\there\\nand "quotes"\\r\\\\.' ELSE 'x{y,z}' || i END,
	ARRAY[[E'a\\\\"', NULL], ['', 'NULL']], decode(repeat(to_hex(i % 256 + 256), i % 9), 'escape'),
	ARRAY['\\x00ff'::bytea, '', NULL], box(point(i, 1), point(0, -i)), ARRAY[box(point(1, i), point(2, 3)), NULL],
	CASE WHEN i % 3 > 0 THEN point(i, 0.1) END, int4range(i, i + 3), ARRAY[int4range(1, i + 2), 'empty'], jsonb_build_object('k', i, 'q', E'\\\\"'),
	(ARRAY['NaN', 'Infinity', '-0', '1e-300', '0.1'])[1 + i % 5]::float8, 'ab' || i % 1000, 'c' || i % 100, (i % 8)::bit(3),
	make_interval(0, i, 0, i, 0, 0, 0.5), CASE i % 3 WHEN 0 THEN 'infinity' ELSE '1000-01-01 BC'::timestamptz + i * interval '1 day' END,
	CASE WHEN i % 10 = 0 THEN repeat(md5(i::text), 100) ELSE 'short' END FROM generate_series($from, $to) i;
SQL
}
$source->safe_psql('app', zoo(1, 500));
my $how = apply('inserts');
is($how->{vector_rows}, 500, 'rows of every type are inserted in vectors');
is($how->{single_rows}, 0, 'none by itself');
$source->safe_psql('app', 'UPDATE zoo SET t = t || \'!\', v = NULL, n = n || 7, b = b || \'\\x5c22\', bx = NULL WHERE id % 10 > 0 AND id < 9999');
$how = apply('updates');
is($how->{vector_rows}, 450, 'and updated');
$source->safe_psql('app', 'UPDATE zoo SET f = 1 WHERE id % 2 = 0');
$how = apply('updates without large values');
is($how->{vector_rows}, 250, 'and updated, where large values are not in the WAL');
$source->safe_psql('app', 'DELETE FROM zoo WHERE id % 3 = 0 AND id < 9999');
$how = apply('deletes');
is($how->{vector_rows}, 166, 'and deleted');
is($how->{refused_plans}, 0, 'no plan was refused');

# Types that travel in binary; where a value has to be text, the others go on.
sub plain
{
	my ($from, $to) = @_;
	return <<"SQL";
INSERT INTO plain SELECT i, CASE i % 3 WHEN 0 THEN -32768 WHEN 1 THEN 32767 END, (i - 5000) * 300000, (ARRAY['NaN', '-Infinity', '1e-45', '0.1'])[1 + i % 4]::real,
	(ARRAY['5e-324', '1.7976931348623157e308', '-0'])[1 + i % 3]::float8 * (-1) ^ (i % 2),
	CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN -i / 7.0 WHEN 2 THEN 10 ^ (i % 40)::numeric WHEN 3 THEN 10 ^ -(i % 40)::numeric END, i * 100.125,
	CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN E'Gr\\u00fc\\u00dfe ' || i WHEN 2 THEN E'tab\there\\n' END, 'v' || i, 'c', decode(md5(i::text), 'hex'), 4294967295 - i, i % 3 = 0,
	CASE i % 7 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE '0001-01-01'::date + i * 719 END,
	'1899-12-31 23:59:59.999999'::timestamp + i * interval '37.000001 days', '2000-01-01'::timestamp + i * interval '1 second',
	CASE WHEN i % 9 > 0 THEN to_timestamp(i * 86399.25) ELSE 'infinity' END, md5(i::text)::uuid, ('{"i" : ' || i || '}')::json, jsonb_build_object('i', i, 'q', E'\\"')
	FROM generate_series($from, $to) i;
SQL
}
foreach my $target (values %target)
{
	$target->append_conf('postgresql.conf', "log_statement = 'all'");
	$target->reload;
}

# From how many rows on it is a COPY follows from how fast the target answered
# when the writer connected. Where it was busy just then, the next one finds it
# faster: the same rows once more.
sub copied
{
	my ($words, $from, $sql) = @_;

	return wait_for(
		sub {
			return 1 if $target{fast}->log_contains($words);
			foreach my $step ("DELETE FROM plain WHERE id >= $from", $sql)
			{
				$source->safe_psql('app', $step);
				run('fast');
				run('slow', '--serial');
			}
			return 0;
		},
		$words);
}

$source->safe_psql('app', plain(1, 5400));
$how = apply('inserts of plain types');
is($how->{vector_rows}, 5400, 'they are one vector');
ok(copied('COPY "public"."plain" .* FROM STDIN \(FORMAT binary\)', 1, plain(1, 5400)), 'in binary');
ok(!$target{fast}->log_contains('(?m)COPY "public"."plain" .* FROM STDIN$'), 'all of them');
my $with_text = 'BEGIN;' . plain(5401, 5600) . plain(5601, 11000)
	. q{UPDATE plain SET d = '0044-03-15 BC', n = CASE WHEN current_setting('server_version_num')::int >= 140000 THEN 'Infinity'::numeric END WHERE id = 5555; COMMIT};
$source->safe_psql('app', $with_text);
$how = apply('a value that is text');
is($how->{vector_rows}, 5601, 'they are one vector, too, the change among them');
ok(copied('(?m)COPY "public"."plain" .* FROM STDIN$', 5401, $with_text), 'the rest of it as text');
$source->safe_psql('app', q{UPDATE plain SET i = i + 1, n = n * 2, d = CASE WHEN id = 7 THEN '0044-03-15 BC' ELSE d + 1 END, ts = NULL, tz = tz + interval '1 us', t = t || 'x', b = b || b, m = -m, u = md5(t)::uuid, jb = jb || '{"x": null}' WHERE id % 2 = 1 AND id < 801});
$how = apply('updates of plain types');
is($how->{vector_rows}, 400, 'updated in vectors');
$source->safe_psql('app', 'DELETE FROM plain WHERE id % 3 = 0');
apply('deletes of plain types');

# ---- what keeps its place
$source->safe_psql('app', 'INSERT INTO keyless SELECT i % 5, \'same\' FROM generate_series(1, 100) i;'
	. ' INSERT INTO history SELECT now(), i FROM generate_series(1, 100) i');
$how = apply('rows without a key');
is($how->{vector_rows}, 200, 'rows without a key are inserted in vectors');
$source->safe_psql('app', 'DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 1 LIMIT 3);'
	. ' UPDATE keyless SET b = \'other\' WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 2 LIMIT 2)');
$how = apply('rows without a key, changed');
is($how->{single_rows}, 5, 'and found one by one');
$source->safe_psql('app', 'INSERT INTO codes SELECT i, \'c\' || i, 0 FROM generate_series(1, 100) i;'
	. ' UPDATE codes SET id = id + 1000, n = 1 WHERE id BETWEEN 1 AND 5; INSERT INTO codes VALUES (1, \'new\', 2);'
	. ' UPDATE codes SET n = n + 10 WHERE id IN (1, 1001)');
$how = apply('changed keys');
is($how->{single_rows}, 5, 'changed keys keep their place');

# After a TRUNCATE, or VACUUM FULL, the rows lie under another storage; that alone
# takes no row out of the vectors. What is noted of it tells a column that is
# added without a rewrite from one with values that nobody has sent.
sub noted
{
	my ($name) = @_;
	return $target{$name}->safe_psql('app', q{SELECT storage FROM portage.relation WHERE table_name = 'emptied'});
}
$source->safe_psql('app', 'BEGIN; UPDATE emptied SET v = \'away\'; TRUNCATE emptied, history; INSERT INTO history VALUES (\'epoch\', 0); INSERT INTO emptied SELECT i, \'a\' FROM generate_series(1, 100) i; COMMIT');
$source->safe_psql('app', 'UPDATE emptied SET v = \'b\' WHERE id <= 50');
$how = apply('rows behind a TRUNCATE');
is($how->{vector_rows}, 152, 'rows behind a TRUNCATE are in vectors');
is($how->{single_rows}, 1, 'it stands alone');
is(noted($_), $source->safe_psql('app', q{SELECT pg_relation_filenode('emptied')}), "$_: where the rows lie is noted") foreach qw(fast slow);
$source->safe_psql('app', "BEGIN; TRUNCATE emptied; INSERT INTO emptied SELECT i, '$_' FROM generate_series(1, 100) i; COMMIT") foreach 1 .. 5;
$how = apply('one TRUNCATE after another');
is($how->{vector_rows}, 500, 'the same again and again');
is($how->{single_rows}, 5, 'each stands alone');
$source->safe_psql('app', 'TRUNCATE emptied');
$source->safe_psql('app', 'INSERT INTO emptied SELECT i, \'a\' FROM generate_series(1, 100) i');
$how = apply('rows of a later transaction');
is($how->{vector_rows}, 100, 'and in the next transaction');
$source->safe_psql('app', 'VACUUM FULL emptied');
$source->safe_psql('app', 'UPDATE emptied SET v = \'c\'');
$how = apply('rows behind VACUUM FULL');
is($how->{vector_rows}, 100, 'rows behind VACUUM FULL are in vectors');
is(noted($_), $source->safe_psql('app', q{SELECT pg_relation_filenode('emptied')}), "$_: where the rows lie is noted") foreach qw(fast slow);
$source->safe_psql('app', 'ALTER EVENT TRIGGER _portage_ddl_end DISABLE; ALTER TABLE emptied ADD w int DEFAULT 7;'
	. ' ALTER EVENT TRIGGER _portage_ddl_end ENABLE ALWAYS');
$source->safe_psql('app', 'UPDATE emptied SET v = \'d\' WHERE id <= 10');
$how = apply('a column that is added afterwards');
is($how->{single_rows}, 10, 'a new column: row by row, once');
$source->safe_psql('app', 'BEGIN; TRUNCATE emptied; INSERT INTO emptied SELECT i, \'e\', i FROM generate_series(1, 100) i; COMMIT');
$how = apply('a TRUNCATE behind it');
is($how->{vector_rows}, 100, 'and in vectors again');

# The order of the changes matters to a unique value: vectors are refused.
$source->safe_psql('app', 'BEGIN; UPDATE codes SET n = 7 WHERE id > 50; UPDATE codes SET code = \'free\' WHERE id = 10;'
	. ' UPDATE codes SET code = \'c10\' WHERE id = 11; UPDATE codes SET code = \'c11\' WHERE id = 10; COMMIT');
$source->safe_psql('app', 'UPDATE codes SET n = 8 WHERE id > 60');
$how = apply('exchanged unique values');
cmp_ok($how->{refused_plans}, '>', 0, 'a plan was refused');
cmp_ok($how->{serial_rows}, '>', 52, 'and its transaction applied in the order of the source');
cmp_ok($how->{serial_rows}, '<', 60, 'only that one');
is($how->{ordered_rows}, 0, 'once is no reason to keep the table in order');

# Where it goes on to matter, the table is kept in order, and it alone.
my $exchanges = <<'SQL';
DO $$ DECLARE one text; two text; first int; BEGIN
FOR k IN 1 .. 120 LOOP
	first := 12 + k % 40 * 2;
	SELECT code INTO one FROM codes WHERE id = first; SELECT code INTO two FROM codes WHERE id = first + 1;
	UPDATE codes SET code = 'free' WHERE id = first; UPDATE codes SET code = one WHERE id = first + 1;
	UPDATE codes SET code = two WHERE id = first; UPDATE zoo SET f = k WHERE id = k % 40 * 3 + 1;
	COMMIT;
END LOOP; END $$
SQL
$source->safe_psql('app', $exchanges);
$how = apply('values that are exchanged all the time');
cmp_ok($how->{refused_plans}, '<', 40, 'few plans were refused');
cmp_ok($how->{serial_rows}, '<', 40, 'few transactions were applied one by one');
cmp_ok($how->{ordered_rows}, '>', 250, 'the rows of the table were');
is($how->{ordered_rows}, $how->{single_rows}, 'for this reason');
cmp_ok($how->{vector_rows}, '>', 60, 'those of another table were not');
like(portage_ok('status', endpoints($source, $target{fast}), '--name', 'fast')->{out},
	qr/^ +$how->{ordered_rows} rows by themselves because the order within their tables matters$/m, 'which status tells');

# After some batches without such a thing it is back in vectors.
my $process = portage_start('run', endpoints($source, $target{fast}), '--name', 'fast');
$source->safe_psql('app', $exchanges);
wait_for_applied($source, $target{fast}, 'app', 'fast');
my $before = counts('fast');
$source->safe_psql('app', 'UPDATE codes SET n = 9');
wait_for_applied($source, $target{fast}, 'app', 'fast');
cmp_ok(counts('fast')->{ordered_rows}, '>', $before->{ordered_rows} + 50, 'in order still');
my $script = $source->basedir . '/calm.sql';
PostgreSQL::Test::Utils::append_to_file($script, 'UPDATE codes SET n = n + 1 WHERE id = 0;');
my $load = pgbench_start($source, 'app', clients => 1, args => [ '--file' => $script, '--rate' => 60 ]);
wait_for(sub { counts('fast')->{batches} > $before->{batches} + 140 }, 'as many batches');
pgbench_stop($source, $load);
wait_for_applied($source, $target{fast}, 'app', 'fast');
$before = counts('fast');
$source->safe_psql('app', 'UPDATE codes SET n = 10');
wait_for_applied($source, $target{fast}, 'app', 'fast');
is(counts('fast')->{ordered_rows}, $before->{ordered_rows}, 'then not any more');
$process->term;
is($process->wait_exit->{rc}, 0, 'it ends');

# ---- what is written row by row is not written for long in one transaction
$source->safe_psql('app', 'DO $$ BEGIN FOR k IN 1 .. 3000 LOOP UPDATE alone SET b = k WHERE a = k;'
	. ' UPDATE together SET b = k WHERE a = k; COMMIT; END LOOP; END $$');
my %collected = (env => { PG_PORTAGE_FAILPOINT => 'batch-applied:delay=300' });
run('fast', %collected);
run('slow', '--serial', %collected);
my $largest = 'SELECT max(n) FROM (SELECT count(*) AS n FROM (SELECT xmin FROM alone%s) AS r GROUP BY xmin::text) AS t';
cmp_ok($target{fast}->safe_psql('app', sprintf($largest, '')), '<=', 1000, 'rows without a key');
cmp_ok($target{slow}->safe_psql('app', sprintf($largest, ' UNION ALL SELECT xmin FROM together')), '<=', 1000, 'all rows, with --serial');
tables_equal($source, 'app', $target{$_}, 'app', 'public.alone', 'public.together') foreach qw(fast slow);

# ---- a target that is not like the source
sql_as_target($target{$_}, 'app', <<'SQL') foreach qw(fast slow);
ALTER TABLE noidx DROP CONSTRAINT noidx_pkey;
ALTER TABLE codes ADD here text DEFAULT 'by default';
UPDATE codes SET here = 'local';
SQL
$source->safe_psql('app', 'INSERT INTO noidx SELECT i, \'v\' FROM generate_series(1, 50) i; UPDATE noidx SET v = \'w\' WHERE id <= 20;'
	. ' DELETE FROM noidx WHERE id > 40');
run('fast');
run('slow', '--serial');
tables_equal($source, 'app', $target{$_}, 'app', 'public.noidx') foreach qw(fast slow);
$source->safe_psql('app', 'BEGIN; DELETE FROM codes WHERE id BETWEEN 20 AND 29; INSERT INTO codes SELECT i, \'c\' || i, -1 FROM generate_series(20, 29) i;'
	. ' UPDATE codes SET n = 5 WHERE id BETWEEN 30 AND 39; COMMIT');
run('fast');
run('slow', '--serial');
foreach my $name (qw(fast slow))
{
	is( $target{$name}->safe_psql('app', q{SELECT here, count(*), min(n), max(n) FROM codes WHERE id BETWEEN 20 AND 39 GROUP BY 1 ORDER BY 1}),
		"by default|10|-1|-1\nlocal|10|5|5",
		"$name: a row that comes anew has the default of a column that only the target has");
}
sql_as_target($target{$_}, 'app', 'ALTER TABLE codes DROP here') foreach qw(fast slow);

# ---- everything at once
sub number { return int(rand($_[0])) }

sub change
{
	my ($id, $other, $n) = (1 + number(200), 1 + number(200), number(1000));
	my @changes = (
		"INSERT INTO codes VALUES ($id, 'c$n', $n) ON CONFLICT DO NOTHING", "UPDATE codes SET n = n + 1 WHERE id % 7 = $n % 7",
		"UPDATE codes SET id = $other + 2000 WHERE id = $id", "UPDATE codes SET code = 'c$n' WHERE id = $id",
		"DELETE FROM codes WHERE id % 50 = $n % 50", "DELETE FROM codes WHERE id = $id; INSERT INTO codes VALUES ($id, 'd' || $n, $n) ON CONFLICT DO NOTHING",
		"INSERT INTO \"Two Keys\" VALUES (md5('$id')::uuid, 't' || $other % 3, DEFAULT, $n) ON CONFLICT DO NOTHING",
		"UPDATE \"Two Keys\" SET v = v + 1 WHERE \"to\" = 't' || $n % 3", "UPDATE \"Two Keys\" SET \"to\" = 't' || $n % 5 WHERE \"from\" = md5('$id')::uuid AND $n % 4 = 0",
		"DELETE FROM \"Two Keys\" WHERE \"from\" = md5('$id')::uuid", "INSERT INTO keyless SELECT $n % 4, 'k' FROM generate_series(1, $n % 4)",
		"DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless LIMIT 2)", "UPDATE keyless SET b = '$n' WHERE ctid IN (SELECT ctid FROM keyless LIMIT 2)",
		"INSERT INTO late VALUES ($id, $other, $n) ON CONFLICT (other) DO NOTHING", "UPDATE late SET v = v + 1 WHERE other % 3 = $n % 3",
		"UPDATE late SET other = other + 1000 WHERE other = $other", "DELETE FROM late WHERE other % 20 = $n % 20",
		"INSERT INTO history SELECT now(), $n FROM generate_series(1, 20)", "UPDATE zoo SET t = 'u$n' WHERE id % 10 = $n % 10",
		"UPDATE zoo SET big = repeat('$n', 2000) WHERE id = $id", "DELETE FROM zoo WHERE id = $id");
	return $changes[ number(scalar @changes) ] . ";\n";
}
srand($seed);
foreach my $round (1 .. 3)
{
	my $sql = '';
	foreach (1 .. 300)
	{
		my $changes = join('', map { change() } 0 .. number(8));
		$sql .= "BEGIN;\n$changes" . (number(20) ? "COMMIT;\n" : "ROLLBACK;\n");
	}
	$source->psql('app', $sql . zoo(1000 * $round, 1000 * $round + 300) . <<"SQL", on_error_stop => 0);
-- so that none is empty
INSERT INTO codes VALUES (100000 + $round, 'last$round', 0); INSERT INTO keyless VALUES ($round, 'last');
INSERT INTO "Two Keys" VALUES (md5('last')::uuid, 'last$round', DEFAULT, 0); INSERT INTO late VALUES (100000 + $round, 100000 + $round, 0);
SQL
	$how = apply("random changes, round $round");
	cmp_ok($how->{vector_rows}, '>', 1000, "round $round: in vectors");
	cmp_ok($how->{batches}, '<', 60, "round $round: of many transactions each");
}

# ---- a row that somebody has changed is named, out of the middle of a batch
sql_as_target($target{fast}, 'app', 'DELETE FROM zoo WHERE id = 3100');
$source->safe_psql('app', "UPDATE zoo SET t = 'before' WHERE id < 3000");
$source->safe_psql('app', 'BEGIN; UPDATE zoo SET t = \'gone\' WHERE id > 3000; COMMIT');
$source->safe_psql('app', "UPDATE zoo SET t = 'behind' WHERE id < 3000");
my $result = portage_fails(4, 'run', endpoints($source, $target{fast}), '--name', 'fast', '--until', 'caught-up');
error_ok($result, 'P0412', qr/0 rows were changed instead of one/, 'a row that is not there');
like($result->{err}, qr/detail: .*\(id\)=\(3100\)/, 'which is named');
is($target{fast}->safe_psql('app', q{SELECT count(*) FROM zoo WHERE t IN ('gone', 'behind')}),
	0, 'nothing of its transaction is applied, or of what is behind it');
run('slow', '--serial');
sql_as_target($target{fast}, 'app', zoo(3100, 3100) =~ s/\(id, /(/r);
run('fast');
tables_equal($source, 'app', $target{$_}, 'app', @tables) foreach qw(fast slow);

my $row = counts('slow');
is($row->{vector_rows}, 0, 'serial: nothing was in a vector');
cmp_ok($row->{single_rows}, '>', 1000, 'serial: everything by itself');
done_testing();
