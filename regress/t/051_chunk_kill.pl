# The applier is killed again and again while it copies tables in pieces, at
# failpoints and at random moments, and the source is written to all the time:
# rows move between the pieces, come, go and keep large values. In the end both
# sides hold the same rows.
#
# ROUNDS is how many kills in the copy have to count (30), PORTAGE_SEED repeats
# a choice of moments.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{ROUNDS} // 30;
my $seed = $ENV{PORTAGE_SEED} // int(Time::HiRes::time() * 1000) % 1_000_000;
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

# statistics are not to change: they decide how a table is split
my $source = source_new('source', fsync => 0, conf => 'autovacuum = off');
my $target = target_new('target',
	databases => [],
	replica_role => 1,
	fsync => 0);
my %kind = (
	acc => 'keys',
	words => 'keys',
	wide => 'keys',
	heap => 'blocks',
	shuffled => 'blocks');
my @torn = grep { $kind{$_} eq 'keys' } sort keys %kind;
my @tables = map { "public.$_" } sort(keys %kind), 'child';
my @points = qw(copy-started:2 copy-loaded:2 copy-before-commit:2
  copy-committed:1 copy-committed:2 copy-committed:3 copy-committed:5
  ddl-before-commit ddl-committed copy-reset target-connected:2
  source-connected:3 epoch-bumped);
my $counted = 0;
my $round = 0;
my $migration = 0;
my %mixed;    # tables that were ever in pieces of several snapshots

# acc, words and wide are split by keys, the others by blocks. The sign of a
# key says in which half of the ranges its row is.
$source->safe_psql('app', <<'SQL');
CREATE TABLE acc (id bigint PRIMARY KEY, v int NOT NULL, code text UNIQUE,
	body text);
CREATE INDEX acc_v ON acc (v);
CREATE TABLE words (word text COLLATE "C", n int, v int, body text,
	PRIMARY KEY (word, n));
CREATE TABLE wide (id int PRIMARY KEY, n int NOT NULL, body text);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
ALTER TABLE wide REPLICA IDENTITY FULL;
CREATE TABLE heap (id int, n int NOT NULL, body text);
ALTER TABLE heap REPLICA IDENTITY FULL;
CREATE TABLE shuffled (id int PRIMARY KEY, n int NOT NULL, body text);
CREATE TABLE child (id bigint PRIMARY KEY,
	acc bigint REFERENCES acc ON UPDATE CASCADE ON DELETE CASCADE);
CREATE SEQUENCE fresh START 100000;
INSERT INTO acc SELECT id, 0, 'code ' || abs(id), repeat('a', 60)
	FROM (SELECT CASE i % 2 WHEN 0 THEN i ELSE -i END AS id
		FROM generate_series(1, 3000) i) AS s ORDER BY id;
INSERT INTO words SELECT chr(65 + i % 50), i, 0, repeat('w', 60)
	FROM generate_series(0, 2499) i ORDER BY 1, 2;
INSERT INTO wide SELECT id, 0, repeat(md5(id::text), 80)
	FROM (SELECT CASE i % 2 WHEN 0 THEN i ELSE -i END AS id
		FROM generate_series(1, 200) i) AS s ORDER BY id;
INSERT INTO heap SELECT i, 0, repeat('h', 60) FROM generate_series(1, 2000) i;
INSERT INTO shuffled SELECT (i * 7919) % 2003 + 1, 0, repeat('s', 60)
	FROM generate_series(0, 1999) i;
INSERT INTO child SELECT abs(id), id FROM acc WHERE id % 10 = 0;
ANALYZE;
SQL

my $script = PostgreSQL::Test::Utils::tempdir() . '/churn.sql';
append_to_file($script, <<'SQL');
\set a random(1, 3000)
\set b random(1, 200)
\set c random(1, 2000)
BEGIN;
UPDATE acc SET id = -id, v = v + 1 WHERE id IN (:a, -:a);
UPDATE acc SET code = NULL WHERE id IN (:c, -:c);
UPDATE acc SET code = 'code ' || :c WHERE id = (SELECT max(id) FROM acc
	WHERE id > 99999) AND NOT EXISTS (SELECT FROM acc WHERE code = 'code ' || :c);
INSERT INTO acc VALUES (nextval('fresh') * (1 - 2 * (:a % 2)), 0, NULL, 'new');
DELETE FROM acc WHERE id = (SELECT min(id) FROM acc WHERE id > 99999)
	AND id < currval('fresh') - 20;
UPDATE words SET word = chr(65 + :b % 50), v = v + 1 WHERE n = :c;
UPDATE wide SET id = -id, n = n + 1 WHERE id IN (:b, -:b);
UPDATE wide SET body = repeat(md5(:a::text), 90) WHERE id = :b - 100;
UPDATE heap SET n = n + 1 WHERE id = :c;
DELETE FROM heap WHERE id = :a;
INSERT INTO heap SELECT :a, :b, repeat('n', :b) WHERE :a % 3 > 0;
UPDATE shuffled SET id = -id, n = n + 1 WHERE id IN (:c, -:c);
COMMIT;
SQL
my $load;

sub load_start
{
	$load = pgbench_start(
		$source, 'app',
		clients => 2,
		args => [ '--rate' => 60, '--max-tries' => 100, '--file' => $script ]);
	return;
}

sub run_arguments
{
	return ('run', endpoints($source, $target), '--split-over', '64kB', @_);
}

sub jobs
{
	return ('--jobs', 2 + int(rand(3)));
}

sub churned
{
	return $source->safe_psql('app', 'SELECT sum(n) FROM shuffled');
}

sub phase
{
	my $row = progress_row($target, 'app', 'app');
	return $row ? $row->{phase} : 'none';
}

# Killed at a failpoint, or after a while in which steps take a little longer.
sub kill_round
{
	my ($point) = @_;
	my $failpoint =
		$point
	  ? $point =~ s/\A([^:]+)/$1:kill/r
	  : 'copy-loaded:delay=60:*,copy-committed:delay=40:*';
	my $due = Time::HiRes::time() + ($point ? 60 : 0.2 + rand(1));

	# a point may not be on the way any more
	return kill_when(
		sub {
			Time::HiRes::time() >= $due || ($point && phase() eq 'stream');
		},
		$point // 'at random',
		$failpoint,
		jobs());
}

# Killed when some pieces of a table are done and others are not. One worker
# takes them in turn and stops after each until it was looked at, so the moment
# cannot be missed.
sub kill_within
{
	my ($table) = @_;

	return kill_when(
		sub {
			my ($process) = @_;
			return 0 if $process->state ne 'T';
			return 1 if copied_in_part($table);
			$process->signal('CONT');
			return 0;
		},
		"within $table",
		'copy-committed:stop:*',
		'--jobs', 1);
}

sub copied_in_part
{
	my ($table) = @_;

	return ($target->psql('app', <<"SQL"))[1] eq 't';
SELECT count(*) > count(*) FILTER (WHERE state = 'done')
	AND count(*) FILTER (WHERE state = 'done') > 0
FROM portage.chunk WHERE table_name = '$table'
SQL
}

sub kill_when
{
	my ($moment, $what, $failpoint, @options) = @_;
	my $before = churned();
	my $process = portage_start(run_arguments(@options),
		env => { PG_PORTAGE_FAILPOINT => $failpoint });

	wait_for(sub { !$process->running || $moment->($process) },
		'the moment to kill', 300);
	my $end = $process->kill9;
	my $phase = phase();

	$round++;
	die 'the load has ended: ' . $load->stderr unless $load->running;
	wait_for(sub { churned() > $before }, 'the load to go on');
	ok($end->{signal} == 9, "round $round: killed in phase $phase, $what")
	  || diag($process->stderr);
	$counted++ if $phase eq 'copy';
	note_mixed() if $phase eq 'copy';
	return $phase;
}

# Which tables hold pieces of several snapshots now?
sub note_mixed
{
	my $found = $target->safe_psql('app', <<'SQL');
SELECT table_name FROM portage.chunk WHERE state = 'done' GROUP BY table_name
HAVING count(DISTINCT coalesce(stamp_snapshot, 'slot')) > 1
SQL
	foreach my $table (split(/\n/, $found))
	{
		$mixed{$table}++;
		is($kind{$table}, 'keys', "$table: pieces of several snapshots")
		  if ($kind{$table} // '') ne 'keys';
	}
	return;
}

# One migration: into the copy, many kills in it, through it.
sub migrate
{
	begin_anew($source, $target);
	load_start();
	# what is left of this table is read under another snapshot
	my $torn = $torn[ $migration++ % @torn ];
	my $phase = kill_within($torn);

	is($phase, 'copy', 'the copy has begun');
	ok(copied_in_part($torn), "$torn is there in part");
	for my $i (1 .. 14)
	{
		last if $phase ne 'copy';
		$phase =
		  kill_round(rand() < 0.6 ? $points[ rand(@points) ] : undef);
	}
	my $last = portage_start(run_arguments(jobs()));
	wait_for_stream($target, 'app', 'app', $last);
	pgbench_stop($source, $load);
	$last->term;
	is($last->wait_exit->{rc}, 0, 'stopped') || diag($last->stderr);
	note_mixed();
	ok($mixed{$torn}, "$torn was in pieces of several snapshots");
	portage_ok(run_arguments('--until', 'caught-up'));
	return;
}

do
{
	migrate();
	tables_equal($source, 'app', $target, 'app', @tables);
	foreach my $table (sort keys %kind)
	{
		is( $target->safe_psql('app',
				"SELECT string_agg(DISTINCT kind, ',') FROM portage.chunk"
				  . " WHERE table_name = '$table' AND state = 'done'"),
			$kind{$table}, "$table was copied in pieces");
	}
	is( $target->safe_psql('app',
			q{SELECT string_agg(object_name, ',') FROM portage.ddl
			  WHERE state <> 'done'}),
		'', 'nothing waits any more');
	is( $target->safe_psql('app',
			q{SELECT count(*) FROM pg_constraint WHERE convalidated
			  AND conname IN ('acc_code_key', 'child_acc_fkey')}),
		2, 'the second key and the foreign key are there');
} while ($migration < @torn || ($counted < $rounds && $round < 4 * $rounds));

diag("kills that count: $counted of $round;"
	  . " tables in pieces of several snapshots: "
	  . join(', ', map { "$_ $mixed{$_} times" } sort keys %mixed));
cmp_ok($counted, '>=', $rounds, "at least $rounds kills in the copy");
ok($mixed{$_}, "$_ was in pieces of several snapshots") foreach @torn;
done_testing();
