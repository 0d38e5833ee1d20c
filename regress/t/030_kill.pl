# The applier is killed while the source is written to: at every failpoint of
# run, and at random moments, in the copy as well as in the stream, and again
# while it recovers. In the end both sides hold the same rows.
#
# ROUNDS is how many kills have to count (40), PORTAGE_SEED repeats a choice of
# moments.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{ROUNDS} // 40;
my $least = int($rounds * 15 / 40);
my $seed = $ENV{PORTAGE_SEED} // int(Time::HiRes::time() * 1000) % 1_000_000;
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

my @copy_points = qw(
  slot-intended target-connected slot-created owner-locked anchor-emitted
  source-connected anchor-stored epoch-bumped snapshot-visible schema-dumped
  schema-stored chunk-stored ddl-before-commit:3 ddl-committed:4 copy-started:2
  copy-loaded copy-before-commit copy-committed copy-loaded:2
  copy-committed:3 ddl-before-commit ddl-committed copy-finished sequences-set
);
my @stream_points = qw(
  stream-started target-connected:1 history-proven source-connected:2
  marker-emitted:2 owner-locked frame-received epoch-bumped frame-received:20
  batch-begun batch-begun:5 batch-applied batch-applied:7 piece-applied
  progress-updated:3 batch-committed:2 batch-durable:2 feedback-sent
  history-proven feedback-sent:2
);

my $source = source_new('source');
my $target = target_new('target', databases => []);
my %counted = (copy => 0, stream => 0);
my $round = 0;
my ($migration, $database, $name, $load);
my %last;    # what the row said after the round before

# A database and a name of its own for every migration; the load goes on.
sub migration_begin
{
	$migration++;
	$database = 'app';
	$name = "m$migration";
	%last = (epoch => 0, resume => 0);
	$target->safe_psql('postgres',
		'DROP DATABASE IF EXISTS app (FORCE)');
	$target->safe_psql('postgres',
		'CREATE DATABASE app OWNER ' . TARGET_ROLE);
	return;
}

sub run_arguments
{
	return ('run', endpoints($source, $target, $database), '--name', $name);
}

sub phase_kind
{
	my ($row) = @_;
	return 'none' unless $row;
	return $row->{phase} eq 'stream' ? 'stream' : 'copy';
}

# What the row says may only move forward, whatever was killed when.
sub row_sane
{
	my ($row, $what) = @_;
	return unless $row;
	my $resume = lsn($row->{resume_lsn});
	my $slot = slot_row($source, "portage_$name");

	ok($row->{epoch} >= $last{epoch} && $resume >= $last{resume},
		"$what: epoch and position have not gone back")
	  || diag("epoch $row->{epoch} after $last{epoch},"
		  . " position $resume after $last{resume}");
	ok(lsn($slot->{confirmed_flush_lsn}) <= lsn($row->{anchor_lsn}),
		"$what: the slot stands before the anchor")
	  if $row->{phase} eq 'stream';
	%last = (epoch => $row->{epoch}, resume => $resume);
	return;
}

# Start, let it be killed or kill it, and look what it was doing. Returns the
# kind of phase that the kill fell in.
sub kill_round
{
	my (%how) = @_;
	my $environment =
	  $how{at}
	  ? { PG_PORTAGE_FAILPOINT => "$how{at}" =~ s/\A([^:]+)/$1:kill/r }
	  : $how{slow} ? { PG_PORTAGE_FAILPOINT => $how{slow} }
	  :              {};
	my $process = portage_start(run_arguments(), env => $environment);
	my $end;

	$round++;
	if ($how{at})
	{
		$end = $process->wait_exit;
	}
	else
	{
		my $due = Time::HiRes::time() + $how{after};
		wait_for(
			sub { Time::HiRes::time() >= $due || !$process->running },
			'the moment to kill');
		$end = $process->kill9;
	}
	my $time = Time::HiRes::time();
	my $row = progress_row($target, $database, $name);
	my $kind = phase_kind($row);
	my $loaded = committed_before($source, $database, $time);
	my $moment =
	  $how{at} ? "at $how{at}" : sprintf('after %.0f ms', $how{after} * 1000);

	$counted{$kind}++ if $end->{signal} == 9 && $loaded && $kind ne 'none';
	ok($end->{signal} == 9,
		"round $round, $moment, in phase " . ($row ? $row->{phase} : 'none')
		  . ($loaded ? '' : ', without load'))
	  || diag("exit code $end->{rc}: " . $process->stderr);
	row_sane($row, "round $round");
	die "the load has ended: " . $load->stderr unless $load->running;
	return $kind;
}

sub random_time
{
	my ($least, $most) = @_;
	return $least + rand($most - $least);
}

# At random moments, until the copy is through. Every second kill falls into
# the recovery from the one before; the copy itself is slowed down a little,
# so that most moments fall into it.
sub kill_in_copy_at_random
{
	my ($times) = @_;
	my $slow = join(',', map { "$_:delay=40:*" }
		qw(ddl-before-commit copy-loaded copy-committed slot-created));

	for my $i (1 .. $times)
	{
		my $kind = kill_round(
			slow => $slow,
			after => $i % 2 ? random_time(0.1, 1.6) : random_time(0.05, 0.8));
		return if $kind eq 'stream';
	}
	return;
}

sub kill_in_stream_at_random
{
	my ($times) = @_;

	for my $i (1 .. $times)
	{
		kill_round(after => random_time(0.2, 2));
		# and again before it has caught up
		kill_round(after => random_time(0.02, 0.6)) if $i % 2;
	}
	return;
}

sub stream_reached
{
	my $process = portage_start(run_arguments());
	wait_for_stream($target, $database, $name, $process);
	my $end = $process->kill9;
	is($end->{signal}, 9, "migration $name: the stream is reached")
	  || diag($process->stderr);
	return;
}

# The load stops for the comparison, and only for it.
sub migration_end
{
	pgbench_stop($source, $load);
	caught_up_and_equal($source, $target, $database, $name);
	balances_ok($source, $database, 'source');
	is($target->safe_psql($database,
			'SELECT count(*) FROM portage.chunk'
			  . " WHERE stream = '$name' AND state = 'done'"),
		scalar(shop_tables()),
		'every table was copied once');
	portage_ok('drop', endpoints($source, $target, $database),
		'--name', $name, '--yes');
	is(slot_row($source, "portage_$name"), undef, 'the slot is gone');
	return;
}

shop_create($source, 'app');

# One migration that is killed at every failpoint on its way: each start
# recovers from the kill before and is killed a little further on.
migration_begin();
$load = shop_load($source, 'app');
is(kill_round(at => 'state-created'), 'none', 'killed before all else');
kill_round(at => $_) foreach @copy_points;
kill_round(at => 'stream-phase');
stream_reached();
foreach my $point (@stream_points)
{
	big_insert($source, 'app') if $point =~ /piece/;
	kill_round(at => $point);
}
migration_end();

# Others that are killed at random moments.
do
{
	migration_begin();
	$load = shop_load($source, 'app');
	kill_in_copy_at_random(8);
	stream_reached();
	kill_in_stream_at_random(3);
	migration_end();
  } while ($counted{copy} + $counted{stream} < $rounds
	|| $counted{copy} < $least || $counted{stream} < $least)
  && $migration < 2 + $rounds / 10;

diag("kills that count: $counted{copy} in the copy,"
	  . " $counted{stream} in the stream, of $round");
cmp_ok($counted{copy}, '>=', $least, "$counted{copy} kills in the copy");
cmp_ok($counted{stream}, '>=', $least, "$counted{stream} kills in the stream");
cmp_ok($counted{copy} + $counted{stream},
	'>=', $rounds, "at least $rounds kills under load");
done_testing();
