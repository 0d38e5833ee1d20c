package PortageMysql;

=pod

=head1 NAME

PortageMysql - MySQL and MariaDB servers for the tests

=head1 SYNOPSIS

  use PortageMysql;
  use PortageTest;
  use Test::More;

  my $source = source_new('source');
  my $target = mysql_new('target', conf => 'max_allowed_packet = 1M');

  $source->safe_psql('app', 'CREATE TABLE t (id int PRIMARY KEY, v text)');
  portage_ok('run', mysql_endpoints($source, $target), '--until', 'caught-up');
  is($target->value('app', 'SELECT count(*) FROM t'), 0, 'an empty table');

=head1 DESCRIPTION

A server runs in a folder of its own, as the user that runs the tests, with a
socket and a free port of 127.0.0.1, and ends with the test, however that ends.
It is MariaDB unless the environment says otherwise: PORTAGE_MYSQLD names the
program, PORTAGE_MYSQL_INSTALL_DB MariaDB's program that initialises. The first
server of a test says in the output which one it is.

Settings are those of a server that nobody has configured, so that the default
character set may be latin1 and the default collation folds case, except that
memory is small, names are not looked up, MySQL's local_infile is on as
MariaDB's is, and there is no binary log.

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use IO::Socket::UNIX ();
use PortageMysqlSession;
use PortageMysqlSetup;
use PortageProcess;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  MYSQL_ROLE MYSQL_PASSWORD MYSQL_PRIVILEGES
  mysql_new mysql_endpoints mysql_migrate
  mysql_literal mysql_ident
);

use constant MYSQL_ROLE => 'portage_dst';

# Characters that a URL has to escape, on purpose.
use constant MYSQL_PASSWORD => 'dst:p@ss\\word/?#&=%';

# What the user of the applier may do in each database; doc/mysql.md says it.
use constant MYSQL_PRIVILEGES => 'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP,'
  . ' ALTER, INDEX, REFERENCES, CREATE TEMPORARY TABLES';

=pod

=head1 FUNCTIONS

=over

=item mysql_new($name, %options)

Initialise and start a server. Options:

  databases  => ['app']   created, with all defaults of the server
  conf       => ''        further lines of my.cnf, section [mysqld]
  init       => []        arguments of the initialisation as well as settings:
                          what cannot be changed later
  tls        => 0         1: with a certificate for 127.0.0.1, see ca_file
  privileges => MYSQL_PRIVILEGES   of MYSQL_ROLE in each of the databases
  global     => ''        of MYSQL_ROLE on *.*
  start      => 1         0 leaves it initialised, without users

The user MYSQL_ROLE may log in from 127.0.0.1 and through the socket with
MYSQL_PASSWORD. Root may through the socket, without a password: that is who
C<query> and the like are.

=item mysql_endpoints($source, $server, $database = 'app', %url_options)

The arguments C<--source URL --target URL>.

=item mysql_migrate($source, $server, @arguments)

Assert that C<run --until caught-up> of database app with these arguments
succeeds, and return its result as portage_ok does.

=item mysql_literal($text), mysql_ident($name)

Quoted, for statements of a test.

=back

=cut

sub mysql_new
{
	my ($name, %options) = @_;
	my $self = bless {
		name => $name,
		folder => "$PostgreSQL::Test::Utils::tmp_check/mysql_"
		  . test_name() . "_$name",
		sockets => PostgreSQL::Test::Utils::tempdir_short(),
		port => PostgreSQL::Test::Cluster::get_free_port(),
		program => mysql_program(),
	}, __PACKAGE__;
	my @init = @{ $options{init} // [] };

	mkdir($self->{folder}) || croak("$self->{folder}: $!");
	mysql_initialised($self->data_dir, @init);
	mysql_certify($self->{folder}) if $options{tls};
	append_to_file(
		$self->conf_file,
		mysql_settings(
			folder => $self->{folder},
			data_dir => $self->data_dir,
			socket => $self->socket,
			port => $self->{port},
			tls => $options{tls},
			further => join("\n", (map { s/\A--//r } @init),
				$options{conf} // '')));
	return $self if defined $options{start} && !$options{start};

	$self->start;
	$self->create_user(MYSQL_ROLE, MYSQL_PASSWORD);
	$self->query(undef, "GRANT $options{global} ON *.* TO "
		  . account(MYSQL_ROLE)) if $options{global};
	$self->create_database($_,
		privileges => $options{privileges} // MYSQL_PRIVILEGES)
	  foreach @{ $options{databases} // ['app'] };
	return $self;
}

sub mysql_endpoints
{
	my ($source, $server, $database, %options) = @_;
	$database //= 'app';
	return ('--source', source_url($source, $database),
		'--target', $server->url($database, %options));
}

sub mysql_migrate
{
	my ($source, $server, @arguments) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return portage_ok('run', mysql_endpoints($source, $server),
		'--until', 'caught-up', @arguments);
}

# For sessions with the server's default sql_mode: backslash is an escape.
sub mysql_literal
{
	my ($text) = @_;
	return 'NULL' unless defined $text;
	$text =~ s/(['\\])/\\$1/g;
	return "'$text'";
}

sub mysql_ident
{
	my ($name) = @_;
	$name =~ s/`/``/g;
	return "`$name`";
}

=pod

=head1 METHODS

=head2 Which server

=over

=item is_mariadb, version, flavour

Whether it is MariaDB; its version as a number, 101119 or 90704; "MariaDB
10.11.19" or "MySQL 9.7.4".

=item byte_exact_collation

The collation under which two texts are equal only if their bytes are.

=back

=cut

sub is_mariadb { my ($self) = @_; return $self->{program}{mariadb}; }

sub flavour { my ($self) = @_; return $self->{program}{flavour}; }

sub version
{
	my ($self) = @_;
	my ($major, $minor, $patch) = $self->flavour =~ /(\d+)\.(\d+)\.(\d+)/;
	return $major * 10000 + $minor * 100 + $patch;
}

sub byte_exact_collation
{
	my ($self) = @_;
	return $self->is_mariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

=pod

=head2 Its life

=over

=item start, stop, kill9, restart

Start returns when the server lets clients in; stop is an orderly shutdown.

=item start_fails

Start a server that has to end by itself; returns what it wrote.

=item pid, running, log, log_size

Of the process. C<log> takes an offset: what was written behind it.

=item wait_for_log($pattern, $offset), wait_for_value($database, $sql, $what)

Until the log matches, until the statement's first value is true; both return
what they found.

=item conf($lines)

Further settings, for the next start.

=cut

sub start
{
	my ($self) = @_;

	croak("$self->{name} runs already") if $self->running;
	$self->launch;
	wait_for(
		sub {
			croak("$self->{name} did not start:\n" . $self->log)
			  unless $self->running;
			greets($self->socket);
		},
		"$self->{name} to let clients in");
	return;
}

sub start_fails
{
	my ($self) = @_;

	$self->launch;
	$self->{process}->wait_exit;
	return $self->log;
}

# Should the test be killed itself, the server is, too.
sub launch
{
	my ($self) = @_;

	$self->{process} = PortageProcess->start_as($self->{name}, {},
		'setpriv', '--pdeathsig', 'KILL', '--',
		$self->{program}{path}, '--defaults-file=' . $self->conf_file);
	return;
}

sub stop
{
	my ($self) = @_;

	$self->forget_sessions;
	$self->{process}->term;
	return $self->{process}->wait_exit;
}

sub kill9
{
	my ($self) = @_;

	$self->forget_sessions;
	return $self->{process}->kill9;
}

sub restart
{
	my ($self) = @_;

	$self->stop if $self->running;
	$self->start;
	return;
}

sub pid { my ($self) = @_; return $self->{process}->pid; }

sub running
{
	my ($self) = @_;
	return defined $self->{process} && $self->{process}->running;
}

sub log    ## no critic
{
	my ($self, $offset) = @_;
	return '' unless defined $self->{process};
	return substr($self->{process}->stderr, $offset // 0);
}

sub log_size { my ($self) = @_; return length($self->log); }

sub wait_for_log
{
	my ($self, $pattern, $offset) = @_;

	return wait_for(sub { $self->log($offset) =~ $pattern ? $& : '' },
		"$self->{name} to log $pattern");
}

sub wait_for_value
{
	my ($self, $database, $sql, $what) = @_;

	return wait_for(sub { $self->value($database, $sql) }, $what // $sql);
}

sub conf
{
	my ($self, $lines) = @_;
	append_to_file($self->conf_file, "$lines\n");
	return;
}

=pod

=back

=head2 Statements

As root, through the socket, in one session per database that is kept.

=over

=item query($database, $sql)

Run one statement; returns what PortageMysqlSession's C<run> does. The database
may be undef.

=item rows($database, $sql), row, value

Its rows as arrays of bytes and undefs; the first one; the first value of that.

=item error_of($database, $sql)

The number of the error that the statement ends with, 0 if it succeeds.

=item session($database, $user = 'root', $password = '')

A new session, to do several things in.

=item create_database($name, collation => '', privileges => MYSQL_PRIVILEGES)

With these privileges for MYSQL_ROLE; the server's default collation if none
is named.

=item drop_database($name), create_user($name, $password), grant($privileges, $database)

The last one is for MYSQL_ROLE; $database may be '*'.

=back

=cut

sub query
{
	my ($self, $database, $sql) = @_;
	my $sessions = $self->{sessions} //= {};
	my $session = $sessions->{ $database // '' } //= $self->session($database);

	my $result = eval { $session->run($sql) };
	return $result if $result;
	delete $sessions->{ $database // '' } unless $@ =~ /\Aerror \d+/;
	croak("$self->{name}: $@in: $sql\n");
}

sub rows
{
	my ($self, $database, $sql) = @_;
	return @{ $self->query($database, $sql)->{rows} };
}

sub row
{
	my ($self, $database, $sql) = @_;
	my ($first) = $self->rows($database, $sql);
	return defined $first ? @$first : ();
}

sub value
{
	my ($self, $database, $sql) = @_;
	my ($first) = $self->row($database, $sql);
	return $first;
}

sub error_of
{
	my ($self, $database, $sql) = @_;

	return 0 if eval { $self->query($database, $sql); 1 };
	return $1 if $@ =~ /error (\d+) \(/;
	croak($@);
}

sub session
{
	my ($self, $database, $user, $password) = @_;
	return PortageMysqlSession->open($self->socket, $user // 'root',
		$password // '', $database);
}

sub forget_sessions
{
	my ($self) = @_;
	$_->close foreach values %{ $self->{sessions} // {} };
	$self->{sessions} = {};
	return;
}

sub create_database
{
	my ($self, $name, %options) = @_;
	my $collation =
	  $options{collation} ? " COLLATE $options{collation}" : '';

	$self->query(undef, 'CREATE DATABASE ' . mysql_ident($name) . $collation);
	$self->grant($options{privileges} // MYSQL_PRIVILEGES, $name);
	return;
}

sub drop_database
{
	my ($self, $name) = @_;
	$self->query(undef, 'DROP DATABASE IF EXISTS ' . mysql_ident($name));
	# A session whose database is gone has none.
	my $session = delete $self->{sessions}{$name};
	$session->close if defined $session;
	return;
}

sub create_user
{
	my ($self, $name, $password) = @_;
	$self->query(undef, 'CREATE USER ' . account($name)
		  . ' IDENTIFIED BY ' . mysql_literal($password));
	return;
}

# Underscores in names of databases are wildcards in a GRANT.
sub grant
{
	my ($self, $privileges, $database) = @_;
	my $on = $database eq '*' ? '*' : mysql_ident($database =~ s/([_%])/\\$1/gr);

	$self->query(undef, "GRANT $privileges ON $on.* TO " . account(MYSQL_ROLE))
	  if $privileges ne '';
	return;
}

sub account
{
	my ($name) = @_;
	return mysql_literal($name) . q{@'%'};
}

=pod

=head2 Where it is

=over

=item url($database = 'app', %options)

The applier's URL. C<user> and C<password> are MYSQL_ROLE's unless given; a
password that is undef is left out. With C<< socket => 1 >> through the socket.
Everything else becomes an option of the URL: C<< 'ssl-mode' => 'REQUIRED' >>.

=item port, socket, data_dir, conf_file, ca_file, bad_ca_file

Ca_file is there with C<tls>: who has signed the server's certificate;
bad_ca_file is somebody else's.

=back

=cut

sub url
{
	my ($self, $database, %options) = @_;
	my $user = delete $options{user} // MYSQL_ROLE;
	my $password =
	  exists $options{password} ? delete $options{password} : MYSQL_PASSWORD;
	my $login = escape($user)
	  . (defined $password ? ':' . escape($password) : '');
	my $host = '127.0.0.1:' . $self->port;

	if (delete $options{socket})
	{
		$host = 'localhost';
		$options{socket} = $self->socket;
	}
	my $query = join('&',
		map { "$_=" . escape($options{$_}) } sort keys %options);
	return "mysql://$login\@$host/" . escape($database // 'app')
	  . ($query ne '' ? "?$query" : '');
}

sub escape
{
	my ($text) = @_;
	utf8::encode($text) if utf8::is_utf8($text);
	$text =~ s/([^A-Za-z0-9_.-])/sprintf('%%%02X', ord($1))/ge;
	return $text;
}

sub name { my ($self) = @_; return $self->{name}; }
sub port { my ($self) = @_; return $self->{port}; }
sub socket { my ($self) = @_; return "$self->{sockets}/my.sock"; }  ## no critic
sub data_dir { my ($self) = @_; return "$self->{folder}/data"; }
sub conf_file { my ($self) = @_; return "$self->{folder}/my.cnf"; }
sub ca_file { my ($self) = @_; return "$self->{folder}/ca.pem"; }
sub bad_ca_file { my ($self) = @_; return "$self->{folder}/bad_ca.pem"; }

sub test_name
{
	my ($name) = $PostgreSQL::Test::Utils::test_logfile =~ /regress_log_(.*)/;
	return $name;
}

# A server that listens and is not ready yet says nothing, or that it is not.
sub greets
{
	my ($path) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) // return 0;
	my $head = '';

	return (sysread($socket, $head, 5) // 0) == 5
	  && ord(substr($head, 4)) == 10;
}

1;
