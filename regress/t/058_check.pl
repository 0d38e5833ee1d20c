# check: each finding by the situation that it is about, as JSON: severity, code,
# object, remedy. One source database has an object of each kind; servers are
# few, and their settings are changed one after the other.

use strict;
use warnings;

use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new(
	'source',
	databases => [qw(app extra)],
	conf => "max_prepared_transactions = 5\n");
my $target = target_new(
	'target',
	databases => [qw(app c)],
	conf => "max_prepared_transactions = 5\n");
my @ends = endpoints($source, $target);
my $role = SOURCE_ROLE;
my $target_role = TARGET_ROLE;
my @findings;    # of the last check

# Run check and keep what it found; $rc is what it exits with.
sub look
{
	my ($rc, @arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails($rc, 'check', @arguments, '--json');
	my $json = eval { JSON::PP::decode_json($result->{out}) };

	ok($json, 'check --json is JSON') || diag($result->{out} . $result->{err});
	@findings = @{ $json->{findings} // [] };
	return $json;
}

sub about
{
	my ($object, $words) = @_;
	return
	  grep { $_->{object} eq $object && $_->{message} =~ $words } @findings;
}

# One finding about the object whose message matches, and all of it is right.
sub found
{
	my ($severity, $code, $object, $words, $remedy, %more) = @_;
	my @about = about($object, $words);
	my $first = $about[0] // {};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $right =
		 @about == 1
	  && $first->{severity} eq $severity
	  && ($first->{code} // '') eq $code
	  && (defined $remedy
		? ($first->{remedy} // '') =~ $remedy
		: !defined $first->{remedy});
	$right &&= $first->{$_} eq $more{$_} foreach keys %more;
	return ok($right, "$object: $severity $code")
	  || diag(JSON::PP->new->pretty->encode(
			[ @about ? @about : grep { $_->{object} eq $object } @findings ]));
}

sub not_found
{
	my ($object, $words) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(scalar(about($object, $words // qr/./)), 0, "$object: nothing")
	  || diag(JSON::PP->new->pretty->encode(\@findings));
}

sub set
{
	my ($node, $setting, $restart) = @_;
	$node->append_conf('postgresql.conf', $setting);
	return $restart ? $node->restart : $node->reload;
}

# ---- objects of the source
$source->safe_psql('app', <<"SQL");
CREATE EXTENSION lo;
CREATE EXTENSION ltree;
CREATE TABLE fine (id int PRIMARY KEY, v text);
CREATE TABLE "No Key" (v text);
CREATE TABLE nothing (id int PRIMARY KEY);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE later (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE dropped (id int NOT NULL CONSTRAINT gone UNIQUE);
ALTER TABLE dropped REPLICA IDENTITY USING INDEX gone;
ALTER TABLE dropped DROP CONSTRAINT gone;
CREATE TABLE invalid (id int NOT NULL);
CREATE UNIQUE INDEX broken ON invalid (id);
ALTER TABLE invalid REPLICA IDENTITY USING INDEX broken;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
CREATE TABLE whole (v text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE FUNCTION native(int) RETURNS int LANGUAGE internal AS 'int4um';
CREATE SERVER afar FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE foreign_one (id int) SERVER afar;
CREATE MATERIALIZED VIEW seen AS SELECT 1 AS x;
CREATE TABLE of_extension (id int PRIMARY KEY);
ALTER EXTENSION lo ADD TABLE of_extension;
CREATE TABLE pictures (id serial PRIMARY KEY, photo oid, scan lo, n int);
SELECT lo_create(i) FROM generate_series(70001, 70003) i;
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE RULE quiet AS ON DELETE TO fine DO ALSO NOTHING;
CREATE RULE loud AS ON INSERT TO fine DO ALSO NOTHING;
ALTER TABLE fine ENABLE ALWAYS RULE loud;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER ordinary BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER always BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER as_replica BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
ALTER TABLE fine ENABLE ALWAYS TRIGGER always;
ALTER TABLE fine ENABLE REPLICA TRIGGER as_replica;
CREATE INDEX halfway ON fine (v);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'halfway'::regclass;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION on_ddl();
CREATE PUBLICATION news FOR TABLE fine;
CREATE SUBSCRIPTION olds CONNECTION 'dbname=nowhere' PUBLICATION x
	WITH (connect = false);
ALTER DATABASE app SET work_mem = '8MB';
CREATE TABLE secret (id int PRIMARY KEY);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE SCHEMA closed;
CREATE TABLE closed.door (id int PRIMARY KEY);
CREATE TABLE large (id int PRIMARY KEY, small text, body bytea);
INSERT INTO large VALUES (1, 'x', repeat('a', 270000000)::bytea);
CREATE TABLE larger (id int PRIMARY KEY, one bytea, two bytea);
INSERT INTO larger SELECT id, body, body FROM large;
SQL
$source->safe_psql('postgres', "GRANT pg_read_all_data TO $role");
my $session = $source->background_psql('app');
$session->query_safe('CREATE TEMP TABLE brief (id int)');

my $json = look(1, @ends);
is($json->{format}, 1, 'format 1');
foreach my $severity (qw(error warning note))
{
	is($json->{"${severity}s"},
		scalar(grep { $_->{severity} eq $severity } @findings),
		"the number of findings of severity $severity");
}
is(
	scalar(grep { $_->{severity} =~ /warning|error/ && !defined $_->{remedy} }
		  @findings),
	0,
	'each warning and error has a remedy');
unlike(join("\n", map { $_->{message} } @findings),
	qr/source: |target: |\b(\w+) \g1\b/, 'no words twice');

my $no_identity = qr/no usable replica identity/;
found('warning', 'P0414', 'table public.No Key', $no_identity,
	qr/primary key, or ALTER TABLE "public"\."No Key" REPLICA IDENTITY FULL/);
found('warning', 'P0414', 'table public.nothing', qr/is NOTHING/, qr/DEFAULT/);
found('warning', 'P0414', 'table public.later', qr/DEFERRABLE/,
	qr/NOT DEFERRABLE/);
found('warning', 'P0414', 'table public.dropped', qr/index was dropped/,
	qr/nominate/);
found('warning', 'P0414', 'table public.invalid', qr/index is invalid/,
	qr/REINDEX/);
not_found('table public.fine', $no_identity);
found('note', '', 'table public.whole', qr/comparing whole rows/,
	qr/primary key/);
my %behind = (left_behind => JSON::PP::true);
found('warning', '', 'table public.fleeting', qr/unlogged/, qr/SET LOGGED/,
	%behind);
found('warning', '', 'foreign table public.foreign_one',
	qr/rows stay where they are/, qr/reaches its server/, %behind);
my ($brief) = grep { $_->{object} =~ /^temporary table .*brief$/ } @findings;
is($brief->{severity}, 'note', 'a temporary table');
found('note', '', 'materialized view public.seen', qr/finish computes/, undef,
	left_behind => JSON::PP::false);
found('note', '', 'table public.of_extension', qr/extension lo\b/, qr/rows/,
	%behind);
found('warning', '', 'large objects', qr/^3 large objects/, qr/bytea/, %behind);
found('warning', '', 'column public.pictures.photo', qr/type is oid/, qr/bytea/,
	%behind);
found('warning', '', 'column public.pictures.scan', qr/type is lo/, qr/bytea/,
	%behind);
not_found('column public.pictures.n');
found('note', '', 'sequences', qr/^2 sequences .* finish/, undef);
found('note', '', 'column public.numbered.id', qr/BY DEFAULT until/, undef);
found('note', '', 'table public.parent', qr/1 inheritance child/, undef);
not_found('table public.parted', qr/inherit/);
found('note', '', 'rule quiet on table public.fine', qr/cannot switch/, undef);
found('note', '', 'rule loud on table public.fine', qr/waits for/, undef);
not_found('trigger ordinary on table public.fine');
found('note', '', 'trigger always on table public.fine', qr/ENABLE ALWAYS/,
	undef);
found('note', '', 'trigger as_replica on table public.fine',
	qr/ENABLE REPLICA/, undef);
found('warning', '', 'index public.halfway', qr/invalid/, qr/REINDEX INDEX/,
	%behind);
found('note', '', 'event trigger mine', qr/not carried/, qr/create it/, %behind);
found('note', '', 'publication news', qr/not carried/, qr/create it/, %behind);
found('note', '', 'subscription olds', qr/not carried/, qr/create it/, %behind);
found('note', '', 'setting work_mem', qr/everybody/, qr/ALTER DATABASE/,
	%behind);
found('error', 'P0210', 'table public.secret', qr/row security/,
	qr/ALTER ROLE "$role" BYPASSRLS/);
found('warning', 'P0420', 'column public.large.body',
	qr/540 MB as text, 540 MB/, qr/--exclude-tables/);
found('error', 'P0420', 'column public.larger.one',
	qr/1080 MB as text, 540 MB.* cannot send/, qr/--exclude-tables/);
found('error', 'P0210', 'foreign data wrapper nowhere', qr/only a superuser/,
	qr/superuser of the target/, side => 'target');
found('error', 'P0210', 'function public.native', qr/only a superuser/, qr/./);
not_found('function public.act');
found('note', '', 'disk space', qr/\d+ MB/, undef, side => 'target');
found('ok', '', 'output plugin', qr/allowed and loaded/, undef,
	side => 'source');
found('ok', '', 'pg_dump', qr/of version/, undef, side => 'here');
$session->quit;

# what is left out is not spoken of; a copy needs no identity
$source->safe_psql('app',
	'DROP FOREIGN DATA WRAPPER nowhere CASCADE; DROP FUNCTION native');
look(0, @ends, '--tables', 'public.fine,public.whole');
not_found('table public.No Key');
not_found('table public.secret');
not_found('column public.large.body');
found('note', '', 'trigger always on table public.fine', qr/ENABLE/, undef);
look(1, @ends, '--copy-only');
not_found('table public.No Key');
not_found('output plugin');
found('warning', '', 'table public.fleeting', qr/unlogged/, qr/SET LOGGED/);

# ---- the text: 80 columns, by object, the worst last
my $result = portage_fails(1, 'check', @ends);
unlike($result->{out}, qr/^(?!.*").{81}/m, 'text: 80 columns');
like(
	$result->{out},
	qr/^source: table public\.No Key\n  warning  P0414 it has .*\n(?: {17}\S.*\n)*? {17}remedy: add a primary/m,
	'text: object, severity, code, reason, remedy');
like($result->{out}, qr/^\d+ errors, \d+ warnings, \d+ notes\n\z/m,
	'text: the totals at the end');
my @ranks = map { { ok => 0, note => 1, warning => 2, error => 3 }->{$_} }
  $result->{out} =~ /^  (ok|note|warning|error) /mg;
is($ranks[-1], 3, 'text: errors are last');
cmp_ok(scalar(@ranks), '>', 30, 'text: every finding has its line');
$result = portage_fails(1, 'check', @ends, '--quiet');
unlike($result->{out}, qr/^  (?:ok|note) /m, '--quiet: what matters');
portage_fails(1, 'check', @ends, '--tables', 'fleeting', '--strict');
$source->safe_psql('app', <<'SQL');
DROP TABLE large, larger, secret;
ALTER DATABASE app RESET work_mem;
ALTER SUBSCRIPTION olds SET (slot_name = NONE);
DROP SUBSCRIPTION olds;
SQL

# ---- the role on the source
$source->safe_psql('postgres', "REVOKE pg_read_all_data FROM $role");
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
found('error', 'P0210', 'sequence public.pictures_id_seq', qr/may not read/,
	qr/GRANT SELECT ON SEQUENCE/);
$source->safe_psql('postgres', "GRANT pg_read_all_data TO $role");

# what else there is is looked at all the same
$source->safe_psql('postgres', "ALTER ROLE $role NOREPLICATION");
look(1, @ends);
found('error', 'P0204', 'source', qr/may not replicate/,
	qr/ALTER ROLE "$role" REPLICATION/);
found('warning', 'P0414', 'table public.No Key', $no_identity, qr/FULL/);
found('ok', '', 'target', qr/none of the \d+ tables/, undef, side => 'target');
look(0, @ends, '--copy-only');
$source->safe_psql('postgres',
	"ALTER ROLE $role REPLICATION CONNECTION LIMIT 4");
look(0, @ends, '--jobs', 4);
found('warning', 'P0304', "role $role", qr/^4 are free.* --jobs 4 opens 7/,
	qr/CONNECTION LIMIT of the role, or pass fewer --jobs/);
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

# ---- what the target must have
my $space = PostgreSQL::Test::Utils::tempdir();
my $collate = $source->safe_psql('app',
	q{SELECT datcollate FROM pg_database WHERE datname = 'app'});
my $other = $collate eq 'C' ? 'C.UTF-8' : 'C';
$source->safe_psql('app', "CREATE TABLESPACE far LOCATION '$space'");
$source->safe_psql('app', 'CREATE TABLE in_far (id int PRIMARY KEY) TABLESPACE far');
$target->safe_psql('postgres', 'DROP DATABASE c; CREATE DATABASE c OWNER '
	  . "$target_role TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE '$other'"
	  . " LC_CTYPE '$other'");
$source->safe_psql('app',
	'CREATE TABLE odd (m macaddr8 PRIMARY KEY, t text COLLATE ucs_basic)');
$target->safe_psql('c', <<'SQL');
DROP EXTENSION plpgsql;
UPDATE pg_type SET typname = 'gone' WHERE typname = 'macaddr8';
UPDATE pg_collation SET collname = 'gone' WHERE collname = 'ucs_basic';
SQL
$source->safe_psql('app',
	"UPDATE pg_extension SET extversion = '99' WHERE extname = 'ltree';"
	  . "UPDATE pg_extension SET extname = 'unheard of' WHERE extname = 'lo'");
my @to_c = ('--source', $ends[1], '--target', target_url($target, 'c'));
look(1, @to_c);
found('error', 'P0421', 'tablespace far', qr/public\.in_far needs it/,
	qr/create it/);
found('error', 'P0421', 'extension unheard of', qr/not available/,
	qr/install its package/);
found('warning', 'P0421', 'extension ltree', qr/the source's is 99/,
	qr/newer version/);
found('warning', 'P0421', 'locale',
	qr/sorts text by \Q$other\E of libc.*source by \Q$collate\E of/,
	qr/source's locale/);
found('error', 'P0421', 'type macaddr8', qr/public\.odd\.m needs it/,
	qr/target that has it/);
found('error', 'P0421', 'collation ucs_basic', qr/public\.odd\.t needs it/,
	qr/target that has it/);
my $on_target = PostgreSQL::Test::Utils::tempdir();
$target->safe_psql('c', "CREATE TABLESPACE far LOCATION '$on_target'");
look(1, @to_c);
found('error', 'P0210', 'tablespace far', qr/may not use it/,
	qr/GRANT CREATE ON TABLESPACE/);
$source->safe_psql('app',
	"UPDATE pg_extension SET extversion = '1.2' WHERE extname = 'ltree';"
	  . "UPDATE pg_extension SET extname = 'lo' WHERE extname = 'unheard of';"
	  . 'DROP TABLE in_far, odd; DROP TABLESPACE far');
$target->safe_psql('postgres',
	"CREATE DATABASE latin OWNER $target_role TEMPLATE template0"
	  . " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';");
$target->safe_psql('postgres',
	"CREATE DATABASE ascii OWNER $target_role TEMPLATE template0"
	  . " ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C';");
look(0, '--source', $ends[1], '--target', target_url($target, 'latin'));
found('warning', 'P0415', 'target', qr/encoding is LATIN1/, qr/UTF8/);
look(1, '--source', $ends[1], '--target', target_url($target, 'ascii'));
found('error', 'P0211', 'target', qr/encoding is SQL_ASCII/, qr/UTF8/);

# an extension that only a superuser may create, on the target
$source->safe_psql('app', 'CREATE EXTENSION dblink');
look(1, @ends);
found('error', 'P0210', 'extension dblink', qr/may not create it/,
	qr/superuser/);
$target->safe_psql('app', 'CREATE EXTENSION dblink');
look(0, @ends);
not_found('extension dblink');
$source->safe_psql('app', 'DROP EXTENSION dblink');

# ---- the target itself
$target->safe_psql('app', <<'SQL');
CREATE TABLE fine (id int);
CREATE TYPE mood AS ENUM ('sad');
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER guard ON ddl_command_end EXECUTE FUNCTION on_ddl();
SQL
$target->safe_psql('postgres', <<"SQL");
ALTER DATABASE app OWNER TO CURRENT_USER;
REVOKE CREATE ON DATABASE app FROM PUBLIC, $target_role;
ALTER DATABASE app SET default_transaction_read_only = on;
ALTER DATABASE app CONNECTION LIMIT 2;
SQL
look(1, @ends);
found('error', 'P0401', 'target', qr/same names already: public\.fine/,
	qr/empty database/);
found('note', '', 'target', qr/holds 1 tables, .* 1 functions, 1 types/, undef);
found('warning', 'P0421', 'event trigger guard', qr/ddl_command_end/,
	qr/disable it/, side => 'target');
found('error', 'P0210', 'target', qr/may not create schemas/,
	qr/GRANT CREATE ON DATABASE "app" TO "$target_role"/);
found('error', 'P0211', 'target', qr/default_transaction_read_only/, qr/off/);
found('warning', 'P0304', 'database app', qr/2 are free.* opens 5/,
	qr/fewer --jobs/);
found('note', '', 'target', qr/may not set session_replication_role/,
	qr/GRANT SET ON PARAMETER/);
$target->safe_psql('postgres', <<"SQL");
ALTER DATABASE app RESET default_transaction_read_only;
SQL
begin_anew($source, $target);

# ---- a pg_dump that is older than the source
my $folder = PostgreSQL::Test::Utils::tempdir();
foreach my $program (qw(pg_dump pg_restore))
{
	PostgreSQL::Test::Utils::append_to_file("$folder/$program",
		"#!/bin/sh\necho '$program (PostgreSQL) 12.1'\n");
	chmod(0755, "$folder/$program") || die "chmod: $!";
}
look(1, @ends, '--pg-bindir', $folder);
found('error', 'P0209', 'pg_dump', qr/12/, qr/./, side => 'here');

# ---- a pooler in between: another process than the one that greeted answers
sub pooler_start
{
	my ($port) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 20) || die "listen: $!";
	my $pid = fork() // die "fork: $!";

	return ($pid, $listener->sockport) if $pid;
	$SIG{CHLD} = 'IGNORE';
	while (my $client = $listener->accept)
	{
		next if fork();
		my $server = IO::Socket::INET->new("127.0.0.1:$port") || last;
		pooler_serve($client, $server);
		last;
	}
	POSIX::_exit(0);
}

# Hands bytes on, and changes the process id in BackendKeyData.
sub pooler_serve
{
	my ($client, $server) = @_;
	my ($data, $greeted) = ('', 0);

	while (1)
	{
		my $bits = '';
		vec($bits, fileno($_), 1) = 1 foreach $client, $server;
		select($bits, undef, undef, undef);
		if (vec($bits, fileno($client), 1))
		{
			sysread($client, $data, 65536) || return;
			syswrite($server, $data);
		}
		if (vec($bits, fileno($server), 1))
		{
			sysread($server, $data, 65536) || return;
			$greeted ||= $data =~ s/K\0\0\0\x0c..../K\0\0\0\x0c\0\0\0\x07/s;
			syswrite($client, $data);
		}
	}
}

my ($pooler, $port) = pooler_start($target->port);
PortageTest::password_remember(Pooler->new($port), TARGET_ROLE);
(my $pooled = $ends[3]) =~ s/:\d+\//:$port\//;
look(1, @ends[ 0, 1 ], '--target', $pooled);
found('error', 'P0211', 'target', qr/connection pooler.*process 7 has greeted/,
	qr/server itself/);
kill('KILL', $pooler);
waitpid($pooler, 0);

# ---- once it has begun: what stands in the stream's way
portage_ok('run', @ends, '--until', 'caught-up', '--tables', 'public.fine');
sql_as_target($target, 'app', <<'SQL');
CREATE TABLE other (id int PRIMARY KEY);
CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER own BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION own();
ALTER TABLE fine ADD CONSTRAINT points FOREIGN KEY (id) REFERENCES other
	NOT VALID;
CREATE RULE bend AS ON INSERT TO fine DO ALSO NOTHING;
ALTER TABLE fine ENABLE ROW LEVEL SECURITY;
ALTER TABLE fine FORCE ROW LEVEL SECURITY;
SQL
look(0, @ends, '--tables', 'public.fine');
found('note', '', 'target', qr/has begun: it is in phase "stream"/, undef);
my $drop = qr/drop or disable it/;
found('warning', 'P0413', 'trigger own on table public.fine', qr/fires/, $drop);
found('warning', 'P0413', 'foreign key points on table public.fine',
	qr/enforced/, $drop);
found('warning', 'P0413', 'rule bend on table public.fine', qr/acts on/, $drop);
found('warning', 'P0413', 'table public.fine', qr/row security/, $drop);
not_found('target', qr/same names/);
look(1, @ends);
found('error', 'P0105', 'target', qr/begun with another --tables/,
	qr/same patterns/);
look(1, @ends, '--tables', 'public.fine', '--copy-only');
found('error', 'P0105', 'target', qr/begun without --copy-only/, qr/as it was/);
begin_anew($source, $target);

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
$json = look(3, @ends);
found('error', 'P0301', 'target', qr/cannot connect/, qr/./, side => 'target');
found('error', 'P0201', 'source', qr/wal_level is replica/, qr/logical/);
$source->stop;
look(3, @ends);
found('error', 'P0301', 'source', qr/cannot connect/, qr/./, side => 'source');
found('error', 'P0301', 'target', qr/cannot connect/, qr/./, side => 'target');

done_testing();

# What password_remember asks of a server.
package Pooler;

sub new
{
	my ($class, $at) = @_;
	return bless { port => $at }, $class;
}

sub port
{
	my ($self) = @_;
	return $self->{port};
}
