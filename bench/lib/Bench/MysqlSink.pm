package Bench::MysqlSink;

# The changes behind a slot as a file for row_sink.c, which replays them with a
# statement for each row: see there.

use strict;
use warnings;

use Carp;
use FindBin;

use Bench::Rows;
use Bench::Run;
use Bench::Server;
use Bench::Stream;

use constant SLOT => 'sink';

# Write the changes up to $end; the slot is a copy of $slot. Only what a sink
# would have to guess is taken from the catalog: types and keys.
sub write_file
{
	my ($class, $pair, $database, $slot, $end, $path) = @_;
	my $self = bless {
		statements => {},
		lines => [],
		columns => columns($pair->source, $database),
		body => "$path.body"
	}, $class;
	my $reader = Bench::Rows::TestDecoding->new($self);

	open($self->{file}, '>', $self->{body}) || croak("$self->{body}: $!");
	$pair->copy_slot($database, $slot, SLOT, 'test_decoding');
	Bench::Stream->read_slot(
		sub { $reader->message($_[0]) },
		socket => $pair->source->socket_path,
		user => scalar getpwuid($>),
		database => $database,
		settings => Bench::Run::SETTINGS,
		slot => SLOT,
		options => [],
		end => Bench::Run::lsn_number($end));
	$pair->drop_slot(SLOT);
	close($self->{file}) || croak("$self->{body}: $!");

	# Statements come first, and are known last.
	open(my $file, '>', "$path.head") || croak("$path.head: $!");
	print $file @{ $self->{lines} };
	close($file) || croak("$path.head: $!");
	Bench::Server::run('sh', '-c', 'cat "$1.head" "$1.body" >"$1"', 'sh', $path);
	unlink("$path.head", "$path.body");
	return;
}

# { table => { column => { type, key } } }
sub columns
{
	my ($source, $database) = @_;
	my %columns;

	foreach my $line (split(/\n/, $source->sql($database, <<'SQL')))
SELECT c.relname, a.attname, t.typname, i.indexrelid IS NOT NULL
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	JOIN pg_type t ON t.oid = a.atttypid
	LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		AND a.attnum = ANY (i.indkey)
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
	AND NOT a.attisdropped
SQL
	{
		my ($table, $column, $type, $key) = split(/\|/, $line);
		$columns{$table}{$column} = { type => $type, key => $key eq 't' };
	}
	return \%columns;
}

# ---- what the reader calls

sub begin
{
	my ($self) = @_;
	$self->{rows} = 0;
	return;
}

sub commit
{
	my ($self) = @_;
	print { $self->{file} } "C\n" if $self->{rows};
	return;
}

sub change
{
	my ($self, $op, $table, $old, $new) = @_;
	my @values = map { [ split(/=/, $_, 2) ] } @{ $op eq 'D' ? $old : $new };

	$table =~ s/\Apublic\.// || croak("$table is not in public");
	croak("the key of a row of $table changes") if $op eq 'U' && @$old;
	my $statement = $self->{statements}{"$op $table"} //=
	  $self->statement($op, $table, map { $_->[0] } @values);
	my %value = map { $_->[0] => $_->[1] } @values;
	my $types = $self->{columns}{$table};

	print { $self->{file} } join("\t", 'R', $statement->{number},
		map { field($types->{$_}{type}, $value{$_}) } @{ $statement->{columns} }),
	  "\n";
	$self->{rows}++;
	return;
}

sub statement
{
	my ($self, $op, $table, @columns) = @_;
	my $known = $self->{columns}{$table};
	my @keys = grep { $known->{$_}{key} } @columns;
	my @others = grep { !$known->{$_}{key} } @columns;
	my $where = join(' AND ', map { "`$_` = ?" } @keys);
	my ($sql, @order);

	croak("$table has no key") if $op ne 'I' && !@keys;
	if ($op eq 'I')
	{
		@order = @columns;
		$sql = "INSERT INTO `$table` (" . join(', ', map { "`$_`" } @order)
		  . ') VALUES (' . join(', ', map { '?' } @order) . ')';
	}
	elsif ($op eq 'U')
	{
		@order = (@others, @keys);
		$sql = "UPDATE `$table` SET "
		  . join(', ', map { "`$_` = ?" } @others) . " WHERE $where";
	}
	else
	{
		@order = @keys;
		$sql = "DELETE FROM `$table` WHERE $where";
	}
	my $types = join('',
		map { $known->{$_}{type} =~ /\Aint\d\z/ ? 'i' : 's' } @order);
	push @{ $self->{lines} }, "S\t$types\t$sql\n";
	return { number => $#{ $self->{lines} }, columns => \@order };
}

sub field
{
	my ($type, $value) = @_;

	return '\\N' unless defined $value;
	return $value eq 'true' ? 1 : 0 if $type eq 'bool';
	$value =~ s/\+00\z// if $type eq 'timestamptz';
	$value =~ s/\\/\\\\/g;
	$value =~ s/\t/\\t/g;
	$value =~ s/\n/\\n/g;
	return $value;
}

# ---- the program

# Returns { transactions, rows, seconds }, what it says itself.
sub replay
{
	my ($class, $pair, $database, $path) = @_;
	my $program = $pair->folder . '/row_sink';

	if (!-x $program)
	{
		my $flags = Bench::Server::run('mysql_config', '--include', '--libs');
		Bench::Server::run('cc', '-O2', '-o', $program,
			"$FindBin::RealBin/row_sink.c", split(' ', $flags));
	}
	my $said = Bench::Server::run($program, $pair->target->socket_path, 'root',
		$database, $path);
	my %run;
	@run{qw(transactions rows seconds)} = split(' ', $said);
	return \%run;
}

1;
