# What a person sees of a stream: on a terminal, in the log, in status.

use strict;
use warnings;

use JSON::PP ();
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @here = endpoints($source, $target);

pgbench_init($source, 'app');
portage_ok('run', @here, '--until', 'caught-up');

sub status
{
	return JSON::PP::decode_json(portage_ok('status', @here, '--json')->{out});
}

is(status()->{stream}{rates}, undef, 'no rates where no applier is at work');

# ---- the log: nothing is drawn where nobody can see it
my $load = pgbench_start($source, 'app', clients => 2, seconds => 120);
my $run = portage_start('run', @here);
wait_for_stream($target, 'app');
my $number = qr/-?\d+(?:\.\d+)?/;
my $size = qr/$number (?:bytes|kB|MB|GB)/;
my $line = qr{
	streaming\ at\ [0-9A-F]+/[0-9A-F]+:\ $size(?:,\ $number\ s)?\ behind,\ catches\ up:\ [^;]+;
	\ applies\ $number(?:\ [kM])?\ rows/s,\ $size/s\ of\ WAL;\ the\ source\ writes\ $size/s\n}x;
wait_for_err($run, $line);
unlike($run->stderr, qr/\e/, 'no escape sequence in a log');

# ---- status, under load
my $rates;
wait_for(
	sub {
		$rates = status()->{stream}{rates};
		return defined $rates && $rates->{rows_per_second} > 0;
	},
	'rates in status');
cmp_ok($rates->{drained_bytes_per_second}, '>', 0, 'WAL is applied');
cmp_ok($rates->{written_bytes_per_second}, '>', 0, 'WAL is written');
ok(exists $rates->{catch_up_seconds}, 'a time to catch up, or never');
my $text = portage_ok('status', @here)->{out};
like(
	$text,
	qr{^rates:\s+applies $number(?: [kM])? rows/s, $size/s of WAL; the source writes $size/s$}m,
	'rates for people');
like($text, qr/^catch-up: +(?:never|\d+ .+)$/m, 'the time to catch up for people');
$run->term;
is($run->wait_exit->{rc}, 0, 'the stream ends');

# ---- a terminal
my $screen = PostgreSQL::Test::Utils::tempdir() . '/screen';
my $end = $source->safe_psql('app', 'SELECT pg_current_wal_lsn() + 16777216');
my $command = join(' ', map { "'$_'" } PortageTest::portage_binary(), 'run', @here, '--until', $end);
my $terminal = PortageTest::Process->start(
	{ PGPASSFILE => PortageTest::password_file(), TERM => 'xterm' },
	'script', '--quiet', '--flush', '--return', '--command', $command, $screen);

sub shown
{
	return -e $screen ? slurp_file($screen) : '';
}
wait_for(
	sub { (() = shown() =~ /streaming at [^\r\n]+ behind, catches up: [^\r\n]+\r\n  applies /g) > 2 },
	'lines that are drawn again');
like(shown(), qr/\e\[2A\r\e\[Jstreaming at /, 'in the place of those before');
$source->safe_psql('app', 'SELECT pg_switch_wal()') while lsn(current_lsn($source)) <= lsn($end);
is($terminal->wait_exit->{rc}, 0, 'the stream ends');
like(shown(), qr/\e\[2A\r\e\[Jpg_portage: info: done/, 'and the log follows without them')
  || diag(substr(shown(), -500));

# ---- quiet
my $quiet = portage_start('run', @here, '--quiet');
wait_for_stream($target, 'app', undef, $quiet);
wait_for_applied($source, $target, 'app', 'app');
is($quiet->stderr, '', '--quiet says nothing');
$quiet->term;
$quiet->wait_exit;
$load->term;
$load->wait_exit;

done_testing();
