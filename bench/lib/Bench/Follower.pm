package Bench::Follower;

# Somebody who follows a source that is being written to: pg_portage or a native
# subscription, from an empty target on.

use strict;
use warnings;

use Carp;
use POSIX ();
use Time::HiRes qw(sleep time);

use Bench::Connection;
use Bench::Pair;
use Bench::Processes;
use Bench::Run;

use constant {
	STOP_S => 60,
	LOG => 'follower.log',
};

my %titles = (native => 'native subscription', portage => 'pg_portage');

# pair; database; name: native or portage. The tables are in the source.
sub start
{
	my ($class, %self) = @_;
	my $self = bless { %self, owner => $$ }, $class;
	my $pair = $self->{pair};

	$pair->create($pair->target, $self->{database});
	$self->{processes} = $pair->processes;
	$self->{name} eq 'native' ? $self->start_native : $self->start_portage;
	return $self;
}

sub title
{
	my ($class, $name) = @_;
	return $titles{$name};
}

sub start_native
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my ($source, $target) =
	  map { join(' ', $_->address) . " $database" } $pair->source, $pair->target;
	my $from = 'host=' . $pair->source->folder . " dbname=$database";

	Bench::Server::run('sh', '-c',
		"pg_dump --schema-only --no-publications $source | psql -X -q $target >/dev/null");
	$pair->source->sql($database, 'DROP PUBLICATION IF EXISTS bench');
	$pair->source->sql($database, 'CREATE PUBLICATION bench FOR ALL TABLES');
	$pair->target->sql($database,
		"CREATE SUBSCRIPTION bench CONNECTION '$from' PUBLICATION bench WITH (slot_name = 'follower')");
	$pair->wait_until($pair->target, $database,
		"count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel");
	# where the worker that applies is, not those that copied
	$self->{applied} = q{SELECT remote_lsn - '0/0'::pg_lsn FROM pg_replication_origin_status o
		JOIN pg_subscription s ON o.external_id = 'pg_' || s.oid};
	return;
}

sub start_portage
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};
	my $log = $pair->folder . '/' . LOG;

	$self->{pid} =
	  Bench::Processes::spawn($log, $pair->portage_command($database, 'run'));
	# before that there is no schema of it to ask
	until ($pair->target->sql($database,
		"SELECT to_regclass('portage.progress') IS NOT NULL") eq 't')
	{
		$self->look;
		sleep(0.1);
	}
	$pair->wait_until($pair->target, $database,
		"phase = 'stream' FROM portage.progress", sub { $self->look });
	$self->{applied} = q{SELECT resume_lsn - '0/0'::pg_lsn FROM portage.progress};
	return;
}

# At its processes; croaks when the applier is gone.
sub look
{
	my ($self) = @_;

	if ($self->{pid} && waitpid($self->{pid}, POSIX::WNOHANG()) != 0)
	{
		delete $self->{pid};
		croak("pg_portage ended by itself:\n"
			  . Bench::Run::slurp($self->{pair}->folder . '/' . LOG));
	}
	$self->{processes}->look($self->{pid});
	return;
}

# Of the applier, over time, in MB.
sub memory
{
	my ($self) = @_;
	return @{ $self->{processes}->result->{memory_mb} };
}

# Bytes of WAL from what is committed on the source to what is applied, and
# where the source is.
sub lag
{
	my ($self) = @_;
	my ($pair, $database) = @$self{qw(pair database)};

	$self->{source} //= Bench::Connection->to_server($pair->source, $database);
	$self->{target} //= Bench::Connection->to_server($pair->target, $database);
	my $written = $self->{source}->value("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn");
	my $applied = $self->{target}->value($self->{applied}) // 0;
	$self->look;
	return ($written - $applied, $written);
}

# Everything that was committed until now.
sub catch_up
{
	my ($self, $seconds) = @_;
	my $pair = $self->{pair};
	my $deadline = time() + $seconds;

	$pair->source->sql($self->{database},
		"SELECT pg_logical_emit_message(true, 'portage.bench', 'end')");
	my $end = $pair->source->sql($self->{database},
		"SELECT pg_current_wal_flush_lsn()");
	my $state = $self->{name} eq 'native'
	  ? "slot_name = 'follower'"
	  : "slot_name LIKE 'portage%' AND database = '$self->{database}'";
	until ($pair->source->sql('postgres',
		"SELECT confirmed_flush_lsn >= '$end' FROM pg_replication_slots WHERE $state") eq 't')
	{
		return 0 if time() > $deadline;
		$self->look;
		sleep(0.1);
	}
	return 1;
}

# Returns what it used.
sub stop
{
	my ($self) = @_;
	my $pair = $self->{pair};

	$_->disconnect foreach grep { $_ } delete @$self{qw(source target)};
	$self->end_applier;
	my $usage = $self->{processes}->result;
	$pair->drop($pair->target, $self->{database});
	$pair->drop_slots($self->{database});
	return $usage;
}

sub end_applier
{
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;
	my $deadline = time() + STOP_S;

	kill('TERM', $pid);
	until (waitpid($pid, POSIX::WNOHANG()) != 0)
	{
		kill('KILL', $pid) if time() > $deadline;
		sleep(0.02);
	}
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($@, $!, $?);

	$self->end_applier if $self->{owner} == $$;
	return;
}

1;
