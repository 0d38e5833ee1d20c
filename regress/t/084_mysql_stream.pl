# The stream to a MySQL target: in vectors to one database, change by change to
# another, by four writers to a third, all of the same source. Random
# transactions; PORTAGE_SEED=N repeats them. What is on the targets is compared
# with the source value by value.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
diag("PORTAGE_SEED=$seed");

my %how = (fast => [], slow => ['--serial'], many => [ '--writers', 4 ]);
my @names = sort keys %how;
my $source = source_new('source', fsync => 0);
my $target = mysql_new('target', databases => \@names);
my @tables = map { "public.$_" } qw(zoo codes twokeys keyless history emptied late other computed parts nothing);

$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'ok, then', 'NULL');
CREATE TABLE zoo (id int PRIMARY KEY, m mood, n numeric(20, 5), big numeric(60, 20), t text, f float8, b bytea, yes bool, d date, ts timestamp(3),
	tz timestamptz, tm time, u uuid, j jsonb, js json, a int[], c char(5), v varchar(9), bits bit(12), long text);
ALTER TABLE zoo ALTER long SET STORAGE EXTERNAL;
CREATE TABLE codes (id int PRIMARY KEY, code varchar(40) UNIQUE, n int);
CREATE TABLE twokeys ("from" uuid, "to" varchar(60), n int GENERATED ALWAYS AS IDENTITY, v int, PRIMARY KEY ("from", "to"));
CREATE TABLE keyless (a int, b text, c numeric(10,2), d timestamptz, j jsonb); ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE TABLE emptied (id int PRIMARY KEY, v text);
CREATE TABLE late (id int PRIMARY KEY, other int NOT NULL UNIQUE, v int);
ALTER TABLE late REPLICA IDENTITY USING INDEX late_other_key;
CREATE TABLE history (at timestamptz, delta int);
CREATE TABLE other (at timestamp(6), d date, n numeric(30, 10), m mood, b bytea, v int, PRIMARY KEY (at, d, n, m));
CREATE TABLE computed (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, odd text GENERATED ALWAYS AS (md5(a::text)) STORED);
CREATE TABLE parts (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts2 (v text, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id, k)); ALTER TABLE parts ATTACH PARTITION parts2 FOR VALUES IN (2);
CREATE TABLE parts3 PARTITION OF parts FOR VALUES IN (3);
CREATE TABLE nothing (id int PRIMARY KEY);
INSERT INTO codes VALUES (0, 'none', 0); INSERT INTO twokeys VALUES (md5('')::uuid, '', DEFAULT, 0);
INSERT INTO keyless VALUES (0, ''); INSERT INTO late VALUES (0, 0, 0); INSERT INTO history VALUES ('epoch', 0);
INSERT INTO emptied VALUES (0, ''); INSERT INTO zoo (id) VALUES (9999); INSERT INTO other VALUES ('epoch', 'epoch', 0, 'sad', '', 0);
INSERT INTO computed VALUES (0, 0); INSERT INTO parts VALUES (0, 1, 'first'); INSERT INTO nothing VALUES (0);
SQL

sub endpoints_of
{
	my ($name) = @_;
	return ('--source', source_url($source, 'app'), '--target', $target->url($name), '--name', $name);
}

sub run
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return portage_ok('run', endpoints_of($name), '--until', 'caught-up', $how{$name}->@*);
}

my @counts = qw(batches vector_rows single_rows refused_plans serial_rows ordered_rows);

sub counts
{
	my ($name) = @_;
	my %row;
	@row{@counts} = $target->row($name, 'SELECT ' . join(', ', @counts) . ' FROM portage_progress');
	return \%row;
}

sub same
{
	my ($what, @these) = @_;
	my @compared = @these ? map { "public.$_" } @these : @tables;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	contents_equal($source, 'app', $target, $_, tables => \@compared) || diag("$what: $_") foreach @names;
	return;
}

# Everything that is new, everywhere, in these tables; what the vectors were is
# returned.
sub apply
{
	my ($what, @these) = @_;
	my $before = counts('fast');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	run($_) foreach @names;
	same($what, @these);
	my $after = counts('fast');
	return { map { $_ => $after->{$_} - $before->{$_} } @counts };
}

run($_) foreach @names;
same('the copy');

# ---- values of every kind, as rows of vectors
sub zoo
{
	my ($from, $to) = @_;
	return <<"SQL";
INSERT INTO zoo SELECT i, (enum_range(NULL::mood))[1 + i % 3], i / 7.0, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 10 ^ (i % 39)::numeric ELSE -10 ^ -(i % 20)::numeric END,
	CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'NULL' WHEN 3 THEN E'\\\\N' WHEN 4 THEN E'tab\\there\\nand "quotes" it''s\\r\\\\.\\v\\f' ELSE 'x{y,z}' || i || E'\\u00df\\U0001F600' END,
	(ARRAY['0', '1e-300', '0.1', '1.7976931348623157e308', '123456789.125', '3e-300'])[1 + i % 6]::float8, CASE WHEN i % 9 > 0 THEN decode(md5(i::text) || '00275c0a1a09', 'hex') END,
	i % 3 = 0, '0001-01-01'::date + i * 71, '1899-12-31 23:59:59.999'::timestamp + i * interval '37.001 days', to_timestamp(i * 86399.25),
	time '00:00' + i * interval '77.000001 s', md5(i::text)::uuid, jsonb_build_object('k', i, 'q', E'\\\\"', 'a', ARRAY[1, i]), ('{"i" : ' || i || '}')::json,
	CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[i, NULL, -i] END, 'c' || i % 100, 'v' || i % 1000, (i % 4096)::bit(12),
	CASE WHEN i % 10 = 0 THEN repeat(md5(i::text), 100) ELSE 'short' END FROM generate_series($from, $to) i;
SQL
}
$source->safe_psql('app', zoo(1, 500));
my $how = apply('inserts', 'zoo');
is($how->{vector_rows}, 500, 'rows of every type are inserted in vectors');
is($how->{single_rows}, 0, 'none by itself');
$source->safe_psql('app', zoo(501, 530));
$how = apply('a few inserts', 'zoo');
is($how->{vector_rows}, 30, 'a few, too');
$source->safe_psql('app', q{UPDATE zoo SET t = t || '!''\', v = NULL, n = -n, big = big * 2, b = b || '\x5c22', f = f / 2, m = 'sad', yes = NOT yes, d = d + 1, ts = ts + interval '1 ms',
	tz = tz - interval '1 us', tm = NULL, u = md5(u::text)::uuid, j = j || '{"n": null}', js = '[]', a = a || 7, c = 'x', bits = ~bits WHERE id % 10 > 0 AND id < 9999});
$how = apply('updates', 'zoo');
is($how->{vector_rows}, 477, 'and updated');
$source->safe_psql('app', q{UPDATE zoo SET f = 1, c = 'yy' WHERE id % 2 = 0});
$how = apply('updates without large values', 'zoo');
is($how->{vector_rows}, 265, 'and updated, where large values are not in the WAL');
$source->safe_psql('app', q{UPDATE zoo SET t = 'one', b = '\x27' WHERE id = 7; UPDATE zoo SET f = 2 WHERE id = 10});
apply('single updates', 'zoo');
$source->safe_psql('app', 'DELETE FROM zoo WHERE id % 3 = 0 AND id < 9999');
$how = apply('deletes', 'zoo');
is($how->{vector_rows}, 176, 'and deleted');
is($how->{refused_plans}, 0, 'no plan was refused');

# ---- keys of all kinds
$source->safe_psql('app', <<'SQL');
INSERT INTO twokeys ("from", "to", v) SELECT md5((i / 6)::text)::uuid, (ARRAY['a', 'A', 'a ', 'ä', 'ae', ''])[1 + i % 6], i FROM generate_series(1, 600) i;
INSERT INTO other SELECT '2000-01-01'::timestamp + i * interval '1.000001 s', date '2000-01-01' + i % 7, i / 4.0, (enum_range(NULL::mood))[1 + i % 3], decode(to_hex(i + 256), 'escape'), i FROM generate_series(1, 300) i;
INSERT INTO codes SELECT i, 'c' || i, 0 FROM generate_series(1, 100) i;
INSERT INTO late SELECT i, i * 10, 0 FROM generate_series(1, 100) i;
INSERT INTO computed SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO nothing SELECT i FROM generate_series(1, 10) i;
SQL
$how = apply('keys of all kinds', qw(twokeys other late codes computed nothing));
$source->safe_psql('app', 'UPDATE twokeys SET v = -v WHERE v > 100; UPDATE other SET v = -v, b = NULL; UPDATE late SET v = v + 1 WHERE id > 20;'
	. ' UPDATE computed SET a = a + 1; UPDATE nothing SET id = id WHERE id > 5');
$how = apply('updates by them', qw(twokeys other late codes computed nothing));
is($how->{single_rows}, 0, 'in vectors');
$source->safe_psql('app', 'DELETE FROM twokeys WHERE v < -300; DELETE FROM other WHERE v < -100; DELETE FROM late WHERE id % 3 = 0; DELETE FROM nothing WHERE id % 2 = 0');
$how = apply('deletes by them', qw(twokeys other late nothing));
is($how->{single_rows}, 0, 'in vectors');
is($how->{refused_plans}, 0, 'none was refused');

# ---- changes of one row become one
$source->safe_psql('app', q{BEGIN; INSERT INTO codes VALUES (201, 'x', 0); UPDATE codes SET n = 1 WHERE id = 201; UPDATE codes SET n = 2 WHERE id BETWEEN 1 AND 10;
	UPDATE codes SET n = n + 1 WHERE id BETWEEN 5 AND 10; DELETE FROM codes WHERE id = 10; DELETE FROM codes WHERE id = 11; INSERT INTO codes VALUES (11, 'new', 5);
	INSERT INTO codes VALUES (202, 'y', 0); DELETE FROM codes WHERE id = 202; UPDATE zoo SET long = 'other' WHERE id = 10; UPDATE zoo SET f = 3 WHERE id = 10; COMMIT});
$how = apply('folded', qw(codes zoo));
is($how->{refused_plans}, 0, 'folded changes');

# ---- what keeps its place
$source->safe_psql('app', q{INSERT INTO keyless SELECT i % 5, 'same', i % 3 * 1.10, to_timestamp(i % 2), jsonb_build_object('a', i % 2) FROM generate_series(1, 100) i;
	INSERT INTO history SELECT now(), i FROM generate_series(1, 100) i});
$how = apply('rows without a key', qw(keyless history));
is($how->{vector_rows}, 200, 'rows without a key are inserted in vectors');
$source->safe_psql('app', 'DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 1 LIMIT 3);'
	. q{ UPDATE keyless SET b = 'Same' WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 2 LIMIT 2);}
	. q{ UPDATE keyless SET b = 'same ' WHERE ctid IN (SELECT ctid FROM keyless WHERE a = 3 LIMIT 2)});
$how = apply('rows without a key, changed', 'keyless');
is($how->{single_rows}, 7, 'and found one by one');
$source->safe_psql('app', q{UPDATE keyless SET b = 'same' WHERE b = 'Same'; UPDATE keyless SET c = NULL, j = NULL WHERE b = 'same '; DELETE FROM keyless WHERE b = 'same ' AND ctid <> (SELECT min(ctid) FROM keyless WHERE b = 'same ')});
apply('rows without a key, by every byte', 'keyless');
$source->safe_psql('app', 'UPDATE codes SET id = id + 1000, n = 1 WHERE id BETWEEN 1 AND 5; INSERT INTO codes VALUES (1, \'new1\', 2);'
	. ' UPDATE codes SET n = n + 10 WHERE id IN (1, 1001); UPDATE late SET other = other + 1 WHERE id = 20; UPDATE twokeys SET "to" = upper("to") WHERE v = 50');
$how = apply('changed keys', qw(codes late twokeys));
cmp_ok($how->{single_rows}, '>=', 6, 'changed keys keep their place');

# ---- partitions are one table there, between which rows move
$source->safe_psql('app', q{INSERT INTO parts SELECT i, 1 + i % 3, 'v' || i FROM generate_series(1, 300) i});
$how = apply('rows of partitions', 'parts');
is($how->{vector_rows}, 300, 'rows of partitions are in vectors');
$source->safe_psql('app', q{UPDATE parts SET v = v || '!' WHERE id % 2 = 0; DELETE FROM parts WHERE id % 5 = 0});
$how = apply('changed', 'parts');
is($how->{single_rows}, 0, 'changed in vectors');
$source->safe_psql('app', q{UPDATE parts SET k = 2 WHERE k = 1; UPDATE parts SET k = 3 WHERE k = 2 AND id > 150; UPDATE parts SET v = 'moved' WHERE id < 30});
$how = apply('moved', 'parts');
is($how->{refused_plans}, 0, 'and moved');

# ---- TRUNCATE; where the rows lie then is noted
sub noted
{
	my ($name) = @_;
	return $target->value($name, q{SELECT storage FROM portage_relation WHERE table_name = 'emptied'});
}
$source->safe_psql('app', 'BEGIN; UPDATE emptied SET v = \'away\'; TRUNCATE emptied, history; INSERT INTO history VALUES (\'epoch\', 0); INSERT INTO emptied SELECT i, \'a\' FROM generate_series(1, 100) i; COMMIT');
$source->safe_psql('app', 'UPDATE emptied SET v = \'b\' WHERE id <= 50');
$how = apply('rows behind a TRUNCATE', qw(emptied history));
is($how->{vector_rows}, 152, 'rows behind a TRUNCATE are in vectors');
is($how->{single_rows}, 1, 'it stands alone');
is(noted($_), $source->safe_psql('app', q{SELECT pg_relation_filenode('emptied')}), "$_: where the rows lie is noted") foreach @names;
$source->safe_psql('app', 'TRUNCATE parts; INSERT INTO parts VALUES (1, 1, \'new\')');
apply('all partitions are emptied', 'parts');

# ---- the order of the changes matters to a unique value: vectors are refused
$source->safe_psql('app', 'BEGIN; UPDATE codes SET n = 7 WHERE id > 50; UPDATE codes SET code = \'free\' WHERE id = 20;'
	. ' UPDATE codes SET code = \'c20\' WHERE id = 21; UPDATE codes SET code = \'c21\' WHERE id = 20; COMMIT');
$source->safe_psql('app', 'UPDATE codes SET n = 8 WHERE id > 60');
$how = apply('exchanged unique values', 'codes');
cmp_ok($how->{refused_plans}, '>', 0, 'a plan was refused');
cmp_ok($how->{serial_rows}, '>', 50, 'and its transaction applied in the order of the source');
cmp_ok($how->{serial_rows}, '<', 70, 'only that one');

# ---- a target that is not like the source: no key there, a column of its own
foreach my $name (@names)
{
	$target->query($name, 'ALTER TABLE emptied DROP PRIMARY KEY');
	$target->query($name, q{ALTER TABLE codes ADD here varchar(20) DEFAULT 'by default'});
	$target->query($name, q{UPDATE codes SET here = 'local'});
}
$source->safe_psql('app', 'INSERT INTO emptied SELECT i, \'v\' FROM generate_series(201, 250) i; UPDATE emptied SET v = \'w\' WHERE id <= 20; DELETE FROM emptied WHERE id > 240');
$source->safe_psql('app', 'BEGIN; DELETE FROM codes WHERE id BETWEEN 30 AND 39; INSERT INTO codes SELECT i, \'c\' || i, -1 FROM generate_series(30, 39) i; UPDATE codes SET n = 5 WHERE id BETWEEN 40 AND 49; COMMIT');
run($_) foreach @names;
foreach my $name (@names)
{
	is_deeply([ $target->rows($name, q{SELECT here, count(*), min(n), max(n) FROM codes WHERE id BETWEEN 30 AND 49 GROUP BY here ORDER BY here}) ],
		[ [ 'by default', 10, -1, -1 ], [ 'local', 10, 5, 5 ] ],
		"$name: a row that comes anew has the default of a column that only the target has");
	$target->query($name, 'ALTER TABLE codes DROP here');
	$target->query($name, 'ALTER TABLE emptied ADD PRIMARY KEY (id)');
}
same('afterwards', qw(codes emptied));

# ---- everything at once
sub number { return int(rand($_[0])) }

sub change
{
	my ($id, $other, $n) = (1 + number(200), 1 + number(200), number(1000));
	my @changes = (
		"INSERT INTO codes VALUES ($id, 'c$n', $n) ON CONFLICT DO NOTHING", "UPDATE codes SET n = n + 1 WHERE id % 7 = $n % 7",
		"UPDATE codes SET id = $other + 2000 WHERE id = $id", "UPDATE codes SET code = 'c$n' WHERE id = $id",
		"DELETE FROM codes WHERE id % 50 = $n % 50", "DELETE FROM codes WHERE id = $id; INSERT INTO codes VALUES ($id, 'd' || $n, $n) ON CONFLICT DO NOTHING",
		"INSERT INTO twokeys VALUES (md5('$id')::uuid, 't' || $other % 3, DEFAULT, $n) ON CONFLICT DO NOTHING",
		"UPDATE twokeys SET v = v + 1 WHERE \"to\" = 't' || $n % 3", "UPDATE twokeys SET \"to\" = 't' || $n % 5 WHERE \"from\" = md5('$id')::uuid AND $n % 4 = 0",
		"DELETE FROM twokeys WHERE \"from\" = md5('$id')::uuid", "INSERT INTO keyless SELECT $n % 4, 'k' FROM generate_series(1, $n % 4)",
		"DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless LIMIT 2)", "UPDATE keyless SET b = '$n' WHERE ctid IN (SELECT ctid FROM keyless LIMIT 2)",
		"INSERT INTO late VALUES ($id, $other, $n) ON CONFLICT DO NOTHING", "UPDATE late SET v = v + 1 WHERE other % 3 = $n % 3",
		"UPDATE late SET other = other + 1000 WHERE other = $other", "DELETE FROM late WHERE other % 20 = $n % 20",
		"INSERT INTO history SELECT now(), $n FROM generate_series(1, 20)", "UPDATE zoo SET t = 'u$n' WHERE id % 10 = $n % 10",
		"UPDATE zoo SET long = repeat('$n', 2000) WHERE id = $id", "DELETE FROM zoo WHERE id = $id",
		"INSERT INTO parts VALUES ($id, 1 + $n % 3, 'p$n') ON CONFLICT DO NOTHING", "UPDATE parts SET k = 1 + $n % 3 WHERE id = $id AND NOT EXISTS (SELECT FROM parts WHERE id = $id AND k = 1 + $n % 3)",
		"UPDATE parts SET v = '$n' WHERE id % 20 = $n % 20", "DELETE FROM parts WHERE id % 30 = $n % 30",
		"UPDATE computed SET a = a + $n WHERE id % 10 = $n % 10", "UPDATE other SET n = n + 0.5 WHERE v % 10 = $n % 10");
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
INSERT INTO twokeys VALUES (md5('last')::uuid, 'last$round', DEFAULT, 0); INSERT INTO late VALUES (100000 + $round, 100000 + $round, 0);
INSERT INTO parts VALUES (100000 + $round, $round, 'last');
SQL
	$how = apply("random changes, round $round");
	cmp_ok($how->{vector_rows}, '>', 1000, "round $round: in vectors");
	cmp_ok($how->{batches}, '<', 60, "round $round: of many transactions each");
}

# ---- a row that somebody has changed is named, out of the middle of a batch
$target->query('fast', 'DELETE FROM zoo WHERE id = 3100');
$source->safe_psql('app', "UPDATE zoo SET t = 'before' WHERE id < 3000");
$source->safe_psql('app', 'BEGIN; UPDATE zoo SET t = \'gone\' WHERE id > 3000; COMMIT');
$source->safe_psql('app', "UPDATE zoo SET t = 'behind' WHERE id < 3000");
my $result = portage_fails(4, 'run', endpoints_of('fast'), '--until', 'caught-up');
error_ok($result, 'P0412', qr/0 rows were changed instead of one/, 'a row that is not there');
like($result->{err}, qr/detail: .*\(id\)=\(3100\)/, 'which is named');
is($target->value('fast', q{SELECT count(*) FROM zoo WHERE t IN ('gone', 'behind')}),
	0, 'nothing of its transaction is applied, or of what is behind it');
$target->query('fast', 'INSERT INTO zoo SELECT 3100, m, n, big, t, f, b, yes, d, ts, tz, tm, u, j, js, a, c, v, bits, `long` FROM many.zoo WHERE id = 3100');
$target->query('fast', 'INSERT INTO codes VALUES (300000, \'taken\', 0)');
$source->safe_psql('app', 'INSERT INTO codes VALUES (200001, \'taken\', 0)');
$result = portage_fails(4, 'run', endpoints_of('fast'), '--until', 'caught-up');
error_ok($result, 'P0413', qr/taken/, 'a unique value that somebody has taken');
like($result->{err}, qr/detail: .*\(id\)=\(200001\)/, 'the row is named');
$target->query('fast', 'DELETE FROM codes WHERE id = 300000');
run($_) foreach @names;
same('in the end');

# ---- a lock that somebody holds: waited for, given up, tried again
my $locker = $target->session('many');
$locker->run('BEGIN');
$locker->run('UPDATE codes SET n = n WHERE id = 100003');
$source->safe_psql('app', 'UPDATE codes SET n = 77 WHERE id = 100003');
$source->safe_psql('app', 'UPDATE zoo SET f = 77 WHERE id > 3000');
my $process = portage_start('run', endpoints_of('many'), $how{many}->@*, '--until', 'caught-up');
wait_for(sub { $process->stderr =~ /Lock wait timeout/ }, 'a lock that is not granted');
$locker->run('ROLLBACK');
is($process->wait_exit->{rc}, 0, 'a lock is waited for');
run($_) foreach qw(fast slow);
same('behind it', qw(codes zoo));

my $row = counts('slow');
is($row->{vector_rows}, 0, 'serial: nothing was in a vector');
cmp_ok($row->{single_rows}, '>', 1000, 'serial: everything by itself');
done_testing();
