# Every type with its extreme values goes to the target and is read back: by the
# copy and by the stream, in vectors and one by one, as a plain column and as a
# key.  What is compared is a canonical form that the test computes of what each
# server says, not the applier.  What the target cannot hold stops, and is
# named; what --on-loss makes of it instead is compared with what stands here.

use strict;
use warnings;
use utf8;

use JSON::PP;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target', databases => [qw(app warn clamp null text)]);
my $exact_sign = !$target->is_mariadb;
my $depth = $target->is_mariadb ? 31 : 100;
my $digits = '1234567890' x 4;

# Of the types that have no value that is lost, and of the others those values
# that are not.
my %values = (
	'smallint' => [qw(-32768 32767 0)],
	'integer' => [qw(-2147483648 2147483647 -1)],
	'bigint' => [qw(-9223372036854775808 9223372036854775807 0)],
	'oid' => [qw(0 4294967295)],
	'xid8' => [qw(0 18446744073709551615)],
	'numeric' => [ qw(0 0.0000000000 -0.0 1.0 1e34 -1e-30), '9' x 35, '0.' . '9' x 30, '9' x 35 . '.' . '9' x 30 ],
	'numeric(65,30)' => [ '9' x 35 . '.' . '9' x 30, '-0.' . '0' x 29 . '1' ],
	'numeric(65,0)' => [ '9' x 65, '-' . '9' x 65 ],
	'numeric(5,2)' => [qw(-999.99 999.99 0.01)],
	'numeric(3,-2)' => [qw(99900 -100)],
	'money' => [ '-92233720368547758.08', '92233720368547758.07', '0.01' ],
	'real' => [qw(0 1e-45 -1e-45 1.1754942e-38 3.4028235e38 0.30000001 16777216)],
	'double precision' => [
		qw(0 5e-324 -5e-324 2.225073858507201e-308 1.7976931348623157e308),
		qw(-1.7976931348623157e308 0.30000000000000004 1e22 1e23 123456789012345680)
	],
	'boolean' => [qw(t f)],
	'text' => [
		'', ' ', '\\N', '\\.', '\\', "\\\n", "a\\tb", "\r", "\n", "\t", "'", '"', '`', "x ",
		join('', map { chr } 1 .. 0x7f), "\x{80}\x{9f}\x{a0}", "\x{d7ff}\x{e000}\x{ffff}",
		"\x{10000}\x{10ffff}\x{1F469}\x{200d}\x{1F4BB}", "\x{202e}\x{feff}", "\x1a", "x" x 70000
	],
	'varchar(20)' => [ '', ' ', ' trailing  ', "\x{1F600}" x 20, 'NULL' ],
	'char(10)' => [ '', 'ab', '  leading', "\x{1F600}" ],
	'char(300)' => [ '', 'ab', 'x' x 300 ],
	'name' => [ 'n' x 63, '' ],
	'bytea' => [ '', '\\x00', '\\x' . join('', map { sprintf('%02x', $_) } 0 .. 255) x 20, '\\x5c5c27', '\\xff00' ],
	'date' => [qw(0001-01-01 9999-12-31 1582-10-10 2000-02-29 1970-01-01)],
	'time' => [qw(00:00 24:00:00 23:59:59.999999 00:00:00.000001)],
	'time(0)' => [qw(00:00 24:00:00 23:59:59)],
	'timetz' => [ '00:00-15:59:59', '24:00+15:59:59', '12:00:00.000001+00:00:01' ],
	'timestamp' =>
	  [ '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', '1969-12-31 23:59:59.000001', '2038-01-19 03:14:08' ],
	'timestamp(0)' => [ '0001-01-01 00:00:00', '9999-12-31 23:59:59' ],
	'timestamptz' =>
	  [ '0001-01-01 00:00:00+00', '9999-12-31 23:59:59.999999+00', '2026-03-29 02:30:00+01', '1900-01-01 00:00:00+05:30' ],
	'timestamptz(3)' => [ '2026-03-29 02:30:00.123+01' ],
	'interval' =>
	  [ '-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807', '1 mon -1 day 00:00:00.000001', '0' ],
	'uuid' => [ '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff' ],
	'json' => [ '  {"a" : 1, "a":2,  "":[ ] }  ', "\n\t[1e400, -0, 0.10]\r\n", '"\\u0000"', ' null', '[' x 150 . ']' x 150 ],
	'jsonb' => [
		'{"a": 0, "b": -1, "c": 0.1}', '"\\ud83d\\ude00"', '"\\u001f\\u007f"', '{"b":{"a":[]},"":{"":""}}',
		'[[],{},null,true]', '9223372036854775807', '18446744073709551615', '-9223372036854775808',
		'[' x $depth . ']' x $depth, '"' . 'x' x 9000 . '"', '1e15', '0.30000000000000004', '"\\\\N\\t"'
	],
	'xml' => [ '<a b="&lt;&#10;"/>', '<é>€</é>', ' text ' ],
	'inet' => [ '0.0.0.0', '255.255.255.255/1', '::ffff:1.2.3.4', '::/0', 'fe80::1/64' ],
	'cidr' => [ '0.0.0.0/0', '10.0.0.0/9', '::/128' ],
	'macaddr' => ['ff:ff:ff:ff:ff:ff'],
	'macaddr8' => ['08:00:2b:ff:fe:01:02:03'],
	'bit(1)' => [qw(0 1)],
	'bit(64)' => [ '1' x 64, '0' x 64, '0' x 63 . '1' ],
	'bit(65)' => [ '1' x 65, '0' x 65 ],
	'bit varying' => [ '', '0', '00000000', '1' x 500 ],
	'point' => [ '(Infinity,-Infinity)', '(NaN,-0)', '(5e-324,1.7976931348623157e308)' ],
	'box' => [ '(Infinity,Infinity),(-Infinity,-Infinity)', '(0,0),(0,0)' ],
	'tsvector' => [ '', q{'a':1A,2B,3C,4 'b''c' 'd\\\\e':16383A} ],
	'tsquery' => [q{!('a' & 'b':*ABCD) <-> 'c d'}],
	'pg_lsn' => [qw(0/0 FFFFFFFF/FFFFFFFF)],
	'int4range' => [ 'empty', '(,)', '[1,5)' ],
	'mood' => [ 'sad', 'so so', 'ß', "it's" ],
	'positive' => [ '1', '2147483647' ],
	'pair' => [ '(1,"a ""b"", c")', '(,)' ],
	'integer[]' => [ '{}', '{1,NULL,-2147483648}', '{{1,2},{3,4}}' ],
	'text[]' => [ '{}', '{"",NULL,"NULL","a,b","\\"q\\"","\\\\"}', '{{a,b},{c,d}}' ],
	'numeric[]' => [ "{$digits.$digits,0.10,NULL}", '{NaN,Infinity}' ],
	'double precision[]' => [ '{0.1,-5e-324,NaN,Infinity}' ],
	'boolean[]' => ['{t,f,NULL}'],
	'timestamptz[]' => ['{"2026-01-01 00:00:00+00",infinity}'],
	'bytea[]' => ['{"\\\\x00ff",NULL,"\\\\x"}'],
	'jsonb[]' => ['{"{\\"a\\": 1}","null",NULL}'],
	'mood[]' => ['{sad,"so so",NULL}'],
);
push @{ $values{$_} }, '-0' foreach $exact_sign ? ('real', 'double precision') : ();

# Those that may be a key; as extreme, but for what equals another one.
my @keys = (
	'smallint', 'bigint', 'numeric(5,2)', 'numeric(65,30)', 'double precision', 'real', 'boolean', 'varchar(20)',
	'char(10)', 'date', 'time', 'timestamp', 'timestamptz', 'uuid', 'inet', 'bit(64)', 'mood', 'positive', 'oid'
);

sub quoted
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return $text =~ s/\\/\\\\/g ? "E'$text'" : "'$text'";
}

sub on_source
{
	my ($sql) = @_;
	utf8::encode($sql);
	$source->safe_psql('app', $sql);
}

my @types = sort keys %values;
my $n = 0;
my %table = map { $_ => 'zoo_' . ++$n } @types;

sub fill
{
	my ($first, $type) = @_;
	my $id = $first;
	my @rows = map { '(' . $id++ . ', ' . quoted($_) . ')' } @{ $values{$type} };
	return "INSERT INTO $table{$type} VALUES " . join(', ', @rows, "($id, NULL)") . ';';
}

on_source(q{CREATE TYPE mood AS ENUM ('sad', 'so so', 'ß', 'it''s'); CREATE TYPE pair AS (a int, b text);
	CREATE DOMAIN positive AS int CHECK (value > 0);});
on_source(join('', map { "CREATE TABLE $table{$_} (id int PRIMARY KEY, v $_);" . fill(1, $_) } @types));
foreach my $type (@keys)
{
	my $rows = join(', ', map { "($_)" } map { quoted($_) } @{ $values{$type} });
	on_source("CREATE TABLE key_$table{$type} (v $type PRIMARY KEY, n int DEFAULT 0);"
		  . "INSERT INTO key_$table{$type} (v) VALUES $rows ON CONFLICT DO NOTHING;");
}

mysql_migrate($source, $target);
contents_equal($source, 'app', $target, 'app');

# The stream: new rows, every value replaced by another one, rows that go; keys
# by which every row is found, that are changed, and come back.
foreach my $round ([], ['--serial'])
{
	my $first = @$round ? 2000 : 1000;
	on_source(join('', map {
		my $count = @{ $values{$_} } + 1;
		fill($first, $_)
		  . "UPDATE $table{$_} a SET v = b.v FROM $table{$_} b"
		  . " WHERE a.id < 1000 AND b.id = a.id % $count + $first;"
		  . "DELETE FROM $table{$_} WHERE id = $first + 0;"
	} @types));
	on_source(join('', map {
		my $key = "key_$table{$_}";
		"UPDATE $key SET n = n + 1;"
		  . "CREATE TEMP TABLE low AS SELECT * FROM $key ORDER BY v LIMIT 1;"
		  . "CREATE TEMP TABLE high AS SELECT * FROM $key ORDER BY v DESC LIMIT 1;"
		  . "DELETE FROM $key USING low WHERE $key.v = low.v;"
		  . "UPDATE $key SET v = low.v FROM low, high WHERE $key.v = high.v;"
		  . "INSERT INTO $key SELECT * FROM high WHERE v NOT IN (SELECT v FROM $key);"
		  . "DROP TABLE low, high;"
	} @keys));
	mysql_migrate($source, $target, @$round);
	note("after the stream: @$round");
	contents_equal($source, 'app', $target, 'app');
}
portage_ok('drop', mysql_endpoints($source, $target), '--yes');
on_source(join('', map { "DROP TABLE $table{$_};" } @types) . join('', map { "DROP TABLE key_$table{$_};" } @keys));

# What the target cannot hold: what is lost, type, value, and what --on-loss
# warn, clamp, null and text make of it.
my $largest = '9' x 35 . '.' . '9' x 30;
my @lossy = (
	[ 'NaN', 'numeric(10,2)', 'NaN', undef, undef, undef, 'NaN' ],
	[ 'infinity', 'numeric', 'Infinity', undef, $largest, undef, 'Infinity' ],
	[ 'NaN', 'double precision', 'NaN', undef, undef, undef, 'NaN' ],
	[ 'infinity', 'double precision', '-Infinity', undef, '-1.7976931348623157e308', undef, '-Infinity' ],
	[ 'infinity', 'real', 'Infinity', undef, '1.7976931348623157e308', undef, 'Infinity' ],
	[ 'infinity', 'date', 'infinity', undef, '9999-12-31', undef, 'infinity' ],
	[ 'infinity', 'timestamp', '-infinity', undef, '0001-01-01 00:00:00.000000', undef, '-infinity' ],
	[ 'era', 'timestamp', '0044-03-15 00:00:00 BC', undef, '0001-01-01 00:00:00.000000', undef, '0044-03-15 00:00:00 BC' ],
	[ 'era', 'timestamptz', '10000-01-01 00:00:00+00', undef, '9999-12-31 23:59:59.999999', undef, '10000-01-01 00:00:00+00' ],
	[ 'era', 'date', '5874897-12-31', undef, '9999-12-31', undef, '5874897-12-31' ],
	[ 'range', 'numeric', '1' x 36, $largest, $largest, undef, '1' x 36 ],
	[ 'precision', 'numeric', '0.' . '1' x 30 . '6', '0.' . '1' x 29 . '2', '0.' . '1' x 29 . '2', undef, '0.' . '1' x 30 . '6' ],
	[ 'bounds', 'integer[]', '[2:3]={1,2}', '[1,2]', '[1,2]', undef, '[2:3]={1,2}' ],
	[ 'depth', 'jsonb', '[' x 101 . ']' x 101, undef, undef, undef, '[' x 101 . ']' x 101 ],
	$exact_sign ? () : [ 'sign', 'double precision', '-0', '0', '0', undef, '-0' ],
	$exact_sign
	? [ 'number', 'jsonb', '123456789012345678901234567890.123', '1.2345678901234568e29', '1.2345678901234568e29', undef, '123456789012345678901234567890.123' ]
	: (),
);
my @policies = qw(warn clamp null text);
my @names = map { "lossy_$_" } 0 .. $#lossy;

# By default the migration stops, in the copy and in the stream alike.
on_source(join('', map { "CREATE TABLE $names[$_] (id int PRIMARY KEY, v $lossy[$_][1]);" } 0 .. $#lossy));
my @lost = ('--tables', 'public.lossy_*', '--name', 'lossy');
foreach my $i (0 .. $#lossy)
{
	my (undef, $type, $value) = @{ $lossy[$i] };
	my @one = ('--tables', "public.$names[$i]", '--name', 'one');
	my $shown = quotemeta(substr($value, 0, 20));

	on_source("INSERT INTO $names[$i] VALUES (7, '$value')");
	my $copy = portage_fails(4, 'run', mysql_endpoints($source, $target), @one, '--until', 'caught-up');
	like($copy->{err}, qr/$names[$i].*P0415/s, "$type $value stops the copy, which names the table");
	like($copy->{err}, qr/"?v"?.*$shown/s, 'and column and value');
	portage_ok('drop', mysql_endpoints($source, $target), @one[ 2, 3 ], '--yes');
	$target->query('app', "DROP TABLE IF EXISTS $names[$i]");
	on_source("DELETE FROM $names[$i]");
	on_source("INSERT INTO $names[$i] VALUES (7, '$value')"), next if $i % 4;
	portage_ok('run', mysql_endpoints($source, $target), @one, '--until', 'caught-up');
	on_source("INSERT INTO $names[$i] VALUES (7, '$value')");
	my $stream = portage_fails(4, 'run', mysql_endpoints($source, $target), @one, '--until', 'caught-up');
	like($stream->{err}, qr/$names[$i].*$shown.*P0415/s, "$type $value stops the stream, which names table and value");
	like($stream->{err}, qr/id.*7/s, 'and the key');
	portage_ok('drop', mysql_endpoints($source, $target), @one[ 2, 3 ], '--yes');
}

# What is allowed: row 7 by the copy, row 8 by the stream.
foreach my $p (0 .. $#policies)
{
	my @ends = ((mysql_endpoints($source, $target))[ 0 .. 2 ],
		$target->url($policies[$p]), @lost, '--on-loss', $policies[$p]);

	on_source(join('', map { "DELETE FROM $_ WHERE id = 8;" } @names));
	portage_ok('run', @ends, '--until', 'caught-up');
	on_source(join('', map { "INSERT INTO $_ SELECT 8, v FROM $_;" } @names));
	portage_ok('run', @ends, '--until', 'caught-up');
	foreach my $i (0 .. $#lossy)
	{
		my ($what, $type, $value) = @{ $lossy[$i] };
		my $want = $lossy[$i][ 3 + $p ];
		foreach my $id (7, 8)
		{
			my $got = $target->value($policies[$p], "SELECT v FROM $names[$i] WHERE id = $id");
			$got =~ s/\s//g if defined $got && $policies[$p] ne 'text' && $type =~ /\[\]|json/;
			my $same = defined $want ? defined $got && same($type, $policies[$p], $got, $want) : !defined $got;
			ok($same, "$policies[$p]: $type " . substr($value, 0, 40) . ($id == 7 ? ' copied' : ' streamed'))
			  || diag('got ', $got // 'NULL', ', not ', $want // 'NULL');
		}
	}
	my $counted = $target->value($policies[$p], 'SELECT sum(count) FROM portage_loss');
	is($counted // 0, $policies[$p] eq 'text' ? 0 : 2 * @lossy, "$policies[$p]: every loss is counted");
	my $status = decode_json(portage('status', @ends[ 0 .. 3 ], @lost[ 2, 3 ], '--json')->{out});
	is_deeply([ sort map { "$_->{schema}.$_->{table}.$_->{column} $_->{count}" } @{ $status->{losses} } ],
		[ $policies[$p] eq 'text' ? () : sort map { "public.$_.v 2" } @names ],
		"$policies[$p]: status tells what was lost");
	portage_ok('drop', @ends[ 0 .. 3 ], @lost[ 2, 3 ], '--yes');
}

# As text but for numbers, which servers write in their own ways.
sub same
{
	my ($type, $policy, $got, $want) = @_;
	return $got == $want if $policy ne 'text' && $type =~ /double|real/;
	if ($policy ne 'text' && $type =~ /numeric/)
	{
		s/(\.\d*?)0+\z/$1/, s/\.\z// foreach $got, $want;
	}
	return $got eq $want;
}

done_testing();
