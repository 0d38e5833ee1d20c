package Bench::Results;

# What was measured, line by line: one for each contender of each workload, with
# its ratios against the others of the same rounds.

use strict;
use warnings;

use List::Util qw(max min);

use Bench::Verdict qw(is_flat median);

# Shorter series say nothing about where memory is going.
use constant {
	FLAT_SAMPLES => 50,
	MEMORY_POINTS => 40,
};

# Against whom each part's contenders of ours are held, and whether more than
# one says that we are faster (1) or slower (0).
my %peers = (
	drain => [ 1, qw(native pglogical) ],
	copy => [ 0, qw(fastest pg_dump pgcopydb pipes native) ],
	far => [ 0, qw(near) ],
	'mysql-copy' => [ 1, qw(file pipes) ],
	'mysql-drain' => [ 1, qw(row_sink) ],
	'rules-identity' => [ 0, qw(portage_plain) ],
	rules => [ 1, qw(portage_identity) ]);
# Here the ratio is that of the medians.
my %of_medians = map { $_ => 1 } qw(rules-identity rules);
my %complete = map { $_ => 1 } qw(pg_dump pgcopydb pipes);

sub new
{
	my ($class) = @_;
	return bless {
		lines => [], wrong => [], notes => [], peak_mb => 0, growing => []
	}, $class;
}

sub lines { return $_[0]{lines} }
sub wrong { return $_[0]{wrong} }
sub notes { return $_[0]{notes} }

sub memory
{
	my ($self) = @_;
	return { peak_mb => $self->{peak_mb}, growing => $self->{growing} };
}

# What is not right is shown at the end, and is what the exit code says.
sub note_wrong
{
	my ($self, $where, $what) = @_;

	push @{ $self->{wrong} }, "$where: $what";
	return;
}

sub note
{
	my ($self, $where, $what) = @_;

	push @{ $self->{notes} }, "$where: $what";
	return;
}

# Of the applier, wherever it ran. Where the load changed meanwhile there are
# several series, of a load each.
sub note_memory
{
	my ($self, $where, $usage) = @_;

	$self->{peak_mb} = max($self->{peak_mb}, $usage->{peak_mb});
	push @{ $self->{growing} }, $where
	  if grep { @$_ >= FLAT_SAMPLES && !is_flat(@$_) }
	  @{ $usage->{memory_series} // [ $usage->{memory_mb} ] };
	return;
}

# $runs: { name => { round => what a run returned } }. Runs that are void or
# wrong have no figure. Every round of a peer is held against the same round.
sub add_rounds
{
	my ($self, $part, $what, $object, $runs, @names) = @_;
	my ($amount, $unit) = $object->amount;
	my %walls;

	foreach my $name (@names)
	{
		my $own = $runs->{$name};
		$walls{$name} = {
			map { $_ => $own->{$_}{wall} }
			grep { !$own->{$_}{void} && !$own->{$_}{wrong} } keys %$own
		};
	}
	$walls{fastest} = fastest(\%walls) if $part eq 'copy';
	foreach my $name (@names)
	{
		my @seconds = map { sprintf('%.3f', $_) + 0 } values %{ $walls{$name} };
		my @runs = values %{ $runs->{$name} };
		my %line = (
			part => $part,
			what => $what,
			name => $name,
			title => $object->title($name),
			unit => 's',
			runs => \@seconds,
			ratios => {},
			usage => usage(@runs));
		if (@seconds)
		{
			@line{qw(median min max)} =
			  (median(@seconds), min(@seconds), max(@seconds));
			$line{rate} = $amount / $line{median};
			$line{rate_of} = $unit;
			$line{ratios} = ratios($part, $name, \%walls);
		}
		foreach my $key (qw(counts says))
		{
			$line{$key} = $runs[-1]{$key} if @runs && $runs[-1]{$key};
		}
		push @{ $self->{lines} }, \%line;
	}
	return;
}

sub fastest
{
	my ($walls) = @_;
	my %fastest;

	foreach my $name (grep { $complete{$_} } keys %$walls)
	{
		foreach my $round (keys %{ $walls->{$name} })
		{
			$fastest{$round} =
			  min(grep { defined } $fastest{$round}, $walls->{$name}{$round});
		}
	}
	return \%fastest;
}

sub ratios
{
	my ($part, $name, $walls) = @_;
	my ($faster, @peers) = @{ $peers{$part} };
	my $own = $walls->{$name};
	my %ratios;

	return {} unless $name =~ /\A(?:portage|far|proxy)/;
	foreach my $peer (@peers)
	{
		my $other = $walls->{$peer} // next;
		my @both = grep { defined $other->{$_} } keys %$own;
		next if !@both || $other == $own;
		my @pairs = map { [ $own->{$_}, $other->{$_} ] } @both;
		@pairs = [ median(map { $_->[0] } @pairs), median(map { $_->[1] } @pairs) ]
		  if $of_medians{$part};
		$ratios{$peer} = median(map {
			$faster ? $_->[1] / $_->[0] : $_->[0] / $_->[1]
		} @pairs);
	}
	return \%ratios;
}

# Medians over the rounds; the greatest, of memory.
sub usage
{
	my (@runs) = map { $_->{usage} } @_;
	my %usage;

	return {} unless @runs;
	foreach my $group (qw(walsender backend applier))
	{
		$usage{"${group}_cpu_s"} = median(map { $_->{$group} } @runs);
	}
	$usage{peak_mb} = max(map { $_->{peak_mb} } @runs);
	$usage{memory_mb} = thinned(@{ $runs[-1]{memory_mb} });
	return \%usage;
}

# Some of many figures, in order.
sub thinned
{
	my (@figures) = @_;
	my $step = max(1, @figures / MEMORY_POINTS);
	my @some;

	for (my $at = 0; $at < @figures; $at += $step)
	{
		push @some, sprintf('%.1f', $figures[$at]) + 0;
	}
	return \@some;
}

# One that is not a wall clock: latency or rate.
sub add_line
{
	my ($self, %line) = @_;

	push @{ $self->{lines} }, { ratios => {}, %line };
	return;
}

# ---- for people

sub table
{
	my ($self) = @_;
	my @text = (
		'| part | contender | median | min–max | rate | ratios | memory MB |',
		'|---|---|--:|--:|--:|---|--:|');

	foreach my $line (@{ $self->{lines} })
	{
		my $ratios = $line->{ratios};
		push @text,
		  '| ' . join(
			' | ',
			"$line->{part} $line->{what}",
			$line->{title},
			figure($line->{median}, $line->{unit}),
			defined $line->{min}
			? sprintf('%.2f–%.2f', @$line{qw(min max)})
			: '',
			defined $line->{rate}
			? sprintf('%.0f %s/s', @$line{qw(rate rate_of)})
			: '',
			$line->{says} // join(
				', ',
				map { sprintf('%s %.2f', $_, $ratios->{$_}) } sort keys %$ratios),
			$line->{usage}{peak_mb}
			? sprintf('%.0f', $line->{usage}{peak_mb})
			: '') . ' |';
	}
	return join("\n", @text) . "\n";
}

sub figure
{
	my ($figure, $unit) = @_;
	return defined $figure ? sprintf('%.2f %s', $figure, $unit) : 'void';
}

# CPU seconds: who did the work.
sub usage_table
{
	my ($self) = @_;
	my @text = ('| part | contender | walsender s | target s | applier s |',
		'|---|---|--:|--:|--:|');

	foreach my $line (grep { %{ $_->{usage} // {} } } @{ $self->{lines} })
	{
		push @text,
		  sprintf('| %s %s | %s | %.2f | %.2f | %.2f |',
			@$line{qw(part what title)},
			map { $_ // 0 } @{ $line->{usage} }
			  {qw(walsender_cpu_s backend_cpu_s applier_cpu_s)});
	}
	return join("\n", @text) . "\n";
}

1;
