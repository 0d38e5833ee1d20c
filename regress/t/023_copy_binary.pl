# COPY in binary, for tables of types whose binary form is the same everywhere,
# and as text for all others: what went which way is in the source's log. Both
# bring every value as its text is, between different encodings as well, in one
# piece and in many.

use strict;
use warnings;
use utf8;

use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', databases => [], conf => "log_statement = all\n");
my $target = target_new('target', databases => []);

# psql reads and writes bytes.
sub query
{
	my ($node, $database, $sql) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	utf8::encode($sql);
	return $node->safe_psql($database, $sql);
}

sub databases
{
	my ($name, $from, $to) = @_;
	my $locale = q{TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'};
	$source->safe_psql('postgres', "CREATE DATABASE $name ENCODING '$from' $locale");
	source_grant($source, $name);
	$target->safe_psql('postgres',
		"CREATE DATABASE $name ENCODING '$to' $locale OWNER " . TARGET_ROLE);
	return;
}

# Name, type, values; a type that travels in binary, and an array of it.
my @binary = (
	[ 'bool', 'bool', qw(t f) ],
	[ 'int2', 'int2', qw(-32768 0 32767) ],
	[ 'int4', 'int4', qw(-2147483648 0 2147483647) ],
	[ 'int8', 'int8', qw(-9223372036854775808 0 9223372036854775807) ],
	[ 'oid', 'oid', qw(0 4294967295) ],
	[
		'numeric', 'numeric',
		qw(NaN 0 0.00 -0.10 1e131071 -1e131071 1e-16383 10000 0.00001000),
		'12345678901234567890.12345678901234567890'
	],
	[ 'numeric_typmod', 'numeric(10,2)', qw(NaN -99999999.99 0.00 99999999.99) ],
	[ 'char', '"char"', '', 'a', '\\' ],
	[ 'bpchar', 'char(5)', '', 'ab', 'abcde', 'é ü' ],
	[ 'varchar', 'varchar(20)', '', ' ', 'x' x 20, 'Größe' ],
	[ 'text', 'text', '', '\\N', '\\.', '\\', "\t\r\n\b", "\x01\x7f", 'é', ' x ' ],
	[ 'bytea', 'bytea', '', '\\x00', '\\x' . join('', map { sprintf('%02x', $_) } 0 .. 255) ],
	[
		'date', 'date', 'infinity', '-infinity', '4713-01-01 BC', '0001-01-01',
		'5874897-12-31'
	],
	[ 'time', 'time', '00:00', '24:00:00', '23:59:59.999999' ],
	[ 'time3', 'time(3)', '12:34:56.789' ],
	[ 'timetz', 'timetz', '24:00:00+15:59:59', '23:59:59.999999-15:59:59' ],
	[
		'timestamp', 'timestamp', 'infinity', '-infinity', '4713-01-01 00:00:00 BC',
		'294276-12-31 23:59:59.999999'
	],
	[ 'timestamp0', 'timestamp(0)', '2020-02-29 23:59:59' ],
	[
		'timestamptz', 'timestamptz', 'infinity', '-infinity',
		'4713-01-02 00:00:00+00 BC', '1883-11-18 12:03:58-04:56:02',
		'294276-12-31 23:59:59.999999+00'
	],
	[
		'uuid', 'uuid', '00000000-0000-0000-0000-000000000000',
		'ffffffff-ffff-ffff-ffff-ffffffffffff'
	],
	[ 'json', 'json', 'null', ' { "b" : 1, "a":2 , "b":3 } ', '"é \\\\ \\""', '1e400' ],
	[ 'jsonb', 'jsonb', 'null', '{"b":1,"a":[null,{}]}', '1.10', '"é \\\\ \\" \\n"' ],
	[ 'inet', 'inet', '10.1.2.3/24', '0.0.0.0/0', '::', 'ffff::ffff/127' ],
	[ 'cidr', 'cidr', '10.0.0.0/8', '::/0' ],
	[ 'macaddr', 'macaddr', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff' ],
	[ 'macaddr8', 'macaddr8', '08:00:2b:01:02:03:04:05' ],
	[ 'bit', 'bit(9)', '000000000', '101010101' ],
	[ 'varbit', 'varbit(70)', '', '0', '1' x 70 ],
	[ 'enum', 'mood', 'sad', 'so so', 'é', 'a,b' ]);

# Those that do not, each for a reason of its own.
my @text = (
	[ 'float4', 'float4', qw(NaN Infinity -Infinity -0 3.4028235e38 1e-45 0.1) ],
	[
		'float8', 'float8',
		qw(NaN Infinity -Infinity -0 1.7976931348623157e308 5e-324 0.1)
	],
	[ 'float8s', 'float8[]', '{NaN,-0,NULL,0.1}' ],
	[ 'interval', 'interval', '178000000 years', '-1 days +02:03:00' ],
	[ 'name', 'name', 'é' x 31, '' ],
	[ 'money', 'money', '-92233720368547758.08' ],
	[ 'regtype', 'regtype', 'integer' ],
	[ 'range', 'int4range', 'empty', '[1,5)', '(,)' ],
	[ 'composite', 'pair', '(1,a)', '(,)' ],
	[ 'domain', 'positive', '1' ],
	[ 'enums', 'mood[]', '{sad,NULL,é}' ],
	[ 'composites', 'pair[]', '{"(1,a)",NULL}' ],
	[ 'int2vector', 'int2vector', '1 -2' ]);

sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}

sub fill
{
	my ($database, @types) = @_;
	my $sql = '';

	foreach my $type (@types)
	{
		my ($name, $of, @values) = @$type;
		$sql .= qq{CREATE TABLE "t_$name" (n int, v $of, w text);\n}
		  . qq{INSERT INTO "t_$name" VALUES (0, NULL, NULL)}
		  . join('', map { ', (1, ' . quote($_) . q{, '')} } @values) . ";\n";
	}
	query($source, $database, $sql);
	return;
}

# The same as arrays: all values in one, with NULL, and with bounds.
sub fill_arrays
{
	my ($database, @types) = @_;
	my $sql = '';

	foreach my $type (@types)
	{
		my ($name, $of) = @$type;
		$sql .= qq{CREATE TABLE "a_$name" (v $of\[]);\n}
		  . qq{INSERT INTO "a_$name" VALUES (NULL), ('{}'), ('{NULL}');\n}
		  . qq{INSERT INTO "a_$name" SELECT array_agg(v) FROM "t_$name";\n}
		  . qq{INSERT INTO "a_$name" SELECT array_fill(v, '{2,1}', '{-1,5}') FROM "t_$name";\n};
	}
	query($source, $database, $sql);
	return;
}

# How the source was asked for a table, as its log has it.
sub form_of
{
	my ($table) = @_;
	my @asked = grep { /COPY .*"public"\."?\Q$table\E"? .*TO STDOUT/s }
	  split(/\n/, slurp_file($source->logfile));

	return 'not at all' unless @asked;
	return join(',', sort { $a cmp $b }
		  keys %{ { map { (/FORMAT binary/ ? 'binary' : 'text') => 1 } @asked } });
}

sub arrived
{
	my ($database, $form, @tables) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	foreach my $table (@tables)
	{
		is(form_of($table), $form, "$table travels as $form");
		tables_equal($source, $database, $target, $database, qq{public."$table"});
	}
	return;
}

sub bring
{
	my ($database, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	truncate($source->logfile, 0);
	portage_ok('run', endpoints($source, $target, $database), '--until',
		'caught-up', @options);
	return;
}

my $types = <<'SQL';
CREATE TYPE mood AS ENUM ('sad', 'so so', 'é', 'a,b');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0);
SQL

foreach my $case ([ 'same', 'UTF8', 'UTF8' ], [ 'from_latin1', 'LATIN1', 'UTF8' ],
	[ 'to_latin1', 'UTF8', 'LATIN1' ])
{
	my ($database, $from, $to) = @$case;
	databases(@$case);
	query($source, $database, $types);
	fill($database, @binary, @text);
	fill_arrays($database, grep { $_->[0] ne 'enum' } @binary);
	query($source, $database, <<'SQL');
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE empty (i int);
CREATE TABLE generated (i int PRIMARY KEY, p positive GENERATED ALWAYS AS (i) STORED, t text);
INSERT INTO generated (i, t) VALUES (1, 'a'), (2, 'é');
SQL
	bring($database);
	arrived($database, 'binary', map { "t_$_->[0]" } @binary);
	arrived($database, 'binary',
		map { "a_$_->[0]" } grep { $_->[0] ne 'enum' } @binary);
	arrived($database, 'text', map { "t_$_->[0]" } @text);
	arrived($database, 'text', 'nothing');
	arrived($database, 'binary', 'generated');
	is(form_of('empty'), 'binary', 'a table without rows is asked for as well');
	is(query($target, $database, 'SELECT count(*) FROM empty'), '0', 'and stays empty');
}

# In pieces: by keys, by blocks, and one that holds no row at all.
databases('pieces', 'UTF8', 'UTF8');
query($source, 'pieces', <<'SQL');
CREATE TABLE keys (id bigint PRIMARY KEY, at timestamptz, v text);
INSERT INTO keys SELECT i, 'epoch'::timestamptz + i * interval '1 s', repeat('v', i % 300)
FROM generate_series(1, 30000) i;
CREATE TABLE blocks (v numeric, w bytea);
INSERT INTO blocks SELECT i / 7.0, decode(md5(i::text), 'hex') FROM generate_series(1, 30000) i;
DELETE FROM blocks WHERE ctid < '(40,0)';
ALTER TABLE blocks REPLICA IDENTITY FULL;
CREATE TABLE pieces_text (id bigint PRIMARY KEY, v interval);
INSERT INTO pieces_text SELECT i, i * interval '1 s' FROM generate_series(1, 30000) i;
ANALYZE;
SQL
bring('pieces', '--split-over' => '200kB');
arrived('pieces', 'binary', 'keys', 'blocks');
arrived('pieces', 'text', 'pieces_text');
is($target->safe_psql('pieces', <<'SQL'), 't|t|t', 'each row is counted once');
SELECT bool_and(rows = 30000 OR table_name = 'blocks'), bool_and(pieces > 2),
	(SELECT sum(rows) FROM portage.chunk WHERE table_name = 'blocks')
	= (SELECT count(*) FROM blocks)
FROM (SELECT table_name, sum(rows) AS rows, count(*) AS pieces
	FROM portage.chunk GROUP BY table_name) t
SQL

done_testing();
