# finish goes on by itself when a server restarts or a session is ended, wherever
# it stands, and what it creates is there once; it gives up when it was told to,
# and goes on when it is started again.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', fsync => 0);
my $target = target_new('target');
my @ends = endpoints($source, $target);
my @tables = map { "public.$_" } qw(parents children logged log seen);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $ours = q{application_name LIKE 'pg\_portage %'};
my $rounds = 0;

$source->safe_psql('app', <<'SQL');
CREATE TABLE parents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
CREATE TABLE children (id serial PRIMARY KEY, parent int CONSTRAINT one REFERENCES parents,
	other int CONSTRAINT two REFERENCES parents);
CREATE TABLE logged (id serial PRIMARY KEY, v int);
CREATE TABLE log (v int);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.log VALUES (NEW.v); RETURN NULL; END';
CREATE TRIGGER log_it AFTER INSERT ON logged FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM children;
INSERT INTO parents (v) SELECT 'v' || i FROM generate_series(1, 100) i;
INSERT INTO children (parent, other) SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO logged (v) VALUES (-1);
SQL

# A migration whose stream has something left to apply.
sub begin
{
	begin_anew($source, $target);
	portage_ok('run', @ends, '--until', 'caught-up');
	# each statement is a transaction
	$source->safe_psql('app', <<'SQL');
INSERT INTO logged (v) SELECT i FROM generate_series(1, 1500) i;
INSERT INTO children (parent, other) SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO logged (v) SELECT i FROM generate_series(1, 1500) i;
REFRESH MATERIALIZED VIEW seen;
SQL
	return;
}

sub ask
{
	my ($sql) = @_;
	return $target->safe_psql('app', $sql);
}

sub phase
{
	return progress_row($target, 'app', 'app')->{phase};
}

# How often the process has said that it tries again.
sub tries
{
	my ($process) = @_;
	return scalar(() = $process->stderr =~ /trying again/g);
}

sub wait_for_tries
{
	my ($process, $more_than) = @_;
	wait_for(
		sub {
			die 'ended: ' . $process->stderr unless $process->running;
			tries($process) > $more_than;
		},
		'finish to try again');
	return;
}

# finish, started, and waiting at the failpoint's first hit.
sub paused_at
{
	my ($point, @more) = @_;
	my $log = "$folder/log." . ++$rounds;
	my $process = portage_start(
		'finish', @ends, @more,
		env => {
			PG_PORTAGE_FAILPOINT => "$point:pause",
			PG_PORTAGE_FAILPOINT_LOG => $log,
			PG_PORTAGE_FAILPOINT_RESUME => "$folder/resume.$rounds"
		});
	wait_for(
		sub {
			die 'ended: ' . $process->stderr unless $process->running;
			-e $log && slurp_file($log) =~ /^$point$/m;
		},
		"finish to be at $point");
	return $process;
}

sub resume
{
	append_to_file("$folder/resume.$rounds", "\n");
	return;
}

# It has gone on by itself, and the target is what a finished one is.
sub ends_well
{
	my ($process, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $end = $process->wait_exit;
	is($end->{rc}, 0, "$what: the same finish ends with 0") || diag($process->stderr);
	cmp_ok(tries($process), '>', 0, "$what: it has tried again");
	unlike($process->stderr, qr/error:/, "$what: it was no error");
	return all_there($what);
}

sub all_there
{
	my ($what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(phase(), 'done', "$what: it is known to be done");
	tables_equal($source, 'app', $target, 'app', @tables);
	schemas_equal($source, 'app', $target, 'app');
	is(ask('SELECT count(*) FROM pg_constraint WHERE NOT convalidated'), 0,
		"$what: every constraint is validated");
	is(ask(q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}), 0,
		"$what: nothing is deferred any more");
	foreach my $sequence (qw(parents_id_seq children_id_seq logged_id_seq))
	{
		my $sql = "SELECT last_value FROM $sequence";
		is(ask($sql), $source->safe_psql('app', $sql), "$what: $sequence");
	}
	ask('INSERT INTO logged (v) VALUES (-99)');
	is(ask('SELECT count(*) FROM log WHERE v = -99'), 1, "$what: the trigger fires once");
	return;
}

# ---- the target restarts, wherever finish stands
my %points = (
	'finish-phase' => 'fast',
	'finish-entry' => 'immediate',
	'ddl-committed' => 'fast',
	'sequences-set' => 'fast');
foreach my $point (sort keys %points)
{
	begin();
	my $process = paused_at($point);
	is(phase(), 'finish', "$point: finish has begun");
	$target->stop($points{$point});
	resume();
	wait_for_tries($process, 0);
	$target->start;
	ends_well($process, "the target restarted at $point");
}

# ---- either side restarts while finish streams what was left
foreach my $side ([ 'target', $target ], [ 'source', $source ])
{
	my ($name, $node) = @$side;

	begin();
	my $process = paused_at('batch-applied');
	is(phase(), 'stream', 'finish applies what was left');
	$node->stop('fast');
	resume();
	wait_for_tries($process, 0);
	$node->start;
	ends_well($process, "the $name restarted in the stream of finish");
}

# ---- the source restarts behind the stream: sequences are read from it
begin();
my $process = paused_at('finish-entry');
$source->stop('fast');
resume();
wait_for_tries($process, 0);
is(phase(), 'finish', 'finish has begun');
$source->start;
ends_well($process, 'the source restarted after the stream');

# ---- sessions are ended: one that waits for a lock, and all of both sides
begin();
my $blocker = $target->background_psql('app');
$blocker->query_safe('BEGIN');
$blocker->query_safe('LOCK TABLE children');
$process = portage_start('finish', @ends);
wait_for(
	sub {
		die 'ended: ' . $process->stderr unless $process->running;
		ask(qq{SELECT count(*) FROM pg_stat_activity
			WHERE $ours AND wait_event_type = 'Lock'}) == 1;
	},
	'finish to wait for the lock');
cmp_ok(ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE $ours"),
	'>', 0, 'its sessions are ended');
wait_for_tries($process, 0);
$source->safe_psql('postgres',
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $ours");
$blocker->query_safe('COMMIT');
$blocker->quit;
ends_well($process, 'sessions ended');

# ---- the first connection has one try
begin();
$target->stop('fast');
my $result = portage_fails(3, 'finish', @ends);
error_ok($result, 'P0301', qr/cannot connect to the target/, 'no target at the start');
unlike($result->{err}, qr/trying again/, 'which is not tried again');
$target->start;

# ---- either side stays away: it gives up, and the next finish goes on
foreach my $side ([ 'target', $target ], [ 'source', $source ])
{
	my ($name, $node) = @$side;

	begin() if $name eq 'source';
	$process = paused_at('finish-entry', '--retry-for', '3s');
	$node->stop('fast');
	resume();
	my $end = $process->wait_exit;
	is($end->{rc}, 3, "the $name stays away: exit code 3");
	error_ok({ err => $process->stderr }, 'P0305', qr/gave up after \d/,
		"the $name stays away");
	like($process->stderr, qr/detail: The last one was: .*\[P030[134]\]/,
		'with the last reason');
	cmp_ok(tries($process), '>', 0, 'after more than one try');
	$node->start;
	is(phase(), 'finish', 'finish has begun, and has not ended');
	portage_ok('finish', @ends);
	all_there("the $name is back");
}

# ---- a stop is obeyed while it waits for a server
begin();
$process = paused_at('finish-entry', '--retry-for', '0');
$target->stop('fast');
resume();
wait_for_tries($process, 1);
$process->term;
is($process->wait_exit->{rc}, 0, 'a signal while the target is away: exit code 0');
like($process->stderr, qr/stopped by signal .*run pg_portage finish again/,
	'it says how to go on');
$target->start;
portage_ok('finish', @ends);
all_there('after the signal');

# ---- somebody else drops the migration meanwhile: it does not begin again
begin();
$process = paused_at('finish-entry');
$target->stop('fast');
resume();
wait_for_tries($process, 0);
$process->signal('STOP');
$target->start;
portage_ok('drop', @ends, '--yes');
$process->signal('CONT');
is($process->wait_exit->{rc}, 4, 'dropped meanwhile: exit code 4');
error_ok({ err => $process->stderr }, 'P0418', qr/was dropped while it ran/,
	'dropped meanwhile');

done_testing();
