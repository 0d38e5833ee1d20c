package Bench::Report;

# From single runs to medians, ratios, and the bars that pg_portage sets itself.

use strict;
use warnings;

use Exporter 'import';
use List::Util qw(max min);

our @EXPORT_OK = qw(summarise table bars);

use constant {
	REFERENCE => 'pgoutput',
	DISTURBED => 0.15,
};

# On w1, in changes per second, against pgoutput in the same round.
my @bars = ([ 'pg_portage', 1.7 ], [ 'pg_portage defer', 2.6 ]);

# $runs: { contender => [ what Bench::Run::clocked returned, per round ] },
# $contents: { contender => what Bench::Run::contents returned }.
# Returns a list of hashes, one for each of @names.
sub summarise
{
	my ($changes, $runs, $contents, @names) = @_;
	my @summary;

	foreach my $name (@names)
	{
		my @runs = @{ $runs->{$name} };
		my @walls = map { $_->{wall} } @runs;
		my $content = $contents->{$name};
		my %line = (
			name => $name,
			walls => \@walls,
			wall => median(@walls),
			changes_per_s => $changes / median(@walls),
			cpu_us_per_change => 1e6 * median(map { $_->{cpu} } @runs) /
			  $changes,
			receiver_us_per_change => 1e6 *
			  median(map { $_->{receiver_cpu} } @runs) / $changes,
			others => median(map { $_->{others} } @runs),
			bytes => $content->{bytes},
			messages => $content->{messages},
			counts => $content->{counts},
			digest => $content->{digest});
		if (my $reference = $runs->{ REFERENCE() })
		{
			$line{ratios} =
			  [ map { $reference->[$_]{wall} / $walls[$_] } 0 .. $#walls ];
			$line{ratio} = median(@{ $line{ratios} });
			$line{cpu_ratio} = median(
				map { $reference->[$_]{cpu} / $runs[$_]{cpu} } 0 .. $#runs);
		}
		push @summary, \%line;
	}
	return @summary;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);

	return @sorted % 2
	  ? $sorted[$middle]
	  : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

# A Markdown table.
sub table
{
	my @summary = @_;
	my @lines = (
		'| output | changes/s | wall s | min–max | CPU µs/change | MB |'
		  . ' messages | × pgoutput | its min–max | CPU | others |',
		'|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|');

	foreach my $line (@summary)
	{
		my @walls = @{ $line->{walls} };
		my @ratios = @{ $line->{ratios} // [] };
		push @lines,
		  '| ' . join(
			' | ',
			$line->{name},
			thousands(int($line->{changes_per_s} + 0.5)),
			sprintf('%.2f', $line->{wall}),
			sprintf('%.2f–%.2f', min(@walls), max(@walls)),
			sprintf('%.2f', $line->{cpu_us_per_change}),
			sprintf('%.1f', $line->{bytes} / 1e6),
			thousands($line->{messages}),
			@ratios
			? (
				sprintf('%.2f', $line->{ratio}),
				sprintf('%.2f–%.2f', min(@ratios), max(@ratios)),
				sprintf('%.2f', $line->{cpu_ratio}))
			: ('', '', ''),
			sprintf('%.0f %%', 100 * $line->{others})) . ' |';
	}
	return join("\n", @lines) . "\n";
}

sub thousands
{
	my ($number) = @_;
	1 while $number =~ s/\A(\d+)(\d{3})/$1,$2/;
	return $number;
}

# What of the bars applies: a list of { what, bar, figure, pass, note }.
sub bars
{
	my ($workload, @summary) = @_;
	my %line = map { $_->{name} => $_ } @summary;
	my $reference = $line{ REFERENCE() };
	my @results;

	return () unless $workload eq 'w1' && $reference;
	foreach my $bar (@bars)
	{
		my ($name, $factor) = @$bar;
		my $line = $line{$name} // next;
		push @results,
		  {
			what => "$name: changes/s against " . REFERENCE,
			bar => sprintf('%.1f or more', $factor),
			figure => sprintf('%.2f', $line->{ratio}),
			pass => $line->{ratio} >= $factor,
			note => disturbance($line, $reference)
		  },
		  {
			what => "$name: bytes against " . REFERENCE,
			bar => '1.00 or less',
			figure => sprintf('%.2f', $line->{bytes} / $reference->{bytes}),
			pass => $line->{bytes} <= $reference->{bytes},
			note => ''
		  };
	}
	return @results;
}

# A clock that others had a hand in flatters whoever needs less of the second
# core, so a verdict by it has to say so.
sub disturbance
{
	my ($line, $reference) = @_;
	my $others = max($line->{others}, $reference->{others});

	return '' if $others <= DISTURBED;
	return sprintf('; not to be relied on, others used %.0f %% of the machine:'
		  . ' by CPU it is %.2f', 100 * $others, $line->{cpu_ratio});
}

1;
