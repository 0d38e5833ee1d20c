#!/usr/bin/perl

# migrate.pl [OPTION...]
#
# Measure whole migrations from one PostgreSQL server to another: the initial
# copy, and the drain of a backlog, against what else could do the same in the
# same run. Start it with "make bench-migrate": see README.md.

use strict;
use warnings;

use File::Temp ();
use FindBin;
use Getopt::Long;
use Text::ParseWords ();
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/lib";
use Bench::Migration;
use Bench::Server;

my $usage = <<"USAGE";
usage: make bench-migrate BENCH_OPTIONS="OPTION..."
  --parts=NAME,...  of copy, drain (copy,drain)
  --scale=N         of pgbench (10; 100 with --full)
  --rows=N          of the second table (500000; 5000000 with --full)
  --backlog=N       pgbench transactions to drain (25000; 200000 with --full)
  --jobs=N          tables at a time, for all (2)
  --rounds=N        how many rounds count (3)
  --only=NAME,...   these contenders
  --full            the sizes of the design
USAGE

my %option = (parts => 'copy,drain', jobs => 2, rounds => 3);
@ARGV = (Text::ParseWords::shellwords($ENV{BENCH_OPTIONS} // ''), @ARGV);
GetOptions(\%option, 'parts=s', 'scale=i', 'rows=i', 'backlog=i', 'jobs=i',
	'rounds=i', 'only=s', 'full!', 'help')
  || usage_error();
if ($option{help})
{
	print $usage;
	exit(0);
}
usage_error() if @ARGV || $option{rounds} < 1 || $option{jobs} < 1;
my %default =
  $option{full}
  ? (scale => 100, rows => 5_000_000, backlog => 200_000)
  : (scale => 10, rows => 500_000, backlog => 25_000);
$option{$_} //= $default{$_} foreach keys %default;

STDOUT->autoflush(1);
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit(130) };

my $scratch =
  File::Temp->newdir('bench_XXXX', DIR => $ENV{PORTAGE_TMP} // '/tmp');
my $conf = "max_sync_workers_per_subscription = $option{jobs}\n";
my $migration = Bench::Migration->new(
	source => Bench::Server->start("$scratch/source", conf => $conf),
	target => Bench::Server->start("$scratch/target", conf => $conf),
	folder => "$scratch",
	%option);
my $wrong = 0;

print 'PostgreSQL ', $migration->version, "\n";
foreach my $part (split(/,/, $option{parts}))
{
	usage_error("no part \"$part\"") unless $part =~ /\A(?:copy|drain)\z/;
	measure($part);
}
print "WRONG: what $wrong runs left on the target is not what the source has\n"
  if $wrong;
exit($wrong ? 1 : 0);

sub usage_error
{
	my ($message) = @_;
	print STDERR "migrate.pl: $message\n" if defined $message;
	print STDERR $usage;
	exit(2);
}

sub contenders
{
	my ($part) = @_;
	my @names = Bench::Migration::contenders($part);
	my %wanted = map { $_ => 1 } split(/,/, $option{only} // '');

	return defined $option{only} ? grep { $wanted{$_} } @names : @names;
}

# In turn, and each round begins with another one; the first does not count.
sub measure
{
	my ($part) = @_;
	my @names = contenders($part);
	my %walls;

	print "\n", $migration->prepare($part), "\n";
	foreach my $round (0 .. $option{rounds})
	{
		my @order = @names;
		push @order, splice(@order, 0, $round % @order);
		foreach my $name (@order)
		{
			$migration->reset($part, $name);
			my $started = time();
			$migration->run($part, $name);
			push @{ $walls{$name} }, time() - $started if $round > 0;
			$migration->is_right($part, $name) || $wrong++;
		}
	}
	report($part, \%walls, @names);
	return;
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return ($sorted[ int($#sorted / 2) ] + $sorted[ int(@sorted / 2) ]) / 2;
}

# Ratios are of rounds, so that a machine that was busy for one counts little.
sub report
{
	my ($part, $walls, @names) = @_;
	my @own = grep { /\Apg_portage/ } @names;
	my ($unit, $amount) = $migration->amount($part);

	print "\n| $part | wall s | min–max | $unit/s |",
	  (map { " × $_ |" } @own), "\n|---|--:|--:|--:|", ('--:|') x @own, "\n";
	foreach my $name (@names)
	{
		my @sorted = sort { $a <=> $b } @{ $walls->{$name} };
		my @ratios = map {
			my $own = $walls->{$_};
			sprintf(' %.2f |',
				median(map { $walls->{$name}[$_] / $own->[$_] } 0 .. $#$own))
		} @own;

		printf("| %s | %.2f | %.2f–%.2f | %.0f |%s\n",
			$name, median(@sorted), $sorted[0], $sorted[-1],
			$amount / median(@sorted), join('', @ratios));
	}
	return;
}
