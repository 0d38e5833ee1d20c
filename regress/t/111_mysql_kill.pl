# The applier and the MySQL server are killed while the source is written to: at
# failpoints and at random moments, in the copy as well as in the stream, with one
# writer and with three. In the end both sides hold the same rows, and whenever
# nothing runs in the stream, the target holds whole transactions.
#
# ROUNDS is how many rounds there are (30), each with a kill; PORTAGE_SEED repeats
# a choice of moments.

use strict;
use warnings;

use List::Util qw(shuffle);
use PortageFault;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rounds = $ENV{ROUNDS} // 30;
my $seed = $ENV{PORTAGE_SEED} // int(time() * 1000) % 1_000_000;
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

# In the order in which one migration passes them, when it has been killed at
# slot-intended.
my @copy_points = qw(slot-created anchor-emitted
  anchor-stored owner-locked epoch-bumped snapshot-visible schema-dumped
  schema-stored chunk-stored ddl-before-commit:2 ddl-committed:3 target-connected:2 copy-started:2
  copy-loaded:2 copy-before-commit:2 copy-committed:3 copy-finished sequences-set);
my @stream_points = qw(stream-started history-proven source-connected:2 owner-locked
  epoch-bumped marker-emitted:2 frame-received:20 batch-begun:4 early-applied
  batch-applied:5 piece-applied progress-updated:3 batch-committed:2 batch-durable:2
  feedback-sent:2);

# Where the command has not yet begun: it ends if the server does.
my %first_try = map { $_ => 1 } qw(target-connected:2 owner-locked epoch-bumped
  slot-intended source-connected:2);
my %left = (copy => [], stream => []);    # points that are still to come
my %count = map { $_ => 0 } qw(copy stream applier server point moment one three);

my $source = source_new('source');
my $target = mysql_new('target', databases => []);
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my $hits = PostgreSQL::Test::Utils::tempdir() . '/hits';
my $round = 0;
my $migration = 0;
my $owed = 0;    # kills of the server: every third, where it can be
my ($load, %last);

$source->safe_psql('app', <<'SQL');
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0, pad text);
CREATE TABLE journal (account int, delta int, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE code (id int PRIMARY KEY, code varchar(40) UNIQUE, spare varchar(40));
CREATE TABLE keyed (k int PRIMARY KEY, v int NOT NULL DEFAULT 0);
CREATE TABLE keyless (id int, n int NOT NULL DEFAULT 0, note text);
ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE TABLE typed (id int PRIMARY KEY, doc jsonb, amount numeric(20,6),
	at timestamptz, raw bytea, tags text[]);
CREATE TABLE emptied (id int, v text);
CREATE TABLE big (id int PRIMARY KEY, v text);
INSERT INTO account SELECT i, 0, repeat(md5(i::text), 8) FROM generate_series(1, 1000) i;
INSERT INTO journal (account, delta) VALUES (1, 0);
INSERT INTO code SELECT i, 'code ' || i FROM generate_series(1, 600) i;
INSERT INTO keyed SELECT i FROM generate_series(1, 300) i;
INSERT INTO keyless SELECT i, 0, CASE WHEN i % 3 > 0 THEN repeat('k', 100) END
	FROM generate_series(1, 1000) i;
INSERT INTO typed SELECT i, '{"a": [1, null, "x"]}', i / 7.0, to_timestamp(i * 1e6 + 0.25),
	decode(md5(i::text), 'hex'), ARRAY['a', NULL, 'b,"c"'] FROM generate_series(1, 400) i;
INSERT INTO emptied SELECT i, 'first' FROM generate_series(1, 100) i;
INSERT INTO big VALUES (1, 'x');
ANALYZE;
SQL

# Each transaction moves as much into an account as it notes in the journal; the
# exchange of two codes passes through states that only its order allows.
my %script = (
	'changes' => <<'SQL',
\set a random(1, 1000)
\set b random(1, 300)
\set c random(1, 600)
\set d random(-50, 50)
BEGIN;
UPDATE account SET balance = balance + :d WHERE id = :a;
INSERT INTO journal (account, delta) VALUES (:a, :d);
UPDATE keyed SET k = -k, v = v + 1 WHERE abs(k) = :b;
UPDATE keyless SET n = n + 1, note = CASE WHEN n % 5 = 0 THEN NULL ELSE 'n' || n END
	WHERE id = :a;
DELETE FROM keyless WHERE id = :a AND n % 7 = 6;
INSERT INTO keyless SELECT :a, 0, 'again' WHERE NOT EXISTS
	(SELECT FROM keyless WHERE id = :a);
DELETE FROM typed WHERE id = :c;
INSERT INTO typed VALUES (:c + 1, jsonb_build_object('n', :a, 'q', E'\\"', 'l', ARRAY[:b]),
	:a / 7.0, clock_timestamp(), decode(md5(:a::text) || '00275c0a', 'hex'),
	ARRAY['x{y}', NULL, E'\\' || :b]) ON CONFLICT (id) DO UPDATE
	SET doc = excluded.doc, amount = -typed.amount, at = excluded.at,
	raw = typed.raw || '\x00'::bytea, tags = excluded.tags || typed.tags[1:3];
INSERT INTO emptied VALUES (:a, 'more');
COMMIT;
SQL
	'exchange' => <<'SQL',
\set p random(1, 300)
\set q :p + 300
BEGIN;
SELECT FROM code WHERE id IN (:p, :q) ORDER BY id FOR UPDATE;
UPDATE code SET code = code || '~' WHERE id = :p;
UPDATE code SET spare = code, code = (SELECT rtrim(code, '~') FROM code WHERE id = :p)
	WHERE id = :q;
UPDATE code SET code = (SELECT spare FROM code WHERE id = :q) WHERE id = :p;
COMMIT;
SQL
	'empty' => <<'SQL');
BEGIN;
TRUNCATE emptied;
INSERT INTO emptied SELECT i, 'anew' FROM generate_series(1, 50) i;
COMMIT;
SQL
my %weight = (changes => 70, exchange => 28, empty => 2);

sub load_begin
{
	my @files;
	foreach my $name (sort keys %script)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";
		append_to_file($file, $script{$name});
		push @files, "--file=$file\@$weight{$name}";
	}
	$load = pgbench_start($source, 'app',
		args => [ '--rate', 80, '--max-tries', 100, @files ]);
	return;
}

# It has committed something that it began after this time, of Time::HiRes.
sub load_since
{
	my ($time) = @_;
	return $source->safe_psql('app', "SELECT EXISTS (SELECT FROM journal"
		  . " WHERE at > to_timestamp($time))") eq 't';
}

sub run_arguments
{
	my ($writers) = @_;
	return ('run', mysql_endpoints($source, $target), '--name', "m$migration",
		'--split-over', '64kB', '--jobs', 2, '--writers', $writers // 1);
}

# What the progress row says: { phase, epoch, resume, stamp, transactions }, undef
# if there is none yet.
sub progress
{
	my %row;
	my $there = eval
	{
		@row{qw(phase epoch resume stamp transactions)} = $target->row('app',
			'SELECT phase, epoch, resume_lsn, newest_stamp_lsn, transactions'
			  . " FROM portage_progress WHERE stream = 'm$migration'");
		1;
	};
	die $@ unless $there || $@ =~ /error 1146 /;
	return defined $row{phase} ? \%row : undef;
}

sub phase_kind
{
	my ($row) = @_;
	return 'none' unless $row;
	return $row->{phase} eq 'stream' ? 'stream' : 'copy';
}

# Until the row has what this process wrote to it when it took the stream over.
sub wait_for_epoch
{
	my ($process, $epoch, $what) = @_;
	return wait_for(
		sub {
			my $running = $process->running;
			my $row = progress();
			return $row if $row && $row->{epoch} > $epoch;
			die 'it has ended: ' . $process->stderr unless $running;
			return;
		},
		$what);
}

# The next of the points of this kind that all migrations share.
sub points_take
{
	my ($kind, $wanted, @all) = @_;
	my %place = map { $all[$_] => $_ } 0 .. $#all;
	my %taken;

	while (keys %taken < $wanted && keys %taken < @all)
	{
		my $points = $left{$kind};
		push @$points, shuffle(@all) unless @$points;
		$taken{ shift @$points } = 1;
	}
	return sort { $place{$a} <=> $place{$b} } keys %taken;
}

# ---- one round

# So that nothing passes into the stream unseen, and moments fall into the copy.
sub guard
{
	my ($how) = @_;
	return () if $how->{kind} eq 'stream';
	return ('stream-phase:kill') if $how->{at};
	return ('sequences-set:pause', map { "$_:delay=40:*" }
		  qw(ddl-before-commit copy-loaded));
}

sub armed
{
	my ($how) = @_;
	my @armed = guard($how);

	# a younger one comes first only where an older one takes its time
	push @armed, 'batch-applied:delay=200:*' if ($how->{at} // '') =~ /early/;
	# nor does the copy run away from its next rounds when it goes on
	push @armed, 'epoch-bumped:stop:2' if $how->{server} && $how->{kind} eq 'copy';
	unlink($resume, $hits);
	push @armed, $how->{at} =~ s/\A([^:]+)/"$1:" . ($how->{server} ? 'stop' : 'kill')/er
	  if $how->{at};
	return (
		env => {
			PG_PORTAGE_FAILPOINT => join(',', @armed),
			PG_PORTAGE_FAILPOINT_RESUME => $resume,
			PG_PORTAGE_FAILPOINT_LOG => $hits
		});
}

# What goes on where both were killed: the same holds for it.
sub again
{
	my ($how) = @_;
	return $how->{kind} eq 'copy' ? (env => { PG_PORTAGE_FAILPOINT => 'epoch-bumped:stop' }) : ();
}

# It is past what is tried only once: the points of that are not all it has hit.
sub has_begun
{
	return scalar(grep { !/\A(?:(?:target|source)-connected|owner-locked|epoch-bumped)\z/ }
		  split(/\n/, slurp_file($hits)));
}

# To the point, or to a moment after the stream was taken over.
sub wait_for_moment
{
	my ($how, $process) = @_;

	if ($how->{at})
	{
		wait_for(sub { !$process->running || $process->state eq 'T' }, $how->{at});
		return;
	}
	wait_for_epoch($process, $last{epoch}, 'it to take over');
	wait_for(sub { !$process->running || has_begun() }, 'it to begin') if $how->{server};
	my $due = time() + $how->{after};
	wait_for(sub { time() >= $due }, 'the moment to kill');
	return;
}

# The server is killed and comes back; the applier goes on by itself, unless it is
# killed while there is no server, too. Returns the process that goes on, what the
# row says then, and the epoch that there was before.
sub kill_server
{
	my ($how, $process) = @_;
	my $lived = $process->running;
	my $before = progress();

	my $end = $target->kill9;
	ok($lived && $end->{signal} == 9, "$how->{name}: the server is killed");
	if ($how->{both})
	{
		is($process->kill9->{signal}, 9, "$how->{name}: so is the applier");
	}
	$target->start;
	my $row = progress();
	append_to_file($resume, "\n");
	$process->signal('CONT');
	$process = portage_start(run_arguments($how->{writers}), again($how)) if $how->{both};
	return ($process, $row, $before->{epoch} // 0);
}

# Of a killed server: a connection is there again, and in the stream
# transactions go on. What then ends the applier is not counted.
sub goes_on
{
	my ($how, $process, $row, $epoch) = @_;

	wait_for_epoch($process, $epoch, 'it to go on');
	if ($how->{kind} eq 'stream')
	{
		wait_for(
			sub {
				die "it has ended: " . $process->stderr unless $process->running;
				progress()->{transactions} > $row->{transactions};
			},
			'transactions to go on');
	}
	$process->kill9;
	return;
}

# Whatever was killed when: the row moves forward only.
sub row_sane
{
	my ($row, $name) = @_;
	my $position = lsn($row->{resume});

	ok($row->{epoch} >= $last{epoch} && $position >= $last{position},
		"$name: epoch and position have not gone back")
	  || diag("epoch $row->{epoch} after $last{epoch},"
		  . " position $position after $last{position}");
	%last = (epoch => $row->{epoch}, position => $position);
	return;
}

# Nothing less than whole transactions, each of them once.
sub balanced
{
	my ($name) = @_;
	my ($balance, $delta) = $target->row('app',
		'SELECT (SELECT sum(balance) FROM account), (SELECT sum(delta) FROM journal)');

	return is($balance, $delta, "$name: the target holds whole transactions");
}

sub kill_round
{
	my (%given) = @_;
	my $how = \%given;
	my $begun = time();

	$round++;
	$owed += 1 / 3;
	$how->{server} = $owed > 0.9 && !($how->{at} && $first_try{ $how->{at} });
	$owed-- if $how->{server};
	$how->{both} = $how->{server} && rand() < 0.3;
	$how->{writers} =
	  int(($round + 1) / 2) % 2 || ($how->{at} // '') =~ /early/ ? 3 : 1;
	$how->{name} = sprintf('round %d, %s, %s, %d writers', $round,
		$how->{at} ? "at $how->{at}" : sprintf('after %.0f ms', $how->{after} * 1000),
		$how->{kind}, $how->{writers});

	# something to do for it, and what it does falls into the load
	wait_for(sub { load_since($begun) }, 'the load to commit');
	big_insert($source) if ($how->{at} // '') =~ /piece/;
	my $started = time();
	my $process = portage_start(run_arguments($how->{writers}), armed($how));
	wait_for_moment($how, $process);
	die 'the load has ended: ' . $load->stderr unless $load->running;
	wait_for(sub { load_since($started) }, 'the load to commit beside it');

	my ($row, $epoch);
	if ($how->{server})
	{
		($process, $row, $epoch) = kill_server($how, $process);
	}
	else
	{
		my $end = $process->kill9;
		is($end->{signal}, 9, "$how->{name}: the applier is killed")
		  || diag("exit code $end->{rc}: " . $process->stderr);
		$row = progress();
	}
	is(phase_kind($row), $how->{kind}, "$how->{name}: in the phase $row->{phase}");
	pass("$how->{name}: under load");
	row_sane($row, $how->{name});
	goes_on($how, $process, $row, $epoch) if $how->{server};
	balanced($how->{name}) if $how->{kind} eq 'stream';
	$count{$_}++ foreach $how->{kind}, $how->{server} ? 'server' : 'applier',
	  $how->{at} ? 'point' : 'moment', $how->{writers} > 1 ? 'three' : 'one';
	return;
}

# ---- one migration

sub kill_rounds
{
	my ($kind, $times, $longest, @all) = @_;
	my @points = $kind eq 'copy' ? 'slot-intended' : ();

	push @points, points_take($kind, int(($times + 1) / 2) - @points, @all);

	kill_round(kind => $kind, at => $_) foreach @points;
	kill_round(kind => $kind, after => 0.02 + rand($longest))
	  foreach 1 .. $times - @points;
	return;
}

# And every table is at the same point of the source's history: pieces of the
# copy that a kill has delayed are younger than the others.
sub stream_reached
{
	my $process = portage_start(run_arguments());
	wait_for(
		sub {
			die 'it has ended: ' . $process->stderr unless $process->running;
			my $row = progress();
			$row
			  && $row->{phase} eq 'stream'
			  && $row->{transactions} > 0
			  && lsn($row->{resume}) >= lsn($row->{stamp});
		},
		'the stream to pass the copy');
	$process->kill9;
	return;
}

# The load stops for the comparison, and only for it.
sub migrate
{
	my ($copy, $stream) = @_;

	$migration++;
	%last = (epoch => 0, position => 0);
	$target->create_database('app');
	load_begin();
	kill_rounds('copy', $copy, 0.4, @copy_points);
	stream_reached();
	kill_rounds('stream', $stream, 1, @stream_points);

	pgbench_stop($source, $load);
	$source->safe_psql('app', 'DELETE FROM big WHERE id > 2');
	portage_ok(run_arguments(3), '--until', 'caught-up');
	contents_equal($source, 'app', $target, 'app');
	balanced("migration $migration");
	is( $target->value('app', 'SELECT count(*) FROM journal'),
		$source->safe_psql('app', 'SELECT count(*) FROM journal'),
		"migration $migration: each transaction came once");
	portage_ok('drop', mysql_endpoints($source, $target),
		'--name', "m$migration", '--yes');
	is(slot_row($source, "portage_m$migration"), undef, 'the slot is gone');
	$target->drop_database('app');
	return;
}

while ((my $todo = $rounds - $round) > 0)
{
	$todo = 15 if $todo > 15;
	my $copy = int(($todo + 1) / 2);
	migrate($copy, $todo - $copy);
}

diag(join(', ', map { "$_: $count{$_}" } sort keys %count));
is($count{copy} + $count{stream}, $rounds, "$rounds kills under load");
if ($rounds >= 30)
{
	cmp_ok($count{$_}, '>=', int($rounds * 0.4), "$_: $count{$_} kills")
	  foreach qw(copy stream);
	cmp_ok($count{server}, '>=', int($rounds / 5), "$count{server} kills of the server");
	cmp_ok($count{$_}, '>=', int($rounds / 3), "$_: $count{$_} kills")
	  foreach qw(point moment one three);
}
done_testing();
