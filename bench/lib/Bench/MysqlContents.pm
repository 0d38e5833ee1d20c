package Bench::MysqlContents;

# What two servers of different kinds hold, as the same text if it is the same:
# rows and the sum of their hashes for each table. Each server brings values into
# a form that the other one has, too.

use strict;
use warnings;

use Carp;

# For the types that the workloads have: PostgreSQL's form, MariaDB's, whose
# columns have collations that do not go together. "%s" is the column.
my $mariadb = 'CAST(%s AS char) COLLATE utf8mb4_bin';
my $plain = [ '%s::text', $mariadb ];
my %forms = (
	(map { $_ => $plain } qw(int2 int4 int8 numeric text varchar jsonb)),
	bpchar => [ 'rtrim(%s::text)', $mariadb ],
	bool => [ '%s::int::text', $mariadb ],
	timestamp => [ q{to_char(%s, 'YYYY-MM-DD HH24:MI:SS.US')}, $mariadb ],
	timestamptz => [
		q{to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')},
		$mariadb
	]);

# The columns of a database's tables, in order: [ [ table, [ column, type ],
# ... ], ... ].
sub tables
{
	my ($source, $database) = @_;
	my @tables;

	foreach my $line (split(/\n/, $source->sql($database, <<'SQL')))
SELECT c.relname, a.attname, t.typname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
	AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
SQL
	{
		my ($table, $column, $type) = split(/\|/, $line);
		push @tables, [$table] if !@tables || $tables[-1][0] ne $table;
		push @{ $tables[-1] }, [ $column, $type ];
	}
	return @tables;
}

# Of the source.
sub expected
{
	my ($source, $database) = @_;

	return join("\n", map {
		my ($table, @columns) = @$_;
		"$table " . join(' ', split(/\|/, $source->sql($database,
			"SELECT count(*), coalesce(sum(('x' || left(md5(concat_ws('|', "
			  . join(', ', map { form(0, @$_) } @columns)
			  . ")), 15))::bit(60)::bigint), 0) FROM $table")))
	} tables($source, $database));
}

# Of the target, for the same tables.
sub found
{
	my ($source, $database, $target) = @_;

	return join("\n", map {
		my ($table, @columns) = @$_;
		"$table " . join(' ', split(/\t/, $target->sql($database,
			'SELECT count(*), coalesce(sum(CAST(conv(left(md5(concat_ws("|", '
			  . join(', ', map { form(1, @$_) } @columns)
			  . ')), 15), 16, 10) AS unsigned)), 0) FROM ' . $table)))
	} tables($source, $database));
}

sub form
{
	my ($side, $column, $type) = @_;
	my $form = $forms{$type} // croak("no form for values of $type");

	return 'coalesce(' . sprintf($form->[$side], $column) . q{, '~')};
}

1;
