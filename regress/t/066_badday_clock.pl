# The wall clock of the applier's machine set forth and back, by years, before
# it starts and while it runs, in the copy, in the stream and while a server is
# away. No decision may read it: everything is copied, applied and confirmed as
# ever, waits take as long as ever, and only a lag that is shown may be wrong.
# Which bad day is where: regress/README.md.

use strict;
use warnings;

use JSON::PP ();
use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $years = 10 * 365 * 86400;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $library = "$folder/shift_clock.so";
my $clock = "$folder/clock";
my $source = source_new('source');
my $target = target_new('target', databases => []);
my $sides = PortageBadDay->new($source, $target);
my @tables = qw(t u);
my %shifted = (LD_PRELOAD => $library, SHIFT_CLOCK => $clock);

system_or_bail('cc', '-shared', '-fPIC', '-o', $library,
	"$ENV{PORTAGE_TREE}/regress/lib/shift_clock.c", '-ldl');
pair_create($source, 3000);

sub clock_set
{
	my ($seconds) = @_;
	open(my $file, '>', "$clock.new") || die "$clock: $!";
	print $file "$seconds\n";
	close($file) || die "$clock: $!";
	rename("$clock.new", $clock) || die "$clock: $!";
	return;
}

sub shown_by_status
{
	return JSON::PP::decode_json(
		portage_ok('status', $sides->urls, '--json', env => \%shifted)->{out});
}

# What it says by the clock of the program itself: the shim works.
sub year_of
{
	local %ENV = (%ENV, %shifted);
	my $year = `date -u +%Y`;
	chomp($year);
	return $year;
}

clock_set(0);
my $now = year_of();
foreach my $shift ($years, -$years)
{
	clock_set($shift);
	is(year_of() <=> $now, $shift <=> 0, "the clock is set by $shift s");
}

foreach my $shift ($years, -$years)
{
	# ---- from the beginning
	clock_set($shift);
	begin_anew($source, $target);
	my $process = portage_start('run', $sides->urls, env => \%shifted);
	wait_for_stream($target, 'app', 'app', $process);
	pair_write($source);
	wait_for_applied($source, $target);

	# ---- while it streams
	foreach my $other (-$shift, 0, $shift)
	{
		clock_set($other);
		my $confirmed = lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn});
		pair_write($source);
		wait_for_applied($source, $target);
		wait_for(
			sub {
				lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn}) >
				  $confirmed;
			},
			'more to be confirmed');
		my $shown = shown_by_status();
		cmp_ok($shown->{stream}{lag_bytes}, '<', 1_000_000,
			"clock set by $other s: the lag in bytes is right");
		cmp_ok($shown->{stream}{lag_seconds}, '>=', 0,
			"clock set by $other s: the lag in seconds is not below zero");
	}
	unlike($process->stderr, qr/warning|error/,
		"clock set by $shift s: nothing was tried again");

	# ---- while a server is away: neither is it given up at once, nor does a
	# pause last for years
	$target->stop('fast');
	wait_for_err($process, qr/trying again: .*cannot connect/);
	clock_set(-$shift);
	pair_write($source);
	$target->start;
	wait_for_applied($source, $target);
	ok($process->running, "clock set by $shift s: the same applier goes on");
	$process->term;
	is($process->wait_exit->{rc}, 0, 'and ends when told to');
	unlike($process->stderr, qr/error:/, 'it was no error');
	tables_equal($source, 'app', $target, 'app', map { "public.$_" } @tables);
	PortageFault::progress_ok($source, $target, 'app', 'app');

	# ---- how long it is tried is counted by another clock
	clock_set($shift);
	$process = portage_start('run', $sides->urls, '--retry-for' => '3s',
		env => \%shifted);
	wait_for_err($process, qr/streaming from/);
	$target->stop('fast');
	wait_for_err($process, qr/trying again/);
	clock_set(-$shift);
	my $end = $process->wait_exit;
	$sides->told(
		{ rc => $end->{rc}, err => $process->stderr },
		what => 'given up in time',
		rc => 3, code => 'P0305',
		words => qr/gave up after \d{1,2}\.\d s/,
		hint => qr/nothing was lost/);
	$target->start;
	pair_write($source);
	portage_ok('run', $sides->urls, '--until', 'caught-up', env => \%shifted);
	tables_equal($source, 'app', $target, 'app', map { "public.$_" } @tables);
}

done_testing();
