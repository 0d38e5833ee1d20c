# check: what it finds of a target: does it have what the source's database needs,
# may we create and write, is nobody in the way; and of what stands between the
# sides and us.

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX ();
use PortageCheck;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', databases => [qw(app elsewhere)]);
my $target = target_new(
	'target',
	databases => [qw(app c)],
	conf => 'autovacuum = off');
my @ends = endpoints($source, $target);
my $target_role = TARGET_ROLE;

$source->safe_psql('app', <<'SQL');
CREATE EXTENSION lo;
CREATE EXTENSION ltree;
CREATE TABLE fine (id int PRIMARY KEY, v text);
SQL
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

# ---- schemas that are there and in which the role may not create
$source->safe_psql('elsewhere', <<'SQL');
CREATE EXTENSION ltree;
CREATE SCHEMA s;
CREATE TABLE s.t (id int PRIMARY KEY, v text);
INSERT INTO s.t VALUES (1, 'one');
SQL
source_grant($source, 'elsewhere', 's');
$target->safe_psql('postgres', 'CREATE DATABASE closed');
$target->safe_psql('postgres', "GRANT CREATE ON DATABASE closed TO $target_role");
my @to_closed = ('--source', $ends[1], '--target', target_url($target, 'closed'));
my @elsewhere = ('--source', source_url($source, 'elsewhere'), @to_closed[ 2, 3 ]);
my $may_not = qr/the role $target_role may not create in it; /;
my $grant = qr/\AGRANT USAGE, CREATE ON SCHEMA "public" TO "$target_role"\z/;
look(1, @to_closed);
found('error', 'P0210', 'schema public', qr/${may_not}table public\.fine is created/,
	$grant, side => 'target');
my $refused = portage_fails(2, 'run', @to_closed, '--until', 'caught-up');
error_ok($refused, 'P0210', qr/schema public: $may_not/, 'run does not begin');
is($target->safe_psql('closed', q{SELECT to_regnamespace('portage')}), '',
	'and has left nothing');
look(0, @elsewhere);
not_found('schema public');
portage_ok('run', @elsewhere, '--until', 'caught-up');
tables_equal($source, 'elsewhere', $target, 'closed', 's.t');
portage_ok('drop', @elsewhere, '--yes');
$target->safe_psql('closed', 'DROP SCHEMA s CASCADE');

# whatever is created there; views go with their tables, where these are selected
foreach my $object (
	[ 'function f', 'FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$' ],
	[ 'type mood', q{TYPE mood AS ENUM ('sad')} ],
	[ 'type pair', 'TYPE pair AS (a int, b int)' ],
	[ 'type positive', 'DOMAIN positive AS int' ],
	[ 'sequence q', 'SEQUENCE q' ],
	[ 'collation c', q{COLLATION c (locale = 'C')} ],
	[ 'operator ===', 'OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)' ],
	[ 'text search configuration x', 'TEXT SEARCH CONFIGURATION x (COPY = pg_catalog.simple)' ],
	[ 'table "Odd Name"', 'TABLE "Odd Name" (id int PRIMARY KEY)' ],
	[ 'view v', 'VIEW v AS SELECT id FROM s.t' ],
	[ 'materialized view w', 'MATERIALIZED VIEW w AS SELECT id FROM s.t' ])
{
	my ($what, $sql) = @$object;
	my ($word, $name) = $what =~ /\A(.*?) ([^ ]+|".*")\z/;
	(my $bare = $name) =~ s/"//g;
	my $of_table = $word =~ /view/;

	$source->safe_psql('elsewhere', "CREATE $sql");
	look(1, @elsewhere);
	found('error', 'P0210', 'schema public',
		qr/$may_not$word public\.\Q$bare\E is created there/, $grant);
	look($of_table || $word eq 'table' ? 0 : 1, @elsewhere, '--tables', 's.t');
	found('warning', 'P0210', 'schema public', qr/$may_not$word/, $grant) if $of_table;
	not_found('schema public') if $word eq 'table';
	($word, $name) = ('DOMAIN', $name) if $bare eq 'positive';
	$name .= ' (int, int)' if $word eq 'operator';
	$source->safe_psql('elsewhere', "DROP $word $name");
}
look(0, @elsewhere);
not_found('schema public');

# what the remedy says is enough
look(1, @to_closed);
my ($finding) = grep { $_->{object} eq 'schema public' } findings();
$target->safe_psql('closed', $finding->{remedy});
look(0, @to_closed);
not_found('schema public');
portage_ok('run', @to_closed, '--until', 'caught-up');
portage_ok('drop', @to_closed, '--yes');

# another schema than public, and a target without public
$target->safe_psql('closed', 'CREATE SCHEMA s; DROP TABLE fine');
look(1, @elsewhere);
found('error', 'P0210', 'schema s', qr/${may_not}table s\.t/,
	qr/GRANT USAGE, CREATE ON SCHEMA "s"/);
$target->safe_psql('closed', 'DROP SCHEMA s; DROP SCHEMA public CASCADE');
look(0, @elsewhere);
look(1, @to_closed);
found('error', 'P0421', 'schema public', qr/does not have it; table public\.fine/,
	qr/CREATE SCHEMA public/);

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
wait_for(
	sub {
		$target->safe_psql('postgres',
			q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'app'}) == 0;
	},
	'nobody to be connected any more');
look(1, @ends);
found('error', 'P0401', 'target', qr/same names already: public\.fine/,
	qr/empty database/);
found('note', '', 'target', qr/holds 1 tables, .* 1 functions, 1 types/, undef);
found('warning', 'P0421', 'event trigger guard', qr/ddl_command_end/,
	qr/disable it/, side => 'target');
found('error', 'P0210', 'target', qr/may not create schemas/,
	qr/GRANT CREATE ON DATABASE "app" TO "$target_role"/);
found('error', 'P0210', 'schema public', $may_not, $grant);
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
