package Bench::Drain;

# A backlog behind a slot, and who brings it to a target: from starting the
# applier or enabling the subscription until the source knows that all of it is
# there.

use strict;
use warnings;

use Carp;
use JSON::PP ();
use Time::HiRes qw(time);

use Bench::Pair;
use Bench::Pglogical;
use Bench::Proxy;
use Bench::Server;
use Bench::Verdict qw(why_void);

use constant {
	TABLES => 'public.*',
	KEPT => 'kept',
	BASE => 'base',
	NATIVE => 'native',
};

# Those of pg_portage differ in options, and in how far away the target is.
my %contenders = (
	native => { title => 'native subscription', run => \&run_native },
	pglogical => { title => 'pglogical', run => \&run_pglogical },
	portage1 => { title => 'pg_portage', run => \&run_portage, writers => 1 },
	portage2 => {
		title => 'pg_portage, 2 writers',
		run => \&run_portage,
		writers => 2
	},
	near => { title => 'near', run => \&run_portage, writers => 1 },
	proxy => {
		title => 'behind the proxy, no delay',
		run => \&run_portage,
		writers => 1,
		delay => 0
	},
	far => { title => 'far', run => \&run_portage, writers => 1, delay => 5 });

# pair; workload: Bench::Workload; delay: ms each way for those that are far.
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

# Transactions or rows, for the rate.
sub amount
{
	my ($self) = @_;
	return ($self->{workload}{size}, $self->{workload}{unit});
}

# The source with its backlog, a target as it is before, and slots. Returns
# those of @names that cannot take part: { name => why }.
sub prepare
{
	my ($self, @names) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my ($source, $target) = ($pair->source, $pair->target);
	my %refused;

	$self->{workload}->prepare($source);
	$self->publish;
	$pair->create($target, $database);
	$pair->portage($database, 'run', '--tables', TABLES, '--until', 'caught-up');
	$pair->create($target, "${database}_template", $database);
	$self->{slot} = $target->sql($database, 'SELECT slot FROM portage.progress');
	if (grep { $_ eq 'pglogical' } @names)
	{
		$self->{pglogical} =
		  Bench::Pglogical->new(pair => $pair, database => $database);
		my $why = $self->{pglogical}->prepare;
		$refused{pglogical} = $why if defined $why;
	}
	$pair->copy_slot($database, $self->{slot}, KEPT);
	$source->sql($database,
		"SELECT pg_create_logical_replication_slot('@{[BASE]}', 'pgoutput')");
	$self->{end} = $self->{workload}->write($source);
	$self->{expected} = $pair->contents($source, $database);
	return \%refused;
}

sub publish
{
	my ($self) = @_;

	$self->{pair}->source->sql($self->{database}, <<'SQL');
DO $$
BEGIN
	EXECUTE (SELECT 'CREATE PUBLICATION bench FOR TABLE '
		|| string_agg(oid::regclass::text, ', ')
		FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace);
END
$$
SQL
	return;
}

# One run. { wall, usage, void: why it does not count, wrong: what is not right }
sub run
{
	my ($self, $name) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $contender = $contenders{$name} // croak("no contender \"$name\"");

	if ($name ne 'pglogical')
	{
		$pair->create($pair->target, $database, "${database}_template");
		$pair->target->sql($database, 'CHECKPOINT');
	}
	my $run = $contender->{run}->($self, $contender);
	my $server =
	  $name eq 'pglogical' ? $self->{pglogical}->server : $pair->target;
	my $found = $pair->contents($server, $database);
	$run->{wrong} = "found:\n$found\nexpected:\n$self->{expected}"
	  if $found ne $self->{expected};
	$self->{pglogical}->halt if $name eq 'pglogical';
	return $run;
}

sub run_native
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $from = 'host=' . $pair->source->folder . " dbname=$database";

	$pair->copy_slot($database, BASE, NATIVE);
	$pair->target->sql($database, <<"SQL");
CREATE SUBSCRIPTION bench CONNECTION '$from' PUBLICATION bench WITH
(create_slot = false, slot_name = '@{[NATIVE]}', copy_data = false, enabled = false)
SQL
	my $processes = $pair->processes;
	my $started = time();
	$pair->target->sql($database, 'ALTER SUBSCRIPTION bench ENABLE');
	$pair->wait_until($pair->source, $database,
		"confirmed_flush_lsn >= '$self->{end}' FROM pg_replication_slots"
		  . " WHERE slot_name = '@{[NATIVE]}'",
		sub { $processes->look });
	return { wall => time() - $started, usage => $processes->result };
}

sub run_pglogical
{
	my ($self) = @_;

	$self->{pglogical}->reset;
	return $self->{pglogical}->run($self->{end});
}

sub run_portage
{
	my ($self, $contender) = @_;
	my ($pair, $database, $slot) = @$self{qw(pair database slot)};
	my $proxy = defined $contender->{delay}
	  ? Bench::Proxy->new(
		folder => $pair->folder,
		delay => $contender->{delay} && $self->{delay},
		server => $pair->target)
	  : undef;

	$pair->copy_slot($database, KEPT, $slot);
	my @command = $pair->portage_command($database, 'run',
		$proxy ? $proxy->url($database) : (),
		'--tables', TABLES, '--writers', $contender->{writers},
		'--until', 'caught-up');
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

# What portage.progress says about how rows were applied.
sub counts
{
	my ($self) = @_;
	my $json = $self->{pair}->target->sql($self->{database},
		'SELECT to_jsonb(p) FROM portage.progress p');
	my %row = %{ JSON::PP::decode_json($json) };

	return { map { $_ => $row{$_} } Bench::Verdict::COUNTS };
}

# Nothing of it is needed any more: WAL least of all.
sub finish
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};

	$self->{pglogical}->server->stop
	  if $self->{pglogical} && $self->{pglogical}->server;
	$pair->drop($pair->target, $_) foreach $database, "${database}_template";
	$pair->drop_slots($database);
	return;
}

1;
