# check: what it finds of a source's server and of our role on it: privileges,
# settings, what would delay a slot, the extension, and sides that are away.
# Settings are changed one after the other.

use strict;
use warnings;

use PortageBadDay;
use PortageCheck;
use PortageProcess;
use PortageTest;
use Test::More;

my $source = source_new(
	'source',
	databases => [qw(app extra)],
	conf => "max_prepared_transactions = 5\n");
my $target = target_new('target');
my @ends = endpoints($source, $target);
my $role = SOURCE_ROLE;

sub set
{
	my ($node, $setting, $restart) = @_;
	$node->append_conf('postgresql.conf', $setting);
	return $restart ? $node->restart : $node->reload;
}

$source->safe_psql('app', <<'SQL');
CREATE TABLE fine (id serial PRIMARY KEY, v text);
CREATE TABLE "No Key" (v text);
CREATE SCHEMA closed;
CREATE TABLE closed.door (id int PRIMARY KEY);
SQL
my $no_identity = qr/no usable replica identity/;

# ---- the role on the source
$source->safe_psql('app', <<"SQL");
REVOKE ALL ON ALL TABLES IN SCHEMA public, closed FROM $role;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM $role;
REVOKE USAGE ON SCHEMA closed FROM $role;
SQL
look(1, @ends);
found('error', 'P0210', 'table public.fine', qr/may not read/,
	qr/GRANT SELECT ON "public"\."fine" TO "$role"/);
found('error', 'P0210', 'table closed.door', qr/may not use the schema/,
	qr/GRANT USAGE ON SCHEMA "closed"/);
found('error', 'P0210', 'sequence public.fine_id_seq', qr/may not read/,
	qr/GRANT SELECT ON SEQUENCE/);
$source->safe_psql('postgres', "GRANT pg_read_all_data TO $role");

# what else there is is looked at all the same
look(0, @ends);
my @otherwise = grep { $_->{object} ne 'output plugin' } findings();
cmp_ok(scalar(@otherwise), '>=', 10, 'what a role that may replicate is told');
$source->safe_psql('postgres', "ALTER ROLE $role NOREPLICATION");
look(1, @ends);
is_deeply(
	[
		grep { $_->{object} ne 'output plugin' && ($_->{code} // '') ne 'P0204' }
		  findings()
	],
	\@otherwise,
	'is told to one that may not, too');
found('note', '', 'output plugin', qr/is not known: that takes a replication slot/,
	qr/check again/);
found('error', 'P0204', 'source', qr/may not replicate/,
	qr/ALTER ROLE "$role" REPLICATION/);
found('warning', 'P0414', 'table public.No Key', $no_identity, qr/FULL/);
found('ok', '', 'target', qr/none of the \d+ tables/, undef, side => 'target');
look(0, @ends, '--copy-only');
$source->safe_psql('postgres',
	"ALTER ROLE $role REPLICATION CONNECTION LIMIT 4");
# those of a check end a little later than itself
sessions_end($source);
look(0, @ends, '--jobs', 4);
found('warning', 'P0304', "role $role", qr/^4 are free.* --jobs 4 opens 7/,
	qr/CONNECTION LIMIT of the role, or pass fewer --jobs/);
sessions_end($source);
look(0, @ends, '--jobs', 1);
not_found("role $role");
$source->safe_psql('postgres', "ALTER ROLE $role CONNECTION LIMIT -1");

# ---- settings of the source, those that take a reload
set($source, <<"CONF");
synchronous_standby_names = '*'
max_slot_wal_keep_size = 1GB
wal_sender_timeout = 2s
CONF
look(1, @ends);
found('error', 'P0208', 'source', qr/every commit wait/, qr/real standbys/);
found('warning', 'P0405', 'source', qr/max_slot_wal_keep_size is 1GB/, qr/-1/);
found('warning', 'P0303', 'source', qr/wal_sender_timeout is 2s/, qr/60s/);
set($source, <<"CONF");
synchronous_standby_names = ''
max_slot_wal_keep_size = -1
wal_sender_timeout = 0
CONF
look(0, @ends);
found('note', '', 'source', qr/wal_sender_timeout is off/, qr/60s/);
not_found('source', qr/synchronous_standby_names|max_slot_wal/);
if (server_knows($source, 'idle_replication_slot_timeout'))
{
	set($source, 'idle_replication_slot_timeout = 1h');
	look(0, @ends);
	found('warning', 'P0405', 'source', qr/idle_replication_slot_timeout is 1h/, qr/= 0/);
	set($source, 'idle_replication_slot_timeout = 0');
	look(0, @ends);
}
else
{
	cmp_ok($source->pg_version, '<', 18, 'before 18 a slot may be unused');
}
not_found('source', qr/idle_replication_slot_timeout/);

# ---- what would delay a slot
my $busy = $source->background_psql('extra');
$busy->query_safe('CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1)');
my $pid = $busy->query_safe('SELECT pg_backend_pid()');
$source->safe_psql('extra',
	q{CREATE TABLE p (id int); BEGIN; INSERT INTO p VALUES (1);
	PREPARE TRANSACTION 'half done'});
look(0, @ends);
found('warning', '', 'prepared transaction half done', qr/database extra/,
	qr/ROLLBACK PREPARED/);
found('warning', '', 'output plugin', qr/allowed and loaded; running/,
	qr/let transactions end/);
found('warning', '', "process $pid", qr/database extra.*delays the creation/,
	qr/let it end/);
$source->safe_psql('extra', "ROLLBACK PREPARED 'half done'");
$busy->query_safe('COMMIT');
$busy->quit;

# ---- the extension and its event triggers
$source->safe_psql('app', <<'SQL');
ALTER EVENT TRIGGER _portage_ddl_drop DISABLE;
SQL
look(0, @ends);
found('warning', 'P0417', 'event trigger _portage_ddl_drop', qr/disabled/,
	qr/ALTER EVENT TRIGGER _portage_ddl_drop ENABLE ALWAYS/);
not_found('event trigger _portage_ddl_end');
$source->safe_psql('app',
	'DROP EXTENSION pg_portage; DROP SCHEMA IF EXISTS portage CASCADE;'
	  . ' CREATE SCHEMA portage; CREATE TABLE portage.ddl_key (key bytea);'
	  . " REVOKE pg_read_all_data FROM $role;"
	  . " GRANT SELECT ON ALL TABLES IN SCHEMA public, closed TO $role;"
	  . " GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO $role;"
	  . " GRANT USAGE ON SCHEMA closed TO $role;"
	  . " REVOKE ALL ON portage.ddl_key FROM $role");
look(0, @ends);
found('note', '', 'extension pg_portage', qr/not installed/,
	qr/CREATE EXTENSION pg_portage/);
found('warning', 'P0417', 'table portage.ddl_key', qr/may not read/,
	qr/GRANT SELECT ON portage\.ddl_key TO $role/);
look(0, @ends, '--copy-only');
not_found('extension pg_portage');
$source->safe_psql('app',
	"DROP SCHEMA portage CASCADE; GRANT pg_read_all_data TO $role");

# ---- walsenders have places of their own, beside those of connections
set($source, "max_connections = 12\n", 1);
$source->safe_psql('app',
	"SELECT pg_create_logical_replication_slot('other', 'test_decoding')");
my $receiver = PortageProcess->start({}, 'pg_recvlogical', '--slot', 'other',
	'--dbname', $source->connstr('app'),
	'--start', '--file', '-');
wait_for(
	sub {
		$source->safe_psql('app', q{SELECT count(*) FROM pg_stat_activity
			WHERE backend_type = 'walsender' AND datname = 'app'}) eq '1';
	},
	'a walsender to stream');
sessions_end($source);
look(0, @ends, '--jobs', 6);
not_found('connections');
sessions_end($source);
look(0, @ends, '--jobs', 7);
found('warning', 'P0304', 'connections', qr/^9 are free.* --jobs 7 opens 10/,
	qr/raise max_connections/);
$receiver->term;
$receiver->wait_exit;
wait_for(
	sub {
		$source->safe_psql('app', q{SELECT count(*) FROM pg_replication_slots
			WHERE slot_name = 'other' AND active}) eq '0';
	},
	'the walsender to end');
$source->safe_psql('app', "SELECT pg_drop_replication_slot('other')");

# ---- settings of the source that take a restart
set($source, "max_wal_senders = 1\nmax_replication_slots = 1\n", 1);
$source->safe_psql('app', "SELECT pg_create_physical_replication_slot('s')");
look(1, @ends);
found('error', 'P0202', 'source', qr/no replication slot/, qr/raise/);
found('error', 'P0203', 'source', qr/1 walsenders are free, 2/, qr/raise/);
found('warning', 'P0414', 'table public.No Key', $no_identity, qr/FULL/);
$source->safe_psql('app', "SELECT pg_drop_replication_slot('s')");
set($source, <<'CONF', 1);
wal_level = replica
max_locks_per_transaction = 10
max_connections = 12
max_prepared_transactions = 0
CONF
$source->safe_psql('app', <<'SQL');
DO $$ BEGIN FOR i IN 1 .. 130 LOOP
	EXECUTE 'CREATE TABLE many_' || i || ' (id int PRIMARY KEY)';
	COMMIT;
END LOOP; END $$;
SQL
look(1, @ends, '--jobs', 16);
found('error', 'P0201', 'source', qr/wal_level is replica/, qr/logical/);
found('warning', 'P0209', 'source', qr/room for 120 locks/,
	qr/max_locks_per_transaction/);
found('warning', 'P0304', 'connections', qr/--jobs 16 opens 19/,
	qr/raise max_connections/);
look(0, @ends, '--jobs', 1, '--copy-only');
not_found('source', qr/wal_level/);

# ---- sides that cannot be reached
$target->stop;
look(3, @ends);
found('error', 'P0301', 'target', qr/cannot connect/, qr/./, side => 'target');
found('error', 'P0201', 'source', qr/wal_level is replica/, qr/logical/);
$source->stop;
look(3, @ends);
found('error', 'P0301', 'source', qr/cannot connect/, qr/./, side => 'source');
found('error', 'P0301', 'target', qr/cannot connect/, qr/./, side => 'target');

done_testing();
