package Bench::Rules;

# What rules cost: the same rows brought over without a configuration, with a rule
# that leaves every table as it is, and with one that filters and computes; as a
# backlog behind a slot, or as a copy.

use strict;
use warnings;

use Carp;
use JSON::PP ();
use Time::HiRes qw(time);

use Bench::Pair;
use Bench::Server;
use Bench::Verdict qw(why_void);

# What the target has to hold, of the source's table.
my %contenders = (
	portage_plain => {
		title => 'no configuration',
		rows => 'SELECT * FROM events'
	},
	portage_identity => {
		title => 'identity rule',
		rules => <<'YAML',
  - table: "*.*"
YAML
		rows => 'SELECT * FROM events'
	},
	portage_rules => {
		title => 'filter, two computed columns',
		rules => <<'YAML',
  - table: public.events
    where: "kind <> 13"
    columns:
      label: { expr: "note || ' #' || kind", type: text }
      gross: { expr: "dec_mul(amount, '1.19')", type: "numeric(16,4)" }
YAML
		rows => q{SELECT *, note || ' #' || kind, (amount * 1.19)::numeric(16,4)}
		  . ' FROM events WHERE kind <> 13'
	});

# pair; workload: Bench::Workload, of table events; what: "stream" or "copy".
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

# The source with its rows; for the stream, behind a slot for each contender, and
# a target as it is before.
sub prepare
{
	my ($self, @names) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my ($source, $target) = ($pair->source, $pair->target);

	$self->{workload}->prepare($source);
	# what a filter of more than the key asks for
	$source->sql($database, 'ALTER TABLE events REPLICA IDENTITY FULL');
	foreach my $name (@names)
	{
		$self->configure($name) if defined $contenders{$name}{rules};
		next if $self->{what} eq 'copy';
		$pair->create($target, $database);
		Bench::Server::run($self->command($name, '--until', 'caught-up'));
		$pair->create($target, "${database}_$name", $database);
		$pair->copy_slot($database, "portage_$name", "kept_$name");
	}
	$self->{workload}->write($source);
	$source->sql($database, 'VACUUM ANALYZE');
	$self->{expected}{$_} = contents($source, $database, "($contenders{$_}{rows})")
	  foreach @names;
	return {};
}

sub configure
{
	my ($self, $name) = @_;
	my ($source, $target) =
	  map { Bench::Pair::url($_, $self->{database}) } $self->{pair}->source,
	  $self->{pair}->target;
	my $path = $self->config($name);

	open(my $file, '>', $path) || croak("$path: $!");
	print $file <<"YAML" . $contenders{$name}{rules};
name: $name
source: "$source"
target: "$target"
rules:
YAML
	close($file) || croak("$path: $!");
	return;
}

sub config
{
	my ($self, $name) = @_;
	return $self->{pair}->folder . "/$name.yaml";
}

sub command
{
	my ($self, $name, @options) = @_;
	my @command = $self->{pair}->portage_command($self->{database}, 'run', @options);

	return (@command, '--name', $name) unless defined $contenders{$name}{rules};
	my ($program, $run, @rest) = @command;
	# the URLs are in the file
	return ($program, $run, '--config', $self->config($name), @rest[ 4 .. $#rest ]);
}

sub run
{
	my ($self, $name) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $contender = $contenders{$name} // croak("no contender \"$name\"");
	my $stream = $self->{what} eq 'stream';

	$pair->create($pair->target, $database, $stream ? "${database}_$name" : ());
	$pair->target->sql($database, 'CHECKPOINT');
	$pair->copy_slot($database, "kept_$name", "portage_$name") if $stream;
	my $before = $stream ? $self->counts : undef;
	my $processes = $pair->processes;
	my $started = time();
	$processes->watch($pair->folder . '/portage.log',
		$self->command($name, $stream ? ('--until', 'caught-up') : '--copy-only'));
	my %run = (wall => time() - $started, usage => $processes->result);

	if ($stream)
	{
		$run{counts} = $self->counts;
		my $void = why_void($before, $run{counts});
		$run{void} = $void if defined $void;
	}
	my $found = contents($pair->target, $database, 'events');
	$run{wrong} = "found $found, expected $self->{expected}{$name}"
	  if $found ne $self->{expected}{$name};
	return \%run;
}

# Rows, and the sum of their hashes.
sub contents
{
	my ($server, $database, $rows) = @_;
	return $server->sql($database,
		"SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)) FROM $rows AS r");
}

sub counts
{
	my ($self) = @_;
	my $json = $self->{pair}->target->sql($self->{database},
		'SELECT to_jsonb(p) FROM portage.progress p');
	my %row = %{ JSON::PP::decode_json($json) };

	return { map { $_ => $row{$_} } Bench::Verdict::COUNTS };
}

sub finish
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};

	$pair->drop($pair->target, $_)
	  foreach $database, map { "${database}_$_" } keys %contenders;
	$pair->drop_slots($database);
	$pair->drop($pair->source, $database);
	return;
}

1;
