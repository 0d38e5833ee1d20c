# What a person sees of the copy and the stream: on a terminal, in the log, in status.

use strict;
use warnings;

use JSON::PP ();
use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', databases => [ 'app', 'more' ]);
my $target = target_new('target', databases => [ 'app', 'more' ]);
my @here = endpoints($source, $target);

my $number = qr/-?\d+(?:\.\d+)?/;
my $size = qr/$number (?:bytes|kB|MB|GB)/;
my $screen = PostgreSQL::Test::Utils::tempdir() . '/screen';

sub status
{
	return JSON::PP::decode_json(portage_ok('status', @here, '--json')->{out});
}

# What has been drawn on the terminal so far.
sub shown
{
	return -e $screen ? slurp_file($screen) : '';
}

sub on_terminal
{
	my ($environment, @arguments) = @_;
	my $command = join(' ', map { "'$_'" } PortageTest::portage_binary(), @arguments);

	return PortageProcess->start(
		{ PGPASSFILE => PortageTest::password_file(), TERM => 'xterm', %$environment },
		'script', '--quiet', '--flush', '--return', '--command', $command, $screen);
}

# ---- a copy that is held before it commits
pgbench_init($source, 'app', scale => 2);
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my $hits = PostgreSQL::Test::Utils::tempdir() . '/hits';
my $copy = on_terminal(
	{
		PG_PORTAGE_FAILPOINT => 'copy-loaded:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume,
		PG_PORTAGE_FAILPOINT_LOG => $hits
	},
	'run', @here, '--until', 'caught-up', '--jobs', '1');
my ($total, $table);
wait_for(
	sub {
		($total, $table) =
		  shown() =~ /(copy: 0 of 4 tables[^\r\n]+)\r\n  public\.pgbench_accounts: (200\.0 k[^\r\n]+)\r\n/;
	},
	'a line for the table');
like($total, qr{, $number(?: [kM])? rows, $size of $size, $size/s}, 'a line for all');
like($table, qr{^200\.0 k rows, $size of $size, $size/s}, 'its rows, bytes and speed');
# what was sent may not have arrived yet
wait_for(sub { -e $hits && slurp_file($hits) =~ /^copy-loaded$/m },
	'the target to have it');
my $held = status()->{copy};
is($held->{tables}, 4, 'status: tables');
is($held->{tables_done}, 0, 'none is done');
is($held->{bytes_per_second}, 0, 'nothing moves');
is($held->{eta_seconds}, undef, 'so it never ends');
append_to_file($resume, '');
is($copy->wait_exit->{rc}, 0, 'the copy ends');
like(shown(), qr/\e\[\dA\r\e\[Jpg_portage: info: copy: 4 of 4 tables, 200\.0 k rows, /,
	'with its totals');
$held = status()->{copy};
is("$held->{tables_done} $held->{rows} $held->{bytes_left}", '4 200022 0', 'status: all is copied');

sessions_end($target);
is(status()->{stream}{rates}, undef, 'no rates where no applier is at work');

# ---- what the target has and cannot show yet
my @more = endpoints($source, $target, 'more');
pgbench_init($source, 'more');
unlink($resume);
$copy = portage_start(
	'run', @more, '--until', 'caught-up', '--jobs', '1',
	env => {
		PG_PORTAGE_FAILPOINT => 'copy-started:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume
	});
wait_for(
	sub {
		my $result = portage('status', @more, '--json');
		$held = $result->{rc} == 0 ? JSON::PP::decode_json($result->{out})->{copy} : undef;
		return $held && @{ $held->{active} } && $held->{active}[0]{rows} > 0;
	},
	'rows that are being loaded');
is($held->{active}[0]{schema} . '.' . $held->{active}[0]{name},
	'public.pgbench_accounts', 'of the biggest table');
cmp_ok($held->{active}[0]{bytes}, '>', 0, 'with their bytes');
is("$held->{rows} $held->{bytes}",
	"$held->{active}[0]{rows} $held->{active}[0]{bytes}",
	'they count, nothing else is there yet');
cmp_ok($held->{bytes_left}, '>', 1e6, 'the rest is still to come');
like(portage_ok('status', @more)->{out},
	qr/^ +public\.pgbench_accounts: \d+ rows, $size not committed$/m, 'the same for people');
append_to_file($resume, '');
is($copy->wait_exit->{rc}, 0, 'the copy ends');

# ---- the log: nothing is drawn where nobody can see it
# at most some kB each, so that a megabyte of WAL takes more than a second
my $load = pgbench_start($source, 'app', clients => 2, args => [ '--rate' => 40 ]);
my $run = portage_start('run', @here);
wait_for_stream($target, 'app');
my $line = qr{
	streaming\ at\ [0-9A-F]+/[0-9A-F]+:\ $size(?:,\ $number\ s)?\ behind,\ catches\ up:\ [^;]+;
	\ applies\ $number(?:\ [kM])?\ rows/s,\ $size/s\ of\ WAL;\ the\ source\ writes\ $size/s\n}x;
wait_for_err($run, $line);
unlike($run->stderr, qr/\e/, 'no escape sequence in a log');

# ---- status, under load
my $rates;
wait_for(
	sub {
		# of a moment in which both sides were at work: each may pause
		$rates = status()->{stream}{rates};
		return defined $rates
		  && $rates->{rows_per_second} > 0
		  && $rates->{written_bytes_per_second} > 0;
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

# ---- a terminal, for longer than the load writes so much
my $end = $source->safe_psql('app', 'SELECT pg_current_wal_lsn() + 134217728');
unlink($screen);
my $terminal = on_terminal({}, 'run', @here, '--until', $end);
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
pgbench_stop($source, $load);

done_testing();
