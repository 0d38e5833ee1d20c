package PortageMysqlSession;

=pod

=head1 NAME

PortageMysqlSession - one session of a MySQL or MariaDB server, spoken to directly

=head1 DESCRIPTION

The client's side of the protocol, as much of it as tests need: log in through
the server's socket, run statements, read rows byte by byte, tell NULL from
'NULL', see warnings and error numbers. It shares nothing with the client
libraries that the applier is built with.

=over

=item open($class, $socket, $user, $password, $database)

A session with utf8mb4 and UTC, whatever the server's defaults are. Dies with
what the server says: "error NUMBER (SQLSTATE): text".

=item run($self, $sql)

Run one statement and return C<< { columns, rows, affected, warnings } >>.
Columns are C<< { name, type, charset, flags } >>, numbers as in the protocol;
values are bytes, and undef is NULL. Dies like C<open>.

=item error($self, $sql)

The same for a statement that has to fail: the number of the error, 0 if there
was none.

=back

=cut

use strict;
use warnings;

use Carp;
use Digest::SHA ();
use IO::Socket::UNIX ();

# Capabilities: PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, TRANSACTIONS,
# FOUND_ROWS, LONG_PASSWORD, LONG_FLAG; CONNECT_WITH_DB where one is named.
use constant CAPABILITIES => 0x200 | 0x8000 | 0x80000 | 0x2000 | 0x2 | 0x1 | 0x4;
use constant WITH_DATABASE => 0x8;
use constant UTF8MB4 => 45;
use constant MAX_PACKET => 0xffffff;

sub open    ## no critic
{
	my ($class, $socket, $user, $password, $database) = @_;
	my $handle = IO::Socket::UNIX->new(Peer => $socket)
	  // croak("cannot connect to $socket: $!");
	my $self = bless { handle => $handle, sequence => 0 }, $class;

	my $greeting = $self->packet_read;
	raise($greeting) if ord($greeting) == 0xff;
	my ($version, undef, $salt, $more, $plugin) =
	  unpack('x Z* V a8 x x2 x x2 x2 x x10 a12 x Z*', $greeting);
	$self->{version} = $version;

	my $answer = pack('V V C x23 Z* C/a*',
		CAPABILITIES | (defined $database ? WITH_DATABASE : 0),
		0x40000000, UTF8MB4, $user,
		proof($plugin, $salt . $more, $password // ''));
	$answer .= pack('Z*', $database) if defined $database;
	$self->packet_write($answer . pack('Z*', $plugin));
	$self->log_in($password // '');

	$self->run('SET NAMES utf8mb4');
	$self->run(q{SET time_zone = '+00:00'});
	return $self;
}

# Until the server is satisfied. Through a socket a password may go as it is.
sub log_in
{
	my ($self, $password) = @_;

	while (1)
	{
		my $packet = $self->packet_read;
		my $kind = ord($packet);

		return if $kind == 0;
		raise($packet) if $kind == 0xff;
		if ($kind == 0xfe)
		{
			my ($plugin, $salt) = unpack('x Z* a20', $packet);
			$self->packet_write(proof($plugin, $salt, $password));
		}
		elsif ($packet eq "\x01\x04")
		{
			$self->packet_write("$password\0");
		}
	}
}

# What shows that one knows the password, without saying it.
sub proof
{
	my ($plugin, $salt, $password) = @_;

	return '' if $password eq '';
	if ($plugin eq 'caching_sha2_password')
	{
		my $once = Digest::SHA::sha256($password);
		return $once ^ Digest::SHA::sha256(
			Digest::SHA::sha256($once) . $salt);
	}
	my $once = Digest::SHA::sha1($password);
	return $once ^ Digest::SHA::sha1($salt . Digest::SHA::sha1($once));
}

sub run
{
	my ($self, $sql) = @_;
	my $result = { columns => [], rows => [], affected => 0, warnings => 0 };

	utf8::encode($sql) if utf8::is_utf8($sql);
	$self->{sequence} = 0;
	$self->packet_write("\x03$sql");
	my $packet = $self->packet_read;
	raise($packet) if ord($packet) == 0xff;
	if (ord($packet) == 0)
	{
		substr($packet, 0, 1, '');
		$result->{affected} = take_number(\$packet);
		take_number(\$packet);
		$result->{warnings} = unpack('x2 v', $packet);
		return $result;
	}

	my $columns = take_number(\$packet);
	push @{ $result->{columns} }, column($self->packet_read)
	  foreach 1 .. $columns;
	$self->packet_read;    # the end of the columns
	while (1)
	{
		$packet = $self->packet_read;
		raise($packet) if ord($packet) == 0xff;
		if (ord($packet) == 0xfe && length($packet) < 9)
		{
			$result->{warnings} = unpack('x v', $packet);
			return $result;
		}
		push @{ $result->{rows} },
		  [ map { take_string(\$packet) } 1 .. $columns ];
	}
}

sub error
{
	my ($self, $sql) = @_;

	return 0 if eval { $self->run($sql); 1 };
	return $1 if $@ =~ /\Aerror (\d+) /;
	croak($@);
}

sub close    ## no critic
{
	my ($self) = @_;
	return CORE::close($self->{handle});
}

sub column
{
	my ($packet) = @_;

	take_string(\$packet) foreach 1 .. 4;
	my %column = (name => take_string(\$packet));
	take_string(\$packet);
	@column{qw(charset type flags)} = unpack('x v x4 C v', $packet);
	return \%column;
}

sub raise
{
	my ($packet) = @_;
	my ($number, $rest) = unpack('x v a*', $packet);
	my $state = $rest =~ s/\A#(.{5})//s ? $1 : 'HY000';

	local $Carp::CarpLevel = $Carp::CarpLevel + 1;
	die "error $number ($state): $rest\n";
}

# A number or a string with its length in front; undef is NULL.
sub take_number
{
	my ($packet) = @_;
	my $first = ord(substr($$packet, 0, 1, ''));

	return $first if $first < 0xfb;
	return undef if $first == 0xfb;
	return unpack('v', substr($$packet, 0, 2, '')) if $first == 0xfc;
	return unpack('V', substr($$packet, 0, 3, '') . "\0") if $first == 0xfd;
	return unpack('Q<', substr($$packet, 0, 8, ''));
}

sub take_string
{
	my ($packet) = @_;
	my $length = take_number($packet);

	return defined $length ? substr($$packet, 0, $length, '') : undef;
}

# Long ones come and go in pieces, of which only the last is not full.
sub packet_read
{
	my ($self) = @_;
	my ($packet, $length) = ('', MAX_PACKET);

	while ($length == MAX_PACKET)
	{
		my $head = $self->bytes_read(4);
		$length = unpack('V', substr($head, 0, 3) . "\0");
		$self->{sequence} = (ord(substr($head, 3)) + 1) & 0xff;
		$packet .= $self->bytes_read($length);
	}
	return $packet;
}

sub bytes_read
{
	my ($self, $length) = @_;
	my $bytes = '';

	while (length($bytes) < $length)
	{
		my $got = sysread($self->{handle}, $bytes,
			$length - length($bytes), length($bytes));
		next if !defined $got && $!{EINTR};
		die "the server closed the connection\n" unless $got;
	}
	return $bytes;
}

sub packet_write
{
	my ($self, $packet) = @_;
	my $length;

	do
	{
		my $piece = substr($packet, 0, MAX_PACKET, '');
		$length = length($piece);
		my $bytes = substr(pack('V', $length), 0, 3)
		  . chr($self->{sequence}++ & 0xff) . $piece;
		while ($bytes ne '')
		{
			my $put = syswrite($self->{handle}, $bytes);
			next if !defined $put && $!{EINTR};
			die "the server closed the connection\n" unless $put;
			substr($bytes, 0, $put, '');
		}
	} while ($length == MAX_PACKET);
	return;
}

1;
