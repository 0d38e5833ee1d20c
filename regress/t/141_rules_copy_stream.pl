# The same data, once as changes from empty tables on and once as a copy: rules
# make the same of it, on PostgreSQL and on MariaDB, also where rows of the copy have
# the same key. And both are what SQL says.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $pg = target_new('pg');
my $my = mysql_new('my');
my $folder = PostgreSQL::Test::Utils::tempdir();

append_to_file("$folder/rates.csv", qq{currency,rate,name\nEUR,1.0,euro\nUSD,0.925,"dollar, us"\n});
append_to_file("$folder/rules.yaml", <<"YAML");
name: app
sources:
  main: { url: "@{[ source_url($source) ]}" }
targets:
  pg: { url: "@{[ target_url($pg) ]}" }
  my: { url: "@{[ $my->url ]}" }
references:
  rates: { file: rates.csv, key: [currency] }
  shops: { table: public.shop, only: [id, city], key: [id] }
rules:
  - table: public.shop
    target: [pg, my]
    columns:
      city: "upper(city)"
  - table: public.sale
    target: [pg, my]
    where: "state <> 'draft' AND weight >= 0"
    omit: [secret]
    columns:
      city: { expr: "(SELECT city FROM shops WHERE shops.id = sale.shop)", type: "varchar(40)" }
      rate: { expr: "(SELECT rate FROM rates WHERE rates.currency = sale.currency)", type: "numeric(8,4)" }
      vat: { expr: "dec_round(dec_mul(price, '0.19'), 2)", type: "numeric(14,2)" }
      seconds: { expr: "unixepoch(substr(at, 1, 19))", type: bigint }
      local: { expr: "at_time_zone(at, 'Europe/Berlin')", type: timestamp }
      digits: { expr: "regexp_replace(note, '[^0-9]+', '', 'g')", type: text }
      first: { expr: "json_extract(doc, '\$.a[0]')", type: text }
      half: { expr: "weight / 2", type: float8 }
      flag: { expr: "CASE WHEN done THEN 0 ELSE 1 END", type: bool }
      doc: "json_set(doc, '\$.seen', 1)"
      mark: { expr: "substr(raw, 1, 2)", type: bytea }
      origin: { expr: "portage_source() || ':' || id", type: "varchar(30)" }
  - table: public.sale
    name: numbers
    target: pg
    into: public.daily
    only: [id, day]
    columns:
      number: { expr: "CAST(strftime('%d', day) AS INTEGER)", type: bigint }
  - table: public.sale
    name: routed
    route: "CASE WHEN shop % 2 THEN 'pg' ELSE 'my' END"
    into: public.half_of_them
    only: [id, shop, tags]
  - table: public.event
    target: [pg, my]
    into: public.latest
    key: [shop]
    where: id % 5 > 1
    on_conflict: { latest_wins: at }
    operations: [insert]
  - table: public.event
    name: others
    target: [pg, my]
    into: public.latest
    key: [shop]
    where: id % 5 < 3
    on_conflict: { latest_wins: at }
    operations: [insert]
YAML

$source->safe_psql('app', <<'SQL');
CREATE TABLE shop (id int PRIMARY KEY, city text, owner text);
CREATE TABLE sale (id bigint PRIMARY KEY, shop int, currency char(3), price numeric(12,3),
	at timestamptz, day date, note text, doc jsonb, weight float8, ratio float4, done bool,
	raw bytea, tags text[], token uuid, state varchar(10) NOT NULL, secret text);
ALTER TABLE sale REPLICA IDENTITY FULL;
CREATE TABLE event (id int PRIMARY KEY, shop int NOT NULL, at timestamptz, what text);
SQL

my $rows = <<'SQL';
INSERT INTO shop SELECT i, (ARRAY['Kiel', E'Wien\\"', NULL])[i % 3 + 1], 'o' || i
	FROM generate_series(1, 20) i;
INSERT INTO sale SELECT i, i % 23, (ARRAY['EUR', 'USD', 'XXX', NULL])[i % 4 + 1],
	CASE WHEN i % 11 > 0 THEN (i * 7919 % 200000 - 100000) / 1000.0 END,
	'2023-03-26 00:00:00Z'::timestamptz + i * interval '13 min 7 s 125 ms',
	'2023-03-26'::date + (i / 50)::int,
	CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'a\tb\\n 1' || i
		WHEN 3 THEN E'line\n' || i ELSE repeat('x9 ', 1500) END,
	CASE WHEN i % 7 > 0 THEN jsonb_build_object('a', jsonb_build_array(i, 'q"'), 'b', NULL) END,
	CASE i % 13 WHEN 0 THEN NULL WHEN 1 THEN -1.5 ELSE i / 3.0::float8 END,
	i / 7.0::float4, (ARRAY[true, false, NULL])[i % 3 + 1],
	CASE WHEN i % 6 > 0 THEN decode(md5(i::text), 'hex') || '\x5c00' END,
	CASE WHEN i % 4 > 0 THEN ARRAY['a', NULL, E'q"\\', 'e' || i] END,
	md5(i::text)::uuid, (ARRAY['draft', 'sent', 'paid'])[i % 3 + 1], 's' || i
	FROM generate_series(1, 400) i;
INSERT INTO event SELECT i, i % 17, CASE WHEN i % 9 > 0 THEN '2023-03-26 00:00:00Z'::timestamptz
	+ i * 7919 % 1009 * interval '1 h' + i * interval '1 us' END, repeat('e' || i, i % 90)
	FROM generate_series(1, 700) i;
SQL
my $changes = <<'SQL';
UPDATE sale SET state = CASE state WHEN 'draft' THEN 'sent' ELSE 'draft' END WHERE id % 10 = 3;
UPDATE sale SET price = price * 2, done = NOT done, weight = -weight WHERE id % 10 = 4;
UPDATE sale SET shop = shop + 1, doc = doc || '{"c": 1.50}' WHERE id % 10 = 5;
UPDATE sale SET note = 'n' WHERE id % 10 = 6 AND id % 5 = 4;
UPDATE shop SET city = 'Graz' WHERE id = 19 AND NOT EXISTS (SELECT FROM sale WHERE shop = 19);
SQL

my %columns = (
	'public.shop' => 'id int4, city text, owner text',
	'public.sale' => 'id int8, shop int4, currency bpchar, price numeric, at timestamptz,'
	  . ' day date, note text, doc jsonb, weight float8, ratio float4, done bool, raw bytea,'
	  . ' token uuid, state varchar, city varchar, rate numeric, vat numeric, seconds int8,'
	  . ' local timestamp, digits text, first text, half float8, flag bool, mark bytea,'
	  . ' origin varchar',
	'public.daily' => 'id int8, day date, number int8');
my $sale = <<'SQL';
SELECT s.id, shop, currency, price, at, day, note, jsonb_set(doc, '{seen}', '1'), weight, ratio,
	done, raw, token, state, h.city, CASE currency WHEN 'EUR' THEN 1.0 WHEN 'USD' THEN 0.925 END,
	round(price * 0.19, 2), floor(extract(epoch FROM at))::int8,
	at AT TIME ZONE 'Europe/Berlin', regexp_replace(note, '[^0-9]+', '', 'g'), doc #>> '{a,0}',
	weight / 2, CASE WHEN done THEN false ELSE true END, substr(raw, 1, 2), 'main:' || s.id
FROM sale s LEFT JOIN shop h ON h.id = s.shop
WHERE state <> 'draft' AND weight >= 0
SQL

sub compare
{
	my ($what) = @_;

	note("---- $what");
	foreach my $target ($pg, $my)
	{
		derived_equal($target, 'public.shop', $columns{'public.shop'},
			[ $source, 'SELECT id, upper(city), owner FROM shop' ]);
		derived_equal($target, 'public.sale',
			$columns{'public.sale'} =~ s/token/tags text, token/r,
			[ $source, $sale =~ s/raw, token/raw, tags::text, token/r ])
		  if $target == $pg;
		derived_equal($target, 'public.latest', 'id int4, shop int4, at timestamptz, what text',
			[ $source, 'SELECT DISTINCT ON (shop) id, shop, at, what FROM event'
				. ' ORDER BY shop, at DESC NULLS LAST' ]);
	}
	derived_equal($pg, 'public.daily', $columns{'public.daily'},
		[
			$source, 'SELECT id, day, extract(day FROM day)::int8 FROM sale'
		]);
	derived_equal($pg, 'public.half_of_them', 'id int8, shop int4, tags text',
		[ $source, 'SELECT id, shop, tags::text FROM sale WHERE shop % 2 <> 0' ]);
	is($my->value('app', 'SELECT count(*) FROM half_of_them'),
		$source->safe_psql('app', 'SELECT count(*) FROM sale WHERE shop % 2 = 0'),
		'my: public.half_of_them has the others');
	return;
}

# All that a target holds, as it says it.
sub contents
{
	my %contents;

	foreach my $table (qw(shop sale half_of_them latest))
	{
		$contents{"my $table"} = join("\n", sort map {
				join('|', map { defined ? unpack('H*', $_) : 'NULL' } @$_)
			} $my->rows('app', "SELECT * FROM `$table`"));
	}
	$contents{"pg $_"} = table_digest($pg, 'app', "public.$_")
	  foreach qw(shop sale daily half_of_them latest);
	return \%contents;
}

sub run
{
	return portage_ok('run', '--config', "$folder/rules.yaml", '--until', 'caught-up');
}

# ---- as changes
run();
$source->safe_psql('app', $rows);
run();
$source->safe_psql('app', $changes);
run();
compare('as changes');
my $streamed = contents();

# ---- as a copy
portage_ok('drop', '--config', "$folder/rules.yaml", '--yes');
$pg->safe_psql('postgres', 'DROP DATABASE app');
$pg->safe_psql('postgres', 'CREATE DATABASE app OWNER ' . TARGET_ROLE);
$my->drop_database('app');
$my->create_database('app');
run();
compare('as a copy');
my $copied = contents();

is($copied->{$_}, $streamed->{$_}, "$_: copy and stream have made the same of it")
  foreach sort keys %$streamed;

done_testing();
