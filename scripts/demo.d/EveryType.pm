package EveryType;

# A table with a column of every common type, and the statements that fill and
# change it. Each value is computed by the server from a number, the seed; one
# in eleven is null, but never the whole row.

use strict;
use warnings;

use constant TABLE => 'types.common';
use constant JOURNAL => 'types.journal';

# type => expression; SEED is replaced
my @columns = (
	'smallint' => '(SEED % 65536 - 32768)::smallint',
	'integer' => 'SEED * 1999',
	'bigint' => 'SEED::bigint * 9007199254740',
	'numeric' => "CASE SEED % 50 WHEN 0 THEN 'NaN' ELSE SEED / 7.0 END",
	'numeric(12,4)' => 'SEED / 13.0',
	'real' => "CASE SEED % 40 WHEN 0 THEN '-Infinity' ELSE sqrt(SEED)::real END",
	'double precision' => "CASE SEED % 60 WHEN 0 THEN 'NaN' ELSE sqrt(SEED) END",
	'money' => '(SEED / 100.0)::numeric::money',
	'boolean' => 'SEED % 2 = 0',

	# One in ten is too long for its page; updates that leave it alone do not
	# write it again, and the target has to keep it.
	'text' => q{CASE SEED % 10 WHEN 0 THEN (SELECT string_agg(md5((SEED + i)::text), '')
		FROM generate_series(1, 150) AS i) ELSE '' END},
	'varchar(60)' => q{E'quote \' backslash \\\\ tab \t line \n \u20ac \u6f22 ' || SEED},
	'char(12)' => 'SEED::text',
	'bytea' => q{'\x00ff0a5c27'::bytea || decode(md5(SEED::text), 'hex')},
	'uuid' => 'md5(SEED::text)::uuid',

	'date' => q{CASE SEED % 70 WHEN 0 THEN '-infinity' ELSE date '1900-02-28' + SEED % 90000 END},
	'time' => q{time '00:00' + SEED * interval '1.000001 s'},
	'time with time zone' => q{(time '12:00' + SEED * interval '1 s') AT TIME ZONE '+05:30'},
	'timestamp' => q{timestamp '1999-12-31' + SEED * interval '1.000001 h'},
	'timestamp with time zone' =>
	  q{CASE SEED % 80 WHEN 0 THEN 'infinity' ELSE timestamptz '0044-03-15 BC' + SEED * interval '1.000001 h' END},
	'interval' => q{make_interval(SEED % 9, SEED % 11, 0, SEED % 31, SEED % 24, -(SEED % 60), SEED / 7.0)},

	# json keeps blanks, order and duplicates; jsonb does not
	'json' => q{('{"b" : ' || SEED || ',  "a": null, "b": 2}')::json},
	'jsonb' => q{jsonb_build_object('seed', SEED, 'list', ARRAY[1.50, SEED], 'deep', jsonb_build_object('x', NULL))},
	'xml' => q{('<seed n="' || SEED || '"/>')::xml},
	'integer[]' => 'ARRAY[SEED, NULL, -SEED]',
	'text[]' => q{ARRAY['', 'NULL', NULL, 'a "b"', E'c,\\\\{d}', SEED::text]},
	'numeric[]' => 'ARRAY[[SEED, 1.10], [0.5, -SEED]]::numeric[]',
	'types.mood' => q{(ARRAY['sad', 'so so', 'happy'])[SEED % 3 + 1]::types.mood},
	'types.mood[]' => q{ARRAY['happy', (ARRAY['sad', 'so so'])[SEED % 2 + 1]]::types.mood[]},
	'types.percent' => '(SEED % 101)::types.percent',
	'types.address' => q{ROW('Main "St", ' || SEED, NULL, SEED % 99999)::types.address},

	'int4range' => q{CASE SEED % 9 WHEN 0 THEN 'empty' ELSE int4range(SEED, SEED + 10) END},
	'numrange' => q{numrange(SEED / 3.0, NULL, '(]')},
	'daterange' => q{daterange(date '2020-01-01', date '2020-01-02' + SEED % 900)},
	'tstzrange' => q{tstzrange(timestamptz '2020-01-01Z', timestamptz '2020-01-02Z' + SEED * interval '1 s')},
	'int4multirange' => '(int4range(1, 5) + int4range(4, 6))::int4multirange + int4multirange(int4range(SEED + 10, SEED + 20))',
	'inet' => q{inet '10.0.0.0/8' + SEED},
	'cidr' => q{network(set_masklen(inet '2001:db8::' + SEED, 120))},
	'macaddr' => 'substr(md5(SEED::text), 1, 12)::macaddr',
	'macaddr8' => 'substr(md5(SEED::text), 1, 16)::macaddr8',
	'bit(10)' => 'SEED::bit(10)',
	'bit varying(20)' => q{substr(SEED::bit(20)::text, SEED % 19 + 1)::varbit},

	'point' => 'point(SEED / 3.0, -SEED)',
	'line' => 'line(point(0, SEED), point(1, 1))',
	'lseg' => 'lseg(point(0, 0), point(SEED, 1))',
	'box' => 'box(point(SEED, 2), point(0, 0))',
	'path' => q{('[(0,0),(1,' || SEED || '),(2,0)]')::path},
	'polygon' => q{('((0,0),(1,' || SEED || '),(2,0))')::polygon},
	'circle' => 'circle(point(1, 2), SEED)',
	'tsvector' => q{to_tsvector('simple', 'carry a boat over land ' || SEED)},
	'tsquery' => q{to_tsquery('simple', 'boat & !land' || SEED)},
	'pg_lsn' => q{'0/0'::pg_lsn + SEED},
	'oid' => 'SEED::oid',
	'"char"' => q{chr(SEED % 26 + 65)::"char"},
	'name' => q{('name_' || SEED)::name},
);

# Not every server has been built with XML, or is new enough for multiranges.
sub new
{
	my ($class, $node, $database) = @_;
	my (@types, %expression, %column);

	for (my $i = 0; $i < @columns; $i += 2)
	{
		my ($type, $expression) = @columns[ $i, $i + 1 ];
		my $name = $type =~ s/\[\]/ list/r;

		if ($type =~ /\A(?:xml|int4multirange)\z/)
		{
			(my $probe = $expression) =~ s/SEED/1/g;
			next if $node->psql($database, "SELECT $probe") != 0;
		}
		$name =~ s/types\.//;
		$name =~ s/\W+/_/g;
		$name =~ s/\A_|_\z//g;
		push @types, $type;
		$column{$type} = "a_$name";
		$expression{$type} =
		  sprintf('CASE WHEN (SEED + %d) %% 11 <> 0 THEN %s END',
			$i / 2, $expression);
	}
	return bless {
		types => \@types,
		column => \%column,
		expression => \%expression
	}, $class;
}

sub type_count
{
	my ($self) = @_;
	return scalar @{ $self->{types} };
}

sub names
{
	my ($self) = @_;
	return map { $self->{column}{$_} } @{ $self->{types} };
}

# Expressions with something in place of the seed.
sub values_of
{
	my ($self, $seed) = @_;
	return map { $self->{expression}{$_} =~ s/\bSEED\b/$seed/gr }
	  @{ $self->{types} };
}

sub create_sql
{
	my ($self) = @_;
	my $columns = join(",\n\t",
		map { "$self->{column}{$_} $_" } @{ $self->{types} });

	return sprintf(<<'SQL', TABLE, $columns, JOURNAL);
CREATE SCHEMA types;
CREATE TYPE types.mood AS ENUM ('sad', 'so so', 'happy');
CREATE DOMAIN types.percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE types.address AS (street text, house integer, zip integer);
CREATE TABLE %s (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	%s,
	generated numeric GENERATED ALWAYS AS (a_integer * 2.5 + a_smallint) STORED
);
CREATE TABLE %s (
	id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	seed integer NOT NULL,
	at timestamptz NOT NULL DEFAULT now()
);
SQL
}

sub insert_sql
{
	my ($self, $seed) = @_;
	return sprintf("INSERT INTO %s (%s) SELECT\n%s",
		TABLE, join(', ', $self->names), join(",\n", $self->values_of($seed)));
}

sub fill_sql
{
	my ($self, $rows) = @_;
	return $self->insert_sql('seed')
	  . "\nFROM generate_series(1, $rows) AS seed;\n"
	  . 'ANALYZE ' . TABLE . ';';
}

sub update_sql
{
	my ($self, $seed) = @_;
	my @names = $self->names;
	my @values = $self->values_of($seed);

	return sprintf('UPDATE %s SET %s', TABLE,
		join(",\n", map { "$names[$_] = $values[$_]" } 0 .. $#names));
}

# A transaction for pgbench: a new row, one with all values changed, one with
# one value changed, one gone. One transaction in eight is rolled back. What
# was committed is counted in the journal.
sub load_script
{
	my ($self, $rows) = @_;
	my $table = TABLE;
	my $journal = JOURNAL;
	my $insert = $self->insert_sql(':seed');
	my $update = $self->update_sql(':seed');

	# The server's parser would take the time for lines, pgbench ends a
	# statement at the semicolon only.
	return <<"SCRIPT";
\\set seed random(1, 1000000)
\\set all random(1, $rows)
\\set one random(1, $rows)
\\set gone random(1, $rows)
\\set dice random(1, 8)
BEGIN;
$insert;
$update
WHERE id = :all;
UPDATE $table SET a_integer = :seed WHERE id = :one;
DELETE FROM $table WHERE id = :gone;
INSERT INTO $journal (seed) VALUES (:seed);
\\if :dice = 1
ROLLBACK;
\\else
COMMIT;
\\endif
SCRIPT
}

1;
