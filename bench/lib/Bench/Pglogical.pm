package Bench::Pglogical;

# pglogical as a contender. It insists on a slot of its own, keeps where it is
# in tables and a replication origin, and has workers that hold on to databases.
# So it has a target server of its own, which is restored as a whole before each
# run, and its slot from a copy.

use strict;
use warnings;

use Carp;
use File::Path ();
use Time::HiRes qw(time);

use Bench::Pair;
use Bench::Processes;
use Bench::Server;

use constant LIBRARY => 'pglogical';

# pair, database.
sub new
{
	my ($class, %self) = @_;
	return bless {%self}, $class;
}

sub is_installed
{
	my $pkglibdir =
	  Bench::Server::run($ENV{PG_CONFIG} // 'pg_config', '--pkglibdir');

	chomp($pkglibdir);
	return -e "$pkglibdir/@{[LIBRARY]}.so";
}

# For the source's postgresql.conf.
sub conf
{
	return "shared_preload_libraries = '@{[LIBRARY]}'\n";
}

# Before the backlog is written. Returns why it cannot be, or undef.
sub prepare
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};

	my $done = eval { $self->prepare_source; 1 };
	return ($@ =~ /^ERROR:\s*(.*)/m)[0] // $@ unless $done;
	$self->{server} = Bench::Server->start($pair->folder . "/pgl_$database",
		conf => conf());
	$self->prepare_target;
	$self->{slot} = $pair->source->sql('postgres', <<"SQL");
SELECT slot_name FROM pg_replication_slots
WHERE plugin = 'pglogical_output' AND database = '$database'
SQL
	$self->{server}->halt;
	Bench::Server::run('cp', '-a', $self->{server}->data, $self->saved);
	$pair->copy_slot($database, $self->{slot}, "kept_$self->{slot}");
	return undef;
}

sub saved
{
	my ($self) = @_;
	return $self->{server}->folder . '/saved';
}

sub dsn
{
	my ($self, $server) = @_;
	return 'host=' . $server->folder
	  . ' port=' . Bench::Server::PORT . " dbname=$self->{database}";
}

sub prepare_source
{
	my ($self) = @_;
	my $source = $self->{pair}->source;
	my @statements = (
		'CREATE EXTENSION pglogical',
		"SELECT pglogical.create_node('provider', '@{[$self->dsn($source)]}')",
		<<'SQL');
SELECT pglogical.replication_set_add_table(
	CASE WHEN EXISTS (SELECT FROM pg_index i
		WHERE i.indrelid = c.oid AND i.indisprimary)
	THEN 'default' ELSE 'default_insert_only' END, c.oid)
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
SQL

	$source->sql($self->{database}, "SET client_min_messages = warning; $_")
	  foreach @statements;
	# It would take them, and fail with the first row.
	my $full = $source->sql($self->{database}, <<'SQL');
SELECT string_agg(relname, ', ') FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relreplident = 'f'
SQL
	croak("ERROR: replica identity full of $full") if length $full;
	return;
}

sub prepare_target
{
	my ($self) = @_;
	my ($pair, $database, $server) = @$self{qw(pair database server)};
	my ($from, $to) = map { join(' ', $_->address) } $pair->source, $server;

	$server->sql('postgres', "CREATE DATABASE $database");
	Bench::Server::run('sh', '-c',
		    "pg_dump --no-publications --schema=public $from $database"
		  . " | psql -X -q $to $database >/dev/null");
	foreach my $statement (
		'CREATE EXTENSION pglogical',
		"SELECT pglogical.create_node('subscriber', '@{[$self->dsn($server)]}')",
		"SELECT pglogical.create_subscription('bench',
			'@{[$self->dsn($pair->source)]}',
			ARRAY['default', 'default_insert_only'], false, false)")
	{
		$server->sql($database, "SET client_min_messages = warning; $statement");
	}
	$pair->wait_until($server, $database,
		"status = 'replicating' FROM pglogical.show_subscription_status('bench')");
	$server->sql($database,
		"SELECT pglogical.alter_subscription_disable('bench', true)");
	return;
}

sub reset
{
	my ($self) = @_;
	my $server = $self->{server};

	File::Path::remove_tree($server->data);
	Bench::Server::run('cp', '-a', $self->saved, $server->data);
	$self->{pair}->copy_slot($self->{database}, "kept_$self->{slot}",
		$self->{slot});
	$server->begin;
	$server->sql($self->{database}, 'CHECKPOINT');
	return;
}

# Returns what it used; to be stopped once its contents were compared.
sub run
{
	my ($self, $end) = @_;
	my ($pair, $database, $server) = @$self{qw(pair database server)};
	my $processes =
	  Bench::Processes->new(source => $pair->source, target => $server);
	my $started = time();

	$server->sql($database,
		"SELECT pglogical.alter_subscription_enable('bench', true)");
	$pair->wait_until($pair->source, $database,
		"confirmed_flush_lsn >= '$end' FROM pg_replication_slots WHERE slot_name = '$self->{slot}'",
		sub { $processes->look });
	return { wall => time() - $started, usage => $processes->result };
}

sub server
{
	my ($self) = @_;
	return $self->{server};
}

sub halt
{
	my ($self) = @_;

	$self->{server}->halt;
	return;
}

1;
