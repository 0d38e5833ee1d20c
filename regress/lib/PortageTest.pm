package PortageTest;

=pod

=head1 NAME

PortageTest - what the TAP tests of pg_portage have in common

=head1 SYNOPSIS

  use strict;
  use warnings;
  use PortageTest;
  use Test::More;

  my $source = source_new('source');
  my $target = target_new('target');

  $source->safe_psql('app', 'CREATE TABLE t (id int PRIMARY KEY)');
  $source->safe_psql('app', 'INSERT INTO t SELECT generate_series(1, 9)');
  portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
  tables_equal($source, 'app', $target, 'app', 'public.t');
  done_testing();

=head1 DESCRIPTION

Servers are PostgreSQL::Test::Cluster nodes, so everything that class offers
works: C<safe_psql> connects through the socket as the superuser, without a
password. The applier connects over TCP as one of two roles that hold nothing
beyond what README.md lists, as it lists it, with a password from a PGPASSFILE,
and pg_hba.conf lets these roles in with SCRAM only. A test that needs a role to
hold more asks for it: C<replica_role> of target_new, an ALTER ROLE of its own.

What PortageProcess and PortageContents export is exported here as well: waiting
for a condition, and comparing the two sides.

Tests run through C<make check-tap TESTS=...>, which prepares the private
installation and the environment that this module reads.

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use File::Temp ();
use IPC::Run ();
use JSON::PP ();
use PortageContents;
use PortageProcess;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  SOURCE_ROLE TARGET_ROLE
  source_new target_new source_grant source_url target_url endpoints
  server_knows
  portage portage_ok portage_fails portage_start
  progress_row slot_row current_lsn wait_for
  table_digest tables_equal schema_of schemas_equal
  pgbench_init pgbench_start pgbench_stop last_commit_age load_committed_recently
);

use constant SOURCE_ROLE => 'portage_src';
use constant TARGET_ROLE => 'portage_dst';

# Characters that a URL or a password file would have to escape, on purpose.
my %password = (
	SOURCE_ROLE() => 'src:p@ss\\word %/?',
	TARGET_ROLE() => 'dst:p@ss\\word #&=',
);

my $secrets;    # File::Temp::Dir that holds the password file

=pod

=head1 SERVERS

=over

=item source_new($name, %options)

Initialise and start a server that can be migrated from. Options:

  databases  => ['app']     created, owned by the superuser
  extension  => 1           CREATE EXTENSION pg_portage in each of them
  initdb     => []          further arguments, e.g. '--encoding=LATIN1'
  conf       => ''          further lines of postgresql.conf
  fsync      => 1           0 only where a test measures or loads a lot
  start      => 1           0 leaves it initialised, without roles

The role SOURCE_ROLE may log in and replicate, and has what source_grant gives
it in each of these databases; it owns nothing and is a member of nothing.

=item source_grant($node, $database, @schemas)

Let SOURCE_ROLE read what there is in these schemas (default: public), what the
superuser creates from then on in any schema, and the key of the extension's
messages, if it is there. For a database that a test creates by itself.

=cut

sub source_new
{
	my ($name, %options) = @_;
	my $node = server_init($name, %options);

	$node->append_conf('postgresql.conf', <<'CONF');
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
CONF
	# A server that does not know the setting would refuse to start.
	$node->append_conf('postgresql.conf',
		"output_plugin_libraries = 'pgoutput,test_decoding,pg_portage'")
	  if server_knows($node, 'output_plugin_libraries');
	$node->append_conf('postgresql.conf', $options{conf})
	  if defined $options{conf};
	return $node if defined $options{start} && !$options{start};

	$node->start;
	role_create($node, SOURCE_ROLE, 'LOGIN REPLICATION');
	foreach my $database (@{ $options{databases} // ['app'] })
	{
		$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
		$node->safe_psql($database, 'CREATE EXTENSION pg_portage')
		  if $options{extension} // 1;
		source_grant($node, $database);
	}
	return $node;
}

# The statements of README.md. The second half is for what is created later.
sub source_grant
{
	my ($node, $database, @schemas) = @_;
	my ($role, $owner) = (SOURCE_ROLE, superuser());
	my $grants = join('', map { <<"SQL" } @schemas ? @schemas : 'public');
GRANT USAGE ON SCHEMA $_ TO $role;
GRANT SELECT ON ALL TABLES IN SCHEMA $_ TO $role;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA $_ TO $role;
SQL

	$node->safe_psql($database, $grants . <<"SQL");
ALTER DEFAULT PRIVILEGES FOR ROLE $owner GRANT USAGE ON SCHEMAS TO $role;
ALTER DEFAULT PRIVILEGES FOR ROLE $owner GRANT SELECT ON TABLES TO $role;
ALTER DEFAULT PRIVILEGES FOR ROLE $owner GRANT SELECT ON SEQUENCES TO $role;
SQL
	$node->safe_psql($database, <<"SQL") if has_extension($node, $database);
GRANT USAGE ON SCHEMA portage TO $role;
GRANT SELECT ON portage.ddl_key TO $role;
SQL
	return;
}

sub has_extension
{
	my ($node, $database) = @_;
	return $node->safe_psql($database,
		q{SELECT count(*) FROM pg_extension WHERE extname = 'pg_portage'});
}

=pod

=item target_new($name, %options)

The same for a server to migrate to; each database is owned by TARGET_ROLE,
which may only log in: like the users of a managed service, it may not set
session_replication_role. Options as above without C<extension>, and

  replica_role => 0         1 grants SET on session_replication_role, which
                            is what a superuser of one's own server can give

=cut

sub target_new
{
	my ($name, %options) = @_;
	my $node = server_init($name, %options);

	$node->append_conf('postgresql.conf', $options{conf})
	  if defined $options{conf};
	return $node if defined $options{start} && !$options{start};

	$node->start;
	role_create($node, TARGET_ROLE, 'LOGIN');
	$node->safe_psql('postgres',
		'GRANT SET ON PARAMETER session_replication_role TO ' . TARGET_ROLE)
	  if $options{replica_role};
	foreach my $database (@{ $options{databases} // ['app'] })
	{
		$node->safe_psql('postgres',
			qq{CREATE DATABASE "$database" OWNER } . TARGET_ROLE);
	}
	return $node;
}

# What both kinds of server have in common, up to the first start. The first
# lines undo settings with which the cluster class makes tests fast but unlike
# a server that anybody would migrate.
sub server_init
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $fsync = ($options{fsync} // 1) ? 'on' : 'off';
	my $superuser = superuser();

	$node->init(extra => $options{initdb} // []);
	$node->append_conf('postgresql.conf', <<"CONF");
fsync = $fsync
log_statement = none
shared_buffers = 64MB
max_wal_size = 1GB
restart_after_crash = on
listen_addresses = '127.0.0.1'
password_encryption = scram-sha-256
log_replication_commands = on
CONF
	unlink($node->data_dir . '/pg_hba.conf');
	$node->append_conf('pg_hba.conf', <<"HBA");
local all,replication $superuser trust
local all,replication all scram-sha-256
host all,replication $superuser 127.0.0.1/32 reject
host all,replication all 127.0.0.1/32 scram-sha-256
HBA
	return $node;
}

# The superuser of a node is the operating system user that ran initdb.
sub superuser
{
	return scalar getpwuid($>);
}

sub role_create
{
	my ($node, $role, $attributes) = @_;
	(my $literal = $password{$role}) =~ s/'/''/g;

	$node->safe_psql('postgres',
		"SET standard_conforming_strings = on;"
		  . "CREATE ROLE $role $attributes PASSWORD '$literal'");
	password_remember($node, $role);
	return;
}

# Keep the password where libpq looks for it. The file is for the applier
# only: PGPASSFILE is not set in the environment of the tests themselves.
sub password_remember
{
	my ($node, $role) = @_;
	(my $escaped = $password{$role}) =~ s/([:\\])/\\$1/g;

	open(my $file, '>>', password_file()) || die "password file: $!";
	chmod(0600, password_file()) || die "password file: $!";
	print $file join(':', '127.0.0.1', $node->port, '*', $role, $escaped),
	  "\n";
	close($file) || die "password file: $!";
	return;
}

sub password_file
{
	$secrets //= File::Temp->newdir('portage_XXXX', TMPDIR => 1);
	return "$secrets/pgpass";
}

=pod

=item server_knows($node, $setting)

Whether the server of an initialised, stopped node has such a setting.

=cut

sub server_knows
{
	my ($node, $setting) = @_;
	my ($out, $err) = ('', '');

	return IPC::Run::run(
		[ 'postgres', '-D', $node->data_dir, '-C', $setting ],
		'>', \$out, '2>', \$err);
}

=pod

=item source_url($node, $database), target_url($node, $database)

The connection URL of the source role or the target role, without password.

=item endpoints($source, $target, $database = 'app')

The arguments C<--source URL --target URL>.

=cut

sub source_url
{
	my ($node, $database) = @_;
	return url($node, SOURCE_ROLE, $database);
}

sub target_url
{
	my ($node, $database) = @_;
	return url($node, TARGET_ROLE, $database);
}

sub url
{
	my ($node, $role, $database) = @_;
	$database //= 'app';
	$database =~ s/([^A-Za-z0-9_.-])/sprintf('%%%02X', ord($1))/ge;
	return sprintf('postgresql://%s@127.0.0.1:%d/%s',
		$role, $node->port, $database);
}

sub endpoints
{
	my ($source, $target, $database) = @_;
	return ('--source', source_url($source, $database),
		'--target', target_url($target, $database));
}

=pod

=back

=head1 THE APPLIER

The functions below take the arguments of the command, then optionally
C<< env => { NAME => 'value' } >> and C<< timeout => SECONDS >>.

=over

=item portage(@arguments)

Run the applier to its end. Returns C<{ rc, out, err }>. Dies if it is still
running after C<timeout> (600) seconds.

=item portage_ok(@arguments)

The same as an assertion that the exit code is 0.

=item portage_fails($rc, @arguments)

The same as an assertion that the exit code is $rc.

=item portage_start(@arguments)

Start the applier in the background; returns a PortageProcess.

=cut

sub portage
{
	my ($environment, $timeout, @arguments) = run_options(@_);
	my $process =
	  PortageProcess->start($environment, portage_binary(), @arguments);
	my $end = $process->wait_exit($timeout // 600);

	note("pg_portage @arguments: exit code $end->{rc}");
	return {
		rc => $end->{rc},
		signal => $end->{signal},
		out => $process->stdout,
		err => $process->stderr
	};
}

sub portage_ok
{
	return portage_fails(0, @_);
}

sub portage_fails
{
	my ($rc, @arguments) = @_;
	my $result = portage(@arguments);
	my (undef, undef, @words) = run_options(@arguments);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result->{rc}, $rc, "pg_portage $words[0] exits with $rc")
	  || diag("arguments: @words\n$result->{out}$result->{err}");
	return $result;
}

sub portage_start
{
	my ($environment, undef, @arguments) = run_options(@_);
	return PortageProcess->start($environment, portage_binary(),
		@arguments);
}

sub portage_binary
{
	return $ENV{PORTAGE_BIN}
	  // croak('PORTAGE_BIN is not set; use make check-tap TESTS=...');
}

# Separate trailing named options from the arguments of the command.
sub run_options
{
	my @arguments = @_;
	my %environment = (PGPASSFILE => password_file());
	my $timeout;

	while (@arguments >= 2 && $arguments[-2] =~ /\A(?:env|timeout)\z/)
	{
		my ($key, $value) = splice(@arguments, -2);
		if ($key eq 'env')
		{
			%environment = (%environment, %$value);
		}
		else
		{
			$timeout = $value;
		}
	}
	return (\%environment, $timeout, @arguments);
}

=pod

=back

=head1 STATE

=over

=item progress_row($target, $database, $stream)

The row of portage.progress of that stream as a hash, undef if there is none.

=item slot_row($source, $slot)

The row of pg_replication_slots as a hash, undef if there is none.

=item current_lsn($node)

The end of the server's WAL.

=cut

sub progress_row
{
	my ($target, $database, $stream) = @_;

	return undef
	  if $target->safe_psql($database,
		q{SELECT to_regclass('portage.progress') IS NULL}) eq 't';
	return json_row($target, $database, 'portage.progress', 'stream',
		$stream);
}

sub slot_row
{
	my ($source, $slot) = @_;
	return json_row($source, 'postgres', 'pg_replication_slots', 'slot_name',
		$slot);
}

sub json_row
{
	my ($node, $database, $relation, $column, $value) = @_;
	$value =~ s/'/''/g;
	my $json = $node->safe_psql($database,
		"SELECT row_to_json(r) FROM $relation r WHERE $column = '$value'");

	return $json eq '' ? undef : JSON::PP::decode_json($json);
}

sub current_lsn
{
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
}

=pod

=back

=head1 LOAD

=over

=item pgbench_init($node, $database, %options)

Create the pgbench tables, C<< scale => 1 >>, C<< args => [] >>.

=item pgbench_start($node, $database, %options)

Start pgbench in the background, returns a handle as portage_start does.
Options: C<< clients => 2, seconds => 3600, args => [] >>.

=item pgbench_stop($node, $handle)

End it, and wait until its sessions on the server have ended, too: one whose
statement is under way ends it after pgbench is gone, and may commit.

=item last_commit_age($node, $database)

Seconds since the newest row of pgbench_history, undef when there is none.

=item load_committed_recently($node, $database, $seconds = 2)

Whether the load committed something within that time: use it to prove that
writes went on while something else happened.

=cut

sub pgbench_init
{
	my ($node, $database, %options) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(
		[
			'pgbench', '--initialize', '--quiet',
			'--scale', $options{scale} // 1,
			pgbench_connection($node, $database),
			@{ $options{args} // [] }, $database
		],
		'>', \$out, '2>', \$err) || croak("pgbench --initialize: $err");
	return;
}

sub pgbench_start
{
	my ($node, $database, %options) = @_;

	return PortageProcess->start(
		{},
		'pgbench', '--no-vacuum',
		'--client', $options{clients} // 2,
		'--jobs', 1, '--time', $options{seconds} // 3600,
		pgbench_connection($node, $database),
		@{ $options{args} // [] }, $database);
}

sub pgbench_stop
{
	my ($node, $load) = @_;

	$load->term;
	my $end = $load->wait_exit;
	wait_for(
		sub {
			$node->safe_psql('postgres', q{SELECT count(*) = 0
				FROM pg_stat_activity WHERE application_name = 'pgbench'}) eq 't';
		},
		'the sessions of the load to end');
	return $end;
}

sub pgbench_connection
{
	my ($node) = @_;
	return ('--host', $node->host, '--port', $node->port,
		'--username', superuser());
}

sub last_commit_age
{
	my ($node, $database) = @_;
	my $age = $node->safe_psql($database,
		'SELECT extract(epoch FROM clock_timestamp()::timestamp - max(mtime))'
		  . ' FROM pgbench_history');
	return $age eq '' ? undef : $age;
}

sub load_committed_recently
{
	my ($node, $database, $seconds) = @_;
	my $age = last_commit_age($node, $database);
	return defined $age && $age <= ($seconds // 2);
}

=pod

=back

=cut

1;
