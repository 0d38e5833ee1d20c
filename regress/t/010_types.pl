# Values of every common type, at their extremes, arrive as they were: by copy,
# by insert, update and delete, as a plain column, as a key, and in rows that
# are found by all of their values. The databases and roles have settings that
# change how values look, so that whoever does not pin them loses something.

use strict;
use warnings;
use utf8;

use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');

# psql reads and writes bytes.
sub query
{
	my ($node, $sql) = @_;
	utf8::encode($sql);
	return $node->safe_psql('app', $sql);
}

sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}

# Text that one of COPY, array, record or SQL quoting could damage.
my @texts = (
	'', ' ', 'a', 'NULL', 'null', '\\N', '\\.', '\\', '\\\\', "a\\",
	"\t", "\n", "\r\n", "\b\f\x0b", "'", '"', "''", '""', '{}', '{NULL}', '()',
	'(,)', ',', ';', '$1', '%s', "\x01\x7f", 'é', "e\x{301}", '€', '漢字',
	"\x{1F600}", "\x{FEFF}", "\x{2028}", 'a' x 300, ' trailing ', '--', '/*',
	'\\x41', '\\u0041', 'E\'\\n\'');

my @types = (
	[ 'bool', 'bool', qw(t f) ],
	[ 'int2', 'int2', qw(-32768 -1 0 1 32767) ],
	[ 'int4', 'int4', qw(-2147483648 0 2147483647) ],
	[ 'int8', 'int8', qw(-9223372036854775808 0 9223372036854775807) ],
	[
		'numeric', 'numeric',
		qw(NaN Infinity -Infinity 0 0.00 -0.10 1e131071 -1e131071 1e-16383),
		'12345678901234567890.12345678901234567890', '1' . '0' x 200
	],
	[ 'numeric_typmod', 'numeric(10,2)', qw(NaN -99999999.99 0.00 99999999.99) ],
	[ 'numeric_scale', 'numeric(5,-2)', qw(9999900 -100 0) ],
	[
		'float4', 'float4',
		qw(NaN Infinity -Infinity -0 0 3.4028235e38 1e-45 0.1 16777217 1.17549435e-38)
	],
	[
		'float8', 'float8',
		qw(NaN Infinity -Infinity -0 0 1.7976931348623157e308 5e-324 0.1),
		qw(0.30000000000000004 9007199254740993 2.2250738585072014e-308)
	],
	[ 'money', 'money', '-92233720368547758.08', '0', '92233720368547758.07' ],
	[ 'chr', '"char"', '', 'a', '\\', "'" ],
	[ 'bpchar', 'char(5)', '', 'ab', 'abcde', "a'b", 'é€' ],
	[ 'bpchar1', 'char(1)', ' ', 'x', '\\' ],
	[ 'varchar', 'varchar(300)', grep { length($_) <= 300 } @texts ],
	[ 'name', 'name', '', 'a b', '"', 'é' x 31 ],
	[ 'text', 'text', @texts ],
	[
		'bytea', 'bytea', '', '\\x00', '\\x0000ff',
		'\\x' . join('', map { sprintf('%02x', $_) } 0 .. 255),
		'\\x5c', '\\x5c7834', '\\x0a', '\\x27'
	],
	[
		'date', 'date', 'infinity', '-infinity', '4713-01-01 BC', '0001-12-31 BC',
		'0001-01-01', '1970-01-01', '2000-02-29', '5874897-12-31'
	],
	[ 'time', 'time', '00:00', '24:00:00', '23:59:59.999999', '00:00:00.000001' ],
	[ 'time3', 'time(3)', '12:34:56.789' ],
	[
		'timetz', 'timetz', '00:00+00', '24:00:00+15:59:59',
		'23:59:59.999999-15:59:59'
	],
	[
		'timestamp', 'timestamp', 'infinity', '-infinity', '4713-01-01 00:00:00 BC',
		'0001-01-01 00:00:00', '2026-03-29 02:30:00', '294276-12-31 23:59:59.999999'
	],
	[
		'timestamptz', 'timestamptz', 'infinity', '-infinity',
		'4713-01-02 00:00:00+00 BC', '0001-01-01 00:00:00+00 BC',
		'1883-11-18 12:03:58-04:56:02', '2026-03-29 01:30:00+00',
		'294276-12-31 23:59:59.999999+00'
	],
	[
		'interval', 'interval', '0', '178000000 years', '-178000000 years',
		'1 year -2 mons +3 days -04:05:06.789', '-1 days +02:03:00',
		'1 mon -1 days', '00:00:00.000001', '2147483647 days'
	],
	[ 'interval_typmod', 'interval day to second(3)', '1 day 2:03:04.567' ],
	[
		'uuid', 'uuid', '00000000-0000-0000-0000-000000000000',
		'ffffffff-ffff-ffff-ffff-ffffffffffff'
	],
	[
		'json', 'json', 'null', '""', ' { "b" : 1, "a":2 , "b":3 } ', '1e400',
		"[\n1,\t2]", '"\\u00e9 \\\\ \\" é"', '{}', '0.10'
	],
	[
		'jsonb', 'jsonb', 'null', '""', '{"b":1,"a":[null,{}]}', '1.10',
		'"\\u00e9 \\\\ \\" \\n"', '1' . '0' x 100, '{"":""}'
	],
	[ 'jsonpath', 'jsonpath', '$', '$.a[*] ? (@ > 1)', 'strict $."a b"' ],
	[
		'xml', 'xml', '<a/>', 'text only', '<a x="1">é &amp; <![CDATA[ ]] ]]></a>',
		'<?xml version="1.0" standalone="yes"?><a/>', '<a/><b/>', ''
	],
	[
		'inet', 'inet', '10.1.2.3', '10.1.2.3/24', '0.0.0.0/0', '::', '::1/64',
		'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
	],
	[ 'cidr', 'cidr', '10.0.0.0/8', '10.1.2.3/32', '::/0', 'fe80::/10' ],
	[ 'macaddr', 'macaddr', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff' ],
	[ 'macaddr8', 'macaddr8', '00:00:00:00:00:00:00:00', '08:00:2b:01:02:03:04:05' ],
	[ 'bit', 'bit(9)', '000000000', '101010101', '111111111' ],
	[ 'bit1', 'bit', '0', '1' ],
	[ 'varbit', 'varbit', '', '0', '1' x 70 ],
	[ 'point', 'point', '(0,0)', '(NaN,Infinity)', '(-0,1e-300)', '(0.1,0.2)' ],
	[ 'line', 'line', '{1,2,3}', '{0,-1,0.1}' ],
	[ 'lseg', 'lseg', '[(0,0),(1,1)]', '[(1e300,-1),(0,0)]' ],
	[ 'box', 'box', '(1,1),(0,0)', '(Infinity,0),(-Infinity,-1)' ],
	[ 'path', 'path', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1))' ],
	[ 'polygon', 'polygon', '((0,0),(1,1),(2,0))' ],
	[ 'circle', 'circle', '<(0,0),1>', '<(0.1,0.2),0>' ],
	[
		'tsvector', 'tsvector', '', q{'a b':1A,2B 'c''d':3 'e\\\\f'}, 'é:16383',
		'a b c'
	],
	[ 'tsquery', 'tsquery', '', q{'a b' & !c:*AB | d <2> 'e''f'} ],
	[ 'pg_lsn', 'pg_lsn', '0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848' ],
	[ 'pg_snapshot', 'pg_snapshot', '10:20:10,14,15', '1:1:' ],
	[ 'xid8', 'xid8', '0', '18446744073709551615' ],
	[ 'xid', 'xid', '0', '4294967295' ],
	[ 'cid', 'cid', '0', '4294967295' ],
	[ 'tid', 'tid', '(0,0)', '(4294967295,65535)' ],
	[ 'oid', 'oid', '0', '4294967295' ],
	[ 'oidvector', 'oidvector', '1 2 4294967295' ],
	[ 'int2vector', 'int2vector', '1 -2 32767' ],
	[ 'regtype', 'regtype', 'integer', 'text', '"char"' ],
	[ 'int4range', 'int4range', 'empty', '(,)', '[1,5)', '[,5)', '[1,)' ],
	[ 'int8range', 'int8range', '[-9223372036854775808,9223372036854775807)' ],
	[ 'numrange', 'numrange', 'empty', '(1.10,2.20]', '[NaN,NaN]', '(,Infinity)' ],
	[ 'daterange', 'daterange', '[2020-01-01,infinity]', '[-infinity,2020-01-01)' ],
	[ 'tsrange', 'tsrange', '["2020-01-01 00:00:00",infinity)', 'empty' ],
	[ 'tstzrange', 'tstzrange', '["2020-01-01 00:00:00+00",)', '(,)' ],
	[ 'textrange', 'textrange', '["a b","c\\"d"]', '("",)', '[",",\\\\]', 'empty' ],
	[ 'int4multirange', 'int4multirange', '{}', '{[1,3),[5,8)}', '{(,)}' ],
	[ 'tstzmultirange', 'tstzmultirange', '{["2020-01-01 00:00:00+00",infinity)}' ],
	[
		'int4_array', 'int4[]', '{}', '{NULL}', '{{1,2},{3,NULL}}', '[0:1]={1,2}',
		'[-2:-1][5:6]={{1,2},{3,4}}', '{{{1},{2}}}'
	],
	[
		'text_array', 'text[]', '{}', '{""}', '{NULL,"NULL",null}',
		'{"a\\"b","c\\\\d","{}",",","e f"," ","é€"}', "{\"\n\",\"\t\",'}"
	],
	[ 'bool_array', 'bool[]', '{t,f,NULL}' ],
	[ 'float8_array', 'float8[]', '{NaN,-Infinity,-0,0.1,5e-324}' ],
	[ 'numeric_array', 'numeric(10,2)[]', '{NaN,0.00,-1.10}' ],
	[ 'bytea_array', 'bytea[]', '{"\\\\x00","\\\\x5c22",""}' ],
	[
		'timestamptz_array', 'timestamptz[]',
		'{"2020-01-01 00:00:00+00",infinity,NULL,"4713-01-02 00:00:00+00 BC"}'
	],
	[ 'interval_array', 'interval[]', '{"1 year -1 days","-00:00:01"}' ],
	[ 'jsonb_array', 'jsonb[]', '{"{\\"a\\": \\"b\\\\\\"c\\"}",NULL}' ],
	[ 'box_array', 'box[]', '{(1,1),(0,0);(3,3),(2,2)}' ],
	[ 'enum', 'mood', 'sad', 'so so', q{it's}, 'a,b', '"q"', 'é', 'back\\slash' ],
	[ 'enum_array', 'mood[]', '{sad,"so so",NULL,"a,b","\\"q\\""}' ],
	[
		'composite', 'pair', '(,)', '(1,)', '(,"")', '(-1,"a ""b"" \\\\ (c),d")',
		"(2,\"\n\t\")"
	],
	[ 'composite_array', 'pair[]', '{"(1,a)","(,\\"b c\\")",NULL}' ],
	[
		'nested', 'nest', '("(1,""a b"")","{1,NULL}",sad,"[1,2]","2020-01-01 00:00:00+00")',
		'(,,,,)'
	],
	[ 'domain_int', 'positive', '1', '2147483647' ],
	[ 'domain_bytea', 'blob', '\\x00', '', '\\x5c' ],
	[ 'domain_text', 'word', 'a', '\\N' ],
	[ 'domain_array', 'ints', '{}', '{1,2}' ],
	[ 'domain_composite', 'good_pair', '(1,x)' ],
	[ 'domain_domain', 'small', '1', '9' ],
	[ 'domain_ts', 'moment', 'infinity', '2020-01-01 00:00:00+00' ],
	[ 'array_of_domain', 'positive[]', '{1,2,NULL}' ],
	[ 'range_array', 'int4range[]', '{"[1,2)",empty,NULL}' ]);

my @extensions;
my %extension_types = (
	hstore => [ 'a=>1, b=>NULL, "c d"=>"\\"e\\"", ""=>""', '' ],
	citext => [ 'Abc', '', 'É' ],
	ltree => [ 'Top.Science', '' ],
	cube => [ '(0.1,1e-300)', '(1,2),(3,4)' ]);
foreach my $name (sort keys %extension_types)
{
	next
	  if $source->safe_psql('app',
		"SELECT count(*) FROM pg_available_extensions WHERE name = '$name'")
	  eq '0';
	push @extensions, $name;
	push @types, [ $name, $name, @{ $extension_types{$name} } ];
}
note("extensions: @extensions");

# What is asked of the server must not decide what is carried.
my %settings = (
	datestyle => "'SQL, DMY'",
	intervalstyle => "'sql_standard'",
	bytea_output => "'escape'",
	extra_float_digits => "'-5'",
	timezone => "'America/St_Johns'",
	lc_monetary => "'C'",
	search_path => "'nowhere'",
	backslash_quote => "'off'",
	array_nulls => "'off'",
	standard_conforming_strings => "'off'",
	quote_all_identifiers => "'on'",
	default_transaction_isolation => "'serializable'");
foreach my $side ([ $source, SOURCE_ROLE ], [ $target, TARGET_ROLE ])
{
	my ($node, $role) = @$side;
	$node->safe_psql('app',
		"ALTER ROLE $role IN DATABASE app SET $_ = $settings{$_}")
	  foreach sort keys %settings;
}
$target->safe_psql('app',
	'ALTER ROLE ' . TARGET_ROLE . q{ SET xmloption = 'document'});
$target->safe_psql('app',
	'ALTER ROLE ' . TARGET_ROLE . q{ SET timezone = 'Pacific/Chatham'});

query($source, join(';', map { "CREATE EXTENSION $_" } @extensions))
  if @extensions;
query($source, <<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s', 'a,b', '"q"', 'é', E'back\\slash');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nest AS (p pair, i int[], m mood, r int4range, t timestamptz);
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN blob AS bytea;
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE DOMAIN ints AS int[];
CREATE DOMAIN good_pair AS pair CHECK ((VALUE).a > 0);
CREATE DOMAIN small AS positive CHECK (VALUE < 10);
CREATE DOMAIN moment AS timestamptz;
SQL

# Three tables for each type. v: a column; k: the key, where the type has an
# order; f: one of the values by which a row without key is found, where the
# type has an equality.
my $SETTINGS = join(';', "SET xmloption = content", "SET timezone = 'UTC'", '');
my $ddl = '';
foreach my $type (@types)
{
	my ($name, $sql, @values) = @$type;
	my $rows = 0;

	$ddl .= <<"SQL";
CREATE TABLE v_$name (id int PRIMARY KEY, v $sql);
CREATE TABLE f_$name (v $sql, n int);
ALTER TABLE f_$name REPLICA IDENTITY FULL;
DO \$do\$ BEGIN
	CREATE TABLE k_$name (v $sql PRIMARY KEY, n int);
EXCEPTION WHEN undefined_object OR undefined_function THEN NULL; END \$do\$;
SQL
	foreach my $value (@values)
	{
		$rows++;
		$ddl .= "INSERT INTO v_$name VALUES ($rows, " . quote($value) . ");\n";
	}
	$rows++;
	$ddl .= "INSERT INTO v_$name VALUES ($rows, NULL);\n";
	$type = { name => $name, type => $sql, rows => $rows };
}
query($source, $SETTINGS . $ddl);
# An array has an order as long as nobody compares two of its elements.
query($source, 'DROP TABLE IF EXISTS k_box_array');
my %has_key = map { $_ => 1 } split(
	/\n/, query($source, q{SELECT substr(relname, 3) FROM pg_class
		WHERE relname LIKE 'k\_%' AND relkind = 'r'}));
is( join(' ', grep { !$has_key{$_} } sort map { $_->{name} } @types),
	'box box_array cid circle json jsonpath line lseg path pg_snapshot point polygon xid xml',
	'the other types have an order and can be keys');

my $fill = '';
foreach my $type (@types)
{
	my $name = $type->{name};
	$fill .= "INSERT INTO f_$name SELECT v, id FROM v_$name;";
	$fill .= "INSERT INTO k_$name SELECT v, id FROM v_$name"
	  . " WHERE v IS NOT NULL ON CONFLICT DO NOTHING;"
	  if $has_key{$name};
}
query($source, $fill);

# Every row as text, one line each, per table; and a digest of whole records.
sub images
{
	my ($node) = @_;
	my @parts;

	foreach my $name (map { $_->{name} } @types)
	{
		foreach my $table ("v_$name", "f_$name", "k_$name")
		{
			next if $table eq "k_$name" && !$has_key{$name};
			my $number = $table =~ /\Av/ ? 'id' : 'n';
			push @parts,
			  "SELECT '$table' AS t, $number AS n, r.v::text AS v,"
			  . " md5(convert_to(r::text, 'UTF8')) AS d FROM public.$table AS r";
		}
	}
	my $answer = query($node, <<'SQL' . join(' UNION ALL ', @parts) . <<'END');
SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';
SET timezone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
SET lc_monetary = 'C';
SELECT t, coalesce(n::text, '') || ' ' || coalesce(to_json(v)::text, 'NULL') || ' ' || d FROM (
SQL
) AS x ORDER BY t, n, d
END
	my %images;
	foreach my $line (split(/\n/, $answer))
	{
		my ($table, $row) = split(/\|/, $line, 2);
		$images{$table} .= "$row\n";
	}
	return \%images;
}

sub same
{
	my ($stage, $minimum) = @_;
	my ($expected, $found) = (images($source), images($target));
	my @tables = sort keys %$expected;

	cmp_ok(scalar(@tables), '>=', $minimum, "$stage: tables with rows");
	is(join(' ', sort keys %$found), "@tables", "$stage: the same tables");
	is($found->{$_} // 'nothing', $expected->{$_}, "$stage: $_")
	  foreach @tables;
	return;
}

my @run = ('run', endpoints($source, $target), '--until', 'caught-up');
my $all = 2 * @types + keys %has_key;
portage_ok(@run);
same('copy', $all);

# By insert.
my $change = '';
foreach my $type (@types)
{
	my $name = $type->{name};
	$change .= "INSERT INTO v_$name SELECT id + 1000, v FROM v_$name;";
	$change .= "TRUNCATE f_$name; INSERT INTO f_$name SELECT v, id FROM v_$name;";
	$change .= "CREATE TEMP TABLE x AS SELECT * FROM k_$name; DELETE FROM k_$name;"
	  . "INSERT INTO k_$name SELECT * FROM x; DROP TABLE x;"
	  if $has_key{$name};
}
query($source, $change);
portage_ok(@run);
same('insert', $all);

# By update: every row takes the value of the next one, NULL included.
$change = '';
foreach my $type (@types)
{
	my ($name, $rows) = @$type{qw(name rows)};
	$change .= "UPDATE v_$name AS t SET v = (SELECT v FROM v_$name AS o"
	  . " WHERE o.id = t.id % $rows + 1) WHERE id <= $rows;";
	$change .= "UPDATE f_$name SET n = n + 5000 WHERE n <= $rows;";
	$change .= "UPDATE k_$name SET n = n + 5000;" if $has_key{$name};
}
query($source, $change);
portage_ok(@run);
same('update', $all);

# The same again by an update that finds the row by its value.
$change = '';
foreach my $type (@types)
{
	my ($name, $rows) = @$type{qw(name rows)};
	$change .= "UPDATE f_$name AS t SET v = (SELECT v FROM v_$name AS o"
	  . " WHERE o.id = 1000 + (t.n - 5000) % $rows + 1) WHERE n > 5000;";
}
query($source, $change);
portage_ok(@run);
same('update by value', $all);

# By delete: one row remains, so that there is something to compare.
$change = '';
foreach my $type (@types)
{
	my $name = $type->{name};
	$change .= "DELETE FROM v_$name WHERE id > 1;";
	$change .= "DELETE FROM f_$name WHERE n <> 5001;";
	$change .= "DELETE FROM k_$name WHERE n > (SELECT min(n) FROM k_$name);" if $has_key{$name};
}
query($source, $change);
portage_ok(@run);
same('delete', $all);

done_testing();
