# Two sources are re-sharded into three targets of both kinds by what their rows
# say, while rows of both change regions; ids that both have given out are told
# apart by a constant in the key. scripts/demo-reshard shows the same to people.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use Test::More;

my %source = map { $_ => source_new($_) } qw(north south);
my %target = (eu => target_new('eu'), us => target_new('us'), ap => mysql_new('ap'));

my $config = rules_file(<<"YAML");
name: shop
sources:
  north: { url: "@{[ source_url($source{north}) ]}" }
  south: { url: "@{[ source_url($source{south}) ]}" }
targets:
  eu: { url: "@{[ target_url($target{eu}) ]}" }
  us: { url: "@{[ target_url($target{us}) ]}" }
  ap: { url: "@{[ $target{ap}->url ]}" }
rules:
  - table: public.customer
    route: region
    key: [origin, id]
    operations: [insert, update, delete]
    columns: { origin: { expr: "portage_source()", type: "varchar(10)" } }
  - table: public.orders
    source: north
    route: "(CASE WHEN region IN ('eu', 'us') THEN region ELSE 'ap' END)"
    key: [origin, id]
    operations: [insert, update, delete]
    columns: { origin: { expr: "'north'", type: "varchar(10)" } }
  - table: public.orders
    source: south
    route: "(CASE WHEN region IN ('eu', 'us') THEN region ELSE 'ap' END)"
    key: [origin, id]
    operations: [insert, update, delete]
    columns: { origin: { expr: "'south'", type: "varchar(10)" } }
  - table: public.product
    source: north
    target: [eu, us, ap]
  - table: public.visit
    target: [us]
    into: public.all_visits
    key: [origin, id]
    operations: [insert]
    columns: { origin: { expr: "portage_source()", type: "varchar(10)" } }
YAML

foreach my $name (sort keys %source)
{
	$source{$name}->safe_psql('app', <<"SQL");
CREATE TABLE customer (id int PRIMARY KEY, region text NOT NULL, name text,
	born date);
CREATE TABLE orders (id int PRIMARY KEY, customer int, region text, amount numeric(10,2));
CREATE TABLE product (id int PRIMARY KEY, name text, price numeric(10,2));
CREATE TABLE visit (id serial PRIMARY KEY, customer int);
ALTER TABLE customer REPLICA IDENTITY FULL;
ALTER TABLE orders REPLICA IDENTITY FULL;
INSERT INTO customer SELECT i, (ARRAY['eu', 'us', 'ap'])[i % 3 + 1], '$name ' || i,
	'1980-01-01'::date + i FROM generate_series(1, 300) i;
INSERT INTO orders SELECT i, i % 300 + 1, (ARRAY['eu', 'us', 'xx', NULL])[i % 4 + 1],
	i * 1.5 FROM generate_series(1, 600) i;
INSERT INTO product SELECT i, '$name ' || i, i FROM generate_series(1, 40) i;
INSERT INTO visit (customer) SELECT i FROM generate_series(1, 50) i;
SQL
}

sub change
{
	my ($name, $seed) = @_;

	$source{$name}->safe_psql('app', <<"SQL");
SELECT setseed(0.$seed);
UPDATE customer SET region = (ARRAY['eu', 'us', 'ap'])[floor(random() * 3) + 1]
	WHERE random() < 0.3;
UPDATE customer SET name = name || '!' WHERE random() < 0.2;
UPDATE customer SET id = id + 1000 * $seed, region = 'us' WHERE id % 17 = 3 AND id < 1000;
DELETE FROM customer WHERE random() < 0.05;
INSERT INTO customer SELECT i, 'ap', 'new', NULL FROM generate_series(1, 300) i
	ON CONFLICT DO NOTHING;
UPDATE orders SET region = CASE WHEN random() < 0.5 THEN 'eu' ELSE 'us' END,
	amount = amount + 1 WHERE random() < 0.3;
DELETE FROM orders WHERE random() < 0.05;
UPDATE product SET price = price * 2, name = name || '*';
INSERT INTO visit (customer) SELECT id FROM customer WHERE random() < 0.1;
SQL
	return;
}

sub compare
{
	my ($what) = @_;
	my %orders = (
		eu => q{region = 'eu'},
		us => q{region = 'us'},
		ap => q{(region IN ('eu', 'us')) IS NOT TRUE});

	note("---- $what");
	foreach my $name (sort keys %target)
	{
		my $target = $target{$name};

		derived_equal($target, 'public.customer',
			'origin varchar, id int4, region text, name text, born date',
			map {
				[
					$source{$_}, "SELECT '$_', id, region, name, born"
					  . " FROM customer WHERE region = '$name'"
				]
			} sort keys %source);
		derived_equal($target, 'public.orders',
			'origin varchar, id int4, customer int4, region text, amount numeric',
			map {
				[
					$source{$_}, "SELECT '$_', id, customer, region, amount"
					  . " FROM orders WHERE $orders{$name}"
				]
			} sort keys %source);
		derived_equal($target, 'public.product',
			'id int4, name text, price numeric',
			[ $source{north}, 'SELECT * FROM product' ]);
	}
	derived_equal($target{us}, 'public.all_visits',
		'origin varchar, id int4, customer int4',
		map { [ $source{$_}, "SELECT '$_', id, customer FROM visit" ] }
		  sort keys %source);
	return;
}

portage_ok('run', '--config', $config, '--until', 'caught-up');
compare('copied');
foreach my $round (1 .. 3)
{
	change($_, $round) foreach sort keys %source;
	portage_ok('run', '--config', $config, '--until', 'caught-up');
	compare("round $round");
}

# ---- one source away: the other's rows go on
{
	my $process = portage_start('run', '--config', $config);

	$source{north}->stop('immediate');
	change('south', 7);
	my $wanted = $source{south}->safe_psql('app',
		q{SELECT count(*) FROM customer WHERE region = 'us'});
	wait_for(
		sub {
			die $process->stderr unless $process->running;
			$target{us}->safe_psql('app',
				q{SELECT count(*) FROM customer WHERE origin = 'south'}) == $wanted;
		},
		'the rows of the source that is there');
	pass('the other source goes on');
	$source{north}->start;
	change('north', 8);
	$process->term;
	is($process->wait_exit->{rc}, 0, 'and the process ends when it is told to')
	  || diag($process->stderr);
}
portage_ok('run', '--config', $config, '--until', 'caught-up');
compare('after it was back');

portage_ok('drop', '--config', $config, '--yes');
is($source{$_}->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots'),
	0, "$_ keeps no slot") foreach sort keys %source;

done_testing();
