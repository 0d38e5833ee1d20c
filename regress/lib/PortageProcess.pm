package PortageProcess;

=pod

=head1 NAME

PortageProcess - a program in the background, and waiting for a condition

=head1 DESCRIPTION

What C<portage_start> and C<pgbench_start> of PortageTest return. Nothing that
was started outlives the test, however that ends.

=over

=item wait_for($condition, $what, $timeout = 180)

Call the condition until it is true and return what it returned; die naming
$what when it was not within $timeout seconds. They are no part of what a test
asserts: a machine may be slow and busy, and nobody waits when all is well.

=item start($class, $environment, @command)

With these variables beside its own; the output goes to files.

=item start_as($class, $name, $environment, @command)

The same for a command that should go by another name, in names of files and in
messages, than that of its program.

=item pid, running, stdout, stderr

What they say, at any time.

=item state

The letter that the system has for it: T while it is stopped.

=item signal($signal), term, kill9

To this process alone; the last one waits for its end.

=item signal_taken($signal)

The same, and wait until it is not pending any more: two that are pending at the
same time would be one.

=item wait_exit($timeout = 180)

Its end, C<< { rc, signal } >>; a process that goes on is killed and the test
dies.

=back

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use POSIX ();
use PostgreSQL::Test::Cluster ();    # its servers end after our processes
use PostgreSQL::Test::Utils ();
use Time::HiRes ();

our @EXPORT = qw(wait_for);

my @processes;
my $started = 0;

sub wait_for
{
	my ($condition, $what, $timeout) = @_;
	$timeout //= 180;
	my $deadline = Time::HiRes::time() + $timeout;
	my $pause = 0.01;

	while (1)
	{
		my $result = $condition->();
		return $result if $result;
		croak("gave up after $timeout s waiting for $what")
		  if Time::HiRes::time() > $deadline;
		select(undef, undef, undef, $pause);
		$pause *= 1.5 if $pause < 0.2;
	}
}

sub start
{
	my ($class, $environment, @command) = @_;
	return $class->start_as($command[0] =~ s{.*/}{}r, $environment, @command);
}

sub start_as
{
	my ($class, $program, $environment, @command) = @_;
	my $log = sprintf('%s/%s_%s_%d', $PostgreSQL::Test::Utils::log_path,
		$PostgreSQL::Test::Utils::test_logfile =~ s{.*regress_log_}{}r,
		$program, ++$started);
	my $self = bless {
		out => "$log.out",
		err => "$log.err",
		name => $program,
		end => undef
	}, $class;

	# They are there before it runs: somebody may look at once.
	PostgreSQL::Test::Utils::append_to_file($_, '')
	  foreach @{$self}{qw(out err)};
	my $pid = fork() // croak("fork: $!");
	if ($pid == 0)
	{
		# A fresh group: signals of a terminal are not for the child.
		POSIX::setpgid(0, 0);
		@ENV{ keys %$environment } = values %$environment;
		$ENV{PGAPPNAME} = $program;
		open(STDIN, '<', '/dev/null')
		  && open(STDOUT, '>', $self->{out})
		  && open(STDERR, '>', $self->{err})
		  && exec { $command[0] } @command;
		print STDERR "cannot run $command[0]: $!\n";
		POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	push @processes, $self;
	return $self;
}

sub pid
{
	my ($self) = @_;
	return $self->{pid};
}

sub running
{
	my ($self) = @_;
	$self->reap(POSIX::WNOHANG());
	return !defined $self->{end};
}

# Only a process that was not waited for still owns its number.
sub signal
{
	my ($self, $signal) = @_;
	return 0 unless $self->running;
	return kill($signal, $self->{pid});
}

sub term
{
	my ($self) = @_;
	return $self->signal('TERM');
}

sub kill9
{
	my ($self) = @_;
	$self->signal('KILL');
	$self->reap(0);
	return $self->{end};
}

sub wait_exit
{
	my ($self, $timeout) = @_;
	my $name = $self->{name};

	$timeout //= 180;
	my $in_time =
	  eval { wait_for(sub { !$self->running }, $name, $timeout) };
	if (!$in_time)
	{
		my $written = $self->stderr;
		$self->kill9;
		croak("$name was still running after $timeout s; it wrote:\n$written");
	}
	return $self->{end};
}

sub state
{
	my ($self) = @_;
	my $stat = PostgreSQL::Test::Utils::slurp_file("/proc/$self->{pid}/stat");
	return $stat =~ /\) (\S) / ? $1 : '?';
}

sub signal_taken
{
	my ($self, $signal) = @_;

	$self->signal($signal);
	wait_for(
		sub {
			PostgreSQL::Test::Utils::slurp_file("/proc/$self->{pid}/status") =~
			  /^ShdPnd:\s*0+$/m;
		},
		'it to take the signal');
	return;
}

sub stdout
{
	my ($self) = @_;
	return PostgreSQL::Test::Utils::slurp_file($self->{out});
}

sub stderr
{
	my ($self) = @_;
	return PostgreSQL::Test::Utils::slurp_file($self->{err});
}

sub reap
{
	my ($self, $flags) = @_;

	return if defined $self->{end};
	local $?;
	my $pid = waitpid($self->{pid}, $flags);
	return if $pid == 0;
	$self->{end} =
	  $pid == $self->{pid}
	  ? { rc => $? >> 8, signal => $? & 127 }
	  : { rc => -1, signal => 0 };
	$self->{end}{rc} = 128 + $self->{end}{signal} if $self->{end}{signal};
	return;
}

END
{
	my $status = $?;

	$_->kill9 foreach grep { $_->running } @processes;
	$? = $status;
}

1;
