# The command line: help, mistakes, refusals of servers before anything is
# begun, and what check, status and drop print.

use strict;
use warnings;

use IO::Pty ();
use IPC::Run ();
use JSON::PP ();
use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my @commands = qw(check plan run status finish drop);
my $secret = 'very:secret@word';
my @written;    # everything that any command has written here

sub fails
{
	my ($rc, $code, $words, @arguments) = @_;
	my $result = portage(@arguments);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	push @written, $result->{out} . $result->{err};
	is($result->{rc}, $rc, "@arguments: exits with $rc")
	  || diag($result->{out} . $result->{err});
	error_ok($result, $code, $words, "@arguments");
	return $result;
}

sub works
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_ok(@_);
	push @written, $result->{out} . $result->{err};
	return $result;
}

# ---- help and version
foreach my $words ([], map { [$_] } @commands)
{
	my $result = works(@$words, '--help');
	like($result->{out}, qr/^Usage:$/m, "@$words --help: usage");
	like($result->{out}, qr/--help.*--version/s, "@$words --help: options");
	is($result->{err}, '', "@$words --help: nothing but that");
	unlike($result->{out}, qr/.{81}/, "@$words --help: 80 columns");
	like(works(@$words, '--version')->{out},
		qr/\Apg_portage \d+\.\d+\.\d+\n\z/, "@$words --version");
}
my $help = works('-h')->{out};
like($help, qr/^  $_ /m, "--help names $_") foreach @commands;
like(works('run', '-h')->{out}, qr/--until END/, 'run --help has its options');
unlike(works('drop', '-h')->{out}, qr/--until/, 'drop --help has not');

# ---- failpoints, for tests
my $list = works('--list-failpoints')->{out};
cmp_ok(scalar(() = $list =~ /^[a-z]+(?:-[a-z]+)*$/mg),
	'>', 30, '--list-failpoints: one name a line');

# ---- mistakes
my @here = ('--source', 'postgresql://a@127.0.0.1:1/app',
	'--target', 'postgresql://a@127.0.0.1:1/app');
fails(2, 'P0101', qr/a command is missing/);
like(fails(2, 'P0101', qr/there is no command "chekc"/, 'chekc')->{err},
	qr/hint: did you mean check\?/, 'a command is suggested');
fails(2, 'P0101', qr/there is no command "xyzzy"/, 'xyzzy');
like(
	fails(2, 'P0101', qr/there is no option --sorce/, 'run', '--sorce', 'x')
	  ->{err},
	qr/hint: did you mean --source\?/,
	'an option is suggested');
fails(2, 'P0101', qr/there is no option -Z/, 'run', '-Z');
fails(2, 'P0101', qr/--source needs a value/, 'run', '--source');
fails(2, 'P0101', qr/--takeover takes no value/, 'run', '--takeover=1');
fails(2, 'P0101', qr/--name is given twice/,
	'run', @here, '--name', 'a', '--name', 'b');
fails(2, 'P0101', qr/"more" is one word too many/, 'run', 'more', @here);
fails(2, 'P0101', qr/check does not take --until/,
	'check', @here, '--until', 'caught-up');
fails(2, 'P0101', qr/status does not take --yes/, 'status', @here, '--yes');
fails(2, 'P0101', qr/--target URL is missing/, 'run', @here[ 0, 1 ]);
fails(2, 'P0101', qr/--source URL is missing/, 'run', @here[ 2, 3 ]);
fails(2, 'P0101', qr/--source URL or --target URL is missing/, 'status');
fails(2, 'P0105', qr/--quiet and --verbose exclude/, 'run', @here, '-q', '-v');

my @urls = (
	[ '127.0.0.1', qr/has no scheme/ ],
	[ 'mongodb://a/b', qr/no driver for a source URL of mongodb:/ ],
	[ 'postgresql://a@h/app?colour=red', qr/source URL/ ],
	[ 'host=h colour=red', qr/source URL/ ]);
fails(2, 'P0102', $_->[1], 'run', '--source', $_->[0], @here[ 2, 3 ])
  foreach @urls;
fails(2, 'P0103', qr/"\Q$_\E" cannot be the name/, 'run', @here, '--name', $_)
  foreach 'Shop', 'a-b', '', 'a b', "a\x{27}b", 'x' x 41;
fails(2, 'P0103', qr/without --source, --name/, 'status', @here[ 2, 3 ]);
fails(2, 'P0104', qr/--tables: .* at position \d+/, 'run', @here, '--tables', $_)
  foreach 'a.b.c.d', '"open', 'a,,b';
fails(2, 'P0104', qr/--exclude-tables is longer than/,
	'run', @here, '--exclude-tables', join(',', ('table') x 1000));
fails(2, 'P0105', qr/--until takes/, 'run', @here, '--until', $_)
  foreach 'tomorrow', '0/0', '';
fails(2, 'P0105', qr/--retry-for takes/, 'run', @here, '--retry-for', $_)
  foreach '10', '5 weeks', '-1s', '';
fails(2, 'P0105', qr/--jobs takes/, 'run', @here, '--jobs', $_)
  foreach '0', '65', 'many', '';
fails(2, 'P0105', qr/--target-synchronous-commit takes/,
	'run', @here, '--target-synchronous-commit', 'maybe');

# ---- servers that cannot be reached
fails(3, 'P0301', qr/cannot connect to the source 127\.0\.0\.1:1\/app/,
	$_, @here, ($_ eq 'drop' ? '--yes' : ()))
  foreach grep { $_ ne 'check' && $_ ne 'status' } @commands;
fails(3, 'P0301', qr/cannot connect to the target/, 'status', @here);
my $result = portage_fails(3, 'check', @here);
like($result->{out}, qr/^$_\n  error    P0301 cannot connect/m,
	"check shows that the $_ cannot be reached")
  foreach 'source', 'target';

# what cannot be resolved is known at once
foreach my $host ('127.0.0.1:port', 'nosuchhost.invalid')
{
	my $begun = Time::HiRes::time();
	fails(3, 'P0301', qr/cannot connect to the source/,
		'run', '--source', "postgresql://a\@$host/app", @here[ 2, 3 ]);
	cmp_ok(Time::HiRes::time() - $begun, '<', 9, "$host: without waiting");
}

# ---- real ones
my $source = source_new('source', databases => [qw(app empty)]);
my $target = target_new('target', databases => [qw(app other)]);
my @ends = endpoints($source, $target);
my $target_url = target_url($target, 'app');
$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE "No Key" (v text);
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS x;
INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i;
SQL
# A password that is wrong, in every place where one can be written. It is
# nowhere in what is written, nor in the arguments that others can see.
(my $with_secret = source_url($source, 'app')) =~
  s/\@/':' . 'very%3Asecret%40word' . '@'/e;
foreach my $url ($with_secret,
	source_url($source, 'app') . '?password=very%3Asecret%40word',
	sprintf("host=127.0.0.1 port=%d user=%s dbname=app password='%s'",
		$source->port, SOURCE_ROLE, $secret))
{
	$result = portage('run', '--source', $url, '--target', $target_url);
	push @written, $result->{out} . $result->{err};
	is($result->{rc}, 3, 'a wrong password: exit code 3');
	error_ok($result, 'P0302', qr/password authentication failed/,
		'a wrong password');
}
$result = portage('run', @ends, env => { PGPASSFILE => '/dev/null' });
is($result->{rc}, 3, 'no password: exit code 3') || diag($result->{err});
like($result->{err}, qr/no password supplied/, 'no password');
fails(3, 'P0302', qr/database "nowhere" does not exist/,
	'run', '--source', source_url($source, 'nowhere'), '--target', $target_url);
# libpq itself quotes a URL that it cannot read
foreach my $url (
	'postgresql://u:very%3Asecret%40word@h:port/app',
	'postgresql://u:very:secret@word@h:port/app',
	"host=h password='$secret' colour=red")
{
	$result = portage('run', '--source', $url, '--target', $target_url);
	push @written, $result->{out} . $result->{err};
	like($result->{rc}, qr/\A[23]\z/, 'a bad URL with a password is refused');
	# a misplaced argument
	$result = portage('run', $url);
	push @written, $result->{out} . $result->{err};
}
my $process = portage_start(
	'run',
	'--source' => $with_secret,
	'--target' => $target_url,
	'--verbose',
	env => {
		PG_PORTAGE_FAILPOINT => 'target-connected:pause,source-connected:pause',
		PG_PORTAGE_FAILPOINT_RESUME => '/nowhere/at/all'
	});
wait_for(
	sub {
		my $line = slurp_file('/proc/' . $process->pid . '/cmdline');
		# of pg_portage, not of the one who starts it
		$line =~ /pg_portage\0run\0/ && $line !~ /secret/;
	},
	'the password to be hidden from ps');
my $line = slurp_file('/proc/' . $process->pid . '/cmdline');
like($line, qr/portage_src:\*+\@127/, 'only the password is hidden');
$process->kill9;
push @written, $process->stdout . $process->stderr;
unlike(join('', @written), qr/secret/, 'no password in any output');

# ---- roles and settings of the source
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' NOREPLICATION');
$result = fails(2, 'P0204', qr/replication role|may not replicate/, 'run', @ends);
like($result->{err}, qr/hint: ALTER ROLE \S+ REPLICATION/, 'with what to do');
like(portage_fails(1, 'check', @ends)->{out}, qr/^  error    P0204 the role/m,
	'check says it, too');
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' REPLICATION');

my $slots = $source->safe_psql('postgres', 'SHOW max_replication_slots');
$source->safe_psql('app',
	"SELECT pg_create_physical_replication_slot('s' || i)"
	  . " FROM generate_series(1, $slots) i");
fails(2, 'P0202', qr/no replication slot is free/, 'run', @ends);
$source->safe_psql('app',
	'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');

# A role that may do everything there: nothing is left in the source.
$source->safe_psql('postgres', 'CREATE DATABASE bare OWNER ' . SOURCE_ROLE);
fails(2, 'P0212', qr/are the database "bare" of the same cluster/,
	'run', '--source', source_url($source, 'bare'),
	'--target', source_url($source, 'bare'));
is($source->safe_psql('bare', q{SELECT to_regnamespace('portage') IS NULL}),
	't', 'source = target: nothing is created');

if (server_knows($source, 'output_plugin_libraries'))
{
	$source->append_conf('postgresql.conf',
		"output_plugin_libraries = 'pgoutput'");
	$source->reload;
	fails(2, 'P0206', qr/pg_portage/, 'run', @ends);
	$source->append_conf('postgresql.conf',
		"output_plugin_libraries = 'pgoutput,test_decoding,pg_portage'");
	$source->reload;
}

$source->safe_psql('app', 'REVOKE SELECT ON t FROM ' . SOURCE_ROLE);
fails(2, 'P0210', qr/table public\.t/, 'run', @ends);
$source->safe_psql('app', 'GRANT SELECT ON t TO ' . SOURCE_ROLE);

$source->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($source, 'base', has_streaming => 1);
$standby->start;
PortageTest::password_remember($standby, SOURCE_ROLE);
fails(2, 'P0207', qr/is a standby/,
	'run', '--source', source_url($standby, 'app'), '--target', $target_url);
$standby->stop;

my $physical = source_new('physical', extension => 0);
$physical->append_conf('postgresql.conf', 'wal_level = replica');
$physical->restart;
fails(2, 'P0201', qr/wal_level is replica/,
	'run', '--source', source_url($physical, 'app'), '--target', $target_url);
$physical->stop;

is($target->safe_psql('app', q{SELECT to_regnamespace('portage') IS NULL
	OR to_regclass('portage.progress') IS NULL
	OR NOT EXISTS (SELECT FROM pg_class WHERE relname = 't')}),
	't', 'nothing was begun on the target');
is($source->safe_psql('app', 'SELECT count(*) FROM pg_replication_slots'),
	0, 'nor on the source');

# ---- check
$result = portage_ok('check', @ends);
like(
	$result->{out},
	qr/^source: table public\.No Key\n  warning  P0414 it has no usable/m,
	'check: a table without identity');
like($result->{out},
	qr/^source: table public\.fleeting\n  warning        it is unlogged/m,
	'check: an unlogged table');
like(
	$result->{out},
	qr/^source: materialized view public\.m\n  note           its definition/m,
	'check: a materialized view');
like($result->{out}, qr/^0 errors, 2 warnings, \d+ notes?$/m,
	'check: the sum');
portage_fails(1, 'check', @ends, '--strict');
portage_ok('check', @ends, '--strict', '--tables', 'public.t');
$result = portage_ok('check', @ends, '--quiet');
unlike($result->{out}, qr/^  (?:ok|note) /m, 'check --quiet: what matters');

my $json = JSON::PP::decode_json(portage_ok('check', @ends, '--json')->{out});
is($json->{format}, 1, 'check --json: format 1');
is($json->{name}, 'app', 'check --json: name');
is_deeply([ @{$json}{qw(errors warnings)} ], [ 0, 2 ], 'check --json: sums');
my ($finding) = grep { ($_->{code} // '') eq 'P0414' } @{ $json->{findings} };
is($finding->{severity}, 'warning', 'check --json: severity');
like($finding->{object}, qr/No Key/, 'check --json: object');
like($finding->{message}, qr/no usable replica identity/, 'check --json: message');
like($finding->{remedy}, qr/REPLICA IDENTITY FULL/, 'check --json: remedy');
is(scalar(grep { !defined $_->{severity} || !defined $_->{object}
	  || !defined $_->{message} || !exists $_->{code} || !exists $_->{remedy} }
		  @{ $json->{findings} }), 0, 'check --json: every finding is complete');
$json = JSON::PP::decode_json(
	portage_ok('check', endpoints($source, $target, 'app'),
		'--tables', 'public.nothing', '--json')->{out});
ok((grep { $_->{message} =~ /no table to migrate/ } @{ $json->{findings} }),
	'check: patterns that match nothing');
$result = portage('check', '--source', source_url($source, 'app'),
	'--target', 'postgresql://a@127.0.0.1:1/app', '--json');
is($result->{rc}, 3, 'check: one side away: exit code 3');
$json = JSON::PP::decode_json($result->{out});
ok((grep { ($_->{code} // '') eq 'P0301' && $_->{object} eq 'target' }
		@{ $json->{findings} }), 'check: which is a finding');
ok((grep { ($_->{code} // '') eq 'P0414' } @{ $json->{findings} }),
	'check: the other side is looked at all the same');

# ---- status, before there is anything
fails(4, 'P0422', qr/has no migration "app"/, 'status', @ends);
fails(4, 'P0422', qr/has no migration "unknown"/,
	'status', @ends, '--name', 'unknown');
fails(4, 'P0422', qr/has no migration "app"/, 'finish', @ends);

# ---- status in each phase
my %phase = (
	slot => 'slot-created',
	schema => 'schema-dumped',
	copy => 'copy-before-commit',
	stream => 'batch-committed:2');
foreach my $phase (qw(slot schema copy stream))
{
	my $run = portage('run', @ends,
		env => { PG_PORTAGE_FAILPOINT => "$phase{$phase}" =~ s/\A([^:]+)/$1:kill/r });
	is($run->{signal}, 9, "killed in phase $phase") || diag($run->{err});
	sessions_end($source, $target);

	my $out = portage_ok('status', @ends)->{out};
	like($out, qr/^migration: +app$/m, "$phase: name");
	like($out, qr/^phase: +$phase$/m, "$phase: phase");
	like($out, qr/^applier: +none is running$/m, "$phase: applier");
	like($out, qr/^slot: +portage_app, .*confirmed [0-9A-F]+\/[0-9A-F]+, keeps/m,
		"$phase: slot");
	$json = JSON::PP::decode_json(portage_ok('status', @ends, '--json')->{out});
	is($json->{format}, 1, "$phase: format 1");
	is($json->{phase}, $phase, "$phase: phase in JSON");
	is($json->{applier}, undef, "$phase: applier in JSON");
	ok($json->{source}{reached} && $json->{target}{reached},
		"$phase: both sides reached");
	is($json->{slot}{name}, 'portage_app', "$phase: slot in JSON");
	ok($json->{slot}{exists} && $json->{slot}{ours} && !$json->{slot}{invalid},
		"$phase: the slot is well");
	is(!!$json->{stream}, $phase eq 'stream', "$phase: stream in JSON");
}
is($json->{copy}{chunks}, $json->{copy}{chunks_done}, 'the copy is done');
cmp_ok($json->{copy}{rows}, '>=', 100, 'with its rows');
cmp_ok($json->{stream}{lag_bytes}, '>=', 0, 'lag in bytes');
cmp_ok($json->{stream}{lag_seconds}, '>=', 0, 'lag in seconds');
like($json->{stream}{resume_lsn}, qr{\A[0-9A-F]+/[0-9A-F]+\z}, 'a position');

# With an applier, with one side, with one side down, of another server.
$process = portage_start('run', @ends);
wait_for_err($process, qr/streaming from/);
$json = JSON::PP::decode_json(portage_ok('status', @ends, '--json')->{out});
like($json->{applier}, qr/^process \d+ \(pg_portage app apply\)/, 'who runs');
wait_for(
	sub {
		JSON::PP::decode_json(portage_ok('status', @ends, '--json')->{out})
		  ->{slot}{active};
	},
	'the slot to be active');
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped');
$json = JSON::PP::decode_json(
	portage_ok('status', '--target', $target_url, '--name', 'app', '--json')
	  ->{out});
is($json->{source}, undef, 'the target alone');
is($json->{slot}, undef, 'knows no slot');
$json = JSON::PP::decode_json(
	portage_ok('status', '--source', source_url($source, 'app'), '--json')
	  ->{out});
is($json->{phase}, undef, 'the source alone knows no phase');
ok($json->{slot}{exists}, 'but the slot');
$json = JSON::PP::decode_json(
	portage_ok('status', '--source', 'postgresql://a@127.0.0.1:1/app',
		'--target', $target_url, '--json')->{out});
is($json->{source}{error}{code}, 'P0301', 'a source that is down is told of');
is($json->{phase}, 'stream', 'and the target answers');
$json = JSON::PP::decode_json(
	portage_ok('status', '--source', source_url($source, 'empty'),
		'--target', $target_url, '--name', 'app', '--json')->{out});
ok($json->{other_source}, 'another database is not the source');

# ---- the same migration with other patterns
fails(2, 'P0105', qr/begun with another --tables/,
	'run', @ends, '--tables', 'public.t');

# ---- drop
fails(2, 'P0106', qr/asks on the terminal/, 'drop', @ends);
ok(slot_row($source, 'portage_app') && progress_row($target, 'app', 'app'),
	'nothing is dropped without an answer');

# Asked on a terminal.
sub drop_on_terminal
{
	my ($answer) = @_;
	my $screen = '';
	my $keys = "$answer\n";
	my $timer = IPC::Run::timeout(60);
	local $ENV{PGPASSFILE} = PortageTest::password_file();
	my $run = IPC::Run::start([ $ENV{PORTAGE_BIN}, 'drop', @ends ],
		'<pty<', \$keys, '>pty>', \$screen, $timer);

	IPC::Run::finish($run);
	return ($? >> 8, $screen);
}
my ($rc, $screen) = drop_on_terminal('no');
is($rc, 2, 'drop, answered no: exit code 2');
like($screen, qr/Remove the slot portage_app and the state of the migration "app"\?/,
	'it says what would go');
like($screen, qr/nothing was dropped \[P0106\]/, 'and that nothing went');
ok(slot_row($source, 'portage_app') && progress_row($target, 'app', 'app'),
	'which is true');
($rc, $screen) = drop_on_terminal('yes');
is($rc, 0, 'drop, answered yes: exit code 0') || diag($screen);
is(slot_row($source, 'portage_app'), undef, 'the slot is gone');
is(progress_row($target, 'app', 'app'), undef, 'the state is gone');
cmp_ok(table_digest($target, 'app', 'public.t'),
	'eq', table_digest($source, 'app', 'public.t'), 'the tables are not');
like(works('drop', @ends, '--yes')->{err},
	qr/there is nothing of a migration "app"/, 'drop again: nothing to do');
works('drop', @ends, '--yes', '-q');
fails(4, 'P0422', qr/has no migration "app"/, 'status', @ends);
is( $target->safe_psql('app',
		q{SELECT count(*) FROM pg_namespace WHERE nspname = 'portage'}),
	0, 'nothing of ours is left on the target');

unlike(join('', @written), qr/secret/, 'still no password in any output');
done_testing();
