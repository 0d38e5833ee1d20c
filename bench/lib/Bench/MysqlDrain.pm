package Bench::MysqlDrain;

# A backlog behind a slot, and who brings it to MariaDB: pg_portage, or a
# statement for each row in a transaction for each transaction.

use strict;
use warnings;

use Carp;
use Time::HiRes qw(time);

use Bench::MysqlContents;
use Bench::MysqlSink;
use Bench::Verdict qw(why_void);

use constant {
	TABLES => 'public.*',
	KEPT => 'kept',
	# Of the sink, in transactions/s on pgbench's: below that the machine is at
	# fault, and no ratio means anything.
	LEAST_RATE => 1300,
};

my %contenders = (
	row_sink => { title => 'a statement per row', run => \&run_sink },
	portage1 => { title => 'pg_portage', run => \&run_portage, writers => 1 },
	portage2 => {
		title => 'pg_portage, 2 writers',
		run => \&run_portage,
		writers => 2
	});

# pair, its target a Bench::MysqlServer; workload: Bench::Workload.
sub new
{
	my ($class, %self) = @_;
	return bless { %self, database => $self{workload}->name }, $class;
}

sub title
{
	my ($self, $name) = @_;
	return $contenders{$name}{title};
}

sub description
{
	my ($self) = @_;
	return $self->{workload}->description;
}

sub amount
{
	my ($self) = @_;
	return ($self->{workload}{size}, $self->{workload}{unit});
}

# The source with its backlog, its changes in a file for the sink, and a target
# as it is before.
sub prepare
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $source = $pair->source;

	$self->{workload}->prepare($source);
	$pair->target->create($database);
	$pair->portage($database, 'run', '--tables', TABLES, '--until', 'caught-up');
	$self->{slot} =
	  $pair->target->sql($database, 'SELECT slot FROM portage_progress');
	$pair->copy_slot($database, $self->{slot}, KEPT);
	$pair->target->keep;
	$self->{end} = $self->{workload}->write($source);
	$self->{expected} = Bench::MysqlContents::expected($source, $database);
	$self->{file} = $pair->folder . "/$database.changes";
	Bench::MysqlSink->write_file($pair, $database, KEPT, @$self{qw(end file)});
	return {};
}

# One run. { wall, usage, void: why it does not count, wrong: what is not right }
sub run
{
	my ($self, $name) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $contender = $contenders{$name} // croak("no contender \"$name\"");

	$pair->target->restore;
	# Reading all rows brings them into memory.
	$self->contents;
	my $run = $contender->{run}->($self, $contender);
	my $found = $self->contents;
	$run->{wrong} = "found:\n$found\nexpected:\n$self->{expected}"
	  if $found ne $self->{expected};
	return $run;
}

sub contents
{
	my ($self) = @_;
	my $pair = $self->{pair};
	return Bench::MysqlContents::found($pair->source, $self->{database},
		$pair->target);
}

# Its own clock: neither its start nor reading the file counts.
sub run_sink
{
	my ($self) = @_;
	my ($pair, $database, $workload) = @$self{qw(pair database workload)};
	my $processes = $pair->processes;
	my $done =
	  Bench::MysqlSink->replay($pair, $database, $self->{file});
	my $rate = $done->{transactions} / $done->{seconds};
	$processes->look;
	my %run = (wall => $done->{seconds}, usage => $processes->result,
		says => sprintf('%.0f transactions/s, %.0f rows/s',
			$rate, $done->{rows} / $done->{seconds}));

	croak("$done->{rows} rows in the file, not @{[ $workload->changes ]}")
	  if $done->{rows} != $workload->changes;
	$run{void} = sprintf('only %.0f transactions/s', $rate)
	  if $workload->{unit} eq 'transactions' && $rate < LEAST_RATE;
	return \%run;
}

sub run_portage
{
	my ($self, $contender) = @_;
	my ($pair, $database, $slot) = @$self{qw(pair database slot)};

	$pair->copy_slot($database, KEPT, $slot);
	my @command = $pair->portage_command(
		$database, 'run', '--tables', TABLES,
		'--writers', $contender->{writers}, '--until', 'caught-up');
	my $before = $self->counts;
	my $processes = $pair->processes;
	my $started = time();
	$processes->watch($pair->folder . '/portage.log', @command);
	my $wall = time() - $started;
	my $after = $self->counts;
	my $void = why_void($before, $after);
	return {
		wall => $wall,
		usage => $processes->result,
		counts => $after,
		defined $void ? (void => $void) : ()
	};
}

# What portage_progress says about how rows were applied.
sub counts
{
	my ($self) = @_;
	my @columns = Bench::Verdict::COUNTS;
	my $row = $self->{pair}->target->sql($self->{database},
		'SELECT ' . join(', ', @columns) . ' FROM portage_progress');
	my %counts;

	@counts{@columns} = split(/\t/, $row);
	return \%counts;
}

sub finish
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};

	unlink($self->{file}) if defined $self->{file};
	$pair->target->sql(undef, "DROP DATABASE IF EXISTS $database");
	$pair->drop_slots($database);
	return;
}

1;
