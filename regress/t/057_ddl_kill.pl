# The applier is killed at each step of carrying DDL, under load, and goes on:
# each command is carried out exactly once.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @run = ('run', endpoints($source, $target));
my @tables = qw(pgbench_accounts pgbench_branches pgbench_tellers pgbench_history
  doubled grown parted child);
my $round = 0;
my $load;

pgbench_init($source, 'app');
$source->safe_psql('app', <<'SQL');
ALTER TABLE pgbench_history REPLICA IDENTITY FULL;
CREATE TABLE doubled (id int PRIMARY KEY, v int);
CREATE TABLE grown (id int PRIMARY KEY, v text);
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE child (id int PRIMARY KEY, doubled int REFERENCES doubled ON DELETE CASCADE);
INSERT INTO doubled SELECT i, 1 FROM generate_series(1, 20) i;
INSERT INTO grown VALUES (0, 'first'); INSERT INTO parted VALUES (0, 0);
INSERT INTO child SELECT i, i FROM generate_series(1, 20) i;
SQL
portage_ok(@run, '--until', 'caught-up');

# A second time, each of these would fail or give other values.
sub change_schema
{
	$round++;
	my $low = $round * 100;
	my $high = $low + 100;
	$source->safe_psql('app', <<"SQL");
BEGIN;
ALTER TABLE doubled ALTER v TYPE int USING v + 1;
INSERT INTO grown VALUES ($round, 'before');
ALTER TABLE grown ADD COLUMN c$round timestamptz DEFAULT now();
INSERT INTO grown VALUES (-$round, 'after');
ALTER TABLE doubled RENAME COLUMN v TO w; ALTER TABLE doubled RENAME COLUMN w TO v;
CREATE TABLE parted_$round PARTITION OF parted FOR VALUES FROM ($low) TO ($high);
INSERT INTO parted SELECT i, i FROM generate_series($low, $high - 1) i;
ALTER TABLE child RENAME CONSTRAINT child_doubled_fkey TO moved; ALTER TABLE child RENAME CONSTRAINT moved TO child_doubled_fkey;
COMMIT;
CREATE TABLE filled_$round AS SELECT * FROM grown;
UPDATE doubled SET v = v + 1 WHERE id % 2 = 0;
SQL
	push(@tables, "filled_$round");
	return;
}

# Only the rows tell of it: the event triggers are off.
sub change_silently
{
	$round++;
	$source->safe_psql('app', <<"SQL");
ALTER EVENT TRIGGER _portage_ddl_end DISABLE;
ALTER TABLE grown RENAME COLUMN v TO x;
ALTER TABLE grown RENAME COLUMN x TO v;
ALTER TABLE grown ADD COLUMN c$round int DEFAULT $round;
CREATE TABLE silent_$round (id int PRIMARY KEY, v text);
INSERT INTO silent_$round VALUES (1, 'x');
ALTER EVENT TRIGGER _portage_ddl_end ENABLE ALWAYS;
INSERT INTO grown (id, v) VALUES ($round, 'silent');
SQL
	push(@tables, "silent_$round");
	return;
}

# It commits, and again since we have begun to look.
sub load_goes_on
{
	my $newest = 'SELECT max(mtime) FROM pgbench_history';
	my $before = $source->safe_psql('app', $newest);

	return wait_for(
		sub {
			die $load->stderr unless $load->running;
			$source->safe_psql('app', $newest) ne $before;
		},
		'the load to go on');
}

$load = pgbench_start($source, 'app', clients => 2,
	args => [ '--rate', '100' ]);

foreach my $step (
	(map { [ $_, \&change_schema ] } qw(ddl-message:1 ddl-message:4 ddl-replayed:1
			ddl-replayed:3 ddl-replayed:6 progress-updated batch-committed)),
	map { [ $_, \&change_silently ] } qw(relation-changed:1 relation-changed:2))
{
	my ($point, $change) = @$step;
	my ($name, $nth) = split(/:/, $point);
	my $armed = "$name:kill" . (defined $nth ? ":$nth" : '');

	# of a batch, that with the DDL in it is meant
	$change->();
	load_goes_on();
	my $process = portage_start(@run, env => { PG_PORTAGE_FAILPOINT => $armed });
	is($process->wait_exit->{signal}, 9, "killed at $point");
	ok(load_goes_on(), "$point: under load");
	portage_ok(@run, '--until', 'caught-up');
}
pgbench_stop($source, $load);
portage_ok(@run, '--until', 'caught-up');
tables_equal($source, 'app', $target, 'app', @tables);

is($target->safe_psql('app', q{SELECT count(*) FROM portage.ddl WHERE type = 'FK CONSTRAINT'}),
	'1', 'the foreign key waits once');
portage_ok('finish', endpoints($source, $target));
my $columns = q{SELECT string_agg(attrelid::regclass || '.' || attname, ' ' ORDER BY attrelid::regclass::text, attnum)
	FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (SELECT oid FROM pg_class
	WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace)};
is($target->safe_psql('app', $columns), $source->safe_psql('app', $columns), 'every column, in order');

done_testing();
