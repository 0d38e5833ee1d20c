# Rules with match in the copy: once the tables are loaded, each row of the other
# table changes those that it finds, also when the copy is killed meanwhile and begun
# again, and counts them once; the stream goes on with what changes. The oracle is SQL
# on the source.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use Test::More;

my $source = source_new('source');
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

my %target_of = (pg => $target, my => $my);
my %file = map { $_ => rules_file(<<"YAML") } sort keys %target_of;
name: app_$_
source: "$settings{source}"
target: "$settings{$_}"
until: caught-up
jobs: 2
rules:
  - table: public.orders
    name: orders
    into: sales.orders
    columns:
      name: { expr: "'?'", type: varchar(60) }
      city: { expr: "null", type: text }
  - table: public.customers
    name: names
    into: sales.orders
    match: [customer]
    where: not hidden
    columns: { customer: id, name: "upper(name)" }
    omit: [id, hidden]
    operations: [update]
  - table: public.cities
    name: cities
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
	my ($which, $when) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	note("$which: $when");
	derived_equal($target_of{$which}, 'sales.orders',
		'id int4, customer int4, total int4, name varchar, city text', [ $source, $joined ]);
	return;
}

# What a rule has counted.
sub counted
{
	my ($which, $rule, $count) = @_;

	return $which eq 'pg'
	  ? $target->safe_psql('app', "SELECT coalesce(sum($count), 0) FROM portage.ledger WHERE rule = '$rule'")
	  : $my->value('app', "SELECT coalesce(sum($count), 0) FROM portage_ledger WHERE rule = '$rule'");
}

my %found = (
	names => 'SELECT count(*) FROM orders JOIN customers c ON c.id = customer WHERE NOT hidden',
	cities => 'SELECT count(*) FROM orders JOIN cities c ON c.id = customer');

foreach my $which (sort keys %target_of)
{
	unlike(portage('check', '--config', $file{$which})->{out}, qr/match/,
		"$which: check has nothing to say of match");

	# ---- killed between the tables and the chunks of match, and within these
	foreach my $point (qw(copy-committed copy-started copy-loaded copy-before-commit copy-committed))
	{
		my $killed = portage('run', '--config', $file{$which},
			env => { PG_PORTAGE_FAILPOINT => "$point:kill" });

		is($killed->{signal}, 9, "$which: killed at $point") || diag($killed->{err});
		# what is found in it later comes with the stream, and is counted there
		$source->safe_psql('app', "UPDATE customers SET name = '$point' || id WHERE id % 5 = 0")
		  if counted($which, 'names', 'seen') == 0;
	}
	portage_ok('run', '--config', $file{$which});
	compare($which, 'copied');
	foreach my $rule (sort keys %found)
	{
		is(counted($which, $rule, 'merged'), $source->safe_psql('app', $found{$rule}),
			"$which: rows that $rule has found are counted once");
		is(counted($which, $rule, 'seen'),
			$source->safe_psql('app', 'SELECT count(*) FROM ' . ($rule eq 'names' ? 'customers' : 'cities')),
			"$which: and those it has seen");
	}

	# ---- the stream
	$source->safe_psql('app', <<'SQL');
UPDATE customers SET name = 'new ' || id WHERE id % 3 = 0;
UPDATE cities SET city = 'elsewhere' WHERE id % 4 = 0;
INSERT INTO orders SELECT i, 5000 + i, i FROM generate_series((SELECT max(id) + 1 FROM orders),
	(SELECT max(id) + 10 FROM orders)) i;
SQL
	portage_ok('run', '--config', $file{$which});
	compare($which, 'streamed');
}
is($target->safe_psql('app', q{SELECT count(*) FROM portage.chunk WHERE state <> 'done'}), 0,
	'every chunk is done');

done_testing();
