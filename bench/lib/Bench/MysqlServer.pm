package Bench::MysqlServer;

# A temporary MariaDB server for measuring: reachable through a Unix socket in
# its own folder only, for its user root without a password, stopped when the
# object goes.

use strict;
use warnings;

use Carp;
use File::Path ();
use POSIX ();
use Time::HiRes qw(sleep time);

use Bench::Run;
use Bench::Server;

use constant {
	SERVER => $ENV{PORTAGE_MYSQLD} // 'mariadbd',
	INSTALL => $ENV{PORTAGE_MYSQL_INSTALL_DB} // 'mariadb-install-db',
	CLIENT => 'mariadb',
	PATIENCE_S => 120,
};

# The settings of every figure: what is not here is the server's default, most
# of all that a commit is durable.
my $conf = <<'CONF';
innodb_buffer_pool_size = 2G
innodb_flush_log_at_trx_commit = 1
skip_log_bin
skip_networking
local_infile = ON
max_allowed_packet = 64M
CONF

sub is_installed
{
	return 2 == grep {
		my $program = $_;
		grep { -x "$_/$program" } split(/:/, $ENV{PATH})
	} SERVER, CLIENT;
}

# $folder is created.
sub start
{
	my ($class, $folder) = @_;
	my $self = bless { folder => $folder, owner => $$ }, $class;

	File::Path::make_path($folder, { mode => 0700 });
	Bench::Server::run(INSTALL, '--no-defaults', '--datadir=' . $self->data,
		'--auth-root-authentication-method=normal', '--skip-test-db');
	open(my $file, '>', "$folder/my.cnf") || croak("my.cnf: $!");
	print $file "[mysqld]\n${conf}datadir = @{[ $self->data ]}\n"
	  . "socket = @{[ $self->socket_path ]}\n"
	  . "pid_file = $folder/mysqld.pid\n";
	close($file) || croak("my.cnf: $!");
	$self->begin;
	return $self;
}

sub begin
{
	my ($self) = @_;
	my $deadline = time() + PATIENCE_S;

	$self->{pid} = fork() // croak("fork: $!");
	if ($self->{pid} == 0)
	{
		open(STDOUT, '>>', "$self->{folder}/server.log")
		  && open(STDERR, '>&', \*STDOUT)
		  && exec { +SERVER } SERVER, "--defaults-file=$self->{folder}/my.cnf";
		POSIX::_exit(127);
	}
	until (eval { $self->sql(undef, 'SELECT 1') })
	{
		croak('MariaDB does not start: '
			  . (Bench::Run::slurp("$self->{folder}/server.log") // ''))
		  if time() > $deadline || waitpid($self->{pid}, POSIX::WNOHANG());
		sleep(0.05);
	}
	return;
}

# Stopped in order, to be begun again.
sub halt
{
	my ($self) = @_;
	$self->end('TERM');
	return;
}

sub end
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} // return;

	kill($signal, $pid);
	waitpid($pid, 0);
	return;
}

# Keep all of it, and bring it back as it was: there are no templates here.
sub keep
{
	my ($self) = @_;

	$self->halt;
	File::Path::remove_tree("$self->{folder}/kept");
	Bench::Server::run('cp', '-R', $self->data, "$self->{folder}/kept");
	$self->begin;
	return;
}

sub restore
{
	my ($self) = @_;

	$self->end('KILL');
	File::Path::remove_tree($self->data);
	Bench::Server::run('cp', '-R', "$self->{folder}/kept", $self->data);
	$self->begin;
	return;
}

sub data { return "$_[0]{folder}/data" }
sub folder { return $_[0]{folder} }
sub socket_path { return "$_[0]{folder}/my.sock" }
sub pid { return $_[0]{pid} }

# All of its threads are in one process.
sub has_threads { return 1 }

sub url
{
	my ($self, $database) = @_;
	my $socket = $self->socket_path;

	$socket =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord($1))/ge;
	return "mysql://root\@localhost/$database?socket=$socket";
}

sub client
{
	my ($self, $database, @further) = @_;
	return (CLIENT, '--no-defaults', '--user=root', '--socket',
		$self->socket_path, '--batch', '--skip-column-names',
		'--default-character-set=utf8mb4', '--local-infile=1', @further,
		defined $database ? $database : ());
}

# Run statements. Returns what was printed, without the last line feed.
sub sql
{
	my ($self, $database, $statement) = @_;
	my $output =
	  Bench::Server::run($self->client($database, '--execute', $statement));

	chomp($output);
	return $output;
}

sub create
{
	my ($self, $database) = @_;

	$self->sql(undef,
		"DROP DATABASE IF EXISTS $database; CREATE DATABASE $database");
	return;
}

sub version
{
	my ($self) = @_;
	return $self->sql(undef, 'SELECT version()');
}

# The process that started the server stops it, not its children.
sub stop
{
	my ($self) = @_;

	return unless $self->{owner} == $$;
	local $?;
	$self->end('KILL');
	File::Path::remove_tree($self->{folder});
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($@, $!, $?);
	$self->stop;
	return;
}

1;
