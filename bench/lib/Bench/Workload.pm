package Bench::Workload;

# What is written to the WAL that the contenders decode. Each workload has a
# database of its own, with the same name. The sizes without "full" are a
# quarter of those with it.

use strict;
use warnings;

use Carp;
use List::Util qw(max);

my %workloads = (
	w1 => {
		title => 'pgbench tpcb-like',
		size => [ 50_000, 200_000 ],
		unit => 'transactions',
		prepare => \&prepare_pgbench,
		write => \&write_pgbench,
		expect => sub { (I => $_[0], U => 3 * $_[0], D => 0) },
	},
	w2a => {
		title => 'inserts of 7 columns in one transaction',
		size => [ 500_000, 2_000_000 ],
		unit => 'rows',
		prepare => \&prepare_inserts,
		write => \&write_insert,
		expect => sub { (I => $_[0], U => 0, D => 0) },
	},
	w2b => {
		title => 'inserts of 7 columns, 1000 rows a transaction',
		size => [ 500_000, 2_000_000 ],
		unit => 'rows',
		prepare => \&prepare_inserts,
		write => \&write_inserts,
		expect => sub { (I => $_[0], U => 0, D => 0) },
	},
	w3d => {
		title => 'updates of 3 of 27 columns, 1000 rows a transaction',
		size => [ 125_000, 500_000 ],
		unit => 'rows',
		prepare => \&prepare_updates,
		write => \&write_updates,
		expect => sub { (I => 0, U => $_[0], D => 0) },
	},
	w3f => {
		title => 'the same with replica identity full',
		size => [ 125_000, 500_000 ],
		unit => 'rows',
		prepare => \&prepare_full_updates,
		write => \&write_updates,
		expect => sub { (I => 0, U => $_[0], D => 0) },
	});

sub names
{
	return sort keys %workloads;
}

# %options: full => 1, size => of one's own, as => another name and database
sub new
{
	my ($class, $name, %options) = @_;
	my $self = { %{ $workloads{$name} // croak("no workload \"$name\"") } };

	$self->{name} = $name;
	$self->{size} = $options{size} // $self->{size}[ $options{full} ? 1 : 0 ];
	# Batches are of 1000 rows, clients of pgbench are 8.
	my $step = $name eq 'w1' ? 8 : 1000;
	$self->{size} = max($step, $self->{size} - $self->{size} % $step);
	$self->{name} = $options{as} if defined $options{as};
	return bless $self, $class;
}

sub name
{
	my ($self) = @_;
	return $self->{name};
}

# How many inserts, updates and deletes there must be.
sub expected
{
	my ($self) = @_;
	return { $self->{expect}->($self->{size}) };
}

sub changes
{
	my ($self) = @_;
	my $expected = $self->expected;
	return $expected->{I} + $expected->{U} + $expected->{D};
}

sub description
{
	my ($self) = @_;
	return sprintf('%s: %s, %d %s', @$self{qw(name title size unit)});
}

# Create the database with what must be there before the slot is.
sub prepare
{
	my ($self, $server) = @_;

	$server->sql('postgres', "CREATE DATABASE $self->{name}");
	$self->{prepare}->($self, $server);
	$server->sql($self->{name}, 'VACUUM ANALYZE');
	return;
}

# Write the backlog. It ends with a message of ours in a transaction, behind
# which nothing of it may be held back. Returns where it ends.
sub write
{
	my ($self, $server) = @_;
	my $database = $self->{name};

	$server->sql($database, 'CHECKPOINT');
	my $start = $server->sql($database, 'SELECT pg_current_wal_insert_lsn()');
	$self->{write}->($self, $server);
	$server->sql($database,
		"SELECT pg_logical_emit_message(true, 'portage.bench', 'end')");
	my $end = $server->sql($database, 'SELECT pg_current_wal_flush_lsn()');
	$self->{wal_bytes} =
	  $server->sql($database, "SELECT '$end'::pg_lsn - '$start'::pg_lsn");
	# The disk and the checkpointer have nothing left to do while it is read.
	$server->sql($database, 'CHECKPOINT');
	$server->sql($database, 'CHECKPOINT');
	return $end;
}

sub prepare_pgbench
{
	my ($self, $server) = @_;
	my $scale = max(1, int($self->{size} / 4000 + 0.5));

	Bench::Server::run('pgbench', '--initialize', '--quiet', '--scale', $scale,
		$server->address, $self->{name});
	return;
}

sub write_pgbench
{
	my ($self, $server) = @_;

	Bench::Server::run('pgbench', '--no-vacuum', '--client=8', '--jobs=2',
		'--protocol=prepared', '--transactions', $self->{size} / 8,
		$server->address, $self->{name});
	my $rows =
	  $server->sql($self->{name}, 'SELECT count(*) FROM pgbench_history');
	croak("pgbench wrote $rows transactions, not $self->{size}")
	  if $rows != $self->{size};
	return;
}

sub prepare_inserts
{
	my ($self, $server) = @_;

	$server->sql($self->{name}, <<'SQL');
CREATE TABLE events (
	id bigint PRIMARY KEY,
	kind int NOT NULL,
	note text,
	at timestamptz NOT NULL,
	amount numeric(12, 2),
	done bool NOT NULL,
	detail jsonb)
SQL
	return;
}

# The rows that lie between two numbers.
sub insert_between
{
	my ($first, $last) = @_;
	return <<"SQL";
INSERT INTO events
SELECT id, (id % 97)::int, left(repeat(md5(id::text), 2), 60),
	timestamptz '2024-01-01 00:00+00' + id * interval '1.037 s',
	(id % 1000003)::numeric / 100, id % 3 = 0,
	jsonb_build_object('id', id, 'tag', 'tag' || id % 13)
FROM generate_series($first, $last) AS id;
SQL
}

sub write_insert
{
	my ($self, $server) = @_;

	$server->sql($self->{name}, insert_between('1::bigint', $self->{size}));
	return;
}

sub write_inserts
{
	my ($self, $server) = @_;
	my $batches = $self->{size} / 1000;

	$server->sql($self->{name}, <<"SQL");
DO \$\$
BEGIN
	FOR batch IN 0 .. $batches - 1 LOOP
		@{[insert_between('batch * 1000 + 1::bigint', '(batch + 1) * 1000')]}
		COMMIT;
	END LOOP;
END
\$\$
SQL
	return;
}

# 27 columns of about 700 bytes in all. Columns 2 to 4 are updated.
sub prepare_updates
{
	my ($self, $server) = @_;
	my (@columns, @values);

	foreach my $i (1 .. 8)
	{
		push @columns, "t$i text", "n$i int", "v$i numeric(12, 2)";
		push @values, "left(repeat(md5((id + $i)::text), 3), 70)", "id % 1000",
		  "(id + $i)::numeric / 100";
	}
	my $columns = join(', ', @columns);
	my $values = join(', ', @values);
	$server->sql($self->{name}, <<"SQL");
CREATE TABLE wide (
	id bigint PRIMARY KEY, $columns,
	changed timestamptz, active bool) WITH (fillfactor = 90);
INSERT INTO wide
SELECT id, $values, timestamptz '2024-01-01 00:00+00', id % 2 = 0
FROM generate_series(1::bigint, $self->{size}) AS id;
SQL
	return;
}

sub prepare_full_updates
{
	my ($self, $server) = @_;

	$self->prepare_updates($server);
	$server->sql($self->{name}, 'ALTER TABLE wide REPLICA IDENTITY FULL');
	return;
}

sub write_updates
{
	my ($self, $server) = @_;
	my $batches = $self->{size} / 1000;

	$server->sql($self->{name}, <<"SQL");
DO \$\$
BEGIN
	FOR batch IN 0 .. $batches - 1 LOOP
		UPDATE wide SET n1 = n1 + 1, v1 = v1 + 1.5,
			changed = changed + interval '3.7 s'
		WHERE id BETWEEN batch * 1000 + 1 AND (batch + 1) * 1000;
		COMMIT;
	END LOOP;
END
\$\$
SQL
	return;
}

1;
