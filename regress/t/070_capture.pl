# Changes of the schema as messages: how clients send commands, other encodings,
# servers where nobody can listen, and who may read the key. What is captured of
# which command is in sql/capture.sql.
use strict;
use warnings;

use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $slot = 'listener';

# The commands that the messages since the last call tell, one a line.
sub commands
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, <<"SQL");
SELECT coalesce(regexp_replace(substr(data::json ->> 'content', 68)::json ->> 'command', '\\s+', ' ', 'g'), '(none)')
FROM pg_logical_slot_get_changes('$slot', NULL, NULL, 'include', '')
WHERE data::json ->> 'op' = 'message'
SQL
}

sub listen_to
{
	my ($node, $database) = @_;

	$node->safe_psql($database,
		"SELECT pg_create_logical_replication_slot('$slot', 'pg_portage')");
	return;
}

# Each is one command, and one message.
my @commands = (
	'CREATE SCHEMA s',
	'CREATE SCHEMA s2 CREATE TABLE inner_table (id int) CREATE VIEW inner_view AS SELECT 1 AS one',
	'CREATE TABLE s.t (id serial PRIMARY KEY, v varchar(5) DEFAULT \'x\', n int CHECK (n > 0))',
	'CREATE TABLE "odd; name" ("a""b" int, "ü" text)',
	'CREATE TABLE parted (id int) PARTITION BY RANGE (id)',
	'CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10)',
	'CREATE TABLE plain_part (LIKE parted)',
	'ALTER TABLE parted ATTACH PARTITION plain_part FOR VALUES FROM (10) TO (20)',
	'CREATE TABLE copied AS SELECT 1 AS one',
	'SELECT 1 AS one INTO copied2',
	'CREATE INDEX by_v ON s.t (lower(v)) WHERE id > 0',
	'CREATE INDEX ON s.t (n)',
	'CREATE VIEW vw AS SELECT id FROM s.t',
	'CREATE OR REPLACE VIEW vw AS SELECT id, v FROM s.t',
	'CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one',
	'CREATE SEQUENCE sq START 5',
	'ALTER SEQUENCE sq INCREMENT 2',
	'CREATE RULE r AS ON DELETE TO s.t DO INSTEAD NOTHING',
	'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \'BEGIN RETURN NEW; END\'',
	'CREATE TRIGGER trg BEFORE INSERT ON s.t FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION f()',
	'CREATE POLICY p ON s.t USING (id > 0)',
	'CREATE STATISTICS st ON id, n FROM s.t',
	'CREATE TYPE e AS ENUM (\'a\')',
	'ALTER TYPE e ADD VALUE \'b\'',
	'CREATE TYPE c AS (x int)',
	'CREATE DOMAIN d AS int CHECK (value > 0)',
	'ALTER TABLE s.t ADD COLUMN more e, ADD UNIQUE (v)',
	'ALTER TABLE s.t RENAME COLUMN more TO other',
	'ALTER TABLE s.t SET SCHEMA public',
	'DROP VIEW vw');

sub test_protocol
{
	my ($node, $mode) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$mode.sql";

	$node->safe_psql('postgres', "CREATE DATABASE $mode");
	$node->safe_psql($mode, 'CREATE EXTENSION pg_portage');
	listen_to($node, $mode);
	append_to_file($file, join(";\n", @commands) . ";\n");
	command_ok(
		[ 'pgbench', '-n', '-t', 1, '-M', $mode, '-f', $file, $node->connstr($mode) ],
		"$mode: the commands are run");
	is(commands($node, $mode), join("\n", @commands), "$mode: each is told as it was sent");
	$node->safe_psql($mode, "SELECT pg_drop_replication_slot('$slot')");
	return;
}

# The server's encoding is what the text comes in; psql turns it into ours.
sub test_encoding
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1'
		LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
	$node->safe_psql('latin', 'CREATE EXTENSION pg_portage');
	listen_to($node, 'latin');
	$node->safe_psql('latin',
		qq{CREATE TABLE "gr\xc3\xb6\xc3\x9fe" (v text DEFAULT '\xc3\xa4;'); SELECT 1});
	is( commands($node, 'latin'),
		qq{CREATE TABLE "gr\xc3\xb6\xc3\x9fe" (v text DEFAULT '\xc3\xa4;')},
		'another encoding: cut between characters');
	$node->safe_psql('latin', "SELECT pg_drop_replication_slot('$slot')");
	return;
}

# Default privileges of the one who creates the extension, and pg_dump.
sub test_key
{
	my ($node) = @_;
	my $key;
	my $dump;

	$node->safe_psql('postgres', 'CREATE DATABASE shared');
	$node->safe_psql('shared', <<'SQL');
CREATE ROLE reader;
CREATE ROLE "odd "" role";
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, reader, "odd "" role";
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO reader;
CREATE EXTENSION pg_portage;
SQL
	is( $node->safe_psql('shared', q{SELECT count(*) FROM pg_roles
			WHERE has_table_privilege(oid, 'portage.ddl_key', 'SELECT') AND NOT rolsuper
				AND rolname NOT LIKE 'pg\_%'}),
		'0', 'default privileges let nobody read the key');
	$node->safe_psql('shared', <<'SQL');
GRANT USAGE ON SCHEMA portage TO reader;
GRANT SELECT ON portage.ddl_key TO reader;
SQL
	$key = $node->safe_psql('shared',
		q{SET ROLE reader; SELECT encode(key, 'hex') FROM portage.ddl_key});
	like($key, qr/\A[0-9a-f]{64}\z/, 'the documented grants do');
	($dump) = run_command([ 'pg_dump', '-d', $node->connstr('shared') ]);
	like($dump, qr/CREATE EXTENSION.*pg_portage/, 'a dump has the extension');
	unlike($dump, qr/\Q$key\E|COPY portage/, 'and not the key');
	return;
}

# The transactions in a file of pg_recvlogical, which puts a line break behind
# each frame: was it the last of its frame, and did it carry a message?
sub transactions
{
	my ($bytes) = @_;
	my ($message, @found) = (0);

	while (length $bytes)
	{
		my ($tag, $length) = unpack('aV', $bytes);

		$bytes = substr($bytes, 5 + $length);
		$message = 1 if $tag eq 'M';
		if ($tag eq 'C')
		{
			push @found, { message => $message, flushed => $bytes =~ /\A(?:\n|\z)/ };
			$message = 0;
		}
		$bytes = substr($bytes, 1) if $bytes =~ /\A\n/;
	}
	return @found;
}

# What is held back with defer=on leaves with a transaction that tells of DDL.
sub test_defer
{
	my ($node) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/frames';
	my @found;
	my @told;

	$node->safe_psql('app', 'CREATE TABLE filled (id int, v text)');
	listen_to($node, 'app');
	$node->safe_psql('app', <<'SQL');
CREATE PROCEDURE fill(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		INSERT INTO filled VALUES (i, repeat('x', 500));
		COMMIT;
	END LOOP;
END $$;
CALL fill(400);
ALTER TABLE filled ADD COLUMN late int;
CALL fill(400);
SQL
	local $ENV{PGOPTIONS} = join(' ', map { "-c $_" } qw(DateStyle=ISO IntervalStyle=postgres
		  extra_float_digits=3 bytea_output=hex TimeZone=UTC lc_monetary=C search_path=pg_catalog));
	command_ok(
		[
			'pg_recvlogical', '-d', $node->connstr('app'), '--slot', $slot, '--start', '-f', $file,
			'--no-loop', '-o', 'format=binary', '-o', 'defer=on', '--endpos',
			$node->safe_psql('app', 'SELECT pg_current_wal_flush_lsn()')
		],
		'a stream with defer=on');
	@found = transactions(slurp_file($file));
	@told = grep { $_->{message} } @found;
	cmp_ok(scalar(grep { !$_->{flushed} } @found), '>', 100, 'holds transactions back');
	is(scalar(@told), 2, 'of which two tell of DDL');
	is(scalar(grep { !$_->{flushed} } @told), 0, 'and those leave at once');
	delete $ENV{PGOPTIONS};
	$node->safe_psql('app', "SELECT pg_drop_replication_slot('$slot')");
	return;
}

# Every command works where no message can be read.
sub test_deaf
{
	my ($node) = @_;

	$node->append_conf('postgresql.conf', 'wal_level = replica');
	$node->restart;
	$node->safe_psql('postgres', 'CREATE DATABASE deaf');
	$node->safe_psql('deaf', 'CREATE EXTENSION pg_portage');
	$node->safe_psql('deaf', $_) foreach @commands;
	$node->safe_psql('deaf', q{ALTER TABLE t ALTER n TYPE bigint USING random(); DROP TABLE t CASCADE});
	is( $node->safe_psql('deaf', q{SELECT count(*) FROM pg_class WHERE relname IN ('part', 'copied2', 't')}),
		'2', 'wal_level=replica: the commands are run');
	return;
}

# A promoted standby goes on with the same key.
sub test_standby
{
	my ($node) = @_;
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	my ($status, $out, $err);

	$node->backup('copy');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	($status, $out, $err) = $standby->psql('simple', 'CREATE TABLE no (id int)');
	isnt($status, 0, 'a standby refuses DDL');
	like($err, qr/read-only transaction/, 'as without event triggers');
	$node->stop;
	$standby->promote;
	listen_to($standby, 'simple');
	$standby->safe_psql('simple', 'CREATE TABLE yes (id int)');
	is(commands($standby, 'simple'), 'CREATE TABLE yes (id int)', 'promoted, it tells of DDL');
	$standby->stop;
	return;
}

my $source = PortageTest::source_new('source');

test_protocol($source, $_) foreach qw(simple extended prepared);
test_encoding($source);
test_key($source);
test_defer($source);
test_standby($source);
$source->start;
test_deaf($source);
$source->stop;
done_testing();
