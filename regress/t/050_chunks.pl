# Tables copied in pieces: which pieces, that nothing is lost between them when
# a table is rewritten or emptied on the way, what a crash leaves, and what has
# to wait until the stream has passed the newest of them.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

# statistics decide how a table is split, and a vacuum may freeze rows
my $source = source_new('source', fsync => 0, conf => 'autovacuum = off');
my $target = target_new('target', databases => [], replica_role => 1,
	fsync => 0, conf => 'autovacuum = off');
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my @split = ('--split-over', '64kB');
my @end = ('--until', 'caught-up');
my @some = (@end, '--tables', 'ids,child');

# Rows of about 100 bytes, 80 of them in a block: 64 kB are about 640 rows.
$source->safe_psql('app', <<'SQL');
CREATE TABLE ids (id bigint PRIMARY KEY, v int, body text, code text UNIQUE);
CREATE TABLE names (name text COLLATE "C" PRIMARY KEY, v int);
CREATE TABLE pairs (day date, n int, body text, PRIMARY KEY (day, n));
CREATE DOMAIN key_number AS int CHECK (VALUE <> 0);
CREATE TABLE uuids (id uuid PRIMARY KEY, n key_number NOT NULL, body text);
CREATE UNIQUE INDEX uuids_n ON uuids (n);
ALTER TABLE uuids REPLICA IDENTITY USING INDEX uuids_n;
CREATE TABLE moments (at timestamptz PRIMARY KEY, body text);
CREATE TABLE shuffled (id int PRIMARY KEY, body text);
CREATE TABLE words (word text PRIMARY KEY, body text);
CREATE TABLE heap (id int, body text);
CREATE TABLE small (id int PRIMARY KEY);
CREATE TABLE wide (id int PRIMARY KEY, n int, body text);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
CREATE TABLE child (id int PRIMARY KEY, parent bigint REFERENCES ids);
INSERT INTO ids SELECT i, 0, repeat('b', 60), 'code ' || i
	FROM generate_series(-2000, 2000) i;
INSERT INTO names SELECT chr(65 + i / 100) || repeat(chr(97 + i % 26), 80) || i, i
	FROM generate_series(0, 2599) i;
INSERT INTO names VALUES ('', 0), ('''', 1), (E'back\\slash', 2), ('Ä', 3);
INSERT INTO pairs SELECT '2024-01-01'::date + i / 100, i % 100, repeat('p', 60)
	FROM generate_series(0, 3999) i;
INSERT INTO uuids SELECT gen_random_uuid(), i + 1, repeat('u', 40)
	FROM generate_series(0, 2999) i;
INSERT INTO moments SELECT '2024-01-01Z'::timestamptz + i * interval '0.7 s',
	repeat('m', 60) FROM generate_series(0, 2999) i;
INSERT INTO moments VALUES ('infinity'), ('-infinity'), ('0044-03-15 12:00:00Z BC');
INSERT INTO shuffled SELECT (i * 7919) % 3001, repeat('s', 60)
	FROM generate_series(0, 2999) i;
INSERT INTO words SELECT 'word ' || i, repeat('w', 60) FROM generate_series(1, 2000) i;
INSERT INTO heap SELECT i, repeat('h', 60) FROM generate_series(1, 3000) i;
INSERT INTO small VALUES (1), (2);
INSERT INTO wide SELECT i, 0, repeat(md5(i::text), 100) FROM generate_series(1, 200) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 100) i;
ANALYZE;
SQL
my @tables = map { "public.$_" }
  qw(ids names pairs uuids moments shuffled words heap small wide child);

sub run_arguments
{
	return ('run', endpoints($source, $target), @split, @_);
}

sub on_target
{
	return $target->safe_psql('app', @_);
}

sub on_source
{
	return $source->safe_psql('app', @_);
}

# Without a message about it: this is about what the copy does by itself.
sub on_source_unannounced
{
	my ($sql) = @_;
	my @triggers = map { "_portage_ddl_$_" } qw(end drop rewrite);

	on_source("ALTER EVENT TRIGGER $_ DISABLE") foreach @triggers;
	on_source($sql);
	on_source("ALTER EVENT TRIGGER $_ ENABLE ALWAYS") foreach @triggers;
	return;
}

sub all_equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return tables_equal($source, 'app', $target, 'app', @tables);
}

# Begin anew with these tables and be killed when so many chunks are committed.
sub killed_after
{
	my ($chunks, $tables) = @_;

	begin_anew($source, $target);
	my $result = portage(run_arguments(@end, '--jobs', 1, '--tables', $tables),
		env => { PG_PORTAGE_FAILPOINT => "copy-committed:kill:$chunks" });

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result->{signal}, 9, "killed with $chunks chunks of $tables");
	return;
}

# Wait until a command that pauses at a failpoint is there.
sub start_paused
{
	my ($point, @arguments) = @_;
	unlink($resume);
	return portage_start(
		run_arguments(@arguments),
		env => {
			PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:pause/r,
			PG_PORTAGE_FAILPOINT_RESUME => $resume
		});
}

sub go_on
{
	my ($process, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	append_to_file($resume, "\n");
	is($process->wait_exit->{rc}, 0, $what)
	  || diag($process->stderr);
	return;
}

sub chunks
{
	my ($table, $what) = @_;
	return on_target("SELECT $what FROM portage.chunk"
		  . " WHERE table_name = '$table'");
}

# The state is not there from the beginning.
sub wait_for_chunks
{
	my ($table, $count) = @_;
	return wait_for(
		sub {
			(eval { chunks($table, q{count(*) FILTER (WHERE state = 'done')}) }
				  // 0) >= $count;
		},
		"$count chunks of $table");
}

# ---- which pieces
begin_anew($source, $target);
portage_ok(run_arguments(@end, '--jobs', 3));
all_equal();
my %kind = (
	ids => 'keys id',
	names => 'keys name',
	pairs => 'keys day',
	uuids => 'keys n',
	moments => 'keys at',
	shuffled => 'blocks',
	words => 'blocks',
	heap => 'blocks',
	wide => 'keys id',
	small => 'whole');
foreach my $table (sort keys %kind)
{
	is(chunks($table, "string_agg(DISTINCT concat_ws(' ', kind, key_column), ',')"),
		$kind{$table}, "$table: $kind{$table}");
	cmp_ok(chunks($table, 'count(*)'), '>=', 3, "$table is in pieces")
	  if $table ne 'small';
	is(chunks($table, q{count(*) FILTER (WHERE state <> 'done' OR NOT slot_snapshot)}),
		0, "$table: all of them are done, under the slot's snapshot");
	is( chunks($table, q{count(*) FILTER (WHERE range_low IS NULL) || ' '
			|| count(*) FILTER (WHERE range_high IS NULL)}),
		'1 1', "$table: open at both ends");
	is( on_target(
			"SELECT count(*) FROM (SELECT range_low IS DISTINCT FROM lag(range_high)"
			  . " OVER (ORDER BY number) AS gap FROM portage.chunk"
			  . " WHERE table_name = '$table') AS c WHERE gap"),
		0, "$table: no gap between them");
	is(chunks($table, 'sum(rows)'),
		on_source("SELECT count(*) FROM $table"),
		"$table: each row is in one of them");
}
is( chunks('ids', q{bool_and(rows < 1500)}), 't', 'ids: in pieces of like size');
is( on_target(q{SELECT count(*) FROM pg_index WHERE indrelid = 'ids'::regclass
	AND indisvalid}), 2, 'ids has its indexes');
# HEAP_XMIN_FROZEN of every row
on_target('CREATE EXTENSION pageinspect');
foreach my $table (qw(small ids))
{
	is( on_target(
			q{SELECT bool_and(t_infomask & 768 = 768) FROM}
			  . " heap_page_items(get_raw_page('$table', 0))"),
		$table eq 'small' ? 't' : 'f',
		"$table: " . ($table eq 'small' ? 'rows are frozen' : 'are not'));
}

# ---- rewritten between two pieces: copied again as a whole
my %rewrite = (
	'CLUSTER' => ['CLUSTER ids USING ids_pkey', 4001],
	'VACUUM FULL' => ['VACUUM FULL ids', 4001],
	'a rewriting ALTER' =>
	  [ 'ALTER TABLE ids ALTER v TYPE int USING v + 1', 4001 ],
	'TRUNCATE' => [ 'TRUNCATE ids, child', 0 ]);
foreach my $what ('CLUSTER', 'VACUUM FULL', 'a rewriting ALTER', 'TRUNCATE')
{
	my ($sql, $rows) = @{ $rewrite{$what} };

	begin_anew($source, $target);
	my $process = start_paused('copy-committed:3', @some, '--jobs', 1);
	wait_for_chunks('ids', 3);
	on_source_unannounced($sql);
	on_source(q{INSERT INTO ids VALUES (5000, 1, 'new', 'code 5000')});
	go_on($process, "$what between two pieces");
	like($process->stderr, qr/table public\.ids was rewritten on the source/,
		"$what: is seen");
	is(chunks('ids', q{string_agg(kind || ' ' || state || ' ' || slot_snapshot, ',')}),
		'whole done false', "$what: copied again under a later snapshot");
	is(on_target('SELECT count(*) FROM ids'), $rows + 1, "$what: rows of ids");
	if ($what eq 'TRUNCATE')
	{
		on_source(<<'SQL');
INSERT INTO ids SELECT i, 0, repeat('b', 60), 'code ' || i
	FROM generate_series(-2000, 2000) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 100) i;
SQL
		portage_ok(run_arguments(@some));
	}
	tables_equal($source, 'app', $target, 'app', 'ids', 'child');
	on_source('DELETE FROM ids WHERE id = 5000');
}

# ---- without a stream behind it all must be of one snapshot
begin_anew($source, $target);
my $alone = start_paused('copy-committed:3', '--copy-only', '--tables',
	'ids,child', '--jobs', 1);
wait_for_chunks('ids', 3);
on_source('CLUSTER ids USING ids_pkey');
on_source(q{INSERT INTO ids VALUES (6000, 1, 'new', 'code 6000')});
on_source('INSERT INTO child VALUES (6000, 6000)');
go_on($alone, 'rewritten in --copy-only');
like($alone->stderr, qr/copying all again, under one snapshot/, 'all again');
is( on_target('SELECT count(DISTINCT stamp_snapshot) FROM portage.chunk'),
	1, 'all is of one snapshot');
tables_equal($source, 'app', $target, 'app', 'ids', 'child');
on_source('DELETE FROM child WHERE id = 6000; DELETE FROM ids WHERE id = 6000');

# ---- columns that change on the way are not lost in silence
begin_anew($source, $target);
my $process = start_paused('copy-committed:3', @some, '--jobs', 1);
wait_for_chunks('ids', 3);
on_source('ALTER TABLE ids ALTER v TYPE bigint');
append_to_file($resume, "\n");
is($process->wait_exit->{rc}, 4, 'a column changes its type: stopped');
error_ok({ err => $process->stderr }, 'P0417', qr/columns of table public\.ids/,
	'changed columns');
my $differs = portage_fails(4, run_arguments(@some));
error_ok($differs, 'P0417', qr/column "v" of the target's table/,
	'until the target has them');
sql_as_target($target, 'app', 'ALTER TABLE ids ALTER v TYPE bigint');
portage_ok(run_arguments(@some));
tables_equal($source, 'app', $target, 'app', 'ids', 'child');

# ---- a crash: pieces by keys that are done stay
killed_after(3, 'ids,child');
my ($edge) = chunks('ids', 'max(range_high::bigint) FILTER (WHERE state = \'done\')');
my $kept = "SELECT md5(string_agg(ctid || ' ' || xmin, ',' ORDER BY id)) FROM ids"
  . " WHERE id BETWEEN -1900 AND $edge - 100";
my $before = on_target($kept);
is(chunks('ids', q{count(*) FILTER (WHERE state = 'done')}), 3, 'three are done');

# Across the border in both directions; a value of the second key as well; and
# rows that are changed, removed and new on either side.
on_source(<<"SQL");
BEGIN;
UPDATE ids SET code = 'free' WHERE id = -1999;
UPDATE ids SET code = 'code -1999' WHERE id = 1999;
UPDATE ids SET id = -3000, v = 7 WHERE id = 1998;
UPDATE ids SET id = 3000, v = 8 WHERE id = -1998;
UPDATE ids SET id = -3001 WHERE id = -1997;
UPDATE ids SET id = 3001 WHERE id = 1997;
DELETE FROM ids WHERE id IN (-1996, 1996);
INSERT INTO ids VALUES (-3002, 1, 'new', 'new 1'), (3002, 1, 'new', 'new 2');
UPDATE ids SET v = v + 1 WHERE id IN (-1995, 1995, $edge, $edge - 1);
INSERT INTO child VALUES (1000, -3002);
COMMIT;
SQL
$process = start_paused('stream-phase', @some);
wait_for(sub { (progress_row($target, 'app', 'app') // {})->{phase} eq 'stream' },
	'the copy to end');
is(on_target($kept), $before, 'rows of pieces that were done are the same');
is(chunks('ids', q{count(DISTINCT coalesce(stamp_snapshot, 'slot'))}), 2,
	'pieces of two snapshots');
is(on_target(q{SELECT string_agg(id::text, ' ' ORDER BY id) FROM ids
	WHERE code = 'code -1999'}), '-1999 1999',
	'which hold the same value of the second key');
my $waiting = q{SELECT string_agg(type || ' ' || object_name || ' ' || state, ', '
	ORDER BY number) FROM portage.ddl WHERE section = 'post-data'};
is(on_target($waiting), 'CONSTRAINT child child_pkey done,'
	  . ' CONSTRAINT ids ids_code_key waiting, CONSTRAINT ids ids_pkey done,'
	  . ' FK CONSTRAINT child child_parent_fkey waiting',
	'the second key and the foreign key wait');
go_on($process, 'the stream passes the newest stamp');
tables_equal($source, 'app', $target, 'app', 'ids', 'child');
is(on_target($kept), $before, 'and nobody has touched the others');
is(on_target(q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}), 0,
	'nothing waits any more');
is(on_target(q{SELECT count(*) FROM pg_constraint WHERE convalidated
	AND conname IN ('ids_code_key', 'child_parent_fkey')}), 2, 'both are there');

# ---- ranges of blocks mean nothing under another snapshot: read again
killed_after(2, 'shuffled');
on_source(q{UPDATE shuffled SET id = -id - 1 WHERE id % 7 = 0});
on_source('VACUUM shuffled');
on_source(q{UPDATE shuffled SET body = 'again' WHERE id % 5 = 0});
portage_ok(run_arguments(@end, '--tables', 'shuffled', '--jobs', 4));
is(chunks('shuffled', q{count(DISTINCT stamp_snapshot) || ' '
	|| count(*) FILTER (WHERE slot_snapshot)}), '1 0', 'all under one new snapshot');
cmp_ok(chunks('shuffled', 'count(*)'), '>=', 3, 'in its pieces');
tables_equal($source, 'app', $target, 'app', 'shuffled');

# ---- a rewrite between two starts
killed_after(2, 'ids');
on_source_unannounced('ALTER TABLE ids ALTER v TYPE bigint USING v * 2');
portage_ok(run_arguments(@end, '--tables', 'ids'));
is(chunks('ids', q{string_agg(kind, ' ')}), 'whole',
	'a table that was rewritten since is copied as a whole');
tables_equal($source, 'app', $target, 'app', 'ids');

# ---- a row that moves, with a value that the WAL does not repeat
killed_after(2, 'wide');
on_source(q{UPDATE wide SET id = -1 WHERE id = 200});
my $moved = portage_fails(4, run_arguments(@end, '--tables', 'wide'));
error_ok($moved, 'P0424', qr/column "body"/, 'an unchanged value of a moved row');
like($moved->{err}, qr/REPLICA IDENTITY FULL/, 'and what avoids it');
on_source('ALTER TABLE wide REPLICA IDENTITY FULL');
killed_after(2, 'wide');
on_source(q{UPDATE wide SET id = -2 WHERE id = 199});
on_source(q{UPDATE wide SET id = 300 WHERE id = 1});
portage_ok(run_arguments(@end, '--tables', 'wide'));
is(chunks('wide', q{count(DISTINCT coalesce(stamp_snapshot, 'slot'))}), 2,
	'pieces of two snapshots again');
tables_equal($source, 'app', $target, 'app', 'wide');

# ---- somebody else's row
killed_after(1, 'ids,shuffled');
sql_as_target($target, 'app', q{INSERT INTO shuffled VALUES (-77, 'not ours')});
my $foreign = portage_fails(4, run_arguments(@end, '--tables', 'ids,shuffled'));
error_ok($foreign, 'P0401', qr/table public\.shuffled/, 'not ours');
is(on_target('SELECT count(*) FROM shuffled'), 1, 'nothing was touched');

done_testing();
