package Bench::Connection;

# A connection to a server in the frontend/backend protocol, over its Unix
# socket: for questions that are asked so often that a program for each would
# be what is measured.

use strict;
use warnings;

use Carp;
use IO::Socket::UNIX;

use constant PROTOCOL => 3 << 16;

# %arguments: socket, user, database, settings, replication (1: a walsender).
sub connect_to
{
	my ($class, %arguments) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $arguments{socket})
	  // croak("connecting: $!");
	my $self = bless { socket => $socket, buffer => '', at => 0 }, $class;

	$self->start_up(%arguments);
	return $self;
}

# The same to a Bench::Server, as whoever runs this.
sub to_server
{
	my ($class, $server, $database) = @_;
	return $class->connect_to(
		socket => $server->socket_path,
		user => scalar getpwuid($>),
		database => $database);
}

sub start_up
{
	my ($self, %arguments) = @_;
	my $body = pack('N', PROTOCOL) . join(
		'',
		map { "$_\0" } (
			user => $arguments{user},
			database => $arguments{database},
			$arguments{replication} ? (replication => 'database') : (),
			application_name => 'bench',
			options => $arguments{settings} // '',
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

# The first value of the last row of what a statement returns, or undef.
sub value
{
	my ($self, $statement) = @_;
	my ($value, $error);

	$self->put('Q', "$statement\0");
	while (1)
	{
		my ($tag, $body) = $self->get_any;
		last if $tag eq 'Z';
		$error //= error_text($body) if $tag eq 'E';
		next if $tag ne 'D' || unpack('n', $body) == 0;
		my $length = unpack('x2l>', $body);
		$value = $length < 0 ? undef : substr($body, 6, $length);
	}
	croak("$error: $statement") if defined $error;
	return $value;
}

sub disconnect
{
	my ($self) = @_;

	$self->put('X', '');
	close($self->{socket});
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
		my ($tag, $body) = $self->get_any;
		croak('the server says: ' . error_text($body)) if $tag eq 'E';
		return ($tag, $body) unless $tag =~ /[NSKA]/;
	}
}

sub get_any
{
	my ($self) = @_;
	my ($tag, $length) = unpack('aN', $self->take(5));

	return ($tag, $self->take($length - 4));
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
