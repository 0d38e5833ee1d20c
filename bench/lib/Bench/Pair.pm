package Bench::Pair;

# A source and a target, and what every part does with them: databases that
# are restored from a template, slots that are copies of one another, contents
# that are compared.

use strict;
use warnings;

use Carp;
use Time::HiRes qw(sleep time);

use Bench::Connection;
use Bench::Processes;
use Bench::Server;

use constant {
	POLL_S => 0.005,
	PATIENCE_S => 1800,
};

# source, target: Bench::Server; folder.
sub new
{
	my ($class, %self) = @_;
	return bless {%self}, $class;
}

sub source { return $_[0]{source} }
sub target { return $_[0]{target} }
sub folder { return $_[0]{folder} }

sub url
{
	my ($server, $database) = @_;
	return $server->url($database) if $server->can('url');
	my $host = $server->folder;

	$host =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord($1))/ge;
	return "postgresql://$host/$database";
}

# The program and its arguments; the target may be reached by another address.
sub portage_command
{
	my ($self, $database, $command, @options) = @_;
	my $bindir = Bench::Server::run($ENV{PG_CONFIG} // 'pg_config', '--bindir');
	my $target = url($self->{target}, $database);

	chomp($bindir);
	$target = shift @options if @options && $options[0] =~ /\Apostgresql:/;
	return ($ENV{PORTAGE_BIN} // "$bindir/pg_portage", $command,
		'--source', url($self->{source}, $database),
		'--target', $target, '--quiet', @options);
}

sub portage
{
	my ($self, @arguments) = @_;
	return Bench::Server::run($self->portage_command(@arguments));
}

# Looks at processes while a run lasts.
sub processes
{
	my ($self) = @_;
	return Bench::Processes->new(map { $_ => $self->{$_} } qw(source target));
}

# ---- databases

sub create
{
	my ($self, $server, $database, $template) = @_;

	$self->drop($server, $database);
	$server->sql('postgres', "CREATE DATABASE $database"
		  . (defined $template ? " TEMPLATE $template" : ''));
	return;
}

# A subscription holds on to its database, and its slot stays on the source.
sub drop
{
	my ($self, $server, $database) = @_;

	return unless $server->sql('postgres',
		"SELECT count(*) FROM pg_database WHERE datname = '$database'");
	foreach my $name (split ' ', $server->sql($database, <<'SQL'))
SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database()
SQL
	{
		$server->sql($database, "ALTER SUBSCRIPTION $name DISABLE");
		$server->sql($database,
			"ALTER SUBSCRIPTION $name SET (slot_name = NONE)");
		$server->sql($database, "DROP SUBSCRIPTION $name");
	}
	$server->sql('postgres', "DROP DATABASE $database WITH (FORCE)");
	return;
}

# ---- slots

sub copy_slot
{
	my ($self, $database, $from, $to, $plugin) = @_;
	my $further = defined $plugin ? ", false, '$plugin'" : '';

	$self->drop_slot($to);
	$self->{source}->sql($database,
		"SELECT pg_copy_logical_replication_slot('$from', '$to'$further)");
	return;
}

# Who has just been told to let go of it may need a moment.
sub drop_slot
{
	my ($self, $slot) = @_;

	$self->wait_until($self->{source}, 'postgres',
		"NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot' AND active)");
	$self->{source}->sql('postgres', <<"SQL");
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_name = '$slot'
SQL
	return;
}

sub drop_slots
{
	my ($self, $database) = @_;
	my $slots = $self->{source}->sql('postgres',
		"SELECT slot_name FROM pg_replication_slots WHERE database = '$database'");

	$self->drop_slot($_) foreach split ' ', $slots;
	return;
}

# ---- contents

# One line for each table: its rows and the sum of their hashes, as text.
sub contents
{
	my ($class, $server, $database) = @_;
	my @tables = split ' ', $server->sql($database, <<'SQL');
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
SQL
	return join("\n", map {
		"$_ " . $server->sql($database,
			"SELECT count(*), sum(hashtextextended(r::text, 0)) FROM $_ r")
	} @tables);
}

# ---- waiting

# Asked over one connection, so that asking costs nobody much.
sub wait_until
{
	my ($self, $server, $database, $condition, $meanwhile) = @_;
	my $connection = Bench::Connection->to_server($server, $database);
	my $deadline = time() + PATIENCE_S;

	until (($connection->value("SELECT $condition") // '') eq 't')
	{
		croak("not within @{[PATIENCE_S]} s: $condition")
		  if time() > $deadline;
		$meanwhile->() if $meanwhile;
		sleep(POLL_S);
	}
	$connection->disconnect;
	return;
}

1;
