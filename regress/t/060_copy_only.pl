# run --copy-only: one snapshot is moved from a server that cannot have a slot,
# by a role that may not replicate, while the source goes on being written to.
# What is on the target is one state of the source, also after kill -9.

use strict;
use warnings;

use JSON::PP ();
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', extension => 0, start => 0);
$source->append_conf('postgresql.conf', <<'CONF');
wal_level = replica
max_replication_slots = 0
CONF
$source->start;
my $role = SOURCE_ROLE;
PortageTest::role_create($source, $role, 'LOGIN NOREPLICATION');
$source->safe_psql('postgres', 'CREATE DATABASE app');
pgbench_init($source, 'app', scale => 2);
$source->safe_psql('app', <<'SQL');
CREATE TABLE notes (id bigserial PRIMARY KEY, branch int, body text);
CREATE INDEX notes_body ON notes (body);
ALTER TABLE notes ADD CONSTRAINT notes_branch
	FOREIGN KEY (branch) REFERENCES pgbench_branches;
CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN NEW.v = 7; RETURN NEW; END';
INSERT INTO always (v) SELECT i FROM generate_series(1, 9) i;
CREATE TRIGGER act BEFORE INSERT ON always FOR EACH ROW EXECUTE FUNCTION act();
CREATE MATERIALIZED VIEW total AS SELECT sum(abalance) FROM pgbench_accounts;
INSERT INTO notes (branch, body)
	SELECT i % 2 + 1, repeat(md5(i::text), 20) FROM generate_series(1, 5000) i;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
	VALUES (1, 1, 1, 0, now());
SQL
PortageTest::source_grant($source, 'app');

my $target = target_new('target');
my @ends = endpoints($source, $target);
my @run =
  ('run', @ends, '--copy-only', '--jobs' => 2, '--split-over' => '2MB');
my @tables = map { "public.$_" }
  qw(pgbench_accounts pgbench_branches pgbench_tellers notes always);
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';

sub target_is_whole
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	balances_ok($target, 'app', $what);
	is(
		$target->safe_psql('app', <<'SQL'),
SELECT string_agg(conname || convalidated, ' ' ORDER BY conname)
FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace
SQL
		'notes_branchtrue',
		"$what: the foreign key is there");
	is($target->safe_psql('app', 'SELECT string_agg(tgname, NULL) FROM'
			  . ' pg_trigger WHERE NOT tgisinternal'),
		'act', "$what: the trigger is there");
	is(
		$target->safe_psql('app',
			"SELECT attidentity FROM pg_attribute"
			  . " WHERE attrelid = 'always'::regclass AND attname = 'id'"),
		'a',
		"$what: the identity column is GENERATED ALWAYS");
	is($target->safe_psql('app', "SELECT nextval('notes_id_seq')"),
		5001, "$what: the sequence is set");
	is(
		$target->safe_psql('app', 'SELECT sum FROM total'),
		$target->safe_psql('app', 'SELECT sum(abalance) FROM pgbench_accounts'),
		"$what: the materialized view is of the same rows");
	is($source->safe_psql('app', 'SELECT count(*) FROM pg_replication_slots'),
		0, "$what: there is no slot");
	return;
}

sub accounts_differ
{
	my $sums = 'SELECT sum(delta) || \' \' || count(*) FROM pgbench_history';
	return $source->safe_psql('app', $sums) ne $target->safe_psql('app', $sums);
}

sub load_goes_on
{
	my ($where) = @_;
	my $rows = 'SELECT count(*) FROM pgbench_history';
	my $before = $source->safe_psql('app', $rows);

	return wait_for(
		sub { $source->safe_psql('app', $rows) > $before + 20 },
		"the load to go on $where");
}

# ---- it is looked at beforehand
portage_ok('check', @ends, '--copy-only');
portage_fails(1, 'check', @ends);
portage_ok('plan', @ends, '--copy-only');

# ---- while the source is written to
my $load = pgbench_start($source, 'app', args => [ '--rate', 100 ]);
my $process = portage_start(
	@run,
	env => {
		PG_PORTAGE_FAILPOINT => 'copy-committed:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume
	});
wait_for(
	sub {
		die $process->stderr unless $process->running;
		my $row = eval { progress_row($target, 'app', 'app') };
		$row && $row->{phase} eq 'copy'
		  && $target->safe_psql('app',
			q{SELECT count(*) FROM portage.chunk WHERE state = 'done'}) > 0;
	},
	'a piece to be copied');
is(progress_row($target, 'app', 'app')->{slot}, '', 'the row names no slot');
load_goes_on('behind the snapshot');
PostgreSQL::Test::Utils::append_to_file($resume, '');
is($process->wait_exit->{rc}, 0, 'run --copy-only ends')
  || diag($process->stderr);
ok(accounts_differ(), 'the source has gone on since');
target_is_whole('under load');
tables_equal($source, 'app', $target, 'app', 'public.notes', 'public.always');
my $row = progress_row($target, 'app', 'app');
is($row->{phase}, 'done', 'it has ended');
portage_ok('finish', @ends);
portage_ok('status', @ends);
portage_fails(4, @run);

# ---- killed at any step, and begun again while the source goes on
foreach my $step (
	qw(slot-intended copy-committed stream-phase finish-entry))
{
	portage_ok('drop', @ends, '--yes');
	begin_anew($source, $target);
	my $killed =
	  portage(@run, env => { PG_PORTAGE_FAILPOINT => "$step:kill" });

	is($killed->{signal}, 9, "killed at $step") || diag($killed->{err});
	load_goes_on("behind $step");
	if ($step eq 'copy-committed')
	{
		my $result = portage_fails(2, 'run', @ends);
		error_ok($result, 'P0105', qr/begun with --copy-only/,
			'run with a stream behind a copy alone');
		my $done = JSON::PP::decode_json(
			portage_ok('plan', @ends, '--copy-only', '--json')->{out});
		is(
			scalar(grep { $_->{chunks_done} > 0 } @{ $done->{tables} }),
			0,
			'plan: all is to be copied again, for one snapshot');
	}
	portage_ok(@run);
	target_is_whole("killed at $step");
}
pgbench_stop($source, $load);

# ---- what was begun with a stream goes on with it
portage_ok('drop', @ends, '--yes');
begin_anew($source, $target);
my $streaming = source_new('streaming');
$streaming->safe_psql('app', 'CREATE TABLE t (id int PRIMARY KEY);'
	  . ' INSERT INTO t VALUES (1)');
my @other = endpoints($streaming, $target);
portage_ok('run', @other, '--until', 'caught-up');
error_ok(portage_fails(2, 'run', @other, '--copy-only'),
	'P0105', qr/begun without --copy-only/, 'a copy alone behind a stream');
tables_equal($streaming, 'app', $target, 'app', 'public.t');

done_testing();
