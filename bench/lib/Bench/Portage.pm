package Bench::Portage;

# A reader of the plugin's binary format, written from the layouts in
# plugin/wire.h and sharing no code with the plugin or the applier. It is
# strict: whatever is not in the layouts ends the run.

use strict;
use warnings;

use Carp;

use constant {
	MAGIC => 0x6F506750,
	BOOL => 16,            # type OIDs
	BYTEA => 17,
	MISSING => 0x40,       # flag of a column
	NULL => 0,             # states of a column
	UNCHANGED => 1,
	PRESENT => 2,
	ABSENT => 3,
};

my %records = (
	H => \&hello,
	R => \&relation,
	O => sub { },
	B => \&begin,
	C => \&commit,
	I => \&row,
	U => \&row,
	D => \&row,
	M => sub { });

# Changes are handed to $rows, a Bench::Rows.
sub new
{
	my ($class, $rows) = @_;
	return bless {
		rows => $rows,
		relations => {},
		greeted => 0,
		nrows => 0
	}, $class;
}

# One frame: whole records and nothing else.
sub message
{
	my ($self, $frame) = @_;
	my $at = 0;

	croak('an empty frame') if $frame eq '';
	while ($at < length($frame))
	{
		croak('a frame ends within a record') if length($frame) - $at < 5;
		my ($tag, $length) = unpack('aV', substr($frame, $at, 5));
		croak('a record is longer than its frame')
		  if $length > length($frame) - $at - 5;
		my $handler = $records{$tag} // croak("unexpected record \"$tag\"");
		croak('the stream does not begin with a hello')
		  if $self->{greeted} != ($tag ne 'H');
		$handler->($self, substr($frame, $at + 5, $length), $tag);
		$at += 5 + $length;
	}
	return;
}

sub hello
{
	my ($self, $body) = @_;
	my ($magic, $version) = unpack('Vv', $body);

	croak('not a stream of pg_portage') if $magic != MAGIC;
	croak("protocol version $version is not known") if $version != 1;
	$self->{greeted} = 1;
	return;
}

sub relation
{
	my ($self, $body) = @_;
	my $id = unpack('V', $body);
	my $at = 14;
	my ($schema, $table) = (string($body, \$at), string($body, \$at));
	my @columns;

	string($body, \$at) foreach 1 .. 2;
	my $ncolumns = unpack('v', bytes($body, \$at, 2));
	foreach (1 .. $ncolumns)
	{
		my ($flags, $type, $base_type) =
		  unpack('x2CxVV', bytes($body, \$at, 16));
		push @columns,
		  {
			name => string($body, \$at),
			is_bool => $type == BOOL,
			is_bytea => $base_type == BYTEA
		  };
		string($body, \$at) foreach 1 .. ($flags & MISSING ? 3 : 2);
	}
	croak('bytes behind a relation') if $at != length($body);
	$self->{relations}{$id} =
	  { name => "$schema.$table", columns => \@columns };
	return;
}

sub begin
{
	my ($self, $body) = @_;

	croak('a begin of the wrong length') if length($body) != 22;
	my $xid = unpack('V', $body);
	$self->{nrows} = 0;
	$self->{rows}->begin($xid);
	return;
}

sub commit
{
	my ($self, $body) = @_;

	croak('a commit of the wrong length') if length($body) != 36;
	my $nrows = unpack('x24Q<', $body);
	croak("a commit says $nrows rows, $self->{nrows} came")
	  if $nrows != $self->{nrows};
	$self->{rows}->commit;
	return;
}

sub row
{
	my ($self, $body, $op) = @_;
	my ($id, $kind) = unpack('VC', $body);
	my $relation = $self->{relations}{$id}
	  // croak("relation $id was not announced");
	my $at = 5;

	croak("old values of kind $kind with $op")
	  if $kind > 2 || ($op eq 'I' && $kind != 0) || ($op eq 'D' && $kind == 0);
	my $old = $kind ? tuple($relation, $body, \$at, 1) : [];
	my $new = $op eq 'D' ? [] : tuple($relation, $body, \$at, 0);
	croak('bytes behind a row') if $at != length($body);
	$self->{nrows}++;
	$self->{rows}->change($op, $relation->{name}, $old, $new);
	return;
}

# The columns of a tuple as Bench::Rows wants them.
sub tuple
{
	my ($relation, $body, $at, $skip_nulls) = @_;
	my $columns = $relation->{columns};
	my $states = bytes($body, $at, int((@$columns + 3) / 4));
	my @values;

	for (my $i = 0; $i < @$columns; $i++)
	{
		my $column = $columns->[$i];
		# The lowest bits are the first column's.
		my $state = vec($states, $i, 2);
		if ($state == PRESENT)
		{
			my $value = string($body, $at);
			if ($column->{is_bool})
			{
				$value = { t => 'true', f => 'false' }->{$value}
				  // croak("\"$value\" as a boolean");
			}
			elsif ($column->{is_bytea})
			{
				$value = '\\x' . unpack('H*', $value);
			}
			push @values, "$column->{name}=$value";
		}
		elsif ($state == UNCHANGED)
		{
			push @values, "$column->{name} unchanged";
		}
		elsif ($state == NULL && !$skip_nulls)
		{
			push @values, $column->{name};
		}
	}
	return \@values;
}

sub bytes
{
	my ($body, $at, $length) = @_;

	croak('a record ends within a value')
	  if $length > length($body) - $$at;
	my $bytes = substr($body, $$at, $length);
	$$at += $length;
	return $bytes;
}

# Length as unsigned LEB128, and that many bytes.
sub string
{
	my ($body, $at) = @_;
	my ($length, $shift) = (0, 0);

	while (1)
	{
		my $byte = ord(bytes($body, $at, 1));
		$length |= ($byte & 0x7F) << $shift;
		last if $byte < 0x80;
		$shift += 7;
		croak('a length of more than 32 bits') if $shift > 28;
	}
	return bytes($body, $at, $length);
}

1;
