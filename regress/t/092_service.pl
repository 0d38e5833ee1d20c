# The systemd unit as installed: systemd reads it without a complaint, it starts
# the program that was installed, and its restarts agree with the exit codes.

use strict;
use warnings;

use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $lib = "$ENV{PG_PREFIX}/usr/local/lib";
my $unit = "$lib/systemd/system/pg_portage\@.service";
ok(-s $unit, 'the unit is installed') || die("no $unit");
my $text = slurp_file($unit);

# ---- the settings that other things depend on
my %setting;
push @{ $setting{$1} }, $2 while $text =~ /^(\w+)=(.*)$/mg;
my ($program, $arguments) = $setting{ExecStart}[0] =~ /\A(\S+) (.*)/;
is($ENV{PG_PREFIX} . $program, $ENV{PORTAGE_BIN}, 'the installed program');
is( $arguments,
	'run --source ${SOURCE} --target ${TARGET} $OPTIONS',
	'URLs are one word each, options are as many as they are');
# With a configuration URLs are not set, and words all the same.
like(join(' ', @{ $setting{Environment} }),
	qr/ SOURCE= TARGET= OPTIONS=/, 'none of the three has to be set');
my %value = (SOURCE => '', TARGET => '', OPTIONS => '--config /none/shop.yaml');
my $started = portage(
	map { /\A\$\{(\w+)\}\z/ ? $value{$1} : /\A\$(\w+)\z/ ? split(' ', $value{$1}) : $_ }
	  split(' ', $arguments));
is($started->{rc}, 2, 'OPTIONS alone, with a configuration that is not there');
like($started->{err}, qr{/none/shop\.yaml cannot be read}, 'is what is looked for');
like(slurp_file("$lib/sysusers.d/pg_portage.conf"),
	qr/^u \Q$setting{User}[0]\E /m, 'its user is created');

my ($codes) = portage_ok('--help')->{out} =~ /^Exit codes:\n((?: .*\n)+)/m;
my %meaning = $codes =~ /^ +(\d+) +(.*)$/mg;
my @stays = split(' ', $setting{RestartPreventExitStatus}[0]);
is($setting{Restart}[0], 'on-failure', 'a failure is tried again');
like($meaning{3}, qr/reached/, 'exit code 3: a server is away');
ok(!grep({ $_ == 3 } @stays), 'which is tried again');
ok(exists $meaning{$_}, "exit code $_ exists, and stays") foreach @stays;
is_deeply([ grep { !/\A[013]\z/ } sort { $a <=> $b } keys %meaning ],
	\@stays, 'as do all others that run can end with');

# ---- systemd's opinion
SKIP:
{
	my ($analyze) = grep { -x } map { "$_/systemd-analyze" }
	  split(/:/, $ENV{PATH});
	skip('no systemd-analyze', 1) unless defined $analyze;

	# It looks for the program where the unit says, which is not installed.
	my $copy = "$ENV{TESTDIR}/pg_portage\@.service";
	$text =~ s/\A(.*^ExecStart=)\Q$program\E/$1$ENV{PORTAGE_BIN}/ms;
	append_to_file($copy, $text);
	foreach my $words ([ 'verify', '--man=no', $copy ],
		[ 'security', '--offline=true', '--threshold=25', $copy ])
	{
		my ($out, $err) = ('', '');
		ok( IPC::Run::run([ $analyze, @$words ],
				'<', \undef, '>', \$out, '2>', \$err),
			"systemd-analyze $words->[0]");
		is($err, '', "systemd-analyze $words->[0] complains of nothing");
		note($out);
	}

	# The check finds something when there is something.
	append_to_file($copy, "Restart=sometimes\n");
	my ($out, $err) = ('', '');
	IPC::Run::run([ $analyze, 'verify', '--man=no', $copy ],
		'<', \undef, '>', \$out, '2>', \$err);
	isnt($err, '', 'a wrong unit is noticed');
}

done_testing();
