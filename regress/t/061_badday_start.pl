# Bad days before anything is begun: words that are none, servers that do not
# answer or cannot serve, a target that is not ours. Each is tried by a
# migration that has run before and, where it matters, by one that has not, and
# nothing may change on either side. Which day is where: regress/README.md.

use strict;
use warnings;

use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new(
	'target',
	databases => [qw(app fresh)],
	conf => "wal_level = replica\nmax_wal_senders = 5");
my @tables = qw(t u);
my $ours = PortageBadDay->new($source, $target);
my $fresh =
  PortageBadDay->new($source, $target, target_database => 'fresh');
my @fresh = ($fresh->urls, '--name', 'fresh');

# URLs of a side with something else in them.
sub url
{
	my ($url, %other) = @_;
	$url =~ s/:\d+\//:$other{port}\// if $other{port};
	$url =~ s/\@/:wrong\@/ if $other{wrong_password};
	$url .= "?connect_timeout=$other{timeout}" if $other{timeout};
	return $url;
}

pair_create($source);
portage_ok('run', $ours->urls, '--until', 'caught-up');
pair_write($source);
$ours->equal(@tables);
# what is still to come must come through all of this
pair_write($source);
my ($source_url, $target_url) = (source_url($source), target_url($target));

# ---- words
$ours->look;
my @words = (
	[ ['chekc'], 'P0101', qr/there is no command "chekc"/, qr/did you mean check\?/ ],
	[ [], 'P0101', qr/a command is missing/, qr/pg_portage --help/ ],
	[ [ 'run', $ours->urls, '--takeovre' ],
		'P0101', qr/there is no option --takeovre/, qr/did you mean --takeover\?/ ],
	[ [ 'drop', $ours->urls, '--yes', '--xyzzy' ],
		'P0101', qr/there is no option --xyzzy/, qr/--help/ ],
	[ [ 'drop', $ours->urls ],
		'P0106', qr/asks on the terminal/, qr/--yes/ ],
	[ [ 'run', '--source', 'postgresql://[::1/x', '--target', $target_url ],
		'P0102', qr/the source URL cannot be read/, qr/postgresql:/ ],
	[ [ 'run', '--source', $source_url, '--target', 'host=h colour=red' ],
		'P0102', qr/the target URL cannot be read/, qr/postgresql:/ ],
	[ [ 'run', '--source', 'mysql://h/x', '--target', $target_url ],
		'P0102', qr/no driver for a source URL of mysql:/, qr/postgresql:/ ],
	[ [ 'run', $ours->urls, '--tables', 'public.t' ],
		'P0105', qr/begun with another --tables/, qr/pass the same patterns/ ]);
foreach my $mistake (@words)
{
	my ($run, $code, $words, $hint) = @$mistake;
	$ours->told(portage(@$run),
		what => "pg_portage @$run[0 .. ($#$run < 0 ? -1 : 0)] $words",
		rc => 2, code => $code, words => $words, hint => $hint);
}
$ours->same('words that are none');

# ---- servers that are not there
my ($silence, $silent) = silent_port();
my ($deaf, $refused) = refused_port();
my %place = (source => $source_url, target => $target_url);
$ours->look;
foreach my $side (sort keys %place)
{
	my %away = (
		'that never answers' =>
		  [ { port => $silent, timeout => 2 }, qr/no answer within 2 s/, 'P0301' ],
		'that refuses' => [ { port => $refused }, qr/Connection refused/, 'P0301' ],
		'with a wrong password' =>
		  [ { wrong_password => 1 }, qr/password authentication failed/, 'P0302' ]);
	foreach my $what (sort keys %away)
	{
		my ($how, $words, $code) = @{ $away{$what} };
		my %at = (%place, $side => url($place{$side}, %$how));
		my $end = portage(
			'run',
			'--source' => $at{source},
			'--target' => $at{target},
			'--name' => 'app');
		$ours->told(
			$end,
			what => "a $side $what",
			rc => 3, code => $code,
			words => qr/cannot connect to the $side 127\.0\.0\.1:\d+\/app: .*$words/,
			hint => $code eq 'P0301' ? qr/check host, port/ : qr/check user, password/);
		unlike($end->{err}, qr/wrong/, "a $side $what: no password is shown");
	}
}
# without a word about it in the URL, there is a deadline all the same
my $patient = portage_start(
	'run',
	'--source' => url($source_url, port => $silent),
	'--target' => $target_url);
$ours->same('servers that are not there');

# ---- the source, asked for by a migration that has not begun
$target->safe_psql('fresh', 'CREATE TABLE mine (id int); INSERT INTO mine VALUES (1)');
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' NOREPLICATION');
$fresh->refused(
	what => 'a role without REPLICATION', run => [ 'run', @fresh ],
	rc => 2, code => 'P0204', words => qr/may not replicate|replication role/,
	hint => qr/ALTER ROLE .* REPLICATION/);
$ours->refused(
	what => 'REPLICATION taken away', rc => 2, code => 'P0204',
	words => qr/may not replicate/, hint => qr/ALTER ROLE .* REPLICATION/);
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' REPLICATION');

my $slots = $source->safe_psql('postgres',
	q{SELECT current_setting('max_replication_slots')::int - count(*)
	  FROM pg_replication_slots});
$source->safe_psql('app',
	"SELECT pg_create_physical_replication_slot('s' || i)"
	  . " FROM generate_series(1, $slots) i");
$fresh->refused(
	what => 'no free slot', run => [ 'run', @fresh ],
	rc => 2, code => 'P0202', words => qr/no replication slot is free/,
	hint => qr/raise max_replication_slots/);
$source->safe_psql('app',
	q{SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
	  WHERE slot_type = 'physical'});

# A server without the setting takes any plugin.
if (server_knows($source, 'output_plugin_libraries'))
{
	$source->safe_psql('postgres',
		q{ALTER SYSTEM SET output_plugin_libraries = 'pgoutput'});
	$source->reload;
	$fresh->refused(
		what => 'a plugin that is not allowed', run => [ 'run', @fresh ],
		rc => 2, code => 'P0206', words => qr/pg_portage/,
		hint => qr/output_plugin_libraries/);
	$ours->refused(
		what => 'a plugin that is not allowed any more',
		rc => 2, code => 'P0206', words => qr/cannot start the stream: .*pg_portage/,
		hint => qr/output_plugin_libraries/);
	$source->safe_psql('postgres', 'ALTER SYSTEM RESET output_plugin_libraries');
	$source->reload;
}

# ---- a target that is not empty, and one that is the source
$target->safe_psql('fresh', 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
$fresh->refused(
	what => 'a target that is not empty', run => [ 'run', @fresh ],
	rc => 4, code => 'P0401', words => qr/tables of the same names already: public\.t/,
	hint => qr/use an empty database/);
$target->safe_psql('fresh', 'DROP TABLE t');
$source->safe_psql('postgres',
	'CREATE DATABASE bare OWNER ' . SOURCE_ROLE);
$source->safe_psql('bare', 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)');
my $same = PortageBadDay->new($source, $source,
	database => 'bare', target_database => 'bare');
$same->refused(
	what => 'source and target are one database',
	run => [
		'run',
		'--source' => source_url($source, 'bare'),
		'--target' => source_url($source, 'bare')
	],
	rc => 2, code => 'P0212', words => qr/are the database "bare" of the same cluster/,
	hint => qr/name another target/);
$source->safe_psql('postgres', 'DROP DATABASE bare');

# ---- standbys
$source->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($source, 'base', has_streaming => 1);
$standby->start;
$source->wait_for_catchup($standby);
PortageTest::password_remember($standby, SOURCE_ROLE);
foreach my $case ([ $ours, 'app' ], [ $fresh, 'fresh' ])
{
	my ($sides, $name) = @$case;
	$sides->refused(
		what => "the source is a standby, migration $name",
		run => [
			'run',
			'--source' => source_url($standby),
			'--target' => target_url($target, $name),
			'--name' => $name
		],
		rc => 2, code => 'P0207', words => qr/the server is a standby/,
		hint => qr/connect to the primary/);
}
# it would leave the slot on the primary, for ever
$ours->refused(
	what => 'drop by way of a standby',
	run => [
		'drop', '--yes',
		'--source' => source_url($standby),
		'--target' => $target_url
	],
	rc => 2, code => 'P0207', words => qr/the server is a standby/,
	hint => qr/connect to the primary/);
$standby->stop;
$target->backup('base');
$standby = PostgreSQL::Test::Cluster->new('target_standby');
$standby->init_from_backup($target, 'base', has_streaming => 1);
$standby->start;
$target->wait_for_catchup($standby);
PortageTest::password_remember($standby, TARGET_ROLE);
# it may be about to be promoted, so that one is worth another try
my %read_only = (
	app => [ 3, 'P0304', qr/read-only transaction/, qr/nothing to do, or/ ],
	fresh =>
	  [ 2, 'P0207', qr/the server is a standby/, qr/connect to the primary/ ]);
foreach my $case ([ $ours, 'app' ], [ $fresh, 'fresh' ])
{
	my ($sides, $name) = @$case;
	my ($rc, $code, $words, $hint) = @{ $read_only{$name} };
	$sides->refused(
		what => "the target is a standby, migration $name",
		run => [
			'run',
			'--source' => $source_url,
			'--target' => target_url($standby, $name),
			'--name' => $name
		],
		rc => $rc, code => $code, words => $words, hint => $hint);
}
$standby->stop;

# ---- servers that cannot serve: another one, so that ours keeps its slot
my $unable = source_new('unable');
my $other = PortageBadDay->new($unable, $target, target_database => 'fresh');
my %unable = (run => [ 'run', $other->urls, '--name', 'fresh' ], rc => 2);
pair_create($unable);
foreach my $setting (
	[
		"wal_level = replica", 'P0201',
		qr/wal_level is replica/, qr/set wal_level = logical and restart/
	],
	[
		"wal_level = logical\nmax_wal_senders = 1", 'P0203',
		qr/1 walsenders are free, 2 are needed/, qr/raise max_wal_senders/
	],
	[
		"max_wal_senders = 0", 'P0203',
		qr/0 walsenders are free/, qr/raise max_wal_senders/
	],
	[
		"max_wal_senders = 10\nmax_replication_slots = 0", 'P0202',
		qr/no replication slot is free/, qr/raise max_replication_slots/
	])
{
	my ($conf, $code, $words, $hint) = @$setting;
	$unable->append_conf('postgresql.conf', $conf);
	$unable->restart;
	(my $what = $conf) =~ tr/\n/,/;
	$other->refused(%unable, what => $what, code => $code, words => $words,
		hint => $hint, again => 0);
}
$unable->append_conf('postgresql.conf', 'max_replication_slots = 10');
$unable->stop;
$unable->{_install_path} = prefix_without_plugin();
$unable->start;
$other->refused(%unable, what => 'a server without pg_portage.so',
	code => 'P0205', words => qr/could not access file "pg_portage"/,
	hint => qr/install pg_portage\.so/);
$unable->stop;

# ---- and a server whose slot is there, but which cannot serve it any more
pair_write($source);
$source->stop;
$source->{_install_path} = prefix_without_plugin();
$source->start;
$ours->refused(
	what => 'the plugin is gone after a reinstallation',
	rc => 2, code => 'P0205', words => qr/could not access file "pg_portage"/,
	hint => qr/install pg_portage\.so/);
$source->stop;
delete $source->{_install_path};
$source->append_conf('postgresql.conf', 'max_wal_senders = 0');
$source->start;
$ours->refused(
	what => 'no walsender for a migration that has begun',
	rc => 2, code => 'P0203', words => qr/no walsender is free/,
	hint => qr/raise max_wal_senders/);
$source->append_conf('postgresql.conf', 'max_wal_senders = 20');
$source->restart;

# ---- after all of it
$ours->equal(@tables);
portage_ok('run', @fresh, '--until', 'caught-up');
tables_equal($source, 'app', $target, 'fresh', map { "public.$_" } @tables);

my $end = $patient->wait_exit;
$ours->told(
	{ rc => $end->{rc}, err => $patient->stderr },
	what => 'a source that never answers',
	rc => 3, code => 'P0301', words => qr/no answer within 10 s/,
	hint => qr/check host, port/);
close($_) foreach $silence, $deaf;
done_testing();
