# The library that every other test stands on: do servers and roles come up as
# it promises, and does its comparison notice a difference?

use strict;
use warnings;

use IPC::Run ();
use PortageTest;
use Test::More;

my $source = source_new('source', extension => 0);
my $target = target_new('target', replica_role => 1);

sub psql_as
{
	my ($url, $sql, %environment) = @_;
	local @ENV{ keys %environment } = values %environment;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAtq', '-w', '-d', $url, '-c', $sql ],
		'>', \$out, '2>', \$err);
	chomp($out);
	return ($? >> 8, $out, $err);
}

# Log in with the password, and only with it.
foreach my $url (source_url($source, 'app'), target_url($target, 'app'))
{
	my %password = (PGPASSFILE => PortageTest::password_file());
	my %none = (PGPASSFILE => '/dev/null');
	my ($rc, $out, $err) = psql_as($url, 'SELECT current_user', %password);
	is($rc, 0, "$url: logs in") || diag($err);
	is($out, $url =~ m{//(\w+)\@} ? $1 : '', 'as the role of the URL');

	($rc, $out, $err) = psql_as($url, 'SELECT 1', %none);
	isnt($rc, 0, 'is refused without password');
	like($err, qr/no password supplied/, 'for that reason');
}
is( (stat(PortageTest::password_file()))[2] & 07777,
	0600, 'the password file is private');

# Least privilege.
my ($rc, $out, $err) = psql_as(source_url($source, 'app'),
	'CREATE TABLE t (i int)',
	PGPASSFILE => PortageTest::password_file());
isnt($rc, 0, 'the source role cannot create a table');
is( $source->safe_psql(
		'postgres',
		q{SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole
		  OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid)
		  FROM pg_roles r WHERE rolname = 'portage_src'}),
	'f', 'the source role may replicate, and is a member of nothing');
is( $source->safe_psql('app', <<'SQL'), 't|t|t|f',
CREATE SCHEMA later CREATE TABLE t (id serial);
SELECT has_schema_privilege('portage_src', 'later', 'USAGE'),
	has_table_privilege('portage_src', 'later.t', 'SELECT'),
	has_sequence_privilege('portage_src', 'later.t_id_seq', 'SELECT'),
	has_table_privilege('portage_src', 'later.t', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		OR has_sequence_privilege('portage_src', 'later.t_id_seq', 'USAGE, UPDATE')
		OR has_schema_privilege('portage_src', 'later', 'CREATE')
SQL
	'it may read what is created later, and do nothing else with it');
foreach my $case ([ $target, 't' ], [ target_new('managed'), 'f' ])
{
	my ($node, $may) = @$case;
	is( $node->safe_psql(
			'postgres',
			q{SELECT has_parameter_privilege('portage_dst',
				'session_replication_role', 'SET')}),
		$may, $node->name . ': whether it may switch triggers off');
	$node->stop unless $may eq 't';
}
is( $target->safe_psql(
		'postgres',
		q{SELECT rolsuper OR rolreplication OR rolcreatedb OR rolcreaterole
		  FROM pg_roles WHERE rolname = 'portage_dst'}),
	'f', 'the target role has no attribute but the right to log in');
is($source->safe_psql('postgres', 'SHOW wal_level'),
	'logical', 'the source decodes');
is($source->safe_psql('postgres', 'SHOW fsync'), 'on', 'fsync is on');

# The digest.
foreach my $node ($source, $target)
{
	$node->safe_psql('app',
		'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE e (i int)');
}
$source->safe_psql('app',
	q{INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) i});
$target->safe_psql('app',
	q{INSERT INTO t SELECT i, 'v' || i FROM generate_series(100, 1, -1) i});
my $digest = table_digest($source, 'app', 'public.t');
like($digest, qr/\A100 [0-9a-f]{32}\z/, 'a digest is count and hash');
tables_equal($source, 'app', $target, 'app', 'public.t');

$target->safe_psql('app', q{UPDATE t SET v = 'V50' WHERE id = 50});
isnt(table_digest($target, 'app', 'public.t'),
	$digest, 'the digest differs when a value differs');
$target->safe_psql('app', q{UPDATE t SET v = NULL WHERE id = 50});
isnt(table_digest($target, 'app', 'public.t'),
	$digest, 'and when it is null');
$target->safe_psql('app', q{DELETE FROM t WHERE id = 50});
isnt(table_digest($target, 'app', 'public.t'),
	$digest, 'and when a row is missing');
ok(!eval { table_digest($source, 'app', 'public.e'); 1 },
	'an empty table is not evidence');
is( table_digest($source, 'app', 'public.e', allow_empty => 1),
	table_digest($target, 'app', 'public.e', allow_empty => 1),
	'unless asked for');

# Waiting gives up, and says what for.
ok(!eval { wait_for(sub { 0 }, 'the impossible', 0.2); 1 }, 'a wait ends');
like($@, qr/waiting for the impossible/, 'and names what it waited for');

# State.
is(progress_row($target, 'app', 'app'), undef, 'no progress yet');
is(slot_row($source, 'nosuch'), undef, 'no slot yet');
$source->safe_psql('app',
	q{SELECT pg_create_logical_replication_slot('s', 'test_decoding')});
is(slot_row($source, 's')->{plugin}, 'test_decoding', 'a slot is seen');

# Load in the background.
pgbench_init($source, 'app');
my $load = pgbench_start($source, 'app');
wait_for(sub { load_committed_recently($source, 'app', 2) },
	'the load to commit');
ok($load->running, 'pgbench runs');
my $end = $load->kill9;
is($end->{signal}, 9, 'and is killed');
ok(!$load->running, 'and is gone');
wait_for(sub { last_commit_age($source, 'app') > 1 }, 'the load to be old');
ok(!load_committed_recently($source, 'app', 1), 'and commits no more');

# A statement that is under way when a load is stopped ends nevertheless.
my $script = PostgreSQL::Test::Utils::tempdir() . '/slow.sql';
PostgreSQL::Test::Utils::append_to_file($script,
	"INSERT INTO e SELECT 1 FROM pg_sleep(2);\n");
$load = pgbench_start($source, 'app', clients => 1, args => [ '--file' => $script ]);
wait_for(
	sub {
		$source->safe_psql('app', q{SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'pgbench' AND wait_event = 'PgSleep'});
	},
	'a slow statement');
my $there = $source->safe_psql('app', 'SELECT count(*) FROM e');
pgbench_stop($source, $load);
cmp_ok($source->safe_psql('app', 'SELECT count(*) FROM e'),
	'>', $there, 'what it commits after its end was waited for');

done_testing();
