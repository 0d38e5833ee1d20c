# One applier at a time: standbys, takeovers, appliers that come back from the
# dead, sessions that a dead one has left, and two migrations side by side.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target', databases => []);
my @tables = map { "public.$_" } qw(t u);

pair_create($source, 5000);

sub run_start
{
	return portage_start('run', endpoints($source, $target), @_);
}

sub epoch
{
	return progress_row($target, 'app', 'app')->{epoch};
}

sub stopped_at
{
	my ($point, @arguments) = @_;
	my $process = run_start(@arguments,
		env => { PG_PORTAGE_FAILPOINT => "$point:stop" });

	pair_write($source);
	wait_for(sub { $process->state eq 'T' }, "it to stop at $point");
	return $process;
}

# The applier that has lost the stream says so and ends; what it had open is
# not committed.
sub fenced_ok
{
	my ($process, $what) = @_;
	my $end = $process->wait_exit;

	is($end->{rc}, 3, "$what: exits with 3") || diag($process->stderr);
	error_ok({ err => $process->stderr }, 'P0307', qr/app/, $what);
	return;
}

sub end_well
{
	my ($process, $what) = @_;
	$process->term;
	is($process->wait_exit->{rc}, 0, "$what: ends when told to")
	  || diag($process->stderr);
	return;
}

sub all_equal
{
	tables_equal($source, 'app', $target, 'app', @tables);
	return;
}

# ---- a standby
begin_anew($source, $target);
my $first = run_start();
wait_for_stream($target, 'app', 'app', $first);
my $epoch = epoch();
my $second = run_start();
wait_for_err($second, qr/standby: the stream app is owned by process \d+ /);
is(epoch(), $epoch, 'a standby does not touch the progress row');
pair_write($source);
wait_for_applied($source, $target);
ok($first->running && $second->running, 'both run, one of them works');
is(epoch(), $epoch, 'and it is the first');

# ---- another one that does not want to wait
my $result = portage_fails(3, 'run', endpoints($source, $target), '--no-wait');
error_ok($result, 'P0306', qr/the stream app has an owner/, '--no-wait');
like($result->{err}, qr/detail: It is process \d+ \(pg_portage app apply\)/,
	'who it is');
$result = portage_fails(3, 'drop', endpoints($source, $target), '--yes');
error_ok($result, 'P0306', qr/is running/, 'drop beside an owner');
$result = portage_ok('status', endpoints($source, $target), '--json');
like($result->{out}, qr/"applier": "process \d+/, 'status names the owner');

# ---- the standby takes over when the owner is killed
pair_write($source);
$first->kill9;
wait_for_err($second, qr/streaming from/);
pair_write($source);
wait_for_applied($source, $target);
cmp_ok(epoch(), '>', $epoch, 'with an epoch of its own');
all_equal();

# ---- a takeover from a live owner
my $third = run_start('--takeover');
wait_for_err($third, qr/streaming from/);
fenced_ok($second, 'the owner before a takeover');
pair_write($source);
wait_for_applied($source, $target);
ok($third->running, 'the one that took over runs');
all_equal();

# ---- a takeover while another one stands by: that one goes on waiting
my $waiting = run_start();
wait_for_err($waiting, qr/standby:/);
# A standby tries to get the lock now and then; here is one that always does.
my $greedy = PortageProcess->start(
	{}, 'psql', '-XAtq', '-d', $target->connstr('app'), '-c', <<'SQL');
DO $$ DECLARE got bool := false; BEGIN
	WHILE NOT got LOOP
		SELECT CASE WHEN pg_try_advisory_xact_lock_shared(hashtextextended('pg_portage takeover:app', 0))
			THEN pg_try_advisory_lock(hashtextextended('pg_portage:app', 0)) ELSE false END INTO got;
		COMMIT;
		PERFORM pg_sleep(0.001);
	END LOOP;
END $$
SQL
my $its_session = q{FROM pg_stat_activity
	WHERE query LIKE 'DO %' AND application_name = 'psql' AND state = 'active'};
wait_for(sub { $target->safe_psql('app', "SELECT count(*) $its_session") },
	'somebody to try all the time');
my $fourth = run_start('--takeover');
wait_for_err($fourth, qr/streaming from/);
fenced_ok($third, 'the owner before the second takeover');
ok($greedy->running, 'nobody else gets the lock between the two');
$target->safe_psql('app', "SELECT pg_terminate_backend(pid) $its_session");
$greedy->wait_exit;
ok($waiting->running, 'the standby still waits');
unlike($waiting->stderr, qr/streaming from|warning|error/, 'undisturbed');
end_well($waiting, 'the standby');
end_well($fourth, 'the owner');
all_equal();

# ---- stopped in a batch, taken over, continued: commits nothing
foreach my $point (qw(batch-applied progress-updated batch-begun))
{
	my $zombie = stopped_at($point);
	my $owner = run_start('--takeover');
	wait_for_err($owner, qr/streaming from/);
	wait_for_applied($source, $target);
	all_equal();
	my $before = evidence($target, 'app', 'app', @tables);
	$epoch = epoch();
	$zombie->signal('CONT');
	fenced_ok($zombie, "stopped at $point, taken over and continued");
	ok($owner->running, 'the new owner is not disturbed');
	is(epoch(), $epoch, 'the epoch is the new owner\'s');
	is_deeply(
		table_digest($target, 'app', $tables[0]),
		$before->{ $tables[0] },
		'nothing was written twice');
	pair_write($source);
	wait_for_applied($source, $target);
	end_well($owner, 'the new owner');
	all_equal();
}

# ---- the epoch alone, with every session still there
foreach my $point (qw(batch-applied batch-begun))
{
	my $zombie = stopped_at($point);
	my $before = evidence($target, 'app', 'app', @tables);
	$target->safe_psql('app', 'UPDATE portage.progress SET epoch = epoch + 1');
	$zombie->signal('CONT');
	fenced_ok($zombie, "$point under an old epoch");
	same_evidence($before, $target, 'app', 'app', @tables);
}
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
all_equal();

# ---- killed while its session waits for a lock: the session stays, with the
# lock of the stream, until the server notices or somebody takes over
foreach my $how ([], ['--takeover'])
{
	my $locker = $target->background_psql('app');
	$locker->query_safe('BEGIN');
	$locker->query_safe('LOCK TABLE t');
	my $victim = run_start();
	wait_for_err($victim, qr/streaming from/);
	pair_write($source);
	wait_for(
		sub {
			$target->safe_psql('app',
				q{SELECT count(*) FROM pg_stat_activity
				  WHERE wait_event_type = 'Lock'
				  AND application_name = 'pg_portage app writer'}) == 1;
		},
		'its session to wait for a lock');
	$victim->signal('STOP');
	$victim->kill9;
	my $heir = run_start(@$how);
	wait_for_err($heir, qr/streaming from/);
	is( $target->safe_psql('app',
			q{SELECT count(*) FROM pg_stat_activity
			  WHERE application_name = 'pg_portage app apply'}),
		1, "one session applies @$how");
	$locker->query_safe('COMMIT');
	$locker->quit;
	wait_for_applied($source, $target);
	end_well($heir, "the heir @$how");
	all_equal();
}

# ---- the walsender of one that is stopped is ended
my $frozen = run_start();
wait_for_err($frozen, qr/streaming from/);
wait_for_applied($source, $target);
$frozen->signal('STOP');
my $walsender = slot_row($source, 'portage_app')->{active_pid};
ok($walsender, 'a stopped applier keeps the slot');
my $heir = run_start('--takeover');
wait_for_err($heir,
	qr/ending process $walsender on the source, which an earlier applier/);
wait_for_err($heir, qr/streaming from/);
isnt(slot_row($source, 'portage_app')->{active_pid},
	$walsender, 'another walsender reads the slot');
$frozen->kill9;
pair_write($source);
wait_for_applied($source, $target);
end_well($heir, 'the heir of a stopped one');
all_equal();

# ---- stopped in the copy: its loaders hold tables
begin_anew($source, $target);
$frozen = stopped_at('copy-loaded', '--jobs', 2);
is(progress_row($target, 'app', 'app')->{phase}, 'copy', 'stopped in the copy');
$heir = run_start('--takeover');
wait_for_stream($target, 'app', 'app', $heir);
my $before = evidence($target, 'app', 'app', @tables);
$frozen->signal('CONT');
fenced_ok($frozen, 'stopped in the copy, taken over and continued');
wait_for_applied($source, $target);
end_well($heir, 'the heir of a copy');
is( $target->safe_psql('app',
		q{SELECT count(*) FROM portage.chunk WHERE state = 'done'}),
	2, 'each table was copied once');
all_equal();

# ---- the lock on a server whose session is waiting for a commit of a zombie:
# the claim waits for the row
my $zombie = stopped_at('progress-updated');
my $claimer = run_start();
wait_for_err($claimer, qr/standby:/);
$zombie->kill9;
wait_for_err($claimer, qr/streaming from/);
wait_for_applied($source, $target);
all_equal();

# ---- dropped under it: it ends, and does not begin anew
portage_ok('drop', endpoints($source, $target), '--yes', '--takeover');
is($claimer->wait_exit->{rc}, 4, 'an applier whose migration is dropped');
like($claimer->stderr,
	qr/the migration "app" was dropped while it ran \[P0418\]/, 'says so');
is(slot_row($source, 'portage_app'), undef, 'and makes no slot');
is(progress_row($target, 'app', 'app'), undef, 'nor a row');
all_equal();

# ---- two migrations in one target
$target->safe_psql('app', 'DROP TABLE t, u');
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my %pair = map {
	$_ => run_start(
		'--name', "only_$_",
		'--tables', "public.$_",
		env => {
			PG_PORTAGE_FAILPOINT => 'owner-locked:pause',
			PG_PORTAGE_FAILPOINT_RESUME => $resume
		})
} qw(t u);
# both create the tables of the state at the same time
wait_for(
	sub {
		$target->safe_psql('app',
			q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}) == 2;
	},
	'both to be about to begin');
PostgreSQL::Test::Utils::append_to_file($resume, "\n");
wait_for_stream($target, 'app', "only_$_", $pair{$_}) foreach sort keys %pair;
pair_write($source);
wait_for_applied($source, $target, 'app', "only_$_") foreach sort keys %pair;
ok($pair{t}->running && $pair{u}->running, 'two migrations run side by side');
is( $target->safe_psql('app',
		q{SELECT string_agg(stream, ' ' ORDER BY stream) FROM portage.progress}),
	'only_t only_u',
	'each has its row');
all_equal();
end_well($pair{t}, 'one of two');
portage_ok('drop', '--name', 'only_t', endpoints($source, $target), '--yes');
is(slot_row($source, 'portage_only_t'), undef, 'its slot is gone');
ok(progress_row($target, 'app', 'only_u'), 'the other has its row');
pair_write($source);
wait_for_applied($source, $target, 'app', 'only_u');
ok($pair{u}->running, 'and is not disturbed');
end_well($pair{u}, 'the other');
tables_equal($source, 'app', $target, 'app', 'public.u');
# a session that ends later than its applier does not stand in the way
my $ending = PortageProcess->start({}, 'psql', '-XAtq', '-d', $target->connstr('app'), '-c',
	q{SELECT pg_advisory_lock(hashtextextended('pg_portage:only_u', 0)), pg_sleep(1)});
wait_for(
	sub {
		$target->safe_psql('app',
			q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	},
	'a session to have the lock');
portage_ok('drop', '--name', 'only_u', endpoints($source, $target), '--yes');
is($ending->wait_exit->{rc}, 0, 'which was waited for');
is($target->safe_psql('app', q{SELECT to_regclass('portage.progress') IS NULL}),
	't', 'with the last one the tables of the state go');

done_testing();
