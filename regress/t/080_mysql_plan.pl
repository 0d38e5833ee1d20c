# What a schema becomes on MySQL or MariaDB: read from the catalog, translated,
# shown by plan, refused by check and run. Nothing is left out in silence, and
# the SQL that is shown is what the server takes.

use strict;
use warnings;

use JSON::PP ();
use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target', databases => [ 'app', 'scratch' ]);
my @ends = mysql_endpoints($source, $target);

# One of everything that a person may have.
$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'happy');
ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'happy';
CREATE TYPE unused AS ENUM ('a');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN word AS varchar(10) CHECK (VALUE <> '') DEFAULT 'none';
CREATE DOMAIN nickname AS word NOT NULL;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'what is sold';
CREATE TABLE people (
	id serial PRIMARY KEY,
	nick text UNIQUE,
	called nickname,
	feels mood DEFAULT 'sad',
	felt mood[],
	since timestamptz(3) DEFAULT now(),
	money numeric(10,2) CHECK (money >= 0),
	couple pair,
	counts positive[]);
COMMENT ON TABLE people IS 'those who buy';
INSERT INTO people (nick) VALUES ('näme');
CREATE TABLE sales.orders (
	id bigint GENERATED ALWAYS AS IDENTITY,
	day date NOT NULL,
	who int REFERENCES people ON DELETE CASCADE,
	doc jsonb,
	PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE sales.orders_1 PARTITION OF sales.orders
	FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE sales.orders_2 PARTITION OF sales.orders
	FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY HASH (id);
CREATE TABLE sales.orders_2a PARTITION OF sales.orders_2
	FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX ON sales.orders (who);
CREATE INDEX of_one ON sales.orders_1 (doc);
ALTER TABLE sales.orders_1 ADD CONSTRAINT of_one_check CHECK (id > 0);
CREATE SEQUENCE free;
CREATE TABLE base (a int DEFAULT nextval('free') PRIMARY KEY);
CREATE TABLE derived (b int PRIMARY KEY) INHERITS (base);
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE TABLE guarded (id int PRIMARY KEY);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON guarded USING (true);
CREATE TABLE "Odd""Name" ("A" int PRIMARY KEY, "a" int, "Ä b" text);
CREATE VIEW seen AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
CREATE TRIGGER act BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION act();
CREATE RULE ruled AS ON UPDATE TO guarded DO ALSO NOTHING;
CREATE STATISTICS more ON id, money FROM people;
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, PROCEDURE = int4eq);
CREATE PUBLICATION pub;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION on_ddl();
SELECT lo_create(70001);
SQL

# Row security would hide rows from the role.
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' BYPASSRLS');

sub json_of
{
	my ($command, @arguments) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage($command, @ends, @arguments, '--json');
	my $json = eval { JSON::PP::decode_json($result->{out}) };
	ok($json, "$command --json is JSON") || diag($result->{out} . $result->{err});
	return $json // {};
}

my $plan = json_of('plan', '--ddl');
my %table = map { ("$_->{schema}.$_->{name}" => $_) } @{ $plan->{mapping} };

# ---- tables and columns
is_deeply(
	[ sort keys %table ],
	[
		'public.Odd"Name', 'public.base', 'public.derived', 'public.guarded',
		'public.people', 'sales.orders'
	],
	'tables; partitions are not by themselves');
is($table{'public.people'}{target}, '`people`', 'schema public keeps names');
is($table{'sales.orders'}{target}, '`sales__orders`', 'others are a prefix');
like($table{'sales.orders'}{note}, qr/partition/, 'partitions are one table');

my %column = map { ($_->{name} => $_) } @{ $table{'public.people'}{columns} };
my %source_type = map { ($_ => $column{$_}{source_type}) } keys %column;
is_deeply(
	\%source_type,
	{
		id => 'integer',
		nick => 'text',
		called => 'public.nickname',
		feels => 'public.mood',
		felt => 'public.mood[]',
		since => 'timestamp(3) with time zone',
		money => 'numeric(10,2)',
		couple => 'public.pair',
		counts => 'public.positive[]'
	},
	'types as people know them');
like($column{id}{target_type}, qr/^int .*AUTO_INCREMENT/, 'serial');
like($column{nick}{target_type}, qr/^varchar\(\d+\)/, 'text in a key');
like($column{called}{target_type},
	qr/^varchar\(10\).* NOT NULL/, 'what a domain says, and the one below it');
like($column{called}{target_type}, qr/none/, 'its default');
like($column{feels}{target_type},
	qr/^enum\('sad','so-so','happy'\)/, 'labels in their order');
like($column{since}{target_type}, qr/^datetime\(3\)/, 'precision');
is($column{since}{severity}, 'note', 'a note is not a warning')
  || diag($column{since}{note});
is($column{couple}{severity}, 'warning', 'one is');

my @odd = map { $_->{target_name} }
  @{ $table{'public.Odd"Name'}{columns} };
is(scalar(keys %{ { map { (lc($_) => 1) } @odd } }),
	3, "names that differ in case are told apart: @odd");

# ---- what is not carried
my %behind = map { (lc($_->{object}) => $_) } @{ $plan->{not_migrated} };
my @expected = (
	'aggregate public.total(integer)',
	'check constraint of domain public.positive for the elements of counts on public.people',
	'check constraint of_one_check on sales.orders_1',
	'comment on schema sales',
	'event trigger mine',
	'function public.act()',
	'function public.on_ddl()',
	'function public.twice(integer)',
	'index of_one on sales.orders_1',
	'large objects 1 of them',
	'materialized view public.kept',
	'operator public.===(integer,integer)',
	'policy all_of_it on public.guarded',
	'procedure public.nothing()',
	'publication pub',
	'rule ruled on public.guarded',
	'sequence public.free',
	'statistics more on public.people',
	'table public.derived',
	'table public.fleeting',
	'table public.guarded',
	'trigger act on public.people',
	'type public.unused',
	'view public.seen');
foreach my $object (@expected)
{
	ok($behind{$object}, "told: $object");
}
is_deeply([ grep { $behind{$_}{message} eq '' } sort keys %behind ],
	[], 'with its reason');
diag("also told: $_")
  foreach grep { my $one = $_; !grep { $_ eq $one } @expected }
  sort keys %behind;

# ---- for people
my $text = portage_ok('plan', @ends)->{out};
like($text, qr/^  sales\.orders -> `sales__orders`$/m, 'text: a table');
like(
	$text,
	qr/^    money +numeric\(10,2\) +decimal\(10,2\)/m,
	'text: a column');
like($text, qr/^Not migrated:$/m, 'text: what is not carried');
like($text, qr/^  view public\.seen\n      it is not carried/m, 'text: why');
unlike($text, qr/.{140}/, 'text: lines are not long');
like($text, qr/^Created behind the rows: .*FK CONSTRAINT/m, 'text: the rest');

# ---- the SQL is what the server takes
my $ddl = portage_ok('plan', @ends, '--ddl')->{out};
my $session = $target->session('scratch', MYSQL_ROLE, MYSQL_PASSWORD);
foreach my $entry (@{ $plan->{ddl} })
{
	my $error = $session->error($entry->{sql});

	is($error, 0, "runs: $entry->{type} $entry->{name}")
	  || diag($entry->{sql});
	like($ddl, qr/^-- \Q$entry->{type}\E /m, 'is in the script');
	my $sql = $entry->{sql} =~ s/[\s;]+\z//r;
	utf8::encode($sql);
	ok(index($ddl, "$sql;\n") >= 0, 'as it is');
}
is($target->value('scratch', <<'SQL'), 0, 'byte-exact collations only');
SELECT count(*) FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = 'scratch' AND COLLATION_NAME NOT LIKE '%\_bin'
SQL
my ($when) = map { $_->{when} } grep { $_->{type} eq 'TABLE' } @{ $plan->{ddl} };
is($when, 'before_copy', 'tables come before the rows');
is_deeply(
	[ sort keys %{ { map { ($_->{when} => 1) } @{ $plan->{ddl} } } } ],
	[ 'after_copy', 'before_copy' ],
	'the rest behind them');

# ---- schemas as databases
$target->create_database('sales', privileges => MYSQL_PRIVILEGES);
%table = map { ("$_->{schema}.$_->{name}" => $_) }
  @{ json_of('plan', '--schemas', 'databases')->{mapping} };
is($table{'sales.orders'}{target}, '`sales`.`orders`', '--schemas databases');
is($table{'public.people'}{target}, '`people`', 'public is the database');

# ---- what becomes of what is lost
sub type_of
{
	my ($name, @arguments) = @_;
	my ($people) = grep { $_->{name} eq 'people' }
	  @{ json_of('plan', @arguments)->{mapping} };
	return (map { $_->{target_type} }
		  grep { $_->{name} eq $name } @{ $people->{columns} })[0];
}
like(type_of('money', '--on-loss', 'error,people.money=text'),
	qr/^(?:varchar|longtext)/, '--on-loss text is text');
like(type_of('money', '--on-loss', 'warn'),
	qr/^decimal/, 'and warn is not');

# ---- check lists it, and run refuses before anything is created
my $check = json_of('check');
my %finding = map { (lc($_->{object}) => $_) } @{ $check->{findings} };
ok($finding{'view public.seen'}, 'check lists decisions');
ok(!$finding{'pg_dump'}, 'and has no use for pg_dump');
ok(!(grep { $_->{message} =~ /pg_dump/ } @{ $check->{findings} }),
	'nor for its locks');
is($check->{errors}, 0, 'nothing is refused')
  || diag(explain([ grep { $_->{severity} eq 'error' } @{ $check->{findings} } ]));

$source->safe_psql('app', <<'SQL');
CREATE TABLE wide (a text PRIMARY KEY);
INSERT INTO wide SELECT string_agg(md5(i::text), '') FROM generate_series(1, 60) i;
SQL
$check = json_of('check', '--tables', 'wide');
cmp_ok($check->{errors}, '>', 0, 'a key that is too long is an error');
my ($error) = grep { $_->{severity} eq 'error' } @{ $check->{findings} };
my $run = portage('run', @ends, '--tables', 'wide', '--copy-only');
isnt($run->{rc}, 0, 'and run refuses');
like($run->{err}, qr/\Q$error->{code}\E/, 'with its code');
is( $target->value('app', <<'SQL'), 0, 'nothing was created');
SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app'
SQL

# ---- what a role that may only read can do
$source->safe_psql('app', 'DROP TABLE wide');

# ---- the mapping is the migration's
my @begun = (@ends, '--copy-only', '--tables', 'people');
is(portage('run', @begun,
		env => { PG_PORTAGE_FAILPOINT => 'copy-started:kill' })->{signal},
	9, 'a copy is killed');
like(portage('check', @begun, '--schemas', 'databases')->{out},
	qr/begun with --schemas prefix/, '--schemas must stay');
like(portage('run', @begun, '--schemas', 'databases')->{err},
	qr/begun with --schemas prefix/, 'for run as well');
like(portage_ok('run', @begun, '--on-loss', 'warn')->{err},
	qr/--on-loss was "", it is "warn" from now on/, '--on-loss may change');
is($target->value('app', 'SELECT count(*) FROM people'), 1, 'it is copied');
done_testing();
