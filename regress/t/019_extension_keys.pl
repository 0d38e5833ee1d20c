# A key of an extension's type is compared by that type's own operator, and so
# found by its index: the session's search_path leads to pg_catalog only. The
# extension is in a schema of its own, which a superuser has made on the target.

use strict;
use warnings;

use PortageBadDay;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');

$source->safe_psql('app', <<'SQL');
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE TABLE word (word ext.citext PRIMARY KEY, n int);
INSERT INTO word SELECT 'Word' || g, g FROM generate_series(1, 2000) AS g;
SQL
$target->safe_psql('app', 'CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;'
	  . 'GRANT USAGE ON SCHEMA ext TO PUBLIC');
$source->safe_psql('app', 'GRANT USAGE ON SCHEMA ext TO PUBLIC');
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');

$source->safe_psql('app', <<'SQL');
UPDATE word SET n = -n WHERE n % 2 = 0;
UPDATE word SET word = 'WORD' || n WHERE n BETWEEN 1 AND 100;
DELETE FROM word WHERE n BETWEEN 101 AND 300;
SQL
my $scans = 'SELECT coalesce(seq_scan, 0) FROM pg_stat_user_tables'
  . " WHERE relname = 'word'";
# A session tells what it has done when it ends, which is after its applier.
sessions_end($target);
my $before = $target->safe_psql('app', $scans);
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
sessions_end($target);

my $used = "SELECT idx_scan >= 1000 FROM pg_stat_user_tables"
  . " WHERE relname = 'word'";
wait_for(sub { $target->safe_psql('app', $used) eq 't' },
	'statistics say that the index was used');
is($target->safe_psql('app', $scans), $before, 'no row was searched for');
tables_equal($source, 'app', $target, 'app', 'public.word');

done_testing();
