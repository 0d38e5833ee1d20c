package PortageContents;

=pod

=head1 NAME

PortageContents - are the rows and the schemas of two databases the same?

=head1 DESCRIPTION

The oracle of the tests: what the servers and pg_dump say, and nothing of the
applier's. PortageTest exports all of it.

=over

=item table_digest($node, $database, $table, %options)

Count and digest of the rows of a table, as one string, computed by the
server. Independent of the order of the rows and of the server's encoding;
equal only for equal multisets of rows. Dies if the table is empty, because
two empty tables prove nothing, unless C<< allow_empty => 1 >>. With
C<< columns => 'a, b' >> only these.

=item tables_equal($source, $database, $target, $target_database, @tables)

One assertion per table; an empty table fails it.

=item schema_of($node, $database)

What pg_dump says of a database, without owners, privileges and what is ours.

=item schemas_equal($source, $database, $target, $target_database)

One assertion that both have the same objects; the order in which they were
created is not compared.

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use IPC::Run ();
use Test::More;

our @EXPORT = qw(table_digest tables_equal schema_of schemas_equal);

sub table_digest
{
	my ($node, $database, $table, %options) = @_;
	my $row =
	  defined $options{columns} ? "ROW($options{columns})::text" : 'r::text';

	# How values look must not depend on what a database or role has set.
	my $answer = $node->safe_psql($database, <<"SQL");
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SET lc_monetary = 'C';
SELECT count(*) || ' '
	|| md5(coalesce(string_agg(digest, '' ORDER BY digest COLLATE "C"), ''))
FROM (SELECT md5(convert_to($row, 'UTF8')) AS digest FROM $table AS r) AS d;
SQL
	croak("$table in $database has no rows to compare")
	  if $answer =~ /\A0 / && !$options{allow_empty};
	return $answer;
}

sub tables_equal
{
	my ($source, $database, $target, $target_database, @tables) = @_;
	my $all = 1;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	croak('no tables to compare') unless @tables;
	foreach my $table (@tables)
	{
		my ($expected, $found) =
		  map { eval { table_digest(@$_) } // "none: $@" }
		  ([ $source, $database, $table ],
			[ $target, $target_database, $table ]);

		if ($expected =~ /\Anone/)
		{
			$all = 0;
			fail("$table is the same on both sides");
			diag("source has $expected");
			next;
		}
		$all &&= is($found, $expected, "$table is the same on both sides");
	}
	return $all;
}

sub schema_of
{
	my ($node, $database) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(
		[
			'pg_dump', '--schema-only', '--no-owner', '--no-privileges',
			'--exclude-schema=portage', '--dbname', $node->connstr($database)
		],
		'>', \$out, '2>', \$err) || croak("pg_dump: $err");
	$out =~ s/^\\(?:un)?restrict .*\n//mg;    # a new word in every dump
	return $out;
}

sub schemas_equal
{
	my ($source, $database, $target, $target_database) = @_;
	my ($expected, $found) =
	  map { [ schema_entries(schema_of(@$_)) ] }
	  ([ $source, $database ], [ $target, $target_database ]);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply($found, $expected,
		'the schema of the target is that of the source');
}

sub schema_entries
{
	my ($dump) = @_;

	# Which entry they precede depends on the order; tablespaces are in names.
	$dump =~ s/^SET default_(?:tablespace|table_access_method) = .*\n\n//mg;
	return sort grep { !/\A(?:EXTENSION )?pg_portage;/ }
	  split(/^--\n-- Name: /m, $dump);
}

=pod

=back

=cut

1;
