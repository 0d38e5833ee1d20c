#!/usr/bin/perl

# bench.pl [OPTION...]
#
# Measure pg_portage against everything else that brings a database from one
# PostgreSQL server to another, and against what brings one to MariaDB, in the
# same run. Start it with "make bench": see
# README.md.

use strict;
use warnings;

use File::Temp ();
use FindBin;
use Getopt::Long;
use JSON::PP ();
use Text::ParseWords ();
use Time::HiRes qw(time);

use lib "$FindBin::RealBin/lib";
use Bench::Copy;
use Bench::Drain;
use Bench::Follower;
use Bench::Latency;
use Bench::MysqlCopy;
use Bench::MysqlDrain;
use Bench::MysqlServer;
use Bench::Pair;
use Bench::Pglogical;
use Bench::Results;
use Bench::Rules;
use Bench::Run;
use Bench::Server;
use Bench::Sustained;
use Bench::Verdict qw(judge);
use Bench::Workload;

my $usage = <<"USAGE";
usage: make bench BENCH_OPTIONS="OPTION..."
  --parts=NAME,...      of drain, copy, latency, far, sustained, mysql-copy,
                        mysql-drain, rules-identity, rules (all)
  --only=NAME,...       these contenders: native, pglogical, portage, portage1,
                        portage2 (writers), pg_dump, pgcopydb, pipes; for
                        MariaDB file, pipes, row_sink; of the rules
                        portage_plain, portage_identity, portage_rules
  --rounds=N            how many rounds count (3; 5 of the rules), after one that
                        does not
  --no-warm-up          all of them count
  --full                the sizes of the design; or FULL=1
  --workloads=NAME,...  of the drain: w1, w2a, w2b, w3d, w3f (all; to MariaDB w1
                        and w2b of these)
  --size=NAME=N         transactions or rows of one of these, of "far", of
                        "rules"
  --scale=N, --rows=N   of the copy: of pgbench, and of a second table
  --mysql-rows=N        of the copy to MariaDB
  --jobs=N              of the copy (2)
  --transactions=N      of the latency (1000)
  --delay=MS            each way, to those that are far away (5)
  --seconds=N           at each rate that is sustained (15; 60 with --full)
  --ladder=N,...        the rates, in transactions/s
  --rate-scale=N        of pgbench there (12; 50 with --full)
  --buffers=SIZE        shared_buffers of each server (512MB; 1GB with --full)
  --json                print JSON instead of tables
  --verbose             CPU seconds as well
USAGE

my %option = (
	parts => 'drain,copy,latency,far,sustained,mysql-copy,mysql-drain,'
	  . 'rules-identity,rules',
	'warm-up' => 1,
	full => $ENV{FULL} // $ENV{BENCH_FULL} // 0,
	workloads => 'w1,w2a,w2b,w3d,w3f',
	size => {},
	jobs => 2,
	transactions => 1000,
	delay => 5,
	ladder => '1000,1500,2000,3000,4000,5000,6000,8000,10000,12000');
my %sizes = (
	# [ default, full ]
	scale => [ 25, 100 ],
	rows => [ 1_250_000, 5_000_000 ],
	# As for "far" below: fewer would measure the start of the program.
	'mysql-rows' => [ 2_000_000, 2_000_000 ],
	seconds => [ 15, 60 ],
	'rate-scale' => [ 12, 50 ],
	buffers => [ '512MB', '1GB' ]);
# The start of the program must not be what a distance is measured by.
my $far_size = 200_000;
my $rules_size = 1_000_000;
my %parts = (
	drain => \&measure_drain,
	copy => \&measure_copy,
	latency => \&measure_latency,
	far => \&measure_far,
	sustained => \&measure_sustained,
	'mysql-copy' => \&measure_mysql_copy,
	'mysql-drain' => \&measure_mysql_drain,
	'rules-identity' => \&measure_rules_identity,
	rules => \&measure_rules);

read_options();
my $report = $option{json} ? \*STDERR : \*STDOUT;
$report->autoflush(1);
STDERR->autoflush(1);
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit(130) };

my $results = Bench::Results->new;
my $scratch =
  File::Temp->newdir('bench_XXXX', DIR => $ENV{PORTAGE_TMP} // '/tmp');
my $started = time();
my %missing = missing();
my ($pair, $version);

$results->note($_, $missing{$_}) foreach sort keys %missing;
foreach my $part (split(/,/, $option{parts}))
{
	next if $part =~ /\Amysql/ && $missing{MariaDB};
	start_servers($part);
	$parts{$part}->();
	stop_servers();
}
my @verdicts = judge($results->lines, $results->memory);
$option{json} ? print_json() : print_tables();
exit(@{ $results->wrong } ? 1 : 0);

sub read_options
{
	@ARGV = (Text::ParseWords::shellwords($ENV{BENCH_OPTIONS} // ''), @ARGV);
	GetOptions(\%option, 'parts=s', 'only=s', 'rounds=i', 'warm-up!', 'full!',
		'workloads=s', 'size=i%', 'scale=i', 'rows=i', 'mysql-rows=i', 'jobs=i',
		'transactions=i', 'delay=i', 'seconds=i', 'ladder=s', 'rate-scale=i',
		'buffers=s', 'json!', 'verbose!', 'help')
	  || usage_error();
	if ($option{help})
	{
		print $usage;
		exit(0);
	}
	usage_error()
	  if @ARGV || grep { ($option{$_} // 1) < 1 } qw(rounds jobs transactions);
	$option{$_} //= $sizes{$_}[ $option{full} ? 1 : 0 ] foreach keys %sizes;
	foreach my $part (split(/,/, $option{parts}))
	{
		usage_error("no part \"$part\"") unless $parts{$part};
	}
	foreach my $name (split(/,/, $option{workloads}))
	{
		usage_error("no workload \"$name\"")
		  unless grep { $_ eq $name } Bench::Workload::names();
	}
	return;
}

sub usage_error
{
	my ($message) = @_;
	print STDERR "bench.pl: $message\n" if defined $message;
	print STDERR $usage;
	exit(2);
}

# What goes on, for who waits: never a part of the result.
sub progress
{
	my ($line) = @_;
	printf STDERR "%5.0f s  %s\n", time() - $started, $line;
	return;
}

sub missing
{
	my %missing;

	$missing{pglogical} = 'its package is not installed'
	  unless Bench::Pglogical::is_installed();
	$missing{pgcopydb} = 'its package is not installed'
	  unless Bench::Copy::has_pgcopydb();
	$missing{MariaDB} = 'its server or client is not installed'
	  unless Bench::MysqlServer::is_installed();
	return %missing;
}

# Each part has servers of its own: what one leaves behind is no burden to the
# next, and pglogical's workers would let nobody drop a database.
sub start_servers
{
	my ($part) = @_;
	my $conf = "max_sync_workers_per_subscription = $option{jobs}\n"
	  . "shared_buffers = $option{buffers}\n";
	my $source_conf = $conf;

	$source_conf .= Bench::Pglogical::conf()
	  if $part eq 'drain' && wanted('pglogical');
	$pair = Bench::Pair->new(
		source => Bench::Server->start("$scratch/source", conf => $source_conf),
		target => $part =~ /\Amysql/
		? Bench::MysqlServer->start("$scratch/mysql")
		: Bench::Server->start("$scratch/target", conf => $conf),
		folder => "$scratch");
	progress('MariaDB ' . $pair->target->version) if $part =~ /\Amysql/;
	return if defined $version;
	$version = $pair->source->sql('postgres', 'SHOW server_version');
	progress("PostgreSQL $version, " . Bench::Run::machine_cores() . ' cores');
	return;
}

sub stop_servers
{
	$_->stop foreach $pair->target, $pair->source;
	undef $pair;
	return;
}

# Those of @_ that were asked for and are there. "portage" is any of ours.
sub wanted
{
	my %only = map { $_ => 1 } split(/,/, $option{only} // '');

	return grep {
		!$missing{$_}
		  && (!%only || $only{$_} || (/\Aportage/ && $only{portage}))
	} @_;
}

# ---- rounds: those with a wall clock

# In turn, and each round begins with another one.
sub rounds
{
	my ($part, $what, $object, @names) = @_;
	my (%runs, %failed);

	progress("$part $what: " . $object->description);
	my $refused = $object->prepare(@names);
	$results->note("$part $what, $_", $refused->{$_}) foreach keys %$refused;
	@names = grep { !$refused->{$_} } @names;
	my $rounds = $option{rounds} // ($part =~ /\Arules/ ? 5 : 3);
	foreach my $round (($option{'warm-up'} ? 0 : 1) .. $rounds)
	{
		my @order = @names;
		push @order, splice(@order, 0, $round % @order) if @order;
		foreach my $name (grep { !$failed{$_} } @order)
		{
			my $run = one_run("$part $what, $name", $object, $name);
			$failed{$name} = 1 unless $run;
			$runs{$name}{$round} = $run if $run && $round > 0;
		}
	}
	$results->add_rounds($part, $what, $object, \%runs, grep { $runs{$_} } @names);
	$object->finish;
	return;
}

# Who does not come to an end is left out from then on.
sub one_run
{
	my ($where, $object, $name) = @_;
	my $run = eval { $object->run($name) };

	if (!$run)
	{
		my $error = $@ =~ s/\s+\z//r;
		progress("$where failed");
		$name =~ /\A(?:portage|near|far|proxy)/
		  ? $results->note_wrong($where, "failed: $error")
		  : $results->note($where, "failed: $error");
		return undef;
	}
	progress(sprintf('%s: %.2f s%s', $where, $run->{wall},
		$run->{wrong} ? ', WRONG' : $run->{void} ? ', void' : ''));
	$results->note_wrong($where, $run->{wrong}) if $run->{wrong};
	$results->note($where, "void: $run->{void}") if $run->{void};
	$results->note_memory($where, $run->{usage});
	return $run;
}

sub measure_drain
{
	foreach my $name (split(/,/, $option{workloads}))
	{
		my $workload = Bench::Workload->new(
			$name,
			full => $option{full},
			size => $option{size}{$name});
		rounds('drain', $name,
			Bench::Drain->new(pair => $pair, workload => $workload),
			wanted(qw(native pglogical portage1 portage2)));
	}
	return;
}

sub measure_copy
{
	rounds('copy', 'copy',
		Bench::Copy->new(
			pair => $pair,
			map { $_ => $option{$_} } qw(scale rows jobs)),
		wanted(qw(pg_dump pgcopydb pipes native portage)));
	return;
}

sub measure_far
{
	return unless wanted('portage1');
	my $workload = Bench::Workload->new(
		'w1',
		size => $option{size}{far} // $far_size,
		as => 'far');
	rounds('far', 'w1',
		Bench::Drain->new(
			pair => $pair,
			workload => $workload,
			delay => $option{delay}),
		qw(near proxy far));
	return;
}

sub measure_mysql_copy
{
	rounds('mysql-copy', 'w2',
		Bench::MysqlCopy->new(pair => $pair, rows => $option{'mysql-rows'}),
		wanted(qw(file pipes portage1 portage2)));
	return;
}

sub measure_mysql_drain
{
	foreach my $name (grep { /\A(?:w1|w2b)\z/ } split(/,/, $option{workloads}))
	{
		my $workload = Bench::Workload->new(
			$name,
			full => $option{full},
			size => $option{size}{$name});
		rounds('mysql-drain', $name,
			Bench::MysqlDrain->new(pair => $pair, workload => $workload),
			wanted(qw(row_sink portage1 portage2)));
	}
	return;
}

sub measure_rules_identity
{
	pairs_of_rules('rules-identity', qw(portage_plain portage_identity));
	return;
}

sub measure_rules
{
	pairs_of_rules('rules', qw(portage_identity portage_rules));
	return;
}

sub pairs_of_rules
{
	my ($part, @names) = @_;

	foreach my $what (qw(stream copy))
	{
		my $workload = Bench::Workload->new(
			'w2b',
			size => $option{size}{rules} // $rules_size,
			as => 'rules');
		rounds($part, $what,
			Bench::Rules->new(pair => $pair, workload => $workload, what => $what),
			wanted(@names));
	}
	return;
}

# ---- the others

sub measure_latency
{
	my $latency = Bench::Latency->new(
		pair => $pair,
		transactions => $option{transactions});

	progress('latency: ' . $latency->description);
	$latency->prepare;
	foreach my $name (wanted(qw(native portage)))
	{
		my $run = followed('latency', $latency, $name) // next;
		progress(sprintf('latency, %s: median %.1f ms', $name, $run->{median}));
		$results->add_line(
			part => 'latency',
			what => 'idle',
			name => $name,
			title => Bench::Follower->title($name),
			unit => 'ms',
			(map { $_ => $run->{$_} } qw(median p95 max)),
			min => Bench::Verdict::percentile(0, @{ $run->{ms} }),
			says => sprintf('p95 %.2f ms', $run->{p95}),
			usage => Bench::Results::usage($run));
	}
	$latency->finish;
	return;
}

sub measure_sustained
{
	my $sustained = Bench::Sustained->new(
		pair => $pair,
		scale => $option{'rate-scale'},
		seconds => $option{seconds},
		ladder => [ map { $_ + 0 } split(/,/, $option{ladder}) ]);
	my %rates;

	progress('sustained: ' . $sustained->description);
	$sustained->prepare;
	foreach my $name (wanted(qw(native portage)))
	{
		my $run = followed('sustained', $sustained, $name) // next;
		progress("sustained, $name: $run->{rate}/s, $run->{ended}");
		$rates{$name} = $run->{rate};
		$results->add_line(
			part => 'sustained',
			what => 'rate',
			name => $name,
			title => Bench::Follower->title($name),
			unit => 'transactions/s',
			median => $run->{rate},
			steps => $run->{steps},
			ratios => $name eq 'portage' && $rates{native}
			? { native => $run->{rate} / $rates{native} }
			: {},
			ended => $run->{ended},
			usage => Bench::Results::usage($run));
		$results->note("sustained, $name", "ends because $run->{ended}");
	}
	$sustained->finish;
	return;
}

sub followed
{
	my ($part, $object, $name) = @_;
	my $run = eval { $object->run($name) };

	if (!$run)
	{
		my $error = "failed: $@" =~ s/\s+\z//r;
		$name eq 'portage'
		  ? $results->note_wrong("$part, $name", $error)
		  : $results->note("$part, $name", $error);
		return undef;
	}
	$results->note_wrong("$part, $name", $run->{wrong}) if $run->{wrong};
	$results->note_memory("$part, $name", $run->{usage});
	return $run->{wrong} ? undef : $run;
}

# ---- what is printed

sub print_tables
{
	print "\n", $results->table;
	print "\n", $results->usage_table if $option{verbose};
	print "\n" if @verdicts;
	printf("%-7s %s: %s (bar: %s)\n",
		$_->{pass} ? 'reached' : 'MISS', @$_{qw(what figure bar)})
	  foreach @verdicts;
	print "\n" if @{ $results->notes };
	print "note: $_\n" foreach @{ $results->notes };
	print "memory grows: $_\n" foreach @{ $results->memory->{growing} };
	print "\nWRONG: $_\n" foreach @{ $results->wrong };
	printf("\n%.0f s\n", time() - $started);
	return;
}

sub print_json
{
	my %json = (
		postgresql => $version,
		cores => Bench::Run::machine_cores() + 0,
		full => $option{full} ? 1 : 0,
		options => { map { $_ => $option{$_} } keys %option },
		seconds => time() - $started,
		results => $results->lines,
		memory => $results->memory,
		bars => \@verdicts,
		notes => $results->notes,
		wrong => $results->wrong);

	print JSON::PP->new->canonical->pretty->encode(\%json);
	return;
}
