package Bench::Rows;

# What the output of a plugin says, read independently of the plugin's code:
# the number of inserts, updates and deletes, and for two of the formats (ours,
# in Bench::Portage, and test_decoding's) a digest of every value of every
# change, in order, with the transactions they are in.
#
# The text that is digested has one line for each change:
#
#   OP schema.table old NAME=VALUE ... new NAME=VALUE ...
#
# with separators that are not in the data. NULL has no "=VALUE"; old NULLs are
# left out, because test_decoding does not show them. A transaction without
# changes leaves nothing.

use strict;
use warnings;

use Carp;
use Digest::SHA;

use Bench::Portage;

use constant {
	FIELD => "\x1f",
	MARK_EVERY => 1000,    # changes between two marks that can be compared
};

my %readers = (
	portage => sub { Bench::Portage->new($_[0]) },
	test_decoding => sub { Bench::Rows::TestDecoding->new($_[0]) },
	first_byte => sub { Bench::Rows::Counter->new($_[0], \&first_byte) },
	wal2json => sub { Bench::Rows::Counter->new($_[0], \&wal2json) },
	decoderbufs => sub { Bench::Rows::Counter->new($_[0], \&decoderbufs) });

# $reader is the name of a format above.
sub new
{
	my ($class, $reader) = @_;
	my $self = bless {
		bytes => 0,
		messages => 0,
		counts => { I => 0, U => 0, D => 0 },
		transactions => 0,
		sha => Digest::SHA->new(256),
		since_mark => 0,
		marks => [],
	}, $class;

	$self->{reader} =
	  ($readers{$reader} // croak("no reader \"$reader\""))->($self);
	$self->{digested} = $reader eq 'portage' || $reader eq 'test_decoding';
	return $self;
}

# One message, as the plugin wrote it.
sub message
{
	my ($self, $message) = @_;

	$self->{bytes} += length($message);
	$self->{messages}++;
	$self->{reader}->message($message);
	return;
}

# For readers. $old and $new are lists of NAME=VALUE.
sub change
{
	my ($self, $op, $table, $old, $new) = @_;

	$self->{counts}{$op}++;
	if (!$self->{open})
	{
		$self->{open} = 1;
		$self->{sha}->add("BEGIN $self->{xid}\n");
	}
	$self->{sha}->add(join(FIELD, $op, $table, 'old', @$old, 'new', @$new),
		"\n");
	if (++$self->{since_mark} == MARK_EVERY)
	{
		$self->{since_mark} = 0;
		push @{ $self->{marks} }, $self->{sha}->clone->hexdigest;
	}
	return;
}

sub count
{
	my ($self, $op) = @_;
	$self->{counts}{$op}++;
	return;
}

sub begin
{
	my ($self, $xid) = @_;

	croak('a transaction begins inside of another') if defined $self->{xid};
	$self->{xid} = $xid;
	$self->{open} = 0;
	return;
}

sub commit
{
	my ($self) = @_;

	croak('a commit without a transaction') unless defined $self->{xid};
	if ($self->{open})
	{
		$self->{sha}->add("COMMIT\n");
		$self->{transactions}++;
	}
	$self->{xid} = undef;
	return;
}

# The result: bytes, messages, counts, and digest, if there is one.
sub finish
{
	my ($self) = @_;

	croak('the last transaction has no end') if defined $self->{xid};
	return {
		bytes => $self->{bytes},
		messages => $self->{messages},
		counts => $self->{counts},
		$self->{digested}
		? (
			transactions => $self->{transactions},
			digest => $self->{sha}->hexdigest,
			marks => $self->{marks})
		: ()
	};
}

# Where two results begin to differ, in words; nothing if they do not.
sub difference
{
	my ($class, $one, $other) = @_;

	return if $one->{digest} eq $other->{digest};
	my ($marks, $others) = ($one->{marks}, $other->{marks});
	my $same = 0;
	$same++
	  while $same < @$marks
	  && $same < @$others
	  && $marks->[$same] eq $others->[$same];
	return sprintf('changes differ, the first of them among number %d to %d',
		$same * MARK_EVERY + 1, ($same + 1) * MARK_EVERY);
}

# ------------------------------------------------------------ counting only

# pgoutput and pglogical: the type of the message.
sub first_byte
{
	my ($message) = @_;
	return substr($message, 0, 1);
}

sub wal2json
{
	my ($message) = @_;
	return $message =~ /\A\{"action":"(\w)"/ ? $1 : croak('not wal2json');
}

# Field 4 of the outermost protobuf message, an enumeration.
sub decoderbufs
{
	my ($message) = @_;
	my @ops = qw(I U D B C);
	my $at = 0;

	while ($at < length($message))
	{
		my $key = varint($message, \$at);
		my ($field, $type) = ($key >> 3, $key & 7);
		if ($type == 0)
		{
			my $value = varint($message, \$at);
			return $ops[$value] // '?' if $field == 4;
		}
		elsif ($type == 2)
		{
			$at += varint($message, \$at);
		}
		else
		{
			$at += $type == 1 ? 8 : $type == 5 ? 4 : croak('not protobuf');
		}
	}
	croak('a message of decoderbufs without operation');
}

sub varint
{
	my ($bytes, $at) = @_;
	my ($value, $shift) = (0, 0);

	while (1)
	{
		my $byte = ord(substr($bytes, $$at++, 1));
		$value |= ($byte & 0x7F) << $shift;
		return $value if $byte < 0x80;
		$shift += 7;
		croak('a number of more than 64 bits') if $shift > 63;
	}
}

package Bench::Rows::Counter;

sub new
{
	my ($class, $rows, $kind) = @_;
	return bless { rows => $rows, kind => $kind }, $class;
}

sub message
{
	my ($self, $message) = @_;
	my $kind = $self->{kind}->($message);

	$self->{rows}->count($kind) if $kind =~ /\A[IUD]\z/;
	return;
}

package Bench::Rows::TestDecoding;

use Carp;

my $name = qr/"(?:[^"]++|"")*+"|[^\s.:"\[]++/;

sub new
{
	my ($class, $rows) = @_;
	return bless { rows => $rows }, $class;
}

sub message
{
	my ($self, $message) = @_;
	my $rows = $self->{rows};

	if ($message =~ /\Atable ($name)\.($name): (INSERT|UPDATE|DELETE):/gc)
	{
		my ($schema, $table, $word) = (unquote($1), unquote($2), $3);
		my $op = substr($word, 0, 1);
		my $with_old = $message =~ /\G old-key:/gc;
		my $first = columns(\$message, $op eq 'D' || $with_old);
		my $new = [];

		if ($with_old)
		{
			$message =~ /\G new-tuple:/gc || croak("no new tuple: $message");
			$new = columns(\$message, 0);
		}
		croak(unreadable($message)) if pos($message) != length($message);
		$rows->change($op, "$schema.$table",
			  $with_old ? ($first, $new)
			: $op eq 'D' ? ($first, [])
			: ([], $first));
	}
	elsif ($message =~ /\ABEGIN (\d+)\z/)
	{
		$rows->begin($1);
	}
	elsif ($message =~ /\ACOMMIT \d+\z/)
	{
		$rows->commit;
	}
	elsif ($message !~ /\Amessage: /)
	{
		croak(unreadable($message));
	}
	return;
}

sub unreadable
{
	my ($message) = @_;
	return 'cannot read: ' . substr($message, 0, 200);
}

# The columns from where the last match ended.
sub columns
{
	my ($text, $skip_nulls) = @_;
	my @columns;

	while (
		$$text =~ m{\G[ ]($name)\[(?:[^\[\]]++|\[\])*+\]:
			(?:B?'((?:[^']++|'')*+)'|([^\s']++))}gcx)
	{
		my ($column, $quoted, $plain) = ($1, $2, $3);
		if (defined $quoted)
		{
			$quoted =~ s/''/'/g;
			push @columns, unquote($column) . "=$quoted";
		}
		elsif ($plain eq 'unchanged-toast-datum')
		{
			push @columns, unquote($column) . ' unchanged';
		}
		elsif ($plain ne 'null')
		{
			push @columns, unquote($column) . "=$plain";
		}
		elsif (!$skip_nulls)
		{
			push @columns, unquote($column);
		}
	}
	return \@columns;
}

sub unquote
{
	my ($identifier) = @_;

	return $identifier unless $identifier =~ s/\A"(.*)"\z/$1/s;
	$identifier =~ s/""/"/g;
	return $identifier;
}

1;
