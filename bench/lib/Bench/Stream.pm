package Bench::Stream;

# A client of the streaming replication protocol, for reading each message of
# an output plugin as it was sent. pg_recvlogical puts a line feed behind each,
# which binary formats do not allow to tell from their own bytes.

use strict;
use warnings;

use Carp;

use Bench::Connection;
use parent -norequire, 'Bench::Connection';

# Hand every message of the slot up to and including $end (a number) to the
# function. %arguments: socket, user, database, settings, slot, options, end.
sub read_slot
{
	my ($class, $function, %arguments) = @_;
	my $self = $class->connect_to(%arguments, replication => 1);

	$self->start_streaming(%arguments);
	$self->stream($function, $arguments{end});
	$self->disconnect;
	return;
}

sub start_streaming
{
	my ($self, %arguments) = @_;
	my @options = map {
		my ($name, $value) = @$_;
		$value =~ s/'/''/g;
		qq{"$name" '$value'}
	} @{ $arguments{options} };
	my $command = qq{START_REPLICATION SLOT "$arguments{slot}" LOGICAL 0/0};

	$command .= ' (' . join(', ', @options) . ')' if @options;
	$self->put('Q', "$command\0");
	while (1)
	{
		my ($tag) = $self->get;
		last if $tag eq 'W';
	}
	return;
}

# Ends like pg_recvlogical: at what lies behind $end, or when the server says
# that it has got there. The server must not be waiting for replies.
sub stream
{
	my ($self, $function, $end) = @_;

	while (1)
	{
		my ($tag, $message) = $self->get;
		croak("unexpected message \"$tag\" while streaming") if $tag ne 'd';
		my ($kind, $first, $second) = unpack('aQ>Q>', $message);
		if ($kind eq 'k')
		{
			last if $first >= $end;
			$self->reply($first) if unpack('x17C', $message);
		}
		elsif ($kind eq 'w')
		{
			last if $first > $end;
			$function->(substr($message, 25));
		}
		else
		{
			croak("unexpected kind of data \"$kind\"");
		}
	}
	return;
}

# Written, but neither flushed nor applied: the slot stays where it is.
sub reply
{
	my ($self, $position) = @_;
	$self->put('d', pack('aQ>Q>Q>Q>C', 'r', $position, 0, 0, 0, 0));
	return;
}

1;
