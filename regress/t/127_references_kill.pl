# A table that is followed, under random changes and kill -9, into PostgreSQL and into
# MariaDB: what each order is told is what a trigger on the source has looked up by
# plain SQL when the order was written. One session writes, so that both see the same
# order of things. Orders that were written before the copy are told what its snapshot
# has, which nothing on the source remembers: only those behind it are compared.
#
# ROUNDS is how many kills there are (8); PORTAGE_SEED repeats the changes.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{ROUNDS} // 8;
my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

my $source = source_new('source');
my $pg = target_new('pg');
my $my = mysql_new('my');
my $config = PostgreSQL::Test::Utils::tempdir() . '/follow.yaml';
my $order = 1000;
my $base;

$source->safe_psql('app', <<'SQL');
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, long text);
ALTER TABLE customers ALTER long SET STORAGE EXTERNAL;
CREATE TABLE orders (id int PRIMARY KEY, customer int, expected text);
CREATE FUNCTION look_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.expected := (SELECT name || '/' || md5(long) FROM customers
		WHERE id = NEW.customer);
	RETURN NEW;
END $$;
CREATE TRIGGER look_up BEFORE INSERT OR UPDATE ON orders
	FOR EACH ROW EXECUTE FUNCTION look_up();
INSERT INTO customers SELECT i, 'n' || i, repeat(md5(i::text), 100)
	FROM generate_series(1, 40) i;
INSERT INTO orders SELECT i, i % 50 FROM generate_series(1, 1000) i;
SQL
source_grant($source, 'app', 'public');
append_to_file($config, <<"YAML");
name: follow
source: "${\ source_url($source)}"
targets:
  pg: { url: "${\ target_url($pg)}" }
  my: { url: "${\ $my->url('app')}" }
references:
  c: { table: public.customers, key: [id] }
rules:
  - table: public.orders
    target: [pg, my]
    columns:
      who: "(SELECT name FROM c WHERE c.id = orders.customer)"
      long: "(SELECT long FROM c WHERE c.id = orders.customer)"
YAML

# A transaction of a few changes; a large value stays as it is more often than not.
sub transaction
{
	my @sql;

	foreach my $i (1 .. 1 + int(rand(8)))
	{
		my $id = 1 + int(rand(50));
		my $other = 1 + int(rand(50));
		my $what = int(rand(100));
		push @sql,
		    $what < 20 ? "INSERT INTO customers VALUES ($id, 'i$order-$i',"
		  . " repeat(md5('$order-$i'), 100)) ON CONFLICT DO NOTHING"
		  : $what < 40 ? "UPDATE customers SET name = 'u$order-$i' WHERE id = $id"
		  : $what < 45 ? "UPDATE customers SET long = repeat(md5('$order+$i'), 100)"
		  . " WHERE id = $id"
		  : $what < 52 ? "UPDATE customers SET id = $other WHERE id = $id AND NOT"
		  . " EXISTS (SELECT FROM customers WHERE id = $other)"
		  : $what < 60 ? "DELETE FROM customers WHERE id = $id"
		  : $what < 61 ? 'TRUNCATE customers'
		  : $what < 75 ? "UPDATE orders SET customer = $id WHERE id = "
		  . ($order - int(rand(50)))
		  : 'INSERT INTO orders VALUES (' . ++$order . ", $id)";
	}
	return 'BEGIN;' . join(';', @sql) . (rand() < 0.1 ? ';ROLLBACK' : ';COMMIT');
}

sub write_some
{
	my ($count) = @_;

	return $source->safe_psql('app', join(";\n", map { transaction() } 1 .. $count));
}

# Killed at a random moment, while the source is written to and after.
sub round_of
{
	my ($round, $most) = @_;
	my $process = portage_start('run', '--config', $config);

	wait_for(sub { slot_row($source, 'portage_follow') || !$process->running },
		'the slot');
	write_some(40);
	Time::HiRes::sleep(rand($most));
	ok($process->running, "round $round: it runs until it is killed")
	  || diag($process->stderr);
	$process->kill9;
	$process->wait_exit;
	return write_some(20);
}

round_of($_, 1) foreach 1 .. $rounds / 2;
portage_ok('run', '--config', $config, '--until', 'caught-up');
$base = $order;
round_of($_, 3) foreach $rounds / 2 + 1 .. $rounds;
portage_ok('run', '--config', $config, '--until', 'caught-up');

my $want = $source->safe_psql('app',
	q{SELECT id || ' ' || coalesce(expected, '-') FROM orders ORDER BY id});
my @changed = grep { /^(\d+) / && $1 > $base } split(/\n/, $want);

cmp_ok(scalar(@changed), '>', 50, 'there are orders to compare');
is( $pg->safe_psql('app',
		q{SELECT id || ' ' || coalesce(who || '/' || md5(long), '-') FROM orders}
		  . " WHERE id > $base ORDER BY id"),
	join("\n", @changed),
	'PostgreSQL: each order is told what the source has looked up');
is( join("\n", map { $_->[0] } $my->rows('app',
			q{SELECT concat(id, ' ', coalesce(concat(who, '/', md5(`long`)), '-'))}
			  . " FROM orders WHERE id > $base ORDER BY id")),
	join("\n", @changed),
	'MariaDB: the same');

my $customers = $source->safe_psql('app',
	q{SELECT id || ' ' || name || ' ' || md5(long) FROM customers ORDER BY id});
is( $pg->safe_psql('app', <<'SQL'),
SELECT (body::json->>'id') || ' ' || (body::json->>'name') || ' '
	|| md5(body::json->>'long')
FROM portage.kept WHERE area = 'reference:c' AND body <> ''
ORDER BY (body::json->>'id')::int
SQL
	$customers, 'PostgreSQL: kept as it is on the source');
is( join("\n", map { $_->[0] } $my->rows('app',
			q{SELECT concat(json_value(body, '$.id'), ' ', json_value(body, '$.name'),}
			  . q{ ' ', md5(json_value(body, '$.long'))) FROM portage_kept}
			  . q{ WHERE area = 'reference:c' AND body <> ''}
			  . q{ ORDER BY cast(json_value(body, '$.id') AS int)})),
	$customers, 'MariaDB: kept as it is on the source');

done_testing();
