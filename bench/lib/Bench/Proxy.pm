package Bench::Proxy;

# A server that is some milliseconds away: delay_proxy.c before its socket.

use strict;
use warnings;

use Carp;
use FindBin;
use IPC::Open2 ();

use Bench::Server;

# folder, for the program; delay: ms each way; server.
sub new
{
	my ($class, %self) = @_;
	my $self = bless {%self}, $class;
	my $program = "$self->{folder}/delay_proxy";

	Bench::Server::run('cc', '-O2', '-o', $program,
		"$FindBin::RealBin/delay_proxy.c")
	  unless -x $program;
	$self->{pid} = IPC::Open2::open2(my $output, my $input, $program,
		$self->{delay}, $self->{server}->socket_path);
	$self->{input} = $input;
	my $port = <$output> // croak('the proxy does not start');
	chomp($self->{port} = $port);
	return $self;
}

sub url
{
	my ($self, $database) = @_;
	return "postgresql://127.0.0.1:$self->{port}/$database";
}

# It ends when its standard input does.
sub DESTROY
{
	my ($self) = @_;
	local ($@, $!, $?);

	close($self->{input}) if $self->{input};
	waitpid($self->{pid}, 0) if $self->{pid};
	return;
}

1;
