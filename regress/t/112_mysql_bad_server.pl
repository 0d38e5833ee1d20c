# A server whose defaults would lose rows in silence takes the same rows as any
# other: MyISAM as the default engine, no strict mode, latin1, a log that is not
# flushed at each commit, no LOAD DATA LOCAL. One that becomes read-only is waited
# for; a row that it takes in no packet is named.

use strict;
use warnings;
use utf8;

use PortageMysql;
use PortageMysqlContents;
use PortageProcess;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $careless = mysql_new('careless', conf => <<'CONF');
default_storage_engine = MyISAM
sql_mode =
character_set_server = latin1
innodb_flush_log_at_trx_commit = 2
local_infile = 0
max_allowed_packet = 1M
CONF
my @ends = mysql_endpoints($source, $careless);

$source->safe_psql('app', q{
	CREATE TABLE t (id int PRIMARY KEY, word varchar(5) UNIQUE, n numeric(6,1), at timestamptz NOT NULL, doc text);
	INSERT INTO t SELECT i, chr(945 + i % 24) || i, i, now(), repeat('€', i) FROM generate_series(1, 900) i;
});
mysql_migrate($source, $careless);
contents_equal($source, 'app', $careless, 'app');
is($careless->value('app', q{SELECT count(*) FROM information_schema.tables
	WHERE table_schema = 'app' AND engine <> 'InnoDB'}), 0, 'all tables are InnoDB');
$source->safe_psql('app', q{
	UPDATE t SET n = n + 0.5, word = 'w' || id WHERE id % 2 = 0;
	DELETE FROM t WHERE id % 7 = 0;
	INSERT INTO t SELECT i, 'x' || i, i, now(), '' FROM generate_series(1001, 1500) i;
});
mysql_migrate($source, $careless);
contents_equal($source, 'app', $careless, 'app');

# Read-only for a while, in the middle of the stream.
my $applier = portage_start('run', @ends);
$source->safe_psql('app', q{UPDATE t SET doc = 'before'});
ok($careless->wait_for_value('app', q{SELECT count(*) = 0 FROM t WHERE doc <> 'before'}),
	'the stream runs');
$careless->query(undef, 'SET GLOBAL read_only = 1');
$source->safe_psql('app', q{UPDATE t SET doc = 'behind'});
ok(wait_for(sub { $applier->stderr =~ /trying again.*P0304/s }, "P0304"), 'a server that is read-only is waited for');
$careless->query(undef, 'SET GLOBAL read_only = 0');
ok($careless->wait_for_value('app', q{SELECT count(*) = 0 FROM t WHERE doc <> 'behind'}), 'and the stream goes on');
ok($applier->running, 'of the same applier');

# What no packet takes: named with table and key, and nothing of it is there.
$source->safe_psql('app', q{BEGIN; UPDATE t SET n = 1 WHERE id = 1; UPDATE t SET doc = repeat('x', 2000000) WHERE id = 2; COMMIT});
my $end = $applier->wait_exit;
is($end->{rc}, 4, 'a row that is larger than a packet stops the stream');
like($applier->stderr, qr/public\.t.*P0415/s, 'which names its table');
like($applier->stderr, qr/max_allowed_packet/, 'and what to do');
$careless->query(undef, 'SET GLOBAL max_allowed_packet = 16777216');
mysql_migrate($source, $careless);
contents_equal($source, 'app', $careless, 'app');

done_testing();
