# Stopped by SIGTERM or Ctrl-C, once or twice, in the copy and in the stream:
# once, it brings what it does to an end and says where it stands; twice, it
# ends at once, and what was open is undone by the servers. Nothing is lost
# either way. Which bad day is where: regress/README.md.

use strict;
use warnings;

use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $source = source_new('source');
my $target = target_new('target', databases => []);
my $sides = PortageBadDay->new($source, $target);
my @tables = qw(t u);
my %number = (TERM => 15, INT => 2);
my $process;

pair_create($source, 3000);

# Held at a failpoint until it is resumed; without a way to resume it for ever.
my $hits = PostgreSQL::Test::Utils::tempdir() . '/hits';

sub held
{
	my ($point, $resume) = @_;

	unlink($hits);
	return portage_start('run', $sides->urls, '--jobs' => 1,
		env => {
			PG_PORTAGE_FAILPOINT => "$point:pause",
			PG_PORTAGE_FAILPOINT_RESUME => $resume // '/nowhere/at/all',
			PG_PORTAGE_FAILPOINT_LOG => $hits
		});
}

# A signal that comes before it is held finds it doing something else.
sub wait_for_point
{
	my ($point) = @_;
	return wait_for(
		sub {
			die $process->stderr unless $process->running;
			-e $hits && slurp_file($hits) =~ /^$point$/m;
		},
		"it to come to $point");
}

sub loading
{
	wait_for_point('copy-loaded');
	return wait_for(
		sub {
			die $process->stderr unless $process->running;
			my $row = progress_row($target, 'app', 'app');
			$row
			  && $row->{phase} eq 'copy'
			  && $target->safe_psql('app',
				q{SELECT count(*) FROM pg_stat_activity
				  WHERE application_name = 'pg_portage app loader'
				  AND backend_xid IS NOT NULL}) == 1;
		},
		'a table to be loaded');
}

sub applying
{
	wait_for_err($process, qr/streaming from/);
	pair_write($source);
	wait_for_point('batch-applied');
	return wait_for(
		sub {
			$target->safe_psql('app',
				q{SELECT count(*) FROM pg_stat_activity
				  WHERE application_name = 'pg_portage app writer'
				  AND backend_xid IS NOT NULL}) == 1;
		},
		'it to be in a batch');
}

foreach my $signal (qw(TERM INT))
{
	my $resume = PostgreSQL::Test::Utils::tempdir() . "/resume_$signal";

	# ---- once, in the copy
	begin_anew($source, $target);
	$process = held('copy-loaded', $resume);
	loading();
	$process->signal_taken($signal);
	PostgreSQL::Test::Utils::append_to_file($resume, "\n");
	is($process->wait_exit->{rc}, 0, "SIG$signal in the copy: exit code 0");
	like($process->stderr,
		qr/stopped by signal \(\w+\) in phase "copy"; run again to go on/,
		'it says where it stands and what to do');
	unlike($process->stderr, qr/error:/, 'which is no error');
	$sides->equal(@tables);

	# ---- once, in the stream
	unlink($resume);
	$process = held('batch-applied', $resume);
	applying();
	$process->signal_taken($signal);
	PostgreSQL::Test::Utils::append_to_file($resume, "\n");
	is($process->wait_exit->{rc}, 0, "SIG$signal in the stream: exit code 0");
	like($process->stderr,
		qr/stopped by signal \(\w+\); the target has everything up to/,
		'it says where it stands');
	my ($at) = $process->stderr =~ m{everything up to ([0-9A-F]+/[0-9A-F]+)};
	is($at, progress_row($target, 'app', 'app')->{resume_lsn},
		'which is what the row says');
	unlike($process->stderr, qr/error:/, 'which is no error');
	$sides->equal(@tables);

	# ---- twice, in the stream
	$process = held('batch-applied');
	applying();
	# the slot may be told of what was applied before
	$sides->look(running => 1);
	$process->signal_taken($signal);
	ok($process->running, "SIG$signal: it waits for the batch");
	$process->signal($signal);
	is($process->wait_exit->{signal},
		$number{$signal}, "SIG$signal twice in the stream: it ends at once");
	sessions_end($source, $target);
	$sides->same("SIG$signal twice in the stream");
	$sides->equal(@tables);

	# ---- twice, in the copy
	begin_anew($source, $target);
	$process = held('copy-loaded');
	loading();
	$process->signal_taken($signal);
	ok($process->running, "SIG$signal: it waits for the table");
	$process->signal($signal);
	is($process->wait_exit->{signal},
		$number{$signal}, "SIG$signal twice in the copy: it ends at once");
	sessions_end($source, $target);
	ok(slot_row($source, 'portage_app'), 'the slot is there');
	is($target->safe_psql('app', 'SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM u)'),
		0, 'nothing of the table that was open is there');
	is( $target->safe_psql('app',
			q{SELECT string_agg(state, ' ') FROM portage.chunk
			  WHERE table_name IN ('t', 'u')}),
		'todo todo',
		'no table counts as copied');
	pair_write($source);
	$sides->equal(@tables);
}

# ---- while it waits: for another owner, and for a server
$process = portage_start('run', $sides->urls);
wait_for_err($process, qr/streaming from/);
my $standby = portage_start('run', $sides->urls);
wait_for_err($standby, qr/standby: the stream app is owned by process/);
$standby->signal('INT');
is($standby->wait_exit->{rc}, 0, 'Ctrl-C while it stands by: exit code 0');
ok($process->running, 'the owner is not disturbed');
$target->stop('fast');
wait_for_err($process, qr/trying again: .*cannot connect/);
$process->signal('INT');
is($process->wait_exit->{rc}, 0, 'Ctrl-C while it tries again: exit code 0');
like($process->stderr, qr/stopped by signal/, 'it says why');
$target->start;
pair_write($source);
$sides->equal(@tables);

done_testing();
