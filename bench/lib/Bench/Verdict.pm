package Bench::Verdict;

# What a run is worth: whether it counts at all, what its figures come to, and
# whether they reach the bars.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(max min sum0);

our @EXPORT_OK = qw(why_void is_flat is_bounded median percentile judge);

use constant {
	VECTORS => 0.9,          # the least share of rows
	FLAT_FACTOR => 1.1,
	FLAT_MB => 4,
	FALLS_BEHIND => 0.05,    # of what is written meanwhile
	RSS_MB => 256,
};

# The columns of portage.progress that say how rows were applied.
use constant COUNTS =>
  qw(batches vector_rows single_rows refused_plans serial_rows);

# part, what, contender, against, the least or the most that it may be.
my @bars = (
	[ 'drain', 'w1', 'portage1', 'native', 'at_least', 3.5 ],
	[ 'drain', 'w2b', 'portage1', 'native', 'at_least', 3.0 ],
	[ 'drain', 'w3d', 'portage1', 'native', 'at_least', 1.2 ],
	[ 'drain', 'w3d', 'portage2', 'native', 'at_least', 1.7 ],
	[ 'copy', 'copy', 'portage', 'fastest', 'at_most', 0.85 ],
	[ 'sustained', 'rate', 'portage', 'native', 'at_least', 1.3 ],
	[ 'latency', 'idle', 'portage', undef, 'below', 20 ],
	[ 'far', 'w1', 'far', 'near', 'below', 1.2 ],
	[ 'mysql-copy', 'w2', 'portage1', 'file', 'at_least', 0.9 ],
	[ 'mysql-copy', 'w2', 'portage2', 'pipes', 'at_least', 1.0 ],
	[ 'mysql-drain', 'w1', 'portage1', 'row_sink', 'at_least', 10 ],
	[ 'mysql-drain', 'w2b', 'portage1', 'row_sink', 'at_least', 10 ],
	(
		map {
			(
				[ 'rules-identity', $_, 'portage_identity', 'portage_plain', 'at_most', 1.03 ],
				[ 'rules', $_, 'portage_rules', 'portage_identity', 'at_least', 0.5 ])
		} qw(stream copy)));

# Why a drain of pg_portage does not count, or undef: it must have planned its
# batches and written them as vectors. Both: { column => number }.
sub why_void
{
	my ($before, $after) = @_;
	my %grown;

	foreach my $column (COUNTS)
	{
		return "portage.progress has no $column"
		  unless defined $before->{$column} && defined $after->{$column};
		$grown{$column} = $after->{$column} - $before->{$column};
	}
	return "$grown{refused_plans} plans were refused"
	  if $grown{refused_plans} != 0;
	return "$grown{serial_rows} rows were applied one by one"
	  if $grown{serial_rows} != 0;
	my $rows = $grown{vector_rows} + $grown{single_rows};
	return 'no row was counted' if $rows <= 0;
	my $share = $grown{vector_rows} / $rows;
	return sprintf('only %.1f %% of the rows went through vectors',
		100 * $share)
	  if $share < VECTORS;
	return undef;
}

# Memory over time: does the last third need more than the one before?
sub is_flat
{
	my (@samples) = @_;
	my $third = int(@samples / 3);

	return 1 if $third < 1;
	my $middle = max(@samples[ $third .. $#samples - $third ]);
	my $last = max(@samples[ @samples - $third .. $#samples ]);
	return $last <= FLAT_FACTOR * $middle + FLAT_MB;
}

# [ second, lag, bytes written ], ...: does the lag not grow, over the last two
# thirds of the time? What is written meanwhile says how much would be growth.
sub is_bounded
{
	my (@samples) = @_;
	my @late = @samples[ int(@samples / 3) .. $#samples ];

	return 0 if @late < 3;
	my $seconds = $late[-1][0] - $late[0][0];
	my $written = $late[-1][2] - $late[0][2];
	return slope(@late) * $seconds <= FALLS_BEHIND * $written;
}

# Least squares, of the second by the first.
sub slope
{
	my (@points) = @_;
	my $x = sum0(map { $_->[0] } @points) / @points;
	my $y = sum0(map { $_->[1] } @points) / @points;
	my $square = sum0(map { ($_->[0] - $x)**2 } @points);

	return 0 if $square == 0;
	return sum0(map { ($_->[0] - $x) * ($_->[1] - $y) } @points) / $square;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return ($sorted[ int($#sorted / 2) ] + $sorted[ int(@sorted / 2) ]) / 2;
}

sub percentile
{
	my ($share, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;
	return $sorted[ min($#sorted, int($share * @sorted)) ];
}

# What of the bars applies to the results of Bench::Report: a list of
# { what, bar, figure, pass }.
sub judge
{
	my ($results, $memory) = @_;
	my @verdicts;

	foreach my $bar (@bars)
	{
		my ($part, $what, $name, $against, $kind, $limit) = @$bar;
		my ($line) = grep {
			$_->{part} eq $part && $_->{what} eq $what && $_->{name} eq $name
		} @$results;
		next unless $line;
		my $says = "$part $what, $name"
		  . (defined $against ? " against $against" : ', ms');
		my $figure =
		  defined $against ? $line->{ratios}{$against} : $line->{median};
		# without the peer there is nothing to say, without the run there is
		$figure //= 'void' if !defined $line->{median};
		push @verdicts, verdict($says, $figure, $kind, $limit)
		  if defined $figure;
	}
	push @verdicts, verdict('memory of the applier, MB', $memory->{peak_mb},
		'below', RSS_MB)
	  if $memory->{peak_mb};
	push @verdicts,
	  {
		what => 'memory over time',
		figure => @{ $memory->{growing} } ? 'grows' : 'flat',
		bar => 'flat',
		pass => @{ $memory->{growing} } ? 0 : 1
	  }
	  if $memory->{peak_mb};
	return @verdicts;
}

sub verdict
{
	my ($what, $figure, $kind, $limit) = @_;
	my %says = (
		at_least => "$limit or more",
		at_most => "$limit or less",
		below => "less than $limit");

	return { what => $what, figure => $figure, bar => $says{$kind}, pass => 0 }
	  if $figure eq 'void';
	return {
		what => $what,
		figure => sprintf('%.2f', $figure) + 0,
		bar => $says{$kind},
		pass => ($kind eq 'at_least' ? $figure >= $limit
			: $kind eq 'at_most' ? $figure <= $limit
			: $figure < $limit) ? 1 : 0
	};
}

1;
