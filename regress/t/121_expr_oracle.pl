# What expressions of rules compute, against what PostgreSQL computes of the same
# values: numerics in all operations and sizes, doubles as text, instants and local
# times in zones, also where clocks are changed. The values are random;
# PORTAGE_SEED=N repeats them.

use strict;
use warnings;

use IPC::Run ();
use List::Util qw(min);
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
note("PORTAGE_SEED=$seed");
diag("PORTAGE_SEED=$seed") if $ENV{PORTAGE_SEED};
srand($seed);

my $tree = $ENV{PORTAGE_TREE};
my $program = PostgreSQL::Test::Utils::tempdir() . '/expr_calc';
my $node = target_new('target', databases => []);
my @libraries = qw(libcrypto sqlite3 icu-i18n libpcre2-8 libpgtypes);

system_or_bail('bash', '-c',
	    "\${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I'$tree/applier' -I'$tree/plugin' "
	  . "-o '$program' '$tree/regress/lib/expr_calc.c' '$tree'/applier/expr/*.c "
	  . "'$tree'/applier/base/{arena,buffer,error,lsn,mem,suggest}.c "
	  . "\$(\${PKG_CONFIG:-pkg-config} --cflags --libs @libraries) -lm");

# Lines of an expression and values, and what the program makes of them.
sub calculated
{
	my ($lines, @options) = @_;
	my $in = join('', map { "$_\n" } @$lines);
	my ($out, $err);

	IPC::Run::run([ $program, @options ], '<', \$in, '>', \$out, '2>', \$err)
	  || die "expr_calc: $err";
	return split(/\n/, $out);
}

# One value for each query.
sub queried
{
	my ($setup, $queries) = @_;
	return split(
		/\n/,
		$node->safe_psql('postgres',
			"SET timezone = 'UTC'; $setup;\n" . join('', map { "SELECT $_;\n" } @$queries)));
}

# All at once: a test for each value would say no more.
sub same_values
{
	my ($what, $lines, $got, $want) = @_;
	my @different =
	  grep { ($got->[$_] // 'nothing') ne ($want->[$_] // 'nothing') } 0 .. $#$lines;

	cmp_ok(scalar(@$want), '==', scalar(@$lines), "$what: PostgreSQL has all values");
	is(scalar(@different), 0, "$what: $#$lines values are the same");
	diag("$lines->[$_]: $got->[$_], PostgreSQL has $want->[$_]")
	  foreach @different[ 0 .. min(9, $#different) ];
	return;
}

sub pick
{
	return $_[ int(rand(@_)) ];
}

# ---- numerics

sub digits
{
	my ($most) = @_;
	return join('', map { pick(0 .. 9, 0, 9) } 1 .. int(rand($most + 1)));
}

sub numeric
{
	return pick(qw(0 0.00 -0 1 -1 0.5 1e3 1.5e-3 .5 5. +7 10000 0.0001 9999.9999))
	  if rand() < 0.05;
	my $size = pick(2, 5, 12, 40, 200);
	my $whole = digits($size);
	my $part = digits($size);
	$whole = '0' if "$whole$part" eq '';
	return pick('', '-') . $whole . ($part ne '' ? ".$part" : '');
}

# The quotient with n digits behind the point, by whole numbers.
my $quotient = <<'SQL';
CREATE FUNCTION pg_temp.quotient(a numeric, b numeric, n int) RETURNS text
LANGUAGE sql AS $$
	SELECT (sign(a) * sign(b) * div(2 * abs(a) * ('1' || repeat('0', n))::numeric + abs(b),
		2 * abs(b)) * ('1e-' || n)::numeric)::text
$$
SQL

my (@lines, @queries);
foreach (1 .. 6000)
{
	my $function = pick(qw(add sub mul div div cmp round scaled));
	my ($a, $b, $n) = (numeric(), numeric(), int(rand(30)) - 8);
	$b = $a if rand() < 0.1;
	$b = '7' if $function =~ /div|scaled/ && $b !~ /[1-9]/;

	if ($function eq 'round')
	{
		push @lines, "dec_round(a0, a1)\t$a\t$n";
		push @queries, "round('$a'::numeric, $n)";
	}
	elsif ($function eq 'scaled')
	{
		$n = abs($n);
		push @lines, "dec_div(a0, a1, a2)\t$a\t$b\t$n";
		push @queries, "pg_temp.quotient('$a', '$b', $n)";
	}
	elsif ($function eq 'cmp')
	{
		push @lines, "dec_cmp(a0, a1)\t$a\t$b";
		push @queries, "sign('$a'::numeric - '$b'::numeric)::int";
	}
	else
	{
		my $sign = { add => '+', sub => '-', mul => '*', div => '/' }->{$function};
		push @lines, "dec_$function(a0, a1)\t$a\t$b";
		push @queries, "'$a'::numeric $sign '$b'::numeric";
	}
}
same_values('numerics', \@lines, [ calculated(\@lines) ], [ queried($quotient, \@queries) ]);

# ---- doubles

sub real
{
	my $kind = int(rand(7));
	return unpack('d', pack('Q', (int(rand(2**32)) << 32) | int(rand(2**32)))) if $kind == 0;
	return unpack('d', pack('Q', int(rand(2**(1 + int(rand(52))))))) if $kind == 1;
	return 2**(int(rand(2098)) - 1074) if $kind == 2;
	return 10**(int(rand(616)) - 308) if $kind == 3;
	return int(rand(10**6)) / 10**int(rand(10)) if $kind == 4;
	return (int(rand(2**53)) - 2**52) * 2**int(rand(20)) if $kind == 5;
	return sprintf('%de%d', int(rand(10**(1 + int(rand(16))))), int(rand(60)) - 30);
}

my @reals = grep { !/nan|inf/i } map { sprintf('%.17g', real()) } 1 .. 20_000;
push @reals, qw(5.948432e+21 2.485848905626044e+17 3.0652e+22 4.9e-324 1e15 1e14 1e-5 -0);
same_values('doubles', \@reals,
	[ calculated([ map { "a0\t$_" } @reals ], '--real') ],
	[
		split(
			/\n/,
			$node->safe_psql('postgres',
				"SELECT x::float8 FROM unnest('{"
				  . join(',', @reals)
				  . "}'::text[]) WITH ORDINALITY AS v (x, i) ORDER BY i"))
	]);

# ---- zones: those whose past is the same in every time zone database of these years

my @zones = qw(
  UTC Europe/Berlin Europe/London Europe/Dublin Europe/Moscow America/New_York
  America/St_Johns America/Caracas America/Sao_Paulo America/Santiago Asia/Kolkata
  Asia/Kathmandu Asia/Tokyo Asia/Pyongyang Asia/Hong_Kong Australia/Lord_Howe
  Australia/Sydney Pacific/Apia Pacific/Chatham Pacific/Kwajalein Antarctica/Troll);

# Where PostgreSQL sees the offset change, to the hour: on days that begin and end
# with different ones.
sub changes
{
	my ($zone) = @_;
	my $offset = "extract(epoch FROM %s AT TIME ZONE '$zone' - %s AT TIME ZONE 'UTC')::int";
	my ($day, $next, $hour, $before) = map { $offset =~ s/%s/($_)/gr } 'd',
	  "d + interval '1 day'", 'h', "h - interval '1 hour'";
	return split(
		/\n/,
		$node->safe_psql('postgres', <<"SQL"));
SET timezone = 'UTC';
SELECT extract(epoch FROM h)::bigint || ' ' || $hour
FROM generate_series('1971-01-01'::timestamptz, '2022-01-01', '1 day') AS d,
	generate_series(d + interval '1 hour', d + interval '1 day', '1 hour') AS h
WHERE $day <> $next AND $hour <> $before
SQL
}

sub time_text
{
	my ($seconds) = @_;
	my ($s, $m, $h, $day, $month, $year) = gmtime($seconds);
	return sprintf('%04d-%02d-%02d %02d:%02d:%02d%s',
		$year + 1900, $month + 1, $day, $h, $m, $s,
		pick('', '', '.5', '.000001', '.999999', '.12'));
}

(@lines, @queries) = ();
foreach my $zone (@zones)
{
	my @near = map { [ split(/ /, $_) ] } changes($zone);
	push @near, map { [ int(rand(1_600_000_000)) + 40_000_000, 0 ] } 1 .. 100;
	foreach my $change (@near)
	{
		my ($instant, $offset) = @$change;
		foreach my $step (map { pick(-3601, -3600, -1800, -1, 0, 1, 1800, 3599, 3600, 86400,
				-86400, int(rand(180_000)) - 90_000) } 1 .. 4)
		{
			my $local = time_text($instant + $offset + $step);
			my $utc = time_text($instant + $step) . pick('+00', '+05:45', '-03:30', '-00:44:30');
			push @lines, map { "at_time_zone(a0, a1)\t$_\t$zone" } $local, $utc;
			push @queries, "timestamp '$local' AT TIME ZONE '$zone'",
			  "timestamptz '$utc' AT TIME ZONE '$zone'";
		}
	}
}
foreach my $time ('0044-03-15 12:00:00+00 BC', '0001-01-01 00:30:00+01', '4714-11-24 00:00:00+00 BC',
	'294276-12-31 23:59:59.999999+00', 'infinity', '-infinity', '1999-12-31 23:59:59.999999+00')
{
	push @lines, "at_time_zone(a0, a1)\t$time\tUTC";
	push @queries, "timestamptz '$time' AT TIME ZONE 'UTC'";
}
same_values('zones', \@lines, [ calculated(\@lines) ], [ queried('SET datestyle = ISO', \@queries) ]);

done_testing();
