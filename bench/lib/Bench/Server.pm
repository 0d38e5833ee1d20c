package Bench::Server;

# A temporary server for measuring: reachable through a Unix socket in its own
# folder only, stopped when the object goes.
#
# PostgreSQL::Test::Cluster is not used here. It makes servers fast rather than
# like those that people run, and it takes standard output away.

use strict;
use warnings;

use Carp;
use Errno ();
use File::Path ();
use POSIX ();

use constant PORT => 5432;

# $folder is created; %options: conf => further lines of postgresql.conf.
sub start
{
	my ($class, $folder, %options) = @_;
	my $self = bless { folder => $folder, owner => $$ }, $class;

	File::Path::make_path($folder, { mode => 0700 });
	run('initdb', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8',
		'--no-sync', '--pgdata', $self->data);
	$self->configure($options{conf});
	$self->begin;
	return $self;
}

sub begin
{
	my ($self) = @_;

	run('pg_ctl', 'start', '--silent', '--wait', '--timeout=120',
		'--pgdata', $self->data, '--log', "$self->{folder}/server.log");
	$self->{started} = 1;
	return;
}

# Stopped in order, to be begun again.
sub halt
{
	my ($self) = @_;

	run('pg_ctl', 'stop', '--silent', '--wait', '--mode=fast', '--timeout=300',
		'--pgdata', $self->data);
	$self->{started} = 0;
	return;
}

# The settings of every figure that is compared with another one. The launcher
# starts a subscription's worker only once in wal_retrieve_retry_interval: with
# its 5 s most of a short drain would be waiting for that.
sub configure
{
	my ($self, $further) = @_;
	my $plugins = 'pgoutput,test_decoding,pg_portage,wal2json,decoderbufs,'
	  . 'pglogical_output,pglogical';

	$self->append(<<"CONF");
listen_addresses = ''
unix_socket_directories = '$self->{folder}'
port = @{[PORT]}
shared_buffers = 1GB
wal_level = logical
max_wal_size = 8GB
min_wal_size = 2GB
checkpoint_timeout = 30min
maintenance_work_mem = 512MB
autovacuum = off
wal_sender_timeout = 0
wal_retrieve_retry_interval = 50ms
max_wal_senders = 20
max_replication_slots = 20
max_worker_processes = 20
fsync = on
full_page_writes = on
synchronous_commit = on
logical_decoding_work_mem = 64MB
log_min_messages = warning
$further
CONF
	# A server that does not know the setting would refuse to start.
	$self->append("output_plugin_libraries = '$plugins'\n")
	  if $self->knows('output_plugin_libraries');
	return;
}

sub append
{
	my ($self, $text) = @_;

	open(my $file, '>>', $self->data . '/postgresql.conf')
	  || croak("postgresql.conf: $!");
	print $file $text;
	close($file) || croak("postgresql.conf: $!");
	return;
}

# Before the first start only.
sub knows
{
	my ($self, $setting) = @_;

	return run_quietly('postgres', '-D', $self->data, '-C', $setting);
}

sub data
{
	my ($self) = @_;
	return "$self->{folder}/pgdata";
}

sub folder
{
	my ($self) = @_;
	return $self->{folder};
}

# Of the postmaster.
sub pid
{
	my ($self) = @_;

	open(my $file, '<', $self->data . '/postmaster.pid')
	  || croak("postmaster.pid: $!");
	my $pid = <$file>;
	chomp($pid);
	return $pid;
}

# Arguments for the server's client programs.
sub address
{
	my ($self) = @_;
	return ('--host', $self->{folder}, '--port', PORT);
}

sub socket_path
{
	my ($self) = @_;
	return "$self->{folder}/.s.PGSQL." . PORT;
}

# Run one statement, or several as one transaction. Returns what was printed,
# without the last line feed.
sub sql
{
	my ($self, $database, $statement) = @_;
	my @command = ('psql', '--no-psqlrc', '--quiet', '--no-align',
		'--tuples-only', '--set=ON_ERROR_STOP=1', $self->address,
		'--dbname', $database, '--command', $statement);

	my ($status, $output, $errors) = capture(@command);

	croak("psql failed on: $statement\n$errors") if $status != 0;
	chomp($output);
	return $output;
}

# The process that ran initdb stops the server, not its children.
sub stop
{
	my ($self) = @_;

	return unless $self->{started} && $self->{owner} == $$;
	$self->{started} = 0;
	local $?;
	run_quietly('pg_ctl', 'stop', '--silent', '--mode=immediate',
		'--pgdata', $self->data);
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

# Run a program to its end, show its output only if it fails.
sub run
{
	my (@command) = @_;
	my ($status, $output, $errors) = capture(@command);

	croak("$command[0] failed:\n$output$errors") if $status != 0;
	return $output;
}

sub run_quietly
{
	my (@command) = @_;
	my ($status) = capture(@command);
	return $status == 0;
}

# Status, standard output, standard error. A server that pg_ctl starts keeps
# both open, so that a pipe would not end: a file does.
sub capture
{
	my (@command) = @_;

	open(my $output, '+>', undef) || croak("temporary file: $!");
	open(my $errors, '+>', undef) || croak("temporary file: $!");
	my $pid = fork() // croak("fork: $!");
	if ($pid == 0)
	{
		open(STDOUT, '>&', $output)
		  && open(STDERR, '>&', $errors)
		  && exec { $command[0] } @command;
		print STDERR "cannot run $command[0]: $!\n";
		POSIX::_exit(127);
	}
	while (waitpid($pid, 0) < 0)
	{
		croak("waitpid: $!") unless $!{EINTR};
	}
	my $status = $?;
	return ($status, map { seek($_, 0, 0); local $/; scalar <$_> // '' }
		  ($output, $errors));
}

1;
