# DDL in the stream while rules are in force, on a target of either kind: commands
# about tables that no rule changes are carried as always, those about tables that a
# rule changes show in the columns that come of it, and what cannot be told stops the
# stream.  The oracle is SQL on the source.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageRules;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my $my = mysql_new('mysql');

$source->safe_psql('app', <<'SQL');
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE hidden (id int PRIMARY KEY, v text);
CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL, code varchar(5),
	secret text, spare text);
CREATE TABLE stays (id int PRIMARY KEY, v int);
CREATE TABLE parts (id int, region text, v int, PRIMARY KEY (id, region))
	PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('EU');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('US');
INSERT INTO plain VALUES (1, 'one');
INSERT INTO hidden VALUES (1, 'h');
INSERT INTO orders SELECT i, i * 10, 'c' || i, 's' || i FROM generate_series(1, 9) i;
INSERT INTO stays VALUES (1, 1);
INSERT INTO parts VALUES (1, 'EU', 1), (2, 'US', 2);
SQL

my $pg = PostgreSQL::Test::Utils::tempdir() . "/pg.yaml";
my $mysql = PostgreSQL::Test::Utils::tempdir() . "/mysql.yaml";
my %url = ($pg => target_url($target), $mysql => $my->url('app'));

foreach my $file ($pg, $mysql)
{
	my $name = $file eq $pg ? 'pg' : 'my';

	unlink($file);
	append_to_file($file, <<"YAML");
name: $name
until: caught-up
source: "@{[ source_url($source) ]}"
target: "$url{$file}"
rules:
  - table: public.plain
  - table: public.orders
    into: shop.sales
    omit: [secret]
    columns:
      double: { expr: "total * 2", type: bigint }
  - table: public.stays
    into: shop.stays
  - table: public.parts
    where: "id > 0"
  - table: "public.new_*"
    into: "shop.{table}"
    columns:
      origin: { expr: "'stream'", type: varchar(10) }
YAML
	portage_ok('run', '--config', $file);
}

sub equal
{
	my ($what, $table, $columns, $query) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	subtest $what => sub {
		derived_equal($_, $table, $columns, [ $source, $query ]) foreach $target, $my;
	};
	return;
}

# Both streams carry it.
sub carried
{
	my ($what, $sql) = @_;
	my %told;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	foreach my $file ($pg, $mysql)
	{
		my $result = portage('run', '--config', $file);

		is($result->{rc}, 0, "$what is carried") || diag($result->{err});
		$told{$file} = $result->{err};
	}
	return \%told;
}

# Both streams stop, again when they are begun again, and go on once it is done.
sub stops
{
	my ($what, $sql, $words) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $sql);
	foreach my $file ($pg, $mysql)
	{
		my $result = portage_fails(4, 'run', '--config', $file);
		my ($lsn) = $result->{err} =~ m{--ddl-done ([0-9A-F]+/[0-9A-F]+)};

		error_ok($result, 'P0425', $words, $what);
		error_ok(portage_fails(4, 'run', '--config', $file),
			'P0425', qr/cannot be carried/, "$what, begun again");
		portage_ok('run', '--config', $file, '--ddl-done', $lsn // '0/1');
	}
	return;
}

# ---- tables that no rule changes, and those that do not come
carried('a command about a table as it is', <<'SQL');
ALTER TABLE plain ADD w int DEFAULT 7;
INSERT INTO plain VALUES (2, 'two', 2);
SQL
equal('as on the source', 'public.plain', 'id int4, v text, w int4', 'SELECT id, v, w FROM plain');
carried('a command about a table that does not come', <<'SQL');
ALTER TABLE hidden ADD w int;
CREATE INDEX ON hidden (w);
CREATE TABLE other (id int PRIMARY KEY);
ALTER TABLE hidden RENAME v TO x;
INSERT INTO hidden VALUES (2, 'x', 1);
DROP TABLE other;
SQL

# ---- columns
my $sales = 'id int4, total int4, code varchar, spare text, double int8';
carried('a column that is left out', <<'SQL');
ALTER TABLE orders ALTER secret TYPE varchar;
UPDATE orders SET secret = 'x' WHERE id = 1;
SQL
carried('columns that are added, renamed, wider and dropped', <<'SQL');
ALTER TABLE orders ADD note varchar(20) DEFAULT 'old';
ALTER TABLE orders RENAME code TO label;
ALTER TABLE orders ALTER label TYPE varchar(30);
ALTER TABLE orders DROP spare;
INSERT INTO orders (id, total, label, note) VALUES (10, 100, 'longer than before', 'new');
UPDATE orders SET note = 'changed' WHERE id = 3;
SQL
equal('what comes of it', 'shop.sales', 'id int4, total int4, label varchar, note varchar, double int8',
	'SELECT id, total, label, note, total * 2 FROM orders');

# ---- what is not carried is told
my $told = carried('an index', 'CREATE INDEX orders_total ON orders (total); INSERT INTO orders (id, total) VALUES (11, 1)');
like($told->{$_}, qr/CREATE INDEX .* is about table public\.orders, which .*rule 2 changes, and is not carried/,
	'and told of')
  foreach $pg, $mysql;
$told = carried('a trigger that comes and goes', <<'SQL');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "odd on name" BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();
DROP TRIGGER "odd on name" ON orders;
DROP INDEX orders_total;
SQL

# ---- new tables
carried('new tables', <<'SQL');
CREATE TABLE new_one (id serial PRIMARY KEY, v text);
INSERT INTO new_one (v) VALUES ('a'), ('b');
CREATE INDEX ON new_one (v);
ALTER TABLE new_one RENAME v TO w;
INSERT INTO new_one (w) VALUES ('c');
CREATE TABLE left_alone (id int PRIMARY KEY);
INSERT INTO left_alone VALUES (1);
SQL
equal('made by the pattern', 'shop.new_one', 'id int4, w text, origin varchar',
	q{SELECT id, w, 'stream' FROM new_one});
carried('a new name that the same rule is for', <<'SQL');
ALTER TABLE new_one RENAME TO new_two;
INSERT INTO new_two (w) VALUES ('d');
SQL
equal('it follows', 'shop.new_two', 'id int4, w text, origin varchar',
	q{SELECT id, w, 'stream' FROM new_two});

carried('a table that never had rows', <<'SQL');
CREATE TABLE new_three (id int PRIMARY KEY);
ALTER TABLE new_three ADD v int;
DROP TABLE new_three;
SQL

# ---- what stops
stops('rows that are written anew', 'ALTER TABLE orders ALTER total TYPE int USING total + 0',
	qr/written the rows of public\.orders anew, and what .*rule 2 has made of them is from before/);
stops('a table that gets another name', 'INSERT INTO stays VALUES (2, 2); ALTER TABLE stays RENAME TO moved',
	qr/table public\.(stays|moved) .*(other rules, or none|rules know tables by name)/);
stops('a partition that is dropped', 'DROP TABLE parts_us',
	qr/parts_us/);
stops('a table that is dropped', 'DROP TABLE new_two',
	qr/public\.new_two is a table of which .*rule 5 has made rows/);
carried('and what comes behind it', q{INSERT INTO plain VALUES (3, 'three', 3)});
equal('as on the source', 'public.plain', 'id int4, v text, w int4', 'SELECT id, v, w FROM plain');

# ---- a column that an expression needs
$source->safe_psql('app', <<'SQL');
ALTER TABLE orders RENAME total TO sum;
INSERT INTO orders (id, sum) VALUES (12, 5);
SQL
foreach my $file ($pg, $mysql)
{
	my $result = portage('run', '--config', $file);

	isnt($result->{rc}, 0, 'a column that an expression needs is gone');
	like($result->{err}, qr/\.yaml:\d+.*rule 2.*total/s, 'and it is said where');
}

done_testing();
