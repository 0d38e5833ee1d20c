# Servers that restart, die, hang or refuse for a while, and sessions that are
# ended, on both sides, in the stream and in the copy: the same process goes on
# by itself. And the ways to stop it.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $source = source_new('source');
my $target = target_new('target', databases => []);
my @tables = map { "public.$_" } qw(t u);
my $role = TARGET_ROLE;
my $process;

pair_create($source, 5000);

sub run_start
{
	return portage_start('run', endpoints($source, $target), @_);
}

sub all_equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return tables_equal($source, 'app', $target, 'app', @tables);
}

# How often the process has said that it tries again.
sub tries
{
	return scalar(() = $process->stderr =~ /trying again/g);
}

# The same process has it all, without an error, after it has noticed.
sub goes_on
{
	my ($tries, $what, $notices) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for(
		sub {
			die "ended: " . $process->stderr unless $process->running;
			tries() > $tries;
		},
		"the applier to notice: $what") if $notices // 1;
	pair_write($source);
	wait_for_applied($source, $target);
	ok($process->running, "$what: the same applier goes on")
	  || diag($process->stderr);
	unlike(
		$process->stderr,
		qr/error:|^(?!pg_portage: (?:info|warning|detail|hint): )./m,
		"$what: it was no error, and only the applier has written");
	return all_equal();
}

sub restart
{
	my ($node, $mode) = @_;
	$node->stop($mode);
	$node->start;
	return;
}

begin_anew($source, $target);
$process = run_start();
wait_for_stream($target, 'app', 'app', $process);

# ---- restarts while it streams
foreach my $mode (qw(fast immediate))
{
	foreach my $side ([ 'target', $target ], [ 'source', $source ])
	{
		my $tries = tries();
		pair_write($source);
		restart($side->[1], $mode);
		goes_on($tries, "the $side->[0] restarted, $mode");
	}
}

# ---- a source that is stopped does not wait for us
{
	my $tries = tries();
	pair_write($source);
	my $begun = Time::HiRes::time();
	$source->stop('fast');
	my $took = Time::HiRes::time() - $begun;
	# it would wait for a minute, which is wal_sender_timeout
	cmp_ok($took, '<', 50, sprintf('the source shuts down in %.1f s', $took));
	wait_for(sub { tries() > $tries + 1 }, 'more than one try');
	$source->start;
	goes_on($tries, 'a source that was away for a while');
}

# ---- each of our sessions ended
my @sessions = (
	[ $target, 'pg_portage app apply' ],
	[ $target, 'pg_portage app writer' ],
	[ $source, 'pg_portage app stream' ],
	[ $source, 'pg_portage app marker' ]);
foreach my $session (@sessions)
{
	my ($node, $label) = @$session;
	my $tries = tries();
	my $of_it = "FROM pg_stat_activity WHERE application_name = '$label'";
	# a new one may be on its way, and one that was lost be about to end
	wait_for(
		sub { $node->safe_psql('postgres', "SELECT count(*) $of_it") == 1 },
		"one $label");
	is( $node->safe_psql('postgres',
			"SELECT count(pg_terminate_backend(pid)) $of_it"),
		1, "$label is ended");
	pair_write($source);
	goes_on($tries, $label);
}
# Whatever else there is: all at once, on both sides.
foreach my $node ($source, $target)
{
	my $tries = tries();
	my $count = $node->safe_psql('postgres',
		'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
		  . q{ WHERE application_name LIKE 'pg\_portage %'});
	cmp_ok($count, '>=', 1, "$count sessions ended at once");
	goes_on($tries, 'all sessions on ' . $node->name);
}
# A statement that is cancelled is not a lost connection.
$target->safe_psql('app',
	q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
	  WHERE application_name = 'pg_portage app apply'});
goes_on(tries(), 'a cancel of nothing', 0);

# ---- a target that refuses to write for a while
foreach my $way ("DATABASE app", "ROLE $role")
{
	my $tries = tries();
	$target->safe_psql('postgres',
		"ALTER $way SET default_transaction_read_only = on");
	$target->safe_psql('postgres',
		'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
		  . q{ WHERE application_name = 'pg_portage app apply'});
	pair_write($source);
	wait_for(sub { $process->stderr =~ /trying again: .*read-only transaction.*\[P0304\]\n(?!.*streaming)/s },
		'it to be refused');
	wait_for(sub { tries() > $tries + 1 }, 'more than one try');
	$target->safe_psql('postgres',
		"ALTER $way RESET default_transaction_read_only");
	goes_on($tries, "read-only by $way");
}

# ---- a target whose connections are used up
{
	my $tries = tries();
	$target->safe_psql('postgres', "ALTER ROLE $role CONNECTION LIMIT 0");
	$target->safe_psql('postgres',
		'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
		  . q{ WHERE application_name = 'pg_portage app apply'});
	pair_write($source);
	wait_for(sub { $process->stderr =~ /too many connections.*\[P0304\]/ },
		'it to be refused');
	$target->safe_psql('postgres', "ALTER ROLE $role CONNECTION LIMIT -1");
	goes_on($tries, 'no connection free');
}

# ---- a target that hangs: nothing is lost, nothing is confirmed
{
	# It hangs where it holds nothing that others on the server wait for.
	my $locker = $target->background_psql('app');
	$locker->query_safe('BEGIN');
	$locker->query_safe('LOCK TABLE t');
	pair_write($source);
	my @pids;
	wait_for(
		sub {
			@pids = split(/\n/, $target->safe_psql('postgres',
					q{SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'
					  AND application_name = 'pg_portage app writer'}));
		},
		'its session to wait for a lock');
	is(kill('STOP', @pids), 1, 'the target hangs');
	$locker->query_safe('COMMIT');
	$locker->quit;
	my $confirmed = slot_row($source, 'portage_app')->{confirmed_flush_lsn};
	my $row = progress_row($target, 'app', 'app');
	pair_write($source);
	my $until = Time::HiRes::time() + 3;
	wait_for(sub { Time::HiRes::time() > $until }, 'three seconds');
	ok($process->running, 'the applier waits');
	is(progress_row($target, 'app', 'app')->{resume_lsn},
		$row->{resume_lsn}, 'nothing was applied');
	cmp_ok(lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn}),
		'<=', lsn($row->{anchor_lsn}), 'nor confirmed');
	kill('CONT', @pids);
	goes_on(tries(), 'a target that hung', 0);
}

# ---- signals
foreach my $signal (qw(TERM INT))
{
	pair_write($source);
	wait_for_applied($source, $target);
	$process->signal($signal);
	is($process->wait_exit->{rc}, 0, "SIG$signal: exit code 0");
	like($process->stderr,
		qr/stopped by signal \((?:Terminated|Interrupt)\); the target has everything up to/,
		"SIG$signal: it says where it stands");
	my ($at) = $process->stderr =~ m{everything up to ([0-9A-F]+/[0-9A-F]+)};
	is($at, progress_row($target, 'app', 'app')->{resume_lsn},
		"SIG$signal: which is what the row says");
	all_equal();
	$process = run_start();
	wait_for_err($process, qr/streaming from/);
	goes_on(0, "after SIG$signal", 0);
}

# In the middle of a transaction: it is finished first, or not begun.
pair_write($source);
wait_for_applied($source, $target);
$process->kill9;
$process = run_start(env => {
		PG_PORTAGE_FAILPOINT => 'batch-applied:delay=1500:3'
	});
wait_for_err($process, qr/streaming from/);
pair_write($source) foreach 1 .. 5;
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped while a batch was written');
my ($at) = $process->stderr =~ m{everything up to ([0-9A-F]+/[0-9A-F]+)};
is($at, progress_row($target, 'app', 'app')->{resume_lsn},
	'its last transaction is committed, or was not begun');

# Twice: at once, whatever it is doing.
$process = run_start(env => {
		PG_PORTAGE_FAILPOINT => 'batch-applied:pause',
		PG_PORTAGE_FAILPOINT_RESUME => '/nowhere/at/all'
	});
wait_for_err($process, qr/streaming from/);
pair_write($source);
wait_for(
	sub {
		$target->safe_psql('app',
			q{SELECT count(*) FROM pg_stat_activity
			  WHERE application_name = 'pg_portage app writer'
			  AND backend_xid IS NOT NULL}) == 1;
	},
	'it to be in a batch');
my $before = evidence($target, 'app', 'app', @tables);
$process->signal_taken('TERM');
ok($process->running, 'one signal: it waits for the batch');
$process->term;
is($process->wait_exit->{signal}, 15, 'two signals: it ends without the batch');
same_evidence($before, $target, 'app', 'app', @tables);
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
all_equal();

# ---- giving up
foreach my $side ([ 'target', $target ], [ 'source', $source ])
{
	my ($name, $node) = @$side;
	$process = run_start('--retry-for', '1s');
	wait_for_err($process, qr/streaming from/);
	pair_write($source);
	wait_for_applied($source, $target);
	$node->stop('fast');
	my $result = $process->wait_exit;
	is($result->{rc}, 3, "the $name stays away: exit code 3");
	error_ok({ err => $process->stderr }, 'P0305', qr/gave up after \d/,
		"the $name stays away");
	like($process->stderr, qr/detail: The last one was: .*\[P030[134]\]/,
		'with the last reason');
	$node->start;
	portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
	all_equal();
}

# ---- the copy
my %copy = (
	'the target restarted, fast' => sub { restart($target, 'fast') },
	'the target killed' => sub { restart($target, 'immediate') },
	'the source restarted, fast' => sub { restart($source, 'fast') },
	'the source killed' => sub { restart($source, 'immediate') },
	'the sessions of the target ended' => sub {
		$target->safe_psql('postgres',
			'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
			  . q{ WHERE application_name LIKE 'pg\_portage %'});
	},
	'the sessions of the source ended' => sub {
		$source->safe_psql('postgres',
			'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
			  . q{ WHERE application_name LIKE 'pg\_portage %'});
	});
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my $i = 0;
foreach my $what (sort keys %copy)
{
	my $point = (qw(copy-loaded copy-started copy-before-commit))[ $i++ % 3 ];
	begin_anew($source, $target);
	unlink($resume);
	$process = run_start(
		'--jobs', 2,
		env => {
			PG_PORTAGE_FAILPOINT => "$point:pause",
			PG_PORTAGE_FAILPOINT_RESUME => $resume
		});
	wait_for(
		sub {
			die $process->stderr unless $process->running;
			my $row = progress_row($target, 'app', 'app');
			$row
			  && $row->{phase} eq 'copy'
			  && $target->safe_psql('app',
				q{SELECT count(*) FROM pg_stat_activity
				  WHERE application_name = 'pg_portage app loader'}) > 0;
		},
		'the copy');
	pair_write($source);
	$copy{$what}->();
	PostgreSQL::Test::Utils::append_to_file($resume, "\n");
	goes_on(0, "in the copy, at $point: $what");
	$process->term;
	is($process->wait_exit->{rc}, 0, "$what: and ends");
}

# A signal in the copy.
begin_anew($source, $target);
unlink($resume);
$process = run_start(env => {
		PG_PORTAGE_FAILPOINT => 'copy-loaded:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume
	});
wait_for(
	sub {
		my $row = progress_row($target, 'app', 'app');
		$row && $row->{phase} eq 'copy';
	},
	'the copy');
$process->signal_taken('TERM');
PostgreSQL::Test::Utils::append_to_file($resume, "\n");
is($process->wait_exit->{rc}, 0, 'a signal in the copy: exit code 0');
like($process->stderr,
	qr/stopped by signal \(Terminated\) in phase "copy"; run again to go on/,
	'it says what to do');
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
all_equal();

done_testing();
