package PortageMysqlContents;

=pod

=head1 NAME

PortageMysqlContents - are the rows of a source and of a MySQL target the same?

=head1 SYNOPSIS

  contents_equal($source, 'app', $server, 'app');
  is_deeply(
	  [ contents_differences($source, 'app', $server, 'app') ],
	  ['public.t (7): v is "x" on the source, "X" on the target']);

=head1 DESCRIPTION

Every row of both sides is read and compared value by value in the canonical
form of PortageMysqlCanonical, computed here. Rows are found by the primary key
that they have on the source; without one the sides are compared as bags.

Both functions take C<$source, $database, $server, $target_database> and

  tables      => [...]   'schema.table'; default: all but partitions by
                         themselves and what is portage's
  schemas     => ''      'databases': each schema is a database of its name;
                         default: schema__table, and public without a prefix
  rename      => {}      'schema.table' => 'table', 'schema.table.column' =>
                         'column', for what has another name on the target
  leave_out   => []      'schema.table.column' that are not compared
  allow_empty => 0       1: a table without rows is no failure

=over

=item contents_equal

One assertion per table, with the first differences if there are any; without
any table it fails.

=item contents_differences

All of them as a list of texts, one for each value, row, column and table.

=back

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use JSON::PP ();
use PortageMysql;
use PortageMysqlCanonical;
use Test::More;

our @EXPORT = qw(contents_equal contents_differences);

sub contents_equal
{
	my ($source, $database, $server, $target_database, %options) = @_;
	my @tables = tables($source, $database, \%options);
	my $all = 1;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	croak('no tables to compare') unless @tables;
	foreach my $table (@tables)
	{
		my @differences =
		  compare($source, $database, $server, $target_database, $table,
			\%options);
		my $more = @differences > 10 ? @differences - 10 : 0;
		$all = 0 if @differences;
		ok(!@differences, "$table->{id} is the same on both sides")
		  || diag(join("\n", @differences[ 0 .. $#differences - $more ],
				$more ? "and $more more" : ()));
	}
	return $all;
}

sub contents_differences
{
	my ($source, $database, $server, $target_database, %options) = @_;

	return map {
		compare($source, $database, $server, $target_database, $_, \%options)
	} tables($source, $database, \%options);
}

# What the source's catalog says: { id, schema, name, columns, key }. A column
# has name and canonical, the type that tells its form; names are bytes.
sub tables
{
	my ($source, $database, $options) = @_;
	my $json = $source->safe_psql($database, <<'SQL');
WITH RECURSIVE base (oid, below, typmod) AS (
	SELECT oid, oid, -1 FROM pg_type WHERE typtype <> 'd'
	UNION ALL
	SELECT t.oid, b.below, t.typtypmod FROM base b
		JOIN pg_type t ON t.typbasetype = b.oid AND t.typtype = 'd')
SELECT coalesce(json_agg(json_build_object(
	'id', n.nspname || '.' || c.relname, 'schema', n.nspname,
	'name', c.relname,
	'key', (SELECT json_agg(a.attname ORDER BY array_position(
				i.indkey::int2[], a.attnum))
			FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid
				AND a.attnum = ANY (i.indkey)
			WHERE i.indrelid = c.oid AND i.indisprimary),
	'columns', (SELECT json_agg(json_build_object('name', a.attname,
				'type', t.typname, 'element', et.typname,
				'typmod', CASE WHEN a.atttypmod = -1 THEN b.typmod
					ELSE a.atttypmod END) ORDER BY a.attnum)
			FROM pg_attribute a JOIN base b ON b.oid = a.atttypid
				JOIN pg_type t ON t.oid = b.below
				LEFT JOIN base eb ON eb.oid = t.typelem AND t.typlen = -1
					AND t.typcategory = 'A'
				LEFT JOIN pg_type et ON et.oid = eb.below
			WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
	) ORDER BY n.nspname, c.relname), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
	AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')
	AND n.nspname !~ '^pg_(toast|temp)'
SQL
	my %wanted = map { $_ => 1 } @{ $options->{tables} // [] };
	my $all = JSON::PP->new->decode($json);
	to_bytes($all);
	my $some = %wanted;
	my @tables = grep { !$some || delete $wanted{ $_->{id} } } @$all;

	croak('no such table: ' . join(', ', sort keys %wanted)) if %wanted;
	foreach my $table (@tables)
	{
		my %leave_out = map { $_ => 1 } @{ $options->{leave_out} // [] };
		$table->{columns} = [ grep { !$leave_out{"$table->{id}.$_->{name}"} }
			@{ $table->{columns} // [] } ];
		$_->{canonical} = {
			name => $_->{type},
			length => $_->{typmod},
			element => $_->{element} ? { name => $_->{element} } : undef
		  }
		  foreach @{ $table->{columns} };
	}
	return @tables;
}

# Else text that is joined with it would be taken for characters.
sub to_bytes
{
	foreach my $value (ref($_[0]) eq 'HASH' ? values %{ $_[0] } : @{ $_[0] })
	{
		if (ref($value))
		{
			to_bytes($value);
		}
		elsif (defined $value)
		{
			utf8::downgrade($value);
		}
	}
	return;
}

# What differs.
sub compare
{
	my ($source, $database, $server, $target_database, $table, $options) = @_;
	my ($there, $name) = target_name($table, $target_database, $options);
	my %types = map { lc($_->[0]) => lc($_->[1]) } $server->rows(undef,
		'SELECT column_name, data_type FROM information_schema.columns'
		  . ' WHERE table_schema = ' . mysql_literal($there)
		  . ' AND table_name = ' . mysql_literal($name));
	return "$table->{id} is not on the target as $there.$name"
	  unless %types;

	my @missing;
	foreach my $column (@{ $table->{columns} })
	{
		my $id = "$table->{id}.$column->{name}";
		$column->{target} = $options->{rename}{$id} // $column->{name};
		$column->{data_type} = $types{ lc($column->{target}) };
		push @missing, "$table->{id}: $column->{name} is not on the target"
		  unless defined $column->{data_type};
	}
	return @missing if @missing;

	my $expected = source_rows($source, $database, $table);
	my $found = target_rows($server, $there, $name, $table);
	return "$table->{id} has no rows to compare"
	  if !%$expected && !%$found && !$options->{allow_empty};
	return differences($table, $expected, $found);
}

sub target_name
{
	my ($table, $database, $options) = @_;
	my $other = $options->{rename}{ $table->{id} };

	return ($table->{schema}, $other // $table->{name})
	  if ($options->{schemas} // '') eq 'databases'
	  && $table->{schema} ne 'public';
	return ($database, $other // $table->{name})
	  if $table->{schema} eq 'public';
	return ($database, $other // "$table->{schema}__$table->{name}");
}

# By key, each { values => what the side says, forms => canonical forms }.
sub source_rows
{
	my ($source, $database, $table) = @_;
	my $columns = join(', ',
		map { pg_ident($_->{name}) } @{ $table->{columns} });
	# The last column ends the line where psql would take an end off.
	my $text = $source->safe_psql($database, <<"SQL");
SET client_encoding = 'UTF8';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET timezone = 'UTC';
SET bytea_output = 'hex';
SET extra_float_digits = 3;
SET lc_monetary = 'C';
COPY (SELECT $columns, '.' FROM @{[ pg_ident($table->{schema}) ]}.@{[ pg_ident($table->{name}) ]}) TO STDOUT;
SQL
	my %rows;
	foreach my $line (split(/\n/, $text))
	{
		my @values = map { copy_value($_) } split(/\t/, $line, -1);
		pop @values;
		row_add(\%rows, $table, [@values],
			[ map { canonical_source($_->{canonical}, shift @values) }
				@{ $table->{columns} } ]);
	}
	return \%rows;
}

sub target_rows
{
	my ($server, $database, $name, $table) = @_;
	my %rows;

	# A FLOAT shows six digits of those that it has.
	my $columns = join(', ',
		map {
			my $ident = mysql_ident($_->{target});
			$_->{data_type} eq 'float' ? "CAST($ident AS DOUBLE)" : $ident
		} @{ $table->{columns} });
	foreach my $row ($server->rows(undef, "SELECT $columns FROM "
			. mysql_ident($database) . '.' . mysql_ident($name)))
	{
		my @values = @$row;
		row_add(\%rows, $table, $row,
			[ map { canonical_target($_->{canonical}, shift @values,
						$_->{data_type}) } @{ $table->{columns} } ]);
	}
	return \%rows;
}

# Rows that are alike have a number each. One that comes twice under a key, too.
sub row_add
{
	my ($rows, $table, $values, $forms) = @_;
	my %form;
	@form{ map { $_->{name} } @{ $table->{columns} } } = @$forms;
	my @key = @form{ $table->{key} ? @{ $table->{key} } : () };
	@key = @$forms if !$table->{key} || grep { !defined } @key;
	my $key = join(', ', @key);
	my $number = 1;

	$number++ while exists $rows->{"$key#$number"};
	$rows->{"$key#$number"} = { values => $values, forms => $forms };
	return;
}

sub differences
{
	my ($table, $expected, $found) = @_;
	my @differences;

	foreach my $key (sort keys %$expected)
	{
		my $row = $expected->{$key};
		my $other = delete $found->{$key};
		my $name = "$table->{id} (" . key_shown($table, $row) . ')';
		if (!defined $other)
		{
			push @differences, "$name is not on the target";
			next;
		}
		foreach my $i (0 .. $#{ $row->{forms} })
		{
			next if $row->{forms}[$i] eq $other->{forms}[$i];
			push @differences, "$name: $table->{columns}[$i]{name} is "
			  . shown($row->{values}[$i]) . ' on the source, '
			  . shown($other->{values}[$i]) . ' on the target';
		}
	}
	push @differences, map
	{
		"$table->{id} (" . key_shown($table, $found->{$_})
		  . ') is only on the target'
	} sort keys %$found;
	return @differences;
}

sub key_shown
{
	my ($table, $row) = @_;
	my %value;
	@value{ map { $_->{name} } @{ $table->{columns} } } = @{ $row->{values} };
	my @key = @{ $table->{key} // [ map { $_->{name} } @{ $table->{columns} } ] };

	return join(', ', map { shown($value{$_}) =~ s/\A"(.*)"\z/$1/sr } @key);
}

# Of what is not text the hexadecimal digits.
sub shown
{
	my ($value) = @_;

	return 'NULL' unless defined $value;
	my $text = $value;
	return '0x' . unpack('H*', substr($value, 0, 40))
	  if $value =~ /[\x00-\x08\x0e-\x1f]/ || !utf8::decode($text);
	return '"' . (length($value) > 80 ? substr($value, 0, 80) . '...' : $value)
	  . '"';
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

sub pg_ident
{
	my ($name) = @_;
	$name =~ s/"/""/g;
	return "\"$name\"";
}

1;
