# Every failpoint with the action `error`: the step fails, and the applier by
# itself connects again, goes on and ends right; where a command has one try
# only, it ends with a code and the next start goes on. Those that a killed
# `run` does not pass (finish, drop, lost connections) with `kill`, too, and
# `stop` and `pause` once each.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

# Each group is a migration of its own, whose start fails at all of them.
my @copy_groups = (
	[qw(state-created epoch-bumped slot-intended slot-created anchor-emitted
		anchor-stored)],
	[qw(snapshot-visible schema-dumped schema-stored chunk-stored)],
	[qw(ddl-before-commit:2 ddl-committed:3 copy-started copy-loaded)],
	[qw(copy-before-commit copy-committed copy-finished sequences-set)],
	[qw(stream-phase stream-started)]);
my @first_try = qw(source-connected target-connected owner-locked);
my @stream_points = qw(stream-started history-proven marker-emitted
  frame-received batch-begun batch-applied progress-updated batch-committed
  batch-durable feedback-sent piece-applied ddl-message ddl-replayed
  relation-changed);
my @writer_points = qw(early-applied);
# where DDL commits by itself: 086_mysql_ddl_kill.pl
my @mysql_points = qw(ddl-intended ddl-executed ddl-noted);
my @others = qw(copy-reset target-lost source-lost finish-phase finish-entry
  done-phase drop-slot drop-state);

# statistics are not to change: they decide how a table is split
my $source = source_new('source', conf => 'autovacuum = off');
my $target = target_new('target', databases => []);
my @tables = map { "public.$_" } qw(parent child wide big heaped);
my $written = 0;

$source->safe_psql('app', <<'SQL');
CREATE TABLE parent (id bigserial PRIMARY KEY, v text UNIQUE);
CREATE TABLE child (id int PRIMARY KEY,
	parent bigint REFERENCES parent ON DELETE CASCADE, n int);
CREATE INDEX child_parent ON child (parent);
CREATE TABLE wide (id int PRIMARY KEY, body text);
CREATE TABLE big (id bigint PRIMARY KEY, body text);
INSERT INTO parent (v) SELECT 'v' || i FROM generate_series(1, 2000) i;
INSERT INTO child SELECT i, i, 0 FROM generate_series(1, 1000) i;
INSERT INTO wide SELECT i, repeat(md5(i::text), 300)
	FROM generate_series(1, 100) i;
INSERT INTO big VALUES (1, 'x');
CREATE TABLE heaped (id int, body text);
INSERT INTO heaped SELECT i, repeat('h', 60) FROM generate_series(1, 5000) i;
SQL

# A few transactions of every kind.
sub write_some
{
	$written++;
	$source->safe_psql('app', <<"SQL");
INSERT INTO parent (v)
	SELECT 'w$written.' || i FROM generate_series(1, 50) i;
UPDATE child SET n = n + 1 WHERE id % 10 = $written % 10;
UPDATE wide SET id = -id WHERE abs(id) = $written;
UPDATE parent SET v = v || '!' WHERE id = $written;
DELETE FROM parent WHERE id = $written + 100;
SQL
	return;
}

# With the event triggers, or only as the table's next row shows it.
sub change_table
{
	my ($point) = @_;

	$source->safe_psql('app',
		'ALTER EVENT TRIGGER _portage_ddl_end '
		  . ($point =~ /relation/ ? 'DISABLE' : 'ENABLE ALWAYS'));
	$source->safe_psql('app', <<"SQL");
ALTER TABLE wide ADD COLUMN "$point" int DEFAULT $written;
UPDATE wide SET "$point" = id WHERE id % 2 = 0;
SQL
	return;
}

sub run_arguments
{
	return ('run', endpoints($source, $target), @_);
}

sub armed
{
	my ($action, @points) = @_;
	return (
		env => {
			PG_PORTAGE_FAILPOINT =>
			  join(',', map { s/\A([^:]+)/$1:$action/r } @points)
		});
}

sub equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok(run_arguments('--until', 'caught-up'));
	return tables_equal($source, 'app', $target, 'app', @tables);
}

sub failed_at
{
	my ($err, $point) = @_;
	$point =~ s/:.*//;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($err, qr/warning: trying again: .*failpoint \Q$point\E \[P0303\]/,
		"$point: failed, and was tried again");
}

# ---- every failpoint is in this file
my $list = portage_ok('--list-failpoints');
my %known = map { s/:.*//r => 1 } @first_try, @stream_points, @writer_points,
  @mysql_points, @others,
  map { @$_ } @copy_groups;
is_deeply([ sort split(/\n/, $list->{out}) ],
	[ sort keys %known ], 'every failpoint of the applier is tried here');

# ---- words that are none
foreach my $wrong (
	[ 'nowhere:kill', qr/there is no failpoint "nowhere"/ ],
	[ 'batch-begun:explode', qr/"explode" is not a failpoint's action/ ],
	[ 'batch-begun:kill:0', qr/"0" is not the number of a failpoint's hit/ ])
{
	my $result = portage_fails(2, run_arguments(),
		env => { PG_PORTAGE_FAILPOINT => $wrong->[0] });
	error_ok($result, 'P0101', $wrong->[1], $wrong->[0]);
}

# ---- the first connection of a command has one try
begin_anew($source, $target);
foreach my $point (@first_try)
{
	my $result = portage_fails(3, run_arguments('--until', 'caught-up'),
		armed('error', $point));
	error_ok($result, 'P0303', qr/failpoint $point/, $point);
}

# ---- the copy
foreach my $group (@copy_groups)
{
	begin_anew($source, $target);
	write_some();
	# of workers that fail at the same time only the first one is told of
	my $result = portage_ok(run_arguments('--until', 'caught-up', '--jobs', 1),
		armed('error', @$group));
	failed_at($result->{err}, $_) foreach @$group;
	tables_equal($source, 'app', $target, 'app', @tables);
}

# ---- pieces that mean nothing under another snapshot are copied again
my @split = ('--split-over', '64kB', '--jobs', 1);
begin_anew($source, $target);
my $killed =
  portage(run_arguments(@split), armed('kill', 'copy-committed'));
is($killed->{signal}, 9, 'killed with one piece of a table');
write_some();
my $again = portage_ok(run_arguments('--until', 'caught-up', @split),
	armed('error', 'copy-reset'));
failed_at($again->{err}, 'copy-reset');
tables_equal($source, 'app', $target, 'app', @tables);

# ---- the stream
foreach my $point (@stream_points)
{
	my $process = portage_start(run_arguments(), armed('error', $point));
	write_some();
	big_insert($source) if $point =~ /piece/;
	change_table($point) if $point =~ /ddl|relation/;
	wait_for_err($process, qr/failpoint $point/);
	write_some();
	wait_for_applied($source, $target);
	$process->term;
	is($process->wait_exit->{rc}, 0, "$point: stopped by a signal");
	failed_at($process->stderr, $point);
	unlike($process->stderr, qr/error:/, "$point: nothing else was wrong");
	tables_equal($source, 'app', $target, 'app', @tables);
}
$source->safe_psql('app', q{TRUNCATE big; INSERT INTO big VALUES (2, 'y')});

# A batch that fails before its turn is begun again in it: nobody hears of it.
my $next = 11;
foreach my $point (@writer_points)
{
	my $hits = PostgreSQL::Test::Utils::tempdir() . "/hits-$point";
	my $env = { armed('error', $point) }->{env};
	$env->{PG_PORTAGE_FAILPOINT} .= ',batch-applied:delay=500:*';
	$env->{PG_PORTAGE_FAILPOINT_LOG} = $hits;
	my $process = portage_start(run_arguments('--writers', 2), env => $env);
	wait_for_err($process, qr/streaming from/);
	# the younger batch has to come while the older one takes its time
	wait_for(
		sub {
			$source->safe_psql('app', join('',
					map { "INSERT INTO big VALUES ($_, 'early');\n" } $next .. $next + 4));
			$next += 5;
			return slurp_file($hits) =~ /^$point$/m;
		},
		"$point to be hit");
	wait_for_applied($source, $target);
	$process->term;
	is($process->wait_exit->{rc}, 0, "$point: stopped by a signal");
	pass("$point: was hit");
	unlike($process->stderr, qr/error:|trying again/, "$point: was begun again in its turn");
	tables_equal($source, 'app', $target, 'app', @tables);
}

# A failure in the recovery from a failure, several times over.
my @nested = qw(batch-applied source-connected:3 target-connected:2
  owner-locked:2 epoch-bumped:2 history-proven:2 batch-committed);
my $process = portage_start(run_arguments(), armed('error', @nested));
write_some();
wait_for_err($process, qr/failpoint batch-committed/);
write_some();
wait_for_applied($source, $target);
$process->term;
is($process->wait_exit->{rc}, 0, 'failures in the recovery');
failed_at($process->stderr, $_) foreach @nested;
tables_equal($source, 'app', $target, 'app', @tables);

# A step that always fails ends the command, and has done nothing.
my $before = evidence($target, 'app', 'app', @tables);
write_some();
my $result =
  portage_fails(3, run_arguments('--retry-for', '1s'), armed('error', 'batch-begun:*'));
error_ok($result, 'P0305', qr/gave up after \d+\.\d s/, 'always failing');
like($result->{err}, qr/detail: .*failpoint batch-begun \[P0303\]/,
	'the last reason is told');
same_evidence($before, $target, 'app', 'app', @tables);
equal();

# ---- connections that are lost: kill, error, pause
my %session = (
	'target-lost' => [
		$target,
		q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		  WHERE application_name IN ('pg_portage app apply', 'pg_portage app writer')}
	],
	'source-lost' => [
		$source,
		q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication
		  WHERE application_name = 'pg_portage app stream'}
	]);
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';

foreach my $point (sort keys %session)
{
	my ($node, $sql) = @{ $session{$point} };

	foreach my $action (qw(kill error pause))
	{
		my $env = { armed($action, $point) }->{env};
		$env->{PG_PORTAGE_FAILPOINT_RESUME} = $resume;
		unlink($resume);
		$process = portage_start(run_arguments(), env => $env);
		wait_for_err($process, qr/streaming from/);
		write_some();
		wait_for_applied($source, $target);
		cmp_ok($node->safe_psql('postgres', $sql), '>', 0, "$point: its sessions are ended");
		write_some();
		if ($action eq 'kill')
		{
			is($process->wait_exit->{signal}, 9, "$point: killed there");
			equal();
			next;
		}
		if ($action eq 'pause')
		{
			# It is in the step, has said nothing yet, and is not running on.
			wait_for(sub { !session_count($point, $node) }, 'the session to end');
			unlike($process->stderr, qr/trying again/, "$point: it waits");
			PostgreSQL::Test::Utils::append_to_file($resume, "\n");
		}
		wait_for_err($process, qr/trying again/);
		wait_for_applied($source, $target);
		$process->term;
		is($process->wait_exit->{rc}, 0, "$point: goes on after $action");
		tables_equal($source, 'app', $target, 'app', @tables);
	}
}

sub session_count
{
	my ($point, $node) = @_;
	(my $count = $session{$point}[1]) =~ s/count\(.*?\(pid\)\)/count(*)/;
	return $node->safe_psql('postgres', $count);
}

# ---- stop, and go on
$process = portage_start(run_arguments(), armed('stop', 'batch-applied'));
write_some();
wait_for(sub { $process->state eq 'T' }, 'it to stop itself');
$before = evidence($target, 'app', 'app', @tables);
write_some();
same_evidence($before, $target, 'app', 'app', @tables);
$process->signal('CONT');
wait_for_applied($source, $target);
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped in a batch and continued');
tables_equal($source, 'app', $target, 'app', @tables);

# ---- finish
my $keys = q{SELECT conname, convalidated FROM pg_constraint
	WHERE contype = 'f' AND connamespace = 'public'::regnamespace};
is($target->safe_psql('app', $keys), '', 'the foreign key waits for finish');
my @finish = ('finish', endpoints($source, $target));
$result = portage(@finish, armed('kill', 'finish-phase'));
is($result->{signal}, 9, 'finish is killed when it has begun');
is(progress_row($target, 'app', 'app')->{phase}, 'finish', 'which is known');
portage_ok(@finish);

# What fails once, anywhere in it, is tried again.
foreach my $point (qw(finish-phase finish-entry finish-entry:2 sequences-set done-phase))
{
	my ($name) = $point =~ /^([\w-]+)/;

	begin_anew($source, $target);
	equal();
	is($target->safe_psql('app', $keys), '', 'the foreign key waits');
	$result = portage_ok(@finish, armed('error', $point));
	like($result->{err}, qr/trying again: .*failpoint $name \[P0303\]/,
		"$point: tried again");
	finished();
}

# Killed around the foreign key; then a step that always fails.
begin_anew($source, $target);
equal();
$result = portage(@finish, armed('kill', 'finish-entry'));
is($result->{signal}, 9, 'finish is killed with an object not committed');
is($target->safe_psql('app', $keys), '', 'which is not there');
$result = portage(@finish, armed('kill', 'finish-entry:2'));
is($result->{signal}, 9, 'finish is killed in the validation');
is($target->safe_psql('app', $keys), 'child_parent_fkey|f',
	'the foreign key is there and not yet valid');
$result = portage_fails(3, @finish, '--retry-for', '1s',
	armed('error', 'finish-entry:*'));
error_ok($result, 'P0305', qr/gave up after \d+\.\d s/, 'always failing');
like($result->{err}, qr/detail: .*failpoint finish-entry \[P0303\]/,
	'the last reason is told');
is($target->safe_psql('app', $keys), 'child_parent_fkey|f', 'it has done nothing');
portage_ok(@finish);
finished();

sub finished
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($target->safe_psql('app', $keys), 'child_parent_fkey|t',
		'the foreign key is there and valid');
	is( $target->safe_psql('app',
			q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}),
		0, 'nothing is deferred any more');
	is(progress_row($target, 'app', 'app')->{phase}, 'done', 'and it is known');
	return;
}

# ---- drop
my @drop = ('drop', endpoints($source, $target), '--yes');
$result = portage(@drop, armed('kill', 'drop-slot'));
is($result->{signal}, 9, 'drop is killed when the slot is gone');
is(slot_row($source, 'portage_app'), undef, 'it is gone');
ok(progress_row($target, 'app', 'app'), 'the state is not');
$result = portage_fails(4, run_arguments('--until', 'caught-up'));
error_ok($result, 'P0426', qr/is finished/, 'half a drop cannot be run');
$result = portage(@drop, armed('kill', 'drop-state'));
is($result->{signal}, 9, 'drop is killed in the removal of the state');
ok(progress_row($target, 'app', 'app'), 'which is still there');
$result = portage_fails(3, @drop, armed('error', 'drop-state'));
error_ok($result, 'P0303', qr/failpoint drop-state/, 'drop-state');
portage_ok(@drop);
is($target->safe_psql('app', q{SELECT to_regclass('portage.progress') IS NULL}),
	't', 'the state is gone');
table_digest($target, 'app', $_) foreach @tables;
portage_ok(@drop);

begin_anew($source, $target);
equal();
$result = portage_fails(3, @drop, armed('error', 'drop-slot'));
error_ok($result, 'P0303', qr/failpoint drop-slot/, 'drop-slot');
portage_ok(@drop);
is(progress_row($target, 'app', 'app'), undef, 'dropped at the second time');

done_testing();
