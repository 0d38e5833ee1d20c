# The last step: killed after every object and begun again; a foreign key that
# rows of the target violate; a stream that still runs; what may be done after
# it, and what not.

use strict;
use warnings;

use JSON::PP ();
use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', fsync => 0);
my $target = target_new('target');
my @ends = endpoints($source, $target);
my @finish = ('finish', @ends);
my @tables = map { "public.$_" } qw(parents children low high secrets logged
  log per_owner owners);

# Row security that is forced hides every row from the owner on the target; the
# source role has to see them all.
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' BYPASSRLS');
$source->safe_psql('app', <<'SQL');
CREATE TABLE parents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
CREATE TABLE children (id serial PRIMARY KEY, parent int CONSTRAINT "my parent" REFERENCES parents ON DELETE CASCADE);
CREATE TABLE parts (id int PRIMARY KEY, parent int CONSTRAINT in_parts REFERENCES parents) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (50);
CREATE TABLE high PARTITION OF parts FOR VALUES FROM (50) TO (1000);
CREATE TABLE secrets (id int PRIMARY KEY, owner text, parent int REFERENCES parents, part int REFERENCES parts);
CREATE POLICY own ON secrets USING (owner = current_user);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
CREATE TABLE logged (id int PRIMARY KEY, v int);
CREATE TABLE log (v int);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.log VALUES (NEW.v); RETURN NULL; END';
CREATE TRIGGER log_it AFTER INSERT OR UPDATE ON logged FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE RULE also AS ON DELETE TO logged DO ALSO INSERT INTO log VALUES (-OLD.v);
INSERT INTO parents (v) SELECT 'v' || i FROM generate_series(1, 100) i;
INSERT INTO children (parent) SELECT i FROM generate_series(1, 100) i;
INSERT INTO parts SELECT i, i FROM generate_series(1, 99) i;
INSERT INTO secrets SELECT i, 'owner ' || i % 7, i, i FROM generate_series(1, 99) i;
INSERT INTO logged SELECT i, i FROM generate_series(1, 20) i;
-- one view reads another, whose name comes later
CREATE MATERIALIZED VIEW per_owner AS SELECT owner, count(*) AS n FROM secrets GROUP BY owner;
CREATE MATERIALIZED VIEW owners AS SELECT count(*) AS n, sum(n) AS secrets FROM per_owner;
SQL

sub begin
{
	begin_anew($source, $target);
	portage_ok('run', @ends, '--until', 'caught-up');
	$source->safe_psql('app', <<'SQL');
UPDATE logged SET v = v + 1;
DELETE FROM logged WHERE id = (SELECT max(id) FROM logged);
INSERT INTO parents (v) VALUES ('new');
SELECT nextval('children_id_seq');
REFRESH MATERIALIZED VIEW per_owner;
REFRESH MATERIALIZED VIEW owners;
DO $$ BEGIN REFRESH MATERIALIZED VIEW counted; EXCEPTION WHEN undefined_table THEN END $$;
SQL
	portage_ok('run', @ends, '--until', 'caught-up');
	return;
}

sub armed
{
	my ($point) = @_;
	return (env => { PG_PORTAGE_FAILPOINT => $point });
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

# What is there, and what portage.ddl says of it.
sub standing
{
	return ask(<<'SQL');
SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY oid;
SELECT tgname FROM pg_trigger WHERE NOT tgisinternal;
SELECT rulename FROM pg_rules WHERE schemaname = 'public';
SELECT matviewname, ispopulated FROM pg_matviews ORDER BY 1;
SELECT relname FROM pg_class WHERE relrowsecurity;
SELECT attidentity FROM pg_attribute WHERE attidentity <> '' AND attrelid > 16384;
SELECT number, type, sql FROM portage.ddl WHERE state <> 'done' ORDER BY number;
SQL
}

sub refused
{
	my ($words) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails(4, 'run', @ends, '--until', 'caught-up');
	error_ok($result, 'P0426', $words, 'run');
	unlike($result->{err}, qr/streaming/, 'and has not begun to');
	return;
}

sub all_equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	tables_equal($source, 'app', $target, 'app', @tables);
	schemas_equal($source, 'app', $target, 'app');
	is(ask('SELECT count(*) FROM pg_constraint WHERE NOT convalidated'),
		0, 'every constraint is validated');
	is(ask(q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}),
		0, 'nothing is deferred any more');
	return;
}

# ---- killed before and after the commit of every object
begin();
is(ask(q{SELECT count(*) FROM pg_matviews WHERE ispopulated}),
	0, 'no materialized view is filled yet');
my ($steps, $result) = (0);
my $deferred = ask(q{SELECT count(*) FROM portage.ddl WHERE state = 'deferred'});
while (1)
{
	my $before = standing();
	$result = portage(@finish, armed('finish-entry:kill'));
	last unless $result->{signal};
	is(standing(), $before, "step $steps: killed in it, nothing of it is there");
	is(phase(), 'finish', 'and that finish has begun is known');
	refused(qr/finish of the migration "app" has begun/) if $steps % 5 == 0;
	$result = portage(@finish, armed('ddl-committed:kill'));
	is($result->{signal}, 9, "step $steps: killed behind it");
	isnt(standing(), $before, 'it is done');
	die 'finish does not come to its end' if $steps++ > 30;
}
is($result->{rc}, 0, 'there is an end');
# The foreign keys of children and secrets to plain tables take two steps, from
# 18 on so do the others, with a partitioned table on one side.
is($steps, $deferred + ($target->pg_version >= 18 ? 4 : 2),
	'each object was a step, a foreign key two');
is(phase(), 'done', 'it is known to be done');
all_equal();

# ---- it is the last step
$result = portage_ok(@finish);
like($result->{err}, qr/done: nothing is deferred/, 'finish again has nothing to do');
refused(qr/"app" is finished/);
ask(q{INSERT INTO children (parent) VALUES (1); INSERT INTO logged VALUES (99, 99); REFRESH MATERIALIZED VIEW owners});
my $last = ask('SELECT last_value FROM children_id_seq');
isnt($last, $source->safe_psql('app', 'SELECT last_value FROM children_id_seq'),
	'the target goes its own way');
portage_ok(@finish);
is(ask('SELECT last_value FROM children_id_seq'), $last,
	'finish leaves the sequences of a target in use alone');
is(ask('SELECT count(*) FROM log WHERE v = 99'), 1, 'the trigger fires');
my $check = portage_fails(1, 'check', @ends);
like($check->{out}, qr/P0426/, 'check says that it is finished');
$result = portage_ok('status', @ends, '--json');
my $status = JSON::PP::decode_json($result->{out});
is($status->{phase}, 'done', 'status says so, too');
is_deeply($status->{deferred}, [], 'and that nothing waits');
portage_ok('drop', @ends, '--yes');
is(slot_row($source, 'portage_app'), undef, 'drop has removed the slot');
is(ask(q{SELECT to_regnamespace('portage') IS NULL}), 't', 'and the state');
is(ask('SELECT count(*) FROM children'), 101, 'the tables stay');
my $gone = portage_fails(4, @finish);
error_ok($gone, 'P0422', qr/has no migration "app"/, 'finish without a migration');

# ---- killed around the sequences
begin();
foreach my $point (qw(finish-phase sequences-set done-phase))
{
	$result = portage(@finish, armed("$point:kill"));
	is($result->{signal}, 9, "killed at $point");
	is(phase(), $point eq 'done-phase' ? 'done' : 'finish', 'the phase is stored');
}
portage_ok(@finish);
all_equal();

# ---- what nobody has applied yet is applied before anything else
begin();
$source->safe_psql('app', 'INSERT INTO logged VALUES (50, 50); DELETE FROM children WHERE id = 50');
$result = portage(@finish, armed('batch-committed:kill'));
is($result->{signal}, 9, 'killed in the stream');
is(phase(), 'stream', 'finish has not begun yet');
$source->safe_psql('app', 'UPDATE logged SET v = -v');
portage_ok(@finish);
all_equal();
begin();
sessions_end($source);    # a slot in use is not dropped
$source->safe_psql('app', q{INSERT INTO logged VALUES (51, 51);
	SELECT pg_drop_replication_slot('portage_app')});
my $keys_before = standing();
$result = portage_fails(4, @finish);
error_ok($result, 'P0403', qr/portage_app/, 'what was not applied is lost');
is(phase(), 'stream', 'finish refuses to begin');
is(standing(), $keys_before, 'and has created nothing');
portage_ok('drop', @ends, '--yes');
$source->safe_psql('app', 'DELETE FROM logged WHERE id = 51');

# ---- rows that violate a foreign key: of a plain, of a partitioned table
begin();
sql_as_target($target, 'app', 'DELETE FROM parents WHERE id IN (7, 60)');
$result = portage_fails(4, @finish);
error_ok($result, 'P0427', qr/foreign key public\.\S+ in_parts: .*violates/, 'violated');
like($result->{err}, qr/detail: Key \(parent\)=\(\d+\) is not present in table "parents"/,
	'it names the row');
like($result->{err}, qr/hint: .*Mend the rows.*finish again/, 'and what to do');
is(phase(), 'finish', 'finish has begun');
refused(qr/has begun/);
sql_as_target($target, 'app', 'UPDATE parts SET parent = 1 WHERE parent IN (7, 60)');
$result = portage_fails(4, @finish);
error_ok($result, 'P0427', qr/foreign key public\.children my parent: /, 'the next one');
is(ask(q{SELECT convalidated FROM pg_constraint WHERE conname = 'my parent'}),
	'f', 'it is there and holds for new rows');
$status = portage_ok('status', @ends);
like($status->{out}, qr/my parent/, 'status says that it waits');
sql_as_target($target, 'app', q{INSERT INTO parents (id, v) VALUES (7, 'v7'), (60, 'v60');
	UPDATE parts SET parent = id WHERE id IN (7, 60)});
portage_ok(@finish);
all_equal();

# ---- a view that needs a function that needs a search_path, which from 17 on
# the source's own REFRESH does not give it either
$source->safe_psql('app', <<'SQL');
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM public.parents); END';
CREATE MATERIALIZED VIEW counted AS SELECT how_many() AS n;
CREATE OR REPLACE FUNCTION how_many() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM parents); END';
SQL
begin();
$result = portage_fails(4, @finish);
error_ok($result, 'P0421', qr/public\.counted: .*relation "parents" does not exist/, 'no search_path');
like($result->{err}, qr/hint: .*ALTER FUNCTION .* SET search_path/, 'what to do');
my $mended = 'ALTER FUNCTION how_many() SET search_path = public';
sql_as_target($target, 'app', $mended);
portage_ok(@finish);
$source->safe_psql('app', "$mended; REFRESH MATERIALIZED VIEW counted");
tables_equal($source, 'app', $target, 'app', @tables, 'public.counted');
$source->safe_psql('app', 'DROP FUNCTION how_many() CASCADE');

# ---- a lock that somebody holds is waited for, and the wait can be ended
begin();
my $script = PostgreSQL::Test::Utils::tempdir() . '/lock.sql';
append_to_file($script, "BEGIN;\nLOCK TABLE children;\nSELECT pg_sleep(600);\n");
my $locker = pgbench_start($target, 'app', clients => 1, args => [ '--file' => $script ]);
my $holds = q{FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE l.relation = 'children'::regclass AND l.mode = 'AccessExclusiveLock'};
wait_for(sub { ask("SELECT count(*) $holds AND granted") }, 'the lock');
my $process = portage_start(@finish);
wait_for(sub { ask(q{SELECT count(*) FROM pg_stat_activity
	WHERE application_name LIKE 'pg_portage app %' AND wait_event_type = 'Lock'}) }, 'finish to wait');
wait_for_err($process, qr/finish: \d+ of \d+: adding foreign key public\.children/);
pass('it says what it is doing');
$process->term;
is($process->wait_exit->{rc}, 0, 'it stops when asked to');
like($process->stderr, qr/stopped by signal .*run pg_portage finish again/, 'and says how to go on');
ask("SELECT pg_terminate_backend(pid) $holds");
$locker->kill9;
portage_ok(@finish);
all_equal();

# ---- while the stream runs: refused, waited for, taken over
begin();
my $stream = portage_start('run', @ends);
wait_for_err($stream, qr/streaming from/);
$result = portage_fails(3, @finish, '--no-wait');
error_ok($result, 'P0306', qr/has an owner/, 'without waiting');
is(phase(), 'stream', 'the stream goes on');
$process = portage_start(@finish);
wait_for_err($process, qr/standby: the stream app is owned/);
$stream->term;
is($stream->wait_exit->{rc}, 0, 'the stream is stopped');
is($process->wait_exit->{rc}, 0, 'and finish, which has waited, ends');
all_equal();
begin();
$stream = portage_start('run', @ends);
wait_for_err($stream, qr/streaming from/);
$source->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($source, 'base', has_streaming => 1);
$standby->start;
PortageTest::password_remember($standby, SOURCE_ROLE);
$result = portage_fails(2, 'finish', endpoints($standby, $target), '--takeover');
error_ok($result, 'P0207', qr/is a standby/, 'a standby has nothing to apply');
$standby->stop;
ok($stream->running, 'the stream was not taken over for that');
portage_ok(@finish, '--takeover');
is($stream->wait_exit->{rc} =~ /\A[34]\z/, 1, 'the stream that was taken over ends');
like($stream->stderr, qr/\[P0307\]|\[P0426\]/, 'and says why');
is(phase(), 'done', 'nobody takes it back');
all_equal();

done_testing();
