# check: what it finds of the objects of a source, each by the situation that it is
# about, as JSON (severity, code, object, remedy), and the text. One source
# database has an object of each kind.

use strict;
use warnings;

use JSON::PP ();
use PortageCheck;
use PortageTest;
use Test::More;

# Tables must not grow between a check and the look at what it should have said.
my $source = source_new('source', conf => 'autovacuum = off');
my $target = target_new('target');
my @ends = endpoints($source, $target);
my $role = SOURCE_ROLE;

# What the target needs for these tables and their indexes, in MB.
sub needs_space
{
	my ($condition) = @_;
	my ($tables, $indexes) = split(/\|/, $source->safe_psql('app', <<"SQL"));
SELECT ceil(sum(pg_table_size(oid)) / 1000000), ceil(sum(pg_indexes_size(oid)) / 1000000)
	FROM pg_class WHERE $condition AND relpersistence <> 'u' AND oid >= 16384
	AND relname <> 'of_extension'
	AND relnamespace IN ('public'::regnamespace, 'closed'::regnamespace)
SQL

	return qr/take $tables MB and their indexes $indexes MB: /;
}

# ---- objects of the source
$source->safe_psql('app', <<"SQL");
CREATE EXTENSION lo;
CREATE EXTENSION ltree;
CREATE TABLE fine (id int PRIMARY KEY, v text);
CREATE TABLE "No Key" (v text);
CREATE TABLE nothing (id int PRIMARY KEY);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE later (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE dropped (id int NOT NULL CONSTRAINT gone UNIQUE);
ALTER TABLE dropped REPLICA IDENTITY USING INDEX gone;
ALTER TABLE dropped DROP CONSTRAINT gone;
CREATE TABLE invalid (id int NOT NULL);
CREATE UNIQUE INDEX broken ON invalid (id);
ALTER TABLE invalid REPLICA IDENTITY USING INDEX broken;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
CREATE TABLE whole (v text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE FUNCTION native(int) RETURNS int LANGUAGE internal AS 'int4um';
CREATE SERVER afar FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE foreign_one (id int) SERVER afar;
CREATE MATERIALIZED VIEW seen AS SELECT 1 AS x;
CREATE TABLE of_extension (id int PRIMARY KEY);
ALTER EXTENSION lo ADD TABLE of_extension;
CREATE TABLE pictures (id serial PRIMARY KEY, photo oid, scan lo, n int);
SELECT lo_create(i) FROM generate_series(70001, 70003) i;
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE RULE quiet AS ON DELETE TO fine DO ALSO NOTHING;
CREATE RULE loud AS ON INSERT TO fine DO ALSO NOTHING;
ALTER TABLE fine ENABLE ALWAYS RULE loud;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER ordinary BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER always BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER as_replica BEFORE INSERT ON fine FOR EACH ROW EXECUTE FUNCTION act();
ALTER TABLE fine ENABLE ALWAYS TRIGGER always;
ALTER TABLE fine ENABLE REPLICA TRIGGER as_replica;
CREATE INDEX halfway ON fine (v);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'halfway'::regclass;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION on_ddl();
CREATE PUBLICATION news FOR TABLE fine;
CREATE SUBSCRIPTION olds CONNECTION 'dbname=nowhere' PUBLICATION x
	WITH (connect = false);
ALTER DATABASE app SET work_mem = '8MB';
CREATE TABLE secret (id int PRIMARY KEY);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE SCHEMA closed;
CREATE TABLE closed.door (id int PRIMARY KEY);
CREATE TABLE large (id int PRIMARY KEY, small text, body bytea);
INSERT INTO large VALUES (1, 'x', repeat('a', 270000000)::bytea);
CREATE TABLE larger (id int PRIMARY KEY, one bytea, two bytea);
INSERT INTO larger SELECT id, body, body FROM large;
SQL
$source->safe_psql('postgres', "GRANT pg_read_all_data TO $role");
my $session = $source->background_psql('app');
$session->query_safe('CREATE TEMP TABLE brief (id int)');

my $json = look(1, @ends);
is($json->{format}, 1, 'format 1');
foreach my $severity (qw(error warning note))
{
	is($json->{"${severity}s"},
		scalar(grep { $_->{severity} eq $severity } findings()),
		"the number of findings of severity $severity");
}
is(
	scalar(grep { $_->{severity} =~ /warning|error/ && !defined $_->{remedy} }
		  findings()),
	0,
	'each warning and error has a remedy');
unlike(join("\n", map { $_->{message} } findings()),
	qr/source: |target: |\b(\w+) \g1\b/, 'no words twice');

my $no_identity = qr/no usable replica identity/;
found('warning', 'P0414', 'table public.No Key', $no_identity,
	qr/primary key, or ALTER TABLE "public"\."No Key" REPLICA IDENTITY FULL/);
found('warning', 'P0414', 'table public.nothing', qr/is NOTHING/, qr/DEFAULT/);
found('warning', 'P0414', 'table public.later', qr/DEFERRABLE/,
	qr/NOT DEFERRABLE/);
found('warning', 'P0414', 'table public.dropped', qr/index was dropped/,
	qr/nominate/);
found('warning', 'P0414', 'table public.invalid', qr/index is invalid/,
	qr/REINDEX/);
not_found('table public.fine', $no_identity);
found('note', '', 'table public.whole', qr/comparing whole rows/,
	qr/primary key/);
my %behind = (left_behind => JSON::PP::true);
found('warning', '', 'table public.fleeting', qr/unlogged/, qr/SET LOGGED/,
	%behind);
found('warning', '', 'foreign table public.foreign_one',
	qr/rows stay where they are/, qr/reaches its server/, %behind);
my ($brief) = grep { $_->{object} =~ /^temporary table .*brief$/ } findings();
is($brief->{severity}, 'note', 'a temporary table');
found('note', '', 'materialized view public.seen', qr/finish computes/, undef,
	left_behind => JSON::PP::false);
found('note', '', 'table public.of_extension', qr/extension lo\b/, qr/rows/,
	%behind);
found('warning', '', 'large objects', qr/^3 large objects/, qr/bytea/, %behind);
found('warning', '', 'column public.pictures.photo', qr/type is oid/, qr/bytea/,
	%behind);
found('warning', '', 'column public.pictures.scan', qr/type is lo/, qr/bytea/,
	%behind);
not_found('column public.pictures.n');
found('note', '', 'sequences', qr/^2 sequences .* finish/, undef);
found('note', '', 'column public.numbered.id', qr/BY DEFAULT until/, undef);
found('note', '', 'table public.parent', qr/1 inheritance child/, undef);
not_found('table public.parted', qr/inherit/);
found('note', '', 'rule quiet on table public.fine', qr/cannot switch/, undef);
found('note', '', 'rule loud on table public.fine', qr/waits for/, undef);
not_found('trigger ordinary on table public.fine');
found('note', '', 'trigger always on table public.fine', qr/ENABLE ALWAYS/,
	undef);
found('note', '', 'trigger as_replica on table public.fine',
	qr/ENABLE REPLICA/, undef);
found('warning', '', 'index public.halfway', qr/invalid/, qr/REINDEX INDEX/,
	%behind);
found('note', '', 'event trigger mine', qr/not carried/, qr/create it/, %behind);
found('note', '', 'publication news', qr/not carried/, qr/create it/, %behind);
found('note', '', 'subscription olds', qr/not carried/, qr/create it/, %behind);
found('note', '', 'setting work_mem', qr/everybody/, qr/ALTER DATABASE/,
	%behind);
found('error', 'P0210', 'table public.secret', qr/row security/,
	qr/ALTER ROLE "$role" BYPASSRLS/);
found('warning', 'P0420', 'column public.large.body',
	qr/540 MB as text, 540 MB/, qr/--exclude-tables/);
found('error', 'P0420', 'column public.larger.one',
	qr/1080 MB as text, 540 MB.* cannot send/, qr/--exclude-tables/);
found('error', 'P0210', 'foreign data wrapper nowhere', qr/only a superuser/,
	qr/superuser of the target/, side => 'target');
found('error', 'P0210', 'function public.native', qr/only a superuser/, qr/./);
not_found('function public.act');
found('note', '', 'disk space', needs_space("relkind IN ('r', 'm')"), undef,
	side => 'target');
found('ok', '', 'output plugin', qr/allowed and loaded/, undef,
	side => 'source');
found('ok', '', 'pg_dump', qr/of version/, undef, side => 'here');
$session->quit;

# what is left out is not spoken of; a copy needs no identity
$source->safe_psql('app',
	'DROP FOREIGN DATA WRAPPER nowhere CASCADE; DROP FUNCTION native');
look(0, @ends, '--tables', 'public.fine,public.whole');
not_found('table public.No Key');
not_found('table public.secret');
not_found('column public.large.body');
found('note', '', 'disk space',
	needs_space(q{relname IN ('fine', 'whole')}), undef, side => 'target');
found('note', '', 'trigger always on table public.fine', qr/ENABLE/, undef);
look(1, @ends, '--copy-only');
not_found('table public.No Key');
not_found('output plugin');
found('warning', '', 'table public.fleeting', qr/unlogged/, qr/SET LOGGED/);

# ---- the text: 80 columns, by object, the worst last
my $result = portage_fails(1, 'check', @ends);
unlike($result->{out}, qr/^(?!.*").{81}/m, 'text: 80 columns');
like(
	$result->{out},
	qr/^source: table public\.No Key\n  warning  P0414 it has .*\n(?: {17}\S.*\n)*? {17}remedy: add a primary/m,
	'text: object, severity, code, reason, remedy');
like($result->{out}, qr/^\d+ errors, \d+ warnings, \d+ notes\n\z/m,
	'text: the totals at the end');
my @ranks = map { { ok => 0, note => 1, warning => 2, error => 3 }->{$_} }
  $result->{out} =~ /^  (ok|note|warning|error) /mg;
is($ranks[-1], 3, 'text: errors are last');
cmp_ok(scalar(@ranks), '>', 30, 'text: every finding has its line');
$result = portage_fails(1, 'check', @ends, '--quiet');
unlike($result->{out}, qr/^  (?:ok|note) /m, '--quiet: what matters');
portage_fails(1, 'check', @ends, '--tables', 'fleeting', '--strict');

done_testing();
