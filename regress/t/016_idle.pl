# A stream without changes: it confirms what other databases write, uses no
# processor, does not stand in the way of a shutdown, and comes back after it.

use strict;
use warnings;

use PortageTest;
use Test::More;
use Time::HiRes ();

my $source = source_new('source', databases => [ 'app', 'busy', 'sync' ],
	conf => "wal_keep_size = 0\nmin_wal_size = 32MB\nmax_wal_size = 48MB");
my $target = target_new('target', databases => [ 'app', 'sync' ]);

$source->safe_psql('app', 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
$source->safe_psql('sync', 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
$source->safe_psql('busy', 'CREATE TABLE noise (v text)');
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
tables_equal($source, 'app', $target, 'app', 'public.t');

my $stream = portage_start('run', endpoints($source, $target));

sub walsender
{
	return $source->safe_psql('postgres', q{SELECT pid FROM pg_stat_replication
		WHERE application_name LIKE 'pg_portage%stream' AND state = 'streaming'});
}
wait_for(\&walsender, 'the stream');

# A busy neighbour: its WAL is confirmed and removed.
my $first = $source->safe_psql('postgres',
	q{SELECT pg_walfile_name(restart_lsn) FROM pg_replication_slots WHERE slot_name = 'portage_app'});
foreach my $round (1 .. 4)
{
	$source->safe_psql('busy', q{INSERT INTO noise SELECT md5(i::text) FROM generate_series(1, 2000) i});
	$source->safe_psql('busy', 'SELECT pg_switch_wal()');
}
my $written = current_lsn($source);
wait_for(
	sub {
		$source->safe_psql('postgres', 'CHECKPOINT');
		$source->safe_psql('postgres', qq{SELECT confirmed_flush_lsn >= '$written' AND restart_lsn >= '$written'
			FROM pg_replication_slots WHERE slot_name = 'portage_app'}) eq 't';
	},
	'the slot to pass what the neighbour wrote');
pass('the slot advances');
wait_for(
	sub {
		$source->safe_psql('postgres', 'CHECKPOINT');
		$source->safe_psql('postgres', qq{SELECT min(name) > '$first' FROM pg_ls_waldir()
			WHERE name ~ '^[0-9A-F]{24}\$'}) eq 't';
	},
	'WAL to be released');
pass('the WAL is released');
ok($stream->running, 'the stream runs');
is($source->safe_psql('app', 'SELECT count(*) FROM t'), '1', 'the database itself was idle');

# Clock ticks of user and system time that a process has used.
sub ticks
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/stat") || die "process $pid: $!";
	my $line = <$file>;
	my @fields = split(/ /, $line =~ s/.*\) //r);
	return $fields[11] + $fields[12];
}

# Nothing happens for a while, and neither side uses the processor: without
# care the two exchange keepalives as fast as they can.
my $pid = walsender();
my ($ours, $theirs) = (ticks($stream->pid), ticks($pid));
my $since = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
my $seconds;
wait_for(
	sub {
		$seconds = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $since;
		return $seconds > 4;
	},
	'the measurement');
my ($mine, $senders) = (ticks($stream->pid) - $ours, ticks($pid) - $theirs);
cmp_ok($mine, '<', 5 * $seconds, "an idle applier used $mine ticks in " . sprintf("%.1f s", $seconds));
cmp_ok($senders, '<', 5 * $seconds, "its walsender used $senders");
is(walsender(), $pid, 'by one connection');

# Shutdown does not wait for the applier, which comes back when the server does.
my $rows = 1;
foreach my $mode ('fast', 'smart')
{
	my $next = $rows + 5000;
	$source->safe_psql('app', "INSERT INTO t SELECT generate_series($rows + 1, $next)");
	$rows = $next;

	my $begin = Time::HiRes::time();
	# It would wait for the applier until wal_sender_timeout, a minute, or for ever.
	local $ENV{PGCTLTIMEOUT} = 50;
	my $stopped = $source->stop($mode, fail_ok => 1);
	my $took = sprintf('%.1f', Time::HiRes::time() - $begin);
	ok($stopped, "stop -m $mode ends");
	cmp_ok($took, '<', 50, "after $took s");
	$source->stop('fast') if !$stopped;
	ok($stream->running, 'the applier waits for the server');
	$source->start;
	$rows++;
	$source->safe_psql('app', "INSERT INTO t VALUES ($rows)");
	wait_for(sub { $target->safe_psql('app', 'SELECT count(*) FROM t') eq $rows },
		"what was written around stop -m $mode");
	tables_equal($source, 'app', $target, 'app', 'public.t');
}
$stream->term;
is($stream->wait_exit->{rc}, 0, 'the applier stops when asked');

# A source that would wait for us at each commit would wait for ever: refused,
# before anything exists and in the middle of a migration.
$source->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = '*'});
$source->reload;
foreach my $database ('sync', 'app')
{
	my $result = portage_fails(2, 'run', endpoints($source, $target, $database),
		'--until', 'caught-up');
	like($result->{err}, qr/synchronous.*\[P0208\].*synchronous_standby_names/s, "$database: refused by name");
}
is(slot_row($source, 'portage_sync'), undef, 'no slot was made');
$source->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
$source->reload;
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
tables_equal($source, 'app', $target, 'app', 'public.t');

done_testing();
