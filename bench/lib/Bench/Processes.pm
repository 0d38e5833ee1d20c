package Bench::Processes;

# What the processes of one run use, looked at while it runs: CPU seconds of
# walsenders, of the target's backends and of the applier, and the applier's
# memory.

use strict;
use warnings;

use List::Util qw(max sum0);
use POSIX ();
use Time::HiRes qw(time);

use Bench::Run;

use constant {
	POLL_S => 0.01,
	MEMORY_EVERY_S => 0.1,
	TICKS => POSIX::sysconf(POSIX::_SC_CLK_TCK()),
};

# Those who are there anyway, and are not at work for anybody in particular.
my $standing = qr/checkpointer|writer|walwriter|launcher|supervisor|archiver
	|stats|autovacuum|pglogical\ manager/x;

# source, target: Bench::Server.
sub new
{
	my ($class, %self) = @_;
	my $self = bless { %self, cpu => {}, memory => [], peak_kb => 0 }, $class;

	$self->look;
	$self->{before} = { map { %{ $self->{cpu}{$_} } } qw(walsender backend) };
	return $self;
}

# Look once, at the applier of this process id as well if there is one.
sub look
{
	my ($self, $applier) = @_;

	$self->look_at(walsender => grep { title($_) =~ /walsender/ }
		  children($self->{source}->pid));
	$self->look_at(backend => $self->{target}->can('has_threads')
		? $self->{target}->pid
		: grep { title($_) !~ $standing } children($self->{target}->pid));
	return unless defined $applier;
	$self->look_at(applier => $applier);
	$self->look_at_memory($applier);
	return;
}

sub look_at
{
	my ($self, $group, @pids) = @_;

	foreach my $pid (@pids)
	{
		my $cpu = $self->group_cpu($group, $pid) // next;
		$self->{cpu}{$group}{$pid} = $cpu;
	}
	$self->{cpu}{$group} //= {};
	return;
}

# The scheduler's count is of one thread only. That in stat is of all, also of
# those that have ended, and counts in ticks.
sub group_cpu
{
	my ($self, $group, $pid) = @_;

	return Bench::Run::process_cpu($pid)
	  if $group eq 'walsender'
	  || ($group eq 'backend' && !$self->{target}->can('has_threads'));
	my @fields = Bench::Run::process_stat($pid) or return undef;
	return ($fields[11] + $fields[12]) / TICKS;
}

sub look_at_memory
{
	my ($self, $pid) = @_;
	my $now = time();
	my ($last) = $self->{memory}[-1] // [0];

	return if $now - $last->[0] < MEMORY_EVERY_S;
	my $status = Bench::Run::slurp("/proc/$pid/status") // return;
	my ($resident) = $status =~ /^VmRSS:\s*(\d+)/m or return;
	my ($peak) = $status =~ /^VmHWM:\s*(\d+)/m;
	push @{ $self->{memory} }, [ $now, $resident ];
	$self->{peak_kb} = max($self->{peak_kb}, $peak);
	return;
}

# { walsender, backend, applier: CPU seconds; peak_mb; memory_mb: over time }
sub result
{
	my ($self) = @_;
	my %result = (
		peak_mb => $self->{peak_kb} / 1024,
		memory_mb => [ map { $_->[1] / 1024 } @{ $self->{memory} } ]);

	foreach my $group (qw(walsender backend applier))
	{
		my $cpu = $self->{cpu}{$group} // {};
		$result{$group} = sum0(
			map { $cpu->{$_} - ($self->{before}{$_} // 0) } keys %$cpu);
	}
	return \%result;
}

# Run a program to its end, looking at it. Croaks with its output if it fails.
sub watch
{
	my ($self, $log, @command) = @_;
	my $woken = 0;
	local $SIG{CHLD} = sub { $woken = 1 };
	my $pid = spawn($log, @command);

	while (waitpid($pid, POSIX::WNOHANG()) == 0)
	{
		$self->look($pid);
		select(undef, undef, undef, POLL_S) unless $woken;
	}
	return if $? == 0;
	die "$command[0] ended with " . ($? >> 8 || "signal $?") . ":\n"
	  . (Bench::Run::slurp($log) // '');
}

# Start a program whose output goes to a file.
sub spawn
{
	my ($log, @command) = @_;
	my $pid = fork() // die "fork: $!\n";

	return $pid if $pid;
	open(STDOUT, '>', $log) && open(STDERR, '>&', \*STDOUT)
	  && exec { $command[0] } @command;
	print STDERR "$command[0]: $!\n";
	POSIX::_exit(127);
}

sub title
{
	my ($pid) = @_;
	return Bench::Run::slurp("/proc/$pid/cmdline") // '';
}

# Not every kernel lists children; then all processes are looked through.
sub children
{
	my ($pid) = @_;
	my $list = Bench::Run::slurp("/proc/$pid/task/$pid/children");

	return split(' ', $list) if defined $list;
	return grep { ((Bench::Run::process_stat($_))[1] // 0) == $pid }
	  map { m{(\d+)\z} } glob('/proc/[0-9]*');
}

1;
