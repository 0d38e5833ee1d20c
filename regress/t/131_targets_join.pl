# A target that comes to others: it joins a migration that streams already, is away
# when the applier starts, or does not answer; the others go on, and all of them
# have everything in the end.

use strict;
use warnings;

use PortageFault;
use PortageMany;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $eu = target_new('eu');
my $us = target_new('us');
my @tables = map { "public.$_" } qw(t u);
my $config = config_file(
	'app',
	{ main => source_url($source) },
	{ eu => target_url($eu), us => target_url($us) });
my @stopped;

pair_create($source, 5000);

sub run_start
{
	return portage_start('run', '--config', $config, @_);
}

sub both_have_it
{
	my ($process, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for_all($source, 'app', $eu, $us);
	ok($process->running, "$what: the same process goes on")
	  || diag($process->stderr);
	return several_equal($source, [ $eu, $us ], @tables);
}

# ---- a migration of one target becomes one of two
portage_ok('run', endpoints($source, $eu), '--until', 'caught-up');
pair_write($source) foreach 1 .. 3;
{
	# it joins, with the slot of its snapshot, while the other one streams
	my $process = run_start(
		env => { PG_PORTAGE_FAILPOINT => 'schema-stored:delay=3000' });

	wait_for_err($process, qr/main -> us: joins the other targets/);
	pair_write($source);
	wait_for_stream($us, 'app', 'app', $process);
	pair_write($source);
	both_have_it($process, 'a target has joined');
	my ($first, $second) = map { progress_row($_, 'app', 'app') } $eu, $us;
	cmp_ok(lsn($second->{consistent_lsn}), '>', lsn($first->{consistent_lsn}),
		'it was copied from a later position');
	is($second->{origin_nonce}, $first->{origin_nonce},
		'it knows the markers of the one stream');
	is( $source->safe_psql('postgres',
			'SELECT string_agg(slot_name::text, $$,$$) FROM pg_replication_slots'),
		'portage_app', 'and only the one slot is left');
	like(
		portage_fails(2, 'run', endpoints($source, $eu), '--no-wait')->{err},
		qr/P0105|P0306/, 'the first one is not alone any more');
	$process->term;
	is($process->wait_exit->{rc}, 0, 'it stops') || diag($process->stderr);
}

# ---- a target that is away when the applier starts
$us->stop('fast');
pair_write($source);
{
	my $process = run_start();

	wait_for_applied($source, $eu);
	tables_equal($source, 'app', $eu, 'app', @tables);
	my $held = slot_row($source, 'portage_app')->{confirmed_flush_lsn};
	pair_write($source);
	wait_for_applied($source, $eu);
	is(slot_row($source, 'portage_app')->{confirmed_flush_lsn},
		$held, 'the slot waits for the one that is away');
	$us->start;
	both_have_it($process, 'it has come');

	# ---- one that does not answer, in the stream
	@stopped = split(
		/\n/,
		$us->safe_psql('postgres',
			'SELECT pid FROM pg_stat_activity'
			  . " WHERE application_name LIKE 'pg_portage app %'"));
	push @stopped, $us->{_pid};
	kill('STOP', @stopped);
	pair_write($source);
	wait_for_applied($source, $eu);
	ok($process->running, 'while one hangs, the other has everything');
	wait_for_err($process,
		qr/main -> us: trying again: .*(?:does not answer|timeout|lost)/);
	pair_write($source);
	wait_for_applied($source, $eu);
	tables_equal($source, 'app', $eu, 'app', @tables);
	kill('CONT', @stopped);
	@stopped = ();
	both_have_it($process, 'it answers again');

	# ---- the source restarts under both
	$source->restart;
	pair_write($source);
	both_have_it($process, 'the source is back');
	$process->term;
	is($process->wait_exit->{rc}, 0, 'it stops') || diag($process->stderr);
}

# ---- dropped on one side, as if it had never been there: it joins again
$us->safe_psql('postgres', 'DROP DATABASE app (FORCE)');
$us->safe_psql('postgres', 'CREATE DATABASE app OWNER ' . TARGET_ROLE);
portage_ok('run', '--config', $config, '--until', 'caught-up');
several_equal($source, [ $eu, $us ], @tables);

END
{
	kill('CONT', @stopped) if @stopped;
}

done_testing();
