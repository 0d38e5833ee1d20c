# Bad days of slot, history and progress row while the applier streams, and
# those that 032_history.pl has not: a slot that was invalidated, a progress row
# from an old dump. The applier is held while the bad day happens, ends with the
# code of that day when it goes on, and says the same at the next start; nothing
# changes on either side. Which day is where: regress/README.md.

use strict;
use warnings;

use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target', databases => []);
my @tables = qw(t u);
my $sides = PortageBadDay->new($source, $target);
my $process;

pair_create($source);

sub streaming
{
	begin_anew($source, $target);
	resumed();
	return;
}

sub resumed
{
	$process = portage_start('run', $sides->urls);
	wait_for_err($process, qr/streaming from/);
	pair_write($source);
	wait_for_applied($source, $target);
	return;
}

# Hold it, let something happen, and let it go on: how did it end? Writes after
# that are for it to miss; a marker may have been on its way before.
sub while_held
{
	my ($happens, %day) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$process->signal('STOP');
	$happens->();
	pair_write($source);
	$sides->look(running => 1, %{ $day{look} // {} });
	$process->signal('CONT');
	my $end = $process->wait_exit;
	$sides->told(
		{ rc => $end->{rc}, err => $process->stderr },
		%day, what => "$day{what} while streaming");
	$sides->same("$day{what} while streaming");
	return;
}

sub walsender_end
{
	$source->safe_psql('postgres',
		q{SELECT pg_terminate_backend(active_pid, 180000)
		  FROM pg_replication_slots WHERE active});
	return;
}

sub on_slot
{
	my ($sql) = @_;
	return sub {
		walsender_end();
		$source->safe_psql('app', $sql);
	};
}

sub setting
{
	my ($change) = @_;
	$source->safe_psql('postgres', "ALTER SYSTEM $change");
	$source->reload;
	return;
}

# ---- the slot
my $drop = q{SELECT pg_drop_replication_slot('portage_app')};
my %gone = (rc => 4, code => 'P0403',
	words => qr/the slot portage_app is gone/, hint => qr/drop and copy again/);
my %ahead = (rc => 4, code => 'P0404',
	words => qr/the slot portage_app stands at .*, beyond/,
	hint => qr/drop and copy again/, detail => qr/advanced the slot or created/);
streaming();
while_held(on_slot($drop), %gone, what => 'the slot dropped');
$sides->refused(%gone, what => 'the slot dropped');
streaming();
while_held(
	on_slot("$drop; SELECT pg_create_logical_replication_slot('portage_app',"
		  . " 'pg_portage')"),
	%ahead, what => 'the slot recreated');
$sides->refused(%ahead, what => 'the slot recreated');
streaming();
while_held(
	on_slot("SELECT pg_replication_slot_advance('portage_app',"
		  . ' pg_current_wal_lsn())'),
	%ahead, what => 'the slot advanced');
$sides->refused(%ahead, what => 'the slot advanced');

# ---- the slot invalidated: the server ends the walsender by itself
my %invalid = (
	rc => 4, code => 'P0405',
	words => $source->pg_version >= 17
	? qr/has invalidated the slot portage_app: wal_status is lost \(wal_removed\)/
	: qr/has invalidated the slot portage_app: wal_status is lost(?! \()/,
	hint => qr/drop and copy again; raise max_slot_wal_keep_size/);
streaming();
setting(q{SET max_slot_wal_keep_size = '1MB'});
while_held(
	sub {
		foreach (1 .. 3)
		{
			$source->safe_psql('app',
				q{SELECT pg_logical_emit_message(false, 'test', repeat('x', 9999));
				  SELECT pg_switch_wal()});
		}
		$source->safe_psql('postgres', 'CHECKPOINT');
		wait_for(
			sub { slot_row($source, 'portage_app')->{wal_status} eq 'lost' },
			'the slot to be lost');
	},
	%invalid,
	what => 'the slot invalidated');
$sides->refused(%invalid, what => 'the slot invalidated');
setting('RESET max_slot_wal_keep_size');
$sides->refused(%invalid, what => 'with the limit raised too late');
if (server_knows($source, 'idle_replication_slot_timeout'))
{
	streaming();
	$process->term;
	is($process->wait_exit->{rc}, 0, 'nobody reads the slot');
	setting(q{SET idle_replication_slot_timeout = '1s'});
	wait_for(
		sub {
			$source->safe_psql('postgres', 'CHECKPOINT');
			return slot_row($source, 'portage_app')->{wal_status} eq 'lost';
		},
		'the slot to be lost');
	$sides->look;
	$sides->refused(
		%invalid,
		words => qr/has invalidated the slot portage_app: wal_status is lost \(idle_timeout\)/,
		hint => qr/drop and copy again; raise .* idle_replication_slot_timeout/,
		what => 'the slot unused for too long');
	setting('RESET idle_replication_slot_timeout');
}
else
{
	cmp_ok($source->pg_version, '<', 18, 'before 18 no slot is unused for too long');
}

# ---- what the source allows, taken away and given back
streaming();
if (server_knows($source, 'output_plugin_libraries'))
{
	my %refused = (
		rc => 2, code => 'P0206', words => qr/cannot start the stream: .*pg_portage/,
		hint => qr/output_plugin_libraries/);

	setting(q{SET output_plugin_libraries = 'pgoutput'});
	pair_write($source);
	wait_for_applied($source, $target);
	ok($process->running, 'a stream that runs is not ended by the list');
	while_held(\&walsender_end, %refused, what => 'the plugin off the list');
	$sides->refused(%refused, what => 'the plugin off the list');
	setting('RESET output_plugin_libraries');
	$sides->equal(@tables);
	resumed();
}
my $role = SOURCE_ROLE;
my %no_role = (
	rc => 2, code => 'P0204', words => qr/may not replicate/,
	hint => qr/ALTER ROLE \S+ REPLICATION/);
while_held(
	sub {
		$source->safe_psql('postgres', "ALTER ROLE $role NOREPLICATION");
		walsender_end();
	},
	%no_role, what => 'REPLICATION taken away');
$sides->refused(%no_role, what => 'REPLICATION taken away');
$source->safe_psql('postgres', "ALTER ROLE $role REPLICATION");
$sides->equal(@tables);

# ---- the progress row, deleted and set back by a dump
my $dump = PostgreSQL::Test::Utils::tempdir() . '/portage.sql';
my %not_ours = (
	rc => 3, code => 'P0307', words => qr/the stream app is no longer ours/,
	hint => qr/this one has stopped/,
	detail => qr/is gone or was changed by somebody else/);
my $restore = sub {
	$target->safe_psql('app', 'DELETE FROM portage.progress;'
		  . 'DELETE FROM portage.chunk; DELETE FROM portage.ddl');
	$target->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1',
		'-f', $dump, $target->connstr('app') ], 'the old dump is restored');
};

sub dump_keep
{
	$target->command_ok([ 'pg_dump', '--data-only', '--schema=portage',
		'-f', $dump, $target->connstr('app') ], 'a dump of schema portage');
	return;
}

resumed();
dump_keep();
while_held(
	sub { $target->safe_psql('app', 'DELETE FROM portage.progress') },
	%not_ours, what => 'the progress row deleted');
$sides->refused(
	what => 'the progress row deleted', rc => 4, code => 'P0406',
	words => qr/has a slot portage_app already/,
	hint => qr/choose another --name, or drop that slot/);
$restore->();
$sides->equal(@tables);

resumed();
dump_keep();
pair_write($source);
wait_for_applied($source, $target);
while_held($restore, %not_ours, what => 'the progress row set back');

# The rows are newer than the row says; what comes again does not fit. What the
# slot was told in between decides which of two refusals it is.
begin_anew($source, $target);
pair_write($source);
$sides->equal(@tables);
dump_keep();
my $old = progress_row($target, 'app', 'app');
pair_write($source);
is( portage('run', $sides->urls,
		env => { PG_PORTAGE_FAILPOINT => 'batch-durable:kill' })->{signal},
	9,
	'more is applied, and not confirmed');
cmp_ok(lsn(progress_row($target, 'app', 'app')->{resume_lsn}),
	'>', lsn($old->{resume_lsn}), 'the row has moved on');
my $row = progress_row($target, 'app', 'app');
$restore->();
$sides->refused(
	what => 'a progress row of yesterday', rc => 4, code => 'P0413',
	words => qr/table public\.t: INSERT: .*duplicate key/,
	hint => qr/somebody else wrote to the target/);
$target->safe_psql('app', 'UPDATE portage.progress SET '
	  . join(', ', map { defined $row->{$_} ? "$_ = '$row->{$_}'" : "$_ = NULL" }
		grep { !/\A(?:epoch|stream)\z/ } sort keys %$row));
$sides->equal(@tables);

# ---- the source behind the same address is not what it was
my %history = (
	'rolled back' => {
		rc => 4, code => 'P0409',
		words => qr/WAL ends at .*, but the target has applied it up to/,
		hint => qr/rolled back: compare and copy again/
	},
	'rolled back, and written to since' => {
		rc => 4, code => 'P0410',
		words => qr/history is not the one that was applied/,
		hint => qr/rolled back or replaced: compare and copy again/
	},
	'a promoted standby' => {
		rc => 4, code => 'P0408', words => qr/on timeline 2, .* on 1/,
		hint => qr/may lack transactions/
	});
my $kept = $source->basedir . '/kept';

sub source_restore
{
	# a held applier answers nobody
	walsender_end();
	$source->stop('fast');
	system_or_bail('mv', $source->data_dir, $source->data_dir . '.gone');
	system_or_bail('cp', '-a', $kept, $source->data_dir);
	system_or_bail('rm', '-rf', $source->data_dir . '.gone');
	$source->start;
	return;
}

sub source_keep
{
	streaming();
	$process->term;
	is($process->wait_exit->{rc}, 0, 'stopped');
	$source->stop('fast');
	system_or_bail('rm', '-rf', $kept);
	system_or_bail('cp', '-a', $source->data_dir, $kept);
	$source->start;
	return;
}

foreach my $what ('rolled back', 'rolled back, and written to since')
{
	source_keep();
	resumed();
	# further than anything that the server writes by itself, once rolled back
	$source->safe_psql('app', 'SELECT pg_switch_wal()')
	  if $what eq 'rolled back';
	pair_write($source) foreach 1 .. 3;
	wait_for_applied($source, $target);
	my $reached = lsn(progress_row($target, 'app', 'app')->{resume_lsn});
	while_held(
		sub {
			source_restore();
			return if $what eq 'rolled back';
			note('up to where the target is, and further');
			while (lsn(current_lsn($source)) <= $reached + 10_000)
			{
				pair_write($source);
			}
		},
		%{ $history{$what} },
		what => $what);
	$sides->refused(%{ $history{$what} }, what => $what);
}

streaming();
$source->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($source, 'base', has_streaming => 1);
$standby->start;
while_held(
	sub {
		$source->wait_for_catchup($standby);
		$standby->promote;
		# it takes the place of the source
		walsender_end();
		$source->stop('fast');
		$standby->stop;
		$standby->{_port} = $source->port;
		$standby->append_conf('postgresql.conf', 'port = ' . $source->port);
		$standby->start;
	},
	%{ $history{'a promoted standby'} },
	what => 'a promoted standby',
	look => { source => $standby });
$sides->refused(%{ $history{'a promoted standby'} },
	what => 'a promoted standby', look => { source => $standby });

# ---- what a timeline other than the first has, a history, only a role with
# REPLICATION may see: without it, it must not look like another one
my $promoted = PortageBadDay->new($standby, $target);
begin_anew($source, $target);
$promoted->equal(@tables);
$standby->safe_psql('postgres', "ALTER ROLE $role NOREPLICATION");
$promoted->refused(%no_role, what => 'REPLICATION taken away on timeline 2');
$standby->safe_psql('postgres', "ALTER ROLE $role REPLICATION");
$promoted->equal(@tables);

done_testing();
