# DDL on the source while the copy is interrupted: some pieces of a table were
# read before the command and others after it, and the stream brings the command
# and rows of both times.  Either that goes on by itself, or it stops with a code
# and a remedy, and the remedy leads to equal rows and schemas.

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
my $out_of_date = qr/UPDATE portage\.ddl SET sql = '\.\.\.' WHERE stream = 'app' AND number = (\d+)/;

# In pieces that are done and in such that are not.
my $rows = <<'SQL';
UPDATE ids SET v = v + 1 WHERE id IN (5, 6, 2990, 2991);
UPDATE ids SET id = -id WHERE id IN (7, 2992);
DELETE FROM ids WHERE id IN (1000, 2999);
INSERT INTO ids (id, v, code) VALUES (-10, 1, 'first'), (4000, 1, 'last');
SQL

sub on_target
{
	return $target->safe_psql('app', @_);
}

sub on_source
{
	return $source->safe_psql('app', @_);
}

sub by_hand
{
	return sql_as_target($target, 'app', @_);
}

# With messages about it, or without.
sub on_source_ddl
{
	my ($announced, $sql) = @_;
	my @triggers = map { "_portage_ddl_$_" } qw(end drop rewrite);

	on_source("ALTER EVENT TRIGGER $_ DISABLE") foreach $announced ? () : @triggers;
	on_source($_) foreach ref $sql ? @$sql : $sql;
	on_source("ALTER EVENT TRIGGER $_ ENABLE ALWAYS") foreach $announced ? () : @triggers;
	return;
}

sub chunks
{
	my ($what) = @_;
	return on_target("SELECT $what FROM portage.chunk WHERE table_name IN ('ids', 'renamed')");
}

# Begin anew, and be killed when two pieces of ids are done; ids is the biggest.
sub interrupt
{
	my ($what) = @_;

	on_source('DROP TABLE IF EXISTS ids, child, other, renamed, fresh CASCADE');
	begin_anew($source, $target);
	on_source(<<'SQL');
CREATE TABLE ids (id bigint PRIMARY KEY, v int, body text, code text UNIQUE);
CREATE TABLE child (id int PRIMARY KEY, parent bigint REFERENCES ids ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE other (id int PRIMARY KEY, w text);
INSERT INTO ids SELECT i, 0, repeat('b', 60), 'code ' || i FROM generate_series(1, 3000) i;
INSERT INTO child SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO other SELECT i, i FROM generate_series(1, 100) i;
ANALYZE;
SQL
	my $result = portage(@run, env => { PG_PORTAGE_FAILPOINT => 'copy-committed:kill:2' });

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result->{signal}, 9, "$what: killed in the copy");
	is(chunks(q{count(*) FILTER (WHERE state = 'done' AND slot_snapshot) || ' '
		|| (count(*) FILTER (WHERE state = 'todo') > 1) || ' ' || count(DISTINCT kind) || min(kind)}),
		'2 true 1keys', "$what: two pieces of ids by keys are done, others are not");
	return;
}

sub stops
{
	my ($code, $words, $what, @more) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails(4, @run, @more);
	error_ok($result, $code, $words, $what);
	return $result->{err};
}

# The statement of an entry, as it has to be now.
sub rewrite_entry
{
	my ($words, $what, $from, $to, @more) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($number) = stops('P0421', $words, $what, @more) =~ $out_of_date;
	ok(defined $number, "$what: the hint names the entry");
	return on_target("UPDATE portage.ddl SET sql = replace(sql, '$from', '$to')"
		  . " WHERE stream = 'app' AND number = " . ($number // 0));
}

sub all_equal
{
	my ($ids, @more) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	tables_equal($source, 'app', $target, 'app', $ids, 'child', 'other', @more);
	is(on_target(q{SELECT count(*) FROM portage.ddl WHERE state <> 'done'}), 0,
		'nothing waits any more');
	return schemas_equal($source, 'app', $target, 'app');
}

sub go_on_paused
{
	my ($point, $what, $sql) = @_;

	unlink($resume);
	my $process = portage_start(@run,
		env => { PG_PORTAGE_FAILPOINT => $point, PG_PORTAGE_FAILPOINT_RESUME => $resume });
	wait_for(
		sub {
			$what eq 'stream'
			  ? progress_row($target, 'app', 'app')->{phase} eq 'stream'
			  : chunks(q{count(*) FILTER (WHERE state = 'done')}) == 4;
		},
		"the pause at $point");
	$sql->();
	append_to_file($resume, "\n");
	my $end = $process->wait_exit;
	return { rc => $end->{rc}, err => $process->stderr };
}

foreach my $announced (1, 0)
{
	my $how = $announced ? 'announced' : 'from the rows';

	# ---- before the restart: the table's pieces are all read again
	interrupt("columns, $how");
	on_source_ddl($announced, [ $rows, <<"SQL", <<'SQL' ]);
BEGIN; ALTER TABLE ids ADD x int DEFAULT 5; UPDATE ids SET x = 6 WHERE id IN (8, 2980); ALTER TABLE ids ALTER x DROP DEFAULT; COMMIT;
ALTER TABLE ids DROP body; ALTER TABLE ids RENAME v TO w; ALTER TABLE other RENAME w TO u; INSERT INTO other VALUES (200, 'x');
CREATE TABLE fresh (id int PRIMARY KEY, v text); INSERT INTO fresh VALUES (1, 'x'), (2, 'y');
SQL
UPDATE ids SET w = w + 10 WHERE id IN (9, 10, 2980); DELETE FROM ids WHERE id IN (500, 2500); INSERT INTO ids (id) VALUES (-11), (4001);
SQL
	stops('P0417', qr/table public\.ids: column "\w+" of the target's/, "columns, $how");
	by_hand('ALTER TABLE ids ADD x int DEFAULT 5, DROP body; ALTER TABLE ids RENAME v TO w');
	by_hand('ALTER TABLE ids ALTER x DROP DEFAULT');
	stops('P0417', qr/table public\.other: column "w" of the target's/, "columns of another, $how");
	by_hand('ALTER TABLE other RENAME w TO u');
	portage_ok(@run);
	is(chunks(q{count(DISTINCT stamp_snapshot) || ' ' || count(*) FILTER (WHERE slot_snapshot) || ' ' || (count(*) > 3)}),
		'1 0 true', 'ids was read again in its pieces');
	all_equal('ids', 'fresh');

	# what is known of the tables is what was copied
	on_source_ddl($announced, <<'SQL');
ALTER TABLE ids ADD y int; ALTER TABLE other DROP u;
UPDATE ids SET w = w + 1, y = 1 WHERE id < 20; UPDATE other SET id = -id WHERE id < 5;
SQL
	portage_ok(@run);
	all_equal('ids', 'fresh');

	# ---- a name that an object speaks of which is still to be created; and, once
	# tables of two snapshots are there, DDL that one shows and the other does not
	interrupt("a key's column, $how");
	on_source_ddl($announced, 'ALTER TABLE ids RENAME code TO kode');
	stops('P0417', qr/table public\.ids: column "code"/, "a key's column, $how");
	by_hand('ALTER TABLE ids RENAME code TO kode');
	rewrite_entry(qr/CONSTRAINT public\.ids ids_code_key: .*column "code"/, "a key's column, $how", '(code)', '(kode)');
	on_source_ddl($announced, [ $rows =~ s/, code\)/, kode)/r, q{ALTER TABLE ids ADD z text; ALTER TABLE ids ALTER id TYPE bigint}, q{INSERT INTO ids (id, kode) VALUES (7000, 'new')} ]);
	portage_ok(@run);
	is(on_target('SELECT count(DISTINCT stamp_snapshot) FROM portage.chunk'), 2, 'tables of two snapshots');
	all_equal('ids');
}

# ---- pieces of two snapshots, and DDL between them that changes no column
interrupt('an index');
on_source_ddl(1, [ $rows, 'CREATE INDEX ids_v ON ids (v)', q{UPDATE ids SET v = 7 WHERE id IN (11, 2989)} ]);
my ($lsn) = stops('P0425', qr/CREATE INDEX in .*: CONSTRAINT ids ids_code_key waits until the stream has passed/, 'an index') =~
  /--ddl-done (\S+),/;
is(chunks(q{count(DISTINCT coalesce(stamp_snapshot, 'slot'))}), 2, 'pieces of two snapshots');
by_hand('CREATE INDEX ids_v ON ids (v)');
portage_ok(@run, '--ddl-done', $lsn);
all_equal('ids');

# ---- behind the newest stamp: what waits is created first, then comes the command;
# also if no transaction ends at the stamp, as other WAL lies before it
my $went_on;
foreach my $case ([ 'at its end', $rows ], [ 'with other WAL between', "$rows SELECT pg_switch_wal()" ],
	[ 'with no other transaction', 'SELECT pg_switch_wal()' ])
{
	my ($what, $before) = ("behind the copy, $case->[0]", $case->[1]);

	interrupt($what);
	on_source($before);
	$went_on = go_on_paused('stream-phase:pause', 'stream', sub {
		is(chunks(q{count(DISTINCT coalesce(stamp_snapshot, 'slot'))}), 2, "$what: pieces of two snapshots");
		is(on_target(q{SELECT string_agg(object_name, ', ' ORDER BY number) FROM portage.ddl WHERE state = 'waiting'}),
			'ids ids_code_key, child child_parent_fkey', "$what: two keys wait");
		on_source(q{ALTER TABLE ids RENAME code TO kode; ALTER TABLE ids RENAME id TO ident; ALTER TABLE child ADD n int DEFAULT 3});
		on_source(q{UPDATE ids SET ident = -ident, kode = 'moved' WHERE ident = 20; DROP INDEX IF EXISTS none; CREATE INDEX ids_v ON ids (v)});
	});
	is($went_on->{rc}, 0, "$what: it goes on by itself") || diag($went_on->{err});
	all_equal('ids');
}

# ---- between two pieces of the second start: the snapshot does not show it
interrupt('between two pieces');
sub between_pieces
{
	my ($sql) = @_;
	return go_on_paused('copy-committed:pause:2', 'piece', sub {
		is(chunks(q{count(*) FILTER (WHERE state = 'done') || ' ' || count(DISTINCT stamp_snapshot)}), '4 1', 'pieces of two snapshots');
		on_source($sql);
	});
}
$went_on = between_pieces('ALTER TABLE ids ADD x int DEFAULT 1; UPDATE ids SET x = id WHERE id % 100 = 0');
is($went_on->{rc}, 0, 'a new column comes in the stream') || diag($went_on->{err});
all_equal('ids');
interrupt('a column that goes');
error_ok(between_pieces('ALTER TABLE ids DROP body; UPDATE ids SET v = id WHERE id % 100 = 0'), 'P0417', qr/columns of table public\.ids/, 'a column that goes');
by_hand('ALTER TABLE ids DROP body');
portage_ok(@run);
is(chunks(q{count(DISTINCT coalesce(stamp_snapshot, 'slot'))}), 1, 'all was read again');
all_equal('ids');

# ---- the table has another name, and is dropped in the end
interrupt('renamed');
on_source($rows);
error_ok(between_pieces('ALTER TABLE ids RENAME TO renamed; UPDATE renamed SET v = v + 100 WHERE id % 10 = 0'),
	'P0417', qr/table public\.ids was renamed, moved or dropped/, 'a name that goes');
stops('P0417', qr/table public\.renamed: it is not on the target/, 'renamed');
by_hand('ALTER TABLE ids RENAME TO renamed');
rewrite_entry(qr/CONSTRAINT public\.ids ids_code_key: /, 'its key', 'public.ids', 'public.renamed');
rewrite_entry(qr/CONSTRAINT public\.ids ids_pkey: /, 'its primary key', 'public.ids', 'public.renamed');
rewrite_entry(qr/FK CONSTRAINT public\.child child_parent_fkey: /, 'what refers to it', 'public.ids', 'public.renamed');
portage_ok(@run);
all_equal('renamed');


interrupt('dropped');
on_source('DROP TABLE other');
stops('P0420', qr/table public\.other is not on the source any more/, 'a table that was dropped');

done_testing();
