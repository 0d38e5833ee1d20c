package Bench::Copy;

# A whole database with its indexes, from an empty one to all rows, by
# pg_portage and by what else could do it, each with the same number of jobs.

use strict;
use warnings;

use Carp;
use File::Path ();
use Time::HiRes qw(time);

use Bench::Pair;
use Bench::Server;

use constant DATABASE => 'copied';

my %contenders = (
	portage => { title => 'pg_portage', run => \&copy_portage },
	pg_dump => { title => 'pg_dump, pg_restore', run => \&copy_dump },
	pgcopydb => { title => 'pgcopydb clone', run => \&copy_pgcopydb },
	pipes => { title => 'COPY to COPY, then indexes', run => \&copy_pipes },
	native => { title => 'native subscription', run => \&copy_native });

# pair; scale, rows, jobs.
sub new
{
	my ($class, %self) = @_;
	return bless {%self}, $class;
}

sub title
{
	my ($self, $name) = @_;
	return $contenders{$name}{title};
}

sub description
{
	my ($self) = @_;
	return sprintf('pgbench -s %d and %d rows%s, %d jobs',
		@$self{qw(scale rows)},
		$self->{megabytes}
		? sprintf(', %.0f MB with indexes', $self->{megabytes})
		: '',
		$self->{jobs});
}

sub amount
{
	my ($self) = @_;
	return ($self->{megabytes}, 'MB');
}

sub has_pgcopydb
{
	return grep { -x "$_/pgcopydb" } split(/:/, $ENV{PATH});
}

sub prepare
{
	my ($self) = @_;
	my $source = $self->{pair}->source;

	$self->{pair}->create($source, DATABASE);
	Bench::Server::run('pgbench', '--initialize', '--quiet', '--scale',
		$self->{scale}, $source->address, DATABASE);
	$source->sql(DATABASE, <<"SQL");
CREATE TABLE events (id bigint, kind int, note text, at timestamptz,
	price numeric, done bool, more jsonb);
INSERT INTO events SELECT i, i % 97, repeat(md5(i::text), 2)::varchar(60),
	'2020-01-01'::timestamptz + i * interval '7 s', (i * 7 % 100000) / 100.0,
	i % 3 = 0, jsonb_build_object('n', i, 'w', md5(i::text))
FROM generate_series(1, $self->{rows}) i;
ALTER TABLE events ADD PRIMARY KEY (id);
CREATE INDEX ON events (at);
CREATE INDEX ON events (kind, price);
CREATE PUBLICATION bench FOR ALL TABLES
SQL
	$source->sql(DATABASE, 'VACUUM ANALYZE');
	$source->sql(DATABASE, 'CHECKPOINT');
	$self->{expected} = $self->{pair}->contents($source, DATABASE);
	$self->{megabytes} =
	  $source->sql(DATABASE, 'SELECT pg_database_size(current_database())') / 1e6;
	return {};
}

sub run
{
	my ($self, $name) = @_;
	my ($pair, $target) = ($self->{pair}, $self->{pair}->target);
	my $contender = $contenders{$name} // croak("no contender \"$name\"");

	$pair->create($target, DATABASE);
	$target->sql(DATABASE, 'CHECKPOINT');
	my $processes = $pair->processes;
	my $started = time();
	$contender->{run}->($self, $processes);
	my $run = { wall => time() - $started, usage => $processes->result };
	my $found = $pair->contents($target, DATABASE);
	$run->{wrong} = "found:\n$found\nexpected:\n$self->{expected}"
	  if $found ne $self->{expected} || !$self->has_indexes;
	return $run;
}

# As many indexes as the source has.
sub has_indexes
{
	my ($self) = @_;
	my ($source, $target) = map {
		$_->sql(DATABASE,
			"SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'")
	} $self->{pair}->source, $self->{pair}->target;

	return $source == $target;
}

sub finish
{
	my ($self) = @_;
	my $pair = $self->{pair};

	$pair->drop($_, DATABASE) foreach $pair->target, $pair->source;
	return;
}

sub copy_portage
{
	my ($self, $processes) = @_;

	$processes->watch($self->{pair}->folder . '/portage.log',
		$self->{pair}->portage_command(
			DATABASE, 'run', '--copy-only', '--jobs', $self->{jobs}));
	return;
}

sub copy_dump
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $dump = $pair->folder . '/dump';

	Bench::Server::run('pg_dump', '--format=directory', '--compress=0',
		'--no-sync', '--no-publications', '--jobs', $self->{jobs},
		'--file', $dump, $pair->source->address, DATABASE);
	$self->restore($dump);
	File::Path::remove_tree($dump);
	return;
}

sub restore
{
	my ($self, $dump, @options) = @_;

	Bench::Server::run('pg_restore', '--jobs', $self->{jobs}, '--dbname',
		DATABASE, @options, $self->{pair}->target->address, $dump);
	return;
}

sub copy_pgcopydb
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $folder = $pair->folder . '/pgcopydb';

	Bench::Server::run('pgcopydb', 'clone',
		'--source', Bench::Pair::url($pair->source, DATABASE),
		'--target', Bench::Pair::url($pair->target, DATABASE),
		'--table-jobs', $self->{jobs}, '--index-jobs', $self->{jobs},
		'--dir', $folder);
	File::Path::remove_tree($folder);
	return;
}

# The biggest table first, as many at a time as there are jobs.
sub copy_pipes
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my ($from, $to) =
	  map { join(' ', $_->address) . ' ' . DATABASE } $pair->source, $pair->target;
	my $schema = $self->dump_schema;
	my $tables = $pair->source->sql(DATABASE, <<'SQL');
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
ORDER BY pg_relation_size(oid) DESC
SQL

	$self->restore($schema, '--section=pre-data');
	Bench::Server::run('sh', '-c', 'printf "%s\n" $1 | xargs -P "$2" -I TABLE sh -c "'
		  . "psql -X -q -c 'COPY TABLE TO STDOUT' $from"
		  . " | psql -X -q -v ON_ERROR_STOP=1 -c 'COPY TABLE FROM STDIN' $to\"",
		'sh', $tables, $self->{jobs});
	$self->restore($schema, '--section=post-data');
	unlink($schema);
	return;
}

sub dump_schema
{
	my ($self) = @_;
	my $file = $self->{pair}->folder . '/schema';

	Bench::Server::run('pg_dump', '--format=custom', '--schema-only',
		'--no-publications', '--file', $file, $self->{pair}->source->address,
		DATABASE);
	return $file;
}

sub copy_native
{
	my ($self) = @_;
	my $pair = $self->{pair};
	my $schema = $self->dump_schema;
	my $from = 'host=' . $pair->source->folder . ' dbname=' . DATABASE;

	$self->restore($schema);
	unlink($schema);
	$pair->target->sql(DATABASE,
		"CREATE SUBSCRIPTION bench CONNECTION '$from' PUBLICATION bench");
	$pair->wait_until($pair->target, DATABASE,
		"count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel");
	$pair->target->sql(DATABASE, 'DROP SUBSCRIPTION bench');
	return;
}

1;
