# Every type that a column can have, the server's own and those of contrib: the
# list of types is the catalog's, and a type that is neither tried here nor
# listed with a reason fails. Each is a plain column, an array, a key where it
# has an order, and a value by which a row without key is found. What 010 has
# of values is not repeated.

use strict;
use warnings;
use utf8;

use PortageTest;
use Test::More;

my $source = source_new('source', fsync => 0);
my $target = target_new('target', fsync => 0);
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

# psql reads and writes bytes.
sub query
{
	my ($node, $sql) = @_;
	utf8::encode($sql);
	my $answer = $node->safe_psql('app', $sql);
	utf8::decode($answer);
	return $answer;
}

sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}

# The operators of these types stand in a schema that is in no search_path.
my $EXTENSIONS = 'Ex."t" \\';
(my $quoted_extensions = $EXTENSIONS) =~ s/"/""/g;
$quoted_extensions = qq{"$quoted_extensions"};
my @extensions = qw(btree_gist citext hstore intarray isn lo ltree pg_trgm seg
  tablefunc);
my $public_extensions = 'CREATE EXTENSION cube; CREATE EXTENSION earthdistance';

my $digits = '1234567890' x 100;

# Type, as the catalog shows it, to values.
my %values = (
	'pg_catalog.bool' => [qw(t f)],
	'pg_catalog.int2' => [qw(-32768 32767 -1)],
	'pg_catalog.int4' => [qw(-2147483648 2147483647 -1)],
	'pg_catalog.int8' => [qw(-9223372036854775808 9223372036854775807 -1)],
	'pg_catalog.numeric' => [
		qw(NaN Infinity -Infinity 0 0.0000000000 -0.0 1e131071 9e-16383),
		$digits, "-0.$digits", "$digits.$digits", '1.0', '1.000000'
	],
	'pg_catalog.float4' => [
		qw(NaN Infinity -Infinity -0 0 1e-45 -1e-45 1.1754942e-38 3.4028235e38),
		qw(0.30000001 16777216 1e10 123456790000)
	],
	'pg_catalog.float8' => [
		qw(NaN Infinity -Infinity -0 0 5e-324 -5e-324 2.225073858507201e-308),
		qw(1.7976931348623157e308 0.30000000000000004 1e22 1e23 1e-7 123456789012345680)
	],
	'pg_catalog.money' => [ '-92233720368547758.08', '92233720368547758.07', '0.01' ],
	'pg_catalog.char' => [ '', ' ', '\\', '~', "\x01", "\x7f", "\t", "\n", '\\200', '\\377' ],
	'pg_catalog.name' => [ 'n' x 63, 'é' x 31 . 'x', '', ' a"b\'c\\ ', "\x{1F600}" x 15 ],
	'pg_catalog.bpchar' => [ '', ' ', '  trailing   ', "\t ", "\x{1F600} " ],
	'pg_catalog.varchar' => [ '', ' ', ' trailing  ', '\\N' ],
	'pg_catalog.text' => [
		'', ' ', '\\N', '\\.', '\\', "\\\n", "a\\tb", "\r", "\n", "\r\n", "\t",
		join('', map { chr } 1 .. 0x7f), "\x{80}\x{9f}\x{a0}\x{ad}",
		"\x{d7ff}\x{e000}\x{fffd}\x{ffff}", "\x{10000}\x{10ffff}\x{1F469}\x{200d}\x{1F4BB}",
		"\x{202e}\x{feff}\x{2028}\x{2029}\x{85}", '$1 $$ %s %n ? :a', "x" x 9000
	],
	'pg_catalog.bytea' => [
		'', '\\x00', '\\x' . join('', map { sprintf('%02x', $_) } 0 .. 255) x 20,
		'\\x5c', '\\x5c5c303030', '\\xff00', '\\x' . '00' x 3000
	],
	'pg_catalog.date' =>
	  [ 'infinity', '-infinity', '4714-11-24 BC', '0001-12-31 BC', '9999-12-31', '10000-01-01', '5874897-12-31', '1999-12-31' ],
	'pg_catalog.time' => [qw(00:00 24:00:00 23:59:59.999999 00:00:00.1)],
	'pg_catalog.timetz' =>
	  [ '00:00-15:59:59', '24:00+15:59:59', '12:00:00.000001+00:00:01', '12:00-03:30' ],
	'pg_catalog.timestamp' => [
		'infinity', '-infinity', '4714-11-24 00:00:00 BC', '0001-12-31 23:59:59.999999 BC',
		'0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', '10000-01-01 00:00:00',
		'294276-12-31 23:59:59.999999', '1999-12-31 23:59:59.9', '1969-12-31 23:59:59.000001'
	],
	'pg_catalog.timestamptz' => [
		'infinity', '-infinity', '4714-11-24 00:00:00+00 BC', '0001-12-31 23:59:59.999999+00 BC',
		'0001-01-01 00:00:00+00', '9999-12-31 23:59:59.999999+00', '10000-01-01 00:00:00+00',
		'294276-12-31 23:59:59.999999+00', '1999-12-31 23:59:59.99999+00'
	],
	'pg_catalog.interval' => [
		'2147483647 mons 2147483647 days 2562047788:00:54.775807',
		'-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807',
		'-2147483648 days', '1 mon -1 day 00:00:00.000001', '-1 mon 1 day -00:00:00.1', '24:00:00', '30 days', '0'
	],
	'pg_catalog.uuid' => [
		'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
		'01234567-89ab-cdef-fedc-ba9876543210'
	],
	'pg_catalog.json' => [
		'  {"a" : 1, "a":2,  "":[ ] }  ', "\n\t[1e400, -0, 0.10, 1E+2]\r\n", '"\\u0000"',
		'"\\ud83d\\ude00 \\/"', '"' . "\x{1F600}" . '"', ' null', '[' x 50 . ']' x 50,
		'123456789012345678901234567890.1234567890'
	],
	'pg_catalog.jsonb' => [
		'{"a": 1e400, "b": -0, "c": 0.10, "d": 1.000}', $digits, "-0.$digits", '"\\ud83d\\ude00"', '"\\u001f\\u007f"',
		'{"b":{"a":[]},"":{"":""}}', '[[],{},null,true]', '1e131071', '[' x 50 . ']' x 50, '"' . 'x' x 9000 . '"'
	],
	'pg_catalog.jsonpath' => [ '$', 'strict $."a\\"b".**{2 to last} ? (@.x like_regex "^\\\\d" flag "i")', '-1.10' ],
	'pg_catalog.xml' => [
		'<a b="&lt;&#10;"/>', '<?xml version="1.0" standalone="no"?><é>€</é>', ' text ', '<!-- c --><a/><!-- d -->',
		'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', '<a><![CDATA[<&>]]></a>', '<?pi x?><a/>'
	],
	'pg_catalog.inet' => [ '0.0.0.0', '255.255.255.255/1', '10.1.2.3/31', '::ffff:1.2.3.4', '::/0', 'fe80::1/64' ],
	'pg_catalog.cidr' => [ '0.0.0.0/0', '10.0.0.0/9', '::/128', 'fe80::/10' ],
	'pg_catalog.macaddr' => [ '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '08:00:2b:01:02:03' ],
	'pg_catalog.macaddr8' => [ '00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff', '08:00:2b:ff:fe:01:02:03' ],
	'pg_catalog.bit' => [ '', '0', '1' x 65 ],
	'pg_catalog.varbit' => [ '', '0', '00000000', '1' x 5000 ],
	'pg_catalog.point' => [ '(Infinity,-Infinity)', '(NaN,-0)', '(5e-324,1.7976931348623157e308)' ],
	'pg_catalog.line' => [ '{1,-1,0}', '{0,1,Infinity}', '{-0,1,NaN}' ],
	'pg_catalog.lseg' => [ '[(Infinity,0),(-Infinity,-0)]', '[(0,0),(0,0)]' ],
	'pg_catalog.box' => [ '(Infinity,Infinity),(-Infinity,-Infinity)', '(0,0),(0,0)', '(NaN,1),(0,-0)' ],
	'pg_catalog.path' => [ '[(0,0)]', '((0,0),(Infinity,NaN))', '[(1,2),(3,4),(1,2)]' ],
	'pg_catalog.polygon' => [ '((0,0))', '((Infinity,0),(0,-Infinity),(1e300,1e-300))' ],
	'pg_catalog.circle' => [ '<(0,0),0>', '<(Infinity,-Infinity),Infinity>', '<(0.1,NaN),5e-324>' ],
	'pg_catalog.tsvector' => [ '', q{'a':1A,2B,3C,4 'b''c' 'd\\\\e':16383A}, q{' ':1}, 'é €' ],
	'pg_catalog.tsquery' => [ '', q{!('a' & 'b':*ABCD) <-> 'c d' | 'e''f\\\\g':*}, q{a <16384> b} ],
	'pg_catalog.pg_lsn' => [qw(0/0 FFFFFFFF/FFFFFFFF 0/1)],
	'pg_catalog.pg_snapshot' => [ '1:1:', '10:9223372036854775807:10,12', '1:20:3,4,5' ],
	'pg_catalog.txid_snapshot' => [ '1:1:', '10:9223372036854775807:10,12', '1:20:3,4,5' ],
	'pg_catalog.xid8' => [qw(0 18446744073709551615 4294967296)],
	'pg_catalog.xid' => [qw(0 4294967295)],
	'pg_catalog.cid' => [qw(0 4294967295)],
	'pg_catalog.tid' => ['(0,0)', '(4294967295,65535)', '(1,2)'],
	'pg_catalog.oid' => [qw(0 4294967295 2147483648)],
	'pg_catalog.oidvector' => [ '', '0', '4294967295 0 1' ],
	'pg_catalog.int2vector' => [ '', '0', '-32768 32767' ],
	'pg_catalog.refcursor' => [ '', '<unnamed portal 1>', 'é' ],
	'pg_catalog.aclitem' => [ '=r/' . SOURCE_ROLE, SOURCE_ROLE . '=a*r*w/' . SOURCE_ROLE ],
	# Of what they point to, the name travels, and it must be there by then.
	'pg_catalog.regclass' => [ '-', '4294967295', 'pg_catalog.pg_class', q{"Odd. ""name"" \\"."t.""x'y\\ "} ],
	'pg_catalog.regtype' => [ '-', '4294967295', '"char"', 'timestamp with time zone[]', q{"Odd. ""name"" \\".mood}, q{"Odd. ""name"" \\"."mood"[]} ],
	'pg_catalog.regproc' => [ '-', '4294967295', 'boolin', q{"Odd. ""name"" \\"."f.""x"} ],
	'pg_catalog.regprocedure' => [ '-', '4294967295', 'abs(double precision)', q{"Odd. ""name"" \\"."f.""x"(integer,text[])} ],
	'pg_catalog.regoper' => [ '0', '4294967295', '|/' ],
	'pg_catalog.regoperator' => [ '0', '4294967295', '+(integer,integer)', '!!(none,tsquery)' ],
	'pg_catalog.regcollation' => [ '-', '4294967295', '"C"' ],
	'pg_catalog.regconfig' => [ '-', '4294967295', 'simple' ],
	'pg_catalog.regdictionary' => [ '-', '4294967295', 'english_stem' ],
	'pg_catalog.regnamespace' => [ '-', '4294967295', 'pg_catalog', q{"Odd. ""name"" \\"} ],
	'pg_catalog.regrole' => [ '-', '4294967295', SOURCE_ROLE ],
	'pg_catalog.int4range' => [ 'empty', '(,)', '[-2147483648,2147483647)', '(,1)', '[1,)' ],
	'pg_catalog.int8range' => [ 'empty', '(,)', '[-9223372036854775808,9223372036854775807)' ],
	'pg_catalog.numrange' => [ 'empty', '(,)', '(1.0,1.10]', '[1.00,1.1)', '(-Infinity,NaN]', '[0,0]' ],
	'pg_catalog.daterange' => [ 'empty', '(,)', '[-infinity,infinity]', '["4714-11-24 BC",5874897-12-31)' ],
	'pg_catalog.tsrange' =>
	  [ 'empty', '(,)', '(-infinity,infinity]', '["0044-03-15 00:00:00 BC","294276-12-31 23:59:59.999999"]' ],
	'pg_catalog.tstzrange' =>
	  [ 'empty', '(,)', '(-infinity,infinity]', '["0044-03-15 00:00:00+00 BC","294276-12-31 23:59:59.999999+00"]' ],
	(map { ("pg_catalog.$_->[0]multirange" => [ '{}', '{(,)}', $_->[1] ]) }
		[ 'int4', '{(,1),[3,5),[7,)}' ], [ 'int8', '{[-9223372036854775808,1)}' ],
		[ 'num', '{[1.0,1.10],(2,3.00)}' ], [ 'date', '{[2020-01-01,infinity)}' ],
		[ 'ts', '{["2020-01-01 00:00:00",infinity]}' ],
		[ 'tstz', '{(,"2020-01-01 00:00:00+00"],("2021-01-01 00:00:00+00",)}' ]),
	# Of the information schema, as somebody's CREATE TABLE AS has them.
	'information_schema.cardinal_number' => [ 0, 2147483647 ],
	'information_schema.character_data' => [ '', 'é' ],
	'information_schema.sql_identifier' => [ 'n' x 63, '' ],
	'information_schema.time_stamp' => [ 'infinity', '2020-01-01 00:00:00+00' ],
	'information_schema.yes_or_no' => [qw(YES NO)],
	# Of contrib.
	'ext.citext' => [ 'Abc', 'abc ', '', 'ÉÀ', 'İ', "\\N" ],
	'ext.hstore' => [
		'', 'a=>NULL, "NULL"=>"NULL", ""=>""', '"a\\"b"=>"c\\\\d", "=>"=>"\t", "é"=>"}{,"',
		'"' . 'k' x 300 . '"=>"' . 'v' x 3000 . '"'
	],
	'ext.ltree' => [ '', 'a', 'Top.é_1.z', join('.', ('x' x 200) x 40) ],
	'ext.lquery' => [ '*', 'a.*{1,3}.!b@*.c%|d', '*{2}' ],
	'ext.ltxtquery' => [ 'a & !b@* | (c% & d)', 'é' ],
	'ext.cube' => [ '(0)', '(-0, 5e-324)', '(1,2,3),(4,5,6)', '(Infinity),(-Infinity)', '(NaN)', '(0.30000000000000004)' ],
	'ext.seg' => [ '1.0', '~1.50', '1.20 .. <2.300', '.. 5', '5 ..', '2 .. 4', '1e-10' ],
	'ext.query_int' => [ '1', '1&(2|!3)', '!-5' ],
	'ext.ean13' => [ '978-0-393-04002-9', '979-0-2600-0043-8', '000-000000000-0', '978-0-11-000533-5!' ],
	'ext.isbn13' => [ '978-0-393-04002-9' ],
	'ext.isbn' => [ '0-393-04002-X', '0-11-000533-3' ],
	'ext.ismn13' => [ '979-0-2600-0043-8' ],
	'ext.ismn' => [ 'M-2600-0043-8' ],
	'ext.issn13' => [ '977-1436-452-00-8' ],
	'ext.issn' => [ '1436-4522', '0317-8471' ],
	'ext.upc' => [ '036000291452', '000000000000' ],
	'ext.lo' => [qw(0 4294967295)],
	'ext.earth' => [ '(6378168, 0, 0)', '(-0, 0, 6378168)' ],
	'ext.tablefunc_crosstab_2' => [ '(,,)', '(é,"a ""b""",)' ],
	'ext.tablefunc_crosstab_3' => [ '(,,,)', '(a,b,c,d)' ],
	'ext.tablefunc_crosstab_4' => [ '(,,,,)', '(a,b,c,d,e)' ],
	# Of the user.
	'odd.mood' => [ '', 'NULL', q{it's "a" \\ \{,\}}, 'ok', 'm' x 63 ],
	'odd.mood_dom' => [ 'ok', 'NULL' ],
	'odd.comp' => [ '(,)', '(ok,"")', '(NULL,"é "" \\\\ ( , )")', '(ok,"' . "\n" . '")' ],
	'odd.comp_dom' => [ '(ok,x)' ],
	'odd.nested' => [ '(,,,,)', '("{""(ok,x)"",NULL}","(NULL,)","{}","[-1,5)","{{{NULL}}}")',
		q{("{}","(,)","{[1,2),[5,6)}",empty,"[-3:-2]={5e-324,-0}")} ],
	'odd.shrunk' => [ '(1,3)', '(,)' ],
	'odd.grown' => [ '(1,,2)', '(,a,)' ],
	'odd.textrange' => [ 'empty', '["",)', '("a ""b","c\\\\d\\,"]', '(,")")' ],
	'odd.textmultirange' => [ '{}', '{["a ""b","c\\\\d"]}' ],
	'odd.floatrange' => [ '[-0,0]', '(-Infinity,NaN)', '[NaN,NaN]', '[5e-324,]' ],
	'odd.floatmultirange' => [ '{[-Infinity,0),(1,NaN]}' ],
	'odd.moodrange' => [ '["",ok)', '["NULL",]' ],
	'odd.moodmultirange' => [ '{["",ok)}' ],
	'odd.blob' => [ '', '\\x00ff5c27' ],
	'odd.blob_blob' => [ '', '\\x00ff5c27' ],
	'odd.ints' => [ '{}', '{1,NULL}', '[-3:-2]={1,2}' ],
	'odd.spans' => [ '{[1,2),[5,6)}' ],
	'odd.span' => [ '[1,2)', 'empty' ],
	'odd.cents' => [ '1.00', '1', '-0.00', 'NaN' ],
	'odd.code' => [ 'a', 'ab ', '' ],
	'odd.word' => [ 'Abc', '' ],
	'odd.pairs' => [ 'a=>1', '' ],
	'odd.path' => [ 'a.b', '' ],
	'odd.isbn_dom' => ['0-393-04002-X'],
	'odd.day' => [ 'infinity', '0044-03-15 BC' ],
	"odd." . 't' x 63 => [ 'x', 'y' ],
	'odd.row' => [ '(,)', '(1,"a b")' ],
	'odd.abs' => [ '1.0', '2.5' ]);

my %reasons = (
	(map { ("pg_catalog.$_" => 'takes no input: the server alone makes values') }
		qw(pg_node_tree pg_ndistinct pg_dependencies pg_mcv_list gtsvector
		pg_brin_bloom_summary pg_brin_minmax_multi_summary)),
	(map { ("ext.$_" => 'takes no input: inner nodes of an index') }
		qw(gtrgm ghstore intbig_gkey gbtreekey2 gbtreekey4 gbtreekey8 gbtreekey16 gbtreekey32 gbtreekey_var)),
	'ext.ltree_gist' => 'has no use outside of an index');

$source->safe_psql('app', "CREATE SCHEMA $quoted_extensions;"
	  . join('', map { "CREATE EXTENSION $_ SCHEMA $quoted_extensions;" } @extensions)
	  . $public_extensions);
# Not a trusted extension: the superuser has it ready.
$target->safe_psql('app', $public_extensions);
$target->safe_psql('app', 'CREATE ROLE ' . SOURCE_ROLE);
query($source, <<"SQL");
SET standard_conforming_strings = on;
CREATE SCHEMA "Odd. ""name"" \\";
SET search_path = "Odd. ""name"" \\", pg_catalog;
CREATE TYPE mood AS ENUM ('', 'NULL', 'it''s "a" \\ {,}', 'ok', '${\ ('m' x 63)}');
CREATE DOMAIN mood_dom AS mood CHECK (VALUE <> '');
CREATE TYPE comp AS (m mood_dom, t text);
CREATE DOMAIN comp_dom AS comp CHECK ((VALUE).t IS DISTINCT FROM 'no');
CREATE TYPE nested AS (a comp_dom[], c comp, s int4multirange, r int4range, n float8[]);
CREATE TYPE shrunk AS (a int, gone text, c int);
ALTER TYPE shrunk DROP ATTRIBUTE gone;
CREATE TYPE grown AS (a int, gone text, c text);
ALTER TYPE grown DROP ATTRIBUTE gone; ALTER TYPE grown ADD ATTRIBUTE d int;
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE moodrange AS RANGE (subtype = mood);
CREATE DOMAIN blob AS bytea; CREATE DOMAIN blob_blob AS blob;
CREATE DOMAIN ints AS int[]; CREATE DOMAIN spans AS int4multirange; CREATE DOMAIN span AS int4range;
CREATE DOMAIN cents AS numeric(12,2); CREATE DOMAIN code AS char(3); CREATE DOMAIN day AS date;
CREATE DOMAIN word AS $quoted_extensions.citext; CREATE DOMAIN pairs AS $quoted_extensions.hstore;
CREATE DOMAIN path AS $quoted_extensions.ltree; CREATE DOMAIN isbn_dom AS $quoted_extensions.isbn;
CREATE TYPE ${\ ('t' x 63)} AS ENUM ('x', 'y');
CREATE TABLE row (i int, gone int, t text); ALTER TABLE row DROP gone;
CREATE TABLE "t.""x'y\\ " (id int PRIMARY KEY); INSERT INTO "t.""x'y\\ " VALUES (1);
CREATE FUNCTION "f.""x"(int, text[]) RETURNS int LANGUAGE sql RETURN 1;
CREATE DOMAIN abs AS numeric;
SQL


# All that a column can have: no pseudo-types, and no arrays, which come with
# their elements. Row types of the catalogs differ between versions, and some
# have columns that no table may have; one of them is tried.
my $catalog = query($source, <<'SQL');
SELECT CASE n.nspname WHEN 'Odd. "name" \' THEN 'odd' WHEN 'Ex."t" \' THEN 'ext' WHEN 'public' THEN 'ext' ELSE n.nspname END
	|| '.' || t.typname, quote_ident(n.nspname) || '.' || quote_ident(t.typname),
	t.typdelim, t.typarray <> 0, EXISTS (SELECT FROM pg_opclass o
		WHERE o.opcmethod = 403 AND o.opcdefault AND o.opcintype = CASE
			WHEN b.typtype = 'e' THEN 'anyenum'::regtype WHEN b.typtype = 'r' THEN 'anyrange'::regtype
			WHEN b.typtype = 'm' THEN 'anymultirange'::regtype WHEN b.typtype = 'c' THEN 'record'::regtype
			WHEN b.typsubscript = 'array_subscript_handler'::regproc THEN 'anyarray'::regtype
			WHEN b.oid::text ~ '^reg' THEN 'oid'::regtype WHEN b.typname = 'cidr' THEN 'inet'::regtype
			WHEN b.typname = 'varchar' THEN 'text'::regtype ELSE b.oid END),
	CASE WHEN n.nspname = 'pg_catalog' AND t.typname !~ '^reg' THEN coalesce((SELECT p.proname
		FROM pg_proc p WHERE p.oid = t.typsend AND p.proargtypes[0] IN (t.oid, 'anyrange'::regtype,
		'anymultirange'::regtype)), '') ELSE '' END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
JOIN LATERAL (WITH RECURSIVE base AS (SELECT t.* UNION ALL
	SELECT p.* FROM pg_type p JOIN base ON p.oid = base.typbasetype) SELECT * FROM base WHERE typtype <> 'd') b ON true
WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r', 'm')
	AND t.oid NOT IN (SELECT typarray FROM pg_type)
	AND (c.relkind IS NULL OR c.relkind = 'c' OR n.nspname NOT IN ('pg_catalog', 'information_schema'))
	AND n.nspname NOT IN ('portage', 'pg_toast') AND t.typname !~ '^t[."]'
ORDER BY 1
SQL
my @types;
foreach my $line (split(/\n/, $catalog))
{
	my ($name, $sql, $delimiter, $array, $order, $send) = split(/\|/, $line);
	next if $reasons{$name};
	ok($values{$name}, "there are values of $name") || next;
	push @types, {
		name => $name, sql => $sql, delimiter => $delimiter, send => $send,
		array => $array eq 't', order => $order eq 't',
		values => delete $values{$name}, number => scalar(@types)
	};
}
is(join(' ', sort keys %values), '', 'each type that has values is there');
cmp_ok(scalar(@types), '>', 120, 'types were found');

my $prepare = "SET xmloption = content; SET timezone = 'UTC';";

# z: a column, an array; k: the key; f: what finds a row without key.
sub create
{
	my ($type) = @_;
	my ($n, $sql, $d) = @$type{qw(number sql delimiter)};
	my $array = $type->{array} ? ", a ${sql}[]" : '';
	my $ddl = <<"SQL";
CREATE TABLE z$n (id int PRIMARY KEY, v $sql$array);
CREATE TABLE f$n (v $sql, n int); ALTER TABLE f$n REPLICA IDENTITY FULL;
SQL
	my $rows = 0;
	foreach my $value (@{ $type->{values} }, undef)
	{
		my $expression = !defined $value ? 'NULL'
		  : quote($value);
		$ddl .= "INSERT INTO z$n VALUES (${\ (++$rows)}, ($expression)::$sql);\n";
	}
	# Elements are what the output function says, each in quotes.
	my $elements = "string_agg(CASE WHEN num_nulls(v) > 0 THEN 'NULL' ELSE '\"'"
	  . " || replace(replace(format('%s', v), '\\', '\\\\'), '\"', '\\\"') || '\"' END, '$d' ORDER BY id)";
	$ddl .= <<"SQL" if $type->{array};
INSERT INTO z$n SELECT 100, NULL, ('{' || $elements || '}')::${sql}[] FROM z$n;
INSERT INTO z$n SELECT 101, NULL, ('[-3:' || count(*) - 4 || ']={' || $elements || '}')::${sql}[] FROM z$n WHERE id < 100;
INSERT INTO z$n SELECT 102, NULL, ('{{{' || $elements || '}}$d\{{' || $elements || '}}}')::${sql}[] FROM z$n WHERE id < 3;
INSERT INTO z$n VALUES (103, NULL, '{}'), (104, NULL, '{NULL${d}NULL}');
SQL
	$ddl .= "INSERT INTO f$n SELECT v, id FROM z$n;";
	$ddl .= <<"SQL" if $type->{order};
CREATE TABLE k$n (v $sql PRIMARY KEY, n int);
INSERT INTO k$n SELECT v, id FROM z$n WHERE num_nulls(v) = 0 AND id % 2 = 1 ON CONFLICT DO NOTHING;
SQL
	$type->{rows} = $rows;
	return $ddl;
}

# Of every table count and digest of its rows as text, of the server's own
# types also of their binary form.
sub images
{
	my ($node) = @_;
	my @parts;

	foreach my $type (@types)
	{
		foreach my $kind ('z', 'f', $type->{order} ? 'k' : ())
		{
			my $send = $type->{send} eq '' ? "''" : "coalesce(md5($type->{send}(r.v)), '')";
			push @parts, "SELECT '$kind $type->{name}', count(*), md5(string_agg(md5(convert_to(r::text, 'UTF8'))"
			  . " || $send, '' ORDER BY convert_to(r::text, 'UTF8'))) FROM public.$kind$type->{number} AS r";
		}
	}
	my $answer = query($node, "SET timezone = 'UTC'; SET lc_monetary = 'C';"
		. join(' UNION ALL ', @parts) . ' ORDER BY 1');
	return map { split(/\|/, $_, 2) } split(/\n/, $answer);
}

sub same
{
	my ($stage, $sql) = @_;
	query($source, "$prepare BEGIN; $sql COMMIT");
	my $result = portage(@run);
	is($result->{rc}, 0, $stage) || die($result->{err});
	my (%expected, %found);
	%expected = images($source);
	%found = images($target);
	my @empty = grep { $expected{$_} =~ /\A0/ } sort keys %expected;
	is("@empty", '', "$stage: no table is empty");
	is(join("\n", map { "$_ $found{$_}" } sort keys %found),
		join("\n", map { "$_ $expected{$_}" } sort keys %expected), "$stage: every table is the same");
	return;
}

sub each_type
{
	my ($make) = @_;
	return join('', map { $make->($_->{number}, $_) } @types);
}

same('copy', join('', map { create($_) } @types));
$source->safe_psql('app', q{SELECT pg_create_logical_replication_slot('json', 'pg_portage')});
same('insert', each_type(sub {
	my ($n, $type) = @_;
	my $a = $type->{array} ? ', a' : '';
	return "INSERT INTO z$n (id, v$a) SELECT id + 1000, v$a FROM z$n; INSERT INTO f$n SELECT v, n + 1000 FROM f$n;"
	  . ($type->{order} ? "INSERT INTO k$n SELECT v, id + 1000 FROM z$n WHERE num_nulls(v) = 0 ON CONFLICT DO NOTHING;" : '');
}));
# The other format is for others, who have a parser and expect one line each.
is(query($source, q{SELECT count(*) > 1000, bool_and(data::json IS NOT NULL), bool_or(data ~ '[\n\r]')
	FROM pg_logical_slot_peek_changes('json', NULL, NULL, 'format', 'json')}), 't|t|f', 'as JSON every value is JSON, on one line');
is(query($source, q{SELECT pg_drop_replication_slot('json')}), '', 'its slot is dropped');
same('update of every column', each_type(sub {
	my ($n, $type) = @_;
	my $a = $type->{array} ? 'a = (SELECT a FROM s WHERE s.id > t.id ORDER BY id LIMIT 1),' : '';
	return "WITH s AS MATERIALIZED (SELECT * FROM z$n) UPDATE z$n t SET $a"
	  . " v = (SELECT v FROM s WHERE s.id > t.id ORDER BY id LIMIT 1) WHERE id < 1000;"
	  . "UPDATE f$n SET n = n + 5000 WHERE n < 1000;"
	  . ($type->{order} ? "UPDATE k$n SET n = n + 5000;" : '');
}));
same('update of what finds the row', each_type(sub {
	my ($n, $type) = @_;
	return "UPDATE z$n SET id = id + 5000 WHERE id > 1000;"
	  . "UPDATE f$n t SET v = (SELECT v FROM z$n s WHERE s.id = (t.n + 1) % 1000 + 6000) WHERE n > 5000 AND n < 5100;"
	  . ($type->{order} ? <<"SQL" : '');
DO \$do\$ DECLARE r record; hole k$n; BEGIN
	DELETE FROM k$n WHERE n = (SELECT min(n) FROM k$n) RETURNING * INTO hole;
	FOR r IN SELECT * FROM k$n ORDER BY n LOOP
		UPDATE k$n SET v = hole.v WHERE n = r.n;
		hole.v := r.v;
	END LOOP;
	INSERT INTO k$n VALUES (hole.*);
END \$do\$;
SQL
}));
# A key whose rows are searched for is as good as none.
my $searched = join(' UNION ALL ', map { "SELECT '$_->{name}' AS type, 'k$_->{number}' AS name" }
	grep { $_->{order} } @types);
$searched = "SELECT string_agg(type, ' ') FROM ($searched) AS k JOIN pg_stat_user_tables ON relname = k.name WHERE idx_scan = 0";
eval { wait_for(sub { query($target, $searched) eq '' }, 'statistics of indexes') };
is(query($target, $searched), '', 'each type of key is found by its index');
same('delete', each_type(sub {
	my ($n, $type) = @_;
	return "DELETE FROM z$n WHERE id > 1; DELETE FROM f$n WHERE n <> 1001;"
	  . ($type->{order} ? "DELETE FROM k$n WHERE n > (SELECT min(n) FROM k$n);" : '');
}));

done_testing();
