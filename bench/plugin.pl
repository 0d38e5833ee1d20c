#!/usr/bin/perl

# plugin.pl [OPTION...]
#
# Measure how fast output plugins decode the same WAL, and check that they all
# say the same. Start it with "make bench-plugin": see README.md.

use strict;
use warnings;

use File::Temp ();
use FindBin;
use Getopt::Long;
use JSON::PP ();
use Text::ParseWords ();

use lib "$FindBin::RealBin/lib";
use Bench::Contender;
use Bench::Report qw(summarise table bars);
use Bench::Rows;
use Bench::Run;
use Bench::Server;
use Bench::Workload;

my $usage = <<"USAGE";
usage: make bench-plugin BENCH_OPTIONS="OPTION..."
  --workloads=NAME,...   of @{[join(', ', Bench::Workload::names())]} (w1,w2b)
  --only=NAME,...        these outputs, of
                         @{[join(', ', Bench::Contender::names())]}
  --rounds=N             how many rounds count (3), after one that does not
  --full                 four times as much, as in the design; or BENCH_FULL=1
  --size=NAME=N          transactions (w1) or rows of a workload
  --patience=SECONDS     to spend in all (60) on waiting for a machine that has
                         nothing else to do, and on repeating disturbed runs
  --json                 print JSON instead of tables
  --no-contents          do not check what is sent: for profiling only
USAGE

my %option = (
	workloads => 'w1,w2b',
	rounds => 3,
	patience => 60,
	full => $ENV{BENCH_FULL} // $ENV{FULL} // 0,
	size => {},
	contents => 1);
@ARGV = (Text::ParseWords::shellwords($ENV{BENCH_OPTIONS} // ''), @ARGV);
GetOptions(\%option, 'workloads=s', 'only=s', 'rounds=i', 'full!', 'size=i%',
	'patience=f', 'json!', 'contents!', 'help')
  || usage_error();
if ($option{help})
{
	print $usage;
	exit(0);
}
usage_error() if @ARGV || $option{rounds} < 1;

# Progress and tables are for people. JSON goes to standard output alone.
my $report = $option{json} ? \*STDERR : \*STDOUT;
$report->autoflush(1);
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit(130) };

my @workloads = map {
	my $name = $_;
	grep({ $_ eq $name } Bench::Workload::names())
	  || usage_error("no workload \"$name\"");
	Bench::Workload->new(
		$name,
		full => $option{full},
		size => $option{size}{$name})
} split(/,/, $option{workloads});
my @missing;
my @contenders = choose_contenders();

my $scratch =
  File::Temp->newdir('bench_XXXX', DIR => $ENV{PORTAGE_TMP} // '/tmp');
my $server = start_server();
my %result = (machine => describe_machine(), full => $option{full} ? 1 : 0);
my @wrong;

say_line($result{machine}{text});
say_line("not installed, left out: @{[join(', ', @missing)]}") if @missing;
foreach my $workload (@workloads)
{
	$result{workloads}{ $workload->name } = measure($workload);
}
my @bars = map { @{ $_->{bars} } } values %{ $result{workloads} };
say_line('') if @bars;
say_line(sprintf('%s %s: %s (bar: %s)%s',
	$_->{pass} ? 'PASS' : 'MISS',
	@$_{qw(what figure bar note)})) foreach @bars;
if (@wrong)
{
	say_line('');
	say_line("WRONG $_") foreach @wrong;
	say_line('The figures above are void.');
}
$result{wrong} = \@wrong;
print JSON::PP->new->canonical->pretty->encode(\%result) if $option{json};
$server->stop;
exit(@wrong ? 1 : 0);

sub say_line
{
	my ($line) = @_;
	print $report "$line\n";
	return;
}

sub usage_error
{
	my ($message) = @_;
	print STDERR "plugin.pl: $message\n" if defined $message;
	print STDERR $usage;
	exit(2);
}

sub choose_contenders
{
	my $pkglibdir = Bench::Server::run($ENV{PG_CONFIG} // 'pg_config',
		'--pkglibdir');
	chomp($pkglibdir);
	my @installed = Bench::Contender->installed($pkglibdir, \@missing);

	return @installed unless defined $option{only};
	my %wanted = map { $_ => 1 } split(/,/, $option{only});
	foreach my $name (keys %wanted)
	{
		usage_error("no output \"$name\"")
		  unless grep { $_ eq $name } Bench::Contender::names();
	}
	return grep { $wanted{ $_->name } } @installed;
}

sub start_server
{
	my $preload =
	  join(',', grep { defined } map { $_->preload } @contenders);

	return Bench::Server->start("$scratch/server",
		conf => $preload ? "shared_preload_libraries = '$preload'" : '');
}

sub describe_machine
{
	my $version = $server->sql('postgres', 'SHOW server_version');
	my ($model) =
	  (Bench::Run::slurp('/proc/cpuinfo') // '') =~ /^model name\s*:\s*(.*)/m;
	my ($memory) = (Bench::Run::slurp('/proc/meminfo') // '') =~
	  /^MemTotal:\s*(\d+)/;
	my %machine = (
		cores => Bench::Run::machine_cores(),
		model => $model // 'unknown',
		memory_gb => sprintf('%.0f', ($memory // 0) / (1 << 20)),
		postgresql => $version);

	$machine{text} = sprintf('PostgreSQL %s, %d cores (%s), %s GB',
		@machine{qw(postgresql cores model memory_gb)});
	return \%machine;
}

# One workload from its empty database to its figures.
sub measure
{
	my ($workload) = @_;
	my $database = $workload->name;
	my (%runs, %contents);

	say_line('');
	say_line($workload->description);
	$workload->prepare($server);
	my @contenders = willing($database);
	Bench::Run::create_base_slot($server, $database);
	my $end = $workload->write($server);

	foreach my $round (0 .. $option{rounds})
	{
		# In turn, and each round begins with another one.
		my @order = @contenders;
		push @order, splice(@order, 0, $round % @order);
		foreach my $contender (@order)
		{
			my $run = Bench::Run::undisturbed(\$option{patience}, $server,
				$database, $contender, $end);
			push @{ $runs{ $contender->name } }, $run if $round > 0;
		}
	}
	foreach my $contender (@contenders)
	{
		$contents{ $contender->name } = $option{contents}
		  ? check_contents($workload, $contender, $end)
		  : { bytes => 0, messages => 0, counts => {} };
	}
	check_digests($workload, \%contents) if $option{contents};
	Bench::Run::drop_base_slot($server, $database);

	my @summary = summarise($workload->changes, \%runs, \%contents,
		map { $_->name } @contenders);
	my @bars = $option{contents} ? bars($database, @summary) : ();
	say_line(sprintf('%d changes, %.0f MB of WAL, %d rounds',
		$workload->changes, $workload->{wal_bytes} / 1e6, $option{rounds}));
	say_line('');
	print $report table(@summary);
	delete $_->{marks} foreach values %contents;
	return {
		description => $workload->description,
		changes => $workload->changes,
		wal_bytes => $workload->{wal_bytes} + 0,
		outputs => \@summary,
		bars => \@bars
	};
}

# A plugin may refuse a workload's tables.
sub willing
{
	my ($database) = @_;
	my @willing;

	foreach my $contender (@contenders)
	{
		if (eval { $contender->prepare($server, $database); 1 })
		{
			push @willing, $contender;
			next;
		}
		say_line(sprintf('%s is left out: %s',
			$contender->name, ($@ =~ /^ERROR:\s*(.*)/m)[0] // $@));
	}
	return @willing;
}

# The right number of changes of each kind, or the run is worth nothing.
sub check_contents
{
	my ($workload, $contender, $end) = @_;
	my $expected = $workload->expected;
	my $contents = eval {
		Bench::Run::contents($server, $workload->name, $contender, $end);
	};

	if (!$contents)
	{
		push @wrong, sprintf('%s, %s: %s', $workload->name, $contender->name,
			$@ =~ s/\s+\z//r);
		return { bytes => 0, messages => 0, counts => {} };
	}
	foreach my $op (sort keys %$expected)
	{
		push @wrong,
		  sprintf('%s, %s: %d of operation %s, expected %d',
			$workload->name, $contender->name, $contents->{counts}{$op}, $op,
			$expected->{$op})
		  if $contents->{counts}{$op} != $expected->{$op};
	}
	return $contents;
}

# Ours and test_decoding's output mean the same, value by value.
sub check_digests
{
	my ($workload, $contents) = @_;
	my $reference = $contents->{test_decoding} // return;

	foreach my $name (sort keys %$contents)
	{
		my $own = $contents->{$name};
		next if !$own->{digest} || !$reference->{digest};
		my $difference = Bench::Rows->difference($own, $reference) // next;
		push @wrong, sprintf('%s, %s: %s', $workload->name, $name, $difference);
	}
	return;
}
