# TRUNCATE on the source while the copy is interrupted: the snapshots that pieces
# and tables were read under disagree about it, and the stream brings it with
# rows from before and after.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

# statistics are not to change: they decide how a table is split
my $source = source_new('source', fsync => 0, conf => 'autovacuum = off');
my $target = target_new('target', databases => [], replica_role => 1,
	fsync => 0);
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my @run = ('run', endpoints($source, $target), '--split-over', '64kB', '--jobs', 1,
	'--until', 'caught-up');
my @tables = qw(ids child small leaf_a leaf_b);

# In the order in which they are copied: the biggest first.
my $filled = <<'SQL';
INSERT INTO ids SELECT i, 0, repeat('b', 60), 'code ' || i FROM generate_series(1, 3000) i;
INSERT INTO child SELECT i, i, repeat('c', 30) FROM generate_series(1, 600) i;
INSERT INTO small SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO leaves SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 60) i;
SQL

# Before the TRUNCATE and behind it, in pieces of any age.
my $before = <<'SQL';
UPDATE ids SET v = v + 1 WHERE id IN (5, 2990); UPDATE ids SET id = -id WHERE id IN (7, 2992);
DELETE FROM ids WHERE id IN (1000, 2999); INSERT INTO ids VALUES (-10, 1, 'gone', 'first'), (4000, 1, 'gone', 'last');
UPDATE child SET v = 'changed' WHERE id < 10; UPDATE leaves SET id = id + 1000 WHERE id < 10;
SQL
my $behind = <<'SQL';
INSERT INTO ids SELECT i, 1, 'new', 'code ' || i FROM generate_series(-20, 3500, 5) i;
INSERT INTO child VALUES (1, 5, 'new'), (2, NULL, 'new'); INSERT INTO small VALUES (1, 1); INSERT INTO leaves VALUES (1, 'a'), (2, 'b');
UPDATE ids SET id = 9000 - id, v = 2 WHERE id IN (-20, 3000); UPDATE ids SET v = 3 WHERE id IN (20, 2500);
SQL

sub on_target
{
	return $target->safe_psql('app', @_);
}

sub on_source
{
	return $source->safe_psql('app', @_);
}

# One line for each table: its name, and the numbers of its chunks by snapshot.
sub snapshots
{
	return on_target(<<'SQL');
WITH s AS (SELECT DISTINCT stamp_lsn, coalesce(stamp_snapshot, 'slot') AS text FROM portage.chunk WHERE state = 'done'),
	n AS (SELECT text, row_number() OVER (ORDER BY min(stamp_lsn)) AS n FROM s GROUP BY text)
SELECT string_agg(line, ', ' ORDER BY line) FROM (
	SELECT table_name || ' ' || string_agg(DISTINCT coalesce(n::text, 'todo'), '+') AS line
	FROM portage.chunk c LEFT JOIN n ON state = 'done' AND n.text = coalesce(stamp_snapshot, 'slot')
	GROUP BY table_name) AS l
SQL
}

sub killed
{
	my ($point, $expected, $what) = @_;
	my $result = portage(@run, env => { PG_PORTAGE_FAILPOINT => $point });

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result->{signal}, 9, "$what: killed") || diag($result->{err});
	return is(snapshots(), $expected, "$what: what is done");
}

# Begin anew; $chunks pieces are done.
sub interrupt
{
	my ($chunks, $expected, $what) = @_;

	on_source('DROP TABLE IF EXISTS ids, child, small, leaves CASCADE');
	begin_anew($source, $target);
	on_source(<<"SQL");
CREATE TABLE ids (id bigint PRIMARY KEY, v int, body text, code text UNIQUE);
CREATE TABLE child (id int PRIMARY KEY, parent bigint REFERENCES ids ON UPDATE CASCADE ON DELETE CASCADE, v text);
CREATE TABLE small (id int PRIMARY KEY, child int REFERENCES child);
CREATE TABLE leaves (id int, kind text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE leaf_a PARTITION OF leaves FOR VALUES IN ('a');
CREATE TABLE leaf_b PARTITION OF leaves FOR VALUES IN ('b');
$filled ANALYZE;
SQL
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return killed("copy-committed:kill:$chunks", $expected, $what);
}

sub all_equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	tables_equal($source, 'app', $target, 'app', @tables);
	is(on_target(q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}), 0,
		'nothing waits any more');
	return schemas_equal($source, 'app', $target, 'app');
}

my $todo = 'child todo, ids 1+todo, leaf_a todo, leaf_b todo, small todo';

# ---- the later snapshot shows it, the earlier does not: one storage for all
interrupt(2, $todo, 'shown by the later');
on_source("BEGIN; $before COMMIT; TRUNCATE ids, child, small, leaves; $behind");
portage_ok(@run);
is(snapshots(), 'child 1, ids 1, leaf_a 1, leaf_b 1, small 1', 'all is of one snapshot');
is(on_target(q{SELECT string_agg(kind, ',') FROM portage.chunk WHERE table_name = 'ids'}), 'whole',
	'the pieces are gone with the rows');
all_equal();

# ---- rolled back, and done twice in one transaction with rows between
interrupt(3, $todo, 'twice');
on_source("BEGIN; TRUNCATE ids CASCADE; $before ROLLBACK");
on_source("BEGIN; $before TRUNCATE ids CASCADE; INSERT INTO ids VALUES (1, 1, 'between', 'x'); TRUNCATE ids CASCADE; $behind COMMIT");
portage_ok(@run);
all_equal();

# ---- pieces of two snapshots show nothing of it, the tables beside it do
interrupt(2, $todo, 'shown by others');
on_source($before);
my $pieces = on_target(q{SELECT count(*) FROM portage.chunk WHERE table_name = 'ids' AND state = 'todo'});
killed("copy-committed:kill:$pieces", $todo =~ s/ids 1\+todo/ids 1+2/r, 'shown by others');
on_source("UPDATE ids SET v = 10 WHERE id IN (50, 2950); TRUNCATE ids, child, small; $behind");
portage_ok(@run);
is(snapshots(), 'child 3, ids 1+2, leaf_a 3, leaf_b 3, small 3', 'three snapshots');
all_equal();

# ---- of two tables of one TRUNCATE the first shows nothing of it, the second does
interrupt($pieces + 3, 'child 1, ids 1, leaf_a todo, leaf_b todo, small todo', 'the second of two');
is(on_target(q{SELECT string_agg(kind, ' ') FROM portage.chunk WHERE table_name = 'child'}), 'whole', 'child is in one piece');
on_source(<<"SQL");
$before TRUNCATE child, small; TRUNCATE leaf_a; INSERT INTO child SELECT i, i, 'new' FROM generate_series(20, 700) i;
INSERT INTO small SELECT i, i FROM generate_series(20, 50) i; INSERT INTO leaves VALUES (71, 'a');
SQL
portage_ok(@run);
is(snapshots(), 'child 1, ids 1, leaf_a 2, leaf_b 2, small 2', 'two snapshots');
on_source(q{INSERT INTO leaves VALUES (70, 'a')});
portage_ok(@run);
all_equal();

# ---- behind the newest of them, with rows before it that only some show
interrupt(2, $todo, 'behind');
on_source($before);
my $process = portage_start(@run,
	env => { PG_PORTAGE_FAILPOINT => 'stream-phase:pause', PG_PORTAGE_FAILPOINT_RESUME => $resume });
wait_for(sub { progress_row($target, 'app', 'app')->{phase} eq 'stream' }, 'the copy to end');
is(snapshots(), 'child 2, ids 1+2, leaf_a 2, leaf_b 2, small 2', 'pieces of two snapshots');
on_source("UPDATE ids SET v = 10 WHERE id IN (50, 2950); TRUNCATE ids RESTART IDENTITY CASCADE; TRUNCATE leaves; $behind");
append_to_file($resume, "\n");
is($process->wait_exit->{rc}, 0, 'it goes on') || diag($process->stderr);
all_equal();

# ---- one batch has rows of a table that the copy shows, and later ones
interrupt(2, $todo, 'in one batch');
on_source('UPDATE child SET v = v || \'shown\'');
killed('copy-committed:kill:' . ($pieces + 1), 'child 2, ids 1+2, leaf_a todo, leaf_b todo, small todo', 'in one batch');
on_source('UPDATE child SET v = v || \'not shown\' WHERE id < 50');
portage_ok(@run, env => { PG_PORTAGE_FAILPOINT => 'batch-applied:delay=1000' });
is(snapshots(), 'child 2, ids 1+2, leaf_a 3, leaf_b 3, small 3', 'three snapshots');
all_equal();

done_testing();
