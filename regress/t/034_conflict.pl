# What the target refuses, because somebody else has changed it: each refusal
# names table, key and position, nothing of the transaction is applied, and
# once the target is mended the next start goes on.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @tables = map { "public.$_" } qw(t u k w);

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, n int);
CREATE TABLE u (a int, b text, n int, PRIMARY KEY (a, b));
CREATE TABLE k (x int, y text);
ALTER TABLE k REPLICA IDENTITY FULL;
CREATE TABLE w (id int PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'c' || i, 0 FROM generate_series(1, 100) i;
INSERT INTO u SELECT i, 'b' || i, 0 FROM generate_series(1, 100) i;
INSERT INTO k SELECT i, 'y' || i FROM generate_series(1, 100) i;
INSERT INTO w SELECT i, 'v' FROM generate_series(1, 100) i;
SQL

sub run_to_end
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
	return tables_equal($source, 'app', $target, 'app', @tables);
}

# Spoil the target, write on the source, see it refused twice with nothing of
# the transaction applied, mend the target, see it go on.
sub conflict
{
	my (%case) = @_;
	my $what = $case{what};

	sql_as_target($target, 'app', $case{spoil});
	# a transaction before, so that there is something to stop behind
	$source->safe_psql('app', 'UPDATE u SET n = n + 1 WHERE a = 1');
	my $start = lsn(current_lsn($source));
	$source->safe_psql('app',
		"BEGIN; UPDATE u SET n = n + 1 WHERE a = 2; $case{change}; COMMIT");
	my $end = lsn(current_lsn($source));
	# what can be read, but for u, of which a row is to be applied
	my @others = grep { $_ ne 'public.u' && $_ ne ($case{gone} // '') } @tables;
	my $rows = join(' ', map { table_digest($target, 'app', $_) } @others);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $time ('', ' again')
	{
		my $result = portage_fails(4, 'run', endpoints($source, $target),
			'--until', 'caught-up');
		error_ok($result, $case{code}, $case{words}, "$what$time");
		like($result->{err}, qr/^pg_portage: detail: .*$case{detail}/m,
			"$what: the row and what is wrong with it")
		  if $case{detail};
		like($result->{err},
			qr/transaction (\d+) committed at ([0-9A-F]+\/[0-9A-F]+) on the source/,
			"$what: transaction and position are named");
		my ($at) = $result->{err} =~ m{committed at ([0-9A-F]+/[0-9A-F]+)};
		ok($at && lsn($at) >= $start && lsn($at) <= $end,
			"$what: it is the position of the change");
	}
	is(join(' ', map { table_digest($target, 'app', $_) } @others),
		$rows, "$what: nothing is written");
	is($target->safe_psql('app', 'SELECT n FROM u WHERE a = 2'),
		$source->safe_psql('app', 'SELECT n - 1 FROM u WHERE a = 2'),
		"$what: nor anything else of the transaction");
	sql_as_target($target, 'app', $case{mend});
	return run_to_end();
}

run_to_end();

# ---- rows
conflict(
	what => 'UPDATE of a missing row',
	spoil => 'DELETE FROM t WHERE id = 5',
	change => 'UPDATE t SET n = 1 WHERE id = 5',
	code => 'P0412',
	words => qr/table public\.t: UPDATE: 0 rows were changed instead of one/,
	detail => qr/Row \(id\)=\(5\)/,
	mend => q{INSERT INTO t VALUES (5, 'c5', 0)});
conflict(
	what => 'DELETE of a missing row',
	spoil => q{DELETE FROM u WHERE a = 6},
	change => 'DELETE FROM u WHERE a = 6',
	code => 'P0412',
	words => qr/table public\.u: DELETE: 0 rows were changed instead of one/,
	detail => qr/Row \(a, b\)=\(6, b6\)/,
	mend => q{INSERT INTO u VALUES (6, 'b6', 0)});
conflict(
	what => 'a changed row of a table without a key',
	spoil => q{UPDATE k SET y = 'else' WHERE x = 7},
	change => q{UPDATE k SET y = 'new' WHERE x = 7},
	code => 'P0412',
	words => qr/table public\.k: UPDATE: 0 rows were changed instead of one/,
	detail => qr/Row \(x, y\)=\(7, y7\)/,
	mend => q{UPDATE k SET y = 'y7' WHERE x = 7});
conflict(
	what => 'INSERT of a key that is there',
	spoil => q{INSERT INTO t VALUES (1001, 'foreign', 9)},
	change => q{INSERT INTO t VALUES (1001, 'ours', 1)},
	code => 'P0413',
	words => qr/table public\.t: INSERT: .*t_pkey/,
	detail => qr/\(id\)=\(1001\)/,
	mend => 'DELETE FROM t WHERE id = 1001');
conflict(
	what => 'a value that another unique key has',
	spoil => q{INSERT INTO t VALUES (-1, 'taken', 9)},
	change => q{UPDATE t SET code = 'taken' WHERE id = 8},
	code => 'P0413',
	words => qr/table public\.t: UPDATE: .*t_code_key/,
	detail => qr/Row \(id\)=\(8\)/,
	mend => 'DELETE FROM t WHERE id = -1');
conflict(
	what => 'a constraint of the target alone',
	spoil => 'ALTER TABLE t ADD CONSTRAINT small CHECK (n < 100)',
	change => 'UPDATE t SET n = 100 WHERE id = 9',
	code => 'P0413',
	words => qr/table public\.t: UPDATE: .*small/,
	detail => qr/Row \(id\)=\(9\)/,
	mend => 'ALTER TABLE t DROP CONSTRAINT small');
conflict(
	what => 'a column of the target alone that wants a value',
	spoil => 'ALTER TABLE w ADD must int NOT NULL DEFAULT 0;'
	  . 'ALTER TABLE w ALTER must DROP DEFAULT',
	change => q{INSERT INTO w VALUES (1001, 'v')},
	code => 'P0413',
	words => qr/table public\.w: INSERT: .*must/,
	detail => qr/Row \(id\)=\(1001\)/,
	mend => 'ALTER TABLE w DROP must');

# ---- values
conflict(
	what => 'a value that is too long for the target',
	spoil => 'ALTER TABLE w ALTER v TYPE varchar(5)',
	change => q{UPDATE w SET v = 'too long' WHERE id = 10},
	code => 'P0415',
	words => qr/table public\.w: UPDATE: .*too long/,
	detail => qr/Row \(id\)=\(10\)/,
	mend => 'ALTER TABLE w ALTER v TYPE text');
conflict(
	what => 'a value of another type',
	spoil => q{ALTER TABLE t ALTER code TYPE int USING id},
	change => q{UPDATE t SET code = 'word' WHERE id = 11},
	code => 'P0415',
	words => qr/table public\.t: UPDATE: .*invalid input syntax/,
	detail => qr/Row \(id\)=\(11\)/,
	mend =>
	  q{ALTER TABLE t ALTER code TYPE text USING CASE id WHEN 8 THEN 'taken'
		WHEN 1001 THEN 'ours' ELSE 'c' || id END});

# ---- tables
conflict(
	what => 'a column that the target lacks',
	spoil => 'ALTER TABLE w RENAME v TO other',
	change => q{UPDATE w SET v = 'x' WHERE id = 12},
	code => 'P0417',
	words => qr/table public\.w: UPDATE: .*column "v"/,
	detail => qr/Row \(id\)=\(12\)/,
	mend => 'ALTER TABLE w RENAME other TO v');
conflict(
	what => 'a table that the target lacks',
	spoil => 'ALTER TABLE w RENAME TO other',
	gone => 'public.w',
	change => q{UPDATE w SET v = 'x' WHERE id = 13},
	code => 'P0416',
	words => qr/table public\.w: UPDATE: .*"public\.w" does not exist/,
	detail => qr/Row \(id\)=\(13\)/,
	mend => 'ALTER TABLE other RENAME TO w');

# ---- a row that is there twice cannot be told by its key
sql_as_target($target, 'app',
	'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t DROP CONSTRAINT t_code_key');
conflict(
	what => 'a row that is there twice',
	spoil => 'INSERT INTO t TABLE t',
	change => 'UPDATE t SET n = 77 WHERE id = 14',
	code => 'P0412',
	words => qr/table public\.t: UPDATE: 2 rows were changed instead of one/,
	detail => qr/Row \(id\)=\(14\)/,
	mend => 'DELETE FROM t WHERE ctid IN (SELECT max(ctid) FROM t GROUP BY id);'
	  . 'ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE t ADD UNIQUE (code)');

# ---- while the applier is running: it ends, and is not tried again
my $process = portage_start('run', endpoints($source, $target));
wait_for_err($process, qr/streaming from/);
wait_for_applied($source, $target);
sql_as_target($target, 'app', 'DELETE FROM t WHERE id = 20');
$source->safe_psql('app', 'UPDATE t SET n = 20 WHERE id = 20');
is($process->wait_exit->{rc}, 4, 'a running applier ends with 4');
error_ok({ err => $process->stderr },
	'P0412', qr/table public\.t: UPDATE/, 'while it runs');
unlike($process->stderr, qr/trying again/, 'a conflict is not tried again');
sql_as_target($target, 'app', q{INSERT INTO t VALUES (20, 'c20', 0)});
run_to_end();

# ---- the progress row changed under it: fenced
$process = portage_start('run', endpoints($source, $target));
wait_for_err($process, qr/streaming from/);
wait_for_applied($source, $target);
sql_as_target($target, 'app',
	'UPDATE portage.progress SET epoch = epoch + 1');
$source->safe_psql('app', 'UPDATE t SET n = 21 WHERE id = 21');
is($process->wait_exit->{rc}, 3, 'fenced: exits with 3');
error_ok({ err => $process->stderr },
	'P0307', qr/the stream app is no longer ours/, 'fenced');
isnt($target->safe_psql('app', 'SELECT n FROM t WHERE id = 21'),
	21, 'nothing is written under an old epoch');
run_to_end();

# ---- a target that holds something before the copy begins
portage_ok('drop', endpoints($source, $target), '--yes');
my $rows = table_digest($target, 'app', 'public.t');
my $result = portage_fails(4, 'run', endpoints($source, $target));
error_ok($result, 'P0401', qr/public\.t/, 'the target is not empty');
is(table_digest($target, 'app', 'public.t'), $rows, 'nothing is touched');
is(slot_row($source, 'portage_app'), undef, 'and no slot is left');

done_testing();
