package Bench::Sustained;

# The highest rate of pgbench's transactions that a follower on the same machine
# keeps up with: the rungs of a ladder, each held for a while.

use strict;
use warnings;

use Carp;
use POSIX ();
use Time::HiRes qw(sleep time);

use Bench::Follower;
use Bench::Pair;
use Bench::Processes;
use Bench::Run;
use Bench::Server;
use Bench::Verdict qw(is_bounded);

use constant {
	DATABASE => 'rate',
	SAMPLE_S => 0.25,
	REACHED => 0.97,
	CATCH_UP_S => 120,
};

# pair; scale; seconds; ladder: rates.
sub new
{
	my ($class, %self) = @_;
	return bless {%self}, $class;
}

sub description
{
	my ($self) = @_;
	return "pgbench -s $self->{scale}, $self->{seconds} s at each rate";
}

sub prepare
{
	my ($self) = @_;
	my $source = $self->{pair}->source;

	$self->{pair}->create($source, DATABASE);
	Bench::Server::run('pgbench', '--initialize', '--quiet', '--scale',
		$self->{scale}, $source->address, DATABASE);
	return {};
}

# { rate: the highest that was kept up with; ended: why; steps; usage; wrong }
sub run
{
	my ($self, $name) = @_;
	my $pair = $self->{pair};
	my %run = (rate => 0, steps => [], ended => 'the ladder ends there');
	my @memory;

	$pair->source->sql(DATABASE, 'TRUNCATE pgbench_history');
	my $follower = Bench::Follower->start(
		pair => $pair,
		database => DATABASE,
		name => $name);
	foreach my $rate (@{ $self->{ladder} })
	{
		my $step = $self->hold($follower, $rate);
		push @{ $run{steps} }, $step;
		my $series = delete $step->{memory};
		$run{ended} = $step->{ended} if defined $step->{ended};
		my $caught_up = $follower->catch_up(CATCH_UP_S);
		$run{ended} = 'it does not catch up' unless $caught_up;
		last if defined $step->{ended} || !$caught_up;
		$run{rate} = $rate;
		push @memory, $series;
	}
	my ($expected, $found) =
	  map { $pair->contents($_, DATABASE) } $pair->source, $pair->target;
	$run{wrong} = "found:\n$found\nexpected:\n$expected"
	  if $found ne $expected && $run{ended} ne 'it does not catch up';
	# a follower that falls behind fills its queue, which is no leak
	$run{usage} = { %{ $follower->stop }, memory_series => \@memory };
	return \%run;
}

# One rung.
sub hold
{
	my ($self, $follower, $rate) = @_;
	my $source = $self->{pair}->source;
	my $log = $self->{pair}->folder . '/pgbench.log';
	my @samples;

	$source->sql(DATABASE, 'CHECKPOINT');
	my $pid = Bench::Processes::spawn($log, 'pgbench', '--no-vacuum',
		'--client=8', '--jobs=2', '--protocol=prepared', "--rate=$rate",
		"--time=$self->{seconds}", $source->address, DATABASE);
	my $started = time();
	my $seen = () = $follower->memory;
	while (waitpid($pid, POSIX::WNOHANG()) == 0)
	{
		# pgbench may go on for longer if it is behind
		push @samples, [ time() - $started, $follower->lag ]
		  if time() - $started < $self->{seconds};
		sleep(SAMPLE_S);
	}
	my $output = Bench::Run::slurp($log);
	my ($tps) = $output =~ /^tps = ([0-9.]+)/m
	  or croak("pgbench failed:\n$output");
	my @memory = $follower->memory;
	my $ended =
	    $tps < $self->least($rate) ? sprintf('pgbench reaches only %.0f/s', $tps)
	  : !is_bounded(@samples) ? 'the lag grows'
	  : undef;
	return {
		rate => $rate,
		tps => $tps + 0,
		lag_mb => @samples ? $samples[-1][1] / 1e6 : undef,
		ended => $ended,
		memory => [ splice(@memory, $seen) ]
	};
}

# pgbench starts transactions at random times: of a few, some may be missing.
sub least
{
	my ($self, $rate) = @_;
	return REACHED * $rate - 3 * sqrt($rate / $self->{seconds});
}

sub finish
{
	my ($self) = @_;

	$self->{pair}->drop($self->{pair}->source, DATABASE);
	return;
}

1;
