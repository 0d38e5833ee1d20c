package PortageFault;

=pod

=head1 NAME

PortageFault - what the tests share that break things on purpose

=head1 DESCRIPTION

A database that has some of everything that a stream can trip over, a load
that keeps changing it, and the proofs that nothing was lost, doubled or
touched. On top of PortageTest; the POD there applies.

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use JSON::PP ();
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(
  begin_anew
  pair_create pair_write
  shop_create shop_tables shop_load big_insert committed_before
  lsn evidence same_evidence balances_ok progress_ok caught_up_and_equal
  error_ok wait_for_stream wait_for_applied wait_for_err sql_as_target
  ddl_stops
);

=pod

=over

=item begin_anew($source, $target)

Drop the migration, if there is one, and give the target an empty database.

=cut

sub begin_anew
{
	my ($source, $target) = @_;

	portage_ok('drop', endpoints($source, $target), '--yes')
	  if slot_row($source, 'portage_app');
	$target->safe_psql('postgres', 'DROP DATABASE IF EXISTS app (FORCE)');
	$target->safe_psql('postgres', 'CREATE DATABASE app OWNER ' . TARGET_ROLE);
	return;
}

=pod

=item pair_create($node, $rows = 300)

Two small tables in the database app, t and u, for tests that are not about
what the rows are; the first with so many rows, the second with 300.

=item pair_write($node, $width = 1)

Some rows come to them, change and go, each kind in a transaction of its own;
a new row is so many words long.

=cut

sub pair_create
{
	my ($node, $rows) = @_;
	$rows //= 300;

	$node->safe_psql('app', <<"SQL");
CREATE TABLE t (id serial PRIMARY KEY, v text);
CREATE TABLE u (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t (v) SELECT 'v' || i FROM generate_series(1, $rows) i;
INSERT INTO u SELECT i FROM generate_series(1, 300) i;
SQL
	return;
}

sub pair_write
{
	my ($node, $width) = @_;
	$width //= 1;

	# each statement is a transaction
	$node->safe_psql('app', <<"SQL");
INSERT INTO t (v) SELECT repeat('w' || i, $width) FROM generate_series(1, 20) i;
UPDATE u SET n = n + 1;
DELETE FROM t WHERE id = (SELECT min(id) FROM t);
SQL
	return;
}

=pod

=item shop_create($source, $database)

The pgbench tables at scale 1 and beside them: orders with a sequence, lines
that refer to them with ON DELETE CASCADE, items with a second unique key and
values that are stored out of line, a table without a key and with REPLICA
IDENTITY FULL, one whose key changes, a partitioned one, and big, which is for
big_insert.

=item shop_tables()

The names of these tables, those of partitions instead of their parent.

=cut

sub shop_create
{
	my ($source, $database) = @_;
	$database //= 'app';

	pgbench_init($source, $database);
	$source->safe_psql($database, <<'SQL');
CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL,
	note text, placed timestamptz NOT NULL DEFAULT now());
CREATE TABLE lines (order_id bigint REFERENCES orders ON DELETE CASCADE,
	number int, amount numeric, PRIMARY KEY (order_id, number));
CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	code text NOT NULL UNIQUE, body text, stock bigint NOT NULL);
ALTER TABLE items ALTER body SET STORAGE EXTERNAL;
CREATE INDEX items_stock ON items (stock);
CREATE TABLE keyless (id int, v numeric, w text);
ALTER TABLE keyless REPLICA IDENTITY FULL;
CREATE TABLE keyed (k int PRIMARY KEY, v int NOT NULL DEFAULT 0);
CREATE TABLE events (id int, kind text, n int NOT NULL DEFAULT 0,
	PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b');
CREATE TABLE big (id bigint PRIMARY KEY, body text);
INSERT INTO orders (customer, note)
	SELECT i, repeat('o', i) FROM generate_series(1, 300) i;
INSERT INTO lines SELECT o, n, o * 1.10 + n FROM generate_series(1, 300) o,
	generate_series(1, 3) n;
INSERT INTO items (code, body, stock)
	SELECT 'code ' || i, repeat(md5(i::text), 100), i * 10
	FROM generate_series(1, 300) i;
INSERT INTO keyless SELECT i, i / 7.0, nullif('w' || i % 9, 'w3')
	FROM generate_series(1, 200) i;
INSERT INTO keyed SELECT i FROM generate_series(1, 300) i;
INSERT INTO events SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END
	FROM generate_series(1, 200) i;
INSERT INTO big SELECT i, 'x' FROM generate_series(1, 10) i;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
	VALUES (1, 1, 1, 0, now());
SQL
	return;
}

sub shop_tables
{
	return map { "public.$_" } qw(pgbench_accounts pgbench_branches
	  pgbench_tellers pgbench_history orders lines items keyless keyed
	  events_a events_b big);
}

=pod

=item shop_load($source, $database, %options)

Start pgbench with its own transactions and ones that change the other tables.
Options: C<< rate => 120 >>, transactions a second.

=cut

my $churn = <<'SQL';
\set a random(1, 300)
\set b random(1, 200)
BEGIN;
INSERT INTO orders (customer, note) VALUES (:a, repeat('n', :a));
INSERT INTO lines SELECT currval('orders_id_seq'), n, n * 0.5
	FROM generate_series(1, 2) n;
UPDATE items SET stock = stock - 1 WHERE id = :a;
UPDATE items SET body = repeat(md5(:a::text || stock::text), 80)
	WHERE id = :b AND stock % 7 = 0;
UPDATE keyless SET v = v + 1 WHERE id = :b;
UPDATE keyed SET k = -k, v = v + 1 WHERE abs(k) = :a;
UPDATE events SET kind = CASE kind WHEN 'a' THEN 'b' ELSE 'a' END, n = n + 1
	WHERE id = :b;
DELETE FROM orders WHERE id = (SELECT min(id) FROM orders);
COMMIT;
SQL

sub shop_load
{
	my ($source, $database, %options) = @_;
	my $script = PostgreSQL::Test::Utils::tempdir() . '/churn.sql';

	PostgreSQL::Test::Utils::append_to_file($script, $churn);
	my $load = pgbench_start(
		$source,
		$database // 'app',
		args => [
			'--rate' => $options{rate} // 120,
			'--max-tries' => 100,
			'--builtin' => 'tpcb-like@3',
			'--file' => "$script\@2"
		]);
	wait_for(
		sub {
			croak('pgbench: ' . $load->stderr) unless $load->running;
			load_committed_recently($source, $database // 'app', 1);
		},
		'the load to commit');
	return $load;
}

=pod

=item big_insert($source, $database, $rows = 40)

One transaction of that many rows of 1 MB, in place of what big had: more than
a batch of the applier holds.

=item committed_before($source, $database, $time, $seconds = 1)

Whether the load committed something within so many seconds before a time (of
Time::HiRes). mtime is the begin of a transaction, so it errs on the safe side.

=cut

sub big_insert
{
	my ($source, $database, $rows) = @_;
	$rows //= 40;

	$source->safe_psql($database // 'app',
		'BEGIN; TRUNCATE big; INSERT INTO big'
		  . " SELECT i, repeat(md5(i::text || random()::text), 32768)"
		  . " FROM generate_series(1, $rows) i; COMMIT");
	return;
}

sub committed_before
{
	my ($source, $database, $time, $seconds) = @_;
	$seconds //= 1;

	return $source->safe_psql($database, <<"SQL") eq 't';
SELECT EXISTS (SELECT FROM pgbench_history
	WHERE mtime::timestamptz <= to_timestamp($time)
	AND mtime::timestamptz >= to_timestamp($time - $seconds))
SQL
}

=pod

=item lsn($text)

A position as a number, to compare.

=item evidence($target, $database, $name = 'app', @tables)

What a refusal must leave as it is: the digest of each table (default: those of
the shop) and the progress row but for its epoch, which a start raises before
it looks at the source.

=item same_evidence($before, $target, $database, $name, @tables)

One assertion that it is still the same.

=cut

sub lsn
{
	my ($high, $low) = split('/', $_[0]);
	return (hex($high) << 32) + hex($low);
}

sub evidence
{
	my ($target, $database, $name, @tables) = @_;
	$database //= 'app';
	$name //= 'app';
	my $row = progress_row($target, $database, $name);

	delete @{$row}{qw(epoch updated_at)} if $row;
	@tables = shop_tables() unless @tables;
	return {
		progress => $row,
		map { $_ => table_digest($target, $database, $_) } @tables
	};
}

sub same_evidence
{
	my ($before, $target, $database, $name, @tables) = @_;
	my $now = evidence($target, $database, $name,
		@tables ? @tables : grep { $_ ne 'progress' } keys %$before);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply($now, $before,
		'every row and the progress row of the target are untouched');
}

=pod

=item balances_ok($node, $database, $what)

The invariant of pgbench's transactions: the sums of all balances are equal.

=item progress_ok($source, $target, $database, $name)

One assertion that the positions of row and slot are in their order, and that
the slot has not been told more than the target has.

=item caught_up_and_equal($source, $target, $database, $name)

Run until caught up, with the load stopped, and prove that both sides are equal
by all of this.

=cut

sub balances_ok
{
	my ($node, $database, $what) = @_;
	my $sums = $node->safe_psql($database, <<'SQL');
SELECT (SELECT sum(tbalance) FROM pgbench_tellers),
	(SELECT sum(bbalance) FROM pgbench_branches),
	(SELECT sum(abalance) FROM pgbench_accounts),
	(SELECT sum(delta) FROM pgbench_history)
SQL
	my ($first, @others) = split(/\|/, $sums);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(@others == 3 && !(grep { $_ ne $first } @others),
		"$what: the balances agree: $sums");
}

sub progress_ok
{
	my ($source, $target, $database, $name) = @_;
	# in this order: while an applier runs, both move on, and the row goes first
	my $slot = slot_row($source, "portage_$name");
	my $row = progress_row($target, $database, $name);
	my @order = (
		[ 'consistent', $row->{consistent_lsn} ],
		[ 'slot confirmed', $slot->{confirmed_flush_lsn} ],
		[ 'previous anchor', $row->{previous_anchor_lsn} ],
		[ 'anchor', $row->{anchor_lsn} ],
		[ 'commit', $row->{commit_lsn} ],
		[ 'resume', $row->{resume_lsn} ],
		[ 'end of WAL', current_lsn($source) ]);
	my $positions = join(', ', map { "$_->[0] $_->[1]" } @order);
	my $sane = 1;

	for my $i (1 .. $#order)
	{
		$sane &&= lsn($order[ $i - 1 ][1]) <= lsn($order[$i][1]);
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($sane && $row->{transactions} > 0 && $row->{rows} > 0,
		"positions are in order: $positions; $row->{transactions}"
		  . " transactions, $row->{rows} rows");
}

sub caught_up_and_equal
{
	my ($source, $target, $database, $name) = @_;
	$database //= 'app';
	$name //= 'app';

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok(
		'run', endpoints($source, $target, $database), '--name', $name,
		'--until', 'caught-up');
	my $equal =
	  tables_equal($source, $database, $target, $database, shop_tables());
	balances_ok($target, $database, 'target');
	progress_ok($source, $target, $database, $name);
	return $equal;
}

=pod

=item error_ok($result, $code, $words, $what)

What a command wrote ends in one error of this code whose message matches, with
a hint.

=item wait_for_stream($target, $database, $name, $process), wait_for_applied(...)

Wait until the stream runs, no longer than the process that is to run it; until the target has everything that the source
has written so far, C<($source, $target, $database, $name)>.

=item wait_for_err($process, $pattern)

Wait until a process has written it to its standard error.

=item sql_as_target($target, $database, $sql)

As the role of the applier, who owns the tables.

=item ddl_stops($source, $target, $run, $what, $words, $source_sql, $target_sql)

The stream stops at DDL that cannot be carried, and has touched nothing; carried
out by hand, and with the LSN that the hint names but no other, it goes on. There
has to be a table called plain.

=cut

sub error_ok
{
	my ($result, $code, $words, $what) = @_;
	my @errors = $result->{err} =~ /^pg_portage: error: (.*)$/mg;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(
		@errors == 1
		  && $errors[0] =~ /\[$code\]\z/
		  && $errors[0] =~ $words
		  && $result->{err} =~ /^pg_portage: hint: \S/m,
		"$what: $code, message and hint") || diag($result->{err});
}

sub ddl_stops
{
	my ($source, $target, $run, $what, $words, $source_sql, $target_sql) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$source->safe_psql('app', $source_sql);
	my $before = evidence($target, 'app', 'app', 'plain');
	my $result = portage_fails(4, @$run);
	error_ok($result, 'P0425', $words, $what);
	same_evidence($before, $target, 'app', 'app', 'plain');
	my ($lsn) = $result->{err} =~ m{--ddl-done ([0-9A-F]+/[0-9A-F]+)};
	ok(defined $lsn, "$what: the hint names the LSN") || diag($result->{err});
	sql_as_target($target, 'app', $target_sql);
	portage_fails(4, @$run, '--ddl-done', '0/1');
	return portage_ok(@$run, '--ddl-done', $lsn // '0/1');
}

sub wait_for_stream
{
	my ($target, $database, $name, $process) = @_;
	return wait_for(
		sub {
			croak('it has ended: ' . $process->stderr)
			  if $process && !$process->running;
			my $row = progress_row($target, $database // 'app', $name // 'app');
			$row && $row->{phase} eq 'stream' && $row->{transactions} > 0;
		},
		'the stream to apply something',
		300);
}

sub wait_for_applied
{
	my ($source, $target, $database, $name) = @_;
	my $end = lsn(current_lsn($source));

	# Only a commit moves the position of an idle stream: markers do.
	return wait_for(
		sub {
			my $row = progress_row($target, $database // 'app', $name // 'app');
			$row && $row->{phase} eq 'stream' && lsn($row->{resume_lsn}) >= $end;
		},
		'the target to have it all',
		300);
}

sub wait_for_err
{
	my ($process, $pattern, $timeout) = @_;
	return wait_for(
		sub {
			# its file is there once it has been started
			my $ended = !$process->running;
			my $written = eval { $process->stderr } // '';
			return 1 if $written =~ $pattern;
			croak("ended without $pattern: $written") if $ended;
			return 0;
		},
		"$pattern",
		$timeout);
}

sub sql_as_target
{
	my ($target, $database, $sql) = @_;
	my $role = TARGET_ROLE;
	return $target->safe_psql($database, "SET ROLE $role; $sql");
}

=pod

=back

=cut

1;
