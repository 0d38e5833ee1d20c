# Rows that a MySQL or MariaDB target refuses, or cannot hold, and those of the copy for
# which a rule fails go into quarantine and come out of it, as with a PostgreSQL target
# (129_quarantine.pl).

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageMysql;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $mysql = mysql_new('mysql', databases => ['app']);
my @config = ('--config' => config_file(
		'app',
		{ shop => source_url($source) },
		{ store => $mysql->url('app') },
		'rules:',
		'  - table: public.t',
		'    on_error: quarantine'));
my $process;

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, day date, v text);
INSERT INTO t VALUES (100, '2020-01-01', 'copied');
SQL

sub write_source
{
	my ($sql) = @_;
	$source->safe_psql('app', $sql);
	my $end = current_lsn($source);
	return wait_for(
		sub {
			my $lsn = $mysql->value('app',
				"SELECT resume_lsn FROM portage_progress WHERE phase = 'stream'");
			defined($lsn) && lsn($lsn) >= lsn($end);
		},
		'the target to have it');
}

sub keys_of
{
	my $out = portage_ok('quarantine', 'list', @config, '--json')->{out};
	return join(' ', map { $_->{key}{id} } @{ decode_json($out)->{rows} });
}

sub rows
{
	return $mysql->value('app',
		q{SELECT GROUP_CONCAT(CONCAT(id, '=', v) ORDER BY id SEPARATOR ' ') FROM t});
}

sub start
{
	$process = portage_start('run', @config);
	wait_for_err($process, qr/streaming from/);
	return;
}

start();
$mysql->query('app',
	q{ALTER TABLE t ADD CONSTRAINT nothing_bad CHECK (v NOT LIKE 'bad%')});

# a date that it cannot hold, and a row that a constraint refuses
write_source(
	q{INSERT INTO t VALUES (1, '2020-01-01', 'good'), (2, 'infinity', 'late'),
	  (3, '2020-01-01', 'bad'), (4, '2020-01-01', 'good')});
is(rows(), '1=good 4=good 100=copied', 'the others are there');
is(keys_of(), '2 3', 'what it cannot hold and what it refuses: in quarantine');
write_source(q{UPDATE t SET day = '2021-01-01' WHERE id = 2});
is(rows(), '1=good 2=late 4=good 100=copied', 'a later version has come');
is(keys_of(), '3', 'and is not in quarantine any more');
write_source(q{UPDATE t SET v = 'bad too' WHERE id = 4});
is(keys_of(), '3 4', 'one that was good before');
is(rows(), '1=good 2=late 4=good 100=copied', 'is there as it was');
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped');

portage_fails(1, 'quarantine', 'retry', @config);
is(keys_of(), '3 4', 'what it still refuses stays');
$mysql->query('app', 'ALTER TABLE t DROP CONSTRAINT nothing_bad');
portage_ok('quarantine', 'retry', @config);
is(keys_of(), '', 'and comes when it does not any more');
is(rows(), '1=good 2=late 3=bad 4=bad too 100=copied', 'in its newest version');

start();
write_source(q{DELETE FROM t WHERE id = 4; UPDATE t SET v = 'end' WHERE id = 3});
is(rows(), '1=good 2=late 3=end 100=copied', 'it goes on strictly');
$process->term;
is($process->wait_exit->{rc}, 0, 'the end');

# ---- the copy
$source->safe_psql('app', <<'SQL');
CREATE TABLE c (id int PRIMARY KEY, doc text, pad text);
CREATE TABLE p (id int, part text, doc text, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE p_x PARTITION OF p FOR VALUES IN ('x');
CREATE TABLE p_y PARTITION OF p FOR VALUES IN ('y');
CREATE TABLE u (id int PRIMARY KEY, day date);
CREATE TABLE g (id int PRIMARY KEY, v text);
INSERT INTO u SELECT i, CASE WHEN i % 3 = 0 THEN 'infinity' ELSE '2020-01-01' END::date FROM generate_series(1, 30) i;
INSERT INTO g SELECT i, repeat('g', i % 5) FROM generate_series(1, 50) i;
INSERT INTO c SELECT i, CASE WHEN i % 10 = 0 THEN '{no json' ELSE '{"kind": "k"}' END, repeat('x', 200)
	FROM generate_series(1, 3000) i;
INSERT INTO p SELECT i, (ARRAY['x', 'y'])[i % 2 + 1], CASE WHEN i % 5 = 0 THEN '{' ELSE '{"kind": "p"}' END
	FROM generate_series(1, 20) i;
SQL
@config = ('--config' => config_file(
		'copied',
		{ shop => source_url($source) },
		{ store => $mysql->url('app') },
		'on_error: quarantine',
		'until: caught-up', 'split_over: 64kB', 'jobs: 2', 'rules:',
		q[  - { name: u, table: public.u }],
		q[  - { name: g, table: public.g, columns: { w: { expr: v || v, type: varchar(6) } } }],
		q[  - { name: c, table: public.c, columns: { kind: "json_extract(doc, '$.kind')" } }],
		q[  - { name: p, table: public.p, columns: { kind: "json_extract(doc, '$.kind')" },],
		q[      operations: [insert, update, delete] }]));

sub aside
{
	my ($rule) = @_;
	my $out = portage_ok('quarantine', 'list', @config, '--json', '--rule', $rule)->{out};
	return join(' ', sort { $a <=> $b } map { $_->{key}{id} } @{ decode_json($out)->{rows} });
}

sub counts
{
	my ($rule) = @_;
	return $mysql->value('app', 'SELECT CONCAT_WS(" ", seen, applied, quarantined) FROM portage_ledger'
		  . qq{ WHERE stream = 'copied' AND rule = '$rule'});
}

foreach my $point (qw(copy-loaded copy-before-commit copy-committed:2))
{
	my $killed = portage('run', @config,
		env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r });
	is($killed->{signal}, 9, "killed at $point") || diag($killed->{err});
}
portage_ok('run', @config);
is(aside('c'), join(' ', map { 10 * $_ } 1 .. 300), 'rows of the copy whose expression fails');
is(counts('c'), '3000 2700 300', 'each is counted once');
is($mysql->value('app', 'SELECT COUNT(*) FROM c'), 2700, 'and the others are there');
is(aside('p'), '5 10 15 20', 'of partitions');
is(aside('u'), join(' ', map { 3 * $_ } 1 .. 10), 'values that it cannot hold, of a table that no rule changes');
is($mysql->value('app', 'SELECT COUNT(*) FROM u'), 20, 'the others are there, too');
is(aside('g'), join(' ', map { 5 * $_ - 1 } 1 .. 10), 'computed ones that are too long');
is(counts('g'), '50 40 10', 'each once');
is(counts('p'), '20 16 4', 'each once');
$source->safe_psql('app', <<'SQL');
UPDATE c SET doc = '{"kind": "new"}' WHERE id = 10;
DELETE FROM c WHERE id > 10 AND id <> 30;
UPDATE p SET doc = '{"kind": "new"}' WHERE id IN (5, 10);
UPDATE u SET day = '2021-01-01' WHERE id = 3;
DELETE FROM u WHERE id > 3;
TRUNCATE c;
INSERT INTO c VALUES (30, '{', 'again');
SQL
portage_ok('run', @config);
is(aside('c'), '30', 'later versions let them out');
is($mysql->value('app', 'SELECT COUNT(*) FROM c'), 0, 'and TRUNCATE has the others');
is(aside('p'), '15 20', 'of partitions, too');
is($mysql->value('app', 'SELECT GROUP_CONCAT(id, " ", day ORDER BY id) FROM u') . aside('u'),
	'1 2020-01-01,2 2020-01-01,3 2021-01-01', 'and what it could not hold');
portage_ok('quarantine', 'drop', @config, '--rule', 'p', '--yes');
$source->safe_psql('app', q{UPDATE p SET doc = '{"kind": "late"}' WHERE id IN (15, 20)});
portage_ok('run', @config);
is($mysql->value('app', q{SELECT GROUP_CONCAT(id, '=', kind ORDER BY id SEPARATOR ' ') FROM p WHERE id % 5 = 0}),
	'5=new 10=new 15=late 20=late', 'dropped ones come when they change');
portage_fails(1, 'quarantine', 'retry', @config);
is(aside('c'), '30', 'what still fails stays');

done_testing();
