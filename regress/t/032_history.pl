# The source is not what it was, or the progress row is not: a slot that is
# gone or moved, a disk that was rolled back, another server, another timeline,
# a row that somebody edited. Each is refused with its own code, and nothing is
# applied; what can be resumed safely is.

use strict;
use warnings;

use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# what the server writes by itself would fill the WAL that is compared
my $source = source_new('source', conf => 'autovacuum = off');
my $target = target_new('target', databases => []);
my $sides = PortageBadDay->new($source, $target);
my @tables = map { "public.$_" } qw(t u);
my $written = 0;

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE u (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) i;
INSERT INTO u SELECT i FROM generate_series(1, 1000) i;
SQL

sub write_some
{
	my ($times) = @_;
	my $sql = '';

	# each statement is a transaction
	for (1 .. $times // 2)
	{
		$written++;
		$sql .= <<"SQL";
INSERT INTO t SELECT 10000 * $written + i, 'w' FROM generate_series(1, 20) i;
UPDATE u SET n = n + 1 WHERE id % 10 = $written % 10;
DELETE FROM t WHERE id = $written;
SQL
	}
	$source->safe_psql('app', $sql);
	return;
}

sub run_to_end
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok('run', endpoints($source, $target), '--until', 'caught-up', @_);
	tables_equal($source, 'app', $target, 'app', @tables);
	return;
}

sub begin_streamed
{
	begin_anew($source, $target);
	run_to_end();
	write_some();
	run_to_end();
	sessions_end($source);    # nobody else can have a slot in use
	return;
}

# A refusal: exit code 4, one error with code, words and hint, and schemas,
# slots, rows and state of both sides what they were. Twice, because a refusal
# must not wear off.
sub refused
{
	my ($code, $words, $what, @source) = @_;
	my @arguments =
	  @source
	  ? (@source, '--target', target_url($target, 'app'))
	  : endpoints($source, $target);

	$sides->look;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $time ('', ' again')
	{
		my $result = portage_fails(4, 'run', @arguments, '--name', 'app',
			'--until', 'caught-up');
		error_ok($result, $code, $words, "$what$time");
	}
	$sides->same($what);
	return;
}

sub on_target
{
	return $target->safe_psql('app', $_[0]);
}

# Both servers' files can be set back to a state before.
sub files_keep
{
	my ($node, $name) = @_;
	$node->stop('fast');
	system_or_bail('cp', '-a', $node->data_dir, $node->basedir . "/$name");
	$node->start;
	return;
}

sub files_restore
{
	my ($node, $name) = @_;
	$node->stop('fast');
	system_or_bail('rm', '-rf', $node->data_dir);
	system_or_bail('cp', '-a', $node->basedir . "/$name", $node->data_dir);
	$node->start;
	return;
}

sub wait_for_confirmed
{
	my ($position) = @_;
	wait_for(
		sub {
			lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn}) > $position;
		},
		'the slot to be told more');
	return;
}

begin_streamed();
write_some();

# ---- another server, another database
my $other = source_new('other');
$other->safe_psql('app',
	'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1)');
refused('P0407', qr/another source server/, 'another cluster',
	'--source', source_url($other, 'app'));
$other->stop;
$source->safe_psql('postgres', 'CREATE DATABASE app2');
refused('P0402', qr/is of the source database "app", not "app2"/,
	'another database', '--source', source_url($source, 'app2'));
run_to_end();

# ---- the progress row edited
my %edit = (
	"digest = translate(digest, '0123456789abcdef', '123456789abcdef0')" =>
	  [ 'P0410', qr/the transactions differ before/ ],
	"anchor_nonce = reverse(anchor_nonce)" =>
	  [ 'P0410', qr/the marker's nonce is missing/ ],
	"anchor_lsn = anchor_lsn + 8" =>
	  [ 'P0410', qr/the first transaction is not the marker's/ ],
	"resume_lsn = resume_lsn - 8" => [ 'P0410', qr/ends later than/ ],
	"resume_lsn = resume_lsn + 1000000000" =>
	  [ 'P0409', qr/WAL ends at .*, but the target has applied it up to/ ],
	"phase = 'elsewhere'" => [ 'P0418', qr/unknown phase "elsewhere"/ ],
	"source_timeline = 7" => [ 'P0408', qr/on timeline 1, .* on 7/ ]);
write_some();
on_target('CREATE TABLE kept AS TABLE portage.progress');
foreach my $change (sort keys %edit)
{
	on_target("UPDATE portage.progress SET $change");
	refused(@{ $edit{$change} }, $change);
	(my $column = $change) =~ s/ .*//;
	on_target("UPDATE portage.progress SET $column = k.$column FROM kept k");
}
run_to_end();
on_target('DROP TABLE kept');

# ---- the progress row gone: the slot is then nobody's
write_some();
on_target('CREATE TABLE kept AS TABLE portage.progress');
on_target('CREATE TABLE kept_chunk AS TABLE portage.chunk');
on_target('CREATE TABLE kept_ddl AS TABLE portage.ddl');
on_target('CREATE TABLE kept_relation AS TABLE portage.relation');
on_target('DELETE FROM portage.progress');
refused('P0406', qr/has a slot portage_app already/, 'no progress row');
on_target('INSERT INTO portage.progress TABLE kept');
on_target('INSERT INTO portage.chunk TABLE kept_chunk');
on_target('INSERT INTO portage.ddl TABLE kept_ddl');
on_target('INSERT INTO portage.relation TABLE kept_relation');
on_target('DROP TABLE kept, kept_chunk, kept_ddl, kept_relation');
run_to_end();

# ---- the target as it was before: the slot still has what it lacks
files_keep($target, 'before');
my $old = progress_row($target, 'app', 'app');
write_some(5);
my $killed = portage('run', endpoints($source, $target),
	env => { PG_PORTAGE_FAILPOINT => 'batch-durable:kill' });
is($killed->{signal}, 9, 'more is applied, and not confirmed');
cmp_ok(lsn(progress_row($target, 'app', 'app')->{resume_lsn}),
	'>', lsn($old->{resume_lsn}), 'the row has moved on');
files_restore($target, 'before');
is_deeply(progress_row($target, 'app', 'app'),
	$old, 'the target is set back, rows and progress row');
cmp_ok(lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn}),
	'<=', lsn($old->{anchor_lsn}), 'the slot has not been told of more');
run_to_end();

# ---- the same after the slot has been told
$old = progress_row($target, 'app', 'app');
system_or_bail('rm', '-rf', $target->basedir . '/before');
files_keep($target, 'before');
write_some(5);
my $process = portage_start('run', endpoints($source, $target));
wait_for_confirmed(lsn($old->{anchor_lsn}));
$process->term;
is($process->wait_exit->{rc}, 0, 'more is applied and confirmed');
files_restore($target, 'before');
is_deeply(progress_row($target, 'app', 'app'), $old, 'the target is set back');
refused('P0404', qr/stands at .*, beyond .* where the stream has to begin/,
	'the target of yesterday');

# ---- the slot advanced by somebody
begin_streamed();
write_some();
$source->safe_psql('app',
	q{SELECT pg_replication_slot_advance('portage_app', pg_current_wal_lsn())});
refused('P0404', qr/the slot portage_app stands at/, 'the slot advanced');

# ---- the slot dropped; then one created by hand in its place
begin_streamed();
write_some();
$source->safe_psql('app', q{SELECT pg_drop_replication_slot('portage_app')});
refused('P0403', qr/the slot portage_app is gone/, 'the slot dropped');
$source->safe_psql('app',
	q{SELECT pg_create_logical_replication_slot('portage_app', 'pg_portage')});
refused('P0404', qr/the slot portage_app stands at/, 'the slot recreated');
write_some();
refused('P0404', qr/the slot portage_app stands at/, 'and written to since');
$source->safe_psql('app',
	q{SELECT pg_drop_replication_slot('portage_app'),
	  pg_create_logical_replication_slot('portage_app', 'test_decoding')});
refused('P0406', qr/is not a slot of pg_portage/, 'a slot of another plugin');
$source->safe_psql('app', q{SELECT pg_drop_replication_slot('portage_app')});
$source->safe_psql('app2',
	q{SELECT pg_create_logical_replication_slot('portage_app', 'pg_portage')});
refused('P0406', qr/is not a slot of pg_portage in this database/,
	'a slot of another database');
$source->safe_psql('app2', q{SELECT pg_drop_replication_slot('portage_app')});
refused('P0403', qr/the slot portage_app is gone/, 'gone again');

# ---- the same while the copy has not ended
portage_ok('drop', endpoints($source, $target), '--yes');
$target->safe_psql('postgres', 'DROP DATABASE app (FORCE)');
$target->safe_psql('postgres', 'CREATE DATABASE app OWNER ' . TARGET_ROLE);
$killed = portage('run', endpoints($source, $target),
	env => { PG_PORTAGE_FAILPOINT => 'copy-finished:kill' });
is(progress_row($target, 'app', 'app')->{phase}, 'copy', 'killed in the copy');
sessions_end($source);
$source->safe_psql('app', q{SELECT pg_drop_replication_slot('portage_app')});
refused('P0403', qr/the slot portage_app is gone/, 'in the copy');
$source->safe_psql('app',
	q{SELECT pg_create_logical_replication_slot('portage_app', 'pg_portage')});
write_some();
my $result = portage_fails(4, 'run', endpoints($source, $target));
error_ok($result, 'P0404', qr/the slot portage_app stands at/,
	'recreated during the copy');

# ---- a standby of the source is promoted
begin_streamed();
$source->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($source, 'base', has_streaming => 1);
$standby->start;
PortageTest::password_remember($standby, SOURCE_ROLE);
write_some();
run_to_end();
$source->wait_for_catchup($standby);
$standby->promote;
refused('P0408', qr/on timeline 2, .* on 1/, 'a promoted standby',
	'--source', source_url($standby, 'app'));
$standby->safe_psql('app', 'UPDATE t SET v = v || v');
refused('P0408', qr/on timeline 2, .* on 1/, 'and written to since',
	'--source', source_url($standby, 'app'));
$standby->stop;
write_some();
run_to_end();

# ---- the source's disk is rolled back, on the same timeline
files_keep($source, 'before');
write_some(8);
run_to_end();
write_some(3);
run_to_end();
my $reached = progress_row($target, 'app', 'app')->{resume_lsn};
files_restore($source, 'before');
cmp_ok(lsn(current_lsn($source)), '<', lsn($reached),
	'the source has lost what the target has');
refused('P0409', qr/WAL ends at .*, but the target has applied it up to/,
	'a disk rolled back');
while (lsn(current_lsn($source)) <= lsn($reached) + 10_000)
{
	write_some(2);
}
refused('P0410', qr/history is not the one that was applied/,
	'rolled back and written to since');

# ---- the same, and the new history has a transaction wherever the old one
# had: the same statements again, other values
files_restore($source, 'before');
system_or_bail('rm', '-rf', $target->basedir . '/before');
begin_streamed();
system_or_bail('rm', '-rf', $source->basedir . '/before');
files_keep($source, 'before');
$source->safe_psql('app',
	join("\n", map { "UPDATE t SET v = 'one' WHERE id = 900 + $_;" } 1 .. 5));
run_to_end();
$reached = progress_row($target, 'app', 'app')->{resume_lsn};
files_restore($source, 'before');
$source->safe_psql('app',
	join("\n", map { "UPDATE t SET v = 'two' WHERE id = 900 + $_;" } 1 .. 99));
$source->safe_psql('app', 'UPDATE t SET v = v || v');
cmp_ok(lsn(current_lsn($source)), '>', lsn($reached), 'as far as before');
refused('P0410', qr/history is not the one that was applied/,
	'rolled back, with the like of it written since');

done_testing();
