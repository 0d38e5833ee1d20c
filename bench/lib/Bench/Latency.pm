package Bench::Latency;

# How long a row takes that is committed while nothing else happens, from the
# return of COMMIT on the source until a query sees it on the target.

use strict;
use warnings;

use Carp;
use List::Util qw(max);
use Time::HiRes qw(sleep time);

use Bench::Connection;
use Bench::Follower;
use Bench::Pair;
use Bench::Verdict qw(median percentile);

use constant {
	DATABASE => 'latency',
	PAUSE_S => 0.002,
	PATIENCE_S => 60,
};

# pair; transactions.
sub new
{
	my ($class, %self) = @_;
	return bless {%self}, $class;
}

sub description
{
	my ($self) = @_;
	return "$self->{transactions} transactions of one row, one after the other";
}

sub prepare
{
	my ($self) = @_;
	my $source = $self->{pair}->source;

	$self->{pair}->create($source, DATABASE);
	$source->sql(DATABASE,
		'CREATE TABLE tick (id bigint PRIMARY KEY, at timestamptz NOT NULL)');
	return {};
}

# { ms: of each; median, p95, max; usage; wrong }
sub run
{
	my ($self, $name) = @_;
	my $pair = $self->{pair};

	$pair->source->sql(DATABASE, 'TRUNCATE tick');
	my $follower = Bench::Follower->start(
		pair => $pair,
		database => DATABASE,
		name => $name);
	my ($source, $target) =
	  map { Bench::Connection->to_server($_, DATABASE) } $pair->source,
	  $pair->target;
	my @ms;
	foreach my $id (1 .. $self->{transactions})
	{
		push @ms, 1000 * one($source, $target, $id);
		$follower->look;
		sleep(PAUSE_S);
	}
	$_->disconnect foreach $source, $target;
	my ($expected, $found) =
	  map { $pair->contents($_, DATABASE) } $pair->source, $pair->target;
	my $usage = $follower->stop;
	return {
		ms => \@ms,
		median => median(@ms),
		p95 => percentile(0.95, @ms),
		max => max(@ms),
		usage => $usage,
		$found eq $expected ? () : (wrong => "found: $found, expected: $expected")
	};
}

# Seconds until a row is visible.
sub one
{
	my ($source, $target, $id) = @_;

	$source->value("INSERT INTO tick VALUES ($id, now())");
	my $committed = time();
	until (defined $target->value("SELECT 1 FROM tick WHERE id = $id"))
	{
		croak("row $id does not come within @{[PATIENCE_S]} s")
		  if time() - $committed > PATIENCE_S;
	}
	return time() - $committed;
}

sub finish
{
	my ($self) = @_;

	$self->{pair}->drop($self->{pair}->source, DATABASE);
	return;
}

1;
