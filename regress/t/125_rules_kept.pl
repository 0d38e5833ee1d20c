# What rules keep of rows, from the copy on: portage_counter() numbers rows in the
# order of their key and goes on in the stream; ledger: keys has each row that is not
# here, and no other. Both hold when a copy is killed and begun again. The oracle is
# SQL on the source.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my $my = mysql_new('mysql');

$source->safe_psql('app', <<'SQL');
CREATE TABLE items (id int PRIMARY KEY, day text NOT NULL, v int);
CREATE TABLE whole (id int PRIMARY KEY, v int, t text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE keys (a int, b varchar(9), v int, PRIMARY KEY (b, a));
CREATE TABLE parts (id int, r varchar(2), v int, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE parts_x PARTITION OF parts FOR VALUES IN ('x');
CREATE TABLE parts_y PARTITION OF parts FOR VALUES IN ('y');
CREATE TABLE routed (id int PRIMARY KEY, v int);
ALTER TABLE routed REPLICA IDENTITY FULL;
INSERT INTO items SELECT i * 7919 % 4001, 'day ' || i % 7 || E'\t\\', i
	FROM generate_series(1, 4000) i;
INSERT INTO whole SELECT i, nullif(i % 10, 4), repeat(i::text, 30) FROM generate_series(1, 5000) i;
INSERT INTO keys SELECT i, 'b' || i % 3, i % 10 FROM generate_series(1, 1500) i;
INSERT INTO parts SELECT i, (ARRAY['x', 'y'])[i % 2 + 1], i % 10 FROM generate_series(1, 400) i;
INSERT INTO routed SELECT i, nullif(i % 5, 0) FROM generate_series(1, 300) i;
SQL

my %settings = (
	source => source_url($source), pg => target_url($target), my => $my->url('app'));
my $file = rules_file(<<"YAML");
name: app
source: "$settings{source}"
targets: { pg: { url: "$settings{pg}" }, my: { url: "$settings{my}" } }
until: caught-up
jobs: 3
split_over: 64kB
ledger: keys
rules:
  - table: public.items
    name: items
    target: [pg, my]
    where: id % 10 <> 0
    columns: { n: { expr: portage_counter(day), type: bigint } }
  - { table: public.whole, name: whole, target: [pg, my], where: v > 5 }
  - { table: public.keys, name: keys, target: [pg, my], where: v > 5 }
  - { table: public.parts, name: parts, target: [pg, my], where: v > 5, operations: [insert, update, delete] }
  - { table: public.routed, name: routed, route: "CASE WHEN v % 2 = 0 THEN 'pg' WHEN v > 0 THEN 'my' END" }
YAML

# area|kind|table|how many, of what is kept with a body.
sub kept
{
	my (@rows) = @_;
	my %count;

	foreach my $row (@rows)
	{
		my ($area, $key, $body) = @$row;
		my ($kind) = $body =~ /\A\{"kind":"(\w+)","lsn":"[0-9A-F]+\/[0-9A-F]+"\}\z/;

		$count{"$area|" . ($kind // "not a body: $body") . "|$key"}++ if $body ne '';
	}
	return join("\n", map { "$_|$count{$_}" } sort keys %count);
}

sub kept_pg
{
	return kept(map { [ split /\|/ ] } split /\n/, $target->safe_psql('app',
		q{SELECT area, key, body || '' FROM portage.kept WHERE area LIKE 'ledger:%' AND body <> ''}));
}

sub kept_my
{
	return kept($my->rows('app',
		q{SELECT area, kept_key, body FROM portage_kept WHERE area LIKE 'ledger:%' AND body <> ''}));
}

sub want
{
	my ($here, $there) = @_;

	return join("\n", sort split /\n/, $source->safe_psql('app', <<"SQL"));
SELECT * FROM (
	SELECT 'ledger:items', 'filtered', 'public.items', count(*) FROM items WHERE id % 10 = 0
	UNION ALL SELECT 'ledger:whole', 'filtered', 'public.whole', count(*) FROM whole WHERE v > 5 IS NOT TRUE
	UNION ALL SELECT 'ledger:keys', 'filtered', 'public.keys', count(*) FROM keys WHERE v > 5 IS NOT TRUE
	UNION ALL SELECT 'ledger:parts', 'filtered', 'public.' || tableoid::regclass, count(*)
		FROM parts WHERE v > 5 IS NOT TRUE GROUP BY tableoid
	UNION ALL SELECT 'ledger:routed', 'dropped', 'public.routed', count(*) FROM routed WHERE v IS NULL
	UNION ALL SELECT 'ledger:routed', 'elsewhere', 'public.routed', count(*) FROM routed WHERE v % 2 = $there
) k WHERE count > 0
SQL
}

my $numbered = q{SELECT id, day, v, row_number() OVER (PARTITION BY day ORDER BY id) AS n
	FROM items WHERE id % 10 <> 0};

sub compare
{
	my ($when) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	note($when);
	foreach my $on ($target, $my)
	{
		derived_equal($on, 'public.items', 'id int4, day text, v int4, n int8', [ $source, $numbered ]);
		derived_equal($on, 'public.whole', 'id int4, v int4, t text',
			[ $source, 'SELECT * FROM whole WHERE v > 5' ]);
	}
	is(kept_pg(), want(0, 1), "$when: keys on PostgreSQL");
	is(kept_my(), want(1, 0), "$when: keys on MySQL");
	return;
}

sub armed
{
	my ($point) = @_;
	return (env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r });
}

# ---- the copy is killed before and behind commits of its chunks
foreach my $point (qw(copy-before-commit copy-committed:3 copy-loaded copy-committed:5))
{
	my $killed = portage('run', '--config', $file, armed($point));

	is($killed->{signal}, 9, "killed at $point");
	# rows that were left out come, and others go, before the next snapshot
	$source->safe_psql('app', <<'SQL');
UPDATE whole SET v = 9 WHERE id IN (SELECT id FROM whole WHERE v < 5 ORDER BY id LIMIT 40);
DELETE FROM whole WHERE id IN (SELECT id FROM whole WHERE v < 5 ORDER BY id DESC LIMIT 40);
SQL
}
portage_ok('run', '--config', $file);
compare('copied');

# ---- the stream: counters go on, keys come and go
$source->safe_psql('app', <<'SQL');
INSERT INTO items SELECT i, 'day ' || i % 9 || E'\t\\', i FROM generate_series(5000, 5300) i ORDER BY i;
UPDATE items SET v = v + 1 WHERE id % 3 = 0;
UPDATE whole SET v = (v + id) % 10 WHERE id % 4 = 0;
DELETE FROM whole WHERE id % 9 = 0;
INSERT INTO whole SELECT i, i % 10, 'new' FROM generate_series(6000, 6100) i;
UPDATE keys SET v = (v + a) % 10 WHERE a % 4 = 0;
UPDATE keys SET a = a + 10000, v = v + a % 2 WHERE a % 5 = 0;
DELETE FROM keys WHERE a % 9 = 0;
INSERT INTO keys SELECT i, 'new', i % 10 FROM generate_series(1, 100) i;
UPDATE parts SET v = (v + id) % 10 WHERE id % 3 = 0;
UPDATE parts SET r = CASE r WHEN 'x' THEN 'y' ELSE 'x' END WHERE id % 7 = 0;
DELETE FROM parts WHERE id % 11 = 0;
UPDATE routed SET v = nullif((v + id) % 5, 0) WHERE id % 2 = 0;
DELETE FROM routed WHERE id % 7 = 0;
SQL
portage_ok('run', '--config', $file);
compare('streamed');

$source->safe_psql('app', <<'SQL');
INSERT INTO items SELECT i, 'day 1' || E'\t\\', i FROM generate_series(6001, 6009) i ORDER BY i;
BEGIN;
TRUNCATE keys;
INSERT INTO keys VALUES (1, 'b1', 1), (2, 'b1', 9);
COMMIT;
DELETE FROM whole WHERE v > 5 IS NOT TRUE;
SQL
portage_ok('run', '--config', $file);
compare('truncated, and numbered by another process');

# ---- refused
my $refused = rules_file(<<"YAML");
name: other
source: "$settings{source}"
target: "$settings{pg}"
rules:
  - { table: "public.*s", columns: { n: { expr: "portage_counter('all')", type: bigint } } }
  - { table: public.nokey, where: v > 5, ledger: keys }
YAML
$source->safe_psql('app', 'CREATE TABLE nokey (v int); ALTER TABLE nokey REPLICA IDENTITY FULL');
my $check = portage('check', '--config', $refused);
like($check->{out} =~ s/\s+/ /gr, qr/portage_counter\(\) in a rule of several tables/,
	'a counter of several tables is refused');
like($check->{out} =~ s/\s+/ /gr, qr/ledger: keys, and the table has no key/,
	'keys of a table without any are refused');

done_testing();
