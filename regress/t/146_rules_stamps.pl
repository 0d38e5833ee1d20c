# Rules and a copy of several snapshots: what each rule makes of a table has a stamp
# of its own, and the stream applies to it what that stamp does not show, no more and
# no less. The oracle is SQL on the source.

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
CREATE TABLE t (id int PRIMARY KEY, side varchar(9) NOT NULL, v int);
INSERT INTO t SELECT i, (ARRAY['l', 'r'])[i % 2 + 1], i % 10 FROM generate_series(1, 500) i;
CREATE TABLE e (id int PRIMARY KEY, v int);
INSERT INTO e SELECT i, i % 10 FROM generate_series(1, 500) i;
CREATE TABLE f (id int PRIMARY KEY, v int);
INSERT INTO f SELECT i, i % 10 FROM generate_series(1, 500) i;
CREATE TABLE orders (id int PRIMARY KEY, buyer int NOT NULL);
INSERT INTO orders SELECT i, i % 10 FROM generate_series(1, 100) i;
CREATE TABLE buyers (id int PRIMARY KEY, name varchar(60));
INSERT INTO buyers SELECT i, 'b' || i FROM generate_series(1, 8) i;
SQL

my $split = rules_file(<<"YAML");
name: split
source: "@{[ source_url($source) ]}"
target: "@{[ target_url($target) ]}"
until: caught-up
jobs: 2
rules:
  - { table: public.t, where: "v < 8" }
  - { table: public.t, into: public.second, where: "v > 2", columns: { twice: { expr: v * 2, type: int } } }
YAML
my %truncated = map { $_ => rules_file(<<"YAML") } qw(pg my);
name: truncated_$_
source: "@{[ source_url($source) ]}"
target: "@{[ $_ eq 'pg' ? target_url($target) : $my->url('app') ]}"
until: caught-up
jobs: 1
rules:
  - { table: public.e, where: "v > 2" }
  - { table: public.f, where: "v > 2" }
YAML

sub killed_at
{
	my ($config, $point, @more) = @_;
	my $killed = portage('run', '--config', $config,
		env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r }, @more);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($killed->{signal}, 9, "killed at $point") || diag($killed->{err});
	return;
}

# Chunks that are done.
sub done
{
	my ($stream, $where) = @_;
	my $sql = qq{SELECT table_name FROM portage.chunk WHERE stream = '$stream' AND state = 'done'};

	return $where eq 'my' ? $my->value('app', $sql =~ s/portage\./portage_/r)
	  : $target->safe_psql('app', $sql);
}

# ---- the second rule's rows are of an earlier snapshot than the first one's
killed_at($split, 'copy-started');
my $locker = $target->background_psql('app');
$locker->query_safe('BEGIN');
$locker->query_safe('LOCK TABLE t IN ACCESS SHARE MODE');
killed_at($split, 'copy-committed');
is(done('split', 'pg'), 'second', 'the second rule has its rows, the first one not');
$source->safe_psql('app', <<'SQL');
INSERT INTO t SELECT i, 'n', i % 10 FROM generate_series(1001, 1100) i;
UPDATE t SET v = (v + 5) % 10 WHERE id % 3 = 0;
DELETE FROM t WHERE id % 7 = 0;
UPDATE t SET id = id + 5000 WHERE id % 11 = 0;
SQL
$locker->quit;
portage_ok('run', '--config', $split);
derived_equal($target, 'public.t', 'id int4, side varchar, v int4',
	[ $source, 'SELECT * FROM t WHERE v < 8' ]);
derived_equal($target, 'public.second', 'id int4, side varchar, v int4, twice int4',
	[ $source, 'SELECT *, v * 2 FROM t WHERE v > 2' ]);

# ---- a TRUNCATE that one copy shows and the other does not
foreach my $where (qw(pg my))
{
	killed_at($truncated{$where}, 'copy-committed');
	like(done("truncated_$where", $where), qr/\A[ef]\z/, "$where: one table is copied");
}
$source->safe_psql('app', <<'SQL');
TRUNCATE e, f;
INSERT INTO e SELECT i, i % 10 FROM generate_series(1, 300) i;
INSERT INTO f SELECT i, i % 10 FROM generate_series(1, 300) i;
SQL
portage_ok('run', '--config', $truncated{$_}) foreach qw(pg my);
foreach my $table (qw(e f))
{
	derived_equal($_, "public.$table", 'id int4, v int4',
		[ $source, "SELECT * FROM $table WHERE v > 2" ]) foreach $target, $my;
}

# ---- what match reads is later than the rows that it changes, and than others not
my %match = map { $_ => rules_file(<<"YAML") } qw(pg my);
name: match_$_
source: "@{[ source_url($source) ]}"
target: "@{[ $_ eq 'pg' ? target_url($target) : $my->url('app') ]}"
until: caught-up
jobs: 1
rules:
  - { table: public.orders, columns: { name: { expr: "'?'", type: varchar(60) } } }
  - name: names
    table: public.buyers
    into: public.orders
    match: [buyer]
    columns: { buyer: id }
    only: [name]
    operations: [update]
YAML

foreach my $where (qw(pg my))
{
	killed_at($match{$where}, 'copy-committed');
	is(done("match_$where", $where), 'orders', "$where: the rows are copied");
}
$source->safe_psql('app', <<'SQL');
INSERT INTO orders VALUES (1001, 1), (1002, 2), (1003, 3);
UPDATE buyers SET name = 'new ' || id WHERE id % 2 = 0;
INSERT INTO orders VALUES (1004, 4), (1005, 9);
SQL
foreach my $where (qw(pg my))
{
	portage_ok('run', '--config', $match{$where});
	derived_equal($where eq 'pg' ? $target : $my, 'public.orders', 'id int4, buyer int4, name varchar',
		[ $source, q{SELECT o.*, CASE WHEN o.id > 1000 AND o.id <> 1002 THEN '?' ELSE coalesce(b.name, '?') END
			FROM orders o LEFT JOIN buyers b ON b.id = buyer} ]);
}
is($target->safe_psql('app', q{SELECT sum(seen) FROM portage.ledger WHERE rule = 'names'}),
	$source->safe_psql('app', 'SELECT count(*) FROM buyers'), 'what a copy has counted is counted once');

done_testing();
