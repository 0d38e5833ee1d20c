# Rules, two targets and a followed reference, while the applier is killed, and at
# times a target's server: in the copy and in the stream, at random moments, with
# the source written to. Whenever nothing runs in the stream each target holds
# whole transactions, and every row was looked up when it was written; in the end
# each target holds what SQL says.
#
# ROUNDS is how many kills there are (9); PORTAGE_SEED repeats their moments.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageRules;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $rounds = $ENV{ROUNDS} // 9;
my $seed = $ENV{PORTAGE_SEED} // int(time() * 1000) % 1_000_000;
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

my $source = source_new('source');
my %target = (a => target_new('a'), m => mysql_new('m'));
my ($a, $m) = @target{qw(a m)};
my $load;

my $config = rules_file(<<"YAML");
name: app
sources:
  main: { url: "@{[ source_url($source) ]}" }
targets:
  a: { url: "@{[ target_url($a) ]}" }
  m: { url: "@{[ $m->url ]}" }
references:
  plans: { table: public.plan, only: [id, name], key: [id], required: true }
rules:
  - { table: public.total, target: [a, m] }
  - { table: public.journal, target: [a, m], where: "delta <> 0", omit: [pad] }
  # both know where a row was: one by its old row, one by trying
  - table: public.account
    route: "CASE WHEN region < 3 THEN 'a' WHEN region < 6 THEN 'm' END"
    columns: { place: { expr: "'region ' || region", type: "varchar(20)" } }
  - table: public.wallet
    route: "CASE WHEN region < 3 THEN 'a' WHEN region < 6 THEN 'm' END"
  - table: public.usage
    target: [a, m]
    columns:
      plan_name: { expr: "(SELECT name FROM plans WHERE plans.id = usage.plan)", type: "varchar(40)" }
  - table: public.ticket
    target: [a]
    columns: { weekday: { expr: "day % 7", type: bigint } }
jobs: 2
split_over: 64kB
YAML

$source->safe_psql('app', <<'SQL');
CREATE TABLE plan (id int PRIMARY KEY, name varchar(40) NOT NULL, price int);
CREATE TABLE total (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
CREATE TABLE journal (id bigserial PRIMARY KEY, total int, delta int, pad text,
	at timestamptz DEFAULT clock_timestamp());
CREATE TABLE account (id int PRIMARY KEY, region int NOT NULL, n int NOT NULL DEFAULT 0,
	note text);
CREATE TABLE wallet (id int PRIMARY KEY, region int NOT NULL, n int NOT NULL DEFAULT 0);
CREATE TABLE usage (id int PRIMARY KEY, plan int, n int NOT NULL DEFAULT 0,
	seen varchar(40));
CREATE TABLE ticket (id bigserial PRIMARY KEY, day int);
ALTER TABLE account REPLICA IDENTITY FULL;
ALTER TABLE ticket REPLICA IDENTITY FULL;
INSERT INTO plan SELECT i, 'plan ' || i, i FROM generate_series(1, 20) i;
INSERT INTO total SELECT i FROM generate_series(1, 50) i;
INSERT INTO journal (total, delta, pad) SELECT i, 0, repeat('p', 50)
	FROM generate_series(1, 50) i;
INSERT INTO account SELECT i, i % 8, 0, repeat('a', 200) FROM generate_series(1, 1000) i;
INSERT INTO wallet SELECT i, i % 8 FROM generate_series(1, 1000) i;
INSERT INTO usage SELECT i, i % 20 + 1, 0, 'plan ' || i % 20 + 1
	FROM generate_series(1, 1000) i;
INSERT INTO ticket (day) SELECT i % 5 FROM generate_series(1, 200) i;
ANALYZE;
SQL

# What a row was looked up as is what its plan was called then: nobody renames a
# plan while it is looked at, and its rows change with it.
my %script = (
	'changes' => <<'SQL',
\set t random(1, 50)
\set i random(1, 1000)
\set j random(1, 1000)
\set p random(1, 20)
\set r random(0, 7)
\set d random(-2, 2)
BEGIN;
UPDATE total SET balance = balance + :d WHERE id = :t;
INSERT INTO journal (total, delta) VALUES (:t, :d);
UPDATE account SET region = :r, n = n + 1 WHERE id = :i;
UPDATE wallet SET region = :r, n = n + 1 WHERE id = :i;
INSERT INTO ticket (day) VALUES (:p % 5);
SELECT name FROM plan WHERE id = :p FOR SHARE;
UPDATE usage SET plan = :p, n = n + 1, seen = (SELECT name FROM plan WHERE id = :p)
	WHERE id = :j;
COMMIT;
SQL
	'rename' => <<'SQL',
\set p random(1, 20)
\set n random(1, 1000000)
BEGIN;
UPDATE plan SET name = 'named ' || :n, price = :n WHERE id = :p;
UPDATE usage SET seen = 'named ' || :n WHERE plan = :p;
COMMIT;
SQL
	'move' => <<'SQL');
\set i random(1, 1000)
BEGIN;
UPDATE account SET id = -id, region = (region + 3) % 8 WHERE abs(id) = :i;
UPDATE wallet SET id = -id, region = (region + 3) % 8 WHERE abs(id) = :i;
DELETE FROM usage WHERE id = :i;
INSERT INTO usage SELECT :i, id, 0, name FROM plan WHERE id = 7 FOR SHARE;
COMMIT;
SQL
my %weight = (changes => 80, rename => 8, move => 12);

sub load_begin
{
	my @files;
	foreach my $name (sort keys %script)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . "/$name.sql";
		append_to_file($file, $script{$name});
		push @files, "--file=$file\@$weight{$name}";
	}
	$load = pgbench_start($source, 'app',
		args => [ '--rate', 80, '--max-tries', 100, @files ]);
	return;
}

sub load_since
{
	my ($time) = @_;
	die 'the load has ended: ' . $load->stderr unless $load->running;
	return $source->safe_psql('app',
		"SELECT EXISTS (SELECT FROM journal WHERE at > to_timestamp($time))") eq 't';
}

sub run_start
{
	return portage_start('run', '--config', $config, @_);
}

# { phase, transactions, epoch } of a target; undef while there is no row.
sub progress
{
	my ($name) = @_;
	my $table = $name eq 'm' ? 'portage_progress' : 'portage.progress';
	my $sql = "SELECT phase, transactions, epoch FROM $table WHERE stream = 'app'";
	my @row = eval
	{
		$name eq 'm'
		  ? $m->row('app', $sql)
		  : split(/\|/, $a->safe_psql('app', $sql));
	};
	return undef unless @row;
	my %row;
	@row{qw(phase transactions epoch)} = @row;
	return \%row;
}

sub value
{
	my ($name, $sql) = @_;
	return $name eq 'm' ? $m->value('app', $sql) : $a->safe_psql('app', $sql);
}

# Nothing less than whole transactions, and no row that was looked up too early or
# too late; on a target that streams.
sub sane
{
	my ($what) = @_;

	foreach my $name (qw(a m))
	{
		next if (progress($name) // { phase => '' })->{phase} ne 'stream';
		is(value($name, 'SELECT sum(balance) FROM total'),
			value($name, 'SELECT coalesce(sum(delta), 0) FROM journal'),
			"$what: $name holds whole transactions");
		is(value($name, q{SELECT count(*) FROM `usage` WHERE plan_name <> seen}
				=~ s/`/$name eq 'm' ? '`' : '"'/ger),
			0, "$what: $name has looked up each row when it was written");
	}
	return;
}

# Both have taken the stream over, or are in the copy.
sub wait_for_begun
{
	my ($process, %before) = @_;

	foreach my $name (qw(a m))
	{
		wait_for(
			sub {
				die 'it has ended: ' . $process->stderr unless $process->running;
				my $row = progress($name);
				$row && $row->{epoch} > $before{$name};
			},
			"$name to be taken over");
	}
	return;
}

sub wait_for_both
{
	my ($process, $what) = @_;
	my %before = map { $_ => progress($_)->{transactions} } qw(a m);

	foreach my $name (qw(a m))
	{
		wait_for(
			sub {
				die "it has ended: $what: " . $process->stderr unless $process->running;
				my $row = progress($name);
				$row->{phase} eq 'stream' && $row->{transactions} > $before{$name};
			},
			"$name to go on: $what");
	}
	return;
}

sub server_killed
{
	my ($name, $what) = @_;

	return is($m->kill9->{signal}, 9, "$what: the server is killed") if $name eq 'm';

	my @pids = ($a->{_pid}, split(/\n/, $a->safe_psql('postgres',
				'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')));
	$a->kill9;
	wait_for(sub { !grep { kill(0, $_) } @pids }, 'its processes to be gone');
	return ok(!kill(0, $pids[0]), "$what: the server is killed");
}

sub kill_round
{
	my ($round, $kind) = @_;
	my $server = $round % 3 == 0 ? ($round % 2 ? 'a' : 'm') : undef;
	my $after = 0.02 + rand($kind eq 'copy' ? 0.6 : 1.5);
	my $what = sprintf('round %d, %s after %.0f ms', $round,
		$server ? "server $server" : 'applier', $after * 1000);
	my %before = map { $_ => (progress($_) // { epoch => -1 })->{epoch} } qw(a m);
	my $begun = time();

	wait_for(sub { load_since($begun) }, 'the load to commit');
	my $process = run_start($round % 2 ? () : ('--writers', 2));
	wait_for_begun($process, %before);
	my $due = time() + $after;
	wait_for(sub { time() >= $due }, 'the moment to kill');
	if ($server)
	{
		server_killed($server, $what);
		$target{$server}->start;
		wait_for_both($process, $what) if $kind eq 'stream';
	}
	my $end = $process->kill9;
	is($end->{signal}, 9, "$what: the applier is killed")
	  || diag($process->stderr);
	sane($what);
	return;
}

sub compare
{
	my %here = (a => 'region < 3', m => 'region BETWEEN 3 AND 5');

	foreach my $name (qw(a m))
	{
		my $target = $target{$name};

		derived_equal($target, 'public.total', 'id int4, balance int8',
			[ $source, 'SELECT * FROM total' ]);
		derived_equal($target, 'public.journal',
			'id int8, total int4, delta int4, at timestamptz',
			[
				$source,
				'SELECT id, total, delta, at FROM journal WHERE delta <> 0'
			]);
		derived_equal($target, 'public.account',
			'id int4, region int4, n int4, note text, place varchar',
			[
				$source, "SELECT id, region, n, note, 'region ' || region"
				  . " FROM account WHERE $here{$name}"
			]);
		derived_equal($target, 'public.wallet', 'id int4, region int4, n int4',
			[ $source, "SELECT * FROM wallet WHERE $here{$name}" ]);
		derived_equal($target, 'public.usage',
			'id int4, plan int4, n int4, seen varchar, plan_name varchar',
			[
				$source, 'SELECT u.id, u.plan, u.n, u.seen, p.name'
				  . ' FROM usage u JOIN plan p ON p.id = u.plan'
			]);
	}
	derived_equal($a, 'public.ticket', 'id int8, day int4, weekday int8',
		[ $source, 'SELECT id, day, day % 7 FROM ticket' ]);
	return;
}

load_begin();
my $copies = int($rounds / 3);
kill_round($_, 'copy') foreach 1 .. $copies;
{
	my $process = run_start();

	wait_for(
		sub {
			die 'it has ended: ' . $process->stderr unless $process->running;
			!grep { (progress($_) // { phase => '' })->{phase} ne 'stream' } qw(a m);
		},
		'both to stream');
	wait_for_both($process, 'in the stream');
	$process->kill9;
}
kill_round($_, 'stream') foreach $copies + 1 .. $rounds;
pgbench_stop($source, $load);
portage_ok('run', '--config', $config, '--until', 'caught-up');
sane('in the end');
compare();

done_testing();
