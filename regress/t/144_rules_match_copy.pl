# Rules with match in the copy: once the tables are loaded, each row of the other
# table changes those that it finds, also when the copy is killed meanwhile and begun
# again; the stream goes on with what changes. The oracle is SQL on the source.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $other = source_new('other');
my $target = target_new('target');
my $my = mysql_new('mysql');
my %settings = (
	source => source_url($source), pg => target_url($target), my => $my->url('app'));

$source->safe_psql('app', <<'SQL');
CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, total int);
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE customers (id int PRIMARY KEY, name varchar(60), hidden bool NOT NULL DEFAULT false);
CREATE TABLE cities (id int, part text, city text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE cities_a PARTITION OF cities FOR VALUES IN ('a');
CREATE TABLE cities_b PARTITION OF cities FOR VALUES IN ('b');
INSERT INTO customers SELECT i, 'c' || i || E'\t\\', i % 7 = 0 FROM generate_series(1, 300) i;
INSERT INTO cities SELECT i, (ARRAY['a', 'b'])[i % 2 + 1], 'city ' || i % 5 FROM generate_series(1, 250) i;
INSERT INTO orders SELECT i, i % 310, i FROM generate_series(1, 2000) i;
SQL

my $file = rules_file(<<"YAML");
name: app
source: "$settings{source}"
targets: { pg: { url: "$settings{pg}" }, my: { url: "$settings{my}" } }
until: caught-up
jobs: 2
rules:
  - table: public.orders
    name: orders
    target: [pg, my]
    into: sales.orders
    columns:
      name: { expr: "'?'", type: varchar(60) }
      city: { expr: "null", type: text }
  - table: public.customers
    name: names
    target: [pg, my]
    into: sales.orders
    match: [customer]
    where: not hidden
    columns: { customer: id, name: "upper(name)" }
    omit: [id, hidden]
    operations: [update]
  - table: public.cities
    name: cities
    target: [pg, my]
    into: sales.orders
    match: [customer]
    columns: { customer: id }
    only: [city]
    operations: [update]
YAML

# What the copy makes of the orders that are there.
my $joined = <<'SQL';
SELECT o.id, o.customer, o.total, coalesce(upper(c.name), '?') AS name, t.city
FROM orders o
LEFT JOIN customers c ON c.id = o.customer AND NOT c.hidden
LEFT JOIN cities t ON t.id = o.customer
SQL

sub compare
{
	my ($when, $sql) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	note($when);
	derived_equal($_, 'sales.orders', 'id int4, customer int4, total int4, name varchar, city text',
		[ $source, $sql ]) foreach $target, $my;
	return;
}

sub merged
{
	my ($rule) = @_;
	return $target->safe_psql('app', "SELECT sum(merged) FROM portage.ledger WHERE rule = '$rule'");
}

my $check = portage('check', '--config', $file);
unlike($check->{out}, qr/match/, 'check has nothing to say of match');

# ---- killed between the tables and the chunks of match, and within these
foreach my $point (qw(copy-committed batch-committed batch-committed:2 copy-loaded copy-before-commit copy-committed))
{
	my $killed = portage('run', '--config', $file, env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r });

	is($killed->{signal}, 9, "killed at $point") || diag($killed->{err});
	$source->safe_psql('app', "UPDATE customers SET name = '$point' || id WHERE id % 5 = 0");
}
portage_ok('run', '--config', $file);
compare('copied', $joined);
cmp_ok(merged('names'), '>=', $source->safe_psql('app',
	'SELECT count(*) FROM orders JOIN customers c ON c.id = customer WHERE NOT hidden'),
	'rows that were found are counted');
is($target->safe_psql('app', q{SELECT count(*) FROM portage.chunk WHERE state <> 'done'}), 0,
	'every chunk is done');

# ---- the stream
$source->safe_psql('app', <<'SQL');
UPDATE customers SET name = 'new ' || id WHERE id % 3 = 0;
UPDATE cities SET city = 'elsewhere' WHERE id % 4 = 0;
INSERT INTO orders SELECT i, 5000 + i, i FROM generate_series(3001, 3010) i;
SQL
portage_ok('run', '--config', $file);
compare('streamed', $joined);

# ---- two sources with the same keys
$other->safe_psql('app', 'CREATE TABLE common (id int PRIMARY KEY, v int)');
$source->safe_psql('app', 'CREATE TABLE common (id int PRIMARY KEY, v int)');
my $two = rules_file(<<"YAML");
name: two
sources: { a: { url: "$settings{source}" }, b: { url: "@{[ source_url($other) ]}" } }
target: "$settings{pg}"
rules:
  - { table: public.common, on_conflict: source_wins, operations: [insert, update, delete] }
YAML
like(portage('check', '--config', $two)->{out} =~ s/\s+/ /gr,
	qr/on_conflict is for the stream: the copy to public\.common stops at a key that rule 1 for source b has brought, too/,
	'check says what the copy does not do for conflicts');

done_testing();
