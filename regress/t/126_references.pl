# References of every kind, end to end: a CSV file, a query on PostgreSQL and one on
# MariaDB, and a table of the source that is followed and that no rule migrates. What
# rows are told in the copy and in the stream is what the source would say; files are
# read again; a key that must be there and is not puts its row aside, or stops.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my $mysql = mysql_new('regions');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $process;
my $last = 4;

sub file_set
{
	my ($name, $text) = @_;

	# as a program would that does not want it to be read by half
	append_to_file("$folder/$name.new", $text);
	rename("$folder/$name.new", "$folder/$name") || die "$name: $!";
	return;
}

sub config_set
{
	my ($name, $on_error) = @_;
	my ($from, $to) = (source_url($source), target_url($target));
	my $regions = $mysql->url('app');

	file_set("$name.yaml", <<"YAML");
name: $name
source: "$from"
target: "$to"
references:
  fx: { file: rates.csv, key: [currency], refresh: 1s }
  zip: { url: "$from", query: "SELECT zip, city, area FROM zip_codes", key: [zip] }
  regions: { url: "$regions", query: "SELECT code, name FROM regions", key: [code], required: true }
  customers: { table: public.customers, only: [name, id, photo], key: [id] }
rules:
  - table: public.orders
    on_error: $on_error
    columns:
      who: "(SELECT name FROM customers WHERE customers.id = orders.customer)"
      photo: { expr: "(SELECT photo FROM customers WHERE id = customer)", type: bytea }
      rate: { expr: "(SELECT rate FROM fx WHERE fx.currency = orders.currency)", type: numeric }
      city: "(SELECT city || ' ' || area FROM zip WHERE zip.zip = orders.zip)"
      region: "(SELECT name FROM regions WHERE code = orders.code)"
YAML
	return "$folder/$name.yaml";
}

# What each order has on the target, of these columns.
sub orders
{
	my ($columns, $where) = @_;

	return $target->safe_psql('app',
		"SELECT id, $columns FROM orders WHERE $where ORDER BY id");
}

sub order
{
	my ($values) = @_;

	$last++;
	$source->safe_psql('app',
			'INSERT INTO orders (id, customer, currency, zip, code)'
		  . " VALUES ($last, $values)");
	wait_for_applied($source, $target, 'app', 'shop');
	return $last;
}

# Followed, it is kept on the target as it is on the source.
sub kept_as_it_is
{
	my ($what) = @_;
	my $columns = q{id || '|' || name || '|' || coalesce(photo::text, 'null')};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	# by itself the source writes WAL that nobody brings after the copy
	wait_for_applied($source, $target, 'app', 'shop') if $process;
	return is(
		$target->safe_psql('app', <<'SQL'),
SELECT (body::json->>'id') || '|' || (body::json->>'name') || '|'
	|| coalesce(body::json->>'photo', 'null') COLLATE "C" AS line
FROM portage.kept WHERE area = 'reference:customers' AND body <> '' ORDER BY 1
SQL
		$source->safe_psql('app',
			qq{SELECT $columns COLLATE "C" FROM customers ORDER BY 1}),
		"$what: kept as it is");
}

$source->safe_psql('app', <<'SQL');
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, note text,
	photo bytea);
CREATE TABLE orders (id int PRIMARY KEY, customer int, currency text, zip text,
	code text);
CREATE TABLE zip_codes (zip varchar(5) PRIMARY KEY, city text, area int);
INSERT INTO zip_codes VALUES ('10115', 'Berlin', 30), ('20095', 'Hamburg', 40);
INSERT INTO customers VALUES (1, 'Ada', NULL, '\x00ff'),
	(2, E'Grace "the\tfirst"', NULL, NULL);
INSERT INTO orders VALUES (1, 1, 'EUR', '10115', 'e'), (2, 2, 'USD', '20095', 'u'),
	(3, 3, 'XXX', NULL, 'e');
SQL
source_grant($source, 'app', 'public');
$mysql->query('app', 'CREATE TABLE regions (code varchar(3), name text)');
$mysql->query('app', q{INSERT INTO regions VALUES ('e', 'Europa'), ('u', 'USA')});
file_set('rates.csv', "currency,rate,\"as of\"\r\nEUR,1.10,x\r\nUSD,1,\"a, b\"\r\n");

my $config = config_set('shop', 'quarantine');

# ---- the copy
portage_ok('run', '--config', $config, '--until', 'caught-up');
is(orders('who, photo, rate, city, region', 'true'), <<'EOT' =~ s/\n\z//r, 'the copy');
1|Ada|\x00ff|1.10|Berlin 30|Europa
2|Grace "the	first"||1|Hamburg 40|USA
3|||||Europa
EOT
is( $target->safe_psql('app', q{SELECT to_regclass('public.customers') IS NULL}),
	't', 'what is only followed is not migrated');
kept_as_it_is('the copy');

# ---- the stream
$process = portage_start('run', '--config', $config);
order(q{2, 'EUR', '20095', 'u'});
is(orders('who, rate, city, region', 'id = 5'), "5|Grace \"the\tfirst\"|1.10|Hamburg 40|USA", 'the stream');
$source->safe_psql('app', <<'SQL');
BEGIN;
INSERT INTO customers VALUES (3, 'Alan', NULL, '\x01');
INSERT INTO orders VALUES (100, 3, 'EUR', NULL, 'e');
UPDATE customers SET name = 'Alan T.' WHERE id = 3;
INSERT INTO orders VALUES (101, 3, 'EUR', NULL, 'e');
UPDATE customers SET id = 4 WHERE id = 3;
INSERT INTO orders VALUES (102, 3, 'EUR', NULL, 'e'), (103, 4, 'EUR', NULL, 'e');
DELETE FROM customers WHERE id = 4;
INSERT INTO orders VALUES (104, 4, 'EUR', NULL, 'e');
UPDATE orders SET currency = 'USD' WHERE id = 100;
COMMIT;
SQL
kept_as_it_is('a transaction');
is(orders('who, rate', 'id >= 100'), <<'EOT' =~ s/\n\z//r, 'each row at its place');
100||1
101|Alan T.|1.10
102||1.10
103|Alan T.|1.10
104||1.10
EOT

# ---- a file that changes
file_set('rates.csv', "as of,rate,currency\n,2.5,EUR\n");
wait_for(sub { orders('rate', 'id = ' . order(q{1, 'EUR', NULL, 'e'})) =~ /\|2\.5$/ },
	'the file to be read again');
file_set('rates.csv', "rate,currency,as of\n3,EUR,\n\"4,USD,\n");
wait_for(
	sub { order(q{1, 'EUR', NULL, 'e'}); $process->stderr =~ /rates\.csv:3: a quote is opened/ },
	'a wrong file to be told');
is(orders('rate', "id = $last"), "$last|2.5", 'and what was read before stays');
file_set('rates.csv', "more,rate,currency,as of\n,3,EUR,\n");
wait_for(sub { orders('rate', 'id = ' . order(q{1, 'EUR', NULL, 'e'})) =~ /\|3$/ },
	'the file to be right again');
is(scalar(() = $process->stderr =~ /going on with what was read before/g),
	1, 'it was told once');

# ---- a key that is not there
my $missing = order(q{1, 'EUR', NULL, 'x'});
is(orders('who', "id = $missing"), '', 'a row whose region must be there');
is( $target->safe_psql('app',
		q{SELECT (body::json->'row'->>'id') || ' ' || (body::json->>'error')}
		  . q{ ~ 'regions has no row \(x\)' FROM portage.kept WHERE area LIKE 'quarantine%'}),
	't', 'is put aside');

# ---- emptied, and filled again; and what a start reads
$source->safe_psql('app', 'TRUNCATE customers');
order(q{1, 'EUR', NULL, 'e'});
is(orders('who', "id = $last"), "$last|", 'nobody is known after TRUNCATE');
kept_as_it_is('TRUNCATE');
$source->safe_psql('app', q{INSERT INTO customers VALUES (1, 'Eva'), (7, 'Eve')});
order(q{1, 'EUR', NULL, 'e'});
is(orders('who', "id = $last"), "$last|Eva", 'who comes again is known again');
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped');
$source->safe_psql('app', q{UPDATE customers SET name = 'Evi' WHERE id = 7});
$source->safe_psql('app', q{INSERT INTO orders VALUES (200, 7, 'EUR', NULL, 'e')});
$source->safe_psql('app', q{DELETE FROM customers WHERE id = 7});
portage_ok('run', '--config', $config, '--until', 'caught-up');
is(orders('who', 'id = 200'), '200|Evi', 'after a start each row is told what holds for it');
kept_as_it_is('a start');
portage_ok('drop', '--config', $config, '--yes');
$target->safe_psql('app', 'DROP TABLE orders');

# ---- without quarantine it stops
$source->safe_psql('app', q{DELETE FROM orders WHERE id > 3});
$config = config_set('stops', 'stop');
portage_ok('run', '--config', $config, '--until', 'caught-up');
$source->safe_psql('app', q{INSERT INTO orders VALUES (9, 1, 'EUR', NULL, 'x')});
error_ok(portage_fails(4, 'run', '--config', $config, '--until', 'caught-up'),
	'P0429', qr/rule 1.*orders.*reference regions has no row \(x\)/s,
	'a key that is not there stops');
portage_ok('drop', '--config', $config, '--yes');

done_testing();
