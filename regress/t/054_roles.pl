# The roles of the README: enough for a whole migration, and nothing of it too
# much. With each grant taken away in turn, check and run say which one is
# missing, and what check proposes is what mends it.

use strict;
use warnings;

use JSON::PP ();
use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', databases => []);
my $target = target_new('target', databases => []);
my ($source_role, $target_role) = (SOURCE_ROLE, TARGET_ROLE);
my @ends = endpoints($source, $target);
my @tables = ('public.plain', 'sales.orders', 'sales.part_low', 'sales.part_high',
	'sales.by_id', 'public."Secret Things"', 'sales.totals');

# What is there when the grants are given, and what comes later.
$source->safe_psql('postgres', 'CREATE DATABASE app');
$source->safe_psql('app', <<'SQL');
CREATE EXTENSION pg_portage;
CREATE SCHEMA sales;
CREATE TABLE plain (id serial PRIMARY KEY, v text);
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plain int REFERENCES plain ON DELETE CASCADE);
CREATE SEQUENCE sales.free;
CREATE TABLE sales.parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE sales.part_low PARTITION OF sales.parts FOR VALUES FROM (0) TO (50);
CREATE TABLE sales.part_high PARTITION OF sales.parts FOR VALUES FROM (50) TO (1000);
CREATE VIEW sales.everything AS SELECT id FROM plain UNION ALL SELECT id FROM sales.parts;
CREATE MATERIALIZED VIEW sales.totals AS SELECT count(*) AS n FROM sales.orders;
SQL
source_grant($source, 'app', 'public', 'sales');
$source->safe_psql('app', <<'SQL');
CREATE TABLE sales.by_id (id serial PRIMARY KEY);
CREATE TABLE "Secret Things" (id int PRIMARY KEY, owner text);
INSERT INTO plain (v) SELECT 'v' || i FROM generate_series(1, 100) i;
INSERT INTO sales.orders (plain) SELECT id FROM plain;
INSERT INTO sales.parts SELECT i FROM generate_series(1, 99) i;
INSERT INTO sales.by_id SELECT generate_series(1, 9);
INSERT INTO "Secret Things" SELECT i, 'o' || i % 3 FROM generate_series(1, 30) i;
SELECT nextval('sales.free');
SQL

sub target_database
{
	my ($owner) = @_;
	my $clause = $owner ? " OWNER $owner" : '';

	$target->safe_psql('postgres', 'DROP DATABASE IF EXISTS app (FORCE)');
	$target->safe_psql('postgres', "CREATE DATABASE app$clause");
	return;
}

sub findings
{
	my ($rc, @severities) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $check = JSON::PP::decode_json(
		portage_fails($rc, 'check', '--json', @ends)->{out});
	return grep
	{
		my $severity = $_->{severity};
		grep { $_ eq $severity } @severities
	} @{ $check->{findings} };
}

# That check and run refuse, for this reason and no other; then do as told.
sub missing
{
	my ($node, $sql, $code, $object, $remedy) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$node->safe_psql('app', $sql);
	my @errors = findings(1, 'error');
	ok((grep { $_->{object} =~ $object && $_->{remedy} =~ $remedy } @errors),
		"$sql: check names object and remedy")
	  || diag(explain(\@errors));
	is(join(' ', grep { $_ ne $code } map { $_->{code} } @errors),
		'', "every error is $code");
	my $result = portage_fails(2, 'run', @ends, '--until', 'caught-up');
	error_ok($result, $code, qr/./, 'run');
	is(slot_row($source, 'portage_app'), undef, 'no slot was created');
	is($target->safe_psql('app', q{SELECT to_regnamespace('portage')}),
		'', 'nor anything on the target');

	# the first of alternatives
	my %remedies = map { $_->{remedy} =~ s/, or .*//rs => 1 } @errors;
	$node->safe_psql('app', $_) foreach sort keys %remedies;
	return is_deeply([ findings(0, 'error') ], [], 'what it proposes mends it');
}

# ---- the documented roles, and nothing else
target_database($target_role);
is_deeply([ findings(0, 'error', 'warning') ], [], 'nothing is missing');
is( $source->safe_psql('app', qq{SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole
		OR pg_has_role(oid, 'pg_read_all_data', 'MEMBER') FROM pg_roles WHERE rolname = '$source_role'}),
	'f', 'the source role holds no more than it should');

# ---- each grant of the source
missing($source, "ALTER ROLE $source_role NOREPLICATION", 'P0204',
	qr/source|role/, qr/\AALTER ROLE .*$source_role.* REPLICATION\b/);
missing($source, "REVOKE USAGE ON SCHEMA sales FROM $source_role", 'P0210',
	qr/\Atable sales\.orders\z/, qr/\AGRANT USAGE ON SCHEMA .*sales.* TO /);
missing($source, "REVOKE SELECT ON plain FROM $source_role", 'P0210',
	qr/\Atable public\.plain\z/, qr/\AGRANT SELECT ON .*plain.* TO /);
# some columns are not the table
missing($source,
	"REVOKE SELECT ON plain FROM $source_role; GRANT SELECT (id) ON plain TO $source_role",
	'P0210', qr/\Atable public\.plain\z/, qr/\AGRANT SELECT ON /);
missing($source, "REVOKE SELECT ON sales.part_high FROM $source_role", 'P0210',
	qr/\Atable sales\.part_high\z/, qr/\AGRANT SELECT ON /);
missing($source, "REVOKE SELECT ON sales.parts FROM $source_role", 'P0210',
	qr/\Atable sales\.parts\z/, qr/\AGRANT SELECT ON /);
missing($source, "REVOKE SELECT ON SEQUENCE sales.free FROM $source_role",
	'P0210', qr/\Asequence sales\.free\z/, qr/\AGRANT SELECT ON SEQUENCE /);
missing($source, "REVOKE SELECT ON SEQUENCE plain_id_seq FROM $source_role",
	'P0210', qr/\Asequence public\.plain_id_seq\z/, qr/\AGRANT SELECT ON SEQUENCE /);
missing($source, q{ALTER TABLE "Secret Things" ENABLE ROW LEVEL SECURITY},
	'P0210', qr/\Atable public\.Secret Things\z/, qr/\AALTER ROLE .* BYPASSRLS\z/);

# What is created later by a role without default privileges.
missing($source, 'CREATE ROLE other; GRANT USAGE, CREATE ON SCHEMA sales TO other;'
	  . ' SET ROLE other; CREATE TABLE sales.others (id serial PRIMARY KEY)',
	'P0210', qr/\Atable sales\.others\z/, qr/\AGRANT SELECT ON /);
$source->safe_psql('app', 'INSERT INTO sales.others SELECT generate_series(1, 5)');
push @tables, 'sales.others';

# ---- grants that go while a migration lasts: it waits as it is
sub taken
{
	my ($grant, $words) = @_;
	my $revoke = $grant =~ s/GRANT/REVOKE/r =~ s/ TO / FROM /r;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $revoke);
	my $before = progress_row($target, 'app', 'app')->{phase};
	my $result = portage_fails(2, 'run', @ends, '--until', 'caught-up');
	error_ok($result, 'P0210', $words, $revoke);
	is(progress_row($target, 'app', 'app')->{phase}, $before,
		'the migration stands where it stood');
	$source->safe_psql('app', $grant);
	return;
}

my $killed = portage('run', @ends, '--jobs', 1,
	env => { PG_PORTAGE_FAILPOINT => 'copy-started:kill:2' });
is($killed->{signal}, 9, 'killed in the copy');
taken("GRANT SELECT ON sales.part_high, plain, sales.by_id TO $source_role",
	qr/permission denied for table \w+/);
taken("GRANT USAGE ON SCHEMA sales TO $source_role",
	qr/permission denied for schema sales/);
portage_ok('run', @ends, '--until', 'caught-up');
taken("GRANT SELECT ON SEQUENCE sales.free TO $source_role",
	qr/permission denied for sequence free/);
$source->safe_psql('postgres', "ALTER ROLE $source_role NOREPLICATION");
my $lost = portage_fails(2, 'run', @ends, '--until', 'caught-up');
error_ok($lost, 'P0204', qr/replicat/, 'NOREPLICATION');
$source->safe_psql('postgres', "ALTER ROLE $source_role REPLICATION");
portage_ok('run', @ends, '--until', 'caught-up');
portage_ok('drop', @ends, '--yes');

# ---- each right on the target
target_database();
missing($target, '', 'P0210', qr/target|role/,
	qr/\AGRANT CREATE ON DATABASE .*app.* TO .*$target_role/);

# ---- they are enough from the begin to the end, for an owner and for who may
# create
sub migrate
{
	my ($what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok('run', @ends, '--until', 'caught-up');
	$source->safe_psql('app', <<'SQL');
UPDATE plain SET v = v || '!' WHERE id % 2 = 0;
DELETE FROM plain WHERE id % 10 = 3;
INSERT INTO sales.parts SELECT max(id) + 1 FROM sales.parts;
UPDATE "Secret Things" SET owner = owner || '!';
REFRESH MATERIALIZED VIEW sales.totals;
SQL
	portage_ok('run', @ends, '--until', 'caught-up');
	portage_ok('finish', @ends);
	tables_equal($source, 'app', $target, 'app', @tables);
	schemas_equal($source, 'app', $target, 'app');
	is( $target->safe_psql('app', qq{SELECT count(*) FROM pg_class c
			JOIN pg_namespace n ON n.oid = relnamespace
			WHERE n.nspname IN ('public', 'sales') AND relowner <> '$target_role'::regrole}),
		0, "$what: everything belongs to the target role");
	portage_ok('drop', @ends, '--yes');
	return;
}

$target->safe_psql('app', "GRANT CREATE ON SCHEMA public TO $target_role");
is_deeply([ findings(0, 'error', 'warning') ], [], 'two grants instead of ownership');
migrate('who may create');
target_database($target_role);
migrate('the owner');

done_testing();
