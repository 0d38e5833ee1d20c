# A partition that is attached, or made, while there are no event triggers: what
# it is a partition of and for which values is in no relation record.  The stream
# stops before the first of its rows, and what the message says leads on.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', extension => 0, fsync => 0);
my $target = target_new('target', fsync => 0);
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');
my @tables = qw(plain p ready);

sub on_source
{
	return $source->safe_psql('app', @_);
}

on_source(<<'SQL');
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE p (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE p_eu PARTITION OF p FOR VALUES IN ('eu');
CREATE TABLE ready (id int, region text, v text, PRIMARY KEY (id, region));
CREATE TABLE sub (id int, region text, v text, PRIMARY KEY (id, region)) PARTITION BY RANGE (id);
CREATE TABLE sub_low PARTITION OF sub FOR VALUES FROM (0) TO (100);
INSERT INTO plain VALUES (1, 'x'); INSERT INTO p SELECT i, 'eu', 'v' FROM generate_series(1, 20) i;
INSERT INTO ready SELECT i, 'us', 'r' FROM generate_series(1, 20) i; INSERT INTO sub SELECT i, 'sub', 's' FROM generate_series(1, 20) i;
SQL
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', @tables, 'sub');

# The end of the one commit of $sql, as the stream knows it: by another slot.
sub commit_of
{
	my ($sql, $table) = @_;

	on_source(q{SELECT pg_create_logical_replication_slot('beside', 'pg_portage')});
	on_source($sql);
	my $lsn = on_source(<<"SQL");
SELECT json->>'lsn' FROM (SELECT data::json AS json FROM pg_logical_slot_get_changes('beside', NULL, NULL)) AS c
WHERE json->>'op' = 'commit' AND json->>'xid' = (SELECT xmin::text FROM $table WHERE v = 'first')
SQL
	on_source(q{SELECT pg_drop_replication_slot('beside')});
	return $lsn;
}

# $before_rows: the transaction that is to be refused changes plain first.
sub stops
{
	my ($what, $words, $ddl, $table, $row) = @_;
	my $lsn = commit_of("$ddl; BEGIN; UPDATE plain SET v = '$what'; $row; UPDATE plain SET v = v || '!'; COMMIT;", $table);
	my $before = evidence($target, 'app', 'app', @tables);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($lsn, qr{\A[0-9A-F]+/[0-9A-F]+\z}, "$what: the commit is known");
	my $result = portage_fails(4, @run);
	error_ok($result, 'P0425', $words, $what);
	like($result->{err}, qr/transaction that committed at \Q$lsn\E cannot be carried/, "$what: the message names the commit");
	like($result->{err}, qr/hint: Carry it out by hand on the target and run again with --ddl-done \Q$lsn\E,/, "$what: and so does the hint");
	# positions move with the transactions before it, rows do not
	my $now = evidence($target, 'app', 'app', @tables);
	is_deeply([ map { $now->{$_} } @tables ], [ map { $before->{$_} } @tables ], "$what: nothing of it is on the target");
	cmp_ok(lsn($now->{progress}{resume_lsn}), '<', lsn($lsn), "$what: it stands before it");
	portage_fails(4, @run);
	my $by_hand = portage_fails(4, @run, '--ddl-done', '0/1');
	error_ok($by_hand, 'P0425', $words, "$what, with another LSN");
	sql_as_target($target, 'app', $ddl);
	portage_ok(@run, '--ddl-done', $lsn);
	tables_equal($source, 'app', $target, 'app', @tables);
	on_source(q{UPDATE p SET v = v || '.'; INSERT INTO plain SELECT max(id) + 1, 'on' FROM plain});
	portage_ok(@run);
	tables_equal($source, 'app', $target, 'app', @tables);
	return schemas_equal($source, 'app', $target, 'app');
}

stops('attached', qr/it became a partition of public\.p, and its bounds are not in the stream/,
	q{ALTER TABLE p ATTACH PARTITION ready FOR VALUES IN ('us')}, 'p', q{INSERT INTO p VALUES (100, 'us', 'first')});
stops('made', qr/table public\.p_new is a partition of public\.p, and its bounds/,
	q{CREATE TABLE p_new PARTITION OF p FOR VALUES IN ('new')}, 'p', q{INSERT INTO p VALUES (101, 'new', 'first')});
stops('attached with its own', qr/it became a partition of public\.p, and its bounds/,
	q{ALTER TABLE p ATTACH PARTITION sub FOR VALUES IN ('sub')}, 'p', q{INSERT INTO p VALUES (50, 'sub', 'first')});

done_testing();
