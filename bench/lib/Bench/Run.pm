package Bench::Run;

# One contender reads one backlog, by the clock or for its contents, each time
# through a fresh copy of the same slot.

use strict;
use warnings;

use Carp;
use List::Util qw(max);
use POSIX ();
use Time::HiRes qw(time);

use Bench::Rows;
use Bench::Stream;
use Bench::Server;

use constant {
	SLOT => 'bench_run',
	BASE_SLOT => 'bench_base',
	POLL => 0.004,
	DISTURBED => 0.15,
};

# Text output must not depend on the server's settings, and the binary format
# of pg_portage insists on these. They are the same for everybody.
use constant SETTINGS => join(
	' ',
	map { "-c $_" } (
		'datestyle=ISO', 'intervalstyle=postgres',
		'extra_float_digits=3', 'bytea_output=hex',
		'timezone=UTC', 'lc_monetary=C',
		'search_path=pg_catalog'));

my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $cores = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;

# The slot that all the others are copies of.
sub create_base_slot
{
	my ($server, $database) = @_;

	$server->sql($database,
		"SELECT pg_create_logical_replication_slot('@{[BASE_SLOT]}',"
		  . q{ 'test_decoding')});
	return;
}

sub drop_base_slot
{
	my ($server, $database) = @_;

	$server->sql($database,
		"SELECT pg_drop_replication_slot('@{[BASE_SLOT]}')");
	return;
}

# Throughput, by the clock, while the machine has nothing else to do if that
# can be had: as long as $patience (a reference to seconds) lasts, wait for that
# before the run, and repeat the run if somebody else came in between. Which
# one counts is decided by the disturbance alone, never by the figure.
sub undisturbed
{
	my ($patience, @arguments) = @_;
	my $best;

	while (1)
	{
		my $start = time();
		while ($$patience > time() - $start && share_in_use() > DISTURBED) { }
		$$patience -= time() - $start;

		$start = time();
		my $run = clocked(@arguments);
		$$patience -= time() - $start if $best;
		$best = $run if !$best || $run->{others} < $best->{others};
		return $best if $best->{others} <= DISTURBED || $$patience <= 0;
	}
}

# The share of the machine that is in use, looked at for a moment.
sub share_in_use
{
	my ($before, $start) = (machine_busy(), time());

	select(undef, undef, undef, 0.3);
	return (machine_busy() - $before) / ((time() - $start) * $cores);
}

# One run: pg_recvlogical to /dev/null. Returns what it took: wall, cpu (of the
# walsender), receiver_cpu in seconds, and others: the share of the machine
# that somebody else used meanwhile.
#
# The walsender's CPU is known in two ways, neither of which says too much. Its
# own account is exact but was last read a moment before it went. What the
# postmaster's ended children used in all is complete but counts in ticks.
sub clocked
{
	my ($server, $database, $contender, $end) = @_;

	copy_slot($server, $database, $contender);
	my $ended_before = ended_children_cpu($server);
	my %walsender_before = map { $_ => 1 } walsenders($server);
	my $woken = 0;
	local $SIG{CHLD} = sub { $woken = 1 };
	my @cpu_before = (times)[ 0 .. 3 ];
	my $machine_before = machine_busy();
	my $start = time();

	my $pid = start_receiver($server, $database, $contender, $end);
	my ($walsender, $cpu) = (undef, 0);
	my $status;
	while (1)
	{
		if (waitpid($pid, POSIX::WNOHANG()) == $pid)
		{
			$status = $?;
			last;
		}
		$walsender //= (grep { !$walsender_before{$_} } walsenders($server))[0];
		$cpu = process_cpu($walsender) // $cpu if defined $walsender;
		select(undef, undef, undef, POLL) unless $woken;
	}
	my $wall = time() - $start;

	my @cpu = (times)[ 0 .. 3 ];
	croak($contender->name . ': pg_recvlogical failed: '
		  . slurp(receiver_log($server)))
	  if $status != 0;
	select(undef, undef, undef, POLL)
	  while grep { !$walsender_before{$_} } walsenders($server);
	my $busy = machine_busy() - $machine_before;
	my $ended = ended_children_cpu($server) - $ended_before;
	$cpu = max($cpu, $ended - 1 / $ticks);
	drop_slot($server, $database);
	my $receiver = $cpu[2] + $cpu[3] - $cpu_before[2] - $cpu_before[3];
	my $self = $cpu[0] + $cpu[1] - $cpu_before[0] - $cpu_before[1];
	my $others = ($busy - $cpu - $receiver - $self) / ($wall * $cores);
	return {
		wall => $wall,
		cpu => $cpu,
		receiver_cpu => $receiver,
		others => max($others, 0)
	};
}

# Contents: what Bench::Rows makes of them.
sub contents
{
	my ($server, $database, $contender, $end) = @_;
	my $rows = Bench::Rows->new($contender->reader);

	copy_slot($server, $database, $contender);
	my $done = eval {
		Bench::Stream->read_slot(
			sub { $rows->message($_[0]) },
			socket => $server->socket_path,
			user => scalar getpwuid($>),
			database => $database,
			settings => SETTINGS,
			slot => SLOT,
			options => [ $contender->options ],
			end => lsn_number($end));
		1;
	};
	my $error = $@;
	drop_slot($server, $database);
	croak($error) unless $done;
	return $rows->finish;
}

sub copy_slot
{
	my ($server, $database, $contender) = @_;

	$server->sql($database,
		"SELECT pg_copy_logical_replication_slot('@{[BASE_SLOT]}',"
		  . " '@{[SLOT]}', false, '@{[$contender->plugin]}')");
	return;
}

# The walsender may still be about to let go of it.
sub drop_slot
{
	my ($server, $database) = @_;

	foreach (1 .. 100)
	{
		my $active = $server->sql($database,
			'SELECT active FROM pg_replication_slots'
			  . " WHERE slot_name = '@{[SLOT]}'");
		if ($active ne 't')
		{
			$server->sql($database,
				"SELECT pg_drop_replication_slot('@{[SLOT]}')");
			return;
		}
		select(undef, undef, undef, 0.1);
	}
	croak('the slot stays in use');
}

sub start_receiver
{
	my ($server, $database, $contender, $end) = @_;
	my @command = (
		'pg_recvlogical', '--start', '--no-loop', '--slot', SLOT,
		'--file', '/dev/null', '--endpos', $end, '--dbname', $database,
		$server->address,
		map { ('--option', "$_->[0]=$_->[1]") } $contender->options);

	my $pid = fork() // croak("fork: $!");
	return $pid if $pid;
	$ENV{PGOPTIONS} = SETTINGS;
	open(STDERR, '>', receiver_log($server));
	exec { $command[0] } @command or print STDERR "$command[0]: $!\n";
	POSIX::_exit(127);
}

# Some plugins are talkative; what they say matters if the receiver fails.
sub receiver_log
{
	my ($server) = @_;
	return $server->folder . '/receiver.log';
}

# Process ids of the server's walsenders. Titles are theirs to choose, and other
# servers may be about: they are the postmaster's children.
sub walsenders
{
	my ($server) = @_;
	my $postmaster = $server->pid;

	opendir(my $directory, '/proc') || croak("/proc: $!");
	my @pids = grep { /\A\d+\z/ && -o "/proc/$_" } readdir($directory);
	closedir($directory);
	return grep {
		((process_stat($_))[1] // 0) == $postmaster
		  && (slurp("/proc/$_/cmdline") // '') =~ /walsender/
	} @pids;
}

# CPU seconds that a process has used; undef when it is gone. The scheduler's
# own count has nanoseconds, that of stat has clock ticks.
sub process_cpu
{
	my ($pid) = @_;
	my $scheduler = slurp("/proc/$pid/schedstat");

	return (split(' ', $scheduler))[0] / 1e9 if $scheduler;
	my @fields = process_stat($pid) or return undef;
	return ($fields[11] + $fields[12]) / $ticks;
}

# CPU seconds of all children of the postmaster that have ended.
sub ended_children_cpu
{
	my ($server) = @_;
	my @fields = process_stat($server->pid)
	  or croak('the server is gone');
	return ($fields[13] + $fields[14]) / $ticks;
}

# The fields of stat from the state on, or nothing.
sub process_stat
{
	my ($pid) = @_;
	my $stat = slurp("/proc/$pid/stat") // return;
	return split(' ', $stat =~ s/\A.*\)//sr);
}

# CPU seconds of all processes on the machine.
sub machine_busy
{
	my ($user, $nice, $system, undef, undef, $irq, $softirq) =
	  (split(' ', slurp('/proc/stat')))[ 1 .. 7 ];
	return ($user + $nice + $system + $irq + $softirq) / $ticks;
}

sub machine_cores
{
	return $cores;
}

sub slurp
{
	my ($path) = @_;

	open(my $file, '<', $path) || return undef;
	local $/;
	return scalar <$file>;
}

sub lsn_number
{
	my ($lsn) = @_;
	my ($high, $low) = map { hex } split(m{/}, $lsn);
	return $high << 32 | $low;
}

1;
