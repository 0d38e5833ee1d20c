# The applier is killed at each step of carrying DDL onto MySQL and MariaDB, under
# load, and goes on: what commits by itself is carried out exactly once. So is it
# when the server is killed, and when the killed one's transaction is large.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');
my @run = ('run', mysql_endpoints($source, $target));
my $round = 0;
my $load;

pgbench_init($source, 'app');
$source->safe_psql('app', <<'SQL');
ALTER TABLE pgbench_history ADD id bigserial PRIMARY KEY;
CREATE TABLE grown (id int PRIMARY KEY, v text, x int NOT NULL);
CREATE TABLE swapped (id int PRIMARY KEY, a text, b text);
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO grown VALUES (0, 'first', 1);
INSERT INTO swapped SELECT i, 'a' || i, 'b' || i FROM generate_series(1, 30) i;
INSERT INTO parted VALUES (0, 0);
SQL
portage_ok(@run, '--until', 'caught-up');

# Statements before the rows: the new column and its default, the exchange of two
# names in two, two tables, one of them dropped again later; behind the rows: NOT
# NULL and an index. Done twice, each would fail or give something else.
sub change_schema
{
	my ($rows) = @_;
	$round++;
	my $low = $round * 100;
	my $high = $low + 100;
	my $last = $round - 1;
	my $drop = $round > 1 ? "DROP TABLE made_$last;" : '';
	$source->safe_psql('app', <<"SQL");
BEGIN;
INSERT INTO grown VALUES ($round, 'before', 1);
ALTER TABLE grown ADD COLUMN c$round timestamptz DEFAULT now();
INSERT INTO grown (id, v, x) VALUES (-$round, 'after', 2);
ALTER TABLE grown ADD COLUMN n$round int;
UPDATE grown SET n$round = id;
ALTER TABLE grown ALTER n$round SET NOT NULL, ALTER n$round SET DEFAULT 0;
UPDATE swapped SET a = a || '.' WHERE id % 2 = 0;
ALTER TABLE swapped RENAME a TO c;
ALTER TABLE swapped RENAME b TO a;
ALTER TABLE swapped RENAME c TO b;
INSERT INTO swapped VALUES (1000 + $round, 'a', 'b');
CREATE TABLE made_$round (id int PRIMARY KEY, v text);
INSERT INTO made_$round SELECT i, 'm' FROM generate_series(1, 50) i;
CREATE TABLE parted_$round PARTITION OF parted FOR VALUES FROM ($low) TO ($high);
INSERT INTO parted SELECT i, i FROM generate_series($low, $high - 1) i;
CREATE INDEX grown_c$round ON grown (c$round);
$drop
COMMIT;
UPDATE grown SET v = v || '!' WHERE id > 0;
SQL
	return;
}

# Only the rows tell of it: the event triggers are off.
sub change_silently
{
	$round++;
	$source->safe_psql('app', <<"SQL");
ALTER EVENT TRIGGER _portage_ddl_end DISABLE;
ALTER EVENT TRIGGER _portage_ddl_drop DISABLE;
ALTER TABLE grown RENAME COLUMN v TO y;
ALTER TABLE grown ADD COLUMN c$round int DEFAULT $round;
CREATE TABLE made_$round (id int PRIMARY KEY, v text);
INSERT INTO made_$round VALUES (1, 'x');
INSERT INTO grown (id, y, x, c$round) SELECT $round, 'silent', 1, 1;
ALTER TABLE grown RENAME COLUMN y TO v;
UPDATE grown SET v = 'silent!' WHERE id = $round;
ALTER EVENT TRIGGER _portage_ddl_end ENABLE ALWAYS;
ALTER EVENT TRIGGER _portage_ddl_drop ENABLE ALWAYS;
SQL
	return;
}

# It commits, and again since we have begun to look.
sub load_goes_on
{
	my $newest = 'SELECT max(id) FROM pgbench_history';
	my $before = $source->safe_psql('app', $newest);

	return wait_for(
		sub {
			die $load->stderr unless $load->running;
			$source->safe_psql('app', $newest) ne $before;
		},
		'the load to go on');
}

sub nothing_left
{
	my ($what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($target->value('app', 'SELECT count(*) FROM portage_intent'), 0,
		"$what: nothing is left to do");
}

$load = pgbench_start($source, 'app', clients => 2, args => [ '--rate', '100' ]);
foreach my $step (
	(map { [ $_, \&change_schema ] } qw(ddl-message:1 ddl-message:4 ddl-intended
			ddl-executed:1 ddl-noted:1 ddl-executed:2 ddl-noted:2 ddl-executed:3 ddl-noted:3
			ddl-executed:4 ddl-noted:4 ddl-executed:5 ddl-noted:5 ddl-executed:6 ddl-noted:6
			relation-changed ddl-executed:7 ddl-noted:7 ddl-executed:8 ddl-noted:8)),
	map { [ $_, \&change_silently ] } qw(ddl-intended:2 ddl-executed:1 ddl-noted:1 ddl-executed:2 relation-changed:2))
{
	my ($point, $change) = @$step;
	my ($name, $nth) = split(/:/, $point);
	my $armed = "$name:kill" . (defined $nth ? ":$nth" : '');

	$change->();
	load_goes_on();
	my $process = portage_start(@run, env => { PG_PORTAGE_FAILPOINT => $armed });
	is($process->wait_exit->{signal}, 9, "killed at $point");
	ok(load_goes_on(), "$point: under load");
	portage_ok(@run, '--until', 'caught-up');
	nothing_left($point);
}

# Killed when it does the same again, and once more.
change_schema();
load_goes_on();
foreach my $armed (qw(ddl-executed:kill:2 ddl-executed:kill:1 ddl-noted:kill:2 epoch-bumped:kill
	batch-applied:kill:1 ddl-noted:kill:1))
{
	my $result = portage(@run, '--until', 'caught-up', env => { PG_PORTAGE_FAILPOINT => $armed });
	is($result->{signal}, 9, "killed again at $armed");
}
portage_ok(@run, '--until', 'caught-up');
nothing_left('killed again and again');

# What only fails is tried again by itself.
foreach my $point (qw(ddl-intended ddl-executed:2 ddl-noted:3 ddl-executed:7 ddl-noted:8))
{
	my ($name, $nth) = split(/:/, $point);
	change_schema();
	my $result = portage_ok(@run, '--until', 'caught-up',
		env => { PG_PORTAGE_FAILPOINT => "$name:error" . (defined $nth ? ":$nth" : '') });
	like($result->{err}, qr/warning: trying again: .*failpoint $name \[P0303\]/, "$point: tried again");
	nothing_left($point);
}

# The server is killed in the middle of it.
foreach my $point (qw(ddl-intended ddl-executed:1 ddl-executed:3 ddl-noted:5 ddl-executed:7))
{
	my ($name, $nth) = split(/:/, $point);
	change_schema();
	my $process = portage_start(@run,
		env => { PG_PORTAGE_FAILPOINT => "$name:stop" . (defined $nth ? ":$nth" : '') });
	wait_for(sub { $process->state eq 'T' }, "it to stop at $point");
	cmp_ok($target->value('app', 'SELECT count(*) FROM portage_intent'), '>', 0,
		"$point: there is something left to do");
	$target->kill9;
	$target->start;
	$process->signal('CONT');
	wait_for_err($process, qr/trying again/);
	$process->term;
	$process->wait_exit;
	portage_ok(@run, '--until', 'caught-up');
	nothing_left("server killed at $point");
}

pgbench_stop($source, $load);
portage_ok(@run, '--until', 'caught-up');
contents_equal($source, 'app', $target, 'app');
my $columns = q{SELECT string_agg(attname || CASE WHEN attnotnull THEN '!' ELSE '' END, ',' ORDER BY attname COLLATE "C")
	FROM pg_attribute WHERE attrelid = 'grown'::regclass AND attnum > 0 AND NOT attisdropped};
is( join(',', map { $_->[0] } $target->rows('app', q{SELECT concat(column_name, if(is_nullable = 'NO', '!', ''))
	FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'grown' ORDER BY BINARY column_name})),
	$source->safe_psql('app', $columns), 'every column, and NOT NULL');
is( $target->value('app', q{SELECT count(*) FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = 'grown' AND index_name LIKE 'grown%'}),
	$source->safe_psql('app', q{SELECT count(*) FROM pg_indexes WHERE tablename = 'grown' AND indexname LIKE 'grown_c%'}),
	'every index once');

# A transaction in pieces: its first one has the DDL, and it is begun again.
$source->safe_psql('app', <<'SQL');
BEGIN;
INSERT INTO grown (id, v, x) VALUES (5000, 'before', 1);
ALTER TABLE swapped ADD big int DEFAULT 7;
INSERT INTO swapped SELECT i, 'a', 'b', i FROM generate_series(10000, 110000) i;
COMMIT;
SQL
foreach my $armed ('piece-applied:kill:1', 'progress-updated:kill:1', 'piece-applied:kill:1')
{
	my $result = portage(@run, '--until', 'caught-up', env => { PG_PORTAGE_FAILPOINT => $armed });
	is($result->{signal}, 9, "in pieces, killed at $armed");
}
portage_ok(@run, '--until', 'caught-up');
nothing_left('in pieces');
contents_equal($source, 'app', $target, 'app', tables => [ 'public.swapped', 'public.grown' ]);

# Behind rows that are written it is too late, except by hand.
$source->safe_psql('app', <<'SQL');
BEGIN;
INSERT INTO swapped SELECT i, 'a', 'b', i FROM generate_series(200000, 260000) i;
ALTER TABLE swapped ADD late int DEFAULT 8;
INSERT INTO swapped SELECT i, 'a', 'b', i, i FROM generate_series(300000, 360000) i;
COMMIT;
SQL
my $result = portage_fails(4, @run, '--until', 'caught-up');
error_ok($result, 'P0425', qr/too large to be looked at as a whole/, 'in a later piece');
is($target->value('app', 'SELECT count(*) FROM swapped WHERE id >= 200000'), 0, 'nothing of it is applied');
my ($lsn) = $result->{err} =~ m{--ddl-done ([0-9A-F]+/[0-9A-F]+)};
$target->query('app', 'ALTER TABLE swapped ADD late int DEFAULT 8');
portage_ok(@run, '--until', 'caught-up', '--ddl-done', $lsn);
contents_equal($source, 'app', $target, 'app', tables => [ 'public.swapped', 'public.grown' ]);

done_testing();
