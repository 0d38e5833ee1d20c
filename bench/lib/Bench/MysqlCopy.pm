package Bench::MysqlCopy;

# The rows of one table, from a database without any to all of them in MariaDB,
# by pg_portage with one and with two jobs, and by the fastest that the server's
# own client offers.

use strict;
use warnings;

use Carp;
use POSIX ();
use Time::HiRes qw(time);

use Bench::MysqlContents;
use Bench::Processes;
use Bench::Run;
use Bench::Server;
use Bench::Workload;

use constant DATABASE => 'copied';

my %contenders = (
	portage1 => { title => 'pg_portage, 1 job', run => \&copy_portage, jobs => 1 },
	portage2 => { title => 'pg_portage, 2 jobs', run => \&copy_portage, jobs => 2 },
	file => { title => 'LOAD DATA LOCAL of a ready file', run => \&copy_file },
	pipes => {
		title => '2 times COPY, FIFO, LOAD DATA LOCAL',
		run => \&copy_pipes
	});

# What pg_portage makes of the source's table.
my $table = <<'SQL';
CREATE TABLE events (
	id bigint NOT NULL PRIMARY KEY,
	kind int NOT NULL,
	note longtext,
	at datetime(6) NOT NULL,
	amount decimal(12, 2),
	done tinyint(1),
	detail json)
ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin
SQL

# pair, its target a Bench::MysqlServer; rows.
sub new
{
	my ($class, %self) = @_;
	return bless {
		%self,
		workload => Bench::Workload->new('w2a',
			size => $self{rows},
			as => DATABASE)
	}, $class;
}

sub title
{
	my ($self, $name) = @_;
	return $contenders{$name}{title};
}

sub description
{
	my ($self) = @_;
	return "$self->{workload}{size} rows of 7 columns";
}

sub amount
{
	my ($self) = @_;
	return ($self->{workload}{size}, 'rows');
}

sub prepare
{
	my ($self) = @_;
	my $source = $self->{pair}->source;

	$self->{workload}->prepare($source);
	$self->{workload}->write($source);
	$source->sql(DATABASE, 'VACUUM ANALYZE');
	$source->sql(DATABASE, 'CHECKPOINT');
	$self->{expected} = Bench::MysqlContents::expected($source, DATABASE);
	$self->{file} = $self->{pair}->folder . '/events.rows';
	Bench::Server::run('sh', '-c', 'file=$1; shift; exec "$@" >"$file"', 'sh',
		$self->{file}, $self->rows_command('true'));
	return {};
}

# Print rows of the source as LOAD DATA wants them.
sub rows_command
{
	my ($self, $condition) = @_;

	return ('psql', '-X', '-q', $self->{pair}->source->address, '-d', DATABASE,
		'-c', "COPY (SELECT id, kind, note, at AT TIME ZONE 'UTC', amount,"
		  . " done::int, detail FROM events WHERE $condition) TO STDOUT");
}

sub load_command
{
	my ($self, $path) = @_;
	return $self->{pair}->target->client(DATABASE, '--execute',
		"LOAD DATA LOCAL INFILE '$path' INTO TABLE events"
		  . ' CHARACTER SET utf8mb4');
}

sub run
{
	my ($self, $name) = @_;
	my $target = $self->{pair}->target;
	my $contender = $contenders{$name} // croak("no contender \"$name\"");

	$target->create(DATABASE);
	$target->sql(DATABASE, $table) unless $contender->{jobs};
	$self->calm;
	my $processes = $self->{pair}->processes;
	my $started = time();
	$contender->{run}->($self, $processes, $contender->{jobs});
	my $run = { wall => time() - $started };
	$processes->look;
	$run->{usage} = $processes->result;
	my $found =
	  Bench::MysqlContents::found($self->{pair}->source, DATABASE, $target);
	$run->{wrong} = "found:\n$found\nexpected:\n$self->{expected}"
	  if $found ne $self->{expected};
	return $run;
}

# What is left to write of the run before is no burden to this one.
sub calm
{
	my ($self) = @_;
	my $target = $self->{pair}->target;

	$target->sql(undef, 'SET GLOBAL innodb_max_dirty_pages_pct = 0');
	my $deadline = time() + 120;
	while ($target->sql(undef,
			"SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
		=~ /\t(\d+)/ && $1 > 100)
	{
		croak('the server does not write its pages') if time() > $deadline;
		select(undef, undef, undef, 0.1);
	}
	$target->sql(undef, 'SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT');
	return;
}

sub copy_portage
{
	my ($self, $processes, $jobs) = @_;

	$processes->watch($self->{pair}->folder . '/portage.log',
		$self->{pair}->portage_command(
			DATABASE, 'run', '--copy-only', '--jobs', $jobs,
			$jobs > 1 ? ('--split-over', '32MB') : ()));
	return;
}

sub copy_file
{
	my ($self) = @_;

	Bench::Server::run($self->load_command($self->{file}));
	return;
}

# Each pipe has half of the rows.
sub copy_pipes
{
	my ($self) = @_;
	my $folder = $self->{pair}->folder;
	my $middle = $self->{workload}{size} / 2;
	my %pids;

	foreach my $condition ("id <= $middle", "id > $middle")
	{
		my $number = keys(%pids) / 2;
		my $fifo = "$folder/fifo$number";
		POSIX::mkfifo($fifo, 0600) || croak("$fifo: $!");
		my $reader = Bench::Processes::spawn("$folder/load$number.log",
			$self->load_command($fifo));
		my $writer = Bench::Processes::spawn("$folder/copy$number.log",
			'sh', '-c', 'fifo=$1; shift; exec "$@" >"$fifo"', 'sh', $fifo,
			$self->rows_command($condition));
		@pids{ $reader, $writer } =
		  ("$folder/load$number.log", "$folder/copy$number.log");
	}
	foreach my $pid (keys %pids)
	{
		waitpid($pid, 0);
		croak(Bench::Run::slurp($pids{$pid}) // 'a pipe failed') if $?;
	}
	unlink("$folder/fifo0", "$folder/fifo1");
	return;
}

sub finish
{
	my ($self) = @_;

	unlink($self->{file}) if defined $self->{file};
	$self->{pair}->target->sql(undef, 'DROP DATABASE IF EXISTS ' . DATABASE);
	$self->{pair}->drop_slots(DATABASE);
	$self->{pair}->drop($self->{pair}->source, DATABASE);
	return;
}

1;
