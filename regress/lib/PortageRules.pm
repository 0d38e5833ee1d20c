package PortageRules;

=pod

=head1 NAME

PortageRules - migrations with a configuration, and what has to come of them

=head1 SYNOPSIS

  my $config = rules_file(<<"YAML");
  name: app
  sources: { main: { url: "@{[ source_url($source) ]}" } }
  targets: { eu: { url: "@{[ target_url($eu) ]}" } }
  rules:
    - { table: public.t, where: "n > 3" }
  YAML
  portage_ok('run', '--config', $config, '--until', 'caught-up');
  derived_equal($eu, 'public.t', 'id int4, n int4',
	  [ $source, 'SELECT id, n FROM t WHERE n > 3' ]);

=head1 DESCRIPTION

The oracle knows nothing of rules: what a target has to hold is computed by
statements of the test on the source, and compared value by value in the forms of
PortageMysqlCanonical.

=head1 FUNCTIONS

=over

=item rules_file($yaml)

Put it into a file of its own and return the path.

=item derived_equal($target, $table, $columns, @expected)

One assertion: the table, C<schema.name>, of database app of a target of either
kind has these columns, C<"name type, ..."> in any order, no others, and the rows of all
the queries together, each C<< [ $source, $sql ] >> or C<< [ $source, $sql,
$database ] >>. Types are those of pg_type. A query gives the columns in the order
named. Tables without rows on both sides fail it, too.

=item derived_differences($target, $table, $columns, @expected)

The differences as a list of texts.

=item derived_rows($target, $table, $columns)

The rows of the target, each as one text in canonical form, sorted: what two
migrations of the same data are compared by.

=back

=cut

use strict;
use warnings;

use Carp;
use Exporter qw(import);
use PortageMysql;
use PortageMysqlCanonical;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT =
  qw(rules_file derived_equal derived_differences derived_rows);

# What values look like must not depend on what a role has set.
my $settings = <<'SQL';
SET client_encoding = 'UTF8';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET bytea_output = 'hex';
SET extra_float_digits = 3;
SQL

my $count = 0;

sub rules_file
{
	my ($yaml) = @_;
	my $path = PostgreSQL::Test::Utils::tempdir() . '/rules' . $count++ . '.yaml';

	append_to_file($path, $yaml);
	return $path;
}

sub derived_equal
{
	my ($target, $table, $columns, @expected) = @_;
	my @differences = derived_differences($target, $table, $columns, @expected);
	my $more = @differences > 8 ? @differences - 8 : 0;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(!@differences, $target->name . ": $table is what it has to be")
	  || diag(join("\n", @differences[ 0 .. $#differences - $more ],
			$more ? "and $more more" : ()));
}

sub derived_differences
{
	my ($target, $table, $columns, @expected) = @_;
	my @columns = columns_of($columns);
	my @names = map { $_->{name} } @columns;
	my @there = target_columns($target, $table);
	my (%rows, @differences);

	return "$table is not on the target" unless @there;
	return "$table has the columns @{[ sort @there ]}, and not @{[ sort @names ]}"
	  if join(',', sort @there) ne join(',', sort @names);

	foreach my $query (@expected)
	{
		my ($source, $sql, $database) = @$query;
		$rows{$_}++ foreach source_rows($source, $database // 'app', $sql, @columns);
	}
	my $wanted = keys %rows;
	my @found = derived_rows($target, $table, $columns);
	return "$table has no rows to compare" unless $wanted || @found;
	$rows{$_}-- foreach @found;

	push @differences, pairs_of($table, \@columns,
		[ sort grep { $rows{$_} > 0 } keys %rows ],
		[ sort grep { $rows{$_} < 0 } keys %rows ]);
	return @differences;
}

# Rows that have the first two values in common are most likely meant to be one.
sub pairs_of
{
	my ($table, $columns, $missing, $extra) = @_;
	my $key = sub { join(' | ', grep { defined } (split(/ \| /, $_[0], -1))[ 0, 1 ]) };
	my %other = map { $key->($_) => $_ } @$extra;
	my @differences;

	foreach my $row (@$missing)
	{
		my $other = delete $other{ $key->($row) };
		my @wanted = split(/ \| /, $row, -1);
		my @found = split(/ \| /, $other // '', -1);
		my @differing = grep { defined $other && $wanted[$_] ne $found[$_] } 0 .. $#wanted;

		push @differences, defined $other
		  ? "$table (" . shown(join(' | ', @wanted[ 0, 1 ]), @$columns[ 0, 1 ]) . '): '
		  . join('; ', map {
				shown($wanted[$_], $columns->[$_]) . ' and not ' . shown($found[$_], $columns->[$_])
			} @differing)
		  : "$table (" . shown($row, @$columns) . ') is not on the target';
	}
	push @differences, map { "$table (" . shown($_, @$columns) . ') is only on the target' }
	  grep { my $row = $_; grep { $_ eq $row } values %other } @$extra;
	return @differences;
}

sub derived_rows
{
	my ($target, $table, $columns) = @_;
	my @columns = columns_of($columns);

	return sort($target->isa('PortageMysql')
		? mysql_rows($target, $table, @columns)
		: source_rows($target, 'app',
			'SELECT ' . join(', ', map { qq{"$_->{name}"} } @columns)
			  . " FROM $table", @columns));
}

sub columns_of
{
	my ($columns) = @_;

	return map {
		my ($name, $type) = /\A\s*(\w+)\s+(\w+)\s*\z/
		  or croak("\"$_\" is no column with its type");
		{ name => $name, type => { name => $type } };
	} split(/,/, $columns);
}

# In the order of the database.
sub target_columns
{
	my ($target, $table) = @_;
	my ($schema, $name) = split(/\./, $table);

	if ($target->isa('PortageMysql'))
	{
		my $there = mysql_literal(mysql_name($schema, $name));
		return map { $_->[0] } $target->rows(undef,
			'SELECT column_name FROM information_schema.columns'
			  . " WHERE table_schema = 'app' AND table_name = $there");
	}
	return split(/\n/, $target->safe_psql('app',
		'SELECT column_name FROM information_schema.columns'
		  . " WHERE table_schema = '$schema' AND table_name = '$name'"));
}

sub mysql_name
{
	my ($schema, $name) = @_;
	return $schema eq 'public' ? $name : "${schema}__$name";
}

# As texts, each value in its canonical form.
sub source_rows
{
	my ($node, $database, $sql, @columns) = @_;
	# psql would take the end off where a row ends with nothing
	my $text = $node->safe_psql($database,
		$settings . "COPY (SELECT q.*, '.' FROM ($sql) AS q) TO STDOUT");

	return map {
		my @values = map { copy_value($_) } split(/\t/, $_, -1);
		pop @values;
		croak('a row of ' . @values . " values: $sql") if @values != @columns;
		join(' | ', map { canonical_source($columns[$_]{type}, $values[$_]) }
			  0 .. $#columns);
	} split(/\n/, $text);
}

sub mysql_rows
{
	my ($server, $table, @columns) = @_;
	my $name = mysql_name(split(/\./, $table));
	my %type = map { lc($_->[0]) => lc($_->[1]) } $server->rows(undef,
		'SELECT column_name, data_type FROM information_schema.columns'
		  . q{ WHERE table_schema = 'app' AND table_name = } . mysql_literal($name));
	my $list = join(', ', map { mysql_ident($_->{name}) } @columns);

	return map {
		my @values = @$_;
		join(' | ', map { canonical_target($columns[$_]{type}, $values[$_],
					$type{ lc($columns[$_]{name}) }) } 0 .. $#columns);
	} $server->rows('app', "SELECT $list FROM " . mysql_ident($name));
}

sub copy_value
{
	my ($text) = @_;
	my %short = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t",
		v => "\x0b");

	return undef if $text eq '\\N';
	$text =~ s/\\(.)/$short{$1} \/\/ $1/ge;
	return $text;
}

# Of canonical forms, text for people where it is text.
sub shown
{
	my ($row, @columns) = @_;
	my @forms = split(/ \| /, $row, -1);

	return join(', ', map {
			my $form = $forms[$_];
			my $text = $columns[$_]{type}{name} =~ /\A(?:text|varchar|bpchar)\z/
			  && $form =~ /\A(?:[0-9a-f]{2})*\z/;
			"$columns[$_]{name} "
			  . ($text ? '"' . pack('H*', $form) . '"' : $form);
		} 0 .. $#columns);
}

1;
