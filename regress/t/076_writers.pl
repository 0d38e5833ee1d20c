# Several writers: the target is a prefix of the source at every moment, comes
# to the same rows as with one writer, and stays so if the applier is killed
# anywhere between the first and the last commit of its batches.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', fsync => 0);
my %target = map { $_ => target_new($_, fsync => 0) } qw(one four);
my %writers = (one => 1, four => 4);
my @tables = map { "public.$_" } qw(pgbench_accounts pgbench_branches pgbench_tellers
  pgbench_history codes keyless parents children);

pgbench_init($source, 'app', scale => 2);
$source->safe_psql('app', <<'SQL');
CREATE TABLE codes (id int PRIMARY KEY, code text UNIQUE, n int);
CREATE TABLE keyless (a int, b text); ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE TABLE parents (id int PRIMARY KEY, n int);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents);
INSERT INTO codes SELECT i, 'c' || i, 0 FROM generate_series(1, 200) i;
INSERT INTO parents SELECT i, 0 FROM generate_series(1, 200) i;
INSERT INTO children SELECT i, i FROM generate_series(1, 200) i;
SQL

sub run_arguments
{
	my ($name) = @_;
	return ('run', endpoints($source, $target{$name}), '--name', $name, '--writers', $writers{$name});
}

# pgbench's transactions, and others that writers have to keep in order: unique
# values that are exchanged, keys that move, rows without a key, TRUNCATE.
my $script = $source->basedir . '/others.sql';
PostgreSQL::Test::Utils::append_to_file($script, <<'SQL');
\set id random(1, 200)
\set other random(1, 200)
\set what random(1, 60)
BEGIN;
UPDATE codes SET n = n + 1 WHERE id = :id;
UPDATE codes SET code = 'x' || pg_backend_pid() WHERE id = :id AND :what < 20;
UPDATE codes SET code = 'c' || :id WHERE id = :id AND :what < 20;
UPDATE parents SET n = n + 1 WHERE id = :id;
DELETE FROM children WHERE id = :id AND :what > 40;
INSERT INTO children VALUES (:id, :other) ON CONFLICT (id) DO UPDATE SET parent = excluded.parent;
INSERT INTO keyless VALUES (:id % 5, 'k');
DELETE FROM keyless WHERE ctid = (SELECT ctid FROM keyless LIMIT 1) AND :what > 20;
COMMIT;
SQL

sub load_start
{
	my ($rate) = @_;
	return map {
		pgbench_start($source, 'app', clients => 2, args => [ @{$_}, $rate ? ('--rate', $rate) : () ])
	} [], [ '--file' => $script ];
}

# Sums that every transaction of pgbench keeps equal; the rows of a table are
# read at one moment, all four of them in one snapshot.
sub sums
{
	my ($name) = @_;
	return $target{$name}->safe_psql('app', q{SELECT (SELECT sum(abalance) FROM pgbench_accounts),
		(SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers),
		(SELECT coalesce(sum(delta), 0) FROM pgbench_history)});
}

my ($looked, $broken, $moved, $last) = (0, 0, 0, '');
sub look
{
	my ($name) = @_;
	my $sums = sums($name);
	my %different = map { $_ => 1 } split(/\|/, $sums);
	$looked++;
	$moved++ if $sums ne $last;
	$last = $sums;
	$broken++ && diag($sums) if keys %different > 1;
	return $sums;
}

portage_ok(run_arguments($_), '--until', 'caught-up') foreach keys %target;

# ---- a backlog, and then the stream itself, with somebody who looks on
my @load = load_start();
wait_for(
	sub { $source->safe_psql('app', 'SELECT count(*) FROM pgbench_history') > 3000 },
	'a backlog');
my $process = portage_start(run_arguments('four'));
my $until = time + 15;
while (time < $until || $moved < 20)
{
	look('four');
	last unless $process->running && $until + 300 > time;
}
ok($process->running, 'it runs') || diag($process->stderr);
$_->term foreach @load;
pgbench_stop($source, $_) foreach @load;
cmp_ok($moved, '>=', 20, "the target was looked at while it changed ($moved times of $looked)");
is($broken, 0, 'and was a prefix of the source each time');
wait_for_applied($source, $target{four}, 'app', 'four');
$process->term;
is($process->wait_exit->{rc}, 0, 'it ends');
unlike($process->stderr, qr/error:|warning:/, 'without a word of complaint');

portage_ok(run_arguments('one'), '--until', 'caught-up');
tables_equal($source, 'app', $target{$_}, 'app', @tables) foreach qw(one four);
my $row = progress_row($target{four}, 'app', 'four');
cmp_ok($row->{vector_rows}, '>', $row->{single_rows}, 'most rows were in vectors');

# ---- killed where batches overlap, and in between
foreach my $point (qw(batch-begun:9 early-applied:1 early-applied:4 batch-applied:3 batch-applied:6
	progress-updated:2 progress-updated:5 batch-committed:2 batch-committed:3 batch-durable:2))
{
	my ($name, $nth) = split(/:/, $point);
	@load = load_start();
	my $before = $source->safe_psql('app', 'SELECT count(*) FROM pgbench_history');
	wait_for(
		sub { $source->safe_psql('app', 'SELECT count(*) FROM pgbench_history') > $before + 1500 },
		'a backlog');
	$process = portage_start(run_arguments('four'),
		env => { PG_PORTAGE_FAILPOINT => "$name:kill:$nth" });
	my $end = $process->wait_exit(300);
	is($end->{signal}, 9, "killed at $point") || diag($process->stderr);
	look('four');
	$_->term foreach @load;
	pgbench_stop($source, $_) foreach @load;
	portage_ok(run_arguments('four'), '--until', 'caught-up');
	tables_equal($source, 'app', $target{four}, 'app', @tables);
}
is($broken, 0, 'the target was a prefix after each kill');
portage_ok(run_arguments('one'), '--until', 'caught-up');
tables_equal($source, 'app', $target{one}, 'app', @tables);

# ---- a transaction larger than a batch, between small ones
$source->safe_psql('app', 'UPDATE parents SET n = n + 1');
$source->safe_psql('app', 'INSERT INTO keyless SELECT i, \'large\' FROM generate_series(1, 120000) i');
$source->safe_psql('app', 'UPDATE parents SET n = n + 1');
$source->safe_psql('app', 'TRUNCATE keyless');
$source->safe_psql('app', 'INSERT INTO keyless SELECT i, \'again\' FROM generate_series(1, 10) i');
portage_ok(run_arguments($_), '--until', 'caught-up') foreach keys %target;
tables_equal($source, 'app', $target{$_}, 'app', @tables) foreach keys %target;
done_testing();
