# The comparison that the tests with MySQL targets rely on: it takes for the same
# what is the same, however a server writes it, and notices every difference.
# Both sides are filled by hand here.

use strict;
use warnings;

use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source', extension => 0);
my $server = mysql_new('target');
my $text = 'longtext CHARACTER SET utf8mb4';
my $json = $server->is_mariadb ? $text : 'json';

# Type and value on the source, type and value on the target, and another value
# there that may look much like it.
my @cases = (
	[ 'smallint', '-32768', 'smallint', '-32768', '32767' ],
	[ 'bigint', '9223372036854775807', 'bigint', '9223372036854775807', '9223372036854775806' ],
	[ 'oid', '4294967295', 'int unsigned', '4294967295', '4294967294' ],
	[ 'numeric', '1.50', 'decimal(65,30)', '1.5', '1.500000000000000000000000000001' ],
	[ 'numeric(10,2)', '-0.10', 'decimal(10,2)', '-0.1', '0.1' ],
	[ 'numeric(65,0)', '9' x 65, 'decimal(65,0)', '9' x 65, '9' x 64 . '8' ],
	[ 'money', '-1234.56', 'decimal(19,2)', '-1234.56', '1234.56' ],
	[ 'real', '3.4028235e38', 'double', '3.4028235e38', '3.4028234663852886e38' ],
	[ 'real', '16777217', 'float', '16777216', '16777218' ],
	[ 'double precision', '0.1', 'double', '0.1', '0.10000000000000002' ],
	[ 'double precision', '1e-300', 'double', '1e-300', '0' ],
	[ 'boolean', 'true', 'tinyint(1)', '1', '0' ],
	[ 'text', "'a '", $text, "'a '", "'a'" ],
	[ 'text', "E'x\\ty\\nz\\\\\\x0b'", $text, "X'7809790a7a5c0b'", "X'7809790a7a5c76'" ],
	[ 'text', "'ß€😀'", $text, "'ß€😀'", "'ss€😀'" ],
	[ 'text', "''", $text, "''", 'NULL' ],
	[ 'varchar(9)', "'NULL'", 'varchar(9)', "'NULL'", 'NULL' ],
	[ 'char(5)', "'ab'", 'char(5)', "'ab'", "'a'" ],
	[ 'bytea', "'\\x00ff5c0a'", 'longblob', "X'00ff5c0a'", "X'00ff5c'" ],
	[ 'bytea', "''", 'longblob', "''", "X'00'" ],
	[ 'date', "'9999-12-31'", 'date', "'9999-12-31'", "'9999-12-30'" ],
	[ 'date', "'1900-03-01'", 'date', "'1900-03-01'", "'1900-02-28'" ],
	[ 'timestamp', "'2000-02-29 23:59:59.000001'", 'datetime(6)', "'2000-02-29 23:59:59.000001'", "'2000-02-29 23:59:59'" ],
	[ 'timestamptz', "'2026-03-01 01:30:00+02'", 'datetime(6)', "'2026-02-28 23:30:00'", "'2026-03-01 01:30:00'" ],
	[ 'timestamp(0)', "'1969-12-31 23:59:59'", 'datetime', "'1969-12-31 23:59:59'", "'1970-01-01'" ],
	[ 'time', "'24:00'", 'time(6)', "'24:00:00'", "'00:00:00'" ],
	[ 'timetz', "'12:00:00.5-03:30'", 'varchar(24)', "'12:00:00.5-03:30'", "'15:30:00.5+00'" ],
	[ 'interval', "'1 year -1 day 00:00:01'", 'varchar(99)', "'1 year -1 days +00:00:01'", "'1 year'" ],
	[ 'bit(10)', "B'0000000101'", 'bit(10)', "b'0000000101'", "b'1000000101'" ],
	[ 'bit(64)', 'B\'' . '1' x 64 . "'", 'bit(64)', 'b\'' . '1' x 64 . "'", 'b\'' . '0' . '1' x 63 . "'" ],
	[ 'varbit', "B'0101'", 'varchar(9)', "'0101'", "'101'" ],
	[ 'uuid', "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", 'char(36)', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'" ],
	[ 'inet', "'10.0.0.1/32'", 'varchar(49)', "'10.0.0.1'", "'10.0.0.1/32'" ],
	[ 'mood', "'so so'", q{enum('sad','so so','happy')}, "'so so'", "'sad'" ],
	[ 'positive', '7', 'int', '7', '-7' ],
	[ 'json', q{'{"b": 1.0, "a":2 }'}, $text, q{'{"b": 1.0, "a":2 }'}, q{'{"a":2, "b": 1.0}'} ],
	[ 'jsonb', q{'{"b": 1.50, "a": [1e2, "\\u00df\\n", null, true]}'}, $json, q{'{"a":[100,"ß\\\\n",null,true],"b":1.5}'}, q{'{"a":[100,"ss\\\\n",null,true],"b":1.5}'} ],
	[ 'jsonb', '\'12345678901234567890123\'', $text, '\'12345678901234567890123\'', '\'1.2345678901234568e22\'' ],
	[ 'jsonb', q{'"null"'}, $json, q{'"null"'}, q{'null'} ],
	[ 'jsonb', q{'{}'}, $json, q{'{}'}, q{'[]'} ],
	[ 'int[]', q{'{1,NULL,-3}'}, $json, q{'[1, null, -3]'}, q{'[1, -3]'} ],
	[ 'int[]', q{'{{1,2},{3,4}}'}, $json, q{'[[1,2],[3,4]]'}, q{'[1,2,3,4]'} ],
	[ 'int[]', q{'{}'}, $json, q{'[]'}, q{'[null]'} ],
	[ 'numeric[]', q{'{1.50,2}'}, $json, q{'["1.50","2"]'}, q{'["1.51","2"]'} ],
	[ 'text[]', q{ARRAY['a,"b"', NULL, 'NULL', E'\\\\', '']}, $json, q{'["a,\\\\"b\\\\"",null,"NULL","\\\\\\\\",""]'}, q{'["a,\\\\"b\\\\"",null,null,"\\\\\\\\",""]'} ],
	[ 'bool[]', q{'{t,f}'}, $json, q{'[true,false]'}, q{'[true,true]'} ],
	[ 'float8[]', q{'{0.1,NaN}'}, $json, q{'[0.1,"NaN"]'}, q{'[0.1,0]'} ],
	[ 'bytea[]', q{ARRAY['\\x00ff'::bytea]}, $json, q{'["AP8="]'}, q{'["AP4="]'} ],
	[ 'jsonb[]', q{ARRAY['{"a": 1}'::jsonb, 'null']}, $json, q{'["{\\\\"a\\\\": 1}","null"]'}, q{'["{\\\\"a\\\\": 1}",null]'} ],
	[ 'int4range', q{'[1,5)'}, 'varchar(99)', q{'[1,5)'}, q{'[1,4]'} ]);

$source->safe_psql('app', q{CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
	CREATE DOMAIN positive AS int CHECK (value > 0)});
# A schema and a table that have to be quoted; two rows, the second of nulls.
my $n = 0;
my @columns = map { 'C' . ++$n } @cases;
$source->safe_psql('app', 'CREATE SCHEMA "S s"; CREATE TABLE "S s"."T t" (id int PRIMARY KEY, '
	  . join(', ', map { qq{"$columns[$_]" $cases[$_][0]} } 0 .. $#cases)
	  . '); INSERT INTO "S s"."T t" VALUES (1, '
	  . join(', ', map { $_->[0] eq 'oid' ? $_->[1] : $_->[1] =~ /\A[-\d.e]+\z/ ? "'$_->[1]'" : $_->[1] } @cases)
	  . '), (2' . ', NULL' x @cases . ')');
$server->query('app', 'CREATE TABLE `S s__T t` (id int PRIMARY KEY, '
	  . join(', ', map { "`$columns[$_]` $cases[$_][2]" } 0 .. $#cases) . ')');
$server->query('app', 'INSERT INTO `S s__T t` VALUES (1, '
	  . join(', ', map { $_->[3] } @cases) . '), (2' . ', NULL' x @cases . ')');

sub differences
{
	return contents_differences($source, 'app', $server, 'app', @_);
}

contents_equal($source, 'app', $server, 'app');
foreach my $i (0 .. $#cases)
{
	my ($type, $value, undef, $same, $other) = @{ $cases[$i] };

	$server->query('app', "UPDATE `S s__T t` SET `$columns[$i]` = $other WHERE id = 1");
	my @found = differences();
	is(scalar(@found), 1, "$type: $value is not $other") || diag("@found");
	like($found[0] // '', qr/\AS s\.T t \(1\): $columns[$i] is .* on the source, .* on the target/s,
		'and what differs is named');
	$server->query('app', "UPDATE `S s__T t` SET `$columns[$i]` = $same WHERE id = 1");
}
is_deeply([ differences() ], [], 'all is as it was');

# Rows and columns.
$server->query('app', 'UPDATE `S s__T t` SET C1 = 0 WHERE id = 2');
is_deeply([ differences() ],
	['S s.T t (2): C1 is NULL on the source, "0" on the target'], 'NULL and 0');
$server->query('app', 'UPDATE `S s__T t` SET id = 3 WHERE id = 2');
is_deeply([ differences() ],
	[ 'S s.T t (2) is not on the target', 'S s.T t (3) is only on the target' ],
	'a row that is missing, and one too many');
$server->query('app', 'UPDATE `S s__T t` SET id = 2, C1 = NULL WHERE id = 3');
$server->query('app', 'ALTER TABLE `S s__T t` DROP C3');
is_deeply([ differences() ],
	['S s.T t: C3 is not on the target'], 'a column that is missing');
is_deeply([ differences(leave_out => ['S s.T t.C3']) ], [], 'unless left out');

# Other names; rows without a key, of which two are alike.
$source->safe_psql('app', 'CREATE TABLE k (a int, "B" text);'
	  . q{INSERT INTO k VALUES (1, 'x'), (1, 'x'), (2, NULL)});
my @only_k = (tables => ['public.k']);
is_deeply([ differences(@only_k) ],
	['public.k is not on the target as app.k'], 'a table that is missing');
$server->query('app', 'CREATE TABLE kk (a int, b2 text)');
$server->query('app', q{INSERT INTO kk VALUES (2, NULL), (1, 'x')});
push @only_k, rename => { 'public.k' => 'kk', 'public.k.B' => 'b2' };
is_deeply([ differences(@only_k) ],
	['public.k (1, x) is not on the target'], 'one of two that are alike');
$server->query('app', q{INSERT INTO kk VALUES (1, 'x')});
is_deeply([ differences(@only_k) ], [], 'both of them');

# Schemas that are databases.
$server->create_database('S s');
$server->query('app', 'RENAME TABLE `S s__T t` TO `S s`.`T t`');
is_deeply(
	[ differences(tables => ['S s.T t'], schemas => 'databases',
			leave_out => ['S s.T t.C3']) ],
	[], 'a database for a schema');

# Nothing is no evidence.
ok(!eval { differences(tables => ['public.nosuch']); 1 },
	'a table that is not there is not compared');
$source->safe_psql('app', 'CREATE TABLE e (i int)');
$server->query('app', 'CREATE TABLE e (i int)');
is_deeply([ differences(tables => ['public.e']) ],
	['public.e has no rows to compare'], 'empty tables are no evidence');
is_deeply([ differences(tables => ['public.e'], allow_empty => 1) ],
	[], 'unless asked for');
done_testing();
