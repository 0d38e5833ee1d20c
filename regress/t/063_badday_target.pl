# Bad days of servers that end, or could end, by themselves: a target that is
# full, read-only, killed or hung, and a source that is killed. The applier says
# what it waits for, changes nothing meanwhile, and goes on by itself; or gives
# up when it was told to, and the next start goes on. Which day is where:
# regress/README.md.

use strict;
use warnings;

use PortageBadDay;
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my $frozen = target_new('frozen', databases => [qw(one two)]);
my $sides = PortageBadDay->new($source, $target);
my @tables = qw(t u);

pair_create($source);

sub streaming
{
	my ($node, $database, @options) = @_;
	my $process = portage_start(
		'run',
		'--source' => source_url($source),
		'--target' => target_url($node, $database),
		'--name' => $database,
		@options);

	wait_for_err($process, qr/streaming from/);
	wait_for_stream($node, $database, $database, $process);
	pair_write($source, 500);
	wait_for_applied($source, $node, $database, $database);
	return $process;
}

sub ends
{
	my ($process) = @_;
	my $end = $process->wait_exit;
	return { %$end, err => $process->stderr };
}

sub equal
{
	my ($node, $database) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return tables_equal($source, 'app', $node, $database,
		map { "public.$_" } @tables);
}

# During the day it keeps trying, says why, and changes nothing; afterwards the
# same process has it all.
sub mended
{
	my ($sides, $process, %day) = @_;
	my $node = $sides->{target};
	my $database = $sides->{target_database};
	my $what = $day{what};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$day{begin}->();
	$sides->look(running => 1) unless $day{away};
	pair_write($source, 500);
	if (my $words = $day{words})
	{
		wait_for_err($process,
			qr/trying again: .*${words}.*\[$day{code}\]\n(?s:.*)trying again/);
		pass("$what: $day{code}, said more than once");
	}
	# the source has been written to since
	$sides->same($what, 'target') unless $day{away};
	$day{end}->();
	pair_write($source, 500);
	wait_for_applied($source, $node, $database, $database);
	ok($process->running, "$what: the same applier goes on");
	unlike($process->stderr, qr/error:/, "$what: it was no error");
	equal($node, $database);
	return;
}

sub sessions_terminate
{
	my ($node, $which) = @_;
	$node->safe_psql('postgres',
		'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity'
		  . " WHERE application_name = 'pg_portage $which'");
	return;
}

sub processes_of
{
	my ($node) = @_;
	my $postmaster = $node->{_pid};
	my @children;

	foreach my $stat (glob('/proc/[0-9]*/stat'))
	{
		# one that has ended meanwhile is none of them
		my $line = eval { slurp_file($stat) } // next;
		push @children, $1 if $line =~ /\A(\d+) .*\) \S $postmaster /;
	}
	return ($postmaster, @children);
}

sub killed
{
	my ($node) = @_;
	my @pids = processes_of($node);

	$node->kill9;
	wait_for(sub { !grep { kill(0, $_) } @pids },
		'the processes of ' . $node->name . ' to be gone');
	$node->start;
	return;
}

# ---- a target that hangs, all of it: three appliers of it, one that is left
# alone, one that is told to stop, and one that only starts
my %hung = map { $_ => streaming($frozen, $_) } qw(one two);
my %hung_sides = map {
	$_ => PortageBadDay->new($source, $frozen, target_database => $_)
} qw(one two);
$_->look(running => 1) foreach values %hung_sides;
my @stopped = processes_of($frozen);
cmp_ok(scalar(@stopped), '>', 5, 'the target is some processes');
kill('STOP', @stopped);
# what is written from here on cannot be on the target, markers and all
my $hung_at = current_lsn($source);
pair_write($source, 500);
$hung{two}->term;
my $late = portage(
	'run',
	'--source' => source_url($source),
	'--target' => target_url($frozen, 'one') . '?connect_timeout=2',
	'--name' => 'three');
$sides->told(
	$late,
	what => 'a start with a target that hangs',
	rc => 3, code => 'P0301',
	words => qr/cannot connect to the target .*no answer within 2 s/,
	hint => qr/check host, port/);

# ---- a target that hangs, one session of it, and two signals. The lock makes
# sure that the session has been asked something before it is stopped: without
# a question open, one signal is enough.
my $process = streaming($target, 'app');
$sides->look(running => 1);
my $lock = $target->background_psql('app');
$lock->query_safe('BEGIN');
$lock->query_safe('LOCK TABLE u IN SHARE MODE');
$source->safe_psql('app', 'UPDATE u SET n = n WHERE id = 1');
my $session;
wait_for(
	sub {
		$session = $target->safe_psql('postgres',
			q{SELECT pid FROM pg_stat_activity
			  WHERE application_name = 'pg_portage app writer'
				AND wait_event_type = 'Lock'});
	},
	'the writer to wait');
kill('STOP', $session);
$lock->query_safe('COMMIT');
$lock->quit;
$process->signal_taken('TERM');
ok($process->running, 'one signal: it waits for the answer');
$process->term;
is($process->wait_exit->{signal}, 15, 'two signals: it ends at once');
kill('CONT', $session);
sessions_end($target);
$sides->equal(@tables);

# ---- a target that refuses to write
$process = streaming($target, 'app');
mended(
	$sides, $process,
	what => 'a target that is read-only',
	code => 'P0304', words => qr/read-only transaction/,
	begin => sub {
		$target->safe_psql('postgres',
			'ALTER SYSTEM SET default_transaction_read_only = on');
		$target->reload;
		sessions_terminate($target, 'app apply');
	},
	end => sub {
		$target->safe_psql('postgres',
			'ALTER SYSTEM RESET default_transaction_read_only');
		$target->reload;
	});

# ---- servers that are killed
foreach my $side ([ 'target', $target ], [ 'source', $source ])
{
	my ($name, $node) = @$side;
	mended($sides, $process,
		what => "the $name killed -9", away => 1,
		begin => sub { pair_write($source, 500); killed($node) },
		end => sub { wait_for_err($process, qr/trying again/) });
	PortageFault::progress_ok($source, $target, 'app', 'app');
}
$process->term;
is($process->wait_exit->{rc}, 0, 'and ends when told to');

# ---- a target that is full: its tables are on a small file system, which only
# the server sees, because it runs in a mount namespace of its own
SKIP:
{
	# A vacuum of a catalog lets the next session write a file, or it does not begin.
	my $full =
	  target_new('full', databases => [], conf => 'autovacuum = off');
	my $space = PostgreSQL::Test::Utils::tempdir() . '/space';
	my ($uid, $gid) = ($>, (split(/ /, $)))[0]);
	my $small = PortageBadDay->new($source, $full, target_database => 'small');

	mkdir($space) || die "$space: $!";
	$full->stop;
	my @start = (
		'unshare', '-Urm', 'sh', '-c',
		'mount -t tmpfs -o size=24m,mode=700 tmpfs "$1" && shift &&'
		  . ' exec unshare -U --map-user="$1" --map-group="$2" pg_ctl -w -s'
		  . ' -D "$3" -l "$4" start',
		'sh', $space, $uid, $gid, $full->data_dir, $full->logfile);
	skip('no mount namespaces for users here', 1)
	  if system_log(@start) != 0;
	$full->_update_pid(1);
	$full->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$space'");
	$full->safe_psql('postgres',
		'CREATE DATABASE small TABLESPACE small OWNER ' . TARGET_ROLE);
	$process = streaming($full, 'small');
	my %full = (
		what => 'a target that is full',
		words => qr/could not extend file .*No space left on device/,
		begin => sub {
			# a table of somebody else takes all there is
			my ($rc, $out, $err) = $full->psql('small', <<'SQL');
CREATE TABLE filler (v text);
DO $$ DECLARE n int := 1000; BEGIN WHILE n > 0 LOOP BEGIN LOOP
	INSERT INTO filler SELECT repeat('x', 1900) FROM generate_series(1, n);
END LOOP; EXCEPTION WHEN disk_full THEN n := n / 10; END; END LOOP; END $$
SQL
			is($rc, 0, 'the file system is full') || diag($err);
			$source->safe_psql('app',
				'INSERT INTO t (v) SELECT md5(i::text)'
				  . ' FROM generate_series(1, 5000) i');
		},
		end => sub { $full->safe_psql('small', 'DROP TABLE filler') });
	mended($small, $process, %full, code => 'P0304');
	$process->term;
	is($process->wait_exit->{rc}, 0, 'and ends when told to');

	# told not to try for ever
	$full{begin}->();
	pair_write($source, 500);
	$small->refused(
		what => 'a target that stays full',
		run => [
			'run', $small->urls,
			'--name' => 'small', '--retry-for' => '1s'
		],
		rc => 3, code => 'P0305', words => qr/gave up after/,
		hint => qr/nothing was lost/,
		detail => qr/No space left on device.*\[P0304\]/);
	$full{end}->();
	portage_ok('run', $small->urls, '--name' => 'small',
		'--until' => 'caught-up');
	equal($full, 'small');
	$full->stop;
}

# ---- what became of those whose target hangs
my $end = ends($hung{two});
is($end->{rc}, 0, 'one signal, and a server that answers nobody: it ends');
like($end->{err}, qr/stopped by signal/, 'and says why');
wait_for_err($hung{one},
	qr/trying again: the target \S+ does not answer any more \[P0303\]/);
pass('without a signal it notices that nobody answers');
# a source that was killed may have set it back
cmp_ok(lsn(slot_row($source, "portage_$_")->{confirmed_flush_lsn}),
	'<=', lsn($hung_at), "nothing was confirmed of $_ meanwhile")
  foreach qw(one two);
kill('CONT', @stopped);
pair_write($source, 500);
wait_for_applied($source, $frozen, 'one', 'one');
ok($hung{one}->running, 'the same applier goes on');
equal($frozen, 'one');
unlike($hung{one}->stderr, qr/error:/, 'it was no error');
$hung{one}->term;
is($hung{one}->wait_exit->{rc}, 0, 'and ends when told to');
portage_ok(
	'run',
	'--source' => source_url($source),
	'--target' => target_url($frozen, 'two'),
	'--name' => 'two',
	'--until' => 'caught-up');
equal($frozen, 'two');

done_testing();

# A test that died has to be able to stop its servers.
END
{
	kill('CONT', @stopped) if @stopped;
}
