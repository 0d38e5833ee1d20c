package Bench::Migration;

# Two servers, and the ways to bring what is on one to the other: pg_portage,
# a native subscription, pg_dump with pg_restore, and COPY to COPY.

use strict;
use warnings;

use Carp;
use File::Path ();
use Time::HiRes ();

use Bench::Server;

use constant {
	POLL_S => 0.02,
	PATIENCE_S => 1800,
};

my %contenders = (
	copy => {
		'pg_portage' => \&copy_portage,
		'pg_dump, pg_restore' => \&copy_dump,
		'COPY to COPY' => \&copy_psql,
		'subscription' => \&copy_subscription,
	},
	drain => {
		'pg_portage' => \&drain_portage,
		'subscription' => \&drain_subscription,
	});

# What both sides must agree in, for each table.
my %sums = (
	pgbench_accounts => 'sum(hashint4extended(aid, abalance))',
	pgbench_branches => 'sum(hashint4extended(bid, bbalance))',
	pgbench_tellers => 'sum(hashint4extended(tid, tbalance))',
	pgbench_history => 'sum(hashtextextended(h::text, 0))',
	events => 'sum(hashtextextended(h::text, 0))');

# source, target: Bench::Server; folder; scale, rows, backlog, jobs.
sub new
{
	my ($class, %self) = @_;
	my $self = bless {%self}, $class;

	$self->{source_url} = url($self->{source});
	$self->{target_url} = url($self->{target});
	return $self;
}

sub contenders
{
	my ($part) = @_;
	return sort keys %{ $contenders{$part} };
}

sub url
{
	my ($server) = @_;
	my $host = $server->folder;

	$host =~ s/([^A-Za-z0-9])/sprintf('%%%02X', ord($1))/ge;
	return "postgresql://$host/bench";
}

sub version
{
	my ($self) = @_;
	return $self->{source}->sql('postgres', 'SHOW server_version');
}

# The source's database; says what it is.
sub prepare
{
	my ($self, $part) = @_;
	my $source = $self->{source};

	$source->sql('postgres', 'DROP DATABASE IF EXISTS bench');
	$source->sql('postgres', 'CREATE DATABASE bench');
	Bench::Server::run('pgbench', '--initialize', '--quiet', '--scale',
		$self->{scale}, $source->address, 'bench');
	# a row of the history can be found only by a key
	$source->sql('bench',
		'ALTER TABLE pgbench_history ADD COLUMN id bigserial PRIMARY KEY');
	$part eq 'copy' ? $self->prepare_events : $self->prepare_backlog;
	$source->sql('bench', 'VACUUM ANALYZE');
	$source->sql('bench', 'CHECKPOINT');
	$self->{expected} = $self->contents($source);
	$self->{megabytes} =
	  $source->sql('bench', 'SELECT pg_database_size(current_database())') /
	  1e6;
	return $part eq 'copy'
	  ? sprintf('initial copy: pgbench -s %d and %d rows, %.0f MB with indexes, %d jobs',
		$self->{scale}, $self->{rows}, $self->{megabytes}, $self->{jobs})
	  : sprintf('drain of a backlog: %d transactions of pgbench -s %d',
		$self->{backlog}, $self->{scale});
}

sub prepare_events
{
	my ($self) = @_;

	$self->{source}->sql('bench', <<"SQL");
CREATE TABLE events (id bigint, kind int, note text, at timestamptz,
	price numeric, done bool, more jsonb);
INSERT INTO events SELECT i, i % 97, repeat(md5(i::text), 2)::varchar(60),
	'2020-01-01'::timestamptz + i * interval '7 s', (i * 7 % 100000) / 100.0,
	i % 3 = 0, jsonb_build_object('n', i, 'w', md5(i::text))
FROM generate_series(1, $self->{rows}) i;
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE INDEX ON events (at);
CREATE INDEX ON events (kind, price);
SQL
	return;
}

# A copy of the database as it is before the backlog, from which every run's
# target is made; then the backlog, which every contender reads by a slot.
sub prepare_backlog
{
	my ($self) = @_;
	my ($source, $target) = @$self{qw(source target)};
	my $folder = $self->{folder};

	drop_bench($target);
	$target->sql('postgres', 'CREATE DATABASE bench');
	$source->sql('bench', 'CREATE PUBLICATION bench FOR ALL TABLES');
	$self->portage('run', '--until', 'caught-up');
	$target->sql('postgres', 'DROP DATABASE IF EXISTS template_portage');
	$target->sql('postgres', 'CREATE DATABASE template_portage TEMPLATE bench');
	$source->sql('bench', "SELECT pg_create_logical_replication_slot('base', 'pgoutput')");
	$source->sql('bench', 'CHECKPOINT');
	Bench::Server::run('pgbench', '--no-vacuum', '--client', 8, '--jobs', 2,
		'--transactions', int($self->{backlog} / 8), $source->address, 'bench');
	$self->{end} = $source->sql('bench', 'SELECT pg_current_wal_flush_lsn()');
	return;
}

# Before the clock runs: a target as each part needs it.
sub reset
{
	my ($self, $part, $name) = @_;
	my ($source, $target) = @$self{qw(source target)};

	drop_bench($target);
	if ($part eq 'copy')
	{
		$target->sql('postgres', 'CREATE DATABASE bench');
		$source->sql('bench',
			'DROP PUBLICATION IF EXISTS bench; CREATE PUBLICATION bench FOR ALL TABLES')
		  if $name eq 'subscription';
	}
	else
	{
		$target->sql('postgres', 'CREATE DATABASE bench TEMPLATE template_portage');
		drop_slot($source, $_) foreach 'native', 'portage_kept';
		$source->sql('bench',
			"SELECT pg_copy_logical_replication_slot('base', 'native')")
		  if $name eq 'subscription';
		$self->keep_slot if $name ne 'subscription';
		$target->sql('bench', <<"SQL") if $name eq 'subscription';
CREATE SUBSCRIPTION bench CONNECTION 'host=@{[$source->folder]} dbname=bench'
PUBLICATION bench WITH (create_slot = false, slot_name = 'native', copy_data = false, enabled = false)
SQL
	}
	$target->sql('bench', 'CHECKPOINT');
	return;
}

# A run moves the slot on: the next one needs it where it was.
sub keep_slot
{
	my ($self) = @_;
	my $source = $self->{source};

	if ($self->{kept})
	{
		drop_slot($source, 'portage_bench');
		$source->sql('bench',
			"SELECT pg_copy_logical_replication_slot('kept', 'portage_bench')");
		return;
	}
	$source->sql('bench',
		"SELECT pg_copy_logical_replication_slot('portage_bench', 'kept')");
	$self->{kept} = 1;
	return;
}

sub drop_slot
{
	my ($server, $slot) = @_;

	$server->sql('bench', <<"SQL");
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
WHERE slot_name = '$slot' AND NOT active
SQL
	return;
}

sub drop_bench
{
	my ($server) = @_;
	my $there = $server->sql('postgres',
		"SELECT count(*) FROM pg_database WHERE datname = 'bench'");

	return unless $there;
	my $subscribed = $server->sql('bench', 'SELECT count(*) FROM pg_subscription');
	if ($subscribed)
	{
		$server->sql('bench', 'ALTER SUBSCRIPTION bench DISABLE');
		$server->sql('bench', 'ALTER SUBSCRIPTION bench SET (slot_name = NONE)');
		$server->sql('bench', 'DROP SUBSCRIPTION bench');
	}
	$server->sql('postgres', 'DROP DATABASE bench WITH (FORCE)');
	return;
}

sub run
{
	my ($self, $part, $name) = @_;
	return $contenders{$part}{$name}->($self);
}

sub amount
{
	my ($self, $part) = @_;
	return $part eq 'copy'
	  ? ('MB', $self->{megabytes})
	  : ('transactions', $self->{backlog});
}

# Counts and sums of every table.
sub contents
{
	my ($self, $server) = @_;
	my @there = split ' ', $server->sql('bench', <<'SQL');
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
SQL
	return join("\n", map {
		"$_ " . $server->sql('bench', "SELECT count(*), $sums{$_} FROM $_ h")
	} @there);
}

sub is_right
{
	my ($self, $part, $name) = @_;
	my $found = $self->contents($self->{target});

	return 1 if $found eq $self->{expected};
	print "WRONG $part, $name:\n$found\nexpected:\n$self->{expected}\n";
	return 0;
}

sub wait_until
{
	my ($server, $condition) = @_;
	my $deadline = Time::HiRes::time() + PATIENCE_S;

	until ($server->sql('bench', "SELECT $condition") eq 't')
	{
		croak("not within @{[PATIENCE_S]} s: $condition")
		  if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep(POLL_S);
	}
	return;
}

# ---- the contenders

sub portage
{
	my ($self, $command, @options) = @_;
	my $bindir = Bench::Server::run($ENV{PG_CONFIG} // 'pg_config', '--bindir');

	chomp($bindir);
	Bench::Server::run($ENV{PORTAGE_BIN} // "$bindir/pg_portage",
		$command, '--source', $self->{source_url},
		'--target', $self->{target_url}, '--quiet', @options);
	return;
}

sub copy_portage
{
	my ($self) = @_;
	return $self->portage('run', '--copy-only', '--jobs', $self->{jobs});
}

sub copy_dump
{
	my ($self) = @_;
	my $dump = "$self->{folder}/dump";

	Bench::Server::run('pg_dump', '--format=directory', '--compress=0',
		'--no-sync', '--jobs', $self->{jobs}, '--file', $dump,
		$self->{source}->address, 'bench');
	Bench::Server::run('pg_restore', '--jobs', $self->{jobs}, '--dbname',
		'bench', $self->{target}->address, $dump);
	File::Path::remove_tree($dump);
	return;
}

sub schema
{
	my ($self, $section) = @_;
	my ($source, $target) =
	  map { join(' ', $self->{$_}->address) } qw(source target);

	Bench::Server::run('sh', '-c', "pg_dump --section=$section $source bench"
		  . " | psql -X -q -v ON_ERROR_STOP=1 $target bench >/dev/null");
	return;
}

sub copy_psql
{
	my ($self) = @_;
	my ($source, $target) =
	  map { join(' ', $self->{$_}->address) } qw(source target);

	$self->schema('pre-data');
	foreach my $table (sort keys %sums)
	{
		Bench::Server::run('sh', '-c',
			    "psql -X -q -c 'COPY $table TO STDOUT' $source bench"
			  . " | psql -X -q -v ON_ERROR_STOP=1 -c 'COPY $table FROM STDIN' $target bench");
	}
	$self->schema('post-data');
	return;
}

sub copy_subscription
{
	my ($self) = @_;
	my $target = $self->{target};

	$self->schema('pre-data');
	$self->schema('post-data');
	$target->sql('bench', "CREATE SUBSCRIPTION bench CONNECTION"
		  . " 'host=@{[$self->{source}->folder]} dbname=bench' PUBLICATION bench");
	wait_until($target,
		"count(*) FILTER (WHERE srsubstate <> 'r') = 0 FROM pg_subscription_rel");
	$target->sql('bench', 'DROP SUBSCRIPTION bench');
	return;
}

sub drain_portage
{
	my ($self) = @_;
	return $self->portage('run', '--until', $self->{end});
}

sub drain_subscription
{
	my ($self) = @_;

	$self->{target}->sql('bench', 'ALTER SUBSCRIPTION bench ENABLE');
	wait_until($self->{source}, "confirmed_flush_lsn >= '$self->{end}'"
		  . " FROM pg_replication_slots WHERE slot_name = 'native'");
	return;
}

1;
