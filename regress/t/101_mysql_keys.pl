# Unique keys, CHECKs and foreign keys on the target refuse what the source
# refuses, and take what it takes: each statement is tried on both.

use strict;
use warnings;
use utf8;

use PortageMysql;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');

$source->safe_psql('app', <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE words (id int PRIMARY KEY, w text UNIQUE);
CREATE TABLE two (id int PRIMARY KEY, a text, b varchar(700), UNIQUE (a, b));
CREATE TABLE lengthy (id int PRIMARY KEY, w text UNIQUE, b bytea UNIQUE);
INSERT INTO lengthy VALUES (0, repeat('x', 4000), convert_to(repeat('y', 5000), 'UTF8'));
CREATE TABLE part (id int PRIMARY KEY, who int, mail text, gone timestamp);
CREATE UNIQUE INDEX ON part (who, mail) WHERE gone IS NULL;
CREATE TABLE padded (id int PRIMARY KEY, c char(3) UNIQUE);
CREATE TABLE folded (id int PRIMARY KEY, w text);
CREATE UNIQUE INDEX ON folded (lower(w));
CREATE TABLE sums (id int PRIMARY KEY, a int, b int);
CREATE UNIQUE INDEX ON sums ((a + b)) WHERE a > 0;
CREATE TABLE moods (id int PRIMARY KEY, m mood, u uuid);
CREATE UNIQUE INDEX ON moods (u) WHERE m = 'happy';
CREATE TABLE limits (id int PRIMARY KEY,
	n numeric(6,2) CHECK (n BETWEEN -1 AND 10.5),
	t text CHECK (t IN ('a', 'ß') AND length(t) = 1),
	d date CHECK (d > '2020-02-29'),
	m mood CHECK (m <> 'sad'));
CREATE TABLE parent (id bigint PRIMARY KEY, code text UNIQUE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent,
	c text REFERENCES parent (code));
SQL
my $nulls = $source->safe_psql('app', 'SHOW server_version_num') >= 150000;
$source->safe_psql('app', <<'SQL') if $nulls;
CREATE TABLE nulls (id int PRIMARY KEY, a int UNIQUE NULLS NOT DISTINCT);
CREATE TABLE nulls2 (id int PRIMARY KEY, a text, b numeric(5,2),
	UNIQUE NULLS NOT DISTINCT (a, b));
SQL

# Rows beside those that are there already: one after the other is tried, and
# what is taken stays. Both read these literals alike.
my %rows = (
	words => [ map { [$_] } "'a'", "'A'", "'a '", "' a'", "'a'", "''", "' '", "'ss'", "'ß'",
		"'é'", "'e'", "'😀'", "'😁'", 'NULL', 'NULL', "''" ],
	two => [ ["'a'", "'b'"], ["'a'", "'B'"], ["'a'", "'b '"], ["'a'", "'b'"], ["'a'", 'NULL'],
		['NULL', "'b'"], ['NULL', "'b'"], ['NULL', 'NULL'], ["'ab'", "''"], ["''", "'ab'"] ],
	lengthy => [ ["'a'", 'NULL'], ["'A'", 'NULL'], ["'a'", 'NULL'], ["repeat('x', 4000)", 'NULL'],
		["repeat('x', 3999)", 'NULL'], ['NULL', 'NULL'] ],
	part => [ ['1', "'x'", 'NULL'], ['1', "'x'", 'NULL'], ['1', "'x'", "'2020-01-01 00:00:00'"],
		['1', "'x'", "'2020-01-01 00:00:00'"], ['2', "'x'", 'NULL'], ['1', "'X'", 'NULL'],
		['NULL', "'x'", 'NULL'], ['NULL', "'x'", 'NULL'], ['1', 'NULL', 'NULL'], ['1', 'NULL', 'NULL'] ],
	padded => [ map { [$_] } "'a'", "'a '", "'a  '", "'A'", "' a'", "''", "' '", 'NULL', 'NULL' ],
	folded => [ map { [$_] } "'a'", "'A'", "'a '", "'é'", "'É'", "'ß'", "'SS'", 'NULL', 'NULL' ],
	sums => [ ['1', '2'], ['2', '1'], ['-1', '4'], ['-2', '5'], ['3', '1'], ['3', 'NULL'], ['3', 'NULL'] ],
	moods => [ ["'happy'", "'00000000-0000-0000-0000-000000000001'"],
		["'sad'", "'00000000-0000-0000-0000-000000000001'"],
		["'happy'", "'00000000-0000-0000-0000-000000000001'"],
		["'sad'", "'00000000-0000-0000-0000-000000000001'"],
		["'happy'", "'00000000-0000-0000-0000-000000000002'"] ],
	limits => [ ['10.5', "'a'", "'2020-03-01'", "'happy'"], ['10.51', 'NULL', 'NULL', 'NULL'],
		['-1.01', 'NULL', 'NULL', 'NULL'], ['NULL', "'A'", 'NULL', 'NULL'], ['NULL', "'ß'", 'NULL', 'NULL'],
		['NULL', "'ss'", 'NULL', 'NULL'], ['NULL', "'a '", 'NULL', 'NULL'],
		['NULL', 'NULL', "'2020-02-29'", 'NULL'], ['NULL', 'NULL', 'NULL', "'sad'"],
		['NULL', 'NULL', 'NULL', 'NULL'] ],
	child => [ ['1', "'a'"], ['3', 'NULL'], ['NULL', "'A'"], ['NULL', "'b '"], ['2', "'b'"], ['NULL', 'NULL'] ],
	nulls => [ map { [$_] } '1', '1', 'NULL', 'NULL', '2' ],
	nulls2 => [ ["'a'", '1.50'], ["'a'", '1.5'], ["'a'", 'NULL'], ["'a'", 'NULL'], ['NULL', '1'],
		['NULL', '1'], ['NULL', 'NULL'], ['NULL', 'NULL'], ["'-'", 'NULL'], ["'A'", '1.50'], ["'a '", '1.50'] ],
);
delete @rows{qw(nulls nulls2)} unless $nulls;

mysql_migrate($source, $target);
portage_ok('finish', mysql_endpoints($source, $target));

foreach my $table (sort keys %rows)
{
	my $id = 100;
	foreach my $row (@{ $rows{$table} })
	{
		my $sql = "INSERT INTO $table VALUES (" . join(', ', ++$id, @$row) . ')';
		my $bytes = $sql;
		utf8::encode($bytes);
		my $there = $source->psql('app', $bytes) == 0 ? 'taken' : 'refused';
		my $here = $target->error_of('app', $bytes) == 0 ? 'taken' : 'refused';

		is($here, $there, $bytes);
	}
}

# What AUTO_INCREMENT and defaults do for those who write from now on.
is( $target->error_of('app', 'DELETE FROM parent WHERE id = 1') == 0 ? 'taken' : 'refused',
	'refused', 'a parent that is referred to stays');
done_testing();
