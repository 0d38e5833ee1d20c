# Expressions that the target computes by itself: each of them means the same for
# every row. The source's own values are the oracle: what it has computed into
# stored columns has to be what the target computes.

use strict;
use warnings;

use JSON::PP ();
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');
my @ends = mysql_endpoints($source, $target);

# [ type, expression, computed by the target? ]
my @cases = (
	[ 'int', 'i + 1', 1 ],
	[ 'bigint', '(i::bigint * 3) - 7', 1 ],
	[ 'int', 'i / 3', 1 ],
	[ 'int', 'i % 3', 1 ],
	[ 'int', '-i', 1 ],
	[ 'int', 'abs(i)', 1 ],
	[ 'int', 'mod(i, 4)', 1 ],
	[ 'int', 'coalesce(i, 5)', 1 ],
	[ 'int', 'nullif(i, 7)', 1 ],
	[ 'int', 'CASE WHEN i > 0 THEN i WHEN b THEN 17 END', 1 ],
	[ 'int', 'CASE WHEN i > 0 THEN 1 ELSE -1 END', 1 ],
	[ 'numeric(20,2)', 'n * 2', 1 ],
	[ 'numeric(20,4)', 'n * n', 1 ],
	[ 'numeric(20,1)', 'n * 1.05', 1 ],
	[ 'numeric(20,2)', 'n - i', 1 ],
	[ 'numeric(20,2)', 'n + 0.005', 1 ],
	[ 'numeric(20,0)', 'floor(n)', 1 ],
	[ 'numeric(20,0)', 'ceil(n)', 1 ],
	[ 'numeric', 'n / 3', 0 ],
	[ 'numeric', 'n * n', 1 ],
	[ 'double precision', 'f * 2 - 1', 1 ],
	[ 'double precision', 'f / 3', 1 ],
	[ 'double precision', 'abs(f)', 1 ],
	[ 'boolean', 'i > 0', 1 ],
	[ 'boolean', 'NOT (i > 0)', 1 ],
	[ 'boolean', 'i > 0 AND b', 1 ],
	[ 'boolean', 'i > 0 OR b', 1 ],
	[ 'boolean', 'b IS TRUE', 1 ],
	[ 'boolean', 'b IS NOT FALSE', 1 ],
	[ 'boolean', 'b IS UNKNOWN', 1 ],
	[ 'boolean', 'i IS NULL', 1 ],
	[ 'boolean', 'i IS DISTINCT FROM 7', 1 ],
	[ 'boolean', 'i IS NOT DISTINCT FROM NULL', 1 ],
	[ 'boolean', 'i IN (1, 7, 8)', 1 ],
	[ 'boolean', 'i NOT IN (1, 7, 8)', 1 ],
	[ 'boolean', 'i BETWEEN -3 AND 7', 1 ],
	[ 'boolean', 'n >= 1.50', 1 ],
	[ 'boolean', 'n > i', 1 ],
	[ 'boolean', q{t = 'a'}, 1 ],
	[ 'boolean', q{t = 'a '}, 1 ],
	[ 'boolean', q{t <> 'A'}, 1 ],
	[ 'boolean', q{t IN ('ss', 'é', '')}, 1 ],
	[ 'boolean', q{t = v}, 1 ],
	[ 'boolean', q{t > 'b'}, 0 ],
	[ 'boolean', q{t > 'b' COLLATE "C"}, 1 ],
	[ 'boolean', q{t LIKE 'a%'}, 1 ],
	[ 'boolean', q{t NOT LIKE '_'}, 1 ],
	[ 'boolean', q{t LIKE '%\%'}, 1 ],
	[ 'boolean', q{t LIKE 'a\_b'}, 1 ],
	[ 'boolean', q{t LIKE '%\\\\%'}, 1 ],
	[ 'boolean', q{t ~ '^a'}, 0 ],
	[ 'boolean', q{t ILIKE 'a%'}, 0 ],
	[ 'boolean', q{p = 'ab'}, 1 ],
	[ 'boolean', q{p = 'ab '}, 1 ],
	[ 'boolean', q{m = 'so so'}, 1 ],
	[ 'boolean', q{m <> 'sad'}, 1 ],
	[ 'boolean', q{m > 'sad'}, 0 ],
	[ 'boolean', q{u = '00000000-0000-0000-0000-00000000000a'}, 1 ],
	[ 'boolean', q{d >= '2020-02-29'}, 1 ],
	[ 'boolean', q{d < ts}, 1 ],
	[ 'boolean', q{ts > '2020-02-29 10:00:00.5'}, 1 ],
	[ 'boolean', q{tz <= '2020-02-29 10:00:00+01'}, 1 ],
	[ 'boolean', q{ts::date = '2020-02-29'}, 1 ],
	[ 'boolean', q{raw = '\x00ff'}, 1 ],
	[ 'int', 'length(t)', 1 ],
	[ 'int', 'octet_length(t)', 1 ],
	[ 'int', 'length(raw)', 1 ],
	[ 'int', 'length(p)', 1 ],
	[ 'text', q{t || '-' || v}, 1 ],
	[ 'text', q{coalesce(t, 'none')}, 1 ],
	[ 'text', q{nullif(t, 'a')}, 1 ],
	[ 'text', q{btrim(t)}, 1 ],
	[ 'text', q{ltrim(t)}, 1 ],
	[ 'text', q{rtrim(t)}, 1 ],
	[ 'text', q{left(t, 2)}, 1 ],
	[ 'text', q{substring(t, 2, 1)}, 1 ],
	[ 'text', q{substring(t FROM 2)}, 1 ],
	[ 'text', q{replace(t, 'a', 'é')}, 1 ],
	[ 'text', 'md5(t)', $target->is_mariadb ],
	[ 'text', 'lower(t)', 0 ],
	[ 'text', 'upper(v)', 0 ],
	[ 'text', 'i::text', 0 ],
	[ 'text', q{m::text}, undef ],
	[ 'date', 'ts::date', 1 ],
);

$source->safe_psql('app', q{CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy')});

# Whether PostgreSQL itself takes it as immutable depends on its version.
@cases = grep {
	my $ok = 0 == $source->psql('app',
		"CREATE TEMP TABLE x (i int, n numeric(10,2), f float8, b bool, t text,"
		  . " v varchar(9), p char(3), m mood, u uuid, d date, ts timestamp,"
		  . " tz timestamptz, raw bytea,"
		  . " g $_->[0] GENERATED ALWAYS AS ($_->[1]) STORED)");
	diag("not on this source: $_->[1]") unless $ok;
	$ok;
} @cases;

my $generated = join(",\n", map {
	"g$_ $cases[$_][0] GENERATED ALWAYS AS ($cases[$_][1]) STORED"
} 0 .. $#cases);
$source->safe_psql('app', <<"SQL");
CREATE TABLE g (id int PRIMARY KEY, i int, n numeric(10,2), f float8, b bool,
	t text, v varchar(9), p char(3), m mood, u uuid, d date, ts timestamp,
	tz timestamptz, raw bytea, $generated);
INSERT INTO g SELECT row_number() OVER (), *
FROM (VALUES (NULL), (0), (1), (-1), (7), (-8), (100000)) i (i),
	(VALUES (NULL), (0.00), (1.50), (-1.25), (99999.99)) n (n);
UPDATE g SET f = n::float8 / 7, b = CASE id % 3 WHEN 0 THEN true WHEN 1 THEN false END;
UPDATE g SET t = x, v = y, p = z FROM (
	SELECT row_number() OVER () AS r, * FROM
	(VALUES (NULL), (''), (' '), ('a'), ('A'), ('a '), (' a'), ('ab'), ('a_b'),
		('axb'), ('%'), ('50%'), ('\\'), ('a\\b'), ('ss'), ('ß'), ('é'),
		('é'), ('😀a'), ('aaa'), ('b'), ('c')) x (x),
	(VALUES (NULL, NULL), ('a', 'ab'), ('ss', 'AB')) y (y, z)) x
WHERE r = id;
UPDATE g SET m = (enum_range(NULL::mood))[id % 4], raw = decode(to_hex(id * 256 + 255), 'escape'),
	u = ('00000000-0000-0000-0000-00000000000' || substr('abc', id % 4, 1) || CASE WHEN id % 4 = 0 THEN 'd' ELSE '' END)::uuid,
	d = CASE WHEN id % 5 > 0 THEN date '2020-02-28' + id % 5 END,
	ts = CASE WHEN id % 7 > 0 THEN timestamp '2020-02-29 09:59:59.5' + (id % 7) * interval '0.5 second' END,
	tz = CASE WHEN id % 7 > 0 THEN timestamptz '2020-02-29 08:59:59+00' + (id % 7) * interval '0.5 second' END;
UPDATE g SET raw = '\\x00ff' WHERE id % 2 = 0;
SQL

my $plan = JSON::PP::decode_json(portage_ok('plan', @ends, '--json')->{out});
my ($table) = grep { $_->{name} eq 'g' } @{ $plan->{mapping} };
my %column = map { ($_->{name} => $_) } @{ $table->{columns} };
foreach my $number (0 .. $#cases)
{
	my ($type, $expression, $computed) = @{ $cases[$number] };
	my $column = $column{"g$number"};
	my $is = $column->{target_type} =~ /GENERATED/ ? 1 : 0;

	next unless defined $computed;
	is($is, $computed,
		($computed ? 'computed there: ' : 'carried: ') . $expression)
	  || diag("$column->{target_type}: $column->{note}");
}

mysql_migrate($source, $target);
contents_equal($source, 'app', $target, 'app');

# The same again for rows that come in the stream.
$source->safe_psql('app', <<'SQL');
INSERT INTO g (id, i, n, f, b, t, v, p, m, u, d, ts, tz, raw)
SELECT id + 1000, i, n, f, b, t, v, p, m, u, d, ts, tz, raw FROM g;
UPDATE g SET i = i + 1, n = -n, t = t || 'a' WHERE id % 3 = 0;
SQL
mysql_migrate($source, $target);
contents_equal($source, 'app', $target, 'app');
done_testing();
