package Bench::Stream;

# A client of the streaming replication protocol, for reading each message of
# an output plugin as it was sent. pg_recvlogical puts a line feed behind each,
# which binary formats do not allow to tell from their own bytes.

use strict;
use warnings;

use Carp;
use IO::Socket::UNIX;

use constant PROTOCOL => 3 << 16;

# Hand every message of the slot up to and including $end (a number) to the
# function. %arguments: socket, user, database, settings, slot, options, end.
sub read_slot
{
	my ($class, $function, %arguments) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $arguments{socket})
	  // croak("connecting: $!");
	my $self = bless { socket => $socket, buffer => '', at => 0 }, $class;

	$self->start_up(%arguments);
	$self->start_streaming(%arguments);
	$self->stream($function, $arguments{end});
	$self->put('X', '');
	close($socket);
	return;
}

sub start_up
{
	my ($self, %arguments) = @_;
	my $body = pack('N', PROTOCOL) . join(
		'',
		map { "$_\0" } (
			user => $arguments{user},
			database => $arguments{database},
			replication => 'database',
			application_name => 'bench',
			options => $arguments{settings},
			''));

	$self->put_bytes(pack('N', length($body) + 4) . $body);
	while (1)
	{
		my ($tag, $message) = $self->get;
		last if $tag eq 'Z';
		croak('the server asks for a password')
		  if $tag eq 'R' && unpack('N', $message) != 0;
	}
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

sub put
{
	my ($self, $tag, $body) = @_;
	$self->put_bytes($tag . pack('N', length($body) + 4) . $body);
	return;
}

sub put_bytes
{
	my ($self, $bytes) = @_;

	while (length($bytes) > 0)
	{
		my $written = syswrite($self->{socket}, $bytes);
		croak("writing to the server: $!") unless defined $written;
		substr($bytes, 0, $written, '');
	}
	return;
}

# The next message that is not a notice or the like: tag and body.
sub get
{
	my ($self) = @_;

	while (1)
	{
		my ($tag, $length) = unpack('aN', $self->take(5));
		my $body = $self->take($length - 4);
		croak('the server says: ' . error_text($body)) if $tag eq 'E';
		return ($tag, $body) unless $tag =~ /[NSKA]/;
	}
}

sub take
{
	my ($self, $length) = @_;

	while (length($self->{buffer}) - $self->{at} < $length)
	{
		# What was taken is thrown away once per read, not once per message.
		substr($self->{buffer}, 0, $self->{at}, '');
		$self->{at} = 0;
		my $read = sysread($self->{socket}, $self->{buffer}, 1 << 20,
			length($self->{buffer}));
		croak("reading from the server: $!") unless defined $read;
		croak('the server closed the connection') if $read == 0;
	}
	my $bytes = substr($self->{buffer}, $self->{at}, $length);
	$self->{at} += $length;
	return $bytes;
}

sub error_text
{
	my ($body) = @_;
	my %fields = map { (substr($_, 0, 1) => substr($_, 1)) }
	  grep { length } split(/\0/, $body);

	return join(' ', grep { defined } @fields{qw(M D H)});
}

1;
